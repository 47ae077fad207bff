"""What a value refers to, and what it is as far as the configuration says."""

from __future__ import annotations

from typing import Any

import pytest

from aether_infra.changes.document import Stack, read_stack
from aether_infra.changes.references import known, references

DOCUMENT = {
    "resource": {
        "aws_vpc": {"main": {"cidr_block": "10.0.0.0/16", "tags": {"a": "b"}}},
        "aws_subnet": {"one": {"vpc_id": "${aws_vpc.main.id}", "cidr_block": "${aws_vpc.main.cidr_block}"}},
        "aws_iam_role": {"many": {"for_each": "${local.names}", "name": "x"}},
    },
    "data": {"aws_caller_identity": {"me": {"account": "none"}}},
    "locals": {"size": 3, "id": "${aws_vpc.main.id}", "loop": "${local.loop}"},
}


@pytest.fixture
def stack() -> Stack:
    return read_stack("aws", DOCUMENT)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("${aws_vpc.main.id}", ["aws_vpc.main.id"]),
        ("arn:${data.aws_caller_identity.me.account_id}:x", ["data.aws_caller_identity.me.account_id"]),
        (
            '${/*}*/jsonencode({"a": ["${aws_vpc.main.arn}", "${aws_subnet.one.tags.name}"]})}',
            ["aws_vpc.main.arn", "aws_subnet.one.tags.name"],
        ),
        (
            {"a": ["${aws_vpc.main.id}"], "b": {"c": "${aws_subnet.one.id}"}},
            ["aws_vpc.main.id", "aws_subnet.one.id"],
        ),
        ("${[for s in aws_subnet.one.blocks : s.id]}", ["aws_subnet.one.blocks"]),
        ("${local.id}", ["aws_vpc.main.id"]),
        ("${local.loop}", []),
        ("aws_vpc.main.id", []),
        ("see aws_vpc.main.id, ${not_there.main.id}", ["aws_vpc.main.id"]),
    ],
)
def test_references(stack: Stack, value: Any, found: list[str]) -> None:
    assert [str(each) for each in references(value, stack)] == found


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("${aws_vpc.main.cidr_block}", "10.0.0.0/16"),
        ("${aws_subnet.one.cidr_block}", "10.0.0.0/16"),
        ("in ${aws_vpc.main.cidr_block}.", "in 10.0.0.0/16."),
        ("${aws_vpc.main.id}", "${aws_vpc.main.id}"),
        ("${local.size}", 3),
        ("${local.loop}", "${local.loop}"),
        ("$${aws_vpc.main.cidr_block}", "$${aws_vpc.main.cidr_block}"),
        ("${aws_iam_role.many.name}", "${aws_iam_role.many.name}"),
        ("${data.aws_caller_identity.me.account}", "${data.aws_caller_identity.me.account}"),
        (["${aws_vpc.main.cidr_block}"], ["10.0.0.0/16"]),
    ],
)
def test_what_the_configuration_says_is_known(stack: Stack, value: Any, result: Any) -> None:
    assert known(value, stack) == result
