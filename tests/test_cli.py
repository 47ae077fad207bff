"""The real command lines of the CDKTF family over this project's cdktf.json."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_lines import CDKTF_FAMILY, path_with
from terraform_json import ROOT

pytestmark = pytest.mark.node

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Tree = dict[str, bytes]
each = pytest.mark.parametrize("run", CDKTF_FAMILY, indirect=True)
"""What hangs on the command line is tried with each; the rest, which our app does, with one."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone of what the command line sees, so that the real output folder is left alone."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copytree(ROOT / "apps", folder / "apps", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cdktf.json", folder)
    return folder


@pytest.fixture
def run(request: pytest.FixtureRequest, project: Path) -> Run:
    """Run cdktf, or another of the family, in the project."""
    name = getattr(request, "param", "cdktf")
    own_path = path_with(name)
    command_line = shutil.which(name, path=own_path)

    def run(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith(("AETHER_", "CDKTF_"))}
        return subprocess.run(
            [str(command_line), *arguments],
            cwd=project,
            env=own | {"PATH": path or own_path, "CHECKPOINT_DISABLE": "1", "CI": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def tree(folder: Path) -> Tree:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@each
def test_synth_writes_the_bytes_of_the_app_alone(run: Run, project: Path) -> None:
    done = run("synth")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aws" in done.stdout
    written = tree(project / "cdktf.out")
    shutil.rmtree(project / "cdktf.out")
    own = {key: value for key, value in os.environ.items() if not key.startswith(("AETHER_", "CDKTF_"))}
    subprocess.run([sys.executable, "apps/synth.py"], cwd=project, env=own, check=True, capture_output=True)
    assert tree(project / "cdktf.out") == written


def test_the_environment_of_the_project_is_found_without_activating_it(run: Run, project: Path) -> None:
    binaries = project / ".venv/bin"
    binaries.mkdir(parents=True)
    # not a link: a virtual environment knows itself by the path that it is called by
    (binaries / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (binaries / "python").chmod(0o755)
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "python").write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    (elsewhere / "python").chmod(0o755)
    (elsewhere / "node").symlink_to(shutil.which("node", path=path_with_node()) or "missing")
    done = run("synth", path=os.pathsep.join([str(elsewhere), os.environ["PATH"]]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "cdktf.out/stacks/aws/cdk.tf.json").exists()


def path_with_node() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@each
def test_synth_writes_hcl(run: Run, project: Path) -> None:
    done = run("synth", "--hcl")
    assert done.returncode == 0, done.stdout + done.stderr
    text = (project / "cdktf.out/stacks/aws/cdk.tf").read_text(encoding="utf-8")
    assert 'resource "aws_ecs_cluster"' in text


def test_list_names_the_stacks(run: Run) -> None:
    done = run("list")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "aws" in done.stdout.split()


def test_a_bad_configuration_fails_with_every_problem_and_leaves_the_output(run: Run, project: Path) -> None:
    assert run("synth").returncode == 0
    before = tree(project / "cdktf.out")
    (project / "aether.toml").write_text('[cloud.aws]\nregion = "mars"\nnat = "some"\n', encoding="utf-8")
    done = run("synth")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "cloud.aws.region" in said
    assert "cloud.aws.nat" in said
    assert "Traceback" not in said
    assert tree(project / "cdktf.out") == before
