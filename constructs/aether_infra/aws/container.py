"""The node as a container: what ECS is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from aether_infra.cdk.text import json_text
from aether_infra.core.node import DATA_PATH, USER_ID, HealthProbe, NodePorts

NODE = "aether"
"""Name of the node's container: what a target group is attached to."""
_OPEN_FILES = 65536


@frozen(kw_only=True)
class ContainerSpec:
    """Everything that goes into a task's containers."""

    image: str
    """Image reference, best by digest."""
    environment: Mapping[str, str]
    """The node's environment."""
    secrets: Mapping[str, str]
    """Environment variable and ARN of its value in Secrets Manager or SSM."""
    ports: NodePorts
    """Ports to declare."""
    health: HealthProbe
    """The liveness probe."""
    stop_timeout_seconds: int
    """From SIGTERM to SIGKILL, at most 120."""
    log_group: str
    """CloudWatch log group."""
    region: str
    """Region of the log group."""
    log_prefix: str
    """Head of the log streams' names: the node's id or `elastic`."""
    persistent: bool
    """`/data` is a file system of its own, which the node's user owns already."""


def container_definitions(spec: ContainerSpec) -> str:
    """Render the containers of a task.

    Beside the node there are two small ones of the same image: `prepare` makes the scratch volumes writable
    for the node's user and ends; `liveness` ends the task when the node stops answering. ECS must not do the
    latter by its own means, because it cannot tell liveness from readiness: whatever makes it act on health
    makes it act on the load balancer's verdict too, and when a quorum is lost that would restart the very
    nodes that still hold the data.

    Args:
        spec: what to run.

    Returns:
        JSON, see `json_text`.
    """
    return json_text([_node(spec), _liveness(spec), _prepare(spec)])


def probe_command(spec: ContainerSpec) -> str:
    """A shell command that succeeds when the node is alive. The image brings busybox's wget, not curl."""
    url = f"http://127.0.0.1:{spec.ports.management}{spec.health.liveness_path}"
    return f"wget -q -T {spec.health.timeout_seconds} -O /dev/null {url}"


def _base(spec: ContainerSpec, name: str, *, essential: bool, user: int) -> dict[str, Any]:
    return {
        "name": name,
        "image": spec.image,
        "essential": essential,
        "user": str(user),
        "readonlyRootFilesystem": True,
        "linuxParameters": {"initProcessEnabled": True},
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        "portMappings": [],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": spec.log_group,
                "awslogs-region": spec.region,
                "awslogs-stream-prefix": spec.log_prefix,
                "mode": "non-blocking",
                "max-buffer-size": "4m",
            },
        },
    }


def _node(spec: ContainerSpec) -> dict[str, Any]:
    ports = [
        ("management", spec.ports.management, "tcp"),
        ("application", spec.ports.application, "tcp"),
        ("cluster", spec.ports.cluster, "tcp"),
        ("cluster-quic", spec.ports.cluster, "udp"),
        ("cluster-swim", spec.ports.swim, "udp"),
    ]
    return _base(spec, NODE, essential=True, user=USER_ID) | {
        "environment": [{"name": name, "value": value} for name, value in sorted(spec.environment.items())],
        "secrets": [{"name": name, "valueFrom": arn} for name, arn in sorted(spec.secrets.items())],
        "portMappings": [
            {"name": name, "containerPort": port, "hostPort": port, "protocol": protocol}
            for name, port, protocol in ports
            if port is not None
        ],
        "mountPoints": [_mount("data", DATA_PATH), _mount("tmp", "/tmp")],  # noqa: S108
        "dependsOn": [{"containerName": "prepare", "condition": "SUCCESS"}],
        "healthCheck": {
            "command": ["CMD-SHELL", f"{probe_command(spec)} || exit 1"],
            "interval": spec.health.interval_seconds,
            "timeout": spec.health.timeout_seconds,
            "retries": spec.health.unhealthy_threshold,
            "startPeriod": spec.health.start_seconds,
        },
        "stopTimeout": spec.stop_timeout_seconds,
        "ulimits": [{"name": "nofile", "softLimit": _OPEN_FILES, "hardLimit": _OPEN_FILES}],
    }


def _liveness(spec: ContainerSpec) -> dict[str, Any]:
    health = spec.health
    script = (
        # the node has its start-up time, which a good answer ends early
        f"end=$(($(date +%s) + {health.start_seconds})); "
        f"until {probe_command(spec)}; do "
        f"[ $(date +%s) -lt $end ] || {{ echo 'node did not start'; exit 1; }}; sleep 2; done; "
        f"bad=0; while sleep {health.interval_seconds}; do "
        f"if {probe_command(spec)}; then bad=0; else bad=$((bad + 1)); fi; "
        f"[ $bad -lt {health.unhealthy_threshold} ] || "
        "{ echo 'too many bad answers in a row'; exit 1; }; done"
    )
    return _base(spec, "liveness", essential=True, user=USER_ID) | {
        "entryPoint": ["sh", "-c"],
        "command": [script],
        "dependsOn": [{"containerName": NODE, "condition": "START"}],
        "stopTimeout": 2,
    }


def _prepare(spec: ContainerSpec) -> dict[str, Any]:
    own = f"chown {USER_ID}:{USER_ID}"
    mounts = [_mount("tmp", "/tmp")]  # noqa: S108
    commands = [f"{own} /tmp"]
    if not spec.persistent:
        mounts.append(_mount("data", DATA_PATH))
        commands.append(f"{own} {DATA_PATH}")
    return _base(spec, "prepare", essential=False, user=0) | {
        "entryPoint": ["sh", "-c"],
        "command": [" && ".join(commands)],
        "mountPoints": mounts,
    }


def _mount(volume: str, path: str) -> dict[str, Any]:
    return {"sourceVolume": volume, "containerPath": path, "readOnly": False}
