"""Network security group of the nodes: who may talk to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_azurerm.network_security_group import NetworkSecurityGroup
from cdktf_cdktf_provider_azurerm.network_security_rule import NetworkSecurityRule
from cdktf_cdktf_provider_azurerm.subnet_network_security_group_association import (
    SubnetNetworkSecurityGroupAssociation,
)
from constructs import Construct

from aether_infra.azure.sources import ANYWHERE, merged
from aether_infra.core.names import physical_name

INTERNET = "Internet"
BALANCER = "AzureLoadBalancer"
"""Where health checks of load balancers come from."""
LOWEST_PRIORITY = 4096


@frozen(kw_only=True)
class PeerRule:
    """What nodes may send to each other."""

    protocol: str = "*"
    """`Tcp`, `Udp` or `*`."""
    port: str = "*"
    """A port, or `*`."""


@frozen(kw_only=True)
class SecurityProps:
    """Props of `Security`."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the group."""
    subnet_id: str | None = None
    """Subnet that the group guards; default: none, it is put on network interfaces."""
    published: Mapping[str, tuple[int, Sequence[str]]] = field(factory=dict)
    """Ports as they arrive at a machine, and the networks that may reach each, by concern."""
    probed_port: int | None = None
    """Port that load balancers' health checks ask; default: any."""
    peers: Mapping[str, PeerRule] = field(factory=lambda: {"nodes": PeerRule()})
    """What nodes may send to each other, by concern."""
    peer_cidrs: Sequence[str] = ()
    """Ranges of nodes and pods; either these or `peer_group_ids`."""
    peer_group_ids: Sequence[str] = ()
    """Application security groups of the nodes."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the group."""


class Security(Construct):
    """A network security group that lets in what is listed, and nothing else: not even the rest of the network.

    A load balancer of Azure leaves the sender's address as it is, so users are let in by their own addresses. Sources:
    https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-best-practices,
    https://learn.microsoft.com/en-us/azure/aks/concepts-network-azure-cni-overlay#network-security-groups
    (as of 2026-11).

    Attributes:
        group: the group.
        rules: its rules by concern.
        ready: what must be there before a node needs the network.
    """

    def __init__(self, scope: Construct, id_: str, props: SecurityProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._priority = 100
        self.group = NetworkSecurityGroup(
            self,
            "Resource",
            name=physical_name(props.name, "nodes", limit=80),
            resource_group_name=props.resource_group,
            location=props.location,
            tags=dict(props.tags),
        )
        self.rules: dict[str, NetworkSecurityRule] = {}
        self._peers()
        probed = "*" if props.probed_port is None else str(props.probed_port)
        self._rule("load-balancer-probes", "Tcp", probed, {"source_address_prefix": BALANCER})
        for concern, (port, cidrs) in props.published.items():
            if cidrs:
                self._rule(concern, "Tcp", str(port), _sources(cidrs))
        self._deny()
        if props.subnet_id is not None:
            SubnetNetworkSecurityGroupAssociation(
                self, "subnet", subnet_id=props.subnet_id, network_security_group_id=self.group.id
            ).node.add_dependency(*self.rules.values())
        self.ready = list(self.rules.values())

    def _peers(self) -> None:
        props = self._props
        groups, cidrs = list(props.peer_group_ids), list(props.peer_cidrs)
        ends = (
            {
                "source_application_security_group_ids": groups,
                "destination_application_security_group_ids": groups,
            }
            if groups
            else {"source_address_prefixes": cidrs, "destination_address_prefixes": cidrs}
        )
        for concern, peer in props.peers.items():
            self._rule(f"peers-{concern}", peer.protocol, peer.port, ends)

    def _deny(self) -> None:
        self._priority = LOWEST_PRIORITY
        self._rule("everything-else", "*", "*", {"source_address_prefix": "*"}, access="Deny")

    def _rule(
        self,
        concern: str,
        protocol: str,
        port: str,
        ends: Mapping[str, str | list[str]],
        *,
        access: str = "Allow",
    ) -> None:
        to_any = not any(end.startswith("destination") for end in ends)
        arguments = {**ends, **({"destination_address_prefix": "*"} if to_any else {})}
        self.rules[concern] = NetworkSecurityRule(
            self,
            concern,
            name=f"{access.lower()}-{concern}",
            resource_group_name=self._props.resource_group,
            network_security_group_name=self.group.name,
            priority=self._priority,
            direction="Inbound",
            access=access,
            protocol=protocol,
            source_port_range="*",
            destination_port_range=port,
            **arguments,  # type: ignore[arg-type]
        )
        self._priority += 10


def _sources(cidrs: Sequence[str]) -> dict[str, str | list[str]]:
    """Everyone has a name of its own; that range would also mean our own network."""
    networks = merged(cidrs)
    if ANYWHERE in networks:
        return {"source_address_prefix": INTERNET}
    return {"source_address_prefixes": networks}
