"""What a simulation assumes, and what it gives."""

from __future__ import annotations

from attrs import field, frozen

from aether_infra.runtime.observation import Thresholds
from aether_infra.runtime.policy.model import Policy


@frozen(kw_only=True)
class Setup:
    """What is assumed."""

    core: int = 3
    """Core nodes; they work like all others."""
    minimum: int = 3
    """Fewest nodes, core ones included."""
    maximum: int = 12
    """Most nodes, core ones included."""
    policy: Policy = field(factory=Policy)
    """When nodes come and go."""
    thresholds: Thresholds = field(factory=Thresholds)
    """Of the nodes' controller configuration."""
    tick_seconds: float = 10
    """From one decision to the next."""
    boot_seconds: float = 75
    """Median time from a creation until the node is on duty: about 40 s for a machine of a cloud and 30 to 45 s for the
    node itself."""
    boot_spread: float = 0.3
    """Spread of that: standard deviation of its logarithm. 0.3 means that one in twenty takes 1.6 times as long."""
    drain_seconds: float = 60
    """From the decision until a node that goes does not work any more; its machine is paid for as long."""
    failures_a_day: float = 0
    """How often a node dies, on average, in one day."""
    service_seconds: float = 0.05
    """How long a request takes where nothing else is to be done."""
    seed: int = 1
    """Of chance: the same gives the same."""


@frozen(kw_only=True)
class Sample:
    """The cluster at one moment."""

    at: float
    """Seconds from the beginning."""
    load: float
    """In nodes."""
    serving: int
    """Nodes that work, core ones included."""
    booting: int
    """Nodes that are on their way in."""
    leaving: int
    """Nodes that are on their way out, or dead and not ended yet."""
    desired: int
    """Nodes that there shall be, core ones included."""
    utilisation: float
    """Share of the time that nodes work, 0-1."""
    backlog: float
    """Work that waits, in seconds of one node."""
    wait_seconds: float
    """How long a request waits because of the backlog."""
    latency_seconds: float
    """Mean time that a request takes, all in all."""
    reason: str
    """Of the decision."""
    created: int
    removed: int
    died: int
    """In this step."""


@frozen(kw_only=True)
class Result:
    """What comes of it."""

    setup: Setup
    samples: tuple[Sample, ...]
