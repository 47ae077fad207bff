"""A public address that outlives the load balancer which has it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from constructs import Construct

from aether_infra.oracle.bindings.core_public_ip import CorePublicIp


@frozen(kw_only=True)
class ReservedAddressProps:
    """Props of `ReservedAddress`."""

    name: str
    """Name of the address."""
    compartment_id: str
    """Compartment of the address."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the address."""


class ReservedAddress(Construct):
    """A reserved public IPv4 address. Who has it at the moment is not Terraform's affair.

    Source: https://docs.oracle.com/en-us/iaas/Content/Network/Tasks/managingpublicIPs.htm (as of 2026-11).

    Attributes:
        public_ip: the address.
        id: its id.
        address: the address itself.
    """

    def __init__(self, scope: Construct, id_: str, props: ReservedAddressProps) -> None:
        super().__init__(scope, id_)
        self.public_ip = CorePublicIp(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            lifetime="RESERVED",
            display_name=props.name,
            # the load balancer takes it; without this, the next apply would take it away again
            lifecycle=TerraformResourceLifecycle(ignore_changes=["private_ip_id"]),
            freeform_tags=dict(props.tags),
        )
        self.id: str = self.public_ip.id
        self.address: str = self.public_ip.ip_address
