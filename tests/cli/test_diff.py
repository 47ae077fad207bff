"""`aether-infra diff` as an operator uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from console_script import in_terminal, plain
from console_script import run as run_script
from terraform_json import ROOT

from aether_infra.cli.diff import DANGER, command
from aether_infra.cli.main import run as main
from aether_infra.config import load
from aether_infra.synth import documents

KUBERNETES = ROOT / "apps/examples/kubernetes.toml"
OLD = KUBERNETES.read_text(encoding="utf-8")
NEW_IMAGE = OLD.replace("1.2.3", "1.2.4")
NEW_NAMESPACE = OLD.replace('namespace = "aether"', 'namespace = "elsewhere"')

Diff = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AETHER_CONFIG", raising=False)
    (tmp_path / "old.toml").write_text(OLD, encoding="utf-8")
    return tmp_path


@pytest.fixture
def diff(here: Path) -> Diff:
    """Run the command with a new.toml beside the old one."""

    def run(new: str, *arguments: str) -> Result:
        (here / "new.toml").write_text(new, encoding="utf-8")
        return CliRunner().invoke(
            command, arguments or ("old.toml", "new.toml"), standalone_mode=False, catch_exceptions=False
        )

    return run


def synthesized(folder: Path, config: Path, prefix: str = "") -> None:
    """Write what an earlier synth has written."""
    for name, document in documents([load(config)]).items():
        target = folder / "stacks" / f"{prefix}{name}"
        target.mkdir(parents=True)
        text = json.dumps(document).replace(f'"stackName": "{name}"', f'"stackName": "{prefix}{name}"')
        (target / "cdk.tf.json").write_text(text, encoding="utf-8")


def test_a_rollout(diff: Diff) -> None:
    result = diff(NEW_IMAGE)
    assert result.return_value == 0
    assert "~   kubernetes_stateful_set_v1.aether_core_" in result.stdout
    assert '"ghcr.io/siy/aether-node:1.2.3" → "ghcr.io/siy/aether-node:1.2.4"' in result.stdout
    assert "Plan: 0 to add, 2 to change in place, 0 to replace, 0 to remove" in result.stdout
    assert (
        "note   kubernetes-workload, rollout: the StatefulSet's pods restart one at a time" in result.stdout
    )
    assert "DANGER" not in result.stdout
    assert "\x1b" not in result.stdout


def test_nothing(diff: Diff) -> None:
    assert diff(OLD).stdout == "No changes: the infrastructure stays as it is.\n"


def test_danger_counts_only_when_asked(diff: Diff) -> None:
    told = diff(NEW_NAMESPACE)
    assert told.return_value == 0
    assert "DANGER kubernetes-workload, data: the namespace (aether/namespace) is replaced" in told.stdout
    assert told.stdout.endswith("2 dangers. Read them before you apply this.\n")
    assert diff(NEW_NAMESPACE, "old.toml", "new.toml", "--check").return_value == DANGER == 3
    assert diff(NEW_IMAGE, "old.toml", "new.toml", "--check").return_value == 0


def test_json(diff: Diff) -> None:
    result = diff(NEW_NAMESPACE, "old.toml", "new.toml", "--json", "--check")
    assert result.return_value == DANGER
    found = json.loads(result.stdout)
    assert [danger["kind"] for danger in found["dangers"]] == ["quorum", "data"]
    (stack,) = found["stacks"]
    assert stack["name"] == "kubernetes-workload"
    assert {each["action"] for each in stack["resources"]} == {"replace"}


def test_problems_of_both_files_come_together(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "old.toml").write_text("[cluster]\nnodes = 4\n[cloud.kubernetes]\n", encoding="utf-8")
    (here / "new.toml").write_text("[cluster]\nnodse = 3\n[cloud.kubernetes]\n", encoding="utf-8")
    assert main(["diff", "old.toml", "new.toml"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "old.toml: 1 problem" in said.err
    assert "cluster.nodes" in said.err
    assert "new.toml: 1 problem" in said.err
    assert "cluster.nodse" in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["diff"], "name two configurations"),
        (["diff", "old.toml"], "name two configurations"),
        (["diff", "a", "b", "c"], "name two configurations"),
        (["diff", "--against", "out", "a", "b"], "--against takes the place of OLD.toml"),
        (["diff", "--cloud", "mars", "old.toml", "old.toml"], "'mars'"),
        (["diff", "--cloud", "aws", "old.toml", "old.toml"], "cloud.aws"),
        (["diff", "old.toml", "none.toml"], "none.toml"),
        (["diff", "--against", "none", "old.toml"], "none: 1 problem\n  does not exist"),
        (["diff", "--against", "old.toml", "none.toml"], "is a file, not a folder"),
        (["diff", "--against", "."], "aether.toml: 1 problem"),
    ],
)
def test_bad_command_lines(
    here: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here.is_dir()
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert said.out == ""
    assert "Traceback" not in said.err


def test_against_what_was_synthesized(diff: Diff, here: Path) -> None:
    synthesized(here / "cdktf.out", here / "old.toml")
    assert "No changes" in diff(OLD, "--against", "cdktf.out", "new.toml").stdout
    assert "2 to change in place" in diff(NEW_IMAGE, "--against", "cdktf.out", "new.toml").stdout
    alone = diff(NEW_IMAGE, "--against", "cdktf.out/stacks/kubernetes-workload", "new.toml")
    assert "2 to change in place" in alone.stdout


def test_against_takes_the_configuration_of_the_folder(
    diff: Diff, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthesized(here / "cdktf.out", here / "old.toml")
    (here / "aether.toml").write_text(NEW_IMAGE, encoding="utf-8")
    assert "2 to change in place" in diff(OLD, "--against", "cdktf.out").stdout
    monkeypatch.setenv("AETHER_CONFIG", "old.toml")
    assert "No changes" in diff(OLD, "--against", "cdktf.out").stdout


def test_against_the_folder_of_a_fleet(diff: Diff, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = load(here / "old.toml").cluster.name
    synthesized(here / "fleet", here / "old.toml", prefix=f"{name}-")
    synthesized(here / "fleet", here / "old.toml", prefix="other-")
    result = diff(NEW_IMAGE, "--against", "fleet", "new.toml")
    assert "2 to change in place" in result.stdout
    assert "not compared, as they are no stacks of new.toml: other-kubernetes-workload" in result.stderr
    renamed = NEW_IMAGE.replace(f'name = "{name}"', 'name = "third"')
    (here / "new.toml").write_text(renamed, encoding="utf-8")
    assert main(["diff", "--against", "fleet", "new.toml"]) == 2
    assert 'holds no stack of the cluster "third"' in capsys.readouterr().err


def test_a_cloud_that_comes_and_goes(diff: Diff, here: Path) -> None:
    both = f"{OLD}\n[cloud.aws]\n".replace("[cloud]\n", '[cloud]\nprovider = "kubernetes"\n')
    (here / "old.toml").write_text(both, encoding="utf-8")
    gone = diff(OLD, "old.toml", "new.toml", "--cloud", "aws", "--check")
    assert gone.return_value == DANGER
    assert "aws (gone)" in gone.stdout
    assert "DANGER aws, abandoned: the stack is no longer in the configuration" in gone.stdout
    come = diff(OLD, "new.toml", "old.toml", "--cloud", "aws", "--check")
    assert come.return_value == 0
    assert "aws (new)" in come.stdout


def test_help_teaches_without_loading_a_cloud(here: Path) -> None:
    done = run_script("diff", "--help", folder=here)
    assert done.returncode == 0
    for word in ("-/+", "--against", "--check", "Exit codes:", "3  with --check"):
        assert word in done.stdout


def test_the_real_script(here: Path) -> None:
    (here / "new.toml").write_text(NEW_NAMESPACE, encoding="utf-8")
    done = run_script("diff", "old.toml", "new.toml", "--check", folder=here)
    assert done.returncode == DANGER, done.stderr
    assert "  -/+ kubernetes_stateful_set_v1.aether_core_" in done.stdout
    assert done.stderr == ""


def test_colour_on_a_terminal_only_and_lines_as_long_as_they_are(here: Path) -> None:
    (here / "new.toml").write_text(NEW_NAMESPACE, encoding="utf-8")
    code, screen = in_terminal("diff", "old.toml", "new.toml", folder=here)
    assert code == 0
    assert "\x1b[1;31mDANGER" in screen
    assert "what is in the namespace" in plain(screen) or "all that is in the namespace" in plain(screen)
    code, screen = in_terminal("diff", "old.toml", "new.toml", folder=here, environ={"NO_COLOR": "1"})
    assert "\x1b[1;31m" not in screen
