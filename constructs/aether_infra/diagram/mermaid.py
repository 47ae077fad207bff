"""The picture as Mermaid in Markdown: fewer details, drawn by whoever shows it.

Syntax: https://mermaid.js.org/syntax/flowchart.html (as of 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import define, field

from aether_infra.diagram.model import (
    API,
    MACHINES,
    NODES,
    SERVICES,
    Architecture,
    Balancer,
    Cluster,
    Flow,
    Kind,
    Others,
    Part,
    Place,
    Purpose,
    Subnet,
)
from aether_infra.diagram.nodes import in_zone, inner_flows, subnets_of_nodes

STYLES: Final = {
    Purpose.TRAFFIC: ("==>", "#0065a3"),
    Purpose.MANAGEMENT: ("-.->", "#c04a00"),
    Purpose.HEALTH: ("-.->", "#3c76a6"),
    Purpose.PEERS: ("-->", "#007a5a"),
    Purpose.EGRESS: ("-->", "#8a4a8f"),
    Purpose.CONTROL: ("-.->", "#5b6673"),
}
"""Arrow and colour."""
ROUND: Final = {Kind.USERS, Kind.OPERATORS, Kind.INTERNET}
ESCAPES: Final = {
    "#": "#35;",
    "&": "#amp;",
    '"': "#quot;",
    "<": "#lt;",
    ">": "#gt;",
    "`": "#96;",
    "|": "#124;",
    "\\": "#92;",
}


def mermaid(architecture: Architecture) -> str:
    """Render Markdown with a flowchart.

    Args:
        architecture: what is drawn.

    Returns:
        The document's text.
    """
    writer = _Writer(architecture=architecture)
    chart = "\n".join(writer.chart())
    besides = "".join(_besides(architecture.others))
    summary = " · ".join((architecture.cloud, *architecture.summary))
    text = f"# {_prose(architecture.title)}\n\n{_prose(summary)}\n\n```mermaid\n{chart}\n```\n"
    return f"{text}\nAlso built, without a place in the picture:\n\n{besides}" if besides else text


def _prose(text: str) -> str:
    """A text that Markdown takes as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", text)


def quoted(lines: Iterable[str]) -> str:
    """Lines of a label, in quotes."""
    safe = ["".join(ESCAPES.get(character, character) for character in line) for line in lines if line]
    return f'"{"<br/>".join(safe)}"'


def _told(balancer: Balancer) -> Part:
    """A balancer with all that there is to say of it."""
    facts = (*balancer.listeners, *balancer.facts)
    return Part(key=balancer.key, kind=balancer.kind, name=balancer.name, facts=facts)


def _besides(others: Iterable[Others]) -> Iterator[str]:
    """What has no place in the picture, as a list."""
    for group in others:
        counts = [f"{count} {words}" if count > 1 else words for words, count in group.counts]
        yield f"- **{group.concern}**: {', '.join(counts)}\n"


@define(kw_only=True)
class _Writer:
    architecture: Architecture
    names: dict[str, str] = field(factory=dict)
    depth: int = 1
    styles: list[str] = field(factory=list)

    def chart(self) -> Iterator[str]:
        yield "flowchart TB"
        picture = self.architecture
        for actor in picture.actors:
            yield self._node(actor)
        yield from self._balancers(Place.GLOBAL)
        yield from self._inside(picture.region, self._region())
        yield from self._edges()
        yield from self.styles

    # what there is

    def _name(self, key: str) -> str:
        """A name that Mermaid takes, one for each key."""
        if key not in self.names:
            text = re.sub(r"\W+", "_", key, flags=re.ASCII).strip("_") or "part"
            taken = set(self.names.values())
            name = f"p_{text}"
            while name in taken:
                name += "_"
            self.names[key] = name
        return self.names[key]

    def _line(self, text: str) -> str:
        return "    " * self.depth + text

    def _node(self, part: Part) -> str:
        first, last = ("([", "])") if part.kind in ROUND else ("[", "]")
        return self._line(f"{self._name(part.key)}{first}{quoted((part.name, *part.facts))}{last}")

    def _inside(self, part: Part | None, lines: Iterator[str]) -> Iterator[str]:
        """Lines within the box of a part; as they are where there is no part."""
        if part is None:
            yield from lines
            return
        facts = part.facts if part.kind in {Kind.REGION, Kind.NETWORK, Kind.SUBNET} else ()
        yield self._line(f"subgraph {self._name(part.key)}[{quoted((' '.join((part.name, *facts)),))}]")
        self.depth += 1
        inner = list(lines)
        self.depth -= 1
        yield from inner or ["    " + self._line(f"{self._name(part.key)}_empty[{quoted((part.name,))}]")]
        yield self._line("end")

    def _region(self) -> Iterator[str]:
        yield from self._balancers(Place.REGION)
        yield from self._inside(self.architecture.network, self._network())
        services = self.architecture.services
        if services:
            box = Part(key=SERVICES, kind=Kind.OTHER, name=f"{self.architecture.cloud} services")
            yield from self._inside(box, (self._node(part) for part in services))

    def _network(self) -> Iterator[str]:
        picture = self.architecture
        yield from self._balancers(Place.NETWORK)
        held = {each.subnet for each in picture.balancers}
        held |= {each.subnet for each in picture.gateways} | {each.subnet for each in picture.nodes}
        for subnet in picture.subnets:
            if subnet.zonal:
                yield from self._subnet(subnet, holds=subnet.key in held)
        whole = [each for each in subnets_of_nodes(picture) if not each.zonal]
        outer = whole[0] if len(whole) == 1 else None
        if picture.cluster is not None:
            yield from self._inside(outer, self._cluster(picture.cluster))
        else:
            yield from self._inside(outer, self._nodes())
        for subnet in picture.subnets:
            if not subnet.zonal and subnet.key not in self.names:
                yield self._node(subnet)
        if picture.manager is not None:
            yield self._node(picture.manager)
        for gateway in picture.gateways:
            if gateway.subnet is None:
                yield self._node(gateway)

    def _subnet(self, subnet: Subnet, *, holds: bool) -> Iterator[str]:
        gates = [each for each in self.architecture.gateways if each.subnet == subnet.key]
        if not holds:
            yield self._node(in_zone(subnet))
        elif gates:
            yield from self._inside(in_zone(subnet), (self._node(gate) for gate in gates))

    def _balancers(self, place: Place) -> Iterator[str]:
        for balancer in self.architecture.balancers:
            if balancer.place is place:
                subnet = next(
                    (each for each in self.architecture.subnets if each.key == balancer.subnet), None
                )
                if subnet is None:
                    yield self._node(_told(balancer))
                elif subnet.key not in self.names:
                    yield from self._inside(subnet, self._in_subnet(subnet))

    def _in_subnet(self, subnet: Subnet) -> Iterator[str]:
        for balancer in self.architecture.balancers:
            if balancer.subnet == subnet.key:
                yield self._node(_told(balancer))

    def _nodes(self) -> Iterator[str]:
        group = self.architecture.group
        yield from self._inside(self._together(group.name if group else "Aether nodes"), self._zones())

    def _together(self, name: str) -> Part:
        """The box of all nodes, with what they say to each other: Mermaid has no arrow from a box to itself."""
        peers = [
            line
            for flow in self.architecture.flows
            if flow.source == flow.target == NODES
            for line in flow.label
        ]
        heading = f"{name}, among each other: {', '.join(peers)}" if peers else name
        return Part(key=NODES, kind=Kind.WORKLOAD, name=heading)

    def _zones(self) -> Iterator[str]:
        nodes = self.architecture.nodes
        for place in dict.fromkeys((node.subnet, node.zone) for node in nodes):
            here = [node for node in nodes if (node.subnet, node.zone) == place]
            subnet = next((each for each in self.architecture.subnets if each.key == place[0]), None)
            zone = Part(key=f"zone/{place[1]}", kind=Kind.ZONE, name=place[1]) if place[1] else None
            yield from self._inside(in_zone(subnet) if subnet else zone, (self._node(node) for node in here))
        if self.architecture.elastic is not None:
            yield self._node(self.architecture.elastic)

    def _cluster(self, cluster: Cluster) -> Iterator[str]:
        yield from self._inside(cluster, self._in_cluster(cluster))

    def _in_cluster(self, cluster: Cluster) -> Iterator[str]:
        for service in cluster.services:
            yield self._node(service)
        if cluster.api is not None:
            subnet = next(
                (each for each in self.architecture.subnets if each.key == cluster.api_subnet), None
            )
            yield from self._inside(subnet, self._one(cluster.api))
        yield from self._inside(self._together("Aether nodes"), self._workloads(cluster))
        for part in (*cluster.pools, *cluster.add_ons):
            yield self._node(part)

    def _one(self, part: Part) -> Iterator[str]:
        yield self._node(part)

    def _workloads(self, cluster: Cluster) -> Iterator[str]:
        for workload in cluster.workloads:
            yield from self._inside(workload, (self._node(pod) for pod in workload.pods))

    # who calls whom

    def _edges(self) -> Iterator[str]:
        told = {id(flow) for flow in inner_flows(self.architecture.flows)}
        number = 0
        seen: dict[tuple[str, str], tuple[str, ...]] = {}
        for flow in self.architecture.flows:
            if id(flow) in told or flow.label == ("ICMP",):
                continue
            source, target = self._end(flow.source), self._end(flow.target)
            if source == target:
                continue  # what nodes say to each other stands in the heading of their box
            if (
                source not in self.names
                or target not in self.names
                or seen.get((source, target)) == flow.label
            ):
                continue
            seen[source, target] = flow.label
            arrow, colour = STYLES[flow.purpose]
            yield from self._edge(flow, source, target, arrow)
            self.styles.append(f"    linkStyle {number} stroke:{colour}")
            number += 1

    def _edge(self, flow: Flow, source: str, target: str, arrow: str) -> Iterator[str]:
        label = f"|{quoted(flow.label)}|" if flow.label else ""
        yield f"    {self._name(source)} {arrow}{label} {self._name(target)}"

    def _end(self, key: str) -> str:
        """Machines are drawn as the box of the nodes that run on them."""
        if key == MACHINES:
            return NODES
        if key == API and self.architecture.cluster and self.architecture.cluster.api is None:
            return NODES
        return key
