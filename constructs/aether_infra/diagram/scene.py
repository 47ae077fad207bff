"""What is on the sheet and where: pixels, with the origin at the top left."""

from __future__ import annotations

from enum import StrEnum

from attrs import Factory, define, frozen

from aether_infra.diagram.model import Flow, Part, Purpose
from aether_infra.diagram.text import width


@frozen(kw_only=True)
class Rect:
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Where it ends."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Where it ends."""
        return self.y + self.height

    @property
    def middle(self) -> tuple[int, int]:
        """Its centre."""
        return self.x + self.width // 2, self.y + self.height // 2

    def overlaps(self, other: Rect, margin: int = 0) -> bool:
        """Whether two rectangles share a point, or come closer than a margin."""
        return (
            self.x < other.right + margin
            and other.x < self.right + margin
            and self.y < other.bottom + margin
            and other.y < self.bottom + margin
        )

    def holds(self, other: Rect, margin: int = 0) -> bool:
        """Whether another one lies in it, with a margin."""
        return (
            self.x + margin <= other.x
            and self.y + margin <= other.y
            and other.right + margin <= self.right
            and other.bottom + margin <= self.bottom
        )


class Look(StrEnum):
    """How a box is drawn."""

    ACTOR = "actor"
    REGION = "region"
    NETWORK = "network"
    PUBLIC = "public"
    PRIVATE = "private"
    ZONE = "zone"
    GROUP = "group"
    CLUSTER = "cluster"
    POOL = "pool"
    WORKLOAD = "workload"
    CARD = "card"
    NODE = "node"
    STACK = "stack"
    BALANCER = "balancer"
    PLAIN = "plain"
    BARE = "bare"
    """Words alone."""


@frozen(kw_only=True, eq=False)
class Box:
    """A rectangle that stands for a part, or that holds others."""

    key: str
    rect: Rect
    look: Look
    parent: str | None
    """Key of the box that it lies in."""
    part: Part | None = None
    container: bool = False
    """Whether it holds others, so that lines may cross its border."""


@frozen(kw_only=True, eq=False)
class Text:
    """One line of text."""

    x: int
    """Where it begins."""
    y: int
    """Its base line."""
    value: str
    size: int
    box: str
    """Key of the box that it belongs to."""
    bold: bool = False
    quiet: bool = False
    badge: bool = False
    """Whether it stands on a field of its own."""

    @property
    def rect(self) -> Rect:
        """The room that it takes."""
        return Rect(
            x=self.x,
            y=self.y - self.size,
            width=width(self.value, self.size, bold=self.bold),
            height=self.size + self.size // 4,
        )


@frozen(kw_only=True, eq=False)
class Icon:
    """A sign beside a heading."""

    x: int
    y: int
    name: str
    box: str


@define(kw_only=True, eq=False)
class Line:
    """A flow as a line of horizontal and vertical pieces."""

    flows: tuple[Flow, ...]
    purpose: Purpose
    points: list[tuple[int, int]]
    tip: bool = True
    """An arrowhead at its end."""
    tail: bool = False
    """An arrowhead at its beginning."""
    knot: bool = False
    """A dot at its beginning, where it leaves a bus."""


@frozen(kw_only=True, eq=False)
class Label:
    """Words on a line."""

    rect: Rect
    lines: tuple[str, ...]
    purpose: Purpose
    flows: tuple[Flow, ...]


@frozen(kw_only=True, eq=False)
class Sample:
    """A line of the legend."""

    x: int
    y: int
    purpose: Purpose


@define(kw_only=True)
class Scene:
    """The sheet."""

    width: int = 0
    height: int = 0
    title: str = ""
    description: str = ""
    boxes: dict[str, Box] = Factory(dict)
    texts: list[Text] = Factory(list)
    icons: list[Icon] = Factory(list)
    lines: list[Line] = Factory(list)
    labels: list[Label] = Factory(list)
    samples: list[Sample] = Factory(list)
    faults: list[str] = Factory(list)
    """Where lines or words had no free room: empty for everything that this project builds."""

    def add(self, box: Box) -> None:
        """Put a box on the sheet.

        Raises:
            ValueError: there is one of this key already.
        """
        if box.key in self.boxes:
            raise ValueError(f"two boxes of the key {box.key}")
        self.boxes[box.key] = box

    def around(self, key: str) -> list[str]:
        """Keys of a box and of all that it lies in, inner ones first."""
        found = []
        inner: str | None = key
        while inner is not None:
            found.append(inner)
            inner = self.boxes[inner].parent
        return found
