"""`aether-infra simulate`: plays a load against the policy that decides how many nodes there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aether_infra.cli.artifacts import write_file
from aether_infra.cli.console import console, print_json, progress, say
from aether_infra.cli.options import json_option
from aether_infra.errors import ConfigError, Problem

if TYPE_CHECKING:
    from aether_infra.runtime.settings import RuntimeSettings
    from aether_infra.runtime.simulator.figures import Figures
    from aether_infra.runtime.simulator.setup import Setup
    from aether_infra.runtime.simulator.trace import Trace

SHAPES = ("day", "spike", "ramp", "step")
ENDINGS = (".svg", ".html", ".csv", ".json")

SHARE = click.FloatRange(0, 1, min_open=True)
SECONDS = click.FloatRange(0)


@click.command("simulate")
@click.option(
    "--trace",
    "trace_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A CSV file of seconds and load, a point on each line.",
)
@click.option("--shape", type=click.Choice(SHAPES), help="A load that is built in, instead of a file.")
@click.option("--hours", type=click.FloatRange(0.05, 24 * 31), help="Length of a shape. Default: 24, a day.")
@click.option("--peak", type=click.FloatRange(0, 10_000), help="Peak of a shape, in nodes. Default: 8.")
@click.option(
    "--capacity",
    type=click.FloatRange(0, min_open=True),
    help="Requests per second that one node can do; the trace is in requests per second then. "
    "Default: the trace is in nodes that are busy all of the time.",
)
@click.option(
    "--outputs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Outputs of Layer 1: the number of nodes and the policy are those of that cluster.",
)
@click.option("--core", type=click.Choice(["3", "5", "7"]), help="Core nodes. Default: 3.")
@click.option("--min", "minimum", type=click.IntRange(3, 1000), help="Fewest nodes, core ones included.")
@click.option("--max", "maximum", type=click.IntRange(3, 1000), help="Most nodes. Default: 12.")
@click.option("--up", type=SHARE, help="Load from which on nodes are added. Default: 0.8.")
@click.option("--down", type=click.FloatRange(0, 1), help="Load below which nodes go. Default: 0.2.")
@click.option("--target", type=SHARE, help="Load that a growth aims at. Default: 0.6.")
@click.option("--up-window", type=SECONDS, help="Seconds that a growth must be due for. Default: 0.")
@click.option("--down-window", type=SECONDS, help="Seconds that shrinking must be due for. Default: 300.")
@click.option("--grow-after-add", type=SECONDS, help="Seconds between two growths. Default: 60.")
@click.option("--shrink-after-add", type=SECONDS, help="Seconds from growth to shrinking. Default: 600.")
@click.option("--boot", type=SECONDS, default=75, help="Median seconds until a node serves. Default: 75.")
@click.option("--boot-spread", type=click.FloatRange(0, 2), default=0.3, help="Its spread. Default: 0.3.")
@click.option(
    "--failures", type=click.FloatRange(0, 1000), default=0, help="Deaths of a node in a day. Default: 0."
)
@click.option("--service", type=SECONDS, default=50, help="Milliseconds of a request alone. Default: 50.")
@click.option("--tick", type=click.FloatRange(1, 600), default=10, help="Seconds between decisions.")
@click.option("--seed", type=int, default=1, help="Of chance: the same gives the same. Default: 1.")
@click.option(
    "-o",
    "--output",
    "outputs_to",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Write a picture (.svg), a page (.html), or every step (.csv, .json). May be given several times.",
)
@json_option
def command(
    trace_file: Path | None, capacity: float | None, outputs_to: tuple[Path, ...], **given: Any
) -> None:
    r"""Play a load against the policy that decides how many nodes there are.

    The policy is the one that `aether-infra serve` runs by, function for function; the cluster is only reckoned: nodes
    boot for a while, work, are drained, die if they shall. How long requests take is a simple model (a queue before
    each node, and a backlog while there is more to do than all can).

    \b
    aether-infra simulate --shape day -o day.svg
    aether-infra simulate --trace monday.csv --capacity 400 --outputs outputs.json -o monday.html
    aether-infra simulate --shape spike --boot 180 --target 0.5 --json
    aether-infra simulate --shape day --failures 20 -o day.csv

    A trace has two columns, with a header `time,load` or without one: seconds, which rise, and the load, in nodes that
    are busy all of the time, or with --capacity in requests per second.
    """
    bad = [path for path in outputs_to if path.suffix.lower() not in ENDINGS]
    if bad:
        names = ", ".join(str(path) for path in bad)
        raise click.UsageError(f"-o must end in one of {', '.join(ENDINGS)}, got {names}")
    if (trace_file is None) == (given["shape"] is None):
        raise click.UsageError("give either --trace FILE or --shape, and not both")
    if trace_file is not None and (given["hours"] is not None or given["peak"] is not None):
        raise click.UsageError("--hours and --peak are of a --shape; a trace has its own")
    from aether_infra.runtime.simulator.figures import figures  # noqa: PLC0415 - on use: help must be quick
    from aether_infra.runtime.simulator.output import WRITERS  # noqa: PLC0415
    from aether_infra.runtime.simulator.simulate import simulate  # noqa: PLC0415

    trace, setup = _inputs(trace_file, capacity, given)
    title = _title(trace_file, given)
    with progress(f"simulating {trace.seconds / 3600:.1f} hours"):
        result = simulate(trace, setup)
        summed = figures(result)
        texts = {path: WRITERS[path.suffix.lower()](result, title) for path in outputs_to}
    for path, text in texts.items():
        write_file(path, text)
        say(f"wrote {path}")
    if given["as_json"]:
        from attrs import asdict  # noqa: PLC0415 - on use

        print_json(asdict(summed))
    else:
        _print(title, summed)


def _inputs(trace_file: Path | None, capacity: float | None, given: dict[str, Any]) -> tuple[Trace, Setup]:
    """The trace and what is assumed; every problem of the files at once.

    Raises:
        ConfigError: one of them cannot be used.
        click.UsageError: options that do not go together.
    """
    from aether_infra.runtime.settings import load_settings  # noqa: PLC0415 - on use
    from aether_infra.runtime.simulator.trace import SHAPES as BUILT_IN  # noqa: PLC0415
    from aether_infra.runtime.simulator.trace import read_trace  # noqa: PLC0415

    failed: list[ConfigError] = []
    settings, trace = None, None
    try:
        settings = load_settings(given["outputs"]) if given["outputs"] else None
    except ConfigError as error:
        failed.append(error)
    try:
        if trace_file is not None:
            trace = read_trace(trace_file, capacity)
        else:
            trace = BUILT_IN[given["shape"]](
                24 if given["hours"] is None else given["hours"],
                8 if given["peak"] is None else given["peak"],
            )
    except ConfigError as error:
        failed.append(error)
    if len(failed) > 1:
        problems = [
            Problem(path=": ".join(part for part in (error.source, each.path) if part), message=each.message)
            for error in failed
            for each in error.problems
        ]
        raise ConfigError(problems, "simulate")
    if failed or trace is None:
        raise failed[0]
    return trace, _setup(settings, given)


def _setup(settings: RuntimeSettings | None, given: dict[str, Any]) -> Setup:
    """What is assumed: options, then the cluster's outputs, then defaults."""
    from attrs import evolve  # noqa: PLC0415 - on use

    from aether_infra.runtime.observation import Thresholds  # noqa: PLC0415
    from aether_infra.runtime.policy.model import Policy  # noqa: PLC0415
    from aether_infra.runtime.simulator.setup import Setup  # noqa: PLC0415

    core = int(given["core"] or (settings.core_nodes if settings else 3))
    minimum = given["minimum"] or (settings.min_nodes if settings else core)
    maximum = given["maximum"] or (settings.max_nodes if settings else max(12, minimum))
    if not core <= minimum <= maximum:
        raise click.UsageError(f"needs core <= min <= max, got {core}, {minimum}, {maximum}")
    changes = {
        "cpu_target": given["target"],
        "up_window_seconds": given["up_window"],
        "down_window_seconds": given["down_window"],
        "grow_after_add_seconds": given["grow_after_add"],
        "shrink_after_add_seconds": given["shrink_after_add"],
    }
    policy = evolve(
        Policy.of(settings.facts) if settings else Policy(),
        **{name: value for name, value in changes.items() if value is not None},
    )
    usual = Thresholds()
    up = usual.cpu_up if given["up"] is None else given["up"]
    down = usual.cpu_down if given["down"] is None else given["down"]
    if not down < policy.cpu_target <= up:
        raise click.UsageError(f"needs down < target <= up, got {down:g}, {policy.cpu_target:g}, {up:g}")
    return Setup(
        core=core,
        minimum=minimum,
        maximum=maximum,
        policy=policy,
        thresholds=Thresholds(cpu_up=up, cpu_down=down),
        tick_seconds=given["tick"],
        boot_seconds=given["boot"],
        boot_spread=given["boot_spread"],
        failures_a_day=given["failures"],
        service_seconds=given["service"] / 1000,
        seed=given["seed"],
    )


def _title(trace_file: Path | None, given: dict[str, Any]) -> str:
    if trace_file is not None:
        return trace_file.name
    hours = 24 if given["hours"] is None else given["hours"]
    peak = 8 if given["peak"] is None else given["peak"]
    return f"{given['shape']}: {hours:g} hours, up to {peak:g} nodes of load"


def _print(title: str, summed: Figures) -> None:
    """Print the figures as a table."""
    from rich.table import Table  # noqa: PLC0415 - on use

    from aether_infra.runtime.simulator.chart import duration  # noqa: PLC0415

    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    share = summed.node_hours_needed / summed.node_hours if summed.node_hours else 0.0
    rows = (
        (
            "node-hours",
            f"{summed.node_hours:.1f}",
            f"the load is {summed.node_hours_needed:.1f}: {share:.0%}",
        ),
        ("most nodes", str(summed.peak_nodes), "at the same time, core ones included"),
        ("utilisation", f"{summed.mean_utilisation:.0%}", "of serving nodes, on average"),
        ("overload", duration(summed.overload_seconds), "with more to do than nodes can"),
        ("longest wait", duration(summed.longest_wait_seconds), "because of it"),
        ("latency p50", duration(summed.latency_p50_seconds), ""),
        ("latency p95", duration(summed.latency_p95_seconds), ""),
        ("latency p99", duration(summed.latency_p99_seconds), ""),
        ("created", str(summed.created), "nodes"),
        ("removed", str(summed.removed), "nodes"),
        ("died", str(summed.died), "nodes"),
    )
    for row in rows:
        table.add_row(*row)
    console().print(table)
