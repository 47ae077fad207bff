"""Elastic nodes as droplets, found by their tags.

DigitalOcean knows no idempotency token, and names may be taken twice. So a creation carries its token as a tag, looks
for it first, looks again and again after an answer that was lost, and of two that came all the same ends the younger.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from attrs import field, frozen
from pydo import Client

from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER, NODE_ID, ROLE, TOKEN, NodeRole, node_tags
from aether_infra.errors import ConfigError, Problem
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.digitalocean.dns import Zone
from aether_infra.runtime.digitalocean.errors import refused, translate
from aether_infra.runtime.digitalocean.session import PER_PAGE, client
from aether_infra.runtime.draining import DEREGISTERED, DRAIN_SECONDS, mark, rest
from aether_infra.runtime.errors import CloudUnavailable, Conflict, Denied, InvalidRequest, NotFound
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, Target, TargetHealth
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

STATES: Final[Mapping[str, NodeState]] = {
    "new": NodeState.PROVISIONING,
    "active": NodeState.RUNNING,
    "off": NodeState.RUNNING,
    "archive": NodeState.TERMINATED,
}
"""Status of a droplet. One that is off is there and costs; whether its node works, Aether says."""
LOOKS: Final = 5
"""So often a creation is looked for after its answer was lost, before it is tried again."""


@frozen(kw_only=True)
class Place:
    """Where droplets are made, and what of."""

    size: str
    """Slug of the size."""
    image: str | int
    """Slug or id of the image."""
    user_data: str
    """What cloud-init does."""
    vpc_id: str
    """Network."""
    ssh_keys: Sequence[str | int] = ()
    """Keys; a droplet without any gets a password by mail."""
    tags: Sequence[str] = ()
    """Tags of every droplet, such as that of the firewall."""
    monitoring: bool = True
    """Whether the agent for metrics is installed."""
    load_balancer_ids: Mapping[str, str] = field(factory=dict)
    """The load balancers."""
    load_balancer_tag: str = ""
    """Tag by which they find droplets; empty where droplets are named to them one by one."""
    drain_seconds: float = DRAIN_SECONDS
    """How long open requests may finish."""

    @classmethod
    def of(cls, settings: RuntimeSettings) -> Place:
        """What the settings say of it.

        Raises:
            ConfigError: something is missing; names all of it.
        """
        template = settings.facts.get("machine_template")
        known: Mapping[str, Any] = template if isinstance(template, dict) else {}
        needed = ("size", "image", "user_data", "vpc_id")
        problems = [
            Problem(
                path=f"runtime.machine_template.{key}",
                message="is missing",
                hint="set [cloud.manager] enabled = true, and deploy",
            )
            for key in needed
            if not known.get(key)
        ]
        if problems:
            raise ConfigError(problems, "outputs.json")
        return cls(
            **{key: known[key] for key in (*needed, "ssh_keys", "tags", "monitoring") if key in known},
            load_balancer_ids=settings.facts.get("load_balancer_ids") or {},
            load_balancer_tag=str(settings.facts.get("load_balancer_tag") or ""),
            drain_seconds=float(settings.facts.get("drain_seconds", DRAIN_SECONDS)),
        )


def connect(settings: RuntimeSettings, patience: Patience) -> DropletManager:
    """Make the manager; the token comes from the environment (see `session.TOKENS`).

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        ConfigError: the settings lack the droplets' template.
        Denied: there is no token.
    """
    return DropletManager(settings, patience, client(patience))


class DropletManager:
    """`CloudManager` over droplets. This cloud has neither zones within a region, nor spot capacity."""

    kind = Kind.MACHINES
    zones: Sequence[str] = ()

    def __init__(self, settings: RuntimeSettings, patience: Patience, api: Client) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            api: pydo's client.

        Raises:
            ConfigError: the settings lack the droplets' template.
        """
        self._settings = settings
        self._patience = patience
        self._place = Place.of(settings)
        self._api = api
        self._call = Calls(translate=translate, patience=patience)
        domain = (settings.facts.get("dns") or {}).get("zone_id")
        self._zone = Zone(api, str(domain), patience) if domain else None
        # a cloud without idempotency: at least not twice at a time from here
        self._creating: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

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
        """See `CloudManager.create_node`. A droplet that is gone is not remembered: the journal has to."""
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes are Terraform's: they cannot be created")
        if spec.spot:
            raise InvalidRequest("DigitalOcean has no spot capacity")
        asked = False

        async def once() -> NodeInstance:
            nonlocal asked
            found = await self._made(spec, looks=LOOKS if asked else 1)
            if found is None:
                asked = True
                await self._call(f"creating {spec.token}", lambda: self._create(spec), again=False)
                found = await self._made(spec, looks=LOOKS)
            if found is None:
                raise CloudUnavailable(
                    f"creating {spec.token}: the droplet does not show up", code="NotListed"
                )
            return found

        async with self._creating[spec.token]:
            return await self._patience.retry(once)

    async def terminate_node(self, node_id: str) -> None:
        """See `CloudManager.terminate_node`."""
        droplet = await self._owned(node_id)
        if droplet is not None and _role(droplet) is NodeRole.CORE:
            raise Conflict(f"{node_id} is a core node, which ends by explicit command only")
        await self._end(droplet)

    async def terminate_core_node(self, node_id: str) -> None:
        """End a core node; Terraform makes it anew when it is applied again."""
        droplet = await self._owned(node_id)
        if droplet is not None and _role(droplet) is not NodeRole.CORE:
            raise Conflict(f"{node_id} is no core node")
        await self._end(droplet)

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        tag = f"{CLUSTER}:{self._settings.cluster_name}"
        droplets = await self._call("listing droplets", lambda: self._list(tag))
        nodes = [_node(each) for each in droplets if ROLE in _tags(each)]
        return sorted(nodes, key=lambda node: (str(node.created_at), node.id))

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        return _node(await self._known(node_id))

    async def register_target(self, node_id: str) -> None:
        """See `CloudManager.register_target`."""
        droplet = await self._known(node_id)
        tag = self._place.load_balancer_tag
        if tag:
            for left in [each for each in droplet["tags"] if each.startswith(f"{DEREGISTERED}:")]:
                await self._call(f"registering {node_id}", partial(self._untag, node_id, left))
            if tag not in droplet["tags"]:
                await self._call(f"registering {node_id}", lambda: self._tag(node_id, tag))
            return
        for balancer in self._place.load_balancer_ids.values():
            await self._call(f"registering {node_id}", partial(self._put_behind, balancer, node_id))

    async def deregister_target(self, node_id: str) -> None:
        """Take a droplet from the load balancers, and wait as long as open requests may take."""
        try:
            droplet = await self._known(node_id)
        except NotFound:
            return
        tag = self._place.load_balancer_tag
        since = _tags(droplet).get(DEREGISTERED, "")
        if tag:
            if tag in droplet["tags"]:
                since = mark()
                marked = f"{DEREGISTERED}:{since}"
                await self._call(f"deregistering {node_id}", lambda: self._tag(node_id, marked))
                await self._call(f"deregistering {node_id}", lambda: self._untag(node_id, tag))
        elif node_id in {target.id for target in await self.list_targets()}:
            since = mark()
            for balancer in self._place.load_balancer_ids.values():
                await self._call(f"deregistering {node_id}", partial(self._take_from, balancer, node_id))
        await self._patience.clock.sleep(rest(since, self._place.drain_seconds))

    async def list_targets(self) -> list[Target]:
        """Which droplets the load balancers know; this cloud does not say how they are."""
        if self._place.load_balancer_tag:
            droplets = await self._call("listing targets", lambda: self._list(self._place.load_balancer_tag))
            ids = {str(each["id"]) for each in droplets if self._is_ours(each)}
        else:
            sets = [
                await self._call("listing targets", partial(self._behind, balancer))
                for balancer in self._place.load_balancer_ids.values()
            ]
            ids = set.intersection(*sets) if sets else set()
        return [Target(id=each, health=TargetHealth.UNKNOWN) for each in sorted(ids)]

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`."""
        if self._zone is None:
            raise NotFound(f"{self._settings.cluster_name} has no DNS zone")
        await self._zone.update(record)

    async def close(self) -> None:
        """Give back connections."""
        await asyncio.to_thread(self._api.close)

    async def _made(self, spec: NodeSpec, *, looks: int) -> NodeInstance | None:
        """The droplet of a creation; of several the oldest, and the others are ended."""
        tag = f"{TOKEN}:{spec.token}"
        for look in range(looks):
            if look:
                await self._patience.clock.sleep(self._patience.poll_seconds)
            found = await self._call(f"looking for {spec.token}", lambda: self._list(tag))
            ours = sorted((each for each in found if self._is_ours(each)), key=_age)
            for surplus in ours[1:]:
                await self._call(f"ending the second {spec.token}", partial(self._destroy, surplus))
            if ours:
                return _node(ours[0])
        return None

    async def _end(self, droplet: Mapping[str, Any] | None) -> None:
        if droplet is None:
            return
        name = str(droplet["id"])
        await self._call(f"ending {name}", lambda: self._destroy(droplet))

        async def gone() -> bool:
            return await self._call(f"looking whether {name} is gone", lambda: self._find(name)) is None

        await self._patience.until(gone, f"{name} to be gone")
        for tag in droplet["tags"]:
            if tag.startswith((f"{TOKEN}:", f"{DEREGISTERED}:")):
                # a tag outlives what it was on, and these are of no more use
                await self._call(f"removing the tag {tag}", partial(self._forget, tag))

    async def _owned(self, node_id: str) -> Mapping[str, Any] | None:
        """A droplet of this cluster; None where there is none.

        Raises:
            Denied: it is not of this cluster.
        """
        droplet = await self._call(f"reading {node_id}", lambda: self._find(node_id))
        if droplet is not None and not self._is_ours(droplet):
            raise Denied(f"{node_id} is no node of {self._settings.cluster_name}")
        return droplet

    async def _known(self, node_id: str) -> Mapping[str, Any]:
        droplet = await self._call(f"reading {node_id}", lambda: self._find(node_id))
        if droplet is None or not self._is_ours(droplet):
            raise NotFound(f"there is no node {node_id} in {self._settings.cluster_name}")
        return droplet

    def _is_ours(self, droplet: Mapping[str, Any]) -> bool:
        tags = _tags(droplet)
        return tags.get(CLUSTER) == self._settings.cluster_name and ROLE in tags

    # What follows blocks, and runs in a thread.

    def _create(self, spec: NodeSpec) -> None:
        settings, place = self._settings, self._place
        tags = node_tags(
            {**spec.tags, **settings.tags, CLUSTER: settings.cluster_name},
            NodeRole.WORKER,
            settings.ports.cluster,
        ) | {TOKEN: spec.token}
        body = {
            "name": physical_name(settings.cluster_name, "elastic", spec.token),
            "region": settings.region,
            "size": spec.size or place.size,
            "image": place.image,
            "user_data": place.user_data,
            "vpc_uuid": place.vpc_id,
            "ssh_keys": list(place.ssh_keys),
            "monitoring": place.monitoring,
            "tags": sorted(
                {*place.tags, *(f"{key}:{value}" if value else key for key, value in tags.items())}
            ),
        }
        _checked(self._api.droplets.create(body=body), f"creating {spec.token}")

    def _list(self, tag: str) -> list[Mapping[str, Any]]:
        """Every droplet with a tag, all pages."""
        found: list[Mapping[str, Any]] = []
        page = 1
        while True:
            answer: Any = _checked(
                self._api.droplets.list(tag_name=tag, per_page=PER_PAGE, page=page), "listing droplets"
            )
            found += answer["droplets"]
            if not ((answer.get("links") or {}).get("pages") or {}).get("next"):
                return found
            page += 1

    def _find(self, node_id: str) -> Mapping[str, Any] | None:
        """A droplet, by id or, as a new one may not be found by it yet, among those of the cluster."""
        if not node_id.isdecimal():
            return None
        answer: Any = self._api.droplets.get(int(node_id))
        error = refused(answer, f"reading {node_id}")
        if error is None:
            droplet: Mapping[str, Any] = answer["droplet"]
            return droplet
        if not isinstance(error, NotFound):
            raise error
        tag = f"{CLUSTER}:{self._settings.cluster_name}"
        return next((each for each in self._list(tag) if str(each["id"]) == node_id), None)

    def _destroy(self, droplet: Mapping[str, Any]) -> None:
        error = refused(self._api.droplets.destroy(droplet["id"]), f"ending {droplet['id']}")
        if error is not None and not isinstance(error, NotFound):
            raise error

    def _tag(self, node_id: str, tag: str) -> None:
        # a tag must exist before it can be given; making it twice is no error
        _checked(self._api.tags.create(body={"name": tag}), f"making the tag {tag}")
        body = {"resources": [{"resource_id": node_id, "resource_type": "droplet"}]}
        _checked(self._api.tags.assign_resources(tag, body=body), f"tagging {node_id}")

    def _untag(self, node_id: str, tag: str) -> None:
        body = {"resources": [{"resource_id": node_id, "resource_type": "droplet"}]}
        error = refused(self._api.tags.unassign_resources(tag, body=body), f"untagging {node_id}")
        if error is not None and not isinstance(error, NotFound):
            raise error

    def _forget(self, tag: str) -> None:
        error = refused(self._api.tags.delete(tag), f"removing the tag {tag}")
        if error is not None and not isinstance(error, NotFound):
            raise error

    def _put_behind(self, balancer: str, node_id: str) -> None:
        body = {"droplet_ids": [int(node_id)]}
        _checked(self._api.load_balancers.add_droplets(balancer, body=body), f"registering {node_id}")

    def _take_from(self, balancer: str, node_id: str) -> None:
        body = {"droplet_ids": [int(node_id)]}
        answer = self._api.load_balancers.remove_droplets(balancer, body=body)
        error = refused(answer, f"deregistering {node_id}")
        if error is not None and not isinstance(error, NotFound):
            raise error

    def _behind(self, balancer: str) -> set[str]:
        answer = _checked(self._api.load_balancers.get(balancer), "listing targets")
        return {str(each) for each in answer["load_balancer"].get("droplet_ids") or ()}


def _checked(answer: Any, doing: str) -> Any:
    """An answer that is no error.

    Raises:
        CloudError: it is one.
    """
    if error := refused(answer, doing):
        raise error
    return answer


def _tags(droplet: Mapping[str, Any]) -> dict[str, str]:
    """Tags as keys and values: here each is one text."""
    return {key: value for key, _, value in (str(tag).partition(":") for tag in droplet.get("tags") or ())}


def _role(droplet: Mapping[str, Any]) -> NodeRole:
    return NodeRole.CORE if _tags(droplet).get(ROLE) == NodeRole.CORE.value else NodeRole.WORKER


def _age(droplet: Mapping[str, Any]) -> tuple[str, int]:
    return str(droplet.get("created_at")), int(droplet["id"])


def _node(droplet: Mapping[str, Any]) -> NodeInstance:
    tags = _tags(droplet)
    networks = (droplet.get("networks") or {}).get("v4") or ()
    created = droplet.get("created_at")
    return NodeInstance(
        id=str(droplet["id"]),
        state=STATES.get(str(droplet.get("status")), NodeState.RUNNING),
        role=_role(droplet),
        size=str(droplet.get("size_slug") or ""),
        address=next((str(each["ip_address"]) for each in networks if each.get("type") == "private"), ""),
        name=str(droplet.get("name") or ""),
        node_id=tags.get(NODE_ID, ""),
        token=tags.get(TOKEN, ""),
        created_at=datetime.fromisoformat(str(created)) if created else None,
        tags=tags,
    )
