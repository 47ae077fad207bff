"""Strategies of hypothesis for configurations: from any value at all to files that are mostly valid."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import permutations
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import attrs
from hypothesis import strategies as st
from terraform_json import ROOT

from aether_infra.config import (
    AetherConfig,
    AwsConfig,
    AzureConfig,
    CloudSection,
    DigitaloceanConfig,
    GcpConfig,
    OracleConfig,
    Provider,
)
from aether_infra.config.checks import CHECKS
from aether_infra.config.tables import table_class, toml_key

SAMPLE = (ROOT / "tests/config/good/sample.toml").read_text(encoding="utf-8")
WORDS = sorted(
    {word.strip('"[],{}') for word in SAMPLE.split()} | {"10.0.0.0/16", "172.20.0.0/16", "0.0.0.0/0", "a"}
)


def toml(value: Any) -> str:
    """A value as TOML writes it in one line."""
    match value:
        case bool() | str():
            return json.dumps(value)
        case Mapping():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case float() if not math.isfinite(value):
            return {"inf": "inf", "-inf": "-inf"}.get(str(value), "nan")
        case float():
            return repr(value) if "." in repr(value) or "e" in repr(value) else f"{value!r}.0"
        case _:
            return str(value)


def document(tables: Mapping[str, Any]) -> str:
    return "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in tables.items())


texts = st.one_of(
    st.text(max_size=20).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)),
    st.sampled_from(WORDS),
    st.sampled_from(["${env:HOME}", "${env:EMPTY}", "${env:NONE}", "${env:", "${env:1}", "2Gi", "512m", "4"]),
)
scalars = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(0, 12),
    st.floats(),
    st.dates(min_value=date(1000, 1, 1)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


def options(type_: Any) -> tuple[Any, ...]:
    return get_args(type_) if isinstance(type_, UnionType) else (type_,)


def fitting(type_: Any) -> st.SearchStrategy[Any]:
    """Values of about the right type."""
    choices = [option for option in options(type_) if option is not type(None)]
    if get_origin(type_) is Literal:
        return st.sampled_from(get_args(type_))
    if get_origin(type_) is tuple:
        return st.lists(texts, max_size=3)
    if get_origin(type_) is Mapping:
        return st.dictionaries(texts, texts, max_size=3)
    if choices != [type_]:
        return st.one_of([fitting(option) for option in choices])
    simple: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.one_of(st.integers(0, 12), st.sampled_from([256, 512, 1024, 2048, 4096, 8080, 8090, 8190])),
        str: texts,
        Provider: st.sampled_from([provider.value for provider in Provider]),
    }
    return simple.get(type_, values)


def tables(cl: type) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with some of a class's keys, most of them of about the right type."""
    optional: dict[str, st.SearchStrategy[Any]] = {"zzz": values}
    for attribute in attrs.fields(cl):
        if cl is AetherConfig and attribute.name in {"source", "given", "from_env"}:
            continue
        inner = table_class(attribute.type)
        fit = tables(inner) if inner is not None else fitting(attribute.type)
        optional[toml_key(attribute)] = st.one_of(fit, fit, fit, fit, values)
    chosen = st.sets(st.sampled_from(sorted(optional)), max_size=8)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: optional[key] for key in sorted(keys)}))


REQUIRED: dict[type, dict[str, str]] = {
    AwsConfig: {},
    GcpConfig: {"project": "my-project"},
    AzureConfig: {"subscription_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
    DigitaloceanConfig: {},
    OracleConfig: {"compartment_id": "ocid1.tenancy.oc1..a", "tenancy_id": "ocid1.tenancy.oc1..a"},
}


NUMBERS = (*range(13), 20, 50, 100, 256, 512, 1000, 1024, 2048, 4096, 8192, 16384)
LISTS = [[], *([word] for word in WORDS), *(list(pair) for pair in permutations(WORDS, 2))]


@cache
def good(cl: type, key: str) -> st.SearchStrategy[Any]:
    """Values that pass the field's own checks, as far as we have any; now and then one that does not."""
    attribute = attrs.fields_dict(cl)[key]
    checks = attribute.metadata.get(CHECKS, ())
    candidates: list[Any] = []
    for option in options(attribute.type):
        if option is int:
            candidates += [number for number in NUMBERS if passes(number, checks)]
        elif option is str:
            candidates += [word for word in WORDS if passes(word, checks)]
        elif get_origin(option) is tuple:
            candidates += [words for words in LISTS if passes(tuple(words), checks)]
    fit = fitting(attribute.type)
    return st.one_of(*[st.sampled_from(candidates)] * 4, fit) if candidates else fit


def passes(value: object, checks: tuple[Any, ...]) -> bool:
    return not any(fault for one in checks for fault in one(value))


@st.composite
def mostly_good(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly valid files: these reach the rules and the sums."""
    cl: type[CloudSection] = draw(st.sampled_from(sorted(REQUIRED, key=str)))
    fields = attrs.fields_dict(cl)
    keys = sorted(draw(st.sets(st.sampled_from(sorted(fields)), max_size=3)))
    section = {key: draw(good(cl, key)) for key in keys if table_class(fields[key].type) is None}
    return {
        "cluster": draw(st.sampled_from([{}, {"nodes": 3}, {"nodes": 7}])),
        "node": draw(st.sampled_from([{}, {"heap": "1g"}, {"heap": "12g"}])),
        "cloud": {cl.provider.value: {**REQUIRED[cl], **section}},
    }
