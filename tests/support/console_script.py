"""The installed command, `aether-infra`, as a process of its own: with pipes, or in a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("aether-infra")
OURS = ("AETHER_", "CDKTF_", "_AETHER_")
"""Variables that would change what the command does."""
PATIENCE_SECONDS = 60
"""How long a command in a terminal may be silent before the test gives up."""


def environment(**changes: str) -> dict[str, str]:
    """The process's environment without what is ours in it, with some changes."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OURS) and key != "NO_COLOR"}
    path = os.pathsep.join([str(PROGRAM.parent), os.environ["PATH"]])
    return kept | {"PATH": path, "TERM": "xterm"} | changes


def run(
    *arguments: str, folder: Path, stdin: str | None = None, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal.

    Args:
        *arguments: its arguments.
        folder: the folder to run in.
        stdin: what it can read; nothing by default.
        **changes: environment variables.
    """
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment(**changes),
        input=stdin or "",
        capture_output=True,
        text=True,
        check=False,
    )


def in_terminal(
    *arguments: str,
    folder: Path,
    answers: Sequence[tuple[str, str]] = (),
    environ: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run the command in a terminal, and answer what it asks.

    Args:
        *arguments: its arguments.
        folder: the folder to run in.
        answers: what to wait for on the screen, and what to type then.
        environ: environment variables.

    Returns:
        The exit code, and all that stood on the screen.
    """
    main_end, other_end = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment(COLUMNS="100", LINES="40", **(environ or {})),
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
        preexec_fn=_controlling,  # noqa: PLW1509 - one thread, and Ctrl-C must reach the command alone
    )
    os.close(other_end)
    screen, seen, typed = "", 0, ""
    waiting = list(answers)
    try:
        while part := _read(main_end, again="\x03" if typed == "\x03" else ""):
            screen += part
            if part != "^C":  # the echo alone is no answer
                typed = ""
            while waiting and waiting[0][0] in plain(screen)[seen:]:
                expected, typed = waiting.pop(0)
                seen = plain(screen).index(expected, seen) + len(expected)
                os.write(main_end, typed.encode())
    finally:
        os.close(main_end)
        if process.poll() is None:
            process.kill() if waiting else process.wait()
    assert not waiting, f"never asked: {waiting[0][0]!r}; on the screen: {plain(screen)}"
    return process.wait(), screen


def plain(text: str) -> str:
    """What a screen shows, without colours and carriage returns."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "")


def _controlling() -> None:
    """Make the terminal the one that the command is controlled by."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read(terminal: int, *, again: str) -> str:
    """What is new on the screen; empty at the end. Meanwhile a key is pressed again, as people do with Ctrl-C.

    Python misses a signal that comes at the moment at which it begins to wait for a line.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if select.select([terminal], [], [], 1)[0]:
            try:
                return os.read(terminal, 65536).decode(errors="replace")
            except OSError:  # Linux: the other end is closed
                return ""
        os.write(terminal, again.encode())
    raise AssertionError("the command says nothing any more")
