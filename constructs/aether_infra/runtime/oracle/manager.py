"""Elastic nodes as instances of an instance configuration.

A creation's token is Oracle's retry token, of which the zone is a part, since the same token must come with the same
request; and it is a tag, by which an instance is found again after the day that a retry token lasts.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import oci

from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER, NODE_ID, ROLE, TOKEN, NodeRole, node_tags
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.cooloff import CoolOff
from aether_infra.runtime.draining import DEREGISTERED, mark, rest
from aether_infra.runtime.errors import CapacityUnavailable, Conflict, Denied, InvalidRequest, NotFound
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, Target
from aether_infra.runtime.oracle.dns import Zone, zone
from aether_infra.runtime.oracle.errors import translate
from aether_infra.runtime.oracle.instances import GONE, Instances
from aether_infra.runtime.oracle.load_balancer import Backends
from aether_infra.runtime.oracle.place import Place
from aether_infra.runtime.oracle.session import arguments
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

STATES: Final[Mapping[str, NodeState]] = {
    "PROVISIONING": NodeState.PROVISIONING,
    "STARTING": NodeState.PROVISIONING,
    "TERMINATING": NodeState.STOPPING,
    GONE: NodeState.TERMINATED,
}
"""`lifecycleState`, where an instance is not simply there. One that was stopped is there and costs; whether its node
works, Aether says."""

LOOKS: Final = 10
"""So often an instance that was just made is looked for before it counts as gone."""


def connect(settings: RuntimeSettings, patience: Patience) -> OracleManager:
    """Make the manager; credentials come from where Oracle's command line looks for them (see `session`).

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        ConfigError: the settings lack what it needs.
        Denied: there are no credentials.
    """
    place = Place.of(settings)
    given = arguments(settings.region, patience)
    has_zone = bool((settings.facts.get("dns") or {}).get("zone_id"))
    return OracleManager(
        settings,
        patience,
        place,
        Instances(place, settings.cluster_name, given),
        backends=Backends(place, patience, given) if place.load_balancer_id and place.backend_sets else None,
        dns_zone=zone(settings, patience) if has_zone else None,
    )


class OracleManager:
    """`CloudManager` over instances, which are backends of a load balancer by their private addresses."""

    kind = Kind.MACHINES

    def __init__(
        self,
        settings: RuntimeSettings,
        patience: Patience,
        place: Place,
        api: Instances,
        *,
        backends: Backends | None,
        dns_zone: Zone | None,
    ) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            place: what the settings say of instances.
            api: the compartment's instances.
            backends: the load balancer, if there is one.
            dns_zone: the cluster's DNS zone, if it has one.
        """
        self._settings = settings
        self._patience = patience
        self._place = place
        self._api = api
        self._backends = backends
        self._zone = dns_zone
        self._call = Calls(translate=translate, patience=patience)
        self._cool = CoolOff(clock=patience.clock)
        self._creating: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._fresh: set[str] = set()

    @property
    def zones(self) -> Sequence[str]:
        """Availability domains that a node can be created in."""
        return self._place.availability_domains

    @property
    def facts(self) -> Mapping[str, str]:
        """Provider, region, compute, cluster and compartment."""
        return {
            "provider": self._settings.provider.value,
            "region": self._settings.region,
            "compute": self._settings.compute,
            "cluster": self._settings.cluster_name,
            "compartment": self._place.compartment_id,
        }

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """See `CloudManager.create_node`."""
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes are Terraform's: they cannot be created")
        if spec.zone is not None and spec.zone not in self.zones:
            raise InvalidRequest(f"{spec.zone} is not a zone of this cluster: {', '.join(self.zones)}")
        async with self._creating[spec.token]:
            found = await self._made(spec.token)
            if found is not None:
                return await self._node(found)
            size = spec.size or ""
            wanted = [spec.zone] if spec.zone else self._order(spec.token)
            refusal = CapacityUnavailable(
                f"creating {spec.token}: no zone has had room lately: {', '.join(wanted)}", code="CoolOff"
            )
            for each in self._cool.order(wanted, size):
                try:
                    made = await self._call(
                        f"creating {spec.token} in {each}", partial(self._launch, spec, each)
                    )
                    self._fresh.add(made.id)
                    return await self._node(made)
                except CapacityUnavailable as error:
                    self._cool.note(each, size)
                    refusal = error
            raise refusal

    async def terminate_node(self, node_id: str) -> None:
        """See `CloudManager.terminate_node`."""
        instance = await self._owned(node_id)
        if instance is not None and _role(instance) is NodeRole.CORE:
            raise Conflict(f"{node_id} is a core node, which ends by explicit command only")
        await self._end(instance)

    async def terminate_core_node(self, node_id: str) -> None:
        """End a core node's instance; its data volume stays, and Terraform makes the instance anew when applied."""
        instance = await self._owned(node_id)
        if instance is not None and _role(instance) is not NodeRole.CORE:
            raise Conflict(f"{node_id} is no core node")
        await self._end(instance)

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        instances = await self._call("listing instances", self._api.every)
        living = {each.id for each in instances if each.lifecycle_state != GONE}
        addresses = await self._call("listing addresses", lambda: self._api.addresses(living))
        nodes = [_node(each, addresses.get(each.id, "")) for each in instances]
        return sorted(nodes, key=lambda node: (str(node.created_at), node.id))

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        return await self._node(await self._known(node_id))

    async def register_target(self, node_id: str) -> None:
        """See `CloudManager.register_target`."""
        instance = await self._known(node_id)
        if self._backends is None:
            return
        if DEREGISTERED in instance.freeform_tags:
            tags = {key: value for key, value in instance.freeform_tags.items() if key != DEREGISTERED}
            await self._call(f"registering {node_id}", lambda: self._api.tag(instance, tags))
        await self._backends.add(await self._address(node_id))

    async def deregister_target(self, node_id: str) -> None:
        """Let a backend drain, wait as long as open requests may take, and remove it."""
        try:
            instance = await self._known(node_id)
        except NotFound:
            return
        if self._backends is None:
            return
        addresses = await self._call(f"reading {node_id}", lambda: self._api.addresses({node_id}))
        address = addresses.get(node_id)
        if address is None:
            return
        since = str(instance.freeform_tags.get(DEREGISTERED, ""))
        if await self._backends.drain(address) or not since:
            known = await self._backends.health()
            if address not in known:
                return
            since = mark()
            tags = {**instance.freeform_tags, DEREGISTERED: since}
            await self._call(f"deregistering {node_id}", lambda: self._api.tag(instance, tags))
        await self._patience.clock.sleep(rest(since, self._place.drain_seconds))
        await self._backends.remove(address)

    async def list_targets(self) -> list[Target]:
        """See `CloudManager.list_targets`."""
        if self._backends is None:
            return []
        health = await self._backends.health()
        nodes = [node for node in await self.list_nodes() if node.address in health]
        targets = [Target(id=node.id, health=health[node.address]) for node in nodes]
        return sorted(targets, key=lambda target: target.id)

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`."""
        if self._zone is None:
            raise NotFound(f"{self._settings.cluster_name} has no DNS zone")
        await self._zone.update(record)

    async def close(self) -> None:
        """Nothing: the library's clients keep no connection that would have to be given back."""

    def _order(self, token: str) -> list[str]:
        """Zones in the order in which a creation tries them: the same for the same token, spread over tokens."""
        first = zlib.crc32(token.encode()) % len(self.zones)
        return [*self.zones[first:], *self.zones[:first]]

    async def _made(self, token: str) -> Any | None:
        """The instance of a creation; one that lives before one that has ended."""
        instances = await self._call(f"looking for {token}", self._api.every)
        found = [each for each in instances if each.freeform_tags.get(TOKEN) == token]
        return min(found, key=lambda each: (each.lifecycle_state == GONE, each.time_created), default=None)

    def _launch(self, spec: NodeSpec, where: str) -> Any:
        settings = self._settings
        tags = node_tags(
            {**spec.tags, **settings.tags, CLUSTER: settings.cluster_name},
            NodeRole.WORKER,
            settings.ports.cluster,
        ) | {TOKEN: spec.token}
        details = oci.core.models.InstanceConfigurationLaunchInstanceDetails(
            availability_domain=where,
            compartment_id=self._place.compartment_id,
            display_name=physical_name(settings.cluster_name, "elastic", spec.token),
            freeform_tags=tags,
        )
        if spec.size:
            details.shape = spec.size
        if spec.spot:
            action = oci.core.models.TerminatePreemptionAction(preserve_boot_volume=False)
            details.preemptible_instance_config = oci.core.models.PreemptibleInstanceConfigDetails(
                preemption_action=action
            )
        index = list(self.zones).index(where)
        return self._api.launch(details, f"{spec.token}-{index}")

    async def _node(self, instance: Any) -> NodeInstance:
        address = ""
        if instance.lifecycle_state != GONE:
            found = await self._call(f"reading {instance.id}", lambda: self._api.addresses({instance.id}))
            address = found.get(instance.id, "")
        return _node(instance, address)

    async def _address(self, node_id: str) -> str:
        """A node's address, as soon as it has one."""
        found: list[str] = []

        async def known() -> bool:
            addresses = await self._call(f"reading {node_id}", lambda: self._api.addresses({node_id}))
            found.extend(addresses.values())
            return bool(found)

        await self._patience.until(known, f"{node_id} to have an address")
        return found[0]

    async def _end(self, instance: Any | None) -> None:
        if instance is None or instance.lifecycle_state == GONE:
            return
        identity = instance.id
        await self._call(f"ending {identity}", lambda: self._api.terminate(identity))
        asked = 1

        async def gone() -> bool:
            nonlocal asked
            now = await self._call(f"looking whether {identity} is gone", lambda: self._api.find(identity))
            if now is None or now.lifecycle_state == GONE:
                return True
            if STATES.get(now.lifecycle_state) is not NodeState.STOPPING and asked < self._patience.tries:
                # the operation may have failed
                asked += 1
                await self._call(f"ending {identity}", lambda: self._api.terminate(identity))
            return False

        await self._patience.until(gone, f"{identity} to be gone")

    async def _owned(self, node_id: str) -> Any | None:
        """An instance of this cluster; None where there is none.

        Raises:
            Denied: it is not of this cluster.
        """
        instance = await self._find(node_id)
        if instance is not None and not self._api.is_ours(instance):
            raise Denied(f"{node_id} is no node of {self._settings.cluster_name}")
        return instance

    async def _known(self, node_id: str) -> Any:
        instance = await self._find(node_id)
        if instance is None or not self._api.is_ours(instance):
            raise NotFound(f"there is no node {node_id} in {self._settings.cluster_name}")
        return instance

    async def _find(self, node_id: str) -> Any | None:
        if not node_id.startswith("ocid1.instance."):
            return None
        found = await self._call(f"reading {node_id}", lambda: self._api.find(node_id))
        looks = 1
        while found is None and node_id in self._fresh and looks < LOOKS:
            # made by us, so it is there, even where Oracle does not show it yet
            await self._patience.clock.sleep(self._patience.poll_seconds)
            found = await self._call(f"reading {node_id}", lambda: self._api.find(node_id))
            looks += 1
        self._fresh.discard(node_id)
        return found


def _role(instance: Any) -> NodeRole:
    core = (instance.freeform_tags or {}).get(ROLE) == NodeRole.CORE.value
    return NodeRole.CORE if core else NodeRole.WORKER


def _node(instance: Any, address: str) -> NodeInstance:
    tags = dict(instance.freeform_tags or {})
    return NodeInstance(
        id=instance.id,
        state=STATES.get(instance.lifecycle_state, NodeState.RUNNING),
        role=_role(instance),
        zone=instance.availability_domain or "",
        size=instance.shape or "",
        address=address,
        name=instance.display_name or "",
        node_id=tags.get(NODE_ID, ""),
        token=tags.get(TOKEN, ""),
        created_at=instance.time_created,
        spot=instance.preemptible_instance_config is not None,
        tags=tags,
    )
