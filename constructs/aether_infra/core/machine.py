"""What turns a fresh Linux machine into one Aether node: cloud-init text, the same on every cloud.

It suits Container-Optimized OS (no package manager, `/etc` made anew at each boot, nothing executable but through
`/bin/sh`), Ubuntu and Oracle Linux. cloud-init writes `machine.sh`, its settings and a systemd service; whatever can
fail for a while (disk, packages, registry, secrets) is done by the service, which systemd starts until it works.

What an operator or Terraform puts in stays free of quotes and line breaks, since it lands in a shell's single quotes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from shlex import quote
from typing import Any, Final, Literal

from attrs import field, frozen

from aether_infra.core.encoding import jsonencode
from aether_infra.core.node import HealthProbe, NodePorts

HEAP_PLACEHOLDER: Final = "@HEAP_MIB@"
"""Put into `JAVA_OPTS` as the heap's size, it becomes three quarters of the machine's memory."""

FOLDER: Final = "/etc/aether"
"""Where cloud-init puts everything but the service."""
PROGRAM: Final = f"{FOLDER}/machine.sh"
SERVICE: Final = "aether.service"
"""The systemd service that runs the node."""
UNITS: Final = "/etc/systemd/system"
MOUNT_UNIT: Final = "var-lib-aether-data.mount"
"""What systemd calls the mount of the data disk."""

PRIVATE: Final = "0600"
PUBLIC: Final = "0644"


@frozen(kw_only=True)
class MachineNode:
    """One node on one machine. Texts may hold Terraform tokens, as long as their values are free of quotes."""

    image: str
    """The node's image, with tag or digest."""
    environment: Mapping[str, str]
    """What `core.node.environment` gives. In `JAVA_OPTS`, `HEAP_PLACEHOLDER` stands for a heap that fits."""
    ports: NodePorts
    """Ports that the machine's own firewall, where the image brings one, lets through; the cloud's decides for whom."""
    health: HealthProbe
    """A container whose liveness fails is started again."""
    stop_timeout_seconds: int = 90
    """From the polite signal to the kill."""
    data_device: str | None = None
    """Block device of `/data`, such as `/dev/disk/by-id/scsi-0DO_Volume_x`: waited for ten minutes, formatted with ext4
    only if it is empty. Default: a folder of the machine's own disk."""
    engine: Literal["docker", "podman"] = "docker"
    """What runs the container: Docker (Ubuntu, Container-Optimized OS) or Podman (Oracle Linux)."""
    packages: Sequence[str] = ("docker.io",)
    """Packages to install, by apt-get or dnf; empty where the image brings all."""
    login: str = ""
    """POSIX sh lines, run as root before each pull; they write below `$DOCKER_CONFIG` (Podman: to
    `$REGISTRY_AUTH_FILE`), which is in memory. If they fail, the pull is tried all the same; if that fails, the image
    that is on the machine is taken."""
    secrets: str = ""
    """POSIX sh lines that print `NAME=value` lines; they are kept in memory, readable by root only. No node without
    them: if they fail, it is tried again."""
    host: str = ""
    """POSIX sh lines that print `NAME=value` for values that only the machine knows; they win over `environment`."""
    log_driver: str = "journald"
    """Where the container's output goes: a logging driver of the engine."""
    arguments: Sequence[str] = ()
    """Further arguments of the engine's `run`, without blanks."""
    files: Mapping[str, str] = field(factory=dict)
    """Further files by absolute path, readable by root only."""
    units: Sequence[str] = ()
    """Names of further systemd units to enable and start, which `files` brings."""
    peers: bool = True
    """Whether it is a node, to which the cluster's ports are open; else its management port alone is."""


def cloud_config(node: MachineNode) -> str:
    """The cloud-init text of a machine: the same node gives the same bytes.

    Args:
        node: what to run.

    Returns:
        `#cloud-config` and JSON, which is YAML. A dollar sign stands before a brace only where `node` has one, so a
        token in it is resolved by Terraform as in any other text. Where base64 is wanted: `cdk.text.base64_text`.
    """
    return f"#cloud-config\n{jsonencode(cloud_config_document(node))}\n"


def cloud_config_document(node: MachineNode) -> dict[str, Any]:
    """The same as dictionaries and lists, for a caller that encodes it itself, below the line `#cloud-config`."""
    program = files("aether_infra.core").joinpath("machine.sh").read_text(encoding="utf-8")
    written = {
        f"{FOLDER}/environment": _lines(
            f"{name}={_one_line(value)}" for name, value in sorted(node.environment.items())
        ),
        f"{FOLDER}/host.sh": _script(node.host),
        f"{FOLDER}/login.sh": _script(node.login),
        f"{FOLDER}/secrets.sh": _script(node.secrets),
        f"{FOLDER}/settings.sh": _lines(
            f"{name}={quote(str(value))}" for name, value in _settings(node).items()
        ),
        PROGRAM: program,
        **node.files,
    }
    private = [_file(path, content, PRIVATE) for path, content in sorted(written.items())]
    units = [SERVICE, *node.units]
    return {
        "write_files": [*private, _file(f"{UNITS}/{SERVICE}", _unit(node), PUBLIC)],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", *units],
            ["systemctl", "start", "--no-block", *units],
        ],
    }


def _settings(node: MachineNode) -> dict[str, str | int]:
    """What `machine.sh` reads, sorted by name."""
    tcp = (node.ports.management, node.ports.cluster if node.peers else None, node.ports.application)
    settings: dict[str, str | int] = {
        "ARGUMENTS": " ".join(node.arguments),
        "DEVICE": node.data_device or "",
        "ENGINE": node.engine,
        "IMAGE": node.image,
        "INTERVAL_SECONDS": node.health.interval_seconds,
        "LIVENESS_PATH": node.health.liveness_path,
        "LOG_DRIVER": node.log_driver,
        "MANAGEMENT_PORT": node.ports.management,
        "PACKAGES": " ".join(node.packages),
        "START_SECONDS": node.health.start_seconds,
        "STOP_TIMEOUT_SECONDS": node.stop_timeout_seconds,
        "TCP_PORTS": " ".join(str(port) for port in tcp if port is not None),
        "TIMEOUT_SECONDS": node.health.timeout_seconds,
        "UDP_PORTS": f"{node.ports.cluster} {node.ports.swim}" if node.peers else "",
        "UNHEALTHY_THRESHOLD": node.health.unhealthy_threshold,
        # Oracle Linux enforces SELinux, which wants the folder labelled for this container alone
        "VOLUME_OPTIONS": ":Z" if node.engine == "podman" else "",
    }
    return settings


def _unit(node: MachineNode) -> str:
    engine = "docker.service " if node.engine == "docker" else ""
    return _lines(
        [
            "[Unit]",
            "Description=Aether node",
            "Wants=network-online.target",
            # on the way down: first the node, then what it needs
            f"After=network-online.target {engine}{MOUNT_UNIT}",
            "StartLimitIntervalSec=0",
            "[Service]",
            f"ExecStartPre=/bin/sh {PROGRAM} prepare",
            f"ExecStart=/bin/sh {PROGRAM} run",
            f"ExecStop=-/bin/sh {PROGRAM} stop",
            "Restart=always",
            "RestartSec=10",
            "TimeoutStartSec=infinity",
            f"TimeoutStopSec={node.stop_timeout_seconds + 30}",
            "[Install]",
            "WantedBy=multi-user.target",
        ]
    )


def _file(path: str, content: str, permissions: str) -> dict[str, str]:
    return {"path": path, "owner": "root:root", "permissions": permissions, "content": content}


def _script(lines: str) -> str:
    return f"{lines.rstrip()}\n" if lines.strip() else ":\n"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _one_line(value: str) -> str:
    """An engine's environment file has one line a variable."""
    return " ".join(value.splitlines())
