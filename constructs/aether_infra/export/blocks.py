"""From elements to blocks of HCL: which arguments are blocks, the bindings have told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aether_infra.export.document import Element
from aether_infra.export.render import Argument, Block
from aether_infra.export.syntax import (
    Attribute,
    Call,
    Conditional,
    For,
    Items,
    Literal,
    Name,
    Node,
    Object,
    Text,
    replaced,
)

Shapes = Mapping[tuple[str, ...], str]
"""What the arguments of a type are, by the path of names: `block`, or a word for a type such as `string`."""

BLOCK: Final = "block"
FIRST: Final = ("provider", "count", "for_each")
"""Arguments of Terraform's own that come first, as its style guide has it."""
LAST: Final = ("lifecycle", "depends_on")
"""Those that come last."""
OWN_BLOCKS: Final = frozenset({"lifecycle", "provisioner", "connection"})
"""Blocks of Terraform's own."""

ATTRIBUTES: Final = frozenset(
    {
        ("aws_default_security_group", "egress"),
        ("aws_default_security_group", "ingress"),
    }
)
"""Blocks of which none at all means something else than an empty list, by type and name: Terraform calls them
"attributes as blocks". Source: https://developer.hashicorp.com/terraform/language/attr-as-blocks (as of 2026-11), and
for a type its `ConfigMode` in the provider."""

_CONVERTED: Final = frozenset({"string", "number", "boolean"})
_CONVERTED_ITEMS: Final = ("List", "Map", "Set")


def block(element: Element, shapes: Shapes) -> Block:
    """An element as a block.

    Args:
        element: a resource, a data source, an output or a provider.
        shapes: what its arguments are.
    """
    empty = {
        name for type_, name in ATTRIBUTES if type_ == element.type and element.body.get(name) == Items(())
    }
    shapes = {path: shape for path, shape in shapes.items() if path[0] not in empty}
    labels = {"output": (element.name,), "provider": (element.type,)}
    return Block(
        element.section,
        labels.get(element.section, (element.type, element.name)),
        _body(element.body, shapes, (), top=element.section in {"resource", "data"}),
    )


def _body(
    body: Object, shapes: Shapes, path: tuple[str, ...], *, top: bool = False
) -> tuple[Argument | Block, ...]:
    first: list[Argument | Block] = []
    arguments: list[Argument | Block] = []
    blocks: list[Argument | Block] = []
    last: list[Argument | Block] = []
    for key, value in body.items:
        name = key.literal if isinstance(key, Text) else None
        if name is None:
            raise TypeError(f"no name of an argument: {key!r}")
        here = (*path, name)
        shape = shapes.get(here)
        if top and name in LAST:
            last += _blocks(name, value, {}, here) if name in OWN_BLOCKS else [Argument(name, value)]
        elif shape == BLOCK or (top and name in OWN_BLOCKS):
            blocks += _blocks(name, value, shapes, here)
        elif top and name in FIRST:
            first.append(Argument(name, value))
        else:
            arguments.append(Argument(name, converted(value, shape)))
    order = {name: number for number, name in enumerate(LAST)}
    last.sort(key=lambda entry: order[entry.name if isinstance(entry, Argument) else entry.kind])
    return (*first, *arguments, *blocks, *last)


def _blocks(name: str, value: Node, shapes: Shapes, path: tuple[str, ...]) -> list[Argument | Block]:
    """The blocks of one name: one, several, or as many as a list has items."""
    match value:
        case Object():
            return [Block(name, (), _body(value, shapes, path))]
        case Items(items) if all(isinstance(item, Object) for item in items):
            return [Block(name, (), _body(item, shapes, path)) for item in items if isinstance(item, Object)]
        case Call("concat", parts):
            return [each for part in parts for each in _blocks(name, part, shapes, path)]
        case Conditional(test, Items((Object() as content,)), Items(())):
            some = Conditional(test, Items((Literal(value=True),)), Items(()))
            return [_dynamic(name, some, content, shapes, path)]
        case For((item,), of, Object() as content, None, test, False):
            every = of if test is None else For((item,), of, Name(item), None, test)
            # inside of a dynamic block, the block's own name stands for the item
            return [_dynamic(name, every, content, shapes, path, {item: "value"})]
        case For((key, item), of, Object() as content, None, None, False):
            return [_dynamic(name, of, content, shapes, path, {key: "key", item: "value"})]
        case _:
            raise TypeError(f"blocks that this package cannot write: {name} = {value!r}")


def _dynamic(  # noqa: PLR0917 - made in one place
    name: str,
    every: Node,
    content: Object,
    shapes: Shapes,
    path: tuple[str, ...],
    names: Mapping[str, str] | None = None,
) -> Block:
    """As many blocks as there are items; `names` tells what the block says of an item for each name in its content."""
    each = replaced(content, {Name(own): Attribute(Name(name), part) for own, part in (names or {}).items()})
    inner = Block("content", (), _body(each, shapes, path) if isinstance(each, Object) else ())
    return Block("dynamic", (name,), (Argument("for_each", every), inner))


def converted(value: Node, shape: str | None) -> Node:
    """A value without the quotes that only make text of it, where Terraform makes it text by itself.

    Args:
        value: the value.
        shape: the argument's type; None where nothing is known.
    """
    if shape is None:
        return value
    if shape in _CONVERTED:
        return _unquoted(value)
    if shape.endswith(_CONVERTED_ITEMS) and not shape.startswith("any"):
        match value:
            case Items(items):
                return Items(tuple(map(_unquoted, items)))
            case Object(items):
                return Object(tuple((key, _unquoted(item)) for key, item in items))
            case Call("merge", args):
                return Call("merge", tuple(converted(arg, shape) for arg in args))
    return value


def _unquoted(value: Node) -> Node:
    match value:
        case Text((only,)) if not isinstance(only, str):
            return only
        case Call("tostring", (only,)):
            return only
        case _:
            return value
