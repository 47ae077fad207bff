"""Looks at instances, gathered: what many ask at the same time is asked of EC2 once.

A hundred creations, or terminations being waited for, would each ask for their own instance; EC2 counts calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from attrs import define, field

from aether_infra.runtime.model import NodeInstance

MOST: Final = 200
"""Most values of one filter:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html (as of 2026-11)."""

Ask = Callable[[Sequence[str]], Awaitable[Mapping[str, list[NodeInstance]]]]


@define
class Lookup:
    """Gathers keys while a look is under way, and asks for all of them with the next."""

    ask: Ask
    """Asks for some keys at once: what each of them finds."""
    _waiting: dict[str, asyncio.Future[list[NodeInstance]]] = field(factory=dict, init=False)
    _running: asyncio.Task[None] | None = field(default=None, init=False)

    async def __call__(self, key: str) -> list[NodeInstance]:
        """What one key finds, by a look that begins after this call.

        Args:
            key: an id, or a tag's value.

        Raises:
            CloudError: that of the look.
        """
        if key not in self._waiting:
            self._waiting[key] = asyncio.get_running_loop().create_future()
        answer = self._waiting[key]
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        # whoever else waits for the same key must not lose it when this one is cancelled
        return await asyncio.shield(answer)

    async def _run(self) -> None:
        await asyncio.sleep(0)  # lets everybody ask who is about to
        while self._waiting:
            keys = list(self._waiting)[:MOST]
            answers = {key: self._waiting.pop(key) for key in keys}
            try:
                found = await self.ask(keys)
            except BaseException as error:
                _fail(answers.values(), error)
                if not isinstance(error, Exception):
                    _fail(self._waiting.values(), error)
                    self._waiting.clear()
                    raise
            else:
                for key, answer in answers.items():
                    if not answer.done():
                        answer.set_result(found.get(key, []))

    async def close(self) -> None:
        """Give up what is under way."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)


def _fail(answers: Iterable[asyncio.Future[list[NodeInstance]]], error: BaseException) -> None:
    for answer in answers:
        if answer.done():
            continue
        if isinstance(error, Exception):
            answer.set_exception(error)
            answer.exception()  # nobody may be left to ask for it
        else:
            answer.cancel()
