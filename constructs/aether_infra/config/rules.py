"""Rules between keys that hold on every cloud. Those of one cloud are in `rules_<cloud>.py`.

Each rule yields what is wrong; `load.py` runs them all and skips those whose keys have a fault of shape.
"""

import re
from itertools import combinations
from typing import Final

from aether_infra.catalog import aws, azure, gcp, oracle
from aether_infra.config.checks import matches
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.rule import Problems, Rule, rule, section_rule
from aether_infra.config.rules_aws import AWS_RULES
from aether_infra.config.rules_azure import AZURE_RULES
from aether_infra.config.rules_digitalocean import DIGITALOCEAN_RULES
from aether_infra.config.rules_gcp import GCP_RULES
from aether_infra.config.rules_manager import MANAGER_RULES
from aether_infra.config.rules_oracle import ORACLE_RULES
from aether_infra.config.rules_resources import RESOURCE_RULES
from aether_infra.config.secret_references import ENV_NAME, FORMS, OURS, is_reference, kubernetes_secret
from aether_infra.config.tags import tag_problems
from aether_infra.config.words import dotted, listing, show
from aether_infra.errors import Problem

JVM_FLAGS: Final = (
    (r"-Xm[xsn].*|-XX:(?:Max|Min|Initial)(?:RAMPercentage|HeapSize)=.*", "node.heap"),
    (r"-XX:[+-]Use\w*GC", "node.gc"),
    (r"-D(?:sun\.net\.inetaddr\.ttl|networkaddress\.cache\.ttl)=.*", "cloud.shutdown.jvm_dns_ttl_seconds"),
)
"""Options of the JVM that have a key of their own."""
LISTENERS: Final = (80, 443)
"""Ports at which users call."""
NO_SYNC: Final = {
    Provider.DIGITALOCEAN: "which has no secret store",
    Provider.ORACLE: "whose Vault nothing copies into Kubernetes on its own",
}
"""Clouds whose secrets do not reach an environment variable of a pod, and why."""


@section_rule("cluster.nodes", ".min_nodes", ".max_nodes")
def node_counts(config: AetherConfig, provider: Provider) -> Problems:
    """Core ≤ `min_nodes` ≤ `max_nodes`."""
    section, counts = config.section(provider), config.counts(provider)
    if counts.minimum < counts.core:
        yield Problem(
            path=f"cloud.{provider}.min_nodes",
            message=f"must be at least cluster.nodes, {counts.core}, got {counts.minimum}",
            hint="every core node always runs",
        )
    elif counts.maximum < counts.minimum:
        least = "min_nodes" if section.min_nodes else "cluster.nodes"
        yield Problem(
            path=f"cloud.{provider}.max_nodes",
            message=f"must be at least {least}, {counts.minimum}, got {counts.maximum}",
        )


@rule("cluster.ports", "app-http.port")
def ports(config: AetherConfig) -> Problems:
    """No port twice."""
    own = config.cluster.ports
    numbers = (
        ("cluster.ports.management", own.management),
        ("cluster.ports.cluster", own.cluster),
        ("app-http.port", config.app_http.port),
    )
    for (first, one), (second, other) in combinations(numbers, 2):
        if one == other:
            yield Problem(
                path=second, message=f"is the same port as {first}, {one}", hint="give each its own"
            )
    for path, number in numbers:
        if number == own.swim:
            yield Problem(
                path=path,
                message=f"is the port of failure detection, {number}",
                hint=f"that is always cluster.ports.cluster ({own.cluster}) plus 100",
            )


@section_rule("cluster.ports", "app-http.enabled", ".management_cidrs", ".compute")
def listeners(config: AetherConfig, provider: Provider) -> Problems:
    """A load balancer that serves both has a port for each."""
    port, section = config.cluster.ports.management, config.section(provider)
    one = provider is Provider.AWS or (provider is Provider.ORACLE and section.compute == "vm")
    if one and config.app_http.published and section.management_cidrs and port in LISTENERS:
        yield Problem(
            path="cluster.ports.management",
            message=f"is {port}, where the load balancer on {provider} serves the application",
            hint="take another, or leave management_cidrs out",
        )


@rule("cloud.java_opts")
def java_opts(config: AetherConfig) -> Problems:
    """No option that has a key of its own."""
    for option in config.cloud.java_opts.split():
        for pattern, key in JVM_FLAGS:
            if re.fullmatch(pattern, option):
                yield Problem(
                    path="cloud.java_opts",
                    message=f"must not hold {show(option)}",
                    hint=f"{key} says it, and the rest of the set-up follows from that",
                )


@rule("cloud.health.interval_seconds", "cloud.health.timeout_seconds")
def probes(config: AetherConfig) -> Problems:
    """A probe ends before the next begins."""
    health = config.cloud.health
    if health.timeout_seconds >= health.interval_seconds:
        yield Problem(
            path="cloud.health.timeout_seconds",
            message=f"must be less than interval_seconds, {health.interval_seconds}, "
            f"got {health.timeout_seconds}",
        )


@rule("cloud.shutdown.leave_seconds", "cloud.shutdown.stop_timeout_seconds")
def leave_in_time(config: AetherConfig) -> Problems:
    """A node leaves before it is killed."""
    own = config.cloud.shutdown
    if own.leave_seconds >= own.stop_timeout_seconds:
        yield Problem(
            path="cloud.shutdown.leave_seconds",
            message=f"must be less than stop_timeout_seconds, {own.stop_timeout_seconds}, "
            f"got {own.leave_seconds}",
            hint="a node that is killed while it leaves costs the others an election",
        )


@rule("cloud.shutdown.deregistration_delay_seconds", "cloud.shutdown.stop_timeout_seconds")
def drain_alive(config: AetherConfig) -> Problems:
    """What the load balancer drains is still alive.

    A service that replaces or removes a task takes it out of the load balancer first, waits for the
    deregistration delay and only then sends the signal; a task that AWS retires or that is stopped by hand
    gets the signal at once, while the load balancer still drains. The second case decides. Sources:
    https://aws.amazon.com/blogs/containers/graceful-shutdowns-with-ecs/,
    https://github.com/aws/amazon-ecs-agent/issues/2316 (as of 2026-11).
    """
    own = config.cloud.shutdown
    if own.deregistration_delay_seconds > own.stop_timeout_seconds:
        yield Problem(
            path="cloud.shutdown.deregistration_delay_seconds",
            message=f"must not be more than stop_timeout_seconds, {own.stop_timeout_seconds}, "
            f"got {own.deregistration_delay_seconds}",
            hint="requests that are left to finish need a node that is still alive",
        )


@rule(
    "cloud.shutdown.dns_ttl_seconds",
    "cloud.shutdown.jvm_dns_ttl_seconds",
    "cloud.shutdown.stop_timeout_seconds",
)
def old_address(config: AetherConfig) -> Problems:
    """Peers forget a node's old address before the next node can be gone."""
    own = config.cloud.shutdown
    total = own.dns_ttl_seconds + own.jvm_dns_ttl_seconds
    if total > own.stop_timeout_seconds:
        yield Problem(
            path="cloud.shutdown.dns_ttl_seconds",
            message=f"and jvm_dns_ttl_seconds add up to {total} s ({own.dns_ttl_seconds} + "
            f"{own.jvm_dns_ttl_seconds}), more than stop_timeout_seconds, {own.stop_timeout_seconds}",
            hint="so long may peers call a node's old address: it must end before the next node is replaced",
        )


@rule("cloud.provider", "=cloud.secrets", *(f"cloud.{provider}.compute" for provider in Provider))
def secrets(config: AetherConfig) -> Problems:
    """Names that are free, and references instead of secrets."""
    owner = config.secrets_owner
    for name, reference in config.cloud.secrets.items():
        path = dotted(("cloud", "secrets", name))
        if not matches(ENV_NAME, name):
            yield Problem(path=path, message="is no name of an environment variable: letters, digits and _")
        elif name in OURS:
            yield Problem(path=path, message="is set by the infrastructure itself", hint="remove it")
        if owner in config.sections:
            yield from _reference(config, owner, path, reference)


def _reference(config: AetherConfig, provider: Provider, path: str, reference: str) -> Problems:
    """A reference that the nodes of the active cloud can follow."""
    kubernetes = config.in_kubernetes(provider)
    if kubernetes_secret(reference) is not None:
        if not kubernetes:
            compute = config.section(provider).compute
            yield Problem(path=path, message=f"names a Kubernetes secret, but the nodes run on {compute}")
        return
    form = FORMS.get(provider)
    if kubernetes and provider in NO_SYNC:
        yield Problem(
            path=path,
            message=f"must name a Kubernetes secret on {provider}, {NO_SYNC[provider]}",
            hint="create it by hand or with an operator, and write kubernetes:SECRET/KEY",
        )
    elif form is None:
        yield Problem(
            path=path,
            message=f"cannot be used on {provider}, {NO_SYNC[provider]}",
            hint="let the node fetch its secrets itself, or run it in Kubernetes",
        )
    elif not is_reference(provider, reference):
        yield Problem(
            path=path,
            message=f"must be {form.words}, never the secret itself; what is there has another form",
            hint=f"such as {form.example}" + (" or kubernetes:SECRET/KEY" if kubernetes else ""),
        )


@rule("=cloud.tags")
def tags(config: AetherConfig) -> Problems:
    """Tags that every cloud in the file takes."""
    yield from tag_problems(config)


@section_rule("cloud.log_retention_days")
def log_retention(config: AetherConfig, provider: Provider) -> Problems:
    """Days that the cloud's log store can be told."""
    days = config.cloud.log_retention_days
    steps = {Provider.AWS: aws.LOG_RETENTION_DAYS, Provider.ORACLE: oracle.LOG_RETENTION_DAYS}.get(provider)
    bounds = {
        Provider.AZURE: azure.LOG_RETENTION_DAYS,
        Provider.GCP: (1, gcp.LONGEST_LOG_RETENTION_DAYS),
    }.get(provider, (days, days))
    if steps is not None and days not in steps:
        nearest = min(steps, key=lambda step: (abs(step - days), step))
        yield Problem(
            path="cloud.log_retention_days",
            message=f"must be one of {listing(steps)} on {provider}, got {days}",
            hint=f"the nearest is {nearest}",
        )
    elif not bounds[0] <= days <= bounds[1]:
        yield Problem(
            path="cloud.log_retention_days",
            message=f"must be between {bounds[0]} and {bounds[1]} days on {provider}, got {days}",
        )


RULES: Final[tuple[Rule, ...]] = (
    *node_counts,
    ports,
    *listeners,
    *RESOURCE_RULES,
    java_opts,
    probes,
    leave_in_time,
    drain_alive,
    old_address,
    secrets,
    tags,
    *log_retention,
    *AWS_RULES,
    *GCP_RULES,
    *AZURE_RULES,
    *DIGITALOCEAN_RULES,
    *ORACLE_RULES,
    *MANAGER_RULES,
)
"""Every rule."""
