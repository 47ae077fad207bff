"""How a text becomes a configuration.

TOML, then `${env:…}`, then the shape of each table, then the rules between keys. What has a fault is left out
of the next step, so that one run shows all problems and none that only follows from another.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from aether_infra.config.document import parse
from aether_infra.config.environment import mask, substitute
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.rule import run
from aether_infra.config.rules import RULES
from aether_infra.config.shape import structure
from aether_infra.config.tables import Misfit, ours, paths, without
from aether_infra.config.words import dotted, listing, nearest, show
from aether_infra.errors import ConfigError, Problem


def configure(text: str, source: str, env: Mapping[str, str]) -> AetherConfig:
    """The configuration that a text describes.

    Args:
        text: TOML.
        source: the file's name, for messages.
        env: where `${env:NAME}` is looked up.

    Raises:
        ConfigError: the text cannot be used; it holds every problem.
    """
    everything = parse(text, source)
    tables = ours(everything)
    filled = substitute(tables, env)
    raw, faults = filled.tables, [Misfit(place, one) for place, one in filled.problems.items()]
    for fault in faults:
        raw = without(raw, fault.place)
    found = tuple(_choose_provider(raw, {dotted(fault.place) for fault in faults}, everything))
    for fault in found:
        raw = without(raw, fault.place)
    faults += found
    config, shape_faults = structure(raw)
    faults += shape_faults
    config = attrs.evolve(
        config, source=source, given=frozenset(paths(tables)), from_env=frozenset(filled.texts)
    )
    problems = {fault.problem for fault in faults}
    problems.update(run(RULES, config, {dotted(fault.place) for fault in faults}))
    if problems:
        raise ConfigError(sorted({mask(problem, filled.texts) for problem in problems}), source)
    return config


def _choose_provider(raw: dict[str, Any], failed: set[str], others: Iterable[str]) -> Iterator[Misfit]:
    """Fill in `cloud.provider` where only one cloud has a table; else say what is missing."""
    cloud = raw.get("cloud")
    if cloud is None:
        near = next((key for key in others if nearest(key, ["cloud"])), None)
        hint = f"did you mean [cloud] by [{near}]?" if near else "add a table such as [cloud.aws]"
        problem = Problem(path="cloud", message="is missing", hint=hint)
        yield Misfit(("cloud",), problem)
        return
    if not isinstance(cloud, dict) or "cloud.provider" in failed:
        return
    present = [provider.value for provider in Provider if provider.value in cloud]
    provider = cloud.get("provider")
    if provider is None:
        yield from _only_section(raw, present)
    elif provider in tuple(Provider) and provider not in present and Provider.KUBERNETES not in present:
        others = f"this file has {listing(f'[cloud.{name}]' for name in present)}; " if present else ""
        yield Misfit(
            ("cloud", provider),
            Problem(
                path=f"cloud.{provider}",
                message=f"is missing, but cloud.provider is {show(provider)}",
                hint=f"{others}add a table [cloud.{provider}]",
            ),
        )


def _only_section(raw: dict[str, Any], present: list[str]) -> Iterator[Misfit]:
    cloud = raw["cloud"]
    if len(present) == 1:
        raw["cloud"] = {**cloud, "provider": present[0]}
        return
    if present:
        message = f"is missing, and there are tables for {listing(present)}"
        hint = "say which of them is the active cloud"
    else:
        message, hint = "is missing, and there is no table of a cloud", "add a table such as [cloud.aws]"
        if any(nearest(key, tuple(Provider)) for key in cloud):
            raw["cloud"] = {**cloud, "provider": Provider.AWS.value}  # the unknown key itself is reported
            return
    yield Misfit(("cloud", "provider"), Problem(path="cloud.provider", message=message, hint=hint))
