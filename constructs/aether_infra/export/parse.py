"""Reads Terraform's expressions: those in strings of Terraform JSON.

Grammar: https://github.com/hashicorp/hcl/blob/v2.23.0/hclsyntax/spec.md (as of 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import define

from aether_infra.errors import AetherInfraError
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
    joined,
    text,
)

_SURROGATES: Final = (0xD800, 0xDC00)
"""First halves of what JSON writes in two, from and up to."""


class SyntaxFault(AetherInfraError):  # noqa: N818 - a fault of an expression
    """An expression that this package cannot read.

    Args:
        source: the text.
        offset: where in it.
        wanted: what should have been there.
    """

    def __init__(self, source: str, offset: int, wanted: str) -> None:
        self.offset = offset
        near = source[offset : offset + 40]
        super().__init__(f"expected {wanted} at {near!r}, in {source[:200]!r}")


PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
"""How tightly each operator binds; the greater, the tighter."""

_SPACE: Final = re.compile(r"(?:\s+|#[^\n]*|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NAME: Final = re.compile(r"[^\W\d][\w-]*")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DIGITS: Final = re.compile(r"\d+")
_OPERATOR: Final = re.compile(r"\|\||&&|==|!=|<=|>=|[<>+*/%-]")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_WORDS: Final = {"true": Literal(True), "false": Literal(False), "null": Literal(None)}  # noqa: FBT003 - its value


def template(source: str) -> Text | Node:
    """Read what a string of Terraform JSON means.

    Args:
        source: the string, unescaped by JSON.

    Returns:
        The text; or the expression, where the string is nothing but one.

    Raises:
        SyntaxFault: it has something that Terraform's templates have and this package does not read.
    """
    if "${" not in source and "%{" not in source:
        return text(source)
    reader = _Reader(source)
    parts = reader.parts(lambda: reader.at_end)
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0]
    return joined(parts)


def expression(source: str) -> Node:
    """Read an expression, such as an address that another resource depends on.

    Args:
        source: the expression.

    Raises:
        SyntaxFault: it is none.
    """
    reader = _Reader(source)
    node = reader.expression()
    reader.skip()
    if not reader.at_end:
        raise reader.fault("the end")
    return node


@define
class _Reader:
    source: str
    offset: int = 0

    @property
    def at_end(self) -> bool:
        return self.offset >= len(self.source)

    def fault(self, wanted: str) -> SyntaxFault:
        return SyntaxFault(self.source, self.offset, wanted)

    def skip(self) -> None:
        found = _SPACE.match(self.source, self.offset)
        if found:
            self.offset = found.end()

    def sees(self, sign: str) -> bool:
        self.skip()
        return self.source.startswith(sign, self.offset)

    def take(self, sign: str) -> bool:
        """Go past a sign, if it comes next."""
        if not self.sees(sign):
            return False
        self.offset += len(sign)
        return True

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise self.fault(sign)

    def word(self) -> str | None:
        self.skip()
        found = _NAME.match(self.source, self.offset)
        if found is None:
            return None
        self.offset = found.end()
        return found[0]

    def need_word(self) -> str:
        word = self.word()
        if word is None:
            raise self.fault("a name")
        return word

    def keyword(self, wanted: str) -> bool:
        """Go past a word, if it comes next."""
        before = self.offset
        if self.word() == wanted:
            return True
        self.offset = before
        return False

    # Texts.

    def parts(self, ended: Callable[[], bool], *, quoted: bool = False) -> list[str | Node]:
        """The parts of a template, up to its end."""
        parts: list[str | Node] = []
        literal = ""
        while not ended():
            if self.at_end:
                raise self.fault("the end of a text")
            head = self.source[self.offset : self.offset + 3]
            if head in {"$${", "%%{"}:
                literal += head[1:]
                self.offset += 3
            elif head.startswith("${"):
                self.offset += 2
                if self.take("~"):
                    raise self.fault("an expression without ~")
                parts += [literal, self.expression()]
                literal = ""
                self.need("}")
            elif head.startswith("%{"):
                raise self.fault("a text without a directive")
            elif quoted and head.startswith("\\"):
                literal += self._escaped()
            else:
                literal += head[0]
                self.offset += 1
        return [part for part in (*parts, literal) if part != ""]

    def _escaped(self) -> str:
        sign = self.source[self.offset + 1 : self.offset + 2]
        if sign in _ESCAPES and sign:
            self.offset += 2
            return _ESCAPES[sign]
        length = {"u": 4, "U": 8}.get(sign, 0)
        digits = self.source[self.offset + 2 : self.offset + 2 + length]
        if not length or not re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", digits):
            raise self.fault("an escape that there is")
        self.offset += 2 + length
        code = int(digits, 16)
        if _SURROGATES[0] <= code < _SURROGATES[1] and self.source[self.offset : self.offset + 2] == "\\u":
            # JSON's way beyond U+FFFF
            low = int(self.source[self.offset + 2 : self.offset + 6], 16)
            self.offset += 6
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        return chr(code)

    def quoted(self) -> Text:
        self.need('"')
        parts = self.parts(lambda: self.source.startswith('"', self.offset), quoted=True)
        self.offset += 1
        return joined(parts)

    # Expressions.

    def expression(self) -> Node:
        test = self._binary(1)
        if not self.take("?"):
            return test
        yes = self.expression()
        self.need(":")
        return Conditional(test, yes, self.expression())

    def _binary(self, least: int) -> Node:
        left = self._unary()
        while True:
            self.skip()
            found = _OPERATOR.match(self.source, self.offset)
            if found is None or PRECEDENCE[found[0]] < least:
                return left
            self.offset = found.end()
            left = Binary(found[0], left, self._binary(PRECEDENCE[found[0]] + 1))

    def _unary(self) -> Node:
        if self.sees("!") and not self.sees("!="):
            self.offset += 1
            return Unary("!", self._unary())
        if self.take("-"):
            operand = self._unary()
            if isinstance(operand, Literal) and isinstance(operand.value, int | float):
                return Literal(-operand.value)
            return Unary("-", operand)
        return self._steps(self._term())

    def _steps(self, node: Node) -> Node:
        """What follows a term: attributes, indexes, splats."""
        while True:
            if self.sees(".") and not self.sees("..."):
                self.offset += 1
                node = self._dotted(node)
            elif self.sees("[*]"):
                self.offset += 3
                node = Splat(node)
            elif self.take("["):
                node = Index(node, self.expression())
                self.need("]")
            else:
                return node

    def _dotted(self, node: Node) -> Node:
        if self.take("*"):
            return Splat(node, brackets=False)
        found = _DIGITS.match(self.source, self.offset)
        if found:
            self.offset = found.end()
            return Attribute(node, found[0])
        return Attribute(node, self.need_word())

    def _term(self) -> Node:  # noqa: PLR0911 - one case a kind
        self.skip()
        found = _NUMBER.match(self.source, self.offset)
        if found:
            self.offset = found.end()
            return Literal(int(found[0]) if found[0].isdigit() else float(found[0]))
        if self.sees('"'):
            return self.quoted()
        if self.take("("):
            inner = self.expression()
            self.need(")")
            return Group(inner)
        if self.take("["):
            return self._for(mapping=False) if self.keyword("for") else self._items()
        if self.take("{"):
            return self._for(mapping=True) if self.keyword("for") else self._object()
        word = self.need_word()
        if self.source.startswith("(", self.offset):
            return self._call(word)
        return _WORDS.get(word, Name(word))

    def _call(self, name: str) -> Node:
        self.need("(")
        args: list[Node] = []
        spread = False
        while not self.take(")"):
            args.append(self.expression())
            spread = self.take("...")
            if not self.take(",") and not self.sees(")"):
                raise self.fault(", or )")
        return Call(name, tuple(args), spread)

    def _items(self) -> Node:
        items: list[Node] = []
        while not self.take("]"):
            items.append(self.expression())
            if not self.take(",") and not self.sees("]"):
                raise self.fault(", or ]")
        return Items(tuple(items))

    def _object(self) -> Node:
        items: list[tuple[Node, Node]] = []
        while not self.take("}"):
            key = self.expression()
            if isinstance(key, Name):
                key = text(key.name)
            if not self.take("=") and not self.take(":"):
                raise self.fault("= or :")
            items.append((key, self.expression()))
            self.take(",")
        return Object(tuple(items))

    def _for(self, *, mapping: bool) -> Node:
        names = [self.need_word()]
        while self.take(","):
            names.append(self.need_word())
        if not self.keyword("in"):
            raise self.fault("in")
        of = self.expression()
        self.need(":")
        value = self.expression()
        key = None
        if mapping:
            self.need("=>")
            key, value = value, self.expression()
        grouped = self.take("...")
        test = self.expression() if self.keyword("if") else None
        self.need("}" if mapping else "]")
        return For(tuple(names), of, value, key, test, grouped)
