"""The README of an exported module: what it is, how to use it, and its variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from aether_infra.catalog.terraform import OPENTOFU_SINCE, TERRAFORM_SINCE
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.export.discover import Discovery
from aether_infra.export.keys import Setting
from aether_infra.export.render import expression
from aether_infra.export.syntax import literal
from aether_infra.export.variables import description, type_of, value_of

Root = tuple[str, Sequence[Setting]]
"""Folder of a root module, empty for the export's own, and its variables."""

CLOUDS: Final[Mapping[Provider, str]] = {
    Provider.AWS: "Amazon Web Services",
    Provider.AZURE: "Azure",
    Provider.DIGITALOCEAN: "DigitalOcean",
    Provider.GCP: "Google Cloud",
    Provider.KUBERNETES: "a Kubernetes cluster that exists",
    Provider.ORACLE: "Oracle Cloud",
}


def readme(
    config: AetherConfig,
    provider: Provider,
    found: Discovery,
    roots: Sequence[Root],
    programs: Mapping[str, str],
) -> str:
    """Write the README.

    Args:
        config: the configuration.
        provider: the cloud.
        found: what was found out about the configuration.
        roots: the root modules, in the order in which they are applied.
        programs: the scripts, by name.
    """
    parts = [
        _head(config, provider),
        _use(roots, programs),
        _state(roots),
        _variables(roots),
        _fixed(config, found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(config: AetherConfig, provider: Provider) -> str:
    source = PurePosixPath(config.source).name
    return f"""\
# Aether cluster "{config.cluster.name}" on {CLOUDS[provider]}

A Terraform module, written by `aether-infra export` from `{source}`. It needs Terraform {TERRAFORM_SINCE} or
OpenTofu {OPENTOFU_SINCE}, or newer, and the cloud's credentials where its provider looks for them; nothing of Node,
CDKTF or Aether Infra. Exporting again replaces what was written, and keeps states and what you added: change `{source}`
or the values, not the resources."""


def _use(roots: Sequence[Root], programs: Mapping[str, str]) -> str:
    lines = ["## How to use it", "", "```console"]
    if "push-image.sh" in programs:
        lines.append(
            "$ ./push-image.sh --from ghcr.io/siy/aether-node:latest   # prints what to name in `image`"
        )
    lines += [
        "$ ./apply.sh       # shows the plan, asks, and applies just that plan",
        "$ ./destroy.sh     # the same for the end of it",
        "```",
        "",
    ]
    lines.append(
        "Each script says more with `--help`, runs from any folder, stops at the first error, and asks unless `--yes`."
    )
    if len(roots) > 1:
        lines += [
            "",
            "There are two root modules: the infrastructure here, and in `workload/` what runs inside of the",
            "Kubernetes cluster. Each has a state of its own. `apply.sh` takes the infrastructure first;",
            "`destroy.sh` the workload, and then it waits until what controllers in the cluster made (load",
            "balancers, volumes) is gone.",
        ]
    return "\n".join(lines)


def _state(roots: Sequence[Root]) -> str:
    beside = " and `workload/versions.tf`" if len(roots) > 1 else ""
    return f"""\
## State

Where the state is kept stands in `versions.tf`{beside}, as `[cloud.state]` said. Addresses of resources are those of
the CDKTF stack of the same configuration: a team can go from `cdktf deploy` to this module, or back, on the same state,
without moving anything. A local state is a file in the module's folder: before the first plan, bring here the one that
`cdktf deploy` left beside `cdktf.out/`."""


def _variables(roots: Sequence[Root]) -> str:
    lines: list[str] = []
    for folder, settings in roots:
        if not settings:
            continue
        where = f"`{folder}/`" if folder else "this folder"
        lines += [
            f"## Variables of {where}",
            "",
            "| variable | type | value | meaning |",
            "| --- | --- | --- | --- |",
        ]
        for setting in settings:
            shown = expression(literal(value_of(setting))).replace("\n", " ").replace("|", "\\|")
            text = description(setting).replace("|", "\\|").replace("\n", " ")
            lines.append(f"| `{setting.variable}` | `{type_of(setting)}` | `{shown}` | {text} |")
        lines.append("")
    if lines:
        lines.append("Values are in `aether.tfvars`; `variables.tf` says what each may be.")
    return "\n".join(lines).rstrip()


def _fixed(config: AetherConfig, found: Discovery) -> str:
    source = PurePosixPath(config.source).name
    lines = [
        "## What is no variable",
        "",
        f"All other keys decide which resources there are, or are woven into them: change them in `{source}` and",
        "export again. `aether-infra diff` says beforehand what that does.",
    ]
    if found.fixed:
        keys = ", ".join(f"`{key}`" for key in found.fixed)
        lines.append(
            f"In this configuration these are among them, though they are variables in others: {keys}."
        )
    return "\n".join(lines)
