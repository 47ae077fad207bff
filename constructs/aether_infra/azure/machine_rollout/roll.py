# ruff: noqa: S603, S607, T201 - the system's own commands, found on its PATH; what it prints is the log
"""Brings the settings of an Aether node's machine up to date and waits until the node is back. Fails otherwise.

Runs on the machine as root, as a managed run command, one core node after the other: where it fails, Terraform stops,
and no further node is touched. It is written for any Python 3 that cloud-init brings, and holds no dollar sign before a
brace: that is what Terraform would put its values into.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = "@FILES@"
CORE_NODES = int("@CORE_NODES@")
MANAGEMENT_PORT = "@MANAGEMENT_PORT@"
LIVENESS_PATH = "@LIVENESS_PATH@"
READINESS_PATH = "@READINESS_PATH@"
PATIENCE_SECONDS = int("@PATIENCE_SECONDS@")
SERVICE = "aether.service"


def ask(path: str) -> Any:
    """Ask the node; raises OSError unless it answers well."""
    return urllib.request.urlopen("http://127.0.0.1:" + MANAGEMENT_PORT + path, timeout=5)


def answers(path: str) -> bool:
    """Whether a health path answers 200."""
    try:
        with ask(path) as reply:
            return bool(reply.status == HTTPStatus.OK)
    except OSError:
        return False


def connected() -> int:
    """How many nodes this one sees; all of them where it does not tell."""
    try:
        with ask("/health") as reply:
            return int(json.load(reply)["nodeCount"])
    except (OSError, ValueError, KeyError, TypeError):
        return CORE_NODES


def wait(what: str, seconds: int, condition: Callable[[], bool]) -> None:
    """Wait for a condition; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("waited in vain for " + what + ": the rollout stops here")
        time.sleep(2)


def content(path: Path) -> str | None:
    """What a file holds; None where there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else None


def write(item: dict[str, str]) -> None:
    """Replace a file at one go, readable by whom it is for from its first byte."""
    path = Path(item["path"])
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=int(item["permissions"], 8))
    new.write_text(item["content"], encoding="utf-8")
    new.replace(path)


def main() -> None:
    """Do nothing where nothing has changed; else restart the node when the others can spare it."""
    subprocess.run(["cloud-init", "status", "--wait"], check=False, stdout=subprocess.DEVNULL)
    wanted = json.loads(base64.b64decode(FILES).decode("utf-8"))
    old = [item for item in wanted if content(Path(item["path"])) != item["content"]]
    path = LIVENESS_PATH
    if old:
        if answers(READINESS_PATH):
            # it is one of a quorum: it leaves only while all others are there, and is back only as one of it
            wait("the other core nodes", PATIENCE_SECONDS // 2, lambda: connected() >= CORE_NODES)
            path = READINESS_PATH
        for item in old:
            write(item)
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        subprocess.run(["systemctl", "restart", SERVICE], check=True)
    wait("the node to answer on " + path, PATIENCE_SECONDS, lambda: answers(path))
    print("the node is back" if old else "the node has these settings already")


if __name__ == "__main__":
    main()
