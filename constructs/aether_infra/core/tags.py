"""The standard tags. `aether-cluster` marks ownership: what does not carry it, no part of us touches."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

CLUSTER = "aether-cluster"
"""Tag key: name of the cluster that owns the resource. Aether's own discovery looks for it."""
ROLE = "aether-role"
"""Tag key: `core` or `worker`, on what runs a node."""
NODE_ID = "aether-node-id"
"""Tag key: the stable id of a core node."""
PORT = "aether-port"
"""Tag key: the cluster port; without it the nodes' discovery assumes 9100."""
TOKEN = "aether-token"  # noqa: S105 - a key, and nothing secret
"""Tag key: token of the creation, on what the runtime manager made."""
MANAGED_BY = "managed-by"
"""Tag key: always `aether-infra`."""


class NodeRole(StrEnum):
    """What a node is to the cluster, in Aether's own words."""

    CORE = "core"
    WORKER = "worker"


def standard_tags(cluster: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags of every resource: the operator's own, then ours, which win.

    Args:
        cluster: the cluster's name.
        extra: the operator's tags.

    Returns:
        A new dictionary, sorted by key.
    """
    return dict(sorted({**(extra or {}), CLUSTER: cluster, MANAGED_BY: "aether-infra"}.items()))


def node_tags(
    tags: Mapping[str, str], role: NodeRole, cluster_port: int, node_id: str = ""
) -> dict[str, str]:
    """Tags of what runs a node, on top of the standard ones.

    Args:
        tags: the standard tags.
        role: core or worker.
        cluster_port: the port of the cluster's protocol.
        node_id: the stable id; empty for an elastic node, which makes one up.

    Returns:
        A new dictionary, sorted by key.
    """
    own = {ROLE: role.value, PORT: str(cluster_port)} | ({NODE_ID: node_id} if node_id else {})
    return dict(sorted({**tags, **own}.items()))
