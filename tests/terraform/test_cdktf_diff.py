"""`cdktf diff` with the real command line, Terraform and AWS provider, as far as it goes without AWS."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from terraform_json import ROOT

pytestmark = [pytest.mark.terraform, pytest.mark.node]


def test_diff_shows_the_plan(stack: Callable[[str], Any], cdktf_path: str) -> None:
    planned = stack('[cloud.aws]\nnat = "none"\n')
    # the override that points the provider at the emulator stays, and no registry is asked for checksums
    done = subprocess.run(
        [
            "cdktf",
            "diff",
            "aws",
            "--skip-synth",
            "--skip-provider-lock",
            "--output",
            str(planned.folder.parents[1]),
        ],
        cwd=ROOT,
        env=planned.environment | {"PATH": cdktf_path, "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aws_ecs_cluster.compute" in done.stdout
    assert " to add, 0 to change, 0 to destroy" in done.stdout
