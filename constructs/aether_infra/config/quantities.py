"""Amounts as the node's file writes them: Kubernetes quantities, and a heap as the JVM reads it."""

import re
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, Decimal
from typing import Final

from attrs import frozen

from aether_infra.config.checks import Fault, matches
from aether_infra.config.words import show

MIB: Final = 2**20
UNITS: Final = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
"""Bytes per unit. Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
(as of 2026-11); `P` and `E` are left out: no node has as much."""

CPU_FORM: Final = r"\d{1,6}m|\d{1,3}(?:\.\d{1,3})?"
MEMORY_FORM: Final = r"(\d{1,15}(?:\.\d{1,3})?)(k|M|G|T|Ki|Mi|Gi|Ti)?"


def millicores(quantity: str) -> int:
    """A CPU quantity in thousandths of a processor, rounded up."""
    if quantity.endswith("m"):
        return int(quantity[:-1])
    return int((Decimal(quantity) * 1000).to_integral_value(ROUND_CEILING))


def memory_mib(quantity: str) -> int:
    """A memory quantity in MiB, rounded up."""
    number, unit = re.fullmatch(MEMORY_FORM, quantity).groups()  # type: ignore[union-attr] # checked on loading
    return int((Decimal(number) * UNITS[unit or ""] / MIB).to_integral_value(ROUND_CEILING))


def heap_mib(heap: str) -> int:
    """A heap such as `512m` or `2g` in MiB."""
    return int(heap[:-1]) * (1024 if heap[-1] in "gG" else 1)


@frozen
class AtLeast:
    """An amount of the right form that is not too small to be meant."""

    form: str
    """Regular expression of the whole text."""
    words: str
    """The form in words, after "must be"."""
    amount: Callable[[str], int]
    """The amount that a text of this form means."""
    low: int
    """The least amount."""
    unit: str
    """The amount's unit, as the text would write it."""

    def __call__(self, value: str) -> Iterator[Fault]:
        """Yield a fault if `value` has another form, or is too small."""
        if not matches(self.form, value):
            yield Fault(f"must be {self.words}, got {show(value)}")
        elif self.amount(value) < self.low:
            yield Fault(f"must be at least {self.low}{self.unit}, got {show(value)}")


CPU: Final = AtLeast(CPU_FORM, 'a number of processors such as "500m" or "2"', millicores, 100, "m")
"""A tenth of a processor is the least a JVM starts with in any sensible time."""
MEMORY: Final = AtLeast(MEMORY_FORM, 'an amount of memory such as "512Mi" or "2Gi"', memory_mib, 128, "Mi")
"""Less than 128 MiB holds no JVM."""
HEAP: Final = AtLeast(
    r"\d{1,7}[mMgG]", 'digits followed by m or g, such as "512m" or "2g"', heap_mib, 64, "m"
)
"""The node's own form, `^\\d+[mMgG]$`; less than 64 MiB starts no node."""
