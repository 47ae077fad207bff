"""From the configuration to a cluster on Kubernetes Engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.data_google_project import DataGoogleProject

from aether_infra.catalog import gcp as catalog
from aether_infra.core.kubernetes import JVM_POOL, SPOT_POOL, SYSTEM_POOL
from aether_infra.core.names import physical_name
from aether_infra.gcp.gke import Cluster, ClusterProps, MaintenanceTime
from aether_infra.gcp.identity import (
    ACCOUNT_NAME_LIMIT,
    Identity,
    IdentityProps,
    SecretAccess,
    WorkloadIdentity,
    kubernetes_member,
)
from aether_infra.gcp.node_pool import NodePool, NodePoolProps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aether_infra.config.section import MaintenanceWindow
    from aether_infra.gcp.stack import GcpStack

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_A_MONDAY = "2024-01-01"
"""Where weekly windows begin: any Monday, as long as it never changes."""


@frozen(kw_only=True)
class GkeCompute:
    """The cluster and all that makes it one."""

    cluster: Cluster
    """The cluster without machines."""
    pools: Mapping[str, NodePool]
    """Pools by what they are for."""
    workload: Identity
    """Who the nodes are, inside of the cluster."""
    log_filter: str
    """Which log entries are the cluster's."""
    load_balancer: Mapping[str, Any]
    """What the workload's Ingress and services name."""

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 and the workload stack need to know of this kind of compute."""
        cluster = self.cluster.cluster
        return {
            "kubernetes": {
                "cluster_name": cluster.name,
                "cluster_id": cluster.id,
                "location": cluster.location,
                "endpoint": f"https://{cluster.endpoint}",
                "ca_certificate": cluster.master_auth.cluster_ca_certificate,
                "identity": self.workload.email,
                "load_balancer": dict(self.load_balancer),
                "node_pools": {purpose: pool.pool.name for purpose, pool in self.pools.items()},
            }
        }


def declare(stack: GcpStack) -> GkeCompute:
    """Declare the cluster, its pools and identities, below a stack."""
    config, gcp = stack.config, stack.gcp
    location = gcp.zone or gcp.region
    pull = stack.pull_grants()
    cluster = Cluster(
        stack,
        "compute",
        ClusterProps(
            name=stack.name,
            project=gcp.project,
            location=location,
            zones=() if gcp.zone else stack.zones,
            network_id=stack.network.outputs.network_id,
            subnetwork_id=stack.network.outputs.subnetwork_id,
            pod_range=stack.network.outputs.pod_range,
            service_range=stack.network.outputs.service_range,
            master_cidr=gcp.master_cidr,
            endpoint_public=gcp.endpoint_public,
            authorized_cidrs=gcp.authorized_cidrs,
            node_service_account=stack.identity.email,
            release_channel=gcp.release_channel.upper(),
            kubernetes_version=gcp.kubernetes_version,
            maintenance=maintenance_time(gcp.maintenance),
            secret_manager=bool(stack.secrets),
            intranode_visibility=gcp.flow_logs,
            kms_key=gcp.kms_key,
            protect=config.cloud.protect,
            labels=stack.tags,
            depends_on=[
                *stack.services.all("compute", "container", "logging", "monitoring"),
                *stack.key_grants,
                *stack.identity.grants,
            ],
        ),
    )
    return GkeCompute(
        cluster=cluster,
        pools=_pools(stack, cluster, [*stack.identity.grants, *pull, *stack.network.outputs.egress]),
        workload=_workload(stack, cluster),
        log_filter=(
            'resource.type=("k8s_cluster" OR "k8s_container" OR "k8s_control_plane_component" OR "k8s_node" '
            'OR "k8s_pod") AND '
            f'resource.labels.cluster_name="{stack.name}" AND resource.labels.location="{location}"'
        ),
        load_balancer=stack.load_balancer_names(),
    )


def maintenance_time(window: MaintenanceWindow) -> MaintenanceTime:
    """A weekly window as calendars write it; always the same text for the same window."""
    begin = datetime.fromisoformat(f"{_A_MONDAY}T{window.start}:00") + timedelta(days=_DAYS.index(window.day))
    end = begin + timedelta(hours=window.hours)
    return MaintenanceTime(
        begin=f"{begin.isoformat()}Z", end=f"{end.isoformat()}Z", day=window.day[:2].upper()
    )


def _pools(stack: GcpStack, cluster: Cluster, depends_on: list[ITerraformDependable]) -> dict[str, NodePool]:
    gcp, counts = stack.gcp, stack.counts
    sizes = {
        SYSTEM_POOL: (gcp.system_nodes, gcp.system_nodes),
        JVM_POOL: (counts.core, counts.core) if gcp.spot else (counts.minimum, counts.maximum),
    }
    if gcp.spot and counts.elastic_maximum:
        sizes[SPOT_POOL] = (counts.elastic_minimum, counts.elastic_maximum)
    return {pool: _pool(stack, cluster, pool, size, depends_on) for pool, size in sizes.items()}


def _pool(
    stack: GcpStack,
    cluster: Cluster,
    pool: str,
    size: tuple[int, int],
    depends_on: list[ITerraformDependable],
) -> NodePool:
    gcp = stack.gcp
    machine_type = gcp.system_machine_type if pool == SYSTEM_POOL else gcp.machine_type
    return NodePool(
        stack,
        f"pool-{pool}",
        NodePoolProps(
            name=stack.name,
            project=gcp.project,
            cluster_id=cluster.cluster.id,
            pool=pool,
            machine_type=machine_type,
            zones=stack.zones,
            minimum=size[0],
            maximum=size[1],
            service_account=stack.identity.email,
            disk_type=catalog.disk_type(machine_type),
            shielded=catalog.shielded(machine_type),
            spot=pool == SPOT_POOL,
            kms_key=gcp.kms_key,
            protect=stack.config.cloud.protect,
            labels=stack.tags,
            depends_on=depends_on,
        ),
    )


def _workload(stack: GcpStack, cluster: Cluster) -> Identity:
    """Who the nodes are: a service account of their own, apart from the machines'."""
    workload = Identity(
        stack,
        "workload",
        IdentityProps(
            project=stack.gcp.project,
            account_name=physical_name(stack.name, "nodes", limit=ACCOUNT_NAME_LIMIT),
            description=f"Nodes of Aether cluster {stack.name}",
            depends_on=stack.services.all("iam"),
        ),
    )
    if workload.account is not None:
        WorkloadIdentity(
            workload,
            "kubernetes",
            account=workload.account,
            project=stack.gcp.project,
            namespace=stack.config.kubernetes.namespace,
            cluster=cluster.cluster,
        )
    if stack.secrets:
        _secrets(stack, cluster, workload)
    return workload


def _secrets(stack: GcpStack, cluster: Cluster, workload: Identity) -> None:
    """The nodes may read their secrets as what they act as, and GKE may copy them in their own name."""
    project, services = stack.gcp.project, stack.services.all("secretmanager")
    SecretAccess(workload, "secrets", secrets=stack.secrets, member=workload.member, depends_on=services)
    number = DataGoogleProject(workload, "project", project_id=project).number
    SecretAccess(
        workload,
        "secret-sync",
        secrets=stack.secrets,
        member=kubernetes_member(project, number, stack.config.kubernetes.namespace),
        # the identity pool comes into being with the project's first cluster
        depends_on=[*services, cluster.cluster],
    )
