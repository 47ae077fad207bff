"""Reading synthesized Terraform JSON in tests."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "apps/examples").glob("*.toml"))
CONFIGS = sorted([*EXAMPLES, *(ROOT / "tests/configs").glob("*.toml")])

Document = dict[str, Any]
JSONENCODE = "${/*}*/jsonencode("
"""How JSON with tokens begins; see `aether_infra.cdk.text`."""


def configs(cloud: str) -> list[Path]:
    """The configurations that have a table of a cloud."""
    return [path for path in CONFIGS if cloud in tomllib.loads(path.read_text(encoding="utf-8"))["cloud"]]


def case(path: Path) -> str:
    """Name of a configuration's test case."""
    return path.stem


def resources(document: Document, kind: str) -> dict[str, Any]:
    """All resources of one type, by name."""
    found: dict[str, Any] = document.get("resource", {}).get(kind, {})
    return found


def without_manager(document: Document) -> Document:
    """The document without what is the runtime manager's own, whose tests are in `test_manager.py`."""
    kept = dict(document)
    for section in {"resource", "data"} & document.keys():
        kept[section] = {
            kind: {name: item for name, item in named.items() if not re.match(r"manager[_-]|manager$", name)}
            for kind, named in document[section].items()
        }
    runtime = document.get("output", {}).get("runtime")
    if runtime:
        value = {key: item for key, item in runtime["value"].items() if key != "manager"}
        kept["output"] = {**document["output"], "runtime": {**runtime, "value": value}}
    return kept


def only(document: Document, kind: str) -> dict[str, Any]:
    """The one resource of a type."""
    (found,) = resources(document, kind).values()
    return found


def every(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Type, name and arguments of each resource."""
    for kind, named in document.get("resource", {}).items():
        for name, arguments in named.items():
            yield kind, name, arguments


def statements(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and statement of every policy document."""
    for name, policy in document.get("data", {}).get("aws_iam_policy_document", {}).items():
        for statement in policy["statement"]:
            yield name, statement


def parsed(text: str) -> Any:
    """A JSON argument, plain or inside of Terraform's `jsonencode`."""
    return json.loads(text.removeprefix(JSONENCODE).removesuffix(")}"))


def containers(task_definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Containers of a task definition, by name."""
    return {item["name"]: item for item in parsed(task_definition["container_definitions"])}


def variables(container: dict[str, Any]) -> dict[str, str]:
    """Environment of a container."""
    return {item["name"]: item["value"] for item in container["environment"]}


def references(value: Any) -> set[str]:
    """Addresses that a value refers to, such as `aws_vpc.network_39EEAA36`."""
    kinds = "aws|azurerm|digitalocean|google|kubernetes|oci"
    return set(re.findall(rf"\b((?:data\.)?(?:{kinds})_\w+\.[\w-]+)", json.dumps(value)))


def readable(value: Any) -> Any:
    """The same, with JSON and programs inside strings unfolded, for review."""
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    if isinstance(value, str) and value.startswith(("{", "[", JSONENCODE)):
        try:
            return {"(JSON text)": readable(parsed(value))}
        except json.JSONDecodeError:
            return value
    if isinstance(value, str) and "\n" in value:
        return {"(text)": value.splitlines()}
    return value
