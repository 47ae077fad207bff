"""Elastic nodes as the desired count of an ECS service on Fargate.

ECS keeps a number, and its scheduler makes and ends tasks. What makes that idempotent and exact:

- The number to create is absolute (`NodeSpec.desired`), and the task that comes is given the creation's token as a tag.
- A task that is to go is first given the number before and after as a tag. The others are protected from scale-in for
  the while, then the number goes down, then the task is stopped by name. A second try reads the tag, and counts no
  further.

Sources: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html (as of 2026-11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from attrs import evolve

from aether_infra.core import tags as keys
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aws.dns import Route53Zone
from aether_infra.runtime.aws.errors import translate
from aether_infra.runtime.aws.load_balancer import TargetGroups
from aether_infra.runtime.aws.place import EcsPlace
from aether_infra.runtime.aws.session import Clients
from aether_infra.runtime.aws.task import ENDING, Task, unplaced
from aether_infra.runtime.aws.tasks import Tasks
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import CloudError, Conflict, Denied, InvalidRequest, NotFound
from aether_infra.runtime.machines import by_age
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, Target
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings


def connect(settings: RuntimeSettings, patience: Patience) -> EcsManager:
    """Make the manager; see `aether_infra.runtime.aws.session` for endpoints and credentials.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        ConfigError: the settings lack what it needs.
        Denied: there are no credentials.
    """
    return EcsManager(settings, patience, EcsPlace.of(settings), Clients.of(settings, patience))


class EcsManager:
    """`CloudManager` over ECS, ELBv2 and Route 53.

    A node's id is its task's; ARNs are understood too. Zone, size and spot are the service's.
    """

    kind = Kind.REPLICAS
    zones: Sequence[str] = ()

    def __init__(
        self, settings: RuntimeSettings, patience: Patience, place: EcsPlace, clients: Clients
    ) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            place: what it takes from the settings.
            clients: clients of AWS.
        """
        self._settings = settings
        self._patience = patience
        self._place = place
        self._clients = clients
        call = Calls(translate=translate, patience=patience)
        self._tasks = Tasks(place, settings.cluster_name, call, clients["ecs"])
        self._groups = TargetGroups(clients["elbv2"], call, patience, place.target_group_arns)
        self._dns = Route53Zone.of(settings, patience, clients)
        self._changing = asyncio.Lock()

    @property
    def facts(self) -> Mapping[str, str]:
        """Provider, region, compute and cluster."""
        return {
            "provider": self._settings.provider.value,
            "region": self._settings.region,
            "compute": self._settings.compute,
            "cluster": self._settings.cluster_name,
        }

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """Raise the service's count and wait for the task that comes of it; see `CloudManager.create_node`.

        Raises:
            CapacityUnavailable: Fargate has no room; the count is lowered again.
            QuotaExceeded: the account's limit; likewise.
            Conflict: there are as many tasks as shall be, and each is another creation's: `desired` is out of date.
            CloudError: anything else.
        """
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes are services of their own: they cannot be created")
        if not self._place.elastic_service:
            raise InvalidRequest("the cluster has no elastic nodes: max_nodes leaves no room for any")
        if spec.zone is not None or spec.size is not None or spec.spot is not None:
            raise InvalidRequest("the ECS service decides on zone, size and spot: leave them out")
        async with self._changing:
            made = [each for each in await self._tasks.elastic() if each.node.token == spec.token]
            if made:
                return made[0].node
            service = await self._tasks.service()
            wanted = service.desired + 1 if spec.desired is None else spec.desired
            if service.desired < wanted:
                await self._tasks.set_desired(wanted)
            return await self._claim(spec.token, wanted, {identity for identity, _ in service.events})

    async def terminate_node(self, node_id: str) -> None:
        """Lower the service's count so that just this task goes; see `CloudManager.terminate_node`.

        Raises:
            Conflict: as there, or a deployment of the service is under way.
            CloudError: as there.
        """
        one = await self._owned(node_id)
        if one is not None and one.node.role is NodeRole.CORE:
            raise Conflict(f"{node_id} is a core node, which ends by explicit command only")
        if one is None or one.node.state is NodeState.TERMINATED:
            return
        async with self._changing:
            others = await self._count_down(one.node.id)
            await self._gone(one.node.id)
            with suppress(CloudError):  # it ends by itself
                await self._tasks.protect(others, 0)

    async def terminate_core_node(self, node_id: str) -> None:
        """Stop a core node's task; its service makes it anew, under the same Aether id.

        Raises:
            Conflict: it is no core node.
            CloudError: as in `terminate_node`.
        """
        one = await self._owned(node_id)
        if one is not None and one.node.role is not NodeRole.CORE:
            raise Conflict(f"{node_id} is no core node")
        if one is None or one.node.state is NodeState.TERMINATED:
            return
        await self._tasks.stop(one, "stopped by the runtime manager; the service makes it anew")
        await self._gone(one.node.id)

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`; tasks that have ended are listed for about an hour."""
        return by_age([each.node for each in await self._tasks.all()])

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        return (await self._known(node_id)).node

    async def register_target(self, node_id: str) -> None:
        """Put a task back into the target groups if it is not in them: ECS itself puts it there when it starts."""
        if not self._groups:
            return
        one = await self._known(node_id)
        if one.ends:
            raise NotFound(f"{node_id} has ended")
        if one.node.state is NodeState.RUNNING and one.node.address:
            await self._groups.register(one.node.address)

    async def deregister_target(self, node_id: str) -> None:
        """Take a task out of the target groups; see `CloudManager.deregister_target`."""
        one = await self._tasks.get(node_id) if self._groups else None
        # the address of a task that has ended may be another's by now
        if one is not None and one.ours and one.node.address and one.node.state is not NodeState.TERMINATED:
            await self._groups.deregister(one.node.address)

    async def list_targets(self) -> list[Target]:
        """See `CloudManager.list_targets`; of several target groups the worst counts."""
        targets = await self._groups.health()
        if not targets:
            return []
        present = [
            each.node for each in await self._tasks.all() if each.node.state is not NodeState.TERMINATED
        ]
        ids = {node.address: node.id for node in present}
        found = [evolve(target, id=ids[target.id]) for target in targets if target.id in ids]
        return sorted(found, key=lambda target: target.id)

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`."""
        await self._dns.update(record)

    async def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    async def _claim(self, token: str, wanted: int, known: set[str]) -> NodeInstance:
        """Wait until there are as many tasks as wanted, and mark the newest that is nobody's.

        Args:
            token: the creation's.
            wanted: how many there shall be.
            known: ids of what the scheduler had said before.
        """
        claimed: list[NodeInstance] = []

        async def arrived() -> bool:
            alive = [each for each in await self._tasks.elastic() if not each.ends]
            claimed.extend(each.node for each in alive if each.node.token == token)
            if claimed:
                return True
            if len(alive) < wanted:
                await self._check_events(wanted, len(alive), known)
                return False
            unclaimed = [each for each in alive if not each.node.token]
            if not unclaimed:
                raise Conflict(
                    f"there are {len(alive)} tasks already, {wanted} shall be, and each is of another creation",
                    code="OutOfDate",
                )
            newest = unclaimed[-1]
            try:
                await self._tasks.tag(newest, keys.TOKEN, token)
            except NotFound:
                return False  # it has ended; another comes
            tags = {**newest.node.tags, keys.TOKEN: token}
            claimed.append(evolve(newest.node, token=token, tags=tags))
            return True

        await self._patience.until(arrived, f"the task of {token} to start")
        return claimed[0]

    async def _check_events(self, wanted: int, alive: int, known: set[str]) -> None:
        """Give up, and lower the count again, if the scheduler says that there is no room."""
        service = await self._tasks.service()
        news = (unplaced(message) for identity, message in service.events if identity not in known)
        refusal = next((error for error in news if error is not None), None)
        if refusal is None:
            return
        if service.desired == wanted and alive < wanted:
            await self._tasks.set_desired(wanted - 1)
        raise refusal

    async def _count_down(self, node_id: str) -> list[Task]:
        """Take one task out of the count and stop it; returns the others, which were protected for the while."""
        tasks = await self._tasks.elastic()
        one = next((each for each in tasks if each.node.id == node_id), None)
        others = [each for each in tasks if each.node.id != node_id and not each.ends]
        if one is None or one.ends:
            return others
        desired = (await self._tasks.service()).desired
        before, after = one.ending or (-1, -1)
        if desired not in {before, after}:
            # nothing has been begun, or something else has changed the count since
            before, after = desired, max(0, desired - 1)
            await self._tasks.tag(one, ENDING, f"{before}/{after}")
        await self._tasks.protect(others, self._patience.wait_seconds)
        if desired != after:
            await self._tasks.set_desired(after)
        await self._tasks.stop(one, "removed by the runtime manager")
        return others

    async def _gone(self, node_id: str) -> None:
        async def gone() -> bool:
            one = await self._tasks.get(node_id)
            return one is None or one.node.state is NodeState.TERMINATED

        await self._patience.until(gone, f"{node_id} to be stopped")

    async def _owned(self, node_id: str) -> Task | None:
        """A task of this cluster, or None for none at all.

        Raises:
            Denied: it is somebody else's.
        """
        one = await self._tasks.get(node_id)
        if one is not None and not one.ours:
            raise Denied(f"{node_id} is not of the cluster {self._settings.cluster_name}: it is left alone")
        return one

    async def _known(self, node_id: str) -> Task:
        one = await self._tasks.get(node_id)
        if one is None or not one.ours:
            raise NotFound(f"there is no node {node_id} in {self._settings.cluster_name}")
        return one
