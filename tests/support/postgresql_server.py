"""A PostgreSQL server of its own, on a socket in a folder, for tests; where there is none, they are skipped visibly."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER = "postgres"
"""A server refuses to run as root; then it runs as this account, which Debian's package makes."""


def binaries() -> Path | None:
    """Where `initdb` and `postgres` are; None where there are none."""
    beside = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*beside, *([Path(on_path).parent] if on_path else [])]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server and give its URL.

    Args:
        folder: for its files; short, as the path of a socket may have 107 characters at most.
    """
    found = binaries()
    if found is None:
        pytest.skip("there is no PostgreSQL server here: apt-get install postgresql")
    as_user: dict[str, object] = {}
    if os.geteuid() == 0:
        try:
            account = pwd.getpwnam(USER)
        except KeyError:
            pytest.skip("running as root, and there is no account postgres to run a server as")
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    data = folder / "data"
    environment = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ["PATH"]}
    run = {"capture_output": True, "env": environment, "cwd": folder} | as_user
    initialise = [found / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initialise, check=True, **run)  # type: ignore[call-overload]
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    control = [found / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log"]
    subprocess.run([*control, "start"], check=True, **run)  # type: ignore[call-overload]
    try:
        yield f"postgresql://test@/postgres?host={folder}"
    finally:
        subprocess.run([found / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, **run)  # type: ignore[call-overload]
