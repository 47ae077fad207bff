"""The network: a VPC with one regional subnet and Cloud NAT, or one that exists already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from attrs import frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.compute_network import ComputeNetwork
from cdktf_cdktf_provider_google.compute_router import ComputeRouter
from cdktf_cdktf_provider_google.compute_router_nat import (
    ComputeRouterNat,
    ComputeRouterNatLogConfig,
    ComputeRouterNatSubnetwork,
)
from cdktf_cdktf_provider_google.compute_subnetwork import (
    ComputeSubnetwork,
    ComputeSubnetworkLogConfig,
    ComputeSubnetworkSecondaryIpRange,
)
from cdktf_cdktf_provider_google.data_google_compute_network import DataGoogleComputeNetwork
from cdktf_cdktf_provider_google.data_google_compute_subnetwork import DataGoogleComputeSubnetwork
from constructs import Construct

from aether_infra.core.names import physical_name

POD_RANGE = "pods"
"""Name of the subnet's secondary range for pods."""
SERVICE_RANGE = "services"
"""Name of the subnet's secondary range for Kubernetes services."""

_LINK = re.compile(
    r"projects/(?P<project>[^/]+)/(?:global/networks|regions/[^/]+/subnetworks)/(?P<name>[^/]+)"
)


@frozen(kw_only=True)
class NetworkOutputs:
    """What other constructs need of a network, whether made here or found."""

    project: str
    """Project that holds it: another than the cluster's where the network is a shared VPC."""
    network_id: str
    """`projects/…/global/networks/…`."""
    network_name: str
    subnetwork_id: str
    """`projects/…/regions/…/subnetworks/…`."""
    subnetwork_name: str
    subnetwork_cidr: str
    """Range of machines and internal load balancers."""
    pod_range: str
    """Name of the secondary range for pods; empty where there is none."""
    service_range: str
    """Name of the secondary range for Kubernetes services; empty where there is none."""
    egress: tuple[ITerraformDependable, ...] = ()
    """What leads outside: machines that pull images depend on it."""


@frozen(kw_only=True)
class NetworkProps:
    """Props of `Network`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    region: str
    """Region of the subnet."""
    cidr: str = "10.0.0.0/20"
    """Range of machines and internal load balancers; may be a Terraform token. It can grow in place, not shrink."""
    pod_cidr: str | None = None
    """Range of pods; None for a network without Kubernetes."""
    service_cidr: str | None = None
    """Range of Kubernetes services; None for a network without Kubernetes."""
    nat: Literal["single", "none"] = "single"
    """Cloud NAT (one for the region, survives the loss of a zone), or none: Google's APIs are reached anyway."""
    flow_logs: bool = True
    """Whether the subnet's flows are logged."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the services."""


class Network(Construct):
    """A VPC with one subnet over all zones of the region, which machines without public addresses leave by NAT.

    Subnets are regional on Google Cloud, so zones can be added without a further range. Private Google Access
    leads to the registry and all other Google APIs without NAT.
    Sources: https://cloud.google.com/vpc/docs/subnets, https://cloud.google.com/nat/docs/ports-and-addresses,
    https://cloud.google.com/vpc/docs/private-google-access (as of 2026-11).

    Attributes:
        network: the VPC.
        subnetwork: its one subnet.
        router, nat: the way out; None where there is none.
        outputs: ids for other constructs.
    """

    def __init__(self, scope: Construct, id_: str, props: NetworkProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.network = ComputeNetwork(
            self,
            "Resource",
            project=props.project,
            name=physical_name(props.name, "network"),
            description=f"Aether cluster {props.name}",
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            depends_on=list(props.depends_on),
        )
        self.subnetwork = self._subnetwork()
        self.router: ComputeRouter | None = None
        self.nat: ComputeRouterNat | None = None
        if props.nat != "none":
            self._nat()
        self.outputs = NetworkOutputs(
            project=props.project,
            network_id=self.network.id,
            network_name=self.network.name,
            subnetwork_id=self.subnetwork.id,
            subnetwork_name=self.subnetwork.name,
            subnetwork_cidr=props.cidr,
            pod_range=POD_RANGE if props.pod_cidr else "",
            service_range=SERVICE_RANGE if props.service_cidr else "",
            egress=(self.nat,) if self.nat else (),
        )

    def _subnetwork(self) -> ComputeSubnetwork:
        props = self._props
        ranges = {POD_RANGE: props.pod_cidr, SERVICE_RANGE: props.service_cidr}
        return ComputeSubnetwork(
            self,
            "subnetwork",
            project=props.project,
            region=props.region,
            name=physical_name(props.name, "nodes"),
            network=self.network.id,
            ip_cidr_range=props.cidr,
            private_ip_google_access=True,
            secondary_ip_range=[
                ComputeSubnetworkSecondaryIpRange(range_name=name, ip_cidr_range=cidr)
                for name, cidr in ranges.items()
                if cidr
            ]
            or None,
            log_config=ComputeSubnetworkLogConfig(
                aggregation_interval="INTERVAL_10_MIN",
                flow_sampling=0.5,
                metadata="INCLUDE_ALL_METADATA",
            )
            if props.flow_logs
            else None,
        )

    def _nat(self) -> None:
        props = self._props
        self.router = ComputeRouter(
            self,
            "router",
            project=props.project,
            region=props.region,
            name=physical_name(props.name, "router"),
            network=self.network.id,
        )
        self.nat = ComputeRouterNat(
            self,
            "nat",
            project=props.project,
            region=props.region,
            name=physical_name(props.name, "nat"),
            router=self.router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetwork=[
                ComputeRouterNatSubnetwork(name=self.subnetwork.id, source_ip_ranges_to_nat=["ALL_IP_RANGES"])
            ],
            # a busy machine gets more ports; excludes endpoint-independent mapping
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            log_config=ComputeRouterNatLogConfig(enable=True, filter="ERRORS_ONLY"),
        )


@frozen(kw_only=True)
class ExistingNetworkProps:
    """Props of `ExistingNetwork`."""

    project: str
    """The cluster's project: where names without a project are looked for."""
    region: str
    """Region of the subnet."""
    network: str
    """The network's name, or `projects/…/global/networks/…` of a shared VPC."""
    subnetwork: str
    """The subnet's name, or `projects/…/regions/…/subnetworks/…`."""
    pod_range: str = ""
    """Name of the subnet's secondary range for pods; needed for Kubernetes."""
    service_range: str = ""
    """Name of the subnet's secondary range for Kubernetes services; needed for Kubernetes."""


class ExistingNetwork(Construct):
    """A network that somebody else made: looked up at plan time, so that a wrong name fails early.

    Its machines need a way to the registry: Cloud NAT, or Private Google Access for images in Artifact Registry.

    Attributes:
        network: the network, as a data source.
        subnetwork: the subnet, as a data source.
        outputs: ids for other constructs.
    """

    def __init__(self, scope: Construct, id_: str, props: ExistingNetworkProps) -> None:
        super().__init__(scope, id_)
        project, name = _parts(props.network, props.project)
        self.network = DataGoogleComputeNetwork(self, "Resource", project=project, name=name)
        subnet_project, subnet_name = _parts(props.subnetwork, project)
        self.subnetwork = DataGoogleComputeSubnetwork(
            self, "subnetwork", project=subnet_project, region=props.region, name=subnet_name
        )
        self.outputs = NetworkOutputs(
            project=project,
            network_id=self.network.id,
            network_name=self.network.name,
            subnetwork_id=self.subnetwork.id,
            subnetwork_name=self.subnetwork.name,
            subnetwork_cidr=self.subnetwork.ip_cidr_range,
            pod_range=props.pod_range,
            service_range=props.service_range,
        )


def _parts(link: str, project: str) -> tuple[str, str]:
    """Project and name of a network or subnet, which is given by name alone or with its path."""
    match = _LINK.fullmatch(link)
    return (match["project"], match["name"]) if match else (project, link)
