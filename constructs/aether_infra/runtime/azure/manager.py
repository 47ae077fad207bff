"""Elastic nodes as virtual machines of their own.

A creation's token is part of the machine's name, which is unique in the resource group; interface and disk are made by
the same request and go with the machine. So there is one thing to find again, and one to end.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER, NODE_ID, ROLE, TOKEN, NodeRole, node_tags
from aether_infra.runtime.azure.dns import Zone, zone
from aether_infra.runtime.azure.errors import of_code, translate
from aether_infra.runtime.azure.place import Place
from aether_infra.runtime.azure.resources import EXISTS, Json, Resources, interface_id
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.cooloff import CoolOff
from aether_infra.runtime.draining import DEREGISTERED, mark, rest
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudError,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
)
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, Target, TargetHealth
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


class AzureManager:
    """`CloudManager` over virtual machines; an interface's membership in the backend pool puts one into traffic."""

    kind = Kind.MACHINES

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
        self._settings = settings
        self._patience = patience
        self._place = place
        self._api = api
        self._zone = dns_zone
        self._call = Calls(translate=translate, patience=patience)
        self._cool = CoolOff(clock=patience.clock)
        self._creating: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def zones(self) -> Sequence[str]:
        """Zones that a node can be created in; empty in a location without zones."""
        return self._place.zones

    @property
    def facts(self) -> Mapping[str, str]:
        """Provider, region, compute, cluster and resource group."""
        return {
            "provider": self._settings.provider.value,
            "region": self._settings.region,
            "compute": self._settings.compute,
            "cluster": self._settings.cluster_name,
            "resource_group": self._place.resource_group,
        }

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """See `CloudManager.create_node`. A machine that is gone is not remembered: the journal has to."""
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes are Terraform's: they cannot be created")
        if spec.zone is not None and spec.zone not in self.zones:
            raise InvalidRequest(f"{spec.zone} is not a zone of this cluster: {', '.join(self.zones)}")
        name = physical_name(self._settings.cluster_name, "elastic", spec.token)
        async with self._creating[spec.token]:
            found = await self._made(name)
            if found is not None:
                return await self._node(found)
            size = spec.size or ""
            wanted = [spec.zone] if spec.zone else self._order(spec.token)
            refusal = CapacityUnavailable(
                f"creating {name}: no zone has had room lately: {', '.join(wanted)}", code="CoolOff"
            )
            for each in self._cool.order(wanted, size):
                try:
                    made = await self._patience.retry(partial(self._create, spec, name, each))
                    return await self._node(made)
                except CapacityUnavailable as error:
                    self._cool.note(each, size)
                    refusal = error
            raise refusal

    async def terminate_node(self, node_id: str) -> None:
        """See `CloudManager.terminate_node`."""
        machine = await self._owned(node_id)
        if machine is not None and _role(machine) is NodeRole.CORE:
            raise Conflict(f"{node_id} is a core node, which ends by explicit command only")
        await self._end(machine)

    async def terminate_core_node(self, node_id: str) -> None:
        """End a core node's machine; its data disk stays, and Terraform makes the machine anew when it is applied."""
        machine = await self._owned(node_id)
        if machine is not None and _role(machine) is not NodeRole.CORE:
            raise Conflict(f"{node_id} is no core node")
        await self._end(machine)

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        machines = await self._call("listing machines", self._api.machines)
        interfaces = await self._call("listing interfaces", self._api.interfaces)
        nodes = [_node(each, interfaces.get(interface_id(each).lower())) for each in machines]
        return sorted(nodes, key=lambda node: (str(node.created_at), node.id))

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        return await self._node(await self._known(node_id))

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

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`."""
        if self._zone is None:
            raise NotFound(f"{self._settings.cluster_name} has no DNS zone")
        await self._zone.update(record)

    async def close(self) -> None:
        """Give back connections."""
        await asyncio.to_thread(self._api.close)

    def _order(self, token: str) -> list[str]:
        """Zones in the order in which a creation tries them: the same for the same token, spread over tokens."""
        zones = list(self.zones) or [""]
        first = zlib.crc32(token.encode()) % len(zones)
        return [*zones[first:], *zones[:first]]

    async def _made(self, name: str) -> Json | None:
        """The machine of a creation; what is left of a failed one is taken away."""
        found = await self._call(f"reading {name}", lambda: self._api.machine(name))
        if found is None or not self._api.is_ours(found):
            return None
        if _state(found) == FAILED and _failure(found, name) is not None:
            await self._end(found)
            return None
        return found

    async def _create(self, spec: NodeSpec, name: str, where: str) -> Json:
        """Create in one zone and wait until Azure has found room; what is there already is success."""
        doing = f"creating {name}{f' in zone {where}' if where else ''}"
        settings = self._settings
        tags = node_tags(
            {**spec.tags, **settings.tags, CLUSTER: settings.cluster_name},
            NodeRole.WORKER,
            settings.ports.cluster,
        ) | {TOKEN: spec.token}
        body = self._place.machine(name, where or None, tags, spec.size, spot=spec.spot)
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
        if not self._api.is_ours(machine):
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

    async def _end(self, machine: Json | None) -> None:
        if machine is None:
            return
        name = str(machine["name"])
        await self._call(f"ending {name}", lambda: self._api.delete(name))
        asked = 1

        async def gone() -> bool:
            nonlocal asked
            now = await self._call(f"looking whether {name} is gone", lambda: self._api.machine(name))
            if now is None:
                return True
            if _state(now) != "deleting" and asked < self._patience.tries:
                # the operation may have failed
                asked += 1
                await self._call(f"ending {name}", lambda: self._api.delete(name))
            return False

        await self._patience.until(gone, f"{name} to be gone")

    async def _owned(self, node_id: str) -> Json | None:
        """A machine of this cluster; None where there is none.

        Raises:
            Denied: it is not of this cluster.
        """
        machine = await self._find(node_id)
        if machine is not None and not self._api.is_ours(machine):
            raise Denied(f"{node_id} is no node of {self._settings.cluster_name}")
        return machine

    async def _known(self, node_id: str) -> Json:
        machine = await self._find(node_id)
        if machine is None or not self._api.is_ours(machine):
            raise NotFound(f"there is no node {node_id} in {self._settings.cluster_name}")
        return machine

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


def _role(machine: Json) -> NodeRole:
    core = (machine.get("tags") or {}).get(ROLE) == NodeRole.CORE.value
    return NodeRole.CORE if core else NodeRole.WORKER


def _node(machine: Json, interface: Json | None) -> NodeInstance:
    tags = {str(key): str(value) for key, value in (machine.get("tags") or {}).items()}
    properties = machine.get("properties") or {}
    addresses = ((interface or {}).get("properties") or {}).get("ipConfigurations") or ()
    created = properties.get("timeCreated")
    return NodeInstance(
        id=str(machine["name"]),
        state=STATES.get(_state(machine), NodeState.RUNNING),
        role=_role(machine),
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
