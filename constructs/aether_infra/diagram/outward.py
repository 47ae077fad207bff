"""Lines out of the network, and between the nodes and what stands beside them."""

from __future__ import annotations

from typing import Final

from aether_infra.diagram.arrange import MARGIN, SIDE
from aether_infra.diagram.blocks import actor
from aether_infra.diagram.model import (
    API,
    INTERNET,
    INTERNET_GATEWAY,
    MACHINES,
    MANAGER,
    NEIGHBOURS,
    NODES,
    SERVICES,
    Flow,
    Gateway,
    Purpose,
)
from aether_infra.diagram.pen import Pen
from aether_infra.diagram.scene import Box, Look, Rect
from aether_infra.diagram.tracks import Point, spread

ABOVE: Final = 18
"""How far above public subnets the line runs that joins their gateways."""
INSIDE: Final = frozenset({NODES, MACHINES, API, MANAGER})
"""What calls from within the network: drawn as one line."""
DIRECT: Final = 40
"""How far below the top of the nodes' box a line leaves that needs no gateway."""


def doors(pen: Pen) -> None:
    """Gateways in zones: up from the nodes into them, and on along one line to the internet gateway."""
    door = pen.scene.boxes.get(INTERNET_GATEWAY)
    zonal = [pen.box(each.key) for each in pen.arrangement.architecture.gateways if each.subnet]
    height = min((_cell(pen, box).rect.y for box in zonal), default=0) - ABOVE
    for box in zonal:
        x = box.rect.middle[0]
        flows = tuple(pen.into(box.key))
        if flows:
            pen.draw(flows, [(x, pen.tier.rect.y), (x, box.rect.bottom)], flows[0].purpose)
        for flow in pen.out_of(box.key) if door else ():
            if door is not None:
                end = door.rect.middle[0]
                way = [(x, box.rect.y), (x, height), (end, height), (end, door.rect.bottom)]
                pen.draw((flow,), way, Purpose.EGRESS)


def _cell(pen: Pen, box: Box) -> Box:
    return pen.scene.boxes[box.parent] if box.parent else box


def ways_out(pen: Pen) -> list[int]:
    """From the nodes to what stands at their right, and on from there.

    Returns:
        Where lines reach the internet, from left to right.
    """
    landings: list[int] = []
    for gateway in pen.arrangement.architecture.gateways:
        if gateway.subnet is None and gateway.key != INTERNET_GATEWAY:
            landings += _beside(pen, gateway, len(landings))
    for key in (MANAGER, NEIGHBOURS):
        _inward(pen, key)
    direct = tuple(flow for flow in pen.into(INTERNET) if flow.source in INSIDE)
    if direct:
        landings.append(_up(pen, direct, (pen.tier.rect.right, pen.tier.rect.y + DIRECT), len(landings)))
    for flow in pen.out_of(INTERNET_GATEWAY):
        door = pen.box(INTERNET_GATEWAY)
        x = door.rect.middle[0]
        pen.draw((flow,), [(x, door.rect.y), (x, pen.arrangement.actors[1])], Purpose.EGRESS)
        landings.append(x)
    return sorted(landings)


def _beside(pen: Pen, gateway: Gateway, sides: int) -> list[int]:
    """Lines of one way out; returns where one of them reaches the internet."""
    box, tier = pen.box(gateway.key), pen.tier
    flows = tuple(flow for flow in pen.into(gateway.key) if flow.source in INSIDE)
    y = min(max(box.rect.middle[1], tier.rect.y + 16), tier.rect.bottom - 16)
    if flows:
        pen.draw(flows, [(tier.rect.right, y), (box.rect.x, y)], flows[0].purpose)
    found: list[int] = []
    start = (box.rect.right, box.rect.middle[1])
    for flow in pen.out_of(gateway.key):
        if flow.target == INTERNET:
            found.append(_up(pen, (flow,), start, sides + len(found)))
        elif flow.target == SERVICES and SERVICES in pen.scene.boxes:
            pen.draw((flow,), [start, (pen.box(SERVICES).rect.x, start[1])], flow.purpose)
    return found


def _up(pen: Pen, flows: tuple[Flow, ...], start: Point, sides: int) -> int:
    """Up to the internet, beside everything else; returns where the line gets there."""
    x = pen.arrangement.side + sides * SIDE
    pen.draw(flows, [start, (x, start[1]), (x, pen.arrangement.actors[1])], Purpose.EGRESS)
    return x


def _inward(pen: Pen, key: str) -> None:
    """The runtime manager calls the nodes, and what else there is in the network the Kubernetes API."""
    for flow in pen.out_of(key):
        if flow.target not in {NODES, MACHINES, API}:
            continue
        box, target = pen.box(key), pen.box(flow.target)
        start = (box.rect.x, box.rect.y + 9)
        if flow.target != API:
            pen.draw(
                (flow,),
                [(box.rect.x, box.rect.middle[1]), (target.rect.right, box.rect.middle[1])],
                flow.purpose,
            )
            continue
        ways = (
            [start, (x, start[1]), (x, y), (target.rect.right, y)]
            for y in spread(target.rect.y + 12, target.rect.bottom - 12, box.rect.middle[1] + 14)
            for x in range(box.rect.x - 18, pen.tier.rect.right + 10, -6)
        )
        way = next((way for way in ways if pen.free(way, [box.key, target.key])), None)
        if way is None:
            pen.scene.faults.append(f"no free way from {box.key} to {target.key}")
            way = [start, (target.rect.right, start[1])]
        pen.draw((flow,), way, flow.purpose)


def internet(pen: Pen, landings: list[int]) -> None:
    """The internet stands above the lines that lead to it."""
    part = next((each for each in pen.arrangement.architecture.actors if each.key == INTERNET), None)
    if part is None or not landings:
        return
    top, bottom = pen.arrangement.actors
    card = actor(part)
    low, high = landings[0], landings[-1]
    wide = max(card.size[0], high - low + 48)
    edges = [box.rect.right + 24 for box in pen.scene.boxes.values() if box.look is Look.ACTOR]
    left = min(max([(low + high - wide) // 2, *edges]), pen.scene.width - wide - MARGIN, low - 16)
    rect = Rect(x=left, y=top, width=max(wide, high + 16 - left), height=bottom - top)
    card.place(pen.scene, rect, None)
