"""The whole of Google Cloud from one configuration. Reads as a table of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cdktf_cdktf_provider_google.provider import GoogleProvider
from constructs import Construct

from aether_infra.cdk.outputs import InfrastructureOutputs, publish
from aether_infra.cdk.stack import ClusterStack
from aether_infra.config import AetherConfig, GcpConfig, Provider, gcp_zones
from aether_infra.core.names import physical_name
from aether_infra.gcp import publication
from aether_infra.gcp.address import (
    ApplicationAddress,
    ApplicationAddressProps,
    ManagementAddress,
    ManagementAddressProps,
)
from aether_infra.gcp.armor import AllowList, AllowListProps
from aether_infra.gcp.dns import Zone, ZoneProps
from aether_infra.gcp.encryption import KeyAccess, KeyAccessProps
from aether_infra.gcp.identity import (
    ACCOUNT_NAME_LIMIT,
    KUBERNETES_ROLES,
    MACHINE_ROLES,
    Identity,
    IdentityProps,
)
from aether_infra.gcp.logs import DEFAULT_RETENTION_DAYS, ClusterLogs, ClusterLogsProps
from aether_infra.gcp.network import ExistingNetwork, ExistingNetworkProps, Network, NetworkProps
from aether_infra.gcp.registry import Registry, RegistryProps, image_repository
from aether_infra.gcp.security import Firewall, FirewallProps
from aether_infra.gcp.services import Services, ServicesProps
from aether_infra.gcp.tls import Tls, TlsProps

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from aether_infra.gcp.compute_gke import GkeCompute
    from aether_infra.gcp.compute_vm import VmCompute
    from aether_infra.gcp.manager import Manager


class GcpStack(ClusterStack):
    """Everything that `[cloud.gcp]` describes; one attribute a part, for escape hatches and tests.

    Attributes:
        services, keys, network, identity, firewall, registry, addresses, zone, tls, allow_list, compute, manager, logs:
            the parts. What a configuration leaves out is None.
    """

    provider: ClassVar[Provider] = Provider.GCP

    def __init__(self, scope: Construct, id_: str, config: AetherConfig) -> None:
        """Declare the stack.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has a `[cloud.gcp]` table.

        Raises:
            ConfigError: it has none.
        """
        super().__init__(scope, id_, config)
        gcp = self.section
        if not isinstance(gcp, GcpConfig):
            raise TypeError(f"not the table of Google Cloud: {gcp!r}")
        self.gcp = gcp
        self.zones = tuple(zone.name_or_id for zone in gcp_zones(gcp))
        self.secrets = config.stored_secrets(Provider.GCP)
        self.published = publication.published(config)

        GoogleProvider(self, "google", project=gcp.project, region=gcp.region)
        self.services = self._services()
        self.keys = self._keys()
        self.key_grants = tuple(self.keys.grants) if self.keys else ()
        self.network = self._network()
        self.identity = self._identity()
        self.firewall = self._firewall()
        self.registry = self._registry()
        self.image = config.cloud.image or f"{self.registry.outputs.image_url}:latest"
        self.application_address = self._application_address()
        self.management_address = self._management_address()
        self.zone = self._zone()
        self.tls = self._tls()
        self.allow_list = self._allow_list()
        self.compute = self._compute()
        self.manager = self._manager()
        self.logs = self._logs()
        if self.zone and self.application_address:
            self.zone.record(self, "record", self.application_address.address.address)
        publish(self, self._outputs())

    def _services(self) -> Services:
        names = {"artifactregistry", "compute", "dns", "iam", "logging", "monitoring"}
        if self.gcp.compute == "gke":
            names.add("container")
        if self.secrets or (self.managed and self.gcp.compute == "vm"):
            names.add("secretmanager")
        if self.gcp.kms_key:
            names.add("cloudkms")
        return Services(self, "services", ServicesProps(project=self.gcp.project, services=sorted(names)))

    def _keys(self) -> KeyAccess | None:
        if not self.gcp.kms_key:
            return None
        services = ("artifactregistry", "compute", *(["container"] if self.gcp.compute == "gke" else []))
        return KeyAccess(
            self,
            "keys",
            KeyAccessProps(
                project=self.gcp.project,
                kms_key=self.gcp.kms_key,
                services=services,
                depends_on=self.services.all(*services, "cloudkms"),
            ),
        )

    def _network(self) -> Network | ExistingNetwork:
        gcp, gke = self.gcp, self.gcp.compute == "gke"
        if gcp.network and gcp.subnetwork:
            return ExistingNetwork(
                self,
                "network",
                ExistingNetworkProps(
                    project=gcp.project,
                    region=gcp.region,
                    network=gcp.network,
                    subnetwork=gcp.subnetwork,
                    pod_range=gcp.pod_range or "",
                    service_range=gcp.service_range or "",
                ),
            )
        return Network(
            self,
            "network",
            NetworkProps(
                name=self.name,
                project=gcp.project,
                region=gcp.region,
                cidr=gcp.vpc_cidr,
                pod_cidr=gcp.pod_cidr if gke else None,
                service_cidr=gcp.service_cidr if gke else None,
                nat=gcp.nat,
                flow_logs=gcp.flow_logs,
                depends_on=self.services.all("compute"),
            ),
        )

    def _identity(self) -> Identity:
        return Identity(
            self,
            "identity",
            IdentityProps(
                project=self.gcp.project,
                account_name=physical_name(self.name, "machines", limit=ACCOUNT_NAME_LIMIT),
                description=f"Machines of Aether cluster {self.name}",
                roles=KUBERNETES_ROLES if self.gcp.compute == "gke" else MACHINE_ROLES,
                existing_email=self.gcp.service_account,
                depends_on=self.services.all("iam"),
            ),
        )

    def _firewall(self) -> Firewall:
        nodes = self.gcp.compute == "vm"
        return Firewall(
            self,
            "firewall",
            FirewallProps(
                name=self.name,
                project=self.network.outputs.project,
                network_id=self.network.outputs.network_id,
                node_service_account=self.identity.email,
                ports=self.ports,
                peers=nodes,
                management_cidrs=self.gcp.management_cidrs if nodes else (),
            ),
        )

    def _registry(self) -> Registry:
        return Registry(
            self,
            "registry",
            RegistryProps(
                project=self.gcp.project,
                region=self.gcp.region,
                repository=self.gcp.artifact_repository or f"{self.name}-node",
                kms_key=self.gcp.kms_key,
                protect=self.config.cloud.protect,
                labels=self.tags,
                depends_on=[*self.services.all("artifactregistry"), *self.key_grants],
            ),
        )

    def pull_grants(self) -> list[ITerraformDependable]:
        """Let the machines pull from our registry, and from another of this project that the image is in."""
        grants: list[ITerraformDependable] = [self.registry.grant_pull(self, "pull", self.identity.member)]
        other = image_repository(self.image)
        if other and other.project == self.gcp.project and not self.registry.holds(self.image):
            grants.append(other.grant_pull(self, "pull-image", self.identity.member))
        return grants

    def _application_address(self) -> ApplicationAddress | None:
        if not self.published:
            return None
        return ApplicationAddress(
            self,
            "application-address",
            ApplicationAddressProps(
                name=self.name,
                project=self.gcp.project,
                labels=self.tags,
                depends_on=self.services.all("compute"),
            ),
        )

    def _management_address(self) -> ManagementAddress | None:
        """Where operators find the management port: inside of the network if all of them are private."""
        cidrs = self.gcp.management_cidrs
        if not cidrs:
            return None
        return ManagementAddress(
            self,
            "management-address",
            ManagementAddressProps(
                name=self.name,
                project=self.gcp.project,
                region=self.gcp.region,
                subnetwork_id=self.network.outputs.subnetwork_id
                if publication.management_inside(self.gcp)
                else None,
                labels=self.tags,
                depends_on=self.services.all("compute"),
            ),
        )

    def _zone(self) -> Zone | None:
        """The zone of the domain; None where DNS is somebody else's, or nothing is published."""
        domain = self.config.cloud.domain
        if not domain or not publication.named(self.config, self.gcp):
            return None
        return Zone(
            self,
            "zone",
            ZoneProps(
                name=self.name,
                project=self.gcp.project,
                domain=domain,
                existing=self.gcp.dns_zone,
                protect=self.config.cloud.protect,
                labels=self.tags,
                depends_on=self.services.all("dns"),
            ),
        )

    def _tls(self) -> Tls | None:
        if not publication.encrypted(self.config, self.gcp):
            return None
        return Tls(
            self,
            "tls",
            TlsProps(
                name=self.name,
                project=self.gcp.project,
                domain=self.config.cloud.domain,
                certificate=self.gcp.certificate,
                depends_on=self.services.all("compute"),
            ),
        )

    def _allow_list(self) -> AllowList | None:
        if not publication.restricted(self.config, self.gcp):
            return None
        return AllowList(
            self,
            "allow-list",
            AllowListProps(
                name=self.name,
                project=self.gcp.project,
                allowed_cidrs=self.gcp.allowed_cidrs,
                depends_on=self.services.all("compute"),
            ),
        )

    def _compute(self) -> GkeCompute | VmCompute:
        # only the kind that is wanted: the other's bindings would cost time
        if self.gcp.compute == "vm":
            from aether_infra.gcp import compute_vm  # noqa: PLC0415

            return compute_vm.declare(self)
        from aether_infra.gcp import compute_gke  # noqa: PLC0415

        return compute_gke.declare(self)

    def _manager(self) -> Manager | None:
        """The runtime manager; in Kubernetes it is part of the workload."""
        if not self.managed or self.gcp.compute != "vm":
            return None
        from aether_infra.gcp import compute_manager  # noqa: PLC0415 - as above

        return compute_manager.declare(self, self._runtime())

    def _logs(self) -> ClusterLogs | None:
        days = self.config.cloud.log_retention_days
        if days == DEFAULT_RETENTION_DAYS:
            return None
        return ClusterLogs(
            self,
            "logs",
            ClusterLogsProps(
                name=self.name,
                project=self.gcp.project,
                region=self.gcp.region,
                filter=self.compute.log_filter,
                retention_days=days,
                depends_on=self.services.all("logging"),
            ),
        )

    def _application_url(self) -> str:
        if self.application_address is None:
            return ""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{self.config.cloud.domain or self.application_address.address.address}"

    def _outputs(self) -> InfrastructureOutputs:
        return InfrastructureOutputs(
            cluster_name=self.name,
            provider=Provider.GCP.value,
            region=self.gcp.region,
            application_url=self._application_url(),
            registry_url=self.registry.outputs.image_url,
            network_id=self.network.outputs.network_id,
            runtime=self._runtime()
            | self.reach_manager(self.manager.address.address if self.manager else None),
        )

    def _runtime(self) -> dict[str, Any]:
        address = self.application_address
        return self.kubernetes_facts(
            self.facts()
            | {
                "project": self.gcp.project,
                "zones": list(self.zones),
                "network_id": self.network.outputs.network_id,
                "subnet_ids": [self.network.outputs.subnetwork_id],
                # firewall rules name machines by their service account here
                "security_group_ids": [],
                "service_account": self.identity.email,
                "dns": {
                    "zone_id": self.zone.zone_name if self.zone else None,
                    "domain": self.config.cloud.domain,
                    "target_address": address.address.address if address else None,
                    "name_servers": self.zone.name_servers if self.zone else [],
                },
                "image": self.image,
                "tags": self.tags,
            }
            | self.compute.runtime()
        )

    def load_balancer_names(self) -> dict[str, Any]:
        """What a load balancer that is made elsewhere, in the cluster, must know: names, since Kubernetes asks so."""
        application, management = self.application_address, self.management_address
        return {
            "address_name": application.address.name if application else None,
            "address": application.address.address if application else None,
            "certificate": self.tls.certificate_name if self.tls else None,
            "ssl_policy": self.tls.policy.name if self.tls else None,
            "security_policy": self.allow_list.policy.name if self.allow_list else None,
            "management_address_name": management.address.name if management else None,
            "management_address": management.address.address if management else None,
            "management_internal": management.internal if management else None,
            "management_subnetwork": self.network.outputs.subnetwork_name if management else None,
        }
