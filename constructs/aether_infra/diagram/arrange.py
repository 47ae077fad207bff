"""Where every box stands.

The sheet reads from top to bottom, as requests go: who is outside, load balancers, public subnets, the nodes. Ways out
stand at the right of the nodes, and the cloud's services at the right of the network. Zones are columns.
"""

from __future__ import annotations

from typing import Final

from attrs import define, evolve, field

from aether_infra.diagram.blocks import GAP, INSET, Block, Card, Group, Row, actor
from aether_infra.diagram.model import API, INTERNET_GATEWAY, MANAGER, NEIGHBOURS, Architecture, Part, Place
from aether_infra.diagram.nodes import tier
from aether_infra.diagram.scene import Rect, Scene
from aether_infra.diagram.slots import Slot, least_width, slots_of, widths
from aether_infra.diagram.surroundings import (
    BORDER,
    frame,
    from_outside,
    label_height,
    lanes,
    passing,
    public_row,
    public_subnets,
    room_beside,
    serves,
    services_column,
    ways_out_column,
)

MARGIN: Final = 36
"""Around the sheet."""
HEADING: Final = 78
"""Height of the sheet's heading."""
LANE: Final = 76
"""Room beside public subnets, in which a line passes to the Kubernetes API."""
LEAST: Final = 800
"""Least width of what holds balancers and nodes: the sheet's heading needs as much."""
SIDE: Final = 26
"""Room beside the ways out, for each line that passes there."""
BAND: Final = 34
"""Least height of a free band between rows, without its label."""
LINE: Final = 52
"""Room between network and services in which a line passes."""


@define(kw_only=True)
class Arrangement:
    """The boxes of one picture, and the room between them."""

    architecture: Architecture
    scene: Scene = field(factory=Scene)
    tier: str = ""
    """Key of the outermost box of the nodes."""
    passes: dict[str, Rect] = field(factory=dict)
    """Room in the balancers' rows in which a line from outside passes to a part further in, by that part's key."""
    bands: list[tuple[int, int]] = field(factory=list)
    """Free bands between rows, top and bottom, in which lines may turn."""
    side: int = 0
    """Where lines pass beside the ways out."""
    actors: tuple[int, int] = (0, 0)
    """Top and bottom of the row of those outside."""


def arrange(architecture: Architecture) -> Arrangement:
    """Put every box of a picture on a sheet, but for those outside, who stand where their lines end."""
    builder = _Builder(architecture=architecture)
    builder.run()
    return builder.out


@define(kw_only=True)
class _Builder:
    architecture: Architecture
    out: Arrangement = field(init=False)
    lane: int = field(init=False)
    tier: Group = field(init=False)
    slots: list[Slot] = field(init=False)
    exits: Block = field(init=False)
    services: Group | None = field(init=False)
    main: Rect = field(init=False)
    """Left and width of what holds balancers and nodes; heights grow as rows are added."""
    outside: Rect = field(init=False)
    """Left and width of the ways out."""
    beside: Rect = field(init=False)
    """Left and width of the cloud's services."""
    waiting: list[tuple[Block, Rect, str]] = field(factory=list)
    """Blocks with their places, and the key of what they stand in: containers come first."""

    def __attrs_post_init__(self) -> None:
        picture = self.architecture
        self.out = Arrangement(architecture=picture)
        passed = public_subnets(picture) and (from_outside(picture, API) or from_outside(picture, MANAGER))
        self.lane = LANE - INSET if passed else 0
        self.tier = tier(picture, self.lane)
        self.out.tier = self.tier.key
        self.slots = slots_of(picture)
        self.exits = ways_out_column(picture)
        self.services = services_column(picture) if picture.services else None
        self._across()

    # from left to right

    def _across(self) -> None:
        picture = self.architecture
        network_left = MARGIN + self._border(picture.region)
        left = network_left + self._border(picture.network)
        row = public_row(picture)
        wide = max(
            LEAST,
            self.tier.size[0],
            row.size[0] + self.lane + 2 * INSET,
            least_width(picture, self.slots, self.tier),
        )
        self.main = Rect(x=left, y=0, width=wide, height=0)
        exits = self.exits.size[0]
        sides = lanes(picture)
        start = self.main.right + (room_beside(picture) if exits else 0)
        self.outside = Rect(x=start, y=0, width=exits, height=0)
        self.out.side = self.outside.right + (14 if exits or sides else 0)
        network_right = self.outside.right + sides * SIDE + self._border(picture.network)
        gap = (LINE if serves(picture) else GAP + 8) if self.services else 0
        self.beside = Rect(
            x=network_right + gap, y=0, width=self.services.size[0] if self.services else 0, height=0
        )

    def _border(self, part: Part | None) -> int:
        return BORDER if part else 0

    @property
    def network_right(self) -> int:
        """Where the network ends."""
        sides = lanes(self.architecture)
        return self.outside.right + sides * SIDE + self._border(self.architecture.network)

    # from top to bottom

    def run(self) -> None:
        """Place everything."""
        picture = self.architecture
        y = self._actors_row(MARGIN + HEADING)
        y = self._slot_row(Place.GLOBAL, y)
        region_top = y
        y = self._slot_row(Place.REGION, y + self._heading(picture.region))
        network_top = y
        y = self._network_row(y + self._heading(picture.network))
        y = self._public_row(y)
        bottom = y + max(self.tier.size[1], self.exits.size[1] + 2 * GAP) + self._border(picture.network)
        top = network_top if picture.network else region_top
        bottom = max(bottom, top + self.services.size[1] if self.services else 0)
        region_bottom = bottom + self._border(picture.region)
        self._frame(picture.region, MARGIN, region_top, self._region_right, region_bottom)
        network_left = self.main.x - self._border(picture.network)
        self._frame(picture.network, network_left, network_top, self.network_right, bottom)
        self._place_waiting()
        tier_rect = evolve(self.main, y=y, height=bottom - self._border(picture.network) - y)
        self.tier.place(self.out.scene, tier_rect, self._parent(Place.NETWORK))
        self._place_exits(tier_rect)
        if self.services:
            rect = evolve(self.beside, y=top, height=bottom - top)
            self.services.place(self.out.scene, rect, self._parent(Place.REGION))
        self.out.scene.width = self._region_right + MARGIN
        self.out.scene.height = region_bottom

    @property
    def _region_right(self) -> int:
        return self.beside.right + self._border(self.architecture.region)

    def _heading(self, part: Part | None) -> int:
        return frame(part).top if part else 0

    def _band(self, top: int, label: int) -> int:
        """Free room below something, for a label and the lines that turn there; returns where it ends."""
        bottom = top + label + BAND
        self.out.bands.append((top, bottom))
        return bottom

    def _actors_row(self, y: int) -> int:
        height = max((actor(part).size[1] for part in self.architecture.actors), default=0)
        self.out.actors = (y, y + height)
        return self._band(y + height, label_height(from_outside(self.architecture))) if height else y

    def _slot_row(self, place: Place, y: int, least: int = 0) -> int:
        """Place the balancers of one row; returns where the room below it, for lines and labels, ends."""
        here = [slot for slot in self.slots if slot.place is place and not slot.is_pass]
        height = max([least, *(slot.block.size[1] for slot in here)])
        x = self.main.x
        for slot, wide in zip(self.slots, widths(self.slots, self.main.width), strict=True):
            rect = Rect(x=x, y=y, width=wide, height=height)
            if slot.is_pass:
                self.out.passes[slot.key] = rect
            elif slot in here:
                self.waiting.append((slot.block, rect, place.value))
            x += wide + GAP
        if not height:
            return y
        order = list(Place)
        last = all(order.index(slot.place) <= order.index(place) for slot in self.slots if not slot.is_pass)
        return self._band(y + height, label_height(passing(self.architecture)) if last else 0)

    def _network_row(self, y: int) -> int:
        """Balancers in the network, and its door to the internet at their right."""
        door = next((each for each in self.architecture.gateways if each.key == INTERNET_GATEWAY), None)
        if door is None:
            return self._slot_row(Place.NETWORK, y)
        card = Card(part=door, room=140)
        self.waiting.append((card, evolve(self.outside, y=y, height=card.size[1]), Place.NETWORK.value))
        return self._slot_row(Place.NETWORK, y, card.size[1])

    def _public_row(self, y: int) -> int:
        row: Row = public_row(self.architecture)
        if not row.blocks:
            return y
        rect = Rect(
            x=self.main.x + INSET, y=y, width=self.main.width - 2 * INSET - self.lane, height=row.size[1]
        )
        self.waiting.append((row, rect, Place.NETWORK.value))
        return self._band(rect.bottom, label_height(passing(self.architecture)))

    # containers first, then what they hold

    def _frame(self, part: Part | None, left: int, top: int, right: int, bottom: int) -> None:
        if part is not None:
            parent = self._parent(Place.REGION) if part is self.architecture.network else None
            rect = Rect(x=left, y=top, width=right - left, height=bottom - top)
            frame(part).place(self.out.scene, rect, parent)

    def _parent(self, place: Place) -> str | None:
        """Key of the box that something stands in."""
        region, network = self.architecture.region, self.architecture.network
        if place is Place.NETWORK and network:
            return network.key
        return region.key if region and place is not Place.GLOBAL else None

    def _place_waiting(self) -> None:
        for block, rect, place in self.waiting:
            block.place(self.out.scene, rect, self._parent(Place(place)))

    def _place_exits(self, beside: Rect) -> None:
        """Ways out stand beside the nodes, below the line that leads from other machines to the Kubernetes API."""
        scene, high = self.out.scene, self.exits.size[1]
        top = beside.y + min((beside.height - high) // 2, 60)
        if any(flow.source == NEIGHBOURS and flow.target == API for flow in self.architecture.flows):
            top = max(top, scene.boxes[API].rect.bottom + GAP)
        self.exits.place(scene, evolve(self.outside, y=top, height=high), self._parent(Place.NETWORK))
