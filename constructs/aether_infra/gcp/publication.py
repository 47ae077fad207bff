"""What of a cluster is open to whom: one answer for the infrastructure and for the workload."""

from __future__ import annotations

from aether_infra.config import AetherConfig, GcpConfig
from aether_infra.config.networks import is_private

ANYWHERE = "0.0.0.0/0"


def published(config: AetherConfig) -> bool:
    """Whether the application is reached from outside."""
    return config.app_http.published


def named(config: AetherConfig, gcp: GcpConfig) -> bool:
    """Whether the application gets a record in Cloud DNS."""
    return published(config) and config.cloud.domain is not None and gcp.manage_dns


def encrypted(config: AetherConfig, gcp: GcpConfig) -> bool:
    """Whether users are served HTTPS: with a certificate that exists, or one that a record of ours can prove."""
    return published(config) and (gcp.certificate is not None or named(config, gcp))


def restricted(config: AetherConfig, gcp: GcpConfig) -> bool:
    """Whether only some networks may reach the application."""
    return published(config) and ANYWHERE not in gcp.allowed_cidrs


def management_inside(gcp: GcpConfig) -> bool:
    """Whether the management port's load balancer is reached from inside of the network only."""
    return bool(gcp.management_cidrs) and all(is_private(cidr) for cidr in gcp.management_cidrs)
