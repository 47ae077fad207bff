"""Rules over what a node needs and what it gets."""

from typing import Final

from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.rule import Problems, Rule, rule, section_rule
from aether_infra.config.sizing import largest_heap, machine_memory_mib, memory_for_heap, node_memory_mib
from aether_infra.config.words import show
from aether_infra.errors import Problem

MACHINE_KEYS: Final = (
    ".compute",
    ".cpu",
    ".droplet_size",
    ".instance_type",
    ".machine_type",
    ".memory_gib",
    ".memory_mib",
    ".shape",
    ".vm_size",
)
"""What decides about a node's memory, over all clouds."""

MACHINE_KEY: Final = {
    Provider.AWS: "instance_type",
    Provider.GCP: "machine_type",
    Provider.AZURE: "vm_size",
    Provider.DIGITALOCEAN: "droplet_size",
    Provider.ORACLE: "memory_gib",
}
"""The key that names the machine, by cloud."""

LEAST_HEAP_MIB: Final = 64
"""The least heap that `node.heap` takes."""

RESOURCE_LIMITS: Final = ("node.resources.cpu_limit", "node.resources.memory_limit")
KUBELET_RESERVE_MIB: Final = 1536
"""What a machine's system and the cluster's own pods take; the clouds' formulas give 0.7 to 1.8 GiB for 8
GiB. Source: https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes (as of 2026-11)."""


@section_rule("node.heap", *RESOURCE_LIMITS, *MACHINE_KEYS)
def heap_fits(config: AetherConfig, provider: Provider) -> Problems:
    """The memory holds the heap and what the JVM needs besides."""
    heap = config.node.heap_mib
    try:
        memory = node_memory_mib(config, provider)
    except ValueError:  # no Fargate task is large enough: a rule of its own says so
        return
    if memory is not None and heap is None and largest_heap(memory) < LEAST_HEAP_MIB:
        yield _too_little(config, provider, memory)
    if heap is None or memory is None or memory_for_heap(heap) <= memory:
        return
    needed = memory_for_heap(heap)
    yield Problem(
        path="node.heap",
        message=f"needs {needed} MiB on {provider}: {heap} MiB of heap and {needed - heap} MiB beside it "
        f"(25 %, 256 MiB at least), but {_memory_source(config, provider)} {memory} MiB",
        hint=f'at most "{largest_heap(memory)}m", or give the node more memory',
    )


def _too_little(config: AetherConfig, provider: Provider, memory: int) -> Problem:
    """The problem that no heap at all fits."""
    key = MACHINE_KEY[provider]
    on_machine = config.section(provider).compute in {"ec2", "vm"}
    return Problem(
        path=f"cloud.{provider}.{key}" if on_machine else "node.resources.memory_limit",
        message=f"leaves a node {max(memory, 0)} MiB, too little for a heap of {LEAST_HEAP_MIB} MiB "
        "and the 256 MiB that the JVM needs beside it",
    )


def _memory_source(config: AetherConfig, provider: Provider) -> str:
    machine = config.section(provider).compute in {"fargate", "ec2", "vm"}
    return "a node has" if machine else "node.resources.memory_limit is"


@section_rule("node.resources.memory_limit", *MACHINE_KEYS)
def machine_holds_node(config: AetherConfig, provider: Provider) -> Problems:
    """On Kubernetes, a machine has room for a node beside its own system."""
    section, limit = config.section(provider), config.node.resources.memory_limit_mib
    machine = machine_memory_mib(section)
    if section.compute in {"fargate", "ec2", "vm"} or machine is None:
        return
    free = machine - KUBELET_RESERVE_MIB
    if limit > free:
        yield Problem(
            path="node.resources.memory_limit",
            message=f"is {limit} MiB, but a machine on {provider} has {machine} MiB, {free} for nodes",
            hint="set it lower, or take larger machines",
        )


@rule("node.resources.cpu_request", "node.resources.cpu_limit")
def cpu_request(config: AetherConfig) -> Problems:
    """No more processors set aside than allowed."""
    own = config.node.resources
    if own.cpu_request_millicores > own.cpu_limit_millicores:
        yield _above_limit("cpu", own.cpu_request, own.cpu_limit)


@rule("node.resources.memory_request", "node.resources.memory_limit")
def memory_request(config: AetherConfig) -> Problems:
    """No more memory set aside than allowed."""
    own = config.node.resources
    if own.memory_request_mib > own.memory_limit_mib:
        yield _above_limit("memory", own.memory_request, own.memory_limit)


def _above_limit(name: str, request: str, limit: str) -> Problem:
    return Problem(
        path=f"node.resources.{name}_request",
        message=f"must not be more than {name}_limit, {show(limit)}, got {show(request)}",
    )


RESOURCE_RULES: Final[tuple[Rule, ...]] = (*heap_fits, *machine_holds_node, cpu_request, memory_request)
"""Every rule over what a node needs."""
