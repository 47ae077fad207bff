"""The loop over time."""

from __future__ import annotations

import random
from datetime import timedelta

from attrs import evolve

from aether_infra.runtime.policy.decide import decide
from aether_infra.runtime.policy.model import Memory
from aether_infra.runtime.simulator.cluster import EPOCH, Cluster
from aether_infra.runtime.simulator.latency import latency
from aether_infra.runtime.simulator.setup import Result, Sample, Setup
from aether_infra.runtime.simulator.trace import Trace


def simulate(trace: Trace, setup: Setup) -> Result:
    """Play a load against a policy.

    Args:
        trace: the load.
        setup: what is assumed.

    Returns:
        A sample of each step.
    """
    cluster = Cluster(setup=setup, chance=random.Random(setup.seed))  # noqa: S311 - a simulation, and no secret
    # as if it had run like this for long: neither shrinking nor growing waits for the beginning
    memory = Memory(since=EPOCH - timedelta(days=1))
    samples: list[Sample] = []
    backlog, now, step = 0.0, 0.0, setup.tick_seconds
    while now < trace.seconds:
        cluster.at(now)
        load = trace.load(now)
        serving = len(cluster.serving(now))
        # what cannot be done now is left for later; what was left is done first
        work = backlog + load * step
        backlog = max(0.0, work - serving * step)
        utilisation = min(1.0, work / (serving * step)) if serving else float(load > 0)
        wait = backlog / serving if serving else step
        decision, memory = decide(cluster.observe(now, work / step), memory, setup.policy)
        at = EPOCH + timedelta(seconds=now)
        memory = evolve(
            memory,
            added_at=at if decision.create else memory.added_at,
            removed_at=at if decision.remove else memory.removed_at,
        )
        leaving = len(cluster.nodes) - serving - cluster.booting(now)
        samples.append(
            Sample(
                at=now,
                load=load,
                serving=serving,
                booting=cluster.booting(now),
                leaving=leaving,
                desired=decision.desired + setup.core,
                utilisation=utilisation,
                backlog=backlog,
                wait_seconds=wait,
                latency_seconds=wait + latency(setup.service_seconds, utilisation),
                reason="; ".join((decision.reason, *decision.holds)),
                created=decision.create,
                removed=len(decision.remove),
                died=cluster.died(now - step, now),
            )
        )
        cluster.follow(decision, now)
        now += step
    return Result(setup=setup, samples=tuple(samples))
