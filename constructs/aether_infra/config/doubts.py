"""What is allowed and still doubtful. Written as rules are; `warnings` runs them on a valid configuration."""

import re
from collections.abc import Iterator
from math import ceil
from typing import Final

from aether_infra.catalog import aws as aws_catalog
from aether_infra.catalog import digitalocean as digitalocean_catalog
from aether_infra.config.aws import AwsConfig
from aether_infra.config.azure import AzureConfig
from aether_infra.config.digitalocean import DigitaloceanConfig
from aether_infra.config.gcp import GcpConfig
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import is_private
from aether_infra.config.oracle import OracleConfig
from aether_infra.config.provider import Provider
from aether_infra.config.rule import Problems, Rule, rule, section_rule
from aether_infra.config.words import listing, show
from aether_infra.config.zones import aws_zones, azure_zones, gcp_zones, oracle_zones
from aether_infra.errors import Problem

ANYWHERE: Final = "0.0.0.0/0"
SLOWEST_START_SECONDS: Final = 45
"""A node may take so long to start. Source: the Aether node's documentation."""
FIRST_UNPRIVILEGED_PORT: Final = 1024


@section_rule()
def zone_majority(config: AetherConfig, provider: Provider) -> Problems:
    """No zone holds a majority of the core nodes."""
    zones, key = _zones(config, provider)
    if zones == 0:
        return
    counts = config.counts(provider)
    most = ceil(counts.core / zones)
    if most >= counts.majority:
        where = "its only zone holds all" if zones == 1 else f"one of {zones} zones holds {most} of"
        yield Problem(
            path=f"cloud.{provider}.{key}",
            message=f"{where} {counts.core} core nodes: without it there is no quorum",
            hint="three zones survive the loss of any one",
        )


def _zones(config: AetherConfig, provider: Provider) -> tuple[int, str]:
    """Number of zones, 0 if it cannot be known or chosen, and the key that decides it."""
    match config.section(provider):
        case AwsConfig(vpc_id=None) as aws:
            return len(aws_zones(aws)), "availability_zones"
        case AwsConfig() as aws:
            return len(aws.private_subnet_ids), "private_subnet_ids"
        case GcpConfig() as gcp:
            return len(gcp_zones(gcp)), "zone" if gcp.zone else "availability_zones"
        case AzureConfig() as azure:
            zones = azure_zones(azure)
            return max(len(zones), 1), "availability_zones" if zones else "location"
        case OracleConfig() as oracle:
            return len(oracle_zones(oracle)), "availability_zones"
        case _:
            return 0, ""


@rule()
def application_port(config: AetherConfig) -> Problems:
    """Whether the node serves application HTTP is said."""
    if config.app_http.enabled is None:
        yield Problem(
            path="app-http.enabled",
            message=f"is not said: port {config.app_http.port} is published, but the node leaves it off",
            hint="say enabled = true, or false to publish nothing",
        )


@section_rule()
def encryption(config: AetherConfig, provider: Provider) -> Problems:
    """Users and operators are not served in plain text."""
    section = config.section(provider)
    encrypted, key = _certificate(config, provider)
    if config.app_http.published and not encrypted and key:
        yield Problem(
            path=f"cloud.{provider}.{key}",
            message="is not given, nor a name to make a certificate for: users are served plain HTTP",
            hint=f"give {key}" + ("" if provider is Provider.ORACLE else " or cloud.domain"),
        )
    ends_tls = (
        provider is Provider.AWS and encrypted
    )  # elsewhere the load balancer passes this port on as it is
    if section.management_cidrs and not config.cluster.tls and not ends_tls:
        yield Problem(
            path=f"cloud.{provider}.management_cidrs",
            message="lets operators in, but cluster.tls is not true: the management port speaks plain HTTP",
            hint="set cluster.tls = true, or reach it through a VPN",
        )


def _certificate(config: AetherConfig, provider: Provider) -> tuple[bool, str]:
    """Whether the load balancer has a certificate, and the key for one; none where HTTPS ends at the node."""
    section = config.section(provider)
    named = config.cloud.domain is not None and section.manage_dns
    match section:
        case AwsConfig(certificate_arn=given):
            return named or given is not None, "certificate_arn"
        case GcpConfig(certificate=given):
            return named or given is not None, "certificate"
        case DigitaloceanConfig(certificate_name=given):
            return named or given is not None, "certificate_name"
        case OracleConfig(compute="oke", tls_secret=given):
            return given is not None, "tls_secret"
        case OracleConfig(certificate_id=given):
            return given is not None, "certificate_id"
        case _:
            return False, ""


@section_rule()
def open_doors(config: AetherConfig, provider: Provider) -> Problems:
    """Neither the management port nor the Kubernetes API is open to the world, nor closed to all."""
    section = config.section(provider)
    if ANYWHERE in section.management_cidrs:
        yield Problem(
            path=f"cloud.{provider}.management_cidrs",
            message="opens the management port, which deploys and undeploys, to the whole internet",
            hint="list your own networks",
        )
    if ANYWHERE in getattr(section, "authorized_cidrs", ()):
        yield Problem(
            path=f"cloud.{provider}.authorized_cidrs",
            message="opens the Kubernetes API to the whole internet",
            hint="list your own networks",
        )
    if isinstance(section, DigitaloceanConfig) and section.compute == "doks" and not section.authorized_cidrs:
        yield Problem(
            path="cloud.digitalocean.authorized_cidrs",
            message="is empty: nobody may reach the Kubernetes API, not even the workload stack",
            hint="list the networks that deploy",
        )


@section_rule()
def spot_without_elastic(config: AetherConfig, provider: Provider) -> Problems:
    """Spot capacity has nodes to run."""
    if getattr(config.section(provider), "spot", False) and config.counts(provider).elastic_maximum == 0:
        yield Problem(
            path=f"cloud.{provider}.spot",
            message="has no effect: max_nodes leaves no elastic nodes, and core nodes never run on spot",
        )


@section_rule()
def public_range(config: AetherConfig, provider: Provider) -> Problems:
    """The network's range is nobody else's."""
    cidr = getattr(config.section(provider), "vpc_cidr", None)
    if cidr is not None and not is_private(cidr):
        yield Problem(
            path=f"cloud.{provider}.vpc_cidr",
            message=f"is not a private range: {show(cidr)} hides hosts on the internet",
            hint="take one in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
        )


@rule()
def image_tag(config: AetherConfig) -> Problems:
    """The image is the same tomorrow."""
    image = config.cloud.image
    if image is not None and not _fixed(image):
        yield Problem(
            path="cloud.image",
            message=f"can change under a running cluster, so that core nodes differ: {show(image)}",
            hint='name a version, best by digest: "…@sha256:…"',
        )


def _fixed(image: str) -> bool:
    """Whether an image is named by digest, or at least by a version."""
    tag = re.search(r":([^:/]+)$", image)
    return "@sha256:" in image or (tag is not None and tag[1] != "latest")


@section_rule()
def least_elastic(config: AetherConfig, provider: Provider) -> Problems:
    """In Kubernetes no autoscaler by CPU comes down to nothing."""
    counts, path = config.counts(provider), f"cloud.{provider}.min_nodes"
    if (
        path in config.given
        and config.in_kubernetes(provider)
        and not config.managed(provider)
        and counts.elastic_minimum == 0 < counts.elastic_maximum
    ):
        yield Problem(
            path=path,
            message=f"is {counts.minimum}, but {counts.minimum + 1} nodes will run: Kubernetes' autoscaler keeps "
            "one elastic node at least, whose CPU it goes by",
            hint=f"max_nodes = {counts.core} runs the core alone",
        )


@rule()
def kubernetes_service_type(config: AetherConfig) -> Problems:
    """Who reaches the management port follows from `management_cidrs` alone."""
    kind = config.kubernetes.service_type
    if kind != "ClusterIP" and any(config.in_kubernetes(provider) for provider in config.sections):
        yield Problem(
            path="kubernetes.service_type",
            message=f"has no effect here: {show(kind)}",
            hint="management_cidrs opens the management port, and says to whom",
        )


@rule()
def secrets_of_one_cloud(config: AetherConfig) -> Problems:
    """References are in the store of one cloud only."""
    others = [provider for provider in config.sections if provider is not config.cloud.provider]
    if config.cloud.secrets and others:
        yield Problem(
            path="cloud.secrets",
            message=f"are references of {config.cloud.provider}: {listing(others)} go without them",
        )


@rule()
def slow_start(config: AetherConfig) -> Problems:
    """A starting node is left in peace."""
    seconds = config.cloud.health.start_seconds
    if seconds < SLOWEST_START_SECONDS:
        yield Problem(
            path="cloud.health.start_seconds",
            message=f"may be too short, {seconds} s: a node takes 30 to {SLOWEST_START_SECONDS} s to start",
        )


@rule()
def privileged_ports(config: AetherConfig) -> Problems:
    """The node's user may listen on its ports."""
    ports = config.cluster.ports
    for path, port in (
        ("cluster.ports.management", ports.management),
        ("cluster.ports.cluster", ports.cluster),
        ("app-http.port", config.app_http.port),
    ):
        if port < FIRST_UNPRIVILEGED_PORT:
            yield Problem(path=path, message=f"is {port}, but the node is not root and may need 1024 or more")


@rule()
def manager_doubts(config: AetherConfig) -> Problems:
    """The manager is reached by those who may, in secret, and is the same tomorrow."""
    own, owner = config.cloud.manager, config.secrets_owner
    if not config.managed(owner):
        return
    if own.allowed_cidrs:
        yield Problem(
            path="cloud.manager.allowed_cidrs",
            message="lets others reach its API, which speaks plain HTTP: keys pass the network as they are",
            hint="reach it through a VPN, or put something that ends TLS before it",
        )
    if ANYWHERE in own.allowed_cidrs:
        yield Problem(
            path="cloud.manager.allowed_cidrs",
            message="opens the manager's API, which makes and ends nodes, to whatever reaches the network",
            hint="list your own networks",
        )
    if own.image is not None and not _fixed(own.image):
        yield Problem(
            path="cloud.manager.image",
            message=f"can change from one start to the next: {show(own.image)}",
            hint='name a version, best by digest: "…@sha256:…"',
        )
    others = [provider for provider in config.sections if provider is not owner]
    if others:
        yield Problem(
            path="cloud.manager.enabled",
            message=f"is for {owner} alone: {listing(others)} keep their own autoscalers",
        )
    if "cloud.scaling" in config.given and not others:
        yield Problem(
            path="cloud.scaling",
            message="has no effect beside the manager, which goes by the node's own thresholds",
            hint="set them in the node's controller configuration",
        )


@rule()
def aws_doubts(config: AetherConfig) -> Problems:
    """What is doubtful on AWS alone."""
    aws = config.cloud.aws
    if aws is None:
        return
    if aws.nat == "single" and aws.vpc_id is None:
        yield Problem(
            path="cloud.aws.nat",
            message="is single: without that zone no node reaches anything outside",
            hint="per_az survives the loss of a zone",
        )
    if not isinstance(aws.availability_zones, int):
        for index, zone in enumerate(aws.availability_zones):
            if zone in aws_catalog.CONSTRAINED_ZONES:
                yield Problem(
                    path=f"cloud.aws.availability_zones[{index}]",
                    message=f"is closed to newer accounts: {show(zone)}",
                )
    if aws.compute == "eks" and not aws.authorized_cidrs:
        yield Problem(
            path="cloud.aws.authorized_cidrs",
            message="is empty: only the machines may reach the Kubernetes API, not whoever deploys the workload",
            hint="list the networks that deploy: private ones as they are, public ones with endpoint_public = true",
        )
    yield from _idle_sizes(config, aws)


def _idle_sizes(config: AetherConfig, aws: AwsConfig) -> Iterator[Problem]:
    fargate = aws.compute == "fargate"
    for key in ("instance_type",) if fargate else ("cpu", "memory_mib"):
        if f"cloud.aws.{key}" in config.given:
            yield Problem(
                path=f"cloud.aws.{key}", message=f"has no effect with compute = {show(aws.compute)}"
            )
    limit = config.node.resources.memory_limit_mib
    said = "node.resources.memory_limit" in config.given
    if fargate and said and aws.memory_mib is not None and limit > aws.memory_mib:
        yield Problem(
            path="node.resources.memory_limit",
            message=f"has no effect: cloud.aws.memory_mib gives a task {aws.memory_mib} MiB, not {limit}",
        )


@rule()
def new_region(config: AetherConfig) -> Problems:
    """The region is known, where no zones could be listed to prove it."""
    own = config.cloud.digitalocean
    if own is not None and own.region not in digitalocean_catalog.REGIONS:
        yield Problem(
            path="cloud.digitalocean.region",
            message=f"is not a region known here: {show(own.region)}",
            hint=f"known are {listing(digitalocean_catalog.REGIONS)}",
        )


DOUBTS: Final[tuple[Rule, ...]] = (
    *zone_majority,
    application_port,
    *encryption,
    *open_doors,
    *spot_without_elastic,
    *public_range,
    image_tag,
    *least_elastic,
    kubernetes_service_type,
    secrets_of_one_cloud,
    slow_start,
    privileged_ports,
    manager_doubts,
    aws_doubts,
    new_region,
)
"""Every doubt."""
