"""From the configuration to a cluster on AKS."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktf_cdktf_provider_azurerm.role_assignment import RoleAssignment

from aether_infra.azure.aks import AksCluster, AksClusterProps, Maintenance, PoolProps
from aether_infra.azure.identity import Identity, IdentityProps, SecretAccess
from aether_infra.azure.monitoring import CONTAINER_INSIGHTS, Collection, CollectionProps, control_plane_logs
from aether_infra.azure.registry import PULL_ROLE
from aether_infra.azure.security import Security, SecurityProps
from aether_infra.core.kubernetes import SERVICE_ACCOUNT

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from aether_infra.azure.stack import AzureStack

DNS_HOST = 10
"""The cluster's DNS is the tenth address of the services' range, as everywhere."""
CLUSTER_ADMIN = "Azure Kubernetes Service RBAC Cluster Admin"


@frozen(kw_only=True)
class Kubernetes:
    """A declared cluster and what belongs to it."""

    cluster: AksCluster
    """The cluster and its pools."""
    control_plane: Identity
    """Identity of the control plane."""
    kubelet: Identity
    """Identity of the machines, which pulls images."""
    workload: Identity
    """Identity of Aether's nodes."""
    security: Security | None
    """Security group of the subnet; None in somebody else's."""
    load_balancer: Mapping[str, str] = field(factory=dict)
    """What the service in the cluster must name; empty where nothing is published."""
    tenant_id: str
    """Directory of the identities."""

    @property
    def security_group_ids(self) -> list[str]:
        """Security groups of the machines."""
        return [self.security.group.id] if self.security else []

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 and the workload stack need to know."""
        cluster = self.cluster.cluster
        spot = self.cluster.spot_pool
        return {
            "kubernetes": {
                "cluster_name": cluster.name,
                "cluster_id": cluster.id,
                "endpoint": self.cluster.endpoint,
                "ca_certificate": self.cluster.ca_certificate,
                "identity": self.workload.identity.client_id,
                "tenant_id": self.tenant_id,
                "node_resource_group": cluster.node_resource_group,
                "pools": {"jvm": self.cluster.jvm_pool.name, "spot": spot.name if spot else None},
                "load_balancer": dict(self.load_balancer),
            }
        }


def declare(stack: AzureStack) -> Kubernetes:
    """Declare the cluster, its identities, rights and logs, below a stack."""
    aks, config = stack.azure, stack.config
    directory = DataAzurermClientConfig(stack, "deployer")
    security = _security(stack)
    control_plane, kubelet, workload = (
        _identity(stack, role) for role in ("control-plane", "kubelet", "workload")
    )
    _grant(stack, control_plane, kubelet)
    ready: list[ITerraformDependable] = [*stack.network.outputs.outbound]
    if security:
        ready += security.ready
    cluster = AksCluster(
        stack,
        "compute",
        AksClusterProps(
            name=stack.name,
            resource_group=stack.resource_group,
            location=aks.location,
            subnet_id=stack.network.outputs.subnet_id,
            outbound_type=stack.network.outputs.outbound_type,
            pod_cidr=aks.pod_cidr,
            service_cidr=aks.service_cidr,
            dns_service_ip=str(ipaddress.ip_network(aks.service_cidr)[DNS_HOST]),
            **_pools(stack),
            kubernetes_version=aks.kubernetes_version,
            sku_tier=aks.sku_tier,
            upgrade_channel=aks.upgrade_channel,
            node_os_upgrade_channel=aks.node_os_upgrade_channel,
            maintenance=Maintenance(
                day=aks.maintenance.day.capitalize(),
                start=aks.maintenance.start,
                hours=aks.maintenance.hours,
            ),
            # the machines come to a public API by the NAT gateway's address
            authorized_cidrs=(*aks.authorized_cidrs, *stack.network.outputs.egress_cidrs)
            if aks.endpoint_public
            else (),
            tenant_id=directory.tenant_id,
            admin_group_ids=aks.admin_group_ids,
            host_encryption=aks.host_encryption,
            disk_encryption_set_id=aks.disk_encryption_set_id,
            key_vault_secrets=bool(stack.secrets),
            workspace_id=stack.workspace.workspace_id,
            protect=config.cloud.protect,
            tags=stack.tags,
        ),
        control_plane=control_plane,
        kubelet=kubelet,
        ready=ready,
    )
    _logs(stack, cluster)
    if not aks.admin_group_ids:
        _deployer(stack, cluster, directory.object_id)
    workload.trust(
        "nodes",
        issuer=cluster.cluster.oidc_issuer_url,
        subject=f"system:serviceaccount:{config.kubernetes.namespace}:{SERVICE_ACCOUNT}",
    )
    if stack.secrets:
        SecretAccess(
            stack,
            "secrets",
            principal_id=workload.identity.principal_id,
            references=list(stack.secrets.values()),
        )
    return Kubernetes(
        cluster=cluster,
        control_plane=control_plane,
        kubelet=kubelet,
        workload=workload,
        security=security,
        load_balancer=_load_balancer(stack),
        tenant_id=directory.tenant_id,
    )


def _identity(stack: AzureStack, role: str) -> Identity:
    return Identity(
        stack,
        role,
        IdentityProps(
            name=stack.name,
            role=role,
            resource_group=stack.resource_group,
            location=stack.azure.location,
            tags=stack.tags,
        ),
    )


def _grant(stack: AzureStack, control_plane: Identity, kubelet: Identity) -> None:
    control_plane.grant("subnet", "Network Contributor", stack.network.outputs.subnet_id)
    control_plane.grant("kubelet-identity", "Managed Identity Operator", kubelet.identity.id)
    if stack.address:
        # it looks for the public address in the whole group before it takes it
        control_plane.grant("address", "Network Contributor", stack.resource_group_id)
    if stack.azure.disk_encryption_set_id:
        control_plane.grant("disk-encryption", "Reader", stack.azure.disk_encryption_set_id)
    kubelet.grant("registry", PULL_ROLE, stack.registry.outputs.registry_id)


def _pools(stack: AzureStack) -> dict[str, Any]:
    """System, JVM and spot pool. With spot, the JVM pool holds the core alone."""
    azure, counts = stack.azure, stack.counts
    zones = stack.zones
    system = PoolProps(
        vm_size=azure.system_vm_size, minimum=azure.system_nodes, maximum=azure.system_nodes, zones=zones
    )
    if not azure.spot:
        jvm = PoolProps(vm_size=azure.vm_size, minimum=counts.minimum, maximum=counts.maximum, zones=zones)
        return {"system": system, "jvm": jvm, "spot": None}
    jvm = PoolProps(vm_size=azure.vm_size, minimum=counts.core, maximum=counts.core, zones=zones)
    spot = PoolProps(
        vm_size=azure.vm_size,
        minimum=counts.elastic_minimum,
        maximum=counts.elastic_maximum,
        zones=zones,
    )
    return {"system": system, "jvm": jvm, "spot": spot if counts.elastic_maximum else None}


def _security(stack: AzureStack) -> Security | None:
    """The subnet's security group; an existing subnet has its owner's."""
    if stack.azure.subnet_id is not None:
        return None
    network = stack.network.outputs
    return Security(
        stack,
        "security",
        SecurityProps(
            name=stack.name,
            resource_group=stack.resource_group,
            location=stack.azure.location,
            subnet_id=network.subnet_id,
            published=stack.published,
            peer_cidrs=[network.subnet_cidr, stack.azure.pod_cidr],
            tags=stack.tags,
        ),
    )


def _logs(stack: AzureStack, cluster: AksCluster) -> None:
    collection = Collection(
        stack,
        "container-logs",
        CollectionProps(
            name=stack.name,
            resource_group=stack.resource_group,
            location=stack.workspace.location,
            workspace_id=stack.workspace.workspace_id,
            streams=CONTAINER_INSIGHTS,
            tags=stack.tags,
        ),
    )
    collection.attach(stack, "container-logs-cluster", cluster.cluster.id, "ContainerInsightsExtension")
    control_plane_logs(stack, "control-plane-logs", cluster.cluster.id, stack.workspace.workspace_id)


def _deployer(stack: AzureStack, cluster: AksCluster, object_id: str) -> None:
    """Without groups of administrators, who deploys first may deploy the workload too."""
    RoleAssignment(
        stack,
        "deployer-access",
        scope=cluster.cluster.id,
        role_definition_name=CLUSTER_ADMIN,
        principal_id=object_id,
        # somebody else who deploys later does not take it away
        lifecycle=TerraformResourceLifecycle(ignore_changes=["principal_id"]),
    )


def _load_balancer(stack: AzureStack) -> dict[str, str]:
    if stack.address is None:
        return {}
    address = stack.address.outputs
    return {
        "address_id": address.address_id,
        "address_name": address.name,
        "ip": address.ip,
        "resource_group": stack.resource_group,
    }
