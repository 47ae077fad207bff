"""moto in server mode, behind a server that injects faults: what another hand has written of AWS."""

from __future__ import annotations

import atexit
import http
import http.client
import os
import shutil
import socket
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from cloud_world import Effect
from fake_aws import REFUSALS, Refusal
from fake_aws_wire import Asked, asked, refused
from fake_cloud_server import FakeCloud, Reply, Request
from terraform_json import ROOT

START_SECONDS = 60
OWN_HEADERS = {"connection", "content-length", "transfer-encoding", "server", "date"}
"""Headers that each server writes for itself."""


def moto_python() -> Path | None:
    """The Python of the environment that moto is installed in (`make tools`); None for none."""
    named = os.environ.get("AETHER_MOTO_SERVER")
    for candidate in (named, ROOT / ".venv-tools/moto/bin/moto_server", shutil.which("moto_server")):
        if candidate and Path(candidate).exists():
            return Path(candidate).with_name("python")
    return None


@cache
def moto_url() -> str:
    """Where moto listens; it is started once, and ends with this process."""
    python = moto_python()
    assert python is not None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [python, Path(__file__).with_name("moto_launcher.py"), "-p", str(port)]
    settings = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true"}
    server = subprocess.Popen(
        command, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    atexit.register(_end, server)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    while True:
        try:
            reset(url)
        except OSError:
            assert server.poll() is None, "moto did not start"
            assert time.monotonic() < deadline, "moto does not answer"
            time.sleep(0.1)
        else:
            return url


def reset(url: str) -> None:
    """Let moto forget what a test has made; networks and templates stay."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == http.HTTPStatus.OK
    finally:
        connection.close()


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(timeout=START_SECONDS)


class MotoCloud(FakeCloud):
    """Hands requests on to moto. What moto does not know, such as a zone without stock, it answers itself."""

    def __init__(self) -> None:
        super().__init__()
        self._moto = http.client.HTTPConnection(urlsplit(moto_url()).netloc, timeout=30)
        self._last: tuple[Request, Asked] | None = None
        self.zones: dict[str, str] = {}
        """Zone of each subnet."""

    def question(self, request: Request) -> Asked:
        """What a request asks."""
        if self._last is None or self._last[0] is not request:
            self._last = (request, asked(request))
        return self._last[1]

    def operation(self, request: Request) -> str:
        return self.question(request).operation

    def answer(self, request: Request) -> Reply:
        question = self.question(request)
        if question.operation == "RunInstances":
            try:
                self._check_stock(question.arguments)
            except Refusal as refusal:
                return refused("ec2", refusal.status, refusal.code, refusal.message)
        return self._forward(request)

    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:
        service = self.question(request).service
        return refused(service, *REFUSALS[effect][service], retry_after=retry_after)

    def close(self) -> None:
        """Close the connection to moto."""
        self._moto.close()

    def _check_stock(self, given: dict[str, Any]) -> None:
        zone = self.zones[given["NetworkInterfaces"][0]["SubnetId"]]
        if zone in self.behaviour.out_of_stock:
            raise Refusal(
                500, "InsufficientInstanceCapacity", f"We do not have sufficient capacity in {zone}"
            )

    def _forward(self, request: Request) -> Reply:
        query = f"?{urlencode(request.query)}" if request.query else ""
        headers = {key: value for key, value in request.headers.items() if key != "connection"}
        self._moto.request(request.method, request.path + query, body=request.body, headers=headers)
        answer = self._moto.getresponse()
        kept = {key: value for key, value in answer.getheaders() if key.lower() not in OWN_HEADERS}
        return Reply(status=answer.status, body=answer.read(), headers=kept)
