"""Compute Engine and Cloud DNS of one project, as far as instances, groups, backend services and records go."""

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
PROJECT = "my-project"
COMPUTE = rf"/compute/v1/projects/{PROJECT}"
DNS = rf"/dns/v1/projects/{PROJECT}/managedZones/(?P<zone>[^/]+)"
IN_ZONE = rf"{COMPUTE}/zones/(?P<zone>[^/]+)"
ROUTES: list[tuple[str, str, str]] = [
    ("GET", rf"{COMPUTE}/aggregated/instances", "instances_aggregatedList"),
    ("POST", rf"{IN_ZONE}/instances", "instances_insert"),
    ("GET", rf"{IN_ZONE}/instances/(?P<name>[^/]+)", "instances_get"),
    ("DELETE", rf"{IN_ZONE}/instances/(?P<name>[^/]+)", "instances_delete"),
    ("POST", rf"{IN_ZONE}/instances/(?P<name>[^/]+)/setLabels", "instances_setLabels"),
    ("GET", rf"{IN_ZONE}/operations/(?P<name>[^/]+)", "zoneOperations_get"),
    ("POST", rf"{IN_ZONE}/instanceGroups/(?P<name>[^/]+)/listInstances", "instanceGroups_listInstances"),
    ("POST", rf"{IN_ZONE}/instanceGroups/(?P<name>[^/]+)/addInstances", "instanceGroups_addInstances"),
    ("POST", rf"{IN_ZONE}/instanceGroups/(?P<name>[^/]+)/removeInstances", "instanceGroups_removeInstances"),
    ("GET", rf"{COMPUTE}/global/backendServices/(?P<name>[^/]+)", "backendServices_get"),
    ("POST", rf"{COMPUTE}/global/backendServices/(?P<name>[^/]+)/getHealth", "backendServices_getHealth"),
    ("GET", rf"{COMPUTE}/regions/[^/]+/backendServices/(?P<name>[^/]+)", "regionBackendServices_get"),
    ("POST", rf"{COMPUTE}/regions/[^/]+/backendServices/(?P<name>[^/]+)/getHealth", "regionBackendServices_getHealth"),
    ("GET", DNS, "managedZones_get"),
    ("GET", rf"{DNS}/rrsets", "resourceRecordSets_list"),
    ("POST", rf"{DNS}/changes", "changes_create"),
    ("GET", rf"{DNS}/changes/(?P<name>[^/]+)", "changes_get"),
]  # fmt: skip
RIGHTS = {
    "instances_aggregatedList": {"compute.instances.list"},
    "instances_insert": {
        "compute.disks.create", "compute.instanceTemplates.useReadOnly", "compute.instances.create",
        "compute.instances.setLabels", "compute.instances.setMetadata", "compute.instances.setServiceAccount",
        "compute.instances.setTags", "compute.subnetworks.use",
    },
    "instances_get": {"compute.instances.get"},
    "instances_delete": {"compute.instances.delete"},
    "instances_setLabels": {"compute.instances.setLabels"},
    "zoneOperations_get": {"compute.zoneOperations.get"},
    "instanceGroups_listInstances": {"compute.instanceGroups.list", "compute.instanceGroups.get"},
    "instanceGroups_addInstances": {"compute.instanceGroups.update", "compute.instances.use"},
    "instanceGroups_removeInstances": {"compute.instanceGroups.update", "compute.instances.use"},
    "backendServices_get": {"compute.backendServices.get"},
    "backendServices_getHealth": {"compute.backendServices.get"},
    "regionBackendServices_get": {"compute.regionBackendServices.get"},
    "regionBackendServices_getHealth": {"compute.regionBackendServices.get"},
    "managedZones_get": {"dns.managedZones.get"},
    "resourceRecordSets_list": {"dns.resourceRecordSets.list"},
    "changes_create": {
        "dns.changes.create", "dns.resourceRecordSets.create", "dns.resourceRecordSets.delete",
    },
    "changes_get": {"dns.changes.get"},
}  # fmt: skip
"""Permissions that each request needs: https://cloud.google.com/compute/docs/access/iam (as of 2026-11)."""


@define(kw_only=True)
class Instance:
    id: int
    name: str
    zone: str
    size: str
    labels: dict[str, str]
    born: datetime
    spot: bool = False
    fingerprint: int = 1
    hidden_lists: int = 0
    hidden_gets: int = 0
    pending: int = 0
    stopping: int | None = None
    """Looks until it is gone; None while it lives."""
    managed: bool = False
    """Whether a group makes it anew."""


class FakeGcp(FakeCloud):
    """One project. Time passes by being looked at."""

    def __init__(self, zones: tuple[str, ...], dns_name: str) -> None:
        super().__init__()
        self.zones = zones
        self.dns_name = dns_name
        self.instances: dict[int, Instance] = {}
        self.gone: dict[int, Instance] = {}
        self.groups: dict[tuple[str, str], set[int]] = {}
        """(zone, name) = instances in it."""
        self.services: dict[str, list[tuple[str, str]]] = {}
        """Backend service = its groups."""
        self.records: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self.operations: dict[str, Json] = {}
        self.requests: dict[str, Json] = {}
        """requestId = the operation that it has made."""
        self.changes: dict[str, int] = {}
        self._serial = 1000
        self._now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def add(self, name: str, zone: str, labels: Mapping[str, str], **given: Any) -> Instance:
        self._serial += 1
        self._now += timedelta(seconds=1)
        made = {"size": "e2-standard-4", "born": self._now} | given
        instance = Instance(id=self._serial, name=name, zone=zone, labels=dict(labels), **made)
        self.instances[instance.id] = instance
        return instance

    def operation(self, request: Request) -> str:
        for method, path, name in ROUTES:
            if method == request.method and re.fullmatch(path, request.path):
                return name
        return f"{request.method} {request.path}"

    def answer(self, request: Request) -> Reply:
        for method, path, name in ROUTES:
            match = re.fullmatch(path, request.path)
            if method == request.method and match:
                handler: Callable[..., Reply] = getattr(self, f"_{name}")
                return handler(request, json.loads(request.body) if request.body else {}, **match.groupdict())
        return _error(404, "notFound", f"no route {request.method} {request.path}")

    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:  # noqa: ARG002
        reply = {
            Effect.THROTTLED: _error(429, "rateLimitExceeded", "Rate Limit Exceeded"),
            Effect.UNAVAILABLE: _error(503, "backendError", "Backend Error"),
            Effect.DENIED: _error(403, "forbidden", "Required permission for the project"),
            Effect.QUOTA: _error(403, "quotaExceeded", "Quota 'CPUS' exceeded. Limit: 24.0 in region"),
            Effect.INVALID: _error(400, "invalid", "Invalid value for field 'resource'"),
            Effect.CONFLICT: _error(409, "resourceNotReady", "The resource is not ready"),
        }[effect]
        extra = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Reply(status=reply.status, body=reply.body, headers={**reply.headers, **extra})

    def _named(self, zone: str, name: str) -> Instance | None:
        return next(
            (each for each in self.instances.values() if (each.zone, each.name) == (zone, name)), None
        )

    def _look(self, instance: Instance) -> None:
        instance.pending = max(0, instance.pending - 1)
        if instance.stopping is not None:
            instance.stopping -= 1
            if instance.stopping < 0:
                self._remove(instance)

    def _remove(self, instance: Instance) -> None:
        self.gone[instance.id] = self.instances.pop(instance.id)
        for members in self.groups.values():
            members.discard(instance.id)
        if instance.managed:
            self.add(instance.name, instance.zone, instance.labels, managed=True)

    def _done(self, zone: str, request: Request, error: tuple[str, str] | None = None) -> Reply:
        self._serial += 1
        name = f"operation-{self._serial}"
        self.operations[name] = {
            "name": name,
            "zone": _url(zone),
            "status": "RUNNING",
            "progress": 0,
            "error": {"errors": [{"code": error[0], "message": error[1]}]} if error else None,
            "looks": 1,
        }
        if "requestId" in request.query:
            self.requests[request.query["requestId"]] = self.operations[name]
        return _json(_without(self.operations[name]))

    def _instances_aggregatedList(self, request: Request, _body: Json) -> Reply:  # noqa: N802 - Google's names
        conditions = re.findall(r'([\w.-]+)="([^"]*)"', request.query.get("filter", ""))
        first = "pageToken" not in request.query
        chosen: list[Instance] = []
        for instance in sorted(self.instances.values(), key=lambda each: each.id):
            if not all(
                (instance.name if key == "name" else instance.labels.get(key.removeprefix("labels.")))
                == value
                for key, value in conditions
            ):
                continue
            if first:
                self._look(instance)
            if instance.id not in self.instances:
                continue
            if instance.hidden_lists > 0:
                instance.hidden_lists -= 1
                continue
            chosen.append(instance)
        start = int(request.query.get("pageToken", "0"))
        size = min(int(request.query.get("maxResults", "500")), self.behaviour.page_size)
        items: dict[str, Json] = {
            f"zones/{zone}": {"warning": {"code": "NO_RESULTS_ON_PAGE"}} for zone in self.zones
        }
        for instance in chosen[start : start + size]:
            scoped = items[f"zones/{instance.zone}"]
            scoped.pop("warning", None)
            scoped.setdefault("instances", []).append(self._instance(instance))
        more = {"nextPageToken": str(start + size)} if start + size < len(chosen) else {}
        return _json({"items": items, **more})

    def _instances_insert(self, request: Request, body: Json, zone: str) -> Reply:
        if (done := self.requests.get(request.query.get("requestId", ""))) is not None:
            return _json(_without(done))
        assert request.query["sourceInstanceTemplate"]
        labels = body["labels"]
        assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) for key in labels), labels
        assert all(re.fullmatch(r"[a-z0-9_-]{0,63}", value) for value in labels.values()), labels
        assert re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", body["name"]), body["name"]
        if self._named(zone, body["name"]):
            return _error(409, "alreadyExists", f"The resource '{body['name']}' already exists")
        size = body.get("machineType", "zones/z/machineTypes/e2-standard-4").rpartition("/")[2]
        if not size.startswith(("e2-", "n2-", "c3-")):
            return _error(400, "invalid", f"Machine type with name '{size}' does not exist in zone '{zone}'.")
        if {zone, ""} & self.behaviour.out_of_stock:
            text = f"The zone '{zone}' does not have enough resources available to fulfill the request."
            return self._done(zone, request, ("ZONE_RESOURCE_POOL_EXHAUSTED", text))
        self.add(
            body["name"],
            zone,
            labels,
            size=size,
            spot=body.get("scheduling", {}).get("provisioningModel") == "SPOT",
            hidden_lists=self.behaviour.hidden_lists,
            hidden_gets=self.behaviour.hidden_gets,
            pending=self.behaviour.pending_looks,
        )
        return self._done(zone, request)

    def _instances_get(self, _request: Request, _body: Json, zone: str, name: str) -> Reply:
        instance = self._named(zone, name)
        if instance is not None:
            self._look(instance)
            instance = self._named(zone, name)
        if instance is None:
            return _error(404, "notFound", f"The resource '{name}' was not found")
        if instance.hidden_gets > 0:
            instance.hidden_gets -= 1
            return _error(404, "notFound", f"The resource '{name}' was not found")
        return _json(self._instance(instance))

    def _instances_delete(self, request: Request, _body: Json, zone: str, name: str) -> Reply:
        if (done := self.requests.get(request.query.get("requestId", ""))) is not None:
            return _json(_without(done))
        instance = self._named(zone, name)
        if instance is None:
            return _error(404, "notFound", f"The resource '{name}' was not found")
        if instance.stopping is None:
            instance.stopping = self.behaviour.stopping_looks
            if not instance.stopping:
                self._remove(instance)
        return self._done(zone, request)

    def _instances_setLabels(self, request: Request, body: Json, zone: str, name: str) -> Reply:  # noqa: N802
        instance = self._named(zone, name)
        if instance is None:
            return _error(404, "notFound", f"The resource '{name}' was not found")
        if body["labelFingerprint"] != f"fp{instance.fingerprint}":
            return _error(
                412, "conditionNotMet", "Labels fingerprint either invalid or resource labels have changed"
            )
        instance.labels = dict(body["labels"])
        instance.fingerprint += 1
        return self._done(zone, request)

    def _zoneOperations_get(self, _request: Request, _body: Json, zone: str, name: str) -> Reply:  # noqa: N802, ARG002
        operation = self.operations.get(name)
        if operation is None:
            return _error(404, "notFound", f"The resource '{name}' was not found")
        operation["looks"] -= 1
        if operation["looks"] < 0:
            operation |= {"status": "DONE", "progress": 100}
        return _json(_without(operation))

    def _instanceGroups_listInstances(self, request: Request, _body: Json, zone: str, name: str) -> Reply:  # noqa: N802
        members = sorted(self.groups.get((zone, name), ()))
        start = int(request.query.get("pageToken", "0"))
        size = min(int(request.query.get("maxResults", "500")), self.behaviour.page_size)
        page = [{"instance": _url(zone, "instances", self.instances[each].name)} for each in members]
        more = {"nextPageToken": str(start + size)} if start + size < len(page) else {}
        return _json({"items": page[start : start + size], **more})

    def _instanceGroups_addInstances(self, request: Request, body: Json, zone: str, name: str) -> Reply:  # noqa: N802
        for each in body["instances"]:
            instance = self._named(zone, each["instance"].rpartition("/")[2])
            if instance is None:
                return _error(404, "notFound", "The resource was not found")
            if instance.id in self.groups[zone, name]:
                return _error(400, "memberAlreadyExists", f"Instance '{instance.name}' is already a member")
            self.groups[zone, name].add(instance.id)
        return self._done(zone, request)

    def _instanceGroups_removeInstances(self, request: Request, body: Json, zone: str, name: str) -> Reply:  # noqa: N802
        for each in body["instances"]:
            instance = self._named(zone, each["instance"].rpartition("/")[2])
            if instance is None or instance.id not in self.groups[zone, name]:
                return _error(400, "memberNotFound", "Instance is not a member")
            self.groups[zone, name].discard(instance.id)
        return self._done(zone, request)

    def _backendServices_get(self, _request: Request, _body: Json, name: str) -> Reply:  # noqa: N802
        if name not in self.services:
            return _error(404, "notFound", f"The resource '{name}' was not found")
        groups = [{"group": _url(zone, "instanceGroups", group)} for zone, group in self.services[name]]
        return _json({"name": name, "backends": groups})

    _regionBackendServices_get = _backendServices_get  # noqa: N815

    def _backendServices_getHealth(self, _request: Request, body: Json, name: str) -> Reply:  # noqa: N802, ARG002
        zone, _, group = body["group"].split("/zones/")[1].replace("/instanceGroups/", "|").partition("|")
        status = [
            {
                "instance": _url(zone, "instances", self.instances[each].name),
                "healthState": "UNHEALTHY"
                if self.instances[each].name in self.behaviour.unhealthy
                else "HEALTHY",
                "port": 8070,
            }
            for each in sorted(self.groups[zone, group])
        ]
        return _json({"kind": "compute#backendServiceGroupHealth", "healthStatus": status})

    _regionBackendServices_getHealth = _backendServices_getHealth  # noqa: N815

    def _managedZones_get(self, _request: Request, _body: Json, zone: str) -> Reply:  # noqa: N802
        return _json(
            {"name": zone, "dnsName": self.dns_name, "id": "1", "creationTime": "2026-11-25T12:00:00.000Z"}
        )

    def _resourceRecordSets_list(self, request: Request, _body: Json, zone: str) -> Reply:  # noqa: N802, ARG002
        items = [
            {"name": name, "type": kind, "ttl": ttl, "rrdatas": data}
            for (name, kind), (ttl, data) in sorted(self.records.items())
        ]
        start = int(request.query.get("pageToken", "0"))
        size = self.behaviour.page_size
        more = {"nextPageToken": str(start + size)} if start + size < len(items) else {}
        return _json({"rrsets": items[start : start + size], **more})

    def _changes_create(self, _request: Request, body: Json, zone: str) -> Reply:  # noqa: ARG002
        for each in body.get("deletions", []):
            if self.records.get((each["name"], each["type"])) != (int(each["ttl"]), each["rrdatas"]):
                return _error(404, "notFound", "The 'entity.change.deletions[0]' resource was not found.")
        for each in body.get("additions", []):
            key = (each["name"], each["type"])
            if key in self.records and not any(
                (d["name"], d["type"]) == key for d in body.get("deletions", [])
            ):
                return _error(
                    409, "alreadyExists", "The resource 'entity.change.additions[0]' already exists"
                )
        for each in body.get("deletions", []):
            del self.records[each["name"], each["type"]]
        for each in body.get("additions", []):
            self.records[each["name"], each["type"]] = (int(each["ttl"]), each["rrdatas"])
        self._serial += 1
        self.changes[str(self._serial)] = self.behaviour.dns_looks
        return self._change(str(self._serial))

    def _changes_get(self, _request: Request, _body: Json, zone: str, name: str) -> Reply:  # noqa: ARG002
        reply = self._change(name)
        self.changes[name] -= 1
        return reply

    def _change(self, name: str) -> Reply:
        status = "done" if self.changes[name] <= 0 else "pending"
        return _json({"id": name, "status": status, "startTime": "2026-11-25T12:00:00.000Z"})

    def _instance(self, instance: Instance) -> Json:
        status = "PROVISIONING" if instance.pending else "RUNNING"
        return {
            "id": str(instance.id),
            "name": instance.name,
            "zone": _url(instance.zone),
            "selfLink": _url(instance.zone, "instances", instance.name),
            "machineType": _url(instance.zone, "machineTypes", instance.size),
            "status": "STOPPING" if instance.stopping is not None else status,
            "labels": instance.labels,
            "labelFingerprint": f"fp{instance.fingerprint}",
            "creationTimestamp": instance.born.isoformat(timespec="milliseconds"),
            "scheduling": {"provisioningModel": "SPOT" if instance.spot else "STANDARD"},
            "networkInterfaces": [{"networkIP": f"10.0.{instance.id // 256 % 256}.{instance.id % 256}"}],
        }


def _url(zone: str, *rest: str) -> str:
    return "/".join(("https://www.googleapis.com/compute/v1/projects", PROJECT, "zones", zone, *rest))


def _without(operation: Json) -> Json:
    return {key: value for key, value in operation.items() if key != "looks" and value is not None}


def _json(document: Json, status: int = 200) -> Reply:
    return Reply(
        status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"}
    )


def _error(status: int, reason: str, message: str) -> Reply:
    detail = {"reason": reason, "message": message, "domain": "global"}
    return _json({"error": {"code": status, "message": message, "errors": [detail]}}, status)
