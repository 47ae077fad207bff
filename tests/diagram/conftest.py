"""Pictures of the samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from aether_infra.config import Provider, loads
from aether_infra.diagram.model import Architecture
from aether_infra.diagram.read import read
from aether_infra.synth import plan

Documents = Callable[..., dict[str, Any]]
Drawn = Callable[..., Architecture]


@pytest.fixture(scope="session")
def documents(synthesized: Callable[..., Mapping[str, Any]]) -> Documents:
    """The documents of one cloud of a configuration, given as a path or as TOML text, by the stack's name."""

    def run(config: str | Path, cloud: str = "aws") -> dict[str, Any]:
        text = config.read_text(encoding="utf-8") if isinstance(config, Path) else config
        stacks = [
            name
            for each in plan([loads(text)])
            if each.provider is Provider(cloud)
            for name in (each.infrastructure, each.workload)
            if name
        ]
        return {name: dict(synthesized(text, name)) for name in stacks}

    return run


@pytest.fixture(scope="session")
def architecture(documents: Documents) -> Drawn:
    """What is drawn of one cloud of a configuration."""

    def run(config: str | Path, cloud: str = "aws") -> Architecture:
        return read(documents(config, cloud))

    return run
