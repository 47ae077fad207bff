"""What is the same for every cloud that holds elastic nodes as machines, each by itself.

Whose a machine is, who may end it, in which zones a creation is tried, when something is gone: these are promises of
`CloudManager`, and not a cloud's own. How a machine is made, found and ended, each cloud says.
"""

from __future__ import annotations

import asyncio
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar, Final, Generic, TypeVar
from weakref import WeakValueDictionary

from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER, NODE_ID, ROLE, TOKEN, NodeRole, node_tags
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.cooloff import CoolOff
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudError,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
)
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState
from aether_infra.runtime.registry import DnsZone
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

M = TypeVar("M")

SOMEWHERE: Final = ""
"""The zone of a place without zones."""


def is_node_of(cluster: str, tags: Mapping[str, str]) -> bool:
    """Whether tags are those of a machine that runs a node of a cluster.

    Args:
        cluster: the cluster's name.
        tags: a machine's tags (labels).
    """
    return tags.get(CLUSTER) == cluster and ROLE in tags


def role_of(tags: Mapping[str, str]) -> NodeRole:
    """What the node of a machine with these tags is to its cluster."""
    return NodeRole.CORE if tags.get(ROLE) == NodeRole.CORE.value else NodeRole.WORKER


class MachineManager(ABC, Generic[M]):
    """The part of `CloudManager` that is the same on each of these clouds; `M` is a machine in the cloud's words."""

    kind: ClassVar[Kind] = Kind.MACHINES

    def __init__(
        self,
        settings: RuntimeSettings,
        patience: Patience,
        translate: Callable[[Exception, str], CloudError | None],
        dns_zone: DnsZone | None,
    ) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            translate: an error of the cloud's SDK as one of ours.
            dns_zone: the cluster's DNS zone, if it has one.
        """
        self._settings = settings
        self._patience = patience
        self._zone = dns_zone
        self._call = Calls(translate=translate, patience=patience)
        self._cool = CoolOff(clock=patience.clock)
        self._creating: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # what each cloud says

    @property
    @abstractmethod
    def zones(self) -> Sequence[str]:
        """Zones that a node can be created in; empty for a place without zones."""

    @abstractmethod
    def _tags(self, machine: M) -> Mapping[str, str]:
        """A machine's tags (labels)."""

    @abstractmethod
    def _identity(self, machine: M) -> str:
        """A machine's id: the node's."""

    @abstractmethod
    def _state(self, machine: M) -> NodeState:
        """Where a machine is in its life."""

    @abstractmethod
    async def _find(self, node_id: str) -> M | None:
        """The machine of that id, whosever it is; None for none, also for what can be no id."""

    @abstractmethod
    async def _again(self, machine: M) -> M | None:
        """How that very machine is now; None for gone."""

    @abstractmethod
    def _delete(self, machine: M) -> None:
        """Ask for its end; blocks. One that is gone is left at that."""

    @abstractmethod
    async def _made(self, spec: NodeSpec) -> M | None:
        """The machine that an earlier try of a creation has made."""

    @abstractmethod
    async def _create(self, spec: NodeSpec, zone: str) -> M:
        """Make a machine in a zone (`SOMEWHERE` for a place without zones), or find that it is made already.

        Raises:
            CapacityUnavailable: there is no room; nothing of it is left.
        """

    @abstractmethod
    async def _node(self, machine: M) -> NodeInstance:
        """The node in a machine."""

    # what is the same

    @property
    def facts(self) -> Mapping[str, str]:
        """Provider, region, compute, cluster, and what else tells the place."""
        return {
            "provider": self._settings.provider.value,
            "region": self._settings.region,
            "compute": self._settings.compute,
            "cluster": self._settings.cluster_name,
        } | self._place_facts()

    def _place_facts(self) -> dict[str, str]:
        """What else tells the place: a project, a resource group."""
        return {}

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """See `CloudManager.create_node`."""
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes are Terraform's: they cannot be created")
        if spec.zone is not None and spec.zone not in self.zones:
            raise InvalidRequest(f"{spec.zone} is not a zone of this cluster: {', '.join(self.zones)}")
        # kept only as long as somebody holds it, or waits
        async with self._creating.setdefault(spec.token, asyncio.Lock()):
            found = await self._made(spec)
            if found is None:
                found = await self._in_some_zone(spec)
            return await self._node(found)

    async def terminate_node(self, node_id: str) -> None:
        """See `CloudManager.terminate_node`."""
        machine = await self._owned(node_id)
        if machine is not None and role_of(self._tags(machine)) is NodeRole.CORE:
            raise Conflict(f"{node_id} is a core node, which ends by explicit command only")
        await self._end(machine)

    async def terminate_core_node(self, node_id: str) -> None:
        """See `CloudManager.terminate_core_node`; its data disk stays.

        Who owns the machine makes it anew: a managed group of one by itself, Terraform when it is applied.
        """
        machine = await self._owned(node_id)
        if machine is not None and role_of(self._tags(machine)) is not NodeRole.CORE:
            raise Conflict(f"{node_id} is no core node")
        await self._end(machine)

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        return await self._node(await self._known(node_id))

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`."""
        if self._zone is None:
            raise NotFound(f"{self._settings.cluster_name} has no DNS zone")
        await self._zone.update(record)

    def _name(self, spec: NodeSpec) -> str:
        """Name of the machine of a creation; the token is part of it."""
        return physical_name(self._settings.cluster_name, "elastic", spec.token)

    def _new_tags(self, spec: NodeSpec) -> dict[str, str]:
        """Tags of the machine of a creation: those asked for, then ours, which win."""
        settings = self._settings
        given = {**spec.tags, **settings.tags, CLUSTER: settings.cluster_name}
        given.pop(NODE_ID, None)  # an elastic node has none
        return node_tags(given, NodeRole.WORKER, settings.ports.cluster) | {TOKEN: spec.token}

    def _is_ours(self, machine: M) -> bool:
        """Whether it runs a node of this cluster."""
        return is_node_of(self._settings.cluster_name, self._tags(machine))

    def _zones_for(self, spec: NodeSpec) -> list[str]:
        """Zones to try: the one that is wanted, or all.

        Their order follows from the token: the same for the same one, spread over tokens. So two managers that create
        with one token begin at the same place.
        """
        zones = list(self.zones) or [SOMEWHERE]
        first = zlib.crc32(spec.token.encode()) % len(zones)
        return [spec.zone] if spec.zone else [*zones[first:], *zones[:first]]

    async def _in_some_zone(self, spec: NodeSpec) -> M:
        """Make a machine in the zone that is wanted, or in the first that has room."""
        wanted = self._zones_for(spec)
        size = spec.size or ""
        refusal = CapacityUnavailable(
            f"creating {spec.token}: no zone has had room lately: {', '.join(filter(None, wanted)) or 'none'}",
            code="CoolOff",
        )
        for zone in self._cool.order(wanted, size):
            try:
                return await self._patience.retry(partial(self._create, spec, zone))
            except CapacityUnavailable as error:
                self._cool.note(zone, size)
                refusal = error
        raise refusal

    async def _end(self, machine: M | None) -> None:
        """End a machine and wait until it is gone."""
        if machine is None or self._state(machine) is NodeState.TERMINATED:
            return
        name = self._identity(machine)
        await self._call(f"ending {name}", partial(self._delete, machine))
        asked = 1

        async def gone() -> bool:
            nonlocal asked
            now = await self._again(machine)
            if now is None or self._state(now) is NodeState.TERMINATED:
                return True
            if self._state(now) is not NodeState.STOPPING and asked < self._patience.tries:
                # the operation may have failed
                asked += 1
                await self._call(f"ending {name}", partial(self._delete, now))
            return False

        await self._patience.until(gone, f"{name} to be gone")

    async def _owned(self, node_id: str) -> M | None:
        """A machine of this cluster; None where there is none.

        Raises:
            Denied: it is not of this cluster.
        """
        machine = await self._find(node_id)
        if machine is not None and not self._is_ours(machine):
            raise Denied(f"{node_id} is no node of {self._settings.cluster_name}")
        return machine

    async def _known(self, node_id: str) -> M:
        """A machine of this cluster.

        Raises:
            NotFound: there is none of that id.
        """
        machine = await self._find(node_id)
        if machine is None or not self._is_ours(machine):
            raise NotFound(f"there is no node {node_id} in {self._settings.cluster_name}")
        return machine


def by_age(nodes: Sequence[NodeInstance]) -> list[NodeInstance]:
    """Nodes in the order in which `CloudManager.list_nodes` gives them."""
    return sorted(nodes, key=lambda node: (str(node.created_at), node.id))
