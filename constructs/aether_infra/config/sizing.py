"""Sizes that follow from the configuration: memory, heap and Fargate tasks."""

from collections.abc import Iterator
from math import ceil
from typing import Final, Literal

from attrs import frozen

from aether_infra.catalog import aws as aws_catalog
from aether_infra.catalog import azure as azure_catalog
from aether_infra.catalog import digitalocean as digitalocean_catalog
from aether_infra.catalog import gcp as gcp_catalog
from aether_infra.catalog import oracle as oracle_catalog
from aether_infra.config.aws import AwsConfig
from aether_infra.config.azure import AzureConfig
from aether_infra.config.digitalocean import DigitaloceanConfig
from aether_infra.config.gcp import GcpConfig
from aether_infra.config.model import AetherConfig
from aether_infra.config.oracle import OracleConfig
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection

HEAP_SHARE_PERCENT: Final = 75
"""Share of the memory that an unspoken heap takes: leaves a third of the heap for the JVM itself."""
OVERHEAD_PERCENT: Final = 25
"""What the JVM needs besides the heap, as a share of it. Source: the Aether node's documentation."""
OVERHEAD_MIB: Final = 256
"""What the JVM needs besides the heap at the least. Source: as above."""
MACHINE_RESERVE_MIB: Final = 512
"""What a virtual machine's own system needs beside the node."""


@frozen(kw_only=True)
class FargateSize:
    """A size of task that Fargate has."""

    cpu_units: int
    """CPU units, 1024 to a processor."""
    memory_mib: int
    """Memory in MiB."""


def memory_for_heap(heap: int) -> int:
    """The least memory in MiB that a JVM with so much heap, in MiB, needs."""
    return heap + max(ceil(heap * OVERHEAD_PERCENT / 100), OVERHEAD_MIB)


def largest_heap(memory: int) -> int:
    """The largest heap in MiB that a JVM with so much memory, in MiB, can have."""
    return max(0, min(memory * 100 // (100 + OVERHEAD_PERCENT), memory - OVERHEAD_MIB))


def heap_mib(config: AetherConfig, memory_mib: int) -> int:
    """The heap of a node, in MiB.

    Args:
        config: the configuration.
        memory_mib: the node's memory.

    Returns:
        `node.heap` if given, else the smaller of 75 % of the memory and all but 256 MiB.
    """
    given = config.node.heap_mib
    return (
        given if given is not None else min(memory_mib * HEAP_SHARE_PERCENT // 100, memory_mib - OVERHEAD_MIB)
    )


def fargate_size(config: AetherConfig) -> FargateSize:
    """The task size on Fargate.

    Args:
        config: a configuration with `[cloud.aws]`.

    Returns:
        What `cloud.aws` says; what it leaves open follows from `node.resources` and the heap, rounded up to
        the next size that exists. Where only `memory_mib` is said and no size has that and the processors of
        `node.resources`, the size with the most processors that has it.

    Raises:
        ValueError: no size is large enough; the rules refuse such a configuration on loading.
    """
    aws = config.cloud.aws or AwsConfig()
    units = fargate_units(config)
    memory = fargate_memory(config)
    fitting = [size for size in _sizes(aws) if size.cpu_units >= units or aws.cpu is not None]
    if aws.memory_mib is not None:
        fitting = fitting or list(_sizes(aws))[-1:]
    else:
        fitting = [size for size in fitting if size.memory_mib >= memory]
    if not fitting:
        raise ValueError(
            f"no Fargate task has {aws.cpu or units} CPU units and {aws.memory_mib or memory} MiB"
        )
    return fitting[0]


def _sizes(aws: AwsConfig) -> Iterator[FargateSize]:
    """Every size, smallest first, that has the processors and the memory that are given."""
    for cpu, memories in aws_catalog.FARGATE_SIZES.items():
        for memory in memories:
            if aws.cpu in {None, cpu} and aws.memory_mib in {None, memory}:
                yield FargateSize(cpu_units=cpu, memory_mib=memory)


def fargate_units(config: AetherConfig) -> int:
    """CPU units that `node.resources` asks for."""
    return ceil(config.node.resources.cpu_limit_millicores * 1024 / 1000)


def fargate_memory(config: AetherConfig) -> int:
    """Memory in MiB that `node.resources` and the heap ask for."""
    heap = config.node.heap_mib
    needed = memory_for_heap(heap) if heap is not None else 0
    return max(config.node.resources.memory_limit_mib, needed)


def node_memory_mib(config: AetherConfig, provider: Provider) -> int | None:
    """Memory that one node has on a cloud, in MiB.

    Args:
        config: the configuration.
        provider: the cloud.

    Returns:
        The task's memory on Fargate; `node.resources.memory_limit` on Kubernetes; what a virtual machine has
        besides its own system, or None if its type is not known here.

    Raises:
        ConfigError: the file has no table of this cloud.
    """
    section = config.section(provider)
    if isinstance(section, AwsConfig) and section.compute == "fargate":
        return fargate_size(config).memory_mib
    if section.compute in {"ec2", "vm"}:
        machine = machine_memory_mib(section)
        return None if machine is None else machine - MACHINE_RESERVE_MIB
    return config.node.resources.memory_limit_mib


def architecture(section: CloudSection) -> Literal["x86_64", "arm64"]:
    """Processor architecture of the nodes: what `cloud.aws` says, or that of the machine type."""
    match section:
        case AwsConfig(architecture="x86_64" | "arm64" as said):
            return said
        case AwsConfig():
            arm = section.compute != "fargate" and aws_catalog.architecture(section.instance_type) == "arm64"
        case GcpConfig():
            arm = section.machine_type.partition("-")[0] in gcp_catalog.ARM_FAMILIES
        case AzureConfig():
            arm = azure_catalog.arm64(section.vm_size)
        case OracleConfig():
            arm = oracle_catalog.arm64(section.shape)
        case _:
            arm = False
    return "arm64" if arm else "x86_64"


def machine_memory_mib(section: object) -> int | None:
    """Memory of the machines that nodes run on, in MiB; None if their type is not known here."""
    match section:
        case AwsConfig():
            return aws_catalog.instance_memory_mib(section.instance_type)
        case GcpConfig():
            return gcp_catalog.memory_mib(section.machine_type)
        case AzureConfig():
            return azure_catalog.memory_mib(section.vm_size)
        case DigitaloceanConfig():
            return digitalocean_catalog.memory_mib(section.droplet_size)
        case OracleConfig():
            return section.memory_gib * 1024 if section.shape.endswith(".Flex") else None
        case _:
            return None
