"""What the runtime manager may do on each cloud: Layer 1 makes the policy from it, tests hold it against the calls.

A manager that makes another call adds its right here; the conformance suite fails where the two differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RIGHTS: Final[Mapping[tuple[str, str], frozenset[str]]] = {}
"""Rights by provider and kind of compute, in the cloud's own words."""
