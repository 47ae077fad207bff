"""Leaves garbage lying about: synthesis is short, and collecting costs it a quarter of its time and frees nothing.

This module imports little, so that it can be at work before anything else is imported.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile, nor for what there is then when the process ends, which would cost the most.

    `AETHER_STOCK_BINDINGS=1` asks for everything as it is without us, so for Python's own way too.
    """
    if os.environ.get("AETHER_STOCK_BINDINGS", "") not in {"", "0"} or not gc.isenabled():
        yield
        return
    gc.disable()
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.enable()
