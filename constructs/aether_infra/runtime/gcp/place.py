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

    project: str
    """Project."""
    region: str
    """Region."""
    zones: Sequence[str]
    """Zones to spread over."""
    instance_template: str
    """Template of an elastic node: a URL or `projects/…`."""
    instance_groups: Mapping[str, str] = field(factory=dict)
    """Zone = unmanaged instance group behind the load balancers; none where there is no load balancer."""
    backend_services: Mapping[str, str] = field(factory=dict)
    """Backend services by what they are for: `application` is global, `management` regional."""
    drain_seconds: float = DRAIN_SECONDS
    """How long open requests may finish."""

    @classmethod
    def of(cls, settings: RuntimeSettings) -> Place:
        """What the settings say of it.

        Raises:
            ConfigError: something is missing; names all of it.
        """
        facts = settings.facts
        needed = ("project", "zones", "instance_template")
        problems = [
            Problem(path=f"runtime.{key}", message="is missing") for key in needed if not facts.get(key)
        ]
        services = facts.get("backend_services") or {}
        groups = facts.get("elastic_instance_groups") or {}
        if services and not groups:
            hint = "set [cloud.manager] enabled = true, and deploy"
            problems.append(Problem(path="runtime.elastic_instance_groups", message="is missing", hint=hint))
        if problems:
            raise ConfigError(problems, "outputs.json")
        return cls(
            project=str(facts["project"]),
            region=settings.region,
            zones=tuple(str(zone) for zone in facts["zones"]),
            instance_template=str(facts["instance_template"]),
            instance_groups=groups if services else {},
            backend_services=services,
            drain_seconds=float(facts.get("drain_seconds", DRAIN_SECONDS)),
        )
