"""From the configuration to a cluster on DOKS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aether_infra.core.kubernetes import APPLICATION_NODE_PORT, MANAGEMENT_NODE_PORT
from aether_infra.digitalocean.doks import DoksCluster, DoksClusterProps

if TYPE_CHECKING:
    from aether_infra.digitalocean.stack import DigitaloceanStack

TARGET_PORTS = {"application": APPLICATION_NODE_PORT, "management": MANAGEMENT_NODE_PORT}
"""Where load balancers send traffic to, by concern."""


def declare(stack: DigitaloceanStack) -> DoksCluster:
    """Declare the cluster below a stack."""
    own = stack.own
    return DoksCluster(
        stack,
        "compute",
        DoksClusterProps(
            name=stack.name,
            region=own.region,
            vpc_id=stack.network.outputs.vpc_id,
            pod_cidr=own.pod_cidr,
            service_cidr=own.service_cidr,
            kubernetes_version=own.kubernetes_version,
            high_availability=own.high_availability,
            auto_upgrade=own.auto_upgrade,
            maintenance_day=own.maintenance.day,
            maintenance_start=own.maintenance.start,
            authorized_cidrs=own.authorized_cidrs,
            system_size=own.system_droplet_size,
            system_nodes=own.system_nodes,
            jvm_size=own.droplet_size,
            minimum=stack.counts.minimum,
            maximum=stack.counts.maximum,
            jvm_tag=stack.machine_tag.name,
            protect=stack.config.cloud.protect,
            tags=stack.tags,
            depends_on=stack.registry_dependencies(),
        ),
    )
