"""`aether-infra node`, as it is called, against the real service over a cluster in memory."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import console_script
import pytest
from serving import Serving, serving

Node = Callable[..., CompletedProcess[str]]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """The service, whose cluster has the two elastic nodes that its load wants."""
    with serving(tmp_path_factory.mktemp("service"), "--demo") as made:
        yield made


@pytest.fixture
def node(service: Serving, tmp_path: Path) -> Node:
    """Run `aether-infra node`."""

    def run(*arguments: str, **changes: str) -> CompletedProcess[str]:
        given = {"AETHER_CLOUD_URL": service.url} | changes
        done = console_script.run("node", *arguments, folder=tmp_path, **given)
        assert "Traceback" not in done.stderr
        return done

    return run


def of_role(service: Serving, role: str) -> list[dict[str, Any]]:
    """Nodes of a role, as the API lists them."""
    return [each for each in service.ask("GET", "/nodes").json()["nodes"] if each["role"] == role]


def test_nodes_are_listed_for_people_and_for_scripts(node: Node) -> None:
    seen = json.loads(node("list", "--json").stdout)["nodes"]
    assert [each["aether_id"] for each in seen if each["role"] == "core"] == ["node-1", "node-2", "node-3"]
    shown = node("list")
    assert shown.returncode == 0
    head, *lines = shown.stdout.splitlines()
    assert head.split() == ["ID", "AETHER", "ROLE", "PHASE", "ZONE", "SIZE", "ADDRESS", "TARGET", "CPU"]
    assert len(lines) == len(seen), "one line a node, however long its name, where it is no terminal"
    assert "i-0001" in lines[0]
    assert "core*" in lines[0], "the leader"


def test_a_plan_changes_nothing(node: Node, service: Serving) -> None:
    before = service.ask("GET", "/operations").json()
    made = node("create", "--zone", "zone-b", "--dry-run")
    assert made.returncode == 0, made.stderr
    assert "would: create the machine" in made.stdout
    told = node("create", "--dry-run", "--json")
    assert json.loads(told.stdout)["allowed"] is True
    refused = node("terminate", "i-0002", "--dry-run")
    assert refused.returncode == 1
    assert "error: it would be refused" in refused.stderr
    assert refused.stdout == ""
    as_json = node("drain", "i-0002", "--dry-run", "--json")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["allowed"] is False
    after = service.ask("GET", "/operations").json()["operations"]
    assert {each["id"] for each in after if each["actor"] == "local"} == {
        each["id"] for each in before["operations"] if each["actor"] == "local"
    }


def test_a_creation_is_taken_once_however_often_it_is_asked_for(node: Node, service: Serving) -> None:
    first = node("create", "--no-wait", "--idempotency-key", "once", "--reason", "a sale")
    assert first.returncode == 0, first.stderr
    operation = first.stdout.strip()
    assert node("create", "--no-wait", "--idempotency-key", "once").stdout.strip() == operation
    found = service.ask("GET", f"/operations/{operation}").json()
    assert (found["kind"], found["actor"], found["reason"]) == ("create", "local", "a sale")
    other = node("create", "--no-wait", "--idempotency-key", "once", "--zone", "zone-a")
    assert other.returncode == 1
    assert "the idempotency key came with another request before" in other.stderr

    # whoever follows it is told that somebody else has cancelled it
    service.ask("POST", f"/operations/{operation}/cancel")
    followed = node("create", "--idempotency-key", "once", "--reason", "a sale")
    assert followed.returncode == 1
    assert f"{operation} cancelled" in followed.stderr


def test_a_node_is_drained_comes_back_and_ends(node: Node, service: Serving) -> None:
    elastic = wait_for(lambda: [each for each in of_role(service, "worker") if each["target"] == "healthy"])
    victim = elastic[0]["id"]
    drained = node("drain", victim)
    assert drained.returncode == 0, drained.stderr
    assert drained.stdout == f"succeeded {victim}\n"
    assert "drained: done" in drained.stderr, "it tells what happens as it happens"
    back = node("activate", victim, "--json")
    assert back.returncode == 0, back.stderr
    assert json.loads(back.stdout)["state"] == "succeeded"
    ended = node("terminate", victim, "--replace")
    assert ended.returncode == 0, ended.stderr
    assert victim not in {each["id"] for each in of_role(service, "worker") if each["phase"] == "serving"}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("terminate", "i-9999"), 1, "there is no such thing: there is no node i-9999 in demo"),
        (("drain", "../../etc/passwd"), 1, "there is no such thing"),
        (("terminate", "i-0002"), 1, "core node"),
        (("terminate", "i-0001", "--core", "--force"), 1, "force and replace are for elastic nodes"),
        (("terminate", "i-0001", "--core"), 1, "lead"),
        (("create", "--zone", "zone-z"), 1, "zone-z"),
        (("create", "--zone", "z" * 300), 1, "zone: string should have at most 200 characters"),
        (("create", "--idempotency-key", "with space"), 1, "Idempotency-Key: must be 1 to 200 visible characters"),
        (("terminate",), 2, "Missing argument 'NODE_ID'"),
        (("delete", "i-0001"), 2, "No such command 'delete'"),
        (("list", "--url", NOBODY), 1, "cannot be reached"),
        (("create", "--url", NOBODY), 1, "is `aether-infra serve` running there? --url names another one"),
        (("list", "--url", "nonsense"), 2, "--url: must be such as http://127.0.0.1:8081, got nonsense"),
        (("list", "--url", "http://[::1"), 2, "--url: must be such as"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_in_one_message(
    node: Node, service: Serving, arguments: tuple[str, ...], code: int, told: str
) -> None:
    before = {each["id"] for each in of_role(service, "core")}
    done = node(*arguments)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert done.stdout == ""
    assert {each["id"] for each in of_role(service, "core")} == before


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (404, "<html>"), (500, '{"error": "no"}'), (200, "[]")]
)
def test_an_answer_that_is_not_the_services(node: Node, status: int, body: str) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            done = node("list", "--url", f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            thread.join()
    assert done.returncode == 1
    assert "is that the service?" in done.stderr


def wait_for(found: Callable[[], Any]) -> Any:
    """What it returns, as soon as it is true."""
    ends = time.monotonic() + 60
    while not (value := found()):
        assert time.monotonic() < ends
        time.sleep(0.2)
    return value
