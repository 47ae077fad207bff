"""The helper that checks Terraform JSON against a schema finds what Terraform would, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from schema_check import problems

EVERY = Path(__file__).with_name("every.json")

GOOD: dict[str, Any] = {
    "name": "x",
    "disk": {"gib": 1},
    "pieces": [{"color": "red"}],
    "port": [{"number": 80}],
}


def found(widget: dict[str, Any], **more: Any) -> list[str]:
    document = {
        "terraform": {"required_providers": {"every": {"source": "example/every"}}},
        "provider": {"every": [{"region": "here"}]},
        "resource": {"every_widget": {"w": GOOD | widget}},
    }
    return [line.removeprefix("resource.every_widget.w.") for line in problems(document | more, EVERY)]


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"//": {"metadata": 1}, "count": 2, "lifecycle": {"ignore_changes": "all"}, "provisioner": [{}]},
        {"size": "12", "enabled": "true", "name": 5, "tags": {"a": 1}, "names": "${var.names}"},
        {"any": [1, {"a": None}], "matrix": [["1"]], "weight": None},
        {"settings": {"mode": "m"}, "parts": {"a": {"weight": 1}}, "pieces": "${var.pieces}"},
        {"rules": [{"port": 1, "cidrs": [], "note": None}]},
        {"disk": [{"gib": 1, "part": [{"type": "a"}, {"type": "b"}]}], "port": {"number": 1}},
        {"zone": {"a": {"weight": 1}, "b": [{"weight": 1}]}, "timeouts": [{"create": "1m"}]},
        {"port": [], "dynamic": {"port": {"for_each": "${var.p}", "content": {"number": "${port.value}"}}}},
        {"name": "$${every_widget.none.id} every_widget.none.id"},
        {"name": "${every_widget.w.endpoints[0].ports[*].number}${every_widget.w[0].id}"},
        {"name": '${every_widget.w.by_zone["a.b"].host}${every_widget.w.tags["x"]}${every_widget.w.any.x.y}'},
        {"name": '${lookup(every_widget.w.tags, "every_widget.none.id")}'},
        {"name": "${every_widget.w.disk[0].part[0].type}${every_widget.w.settings.mode}"},
        {"name": "${every_widget.w.*.id}${every_widget.w.parts[each.key].weight}"},
    ],
)
def test_what_terraform_takes(resource: dict[str, Any]) -> None:
    assert found(resource) == []


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"nam": "x"}, ["nam: does not exist (did you mean name?)"]),
        ({"name": None}, ["name: is required"]),
        ({"weight": 1}, ["weight: is set by the provider alone"]),
        ({"size": "large"}, ['size: must be a number, got "large"']),
        ({"size": True}, ["size: must be a number, got true"]),
        ({"enabled": 1}, ["enabled: must be a bool, got 1"]),
        ({"names": {"a": 1}}, ['names: must be a list, got {"a": 1}']),
        ({"tags": {"a": ["x"]}}, ['tags[a]: must be a string, got ["x"]']),
        ({"matrix": [[1, "x"]]}, ['matrix[0][1]: must be a number, got "x"']),
        ({"settings": {"level": 1}}, ["settings.mode: is required"]),
        ({"settings": [{"mode": "m"}]}, ['settings: must be an object, got [{"mode": "m"}]']),
        ({"parts": {"a": {"weigth": 1}}}, ["parts[a].weigth: does not exist (did you mean weight?)"]),
        ({"pieces": {"color": "red"}}, ['pieces: must be a set, got {"color": "red"}']),
        ({"rules": [{"port": 1, "cidrs": []}]}, ["rules[0].note: is required, null at least"]),
        ({"disk": [{"gib": 1}, {"gib": 2}]}, ["disk: takes 1 block(s) at most, got 2"]),
        ({"disk": []}, ["disk: needs 1 block(s) or more, got 0"]),
        ({"disk": "${var.disk}"}, ['disk: must be an object, got "${var.disk}"']),
        ({"disk": {"gib": 1, "used": 1}}, ["disk.used: is set by the provider alone"]),
        ({"disk": {"gib": 1, "part": [{}]}}, ["disk.part[0].type: is required"]),
        ({"port": [{"number": n} for n in range(4)]}, ["port: takes 3 block(s) at most, got 4"]),
        ({"zone": {"a": {"wait": 1}}}, ["zone[a].wait: does not exist (did you mean weight?)"]),
        ({"timeouts": [{}, {}]}, ["timeouts: takes 1 block(s) at most, got 2"]),
        ({"dynamic": {"prt": {}}}, ["dynamic.prt: there are no such blocks (did you mean port?)"]),
        ({"dynamic": {"lid": {"content": {}}}}, ["lid: a dynamic block must have for_each"]),
        (
            {"dynamic": {"lid": {"for_each": [1], "content": {"gib": "x"}}}},
            ['lid.dynamic.gib: must be a number, got "x"'],
        ),
        ({"name": "${every_widget.v.id}"}, ["name: every_widget.v is not declared"]),
        ({"name": "a-${every_widget.w.idd}"}, ["name: every_widget.w has no idd"]),
        ({"tags": {"a": "${data.every_widget.w.id}"}}, ["tags.a: data.every_widget.w is not declared"]),
        ({"name": "${every_widget.w.endpoints[0].hst}"}, ["name: every_widget.w has no hst"]),
        ({"name": "${every_widget.w.disk.gib}"}, ["name: every_widget.w has no gib"]),
        ({"name": '${f("${every_widget.w.nope}")}'}, ["name: every_widget.w has no nope"]),
        ({"depends_on": ["every_widget.v"]}, ["depends_on[0]: every_widget.v is not declared"]),
    ],
)
def test_what_terraform_refuses(resource: dict[str, Any], expected: list[str]) -> None:
    assert found(resource) == expected


def test_types_providers_and_their_sources() -> None:
    assert found({}, resource={"every_widgit": {"a": {}}, "unknown_thing": {"b": {}}}) == [
        "resource.every_widgit.a: every has no resource of this type (did you mean every_widget?)"
    ]
    assert found({}, provider={"every": {"regin": "x"}}) == [
        "provider.every.regin: does not exist (did you mean region?)",
        "provider.every.region: is required",
    ]
    assert found({}, terraform={}) == [
        "terraform.required_providers.every: must have the source of registry.terraform.io/example/every"
    ]
    assert found({}, output={"a": {"value": "${every_widget.b.id}"}}) == [
        "output.a.value: every_widget.b is not declared"
    ]
