"""Reserved addresses: what users and operators call stays the same when the load balancer is made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.compute_address import ComputeAddress
from cdktf_cdktf_provider_google.compute_global_address import ComputeGlobalAddress
from constructs import Construct

from aether_infra.core.names import physical_name


@frozen(kw_only=True)
class ApplicationAddressProps:
    """Props of `ApplicationAddress`."""

    name: str
    """Cluster's name, head of the address's name."""
    project: str
    """The project's id."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of the address."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the service."""


class ApplicationAddress(Construct):
    """A global public IPv4 address for the application's load balancer.

    Attributes:
        address: the address.
    """

    def __init__(self, scope: Construct, id_: str, props: ApplicationAddressProps) -> None:
        super().__init__(scope, id_)
        self.address = ComputeGlobalAddress(
            self,
            "Resource",
            project=props.project,
            name=physical_name(props.name, "application"),
            description=f"Application of Aether cluster {props.name}",
            address_type="EXTERNAL",
            ip_version="IPV4",
            depends_on=list(props.depends_on),
            labels=dict(props.labels),
        )


@frozen(kw_only=True)
class ManagementAddressProps:
    """Props of `ManagementAddress`."""

    name: str
    """Cluster's name, head of the address's name."""
    project: str
    """The project's id."""
    region: str
    """Region of the nodes."""
    subnetwork_id: str | None = None
    """Subnet to take an inner address from; default: a public address."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of the address."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the service."""


class ManagementAddress(Construct):
    """A regional address for the management port's own load balancer.

    Attributes:
        address: the address.
        internal: whether only the network reaches it.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagementAddressProps) -> None:
        super().__init__(scope, id_)
        self.internal = props.subnetwork_id is not None
        self.address = ComputeAddress(
            self,
            "Resource",
            project=props.project,
            region=props.region,
            name=physical_name(props.name, "management"),
            description=f"Management port of Aether cluster {props.name}",
            address_type="INTERNAL" if self.internal else "EXTERNAL",
            purpose="GCE_ENDPOINT" if self.internal else None,
            subnetwork=props.subnetwork_id,
            depends_on=list(props.depends_on),
            labels=dict(props.labels),
        )
