"""What the runtime needs to know of a cluster: Layer 1's output `runtime`, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from aether_infra.config.provider import Provider
from aether_infra.config.words import listing, nearest, show
from aether_infra.errors import ConfigError, Problem

COMPUTES: Mapping[Provider, tuple[str, ...]] = {
    Provider.AWS: ("fargate", "ec2", "eks"),
    Provider.GCP: ("gke", "vm"),
    Provider.AZURE: ("aks", "vm"),
    Provider.DIGITALOCEAN: ("doks", "vm"),
    Provider.ORACLE: ("oke", "vm"),
    Provider.KUBERNETES: ("existing",),
}
"""Kinds of compute of each provider."""


@frozen(kw_only=True)
class NodePorts:
    """Ports of every node."""

    management: int = 8080
    """Management API and health."""
    cluster: int = 8090
    """The cluster's protocol."""
    application: int | None = 8070
    """Application HTTP; None where it is not published."""


@frozen(kw_only=True)
class RuntimeSettings:
    """One cluster as Layer 1 left it."""

    provider: Provider
    """The cloud."""
    compute: str
    """What runs a node: `fargate`, `ec2`, `gke`, …"""
    region: str
    """Region, in the cloud's own words."""
    cluster_name: str
    """The cluster's name: value of the tag `aether-cluster`."""
    core_nodes: int
    """Voters: 3, 5 or 7."""
    min_nodes: int
    """Fewest nodes, core ones included."""
    max_nodes: int
    """Most nodes, core ones included."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of every node."""
    managed: bool = False
    """Whether Layer 1 left the number of elastic nodes to us (`[cloud.manager] enabled = true`). Otherwise the cloud's
    own autoscaler owns it, and two owners would fight."""
    tags: Mapping[str, str] = field(factory=dict)
    """Standard tags of every resource."""
    facts: Mapping[str, Any] = field(factory=dict)
    """The whole output, from which each manager structures what it needs."""

    @property
    def elastic_minimum(self) -> int:
        """Fewest elastic nodes."""
        return self.min_nodes - self.core_nodes

    @property
    def elastic_maximum(self) -> int:
        """Most elastic nodes."""
        return self.max_nodes - self.core_nodes


def load_settings(path: str | Path) -> RuntimeSettings:
    """Read what `terraform output -json` or `cdktf output --outputs-file` wrote.

    Args:
        path: the file; `-` for standard input is the caller's business.

    Raises:
        ConfigError: it cannot be read, is not such a file, or is of something else; holds every problem.
    """
    source = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = "write it: terraform output -json > outputs.json"
        raise ConfigError([Problem(path="", message="does not exist", hint=hint)], source) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Problem(path="", message=f"cannot be read: {reason.lower()}")], source) from None
    return parse_settings(text, source)


def parse_settings(text: str, source: str = "outputs.json") -> RuntimeSettings:
    """Read the text of such a file.

    Args:
        text: JSON: all outputs, each as `{"value": …}` (Terraform) or per stack (cdktf), or the object `runtime` alone.
        source: the file's name, for messages.

    Raises:
        ConfigError: as above.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigError([Problem(path="", message=f"is not JSON: {str(error).lower()}")], source) from None
    found = list(_runtimes(document))
    if not found:
        keys = sorted(document) if isinstance(document, dict) else []
        message = f"has no output `runtime`, only {listing(keys)}" if keys else "has no output at all"
        hint = "these must be the outputs of an infrastructure stack of Aether Infra: terraform output -json"
        raise ConfigError([Problem(path="", message=message, hint=hint)], source)
    if len(found) > 1:
        message = f"has the outputs of several stacks: {listing([name for name, _ in found])}"
        raise ConfigError(
            [Problem(path="", message=message, hint="give those of one infrastructure stack")], source
        )
    return _settings(found[0][1], source)


def _runtimes(document: Any, name: str = "runtime", depth: int = 0) -> list[tuple[str, Mapping[str, Any]]]:
    """Each object `runtime` in a document, with the name of what it was found in."""
    if not isinstance(document, dict) or depth > 2:  # noqa: PLR2004 - file, stack, output
        return []
    if {"provider", "compute", "cluster_name"} <= document.keys() and isinstance(document["provider"], str):
        return [(name, document)]
    runtime = document.get("runtime")
    if isinstance(runtime, dict):
        value = runtime.get("value", runtime)
        return [(name, value)] if isinstance(value, dict) else []
    return [found for key, item in document.items() for found in _runtimes(item, key, depth + 1)]


def _settings(raw: Mapping[str, Any], source: str) -> RuntimeSettings:
    problems: list[Problem] = []

    def take(key: str, kind: type, *, least: int | None = None) -> Any:
        value: Any = raw.get(key)
        message = ""
        if key not in raw:
            message = "is missing"
        elif not isinstance(value, kind) or isinstance(value, bool):
            message = f"must be {_KINDS[kind]}, got {show(value)}"
        elif least is not None and int(raw[key]) < least:
            message = f"must be at least {least}, got {show(value)}"
        if message:
            problems.append(Problem(path=f"runtime.{key}", message=message))
        return value if isinstance(value, kind) else kind()

    name = take("provider", str)
    providers = tuple(provider.value for provider in Provider)
    if name and name not in providers:
        message = f"must be one of {listing(providers)}, got {show(name)}"
        problems.append(Problem(path="runtime.provider", message=message, hint=nearest(name, providers)))
    compute = take("compute", str)
    if name in providers and compute and compute not in COMPUTES[Provider(name)]:
        kinds = COMPUTES[Provider(name)]
        message = f"must be one of {listing(kinds)} on {name}, got {show(compute)}"
        problems.append(Problem(path="runtime.compute", message=message, hint=nearest(compute, kinds)))
    core = take("core_nodes", int, least=3)
    minimum, maximum = take("min_nodes", int, least=core), take("max_nodes", int)
    if maximum and minimum > maximum:
        problems.append(
            Problem(path="runtime.max_nodes", message=f"must be at least min_nodes, {minimum}, got {maximum}")
        )
    cluster = take("cluster_name", str)
    region = take("region", str)
    ports = take("ports", dict)
    if problems:
        raise ConfigError(problems, source)
    return RuntimeSettings(
        provider=Provider(name),
        compute=compute,
        region=region,
        cluster_name=cluster,
        core_nodes=core,
        min_nodes=minimum,
        max_nodes=maximum,
        ports=NodePorts(
            **{key: ports[key] for key in ("management", "cluster", "application") if key in ports}
        ),
        managed=bool(raw.get("managed", False)),
        tags=raw.get("tags") or {},
        facts=raw,
    )


_KINDS: Mapping[type, str] = {str: "text", int: "a whole number", dict: "an object"}
