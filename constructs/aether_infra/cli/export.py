"""`aether-infra export`: a plain Terraform module in HCL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aether_infra.cli.artifacts import write_folder
from aether_infra.cli.console import print_json, progress, say
from aether_infra.cli.options import CLOUDS, config_option, json_option, note_doubts, one_config
from aether_infra.config import AetherConfig, Provider

if TYPE_CHECKING:
    from aether_infra.export.module import Module


@click.command("export")
@config_option
@click.option(
    "--cloud",
    type=click.Choice(CLOUDS),
    help="Which cloud of the configuration. Default: the active one.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write. Default: terraform-CLOUD.",
)
@json_option
def command(pattern: str | None, cloud: str | None, folder: Path | None, *, as_json: bool) -> None:
    r"""Write a plain Terraform module, for teams without CDKTF.

    HCL by concern, as `terraform fmt` writes it; variables with types, descriptions and validations, used throughout;
    aether.tfvars with this configuration's values; apply.sh, destroy.sh, push-image.sh; a README. Addresses of
    resources are those of the CDKTF stack, so the same state serves both.

    \b
    aether-infra export -o terraform
    terraform/apply.sh

    On Kubernetes clouds there are two root modules, the infrastructure and workload/; the scripts know their order.
    A folder is replaced only if this tool made it; Terraform's states, locks and plugins in it stay, as do files that
    you have added.
    """
    config = one_config(pattern)
    provider = _provider(config, cloud)
    target = folder or Path(f"terraform-{provider}")
    with progress(f"exporting {config.cluster.name} on {provider}"):
        made = export(config, provider)
    write_folder(target, {**made.texts, **made.files}, executable=made.executable, keep=made.states)
    note_doubts(config)
    files = sorted({*made.texts, *made.files})
    if as_json:
        print_json({"folder": str(target), "provider": provider.value, "files": files})
        return
    say(f"{target}: {len(files)} files written")
    say(f"next: {target}/apply.sh (shows the plan and asks); {target}/README.md says the rest")


def export(config: AetherConfig, provider: Provider) -> Module:
    """Make the module of one cloud.

    Args:
        config: the configuration.
        provider: the cloud.

    Raises:
        MissingExtraError: the bindings of the cloud are not installed.
    """
    from aether_infra.export.module import module  # noqa: PLC0415 - on use: `--help` must be quick
    from aether_infra.garbage import uncollected  # noqa: PLC0415 - likewise
    from aether_infra.synth import sources, variants  # noqa: PLC0415 - likewise

    with uncollected():
        return module(
            config, provider, sources(config, provider), lambda configs: variants(configs, provider)
        )


def _provider(config: AetherConfig, cloud: str | None) -> Provider:
    if cloud is not None:
        config.section(Provider(cloud))
        return Provider(cloud)
    active = config.cloud.provider
    return active if active in config.sections else config.sections[0]
