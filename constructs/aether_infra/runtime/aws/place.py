"""What the managers of AWS take from the settings, checked before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from aether_infra.config.words import show
from aether_infra.errors import ConfigError, Problem
from aether_infra.runtime.settings import RuntimeSettings


@frozen(kw_only=True)
class Ec2Place:
    """Where elastic nodes run as instances."""

    launch_template_id: str
    """What they are made from."""
    subnet_ids: Sequence[str]
    """One a zone."""
    security_group_ids: Sequence[str]
    """Groups of each."""
    target_group_arns: Sequence[str]
    """Every target group that nodes belong to; none for no load balancer."""

    @classmethod
    def of(cls, settings: RuntimeSettings) -> Ec2Place:
        """What the settings say of it.

        Raises:
            ConfigError: they lack something; holds every problem.
        """
        facts = settings.facts
        problems = [
            *_texts(facts, "launch_template_id"),
            *_lists(facts, "subnet_ids", "security_group_ids"),
            *_groups(facts),
        ]
        if problems:
            raise ConfigError(problems, "runtime settings")
        return cls(
            launch_template_id=facts["launch_template_id"],
            subnet_ids=tuple(facts["subnet_ids"]),
            security_group_ids=tuple(facts["security_group_ids"]),
            target_group_arns=target_groups(facts),
        )


@frozen(kw_only=True)
class EcsPlace:
    """Where elastic nodes run as tasks."""

    cluster: str
    """ARN of the ECS cluster."""
    elastic_service: str
    """Name of the service whose desired count it is; empty where `max_nodes` leaves no room for elastic nodes."""
    core_services: Mapping[str, str]
    """Name of each core node's service by its Aether id."""
    target_group_arns: Sequence[str]
    """Every target group that nodes belong to."""

    @classmethod
    def of(cls, settings: RuntimeSettings) -> EcsPlace:
        """What the settings say of it.

        Raises:
            ConfigError: they lack something; holds every problem.
        """
        facts = settings.facts
        elastic, core = facts.get("ecs_elastic_service"), facts.get("ecs_core_services")
        problems = [*_texts(facts, "ecs_cluster_arn"), *_groups(facts)]
        if elastic is not None and not isinstance(elastic, str):
            problems.append(_problem("ecs_elastic_service", f"must be text, got {show(elastic)}"))
        if not isinstance(core, dict) or not core:
            problems.append(
                _problem("ecs_core_services", f"must name each core node's service, got {show(core)}")
            )
        if problems:
            raise ConfigError(problems, "runtime settings")
        return cls(
            cluster=facts["ecs_cluster_arn"],
            elastic_service=elastic or "",
            core_services=dict(core or {}),
            target_group_arns=target_groups(facts),
        )


def target_groups(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """ARNs of the target groups, each once."""
    return tuple(dict.fromkeys(arn for arn in (facts.get("target_group_arns") or {}).values() if arn))


def _texts(facts: Mapping[str, Any], *keys: str) -> Iterator[Problem]:
    for key in keys:
        if not facts.get(key):
            yield _problem(key, "is missing")
        elif not isinstance(facts[key], str):
            yield _problem(key, f"must be text, got {show(facts[key])}")


def _lists(facts: Mapping[str, Any], *keys: str) -> Iterator[Problem]:
    for key in keys:
        value = facts.get(key)
        if not value:
            yield _problem(key, "is missing")
        elif not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            yield _problem(key, f"must be a list of ids, got {show(value)}")


def _groups(facts: Mapping[str, Any]) -> Iterator[Problem]:
    value = facts.get("target_group_arns") or {}
    if not isinstance(value, dict):
        yield _problem("target_group_arns", f"must be an object of ARNs, got {show(value)}")


def _problem(key: str, message: str) -> Problem:
    return Problem(path=f"runtime.{key}", message=message)
