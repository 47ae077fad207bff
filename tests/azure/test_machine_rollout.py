"""The program that brings settings to a running machine, run against a node that is none."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

PROGRAM = files("aether_infra.azure.machine_rollout").joinpath("roll.py").read_text(encoding="utf-8")


class Node(BaseHTTPRequestHandler):
    """Answers as a node does."""

    ready = 200
    live = 200
    nodes = 3

    def do_GET(self) -> None:
        status = {"/ready": self.ready, "/live": self.live, "/health": 200}[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"nodeCount": self.nodes}).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def node() -> Iterator[tuple[type[Node], int]]:
    """A node, and its management port."""

    class Fresh(Node):
        pass

    server = HTTPServer(("127.0.0.1", 0), Fresh)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Fresh, server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that the program would have run."""
    ran: list[list[str]] = []
    monkeypatch.setattr("subprocess.run", lambda command, **_: ran.append(command))
    return ran


def roll(port: int, wanted: list[dict[str, str]], patience: int = 0) -> None:
    values = {
        "FILES": base64.b64encode(json.dumps(wanted).encode()).decode(),
        "CORE_NODES": "3",
        "MANAGEMENT_PORT": str(port),
        "LIVENESS_PATH": "/live",
        "READINESS_PATH": "/ready",
        "PATIENCE_SECONDS": str(patience),
    }
    program = PROGRAM
    for name, value in values.items():
        program = program.replace(f"@{name}@", value)
    exec(compile(program, "roll.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - as the machine does


def item(path: Path, content: str, permissions: str = "0600") -> dict[str, str]:
    return {"path": str(path), "content": content, "permissions": permissions, "owner": "root:root"}


RESTART = ["systemctl", "restart", "aether.service"]


def test_nothing_is_restarted_for_nothing(
    tmp_path: Path, node: tuple[type[Node], int], commands: list[list[str]]
) -> None:
    file = tmp_path / "settings.sh"
    file.write_text("A=1\n", encoding="utf-8")
    roll(node[1], [item(file, "A=1\n")])
    assert RESTART not in commands


def test_new_settings_restart_the_node(
    tmp_path: Path, node: tuple[type[Node], int], commands: list[list[str]]
) -> None:
    file = tmp_path / "settings.sh"
    file.write_text("A=1\n", encoding="utf-8")
    roll(node[1], [item(file, "A=2\n"), item(tmp_path / "new", "x", "0644")])
    assert file.read_text(encoding="utf-8") == "A=2\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert commands[-1] == RESTART


def test_a_node_of_a_quorum_waits_for_the_others(
    tmp_path: Path, node: tuple[type[Node], int], commands: list[list[str]]
) -> None:
    file = tmp_path / "settings.sh"
    node[0].nodes = 2
    with pytest.raises(SystemExit, match="other core nodes"):
        roll(node[1], [item(file, "A=2\n")])
    assert not file.exists()
    assert RESTART not in commands


def test_a_node_without_a_quorum_need_only_live(
    tmp_path: Path, node: tuple[type[Node], int], commands: list[list[str]]
) -> None:
    node[0].ready, node[0].nodes = 503, 1
    roll(node[1], [item(tmp_path / "settings.sh", "A=2\n")])
    assert commands[-1] == RESTART


def test_a_node_that_does_not_come_back_stops_the_rollout(
    tmp_path: Path, node: tuple[type[Node], int], commands: list[list[str]]
) -> None:
    node[0].ready = node[0].live = 503
    with pytest.raises(SystemExit, match="/live"):
        roll(node[1], [item(tmp_path / "settings.sh", "A=2\n")])
    assert RESTART in commands


def test_the_program_holds_nothing_that_terraform_would_read() -> None:
    assert "${" not in PROGRAM
    assert "%{" not in PROGRAM
    assert "END_OF_PROGRAM" not in PROGRAM
