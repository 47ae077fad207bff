"""`aether-infra synth`: Terraform JSON, without Node's cdktf command line."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aether_infra.cli.console import note, print_json, progress, say
from aether_infra.cli.options import (
    chosen,
    cloud_option,
    config_option,
    json_option,
    load_configs,
    note_doubts,
)
from aether_infra.config import AetherConfig, Provider

if TYPE_CHECKING:
    from aether_infra.output_folder import Change


@click.command("synth")
@config_option
@cloud_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Output folder. Default: $CDKTF_OUTDIR, else cdktf.out.",
)
@json_option
def command(pattern: str | None, cloud: str | None, output: Path | None, *, as_json: bool) -> None:
    r"""Write Terraform JSON, one folder a stack: the same bytes that `cdktf synth` writes.

    \b
    aether-infra synth                            every cloud of ./aether.toml
    aether-infra synth --cloud gcp                Google Cloud alone
    aether-infra synth -c 'clusters/*.toml'       a fleet
    terraform -chdir=cdktf.out/stacks/aws init    then plan and apply, as ever

    On a Kubernetes cloud there are two stacks; apply <cloud> first, then <cloud>-workload, and destroy in the opposite
    order. The command line of cdktf works on the same folder: cdktf deploy --skip-synth aws.

    The folder is written whole or not at all. What Terraform keeps in it stays: providers, lock file, plans, state. A
    stack that is no longer configured loses what was synthesized of it, and keeps those. With --cloud, stacks of other
    clouds stay exactly as they are. A folder that holds anything but stacks is refused.
    """
    from aether_infra.synth import DEFAULT_OUTPUT, write  # noqa: PLC0415 - on use: help must be quick

    configs = load_configs(pattern)
    folder = output or Path(os.environ.get("CDKTF_OUTDIR") or DEFAULT_OUTPUT)
    providers = None if cloud is None else _only(configs, cloud)
    with progress(f"synthesizing {cloud or _clouds(configs)}"):
        change = write(configs, folder, providers)
    stacks = [_stack(folder, name) for name in change.written]
    if as_json:
        print_json(stacks)
    _tell(folder, stacks, change)
    for config in configs:
        note_doubts(config)


def _only(configs: Sequence[AetherConfig], cloud: str) -> tuple[Provider, ...]:
    """The one cloud, of which a configuration at least has a table."""
    provider = Provider(cloud)
    if any(provider in config.sections for config in configs):
        return (provider,)
    return chosen(configs[0], cloud)


def _clouds(configs: Sequence[AetherConfig]) -> str:
    return ", ".join(dict.fromkeys(provider for config in configs for provider in config.sections))


def _stack(folder: Path, name: str) -> dict[str, Any]:
    """What a stack's document holds, in figures."""
    path = folder / "stacks" / name / "cdk.tf.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    count = {part: sum(map(len, document.get(part, {}).values())) for part in ("resource", "data")}
    return {"stack": name, "path": str(path), "resources": count["resource"], "data_sources": count["data"]}


def _tell(folder: Path, stacks: Sequence[dict[str, Any]], change: Change) -> None:
    width = max(len(stack["stack"]) for stack in stacks)
    say(f"{folder}: {len(stacks)} stack{'' if len(stacks) == 1 else 's'} written")
    for stack in stacks:
        say(f"  {stack['stack']:<{width}}  {stack['resources']:>4} resources  {stack['path']}")
    if change.untouched:
        say(f"  as they were: {', '.join(change.untouched)}")
    for name in change.gone:
        kept = "what Terraform keeps there was left" if name in change.left else "its folder was removed"
        note(f"{folder}/stacks/{name}: is no stack any more, {kept}; what was applied of it still runs")
