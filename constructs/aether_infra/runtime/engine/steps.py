"""What a step is: what it does, how it is undone, how long it may take, and whether there is a way back."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from aether_infra.errors import AetherInfraError
from aether_infra.runtime.aether.client import Aether
from aether_infra.runtime.clock import Calendar
from aether_infra.runtime.journal.journal import Journal
from aether_infra.runtime.journal.store import Fence
from aether_infra.runtime.look import Look
from aether_infra.runtime.manager import CloudManager
from aether_infra.runtime.operations import Operation, OperationState
from aether_infra.runtime.settings import RuntimeSettings


@frozen(kw_only=True)
class EngineOptions:
    """How operations are carried out."""

    creations: int = 20
    """Most creations at the same time."""
    removals: int = 10
    """Most removals and drains at the same time."""
    others: int = 10
    """Most other operations at the same time."""
    boot_seconds: float = 900
    """How long a new node may take from its creation until it is on duty; default 900, the cluster autoscaler's
    `--max-node-provision-time`: https://github.com/kubernetes/autoscaler (as of 2026-08)."""
    drain_seconds: float = 600
    """How long a node may drain in Aether; default 600, the cluster autoscaler's `--max-graceful-termination-sec`.
    After that it goes back on duty and behind the load balancer, as the cluster autoscaler takes back its taint:
    whatever runs on it has nowhere else to go, and ending it would lose it. A forced removal goes on instead."""
    gone_seconds: float = 600
    """How long an ended machine may still be shown as alive."""
    poll_seconds: float = 3
    """Between two looks at something that is on its way."""
    tries: int = 5
    """Tries of a step that fails with a passing error."""
    final_tries: int = 20
    """Tries of a step from which there is no way back, and of undoing one."""
    base_seconds: float = 2
    """Bound of the wait after the first failed try; it doubles with each."""
    longest_seconds: float = 60
    """Bound of any wait between tries."""
    cool_off_seconds: float = 180
    """How long a zone and size without room are reported as such."""
    look_seconds: float = 1
    """How often it is looked whether another replica has written something down."""
    chance: Callable[[], float] = random.random
    """Gives numbers from 0 to 1: waits between tries are anything up to their bound."""


@frozen(kw_only=True)
class Context:
    """What steps work with."""

    manager: CloudManager
    aether: Aether
    look: Look
    journal: Journal
    settings: RuntimeSettings
    options: EngineOptions
    calendar: Calendar


@frozen(kw_only=True)
class Work(Context):
    """A step's view of its operation."""

    operation: Operation
    fence: Fence
    late: bool = False
    """Whether the step has had its time."""

    @property
    def node_id(self) -> str:
        """The operation's node."""
        return self.operation.node_id

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.operation.request

    @property
    def facts(self) -> Mapping[str, Any]:
        """What earlier steps have found."""
        return self.operation.facts


@frozen(kw_only=True)
class Done:
    """The step is through, or was not needed."""

    text: str = ""
    """More about it, for a person."""
    skipped: bool = False
    """Whether nothing was done, as the text says why."""
    facts: Mapping[str, Any] = field(factory=dict)
    """What later steps, and undoing, need to know."""
    changes: Mapping[str, Any] = field(factory=dict)
    """Columns of the operation: `node_id`, `zone`, `desired`."""
    claims: tuple[str, ...] = ()
    """What the operation has for itself from now on."""


@frozen(kw_only=True)
class Wait:
    """The step has to look again."""

    text: str
    """What it waits for, for a person; best the same each time."""
    seconds: float | None = None
    """Until the next look; default: `poll_seconds`."""


Outcome = Done | Wait


class GaveUp(AetherInfraError):  # noqa: N818 - it says what a step did
    """A step cannot be done, and trying again would not help."""


Run = Callable[[Work], Awaitable[Outcome]]


@frozen(kw_only=True)
class Step:
    """One step. Doing it again does no more than doing it once: after a crash it is simply done again."""

    name: str
    """Its name, in the journal."""
    says: str
    """What it does, for a plan: a sentence with `{node}`."""
    run: Run
    """Does it, or looks whether it is done."""
    undo: Run | None = None
    """Takes it back, also where it was only half done; None where there is nothing to take back."""
    bound_seconds: Callable[[EngineOptions], float] | None = None
    """How long it may look on; past that it is called once more as late. None for as long as it takes."""
    bound_since: str = ""
    """The fact with the moment from which that counts; empty for the beginning of the step."""
    undo_seconds: Callable[[EngineOptions], float] = lambda options: options.drain_seconds
    """How long its undoing may look on; past that it is called once more as late."""
    final: bool = False
    """Point of no return: once it has begun, the operation cannot be cancelled."""
    revocable: Callable[[Work], Awaitable[bool]] | None = None
    """Of a final step that has failed for good: whether it has changed nothing yet, so that there is a way back."""
    exclusive: bool = False
    """Where the cloud keeps a number, only one operation at a time is at such steps; it keeps the turn over several of
    them that follow one another."""

    def tries(self, options: EngineOptions) -> int:
        """How often it is tried when it fails with a passing error."""
        return options.final_tries if self.final else options.tries


@frozen(kw_only=True)
class Procedure:
    """The steps of a kind of operation."""

    steps: tuple[Step, ...]
    """In order."""
    group: str
    """Which bound of operations at the same time it counts for: `creations`, `removals`, `others`."""

    def index(self, name: str) -> int:
        """Where a step is."""
        return next(number for number, step in enumerate(self.steps) if step.name == name)

    def step(self, name: str) -> Step:
        """A step by its name."""
        return self.steps[self.index(name)]

    def cancellable(self, name: str) -> bool:
        """Whether an operation that is at this step can still be cancelled."""
        return not name or not any(step.final for step in self.steps[: self.index(name) + 1])


def deadline(step: Step, operation: Operation, options: EngineOptions) -> datetime | None:
    """When a step has had its time, or its undoing; None for never."""
    since = operation.step_since
    if operation.state is OperationState.UNDOING:
        return since + timedelta(seconds=step.undo_seconds(options))
    if step.bound_seconds is None:
        return None
    if step.bound_since in operation.facts:
        since = datetime.fromisoformat(operation.facts[step.bound_since])
    return since + timedelta(seconds=step.bound_seconds(options))
