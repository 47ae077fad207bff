"""Draws lines on a sheet: straight down where that is free, else with two turns in a band between rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Final

from attrs import define, field, frozen

from aether_infra.diagram import labels
from aether_infra.diagram.arrange import Arrangement
from aether_infra.diagram.model import MACHINES, NODES, Flow, Purpose
from aether_infra.diagram.scene import Box, Line, Look, Rect, Scene
from aether_infra.diagram.tracks import Point, Tracks, spread

INSET: Final = 20
"""Least distance of a line's end from a box's corner."""
ABOVE: Final = 64
"""Height of the room above a box in which a line may turn, where no band is."""
TRIES: Final = 12
"""Places at a target that are tried for a line that turns."""


@frozen(kw_only=True)
class Fall:
    """A line to be drawn from one height to the top of a box."""

    flows: tuple[Flow, ...]
    purpose: Purpose
    top: int
    """Where it begins."""
    start: tuple[int, int]
    """Where it may begin, from left to right."""
    target: Box
    wanted: int
    """Where it ends best."""
    source: str | None = None
    """Key of the box that it comes from; None for somebody outside, who is not there yet."""
    room: tuple[int, int] | None = None
    """Where it must pass."""

    @property
    def ends(self) -> list[str]:
        """Keys of the boxes that it joins."""
        return [self.target.key, *([self.source] if self.source else [])]


@define(kw_only=True)
class Pen:
    """A sheet with its boxes, and the lines on it so far."""

    arrangement: Arrangement
    scene: Scene = field(init=False)
    tracks: Tracks = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.scene = self.arrangement.scene
        self.tracks = Tracks(scene=self.scene)

    @property
    def flows(self) -> Sequence[Flow]:
        """All flows of the picture."""
        return self.arrangement.architecture.flows

    @property
    def tier(self) -> Box:
        """The outermost box of the nodes."""
        return self.scene.boxes[self.arrangement.tier]

    def box(self, key: str) -> Box:
        """A box; the outermost one for all nodes or machines together."""
        return self.tier if key in {NODES, MACHINES} else self.scene.boxes[key]

    def into(self, key: str) -> list[Flow]:
        """Flows to a part, but for those of path discovery, which nobody looks for."""
        return [flow for flow in self.flows if flow.target == key and flow.label != ("ICMP",)]

    def out_of(self, key: str) -> list[Flow]:
        """Flows from a part, as above."""
        return [flow for flow in self.flows if flow.source == key and flow.label != ("ICMP",)]

    def holders(self) -> list[Box]:
        """What holds the nodes' pods: pools, or workloads where no pool is known."""
        cluster = self.arrangement.architecture.cluster
        found = []
        for workload in cluster.workloads if cluster else ():
            box = self.box(workload.key)
            parent = self.scene.boxes[box.parent] if box.parent else box
            found.append(parent if parent.look is Look.POOL else box)
        return list(dict.fromkeys(found))

    def draw(
        self,
        flows: tuple[Flow, ...],
        points: Iterable[Point],
        purpose: Purpose,
        *,
        tip: bool = True,
        knot: bool = False,
    ) -> Line:
        """Put a line on the sheet."""
        line = Line(flows=flows, purpose=purpose, points=plain(points), tip=tip, knot=knot)
        self.scene.lines.append(line)
        return line

    def free(self, points: Sequence[Point], ends: Iterable[str]) -> bool:
        """Whether a line of several pieces passes freely."""
        return all(self.tracks.clear(start, end, ends) for start, end in pairwise(points))

    def fall(self, fall: Fall) -> Line:
        """Draw a line down to a box."""
        points = self._straight(fall) or self._turned(fall)
        return self.draw(fall.flows, points, fall.purpose)

    def _straight(self, fall: Fall) -> list[Point] | None:
        """Straight down; where a label has room beside it, if that can be."""
        target = fall.target.rect
        low = max(fall.start[0], target.x + INSET, fall.room[0] if fall.room else 0)
        high = min(fall.start[1], target.right - INSET, *(fall.room[1:] if fall.room else ()))
        wide = label_width(fall.flows)
        without: list[Point] | None = None
        for x in spread(low, high, fall.wanted):
            way = [(x, fall.top), (x, target.y)]
            if self.free(way, fall.ends):
                if self._has_room(way[0], way[1], wide):
                    return way
                without = without or way
        return without

    def _has_room(self, start: Point, end: Point, wide: int) -> bool:
        probe = Line(flows=(), purpose=Purpose.CONTROL, points=[start, end])
        rows = range(start[1] + 20, end[1] - 20, 4)
        return any(
            self.tracks.free_label(Rect(x=start[0] - wide // 2, y=y - 13, width=wide, height=26), probe)
            for y in rows
        )

    def _turned(self, fall: Fall) -> list[Point]:
        """With two turns in a band; the way with the shortest detour."""
        bottom = fall.target.rect.y
        bands = [*self.arrangement.bands, (max(fall.top, bottom - ABOVE), bottom)]
        found = [
            way
            for low, high in bands
            if low >= fall.top - 1 and high <= bottom + 1
            for y in spread(low + 10, high - 12, (low + high) // 2, 6)
            if (way := self._turned_at(y, fall))
        ]
        if found:
            return min(found, key=lambda way: abs(way[1][0] - way[2][0]))
        self.scene.faults.append(f"no free way to {fall.target.key}")
        x = (max(fall.start[0], fall.target.rect.x) + min(fall.start[1], fall.target.rect.right)) // 2
        return [(x, fall.top), (x, bottom)]

    def _turned_at(self, y: int, fall: Fall) -> list[Point] | None:
        target, ends = fall.target.rect, fall.ends
        low, high = fall.room or fall.start
        columns = spread(target.x + INSET, target.right - INSET, fall.wanted, 4)
        down = (x for x in columns if self.tracks.clear((x, y), (x, target.y), ends))
        for last in islice(down, TRIES):
            firsts = spread(low, high, last, 4)
            first = next((x for x in firsts if self.tracks.clear((x, fall.top), (x, y), ends)), None)
            if first is not None and self.tracks.clear((first, y), (last, y), ends):
                return [(first, fall.top), (first, y), (last, y), (last, target.y)]
        return None


def label_width(flows: Sequence[Flow]) -> int:
    """Room that the label of a line wants."""
    return labels.size(labels.words(flows[:1]))[0] + 8


def plain(points: Iterable[Point]) -> list[Point]:
    """Points without those in the middle of a straight piece."""
    found: list[Point] = []
    for point in points:
        if found and point == found[-1]:
            continue
        if len(found) > 1 and (
            found[-2][0] == found[-1][0] == point[0] or found[-2][1] == found[-1][1] == point[1]
        ):
            found[-1] = point
        else:
            found.append(point)
    return found
