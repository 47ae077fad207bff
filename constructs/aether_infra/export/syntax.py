"""Terraform's expressions as trees. What two documents have in common, and in what they differ, is told from these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

Scalar: TypeAlias = bool | int | float | None


@frozen
class Literal:
    """A number, `true`, `false` or `null`."""

    value: Scalar

    def __eq__(self, other: object) -> bool:
        # Python takes true for 1; Terraform does not
        if not isinstance(other, Literal) or isinstance(self.value, bool) is not isinstance(
            other.value, bool
        ):
            return False
        return self.value == other.value

    def __hash__(self) -> int:
        return hash((isinstance(self.value, bool), self.value))


@frozen
class Text:
    """A string: what is in it literally, and what Terraform puts into it."""

    parts: tuple[str | Node, ...] = ()

    @property
    def literal(self) -> str | None:
        """The text itself; None if Terraform puts something into it."""
        if not self.parts:
            return ""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, str) else None


@frozen
class Name:
    """A name: of a variable, a resource's type, a loop's item."""

    name: str


@frozen
class Attribute:
    """`of.name`; a number as `name` is the old way to write an index."""

    of: Node
    name: str


@frozen
class Index:
    """`of[key]`."""

    of: Node
    key: Node


@frozen
class Splat:
    """`of[*]`, or the older `of.*`."""

    of: Node
    brackets: bool = True


@frozen
class Call:
    """`name(args…)`; with `spread`, the last one is followed by three dots."""

    name: str
    args: tuple[Node, ...] = ()
    spread: bool = False


@frozen
class Unary:
    """`-operand` or `!operand`."""

    operator: str
    operand: Node


@frozen
class Binary:
    """`left operator right`."""

    operator: str
    left: Node
    right: Node


@frozen
class Conditional:
    """`test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@frozen
class Group:
    """`(inner)`."""

    inner: Node


@frozen
class Items:
    """`[items…]`; in a document also blocks of one type."""

    items: tuple[Node, ...] = ()


@frozen
class Object:
    """`{key = value…}`; in a document also the body of a block. Keys are texts, or expressions where they must be."""

    items: tuple[tuple[Node, Node], ...] = ()

    def get(self, key: str) -> Node | None:
        """The value of a literal key; None if there is none."""
        return next((value for name, value in self.items if name == Text((key,))), None)

    def literal_keys(self) -> tuple[str, ...] | None:
        """All keys as texts; None if Terraform makes one of them, or one is there twice."""
        keys = [key.literal if isinstance(key, Text) else None for key, _ in self.items]
        known = tuple(key for key in keys if key is not None)
        return known if len(known) == len(keys) == len(set(known)) else None


@frozen
class For:
    """`[for names in of : value if test]`, or with a key `{for names in of : key => value… if test}`."""

    names: tuple[str, ...]
    of: Node
    value: Node
    key: Node | None = None
    test: Node | None = None
    grouped: bool = False


Node: TypeAlias = (
    Literal
    | Text
    | Name
    | Attribute
    | Index
    | Splat
    | Call
    | Unary
    | Binary
    | Conditional
    | Group
    | Items
    | Object
    | For
)

VAR = Name("var")

GIVE_TEXT = frozenset(
    {
        "base64encode",
        "cidrhost",
        "cidrsubnet",
        "file",
        "join",
        "jsonencode",
        "lower",
        "replace",
        "sha256",
        "substr",
        "templatefile",
        "title",
        "tostring",
        "trimprefix",
        "upper",
    }
)
"""Functions whose result is a text."""


def text(value: str) -> Text:
    """A text that Terraform takes as it is."""
    return Text((value,)) if value else Text()


def joined(parts: Sequence[str | Node]) -> Text:
    """A text of parts, with neighbouring literal ones made one, and texts in it made part of it."""
    flat: list[str | Node] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Text) else (part,):
            if isinstance(piece, str) and flat and isinstance(flat[-1], str):
                flat[-1] += piece
            elif piece != "":
                flat.append(piece)
    return Text(tuple(flat))


def variable(name: str) -> Attribute:
    """A reference to an input variable."""
    return Attribute(VAR, name)


def literal(value: object) -> Node:
    """A plain value as an expression that yields it.

    Args:
        value: a text, number, truth value, None, or mappings and sequences of these.
    """
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return Object(tuple((text(str(key)), literal(item)) for key, item in value.items()))
    if isinstance(value, Sequence):
        return Items(tuple(literal(item) for item in value))
    if value is None or isinstance(value, bool | int | float):
        return Literal(value)
    raise TypeError(f"no value of Terraform's: {value!r}")


def children(node: Node) -> Iterator[Node]:  # noqa: C901, PLR0912 - one case a kind
    """What a node is made of, one level down."""
    match node:
        case Literal() | Name():
            return
        case Text(parts):
            yield from (part for part in parts if not isinstance(part, str))
        case Attribute(of) | Splat(of):
            yield of
        case Index(of, key):
            yield from (of, key)
        case Call(_, args):
            yield from args
        case Unary(_, operand):
            yield operand
        case Binary(_, left, right):
            yield from (left, right)
        case Conditional(test, yes, no):
            yield from (test, yes, no)
        case Group(inner):
            yield inner
        case Items(items):
            yield from items
        case Object(items):
            for key, value in items:
                yield from (key, value)
        case For(_, of, value, key, test):
            yield from (one for one in (of, key, value, test) if one is not None)


def walk(node: Node) -> Iterator[Node]:
    """A node and everything in it."""
    yield node
    for child in children(node):
        yield from walk(child)


def variables(node: Node) -> Iterator[str]:
    """Names of the input variables that an expression reads."""
    for one in walk(node):
        if isinstance(one, Attribute) and one.of == VAR:
            yield one.name


def rebuilt(node: Node, new: Callable[[Node], Node]) -> Node:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    """A node of the same kind, of other parts.

    Args:
        node: the node.
        new: what takes the place of each part.
    """
    match node:
        case Literal() | Name():
            return node
        case Text(parts):
            return joined([part if isinstance(part, str) else new(part) for part in parts])
        case Attribute(of, name):
            return Attribute(new(of), name)
        case Splat(of, brackets):
            return Splat(new(of), brackets)
        case Index(of, key):
            return Index(new(of), new(key))
        case Call(name, args, spread):
            return Call(name, tuple(map(new, args)), spread)
        case Unary(operator, operand):
            return Unary(operator, new(operand))
        case Binary(operator, left, right):
            return Binary(operator, new(left), new(right))
        case Conditional(test, yes, no):
            return Conditional(new(test), new(yes), new(no))
        case Group(inner):
            return Group(new(inner))
        case Items(items):
            return Items(tuple(map(new, items)))
        case Object(items):
            return Object(tuple((new(key), new(value)) for key, value in items))
        case For(names, of, value, key, test, grouped):
            return For(
                names,
                new(of),
                new(value),
                None if key is None else new(key),
                None if test is None else new(test),
                grouped,
            )


def replaced(node: Node, by: Mapping[Node, Node]) -> Node:
    """A tree with some of its nodes replaced.

    Args:
        node: the tree.
        by: what takes the place of what.
    """
    return by[node] if node in by else rebuilt(node, lambda child: replaced(child, by))
