"""The JSON Schema of `aether.toml`, for editors: what the loader takes, as far as a schema can say it.

It says types, choices, forms and bounds of single values, which keys there are and which must be. It does not say the
rules between keys (`rules.py`), nor what needs a computation: bits to the right of a prefix, the bytes of an SSH key,
texts that are secrets. What the loader takes, the schema takes.

TOML's `3.0` is a whole number to JSON Schema and none to the loader.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aether_infra.catalog.terraform import BACKENDS
from aether_infra.config.aws_forms import ARN_FORMS, PARTITION, Arn, ResourceId
from aether_infra.config.azure import SshPublicKey
from aether_infra.config.checks import Between, Check, Distinct, Each, Length, Matches, Network, OneOf, Zones
from aether_infra.config.environment import NAME
from aether_infra.config.node import CORE_SIZES, CoreCount
from aether_infra.config.provider import Provider
from aether_infra.config.quantities import AtLeast
from aether_infra.config.reference import ONLY_FOR, Key, Kind, Table, plain, reference
from aether_infra.config.words import listing, quote

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FILE_NAME: Final = "aether.schema.json"
"""What the schema's file is called beside an `aether.toml`."""

Schema = dict[str, Any]

_REFERENCE: Final = rf"\$\{{env:{NAME.pattern}\}}"
_BYTE: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

DEFINITIONS: Final[Mapping[str, Schema]] = {
    "text": {
        "$comment": "no control characters, and no malformed reference to the environment",
        "type": "string",
        "not": {"pattern": rf"[\u0000-\u001f\u007f]|\$\{{env:(?!{NAME.pattern}\}})"},
    },
    "reference": {
        "description": "Text with ${env:NAME} in it, which is replaced from the environment.",
        "type": "string",
        "pattern": _REFERENCE,
    },
    "setting": {
        "description": "A setting of Terraform's state backend, handed to it as it is.",
        "anyOf": [
            {"type": "string", "not": {"pattern": rf"\$\{{env:(?!{NAME.pattern}\}})"}},
            {"type": ["integer", "boolean"]},
            {"type": "array", "items": {"$ref": "#/$defs/setting"}},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/setting"}},
        ],
    },
}
"""What several keys share."""


def json_schema() -> Schema:
    """The schema, as a JSON document."""
    return {
        "$schema": DIALECT,
        "title": "aether.toml",
        "description": "An Aether cluster: what the nodes read of it, and in [cloud] the infrastructure it runs on.",
        **_table(reference()),
        "$defs": dict(DEFINITIONS),
    }


def _table(table: Table) -> Schema:
    """The schema of a table."""
    properties = {key.name: _key(key) for key in table.keys}
    properties |= {inner.path[-1]: _described_table(inner) for inner in table.tables}
    required = [key.name for key in table.keys if key.required]
    schema: Schema = {"type": "object", "properties": properties}
    if not table.path:
        required = ["cloud"]
    if required:
        schema["required"] = required
    if table.free:
        schema["additionalProperties"] = {"$ref": "#/$defs/setting"}
    elif not table.open:
        schema["additionalProperties"] = False
    match table.path:
        case ("cloud",):
            schema["allOf"] = list(_clouds())
        case ("cloud", "state"):
            schema["allOf"] = [_backend(name) for name in BACKENDS if BACKENDS[name].settings]
        case ("cloud", _) if table.provider in ONLY_FOR:
            schema["allOf"] = list(_computes(table))
    return schema


def _described_table(table: Table) -> Schema:
    text = f"{table.text}{_only_for(table.only_for)}"
    return {"title": f"[{table.dotted}]", "description": text, **_table(table)}


def _clouds() -> Iterable[Schema]:
    """The active cloud has a table; one table needs no word which of them is the active one."""
    names = [provider.value for provider in Provider]
    tables = [{"required": [name]} for name in names]
    yield {"anyOf": [{"required": ["provider"]}, {"oneOf": tables}]}
    for name in names:
        active = {"properties": {"provider": {"const": name}}, "required": ["provider"]}
        there = [{"required": [each]} for each in dict.fromkeys((name, Provider.KUBERNETES.value))]
        yield {"if": active, "then": {"anyOf": there}}


def _computes(table: Table) -> Iterable[Schema]:
    """On each kind of compute, no key of another."""
    (compute,) = (key for key in table.keys if key.name == "compute")
    bound = {key.name: key.only_for for key in table.keys}
    bound |= {inner.path[-1]: inner.only_for for inner in table.tables}
    for kind in compute.choices:
        others = sorted(name for name, kinds in bound.items() if kinds and kind not in kinds)
        if others:
            chosen = _chosen("compute", kind, compute.default)
            yield {"if": chosen, "then": {"properties": dict.fromkeys(others, False)}}


def _chosen(name: str, value: str, default: str) -> Schema:
    """The condition that a key has a value, said or by default."""
    condition: Schema = {"properties": {name: {"const": value}}}
    return condition if value == default else condition | {"required": [name]}


def _backend(name: str) -> Schema:
    """What a state backend cannot do without, and what it has."""
    known = BACKENDS[name]
    (backend,) = reference().table("cloud").table("state").keys
    then: Schema = {
        "properties": {setting: {"$ref": "#/$defs/setting"} for setting in sorted(known.settings)}
    }
    if known.required:
        then["required"] = list(known.required)
    return {"if": _chosen("backend", name, backend.default), "then": then}


def _key(key: Key) -> Schema:
    """The schema of a key."""
    schema: Schema = {"description": f"{plain(key.text)}{_only_for(key.only_for)}"}
    if key.default is not None:
        schema["default"] = key.default
    if key.example is not None:
        schema["examples"] = [key.example]
    return schema | _value(key)


def _only_for(kinds: tuple[str, ...]) -> str:
    return f" Only for compute = {listing(quote(kind) for kind in kinds)}." if kinds else ""


def _value(key: Key) -> Schema:
    match key.kind:
        case Kind.SWITCH:
            return {"type": "boolean"}
        case Kind.NUMBER:
            return {"type": "integer", **_merged(key.checks)}
        case Kind.TEXT:
            return _text([{"enum": list(key.choices)}] if key.choices else _forms(key.checks))
        case Kind.TEXTS:
            return _texts(key.checks)
        case Kind.TEXT_TABLE:
            return {"type": "object", "additionalProperties": {"$ref": "#/$defs/text"}}
        case Kind.NUMBER_OR_TEXTS:
            (zones,) = key.checks
            assert isinstance(zones, Zones)  # noqa: S101 - nothing else has such a type
            count = {"type": "integer", "minimum": zones.least, "maximum": zones.most}
            length = {"minItems": zones.least, "maxItems": zones.most}
            form = Each(Matches(zones.pattern, zones.form))
            return {"anyOf": [count, _texts((form, Distinct())) | length]}


def _text(forms: list[Schema]) -> Schema:
    """A text that has one of several forms, or refers to the environment."""
    schema: Schema = {"type": "string", "allOf": [{"$ref": "#/$defs/text"}]}
    if forms:
        schema["anyOf"] = [*forms, {"$ref": "#/$defs/reference"}]
    return schema


def _texts(checks: Iterable[Check]) -> Schema:
    schema: Schema = {"type": "array"}
    each: list[Check] = []
    for one in checks:
        match one:
            case Each(inner):
                each.append(inner)
            case Distinct():
                schema["uniqueItems"] = True
            case Length(low, high):
                schema |= {"minItems": low, "maxItems": high}
    return schema | {"items": _text(_forms(each))}


def _forms(checks: Iterable[Check]) -> list[Schema]:
    """Forms of which a text must have one: known values, for editors to offer, and what the checks say."""
    checks = tuple(checks)
    known = [value for one in checks if isinstance(one, Matches) for value in one.known]
    form = _merged(checks)
    return ([{"enum": known}] if known else []) + ([form] if form else [])


def _merged(checks: Iterable[Check]) -> Schema:
    """One schema of several checks."""
    schemas = [schema for one in checks if (schema := constraint(one))]
    keywords = [keyword for schema in schemas for keyword in schema]
    if len(set(keywords)) < len(keywords):
        return {"allOf": schemas}
    return {keyword: value for schema in schemas for keyword, value in schema.items()}


def constraint(check: Check) -> Schema:  # noqa: PLR0911 - one answer a kind of check
    """What a check of a single value means in JSON Schema.

    Args:
        check: the check.

    Returns:
        Keywords; none for what no schema can say.

    Raises:
        TypeError: a kind of check that is not known here.
    """
    match check:
        case Between(low, high):
            return {"minimum": low, "maximum": high}
        case OneOf(values):
            return {"enum": list(values)}
        case CoreCount():
            return {"enum": list(CORE_SIZES)}
        case Length(low, high):
            return {"minLength": low, "maxLength": high}
        case Matches(pattern) | AtLeast(pattern):
            return {"pattern": _whole(pattern)}
        case Network(widest, narrowest):
            lengths = "|".join(str(length) for length in range(widest, narrowest + 1))
            ipv4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}/(?:{lengths})"
            return {"pattern": _whole(rf"{ipv4}|[0-9a-f:.]+/\d{{1,3}}" if check.ipv6 else ipv4)}
        case Arn(service):
            return {"pattern": _whole(_arn(service))}
        case ResourceId(prefix):
            return {"pattern": _whole(rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})")}
        case SshPublicKey():
            return {}
        case _:
            raise TypeError(f"no JSON Schema is known for the check {check!r}")


def _arn(service: str) -> str:
    form = ARN_FORMS[service]
    region = "[^:]+" if form.regional else ""
    account = r"\d{12}|aws" if service == "iam" else r"\d{12}"
    return rf"arn:{PARTITION}:{re.escape(form.service)}:{region}:(?:{account}):(?:{form.resource})"


def _whole(pattern: str) -> str:
    """A pattern of JSON Schema, which looks anywhere in a text, for one that has to match all of it."""
    return f"^(?:{pattern})$"
