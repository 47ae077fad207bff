"""The only reader of `aether.toml`: text to `AetherConfig`, or one `ConfigError` with every problem.

TOML, then `${env:…}`, then the shape of each table, then the rules between keys. What has a fault is left out of
the next step, so that one run shows all problems and none that only follows from another.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from aether_infra.config.doubts import DOUBTS
from aether_infra.config.environment import mask, substitute
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.rule import run
from aether_infra.config.rules import RULES
from aether_infra.config.shape import ShapeProblem, structure, table_class, toml_key, without
from aether_infra.config.words import dotted, listing, nearest, show
from aether_infra.errors import ConfigError, Problem

WHOLLY_OURS: Final = ("cloud", "cluster")
"""Tables in which every key is read; of the others only the keys that the schema has."""


def load(path: str | Path, env: Mapping[str, str] | None = None) -> AetherConfig:
    """Read and check a file.

    Args:
        path: the file.
        env: where `${env:NAME}` is looked up; default: the process's environment.

    Returns:
        The configuration.

    Raises:
        ConfigError: the file cannot be read or used; it holds every problem.
    """
    source = str(path)
    return loads(_read(path, source), source, env)


def loads(text: str, source: str = "aether.toml", env: Mapping[str, str] | None = None) -> AetherConfig:
    """Read and check the text of a file.

    Args:
        text: TOML.
        source: the file's name, for messages.
        env: where `${env:NAME}` is looked up; default: the process's environment.

    Returns:
        The configuration.

    Raises:
        ConfigError: the text cannot be used; it holds every problem.
    """
    tables = _ours(_parse(text, source))
    filled = substitute(tables, os.environ if env is None else env)
    raw, faults = filled.tables, [ShapeProblem(place, one) for place, one in filled.problems.items()]
    for fault in faults:
        raw = without(raw, fault.place)
    found = tuple(_choose_provider(raw, {dotted(fault.place) for fault in faults}))
    for fault in found:
        raw = without(raw, fault.place)
    faults += found
    config, shape_faults = structure(raw)
    faults += shape_faults
    config = attrs.evolve(
        config, source=source, given=frozenset(_paths(tables)), from_env=frozenset(filled.texts)
    )
    problems = {fault.problem for fault in faults}
    problems.update(run(RULES, config, {dotted(fault.place) for fault in faults}))
    if problems:
        raise ConfigError(sorted({mask(problem, filled.texts) for problem in problems}), source)
    return config


def warnings(config: AetherConfig) -> tuple[Problem, ...]:
    """What is allowed and still doubtful in a configuration, in a stable order."""
    return run(DOUBTS, config)


def _read(path: str | Path, source: str) -> str:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        message, hint = "does not exist", "write one, or name another with AETHER_CONFIG"
    except IsADirectoryError:
        message, hint = "is a directory, not a file", "name the file in it"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message, hint = f"cannot be read: {reason.lower()}", ""
    else:
        return _decode(data, source)
    raise ConfigError([Problem(path="", message=message, hint=hint)], source)


def _decode(data: bytes, source: str) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        problem = Problem(path="", message="is UTF-16, not UTF-8", hint="save it as UTF-8")
        raise ConfigError([problem], source)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8: line {line} has the byte 0x{data[error.start]:02x}"
        raise ConfigError([Problem(path="", message=message, hint="save it as UTF-8")], source) from None


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        message = "is not valid TOML: tables or lists are nested too deeply"
    except ValueError as error:
        message = _syntax(str(error), text)
    raise ConfigError([Problem(path="", message=message)], source) from None


def _syntax(error: str, text: str) -> str:
    """tomllib's message with the place in front, in our words."""
    what, place = error, ""
    if match := re.fullmatch(r"(.*) \(at (line \d+, column \d+)\)", error, re.DOTALL):
        what, place = match[1], match[2]
    elif match := re.fullmatch(r"(.*) \(at end of document\)", error, re.DOTALL):
        lines = text.split("\n")
        what, place = match[1], f"line {len(lines)}, column {len(lines[-1]) + 1} (the end)"
    return f"is not valid TOML{f' at {place}' if place else ''}: {what[:1].lower()}{what[1:]}"


def _ours(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The tables and keys that are ours; the node's others are passed over."""
    result: dict[str, Any] = {}
    for attribute in attrs.fields(AetherConfig):
        key = toml_key(attribute)
        cl = table_class(attribute.type)
        if key in tables and cl is not None:
            result[key] = tables[key] if key in WHOLLY_OURS else _known(tables[key], cl)
    return result


def _known(table: Any, cl: type) -> Any:
    if not isinstance(table, dict):
        return table
    known = {toml_key(attribute): table_class(attribute.type) for attribute in attrs.fields(cl)}
    return {
        key: _known(value, inner) if (inner := known[key]) else value
        for key, value in table.items()
        if key in known
    }


def _choose_provider(raw: dict[str, Any], failed: set[str]) -> Iterator[ShapeProblem]:
    """Fill in `cloud.provider` where only one cloud has a table; else say what is missing."""
    cloud = raw.get("cloud")
    if cloud is None:
        problem = Problem(path="cloud", message="is missing", hint="add a table such as [cloud.aws]")
        yield ShapeProblem(("cloud",), problem)
        return
    if not isinstance(cloud, dict) or "cloud.provider" in failed:
        return
    present = [provider.value for provider in Provider if provider.value in cloud]
    provider = cloud.get("provider")
    if provider is None:
        yield from _only_section(raw, present)
    elif provider in tuple(Provider) and provider not in present and "kubernetes" not in cloud:
        others = f"this file has {listing(f'[cloud.{name}]' for name in present)}; " if present else ""
        yield ShapeProblem(
            ("cloud", provider),
            Problem(
                path=f"cloud.{provider}",
                message=f"is missing, but cloud.provider is {show(provider)}",
                hint=f"{others}add a table [cloud.{provider}]",
            ),
        )


def _only_section(raw: dict[str, Any], present: list[str]) -> Iterator[ShapeProblem]:
    cloud = raw["cloud"]
    if len(present) == 1:
        raw["cloud"] = {**cloud, "provider": present[0]}
        return
    if present:
        message = f"is missing, and there are tables for {listing(present)}"
        hint = "say which of them is the active cloud"
    elif near := [hint for key in cloud if (hint := nearest(key, tuple(Provider), cutoff=0.5))]:
        message, hint = "is missing, and there is no table of a cloud", near[0]
    else:
        message = "is missing, and there is no table of a cloud"
        hint = "add a table such as [cloud.aws]"
    yield ShapeProblem(("cloud", "provider"), Problem(path="cloud.provider", message=message, hint=hint))


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    items: Iterable[tuple[str | int, Any]] = value.items() if isinstance(value, dict) else ()
    for key, item in items:
        yield dotted((*path, key))
        yield from _paths(item, (*path, key))
