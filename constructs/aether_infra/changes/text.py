"""A change of the infrastructure for a person to read: lines of pieces of text, each with a style."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from aether_infra.changes.conditions import Answer
from aether_infra.changes.model import (
    Action,
    ArgumentChange,
    Changes,
    Danger,
    ResourceChange,
    SettingChange,
    StackChange,
)
from aether_infra.changes.values import ABSENT
from aether_infra.changes.words import REVISIONS, counted, noun

Line = list[tuple[str, str]]
"""Pieces of a line: text and style, in Rich's words; an empty style for plain text."""

SYMBOLS: Final[Mapping[Action, str]] = {
    Action.ADD: "+",
    Action.CHANGE: "~",
    Action.MAYBE_REPLACE: "?",
    Action.REPLACE: "-/+",
    Action.REMOVE: "-",
}
"""Terraform's signs, and one for what cannot be told."""
_STYLES: Final[Mapping[Action, str]] = {
    Action.ADD: "green",
    Action.CHANGE: "yellow",
    Action.MAYBE_REPLACE: "magenta",
    Action.REPLACE: "bold magenta",
    Action.REMOVE: "red",
}
_ORDER = (Action.REMOVE, Action.REPLACE, Action.MAYBE_REPLACE, Action.CHANGE, Action.ADD)
_VERBS: Final[Mapping[Action, str]] = {
    Action.ADD: "to add",
    Action.CHANGE: "to change in place",
    Action.REPLACE: "to replace",
    Action.MAYBE_REPLACE: "to change or replace",
    Action.REMOVE: "to remove",
}
_SECRET = re.compile(
    r"(?i)(password|passwd|token|private_key|secret_key|client_secret|credential|api_?key|access_?key)"
)
_HIDDEN = "(hidden)"
_WIDTH = 72
"""Longest value that is shown whole."""
_LINES = 4
"""Most lines of a text, or differences in a JSON text, that are shown."""
_CHAIN = 6
"""How many links of a chain of replacements are told."""


def lines(changes: Changes) -> Iterator[Line]:
    """What an operator reads: each stack, a summary, and last what must not be missed.

    Args:
        changes: what happens.
    """
    if changes.is_empty:
        yield [("No changes: the infrastructure stays as it is.", "")]
        return
    for stack in changes.stacks:
        yield from _stack(stack)
        yield []
    yield [("Plan: ", "bold"), (summary(changes.counts), "")]
    if changes.notes:
        yield []
        for note in changes.notes:
            yield from _warning(note, "note  ", "cyan")
    if changes.dangers:
        yield []
        for danger in changes.dangers:
            yield from _warning(danger, "DANGER", "bold red")
        yield []
        yield [
            (f"{counted(len(changes.dangers), 'danger')}. ", "bold red"),
            ("Read them before you apply this.", ""),
        ]


def summary(counts: Mapping[Action, int]) -> str:
    """Numbers of resources by what happens to them.

    Args:
        counts: resources by action.
    """
    told = [
        f"{counts.get(action, 0)} {verb}"
        for action, verb in _VERBS.items()
        if counts.get(action) or action is not Action.MAYBE_REPLACE
    ]
    return ", ".join(told if any(counts.values()) else ["no resource changes"])


def shown(value: Any, path: str = "") -> str:
    """A value on one line: secrets hidden, long ones cut.

    Args:
        value: the value.
        path: where it is; its words tell whether it is secret.
    """
    if value is ABSENT:
        return "(none)"
    if is_secret(path):
        return _HIDDEN
    if isinstance(value, bool):
        return "true" if value else "false"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 20]}…{text[-18:]}"


def is_secret(path: str) -> bool:
    """Whether a value is to be hidden, by the words of its path."""
    return bool(_SECRET.search(path))


def because(change: ResourceChange, all_changes: Mapping[str, ResourceChange]) -> str:
    """Why a resource is replaced, from what it follows down to where it begins.

    Args:
        change: the resource's change.
        all_changes: the stack's changes by address.

    Returns:
        The links of the chain; empty where the resource's own arguments say it all.
    """
    told = list(change.reasons[:1])
    current = None if told else _followed(change, all_changes)
    while current is not None and len(told) < _CHAIN:
        own = next((each for each in _forcing(current) if not each.follows), None)
        follows = next((each for each in _forcing(current) if each.follows), None)
        if current.action is Action.ADD:
            told.append(f"{current.address} is new")
        elif current.reasons:
            told.append(f"{current.address} is replaced: {current.reasons[0]}")
        elif own is not None:
            told.append(f"{current.address} is replaced for its {own.path}")
        elif follows is not None:
            told.append(
                f"{current.address} is replaced for its {follows.path}, which follows {follows.follows}"
            )
            current = _followed(current, all_changes)
            continue
        break
    return "; ".join(told)


def _forcing(change: ResourceChange) -> list[ArgumentChange]:
    return [each for each in change.arguments if each.replaces is Answer.YES]


def _followed(change: ResourceChange, all_changes: Mapping[str, ResourceChange]) -> ResourceChange | None:
    """What a replaced resource follows, if nothing of its own replaces it."""
    forcing = _forcing(change)
    if not forcing or not all(each.follows for each in forcing):
        return None
    return all_changes.get(_address(forcing[0].follows))


def _address(reference: str) -> str:
    parts = reference.split(".")
    return ".".join(parts[:3] if parts[0] == "data" else parts[:2])


def _stack(stack: StackChange) -> Iterator[Line]:
    head = (
        {True: " (new)", False: " (gone)"}.get(stack.old is None)
        if stack.old is None or stack.new is None
        else ""
    )
    counts = {action: stack.count(action) for action in Action}
    yield [(f"{stack.name}{head}", "bold"), (f"  {summary(counts)}", "dim")]
    for setting in (*stack.backend, *stack.providers):
        yield _setting(setting)
    by_address = {each.address: each for each in stack.resources}
    for action in _ORDER:
        for change in stack.resources:
            if change.action is action:
                yield from _resource(change, by_address)


def _setting(setting: SettingChange) -> Line:
    old, new = shown(setting.old, setting.path), shown(setting.new, setting.path)
    return [("  ~   ", "yellow"), (f"{setting.what}: ", "bold"), (f"{setting.path}: {old} → {new}", "")]


def _resource(change: ResourceChange, all_changes: Mapping[str, ResourceChange]) -> Iterator[Line]:
    style = _STYLES[change.action]
    yield [(f"  {SYMBOLS[change.action]:<3} ", style), (change.address, style)]
    what = f"{change.block.place}: {noun(change.block.type)}"
    if change.action is Action.REPLACE and change.block.type in REVISIONS:
        what += ", a new one takes over from the old"
    yield [("        ", ""), (what, "dim")]
    if change.action in {Action.ADD, Action.REMOVE}:
        return
    for argument in change.arguments:
        yield from _argument(argument)
    if change.action is Action.REPLACE and (why := because(change, all_changes)):
        yield [("        because ", "magenta"), (why, "")]
    if change.is_refused:
        yield [("        refused: ", "bold red"), ("it has prevent_destroy", "")]


def _argument(argument: ArgumentChange) -> Iterator[Line]:
    is_open = bool(argument.inside) and not argument.follows and not is_secret(argument.path)
    line: Line = [("        ", ""), (argument.path, "")]
    if argument.follows:
        line.append((f" {'follows' if argument.is_certain else 'may follow'} {argument.follows}", ""))
    elif is_open:
        line.append(
            (" added" if argument.old is ABSENT else " removed" if argument.new is ABSENT else "", "")
        )
    else:
        line += [(": ", ""), *_values(argument.old, argument.new, argument.path)]
    yield [*line, *_effect(argument)]
    if is_open:
        yield from _inside(argument)
    elif not argument.follows:
        yield from _text_lines(argument.old, argument.new, argument.path)


def _values(old: Any, new: Any, path: str) -> Line:
    if _is_text(old) and _is_text(new) and not is_secret(path):
        return [("another text", "")]
    if isinstance(old, str) and isinstance(new, str) and not is_secret(path):
        old, new = _around(old, new)
    return [(f"{shown(old, path)} → {shown(new, path)}", "")]


def _around(old: str, new: str) -> tuple[str, str]:
    """Two texts, long ones cut to where they begin to differ."""
    if max(len(old), len(new)) <= _WIDTH:
        return old, new
    same = next((index for index, pair in enumerate(zip(old, new, strict=False)) if len(set(pair)) > 1), 0)
    start = max(0, same - _WIDTH // 4)
    cut = [text[start:] for text in (old, new)]
    head = "…" if start else ""
    before, after = (f"{head}{text if len(text) < _WIDTH - 6 else text[: _WIDTH - 8] + '…'}" for text in cut)
    return before, after


def _effect(argument: ArgumentChange) -> Line:
    if argument.replaces is Answer.YES:
        return [("  forces replacement", "magenta")]
    if argument.refused:
        return [(f"  refused where {argument.refused}", "bold red")]
    if argument.is_inert:
        return [("  does nothing", "red")]
    if argument.replaces is Answer.MAYBE:
        return [(f"  forces replacement where {argument.condition}", "magenta")]
    return []


def _inside(argument: ArgumentChange) -> Iterator[Line]:
    for each in argument.inside[:_LINES]:
        path = each.path.removeprefix(argument.path).removeprefix(".")
        if argument.old is ABSENT or argument.new is ABSENT:
            values: Line = [(shown(each.new if argument.old is ABSENT else each.old, each.path), "")]
        else:
            values = _values(each.old, each.new, each.path)
        yield [("          ", ""), (path, "dim"), (": ", ""), *values]
        yield from _text_lines(each.old, each.new, each.path, "  ")
    if len(argument.inside) > _LINES:
        yield [("          ", ""), (f"… and {len(argument.inside) - _LINES} more", "dim")]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _text_lines(old: Any, new: Any, path: str, indent: str = "") -> Iterator[Line]:
    """The first lines in which two texts differ."""
    if not (_is_text(old) and _is_text(new)) or is_secret(path):
        return
    differing = [
        line
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    gone, come = ([line[1:].strip() for line in differing if line[0] == sign] for sign in "-+")
    for before, after in list(zip_longest(gone, come))[: _LINES // 2]:
        pair = (before, after) if before is None or after is None else _around(before, after)
        for sign, text, style in zip("-+", pair, ("red", "green"), strict=True):
            if text is not None:
                shown_text = _HIDDEN if is_secret(text) else _cut(text)
                yield [(f"          {indent}", ""), (f"{sign} {shown_text}", style)]
    if max(len(gone), len(come)) > _LINES // 2:
        yield [
            (f"          {indent}", ""),
            (f"… and {max(len(gone), len(come)) - _LINES // 2} more lines", "dim"),
        ]


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _warning(danger: Danger, word: str, style: str) -> Iterator[Line]:
    yield [(f"{word} ", style), (f"{danger.stack}, {danger.kind}: ", "bold"), (f"{danger.message}.", "")]
