"""Elastic nodes as instances of the launch template that Layer 1 left.

A creation is idempotent twice over. EC2 takes a client token once, but together with everything else that is asked, the
subnet included; so each zone has a token of its own, derived from the caller's, and the instance carries the caller's
as a tag. What is asked for is first looked for by that tag, and looked for again once it is there: if two zones have
answered one token (a lost reply, then another zone), the older one stays and the other is ended.
Sources: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html,
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html (as of 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from aether_infra.core.names import physical_name
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aws.dns import Route53Zone
from aether_infra.runtime.aws.errors import OTHER_PARAMETERS, TERMINATED_TOKEN, translate
from aether_infra.runtime.aws.instances import INSTANCE_ID, Instances
from aether_infra.runtime.aws.load_balancer import TargetGroups
from aether_infra.runtime.aws.place import Ec2Place
from aether_infra.runtime.aws.session import Clients
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
)
from aether_infra.runtime.machines import MachineManager, by_age
from aether_infra.runtime.model import NodeInstance, NodeSpec, NodeState, Target
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings


def connect(settings: RuntimeSettings, patience: Patience) -> Ec2Manager:
    """Make the manager; see `aether_infra.runtime.aws.session` for endpoints and credentials.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        ConfigError: the settings lack what it needs.
        Denied: there are no credentials.
    """
    return Ec2Manager(settings, patience, Ec2Place.of(settings), Clients.of(settings, patience))


class Ec2Manager(MachineManager[NodeInstance]):
    """`CloudManager` over EC2, ELBv2 and Route 53.

    Core nodes are Terraform's: `terminate_core_node` ends the instance, and the next deployment makes it anew with the
    same data volume. Where `[cloud] protect` is on, EC2 refuses that.
    """

    def __init__(
        self, settings: RuntimeSettings, patience: Patience, place: Ec2Place, clients: Clients
    ) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            place: what it takes from the settings.
            clients: clients of AWS.
        """
        super().__init__(settings, patience, translate, Route53Zone.of(settings, patience, clients))
        self._clients = clients
        self._instances = Instances(settings, place, self._call, clients["ec2"], patience.clock)
        self._groups = TargetGroups(clients["elbv2"], self._call, patience, place.target_group_arns)
        self._unsure: dict[str, str] = {}

    @property
    def zones(self) -> Sequence[str]:
        """Zones of the subnets; known once something has been listed or created."""
        return sorted(self._instances.subnets)

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """Run an instance of the launch template; see `CloudManager.create_node`."""
        await self._instances.learn_zones()
        return await super().create_node(spec)

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        nodes = await self._instances.all()
        await self._instances.learn_zones()
        return by_age(await self._instances.with_interruptions(nodes))

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        [node] = await self._instances.with_interruptions([await self._known(node_id)])
        return node

    async def register_target(self, node_id: str) -> None:
        """Put an instance into the target groups, as soon as it runs; see `CloudManager.register_target`."""
        if not self._groups:
            return
        node = await self._known(node_id)

        async def settled() -> bool:
            nonlocal node
            if node.state is NodeState.PROVISIONING:
                node = await self._known(node_id)
            return node.state is not NodeState.PROVISIONING

        # a target group takes no instance that does not run
        await self._patience.until(settled, f"{node_id} to run")
        if not node.state.alive:
            raise NotFound(f"{node_id} has ended")
        await self._groups.register(node_id)

    async def deregister_target(self, node_id: str) -> None:
        """Take an instance out of the target groups; see `CloudManager.deregister_target`."""
        if self._groups and re.fullmatch(INSTANCE_ID, node_id):
            await self._groups.deregister(node_id)

    async def list_targets(self) -> list[Target]:
        """See `CloudManager.list_targets`; of several target groups the worst counts."""
        return await self._groups.health()

    async def close(self) -> None:
        """Close the connections."""
        await self._instances.close()
        self._clients.close()

    # what EC2 says of a machine

    def _tags(self, machine: NodeInstance) -> Mapping[str, str]:
        return machine.tags

    def _identity(self, machine: NodeInstance) -> str:
        return machine.id

    def _state(self, machine: NodeInstance) -> NodeState:
        return machine.state

    async def _node(self, machine: NodeInstance) -> NodeInstance:
        return machine

    async def _find(self, node_id: str) -> NodeInstance | None:
        return await self._instances.get(node_id)

    async def _again(self, machine: NodeInstance) -> NodeInstance | None:
        return await self._instances.get(machine.id)

    def _delete(self, machine: NodeInstance) -> None:
        self._instances.terminate(machine.id)

    # creation

    async def _made(self, spec: NodeSpec) -> NodeInstance | None:
        return await self._only(spec.token)

    async def _in_some_zone(self, spec: NodeSpec) -> NodeInstance:
        """Run an instance in the first zone that has room."""
        if spec.spot is False and await self._instances.template_is_spot():
            raise InvalidRequest(
                "the launch template asks for spot capacity: an instance of it cannot do without"
            )
        zones = self._zones_for(spec)
        what = f"{spec.size or 'the usual size'}{' on spot' if spec.spot else ''}"
        pool = f"{spec.size or ''}{' spot' if spec.spot else ''}"
        unsure = [zone for zone in zones if zone == self._unsure.get(spec.token)]
        refusal: CapacityUnavailable | None = None
        for zone in dict.fromkeys([*unsure, *self._cool.order(zones, pool)]):
            try:
                created = await self._create(spec, zone)
            except CapacityUnavailable as error:
                self._cool.note(zone, pool)
                refusal = error
            else:
                # another zone may have answered an earlier try that EC2 did not show yet when it was looked for
                return await self._only(spec.token, created) or created
        tried = ", ".join(zones)
        if refusal is None:
            raise CapacityUnavailable(
                f"no zone had room for {what} lately: {tried}",
                code="CoolingOff",
                retry_after_seconds=self._cool.remaining(zones, pool),
            )
        raise CapacityUnavailable(
            f"no zone has room for {what}: {tried}: {refusal.message}", code=refusal.code
        ) from refusal

    async def _create(self, spec: NodeSpec, zone: str) -> NodeInstance:
        # as long as the outcome is not known, a further try has to begin here: this zone's token finds what it made
        self._unsure[spec.token] = zone
        tags = {"Name": physical_name(self._settings.cluster_name, "elastic"), **self._new_tags(spec)}
        try:
            created = await self._instances.run(spec, zone, tags)
        except InvalidRequest as error:
            if error.code not in {OTHER_PARAMETERS, TERMINATED_TOKEN}:
                del self._unsure[spec.token]
                raise
            created = await self._made_before(spec, ended=error.code == TERMINATED_TOKEN)
        except (CapacityUnavailable, Denied, QuotaExceeded):
            del self._unsure[spec.token]
            raise
        del self._unsure[spec.token]
        return created

    async def _made_before(self, spec: NodeSpec, *, ended: bool) -> NodeInstance:
        """The node of a token that EC2 knows, though it did not show the instance when it was looked for."""
        found: list[NodeInstance] = []

        async def shown() -> bool:
            found.extend(await self._instances.of_token(spec.token))
            return bool(found) or ended

        await self._patience.until(shown, f"the instance of {spec.token} to show up")
        if found:
            return found[0]
        return NodeInstance(id=spec.token, state=NodeState.TERMINATED, role=NodeRole.WORKER, token=spec.token)

    async def _only(self, token: str, created: NodeInstance | None = None) -> NodeInstance | None:
        """The one node of a token: the oldest that lives, or one that is gone, or None. Ends any further one."""
        found = {node.id: node for node in await self._instances.of_token(token)}
        if created is not None:
            found.setdefault(created.id, created)
        nodes = by_age(list(found.values()))
        alive = [node for node in nodes if node.state.alive]
        for surplus in alive[1:]:
            await self._call(f"ending {surplus.id}", partial(self._delete, surplus))
        return next(iter(alive or nodes), None)
