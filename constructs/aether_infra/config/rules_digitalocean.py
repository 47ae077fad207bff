"""Rules between keys of `[cloud.digitalocean]`."""

from collections import Counter
from typing import Final

from aether_infra.catalog import digitalocean as catalog
from aether_infra.config.digitalocean import DigitaloceanConfig
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import addresses, is_private, overlaps
from aether_infra.config.provider import Provider
from aether_infra.config.relations import misplaced, needs_domain, room, shadowed
from aether_infra.config.rule import Problems, Rule, TableRules
from aether_infra.config.words import dotted, listing, show
from aether_infra.errors import Problem

digitalocean_rule = TableRules(Provider.DIGITALOCEAN, lambda config: config.cloud.digitalocean)

DOKS: Final = ("doks",)
VM: Final = ("vm",)
ONLY_FOR: Final = {
    "authorized_cidrs": DOKS,
    "auto_upgrade": DOKS,
    "droplet_image": VM,
    "high_availability": DOKS,
    "kubernetes_version": DOKS,
    "maintenance": DOKS,
    "metrics_server": DOKS,
    "pod_cidr": DOKS,
    "registry_credential_days": VM,
    "service_cidr": DOKS,
    "ssh_key_ids": VM,
    "system_droplet_size": DOKS,
    "system_nodes": DOKS,
}
"""Keys with a meaning on one kind of compute only."""
RESERVED: Final = 8
"""Addresses of a VPC that gateways and load balancers take."""


@digitalocean_rule(".compute", ".region")
def kubernetes_region(_config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """A region that has DOKS."""
    if own.compute == "doks" and own.region in catalog.NO_KUBERNETES:
        others = (region for region in catalog.REGIONS if region not in catalog.NO_KUBERNETES)
        yield Problem(
            path="cloud.digitalocean.region",
            message=f"has no Kubernetes: {show(own.region)}",
            hint=f"take one of {listing(others)}",
        )


@digitalocean_rule(".compute")
def compute_keys(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """No key of the other kind of compute."""
    yield from misplaced(config, Provider.DIGITALOCEAN, own.compute, ONLY_FOR)


@digitalocean_rule(".vpc_id")
def existing_vpc(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """An existing VPC comes without what a new one would be made of."""
    if own.vpc_id is not None:
        yield from shadowed(config, Provider.DIGITALOCEAN, ("vpc_cidr",), "vpc_id names an existing VPC")


@digitalocean_rule(".region", ".vpc_id", ".vpc_cidr")
def vpc_range(_config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """A private range that DigitalOcean does not use itself."""
    if own.vpc_id is not None:
        return
    path = "cloud.digitalocean.vpc_cidr"
    if not is_private(own.vpc_cidr) or own.vpc_cidr.startswith("100."):
        yield Problem(
            path=path,
            message=f"must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, got {show(own.vpc_cidr)}",
        )
    regional = ("10.10.0.0/16",) if own.region == "nyc1" else ()
    for reserved in (*catalog.RESERVED_NETWORKS, *regional):
        if any(overlaps({path: own.vpc_cidr, "reserved": reserved})):
            yield Problem(
                path=path, message=f"overlaps {reserved}, which DigitalOcean keeps: {show(own.vpc_cidr)}"
            )


@digitalocean_rule(".compute", ".vpc_id", ".vpc_cidr", ".pod_cidr", ".service_cidr")
def ranges(_config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """No two ranges share addresses."""
    if own.compute == "doks":
        keys = (*(("vpc_cidr",) if own.vpc_id is None else ()), "pod_cidr", "service_cidr")
        yield from overlaps({f"cloud.digitalocean.{key}": getattr(own, key) for key in keys})


@digitalocean_rule(
    ".compute", ".vpc_id", ".vpc_cidr", ".system_nodes", ".min_nodes", ".max_nodes", "cluster.nodes"
)
def enough_room(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """Addresses for every droplet."""
    if own.vpc_id is None:
        yield from room(
            Provider.DIGITALOCEAN,
            "vpc_cidr",
            fits=addresses(own.vpc_cidr) - RESERVED,
            machines=config.counts(Provider.DIGITALOCEAN).maximum
            + (own.system_nodes + 1 if own.compute == "doks" else 0),
            cidr=own.vpc_cidr,
            each="a droplet takes one address",
        )


@digitalocean_rule(".compute", ".auto_upgrade")
def window(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """A window only acts on automatic upgrades.

    Source: https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/kubernetes_cluster
    (as of 2026-11).
    """
    if own.compute == "doks" and not own.auto_upgrade:
        yield from shadowed(config, Provider.DIGITALOCEAN, ("maintenance",), "auto_upgrade is false")


@digitalocean_rule(".create_registry", ".registry_name", ".registry_tier")
def registry(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """A registry that exists has a name, and its tier already."""
    if own.create_registry:
        return
    yield from shadowed(config, Provider.DIGITALOCEAN, ("registry_tier",), "create_registry is false")
    if own.registry_name is None:
        yield Problem(
            path="cloud.digitalocean.registry_name",
            message="is missing, but create_registry is false",
            hint="name the account's registry",
        )


@digitalocean_rule(".dns_zone", "cloud.domain")
def dns(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """A zone has a domain to hold, below its own name."""
    yield from needs_domain(config, Provider.DIGITALOCEAN, "dns_zone")
    domain, zone = config.cloud.domain, own.dns_zone
    if domain is not None and zone is not None and domain != zone and not domain.endswith(f".{zone}"):
        yield Problem(
            path="cloud.digitalocean.dns_zone",
            message=f"does not hold cloud.domain, {show(domain)}: {show(zone)}",
            hint="it must be the end of the domain, or left out",
        )


@digitalocean_rule(".dns_zone", ".manage_dns")
def dns_elsewhere(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """A zone that no record is made in is of no use."""
    if not own.manage_dns:
        yield from shadowed(config, Provider.DIGITALOCEAN, ("dns_zone",), "manage_dns is false")


@digitalocean_rule(".compute", ".min_nodes", ".max_nodes", "cluster.nodes")
def pool_size(config: AetherConfig, own: DigitaloceanConfig) -> Problems:
    """An autoscale pool that is not larger than pools can be."""
    counts = config.counts(Provider.DIGITALOCEAN)
    if own.compute == "vm" and counts.elastic_minimum > catalog.MOST_POOL_MINIMUM:
        yield Problem(
            path="cloud.digitalocean.min_nodes",
            message=f"must be at most {catalog.MOST_POOL_MINIMUM + counts.core}, got {counts.minimum}",
            hint=f"an autoscale pool's minimum is at most {catalog.MOST_POOL_MINIMUM} droplets, "
            f"and {counts.core} nodes are core ones",
        )


@digitalocean_rule("=cloud.tags")
def tags(config: AetherConfig, _own: DigitaloceanConfig) -> Problems:
    """Tags that differ: DigitalOcean has a tag as one text, and sees no difference between capital and small letters.

    Source: https://docs.digitalocean.com/reference/api/digitalocean/#tag/Tags (as of 2026-11).
    """
    texts = Counter((key.lower(), value.lower()) for key, value in config.cloud.tags.items())
    for key, value in config.cloud.tags.items():
        if texts[key.lower(), value.lower()] > 1:
            yield Problem(
                path=dotted(("cloud", "tags", key)),
                message="is there twice on digitalocean, in capital and small letters",
            )


DIGITALOCEAN_RULES: Final[tuple[Rule, ...]] = (
    kubernetes_region,
    compute_keys,
    existing_vpc,
    vpc_range,
    ranges,
    enough_room,
    window,
    registry,
    dns,
    dns_elsewhere,
    pool_size,
    tags,
)
"""Every rule of this cloud."""
