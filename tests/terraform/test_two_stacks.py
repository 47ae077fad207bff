"""Infrastructure and workload with the real command line: one before the other, and back in the reverse order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import CDKTF_FAMILY, TERRAFORM, path_with, terraform_path

pytestmark = [pytest.mark.terraform, pytest.mark.node]

APP = Path(__file__).with_name("two_stacks.py")


@pytest.mark.parametrize("name", CDKTF_FAMILY)
def test_deploy_in_order_and_destroy_in_reverse(name: str, quiet: dict[str, str], tmp_path: Path) -> None:
    path = path_with(name)
    terraform_path(path)
    settings = {"language": "python", "app": f"'{sys.executable}' '{APP}'", "sendCrashReports": "false"}
    (tmp_path / "cdktf.json").write_text(json.dumps(settings), encoding="utf-8")
    environment = quiet | {"CI": "1", "PATH": path, "TERRAFORM_BINARY_NAME": TERRAFORM}

    def cdktf(command: str) -> str:
        done = subprocess.run(
            [name, command, "gcp*", "--auto-approve", "--skip-provider-lock"],
            cwd=tmp_path,
            env=environment,
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
