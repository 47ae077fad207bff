"""TOML as we write it: one line a value."""

import json
from collections.abc import Mapping
from typing import Any

from aether_infra.config.words import key_text


def toml_value(value: Any) -> str:
    """A value as TOML writes it in one line.

    Args:
        value: text, whole number, true or false, or a list or table of such.
    """
    match value:
        case bool() | int():
            return json.dumps(value)
        case str():
            # JSON escapes all that TOML wants escaped, but for one character
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
        case Mapping():
            items = ", ".join(f"{key_text(key)} = {toml_value(item)}" for key, item in value.items())
            return f"{{ {items} }}" if items else "{}"
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            raise TypeError(f"no TOML is known for {value!r}")
