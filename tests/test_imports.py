"""What loads what."""

from __future__ import annotations

import subprocess
import sys

import pytest
from terraform_json import ROOT


def loaded(statement: str) -> set[str]:
    """Modules that a fresh interpreter has after a statement."""
    script = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "aether_infra.bindgen",
        "aether_infra.config",
        "aether_infra.core.machine",
        "aether_infra.core.node",
        "aether_infra.catalog.aws",
        "aether_infra.doctor.examine",
        "aether_infra.errors",
        "aether_infra.synth",
    ],
)
def test_light_modules_bring_no_cdktf(module: str) -> None:
    heavy = {"cdktf", "jsii", "boto3", "cdktf_cdktf_provider_aws", "cdktf_cdktf_provider_kubernetes"}
    assert not loaded(f"import {module}") & heavy


def test_pypi_constructs_is_what_is_imported_from_the_root() -> None:
    script = "import constructs; print(constructs.Construct.__jsii_type__, constructs.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.startswith("constructs.Construct ")
    assert "site-packages" in done.stdout


def test_source_root_is_not_a_package() -> None:
    assert not (ROOT / "constructs/__init__.py").exists()


def test_bindings_load_lazily() -> None:
    modules = {
        name
        for name in loaded("import aether_infra.aws.stack")
        if name.startswith("cdktf_cdktf_provider_aws.")
    }
    assert "cdktf_cdktf_provider_aws.vpc" in modules
    assert "cdktf_cdktf_provider_aws.wafv2_rule_group" not in modules
    assert len(modules) < 300, "the stock package has 4,400"


@pytest.mark.parametrize("cloud", ["aws", "azure", "digitalocean", "gcp", "oracle"])
def test_bindings_of_kubernetes_load_lazily(cloud: str) -> None:
    modules = loaded(f"import aether_infra.{cloud}.workload")
    assert "cdktf_cdktf_provider_kubernetes.stateful_set_v1" in modules
    assert "cdktf_cdktf_provider_kubernetes.daemon_set_v1" not in modules


@pytest.mark.parametrize(
    ("cloud", "package", "unused"),
    [
        ("azure", "azurerm", "mssql_server"),
        ("digitalocean", "digitalocean", "spaces_bucket"),
        ("gcp", "google", "sql_database_instance"),
    ],
)
def test_bindings_of_every_cloud_load_lazily(cloud: str, package: str, unused: str) -> None:
    modules = loaded(f"import aether_infra.{cloud}.stack")
    assert f"cdktf_cdktf_provider_{package}.provider" in modules
    assert f"cdktf_cdktf_provider_{package}.{unused}" not in modules


def test_the_arrows_of_the_design_hold() -> None:
    done = subprocess.run(["lint-imports"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout
