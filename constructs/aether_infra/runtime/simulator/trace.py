"""The load over time: read from a file, or one of a few shapes."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from aether_infra.config.words import listing, nearest, show
from aether_infra.errors import ConfigError, Problem

COLUMNS: Final = ("time", "load")
"""Header of a trace; it may be left out."""
HOUR: Final = 3600.0
"""Seconds."""


@frozen(kw_only=True)
class Trace:
    """A load over time; between its points it goes in straight lines."""

    points: tuple[tuple[float, float], ...]
    """Seconds from the beginning, rising, and the load there: in nodes that are busy all of the time."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.points[-1][0]

    def load(self, at: float) -> float:
        """The load at a time, in nodes."""
        right = bisect_right(self.points, at, key=lambda point: point[0])
        if right == 0:
            return self.points[0][1]
        if right == len(self.points):
            return self.points[-1][1]
        (before, low), (after, high) = self.points[right - 1], self.points[right]
        return low + (high - low) * (at - before) / (after - before)


def read_trace(path: Path, capacity: float | None = None) -> Trace:
    """Read a trace.

    Args:
        path: a CSV file of two columns: seconds (rising; the first is the beginning, whatever it is) and load.
        capacity: what one node can do, where the load is in requests a second; None where it is in nodes.

    Raises:
        ConfigError: it cannot be read or is no trace; holds every problem.
    """
    source = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([Problem(path="", message="does not exist")], source) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Problem(path="", message=f"cannot be read: {reason.lower()}")], source) from None
    return parse_trace(text, capacity, source)


def parse_trace(text: str, capacity: float | None = None, source: str = "trace.csv") -> Trace:
    """Read the text of a trace; see `read_trace`."""
    problems: list[Problem] = []
    points: list[tuple[float, float]] = []
    rows = [(number, row) for number, row in enumerate(csv.reader(text.splitlines()), 1) if any(row)]
    if rows and _is_header(rows[0][1]):
        problems += _header(rows.pop(0))
    for number, row in rows:
        where = f"line {number}"
        if len(row) != len(COLUMNS):
            message = f"must be two values, seconds and load, got {len(row)}"
            problems.append(Problem(path=where, message=message))
            continue
        values = [_number(cell, where, name, problems) for cell, name in zip(row, COLUMNS, strict=True)]
        if None in values:
            continue
        at, load = values[0] or 0.0, values[1] or 0.0
        if points and at <= points[-1][0]:
            message = f"time must rise: {at:g} comes after {points[-1][0]:g}"
            problems.append(Problem(path=where, message=message))
        if load < 0:
            problems.append(Problem(path=where, message=f"load must not be below 0, got {load:g}"))
        points.append((at, load))
    if len(points) < 2 and not problems:  # noqa: PLR2004 - a line has two ends
        message = f"must have two lines at least, got {len(points)}"
        problems.append(Problem(path="", message=message, hint="seconds,load on each"))
    if problems:
        raise ConfigError(problems, source)
    first, unit = points[0][0], capacity or 1.0
    return Trace(points=tuple((at - first, load / unit) for at, load in points))


def _is_header(row: Sequence[str]) -> bool:
    try:
        [float(cell) for cell in row]
    except ValueError:
        return all(cell.strip()[:1].isalpha() for cell in row) and "nan" not in row
    return False


def _header(numbered: tuple[int, Sequence[str]]) -> list[Problem]:
    number, row = numbered
    names = tuple(cell.strip().lower() for cell in row)
    if names == COLUMNS:
        return []
    hints = [hint for name in names if name not in COLUMNS and (hint := nearest(name, COLUMNS))]
    message = f"header must be {','.join(COLUMNS)}, got {show(','.join(row))}"
    return [Problem(path=f"line {number}", message=message, hint=listing(hints))]


def _number(cell: str, where: str, name: str, problems: list[Problem]) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        problems.append(Problem(path=where, message=f"{name} must be a number, got {show(cell.strip())}"))
        return None
    return value


def day(hours: float, peak: float) -> Trace:
    """Days of an office: quiet at night, busy in the late morning and again in the afternoon, 15 % of it at night."""

    def load(hour: float) -> float:
        morning = math.exp(-(((hour % 24) - 11) ** 2) / 8)
        afternoon = math.exp(-(((hour % 24) - 16) ** 2) / 10)
        return 0.15 + 0.85 * min(1.0, morning + 0.9 * afternoon)

    steps = max(2, int(hours * 12))
    return Trace(
        points=tuple((n * hours * HOUR / steps, peak * load(n * hours / steps)) for n in range(steps + 1))
    )


def spike(hours: float, peak: float) -> Trace:
    """A quiet load that jumps to its peak within a minute, in the middle, and is gone after a tenth of the time."""
    whole = hours * HOUR
    begins, lasts, low = whole * 0.45, whole * 0.1, peak * 0.2
    corners = ((0.0, low), (begins, low), (begins + 60, peak), (begins + lasts, peak))
    return Trace(points=(*corners, (begins + lasts + 60, low), (whole, low)))


def ramp(hours: float, peak: float) -> Trace:
    """Up evenly until the middle, and down again."""
    whole = hours * HOUR
    return Trace(points=((0.0, peak * 0.1), (whole / 2, peak), (whole, peak * 0.1)))


def step(hours: float, peak: float) -> Trace:
    """A third at 30 %, then the peak at once, then 10 %."""
    whole = hours * HOUR
    first, second = whole / 3, whole * 2 / 3
    return Trace(
        points=(
            (0.0, peak * 0.3),
            (first, peak * 0.3),
            (first + 1, peak),
            (second, peak),
            (second + 1, peak * 0.1),
            (whole, peak * 0.1),
        )
    )


SHAPES: Final[Mapping[str, Callable[[float, float], Trace]]] = {
    "day": day,
    "spike": spike,
    "ramp": ramp,
    "step": step,
}
"""Shapes by name: of hours and peak in nodes."""
