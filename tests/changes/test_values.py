"""How two values of an argument differ."""

from __future__ import annotations

from typing import Any

import pytest

from aether_infra.catalog.replacement import TypeFacts
from aether_infra.changes.values import ABSENT, compare

FACTS = TypeFacts(
    sets=frozenset({"groups", "rule"}),
    default={"enabled": True, "block.mode": "fast"},
    keeps=frozenset({"chosen"}),
)


def told(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {each.path: (each.old, each.new) for each in compare(old, new, FACTS)[0]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"size": 20}, {"size": "20"}),
        ({"on": True}, {"on": "true"}),
        ({"groups": ["a", "b"]}, {"groups": ["b", "a"]}),
        ({"rule": [{"port": 1}, {"port": 2}]}, {"rule": [{"port": 2}, {"port": 1}]}),
        ({}, {"enabled": True}),
        ({"enabled": True}, {}),
        ({}, {"other": False}),
        ({}, {"tags": {}}),
        ({"text": ""}, {}),
        ({"nothing": None}, {}),
        ({"block": {"mode": "slow"}}, {"block": [{"mode": "slow"}]}),
        ({"block": {"mode": "fast", "a": 1}}, {"block": {"a": 1}}),
        ({"policy": '{"a": [1, 2]}'}, {"policy": '{ "a":[1,2] }'}),
        (
            {"policy": '${/*}*/jsonencode({"a": "${b.c}", "d": 1})}'},
            {"policy": '${/*}*/jsonencode({"d": 1, "a": "${b.c}"})}'},
        ),
    ],
)
def test_what_means_the_same_is_no_difference(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert told(old, new) == {}
    assert told(new, old) == {}


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        ({"a": 1}, {"a": 2}, {"a": (1, 2)}),
        ({}, {"enabled": False}, {"enabled": (ABSENT, False)}),
        ({}, {"chosen": False}, {"chosen": (ABSENT, False)}),
        ({"list": ["a", "b"]}, {"list": ["b", "a"]}, {"list": (["a", "b"], ["b", "a"])}),
        ({"block": {"a": 1, "b": 2}}, {"block": {"a": 1, "b": 3}}, {"block.b": (2, 3)}),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}]},
            {"env[B].value": ("2", "3")},
        ),
        (
            {"env": [{"name": "A"}, {"name": "B"}]},
            {"env": [{"name": "B"}, {"name": "A"}]},
            {"env": (["A", "B"], ["B", "A"])},
        ),
        (
            {"rule": [{"port": 1}, {"port": 2}]},
            {"rule": [{"port": 3}, {"port": 1}]},
            {"rule[2]": ({"port": 2}, ABSENT), "rule[3]": (ABSENT, {"port": 3})},
        ),
        ({"block": {"a": 1}}, {}, {"block": ({"a": 1}, ABSENT)}),
    ],
)
def test_differences(
    old: dict[str, Any], new: dict[str, Any], differences: dict[str, tuple[Any, Any]]
) -> None:
    assert told(old, new) == differences


def test_json_text_tells_what_differs_inside() -> None:
    old = '[{"name": "aether", "image": "a:1", "essential": true}]'
    new = '[{"name": "aether", "image": "a:2"}]'
    (difference,), _ = compare({"containers": old}, {"containers": new}, FACTS)
    assert {each.path: (each.old, each.new) for each in difference.inside} == {
        "[aether].essential": (True, ABSENT),
        "[aether].image": ("a:1", "a:2"),
    }


def test_templates_are_told_with_the_names_of_their_blocks() -> None:
    old = {
        "env": [{"name": "A", "value": "${x_y.z.id}"}, {"name": "B", "value": "1"}],
        "ids": ["${x_y.z.id}"],
    }
    new = {
        "env": [{"name": "A", "value": "${x_y.z.id}"}, {"name": "B", "value": "2"}],
        "ids": ["${x_y.z.id}"],
    }
    differences, templates = compare(old, new, FACTS)
    assert [each.path for each in differences] == ["env[B].value"]
    assert {(each.path, each.pattern) for each in templates} == {
        ("env[A].value", "env.value"),
        ("ids", "ids"),
    }
