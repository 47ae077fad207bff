"""Azure Resource Manager: one resource group's machines and interfaces, and one DNS zone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define
from cloud_world import Effect
from fake_cloud_server import FakeCloud, Reply, Request

Json = dict[str, Any]
SUBSCRIPTION = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/aether-rg"
POOL = f"{GROUP}/providers/Microsoft.Network/loadBalancers/aether/backendAddressPools/nodes"
ZONE = f"{GROUP}/providers/Microsoft.Network/dnszones/example.com"
VM = rf"{GROUP}/providers/Microsoft.Compute/virtualMachines"
NIC = rf"{GROUP}/providers/Microsoft.Network/networkInterfaces"
RECORD = (
    rf"{GROUP}/providers/Microsoft.Network/dnsZones/example\.com/(?P<kind>A|AAAA|CNAME|TXT)/(?P<name>[^/]+)"
)
ROUTES: list[tuple[str, str, str]] = [
    ("GET", VM, "virtualMachines_list"),
    ("GET", rf"{VM}/(?P<name>[^/]+)", "virtualMachines_get"),
    ("PUT", rf"{VM}/(?P<name>[^/]+)", "virtualMachines_createOrUpdate"),
    ("DELETE", rf"{VM}/(?P<name>[^/]+)", "virtualMachines_delete"),
    ("GET", NIC, "networkInterfaces_list"),
    ("GET", rf"{NIC}/(?P<name>[^/]+)", "networkInterfaces_get"),
    ("PUT", rf"{NIC}/(?P<name>[^/]+)", "networkInterfaces_createOrUpdate"),
    ("PUT", RECORD, "recordSets_createOrUpdate"),
    ("DELETE", RECORD, "recordSets_delete"),
]
RIGHTS = {
    "virtualMachines_list": {"Microsoft.Compute/virtualMachines/read"},
    "virtualMachines_get": {"Microsoft.Compute/virtualMachines/read"},
    "virtualMachines_createOrUpdate": {
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Compute/disks/write",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
        "Microsoft.Network/networkInterfaces/join/action",
        "Microsoft.Network/networkInterfaces/write",
        "Microsoft.Network/networkSecurityGroups/join/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    },
    "virtualMachines_delete": {
        "Microsoft.Compute/virtualMachines/delete",
        "Microsoft.Compute/disks/delete",
        "Microsoft.Network/networkInterfaces/delete",
    },
    "networkInterfaces_list": {"Microsoft.Network/networkInterfaces/read"},
    "networkInterfaces_get": {"Microsoft.Network/networkInterfaces/read"},
    "networkInterfaces_createOrUpdate": {
        "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
        "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
        "Microsoft.Network/networkInterfaces/write",
        "Microsoft.Network/networkSecurityGroups/join/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    },
    "recordSets_createOrUpdate": {"Microsoft.Network/dnsZones/{kind}/write"},
    "recordSets_delete": {"Microsoft.Network/dnsZones/{kind}/delete"},
}
"""Actions that each request needs: https://learn.microsoft.com/en-us/azure/role-based-access-control/resource-provider-operations
(as of 2026-11)."""
MISSING = "The Resource under resource group 'aether-rg' was not found."


@define(kw_only=True)
class FakeMachine:
    name: str
    zone: str
    size: str
    spot: bool
    tags: dict[str, str]
    born: datetime
    interface: str
    hidden_lists: int = 0
    hidden_gets: int = 0
    pending: int = 0
    stopping: int | None = None
    """Looks until it is gone; None while it lives."""
    failed: bool = False

    @property
    def state(self) -> str:
        if self.stopping is not None:
            return "Deleting"
        if self.failed:
            return "Failed"
        return "Creating" if self.pending else "Succeeded"


class FakeAzure(FakeCloud):
    """One resource group. Time passes by being looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.machines: dict[str, FakeMachine] = {}
        self.gone: dict[str, FakeMachine] = {}
        self.interfaces: dict[str, Json] = {}
        self.records: dict[tuple[str, str], Json] = {}
        self._serial = 0
        self._now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def add(self, name: str, zone: str, tags: Mapping[str, str], **given: Any) -> FakeMachine:
        self._serial += 1
        self._now += timedelta(seconds=1)
        made = {"size": "Standard_D4s_v3", "spot": False} | given
        self.interfaces[name] = {
            "id": f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{name}",
            "name": name,
            "location": "westus2",
            "tags": dict(tags),
            "properties": {
                "provisioningState": "Succeeded",
                "ipConfigurations": [
                    {
                        "name": "internal",
                        "properties": {"privateIPAddress": f"10.0.0.{self._serial % 250 + 4}"},
                    }
                ],
            },
        }
        machine = FakeMachine(name=name, zone=zone, tags=dict(tags), born=self._now, interface=name, **made)
        self.machines[name] = machine
        return machine

    def pooled(self) -> set[str]:
        """Names of machines whose interface is in the backend pool."""
        found = set()
        for machine in self.machines.values():
            address = self.interfaces[machine.interface]["properties"]["ipConfigurations"][0]["properties"]
            if any(each["id"] == POOL for each in address.get("loadBalancerBackendAddressPools", [])):
                found.add(machine.name)
        return found

    def operation(self, request: Request) -> str:
        for method, path, name in ROUTES:
            if method == request.method and re.fullmatch(path, request.path, re.IGNORECASE):
                return name
        return f"{request.method} {request.path}"

    def answer(self, request: Request) -> Reply:
        assert request.query.get("api-version"), request.path
        for method, path, name in ROUTES:
            match = re.fullmatch(path, request.path, re.IGNORECASE)
            if method == request.method and match:
                handler: Callable[..., Reply] = getattr(self, f"_{name}")
                return handler(request, json.loads(request.body) if request.body else {}, **match.groupdict())
        return _error(404, "NotFound", f"no route {request.method} {request.path}")

    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:  # noqa: ARG002
        reply = {
            Effect.THROTTLED: _error(429, "TooManyRequests", "The server rejected the request."),
            Effect.UNAVAILABLE: _error(503, "ServiceUnavailable", "The service is unavailable."),
            Effect.DENIED: _error(403, "AuthorizationFailed", "The client does not have authorization"),
            Effect.QUOTA: _error(409, "OperationNotAllowed", "exceeding approved Total Regional Cores quota"),
            Effect.INVALID: _error(400, "InvalidParameter", "The value is invalid."),
            Effect.CONFLICT: _error(409, "AnotherOperationInProgress", "Another operation is in progress"),
        }[effect]
        extra = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Reply(status=reply.status, body=reply.body, headers={**reply.headers, **extra})

    def _look(self, machine: FakeMachine) -> None:
        machine.pending = max(0, machine.pending - 1)
        if machine.stopping is not None:
            machine.stopping -= 1
            if machine.stopping < 0:
                self._remove(machine)

    def _remove(self, machine: FakeMachine) -> None:
        self.gone[machine.name] = self.machines.pop(machine.name)
        self.interfaces.pop(machine.interface)

    def _page(self, request: Request, items: list[Json]) -> Reply:
        start, size = int(request.query.get("$skiptoken", "0")), self.behaviour.page_size
        url = f"http://{request.headers['host']}{request.path}?api-version={request.query['api-version']}"
        more = {"nextLink": f"{url}&$skiptoken={start + size}"} if start + size < len(items) else {}
        return _json({"value": items[start : start + size], **more})

    def _virtualMachines_list(self, request: Request, _body: Json) -> Reply:  # noqa: N802 - Azure's names
        chosen = []
        for name in sorted(self.machines):
            machine = self.machines[name]
            if "$skiptoken" not in request.query:
                self._look(machine)
            if name not in self.machines:
                continue
            if machine.hidden_lists > 0:
                machine.hidden_lists -= 1
                continue
            chosen.append(self._machine(machine))
        return self._page(request, chosen)

    def _virtualMachines_get(self, request: Request, _body: Json, name: str) -> Reply:  # noqa: N802
        machine = self.machines.get(name)
        if machine is not None:
            self._look(machine)
        if name not in self.machines or machine is None:
            return _error(404, "ResourceNotFound", MISSING)
        if machine.hidden_gets > 0:
            machine.hidden_gets -= 1
            return _error(404, "ResourceNotFound", MISSING)
        return _json(self._machine(machine, view="instanceView" in request.query.get("$expand", "")))

    def _virtualMachines_createOrUpdate(self, request: Request, body: Json, name: str) -> Reply:  # noqa: N802
        if request.headers.get("if-none-match") == "*" and name in self.machines:
            return _error(412, "PreconditionFailed", "The condition was not met.")
        properties = body["properties"]
        assert len(properties["osProfile"]["computerName"]) <= 64
        assert all(len(value) <= 256 for value in body["tags"].values())
        [interface] = properties["networkProfile"]["networkInterfaceConfigurations"]
        assert interface["properties"]["deleteOption"] == "Delete"
        assert properties["storageProfile"]["osDisk"]["deleteOption"] == "Delete"
        size = properties["hardwareProfile"]["vmSize"]
        if not size.startswith("Standard_"):
            return _error(400, "InvalidParameter", f"The value {size} provided for the VM size is not valid.")
        zone = next(iter(body.get("zones", [])), "")
        machine = self.add(
            name,
            zone,
            body["tags"],
            size=size,
            spot=properties.get("priority") == "Spot",
            hidden_lists=self.behaviour.hidden_lists,
            hidden_gets=self.behaviour.hidden_gets,
            pending=self.behaviour.pending_looks,
        )
        machine.failed = bool({zone, ""} & self.behaviour.out_of_stock)
        return _json(self._machine(machine), 201)

    def _virtualMachines_delete(self, _request: Request, _body: Json, name: str) -> Reply:  # noqa: N802
        machine = self.machines.get(name)
        if machine is None:
            return Reply(status=204)
        if machine.stopping is None:
            machine.stopping = self.behaviour.stopping_looks
            if not machine.stopping:
                self._remove(machine)
        return Reply(status=202)

    def _networkInterfaces_list(self, request: Request, _body: Json) -> Reply:  # noqa: N802
        return self._page(request, [self.interfaces[name] for name in sorted(self.interfaces)])

    def _networkInterfaces_get(self, _request: Request, _body: Json, name: str) -> Reply:  # noqa: N802
        if name not in self.interfaces:
            return _error(404, "ResourceNotFound", MISSING)
        return _json(self.interfaces[name])

    def _networkInterfaces_createOrUpdate(self, _request: Request, body: Json, name: str) -> Reply:  # noqa: N802
        if name not in self.interfaces:
            return _error(404, "ResourceNotFound", MISSING)
        self.interfaces[name] |= body
        return _json(self.interfaces[name])

    def _recordSets_createOrUpdate(self, _request: Request, body: Json, kind: str, name: str) -> Reply:  # noqa: N802
        self.records[name, kind] = body["properties"]
        return _json(
            {"name": name, "type": f"Microsoft.Network/dnszones/{kind}", "properties": body["properties"]}
        )

    def _recordSets_delete(self, _request: Request, _body: Json, kind: str, name: str) -> Reply:  # noqa: N802
        return Reply(status=200 if self.records.pop((name, kind), None) else 204)

    def _machine(self, machine: FakeMachine, *, view: bool = False) -> Json:
        failure = {
            "code": "ProvisioningState/failed/ZonalAllocationFailed",
            "level": "Error",
            "displayStatus": "Provisioning failed",
            "message": "We do not have sufficient capacity for the requested VM size in this zone.",
        }
        shown = machine.state != "Creating" or machine.pending < self.behaviour.pending_looks
        interface = self.interfaces[machine.interface]["id"]
        return {
            "id": f"{VM}/{machine.name}",
            "name": machine.name,
            "location": "westus2",
            "tags": machine.tags,
            **({"zones": [machine.zone]} if machine.zone else {}),
            "properties": {
                "provisioningState": machine.state,
                "timeCreated": machine.born.isoformat(),
                "hardwareProfile": {"vmSize": machine.size},
                "priority": "Spot" if machine.spot else "Regular",
                "networkProfile": {"networkInterfaces": [{"id": interface}] if shown else []},
                **({"instanceView": {"statuses": [failure] if machine.failed else []}} if view else {}),
            },
        }


def _json(document: Json, status: int = 200) -> Reply:
    return Reply(
        status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"}
    )


def _error(status: int, code: str, message: str) -> Reply:
    return _json({"error": {"code": code, "message": message}}, status)
