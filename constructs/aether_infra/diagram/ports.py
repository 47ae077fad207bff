"""Ports and protocols of a rule, and how they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen

LAST: Final = 65_535
ANY: Final = "any"
"""Every protocol."""
NUMBERS: Final[Mapping[str, str]] = {"-1": ANY, "all": ANY, "*": ANY, "1": "icmp", "6": "tcp", "17": "udp"}
"""Other ways of writing a protocol. Source: https://www.iana.org/assignments/protocol-numbers"""


@frozen(kw_only=True, order=True)
class Ports:
    """A range of ports of one protocol."""

    protocol: str
    """`tcp`, `udp`, `icmp`, or `any`."""
    low: int = 0
    high: int = LAST

    @property
    def all(self) -> bool:
        """Whether it is every port, or a protocol without ports."""
        return self.low <= 1 and self.high >= LAST

    def holds(self, port: int) -> bool:
        """Whether a port is in it."""
        return self.low <= port <= self.high

    @property
    def span(self) -> str:
        """The ports alone, such as `8090` or `1000-2000`; empty for all."""
        if self.all:
            return ""
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    def __str__(self) -> str:
        return _line([self.span], (self.protocol,))


def ports(protocol: Any, low: Any = None, high: Any = None) -> Ports:
    """Read a protocol and a range as the clouds write them.

    Args:
        protocol: a name or a number; -1, `all` or `*` for every one.
        low: first port; None for all.
        high: last port; None for the first.
    """
    name = NUMBERS.get(str(protocol).lower(), str(protocol).lower())
    if name == "icmp" or low is None:
        return Ports(protocol=name)
    first = int(low)
    last = first if high is None else int(high)
    return Ports(protocol=name, low=first, high=last)


def spans(protocol: Any, text: Any) -> Ports:
    """Read a range that is one text, such as `443`, `1-65535` or `*`."""
    span = "" if text is None else str(text)
    if span in {"", "*", "0", "all"}:
        return ports(protocol)
    low, _, high = span.partition("-")
    return ports(protocol, low, high or low)


def merged(ranges: Iterable[Ports]) -> tuple[Ports, ...]:
    """Sort ranges, and leave out those that another one holds."""
    unique = sorted(set(ranges), key=lambda each: (each.low, each.high, each.protocol))
    return tuple(each for each in unique if not any(_within(each, other) for other in unique))


def _within(inner: Ports, outer: Ports) -> bool:
    return (
        inner != outer
        and outer.protocol in {inner.protocol, ANY}
        and outer.low <= inner.low
        and inner.high <= outer.high
    )


def words(ranges: Iterable[tuple[Ports, str]]) -> tuple[str, ...]:
    """Ports as lines of text: one for each role, and one for each protocol of what has none.

    Args:
        ranges: what is let through, each with what it is for, such as `application`; empty for nothing in particular.
    """
    roles: dict[Ports, list[str]] = {}
    for each, role in ranges:
        roles.setdefault(each, []).append(role)
    by_role: dict[str, list[Ports]] = {}
    for each in merged(roles):
        role = ", ".join(dict.fromkeys(name for name in sorted(roles[each]) if name))
        by_role.setdefault(role, []).append(each)
    return tuple(f"{line} {role}".rstrip() for role, group in by_role.items() for line in _by_protocol(group))


def _by_protocol(group: Iterable[Ports]) -> list[str]:
    """`8090 TCP, UDP` where both protocols have the same ports, `443, 10250 TCP` where ports differ."""
    protocols: dict[str, list[str]] = {}
    for each in group:
        found = protocols.setdefault(each.span, [])
        if each.protocol not in found:
            found.append(each.protocol)
    lines: dict[tuple[str, ...], list[str]] = {}
    for span, names in protocols.items():
        lines.setdefault(tuple(names), []).append(span)
    return [_line(spans_, names) for names, spans_ in lines.items()]


def _line(spans_: list[str], names: tuple[str, ...]) -> str:
    if ANY in names:
        return "everything" if "" in spans_ else f"{', '.join(spans_)} any protocol"
    protocol = ", ".join(name.upper() for name in names)
    if "" in spans_:
        return protocol if names == ("icmp",) else f"all {protocol}"
    return f"{', '.join(spans_)} {protocol}"
