"""A load balancer of ours in front of machines, which are found by a tag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import frozen
from cdktf_cdktf_provider_digitalocean.loadbalancer import (
    Loadbalancer,
    LoadbalancerFirewall,
    LoadbalancerForwardingRule,
    LoadbalancerHealthcheck,
)
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import HealthProbe

ANYWHERE = "0.0.0.0/0"
LEAST_SECONDS = 3
"""The shortest interval and timeout of a health check. Source:
https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/loadbalancer (as of 2026-11)."""


@frozen(kw_only=True)
class LoadBalancerOutputs:
    """What others need of it."""

    id: str
    ip: str
    urn: str


@frozen(kw_only=True)
class LoadBalancerProps:
    """Props of `LoadBalancer`."""

    name: str
    """Cluster's name."""
    concern: Literal["application", "management"]
    """What it leads to: HTTP of the application, or bytes of the management port, which may speak TLS itself."""
    region: str
    """Region's slug."""
    vpc_id: str
    """VPC, through which it reaches the machines."""
    machine_tag: str
    """Tag of the machines behind it."""
    target_port: int
    """Port of a machine that traffic goes to."""
    port: int
    """Port that the management one listens on; the application's are 80 and 443."""
    health_port: int
    """Port of a machine that answers health checks."""
    health: HealthProbe
    """Readiness, since this is about traffic."""
    sources: Sequence[str]
    """IPv4 networks that it lets in; empty: none."""
    certificate_name: str | None = None
    """Certificate for HTTPS on port 443, where port 80 then leads to; default: HTTP on port 80."""
    nodes: int = 1
    """Size: each node takes 10,000 requests a second."""


class LoadBalancer(Construct):
    """A regional load balancer that belongs to this stack alone, so that its address outlives any workload.

    A Kubernetes service could adopt one by annotation, but deletes it with itself; this one leads to node ports.
    Source: https://github.com/digitalocean/digitalocean-cloud-controller-manager/tree/main/docs (as of 2026-11).

    Attributes:
        load_balancer: the load balancer.
        outputs: its id and address.
    """

    def __init__(self, scope: Construct, id_: str, props: LoadBalancerProps) -> None:
        super().__init__(scope, id_)
        self.load_balancer = Loadbalancer(
            self,
            "Resource",
            name=physical_name(props.name, props.concern),
            type="REGIONAL",
            network="EXTERNAL",
            region=props.region,
            vpc_uuid=props.vpc_id,
            size_unit=props.nodes,
            droplet_tag=props.machine_tag,
            forwarding_rule=_rules(props),
            redirect_http_to_https=props.certificate_name is not None,
            # the record is ours
            disable_lets_encrypt_dns_records=True,
            tls_cipher_policy="STRONG" if props.certificate_name else None,
            healthcheck=LoadbalancerHealthcheck(
                protocol="http",
                port=props.health_port,
                path=props.health.readiness_path,
                check_interval_seconds=max(LEAST_SECONDS, props.health.interval_seconds),
                response_timeout_seconds=max(LEAST_SECONDS, props.health.timeout_seconds),
                healthy_threshold=props.health.healthy_threshold,
                unhealthy_threshold=props.health.unhealthy_threshold,
            ),
            firewall=_firewall(props.sources),
        )
        self.outputs = LoadBalancerOutputs(
            id=self.load_balancer.id, ip=self.load_balancer.ip, urn=self.load_balancer.urn
        )


def _firewall(sources: Sequence[str]) -> LoadbalancerFirewall:
    """Always said: what is left out stays as it was, and without any rule everybody may in."""
    if not sources:
        return LoadbalancerFirewall(deny=[f"cidr:{ANYWHERE}"])
    return LoadbalancerFirewall(allow=[f"cidr:{source}" for source in sources])


def _rules(props: LoadBalancerProps) -> list[LoadbalancerForwardingRule]:
    if props.concern == "management":
        return [
            LoadbalancerForwardingRule(
                entry_protocol="tcp",
                entry_port=props.port,
                target_protocol="tcp",
                target_port=props.target_port,
            )
        ]
    http = LoadbalancerForwardingRule(
        entry_protocol="http", entry_port=80, target_protocol="http", target_port=props.target_port
    )
    if props.certificate_name is None:
        return [http]
    https = LoadbalancerForwardingRule(
        entry_protocol="https",
        entry_port=443,
        target_protocol="http",
        target_port=props.target_port,
        certificate_name=props.certificate_name,
    )
    return [http, https]
