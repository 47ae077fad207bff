"""What a page tells of a resource: its main arguments, and never a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aether_infra.config.credentials import looks_secret, secret_value
from aether_infra.diagram.document import Resource

MOST: Final = 24
"""Most arguments of a resource."""
LONGEST: Final = 160
"""Longest text that is shown, in characters."""
DEEPEST: Final = 3
"""Deepest nesting that is shown."""
META: Final = frozenset(
    {"//", "connection", "depends_on", "lifecycle", "provider", "provisioner", "tags", "tags_all", "timeouts"}
)
"""Arguments that are Terraform's own, or the same everywhere."""
FREE: Final = frozenset(
    {
        "admin_ssh_key",
        "annotations",
        "args",
        "binary_data",
        "command",
        "configuration_values",
        "container_definitions",
        "content",
        "custom_data",
        "data",
        "defined_tags",
        "droplet_template",
        "env",
        "env_from",
        "environment",
        "extended_metadata",
        "freeform_tags",
        "input",
        "labels",
        "manifest",
        "parameters",
        "protected_settings",
        "script",
        "secrets",
        "settings",
        "set",
        "set_sensitive",
        "ssh_keys",
        "string_data",
        "template",
        "triggers",
        "user_data",
        "user_data_base64",
        "value",
        "values",
        "variables",
    }
)
"""Arguments that hold what a user or a program wrote: environments, scripts, settings. What is in them is not shown."""
MACHINE_METADATA: Final = frozenset(
    {"user-data", "user_data", "startup-script", "ssh-keys", "ssh_authorized_keys"}
)
WRITE_ONLY: Final = "_wo"
"""How providers name an argument that Terraform does not keep: a secret, mostly."""
TOKEN: Final = re.compile(r"\$\{([^{}]*)\}")


def arguments(resource: Resource) -> list[tuple[str, str]]:
    """The main arguments of a resource, by their paths.

    Args:
        resource: the resource.

    Returns:
        Path and value, in the document's order. What may hold a secret is left out: by the argument's name, by the
        value's form, and whatever is free text. Long texts are named by their length only.
    """
    found = list(_flat(resource.arguments, "", 0))
    rest = len(found) - MOST
    return found if rest <= 1 else [*found[:MOST], ("…", f"and {rest} more")]


def _flat(value: Mapping[str, Any], path: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        if depth == 0 and key in META:
            continue
        if key in FREE or key in MACHINE_METADATA or looks_secret(key.removesuffix(WRITE_ONLY)):
            if item not in (None, "", [], {}):
                yield where, "(not shown)"
            continue
        yield from _item(where, item, depth)


def _item(where: str, item: Any, depth: int) -> Iterator[tuple[str, str]]:
    if item is None:
        return
    if isinstance(item, Mapping):
        if depth + 1 < DEEPEST:
            yield from _flat(item, where, depth + 1)
    elif isinstance(item, list):
        if all(not isinstance(each, Mapping | list) for each in item):
            yield where, text(", ".join(_plain(each) for each in item))
            return
        for index, each in enumerate(item):
            yield from _item(where if len(item) == 1 else f"{where}[{index}]", each, depth)
    else:
        yield where, text(_plain(item))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def text(value: str) -> str:
    """A value as it is shown: references without their braces, neither secrets nor long texts."""
    if secret_value(value):
        return "(not shown)"
    shown = TOKEN.sub(r"\1", value)
    if len(shown) > LONGEST or "\n" in shown:
        return f"(text of {len(value):,} characters)"
    return shown
