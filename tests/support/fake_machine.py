"""A machine that a test makes up, for `aether_infra.doctor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

from aether_infra.doctor.machine import Answer, Machine

GOOD = {
    "terraform": "Terraform v1.12.2\non linux_amd64\n",
    "tofu": "OpenTofu v1.10.6\non linux_amd64\n",
    "cdktf": "0.21.0\n",
    "cdktn": "0.24.0\n",
    "node": "v24.1.0\n",
    "aws": "aws-cli/2.31.0 Python/3.13.7 Linux/6.1\n",
    "az": "azure-cli 2.77.0\n",
    "gke-gcloud-auth-plugin": "Kubernetes v1.30.0+1a2b3c\n",
    "kubelogin": "kubelogin version\ngit hash: v0.2.10/1234567\nGo version: go1.24.6\n",
    "doctl": "doctl version 1.146.0-release\nGit commit hash: 4242424\n",
    "oci": "3.66.1\n",
    "docker": "28.2.2\n",
    "podman": "5.6.0\n",
}
"""What each program says when it is asked for its version."""


def fake_machine(
    folder: Path,
    *,
    programs: Mapping[str, str | Answer] | None = None,
    packages: Mapping[str, str] | None = None,
    unreachable: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    **changes: Any,
) -> Machine:
    """A machine with nothing in its home folder.

    Args:
        folder: holds its home folder and the current one.
        programs: what is on PATH and what each says; default: everything, and in order.
        packages: what is installed, by name; default: all that this package can want, in versions that do.
        unreachable: hosts that do not answer, and why.
        env: the environment; default: empty.
        **changes: other fields of the machine.
    """
    programs = GOOD if programs is None else programs
    home, here = folder / "home", folder / "project"
    home.mkdir(exist_ok=True)
    here.mkdir(exist_ok=True)

    def run(command: Sequence[str]) -> Answer:
        said = programs[Path(command[0]).name]
        return Answer(said) if isinstance(said, str) else said

    fields: dict[str, Any] = {
        "env": env or {},
        "home": home,
        "folder": here,
        "python": "3.12.1",
        "bundled_node": None,
        "requirements": requires("aether-infra") or (),
        "which": lambda name: f"/bin/{name}" if name in programs else None,
        "run": run,
        "installed": version if packages is None else packages.get,
        "writable": lambda _: True,
        "connect": lambda host, port: (unreachable or {}).get(host, ""),  # noqa: ARG005 - the port is not told apart
    }
    return Machine(**fields | changes)
