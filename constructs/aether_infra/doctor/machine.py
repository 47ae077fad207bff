"""All that checks look at: this machine, or one that a test makes up."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from attrs import frozen

from aether_infra.cdk.node import bundled_node

RUN_SECONDS = 20.0
"""How long a program may take to tell its version: Node programs take seconds on a small machine."""
CONNECT_SECONDS = 5.0
"""How long a host may take to answer."""
QUIET = {"CHECKPOINT_DISABLE": "1", "CI": "1", "NO_COLOR": "1", "DOCTL_ENABLE_BETA": "0"}
"""Keeps programs from asking for newer versions of themselves, from colours and from questions."""


@frozen
class Answer:
    """What a program said when it was run."""

    output: str
    """Standard output, and standard error after it."""
    fault: str = ""
    """Why it is no answer, as a clause; empty when it ended with 0."""


@frozen(kw_only=True)
class Machine:
    """What checks look at."""

    env: Mapping[str, str]
    """The environment."""
    home: Path
    """The user's home folder."""
    folder: Path
    """The current folder."""
    python: str
    """Version of Python."""
    bundled_node: Path | None
    """The Node that pip brought, if it did."""
    requirements: Sequence[str]
    """What this package requires, as its metadata says; empty if it was not installed by pip."""
    which: Callable[[str], str | None]
    """Path of a program by its name, if it is on PATH."""
    run: Callable[[Sequence[str]], Answer]
    """Runs a program without input, for a limited time."""
    installed: Callable[[str], str | None]
    """Version of an installed distribution; None if it is not there."""
    writable: Callable[[Path], bool]
    """Whether a folder that exists may be written to."""
    connect: Callable[[str, int], str]
    """Opens and closes a connection; why it failed, or an empty text."""

    def file(self, variable: str, *default: str) -> Path:
        """A file that a variable of the environment names, or else one of the home folder.

        Args:
            variable: the variable's name.
            *default: path below the home folder.
        """
        named = self.env.get(variable)
        return self.expand(named) if named else self.home.joinpath(*default)

    def expand(self, path: str) -> Path:
        """A path with `~` for the home folder, from the current folder on."""
        if path == "~" or path.startswith("~/"):
            return self.home / path[2:]
        return self.folder / path

    def has(self, *names: str) -> bool:
        """Whether all these variables are in the environment, and not empty."""
        return all(self.env.get(name) for name in names)


def this_machine() -> Machine:
    """The machine that this runs on."""
    env = dict(os.environ)
    return Machine(
        env=env,
        home=Path.home(),
        folder=Path.cwd(),
        python=platform.python_version(),
        bundled_node=bundled_node(),
        requirements=_requirements(),
        which=lambda name: shutil.which(name, path=env.get("PATH", os.defpath)),
        run=lambda command: run(command, env | QUIET),
        installed=_installed,
        writable=lambda folder: os.access(folder, os.W_OK | os.X_OK),
        connect=connect,
    )


def run(command: Sequence[str], env: Mapping[str, str], seconds: float = RUN_SECONDS) -> Answer:
    """Run a program without input.

    Args:
        command: program and arguments.
        env: its environment.
        seconds: how long it may take; then it and what it started are ended.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - programs of the operator's PATH, to tell their versions
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # so that all it started can be ended with it
        )
    except OSError as error:
        return Answer("", f"cannot be run: {(error.strerror or 'unknown error').lower()}")
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return Answer("", f"gave no answer within {seconds:g} s")
    if process.returncode < 0:
        return Answer("", f"was ended by signal {-process.returncode}")
    if process.returncode:
        return Answer(output + errors, f"ends with exit code {process.returncode}")
    return Answer(output + errors)


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and what it started; what holds its pipes open is not waited for."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def connect(host: str, port: int, seconds: float = CONNECT_SECONDS) -> str:
    """Open and close a TCP connection.

    Args:
        host: a host's name or address.
        port: the port.
        seconds: how long it may take, name look-up included.

    Returns:
        Why it failed, as a clause; empty when the host answered.
    """
    reasons: list[str] = []

    def attempt() -> None:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
        except TimeoutError:
            return
        except socket.gaierror:
            reasons.append("its name is not known here")
        except OSError as error:
            reasons.append((error.strerror or str(error)).lower())
        else:
            reasons.append("")

    # a name look-up has no time-out of its own
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return reasons[0] if reasons else f"no answer within {seconds:g} s"


def _requirements() -> Sequence[str]:
    try:
        return requires("aether-infra") or ()
    except PackageNotFoundError:
        return ()


def _installed(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
