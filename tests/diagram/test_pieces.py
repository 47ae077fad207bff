"""What pictures are made of: references, ports, and the width of words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.diagram.document import Documents, decoded
from aether_infra.diagram.ports import Ports, merged, ports, spans, words
from aether_infra.diagram.text import ELLIPSIS, fitted, joined, width, wrapped

INFRASTRUCTURE = {
    "resource": {
        "aws_subnet": {"a-b_C1": {"cidr_block": "10.0.0.0/20", "tags": {"Name": "first"}}},
        "aws_lb": {
            "front": {
                "subnets": ["${aws_subnet.a-b_C1.id}", "subnet-1"],
                "settings": {"deep": "${aws_subnet.a-b_C1.cidr_block}"},
            }
        },
    },
    "data": {"aws_vpc": {"old": {"id": "vpc-1"}}},
    "output": {
        "runtime": {
            "value": {
                "ranges": ["${aws_subnet.a-b_C1.cidr_block}", "10.9.0.0/16"],
                "vpc": "${data.aws_vpc.old.id}",
            }
        }
    },
    "provider": {"aws": [{"region": "us-west-2"}]},
}
STATE = "${data.terraform_remote_state.infrastructure.outputs.runtime"


@pytest.fixture
def found() -> Documents:
    return Documents({"aws": INFRASTRUCTURE, "aws-workload": {}})


def test_references_lead_to_resources(found: Documents) -> None:
    balancer = found.first("aws_lb")
    assert balancer is not None
    assert [each.address for each in found.mentions(balancer.arguments)] == ["aws_subnet.a-b_C1"]
    assert found.follow("${data.aws_vpc.old.id}") is found.first("data.aws_vpc")
    assert found.follow("${aws_subnet.other.id}") is None
    assert found.follow("subnet-1") is None


def test_arguments_are_known_as_far_as_they_are(found: Documents) -> None:
    assert found.literal("${aws_subnet.a-b_C1.cidr_block}") == "10.0.0.0/20"
    assert found.literal("${aws_lb.front.settings.deep}") == "10.0.0.0/20"
    assert found.literal("${aws_lb.front.settings[0].deep}") == "10.0.0.0/20", (
        "a block may be given as a list"
    )
    assert found.literal("${aws_subnet.a-b_C1.id}") == "${aws_subnet.a-b_C1.id}", "only the cloud knows it"
    assert found.text("${aws_subnet.a-b_C1.id}") == ""
    assert found.text("${aws_subnet.a-b_C1.tags}") == ""


def test_references_pass_through_the_state_of_another_stack(found: Documents) -> None:
    assert found.literal(f'{STATE}.ranges["0"]}}') == "10.0.0.0/20"
    assert found.literal(f"{STATE}.ranges[1]}}") == "10.9.0.0/16"
    assert found.literal(f"{STATE}.ranges[7]}}") == f"{STATE}.ranges[7]}}"
    subnet = found.follow(f'{STATE}.ranges["0"]}}')
    assert subnet is found.first("aws_subnet")
    assert found.output("runtime", "vpc") == "vpc-1"
    assert found.output("runtime", "nothing") is None
    assert found.provider("aws") == {"region": "us-west-2"}
    assert found.provider("google") == {}


def test_references_in_a_circle_come_to_an_end() -> None:
    circle = {"resource": {"a_b": {"one": {"x": "${a_b.two.x}"}, "two": {"x": "${a_b.one.x}"}}}}
    assert Documents({"s": circle}).text("${a_b.one.x}") == ""


def test_json_is_read_as_it_is_written() -> None:
    assert decoded('[{"a": 1}]') == [{"a": 1}]
    assert decoded('${/*}*/jsonencode({"a": "${b.c.d}"})}') == {"a": "${b.c.d}"}
    assert decoded("not json") is None
    assert decoded(7) is None


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (ports("6", 80, 80), Ports(protocol="tcp", low=80, high=80)),
        (ports("-1"), Ports(protocol="any")),
        (ports("1", 3, 4), Ports(protocol="icmp")),
        (ports("tcp", 443), Ports(protocol="tcp", low=443, high=443)),
        (spans("Udp", "8090"), Ports(protocol="udp", low=8090, high=8090)),
        (spans("*", "*"), Ports(protocol="any")),
        (spans("tcp", "1-65535"), Ports(protocol="tcp", low=1, high=65535)),
        (spans("icmp", None), Ports(protocol="icmp")),
    ],
)
def test_ports_as_the_clouds_write_them(given_: Ports, expected: Ports) -> None:
    assert given_ == expected


def test_ports_in_words() -> None:
    def said(*ranges: tuple[str, int, int, str]) -> tuple[str, ...]:
        return words((Ports(protocol=name, low=low, high=high), role) for name, low, high, role in ranges)

    assert said(("tcp", 8090, 8090, "cluster"), ("udp", 8090, 8090, "cluster")) == ("8090 TCP, UDP cluster",)
    assert said(("tcp", 443, 443, ""), ("tcp", 80, 80, "")) == ("80, 443 TCP",)
    assert said(("tcp", 0, 65535, ""), ("tcp", 443, 443, "")) == ("all TCP",)
    assert said(("any", 0, 65535, ""), ("tcp", 443, 443, "")) == ("everything",)
    assert said(("tcp", 8080, 8080, "health"), ("tcp", 8080, 8080, "management")) == (
        "8080 TCP health, management",
    )
    assert said(("tcp", 30000, 32767, "")) == ("30000-32767 TCP",)
    assert said(("icmp", 0, 65535, "")) == ("ICMP",)
    assert said() == ()
    assert str(Ports(protocol="tcp", low=80, high=80)) == "80 TCP"


RANGES = st.builds(
    lambda name, low, more: Ports(protocol=name, low=low, high=min(low + more, 65535)),
    st.sampled_from(["tcp", "udp", "any"]),
    st.integers(0, 65535),
    st.integers(0, 3000),
)


@given(st.lists(RANGES, max_size=8))
def test_merging_keeps_what_is_let_through(ranges: list[Ports]) -> None:
    kept = merged(ranges)
    for each in ranges:
        assert any(
            other.low <= each.low and each.high <= other.high and other.protocol in {each.protocol, "any"}
            for other in kept
        )
    assert set(kept) <= set(ranges)
    assert merged(reversed(ranges)) == kept


def test_widths_are_those_of_helvetica() -> None:
    assert width("Hamburgefonstiv", 1000) == 7558
    assert width("Hamburgefonstiv", 1000, bold=True) == 8223
    assert width("", 12) == 0
    assert width("漢字", 12) == 24, "what is not in the tables is as wide as its size"


@given(st.text(max_size=80), st.integers(8, 30), st.integers(20, 400), st.booleans())
def test_words_that_are_fitted_fit(text: str, size: int, room: int, bold: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    found = fitted(text, size, room, bold=bold)
    assert width(found, size, bold=bold) <= max(room, width(ELLIPSIS, size, bold=bold))
    for line in wrapped(text, size, room, bold=bold, most=3):
        assert width(line, size, bold=bold) <= max(room, width(ELLIPSIS, size, bold=bold))
    assert len(wrapped(text, size, room, bold=bold, most=3)) <= 3


def test_long_words_are_cut_at_their_joints() -> None:
    assert wrapped("amazon-cloudwatch-observability", 12, 112) == ("amazon-cloudwatch-", "observability")
    assert wrapped("a b c", 12, 100) == ("a b c",)
    assert wrapped("", 12, 100) == ()
    assert wrapped("one two three four", 12, 30, most=2)[-1].endswith(ELLIPSIS)


def test_facts_share_rows() -> None:
    assert joined(["pods 10.4.0.0/14", "services 10.8.0.0/20", "namespace aether"], 12, 230) == (
        "pods 10.4.0.0/14 · services 10.8.0.0/20",
        "namespace aether",
    )
    assert joined([], 12, 100) == ()
