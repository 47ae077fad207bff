"""`${env:NAME}` in a text: replaced from the environment, and never repeated in a message."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import evolve, field, frozen

from aether_infra.config.words import dotted, quote, show
from aether_infra.errors import Problem

REFERENCE: Final = re.compile(r"\$\{env:([^}]*)\}")
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
SHORTEST_MASKED: Final = 4
"""Shorter parts of a value are too common to be hidden, and too short to be a secret."""

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""


@frozen
class Substitution:
    """The environment put into a file's tables."""

    tables: dict[str, Any]
    """The tables with every reference replaced; a text with a problem is left as it was."""
    texts: Mapping[str, tuple[str, str]] = field(factory=dict)
    """By dotted path: the text in the file, and what it became."""
    problems: Mapping[Path, Problem] = field(factory=dict)
    """By place: what could not be replaced."""


def substitute(tables: Mapping[str, Any], env: Mapping[str, str]) -> Substitution:
    """Replace every `${env:NAME}` in tables.

    Args:
        tables: TOML tables.
        env: names and values.
    """
    texts: dict[str, tuple[str, str]] = {}
    problems: dict[Path, Problem] = {}

    def replace(value: Any, path: Path) -> Any:
        match value:
            case str() if "${env:" in value:
                found = tuple(_problems(value, env, dotted(path)))
                if found:
                    problems[path] = found[0]
                    return value
                text = REFERENCE.sub(lambda match: env[match[1]], value)
                texts[dotted(path)] = (value, text)
                return text
            case dict():
                return {key: replace(item, (*path, key)) for key, item in value.items()}
            case list():
                return [replace(item, (*path, index)) for index, item in enumerate(value)]
            case _:
                return value

    result = {key: replace(value, (key,)) for key, value in tables.items()}
    return Substitution(result, texts, problems)


def _problems(text: str, env: Mapping[str, str], path: str) -> Iterator[Problem]:
    names = REFERENCE.findall(text)
    if len(names) != text.count("${env:") or not all(NAME.fullmatch(name) for name in names):
        yield Problem(
            path=path,
            message="has a malformed reference to the environment",
            hint="write ${env:NAME} with letters, digits and _",
        )
        return
    missing = [name for name in dict.fromkeys(names) if name not in env]
    if missing:
        plural = len(missing) > 1
        yield Problem(
            path=path,
            message=f"needs the environment variable{'s' if plural else ''} {', '.join(missing)}, "
            f"which {'are' if plural else 'is'} not set",
        )


def mask(problem: Problem, texts: Mapping[str, tuple[str, str]]) -> Problem:
    """A problem without what came from the environment: the reference stands there instead.

    Args:
        problem: a problem.
        texts: text in the file and what it became, by dotted path.
    """
    for written, value in texts.values():

        def hide(match: re.Match[str], written: str = written, value: str = value) -> str:
            part = match[1].removesuffix("…")
            return quote(written) if len(part) >= SHORTEST_MASKED and part in value else match[0]

        quoted = re.compile(r'"((?:[^"\\]|\\.)*)"')
        message = problem.message.replace(show(value), quote(written))
        problem = evolve(problem, message=quoted.sub(hide, message), hint=quoted.sub(hide, problem.hint))
    return problem
