"""What is printed where: results on standard output, everything else on standard error.

Colour and progress appear on a terminal only, and never where `NO_COLOR` is set.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import click


def paint(text: str, **style: Any) -> str:
    """Text in colour; click takes the colour out again where there is no terminal.

    Args:
        text: the text.
        **style: as `click.style` takes it.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, **style)


def complain(text: str) -> None:
    """Print an error's text on standard error."""
    click.echo(paint("error: ", fg="red", bold=True) + text, err=True)


def note(text: str) -> None:
    """Print, on standard error, what the operator should know although nothing failed."""
    click.echo(paint("note: ", fg="yellow") + text, err=True)


def say(text: str) -> None:
    """Print, on standard error, what was done."""
    click.echo(text, err=True)


def print_json(value: Any) -> None:
    """Print a result for a script: JSON on standard output, keys in the order given."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@cache
def console(*, stderr: bool = False) -> Any:
    """Rich's console on standard output or standard error; imported on use, as it takes a tenth of a second."""
    from rich.console import Console  # noqa: PLC0415 - on use, see above

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show that something is being done, and for how long, while it takes more than a moment.

    Args:
        what: what is being done, such as `synthesizing aws`.
    """
    if not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - on use

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        bar.add_task(what, total=None)
        yield
