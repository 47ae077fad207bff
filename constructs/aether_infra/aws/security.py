"""Security groups: who may talk to whom, by group reference wherever both ends are ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import NodePorts

ANYWHERE = "0.0.0.0/0"
HTTP = 80
HTTPS = 443


@frozen(kw_only=True)
class SecurityOutputs:
    """Ids of the groups."""

    node_security_group_id: str
    load_balancer_security_group_id: str | None


@frozen(kw_only=True)
class SecurityProps:
    """Props of `Security`."""

    name: str
    """Cluster's name, head of every name."""
    vpc_id: str
    """VPC that the groups belong to."""
    vpc_cidr: str
    """The VPC's range: what nodes may reach besides HTTPS, such as a database."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node; an application port of None means that the application is not published."""
    target_ports: NodePorts | None = None
    """Ports that the load balancer sends to, where they are not the node's own: Kubernetes' node ports."""
    tls: bool = False
    """The load balancer serves HTTPS: port 443 is opened beside 80, which then only redirects."""
    allowed_cidrs: Sequence[str] = (ANYWHERE,)
    """Who may reach the application through the load balancer."""
    management_cidrs: Sequence[str] = ()
    """Who may reach the management port through the load balancer: nobody."""
    egress_cidrs: Sequence[str] = ()
    """Further ranges that nodes may reach on any port."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class Security(Construct):
    """One group for nodes and, where something is published, one for the load balancer.

    Nodes accept the cluster's ports only from nodes, and the application and management ports only from the
    load balancer. They reach the internet by HTTPS alone, and the whole VPC by TCP.
    Source of the ports: the Aether node's documentation, see `aether_infra.core.node`.

    Attributes:
        nodes: the nodes' group.
        load_balancer: the load balancer's group; None when nothing is published.
        outputs: their ids.
    """

    def __init__(self, scope: Construct, id_: str, props: SecurityProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        published = props.ports.application is not None or bool(props.management_cidrs)
        self.nodes = self._group("nodes", "Aether nodes: cluster ports among themselves only")
        self.load_balancer = (
            self._group("load-balancer", "Load balancer in front of the Aether nodes") if published else None
        )
        self._peer_rules()
        self._node_egress()
        if self.load_balancer is not None:
            self._publish(self.load_balancer)
        self.outputs = SecurityOutputs(
            node_security_group_id=self.nodes.id,
            load_balancer_security_group_id=self.load_balancer.id if self.load_balancer else None,
        )

    def _group(self, concern: str, description: str) -> SecurityGroup:
        name = physical_name(self._props.name, concern)
        return SecurityGroup(
            self,
            concern,
            name=name,
            description=description,
            vpc_id=self._props.vpc_id,
            tags=self._tags | {"Name": name},
        )

    def _peer_rules(self) -> None:
        ports = self._props.ports
        scope = Construct(self, "peers")
        for concern, protocol, port in (
            ("cluster-tcp", "tcp", ports.cluster),
            ("cluster-quic", "udp", ports.cluster),
            ("cluster-swim", "udp", ports.swim),
        ):
            self._link(Construct(scope, concern), self.nodes, self.nodes, protocol, port)

    def _node_egress(self) -> None:
        scope = Construct(self, "egress")
        VpcSecurityGroupEgressRule(
            scope,
            "https",
            security_group_id=self.nodes.id,
            cidr_ipv4=ANYWHERE,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="Image registry, AWS APIs and other HTTPS services",
            tags=self._tags,
        )
        VpcSecurityGroupEgressRule(
            scope,
            "vpc",
            security_group_id=self.nodes.id,
            cidr_ipv4=self._props.vpc_cidr,
            ip_protocol="tcp",
            from_port=0,
            to_port=65535,
            description="Services in this VPC, such as databases",
            tags=self._tags,
        )
        for cidr in self._props.egress_cidrs:
            VpcSecurityGroupEgressRule(
                scope,
                _cidr_id(cidr),
                security_group_id=self.nodes.id,
                cidr_ipv4=_ipv4(cidr),
                cidr_ipv6=_ipv6(cidr),
                ip_protocol="-1",
                description="Opened by egress_cidrs",
                tags=self._tags,
            )

    def _publish(self, load_balancer: SecurityGroup) -> None:
        props = self._props
        for concern, port, cidrs in self._public_ports():
            scope = Construct(self, concern)
            for cidr in cidrs:
                VpcSecurityGroupIngressRule(
                    scope,
                    _cidr_id(cidr),
                    security_group_id=load_balancer.id,
                    cidr_ipv4=_ipv4(cidr),
                    cidr_ipv6=_ipv6(cidr),
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    description=f"{concern} on the load balancer",
                    tags=self._tags,
                )
        # the management port is always asked for health, whoever else may reach it
        target = props.target_ports or props.ports
        inner = {"management": target.management, "application": target.application}
        scope = Construct(self, "from-load-balancer")
        for concern, inner_port in inner.items():
            if inner_port is not None:
                self._link(Construct(scope, concern), load_balancer, self.nodes, "tcp", inner_port)

    def _public_ports(self) -> Iterator[tuple[str, int, Sequence[str]]]:
        props = self._props
        if props.ports.application is not None:
            yield "public-http", HTTP, props.allowed_cidrs
            if props.tls:
                yield "public-https", HTTPS, props.allowed_cidrs
        if props.management_cidrs:
            yield "public-management", props.ports.management, props.management_cidrs

    def _link(
        self, scope: Construct, source: SecurityGroup, to: SecurityGroup, protocol: str, port: int
    ) -> None:
        """Let one group reach another on one port: a rule at each end."""
        VpcSecurityGroupIngressRule(
            scope,
            "ingress",
            security_group_id=to.id,
            referenced_security_group_id=source.id,
            ip_protocol=protocol,
            from_port=port,
            to_port=port,
            description=scope.node.id,
            tags=self._tags,
        )
        VpcSecurityGroupEgressRule(
            scope,
            "egress",
            security_group_id=source.id,
            referenced_security_group_id=to.id,
            ip_protocol=protocol,
            from_port=port,
            to_port=port,
            description=scope.node.id,
            tags=self._tags,
        )


def _cidr_id(cidr: str) -> str:
    """A construct id for a range: ids may not hold a slash."""
    return cidr.replace("/", "_").replace(":", "-")


def _ipv4(cidr: str) -> str | None:
    return None if ":" in cidr else cidr


def _ipv6(cidr: str) -> str | None:
    return cidr if ":" in cidr else None
