"""Modules of every configuration: formatted, whole, and without a trace of how they were made."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_lines import terraform_path
from terraform_json import CONFIGS, EXAMPLES

from aether_infra import synth
from aether_infra.config import Provider, load
from aether_infra.export.module import Module, module

DECLARED = re.compile(r'^(resource|data|output) "([^"]+)"(?: "([^"]+)")? \{', re.MULTILINE)
TRACES = re.compile(r"cdktf|cdk\.tf|metadata\.path|uniqueId|TfToken|jsii|/\*\}\*/", re.IGNORECASE)


def made(path: Path, provider: Provider) -> tuple[Module, tuple[Any, ...]]:
    """A module whose values are all constant: with nothing to compare, nothing becomes a variable."""
    config = load(path, env={})
    sources = synth.sources(config, provider)
    same = [source.document for source in sources]
    return module(config, provider, sources, lambda configs: [same for _ in configs]), sources


@pytest.mark.terraform
@pytest.mark.parametrize("provider", Provider, ids=str)
@pytest.mark.parametrize(
    "paths", [pytest.param(EXAMPLES, id="examples"), pytest.param(CONFIGS, id="all", marks=pytest.mark.slow)]
)
def test_every_configuration(paths: list[Path], provider: Provider, tmp_path: Path) -> None:
    for path in paths:
        if provider not in load(path, env={}).sections:
            continue
        exported, sources = made(path, provider)
        for name, content in exported.texts.items():
            file = tmp_path / path.stem / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8", newline="")
        hcl = {name: content for name, content in exported.texts.items() if name.endswith(".tf")}
        assert not [name for name, content in hcl.items() if TRACES.search(content)], path.stem
        found = [match.groups() for content in hcl.values() for match in DECLARED.finditer(content)]
        assert sorted(found, key=str) == sorted(declared(sources), key=str), path.stem
        named = {name for source in sources for name in source.files}
        assert {Path(name).name for name in exported.files} == {Path(name).name for name in named}
    formatted = subprocess.run(
        [terraform_path(), "fmt", "-check", "-recursive", "-diff"],
        cwd=tmp_path,
        env={key: item for key, item in os.environ.items() if not key.startswith("TF_")}
        | {"CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert formatted.returncode == 0, formatted.stdout[:4000] + formatted.stderr


def declared(sources: tuple[Any, ...]) -> list[tuple[str, str, str | None]]:
    """Section, type and name of all that stacks declare."""
    documents = [source.document for source in sources]
    found: list[tuple[str, str, str | None]] = [
        (section, kind, name)
        for document in documents
        for section in ("resource", "data")
        for kind, named in document.get(section, {}).items()
        for name in named
    ]
    outputs = [("output", name, None) for document in documents for name in document.get("output", {})]
    return [*found, *outputs]
