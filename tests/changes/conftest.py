"""Configurations that are edited and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pytest
from terraform_json import ROOT, Document

from aether_infra import synth
from aether_infra.changes.model import Changes
from aether_infra.changes.stacks import compare_documents
from aether_infra.config import loads


class Edited(Protocol):
    """Compares a configuration with itself, edited."""

    def __call__(self, base: str, edits: Mapping[str, str]) -> Changes: ...


@pytest.fixture(scope="session")
def documents(synthesized: Callable[[str, str], Document]) -> Callable[[str], dict[str, Document]]:
    """Every stack of a configuration, given as TOML."""

    def run(text: str) -> dict[str, Document]:
        plans = synth.plan([loads(text)])
        names = [name for each in plans for name in (each.infrastructure, each.workload) if name]
        return {name: synthesized(text, name) for name in names}

    return run


@pytest.fixture(scope="session")
def edited(documents: Callable[[str], dict[str, Document]]) -> Edited:
    """What it does to edit an example: `{old text: new text}`."""

    def run(base: str, edits: Mapping[str, str]) -> Changes:
        old = (ROOT / f"apps/examples/{base}.toml").read_text(encoding="utf-8")
        new = old
        for before, after in edits.items():
            assert before in new, f"{base}.toml has no {before!r}"
            new = new.replace(before, after, 1)
        return compare_documents(documents(old), documents(new))

    return run


@pytest.fixture(scope="session")
def compared() -> Callable[..., Changes]:
    """Compare two small stacks: their resources, and other tables by name."""

    def run(
        old: Mapping[str, Any], new: Mapping[str, Any], *, both: Mapping[str, Any] | None = None
    ) -> Changes:
        before, after = ({"resource": dict(each), **(both or {})} for each in (old, new))
        return compare_documents({"aws": before}, {"aws": after})

    return run
