"""Stable names of core nodes: a private DNS namespace with one name a node, in AWS Cloud Map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_aws.service_discovery_private_dns_namespace import (
    ServiceDiscoveryPrivateDnsNamespace,
)
from cdktf_cdktf_provider_aws.service_discovery_service import (
    ServiceDiscoveryService,
    ServiceDiscoveryServiceDnsConfig,
    ServiceDiscoveryServiceDnsConfigDnsRecords,
)
from constructs import Construct

from aether_infra.core.node import peers


@frozen(kw_only=True)
class DiscoveryProps:
    """Props of `Discovery`."""

    name: str
    """Cluster's name: the namespace is `<name>.internal`."""
    vpc_id: str
    """VPC that resolves the names."""
    node_ids: Sequence[str]
    """Ids of the core nodes, such as `node-1`."""
    dns_ttl_seconds: int = 10
    """How long a resolver may keep an address: a node that was replaced is found after that."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class Discovery(Construct):
    """A private DNS name for each core node, which follows it from one address to the next.

    Whether a name is answered does not depend on health: nodes must find each other before they are ready.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
    (as of 2026-11).

    Attributes:
        namespace: the namespace.
        services: Cloud Map service of each node id.
        hosts: DNS name of each node id.
        domain: the namespace's name, end of every host's.
    """

    def __init__(self, scope: Construct, id_: str, props: DiscoveryProps) -> None:
        super().__init__(scope, id_)
        self.domain = domain = f"{props.name}.internal"
        self.namespace = ServiceDiscoveryPrivateDnsNamespace(
            self,
            "Resource",
            name=domain,
            vpc=props.vpc_id,
            description=f"Core nodes of Aether cluster {props.name}",
            tags=dict(props.tags),
        )
        self.hosts: dict[str, str] = {node_id: f"{node_id}.{domain}" for node_id in props.node_ids}
        self.services: dict[str, ServiceDiscoveryService] = {
            node_id: ServiceDiscoveryService(
                self,
                node_id,
                name=node_id,
                description=f"Core node {node_id} of Aether cluster {props.name}",
                dns_config=ServiceDiscoveryServiceDnsConfig(
                    namespace_id=self.namespace.id,
                    routing_policy="MULTIVALUE",
                    dns_records=[
                        ServiceDiscoveryServiceDnsConfigDnsRecords(type="A", ttl=props.dns_ttl_seconds)
                    ],
                ),
                force_destroy=True,
                tags=dict(props.tags),
            )
            for node_id in props.node_ids
        }

    def peers(self, port: int) -> str:
        """The peer list over these names.

        Args:
            port: the cluster port.
        """
        return peers(self.hosts, port)
