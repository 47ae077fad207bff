"""`cdktf diff` with the real command line, Terraform and AWS provider, as far as it goes without AWS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_json import ROOT

pytestmark = [pytest.mark.terraform, pytest.mark.node]


def test_diff_shows_the_plan(stack: Callable[[str], Any]) -> None:
    binaries = [str(ROOT / "node_modules/.bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    path = os.pathsep.join(binaries)
    if shutil.which("cdktf", path=path) is None:
        pytest.skip("no cdktf command line: make setup")
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
        env=planned.environment | {"PATH": path, "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aws_ecs_cluster.compute" in done.stdout
    assert " to add, 0 to change, 0 to destroy" in done.stdout
