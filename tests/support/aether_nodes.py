"""A fake Aether cluster whose machines are an emulated cloud's: every node by its private address, over one socket.

Nobody here can reach 10.0.0.0/8. `private_network/sitecustomize.py` on a program's PYTHONPATH leads such addresses to
the port that `NODES_PORT` names, and the header `Host` says which node was meant.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from attrs import define, field

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.clock import SystemCalendar
from aether_infra.runtime.fake.aether import FakeAether
from aether_infra.runtime.fake.cloud import FakeCloud, Machine

NETWORK = Path(__file__).with_name("private_network")
"""Folder for PYTHONPATH."""
PORT_VARIABLE = "NODES_PORT"
FRESH_SECONDS = 0.3
"""How old what is known of the machines may be."""


@define
class Nodes:
    """The nodes in an emulated cloud's machines."""

    running: Callable[[], Mapping[str, str]]
    """Machines that run now: private address = id of a core node, or nothing for an elastic one."""
    aether: FakeAether
    port: int = 0
    _asked: float = -1e9
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a program that shall reach the nodes."""
        return {"PYTHONPATH": str(NETWORK), PORT_VARIABLE: str(self.port)}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the node says, at the address that was asked."""
        with self._lock:
            self.look()
            return self.aether.handle(request)

    def look(self) -> None:
        """Let the nodes be those whose machines run."""
        now = time.monotonic()
        if now - self._asked < FRESH_SECONDS:
            return
        self._asked = now
        running, known = self.running(), self.aether.cloud.machines
        for address in running.keys() - known.keys():
            known[address] = Machine(
                id=address,
                role=NodeRole.CORE if running[address] else NodeRole.WORKER,
                zone="",
                size="",
                address=address,
                born=now,
                created_at=datetime.now(UTC),
                runs_at=now,
                visible_at=now,
                node_id=running[address],
            )
        for address in known.keys() - running.keys():
            del known[address]


@contextmanager
def nodes(running: Callable[[], Mapping[str, str]], *, core: int = 3) -> Iterator[Nodes]:
    """A cluster that listens.

    Args:
        running: machines that run now: private address = id of a core node, or nothing for an elastic one.
        core: voters.
    """
    cloud = FakeCloud(calendar=SystemCalendar(), core=core, machines={})
    cloud.machines.clear()
    aether = FakeAether(cloud=cloud, join_seconds=0, drain_seconds=1, noticed_seconds=0, demand=1.8)
    cluster = Nodes(running, aether)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            try:
                request = httpx.Request(self.command, f"http://{self.headers['Host']}{self.path}")
                request.headers.update(dict(self.headers))
                answer = cluster.answer(request)
            except httpx.ConnectError:
                self.close_connection = True  # no machine has that address
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A program that was killed does not wait for its answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        cluster.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield cluster
        finally:
            server.shutdown()
            thread.join()
