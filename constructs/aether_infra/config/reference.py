"""Every key of `aether.toml`, read from the classes that read the file.

The reference page, the JSON Schema, `init` and `validate --show` are made of this, so that none of them can say
something else than the loader does. The words are the docstrings under the fields.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Final, Literal, get_args, get_origin

import attrs
from attrs import frozen

from aether_infra.catalog.terraform import BACKENDS
from aether_infra.config import rules_aws, rules_azure, rules_digitalocean, rules_gcp, rules_oracle
from aether_infra.config.checks import CHECKS, EXAMPLE, Check, OneOf
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection
from aether_infra.config.shape import OPEN_TABLES
from aether_infra.config.state import StateConfig
from aether_infra.config.tables import table_class, toml_key
from aether_infra.config.words import dotted

ONLY_FOR: Final[Mapping[Provider, Mapping[str, Sequence[str]]]] = {
    Provider.AWS: rules_aws.ONLY_FOR,
    Provider.GCP: rules_gcp.ONLY_FOR,
    Provider.AZURE: rules_azure.ONLY_FOR,
    Provider.DIGITALOCEAN: rules_digitalocean.ONLY_FOR,
    Provider.ORACLE: rules_oracle.ONLY_FOR,
}
"""Keys and tables that mean something on some kinds of compute only, by cloud."""

_SOURCE: Final = re.compile(r"\s+(?=(?:Sources?|Form|Bounds)\b[^.;]*:\s)")
"""Where a docstring turns to where its facts are from."""
_ADDRESS: Final = re.compile(r"\s*\(https?://[^\s()]+(?:\s\(as of [\d-]+\))?\)")
_DEFAULT: Final = re.compile(r"(?<!own )\b[Dd]efault:? (.+?)(?:[;.](?= )|[;.]?$)")


class Kind(StrEnum):
    """What sort of value a key has."""

    TEXT = "text"
    NUMBER = "whole number"
    SWITCH = "true or false"
    TEXTS = "list of texts"
    NUMBER_OR_TEXTS = "whole number, or list of texts"
    TEXT_TABLE = "table of texts"


@frozen(kw_only=True)
class Key:
    """A key with a value."""

    path: tuple[str, ...]
    """From the top of the file, such as `("cloud", "aws", "region")`."""
    kind: Kind
    """What sort of value."""
    choices: tuple[str, ...] = ()
    """All values that it can have; empty where there are too many to list."""
    checks: tuple[Check, ...] = ()
    """What else a value must be."""
    required: bool = False
    """Whether there is no default: only the operator can know it."""
    default: Any = None
    """The value where nothing is said, as TOML has it; None where there is none, or where it follows from others."""
    example: Any = None
    """A valid value of a required key."""
    only_for: tuple[str, ...] = ()
    """Kinds of compute that it has a meaning on; empty: all."""
    shared: bool = False
    """Whether every cloud's table has it, with the same words."""
    text: str
    """What it means, in whole sentences with Markdown's backticks."""
    source: str = ""
    """Where facts in it are from."""

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]

    @property
    def dotted(self) -> str:
        """The path as TOML writes it."""
        return dotted(self.path)

    @property
    def provider(self) -> Provider | None:
        """The cloud that it belongs to; None if to all."""
        return _provider(self.path)

    @property
    def default_words(self) -> str:
        """What holds where nothing is said, in words; empty where the text does not say it."""
        found = _DEFAULT.search(self.text)
        return found[1] if found else ""

    def faults(self, value: Any) -> list[str]:
        """What the checks find wrong with a value of the right sort.

        Args:
            value: the value; a list as a tuple.
        """
        return [str(fault.message) for one in self.checks for fault in one(value)]


@frozen(kw_only=True)
class Table:
    """A table with its keys, and the tables in it."""

    path: tuple[str, ...]
    """From the top of the file; empty for the file itself."""
    text: str
    """What it is for."""
    note: str
    """What the table that holds it says of it; empty for the file itself."""
    keys: tuple[Key, ...]
    """Its keys, in the order of the class."""
    tables: tuple["Table", ...]
    """The tables in it, in the order of the class."""
    free: str = ""
    """What other keys mean, where the table takes any; empty where it does not, or they are the node's."""
    open: bool
    """Whether it may have keys that are not listed here."""
    only_for: tuple[str, ...] = ()
    """Kinds of compute that it has a meaning on; empty: all."""
    absent: Mapping[str, str]
    """Keys that other clouds' tables have, and why this one does not."""

    @property
    def dotted(self) -> str:
        """The path as TOML writes it."""
        return dotted(self.path)

    @property
    def provider(self) -> Provider | None:
        """The cloud that it belongs to; None if to all."""
        return _provider(self.path)

    def every_table(self) -> Iterator["Table"]:
        """This table and all in it, from the top."""
        yield self
        for table in self.tables:
            yield from table.every_table()

    def every_key(self) -> Iterator[Key]:
        """Its keys, and those of all tables in it."""
        for table in self.every_table():
            yield from table.keys

    def table(self, name: str) -> "Table":
        """A table in it.

        Args:
            name: its own name.

        Raises:
            KeyError: there is none of this name.
        """
        for table in self.tables:
            if table.path[-1] == name:
                return table
        raise KeyError(name)


@cache
def reference() -> Table:
    """The whole file."""
    return _table(AetherConfig, (), "")


@cache
def keys() -> Mapping[str, Key]:
    """Every key, by its dotted path, in the order of the classes."""
    return {key.dotted: key for key in reference().every_key()}


def plain(text: str) -> str:
    """A text without the addresses of sources in it."""
    return _ADDRESS.sub("", text)


def _provider(path: tuple[str, ...]) -> Provider | None:
    if len(path) > 1 and path[0] == "cloud" and path[1] in tuple(Provider):
        return Provider(path[1])
    return None


def _table(cl: type, path: tuple[str, ...], note: str) -> Table:
    """A table from its class.

    Args:
        cl: the class.
        path: where the table is.
        note: what the field says that holds it.
    """
    texts = _docs(cl)
    fields = [attribute for attribute in attrs.fields(cl) if path or table_class(attribute.type)]
    state = cl is StateConfig
    return Table(
        path=path,
        text=note if len(path) > 2 else _class_text(cl) or note,  # noqa: PLR2004 - a table of one cloud's
        note=note,
        keys=tuple(
            _key(cl, attribute, path, texts[attribute.name])
            for attribute in fields
            if table_class(attribute.type) is None and not (state and attribute.name == "settings")
        ),
        tables=tuple(
            _table(inner, (*path, toml_key(attribute)), texts[attribute.name])
            for attribute in fields
            if (inner := table_class(attribute.type)) is not None
        ),
        free=texts["settings"] if state else "",
        open=state or cl in OPEN_TABLES,
        only_for=_only_for(path),
        absent=cl.absent if issubclass(cl, CloudSection) else {},
    )


def _only_for(path: tuple[str, ...]) -> tuple[str, ...]:
    provider = _provider(path)
    if provider is None or len(path) < 3:  # noqa: PLR2004 - cloud, its name, the key
        return ()
    return tuple(ONLY_FOR.get(provider, {}).get(path[2], ()))


def _key(cl: type, attribute: "attrs.Attribute[Any]", path: tuple[str, ...], words: str) -> Key:
    kind, choices = _kind(attribute.type)
    checks: tuple[Check, ...] = attribute.metadata.get(CHECKS, ())
    for one in checks:
        if isinstance(one, OneOf) and kind is Kind.TEXT:
            choices = tuple(str(value) for value in one.values)
    if cl is StateConfig:
        choices = tuple(BACKENDS)
    text, _, source = _SOURCE.sub("\n", words, count=1).partition("\n")
    place = (*path, toml_key(attribute))
    provider = attribute.name == "provider"
    return Key(
        path=place,
        kind=kind,
        choices=choices,
        checks=checks,
        # what there is one table of needs no choice
        required=attribute.default is attrs.NOTHING and not provider,
        default=_default(attribute),
        example=attribute.metadata.get(EXAMPLE),
        only_for=_only_for(place),
        shared=issubclass(cl, CloudSection) and attribute in attrs.fields(CloudSection),
        text=text,
        source=source,
    )


def _default(attribute: "attrs.Attribute[Any]") -> Any:
    default: Any = attribute.default
    if default is attrs.NOTHING:
        return None
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type] # a class, but typed as a function
        default = default.factory()
    return list(default) if isinstance(default, tuple) else default


def _kind(type_: Any) -> tuple[Kind, tuple[str, ...]]:
    """What sort of value a field's type means, and its choices."""
    options = get_args(type_) if isinstance(type_, UnionType) or get_origin(type_) is not None else (type_,)
    if get_origin(type_) in {Literal, tuple, Mapping}:
        options = (type_,)
    options = tuple(option for option in options if option is not NoneType)
    if set(options) == {int, tuple[str, ...]}:
        return Kind.NUMBER_OR_TEXTS, ()
    (option,) = options
    origin = get_origin(option)
    if origin is Literal:
        return Kind.TEXT, get_args(option)
    if option is Provider:
        return Kind.TEXT, tuple(provider.value for provider in Provider)
    kinds: dict[Any, Kind] = {
        bool: Kind.SWITCH,
        int: Kind.NUMBER,
        str: Kind.TEXT,
        tuple: Kind.TEXTS,
        Mapping: Kind.TEXT_TABLE,
    }
    return kinds[origin or option], ()


def _class_text(cl: type) -> str:
    """What a table's class says of it, without its name in front; empty if that is all it says."""
    head = inspect.cleandoc(cl.__doc__ or "").split("\n\n", maxsplit=1)[0]
    text = re.sub(r"^`\[[^`]*\]`[:.]?\s*", "", " ".join(head.split()))
    return f"{text[:1].upper()}{text[1:]}" if text else ""


@cache
def _docs(cl: type) -> Mapping[str, str]:
    """The docstring under each field of a class, its bases' included, in one line."""
    found: dict[str, str] = {}
    for base in reversed(cl.__mro__):
        if attrs.has(base):
            body = _bodies(base.__module__)[base.__name__]
            for statement, following in pairwise(body):
                match statement, following:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str() as text)),
                    ):
                        found[name] = " ".join(text.split())
    return found


@cache
def _bodies(module: str) -> Mapping[str, list[ast.stmt]]:
    """The statements of each class of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
