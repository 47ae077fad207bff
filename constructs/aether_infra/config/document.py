"""From a file to TOML tables, with a message for everything that can be wrong on the way."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from aether_infra.errors import ConfigError, Problem

HINTS: Final = {
    "Cannot overwrite a value": "the key is there twice",
}
"""What to do about some of tomllib's messages."""


def read(path: str | Path) -> str:
    """The text of a file.

    Args:
        path: the file.

    Raises:
        ConfigError: it cannot be read, or is not UTF-8.
    """
    source = str(path)
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
        return decode(data, source)
    raise ConfigError([Problem(path="", message=message, hint=hint)], source)


def decode(data: bytes, source: str) -> str:
    """The text of a file's bytes.

    Args:
        data: the bytes.
        source: the file's name, for messages.

    Raises:
        ConfigError: they are not UTF-8.
    """
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        problem = Problem(path="", message="is UTF-16, not UTF-8", hint="save it as UTF-8")
        raise ConfigError([problem], source)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8: line {line} has the byte 0x{data[error.start]:02x}"
        raise ConfigError([Problem(path="", message=message, hint="save it as UTF-8")], source) from None


def parse(text: str, source: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Args:
        text: TOML.
        source: the file's name, for messages.

    Raises:
        ConfigError: it is not valid TOML; the message names line and column.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        message, hint = "is not valid TOML: tables or lists are nested too deeply", ""
    except ValueError as error:
        message, hint = _syntax(str(error), text)
    raise ConfigError([Problem(path="", message=message, hint=hint)], source) from None


def _syntax(error: str, text: str) -> tuple[str, str]:
    """Tomllib's message with the place in front, in our words, and a hint."""
    what, place, hint = error, "", ""
    if match := re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", error, re.DOTALL):
        what, place = match[1], f"line {match[2]}, column {match[3]}"
        hint = HINTS.get(what, "")
        if what == "Invalid value" and re.match(r"[A-Za-z]", _after(text, int(match[2]), int(match[3]))):
            hint = "text stands in double quotes"
    elif match := re.fullmatch(r"(.*) \(at end of document\)", error, re.DOTALL):
        lines = text.split("\n")
        what, place = match[1], f"line {len(lines)}, column {len(lines[-1]) + 1} (the end)"
        hint = HINTS.get(what, "a quote or a bracket may still be open")
    return f"is not valid TOML{f' at {place}' if place else ''}: {what[:1].lower()}{what[1:]}", hint


def _after(text: str, line: int, column: int) -> str:
    return text.replace("\r\n", "\n").split("\n")[line - 1][column - 1 :]
