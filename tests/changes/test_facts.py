"""The table of facts: complete for what the stacks have, and true as far as a schema can tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from terraform_json import CONFIGS, ROOT, case, every

from aether_infra.catalog.replacement import CONDITIONS, PROVIDERS, TypeFacts, facts_of
from aether_infra.changes.words import noun

TABLES = {
    name: json.loads(files("aether_infra.catalog").joinpath(f"replacement_{name}.json").read_text("utf-8"))
    for name in PROVIDERS
}
TYPES = sorted((name, type_) for name, table in TABLES.items() for type_ in table["resources"])


@pytest.mark.parametrize("config", CONFIGS, ids=case)
def test_every_type_of_a_stack_has_facts_and_a_word(config: Any, documents: Any) -> None:
    types = {
        type_
        for document in documents(config.read_text(encoding="utf-8")).values()
        for type_, _, _ in every(document)
    }
    unknown = {type_ for type_ in types if facts_of(type_) is None}
    assert unknown == set(), "ask their providers: tools/replacement_facts.py --type"
    assert all(noun(type_) and "_" not in noun(type_) for type_ in types)


def test_facts_are_of_the_versions_that_the_stacks_want(documents: Any) -> None:
    wanted = {}
    for config in CONFIGS:
        for document in documents(config.read_text(encoding="utf-8")).values():
            for name, provider in document["terraform"]["required_providers"].items():
                wanted[name] = provider["version"]
    assert {name: table["version"] for name, table in TABLES.items()} == wanted


@pytest.mark.parametrize(("provider", "type_"), TYPES)
def test_a_types_facts_are_well_formed(provider: str, type_: str) -> None:
    table = TABLES[provider]["resources"][type_]
    assert type_.startswith(f"{provider}_")
    assert set(table) <= {field.name for field in TypeFacts.__attrs_attrs__}
    assert all(value for value in table.values())
    facts = facts_of(type_)
    assert facts is not None
    assert not facts.replace & facts.when.keys()
    for condition in (*facts.when.values(), *facts.refuse.values()):
        assert condition in CONDITIONS or condition.startswith("unless ")


def arguments(block: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every argument and block of a schema, by its path."""
    for name in block.get("attributes", {}):
        yield f"{path}{name}"
    for name, nested in block.get("block_types", {}).items():
        yield f"{path}{name}"
        yield from arguments(nested["block"], f"{path}{name}.")


def test_arguments_of_oracle_are_in_its_schema() -> None:
    document = json.loads((ROOT / "tools/schemas/oci-8.28.0.json").read_text(encoding="utf-8"))
    additions = json.loads((ROOT / "tools/schemas/oci-8.28.0.additions.json").read_text(encoding="utf-8"))
    (schemas,) = (each["resource_schemas"] for each in document["provider_schemas"].values())
    added = json.dumps(additions)
    unknown = {}
    for type_ in TABLES["oci"]["resources"]:
        facts = facts_of(type_)
        assert facts is not None
        known = set(arguments(schemas[type_]["block"]))
        named = {path.rstrip("#") for path in (*facts.replace, *facts.when, *facts.keeps, *facts.default)}
        missing = {
            path
            for path in named - known
            if path.rpartition(".")[0] not in known and f'"{path.rpartition(".")[2]}"' not in added
        }
        if missing:
            unknown[type_] = missing
    assert unknown == {}
