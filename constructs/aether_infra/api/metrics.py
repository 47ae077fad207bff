"""What Prometheus scrapes: the cluster as it was seen last, operations on their way, and the API's own calls."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aether_infra.runtime.observation import Observation, Phase
from aether_infra.runtime.operations import Operation
from aether_infra.runtime.policy.model import Decision

SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 2, 10)
"""Bounds of the buckets of calls."""


class Metrics:
    """The registry of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Counter(
            "aether_infra_http_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "aether_infra_http_request_seconds",
            "How long requests took; event streams left out.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.cluster = ClusterCollector()
        self.registry.register(self.cluster)


class ClusterCollector(Collector):
    """What is known of the cluster; filled in before each scrape."""

    def __init__(self) -> None:
        self.seen: Observation | None = None
        self.decision: Decision | None = None
        self.open: list[Operation] = []
        self.leader = False

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        yield _gauge("aether_infra_leader", "Whether this replica leads.", float(self.leader))
        kinds = Tally(operation.kind.value for operation in self.open)
        running = GaugeMetricFamily(
            "aether_infra_operations_open", "Operations on their way.", labels=["kind"]
        )
        for kind, count in sorted(kinds.items()):
            running.add_metric([kind], count)
        yield running
        if self.seen is not None:
            yield from _cluster(self.seen)
        if self.decision is not None:
            decision = self.decision
            yield _gauge(
                "aether_elastic_nodes_desired", "Elastic nodes that there shall be.", decision.desired
            )
            yield _gauge("aether_elastic_nodes_actual", "Elastic nodes there or coming.", decision.actual)
            yield _gauge("aether_elastic_nodes_serving", "Elastic nodes on duty.", decision.serving)
            yield _gauge(
                "aether_infra_decision_timestamp_seconds",
                "When the last decision was made, in seconds since 1970.",
                decision.at.timestamp(),
            )
            if decision.load is not None:
                yield _gauge("aether_load_ratio", "Mean load of processors, 0-1.", decision.load)


def _cluster(seen: Observation) -> Iterable[Metric]:
    nodes = GaugeMetricFamily("aether_nodes", "Nodes by role and phase.", labels=["role", "phase"])
    counts = Tally((node.role.value, node.phase.value) for node in seen.nodes)
    for (role, phase), count in sorted(counts.items()):
        nodes.add_metric([role, phase], count)
    yield nodes
    yield _gauge("aether_core_nodes_on_duty", "Core nodes on duty.", seen.core_on_duty)
    yield _gauge("aether_core_nodes_expected", "Core nodes that there shall be.", seen.core)
    if seen.quorum is not None:
        yield _gauge("aether_quorum", "Whether Aether says that it has a quorum.", float(seen.quorum))
    orphans = sum(1 for node in seen.nodes if node.phase is Phase.ORPHAN)
    yield _gauge("aether_infra_orphans", "Machines that nobody knows.", orphans)
    yield _gauge(
        "aether_infra_observation_timestamp_seconds",
        "When the cluster was seen last, in seconds since 1970.",
        seen.at.timestamp(),
    )


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
