"""What makes a machine a node: the text for cloud-init, and its program run with commands that only pretend."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from aether_infra.core.machine import (
    FOLDER,
    HEAP_PLACEHOLDER,
    MachineNode,
    cloud_config,
    cloud_config_document,
)
from aether_infra.core.node import HealthProbe, NodePorts, environment, java_options

NODE = MachineNode(
    image="registry.example.com/node:1",
    environment=environment(
        ports=NodePorts(),
        peer_list="node-1:10.0.0.1:8090",
        core_count=3,
        java_opts=java_options(heap_mib=HEAP_PLACEHOLDER),
        node_id="node-1",
    ),
    ports=NodePorts(),
    health=HealthProbe(liveness_path="/live?a='b'&c=$d", unhealthy_threshold=2, start_seconds=0),
)


def written(node: MachineNode) -> dict[str, str]:
    return {item["path"]: item["content"] for item in cloud_config_document(node)["write_files"]}


def test_it_is_json_and_so_yaml_below_the_line_that_cloud_init_looks_for() -> None:
    header, _, body = cloud_config(NODE).partition("\n")
    assert header == "#cloud-config"
    assert json.loads(body) == cloud_config_document(NODE)


def test_the_same_node_gives_the_same_bytes() -> None:
    shuffled = evolve(NODE, environment=dict(reversed(NODE.environment.items())))
    assert cloud_config(shuffled) == cloud_config(NODE)


def test_nothing_but_what_was_put_in_is_a_template_to_terraform() -> None:
    text = cloud_config(NODE)
    assert "${" not in text
    assert "%{" not in text
    token = "${TfToken[TOKEN.7]}"  # noqa: S105 - a reference
    with_token = evolve(NODE, image=f"{token}:latest", environment={"PEERS": f"node-1:{token}:8090"})
    assert cloud_config(with_token).count(token) == 2
    assert f"IMAGE='{token}:latest'\n" in written(with_token)["/etc/aether/settings.sh"]


def test_only_root_reads_what_may_be_secret() -> None:
    files = cloud_config_document(evolve(NODE, files={"/etc/aether/more": "x\n"}))["write_files"]
    assert {item["permissions"] for item in files if item["path"].startswith(FOLDER)} == {"0600"}
    assert {item["owner"] for item in files} == {"root:root"}
    assert len({item["path"] for item in files}) == len(files) == 8


def test_a_value_takes_one_line() -> None:
    node = evolve(NODE, environment={"JAVA_OPTS": "-Da=b\n-Dc=d"})
    assert written(node)["/etc/aether/environment"] == "JAVA_OPTS=-Da=b -Dc=d\n"


def test_the_service_outlives_every_fault_and_lets_the_node_leave() -> None:
    unit = written(evolve(NODE, stop_timeout_seconds=90))["/etc/systemd/system/aether.service"].splitlines()
    assert "Restart=always" in unit
    assert "StartLimitIntervalSec=0" in unit
    assert "TimeoutStopSec=120" in unit
    (after,) = [line for line in unit if line.startswith("After=")]
    assert {"docker.service", "var-lib-aether-data.mount"} <= set(after.split())


def test_further_units_are_started_too() -> None:
    commands = cloud_config_document(evolve(NODE, units=["peers.service"]))["runcmd"]
    assert ["systemctl", "enable", "aether.service", "peers.service"] in commands
    assert commands[0] == ["systemctl", "daemon-reload"]


# --- the program


class Machine:
    """A machine whose commands only note that they were called."""

    def __init__(self, folder: Path, node: MachineNode) -> None:
        self.folder, self.bin, self.log = folder, folder / "bin", folder / "log"
        self.bin.mkdir()
        for name in ("apt-get", "docker", "podman", "iptables", "systemctl", "chown", "mkfs.ext4", "mount"):
            self.command(name)
        for name in ("resize2fs", "dd", "curl", "dnf"):
            self.command(name)
        self.command("mountpoint", "exit 1")
        self.command("blkid", "exit 2")
        self.command("sleep", "exit 0")
        self.command("firewall-cmd", "exit 1")
        for path, content in written(node).items():
            self._place(path).write_text(self.local(content), encoding="utf-8")

    def _place(self, path: str) -> Path:
        place = self.folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def local(self, text: str) -> str:
        for folder in ("/etc/aether", "/run/aether", "/var/lib/aether"):
            text = text.replace(folder, f"{self.folder}{folder}")
        return text

    def command(self, name: str, does: str = "") -> None:
        file = self.bin / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.log}\n{does}\n', encoding="utf-8")
        file.chmod(0o755)

    def call(self, verb: str) -> subprocess.CompletedProcess[str]:
        for name in ("sh", "cat", "date", "dirname", "echo", "kill", "mkdir", "sed"):
            if not (self.bin / name).exists():
                (self.bin / name).symlink_to(str(shutil.which(name)))
        return subprocess.run(
            ["/bin/sh", str(self.folder / "etc/aether/machine.sh"), verb],
            env={"PATH": str(self.bin)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []

    def called(self, beginning: str) -> list[str]:
        return [line for line in self.calls if line.startswith(beginning)]

    def read(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, NODE)


def disk(machine: Machine) -> str:
    """A path that is a block device to the program's eyes."""
    program = machine.folder / "etc/aether/machine.sh"
    text = program.read_text(encoding="utf-8")
    assert "[ ! -b " in text
    program.write_text(text.replace("[ ! -b ", "[ ! -f "), encoding="utf-8")
    device = machine.folder / "disk"
    device.touch()
    return str(device)


def with_disk(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path, evolve(NODE, data_device=str(tmp_path / "disk")))
    disk(machine)
    return machine


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_every_script_is_a_posix_one(tmp_path: Path, engine: Any) -> None:
    node = evolve(NODE, engine=engine, login="docker login", secrets="echo A=b", host="echo C=d")
    for path, content in written(node).items():
        if path.endswith(".sh"):
            script = tmp_path / Path(path).name
            script.write_text(content, encoding="utf-8")
            for shell in filter(None, ("sh", shutil.which("dash"))):
                subprocess.run([shell, "-n", script], check=True)


def test_a_machine_is_prepared_once(machine: Machine) -> None:
    assert machine.call("prepare").returncode == 0
    assert machine.calls[-1].startswith("iptables")
    assert len(machine.called("apt-get")) == 2
    assert machine.called("systemctl") == ["systemctl start docker.service"]
    assert machine.called("chown") == [machine.local("chown 1000:1000 /var/lib/aether/data")]
    assert not machine.called("mkfs") + machine.called("mount ")
    assert machine.call("prepare").returncode == 0
    assert len(machine.called("apt-get")) == 2


def test_packages_that_fail_are_tried_again(machine: Machine) -> None:
    machine.command("apt-get", "exit 100")
    assert machine.call("prepare").returncode != 0
    machine.command("apt-get")
    assert machine.call("prepare").returncode == 0
    assert machine.called("apt-get -q -y")


def test_an_image_that_brings_all_gets_no_packages(tmp_path: Path) -> None:
    machine = Machine(tmp_path, evolve(NODE, packages=()))
    assert machine.call("prepare").returncode == 0
    assert not machine.called("apt-get") + machine.called("dnf")


def test_the_machines_own_firewall_lets_the_node_be_reached(machine: Machine) -> None:
    machine.command("iptables", 'case "$*" in *-C*) exit 1 ;; esac')
    assert machine.call("prepare").returncode == 0
    opened = [line.split() for line in machine.called("iptables -w -I INPUT")]
    assert [(words[5], words[7]) for words in opened] == [
        ("tcp", "8080"),
        ("tcp", "8090"),
        ("tcp", "8070"),
        ("udp", "8090"),
        ("udp", "8190"),
    ]


def test_firewalld_is_asked_where_it_runs(machine: Machine) -> None:
    machine.command("firewall-cmd")
    assert machine.call("prepare").returncode == 0
    assert "firewall-cmd --quiet --permanent --add-port=8190/udp" in machine.calls
    assert not machine.called("iptables")


def test_an_empty_disk_is_formatted_and_mounted(tmp_path: Path) -> None:
    machine = with_disk(tmp_path)
    assert machine.call("prepare").returncode == 0
    assert machine.called("mkfs.ext4") == [f"mkfs.ext4 -q {tmp_path / 'disk'}"]
    (mounted,) = machine.called("mount ")
    assert mounted.endswith(machine.local(f"{tmp_path / 'disk'} /var/lib/aether/data"))
    calls = machine.calls
    assert calls.index(mounted) < calls.index(machine.called("chown")[0])


@pytest.mark.parametrize(("found", "works"), [(0, True), (8, False), (1, False)])
def test_a_disk_with_anything_on_it_is_never_formatted(tmp_path: Path, found: int, works: bool) -> None:  # noqa: FBT001
    machine = with_disk(tmp_path)
    machine.command("blkid", f"exit {found}")
    assert (machine.call("prepare").returncode == 0) is works
    assert not machine.called("mkfs")
    assert bool(machine.called("mount ")) is works


def test_a_disk_that_cannot_be_read_is_never_formatted(tmp_path: Path) -> None:
    machine = with_disk(tmp_path)
    machine.command("dd", "exit 1")
    assert machine.call("prepare").returncode != 0
    assert not machine.called("mkfs")


def test_without_its_disk_no_node_starts(tmp_path: Path) -> None:
    machine = Machine(tmp_path, evolve(NODE, data_device=str(tmp_path / "disk")))
    done = machine.call("prepare")
    assert done.returncode != 0
    assert "there is no disk" in done.stderr
    assert len(machine.called("sleep")) == 300
    assert not machine.called("mount ")


def run_once(machine: Machine, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a container that ends at once."""
    machine.command("sleep", "exit 1")  # ends the watch
    machine.command("docker", f'case "$1" in wait) echo {code} ;; esac')
    return machine.call("run")


def test_the_container_has_no_rights(machine: Machine) -> None:
    assert run_once(machine).returncode == 0
    (command,) = machine.called("docker run")
    for option in (
        "--user 1000:1000",
        "--read-only --tmpfs /tmp",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--network host",
        "--stop-timeout 90",
        "--log-driver journald",
        machine.local("--volume /var/lib/aether/data:/data "),
    ):
        assert option in command, option
    assert command.endswith(" registry.example.com/node:1")


def test_the_node_is_told_what_it_needs(tmp_path: Path) -> None:
    node = evolve(NODE, host="echo NODE_ID=here", secrets="echo DB=hunter2", login="echo noise")
    machine = Machine(tmp_path, node)
    done = run_once(machine)
    assert "noise" not in done.stdout
    assert "hunter2" not in done.stdout + done.stderr + "".join(machine.calls)
    told = machine.read("run/aether/environment")
    assert "PEERS=node-1:10.0.0.1:8090\n" in told
    heap = int(told.partition("-Xmx")[2].partition("m")[0])
    memory = int(Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]) // 1024 - 512
    assert heap == min(memory * 3 // 4, memory - 256)
    assert machine.read("run/aether/host") == "NODE_ID=here\n"
    assert machine.read("run/aether/secrets") == "DB=hunter2\n"
    for name in ("environment", "host", "secrets"):
        assert (tmp_path / "run/aether" / name).stat().st_mode & 0o777 == 0o600
    (command,) = machine.called("docker run")
    assert (
        command.index("aether/environment") < command.index("aether/host") < command.index("aether/secrets")
    )


def test_no_node_runs_without_its_secrets(tmp_path: Path) -> None:
    machine = Machine(tmp_path, evolve(NODE, secrets="echo A=b\nfalse\n"))
    assert run_once(machine).returncode != 0
    assert not machine.called("docker run")


def test_a_registry_that_is_down_stops_no_node_that_has_its_image(machine: Machine) -> None:
    machine.command("sleep", "exit 1")
    machine.command("docker", 'case "$1" in pull) exit 1 ;; wait) echo 0 ;; esac')
    done = machine.call("run")
    assert done.returncode == 0
    assert "the copy that is here must do" in done.stderr
    machine.command("docker", 'case "$1" in pull | image) exit 1 ;; esac')
    machine.log.unlink()
    assert machine.call("run").returncode != 0
    assert not machine.called("docker run")


def test_a_failed_container_fails_the_service(machine: Machine) -> None:
    done = run_once(machine, code=137)
    assert done.returncode != 0
    assert "the node ended with 137" in done.stderr


def test_a_node_that_does_not_answer_is_restarted(machine: Machine) -> None:
    stopped = machine.folder / "stopped"
    machine.command("curl", "exit 22")
    machine.command(
        "docker",
        f'case "$1" in stop) echo >{stopped} ;; wait) while [ ! -e {stopped} ]; do :; done; echo 143 ;; esac',
    )
    done = machine.call("run")
    assert done.returncode != 0
    assert "does not answer" in done.stderr
    assert len(machine.called("curl")) == 2, "as many bad probes as the threshold"
    assert machine.called("curl")[0].endswith("http://127.0.0.1:8080/live?a='b'&c=$d")
    assert machine.called("docker stop") == ["docker stop aether"]


def test_a_starting_node_is_left_in_peace(tmp_path: Path) -> None:
    machine = Machine(tmp_path, evolve(NODE, health=evolve(NODE.health, start_seconds=300)))
    probes = machine.folder / "probes"
    machine.command("curl", f"echo >>{probes}; exit 22")
    machine.command(
        "docker",
        f'case "$1" in wait) while [ "$(cat {probes} | wc -l)" -lt 20 ]; do :; done; echo 0 ;; esac',
    )
    (machine.bin / "wc").symlink_to(str(shutil.which("wc")))
    (machine.bin / "cat").symlink_to(str(shutil.which("cat")))
    probes.touch()
    assert machine.call("run").returncode == 0
    assert not machine.called("docker stop")


def test_podman_labels_the_folder_for_selinux(tmp_path: Path) -> None:
    machine = Machine(tmp_path, evolve(NODE, engine="podman", packages=("podman",)))
    (machine.bin / "apt-get").unlink()
    machine.command("sleep", "exit 1")
    machine.command("podman", 'case "$1" in wait) echo 0 ;; esac')
    assert machine.call("prepare").returncode == 0
    assert machine.called("dnf") == ["dnf -q -y install podman"]
    assert not machine.called("systemctl")
    assert machine.call("run").returncode == 0
    assert ":/data:Z " in machine.called("podman run")[0]
