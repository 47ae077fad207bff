"""What the value of one key must look like."""

from __future__ import annotations

import pytest

from aether_infra.config.aws_forms import Arn, ResourceId
from aether_infra.config.checks import Check, Network
from aether_infra.config.quantities import CPU, HEAP, MEMORY
from aether_infra.config.words import dotted, nearest, quote, show


def messages(check: Check, value: object) -> list[str]:
    return [f"{fault.message} | {fault.hint}" for fault in check(value)]


@pytest.mark.parametrize("network", ["10.0.0.0/16", "0.0.0.0/0", "203.0.113.7/32", "192.168.0.0/24"])
def test_networks(network: str) -> None:
    assert messages(Network(), network) == []


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (
            "10.0.0.1/16",
            'has bits set to the right of the prefix, got "10.0.0.1/16" | did you mean "10.0.0.0/16"?',
        ),
        ("10.0.0.0", 'must have a prefix length, got "10.0.0.0" | for one address write "10.0.0.0/32"'),
        (
            "10.0.0.0/255.0.0.0",
            'must have a prefix length, not a mask, got "10.0.0.0/255.0.0.0" | did you mean',
        ),
        (
            "10.0.0.0/016",
            'must be written in the usual form, got "10.0.0.0/016" | did you mean "10.0.0.0/16"?',
        ),
        ("10.0/16", "must be a network in CIDR notation"),
        ("10.0.0.0/33", "must be a network in CIDR notation"),
        ("", "must be a network in CIDR notation"),
        ("2001:db8::/32", "must be an IPv4 network"),
        ("2001:DB8::/32", "must be written in the usual form"),
    ],
)
def test_what_is_no_network(network: str, words: str) -> None:
    (message,) = messages(Network(), network)
    assert message.startswith(words)


def test_network_bounds() -> None:
    assert messages(Network(widest=16, narrowest=23), "10.0.0.0/16") == []
    assert messages(Network(widest=16, narrowest=23), "10.0.0.0/23") == []
    assert messages(Network(widest=16, narrowest=23), "10.0.0.0/15")
    assert messages(Network(widest=16, narrowest=23), "10.0.0.0/24")
    assert messages(Network(ipv6=True), "2001:db8::/32") == []


@pytest.mark.parametrize(
    ("service", "arn"),
    [
        ("acm", "arn:aws:acm:us-west-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"),
        ("acm", "arn:aws-cn:acm:cn-north-1:123456789012:certificate/abc"),
        ("sns", "arn:aws:sns:us-west-2:123456789012:alarms"),
        ("kms", "arn:aws:kms:us-west-2:123456789012:key/12345678-1234-1234-1234-123456789012"),
        ("kms", "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"),
        (
            "wafv2",
            "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/aether/12345678-1234-1234-1234-12345678",
        ),
        ("iam", "arn:aws:iam::123456789012:policy/path/boundary"),
        ("iam", "arn:aws:iam::aws:policy/PowerUserAccess"),
    ],
)
def test_arns(service: str, arn: str) -> None:
    assert messages(Arn(service), arn) == []


@pytest.mark.parametrize(
    ("service", "arn", "words"),
    [
        ("acm", "my-certificate", 'got "my-certificate"'),
        ("acm", "arn:aws:acm", 'got "arn:aws:acm"'),
        (
            "acm",
            "arn:oracle:acm:us-west-2:123456789012:certificate/x",
            "must be the ARN of an ACM certificate",
        ),
        ("acm", "arn:aws:iam::123456789012:server-certificate/x", 'got one of the service "iam"'),
        ("acm", "arn:aws:acm::123456789012:certificate/x", "got one without a region"),
        ("acm", "arn:aws:acm:us-west-2:1234:certificate/x", 'whose account has 12 digits, got "1234"'),
        ("acm", "arn:aws:acm:us-west-2:١٢٣٤٥٦٧٨٩٠١٢:certificate/x", "whose account has 12 digits"),
        ("iam", "arn:aws:iam:us-west-2:123456789012:policy/x", 'got one with the region "us-west-2"'),
        ("iam", "arn:aws:iam::123456789012:role/x", 'got the resource "role/x"'),
        ("wafv2", "arn:aws:wafv2:us-west-2:123456789012:global/webacl/a/b", "a regional WAF web ACL"),
    ],
)
def test_what_is_no_such_arn(service: str, arn: str, words: str) -> None:
    (message,) = messages(Arn(service), arn)
    assert words in message


@pytest.mark.parametrize("name", ["vpc-0123456789abcdef0", "vpc-01234567"])
def test_resource_ids(name: str) -> None:
    assert messages(ResourceId("vpc"), name) == []
    assert messages(ResourceId("subnet"), name)
    assert messages(ResourceId("vpc"), name.upper())


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (
            CPU,
            ["500m", "2", "0.5", "1.25", "64"],
            ["", "2 ", "two", "-1", "0", "50m", "1e3", "2cpu", "1.0000"],
        ),
        (
            MEMORY,
            ["512Mi", "2Gi", "1.5Gi", "1G", "268435456"],
            ["", "2GB", "2gi", "64Mi", "1", "-1Gi", "1 Gi"],
        ),
        (HEAP, ["512m", "2g", "1G", "64M"], ["", "512", "512k", "1.5g", "2GB", "-1g", "0m", "32m", "٥١٢m"]),  # noqa: RUF001
    ],
)
def test_amounts(check: Check, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if messages(check, value)] == []
    assert [value for value in bad if not messages(check, value)] == []


def test_words() -> None:
    assert quote('a "b" \\ \n \x00 é') == '"a \\"b\\" \\\\ \\n \\x00 é"'
    assert show("x" * 100) == '"' + "x" * 79 + '…"'
    assert show(10**100) == "a very large number"
    assert show({}) == "a table"
    assert show([1]) == "a list"
    assert dotted(("cloud", "tags", "a.b", 1)) == 'cloud.tags."a.b"[1]'
    assert nearest("vpc_cdr", ["vpc_cidr", "nat"]) == 'did you mean "vpc_cidr"?'
    assert nearest("NAT", ["vpc_cidr", "nat"]) == 'did you mean "nat"?'
    assert nearest("amd64", ["arm64", "x86_64"]) == 'did you mean "x86_64"?'
    assert nearest("zzz", ["vpc_cidr", "nat"]) == ""
    assert nearest(7, ["vpc_cidr"]) == ""
