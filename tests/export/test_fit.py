"""What depends on what: found where it is so, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from aether_infra.export.document import value
from aether_infra.export.fit import Feature, Fit
from aether_infra.export.render import expression
from aether_infra.export.syntax import variable


def feature(name: str, *values: Any) -> Feature:
    return Feature(variable(name), values)


REGION = feature("region", "us-west-2", "eu-west-1", "ap-east-1", "sa-east-1")
NAME = feature("name", "aether", "qxy", "zebra", "kiln")
PORT = feature("port", 8080, 9417, 3122, 20871)
NODES = feature("nodes", 10, 17, 31, 4)
SECONDS = feature("seconds", 120, 61, 250, 399)
CIDR = feature("cidr", "10.0.0.0/16", "10.64.0.0/17", "10.128.0.0/18", "172.16.0.0/16")
OPTIONS = feature("options", "", "-Da=b", "-Dc", "")
SWITCH = feature("switch", *map(bool, (1, 0, 0, 1)))
LIST = feature("list", ("a",), ("b", "c"), ("d", "e", "f"), ("g",))
TAGS = feature("tags", {}, {"x": "1"}, {"y": "2", "z": "3"}, {"a": "4"})
ALL = [REGION, NAME, PORT, NODES, SECONDS, CIDR, OPTIONS, SWITCH, LIST, TAGS]


def fitted(*found: Any, features: Sequence[Feature] = ALL) -> str:
    fit = Fit(features)
    node = fit.fit(tuple(value(one) for one in found))
    assert not fit.conflicts, fit.conflicts
    return expression(node)


def made(make: Any, *sources: Feature) -> list[Any]:
    return [make(*row) for row in zip(*(source.values for source in sources), strict=True)]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (made(lambda name: name, NAME), "var.name"),
        (made(lambda name, region: f"{name}-x-{region}", NAME, REGION), '"${var.name}-x-${var.region}"'),
        (made(lambda port: port, PORT), "var.port"),
        (made(str, PORT), "tostring(var.port)"),
        (made(lambda port: f"http://h:{port}/", PORT), '"http://h:${var.port}/"'),
        (made(lambda nodes: nodes - 3, NODES), "var.nodes - 3"),
        (made(lambda nodes: max(nodes - 5, 3), NODES), "max(var.nodes - 5, 3)"),
        (made(lambda port: port * 1024, PORT), "var.port * 1024"),
        (made(lambda seconds: seconds / 100, SECONDS), "var.seconds / 100"),
        (made(lambda seconds: -(-seconds // 60) + 10, SECONDS), "ceil(var.seconds / 60) + 10"),
        (made(lambda seconds: seconds // 2, SECONDS), "floor(var.seconds / 2)"),
        (made(lambda nodes, port: nodes + port, NODES, PORT), "var.port + var.nodes"),
        (made(lambda on: on, SWITCH), "var.switch"),
        (made(lambda on: not on, SWITCH), "!var.switch"),
        (made(lambda on: "Retain" if on else "Delete", SWITCH), 'var.switch ? "Retain" : "Delete"'),
        (
            made(lambda options: f"-X {options}".rstrip(), OPTIONS),
            '"-X${var.options == "" ? "" : " ${var.options}"}"',
        ),
        (made(list, LIST), "var.list"),
        (
            made(lambda items: [f"cidr:{item}" for item in items], LIST),
            '[for item in var.list : "cidr:${item}"]',
        ),
        (made(lambda items: ["z", *items], LIST), 'concat(["z"], var.list)'),
        (made(lambda tags: {**tags, "own": "k"}, TAGS), 'merge(var.tags, { own = "k" })'),
    ],
)
def test_what_depends_on_a_value_says_so(found: list[Any], wanted: str) -> None:
    assert fitted(*found) == wanted


def test_the_same_value_elsewhere_is_not_the_variable() -> None:
    both = [{"port": port, "other": 8080} for port in PORT.values]
    assert fitted(*both) == "{ port = var.port, other = 8080 }"
    texts = [f"aether is {name} is aether" for name in NAME.values]
    assert fitted(*texts) == '"aether is ${var.name} is aether"'


def test_ranges_are_parts_of_the_range() -> None:
    subnets = ["10.0.16.0/20", "10.64.8.0/21", "10.128.4.0/22", "172.16.16.0/20"]
    assert fitted(*subnets) == "cidrsubnet(var.cidr, 4, 1)"
    hosts = ["10.0.0.10", "10.64.0.10", "10.128.0.10", "172.16.0.10"]
    assert fitted(*hosts) == "cidrhost(var.cidr, 10)"
    last = ["10.0.255.254", "10.64.127.254", "10.128.63.254", "172.16.255.254"]
    assert fitted(*last) == "cidrhost(var.cidr, -2)"
    inner = ["10.0.128.10", "10.64.64.10", "10.128.32.10", "172.16.128.10"]
    assert fitted(*inner) == "cidrhost(cidrsubnet(var.cidr, 1, 1), 10)"


def test_json_in_a_text_is_looked_into() -> None:
    found = [f'{{"a":"{name}","b":1}}' for name in NAME.values]
    assert fitted(*found) == "jsonencode({ a = var.name, b = 1 })"


def test_what_nothing_explains_is_a_conflict_with_its_place() -> None:
    fit = Fit(ALL)
    fit.fit(tuple(value({"a": [{"b": text}]}) for text in ("one", "two", "three", "four")))
    (conflict,) = fit.conflicts
    assert conflict.path == ("a", 0, "b")


@pytest.mark.parametrize(
    "found",
    [
        [{"a": 1}, {}, {"a": 1}, {"a": 1}],
        [[1], [1, 2], [1], [1]],
        ["a", 1, "a", "a"],
        [120, 61, 251, 399],
    ],
    ids=["keys", "lengths", "types", "one of them off"],
)
def test_another_form_is_a_conflict(found: list[Any]) -> None:
    fit = Fit(ALL)
    fit.fit(tuple(map(value, found)))
    assert fit.conflicts


def test_a_division_without_a_remainder_says_not_how_it_rounds() -> None:
    minutes = feature("seconds", 60, 120, 180, 300)
    fit = Fit([minutes])
    fit.fit(tuple(map(value, (1, 2, 3, 5))))
    assert fit.conflicts


def test_a_value_is_its_own_variable_before_it_is_a_choice_by_another() -> None:
    policy = feature("policy", "old", "new", "new", "old")
    assert fitted("old", "new", "new", "old", features=[SWITCH, policy]) == "var.policy"
