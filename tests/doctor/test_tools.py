"""Programs and packages: there, not there, too old, broken, hanging."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from fake_machine import GOOD, fake_machine

from aether_infra.config import Provider
from aether_infra.doctor import machine as real
from aether_infra.doctor import tools
from aether_infra.doctor.machine import Answer, Machine


def test_everything_there(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    assert tools.python(machine).found == "3.12.1"
    assert tools.node(machine).found == "24.1.0, of PATH"
    assert tools.terraform(machine).found == "Terraform 1.12.2"
    assert tools.cdktf(machine).found == "cdktf 0.21.0"
    assert tools.container_engine(machine).found == "docker 28.2.2"
    versions = {name: tools.program(machine, what).found for name, what in tools.CLUSTER_ACCESS.items()}
    assert versions == {
        Provider.AWS: "2.31.0",
        Provider.GCP: "1.30.0",
        Provider.AZURE: "0.2.10",
        Provider.DIGITALOCEAN: "1.146.0",
        Provider.ORACLE: "3.66.1",
    }


def test_nothing_there(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path, programs={}, packages={})
    looks = [
        tools.node(machine),
        tools.terraform(machine),
        tools.cdktf(machine),
        tools.container_engine(machine),
        *(tools.program(machine, what) for what in tools.CLUSTER_ACCESS.values()),
    ]
    assert {(look.good, look.found) for look in looks} == {(False, "not found")}
    assert all(look.fix for look in looks)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Terraform v1.10.5\n", "Terraform 1.10.5: older than 1.11"),
        ("OpenTofu v1.9.1\n", "OpenTofu 1.9.1: older than 1.10"),
        ("something else", "terraform does not tell its version"),
        (Answer("", "ends with exit code 127"), "terraform ends with exit code 127"),
        (Answer("", "gave no answer within 20 s"), "terraform gave no answer within 20 s"),
    ],
)
def test_a_terraform_that_will_not_do(tmp_path: Path, said: str | Answer, found: str) -> None:
    look = tools.terraform(fake_machine(tmp_path, programs={"terraform": said}))
    assert (look.good, look.found) == (False, found)
    assert "opentofu.org" in look.fix


def test_opentofu_alone_will_do_and_says_how(tmp_path: Path) -> None:
    look = tools.terraform(fake_machine(tmp_path, programs={"tofu": GOOD["tofu"]}))
    assert look.good
    assert look.found.startswith("OpenTofu 1.10.6; ")
    assert "TERRAFORM=tofu" in look.found


def test_an_old_terraform_beside_opentofu(tmp_path: Path) -> None:
    look = tools.terraform(
        fake_machine(tmp_path, programs={"terraform": "Terraform v1.5.7", "tofu": GOOD["tofu"]})
    )
    assert look.good
    assert look.found.startswith("OpenTofu")


def test_the_one_that_the_environment_names_is_the_one(tmp_path: Path) -> None:
    assert tools.terraform(fake_machine(tmp_path, env={"TERRAFORM": "tofu"})).found == "OpenTofu 1.10.6"
    gone = tools.terraform(fake_machine(tmp_path, env={"TERRAFORM": "terraform-1.13"}))
    assert (gone.good, gone.found) == (False, "$TERRAFORM: terraform-1.13 is not on PATH")


def test_which_node_it_is(tmp_path: Path) -> None:
    old = {**GOOD, "node": "v18.20.1\n"}
    assert tools.node(fake_machine(tmp_path, programs=old)).found == "18.20.1, of PATH: too old"
    bundled = fake_machine(
        tmp_path, programs={"node": "v24.1.0"}, bundled_node=Path("/wheel/node"), which=lambda _: None
    )
    assert tools.node(bundled).found == "24.1.0, that pip brought"
    chosen = fake_machine(
        tmp_path, programs=old, bundled_node=Path("/wheel/node"), env={"JSII_NODE": "/old/node"}
    )
    look = tools.node(chosen)
    assert (look.good, look.found) == (False, "18.20.1, of $JSII_NODE: too old")
    assert look.fix.startswith("unset JSII_NODE")


def test_cdktn_does_as_well_and_a_local_one_too(tmp_path: Path) -> None:
    assert tools.cdktf(fake_machine(tmp_path, programs={"cdktn": GOOD["cdktn"]})).found == "cdktn 0.24.0"
    machine = fake_machine(tmp_path, programs=GOOD, which=lambda _: None)
    assert not tools.cdktf(machine).good
    (machine.folder / "node_modules/.bin").mkdir(parents=True)
    (machine.folder / "node_modules/.bin/cdktf").touch()
    assert tools.cdktf(machine).found == "cdktf 0.21.0"


def test_a_docker_without_an_engine(tmp_path: Path) -> None:
    dead = Answer("", "ends with exit code 1")
    look = tools.container_engine(fake_machine(tmp_path, programs={"docker": dead}))
    assert (look.good, look.found) == (False, "docker is there, but its engine does not answer")
    assert (
        tools.container_engine(fake_machine(tmp_path, programs={**GOOD, "docker": dead})).found
        == "podman 5.6.0"
    )


def test_the_container_engine_that_the_environment_names(tmp_path: Path) -> None:
    assert tools.container_engine(fake_machine(tmp_path, env={"CONTAINER": "podman"})).found == "podman 5.6.0"
    gone = tools.container_engine(fake_machine(tmp_path, env={"CONTAINER": "nerdctl"}))
    assert (gone.good, gone.found) == (False, "$CONTAINER: nerdctl is not on PATH")


def test_extras(tmp_path: Path) -> None:
    machine = fake_machine(tmp_path)
    assert tools.packages(machine, "aws", "workload").found.startswith("cdktf-cdktf-provider-aws 21.")
    assert tools.packages(machine, "oracle", "workload").found.startswith(
        "cdktf-cdktf-provider-kubernetes 12."
    )
    assert tools.packages(machine, "runtime-azure", "runtime").good


def test_extras_that_are_not_installed(tmp_path: Path) -> None:
    look = tools.packages(
        fake_machine(tmp_path, packages={"cdktf": "0.20.12", "constructs": "10.4.2"}), "aws", "workload"
    )
    assert not look.good
    assert "cdktf-cdktf-provider-aws" in look.found
    assert "cdktf 0.20.12 (wants ==0.21.0)" in look.found
    assert "constructs" not in look.found
    assert look.fix == "pip install 'aether-infra[aws]'"


def test_a_package_without_metadata_is_told_of(tmp_path: Path) -> None:
    look = tools.packages(fake_machine(tmp_path, requirements=()), "aws")
    assert not look.good
    assert "not installed by pip" in look.found


def test_an_old_python(tmp_path: Path) -> None:
    assert not tools.python(fake_machine(tmp_path, python="3.10.14")).good
    assert tools.python(fake_machine(tmp_path, python="3.14.0rc1")).good


# the real machine


def script(folder: Path, text: str, mode: int = 0o755) -> str:
    path = folder / "program"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_a_program_that_answers(tmp_path: Path) -> None:
    answer = real.run([script(tmp_path, "#!/bin/sh\necho out; echo err >&2\n")], {})
    assert answer == Answer("out\nerr\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("#!/bin/sh\nexit 3\n", "ends with exit code 3"),
        ("#!/bin/sh\nkill -9 $$\n", "was ended by signal 9"),
        ("#!/no/such/interpreter\n", "cannot be run: no such file or directory"),
        ("\x7fELF not really", "cannot be run: exec format error"),
    ],
)
def test_a_broken_program(tmp_path: Path, text: str, fault: str) -> None:
    assert real.run([script(tmp_path, text)], {}).fault == fault


def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    # the child holds the pipes open: whoever waits for their end waits for it
    text = f"#!/bin/sh\nsleep 600 &\necho $! > {child}\nwait\n"
    begin = time.monotonic()
    answer = real.run([script(tmp_path, text)], {"PATH": os.environ["PATH"]}, seconds=0.5)
    assert answer.fault == "gave no answer within 0.5 s"
    assert time.monotonic() - begin < 10
    state = Path(f"/proc/{child.read_text().strip()}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_a_program_gets_no_input(tmp_path: Path) -> None:
    assert real.run([script(tmp_path, "#!/bin/sh\nread answer && exit 1\necho none\n")], {}) == Answer(
        "none\n"
    )


def test_this_machine_knows_what_is_installed() -> None:
    machine = real.this_machine()
    assert isinstance(machine, Machine)
    assert machine.installed("attrs")
    assert machine.installed("no-such-package-of-anybody") is None
    assert any(text.startswith("attrs") for text in machine.requirements)
    assert machine.python == ".".join(str(part) for part in sys.version_info[:3])


def test_a_port_that_listens_and_one_that_does_not() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert real.connect("127.0.0.1", port) == ""
    assert real.connect("127.0.0.1", port) == "connection refused"
    assert real.connect("no-such-host.invalid", 443)


def test_every_kubernetes_cloud_has_its_program(synthesized: object) -> None:
    """What the workload asks for tokens is what doctor looks for."""
    from terraform_json import CONFIGS

    from aether_infra.config import load

    seen = set()
    for path in CONFIGS:
        config = load(path, env={})
        for cloud in config.sections:
            if config.in_kubernetes(cloud) and cloud is not Provider.KUBERNETES and cloud not in seen:
                seen.add(cloud)
                document = synthesized(path, f"{cloud}-workload")  # type: ignore[operator]
                (provider,) = document["provider"]["kubernetes"]
                (plugin,) = provider["exec"]
                assert plugin["command"] == tools.CLUSTER_ACCESS[cloud].name
    assert seen == set(tools.CLUSTER_ACCESS)
