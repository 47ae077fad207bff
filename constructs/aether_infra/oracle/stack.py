"""The whole of Oracle Cloud from one configuration. Reads as a table of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from constructs import Construct

from aether_infra.catalog import oracle as catalog
from aether_infra.cdk.outputs import InfrastructureOutputs, publish
from aether_infra.cdk.stack import ClusterStack
from aether_infra.config import AetherConfig, OracleConfig, Provider, oracle_zones
from aether_infra.core.names import physical_name
from aether_infra.oracle import logs
from aether_infra.oracle.address import ReservedAddress, ReservedAddressProps
from aether_infra.oracle.bindings.data_oci_identity_availability_domains import (
    DataOciIdentityAvailabilityDomains,
)
from aether_infra.oracle.bindings.identity_policy import IdentityPolicy
from aether_infra.oracle.bindings.provider import OciProvider
from aether_infra.oracle.identity import HomeRegion, MachineGroup, MachineGroupProps, Policy, PolicyProps
from aether_infra.oracle.logs import ServiceLogs, ServiceLogsProps
from aether_infra.oracle.network import ExistingNetwork, ExistingNetworkProps, Network, NetworkProps
from aether_infra.oracle.registry import Registry, RegistryProps
from aether_infra.oracle.rights import pull_statement
from aether_infra.oracle.security import Security, SecurityProps

if TYPE_CHECKING:
    from aether_infra.oracle.compute_oke import OkeCompute
    from aether_infra.oracle.compute_vm import VmCompute
    from aether_infra.oracle.manager import Manager


class OracleStack(ClusterStack):
    """Everything that `[cloud.oracle]` describes; one attribute a part, for escape hatches and tests.

    Attributes:
        network, security, registry, machine_group, logs, addresses, compute, manager: the parts.
        home: provider of the tenancy's home region, where rights are written.
    """

    provider: ClassVar[Provider] = Provider.ORACLE

    def __init__(self, scope: Construct, id_: str, config: AetherConfig) -> None:
        """Declare the stack.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has a `[cloud.oracle]` table.

        Raises:
            ConfigError: it has none.
        """
        super().__init__(scope, id_, config)
        oracle = self.section
        if not isinstance(oracle, OracleConfig):
            raise TypeError(f"not the table of Oracle Cloud: {oracle!r}")
        self.oracle = oracle

        OciProvider(self, "oci", region=oracle.region)
        home = oracle.home_region or HomeRegion(self, "home-region", tenancy_id=oracle.tenancy_id).name
        self.home = OciProvider(self, "oci-home", alias="home", region=home)
        self.availability_domains = self._availability_domains()
        self.network = self._network()
        self.security = self._security()
        self.registry = self._registry()
        self.image = config.cloud.image or f"{self.registry.outputs.repository_url}:latest"
        self.machine_group = self._machine_group()
        self.pull_right = self._pull_right()
        self.logs = self._logs()
        self.addresses = self._addresses()
        self.compute = self._compute()
        self.dns = self._dns()
        self.manager = self._manager()
        publish(self, self._outputs())

    def policy(self, id_: str, concern: str, statements: list[str]) -> IdentityPolicy:
        """Give rights, in the tenancy's root compartment: they may speak of secrets and keys anywhere.

        Args:
            id_: the construct's id.
            concern: part of the policy's name.
            statements: the rights.

        Returns:
            The policy, for what must not exist without it.
        """
        return Policy(
            self,
            id_,
            PolicyProps(
                name=physical_name(self.name, concern, self.oracle.region, limit=100),
                compartment_id=self.oracle.tenancy_id,
                statements=statements,
                purpose=f"Aether cluster {self.name} in {self.oracle.region}: {concern}",
                provider=self.home,
                tags=self.tags,
            ),
        ).policy

    def _availability_domains(self) -> tuple[str, ...]:
        domains = DataOciIdentityAvailabilityDomains(
            self, "availability-domains", compartment_id=self.oracle.tenancy_id
        ).availability_domains
        return tuple(domains.get(zone.slot).name for zone in oracle_zones(self.oracle))

    @property
    def kubernetes(self) -> bool:
        """Whether nodes are pods."""
        return self.oracle.compute == "oke"

    def _network(self) -> Network | ExistingNetwork:
        oracle = self.oracle
        if oracle.vcn_id:
            return ExistingNetwork(
                self,
                "network",
                ExistingNetworkProps(
                    vcn_id=oracle.vcn_id,
                    node_subnet_id=oracle.node_subnet_id or "",
                    load_balancer_subnet_id=oracle.load_balancer_subnet_id or "",
                    api_subnet_id=oracle.api_subnet_id,
                    pod_subnet_id=oracle.pod_subnet_id,
                ),
            )
        return Network(
            self,
            "network",
            NetworkProps(
                name=self.name,
                compartment_id=oracle.compartment_id,
                cidr=oracle.vpc_cidr,
                kubernetes=self.kubernetes,
                public_api=oracle.endpoint_public,
                nat=oracle.nat != "none",
                tags=self.tags,
            ),
        )

    def _security(self) -> Security:
        oracle, network = self.oracle, self.network.outputs
        return Security(
            self,
            "security",
            SecurityProps(
                name=self.name,
                compartment_id=oracle.compartment_id,
                vcn_id=network.vcn_id,
                vcn_cidr=network.vcn_cidr,
                ports=self.ports,
                kubernetes=self.kubernetes,
                internet=oracle.nat != "none",
                tls=bool(oracle.certificate_id or oracle.tls_secret),
                authorized_cidrs=oracle.authorized_cidrs,
                allowed_cidrs=oracle.allowed_cidrs,
                management_cidrs=oracle.management_cidrs,
                tags=self.tags,
            ),
        )

    def _registry(self) -> Registry:
        oracle = self.oracle
        return Registry(
            self,
            "registry",
            RegistryProps(
                repository=oracle.ocir_repository or f"{self.name}-node",
                compartment_id=oracle.compartment_id,
                region=oracle.region,
                realm=catalog.realm(oracle.tenancy_id),
                protect=self.config.cloud.protect,
                tags=self.tags,
            ),
        )

    def _machine_group(self) -> MachineGroup:
        return MachineGroup(
            self,
            "machine-group",
            MachineGroupProps(
                name=physical_name(self.name, "machines", self.oracle.region, limit=100),
                tenancy_id=self.oracle.tenancy_id,
                compartment_id=self.oracle.compartment_id,
                provider=self.home,
                tags=self.tags,
            ),
        )

    @property
    def image_repositories(self) -> tuple[str, ...]:
        """Repositories of OCIR that machines pull from: ours, and that of the configured image."""
        own = self.registry.outputs.repository_url
        image = self.config.cloud.image
        if image is None or catalog.ocir_repository(image) is None:
            return (own,)
        return (own, catalog.untagged(image))

    def _pull_right(self) -> IdentityPolicy:
        registry, principal = self.registry.outputs, self.machine_group.principal
        statements = [pull_statement(principal, self.oracle.compartment_id, registry.repository_name)]
        image = self.config.cloud.image
        other = catalog.ocir_repository(image) if image else None
        if other:
            statements.append(pull_statement(principal, self.oracle.tenancy_id, other))
        return self.policy("pull-right", "pull", statements)

    def _logs(self) -> ServiceLogs:
        kept = ServiceLogs(
            self,
            "logs",
            ServiceLogsProps(
                name=self.name,
                compartment_id=self.oracle.compartment_id,
                retention_days=self.config.cloud.log_retention_days,
                tags=self.tags,
            ),
        )
        if self.oracle.flow_logs and isinstance(self.network, Network):
            for role, subnet in self.network.subnets.items():
                kept.add(f"flows-{role}", logs.flows(subnet.id))
        return kept

    def _addresses(self) -> dict[str, ReservedAddress]:
        """Public addresses by what they lead to. A load balancer of Kubernetes leads to one service alone."""
        wanted = ["application"] if self.ports.application is not None else []
        if self.oracle.management_cidrs and (self.kubernetes or not wanted):
            wanted.append("management")
        return {
            concern: ReservedAddress(
                self,
                f"address-{concern}",
                ReservedAddressProps(
                    name=physical_name(self.name, concern),
                    compartment_id=self.oracle.compartment_id,
                    tags=self.tags,
                ),
            )
            for concern in wanted
        }

    def _compute(self) -> OkeCompute | VmCompute:
        # only the kind that is wanted: the other's bindings would cost time
        if not self.kubernetes:
            from aether_infra.oracle import compute_vm  # noqa: PLC0415

            return compute_vm.declare(self)
        from aether_infra.oracle import compute_oke  # noqa: PLC0415

        return compute_oke.declare(self)

    def _manager(self) -> Manager | None:
        """The runtime manager; in Kubernetes it is part of the workload."""
        if not self.managed or self.kubernetes:
            return None
        from aether_infra.oracle import compute_manager  # noqa: PLC0415 - as above

        return compute_manager.declare(self, self._runtime())

    def _dns(self) -> dict[str, Any]:
        """The application's record, and what the outputs say of it; DNS may be somebody else's."""
        domain, address = self.config.cloud.domain, self.addresses.get("application")
        told = {"zone_id": None, "domain": domain, "target": address.address if address else None}
        if not domain or not self.oracle.manage_dns or address is None:
            return told
        from aether_infra.oracle import dns  # noqa: PLC0415 - bindings cost time

        told["zone_id"] = self.oracle.dns_zone_id
        if self.oracle.dns_zone_id is None:
            props = dns.PublicZoneProps(
                domain=domain, compartment_id=self.oracle.compartment_id, tags=self.tags
            )
            zone = dns.PublicZone(self, "zone", props)
            told |= {"zone_id": zone.zone_id, "name_servers": zone.name_servers}
        dns.AddressRecord(
            self,
            "record",
            dns.AddressRecordProps(domain=domain, zone_id=told["zone_id"] or "", address=address.address),
        )
        return told

    def _application_url(self) -> str:
        address = self.addresses.get("application")
        if address is None:
            return ""
        scheme = "https" if self.oracle.certificate_id or self.oracle.tls_secret else "http"
        return f"{scheme}://{self.config.cloud.domain or address.address}"

    def _outputs(self) -> InfrastructureOutputs:
        return InfrastructureOutputs(
            cluster_name=self.name,
            provider=Provider.ORACLE.value,
            region=self.oracle.region,
            application_url=self._application_url(),
            registry_url=self.registry.outputs.repository_url,
            network_id=self.network.outputs.vcn_id,
            runtime=self._runtime()
            | self.reach_manager(self.manager.instance.private_ip if self.manager else None),
        )

    def _runtime(self) -> dict[str, Any]:
        return self.kubernetes_facts(
            self.facts()
            | {
                "compartment_id": self.oracle.compartment_id,
                "network_id": self.network.outputs.vcn_id,
                "subnet_ids": [self.network.outputs.node_subnet_id],
                "security_group_ids": [self.security.outputs.node_group_id],
                "availability_domains": list(self.availability_domains),
                "dns": self.dns,
                "image": self.image,
                "tags": self.tags,
                "kubernetes": self.compute.kubernetes(),
            }
            | self.compute.runtime()
        )
