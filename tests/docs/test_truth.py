"""The guides are true: what they name exists, and they name what exists."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from attrs import fields
from terraform_json import EXAMPLES, ROOT

from aether_infra.config import (
    AwsConfig,
    AzureConfig,
    DigitaloceanConfig,
    GcpConfig,
    KubernetesTarget,
    OracleConfig,
)
from aether_infra.config.section import CloudSection
from aether_infra.errors import ConfigError

DOCS = ROOT / "docs"
GUIDES = {
    "aws": AwsConfig,
    "azure": AzureConfig,
    "digitalocean": DigitaloceanConfig,
    "gcp": GcpConfig,
    "kubernetes": KubernetesTarget,
    "oracle": OracleConfig,
}
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
HAND_WRITTEN = {path: text for path, text in PAGES.items() if "reference/python/" not in str(path)}
COMMON = {attribute.name for attribute in fields(CloudSection)}
"""Keys that every cloud has: the page of the configuration explains them."""


@pytest.mark.parametrize("cloud", GUIDES)
def test_every_key_of_a_cloud_is_in_its_guide(cloud: str) -> None:
    text = PAGES[DOCS / f"how-to/{cloud}.md"]
    names = {attribute.name for attribute in fields(GUIDES[cloud])} - COMMON
    missing = {name for name in names if f"`{name}`" not in text and f"[cloud.{cloud}.{name}]" not in text}
    assert not missing


def test_every_example_is_named() -> None:
    everything = "".join(HAND_WRITTEN.values())
    assert not {path.stem for path in EXAMPLES if f"`{path.stem}`" not in everything}


def test_every_file_that_is_named_is_there() -> None:
    for page, text in HAND_WRITTEN.items():
        for path in re.findall(r"`((?:apps|constructs|tests|benchmarks|docs|tools)/[\w./-]*)`", text):
            assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_every_construct_is_where_the_table_says() -> None:
    text = PAGES[DOCS / "how-to/own-stack.md"]
    rows = re.findall(r"^\| (`\w+`.*?) \| `(aether_infra\.\w+\.\w+)` \|$", text, re.MULTILINE)
    assert len(rows) > 10
    for names, module in rows:
        for name in re.findall(r"`(\w+)`", names):
            assert hasattr(import_module(module), name), f"{module}.{name}"


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page, text in HAND_WRITTEN.items():
        for target in re.findall(r"`make (\w+)`|\$ make (\w+)", text):
            name = "".join(target)
            assert re.search(rf"^{name}:", makefile, re.MULTILINE), f"{page.name}: make {name}"


def test_every_sample_of_a_configuration_holds() -> None:
    """TOML in the guides is valid, as far as a part of a file can be: its keys exist, and its values are allowed."""
    from aether_infra.config import loads

    seen = 0
    for page, text in HAND_WRITTEN.items():
        for sample in re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            seen += 1
            cloud = page.stem if page.stem in GUIDES else "aws"
            whole = sample.replace("…", "a" * 40) + ("" if "[cloud." + cloud in sample else needed(cloud))
            try:
                loads(whole, env={})
            except ConfigError as error:
                pytest.fail(f"{page.relative_to(ROOT)}: {error}\n{sample}")
    assert seen > 8


def needed(cloud: str) -> str:
    """What a cloud's table cannot do without."""
    settings = {
        "azure": 'subscription_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
        "digitalocean": 'registry_name = "acme"\nauthorized_cidrs = ["203.0.113.0/24"]',
        "gcp": 'project = "acme-prod"',
        "oracle": f'compute = "vm"\ncompartment_id = "ocid1.compartment.oc1..{"a" * 60}"\n'
        f'tenancy_id = "ocid1.tenancy.oc1..{"a" * 60}"',
    }
    return f"\n[cloud.{cloud}]\n{settings.get(cloud, '')}\n"
