"""Draining on clouds that do not show it: when a node left the load balancer stands on the node itself.

So a second try, perhaps by another process after a crash, waits only for the rest.
"""

from __future__ import annotations

import time
from math import ceil
from typing import Final

DEREGISTERED: Final = "aether-deregistered"
"""Tag (label): second since 1970 from which on a node got no new requests."""
DRAIN_SECONDS: Final = 30.0
"""How long open requests may finish, where the settings do not say: `deregistration_delay_seconds`' own default."""
MARGIN_SECONDS: Final = 1
"""The mark is written before the node is taken out, which takes a moment."""


def mark() -> str:
    """The tag's value for a node that is about to be taken out."""
    return str(ceil(time.time()) + MARGIN_SECONDS)


def rest(since: str, seconds: float) -> float:
    """How long to go on waiting; 0 for a node that was not taken out.

    Args:
        since: the tag's value; empty or anything else for none.
        seconds: how long open requests may finish.
    """
    if not (since.isascii() and since.isdecimal()):
        return 0.0
    spent = max(0.0, time.time() - int(since))
    return max(0.0, seconds - spent)
