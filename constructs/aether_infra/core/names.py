"""Physical names: `<cluster>-<concern>[-<qualifier>…]`, within each service's limit.

The one place where a name is made, so that a name can be found again (by Layer 2, by an operator in a
console) and two clusters in one account never collide.
"""

from __future__ import annotations

import hashlib

HASH_LENGTH = 6
"""Characters of the stable hash that ends a name which had to be cut."""


def physical_name(cluster: str, concern: str, *qualifiers: str | int, limit: int = 63) -> str:
    """Build a resource's name, cut to its service's limit.

    Args:
        cluster: the cluster's name, the first part of every name.
        concern: what the resource is for, such as `nodes` or `alb`; may be empty for the cluster itself.
        *qualifiers: what tells siblings apart, such as a node id or a zone.
        limit: the longest name that the service takes, in characters.

    Returns:
        The joined name. Where it is longer than `limit`, its head followed by six hexadecimal characters
        of the SHA-256 of the whole: the same input gives the same name on any machine.

    Raises:
        ValueError: `limit` leaves no room for a name.
    """
    if limit <= HASH_LENGTH + 1:
        raise ValueError(f"a limit of {limit} characters leaves no room for a name")
    full = "-".join(str(part) for part in (cluster, concern, *qualifiers) if str(part))
    if len(full) <= limit:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:HASH_LENGTH]
    return f"{full[: limit - HASH_LENGTH - 1].rstrip('-')}-{digest}"
