"""Rules between keys of `[cloud.azure]`."""

import re
from collections import Counter
from typing import Final

from aether_infra.catalog import azure as catalog
from aether_infra.config.azure import AzureConfig
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import addresses, overlaps
from aether_infra.config.provider import Provider
from aether_infra.config.relations import endpoint, misplaced, needs_domain, room, shadowed, unknown_region
from aether_infra.config.rule import Problems, Rule, TableRules
from aether_infra.config.words import dotted, listing, quote, show
from aether_infra.errors import Problem

azure_rule = TableRules(Provider.AZURE, lambda config: config.cloud.azure)

AKS: Final = ("aks",)
VM: Final = ("vm",)
ONLY_FOR: Final = {
    "admin_group_ids": AKS,
    "admin_ssh_public_key": VM,
    "admin_username": VM,
    "authorized_cidrs": AKS,
    "endpoint_public": AKS,
    "kubernetes_version": AKS,
    "maintenance": AKS,
    "node_os_upgrade_channel": AKS,
    "pod_cidr": AKS,
    "secure_boot": VM,
    "service_cidr": AKS,
    "sku_tier": AKS,
    "system_nodes": AKS,
    "system_vm_size": AKS,
    "upgrade_channel": AKS,
    "vm_image": VM,
}
"""Keys with a meaning on one kind of compute only."""
RESERVED_PER_SUBNET: Final = 5
"""Addresses of a subnet that Azure keeps. Source:
https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-faq (as of 2026-11)."""
SUBNETS: Final = 4
"""The network is divided into quarters: one for the nodes."""
SURGE: Final = 2
"""Machines that upgrades of AKS add for a while: one to the JVM pool, one to the system pool."""
TAG_BYTES: Final = (512, 256)
"""Longest key and value of a tag in bytes, as Terraform's provider counts. Source:
https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/tag-resources#limitations
(as of 2026-11)."""
POD_ADDRESSES_PER_MACHINE: Final = 256
"""Addresses that overlay networking sets aside for a machine's pods. Source:
https://learn.microsoft.com/en-us/azure/aks/concepts-network-azure-cni-overlay (as of 2026-11)."""


@azure_rule(".location", ".availability_zones")
def zones(config: AetherConfig, azure: AzureConfig) -> Problems:
    """Zones that exist in this location."""
    path = "cloud.azure.availability_zones"
    given = path in config.given
    zoned = catalog.LOCATIONS.get(azure.location)
    if zoned is None and not given:
        remedy = "say how many zones it has in availability_zones"
        yield from unknown_region(Provider.AZURE, "location", azure.location, catalog.LOCATIONS, remedy)
    elif zoned is False and given:
        yield Problem(path=path, message=f"cannot be had: {azure.location} has no zones", hint="remove it")
    elif isinstance(azure.availability_zones, int) and azure.availability_zones not in {1, 2, 3}:
        yield Problem(path=path, message=f"must be between 1 and 3, got {azure.availability_zones}")


@azure_rule(".compute")
def compute_keys(config: AetherConfig, azure: AzureConfig) -> Problems:
    """No key of the other kind of compute."""
    yield from misplaced(config, Provider.AZURE, azure.compute, ONLY_FOR)


@azure_rule(".subnet_id")
def existing_subnet(config: AetherConfig, azure: AzureConfig) -> Problems:
    """An existing subnet comes without what a new network would be made of."""
    if azure.subnet_id is not None:
        yield from shadowed(config, Provider.AZURE, ("vpc_cidr",), "subnet_id names an existing subnet")


@azure_rule(".subnet_id", ".subscription_id")
def one_subscription(_config: AetherConfig, azure: AzureConfig) -> Problems:
    """A subnet in the machines' own subscription.

    Source: https://learn.microsoft.com/en-us/azure/virtual-network/virtual-network-network-interface (as of 2026-11).
    """
    if azure.subnet_id is None:
        return
    subscription = azure.subnet_id.split("/")[2]
    if subscription.lower() != azure.subscription_id.lower():
        yield Problem(
            path="cloud.azure.subnet_id",
            message=f"is in another subscription than the machines, {show(subscription)}: Azure refuses that",
            hint="peer a network of subscription_id with it, and name a subnet of that one",
        )


@azure_rule(".compute", ".subnet_id", ".vpc_cidr", ".pod_cidr", ".service_cidr")
def ranges(_config: AetherConfig, azure: AzureConfig) -> Problems:
    """No two ranges share addresses."""
    if azure.compute == "aks":
        keys = (*(("vpc_cidr",) if azure.subnet_id is None else ()), "pod_cidr", "service_cidr")
        yield from overlaps({f"cloud.azure.{key}": getattr(azure, key) for key in keys})


@azure_rule(".compute", ".subnet_id", ".vpc_cidr", ".pod_cidr", ".service_cidr")
def reserved_ranges(_config: AetherConfig, azure: AzureConfig) -> Problems:
    """No range that Azure keeps."""
    aks = azure.compute == "aks"
    reserved = (*catalog.RESERVED_NETWORKS, *(catalog.AKS_RESERVED_NETWORKS if aks else ()))
    for key in (
        *(("vpc_cidr",) if azure.subnet_id is None else ()),
        *(("pod_cidr", "service_cidr") if aks else ()),
    ):
        path, cidr = f"cloud.azure.{key}", getattr(azure, key)
        for kept in reserved:
            if any(overlaps({"reserved": kept, path: cidr})):
                yield Problem(path=path, message=f"overlaps {kept}, which Azure keeps: {show(cidr)}")


@azure_rule(
    ".compute",
    ".subnet_id",
    ".vpc_cidr",
    ".pod_cidr",
    ".system_nodes",
    ".min_nodes",
    ".max_nodes",
    "cluster.nodes",
)
def enough_room(config: AetherConfig, azure: AzureConfig) -> Problems:
    """Addresses for every machine and its pods."""
    aks = azure.compute == "aks"
    machines = config.counts(Provider.AZURE).maximum + (azure.system_nodes + SURGE if aks else 0)
    if azure.subnet_id is None:
        yield from room(
            Provider.AZURE,
            "vpc_cidr",
            fits=addresses(azure.vpc_cidr) // SUBNETS - RESERVED_PER_SUBNET,
            machines=machines,
            cidr=azure.vpc_cidr,
            each="the nodes' subnet is a quarter of it, and a machine takes one address",
        )
    if aks:
        yield from room(
            Provider.AZURE,
            "pod_cidr",
            fits=addresses(azure.pod_cidr) // POD_ADDRESSES_PER_MACHINE,
            machines=machines,
            cidr=azure.pod_cidr,
            each="a machine takes a /24 for its pods",
        )


@azure_rule(
    ".compute",
    "=cloud.azure.allowed_cidrs",
    "=cloud.azure.management_cidrs",
    "cluster.ports",
    "app-http.enabled",
)
def one_address(config: AetherConfig, azure: AzureConfig) -> Problems:
    """Application and management port apart: they share one public address."""
    users = config.app_http.published and (azure.compute == "vm" or azure.allowed_cidrs)
    port = config.cluster.ports.management
    if users and azure.management_cidrs and port == catalog.APPLICATION_PORT:
        yield Problem(
            path="cluster.ports.management",
            message=f"is {port}, which the application has on the one public address of azure",
            hint="take another port, or leave cloud.azure.management_cidrs out",
        )


@azure_rule(".compute", ".endpoint_public", ".authorized_cidrs")
def kubernetes_endpoint(_config: AetherConfig, azure: AzureConfig) -> Problems:
    """A public Kubernetes API says whom it is for."""
    if azure.compute == "aks":
        yield from endpoint(Provider.AZURE, public=azure.endpoint_public, authorized=azure.authorized_cidrs)


@azure_rule(".compute", ".upgrade_channel", ".node_os_upgrade_channel")
def channels(_config: AetherConfig, azure: AzureConfig) -> Problems:
    """Upgrade channels that go together.

    Source: https://learn.microsoft.com/en-us/azure/aks/auto-upgrade-cluster (as of 2026-11).
    """
    if azure.upgrade_channel == "node-image" and azure.node_os_upgrade_channel != "NodeImage":
        yield Problem(
            path="cloud.azure.node_os_upgrade_channel",
            message="must be NodeImage, as upgrade_channel is node-image, "
            f"got {show(azure.node_os_upgrade_channel)}",
        )


@azure_rule(".dns_zone_id", "cloud.domain")
def dns(config: AetherConfig, azure: AzureConfig) -> Problems:
    """A zone has a domain to hold, and holds it."""
    yield from needs_domain(config, Provider.AZURE, "dns_zone_id")
    zone = (azure.dns_zone_id or "").rpartition("/")[2].lower()
    domain = config.cloud.domain
    if zone and domain is not None and not f".{domain}".endswith(f".{zone}"):
        yield Problem(
            path="cloud.azure.dns_zone_id",
            message=f"cannot hold {show(domain)}: its zone is {show(zone)}",
            hint="name the zone that the domain is in, or let a new zone be made",
        )


@azure_rule(".compute", ".admin_username")
def administrator(_config: AetherConfig, azure: AzureConfig) -> Problems:
    """A name that Azure lets an administrator have."""
    if azure.compute == "vm" and azure.admin_username in catalog.DISALLOWED_USERS:
        yield Problem(
            path="cloud.azure.admin_username",
            message=f"is not allowed on Azure: {show(azure.admin_username)}",
            hint='too many attackers know it: take another, such as "aether"',
        )


@azure_rule(".compute", "cloud.provider", "=cloud.secrets")
def one_vault(config: AetherConfig, azure: AzureConfig) -> Problems:
    """All secrets in one Key Vault on AKS: its driver reads one for each mount.

    Source: https://azure.github.io/secrets-store-csi-driver-provider-azure/docs/getting-started/usage/
    (as of 2026-11).
    """
    if azure.compute != "aks" or config.cloud.provider is not Provider.AZURE:
        return
    found = {re.match(r"https://([^./]+)\.", text) for text in config.cloud.secrets.values()}
    vaults = sorted({match[1].lower() for match in found if match})
    if len(vaults) > 1:
        yield Problem(
            path="cloud.secrets",
            message=f"must be in one Key Vault on AKS, but they are in {listing(map(quote, vaults))}",
            hint='copy them into one, or use compute = "vm"',
        )


@azure_rule("=cloud.tags")
def tags(config: AetherConfig, _azure: AzureConfig) -> Problems:
    """Tags that Azure takes: it counts bytes, and sees no difference between capital and small letters."""
    names = Counter(key.lower() for key in config.cloud.tags)
    for key, value in config.cloud.tags.items():
        path = dotted(("cloud", "tags", key))
        if names[key.lower()] > 1:
            yield Problem(path=path, message="is there twice on azure, in capital and small letters")
        for what, text, most in zip(("key", "value"), (key, value), TAG_BYTES, strict=True):
            if len(text) <= most < len(text.encode()):
                yield Problem(
                    path=path,
                    message=f"is no tag on azure: a {what} must have at most {most} bytes, "
                    f"got {len(text.encode())}",
                    hint="letters beyond ASCII count two to four",
                )


AZURE_RULES: Final[tuple[Rule, ...]] = (
    zones,
    compute_keys,
    existing_subnet,
    one_subscription,
    ranges,
    reserved_ranges,
    enough_room,
    one_address,
    kubernetes_endpoint,
    channels,
    dns,
    administrator,
    one_vault,
    tags,
)
"""Every rule of this cloud."""
