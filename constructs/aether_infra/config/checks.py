"""What the value of one key must look like, as data beside the field.

A check is put into a field's metadata with `check(...)`; `shape.py` runs it when the value has the right
type. Rules that need two keys are in `rules.py`.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from attrs import field, frozen

from aether_infra.config.words import listing, nearest, show

CHECKS: Final = "aether_infra.checks"
"""Key of a field's metadata: its tuple of checks."""
EXAMPLE: Final = "aether_infra.example"
"""Key of a required field's metadata: a valid value, for documentation and for going on after an error."""
TOML_KEY: Final = "aether_infra.toml_key"
"""Key of a field's metadata: its name in the file, where that is no Python name."""


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches a whole text; its classes mean ASCII characters only, as cloud APIs do."""
    return re.fullmatch(pattern, text, re.ASCII) is not None


@frozen
class Fault:
    """What a check found wrong."""

    message: str
    """The value found and what is allowed."""
    hint: str = ""
    """How to mend it."""
    inside: tuple[str | int, ...] = ()
    """Where inside the value: keys and list positions; empty for the value itself."""


class Check(Protocol):
    """A test of one value; yields nothing if the value is good."""

    def __call__(self, value: Any) -> Iterator[Fault]:
        """Yield what is wrong with `value`."""
        ...


def check(*checks: Check, example: object = None) -> Mapping[str, Any]:
    """Metadata of a field: its checks, and an example if the field is required."""
    return {CHECKS: checks, EXAMPLE: example}


def required(*checks: Check, example: object) -> Any:
    """A field without a default: only the operator can know it.

    Args:
        checks: what the value must look like.
        example: a valid value, for documentation.
    """
    return field(metadata=check(*checks, example=example))


@frozen
class Between:
    """A whole number within bounds, both included."""

    low: int
    high: int
    unit: str = ""

    def __call__(self, value: int) -> Iterator[Fault]:
        """Yield a fault if `value` is out of bounds."""
        if not self.low <= value <= self.high:
            unit = f" {self.unit}" if self.unit else ""
            yield Fault(f"must be between {self.low} and {self.high}{unit}, got {show(value)}")


@frozen
class OneOf:
    """One of a few values."""

    values: Sequence[int] | Sequence[str]
    why: str = ""

    def __call__(self, value: int | str) -> Iterator[Fault]:
        """Yield a fault if `value` is none of `values`."""
        if value not in self.values:
            yield Fault(
                f"must be one of {listing(self.values)}, got {show(value)}",
                nearest(value, self.values) or self.why,
            )


@frozen
class Matches:
    """Text of a form that a regular expression tells."""

    pattern: str
    """Has to match the whole value."""
    form: str
    """The form in words, after "must be"."""
    hint: str = ""
    known: Sequence[str] = ()
    """Good values, of which the one next to a bad value makes a better hint."""

    def __call__(self, value: str) -> Iterator[Fault]:
        """Yield a fault if `value` does not match."""
        if not matches(self.pattern, value):
            near = nearest(value, self.known) if self.known else ""
            yield Fault(f"must be {self.form}, got {show(value)}", near or self.hint)


IMAGE: Final = Matches(
    r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?::\d{1,5})?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    'an image reference such as "ghcr.io/siy/aether-node:1.2.3" or "…@sha256:<64 hex digits>"',
)
"""An image of containers."""


@frozen
class Network:
    """An IP network in CIDR notation, without host bits."""

    widest: int = 0
    """Smallest prefix length allowed (IPv4)."""
    narrowest: int = 32
    """Largest prefix length allowed (IPv4)."""
    ipv6: bool = False
    """Whether IPv6 is allowed too, with any prefix."""

    def __call__(self, value: str) -> Iterator[Fault]:
        """Yield a fault if `value` is no network or its size is not allowed."""
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            example = "10.0.0.0/16" if self.narrowest < 32 else "203.0.113.0/24"  # noqa: PLR2004 - one address
            yield Fault(f"must be a network in CIDR notation such as {example}, got {show(value)}")
            return
        if "/" not in value:
            yield Fault(f"must have a prefix length, got {show(value)}", f'for one address write "{network}"')
        elif "." in value.partition("/")[2]:
            yield Fault(
                f"must have a prefix length, not a mask, got {show(value)}", f'did you mean "{network}"?'
            )
        elif value != str(network):
            yield from self._not_canonical(value, str(network))
        elif network.version == 6:  # noqa: PLR2004 - the protocol's number
            if not self.ipv6:
                yield Fault(f"must be an IPv4 network, got {show(value)}")
        elif not self.widest <= network.prefixlen <= self.narrowest:
            yield Fault(
                f"must be between /{self.widest} and /{self.narrowest}, got {show(value)}",
                f"/{self.widest} is the largest, /{self.narrowest} the smallest network that works here",
            )

    @staticmethod
    def _not_canonical(value: str, network: str) -> Iterator[Fault]:
        address = ipaddress.ip_interface(value)
        if address.ip != address.network.network_address:
            yield Fault(
                f"has bits set to the right of the prefix, got {show(value)}", f'did you mean "{network}"?'
            )
        else:
            yield Fault(f"must be written in the usual form, got {show(value)}", f'did you mean "{network}"?')


@frozen
class Each:
    """Every item of a list, or every value of a table, passes a check."""

    check: Check

    def __call__(self, value: Sequence[Any] | Mapping[str, Any]) -> Iterator[Fault]:
        """Yield the faults of every item, with its place."""
        places = value.items() if isinstance(value, Mapping) else enumerate(value)
        for place, item in places:
            for fault in self.check(item):
                yield Fault(fault.message, fault.hint, (place, *fault.inside))


@frozen
class Distinct:
    """No item of a list twice."""

    def __call__(self, value: Sequence[Any]) -> Iterator[Fault]:
        """Yield a fault at each item that was there before."""
        for index, item in enumerate(value):
            if item in value[:index]:
                yield Fault(f"is there twice: {show(item)}", "remove one of them", (index,))


@frozen
class Length:
    """A number of characters or items within bounds."""

    low: int
    high: int
    unit: str = "characters"

    def __call__(self, value: Sequence[Any]) -> Iterator[Fault]:
        """Yield a fault if `value` is too short or too long."""
        if not self.low <= len(value) <= self.high:
            yield Fault(f"must have between {self.low} and {self.high} {self.unit}, got {len(value)}")


@frozen
class Zones:
    """A number of zones, which the rules judge, or a list of distinct names of a form."""

    pattern: str
    """Has to match each whole name."""
    form: str
    """The form in words, after "must be"."""
    least: int = 1
    most: int = 8
    why: str = ""
    """Why at least so many."""

    def __call__(self, value: int | tuple[str, ...]) -> Iterator[Fault]:
        """Yield the faults of a list."""
        if isinstance(value, int):
            return
        if not self.least <= len(value) <= self.most:
            yield Fault(f"must list between {self.least} and {self.most} zones, got {len(value)}", self.why)
        yield from Each(Matches(self.pattern, self.form))(value)
        yield from Distinct()(value)


def items(*checks: Check) -> Mapping[str, Any]:
    """Metadata of a list: distinct items that each pass every check."""
    return check(*(Each(one) for one in checks), Distinct())
