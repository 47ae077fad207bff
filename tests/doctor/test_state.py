"""The state's place: which host it is, and what is said when it answers and when it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_machine import fake_machine

from aether_infra.config import StateConfig
from aether_infra.doctor import state
from aether_infra.doctor.machine import Machine
from aether_infra.doctor.needs import StatePlace


def place(backend: str, config_region: str = "", /, **settings: Any) -> StatePlace:
    return StatePlace(state=StateConfig(backend=backend, settings=settings), region=config_region)


def dialled(folder: Path, where: StatePlace, env: dict[str, str]) -> list[str]:
    """Hosts and ports that are connected to."""
    calls: list[str] = []

    def connect(host: str, port: int) -> str:
        calls.append(f"{host}:{port}")
        return ""

    state.reach(fake_machine(folder, env=env, connect=connect), where)
    return calls


@pytest.mark.parametrize(
    ("where", "env", "host"),
    [
        (place("s3", "eu-west-1", bucket="b"), {}, "s3.eu-west-1.amazonaws.com:443"),
        (place("s3", "eu-west-1", bucket="b", region="us-east-2"), {}, "s3.us-east-2.amazonaws.com:443"),
        (place("s3", bucket="b"), {"AWS_REGION": "cn-north-1"}, "s3.cn-north-1.amazonaws.com.cn:443"),
        (place("s3", bucket="b", endpoints={"s3": "http://minio:9000"}), {}, "minio:9000"),
        (place("s3", bucket="b"), {"AWS_ENDPOINT_URL_S3": "https://store.example"}, "store.example:443"),
        (place("gcs", bucket="b"), {}, "storage.googleapis.com:443"),
        (
            place("azurerm", container_name="c", storage_account_name="acme"),
            {},
            "acme.blob.core.windows.net:443",
        ),
        (
            place("azurerm", container_name="c", storage_account_name="acme", environment="usgovernment"),
            {},
            "acme.blob.core.usgovcloudapi.net:443",
        ),
        (place("http", address="http://state.example/aether"), {}, "state.example:80"),
        (place("http", address="https://state.example:8443/aether"), {}, "state.example:8443"),
        (place("remote", workspaces={"name": "x"}), {}, "app.terraform.io:443"),
        (place("cloud", hostname="tfe.example", workspaces={"name": "x"}), {}, "tfe.example:443"),
        (place("consul", path="aether"), {}, "127.0.0.1:8500"),
        (place("consul", path="aether", address="consul.example:8501"), {}, "consul.example:8501"),
        (place("pg"), {"PGHOST": "db.example"}, "db.example:5432"),
        (place("pg"), {"PG_CONN_STR": "postgres://me:pw@db.example:6432/state"}, "db.example:6432"),
        (place("pg"), {"PG_CONN_STR": "host=db.example password=pw"}, "db.example:5432"),
        (place("cos", bucket="b", region="ap-guangzhou"), {}, "cos.ap-guangzhou.myqcloud.com:443"),
        (place("oss", bucket="b", region="cn-beijing"), {}, "oss-cn-beijing.aliyuncs.com:443"),
        (place("gcs", bucket="b"), {"HTTPS_PROXY": "http://me:pw@proxy.example:3128"}, "proxy.example:3128"),
        (
            place("gcs", bucket="b"),
            {"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": "localhost, .googleapis.com"},
            "storage.googleapis.com:443",
        ),
        (
            place("pg"),
            {"PGHOST": "db.example", "HTTPS_PROXY": "http://proxy.example:3128"},
            "db.example:5432",
        ),
    ],
)
def test_the_host(where: StatePlace, env: dict[str, str], host: str, tmp_path: Path) -> None:
    assert dialled(tmp_path, where, env) == [host]


@pytest.mark.parametrize(
    "where",
    [place("pg"), place("azurerm", container_name="c"), place("oss", bucket="b")],
    ids=lambda one: one.state.backend,
)
def test_a_host_that_only_somebody_else_knows(where: StatePlace, tmp_path: Path) -> None:
    assert state.reach(fake_machine(tmp_path), where) is None


def test_a_socket_is_left_alone(tmp_path: Path) -> None:
    assert state.reach(fake_machine(tmp_path, env={"PGHOST": "/var/run/postgresql"}), place("pg")) is None


def test_what_is_said(tmp_path: Path) -> None:
    where = place("gcs", bucket="b")
    good = state.reach(fake_machine(tmp_path), where)
    assert good is not None
    assert good.found == "storage.googleapis.com:443 answers; whether it lets you in was not tried"
    bad = state.reach(
        fake_machine(tmp_path, unreachable={"storage.googleapis.com": "connection refused"}), where
    )
    assert bad is not None
    assert (bad.good, bad.found) == (False, "storage.googleapis.com:443: connection refused")
    assert "--offline" in bad.fix


def test_a_proxy_is_told_of(tmp_path: Path) -> None:
    env = {"https_proxy": "http://me:pw@proxy.example:3128"}
    look = state.reach(fake_machine(tmp_path, env=env), place("gcs", bucket="b"))
    assert look is not None
    assert look.found.startswith("the proxy on the way to storage.googleapis.com:443 answers")


def test_a_bucket_in_no_region(tmp_path: Path) -> None:
    look = state.reach(fake_machine(tmp_path), place("s3", bucket="b"))
    assert look is not None
    assert (look.good, look.found) == (False, "no region is known for the bucket")


def local(machine: Machine, **settings: Any) -> str:
    look = state.reach(machine, place("local", **settings))
    assert look is not None
    return f"{look.good} {look.found}"


def test_a_file(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    assert local(machine) == "True a file in this folder"
    assert local(machine, path="../../../states/x.tfstate") == "True a file in states"
    assert local(machine, path="/var/states/x.tfstate") == "True a file in /var/states"


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    asked: list[Path] = []

    def writable(folder: Path) -> bool:
        asked.append(folder)
        return False

    machine = fake_machine(tmp_path, writable=writable)
    assert local(machine) == "False this folder cannot be written to"
    local(machine, path="../../../not/yet/there/x.tfstate")
    assert asked == [machine.folder, machine.folder], "what is not there yet is made in what is"


def test_the_folder_follows_the_output_folder(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path, env={"CDKTF_OUTDIR": "build/out"})
    assert local(machine) == "True a file in build"
