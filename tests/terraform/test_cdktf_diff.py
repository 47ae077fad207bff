"""`diff` of both CDKTF command lines, with the real Terraform and AWS provider, as far as it goes without AWS."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from command_lines import CDKTF_FAMILY, TERRAFORM, path_with
from terraform_json import ROOT

pytestmark = [pytest.mark.terraform, pytest.mark.node]


@pytest.mark.parametrize("name", CDKTF_FAMILY)
def test_diff_shows_the_plan(name: str, stack: Callable[[str], Any]) -> None:
    path = path_with(name)
    planned = stack('[cloud.aws]\nnat = "none"\n')
    # the override that points the provider at the emulator stays, and no registry is asked for checksums
    done = subprocess.run(
        [
            name,
            "diff",
            "aws",
            "--skip-synth",
            "--skip-provider-lock",
            "--output",
            str(planned.folder.parents[1]),
        ],
        cwd=ROOT,
        env=planned.environment | {"PATH": path, "CI": "1", "TERRAFORM_BINARY_NAME": TERRAFORM},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aws_ecs_cluster.compute" in done.stdout
    assert " to add, 0 to change, 0 to destroy" in done.stdout
