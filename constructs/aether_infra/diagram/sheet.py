"""The whole sheet: heading, legend, picture, and what has no place in it."""

from __future__ import annotations

from typing import Final

from aether_infra.diagram.arrange import MARGIN, arrange
from aether_infra.diagram.blocks import FACT, GAP, Block, Card, Column, Group, Row
from aether_infra.diagram.model import Architecture, Kind, Part, Purpose
from aether_infra.diagram.routes import route
from aether_infra.diagram.scene import Box, Look, Rect, Sample, Scene, Text
from aether_infra.diagram.text import fitted, width

TITLE: Final = 30
SUBTITLE: Final = 15
SAMPLE: Final = 46
"""Room for a line of the legend."""
COLUMN: Final = 270
"""About the width of a column of what is built besides."""


def draw(architecture: Architecture) -> Scene:
    """Lay a picture out.

    Args:
        architecture: what is drawn.

    Returns:
        The sheet: boxes, words and lines, each at its place. The same picture always gives the same sheet.
    """
    scene = route(arrange(architecture))
    scene.title = f"{architecture.title}: {architecture.cloud}"
    scene.description = describe(architecture)
    _legend(scene, _heading(scene, architecture))
    _besides(scene, architecture)
    scene.height += MARGIN
    return scene


def describe(architecture: Architecture) -> str:
    """The picture in sentences, for who cannot see it."""
    built = len([each for each in architecture.resources if not each.is_data])
    sentences = [
        f"Aether cluster {architecture.title} on {architecture.cloud}: {', '.join(architecture.summary)}.",
        *(f"{balancer.name}: {', '.join(balancer.listeners)}." for balancer in architecture.balancers),
        f"Drawn from {built} resources.",
    ]
    return " ".join(sentences)


def _heading(scene: Scene, architecture: Architecture) -> int:
    """Name and summary at the top left; returns where they end."""
    stacks = list(dict.fromkeys(resource.stack for resource in architecture.resources))
    built = len([each for each in architecture.resources if not each.is_data])
    room = scene.width - 2 * MARGIN
    source = f"drawn from {built} resources of {' and '.join(stacks)}"
    lines = (
        (fitted(architecture.title, TITLE, room, bold=True), TITLE, True),
        (
            fitted(" · ".join((architecture.cloud, *architecture.summary, source)), SUBTITLE, room),
            SUBTITLE,
            False,
        ),
    )
    scene.add(
        Box(
            key="title",
            rect=Rect(x=MARGIN - 4, y=MARGIN - 16, width=room + 8, height=74),
            look=Look.BARE,
            parent=None,
        )
    )
    y = MARGIN + 18
    for value, size, bold in lines:
        scene.texts.append(
            Text(x=MARGIN, y=y, value=value, size=size, box="title", bold=bold, quiet=not bold)
        )
        y += 28
    return MARGIN + width(lines[0][0], TITLE, bold=True)


def _legend(scene: Scene, left: int) -> None:
    """What the lines mean, at the top right, of those that there are."""
    used = [purpose for purpose in Purpose if any(line.purpose is purpose for line in scene.lines)]
    x = scene.width - MARGIN
    for purpose in reversed(used):
        wide = width(purpose.value, FACT)
        if x - wide - SAMPLE < left + GAP:
            break
        x -= wide
        y = MARGIN + 14
        scene.texts.append(Text(x=x, y=y, value=purpose.value, size=FACT, box="title", quiet=True))
        x -= SAMPLE
        scene.samples.append(Sample(x=x, y=y - 4, purpose=purpose))
        x -= 26


def _besides(scene: Scene, architecture: Architecture) -> None:
    """What has no place of its own, counted, below the picture."""
    if not architecture.others:
        return
    room = scene.width - 2 * MARGIN
    fitting = max(1, min(len(architecture.others), (room - 2 * GAP) // COLUMN))
    inner = (room - 2 * GAP - GAP * (fitting - 1)) // fitting
    cards: list[Block] = []
    for group in architecture.others:
        facts = tuple(f"{count} {words}" if count > 1 else words for words, count in group.counts)
        part = Part(
            key=f"others/{group.concern}",
            kind=Kind.OTHER,
            name=group.concern,
            facts=(", ".join(facts),),
            sources=group.sources,
        )
        cards.append(Card(part=part, look=Look.BARE, room=inner - 2 * GAP))
    rows: list[Block] = [
        Row(blocks=cards[start : start + fitting], equal=True) for start in range(0, len(cards), fitting)
    ]
    count = sum(len(group.sources) for group in architecture.others)
    block = Group(
        key="others",
        content=Column(blocks=rows, gap=4),
        look=Look.PLAIN,
        heading=f"Also built, without a place in the picture: {count} resources",
        small=True,
    )
    block.place(scene, Rect(x=MARGIN, y=scene.height + GAP, width=room, height=block.size[1]), None)
    scene.height += GAP + block.size[1]
