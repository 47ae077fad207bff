"""Draining on clouds that do not show it."""

from __future__ import annotations

import time

import pytest

from aether_infra.runtime.draining import mark, rest


def test_a_node_that_was_just_taken_out_waits_for_all_of_it() -> None:
    assert rest(mark(), 30) == 30


def test_a_second_try_waits_for_the_rest_and_no_more() -> None:
    assert rest(str(int(time.time()) - 20), 30) == pytest.approx(10, abs=2)
    assert rest(str(int(time.time()) - 40), 30) == 0


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "٣"])
def test_a_node_that_was_not_taken_out_waits_for_nothing(text: str) -> None:
    assert rest(text, 30) == 0
