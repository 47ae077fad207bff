"""Where a line may pass: clear of what it does not belong to, of words, and of other lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from attrs import define, field

from aether_infra.diagram.scene import Box, Line, Rect, Scene, Text

CLEAR: Final = 8
"""Pixels between a line and what it passes."""
APART: Final = 14
"""Pixels between two lines side by side."""
BESIDE: Final = 10
"""Pixels at either side of words, in which no line passes."""
Point = tuple[int, int]


@define(kw_only=True)
class Tracks:
    """The free room of a sheet."""

    scene: Scene
    rooms: dict[Text, Rect] = field(factory=dict)
    """Room of words, with that between the words of one heading."""

    def clear(self, start: Point, end: Point, ends: Iterable[str]) -> bool:
        """Whether a horizontal or vertical line passes freely.

        Args:
            start: where it begins.
            end: where it ends.
            ends: keys of the boxes that it joins; it may cross the borders of what these lie in.
        """
        strip = between(start, end)
        own = {key for end_ in ends for key in self.scene.around(end_)}
        return (
            all(self._passes(box, strip, start, end, own) for box in self.scene.boxes.values())
            and not any(self._room(text).overlaps(strip, 5) for text in self.scene.texts)
            and not any(label.rect.overlaps(strip, 4) for label in self.scene.labels)
            and not any(along(start, end, line) for line in self.scene.lines)
        )

    def _room(self, text: Text) -> Rect:
        if text not in self.rooms:
            rect = text.rect
            self.rooms[text] = Rect(
                x=rect.x - BESIDE, y=rect.y, width=rect.width + 2 * BESIDE, height=rect.height
            )
        return self.rooms[text]

    def _passes(self, box: Box, strip: Rect, start: Point, end: Point, own: set[str]) -> bool:
        if box.key not in own:
            return not box.rect.overlaps(strip, CLEAR)
        if start[0] == end[0]:  # not along a border
            near = min(abs(start[0] - box.rect.x), abs(start[0] - box.rect.right)) < CLEAR
            return not (near and strip.y < box.rect.bottom and box.rect.y < strip.bottom)
        near = min(abs(start[1] - box.rect.y), abs(start[1] - box.rect.bottom)) < CLEAR
        return not (near and strip.x < box.rect.right and box.rect.x < strip.right)

    def free_label(self, rect: Rect, own: Line) -> bool:
        """Whether words may stand somewhere."""
        for box in self.scene.boxes.values():
            inside = box.container and box.rect.holds(rect, 3)
            if not inside and box.rect.overlaps(rect, 3):
                return False
        if any(text.rect.overlaps(rect, 3) for text in self.scene.texts):
            return False
        if any(label.rect.overlaps(rect, 5) for label in self.scene.labels):
            return False
        return not any(
            rect.overlaps(between(*piece), 3)
            for line in self.scene.lines
            if line is not own
            for piece in pieces(line)
        )


def between(start: Point, end: Point) -> Rect:
    """The thin rectangle of a line."""
    return Rect(
        x=min(start[0], end[0]),
        y=min(start[1], end[1]),
        width=abs(start[0] - end[0]) + 1,
        height=abs(start[1] - end[1]) + 1,
    )


def pieces(line: Line) -> Iterator[tuple[Point, Point]]:
    """The straight pieces of a line."""
    yield from pairwise(line.points)


def span(start: Point, end: Point) -> int:
    """How long a straight piece is."""
    return abs(start[0] - end[0]) + abs(start[1] - end[1])


def along(start: Point, end: Point, line: Line) -> bool:
    """Whether a line would run along another one, or meet its end."""
    upright = start[0] == end[0]
    strip = between(start, end)
    for piece in pieces(line):
        same = (piece[0][0] == piece[1][0]) == upright
        if between(*piece).overlaps(strip, APART if same else 0) and same:
            return True
    tips = [line.points[0], line.points[-1]]
    return any(strip.overlaps(Rect(x=x, y=y, width=1, height=1), 6) for x, y in tips)


def spread(low: int, high: int, wanted: int, step: int = 2) -> list[int]:
    """Numbers of a range, those near to what is wanted first."""
    return sorted(range(low, high + 1, step), key=lambda each: (abs(each - wanted), each))


def around(at: Point, wide: int, high: int) -> Rect:
    """A rectangle around a point."""
    return Rect(x=at[0] - wide // 2, y=at[1] - high // 2, width=wide, height=high)
