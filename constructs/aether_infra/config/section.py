"""What every cloud's table has."""

from typing import ClassVar

from attrs import field, frozen

from aether_infra.config.checks import Between, Network, check, items
from aether_infra.config.provider import Provider

MOST_NODES = 1000
"""More nodes than any Aether cluster was ever tried with: a slip of the finger."""


@frozen(kw_only=True)
class CloudSection:
    """Keys that all of `[cloud.aws]`, `[cloud.gcp]`, … have."""

    provider: ClassVar[Provider]
    """Which cloud this is."""

    min_nodes: int | None = field(default=None, metadata=check(Between(3, MOST_NODES, "nodes")))
    """Fewest nodes, core ones included; default: `cluster.nodes`, or 3."""
    max_nodes: int | None = field(default=None, metadata=check(Between(3, MOST_NODES, "nodes")))
    """Most nodes, core ones included; default: 10, or `min_nodes` if that is more."""
    allowed_cidrs: tuple[str, ...] = field(default=("0.0.0.0/0",), metadata=items(Network()))
    """IPv4 networks that may reach the application; default: everyone."""
    management_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach the management port through the load balancer; default: nobody."""
