"""Sums over address ranges."""

from __future__ import annotations

import ipaddress


def carve(cidr: str, new_bits: int, slot: int) -> str:
    """Give the `slot`-th subnet of a range, as Terraform's `cidrsubnet` does.

    Args:
        cidr: the range, such as `10.0.0.0/16`.
        new_bits: bits added to the prefix: `2 ** new_bits` slots exist.
        slot: which one, from 0.

    Returns:
        The subnet, such as `10.0.16.0/20`.

    Raises:
        ValueError: the range is malformed, or has no such slot.
    """
    network = ipaddress.ip_network(cidr)
    if not 0 <= slot < 2**new_bits:
        raise ValueError(f"slot {slot} is outside 0..{2**new_bits - 1}")
    prefix = network.prefixlen + new_bits
    if prefix > network.max_prefixlen:
        raise ValueError(f"{cidr} cannot be divided by {new_bits} more bits")
    size = 2 ** (network.max_prefixlen - prefix)
    return str(type(network)((int(network.network_address) + slot * size, prefix)))
