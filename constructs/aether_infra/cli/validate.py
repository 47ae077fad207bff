"""`aether-infra validate`: every problem of every file, and every value with its origin."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import click
from attrs import asdict, evolve, frozen

from aether_infra.cli.console import paint, print_json, say
from aether_infra.cli.options import find_paths, json_option, note_doubts
from aether_infra.config import AetherConfig, ConfigError, loads, warnings
from aether_infra.errors import Problem

STANDARD_INPUT = "-"
INPUT_NAME = "<stdin>"
"""What standard input is called in messages."""


@frozen(kw_only=True)
class Outcome:
    """What came of one file."""

    source: str
    """The file's name as it was given."""
    text: str = ""
    """What it says."""
    config: AetherConfig | None = None
    """The configuration; None if it cannot be used."""
    problems: tuple[Problem, ...] = ()
    """Why it cannot be used."""


@click.command("validate")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "-c", "--config", "named", multiple=True, hidden=True, help="As FILE, for who knows other commands."
)
@click.option(
    "--show",
    is_flag=True,
    help="Print every configuration with all that holds in it, and where each value is from.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context, files: tuple[str, ...], named: tuple[str, ...], *, show: bool, as_json: bool
) -> None:
    r"""Check configurations, and tell every problem of every one of them.

    A FILE is a path, a glob in quotes, or - for standard input. Default: $AETHER_CONFIG, else ./aether.toml. Several
    files are checked beside each other too: no two of them may mean the same cluster on the same cloud. What is allowed
    and still doubtful is told as a note.

    \b
    aether-infra validate                          ./aether.toml
    aether-infra validate 'clusters/*.toml'        a fleet
    aether-infra validate --show                   what holds, and where it is from
    aether-infra validate --json a.toml b.toml     for a pipeline

    With --show the output is TOML that loads to the same configuration. Behind each value stands where it is from: the
    file, the environment (the reference is printed, never what it stands for), a default, or what it is derived from.
    What looks like a secret is not printed.

    With --json it is a list with an object for each file: file, ok, problems, notes; with --show also configuration,
    the values in tables, and values, a list of path, value, origin and how.

    \b
    Exit codes:
      0  every configuration can be used
      2  one cannot, or there is none
    """
    from aether_infra.synth import FleetError  # noqa: PLC0415 - on use

    outcomes = _check((*named, *files))
    failed = [outcome for outcome in outcomes if outcome.problems]
    if as_json:
        print_json([_as_json(outcome, show=show) for outcome in outcomes])
    else:
        for outcome in outcomes:
            _tell(outcome)
        if show and not failed:
            _show(outcomes)
    if failed and not as_json:
        raise FleetError([ConfigError(outcome.problems, outcome.source) for outcome in failed])
    ctx.exit(2 if failed else 0)


def _check(files: Sequence[str]) -> list[Outcome]:
    """Load every file, and look at those that can be used beside each other."""
    from aether_infra.synth import same_cluster  # noqa: PLC0415 - on use

    found = [outcome for pattern in files or (None,) for outcome in _found(pattern)]
    outcomes = list(
        {outcome.source: outcome for outcome in found}.values()
    )  # a file that is named twice, once
    errors = same_cluster([outcome.config for outcome in outcomes if outcome.config])
    beside = {error.source: error.problems for error in errors}
    return [
        evolve(outcome, problems=outcome.problems + beside.get(outcome.source, ())) for outcome in outcomes
    ]


def _found(pattern: str | None) -> list[Outcome]:
    """What came of the files that an argument means."""
    if pattern == STANDARD_INPUT:
        return [_load(INPUT_NAME)]
    try:
        return [_load(str(path)) for path in find_paths(pattern)]
    except ConfigError as error:
        return [Outcome(source=error.source, problems=error.problems)]


def _load(source: str) -> Outcome:
    from aether_infra.config.document import decode, read  # noqa: PLC0415 - on use

    try:
        text = decode(sys.stdin.buffer.read(), source) if source == INPUT_NAME else read(source)
        return Outcome(source=source, text=text, config=loads(text, source))
    except ConfigError as error:
        return Outcome(source=source, problems=error.problems)


def _tell(outcome: Outcome) -> None:
    """Say of a file that can be used what it describes, and what is doubtful."""
    config = outcome.config
    if config is None or outcome.problems:
        return
    say(f'{outcome.source}: ok, cluster "{config.cluster.name}"')
    for provider in config.sections:
        section, counts = config.section(provider), config.counts(provider)
        where = f" in {section.region}" if section.region else ""
        say(
            f"  {provider}: {section.compute}{where}, {counts.core} core nodes, "
            f"{counts.minimum} to {counts.maximum} nodes in all"
        )
    note_doubts(config)


def _show(outcomes: Sequence[Outcome]) -> None:
    """Print each configuration in full."""
    from aether_infra.config.document import parse  # noqa: PLC0415 - on use
    from aether_infra.config.origins import explain, nodes_own, normalized  # noqa: PLC0415 - on use

    for outcome in outcomes:
        if outcome.config is None:
            continue
        tables = parse(outcome.text, outcome.source)
        text = normalized(explain(outcome.config, tables), nodes_own(tables))
        shown = re.sub(r"(?m)(?:^|  )# .*$", lambda match: paint(match[0], dim=True), text)
        click.echo(f"# {outcome.source}\n{shown}" if len(outcomes) > 1 else shown, nl=len(outcomes) > 1)


def _as_json(outcome: Outcome, *, show: bool) -> dict[str, Any]:
    """What came of a file, for a script."""
    usable = outcome.config is not None and not outcome.problems
    notes = warnings(outcome.config) if outcome.config else ()
    found: dict[str, Any] = {
        "file": outcome.source,
        "ok": usable,
        "problems": [asdict(problem) for problem in outcome.problems],
        "notes": [asdict(problem) for problem in notes],
    }
    if show and usable and outcome.config:
        found |= _values(outcome.config, outcome)
    return found


def _values(config: AetherConfig, outcome: Outcome) -> dict[str, Any]:
    """Every value, as tables and as a list."""
    from aether_infra.config.document import parse  # noqa: PLC0415 - on use
    from aether_infra.config.origins import explain  # noqa: PLC0415 - on use

    values = explain(config, parse(outcome.text, outcome.source))
    tables: dict[str, Any] = {}
    for value in values:
        if value.value is not None:
            table = tables
            for step in value.path[:-1]:
                table = table.setdefault(step, {})
            table[value.path[-1]] = value.value
    return {"configuration": tables, "values": [value.as_json() for value in values]}
