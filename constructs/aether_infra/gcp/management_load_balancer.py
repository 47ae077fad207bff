"""The management port's own load balancer: it passes packets on as they are, so that the firewall sees operators."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from cdktf_cdktf_provider_google.compute_forwarding_rule import ComputeForwardingRule
from cdktf_cdktf_provider_google.compute_region_backend_service import (
    ComputeRegionBackendService,
    ComputeRegionBackendServiceBackend,
)
from cdktf_cdktf_provider_google.compute_region_health_check import (
    ComputeRegionHealthCheck,
    ComputeRegionHealthCheckHttpHealthCheck,
)
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import HealthProbe, NodePorts


@frozen(kw_only=True)
class ManagementLoadBalancerProps:
    """Props of `ManagementLoadBalancer`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    region: str
    """Region of the machines."""
    address: str
    """The regional address that it listens on."""
    network_id: str
    """The machines' network."""
    subnetwork_id: str | None = None
    """Subnet of an inner address; None for a public one."""
    instance_groups: Mapping[str, str]
    """Groups of machines by what they are."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node."""
    health: HealthProbe = field(factory=HealthProbe)
    """How a node is asked: liveness, since operators are wanted most when there is no quorum."""
    deregistration_delay_seconds: int = 30
    """How long connections may finish when a machine goes, 0-3600."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of the forwarding rule."""


class ManagementLoadBalancer(Construct):
    """A regional passthrough load balancer for the management port, public or inside of the network.

    Who may come is the firewall's affair, as for any packet to a machine.
    Sources: https://cloud.google.com/load-balancing/docs/network,
    https://cloud.google.com/load-balancing/docs/internal (as of 2026-11).

    Attributes:
        liveness: the health check.
        backend: the backend service.
        forwarding_rule: what listens.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagementLoadBalancerProps) -> None:
        super().__init__(scope, id_)
        internal = props.subnetwork_id is not None
        scheme = "INTERNAL" if internal else "EXTERNAL"
        name = physical_name(props.name, "management")
        self.liveness = ComputeRegionHealthCheck(
            self,
            "liveness",
            project=props.project,
            region=props.region,
            name=name,
            description=f"Management port of Aether cluster {props.name}",
            check_interval_sec=props.health.interval_seconds,
            timeout_sec=props.health.timeout_seconds,
            healthy_threshold=props.health.healthy_threshold,
            unhealthy_threshold=props.health.unhealthy_threshold,
            http_health_check=ComputeRegionHealthCheckHttpHealthCheck(
                port=props.ports.management, request_path=props.health.liveness_path
            ),
        )
        self.backend = ComputeRegionBackendService(
            self,
            "Resource",
            project=props.project,
            region=props.region,
            name=name,
            description=f"Nodes of Aether cluster {props.name}",
            protocol="TCP",
            load_balancing_scheme=scheme,
            health_checks=[self.liveness.id],
            connection_draining_timeout_sec=props.deregistration_delay_seconds,
            backend=[
                ComputeRegionBackendServiceBackend(
                    group=group, description=concern, balancing_mode="CONNECTION"
                )
                for concern, group in props.instance_groups.items()
            ],
        )
        self.forwarding_rule = ComputeForwardingRule(
            self,
            "forwarding-rule",
            project=props.project,
            region=props.region,
            name=name,
            description=f"Management port of Aether cluster {props.name}",
            load_balancing_scheme=scheme,
            backend_service=self.backend.id,
            ip_address=props.address,
            ip_protocol="TCP",
            ports=[str(props.ports.management)],
            network=props.network_id if internal else None,
            subnetwork=props.subnetwork_id,
            labels=dict(props.labels),
        )
