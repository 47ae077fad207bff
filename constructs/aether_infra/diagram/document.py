"""Terraform JSON documents as resources that refer to each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from attrs import define, frozen

Document = Mapping[str, Any]
"""One stack's Terraform JSON."""

REFERENCE: Final = re.compile(
    r"(?P<data>\bdata\.)?\b(?P<type>[a-z][a-z0-9]*(?:_[a-z0-9]+)+)\.(?P<name>[A-Za-z_][\w-]*)"
    r"(?P<path>(?:\.[A-Za-z_][\w-]*|\[[^\[\]]*\])*)"
)
"""A reference as it stands in an expression, such as `aws_subnet.private.id`."""
WHOLE: Final = re.compile(r"\$\{([^{}]*)\}")
"""A text that is one expression and nothing else."""
STEP: Final = re.compile(r"\.([A-Za-z_][\w-]*)|\[\"?([^\[\]\"]*)\"?\]")
STATE: Final = "terraform_remote_state"
JSONENCODE: Final = re.compile(r"\$\{(?:/\*\}\*/)?jsonencode\((.*)\)\}", re.DOTALL)
"""JSON with references in it, as `aether_infra.cdk.text` writes it."""
DEEPEST: Final = 8
"""Longest chain of references that is followed."""


@frozen(kw_only=True, eq=False)
class Resource:
    """A resource or a data source, compared by identity."""

    stack: str
    """Name of the stack."""
    mode: str
    """`resource`, or `data` for what exists already."""
    type: str
    """Such as `aws_lb`."""
    name: str
    """Name within the type."""
    arguments: Mapping[str, Any]
    """As declared, Terraform's own ones such as `depends_on` included."""

    @property
    def address(self) -> str:
        """How Terraform names it, such as `aws_lb.load-balancer_D8F84775`."""
        return f"{'data.' if self.is_data else ''}{self.type}.{self.name}"

    @property
    def is_data(self) -> bool:
        """Whether it exists already, and is only looked up."""
        return self.mode == "data"

    def get(self, *path: str | int, default: Any = None) -> Any:
        """An argument, or what is nested in it; a block given as a list of one counts as the block."""
        return step(self.arguments, path, default)


def step(value: Any, path: tuple[str | int, ...], default: Any = None) -> Any:
    """Walk into nested arguments.

    Args:
        value: where to start.
        path: keys and indexes. A key of a list means that of its first item, and a block may be given alone where
            it could be a list of one.
        default: what is returned where there is nothing.
    """
    for key in map(str, path):
        if isinstance(value, list):
            index = int(key) if key.isdecimal() else 0
            value = value[index] if index < len(value) else None
            if key.isdecimal():
                continue
        if isinstance(value, Mapping):
            value = value if key == "0" and key not in value else value.get(key)
        else:
            return default
    return default if value is None else value


def blocks(value: Any) -> list[Any]:
    """Blocks of one type, given as a list, as one, or not at all."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


@define
class Documents:
    """The documents of one deployment: infrastructure and what runs on it."""

    stacks: Mapping[str, Document]
    """By name, in the order in which they are deployed."""

    @cached_property
    def everything(self) -> tuple[Resource, ...]:
        """Resources and data sources of all stacks, in their documents' order."""
        return tuple(self._read())

    def _read(self) -> Iterator[Resource]:
        for stack, document in self.stacks.items():
            for mode in ("resource", "data"):
                for kind, named in document.get(mode, {}).items():
                    for name, arguments in named.items():
                        yield Resource(stack=stack, mode=mode, type=kind, name=name, arguments=arguments)

    @cached_property
    def _by_address(self) -> Mapping[str, Resource]:
        found: dict[str, Resource] = {}
        for resource in self.everything:
            found.setdefault(resource.address, resource)
        return found

    @cached_property
    def _by_type(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.everything:
            kind = f"{'data.' if resource.is_data else ''}{resource.type}"
            found.setdefault(kind, []).append(resource)
        return found

    def of(self, *types: str) -> list[Resource]:
        """All resources of some types, type by type; data sources are asked for as `data.<type>`."""
        return [resource for kind in types for resource in self._by_type.get(kind, ())]

    def first(self, *types: str) -> Resource | None:
        """The first of them, if there is one."""
        return next(iter(self.of(*types)), None)

    def at(self, address: str) -> Resource | None:
        """The resource of an address."""
        return self._by_address.get(address)

    def follow(self, value: Any) -> Resource | None:
        """The resource that an argument refers to first, through the state of another stack as well."""
        return next(iter(self.mentions(value)), None)

    def mentions(self, value: Any) -> list[Resource]:
        """Every resource that an argument refers to, however deep, in order and once."""
        found: dict[Resource, None] = {}
        for text in _texts(value):
            for match in REFERENCE.finditer(text):
                found |= dict.fromkeys(self._referred(match, DEEPEST))
        return list(found)

    def _referred(self, match: re.Match[str], depth: int) -> Iterator[Resource]:
        if match["data"] and match["type"] == STATE:
            inner = self._output(match["path"])
            for text in _texts(inner) if depth else ():
                for deeper in REFERENCE.finditer(text):
                    yield from self._referred(deeper, depth - 1)
            return
        resource = self.at(f"{match['data'] or ''}{match['type']}.{match['name']}")
        if resource is not None:
            yield resource

    def literal(self, value: Any, depth: int = DEEPEST) -> Any:
        """What an argument is, as far as that is known before anything is built.

        A reference to an argument that another resource states is replaced by it, also through the state of another
        stack. What only the cloud knows stays the reference that it is.
        """
        if isinstance(value, list):
            return [self.literal(item, depth) for item in value]
        whole = WHOLE.fullmatch(value) if isinstance(value, str) else None
        match = REFERENCE.fullmatch(whole[1].strip()) if whole else None
        if match is None or depth == 0:
            return value
        if match["data"] and match["type"] == STATE:
            found = self._output(match["path"])
        else:
            resource = self.at(f"{match['data'] or ''}{match['type']}.{match['name']}")
            found = step(resource.arguments, _steps(match["path"])) if resource else None
        return value if found is None else self.literal(found, depth - 1)

    def text(self, value: Any) -> str:
        """An argument as a text for people; empty for what only the cloud knows."""
        found = self.literal(value)
        if found is None or isinstance(found, Mapping | list | bool):
            return ""
        return "" if "${" in str(found) else str(found)

    def _output(self, path: str) -> Any:
        """What a path below another stack's state means: `.outputs.runtime.kubernetes…`."""
        name, *rest = _steps(path)[1:] or (None,)
        for document in self.stacks.values():
            output = document.get("output", {}).get(name)
            if output is not None:
                return step(output.get("value"), tuple(rest))
        return None

    def output(self, *path: str | int) -> Any:
        """What the first stack that has such an output publishes, references resolved as far as known."""
        name, *rest = path
        for document in self.stacks.values():
            output = document.get("output", {}).get(name)
            if output is not None:
                return self.literal(step(output.get("value"), tuple(rest)))
        return None

    def provider(self, name: str) -> Mapping[str, Any]:
        """The first configuration of a provider."""
        for document in self.stacks.values():
            for configuration in blocks(document.get("provider", {}).get(name)):
                return dict(configuration)
        return {}


def decoded(value: Any) -> Any:
    """A JSON argument, plain or inside of Terraform's `jsonencode`; None for anything else."""
    if not isinstance(value, str):
        return None
    inner = JSONENCODE.fullmatch(value)
    try:
        return json.loads(inner[1] if inner else value)
    except ValueError:
        return None


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(name or index for name, index in STEP.findall(path))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
