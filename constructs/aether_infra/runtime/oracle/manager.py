"""Elastic nodes as instances of an instance configuration.

A creation's token is Oracle's retry token, of which the zone is a part, since the same token must come with the same
request; and it is a tag, by which an instance is found again after the day that a retry token lasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import oci

from aether_infra.core.tags import NODE_ID, TOKEN
from aether_infra.runtime.draining import DEREGISTERED, mark, rest
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.machines import MachineManager, by_age, role_of
from aether_infra.runtime.model import NodeInstance, NodeSpec, NodeState, Target
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


class OracleManager(MachineManager[Any]):
    """`CloudManager` over instances, which are backends of a load balancer by their private addresses."""

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
        super().__init__(settings, patience, translate, dns_zone)
        self._place = place
        self._api = api
        self._backends = backends
        self._fresh: set[str] = set()

    @property
    def zones(self) -> Sequence[str]:
        """Availability domains that a node can be created in."""
        return self._place.availability_domains

    def _place_facts(self) -> dict[str, str]:
        return {"compartment": self._place.compartment_id}

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        instances = await self._call("listing instances", self._api.every)
        living = {each.id for each in instances if each.lifecycle_state != GONE}
        addresses = await self._call("listing addresses", lambda: self._api.addresses(living))
        return by_age([_node(each, addresses.get(each.id, "")) for each in instances])

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

    async def close(self) -> None:
        """Nothing: the library's clients keep no connection that would have to be given back."""

    async def _made(self, spec: NodeSpec) -> Any | None:
        """By its tag: one that lives before one that has ended."""
        instances = await self._call(f"looking for {spec.token}", self._api.every)
        found = [each for each in instances if each.freeform_tags.get(TOKEN) == spec.token]
        return min(found, key=lambda each: (each.lifecycle_state == GONE, each.time_created), default=None)

    async def _create(self, spec: NodeSpec, zone: str) -> Any:
        made = await self._call(
            f"creating {spec.token} in {zone}", partial(self._launch, spec, zone), again=False
        )
        self._fresh.add(made.id)
        return made

    def _launch(self, spec: NodeSpec, zone: str) -> Any:
        details = oci.core.models.InstanceConfigurationLaunchInstanceDetails(
            availability_domain=zone,
            compartment_id=self._place.compartment_id,
            display_name=self._name(spec),
            freeform_tags=self._new_tags(spec),
        )
        if spec.size:
            details.shape = spec.size
        if spec.spot:
            action = oci.core.models.TerminatePreemptionAction(preserve_boot_volume=False)
            details.preemptible_instance_config = oci.core.models.PreemptibleInstanceConfigDetails(
                preemption_action=action
            )
        index = list(self.zones).index(zone)
        return self._api.launch(details, f"{spec.token}-{index}")

    async def _node(self, machine: Any) -> NodeInstance:
        address = ""
        if machine.lifecycle_state != GONE:
            found = await self._call(f"reading {machine.id}", lambda: self._api.addresses({machine.id}))
            address = found.get(machine.id, "")
        return _node(machine, address)

    async def _address(self, node_id: str) -> str:
        """A node's address, as soon as it has one."""
        found: list[str] = []

        async def known() -> bool:
            addresses = await self._call(f"reading {node_id}", lambda: self._api.addresses({node_id}))
            found.extend(addresses.values())
            return bool(found)

        await self._patience.until(known, f"{node_id} to have an address")
        return found[0]

    def _tags(self, machine: Any) -> Mapping[str, str]:
        return machine.freeform_tags or {}

    def _identity(self, machine: Any) -> str:
        return str(machine.id)

    def _state(self, machine: Any) -> NodeState:
        return STATES.get(machine.lifecycle_state, NodeState.RUNNING)

    def _delete(self, machine: Any) -> None:
        self._api.terminate(machine.id)

    async def _again(self, machine: Any) -> Any | None:
        return await self._call(f"reading {machine.id}", lambda: self._api.find(machine.id))

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


def _node(instance: Any, address: str) -> NodeInstance:
    tags = dict(instance.freeform_tags or {})
    return NodeInstance(
        id=instance.id,
        state=STATES.get(instance.lifecycle_state, NodeState.RUNNING),
        role=role_of(tags),
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
