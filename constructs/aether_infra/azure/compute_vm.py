"""From the configuration to a cluster on virtual machines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen
from cdktf_cdktf_provider_azurerm.application_security_group import ApplicationSecurityGroup

from aether_infra.azure.identity import Identity, IdentityProps, SecretAccess
from aether_infra.azure.load_balancer import LoadBalancer, LoadBalancerProps
from aether_infra.azure.machine_access import read_secrets, registry_login
from aether_infra.azure.machines import (
    DATA_LUN,
    OS_DISK_GIB,
    CoreAddresses,
    CoreAddressesProps,
    CoreMachines,
    CoreMachinesProps,
    ElasticMachines,
    ElasticMachinesProps,
    ImageReference,
    MachineProps,
)
from aether_infra.azure.monitoring import SYSLOG, Collection, CollectionProps
from aether_infra.azure.registry import PULL_ROLE
from aether_infra.azure.security import PeerRule, Security, SecurityProps
from aether_infra.catalog import azure as catalog
from aether_infra.cdk.text import base64_text, literal
from aether_infra.core.machine import HEAP_PLACEHOLDER, MachineNode, cloud_config
from aether_infra.core.names import physical_name
from aether_infra.core.node import environment, java_options, peers
from aether_infra.core.tags import NodeRole, node_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aether_infra.azure.stack import AzureStack

REGISTRY_HOST = r"[a-z0-9]+\.azurecr\.(?:io|cn|us)"


@frozen(kw_only=True)
class Machines:
    """Declared machines and what belongs to them."""

    addresses: CoreAddresses
    """Interfaces of the core nodes."""
    core: CoreMachines
    """Machines of the core nodes."""
    elastic: ElasticMachines | None
    """Scale set of the elastic nodes; None where `max_nodes` leaves none."""
    load_balancer: LoadBalancer | None
    """None where nothing is published."""
    identity: Identity
    """Identity of all machines."""
    security: Security
    """Security group of all machines."""
    peers: str
    """The peer list."""
    machine: MachineProps
    """What all machines share."""
    logs: Collection
    """What their agents send."""
    template: dict[str, Any] | None = None
    """What the runtime manager makes elastic nodes of; None without one."""

    @property
    def security_group_ids(self) -> list[str]:
        """Security groups of the machines."""
        return [self.security.group.id]

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know."""
        balancer = self.load_balancer.outputs if self.load_balancer else None
        return ({"machine_template": self.template} if self.template else {}) | {
            "core_machines": {node_id: machine.id for node_id, machine in self.core.machines.items()},
            "scale_set": self.elastic.scale_set.name if self.elastic else None,
            "scale_set_id": self.elastic.scale_set.id if self.elastic else None,
            "identity_id": self.identity.identity.id,
            "load_balancer_id": balancer.load_balancer_id if balancer else None,
            "backend_pool_id": balancer.backend_pool_id if balancer else None,
            "peers": self.peers,
        }


def declare(stack: AzureStack) -> Machines:
    """Declare machines, their identity, security, load balancer and logs, below a stack."""
    azure, config = stack.azure, stack.config
    identity, rights = _identity(stack)
    group = ApplicationSecurityGroup(
        stack,
        "nodes",
        name=physical_name(stack.name, "nodes", limit=80),
        resource_group_name=stack.resource_group,
        location=azure.location,
        tags=stack.tags,
    )
    security = _security(stack, group.id)
    balancer = _load_balancer(stack)
    machine = _machine(stack, identity, security, group, balancer)
    addresses = CoreAddresses(
        stack,
        "addresses",
        CoreAddressesProps(
            machine=machine,
            count=stack.counts.core,
            subnet_cidr=stack.network.outputs.subnet_cidr if azure.subnet_id is None else None,
        ),
    )
    peer_list = peers(addresses.hosts, stack.ports.cluster)
    ready = [*stack.network.outputs.outbound, *security.ready, *identity.grants, *rights]
    logs = Collection(
        stack,
        "machine-logs",
        CollectionProps(
            name=stack.name,
            resource_group=stack.resource_group,
            location=stack.workspace.location,
            workspace_id=stack.workspace.workspace_id,
            streams=SYSLOG,
            tags=stack.tags,
        ),
    )
    core = CoreMachines(
        stack,
        "compute",
        CoreMachinesProps(
            machine=machine,
            nodes={node_id: _node(stack, identity, peer_list, node_id) for node_id in addresses.hosts},
            zones=stack.zones,
            data_volume_gib=azure.data_volume_gib,
            protect=config.cloud.protect,
        ),
        addresses=addresses,
        ready=ready,
        logs=logs,
    )
    elastic = None
    if stack.counts.elastic_maximum and not stack.managed:
        scaling = config.cloud.scaling
        elastic = ElasticMachines(
            stack,
            "elastic",
            ElasticMachinesProps(
                machine=machine,
                node=_node(stack, identity, peer_list),
                zones=stack.zones,
                minimum=stack.counts.elastic_minimum,
                maximum=stack.counts.elastic_maximum,
                spot=azure.spot,
                cpu_target_percent=scaling.cpu_target_percent,
                scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
                scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
            ),
            core={node_id: one.id for node_id, one in core.machines.items()},
            ready=ready,
            logs=logs,
        )
    return Machines(
        addresses=addresses,
        core=core,
        elastic=elastic,
        load_balancer=balancer,
        identity=identity,
        security=security,
        peers=peer_list,
        machine=machine,
        logs=logs,
        template=_template(machine, _node(stack, identity, peer_list), spot=azure.spot)
        if stack.managed
        else None,
    )


def _template(machine: MachineProps, node: MachineNode, *, spot: bool) -> dict[str, Any]:
    """An elastic node's machine in the words of the output `runtime`: as a scale set would have made it."""
    security: dict[str, Any] = {}
    if machine.trusted_launch:
        firmware = {"secureBootEnabled": True, "vTpmEnabled": True}
        security = {"securityType": "TrustedLaunch", "uefiSettings": firmware}
    if machine.host_encryption:
        security["encryptionAtHost"] = True
    return {
        "vm_size": machine.vm_size,
        "image": asdict(machine.image),
        "admin_username": machine.admin_username,
        "ssh_public_key": machine.admin_ssh_public_key,
        "custom_data": base64_text(cloud_config(node)),
        "identity_id": machine.identity_id,
        "os_disk": {
            "type": machine.disk_type,
            "size_gib": OS_DISK_GIB,
            "encryption_set_id": machine.disk_encryption_set_id,
        },
        "network_security_group_id": machine.security_group_id,
        "application_security_group_ids": [machine.application_group_id],
        "spot": spot,
        "security": security,
        "tags": node_tags(machine.tags, NodeRole.WORKER, machine.cluster_port),
    }


def _identity(stack: AzureStack) -> tuple[Identity, Sequence[Any]]:
    """The machines' identity, and its rights on secrets."""
    identity = Identity(
        stack,
        "node-identity",
        IdentityProps(
            name=stack.name,
            role="node",
            resource_group=stack.resource_group,
            location=stack.azure.location,
            tags=stack.tags,
        ),
    )
    identity.grant("registry", PULL_ROLE, stack.registry.outputs.registry_id)
    if not stack.secrets:
        return identity, ()
    access = SecretAccess(
        stack,
        "secrets",
        principal_id=identity.identity.principal_id,
        references=list(stack.secrets.values()),
    )
    return identity, access.grants


def _security(stack: AzureStack, group_id: str) -> Security:
    """As packets arrive at a machine: the load balancer has put in the node's port, and left the sender."""
    azure, ports = stack.azure, stack.ports
    published: dict[str, tuple[int, Sequence[str]]] = {}
    if ports.application is not None:
        published["application"] = (ports.application, azure.allowed_cidrs)
    if azure.management_cidrs:
        published["management"] = (ports.management, azure.management_cidrs)
    return Security(
        stack,
        "security",
        SecurityProps(
            name=stack.name,
            resource_group=stack.resource_group,
            location=azure.location,
            # an existing subnet has its owner's group; the machines have ours in any case
            subnet_id=stack.network.outputs.subnet_id if azure.subnet_id is None else None,
            published=published,
            probed_port=ports.management,
            peers={
                "cluster-tcp": PeerRule(protocol="Tcp", port=str(ports.cluster)),
                "cluster-udp": PeerRule(protocol="Udp", port=str(ports.cluster)),
                "swim": PeerRule(protocol="Udp", port=str(ports.swim)),
            },
            peer_group_ids=[group_id],
            tags=stack.tags,
        ),
    )


def _load_balancer(stack: AzureStack) -> LoadBalancer | None:
    """The load balancer; None when neither application nor management is published."""
    if stack.address is None:
        return None
    backends = {"application": stack.ports.application, "management": stack.ports.management}
    return LoadBalancer(
        stack,
        "load-balancer",
        LoadBalancerProps(
            name=stack.name,
            resource_group=stack.resource_group,
            location=stack.azure.location,
            address_id=stack.address.outputs.address_id,
            rules={
                concern: (frontend, backends[concern] or frontend)
                for concern, (frontend, _) in stack.published.items()
            },
            management_port=stack.ports.management,
            health=stack.health,
            tags=stack.tags,
        ),
    )


def _machine(
    stack: AzureStack,
    identity: Identity,
    security: Security,
    group: ApplicationSecurityGroup,
    balancer: LoadBalancer | None,
) -> MachineProps:
    azure = stack.azure
    return MachineProps(
        name=stack.name,
        resource_group=stack.resource_group,
        location=azure.location,
        subnet_id=stack.network.outputs.subnet_id,
        security_group_id=security.group.id,
        application_group_id=group.id,
        backend_pool_id=balancer.outputs.backend_pool_id if balancer else None,
        identity_id=identity.identity.id,
        vm_size=azure.vm_size,
        image=image_reference(azure.machine_image),
        admin_username=azure.admin_username,
        admin_ssh_public_key=literal(azure.admin_ssh_public_key or catalog.NOBODYS_SSH_KEY),
        disk_type=catalog.disk_type(azure.vm_size),
        trusted_launch=azure.secure_boot and catalog.trusted_launch(azure.vm_size),
        host_encryption=azure.host_encryption,
        disk_encryption_set_id=azure.disk_encryption_set_id,
        cluster_port=stack.ports.cluster,
        tags=stack.tags,
    )


def image_reference(text: str) -> ImageReference:
    """A machine image as the configuration names it, `PUBLISHER:OFFER:SKU:VERSION`."""
    publisher, offer, sku, version = text.split(":")
    return ImageReference(publisher=publisher, offer=offer, sku=sku, version=version)


def _node(stack: AzureStack, identity: Identity, peer_list: str, node_id: str = "") -> MachineNode:
    """What a machine runs; without an id: an elastic node."""
    config, client_id = stack.config, identity.identity.client_id
    shutdown = config.cloud.shutdown
    return MachineNode(
        image=stack.image,
        environment=environment(
            ports=stack.ports,
            peer_list=peer_list,
            core_count=stack.counts.core,
            java_opts=java_options(
                heap_mib=config.node.heap_mib or HEAP_PLACEHOLDER,
                gc=config.node.gc,
                dns_ttl_seconds=shutdown.jvm_dns_ttl_seconds,
                extra=literal(config.cloud.java_opts),
            ),
            node_id=node_id,
        ),
        ports=stack.ports,
        health=stack.health,
        stop_timeout_seconds=shutdown.stop_timeout_seconds,
        data_device=catalog.disk_device(stack.azure.vm_size, DATA_LUN) if node_id else None,
        login=_login(stack, client_id),
        secrets=read_secrets(stack.secrets, client_id),
    )


def _login(stack: AzureStack, client_id: str) -> str:
    """To our own registry, or to another one of Azure; other registries are public."""
    image = stack.config.cloud.image
    if image is None:
        return registry_login(stack.registry.outputs.login_server, client_id)
    host = image.partition("/")[0]
    return registry_login(host, client_id) if re.fullmatch(REGISTRY_HOST, host) else ""
