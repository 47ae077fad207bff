"""The decision: how many nodes there shall be, what is done about it now, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.observation import Observation, Phase
from aether_infra.runtime.policy.leaving import interrupted, must_go, surplus
from aether_infra.runtime.policy.load import recommend, too_many_unhealthy
from aether_infra.runtime.policy.model import Decision, Memory, Policy, Removal


def decide(seen: Observation, memory: Memory, policy: Policy) -> tuple[Decision, Memory]:
    """Decide.

    Args:
        seen: the cluster.
        memory: what is known of before.
        policy: the settings.

    Returns:
        What to do now, and the memory for the next time.
    """
    memory = evolve(memory, since=memory.since or seen.at)
    # by the load, what somebody has added by hand stays until there is too little load for it
    keep = _bounded(seen, max(seen.count, memory.desired or 0) if seen.fixed is None else seen.count)
    blind = _blind(seen) or too_many_unhealthy(seen, policy)
    if blind:
        return _decision(seen, keep, blind), evolve(memory, desired=keep)
    holds: list[str] = []
    load = None
    if seen.fixed is not None:
        wanted, reason = _bounded(seen, seen.fixed), f"{seen.fixed} were asked for"
        if wanted != seen.fixed:
            reason += f", within {seen.minimum}-{seen.maximum}: {wanted}"
    else:
        advice = recommend(seen, keep, policy)
        load, reason = advice.load, advice.reason
        memory = _remember(memory, seen.at, _bounded(seen, advice.count), policy)
        wanted = _stabilised(memory, seen.at, keep, policy)
        if not advice.shrinkable:
            wanted = max(wanted, keep)
        if wanted != advice.count:
            holds.append(_why_other(seen, advice.count, wanted, policy))
    plan = _act(seen, wanted, keep, memory, policy)
    decision = Decision(
        at=seen.at,
        desired=plan.desired,
        actual=seen.count,
        serving=_serving(seen),
        load=load,
        create=plan.create,
        remove=plan.remove,
        reason=reason,
        holds=(*holds, *plan.holds, *_about_core(seen)),
    )
    return decision, evolve(memory, desired=plan.desired)


@frozen(kw_only=True)
class _Plan:
    """What is done about a wanted number now."""

    desired: int
    create: int = 0
    remove: tuple[Removal, ...] = ()
    holds: tuple[str, ...] = field(factory=tuple)


def _act(seen: Observation, wanted: int, keep: int, memory: Memory, policy: Policy) -> _Plan:
    """Creations and removals towards a number, as far as cool-downs and bounds let them."""
    holds: list[str] = []
    desired = wanted
    by_load = seen.fixed is None
    if by_load and wanted > keep and (wait := _left(seen.at, memory.added_at, policy.grow_after_add_seconds)):
        holds.append(f"{wanted} are wanted, in {wait:.0f} s: nodes have just been added")
        desired = keep
    if wanted < keep and (why := _no_shrinking(seen, memory, policy, by_load=by_load)):
        holds.append(f"{wanted} would do, but {why}")
        desired = keep
    elif by_load and wanted < keep:
        desired = max(wanted, keep - 1)  # one by one

    going = must_go(seen, memory, policy)
    leaving = sum(1 for node in seen.elastic if node.phase is Phase.LEAVING and node.operation_id)
    room = max(0, policy.removals_at_once - leaving)
    remove = going[:room]
    remove += interrupted(seen, desired, memory, policy)[: room - len(remove)]
    extra = seen.count - desired
    if extra > 0:
        most = min(extra, room - len(remove))
        remove += surplus(seen, max(0, most), memory, policy)

    create = 0
    missing = desired - seen.count
    if missing > 0:
        create, why = _creatable(seen, missing, memory, policy)
        holds += [why] if why else []
    return _Plan(desired=desired, create=create, remove=tuple(remove), holds=tuple(holds))


def _creatable(seen: Observation, missing: int, memory: Memory, policy: Policy) -> tuple[int, str]:
    """How many of the missing ones may be created now, and why not all."""
    pause = min(
        policy.grow_after_failure_longest_seconds,
        policy.grow_after_failure_seconds * 2 ** max(0, min(memory.creation_failures, 30) - 1),
    )
    wait = _left(seen.at, memory.creation_failed_at, pause) if memory.creation_failures else 0
    if wait:
        times = "once" if memory.creation_failures == 1 else f"{memory.creation_failures} times in a row"
        return (
            0,
            f"{missing} missing; creation failed {times}, next in {wait:.0f} s: {memory.creation_error}",
        )
    # whatever has a machine counts against the most there may be, also what is on its way out
    occupied = seen.coming + sum(1 for node in seen.elastic if node.phase is not Phase.GONE)
    room = max(0, seen.maximum - occupied)
    if room < missing:
        return room, f"{missing} missing; {occupied} of at most {seen.maximum} machines are there"
    return missing, ""


def _no_shrinking(seen: Observation, memory: Memory, policy: Policy, *, by_load: bool) -> str:
    """Why there may be no fewer nodes right now; empty if there may."""
    if wait := _left(seen.at, memory.removal_failed_at, policy.shrink_after_failure_seconds):
        return f"a removal has failed: not for another {wait:.0f} s"
    if not by_load:
        return ""
    if wait := _left(seen.at, memory.added_at, policy.shrink_after_add_seconds):
        return f"nodes have just been added: not for another {wait:.0f} s"
    if wait := _left(seen.at, memory.removed_at, policy.shrink_after_delete_seconds):
        return f"one has just been removed: not for another {wait:.0f} s"
    if any(node.phase is Phase.LEAVING and node.operation_id for node in seen.elastic):
        return "one is on its way out, and they go one by one"
    booting = seen.coming + sum(1 for node in seen.elastic if node.phase is Phase.BOOTING)
    return f"{booting} are still on their way in" if booting else ""


def _stabilised(memory: Memory, at: datetime, keep: int, policy: Policy) -> int:
    """The number that neither a short peak nor a short dip moves."""
    lowest = min(_within(memory, at, policy.up_window_seconds))
    highest = max(_within(memory, at, policy.down_window_seconds))
    whole = memory.since is not None and at - memory.since >= timedelta(seconds=policy.down_window_seconds)
    if lowest > keep:
        return lowest
    return highest if highest < keep and whole else keep


def _within(memory: Memory, at: datetime, seconds: float) -> list[int]:
    return [count for when, count in memory.recommendations if (at - when).total_seconds() <= seconds]


def _remember(memory: Memory, at: datetime, count: int, policy: Policy) -> Memory:
    """The memory with one recommendation more, and without those that no window reaches."""
    window = timedelta(seconds=max(policy.up_window_seconds, policy.down_window_seconds))
    kept = [(when, old) for when, old in memory.recommendations if at - when <= window]
    return evolve(memory, recommendations=(*kept, (at, count)))


def _why_other(seen: Observation, advised: int, wanted: int, policy: Policy) -> str:
    if not seen.minimum <= advised <= seen.maximum and wanted == _bounded(seen, advised):
        return f"{advised} would be outside of {seen.minimum}-{seen.maximum}"
    window = policy.down_window_seconds if advised < wanted else policy.up_window_seconds
    return f"{advised} are advised now, but not yet for {window:.0f} s"


def _blind(seen: Observation) -> str:
    """Why nothing can be decided; empty if it can."""
    if not seen.reachable:
        return f"no node answers on Aether's management API: {seen.problem or 'nothing is decided'}"
    if seen.quorum is False:
        return "Aether has no quorum: nothing is done until it has one again"
    core = [node for node in seen.nodes if node.role is NodeRole.CORE]
    if core and not seen.core_on_duty:
        return "no core node is on duty: nothing is done until one is"
    return ""


def _about_core(seen: Observation) -> list[str]:
    """What is wrong with core nodes: said, and never mended by ourselves."""
    core = [node for node in seen.nodes if node.role is NodeRole.CORE]
    notes = [
        f"core node {node.aether_id or node.id} is {node.phase}: core nodes go by explicit command only"
        for node in core
        if node.phase in {Phase.LOST, Phase.DEAD}
    ]
    if len(core) < seen.core:
        notes.append(
            f"{seen.core - len(core)} of {seen.core} core nodes have no machine: apply Terraform again"
        )
    return notes


def _decision(seen: Observation, desired: int, reason: str) -> Decision:
    return Decision(
        at=seen.at,
        desired=desired,
        actual=seen.count,
        serving=_serving(seen),
        load=None,
        reason=reason,
        holds=tuple(_about_core(seen)),
    )


def _serving(seen: Observation) -> int:
    return sum(1 for node in seen.serving if node.role is not NodeRole.CORE)


def _bounded(seen: Observation, count: int) -> int:
    return max(seen.minimum, min(seen.maximum, count))


def _left(at: datetime, since: datetime | None, seconds: float) -> float:
    """Seconds until so many have passed since then; 0 for never or long ago."""
    return 0.0 if since is None else max(0.0, seconds - (at - since).total_seconds())
