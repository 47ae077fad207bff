"""Attributes of generated classes: what reading one refers to.

    display_name = Text(OPTIONAL | COMPUTED)

says that there is an argument `display_name`, which takes text; and `instance.display_name` is a token of text,
which other arguments take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar, cast, overload

import cdktf
from cdktf import IResolvable, Token

from aether_infra.cdk.arguments import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    Argument,
    Block,
    Collection,
    Kind,
    Schema,
    Struct,
    Trait,
)

Parent = cdktf.TerraformResource | cdktf.TerraformDataSource | cdktf.ComplexObject
"""What has attributes that can be referred to."""

Read = TypeVar("Read")
Write = TypeVar("Write")


class Owner(Protocol):
    """What has attributes."""

    def tf_read(self, attribute: Attribute[Any, Any]) -> Any:
        """What reading one gives."""

    def tf_change(self, attribute: Attribute[Any, Any], value: Any) -> None:
        """Give one another value."""


class Attribute(Argument, Generic[Read, Write]):
    """An attribute of a generated class: reading it gives a token, writing it changes the argument."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Read: ...
    def __get__(self, instance: object, owner: type) -> Self | Read:
        return self if instance is None else cast("Read", cast("Owner", instance).tf_read(self))

    def __set__(self, instance: object, value: Write | None) -> None:
        cast("Owner", instance).tf_change(self, value)

    def refer(self, parent: Parent) -> Read:
        """Refer to the attribute of what Terraform knows.

        Raises:
            AttributeError: Terraform does not know it.
        """
        if Trait.WRITE_ONLY in self.traits:
            raise AttributeError(
                f"{self.name} is write-only: Terraform does not store it, nothing can refer to it"
            )
        return self.read(parent)

    def read(self, parent: Parent) -> Read:
        """Refer to the attribute."""
        raise NotImplementedError


class Text(Attribute[str, str]):
    """Text."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(STRING, traits, name)

    def read(self, parent: Parent) -> str:
        """Refer to the text."""
        return parent.get_string_attribute(self.name)


class Number(Attribute[float, float]):
    """A number."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(NUMBER, traits, name)

    def read(self, parent: Parent) -> float:
        """Refer to the number."""
        return cast("float", parent.get_number_attribute(self.name))


class Boolean(Attribute[IResolvable, bool | IResolvable]):
    """A truth value."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(BOOL, traits, name)

    def read(self, parent: Parent) -> IResolvable:
        """Refer to the truth value."""
        return parent.get_boolean_attribute(self.name)


class TextList(Attribute[list[str], Sequence[str] | IResolvable]):
    """A list of text."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("list", STRING), traits, name)

    def read(self, parent: Parent) -> list[str]:
        """Refer to the list."""
        return parent.get_list_attribute(self.name)


class TextSet(Attribute[list[str], Sequence[str] | IResolvable]):
    """A set of text; reading it gives a list."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("set", STRING), traits, name)

    def read(self, parent: Parent) -> list[str]:
        """Refer to the set, as a list."""
        return cdktf.Fn.tolist(parent.get_list_attribute(self.name))


class NumberList(Attribute[list[float], Sequence[float] | IResolvable]):
    """A list of numbers."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("list", NUMBER), traits, name)

    def read(self, parent: Parent) -> list[float]:
        """Refer to the list."""
        return cast("list[float]", parent.get_number_list_attribute(self.name))


class NumberSet(Attribute[list[float], Sequence[float] | IResolvable]):
    """A set of numbers; reading it gives a list."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("set", NUMBER), traits, name)

    def read(self, parent: Parent) -> list[float]:
        """Refer to the set, as a list."""
        as_list = cdktf.Fn.tolist(parent.interpolation_for_attribute(self.name))
        return cast("list[float]", Token.as_number_list(as_list))


class TextMap(Attribute[cdktf.StringMap, Mapping[str, str] | IResolvable]):
    """A map of text: `lookup(key)` refers to one value."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("map", STRING), traits, name)

    def read(self, parent: Parent) -> cdktf.StringMap:
        """Refer to the map."""
        return cdktf.StringMap(parent, self.name)


class NumberMap(Attribute[cdktf.NumberMap, Mapping[str, float] | IResolvable]):
    """A map of numbers: `lookup(key)` refers to one value."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("map", NUMBER), traits, name)

    def read(self, parent: Parent) -> cdktf.NumberMap:
        """Refer to the map."""
        return cdktf.NumberMap(parent, self.name)


class BooleanMap(Attribute[cdktf.BooleanMap, Mapping[str, bool | IResolvable] | IResolvable]):
    """A map of truth values: `lookup(key)` refers to one value."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("map", BOOL), traits, name)

    def read(self, parent: Parent) -> cdktf.BooleanMap:
        """Refer to the map."""
        return cdktf.BooleanMap(parent, self.name)


class TextListMap(Attribute["ListsByKey", Mapping[str, Sequence[str] | IResolvable] | IResolvable]):
    """A map of lists of text: `get(key)` refers to one list."""

    def __init__(self, traits: int, name: str = "") -> None:
        super().__init__(Collection("map", Collection("list", STRING)), traits, name)

    def read(self, parent: Parent) -> ListsByKey:
        """Refer to the map."""
        return ListsByKey(parent, self.name)


class ListsByKey(cdktf.StringListMap):
    """Refers to a map of lists of text."""

    def get(self, key: str) -> list[str]:
        """Refer to one list."""
        return super().get(f'"{key}"')  # cdktf leaves the quotes out


class Anything(Attribute[IResolvable, Any]):
    """A value of another type, such as a list of lists; `cdktf.property_access` refers to what is in it."""

    def __init__(self, traits: int, kind: Kind = DYNAMIC, name: str = "") -> None:
        super().__init__(kind, traits, name)

    def read(self, parent: Parent) -> IResolvable:
        """Refer to the value."""
        return parent.interpolation_for_attribute(self.name)


# Objects

Reference = TypeVar("Reference", bound="ObjectReference")
Given = TypeVar("Given", bound=Block)


class ObjectReference(Schema, cdktf.ComplexObject):
    """Refers to an object: each of its attributes is a token."""

    def __init__(self, parent: Parent, name: str, index: int | None = None, *, in_set: bool = False) -> None:
        super().__init__(parent, name, in_set, index)

    def tf_read(self, attribute: Attribute[Any, Any]) -> Any:
        """Refer to an attribute: what reading it does."""
        return attribute.refer(self)

    def tf_change(self, attribute: Attribute[Any, Any], value: Any) -> None:
        """Refuse to change an attribute: what assigning to it does."""
        del value
        raise AttributeError(
            f"{attribute.name} can only be read here: give it to the constructor of its resource"
        )


class ObjectList(cdktf.ComplexList, Generic[Reference]):
    """Refers to a list of objects."""

    def __init__(self, parent: Parent, name: str, reference: type[Reference], *, is_set: bool) -> None:
        self._reference = (parent, name, reference, is_set)
        super().__init__(parent, name, is_set)

    def get(self, index: int) -> Reference:
        """Refer to one object; the first has the index 0."""
        parent, name, reference, is_set = self._reference
        return reference(parent, name, index, in_set=is_set)


class ObjectMap(cdktf.ComplexMap, Generic[Reference]):
    """Refers to a map of objects."""

    def __init__(self, parent: Parent, name: str, reference: type[Reference]) -> None:
        self._reference = (parent, name, reference)
        super().__init__(parent, name)

    def get(self, key: str) -> Reference:
        """Refer to one object."""
        parent, name, reference = self._reference
        return reference(parent, f'{name}["{key}"]')


class Object(Attribute[Reference, Given | IResolvable], Generic[Reference, Given]):
    """One object.

    Args:
        reference: what refers to it.
        block: what is given.
        traits: what the schema says of it.
        mode: what Terraform keeps it in, if it does: a list or set of at most one.
        name: Terraform's name, where the one in Python differs.
        complete: whether Terraform wants every attribute, `null` where nothing is given.
    """

    def __init__(
        self,
        reference: type[Reference],
        block: type[Given],
        traits: int,
        mode: str = "",
        name: str = "",
        *,
        complete: bool = False,
    ) -> None:
        super().__init__(Struct(reference, block, complete), traits, name)
        self._read = (reference, mode)

    def read(self, parent: Parent) -> Reference:
        """Refer to the object."""
        return _refer(parent, self.name, *self._read)


class ComputedObject(Attribute[Reference, Any], Generic[Reference]):
    """One object that cannot be given."""

    def __init__(self, reference: type[Reference], traits: int, mode: str = "", name: str = "") -> None:
        super().__init__(Struct(reference), traits, name)
        self._read = (reference, mode)

    def read(self, parent: Parent) -> Reference:
        """Refer to the object."""
        return _refer(parent, self.name, *self._read)


def _refer(parent: Parent, name: str, reference: type[Reference], mode: str) -> Reference:
    return reference(parent, name, 0 if mode else None, in_set=mode == "set")


class Objects(Attribute[ObjectList[Reference], Sequence[Given] | IResolvable], Generic[Reference, Given]):
    """A list or set of objects.

    Args:
        reference: what refers to one of them.
        block: what is given for one.
        traits: what the schema says of them.
        mode: what Terraform keeps them in: list or set.
        name: Terraform's name, where the one in Python differs.
        min_items: fewest of them.
        max_items: most of them; None for any number.
        complete: whether Terraform wants every attribute, `null` where nothing is given.
    """

    def __init__(
        self,
        reference: type[Reference],
        block: type[Given],
        traits: int,
        mode: str,
        name: str = "",
        *,
        min_items: int = 0,
        max_items: int | None = None,
        complete: bool = False,
    ) -> None:
        kind = Collection(mode, Struct(reference, block, complete))
        super().__init__(kind, traits, name, min_items=min_items, max_items=max_items)
        self._read = (reference, mode == "set")

    def read(self, parent: Parent) -> ObjectList[Reference]:
        """Refer to the objects."""
        reference, is_set = self._read
        return ObjectList(parent, self.name, reference, is_set=is_set)


class ComputedObjects(Attribute[ObjectList[Reference], Any], Generic[Reference]):
    """A list or set of objects that cannot be given."""

    def __init__(self, reference: type[Reference], traits: int, mode: str, name: str = "") -> None:
        super().__init__(Collection(mode, Struct(reference)), traits, name)
        self._read = (reference, mode == "set")

    def read(self, parent: Parent) -> ObjectList[Reference]:
        """Refer to the objects."""
        reference, is_set = self._read
        return ObjectList(parent, self.name, reference, is_set=is_set)


class ObjectsByKey(
    Attribute[ObjectMap[Reference], Mapping[str, Given] | IResolvable], Generic[Reference, Given]
):
    """A map of objects, or blocks with a label each; the arguments are those of `Objects`."""

    def __init__(
        self,
        reference: type[Reference],
        block: type[Given],
        traits: int,
        name: str = "",
        *,
        min_items: int = 0,
        max_items: int | None = None,
        complete: bool = False,
    ) -> None:
        kind = Collection("map", Struct(reference, block, complete))
        super().__init__(kind, traits, name, min_items=min_items, max_items=max_items)
        self._reference = reference

    def read(self, parent: Parent) -> ObjectMap[Reference]:
        """Refer to the objects."""
        return ObjectMap(parent, self.name, self._reference)


class ComputedObjectsByKey(Attribute[ObjectMap[Reference], Any], Generic[Reference]):
    """A map of objects that cannot be given."""

    def __init__(self, reference: type[Reference], traits: int, name: str = "") -> None:
        super().__init__(Collection("map", Struct(reference)), traits, name)
        self._reference = reference

    def read(self, parent: Parent) -> ObjectMap[Reference]:
        """Refer to the objects."""
        return ObjectMap(parent, self.name, self._reference)
