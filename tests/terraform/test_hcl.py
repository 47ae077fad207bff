"""What `cdktf synth --hcl` writes: HCL that Terraform accepts, for teams that review HCL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_lines import TERRAFORM
from terraform_json import ROOT, case, configs

pytestmark = pytest.mark.terraform


ALL = os.environ.get("AETHER_TERRAFORM") == "all"
CHECKED = configs("aws") if ALL else [path for path in configs("aws") if path.parent.name == "examples"]
"""By default the examples; all: `AETHER_TERRAFORM=all make test ARGS=tests/terraform`."""


@pytest.mark.parametrize("config", CHECKED, ids=case)
def test_hcl_is_valid(
    config: Path, mirror: Any, gaps: dict[str, Any], quiet: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "cdktf.out"
    # what the command line's --hcl sets
    environment = os.environ | {
        "AETHER_CONFIG": str(config),
        "CDKTF_OUTDIR": str(out),
        "SYNTH_HCL_OUTPUT": "true",
    }
    done = subprocess.run(
        [sys.executable, "apps/synth.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = out / "stacks/aws"
    assert (folder / "cdk.tf").exists()
    assert not (folder / "cdk.tf.json").exists()
    drop_newer(folder / "cdk.tf", mirror, gaps)
    override = {
        "terraform": {
            "backend": {"local": {"path": "terraform.tfstate"}},
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": mirror.version}},
        }
    }
    (folder / "test_override.tf.json").write_text(json.dumps(override), encoding="utf-8")
    for command in (["init", "-input=false", f"-plugin-dir={mirror.path}"], ["validate"]):
        done = subprocess.run(
            [TERRAFORM, *command, "-no-color"],
            cwd=folder,
            env=quiet,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def drop_newer(path: Path, mirror: Any, gaps: dict[str, Any]) -> None:
    """Take out the arguments that only a newer provider than the mirror's has, whole blocks among them."""
    names = {gap["argument"] for gap in gaps.get("newer", []) if mirror.major < gap["since"]}
    lines, end = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if end:
            end = "" if line == end else end
        elif line.split(maxsplit=1)[:1] and line.split(maxsplit=1)[0] in names:
            end = f"{indent}}}" if line.endswith("{") else ""
        else:
            lines.append(line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
