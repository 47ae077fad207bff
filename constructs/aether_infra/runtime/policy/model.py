"""Settings of the policy, what it remembers, and what it decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class Policy:
    """When nodes come and go.

    Flags named with a default are those of the Kubernetes cluster autoscaler, whose default it is:
    `cluster-autoscaler/FAQ.md` in https://github.com/kubernetes/autoscaler (as of 2026-08). Thresholds of load are not
    here: they are the nodes' own (`observation.Thresholds`).
    """

    cpu_target: float = 0.6
    """Mean load of processors that a growth aims at, 0-1; default 0.6, as Layer 1's `[cloud.scaling]`."""
    up_window_seconds: float = 0
    """Growth follows the lowest recommendation of so many seconds; default 0: at once."""
    down_window_seconds: float = 300
    """Shrinking follows the highest recommendation of so many seconds; default 300, as the Horizontal Pod Autoscaler:
    https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/ (as of 2026-11)."""
    grow_after_add_seconds: float = 60
    """No growth for so many seconds after the last one, unless there are too few for the bounds; default 60, as Layer
    1's `[cloud.scaling]`."""
    shrink_after_add_seconds: float = 600
    """No shrinking for so many seconds after a growth; default 600 (`--scale-down-delay-after-add`)."""
    shrink_after_delete_seconds: float = 0
    """No shrinking for so many seconds after a removal; default 0 (`--scale-down-delay-after-delete`)."""
    shrink_after_failure_seconds: float = 180
    """No shrinking for so many seconds after a failed removal; default 180 (`--scale-down-delay-after-failure`)."""
    grow_after_failure_seconds: float = 180
    """No creation for so many seconds after one that failed; doubles with each that fails in a row. Default 180."""
    grow_after_failure_longest_seconds: float = 1800
    """Bound of that; default 1800 (`--max-node-group-backoff-duration`)."""
    boot_seconds: float = 900
    """How long a new node may take to be on duty before it is dead; default 900 (`--max-node-provision-time`)."""
    lost_seconds: float = 300
    """How long a node that was on duty may be unseen before it counts as dead; default 300."""
    unhealthy_share: float = 0.45
    """Over this share of dead and lost nodes nothing is done any more; default 0.45 (`--max-total-unready-percentage`):
    then the fault is rather in the network, or in what we see."""
    unhealthy_allowed: int = 3
    """So many dead and lost nodes never stop anything; default 3 (`--ok-total-unready-count`)."""
    removals_at_once: int = 10
    """Most nodes on their way out at the same time, when a person has lowered the number or nodes are dead; default 10
    (`--max-scale-down-parallelism`). When the load falls, nodes go one by one."""
    notice_seconds: float = 90
    """An interrupted node is drained this long before the cloud takes it, even if its replacement does not serve yet;
    default 90."""

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Policy:
        """The defaults, and what Layer 1 says under `scaling`.

        Args:
            facts: the output `runtime`.
        """
        given = facts.get("scaling")
        scaling: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        usual = cls()
        return cls(
            cpu_target=float(scaling.get("cpu_target_percent", usual.cpu_target * 100)) / 100,
            grow_after_add_seconds=float(
                scaling.get("scale_out_cooldown_seconds", usual.grow_after_add_seconds)
            ),
            shrink_after_add_seconds=float(
                scaling.get("scale_in_cooldown_seconds", usual.shrink_after_add_seconds)
            ),
        )


@frozen(kw_only=True)
class Memory:
    """What the policy knows of before. The controller fills in what operations did; the rest it gets back as is."""

    since: datetime | None = None
    """When this memory began, UTC: shrinking waits a whole window from then. None for now."""
    desired: int | None = None
    """The number decided last; None for none yet."""
    recommendations: tuple[tuple[datetime, int], ...] = ()
    """Numbers recommended within the windows, oldest first."""
    added_at: datetime | None = None
    """When a node was created last, UTC."""
    removed_at: datetime | None = None
    """When a node was removed last, UTC."""
    removal_failed_at: datetime | None = None
    """When a removal failed last, UTC."""
    creation_failed_at: datetime | None = None
    """When a creation failed last, UTC."""
    creation_failures: int = 0
    """Creations that failed since one succeeded."""
    creation_error: str = ""
    """Why the last of them failed."""
    removal_failures: Mapping[str, datetime] = field(factory=dict)
    """Nodes that could not be removed = when that was tried last, UTC."""


@frozen(kw_only=True)
class Removal:
    """A node that shall go."""

    node_id: str
    reason: str
    """Why this one, in words."""
    force: bool = False
    """Whether it goes even if it does not drain."""


@frozen(kw_only=True)
class Decision:
    """What shall be done now, and why."""

    at: datetime
    """UTC."""
    desired: int
    """How many elastic nodes there shall be."""
    actual: int
    """How many there are or are coming; those on their way out are not counted."""
    serving: int
    """How many elastic nodes are on duty."""
    load: float | None
    """Mean load of processors over all nodes on duty, 0-1; None where it is not known."""
    create: int = 0
    """How many to create now."""
    remove: tuple[Removal, ...] = ()
    """Which to remove now."""
    reason: str
    """Why, in one sentence with the numbers."""
    holds: tuple[str, ...] = ()
    """What is not done although it would be due, and until when or why."""

    @property
    def quiet(self) -> bool:
        """Whether it changes nothing."""
        return not self.create and not self.remove
