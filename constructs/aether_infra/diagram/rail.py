"""The line that joins all nodes, and the short ones that lead to it."""

from __future__ import annotations

from typing import Final

from aether_infra.diagram.model import NODES, Flow, Kind, Purpose
from aether_infra.diagram.pen import Pen
from aether_infra.diagram.scene import Box, Look
from aether_infra.diagram.tracks import Point

BELOW: Final = 15
"""How far below the nodes' cells, or the pods' pools, it runs."""
LEFT: Final = 11
"""How far left of a node its line goes down, where another one stands below."""


def join(pen: Pen) -> None:
    """Join the nodes, if they may call each other."""
    flows = tuple(flow for flow in pen.flows if flow.source == flow.target == NODES)
    nodes = [
        box for box in pen.scene.boxes.values() if box.part and box.part.kind in {Kind.NODE, Kind.ELASTIC}
    ]
    voters = [box for box in nodes if box.look is Look.NODE]
    if not flows or not voters:
        return
    y = max(box.rect.bottom for box in pen.holders() or [_cell(pen, box) for box in voters]) + BELOW
    comb = _stacked(pen, voters)
    ends = [_drop(pen, box, y, flows, comb=comb) for box in nodes if box.rect.y < y]
    for box in nodes:
        if box.rect.y >= y:  # below, in line with what comes from above
            _draw(pen, flows, [(min(ends), y), (min(ends), box.rect.y)])
    pen.draw(flows, [(min(ends), y), (max(ends), y)], Purpose.PEERS, tip=False)


def _cell(pen: Pen, box: Box) -> Box:
    """The zone that a node is in, or the node itself."""
    parent = pen.scene.boxes[box.parent] if box.parent else box
    return parent if parent.look in {Look.ZONE, Look.PRIVATE} else box


def _stacked(pen: Pen, voters: list[Box]) -> bool:
    """Whether nodes of a zone stand one below the other: then lines leave all of them at the left."""
    tops: dict[str | None, set[int]] = {}
    for box in voters:
        if _cell(pen, box) is not box:
            tops.setdefault(box.parent, set()).add(box.rect.y)
    return any(len(each) > 1 for each in tops.values())


def _drop(pen: Pen, box: Box, y: int, flows: tuple[Flow, ...], *, comb: bool) -> int:
    """A line from a node down to the rail; returns where it meets it."""
    x, middle = box.rect.middle
    below = any(
        other.rect.x <= x <= other.rect.right and box.rect.bottom <= other.rect.y < y
        for other in pen.scene.boxes.values()
        if other is not box and not other.container
    )
    if not below and not comb:
        _draw(pen, flows, [(x, y), (x, box.rect.bottom)])
        return x
    x = box.rect.x - LEFT
    _draw(pen, flows, [(x, y), (x, middle), (box.rect.x, middle)])
    return x


def _draw(pen: Pen, flows: tuple[Flow, ...], points: list[Point]) -> None:
    pen.draw(flows, points, Purpose.PEERS, tip=False, knot=True)
