"""Server-sent events: what happens to operations, as it happens.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (as of 2026-11). An event's id is its sequence,
so whoever was cut off sends it as `Last-Event-ID` and misses nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from aether_infra.api.schema import Operation, StepRecord
from aether_infra.runtime.operations import StepRecord as Line
from aether_infra.runtime.service import Service

KEEP_ALIVE_SECONDS: Final = 15.0
"""A comment is sent after so long without an event, so that nobody between takes the line for dead."""

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether anybody still listens, and whether the service ends."""


async def of_operation(
    service: Service, operation_id: str, after: int, gone: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    """The events of one operation, until it is over.

    Args:
        service: the service.
        operation_id: the operation; it exists.
        after: sequence of the last event that is known.
        gone: whether the client has gone, or the service ends.
    """
    while not await gone():
        operation = await service.engine.operation(operation_id)
        lines = await service.engine.history(operation_id, after)
        for line in lines:
            yield _event(line)
            after = line.sequence
        if operation.over:
            yield f"event: over\ndata: {Operation.of(operation).model_dump_json()}\n\n"
            return
        if not await _news(service, after, gone):
            yield ": still there\n\n"


async def of_all(service: Service, after: int, gone: Callable[[], Awaitable[bool]]) -> AsyncIterator[str]:
    """The events of all operations, without an end.

    Args:
        service: the service.
        after: sequence of the last event that is known.
        gone: whether the client has gone, or the service ends.
    """
    yield f": {json.dumps({'after': after})}\n\n"
    while not await gone():
        lines = await service.engine.happenings(after)
        for line in lines:
            yield _event(line)
            after = line.sequence
        if not lines and not await _news(service, after, gone):
            yield ": still there\n\n"


async def _news(service: Service, after: int, gone: Callable[[], Awaitable[bool]]) -> bool:
    """Wait for what comes after an event, or until a sign of life is due, or nobody listens any more."""
    waited = 0.0
    while waited < KEEP_ALIVE_SECONDS and not await gone():
        if await service.engine.wait_for_news(after, LOOK_SECONDS):
            return True
        waited += LOOK_SECONDS
    return False


def _event(line: Line) -> str:
    record = StepRecord.of(line)
    return f"id: {record.sequence}\nevent: {record.happening}\ndata: {record.model_dump_json()}\n\n"
