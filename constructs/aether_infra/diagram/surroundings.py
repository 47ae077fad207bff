"""Blocks around the nodes: public subnets above them, ways out beside them, and the cloud's services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aether_infra.diagram import labels
from aether_infra.diagram.blocks import Block, Card, Column, Group, Row, Space
from aether_infra.diagram.model import (
    API,
    INTERNET,
    INTERNET_GATEWAY,
    MACHINES,
    MANAGER,
    NODES,
    SERVICES,
    Architecture,
    Flow,
    Kind,
    Part,
    Subnet,
)
from aether_infra.diagram.nodes import ZONE_GAP, columns, in_zone, look_of
from aether_infra.diagram.scene import Look

BORDER: Final = 20
"""Between the border of region or network and what they hold."""
LEAST_LABEL: Final = 26
"""Height of a label of one line."""


def from_outside(architecture: Architecture, target: str = "") -> list[Flow]:
    """Flows of users and operators: all, or those to one part."""
    actors = {part.key for part in architecture.actors}
    return [flow for flow in architecture.flows if flow.source in actors and target in {"", flow.target}]


def passing(architecture: Architecture) -> list[Flow]:
    """Flows of which a label stands between balancers and nodes."""
    inside = {MACHINES, NODES}
    flows = architecture.flows
    return [flow for flow in flows if flow.source.startswith("balancer/") or flow.source in inside]


def label_height(flows: Sequence[Flow]) -> int:
    """Height of the highest label of some flows."""
    return max([labels.size(labels.words([flow]))[1] for flow in flows], default=LEAST_LABEL)


def label_width(flows: Sequence[Flow]) -> int:
    """Width of the widest label of some flows."""
    return max([labels.size(labels.words([flow]))[0] for flow in flows], default=0)


def public_subnets(architecture: Architecture) -> list[Subnet]:
    """Public subnets of one zone each, in the zones' order."""
    order = columns(architecture)
    found = [each for each in architecture.subnets if each.zonal and each.public]
    return sorted(found, key=lambda each: order.index(each.zone) if each.zone in order else len(order))


def public_row(architecture: Architecture) -> Row:
    """Public subnets with the gateways in them, a column each."""
    cells: list[Block] = []
    for subnet in public_subnets(architecture):
        part = in_zone(subnet)
        gates = [each for each in architecture.gateways if each.subnet == subnet.key]
        cells.append(
            Group(
                key=subnet.key,
                part=part,
                content=Row(blocks=[Card(part=gate, room=130) for gate in gates]),
                look=look_of(subnet),
                heading=part.name,
                facts=part.facts,
                small=True,
                aside=True,
            )
        )
    return Row(blocks=cells, gap=ZONE_GAP, equal=True)


def ways_out(architecture: Architecture) -> list[Part]:
    """What stands beside the nodes; the internet gateway stands above them, at the network's door."""
    manager = [architecture.manager] if architecture.manager else []
    return manager + [
        each for each in architecture.gateways if each.subnet is None and each.key != INTERNET_GATEWAY
    ]


def ways_out_column(architecture: Architecture) -> Column:
    """Ways out, one below the other."""
    return Column(blocks=[Card(part=gateway, room=150, least=150) for gateway in ways_out(architecture)])


def room_beside(architecture: Architecture) -> int:
    """Room between the nodes and the ways out, for the labels of the lines between them."""
    keys = {each.key for each in ways_out(architecture)}
    return label_width([flow for flow in architecture.flows if keys & {flow.source, flow.target}]) + 44


def lanes(architecture: Architecture) -> int:
    """How many lines pass beside the ways out, on their way to the internet."""
    sources = {flow.source for flow in architecture.flows if flow.target == INTERNET}
    inside = {NODES, MACHINES, MANAGER}
    return len({MACHINES if source in inside else source for source in sources} - {INTERNET_GATEWAY})


def serves(architecture: Architecture) -> bool:
    """Whether a line leads from the network to the cloud's services."""
    return any(flow.target == SERVICES and flow.source != API for flow in architecture.flows)


def services_column(architecture: Architecture) -> Group:
    """What the cloud runs beside the network."""
    cards: list[Block] = [Card(part=part, room=190, least=200) for part in architecture.services]
    return Group(
        key=SERVICES,
        content=Column(blocks=cards, gap=10),
        look=Look.PLAIN,
        heading=f"{architecture.cloud} services" if architecture.region else "Used by the nodes",
        small=True,
    )


def frame(part: Part) -> Group:
    """The box of a region or a network; what is in it is placed by itself."""
    return Group(
        key=part.key,
        part=part,
        content=Space(),
        look=Look.REGION if part.kind is Kind.REGION else Look.NETWORK,
        heading=part.name,
        facts=(*part.facts, *(("exists already",) if part.existing else ())),
        beside=True,
        inset=BORDER,
    )
