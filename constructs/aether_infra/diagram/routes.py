"""Lines between boxes: every flow that is let through, with its ports."""

from __future__ import annotations

from collections.abc import Sequence

from aether_infra.diagram import outward, rail, words
from aether_infra.diagram.arrange import Arrangement
from aether_infra.diagram.blocks import actor
from aether_infra.diagram.model import API, INTERNET, OPERATORS, Flow, Part, Purpose
from aether_infra.diagram.nodes import control_flows
from aether_infra.diagram.pen import INSET, Fall, Pen, label_width
from aether_infra.diagram.scene import Box, Line, Rect, Scene
from aether_infra.diagram.surroundings import from_outside

NEXT = 24
"""Between two who are outside."""


def route(arrangement: Arrangement) -> Scene:
    """Draw the lines of a picture, put those outside where their lines end, and label everything."""
    pen = Pen(arrangement=arrangement)
    outward.doors(pen)
    _from_outside(pen)
    _down(pen)
    landings = outward.ways_out(pen)
    rail.join(pen)
    outward.internet(pen, landings)
    words.place(pen)
    return pen.scene


def _from_outside(pen: Pen) -> None:
    """Users and operators: straight down to what they may reach; then they stand above their lines."""
    flows = from_outside(pen.arrangement.architecture)
    ends: dict[str, list[int]] = {}
    for flow in sorted(flows, key=lambda each: (pen.box(each.target).rect.x, each.source == OPERATORS)):
        target = pen.box(flow.target)
        shared = len([each for each in flows if each.target == flow.target]) > 1
        line = pen.fall(
            Fall(
                flows=(flow,),
                purpose=flow.purpose,
                top=pen.arrangement.actors[1],
                start=(target.rect.x + INSET, target.rect.right - INSET),
                target=target,
                wanted=_entry(flow, target, shared=shared),
                room=_pass(pen, flow.target),
            )
        )
        ends.setdefault(flow.source, []).append(line.points[0][0])
    actors = [part for part in pen.arrangement.architecture.actors if part.key != INTERNET]
    _stand(pen, actors, ends)


def _entry(flow: Flow, target: Box, *, shared: bool) -> int:
    """Where a line from outside ends: users at the left and operators at the right of what both reach."""
    low, high = target.rect.x + INSET, target.rect.right - INSET
    if not shared:
        return (low + high) // 2
    return high - label_width([flow]) // 2 if flow.source == OPERATORS else (2 * low + high) // 3


def _pass(pen: Pen, key: str) -> tuple[int, int] | None:
    """Where a line to a part further in passes between balancers."""
    room = pen.arrangement.passes.get(key)
    return (room.x + 8, room.right - 8) if room else None


def _stand(pen: Pen, actors: Sequence[Part], ends: dict[str, list[int]]) -> None:
    top, bottom = pen.arrangement.actors
    edge = 0
    for part in sorted(actors, key=lambda each: min(ends[each.key])):
        card = actor(part)
        low, high = min(ends[part.key]), max(ends[part.key])
        wide = max(card.size[0], high - low + 2 * NEXT)
        left = min(max((low + high - wide) // 2, edge), low - INSET)
        right = max(left + wide, high + INSET)
        card.place(pen.scene, Rect(x=left, y=top, width=right - left, height=bottom - top), None)
        edge = right + NEXT


def _down(pen: Pen) -> None:
    """From balancers to services or nodes, between the API and its machines, and from services to pods."""
    for flow in pen.flows:
        if flow.source.startswith("balancer/"):
            _fall(pen, (flow,), pen.box(flow.source), pen.box(flow.target))
    holders = pen.holders()
    _control(pen, holders)
    for flow in pen.flows:
        if flow.source.startswith("service/"):
            source = pen.box(flow.source)
            nearest = sorted(holders, key=lambda each: _distance(each, source))
            for line in [_fall(pen, (flow,), source, target) for target in nearest]:
                words.say(pen, line)


def _control(pen: Pen, holders: Sequence[Box]) -> None:
    """One line for both ways between the Kubernetes API and its machines."""
    flows = tuple(control_flows(pen.flows))
    if not flows or not holders or API not in pen.scene.boxes:
        return
    source = pen.box(API)
    line = _fall(pen, flows, source, min(holders, key=lambda each: _distance(each, source)))
    line.purpose = Purpose.CONTROL
    line.tip = any(flow.source == API for flow in flows)
    line.tail = any(flow.target == API for flow in flows)
    words.say(pen, line)


def _distance(one: Box, other: Box) -> int:
    return abs(one.rect.middle[0] - other.rect.middle[0])


def _fall(pen: Pen, flows: tuple[Flow, ...], source: Box, target: Box) -> Line:
    """A line from a box to one below it."""
    narrow = target if target.rect.width < source.rect.width else source
    return pen.fall(
        Fall(
            flows=flows,
            purpose=flows[0].purpose,
            top=source.rect.bottom,
            start=(source.rect.x + INSET, source.rect.right - INSET),
            target=target,
            wanted=narrow.rect.middle[0],
            source=source.key,
        )
    )
