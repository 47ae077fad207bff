"""What an operator reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from aether_infra.changes.model import Action, Changes
from aether_infra.changes.report import report
from aether_infra.changes.stacks import compare_documents
from aether_infra.changes.text import lines, shown, summary
from aether_infra.changes.values import ABSENT
from aether_infra.changes.words import counted, listed, noun, plural

Compared = Callable[..., Changes]
SUBNET = {"vpc_id": "${aws_vpc.v.id}"}
HIDDEN = "master_password"
MOUNT = {"subnet_id": "${aws_subnet.s.id}", "file_system_id": "fs-1"}


def plain(changes: Changes) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines(changes)]


def one(type_: str, **arguments: Any) -> dict[str, Any]:
    return {type_: {"x": arguments}}


def test_nothing(compared: Compared) -> None:
    assert plain(compared({}, {})) == ["No changes: the infrastructure stays as it is."]


def test_signs_words_and_numbers(compared: Compared) -> None:
    old = one("aws_lb", name="a") | one("aws_vpc", tags={"t": "1"}) | one("aws_eip")
    new = (
        one("aws_lb", name="b") | one("aws_vpc", tags={"t": "2"}) | one("aws_s3_bucket") | one("acme_t", a=1)
    )
    told = plain(compared(old | one("acme_t", a=2), new))
    assert told[0] == (
        "aws  1 to add, 1 to change in place, 1 to replace, 1 to change or replace, 1 to remove"
    )
    assert told[1:3] == ["  -   aws_eip.x", "        x: public address"]
    assert told[3:6] == [
        "  -/+ aws_lb.x",
        "        x: load balancer",
        '        name: "a" → "b"  forces replacement',
    ]
    assert "  ?   acme_t.x" in told
    assert told[told.index("  ~   aws_vpc.x") + 2] == '        tags.t: "1" → "2"'
    assert "  +   aws_s3_bucket.x" in told
    assert told[-1] == "1 danger. Read them before you apply this."
    assert told[-3].startswith("DANGER aws, address: the load balancer (x)")


def test_a_chain_is_told_down_to_its_beginning(compared: Compared) -> None:
    rest = {"aws_subnet": {"s": SUBNET}, "aws_efs_mount_target": {"m": MOUNT}}
    old, new = ({"aws_vpc": {"v": {"cidr_block": cidr}}, **rest} for cidr in ("10.0.0.0/16", "10.1.0.0/16"))
    told = plain(compared(old, new))
    assert told[told.index("  -/+ aws_efs_mount_target.m") + 2 :][:2] == [
        "        subnet_id follows aws_subnet.s.id  forces replacement",
        (
            "        because aws_subnet.s is replaced for its vpc_id, which follows aws_vpc.v.id; "
            "aws_vpc.v is replaced for its cidr_block"
        ),
    ]
    assert not any("because" in line for line in told[told.index("  -/+ aws_vpc.v") :][:3])


@pytest.mark.parametrize(
    ("value", "path", "text"),
    [
        ("a", "name", '"a"'),
        (True, "on", "true"),
        (3, "size", "3"),
        (["a", "b"], "list", '["a", "b"]'),
        (ABSENT, "name", "(none)"),
        ("hunter2", "admin_password", "(hidden)"),
        ("hunter2", "env[API_KEY].value", "(hidden)"),
        ("ssh-ed25519 AAAA", "admin_ssh_key.public_key", '"ssh-ed25519 AAAA"'),
    ],
)
def test_values(value: Any, path: str, text: str) -> None:
    assert shown(value, path) == text


def test_long_values_are_cut_to_where_they_differ(compared: Compared) -> None:
    head = "the same " * 30
    told = plain(compared(one("aws_vpc", text=f"{head}A, {head}"), one("aws_vpc", text=f"{head}B, {head}")))
    (line,) = (line for line in told if "text:" in line)
    assert len(line) < 200
    assert "same A," in line
    assert "same B," in line


def test_texts_of_several_lines_show_the_lines_that_differ(compared: Compared) -> None:
    old, new = (f"#!/bin/sh\nset -e\nIMAGE=a:{tag}\nTOKEN=x{tag}\nexec node\n" for tag in "12")
    told = plain(compared(one("aws_instance", user_data=old), one("aws_instance", user_data=new)))
    start = next(number for number, line in enumerate(told) if "user_data: another text" in line)
    assert [line.strip() for line in told[start + 1 : start + 5]] == [
        "- IMAGE=a:1",
        "+ IMAGE=a:2",
        "- (hidden)",
        "+ (hidden)",
    ]


def test_json_shows_what_differs_inside(compared: Compared) -> None:
    def definition(image: str) -> dict[str, Any]:
        container = {"name": "aether", "image": image, "environment": [{"name": "A", "value": image}]}
        return one("aws_ecs_task_definition", container_definitions=json.dumps([container]))

    told = plain(compared(definition("a:1"), definition("a:2")))
    assert told[2:][:4] == [
        "        x: ECS task definition, a new one takes over from the old",
        "        container_definitions  forces replacement",
        '          [aether].environment[A].value: "a:1" → "a:2"',
        '          [aether].image: "a:1" → "a:2"',
    ]


def test_settings_are_told_before_resources() -> None:
    def document(region: str) -> dict[str, Any]:
        return {
            "aws": {
                "resource": one("aws_vpc"),
                "provider": {"aws": [{"region": region}]},
                "terraform": {"backend": {"local": {"path": region}}},
            }
        }

    told = plain(compare_documents(document("a"), document("b")))
    assert told[1:3] == ['  ~   state: path: "a" → "b"', '  ~   provider aws: region: "a" → "b"']


def test_new_and_gone_stacks() -> None:
    document = {"resource": one("aws_vpc")}
    assert plain(compare_documents({}, {"aws": document}))[0].startswith("aws (new)  1 to add")
    assert plain(compare_documents({"aws": document}, {}))[0].startswith("aws (gone)  0 to add")


def test_summary_of_settings_alone() -> None:
    assert summary({}) == "no resource changes"
    assert summary({Action.ADD: 1}) == "1 to add, 0 to change in place, 0 to replace, 0 to remove"


def test_report_has_everything_and_no_secret(compared: Compared) -> None:
    old = one("aws_lb", name="a") | one("aws_x", size=1, **{HIDDEN: "old-secret"})
    new = one("aws_lb", name="b") | one("aws_x", size=2, **{HIDDEN: "new-secret"})
    found = report(compared(old, new))
    assert found["summary"] == {"add": 0, "change": 0, "maybe-replace": 1, "replace": 1, "remove": 0}
    (stack,) = found["stacks"]
    by_address = {each["address"]: each for each in stack["resources"]}
    assert by_address["aws_lb.x"]["action"] == "replace"
    assert by_address["aws_lb.x"]["what"] == "load balancer"
    assert by_address["aws_lb.x"]["arguments"] == [
        {"path": "name", "old": "a", "new": "b", "replaces": "yes"}
    ]
    assert [danger["kind"] for danger in found["dangers"]] == ["address"]
    assert "secret" not in json.dumps(found).replace('"secret": true', "")
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("word", "many"),
    [
        ("subnet", "subnets"),
        ("public address", "public addresses"),
        ("image registry", "image registries"),
        ("pool of machines", "pools of machines"),
        ("firewall rule (in)", "firewall rules (in)"),
        ("gateway", "gateways"),
        ("bus", "buses"),
    ],
)
def test_plurals(word: str, many: str) -> None:
    assert plural(word) == many
    assert counted(1, word) == f"1 {word}"
    assert counted(2, word) == f"2 {many}"


def test_lists() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdefg"), 4) == "a, b, c and 4 more"
    assert listed([]) == ""


def test_words_of_a_type_that_is_not_known() -> None:
    assert noun("acme_flux_capacitor") == "flux capacitor"
    assert noun("kubernetes_stateful_set_v1") == "stateful set"
