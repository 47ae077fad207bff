#!/usr/bin/python3
"""Runs one Aether node on an EC2 instance (Amazon Linux 2023, so Python 3.9 and no package of ours).

    start   first boot: disk, container engine, service
    run     what the service runs: the container, watched for liveness
    roll N  when the settings are not of revision N: restart, then wait until the node is back

`roll` comes through Systems Manager, one core node at a time, and stops there if a node does not come back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

SETTINGS = "@SETTINGS@"
REGION = "@REGION@"
DATA = Path("/var/lib/aether/data")
REVISION = Path("/var/lib/aether/revision")
UNIT = Path("/etc/systemd/system/aether.service")
UNIT_TEXT = """[Unit]
Description=Aether node
Requires=docker.service
After=docker.service network-online.target
[Service]
ExecStart=/usr/local/sbin/aether-node run
Restart=always
RestartSec=5
TimeoutStopSec=180
[Install]
WantedBy=multi-user.target
"""
USER = "1000"
SPARE_MIB = 512


def sh(*command: str) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def aws(*command: str) -> Any:
    """Call the AWS command line, which the image brings."""
    return json.loads(sh("aws", "--region", REGION, "--output", "json", *command))


def metadata(path: str, default: str | None = None) -> str:
    """Read the instance's metadata by IMDSv2."""
    base = "http://169.254.169.254/latest/"
    ask = urllib.request.Request(
        base + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    )
    token = urllib.request.urlopen(ask, timeout=5).read().decode()
    try:
        ask = urllib.request.Request(base + "meta-data/" + path, headers={"X-aws-ec2-metadata-token": token})
        return str(urllib.request.urlopen(ask, timeout=5).read().decode())
    except urllib.error.HTTPError as error:
        if error.code == 404 and default is not None:
            return default
        raise


def tag(name: str) -> str:
    """One of the instance's own tags; empty without it."""
    return metadata("tags/instance/" + name, "")


def settings() -> tuple[dict[str, Any], str]:
    """The node's settings, and their revision."""
    parameter = aws("ssm", "get-parameter", "--name", SETTINGS)["Parameter"]
    return json.loads(parameter["Value"]), str(parameter["Version"])


def secret(arn: str) -> str:
    """The value of a secret: Secrets Manager (a JSON key, stage and version may follow the ARN) or SSM."""
    if arn.split(":")[2] == "ssm":
        return str(aws("ssm", "get-parameter", "--with-decryption", "--name", arn)["Parameter"]["Value"])
    parts = [*arn.split(":"), "", "", ""][:10]
    command = ["secretsmanager", "get-secret-value", "--secret-id", ":".join(parts[:7])]
    command += ["--version-stage", parts[8]] if parts[8] else []
    command += ["--version-id", parts[9]] if parts[9] else []
    value = str(aws(*command)["SecretString"])
    return str(json.loads(value)[parts[7]]) if parts[7] else value


def answers(port: int, path: str, seconds: int) -> bool:
    """Whether a health path answers 200."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=seconds) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def mount_data() -> None:
    """Mount the data volume that the instance's tags name; format it if it is new."""
    volume = tag("aether-data-volume").replace("-", "")
    DATA.mkdir(parents=True, exist_ok=True)
    if volume and not os.path.ismount(DATA):
        device = Path("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + volume)
        for _ in range(300):
            if device.exists():
                break
            time.sleep(1)
        if not sh("lsblk", "-no", "FSTYPE", str(device)):
            sh("mkfs.xfs", str(device))
        with Path("/etc/fstab").open("a", encoding="utf-8") as table:
            table.write("%s %s xfs defaults,nofail 0 2\n" % (device, DATA))
        sh("mount", str(DATA))
    sh("chown", USER + ":" + USER, str(DATA))


def start() -> None:
    """Prepare a new instance and start the service."""
    mount_data()
    sh("dnf", "install", "-y", "-q", "docker")
    UNIT.write_text(UNIT_TEXT, encoding="utf-8")
    sh("systemctl", "daemon-reload")
    sh("systemctl", "enable", "--now", "docker", "aether")


def heap_mib() -> int:
    """Three quarters of the memory that the system leaves."""
    total = next(
        line for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines() if "MemTotal" in line
    )
    return (int(total.split()[1]) // 1024 - SPARE_MIB) * 3 // 4


def container(spec: dict[str, Any], environ: dict[str, str]) -> list[str]:
    """The command that runs the node's container."""
    node_id = environ.get("NODE_ID") or metadata("instance-id")
    command = ["docker", "run", "--rm", "--name", "aether", "--init", "--network", "host", "--user", USER]
    command += ["--read-only", "--tmpfs", "/tmp", "--volume", "%s:/data" % DATA, "--cap-drop", "ALL"]  # noqa: S108
    command += ["--security-opt", "no-new-privileges", "--ulimit", "nofile=65536"]
    command += ["--stop-timeout", str(spec["stop_timeout_seconds"]), "--log-driver", "awslogs"]
    for option in (
        "region=" + REGION,
        "group=" + spec["log_group"],
        "stream=%s/%s" % (node_id, int(time.time())),
    ):
        command += ["--log-opt", "awslogs-" + option]
    for name in sorted(environ):
        command += ["--env", name]
    return [*command, spec["image"]]


def pull(image: str) -> None:
    """Fetch the image; to ECR the instance's role opens the door."""
    registry = image.partition("/")[0]
    if ".dkr.ecr." in registry:
        password = sh("aws", "--region", registry.split(".")[3], "ecr", "get-login-password")
        login = ["docker", "login", "-u", "AWS", "--password-stdin", registry]
        subprocess.run(login, input=password, check=True, text=True)
    sh("docker", "pull", "-q", image)


def run() -> None:
    """Run the container until it ends or is not alive any more; systemd starts it again."""
    spec, revision = settings()
    environ = dict(spec["environment"])
    environ["JAVA_OPTS"] = environ["JAVA_OPTS"].replace("@HEAP_MIB@", str(heap_mib()))
    environ.update({name: secret(arn) for name, arn in spec["secrets"].items()})
    if tag("aether-node-id"):
        environ["NODE_ID"] = tag("aether-node-id")
    pull(spec["image"])
    subprocess.run(["docker", "rm", "-f", "aether"], check=False, stdout=subprocess.DEVNULL)
    node = subprocess.Popen(container(spec, environ), env={**os.environ, **environ})
    signal.signal(signal.SIGTERM, lambda *_: subprocess.Popen(["docker", "stop", "aether"]))
    REVISION.write_text(revision, encoding="utf-8")
    watch(node, spec)


def watch(node: subprocess.Popen[bytes], spec: dict[str, Any]) -> None:
    """End the container when its liveness fails; end with it."""
    bad, deadline, started = 0, time.time() + spec["start_seconds"], False
    while node.poll() is None:
        time.sleep(spec["interval_seconds"])
        alive = answers(spec["management_port"], spec["liveness_path"], spec["timeout_seconds"])
        started = started or alive
        bad = 0 if alive or not (started or time.time() > deadline) else bad + 1
        if bad >= spec["unhealthy_threshold"]:
            print("the node does not answer: restarting it", flush=True)
            sh("docker", "stop", "aether")
    sys.exit(node.wait())


def roll(wanted: str) -> None:
    """Restart the node if its settings are old, and wait: for liveness, and for readiness if it was ready."""
    spec, revision = settings()
    if int(revision) < int(wanted):
        sys.exit("settings are of revision %s, not yet %s" % (revision, wanted))
    if not UNIT.exists():
        print("first boot has not ended: it takes the newest settings anyway")
        return
    if REVISION.exists() and REVISION.read_text(encoding="utf-8") == revision:
        print("already of revision " + revision)
        return
    port, seconds = spec["management_port"], spec["timeout_seconds"]
    path = "readiness_path" if answers(port, spec["readiness_path"], seconds) else "liveness_path"
    pull(spec["image"])  # while the old node still runs
    REVISION.unlink(missing_ok=True)
    sh("systemctl", "restart", "aether")
    deadline = time.time() + spec["start_seconds"] + 300
    while time.time() < deadline:
        if REVISION.exists() and answers(port, spec[path], seconds):
            print("back, with revision " + revision)
            return
        time.sleep(2)
    sys.exit("the node did not come back on %s: the rollout stops here" % spec[path])


def main(verb: str, *arguments: str) -> None:
    """Do what the command line says."""
    if verb == "roll":
        roll(*arguments)
    else:
        {"start": start, "run": run}[verb]()


if __name__ == "__main__":
    main(*sys.argv[1:])
