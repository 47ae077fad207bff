"""Pools of machines for Kubernetes Engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from math import ceil

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle, Token
from cdktf_cdktf_provider_google.container_node_pool import (
    ContainerNodePool,
    ContainerNodePoolAutoscaling,
    ContainerNodePoolManagement,
    ContainerNodePoolNetworkConfig,
    ContainerNodePoolNodeConfig,
    ContainerNodePoolNodeConfigKubeletConfig,
    ContainerNodePoolNodeConfigShieldedInstanceConfig,
    ContainerNodePoolNodeConfigTaint,
    ContainerNodePoolNodeConfigWorkloadMetadataConfig,
    ContainerNodePoolUpgradeSettings,
)
from constructs import Construct

from aether_infra.core.kubernetes import POOL_LABEL
from aether_infra.core.names import HASH_LENGTH
from aether_infra.core.tags import CLUSTER

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
"""The one scope: what a machine may do is said by its service account's roles.
Source: https://cloud.google.com/kubernetes-engine/docs/how-to/access-scopes (as of 2026-11)."""


@frozen(kw_only=True)
class NodePoolProps:
    """Props of `NodePool`."""

    name: str
    """Cluster's name, for labels."""
    project: str
    """The project's id."""
    cluster_id: str
    """The Kubernetes cluster, `projects/…/locations/…/clusters/…`."""
    pool: str
    """What the pool is for, such as `jvm`: head of its name, and value of the label `aether-pool`."""
    machine_type: str
    """Type of every machine. A change replaces machines one at a time, in place."""
    zones: Sequence[str]
    """Zones of the machines; of a regional cluster any, of a zonal one its own."""
    minimum: int
    """Fewest machines, over all zones."""
    maximum: int
    """Most machines, over all zones, at least 1."""
    service_account: str
    """E-mail address of the machines' service account."""
    disk_type: str = "pd-balanced"
    """Kind of the boot disk, which the machine type must take."""
    disk_gib: int = 50
    """Size of the boot disk in GiB, at least 10."""
    shielded: bool = True
    """Whether only signed code boots, and its integrity is watched; some machine types cannot."""
    spot: bool = False
    """Spot machines, tainted `aether-pool=<pool>:NoSchedule`."""
    kms_key: str | None = None
    """KMS key of the boot disks; default: Google's own."""
    protect: bool = True
    """Refuse to destroy the pool."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of machines and disks in Compute Engine."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the rights of the service account, the way outside."""


class NodePool(Construct):
    """A pool that the cluster autoscaler sizes between totals over all zones.

    A change of machine type, disk or labels goes through the pool in place: one machine more, then one less, within
    the limits of PodDisruptionBudgets. What cannot change in place (service account, key, spot) makes a new pool
    under another name first, then deletes the old one, and that ignores PodDisruptionBudgets: `protect` refuses it.
    Move the pods by hand (`kubectl drain`, one machine at a time) before such a change is let through.
    Sources: https://cloud.google.com/kubernetes-engine/docs/concepts/node-pools#deleting-node-pools,
    https://cloud.google.com/kubernetes-engine/docs/concepts/node-pool-upgrade-strategies (as of 2026-11).

    Attributes:
        pool: the pool.
    """

    def __init__(self, scope: Construct, id_: str, props: NodePoolProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        zones = list(props.zones)[: props.maximum]
        self.pool = ContainerNodePool(
            self,
            "Resource",
            project=props.project,
            cluster=props.cluster_id,
            name=self._name(),
            node_locations=zones,
            initial_node_count=_per_zone(props.minimum, props.maximum, len(zones)),
            autoscaling=ContainerNodePoolAutoscaling(
                total_min_node_count=props.minimum,
                total_max_node_count=props.maximum,
                # spot machines come where there are any; others spread evenly
                location_policy="ANY" if props.spot else "BALANCED",
            ),
            management=ContainerNodePoolManagement(auto_repair=True, auto_upgrade=True),
            upgrade_settings=ContainerNodePoolUpgradeSettings(
                strategy="SURGE", max_surge=1, max_unavailable=0
            ),
            network_config=ContainerNodePoolNetworkConfig(enable_private_nodes=True),
            node_config=self._machines(),
            # the autoscaler owns the counts, the release channel the version
            lifecycle=TerraformResourceLifecycle(
                create_before_destroy=True,
                prevent_destroy=props.protect or None,
                ignore_changes=["initial_node_count", "node_count", "version"],
            ),
            depends_on=list(props.depends_on),
        )

    def _machines(self) -> ContainerNodePoolNodeConfig:
        props = self._props
        taint = ContainerNodePoolNodeConfigTaint(key=POOL_LABEL, value=props.pool, effect="NO_SCHEDULE")
        return ContainerNodePoolNodeConfig(
            machine_type=props.machine_type,
            image_type="COS_CONTAINERD",
            disk_type=props.disk_type,
            disk_size_gb=props.disk_gib,
            boot_disk_kms_key=props.kms_key,
            service_account=props.service_account,
            oauth_scopes=[CLOUD_PLATFORM],
            spot=props.spot or None,
            metadata={"disable-legacy-endpoints": "true"},
            shielded_instance_config=ContainerNodePoolNodeConfigShieldedInstanceConfig(
                enable_secure_boot=True, enable_integrity_monitoring=True
            )
            if props.shielded
            else None,
            workload_metadata_config=ContainerNodePoolNodeConfigWorkloadMetadataConfig(mode="GKE_METADATA"),
            kubelet_config=ContainerNodePoolNodeConfigKubeletConfig(
                insecure_kubelet_readonly_port_enabled="FALSE"
            ),
            labels={POOL_LABEL: props.pool, CLUSTER: props.name},
            taint=[taint] if props.spot else None,
            resource_labels=dict(props.labels),
        )

    def _name(self) -> str:
        """A name that changes with all that cannot change in place, so that the new pool finds it free."""
        props = self._props
        fixed = [props.spot, props.shielded, _literal(props.service_account), _literal(props.kms_key)]
        digest = hashlib.sha256(json.dumps(fixed).encode()).hexdigest()[:HASH_LENGTH]
        return f"{props.pool}-{digest}"


def _literal(value: str | None) -> str | None:
    """A value that can be part of a name: a token has no stable text."""
    return "token" if Token.is_unresolved(value) else value


def _per_zone(minimum: int, maximum: int, zones: int) -> int:
    """Machines of each zone to begin with: enough, unless that were too many."""
    enough = ceil(minimum / zones)
    return enough if enough * zones <= maximum else minimum // zones
