"""Takes programs and other long texts out of a document into files of their own, where they can be read and checked."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from attrs import Factory, define, evolve

from aether_infra.export.document import Element
from aether_infra.export.render import template
from aether_infra.export.syntax import (
    VAR,
    Attribute,
    Call,
    Items,
    Name,
    Node,
    Object,
    Text,
    joined,
    rebuilt,
    text,
)

LINES: Final = 15
"""Fewest lines of a text that gets a file."""
FOLDER: Final = "files"
"""Where the files are, below the module."""
TEMPLATE: Final = ".tftpl"
"""What the names of files end in that Terraform puts values into."""

_MODULE: Final = Attribute(Name("path"), "module")
_SUFFIXES: Final = {"#!/bin/sh": ".sh", "#!/bin/bash": ".sh", "#!/usr/bin/python3": ".py"}
"""Ends of names that have none, by the first line."""


@define
class Lift:
    """Collects the files of one module."""

    files: dict[str, str] = Factory(dict)
    """Texts by their path below the module."""

    def element(self, element: Element) -> Element:
        """The element with its long texts replaced by calls that read them from files.

        Args:
            element: what may hold long texts.
        """
        body = self._node(element.body, element.name)
        return evolve(element, body=body) if isinstance(body, Object) else element

    def _node(self, node: Node, name: str) -> Node:
        match node:
            case Object(items):
                # a file's entry of cloud-init says where it goes
                path = node.get("path")
                known = PurePosixPath(path.literal).name if isinstance(path, Text) and path.literal else ""
                return Object(
                    tuple((key, self._node(value, known or _name(key, name))) for key, value in items)
                )
            case Items(items) if len(items) >= LINES and all(isinstance(item, Text) for item in items):
                lines = [part for item in items for part in (item, "\n")][:-1]
                whole = self._lifted(joined(lines), name)
                return node if whole is None else Call("split", (text("\n"), whole))
            case Text():
                return self._lifted(node, name) or node
            case _:
                return rebuilt(node, lambda child: self._node(child, name))

    def _lifted(self, node: Text, name: str) -> Node | None:
        lines = sum(part.count("\n") for part in node.parts if isinstance(part, str))
        if lines < LINES:
            return None
        names: dict[Node, str] = {}
        for part in node.parts:
            if not isinstance(part, str) and part not in names:
                names[part] = _argument(part, len(names) + 1)
        content = template(node.parts, names) if names else (node.literal or "")
        path = Text((_MODULE, f"/{self._file(name, content, TEMPLATE if names else '')}"))
        if not names:
            return Call("file", (path,))
        arguments = Object(tuple((text(argument), part) for part, argument in names.items()))
        return Call("templatefile", (path, arguments))

    def _file(self, name: str, content: str, ending: str) -> str:
        """The path of a file with this content, an own one or one that has it already."""
        suffix = "" if PurePosixPath(name).suffix else _SUFFIXES.get(content.partition("\n")[0], "")
        for number in range(1, len(self.files) + 2):
            counted = f"-{number}" if number > 1 else ""
            stem = PurePosixPath(name)
            path = f"{FOLDER}/{stem.stem}{counted}{stem.suffix}{suffix}{ending}"
            if self.files.setdefault(path, content) == content:
                return path
        raise AssertionError("one of so many names is free")


def _name(key: Node, outer: str) -> str:
    """What a text is called by its argument; by what holds it, where that says more."""
    name = key.literal if isinstance(key, Text) else None
    return name if name and name not in _VAGUE else outer


_VAGUE: Final = frozenset({"content", "inputs", "mainSteps", "source", "value", "write_files"})
"""Names that say nothing."""


def _argument(node: Node, number: int) -> str:
    """What a template calls a value."""
    if isinstance(node, Attribute) and node.of in (VAR, Name("local")):
        return node.name.replace("-", "_")
    return f"value_{number}"
