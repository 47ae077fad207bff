"""The configuration: one typed, checked view of `aether.toml`.

    from aether_infra.config import load
    config = load("aether.toml")

Loads in under a tenth of a second and imports nothing of cdktf.
"""

from aether_infra.config.aws import AwsConfig
from aether_infra.config.cloud import CloudConfig, HealthConfig, ScalingConfig, ShutdownConfig
from aether_infra.config.load import load, loads
from aether_infra.config.model import AetherConfig, NodeCounts
from aether_infra.config.node import (
    AppHttpConfig,
    ClusterConfig,
    KubernetesConfig,
    NodeConfig,
    PortsConfig,
    ResourcesConfig,
)
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection
from aether_infra.config.sizing import FargateSize, Zone, aws_zones, fargate_size, heap_mib
from aether_infra.config.state import StateConfig
from aether_infra.errors import ConfigError, Problem

__all__ = [
    "AetherConfig",
    "AppHttpConfig",
    "AwsConfig",
    "CloudConfig",
    "CloudSection",
    "ClusterConfig",
    "ConfigError",
    "FargateSize",
    "HealthConfig",
    "KubernetesConfig",
    "NodeConfig",
    "NodeCounts",
    "PortsConfig",
    "Problem",
    "Provider",
    "ResourcesConfig",
    "ScalingConfig",
    "ShutdownConfig",
    "StateConfig",
    "Zone",
    "aws_zones",
    "fargate_size",
    "heap_mib",
    "load",
    "loads",
]
