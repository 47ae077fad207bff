"""What classes that `aether_infra.bindgen` generates have in common: resources, data sources, providers.

A generated class says what the provider's schema says, in descriptors such as `display_name = Text(OPTIONAL)`;
all else is here. Arguments are checked when an object is made, all at once (`ArgumentError`). Reading an
attribute gives a token that other arguments take; assigning to one changes the argument.

cdktf asks each resource for its arguments by a callback into Python (`synthesizeAttributes`), and says with it
whether it wants JSON or HCL. Handing them over by `add_override` takes one call to the kernel for each argument,
which is slower from the third on, and gives HCL a list of objects where a block must be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

import cdktf
import jsii
from attrs import frozen
from cdktf import (
    FileProvisioner,
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
    ArgumentError,
    Block,
    Collection,
    Schema,
    Trait,
    check,
)
from aether_infra.cdk.attributes import (
    Anything,
    Attribute,
    Boolean,
    BooleanMap,
    ComputedObject,
    ComputedObjects,
    ComputedObjectsByKey,
    Number,
    NumberList,
    NumberMap,
    NumberSet,
    Object,
    ObjectReference,
    Objects,
    ObjectsByKey,
    Parent,
    Text,
    TextList,
    TextListMap,
    TextMap,
    TextSet,
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

    def tf_read(self, attribute: Attribute[Any, Any]) -> Any:
        """Refer to an attribute: what reading it does."""
        return attribute.refer(cast("Parent", self))

    @property
    def tf_arguments(self) -> Mapping[str, Any]:
        """The arguments that are given, by their names in Python. They may hold secrets."""
        return dict(self._arguments)

    def tf_change(self, attribute: Attribute[Any, Any], value: Any) -> None:
        """Give an argument another value, None for none: what assigning to it does.

        Raises:
            ArgumentError: Terraform would refuse it.
        """
        schema = self.tf_schema()
        (name,) = (name for name, each in schema.items() if each is attribute)
        problems = list(check({name: attribute}, {name: value}))
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

    def tf_read(self, attribute: Attribute[Any, Any]) -> Any:
        """The value that an argument was given: what reading it does.

        Raises:
            AttributeError: it was not given; a provider has nothing else to refer to.
        """
        for name, each in self.tf_schema().items():
            if each is attribute and name in self._arguments:
                return self._arguments[name]
        raise AttributeError(f"{attribute.name} was not given")
