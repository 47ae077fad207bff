"""What a node is told on AWS, whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from aether_infra.core.node import HealthProbe, NodePorts


@frozen(kw_only=True)
class NodeProps:
    """Props that every kind of compute shares."""

    name: str
    """Cluster's name, head of every name."""
    region: str
    """Region of the nodes."""
    core_nodes: int = 3
    """Voters: 3, 5 or 7."""
    image: str
    """Image reference, best by digest."""
    java_opts: str
    """Options of the JVM (see `aether_infra.core.node.java_options`)."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node."""
    health: HealthProbe = field(factory=HealthProbe)
    """Probes; the load balancer has its own copy."""
    stop_timeout_seconds: int = 90
    """From SIGTERM to SIGKILL; at most 120 on Fargate."""
    secrets: Mapping[str, str] = field(factory=dict)
    """Environment variable and ARN of its value in Secrets Manager or SSM."""
    log_group: str
    """Name of the nodes' CloudWatch log group."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource and, with a node's own, of everything that runs one."""
