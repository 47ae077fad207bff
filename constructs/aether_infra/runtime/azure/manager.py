"""Elastic nodes as virtual machines of their own.

A creation's token is part of the machine's name, which is unique in the resource group; interface and disk are made by
the same request and go with the machine. So there is one thing to find again, and one to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from aether_infra.core.tags import NODE_ID, TOKEN
from aether_infra.runtime.azure.dns import Zone, zone
from aether_infra.runtime.azure.errors import of_code, translate
from aether_infra.runtime.azure.place import Place
from aether_infra.runtime.azure.resources import EXISTS, Json, Resources, interface_id, tags_of
from aether_infra.runtime.draining import DEREGISTERED, mark, rest
from aether_infra.runtime.errors import CloudError, Conflict, Denied, NotFound
from aether_infra.runtime.machines import MachineManager, by_age, role_of
from aether_infra.runtime.model import NodeInstance, NodeSpec, NodeState, Target, TargetHealth
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

STATES: Final[Mapping[str, NodeState]] = {"creating": NodeState.PROVISIONING, "deleting": NodeState.STOPPING}
"""`provisioningState` in lower case, where a machine is not simply there."""
FAILED: Final = "failed"
"""`provisioningState` of a machine that could not be made; it stays until it is deleted."""


def connect(settings: RuntimeSettings, patience: Patience) -> AzureManager:
    """Make the manager; credentials come from where Azure's library looks for them (`DefaultAzureCredential`).

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        ConfigError: the settings lack what it needs.
        NotFound: the DNS zone's id is none.
    """
    place = Place.of(settings)
    has_zone = bool((settings.facts.get("dns") or {}).get("zone_id"))
    api = Resources(place, settings.cluster_name, patience)
    return AzureManager(settings, patience, place, api, zone(settings, patience) if has_zone else None)


class AzureManager(MachineManager[Json]):
    """`CloudManager` over virtual machines; an interface's membership in the backend pool puts one into traffic."""

    def __init__(
        self,
        settings: RuntimeSettings,
        patience: Patience,
        place: Place,
        api: Resources,
        dns_zone: Zone | None,
    ) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            place: what the settings say of machines.
            api: the resource group.
            dns_zone: the cluster's DNS zone, if it has one.
        """
        super().__init__(settings, patience, translate, dns_zone)
        self._place = place
        self._api = api

    @property
    def zones(self) -> Sequence[str]:
        """Zones that a node can be created in; empty in a location without zones."""
        return self._place.zones

    def _place_facts(self) -> dict[str, str]:
        return {"resource_group": self._place.resource_group}

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        machines = await self._call("listing machines", self._api.machines)
        interfaces = await self._call("listing interfaces", self._api.interfaces)
        return by_age([_node(each, interfaces.get(interface_id(each).lower())) for each in machines])

    async def register_target(self, node_id: str) -> None:
        """See `CloudManager.register_target`."""
        machine = await self._known(node_id)
        if self._place.backend_pool_id:
            await self._move(machine, member=True)

    async def deregister_target(self, node_id: str) -> None:
        """Take a machine's interface from the backend pool, and wait as long as open requests may take."""
        try:
            machine = await self._known(node_id)
        except NotFound:
            return
        if not self._place.backend_pool_id:
            return
        since = await self._move(machine, member=False)
        await self._patience.clock.sleep(rest(since, self._place.drain_seconds))

    async def list_targets(self) -> list[Target]:
        """Whose interfaces are in the backend pool; Azure's API does not say how they are."""
        if not self._place.backend_pool_id:
            return []
        machines = await self._call("listing machines", self._api.machines)
        interfaces = await self._call("listing interfaces", self._api.interfaces)
        names = [
            str(each["name"])
            for each in machines
            if self._api.is_target(interfaces.get(interface_id(each).lower(), {}))
        ]
        return [Target(id=name, health=TargetHealth.UNKNOWN) for name in sorted(names)]

    async def close(self) -> None:
        """Give back connections."""
        await asyncio.to_thread(self._api.close)

    async def _made(self, spec: NodeSpec) -> Json | None:
        """By its name; what is left of a failed creation is taken away, and what is gone is not remembered."""
        name = self._name(spec)
        found = await self._call(f"reading {name}", lambda: self._api.machine(name))
        if found is None or not self._is_ours(found):
            return None
        if _state(found) == FAILED and _failure(found, name) is not None:
            await self._end(found)
            return None
        return found

    async def _create(self, spec: NodeSpec, zone: str) -> Json:
        """Create, and wait until Azure has found room."""
        name = self._name(spec)
        doing = f"creating {name}{f' in zone {zone}' if zone else ''}"
        body = self._place.machine(name, zone or None, self._new_tags(spec), spec.size, spot=spec.spot)
        try:
            await self._call(doing, lambda: self._api.create(name, body), again=False)
        except Conflict as error:
            if error.code != EXISTS:
                raise
        seen: list[Json] = []

        async def settled() -> bool:
            machine = await self._call(f"reading {name}", lambda: self._api.machine(name))
            seen.extend([machine] if machine else [])
            return machine is not None and (_state(machine) != "creating" or bool(interface_id(machine)))

        await self._patience.until(settled, f"{name} to be allocated")
        machine = seen[-1]
        if not self._is_ours(machine):
            raise Denied(f"{doing}: the name is taken by a machine that is not of this cluster")
        failure = _failure(machine, doing)
        if failure is not None:
            await self._end(machine)
            raise failure
        return machine

    async def _node(self, machine: Json) -> NodeInstance:
        interface = await self._call(f"reading {machine['name']}", lambda: self._api.interface(machine))
        return _node(machine, interface)

    async def _move(self, machine: Json, *, member: bool) -> str:
        """Put a machine's interface into the backend pool, or out of it; returns the second at which it left."""
        name = str(machine["name"])
        doing = f"{'registering' if member else 'deregistering'} {name}"
        since = [""]

        def move() -> None:
            interface = self._api.interface(machine)
            if interface is None:
                return
            tags = dict(interface.get("tags") or {})
            since[0] = str(tags.get(DEREGISTERED, ""))
            if self._api.is_target(interface) is member:
                return
            tags.pop(DEREGISTERED, None)
            if not member:
                since[0] = tags[DEREGISTERED] = mark()
            self._api.write_interface(self._api.as_target(interface, member=member, tags=tags))

        await self._call(doing, move)

        async def settled() -> bool:
            now = await self._call(doing, lambda: self._api.interface(machine))
            return now is None or (self._api.is_target(now) is member and _state(now) != "updating")

        await self._patience.until(settled, f"the interface of {name} to be changed")
        return since[0]

    def _tags(self, machine: Json) -> Mapping[str, str]:
        return tags_of(machine)

    def _identity(self, machine: Json) -> str:
        return str(machine["name"])

    def _state(self, machine: Json) -> NodeState:
        return STATES.get(_state(machine), NodeState.RUNNING)

    def _delete(self, machine: Json) -> None:
        self._api.delete(str(machine["name"]))

    async def _again(self, machine: Json) -> Json | None:
        return await self._find(str(machine["name"]))

    async def _find(self, node_id: str) -> Json | None:
        if not _is_name(node_id):
            return None
        return await self._call(f"reading {node_id}", lambda: self._api.machine(node_id))


def _is_name(text: str) -> bool:
    """Whether a machine can be called that.

    Source: https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/resource-name-rules
    (as of 2026-11).
    """
    return 0 < len(text) <= _LONGEST and all(
        each.isascii() and (each.isalnum() or each in "-_.") for each in text
    )


_LONGEST: Final = 64


def _state(resource: Json) -> str:
    return str((resource.get("properties") or {}).get("provisioningState") or "").lower()


def _failure(machine: Json, doing: str) -> CloudError | None:
    """Why a machine could not be made; None if it could."""
    if _state(machine) != FAILED:
        return None
    view = (machine.get("properties") or {}).get("instanceView") or {}
    for status in view.get("statuses") or ():
        code = str(status.get("code") or "")
        if code.lower().startswith("provisioningstate/failed"):
            return of_code(code.rpartition("/")[2], f"{doing}: {status.get('message') or 'failed'}")
    return of_code("AllocationFailed", f"{doing}: it failed, and Azure does not say why")


def _node(machine: Json, interface: Json | None) -> NodeInstance:
    tags = tags_of(machine)
    properties = machine.get("properties") or {}
    addresses = ((interface or {}).get("properties") or {}).get("ipConfigurations") or ()
    created = properties.get("timeCreated")
    return NodeInstance(
        id=str(machine["name"]),
        state=STATES.get(_state(machine), NodeState.RUNNING),
        role=role_of(tags),
        zone=next(iter(machine.get("zones") or ()), ""),
        size=str((properties.get("hardwareProfile") or {}).get("vmSize") or ""),
        address=next((str(each["properties"].get("privateIPAddress") or "") for each in addresses), ""),
        name=str(machine["name"]),
        node_id=tags.get(NODE_ID, ""),
        token=tags.get(TOKEN, ""),
        created_at=datetime.fromisoformat(str(created)) if created else None,
        spot=properties.get("priority") == "Spot",
        tags=tags,
    )
