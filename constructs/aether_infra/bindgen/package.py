"""Writes the package of a provider: a module for each resource and data source, and an `__init__` that is lazy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from aether_infra.bindgen.document import Entity, Provider, SchemaError
from aether_infra.bindgen.names import class_name, module_name, unique
from aether_infra.bindgen.text import HEADER, Module, write_module

_MARK = HEADER.partition(" from ")[0]

_INIT = '''\
"""Classes of {label}, each in a module of its own: importing one loads that one only."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aether_infra.cdk.generated import ProviderSource

if TYPE_CHECKING:
{imports}

SOURCE = ProviderSource(name="{name}", source="{source}", version="{version}")

_MODULES = {{
{modules}
}}


if not TYPE_CHECKING:  # a type checker would take any name

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return getattr(import_module(f"{{__name__}}.{{_MODULES[name]}}"), name)
        if name in _MODULES.values():
            return import_module(f"{{__name__}}.{{name}}")
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")


def __dir__() -> list[str]:
    return sorted({{*globals(), *_MODULES, *_MODULES.values()}})
'''


def generate(provider: Provider, entities: Iterable[Entity], version: str = "") -> dict[str, str]:
    """Write a package.

    Args:
        provider: whose classes they are.
        entities: what it holds.
        version: the provider's version or a constraint, for `required_providers`; empty for any.

    Returns:
        The text of each file, by its name.
    """
    label = f"{provider.source} {version}".strip()
    modules, names, classes = [], {"__init__"}, set[str]()
    for entity in entities:
        name = unique(module_name(entity, provider.name), names)
        own_class = unique(class_name(entity, provider.name), classes)
        modules.append(write_module(entity, name=name, class_name=own_class, label=label))
    modules.sort(key=lambda module: module.name)
    files = {f"{module.name}.py": module.text for module in modules}
    return files | {"__init__.py": _init(provider, modules, version, label)}


def _init(provider: Provider, modules: Iterable[Module], version: str, label: str) -> str:
    pairs = [(module.name, module.class_name) for module in modules]
    return HEADER.format(label=label) + _INIT.format(
        label=label,
        name=provider.name,
        source=provider.source,
        version=version,
        imports="\n".join(f"    from .{name} import {made} as {made}" for name, made in pairs),
        modules="\n".join(
            f'    "{made}": "{name}",' for name, made in sorted(pairs, key=lambda pair: pair[1])
        ),
    )


def differences(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Names of the files in a folder that are not as they would be written.

    Args:
        folder: where the package is.
        files: what it should hold.

    Raises:
        SchemaError: a file there was not generated, and would be overwritten.
    """
    there = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    foreign = [name for name, text in there.items() if text.strip() and not text.startswith(_MARK)]
    if foreign:
        raise SchemaError(f"{folder} holds files that were not generated: {', '.join(foreign)}")
    return sorted(name for name in there.keys() | files.keys() if there.get(name) != files.get(name))


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write a package, and remove what an earlier run wrote and this one did not.

    Args:
        folder: where to; made if missing.
        files: what it should hold.

    Returns:
        Names of the files that changed.

    Raises:
        SchemaError: a file there was not generated; nothing is written then.
    """
    changed = differences(folder, files)
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8", newline="\n")
        else:
            (folder / name).unlink()
    return changed
