"""What infrastructure and workload agree on, on any cloud. Names: Aether's own manifests (as of 2026-11)."""

from __future__ import annotations

from typing import Final

SERVICE_ACCOUNT: Final = "aether-node"
"""Kubernetes service account of the nodes, which a cloud's workload identity trusts."""
STATEFUL_SET: Final = "aether-node"
"""The core nodes: pods `aether-node-0`, `aether-node-1`, …"""
ELASTIC_DEPLOYMENT: Final = "aether-elastic"
"""The elastic nodes, and the autoscaler of their number."""
HEADLESS_SERVICE: Final = "aether-headless"
"""Gives every core node a stable name."""
SERVICE: Final = "aether"
"""The application, and the management port inside of the cluster."""
MANAGER: Final = "aether-manager"
"""The runtime manager: its Deployment, its service, its service account."""


def manager_host(namespace: str) -> str:
    """Name of the runtime manager's service in the cluster, without the cluster's domain.

    Args:
        namespace: namespace of everything.
    """
    return f"{MANAGER}.{namespace}.svc"


SERVING_LABEL: Final = "aether-infra/serving"
"""Label of pods that the services may send to, where the runtime manager takes nodes in and out of traffic."""

POOL_LABEL: Final = "aether-pool"
"""Label of machines, and key of the taint of spot ones."""
JVM_POOL: Final = "jvm"
"""Value of `POOL_LABEL` on the machines that Aether's nodes run on."""
SPOT_POOL: Final = "spot"
"""Value of `POOL_LABEL` on spot machines, for elastic nodes only; with the taint `aether-pool=spot:NoSchedule`."""
SYSTEM_POOL: Final = "system"
"""Value of `POOL_LABEL` on the small machines for the cluster's own pods."""

APPLICATION_NODE_PORT: Final = 30070
"""Port of every machine that leads to the application, where a load balancer of ours sends traffic to machines."""
MANAGEMENT_NODE_PORT: Final = 30080
"""Port of every machine that leads to the management port: the load balancer's health check asks here."""
