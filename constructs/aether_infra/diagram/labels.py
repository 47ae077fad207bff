"""Words on lines, and the room that they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from aether_infra.diagram.model import API, Flow, Purpose
from aether_infra.diagram.text import width, wrapped

LABEL: Final = 12
"""Size of the text."""
LEADING: Final = 15
PAD: Final = 6
WIDEST: Final = 250
NARROW: Final = 180
"""Most pixels of a line between the Kubernetes API and its machines."""


def words(flows: Sequence[Flow]) -> tuple[str, ...]:
    """What stands on a line of some flows: their ports."""
    found = dict.fromkeys(word for flow in flows for word in flow.label)
    if all(flow.purpose is Purpose.PEERS for flow in flows):
        return (" · ".join(found),) if found else ()
    return tuple(piece for word in found for piece in wrapped(word, LABEL, WIDEST))


def both_ways(flows: Iterable[Flow]) -> tuple[str, ...]:
    """What stands on a line to the Kubernetes API and back."""
    directions = [
        f"{'to' if flow.target == API else 'from'} the API: {', '.join(flow.label)}" for flow in flows
    ]
    return tuple(piece for text in dict.fromkeys(directions) for piece in wrapped(text, LABEL, NARROW))


def size(lines: Sequence[str]) -> tuple[int, int]:
    """Width and height of a label."""
    widest = max((width(line, LABEL) for line in lines), default=0)
    return widest + 2 * PAD, len(lines) * LEADING + 2 * PAD - 2
