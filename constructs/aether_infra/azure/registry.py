"""The image registry: an Azure Container Registry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from constructs import Construct

from aether_infra.core.names import physical_name

NAME_LIMIT = 50
PREMIUM = "Premium"
PULL_ROLE = "AcrPull"
"""Role that may pull images and nothing else."""


def registry_name(cluster: str, subscription_id: str) -> str:
    """A registry's name, unique in all of Azure: letters and digits only, so hyphens go.

    Args:
        cluster: the cluster's name.
        subscription_id: the subscription, which makes it unique.
    """
    unique = hashlib.sha256(f"{subscription_id.lower()}/{cluster}".encode()).hexdigest()[:10]
    return physical_name(cluster, "nodes", unique, limit=NAME_LIMIT).replace("-", "")


@frozen(kw_only=True)
class RegistryOutputs:
    """Where images are."""

    registry_id: str
    login_server: str
    """Host name of the registry."""


@frozen(kw_only=True)
class RegistryProps:
    """Props of `Registry`."""

    registry: str
    """Name of the registry, 5-50 letters and digits, unique in all of Azure."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the registry."""
    sku: Literal["Basic", "Standard", "Premium"] = "Premium"
    """Tier; only Premium is in several zones and clears up untagged images."""
    zone_redundant: bool = True
    """Whether images lie in all zones of the location (Premium). A change replaces the registry."""
    keep_untagged_days: int = 14
    """Days that untagged images are kept (Premium)."""
    protect: bool = True
    """Refuse to destroy the registry."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the registry."""


class Registry(Construct):
    """A container registry without an administrator's password and without anonymous pulls.

    Nobody may pull but who is granted `PULL_ROLE`.
    Source: https://learn.microsoft.com/en-us/azure/container-registry/container-registry-skus (as of 2026-11).

    Attributes:
        registry: the registry.
        outputs: its id and address.
    """

    def __init__(self, scope: Construct, id_: str, props: RegistryProps) -> None:
        super().__init__(scope, id_)
        premium = props.sku == PREMIUM
        self.registry = ContainerRegistry(
            self,
            "Resource",
            name=props.registry,
            resource_group_name=props.resource_group,
            location=props.location,
            sku=props.sku,
            admin_enabled=False,
            anonymous_pull_enabled=False,
            zone_redundancy_enabled=(premium and props.zone_redundant) or None,
            # one host name to pull from, for firewalls that list names
            data_endpoint_enabled=premium or None,
            retention_policy_in_days=props.keep_untagged_days if premium else None,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            tags=dict(props.tags),
        )
        self.outputs = RegistryOutputs(registry_id=self.registry.id, login_server=self.registry.login_server)
