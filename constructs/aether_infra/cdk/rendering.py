"""Writes the arguments of generated classes as what cdktf merges into its output, JSON or HCL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cdktf

from aether_infra.cdk.arguments import (
    BOOL,
    NUMBER,
    STRING,
    Argument,
    Block,
    Collection,
    Kind,
    Struct,
    is_token,
)

Schema = Mapping[str, Argument]


class Json:
    """Terraform JSON.

    Args:
        wrap: applied to each map. cdktf turns the keys of what it gets from a provider into snake_case, those of
            maps as well (`AWS_PROFILE` of an environment): inside of a token they are left alone.
    """

    def __init__(self, wrap: Callable[[dict[str, Any]], Any] = dict) -> None:
        self._wrap = wrap

    def body(self, schema: Schema, given: Mapping[str, Any], *, complete: bool = False) -> dict[str, Any]:
        """The content of a block.

        Args:
            schema: what there is, by the names in Python.
            given: the values, checked.
            complete: name what is not given as well.
        """
        body: dict[str, Any] = {}
        dynamic: dict[str, Any] = {}
        for name, argument in schema.items():
            value = given.get(name)
            if value is None:
                if complete:
                    body[argument.name] = self._null()
            elif argument.is_block and is_token(value):
                dynamic[argument.name] = self._dynamic(argument, cdktf.Fn.flatten([value]))
            else:
                body.update(self._entry(argument, value))
        return body | self._dynamics(dynamic)

    def _null(self) -> Any:
        return cdktf.Token.null_value()  # None would be left out on the way

    def _entry(self, argument: Argument, value: Any) -> dict[str, Any]:
        return {argument.name: self.value(argument.kind, value)}

    def _dynamics(self, dynamic: dict[str, Any]) -> dict[str, Any]:
        return {"dynamic": dynamic} if dynamic else {}

    def value(self, kind: Kind, value: Any) -> Any:
        """A value as JSON; tokens as they are."""
        if isinstance(value, Block):
            complete = isinstance(kind, Struct) and kind.complete
            return self.body(value.SCHEMA.tf_schema(), value.tf_given(), complete=complete)
        if isinstance(value, str) or is_token(value):
            return value
        inner = kind.item if isinstance(kind, Collection) else kind
        if isinstance(value, Mapping):
            written = {key: self.value(inner, item) for key, item in value.items()}
            return written if isinstance(inner, Struct) else self._wrap(written)
        if isinstance(value, Sequence):
            return [self.value(inner, item) for item in value]
        return value

    def _dynamic(self, argument: Argument, items: Any) -> dict[str, Any]:
        """Blocks whose number only Terraform knows: one for each item, with the arguments that it has."""
        struct = argument.kind.item if isinstance(argument.kind, Collection) else argument.kind
        assert isinstance(struct, Struct)  # noqa: S101  no other kind has blocks
        content: dict[str, Any] = {}
        dynamic: dict[str, Any] = {}
        for inner in struct.schema.tf_schema().values():
            if not inner.can_be_given:
                continue
            value = f"{argument.name}.value.{inner.name}"
            if inner.is_block:
                found = f"flatten([try({value}, [])])"
                dynamic[inner.name] = self._dynamic(
                    inner, f"${{[for item in {found} : item if item != null]}}"
                )
            else:
                content |= self._entry(inner, f"${{try({value}, null)}}")
        return {"for_each": items, "content": content | self._dynamics(dynamic)}


class _HclValue(Json):
    """A value in HCL."""

    def _null(self) -> Any:
        return "${null}"  # cdktf's HCL writer fails at null


class Hcl(Json):
    """What cdktf's HCL writer wants: each value with what it is."""

    def _entry(self, argument: Argument, value: Any) -> dict[str, Any]:
        if not argument.is_block:
            plain = _HclValue(self._wrap).value(argument.kind, value)
            return {argument.name: {"value": plain, "isBlock": False, **_storage(argument.kind)}}
        block = {"isBlock": True, "type": "struct", "storageClassType": "object"}
        if isinstance(value, Block):
            return {argument.name: block | {"value": self.value(argument.kind, value)}}
        if isinstance(value, Mapping):
            labelled = {f'{argument.name} "{label}"': item for label, item in value.items()}
            return {
                name: block | {"value": self.value(argument.kind, item)} for name, item in labelled.items()
            }
        return {argument.name: block | {"value": self.value(argument.kind, value), "type": "list"}}

    def _dynamics(self, dynamic: dict[str, Any]) -> dict[str, Any]:
        return {name: {"dynamic": {"value": value}, "isBlock": True} for name, value in dynamic.items()}


def _storage(kind: Kind) -> dict[str, str]:
    """How cdktf names a type."""
    names = {STRING: "string", NUMBER: "number", BOOL: "boolean"}
    if kind in names:
        return {"type": "simple", "storageClassType": names[kind]}
    if isinstance(kind, Collection) and kind.item in names:
        mode = "Map" if kind.mode == "map" else "List"
        return {"type": kind.mode, "storageClassType": names[kind.item] + mode}
    return {"type": "any", "storageClassType": "any"}
