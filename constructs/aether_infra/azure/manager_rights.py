"""What the runtime manager may do on Azure: custom roles of just its actions, each held where it is needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from attrs import field, frozen
from cdktf import Token
from cdktf_cdktf_provider_azurerm.role_assignment import RoleAssignment
from cdktf_cdktf_provider_azurerm.role_definition import RoleDefinition, RoleDefinitionPermissions
from constructs import Construct

from aether_infra.azure.resource_id import RESOURCE_GROUP, SUBSCRIPTION, part
from aether_infra.core import manager
from aether_infra.core.names import physical_name

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "application-group": ("Microsoft.Network/applicationSecurityGroups/",),
    "balancer": ("Microsoft.Network/loadBalancers/",),
    "dns": ("Microsoft.Network/dnsZones/",),
    "identity": ("Microsoft.ManagedIdentity/",),
    "security-group": ("Microsoft.Network/networkSecurityGroups/",),
    "subnet": ("Microsoft.Network/virtualNetworks/",),
}
"""What an action is about, where that is one resource: by the head of its name. All others are about machines, with
their interfaces and disks, in the resource group."""
READ_ENCRYPTION: Final = "Microsoft.Compute/diskEncryptionSets/read"
"""What whoever makes a disk needs of an encryption set. Source:
https://learn.microsoft.com/en-us/azure/virtual-machines/disk-encryption (as of 2026-11)."""


@frozen(kw_only=True)
class ManagerRightsProps:
    """Props of `ManagerRights`."""

    name: str
    """Cluster's name, head of every name."""
    subscription_id: str
    """The subscription; its head ends the roles' names, which are the whole directory's."""
    principal_id: str
    """Whom the rights are for: the identity's principal."""
    actions: Collection[str]
    """What it may do, as `catalog.manager_rights` has it."""
    resource_group_id: str
    """Where machines are made."""
    resources: Mapping[str, str] = field(factory=dict)
    """Id of the one resource that some actions are about, by `PARTS`. Actions about what is not here are left out."""
    disk_encryption_set_id: str | None = None
    """Encryption set of the disks; None for Microsoft's keys."""


class ManagerRights(Construct):
    """A custom role for each resource that is not a machine, and one for machines.

    Source: https://learn.microsoft.com/en-us/azure/role-based-access-control/custom-roles (as of 2026-11).

    Attributes:
        definitions: roles by what they are about.
        grants: their assignments: what acts with the identity depends on them.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerRightsProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.definitions: dict[str, RoleDefinition] = {}
        self.grants: list[RoleAssignment] = []
        for concern, actions in sorted(_parted(props.actions).items()):
            if concern == "machines":
                self._grant(concern, actions, props.resource_group_id, props.resource_group_id)
            elif concern in props.resources:
                place = props.resources[concern]
                self._grant(concern, actions, place, self._assignable(place))
        if props.disk_encryption_set_id:
            place = props.disk_encryption_set_id
            self._grant("encryption", [READ_ENCRYPTION], place, self._assignable(place))

    def _assignable(self, resource_id: str) -> str:
        """Id of the resource group that a resource is in: a role can be made for no less. What we make is in ours."""
        if Token.is_unresolved(resource_id):
            return self._props.resource_group_id
        subscription, group = part(resource_id, SUBSCRIPTION), part(resource_id, RESOURCE_GROUP)
        return f"/subscriptions/{subscription}/resourceGroups/{group}"

    def _grant(self, concern: str, actions: list[str], place: str, assignable: str) -> None:
        props, below = self._props, Construct(self, concern)
        name = physical_name(
            props.name, manager.NAME, concern, props.subscription_id.partition("-")[0], limit=120
        )
        role = RoleDefinition(
            below,
            "role",
            name=name,
            scope=assignable,
            assignable_scopes=[assignable],
            description=f"What the runtime manager of Aether cluster {props.name} does: {concern}",
            permissions=[RoleDefinitionPermissions(actions=actions)],
        )
        self.definitions[concern] = role
        self.grants.append(
            RoleAssignment(
                below,
                "grant",
                scope=place,
                role_definition_id=role.role_definition_resource_id,
                principal_id=props.principal_id,
                principal_type="ServicePrincipal",
                # a new identity is not known everywhere in the directory yet
                skip_service_principal_aad_check=True,
            )
        )


def _parted(actions: Collection[str]) -> dict[str, list[str]]:
    """Actions by what they are about."""
    found: dict[str, list[str]] = {}
    for action in sorted(actions):
        concern = next((part_ for part_, heads in PARTS.items() if action.startswith(heads)), "machines")
        found.setdefault(concern, []).append(action)
    return found
