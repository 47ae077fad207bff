"""The README is true: what it names exists, and it names what exists."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from attrs import fields
from terraform_json import EXAMPLES, ROOT

from aether_infra.config import (
    AwsConfig,
    AzureConfig,
    CloudConfig,
    DigitaloceanConfig,
    GcpConfig,
    HealthConfig,
    KubernetesTarget,
    OracleConfig,
    ScalingConfig,
    ShutdownConfig,
)

README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLES = ("aws", "gcp", "azure", "digitalocean", "oracle", "kubernetes", "settings")


@pytest.mark.parametrize(
    "table",
    [
        AwsConfig,
        AzureConfig,
        CloudConfig,
        DigitaloceanConfig,
        GcpConfig,
        HealthConfig,
        KubernetesTarget,
        OracleConfig,
        ScalingConfig,
        ShutdownConfig,
    ],
)
def test_every_key_is_explained(table: type) -> None:
    names = {attribute.name for attribute in fields(table)} - set(TABLES)
    missing = {name for name in names if f"`{name}`" not in README and f"[cloud.{name}]" not in README}
    assert not missing


def test_every_example_is_named_and_every_named_file_is_there() -> None:
    assert all(f"`{example.stem}`" in README for example in EXAMPLES)
    for path in re.findall(r"`((?:apps|constructs|tests|benchmarks)/[\w./-]*)`", README):
        assert (ROOT / path).exists(), path


def test_every_construct_is_where_the_table_says() -> None:
    rows = re.findall(r"^\| (`\w+`.*?) \| `(aether_infra\.\w+\.\w+)` \|$", README, re.MULTILINE)
    assert len(rows) > 10
    for names, module in rows:
        for name in re.findall(r"`(\w+)`", names):
            assert hasattr(import_module(module), name), f"{module}.{name}"


def test_links_into_the_project_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\$ make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
