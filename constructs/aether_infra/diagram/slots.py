"""Load balancers side by side: each has a slot of its own, even where they stand in different rows.

So the lines of one never cross the box of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from aether_infra.diagram.blocks import GAP, INSET, Block, Card, Group, Row, Space
from aether_infra.diagram.model import API, MANAGER, NODES, Architecture, Balancer, Part, Place
from aether_infra.diagram.nodes import ZONE_GAP, look_of, subnet_facts
from aether_infra.diagram.scene import Look
from aether_infra.diagram.surroundings import frame, from_outside, label_width

PASS: Final = 110
"""Least width of a slot in which only a line passes."""
ENTRY: Final = 200
"""Least room, behind the headings, in which lines come to the first balancer."""


@frozen(kw_only=True)
class Slot:
    """Room for a balancer, or for a line that passes."""

    key: str
    """Key of the balancer, or of the part that the line leads to."""
    place: Place
    block: Block

    @property
    def is_pass(self) -> bool:
        """Whether only a line passes."""
        return isinstance(self.block, Space)


def told(balancer: Balancer) -> Part:
    """A balancer with its listeners as facts."""
    return Part(
        key=balancer.key,
        kind=balancer.kind,
        name=balancer.name,
        facts=balancer.listeners,
        sources=balancer.sources,
    )


def slots_of(architecture: Architecture) -> list[Slot]:
    """The slots, from left to right: balancers outside of the region first, lines that pass last."""
    balancers = sorted(architecture.balancers, key=lambda each: each.place is not Place.GLOBAL)
    found: list[Slot] = []
    wrapped: dict[str, list[Block]] = {}
    for balancer in balancers:
        alone = balancer is balancers[0] and balancer.subnet is None
        card = Card(
            part=told(balancer),
            look=Look.BALANCER,
            room=330,
            least=280,
            second=balancer.facts if alone else (),
            below=() if alone else balancer.facts,
        )
        if balancer.subnet is None:
            found.append(Slot(key=balancer.key, place=balancer.place, block=card))
        elif balancer.subnet in wrapped:
            wrapped[balancer.subnet].append(card)
        else:
            wrapped[balancer.subnet] = [card]
            block = _in_subnet(architecture, balancer.subnet, wrapped[balancer.subnet])
            found.append(Slot(key=balancer.key, place=balancer.place, block=block))
    return [*found, *_empty_subnets(architecture, set(wrapped)), *_passes(architecture)]


def _in_subnet(architecture: Architecture, key: str, cards: list[Block]) -> Group:
    """A subnet of all zones with the balancers in it."""
    subnet = next(each for each in architecture.subnets if each.key == key)
    return Group(
        key=subnet.key,
        part=subnet,
        content=Row(blocks=cards, gap=ZONE_GAP),
        look=look_of(subnet),
        heading=subnet.name,
        facts=subnet_facts(subnet),
        beside=True,
        small=True,
    )


def _empty_subnets(architecture: Architecture, used: set[str]) -> list[Slot]:
    """Public subnets of all zones in which nothing stands yet."""
    api = architecture.cluster.api_subnet if architecture.cluster else None
    return [
        Slot(
            key=subnet.key,
            place=Place.NETWORK,
            block=Card(part=evolve(subnet, facts=subnet_facts(subnet)), look=Look.PUBLIC),
        )
        for subnet in architecture.subnets
        if subnet.public and not subnet.zonal and subnet.key not in {*used, api}
    ]


def _passes(architecture: Architecture) -> list[Slot]:
    """Room for lines from outside to the Kubernetes API, and to the nodes themselves."""
    return [
        Slot(key=key, place=Place.NETWORK, block=Space(width=max(PASS, label_width(flows) + 40)))
        for key in (API, NODES, MANAGER)
        if (flows := from_outside(architecture, key))
    ]


def least_width(architecture: Architecture, slots: Sequence[Slot], tier: Group) -> int:
    """Least width of all slots together: the first one reaches behind the headings of what it stands in."""
    if not slots:
        return 0
    entering = sum(label_width([flow]) + 40 for flow in from_outside(architecture, slots[0].key))
    first = max(slots[0].block.size[0], headings(architecture, slots, tier) + max(ENTRY, entering))
    return first + sum(slot.block.size[0] + GAP for slot in slots[1:])


def widths(slots: Sequence[Slot], room: int) -> list[int]:
    """Width of each slot: the first one takes what is left."""
    found = [slot.block.size[0] for slot in slots]
    if found:
        found[0] += room - sum(found) - GAP * (len(found) - 1)
    return found


def headings(architecture: Architecture, slots: Sequence[Slot], tier: Group) -> int:
    """How far headings of what holds the nodes reach, from where the slots begin: lines pass behind that."""
    reach = [
        frame(part).heading_width for part in (architecture.region, architecture.network) if part is not None
    ]
    reach += [slot.block.heading_width + INSET for slot in slots if isinstance(slot.block, Group)]
    if architecture.cluster is not None:  # lines end within the cluster; else at the nodes' border
        reach.append(tier.heading_width + INSET)
        inner = [block for block in getattr(tier.content, "blocks", []) if isinstance(block, Group)]
        reach += [block.heading_width + 2 * INSET for block in inner]
    return max([0, *reach]) + 12
