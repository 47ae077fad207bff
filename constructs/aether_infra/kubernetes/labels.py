"""Labels of everything in the cluster, and what finds the nodes again."""

from __future__ import annotations

from collections.abc import Mapping

from aether_infra.core.tags import CLUSTER, ROLE, NodeRole

_NAME = "app.kubernetes.io/name"
_COMPONENT = "app.kubernetes.io/component"
_MANAGED_BY = "app.kubernetes.io/managed-by"


def standard_labels(cluster: str) -> dict[str, str]:
    """Labels of every object; `aether-cluster` is that of Aether's own discovery.

    Args:
        cluster: the cluster's name.

    Names: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ (as of 2026-11).
    """
    return {_NAME: "aether", _MANAGED_BY: "aether-infra", CLUSTER: cluster}


def node_selector(cluster: str, role: NodeRole | None = None) -> dict[str, str]:
    """Labels that find the cluster's nodes; a controller's selector can never change.

    Args:
        cluster: the cluster's name.
        role: only those of one role.
    """
    return {_NAME: "aether", CLUSTER: cluster} | ({_COMPONENT: role.value} if role else {})


def pod_labels(cluster: str, role: NodeRole, extra: Mapping[str, str]) -> dict[str, str]:
    """Labels of a node's pod.

    Args:
        cluster: the cluster's name.
        role: core or worker.
        extra: what the cloud's webhooks look for.
    """
    return {**extra, **standard_labels(cluster), **node_selector(cluster, role), ROLE: role.value}
