"""The programs that tests run beside our own: Terraform or OpenTofu, and both command lines of the CDKTF family."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from terraform_json import ROOT

TERRAFORM = os.environ.get("TERRAFORM") or "terraform"
"""Terraform, or what takes its place: `TERRAFORM=tofu make test`."""
CDKTF_FAMILY = {"cdktf": "make setup", "cdktn": "make tools"}
"""Command lines that read cdktf.json, and what installs them into the project."""


def terraform_path(path: str | None = None) -> str:
    """Where Terraform is; without it the test is skipped."""
    return shutil.which(TERRAFORM, path=path) or pytest.skip(f"no {TERRAFORM} on PATH")


def path_with(name: str) -> str:
    """A PATH on which one of the family, of this project, and Python come first; without it the test is skipped."""
    folders = [
        ROOT / "node_modules/.bin",
        ROOT / ".venv-tools/cdktn/node_modules/.bin",
        Path(sys.executable).parent,
    ]
    path = os.pathsep.join([*(str(folder) for folder in folders), os.environ["PATH"]])
    return (
        path
        if shutil.which(name, path=path)
        else pytest.skip(f"no {name} command line: {CDKTF_FAMILY[name]}")
    )
