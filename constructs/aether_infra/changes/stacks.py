"""What a change does to all stacks together: those that come and go, what one reads of another, where states are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aether_infra.changes.dangers import find_dangers, find_notes
from aether_infra.changes.document import Stack, read_stack
from aether_infra.changes.model import Action, Changes, ResourceChange, SettingChange, StackChange
from aether_infra.changes.plan import Effect, Planner
from aether_infra.changes.references import known
from aether_infra.changes.values import ABSENT, compare

WORKLOAD: Final = "-workload"
"""End of the name of a stack that runs in the cluster of the stack of the same name without it."""


def compare_documents(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> Changes:
    """What it does to the infrastructure that these documents take the place of those.

    Args:
        old: Terraform JSON by the stack's name, as it was applied.
        new: as it will be, in the order in which stacks are deployed.

    Returns:
        All that changes; empty where nothing does.
    """
    before = {name: read_stack(name, document) for name, document in old.items()}
    after = {name: read_stack(name, document) for name, document in new.items()}
    stacks: list[StackChange] = []
    outputs: dict[str, Mapping[str, Effect]] = {}
    for name, stack in after.items():
        if name in before:
            planner = Planner(before[name], stack, _read_outputs(name, outputs))
            change = _changed(before[name], stack, planner)
            outputs[name] = dict(_outputs(before[name], stack, planner))
        else:
            change = StackChange(
                name=name,
                old=None,
                new=stack,
                resources=tuple(_all(stack, Action.ADD)),
            )
        stacks.append(change)
    stacks += [
        StackChange(name=name, old=stack, new=None, resources=tuple(_all(stack, Action.REMOVE)))
        for name, stack in before.items()
        if name not in after
    ]
    happening = tuple(each for each in stacks if each.resources or each.providers or each.backend)
    return Changes(
        stacks=happening,
        # a change of `lifecycle` alone happens to no resource, and may be dangerous all the same
        dangers=tuple(find_dangers(stacks)),
        notes=tuple(find_notes(stacks)),
        counts=Counter(each.action for stack in happening for each in stack.resources),
    )


def _changed(old: Stack, new: Stack, planner: Planner) -> StackChange:
    providers = [
        setting
        for name in {**old.providers, **new.providers}
        for setting in _settings(
            f"provider {name}",
            known(dict(old.providers.get(name, {})), old),
            known(dict(new.providers.get(name, {})), new),
        )
    ]
    return StackChange(
        name=new.name,
        old=old,
        new=new,
        resources=tuple(planner.changes()),
        providers=tuple(providers),
        backend=tuple(_settings("state", old.backend, new.backend)),
    )


def _settings(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SettingChange]:
    for each in compare(old, new, None)[0]:
        yield SettingChange(what=what, path=each.path, old=each.old, new=each.new)


def _all(stack: Stack, action: Action) -> Iterator[ResourceChange]:
    return (ResourceChange(stack=stack.name, block=block, action=action) for block in stack.resources())


def _read_outputs(
    name: str, outputs: Mapping[str, Mapping[str, Effect]]
) -> Mapping[str, Mapping[str, Effect]]:
    """What happens to the outputs that a workload reads, by the name of its data source."""
    if not name.endswith(WORKLOAD):
        return {}
    return {"infrastructure": outputs.get(name.removesuffix(WORKLOAD), {})}


def _outputs(old: Stack, new: Stack, planner: Planner) -> Iterator[tuple[str, Effect]]:
    """What happens to each output, and to each value in it."""
    before = dict(_flat(known(dict(old.outputs), old), ""))
    for path, value in _flat(known(dict(new.outputs), new), ""):
        if before.get(path, ABSENT) != value:
            yield path, Effect.CHANGED
        else:
            yield path, planner.effect(value)


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
