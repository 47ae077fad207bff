"""The network: a virtual network with one private subnet behind a NAT gateway, or a subnet that exists already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import Fn, ITerraformDependable, Token
from cdktf_cdktf_provider_azurerm.data_azurerm_subnet import DataAzurermSubnet
from cdktf_cdktf_provider_azurerm.nat_gateway import NatGateway
from cdktf_cdktf_provider_azurerm.nat_gateway_public_ip_association import NatGatewayPublicIpAssociation
from cdktf_cdktf_provider_azurerm.public_ip import PublicIp
from cdktf_cdktf_provider_azurerm.subnet import Subnet
from cdktf_cdktf_provider_azurerm.subnet_nat_gateway_association import SubnetNatGatewayAssociation
from cdktf_cdktf_provider_azurerm.virtual_network import VirtualNetwork
from constructs import Construct

from aether_infra.azure.resource_id import CHILD_NAME, NAME, RESOURCE_GROUP, parent, part
from aether_infra.core.cidr import carve
from aether_infra.core.names import physical_name

SUBNET_BITS = 2
"""The nodes' subnet is the first quarter of the network; the rest is the operator's."""
NAT_GATEWAY = "userAssignedNATGateway"
ROUTE_TABLE = "userDefinedRouting"
"""How machines leave a subnet, in AKS' words."""


@frozen(kw_only=True)
class NetworkOutputs:
    """What other constructs need of a network, whether made here or found."""

    network_id: str
    subnet_id: str
    subnet_cidr: str
    outbound_type: str
    """How machines leave: `NAT_GATEWAY` or `ROUTE_TABLE`."""
    egress_cidrs: tuple[str, ...]
    """Addresses that machines come from as others see them; empty where that is not known."""
    outbound: tuple[ITerraformDependable, ...]
    """Without these no machine reaches anything: whoever starts machines depends on them."""


@frozen(kw_only=True)
class NetworkProps:
    """Props of `Network`."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location, such as `westus2`."""
    cidr: str = "10.0.0.0/16"
    """The network's range, /8 to /27; may be a Terraform token."""
    zones: Sequence[str] = ("1", "2", "3")
    """Zones of the NAT gateway's address: all of the location's, or none where it has none."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class Network(Construct):
    """A virtual network with one subnet that no machine leaves but through the NAT gateway.

    Subnets of Azure span all zones. A NAT gateway is not bound to a zone, its address is in all of them.
    Sources: https://learn.microsoft.com/en-us/azure/nat-gateway/nat-overview,
    https://learn.microsoft.com/en-us/azure/virtual-network/ip-services/default-outbound-access (as of 2026-11).

    Attributes:
        virtual_network: the network.
        subnet: the nodes' subnet.
        nat_gateway: the way out.
        address: its public address.
        outputs: ids for other constructs.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self.virtual_network = VirtualNetwork(
            self,
            "Resource",
            name=physical_name(props.name, "vnet", limit=64),
            resource_group_name=props.resource_group,
            location=props.location,
            address_space=[props.cidr],
            tags=self._tags,
        )
        cidr = _first_quarter(props.cidr)
        self.subnet = Subnet(
            self,
            "nodes",
            name="nodes",
            resource_group_name=props.resource_group,
            virtual_network_name=self.virtual_network.name,
            address_prefixes=[cidr],
            default_outbound_access_enabled=False,
        )
        self.address = PublicIp(
            self,
            "egress",
            name=physical_name(props.name, "egress", limit=80),
            resource_group_name=props.resource_group,
            location=props.location,
            allocation_method="Static",
            sku="Standard",
            zones=list(props.zones) or None,
            tags=self._tags,
        )
        self.nat_gateway = self._nat_gateway()
        attached = SubnetNatGatewayAssociation(
            self, "nat-subnet", subnet_id=self.subnet.id, nat_gateway_id=self.nat_gateway.id
        )
        address = NatGatewayPublicIpAssociation(
            self,
            "nat-address",
            nat_gateway_id=self.nat_gateway.id,
            public_ip_address_id=self.address.id,
        )
        self.outputs = NetworkOutputs(
            network_id=self.virtual_network.id,
            subnet_id=self.subnet.id,
            subnet_cidr=cidr,
            outbound_type=NAT_GATEWAY,
            egress_cidrs=(f"{self.address.ip_address}/32",),
            outbound=(attached, address),
        )

    def _nat_gateway(self) -> NatGateway:
        props = self._props
        return NatGateway(
            self,
            "nat",
            name=physical_name(props.name, "nat", limit=80),
            resource_group_name=props.resource_group,
            location=props.location,
            sku_name="Standard",
            idle_timeout_in_minutes=10,
            tags=self._tags,
        )


@frozen(kw_only=True)
class ExistingNetworkProps:
    """Props of `ExistingNetwork`."""

    subnet_id: str
    """Id of the nodes' subnet, which has a NAT gateway or a route table and is in the stack's subscription; may be a
    Terraform token."""


class ExistingNetwork(Construct):
    """A subnet of somebody else's network: nothing is made in it but machines.

    Attributes:
        subnet: the subnet, looked up.
        outputs: ids for other constructs.
    """

    def __init__(self, scope: Construct, id_: str, props: ExistingNetworkProps) -> None:
        super().__init__(scope, id_)
        self.subnet = DataAzurermSubnet(
            self,
            "Resource",
            name=part(props.subnet_id, CHILD_NAME),
            virtual_network_name=part(props.subnet_id, NAME),
            resource_group_name=part(props.subnet_id, RESOURCE_GROUP),
        )
        # a route table leads to a firewall, else a NAT gateway is the only way out that AKS accepts
        routed = f'try(length({self.subnet.fqn}.route_table_id), 0) > 0 ? "{ROUTE_TABLE}" : "{NAT_GATEWAY}"'
        self.outputs = NetworkOutputs(
            network_id=parent(props.subnet_id),
            subnet_id=props.subnet_id,
            subnet_cidr=f"${{{self.subnet.fqn}.address_prefixes[0]}}",
            outbound_type=f"${{{routed}}}",
            egress_cidrs=(),
            outbound=(),
        )


def _first_quarter(cidr: str) -> str:
    if Token.is_unresolved(cidr):
        return Token.as_string(Fn.cidrsubnet(cidr, SUBNET_BITS, 0))
    return carve(cidr, SUBNET_BITS, 0)
