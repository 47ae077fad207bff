"""The program that runs a node on an EC2 instance, without an instance."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aether_infra.aws.instance_node import node

SPEC: dict[str, Any] = {
    "image": "210987654321.dkr.ecr.eu-west-1.amazonaws.com/node:1",
    "environment": {"JAVA_OPTS": "-Xmx@HEAP_MIB@m", "PEERS": "node-1:h:8090"},
    "secrets": {"DB": "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf:password::"},
    "log_group": "/aether/x/nodes",
    "management_port": 8080,
    "liveness_path": "/live",
    "readiness_path": "/ready",
    "interval_seconds": 10,
    "timeout_seconds": 5,
    "unhealthy_threshold": 3,
    "start_seconds": 60,
    "stop_timeout_seconds": 90,
}


class Instance:
    """What the program meets: commands, health answers, time."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.answers: dict[str, Iterator[bool]] = {}
        self.now = 0.0
        self.revision = "7"
        self.restarted: Path | None = None

    def sh(self, *command: str) -> str:
        self.commands.append(" ".join(command))
        if command[:2] == ("systemctl", "restart") and self.restarted is not None:
            self.restarted.write_text(self.revision, encoding="utf-8")
        if "get-parameter" in command:
            value = "s3cret" if "--with-decryption" in command else json.dumps(SPEC)
            return json.dumps({"Parameter": {"Value": value, "Version": int(self.revision)}})
        if "get-secret-value" in command:
            return json.dumps({"SecretString": '{"password": "hunter2"}'})
        return ""

    def answer(self, _port: int, path: str, _seconds: int) -> bool:
        return next(self.answers.get(path, iter(())), False)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Instance:
    own = Instance()
    monkeypatch.setattr(node, "sh", own.sh)
    monkeypatch.setattr(node, "answers", own.answer)
    monkeypatch.setattr(node.time, "sleep", own.sleep)
    monkeypatch.setattr(node.time, "time", lambda: own.now)
    monkeypatch.setattr(node, "REVISION", tmp_path / "revision")
    monkeypatch.setattr(node, "UNIT", tmp_path / "aether.service")
    monkeypatch.setattr(node.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
    return own


@pytest.mark.parametrize(
    ("arn", "value"),
    [
        ("arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf", '{"password": "hunter2"}'),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf:password::", "hunter2"),
        ("arn:aws:ssm:eu-west-1:1:parameter/x", "s3cret"),
    ],
)
def test_a_secret_by_its_reference(instance: Instance, arn: str, value: str) -> None:
    assert node.secret(arn) == value
    assert all(value not in command for command in instance.commands)


def test_a_secrets_stage_and_version_are_asked_for(instance: Instance) -> None:
    node.secret("arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf:password:AWSPREVIOUS:v1")
    assert "--version-stage AWSPREVIOUS --version-id v1" in instance.commands[-1]


def test_the_container_is_confined_and_told_no_secret_on_the_command_line() -> None:
    command = node.container(SPEC, {"NODE_ID": "node-1", "DB": "hunter2"})
    text = " ".join(command)
    for option in ("--read-only", "--cap-drop ALL", "no-new-privileges", "--user 1000", "--stop-timeout 90"):
        assert option in text
    assert "--env DB --env NODE_ID" in text
    assert "hunter2" not in text
    assert command[-1] == SPEC["image"]


def roll(instance: Instance, tmp_path: Path, running: str, **answers: list[bool]) -> None:
    (tmp_path / "aether.service").touch()
    (tmp_path / "revision").write_text(running, encoding="utf-8")
    instance.restarted = tmp_path / "revision"
    instance.answers = {f"/{path}": iter(given) for path, given in answers.items()}
    node.roll("7")


def test_roll_leaves_a_node_alone_that_is_new_enough(instance: Instance, tmp_path: Path) -> None:
    roll(instance, tmp_path, running="7")
    assert not [command for command in instance.commands if "systemctl" in command]


def test_roll_of_a_ready_node_waits_until_it_is_ready_again(instance: Instance, tmp_path: Path) -> None:
    roll(instance, tmp_path, running="6", ready=[True, False, False, True], live=[True] * 9)
    assert instance.now == 4, "two bad answers, two seconds each"
    pulled, restarted = (
        next(place for place, command in enumerate(instance.commands) if text in command)
        for text in ("docker pull", "systemctl restart")
    )
    assert pulled < restarted, "the image comes while the old node still runs"


def test_roll_of_a_node_without_quorum_waits_for_liveness_alone(instance: Instance, tmp_path: Path) -> None:
    roll(instance, tmp_path, running="6", ready=[False] * 9, live=[False, True])
    assert instance.now == 2


def test_roll_stops_where_a_node_does_not_come_back(instance: Instance, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="did not come back on /ready: the rollout stops here"):
        roll(instance, tmp_path, running="6", ready=[True])


def test_roll_waits_for_settings_that_are_not_there_yet(instance: Instance) -> None:
    with pytest.raises(SystemExit, match="not yet 8"):
        node.roll("8")
    assert not [command for command in instance.commands if "systemctl" in command]


def test_a_node_that_stops_answering_is_stopped(instance: Instance) -> None:
    class Process:
        def poll(self) -> int | None:
            return 137 if "docker stop aether" in instance.commands else None

        def wait(self) -> int:
            return 137

    instance.answers = {"/live": iter([False, False, True, True, False, True, False, False, False])}
    with pytest.raises(SystemExit) as ended:
        node.watch(Process(), SPEC)  # type: ignore[arg-type]
    assert ended.value.code == 137
    assert instance.now == 90, "one bad answer is forgiven, three in a row are not"


def test_a_node_that_never_starts_is_stopped_after_its_time(instance: Instance) -> None:
    class Process:
        def poll(self) -> int | None:
            return 1 if "docker stop aether" in instance.commands else None

        def wait(self) -> int:
            return 1

    with pytest.raises(SystemExit):
        node.watch(Process(), SPEC)  # type: ignore[arg-type]
    assert SPEC["start_seconds"] < instance.now <= SPEC["start_seconds"] + 40


def test_the_program_holds_nothing_that_terraform_or_systems_manager_would_interpret() -> None:
    text = Path(node.__file__).read_text(encoding="utf-8")
    assert "${" not in text
    assert "%{" not in text
    assert "{{" not in text
    assert len(text) < 14_000, "user data may have 16 KiB"


def test_the_program_runs_on_python_3_9() -> None:
    import ast

    ast.parse(Path(node.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))
