"""Where the words of a line stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aether_infra.diagram import labels
from aether_infra.diagram.model import Purpose
from aether_infra.diagram.pen import Pen
from aether_infra.diagram.scene import Label, Line
from aether_infra.diagram.tracks import Point, around, pieces, span, spread

TIP: Final = 10
"""Length of an arrowhead, where no words stand."""
BELOW: Final = 21
"""How far below the nodes' rail its words stand."""
ASIDE: Final = 8
"""Between a line and words beside it."""


def place(pen: Pen) -> None:
    """Put words on every line that says something; one of several branches is enough."""
    for line in pen.scene.lines:
        say(pen, line)


def say(pen: Pen, line: Line) -> None:
    """Put words on a line, unless they are there already. Lines that are drawn later keep clear of them."""
    words = labels.both_ways(line.flows) if line.tip and line.tail else labels.words(line.flows)
    if words and not line.knot and not _said(pen, line, words):
        pen.scene.labels.append(_label(pen, line, words))


def _said(pen: Pen, line: Line, words: tuple[str, ...]) -> bool:
    """Whether a branch of the line, or the same way out in another zone, says so already."""
    return any(
        label.flows == line.flows
        or (set(label.lines) == set(words) and label.purpose is line.purpose is Purpose.EGRESS)
        for label in pen.scene.labels
    )


def _label(pen: Pen, line: Line, words: tuple[str, ...]) -> Label:
    wide, high = labels.size(words)
    branches = [each for each in pen.scene.lines if each.flows == line.flows and not each.knot]
    for own in sorted(branches, key=lambda each: each is not line):
        for at in _places(pen, own, wide, high):
            rect = around(at, wide, high)
            if pen.tracks.free_label(rect, own):
                return Label(rect=rect, lines=words, purpose=line.purpose, flows=line.flows)
    pen.scene.faults.append(f"no room for {words} from {line.flows[0].source} to {line.flows[0].target}")
    rect = around(line.points[0], wide, high)
    return Label(rect=rect, lines=words, purpose=line.purpose, flows=line.flows)


def _places(pen: Pen, line: Line, wide: int, high: int) -> list[Point]:
    """In a band between rows, else on the line's longest piece, else beside it; below the rail of the nodes."""
    if line.purpose is Purpose.PEERS:
        (left, y), (right, _) = line.points[0], line.points[-1]
        return [(x, y + BELOW) for x in spread(left - wide // 2, right + wide // 2, (left + right) // 2)]
    on = list(_on(line, wide, high))
    bands = pen.arrangement.bands
    banded = [at for at in on if any(low < at[1] < high_ for low, high_ in bands)]
    banded.sort(key=lambda at: min(abs(at[1] - (low + high_) // 2) for low, high_ in bands))
    aside = [(x + side * (wide // 2 + ASIDE), y) for x, y in on for side in (1, -1)]
    return [*banded, *on, *aside]


def _on(line: Line, wide: int, high: int) -> Iterator[Point]:
    """On the line: its longest piece first, and the whole of the words on one piece before a part of them."""
    for start, end in sorted(pieces(line), key=lambda piece: -span(*piece)):
        upright = start[0] == end[0]
        low, last = sorted((start[1], end[1]) if upright else (start[0], end[0]))
        half, middle = (high if upright else wide) // 2, (low + last) // 2
        along = dict.fromkeys(spread(low + TIP + half, last - TIP - half, middle))
        along |= dict.fromkeys(spread(low + TIP, last - TIP, middle))
        yield from ((start[0], each) if upright else (each, start[1]) for each in along)
