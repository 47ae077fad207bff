"""Elastic nodes as droplets, found by their tags.

DigitalOcean knows no idempotency token, and names may be taken twice. So a creation carries its token as a tag, looks
for it first, looks again and again after an answer that was lost, and of two that came all the same ends the younger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from attrs import field, frozen
from pydo import Client

from aether_infra.core.tags import CLUSTER, NODE_ID, TOKEN
from aether_infra.errors import ConfigError, Problem
from aether_infra.runtime.digitalocean.dns import Zone
from aether_infra.runtime.digitalocean.errors import refused, translate
from aether_infra.runtime.digitalocean.session import PER_PAGE, client
from aether_infra.runtime.draining import DEREGISTERED, DRAIN_SECONDS, mark, rest
from aether_infra.runtime.errors import CloudUnavailable, InvalidRequest, NotFound
from aether_infra.runtime.machines import MachineManager, by_age, role_of
from aether_infra.runtime.model import NodeInstance, NodeSpec, NodeState, Target, TargetHealth
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

Droplet = Mapping[str, Any]
"""A droplet, as the API gives it."""
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


class DropletManager(MachineManager[Droplet]):
    """`CloudManager` over droplets. This cloud has neither zones within a region, nor spot capacity."""

    def __init__(self, settings: RuntimeSettings, patience: Patience, api: Client) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            api: pydo's client.

        Raises:
            ConfigError: the settings lack the droplets' template.
        """
        domain = (settings.facts.get("dns") or {}).get("zone_id")
        super().__init__(settings, patience, translate, Zone(api, str(domain), patience) if domain else None)
        self._place = Place.of(settings)
        self._api = api
        self._asked: set[str] = set()

    @property
    def zones(self) -> Sequence[str]:
        """None: a region is one place."""
        return ()

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        tag = f"{CLUSTER}:{self._settings.cluster_name}"
        droplets = await self._call("listing droplets", lambda: self._list(tag))
        return by_age([_node(each) for each in droplets if self._is_ours(each)])

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

    async def close(self) -> None:
        """Give back connections."""
        await asyncio.to_thread(self._api.close)

    async def _made(self, spec: NodeSpec, looks: int = 1) -> Droplet | None:
        """By its tag: of several the oldest, and the others are ended. One that is gone is not remembered."""
        tag = f"{TOKEN}:{spec.token}"
        for look in range(looks):
            if look:
                await self._patience.clock.sleep(self._patience.poll_seconds)
            found = await self._call(f"looking for {spec.token}", lambda: self._list(tag))
            ours = sorted((each for each in found if self._is_ours(each)), key=_age)
            for surplus in ours[1:]:
                await self._call(f"ending the second {spec.token}", partial(self._delete, surplus))
            if ours:
                return ours[0]
        return None

    async def _create(self, spec: NodeSpec, zone: str) -> Droplet:  # noqa: ARG002 - there is but one
        """Create one, and look for it; where the answer was lost, look before it is tried again."""
        if spec.spot:
            raise InvalidRequest("DigitalOcean has no spot capacity")
        asked = spec.token in self._asked
        self._asked.add(spec.token)
        found = await self._made(spec, LOOKS) if asked else None
        if found is None:
            await self._call(f"creating {spec.token}", lambda: self._ask(spec), again=False)
            found = await self._made(spec, LOOKS)
        if found is None:
            raise CloudUnavailable(f"creating {spec.token}: the droplet does not show up", code="NotListed")
        self._asked.discard(spec.token)
        return found

    async def _node(self, machine: Droplet) -> NodeInstance:
        return _node(machine)

    def _tags(self, machine: Droplet) -> Mapping[str, str]:
        return _tags(machine)

    def _identity(self, machine: Droplet) -> str:
        return str(machine["id"])

    def _state(self, machine: Droplet) -> NodeState:
        return STATES.get(str(machine.get("status")), NodeState.RUNNING)

    async def _find(self, node_id: str) -> Droplet | None:
        if not (node_id.isascii() and node_id.isdecimal()):
            return None
        return await self._call(f"reading {node_id}", lambda: self._look(int(node_id)))

    async def _again(self, machine: Droplet) -> Droplet | None:
        return await self._find(self._identity(machine))

    async def _end(self, machine: Droplet | None) -> None:
        """End a droplet, and the tags that were only on it: a tag outlives what it was on."""
        await super()._end(machine)
        for tag in machine["tags"] if machine is not None else ():
            if tag.startswith((f"{TOKEN}:", f"{DEREGISTERED}:")):
                await self._call(f"removing the tag {tag}", partial(self._forget, tag))

    # What follows blocks, and runs in a thread.

    def _ask(self, spec: NodeSpec) -> None:
        place, tags = self._place, self._new_tags(spec)
        body = {
            "name": self._name(spec),
            "region": self._settings.region,
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

    def _list(self, tag: str) -> list[Droplet]:
        """Every droplet with a tag, all pages."""
        found: list[Droplet] = []
        page = 1
        while True:
            answer: Any = _checked(
                self._api.droplets.list(tag_name=tag, per_page=PER_PAGE, page=page), "listing droplets"
            )
            found += answer["droplets"]
            if not ((answer.get("links") or {}).get("pages") or {}).get("next"):
                return found
            page += 1

    def _look(self, identity: int) -> Droplet | None:
        """A droplet, by id or, as a new one may not be found by it yet, among those of the cluster."""
        answer: Any = self._api.droplets.get(identity)
        error = refused(answer, f"reading {identity}")
        if error is None:
            droplet: Droplet = answer["droplet"]
            return droplet
        if not isinstance(error, NotFound):
            raise error
        tag = f"{CLUSTER}:{self._settings.cluster_name}"
        return next((each for each in self._list(tag) if each["id"] == identity), None)

    def _delete(self, machine: Droplet) -> None:
        error = refused(self._api.droplets.destroy(machine["id"]), f"ending {machine['id']}")
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


def _tags(droplet: Droplet) -> dict[str, str]:
    """Tags as keys and values: here each is one text."""
    return {key: value for key, _, value in (str(tag).partition(":") for tag in droplet.get("tags") or ())}


def _age(droplet: Droplet) -> tuple[str, int]:
    return str(droplet.get("created_at")), int(droplet["id"])


def _node(droplet: Droplet) -> NodeInstance:
    tags = _tags(droplet)
    networks = (droplet.get("networks") or {}).get("v4") or ()
    created = droplet.get("created_at")
    return NodeInstance(
        id=str(droplet["id"]),
        state=STATES.get(str(droplet.get("status")), NodeState.RUNNING),
        role=role_of(tags),
        size=str(droplet.get("size_slug") or ""),
        address=next((str(each["ip_address"]) for each in networks if each.get("type") == "private"), ""),
        name=str(droplet.get("name") or ""),
        node_id=tags.get(NODE_ID, ""),
        token=tags.get(TOKEN, ""),
        created_at=datetime.fromisoformat(str(created)) if created else None,
        tags=tags,
    )
