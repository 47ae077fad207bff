"""Network security groups: one per role, and who may talk to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from attrs import field, frozen
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import NodePorts
from aether_infra.oracle.bindings import core_network_security_group_security_rule as rule_l1
from aether_infra.oracle.bindings.core_network_security_group import CoreNetworkSecurityGroup
from aether_infra.oracle.bindings.data_oci_core_services import DataOciCoreServices, DataOciCoreServicesFilter
from aether_infra.oracle.network import ALL_SERVICES, ANYWHERE

HTTP, HTTPS = 80, 443
KUBERNETES_API = 6443
CONTROL_PLANE = 12250
"""Where OKE's control plane is told of a machine."""
KUBELET = 10250
KUBE_PROXY_HEALTH = 10256
"""Where a load balancer of OKE asks whether a machine can take traffic."""
NODE_PORTS = (30000, 32767)
LAST_PORT = 65535

ALL, ICMP, TCP, UDP = "all", "1", "6", "17"
"""Protocols, by IANA number. Source:
https://registry.terraform.io/providers/oracle/oci/8.28.0/docs/resources/core_network_security_group_security_rule
(as of 2026-11)."""
MTU = rule_l1.CoreNetworkSecurityGroupSecurityRuleIcmpOptions(type=3, code=4)
"""Fragmentation needed: without it, large packets vanish."""

Role = Literal["api", "load-balancer", "node-pods", "nodes", "pods"]
Ports = int | tuple[int, int] | None


@frozen(kw_only=True)
class SecurityOutputs:
    """Ids of the groups."""

    node_group_id: str
    """Group of the machines."""
    api_group_id: str | None = None
    """Group of the Kubernetes API; None without Kubernetes."""
    pod_group_id: str | None = None
    """Group of the pods on other machines than those of Aether's nodes; None without Kubernetes."""
    node_pod_group_id: str | None = None
    """Group of the pods on the machines of Aether's nodes; None without Kubernetes."""
    load_balancer_group_id: str | None = None
    """Group of the load balancer; None when nothing is published."""


@frozen(kw_only=True)
class SecurityProps:
    """Props of `Security`."""

    name: str
    """Cluster's name, head of every name."""
    compartment_id: str
    """Compartment of the groups."""
    vcn_id: str
    """VCN that the groups belong to."""
    vcn_cidr: str
    """The VCN's range: what nodes may reach besides HTTPS, such as a database."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node; an application port of None means that the application is not published."""
    kubernetes: bool = True
    """Groups for OKE: API, machines, pods of Aether's machines and of others; without, one for the machines."""
    internet: bool = True
    """Whether nodes may reach HTTPS anywhere; without, Oracle's own services alone."""
    tls: bool = False
    """The load balancer serves HTTPS: port 443 is opened beside 80."""
    authorized_cidrs: Sequence[str] = ()
    """Who may reach the Kubernetes API; default: the VCN."""
    allowed_cidrs: Sequence[str] = (ANYWHERE,)
    """Who may reach the application through the load balancer."""
    management_cidrs: Sequence[str] = ()
    """Who may reach the management port through the load balancer: nobody."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the groups."""


@frozen
class _Flow:
    """Traffic from one of our groups to another."""

    source: Role
    target: Role
    concern: str
    protocol: str = TCP
    ports: Ports = None


class Security(Construct):
    """One group per role; only what OKE and Aether need passes, by group wherever both ends are ours.

    Sources: https://docs.oracle.com/en-us/iaas/Content/ContEng/Concepts/contengnetworkconfig.htm (rules for
    VCN-native pods), the Aether node's documentation for its ports (as of 2026-11).

    Attributes:
        groups: groups by role: `nodes`, and what else there is of `api`, `pods`, `node-pods` and `load-balancer`.
        rules: every rule; what needs its traffic to pass waits for them.
        services: label of all of Oracle's services in the region.
        outputs: their ids.
    """

    def __init__(self, scope: Construct, id_: str, props: SecurityProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.rules: list[rule_l1.CoreNetworkSecurityGroupSecurityRule] = []
        self.groups: dict[Role, CoreNetworkSecurityGroup] = {
            role: self._group(role) for role in self._roles()
        }
        self.services: str = (
            DataOciCoreServices(
                self,
                "services",
                filter=[DataOciCoreServicesFilter(name="name", values=[ALL_SERVICES], regex=True)],
            )
            .services.get(0)
            .cidr_block
        )
        for flow in self._flows():
            self._link(flow)
        for role in self.groups:
            self._reach_out(role)
        if props.kubernetes:
            self._let_in("api", "kubernetes-api", KUBERNETES_API, self._api_sources())
        if "load-balancer" in self.groups:
            for concern, port, cidrs in self._public_ports():
                self._let_in("load-balancer", concern, port, _by_id(cidrs))
        self.outputs = SecurityOutputs(
            node_group_id=self.groups["nodes"].id,
            api_group_id=self._id("api"),
            pod_group_id=self._id("pods"),
            node_pod_group_id=self._id("node-pods"),
            load_balancer_group_id=self._id("load-balancer"),
        )

    def _id(self, role: Role) -> str | None:
        group = self.groups.get(role)
        return group.id if group else None

    def _roles(self) -> Iterator[Role]:
        if self._props.kubernetes:
            yield "api"
        yield "nodes"
        if self._props.kubernetes:
            yield "pods"
            yield "node-pods"
        if self._props.ports.application is not None or self._props.management_cidrs:
            yield "load-balancer"

    def _group(self, role: Role) -> CoreNetworkSecurityGroup:
        return CoreNetworkSecurityGroup(
            Construct(self, role),
            "Resource",
            compartment_id=self._props.compartment_id,
            vcn_id=self._props.vcn_id,
            display_name=physical_name(self._props.name, role),
            freeform_tags=dict(self._props.tags),
        )

    def _flows(self) -> Iterator[_Flow]:
        flows = self._kubernetes_flows() if self._props.kubernetes else self._machine_flows()
        return (flow for flow in flows if flow.source in self.groups)

    def _kubernetes_flows(self) -> Iterator[_Flow]:
        # machines and pods are one network: DNS, metrics, kubelets. The pods of Aether's machines are apart, since
        # OKE's own network does not enforce a NetworkPolicy: cluster ports are open among them alone
        members: tuple[Role, ...] = ("nodes", "pods", "node-pods")
        for source in members:
            yield _Flow(source, "api", "kubernetes-api", TCP, KUBERNETES_API)
            yield _Flow(source, "api", "control-plane", TCP, CONTROL_PLANE)
            for target in members:
                if target != "node-pods" or source == "node-pods":
                    yield _Flow(source, target, "any", ALL)
                else:
                    yield from self._all_but_cluster_ports(source)
        yield _Flow("api", "nodes", "kubelet", TCP, KUBELET)
        yield _Flow("api", "nodes", "path-discovery", ICMP)
        yield _Flow("nodes", "api", "path-discovery", ICMP)
        yield _Flow("api", "pods", "webhooks", TCP)
        yield _Flow("load-balancer", "nodes", "node-ports", TCP, NODE_PORTS)
        yield _Flow("load-balancer", "nodes", "kube-proxy", TCP, KUBE_PROXY_HEALTH)
        for concern, port in self._node_ports():
            yield _Flow("load-balancer", "node-pods", concern, TCP, port)

    def _all_but_cluster_ports(self, source: Role) -> Iterator[_Flow]:
        ports = self._props.ports
        for name, protocol, closed in (
            ("tcp", TCP, (ports.cluster,)),
            ("udp", UDP, (ports.cluster, ports.swim)),
        ):
            for number, between in enumerate(_between(closed), start=1):
                yield _Flow(source, "node-pods", f"{name}-{number}", protocol, between)

    def _machine_flows(self) -> Iterator[_Flow]:
        ports = self._props.ports
        yield _Flow("nodes", "nodes", "cluster-tcp", TCP, ports.cluster)
        yield _Flow("nodes", "nodes", "cluster-quic", UDP, ports.cluster)
        yield _Flow("nodes", "nodes", "cluster-swim", UDP, ports.swim)
        for concern, port in self._node_ports():
            yield _Flow("load-balancer", "nodes", concern, TCP, port)

    def _node_ports(self) -> Iterator[tuple[str, int]]:
        """What the load balancer reaches: the management port is always asked for health."""
        yield "management", self._props.ports.management
        if self._props.ports.application is not None:
            yield "application", self._props.ports.application

    def _public_ports(self) -> Iterator[tuple[str, int, Sequence[str]]]:
        props = self._props
        if props.ports.application is not None:
            yield "public-http", HTTP, props.allowed_cidrs
            if props.tls:
                yield "public-https", HTTPS, props.allowed_cidrs
        if props.management_cidrs:
            yield "public-management", props.ports.management, props.management_cidrs

    def _link(self, flow: _Flow) -> None:
        """Let one group reach another: a rule at each end."""
        source, target = self.groups[flow.source], self.groups[flow.target]
        scope = Construct(self, f"{flow.source}-to-{flow.target}-{flow.concern}")
        options = _options(flow.protocol, flow.ports)
        self._rule(
            scope,
            "egress",
            network_security_group_id=source.id,
            direction="EGRESS",
            description=f"{flow.concern} to {flow.target}",
            protocol=flow.protocol,
            destination=target.id,
            destination_type="NETWORK_SECURITY_GROUP",
            **options,
        )
        self._rule(
            scope,
            "ingress",
            network_security_group_id=target.id,
            direction="INGRESS",
            description=f"{flow.concern} from {flow.source}",
            protocol=flow.protocol,
            source=source.id,
            source_type="NETWORK_SECURITY_GROUP",
            **options,
        )

    def _reach_out(self, role: Role) -> None:
        """What lies outside of our groups: Oracle's services, the VCN, HTTPS, and word of a path's MTU."""
        scope, group_id = Construct(self, f"{role}-outside"), self.groups[role].id
        for concern, (kind, destination, ports) in self._outside(role).items():
            self._rule(
                scope,
                concern,
                network_security_group_id=group_id,
                direction="EGRESS",
                description=concern,
                protocol=TCP,
                destination=destination,
                destination_type=kind,
                **_options(TCP, ports),
            )
        self._rule(
            scope,
            "path-discovery",
            network_security_group_id=group_id,
            direction="INGRESS",
            description="path-discovery",
            protocol=ICMP,
            source=ANYWHERE if role == "load-balancer" else self._props.vcn_cidr,
            source_type="CIDR_BLOCK",
            icmp_options=MTU,
        )

    def _outside(self, role: Role) -> dict[str, tuple[str, str, Ports]]:
        """Kind of destination, destination and port, by concern."""
        if role == "load-balancer":
            return {}
        found: dict[str, tuple[str, str, Ports]] = {"services": ("SERVICE_CIDR_BLOCK", self.services, HTTPS)}
        if role != "api":
            found["vcn"] = ("CIDR_BLOCK", self._props.vcn_cidr, None)
            if self._props.internet:
                found["https"] = ("CIDR_BLOCK", ANYWHERE, HTTPS)
        return found

    def _api_sources(self) -> Mapping[str, str]:
        return _by_id(self._props.authorized_cidrs) or {"vcn": self._props.vcn_cidr}

    def _let_in(self, role: Role, concern: str, port: int, cidrs: Mapping[str, str]) -> None:
        scope = Construct(self, f"{role}-{concern}")
        for id_, cidr in cidrs.items():
            self._rule(
                scope,
                id_,
                network_security_group_id=self.groups[role].id,
                direction="INGRESS",
                description=concern,
                protocol=TCP,
                source=cidr,
                source_type="CIDR_BLOCK",
                **_options(TCP, port),
            )

    def _rule(self, scope: Construct, id_: str, **arguments: Any) -> None:
        self.rules.append(rule_l1.CoreNetworkSecurityGroupSecurityRule(scope, id_, **arguments))


def _between(closed: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The ranges of ports that hold none of the closed ones."""
    low = 1
    for port in (*sorted(closed), LAST_PORT + 1):
        if low < port:
            yield low, port - 1
        low = port + 1


def _by_id(cidrs: Sequence[str]) -> dict[str, str]:
    """Ranges by construct id, which may not hold a slash."""
    return {cidr.replace("/", "_"): cidr for cidr in cidrs}


def _options(protocol: str, ports: Ports) -> dict[str, Any]:
    """The arguments that say which ports; none for all of them."""
    if protocol == ICMP:
        return {"icmp_options": MTU}
    if ports is None:
        return {}
    low, high = (ports, ports) if isinstance(ports, int) else ports
    if protocol == TCP:
        tcp_range = rule_l1.CoreNetworkSecurityGroupSecurityRuleTcpOptionsDestinationPortRange(
            min=low, max=high
        )
        return {
            "tcp_options": rule_l1.CoreNetworkSecurityGroupSecurityRuleTcpOptions(
                destination_port_range=tcp_range
            )
        }
    udp_range = rule_l1.CoreNetworkSecurityGroupSecurityRuleUdpOptionsDestinationPortRange(min=low, max=high)
    return {
        "udp_options": rule_l1.CoreNetworkSecurityGroupSecurityRuleUdpOptions(
            destination_port_range=udp_range
        )
    }
