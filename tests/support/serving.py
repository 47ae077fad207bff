"""`aether-infra serve` as a process of its own: started, waited for, asked, and ended."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import frozen
from console_script import PROGRAM, environment

PATIENCE_SECONDS = 60
"""How long a start, an end or an awaited answer may take on a busy machine."""


@frozen(kw_only=True)
class Serving:
    """A service that listens."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    """Its standard error."""

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Call its API: a path under `/api/cloud`."""
        return httpx.request(method, f"{self.url}/api/cloud{path}", timeout=30, **given)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    @property
    def said(self) -> str:
        """What it has written to standard error so far."""
        return self.log.read_text(encoding="utf-8")


@contextmanager
def serving(folder: Path, *arguments: str, **changes: str) -> Iterator[Serving]:
    """The real service.

    Args:
        folder: where it runs.
        *arguments: after `serve`; it gets any free port.
        **changes: environment variables.
    """
    number = len(list(folder.glob("serve-*.log")))
    log = folder / f"serve-{number}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0", *arguments],
            cwd=folder,
            env=environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    try:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not (line := listens(log)):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < ends, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        yield Serving(url=line.split(" on ")[1].split(" ")[0], process=process, log=log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def listens(log: Path) -> str:
    """The line that says where it listens; empty as long as there is none."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    return next((line for line in lines if line.startswith("serving ") and line.endswith("\n")), "")
