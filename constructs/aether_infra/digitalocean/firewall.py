"""The firewall of droplets: it goes by tag, so that machines of the autoscaler are behind it from their start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_digitalocean.firewall import Firewall, FirewallInboundRule, FirewallOutboundRule
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import NodePorts

SSH = 22
ALL_PORTS = "1-65535"
EVERYWHERE = ("0.0.0.0/0", "::/0")


@frozen(kw_only=True)
class NodeFirewallProps:
    """Props of `NodeFirewall`."""

    name: str
    """Cluster's name."""
    machine_tag: str
    """Tag of the cluster's droplets: the firewall is around them, and lets them talk to each other."""
    ports: NodePorts
    """Ports of a node."""
    exchange_port: int
    """TCP port of the peer exchange."""
    load_balancer_ids: Mapping[str, str] = field(factory=dict)
    """Load balancers by concern: all ask for health, `application` reaches the application."""
    ssh_cidrs: Sequence[str] = ()
    """IPv4 networks that may use SSH; default: nobody."""
    manager_tag: str | None = None
    """Tag of the runtime manager's droplet, which asks the management port; None without one."""


class NodeFirewall(Construct):
    """What is not let in here stays out, also of the droplets' public addresses.

    Source: https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/firewall
    (as of 2026-11).

    Attributes:
        firewall: the firewall.
    """

    def __init__(self, scope: Construct, id_: str, props: NodeFirewallProps) -> None:
        super().__init__(scope, id_)
        self.firewall = Firewall(
            self,
            "Resource",
            name=physical_name(props.name, "nodes"),
            tags=[props.machine_tag],
            inbound_rule=[*_from_nodes(props), *_from_load_balancers(props), *_from_operators(props)],
            outbound_rule=[
                FirewallOutboundRule(
                    protocol=protocol,
                    port_range=None if protocol == "icmp" else ALL_PORTS,
                    destination_addresses=list(EVERYWHERE),
                )
                for protocol in ("icmp", "tcp", "udp")
            ],
        )


def _from_nodes(props: NodeFirewallProps) -> Iterator[FirewallInboundRule]:
    ports = props.ports
    for protocol, port in (
        ("tcp", ports.cluster),
        ("tcp", props.exchange_port),
        ("udp", ports.cluster),
        ("udp", ports.swim),
    ):
        yield FirewallInboundRule(protocol=protocol, port_range=str(port), source_tags=[props.machine_tag])


def _from_load_balancers(props: NodeFirewallProps) -> Iterator[FirewallInboundRule]:
    ids = props.load_balancer_ids
    reached: list[tuple[int | None, list[str]]] = [(props.ports.management, list(ids.values()))]
    if "application" in ids:
        reached.append((props.ports.application, [ids["application"]]))
    for port, callers in reached:
        if port is not None and callers:
            yield FirewallInboundRule(protocol="tcp", port_range=str(port), source_load_balancer_uids=callers)


def _from_operators(props: NodeFirewallProps) -> Iterator[FirewallInboundRule]:
    if props.manager_tag:
        yield FirewallInboundRule(
            protocol="tcp", port_range=str(props.ports.management), source_tags=[props.manager_tag]
        )
    if props.ssh_cidrs:
        yield FirewallInboundRule(protocol="tcp", port_range=str(SSH), source_addresses=list(props.ssh_cidrs))
