"""From the configuration to the runtime manager on a machine of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import evolve

from aether_infra.azure.compute_vm import REGISTRY_HOST, Machines, image_reference
from aether_infra.azure.identity import Identity, IdentityProps, SecretAccess
from aether_infra.azure.machine_access import read_secrets, registry_login
from aether_infra.azure.machines import DATA_LUN
from aether_infra.azure.manager import Manager, ManagerProps
from aether_infra.azure.manager_rights import ManagerRights, ManagerRightsProps
from aether_infra.azure.registry import PULL_ROLE
from aether_infra.azure.resource_id import SUBSCRIPTION, part
from aether_infra.catalog import azure as catalog
from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.cdk.text import local_json
from aether_infra.core import manager
from aether_infra.core.machine import MachineNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import ITerraformDependable

    from aether_infra.azure.stack import AzureStack

SMALL = {False: "Standard_B2als_v2", True: "Standard_B2pls_v2"}
"""The smallest size, without and with Arm processors, that the service is well on. Source:
https://learn.microsoft.com/en-us/azure/virtual-machines/sizes/general-purpose/b-family (as of 2026-11)."""


def declare(stack: AzureStack, machines: Machines, runtime: Mapping[str, Any]) -> Manager:
    """Declare the manager, its identity and its rights, below a stack.

    Args:
        stack: the stack.
        machines: the nodes.
        runtime: what it is told of them.
    """
    own, nodes = stack.config.cloud.manager, machines.machine
    identity, ready = _identity(stack, machines)
    azure = evolve(stack.azure, vm_size=own.machine_type or SMALL[catalog.arm64(stack.azure.vm_size)])
    return Manager(
        stack,
        "manager",
        ManagerProps(
            machine=evolve(
                nodes,
                vm_size=azure.vm_size,
                image=image_reference(azure.machine_image),
                identity_id=identity.identity.id,
                disk_type=catalog.disk_type(azure.vm_size),
                trusted_launch=azure.secure_boot and catalog.trusted_launch(azure.vm_size),
            ),
            node=_node(stack, identity.identity.client_id, azure.vm_size, runtime),
            zone=stack.zones[0] if stack.zones else None,
            port=own.port,
            allowed_cidrs=own.allowed_cidrs,
            management_port=stack.ports.management,
            node_security_group=machines.security.group.name,
            on_volume=own.on_volume,
            protect=stack.config.cloud.protect,
            ready=[*stack.network.outputs.outbound, *ready],
        ),
        logs=machines.logs,
    )


def _identity(stack: AzureStack, machines: Machines) -> tuple[Identity, list[ITerraformDependable]]:
    """Its identity, and all that this may do."""
    azure, nodes = stack.azure, machines.machine
    identity = Identity(
        stack,
        "manager-identity",
        IdentityProps(
            name=stack.name,
            role=manager.NAME,
            resource_group=stack.resource_group,
            location=azure.location,
            tags=stack.tags,
        ),
    )
    identity.grant("registry", PULL_ROLE, stack.registry.outputs.registry_id)
    zone = azure.dns_zone_id
    # rights in another subscription are for its owner to give
    reachable = zone is None or part(zone, SUBSCRIPTION).lower() == azure.subscription_id.lower()
    resources = {
        "application-group": nodes.application_group_id,
        "balancer": machines.load_balancer.outputs.load_balancer_id if machines.load_balancer else None,
        "dns": stack.dns_zone_id if reachable else None,
        "identity": nodes.identity_id,
        "security-group": nodes.security_group_id,
        "subnet": nodes.subnet_id,
    }
    rights = ManagerRights(
        stack,
        "manager-rights",
        ManagerRightsProps(
            name=stack.name,
            subscription_id=azure.subscription_id,
            principal_id=identity.identity.principal_id,
            actions=RIGHTS["azure", "vm"],
            resource_group_id=stack.resource_group_id,
            resources={concern: place for concern, place in resources.items() if place is not None},
            disk_encryption_set_id=azure.disk_encryption_set_id,
        ),
    )
    access = SecretAccess(
        stack,
        "manager-secrets",
        principal_id=identity.identity.principal_id,
        references=list(stack.config.cloud.manager.secrets().values()),
    )
    return identity, [*identity.grants, *rights.grants, *access.grants]


def _node(stack: AzureStack, client_id: str, vm_size: str, runtime: Mapping[str, Any]) -> MachineNode:
    own = stack.config.cloud.manager
    environment = manager.environment(port=own.port, collect=own.collect, on_volume=own.on_volume)
    host = (own.image or "").partition("/")[0]
    node = MachineNode(
        image=own.image or "",
        # which of the machine's identities it is
        environment=environment | {"AZURE_CLIENT_ID": client_id},
        ports=manager.machine_ports(own.port),
        health=manager.machine_health(),
        stop_timeout_seconds=manager.STOP_SECONDS,
        data_device=catalog.disk_device(vm_size, DATA_LUN) if own.on_volume else None,
        login=registry_login(host, client_id) if re.fullmatch(REGISTRY_HOST, host) else "",
        secrets=read_secrets(own.secrets(), client_id),
    )
    return manager.machine(node, local_json(stack, "manager-runtime", dict(runtime), base64=True))
