"""The network: a VPC with public and private subnets over zones, or one that exists already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import field, frozen
from cdktf import Fn, Token
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc
from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from aether_infra.aws.policy import ServiceRole, ServiceRoleProps, Statement
from aether_infra.core.cidr import carve
from aether_infra.core.names import physical_name

SUBNET_BITS = 4
"""A subnet's prefix is the VPC's plus this: 16 slots, so that adding a zone never moves another's subnet."""
PUBLIC_OFFSET = 8
"""Slots 0-7 are private, 8-15 public."""
ANYWHERE = "0.0.0.0/0"
HTTPS = 443


@frozen(kw_only=True)
class NetworkZone:
    """An availability zone that the network spans."""

    key: str
    """Short stable name, such as `az1` or `a`: part of construct ids, so it must not change."""
    slot: int
    """Which of the eight places in the VPC's range its subnets take: fixed per zone, never its position in a
    list."""
    zone_id: str | None = None
    """Zone id, such as `usw2-az1`: the same place for every account. Either this or `name`."""
    name: str | None = None
    """Zone name, such as `us-west-2a`: each account maps it differently."""


@frozen(kw_only=True)
class NetworkOutputs:
    """What other constructs need of a network, whether made here or found."""

    vpc_id: str
    vpc_cidr: str
    public_subnet_ids: tuple[str, ...]
    """One a zone, in the order of zones."""
    private_subnet_ids: tuple[str, ...]
    """One a zone, in the order of zones."""


@frozen(kw_only=True)
class NetworkProps:
    """Props of `Network`."""

    name: str
    """Cluster's name, head of every name."""
    region: str
    """Region, for the names of endpoint services."""
    zones: Sequence[NetworkZone]
    """Zones to span; two at least for an ALB, three for a quorum that survives the loss of one."""
    cidr: str = "10.0.0.0/16"
    """The VPC's range, /16 to /23; may be a Terraform token."""
    nat: Literal["per_az", "single", "none"] = "per_az"
    """NAT gateways: one a zone (survives the loss of a zone), one for all (cheap), or none."""
    interface_endpoints: Sequence[str] = ()
    """AWS services reached privately, such as `ecr.api`; needed where there is no NAT. Each costs by the
    hour and zone."""
    flow_logs: bool = True
    """Record rejected and accepted flows to CloudWatch Logs."""
    log_retention_days: int = 30
    """How long flow logs are kept."""
    kms_key_arn: str | None = None
    """KMS key of the flow logs; default: the service's own."""
    permissions_boundary_arn: str | None = None
    """Boundary of the role that writes the flow logs."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class Network(Construct):
    """A VPC with one public and one private subnet per zone.

    Every zone has a private route table of its own, so that a change of `nat` moves routes, not subnets. The
    default security group is closed. An S3 gateway endpoint (free) is always there: image layers come from S3.
    Sources: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html,
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html (as of 2026-11).

    Attributes:
        vpc: the VPC.
        public_subnets: public subnets by zone key.
        private_subnets: private subnets by zone key.
        nat_gateways: NAT gateways by zone key.
        endpoints: interface endpoints by service.
        outputs: ids for other constructs.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self.vpc = Vpc(
            self,
            "Resource",
            cidr_block=props.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._named(physical_name(props.name, "vpc")),
        )
        DefaultSecurityGroup(
            self,
            "default-security-group",
            vpc_id=self.vpc.id,
            ingress=[],
            egress=[],
            tags=self._named(physical_name(props.name, "closed")),
        )
        self.public_subnets = self._subnets("public", PUBLIC_OFFSET)
        self.private_subnets = self._subnets("private", 0)
        self._public_routes()
        self.nat_gateways = self._nat()
        self._private_tables = self._private_routes()
        self.endpoints_security_group: SecurityGroup | None = None
        self.endpoints = self._endpoints()
        if props.flow_logs:
            self._flow_logs()
        self.outputs = NetworkOutputs(
            vpc_id=self.vpc.id,
            vpc_cidr=props.cidr,
            public_subnet_ids=tuple(subnet.id for subnet in self.public_subnets.values()),
            private_subnet_ids=tuple(subnet.id for subnet in self.private_subnets.values()),
        )

    def allow_endpoints_from(self, id_: str, security_group_id: str) -> None:
        """Let members of a security group reach the interface endpoints; nothing to do where there are none.

        Args:
            id_: who they are, such as `nodes`.
            security_group_id: their group.
        """
        if self.endpoints_security_group is None:
            return
        VpcSecurityGroupIngressRule(
            self,
            f"endpoints-from-{id_}",
            security_group_id=self.endpoints_security_group.id,
            referenced_security_group_id=security_group_id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description=f"HTTPS from {id_}",
            tags=self._tags,
        )

    def _named(self, name: str) -> dict[str, str]:
        return self._tags | {"Name": name}

    def _cidr(self, slot: int) -> str:
        if Token.is_unresolved(self._props.cidr):
            return Fn.cidrsubnet(self._props.cidr, SUBNET_BITS, slot)
        return carve(self._props.cidr, SUBNET_BITS, slot)

    def _subnets(self, kind: str, offset: int) -> dict[str, Subnet]:
        scope = Construct(self, kind)
        return {
            zone.key: Subnet(
                scope,
                zone.key,
                vpc_id=self.vpc.id,
                cidr_block=self._cidr(offset + zone.slot),
                availability_zone=zone.name,
                availability_zone_id=zone.zone_id,
                map_public_ip_on_launch=False,
                tags=self._named(physical_name(self._props.name, kind, zone.key)),
            )
            for zone in self._props.zones
        }

    def _public_routes(self) -> None:
        scope = Construct(self, "internet")
        gateway = InternetGateway(
            scope,
            "gateway",
            vpc_id=self.vpc.id,
            tags=self._named(physical_name(self._props.name, "internet")),
        )
        self.internet_gateway = gateway
        table = RouteTable(
            scope,
            "routes",
            vpc_id=self.vpc.id,
            tags=self._named(physical_name(self._props.name, "public")),
        )
        Route(
            scope,
            "default",
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
        )
        associations = Construct(scope, "association")
        for key, subnet in self.public_subnets.items():
            RouteTableAssociation(associations, key, subnet_id=subnet.id, route_table_id=table.id)

    def _nat(self) -> dict[str, NatGateway]:
        keys = list(self.public_subnets)
        count = {"per_az": len(keys), "single": 1, "none": 0}[self._props.nat]
        scope = Construct(self, "nat")
        gateways = {}
        for key in keys[:count]:
            tags = self._named(physical_name(self._props.name, "nat", key))
            zone = Construct(scope, key)
            address = Eip(zone, "address", domain="vpc", tags=tags)
            gateways[key] = NatGateway(
                zone,
                "Resource",
                allocation_id=address.id,
                subnet_id=self.public_subnets[key].id,
                depends_on=[self.internet_gateway],
                tags=tags,
            )
        return gateways

    def _private_routes(self) -> list[RouteTable]:
        scope = Construct(self, "private-routes")
        shared = next(iter(self.nat_gateways.values()), None)
        tables = []
        for key, subnet in self.private_subnets.items():
            zone = Construct(scope, key)
            table = RouteTable(
                zone,
                "Resource",
                vpc_id=self.vpc.id,
                tags=self._named(physical_name(self._props.name, "private", key)),
            )
            RouteTableAssociation(zone, "association", subnet_id=subnet.id, route_table_id=table.id)
            gateway = self.nat_gateways.get(key, shared)
            if gateway is not None:
                Route(
                    zone,
                    "default",
                    route_table_id=table.id,
                    destination_cidr_block=ANYWHERE,
                    nat_gateway_id=gateway.id,
                )
            tables.append(table)
        return tables

    def _endpoints(self) -> dict[str, VpcEndpoint]:
        props = self._props
        scope = Construct(self, "endpoint")
        self.s3_endpoint = VpcEndpoint(
            scope,
            "s3",
            vpc_id=self.vpc.id,
            service_name=f"com.amazonaws.{props.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in self._private_tables],
            tags=self._named(physical_name(props.name, "s3")),
        )
        if not props.interface_endpoints:
            return {}
        group = SecurityGroup(
            scope,
            "security-group",
            name=physical_name(props.name, "endpoints"),
            description="Interface endpoints: HTTPS from the groups named in its rules",
            vpc_id=self.vpc.id,
            tags=self._named(physical_name(props.name, "endpoints")),
        )
        self.endpoints_security_group = group
        return {
            service: VpcEndpoint(
                scope,
                service.replace(".", "-"),
                vpc_id=self.vpc.id,
                service_name=f"com.amazonaws.{props.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in self.private_subnets.values()],
                security_group_ids=[group.id],
                tags=self._named(physical_name(props.name, service.replace(".", "-"))),
            )
            for service in props.interface_endpoints
        }

    def _flow_logs(self) -> None:
        props = self._props
        scope = Construct(self, "flow-logs")
        group = CloudwatchLogGroup(
            scope,
            "log-group",
            name=f"/aether/{props.name}/flow-logs",
            retention_in_days=props.log_retention_days,
            kms_key_id=props.kms_key_arn,
            tags=self._tags,
        )
        writer = ServiceRole(
            scope,
            "writer",
            ServiceRoleProps(
                name=physical_name(props.name, "flow-logs", props.region, limit=64),
                service="vpc-flow-logs.amazonaws.com",
                description=f"Writes the VPC flow logs of Aether cluster {props.name}",
                permissions_boundary_arn=props.permissions_boundary_arn,
                tags=self._tags,
            ),
        )
        writer.grant(
            "write",
            [
                Statement(
                    sid="Write",
                    actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    resources=[group.arn, f"{group.arn}:*"],
                )
            ],
        )
        FlowLog(
            scope,
            "Resource",
            vpc_id=self.vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=writer.role.arn,
            max_aggregation_interval=600,
            tags=self._named(physical_name(props.name, "flow-logs")),
        )


@frozen(kw_only=True)
class ExistingNetworkProps:
    """Props of `ExistingNetwork`."""

    vpc_id: str
    """The VPC's id; may be a Terraform token."""
    public_subnet_ids: Sequence[str]
    """Subnets of the load balancer, at least two."""
    private_subnet_ids: Sequence[str]
    """Subnets of the nodes, each in a zone of its own; they need a way to the registry and to AWS' APIs."""


class ExistingNetwork(Construct):
    """A network that somebody else made: looked up and checked at plan time, never changed.

    The plan fails, with the reason, where a subnet lies in another VPC or two private subnets share a zone:
    core nodes are dealt out over subnets, and a zone that held two of three would hold the majority.

    Attributes:
        vpc: the VPC, as a data source.
        private_subnets: the private subnets, as data sources.
        outputs: ids for other constructs.
    """

    def __init__(self, scope: Construct, id_: str, props: ExistingNetworkProps) -> None:
        super().__init__(scope, id_)
        self.public_subnets = self._look_up("public", props.public_subnet_ids, props.vpc_id)
        self.private_subnets = self._look_up("private", props.private_subnet_ids, props.vpc_id)
        self.vpc = DataAwsVpc(self, "Resource", id=self._once_zones_differ(props.vpc_id))
        self.outputs = NetworkOutputs(
            vpc_id=self.vpc.id,
            vpc_cidr=self.vpc.cidr_block,
            public_subnet_ids=tuple(props.public_subnet_ids),
            private_subnet_ids=tuple(props.private_subnet_ids),
        )

    def _look_up(self, kind: str, ids: Sequence[str], vpc_id: str) -> list[DataAwsSubnet]:
        scope = Construct(self, kind)
        subnets = {}
        for place, subnet_id in enumerate(ids, start=1):
            # a literal id names itself; a token has no stable text, so its place must do
            key = str(place) if Token.is_unresolved(subnet_id) else subnet_id
            # with both arguments, a subnet of another VPC is not found
            subnets[key] = DataAwsSubnet(scope, key, id=subnet_id, vpc_id=vpc_id)
        return list(subnets.values())

    def _once_zones_differ(self, vpc_id: str) -> str:
        """The VPC's id, as an expression that fails where two private subnets share a zone.

        Terraform refuses a map with a key that occurs twice, and shows the key: here, what is wrong. Not a
        postcondition: cdktf's HCL writer makes an argument of that, where Terraform wants a block.
        """
        key = "each of private_subnet_ids must lie in a zone of its own, and two lie in ${s.availability_zone_id}"
        subnets = ", ".join(subnet.fqn for subnet in self.private_subnets)
        return f'${{length({{for s in [{subnets}] : "{key}" => s.id}}) > 0 ? "{vpc_id}" : ""}}'
