"""Who may come in: lists of networks, in the form that Azure takes."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from cdktf import Token

ANYWHERE = "0.0.0.0/0"


def merged(cidrs: Sequence[str]) -> list[str]:
    """The same addresses in as few networks as possible: in a rule, Azure refuses networks that overlap.

    Source: https://github.com/kubernetes-sigs/cloud-provider-azure/issues/6775 (as of 2026-11).

    Args:
        cidrs: IPv4 networks; tokens among them are left as they are, at the end.
    """
    known = [ipaddress.IPv4Network(cidr) for cidr in cidrs if not Token.is_unresolved(cidr)]
    later = [cidr for cidr in cidrs if Token.is_unresolved(cidr)]
    return [*map(str, ipaddress.collapse_addresses(known)), *later]
