"""The load balancer in front of virtual machines; on OKE, Kubernetes makes its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import HealthProbe, NodePorts
from aether_infra.oracle.bindings import load_balancer_rule_set as rule_l1
from aether_infra.oracle.bindings.load_balancer_backend import LoadBalancerBackend
from aether_infra.oracle.bindings.load_balancer_backend_set import (
    LoadBalancerBackendSet,
    LoadBalancerBackendSetHealthChecker,
)
from aether_infra.oracle.bindings.load_balancer_listener import (
    LoadBalancerListener,
    LoadBalancerListenerSslConfiguration,
)
from aether_infra.oracle.bindings.load_balancer_load_balancer import (
    LoadBalancerLoadBalancer,
    LoadBalancerLoadBalancerReservedIps,
    LoadBalancerLoadBalancerShapeDetails,
)

HTTP, HTTPS = 80, 443
LEAST_MBPS, MOST_MBPS = 10, 1000
"""Bandwidth: what is paid for at least, and what it may grow to."""
CIPHER_SUITE = "oci-modern-ssl-cipher-suite-v1"
"""Of Oracle's own suites, the one with forward secrecy alone. Source:
https://docs.oracle.com/en-us/iaas/Content/Balance/Tasks/managingciphersuites_topic-Predefined_Cipher_Suites.htm
(as of 2026-11)."""


@frozen(kw_only=True)
class LoadBalancerProps:
    """Props of `LoadBalancer`."""

    name: str
    """Cluster's name, head of every name."""
    compartment_id: str
    """Compartment of the load balancer."""
    subnet_id: str
    """Public, regional subnet."""
    group_id: str
    """Security group of the load balancer."""
    address_id: str
    """Reserved public address. A change replaces the load balancer."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node; an application port of None means that the application is not published."""
    publish_management: bool = False
    """Listen on the management port too. Who reaches it is the security group's affair."""
    certificate_id: str | None = None
    """Certificate of the Certificates service: listeners then speak HTTPS, and port 80 redirects."""
    health: HealthProbe = field(factory=HealthProbe)
    """The readiness probe, on the management port."""
    protect: bool = True
    """Deletion protection."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the load balancer."""


class LoadBalancer(Construct):
    """A public, flexible load balancer.

    A backend is healthy when its node is *ready*; what restarts a node is its liveness.
    Source: https://docs.oracle.com/en-us/iaas/Content/Balance/Concepts/balanceoverview.htm (as of 2026-11).

    Attributes:
        load_balancer: the load balancer.
        backend_sets: backend sets by concern: `application`, `management`.
        listeners: listeners by concern: `http`, `https`, `management`.
        id: the load balancer's id.
    """

    def __init__(self, scope: Construct, id_: str, props: LoadBalancerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.load_balancer = LoadBalancerLoadBalancer(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            display_name=physical_name(props.name, "balancer"),
            shape="flexible",
            shape_details=LoadBalancerLoadBalancerShapeDetails(
                minimum_bandwidth_in_mbps=LEAST_MBPS, maximum_bandwidth_in_mbps=MOST_MBPS
            ),
            subnet_ids=[props.subnet_id],
            network_security_group_ids=[props.group_id],
            reserved_ips=[LoadBalancerLoadBalancerReservedIps(id=props.address_id)],
            is_private=False,
            is_delete_protection_enabled=props.protect,
            freeform_tags=dict(props.tags),
        )
        self.id: str = self.load_balancer.id
        self.backend_sets: dict[str, LoadBalancerBackendSet] = {}
        self.listeners: dict[str, LoadBalancerListener] = {}
        if props.ports.application is not None:
            self._publish_application()
        if props.publish_management:
            self._forward("management", props.ports.management, self._backend_set("management"))

    def inner_ports(self) -> dict[str, int]:
        """Port of the nodes behind each backend set."""
        ports = {"management": self._props.ports.management, "application": self._props.ports.application}
        return {concern: port for concern in self.backend_sets if (port := ports[concern]) is not None}

    def add(self, scope: Construct, address: str) -> list[LoadBalancerBackend]:
        """Send traffic to a node.

        Args:
            scope: the node's own.
            address: its private address.
        """
        return [
            LoadBalancerBackend(
                scope,
                f"backend-{concern}",
                load_balancer_id=self.id,
                backendset_name=self.backend_sets[concern].name,
                ip_address=address,
                port=port,
            )
            for concern, port in self.inner_ports().items()
        ]

    def _publish_application(self) -> None:
        backend_set = self._backend_set("application")
        if not self._props.certificate_id:
            self._forward("http", HTTP, backend_set)
            return
        self._forward("https", HTTPS, backend_set)
        redirect = rule_l1.LoadBalancerRuleSet(
            self,
            "redirect",
            load_balancer_id=self.id,
            name="redirect",
            items=[
                rule_l1.LoadBalancerRuleSetItems(
                    action="REDIRECT",
                    conditions=[
                        rule_l1.LoadBalancerRuleSetItemsConditions(
                            attribute_name="PATH", attribute_value="/", operator="FORCE_LONGEST_PREFIX_MATCH"
                        )
                    ],
                    redirect_uri=rule_l1.LoadBalancerRuleSetItemsRedirectUri(protocol="HTTPS", port=HTTPS),
                    response_code=301,
                )
            ],
        )
        self._listener("http", HTTP, backend_set, rule_sets=[redirect.name])

    def _backend_set(self, concern: str) -> LoadBalancerBackendSet:
        props, health = self._props, self._props.health
        self.backend_sets[concern] = LoadBalancerBackendSet(
            Construct(self, f"backend-set-{concern}"),
            "Resource",
            load_balancer_id=self.id,
            name=concern,
            policy="LEAST_CONNECTIONS",
            health_checker=LoadBalancerBackendSetHealthChecker(
                protocol="HTTP",
                port=props.ports.management,
                url_path=health.readiness_path,
                return_code=200,
                interval_ms=health.interval_seconds * 1000,
                timeout_in_millis=health.timeout_seconds * 1000,
                retries=health.unhealthy_threshold,
            ),
        )
        return self.backend_sets[concern]

    def _forward(self, concern: str, port: int, backend_set: LoadBalancerBackendSet) -> None:
        certificate = self._props.certificate_id
        self._listener(
            concern,
            port,
            backend_set,
            tls=LoadBalancerListenerSslConfiguration(
                certificate_ids=[certificate],
                protocols=["TLSv1.2"],
                cipher_suite_name=CIPHER_SUITE,
                server_order_preference="ENABLED",
                verify_peer_certificate=False,
            )
            if certificate
            else None,
        )

    def _listener(
        self,
        concern: str,
        port: int,
        backend_set: LoadBalancerBackendSet,
        *,
        tls: LoadBalancerListenerSslConfiguration | None = None,
        rule_sets: Sequence[str] = (),
    ) -> None:
        self.listeners[concern] = LoadBalancerListener(
            Construct(self, f"listener-{concern}"),
            "Resource",
            load_balancer_id=self.id,
            name=concern,
            default_backend_set_name=backend_set.name,
            port=port,
            protocol="HTTP",
            ssl_configuration=tls,
            rule_set_names=list(rule_sets) or None,
        )
