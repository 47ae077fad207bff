"""A real browser, headless, driven by its own protocol."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

import pytest
import websocket

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)  # fmt: skip


class Page:
    """One page."""

    def __init__(self, address: str) -> None:
        self._line = websocket.create_connection(address, timeout=30)
        self._serial = 0
        self.errors: list[str] = []
        """What scripts have thrown or logged as an error, and requests that went elsewhere."""
        self.call("Page.bringToFront")  # what is not seen is not drawn
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the browser."""
        self._serial += 1
        self._line.send(json.dumps({"id": self._serial, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._line.recv())
            if message.get("id") == self._serial:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message["method"] == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif message["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")

    def open(self, url: str) -> Self:
        """Go to a page."""
        self.call("Page.navigate", url=url)
        return self

    def run(self, script: str) -> Any:
        """The value of an expression."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 15) -> Any:
        """The value of an expression as soon as it is true; an element is."""
        ends = time.monotonic() + seconds
        while (value := self.run(script)) in (None, False, 0, ""):
            assert time.monotonic() < ends, f"{script} is not true: {self.run('document.body.innerText')}"
            time.sleep(0.05)
        return value

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """Make the window that large."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def picture(self, path: Path) -> None:
        """Write what is seen to a file."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page of a browser of its own; skips the test where there is no Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on PATH")
    command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        address = next(
            match[1] for line in process.stderr if (match := re.search(r"listening on ws://([^/]+)/", line))
        )
        with urlopen(Request(f"http://{address}/json/new?about:blank", method="PUT"), timeout=10) as answer:
            page = json.load(answer)
        opened = Page(page["webSocketDebuggerUrl"])
        try:
            yield opened
        finally:
            opened.close()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stderr is not None:
            process.stderr.close()
