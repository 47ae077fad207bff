"""Availability zones: which ones, and the place of each in the network."""

import re

from attrs import frozen

from aether_infra.catalog import aws as aws_catalog
from aether_infra.catalog import azure as azure_catalog
from aether_infra.catalog import gcp as gcp_catalog
from aether_infra.catalog import oracle as oracle_catalog
from aether_infra.config.aws import AwsConfig
from aether_infra.config.azure import AzureConfig
from aether_infra.config.gcp import GcpConfig
from aether_infra.config.oracle import OracleConfig


@frozen(kw_only=True)
class Zone:
    """An availability zone."""

    name_or_id: str
    """As the cloud knows it: a name (`us-west-2a`), an id (`usw2-az1`) or a number (`1`)."""
    key: str
    """Short and stable: `az1`, `a` or `1`. Part of construct ids."""
    slot: int
    """Place of its subnets in the network's range, 0-7: a property of the zone, so that no other zone's
    subnet moves when zones are added or put in another order."""


def aws_zones(aws: AwsConfig) -> tuple[Zone, ...]:
    """The availability zones to use on AWS, in order.

    Args:
        aws: `[cloud.aws]`.

    Returns:
        The listed zones, or the first of the region by id.

    Raises:
        ValueError: a number of zones in a region that has fewer; the rules refuse it on loading.
    """
    zones = _chosen(aws.availability_zones, aws_catalog.REGIONS.get(aws.region, ()), aws.region)
    return tuple(_aws_zone(zone) for zone in zones)


def gcp_zones(gcp: GcpConfig) -> tuple[Zone, ...]:
    """The zones to use on Google Cloud, in order.

    Args:
        gcp: `[cloud.gcp]`.

    Returns:
        The one zone of a zonal set-up, the listed zones, or the first of the region.

    Raises:
        ValueError: a number of zones in a region that has fewer; the rules refuse it on loading.
    """
    known = tuple(f"{gcp.region}-{letter}" for letter in gcp_catalog.REGIONS.get(gcp.region, ()))
    zones = (gcp.zone,) if gcp.zone else _chosen(gcp.availability_zones, known, gcp.region)
    return tuple(_lettered(zone) for zone in zones)


def azure_zones(azure: AzureConfig) -> tuple[Zone, ...]:
    """The zones to use on Azure, in order; none in a location without zones.

    Args:
        azure: `[cloud.azure]`.
    """
    if azure_catalog.LOCATIONS.get(azure.location) is False:
        return ()
    zones = _chosen(azure.availability_zones, azure_catalog.ZONES, azure.location)
    return tuple(Zone(name_or_id=zone, key=zone, slot=int(zone) - 1) for zone in zones)


def oracle_zones(oracle: OracleConfig) -> tuple[Zone, ...]:
    """The availability domains to use on Oracle Cloud, by number, in order.

    Args:
        oracle: `[cloud.oracle]`.
    """
    count = oracle.availability_zones or oracle_catalog.domains(oracle.region)
    return tuple(Zone(name_or_id=str(n), key=f"ad{n}", slot=n - 1) for n in range(1, count + 1))


def _chosen(wanted: int | tuple[str, ...], known: tuple[str, ...], region: str) -> tuple[str, ...]:
    if not isinstance(wanted, int):
        return wanted
    if wanted > len(known):
        raise ValueError(f"{region} has {len(known)} known zones, not {wanted}")
    return known[:wanted]


def _aws_zone(name_or_id: str) -> Zone:
    if re.fullmatch(aws_catalog.ZONE_ID_FORM, name_or_id):
        number = name_or_id.rpartition("-az")[2]
        return Zone(name_or_id=name_or_id, key=f"az{number}", slot=int(number) - 1)
    return _lettered(name_or_id)


def _lettered(name: str) -> Zone:
    return Zone(name_or_id=name, key=name[-1], slot=ord(name[-1]) - ord("a"))
