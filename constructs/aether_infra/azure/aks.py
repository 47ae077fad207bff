"""The cluster on Kubernetes: AKS with a small pool for itself and a pool for Aether's nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen
from cdktf import Fn, ITerraformDependable, TerraformResourceLifecycle, Token
from cdktf_cdktf_provider_azurerm import kubernetes_cluster as cluster_l1
from cdktf_cdktf_provider_azurerm.kubernetes_cluster import KubernetesCluster
from cdktf_cdktf_provider_azurerm.kubernetes_cluster_node_pool import (
    KubernetesClusterNodePool,
    KubernetesClusterNodePoolUpgradeSettings,
)
from constructs import Construct

from aether_infra.azure.identity import Identity
from aether_infra.core.kubernetes import JVM_POOL, POOL_LABEL, SPOT_POOL, SYSTEM_POOL
from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER

DRAIN_MINUTES = 30
"""How long an upgrade waits for a machine's pods; longer than a node ever needs to leave."""
MAX_PODS = 110
"""Pods of a machine: what Kubernetes recommends at the most; a machine's /24 holds more."""
SURGE = "1"
"""Machines that a pool grows by while it is upgraded: the new one is there before an old one goes."""
DNS_PREFIX_LIMIT = 54
SPOT_TAINT = "kubernetes.azure.com/scalesetpriority"
"""Label and taint, of value `spot`, that AKS puts on spot machines by itself. Source:
https://learn.microsoft.com/en-us/azure/aks/spot-node-pool (as of 2026-11)."""
FOLLOWING_CHANNELS = frozenset({"stable", "rapid"})
"""Upgrade channels that also go to the next minor version."""


@frozen(kw_only=True)
class Maintenance:
    """When in the week AKS may upgrade."""

    day: str = "Sunday"
    """Day of the week, in English."""
    start: str = "02:00"
    """Time of day in UTC, `HH:MM`."""
    hours: int = 12
    """Length in hours, 4-24."""


@frozen(kw_only=True)
class PoolProps:
    """Machines of one kind. Counts are totals over all zones."""

    vm_size: str
    """VM size, such as `Standard_D4s_v3`."""
    minimum: int
    """Fewest machines."""
    maximum: int
    """Most machines; the same as `minimum`: no autoscaling."""
    zones: Sequence[str] = ()
    """Zones that they are spread over; default: none, for a location without zones."""


@frozen(kw_only=True)
class AksClusterProps:
    """Props of `AksCluster`."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the cluster."""
    subnet_id: str
    """Subnet of the machines. A change moves pool after pool."""
    outbound_type: str = "userAssignedNATGateway"
    """How machines leave the subnet: `userAssignedNATGateway` or `userDefinedRouting`."""
    pod_cidr: str = "10.244.0.0/16"
    """Range of pods, of which a machine takes a /24. A change replaces the cluster."""
    service_cidr: str = "172.20.0.0/16"
    """Range of services. A change replaces the cluster."""
    dns_service_ip: str = "172.20.0.10"
    """Address of the cluster's DNS in that range. A change replaces the cluster."""
    system: PoolProps
    """Pool for the cluster's own pods."""
    jvm: PoolProps
    """Pool for Aether's nodes, one a machine."""
    spot: PoolProps | None = None
    """Spot pool for elastic nodes; default: none."""
    kubernetes_version: str | None = None
    """Minor version; default: AKS' own."""
    sku_tier: str = "Standard"
    """Free, Standard or Premium; Free has no uptime agreement."""
    upgrade_channel: str = "patch"
    """none, patch, stable, rapid or node-image."""
    node_os_upgrade_channel: str = "NodeImage"
    """None, Unmanaged, SecurityPatch or NodeImage."""
    maintenance: Maintenance = field(factory=Maintenance)
    """When upgrades happen."""
    authorized_cidrs: Sequence[str] = ()
    """Networks that may reach the API; with any the API is public, by default it is private."""
    tenant_id: str
    """Directory that users come from."""
    admin_group_ids: Sequence[str] = ()
    """Object ids of groups that administer the cluster."""
    host_encryption: bool = False
    """Encryption at the host, temporary disks and caches included."""
    disk_encryption_set_id: str | None = None
    """Disk encryption set of the machines' disks. A change replaces the cluster."""
    key_vault_secrets: bool = False
    """Copy secrets of Key Vault by the Secrets Store CSI driver."""
    workspace_id: str | None = None
    """Log Analytics workspace of the containers' logs; default: none."""
    protect: bool = True
    """Let Terraform refuse to destroy the cluster. There is no lock: it would hold for the pools as well."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the cluster and its machines."""


class AksCluster(Construct):
    """An AKS cluster: a private API or one with an allow list, users of Entra, machines without public address.

    Pods have addresses of an overlay network; Cilium carries packets and enforces policies. The system pool runs
    nothing but the cluster's own pods, so the JVM pool can be replaced without touching the cluster: a change of VM
    size, zones or disks goes through a temporary pool. The autoscaler owns the JVM pool's count. AKS upgrades itself
    and its machines in the maintenance window. Sources:
    https://learn.microsoft.com/en-us/azure/aks/azure-cni-powered-by-cilium,
    https://learn.microsoft.com/en-us/azure/aks/auto-upgrade-cluster,
    https://registry.terraform.io/providers/hashicorp/azurerm/4.55.0/docs/resources/kubernetes_cluster (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        props: what to build.
        control_plane: identity of the control plane, with its rights on the subnet.
        kubelet: identity of the machines, with the right to pull images.
        ready: what machines need before they start: a way out, the security group.

    Attributes:
        cluster: the cluster, with the system pool.
        jvm_pool: machines of Aether's nodes.
        spot_pool: spot machines of elastic nodes, if any.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: AksClusterProps,
        *,
        control_plane: Identity,
        kubelet: Identity,
        ready: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self.cluster = KubernetesCluster(
            self,
            "Resource",
            name=physical_name(props.name, "aks"),
            resource_group_name=props.resource_group,
            location=props.location,
            dns_prefix=physical_name(props.name, "aks", limit=DNS_PREFIX_LIMIT),
            sku_tier=props.sku_tier,
            kubernetes_version=props.kubernetes_version,
            identity=cluster_l1.KubernetesClusterIdentity(
                type="UserAssigned", identity_ids=[control_plane.identity.id]
            ),
            kubelet_identity=cluster_l1.KubernetesClusterKubeletIdentity(
                client_id=kubelet.identity.client_id,
                object_id=kubelet.identity.principal_id,
                user_assigned_identity_id=kubelet.identity.id,
            ),
            default_node_pool=self._system_pool(),
            network_profile=self._network(),
            oidc_issuer_enabled=True,
            workload_identity_enabled=True,
            local_account_disabled=True,
            role_based_access_control_enabled=True,
            azure_active_directory_role_based_access_control=(
                cluster_l1.KubernetesClusterAzureActiveDirectoryRoleBasedAccessControl(
                    azure_rbac_enabled=True,
                    tenant_id=props.tenant_id,
                    admin_group_object_ids=list(props.admin_group_ids) or None,
                )
            ),
            run_command_enabled=False,
            image_cleaner_enabled=True,
            image_cleaner_interval_hours=168,
            disk_encryption_set_id=props.disk_encryption_set_id,
            key_vault_secrets_provider=cluster_l1.KubernetesClusterKeyVaultSecretsProvider(
                secret_rotation_enabled=True
            )
            if props.key_vault_secrets
            else None,
            oms_agent=cluster_l1.KubernetesClusterOmsAgent(
                log_analytics_workspace_id=props.workspace_id, msi_auth_for_monitoring_enabled=True
            )
            if props.workspace_id
            else None,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None, ignore_changes=self._moved_by_aks()
            ),
            depends_on=[*control_plane.grants, *kubelet.grants, *ready],
            tags=self._tags,
            **self._api(),
            **self._upgrades(),
        )
        self.jvm_pool = self._jvm_pool()
        self.spot_pool = self._spot_pool(props.spot) if props.spot else None

    @property
    def endpoint(self) -> str:
        """The API's address, `https://…`; no secret, although the provider takes it for one."""
        return Token.as_string(Fn.nonsensitive(self.cluster.kube_config.get(0).host))

    @property
    def ca_certificate(self) -> str:
        """The API's certificate authority, PEM in base64; no secret either."""
        return Token.as_string(Fn.nonsensitive(self.cluster.kube_config.get(0).cluster_ca_certificate))

    def _api(self) -> dict[str, Any]:
        """Private, or public with an allow list."""
        cidrs = list(self._props.authorized_cidrs)
        if not cidrs:
            return {"private_cluster_enabled": True, "private_dns_zone_id": "System"}
        access = cluster_l1.KubernetesClusterApiServerAccessProfile(authorized_ip_ranges=cidrs)
        return {"private_cluster_enabled": False, "api_server_access_profile": access}

    def _network(self) -> cluster_l1.KubernetesClusterNetworkProfile:
        props = self._props
        return cluster_l1.KubernetesClusterNetworkProfile(
            network_plugin="azure",
            network_plugin_mode="overlay",
            network_data_plane="cilium",
            network_policy="cilium",
            load_balancer_sku="standard",
            outbound_type=props.outbound_type,
            pod_cidr=props.pod_cidr,
            service_cidr=props.service_cidr,
            dns_service_ip=props.dns_service_ip,
        )

    def _upgrades(self) -> dict[str, Any]:
        """Channels, each with the window in which it acts."""
        props, window = self._props, self._props.maintenance
        weekly: dict[str, Any] = {
            "frequency": "Weekly",
            "interval": 1,
            "day_of_week": window.day,
            "start_time": window.start,
            "utc_offset": "+00:00",
            "duration": window.hours,
        }
        upgrades: dict[str, Any] = {"node_os_upgrade_channel": props.node_os_upgrade_channel}
        if props.upgrade_channel != "none":
            upgrades["automatic_upgrade_channel"] = props.upgrade_channel
            upgrades["maintenance_window_auto_upgrade"] = (
                cluster_l1.KubernetesClusterMaintenanceWindowAutoUpgrade(**weekly)
            )
        if props.node_os_upgrade_channel not in {"None", "Unmanaged"}:
            upgrades["maintenance_window_node_os"] = cluster_l1.KubernetesClusterMaintenanceWindowNodeOs(
                **weekly
            )
        return upgrades

    def _moved_by_aks(self) -> list[str]:
        """What a deployment must not set back."""
        if self._props.upgrade_channel in FOLLOWING_CHANNELS:
            return ["kubernetes_version", "default_node_pool[0].orchestrator_version"]
        return ["default_node_pool[0].orchestrator_version"]

    def _labels(self, pool: str) -> dict[str, str]:
        return {CLUSTER: self._props.name, POOL_LABEL: pool}

    def _system_pool(self) -> cluster_l1.KubernetesClusterDefaultNodePool:
        props, pool = self._props, self._props.system
        return cluster_l1.KubernetesClusterDefaultNodePool(
            # another name would be another cluster
            name=SYSTEM_POOL,
            temporary_name_for_rotation=f"{SYSTEM_POOL}tmp",
            only_critical_addons_enabled=True,
            vm_size=pool.vm_size,
            node_count=pool.minimum,
            zones=list(pool.zones) or None,
            vnet_subnet_id=props.subnet_id,
            host_encryption_enabled=props.host_encryption,
            node_public_ip_enabled=False,
            max_pods=MAX_PODS,
            node_labels=self._labels(SYSTEM_POOL),
            upgrade_settings=cluster_l1.KubernetesClusterDefaultNodePoolUpgradeSettings(
                max_surge=SURGE, drain_timeout_in_minutes=DRAIN_MINUTES, node_soak_duration_in_minutes=0
            ),
            tags=self._tags,
        )

    def _jvm_pool(self) -> KubernetesClusterNodePool:
        return self._pool(
            JVM_POOL,
            self._props.jvm,
            upgrade_settings=KubernetesClusterNodePoolUpgradeSettings(
                max_surge=SURGE, drain_timeout_in_minutes=DRAIN_MINUTES, node_soak_duration_in_minutes=0
            ),
        )

    def _spot_pool(self, pool: PoolProps) -> KubernetesClusterNodePool:
        return self._pool(
            SPOT_POOL,
            pool,
            labels={SPOT_TAINT: "spot"},
            priority="Spot",
            eviction_policy="Delete",
            spot_max_price=-1,
            node_taints=[f"{POOL_LABEL}={SPOT_POOL}:NoSchedule", f"{SPOT_TAINT}=spot:NoSchedule"],
            # AKS refuses a surge on spot pools and fills in the rest by itself
            ignored=["upgrade_settings"],
        )

    def _pool(
        self,
        pool_name: str,
        pool: PoolProps,
        *,
        labels: Mapping[str, str] | None = None,
        ignored: Sequence[str] = (),
        **arguments: Any,
    ) -> KubernetesClusterNodePool:
        props = self._props
        return KubernetesClusterNodePool(
            self,
            f"pool-{pool_name}",
            name=pool_name,
            temporary_name_for_rotation=f"{pool_name}tmp",
            kubernetes_cluster_id=self.cluster.id,
            mode="User",
            vm_size=pool.vm_size,
            auto_scaling_enabled=True,
            min_count=pool.minimum,
            max_count=pool.maximum,
            node_count=pool.minimum,
            zones=list(pool.zones) or None,
            vnet_subnet_id=props.subnet_id,
            host_encryption_enabled=props.host_encryption,
            node_public_ip_enabled=False,
            max_pods=MAX_PODS,
            node_labels={**self._labels(pool_name), **(labels or {})},
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["node_count", "orchestrator_version", *ignored]
            ),
            tags=self._tags,
            **arguments,
        )
