"""One way to call an SDK: in a thread, with its errors turned into ours, tried again where that is worth it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from aether_infra.runtime.errors import CloudError
from aether_infra.runtime.retry import Patience

T = TypeVar("T")


@frozen(kw_only=True)
class Calls:
    """Calls of one SDK, whose functions block."""

    translate: Callable[[Exception, str], CloudError | None]
    """An SDK's error, and what was being done, as one of ours; None for what is none of its errors, such as a fault in
    our own code."""
    patience: Patience
    """How often and how long."""

    async def __call__(self, doing: str, call: Callable[[], T], *, again: bool = True) -> T:
        """Call, and try again where the error's advice is to.

        Args:
            doing: what is being done, for messages, such as `listing instances`.
            call: the SDK's function with its arguments bound; it must be safe to repeat, unless `again` is off.
            again: whether to try again. Off for what must not be done twice and has no idempotency token.

        Raises:
            CloudError: the last error.
        """

        async def once() -> T:
            try:
                return await asyncio.to_thread(call)
            except Exception as error:
                ours = self.translate(error, doing)
                if ours is None:
                    raise
                raise ours from error

        return await self.patience.retry(once) if again else await once()
