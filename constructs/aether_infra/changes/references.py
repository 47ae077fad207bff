"""References between the blocks of a stack: what a value follows, and what it is as far as a configuration says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from aether_infra.changes.document import Stack

_REFERENCE = re.compile(
    r"(?<![\w.\-])(?P<address>(?:data\.)?[a-z][a-z0-9]*(?:_[a-z0-9]+)+\.[A-Za-z_][\w\-]*)"
    r"\.(?P<attribute>[A-Za-z_]\w*)(?P<rest>(?:\.\w+|\[[^\[\]]*\])*)"
)
"""An attribute of a block. That the block exists is asked before it is believed: text is full of dots."""
_LOCAL = re.compile(r"(?<![\w.\-])local\.(?P<name>[A-Za-z_][\w\-]*)")
_WHOLE = re.compile(r"(?<!\$)\$\{([^{}]*)\}")
_DEPTH = 20
"""How far locals and references are followed; a circle, which Terraform refuses, ends there."""


@frozen
class Reference:
    """What a value refers to."""

    address: str
    """The block."""
    attribute: str
    """Its attribute, the first part of it."""
    rest: str = ""
    """What follows: `.kubernetes.endpoint`, `[0].name`."""

    def __str__(self) -> str:
        return f"{self.address}.{self.attribute}{self.rest}"


def references(value: Any, stack: Stack) -> Iterator[Reference]:
    """What a value refers to, through locals, in the order of the text.

    Args:
        value: an argument.
        stack: the stack that it belongs to.
    """
    for text in _texts(value):
        yield from _in_text(text, stack, _DEPTH)


def known(value: Any, stack: Stack) -> Any:
    """A value with its references to what the configuration itself says replaced by that, as Terraform does.

    A name that is given is known although the resource is replaced; an id that the cloud gives is not.

    Args:
        value: an argument.
        stack: the stack that it belongs to.
    """
    return _known(value, stack, _DEPTH)


def _known(value: Any, stack: Stack, depth: int) -> Any:
    if isinstance(value, dict):
        return {key: _known(item, stack, depth) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item, stack, depth) for item in value]
    if not isinstance(value, str) or "${" not in value or not depth:
        return value
    whole = _WHOLE.fullmatch(value)
    if whole and (found := _said(whole[1], stack, depth)) is not None:
        return found

    def fill(match: re.Match[str]) -> str:
        said = _said(match[1], stack, depth)
        return match[0] if said is None or isinstance(said, bool) else str(said)

    return _WHOLE.sub(fill, value)


def _said(expression: str, stack: Stack, depth: int) -> str | int | float | bool | None:
    """What a plain reference to a resource's argument or a local stands for; None for all else."""
    expression = expression.strip()
    local = _LOCAL.fullmatch(expression)
    reference = _REFERENCE.fullmatch(expression)
    value: Any = None
    if local:
        value = stack.local_values.get(local["name"])
    elif reference and not reference["rest"]:
        block = stack.blocks.get(reference["address"])
        if block is not None and not block.is_data and "for_each" not in block.arguments:
            value = block.arguments.get(reference["attribute"])
    value = _known(value, stack, depth - 1)
    return value if isinstance(value, str | int | float) else None


def _in_text(text: str, stack: Stack, depth: int) -> Iterator[Reference]:
    if "${" not in text and "%{" not in text:
        return
    for match in _REFERENCE.finditer(text):
        if match["address"] in stack.blocks:
            yield Reference(match["address"], match["attribute"], match["rest"])
    for match in _LOCAL.finditer(text):
        if depth and match["name"] in stack.local_values:
            for inner in _texts(stack.local_values[match["name"]]):
                yield from _in_text(inner, stack, depth - 1)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
