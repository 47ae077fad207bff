"""Load balancers in front of machines: a global one for users, a regional one of its own for operators."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_google.compute_backend_service import (
    ComputeBackendService,
    ComputeBackendServiceBackend,
    ComputeBackendServiceLogConfig,
)
from cdktf_cdktf_provider_google.compute_global_forwarding_rule import ComputeGlobalForwardingRule
from cdktf_cdktf_provider_google.compute_health_check import (
    ComputeHealthCheck,
    ComputeHealthCheckHttpHealthCheck,
)
from cdktf_cdktf_provider_google.compute_target_http_proxy import ComputeTargetHttpProxy
from cdktf_cdktf_provider_google.compute_target_https_proxy import ComputeTargetHttpsProxy
from cdktf_cdktf_provider_google.compute_url_map import ComputeUrlMap, ComputeUrlMapDefaultUrlRedirect
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import HealthProbe, NodePorts

HTTP = "80"
HTTPS = "443"
SCHEME = "EXTERNAL_MANAGED"


@frozen(kw_only=True)
class ApplicationLoadBalancerProps:
    """Props of `ApplicationLoadBalancer`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    address: str
    """The global address that it listens on."""
    instance_groups: Mapping[str, str]
    """Groups of machines by what they are, each with a named port `application`."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node."""
    health: HealthProbe = field(factory=HealthProbe)
    """How readiness is asked, on the management port."""
    deregistration_delay_seconds: int = 30
    """How long requests may finish when a machine goes, 0-3600."""
    certificate_links: tuple[str, ...] = ()
    """Certificates; with one, users are served HTTPS and HTTP leads there; without, plain HTTP."""
    ssl_policy_link: str | None = None
    """Policy of TLS versions."""
    security_policy_link: str | None = None
    """Cloud Armor policy; default: everyone."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of the forwarding rules."""


class ApplicationLoadBalancer(Construct):
    """A global external application load balancer, which sends to nodes that are ready.

    Source: https://cloud.google.com/load-balancing/docs/https (as of 2026-11).

    Attributes:
        readiness: the health check.
        backend: the backend service.
        url_map: everything goes to the backend.
        forwarding_rules: what listens, by scheme.
    """

    def __init__(self, scope: Construct, id_: str, props: ApplicationLoadBalancerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.readiness = ComputeHealthCheck(
            self,
            "readiness",
            project=props.project,
            name=physical_name(props.name, "readiness"),
            description=f"Whether a node of Aether cluster {props.name} gets requests",
            check_interval_sec=props.health.interval_seconds,
            timeout_sec=props.health.timeout_seconds,
            healthy_threshold=props.health.healthy_threshold,
            unhealthy_threshold=props.health.unhealthy_threshold,
            http_health_check=ComputeHealthCheckHttpHealthCheck(
                port=props.ports.management, request_path=props.health.readiness_path
            ),
        )
        self.backend = self._backend()
        self.url_map = ComputeUrlMap(
            self,
            "url-map",
            project=props.project,
            name=physical_name(props.name, "application"),
            description=f"Application of Aether cluster {props.name}",
            default_service=self.backend.id,
        )
        self.forwarding_rules: dict[str, ComputeGlobalForwardingRule] = {}
        if props.certificate_links:
            self._https()
            self._http(self._redirect())
        else:
            self._http(self.url_map)

    def _backend(self) -> ComputeBackendService:
        props = self._props
        return ComputeBackendService(
            self,
            "Resource",
            project=props.project,
            name=physical_name(props.name, "application"),
            description=f"Nodes of Aether cluster {props.name}",
            protocol="HTTP",
            port_name="application",
            load_balancing_scheme=SCHEME,
            health_checks=[self.readiness.id],
            connection_draining_timeout_sec=props.deregistration_delay_seconds,
            security_policy=props.security_policy_link,
            log_config=ComputeBackendServiceLogConfig(enable=True, sample_rate=1),
            backend=[
                ComputeBackendServiceBackend(
                    group=group,
                    description=concern,
                    balancing_mode="UTILIZATION",
                    max_utilization=0.8,
                    capacity_scaler=1,
                )
                for concern, group in props.instance_groups.items()
            ],
        )

    def _redirect(self) -> ComputeUrlMap:
        """HTTP leads to HTTPS."""
        props = self._props
        return ComputeUrlMap(
            self,
            "redirect",
            project=props.project,
            name=physical_name(props.name, "redirect"),
            description=f"HTTPS of Aether cluster {props.name}",
            default_url_redirect=ComputeUrlMapDefaultUrlRedirect(
                https_redirect=True,
                redirect_response_code="MOVED_PERMANENTLY_DEFAULT",
                strip_query=False,
            ),
            # when it goes, the proxy must lead elsewhere before
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )

    def _http(self, url_map: ComputeUrlMap) -> None:
        props = self._props
        proxy = ComputeTargetHttpProxy(
            self,
            "http-proxy",
            project=props.project,
            name=physical_name(props.name, "http"),
            url_map=url_map.id,
        )
        self._listen("http", proxy.id, HTTP)

    def _https(self) -> None:
        props = self._props
        proxy = ComputeTargetHttpsProxy(
            self,
            "https-proxy",
            project=props.project,
            name=physical_name(props.name, "https"),
            url_map=self.url_map.id,
            ssl_certificates=list(props.certificate_links),
            ssl_policy=props.ssl_policy_link,
        )
        self._listen("https", proxy.id, HTTPS)

    def _listen(self, scheme: str, target: str, port: str) -> None:
        props = self._props
        self.forwarding_rules[scheme] = ComputeGlobalForwardingRule(
            self,
            scheme,
            project=props.project,
            name=physical_name(props.name, scheme),
            description=f"Application of Aether cluster {props.name}",
            target=target,
            ip_address=props.address,
            ip_protocol="TCP",
            port_range=port,
            load_balancing_scheme=SCHEME,
            labels=dict(props.labels),
        )
