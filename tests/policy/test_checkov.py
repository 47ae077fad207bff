"""checkov over every synthesized stack: no failed check but those of checkov-exceptions.toml."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from terraform_json import CONFIGS, ROOT, case

HERE = Path(__file__).parent
EXCEPTIONS = tomllib.loads((HERE / "checkov-exceptions.toml").read_text(encoding="utf-8"))["exception"]


@frozen(order=True)
class Failure:
    """A check that failed."""

    config: str
    check: str
    address: str
    title: str = ""


@pytest.fixture(scope="module")
def checkov() -> Path:
    named = os.environ.get("AETHER_CHECKOV")
    for candidate in (named, ROOT / ".venv-tools/checkov/bin/checkov", shutil.which("checkov")):
        if candidate and Path(candidate).exists():
            return Path(candidate)
    return pytest.skip("no checkov: make tools")


def scan(checkov: Path, folder: Path) -> tuple[set[Failure], dict[str, int]]:
    """Failures, and how many checks passed, of `<config>/…/cdk.tf.json` below a folder."""
    # by its own Python, as a script of a wheel does not start from a path with blanks
    python = [checkov.with_name("python")] if checkov.with_name("python").exists() else []
    command = [*python, checkov, "--directory", ".", "--framework", "terraform_json", "--output", "json"]
    command += ["--quiet", "--compact", "--skip-download"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    results = report["results"]
    assert not results.get("parsing_errors")
    failures = set()
    for failure in results["failed_checks"]:
        path = Path(failure["file_path"].lstrip("/"))
        where = address(failure["resource"], json.loads((folder / path).read_text(encoding="utf-8")))
        failures.add(Failure(path.parts[0], failure["check_id"], where, failure["check_name"]))
    return failures, report["summary"]


def address(resource: str, document: dict[str, Any]) -> str:
    """Terraform's address; checkov says `resource` or `data` instead of the type now and then."""
    kind, _, name = resource.rpartition(".")
    section = document.get(kind)
    if section is None:
        return resource
    prefix = "" if kind == "resource" else f"{kind}."
    (found,) = [each for each, named in section.items() if name in named]
    return f"{prefix}{found}.{name}"


def excuses(exception: dict[str, Any], failure: Failure, settings: dict[str, Any]) -> bool:
    """Whether an exception is meant for this failure of a stack with these settings."""
    return (
        exception["check"] == failure.check
        and fnmatchcase(failure.address, exception["resource"])
        and all(setting(settings, key) == value for key, value in exception.get("set", {}).items())
        and ("unset" not in exception or setting(settings, exception["unset"]) is None)
    )


def setting(settings: dict[str, Any], path: str) -> Any:
    """A value of a TOML document by its dotted path; None where there is none."""
    found: Any = settings
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def test_no_check_fails_but_the_listed_ones(checkov: Path, tmp_path: Path) -> None:
    settings = {}
    for config in CONFIGS:
        settings[case(config)] = tomllib.loads(config.read_text(encoding="utf-8"))
        environment = os.environ | {
            "AETHER_CONFIG": str(config),
            "CDKTF_OUTDIR": str(tmp_path / case(config)),
        }
        command = [sys.executable, "apps/synth.py"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    failures, summary = scan(checkov, tmp_path)
    assert summary["passed"] > 100 * len(CONFIGS)
    unexcused = [
        f"{failure.config}: {failure.check} {failure.address}: {failure.title}"
        for failure in sorted(failures)
        if not any(excuses(exception, failure, settings[failure.config]) for exception in EXCEPTIONS)
    ]
    assert not unexcused
    idle = [
        f"{exception['check']} {exception['resource']}"
        for exception in EXCEPTIONS
        if not any(excuses(exception, failure, settings[failure.config]) for failure in failures)
    ]
    assert not idle, "exceptions that no failure needs any more"


def test_every_exception_has_a_reason() -> None:
    for exception in EXCEPTIONS:
        assert exception.keys() <= {"check", "resource", "set", "unset", "reason"}
        assert len(exception["reason"]) > 20, exception["check"]


def test_the_scanner_finds_what_is_wrong(checkov: Path, tmp_path: Path) -> None:
    rule = {
        "security_group_id": "sg-1",
        "cidr_ipv4": "0.0.0.0/0",
        "ip_protocol": "tcp",
        "from_port": 22,
        "to_port": 22,
    }
    volume = {"availability_zone": "us-west-2a", "size": 1, "encrypted": False}
    document = {
        "resource": {"aws_vpc_security_group_ingress_rule": {"ssh": rule}, "aws_ebs_volume": {"data": volume}}
    }
    folder = tmp_path / "wrong/stacks/aws"
    folder.mkdir(parents=True)
    (folder / "cdk.tf.json").write_text(json.dumps(document), encoding="utf-8")
    failures, _ = scan(checkov, tmp_path)
    found = {(failure.check, failure.address) for failure in failures}
    assert ("CKV_AWS_24", "aws_vpc_security_group_ingress_rule.ssh") in found
    assert ("CKV_AWS_3", "aws_ebs_volume.data") in found
