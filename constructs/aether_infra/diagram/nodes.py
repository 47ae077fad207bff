"""Blocks for what runs the nodes: machines by zone, or a Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from aether_infra.diagram import labels
from aether_infra.diagram.blocks import FACT, GAP, Block, Card, Column, Group, Margin, Row, Space
from aether_infra.diagram.model import (
    API,
    MACHINES,
    NODES,
    Architecture,
    Cluster,
    Flow,
    Kind,
    Node,
    Part,
    Pool,
    Service,
    Subnet,
    Workload,
)
from aether_infra.diagram.scene import Look
from aether_infra.diagram.text import joined

TIER = "tier"
"""Key of the box around all that runs nodes, where no part stands for it."""
ZONE_GAP = 36
"""Between zones: lines pass there."""
BUS = 58
"""Room for the line that joins the nodes, with its label."""
TURN = 16
"""Room for a line that turns on its way to a second pool."""
COMB = 22
"""Room at the left of a column of nodes, for the line that joins them."""


def subnets_of_nodes(architecture: Architecture) -> list[Subnet]:
    """Subnets in which nodes or machines are: those that nothing else has to itself."""
    taken = {balancer.subnet for balancer in architecture.balancers}
    taken |= {architecture.cluster.api_subnet} if architecture.cluster else set()
    return [each for each in architecture.subnets if each.key not in taken and not each.public]


def tier(architecture: Architecture, lane: int) -> Group:
    """The block of all that runs nodes.

    Args:
        architecture: the picture.
        lane: room at the right of zones, in which lines pass.
    """
    subnets = subnets_of_nodes(architecture)
    whole = [each for each in subnets if not each.zonal]
    inner = (
        _cluster(architecture.cluster, architecture)
        if architecture.cluster
        else _machines(architecture, lane)
    )
    ground = _ground(architecture, whole) if architecture.cluster else []
    content: Block = Column(blocks=[inner, *(Margin(content=row, right=lane) for row in ground)], stretch=0)
    if len(whole) == 1:
        subnet = whole[0]
        return Group(
            key=subnet.key,
            part=subnet,
            content=content,
            look=look_of(subnet),
            heading=subnet.name,
            facts=subnet_facts(subnet),
            beside=True,
        )
    if not ground:
        return inner
    zonal = any(each.zonal for each in subnets)
    heading = "Machines in private subnets" if zonal else "Machines and pods"
    return Group(key=TIER, content=content, look=Look.PRIVATE, heading=heading)


def look_of(subnet: Subnet) -> Look:
    """How a subnet is drawn."""
    return {True: Look.PUBLIC, False: Look.PRIVATE, None: Look.ZONE}[subnet.public]


def subnet_facts(subnet: Subnet) -> tuple[str, ...]:
    """What a subnet's heading says besides its name."""
    word = {True: "public", False: "private", None: ""}[subnet.public]
    return tuple(fact for fact in (*subnet.facts, word, "exists already" if subnet.existing else "") if fact)


def columns(architecture: Architecture) -> list[str]:
    """What a column stands for: each zone that has nodes or subnets."""
    zones = {node.zone for node in architecture.nodes}
    zones |= {subnet.zone for subnet in architecture.subnets if subnet.zonal}
    return sorted((zone for zone in zones if zone), key=_natural)


def _natural(text: str) -> tuple[str, int]:
    """An order in which `zone 10` comes after `zone 9`."""
    head = text.rstrip("0123456789")
    return head, int(text[len(head) :] or 0)


def _machines(architecture: Architecture, lane: int) -> Group:
    group = architecture.group
    cells = _cells(architecture)
    row = Margin(content=Row(blocks=cells, gap=ZONE_GAP, equal=True), right=lane)
    blocks: list[Block] = [row, Space(height=BUS - 2 * GAP)]
    if architecture.elastic:
        elastic = evolve(architecture.elastic, facts=(" · ".join(architecture.elastic.facts),))
        blocks.append(Card(part=elastic, look=Look.STACK, room=420))
    return Group(
        key=NODES,
        part=group,
        content=Column(blocks=blocks, stretch=0),
        look=Look.GROUP,
        heading=group.name if group else "Aether nodes",
    )


def _cells(architecture: Architecture) -> list[Block]:
    """One cell for each zone; where zones are not known, one for each subnet; else one for all."""
    subnets = [each for each in subnets_of_nodes(architecture) if each.zonal]
    places: dict[str, list[Node]] = {}
    if any(each.zone is None for each in subnets):
        places = {each.key: [] for each in subnets}
        for node in architecture.nodes:
            places.setdefault(node.subnet or "", []).append(node)
    else:
        places = {zone: [] for zone in columns(architecture)}
        for node in architecture.nodes:
            places.setdefault(node.zone or "", []).append(node)
    most = max((len(nodes) for name, nodes in places.items() if name), default=0)
    across = {1: min(most, 4), 2: min(most, 2)}.get(len(places), 1)
    comb = COMB if most > across else 0
    return [_cell(name, nodes, subnets, across, comb) for name, nodes in places.items() if name or nodes]


def _cell(name: str, nodes: Sequence[Node], subnets: Sequence[Subnet], across: int, comb: int) -> Block:
    cards: list[Block] = [Card(part=node, look=Look.NODE, room=170, badge="voter") for node in nodes]
    if not name:
        return Column(blocks=_rows(cards))
    subnet = next((each for each in subnets if name in {each.zone, each.key}), None)
    content = Margin(content=Column(blocks=_rows(cards, across)), left=comb)
    if subnet is None:
        zone = Part(key=f"zone/{name}", kind=Kind.ZONE, name=_zone_name(name))
        return Group(key=zone.key, part=zone, content=content, look=Look.ZONE, heading=zone.name, small=True)
    part = in_zone(subnet)
    return Group(
        key=subnet.key,
        part=part,
        content=content,
        look=Look.PRIVATE,
        heading=part.name,
        facts=part.facts,
        small=True,
    )


def _zone_name(zone: str) -> str:
    return zone[0].upper() + zone[1:] if zone.startswith("zone") else zone


def in_zone(subnet: Subnet) -> Subnet:
    """A zonal subnet with the zone as its heading."""
    if subnet.zone is None:
        return evolve(subnet, facts=(*subnet.facts, "exists already"))
    return evolve(
        subnet, name=_zone_name(subnet.zone), facts=(f"{subnet.name.lower()} {' '.join(subnet.facts)}",)
    )


def _ground(architecture: Architecture, whole: Sequence[Subnet]) -> list[Block]:
    """Below a Kubernetes cluster: the zones and subnets that its machines are in."""
    rows: list[Block] = []
    zonal = [in_zone(each) for each in subnets_of_nodes(architecture) if each.zonal]
    if zonal:
        rows.append(Row(blocks=[Card(part=each, look=Look.ZONE) for each in zonal], gap=ZONE_GAP, equal=True))
    elif architecture.zones:
        zones = [
            Part(key=f"zone/{zone}", kind=Kind.ZONE, name=_zone_name(zone)) for zone in architecture.zones
        ]
        rows.append(Row(blocks=[Card(part=zone, look=Look.ZONE) for zone in zones], gap=ZONE_GAP, equal=True))
    if len(whole) > 1:
        cards = [
            Card(part=evolve(each, facts=subnet_facts(each)), look=Look.ZONE, room=260) for each in whole
        ]
        rows.append(Row(blocks=cards, gap=ZONE_GAP, equal=True))
    return rows


def _cluster(cluster: Cluster, architecture: Architecture) -> Group:
    entries = entry_row(cluster)
    api = _api(cluster, architecture)
    blocks: list[Block] = []
    if entries or api:
        cards: list[Block] = [Card(part=each, room=200) for each in entries]
        blocks += [Row(blocks=[*cards, *api]), Space(height=_channel(cluster, architecture))]
    blocks += [_pools(cluster), Space(height=BUS - 2 * GAP)]
    helpers = _helpers(cluster, architecture)
    if helpers:
        blocks.append(Row(blocks=helpers))
    return Group(
        key=cluster.key,
        part=cluster,
        content=Column(blocks=blocks, stretch=len(blocks) - (3 if helpers else 2)),
        look=Look.CLUSTER,
        heading=cluster.name,
        facts=joined(cluster.facts, FACT, 300),
    )


def _channel(cluster: Cluster, architecture: Architecture) -> int:
    """Room between services and pods, for lines with their labels."""
    keys = {service.key for service in cluster.services}
    leading = [flow for flow in architecture.flows if flow.source in keys]
    heights = [labels.size(labels.words([flow]))[1] for flow in leading]
    heights.append(labels.size(labels.both_ways(control_flows(architecture.flows)))[1])
    used = {pool.key for pool in cluster.pools for each in cluster.workloads if _runs_on(each, pool)}
    turning = len(leading) * TURN if len(used) > 1 else 0
    return max([26, *heights]) + turning + 4


def control_flows(flows: Sequence[Flow]) -> list[Flow]:
    """Flows between the Kubernetes API and machines or pods."""
    inside = {MACHINES, NODES}
    found = [
        flow
        for flow in flows
        if API in {flow.source, flow.target} and {flow.source, flow.target} - {API} <= inside
    ]
    return [flow for flow in found if flow.label and flow.label != ("ICMP",)]


def entry_row(cluster: Cluster) -> list[Service]:
    """Services in the order in which they stand: those that something leads to, among those that nothing does."""
    published = [each for each in cluster.services if each.published]
    others = [each for each in cluster.services if not each.published]
    found: list[Service] = []
    while published or others:
        found += others[:1] + published[:1]
        others, published = others[1:], published[1:]
    return found


def _api(cluster: Cluster, architecture: Architecture) -> list[Block]:
    if cluster.api is None:
        return []
    card = Card(part=cluster.api, room=210, least=230)
    subnet = next((each for each in architecture.subnets if each.key == cluster.api_subnet), None)
    if subnet is None:
        return [card]
    return [
        Group(
            key=subnet.key,
            part=subnet,
            content=card,
            look=look_of(subnet),
            heading=subnet.name,
            facts=(" · ".join(subnet_facts(subnet)),),
            small=True,
            inset=10,
        )
    ]


def _pools(cluster: Cluster) -> Block:
    """Pools with the workloads that run on them; workloads alone where no pool is known."""
    left = list(cluster.workloads)
    blocks: list[Block] = []
    for pool in cluster.pools:
        here = [each for each in left if _runs_on(each, pool)]
        left = [each for each in left if each not in here]
        if here:
            blocks.append(
                Group(
                    key=pool.key,
                    part=pool,
                    content=Row(blocks=[_workload(each) for each in here]),
                    look=Look.POOL,
                    heading=pool.name,
                    facts=(" · ".join(pool.facts),),
                )
            )
    blocks += [_workload(each) for each in left]
    return Row(blocks=blocks)


def _runs_on(workload: Workload, pool: Pool) -> bool:
    own = {key: value for key, value in workload.selector.items() if key in pool.labels}
    return bool(own) and all(pool.labels[key] == value for key, value in own.items())


def _workload(workload: Workload) -> Block:
    cards: list[Block] = [
        Card(
            part=pod,
            look=Look.STACK if pod.kind is Kind.ELASTIC else Look.NODE,
            room=190 if pod.kind is Kind.ELASTIC else 150,
            badge="" if pod.kind is Kind.ELASTIC else "voter",
        )
        for pod in workload.pods
    ]
    rows = _rows(cards)
    return Group(
        key=workload.key,
        part=workload,
        content=Column(blocks=rows),
        look=Look.WORKLOAD,
        heading=workload.name,
        facts=workload.facts,
        small=True,
    )


def _rows(cards: list[Block], across: int = 0) -> list[Block]:
    """Cards in rows and columns.

    Args:
        cards: the cards.
        across: how many stand in a row; 0 for three or four.
    """
    per_row = across or (len(cards) if len(cards) <= 4 else (len(cards) + 1) // 2)  # noqa: PLR2004 - read at a glance
    rows = [cards[start : start + per_row] for start in range(0, len(cards), per_row)] if cards else []
    return [Row(blocks=[*row, *(Space() for _ in range(per_row - len(row)))], equal=True) for row in rows]


def _helpers(cluster: Cluster, architecture: Architecture) -> list[Block]:
    """What keeps the cluster going: the pool of its own pods, add-ons, firewalls."""
    used = {pool.key for pool in cluster.pools for each in cluster.workloads if _runs_on(each, pool)}
    parts: list[Part] = [each for each in cluster.pools if each.key not in used]
    parts += cluster.add_ons
    firewall = _inside(architecture)
    parts += [firewall] if firewall else []
    few = len(parts) <= 3  # noqa: PLR2004 - then there is room for longer lines
    return [
        Card(part=each, room=(340 if few else 220) if each.kind is Kind.FIREWALL else 190) for each in parts
    ]


def _inside(architecture: Architecture) -> Part | None:
    """What the cloud's firewall lets through among machines and pods, in words: arrows would hide the others."""
    names = {MACHINES: "machines", NODES: "the nodes"}
    lines = []
    for flow in inner_flows(architecture.flows):
        between = f"{names[flow.source]} to {names[flow.target]}"
        between = "among machines" if flow.source == flow.target else between
        lines.append(f"{between}: {', '.join(flow.label)}")
    group = architecture.group
    if not lines and group is None:
        return None
    return Part(
        key=NODES,
        kind=Kind.FIREWALL,
        name=group.name if group else "Firewall",
        facts=tuple(lines),
        sources=group.sources if group else (),
    )


def inner_flows(flows: Sequence[Flow]) -> list[Flow]:
    """Flows among machines and pods that are told in words."""
    inside = {MACHINES, NODES}
    return [
        flow
        for flow in flows
        if {flow.source, flow.target} <= inside and not (flow.source == flow.target == NODES) and flow.label
    ]
