"""The queue before the nodes: how long a request takes.

Two parts. As long as nodes keep up, each is an M/M/1 queue that shares its processor: a request takes
`service / (1 - utilisation)` on average, exponentially distributed. Where they do not keep up, the work that is left
over waits (a fluid queue over all nodes), and a request waits for all that came before it. Balancing is taken as
perfect, and no request is ever given up: real latencies are a little worse before an overload, and better during one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from aether_infra.runtime.simulator.setup import Sample

BUSIEST = 0.98
"""Utilisation from which on the M/M/1 part grows no more: what is above waits in the backlog."""


def latency(service_seconds: float, utilisation: float) -> float:
    """Mean time that a request takes on a node that keeps up."""
    return service_seconds / (1 - min(BUSIEST, utilisation))


def percentile(samples: Sequence[Sample], share: float) -> float:
    """Time within which this share of all requests is done, in seconds.

    Requests of one step wait for the same backlog and then take an exponentially distributed time; steps weigh as their
    load.

    Args:
        samples: the steps.
        share: 0-1.
    """
    whole = sum(sample.load for sample in samples)
    if not whole:
        return 0.0

    def done(within: float) -> float:
        return sum(
            sample.load * -math.expm1(-(within - sample.wait_seconds) / _alone(sample))
            for sample in samples
            if within > sample.wait_seconds
        )

    low, high = 0.0, max(sample.wait_seconds + 50 * _alone(sample) for sample in samples)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if done(middle) >= share * whole else (middle, high)
    return high


def _alone(sample: Sample) -> float:
    """The mean time of a request without the wait for the backlog."""
    return max(1e-9, sample.latency_seconds - sample.wait_seconds)
