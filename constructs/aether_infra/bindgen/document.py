"""Reads the document that `terraform providers schema -json` prints.

Source: https://developer.hashicorp.com/terraform/cli/commands/providers/schema#json-output, read 2026-11-23.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from attrs import frozen

from aether_infra.errors import AetherInfraError

REGISTRIES = ("registry.terraform.io/", "registry.opentofu.org/")
"""Where Terraform and OpenTofu find providers whose source names no host."""


class SchemaError(AetherInfraError):
    """A document that is no provider schema, or does not hold what is asked for."""


@frozen
class Collection:
    """A list, set or map."""

    mode: str
    """`list`, `set` or `map`."""
    item: Type
    """What it holds."""


@frozen
class Structure:
    """An object with named fields."""

    fields: tuple[Field, ...]
    """Sorted by name."""
    complete: bool = False
    """Whether a value must have every field, `null` where there is none: so are plain object types."""
    description: str = ""
    """The provider's words on it."""

    @property
    def can_be_given(self) -> bool:
        """Whether any of it is an argument."""
        return any(field.can_be_given for field in self.fields)


Type = str | Collection | Structure
"""`string`, `number`, `bool` and `dynamic` are themselves."""


@frozen(kw_only=True)
class Field:
    """An attribute, or nested blocks of one type."""

    name: str
    type: Type
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    deprecated: bool = False
    write_only: bool = False
    block: bool = False
    """Terraform writes it as blocks."""
    single: bool = False
    """A list or set that holds at most one block."""
    min_items: int = 0
    max_items: int | None = None
    description: str = ""

    @property
    def can_be_given(self) -> bool:
        """Whether it is an argument."""
        return self.required or self.optional


@frozen(kw_only=True)
class Entity:
    """A resource, a data source, or the provider's own configuration."""

    kind: str
    """`resource`, `data` or `provider`."""
    type: str
    """Terraform's name of the type."""
    structure: Structure
    deprecated: bool = False


@frozen(kw_only=True)
class Provider:
    """One provider of a document."""

    source: str
    """Its address, without the host of the public registry, such as `oracle/oci`."""
    entities: tuple[Entity, ...]
    """Its configuration, its resources, its data sources, each sorted by type."""
    ignored: Mapping[str, int]
    """What else the document has of it, and how many: it has no place in CDKTF."""

    @property
    def name(self) -> str:
        """Its local name, such as `oci`."""
        return self.source.rpartition("/")[2]


def read(text: str, source: str | None = None, *more: str) -> Provider:
    """Read one provider of a document.

    Args:
        text: the JSON.
        source: its address; may be left out where the document has only one.
        more: further documents, which add to the first.

    Raises:
        SchemaError: one is no such document, or they do not have that provider.
    """
    schemas: dict[str, Any] = {}
    for each in (text, *more):
        schemas = merged(schemas, _providers(each))
    address = _choose(schemas, source)
    schema = schemas[address]
    plural = {"resource": "resource_schemas", "data": "data_source_schemas"}
    try:
        entities = [_entity("provider", address.rpartition("/")[2], schema.get("provider") or {})]
        for kind, key in plural.items():
            entities += [_entity(kind, name, one) for name, one in sorted((schema.get(key) or {}).items())]
    except (AttributeError, KeyError, TypeError) as error:
        raise SchemaError(f"the schema of {address} is not of the known form: {error!r}") from error
    known = {"provider", *plural.values()}
    ignored = {key: len(value) for key, value in sorted(schema.items()) if key not in known and value}
    return Provider(source=_short(address), entities=tuple(entities), ignored=ignored)


def _providers(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text)["provider_schemas"])
    except (ValueError, KeyError, TypeError) as error:
        raise SchemaError(
            "not a provider schema document: `terraform providers schema -json` prints one"
        ) from error


def merged(one: Any, other: Any) -> Any:
    """Two documents as one: what both have is merged, and the second counts where that is impossible."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            **one,
            **{key: merged(one[key], value) if key in one else value for key, value in other.items()},
        }
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [merged(*pair) for pair in zip(one, other, strict=True)]
    return other


def _short(address: str) -> str:
    """An address without the host of a public registry."""
    for registry in REGISTRIES:
        address = address.removeprefix(registry)
    return address


def _choose(schemas: Mapping[str, object], source: str | None) -> str:
    known = {_short(address): address for address in sorted(schemas)}
    if source is None:
        if len(known) != 1:
            raise SchemaError(f"name one of the document's providers: {', '.join(known) or 'it has none'}")
        return next(iter(known.values()))
    wanted = _short(source.lower())
    if wanted not in known:
        raise SchemaError(f"the document has no provider {source}, but {', '.join(known) or 'none'}")
    return known[wanted]


def choose(provider: Provider, patterns: Sequence[str]) -> tuple[Entity, ...]:
    """Choose resources and data sources by their types; the provider's configuration always belongs to it.

    Args:
        provider: what there is.
        patterns: types, with `*` for any text: `aws_vpc` is the resource, or the data source where there is no such
            resource; `data.aws_vpc` is the data source. None at all choose everything.

    Raises:
        SchemaError: a pattern matches nothing.
    """
    if not patterns:
        return provider.entities
    names = {
        f"{'data.' if entity.kind == 'data' else ''}{entity.type}": entity
        for entity in provider.entities
        if entity.kind != "provider"
    }
    chosen: set[str] = set()
    problems = []
    for pattern in patterns:
        found = _matching(pattern, names) or _matching(f"data.{pattern}", names)
        chosen |= found
        if not found:
            near = get_close_matches(pattern, names, n=1)
            problems.append(
                f"{provider.source} has no {pattern}{f' (did you mean {near[0]}?)' if near else ''}"
            )
    if problems:
        raise SchemaError("\n".join(problems))
    wanted = [names[name] for name in names if name in chosen]
    return tuple(entity for entity in provider.entities if entity.kind == "provider" or entity in wanted)


def _matching(pattern: str, names: Mapping[str, Entity]) -> set[str]:
    if "*" not in pattern:
        return {pattern} & names.keys()
    head, *rest = pattern.split("*")
    return {name for name in names if name.startswith(head) and _has(name[len(head) :], rest)}


def _has(text: str, parts: Sequence[str]) -> bool:
    """Whether a text has parts in order, the last one at its end."""
    *middle, last = parts
    for part in middle:
        _, found, text = text.partition(part)
        if part and not found:
            return False
    return text.endswith(last)


def _entity(kind: str, type_: str, schema: Mapping[str, Any]) -> Entity:
    block = schema.get("block") or {}
    return Entity(
        kind=kind, type=type_, structure=_structure(block), deprecated=bool(block.get("deprecated"))
    )


def _structure(block: Mapping[str, Any]) -> Structure:
    attributes = [_attribute(name, one) for name, one in (block.get("attributes") or {}).items()]
    blocks = [_block(name, one) for name, one in (block.get("block_types") or {}).items()]
    return Structure(_sorted([*attributes, *blocks]), description=str(block.get("description") or ""))


def _sorted(fields: Sequence[Field]) -> tuple[Field, ...]:
    return tuple(sorted(fields, key=lambda field: field.name))


def _attribute(name: str, schema: Mapping[str, Any]) -> Field:
    given = bool(schema.get("required") or schema.get("optional"))
    nested = schema.get("nested_type")
    return Field(
        name=name,
        type=_nested(nested) if nested else _type(schema.get("type", "dynamic"), given=given),
        required=bool(schema.get("required")),
        optional=bool(schema.get("optional")),
        computed=bool(schema.get("computed")),
        sensitive=bool(schema.get("sensitive")),
        deprecated=bool(schema.get("deprecated")),
        write_only=bool(schema.get("write_only")),
        description=str(schema.get("description") or ""),
    )


def _nested(schema: Mapping[str, Any]) -> Type:
    structure = _structure({"attributes": schema.get("attributes")})
    mode = schema["nesting_mode"]
    return structure if mode in {"single", "group"} else Collection(mode, structure)


def _block(name: str, schema: Mapping[str, Any]) -> Field:
    structure = _structure(schema.get("block") or {})
    mode = schema["nesting_mode"]
    least, most = schema.get("min_items") or 0, schema.get("max_items") or None
    plain = mode in {"single", "group"}
    given = structure.can_be_given or not structure.fields
    return Field(
        name=name,
        type=structure if plain else Collection(mode, structure),
        required=given and least > 0,
        optional=given and least == 0,
        computed=not given,
        deprecated=bool((schema.get("block") or {}).get("deprecated")),
        block=True,
        single=mode in {"list", "set"} and most == 1,
        min_items=least,
        max_items=most,
        description=structure.description,
    )


def _type(constraint: Any, *, given: bool) -> Type:
    """A type constraint in JSON, such as `["list", "string"]`."""
    match constraint:
        case "string" | "number" | "bool" | "dynamic":
            return str(constraint)
        case ["list" | "set" | "map" as mode, item]:
            return Collection(mode, _type(item, given=given))
        case ["object", dict() as attributes, *_]:
            fields = [
                Field(name=name, type=_type(one, given=given), optional=given, computed=not given)
                for name, one in attributes.items()
            ]
            return Structure(_sorted(fields), complete=True)
        case _:
            return "dynamic"  # a tuple, or what later versions may bring
