"""Reads Terraform JSON: what a document declares, with every value as an expression."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from aether_infra.core.encoding import jsonencode
from aether_infra.export.parse import expression, template
from aether_infra.export.syntax import (
    GIVE_TEXT,
    Call,
    For,
    Items,
    Literal,
    Node,
    Object,
    Text,
    joined,
    rebuilt,
    text,
)

_JSON: Final = re.compile(r"(?P<head>#[\w-]+\n)?(?P<json>[{\[].*[}\]])(?P<tail>\n?)", re.DOTALL)
"""A text that is JSON, below a line such as `#cloud-config`."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_LEAST_BASE64: Final = 60
"""Shorter texts are names and digests."""
_PLACE: Final = re.compile("\ue000(\\d+)\ue001")
"""What stands for an expression while the text around it is read; of Unicode's private signs."""


@frozen(kw_only=True)
class Element:
    """What a document declares: a resource, a data source, an output, a provider or a local value."""

    section: str
    """`resource`, `data`, `output`, `provider` or `locals`."""
    type: str
    """Terraform's type; empty for an output and a local value."""
    name: str
    """Its name; a provider's number among those of its type."""
    path: tuple[str, ...]
    """Path of the construct below the stack; empty where nothing is known of it."""
    body: Object
    """Its arguments; those of a local value have one, `value`."""

    @property
    def address(self) -> str:
        """What other elements call it."""
        return ".".join(
            part for part in ("data" if self.section == "data" else "", self.type, self.name) if part
        )

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others of a document."""
        return self.section, self.type, self.name


def elements(document: Mapping[str, Any]) -> dict[tuple[str, str, str], Element]:
    """All that a document declares, in its order.

    Args:
        document: Terraform JSON, as cdktf writes it.
    """
    found: list[Element] = []
    for section in ("resource", "data"):
        for type_, named in document.get(section, {}).items():
            found += [_element(section, type_, name, body) for name, body in named.items()]
    for type_, bodies in document.get("provider", {}).items():
        listed = bodies if isinstance(bodies, list) else [bodies]
        found += [_element("provider", type_, str(number), body) for number, body in enumerate(listed)]
    found += [_element("output", "", name, body) for name, body in document.get("output", {}).items()]
    found += [
        _element("locals", "", name, {"value": value}) for name, value in document.get("locals", {}).items()
    ]
    return {element.key: element for element in found}


def value(given: Any) -> Node:
    """A value of Terraform JSON as an expression.

    JSON that was written into a text is unfolded into a call of `jsonencode`, which makes the same text of it.

    Args:
        given: text, number, truth value, None, or mappings and lists of these.
    """
    match given:
        case str():
            return _unfolded(template(given))
        case Mapping():
            items = ((template(str(key)), value(item)) for key, item in given.items())
            return Object(tuple(items))
        case list() | tuple():
            return Items(tuple(value(item) for item in given))
        case None | bool() | int() | float():
            return Literal(given)
        case _:
            raise TypeError(f"no value of Terraform JSON: {given!r}")


def _element(section: str, type_: str, name: str, body: Mapping[str, Any]) -> Element:
    path = str(body.get("//", {}).get("metadata", {}).get("path", ""))
    return Element(
        section=section,
        type=type_,
        name=name,
        path=tuple(path.split("/")[1:]),
        body=Object(
            tuple(
                (text(argument), _argument(section, argument, given))
                for argument, given in body.items()
                if argument != "//"
            )
        ),
    )


def _argument(section: str, name: str, given: Any) -> Node:
    """An argument; those that are Terraform's own hold addresses, not texts."""
    declared = section in {"resource", "data"}
    if name == "depends_on":
        return Items(tuple(expression(one) for one in given))
    if name == "provider" and declared and isinstance(given, str):
        return expression(given)
    if name == "lifecycle" and section == "resource" and isinstance(given, Mapping):
        return Object(tuple((text(key), _lifecycle(key, item)) for key, item in given.items()))
    return value(given)


def _lifecycle(name: str, given: Any) -> Node:
    if name in {"ignore_changes", "replace_triggered_by"} and not isinstance(given, str):
        return Items(tuple(expression(one) for one in given))
    return expression(given) if name == "ignore_changes" else value(given)


# JSON in texts.


def _unfolded(node: Node) -> Node:
    """The same expression, with JSON in texts as what it means."""
    match node:
        case Text(parts):
            own = Text(tuple(part if isinstance(part, str) else _unfolded(part) for part in parts))
            return _from_json(own) or _from_base64(own) or own
        case Object(items):
            return Object(tuple((key, _unfolded(item)) for key, item in items))
        case For():
            return node
        case _:
            return rebuilt(node, _unfolded)


def _from_json(node: Text) -> Node | None:
    """The JSON that a text is, as a call that makes the same text; None if it is none, or written otherwise."""
    expressions: list[Node] = []
    whole = ""
    for part in node.parts:
        if isinstance(part, str):
            whole += part
        else:
            whole += f"\ue000{len(expressions)}\ue001"
            expressions.append(part)
    found = _JSON.fullmatch(whole)
    if found is None:
        return None
    try:
        meant = json.loads(found["json"])
    except json.JSONDecodeError:
        return None
    if not meant or jsonencode(meant) != found["json"]:
        return None
    call = Call("jsonencode", (_restored(meant, expressions),))
    if not found["head"]:
        return joined([call, found["tail"]]) if found["tail"] else call
    lines: list[Node] = [text(found["head"].removesuffix("\n")), call, *([text("")] if found["tail"] else [])]
    return Call("join", (text("\n"), Items(tuple(lines))))


def _from_base64(node: Text) -> Node | None:
    """The text that base64 is of, as a call that makes the same base64 of it; None if it is none."""
    coded = node.literal
    if coded is None or len(coded) < _LEAST_BASE64 or _BASE64.fullmatch(coded) is None:
        return None
    try:
        decoded = base64.b64decode(coded, validate=True).decode("utf-8")
    except ValueError:
        return None
    if "\n" not in decoded or base64.b64encode(decoded.encode()).decode() != coded:
        return None
    return Call("base64encode", (_unfolded(text(decoded)),))


def _restored(meant: Any, expressions: Sequence[Node]) -> Node:
    """A value of JSON, with the expressions back in its texts."""
    match meant:
        case str():
            parts = _PLACE.split(meant)
            pieces = [
                part if number % 2 == 0 else expressions[int(part)] for number, part in enumerate(parts)
            ]
            whole = joined(pieces)
            return _from_json(whole) or _unwrapped(whole)
        case dict():
            return Object(
                tuple(
                    (_restored(key, expressions), _restored(item, expressions)) for key, item in meant.items()
                )
            )
        case list():
            return Items(tuple(_restored(item, expressions) for item in meant))
        case _:
            return Literal(meant)


def _unwrapped(node: Text) -> Node:
    """A text that is nothing but the result of a function that gives a text, without the quotes."""
    only = node.parts[0] if len(node.parts) == 1 else None
    return only if isinstance(only, Call) and only.name in GIVE_TEXT else node
