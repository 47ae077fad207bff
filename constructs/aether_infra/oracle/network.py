"""The network: a VCN with its gateways and regional subnets, or one that exists already."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen
from constructs import Construct

from aether_infra.core.cidr import carve
from aether_infra.core.names import physical_name
from aether_infra.oracle.bindings.core_default_security_list import CoreDefaultSecurityList
from aether_infra.oracle.bindings.core_internet_gateway import CoreInternetGateway
from aether_infra.oracle.bindings.core_nat_gateway import CoreNatGateway
from aether_infra.oracle.bindings.core_route_table import CoreRouteTable, CoreRouteTableRouteRules
from aether_infra.oracle.bindings.core_service_gateway import (
    CoreServiceGateway,
    CoreServiceGatewayServices,
)
from aether_infra.oracle.bindings.core_subnet import CoreSubnet
from aether_infra.oracle.bindings.core_vcn import CoreVcn
from aether_infra.oracle.bindings.data_oci_core_services import DataOciCoreServices, DataOciCoreServicesFilter
from aether_infra.oracle.bindings.data_oci_core_subnet import DataOciCoreSubnet
from aether_infra.oracle.bindings.data_oci_core_vcn import DataOciCoreVcn

ANYWHERE = "0.0.0.0/0"
ALL_SERVICES = "All .* Services In Oracle Services Network"
"""Matches the name of what a service gateway leads to, in each region."""
DNS_LABEL_LIMIT = 15
"""Longest DNS label of a VCN or subnet. Source:
https://docs.oracle.com/en-us/iaas/Content/Network/Concepts/dns.htm (as of 2026-11)."""
NARROW_BITS = 6
"""Bits that the subnets of the API and of the load balancer add: a /16 gives a /22, a /22 a /28."""

Role = Literal["api", "load-balancer", "nodes", "pods"]


@frozen(kw_only=True)
class NetworkOutputs:
    """What others need of the network."""

    vcn_id: str
    vcn_cidr: str
    """The VCN's first IPv4 range."""
    compartment_id: str
    """The VCN's compartment."""
    node_subnet_id: str
    """Private subnet of the machines."""
    load_balancer_subnet_id: str
    """Public subnet of load balancers."""
    api_subnet_id: str | None = None
    """Subnet of the Kubernetes API; None without Kubernetes."""
    pod_subnet_id: str | None = None
    """Private subnet of pods; None without Kubernetes."""
    load_balancer_cidr: str
    """IPv4 range of the load balancers' subnet."""


@frozen(kw_only=True)
class NetworkProps:
    """Props of `Network`."""

    name: str
    """Cluster's name, head of every name."""
    compartment_id: str
    """Compartment of all of it."""
    cidr: str = "10.0.0.0/16"
    """IPv4 range, /16 to /22; a literal, since subnets are cut out of it."""
    kubernetes: bool = True
    """With subnets for the Kubernetes API and for pods; without, the machines get the pods' room."""
    public_api: bool = False
    """Whether addresses of the API's subnet may be public. A change replaces that subnet, and the cluster in it."""
    nat: bool = True
    """With a NAT gateway; without, machines reach nothing but Oracle's own services."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of every resource."""


class Network(Construct):
    """A VCN whose regional subnets are private, save the load balancers'.

    Machines and pods reach Oracle's services through the service gateway, everything else through NAT. The default
    security list is emptied: security groups alone let traffic pass. Sources:
    https://docs.oracle.com/en-us/iaas/Content/ContEng/Concepts/contengnetworkconfigexample.htm,
    https://docs.oracle.com/en-us/iaas/Content/Network/Tasks/servicegateway.htm (as of 2026-11).

    Attributes:
        vcn: the VCN.
        nat_gateway: the NAT gateway, if any.
        subnets: subnets by role: `nodes`, `load-balancer` and, with Kubernetes, `api` and `pods`.
        outputs: ids and ranges.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self.vcn = CoreVcn(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            cidr_blocks=[props.cidr],
            display_name=physical_name(props.name, "vcn"),
            dns_label=dns_label(props.name),
            freeform_tags=self._tags,
        )
        CoreDefaultSecurityList(
            self,
            "default-security-list",
            manage_default_resource_id=self.vcn.default_security_list_id,
            display_name=physical_name(props.name, "closed"),
            freeform_tags=self._tags,
        )
        self._services = DataOciCoreServices(
            self,
            "services",
            filter=[DataOciCoreServicesFilter(name="name", values=[ALL_SERVICES], regex=True)],
        ).services.get(0)
        self.nat_gateway: CoreNatGateway | None = None
        public, private = self._public_routes(), self._private_routes()
        self.subnets = {
            role: self._subnet(role, cidr, public if self._is_public(role) else private)
            for role, cidr in _ranges(props).items()
        }
        self.outputs = NetworkOutputs(
            vcn_id=self.vcn.id,
            vcn_cidr=props.cidr,
            compartment_id=props.compartment_id,
            node_subnet_id=self.subnets["nodes"].id,
            load_balancer_subnet_id=self.subnets["load-balancer"].id,
            api_subnet_id=self.subnets["api"].id if props.kubernetes else None,
            pod_subnet_id=self.subnets["pods"].id if props.kubernetes else None,
            load_balancer_cidr=_ranges(props)["load-balancer"],
        )

    def node_address(self, place: int) -> str:
        """An address of the machines' subnet.

        Args:
            place: which one, from its beginning.
        """
        return str(ipaddress.ip_network(_ranges(self._props)["nodes"])[place])

    def _is_public(self, role: Role) -> bool:
        return role == "load-balancer" or (role == "api" and self._props.public_api)

    def _public_routes(self) -> CoreRouteTable:
        gateway = CoreInternetGateway(
            self,
            "internet-gateway",
            compartment_id=self._props.compartment_id,
            vcn_id=self.vcn.id,
            display_name=physical_name(self._props.name, "internet"),
            enabled=True,
            freeform_tags=self._tags,
        )
        return self._route_table("public", [_route(gateway.id, ANYWHERE)])

    def _private_routes(self) -> CoreRouteTable:
        props = self._props
        service_gateway = CoreServiceGateway(
            self,
            "service-gateway",
            compartment_id=props.compartment_id,
            vcn_id=self.vcn.id,
            display_name=physical_name(props.name, "services"),
            services=[CoreServiceGatewayServices(service_id=self._services.id)],
            freeform_tags=self._tags,
        )
        rules = [_route(service_gateway.id, self._services.cidr_block, "SERVICE_CIDR_BLOCK")]
        if props.nat:
            self.nat_gateway = CoreNatGateway(
                self,
                "nat-gateway",
                compartment_id=props.compartment_id,
                vcn_id=self.vcn.id,
                display_name=physical_name(props.name, "nat"),
                freeform_tags=self._tags,
            )
            rules.append(_route(self.nat_gateway.id, ANYWHERE))
        return self._route_table("private", rules)

    def _route_table(self, concern: str, rules: list[CoreRouteTableRouteRules]) -> CoreRouteTable:
        return CoreRouteTable(
            self,
            f"{concern}-routes",
            compartment_id=self._props.compartment_id,
            vcn_id=self.vcn.id,
            display_name=physical_name(self._props.name, concern),
            route_rules=rules,
            freeform_tags=self._tags,
        )

    def _subnet(self, role: Role, cidr: str, routes: CoreRouteTable) -> CoreSubnet:
        return CoreSubnet(
            Construct(self, role),
            "Resource",
            compartment_id=self._props.compartment_id,
            vcn_id=self.vcn.id,
            cidr_block=cidr,
            display_name=physical_name(self._props.name, role),
            dns_label=dns_label(role),
            prohibit_public_ip_on_vnic=not self._is_public(role),
            route_table_id=routes.id,
            security_list_ids=[self.vcn.default_security_list_id],
            freeform_tags=self._tags,
        )


@frozen(kw_only=True)
class ExistingNetworkProps:
    """Props of `ExistingNetwork`."""

    vcn_id: str
    """The VCN."""
    node_subnet_id: str
    """Private subnet of the machines."""
    load_balancer_subnet_id: str
    """Subnet of load balancers; public where the application is."""
    api_subnet_id: str | None = None
    """Subnet of the Kubernetes API."""
    pod_subnet_id: str | None = None
    """Private subnet of pods."""


class ExistingNetwork(Construct):
    """A VCN that somebody else made; read, never changed.

    Attributes:
        outputs: ids and ranges.
    """

    def __init__(self, scope: Construct, id_: str, props: ExistingNetworkProps) -> None:
        super().__init__(scope, id_)
        vcn = DataOciCoreVcn(self, "Resource", vcn_id=props.vcn_id)
        balancers = DataOciCoreSubnet(self, "load-balancer", subnet_id=props.load_balancer_subnet_id)
        self._nodes = DataOciCoreSubnet(self, "nodes", subnet_id=props.node_subnet_id)
        self.outputs = NetworkOutputs(
            vcn_id=props.vcn_id,
            vcn_cidr=vcn.cidr_block,
            compartment_id=vcn.compartment_id,
            node_subnet_id=props.node_subnet_id,
            load_balancer_subnet_id=props.load_balancer_subnet_id,
            api_subnet_id=props.api_subnet_id,
            pod_subnet_id=props.pod_subnet_id,
            load_balancer_cidr=balancers.cidr_block,
        )

    def node_address(self, place: int) -> str:
        """An address of the machines' subnet, known when Terraform runs; no quote is in the expression.

        Args:
            place: which one, from its beginning.
        """
        return f"${{cidrhost({self._nodes.fqn}.cidr_block, {place})}}"


def dns_label(name: str) -> str:
    """A VCN's or subnet's DNS label: letters and digits, at most 15, cut with a stable hash."""
    label = name.replace("-", "")
    if len(label) <= DNS_LABEL_LIMIT:
        return label
    return label[:9] + hashlib.sha256(name.encode()).hexdigest()[:6]


def _ranges(props: NetworkProps) -> dict[Role, str]:
    """Ranges by role: half of the VCN for what there is most of, and never moved by an option."""
    narrow: dict[Role, str] = {"load-balancer": carve(props.cidr, NARROW_BITS, 1)}
    if not props.kubernetes:
        return narrow | {"nodes": carve(props.cidr, 1, 1)}
    return narrow | {
        "api": carve(props.cidr, NARROW_BITS, 0),
        "nodes": carve(props.cidr, 2, 1),
        "pods": carve(props.cidr, 1, 1),
    }


def _route(gateway_id: str, destination: str, kind: str = "CIDR_BLOCK") -> CoreRouteTableRouteRules:
    return CoreRouteTableRouteRules(
        network_entity_id=gateway_id, destination=destination, destination_type=kind
    )
