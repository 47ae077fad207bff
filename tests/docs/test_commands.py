"""What the documentation tells people to type works, and answers as it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from attrs import frozen
from terraform_json import ROOT

from aether_infra.cli.main import COMMANDS, cli

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = {"cp", "ls", "mv", "sed"}
"""Besides our own command, what a hidden step may run."""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$|^<!-- test: (.*?) -->$", re.MULTILINE | re.DOTALL)
ANY = "…"
"""A line of output that stands for any number of lines."""


@frozen
class Step:
    """A command, and what a page says that it answers."""

    command: str
    answer: tuple[str, ...] = ()
    hidden: bool = False


def steps(page: Path) -> Iterator[Step]:
    """Every command of a page, in order."""
    for kind, text, hidden in BLOCK.findall(page.read_text(encoding="utf-8")):
        if hidden:
            yield Step(hidden, hidden=True)
        if kind == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, answer = part.replace("\\\n", "").partition("\n")
                yield Step(command.split("  #")[0].strip(), tuple(answer.rstrip("\n").splitlines()))


def ours(text: str) -> Iterator[list[str]]:
    """Arguments of every `aether-infra …` in a command line, or in a step of a pipeline."""
    for part in re.split(r"&&|\|\||[|;]", text):
        words = shlex.split(part, comments=True)
        if words[:1] == ["aether-infra"]:
            yield words[1:]


def mentions(page: Path) -> Iterator[list[str]]:
    text = page.read_text(encoding="utf-8")
    for step in steps(page):
        if not step.hidden:
            yield from ours(step.command)
    for line in re.findall(r"^\s*- run: (aether-infra .*)$", text, re.MULTILINE):
        yield from ours(line)
    for inline in re.findall(r"`(aether-infra [^`\n]*)`", text):
        yield from ours(inline)


def answered(expected: tuple[str, ...], said: str) -> str:
    """The first expected line that is not in what was said after the one before; empty if all are."""
    lines = (" ".join(line.split()) for line in said.splitlines())
    for wanted in (" ".join(line.split()) for line in expected):
        if wanted == ANY:
            continue
        pattern = ".*".join(re.escape(part) for part in wanted.split(ANY))
        if not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_is_named_would_be_understood(page: Path) -> None:
    for arguments in mentions(page):
        named = [word.replace(ANY, "x") for word in arguments]
        context = click.Context(cli, info_name="aether-infra")
        if not named or named[0].startswith("-"):
            cli.make_parser(context).parse_args(list(named))
            continue
        entry = COMMANDS.get(named[0])
        assert entry is not None, f"aether-infra {' '.join(arguments)}"
        assert find_spec(entry.module) is not None, f"{entry.module} is not there"
        command = cli.get_command(context, named[0])
        assert command is not None
        try:
            # options are read, required ones and files are not asked for
            command.make_context(named[0], named[1:], parent=context, resilient_parsing=True)
            command.make_parser(context).parse_args(named[1:])
        except click.UsageError as error:
            pytest.fail(f"aether-infra {' '.join(arguments)}: {error.format_message()}")


def test_the_tutorial_is_true(tmp_path: Path) -> None:
    own = {key: value for key, value in os.environ.items() if not key.startswith(("AETHER_", "CDKTF_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = 0
    for step in steps(ROOT / "docs/tutorial.md"):
        first = step.command.split()[0]
        if not step.hidden and first != "aether-infra":
            continue
        assert not step.hidden or first in SHELL, step.command
        done = subprocess.run(  # noqa: S602 - as a person would type it
            step.command,
            shell=True,
            cwd=tmp_path,
            env=own | {"PATH": path, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        shown = "\n".join(step.answer)
        code = 2 if shown.startswith("error:") else 3 if "DANGER" in shown else 0
        # this machine may have neither Terraform nor credentials, and doctor says so
        codes = {0, 1} if "aether-infra doctor" in step.command else {code}
        assert done.returncode in codes, f"$ {step.command}\n{said}"
        # one stream after the other: what a page shows of both is looked for in each order
        missing = answered(step.answer, said) and answered(step.answer, done.stderr + done.stdout)
        assert not missing, f"$ {step.command}\n{said}\ndoes not say\n{missing}"
        ran += not step.hidden
    assert ran > 7
