"""What happens to each resource of a stack: its own differences, and those that follow from others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any, Final

from aether_infra.catalog.replacement import REGIONLESS, TypeFacts, facts_of
from aether_infra.changes.conditions import Answer, Verdict, follows, verdict
from aether_infra.changes.document import Block, Stack
from aether_infra.changes.model import Action, ArgumentChange, ResourceChange
from aether_infra.changes.references import Reference, known, references
from aether_infra.changes.values import ABSENT, Template, compare

_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws": ("region",),
    "azurerm": ("subscription_id",),
    "google": ("project",),
    "kubernetes": ("config_context", "config_path", "host"),
    "oci": ("region",),
}
"""Settings of a provider that say where everything is."""
_MOVED: Final = "its provider is set to another place"
_CLUSTER_GONE: Final = "its cluster is replaced"
_ID = re.compile(r"[\w\-]+\.[\w\-]+")


class Effect(IntEnum):
    """What happens to a value that something refers to."""

    SAME = 0
    MAYBE = 1
    """It may be another one: what is looked up."""
    CHANGED = 2
    """It is another one, or Terraform knows it only afterwards and plans as if."""


class Planner:
    """Plans one stack.

    Args:
        old: the stack before.
        new: the stack after.
        outputs: what happens to outputs of other stacks that this one reads, by the name of the data source.
    """

    def __init__(
        self, old: Stack, new: Stack, outputs: Mapping[str, Mapping[str, Effect]] | None = None
    ) -> None:
        self._old = old
        self._new = new
        self._outputs = outputs or {}
        self._planned: dict[str, ResourceChange | None] = {}
        self._lookups: dict[str, Effect] = {}
        self._open: set[str] = set()

    def changes(self) -> Iterator[ResourceChange]:
        """What happens, in the order of the new document, then what goes."""
        for block in self._new.resources():
            change = self.change(block.address)
            if change is not None:
                yield change
        for block in self._old.resources():
            if block.address not in self._new.blocks:
                yield ResourceChange(stack=self._new.name, block=block, action=Action.REMOVE)

    def change(self, address: str) -> ResourceChange | None:
        """What happens to a resource of the new stack; None for nothing."""
        if address not in self._planned:
            if address in self._open:  # a circle, which Terraform refuses
                return None
            self._open.add(address)
            self._planned[address] = self._plan(self._new.blocks[address])
            self._open.discard(address)
        return self._planned[address]

    def effect(self, value: Any) -> Effect:
        """What happens to a value of the new stack for the sake of what it refers to."""
        return max((self._referred(each) for each in references(value, self._new)), default=Effect.SAME)

    def _plan(self, block: Block) -> ResourceChange | None:
        before = self._old.blocks.get(block.address)
        if before is None:
            return ResourceChange(stack=self._new.name, block=block, action=Action.ADD)
        facts = facts_of(block.type)
        ignored = _ignored(block)
        arguments = tuple(
            each for each in self._arguments(before, block, facts) if not _is_ignored(each.pattern, ignored)
        )
        reasons = tuple(self._reasons(before, block))
        if not arguments and not reasons:
            return None
        answers = {each.replaces for each in arguments}
        action = (
            Action.REPLACE
            if reasons or Answer.YES in answers
            else Action.MAYBE_REPLACE
            if Answer.MAYBE in answers
            else Action.CHANGE
        )
        has_moved = any(each.startswith(_MOVED) for each in reasons)
        return ResourceChange(
            stack=self._new.name,
            block=block,
            action=action,
            arguments=arguments,
            reasons=reasons,
            has_moved=has_moved,
            # AWS keeps each resource's region in the state, and finds it there
            is_left_behind=has_moved and not block.type.startswith("aws_"),
            lost_its_cluster=_CLUSTER_GONE in reasons,
        )

    def _arguments(self, before: Block, block: Block, facts: TypeFacts | None) -> Iterator[ArgumentChange]:
        old, new = known(before.arguments, self._old), known(block.arguments, self._new)
        found, templates = compare(old, new, facts)
        for each in found:
            if each.new is ABSENT and facts is not None and each.pattern in facts.keeps:
                continue
            said = verdict(each, facts, old, new)
            yield ArgumentChange(
                path=each.path,
                pattern=each.pattern,
                old=each.old,
                new=each.new,
                inside=each.inside,
                replaces=said.replaces,
                condition=said.condition,
                refused=said.refused,
                is_inert=said.is_inert,
            )
        for template in templates:
            yield from self._following(template, facts)

    def _following(self, template: Template, facts: TypeFacts | None) -> Iterator[ArgumentChange]:
        """The change of an argument that is written as it was, but refers to what changes."""
        worst, effect = None, Effect.SAME
        for reference in references(template.value, self._new):
            found = self._referred(reference)
            if found > effect:
                worst, effect = reference, found
        if worst is None:
            return
        said = follows(template.pattern, facts)
        if effect is Effect.MAYBE and said.replaces is Answer.YES:
            said = Verdict(replaces=Answer.MAYBE, condition=f"{worst} turns out to be another")
        yield ArgumentChange(
            path=template.path,
            pattern=template.pattern,
            old=template.value,
            new=template.value,
            follows=str(worst),
            is_certain=effect is Effect.CHANGED,
            replaces=said.replaces,
            condition=said.condition,
            is_inert=said.is_inert,
        )

    def _referred(self, reference: Reference) -> Effect:
        block = self._new.blocks[reference.address]
        if block.is_data:
            return self._looked_up(block, reference)
        change = self.change(reference.address)
        if change is None:
            return Effect.SAME
        if change.action is Action.ADD:
            return Effect.CHANGED
        argument = change.argument(reference.attribute)
        if argument is not None:
            return Effect.CHANGED if argument.is_certain else Effect.MAYBE
        if reference.attribute in block.arguments or change.action is Action.CHANGE:
            facts = facts_of(block.type)
            is_new = facts is not None and reference.attribute in facts.volatile
            return Effect.CHANGED if is_new else Effect.SAME
        return Effect.MAYBE if change.action is Action.MAYBE_REPLACE else Effect.CHANGED

    def _looked_up(self, block: Block, reference: Reference) -> Effect:
        if block.type == "terraform_remote_state":
            return self._remote(block, reference)
        if block.address not in self._lookups:
            self._lookups[block.address] = Effect.SAME  # ends a circle
            self._lookups[block.address] = self._lookup(block)
        return self._lookups[block.address]

    def _lookup(self, block: Block) -> Effect:
        """What happens to what a data source finds.

        Terraform looks it up only afterwards, and plans as if it were another, where an argument is known only then,
        or where the data source refers to, or waits for, a resource to which anything happens.
        Source: https://developer.hashicorp.com/terraform/language/data-sources (as of 2026-11).
        """
        before = self._old.blocks.get(block.address)
        awaited = {
            *block.depends_on,
            *(each.address for each in references(dict(block.arguments), self._new)),
        }
        resources = (each for each in awaited if (it := self._new.blocks.get(each)) and not it.is_data)
        if any(self.change(each) is not None for each in resources):
            return Effect.CHANGED
        if self.effect(dict(block.arguments)) is Effect.CHANGED:
            return Effect.CHANGED
        old = {} if before is None else known(before.arguments, self._old)
        if before is None or compare(old, known(block.arguments, self._new), None)[0]:
            # a policy document is made of its arguments; anything else may find the same as before
            return Effect.CHANGED if block.type == "aws_iam_policy_document" else Effect.MAYBE
        return self.effect(dict(block.arguments))

    def _remote(self, block: Block, reference: Reference) -> Effect:
        """What happens to an output of another stack: `.runtime.kubernetes.endpoint` of `outputs`."""
        effects = self._outputs.get(block.name, {})
        path = reference.rest.lstrip(".")
        return max(
            (
                effect
                for name, effect in effects.items()
                if path == name or path.startswith(f"{name}.") or name.startswith(f"{path}.")
            ),
            default=Effect.SAME,
        )

    def _reasons(self, before: Block, block: Block) -> Iterator[str]:
        """Why a resource is replaced, whatever its arguments say."""
        for each in _listed(block.lifecycle.get("replace_triggered_by")):
            address = _ID.match(str(each))
            if address and address[0] in self._new.blocks and self.change(address[0]) is not None:
                yield f"{each} changes, which triggers it (replace_triggered_by)"
        moved = self.moved(before.provider, block.provider)
        own = {"google": "project"}.get(block.type.partition("_")[0])
        if moved and own not in block.arguments and not block.type.startswith(REGIONLESS):
            yield moved

    def moved(self, before: str, after: str) -> str:
        """Why all that belongs to a provider is made anew; empty where it is not.

        Args:
            before: the provider's configuration before: `oci`, `oci.home`.
            after: and after.
        """
        old, new = self._old.providers.get(before, {}), self._new.providers.get(after, {})
        name = after.partition(".")[0]
        for key in _PLACES.get(name, ()):
            was, will = known(old.get(key), self._old), known(new.get(key), self._new)
            if was != will:
                return f"{_MOVED}: {key} {_quoted(was)} → {_quoted(will)}"
            if self.effect(will) is Effect.CHANGED:
                return _CLUSTER_GONE
        return ""


def _ignored(block: Block) -> frozenset[str]:
    """Arguments whose changes Terraform ignores; `all` for every one."""
    ignored = block.lifecycle.get("ignore_changes")
    if ignored == "all":
        return frozenset({"all"})
    return frozenset(re.sub(r"\[[^\]]*\]", "", str(each)) for each in _listed(ignored))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_ignored(pattern: str, ignored: frozenset[str]) -> bool:
    return "all" in ignored or any(pattern == each or pattern.startswith(f"{each}.") for each in ignored)


def _quoted(value: Any) -> str:
    return "unset" if value is None else f'"{value}"'
