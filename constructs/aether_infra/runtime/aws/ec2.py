"""Elastic nodes as instances of the launch template that Layer 1 left.

A creation is idempotent twice over. EC2 takes a client token once, but together with everything else that is asked, the
subnet included; so each zone has a token of its own, derived from the caller's, and the instance carries the caller's
as a tag. What is asked for is first looked for by that tag, and looked for again once it is there: if two zones have
answered one token (a lost reply, then another zone), the older one stays and the other is ended.
Sources: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html,
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html (as of 2026-11).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aws.dns import Route53Zone
from aether_infra.runtime.aws.errors import OTHER_PARAMETERS, TERMINATED_TOKEN, translate
from aether_infra.runtime.aws.instance import order
from aether_infra.runtime.aws.instances import INSTANCE_ID, Instances
from aether_infra.runtime.aws.load_balancer import TargetGroups
from aether_infra.runtime.aws.place import Ec2Place
from aether_infra.runtime.aws.session import Clients
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.cooloff import CoolOff
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
)
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, Target
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


class Ec2Manager:
    """`CloudManager` over EC2, ELBv2 and Route 53.

    Core nodes are Terraform's: `terminate_core_node` ends the instance, and the next deployment makes it anew with the
    same data volume. Where `[cloud] protect` is on, EC2 refuses that.
    """

    kind = Kind.MACHINES

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
        self._settings = settings
        self._patience = patience
        self._clients = clients
        self._call = Calls(translate=translate, patience=patience)
        self._instances = Instances(settings, place, self._call, clients["ec2"], patience.clock)
        self._groups = TargetGroups(clients["elbv2"], self._call, patience, place.target_group_arns)
        self._dns = Route53Zone.of(settings, patience, clients)
        self._cool_off = CoolOff(clock=patience.clock)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._unsure: dict[str, str] = {}

    @property
    def zones(self) -> Sequence[str]:
        """Zones of the subnets; known once something has been listed or created."""
        return sorted(self._instances.subnets)

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
        """Run an instance of the launch template; see `CloudManager.create_node`."""
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes are Terraform's: they cannot be created")
        async with self._locks.setdefault(spec.token, asyncio.Lock()):
            found = await self._only(spec.token)
            if found is None:
                created = await self._create(spec)
                # another zone may have answered an earlier try that EC2 did not show yet when it was looked for
                found = await self._only(spec.token, created) or created
            return found

    async def terminate_node(self, node_id: str) -> None:
        """Terminate an instance; see `CloudManager.terminate_node`."""
        node = await self._owned(node_id)
        if node is not None and node.role is NodeRole.CORE:
            raise Conflict(f"{node_id} is a core node, which ends by explicit command only")
        await self._end(node)

    async def terminate_core_node(self, node_id: str) -> None:
        """Terminate a core node's instance; the next deployment makes it anew, with the same data volume.

        Raises:
            Conflict: it is no core node.
            Denied: `[cloud] protect` is on, or as in `terminate_node`.
            CloudError: anything else.
        """
        node = await self._owned(node_id)
        if node is not None and node.role is not NodeRole.CORE:
            raise Conflict(f"{node_id} is no core node")
        await self._end(node)

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        nodes = await self._instances.all()
        await self._instances.learn_zones()
        return sorted(await self._instances.with_interruptions(nodes), key=order)

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

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`."""
        await self._dns.update(record)

    async def close(self) -> None:
        """Close the connections."""
        await self._instances.close()
        self._clients.close()

    async def _create(self, spec: NodeSpec) -> NodeInstance:
        """Run an instance in the first zone that has room."""
        zones = await self._zones_for(spec)
        if spec.spot is False and await self._instances.template_is_spot():
            raise InvalidRequest(
                "the launch template asks for spot capacity: an instance of it cannot do without"
            )
        what = f"{spec.size or 'the usual size'}{' on spot' if spec.spot else ''}"
        pool = f"{spec.size or ''}{' spot' if spec.spot else ''}"
        unsure = [zone for zone in zones if zone == self._unsure.get(spec.token)]
        refusal: CapacityUnavailable | None = None
        for zone in dict.fromkeys([*unsure, *self._cool_off.order(zones, pool)]):
            try:
                return await self._run(spec, zone)
            except CapacityUnavailable as error:
                self._cool_off.note(zone, pool)
                refusal = error
        tried = ", ".join(zones)
        if refusal is None:
            raise CapacityUnavailable(
                f"no zone had room for {what} lately: {tried}",
                code="CoolingOff",
                retry_after_seconds=self._cool_off.remaining(zones, pool),
            )
        raise CapacityUnavailable(
            f"no zone has room for {what}: {tried}: {refusal.message}", code=refusal.code
        ) from refusal

    async def _zones_for(self, spec: NodeSpec) -> list[str]:
        """Zones to try: that of the request only, or all, beginning with one that the token determines."""
        zones = sorted(await self._instances.learn_zones())
        if spec.zone is not None:
            if spec.zone not in zones:
                raise InvalidRequest(f"{spec.zone} is no zone of this cluster: {', '.join(zones)}")
            return [spec.zone]
        first = int.from_bytes(hashlib.sha256(spec.token.encode()).digest()[:4], "big") % len(zones)
        return [*zones[first:], *zones[:first]]

    async def _run(self, spec: NodeSpec, zone: str) -> NodeInstance:
        # as long as the outcome is not known, a further try has to begin here: this zone's token finds what it made
        self._unsure[spec.token] = zone
        try:
            created = await self._instances.run(spec, zone)
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
        return (
            found[0]
            if found
            else NodeInstance(
                id=spec.token, state=NodeState.TERMINATED, role=NodeRole.WORKER, token=spec.token
            )
        )

    async def _only(self, token: str, created: NodeInstance | None = None) -> NodeInstance | None:
        """The one node of a token: the oldest that lives, or one that is gone, or None. Ends any further one."""
        found = {node.id: node for node in await self._instances.of_token(token)}
        if created is not None:
            found.setdefault(created.id, created)
        nodes = sorted(found.values(), key=order)
        alive = [node for node in nodes if node.state.alive]
        for surplus in alive[1:]:
            await self._instances.terminate(surplus.id)
        return next(iter(alive or nodes), None)

    async def _end(self, node: NodeInstance | None) -> None:
        if node is None or node.state is NodeState.TERMINATED:
            return
        taken = await self._instances.terminate(node.id)

        async def gone() -> bool:
            nonlocal taken
            taken = taken or await self._instances.terminate(node.id)
            now = await self._instances.get(node.id)
            return now is None or now.state is NodeState.TERMINATED

        await self._patience.until(gone, f"{node.id} to be terminated")

    async def _owned(self, node_id: str) -> NodeInstance | None:
        """A node of this cluster, or None for none at all.

        Raises:
            Denied: it is somebody else's.
        """
        node = await self._instances.get(node_id)
        if node is not None and not self._instances.is_ours(node):
            raise Denied(f"{node_id} is not of the cluster {self._settings.cluster_name}: it is left alone")
        return node

    async def _known(self, node_id: str) -> NodeInstance:
        node = await self._instances.get(node_id)
        if node is None or not self._instances.is_ours(node):
            raise NotFound(f"there is no node {node_id} in {self._settings.cluster_name}")
        return node
