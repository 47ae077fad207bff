"""What a configuration says, as expressions over the variables of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.quantities import heap_mib, millicores
from aether_infra.export.fit import Feature
from aether_infra.export.keys import HEAP, Setting, value_at
from aether_infra.export.parse import expression
from aether_infra.export.syntax import Binary, Call, Index, Literal, Node, text, variable

ZONES: Final = "availability_zones"
"""Variable of the zones: as many as there were, so that each has its place."""

LOCALS: Final[Mapping[str, str]] = {
    "cpu_limit_millicores": (
        'endswith(var.node_resources_cpu_limit, "m") '
        '? tonumber(trimsuffix(var.node_resources_cpu_limit, "m")) '
        ": ceil(var.node_resources_cpu_limit * 1000)"
    ),
}
"""Local values that modules have where something needs them."""

Derived = tuple[str, Callable[[Any], Any]]
"""An expression, with `var.` before the variable, and what it yields for a value."""

DERIVED: Final[Mapping[str, Sequence[Derived]]] = {
    "cluster_name": (
        ('replace(var.cluster_name, "-", "_")', lambda value: value.replace("-", "_")),
        ('replace(var.cluster_name, "-", "")', lambda value: value.replace("-", "")),
    ),
    "domain": (
        ('split(".", var.domain)[0]', lambda value: value.partition(".")[0]),
        ('trimprefix(var.domain, "${split(".", var.domain)[0]}.")', lambda value: value.partition(".")[2]),
        ('replace(var.domain, ".", "-")', lambda value: value.replace(".", "-")),
        ("substr(sha256(var.domain), 0, 6)", lambda value: sha256(value.encode()).hexdigest()[:6]),
    ),
    "image": (('strcontains(var.image, "@sha256:")', lambda value: "@sha256:" in value),),
    "node_resources_cpu_limit": (("local.cpu_limit_millicores", millicores),),
}
"""What follows from a variable, by its name."""


def features(
    settings: Sequence[Setting], configs: Sequence[AetherConfig], provider: Provider
) -> list[Feature]:
    """All that is known of the configurations.

    Args:
        settings: the keys that are variables.
        configs: the configurations.
        provider: the cloud.
    """
    found: list[Feature] = []
    later: list[Feature] = []
    for setting in settings:
        values = tuple(value_at(config, setting.path) for config in configs)
        if setting.key.dotted == HEAP:
            values = tuple(heap_mib(value) for value in values)
        if all(value == values[0] for value in values):
            continue
        own = variable(setting.variable)
        found.append(Feature(own, values, _singular(setting.variable)))
        for words, derive in DERIVED.get(setting.variable, ()):
            later.append(Feature(expression(words), tuple(map(derive, values))))
        if setting.key.name in {"min_nodes", "max_nodes"}:
            core = configs[0].counts(provider).core
            later.append(Feature(Binary("-", own, Literal(core)), tuple(value - core for value in values)))
        later += _of_choices(own, values, setting.key.choices)
    return [*found, *_of_two(found), *_of_zones(configs, provider), *later]


def _of_two(found: Sequence[Feature]) -> Iterator[Feature]:
    """The greater of two times, where a cloud has one for both."""
    names = [variable(f"scaling_scale_{way}_cooldown_seconds") for way in ("out", "in")]
    pair = [feature for feature in found if feature.expression in names]
    if len(pair) == len(names):
        values = tuple(map(max, *(feature.values for feature in pair)))
        yield Feature(Call("max", tuple(feature.expression for feature in pair)), values)


def _of_choices(own: Node, values: Sequence[Any], choices: Sequence[str]) -> Iterator[Feature]:
    """How one of a few words is also written, and which of two it is."""
    if not choices:
        return
    yield Feature(Call("upper", (own,)), tuple(value.upper() for value in values))
    yield Feature(Call("title", (own,)), tuple(value.title() for value in values))
    if len(choices) == 2:  # noqa: PLR2004 - one or the other
        first = choices[0]
        yield Feature(Binary("==", own, text(first)), tuple(value == first for value in values))


def _of_zones(configs: Sequence[AetherConfig], provider: Provider) -> Iterator[Feature]:
    """Each zone by its place, where all configurations list as many."""
    listed = [getattr(config.section(provider), ZONES, None) for config in configs]
    lists = [zones for zones in listed if isinstance(zones, tuple)]
    if len(lists) < len(configs) or len({len(zones) for zones in lists}) != 1 or len(set(lists)) == 1:
        return
    digests = tuple(sha256(",".join(sorted(zones)).encode()).hexdigest()[:6] for zones in lists)
    yield Feature(expression(f'substr(sha256(join(",", sort(var.{ZONES}))), 0, 6)'), digests)
    yield Feature(variable(ZONES), tuple(lists))
    for place, column in enumerate(zip(*lists, strict=True)):
        yield Feature(Index(variable(ZONES), Literal(place)), tuple(column))


def _singular(name: str) -> str:
    """What one of a list is called: the last word of its name."""
    word = name.rpartition("_")[2]
    return word[:-1] if word.endswith("s") else "item"
