"""A simulation in a few figures."""

from __future__ import annotations

from attrs import frozen

from aether_infra.runtime.simulator.latency import percentile
from aether_infra.runtime.simulator.setup import Result

HOUR = 3600.0
"""Seconds."""


@frozen(kw_only=True)
class Figures:
    """What a policy costs, and what it gives."""

    hours: float
    """How long the trace is."""
    node_hours: float
    """Paid for: serving, booting and leaving nodes, core ones included."""
    node_hours_needed: float
    """What the load itself is."""
    peak_nodes: int
    """Most nodes at the same time."""
    mean_utilisation: float
    """Of serving nodes, weighed by time, 0-1."""
    overload_seconds: float
    """How long there was more to do than nodes could."""
    latency_p50_seconds: float
    latency_p95_seconds: float
    latency_p99_seconds: float
    """Of all requests; see `latency`."""
    longest_wait_seconds: float
    """Longest wait because of an overload."""
    created: int
    removed: int
    died: int
    """Nodes, over the whole time."""


def figures(result: Result) -> Figures:
    """Sum a simulation up."""
    samples, step = result.samples, result.setup.tick_seconds
    hours = len(samples) * step / HOUR
    paid = sum(sample.serving + sample.booting + sample.leaving for sample in samples)
    return Figures(
        hours=hours,
        node_hours=paid * step / HOUR,
        node_hours_needed=sum(sample.load for sample in samples) * step / HOUR,
        peak_nodes=max(sample.serving + sample.booting + sample.leaving for sample in samples),
        mean_utilisation=sum(sample.utilisation for sample in samples) / len(samples),
        overload_seconds=sum(step for sample in samples if sample.load > sample.serving),
        latency_p50_seconds=percentile(samples, 0.5),
        latency_p95_seconds=percentile(samples, 0.95),
        latency_p99_seconds=percentile(samples, 0.99),
        longest_wait_seconds=max(sample.wait_seconds for sample in samples),
        created=sum(sample.created for sample in samples),
        removed=sum(sample.removed for sample in samples),
        died=sum(sample.died for sample in samples),
    )
