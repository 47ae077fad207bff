"""The simulator: traces, the reckoned cluster, figures and pictures."""

from __future__ import annotations

import csv
import io
import json
import math
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from aether_infra.config import ConfigError
from aether_infra.runtime.observation import Thresholds
from aether_infra.runtime.policy.model import Policy
from aether_infra.runtime.simulator.figures import figures
from aether_infra.runtime.simulator.latency import latency, percentile
from aether_infra.runtime.simulator.output import WRITERS, as_csv, as_html, as_json, as_svg
from aether_infra.runtime.simulator.setup import Sample, Setup
from aether_infra.runtime.simulator.simulate import simulate
from aether_infra.runtime.simulator.trace import SHAPES, Trace, parse_trace


def test_a_trace_is_read_with_and_without_a_header_and_in_both_units() -> None:
    plain = parse_trace("0,1\n60,3\n")
    assert parse_trace("time,load\n0,1\n\n60,3\n") == plain
    assert parse_trace("1000,400\n1060,1200\n", capacity=400) == plain
    assert plain.seconds == 60
    assert [plain.load(at) for at in (-1, 0, 30, 60, 99)] == [1, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["must have two lines at least, got 0"]),
        ("0,1", ["must have two lines at least, got 1"]),
        ("tiem,load\n0,1\n1,1", ['line 1: header must be time,load, got "tiem,load" (did you mean "time"?)']),
        (
            "0,1\n5,x\n4,nan\n3,-1\n3,1,1\n2,1",
            [
                'line 2: load must be a number, got "x"',
                'line 3: load must be a number, got "nan"',
                "line 4: load must not be below 0, got -1",
                "line 5: must be two values, seconds and load, got 3",
                "line 6: time must rise: 2 comes after 3",
            ],
        ),
        ("a;b\n1;2", ["must be two values, seconds and load, got 1"]),
    ],
)
def test_every_problem_of_a_trace_is_told(text: str, lines: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_trace(text, source="monday.csv")
    told = str(raised.value)
    assert told.startswith("monday.csv: ")
    for line in lines:
        assert line in told
    assert len(raised.value.problems) == len(lines) if len(lines) > 1 else True


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_reaches_its_peak_and_never_more(shape: str) -> None:
    trace = SHAPES[shape](24, 8)
    loads = [load for _, load in trace.points]
    assert max(loads) == pytest.approx(8)
    assert min(loads) >= 0
    assert trace.seconds == 24 * 3600


def test_growth_follows_the_load_and_shrinking_waits() -> None:
    result = simulate(SHAPES["step"](3, 8), Setup())
    samples = result.samples
    assert samples[0].serving == 3
    grown = next(sample for sample in samples if sample.serving >= 8)
    assert 3600 < grown.at < 3600 + 600, "minutes after the load has come"
    first = next(sample for sample in samples if sample.removed)
    assert first.at >= 7200 + Policy().down_window_seconds, "not before it was due for the whole window"
    assert max(sample.removed for sample in samples) == 1, "one by one"
    assert all(3 <= sample.serving + sample.booting <= 12 for sample in samples)
    assert figures(result).overload_seconds > 0


def test_dead_nodes_are_replaced_and_chance_is_repeatable() -> None:
    setup = Setup(minimum=6, failures_a_day=24, seed=7)
    result = simulate(SHAPES["ramp"](6, 4), setup)
    summed = figures(result)
    assert summed.died > 5
    assert result.samples[-1].serving >= 4
    assert simulate(SHAPES["ramp"](6, 4), setup) == result
    assert simulate(SHAPES["ramp"](6, 4), evolve(setup, seed=8)) != result


@settings(max_examples=25, deadline=None)
@given(
    loads=st.lists(st.floats(0, 40), min_size=2, max_size=12),
    boot=st.floats(0, 400),
    failures=st.floats(0, 100),
    seed=st.integers(0, 99),
)
def test_whatever_the_load_the_bounds_hold(
    loads: list[float], boot: float, failures: float, seed: int
) -> None:
    trace = Trace(points=tuple((n * 300.0, load) for n, load in enumerate(loads)))
    setup = Setup(minimum=4, boot_seconds=boot, failures_a_day=failures, seed=seed, tick_seconds=30)
    for sample in simulate(trace, setup).samples:
        assert 4 <= sample.desired <= 12
        assert sample.serving + sample.booting + sample.leaving <= 12
        assert sample.serving >= 3, "core nodes are not touched"
        assert 0 <= sample.utilisation <= 1
        assert sample.latency_seconds >= sample.wait_seconds >= 0


def test_the_queue() -> None:
    assert latency(0.05, 0) == 0.05
    assert latency(0.05, 0.5) == pytest.approx(0.1)
    assert latency(0.05, 1) == latency(0.05, 0.98), "what is above waits in the backlog"
    calm = Sample(
        at=0, load=1, serving=2, booting=0, leaving=0, desired=2, utilisation=0.5, backlog=0, wait_seconds=0,
        latency_seconds=0.1, reason="", created=0, removed=0, died=0,
    )  # fmt: skip
    assert percentile([calm], 0.95) == pytest.approx(-math.log(0.05) * 0.1, rel=1e-3)
    late = evolve(calm, wait_seconds=10, latency_seconds=10.1)
    assert percentile([calm, late], 0.4) < 1
    assert 10 < percentile([calm, late], 0.6) < 11
    assert percentile([evolve(calm, load=0)], 0.5) == 0


def test_thresholds_are_the_nodes_own() -> None:
    eager = simulate(SHAPES["ramp"](2, 6), Setup(thresholds=Thresholds(cpu_up=0.62)))
    lazy = simulate(SHAPES["ramp"](2, 6), Setup(thresholds=Thresholds(cpu_up=0.95)))
    assert figures(eager).node_hours > figures(lazy).node_hours
    assert figures(eager).latency_p95_seconds < figures(lazy).latency_p95_seconds


def test_every_kind_of_output() -> None:
    result = simulate(SHAPES["spike"](1, 8), Setup(failures_a_day=10))
    title = "<Monday> & </script>"
    svg = ET.fromstring(as_svg(result, title))  # noqa: S314 - our own
    assert svg.tag.endswith("svg")
    texts = [element.text for element in svg.iter() if element.tag.endswith("text")]
    assert title in texts
    assert {"nodes", "utilisation", "latency", "grows above 80%"} <= set(texts)
    page = as_html(result, title)
    assert page.count("</script>") == 1, "no text ends the script"
    assert "&lt;Monday&gt; &amp; &lt;/script&gt;</title>" in page
    rows = list(csv.DictReader(io.StringIO(as_csv(result, title))))
    assert len(rows) == len(result.samples) == 360
    document = json.loads(as_json(result, title))
    assert document["figures"]["created"] == sum(int(row["created"]) for row in rows)
    assert set(WRITERS) == {".svg", ".html", ".csv", ".json"}
