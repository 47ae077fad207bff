"""A cloud on 127.0.0.1: keeps state, and fails as it is told to.

A `FakeCloud` answers requests from its state; the server brings them to it one at a time, keeps a log, and injects what
happens between a cloud and its callers. The real SDK talks to it.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field, frozen
from cloud_world import Behaviour, Effect, Fault

NO_CONTENT = HTTPStatus.NO_CONTENT
LONGEST_SECONDS = 5.0
"""Longest that a slow answer keeps its client, so that a test with a mistake ends."""


@frozen(kw_only=True)
class Request:
    """What came in."""

    method: str
    path: str
    """Without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Keys in lower case."""
    body: bytes


@frozen(kw_only=True)
class Reply:
    """What goes back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Call:
    """A line of the log: one request that reached the cloud."""

    operation: str
    """The cloud's name of it, such as `RunInstances`."""
    request: Request
    status: int
    """Status of the answer; 0 where the connection was cut before the cloud did anything."""


class FakeCloud(ABC):
    """State, and answers from it. Called with one request at a time."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()

    @abstractmethod
    def operation(self, request: Request) -> str:
        """The cloud's own name of what is asked."""

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Do it."""

    @abstractmethod
    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:
        """How this cloud says `THROTTLED`, `UNAVAILABLE`, `DENIED`, `QUOTA`, `INVALID` or `CONFLICT`."""


@define
class _Armed:
    """A fault and how often it has passed and struck."""

    fault: Fault
    seen: int = 0
    struck: int = 0

    def strikes(self, operation: str) -> bool:
        fault = self.fault
        if fault.on and operation not in fault.on:
            return False
        self.seen += 1
        if self.seen <= fault.skip or (fault.times is not None and self.struck >= fault.times):
            return False
        self.struck += 1
        return True


class FakeCloudServer:
    """Serves one cloud until it is closed."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.calls: list[Call] = []
        self.latency_seconds = 0.0
        """How long each request is on its way."""
        self._lock = threading.RLock()
        self._armed: list[_Armed] = []
        self._cut_after: int | None = None
        self._cut_done = False
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def inject(self, *faults: Fault) -> None:
        """Arm faults; of those that match a request the first one armed strikes."""
        with self._lock:
            self._armed.extend(_Armed(fault) for fault in faults)

    def cut(self, after: int, *, done: bool) -> None:
        """Let so many requests through and then cut the line, until `mend`: what a crash looks like from the cloud.

        Args:
            after: how many requests still get through.
            done: whether the request that is cut off is carried out all the same, with its reply lost.
        """
        with self._lock:
            self._cut_after, self._cut_done = after, done

    def mend(self) -> None:
        """The line is good again, and no fault is left."""
        with self._lock:
            self._cut_after = None
            self._armed.clear()
        self.release()

    def release(self) -> None:
        """Let go what a slow answer holds."""
        self._released.set()

    def close(self) -> None:
        """Stop serving."""
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, request: Request) -> Reply | None:
        """Answer one request; None cuts the connection."""
        if self.latency_seconds:
            time.sleep(self.latency_seconds)
        with self._lock:
            operation = self.cloud.operation(request)
            if self._cut_after is not None:
                self._cut_after -= 1
                if self._cut_after < 0:
                    if self._cut_after == -1 and self._cut_done:
                        self._do(operation, request)
                    else:
                        self._log(operation, request, 0)
                    return None
            fault = next((armed.fault for armed in self._armed if armed.strikes(operation)), None)
            effect = fault.effect if fault else None
            if fault is None or effect in {Effect.LOST_REPLY, Effect.DUPLICATE, Effect.SLOW}:
                if effect is Effect.DUPLICATE:
                    self._do(operation, request)
                reply = self._do(operation, request)
            elif effect is Effect.LOST_REQUEST:
                self._log(operation, request, 0)
                return None
            else:
                reply = self.cloud.refusal(fault.effect, request, fault.retry_after)
                self._log(operation, request, reply.status)
            if effect is Effect.SLOW:
                self._released.clear()
        if effect is Effect.SLOW:
            self._released.wait(LONGEST_SECONDS)
        return None if effect is Effect.LOST_REPLY else reply

    def _do(self, operation: str, request: Request) -> Reply:
        reply = self.cloud.answer(request)
        self._log(operation, request, reply.status)
        return reply

    def _log(self, operation: str, request: Request, status: int) -> None:
        self.calls.append(Call(operation=operation, request=request, status=status))


def _handler(server: FakeCloudServer) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"cloud_server": server})


class _Handler(BaseHTTPRequestHandler):
    cloud_server: FakeCloudServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # a reply in one packet: without it, each costs the 40 ms that the client's kernel waits to acknowledge
    wbufsize = -1

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={key.lower(): value for key, value in self.headers.items()},
            body=body,
        )
        reply = self.cloud_server.take(request)
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """The log is `calls`."""

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):  # the client has given up
            super().handle()

    def finish(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().finish()
