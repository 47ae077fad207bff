"""The network: a VPC, or one that exists already."""

from __future__ import annotations

from attrs import frozen
from cdktf_cdktf_provider_digitalocean.data_digitalocean_vpc import DataDigitaloceanVpc
from cdktf_cdktf_provider_digitalocean.vpc import Vpc, VpcTimeouts
from constructs import Construct

from aether_infra.core.names import physical_name

DELETE_TIMEOUT = "20m"
"""Machines and load balancers leave the VPC some minutes after they are gone; the provider waits for two only.
Source: https://github.com/digitalocean/terraform-provider-digitalocean/issues/488 (as of 2026-11)."""


@frozen(kw_only=True)
class NetworkOutputs:
    """What others need of the network."""

    vpc_id: str
    ip_range: str


@frozen(kw_only=True)
class NetworkProps:
    """Props of `Network`."""

    name: str
    """Cluster's name."""
    region: str
    """Region's slug. A change replaces the VPC."""
    ip_range: str
    """IPv4 range, private, unlike any other in the account. A change replaces the VPC."""


class Network(Construct):
    """A VPC: machines and load balancers talk through it privately; droplets have public addresses besides.

    Source: https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/vpc
    (as of 2026-11).

    Attributes:
        vpc: the VPC.
        outputs: its id and range.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkProps) -> None:
        super().__init__(scope, id_)
        self.vpc = Vpc(
            self,
            "Resource",
            name=physical_name(props.name, "vpc"),
            region=props.region,
            ip_range=props.ip_range,
            description=f"Aether cluster {props.name}",
            timeouts=VpcTimeouts(delete=DELETE_TIMEOUT),
        )
        self.outputs = NetworkOutputs(vpc_id=self.vpc.id, ip_range=self.vpc.ip_range)


class ExistingNetwork(Construct):
    """A VPC that exists, looked up when Terraform plans.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        vpc_id: the VPC's UUID.

    Attributes:
        outputs: its id and range.
    """

    def __init__(self, scope: Construct, id_: str, *, vpc_id: str) -> None:
        super().__init__(scope, id_)
        vpc = DataDigitaloceanVpc(self, "Resource", id=vpc_id)
        self.outputs = NetworkOutputs(vpc_id=vpc.id, ip_range=vpc.ip_range)
