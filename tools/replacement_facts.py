"""Asks a Terraform provider which arguments force replacement, and writes `catalog/replacement_<provider>.json`.

The provider's program is started as Terraform starts it, and told to plan made-up resources with one argument changed,
added or removed at a time: what it says must be replaced is a fact, whatever its code looks like. Nothing is sent to a
cloud. What no made-up value can show is in `replacement_facts.toml` beside this file, and is laid over the answers.

It needs `grpcio-tools` and `msgpack` (any environment), the provider's program, and the document that
`terraform providers schema -json` writes in a folder whose configuration names that provider:

    python tools/replacement_facts.py aws --program …/terraform-provider-aws_v6.25.0_x5 --version 6.25.0 \
        --schema schema.json --settings '{"region": "us-west-2", "access_key": "x", "secret_key": "x",
        "skip_credentials_validation": true, "skip_requesting_account_id": true}'

Types are those that the file has already, and those of `--type`. It speaks version 5 of the plugin protocol:
https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol (as of 2026-11).
"""
# ruff: noqa: INP001 - a program, not a package

from __future__ import annotations

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CATALOG = HERE.parent / "constructs/aether_infra/catalog"
COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
"""Value by which a provider knows that it is started as a plugin; every provider has it in its code."""
PROTOCOL = """
syntax = "proto3";
package tfplugin5;
message DynamicValue { bytes msgpack = 1; bytes json = 2; }
message AttributePath {
  message Step {
    oneof selector { string attribute_name = 1; string element_key_string = 2; int64 element_key_int = 3; }
  }
  repeated Step steps = 1;
}
message Diagnostic { int32 severity = 1; string summary = 2; string detail = 3; AttributePath attribute = 4; }
message Configure {
  message Request { string terraform_version = 1; DynamicValue config = 2; }
  message Response { repeated Diagnostic diagnostics = 1; }
}
message PlanResourceChange {
  message Request {
    string type_name = 1; DynamicValue prior_state = 2; DynamicValue proposed_new_state = 3;
    DynamicValue config = 4; bytes prior_private = 5; DynamicValue provider_meta = 6;
  }
  message Response {
    DynamicValue planned_state = 1; repeated AttributePath requires_replace = 2; bytes planned_private = 3;
    repeated Diagnostic diagnostics = 4;
  }
}
service Provider {
  rpc Configure(Configure.Request) returns (Configure.Response);
  rpc PlanResourceChange(PlanResourceChange.Request) returns (PlanResourceChange.Response);
}
"""
"""The part of the protocol that is spoken here."""
ERROR = 1
MEMORY = 256 * 2**20
DEPTH = 3
"""Blocks within blocks that are looked into."""
MADE_UP = (
    ("a", "b"),
    ('{"a":"b"}', '{"a":"c"}'),
    ("arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"),
    ("10.0.0.0/16", "10.1.0.0/16"),
    ("1", "2"),
    ("1.28", "1.29"),
    ("[]", '[{"name":"a"}]'),
)
"""Pairs of texts, for arguments that take one of these forms only."""
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "aws_lambda_function": {"handler": "h", "runtime": "python3.13", "package_type": "Zip", "filename": "f"},
    "aws_lb_target_group": {"port": 80, "protocol": "HTTP", "vpc_id": "vpc-1", "target_type": "instance"},
}
"""Arguments without which a type is not planned at all."""
MODES = ("change", "add", "remove")
Block = Mapping[str, Any]
Path_ = tuple[str, ...]


class Provider:
    """A provider that runs as a plugin.

    Args:
        program: the provider's program.
        schema: its part of Terraform's schema document.
        settings: arguments of the provider's configuration.
    """

    def __init__(self, program: Path, schema: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self._messages, stubs = _protocol()
        self._grpc = import_module("grpc")
        self._msgpack = import_module("msgpack")
        self.types: Mapping[str, Any] = schema["resource_schemas"]
        environment = os.environ | {"TF_PLUGIN_MAGIC_COOKIE": COOKIE, "PLUGIN_PROTOCOL_VERSIONS": "5"}
        self._process = subprocess.Popen(  # noqa: S603 - the program that was named
            [program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        greeting = self._process.stdout.readline().strip() if self._process.stdout else ""
        if greeting.count("|") < 4:  # noqa: PLR2004 - core|protocol|network|address|grpc
            raise SystemExit(f"{program} is no provider of protocol 5: {greeting!r}")
        _, _, network, address, *_ = greeting.split("|")
        target = f"unix:{address}" if network == "unix" else address
        limits = [("grpc.max_receive_message_length", MEMORY)]
        self._stub = stubs.ProviderStub(self._grpc.insecure_channel(target, options=limits))
        block = schema["provider"]["block"]
        configure = self._messages.Configure.Request(
            terraform_version="1.11.0", config=self._value(empty(block) | dict(settings))
        )
        for each in self._stub.Configure(configure).diagnostics:
            print(f"note: {each.summary} {each.detail}", file=sys.stderr)  # noqa: T201 - a program

    def stop(self) -> None:
        """End the program."""
        self._process.terminate()
        self._process.wait()

    def plan(
        self, type_: str, prior: Any, proposed: Any, config: Any
    ) -> tuple[bool, set[str], dict[str, Any]]:
        """Plan a change.

        Returns:
            Whether the provider refuses it, the paths that require replacement, and what it plans.
        """
        request = self._messages.PlanResourceChange.Request(
            type_name=type_,
            prior_state=self._value(prior),
            proposed_new_state=self._value(proposed),
            config=self._value(config),
        )
        try:
            answer = self._stub.PlanResourceChange(request, timeout=60)
        except self._grpc.RpcError:  # a made-up value that its code did not reckon with
            return True, set(), {}
        failed = any(each.severity == ERROR for each in answer.diagnostics)
        paths = {
            ".".join(step.attribute_name for step in each.steps if step.attribute_name)
            for each in answer.requires_replace
        }
        packed = answer.planned_state.msgpack
        planned = (
            self._msgpack.unpackb(packed, strict_map_key=False, ext_hook=lambda *_: "?") if packed else None
        )
        return failed, paths, planned or {}

    def _value(self, value: Any) -> Any:
        return self._messages.DynamicValue(msgpack=self._msgpack.packb(value, use_bin_type=True))


def _protocol() -> tuple[Any, Any]:
    """The messages and the client of the protocol, compiled on the spot."""
    compiler = import_module("grpc_tools.protoc")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tfplugin5.proto").write_text(PROTOCOL, encoding="utf-8")
        options = [f"-I{folder}", f"--python_out={folder}", f"--grpc_python_out={folder}", "tfplugin5.proto"]
        if compiler.main(["protoc", *options]):
            raise SystemExit("the protocol does not compile")
        sys.path.insert(0, folder)
        return import_module("tfplugin5_pb2"), import_module("tfplugin5_pb2_grpc")


def empty(block: Block) -> dict[str, Any]:
    """A block with nothing in it."""
    attributes = dict.fromkeys(block.get("attributes", {}))
    return attributes | {
        name: ([] if nested["nesting_mode"] in {"list", "set"} else None)
        for name, nested in block.get("block_types", {}).items()
    }


def made_up(kind: Any, form: int) -> tuple[Any, Any]:
    """Two values of a type of Terraform's."""
    if kind == "string":
        return MADE_UP[form]
    if kind == "number":
        return 1 + 99 * form, 2 + 99 * form
    if kind == "bool":
        return (True, False) if form % 2 == 0 else (False, True)
    if kind == "dynamic":
        return None, None
    if kind[0] == "object":
        both = {name: made_up(each, form) for name, each in kind[1].items()}
        return tuple({name: pair[which] for name, pair in both.items()} for which in (0, 1))  # type: ignore[return-value]
    first, second = made_up(kind[1], form)
    return ({"k": first}, {"k": second}) if kind[0] == "map" else ([first], [second])


def least(block: Block, form: int) -> dict[str, Any]:
    """A block with what it cannot do without."""
    made = empty(block)
    for name, attribute in block.get("attributes", {}).items():
        if attribute.get("required"):
            made[name] = made_up(attribute["type"], form)[0]
    for name, nested in block.get("block_types", {}).items():
        if nested.get("min_items"):
            one = least(nested["block"], form)
            made[name] = [one] if nested["nesting_mode"] in {"list", "set"} else one
    return made


def arguments(block: Block, above: Path_ = ()) -> Iterator[tuple[Path_, Mapping[str, Any], bool]]:
    """Every argument and block that a configuration may have: path, schema, whether it is a block."""
    for name, attribute in block.get("attributes", {}).items():
        if (attribute.get("optional") or attribute.get("required")) and (*above, name) != ("id",):
            yield (*above, name), attribute, False
    for name, nested in block.get("block_types", {}).items():
        if name != "timeouts":
            yield (*above, name), nested, True
            if len(above) < DEPTH:
                yield from arguments(nested["block"], (*above, name))


def holder(block: Block, root: dict[str, Any], path: Path_, form: int) -> tuple[dict[str, Any], Block]:
    """What holds the last name of a path, made where it is missing, and its schema."""
    for name in path[:-1]:
        nested = block["block_types"][name]
        many = nested["nesting_mode"] in {"list", "set"}
        if not root[name]:
            one = least(nested["block"], form)
            root[name] = [one] if many else one
        root, block = (root[name][0] if many else root[name]), nested["block"]
    return root, block


def configured(block: Block, value: dict[str, Any], *, is_root: bool = True) -> dict[str, Any]:
    """A resource as a configuration has it: without what the provider computes."""
    kept = copy.deepcopy(value)
    for name, attribute in block.get("attributes", {}).items():
        if not (attribute.get("optional") or attribute.get("required")) or (is_root and name == "id"):
            kept[name] = None
    for name, nested in block.get("block_types", {}).items():
        inner = kept[name]
        if isinstance(inner, list):
            kept[name] = [configured(nested["block"], each, is_root=False) for each in inner]
        elif isinstance(inner, dict) and nested["nesting_mode"] != "map":
            kept[name] = configured(nested["block"], inner, is_root=False)
    return kept


def before_and_after(
    schema: Mapping[str, Any], parent: Block, name: str, mode: str, form: int, *, is_block: bool
) -> tuple[Any, Any] | None:
    """Values of one argument before and after; None where it cannot be changed in that way."""
    if not is_block:
        if mode != "change" and schema.get("required"):
            return None
        first, second = made_up(schema["type"], form)
        if schema["type"] == "bool" and mode != "change":
            first = True
        return {"change": (first, second), "add": (None, first), "remove": (first, None)}[mode]
    many = schema["nesting_mode"] in {"list", "set"}
    inner = parent["block_types"][name]["block"]
    one: Any = [least(inner, form)] if many else least(inner, form)
    none: Any = [] if many else None
    if mode == "change":
        if not many or schema.get("max_items") == 1:
            return None
        other = least(inner, form)
        for attribute, each in inner.get("attributes", {}).items():
            if each.get("optional") or each.get("required"):
                other[attribute] = made_up(each["type"], form)[1]
                break
        return one, [*one, other]
    if schema.get("min_items"):
        return None
    return (none, one) if mode == "add" else (one, none)


def asked(
    provider: Provider, type_: str, path: Path_, schema: Mapping[str, Any], mode: str, *, is_block: bool
) -> str:
    """What a provider does with one argument: `replace`, `change`, `nothing`, or `unknown`."""
    block = provider.types[type_]["block"]
    answer = "unknown"
    for form in range(len(MADE_UP)):
        prior = least(block, form) | ({"id": "id-1"} if "id" in block["attributes"] else {})
        prior |= NEEDED.get(type_, {})
        proposed = copy.deepcopy(prior)
        here, parent = holder(block, prior, path, form)
        there, _ = holder(block, proposed, path, form)
        pair = before_and_after(schema, parent, path[-1], mode, form, is_block=is_block)
        if pair is None:
            return answer
        here[path[-1]], there[path[-1]] = pair
        _, settled, _ = provider.plan(type_, prior, prior, configured(block, prior))
        config = configured(block, proposed)
        if not is_block and mode == "remove" and schema.get("computed"):
            there[path[-1]] = here[path[-1]]  # as Terraform proposes it
        failed, replaced, planned = provider.plan(type_, prior, proposed, config)
        if failed:
            continue
        if replaced - settled:
            return "replace"
        same = _at(planned, path) == here[path[-1]]
        answer = "nothing" if same else "change"
        if not same:
            break
    return answer


def _at(value: Any, path: Path_) -> Any:
    for name in path:
        if isinstance(value, list):
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, dict) else None
    return value


def facts(provider: Provider, type_: str) -> dict[str, Any]:
    """All that the catalog wants to know of a type."""
    block = provider.types[type_]["block"]
    found: dict[str, Any] = {"replace": [], "when": {}, "keeps": [], "sets": []}
    every = list(arguments(block))
    for path, schema, is_block in every:
        name = ".".join(path)
        answers = {mode: asked(provider, type_, path, schema, mode, is_block=is_block) for mode in MODES}
        if "replace" in answers.values():
            if (
                not is_block
                and answers["change"] == "change"
                and {answers["add"], answers["remove"]} == {"replace"}
            ):
                found["when"][name] = "comes or goes"
            else:
                found["replace"].append(f"{name}#" if is_block else name)
        if not is_block and schema.get("computed") and answers["remove"] == "nothing" and name != "tags_all":
            found["keeps"].append(name)
        kind = schema.get("nesting_mode") if is_block else schema.get("type")
        if kind == "set" or (isinstance(kind, list) and kind[0] == "set"):
            found["sets"].append(name)
    found["replace"] = whole_blocks(found["replace"], every)
    found["default"] = defaults(provider, type_)
    return found


def whole_blocks(replace: list[str], every: list[tuple[Path_, Mapping[str, Any], bool]]) -> list[str]:
    """The same arguments, with a block in the place of all that is in it where all of it forces replacement."""
    kept = set(replace)
    names = {".".join(path): is_block for path, _, is_block in every}
    for block in sorted(
        (name for name, is_block in names.items() if is_block), key=lambda name: -name.count(".")
    ):
        below = [name for name, is_block in names.items() if not is_block and name.startswith(f"{block}.")]
        covered = all(
            name in kept or any(name.startswith(f"{each}.") for each in kept if not each.endswith("#"))
            for name in below
        )
        if below and covered and f"{block}#" in kept:
            kept = {name for name in kept if not name.startswith((f"{block}.", f"{block}#"))} | {block}
    return sorted(kept)


def defaults(provider: Provider, type_: str) -> dict[str, Any]:
    """Values that the provider takes where a new resource's configuration has none."""
    block = provider.types[type_]["block"]
    for form in range(len(MADE_UP)):
        config = least(block, form) | NEEDED.get(type_, {})
        failed, _, planned = provider.plan(type_, None, config, config)
        if not failed and planned:
            return {
                name: value
                for name, value in sorted(planned.items())
                if config.get(name) is None and isinstance(value, bool | int | float | str) and value != "?"
            }
    return {}


def laid_over(found: dict[str, Any], by_hand: Mapping[str, Any]) -> dict[str, Any]:
    """What was found, with what is known otherwise."""
    dropped = by_hand.get("drop", [])
    kept = {
        name
        for name in found["replace"]
        if name not in dropped
        and not any(each.endswith(".*") and name.startswith(each[:-1]) for each in dropped)
    }
    merged = found | {
        "replace": sorted(kept | set(by_hand.get("replace", []))),
        "when": found["when"] | by_hand.get("when", {}),
    }
    return merged | {key: by_hand[key] for key in ("refuse", "inert", "volatile") if key in by_hand}


def rendered(name: str, version: str, resources: Mapping[str, Mapping[str, Any]]) -> str:
    """The file: a line for each kind of fact, so that a change of one can be reviewed."""
    order = ("replace", "when", "refuse", "inert", "keeps", "default", "sets", "volatile")
    entries = []
    for type_, table in sorted(resources.items()):
        rows = [
            f"   {json.dumps(key)}: {json.dumps(table[key], ensure_ascii=False)}"
            for key in order
            if table.get(key)
        ]
        body = ",\n".join(rows)
        entries.append(f"  {json.dumps(type_)}: {{\n{body}\n  }}" if rows else f"  {json.dumps(type_)}: {{}}")
    head = f' "provider": {json.dumps(name)},\n "version": {json.dumps(version)},'
    return "{\n" + head + '\n "resources": {\n' + ",\n".join(entries) + "\n }\n}\n"


def main() -> int:
    """Ask, and write; with `--check` only compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("provider", help="word that its types begin with, such as aws")
    parser.add_argument("--program", type=Path, required=True, help="the provider's program")
    parser.add_argument("--schema", type=Path, required=True, help="from: terraform providers schema -json")
    parser.add_argument("--version", required=True, help="version of the provider")
    parser.add_argument(
        "--settings", type=json.loads, default={}, help="the provider's configuration, as JSON"
    )
    parser.add_argument("--type", action="append", default=[], help="a type that is new")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end with 1 where the file would change"
    )
    options = parser.parse_args()
    file = CATALOG / f"replacement_{options.provider}.json"
    old = json.loads(file.read_text(encoding="utf-8"))
    by_hand = tomllib.loads((HERE / "replacement_facts.toml").read_text(encoding="utf-8"))
    schemas = json.loads(options.schema.read_text(encoding="utf-8"))["provider_schemas"]
    (schema,) = (each for name, each in schemas.items() if name.endswith(f"/{old['provider']}"))
    provider = Provider(options.program, schema, options.settings)
    try:
        resources = {
            type_: laid_over(facts(provider, type_), by_hand.get(type_, {}))
            for type_ in sorted({*old["resources"], *options.type})
        }
    finally:
        provider.stop()
    text = rendered(old["provider"], options.version, resources)
    if options.check:
        return int(text != file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
