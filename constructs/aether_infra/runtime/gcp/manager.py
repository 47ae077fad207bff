"""Elastic nodes as Compute Engine instances.

A creation's token is part of the instance's name, which is unique in a zone, and the zones are tried in an order that
follows from the token: whoever tries again meets what is there already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from google.cloud import compute_v1 as compute

from aether_infra.core.tags import NODE_ID, TOKEN
from aether_infra.runtime.draining import DEREGISTERED, mark, rest
from aether_infra.runtime.errors import Conflict, Denied, NotFound
from aether_infra.runtime.gcp.dns import Zone, zone
from aether_infra.runtime.gcp.errors import EXISTS, of_operation, translate
from aether_infra.runtime.gcp.instances import Compute, last, zone_of
from aether_infra.runtime.gcp.place import Place
from aether_infra.runtime.machines import MachineManager, by_age, role_of
from aether_infra.runtime.model import NodeInstance, NodeSpec, NodeState, Target, TargetHealth
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

STATES: Final[Mapping[str, NodeState]] = {
    "DEPROVISIONING": NodeState.STOPPING,
    "PENDING": NodeState.PROVISIONING,
    "PROVISIONING": NodeState.PROVISIONING,
    "STAGING": NodeState.PROVISIONING,
    "STOPPING": NodeState.STOPPING,
}
"""Status of an instance, where it is not simply there. One that was stopped is there and costs; whether its node works,
Aether says. Source: https://cloud.google.com/compute/docs/instances/instance-lifecycle (as of 2026-11)."""
HEALTHS: Final[Mapping[str, TargetHealth]] = {
    "DRAINING": TargetHealth.DRAINING,
    "HEALTHY": TargetHealth.HEALTHY,
    "UNHEALTHY": TargetHealth.UNHEALTHY,
}
"""`healthState` of a backend."""


def connect(settings: RuntimeSettings, patience: Patience) -> GcpManager:
    """Make the manager; credentials come from where Google's libraries look for them.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        ConfigError: the settings lack what it needs.
        Denied: there are no credentials.
    """
    place = Place.of(settings)
    has_zone = bool((settings.facts.get("dns") or {}).get("zone_id"))
    api = Compute(place, settings.cluster_name, patience.answer_seconds)
    return GcpManager(settings, patience, place, api, zone(settings, patience) if has_zone else None)


class GcpManager(MachineManager[compute.Instance]):
    """`CloudManager` over instances of a template, which unmanaged instance groups put behind the load balancers."""

    def __init__(
        self,
        settings: RuntimeSettings,
        patience: Patience,
        place: Place,
        api: Compute,
        dns_zone: Zone | None,
    ) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            place: what the settings say of instances.
            api: Compute Engine.
            dns_zone: the cluster's DNS zone, if it has one.
        """
        super().__init__(settings, patience, translate, dns_zone)
        self._place = place
        self._api = api

    @property
    def zones(self) -> Sequence[str]:
        """Zones that a node can be created in."""
        return self._place.zones

    def _place_facts(self) -> dict[str, str]:
        return {"project": self._place.project}

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        instances = await self._call("listing instances", self._api.every)
        return by_age([_node(each) for each in instances])

    async def register_target(self, node_id: str) -> None:
        """See `CloudManager.register_target`."""
        instance = await self._known(node_id)
        if not self._place.instance_groups:
            return
        if DEREGISTERED in instance.labels:
            labels = {key: value for key, value in instance.labels.items() if key != DEREGISTERED}
            await self._call(f"registering {node_id}", partial(self._label, node_id, labels))
        await self._call(f"registering {node_id}", partial(self._api.join, instance))

    async def deregister_target(self, node_id: str) -> None:
        """Take an instance from its group, and wait as long as open requests may take."""
        try:
            instance = await self._known(node_id)
        except NotFound:
            return
        if zone_of(instance) not in self._place.instance_groups:
            return
        since = instance.labels.get(DEREGISTERED, "")
        members = await self._call("listing the group", partial(self._api.members, zone_of(instance)))
        if instance.name in members:
            since = mark()
            labels = {**instance.labels, DEREGISTERED: since}
            await self._call(f"deregistering {node_id}", partial(self._label, node_id, labels))
            await self._call(f"deregistering {node_id}", partial(self._api.leave, instance))
        await self._patience.clock.sleep(rest(since, self._place.drain_seconds))

    async def list_targets(self) -> list[Target]:
        """See `CloudManager.list_targets`; of several backend services the worst counts."""
        if not self._place.backend_services:
            return []
        services = await self._call("listing targets", self._api.health)
        names = set.intersection(*(set(service) for service in services)) if services else set()
        return [_target(name, [service[name] for service in services]) for name in sorted(names)]

    async def close(self) -> None:
        """Give back connections."""
        await asyncio.to_thread(self._api.close)

    async def _made(self, spec: NodeSpec) -> compute.Instance | None:
        """By its label, in whatever zone; what is gone is not remembered."""
        found = await self._call(
            f"looking for {spec.token}", lambda: self._api.every(f'labels.{TOKEN}="{spec.token}"')
        )
        return min(found, key=lambda each: each.creation_timestamp) if found else None

    async def _create(self, spec: NodeSpec, zone: str) -> compute.Instance:
        """Create, and wait until Google has found room."""
        name = self._name(spec)
        doing = f"creating {name} in {zone}"
        try:
            operation = await self._call(
                doing, lambda: self._api.insert(name, zone, self._resource(spec, name, zone)), again=False
            )
        except Conflict as error:
            if error.code != EXISTS:
                raise
        else:
            while operation.status != compute.Operation.Status.DONE:
                await self._patience.clock.sleep(self._patience.poll_seconds)
                operation = await self._call(doing, partial(self._api.operation, operation, zone))
            if failure := of_operation(operation, doing):
                raise failure
        found: list[compute.Instance] = []

        async def there() -> bool:
            instance = await self._call(f"reading {name}", lambda: self._api.get(name, zone))
            found.extend([instance] if instance else [])
            return instance is not None

        await self._patience.until(there, f"{name} to show up")
        if not self._is_ours(found[0]):
            raise Denied(f"{doing}: the name is taken by an instance that is not of this cluster")
        return found[0]

    def _resource(self, spec: NodeSpec, name: str, where: str) -> compute.Instance:
        """What is different from the template."""
        resource = compute.Instance(name=name, labels=self._new_tags(spec))
        if spec.size:
            resource.machine_type = f"zones/{where}/machineTypes/{spec.size}"
        if spec.spot is not None:
            resource.scheduling = compute.Scheduling(
                provisioning_model="SPOT" if spec.spot else "STANDARD",
                automatic_restart=not spec.spot,
                on_host_maintenance="TERMINATE" if spec.spot else "MIGRATE",
                # else it stays, stopped, and its disk costs
                instance_termination_action="DELETE" if spec.spot else None,
            )
        return resource

    async def _node(self, machine: compute.Instance) -> NodeInstance:
        return _node(machine)

    def _tags(self, machine: compute.Instance) -> Mapping[str, str]:
        return dict(machine.labels)

    def _identity(self, machine: compute.Instance) -> str:
        return str(machine.name)

    def _state(self, machine: compute.Instance) -> NodeState:
        return STATES.get(machine.status, NodeState.RUNNING)

    def _delete(self, machine: compute.Instance) -> None:
        self._api.delete(machine)

    async def _again(self, machine: compute.Instance) -> compute.Instance | None:
        name, zone = machine.name, zone_of(machine)
        now = await self._call(f"reading {name}", lambda: self._api.get(name, zone))
        return now if now is not None and now.id == machine.id else None

    async def _find(self, node_id: str) -> compute.Instance | None:
        if not _is_name(node_id):
            return None
        found = await self._call(f"reading {node_id}", lambda: self._api.find(node_id))
        if found is None:
            # a new one may not be listed yet
            for each in self.zones:
                found = await self._call(f"reading {node_id}", partial(self._api.get, node_id, each))
                if found is not None:
                    break
        return found

    def _label(self, name: str, labels: Mapping[str, str]) -> None:
        """Set labels by the newest fingerprint, so that it can be repeated."""
        instance = self._api.find(name)
        if instance is not None and dict(instance.labels) != dict(labels):
            self._api.label(instance, labels)


def _is_name(text: str) -> bool:
    """Whether it can be a name: https://cloud.google.com/compute/docs/naming-resources (as of 2026-11)."""
    return 0 < len(text) <= _LONGEST and all(
        each.isascii() and (each.isalnum() or each == "-") for each in text
    )


_LONGEST: Final = 63


def _node(instance: compute.Instance) -> NodeInstance:
    labels = dict(instance.labels)
    interfaces = list(instance.network_interfaces)
    created = instance.creation_timestamp
    return NodeInstance(
        id=instance.name,
        state=STATES.get(instance.status, NodeState.RUNNING),
        role=role_of(labels),
        zone=zone_of(instance),
        size=last(instance.machine_type),
        address=interfaces[0].network_i_p if interfaces else "",
        name=instance.name,
        node_id=labels.get(NODE_ID, ""),
        token=labels.get(TOKEN, ""),
        created_at=datetime.fromisoformat(created) if created else None,
        spot=instance.scheduling.provisioning_model == "SPOT",
        tags=labels,
    )


def _target(name: str, states: Sequence[str]) -> Target:
    known = [HEALTHS.get(state, TargetHealth.INITIAL) for state in states]
    worst = (TargetHealth.DRAINING, TargetHealth.UNHEALTHY, TargetHealth.INITIAL, TargetHealth.HEALTHY)
    health = next(each for each in worst if each in known)
    return Target(id=name, health=health, reason="" if health is TargetHealth.HEALTHY else ", ".join(states))
