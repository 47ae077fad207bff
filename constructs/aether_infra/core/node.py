"""What a node is told, whatever runs it. Facts: the Aether image's entry point and `Main` (as of 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import frozen

DATA_PATH = "/data"
"""The only folder that the node writes to, apart from `/tmp`."""
UPSTREAM_IMAGE = "ghcr.io/siy/aether-node:latest"
"""What Aether itself publishes: for a set-up that brings no registry."""
USER_ID = 1000
"""The image's user and group, `aether`."""

SWIM_OFFSET = 100
"""The failure detector listens this far above the cluster port."""


@frozen(kw_only=True)
class NodePorts:
    """Ports of a node."""

    management: int = 8080
    """TCP: management API and health. Never public by default: it deploys and undeploys."""
    cluster: int = 8090
    """TCP (older nodes) and UDP (QUIC, newer ones), only between nodes of the cluster."""
    application: int | None = 8070
    """TCP: what users call, through the load balancer; None when it is not published."""

    @property
    def swim(self) -> int:
        """UDP: the failure detector, only between nodes of the cluster."""
        return self.cluster + SWIM_OFFSET


@frozen(kw_only=True)
class HealthProbe:
    """How health is asked for. Liveness decides on a restart, readiness on traffic."""

    liveness_path: str = "/health"
    """Answers 200 as long as the process works, with a quorum or without (`/health/live` on newer nodes)."""
    readiness_path: str = "/health"
    """Answers 200 when the node can serve (`/health/ready` on newer nodes: 503 without a quorum)."""
    interval_seconds: int = 10
    """Time between two probes."""
    timeout_seconds: int = 5
    """A probe that takes longer has failed; shorter than the interval."""
    healthy_threshold: int = 2
    """Good probes in a row that bring a node in."""
    unhealthy_threshold: int = 3
    """Bad probes in a row that take it out."""
    start_seconds: int = 120
    """Grace for a starting JVM; a node takes 30 to 45 s."""


@frozen(kw_only=True)
class ShutdownBudget:
    """The times that must fit together when a node leaves."""

    stop_timeout_seconds: int = 90
    """From the polite signal to the kill; at most 120 on Fargate."""
    deregistration_delay_seconds: int = 30
    """How long the load balancer lets requests finish."""
    dns_ttl_seconds: int = 10
    """TTL of a core node's DNS name."""
    jvm_dns_ttl_seconds: int = 10
    """How long a peer's JVM keeps a resolved address."""


def core_ids(count: int) -> tuple[str, ...]:
    """Stable ids of the core nodes, `node-1` to `node-<count>`."""
    return tuple(f"node-{number}" for number in range(1, count + 1))


def majority(voters: int) -> int:
    """The smallest quorum among so many voters."""
    return voters // 2 + 1


def peers(hosts: Mapping[str, str], port: int) -> str:
    """The peer list as a node reads it: `id:host:port`, comma-separated, every core node included."""
    return ",".join(f"{node_id}:{host}:{port}" for node_id, host in hosts.items())


def spread(node_ids: Sequence[str], zones: Sequence[str]) -> dict[str, str]:
    """Place core nodes over zones in turn, so that no zone holds a majority where there are three.

    Args:
        node_ids: ids of the core nodes.
        zones: zones (or subnets, one a zone), in a stable order.

    Returns:
        The zone of each node.

    Raises:
        ValueError: there is no zone.
    """
    if not zones:
        raise ValueError("nodes need at least one zone")
    return {node_id: zones[index % len(zones)] for index, node_id in enumerate(node_ids)}


def java_options(
    *, heap_mib: int | str, gc: Literal["zgc", "g1"] = "zgc", dns_ttl_seconds: int = 10, extra: str = ""
) -> str:
    """Options of the node's JVM.

    Args:
        heap_mib: largest heap, in MiB; a string is put in as it is (for a shell to fill in).
        gc: the collector.
        dns_ttl_seconds: how long a resolved address is kept. Peers move to a new address on every restart,
            so this is part of the shutdown budget. Given as `sun.net.inetaddr.ttl`, the form of
            `networkaddress.cache.ttl` that the command line takes.
        extra: the operator's own options, which come last and so win.

    Returns:
        The value for `JAVA_OPTS`.
    """
    collector = {"zgc": "-XX:+UseZGC", "g1": "-XX:+UseG1GC"}[gc]
    options = [
        f"-Xmx{heap_mib}m",
        collector,
        "-XX:+ExitOnOutOfMemoryError",
        f"-Dsun.net.inetaddr.ttl={dns_ttl_seconds}",
        extra,
    ]
    return " ".join(option for option in options if option)


def environment(
    *, ports: NodePorts, peer_list: str, core_count: int, java_opts: str, node_id: str = ""
) -> dict[str, str]:
    """The node's environment.

    Args:
        ports: the node's ports.
        peer_list: what `peers` gives.
        core_count: number of core nodes: no other node ever becomes a voter.
        java_opts: what `java_options` gives.
        node_id: the stable id of a core node; empty for an elastic one, which makes one up.

    Returns:
        Names and values, sorted by name. `PEERS` is for the image's entry point, `CLUSTER_PEERS` for newer
        programs: same value.
    """
    values = {
        "CLUSTER_PEERS": peer_list,
        "CLUSTER_PORT": str(ports.cluster),
        "CORE_MAX": str(core_count),
        "JAVA_OPTS": java_opts,
        "MANAGEMENT_PORT": str(ports.management),
        "PEERS": peer_list,
    }
    if node_id:
        values["NODE_ID"] = node_id
    return dict(sorted(values.items()))
