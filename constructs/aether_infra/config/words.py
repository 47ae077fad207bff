"""How messages speak: values as TOML writes them, lists, near matches, paths."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aether_infra.config.credentials import secret_value

SHOWN: Final = 80
"""Most characters of a value that a message repeats."""


def show(value: object) -> str:
    """A value as a message shows it: text quoted, tables and lists by their kind, secrets not at all."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() if secret_value(value):
            return "a secret, not shown here"
        case str():
            return quote(value if len(value) <= SHOWN else value[: SHOWN - 1] + "…")
        case int():
            return str(value) if abs(value) < 10**SHOWN else "a very large number"
        case Mapping() | list() | tuple():
            return kind(value)
        case _:
            return str(value)


def kind(value: object) -> str:
    """What sort of value it is, for messages that must not repeat it."""
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int():
            return "a whole number"
        case Mapping():
            return "a table"
        case list() | tuple():
            return "a list"
        case _:
            return "a number or a date"


def quote(text: str) -> str:
    """Text in double quotes with everything unprintable escaped."""
    return f'"{"".join(_escaped(character) for character in text)}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def listing(values: Iterable[object]) -> str:
    """Values with commas between."""
    return ", ".join(str(value) for value in values)


ALIASES: Final = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64"}
"""Words that other tools use: looking alike would lead astray."""


def nearest(value: object, known: Iterable[object], cutoff: float = 0.6) -> str:
    """The hint that names the known word next to `value`; empty if none is near."""
    if not isinstance(value, str):
        return ""
    words = [str(word) for word in known]
    if ALIASES.get(value.lower()) in words:
        return f'did you mean "{ALIASES[value.lower()]}"?'
    by_lower = {word.lower(): word for word in words}
    found = difflib.get_close_matches(value.lower(), by_lower, n=1, cutoff=cutoff)
    return f'did you mean "{by_lower[found[0]]}"?' if found else ""


def key_text(key: str) -> str:
    """A key as TOML writes it in a dotted path."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else quote(key)


def dotted(keys: Sequence[str | int]) -> str:
    """The path of keys and list positions, such as `cloud.aws.allowed_cidrs[1]`."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key_text(key)}" if text else key_text(key)
    return text
