"""Nodes that are only reckoned: they boot, serve, leave and die as time goes on."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

from attrs import define, field

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.model import NodeState
from aether_infra.runtime.observation import NodeView, Observation, Phase
from aether_infra.runtime.policy.model import Decision
from aether_infra.runtime.simulator.setup import Setup

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When a simulation begins; nothing depends on it."""
ZONES = 3
"""Nodes are spread over so many."""
DAY = 86400.0
"""Seconds."""


@define(kw_only=True)
class Node:
    """A node."""

    number: int
    core: bool
    born: float
    serves_at: float
    """When it begins to work."""
    dies_at: float = math.inf
    """When it dies by itself."""
    leaves_at: float = math.inf
    """When it is gone, having been drained."""

    @property
    def leaving(self) -> bool:
        """Whether it is being drained."""
        return self.leaves_at < math.inf


@define(kw_only=True)
class Cluster:
    """The nodes of a simulation."""

    setup: Setup
    chance: random.Random
    nodes: list[Node] = field(factory=list)
    _serial: int = 0

    def __attrs_post_init__(self) -> None:
        for _ in range(self.setup.minimum):
            self._add(0.0, booted=True)

    def at(self, now: float) -> None:
        """Let what has happened until now have happened."""
        self.nodes = [node for node in self.nodes if node.leaves_at > now]

    def serving(self, now: float) -> list[Node]:
        """Nodes that work."""
        return [
            node for node in self.nodes if node.serves_at <= now and node.dies_at > now and not node.leaving
        ]

    def booting(self, now: float) -> int:
        """How many are on their way in."""
        return sum(1 for node in self.nodes if node.serves_at > now and not node.leaving)

    def died(self, since: float, now: float) -> int:
        """How many died in between."""
        return sum(1 for node in self.nodes if since < node.dies_at <= now)

    def observe(self, now: float, load: float) -> Observation:
        """What a controller sees."""
        serving = len(self.serving(now))
        cpu = min(1.0, load / serving) if serving else 0.0
        return Observation(
            at=EPOCH + timedelta(seconds=now),
            nodes=tuple(self._view(node, now, cpu) for node in self.nodes),
            core=self.setup.core,
            minimum=self.setup.minimum - self.setup.core,
            maximum=self.setup.maximum - self.setup.core,
            thresholds=self.setup.thresholds,
        )

    def follow(self, decision: Decision, now: float) -> None:
        """Do what has been decided."""
        for _ in range(decision.create):
            self._add(now)
        going = {removal.node_id for removal in decision.remove}
        for node in self.nodes:
            if _name(node) in going:
                # whoever is dead has nothing to finish
                node.leaves_at = now + (self.setup.drain_seconds if node.dies_at > now else 0.0)

    def _add(self, now: float, *, booted: bool = False) -> None:
        self._serial += 1
        boot = self.setup.boot_seconds * math.exp(self.chance.gauss(0, self.setup.boot_spread))
        core = self._serial <= self.setup.core
        rate = self.setup.failures_a_day / DAY
        self.nodes.append(
            Node(
                number=self._serial,
                core=core,
                born=now,
                serves_at=now if booted else now + boot,
                dies_at=now + self.chance.expovariate(rate) if rate and not core else math.inf,
            )
        )

    def _view(self, node: Node, now: float, cpu: float) -> NodeView:
        lost = max(0.0, now - node.dies_at)
        if node.leaving:
            phase = Phase.LEAVING
        elif node.dies_at <= now:
            phase = Phase.DEAD if lost >= self.setup.policy.lost_seconds else Phase.LOST
        else:
            phase = Phase.SERVING if node.serves_at <= now else Phase.BOOTING
        return NodeView(
            id=_name(node),
            role=NodeRole.CORE if node.core else NodeRole.WORKER,
            phase=phase,
            state=NodeState.RUNNING,
            zone=f"zone-{node.number % ZONES + 1}",
            cpu=cpu if phase is Phase.SERVING else None,
            created_at=EPOCH + timedelta(seconds=node.born),
            age_seconds=now - node.born,
            lost_seconds=lost,
            operation_id="leaving" if node.leaving else "",
        )


def _name(node: Node) -> str:
    return f"node-{node.number}"
