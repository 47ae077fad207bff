"""What an operator must know before it happens: rules over what changes, each for one kind of danger."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aether_infra.changes.core_nodes import core_dangers, core_notes
from aether_infra.changes.model import Action, Danger, ResourceChange, StackChange
from aether_infra.changes.references import known
from aether_infra.changes.values import ABSENT
from aether_infra.changes.words import (
    CLUSTERS,
    DATA,
    ENTRANCES,
    NETWORKS,
    ZONES,
    counted,
    listed,
    noun,
)

KINDS: Final[Mapping[str, str]] = {
    "refused": "Terraform, the provider or the cloud refuses the change",
    "state": "Terraform looks for its state at another place",
    "abandoned": "a stack is no longer there, and what it made stays",
    "name": "the cluster is renamed",
    "place": "a provider is set to another region, account, project or cluster",
    "quorum": "more than one core node restarts or goes at once",
    "cluster": "a cluster is replaced or removed",
    "data": "data is lost",
    "network": "a network or an address range of it is another",
    "address": "an address that others know is another",
    "protection": "a protection against deletion is switched off",
}
"""Every kind of danger, the worst first."""

_SWITCHES = (
    "deletion_protection",
    "deletion_protection_enabled",
    "disable_api_stop",
    "disable_api_termination",
    "enable_deletion_protection",
)
"""Arguments that protect against deletion while they are true."""
_UNPROTECTING = ("force_delete", "force_destroy", "skip_final_snapshot")
"""Arguments that let a deletion through while they are true."""
_RANGES = (
    "address_prefixes",
    "address_space",
    "cidr_block",
    "cidr_blocks",
    "ip_cidr_range",
    "ip_range",
    "secondary_ip_range",
)
"""Arguments of networks that are their ranges."""


def find_dangers(stacks: Iterable[StackChange]) -> Iterator[Danger]:
    """Every danger of a change, the worst kinds first.

    Args:
        stacks: what happens.
    """
    order = list(KINDS)
    found = [danger for stack in stacks for rule in _RULES for danger in rule(stack)]
    yield from sorted(found, key=lambda danger: order.index(danger.kind))


def find_notes(stacks: Iterable[StackChange]) -> Iterator[Danger]:
    """What is worth knowing and no danger.

    Args:
        stacks: what happens.
    """
    for stack in stacks:
        yield from core_notes(stack)
        yield from _no_effect(stack)


def _refused(stack: StackChange) -> Iterator[Danger]:
    held = [each for each in stack.resources if each.is_refused]
    if held:
        yield _about(
            "refused",
            stack,
            f"Terraform will refuse the whole plan: {_named(held)} must be replaced, and "
            f"{'have' if len(held) > 1 else 'has'} prevent_destroy. With cloud.protect = false, deployed first, it "
            "goes through",
            held,
        )
    impossible: dict[tuple[str, str], list[ResourceChange]] = {}
    for each in stack.resources:
        for argument in each.arguments:
            if argument.refused:
                what = f"{argument.path} from {_said(argument.old)} to {_said(argument.new)}"
                impossible.setdefault((what, argument.refused), []).append(each)
    for (what, why), changes in impossible.items():
        yield _about(
            "refused", stack, f"{_named(changes)} cannot change {what}: refused where {why}", changes
        )


def _state(stack: StackChange) -> Iterator[Danger]:
    moved = [each for each in stack.backend if each.path in {"backend", *_STATE_PLACES}]
    if moved:
        told = ", ".join(f"{each.path} {_said(each.old)} → {_said(each.new)}" for each in moved)
        yield _about(
            "state",
            stack,
            f"the state is looked for at another place ({told}). Unless it is moved there (terraform init "
            "-migrate-state), Terraform knows nothing of what runs and builds all of it a second time",
        )


_STATE_PLACES = (
    "address",
    "bucket",
    "conn_str",
    "container_name",
    "endpoint",
    "endpoints",
    "hostname",
    "key",
    "namespace",
    "organization",
    "path",
    "prefix",
    "region",
    "resource_group_name",
    "schema_name",
    "secret_suffix",
    "storage_account_name",
    "workspace_dir",
    "workspace_key_prefix",
    "workspaces.name",
    "workspaces.prefix",
)
"""Settings of a backend that say where a state is."""


def _abandoned(stack: StackChange) -> Iterator[Danger]:
    if stack.new is None and stack.resources:
        yield _about(
            "abandoned",
            stack,
            "the stack is no longer in the configuration: nothing ends its "
            f"{counted(len(stack.resources), 'resource')}. Destroy it with the old "
            "configuration first (cdktf destroy), or they run on and nobody manages them",
        )


def _name(stack: StackChange) -> Iterator[Danger]:
    if stack.old is None or stack.new is None:
        return
    old, new = (each.outputs.get("cluster_name") for each in (stack.old, stack.new))
    if old is not None and new is not None and old != new:
        yield _about(
            "name",
            stack,
            f"the cluster is renamed ({old} → {new}), and every name with it: nearly all is replaced. Build the new "
            "one beside the old one from a file of its own, and move over",
        )


def _place(stack: StackChange) -> Iterator[Danger]:
    moved = [each for each in stack.resources if each.has_moved]
    if not moved or stack.new is None:
        return
    why = moved[0].reasons[-1]
    then = (
        "all of it is built anew there and ended where it was"
        if not moved[0].is_left_behind
        else "Terraform finds nothing of it there and builds it anew; what runs in the old place stays there, and "
        "nobody manages it any more"
    )
    yield _about("place", stack, f"{counted(len(moved), 'resource')}: {why}; {then}", moved)


_IN_KUBERNETES = (
    "all that runs in it: the core nodes, their volume claims, and everything of the workload stack"
)


def _clusters(stack: StackChange) -> Iterator[Danger]:
    for each in stack.resources:
        if each.block.type in CLUSTERS and each.goes and stack.new is not None:
            how = "replaced" if each.action is Action.REPLACE else "removed"
            what = "all that runs in it" if each.block.type == "aws_ecs_cluster" else _IN_KUBERNETES
            yield _about(
                "cluster",
                stack,
                f"the {noun(each.block.type)} is {how}, and with it {what}",
                [each],
            )
        elif each.block.type in CLUSTERS and each.action is Action.MAYBE_REPLACE:
            yield _about(
                "cluster",
                stack,
                f"the {noun(each.block.type)} may have to be replaced: {_conditions(each)}",
                [each],
            )


def _data(stack: StackChange) -> Iterator[Danger]:
    if stack.new is None:
        return
    lost: dict[tuple[str, str], list[ResourceChange]] = {}
    for each in stack.resources:
        if each.block.type in DATA and (each.goes or each.action is Action.MAYBE_REPLACE):
            how = {Action.REPLACE: "replaced", Action.REMOVE: "removed"}.get(each.action, "perhaps replaced")
            lost.setdefault((each.block.type, how), []).append(each)
    for (type_, how), changes in lost.items():
        unheld = any(each.action is Action.REMOVE and each.block.prevents_destroy for each in changes)
        yield _about(
            "data",
            stack,
            f"{_named(changes)} {'is' if len(changes) == 1 else 'are'} {how}. "
            f"Lost with {'it' if len(changes) == 1 else 'them'}: {DATA[type_]}"
            + (" (if Terraform were let through)" if all(each.is_refused for each in changes) else "")
            + (
                ". prevent_destroy does not help: it holds for what is in the configuration, and this is gone from it"
                if unheld
                else ""
            ),
            changes,
        )


def _networks(stack: StackChange) -> Iterator[Danger]:
    if stack.new is None:
        return
    gone = [each for each in stack.resources if each.block.type in NETWORKS and each.goes]
    if gone:
        yield _about(
            "network",
            stack,
            f"{_named(gone)} {_happens(gone)}. Nothing moves to another network while it runs, and none goes while "
            "something has an address in it: plan an outage, or build a second cluster and move over",
            gone,
        )
    for each in stack.resources:
        argument = each.argument(*_RANGES)
        if each.block.type not in NETWORKS or argument is None or each.action is Action.REPLACE:
            continue
        if not _holds_all(argument.new, argument.old):
            yield _about(
                "network",
                stack,
                f"the range of {_named([each])} is another ({argument.path}: {_said(argument.old)} → "
                f"{_said(argument.new)}). Clouds refuse that while an address that it no longer holds is in use",
                [each],
            )


def _holds_all(new: Any, old: Any) -> bool:
    """Whether every address of the old ranges is in the new ones, as far as that can be told."""
    try:
        after, before = (
            [ipaddress.ip_network(each) for each in (value if isinstance(value, list) else [value])]
            for value in (new, old)
        )
    except (TypeError, ValueError):
        return False
    return all(any(_holds(wide, narrow) for wide in after) for narrow in before)


def _holds(
    wide: ipaddress.IPv4Network | ipaddress.IPv6Network,
    narrow: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> bool:
    return wide.version == narrow.version and wide.supernet_of(narrow)  # type: ignore[arg-type]  # one version


def _entrances(stack: StackChange) -> Iterator[Danger]:
    if stack.new is None:
        return
    gone = [
        each
        for each in stack.resources
        if each.block.type in ENTRANCES
        and each.goes
        and each.block.arguments.get("address_type") != "INTERNAL"
    ]
    if gone:
        yield _about(
            "address",
            stack,
            f"{_named(gone)} {_happens(gone)}: others may know the address, which will be another or none",
            gone,
        )
    if stack.old is not None:
        urls = [known(each.outputs.get("application_url"), each) for each in (stack.old, stack.new)]
        old, new = (urlsplit(each).netloc if isinstance(each, str) else "" for each in urls)
        if old and new and old != new and "${" not in old + new:
            yield _about("address", stack, f"users reach the application at another address: {old} → {new}")
    zones = [each for each in stack.resources if each.block.type in ZONES and each.goes]
    if zones:
        yield _about(
            "address",
            stack,
            f"{_named(zones)} {_happens(zones)}: the name servers are others, and the parent domain must delegate anew",
            zones,
        )


def _protection(stack: StackChange) -> Iterator[Danger]:
    if stack.old is None or stack.new is None:
        return
    bare = [each for each in stack.resources if each.action is not Action.ADD and _unprotected(each)]
    changed = {each.address for each in bare}
    # a change of `lifecycle` alone is no change of a resource
    held = [
        block.address
        for block in stack.new.resources()
        if block.address in stack.old.blocks
        and stack.old.blocks[block.address].prevents_destroy
        and not block.prevents_destroy
    ]
    addresses = [*changed, *(address for address in held if address not in changed)]
    if addresses:
        yield Danger(
            kind="protection",
            stack=stack.name,
            message=f"protection against deletion is switched off for {counted(len(addresses), 'resource')}: "
            f"{listed(sorted(addresses))}",
            addresses=tuple(addresses),
        )


def _unprotected(change: ResourceChange) -> bool:
    if change.block.type == "azurerm_management_lock":
        return change.action is Action.REMOVE
    off = change.argument(*_SWITCHES)
    through = change.argument(*_UNPROTECTING)
    retention = change.argument("spec.persistent_volume_claim_retention_policy")
    return (
        (off is not None and off.old is True and off.new is not True)
        or (through is not None and through.new is True)
        or (retention is not None and retention.new == "Delete")
    )


def _no_effect(stack: StackChange) -> Iterator[Danger]:
    for each in stack.resources:
        inert = [argument for argument in each.arguments if argument.is_inert]
        for argument in inert:
            yield _about(
                "no-effect",
                stack,
                f"{_named([each])}: {argument.path} {_said(argument.old)} → {_said(argument.new)} does nothing. "
                "Kubernetes does not change volume claims by their template: change each claim by hand (kubectl patch "
                "pvc)",
                [each],
            )


_RULES: Final[tuple[Callable[[StackChange], Iterator[Danger]], ...]] = (
    _refused,
    _state,
    _abandoned,
    _name,
    _place,
    core_dangers,
    _clusters,
    _data,
    _networks,
    _entrances,
    _protection,
)


def _conditions(change: ResourceChange) -> str:
    return "; ".join(
        f"{argument.path}, where {argument.condition}" for argument in change.arguments if argument.condition
    )


def _happens(changes: list[ResourceChange]) -> str:
    verbs = {each.action for each in changes}
    verb = "replaced or removed" if len(verbs) > 1 else "replaced" if Action.REPLACE in verbs else "removed"
    return f"{'is' if len(changes) == 1 else 'are'} {verb}"


def _named(changes: list[ResourceChange]) -> str:
    """Resources in a sentence: `2 subnets (network/private/az1 and network/private/az2)`."""
    by_noun: dict[str, list[str]] = {}
    for each in changes:
        by_noun.setdefault(noun(each.block.type), []).append(each.block.place)
    parts = []
    for word, places in by_noun.items():
        head = f"the {word}" if len(places) == 1 else counted(len(places), word)
        parts.append(f"{head} ({listed(places, 4)})")
    return listed(parts, len(parts) + 1)


def _said(value: Any) -> str:
    return "none" if value is ABSENT else f"{value}"


def _about(kind: str, stack: StackChange, message: str, changes: Iterable[ResourceChange] = ()) -> Danger:
    return Danger(
        kind=kind, stack=stack.name, message=message, addresses=tuple(each.address for each in changes)
    )
