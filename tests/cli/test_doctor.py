"""`aether-infra doctor` as an operator uses it."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_machine import GOOD, fake_machine
from terraform_json import ROOT

from aether_infra.cli.doctor import command
from aether_infra.cli.main import run as main
from aether_infra.doctor import machine as machine_module

AWS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
Doctor = Callable[..., Result]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Run the command in a folder of its own, on a machine that the test makes up."""
    here = tmp_path / "project"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("AETHER_CONFIG", raising=False)

    def run(*arguments: str, config: str = "", **changes: Any) -> Result:
        if config:
            (here / "aether.toml").write_text(config, encoding="utf-8")
        monkeypatch.setattr(machine_module, "this_machine", lambda: fake_machine(tmp_path, **changes))
        return CliRunner().invoke(command, arguments, standalone_mode=False)

    return run


def lines(result: Result, status: str) -> list[str]:
    """What the report says with a status, without the blanks."""
    return [
        re.sub(r"\s+", " ", line.strip())
        for line in result.stdout.splitlines()
        if line.startswith(f"  {status} ")
    ]


def test_everything_there(doctor: Doctor) -> None:
    result = doctor(config="[cloud.aws]\n", env=AWS)
    assert result.return_value == 0, result.output
    assert result.stdout.startswith("For aws (fargate)\n")
    assert result.stdout.endswith("\nAll that is needed is here.\n")
    assert not lines(result, "error")
    assert not lines(result, "optional")
    assert "ok Terraform or OpenTofu Terraform 1.12.2" in lines(result, "ok")


def test_nothing_there(doctor: Doctor) -> None:
    result = doctor(config='[cloud.gcp]\nproject = "acme-prod"\n', programs={}, packages={})
    assert result.return_value == 1
    subjects = [line.split(" ", 1)[1] for line in lines(result, "error")]
    for subject in ("bindings, gcp", "Node", "Terraform or OpenTofu", "gke-gcloud-auth-plugin", "gcp"):
        assert any(line.startswith(subject) for line in subjects), subject
    assert f"\n{len(subjects)} things to mend.\n" in result.stdout
    assert "fix: pip install 'aether-infra[gcp]'" in result.stdout
    optional = " ".join(lines(result, "optional"))
    assert "cdktf or cdktn not found (for cdktf deploy; Terraform alone does as well)" in optional
    assert "azure" not in result.stdout, "only what was asked about"


def test_only_what_the_configuration_needs_is_an_error(doctor: Doctor) -> None:
    programs = {name: GOOD[name] for name in ("node", "terraform")}
    assert doctor(config="[cloud.aws]\n", env=AWS, programs=programs).return_value == 0
    eks = doctor(config='[cloud.aws]\ncompute = "eks"\n', env=AWS, programs=programs)
    assert eks.return_value == 1
    (error,) = lines(eks, "error")
    assert error.startswith("error aws not found (for tokens for the Kubernetes API, aws)")


def test_without_a_configuration_nothing_is_an_error(doctor: Doctor) -> None:
    result = doctor(programs={}, packages={})
    assert result.return_value == 0
    assert not lines(result, "error")
    optional = " ".join(lines(result, "optional"))
    for cloud in ("aws", "gcp", "azure", "digitalocean", "oracle", "kubernetes"):
        assert f"bindings, {cloud}" in optional
    assert "fix: aether-infra init\n" in result.stdout


def test_a_cloud_without_a_configuration(doctor: Doctor) -> None:
    result = doctor(
        "--cloud", "digitalocean", env={"DIGITALOCEAN_TOKEN": "x"}, programs={"node": GOOD["node"]}
    )
    assert result.return_value == 1
    (error,) = lines(result, "error")
    assert error.startswith("error Terraform or OpenTofu not found")
    assert "fix: aether-infra init --cloud digitalocean" in result.stdout
    assert any(line.startswith("optional doctl") for line in lines(result, "optional"))


def test_problems_of_the_configuration_are_all_told(doctor: Doctor) -> None:
    result = doctor(config='[cloud.aws]\nregion = "mars"\nnat = "some"\n', env=AWS)
    assert result.return_value == 1
    errors = lines(result, "error")
    assert [line.split()[2] for line in errors] == ["cloud.aws.nat:", "cloud.aws.region:"]


def test_a_configuration_that_is_not_there(doctor: Doctor) -> None:
    result = doctor("-c", "clusters/shop.toml")
    assert result.return_value == 1
    assert len(lines(result, "error")) == 1
    assert "clusters/shop.toml" in result.stdout


def test_a_cloud_that_the_configuration_has_not(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(config="[cloud.aws]\n")
    assert main(["doctor", "--cloud", "gcp"]) == 2
    assert "cloud.gcp: is missing" in capsys.readouterr().err


def test_a_fleet(doctor: Doctor, tmp_path: Path) -> None:
    for name, table in (
        ("shop", "[cloud.aws]"),
        ("bank", '[cloud.gcp]\nproject = "acme-prod"\ncompute = "vm"'),
    ):
        text = f'[cluster]\nname = "{name}"\n{table}\n[cloud.state]\nbackend = "gcs"\nbucket = "{name}"\n'
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    everything = doctor("-c", str(tmp_path / "*.toml"))
    assert everything.stdout.startswith("For aws (fargate), gcp (vm)\n")
    assert everything.stdout.count("backend, gcs") == 2
    one = doctor(
        "-c", str(tmp_path / "*.toml"), "--cloud", "aws", env=AWS | {"GOOGLE_OAUTH_ACCESS_TOKEN": "x"}
    )
    assert one.stdout.startswith("For aws (fargate)\n")
    assert one.stdout.count("backend, gcs") == 1
    assert one.return_value == 0, one.stdout


STATE = '[cloud.aws]\n[cloud.state]\nbackend = "s3"\nbucket = "acme-state"\n'


def test_a_state_that_does_not_answer(doctor: Doctor) -> None:
    dead = {"s3.us-west-2.amazonaws.com": "connection refused"}
    result = doctor(config=STATE, env=AWS, unreachable=dead)
    assert result.return_value == 1
    (error,) = lines(result, "error")
    assert error.startswith("error backend, s3 s3.us-west-2.amazonaws.com:443: connection refused")


def test_offline_opens_no_connection_and_says_so(doctor: Doctor) -> None:
    def connect(host: str, port: int) -> str:
        pytest.fail(f"connected to {host}:{port}")

    result = doctor("--offline", config=STATE, env=AWS, connect=connect)
    assert result.return_value == 0
    assert lines(result, "skipped") == ["skipped backend, s3 not looked at: --offline"]


def test_credentials_can_be_left_out_and_that_is_said(doctor: Doctor) -> None:
    result = doctor("--no-credentials", config=STATE)
    assert result.return_value == 0
    assert lines(result, "skipped") == ["skipped aws not looked for: --no-credentials"]


def test_json(doctor: Doctor) -> None:
    result = doctor(
        "--json", config="[cloud.aws]\n", programs={name: GOOD[name] for name in ("node", "terraform")}
    )
    report = json.loads(result.stdout)
    assert (report["ok"], report["clouds"], result.return_value) == (False, ["aws"], 1)
    found = {finding["subject"]: finding for finding in report["findings"]}
    assert found["Node"]["status"] == "ok"
    assert found["aws"] == {
        "topic": "credentials",
        "subject": "aws",
        "status": "error",
        "found": "none found",
        "purpose": "Terraform on aws",
        "fix": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in the environment",
    }
    assert {finding["status"] for finding in report["findings"]} <= {"ok", "error", "optional", "skipped"}


# the console script, on this machine


def environment(**changes: str) -> dict[str, str]:
    own = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AETHER_", "AWS_", "TERRAFORM"))
    }
    return own | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])} | changes


def console(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["aether-infra", "doctor", *arguments],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_console_script(tmp_path: Path) -> None:
    shutil.copy(ROOT / "apps/examples/aws.toml", tmp_path / "aether.toml")
    key = "AKIA" + "Q" * 16
    done = console(
        tmp_path, "--json", AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=key * 2, HOME=str(tmp_path)
    )
    assert done.stderr == ""
    assert key not in done.stdout
    found = {finding["subject"]: finding for finding in json.loads(done.stdout)["findings"]}
    for subject in ("aether.toml", "Python", "bindings, aws", "Node", "aws", "backend, local"):
        assert found[subject]["status"] == "ok", found[subject]


def test_a_table_on_a_terminal(tmp_path: Path) -> None:
    main_end, other_end = pty.openpty()
    process = subprocess.Popen(
        ["aether-infra", "doctor", "--no-credentials"],
        cwd=tmp_path,
        env=environment(TERM="xterm", COLUMNS="90", HOME=str(tmp_path)),
        stdin=other_end,
        stdout=other_end,
        stderr=subprocess.DEVNULL,
    )
    os.close(other_end)
    said = bytearray()
    try:
        while part := os.read(main_end, 65536):
            said += part
    except OSError:  # Linux: the other end is closed
        pass
    os.close(main_end)
    assert process.wait() == 0
    text = said.decode()
    assert "\x1b[32mok" in text
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "")
    assert "──" in plain
    assert max(len(line) for line in plain.splitlines()) <= 90


def test_help_teaches() -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "aether-infra doctor --cloud gcp" in result.output
    assert "Exit codes:" in result.output
