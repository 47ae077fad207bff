"""Kubernetes: an OKE cluster, its pools of machines and the add-ons that it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle, Token
from constructs import Construct

from aether_infra.catalog import oracle as catalog
from aether_infra.core.encoding import jsonencode
from aether_infra.core.kubernetes import POOL_LABEL, SYSTEM_POOL
from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER
from aether_infra.oracle import worker
from aether_infra.oracle.bindings import containerengine_cluster as cluster_l1
from aether_infra.oracle.bindings import containerengine_node_pool as pool_l1
from aether_infra.oracle.bindings.containerengine_addon import (
    ContainerengineAddon,
    ContainerengineAddonConfigurations,
)
from aether_infra.oracle.bindings.data_oci_containerengine_cluster_kube_config import (
    DataOciContainerengineClusterKubeConfig,
)
from aether_infra.oracle.bindings.data_oci_containerengine_cluster_option import (
    DataOciContainerengineClusterOption,
)
from aether_infra.oracle.bindings.data_oci_containerengine_node_pool_option import (
    DataOciContainerengineNodePoolOption,
)

VCN_NATIVE = "OCI_VCN_IP_NATIVE"
PODS_PER_MACHINE = 31
"""What one more network interface has room for; every shape has one. Source:
https://docs.oracle.com/en-us/iaas/Content/ContEng/Concepts/contengpodnetworking_topic-OCI_CNI_plugin.htm
(as of 2026-11)."""
AUTOSCALER_NAMESPACE, AUTOSCALER_ACCOUNT = "kube-system", "cluster-autoscaler"
"""Namespace and service account of the Cluster Autoscaler add-on. Source:
https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengusingclusterautoscaler_topic-Working_with_Cluster_Autoscaler_as_Cluster_Add-on.htm
(as of 2026-11)."""


@frozen(kw_only=True)
class OkeClusterProps:
    """Props of `OkeCluster`."""

    name: str
    """Cluster's name, also in OKE."""
    compartment_id: str
    """Compartment of cluster and machines."""
    vcn_id: str
    """The VCN."""
    api_subnet_id: str
    """Subnet of the Kubernetes API."""
    api_group_id: str
    """Security group of the Kubernetes API."""
    load_balancer_subnet_id: str
    """Subnet of load balancers that services make."""
    public_endpoint: bool = False
    """Whether the Kubernetes API has a public address; the security group says who reaches it."""
    service_cidr: str = "10.96.0.0/16"
    """IPv4 range of services."""
    kubernetes_version: str | None = None
    """Version such as `v1.34.1`; default: the newest when the cluster is made, and then what it is upgraded to."""
    kms_key_id: str | None = None
    """Vault key of Kubernetes secrets; default: Oracle's own."""
    protect: bool = True
    """Refuse to destroy the cluster."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the cluster, and of the volumes and load balancers that Kubernetes makes."""


class OkeCluster(Construct):
    """An enhanced OKE cluster: pods have addresses of the VCN, and identities of their own.

    Source: https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengworkingwithenhancedclusters.htm
    (as of 2026-11).

    Attributes:
        cluster: the cluster.
        id: its id.
        kubernetes_version: its version, as it is.
        endpoint: address of the Kubernetes API, `https://…`.
        ca_certificate: the API's certificate authority, PEM in base64.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: OkeClusterProps,
        *,
        ready: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Declare the cluster.

        Args:
            scope: the construct that owns it.
            id_: its id below that.
            props: what to run.
            ready: what must exist before the cluster and outlive it: rights to its key.
        """
        super().__init__(scope, id_)
        tags = dict(props.tags)
        self.cluster = cluster_l1.ContainerengineCluster(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            vcn_id=props.vcn_id,
            name=props.name,
            type="ENHANCED_CLUSTER",
            kubernetes_version=props.kubernetes_version or newest_version(self, props.compartment_id),
            kms_key_id=props.kms_key_id,
            cluster_pod_network_options=[
                cluster_l1.ContainerengineClusterClusterPodNetworkOptions(cni_type=VCN_NATIVE)
            ],
            endpoint_config=cluster_l1.ContainerengineClusterEndpointConfig(
                subnet_id=props.api_subnet_id,
                nsg_ids=[props.api_group_id],
                is_public_ip_enabled=props.public_endpoint,
            ),
            options=cluster_l1.ContainerengineClusterOptions(
                service_lb_subnet_ids=[props.load_balancer_subnet_id],
                kubernetes_network_config=cluster_l1.ContainerengineClusterOptionsKubernetesNetworkConfig(
                    services_cidr=props.service_cidr
                ),
                persistent_volume_config=cluster_l1.ContainerengineClusterOptionsPersistentVolumeConfig(
                    freeform_tags=tags
                ),
                service_lb_config=cluster_l1.ContainerengineClusterOptionsServiceLbConfig(freeform_tags=tags),
            ),
            depends_on=list(ready) or None,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None,
                # or a new release of Kubernetes would upgrade the cluster at any apply
                ignore_changes=None if props.kubernetes_version else ["kubernetes_version"],
            ),
            freeform_tags=tags,
        )
        self.id: str = self.cluster.id
        self.kubernetes_version: str = self.cluster.kubernetes_version
        access = DataOciContainerengineClusterKubeConfig(
            self,
            "access",
            cluster_id=self.id,
            token_version="2.0.0",  # noqa: S106 - a version
            endpoint="PUBLIC_ENDPOINT" if props.public_endpoint else "PRIVATE_ENDPOINT",
        )
        told = f"yamldecode({access.fqn}.content).clusters[0].cluster"
        self.endpoint = f"${{{told}.server}}"
        self.ca_certificate = f'${{{told}["certificate-authority-data"]}}'


def newest_version(scope: Construct, compartment_id: str) -> str:
    """The newest version of Kubernetes that OKE has, looked up when Terraform runs.

    Args:
        scope: where to look it up.
        compartment_id: any compartment.
    """
    options = DataOciContainerengineClusterOption(
        scope, "versions", cluster_option_id="all", compartment_id=compartment_id
    )
    form = '"^v1[.]([0-9]+)[.]([0-9]+)$"'
    return Token.as_string(
        f'${{split("|", reverse(sort([for v in {options.fqn}.kubernetes_versions : '
        f'format("%04d.%04d|%s", regex({form}, v)[0], regex({form}, v)[1], v) '
        f"if can(regex({form}, v))]))[0])[1]}}"
    )


@frozen(kw_only=True)
class NodeImageProps:
    """Props of `NodeImage`."""

    compartment_id: str
    """Any compartment."""
    kubernetes_version: str
    """Version of the cluster, with its `v`."""
    arm64: bool = False
    """Whether it is for Arm processors."""


class NodeImage(Construct):
    """The newest Oracle Linux that OKE offers for a version of Kubernetes, looked up when Terraform runs.

    Source of the names: https://docs.oracle.com/en-us/iaas/images/oke-worker-node-oracle-linux-8x/ (as of 2026-11),
    such as `Oracle-Linux-8.10-aarch64-2025.09.16-0-OKE-1.34.1-1330`.

    Attributes:
        image_id: the image's id.
    """

    def __init__(self, scope: Construct, id_: str, props: NodeImageProps) -> None:
        super().__init__(scope, id_)
        options = DataOciContainerengineNodePoolOption(
            self,
            "Resource",
            node_pool_option_id="all",
            compartment_id=props.compartment_id,
            node_pool_k8s_version=props.kubernetes_version,
        )
        arm64 = "aarch64-" if props.arm64 else ""
        form = (
            f'"^Oracle-Linux-([0-9]+)[.][0-9]+-{arm64}([0-9]{{4}}[.][0-9]{{2}}[.][0-9]{{2}}-[0-9]+)-OKE-.*$"'
        )
        self.image_id: str = Token.as_string(
            f'${{split("|", reverse(sort([for s in {options.fqn}.sources : '
            f'format("%04d|%s|%s", regex({form}, s.source_name)[0], regex({form}, s.source_name)[1], s.image_id) '
            f"if can(regex({form}, s.source_name))]))[0])[2]}}"
        )


@frozen(kw_only=True)
class NodePoolProps:
    """Props of `NodePool`."""

    name: str
    """Cluster's name, head of every name."""
    pool: str
    """Which pool: the value of the label `aether-pool` on its machines, and part of its name."""
    compartment_id: str
    """Compartment of the machines."""
    cluster_id: str
    """The cluster."""
    kubernetes_version: str
    """The cluster's version."""
    image_id: str
    """Machine image."""
    size: int
    """Machines, in all availability domains together; only the first time where it is autoscaled."""
    autoscaled: bool = False
    """Whether something else than Terraform says how many machines there are."""
    shape: str = "VM.Standard.E5.Flex"
    """Shape of the machines."""
    ocpus: int = 2
    """OCPUs of a machine of a flexible shape."""
    memory_gib: int = 16
    """Memory of a machine of a flexible shape."""
    availability_domains: Sequence[str]
    """Availability domains by name."""
    node_subnet_id: str
    """Private subnet of the machines."""
    node_group_id: str
    """Security group of the machines."""
    pod_subnet_id: str
    """Private subnet of the pods."""
    pod_group_id: str
    """Security group of the pods."""
    image_repositories: Sequence[str] = ()
    """Repositories of OCIR, host included, that machines pull from with their own identity."""
    preemptible: bool = False
    """On capacity that Oracle may take back, for less; such machines are tainted `aether-pool=<pool>:NoSchedule`."""
    kms_key_id: str | None = None
    """Vault key of the boot volumes; default: Oracle's own."""
    ssh_public_key: str | None = None
    """SSH public key of the user `opc`; no security group of ours lets SSH pass."""
    protect: bool = True
    """Rather keep an old machine than end one whose pods cannot be evicted: a budget may hold a quorum together."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of pool and machines."""


class NodePool(Construct):
    """A pool of machines without public addresses, over all availability domains.

    A change of shape, image or version replaces the machines one at a time: first a new one, then an old one is
    drained. Sources: https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengupgradingimageworkernode.htm,
    https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengscalingclusters_topic-cordonanddrain.htm
    (as of 2026-11).

    Attributes:
        pool: the pool.
        id: its id.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: NodePoolProps,
        *,
        ready: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Declare the pool.

        Args:
            scope: the construct that owns it.
            id_: its id below that.
            props: what to run.
            ready: what must exist before the machines and outlive them: their rights, the security rules.
        """
        super().__init__(scope, id_)
        taint = f"{POOL_LABEL}={props.pool}:NoSchedule" if props.preemptible else None
        flexible = props.shape.endswith(".Flex")
        labels = {CLUSTER: props.name, POOL_LABEL: props.pool}
        self.pool = pool_l1.ContainerengineNodePool(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            cluster_id=props.cluster_id,
            name=physical_name(props.name, props.pool, limit=32),
            kubernetes_version=props.kubernetes_version,
            node_shape=props.shape,
            node_shape_config=pool_l1.ContainerengineNodePoolNodeShapeConfig(
                ocpus=props.ocpus, memory_in_gbs=props.memory_gib
            )
            if flexible
            else None,
            node_source_details=pool_l1.ContainerengineNodePoolNodeSourceDetails(
                source_type="IMAGE", image_id=props.image_id
            ),
            node_config_details=self._config(props),
            node_metadata=_metadata(props, taint),
            initial_node_labels=[
                pool_l1.ContainerengineNodePoolInitialNodeLabels(key=key, value=value)
                for key, value in sorted(labels.items())
            ],
            node_pool_cycling_details=pool_l1.ContainerengineNodePoolNodePoolCyclingDetails(
                is_node_cycling_enabled=True, maximum_surge="1", maximum_unavailable="0"
            ),
            node_eviction_node_pool_settings=pool_l1.ContainerengineNodePoolNodeEvictionNodePoolSettings(
                eviction_grace_duration="PT30M",
                is_force_action_after_grace_duration=False,
                is_force_delete_after_grace_duration=not props.protect,
            ),
            ssh_public_key=props.ssh_public_key,
            depends_on=list(ready) or None,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["node_config_details[0].size"])
            if props.autoscaled
            else None,
            freeform_tags=dict(props.tags),
        )
        self.id: str = self.pool.id

    def _config(self, props: NodePoolProps) -> pool_l1.ContainerengineNodePoolNodeConfigDetails:
        return pool_l1.ContainerengineNodePoolNodeConfigDetails(
            size=props.size,
            nsg_ids=[props.node_group_id],
            kms_key_id=props.kms_key_id,
            # bare metal has no paravirtualized attachments
            is_pv_encryption_in_transit_enabled=not catalog.bare_metal(props.shape),
            node_pool_pod_network_option_details=(
                pool_l1.ContainerengineNodePoolNodeConfigDetailsNodePoolPodNetworkOptionDetails(
                    cni_type=VCN_NATIVE,
                    max_pods_per_node=PODS_PER_MACHINE,
                    pod_subnet_ids=[props.pod_subnet_id],
                    pod_nsg_ids=[props.pod_group_id],
                )
            ),
            placement_configs=[
                pool_l1.ContainerengineNodePoolNodeConfigDetailsPlacementConfigs(
                    availability_domain=domain,
                    subnet_id=props.node_subnet_id,
                    preemptible_node_config=_preemptible() if props.preemptible else None,
                )
                for domain in props.availability_domains
            ],
            freeform_tags=dict(props.tags),
        )


def _preemptible() -> pool_l1.ContainerengineNodePoolNodeConfigDetailsPlacementConfigsPreemptibleNodeConfig:
    block = pool_l1.ContainerengineNodePoolNodeConfigDetailsPlacementConfigsPreemptibleNodeConfig
    action = (
        pool_l1.ContainerengineNodePoolNodeConfigDetailsPlacementConfigsPreemptibleNodeConfigPreemptionAction
    )
    return block(preemption_action=action(type="TERMINATE", is_preserve_boot_volume=False))


def _metadata(props: NodePoolProps, taint: str | None) -> dict[str, str]:
    metadata = {
        # nothing on a machine gets at its identity by a plain GET
        "areLegacyImdsEndpointsDisabled": "true",
        "user_data": worker.user_data(taint),
        worker.REPOSITORIES: " ".join(props.image_repositories),
    }
    if taint:
        # where the autoscaler looks for the taints of a pool without machines
        metadata["kubelet-extra-args"] = worker.kubelet_arguments(taint)
    return metadata


@frozen(kw_only=True)
class AutoscaledPool:
    """A pool that grows when pods find no place, and shrinks when machines are idle."""

    pool_id: str
    """The pool."""
    minimum: int
    """Fewest machines."""
    maximum: int
    """Most machines."""


@frozen(kw_only=True)
class AddonsProps:
    """Props of `Addons`."""

    cluster_id: str
    """The cluster."""
    autoscaled: AutoscaledPool | None = None
    """The pool that is autoscaled; default: none."""


class Addons(Construct):
    """OKE's own add-ons: metrics (for which certificates are managed) and, where pools breathe, their autoscaler.

    They run on the system pool: an autoscaler on a machine that it ends would end itself.
    Source: https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengintroducingclusteraddons.htm
    (as of 2026-11).

    Attributes:
        addons: add-ons by concern: `certificates`, `metrics` and `autoscaler`.
    """

    def __init__(
        self, scope: Construct, id_: str, props: AddonsProps, *, ready: Sequence[ITerraformDependable]
    ) -> None:
        """Declare the add-ons.

        Args:
            scope: the construct that owns it.
            id_: its id below that.
            props: the cluster and its pools.
            ready: what must exist before: the system pool, and the autoscaler's rights.
        """
        super().__init__(scope, id_)
        self._props = props
        certificates = self._addon("certificates", "CertManager", {}, ready)
        metrics = self._addon("metrics", "KubernetesMetricsServer", {}, [certificates])
        self.addons = {"certificates": certificates, "metrics": metrics}
        if pool := props.autoscaled:
            nodes = f"{pool.minimum}:{pool.maximum}:{pool.pool_id}"
            self.addons["autoscaler"] = self._addon(
                "autoscaler", "ClusterAutoscaler", {"authType": "workload", "nodes": nodes}, ready
            )

    def _addon(
        self,
        concern: str,
        name: str,
        configuration: Mapping[str, str],
        ready: Sequence[ITerraformDependable],
    ) -> ContainerengineAddon:
        settings = {
            "nodeSelectors": jsonencode({POOL_LABEL: SYSTEM_POOL}),
            "numOfReplicas": "1",
            **configuration,
        }
        return ContainerengineAddon(
            self,
            concern,
            cluster_id=self._props.cluster_id,
            addon_name=name,
            configurations=[
                ContainerengineAddonConfigurations(key=key, value=value)
                for key, value in sorted(settings.items())
            ],
            remove_addon_resources_on_delete=True,
            depends_on=list(ready),
        )


def autoscaler_statements(conditions: Sequence[str], machines: str, network: str) -> list[str]:
    """What the Cluster Autoscaler must be allowed. Source: see `AUTOSCALER_ACCOUNT`.

    Args:
        conditions: what makes `any-user` the autoscaler.
        machines: where the machines are, as a policy's statement names it.
        network: where the network is.
    """
    rights = {
        "manage cluster-node-pools": machines,
        "manage instance-family": machines,
        "inspect compartments": machines,
        "use subnets": network,
        "read virtual-network-family": network,
        "use vnics": network,
    }
    who = f"where ALL {{{', '.join(conditions)}}}"
    return [f"Allow any-user to {right} in {where} {who}" for right, where in rights.items()]
