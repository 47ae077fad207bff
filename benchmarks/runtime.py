"""Measures the runtime: a controller's tick over many nodes, and creating and removing many, beside plain calls.

The cloud and the nodes are those in memory, whose machines take no time: what is left is our own work, the journal's
with a real file and every commit on disk. Beside it, in the same run, stand the same calls without any of that: what
plain SDK calls would be, which forget everything when they die. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aether_infra.config import Provider
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.client import Aether, AetherOptions
from aether_infra.runtime.clock import SystemCalendar
from aether_infra.runtime.engine.steps import EngineOptions
from aether_infra.runtime.fake.aether import FakeAether
from aether_infra.runtime.fake.cloud import FakeCloud
from aether_infra.runtime.manager import new_token
from aether_infra.runtime.model import NodeSpec
from aether_infra.runtime.operations import CreateNode, RemoveNode
from aether_infra.runtime.service import Service, ServiceOptions
from aether_infra.runtime.settings import RuntimeSettings

AT_ONCE = 20
"""Plain calls at the same time, as the engine's creations."""


def cluster(most: int) -> tuple[RuntimeSettings, FakeCloud, FakeAether]:
    """A cluster whose machines take no time."""
    settings = RuntimeSettings(
        provider=Provider.AWS,
        compute="ec2",
        region="memory",
        cluster_name="aether",
        core_nodes=3,
        min_nodes=3,
        max_nodes=most + 3,
        managed=True,
    )
    cloud = FakeCloud(calendar=SystemCalendar(), boot_seconds=0, stop_seconds=0, drain_seconds=0)
    return settings, cloud, FakeAether(cloud=cloud, join_seconds=0, drain_seconds=0)


async def tick(count: int, journal: str) -> tuple[float, float]:
    """One decision over so many nodes, and the looks that it is made of without the rest."""
    settings, cloud, nodes = cluster(count)
    for _ in range(count):
        cloud.add()
    nodes.demand = count / 2
    options = ServiceOptions(journal=journal)
    service = Service.connect(settings, options, manager=cloud, transport=nodes.transport)
    async with service:
        seen = await service.journal.leases.look()
        fence = await service.journal.leases.take("bench", seen, SystemCalendar().utc())
        if fence is None:
            raise SystemExit("somebody else leads a journal of its own")
        await service.controller.tick(fence)  # adopts all of them
        begun = time.perf_counter()
        decision = await service.controller.tick(fence)
        whole = time.perf_counter() - begun
        if decision.serving != count:
            raise SystemExit(f"{decision.serving} of {count} nodes were seen on duty")
        client = Aether(AetherOptions(), nodes.transport)
        client.reach(machine.address for machine in cloud.alive(NodeRole.CORE))
        begun = time.perf_counter()
        await cloud.list_nodes()
        await cloud.list_targets()
        await client.membership()
        await client.loads()
        plain = time.perf_counter() - begun
        await client.close()
    return whole, plain


async def many(count: int, journal: str) -> tuple[float, float, float, float]:
    """Create and remove so many, through the engine and by plain calls: seconds of each."""
    settings, cloud, nodes = cluster(count)
    options = ServiceOptions(
        journal=journal, tick_seconds=3600, engine=EngineOptions(removals=AT_ONCE, poll_seconds=0.05)
    )
    service = Service.connect(settings, options, manager=cloud, transport=nodes.transport)
    async with service:
        await service.start()
        while not service.leader:  # noqa: ASYNC110 - what it waits for, nobody announces
            await asyncio.sleep(0.01)

        async def carry(requests: list[Any]) -> float:
            begun = time.perf_counter()
            await asyncio.gather(*(service.engine.submit(each, actor="bench") for each in requests))
            while await service.journal.operations.open():
                await service.journal.nap(0.2)
            return time.perf_counter() - begun

        created = await carry([CreateNode() for _ in range(count)])
        alive = [machine.id for machine in cloud.alive()]
        if len(alive) != count:
            raise SystemExit(f"{len(alive)} of {count} nodes were created")
        removed = await carry([RemoveNode(node_id=node) for node in alive])
        if cloud.alive():
            raise SystemExit(f"{len(cloud.alive())} nodes were not removed")
    _, bare, _ = cluster(count)
    room = asyncio.Semaphore(AT_ONCE)

    async def each(calls: list[Callable[[], Awaitable[Any]]]) -> None:
        async with room:
            for call in calls:
                await call()

    async def create() -> None:
        node = await bare.create_node(NodeSpec(token=new_token()))
        await each([lambda: bare.get_node(node.id), lambda: bare.register_target(node.id)])

    begun = time.perf_counter()
    await asyncio.gather(*(create() for _ in range(count)))
    plainly_created = time.perf_counter() - begun
    begun = time.perf_counter()
    await asyncio.gather(
        *(
            each(
                [
                    lambda node=machine.id: bare.deregister_target(node),  # type: ignore[misc]
                    lambda node=machine.id: bare.terminate_node(node),  # type: ignore[misc]
                ]
            )
            for machine in bare.alive()
        )
    )
    return created, removed, plainly_created, time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000, help="nodes of a tick; default 1000")
    parser.add_argument("--count", type=int, default=100, help="nodes created and removed; default 100")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; default 3")
    parser.add_argument("--quick", action="store_true", help="one run")
    parser.add_argument("--json", type=Path, help="write every single figure")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    runs = 1 if given.quick else given.runs
    figures: dict[str, list[float]] = {}

    def keep(name: str, seconds: float) -> None:
        figures.setdefault(name, []).append(seconds)

    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            whole, plain = asyncio.run(tick(given.nodes, f"sqlite:///{folder}/tick.db"))
            keep(f"controller tick, {given.nodes} nodes", whole)
            keep(f"the same looks alone, {given.nodes} nodes", plain)
            created, removed, bare_created, bare_removed = asyncio.run(
                many(given.count, f"sqlite:///{folder}/many.db")
            )
            keep(f"create {given.count}, journalled", created)
            keep(f"create {given.count}, plain calls", bare_created)
            keep(f"remove {given.count}, journalled and drained", removed)
            keep(f"remove {given.count}, plain calls", bare_removed)
    print(f"{'':45} {'median s':>10} {'min s':>10}")
    for name, values in figures.items():
        print(f"{name:45} {statistics.median(values):10.3f} {min(values):10.3f}")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
