"""Rules between keys of `[cloud.aws]`."""

import re
from typing import Final

from aether_infra.catalog import aws as catalog
from aether_infra.config.aws import AwsConfig
from aether_infra.config.aws_forms import arn_partition, arn_region
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import addresses, is_private, overlaps
from aether_infra.config.provider import Provider
from aether_infra.config.relations import (
    endpoint,
    misplaced,
    needs_domain,
    shadowed,
    together,
    unknown_region,
    unreachable_image,
)
from aether_infra.config.rule import Problems, Rule, TableRules
from aether_infra.config.rules_fargate import FARGATE_RULES
from aether_infra.config.words import dotted, listing, show
from aether_infra.config.zones import aws_zones
from aether_infra.errors import Problem

aws_rule = TableRules(Provider.AWS, lambda config: config.cloud.aws)

ONLY_FOR: Final = {
    "admin_principals": ("eks",),
    "ami_id": ("ec2",),
    "authorized_cidrs": ("eks",),
    "autoscaler_image": ("eks",),
    "container_insights": ("fargate", "eks"),
    "data": ("fargate",),
    "data_volume_gib": ("ec2", "eks"),
    "endpoint_public": ("eks",),
    "execute_command": ("fargate",),
    "extended_support": ("eks",),
    "kubernetes_version": ("eks",),
    "node_os": ("eks",),
    "service_cidr": ("eks",),
    "system_instance_type": ("eks",),
}
"""Keys with a meaning on some kinds of compute only. `instance_type`, `cpu` and `memory_mib` may stay in the
file when `compute` changes: the design's own sample has them side by side."""

REGIONAL_ARNS: Final = ("alarm_topic_arn", "certificate_arn", "kms_key_arn", "waf_acl_arn")
"""Keys whose ARN must be of the cluster's region."""
RESERVED_PER_SUBNET: Final = 5
"""Addresses of a subnet that AWS keeps. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html (as of 2026-11)."""
ENDPOINTS_PER_SUBNET: Final = 6
"""Most addresses of a private subnet that endpoints and file systems take."""
PER_EKS_MACHINE: Final = 30
"""Addresses that an EKS machine of the usual size takes for its pods. Source:
https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html (as of 2026-11)."""
EKS_OTHER_MACHINES: Final = 3
"""EKS machines besides the nodes' own: two for the cluster's own pods, and one more during an update."""
SUBNET_SLOTS: Final = 16
"""Subnets that a VPC is divided into."""
EKS_SERVICE_RANGES: Final = "10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"


@aws_rule(".region", ".availability_zones", ".vpc_id")
def zones(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """Zones that exist, two at least."""
    if aws.vpc_id is not None:
        return
    if isinstance(aws.availability_zones, int):
        yield from _zone_count(aws, aws.availability_zones)
    else:
        yield from _zone_list(aws, aws.availability_zones)


def _zone_count(aws: AwsConfig, count: int) -> Problems:
    known = catalog.REGIONS.get(aws.region)
    if known is None:
        yield from unknown_region(
            Provider.AWS, "region", aws.region, catalog.REGIONS, "list its zones in availability_zones"
        )
    elif not catalog.LEAST_ZONES <= count <= len(known):
        bounds = (
            f"between {catalog.LEAST_ZONES} and {len(known)}"
            if len(known) > catalog.LEAST_ZONES
            else f"{catalog.LEAST_ZONES}"
        )
        has = f"{aws.region} has {listing(known)}"
        yield Problem(
            path="cloud.aws.availability_zones",
            message=f"must be {bounds} in {aws.region}, got {count}",
            hint="a load balancer needs two zones" if count < catalog.LEAST_ZONES else has,
        )


def _zone_list(aws: AwsConfig, listed: tuple[str, ...]) -> Problems:
    path = "cloud.aws.availability_zones"
    if len({_is_id(zone) for zone in listed}) > 1:
        yield Problem(
            path=path,
            message=f"must hold names or ids, not both, got {listing(map(show, listed))}",
            hint="which name is which id differs from account to account",
        )
    for index, zone in enumerate(listed):
        if not _belongs(zone, aws.region):
            known = catalog.REGIONS.get(aws.region, ())
            yield Problem(
                path=f"{path}[{index}]",
                message=f"is not a zone of {aws.region}: {show(zone)}",
                hint=f"such as {aws.region}a" + f", or one of {listing(known)}" * bool(known),
            )


def _is_id(zone: str) -> bool:
    return re.fullmatch(catalog.ZONE_ID_FORM, zone) is not None


def _belongs(zone: str, region: str) -> bool:
    if not _is_id(zone):
        return zone[:-1] == region
    known = catalog.REGIONS.get(region)
    return known is None or zone.partition("-")[0] == known[0].partition("-")[0]


@aws_rule(".vpc_id", ".public_subnet_ids", ".private_subnet_ids")
def existing_vpc(config: AetherConfig, aws: AwsConfig) -> Problems:
    """An existing VPC comes with its subnets."""
    keys = ("vpc_id", "public_subnet_ids", "private_subnet_ids")
    yield from together(config, Provider.AWS, keys, "an existing VPC needs all of " + listing(keys))
    if 0 < len(aws.public_subnet_ids) < catalog.LEAST_ZONES:
        yield Problem(
            path="cloud.aws.public_subnet_ids",
            message=f"must list at least {catalog.LEAST_ZONES} subnets, got {len(aws.public_subnet_ids)}",
            hint="a load balancer needs subnets in two zones",
        )
    for index, subnet in enumerate(aws.private_subnet_ids):
        if subnet in aws.public_subnet_ids:
            yield Problem(
                path=f"cloud.aws.private_subnet_ids[{index}]",
                message=f"is a public subnet too: {show(subnet)}",
                hint="nodes belong into private subnets",
            )


@aws_rule(".vpc_id")
def new_vpc_only(config: AetherConfig, aws: AwsConfig) -> Problems:
    """An existing VPC comes without what a new one would be made of."""
    if aws.vpc_id is not None:
        new_only = ("vpc_cidr", "availability_zones", "nat", "flow_logs")
        yield from shadowed(config, Provider.AWS, new_only, "vpc_id names an existing VPC")


@aws_rule(".compute")
def compute_keys(config: AetherConfig, aws: AwsConfig) -> Problems:
    """No key of another kind of compute."""
    yield from misplaced(config, Provider.AWS, aws.compute, ONLY_FOR)


@aws_rule(".compute", ".instance_type", ".architecture")
def architecture(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """The instance type's processors are the ones that are asked for."""
    has = catalog.architecture(aws.instance_type)
    if aws.compute != "fargate" and aws.architecture not in {None, has}:
        yield Problem(
            path="cloud.aws.architecture",
            message=f"is {show(aws.architecture)}, but {aws.instance_type} is {show(has)}",
            hint="leave architecture out: it follows from instance_type",
        )


@aws_rule(".compute", "=cloud.tags")
def metadata_tags(config: AetherConfig, aws: AwsConfig) -> Problems:
    """Tags that an instance can read of itself, as its node does. Source: catalog.INSTANCE_TAG_KEY."""
    if aws.compute != "ec2":
        return
    for key in config.cloud.tags:
        if not re.fullmatch(catalog.INSTANCE_TAG_KEY, key):
            yield Problem(
                path=dotted(("cloud", "tags", key)),
                message="is no tag on EC2: a key must be 1-128 letters, digits and + - = . , _ : @",
                hint="instances read their own tags, which allows no spaces and slashes in a key",
            )


def _arn_rule(key: str) -> Rule:
    """The rule that an ARN is of the cluster's partition and, if it has a region, of the cluster's."""

    @aws_rule(".region", f".{key}")
    def of_this_region(_config: AetherConfig, aws: AwsConfig) -> Problems:
        arn: str | None = getattr(aws, key)
        partition = catalog.partition(aws.region)
        if arn is not None and arn_partition(arn) != partition:
            yield Problem(
                path=f"cloud.aws.{key}",
                message=f"must be of the partition {partition}, that of {aws.region}, "
                f"got {show(arn_partition(arn))}",
            )
        elif arn is not None and key in REGIONAL_ARNS and arn_region(arn) != aws.region:
            yield Problem(
                path=f"cloud.aws.{key}",
                message=f"must be of the region {aws.region}, got one of {show(arn_region(arn))}",
            )

    return of_this_region


@aws_rule(
    ".vpc_cidr",
    ".availability_zones",
    ".region",
    ".compute",
    ".vpc_id",
    ".max_nodes",
    ".min_nodes",
    "cluster.nodes",
)
def room(config: AetherConfig, aws: AwsConfig) -> Problems:
    """The private subnets have an address for every node."""
    if aws.vpc_id is not None:
        return
    try:
        count = len(aws_zones(aws))
    except ValueError:  # the region has fewer zones: a rule of its own says so
        return
    free = addresses(aws.vpc_cidr) // SUBNET_SLOTS - RESERVED_PER_SUBNET - ENDPOINTS_PER_SUBNET
    eks = aws.compute == "eks"
    fits = count * free // (PER_EKS_MACHINE if eks else 1)
    needed = config.counts(Provider.AWS).maximum + (EKS_OTHER_MACHINES if eks else 0)
    if fits < needed:
        what = "machines" if eks else "nodes"
        yield Problem(
            path="cloud.aws.vpc_cidr",
            message=f"has room for {fits} {what} in {count} zones, but there may be {needed}: "
            f"{show(aws.vpc_cidr)}",
            hint=f"a private subnet is a sixteenth of it and has {free} free addresses; take a wider range",
        )


@aws_rule(".compute", ".vpc_cidr", ".vpc_id", ".service_cidr")
def eks_ranges(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """Kubernetes services have a private range apart from the VPC."""
    if aws.compute != "eks":
        return
    if aws.vpc_id is None:
        yield from overlaps({"cloud.aws.vpc_cidr": aws.vpc_cidr, "cloud.aws.service_cidr": aws.service_cidr})
    if not is_private(aws.service_cidr) or aws.service_cidr.startswith("100."):
        yield Problem(
            path="cloud.aws.service_cidr",
            message=f"must lie in {EKS_SERVICE_RANGES}, got {show(aws.service_cidr)}",
        )


@aws_rule(".compute", ".endpoint_public", ".authorized_cidrs")
def eks_endpoint(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """A public Kubernetes API says whom it is for; private networks reach it anyway, through the VPC."""
    if aws.compute != "eks":
        return
    public = [cidr for cidr in aws.authorized_cidrs if not is_private(cidr)]
    if aws.endpoint_public:
        yield from endpoint(Provider.AWS, public=True, authorized=public)
        return
    for index, cidr in enumerate(aws.authorized_cidrs):
        if cidr in public:
            yield Problem(
                path=f"cloud.aws.authorized_cidrs[{index}]",
                message=f"is a public network, but the Kubernetes API has no public address: {show(cidr)}",
                hint="set endpoint_public = true, or remove it",
            )


@aws_rule(".compute", ".vpc_id", ".private_subnet_ids", ".availability_zones")
def eks_zones(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """The control plane has subnets in two zones at least, all of which have EKS."""
    if aws.compute != "eks":
        return
    if 0 < len(aws.private_subnet_ids) < catalog.LEAST_ZONES:
        yield Problem(
            path="cloud.aws.private_subnet_ids",
            message=f"must list at least {catalog.LEAST_ZONES} subnets, got {len(aws.private_subnet_ids)}",
            hint="EKS needs subnets in two zones",
        )
    listed = () if isinstance(aws.availability_zones, int) else aws.availability_zones
    for index, zone in enumerate(listed):
        if zone in catalog.CONSTRAINED_ZONES and aws.vpc_id is None:
            yield Problem(path=f"cloud.aws.availability_zones[{index}]", message=f"has no EKS: {show(zone)}")


@aws_rule(
    ".autoscaler_image",
    ".compute",
    ".kubernetes_version",
    ".max_nodes",
    ".min_nodes",
    ".nat",
    ".region",
    ".vpc_id",
    "cluster.nodes",
)
def eks_autoscaler(config: AetherConfig, aws: AwsConfig) -> Problems:
    """Without NAT, the autoscaler's image is in ECR."""
    counts = config.counts(Provider.AWS)
    grows = aws.compute == "eks" and counts.minimum < counts.maximum
    if not grows or aws.nat != "none" or aws.vpc_id is not None:
        return
    host = (aws.autoscaler_image or "registry.k8s.io").partition("/")[0]
    if not re.fullmatch(_ecr(aws.region), host):
        yield Problem(
            path="cloud.aws.autoscaler_image",
            message=f"cannot be pulled from {host}: cloud.aws.nat is none",
            hint=f"name a copy of {catalog.autoscaler_image(aws.kubernetes_version)} in ECR in {aws.region}, "
            "or let min_nodes and max_nodes be the same",
        )


@aws_rule(".compute", ".region", ".admin_principals")
def eks_admins(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """Administrators are of the cluster's partition."""
    partition = catalog.partition(aws.region)
    for index, arn in enumerate(aws.admin_principals):
        if arn_partition(arn) != partition:
            yield Problem(
                path=f"cloud.aws.admin_principals[{index}]",
                message=f"must be of the partition {partition}, that of {aws.region}, "
                f"got {show(arn_partition(arn))}",
            )


def _ecr(region: str) -> str:
    """Matches the hosts of ECR in a region."""
    return rf"\d{{12}}\.dkr\.ecr(?:-fips)?\.{re.escape(region)}\.amazonaws\.com(?:\.cn)?"


@aws_rule(
    ".nat",
    ".vpc_id",
    ".region",
    ".egress_cidrs",
    "cloud.image",
    "cloud.manager.enabled",
    "cloud.manager.image",
    "cloud.provider",
)
def without_nat(config: AetherConfig, aws: AwsConfig) -> Problems:
    """Without NAT, nothing outside AWS can be reached."""
    if aws.nat != "none" or aws.vpc_id is not None:
        return
    yield from unreachable_image(config, Provider.AWS, _ecr(aws.region), f"ECR in {aws.region}")
    if aws.egress_cidrs:
        yield Problem(
            path="cloud.aws.egress_cidrs",
            message="cannot be reached: cloud.aws.nat is none",
            hint="take nat = per_az or single, or remove it",
        )


@aws_rule(".hosted_zone_id", "cloud.domain")
def dns(config: AetherConfig, _aws: AwsConfig) -> Problems:
    """A zone has a domain to hold."""
    yield from needs_domain(config, Provider.AWS, "hosted_zone_id")


@aws_rule(".access_logs", ".access_logs_bucket")
def access_logs(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """A bucket has logs to hold."""
    if aws.access_logs_bucket and not aws.access_logs:
        yield Problem(
            path="cloud.aws.access_logs_bucket",
            message="has no effect: access_logs is false",
            hint="remove one of them",
        )


AWS_RULES: Final[tuple[Rule, ...]] = (
    zones,
    existing_vpc,
    new_vpc_only,
    compute_keys,
    architecture,
    metadata_tags,
    *map(_arn_rule, (*REGIONAL_ARNS, "permissions_boundary_arn")),
    room,
    eks_ranges,
    eks_endpoint,
    eks_zones,
    eks_autoscaler,
    eks_admins,
    without_nat,
    dns,
    access_logs,
    *FARGATE_RULES,
)
"""Every rule of this cloud."""
