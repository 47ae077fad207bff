"""Which manager a cluster needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from terraform_json import ROOT

from aether_infra.config import Provider
from aether_infra.runtime.registry import KUBERNETES_COMPUTES, MANAGERS
from aether_infra.runtime.settings import COMPUTES

SDKS = ("boto3", "google.cloud.compute", "google.cloud.dns", "azure.mgmt", "pydo", "oci", "kubernetes")


def test_every_kind_of_compute_has_a_manager() -> None:
    known = {*MANAGERS, *((provider, kind) for provider in Provider for kind in KUBERNETES_COMPUTES)}
    assert {(provider, kind) for provider, kinds in COMPUTES.items() for kind in kinds} <= known


@pytest.mark.parametrize(
    "module", [path.stem for path in (ROOT / "constructs/aether_infra/runtime").glob("*.py")]
)
def test_no_module_of_the_runtime_brings_an_sdk_or_cdktf(module: str) -> None:
    script = f"import aether_infra.runtime.{module}, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(json.loads(done.stdout))
    assert not loaded & {*SDKS, "cdktf", "jsii"}
