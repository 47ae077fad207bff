"""A stack as its Terraform JSON document declares it, in the shape that a comparison wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

META = frozenset({"//", "connection", "depends_on", "lifecycle", "provider", "provisioner", "timeouts"})
"""Keys of a resource that are Terraform's own business: a change of them alone changes nothing in the cloud.
Source: https://developer.hashicorp.com/terraform/language/meta-arguments (as of 2026-11)."""


@frozen(kw_only=True)
class Block:
    """A resource or a data source of a stack."""

    type: str
    """Its type, such as `aws_vpc`."""
    name: str
    """Its name in Terraform."""
    is_data: bool
    """Whether it is looked up instead of made."""
    place: str
    """Where it is in the tree of constructs, without the stack and `Resource`: `compute/node-1`; its name where the
    document does not say."""
    arguments: Mapping[str, Any]
    """What is sent to the cloud, `for_each` and `count` included."""
    meta: Mapping[str, Any]
    """The other keys: `META`."""

    @property
    def address(self) -> str:
        """Its address in Terraform."""
        return f"data.{self.type}.{self.name}" if self.is_data else f"{self.type}.{self.name}"

    @property
    def lifecycle(self) -> Mapping[str, Any]:
        """Its `lifecycle`, empty where it has none."""
        return _one(self.meta.get("lifecycle"))

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Addresses that it waits for."""
        addresses = self.meta.get("depends_on")
        return tuple(map(str, addresses)) if isinstance(addresses, list) else ()

    @property
    def prevents_destroy(self) -> bool:
        """Whether Terraform refuses to replace it."""
        return self.lifecycle.get("prevent_destroy") is True

    @property
    def provider(self) -> str:
        """The configuration of the provider that it belongs to: `oci`, or `oci.home`."""
        return str(self.meta.get("provider") or self.type.partition("_")[0])


@frozen(kw_only=True)
class Stack:
    """A stack: one document, one state."""

    name: str
    """The stack's name."""
    blocks: Mapping[str, Block] = field(factory=dict)
    """Resources and data sources by address."""
    providers: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    """Configurations of providers, by `NAME` or `NAME.ALIAS`."""
    backend: Mapping[str, Any] = field(factory=dict)
    """Where the state is: kind and settings; empty for Terraform's default."""
    outputs: Mapping[str, Any] = field(factory=dict)
    """Values of the outputs."""
    local_values: Mapping[str, Any] = field(factory=dict)
    """Values of `locals`."""

    def resources(self) -> Iterator[Block]:
        """The resources, without data sources."""
        return (block for block in self.blocks.values() if not block.is_data)


def read_stack(name: str, document: Mapping[str, Any]) -> Stack:
    """Read a stack.

    Args:
        name: the stack's name.
        document: its Terraform JSON.

    Returns:
        The stack.
    """
    blocks = [*_blocks(document.get("resource"), is_data=False), *_blocks(document.get("data"), is_data=True)]
    return Stack(
        name=name,
        blocks={block.address: block for block in blocks},
        providers=dict(_providers(document.get("provider"))),
        backend=_backend(_one(document.get("terraform"))),
        outputs={key: _one(value).get("value") for key, value in _one(document.get("output")).items()},
        local_values=dict(_one(document.get("locals"))),
    )


def _blocks(table: Any, *, is_data: bool) -> Iterator[Block]:
    for type_, named in _one(table).items():
        for name, body in _one(named).items():
            keys = _one(body)
            yield Block(
                type=type_,
                name=name,
                is_data=is_data,
                place=_place(keys) or name,
                arguments={key: value for key, value in keys.items() if key not in META},
                meta={key: value for key, value in keys.items() if key in META},
            )


def _place(body: Mapping[str, Any]) -> str:
    """The construct's path below its stack, as cdktf notes it."""
    path = _one(_one(body.get("//")).get("metadata")).get("path", "")
    parts = [part for part in str(path).split("/")[1:] if part]
    return "/".join(parts[:-1] if len(parts) > 1 and parts[-1] == "Resource" else parts)


def _providers(table: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, configurations in _one(table).items():
        for each in configurations if isinstance(configurations, list) else [configurations]:
            settings = _one(each)
            alias = settings.get("alias")
            yield (f"{name}.{alias}" if alias else name), settings


def _backend(terraform: Mapping[str, Any]) -> Mapping[str, Any]:
    """Kind and settings of the state's place; HCP Terraform's own block counts as a kind."""
    for kind, settings in _one(terraform.get("backend")).items():
        return {"backend": kind, **_one(settings)}
    if "cloud" in terraform:
        return {"backend": "cloud", **_one(terraform["cloud"])}
    return {}


def _one(value: Any) -> Mapping[str, Any]:
    """A table of Terraform JSON, which may also stand in a list of one."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, Mapping) else {}
