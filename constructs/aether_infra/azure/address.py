"""The public address that users call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_azurerm.public_ip import PublicIp
from constructs import Construct

from aether_infra.core.names import physical_name


@frozen(kw_only=True)
class PublicAddressOutputs:
    """The address, by all its names."""

    address_id: str
    name: str
    ip: str


@frozen(kw_only=True)
class PublicAddressProps:
    """Props of `PublicAddress`."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the address."""
    zones: Sequence[str] = ("1", "2", "3")
    """Zones that it is reached through: all of the location's, or none where it has none."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the address."""


class PublicAddress(Construct):
    """A static address that stays when the load balancer behind it is made anew.

    Source: https://learn.microsoft.com/en-us/azure/virtual-network/ip-services/public-ip-addresses (as of 2026-11).

    Attributes:
        address: the address.
        outputs: its id, name and number.
    """

    def __init__(self, scope: Construct, id_: str, props: PublicAddressProps) -> None:
        super().__init__(scope, id_)
        self.address = PublicIp(
            self,
            "Resource",
            name=physical_name(props.name, "ingress", limit=80),
            resource_group_name=props.resource_group,
            location=props.location,
            allocation_method="Static",
            sku="Standard",
            zones=list(props.zones) or None,
            tags=dict(props.tags),
        )
        self.outputs = PublicAddressOutputs(
            address_id=self.address.id, name=self.address.name, ip=self.address.ip_address
        )
