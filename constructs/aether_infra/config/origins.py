"""Every value of a configuration, and where it is from: the file, the environment, a default, or other values."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import attrs
from attrs import frozen

from aether_infra.catalog import aws as aws_catalog
from aether_infra.catalog import digitalocean as digitalocean_catalog
from aether_infra.config.credentials import WORDS, secret_value
from aether_infra.config.doubts import DOUBTS
from aether_infra.config.environment import REFERENCE
from aether_infra.config.model import AetherConfig
from aether_infra.config.node import CORE_SIZES
from aether_infra.config.provider import Provider
from aether_infra.config.reference import Key, Kind, Table, reference
from aether_infra.config.rule import run
from aether_infra.config.rules import RULES
from aether_infra.config.section import CloudSection
from aether_infra.config.sizing import (
    HEAP_SHARE_PERCENT,
    OVERHEAD_MIB,
    architecture,
    fargate_size,
    heap_mib,
    node_memory_mib,
)
from aether_infra.config.tables import ours
from aether_infra.config.toml_text import toml_value
from aether_infra.config.words import dotted, listing
from aether_infra.config.zones import aws_zones, azure_zones, gcp_zones, oracle_zones
from aether_infra.core.node import UPSTREAM_IMAGE

MACHINES: Final = frozenset({"ec2", "vm"})
"""Kinds of compute whose nodes find out on their machine how much memory there is."""
WIDEST: Final = 44
"""Characters of a line that comments are put behind in one column; longer lines push theirs out."""
_CLUSTER_NAME: Final = re.compile(r"`<cluster>([\w-]*)`")
_SECRET_OPTION: Final = re.compile(rf"(?:{WORDS})=", re.IGNORECASE)


MANAGER: Final = frozenset(
    key.path for key in reference().table("cloud").table("manager").keys if key.name != "enabled"
)
"""Keys that mean nothing as long as there is no manager."""


class Origin(StrEnum):
    """Where a value is from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    DEFAULT = "default"
    DERIVED = "derived"


@frozen(kw_only=True)
class Value:
    """A key and what holds for it."""

    path: tuple[str, ...]
    """From the top of the file."""
    value: Any
    """As TOML has it: what the file says, references to the environment as they are. None: there is none, or it is
    known later, or it is a secret."""
    origin: Origin
    """Where it is from."""
    how: str = ""
    """What it follows from, in words; of the environment, the names of the variables."""
    stated: bool
    """Whether the file may say it and mean the same."""
    hidden: bool = False
    """Whether it is kept back, as it looks like a secret."""

    @property
    def dotted(self) -> str:
        """The path as TOML writes it."""
        return dotted(self.path)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        shown = {"path": self.dotted, "value": self.value, "origin": self.origin.value, "how": self.how}
        return shown | ({"hidden": True} if self.hidden else {})


@frozen
class Found:
    """What follows from other values."""

    value: Any = None
    """The value; None where it is known later, or differs from cloud to cloud."""
    how: str = ""
    """What it follows from, in words; empty: the reference says it."""


@frozen
class Derivation:
    """How a value that nobody gave follows from others."""

    find: Callable[[AetherConfig], Found | None]
    """What follows; None where nothing does."""
    reads: tuple[str, ...] = ()
    """Keys whose text it would repeat."""


def explain(config: AetherConfig, tables: Mapping[str, Any]) -> tuple[Value, ...]:
    """Every value that means something in a configuration.

    Args:
        config: the configuration.
        tables: the file's own tables, from which it was made.

    Returns:
        The values, in the order of the reference; none of clouds that have no table, nor of keys without a meaning on
        the kind of compute that is chosen.
    """
    raw = ours(tables)
    found = [value for table in _tables(config) for value in _values(config, table, raw)]
    idle = _idle(config, {value.dotted for value in found if value.stated} - config.given)
    return tuple(value for value in found if value.dotted not in idle)


def nodes_own(tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Dotted paths of the tables and keys of a file that are the node's alone.

    Args:
        tables: the file's tables.
    """
    return tuple(_foreign(tables, ours(tables), ()))


def normalized(values: Iterable[Value], own: Iterable[str] = ()) -> str:
    """A configuration as TOML that loads to the same, with the origin of each value behind it.

    Args:
        values: what `explain` gives.
        own: what `nodes_own` gives: it is named, as it is not repeated here.
    """
    lines = [
        "# Each value, and where it is from. Values in comments follow from the others, or are known later."
    ]
    if names := listing(own):
        lines.append(f"# Not repeated here, as it is the node's alone: {names}.")
    table: tuple[str, ...] | None = None
    by_table: dict[tuple[str, ...], list[Value]] = {}
    for value in values:
        by_table.setdefault(value.path[:-1], []).append(value)
    for table, members in by_table.items():
        lines += ["", f"[{dotted(table)}]", *_lines(members)]
    return "\n".join(lines) + "\n"


def _lines(values: list[Value]) -> Iterator[str]:
    said = [_said(value) for value in values]
    width = max(min(len(text), WIDEST) for text in said)
    for text, value in zip(said, values, strict=True):
        how = f": {value.how}" if value.how else ""
        yield f"{text:<{width}}  # {value.origin}{how}"


def _said(value: Value) -> str:
    if value.hidden:
        return f"# {dotted(value.path[-1:])} = (not shown: it looks like a secret)"
    shown = "" if value.value is None else f" {toml_value(value.value)}"
    return f"{'' if value.stated else '# '}{dotted(value.path[-1:])} ={shown}"


def _tables(config: AetherConfig) -> Iterator[Table]:
    for table in reference().every_table():
        provider = table.provider
        if provider is None or (provider in config.sections and _applies(config, provider, table.only_for)):
            yield table


def _applies(config: AetherConfig, provider: Provider | None, only_for: tuple[str, ...]) -> bool:
    return provider is None or not only_for or config.section(provider).compute in only_for


def _values(config: AetherConfig, table: Table, raw: Mapping[str, Any]) -> Iterator[Value]:
    written: Any = raw
    for step in table.path:
        written = written.get(step, {})
    for key in table.keys:
        if key.name in written:
            yield _given(config, key.path, written[key.name])
        elif key.path in MANAGER and not config.cloud.manager.enabled:
            continue
        elif _applies(config, table.provider, key.only_for):
            yield from _filled_in(config, key)
    if table.free:
        known = {key.name for key in table.keys}
        for name in sorted(written.keys() - known):
            yield _given(config, (*table.path, name), written[name])


def _given(config: AetherConfig, path: tuple[str, ...], written: Any) -> Value:
    """What the file says."""
    names = list(dict.fromkeys(_variables(written)))
    origin = Origin.ENVIRONMENT if names else Origin.FILE
    how = listing(names)
    if not names and (zones := _zones(config, path)):
        how = zones
    hidden = _secret(written)
    return Value(
        path=path,
        value=None if hidden else written,
        origin=origin,
        how=how,
        stated=not hidden,
        hidden=hidden,
    )


def _variables(value: Any) -> Iterator[str]:
    """Names of the environment variables that a value refers to."""
    match value:
        case str():
            yield from REFERENCE.findall(value)
        case Mapping():
            for item in value.values():
                yield from _variables(item)
        case list():
            for item in value:
                yield from _variables(item)


def _secret(value: Any) -> bool:
    match value:
        case str():
            return secret_value(value) or _SECRET_OPTION.search(value) is not None
        case Mapping():
            return any(_secret(item) for item in value.values())
        case list():
            return any(_secret(item) for item in value)
        case _:
            return False


def _filled_in(config: AetherConfig, key: Key) -> Iterator[Value]:
    """What holds where the file says nothing; nothing where that has no meaning."""
    derivation = _derivation(key)
    found = derivation.find(config) if derivation else None
    words = _words(key)
    if derivation and found:
        repeats = set(derivation.reads) & config.from_env
        yield Value(
            path=key.path,
            value=None if repeats else found.value,
            origin=Origin.DERIVED,
            how=found.how or words,
            # the configuration has this one, whoever says it
            stated=key.dotted == "cloud.provider",
        )
    elif key.default is not None:
        how = words if key.default in ([], {}, "") else _zones(config, key.path)
        yield Value(path=key.path, value=key.default, origin=Origin.DEFAULT, how=how, stated=True)
    elif not derivation:
        yield Value(path=key.path, value=None, origin=Origin.DEFAULT, how=words or "none", stated=False)


def _words(key: Key) -> str:
    return key.default_words.replace("`", "")


def _idle(config: AetherConfig, added: set[str]) -> set[str]:
    """Keys without a meaning here: stating their defaults, or their table, would be refused or draw a warning."""
    before = set(run(DOUBTS, config))
    idle: set[str] = set()
    while True:
        there = {part for path in added - idle for part in _ways(path)}
        stated = attrs.evolve(config, given=config.given | there)
        complaints = {*run(RULES, stated), *run(DOUBTS, stated)} - before
        refused = {problem.path.partition("[")[0] for problem in complaints}
        more = {path for path in added - idle if refused & set(_ways(path))}
        if not more:
            return idle
        idle |= more


def _ways(path: str) -> Iterator[str]:
    """A dotted path, and those of the tables that it leads through."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _foreign(tables: Any, known: Any, path: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(tables, Mapping):
        return
    for key, value in tables.items():
        if key not in known:
            yield dotted((*path, key)) if path or not isinstance(value, Mapping) else f"[{dotted((key,))}]"
        elif isinstance(known[key], Mapping):
            yield from _foreign(value, known[key], (*path, key))


def _derivation(key: Key) -> Derivation | None:
    """How a key's value follows from others; None where it does not, or nobody knows before it is built."""
    provider = key.provider
    special = DERIVATIONS.get(key.dotted)
    if special is not None:
        return special
    if provider is not None and key.shared and key.name in {"min_nodes", "max_nodes"}:
        return Derivation(lambda config: _bound(config, provider, key.name))
    named = _CLUSTER_NAME.fullmatch(key.default_words) if key.kind is Kind.TEXT else None
    if named is not None:
        return Derivation(lambda config: Found(f"{config.cluster.name}{named[1]}"), ("cluster.name",))
    return None


def _bound(config: AetherConfig, provider: Provider, name: str) -> Found:
    counts = config.counts(provider)
    return Found(counts.minimum if name == "min_nodes" else counts.maximum)


def _zones(config: AetherConfig, path: tuple[str, ...]) -> str:
    """The zones that a number of them means."""
    if path[-1] != "availability_zones":
        return ""
    cloud = config.cloud
    names: Iterable[str] = ()
    if path[1] == Provider.AWS and cloud.aws and not cloud.aws.vpc_id:
        names = [zone.name_or_id for zone in aws_zones(cloud.aws)]
        secret = "cloud.aws.region" in config.from_env
    elif path[1] == Provider.GCP and cloud.gcp:
        names = [zone.name_or_id for zone in gcp_zones(cloud.gcp)]
        secret = "cloud.gcp.region" in config.from_env
    elif path[1] == Provider.AZURE and cloud.azure:
        names = [zone.name_or_id for zone in azure_zones(cloud.azure)]
        secret = False
    else:
        return ""
    return "" if secret else listing(names)


def _everywhere(config: AetherConfig, one: Callable[[Provider], Found]) -> Found:
    """What holds on all clouds of a configuration; words where that differs."""
    found = {provider: one(provider) for provider in config.sections}
    first, *others = dict.fromkeys(found.values())
    if not others:
        return first
    return Found(how=listing(f"{each.value or each.how} on {provider}" for provider, each in found.items()))


def _core(config: AetherConfig) -> Found:
    how = f"the largest of {listing(CORE_SIZES)} that is not above min_nodes"
    return _everywhere(config, lambda provider: Found(config.counts(provider).core, how))


def _heap(config: AetherConfig) -> Found:
    def on(provider: Provider) -> Found:
        memory = node_memory_mib(config, provider)
        if memory is None or config.section(provider).compute in MACHINES:
            return Found(how=f"{HEAP_SHARE_PERCENT} % of the memory that a node finds on its machine")
        heap = heap_mib(config, memory)
        share = f"all but {OVERHEAD_MIB} MiB"
        if heap == memory * HEAP_SHARE_PERCENT // 100:
            share = f"{HEAP_SHARE_PERCENT} %"
        return Found(f"{heap}m", f"{share} of a node's memory, {memory} MiB")

    return _everywhere(config, on)


def _image(config: AetherConfig) -> Found | None:
    if config.sections == (Provider.KUBERNETES,):
        return Found(UPSTREAM_IMAGE, "Aether's own, as there is no registry here")
    return Found()


def _fargate(config: AetherConfig, name: str) -> Found | None:
    if config.cloud.aws is None or config.cloud.aws.compute != "fargate":
        return None
    return Found(getattr(fargate_size(config), name))


def _of(section: CloudSection | None, find: Callable[[Any], Any]) -> Found | None:
    return None if section is None else Found(find(section))


def _gcp_image(config: AetherConfig) -> Found | None:
    """On Arm processors there is another one than the default says, but only if nobody says it."""
    gcp = config.cloud.gcp
    return Found() if gcp is not None and architecture(gcp) == "arm64" else None


DERIVATIONS: Final[Mapping[str, Derivation]] = {
    "cluster.nodes": Derivation(_core),
    "node.heap": Derivation(_heap),
    "cloud.provider": Derivation(lambda config: Found(config.cloud.provider.value)),
    "cloud.image": Derivation(_image),
    "cloud.aws.architecture": Derivation(
        lambda config: _of(config.cloud.aws, architecture), ("cloud.aws.instance_type",)
    ),
    "cloud.aws.autoscaler_image": Derivation(
        lambda config: _of(
            config.cloud.aws, lambda aws: aws_catalog.autoscaler_image(aws.kubernetes_version)
        ),
        ("cloud.aws.kubernetes_version",),
    ),
    "cloud.aws.cpu": Derivation(lambda config: _fargate(config, "cpu_units")),
    "cloud.aws.memory_mib": Derivation(lambda config: _fargate(config, "memory_mib")),
    "cloud.azure.vm_image": Derivation(
        lambda config: _of(config.cloud.azure, lambda azure: azure.machine_image), ("cloud.azure.vm_size",)
    ),
    "cloud.digitalocean.registry_name": Derivation(
        lambda config: Found(digitalocean_catalog.registry_name(config.cluster.name)), ("cluster.name",)
    ),
    "cloud.gcp.vm_image": Derivation(_gcp_image),
    "cloud.kubernetes.namespace": Derivation(
        lambda config: Found(config.kubernetes.namespace), ("kubernetes.namespace",)
    ),
    "cloud.oracle.availability_zones": Derivation(
        lambda config: _of(config.cloud.oracle, lambda oracle: len(oracle_zones(oracle)))
    ),
}
"""What follows from other values and is known before anything is built, by key."""
