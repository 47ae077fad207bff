"""A change of the infrastructure for a script: plain values for JSON."""

from __future__ import annotations

from typing import Any

from aether_infra.changes.model import (
    Action,
    ArgumentChange,
    Changes,
    Danger,
    ResourceChange,
    SettingChange,
    StackChange,
)
from aether_infra.changes.text import because, is_secret
from aether_infra.changes.values import ABSENT
from aether_infra.changes.words import noun


def report(changes: Changes) -> dict[str, Any]:
    """All that changes, with secrets left out.

    Args:
        changes: what happens.

    Returns:
        `summary` (resources by action), `stacks`, `dangers`, `notes`.
    """
    return {
        "summary": {action.value: changes.counts.get(action, 0) for action in Action},
        "dangers": [_danger(each) for each in changes.dangers],
        "notes": [_danger(each) for each in changes.notes],
        "stacks": [_stack(each) for each in changes.stacks],
    }


def _danger(danger: Danger) -> dict[str, Any]:
    return {
        "kind": danger.kind,
        "stack": danger.stack,
        "message": danger.message,
        "addresses": list(danger.addresses),
    }


def _stack(stack: StackChange) -> dict[str, Any]:
    by_address = {each.address: each for each in stack.resources}
    return {
        "name": stack.name,
        "action": "add" if stack.old is None else "remove" if stack.new is None else "change",
        "settings": [_setting(each) for each in (*stack.backend, *stack.providers)],
        "resources": [_resource(each, by_address) for each in stack.resources],
    }


def _setting(setting: SettingChange) -> dict[str, Any]:
    return {"what": setting.what, "path": setting.path, **_values(setting.old, setting.new, setting.path)}


def _resource(change: ResourceChange, all_changes: dict[str, ResourceChange]) -> dict[str, Any]:
    return {
        "address": change.address,
        "type": change.block.type,
        "place": change.block.place,
        "what": noun(change.block.type),
        "action": change.action.value,
        "refused": change.is_refused,
        "because": because(change, all_changes) if change.action is Action.REPLACE else "",
        "arguments": [_argument(each) for each in change.arguments],
    }


def _argument(argument: ArgumentChange) -> dict[str, Any]:
    values = {} if argument.follows else _values(argument.old, argument.new, argument.path)
    return {
        "path": argument.path,
        **values,
        **({"follows": argument.follows} if argument.follows else {}),
        "replaces": argument.replaces.value,
        **({"where": argument.condition} if argument.condition else {}),
        **({"refused": argument.refused} if argument.refused else {}),
        **({"inert": True} if argument.is_inert else {}),
    }


def _values(old: Any, new: Any, path: str) -> dict[str, Any]:
    """Both values; null for one that is left out, no value at all for a secret."""
    if is_secret(path):
        return {"secret": True}
    return {"old": None if old is ABSENT else old, "new": None if new is ABSENT else new}
