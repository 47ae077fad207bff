"""What the manager takes from the settings, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from aether_infra.errors import ConfigError, Problem
from aether_infra.runtime.draining import DRAIN_SECONDS
from aether_infra.runtime.settings import RuntimeSettings


@frozen(kw_only=True)
class Place:
    """Where instances are made, and what of."""

    compartment_id: str
    """Compartment of everything."""
    availability_domains: Sequence[str]
    """Zones to spread over."""
    instance_configuration_id: str
    """What an elastic node is made of."""
    load_balancer_id: str = ""
    """Load balancer; empty for none."""
    backend_sets: Mapping[str, int] = field(factory=dict)
    """Name of each backend set = port of a node that it sends to."""
    drain_seconds: float = DRAIN_SECONDS
    """How long open requests may finish."""

    @classmethod
    def of(cls, settings: RuntimeSettings) -> Place:
        """What the settings say of it.

        Raises:
            ConfigError: something is missing; names all of it.
        """
        facts, ports = settings.facts, settings.ports
        needed = ("compartment_id", "availability_domains", "instance_configuration_id")
        problems = [
            Problem(path=f"runtime.{key}", message="is missing") for key in needed if not facts.get(key)
        ]
        if problems:
            raise ConfigError(problems, "outputs.json")
        sends = {"application": ports.application, "management": ports.management}
        sets = facts.get("backend_sets") or {}
        return cls(
            compartment_id=str(facts["compartment_id"]),
            availability_domains=tuple(str(each) for each in facts["availability_domains"]),
            instance_configuration_id=str(facts["instance_configuration_id"]),
            load_balancer_id=str(facts.get("load_balancer_id") or ""),
            backend_sets={
                str(name): port
                for concern, name in sorted(sets.items())
                if (port := sends.get(concern)) is not None
            },
            drain_seconds=float(facts.get("drain_seconds", DRAIN_SECONDS)),
        )
