"""Draws a simulation: nodes, how busy they are, and how long requests take, one under the other over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

from attrs import frozen

from aether_infra.runtime.simulator.figures import HOUR, Figures
from aether_infra.runtime.simulator.setup import Result, Sample

WIDTH, LEFT, RIGHT = 1280, 72, 24
"""Of the picture, in pixels, and its margins."""
COLUMNS = 1100
"""Most points of a line: more than there are pixels cannot be seen."""
INK, FAINT, GRID = "#1f2933", "#6b7780", "#e3e8ec"
SERVING, BOOTING, LEAVING = "#7fb2e5", "#f5c469", "#c9d1d8"
DESIRED, LOAD, OVERLOAD, MEAN, TAIL = "#1c4f82", "#c4314b", "#fbdde2", "#2f7d5b", "#8a5fbf"
P95 = -math.log(0.05)
"""How many times its mean an exponentially distributed time takes, for the slowest twentieth."""

LABELS = 13
"""Most labels of a time axis."""

Point = tuple[float, float]


@frozen(kw_only=True)
class Panel:
    """One diagram with a time axis."""

    top: float
    height: float
    seconds: float
    """At the right edge."""
    low: float
    high: float
    """Values at the lower and the upper edge."""
    logarithmic: bool = False

    def x(self, at: float) -> float:
        """Where a time is."""
        return LEFT + at / self.seconds * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a value is; beyond the edges, the edge."""
        low, high, inner = self.low, self.high, min(self.high, max(self.low, value))
        if self.logarithmic:
            low, high, inner = math.log10(low), math.log10(high), math.log10(inner)
        return self.top + self.height * (1 - (inner - low) / (high - low))


def draw(result: Result, figures: Figures, title: str) -> str:
    """The picture as SVG.

    Args:
        result: the simulation.
        figures: its figures.
        title: what was played, such as the trace's name.
    """
    samples = _thinned(result.samples)
    seconds = result.samples[-1].at + result.setup.tick_seconds
    most = max(max(_all(sample), sample.desired, sample.load) for sample in samples)
    slowest = max(_tail(sample) for sample in samples)
    fastest = min(sample.latency_seconds for sample in samples)
    high = 10.0 ** math.ceil(math.log10(max(slowest * 1.05, 1e-3)))
    low = min(10.0 ** math.floor(math.log10(max(fastest, 1e-4))), high / 10)
    nodes = Panel(top=132, height=300, seconds=seconds, low=0, high=_ceiling(most))
    busy = Panel(top=490, height=130, seconds=seconds, low=0, high=1)
    slow = Panel(top=678, height=150, seconds=seconds, low=low, high=high, logarithmic=True)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 880" width="{WIDTH}" height="880" '
            'font-family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif" font-size="13" '
            f'fill="{INK}" role="img" aria-label="{escape(title)}">'
        ),
        f'<rect width="{WIDTH}" height="880" fill="#fff"/>',
        f'<text x="{LEFT}" y="36" font-size="20" font-weight="600">{escape(title)}</text>',
        f'<text x="{LEFT}" y="60" fill="{FAINT}">{escape(summary(figures))}</text>',
        *_nodes(nodes, samples),
        *_busy(busy, samples, result),
        *_slow(slow, samples),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def summary(figures: Figures) -> str:
    """The figures as one line."""
    return " · ".join(
        (
            f"{figures.node_hours:.1f} node-hours for a load of {figures.node_hours_needed:.1f}",
            f"overload {figures.overload_seconds:.0f} s",
            f"latency p50 {duration(figures.latency_p50_seconds)}, p95 {duration(figures.latency_p95_seconds)}",
            f"{figures.created} created, {figures.removed} removed, {figures.died} died",
        )
    )


def duration(seconds: float) -> str:
    """A time as a person reads it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - three digits at most


def _nodes(panel: Panel, samples: Sequence[Sample]) -> Iterable[str]:
    yield from _frame(panel, "nodes", _whole_ticks(panel.high), lambda value: f"{value:.0f}")
    yield from _overloads(panel, samples)
    upper = [(sample, _all(sample)) for sample in samples]
    coming = [(sample, sample.serving + sample.booting) for sample in samples]
    serving = [(sample, sample.serving) for sample in samples]
    for layer, colour in ((upper, LEAVING), (coming, BOOTING), (serving, SERVING)):
        points = _steps(panel, [(sample.at, value) for sample, value in layer])
        bottom = panel.y(0)
        area = [(points[0][0], bottom), *points, (points[-1][0], bottom)]
        yield f'<polygon points="{_path(area)}" fill="{colour}"/>'
    wanted = _steps(panel, [(sample.at, sample.desired) for sample in samples])
    yield _line(wanted, DESIRED, 2)
    yield _line([(panel.x(sample.at), panel.y(sample.load)) for sample in samples], LOAD, 1.6)
    legend = (
        ("serving", SERVING, True),
        ("booting", BOOTING, True),
        ("leaving or dead", LEAVING, True),
        ("desired", DESIRED, False),
        ("load, in nodes", LOAD, False),
        ("overload", OVERLOAD, True),
    )
    yield from _legend(panel, legend)


def _busy(panel: Panel, samples: Sequence[Sample], result: Result) -> Iterable[str]:
    yield from _frame(panel, "utilisation", (0, 0.25, 0.5, 0.75, 1), lambda value: f"{value:.0%}")
    limits = result.setup.thresholds
    for value, text in ((limits.cpu_up, "grows above"), (limits.cpu_down, "shrinks below")):
        y = panel.y(value)
        yield (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LOAD}" '
            'stroke-dasharray="5 4" stroke-width="1"/>'
        )
        yield (
            f'<text x="{WIDTH - RIGHT - 6}" y="{y - 4:.1f}" text-anchor="end" fill="{LOAD}" font-size="11" '
            f'paint-order="stroke" stroke="#fff" stroke-width="3">{text} {value:.0%}</text>'
        )
    points = [(panel.x(sample.at), panel.y(sample.utilisation)) for sample in samples]
    yield _line(points, DESIRED, 1.4)


def _slow(panel: Panel, samples: Sequence[Sample]) -> Iterable[str]:
    ticks = [10.0**power for power in range(round(math.log10(panel.low)), round(math.log10(panel.high)) + 1)]
    yield from _frame(panel, "latency", ticks, duration, times=True)
    tail = [(panel.x(sample.at), panel.y(_tail(sample))) for sample in samples]
    yield _line(tail, TAIL, 1.2)
    mean = [(panel.x(sample.at), panel.y(sample.latency_seconds)) for sample in samples]
    yield _line(mean, MEAN, 1.6)
    yield from _legend(panel, (("mean", MEAN, False), ("p95", TAIL, False)))


def _frame(
    panel: Panel,
    name: str,
    ticks: Sequence[float],
    label: Callable[[float], str],
    *,
    times: bool = False,
) -> Iterable[str]:
    yield f'<text x="{LEFT}" y="{panel.top - 12:.1f}" font-weight="600">{name}</text>'
    right = WIDTH - RIGHT
    for value in ticks:
        y = panel.y(value)
        yield f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        yield (
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{FAINT}" font-size="11">'
            f"{label(value)}</text>"
        )
    bottom = panel.top + panel.height
    for at in _time_ticks(panel.seconds):
        x = panel.x(at)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{panel.top}" y2="{bottom}" stroke="{GRID}"/>'
        if times:
            yield (
                f'<text x="{x:.1f}" y="{bottom + 18:.1f}" text-anchor="middle" fill="{FAINT}" '
                f'font-size="11">{_clock(at)}</text>'
            )


def _legend(panel: Panel, items: Sequence[tuple[str, str, bool]]) -> Iterable[str]:
    x = LEFT + 110.0
    for text, colour, filled in items:
        y = panel.top - 16
        if filled:
            yield f'<rect x="{x:.0f}" y="{y - 6:.1f}" width="14" height="10" fill="{colour}"/>'
        else:
            yield (
                f'<line x1="{x:.0f}" x2="{x + 14:.0f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
                'stroke-width="2.5"/>'
            )
        yield f'<text x="{x + 20:.0f}" y="{y + 4:.1f}" font-size="12" fill="{FAINT}">{text}</text>'
        x += 38 + 7 * len(text)


def _overloads(panel: Panel, samples: Sequence[Sample]) -> Iterable[str]:
    """Shade the times in which there is more to do than nodes can, or still something left over from then."""
    begun: float | None = None
    for sample in samples:
        over = sample.load > sample.serving or sample.backlog > 0
        if over and begun is None:
            begun = sample.at
        elif not over and begun is not None:
            yield _shade(panel, begun, sample.at)
            begun = None
    if begun is not None:
        yield _shade(panel, begun, panel.seconds)


def _shade(panel: Panel, begin: float, end: float) -> str:
    x = panel.x(begin)
    width = max(1.5, panel.x(end) - x)
    return (
        f'<rect x="{x:.1f}" y="{panel.top}" width="{width:.1f}" height="{panel.height}" fill="{OVERLOAD}"/>'
    )


def _steps(panel: Panel, values: Sequence[Point]) -> list[Point]:
    """A line that keeps its value until it changes."""
    points: list[Point] = []
    for at, value in values:
        x, y = panel.x(at), panel.y(value)
        if points and points[-1][1] != y:
            points.append((x, points[-1][1]))
        if not points or points[-1] != (x, y):
            points.append((x, y))
    return [*points, (panel.x(panel.seconds), points[-1][1])]


def _line(points: Sequence[Point], colour: str, width: float) -> str:
    return (
        f'<polyline points="{_path(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linejoin="round"/>'
    )


def _path(points: Sequence[Point]) -> str:
    """Points as text; those that lie on a level line between two others are left out."""
    kept: list[Point] = []
    for number, point in enumerate(points):
        inner = 0 < number < len(points) - 1
        if inner and kept and kept[-1][1] == point[1] == points[number + 1][1]:
            continue
        kept.append(point)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in kept)


def _thinned(samples: Sequence[Sample]) -> list[Sample]:
    """So many samples as can be told apart: of those in one column the slowest, so that no peak is lost."""
    width = max(1, math.ceil(len(samples) / COLUMNS))
    groups = (samples[start : start + width] for start in range(0, len(samples), width))
    return [max(group, key=lambda sample: (sample.latency_seconds, sample.load)) for group in groups]


def _all(sample: Sample) -> int:
    return sample.serving + sample.booting + sample.leaving


def _tail(sample: Sample) -> float:
    return sample.wait_seconds + P95 * (sample.latency_seconds - sample.wait_seconds)


def _ceiling(value: float) -> float:
    return float(math.ceil(value * 1.08 + 0.5))


def _whole_ticks(high: float) -> list[float]:
    step = max(1, math.ceil(high / 8))
    return [float(value) for value in range(0, int(high) + 1, step)]


def _time_ticks(seconds: float) -> list[float]:
    steps = (60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR)
    days = math.ceil(seconds / HOUR / 24 / LABELS) * 24 * HOUR
    step = next((each for each in steps if seconds / each <= LABELS), days)
    return [n * step for n in range(int(seconds // step) + 1)]


def _clock(at: float) -> str:
    hours, minutes = divmod(round(at / 60), 60)
    return f"{hours}:{minutes:02d}"
