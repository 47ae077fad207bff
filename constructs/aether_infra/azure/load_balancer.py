"""The load balancer in front of machines; in front of Kubernetes the cluster makes its own."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from cdktf_cdktf_provider_azurerm.lb import Lb, LbFrontendIpConfiguration
from cdktf_cdktf_provider_azurerm.lb_backend_address_pool import LbBackendAddressPool
from cdktf_cdktf_provider_azurerm.lb_probe import LbProbe
from cdktf_cdktf_provider_azurerm.lb_rule import LbRule
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import HealthProbe

FRONTEND = "public"


@frozen(kw_only=True)
class LoadBalancerOutputs:
    """Ids of the parts."""

    load_balancer_id: str
    backend_pool_id: str
    probe_id: str


@frozen(kw_only=True)
class LoadBalancerProps:
    """Props of `LoadBalancer`."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the load balancer."""
    address_id: str
    """Id of the public address."""
    rules: Mapping[str, tuple[int, int]]
    """Port that users call and port of the node, by concern."""
    management_port: int = 8080
    """Port that the health check asks."""
    health: HealthProbe = field(factory=HealthProbe)
    """The health check: readiness decides on traffic."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the load balancer."""


class LoadBalancer(Construct):
    """A load balancer of tier Standard: it passes TCP on to nodes that are ready, from users' own addresses.

    It is no way out for the machines: they have a NAT gateway for that. Sources:
    https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-overview,
    https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-custom-probe-overview (as of 2026-11).

    Attributes:
        load_balancer: the load balancer.
        pool: the nodes behind it.
        probe: its health check.
        rules: its rules by concern.
        outputs: their ids.
    """

    def __init__(self, scope: Construct, id_: str, props: LoadBalancerProps) -> None:
        super().__init__(scope, id_)
        health = props.health
        self.load_balancer = Lb(
            self,
            "Resource",
            name=physical_name(props.name, "lb", limit=80),
            resource_group_name=props.resource_group,
            location=props.location,
            sku="Standard",
            frontend_ip_configuration=[
                LbFrontendIpConfiguration(name=FRONTEND, public_ip_address_id=props.address_id)
            ],
            tags=dict(props.tags),
        )
        self.pool = LbBackendAddressPool(self, "nodes", name="nodes", loadbalancer_id=self.load_balancer.id)
        self.probe = LbProbe(
            self,
            "readiness",
            name="readiness",
            loadbalancer_id=self.load_balancer.id,
            protocol="Http",
            port=props.management_port,
            request_path=health.readiness_path,
            interval_in_seconds=health.interval_seconds,
            # one number for both directions
            probe_threshold=health.unhealthy_threshold,
            number_of_probes=health.unhealthy_threshold,
        )
        self.rules = {
            concern: LbRule(
                self,
                concern,
                name=concern,
                loadbalancer_id=self.load_balancer.id,
                frontend_ip_configuration_name=FRONTEND,
                protocol="Tcp",
                frontend_port=frontend,
                backend_port=backend,
                backend_address_pool_ids=[self.pool.id],
                probe_id=self.probe.id,
                disable_outbound_snat=True,
                tcp_reset_enabled=True,
                idle_timeout_in_minutes=4,
            )
            for concern, (frontend, backend) in props.rules.items()
        }
        self.outputs = LoadBalancerOutputs(
            load_balancer_id=self.load_balancer.id,
            backend_pool_id=self.pool.id,
            probe_id=self.probe.id,
        )
