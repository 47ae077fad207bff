"""The Kubernetes cluster: Kubernetes Engine, without its pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_google.container_cluster import (
    ContainerCluster,
    ContainerClusterAddonsConfig,
    ContainerClusterAddonsConfigGcePersistentDiskCsiDriverConfig,
    ContainerClusterAddonsConfigHorizontalPodAutoscaling,
    ContainerClusterAddonsConfigHttpLoadBalancing,
    ContainerClusterCostManagementConfig,
    ContainerClusterDatabaseEncryption,
    ContainerClusterGatewayApiConfig,
    ContainerClusterIpAllocationPolicy,
    ContainerClusterLoggingConfig,
    ContainerClusterMaintenancePolicy,
    ContainerClusterMaintenancePolicyRecurringWindow,
    ContainerClusterMasterAuth,
    ContainerClusterMasterAuthClientCertificateConfig,
    ContainerClusterMasterAuthorizedNetworksConfig,
    ContainerClusterMasterAuthorizedNetworksConfigCidrBlocks,
    ContainerClusterMonitoringConfig,
    ContainerClusterMonitoringConfigManagedPrometheus,
    ContainerClusterNodeConfig,
    ContainerClusterNodeConfigShieldedInstanceConfig,
    ContainerClusterNodeConfigWorkloadMetadataConfig,
    ContainerClusterPrivateClusterConfig,
    ContainerClusterReleaseChannel,
    ContainerClusterSecretManagerConfig,
    ContainerClusterSecurityPostureConfig,
    ContainerClusterWorkloadIdentityConfig,
)
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.gcp.identity import workload_pool
from aether_infra.gcp.node_pool import CLOUD_PLATFORM

CLUSTER_NAME_LIMIT = 40
"""Characters of a cluster's name."""
LOGGED_COMPONENTS = ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")
"""Source: https://cloud.google.com/kubernetes-engine/docs/how-to/config-logging-monitoring (as of 2026-11)."""
MEASURED_COMPONENTS = ("SYSTEM_COMPONENTS", "HPA", "POD", "STATEFULSET", "STORAGE")
"""Source: as above."""


@frozen(kw_only=True)
class MaintenanceTime:
    """A weekly window of time, in UTC."""

    begin: str
    """Its first occurrence, `2024-01-07T02:00:00Z`; a constant, or every synthesis would differ."""
    end: str
    """When that ends."""
    day: str
    """Day of the week as calendars write it, `SU`."""


@frozen(kw_only=True)
class ClusterProps:
    """Props of `Cluster`."""

    name: str
    """The cluster's name."""
    project: str
    """The project's id."""
    location: str
    """Region of a regional control plane, or zone of a zonal one. A change replaces the cluster."""
    zones: Sequence[str] = ()
    """Zones of a regional cluster's machines; none for a zonal cluster, whose location says it."""
    network_id: str
    """The network. A change replaces the cluster."""
    subnetwork_id: str
    """The subnet of the machines. A change replaces the cluster."""
    pod_range: str
    """Name of its secondary range for pods. A change replaces the cluster."""
    service_range: str
    """Name of its secondary range for Kubernetes services. A change replaces the cluster."""
    master_cidr: str = "172.16.0.0/28"
    """Range of the control plane, /28. A change replaces the cluster."""
    endpoint_public: bool = False
    """Whether the Kubernetes API has a public address besides the private one."""
    authorized_cidrs: Sequence[str] = ()
    """IPv4 networks that may reach the Kubernetes API; the cluster's own subnet always may."""
    node_service_account: str
    """E-mail address of the service account of the first, temporary machines."""
    temporary_machine_type: str = "e2-medium"
    """Type of the first machines, which are gone when the cluster is there."""
    release_channel: str = "REGULAR"
    """RAPID, REGULAR, STABLE or EXTENDED: who upgrades the cluster, and when."""
    kubernetes_version: str | None = None
    """Least version; default: the channel's own."""
    maintenance: MaintenanceTime
    """When Google may upgrade."""
    gateway_api: bool = False
    """Whether the Gateway API is installed."""
    secret_manager: bool = False
    """Whether the Secret Manager add-on is installed: secrets as files in pods."""
    intranode_visibility: bool = True
    """Whether traffic between pods of one machine passes the network, and its flow logs."""
    kms_key: str | None = None
    """KMS key for Kubernetes secrets and boot disks; default: Google's own."""
    protect: bool = True
    """Refuse to delete the cluster."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of the cluster."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: services, rights of the service account, the right to use the key."""


class Cluster(Construct):
    """A private, VPC-native Kubernetes Engine cluster with Dataplane V2 and no pool of its own.

    Machines have no public address. The pool that Google insists on is made with our service account and removed
    at once; pools are resources of their own (`aether_infra.gcp.node_pool`), so that a change of theirs never
    replaces the cluster. Dataplane V2 enforces network policies.
    Sources: https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster,
    https://registry.terraform.io/providers/hashicorp/google/6.50.0/docs/resources/container_cluster (as of 2026-11).

    Attributes:
        cluster: the cluster.
    """

    def __init__(self, scope: Construct, id_: str, props: ClusterProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.cluster = ContainerCluster(
            self,
            "Resource",
            project=props.project,
            name=physical_name(props.name, "", limit=CLUSTER_NAME_LIMIT),
            location=props.location,
            node_locations=list(props.zones) or None,
            deletion_protection=props.protect,
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config=self._temporary_machines(),
            network=props.network_id,
            subnetwork=props.subnetwork_id,
            networking_mode="VPC_NATIVE",
            datapath_provider="ADVANCED_DATAPATH",
            enable_intranode_visibility=props.intranode_visibility,
            # internal load balancers send to the machines that run the pods; can never be taken back
            enable_l4_ilb_subsetting=True,
            ip_allocation_policy=ContainerClusterIpAllocationPolicy(
                cluster_secondary_range_name=props.pod_range,
                services_secondary_range_name=props.service_range,
            ),
            private_cluster_config=ContainerClusterPrivateClusterConfig(
                enable_private_nodes=True,
                enable_private_endpoint=not props.endpoint_public,
                master_ipv4_cidr_block=props.master_cidr,
            ),
            master_authorized_networks_config=self._authorized_networks(),
            master_auth=ContainerClusterMasterAuth(
                client_certificate_config=ContainerClusterMasterAuthClientCertificateConfig(
                    issue_client_certificate=False
                )
            ),
            enable_legacy_abac=False,
            enable_shielded_nodes=True,
            workload_identity_config=ContainerClusterWorkloadIdentityConfig(
                workload_pool=workload_pool(props.project)
            ),
            release_channel=ContainerClusterReleaseChannel(channel=props.release_channel),
            min_master_version=props.kubernetes_version,
            maintenance_policy=ContainerClusterMaintenancePolicy(
                recurring_window=ContainerClusterMaintenancePolicyRecurringWindow(
                    start_time=props.maintenance.begin,
                    end_time=props.maintenance.end,
                    recurrence=f"FREQ=WEEKLY;BYDAY={props.maintenance.day}",
                )
            ),
            addons_config=ContainerClusterAddonsConfig(
                gce_persistent_disk_csi_driver_config=ContainerClusterAddonsConfigGcePersistentDiskCsiDriverConfig(
                    enabled=True
                ),
                horizontal_pod_autoscaling=ContainerClusterAddonsConfigHorizontalPodAutoscaling(
                    disabled=False
                ),
                http_load_balancing=ContainerClusterAddonsConfigHttpLoadBalancing(disabled=False),
            ),
            gateway_api_config=ContainerClusterGatewayApiConfig(channel="CHANNEL_STANDARD")
            if props.gateway_api
            else None,
            secret_manager_config=ContainerClusterSecretManagerConfig(enabled=True)
            if props.secret_manager
            else None,
            logging_config=ContainerClusterLoggingConfig(enable_components=list(LOGGED_COMPONENTS)),
            monitoring_config=ContainerClusterMonitoringConfig(
                enable_components=list(MEASURED_COMPONENTS),
                managed_prometheus=ContainerClusterMonitoringConfigManagedPrometheus(enabled=True),
            ),
            security_posture_config=ContainerClusterSecurityPostureConfig(
                mode="BASIC", vulnerability_mode="VULNERABILITY_DISABLED"
            ),
            cost_management_config=ContainerClusterCostManagementConfig(enabled=True),
            database_encryption=ContainerClusterDatabaseEncryption(state="ENCRYPTED", key_name=props.kms_key)
            if props.kms_key
            else None,
            # what is asked for the temporary pool: Google answers with another pool's machines, and a difference
            # would replace the cluster
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None,
                ignore_changes=["initial_node_count", "node_config", "node_pool"],
            ),
            depends_on=list(props.depends_on),
            resource_labels=dict(props.labels),
        )

    def _temporary_machines(self) -> ContainerClusterNodeConfig:
        props = self._props
        return ContainerClusterNodeConfig(
            machine_type=props.temporary_machine_type,
            service_account=props.node_service_account,
            oauth_scopes=[CLOUD_PLATFORM],
            boot_disk_kms_key=props.kms_key,
            shielded_instance_config=ContainerClusterNodeConfigShieldedInstanceConfig(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
            workload_metadata_config=ContainerClusterNodeConfigWorkloadMetadataConfig(mode="GKE_METADATA"),
            resource_labels=dict(props.labels),
        )

    def _authorized_networks(self) -> ContainerClusterMasterAuthorizedNetworksConfig:
        """Always there: without it, everybody may try the API."""
        cidrs = self._props.authorized_cidrs
        return ContainerClusterMasterAuthorizedNetworksConfig(
            cidr_blocks=[
                ContainerClusterMasterAuthorizedNetworksConfigCidrBlocks(cidr_block=cidr) for cidr in cidrs
            ]
            or None,
            gcp_public_cidrs_access_enabled=False,
            private_endpoint_enforcement_enabled=True if cidrs else None,
        )
