"""Arguments that several commands share, and how configurations are found and loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from aether_infra.cli.console import note
from aether_infra.config import AetherConfig, ConfigError, Provider
from aether_infra.errors import Problem

F = TypeVar("F", bound=Callable[..., Any])

CLOUDS = [provider.value for provider in Provider]


def config_option(function: F) -> F:
    """`-c/--config FILE`: a path or a glob; default `$AETHER_CONFIG`, else `./aether.toml`."""
    return click.option(
        "-c",
        "--config",
        "pattern",
        metavar="FILE",
        help="Configuration: a path, or a glob for a fleet. Default: $AETHER_CONFIG, else ./aether.toml.",
    )(function)


def cloud_option(function: F) -> F:
    """`--cloud CLOUD`: which of the configuration's clouds."""
    return click.option(
        "--cloud",
        type=click.Choice(CLOUDS),
        help="Only this cloud. Default: every cloud that the configuration has a table of.",
    )(function)


def json_option(function: F) -> F:
    """`--json`: for scripts."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(function)


def load_configs(pattern: str | None) -> list[AetherConfig]:
    """Load what a command's `--config` means.

    Args:
        pattern: the option's value; None: as the environment says.

    Returns:
        The configurations, at least one.

    Raises:
        ConfigError: there is none, or one cannot be used; it holds every problem of every file.
    """
    from aether_infra.synth import load_all  # noqa: PLC0415 - on use: completion must be quick

    return load_all(find_paths(pattern))


def find_paths(pattern: str | None) -> list[Path]:
    """The files that a command's `--config` or argument means.

    Args:
        pattern: a path or a glob; None: as the environment says.

    Returns:
        The paths, at least one; whether there is such a file is not known yet.

    Raises:
        ConfigError: there is none.
    """
    from aether_infra.synth import find_configs  # noqa: PLC0415 - on use: completion must be quick

    paths, is_sample = find_configs(pattern or os.environ.get("AETHER_CONFIG"))
    if is_sample:
        raise ConfigError(
            [
                Problem(
                    path="",
                    message="does not exist",
                    hint="write one: aether-infra init, or name it: -c FILE",
                )
            ],
            "aether.toml",
        )
    return paths


def one_config(pattern: str | None) -> AetherConfig:
    """Load the one configuration of a command that takes no fleet.

    Raises:
        ConfigError: it cannot be used.
        click.UsageError: the pattern means several.
    """
    configs = load_configs(pattern)
    if len(configs) > 1:
        names = ", ".join(config.source for config in configs)
        raise click.UsageError(f"this command takes one configuration, and there are {len(configs)}: {names}")
    return configs[0]


def chosen(config: AetherConfig, cloud: str | None) -> tuple[Provider, ...]:
    """The clouds of a configuration that a command is about.

    Args:
        config: the configuration.
        cloud: `--cloud`; None for all that have a table.

    Raises:
        ConfigError: it has no table of that cloud.
    """
    if cloud is None:
        return config.sections
    config.section(Provider(cloud))
    return (Provider(cloud),)


def note_doubts(config: AetherConfig) -> None:
    """Print what is allowed and still doubtful in a configuration."""
    from aether_infra.config import warnings  # noqa: PLC0415 - on use

    for doubt in warnings(config):
        note(f"{config.source}: {doubt}")
