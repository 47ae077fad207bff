"""Texts with tokens: what Terraform gets to read."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cdktf import App, TerraformLocal, TerraformOutput, TerraformStack, Testing
from command_lines import TERRAFORM, terraform_path

from aether_infra.cdk.text import base64_json_text, base64_text, json_text


def written(make: Any) -> str:
    """The text that a stack with `local.name` writes for a value."""
    stack = TerraformStack(App(), "stack")
    name = TerraformLocal(stack, "name", 'it\'s "quoted"').as_string
    TerraformOutput(stack, "value", value=make(name))
    found: str = json.loads(Testing.synth(stack))["output"]["value"]["value"]
    return found


def value(token: str) -> dict[str, Any]:
    return {"first": token, "inside": f"<{token}>", "list": [{"of": token}], "plain": 'a "b" \\ ü 😀'}


def test_tokens_keep_their_braces() -> None:
    text = written(lambda token: json_text(value(token)))
    assert len(re.findall(r"\$\{local\.name\}", text)) == 3
    assert not re.search(r"[^{]local\.name", text)


def test_text_without_a_token_is_plain_json() -> None:
    assert json_text({"a": [1, True, None]}) == '{"a":[1,true,null]}'


@pytest.mark.terraform
@pytest.mark.parametrize(
    ("make", "read"),
    [
        (lambda token: json_text(value(token)), "jsondecode(local.text)"),
        (lambda token: base64_json_text(value(token)), "jsondecode(base64decode(local.text))"),
        (lambda token: base64_text(json.dumps({"first": token})), "base64decode(local.text)"),
    ],
    ids=["json", "base64-json", "base64"],
)
def test_terraform_reads_what_was_meant(make: Any, read: str, tmp_path: Path) -> None:
    terraform_path()
    name = "a}b$"
    document = {
        "locals": {"name": name, "text": written(make)},
        "output": {"found": {"value": f"${{{read}}}"}},
    }
    (tmp_path / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    environment = {key: text for key, text in os.environ.items() if key != "TF_CLI_CONFIG_FILE"}
    for command in (["init"], ["apply", "-auto-approve"]):
        done = subprocess.run(
            [TERRAFORM, *command, "-no-color", "-input=false"],
            cwd=tmp_path,
            env=environment | {"CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    state = json.loads((tmp_path / "terraform.tfstate").read_text(encoding="utf-8"))
    found = state["outputs"]["found"]["value"]
    if read == "base64decode(local.text)":
        assert found == json.dumps({"first": name})
    else:
        assert found == value(name)
