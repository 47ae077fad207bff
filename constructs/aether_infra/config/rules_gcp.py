"""Rules between keys of `[cloud.gcp]`."""

import re
from typing import Final

from aether_infra.catalog import gcp as catalog
from aether_infra.config.gcp import GcpConfig
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import addresses, is_private, overlaps
from aether_infra.config.provider import Provider
from aether_infra.config.relations import (
    endpoint,
    misplaced,
    needs_domain,
    room,
    shadowed,
    together,
    unknown_region,
    unreachable_image,
)
from aether_infra.config.rule import Problems, Rule, TableRules
from aether_infra.config.words import listing, show
from aether_infra.errors import Problem

gcp_rule = TableRules(Provider.GCP, lambda config: config.cloud.gcp)

GKE: Final = ("gke",)
ONLY_FOR: Final = {
    "authorized_cidrs": GKE,
    "endpoint_public": GKE,
    "kubernetes_version": GKE,
    "maintenance": GKE,
    "master_cidr": GKE,
    "pod_cidr": GKE,
    "pod_range": GKE,
    "release_channel": GKE,
    "service_cidr": GKE,
    "service_range": GKE,
    "system_machine_type": GKE,
    "system_nodes": GKE,
    "vm_image": ("vm",),
}
"""Keys with a meaning on one kind of compute only."""
RESERVED_PER_SUBNET: Final = 4
"""Addresses of a subnet that Google keeps. Source:
https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet (as of 2026-11)."""
POD_ADDRESSES_PER_MACHINE: Final = 256
"""Addresses that GKE sets aside for a machine's pods. Source:
https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr (as of 2026-11)."""
LEAST_WINDOW_HOURS: Final = 12
"""A weekly window of less is not the 48 hours in 32 days that GKE wants. Source:
https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions
(as of 2026-11)."""


@gcp_rule(".region", ".zone", ".availability_zones")
def zones(config: AetherConfig, gcp: GcpConfig) -> Problems:
    """Zones that exist, of this region."""
    path = "cloud.gcp.availability_zones"
    known = catalog.REGIONS.get(gcp.region)
    wanted = gcp.availability_zones
    if gcp.zone is not None:
        yield from shadowed(config, Provider.GCP, ("availability_zones",), "zone asks for one zone")
        if not _belongs(gcp.zone, gcp.region):
            yield _foreign("cloud.gcp.zone", gcp.zone, gcp.region)
    elif not isinstance(wanted, int):
        for index, zone in enumerate(wanted):
            if not _belongs(zone, gcp.region):
                yield _foreign(f"{path}[{index}]", zone, gcp.region)
    elif known is None:
        remedy = "list its zones in availability_zones"
        yield from unknown_region(Provider.GCP, "region", gcp.region, catalog.REGIONS, remedy)
    elif not 1 <= wanted <= len(known):
        yield Problem(
            path=path,
            message=f"must be between 1 and {len(known)} in {gcp.region}, got {wanted}",
            hint=f"it has {listing(f'{gcp.region}-{letter}' for letter in known)}",
        )


def _belongs(zone: str, region: str) -> bool:
    letters = catalog.REGIONS.get(region)
    head, _, letter = zone.rpartition("-")
    return head == region and len(letter) == 1 and (letters is None or letter in letters)


def _foreign(path: str, zone: str, region: str) -> Problem:
    letters = catalog.REGIONS.get(region, ())
    return Problem(
        path=path,
        message=f"is not a zone of {region}: {show(zone)}",
        hint=f"it has {listing(f'{region}-{letter}' for letter in letters)}" if letters else "",
    )


@gcp_rule(".compute")
def compute_keys(config: AetherConfig, gcp: GcpConfig) -> Problems:
    """No key of the other kind of compute."""
    yield from misplaced(config, Provider.GCP, gcp.compute, ONLY_FOR)


@gcp_rule(".compute", ".network", ".subnetwork", ".pod_range", ".service_range")
def existing_network(config: AetherConfig, gcp: GcpConfig) -> Problems:
    """An existing network comes with its subnet and ranges, and without what a new one would be made of."""
    keys = ("network", "subnetwork", *(("pod_range", "service_range") if gcp.compute == "gke" else ()))
    yield from together(config, Provider.GCP, keys, f"an existing network needs all of {listing(keys)}")
    if gcp.network is not None:
        new_only = ("vpc_cidr", "pod_cidr", "service_cidr", "nat", "flow_logs")
        yield from shadowed(config, Provider.GCP, new_only, "network names an existing one")


@gcp_rule(".compute", ".network", ".vpc_cidr", ".pod_cidr", ".service_cidr", ".master_cidr")
def ranges(_config: AetherConfig, gcp: GcpConfig) -> Problems:
    """No two ranges share addresses."""
    if gcp.compute == "gke" and gcp.network is None:
        keys = ("vpc_cidr", "pod_cidr", "service_cidr", "master_cidr")
        yield from overlaps({f"cloud.gcp.{key}": getattr(gcp, key) for key in keys})


@gcp_rule(
    ".compute",
    ".network",
    ".vpc_cidr",
    ".pod_cidr",
    ".system_nodes",
    ".min_nodes",
    ".max_nodes",
    "cluster.nodes",
)
def enough_room(config: AetherConfig, gcp: GcpConfig) -> Problems:
    """Addresses for every machine and its pods."""
    if gcp.network is not None:
        return
    gke = gcp.compute == "gke"
    machines = config.counts(Provider.GCP).maximum + (gcp.system_nodes + 1 if gke else 0)
    fits = addresses(gcp.vpc_cidr) - RESERVED_PER_SUBNET
    each = "a machine takes one address"
    yield from room(Provider.GCP, "vpc_cidr", fits=fits, machines=machines, cidr=gcp.vpc_cidr, each=each)
    if gke:
        fits = addresses(gcp.pod_cidr) // POD_ADDRESSES_PER_MACHINE
        each = "a machine takes a /24 for its pods"
        yield from room(Provider.GCP, "pod_cidr", fits=fits, machines=machines, cidr=gcp.pod_cidr, each=each)


@gcp_rule(".compute", ".endpoint_public", ".authorized_cidrs")
def kubernetes_endpoint(_config: AetherConfig, gcp: GcpConfig) -> Problems:
    """A public Kubernetes API says whom it is for."""
    if gcp.compute == "gke":
        yield from endpoint(
            Provider.GCP, public=gcp.endpoint_public, authorized=gcp.authorized_cidrs, inner=True
        )


@gcp_rule(".compute", ".endpoint_public", "=cloud.gcp.authorized_cidrs")
def inner_networks(_config: AetherConfig, gcp: GcpConfig) -> Problems:
    """A private Kubernetes API is reached from private networks."""
    if gcp.compute != "gke" or gcp.endpoint_public:
        return
    for index, cidr in enumerate(gcp.authorized_cidrs):
        if not is_private(cidr):
            yield Problem(
                path=f"cloud.gcp.authorized_cidrs[{index}]",
                message=f"is not a private range: {show(cidr)} cannot reach a Kubernetes API without a public address",
                hint="set endpoint_public = true, or remove it",
            )


@gcp_rule(".compute", ".maintenance.hours")
def window(_config: AetherConfig, gcp: GcpConfig) -> Problems:
    """GKE gets the hours that it wants."""
    if gcp.compute == "gke" and gcp.maintenance.hours < LEAST_WINDOW_HOURS:
        yield Problem(
            path="cloud.gcp.maintenance.hours",
            message=f"must be at least {LEAST_WINDOW_HOURS}, got {gcp.maintenance.hours}",
            hint="GKE wants 48 hours in any 32 days, and this window comes once a week",
        )


@gcp_rule(".nat", ".network", "cloud.image", "cloud.manager.enabled", "cloud.manager.image", "cloud.provider")
def without_nat(config: AetherConfig, gcp: GcpConfig) -> Problems:
    """Without NAT, images come from Google's registries only."""
    if gcp.nat == "none" and gcp.network is None:
        registry = r"[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io"
        yield from unreachable_image(config, Provider.GCP, registry, "Artifact Registry")


@gcp_rule(".dns_zone", ".manage_dns", "cloud.domain")
def dns(config: AetherConfig, gcp: GcpConfig) -> Problems:
    """A zone has a domain to hold, and a record to get."""
    yield from needs_domain(config, Provider.GCP, "dns_zone")
    if not gcp.manage_dns:
        yield from shadowed(config, Provider.GCP, ("dns_zone",), "manage_dns is false")


@gcp_rule(".region", ".subnetwork")
def subnetwork_region(_config: AetherConfig, gcp: GcpConfig) -> Problems:
    """The subnet lies in the region."""
    match = re.search(r"/regions/([^/]+)/", gcp.subnetwork or "")
    if match and match[1] != gcp.region:
        yield Problem(
            path="cloud.gcp.subnetwork",
            message=f"must be in the region, {show(gcp.region)}, got {show(match[1])}",
        )


@gcp_rule(".region", ".kms_key")
def key_location(_config: AetherConfig, gcp: GcpConfig) -> Problems:
    """The key lies where disks, registry and cluster are: none of them takes another region's."""
    location = gcp.kms_key.split("/")[3] if gcp.kms_key else gcp.region
    if location != gcp.region:
        yield Problem(
            path="cloud.gcp.kms_key",
            message=f"must be in the region, {show(gcp.region)}, got {show(location)}",
            hint="Artifact Registry and Kubernetes Engine take no key of another location",
        )


@gcp_rule(".data_volume_gib")
def data_disk(_config: AetherConfig, gcp: GcpConfig) -> Problems:
    """A data disk is no smaller than Google makes one."""
    if gcp.data_volume_gib < catalog.LEAST_DISK_GIB:
        yield Problem(
            path="cloud.gcp.data_volume_gib",
            message=f"must be at least {catalog.LEAST_DISK_GIB} on Google Cloud, got {gcp.data_volume_gib}",
        )


GCP_RULES: Final[tuple[Rule, ...]] = (
    zones,
    compute_keys,
    existing_network,
    ranges,
    enough_room,
    kubernetes_endpoint,
    inner_networks,
    window,
    without_nat,
    dns,
    subnetwork_region,
    key_location,
    data_disk,
)
"""Every rule of this cloud."""
