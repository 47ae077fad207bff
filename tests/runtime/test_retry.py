"""Waiting between tries."""

from __future__ import annotations

import asyncio

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.runtime.cooloff import CoolOff
from aether_infra.runtime.errors import CapacityUnavailable, CloudUnavailable, Denied, Throttled
from aether_infra.runtime.retry import Patience


@define
class StoppedClock:
    """Goes on only when somebody sleeps."""

    time: float = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def attempts(errors: list[Exception | None], patience: Patience) -> int:
    """How often a call is tried that fails with these errors, one after the other; raises the last."""
    tried = 0

    async def call() -> None:
        nonlocal tried
        error = errors[min(tried, len(errors) - 1)]
        tried += 1
        if error:
            raise error

    asyncio.run(patience.retry(call))
    return tried


def test_what_passes_is_tried_again_and_what_does_not_is_not() -> None:
    patience = Patience(clock=StoppedClock())
    assert attempts([Throttled("x"), CloudUnavailable("x"), None], patience) == 3
    for error in (Denied("x"), CapacityUnavailable("x")):
        clock = StoppedClock()
        with pytest.raises(type(error)):
            attempts([error, None], Patience(clock=clock))
        assert clock.time == 0


def test_tries_and_time_are_bounded() -> None:
    clock = StoppedClock()
    with pytest.raises(CloudUnavailable):
        attempts([CloudUnavailable("x")], Patience(clock=clock, tries=4, chance=lambda: 1.0))
    assert clock.time == 0.5 + 1 + 2
    clock = StoppedClock()
    with pytest.raises(Throttled):
        attempts([Throttled("x", retry_after_seconds=500)], Patience(clock=clock, budget_seconds=120))
    assert clock.time == 0, "a wait past the budget is not begun"


def test_retry_after_is_honoured_even_past_the_longest_wait() -> None:
    clock = StoppedClock()
    patience = Patience(clock=clock, longest_seconds=5, chance=lambda: 0.0)
    assert attempts([Throttled("x", retry_after_seconds=30), None], patience) == 2
    assert clock.time == 30


@given(attempt=st.integers(1, 50), chance=st.floats(0, 1))
def test_a_wait_is_never_negative_and_never_past_its_bound(attempt: int, chance: float) -> None:
    wait = Patience(chance=lambda: chance).delay(attempt)
    assert 0 <= wait <= min(20, 0.5 * 2 ** (attempt - 1))


def test_waiting_for_something_ends() -> None:
    clock = StoppedClock()
    patience = Patience(clock=clock, poll_seconds=3, wait_seconds=10)

    async def never() -> bool:
        return False

    with pytest.raises(CloudUnavailable, match="waited 10 s for i-1 to be gone, in vain"):
        asyncio.run(patience.until(never, "i-1 to be gone"))
    assert 10 <= clock.time <= 13


def test_a_zone_without_stock_is_left_alone_for_a_while() -> None:
    clock = StoppedClock()
    cool = CoolOff(clock=clock, seconds=180)
    cool.note("a", "large")
    assert cool.order(["a", "b"], "large") == ["b"]
    assert cool.order(["a", "b"], "small") == ["a", "b"]
    assert cool.remaining(["a"], "large") == 180
    assert cool.remaining(["a", "b"], "large") == 0
    clock.time = 180
    assert cool.order(["a", "b"], "large") == ["a", "b"]
