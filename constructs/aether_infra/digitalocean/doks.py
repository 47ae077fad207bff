"""DOKS: a Kubernetes cluster with a small fixed pool for its own pods and an autoscaled one for Aether's nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_digitalocean.data_digitalocean_kubernetes_versions import (
    DataDigitaloceanKubernetesVersions,
)
from cdktf_cdktf_provider_digitalocean.kubernetes_cluster import (
    KubernetesCluster,
    KubernetesClusterClusterAutoscalerConfiguration,
    KubernetesClusterControlPlaneFirewall,
    KubernetesClusterMaintenancePolicy,
    KubernetesClusterNodePool,
)
from cdktf_cdktf_provider_digitalocean.kubernetes_node_pool import KubernetesNodePool
from constructs import Construct

from aether_infra.core.kubernetes import JVM_POOL, POOL_LABEL, SYSTEM_POOL
from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER
from aether_infra.digitalocean.tagging import tag_list

POOL_NAME_LIMIT = 50
"""A machine's name is its pool's with six characters more, and a Kubernetes label has 63."""
KUBECONFIG_SECONDS = 3600
"""How long the credentials are good for that the provider keeps in its state; we do not use them."""
EXACT_VERSION = r"1\.\d+\.\d+-do\.\d+"
UNNEEDED_TIME = "10m0s"
"""How long a machine must have been idle before the autoscaler takes it away."""
UTILIZATION = 0.5
"""Below this share of its processors and memory asked for, a machine counts as idle."""


@frozen(kw_only=True)
class DoksClusterProps:
    """Props of `DoksCluster`."""

    name: str
    """Cluster's name."""
    region: str
    """Region's slug. A change replaces the cluster."""
    vpc_id: str
    """VPC. A change replaces the cluster."""
    pod_cidr: str
    """IPv4 range of pods. A change replaces the cluster."""
    service_cidr: str
    """IPv4 range of services. A change replaces the cluster."""
    kubernetes_version: str | None = None
    """Exact (`1.34.1-do.0`) or minor (`1.34`: its newest patch); default: the newest of all."""
    high_availability: bool = True
    """Redundant control plane; once on, it stays."""
    auto_upgrade: bool = True
    """DOKS moves to new patches by itself; Terraform then leaves the version alone."""
    maintenance_day: str = "sunday"
    """Day on which it may."""
    maintenance_start: str = "02:00"
    """Begin of four hours in UTC, `HH:MM`, in which it may."""
    authorized_cidrs: Sequence[str] = ()
    """IPv4 networks that may reach the Kubernetes API; default: nobody but the cluster itself."""
    system_size: str = "s-2vcpu-4gb"
    """Droplet size of the pool for the cluster's own pods. A change replaces the cluster."""
    system_nodes: int = 2
    """Droplets of that pool."""
    jvm_size: str = "s-4vcpu-8gb"
    """Droplet size of the pool for Aether's nodes. A change makes a new pool and then ends the old one."""
    minimum: int = 3
    """Fewest machines of that pool."""
    maximum: int = 10
    """Most machines of that pool; the same as `minimum`: it is not autoscaled."""
    jvm_tag: str
    """Further tag of its machines, by which load balancers find them."""
    protect: bool = True
    """Refuse to delete the cluster; off: volumes and load balancers of its pods go with it."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of cluster and machines."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before, and outlive the cluster: the registry that it is tied to."""


class DoksCluster(Construct):
    """A DOKS cluster whose API answers a list of networks only, tied to the account's registry.

    The JVM pool is a resource of its own: a change of its size is no change of the cluster's.
    Source: https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/kubernetes_cluster
    (as of 2026-11).

    Attributes:
        cluster: the cluster, with the pool for its own pods.
        jvm_pool: the pool for Aether's nodes.
    """

    def __init__(self, scope: Construct, id_: str, props: DoksClusterProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = tag_list(props.tags)
        self.cluster = self._cluster()
        self.jvm_pool = self._jvm_pool()

    @property
    def urns(self) -> list[str]:
        """What a project takes in: machines, volumes and load balancers follow the cluster."""
        return [self.cluster.urn]

    def runtime(self) -> dict[str, Any]:
        """What the runtime manager needs to know of it."""
        return {"cluster_id": self.cluster.id, "node_pool_id": self.jvm_pool.id}

    def kubernetes(self) -> dict[str, Any]:
        """What the workload needs to know of it."""
        return {
            "cluster_name": self.cluster.name,
            "cluster_id": self.cluster.id,
            "endpoint": self.cluster.endpoint,
            # the authority is public, but the list that it stands in holds a token
            "ca_certificate": f"${{nonsensitive({self.cluster.fqn}.kube_config[0].cluster_ca_certificate)}}",
            "identity": "",
        }

    def _version(self) -> str:
        wanted = self._props.kubernetes_version
        if wanted is not None and re.fullmatch(EXACT_VERSION, wanted):
            return wanted
        # with its full stop: "1.3." must not find 1.34
        prefix = None if wanted is None else f"{wanted}."
        return DataDigitaloceanKubernetesVersions(self, "versions", version_prefix=prefix).latest_version

    def _cluster(self) -> KubernetesCluster:
        props = self._props
        # an older version than the cluster's replaces the cluster: what moves by itself is not Terraform's
        moves = props.auto_upgrade or props.kubernetes_version is None
        return KubernetesCluster(
            self,
            "Resource",
            name=props.name,
            region=props.region,
            version=self._version(),
            vpc_uuid=props.vpc_id,
            cluster_subnet=props.pod_cidr,
            service_subnet=props.service_cidr,
            ha=props.high_availability,
            auto_upgrade=props.auto_upgrade,
            surge_upgrade=True,
            maintenance_policy=KubernetesClusterMaintenancePolicy(
                day=props.maintenance_day, start_time=props.maintenance_start
            ),
            control_plane_firewall=KubernetesClusterControlPlaneFirewall(
                enabled=True, allowed_addresses=list(props.authorized_cidrs)
            ),
            registry_integration=True,
            kubeconfig_expire_seconds=KUBECONFIG_SECONDS,
            destroy_all_associated_resources=not props.protect,
            cluster_autoscaler_configuration=[
                KubernetesClusterClusterAutoscalerConfiguration(
                    scale_down_unneeded_time=UNNEEDED_TIME,
                    scale_down_utilization_threshold=UTILIZATION,
                )
            ],
            node_pool=KubernetesClusterNodePool(
                name=physical_name(props.name, SYSTEM_POOL, limit=POOL_NAME_LIMIT),
                size=props.system_size,
                node_count=props.system_nodes,
                labels=self._labels(SYSTEM_POOL),
                tags=self._tags,
            ),
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None, ignore_changes=["version"] if moves else None
            ),
            depends_on=list(props.depends_on) or None,
            tags=self._tags,
        )

    def _jvm_pool(self) -> KubernetesNodePool:
        props = self._props
        scales = props.minimum < props.maximum
        size = re.sub(r"[^a-z0-9]+", "-", props.jvm_size)
        return KubernetesNodePool(
            self,
            "jvm-pool",
            cluster_id=self.cluster.id,
            # the size is in the name, so that a pool of another size can be there before the old one goes
            name=physical_name(props.name, JVM_POOL, size, limit=POOL_NAME_LIMIT),
            size=props.jvm_size,
            auto_scale=scales,
            min_nodes=props.minimum if scales else None,
            max_nodes=props.maximum if scales else None,
            node_count=None if scales else props.minimum,
            labels=self._labels(JVM_POOL),
            lifecycle=TerraformResourceLifecycle(
                create_before_destroy=True,
                # the autoscaler owns the count: a deployment must not set it back
                ignore_changes=["node_count"] if scales else None,
            ),
            tags=sorted([*self._tags, props.jvm_tag]),
        )

    def _labels(self, pool: str) -> dict[str, str]:
        return {CLUSTER: self._props.name, POOL_LABEL: pool}
