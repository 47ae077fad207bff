"""Who may do what: keys in `X-API-Key`, with the three roles of Aether's own management API.

VIEWER reads; OPERATOR also changes elastic nodes, targets and the number of nodes; ADMIN also core nodes, DNS and
garbage, and reads the audit log. Without any key everybody is ADMIN: that is only possible on loopback.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from attrs import field, frozen

from aether_infra.config.words import nearest, show
from aether_infra.errors import Problem

HEADER: Final = "X-API-Key"
"""Header of the key, as Aether has it."""
LEAST_LENGTH: Final = 16
"""Fewest characters of a key: shorter ones can be guessed."""


class Role(IntEnum):
    """What a key's owner may do; each may do what those below may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


@frozen(kw_only=True)
class Principal:
    """Who calls."""

    name: str
    """Name of the key, for the audit log."""
    role: Role


NOBODY_IN_PARTICULAR: Final = Principal(name="local", role=Role.ADMIN)
"""Who calls where there are no keys."""


@frozen
class Keyring:
    """The keys that are known, by their digests: a key itself is kept nowhere."""

    _keys: tuple[tuple[bytes, Principal], ...] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def find(self, key: str) -> Principal | None:
        """Whose key that is; None for nobody's.

        Compares with every key in constant time, so that how long it takes says nothing.
        """
        digest = _digest(key)
        found = None
        for known, principal in self._keys:
            if hmac.compare_digest(known, digest):
                found = principal
        return found


def parse_keys(text: str) -> tuple[Keyring, list[Problem]]:
    """Read keys in the form that Aether's `AETHER_API_KEYS` has: `key:name:role1,role2:AUTHROLE;…`.

    The third part is the node's own business; the fourth is VIEWER, OPERATOR or ADMIN. Name and roles may be left out:
    a key alone is an ADMIN's, as on a node.

    Args:
        text: the keys.

    Returns:
        The keys, and what is wrong with the text. No message repeats a key.
    """
    keys: list[tuple[bytes, Principal]] = []
    problems: list[Problem] = []
    entries = [entry.strip() for entry in text.split(";") if entry.strip()]
    for index, entry in enumerate(entries, 1):
        path = f"AETHER_API_KEYS[{index}]"
        parts = [part.strip() for part in entry.split(":")]
        key, name, role = (
            parts[0],
            (parts[1] if len(parts) > 1 else ""),
            (parts[3] if len(parts) > _ROLE else "ADMIN"),
        )
        problems += [
            Problem(path=path, message=message, hint=hint) for message, hint in _faults(parts, key, role)
        ]
        if role in Role.__members__:
            keys.append((_digest(key), Principal(name=name or f"key-{index}", role=Role[role])))
    digests = [digest for digest, _ in keys]
    if len(set(digests)) < len(digests):
        problems.append(Problem(path="AETHER_API_KEYS", message="has the same key twice"))
    return Keyring(tuple(keys)), problems


_ROLE: Final = 3
"""Position of the authorization role in an entry."""


def _faults(parts: list[str], key: str, role: str) -> Iterator[tuple[str, str]]:
    if len(parts) > _ROLE + 1:
        yield f"has {len(parts)} parts, separated by ':'; at most 4 are allowed", "key:name:roles:AUTHROLE"
    if len(key) < LEAST_LENGTH:
        yield (
            f"has a key of {len(key)} characters; at least {LEAST_LENGTH} are allowed",
            "openssl rand -hex 32",
        )
    if not key.isascii() or not key.isprintable():
        yield "has a key with characters that a header cannot carry", ""
    if role not in Role.__members__:
        yield (
            f"must have one of {', '.join(Role.__members__)} as its role, got {show(role)}",
            nearest(role, list(Role.__members__)),
        )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
