"""How two values of an argument differ, as Terraform sees it: order in sets, defaults, JSON and numbers in text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from aether_infra.catalog.replacement import TypeFacts

JSONENCODE: Final = "${/*}*/jsonencode("
"""How JSON with references begins; see `aether_infra.cdk.text`."""
_KEYS = ("name", "key", "id", "sid", "priority", "type", "port", "namespace")
"""Arguments by which blocks of a list are told apart, where all of them have one and each another."""


class _Absent:
    """An argument that is left out."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""The value of an argument that is left out."""


@frozen(kw_only=True)
class Difference:
    """One argument that differs."""

    path: str
    """Where, as a reader would say it: `env[PEERS].value`."""
    pattern: str
    """Where, by names alone: `env.value`."""
    old: Any
    """Value before; `ABSENT` for none."""
    new: Any
    """Value after; `ABSENT` for none."""
    is_block: bool = False
    """Whether it is a whole block that comes or goes."""
    inside: tuple[Difference, ...] = ()
    """What differs inside of a JSON text or a block."""


@frozen(kw_only=True)
class Template:
    """A value that is written as it was, and refers to something that may change."""

    path: str
    """Where, as a reader would say it."""
    pattern: str
    """Where, by names alone."""
    value: Any
    """The text, or a list with such texts."""


def compare(
    old: Mapping[str, Any], new: Mapping[str, Any], facts: TypeFacts | None
) -> tuple[list[Difference], list[Template]]:
    """How the arguments of a resource differ.

    Args:
        old: arguments before, references resolved as far as they can be.
        new: arguments after, likewise.
        facts: what is known of the type; None for nothing.

    Returns:
        The differences, in the order of the arguments' names, and the templates that are the same.
    """
    comparison = _Comparison(facts or TypeFacts())
    return list(comparison.tables(old, new, "", "")), comparison.templates


class _Comparison:
    """Compares with the facts of one type in mind.

    Args:
        facts: the facts.
        exact: whether a value that is left out differs from false, nought and nothing, as it does in JSON text.

    Attributes:
        templates: what was found to be the same and refers to something.
    """

    def __init__(self, facts: TypeFacts, *, exact: bool = False) -> None:
        self._facts = facts
        self._exact = exact
        self.templates: list[Template] = []

    def tables(
        self, old: Mapping[str, Any], new: Mapping[str, Any], path: str, pattern: str
    ) -> Iterator[Difference]:
        for key in sorted({*old, *new}):
            below = f"{pattern}.{key}" if pattern else key
            here = f"{path}.{key}" if path else key
            yield from self.values(old.get(key, ABSENT), new.get(key, ABSENT), here, below)

    def values(self, old: Any, new: Any, path: str, pattern: str) -> Iterator[Difference]:
        old, new = _plain(old), _plain(new)
        if self._same(old, new, pattern):
            self.templates += _templates(new, path, pattern)
            return
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self.tables(old, new, path, pattern)
        elif all(each is ABSENT or _is_blocks(each) for each in (old, new)):
            yield from self._blocks(_as_list(old), _as_list(new), path, pattern)
        else:
            inside = tuple(_inside_json(old, new))
            if not (inside == () and _is_json(old) and _is_json(new)):
                yield Difference(path=path, pattern=pattern, old=old, new=new, inside=inside)

    def _same(self, old: Any, new: Any, pattern: str) -> bool:
        if old is ABSENT and new is ABSENT:
            return True
        if old is ABSENT or new is ABSENT:
            return not self._exact and self._is_no_change(new if old is ABSENT else old, pattern)
        if isinstance(old, list) and isinstance(new, list) and pattern in self._facts.sets:
            return _sorted(old) == _sorted(new)
        if isinstance(old, list) != isinstance(new, list):
            return _as_list(old) == _as_list(new)
        return bool(old == new) or _text(old) == _text(new)

    def _is_no_change(self, value: Any, pattern: str) -> bool:
        """Whether it makes no difference that a value is left out."""
        if _is_nothing(value):
            return True
        default = self._facts.default.get(pattern, ABSENT)
        if default is not ABSENT:
            return _text(default) == _text(value)
        # what is false or nought where nothing was said is no change, unless the cloud chooses a value itself
        return value in (False, 0) and pattern not in self._facts.keeps

    def _blocks(self, old: list[Any], new: list[Any], path: str, pattern: str) -> Iterator[Difference]:
        if pattern in self._facts.sets:
            old, new, common = _without_common(old, new)
            self.templates += [each for item in common for each in _templates(item, path, pattern)]
        key = _key(old, new)
        if key and pattern not in self._facts.sets:
            yield from _order([item[key] for item in old], [item[key] for item in new], path, pattern)
        for name, before, after in _pairs(old, new, key):
            here = f"{path}[{name}]" if key or max(len(old), len(new)) > 1 else path
            if before is ABSENT or after is ABSENT:
                inside = tuple(
                    self.tables(
                        before if isinstance(before, dict) else {},
                        after if isinstance(after, dict) else {},
                        here,
                        pattern,
                    )
                )
                yield Difference(
                    path=here, pattern=pattern, old=before, new=after, is_block=True, inside=inside
                )
            else:
                yield from self.values(before, after, here, pattern)


def _plain(value: Any) -> Any:
    return ABSENT if value is None else value


def _is_nothing(value: Any) -> bool:
    return isinstance(value, str | list | dict) and not value


def _is_blocks(value: Any) -> bool:
    """Whether a value is a block or a list of them; Terraform's JSON has both forms for the same thing."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) for item in value)
    return isinstance(value, dict)


def _as_list(value: Any) -> list[Any]:
    if value is ABSENT:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """A scalar as Terraform's text of it: `true`, `20`; anything else in a form that only equals itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=repr)


def _sorted(values: list[Any]) -> list[str]:
    return sorted(_text(value) for value in values)


def _without_common(old: list[Any], new: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """Both lists without what is in both, as many times as it is, and that."""
    left, right, common = list(old), list(new), []
    for item in old:
        if item in right:
            left.remove(item)
            right.remove(item)
            common.append(item)
    return left, right, common


def _templates(value: Any, path: str, pattern: str) -> Iterator[Template]:
    """Every value that may refer to something; a list of texts is one."""
    if isinstance(value, dict):
        for key, item in value.items():
            below = f"{pattern}.{key}" if pattern else str(key)
            yield from _templates(item, f"{path}.{key}" if path else str(key), below)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            yield from _templates(item, f"{path}[{index}]" if len(value) > 1 else path, pattern)
    elif any(isinstance(item, str) and "${" in item for item in _as_list(value)):
        yield Template(path=path, pattern=pattern, value=value)


def _key(old: list[Any], new: list[Any]) -> str | None:
    """The argument that tells the blocks of both lists apart."""
    for key in _KEYS:
        names = [[item.get(key) if isinstance(item, dict) else None for item in each] for each in (old, new)]
        scalars = all(isinstance(name, str | int) for each in names for name in each)
        if scalars and all(len(set(each)) == len(each) for each in names) and any(names):
            return key
    return None


def _pairs(old: list[Any], new: list[Any], key: str | None) -> Iterator[tuple[Any, Any, Any]]:
    """Blocks that belong together, each with its name or number."""
    if key is None:
        for index in range(max(len(old), len(new))):
            yield (
                index,
                old[index] if index < len(old) else ABSENT,
                new[index] if index < len(new) else ABSENT,
            )
        return
    before, after = ({item[key]: item for item in each} for each in (old, new))
    for name in [*before, *(name for name in after if name not in before)]:
        yield name, before.get(name, ABSENT), after.get(name, ABSENT)


def _order(old: list[Any], new: list[Any], path: str, pattern: str) -> Iterator[Difference]:
    """Blocks that stand in another order, where order means something."""
    before = [name for name in old if name in new]
    after = [name for name in new if name in old]
    if before != after:
        yield Difference(path=path, pattern=pattern, old=before, new=after)


def _is_json(value: Any) -> bool:
    return _parsed(value) is not ABSENT


def _parsed(value: Any) -> Any:
    """What a JSON text says, plain or inside of Terraform's `jsonencode`; `ABSENT` where it is none."""
    if not isinstance(value, str):
        return ABSENT
    text = value
    if text.startswith(JSONENCODE) and text.endswith(")}"):
        text = text[len(JSONENCODE) : -2]
    if not text.startswith(("{", "[")):
        return ABSENT
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return ABSENT


def _inside_json(old: Any, new: Any) -> Iterator[Difference]:
    before, after = _parsed(old), _parsed(new)
    if before is not ABSENT and after is not ABSENT:
        yield from _Comparison(TypeFacts(), exact=True).values(before, after, "", "")
