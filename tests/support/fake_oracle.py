"""Oracle Cloud: one compartment's instances, one load balancer, one DNS zone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from attrs import define, field
from cloud_world import Effect
from fake_cloud_server import FakeCloud, Reply, Request

Json = dict[str, Any]
COMPARTMENT = "ocid1.compartment.oc1..test"
BALANCER = "ocid1.loadbalancer.oc1..test"
ZONE = "ocid1.dns-zone.oc1..test"
CORE, LB, DNS = "/20160918", f"/20170115/loadBalancers/{BALANCER}", f"/20180115/zones/{ZONE}"
BACKENDS = rf"{LB}/backendSets/(?P<name>[^/]+)"
ROUTES: list[tuple[str, str, str]] = [
    ("POST", rf"{CORE}/instanceConfigurations/[^/]+/actions/launch", "launch_instance_configuration"),
    ("GET", rf"{CORE}/instances", "list_instances"),
    ("GET", rf"{CORE}/instances/(?P<name>[^/]+)", "get_instance"),
    ("PUT", rf"{CORE}/instances/(?P<name>[^/]+)", "update_instance"),
    ("DELETE", rf"{CORE}/instances/(?P<name>[^/]+)", "terminate_instance"),
    ("GET", rf"{CORE}/vnicAttachments", "list_vnic_attachments"),
    ("GET", rf"{CORE}/vnics/(?P<name>[^/]+)", "get_vnic"),
    ("GET", rf"{BACKENDS}/backends", "list_backends"),
    ("POST", rf"{BACKENDS}/backends", "create_backend"),
    ("PUT", rf"{BACKENDS}/backends/(?P<backend>[^/]+)", "update_backend"),
    ("DELETE", rf"{BACKENDS}/backends/(?P<backend>[^/]+)", "delete_backend"),
    ("GET", rf"{BACKENDS}/health", "get_backend_set_health"),
    ("GET", r"/20170115/loadBalancerWorkRequests/(?P<name>[^/]+)", "get_work_request"),
    ("GET", DNS, "get_zone"),
    ("PUT", rf"{DNS}/records/(?P<name>[^/]+)/(?P<kind>[^/]+)", "update_rr_set"),
    ("DELETE", rf"{DNS}/records/(?P<name>[^/]+)/(?P<kind>[^/]+)", "delete_rr_set"),
]
RIGHTS = {
    "launch_instance_configuration": {
        "manage instance-family: INSTANCE_CREATE", "read instance-configurations: INSTANCE_CONFIGURATION_LAUNCH",
        "use virtual-network-family: VNIC_CREATE", "use virtual-network-family: SUBNET_ATTACH",
        "use network-security-groups: NETWORK_SECURITY_GROUP_UPDATE_MEMBERS",
    },
    "list_instances": {"manage instance-family: INSTANCE_READ"},
    "get_instance": {"manage instance-family: INSTANCE_READ"},
    "update_instance": {"manage instance-family: INSTANCE_UPDATE"},
    "terminate_instance": {"manage instance-family: INSTANCE_DELETE", "use virtual-network-family: VNIC_DELETE"},
    "list_vnic_attachments": {"manage instance-family: VNIC_ATTACHMENT_READ"},
    "get_vnic": {"use virtual-network-family: VNIC_READ"},
    "list_backends": {"use load-balancers: LOAD_BALANCER_READ"},
    "create_backend": {"use load-balancers: LOAD_BALANCER_UPDATE"},
    "update_backend": {"use load-balancers: LOAD_BALANCER_UPDATE"},
    "delete_backend": {"use load-balancers: LOAD_BALANCER_UPDATE"},
    "get_backend_set_health": {"use load-balancers: LOAD_BALANCER_READ"},
    "get_work_request": {"use load-balancers: LOAD_BALANCER_READ"},
    "get_zone": {"use dns-zones: DNS_ZONE_READ"},
    "update_rr_set": {"use dns-records: DNS_RECORD_UPDATE"},
    "delete_rr_set": {"use dns-records: DNS_RECORD_UPDATE"},
}  # fmt: skip
"""Verb, resource type and permission that each request needs:
https://docs.oracle.com/en-us/iaas/Content/Identity/Reference/corepolicyreference.htm (as of 2026-11)."""


@define(kw_only=True)
class Instance:
    id: str
    name: str
    domain: str
    shape: str
    spot: bool
    tags: dict[str, str]
    born: datetime
    address: str
    hidden_lists: int = 0
    hidden_gets: int = 0
    pending: int = 0
    stopping: int | None = None
    """Looks until it is gone; None while it lives."""
    gone: bool = False


@define(kw_only=True)
class Backend:
    ip: str
    port: int
    drain: bool = False

    @property
    def name(self) -> str:
        return f"{self.ip}:{self.port}"


@define(kw_only=True)
class Work:
    looks: int = 1
    parts: list[str] = field(factory=list)


class FakeOracle(FakeCloud):
    """One compartment. Time passes by being looked at."""

    def __init__(self, zone_name: str) -> None:
        super().__init__()
        self.zone_name = zone_name
        self.instances: dict[str, Instance] = {}
        self.tokens: dict[str, tuple[bytes, str]] = {}
        self.sets: dict[str, dict[str, Backend]] = {}
        self.work: dict[str, Work] = {}
        self.records: dict[tuple[str, str], list[Json]] = {}
        self._serial = 0
        self._now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def add(self, name: str, domain: str, tags: Mapping[str, str], **given: Any) -> Instance:
        self._serial += 1
        self._now += timedelta(seconds=1)
        made = {"shape": "VM.Standard.E5.Flex", "spot": False} | given
        identity = f"ocid1.instance.oc1.eu-frankfurt-1.{self._serial:04x}"
        address = f"10.0.{self._serial // 250}.{self._serial % 250 + 2}"
        instance = Instance(
            id=identity, name=name, domain=domain, tags=dict(tags), born=self._now, address=address, **made
        )
        self.instances[identity] = instance
        return instance

    def operation(self, request: Request) -> str:
        for method, path, name in ROUTES:
            if method == request.method and re.fullmatch(path, request.path):
                return name
        return f"{request.method} {request.path}"

    def answer(self, request: Request) -> Reply:
        if not request.headers.get("authorization", "").startswith("Signature "):
            return _error(401, "NotAuthenticated", "The required information was not provided.")
        for method, path, name in ROUTES:
            match = re.fullmatch(path, request.path)
            if method == request.method and match:
                handler: Callable[..., Reply] = getattr(self, f"_{name}")
                parts = {key: unquote(value) for key, value in match.groupdict().items()}
                return handler(request, json.loads(request.body) if request.body else {}, **parts)
        return _error(404, "NotFound", f"no route {request.method} {request.path}")

    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:  # noqa: ARG002
        reply = {
            Effect.THROTTLED: _error(429, "TooManyRequests", "Too many requests for the tenants"),
            Effect.UNAVAILABLE: _error(500, "InternalServerError", "Internal error occurred"),
            Effect.DENIED: _error(401, "NotAuthenticated", "The required information was not provided"),
            Effect.QUOTA: _error(400, "LimitExceeded", "The following service limits were exceeded"),
            Effect.INVALID: _error(400, "InvalidParameter", "Shape is not valid"),
            Effect.CONFLICT: _error(409, "IncorrectState", "The resource is not in the right state"),
        }[effect]
        extra = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Reply(status=reply.status, body=reply.body, headers={**reply.headers, **extra})

    def _look(self, instance: Instance) -> None:
        instance.pending = max(0, instance.pending - 1)
        if instance.stopping is not None and not instance.gone:
            instance.stopping -= 1
            instance.gone = instance.stopping < 0

    def _page(self, request: Request, items: list[Json]) -> Reply:
        start = int(request.query.get("page", "0"))
        size = min(int(request.query.get("limit", "1000")), self.behaviour.page_size)
        reply = _json(items[start : start + size])
        if start + size < len(items):
            return Reply(body=reply.body, headers={**reply.headers, "opc-next-page": str(start + size)})
        return reply

    def _launch_instance_configuration(self, request: Request, body: Json) -> Reply:
        token = request.headers["opc-retry-token"]
        assert len(token) <= 64
        if token in self.tokens:
            seen, identity = self.tokens[token]
            if seen != request.body:
                return _error(409, "InvalidatedRetryToken", "The retry token was used with other parameters")
            return _json(self._instance(self.instances[identity]))
        details = body["launchDetails"]
        domain = details["availabilityDomain"]
        shape = details.get("shape", "VM.Standard.E5.Flex")
        if not shape.startswith("VM."):
            return _error(400, "InvalidParameter", f"Shape {shape} is not valid")
        if {domain, ""} & self.behaviour.out_of_stock:
            return _error(500, "InternalError", "Out of host capacity.")
        instance = self.add(
            details["displayName"],
            domain,
            details["freeformTags"],
            shape=shape,
            spot="preemptibleInstanceConfig" in details,
            hidden_lists=self.behaviour.hidden_lists,
            hidden_gets=self.behaviour.hidden_gets,
            pending=self.behaviour.pending_looks,
        )
        self.tokens[token] = (request.body, instance.id)
        return _json(self._instance(instance))

    def _list_instances(self, request: Request, _body: Json) -> Reply:
        assert request.query["compartmentId"] == COMPARTMENT
        chosen = []
        for instance in self.instances.values():
            if "page" not in request.query:
                self._look(instance)
            if instance.hidden_lists > 0:
                instance.hidden_lists -= 1
                continue
            chosen.append(self._instance(instance))
        return self._page(request, chosen)

    def _get_instance(self, _request: Request, _body: Json, name: str) -> Reply:
        instance = self.instances.get(name)
        if instance is None:
            return _missing()
        self._look(instance)
        if instance.hidden_gets > 0:
            instance.hidden_gets -= 1
            return _missing()
        return _json(self._instance(instance))

    def _update_instance(self, _request: Request, body: Json, name: str) -> Reply:
        instance = self.instances.get(name)
        if instance is None or instance.gone:
            return _missing()
        instance.tags = body["freeformTags"]
        return _json(self._instance(instance))

    def _terminate_instance(self, request: Request, _body: Json, name: str) -> Reply:
        assert request.query["preserveBootVolume"] == "false"
        instance = self.instances.get(name)
        if instance is None or instance.gone:
            return _missing()
        if instance.stopping is None:
            instance.stopping = self.behaviour.stopping_looks
            instance.gone = not instance.stopping
        return Reply(status=204)

    def _list_vnic_attachments(self, request: Request, _body: Json) -> Reply:
        wanted = request.query.get("instanceId")
        items = [
            {
                "id": f"attachment-{each.id}", "instanceId": each.id, "vnicId": f"vnic-{each.id}",
                "lifecycleState": "ATTACHED", "compartmentId": COMPARTMENT, "availabilityDomain": each.domain,
            }
            for each in self.instances.values()
            if not each.gone and wanted in {None, each.id}
        ]  # fmt: skip
        return self._page(request, items)

    def _get_vnic(self, _request: Request, _body: Json, name: str) -> Reply:
        instance = self.instances[name.removeprefix("vnic-")]
        return _json(
            {"id": name, "isPrimary": True, "privateIp": instance.address, "lifecycleState": "AVAILABLE"}
        )

    def _done(self) -> Reply:
        self._serial += 1
        identity = f"ocid1.loadbalancerworkrequest.oc1..{self._serial}"
        self.work[identity] = Work()
        return Reply(status=204, headers={"opc-work-request-id": identity})

    def _list_backends(self, _request: Request, _body: Json, name: str) -> Reply:
        return _json([self._backend(each) for each in self.sets[name].values()])

    def _create_backend(self, _request: Request, body: Json, name: str) -> Reply:
        backend = Backend(ip=body["ipAddress"], port=body["port"])
        if backend.name in self.sets[name]:
            return _error(409, "Conflict", f"Backend {backend.name} already exists")
        self.sets[name][backend.name] = backend
        return self._done()

    def _update_backend(self, _request: Request, body: Json, name: str, backend: str) -> Reply:
        if backend not in self.sets[name]:
            return _missing()
        self.sets[name][backend].drain = body["drain"]
        return self._done()

    def _delete_backend(self, _request: Request, _body: Json, name: str, backend: str) -> Reply:
        if self.sets[name].pop(backend, None) is None:
            return _missing()
        return self._done()

    def _get_backend_set_health(self, _request: Request, _body: Json, name: str) -> Reply:
        sick = {each.address for each in self.instances.values() if each.id in self.behaviour.unhealthy}
        critical = [each.name for each in self.sets[name].values() if each.ip in sick]
        return _json(
            {
                "status": "OK",
                "criticalStateBackendNames": critical,
                "warningStateBackendNames": [],
                "unknownStateBackendNames": [],
                "totalBackendCount": len(self.sets[name]),
            }
        )

    def _get_work_request(self, _request: Request, _body: Json, name: str) -> Reply:
        work = self.work[name]
        work.looks -= 1
        state = "SUCCEEDED" if work.looks < 0 else "IN_PROGRESS"
        return _json({"id": name, "lifecycleState": state, "errorDetails": []})

    def _get_zone(self, _request: Request, _body: Json) -> Reply:
        return _json({"id": ZONE, "name": self.zone_name, "zoneType": "PRIMARY", "lifecycleState": "ACTIVE"})

    def _update_rr_set(self, _request: Request, body: Json, name: str, kind: str) -> Reply:
        self.records[name, kind] = body["items"]
        return _json({"items": body["items"]})

    def _delete_rr_set(self, _request: Request, _body: Json, name: str, kind: str) -> Reply:
        self.records.pop((name, kind), None)
        return Reply(status=204)

    def _backend(self, backend: Backend) -> Json:
        return {
            "name": backend.name, "ipAddress": backend.ip, "port": backend.port, "weight": 1,
            "drain": backend.drain, "backup": False, "offline": False,
        }  # fmt: skip

    def _instance(self, instance: Instance) -> Json:
        state = "PROVISIONING" if instance.pending else "RUNNING"
        if instance.stopping is not None:
            state = "TERMINATED" if instance.gone else "TERMINATING"
        spot = {"preemptionAction": {"type": "TERMINATE", "preserveBootVolume": False}}
        return {
            "id": instance.id,
            "compartmentId": COMPARTMENT,
            "displayName": instance.name,
            "availabilityDomain": instance.domain,
            "shape": instance.shape,
            "freeformTags": instance.tags,
            "lifecycleState": state,
            "region": "eu-frankfurt-1",
            "timeCreated": instance.born.isoformat().replace("+00:00", "Z"),
            "preemptibleInstanceConfig": spot if instance.spot else None,
        }


def _json(document: Any, status: int = 200) -> Reply:
    return Reply(
        status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"}
    )


def _missing() -> Reply:
    return _error(404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found.")


def _error(status: int, code: str, message: str) -> Reply:
    return _json({"code": code, "message": message}, status)
