"""Plain TOML tables beside the classes that describe them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args

import attrs
from attrs import frozen

from aether_infra.config.checks import EXAMPLE, TOML_KEY
from aether_infra.config.model import AetherConfig
from aether_infra.config.words import dotted
from aether_infra.errors import Problem

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""

WHOLLY_OURS: Final = ("cloud", "cluster")
"""Tables in which every key is read; of the others only the keys that the schema has."""


@frozen
class Misfit:
    """A problem and the place in the file that it takes out of use."""

    place: Path
    problem: Problem


def toml_key(attribute: "attrs.Attribute[Any]") -> str:
    """Name of a field in the file."""
    return str(attribute.metadata.get(TOML_KEY, attribute.name))


def without(raw: Mapping[str, Any], place: Path, cl: type | None = AetherConfig) -> dict[str, Any]:
    """The tables without one key; with an example in its place if it is required.

    Args:
        raw: tables.
        place: where the key is; what lies inside a list takes the whole list out.
        cl: the class that the tables are for.
    """
    key, rest = str(place[0]), place[1:]
    attribute = next((a for a in attrs.fields(cl) if toml_key(a) == key), None) if cl else None
    result = dict(raw)
    if rest and isinstance(raw.get(key), Mapping):
        result[key] = without(raw[key], rest, table_class(attribute.type) if attribute else None)
    elif attribute is not None and attribute.metadata.get(EXAMPLE) is not None:
        result[key] = attribute.metadata[EXAMPLE]
    else:
        result.pop(key, None)
    return result


def table_class(type_: Any) -> type | None:
    """The attrs class of a field that holds a table, through `| None`; None for a plain value."""
    for candidate in (type_, *get_args(type_)):
        if isinstance(candidate, type) and attrs.has(candidate):
            return candidate
    return None


def ours(tables: Mapping[str, Any]) -> dict[str, Any]:
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


def paths(value: Any, path: Path = ()) -> Iterator[str]:
    """Dotted paths of all keys of tables within tables."""
    items: Iterable[tuple[str | int, Any]] = value.items() if isinstance(value, dict) else ()
    for key, item in items:
        yield dotted((*path, key))
        yield from paths(item, (*path, key))
