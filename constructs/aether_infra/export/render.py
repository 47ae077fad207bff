"""Writes expressions and blocks as `terraform fmt` does.

How it does: https://github.com/hashicorp/hcl/blob/v2.23.0/hclwrite/format.go and
https://developer.hashicorp.com/terraform/language/style (as of 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import Factory, frozen

from aether_infra.export.parse import PRECEDENCE
from aether_infra.export.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    For,
    Group,
    Index,
    Items,
    Literal,
    Name,
    Node,
    Object,
    Splat,
    Text,
    Unary,
)

WIDTH: Final = 110
"""Longest line that a list or a call is kept on, in characters. Texts are never cut."""
SMALL_OBJECT: Final = 3
"""Most entries of an object that stands on one line in a list."""
LINES_OF_HEREDOC: Final = 2
"""Fewest lines of a text that is written line by line."""

_INDENT: Final = "  "
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_RESERVED: Final = frozenset({"for", "true", "false", "null"})
_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_FIRST: Final = frozenset({"provider", "count", "for_each"})
"""Arguments of Terraform's own that stand apart, before the others."""
_LAST: Final = frozenset({"depends_on"})
"""Those that stand apart after the others."""
_LOOSEST: Final = 0
_TIGHTEST: Final = 9


class _Fixed(str):
    """A line that is not indented, as it is part of a text."""

    __slots__ = ()


@frozen
class Argument:
    """`name = value` in a block."""

    name: str
    value: Node


@frozen
class Block:
    """A block."""

    kind: str
    """Its type, such as `resource`."""
    labels: tuple[str, ...] = ()
    """What follows the type, in quotes."""
    body: tuple[Argument | Block, ...] = Factory(tuple)
    """What is in it, in order."""


def document(blocks: Iterable[Block], header: Sequence[str] = ()) -> str:
    """The text of a file.

    Args:
        blocks: what is in it, in order.
        header: lines of a comment at its top, without the sign of a comment.
    """
    comment = [f"# {line}".rstrip() for line in header]
    parts = ["\n".join(comment)] if comment else []
    parts += ["\n".join(_block(block)) for block in blocks]
    return "\n\n".join(parts) + "\n"


def assignments(pairs: Iterable[tuple[str, Node]]) -> str:
    """The text of a file of values, such as a `.tfvars`.

    Args:
        pairs: names and values, in order.
    """
    return "\n".join(_aligned((name, _lines(value, WIDTH)) for name, value in pairs)) + "\n"


def expression(node: Node) -> str:
    """An expression on one line."""
    return _flat(node)


def template(parts: Sequence[str | Node], names: Mapping[Node, str]) -> str:
    """The text of a template file.

    Args:
        parts: the parts of a text.
        names: what the template calls each expression in it.
    """
    return "".join(
        _template_literal(part, following) if isinstance(part, str) else f"${{{names[part]}}}"
        for part, following in zip(parts, (*parts[1:], ""), strict=False)
    )


# Blocks.


def _block(block: Block) -> list[str]:
    head = " ".join([block.kind, *(f'"{label}"' for label in block.labels)])
    if not block.body:
        return [f"{head} {{}}"]
    return [f"{head} {{", *_indented(_body(block.body)), "}"]


def _body(body: Sequence[Argument | Block]) -> Iterator[str]:
    """The lines of a body: runs of arguments, and blocks, with an empty line between."""
    paragraphs: list[list[str]] = []
    run: list[Argument] = []

    def close() -> None:
        if run:
            paragraphs.append(_aligned((one.name, _lines(one.value, WIDTH)) for one in run))
            run.clear()

    for entry in body:
        if isinstance(entry, Block):
            close()
            paragraphs.append(_block(entry))
            continue
        if run and (entry.name in _LAST or (run[-1].name in _FIRST and entry.name not in _FIRST)):
            close()
        run.append(entry)
    close()
    for number, paragraph in enumerate(paragraphs):
        yield from ([""] if number else [])
        yield from paragraph


def _aligned(pairs: Iterable[tuple[str, list[str]]]) -> list[str]:
    """Lines of `name = value`, with the equals signs of neighbours one below the other.

    What opens a bracket that another line closes is no neighbour; a text line by line is.
    """
    lines: list[str] = []
    chain: list[tuple[str, list[str]]] = []

    def close() -> None:
        width = max((len(name) for name, _ in chain), default=0)
        for name, value in chain:
            lines.append(f"{name.ljust(width)} = {value[0]}")
            lines.extend(value[1:])
        chain.clear()

    for name, value in pairs:
        if len(value) == 1 or value[0].startswith("<<"):
            chain.append((name, value))
        else:
            close()
            lines.append(f"{name} = {value[0]}")
            lines.extend(value[1:])
    close()
    return lines


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if isinstance(line, _Fixed) or not line else _INDENT + line


# Expressions on several lines.


def _lines(node: Node, width: int) -> list[str]:
    """An expression, on one line if it fits; lines after the first are indented as if the first were not."""
    match node:
        case Text() if _is_long(node):
            return _heredoc(node)
        case Object(items) if items:
            return _object(node, width)
        case Items(items) if not _fits(node, width):
            inner = [_indented(_item(item, width)) for item in items]
            return ["[", *(line for lines in inner for line in lines), "]"]
        case Call(name, args, spread) if not _fits(node, width):
            return _call(name, args, width, spread=spread)
        case For() if not _fits(node, width):
            return _loop(node, width)
        case _:
            return [_flat(node)]


def _fits(node: Node, width: int) -> bool:
    return not _is_tall(node) and len(_flat(node)) <= width


def _is_tall(node: Node) -> bool:
    """Whether something in it is better read line by line."""
    match node:
        case Text():
            return _is_long(node)
        case Object(items):
            return bool(items)
        case Items(items):
            return any(
                not _is_small(item) if isinstance(item, Object) else _is_tall(item) for item in items
            ) or (len(items) > 1 and any(isinstance(item, Object) for item in items))
        case Call(_, args):
            return any(_is_tall(arg) for arg in args)
        case Conditional(test, yes, no):
            return any(_is_tall(one) for one in (test, yes, no))
        case _:
            return False


def _is_small(node: Object) -> bool:
    """Whether an object in a list stands on one line."""
    plain = all(not _is_tall(value) for _, value in node.items)
    return plain and len(node.items) <= SMALL_OBJECT and len(_flat(node)) <= WIDTH - 20


def _item(item: Node, width: int) -> list[str]:
    lines = [_flat(item)] if isinstance(item, Object) and _is_small(item) else _lines(item, width - 2)
    if lines[0].startswith("<<"):
        # a comma after the end of a text would be part of it
        return [*lines, ","]
    return [*lines[:-1], f"{lines[-1]},"]


def _object(node: Object, width: int) -> list[str]:
    pairs = [(_key(key), _lines(value, width - 2)) for key, value in node.items]
    return ["{", *_indented(_aligned(pairs)), "}"]


def _call(name: str, args: Sequence[Node], width: int, *, spread: bool) -> list[str]:
    """A call; a last argument in brackets keeps the call's own brackets close to it."""
    *before, last = args
    dots = "..." if spread else ""
    if all(not _is_tall(arg) for arg in before):
        head = "".join(f"{_flat(arg)}, " for arg in before)
        lines = _lines(last, width)
        if len(head) <= width // 2 and (len(lines) > 1 or not before):
            if lines[0].startswith("<<"):
                return [f"{name}({head}{lines[0]}", *lines[1:], f"{dots})"]
            return (
                [f"{name}({head}{lines[0]}", *lines[1:-1], f"{lines[-1]}{dots})"]
                if len(lines) > 1
                else [f"{name}({head}{lines[0]}{dots})"]
            )
    inner = [line for arg in args for line in _indented(_item(arg, width))]
    if spread:
        inner[-1] = f"{inner[-1].removesuffix(',')}..."
    return [f"{name}(", *inner, ")"]


def _loop(node: For, width: int) -> list[str]:
    """A loop whose value takes several lines."""
    brackets = "[]" if node.key is None else "{}"
    head = f"for {', '.join(node.names)} in {_flat(node.of)} :"
    value = _lines(node.value, width - 2)
    if node.key is not None:
        value[0] = f"{_flat(node.key)} => {value[0]}"
    tail = ("..." if node.grouped else "") + (f" if {_flat(node.test)}" if node.test is not None else "")
    value[-1] += tail
    return [f"{brackets[0]}", *_indented([f"{head} {value[0]}", *value[1:]]), brackets[1]]


# Texts.


def _is_long(node: Text) -> bool:
    """Whether a text is written line by line: it has several, ends with one, and no sign that needs an escape."""
    if not node.parts or not isinstance(node.parts[-1], str) or not node.parts[-1].endswith("\n"):
        return False
    plain = "".join(part if isinstance(part, str) else "x" for part in node.parts)
    lines = plain.count("\n")
    return lines >= LINES_OF_HEREDOC and plain.replace("\n", "").replace("\t", "").isprintable()


def _heredoc(node: Text) -> list[str]:
    body = "".join(
        _template_literal(part, following) if isinstance(part, str) else f"${{{_flat(part)}}}"
        for part, following in zip(node.parts, (*node.parts[1:], ""), strict=False)
    )
    lines = body.removesuffix("\n").split("\n")
    end = "EOT"
    while any(line.strip() == end for line in lines):
        end += "_"
    flush = any(line and not line[0].isspace() for line in lines) and not any(
        line and line.isspace() for line in lines
    )
    if flush:
        return [f"<<-{end}", *(_INDENT + line if line else "" for line in lines), end]
    return [f"<<{end}", *(_Fixed(line) for line in lines), _Fixed(end)]


def _template_literal(part: str, following: str | Node) -> str:
    """The literal part of a template, with what would begin an expression escaped."""
    escaped = part.replace("${", "$${").replace("%{", "%%{")
    if not isinstance(following, str) and escaped.endswith(("$", "%")):
        return f'{escaped[:-1]}${{"{escaped[-1]}"}}'
    return escaped


def _quoted(node: Text) -> str:
    written = []
    for part, following in zip(node.parts, (*node.parts[1:], ""), strict=False):
        if isinstance(part, str):
            pieces = re.split(r'(\$\{"[$%]"\})', _template_literal(part, following))
            written += [
                piece if piece.startswith('${"') else "".join(map(_escaped, piece)) for piece in pieces
            ]
        else:
            written.append(f"${{{_flat(part)}}}")
    return f'"{"".join(written)}"'


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"  # noqa: PLR2004 - four digits


# Expressions on one line.


def _flat(node: Node, binding: int = _LOOSEST) -> str:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    """An expression on one line, in brackets where its surroundings bind more tightly."""
    match node:
        case Literal(value):
            return _literal(value)
        case Text():
            return _quoted(node)
        case Name(name):
            return name
        case Attribute(of, name):
            return f"{_flat(of, _TIGHTEST)}.{name}"
        case Index(of, key):
            return f"{_flat(of, _TIGHTEST)}[{_flat(key)}]"
        case Splat(of, brackets):
            return f"{_flat(of, _TIGHTEST)}{'[*]' if brackets else '.*'}"
        case Call(name, args, spread):
            return f"{name}({', '.join(map(_flat, args))}{'...' if spread else ''})"
        case Group(inner):
            return f"({_flat(inner)})"
        case Items(items):
            return f"[{', '.join(map(_flat, items))}]"
        case Object(items):
            inside = ", ".join(f"{_key(key)} = {_flat(value)}" for key, value in items)
            return f"{{ {inside} }}" if inside else "{}"
        case For():
            return _flat_loop(node)
        case Unary(operator, operand):
            return _bracketed(f"{operator}{_flat(operand, _TIGHTEST)}", binding > PRECEDENCE["*"] + 1)
        case Binary(operator, left, right):
            own = PRECEDENCE[operator]
            return _bracketed(f"{_flat(left, own)} {operator} {_flat(right, own + 1)}", binding > own)
        case Conditional(test, yes, no):
            return _bracketed(f"{_flat(test, 1)} ? {_flat(yes)} : {_flat(no)}", binding > _LOOSEST)


def _bracketed(written: str, needed: bool) -> str:  # noqa: FBT001 - a step of `_flat`
    return f"({written})" if needed else written


def _flat_loop(node: For) -> str:
    head = f"for {', '.join(node.names)} in {_flat(node.of)} :"
    tail = ("..." if node.grouped else "") + (f" if {_flat(node.test)}" if node.test is not None else "")
    if node.key is None:
        return f"[{head} {_flat(node.value)}{tail}]"
    return f"{{ {head} {_flat(node.key)} => {_flat(node.value)}{tail} }}"


def _literal(value: bool | float | None) -> str:  # noqa: FBT001 - any literal
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:  # noqa: PLR2004 - still exact
        return str(int(value))
    return str(value)


def _key(node: Node) -> str:
    """A key of an object: bare where it is a name."""
    if isinstance(node, Text):
        name = node.literal
        if name is not None and _IDENTIFIER.fullmatch(name) and name not in _RESERVED:
            return name
        return _quoted(node)
    return f"({_flat(node)})"
