"""`aether-infra diagram`: a picture of what gets built."""

from __future__ import annotations

from pathlib import Path

import click

from aether_infra.cli.artifacts import write_file
from aether_infra.cli.console import progress, say
from aether_infra.cli.options import CLOUDS, chosen, config_option, one_config
from aether_infra.config import AetherConfig, Provider

ENDINGS = {".svg": "svg", ".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}
"""Formats by the endings of files."""
STANDARD_OUTPUT = "-"


@click.command("diagram")
@config_option
@click.option(
    "--cloud",
    type=click.Choice(CLOUDS),
    help="Which of the configuration's clouds. Default: the active one.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="The picture: FILE.svg, FILE.html or FILE.md; - for standard output.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(set(ENDINGS.values()))),
    help="What to write to standard output. Default: svg.",
)
def command(pattern: str | None, cloud: str | None, output: str, form: str | None) -> None:
    r"""Draw what gets built: network, zones, nodes, load balancers, and who may call whom on which ports.

    \b
    aether-infra diagram -o plan.svg                 a picture for the wall: prints well on A3
    aether-infra diagram -o plan.html                the same, with details of everything; works without a network
    aether-infra diagram -o plan.md                  Mermaid in Markdown, for a repository's pages
    aether-infra diagram --cloud gcp -o gcp.svg      another cloud of the same file
    aether-infra diagram -o - --format md | less     to standard output

    The picture is drawn from the resources that are synthesized, and from nothing else. Arrows are what security
    groups, firewalls and network policies let through: where the management port is closed, there is no arrow to it.
    What has no place of its own is counted at the bottom.
    """
    wanted = _format(output, form)
    config = one_config(pattern)
    provider = _provider(config, cloud)
    from aether_infra.diagram.render import Format, render  # noqa: PLC0415 - on use: help must be quick
    from aether_infra.synth import documents  # noqa: PLC0415 - as above

    with progress(f"drawing {config.cluster.name} on {provider}"):
        picture = render(documents([config], [provider]), Format(wanted))
    if output == STANDARD_OUTPUT:
        click.echo(picture.text, nl=False)
        return
    write_file(Path(output), picture.text)
    size = f", {picture.width} by {picture.height} pixels" if picture.width else ""
    say(f"{output}: {config.cluster.name} on {provider}, {picture.resources} resources{size}")


def _format(output: str, form: str | None) -> str:
    """The format that is asked for: by the file's ending, or by name for standard output.

    Raises:
        click.UsageError: the ending is none that we know, or says otherwise than the option.
    """
    if output == STANDARD_OUTPUT:
        return form or "svg"
    ending = Path(output).suffix.lower()
    found = ENDINGS.get(ending)
    if found is None:
        what = f"ends in {ending!r}" if ending else "has no ending"
        raise click.UsageError(f"--output {output}: {what}; a picture is FILE.svg, FILE.html or FILE.md")
    if form not in {None, found}:
        raise click.UsageError(f"--format {form}: {output} is {found}; the format follows the file's ending")
    return found


def _provider(config: AetherConfig, cloud: str | None) -> Provider:
    """The cloud that is asked for, else the active one; where that has no table, the first that has.

    Raises:
        ConfigError: the configuration has no table of it.
    """
    if cloud is not None:
        return chosen(config, cloud)[0]
    active = config.cloud.provider
    return active if active in config.sections else config.sections[0]
