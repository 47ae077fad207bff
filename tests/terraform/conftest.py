"""Terraform with the real AWS provider from a mirror, and an AWS of one's own for each test."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
import pytest
from attrs import define, frozen
from command_lines import TERRAFORM, terraform_path
from terraform_json import ROOT

HERE = Path(__file__).parent
SERVER_SECONDS = 60
ENDPOINTS = """
acm applicationautoscaling autoscaling cloudwatch ec2 ecr ecs efs eks elbv2 iam kms lambda logs
resourcegroupstaggingapi route53 s3 secretsmanager servicediscovery sns ssm sts wafv2
"""
"""Services that the stacks use, by the provider's names. One that were missing here would ask the real AWS, with
credentials that it refuses."""
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@frozen
class Mirror:
    """A filesystem mirror of providers."""

    path: Path
    version: str
    """Newest version of hashicorp/aws in it."""

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


@frozen
class Emulator:
    """A running moto server."""

    url: str

    def client(self, service: str, region: str) -> Any:
        return boto3.client(service, region_name=region, endpoint_url=self.url, **CREDENTIALS)


@define
class Stack:
    """One synthesized stack in a folder of its own, deployed to an emulator."""

    folder: Path
    environment: dict[str, str]

    @cached_property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "cdk.tf.json").read_text(encoding="utf-8"))
        return document

    def terraform(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run Terraform; fail with all it said unless it ends with one of the codes."""
        name, *rest = arguments
        flags = [] if name == "show" else ["-no-color"]
        if name in {"plan", "apply", "destroy"}:
            flags.append("-parallelism=64")  # most of the time is spent in the provider's pauses
        command = [TERRAFORM, name, *flags, *rest]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in codes:
            pytest.fail(
                f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}",
                pytrace=False,
            )
        return done.stdout

    def plan(self, *arguments: str) -> dict[str, Any]:
        """Plan into the file `plan`, and return it."""
        self.terraform("plan", "-input=false", "-out=plan", *arguments)
        plan: dict[str, Any] = json.loads(self.terraform("show", "-json", "plan"))
        return plan


@pytest.fixture
def quiet(tmp_path: Path) -> dict[str, str]:
    """An environment in which Terraform has no settings but ours, and calls nobody."""
    settings = tmp_path / "terraform.rc"
    settings.write_text("", encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    return inherited | {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"}


@pytest.fixture(scope="session")
def mirror() -> Mirror:
    terraform_path()
    named = os.environ.get("TF_PLUGIN_MIRROR")
    if not named:
        pytest.skip("TF_PLUGIN_MIRROR names no mirror of Terraform providers")
    versions = [path.name for path in Path(named).glob("*/hashicorp/aws/*") if path.is_dir()]
    if not versions:
        pytest.skip("the provider mirror has no hashicorp/aws")
    return Mirror(Path(named), max(versions, key=lambda version: [int(part) for part in version.split(".")]))


@pytest.fixture(scope="session")
def moto_python() -> Path:
    """The Python of the environment that moto is installed in."""
    named = os.environ.get("AETHER_MOTO_SERVER")
    for candidate in (named, ROOT / ".venv-tools/moto/bin/moto_server", shutil.which("moto_server")):
        if candidate and Path(candidate).exists():
            return Path(candidate).with_name("python")
    return pytest.skip("no moto_server: make tools")


@pytest.fixture
def emulator(moto_python: Path, tmp_path: Path) -> Iterator[Emulator]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (tmp_path / "moto.log").open("wb") as log:
        command = [moto_python, HERE / "emulator.py", "--port", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + SERVER_SECONDS
        while (answer := lambda_without_docker(port)) is not None:
            if time.monotonic() > deadline or server.poll() is not None:
                pytest.fail(f"moto did not start: {answer}\n{(tmp_path / 'moto.log').read_text()}")
            time.sleep(0.1)
        yield Emulator(url)
    finally:
        server.terminate()
        server.wait(timeout=SERVER_SECONDS)


def lambda_without_docker(port: int) -> OSError | None:
    """Let an invocation succeed and run nothing; the error while the server does not listen yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        settings = json.dumps({"lambda": {"use_docker": False}})
        connection.request("POST", "/moto-api/config", settings, {"Content-Type": "application/json"})
        assert connection.getresponse().status < HTTPStatus.BAD_REQUEST
    except OSError as error:
        return error
    finally:
        connection.close()
    return None


@pytest.fixture(scope="session")
def gaps() -> dict[str, Any]:
    """What moto and the older provider cannot do, each with its reason."""
    return tomllib.loads((HERE / "moto.toml").read_text(encoding="utf-8"))


@pytest.fixture
def stack(mirror: Mirror, emulator: Emulator, gaps: dict[str, Any], tmp_path: Path) -> Callable[[str], Stack]:
    """Synthesize the AWS stack of a configuration, given as TOML, and point Terraform at the emulator.

    The synthesized file stays as it is, but for arguments that the mirror's provider is too old for. What
    must differ in a test is in an override file: the provider's version, its endpoints, and the backend.
    """

    def make(text: str) -> Stack:
        config, out = tmp_path / "aether.toml", tmp_path / "cdktf.out"
        config.write_text(text, encoding="utf-8")
        environment = os.environ | {"AETHER_CONFIG": str(config), "CDKTF_OUTDIR": str(out)}
        command = [sys.executable, "apps/synth.py"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        folder = out / "stacks/aws"
        drop_unknown(folder / "cdk.tf.json", mirror, gaps)
        endpoint = {
            "access_key": "test",
            "secret_key": "test",
            "skip_credentials_validation": True,
            "s3_use_path_style": True,
            "max_retries": 3,
            "endpoints": [dict.fromkeys(ENDPOINTS.split(), emulator.url)],
        }
        override = {
            "terraform": {
                "backend": {"local": {"path": "terraform.tfstate"}},
                "required_providers": {"aws": {"source": "hashicorp/aws", "version": mirror.version}},
            },
            "provider": {"aws": endpoint},
        }
        (folder / "test_override.tf.json").write_text(json.dumps(override), encoding="utf-8")
        settings = tmp_path / "terraform.rc"
        block = f"filesystem_mirror {{ path = {json.dumps(str(mirror.path))} }}"
        settings.write_text(f"provider_installation {{\n{block}\n}}\n", encoding="utf-8")
        quiet = {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        # a plugin cache or arguments of the user's would change what is tested
        own = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "AWS_"))}
        return Stack(folder, own | quiet)

    return make


def drop_unknown(path: Path, mirror: Mirror, gaps: dict[str, Any]) -> None:
    """Take out the arguments that only a newer provider than the mirror's has."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for gap in gaps.get("newer", []):
        if mirror.major < gap["since"]:
            for arguments in document["resource"].get(gap["type"], {}).values():
                arguments.pop(gap["argument"], None)
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
