"""Leads connections to private addresses to the test's nodes; Python loads this by its name. See aether_nodes.py."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from typing import Any

PRIVATE = ipaddress.ip_network("10.0.0.0/8")
connect = asyncio.BaseEventLoop.create_connection


async def create_connection(
    self: asyncio.BaseEventLoop, factory: Any, host: Any = None, port: Any = None, **given: Any
) -> Any:
    """Connect, to the nodes' port instead of an address that is theirs."""
    try:
        is_node = host is not None and ipaddress.ip_address(host) in PRIVATE
    except ValueError:
        is_node = False
    if is_node:
        host, port = "127.0.0.1", int(os.environ["NODES_PORT"])
    return await connect(self, factory, host, port, **given)


asyncio.BaseEventLoop.create_connection = create_connection  # type: ignore[assignment,method-assign]
