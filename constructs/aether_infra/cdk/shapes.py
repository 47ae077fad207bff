"""Which arguments of a stack's elements are blocks in HCL, and of what type the others are.

Terraform JSON does not say it, and no schema is at hand; the bindings know. cdktf asks them when it writes HCL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdktf import TerraformElement, TerraformStack

BLOCK = "block"
"""What stands for the type of an argument that is written as blocks."""

Path = tuple[str, ...]


def element_addresses(stack: TerraformStack) -> tuple[str, ...]:
    """Addresses of all resources and data sources, in the order in which they are declared.

    Args:
        stack: the stack, whole.
    """
    return tuple(address for address, _, _ in _elements(stack))


def argument_shapes(stack: TerraformStack) -> dict[str, dict[Path, str]]:
    """What the arguments are that a stack gives.

    Args:
        stack: the stack, whole.

    Returns:
        For `resource.<type>`, `data.<type>` and `provider.<type>`: by the path of names, `BLOCK`, or cdktf's word for
        a type, such as `string` or `stringMap`.
    """
    shapes: dict[str, dict[Path, str]] = {}
    for _, kind, body in _elements(stack, everything=True):
        found = shapes.setdefault(kind, {})
        found.update(_arguments(body, ()))
    return shapes


def _elements(stack: TerraformStack, *, everything: bool = False) -> Iterator[tuple[str, str, Any]]:
    """Address, kind and type, and body of each element."""
    for element in stack.node.find_all():
        if element is stack or not isinstance(element, TerraformElement):
            continue
        written: Any = element.to_hcl_terraform()
        for section in ("resource", "data"):
            for type_, named in written.get(section, {}).items():
                for name, body in named.items():
                    address = f"{type_}.{name}" if section == "resource" else f"data.{type_}.{name}"
                    yield address, f"{section}.{type_}", body
        if everything:
            for type_, bodies in written.get("provider", {}).items():
                for body in bodies:
                    yield "", f"provider.{type_}", body


def _arguments(body: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The arguments of a body, and of the blocks in it."""
    if not isinstance(body, Mapping):
        return
    for name, argument in body.items():
        # what a provider gives comes with its keys in snake_case
        is_block = (
            argument.get("isBlock", argument.get("is_block")) if isinstance(argument, Mapping) else None
        )
        if is_block is None:
            continue
        if not is_block:
            yield (*path, name), str(argument.get("storageClassType", argument.get("storage_class_type")))
            continue
        yield (*path, name), BLOCK
        value = argument.get("value")
        for item in value if isinstance(value, list) else [value]:
            yield from _arguments(item, (*path, name))
