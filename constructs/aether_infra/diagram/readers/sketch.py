"""What a reader of one cloud's resources notes down, before flows and legend are made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from attrs import Factory, define, evolve, frozen

from aether_infra.config.networks import is_private
from aether_infra.core.tags import NODE_ID, ROLE, NodeRole
from aether_infra.diagram.document import Documents, Resource, blocks
from aether_infra.diagram.model import (
    INTERNET,
    MANAGER,
    NEIGHBOURS,
    OPERATORS,
    USERS,
    Balancer,
    Cluster,
    Gateway,
    Kind,
    Node,
    Part,
    Purpose,
    Subnet,
)
from aether_infra.diagram.ports import Ports

APPLICATION: Final = "application"
MANAGEMENT: Final = "management"
MANAGED: Final = "sized by the runtime manager"
HEALTH: Final = "health"
WORDS: Final[Mapping[str, str]] = {
    "swim": "failure detection",
    "cluster-quic": "cluster",
    "cluster-swim": "failure detection",
}
"""Words for what ports are called."""
ANYONE: Final = frozenset({"0.0.0.0/0", "::/0", "*", "Internet", "Any"})


@frozen(kw_only=True)
class Rule:
    """Traffic from one part to another that a resource lets through, or leads on."""

    source: str
    """Key of a part."""
    target: str
    """Key of a part."""
    ports: Ports | None = None
    """None where a way leads on without saying what for."""
    role: str = ""
    """What the ports are for, in a word."""
    networks: tuple[str, ...] = ()
    """Of which CIDRs, where that is said."""
    origins: tuple[Resource, ...] = ()
    """The resources that say so."""
    purpose: Purpose | None = None
    """Default: follows from the parts."""


@define(kw_only=True)
class Sketch:
    """Parts and rules, as they are found."""

    documents: Documents
    cloud: str = ""
    compute: str = ""
    region: Part | None = None
    network: Part | None = None
    subnets: list[Subnet] = Factory(list)
    nodes: list[Node] = Factory(list)
    elastic: Part | None = None
    manager: Part | None = None
    spare: list[Resource] = Factory(list)
    """What nodes are made of at run time, where nothing here makes any."""
    group: Part | None = None
    balancers: list[Balancer] = Factory(list)
    gateways: list[Gateway] = Factory(list)
    cluster: Cluster | None = None
    services: list[Part] = Factory(list)
    rules: list[Rule] = Factory(list)
    fronts: dict[tuple[str, int], str] = Factory(dict)
    """What a balancer's port is for, by the balancer's key and the port."""
    backs: dict[tuple[str, int], list[str]] = Factory(dict)
    """What a port that a balancer sends to is for, by the balancer's key and the port."""
    roles: dict[int, str] = Factory(dict)
    """What a node's port is for."""
    firewall: dict[str, list[str]] = Factory(dict)
    """Keys of the parts that a firewall's group is about, by the group's address."""
    ranges: list[str] = Factory(list)
    """CIDRs of the network."""
    leads: list[tuple[str, str]] = Factory(list)
    """Balancers that a cluster makes, and the services that they are for: their keys."""
    open: list[tuple[str, str, Ports, tuple[str, ...], Resource]] = Factory(list)
    """What a cluster's own balancers let in where no firewall says so: who, the balancer's key, port, CIDRs (none for
    everyone), the resource."""

    def is_core(self, resource: Resource) -> bool:
        """Whether something runs a core node. Where nothing says so of anything, all do."""
        return bool(node_id(resource)) or not self.tells

    @cached_property
    def tells(self) -> bool:
        """Whether anything says which core node it is."""
        return any(node_id(each) for each in self.documents.everything)

    def manage(self, sources: Iterable[Resource], *facts: str) -> None:
        """Note the runtime manager: what runs, and is no node."""
        port = self.documents.output("runtime", "manager", "port")
        lines = (*facts, f"API on {port}" if port else "")
        self.manager = Part(
            key=MANAGER, kind=Kind.MANAGER, name="Runtime manager", facts=lines, sources=tuple(sources)
        )

    def elastic_bounds(self) -> tuple[int, int] | None:
        """Bounds of the elastic nodes, as the infrastructure tells them to the runtime manager; None if it does not."""
        numbers = [self.documents.output("runtime", key) for key in ("core_nodes", "min_nodes", "max_nodes")]
        if not all(isinstance(number, int) for number in numbers):
            return None
        core, low, high = numbers
        return low - core, high - core

    def protect(self, group: Any, key: str) -> list[Resource]:
        """Note that firewall groups, given by reference, are about a part; returns the groups."""
        found = self.documents.mentions(group)
        for resource in found:
            keys = self.firewall.setdefault(resource.address, [])
            if key not in keys:
                keys.append(key)
        return found

    def protected(self, group: Any) -> list[str]:
        """Keys of the parts that a firewall's group, given by reference, is about."""
        resource = self.documents.follow(group)
        return self.firewall.get(resource.address, []) if resource else []

    def subnet(self, value: Any) -> Subnet | None:
        """The subnet that an argument names, by reference or by id."""
        resource = self.documents.follow(value)
        for subnet in self.subnets:
            known = {subnet.sources[0].get(key) for key in ("id", "subnet_id")} if subnet.existing else set()
            if resource in subnet.sources or (resource is None and value in known - {None}):
                return subnet
        return None

    def balance(self, key: str, front: int, back: int, *roles: str) -> None:
        """Note that a balancer's port leads to a node's port."""
        self.fronts.setdefault((key, front), roles[0])
        self.back(key, back, *roles)

    def back(self, key: str, port: int, *roles: str) -> None:
        """Note what a balancer asks a node's port for."""
        found = self.backs.setdefault((key, port), [])
        found.extend(role for role in roles if role not in found)

    def let(
        self,
        source: str,
        target: str,
        ports: Ports | None = None,
        *origins: Resource,
        networks: Iterable[str] = (),
        role: str | None = None,
        purpose: Purpose | None = None,
    ) -> None:
        """Note a rule; its role follows from what is known of the port."""
        self.rules.append(
            Rule(
                source=source,
                target=target,
                ports=ports,
                role=self.role(source, target, ports) if role is None else role,
                networks=tuple(networks),
                origins=origins,
                purpose=purpose,
            )
        )

    def role(self, source: str, target: str, ports: Ports | None) -> str:
        """What ports are for on the way from one part to another; empty for nothing in particular."""
        if ports is None or ports.low != ports.high:
            return ""
        if (source, ports.low) in self.backs:
            return ", ".join(sorted(self.backs[source, ports.low]))
        if (target, ports.low) in self.fronts:
            return self.fronts[target, ports.low]
        role = self.roles.get(ports.low, "")
        if source.startswith("balancer/") and role == MANAGEMENT and MANAGEMENT not in self._served(source):
            return HEALTH  # nobody can manage through it, so all it may do there is ask
        inside = {INTERNET, NEIGHBOURS}.isdisjoint({source, target})
        return WORDS.get(role, role) if inside else ""

    def _served(self, balancer: str) -> set[str]:
        """What a balancer's ports are for."""
        return {role for (key, _), role in self.fronts.items() if key == balancer}

    def outsider(self, target: str, ports: Ports) -> str:
        """Who a rule for networks means: users or operators."""
        fronts = {port: role for (key, port), role in self.fronts.items() if key == target}
        known = [role for port, role in fronts.items() if ports.holds(port)] or list(fronts.values())
        known = known or [role for port, role in self.roles.items() if ports.holds(port)]
        return USERS if APPLICATION in known else OPERATORS

    def outside(self, networks: Iterable[str]) -> str:
        """What is called at some addresses: the internet, or what else there is in the network."""
        return NEIGHBOURS if all(is_inner(each) for each in networks) else INTERNET

    def add(
        self,
        kind: Kind,
        key: str,
        name: str,
        *facts: str,
        sources: Iterable[Resource],
        existing: bool = False,
    ) -> None:
        """Note something that the cloud runs beside the network, if there is a resource for it; same key, same part."""
        found = tuple(sources)
        if not found:
            return
        part = Part(key=key, kind=kind, name=name, facts=facts, sources=found, existing=existing)
        for index, known in enumerate(self.services):
            if known.key == key:
                facts = tuple(dict.fromkeys((*known.facts, *part.facts)))
                both = tuple(dict.fromkeys((*known.sources, *found)))
                self.services[index] = evolve(known, facts=facts, sources=both)
                return
        self.services.append(part)


def is_inner(network: str) -> bool:
    """Whether a range is one of private addresses; what is no IPv4 range is not."""
    try:
        return is_private(network)
    except ValueError:
        return False


def node_id(resource: Resource) -> str:
    """The stable id of a core node, from the tag that everything that runs one carries; empty for others."""
    for key in ("tags", "freeform_tags", "labels"):
        tags = resource.get(key)
        if isinstance(tags, Mapping) and tags.get(NODE_ID):
            return str(tags[NODE_ID])
        for tag in tags if isinstance(tags, list) else ():
            name, _, value = str(tag).partition(":")
            if name == NODE_ID:
                return value
    return ""


def is_worker(resource: Resource) -> bool:
    """Whether something runs elastic nodes."""
    tags = resource.get("tags", default={})
    return isinstance(tags, Mapping) and tags.get(ROLE) == NodeRole.WORKER


def bounds(low: Any, high: Any, noun: str) -> str:
    """Such as `0 to 7 elastic nodes`, or `2 machines` where the bounds meet."""
    one = f"{high} {noun}" if str(low) == str(high) else f"{low} to {high} {noun}"
    return one.removesuffix("s") if str(high) == "1" and str(low) in {"0", "1"} else one


def listed(names: Iterable[str], most: int = 3) -> str:
    """Names in a row, with a number for those that are too many."""
    every = [name for name in dict.fromkeys(names) if name]
    shown = every[:most] if len(every) > most + 1 else every
    rest = len(every) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def shortened(names: Iterable[str], cluster: str) -> list[str]:
    """Names without the cluster's, which all begin with."""
    return [name.removeprefix(f"{cluster}-") for name in names]


def nested(value: Any, *keys: str) -> list[Any]:
    """Every value of a key in blocks that may be one or many."""
    found = blocks(value)
    for key in keys:
        found = [item for block in found if isinstance(block, Mapping) for item in blocks(block.get(key))]
    return found
