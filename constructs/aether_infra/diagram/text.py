"""How wide a text is, without a font at hand.

Widths are those of Helvetica, which Arial, Liberation Sans and Nimbus Sans share. Source: Adobe's font metrics of the
14 core fonts, https://www.adobe.com/devnet/font.html (Core14 AFM files), in thousandths of the font's size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import ceil
from typing import Final

FAMILY: Final = "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', sans-serif"
WIDEST: Final = 1000
"""Of characters that are not in the tables, such as ideographs."""
ELLIPSIS: Final = "…"

_COMMON: Final[Mapping[str, int]] = {"…": 1000, "→": 1000, "·": 333}


def _table(rows: str) -> Mapping[str, int]:
    """Read `width characters` pairs."""
    found: dict[str, int] = dict(_COMMON)
    for row in rows.split("\n"):
        width, _, characters = row.strip().partition(" ")
        found |= dict.fromkeys(characters, int(width))
    return found | {" ": 278}


REGULAR: Final = _table(
    """191 '
    222 ijl
    260 |
    278 !,./:;I[]\\ft
    333 ()-r`
    334 {}
    355 "
    389 *
    469 ^
    500 Jckvxysz
    556 #$0123456789?L_abdeghnopqu
    584 +<=>~
    611 FTZ
    667 &ABEKPSVXY
    722 CDHNRUw
    778 GOQ
    833 Mm
    889 %
    944 W
    1015 @"""
)
BOLD: Final = _table(
    """238 '
    278 ,./I\\ijl
    280 |
    333 !()-:;[]`ft
    389 *{}r
    474 "
    500 z
    556 #$0123456789J_aceksvxy
    584 +<=>^~
    611 ?FLTZbdghnopqu
    667 EPSVXY
    722 &ABCDHKNRU
    778 GOQw
    833 M
    889 %m
    944 W
    975 @"""
)


@cache
def width(text: str, size: int, *, bold: bool = False) -> int:
    """Width of a text in pixels, rounded up.

    Args:
        text: one line.
        size: the font's size in pixels.
        bold: whether it is bold.
    """
    table = BOLD if bold else REGULAR
    return ceil(sum(table.get(character, WIDEST) for character in text) * size / 1000)


def fitted(text: str, size: int, room: int, *, bold: bool = False) -> str:
    """A text that fits, with an ellipsis in place of what does not.

    Args:
        text: one line.
        size: the font's size in pixels.
        room: pixels that there are.
        bold: whether it is bold.
    """
    if width(text, size, bold=bold) <= room:
        return text
    kept = text
    while kept and width(kept.rstrip() + ELLIPSIS, size, bold=bold) > room:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def wrapped(text: str, size: int, room: int, *, bold: bool = False, most: int = 3) -> tuple[str, ...]:
    """Break a text into lines that fit, at spaces, and within a word that is too long at its hyphens and slashes.

    Args:
        text: any text.
        size: the font's size in pixels.
        room: pixels that a line has.
        bold: whether it is bold.
        most: most lines; the last one ends in an ellipsis if there was more.
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        together = f"{line} {word}".strip()
        if width(together, size, bold=bold) <= room:
            line = together
            continue
        if line:
            lines.append(line)
        pieces = _pieces(word, size, room, bold=bold)
        lines += pieces[:-1]
        line = pieces[-1]
    lines += [line] if line else []
    if len(lines) > most:
        rest = " ".join(lines[most - 1 :])
        lines = [*lines[: most - 1], fitted(rest, size, room, bold=bold)]
    return tuple(fitted(each, size, room, bold=bold) for each in lines)


def _pieces(word: str, size: int, room: int, *, bold: bool) -> list[str]:
    """A word that is too long, cut behind its joints."""
    pieces = [""]
    for character in word:
        if width(pieces[-1] + character, size, bold=bold) > room and pieces[-1]:
            cut = max(pieces[-1].rfind(joint) for joint in "-/.@_") + 1
            head, tail = (pieces[-1][:cut], pieces[-1][cut:]) if cut > 1 else (pieces[-1], "")
            pieces[-1:] = [head, tail]
        pieces[-1] += character
    return pieces


def joined(facts: Sequence[str], size: int, room: int) -> tuple[str, ...]:
    """Facts in rows, with a dot between those of one row.

    Args:
        facts: short texts.
        size: the font's size in pixels.
        room: pixels that a row has.
    """
    rows: list[str] = []
    for fact in facts:
        together = f"{rows[-1]} · {fact}" if rows else fact
        if rows and width(together, size) <= room:
            rows[-1] = together
        else:
            rows.append(fitted(fact, size, room))
    return tuple(rows)
