"""The only reader of `aether.toml`: text to `AetherConfig`, or one `ConfigError` with every problem."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.shape import structure
from aether_infra.errors import ConfigError, Problem


def load(path: str | Path, env: Mapping[str, str] | None = None) -> AetherConfig:
    """Read and check a file.

    Args:
        path: the file.
        env: where `${env:NAME}` is looked up; default: the process's environment.

    Raises:
        ConfigError: the file cannot be used; it holds every problem.
    """
    return loads(Path(path).read_text(encoding="utf-8"), str(path), env)


def loads(text: str, source: str = "aether.toml", env: Mapping[str, str] | None = None) -> AetherConfig:
    """Read and check the text of a file.

    Args:
        text: TOML.
        source: the file's name, for messages.
        env: where `${env:NAME}` is looked up; default: the process's environment.

    Raises:
        ConfigError: the text cannot be used; it holds every problem.
    """
    env = os.environ if env is None else env
    raw = tomllib.loads(text)
    cloud = raw.setdefault("cloud", {})
    sections = [provider for provider in Provider if provider.value in cloud]
    if sections:
        cloud.setdefault("provider", sections[0].value)
    config, problems = structure({key: raw[key] for key in raw if key in KNOWN})
    if problems:
        raise ConfigError(sorted({one.problem for one in problems}), source)
    return attrs.evolve(config, source=source)


KNOWN = ("cluster", "node", "app-http", "kubernetes", "cloud")
