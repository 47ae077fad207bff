"""Boxes that know how much room they need, and put themselves on the sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from attrs import define, field

from aether_infra.diagram.model import Kind, Part
from aether_infra.diagram.scene import Box, Icon, Look, Rect, Scene, Text
from aether_infra.diagram.text import width, wrapped

HEAD: Final = 13
"""Size of a heading."""
FACT: Final = 12
"""Size of what stands below it."""
TITLE: Final = 14
"""Size of the heading of what holds others."""
LEADING: Final = 16
"""From one line to the next."""
ICON: Final = 20
PAD: Final = 12
"""Between a card's border and its text."""
INSET: Final = 16
"""Between the border of what holds others and these."""
GAP: Final = 16
"""Between neighbours."""
SHADOW: Final = 5
"""How far the cards behind a stack's first one stick out."""


class Block(Protocol):
    """Something that takes room."""

    @property
    def size(self) -> tuple[int, int]:
        """Least width and height."""

    def place(self, scene: Scene, rect: Rect, parent: str | None) -> None:
        """Put it on the sheet, with at least its size."""


@define(kw_only=True)
class Space:
    """Room for lines."""

    width: int = 0
    height: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Least width and height."""
        return self.width, self.height

    def place(self, scene: Scene, rect: Rect, parent: str | None) -> None:
        """Leave it free."""


@define(kw_only=True)
class Card:
    """A part with its heading and its facts."""

    part: Part
    look: Look = Look.CARD
    room: int = 190
    """Most pixels of a line."""
    least: int = 0
    """Least width."""
    badge: str = ""
    """A word beside the heading."""
    second: tuple[str, ...] = ()
    """Facts that stand in a second column, where there is room for one."""
    below: tuple[str, ...] = ()
    """Facts of less weight below the others."""
    heading: tuple[str, ...] = field(init=False)
    facts: tuple[str, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.heading = wrapped(self.part.name, HEAD, self.room - ICON - 8, bold=True, most=2)
        self.facts = self._lines(self.part.facts)

    def _lines(self, facts: Sequence[str]) -> tuple[str, ...]:
        return tuple(line for fact in facts for line in wrapped(fact, FACT, self.room, most=6))

    @property
    def size(self) -> tuple[int, int]:
        """Least width and height."""
        badge = width(self.badge, FACT - 1) + 20 if self.badge else 0
        head = ICON + 8 + max((width(line, HEAD, bold=True) for line in self.heading), default=0) + badge
        both = ((*self.facts, *self._lines(self.below)), self._lines(self.second))
        columns = [max((width(line, FACT) for line in lines), default=0) for lines in both]
        widest = max(head, sum(columns) + (3 * GAP if all(columns) else 0))
        lines = len(self.heading) + max(len(each) for each in both)
        extra = SHADOW * 2 if self.look is Look.STACK else 0
        return max(self.least, widest + 2 * PAD) + extra, max(lines * LEADING, ICON) + 2 * PAD - 4 + extra

    def place(self, scene: Scene, rect: Rect, parent: str | None) -> None:
        """Put it on the sheet."""
        key = self.part.key
        if self.look is Look.STACK:
            rect = Rect(x=rect.x, y=rect.y, width=rect.width - 2 * SHADOW, height=rect.height - 2 * SHADOW)
        scene.add(Box(key=key, rect=rect, look=self.look, parent=parent, part=self.part))
        second, below = self._lines(self.second), self._lines(self.below)
        count = len(self.heading) + max(len(self.facts) + len(below), len(second))
        lines = max(count * LEADING, ICON)
        top = rect.y + (rect.height - lines) // 2 if self._centred else rect.y + PAD - 2
        y = top + HEAD - 1 if count > 1 else top + (ICON + HEAD) // 2 - 3
        if self.look is not Look.BARE:
            scene.icons.append(Icon(x=rect.x + PAD, y=top - 1, name=self.part.kind.value, box=key))
        left = rect.x + PAD + (ICON + 8 if self.look is not Look.BARE else 0)
        for line in self.heading:
            scene.texts.append(Text(x=left, y=y, value=line, size=HEAD, box=key, bold=True))
            y += LEADING
        if self.badge:
            x = rect.right - PAD - width(self.badge, FACT - 1) - 6
            scene.texts.append(
                Text(x=x, y=top + HEAD - 1, value=self.badge, size=FACT - 1, box=key, badge=True)
            )
        wide = max((width(line, FACT) for line in self.facts), default=0)
        self._write(scene, rect.x + PAD, y, self.facts, quiet=self.look is not Look.BALANCER)
        self._write(scene, rect.x + PAD, y + len(self.facts) * LEADING, below)
        self._write(scene, max(rect.x + PAD + wide + 3 * GAP, rect.x + rect.width * 2 // 5), y, second)

    def _write(self, scene: Scene, x: int, y: int, lines: Sequence[str], *, quiet: bool = True) -> None:
        wide = max((width(line, FACT) for line in lines), default=0)
        inner = scene.boxes[self.part.key].rect
        x = max(inner.x + PAD, min(x, inner.right - PAD - wide))
        for index, line in enumerate(lines):
            text = Text(x=x, y=y + index * LEADING, value=line, size=FACT, box=self.part.key, quiet=quiet)
            scene.texts.append(text)

    @property
    def _centred(self) -> bool:
        """Whether its text stands in the middle of a box that is higher than it must be."""
        return self.look is Look.ACTOR or not self.facts or self.part.kind in {Kind.GATEWAY, Kind.ENDPOINT}


@define(kw_only=True)
class Row:
    """Blocks side by side."""

    blocks: Sequence[Block]
    gap: int = GAP
    equal: bool = False
    """Whether all are as wide as the widest; where not, the last one takes what is left."""
    grow: bool = True
    """Whether they fill the room that there is."""
    height: bool = True
    """Whether all are as high as the room that there is."""

    @property
    def size(self) -> tuple[int, int]:
        """Least width and height."""
        if not self.blocks:
            return 0, 0
        sizes = [block.size for block in self.blocks]
        widths = [wide for wide, _ in sizes]
        total = max(widths) * len(sizes) if self.equal else sum(widths)
        return total + self.gap * (len(sizes) - 1), max(high for _, high in sizes)

    def widths(self, room: int) -> list[int]:
        """Width of each block, for so much room."""
        count = len(self.blocks)
        inner = room - self.gap * (count - 1)
        if self.equal:
            each = inner // count if self.grow else max(block.size[0] for block in self.blocks)
            return [each] * count
        found = [block.size[0] for block in self.blocks]
        spare = inner - sum(found)
        if self.grow and spare > 0:
            found = [wide + spare // count for wide in found]
        return found

    def place(self, scene: Scene, rect: Rect, parent: str | None) -> None:
        """Put them on the sheet."""
        if not self.blocks:
            return
        x = rect.x
        for block, wide in zip(self.blocks, self.widths(rect.width), strict=True):
            high = rect.height if self.height else block.size[1]
            block.place(scene, Rect(x=x, y=rect.y, width=wide, height=high), parent)
            x += wide + self.gap


@define(kw_only=True)
class Column:
    """Blocks one below the other, all as wide as the room."""

    blocks: Sequence[Block]
    gap: int = GAP
    stretch: int | None = None
    """Index of the block that takes what height is left."""

    @property
    def size(self) -> tuple[int, int]:
        """Least width and height."""
        if not self.blocks:
            return 0, 0
        sizes = [block.size for block in self.blocks]
        return max(wide for wide, _ in sizes), sum(high for _, high in sizes) + self.gap * (len(sizes) - 1)

    def place(self, scene: Scene, rect: Rect, parent: str | None) -> None:
        """Put them on the sheet."""
        spare = rect.height - self.size[1]
        y = rect.y
        for index, block in enumerate(self.blocks):
            high = block.size[1] + (spare if index == self.stretch and spare > 0 else 0)
            block.place(scene, Rect(x=rect.x, y=y, width=rect.width, height=high), parent)
            y += high + self.gap


@define(kw_only=True)
class Group:
    """A box with a heading that holds others."""

    key: str
    content: Block
    look: Look
    part: Part | None = None
    heading: str = ""
    facts: tuple[str, ...] = ()
    inset: int = INSET
    beside: bool = False
    """Whether facts stand beside the heading, and not below."""
    small: bool = False
    """Whether the heading is that of something small."""
    aside: bool = False
    """Whether what it holds stands beside heading and facts, at the right."""

    @property
    def _size(self) -> int:
        return HEAD if self.small else TITLE

    @property
    def top(self) -> int:
        """Height of the heading."""
        lines = bool(self.heading) + (0 if self.beside else len(self.facts))
        return lines * LEADING + 14 if lines else self.inset

    @property
    def heading_width(self) -> int:
        """Width of the heading with its facts."""
        head = width(self.heading, self._size, bold=True) + self._mark
        facts = [width(fact, FACT) for fact in self.facts]
        return head + sum(wide + 14 for wide in facts) if self.beside else max([head, *facts])

    @property
    def _mark(self) -> int:
        return ICON + 8 if self.part is not None and not self.small else 0

    @property
    def size(self) -> tuple[int, int]:
        """Least width and height."""
        wide, high = self.content.size
        if self.aside:
            gap = GAP if wide else 0
            return wide + gap + self.heading_width + 2 * self.inset, max(high + 2 * self.inset - 8, self.top)
        return max(wide, self.heading_width) + 2 * self.inset, high + self.top + self.inset

    def place(self, scene: Scene, rect: Rect, parent: str | None) -> None:
        """Put it and what it holds on the sheet."""
        scene.add(Box(key=self.key, rect=rect, look=self.look, parent=parent, part=self.part, container=True))
        x, y = rect.x + self.inset, rect.y + 7 + self._size
        if self.aside:
            y += (rect.height - self.top) // 2
        if self.heading:
            if self._mark and self.part is not None:
                scene.icons.append(Icon(x=x, y=y - self._size - 1, name=self.part.kind.value, box=self.key))
            x += self._mark
            scene.texts.append(Text(x=x, y=y, value=self.heading, size=self._size, box=self.key, bold=True))
            x += width(self.heading, self._size, bold=True) + 14
        for fact in self.facts:
            if not self.beside:
                x, y = rect.x + self.inset, y + LEADING
            scene.texts.append(Text(x=x, y=y, value=fact, size=FACT, box=self.key, quiet=True))
            x += width(fact, FACT) + 14
        if self.aside:
            wide, high = self.content.size
            inner = Rect(
                x=rect.right - self.inset - wide,
                y=rect.y + (rect.height - high) // 2,
                width=wide,
                height=high,
            )
            self.content.place(scene, inner, self.key)
            return
        self.content.place(
            scene,
            Rect(
                x=rect.x + self.inset,
                y=rect.y + self.top,
                width=rect.width - 2 * self.inset,
                height=rect.height - self.top - self.inset,
            ),
            self.key,
        )


@define(kw_only=True)
class Margin:
    """A block with free room beside it."""

    content: Block
    left: int = 0
    right: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Least width and height."""
        wide, high = self.content.size
        return wide + self.left + self.right, high

    def place(self, scene: Scene, rect: Rect, parent: str | None) -> None:
        """Put it on the sheet."""
        wide = rect.width - self.left - self.right
        self.content.place(
            scene, Rect(x=rect.x + self.left, y=rect.y, width=wide, height=rect.height), parent
        )


def actor(part: Part) -> Card:
    """Somebody outside."""
    return Card(part=part, look=Look.ACTOR, room=220)
