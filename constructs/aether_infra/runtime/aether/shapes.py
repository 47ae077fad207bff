"""Reads what nodes answer: older and newer ones differ, and neither keeps to its documentation everywhere.

What is not there is None or left out; nothing here raises. Shapes: the design's `runtime.md`, section 2, and
`aether-node.md`, of https://github.com/siy/aether and https://github.com/pragmaticalabs/pragmatica (as of 2026-04).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.observation import Lifecycle, Thresholds


@frozen(kw_only=True)
class Member:
    """A node that Aether knows."""

    id: str
    """Aether's id."""
    lifecycle: Lifecycle | None = None
    """Where it is in its life; None where the nodes do not say."""
    role: NodeRole | None = None
    """None where the nodes do not say."""
    leader: bool = False


@frozen(kw_only=True)
class Load:
    """What a node has to do."""

    cpu: float | None = None
    """Load of its processors, 0-1."""
    heap: float | None = None
    """Share of its heap in use, 0-1."""


def members(answer: Any) -> list[Member]:
    """The nodes of `GET /api/nodes`: objects or bare ids, in a list or under `nodes`."""
    found = []
    for item in _items(answer, "nodes"):
        if isinstance(item, str):
            found.append(Member(id=item))
        elif isinstance(item, Mapping) and (identity := _identity(item)):
            role = str(item.get("role", "")).lower()
            found.append(
                Member(
                    id=identity,
                    role=NodeRole(role) if role in tuple(NodeRole) else None,
                    leader=item.get("isLeader") is True,
                )
            )
    return found


def lifecycles(answer: Any) -> dict[str, Lifecycle]:
    """State by node of `GET /api/nodes/lifecycle`; unknown words are left out."""
    found = {}
    for item in _items(answer, "nodes", "lifecycles"):
        if isinstance(item, Mapping) and (identity := _identity(item)):
            state = lifecycle(item)
            if state is not None:
                found[identity] = state
    return found


def lifecycle(answer: Any) -> Lifecycle | None:
    """State of one node, as lists and changes have it."""
    word = str(answer.get("state", "")).upper() if isinstance(answer, Mapping) else ""
    return Lifecycle(word) if word in tuple(Lifecycle) else None


def leader(answer: Any) -> str:
    """Id of the leader in `GET /api/status`; empty where it is not said.

    Older nodes only say whether they are it themselves.
    """
    if not isinstance(answer, Mapping):
        return ""
    cluster = answer.get("cluster")
    named = cluster.get("leaderId") if isinstance(cluster, Mapping) else None
    for word in (named, answer.get("leader"), answer.get("leaderId")):
        if isinstance(word, str) and word:
            return word
    if answer.get("isLeader") is True or str(answer.get("status", "")).upper() == "LEADER":
        return own_id(answer)
    return ""


def own_id(answer: Any) -> str:
    """Id of the node that answers `GET /health/live` or `GET /api/status`; empty where it is not said."""
    if not isinstance(answer, Mapping):
        return ""
    for key in ("nodeId", "node"):
        if isinstance(answer.get(key), str):
            return str(answer[key])
    return ""


def quorum(answer: Any) -> bool | None:
    """Whether there is a quorum, in `GET /health`, `/api/health` or `/health/ready`; None where it is not said."""
    if not isinstance(answer, Mapping):
        return None
    if isinstance(answer.get("quorum"), bool):
        return bool(answer["quorum"])
    for item in _items(answer, "components"):
        if isinstance(item, Mapping) and item.get("name") == "quorum":
            return str(item.get("status", "")).upper() == "UP"
    return None


def ready(answer: Any) -> bool:
    """Whether a node says in `GET /health/ready` or `/health` that it serves."""
    word = str(answer.get("status", "")).upper() if isinstance(answer, Mapping) else ""
    return word in {"UP", "HEALTHY"}


def loads(answer: Any) -> dict[str, Load]:
    """Load by node of `GET /api/node-metrics` (a list) or `GET /api/metrics` (under `load`)."""
    found = {}
    for item in _items(answer, "nodes", "metrics"):
        if isinstance(item, Mapping) and (identity := _identity(item)):
            used, most = _number(item.get("heapUsedMb")), _number(item.get("heapMaxMb"))
            heap = used / most if used is not None and most else None
            found[identity] = Load(cpu=_share(item.get("cpuUsage")), heap=heap)
    by_node = answer.get("load") if isinstance(answer, Mapping) else None
    if isinstance(by_node, Mapping):
        for identity, values in by_node.items():
            if isinstance(values, Mapping):
                found[str(identity)] = Load(
                    cpu=_share(values.get("cpu.usage")), heap=_share(values.get("heap.usage"))
                )
    return found


def calls_per_second(answer: Any) -> float | None:
    """Requests a second of the cluster, in `GET /api/status`; None where it is not said."""
    metrics = answer.get("metrics") if isinstance(answer, Mapping) else None
    return _number(metrics.get("requestsPerSecond")) if isinstance(metrics, Mapping) else None


def thresholds(answer: Any) -> Thresholds:
    """Thresholds of `GET /api/controller/config`; what is missing or makes no sense is the default."""
    usual = Thresholds()
    if not isinstance(answer, Mapping):
        return usual
    up = _share(answer.get("cpuScaleUpThreshold"))
    down = _share(answer.get("cpuScaleDownThreshold"))
    calls = _number(answer.get("callRateScaleUpThreshold"))
    upper = up if up is not None and up > 0 else usual.cpu_up
    lower = down if down is not None and down < upper else min(usual.cpu_down, upper / 2)
    return Thresholds(cpu_up=upper, cpu_down=lower, calls_up=calls or usual.calls_up)


def refusal(answer: Any) -> str:
    """Why a node does not do what it was asked, with whatever status it says so; empty if it does."""
    if not isinstance(answer, Mapping) or answer.get("success") is not False:
        return ""
    return str(answer.get("message") or answer.get("error") or "it says success: false, and no more")


def _items(answer: Any, *keys: str) -> Iterator[Any]:
    """The items of a list, bare or under one of these keys."""
    if isinstance(answer, list):
        yield from answer
    elif isinstance(answer, Mapping):
        for key in keys:
            if isinstance(answer.get(key), list):
                yield from answer[key]
                return


def _identity(item: Mapping[Any, Any]) -> str:
    for key in ("nodeId", "id"):
        if isinstance(item.get(key), str):
            return str(item[key])
    return ""


def _number(value: Any) -> float | None:
    """A number that is none below zero; a JVM says -1 for what it does not know."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _share(value: Any) -> float | None:
    number = _number(value)
    return None if number is None else min(1.0, number)
