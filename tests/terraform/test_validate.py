"""`terraform validate` of every stack with the real provider, where the mirror has it: its own checks of arguments."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_lines import TERRAFORM, terraform_path
from terraform_json import CONFIGS, Document

from aether_infra.config import Provider, load

pytestmark = pytest.mark.terraform

Synthesize = Callable[..., Document]
PROVIDERS = {
    Provider.AZURE: "hashicorp/azurerm/4.55.0",
    Provider.DIGITALOCEAN: "digitalocean/digitalocean/2.71.0",
    Provider.GCP: "hashicorp/google/6.50.0",
    Provider.KUBERNETES: "hashicorp/kubernetes/2.38.0",
    Provider.ORACLE: "oracle/oci/8.28.0",
}
"""What each stack is written for; AWS has more than this: test_apply_aws.py, test_hcl.py."""


@pytest.fixture(scope="module")
def mirror_folder() -> Path:
    terraform_path()
    named = os.environ.get("TF_PLUGIN_MIRROR")
    return Path(named) if named else pytest.skip("TF_PLUGIN_MIRROR names no mirror of Terraform providers")


def stacks(provider: Provider) -> list[tuple[Path, str]]:
    """Configurations and the names of their stacks that use a provider."""
    found = []
    for path in CONFIGS:
        config = load(path, env={})
        if provider is not Provider.KUBERNETES and provider in config.sections:
            found.append((path, provider.value))
        if provider is Provider.KUBERNETES:
            found += [(path, f"{one}-workload") for one in config.sections if config.in_kubernetes(one)]
    return found


@pytest.mark.parametrize("provider", PROVIDERS, ids=str)
def test_every_stack_is_valid(
    provider: Provider,
    mirror_folder: Path,
    synthesized: Synthesize,
    quiet: dict[str, str],
    tmp_path: Path,
) -> None:
    if not list(mirror_folder.glob(f"*/{PROVIDERS[provider]}")):
        pytest.skip(f"the provider mirror has no {PROVIDERS[provider]}")
    wrong = []
    for config, stack in stacks(provider):
        document = synthesized(config, stack)
        document["terraform"].pop("backend", None)
        folder = tmp_path / f"{config.stem}-{stack}"
        folder.mkdir()
        (folder / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
        for command in (["init", "-input=false", f"-plugin-dir={mirror_folder}"], ["validate"]):
            done = subprocess.run(
                [TERRAFORM, *command, "-no-color"],
                cwd=folder,
                env=quiet,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                wrong.append(f"{config.stem} {stack}: {done.stdout}{done.stderr}")
                break
    assert not wrong, "\n".join(wrong)
