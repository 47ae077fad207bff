"""What classes that `aether_infra.bindgen` generates have in common: resources, data sources, providers.

A generated class says what the provider's schema says, in descriptors such as `display_name = Text(OPTIONAL)`;
all else is here. Arguments are checked when an object is made, all at once (`ArgumentError`). Reading an
attribute gives a token that other arguments take; assigning to one changes the argument.

cdktf asks each resource for its arguments by a callback into Python (`synthesizeAttributes`), and says with it
whether it wants JSON or HCL. Handing them over by `add_override` takes one call to the kernel for each argument,
which is slower from the third on, and gives HCL a list of objects where a block must be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

import cdktf
import jsii
from attrs import frozen
from cdktf import (
    FileProvisioner,
    IResolvable,
    LocalExecProvisioner,
    RemoteExecProvisioner,
    SSHProvisionerConnection,
    TerraformCount,
    TerraformProvider,
    TerraformResourceLifecycle,
    Token,
    WinrmProvisionerConnection,
)
from constructs import Construct

from aether_infra.cdk.arguments import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    Argument,
    ArgumentError,
    Block,
    Collection,
    Kind,
    Schema,
    Struct,
    Trait,
    check,
)
from aether_infra.cdk.rendering import Hcl, Json
from aether_infra.errors import Problem

__all__ = [
    "BLOCK",
    "BOOL",
    "COMPUTED",
    "DEPRECATED",
    "DYNAMIC",
    "NUMBER",
    "OPTIONAL",
    "REQUIRED",
    "SECRET",
    "STRING",
    "WRITE_ONLY",
    "Anything",
    "ArgumentError",
    "Block",
    "Boolean",
    "BooleanMap",
    "Collection",
    "ComputedObject",
    "ComputedObjects",
    "ComputedObjectsByKey",
    "Connection",
    "Count",
    "DataSource",
    "Lifecycle",
    "Number",
    "NumberList",
    "NumberMap",
    "NumberSet",
    "Object",
    "ObjectReference",
    "Objects",
    "ObjectsByKey",
    "Provider",
    "ProviderSource",
    "Provisioner",
    "Resource",
    "Text",
    "TextList",
    "TextListMap",
    "TextMap",
    "TextSet",
    "constructor",
]

REQUIRED, OPTIONAL, COMPUTED = Trait.REQUIRED, Trait.OPTIONAL, Trait.COMPUTED
SECRET, DEPRECATED, WRITE_ONLY, BLOCK = Trait.SECRET, Trait.DEPRECATED, Trait.WRITE_ONLY, Trait.BLOCK

Count = float | TerraformCount
"""What `count` takes."""
Lifecycle = TerraformResourceLifecycle | Mapping[str, Any]
"""What `lifecycle` takes."""
Provisioner = FileProvisioner | LocalExecProvisioner | RemoteExecProvisioner
"""What `provisioners` takes."""
Connection = SSHProvisionerConnection | WinrmProvisionerConnection
"""What `connection` takes."""


@frozen
class ProviderSource:
    """Which provider classes were generated for."""

    name: str
    """Its local name, such as `oci`."""
    source: str
    """Its address in a registry, such as `oracle/oci`."""
    version: str
    """Its version, or a constraint; empty for any."""

    def metadata(self) -> cdktf.TerraformProviderGeneratorMetadata:
        """What cdktf wants to know of it."""
        version = self.version or None
        return cdktf.TerraformProviderGeneratorMetadata(
            provider_name=self.name, provider_version=version, provider_version_constraint=version
        )


# What is read and written

Parent = cdktf.TerraformResource | cdktf.TerraformDataSource | cdktf.ComplexObject
"""What has attributes that can be referred to."""

Read = TypeVar("Read")
Write = TypeVar("Write")


class Attribute(Argument, Generic[Read, Write]):
    """An attribute of a generated class: reading it gives a token, writing it changes the argument."""

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Read: ...
    def __get__(self, instance: object, owner: type) -> Self | Read:
        if instance is None:
            return self
        if isinstance(instance, Provider):
            return cast("Read", instance.tf_argument(self))
        if Trait.WRITE_ONLY in self.traits:
            raise AttributeError(
                f"{self.name} is write-only: Terraform does not store it, so nothing can refer to it"
            )
        return self.read(cast("Parent", instance))

    def __set__(self, instance: object, value: Write | None) -> None:
        if not isinstance(instance, _Declared):
            raise AttributeError(  # noqa: TRY004  as for any attribute that cannot be set
                f"{self.name} can only be read here: give it to the constructor of its resource"
            )
        instance.tf_change(self, value)

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


# Resources, data sources, providers

Parameters = ParamSpec("Parameters")
Made = TypeVar("Made")


def constructor(
    signature: Callable[Concatenate[Made, Parameters], None],
) -> Callable[Concatenate[Made, Parameters], None]:
    """The `__init__` of a generated class: its signature counts, its body is here.

    Python would refuse the first wrong name with an error of its own; so any name is taken, and all that is
    wrong is reported together.
    """

    @wraps(signature)
    def __init__(self: Any, scope: Construct, id_: str, **arguments: Any) -> None:  # noqa: N807
        self.tf_declare(scope, id_, arguments)

    return cast("Callable[Concatenate[Made, Parameters], None]", __init__)


class _Declared(Schema):
    """What has arguments in Terraform."""

    PROVIDER: ClassVar[ProviderSource]
    """The provider it was generated for."""
    tf_resource_type: ClassVar[str]
    """Terraform's name of the type, such as `oci_core_vcn`."""

    _META: ClassVar[frozenset[str]] = frozenset()
    _JSON: ClassVar = Json()
    _HCL: ClassVar = Hcl()
    _arguments: dict[str, Any]

    @property
    def tf_arguments(self) -> Mapping[str, Any]:
        """The arguments that are given, by their names in Python. They may hold secrets."""
        return dict(self._arguments)

    def tf_change(self, argument: Argument, value: Any) -> None:
        """Give an argument another value, None for none: what assigning to the attribute does."""
        schema = self.tf_schema()
        (name,) = (name for name, each in schema.items() if each is argument)
        problems = list(check({name: argument}, {name: value}))
        if problems:
            raise ArgumentError(type(self).__name__, problems)
        self._arguments = {**self._arguments, name: value}

    def _accept(self, id_: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Keep the arguments of the schema, checked; return those of Terraform itself."""
        schema, meta = self.tf_schema(), {}
        own = {name: value for name, value in arguments.items() if value is not None}
        for name in self._META & own.keys():
            meta[name] = own.pop(name)
        problems = list(check(schema, own))
        if "count" in meta and "for_each" in meta:
            problems.append(Problem(path="count", message="cannot stand beside for_each"))
        if problems:
            raise ArgumentError(f'{type(self).__name__} "{id_}"', problems)
        self._arguments = own
        return meta

    def _synthesize_attributes(self) -> dict[str, Any]:
        return self._JSON.body(self.tf_schema(), self._arguments)

    def _synthesize_hcl_attributes(self) -> dict[str, Any]:
        return self._HCL.body(self.tf_schema(), self._arguments)


class Resource(_Declared, cdktf.TerraformResource):
    """A resource."""

    _META = frozenset(
        {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}
    )

    def tf_declare(self, scope: Construct, id_: str, arguments: Mapping[str, Any]) -> None:
        """Declare it.

        Args:
            scope: what it is part of.
            id_: its name in there.
            arguments: the schema's and Terraform's own.

        Raises:
            ArgumentError: arguments that Terraform would refuse.
        """
        meta = self._accept(id_, arguments)
        cdktf.TerraformResource.__init__(
            self,
            scope,
            id_,
            terraform_resource_type=self.tf_resource_type,
            terraform_generator_metadata=self.PROVIDER.metadata(),
            **meta,
        )

    @classmethod
    def generate_config_for_import(
        cls,
        scope: Construct,
        import_to_id: str,
        import_from_id: str,
        provider: TerraformProvider | None = None,
    ) -> cdktf.ImportableResource:
        """Have Terraform write the configuration of what exists (`terraform plan -generate-config-out`).

        Args:
            scope: the stack.
            import_to_id: construct id of the resource that is to be written.
            import_from_id: the provider's id of what exists.
            provider: the provider to ask, if not the default one.
        """
        config = _Import(cls.tf_resource_type, import_from_id, provider)
        return cdktf.ImportableResource(scope, import_to_id, cast("cdktf.IImportableConfig", config))


@jsii.implements(cdktf.IImportableConfig)
class _Import:
    """What is to be imported."""

    def __init__(self, type_: str, id_: str, provider: TerraformProvider | None) -> None:
        self._values = (type_, id_, provider)

    @property
    def terraform_resource_type(self) -> str:
        return self._values[0]

    @property
    def import_id(self) -> str:
        return self._values[1]

    @property
    def provider(self) -> TerraformProvider | None:
        return self._values[2]


class DataSource(_Declared, cdktf.TerraformDataSource):
    """A data source."""

    _META = frozenset({"count", "depends_on", "for_each", "lifecycle", "provider"})

    def tf_declare(self, scope: Construct, id_: str, arguments: Mapping[str, Any]) -> None:
        """Declare it.

        Args:
            scope: what it is part of.
            id_: its name in there.
            arguments: the schema's and Terraform's own.

        Raises:
            ArgumentError: arguments that Terraform would refuse.
        """
        meta = self._accept(id_, arguments)
        cdktf.TerraformDataSource.__init__(
            self,
            scope,
            id_,
            terraform_resource_type=self.tf_resource_type,
            terraform_generator_metadata=self.PROVIDER.metadata(),
            **meta,
        )


class Provider(_Declared, cdktf.TerraformProvider):
    """A provider's configuration."""

    _META = frozenset({"alias"})
    _JSON = Json(wrap=Token.as_any)
    _HCL = Hcl(wrap=Token.as_any)
    _alias: str | None = None

    def tf_declare(self, scope: Construct, id_: str, arguments: Mapping[str, Any]) -> None:
        """Declare it.

        Args:
            scope: the stack.
            id_: its name in there.
            arguments: the schema's, and `alias`.

        Raises:
            ArgumentError: arguments that Terraform would refuse.
        """
        self._alias = self._accept(id_, arguments).get("alias")
        cdktf.TerraformProvider.__init__(
            self,
            scope,
            id_,
            terraform_resource_type=self.PROVIDER.name,
            terraform_generator_metadata=self.PROVIDER.metadata(),
            terraform_provider_source=self.PROVIDER.source,
        )

    @property
    def alias(self) -> str | None:
        """Its name beside another configuration of the same provider; None for the default one."""
        return self._alias

    @alias.setter
    def alias(self, value: str | None) -> None:
        self._alias = value

    def tf_argument(self, argument: Argument) -> Any:
        """The value that an argument was given.

        Raises:
            AttributeError: it was not given; a provider has nothing else to refer to.
        """
        for name, each in self.tf_schema().items():
            if each is argument and name in self._arguments:
                return self._arguments[name]
        raise AttributeError(f"{argument.name} was not given")
