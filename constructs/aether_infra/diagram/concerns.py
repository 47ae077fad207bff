"""What has no place of its own in the picture: grouped, named and counted, so that nothing is hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aether_infra.diagram.document import STATE, Resource
from aether_infra.diagram.model import Architecture, Others
from aether_infra.diagram.parts import every_part

CONCERNS: Final[Mapping[str, tuple[str, ...]]] = {
    "Access rights": (
        "iam",
        "role",
        "policy_attachment",
        "identity",
        "service_account",
        "access_entry",
        "access_policy",
        "federated",
        "credential",
        "dynamic_group",
        "docker_credentials",
    ),
    "Network": (
        "route",
        "vpc",
        "subnet",
        "network",
        "security_list",
        "security_group",
        "firewall",
        "address",
        "eip",
        "public_ip",
        "gateway",
        "router",
        "dns",
        "public_access",
    ),
    "Logs and alarms": ("log", "monitor", "alarm", "metric", "diagnostic", "alert", "uptime"),
    "Data": ("bucket", "disk", "volume", "storage", "backup", "efs"),
    "Compute": (
        "machine",
        "instance",
        "autoscal",
        "scaling",
        "capacity",
        "template",
        "node_pool",
        "addon",
        "ssh",
        "health_check",
        "droplet",
    ),
    "Kubernetes objects": ("kubernetes_",),
    "Account": ("project", "resource_group", "tag", "lock", "service"),
}
"""Words in types of resources that tell their concern; the first that fits counts."""
REST: Final = "Other"
PROVIDERS: Final = ("aws_", "azurerm_", "digitalocean_", "google_", "kubernetes_", "oci_")
VERSION: Final = ("_v1", "_v2")
SMALL: Final = {
    "acl": "ACL",
    "api": "API",
    "dns": "DNS",
    "ecr": "ECR",
    "ecs": "ECS",
    "eip": "EIP",
    "eks": "EKS",
    "iam": "IAM",
    "ip": "IP",
    "kms": "KMS",
    "nat": "NAT",
    "s3": "S3",
    "ssh": "SSH",
    "ssl": "SSL",
    "ssm": "SSM",
    "vpc": "VPC",
    "vcn": "VCN",
}
"""Abbreviations, as they are written."""


def others(architecture: Architecture) -> tuple[Others, ...]:
    """Count the resources that neither a part nor a flow was read from.

    Args:
        architecture: the picture without them.

    Returns:
        One entry a concern, in the order of `CONCERNS`. Look-ups of what exists are left out: they build nothing.
    """
    drawn: set[Resource] = {source for part in every_part(architecture) for source in part.sources}
    drawn |= {source for flow in architecture.flows for source in flow.sources}
    left = [
        each
        for each in architecture.resources
        if not each.is_data and each not in drawn and each.type != STATE
    ]
    found: dict[str, list[Resource]] = {concern: [] for concern in (*CONCERNS, REST)}
    for resource in left:
        found[concern_of(resource.type)].append(resource)
    return tuple(
        Others(concern=concern, counts=_counts(resources), sources=tuple(resources))
        for concern, resources in found.items()
        if resources
    )


def concern_of(kind: str) -> str:
    """The concern of a type of resource."""
    if kind.startswith("kubernetes_"):
        return "Kubernetes objects"
    return next((concern for concern, words in CONCERNS.items() if any(word in kind for word in words)), REST)


def _counts(resources: list[Resource]) -> tuple[tuple[str, int], ...]:
    numbers: dict[str, int] = {}
    for resource in resources:
        numbers[resource.type] = numbers.get(resource.type, 0) + 1
    return tuple((type_words(kind, number), number) for kind, number in numbers.items())


def type_words(kind: str, number: int = 1) -> str:
    """A type of resource in words, such as `IAM roles` for `aws_iam_role`."""
    name = kind
    for start in PROVIDERS:
        name = name.removeprefix(start)
    for end in VERSION:
        name = name.removesuffix(end)
    text = " ".join(SMALL.get(word, word) for word in name.split("_"))
    return text if number == 1 else plural(text)


def plural(text: str) -> str:
    """The plural of an English noun, as far as resources are named."""
    if text.endswith(("s", "x", "ch")):
        return text if text.endswith("s") and not text.endswith("ss") else f"{text}es"
    if text.endswith("y") and text[-2:-1] not in "aeiou":
        return f"{text[:-1]}ies"
    return f"{text}s"
