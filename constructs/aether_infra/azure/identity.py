"""Managed identities, what they may do, and who may act as them. None has a password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import DynamicListTerraformIterator, TerraformIterator
from cdktf_cdktf_provider_azurerm.data_azurerm_resources import DataAzurermResources
from cdktf_cdktf_provider_azurerm.federated_identity_credential import FederatedIdentityCredential
from cdktf_cdktf_provider_azurerm.role_assignment import RoleAssignment
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from aether_infra.azure.resource_id import vault_and_secret
from aether_infra.core.names import physical_name

TOKEN_EXCHANGE = "api://AzureADTokenExchange"  # noqa: S105 - an audience, no secret
READ_SECRETS = "Key Vault Secrets User"


@frozen(kw_only=True)
class IdentityProps:
    """Props of `Identity`."""

    name: str
    """Cluster's name, head of every name."""
    role: str
    """What the identity is for, such as `kubelet`."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the identity."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the identity."""


class Identity(Construct):
    """A user-assigned identity: it outlives what uses it, so its rights are there before.

    Source: https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/overview
    (as of 2026-11).

    Attributes:
        identity: the identity.
        grants: its role assignments: what acts with it depends on them, so that they also go after it.
    """

    def __init__(self, scope: Construct, id_: str, props: IdentityProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.identity = UserAssignedIdentity(
            self,
            "Resource",
            name=physical_name(props.name, props.role, limit=128),
            resource_group_name=props.resource_group,
            location=props.location,
            tags=dict(props.tags),
        )
        self.grants: list[RoleAssignment] = []

    def grant(self, concern: str, role: str, scope: str) -> RoleAssignment:
        """Give the identity a role.

        Args:
            concern: what it is for; the construct's id.
            role: name of a built-in role.
            scope: id of the resource, or resource group, that it holds for.
        """
        grant = RoleAssignment(
            self,
            concern,
            scope=scope,
            role_definition_name=role,
            principal_id=self.identity.principal_id,
            principal_type="ServicePrincipal",
            # a new identity is not known everywhere in the directory yet
            skip_service_principal_aad_check=True,
        )
        self.grants.append(grant)
        return grant

    def trust(self, concern: str, issuer: str, subject: str) -> FederatedIdentityCredential:
        """Let a Kubernetes service account act as the identity.

        Args:
            concern: what it is for; the construct's id.
            issuer: URL of the cluster's token issuer.
            subject: `system:serviceaccount:NAMESPACE:NAME`.
        """
        return FederatedIdentityCredential(
            self,
            concern,
            name=physical_name(self._props.name, concern, limit=120),
            resource_group_name=self._props.resource_group,
            parent_id=self.identity.id,
            audience=[TOKEN_EXCHANGE],
            issuer=issuer,
            subject=subject,
        )


class SecretAccess(Construct):
    """The right to read secrets of Key Vaults, each secret on its own.

    A reference names its vault, but not the vault's resource group: the vault is looked up in the subscription when
    Terraform plans. A vault of another subscription is not found, and nothing is granted then: its owner does that.
    The vault must use role-based access. Source:
    https://learn.microsoft.com/en-us/azure/key-vault/general/rbac-guide (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        principal_id: the identity's principal.
        references: identifiers of secrets, `https://VAULT.vault.azure.net/secrets/NAME[/VERSION]`.

    Attributes:
        grants: the role assignments.
    """

    def __init__(self, scope: Construct, id_: str, *, principal_id: str, references: Sequence[str]) -> None:
        super().__init__(scope, id_)
        self.grants: list[RoleAssignment] = []
        vaults: dict[str, DynamicListTerraformIterator] = {}
        grants: dict[str, Construct] = {}
        for vault, secret in sorted({vault_and_secret(reference) for reference in references}):
            if vault not in vaults:
                # names may be any words: each kind of them has a scope of its own
                below = Construct(self, vault)
                vaults[vault] = self._vault(below, vault)
                grants[vault] = Construct(below, "grants")
            self.grants.append(
                RoleAssignment(
                    grants[vault],
                    secret,
                    for_each=vaults[vault],
                    scope=f"{vaults[vault].key}/secrets/{secret}",
                    role_definition_name=READ_SECRETS,
                    principal_id=principal_id,
                    principal_type="ServicePrincipal",
                    skip_service_principal_aad_check=True,
                )
            )

    @staticmethod
    def _vault(scope: Construct, name: str) -> DynamicListTerraformIterator:
        found = DataAzurermResources(scope, "vault", type="Microsoft.KeyVault/vaults", name=name)
        return TerraformIterator.from_complex_list(found.resources, "id")
