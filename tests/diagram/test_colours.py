"""Words in a picture can be read, in the light and in the dark, and on paper; arrows are told apart without colour."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from aether_infra.diagram.model import Purpose
from aether_infra.diagram.svg import style

SURFACES = ("sheet", "region", "network", "public", "private", "zone", "card", "cluster", "pool", "plain")
BLOCKS = re.findall(r"\.aether \{(.*?)\}", style(), re.DOTALL)
THEMES = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in BLOCKS]
PALETTES = dict(zip(("light", "dark", "print"), THEMES, strict=True))
LEGIBLE = 4.5
"""Least contrast of small words: https://www.w3.org/TR/WCAG22/#contrast-minimum."""
VISIBLE = 3.0
"""Least contrast of lines and icons: https://www.w3.org/TR/WCAG22/#non-text-contrast."""


def channels(colour: str) -> list[float]:
    """The colour in linear light."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        red, green, blue = channels(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05

    low, high = sorted((light(one), light(other)))
    return high / low


@pytest.mark.parametrize("name", PALETTES)
def test_words_can_be_read(name: str) -> None:
    palette = PALETTES[name]
    assert set(palette) == set(PALETTES["light"])
    for surface in SURFACES:
        for ink in ("ink", "quiet"):
            assert contrast(palette[ink], palette[surface]) >= LEGIBLE, (ink, surface)
        for purpose in Purpose:
            assert contrast(palette[purpose.name.lower()], palette[surface]) >= VISIBLE, (purpose, surface)
    for purpose in Purpose:
        assert contrast(palette[purpose.name.lower()], palette["sheet"]) >= LEGIBLE, (
            "labels lie on the sheet's colour"
        )
    assert contrast(palette["card"], palette["node-edge"]) >= LEGIBLE, "badges"


def test_what_is_printed_is_the_light_one() -> None:
    assert PALETTES["print"] == PALETTES["light"]


def test_arrows_differ_by_more_than_colour() -> None:
    """Those of one dash differ in who they lead to: users in, nodes out, and nodes among themselves."""
    rules = dict(re.findall(r"\.aether \.([a-z]+) \{ stroke: ([^}]*)\}", style()))
    looks = {
        purpose: re.sub(r"var\([^)]*\);", "", rules[purpose.name.lower()]).strip() for purpose in Purpose
    }
    dashed = {Purpose.MANAGEMENT, Purpose.HEALTH, Purpose.CONTROL}
    assert all(looks[one] != looks[other] for one, other in combinations(dashed, 2))
    assert all("dasharray" in looks[purpose] for purpose in dashed)
    assert all("dasharray" not in looks[purpose] for purpose in set(Purpose) - dashed)
