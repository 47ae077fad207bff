"""Rules over the sizes of Fargate tasks."""

from typing import Final

from aether_infra.catalog import aws as catalog
from aether_infra.config.aws import AwsConfig
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.rule import Problems, Rule, TableRules
from aether_infra.config.sizing import fargate_memory, fargate_units
from aether_infra.errors import Problem

fargate_rule = TableRules(
    Provider.AWS, lambda config: _fargate(config.cloud.aws) if config.cloud.aws is not None else None
)


def _fargate(aws: AwsConfig) -> AwsConfig | None:
    return aws if aws.compute == "fargate" else None


@fargate_rule(".compute", ".cpu", ".memory_mib")
def pair(_config: AetherConfig, aws: AwsConfig) -> Problems:
    """Processors and memory that exist together."""
    if aws.memory_mib is None:
        return
    every = sorted({memory for memories in catalog.FARGATE_SIZES.values() for memory in memories})
    allowed = every if aws.cpu is None else catalog.FARGATE_SIZES[aws.cpu]
    if aws.memory_mib in allowed:
        return
    nearest = min(allowed, key=lambda memory: (abs(memory - (aws.memory_mib or 0)), memory))
    with_cpu = (
        "" if aws.cpu is None else f" for {aws.cpu} CPU units: {_words(catalog.FARGATE_SIZES[aws.cpu])}"
    )
    yield Problem(
        path="cloud.aws.memory_mib",
        message=f"must be a size that Fargate has{with_cpu}, got {aws.memory_mib}",
        hint=f"the nearest is {nearest}",
    )


@fargate_rule(".compute", ".cpu", ".memory_mib", "node.heap", "node.resources")
def large_enough(config: AetherConfig, aws: AwsConfig) -> Problems:
    """A size that holds what `node` asks for, where `cloud.aws` leaves it open."""
    if aws.memory_mib is not None:
        return
    memory, units = fargate_memory(config), fargate_units(config)
    most = max(catalog.FARGATE_SIZES)
    if aws.cpu is None and units > most:
        yield Problem(
            path="node.resources.cpu_limit",
            message=f"is {units} CPU units, but Fargate has at most {most} ({most // 1024} processors)",
            hint="set it lower, or take compute = ec2",
        )
    allowed = catalog.FARGATE_MOST_MIB if aws.cpu is None else max(catalog.FARGATE_SIZES[aws.cpu])
    if memory > allowed:
        yield _too_small(config, aws, memory, allowed)


@fargate_rule(".compute", "cloud.health.timeout_seconds")
def probe_timeout(config: AetherConfig, _aws: AwsConfig) -> Problems:
    """A container's own probe is shorter than a load balancer's may be."""
    seconds = config.cloud.health.timeout_seconds
    if seconds > catalog.CONTAINER_PROBE_SECONDS:
        yield Problem(
            path="cloud.health.timeout_seconds",
            message=f"must be at most {catalog.CONTAINER_PROBE_SECONDS} on Fargate, got {seconds}",
            hint="ECS gives a container's health check no more",
        )


def _too_small(config: AetherConfig, aws: AwsConfig, memory: int, allowed: int) -> Problem:
    heap = memory > config.node.resources.memory_limit_mib
    asks = "node.heap" if heap else "node.resources.memory_limit"
    larger = [cpu for cpu, memories in catalog.FARGATE_SIZES.items() if max(memories) >= memory]
    if aws.cpu is None or not larger:
        return Problem(
            path=asks,
            message=f"needs {memory} MiB, but Fargate has at most {allowed}",
            hint="take compute = ec2",
        )
    return Problem(
        path="cloud.aws.cpu",
        message=f"is {aws.cpu} CPU units, which have at most {allowed} MiB, but {asks} needs {memory} MiB",
        hint=f"at least {larger[0]} CPU units have that much",
    )


def _words(memories: tuple[int, ...]) -> str:
    step = memories[1] - memories[0]
    if len(memories) <= 4 or memories[-1] - memories[-2] != step:  # noqa: PLR2004 - few enough to list
        return ", ".join(map(str, memories))
    return f"{memories[0]} to {memories[-1]} in steps of {step}"


FARGATE_RULES: Final[tuple[Rule, ...]] = (pair, large_enough, probe_timeout)
"""Every rule over Fargate."""
