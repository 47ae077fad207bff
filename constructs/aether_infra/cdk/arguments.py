"""Arguments of generated classes: what a schema says of each, and whether a value fits.

A value fits where Terraform would take it. Tokens and expressions (`${…}`) fit everywhere, as only Terraform
knows what they are. All that is wrong with one object is reported at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntFlag, auto
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import fields_dict, frozen

from aether_infra.config.words import dotted, nearest, show
from aether_infra.errors import AetherInfraError, Problem


class Trait(IntFlag):
    """What a schema says of an argument."""

    REQUIRED = auto()
    """It must be given."""
    OPTIONAL = auto()
    """It may be given."""
    COMPUTED = auto()
    """The provider knows its value, unless it is given; alone: it cannot be given."""
    SECRET = auto()
    """Its value is sensitive, so neither errors nor `repr` show it."""
    DEPRECATED = auto()
    """The provider will drop it."""
    WRITE_ONLY = auto()
    """Terraform never stores it, so that nothing can refer to it."""
    BLOCK = auto()
    """Terraform writes it as blocks, not as a value."""


class ArgumentError(AetherInfraError, TypeError):
    """Arguments of a generated class that Terraform would refuse.

    Args:
        subject: the class, and the construct's id where it has one.
        problems: every problem found, at least one.
    """

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.subject = subject
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(subject, self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.subject}: {count} problem{'' if count == 1 else 's'}"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


def is_token(value: object) -> bool:
    """Whether only Terraform knows what a value is."""
    match value:
        case str():
            return "${" in value
        case [str() as only]:
            return only.startswith("#{TfToken[")
        case Mapping():
            return any(isinstance(key, str) and key.startswith("${TfToken[") for key in value)
        case _:
            return not isinstance(value, type) and callable(getattr(value, "resolve", None))


_Path = tuple[str | int, ...]


@frozen
class Scalar:
    """The type of text, a number, a truth value, or of anything (`dynamic`)."""

    name: str
    """Terraform's name of it."""

    _WORDS: ClassVar = {
        "string": ("text", "text"),
        "number": ("a number", "numbers"),
        "bool": ("True or False", "True or False"),
        "dynamic": ("anything", "anything"),
    }

    @property
    def words(self) -> str:
        """What it is called."""
        return self._WORDS[self.name][0]

    @property
    def plural(self) -> str:
        """What several are called."""
        return self._WORDS[self.name][1]

    def check(self, value: object, path: _Path, secret: bool) -> Iterator[Problem]:  # noqa: FBT001
        """Say what is wrong with a value."""
        if not self._fits(value):
            yield _wrong(self, value, path, secret)

    def _fits(self, value: object) -> bool:
        match self.name, value:
            case "dynamic", _:
                return True
            case "number", bool():
                return False
            case "number", int() | float():
                return math.isfinite(value)
            case _:
                return isinstance(value, str if self.name == "string" else bool) and self.name != "number"


@frozen
class Collection:
    """The type of a list, set or map."""

    mode: str
    """Terraform's name of it: list, set, map."""
    item: Kind
    """Type of what it holds."""

    @property
    def words(self) -> str:
        """What it is called."""
        return f"a {'mapping of text to' if self.mode == 'map' else 'sequence of'} {self.item.plural}"

    @property
    def plural(self) -> str:
        """What several are called."""
        return f"{'mappings of text to' if self.mode == 'map' else 'sequences of'} {self.item.plural}"

    def check(self, value: object, path: _Path, secret: bool) -> Iterator[Problem]:  # noqa: FBT001
        """Say what is wrong with a value and what it holds."""
        pairs: Iterable[tuple[str | int, object]]
        if self.mode == "map" and isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            pairs = value.items()
        elif self.mode != "map" and isinstance(value, Sequence) and not isinstance(value, str | bytes):
            pairs = enumerate(value)
        else:
            yield _wrong(self, value, path, secret)
            return
        for key, item in pairs:
            if not is_token(item):
                yield from self.item.check(item, (*path, key), secret)


@frozen
class Struct:
    """The type of an object with attributes: a nested block, a nested attribute."""

    schema: type[Schema]
    """What the attributes are."""
    block: type[Block] | None = None
    """The class to give; None where nothing can be given."""
    complete: bool = False
    """Whether Terraform wants every attribute, `null` where nothing is given."""

    @property
    def words(self) -> str:
        """What it is called."""
        return self.block.__name__ if self.block else "an object"

    @property
    def plural(self) -> str:
        """What several are called."""
        return self.words

    def check(self, value: object, path: _Path, secret: bool) -> Iterator[Problem]:  # noqa: FBT001
        """Say what is wrong with a value; what is in a block was checked when it was made."""
        if self.block is None or not isinstance(value, self.block):
            yield _wrong(self, value, path, secret)


Kind = Scalar | Collection | Struct

STRING, NUMBER, BOOL, DYNAMIC = Scalar("string"), Scalar("number"), Scalar("bool"), Scalar("dynamic")


def _wrong(kind: Kind, value: object, path: _Path, secret: bool) -> Problem:  # noqa: FBT001
    if secret:
        got, hint = "something else, which is not shown as it may be a secret", ""
    else:
        got, hint = _got(value), _hint(kind, value)
    return Problem(path=dotted(path), message=f"must be {kind.words}, got {got}", hint=hint)


def _got(value: object) -> str:
    if isinstance(value, str | bool | int | float | Mapping | list | tuple | None):
        return show(value)
    return type(value).__name__ if isinstance(value, Block) else f"an object of {type(value).__name__}"


def _hint(kind: Kind, value: object) -> str:
    """How to make a value fit."""
    match kind, value:
        case Collection(mode="list" | "set"), str() | int() | float() | Block():
            return "one alone goes in [ ]"
        case Struct(block=type() as block), Mapping():
            return f"write {block.__name__}(…)"
        case Scalar("string"), int() | float() if abs(value) > _LEAST_TOKEN:
            return "this is a number token: cdktf.Fn.tostring makes text of it"
        case Scalar("string"), int() | float() if not isinstance(value, bool):
            return f'write "{value}"'
        case _:
            return ""


_LEAST_TOKEN = 1e280
"""cdktf's number tokens are numbers that nobody uses, of about -1.9e289."""


class Argument:
    """What a schema says of one argument or attribute.

    Args:
        kind: type of its value.
        traits: whether it must, may or cannot be given, and what else is said of it.
        name: Terraform's name, where the one in Python differs.
        min_items: fewest items of blocks.
        max_items: most items of blocks; None for any number.
    """

    def __init__(
        self, kind: Kind, traits: int, name: str = "", *, min_items: int = 0, max_items: int | None = None
    ) -> None:
        self.kind = kind
        self.traits = Trait(traits)
        self.name = name
        self.min_items = min_items
        self.max_items = max_items

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    @property
    def can_be_given(self) -> bool:
        """Whether it is an argument, and not only an attribute of what exists."""
        return bool(self.traits & (Trait.REQUIRED | Trait.OPTIONAL))

    @property
    def is_block(self) -> bool:
        """Whether Terraform writes it as blocks."""
        return Trait.BLOCK in self.traits

    def check(self, value: object, python_name: str) -> Iterator[Problem]:
        """Say what is wrong with a value."""
        if is_token(value):
            if self.is_block and isinstance(self.kind, Collection) and self.kind.mode == "map":
                yield Problem(
                    path=python_name, message="must be a mapping of blocks, a token cannot stand for it"
                )
            return
        yield from self.kind.check(value, (python_name,), Trait.SECRET in self.traits)
        if isinstance(self.kind, Collection) and isinstance(value, Sequence | Mapping):
            most = math.inf if self.max_items is None else self.max_items
            if not isinstance(value, str) and not self.min_items <= len(value) <= most:
                yield Problem(path=python_name, message=f"{self._bounds()}, got {len(value)}")

    def _bounds(self) -> str:
        if self.max_items is None:
            return f"must have at least {self.min_items} item{'' if self.min_items == 1 else 's'}"
        if self.min_items == self.max_items:
            return f"must have exactly {self.min_items} items"
        return f"must have {self.min_items} to {self.max_items} items"


class Schema:
    """A class whose descriptors say which arguments there are."""

    SENSITIVE: ClassVar[frozenset[str]] = frozenset()
    """Its own arguments and attributes that are secrets."""

    @classmethod
    def tf_schema(cls) -> Mapping[str, Argument]:
        """The arguments and attributes by their names in Python."""
        if "_schema" not in cls.__dict__:
            pairs = [pair for each in reversed(cls.__mro__) for pair in vars(each).items()]
            cls._schema = {name: value for name, value in pairs if isinstance(value, Argument)}
        return cls._schema

    _schema: ClassVar[Mapping[str, Argument]]


def check(schema: Mapping[str, Argument], arguments: Mapping[str, object]) -> Iterator[Problem]:
    """Say everything that is wrong with arguments, in the order of their names.

    Args:
        schema: what there is, by the names in Python.
        arguments: what is given; None for what is not.
    """
    for name in sorted(schema.keys() | arguments.keys()):
        argument, value = schema.get(name), arguments.get(name)
        if argument is None:
            yield _unknown(name, schema)
        elif value is not None and not argument.can_be_given:
            yield Problem(path=name, message="is known to the provider only and cannot be given")
        elif value is not None:
            yield from argument.check(value, name)
        elif Trait.REQUIRED in argument.traits:
            yield Problem(path=name, message=f"is required: {argument.kind.words}")


def _unknown(name: str, schema: Mapping[str, Argument]) -> Problem:
    known = [each for each, argument in schema.items() if argument.can_be_given]
    renamed = [each for each in known if schema[each].name == name]
    hint = f'it is called "{renamed[0]}" here' if renamed else nearest(name, known)
    return Problem(path=name, message="there is no such argument", hint=hint)


class _CheckedClass(type):
    """Checks the arguments of a block before Python does, which would stop at the first."""

    if not TYPE_CHECKING:  # for types, the class's own __init__ counts

        def __call__(cls, *positional: object, **arguments: object) -> Any:
            problems = list(check(cls.SCHEMA.tf_schema(), arguments)) if not positional else ()
            if problems:
                raise ArgumentError(cls.__name__, problems)
            return super().__call__(*positional, **arguments)


@frozen(kw_only=True)
class Block(metaclass=_CheckedClass):
    """Arguments of a nested block, checked when it is made.

    Raises:
        ArgumentError: arguments that Terraform would refuse.
    """

    SCHEMA: ClassVar[type[Schema]]

    def tf_given(self) -> dict[str, Any]:
        """The arguments that are given, by their names in Python."""
        values = {name: getattr(self, name) for name in fields_dict(type(self))}
        return {name: value for name, value in values.items() if value is not None}
