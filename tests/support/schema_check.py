"""Checks Terraform JSON against a provider's schema, as `terraform validate` does before it asks the provider.

The schema is what `terraform providers schema -json` prints. Found are: types, arguments and blocks that do not
exist, what is required and missing, what only the provider can set, values of a wrong type, blocks where a value
must be and the other way round, too few and too many blocks, references to what is not declared or does not exist.
Not found is what the provider's own code checks: names, ranges, arguments that exclude each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import Factory, define

from aether_infra.bindgen.document import merged

Document = Mapping[str, Any]

META = {
    "resource": {
        "connection",
        "count",
        "depends_on",
        "for_each",
        "lifecycle",
        "provider",
        "provisioner",
    },
    "data": {"count", "depends_on", "for_each", "lifecycle", "provider"},
    "provider": {"alias", "version"},
}
"""Arguments that are Terraform's own."""

SECTIONS = {"resource": "resource_schemas", "data": "data_source_schemas"}

REFERENCE = re.compile(
    r"(?<![\w.\"-])(?P<data>data\.)?(?P<type>[a-z][\w-]*_[\w-]+)\.(?P<name>[A-Za-z_][\w-]*)"
    r"(?P<path>(?:\.[A-Za-z_*][\w-]*|\[[^\[\]]*\])*)"
)
STEP = re.compile(r"\.([A-Za-z_*][\w-]*)|\[([^\[\]]*)\]")


def problems(document: Document, *schemas: Document | Path) -> list[str]:
    """Everything in a document that its providers' schemas refuse.

    Args:
        document: Terraform JSON. What belongs to providers without a schema here is not looked at.
        schemas: schema documents, or their files; those of one provider add to each other.
    """
    check = _Check(document)
    together: Any = {}
    for each in schemas:
        loaded = json.loads(each.read_text(encoding="utf-8")) if isinstance(each, Path) else each
        together = merged(together, loaded["provider_schemas"])
    for source, provider in together.items():
        check.add(source, provider)
    check.run()
    return check.found


@define
class _Check:
    document: Document
    schemas: dict[tuple[str, str], dict[str, Any]] = Factory(dict)
    """Blocks by `resource`, `data` or `provider`, and type."""
    names: dict[str, str] = Factory(dict)
    """Sources of the providers, by their local names."""
    found: list[str] = Factory(list)

    def add(self, source: str, provider: Mapping[str, Any]) -> None:
        name = source.rpartition("/")[2]
        self.names[name] = source
        self.schemas["provider", name] = (provider.get("provider") or {}).get("block") or {}
        for section, key in SECTIONS.items():
            for kind, schema in (provider.get(key) or {}).items():
                self.schemas[section, kind] = schema["block"]

    def run(self) -> None:
        for name, configurations in self.document.get("provider", {}).items():
            if name in self.names:
                for configuration in _listed(configurations):
                    self.body(
                        "provider",
                        self.schemas["provider", name],
                        configuration,
                        f"provider.{name}",
                        root=True,
                    )
        used = set(self.document.get("provider", {}))
        for section in SECTIONS:
            for kind, named in self.document.get(section, {}).items():
                owner = self._owner(kind)
                used |= {owner} if owner else set()
                for name, arguments in named.items():
                    self._declared(section, kind, arguments, f"{section}.{kind}.{name}", owner)
        self._required(used & self.names.keys())
        for path, text in _texts(self.document, ""):
            self._references(path, text)

    def _owner(self, kind: str) -> str:
        """Local name of the provider that a type belongs to; empty if its schema is not here."""
        return next((name for name in self.names if kind == name or kind.startswith(f"{name}_")), "")

    def _required(self, used: set[str]) -> None:
        wanted = self.document.get("terraform", {}).get("required_providers", {})
        for name in sorted(used):
            source = self.names[name]
            stated = str(wanted.get(name, {}).get("source", ""))
            if source not in {stated, f"registry.terraform.io/{stated}"}:
                self.found.append(f"terraform.required_providers.{name}: must have the source of {source}")

    def _declared(self, section: str, kind: str, arguments: Any, path: str, owner: str) -> None:
        schema = self.schemas.get((section, kind))
        if schema is not None:
            self.body(section, schema, arguments, path, root=True)
        elif owner:
            known = [each for part, each in self.schemas if part == section]
            self.found.append(f"{path}: {owner} has no {section} of this type{_near(kind, known)}")

    def body(
        self, section: str, schema: Mapping[str, Any], body: Any, path: str, *, root: bool = False
    ) -> None:
        """What is wrong with the content of a block."""
        if not isinstance(body, Mapping):
            self.found.append(f"{path}: must be an object, got {_shown(body)}")
            return
        attributes, blocks = schema.get("attributes") or {}, schema.get("block_types") or {}
        dynamic = {name: _listed(each) for name, each in (body.get("dynamic") or {}).items()}
        ignored = {"//", "dynamic"} | (META[section] if root else set())
        for name, value in body.items():
            if name in attributes:
                self.attribute(attributes[name], value, f"{path}.{name}")
            elif name not in blocks and name not in ignored:
                self.found.append(f"{path}.{name}: does not exist{_near(name, {**attributes, **blocks})}")
        for name, attribute in attributes.items():
            if attribute.get("required") and body.get(name) is None:
                self.found.append(f"{path}.{name}: is required")
        for name in dynamic.keys() - blocks.keys():
            self.found.append(f"{path}.dynamic.{name}: there are no such blocks{_near(name, blocks)}")
        for name, block in blocks.items():
            self.blocks(section, block, body.get(name), dynamic.get(name, []), f"{path}.{name}")

    def blocks(
        self, section: str, schema: Mapping[str, Any], value: Any, dynamic: list[Any], path: str
    ) -> None:
        """What is wrong with the blocks of one type."""
        mode, inner = schema["nesting_mode"], schema.get("block") or {}
        for each in dynamic:
            if not isinstance(each, Mapping) or "for_each" not in each:
                self.found.append(f"{path}: a dynamic block must have for_each")
            else:
                self.body(section, inner, each.get("content") or {}, f"{path}.dynamic")
        bodies = [(path, value)]
        if mode == "map" and isinstance(value, Mapping):
            bodies = [(f"{path}[{label}]", labelled) for label, labelled in value.items()]
        bodies = [
            (f"{where}[{index}]" if isinstance(each, list) else where, body)
            for where, each in bodies
            for index, body in enumerate(_listed(each))
        ]
        for where, body in bodies:
            self.body(section, inner, body, where)
        least = schema.get("min_items") or 0
        most = 1 if mode in {"single", "group"} else schema.get("max_items") or len(bodies)
        if len(bodies) < least and not dynamic:
            self.found.append(f"{path}: needs {least} block(s) or more, got {len(bodies)}")
        if len(bodies) > most:
            self.found.append(f"{path}: takes {most} block(s) at most, got {len(bodies)}")

    def attribute(self, schema: Mapping[str, Any], value: Any, path: str) -> None:
        """What is wrong with the value of an attribute."""
        if value is None:
            return
        if not schema.get("required") and not schema.get("optional"):
            self.found.append(f"{path}: is set by the provider alone")
        elif "nested_type" in schema:
            self.nested(schema["nested_type"], value, path)
        else:
            self.value(schema.get("type", "dynamic"), value, path)

    def nested(self, schema: Mapping[str, Any], value: Any, path: str) -> None:
        """What is wrong with an attribute that has attributes."""
        mode = schema["nesting_mode"]
        if _is_expression(value):
            return
        if mode in {"single", "group"}:
            self.body("", schema, value, path)
        elif isinstance(value, Mapping if mode == "map" else list):
            for key, item in value.items() if mode == "map" else enumerate(value):
                if not _is_expression(item):
                    self.body("", schema, item, f"{path}[{key}]")
        else:
            self.found.append(f"{path}: must be a {mode}, got {_shown(value)}")

    def value(self, type_: Any, value: Any, path: str) -> None:
        """What is wrong with a value of a plain type."""
        if _is_expression(value) or value is None or type_ == "dynamic":
            return
        kind, *details = [type_] if isinstance(type_, str) else type_
        if kind in {"list", "set"} and isinstance(value, list):
            for index, item in enumerate(value):
                self.value(details[0], item, f"{path}[{index}]")
        elif kind == "map" and isinstance(value, Mapping):
            for key, item in value.items():
                self.value(details[0], item, f"{path}[{key}]")
        elif kind == "object" and isinstance(value, Mapping):
            self._fields(details[0], value, path, *details[1:])
        elif not _converts(kind, value):
            self.found.append(f"{path}: must be a {kind}, got {_shown(value)}")

    def _fields(
        self, fields: Mapping[str, Any], value: Mapping[str, Any], path: str, optional: Sequence[str] = ()
    ) -> None:
        """An object must have every field of its type, be it null."""
        for name in sorted(fields.keys() - value.keys() - set(optional)):
            self.found.append(f"{path}.{name}: is required, null at least")
        for name, item in value.items():
            if name in fields:
                self.value(fields[name], item, f"{path}.{name}")
            else:
                self.found.append(f"{path}.{name}: does not exist{_near(name, fields)}")

    def _references(self, path: str, text: str) -> None:
        """What expressions refer to must be declared, and have the attribute."""
        bare = re.search(r"\.(depends_on|replace_triggered_by)\[\d+\]$", path) and "${" not in text
        for expression in [text] if bare else _expressions(text):
            for match in REFERENCE.finditer(expression):
                section = "data" if match["data"] else "resource"
                schema = self.schemas.get((section, match["type"]))
                address = f"{match['data'] or ''}{match['type']}.{match['name']}"
                if schema is None:
                    continue
                if match["name"] not in self.document.get(section, {}).get(match["type"], {}):
                    self.found.append(f"{path}: {address} is not declared")
                    continue
                wrong = _follow(schema, match["path"])
                if wrong:
                    self.found.append(f"{path}: {address} has no {wrong}")


def _follow(block: Mapping[str, Any], path: str) -> str:
    """The first name on the path from a resource that does not exist; empty if all do."""
    steps = [match[1] or "[]" for match in STEP.finditer(path)]
    while steps and steps[0] in {"[]", "*"}:  # of a resource with count or for_each
        steps.pop(0)
    where: Any = {"block": block}
    for step in steps:
        where = _inside(where, step)
        if where is None:
            return step
        if where == "dynamic":
            break
    return ""


def _inside(where: Any, step: str) -> Any:
    """What a step leads to from a schema or type; `dynamic` where that cannot be told, None where there is nothing."""
    index = step in {"[]", "*"}
    if isinstance(where, list):
        kind, inner = where[0], where[1]
        if kind == "object":
            return inner.get(step)
        return inner if index or kind == "map" else None
    if isinstance(where, str):
        return None
    block = where.get("block") or where
    if where.get("nesting_mode") in {"list", "set", "map"}:  # an index, or the key of a map
        return {"block": block} if index or where["nesting_mode"] == "map" else None
    attribute = (block.get("attributes") or {}).get(step)
    if attribute is None:
        return (block.get("block_types") or {}).get(step)
    return attribute.get("nested_type") or attribute.get("type", "dynamic")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text of a document, with the path to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != "//":
                yield from _texts(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def _expressions(text: str) -> Iterator[str]:
    """The contents of every `${…}` of a text, without the quoted texts in them that hold no expression."""
    text = text.replace("$${", "")
    start = text.find("${")
    while start >= 0:
        depth, end = 1, start + 2
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield re.sub(r'(?<!\[)"(?:[^"\\$]|\\.)*"', '""', text[start + 2 : end - 1])
        start = text.find("${", end)


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and "${" in value.replace("$${", "")


def _converts(type_: str, value: Any) -> bool:
    """Whether Terraform makes a value of a primitive type."""
    if type_ == "string":
        return isinstance(value, str | int | float)
    if type_ == "bool":
        return isinstance(value, bool) or (isinstance(value, str) and value in {"true", "false"})
    if type_ != "number" or isinstance(value, bool):
        return False
    return (
        isinstance(value, int | float)
        or re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", str(value)) is not None
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _near(name: str, known: Any) -> str:
    found = get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""
