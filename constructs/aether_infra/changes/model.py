"""What a change of configuration does, as values: to an argument, a resource, a stack, and all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from aether_infra.changes.conditions import Answer
from aether_infra.changes.document import Block, Stack
from aether_infra.changes.values import Difference


class Action(StrEnum):
    """What happens to a resource."""

    ADD = "add"
    CHANGE = "change"
    """Changed in place."""
    MAYBE_REPLACE = "maybe-replace"
    """Changed in place or replaced: a configuration alone does not tell."""
    REPLACE = "replace"
    REMOVE = "remove"


@frozen(kw_only=True)
class ArgumentChange:
    """What happens to an argument."""

    path: str
    """Where, as a reader would say it."""
    pattern: str
    """Where, by names alone."""
    old: Any
    """Value before; `values.ABSENT` for none."""
    new: Any
    """Value after. Where it `follows` something, the reference."""
    inside: tuple[Difference, ...] = ()
    """What differs inside of a JSON text or a block."""
    follows: str = ""
    """The attribute that it follows, if that is why it changes: `aws_vpc.network.id`."""
    is_certain: bool = True
    """Whether it changes for certain; not so where it follows what is looked up."""
    replaces: Answer = Answer.NO
    """Whether this replaces the resource."""
    condition: str = ""
    """On what it depends whether it does, as what follows the word "where"."""
    refused: str = ""
    """Why it is refused, in the same form."""
    is_inert: bool = False
    """Whether the provider does nothing about it."""


@frozen(kw_only=True)
class ResourceChange:
    """What happens to a resource."""

    stack: str
    """Its stack."""
    block: Block
    """The resource: as it will be, or as it was where it is removed."""
    action: Action
    """What happens."""
    arguments: tuple[ArgumentChange, ...] = ()
    """What happens to its arguments; empty where it is added or removed."""
    reasons: tuple[str, ...] = ()
    """Why it is replaced, beside the arguments: its provider, `replace_triggered_by`."""
    has_moved: bool = False
    """Whether its provider is set to another place."""
    is_left_behind: bool = False
    """Whether nobody ends what is in the old place: its provider looks in the new one only."""
    lost_its_cluster: bool = False
    """Whether the Kubernetes cluster that it is in is replaced."""

    @property
    def address(self) -> str:
        """Its address in Terraform."""
        return self.block.address

    @property
    def goes(self) -> bool:
        """Whether Terraform ends what is there now."""
        is_gone = self.lost_its_cluster or self.is_left_behind
        return self.action in {Action.REPLACE, Action.REMOVE} and not is_gone

    @property
    def is_refused(self) -> bool:
        """Whether Terraform refuses it, and the whole plan with it.

        A resource that is no longer in the configuration is protected by nothing that was written there.
        Source: https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#prevent_destroy (as of
        2026-11).
        """
        return self.action is Action.REPLACE and self.goes and self.block.prevents_destroy

    def argument(self, *patterns: str) -> ArgumentChange | None:
        """The first change of one of these arguments, or of what is below them."""
        return next(
            (
                each
                for each in self.arguments
                if any(each.pattern == one or each.pattern.startswith(f"{one}.") for one in patterns)
            ),
            None,
        )


@frozen(kw_only=True)
class SettingChange:
    """A change of what is no resource: a provider's configuration, the state's place."""

    what: str
    """What: `provider aws`, `state`."""
    path: str
    """Which setting."""
    old: Any
    new: Any


@frozen(kw_only=True)
class StackChange:
    """What happens to a stack."""

    name: str
    """The stack."""
    old: Stack | None
    """As it was; None where it is new."""
    new: Stack | None
    """As it will be; None where it is no longer there."""
    resources: tuple[ResourceChange, ...] = ()
    """Resources to which something happens, in the order of the document."""
    providers: tuple[SettingChange, ...] = ()
    """Changed configurations of providers."""
    backend: tuple[SettingChange, ...] = ()
    """Changed settings of the state's place."""

    def count(self, *actions: Action) -> int:
        """How many resources have one of these actions."""
        return sum(each.action in actions for each in self.resources)


@frozen(kw_only=True)
class Danger:
    """What an operator should know before it happens."""

    kind: str
    """Which danger, a word for scripts: `quorum`, `data`, …"""
    stack: str
    """The stack."""
    message: str
    """What would happen, in a sentence or two."""
    addresses: tuple[str, ...] = ()
    """The resources that it is about."""


@frozen(kw_only=True)
class Changes:
    """All that a change of configuration does."""

    stacks: tuple[StackChange, ...] = ()
    """Stacks to which something happens."""
    dangers: tuple[Danger, ...] = ()
    """Dangers, the worst kinds first."""
    notes: tuple[Danger, ...] = ()
    """What is worth knowing and no danger, such as a rollout that goes one node at a time."""
    counts: Mapping[Action, int] = field(factory=dict)
    """Resources by action."""

    def __iter__(self) -> Iterator[ResourceChange]:
        return (each for stack in self.stacks for each in stack.resources)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happens, and nothing is to be said."""
        return not self.stacks and not self.dangers
