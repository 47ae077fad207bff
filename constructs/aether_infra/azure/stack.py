"""The whole of Azure from one configuration. Reads as a table of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cdktf import TerraformProvider
from cdktf_cdktf_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesResourceGroup,
)
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from aether_infra.azure.address import PublicAddress, PublicAddressProps
from aether_infra.azure.dns import (
    AliasRecord,
    AliasRecordProps,
    Zone,
    ZoneOutputs,
    ZoneProps,
    existing_zone,
    record_name,
)
from aether_infra.azure.monitoring import ExistingWorkspace, Workspace, WorkspaceProps
from aether_infra.azure.network import ExistingNetwork, ExistingNetworkProps, Network, NetworkProps
from aether_infra.azure.protection import lock
from aether_infra.azure.registry import Registry, RegistryProps, registry_name
from aether_infra.azure.resource_id import SUBSCRIPTION, part
from aether_infra.catalog import azure as catalog
from aether_infra.cdk.outputs import InfrastructureOutputs, publish
from aether_infra.cdk.stack import ClusterStack
from aether_infra.config import AetherConfig, AzureConfig, Provider
from aether_infra.config.zones import azure_zones
from aether_infra.core.names import physical_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aether_infra.azure.compute_aks import Kubernetes
    from aether_infra.azure.compute_vm import Machines
    from aether_infra.azure.manager import Manager

RESOURCE_PROVIDERS = (
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.KeyVault",
    "Microsoft.OperationalInsights",
    "Microsoft.OperationsManagement",
    "microsoft.insights",
)
"""What a subscription must have registered, besides the provider's own `core` set."""


class AzureStack(ClusterStack):
    """Everything that `[cloud.azure]` describes; one attribute a part, for escape hatches and tests.

    Attributes:
        network, registry, workspace, address, zone, compute, manager: the parts. What a configuration leaves out is
            None.
    """

    provider: ClassVar[Provider] = Provider.AZURE

    def __init__(self, scope: Construct, id_: str, config: AetherConfig) -> None:
        """Declare the stack.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has a `[cloud.azure]` table.

        Raises:
            ConfigError: it has none.
        """
        super().__init__(scope, id_, config)
        azure = self.section
        if not isinstance(azure, AzureConfig):
            raise TypeError(f"not the table of Azure: {azure!r}")
        self.azure = azure
        self.zones = tuple(zone.name_or_id for zone in azure_zones(azure))
        self.secrets = config.stored_secrets(Provider.AZURE)
        self.published = self._published()

        self._provider(azure.subscription_id)
        group = self._resource_group()
        self.resource_group: str = group.name
        self.resource_group_id: str = group.id
        self.network = self._network()
        self.registry = self._registry()
        self.image = config.cloud.image or f"{self.registry.outputs.login_server}/{self.name}-node:latest"
        self.workspace = self._workspace()
        self.address = self._address()
        self.compute = self._compute()
        self.zone = self._zone()
        self._alias()
        self.manager = self._manager()
        publish(self, self._outputs())

    def _provider(self, subscription_id: str, alias: str | None = None) -> AzurermProvider:
        return AzurermProvider(
            self,
            f"azurerm-{alias}" if alias else "azurerm",
            alias=alias,
            subscription_id=subscription_id,
            features=[
                AzurermProviderFeatures(
                    # add-ons leave things behind that a destroy must take along
                    resource_group=[
                        AzurermProviderFeaturesResourceGroup(
                            prevent_deletion_if_contains_resources=self.config.cloud.protect
                        )
                    ]
                )
            ],
            resource_provider_registrations="none" if alias else "core",
            resource_providers_to_register=None if alias else list(RESOURCE_PROVIDERS),
        )

    def _provider_of(self, resource_id: str, alias: str) -> TerraformProvider | None:
        """A provider for what lies in another subscription; None for the stack's own."""
        subscription_id = part(resource_id, SUBSCRIPTION)
        if subscription_id.lower() == self.azure.subscription_id.lower():
            return None
        return self._provider(subscription_id, alias)

    def _resource_group(self) -> ResourceGroup:
        return ResourceGroup(
            self,
            "resource-group",
            name=self.azure.resource_group or physical_name(self.name, "rg", limit=90),
            location=self.azure.location,
            tags=self.tags,
        )

    def _network(self) -> Network | ExistingNetwork:
        subnet_id = self.azure.subnet_id
        if subnet_id is not None:
            return ExistingNetwork(
                self,
                "network",
                ExistingNetworkProps(subnet_id=subnet_id),
            )
        return Network(
            self,
            "network",
            NetworkProps(
                name=self.name,
                resource_group=self.resource_group,
                location=self.azure.location,
                cidr=self.azure.vpc_cidr,
                zones=self._address_zones(),
                tags=self.tags,
            ),
        )

    def _address_zones(self) -> Sequence[str]:
        """An address is in all zones of its location, or in none."""
        return catalog.ZONES if self.zones else ()

    def _registry(self) -> Registry:
        registry = Registry(
            self,
            "registry",
            RegistryProps(
                registry=self.azure.acr_name or registry_name(self.name, self.azure.subscription_id),
                resource_group=self.resource_group,
                location=self.azure.location,
                sku=self.azure.acr_sku,
                zone_redundant=bool(self.zones),
                protect=self.config.cloud.protect,
                tags=self.tags,
            ),
        )
        if self.config.cloud.protect:
            lock(self, "registry-lock", registry.outputs.registry_id, "Image registry")
        return registry

    def _workspace(self) -> Workspace | ExistingWorkspace:
        existing = self.azure.log_analytics_workspace_id
        if existing is not None:
            provider = self._provider_of(existing, "logs")
            return ExistingWorkspace(self, "logs", workspace_id=existing, provider=provider)
        return Workspace(
            self,
            "logs",
            WorkspaceProps(
                name=self.name,
                resource_group=self.resource_group,
                location=self.azure.location,
                retention_days=self.config.cloud.log_retention_days,
                tags=self.tags,
            ),
        )

    def _published(self) -> dict[str, tuple[int, Sequence[str]]]:
        """Ports of the load balancer and who may reach each, by concern."""
        published: dict[str, tuple[int, Sequence[str]]] = {}
        if self.ports.application is not None:
            published["application"] = (catalog.APPLICATION_PORT, self.azure.allowed_cidrs)
        if self.azure.management_cidrs:
            published["management"] = (self.ports.management, self.azure.management_cidrs)
        return published

    def _address(self) -> PublicAddress | None:
        """The public address; None when neither application nor management is published."""
        if not self.published:
            return None
        return PublicAddress(
            self,
            "address",
            PublicAddressProps(
                name=self.name,
                resource_group=self.resource_group,
                location=self.azure.location,
                zones=self._address_zones(),
                tags=self.tags,
            ),
        )

    def _compute(self) -> Kubernetes | Machines:
        # only the kind that is wanted: the other's bindings would cost time
        if self.azure.compute == "vm":
            from aether_infra.azure import compute_vm  # noqa: PLC0415

            return compute_vm.declare(self)
        from aether_infra.azure import compute_aks  # noqa: PLC0415

        return compute_aks.declare(self)

    def _zone(self) -> ZoneOutputs | None:
        """The zone of the domain; None where DNS is somebody else's, or nothing is published."""
        domain = self.config.cloud.domain
        if not domain or not self.azure.manage_dns or self.ports.application is None:
            return None
        if self.azure.dns_zone_id:
            return existing_zone(self.azure.dns_zone_id)
        return Zone(
            self,
            "zone",
            ZoneProps(
                domain=domain,
                resource_group=self.resource_group,
                protect=self.config.cloud.protect,
                tags=self.tags,
            ),
        ).outputs

    @property
    def dns_zone_id(self) -> str | None:
        """The zone of the domain; None where DNS is somebody else's, or nothing is published."""
        return self.zone.zone_id if self.zone else None

    def _manager(self) -> Manager | None:
        """The runtime manager; in Kubernetes it is part of the workload."""
        if not self.managed or self.azure.compute != "vm":
            return None
        from aether_infra.azure import compute_manager  # noqa: PLC0415 - as above

        return compute_manager.declare(self, self.compute, self._runtime())  # type: ignore[arg-type]

    def _alias(self) -> None:
        domain, zone_id = self.config.cloud.domain, self.azure.dns_zone_id
        if self.zone is None or self.address is None or not domain:
            return
        AliasRecord(
            self,
            "alias",
            AliasRecordProps(
                record=record_name(domain, self.zone.zone_name) if zone_id else "@",
                zone=self.zone,
                address_id=self.address.outputs.address_id,
                provider=self._provider_of(zone_id, "dns") if zone_id else None,
                tags=self.tags,
            ),
        )

    def _application_url(self) -> str:
        if self.address is None or self.ports.application is None:
            return ""
        return f"http://{self.config.cloud.domain or self.address.outputs.ip}"

    def _outputs(self) -> InfrastructureOutputs:
        return InfrastructureOutputs(
            cluster_name=self.name,
            provider=Provider.AZURE.value,
            region=self.azure.location,
            application_url=self._application_url(),
            registry_url=f"{self.registry.outputs.login_server}/{self.name}-node",
            network_id=self.network.outputs.network_id,
            runtime=self._runtime()
            | self.reach_manager(self.manager.interface.private_ip_address if self.manager else None),
        )

    def _runtime(self) -> dict[str, Any]:
        address = self.address.outputs if self.address else None
        return self.kubernetes_facts(
            self.facts()
            | {
                "subscription_id": self.azure.subscription_id,
                "resource_group": self.resource_group,
                "network_id": self.network.outputs.network_id,
                "subnet_ids": [self.network.outputs.subnet_id],
                "security_group_ids": self.compute.security_group_ids,
                "zones": list(self.zones),
                "registry_id": self.registry.outputs.registry_id,
                "log_analytics_workspace_id": self.workspace.workspace_id,
                "dns": {
                    "zone_id": self.zone.zone_id if self.zone else None,
                    "name_servers": list(self.zone.name_servers) if self.zone else [],
                    "domain": self.config.cloud.domain,
                    "target_resource_id": address.address_id if address else None,
                    "target_ip": address.ip if address else None,
                },
                "image": self.image,
                "tags": self.tags,
                "kubernetes": None,
            }
            | self.compute.runtime()
        )
