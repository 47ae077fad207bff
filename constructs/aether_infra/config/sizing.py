"""Sizes that follow from the configuration: memory, heap, tasks, zones."""

import re
from math import ceil

from attrs import frozen

from aether_infra.catalog import aws as catalog
from aether_infra.config.aws import AwsConfig
from aether_infra.config.model import AetherConfig

HEAP_SHARE_PERCENT = 75
"""Share of the memory that an unspoken heap takes: leaves a third of the heap for the JVM itself."""
OVERHEAD_PERCENT = 25
"""What the JVM needs besides the heap, as a share of it. Source: the Aether node's documentation."""
OVERHEAD_MIB = 256
"""What the JVM needs besides the heap at the least. Source: as above."""


@frozen(kw_only=True)
class FargateSize:
    """A size of task that Fargate has."""

    cpu_units: int
    """CPU units, 1024 to a processor."""
    memory_mib: int
    """Memory in MiB."""


@frozen(kw_only=True)
class Zone:
    """An availability zone."""

    name_or_id: str
    """As the cloud knows it: a name (`us-west-2a`) or an id (`usw2-az1`)."""
    key: str
    """Short and stable: `az1` or `a`. Part of construct ids."""
    slot: int
    """Place of its subnets in the network's range, 0-7: a property of the zone, so that no other zone's subnet moves
    when zones are added or put in another order."""


def memory_for_heap(heap: int) -> int:
    """The least memory in MiB that a JVM with so much heap, in MiB, needs."""
    return heap + max(ceil(heap * OVERHEAD_PERCENT / 100), OVERHEAD_MIB)


def heap_mib(config: AetherConfig, memory_mib: int) -> int:
    """The heap of a node, in MiB.

    Args:
        config: the configuration.
        memory_mib: the node's memory.

    Returns:
        `node.heap` if given, else the smaller of 75 % of the memory and all but 256 MiB.
    """
    given = config.node.heap_mib
    return given if given is not None else min(memory_mib * HEAP_SHARE_PERCENT // 100, memory_mib - OVERHEAD_MIB)


def fargate_size(config: AetherConfig) -> FargateSize:
    """The task size on Fargate.

    Args:
        config: a configuration with `[cloud.aws]`.

    Returns:
        What `cloud.aws` says; what it leaves open follows from `node.resources` and the heap, rounded up to the
        next size that exists.

    Raises:
        ValueError: no size is large enough; the rules refuse such a configuration on loading.
    """
    aws = config.cloud.aws or AwsConfig()
    units = ceil(config.node.resources.cpu_limit_millicores * 1024 / 1000)
    memory = max(config.node.resources.memory_limit_mib, memory_for_heap(config.node.heap_mib or 0))
    for cpu, sizes in catalog.FARGATE_SIZES.items():
        for size in sizes:
            right_cpu = cpu == aws.cpu if aws.cpu is not None else cpu >= units
            right_memory = size == aws.memory_mib if aws.memory_mib is not None else size >= memory
            if right_cpu and right_memory:
                return FargateSize(cpu_units=cpu, memory_mib=size)
    raise ValueError(f"no Fargate task has {aws.cpu or units} CPU units and {aws.memory_mib or memory} MiB")


def aws_zones(aws: AwsConfig) -> tuple[Zone, ...]:
    """The availability zones to use, in order.

    Args:
        aws: `[cloud.aws]`.

    Returns:
        The listed zones, or the first of the region by id.

    Raises:
        ValueError: a number of zones in a region that is not known; the rules refuse it on loading.
    """
    zones = aws.availability_zones
    if isinstance(zones, int):
        known = catalog.REGIONS.get(aws.region, ())
        if zones > len(known):
            raise ValueError(f"{aws.region} has {len(known)} known zones, not {zones}")
        zones = known[:zones]
    return tuple(aws_zone(zone) for zone in zones)


def aws_zone(name_or_id: str) -> Zone:
    """One zone by its name or id."""
    if match := re.search(r"-(az(\d+))$", name_or_id):
        return Zone(name_or_id=name_or_id, key=match[1], slot=int(match[2]) - 1)
    return Zone(name_or_id=name_or_id, key=name_or_id[-1], slot=ord(name_or_id[-1]) - ord("a"))
