"""A module with other values is the stack of another configuration: shown by Terraform itself, for every cloud.

Discovery compared the operator's configuration with some others. These tests take one that it has not seen, put its
values into the variables, let Terraform evaluate every argument, and hold the result against what that configuration
synthesizes to. No provider is needed: what refers to a resource stands as a text.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from command_lines import terraform_path
from terraform_json import CONFIGS, ROOT, case

from aether_infra import synth
from aether_infra.config import AetherConfig, Provider, load
from aether_infra.export.discover import REMOTE_STATE, VARIANTS, Discovery, Elements, discover
from aether_infra.export.document import Element, elements
from aether_infra.export.features import LOCALS, ZONES
from aether_infra.export.keys import Setting, value_at
from aether_infra.export.probes import variants
from aether_infra.export.render import Argument, Block, document, expression
from aether_infra.export.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    For,
    Index,
    Name,
    Node,
    Object,
    Splat,
    Text,
    literal,
    rebuilt,
    replaced,
    text,
    variable,
    walk,
)
from aether_infra.export.variables import declarations, tfvars, value_of

pytestmark = pytest.mark.terraform

ALL = os.environ.get("AETHER_TERRAFORM") == "all"
EXAMPLES = ROOT / "apps/examples"
DEFAULT = ("aws", "digitalocean-vm", "gcp-production")
TRIED = CONFIGS if ALL else [EXAMPLES / f"{name}.toml" for name in DEFAULT]
"""ECS, droplets and Kubernetes; all: `AETHER_TERRAFORM=all make test ARGS=tests/export`."""


def cases() -> list[Any]:
    return [
        pytest.param(path, provider, id=f"{case(path)}-{provider}")
        for path in TRIED
        for provider in load(path, env={}).sections
    ]


@pytest.mark.parametrize(("path", "provider"), cases())
def test_values_that_were_not_compared(path: Path, provider: Provider, tmp_path: Path) -> None:
    config = load(path, env={})
    sources = synth.sources(config, provider)
    found = discover(
        config,
        provider,
        [source.document for source in sources],
        lambda configs: synth.variants(configs, provider),
    )
    assert len(found.variables) > 15
    other = unseen(found, provider)
    changed = [each for each in found.variables if value(each, other) != value_of(each)]
    assert len(changed) > len(found.variables) * 0.7
    (documents,) = synth.variants([other], provider)
    for number, wanted in enumerate(documents):
        module = evaluated(
            tmp_path / f"module-{number}",
            found.stacks[number],
            found=found,
            provider=provider,
            values=[Setting(each.key, value_at(other, each.path)) for each in found.variables],
        )
        synthesized = evaluated(tmp_path / f"stack-{number}", elements(wanted))
        assert module.keys() == synthesized.keys()
        assert addresses(found.stacks[number]) == addresses(elements(wanted))
        assert not list(differences(module, synthesized))


def differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ, and in what."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from differences(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{path}/{number}")
    elif one != other:
        yield path, one, other


def unseen(found: Discovery, provider: Provider) -> AetherConfig:
    """A configuration that differs from all that discovery has compared."""
    varied = [each for each in found.variables if each.variable != ZONES]
    return variants(found.config, provider, varied, VARIANTS + 2)[-1]


def value(setting: Setting, config: AetherConfig) -> Any:
    return value_of(Setting(setting.key, value_at(config, setting.path)))


def addresses(stack: Elements) -> dict[str, list[Node | None]]:
    """What Terraform itself wants of each element: addresses and names of arguments, which no variable can be in."""
    return {element.address: [element.body.get(name) for name in OWN] for element in stack.values()}


OWN = ("depends_on", "lifecycle", "provider")


def evaluated(
    folder: Path,
    stack: Elements,
    *,
    found: Discovery | None = None,
    provider: Provider = Provider.AWS,
    values: Sequence[Setting] = (),
) -> Mapping[str, Any]:
    """All arguments of a stack, by address, as Terraform evaluates them."""
    folder.mkdir()
    by = {variable(each.variable): literal(value_of(each)) for each in values}
    bodies = tuple(
        (text(f"{element.section} {element.type} {element.name}"), masked(without_own(element), by))
        for element in stack.values()
        if element.type != REMOTE_STATE  # where a state is, no variable says
    )
    needed = found.locals if found else {}
    local = (*(Argument(name, node) for name, node in needed.items()), Argument("all", Object(bodies)))
    blocks = [Block("locals", (), local), *(declarations(found, provider) if found else ())]
    (folder / "main.tf").write_text(document(blocks), encoding="utf-8")
    (folder / "values.tfvars").write_text(tfvars(values, ""), encoding="utf-8")
    done = subprocess.run(
        [terraform_path(), "console", "-var-file=values.tfvars"],
        cwd=folder,
        input="jsonencode(local.all)",
        env={key: item for key, item in os.environ.items() if not key.startswith("TF_")}
        | {"CHECKPOINT_DISABLE": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr, done.stderr
    result: Mapping[str, Any] = json.loads(json.loads(done.stdout))
    return result


def without_own(element: Element) -> Object:
    declared = element.section in {"resource", "data"}
    return Object(
        tuple(
            (key, item)
            for key, item in element.body.items
            if not (declared and key in {text(name) for name in OWN})
        )
    )


def masked(node: Node, by: Mapping[Node, Node]) -> Node:
    """An expression with a text in the place of whatever asks for a resource."""
    foreign = isinstance(node, Call) and (
        node.name not in OF_ANYTHING or any(isinstance(arg, For) and asks(arg.of) for arg in node.args)
    )
    over = isinstance(node, For) and asks(node.of)
    if (foreign or over or isinstance(node, Binary | Conditional | Index | Splat)) and asks(node):
        # what takes more than a text: its own words, with the values in them
        return text(expression(replaced(node, by)))
    if isinstance(node, Attribute) and asks(node):
        return text(expression(node))
    if isinstance(node, Text):
        parts = tuple(part if isinstance(part, str) else masked(part, by) for part in node.parts)
        return Text(parts)
    return rebuilt(node, lambda child: masked(child, by))


def asks(node: Node) -> bool:
    """Whether an expression asks for an attribute of a resource or a data source."""
    return any(
        (isinstance(one, Name) and one.name.partition("_")[0] in TYPES)
        or (isinstance(one, Attribute) and one.of == Name("local") and one.name not in LOCALS)
        for one in walk(node)
    )


TYPES = {"aws", "azurerm", "data", "digitalocean", "each", "google", "kubernetes", "oci"}
"""How what is known only of resources begins."""
OF_ANYTHING = {"base64encode", "concat", "join", "jsonencode", "merge", "sha256", "sort"}
"""Functions that take texts in the place of what is asked for."""
