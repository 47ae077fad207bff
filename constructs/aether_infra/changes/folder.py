"""Reading what a folder of synthesized Terraform JSON holds: cdktf's output, or a plain folder with one stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aether_infra.errors import ConfigError, Problem

SYNTHESIZED = "cdk.tf.json"
"""File of a stack's document below `stacks/<stack>/`."""


def read_folder(folder: Path) -> dict[str, dict[str, Any]]:
    """Read every stack of a folder.

    Args:
        folder: `cdktf.out` (stacks are in `stacks/<stack>/cdk.tf.json`), `stacks` in it, or the folder of one stack
            with one file of Terraform JSON.

    Returns:
        Documents by the stack's name.

    Raises:
        ConfigError: there is no such folder, no document in it, or one that is no Terraform JSON; every problem.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise ConfigError([Problem(path="", message=what)], str(folder))
    files = [
        *sorted(folder.glob(f"stacks/*/{SYNTHESIZED}")),
        *sorted(folder.glob(f"*/{SYNTHESIZED}")),
        *sorted(folder.glob("*.tf.json")),
    ]
    if not files:
        raise ConfigError([Problem(path="", message=_nothing(folder), hint=_HINT)], str(folder))
    problems: list[Problem] = []
    documents: dict[str, dict[str, Any]] = {}
    for file in files:
        name = str(file.relative_to(folder))
        document = _document(file, name, problems)
        if document is None:
            continue
        stack = _stack_name(document) or file.parent.resolve().name
        if stack in documents:
            problems.append(Problem(path=name, message=f'is a second document of the stack "{stack}"'))
        documents[stack] = document
    if problems:
        raise ConfigError(problems, str(folder))
    return documents


_HINT = "write it: aether-infra synth, or cdktf synth"


def _nothing(folder: Path) -> str:
    if any(folder.glob("**/*.tf")):
        return "holds HCL alone, and only Terraform JSON can be compared"
    return f"holds no Terraform JSON: neither stacks/<stack>/{SYNTHESIZED} nor a file *.tf.json"


def _document(file: Path, name: str, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(path=name, message=f"cannot be read: {error}"))
    except json.JSONDecodeError as error:
        problems.append(
            Problem(path=name, message=f"is no JSON: line {error.lineno}, column {error.colno}: {error.msg}")
        )
    else:
        if isinstance(document, dict) and any(isinstance(document.get(key), dict) for key in _TABLES):
            return document
        problems.append(Problem(path=name, message=f"is no Terraform JSON: has none of {', '.join(_TABLES)}"))
    return None


_TABLES = ("resource", "data", "terraform")


def _stack_name(document: dict[str, Any]) -> str | None:
    """The name that cdktf notes in a document."""
    note = document.get("//")
    metadata = note.get("metadata") if isinstance(note, dict) else None
    name = metadata.get("stackName") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None
