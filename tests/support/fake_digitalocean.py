"""DigitalOcean's API: droplets, tags, load balancers, domains. It knows no idempotency, as the real one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from attrs import define
from cloud_world import Effect
from fake_cloud_server import FakeCloud, Reply, Request

Json = dict[str, Any]
ROUTES: list[tuple[str, str, str]] = [
    ("GET", r"/v2/droplets", "droplets_list"),
    ("POST", r"/v2/droplets", "droplets_create"),
    ("GET", r"/v2/droplets/(?P<id>\d+)", "droplets_get"),
    ("DELETE", r"/v2/droplets/(?P<id>\d+)", "droplets_destroy"),
    ("POST", r"/v2/tags", "tags_create"),
    ("DELETE", r"/v2/tags/(?P<id>[^/]+)", "tags_delete"),
    ("POST", r"/v2/tags/(?P<id>[^/]+)/resources", "tags_assign_resources"),
    ("DELETE", r"/v2/tags/(?P<id>[^/]+)/resources", "tags_unassign_resources"),
    ("GET", r"/v2/load_balancers/(?P<id>[^/]+)", "load_balancers_get"),
    ("POST", r"/v2/load_balancers/(?P<id>[^/]+)/droplets", "load_balancers_add_droplets"),
    ("DELETE", r"/v2/load_balancers/(?P<id>[^/]+)/droplets", "load_balancers_remove_droplets"),
    ("GET", r"/v2/domains/(?P<id>[^/]+)/records", "domains_list_records"),
    ("POST", r"/v2/domains/(?P<id>[^/]+)/records", "domains_create_record"),
    ("PATCH", r"/v2/domains/(?P<id>[^/]+)/records/(?P<part>\d+)", "domains_patch_record"),
    ("DELETE", r"/v2/domains/(?P<id>[^/]+)/records/(?P<part>\d+)", "domains_delete_record"),
]


@define(kw_only=True)
class Droplet:
    id: int
    name: str
    size: str
    tags: list[str]
    born: datetime
    hidden_lists: int = 0
    hidden_gets: int = 0
    pending: int = 0
    stopping: int | None = None
    """Looks until it is gone; None while it lives."""


@define(kw_only=True)
class Record:
    id: int
    type: str
    name: str
    data: str
    ttl: int = 1800


class FakeDigitalOcean(FakeCloud):
    """One account with one domain. Time passes by being looked at."""

    def __init__(self, domain: str, balancers: dict[str, str]) -> None:
        super().__init__()
        self.domain = domain
        self.balancers = balancers
        """Load balancer's id → its tag; empty for one that droplets are named to."""
        self.named: dict[str, set[int]] = {each: set() for each in balancers}
        self.droplets: dict[int, Droplet] = {}
        self.gone: dict[int, Droplet] = {}
        self.tags: set[str] = set()
        self.records: dict[int, Record] = {}
        self._serial = 100
        self._now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    def add(self, name: str, tags: list[str], size: str = "s-4vcpu-8gb", **given: Any) -> Droplet:
        self._serial += 1
        self._now += timedelta(seconds=1)
        droplet = Droplet(id=self._serial, name=name, size=size, tags=sorted(tags), born=self._now, **given)
        self.droplets[droplet.id] = droplet
        self.tags |= set(tags)
        return droplet

    def operation(self, request: Request) -> str:
        for method, path, name in ROUTES:
            if method == request.method and re.fullmatch(path, request.path):
                return name
        return f"{request.method} {request.path}"

    def answer(self, request: Request) -> Reply:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _error(401, "unauthorized", "Unable to authenticate you")
        for method, path, name in ROUTES:
            match = re.fullmatch(path, request.path)
            if method == request.method and match:
                handler: Callable[..., Reply] = getattr(self, f"_{name}")
                body = json.loads(request.body) if request.body else {}
                return handler(request, body, *(unquote(part) for part in match.groups()))
        return _error(404, "not_found", f"no route {request.path}")

    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:  # noqa: ARG002
        reply = {
            Effect.THROTTLED: _error(429, "too_many_requests", "API Rate limit exceeded."),
            Effect.UNAVAILABLE: _error(503, "service_unavailable", "Service Unavailable"),
            Effect.DENIED: _error(403, "forbidden", "You are not authorized to perform this operation"),
            Effect.QUOTA: _error(
                422, "unprocessable_entity", "creating this/these droplet(s) will exceed your droplet limit"
            ),
            Effect.INVALID: _error(422, "unprocessable_entity", "You specified an invalid size for Droplet"),
            Effect.CONFLICT: _error(409, "conflict", "The resource is being changed"),
        }[effect]
        extra = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Reply(status=reply.status, body=reply.body, headers={**reply.headers, **extra})

    def _look(self, droplet: Droplet) -> None:
        droplet.pending = max(0, droplet.pending - 1)
        if droplet.stopping is not None:
            droplet.stopping -= 1
            if droplet.stopping < 0:
                self._remove(droplet)

    def _remove(self, droplet: Droplet) -> None:
        self.gone[droplet.id] = self.droplets.pop(droplet.id)
        for named in self.named.values():
            named.discard(droplet.id)

    def _page(self, request: Request, key: str, items: list[Json]) -> Reply:
        size = min(int(request.query.get("per_page", "20")), 200, self.behaviour.page_size)
        page = int(request.query.get("page", "1"))
        start = (page - 1) * size
        more = (
            {"next": f"https://api.example.com{request.path}?page={page + 1}"}
            if start + size < len(items)
            else {}
        )
        links = {"pages": more} if more else {}
        return _json({key: items[start : start + size], "links": links, "meta": {"total": len(items)}})

    def _droplets_list(self, request: Request, _body: Json) -> Reply:
        tag = request.query.get("tag_name")
        first = request.query.get("page", "1") == "1"
        chosen = []
        for droplet in sorted(self.droplets.values(), key=lambda each: each.id):
            if tag is not None and tag not in droplet.tags:
                continue
            if first:
                self._look(droplet)
            if droplet.id not in self.droplets:
                continue
            if droplet.hidden_lists > 0:
                droplet.hidden_lists -= 1
                continue
            chosen.append(self._droplet(droplet))
        return self._page(request, "droplets", chosen)

    def _droplets_create(self, _request: Request, body: Json) -> Reply:
        if "" in self.behaviour.out_of_stock:
            return _error(422, "unprocessable_entity", "Size is not available in this region.")
        if not str(body["size"]).startswith(("s-", "c-", "g-")):
            return _error(422, "unprocessable_entity", "You specified an invalid size for Droplet creation.")
        assert re.fullmatch(r"[a-zA-Z0-9.-]{1,255}", body["name"]), body["name"]
        assert all(re.fullmatch(r"[a-zA-Z0-9:_-]{1,255}", tag) for tag in body["tags"]), body["tags"]
        assert body["vpc_uuid"]
        assert body["ssh_keys"]
        droplet = self.add(
            body["name"],
            body["tags"],
            body["size"],
            hidden_lists=self.behaviour.hidden_lists,
            hidden_gets=self.behaviour.hidden_gets,
            pending=self.behaviour.pending_looks,
        )
        return _json({"droplet": self._droplet(droplet)}, 202)

    def _droplets_get(self, _request: Request, _body: Json, id_: str) -> Reply:
        droplet = self.droplets.get(int(id_))
        if droplet is not None:
            self._look(droplet)
        if droplet is None or droplet.id not in self.droplets:
            return _error(404, "not_found", "The resource you requested could not be found.")
        if droplet.hidden_gets > 0:
            droplet.hidden_gets -= 1
            return _error(404, "not_found", "The resource you requested could not be found.")
        return _json({"droplet": self._droplet(droplet)})

    def _droplets_destroy(self, _request: Request, _body: Json, id_: str) -> Reply:
        droplet = self.droplets.get(int(id_))
        if droplet is None:
            return _error(404, "not_found", "The resource you requested could not be found.")
        if droplet.stopping is None:
            droplet.stopping = self.behaviour.stopping_looks
            if not droplet.stopping:
                self._remove(droplet)
        return Reply(status=204)

    def _tags_create(self, _request: Request, body: Json) -> Reply:
        self.tags.add(body["name"])
        return _json({"tag": {"name": body["name"], "resources": {"count": 0}}}, 201)

    def _tags_delete(self, _request: Request, _body: Json, tag: str) -> Reply:
        if tag not in self.tags:
            return _error(404, "not_found", "The tag you requested could not be found.")
        self.tags.discard(tag)
        for droplet in self.droplets.values():
            droplet.tags = [each for each in droplet.tags if each != tag]
        return Reply(status=204)

    def _tags_assign_resources(self, _request: Request, body: Json, tag: str) -> Reply:
        if tag not in self.tags:
            return _error(404, "not_found", "The tag you requested could not be found.")
        return self._retag(body, tag, put=True)

    def _tags_unassign_resources(self, _request: Request, body: Json, tag: str) -> Reply:
        if tag not in self.tags:
            return _error(404, "not_found", "The tag you requested could not be found.")
        return self._retag(body, tag, put=False)

    def _retag(self, body: Json, tag: str, *, put: bool) -> Reply:
        for resource in body["resources"]:
            droplet = self.droplets.get(int(resource["resource_id"]))
            if droplet is not None:
                droplet.tags = sorted({*droplet.tags, tag} if put else {*droplet.tags} - {tag})
        return Reply(status=204)

    def _load_balancers_get(self, _request: Request, _body: Json, id_: str) -> Reply:
        if id_ not in self.balancers:
            return _error(404, "not_found", "The resource you requested could not be found.")
        return _json({"load_balancer": {"id": id_, "droplet_ids": sorted(self.behind(id_))}})

    def _load_balancers_add_droplets(self, _request: Request, body: Json, id_: str) -> Reply:
        self.named[id_] |= {each for each in body["droplet_ids"] if each in self.droplets}
        return Reply(status=204)

    def _load_balancers_remove_droplets(self, _request: Request, body: Json, id_: str) -> Reply:
        self.named[id_] -= set(body["droplet_ids"])
        return Reply(status=204)

    def behind(self, balancer: str) -> set[int]:
        """Droplets that a load balancer sends to."""
        tag = self.balancers[balancer]
        if not tag:
            return self.named[balancer]
        return {each.id for each in self.droplets.values() if tag in each.tags}

    def _domains_list_records(self, request: Request, _body: Json, domain: str) -> Reply:
        if domain != self.domain:
            return _error(404, "not_found", "The resource you requested could not be found.")
        name, kind = request.query.get("name"), request.query.get("type")
        chosen = [
            self._record(each)
            for each in self.records.values()
            if (name is None or self.full(each) == name) and (kind is None or each.type == kind)
        ]
        return self._page(request, "domain_records", chosen)

    def _domains_create_record(self, _request: Request, body: Json, domain: str) -> Reply:
        if domain != self.domain:
            return _error(404, "not_found", "The resource you requested could not be found.")
        self._serial += 1
        given = {key: body[key] for key in ("type", "name", "data", "ttl")}
        self.records[self._serial] = Record(id=self._serial, **given)
        return _json({"domain_record": self._record(self.records[self._serial])}, 201)

    def _domains_patch_record(self, _request: Request, body: Json, _domain: str, id_: str) -> Reply:
        record = self.records.get(int(id_))
        if record is None:
            return _error(404, "not_found", "The resource you requested could not be found.")
        record.ttl = body.get("ttl", record.ttl)
        record.data = body.get("data", record.data)
        return _json({"domain_record": self._record(record)})

    def _domains_delete_record(self, _request: Request, _body: Json, _domain: str, id_: str) -> Reply:
        if self.records.pop(int(id_), None) is None:
            return _error(404, "not_found", "The resource you requested could not be found.")
        return Reply(status=204)

    def full(self, record: Record) -> str:
        """A record's whole name."""
        return self.domain if record.name == "@" else f"{record.name}.{self.domain}"

    def _record(self, record: Record) -> Json:
        return {
            "id": record.id, "type": record.type, "name": record.name, "data": record.data, "ttl": record.ttl,
        }  # fmt: skip

    def _droplet(self, droplet: Droplet) -> Json:
        address = f"10.0.{droplet.id // 256 % 256}.{droplet.id % 256}"
        networks = [
            {"ip_address": "203.0.113.7", "type": "public"},
            {"ip_address": address, "type": "private"},
        ]
        return {
            "id": droplet.id,
            "name": droplet.name,
            "status": "new" if droplet.pending else "active",
            "size_slug": droplet.size,
            "tags": droplet.tags,
            "created_at": droplet.born.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": {"slug": "fra1"},
            "networks": {"v4": [] if droplet.pending else networks},
        }


def _json(document: Json, status: int = 200) -> Reply:
    return Reply(
        status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"}
    )


def _error(status: int, id_: str, message: str) -> Reply:
    return _json({"id": id_, "message": message, "request_id": "5a1d"}, status)
