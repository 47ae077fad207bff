"""What a change does to the core nodes, the voters: how many restart, in what order, and what waits in between."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from aether_infra.changes.document import Block, Stack
from aether_infra.changes.model import Action, Danger, ResourceChange, StackChange
from aether_infra.changes.references import known, references
from aether_infra.changes.words import counted, listed
from aether_infra.core.kubernetes import JVM_POOL, STATEFUL_SET

RESTARTS: Final[Mapping[str, frozenset[str]]] = {
    "aws_ecs_service": frozenset(
        {
            "capacity_provider_strategy",
            "desired_count",
            "enable_execute_command",
            "load_balancer",
            "network_configuration",
            "platform_version",
            "service_registries",
            "task_definition",
            "volume_configuration",
        }
    ),
    "aws_instance": frozenset({"cpu_options", "instance_type", "user_data", "user_data_base64"}),
    "azurerm_linux_virtual_machine": frozenset(
        {
            "additional_capabilities",
            "capacity_reservation_group_id",
            "dedicated_host_group_id",
            "dedicated_host_id",
            "disk_controller_type",
            "encryption_at_host_enabled",
            "network_interface_ids",
            "os_disk",
            "proximity_placement_group_id",
            "size",
        }
    ),
    "azurerm_virtual_machine_run_command": frozenset({"source"}),
    "digitalocean_droplet": frozenset({"size", "volume_ids"}),
    "google_compute_instance_group_manager": frozenset({"version"}),
    "google_compute_per_instance_config": frozenset({"preserved_state"}),
    "oci_core_instance": frozenset(
        {"fault_domain", "launch_options", "platform_config", "shape", "shape_config", "source_details"}
    ),
}
"""Arguments whose change in place restarts the node, by type of what runs it or what is tied to it.
Sources: the providers' code for updates, as in `catalog.replacement`; for ECS
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html (as of 2026-11)."""

MACHINES: Final = frozenset(
    {
        "aws_ecs_service",
        "aws_instance",
        "azurerm_linux_virtual_machine",
        "digitalocean_droplet",
        "google_compute_instance_group_manager",
        "oci_core_instance",
    }
)
"""What runs one core node each."""

_ATTACHMENTS = frozenset(
    {
        "aws_volume_attachment",
        "azurerm_virtual_machine_data_disk_attachment",
        "digitalocean_volume_attachment",
        "google_compute_per_instance_config",
        "oci_core_volume_attachment",
    }
)
"""What ties a node to its disk: it cannot be replaced while the node runs."""

_GATES = frozenset({"aws_lambda_invocation", "azurerm_virtual_machine_run_command"})
"""What waits until a node is back, between one and the next."""

_KEEP_SETTINGS = frozenset({"digitalocean_droplet", "oci_core_instance"})
"""Machines that keep the settings that they were made with."""

_POOLS: Final[Mapping[str, frozenset[str]]] = {
    "aws_eks_node_group": frozenset({"launch_template", "release_version", "version"}),
    "azurerm_kubernetes_cluster_node_pool": frozenset(
        {
            "fips_enabled",
            "host_encryption_enabled",
            "kubelet_config",
            "linux_os_config",
            "max_pods",
            "node_public_ip_enabled",
            "os_disk_size_gb",
            "os_disk_type",
            "os_sku",
            "pod_subnet_id",
            "snapshot_id",
            "vm_size",
            "vnet_subnet_id",
            "zones",
        }
    ),
    "digitalocean_kubernetes_node_pool": frozenset(),
    "google_container_node_pool": frozenset({"node_config", "node_locations", "version"}),
    "oci_containerengine_node_pool": frozenset(
        {
            "kubernetes_version",
            "node_config_details",
            "node_metadata",
            "node_shape",
            "node_shape_config",
            "node_source_details",
            "ssh_public_key",
        }
    ),
}
"""Pools of machines in Kubernetes, and the arguments whose change renews the machines, a few at a time."""

_NODE = re.compile(r"(?:^|/)(?P<id>node-\d+)(?:/|$)")
_JVM = re.compile(rf"(?:^|[/-]){JVM_POOL}(?:[/-]|$)")


def quorum(voters: int) -> int:
    """The smallest majority."""
    return voters // 2 + 1


def core_dangers(stack: StackChange) -> Iterator[Danger]:
    """What endangers the quorum in a stack."""
    if stack.old is None or stack.new is None:
        return
    yield from _count_dangers(stack, stack.old, stack.new)
    yield from _growth_dangers(stack, stack.old, stack.new)
    yield from _restart_dangers(stack, stack.old)
    yield from _stateful_set_dangers(stack)
    yield from _pool_dangers(stack)


def core_notes(stack: StackChange) -> Iterator[Danger]:
    """Rollouts of core nodes that are no danger."""
    if stack.old is None or stack.new is None:
        return
    restart = _restarts(stack)
    if restart and not list(_restart_dangers(stack, stack.old)):
        names = list(restart)
        message = (
            f"{listed(names)} restart one at a time; each waits until the one before is back"
            if len(names) > 1
            else f"{names[0]} restarts; the other core nodes run on"
        )
        yield _danger("rollout", stack, message, [each for group in restart.values() for each in group])
    for each in stack.resources:
        if _is_core_set(each.block) and each.action is Action.CHANGE and each.argument("spec.template"):
            message = "the StatefulSet's pods restart one at a time; each waits until the one before is ready"
            yield _danger("rollout", stack, message, [each])
        if _is_jvm_pool(each) and each.action is Action.CHANGE and each.argument(*_POOLS[each.block.type]):
            message = "the machines of the core nodes' pool are renewed a few at a time, within the PodDisruptionBudget"
            yield _danger("rollout", stack, message, [each])
        if each.block.type == "aws_ssm_association" and each.action is Action.CHANGE:
            message = "Systems Manager restarts the core nodes one at a time, and stops at the first that is not back"
            yield _danger("rollout", stack, message, [each])
    yield from _unheard_notes(stack, stack.old, stack.new)
    if not list(_growth_dangers(stack, stack.old, stack.new)):
        yield from _count_notes(stack, stack.old, stack.new)


def voters(stack: Stack) -> dict[str, Block]:
    """What runs each core node, by the node's id; pods of a StatefulSet have that in common."""
    found = {}
    for block in stack.resources():
        if block.type in MACHINES and (id_ := _NODE.search(block.place)):
            found[id_["id"]] = block
        elif _is_core_set(block):
            found |= {f"{STATEFUL_SET}-{ordinal}": block for ordinal in range(_replicas(block))}
    return found


def _count_dangers(stack: StackChange, old: Stack, new: Stack) -> Iterator[Danger]:
    before, after = voters(old), voters(new)
    gone = [id_ for id_ in before if id_ not in after]
    if not gone or not before:
        return
    left, needed = len(before) - len(gone), quorum(len(before))
    if left < needed:
        verdict = f"{left} of {len(before)} are left, and a quorum is {needed}: the cluster stops"
    elif left == needed and len(gone) > 1:
        verdict = (
            f"the {left} that are left are just the quorum of {len(before)}: one that fails stops the cluster"
        )
    else:
        return
    yield _danger(
        "quorum",
        stack,
        f"{counted(len(gone), 'core node')} removed at once ({listed(gone)}): {verdict}. Remove one, wait until the "
        "cluster has taken it out, then the next",
        [each for each in stack.resources if each.action is Action.REMOVE and each.block.type in MACHINES]
        or [each for each in stack.resources if _is_core_set(each.block)],
    )


def _growth_dangers(stack: StackChange, old: Stack, new: Stack) -> Iterator[Danger]:
    """New voters that come only after the others were told of them, and needed them."""
    before, after = voters(old), voters(new)
    added = [id_ for id_ in after if id_ not in before]
    restart = _restarts(stack)
    needed = quorum(len(after))
    if not before or not added or not restart or len(before) - 1 >= needed:
        return
    graph = _Graph(stack)
    changes = {each.address: each for each in stack.resources}
    there = [changes[after[id_].address] for id_ in added if after[id_].address in changes]
    if all(graph.waits(group, there) for group in restart.values()):
        return
    message = (
        f"{counted(len(before), 'core node')} become {len(after)}: a quorum is then {needed}, and while the last of "
        f"the running ones restarts to learn that, {len(before) - 1} are up: the cluster stops until it is back. The "
        f"new ones ({listed(added)}) start after that"
    )
    yield _danger("quorum", stack, message, there)


def _count_notes(stack: StackChange, old: Stack, new: Stack) -> Iterator[Danger]:
    before, after = voters(old), voters(new)
    added = [id_ for id_ in after if id_ not in before]
    gone = [id_ for id_ in before if id_ not in after]
    if before and added:
        message = f"{counted(len(before), 'core node')} become {len(after)}: a quorum is then {quorum(len(after))}. "
        types = {block.type for block in after.values()}
        message += (
            "The running ones keep their settings and hear of the new ones only when they are replaced, one at a time"
            if types <= _KEEP_SETTINGS
            else "Wait until all are there before the next change"
        )
        yield _danger("voters", stack, message)
    elif before and gone and not list(_count_dangers(stack, old, new)):
        yield _danger(
            "voters",
            stack,
            f"{counted(len(gone), 'core node')} removed ({listed(gone)}); {len(after)} are left",
        )


def _unheard_notes(stack: StackChange, old: Stack, new: Stack) -> Iterator[Danger]:
    """Settings that a running core node does not take over."""
    before = voters(old)
    anew = {each.address for each in stack.resources if each.action is Action.REPLACE}
    unheard = {
        id_: block
        for id_, block in voters(new).items()
        if id_ in before
        and block.type in _KEEP_SETTINGS
        and block.address not in anew
        and _new_settings(before[id_], old, block, new)
    }
    if unheard:
        yield Danger(
            kind="settings",
            stack=stack.name,
            message=f"{listed(list(unheard))} keep image and settings as they are: new ones reach a core node when it "
            "is replaced, one at a time (terraform apply -replace=ADDRESS)",
            addresses=tuple(block.address for block in unheard.values()),
        )


def _new_settings(before: Block, old: Stack, after: Block, new: Stack) -> bool:
    """Whether arguments differ that Terraform is told to ignore."""
    ignored = after.lifecycle.get("ignore_changes")
    return any(
        known(before.arguments.get(key), old) != known(after.arguments.get(key), new)
        for key in (ignored if isinstance(ignored, list) else ())
        if isinstance(key, str) and key in after.arguments
    )


def _restart_dangers(stack: StackChange, old: Stack) -> Iterator[Danger]:
    """More than one core node at a time, on machines and container services."""
    restart = _restarts(stack)
    total = len(voters(old))
    replaced = [
        id_ for id_, group in restart.items() if any(_is_machine(each) for each in group if each.goes)
    ]
    if len(replaced) > 1:
        left = total - len(replaced)
        message = (
            f"{len(replaced)} of {total} core nodes are replaced in one go ({listed(replaced)}): Terraform ends all of "
            f"them before it makes the first new one, {left} run meanwhile, and a quorum is {quorum(total)}"
        )
        yield _danger("quorum", stack, message, [each for id_ in replaced for each in restart[id_]])
    elif len(restart) > 1:
        yield from _order_dangers(stack, restart, total)


def _order_dangers(
    stack: StackChange, restart: Mapping[str, list[ResourceChange]], total: int
) -> Iterator[Danger]:
    graph = _Graph(stack)
    names = list(restart)
    pairs = list(pairwise(names))
    if not all(graph.waits(restart[after], restart[before]) for before, after in pairs):
        how = f"restart at once, and a quorum is {quorum(total)}"
    elif not all(graph.is_gated(restart[after], restart[before]) for before, after in pairs):
        how = (
            "restart one after the other, but nothing waits until a node is back: the quorum is lost if the next one "
            f"goes too early. Apply node by node with -target, starting with {names[0]}"
        )
    else:
        return
    message = f"{len(names)} of {total} core nodes {how} ({listed(names)})"
    yield _danger("quorum", stack, message, [each for group in restart.values() for each in group])


def _restarts(stack: StackChange) -> dict[str, list[ResourceChange]]:
    """What restarts a core node that was there and stays, by the node's id, in order."""
    there = set(voters(stack.old)) & set(voters(stack.new)) if stack.old and stack.new else set()
    found: dict[str, list[ResourceChange]] = {}
    for each in stack.resources:
        id_ = _NODE.search(each.block.place)
        if id_ and id_["id"] in there and _restarts_node(each):
            found.setdefault(id_["id"], []).append(each)
    return dict(sorted(found.items(), key=lambda item: int(item[0].partition("-")[2])))


def _restarts_node(change: ResourceChange) -> bool:
    type_ = change.block.type
    if change.is_left_behind or change.lost_its_cluster:
        return False
    if change.goes:
        return type_ in MACHINES or type_ in _ATTACHMENTS
    if change.action is Action.MAYBE_REPLACE and type_ in MACHINES:
        return True
    return change.action is not Action.ADD and change.argument(*RESTARTS.get(type_, ())) is not None


def _is_machine(change: ResourceChange) -> bool:
    return change.block.type in MACHINES


def _stateful_set_dangers(stack: StackChange) -> Iterator[Danger]:
    for each in stack.resources:
        if each.lost_its_cluster or each.is_left_behind or not _is_core_set(each.block):
            continue
        count = _replicas(each.block)
        if each.action is Action.REPLACE:
            message = (
                f"the StatefulSet of the core is replaced: all {count} core nodes end together, and start again "
                "together; their volumes stay if the claims are kept"
            )
            yield _danger("quorum", stack, message, [each])
        elif each.action is Action.REMOVE:
            yield _danger(
                "quorum", stack, f"the StatefulSet of the core goes: all {count} core nodes end", [each]
            )


def _pool_dangers(stack: StackChange) -> Iterator[Danger]:
    for each in stack.resources:
        if _is_jvm_pool(each) and each.goes:
            if each.action is Action.REMOVE:
                message = "the pool of the core nodes' machines goes, and the core nodes with it"
            elif each.block.lifecycle.get("create_before_destroy") is True:
                message = (
                    "the pool of the core nodes' machines is replaced: when the new pool is there, the old one ends as "
                    "a whole, which not every cloud does within the PodDisruptionBudget. Drain the old machines one at "
                    "a time first"
                )
            else:
                message = (
                    "the pool of the core nodes' machines is replaced: the old one ends before the new one is there, "
                    "and all core nodes with it"
                )
            yield _danger("quorum", stack, message, [each])


class _Graph:
    """What waits for what in the new stack.

    Args:
        stack: the stack's changes.
    """

    def __init__(self, stack: StackChange) -> None:
        self._stack = stack.new or Stack(name=stack.name)
        self._changed = {each.address for each in stack.resources}
        self._reached: dict[str, frozenset[str]] = {}

    def waits(self, later: list[ResourceChange], earlier: list[ResourceChange]) -> bool:
        """Whether what restarts one node waits for what restarts another."""
        reach = set().union(*(self._reach(each.address) for each in later))
        return any(each.address in reach for each in earlier)

    def is_gated(self, later: list[ResourceChange], earlier: list[ResourceChange]) -> bool:
        """Whether something between them waits until the earlier node is back."""
        reach = set().union(*(self._reach(each.address) for each in later))
        if any(each.address in reach and _waits_itself(each.block) for each in earlier):
            return True
        addresses = {each.address for each in earlier}
        return any(
            self._reach(gate) & addresses
            for gate in reach & self._changed
            if self._stack.blocks[gate].type in _GATES
        )

    def _reach(self, address: str) -> frozenset[str]:
        """All that a resource waits for, directly or not."""
        if address not in self._reached:
            self._reached[address] = frozenset()  # ends a circle
            block = self._stack.blocks.get(address)
            direct = {
                each for each in _direct(block, self._stack) if each in self._stack.blocks and each != address
            }
            self._reached[address] = frozenset(direct.union(*(self._reach(each) for each in direct)))
        return self._reached[address]


def _direct(block: Block | None, stack: Stack) -> set[str]:
    if block is None:
        return set()
    return {*block.depends_on, *(each.address for each in references(dict(block.arguments), stack))}


def _waits_itself(block: Block) -> bool:
    return block.type == "azurerm_virtual_machine_run_command" or (
        block.type == "google_compute_instance_group_manager"
        and block.arguments.get("wait_for_instances") is True
    )


def _is_core_set(block: Block) -> bool:
    return (
        block.type.startswith("kubernetes_stateful_set")
        and _first(block.arguments.get("metadata")).get("name") == STATEFUL_SET
    )


def _replicas(block: Block) -> int:
    try:
        return int(_first(block.arguments.get("spec")).get("replicas", 1))
    except (TypeError, ValueError):
        return 1


def _first(value: Any) -> Mapping[str, Any]:
    if isinstance(value, list):
        value = value[0] if value else {}
    return value if isinstance(value, Mapping) else {}


def _is_jvm_pool(change: ResourceChange) -> bool:
    return change.block.type in _POOLS and _JVM.search(change.block.place) is not None


def _danger(kind: str, stack: StackChange, message: str, about: list[ResourceChange] | None = None) -> Danger:
    return Danger(
        kind=kind, stack=stack.name, message=message, addresses=tuple(each.address for each in about or ())
    )
