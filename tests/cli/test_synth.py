"""`aether-infra synth`: the bytes of cdktf, the figures that are told, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from command_lines import path_with
from console_script import environment, run
from terraform_json import ROOT

from aether_infra.cli.main import run as main
from aether_infra.cli.synth import command
from aether_infra.garbage import uncollected

SEVERAL = """
[app-http]
enabled = true
[cloud]
provider = "aws"
[cloud.aws]
[cloud.digitalocean]
"""
"""A stack with files beside it, and one that depends on another."""


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration of several clouds, in which the test runs."""
    monkeypatch.delenv("AETHER_CONFIG", raising=False)
    monkeypatch.delenv("CDKTF_OUTDIR", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "aether.toml").write_text(SEVERAL, encoding="utf-8")
    return tmp_path


@pytest.mark.node
def test_the_bytes_are_those_of_cdktf(tmp_path: Path) -> None:
    path = path_with("cdktf")
    shutil.copytree(ROOT / "apps", tmp_path / "apps", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cdktf.json", tmp_path)
    (tmp_path / "aether.toml").write_text(SEVERAL, encoding="utf-8")
    subprocess.run(
        ["cdktf", "synth"],
        cwd=tmp_path,
        env=environment(PATH=path, CHECKPOINT_DISABLE="1", CI="1"),
        capture_output=True,
        check=True,
    )
    done = run("synth", "-o", "ours", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert tree(tmp_path / "ours") == tree(tmp_path / "cdktf.out")


def test_one_cloud_after_all_gives_the_bytes_of_all(project: Path) -> None:
    assert invoke().exit_code == 0
    every = tree(project / "cdktf.out")
    state = project / "cdktf.out/stacks/digitalocean/terraform.tfstate"
    state.write_text("precious", encoding="utf-8")
    done = invoke("--cloud", "digitalocean", "--json")
    assert tree(project / "cdktf.out") == every | {"stacks/digitalocean/terraform.tfstate": b"precious"}
    stacks: list[dict[str, Any]] = json.loads(done.stdout)
    assert [stack["stack"] for stack in stacks] == ["digitalocean", "digitalocean-workload"]
    assert stacks[0]["path"] == "cdktf.out/stacks/digitalocean/cdk.tf.json"
    document = json.loads((project / stacks[0]["path"]).read_text(encoding="utf-8"))
    assert stacks[0]["resources"] == sum(map(len, document["resource"].values())) > 5
    assert stacks[0]["data_sources"] == sum(map(len, document.get("data", {}).values()))
    assert "as they were: aws\n" in done.stderr


def test_a_stack_that_was_removed_from_the_file_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDKTF_OUTDIR", "elsewhere")
    (project / "aether.toml").write_text("[cloud.kubernetes]\n[app-http]\nenabled = true\n", encoding="utf-8")
    assert invoke().exit_code == 0
    (project / "elsewhere/stacks/kubernetes-workload/terraform.tfstate").write_text("{}", encoding="utf-8")
    (project / "aether.toml").write_text("[cloud.digitalocean]\ncompute = 'vm'\n", encoding="utf-8")
    done = invoke()
    assert done.exit_code == 0
    assert "elsewhere: 1 stack written" in done.stderr
    assert (
        "note: elsewhere/stacks/kubernetes-workload: is no stack any more, what Terraform keeps there was left; "
        "what was applied of it still runs"
    ) in done.stderr
    assert "note: aether.toml: app-http.enabled: is not said" in done.stderr
    assert (project / "elsewhere/stacks/kubernetes-workload/terraform.tfstate").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--cloud", "oracle"], 2, "cloud.oracle: is missing"),
        (["--cloud", "mars"], 2, "'mars' is not one of"),
        (["-c", "none.toml"], 2, "none.toml: 1 problem"),
        (["-c", "none/*.toml"], 2, "no file matches"),
        (["-o", "aether.toml"], 1, "aether.toml: is a file, not a folder"),
        (["-o", "."], 1, "is not empty and was not made by synth"),
    ],
)
def test_what_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    before = tree(project)
    assert main(["synth", *arguments]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""
    assert tree(project) == before


def test_every_problem_and_nothing_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "aether.toml").write_text("[cloud.aws]\nnat = 'x'\nregoin = 'y'\n", encoding="utf-8")
    assert main(["synth"]) == 2
    said = capsys.readouterr().err
    assert "aether.toml: 2 problems" in said
    assert 'did you mean "region"?' in said
    assert [path.name for path in project.iterdir()] == ["aether.toml"]


def test_garbage_is_collected_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    import gc

    monkeypatch.delenv("AETHER_STOCK_BINDINGS", raising=False)
    assert gc.isenabled()
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    monkeypatch.setenv("AETHER_STOCK_BINDINGS", "1")
    with uncollected():
        assert gc.isenabled()
