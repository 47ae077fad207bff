"""Exported modules under real Terraform with the real AWS provider, against moto: the stack's plan, and the scripts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_lines import TERRAFORM
from console_script import run
from moto_deployment import explained, managed, prepared, unprotected
from terraform_json import ROOT, case, configs

pytestmark = pytest.mark.terraform

EXAMPLES = ROOT / "apps/examples"
COMPARED = (
    configs("aws")
    if os.environ.get("AETHER_TERRAFORM") == "all"
    else [EXAMPLES / f"{name}.toml" for name in ("aws-ec2",)]
)
ASSET = re.compile(r"assets/.*/")


@pytest.mark.parametrize("config", COMPARED, ids=case)
def test_the_plan_is_the_stack_s(config: Path, stack: Callable[[str], Any], emulator: Any, gaps: Any) -> None:
    text = prepared(config, emulator)
    deployed = stack(text)
    exported = export(deployed, text, gaps)
    assert differing(planned(exported), planned(deployed)) == []


def test_with_other_values_it_is_the_plan_of_another_configuration(
    stack: Callable[[str], Any], gaps: Any
) -> None:
    text = """
[cluster]
name = "orders"
nodes = 3
[cluster.ports]
cluster = 6000
[cloud]
provider = "aws"
[cloud.aws]
cpu = 1024
memory_mib = 2048
"""
    other = text
    for before, after in [
        ('"orders"', '"billing"'),
        ("cluster = 6000", "cluster = 7100"),
        ("cpu = 1024", "cpu = 2048"),
        ("memory_mib = 2048", "memory_mib = 8192"),
        ("[cloud.aws]", '[cloud.aws]\nregion = "eu-west-1"\nvpc_cidr = "10.44.0.0/16"'),
    ]:
        assert before in other
        other = other.replace(before, after)
    deployed = stack(other)
    values = export(deployed, other, gaps).folder / "aether.tfvars"
    other_values = values.read_text(encoding="utf-8")
    shutil.rmtree(values.parent)
    exported = export(deployed, text, gaps)
    values.write_text(other_values, encoding="utf-8")
    assert differing(planned(exported), planned(deployed)) == []


@pytest.mark.slow
def test_scripts_apply_what_the_stack_finds_made_and_destroy_it(
    stack: Callable[[str], Any], emulator: Any, gaps: dict[str, Any]
) -> None:
    text = unprotected(prepared(EXAMPLES / "aws.toml", emulator))
    deployed = stack(text)
    exported = export(deployed, text, gaps)
    refused = script(exported, "apply.sh")
    assert refused.returncode == 1
    assert "no terminal to ask on" in refused.stderr
    assert not [*exported.folder.glob("*.tfstate")]
    said = script(exported, "apply.sh", "--yes")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Apply complete!" in said.stdout

    (state,) = exported.folder.glob("*.tfstate")
    shutil.copy(state, deployed.folder / "terraform.tfstate")
    deployed.terraform("init", "-input=false")
    found = deployed.plan()
    declared = {f"{kind}.{name}" for kind, named in deployed.document["resource"].items() for name in named}
    assert declared == {address.partition("[")[0] for address in managed(found["prior_state"])}
    assert not explained(found, gaps["forgets"])[0], "the stack would change what the module made"

    said = script(exported, "destroy.sh", "--yes")
    assert said.returncode == 0, said.stdout + said.stderr
    assert not json.loads(state.read_text(encoding="utf-8"))["resources"]
    said = script(exported, "destroy.sh")
    assert said.returncode == 0
    assert "nothing there to destroy" in said.stderr


def export(deployed: Any, text: str, gaps: dict[str, Any]) -> Any:
    """The module of a configuration, with the stack's own overrides."""
    folder = deployed.folder.parents[2] / "exported"
    (folder.parent / "exported.toml").write_text(text, encoding="utf-8")
    done = run("export", "-c", "exported.toml", "-o", folder.name, folder=folder.parent)
    assert done.returncode == 0, done.stderr
    override = json.loads((deployed.folder / "test_override.tf.json").read_text(encoding="utf-8"))
    (folder / "test_override.tf.json").write_text(json.dumps(override), encoding="utf-8")
    provider = override["terraform"]["required_providers"]["aws"]["version"]
    for file in folder.glob("*.tf"):
        file.write_text(without_newer(file.read_text(encoding="utf-8"), provider, gaps), encoding="utf-8")
    assert fmt(folder, deployed.environment) == ""
    return type(deployed)(folder, deployed.environment)


def without_newer(text: str, provider: str, gaps: dict[str, Any]) -> str:
    """A file without the arguments that only a newer provider than the mirror's has."""
    for gap in gaps.get("newer", []):
        if int(provider.partition(".")[0]) < gap["since"]:
            name = re.escape(gap["argument"])
            block = re.compile(rf"\n(  {name} +=.*|\n  {name} {{\n(?:    .*\n|\n)*  }})$", re.MULTILINE)
            parts = re.split(r"(?m)^(?=\w)", text)
            mine = f'resource "{gap["type"]}"'
            text = "".join(block.sub("", part) if part.startswith(mine) else part for part in parts)
    return text


def fmt(folder: Path, environment: dict[str, str]) -> str:
    """The names of files that Terraform would write otherwise."""
    command = [TERRAFORM, "fmt", "-check", "-recursive"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    ).stdout


def planned(stack: Any) -> dict[str, Any]:
    """All that a plan says of resources and outputs, by address."""
    stack.terraform("init", "-input=false")
    values = stack.folder / "aether.tfvars"
    plan = stack.plan(*([f"-var-file={values}"] if values.exists() else []))
    changes = {each["address"]: each["change"] for each in plan["resource_changes"]}
    assert changes
    return {
        "resources": without_folders(changes),
        "outputs": without_folders(plan["output_changes"]),
    }


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two plans differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [line for key in keys for line in differing(one.get(key), other.get(key), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for number, pair in pairs for line in differing(*pair, f"{path}/{number}")]
    return [] if one == other else [f"{path}: {one!r} != {other!r}"]


def without_folders(value: Any) -> Any:
    """A plan without the folders of files that resources are made of."""
    if isinstance(value, dict):
        return {key: without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_folders(item) for item in value]
    return ASSET.sub("", value) if isinstance(value, str) else value


def script(stack: Any, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a module, without a terminal."""
    return subprocess.run(
        [stack.folder / name, *arguments],
        env=stack.environment | {"TERRAFORM": TERRAFORM},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
