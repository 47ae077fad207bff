"""Infrastructure and workload with the real command line: one before the other, and back in the reverse order."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from terraform_json import ROOT

pytestmark = [pytest.mark.terraform, pytest.mark.node]

APP = Path(__file__).with_name("two_stacks.py")


def test_deploy_in_order_and_destroy_in_reverse(tmp_path: Path) -> None:
    binaries = [str(ROOT / "node_modules/.bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    path = os.pathsep.join(binaries)
    for tool in ("cdktf", "terraform"):
        if shutil.which(tool, path=path) is None:
            pytest.skip(f"no {tool}: make setup, and Terraform on PATH")
    settings = {"language": "python", "app": f"'{sys.executable}' '{APP}'", "sendCrashReports": "false"}
    (tmp_path / "cdktf.json").write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "terraform.rc").write_text("", encoding="utf-8")
    quiet = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    quiet |= {
        "CHECKPOINT_DISABLE": "1",
        "CI": "1",
        "PATH": path,
        "TF_CLI_CONFIG_FILE": str(tmp_path / "terraform.rc"),
    }

    def cdktf(command: str) -> str:
        done = subprocess.run(
            ["cdktf", command, "gcp*", "--auto-approve", "--skip-provider-lock"],
            cwd=tmp_path,
            env=quiet,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said = cdktf("deploy")
    assert said.index("terraform_data.cluster: Creation complete") < said.index("terraform_data.pods: Creat")
    written = json.loads((tmp_path / "terraform.aether-gcp-workload.tfstate").read_text(encoding="utf-8"))
    pods = next(one for one in written["resources"] if one["type"] == "terraform_data")
    assert pods["instances"][0]["attributes"]["input"]["value"] == "https://192.0.2.1"

    said = cdktf("destroy")
    assert said.index("terraform_data.pods: Destruction complete") < said.index(
        "terraform_data.cluster: Destroy"
    )
