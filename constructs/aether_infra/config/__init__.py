"""The configuration: one typed, checked view of `aether.toml`.

    from aether_infra.config import load

    config = load("aether.toml")

Loads in under a tenth of a second and imports nothing of cdktf.
"""

from aether_infra.config.aws import AwsConfig
from aether_infra.config.azure import AzureConfig
from aether_infra.config.cloud import CloudConfig, HealthConfig, ScalingConfig, ShutdownConfig
from aether_infra.config.digitalocean import DigitaloceanConfig
from aether_infra.config.gcp import GcpConfig
from aether_infra.config.kubernetes import KubernetesTarget
from aether_infra.config.load import load, loads, warnings
from aether_infra.config.model import AetherConfig, NodeCounts
from aether_infra.config.node import (
    AppHttpConfig,
    ClusterConfig,
    KubernetesConfig,
    NodeConfig,
    PortsConfig,
    ResourcesConfig,
)
from aether_infra.config.oracle import OracleConfig
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection, MaintenanceConfig, MaintenanceWindow
from aether_infra.config.sizing import (
    FargateSize,
    architecture,
    fargate_size,
    heap_mib,
    memory_for_heap,
    node_memory_mib,
)
from aether_infra.config.state import StateConfig
from aether_infra.config.zones import Zone, aws_zones, azure_zones, gcp_zones, oracle_zones
from aether_infra.errors import ConfigError, Problem

__all__ = [
    "AetherConfig",
    "AppHttpConfig",
    "AwsConfig",
    "AzureConfig",
    "CloudConfig",
    "CloudSection",
    "ClusterConfig",
    "ConfigError",
    "DigitaloceanConfig",
    "FargateSize",
    "GcpConfig",
    "HealthConfig",
    "KubernetesConfig",
    "KubernetesTarget",
    "MaintenanceConfig",
    "MaintenanceWindow",
    "NodeConfig",
    "NodeCounts",
    "OracleConfig",
    "PortsConfig",
    "Problem",
    "Provider",
    "ResourcesConfig",
    "ScalingConfig",
    "ShutdownConfig",
    "StateConfig",
    "Zone",
    "architecture",
    "aws_zones",
    "azure_zones",
    "fargate_size",
    "gcp_zones",
    "heap_mib",
    "load",
    "loads",
    "memory_for_heap",
    "node_memory_mib",
    "oracle_zones",
    "warnings",
]
