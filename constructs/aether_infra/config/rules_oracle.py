"""Rules between keys of `[cloud.oracle]`."""

from typing import Final

from aether_infra.catalog import oracle as catalog
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import addresses, overlaps
from aether_infra.config.oracle import OracleConfig
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
from aether_infra.config.words import listing
from aether_infra.errors import Problem

oracle_rule = TableRules(Provider.ORACLE, lambda config: config.cloud.oracle)

OKE: Final = ("oke",)
ONLY_FOR: Final = {
    "api_subnet_id": OKE,
    "authorized_cidrs": OKE,
    "endpoint_public": OKE,
    "kubernetes_version": OKE,
    "pod_subnet_id": OKE,
    "readable_secret_ids": OKE,
    "service_cidr": OKE,
    "tls_secret": OKE,
}
"""Keys with a meaning on one kind of compute only."""
PER_MACHINE: Final = 32
"""Addresses that a machine takes of the VCN: its own, and one for each of 31 pods. Source:
https://docs.oracle.com/en-us/iaas/Content/ContEng/Concepts/contengpodnetworking_topic-OCI_CNI_plugin.htm
(as of 2026-11)."""
RESERVED: Final = 12
"""Addresses of the machines' subnet that no instance gets: Oracle's three, and room to replace some."""
MACHINES_BESIDE: Final = 3
"""Machines of a cluster besides those of the nodes: two of the system pool, one that replaces another."""
OUR_TAGS: Final = {"oke": 2, "vm": 5}
"""Tags that we put on a machine ourselves."""


@oracle_rule(".region", ".availability_zones")
def availability_domains(_config: AetherConfig, own: OracleConfig) -> Problems:
    """Availability domains that the region has."""
    wanted = own.availability_zones
    if own.region not in catalog.REGIONS:
        if wanted is None:
            remedy = "say how many availability domains it has in availability_zones"
            yield from unknown_region(Provider.ORACLE, "region", own.region, catalog.REGIONS, remedy)
    elif wanted is not None and wanted > catalog.domains(own.region):
        has = catalog.domains(own.region)
        yield Problem(
            path="cloud.oracle.availability_zones",
            message=f"must be at most {has}, what {own.region} has, got {wanted}",
            hint=f"three have {listing(catalog.THREE_DOMAINS)}",
        )


@oracle_rule(".compute")
def compute_keys(config: AetherConfig, own: OracleConfig) -> Problems:
    """No key of the other kind of compute."""
    yield from misplaced(config, Provider.ORACLE, own.compute, ONLY_FOR)


@oracle_rule(".shape", ".ocpus", ".memory_gib")
def shape(config: AetherConfig, own: OracleConfig) -> Problems:
    """Processors and memory that the shape can have."""
    if not own.shape.endswith(".Flex"):
        yield from shadowed(config, Provider.ORACLE, ("ocpus", "memory_gib"), f"{own.shape} has a fixed size")
        return
    bounds = catalog.FLEXIBLE_SHAPES.get(own.shape)
    if bounds is None:
        return
    if own.ocpus > bounds.ocpus:
        yield Problem(
            path="cloud.oracle.ocpus",
            message=f"must be at most {bounds.ocpus} on {own.shape}, got {own.ocpus}",
        )
    most = min(bounds.memory_gib, own.ocpus * bounds.gib_per_ocpu)
    if not own.ocpus <= own.memory_gib <= most:
        yield Problem(
            path="cloud.oracle.memory_gib",
            message=f"must be between {own.ocpus} and {most} with {own.ocpus} OCPUs on {own.shape}, "
            f"got {own.memory_gib}",
            hint=f"an OCPU has 1 to {bounds.gib_per_ocpu} GiB",
        )


@oracle_rule(
    ".compute", ".vcn_id", ".api_subnet_id", ".node_subnet_id", ".pod_subnet_id", ".load_balancer_subnet_id"
)
def existing_vcn(config: AetherConfig, own: OracleConfig) -> Problems:
    """An existing VCN comes with its subnets, and without what a new one would be made of."""
    pods = ("api_subnet_id", "pod_subnet_id") if own.compute == "oke" else ()
    keys = ("vcn_id", "node_subnet_id", "load_balancer_subnet_id", *pods)
    yield from together(config, Provider.ORACLE, keys, f"an existing VCN needs all of {listing(keys)}")
    if own.vcn_id is not None:
        new_only = ("vpc_cidr", "nat", "flow_logs")
        yield from shadowed(config, Provider.ORACLE, new_only, "vcn_id names an existing VCN")


@oracle_rule(".compute", ".vcn_id", ".vpc_cidr", ".service_cidr")
def ranges(_config: AetherConfig, own: OracleConfig) -> Problems:
    """No two ranges share addresses."""
    if own.compute == "oke" and own.vcn_id is None:
        keys = ("vpc_cidr", "service_cidr")
        yield from overlaps({f"cloud.oracle.{key}": getattr(own, key) for key in keys})


@oracle_rule(".compute", ".vcn_id", ".vpc_cidr", ".min_nodes", ".max_nodes", "cluster.nodes")
def enough_room(config: AetherConfig, own: OracleConfig) -> Problems:
    """Addresses for every machine and its pods."""
    if own.vcn_id is None:
        each, beside = (PER_MACHINE, MACHINES_BESIDE) if own.compute == "oke" else (1, RESERVED)
        yield from room(
            Provider.ORACLE,
            "vpc_cidr",
            fits=addresses(own.vpc_cidr) // 2 // each - beside,
            machines=config.counts(Provider.ORACLE).maximum,
            cidr=own.vpc_cidr,
            each=f"half of it is for machines, and one takes {each}",
        )


@oracle_rule(".compute", "=cloud.tags")
def number_of_tags(config: AetherConfig, own: OracleConfig) -> Problems:
    """Oracle Cloud takes few free-form tags."""
    most = catalog.MOST_TAGS - OUR_TAGS[own.compute]
    if len(config.cloud.tags) > most:
        yield Problem(
            path="cloud.tags",
            message=f"must have at most {most} tags on oracle, got {len(config.cloud.tags)}",
            hint=f"Oracle Cloud takes {catalog.MOST_TAGS}, and ours are among them",
        )


@oracle_rule(".compute", ".certificate_id")
def certificate(_config: AetherConfig, own: OracleConfig) -> Problems:
    """A load balancer of OKE takes no certificate of the Certificates service."""
    if own.compute == "oke" and own.certificate_id is not None:
        yield Problem(
            path="cloud.oracle.certificate_id",
            message='is only for compute = "vm": OKE takes certificates from Kubernetes secrets alone',
            hint="put the certificate into a secret of type kubernetes.io/tls and name it in tls_secret",
        )


@oracle_rule(".compute", ".endpoint_public", ".authorized_cidrs")
def kubernetes_endpoint(_config: AetherConfig, own: OracleConfig) -> Problems:
    """A public Kubernetes API says whom it is for."""
    if own.compute == "oke":
        yield from endpoint(
            Provider.ORACLE, public=own.endpoint_public, authorized=own.authorized_cidrs, inner=True
        )


@oracle_rule(".nat", ".vcn_id", "cloud.image")
def without_nat(config: AetherConfig, own: OracleConfig) -> Problems:
    """Without NAT, images come from Oracle's registry only."""
    if own.nat == "none" and own.vcn_id is None:
        yield from unreachable_image(
            config, Provider.ORACLE, catalog.OCIR_HOST, "the container registry of Oracle Cloud"
        )


@oracle_rule(".dns_zone_id", "cloud.domain")
def dns(config: AetherConfig, _own: OracleConfig) -> Problems:
    """A zone has a domain to hold."""
    yield from needs_domain(config, Provider.ORACLE, "dns_zone_id")


ORACLE_RULES: Final[tuple[Rule, ...]] = (
    availability_domains,
    compute_keys,
    shape,
    existing_vcn,
    ranges,
    enough_room,
    number_of_tags,
    certificate,
    kubernetes_endpoint,
    without_nat,
    dns,
)
"""Every rule of this cloud."""
