"""From the configuration to the runtime manager on a machine of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aether_infra.catalog import gcp as catalog
from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.config import architecture
from aether_infra.core import manager
from aether_infra.core.names import physical_name
from aether_infra.gcp import compute_vm
from aether_infra.gcp.identity import (
    ACCOUNT_NAME_LIMIT,
    MACHINE_ROLES,
    Identity,
    IdentityProps,
    SecretAccess,
)
from aether_infra.gcp.manager import Manager, ManagerProps, ManagerRights, ManagerRightsProps
from aether_infra.gcp.registry import image_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import ITerraformDependable

    from aether_infra.gcp.stack import GcpStack

SMALL = {"arm64": "t2a-standard-1", "x86_64": "e2-small"}
"""The smallest machine of a processor that the service is well on. Source:
https://cloud.google.com/compute/docs/machine-resource (as of 2026-11)."""


def declare(stack: GcpStack, runtime: Mapping[str, Any]) -> Manager:
    """Declare the manager and its rights, below a stack.

    Args:
        stack: the stack.
        runtime: what it is told of the cluster.
    """
    gcp, own = stack.gcp, stack.config.cloud.manager
    identity = Identity(
        stack,
        "manager-identity",
        IdentityProps(
            project=gcp.project,
            account_name=physical_name(stack.name, manager.NAME, limit=ACCOUNT_NAME_LIMIT),
            description=f"Runtime manager of Aether cluster {stack.name}",
            roles=MACHINE_ROLES,
            depends_on=stack.services.all("iam"),
        ),
    )
    rights = ManagerRights(
        stack,
        "manager-rights",
        ManagerRightsProps(
            name=stack.name,
            project=gcp.project,
            member=identity.member,
            permissions=RIGHTS["gcp", "vm"],
            node_service_account=stack.identity.email,
            dns_zone=stack.zone.zone_name if stack.zone else None,
        ),
    )
    machine_type = own.machine_type or SMALL[architecture(gcp)]
    return Manager(
        stack,
        "manager",
        ManagerProps(
            name=stack.name,
            project=gcp.project,
            region=gcp.region,
            zone=stack.zones[0],
            network_project=stack.network.outputs.project,
            network_id=stack.network.outputs.network_id,
            subnetwork_id=stack.network.outputs.subnetwork_id,
            node_service_account=stack.identity.email,
            management_port=stack.ports.management,
            machine_type=machine_type,
            machine_image=compute_vm.machine_image(stack),
            disk_type=catalog.disk_type(machine_type),
            shielded=catalog.shielded(machine_type),
            kms_key=gcp.kms_key,
            image=own.image or "",
            port=own.port,
            allowed_cidrs=own.allowed_cidrs,
            runtime=runtime,
            secrets=own.secrets(),
            on_volume=own.on_volume,
            collect=own.collect,
            protect=stack.config.cloud.protect,
            labels=stack.tags,
            ready=[*stack.services.all("compute"), *stack.key_grants],
            depends_on=[
                *stack.services.all("logging", "monitoring"),
                *identity.grants,
                *rights.grants,
                *_pull(stack, identity),
                *_secrets(stack, identity),
                *stack.network.outputs.egress,
            ],
        ),
        identity=identity,
    )


def _pull(stack: GcpStack, identity: Identity) -> list[ITerraformDependable]:
    """The right to pull its image, where that is in a registry of this project."""
    image = stack.config.cloud.manager.image or ""
    if stack.registry.holds(image):
        return [stack.registry.grant_pull(stack, "manager-pull", identity.member)]
    other = image_repository(image)
    if other is None or other.project != stack.gcp.project:
        return []
    return [other.grant_pull(stack, "manager-pull", identity.member)]


def _secrets(stack: GcpStack, identity: Identity) -> list[ITerraformDependable]:
    access = SecretAccess(
        stack,
        "manager-secrets",
        secrets=stack.config.cloud.manager.secrets(),
        member=identity.member,
        depends_on=stack.services.all("secretmanager"),
    )
    return [*access.grants]
