"""What every cloud's table has."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from aether_infra.config.checks import Between, Matches, Network, check, items
from aether_infra.config.provider import Provider

MOST_NODES = 1000
"""More nodes than any Aether cluster was ever tried with: a slip of the finger."""


@frozen(kw_only=True)
class CloudSection:
    """Keys that all of `[cloud.aws]`, `[cloud.gcp]`, … have."""

    provider: ClassVar[Provider]
    """Which cloud this is."""
    absent: ClassVar[Mapping[str, str]] = {}
    """Keys that other clouds have, and why this one does not."""

    compute: str
    """What runs a node: each cloud has its own kinds."""
    min_nodes: int | None = field(default=None, metadata=check(Between(3, MOST_NODES, "nodes")))
    """Fewest nodes, core ones included; default: `cluster.nodes`, or 3."""
    max_nodes: int | None = field(default=None, metadata=check(Between(3, MOST_NODES, "nodes")))
    """Most nodes, core ones included; default: 10, or `min_nodes` if that is more."""
    allowed_cidrs: tuple[str, ...] = field(default=("0.0.0.0/0",), metadata=items(Network()))
    """IPv4 networks that may reach the application; default: everyone."""
    management_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach the management port through the load balancer; default: nobody."""
    manage_dns: bool = True
    """Whether a record for `cloud.domain` is made in this cloud's DNS; default on."""
    data_volume_gib: int = field(default=20, metadata=check(Between(1, 16384, "GiB")))
    """Size of a core node's data volume in GiB, 1-16384; default 20. Bounds of AWS gp3, the tightest:
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html (as of 2026-11)."""

    @property
    def region(self) -> str:
        """The region, whatever the cloud calls it."""
        raise NotImplementedError


@frozen(kw_only=True)
class MaintenanceConfig:
    """`[cloud.<name>.maintenance]`: when in the week the cloud may upgrade a Kubernetes cluster."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "sunday"
    """Day of the week; default sunday."""
    start: str = field(
        default="02:00",
        metadata=check(Matches(r"(?:[01]\d|2[0-3]):[0-5]\d", 'a time of day in UTC such as "02:00"')),
    )
    """Begin of the window in UTC, `HH:MM`; default 02:00."""


@frozen(kw_only=True)
class MaintenanceWindow(MaintenanceConfig):
    """A window whose length can be chosen."""

    hours: int = field(default=12, metadata=check(Between(4, 24, "hours")))
    """Length of the window in hours, 4-24; default 12: GKE wants 48 hours in any 32 days. Sources:
    https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions,
    https://learn.microsoft.com/en-us/azure/aks/planned-maintenance (as of 2026-11)."""
