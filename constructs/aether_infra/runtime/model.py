"""The values that managers take and give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aether_infra.core.tags import NodeRole


class NodeState(StrEnum):
    """Where a machine, task or pod is in its life, in the words of Aether's own SPI."""

    PROVISIONING = "provisioning"
    """Asked for, and not running yet."""
    RUNNING = "running"
    """The machine runs; whether the node in it is ready, Aether says."""
    STOPPING = "stopping"
    """It will not come back."""
    TERMINATED = "terminated"
    """The cloud says that it is gone; it may still be listed for a while."""

    @property
    def alive(self) -> bool:
        """Whether it counts as a node: it runs, or is about to."""
        return self in {NodeState.PROVISIONING, NodeState.RUNNING}


@frozen(kw_only=True)
class NodeSpec:
    """A node to create."""

    token: str
    """Makes the creation idempotent: the caller persists it before the call and gives the same one when it tries
    again. Lower-case letters, digits and `-`, a letter first, at most 36 characters: it becomes part of a name where a
    cloud has no idempotency token of its own. `new_token` makes one."""
    role: NodeRole = NodeRole.WORKER
    """What the node is to the cluster; managers only create elastic ones (`worker`)."""
    zone: str | None = None
    """Zone (availability domain); default: the manager's choice, away from zones that are out of stock."""
    size: str | None = None
    """Machine type; default: that of the launch template."""
    spot: bool | None = None
    """Whether on capacity that the cloud may take back; default: as the launch template says."""
    tags: Mapping[str, str] = field(factory=dict)
    """Further tags; ours win."""
    desired: int | None = None
    """Where the cloud keeps a number rather than machines (ECS, Kubernetes): the number of elastic nodes that there
    shall be with this one. The caller persists it with the token, so that a second try does not count up again.
    Default: one more than there are."""


@frozen(kw_only=True)
class NodeInstance:
    """A machine, task or pod that runs a node, as the cloud lists it."""

    id: str
    """The cloud's id: what `terminate_node` takes."""
    state: NodeState
    """Where it is in its life."""
    role: NodeRole
    """By its tag `aether-role`; what has none is a worker."""
    zone: str = ""
    """Zone (availability domain); empty where the cloud has none, or none yet."""
    size: str = ""
    """Machine type; empty where there is none."""
    address: str = ""
    """Private IPv4 address, at which the node's management port is asked; empty until there is one."""
    name: str = ""
    """The cloud's display name."""
    node_id: str = ""
    """Aether's id of a core node (tag `aether-node-id`); empty for an elastic one, which says it itself."""
    token: str = ""
    """Token of the creation, if it was one of ours."""
    created_at: datetime | None = None
    """When the cloud says that it was made, with time zone; None where it does not say."""
    spot: bool = False
    """Whether the cloud may take it back."""
    interruption_at: datetime | None = None
    """When the cloud has announced to take it back; None for not announced."""
    tags: Mapping[str, str] = field(factory=dict)
    """Its tags (labels)."""


class TargetHealth(StrEnum):
    """What a load balancer says of a node."""

    INITIAL = "initial"
    """Registered, and not judged yet."""
    HEALTHY = "healthy"
    """Gets traffic."""
    UNHEALTHY = "unhealthy"
    """Gets none, as its probe fails."""
    DRAINING = "draining"
    """Deregistered; open requests may finish."""
    UNKNOWN = "unknown"
    """Registered; this cloud does not say more."""


@frozen(kw_only=True)
class Target:
    """A node behind the load balancer."""

    id: str
    """The node's cloud id."""
    health: TargetHealth
    """What the load balancer says of it."""
    reason: str = ""
    """Why it says so, in the cloud's words; empty for nothing said."""


@frozen(kw_only=True)
class DnsRecord:
    """A DNS record as it shall be: all values of that name and type."""

    name: str
    """Full name in lower case, without a final dot."""
    type: str
    """`A`, `AAAA`, `CNAME` or `TXT`."""
    values: tuple[str, ...]
    """Its values; none at all removes the record."""
    ttl_seconds: int = 60
    """How long others may keep it, in seconds, 1-86400; default 60."""
