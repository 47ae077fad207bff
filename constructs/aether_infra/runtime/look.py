"""What the cloud, its load balancer and Aether say, asked once for all who want to know at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aether.client import Aether, Membership
from aether_infra.runtime.manager import CloudManager
from aether_infra.runtime.model import NodeInstance, NodeState, Target
from aether_infra.runtime.retry import Clock

T = TypeVar("T")

FRESH_SECONDS = 2.0
"""How old an answer may be for those who only wait for something."""


class Shared(Generic[T]):
    """An answer that many want: whoever comes while it is being asked for gets the same one.

    Args:
        ask: gets the answer.
        clock: where time comes from.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = asyncio.Lock()
        self._value: tuple[T] | None = None
        self._asked = float("-inf")

    async def get(self, age_seconds: float) -> T:
        """The answer, asked for no longer ago than so many seconds before this call."""
        called = self._clock.now()
        async with self._lock:
            if self._value is None or self._asked < called - age_seconds:
                asked = self._clock.now()
                value = await self._ask()
                self._value, self._asked = (value,), asked
            return self._value[0]


class Look:
    """The eyes of the engine and the controller.

    Args:
        manager: the cloud.
        aether: the nodes' management API.
        clock: where time comes from.
    """

    def __init__(self, manager: CloudManager, aether: Aether, clock: Clock) -> None:
        self._manager = manager
        self._aether = aether
        self._nodes = Shared(self._list, clock)
        self._membership = Shared(self._ask_members, clock)
        self._targets = Shared(self._list_targets, clock)

    async def nodes(self, age_seconds: float = 0) -> dict[str, NodeInstance]:
        """The cloud's nodes by id; see `CloudManager.list_nodes`."""
        return await self._nodes.get(age_seconds)

    async def node(self, node_id: str, age_seconds: float = FRESH_SECONDS) -> NodeInstance:
        """One node, out of the list if it is in there: a hundred that wait are one call.

        Raises:
            NotFound: there is none of that id.
        """
        found = (await self.nodes(age_seconds)).get(node_id)
        return found or await self._manager.get_node(node_id)

    async def membership(self, age_seconds: float = FRESH_SECONDS) -> Membership:
        """Aether's nodes; raises as `Aether.membership`."""
        return await self._membership.get(age_seconds)

    async def targets(self, age_seconds: float = 0) -> dict[str, Target]:
        """What the load balancer says, by node."""
        return await self._targets.get(age_seconds)

    async def _list(self) -> dict[str, NodeInstance]:
        nodes = await self._manager.list_nodes()
        running = [node for node in nodes if node.state is NodeState.RUNNING]
        running.sort(key=lambda node: node.role is not NodeRole.CORE)
        self._aether.reach(node.address for node in running)
        return {node.id: node for node in nodes}

    async def _ask_members(self) -> Membership:
        await self.nodes(FRESH_SECONDS * 5)
        return await self._aether.membership()

    async def _list_targets(self) -> dict[str, Target]:
        return {target.id: target for target in await self._manager.list_targets()}
