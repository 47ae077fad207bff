"""`aether-infra doctor`: what this machine has and lacks, and how to mend it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from aether_infra.cli.console import console, print_json, progress
from aether_infra.cli.options import chosen, cloud_option, config_option, json_option
from aether_infra.config import AetherConfig, ConfigError, Provider

if TYPE_CHECKING:
    from aether_infra.doctor.finding import Finding
    from aether_infra.doctor.needs import Needs

COLOURS = {"ok": "green", "error": "red", "optional": "yellow", "skipped": "cyan"}
"""Colour of a status on a terminal."""
TOPIC = "configuration"


@click.command("doctor")
@config_option
@cloud_option
@click.option(
    "--offline", is_flag=True, help="Open no connection: do not look whether the state can be reached."
)
@click.option(
    "--no-credentials",
    is_flag=True,
    help="Do not look for credentials: this machine has an identity of its own, or another one will deploy.",
)
@json_option
def command(
    pattern: str | None, cloud: str | None, *, offline: bool, no_credentials: bool, as_json: bool
) -> int:
    r"""Look for what this machine lacks, and tell how to mend it.

    With a configuration, what its clouds need and is not there is an error; everything else is optional. Without one,
    the report says what each cloud would need.

    Credentials are looked for where Terraform looks for them. They are never printed and never tried, and no metadata
    service is asked: on a machine that has an identity of its own, say --no-credentials. The only connection that is
    opened is one to the state's backend, with nothing sent over it.

    \b
    aether-infra doctor                      for ./aether.toml
    aether-infra doctor --cloud gcp          before there is an aether.toml
    aether-infra doctor --offline --json     for a script

    \b
    Exit codes:
      0  all that is needed is here
      1  something is missing, or the configuration has problems
    """
    from aether_infra.doctor.examine import examine  # noqa: PLC0415 - on use
    from aether_infra.doctor.finding import Status  # noqa: PLC0415 - on use
    from aether_infra.doctor.machine import this_machine  # noqa: PLC0415 - on use

    needs, findings = _look_at_configuration(pattern, cloud)
    with progress("looking around"):
        findings += examine(this_machine(), needs, offline=offline, look_for_credentials=not no_credentials)
    errors = sum(finding.status is Status.ERROR for finding in findings)
    if as_json:
        report = {
            "ok": not errors,
            "clouds": [str(each) for each in needs.clouds],
            "findings": [finding.as_json() for finding in findings],
        }
        print_json(report)
    else:
        _show(needs, findings)
        click.echo(_summary(needs, errors))
    return 1 if errors else 0


def _look_at_configuration(pattern: str | None, cloud: str | None) -> tuple[Needs, list[Finding]]:
    """What the configuration needs, and what is to be said about it."""
    from aether_infra.doctor.finding import Finding, Status  # noqa: PLC0415 - on use
    from aether_infra.doctor.needs import Needs, of_cloud, of_configs  # noqa: PLC0415 - on use
    from aether_infra.synth import find_configs, load_all  # noqa: PLC0415 - on use

    without = of_cloud(Provider(cloud)) if cloud else Needs()
    try:
        paths, is_sample = find_configs(pattern or os.environ.get("AETHER_CONFIG"))
        if is_sample:
            fix = f"aether-infra init{f' --cloud {cloud}' if cloud else ''}"
            none = Finding(
                topic=TOPIC,
                subject="aether.toml",
                status=Status.OPTIONAL,
                found="none in this folder, and no $AETHER_CONFIG",
                purpose="all but init, schema and completion",
                fix=fix,
            )
            return without, [none]
        configs = load_all(paths)
    except ConfigError as error:
        return without, list(_problems(error))
    wanted = [each for config in configs for each in config.sections if cloud in {None, each.value}]
    if not wanted:
        chosen(configs[0], cloud)  # says that there is no such table
    return of_configs(configs, wanted), [_good(config) for config in configs]


def _good(config: AetherConfig) -> Finding:
    from aether_infra.doctor.finding import Finding, Status  # noqa: PLC0415 - on use

    found = f'cluster "{config.cluster.name}" on {", ".join(config.sections)}'
    return Finding(topic=TOPIC, subject=config.source, status=Status.OK, found=found)


def _problems(error: ConfigError) -> Iterable[Finding]:
    from aether_infra.doctor.finding import Finding, Status  # noqa: PLC0415 - on use

    for each in getattr(error, "errors", (error,)):
        for problem in each.problems:
            yield Finding(topic=TOPIC, subject=each.source, status=Status.ERROR, found=str(problem))


def _show(needs: Needs, findings: Sequence[Finding]) -> None:
    """Print the report: a table on a terminal, else lines."""
    title = f"For {', '.join(needs.names())}" if needs.clouds else "For any cloud"
    if sys.stdout.isatty():
        console().print(_table(title, findings), soft_wrap=False)
        return
    click.echo(title)
    width = max(len(finding.subject) for finding in findings)
    for topic, group in groupby(findings, key=lambda finding: finding.topic):
        click.echo(f"\n{topic}")
        for finding in group:
            click.echo(f"  {finding.status:8}  {finding.subject:{width}}  {_text(finding)}")
            if finding.fix:
                click.echo(f"  {'':8}  {'':{width}}  fix: {finding.fix}")
    click.echo()


def _text(finding: Finding) -> str:
    """What was found and, where it is not good, what it is for."""
    return f"{finding.found} (for {finding.purpose})" if finding.purpose and finding.fix else finding.found


def _table(title: str, findings: Sequence[Finding]) -> Any:
    from rich import box  # noqa: PLC0415 - on use
    from rich.table import Table  # noqa: PLC0415 - on use
    from rich.text import Text  # noqa: PLC0415 - on use

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, expand=False)
    table.add_column("")
    table.add_column("what", overflow="fold")
    table.add_column("found", overflow="fold")
    for topic, group in groupby(findings, key=lambda finding: finding.topic):
        table.add_section()
        for position, finding in enumerate(group):
            found = Text(_text(finding))
            if finding.fix:
                found.append(f"\n{finding.fix}", style="bold")
            status = Text(finding.status.value, style=COLOURS[finding.status.value])
            subject = Text(finding.subject)
            if position == 0:
                table.add_row("", Text(topic, style="dim"), "")
            table.add_row(status, subject, found)
    return table


def _summary(needs: Needs, errors: int) -> str:
    if errors:
        return f"{errors} thing{'' if errors == 1 else 's'} to mend."
    return (
        "All that is needed is here."
        if needs.clouds
        else "Nothing is wrong. Say --cloud for what one cloud needs."
    )
