"""The arithmetic of the quorum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aether_infra.runtime.quorum import CoreNode, majority, may_go


def core(*on_duty: bool, leader: int = 0) -> list[CoreNode]:
    return [CoreNode(id=f"node-{n}", on_duty=duty, leader=n == leader) for n, duty in enumerate(on_duty, 1)]


def test_the_arithmetic_is_told() -> None:
    assert may_go(core(True, True, True), 3, "node-2").text == (  # noqa: FBT003 - on duty or not
        "3 core nodes, 3 on duty; without node-2 2 remain, a majority of 3 is 2: allowed"
    )
    refused = may_go(core(True, True, False), 3, "node-1")  # noqa: FBT003
    assert not refused.allowed
    assert refused.text == (
        "3 core nodes, 2 on duty; without node-1 it would leave 1 of 3, a majority needs 2"
    )


def test_one_that_is_dead_already_may_go_while_the_others_are_a_quorum() -> None:
    assert may_go(core(True, True, False), 3, "node-3").allowed  # noqa: FBT003
    assert not may_go(core(True, False, False), 3, "node-3").allowed  # noqa: FBT003


def test_the_leader_goes_last() -> None:
    nodes = core(True, True, True, leader=2)  # noqa: FBT003
    refused = may_go(nodes, 3, "node-2")
    assert not refused.allowed
    assert refused.text.endswith("but it is the leader, which goes last")
    assert may_go(nodes, 3, "node-2", allow_leader=True).allowed


def test_voters_that_aether_does_not_know_count_all_the_same() -> None:
    assert not may_go(core(True, True, True), 5, "node-1").allowed  # noqa: FBT003


@given(
    on_duty=st.lists(st.booleans(), max_size=9),
    voters=st.sampled_from([3, 5, 7]),
    leaving=st.integers(1, 9),
)
def test_what_is_allowed_leaves_a_majority(on_duty: list[bool], voters: int, leaving: int) -> None:
    nodes = core(*on_duty)
    if may_go(nodes, voters, f"node-{leaving}").allowed:
        rest = [node for node in nodes if node.on_duty and node.id != f"node-{leaving}"]
        assert len(rest) >= majority(max(voters, len(nodes)))
