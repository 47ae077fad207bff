"""Waiting between tries: exponential with full jitter, bounded in tries and in time, and honouring Retry-After.

Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (as of 2026-11).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from attrs import field, frozen

from aether_infra.runtime.errors import Advice, CloudError, CloudUnavailable

T = TypeVar("T")


class Clock(Protocol):
    """What time it is, and how to wait; tests bring one that does not wait."""

    def now(self) -> float:
        """Seconds since some fixed moment, never going back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@frozen(kw_only=True)
class Patience:
    """How long, and how often, something is tried and waited for."""

    tries: int = 6
    """Most tries of one call, the first included; default 6."""
    base_seconds: float = 0.5
    """Bound of the first wait; it doubles with each try. Default 0.5 s."""
    longest_seconds: float = 20
    """Bound of any wait of our own, in seconds; default 20. A Retry-After may be longer."""
    budget_seconds: float = 120
    """A call that would have to wait past this much in all fails at once; default 120."""
    poll_seconds: float = 3
    """Between two looks at something that is on its way; default 3."""
    wait_seconds: float = 600
    """How long something may be on its way, such as a termination; default 600."""
    answer_seconds: float = 30
    """How long one answer may take before the call counts as failed; managers hand it to their SDK. Default 30."""
    clock: Clock = field(factory=SystemClock)
    """Where time comes from."""
    chance: Callable[[], float] = random.random
    """Gives numbers from 0 to 1."""

    def delay(self, attempt: int) -> float:
        """How long to wait after the try of that number (from 1): anything from 0 to the bound."""
        bound = min(self.longest_seconds, self.base_seconds * 2.0 ** (attempt - 1))
        return bound * self.chance()

    async def retry(self, call: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, fails for good, or patience ends.

        Args:
            call: what to try; raises CloudError.

        Raises:
            CloudError: the last one.
        """
        started, attempt = self.clock.now(), 0
        while True:
            attempt += 1
            try:
                return await call()
            except CloudError as error:
                wait = self.delay(attempt)
                if error.retry_after_seconds is not None:
                    wait = max(wait, error.retry_after_seconds)
                spent = self.clock.now() - started
                if (
                    error.advice is not Advice.RETRY
                    or attempt >= self.tries
                    or spent + wait > self.budget_seconds
                ):
                    raise
                await self.clock.sleep(wait)

    async def until(self, done: Callable[[], Awaitable[bool]], what: str) -> None:
        """Look again and again until something is so.

        Args:
            done: whether it is.
            what: what is waited for, for the error's message, such as `i-0abc to be terminated`.

        Raises:
            CloudUnavailable: it is not after `wait_seconds`.
        """
        started = self.clock.now()
        while not await done():
            if self.clock.now() - started >= self.wait_seconds:
                raise CloudUnavailable(
                    f"waited {self.wait_seconds:.0f} s for {what}, in vain", code="Timeout"
                )
            await self.clock.sleep(self.poll_seconds)
