"""What the runtime manager's service is told, whatever runs it: `aether-infra serve` reads all of it by environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve

from aether_infra.core.machine import FOLDER, MachineNode
from aether_infra.core.node import HealthProbe, NodePorts
from aether_infra.core.tags import CLUSTER

NAME: Final = "manager"
"""Its part of every resource's name."""
TAG: Final = "aether-manager"
"""Tag key: name of the cluster that a machine or pod manages."""
RUNTIME: Final = "AETHER_RUNTIME"
"""Variable: Layer 1's output `runtime`, as JSON."""
OUTPUTS: Final = "AETHER_OUTPUTS"
"""Variable: path of a file that holds the same."""
DATA_PATH: Final = "/data"
"""The only folder that it writes to, apart from `/tmp`."""
JOURNAL: Final = f"sqlite:///{DATA_PATH}/journal.db"
"""Its journal, where a disk holds it; as SQLAlchemy writes an address, whose fourth slash begins the path."""
LIVENESS_PATH: Final = "/health/live"
"""Answers 200 as long as the process works."""
READINESS_PATH: Final = "/health/ready"
"""Answers 200 when it can serve."""
PROBE_SECONDS: Final = 10
"""Time between two probes."""
START_SECONDS: Final = 60
"""Grace for a start: what it had begun is looked up in the cloud first."""
RUNTIME_FILE: Final = f"{FOLDER}/runtime"
"""On a machine of its own: the output `runtime`, in base64."""
JOURNAL_GIB: Final = 10
"""Size of the journal's disk on a machine of its own: the least that any kind of disk has."""
STOP_SECONDS: Final = 60
"""From the polite signal to the kill: a call that is under way may end."""


def environment(*, port: int, collect: bool, on_volume: bool) -> dict[str, str]:
    """The service's environment, without what it is told of the cluster and without secrets.

    Args:
        port: port of its API.
        collect: whether it ends what nobody claims.
        on_volume: whether its journal is on a disk; else its address is among the secrets.

    Returns:
        Names and values, sorted by name.
    """
    values = {
        "AETHER_COLLECT": "true" if collect else "false",
        # its keys, and the network's rules, say who may call
        "AETHER_HOST": "0.0.0.0",  # noqa: S104
        "AETHER_PORT": str(port),
    }
    if on_volume:
        values["AETHER_JOURNAL"] = JOURNAL
    return dict(sorted(values.items()))


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags of the manager's machine, its disk and its interface: without `aether-cluster`.

    What bears that tag is a node, to Aether's discovery (a voter even, without a role) as to the manager itself, which
    ends what nobody claims.

    Args:
        tags: the standard tags.

    Returns:
        A new dictionary, sorted by key.
    """
    kept = {key: value for key, value in tags.items() if key != CLUSTER}
    return dict(sorted({**kept, TAG: tags.get(CLUSTER, "")}.items()))


def machine_ports(port: int) -> NodePorts:
    """Ports of a machine that runs the service: its API stands where a node's management port is."""
    return NodePorts(management=port, application=None)


def machine_health() -> HealthProbe:
    """How the machine asks whether the service lives."""
    return HealthProbe(
        liveness_path=LIVENESS_PATH,
        readiness_path=READINESS_PATH,
        interval_seconds=PROBE_SECONDS,
        start_seconds=START_SECONDS,
    )


def machine(node: MachineNode, runtime_base64: str) -> MachineNode:
    """What a machine of its own runs: the service instead of a node.

    Args:
        node: the same machine's node, with the service's image, environment, ports and probes.
        runtime_base64: what the service is told of the cluster, in base64, which no quoting can harm.
    """
    tell = f"printf '{RUNTIME}=%s\\n' \"$(base64 -d {RUNTIME_FILE})\""
    return evolve(
        node,
        peers=False,
        files={**node.files, RUNTIME_FILE: f"{runtime_base64}\n"},
        host="\n".join(line for line in (node.host, tell) if line),
    )
