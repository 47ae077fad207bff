"""Input variables: their declarations, with what the configuration's checks say of them, and their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from attrs import frozen

from aether_infra.catalog.digitalocean import LEAST_REGISTRY_NAME
from aether_infra.config.checks import Between, Check, Distinct, Each, Length, Matches, Network, OneOf, Zones
from aether_infra.config.json_schema import constraint
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import is_private
from aether_infra.config.provider import Provider
from aether_infra.config.quantities import AtLeast, heap_mib
from aether_infra.config.reference import Kind, plain
from aether_infra.export.discover import Discovery
from aether_infra.export.features import ZONES
from aether_infra.export.keys import DEFAULT_LOG_DAYS, HEAP, LONGEST_NAME, OPEN, Setting, zone_keys
from aether_infra.export.parse import expression
from aether_infra.export.probes import IMAGE, NAMED_BY_OTHERS, OWN_REGISTRY, PLACES, places
from aether_infra.export.render import Argument, Block, assignments
from aether_infra.export.syntax import literal, text

_NAME: Final = "NAME"
"""What stands for the value in a condition."""
_WHOLE: Final = re.compile(r"\(\?=\.\{(?P<low>\d+),(?P<high>\d+)\}\$\)|\(\?!\.\*(?P<never>(?:\\.)+)\)")
"""What Terraform's regular expressions have not, where we use it: a length, and a text that must not be there."""

HEAP_BOUNDS: Final = Between(64, 1024 * 1024, "MiB")
OWN_WORDS: Final[Mapping[str, str]] = {
    ZONES: "Zones of the region, by name or id: as many as when this module was written, in the same order.",
    "heap_mib": "Largest heap of the JVM in MiB; what else a node needs comes on top.",
}
"""What variables mean that are not quite the keys that they come from."""

TYPES: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "string",
    Kind.NUMBER: "number",
    Kind.SWITCH: "bool",
    Kind.TEXTS: "list(string)",
    Kind.NUMBER_OR_TEXTS: "list(string)",
    Kind.TEXT_TABLE: "map(string)",
}
"""Terraform's types."""

NOTES: Final[Mapping[str, str]] = {
    "autoscaler_image": "It goes with kubernetes_version.",
    "cluster_name": "Another name is another cluster, with a state of its own.",
    "heap_mib": "It goes with the memory of a node.",
}
"""What else is to be known of a variable of a module, by name."""


@frozen
class Validation:
    """A condition that a value must meet."""

    condition: str
    """Terraform's expression, with `NAME` for the variable."""
    message: str
    """What the value must be, after the variable's name."""


def value_of(setting: Setting) -> Any:
    """What a variable is in the operator's configuration.

    Args:
        setting: the key.
    """
    if setting.key.dotted == HEAP:
        return heap_mib(setting.value)
    return list(setting.value) if isinstance(setting.value, tuple) else setting.value


def declarations(found: Discovery, provider: Provider) -> list[Block]:
    """The blocks of `variables.tf`.

    Args:
        found: what was found out about the configuration.
        provider: the cloud.
    """
    names = frozenset(setting.variable for setting in found.variables)
    return [_declaration(setting, names, found, provider) for setting in found.variables]


def tfvars(variables: Sequence[Setting], header: str) -> str:
    """The values of the operator's configuration, in the order and the tables of its file.

    Args:
        variables: the variables.
        header: the comment at the top.
    """
    parts = [header]
    for table, group in groupby(variables, key=lambda setting: setting.key.path[:-1]):
        values = assignments((setting.variable, literal(value_of(setting))) for setting in group)
        parts.append(f"# [{'.'.join(table)}]\n{values}")
    return "\n".join(parts)


def description(setting: Setting) -> str:
    """What a variable means, in one line.

    Args:
        setting: the key.
    """
    words = OWN_WORDS.get(setting.variable) or plain(setting.key.text)
    note = NOTES.get(setting.variable, "")
    return f"{words} {note}".strip()


def type_of(setting: Setting) -> str:
    """Terraform's type of a variable.

    Args:
        setting: the key.
    """
    return "number" if setting.key.dotted == HEAP else TYPES[setting.key.kind]


def _declaration(setting: Setting, names: frozenset[str], found: Discovery, provider: Provider) -> Block:
    arguments: list[Argument | Block] = [
        Argument("description", text(description(setting))),
        Argument("type", expression(type_of(setting))),
    ]
    validations = list(_validations(setting, names, found, provider))
    default = setting.key.default
    if default is not None and setting.key.dotted != HEAP and _may_be_default(setting, default):
        arguments.append(Argument("default", literal(default)))
    arguments.append(Argument("nullable", literal(False)))  # noqa: FBT003 - Terraform's false
    return Block(
        "variable", (setting.variable,), (*arguments, *(_block(setting, one) for one in validations))
    )


def _may_be_default(setting: Setting, default: Any) -> bool:
    """Whether the project's default is one for which the module has the right resources."""
    if setting.key.kind is Kind.TEXTS:
        return bool(default) and OPEN not in default and not _is_networks(setting)
    return setting.key.kind is not Kind.NUMBER_OR_TEXTS and not (
        default == "" and setting.value != "" and setting.key.name != "java_opts"
    )


def _block(setting: Setting, validation: Validation) -> Block:
    condition = expression(validation.condition.replace(_NAME, f"var.{setting.variable}"))
    return Block(
        "validation",
        (),
        (
            Argument("condition", condition),
            Argument("error_message", text(f"{setting.variable} must {validation.message}.")),
        ),
    )


# Conditions.


def _validations(
    setting: Setting, names: frozenset[str], found: Discovery, provider: Provider
) -> Iterator[Validation]:
    if setting.key.dotted == HEAP:
        yield _between(HEAP_BOUNDS)
    elif setting.key.kind is Kind.NUMBER_OR_TEXTS:
        yield from _zones(setting, found.config, provider)
    else:
        choices = setting.key.choices
        if choices and not any(isinstance(check, OneOf) for check in setting.key.checks):
            yield Validation(f"contains({_list(choices)}, {_NAME})", f"be one of {_listing(choices)}")
        for check in setting.key.checks:
            yield from _check(check, setting)
    yield from _of_module(setting, found, provider)
    for other, validation in _BETWEEN.get(setting.variable, ()):
        if other in names:
            yield validation
    if setting.variable == "min_nodes":
        core = found.config.counts(provider).core
        yield Validation(f"{_NAME} >= {core}", f"be at least {core}, as so many core nodes always run")


_BETWEEN: Final[Mapping[str, Sequence[tuple[str, Validation]]]] = {
    "max_nodes": [("min_nodes", Validation(f"{_NAME} >= var.min_nodes", "be at least min_nodes"))],
    "health_timeout_seconds": [
        (
            "health_interval_seconds",
            Validation(f"{_NAME} < var.health_interval_seconds", "be less than health_interval_seconds"),
        )
    ],
    "shutdown_deregistration_delay_seconds": [
        (
            "shutdown_stop_timeout_seconds",
            Validation(
                f"{_NAME} <= var.shutdown_stop_timeout_seconds",
                "not be more than shutdown_stop_timeout_seconds: requests that are left to finish need a node",
            ),
        )
    ],
    "memory_mib": [
        (
            "heap_mib",
            Validation(
                f"{_NAME} >= var.heap_mib + max(ceil(var.heap_mib / 4), 256)",
                "exceed heap_mib by a quarter, and by 256 MiB",
            ),
        )
    ],
}
"""Rules between variables: the other one, and what holds if it is there."""


def _check(check: Check, setting: Setting) -> Iterator[Validation]:  # noqa: C901 - one case a check
    """What one check of a key says."""
    match check:
        case Between():
            yield _between(check)
        case Distinct():
            yield Validation(f"length(distinct({_NAME})) == length({_NAME})", "have no item twice")
        case Each(inner):
            for one in _check(inner, setting):
                condition = one.condition.replace(_NAME, "item")
                yield Validation(
                    f"alltrue([for item in {_NAME} : {condition}])",
                    f"have items that each must {one.message}",
                )
        case Network(widest, narrowest):
            prefix = f'tonumber(split("/", {_NAME})[1])'
            within = f"{prefix} >= {widest} && {prefix} <= {narrowest}"
            sizes = "" if (widest, narrowest) == (0, 32) else f" between /{widest} and /{narrowest}"
            yield Validation(
                f"can(cidrnetmask({_NAME})) && "
                f"try(cidrsubnet({_NAME}, 0, 0) == {_NAME}{f' && {within}' if sizes else ''}, false)",
                f"be an IPv4 network in CIDR notation{sizes}, with no bits to the right of its prefix",
            )
        case Length(low, high, unit):
            yield _length(low, high, unit)
        case OneOf(values):
            yield Validation(f"contains({_list(values)}, {_NAME})", f"be one of {_listing(values)}")
        case Matches(_, form):
            yield from _pattern(check, f"be {form}")
        case AtLeast(_, words):
            yield from _pattern(check, f"be {words}")
        case Zones():
            return
        case _:
            fault = next(check("?"), None)
            yield from _pattern(
                check, re.sub(r"^must |, got .*$", "", fault.message) if fault else "have the right form"
            )


def _length(low: int, high: int, unit: str) -> Validation:
    most = f"length({_NAME}) <= {high}"
    if not low:
        return Validation(most, f"have at most {high} {unit}")
    return Validation(f"length({_NAME}) >= {low} && {most}", f"have {low} to {high} {unit}")


def _between(check: Between) -> Validation:
    unit = f" {check.unit}" if check.unit else ""
    return Validation(
        f"{_NAME} >= {check.low} && {_NAME} <= {check.high} && floor({_NAME}) == {_NAME}",
        f"be a whole number between {check.low} and {check.high}{unit}",
    )


def _pattern(check: Check, message: str) -> Iterator[Validation]:
    """A regular expression, without what Terraform's have not."""
    pattern = str(constraint(check).get("pattern", ""))
    if not pattern:
        return
    conditions = [f"can(regex({_quoted(_WHOLE.sub('', pattern))}, {_NAME}))"]
    for found in _WHOLE.finditer(pattern):
        if found["never"]:
            never = re.sub(r"\\(.)", r"\1", found["never"])
            conditions.append(f"!strcontains({_NAME}, {_quoted(never)})")
        else:
            conditions.append(f"length({_NAME}) >= {found['low']} && length({_NAME}) <= {found['high']}")
    yield Validation(" && ".join(conditions), message)


def _zones(setting: Setting, config: AetherConfig, provider: Provider) -> Iterator[Validation]:
    """As many zones as there were, called in the same way: their names are part of other names."""
    count, ends = len(setting.value), zone_keys(config, provider)
    yield Validation(
        f"length({_NAME}) == {count} && length(distinct({_NAME})) == {count}",
        f"list {count} different zones: for another number, export the module again",
    )
    yield Validation(
        f"alltrue([for number, end in {_list(ends)} : endswith({_NAME}[number], end)])",
        f"list zones that end in {_listing(ends, 'and')}, in this order: names of resources say so",
    )


def _of_module(setting: Setting, found: Discovery, provider: Provider) -> Iterator[Validation]:
    """What holds for values for which this module has the right resources."""
    again = "for others, export the module again"
    if setting.key.dotted == "cluster.name":
        if provider is Provider.DIGITALOCEAN:
            yield Validation(
                f"length({_NAME}) >= {LEAST_REGISTRY_NAME}",
                f"have {LEAST_REGISTRY_NAME} characters or more, as the registry's name must",
            )
        yield Validation(
            f"length({_NAME}) <= {LONGEST_NAME}",
            f"have at most {LONGEST_NAME} characters, so that no name made of it has to be cut",
        )
    elif setting.key.name in PLACES and setting.value in (alike := places(provider, setting.value)):
        yield Validation(
            f"contains({_list(alike)}, {_NAME})",
            "be a place where a cluster like this one has the same resources; for others, export the module again",
        )
    elif setting.key.dotted == IMAGE:
        yield from _image(setting.value, found, provider)
    elif setting.key.name == "log_retention_days" and provider is Provider.GCP:
        yield Validation(
            f"{_NAME} != {DEFAULT_LOG_DAYS}",
            f"not be {DEFAULT_LOG_DAYS}, for which there is no bucket of its own; {again}",
        )
    elif setting.key.kind is Kind.TEXTS:
        yield Validation(f"length({_NAME}) > 0", "not be empty; for none, export the module again")
        if _is_networks(setting):
            yield Validation(
                f'!contains({_NAME}, "{OPEN}")',
                f"not name everyone ({OPEN}): for that, export the module again",
            )
            yield from _of_sort(setting, again)


def _is_networks(setting: Setting) -> bool:
    return any(isinstance(check, Each) and isinstance(check.check, Network) for check in setting.key.checks)


def _of_sort(setting: Setting, again: str) -> Iterator[Validation]:
    """Whether all networks are private, none is, or some are: each has other load balancers or firewalls."""
    sorts = {is_private(network) for network in setting.value}
    private = f"can(regex({_quoted(PRIVATE_NETWORK)}, item))"
    if len(sorts) == 1:
        (inner,) = sorts
        yield Validation(
            f"alltrue([for item in {_NAME} : {private if inner else f'!{private}'}])",
            f"list {'private' if inner else 'public'} networks; {again}",
        )
    else:
        yield Validation(
            f"length(distinct([for item in {_NAME} : {private}])) == 2",
            f"list private networks as well as public ones; {again}",
        )


PRIVATE_NETWORK: Final = (
    r"^(?:10\.[0-9.]+/(?:[89]|[12][0-9]|3[0-2])"
    r"|172\.(?:1[6-9]|2[0-9]|3[01])\.[0-9.]+/(?:1[2-9]|2[0-9]|3[0-2])"
    r"|192\.168\.[0-9.]+/(?:1[6-9]|2[0-9]|3[0-2])"
    r"|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.[0-9.]+/(?:1[0-9]|2[0-9]|3[0-2]))$"
)
"""Private networks, as `config.networks` has them."""


def _image(value: str, found: Discovery, provider: Provider) -> Iterator[Validation]:
    """Nodes have the right to pull what they pull now: from a public registry, or from one repository."""
    host = value.partition("/")[0]
    own = OWN_REGISTRY.get(provider)
    if own is None:
        return
    if re.fullmatch(own, host):
        repository = re.sub(r"(?::[^:/@]+)?(?:@.*)?$", "", value)
        written = _quoted(repository)
        for setting in found.variables:
            # the registry may be called by another variable
            if setting.key.name in NAMED_BY_OTHERS:
                name = rf"(?<![a-z0-9{{]){re.escape(str(setting.value))}(?![a-z0-9}}])"
                written = re.sub(name, f"${{var.{setting.variable}}}", written)
        begin = written.removesuffix('"')
        yield Validation(
            f'anytrue([for sign in [":", "@"] : startswith({_NAME}, {begin}${{sign}}")])',
            f"be of the repository {repository}, which nodes may pull from; for another, export the module again",
        )
    else:
        yield Validation(
            f"!can(regex({_quoted(f'^(?:{own})/')}, {_NAME}))",
            "not be in the cloud's own registry, which nodes have no right to pull from; "
            "for that, export the module again",
        )


def _list(values: Iterable[object]) -> str:
    from aether_infra.export.render import expression as written  # noqa: PLC0415 - only here

    return written(literal(list(values)))


def _quoted(value: str) -> str:
    from aether_infra.export.render import expression as written  # noqa: PLC0415 - only here

    return written(text(value))


def _listing(values: Iterable[object], word: str = "or") -> str:
    words = [str(value) for value in values]
    return f"{', '.join(words[:-1])} {word} {words[-1]}" if len(words) > 1 else words[0]
