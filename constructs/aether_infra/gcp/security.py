"""Who may talk to whom: firewall rules that name machines by their service account."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_google.compute_firewall import ComputeFirewall, ComputeFirewallAllow
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import NodePorts
from aether_infra.gcp.ranges import PASSTHROUGH_PROBE_RANGES, PROXY_RANGES


@frozen(kw_only=True)
class FirewallProps:
    """Props of `Firewall`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """Project of the network."""
    network_id: str
    """The network, which lets nothing in but by rule."""
    node_service_account: str
    """E-mail address of the machines' service account: whom the rules are about."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node."""
    peers: bool = False
    """Whether machines are nodes, which talk to each other on the cluster ports. Pods have a NetworkPolicy instead."""
    management_cidrs: Sequence[str] = ()
    """IPv4 networks that reach the management port, through a load balancer that keeps their address. Only for
    machines that are nodes: Kubernetes Engine makes such rules by itself."""


class Firewall(Construct):
    """Firewall rules: the load balancer to the nodes' ports, and the cluster ports between nodes alone.

    Sources: https://cloud.google.com/firewall/docs/firewalls,
    https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges (as of 2026-11).

    Attributes:
        load_balancer: lets Google's proxies and health checks in; None where pods run and nothing is published.
        peers: lets nodes talk to each other; None where pods do.
        management: lets operators in; None where nobody may.
    """

    def __init__(self, scope: Construct, id_: str, props: FirewallProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        ports = props.ports
        asked = [port for port in (ports.management, ports.application) if port is not None]
        self.load_balancer: ComputeFirewall | None = None
        self.peers: ComputeFirewall | None = None
        self.management: ComputeFirewall | None = None
        if props.peers or ports.application is not None:
            self.load_balancer = self._rule(
                "load-balancer",
                "Google's load balancers and health checks",
                {"tcp": asked},
                source_ranges=list(PROXY_RANGES),
            )
        if props.peers:
            self.peers = self._rule(
                "peers",
                "Cluster ports between nodes",
                {"tcp": [ports.cluster], "udp": [ports.cluster, ports.swim]},
                source_service_accounts=[props.node_service_account],
            )
        if props.management_cidrs:
            self.management = self._rule(
                "management",
                "Operators, and health checks of the management port's load balancer",
                {"tcp": [ports.management]},
                source_ranges=sorted({*props.management_cidrs, *PASSTHROUGH_PROBE_RANGES}),
            )

    def _rule(
        self,
        concern: str,
        description: str,
        ports: dict[str, list[int]],
        *,
        source_ranges: list[str] | None = None,
        source_service_accounts: list[str] | None = None,
    ) -> ComputeFirewall:
        props = self._props
        return ComputeFirewall(
            self,
            concern,
            project=props.project,
            name=physical_name(props.name, concern),
            description=f"Aether cluster {props.name}: {description}",
            network=props.network_id,
            direction="INGRESS",
            allow=[
                ComputeFirewallAllow(protocol=protocol, ports=[str(port) for port in numbers])
                for protocol, numbers in ports.items()
            ],
            source_ranges=source_ranges,
            source_service_accounts=source_service_accounts,
            target_service_accounts=[props.node_service_account],
        )
