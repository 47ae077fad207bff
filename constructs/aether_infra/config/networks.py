"""Rules over address ranges that several clouds share."""

import ipaddress
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final

from aether_infra.config.words import show
from aether_infra.errors import Problem

PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Ranges that are nobody's on the internet. Sources: RFC 1918, RFC 6598."""


def overlaps(ranges: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each pair of ranges that overlap.

    Args:
        ranges: IPv4 ranges by the dotted path of their key.
    """
    for (first, one), (second, other) in combinations(ranges.items(), 2):
        if ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other)):
            yield Problem(
                path=second,
                message=f"overlaps {first}: {show(other)} and {show(one)} share addresses",
                hint="give each a range of its own",
            )


def is_private(network: str) -> bool:
    """Whether an IPv4 range lies in the private ones."""
    inner = ipaddress.IPv4Network(network)
    return any(inner.subnet_of(ipaddress.IPv4Network(outer)) for outer in PRIVATE)


def addresses(network: str) -> int:
    """Number of addresses of a range."""
    return ipaddress.ip_network(network).num_addresses
