"""The whole of DigitalOcean from one configuration. Reads as a table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_digitalocean.provider import DigitaloceanProvider
from cdktf_cdktf_provider_digitalocean.tag import Tag
from constructs import Construct

from aether_infra.catalog import digitalocean as catalog
from aether_infra.cdk.outputs import InfrastructureOutputs, publish
from aether_infra.cdk.stack import ClusterStack
from aether_infra.cdk.text import literal
from aether_infra.config import AetherConfig, DigitaloceanConfig, Provider
from aether_infra.core.names import physical_name
from aether_infra.digitalocean.dns import (
    AddressRecord,
    AddressRecordProps,
    Certificate,
    CertificateProps,
    Zone,
    parent_zone,
)
from aether_infra.digitalocean.load_balancer import LoadBalancer, LoadBalancerProps
from aether_infra.digitalocean.network import ExistingNetwork, Network, NetworkProps
from aether_infra.digitalocean.project import Project, ProjectProps
from aether_infra.digitalocean.registry import ExistingRegistry, Registry, RegistryProps

if TYPE_CHECKING:
    from aether_infra.digitalocean.doks import DoksCluster
    from aether_infra.digitalocean.droplets import DropletCluster
    from aether_infra.digitalocean.manager import Manager
    from aether_infra.digitalocean.monitoring import Monitoring


class DigitaloceanStack(ClusterStack):
    """Everything that `[cloud.digitalocean]` describes; one attribute a part, for escape hatches and tests.

    Attributes:
        network, registry, project, machine_tag, zone, compute, load_balancers, monitoring: the parts. What a
            configuration leaves out is None; load balancers are by concern.
    """

    provider: ClassVar[Provider] = Provider.DIGITALOCEAN

    def __init__(self, scope: Construct, id_: str, config: AetherConfig) -> None:
        """Declare the stack.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has a `[cloud.digitalocean]` table.

        Raises:
            ConfigError: it has none.
        """
        super().__init__(scope, id_, config)
        own = self.section
        if not isinstance(own, DigitaloceanConfig):
            raise TypeError(f"not the table of DigitalOcean: {own!r}")
        self.own = own

        DigitaloceanProvider(self, "digitalocean")
        self.network = self._network()
        self.registry = self._registry()
        self.image = (
            config.cloud.image or f"{self.registry.outputs.endpoint}/{self.repository}:{catalog.LATEST}"
        )
        self.project = Project(self, "project", ProjectProps(name=self.name, project_id=own.project_id))
        self.machine_tag = Tag(self, "machine-tag", name=physical_name(self.name, "node"))
        # whoever is taken out of traffic stays behind the firewall
        self.traffic_tag = self._tag_of_manager("traffic") or self.machine_tag
        self.manager_tag = self._tag_of_manager("manager")
        self.ssh_keys = self._ssh_keys()
        self.zone = self._zone()
        self.certificate_name = self._certificate()
        self.load_balancers = self._load_balancers()
        self.compute = self._compute()
        self.manager = self._manager()
        self.record = self._record()
        self.monitoring = self._monitoring()
        self._group()
        # what elastic droplets are made of holds credentials that pull from the registry
        publish(self, self._outputs(), secret=["runtime"] if self.manager else ())

    @property
    def repository(self) -> str:
        """The node's repository, below the account's registry."""
        return physical_name(self.name, "node")

    @property
    def registry_name(self) -> str:
        """Name of the account's registry."""
        return self.own.registry_name or catalog.registry_name(self.name)

    def registry_dependencies(self) -> Sequence[ITerraformDependable]:
        """What must be there before anything pulls from the registry."""
        return [self.registry.registry] if isinstance(self.registry, Registry) else []

    def _network(self) -> Network | ExistingNetwork:
        if self.own.vpc_id:
            return ExistingNetwork(self, "network", vpc_id=self.own.vpc_id)
        return Network(
            self,
            "network",
            NetworkProps(name=self.name, region=self.own.region, ip_range=self.own.vpc_cidr),
        )

    def _registry(self) -> Registry | ExistingRegistry:
        own = self.own
        if not own.create_registry:
            return ExistingRegistry(self, "registry", name=self.registry_name)
        return Registry(
            self,
            "registry",
            RegistryProps(
                name=self.registry_name,
                tier=own.registry_tier,
                region=own.region if own.region in catalog.REGISTRY_REGIONS else None,
                protect=self.config.cloud.protect,
            ),
        )

    @property
    def zone_name(self) -> str | None:
        """The zone of the domain; None where DNS is somebody else's, or nothing is published."""
        domain = self.config.cloud.domain
        if not domain or not self.own.manage_dns or self.ports.application is None:
            return None
        return self.own.dns_zone or parent_zone(domain)

    def _zone(self) -> Zone | None:
        return Zone(self, "zone", name=self.zone_name) if self.zone_name else None

    def _certificate(self) -> str | None:
        domain = self.config.cloud.domain
        if self.own.certificate_name or self.zone is None or not domain:
            return self.own.certificate_name
        certificate = Certificate(self, "certificate", CertificateProps(name=self.name, domain=domain))
        certificate.node.add_dependency(self.zone)
        return certificate.certificate_name

    def _load_balancers(self) -> dict[str, LoadBalancer]:
        """One for users, and one for operators where these are named: the lists of who may in differ."""
        balancers = {}
        if self.ports.application is not None:
            balancers["application"] = self._load_balancer("application", self.own.allowed_cidrs)
        if self.own.management_cidrs:
            balancers["management"] = self._load_balancer("management", self.own.management_cidrs)
        return balancers

    def _load_balancer(
        self, concern: Literal["application", "management"], sources: Sequence[str]
    ) -> LoadBalancer:
        targets = self._target_ports()
        return LoadBalancer(
            self,
            f"load-balancer-{concern}",
            LoadBalancerProps(
                name=self.name,
                concern=concern,
                region=self.own.region,
                vpc_id=self.network.outputs.vpc_id,
                machine_tag=self.traffic_tag.name,
                target_port=targets[concern],
                port=self.ports.management,
                health_port=targets["management"],
                health=self.health,
                sources=sources,
                certificate_name=self.certificate_name if concern == "application" else None,
                nodes=self.own.load_balancer_nodes,
            ),
        )

    def _target_ports(self) -> dict[str, int]:
        # only the kind that is wanted: the other's bindings would cost time
        if self.own.compute == "vm":
            return {"management": self.ports.management} | (
                {} if self.ports.application is None else {"application": self.ports.application}
            )
        from aether_infra.digitalocean import compute_doks  # noqa: PLC0415

        return compute_doks.TARGET_PORTS

    def _compute(self) -> DoksCluster | DropletCluster:
        if self.own.compute == "vm":
            from aether_infra.digitalocean import compute_vm  # noqa: PLC0415

            return compute_vm.declare(self)
        from aether_infra.digitalocean import compute_doks  # noqa: PLC0415

        return compute_doks.declare(self)

    def _tag_of_manager(self, concern: str) -> Tag | None:
        """A tag that only the runtime manager needs; None without one."""
        if not self.managed or self.own.compute != "vm":
            return None
        return Tag(self, f"{concern}-tag", name=physical_name(self.name, concern))

    def _ssh_keys(self) -> tuple[str, ...]:
        """SSH keys of droplets; those that nobody holds, where none are named."""
        if self.own.compute != "vm" or self.own.ssh_key_ids:
            return self.own.ssh_key_ids
        from aether_infra.digitalocean.ssh import NobodysKey  # noqa: PLC0415 - bindings cost time

        return (NobodysKey(self, "ssh-key", name=self.name).key.fingerprint,)

    def _manager(self) -> Manager | None:
        """The runtime manager; in Kubernetes it is part of the workload."""
        if self.manager_tag is None:
            return None
        from aether_infra.digitalocean import compute_manager  # noqa: PLC0415 - as above

        return compute_manager.declare(self, self.manager_tag, self._runtime())

    def _record(self) -> AddressRecord | None:
        balancer, domain = self.load_balancers.get("application"), self.config.cloud.domain
        if self.zone is None or self.zone_name is None or balancer is None or not domain:
            return None
        return AddressRecord(
            self,
            "record",
            AddressRecordProps(
                domain=domain, zone=self.zone_name, zone_ref=self.zone.name, address=balancer.outputs.ip
            ),
        )

    def _monitoring(self) -> Monitoring | None:
        if not self.own.alert_emails:
            return None
        from aether_infra.digitalocean import monitoring  # noqa: PLC0415

        return monitoring.Monitoring(
            self,
            "monitoring",
            monitoring.MonitoringProps(
                name=self.name,
                emails=[literal(address) for address in self.own.alert_emails],
                load_balancer_ids={
                    concern: balancer.outputs.id for concern, balancer in self.load_balancers.items()
                },
                droplet_tag=self.machine_tag.name if self.own.compute == "vm" else None,
                url=self._application_url() if self._callable() else None,
            ),
        )

    def _callable(self) -> bool:
        """Whether DigitalOcean's uptime checks, and so the world, may call the application; by HTTPS only by a name."""
        named = self.config.cloud.domain is not None or self.certificate_name is None
        return named and "application" in self.load_balancers and "0.0.0.0/0" in self.own.allowed_cidrs

    def _group(self) -> None:
        balancers = [balancer.outputs.urn for balancer in self.load_balancers.values()]
        own = self.manager.urns if self.manager else []
        self.project.adopt([*self.compute.urns, *balancers, *own])

    def _application_url(self) -> str:
        balancer = self.load_balancers.get("application")
        if balancer is None:
            return ""
        scheme = "https" if self.certificate_name else "http"
        return f"{scheme}://{self.config.cloud.domain or balancer.outputs.ip}"

    def _outputs(self) -> InfrastructureOutputs:
        return InfrastructureOutputs(
            cluster_name=self.name,
            provider=Provider.DIGITALOCEAN.value,
            region=self.own.region,
            application_url=self._application_url(),
            registry_url=f"{self.registry.outputs.endpoint}/{self.repository}",
            network_id=self.network.outputs.vpc_id,
            runtime=self._runtime()
            | self.reach_manager(self.manager.droplet.ipv4_address_private if self.manager else None),
        )

    def _runtime(self) -> dict[str, Any]:
        balancer = self.load_balancers.get("application")
        return self.kubernetes_facts(
            self.facts()
            | {
                "project_id": self.project.project_id,
                "network_id": self.network.outputs.vpc_id,
                # a VPC has no subnets, and a firewall goes by the machines' tag
                "subnet_ids": [],
                "security_group_ids": [],
                "machine_tag": self.machine_tag.name,
                **({"load_balancer_tag": self.traffic_tag.name} if self.manager_tag else {}),
                "load_balancer_ids": {
                    concern: self.load_balancers[concern].outputs.id
                    if concern in self.load_balancers
                    else None
                    for concern in ("application", "management")
                },
                "dns": {
                    "zone_id": self.zone.name if self.zone else None,
                    "domain": self.config.cloud.domain,
                    "target_address": balancer.outputs.ip if balancer else None,
                },
                "image": self.image,
                "tags": self.tags,
                "kubernetes": self._kubernetes(),
            }
            | self.compute.runtime()
        )

    def _kubernetes(self) -> dict[str, Any] | None:
        cluster = self.compute.kubernetes()
        if cluster is None:
            return None
        return cluster | {
            "pull_secret": self.registry.outputs.name,
            "load_balancer": {
                # load balancers call pods from an address of the VPC
                "source_range": self.network.outputs.ip_range,
                **self._target_ports(),
            },
        }
