"""The picture as SVG: one file, no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from aether_infra.diagram.blocks import SHADOW
from aether_infra.diagram.icons import ICONS
from aether_infra.diagram.labels import LABEL, LEADING, PAD
from aether_infra.diagram.model import Kind, Purpose
from aether_infra.diagram.scene import Box, Label, Line, Look, Scene, Text
from aether_infra.diagram.text import FAMILY, width

RADIUS: Final[Mapping[Look, int]] = {
    Look.ACTOR: 10,
    Look.REGION: 14,
    Look.NETWORK: 12,
    Look.CLUSTER: 10,
    Look.GROUP: 10,
    Look.PLAIN: 10,
}
CORNER: Final = 8
"""Radius of a line's turn."""


def svg(scene: Scene, *, inline: bool = False) -> str:
    """Render a sheet.

    Args:
        scene: the sheet.
        inline: whether it becomes part of an HTML page: parts can then be reached with the keyboard.

    Returns:
        The document's text.
    """
    return "\n".join(_document(scene, inline=inline)) + "\n"


def style() -> str:
    """The style sheet of every picture."""
    return (
        files("aether_infra.diagram")
        .joinpath("picture.css")
        .read_text(encoding="utf-8")
        .replace("FAMILY", FAMILY)
    )


def _document(scene: Scene, *, inline: bool) -> Iterator[str]:
    name = "" if inline else ' xmlns="http://www.w3.org/2000/svg"'
    role = "group" if inline else "img"
    yield (
        f'<svg{name} class="aether" width="{scene.width}" height="{scene.height}" '
        f'viewBox="0 0 {scene.width} {scene.height}" role="{role}" aria-labelledby="picture-title picture-description">'
    )
    yield f'<title id="picture-title">{escape(scene.title)}</title>'
    yield f'<desc id="picture-description">{escape(scene.description)}</desc>'
    if not inline:
        yield f"<style>{style()}</style>"
    yield "<defs>"
    for purpose in Purpose:
        yield (
            f'<marker id="tip-{purpose.name.lower()}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" '
            f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
            f'<path class="tip {purpose.name.lower()}" d="M0 .8 10 5 0 9.200Z"/></marker>'
        )
    for kind in sorted({icon.name for icon in scene.icons}):
        yield f'<symbol id="icon-{_slug(kind)}" viewBox="0 0 20 20"><path d="{ICONS[Kind(kind)]}"/></symbol>'
    yield "</defs>"
    yield f'<rect class="sheet" width="{scene.width}" height="{scene.height}" rx="16"/>'
    for box in scene.boxes.values():
        yield from _box(scene, box, inline=inline)
    for sample in scene.samples:
        name = sample.purpose.name.lower()
        end = "" if sample.purpose is Purpose.PEERS else f' marker-end="url(#tip-{name})"'
        yield f'<path class="line {name}" d="M{sample.x} {sample.y}h36"{end}/>'
    for line in scene.lines:
        yield _line(line)
    for label in scene.labels:
        yield from _label(label, inline=inline)
    yield "</svg>"


def _slug(text: str) -> str:
    return text.replace(" ", "-").lower()


def _box(scene: Scene, box: Box, *, inline: bool) -> Iterator[str]:
    kind = f" kind-{_slug(box.part.kind.value)}" if box.part else ""
    marks = " existing" if box.part and box.part.existing else ""
    reach = ""
    if inline and box.part is not None:
        reach = (
            f' tabindex="0" role="button" data-key={quoteattr(box.key)} aria-label={quoteattr(_spoken(box))}'
        )
    yield f'<g class="box {box.look.value}{kind}{marks}"{reach}>'
    rect, radius = box.rect, RADIUS.get(box.look, 8)
    if box.look is Look.STACK:
        for step in (2, 1):
            shift = step * SHADOW
            yield (
                f'<rect class="frame behind" x="{rect.x + shift}" y="{rect.y + shift}" width="{rect.width}" '
                f'height="{rect.height}" rx="{radius}"/>'
            )
    if box.look is not Look.BARE:
        size = f'width="{rect.width}" height="{rect.height}"'
        yield f'<rect class="frame" x="{rect.x}" y="{rect.y}" {size} rx="{radius}"/>'
    for icon in scene.icons:
        if icon.box == box.key:
            place = f'x="{icon.x}" y="{icon.y}" width="16" height="16"'
            yield f'<use class="icon" href="#icon-{_slug(icon.name)}" {place}/>'
    for text in scene.texts:
        if text.box == box.key:
            yield from _text(text)
    yield "</g>"


def _text(text: Text) -> Iterator[str]:
    marks = (("strong", text.bold), ("quiet", text.quiet), ("badge", text.badge))
    look = " ".join(name for name, on in marks if on)
    if text.badge:
        field = text.rect
        yield (
            f'<rect class="badge-field" x="{field.x - 6}" y="{field.y - 1}" width="{field.width + 12}" '
            f'height="{field.height + 3}" rx="8"/>'
        )
    yield _words(text.x, text.y, text.size, text.rect.width, text.value, look)


def _words(x: int, y: int, size: int, wide: int, value: str, look: str = "") -> str:  # noqa: PLR0917 - as SVG has them
    """One line of text, pressed into its room where a font is wider than Helvetica."""
    kind = f' class="{look}"' if look else ""
    place = f'x="{x}" y="{y}" font-size="{size}" textLength="{wide}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {place}{kind}>{escape(value)}</text>"


def _spoken(box: Box) -> str:
    """What a screen reader says of a box."""
    if box.part is None:
        return ""
    return ", ".join((box.part.name, box.part.kind.value, *box.part.facts))


def _path(line: Line) -> str:
    """A line's path, with round turns."""
    points = line.points
    found = [f"M{points[0][0]} {points[0][1]}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(CORNER, _length(before, at) // 2, _length(at, after) // 2)
        start, end = _toward(at, before, radius), _toward(at, after, radius)
        found.append(f"L{start[0]} {start[1]}Q{at[0]} {at[1]} {end[0]} {end[1]}")
    found.append(f"L{points[-1][0]} {points[-1][1]}")
    return "".join(found)


def _length(start: tuple[int, int], end: tuple[int, int]) -> int:
    return abs(start[0] - end[0]) + abs(start[1] - end[1])


def _toward(start: tuple[int, int], end: tuple[int, int], distance: int) -> tuple[int, int]:
    total = _length(start, end) or 1
    return (
        start[0] + (end[0] - start[0]) * distance // total,
        start[1] + (end[1] - start[1]) * distance // total,
    )


def _line(line: Line) -> str:
    name = line.purpose.name.lower()
    ends = f' marker-end="url(#tip-{name})"' if line.tip else ""
    ends += f' marker-start="url(#tip-{name})"' if line.tail else ""
    knot = ""
    if line.knot:
        knot = f'<circle class="knot {name}" cx="{line.points[0][0]}" cy="{line.points[0][1]}" r="3.5"/>'
    return f'<path class="line {name}" d="{_path(line)}"{ends}/>{knot}'


def _label(label: Label, *, inline: bool) -> Iterator[str]:
    name, rect = label.purpose.name.lower(), label.rect
    reach = ""
    if inline:
        ends = " ".join(f"{flow.source}>{flow.target}" for flow in label.flows)
        spoken = f"{label.purpose.value}: {'; '.join(label.lines)}"
        reach = f' tabindex="0" role="button" data-flows={quoteattr(ends)} aria-label={quoteattr(spoken)}'
    yield f'<g class="label {name}"{reach}>'
    yield f'<rect class="pill" x="{rect.x}" y="{rect.y}" width="{rect.width}" height="{rect.height}" rx="7"/>'
    for index, line in enumerate(label.lines):
        wide = width(line, LABEL)
        x = rect.x + (rect.width - wide) // 2
        y = rect.y + PAD + LABEL - 2 + index * LEADING
        yield _words(x, y, LABEL, wide, line)
    yield "</g>"
