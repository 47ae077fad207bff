"""What generated modules, classes and arguments are called."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from aether_infra.bindgen.document import Entity

_COMMON = frozenset(
    """
    SENSITIVE fqn get_any_map_attribute get_boolean_attribute get_boolean_map_attribute get_list_attribute
    get_number_attribute get_number_list_attribute get_number_map_attribute get_string_attribute
    get_string_map_attribute interpolation_for_attribute tf_change tf_read tf_schema to_string
    bool float self str
    """.split()  # noqa: SIM905  a list would be a page long
)
"""What every class has, or means in its annotations."""

_NESTED = "SCHEMA compute_fqn creation_stack interpolation_as_list resolve tf_given"

_ENTITY = """
    PROVIDER add_override cdktf_stack construct_node_metadata friendly_unique_id id_ is_construct
    is_terraform_element node override_logical_id raw_overrides reset_override_logical_id scope tf_arguments
    tf_declare tf_resource_type terraform_generator_metadata terraform_resource_type
    to_hcl_terraform to_metadata to_terraform with_
    """

_RESOURCE = """
    add_move_target connection count depends_on for_each generate_config_for_import has_resource_move import_from
    is_terraform_data_source is_terraform_resource lifecycle move_from_id move_to move_to_id provider provisioners
    terraform_meta_arguments
    """

_PROVIDER = "alias is_terraform_provider meta_attributes terraform_provider_source"

RESERVED = {
    "nested": _COMMON | {*_NESTED.split()},
    "resource": _COMMON | {*_ENTITY.split(), *_RESOURCE.split()},
    "data": _COMMON | {*_ENTITY.split(), *_RESOURCE.split()},
    "provider": _COMMON | {*_ENTITY.split(), *_PROVIDER.split()},
}
"""What already has a meaning, by the kind of class; a test compares this with cdktf."""


def python_names(names: Iterable[str], reserved: frozenset[str]) -> dict[str, str]:
    """Name arguments in Python: as Terraform does, with `_` at the end where that name has another meaning.

    Args:
        names: Terraform's names, all of one class.
        reserved: what has a meaning in that class.
    """
    found: dict[str, str] = {}
    for name in sorted(names):
        python = re.sub(r"\W", "_", name).lstrip("_") or "x"
        if python[0].isdigit():
            python = f"x_{python}"
        if keyword.iskeyword(python) or python in reserved or python[0].isupper():  # classes have capitals
            python += "_"
        while python in found.values():
            python += "_"
        found[name] = python
    return found


def camel_case(name: str) -> str:
    """Name a class: a capital at the start, after `_` and after a digit, as CDKTF's own generator does."""
    return re.sub(
        r"(^|[\W_]+|(?<=[0-9]))([a-zA-Z0-9]?)", lambda match: match[2].upper(), name
    )  # "ipv6cidr" is Ipv6Cidr


def module_name(entity: Entity, provider: str) -> str:
    """Name the module of an entity: its type without the provider's name; `data_` and the whole type for data.

    Args:
        entity: a resource, a data source, or the provider's configuration.
        provider: the provider's local name.
    """
    if entity.kind == "provider":
        return "provider"
    name = entity.type if entity.kind == "data" else _without(entity.type, provider)
    name = re.sub(r"\W", "_", f"data_{name}" if entity.kind == "data" else name)
    looks_like_data = entity.kind == "resource" and name.startswith(f"data_{provider}_")
    clashes = keyword.iskeyword(name) or name == "provider" or name[:1].isdigit() or looks_like_data
    return f"{name}_resource" if clashes else name


def _without(type_: str, provider: str) -> str:
    """A type without the name that the provider's types start with: that of google-beta is google."""
    for prefix in (provider, provider.partition("-")[0]):
        if type_.startswith(f"{prefix}_"):
            return type_.removeprefix(f"{prefix}_")
    return type_


def class_name(entity: Entity, provider: str) -> str:
    """Name the class of an entity."""
    if entity.kind == "provider":
        return f"{camel_case(provider)}Provider"
    name = camel_case(module_name(entity, provider))
    return f"_{name}" if name[:1].isdigit() else name


def unique(name: str, taken: set[str]) -> str:
    """The name, or the first of `name2`, `name3`… that is not taken; takes it."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}{count}"
    taken.add(found)
    return found
