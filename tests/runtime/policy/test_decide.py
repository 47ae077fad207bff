"""The policy: what is decided of an observation, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.model import NodeState
from aether_infra.runtime.observation import Lifecycle, NodeView, Observation, Phase, Thresholds
from aether_infra.runtime.policy.decide import decide
from aether_infra.runtime.policy.model import Decision, Memory, Policy

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = Memory(since=NOW - timedelta(days=1))


def node(number: int, phase: Phase = Phase.SERVING, **given: Any) -> NodeView:
    usual: dict[str, Any] = {
        "id": f"i-{number}",
        "role": NodeRole.WORKER,
        "phase": phase,
        "state": NodeState.RUNNING,
        "zone": f"zone-{number % 3}",
        "cpu": 0.5 if phase is Phase.SERVING else None,
        "created_at": NOW - timedelta(hours=1, seconds=-number),
    }
    return NodeView(**usual | given)


def cluster(*elastic: NodeView, cpu: float | None = None, **given: Any) -> Observation:
    core = [node(100 + n, role=NodeRole.CORE, leader=n == 1) for n in (1, 2, 3)]
    nodes = [*core, *elastic]
    if cpu is not None:
        nodes = [evolve(each, cpu=cpu) if each.phase is Phase.SERVING else each for each in nodes]
    usual: dict[str, Any] = {"at": NOW, "core": 3, "minimum": 0, "maximum": 9}
    return Observation(nodes=tuple(nodes), **usual | given)


def decided(seen: Observation, memory: Memory = LONG_AGO, **policy: Any) -> Decision:
    return decide(seen, memory, Policy(**policy))[0]


def test_growth_is_proportional_and_says_why() -> None:
    decision = decided(cluster(node(1), node(2), cpu=0.9))
    assert (decision.desired, decision.create, decision.actual, decision.serving) == (5, 3, 2, 2)
    assert decision.reason == (
        "mean load 0.90 of 5 nodes is over 0.8: 8 would bring it to 0.6, that is 5 elastic"
    )
    assert decision.load == pytest.approx(0.9)


def test_between_the_thresholds_nothing_happens_and_a_lost_node_is_still_wanted() -> None:
    memory = evolve(LONG_AGO, desired=3)
    decision = decided(cluster(node(1), node(2), node(3)), memory)
    assert decision.quiet
    assert "is between 0.2 and 0.8: stays at 3" in decision.reason
    assert decided(cluster(node(1), node(2)), memory).create == 1


def test_what_is_on_its_way_counts() -> None:
    seen = cluster(node(1), node(2, Phase.BOOTING), cpu=0.9, coming=2)
    assert decided(seen).create == 0, "six of them are wanted with three core ones, four are there or coming"
    assert decided(cluster(node(1), node(2, Phase.BOOTING), cpu=0.9)).create == 1


def test_growth_stops_at_the_most_and_counts_every_machine() -> None:
    assert decided(cluster(node(1), cpu=0.9, maximum=2)).desired == 2
    full = cluster(node(1), node(2, Phase.LEAVING, operation_id="op"), cpu=0.9, maximum=2)
    decision = decided(full)
    assert decision.create == 0
    assert "1 missing; 2 of at most 2 machines are there" in decision.holds


def test_the_fewest_are_there_whatever_the_load() -> None:
    assert decided(cluster(minimum=2, cpu=0.0)).create == 2
    decision = decided(cluster(minimum=1), evolve(LONG_AGO, added_at=NOW))
    assert decision.create == 1, "no cool-down for the fewest"


def test_shrinking_is_one_by_one_and_not_before_the_whole_window() -> None:
    seen = cluster(*(node(n) for n in range(1, 6)), cpu=0.05)
    fresh = decide(seen, Memory(), Policy())
    assert fresh[0].quiet
    assert fresh[0].holds[0] == "0 are advised now, but not yet for 300 s"
    memory, removed = fresh[1], 0
    for tick in range(1, 40):
        later = evolve(seen, at=NOW + timedelta(seconds=10 * tick))
        decision, memory = decide(later, memory, Policy())
        removed += len(decision.remove)
        if decision.remove:
            assert tick >= 30
            assert decision.desired == 4
            break
    assert removed == 1


def test_a_short_dip_or_peak_moves_nothing_within_the_windows() -> None:
    policy = {"up_window_seconds": 60}
    seen = cluster(node(1), node(2))
    memory = decide(seen, LONG_AGO, Policy(**policy))[1]
    peak = evolve(cluster(node(1), node(2), cpu=0.95), at=NOW + timedelta(seconds=10))
    decision, memory = decide(peak, memory, Policy(**policy))
    assert decision.create == 0
    assert decision.holds == ("5 are advised now, but not yet for 60 s",)
    later = evolve(peak, at=NOW + timedelta(seconds=75))
    assert decide(later, memory, Policy(**policy))[0].create == 3


@pytest.mark.parametrize(
    ("memory", "text"),
    [
        ({"added_at": NOW - timedelta(seconds=500)}, "nodes have just been added: not for another 100 s"),
        ({"removal_failed_at": NOW - timedelta(seconds=80)}, "a removal has failed: not for another 100 s"),
    ],
)
def test_cool_downs_of_shrinking(memory: dict[str, Any], text: str) -> None:
    decision = decided(cluster(node(1), node(2), cpu=0.01), evolve(LONG_AGO, **memory))
    assert decision.quiet
    assert any(text in hold for hold in decision.holds), decision.holds


def test_cool_downs_of_growth_double_with_each_failure() -> None:
    seen = cluster(node(1), cpu=0.9)
    added = decided(seen, evolve(LONG_AGO, added_at=NOW - timedelta(seconds=20)))
    assert added.create == 0
    assert "in 40 s: nodes have just been added" in added.holds[0]
    for failures, pause in ((1, 180), (2, 360), (3, 720), (9, 1800), (5000, 1800)):
        memory = evolve(
            LONG_AGO,
            creation_failed_at=NOW - timedelta(seconds=100),
            creation_failures=failures,
            creation_error="no room in zone-a",
        )
        decision = decided(seen, memory)
        assert decision.create == 0
        assert f"next in {pause - 100} s: no room in zone-a" in decision.holds[0]


def test_missing_loads_forbid_shrinking_and_count_as_idle_for_growth() -> None:
    silent = cluster(node(1), node(2), node(3), cpu=0.05)
    silent = evolve(silent, nodes=(*silent.nodes[:-1], evolve(silent.nodes[-1], cpu=None)))
    decision = decided(silent)
    assert decision.quiet
    assert "and 1 do not say: stays at 3" in decision.reason
    busy = cluster(node(1), cpu=1.0)
    assert decided(evolve(busy, nodes=(*busy.nodes[:3], evolve(busy.nodes[3], cpu=None)))).create == 0
    nobody = evolve(busy, nodes=tuple(evolve(each, cpu=None) for each in busy.nodes))
    assert decided(nobody).reason == "no load is known of 4 nodes on duty: stays at 1"


def test_calls_make_it_grow_too() -> None:
    seen = cluster(node(1), calls_per_second=4800, cpu=0.3)
    decision = decided(seen)
    assert decision.desired == 4
    assert decision.reason.startswith("1200 calls/s a node is over 1000: 7 would bring it to 750")


def test_a_fixed_number_is_brought_about_whatever_the_load() -> None:
    elastic = [node(n) for n in range(1, 7)]
    decision = decided(cluster(*elastic, cpu=0.95, fixed=2))
    assert (decision.desired, len(decision.remove)) == (2, 4)
    assert decision.reason == "2 were asked for"
    assert decided(cluster(*elastic, fixed=8)).create == 2
    assert decided(cluster(*elastic, fixed=20)).reason == "20 were asked for, within 0-9: 9"


def test_who_goes_is_whoever_hurts_least() -> None:
    elastic = [
        node(1, cpu=0.9),
        node(2, cpu=0.1),
        node(3, Phase.BOOTING),
        node(4, cpu=0.5, operation_id="op-1"),
        node(5, cpu=0.0, leader=True),
        node(6, cpu=0.0, votes=True),
    ]
    going = [each.node_id for each in decided(cluster(*elastic, fixed=2)).remove]
    assert going == ["i-3", "i-2", "i-1"], "never what has an operation, never the leader, never a voter"


def test_the_fullest_zone_goes_first() -> None:
    elastic = [node(1, zone="a"), node(2, zone="b"), node(3, zone="b"), node(4, zone="b", cpu=0.4)]
    going = decided(cluster(*elastic, fixed=2)).remove
    assert [each.node_id for each in going] == ["i-4", "i-3"]
    assert going[0].reason == "at a load of 0.40, in b, which has 3"


def test_dead_nodes_are_removed_and_replaced_but_not_when_too_many_are() -> None:
    memory = evolve(LONG_AGO, desired=4)
    seen = cluster(node(1), node(2), node(3), node(4, Phase.DEAD, lost_seconds=400))
    decision = decided(seen, memory)
    assert decision.create == 1
    assert [(each.node_id, each.force) for each in decision.remove] == [("i-4", True)]
    assert decision.remove[0].reason == "not seen on duty for 400 s"
    many = cluster(node(1), *(node(n, Phase.LOST) for n in range(2, 8)))
    halted = decided(many, evolve(LONG_AGO, desired=7))
    assert halted.quiet
    assert halted.reason.startswith("6 of 10 nodes are dead or lost, more than 45%")
    few = cluster(*(node(n, Phase.DEAD) for n in range(1, 4)))
    assert not decided(few).quiet, "so few never stop anything"


def test_a_core_node_is_only_told_about() -> None:
    seen = cluster(node(1))
    dead = evolve(seen.nodes[1], phase=Phase.DEAD, aether_id="node-2")
    decision = decided(evolve(seen, nodes=(seen.nodes[0], dead, *seen.nodes[2:])))
    assert decision.quiet
    assert decision.holds == ("core node node-2 is dead: core nodes go by explicit command only",)
    gone = decided(evolve(seen, nodes=seen.nodes[1:]))
    assert gone.holds == ("1 of 3 core nodes have no machine: apply Terraform again",)


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ({"reachable": False, "problem": "refused"}, "no node answers on Aether's management API: refused"),
        ({"quorum": False}, "Aether has no quorum"),
    ],
)
def test_blind_nothing_is_done(given_: dict[str, Any], text: str) -> None:
    seen = cluster(node(1, Phase.DEAD), cpu=0.99, **given_)
    decision = decided(seen)
    assert decision.quiet
    assert decision.reason.startswith(text)
    core = tuple(evolve(each, phase=Phase.BOOTING) for each in cluster().nodes)
    assert decided(evolve(cluster(), nodes=core)).reason.startswith("no core node is on duty")


def test_an_interrupted_node_is_replaced_first_and_then_drained() -> None:
    memory = evolve(LONG_AGO, desired=2)
    soon = node(1, interruption_at=NOW + timedelta(seconds=120), spot=True)
    decision = decided(cluster(soon, node(2)), memory)
    assert (decision.create, decision.remove) == (1, ())
    late = evolve(soon, interruption_at=NOW + timedelta(seconds=60))
    decision = decided(cluster(late, node(2), node(3, Phase.BOOTING)), memory)
    assert (decision.create, decision.remove[0].node_id) == (0, "i-1")
    assert decision.remove[0].reason == "the cloud takes it back in 60 s"
    ready = decided(cluster(soon, node(2), node(3)), memory)
    assert ready.remove[0].reason == "the cloud takes it back in 120 s, and 2 others serve"


def test_a_node_that_somebody_has_decommissioned_is_ended_after_a_while() -> None:
    left = node(1, Phase.LEAVING, lifecycle=Lifecycle.DECOMMISSIONED, lost_seconds=100)
    assert decided(cluster(left), evolve(LONG_AGO, desired=0)).quiet
    decision = decided(cluster(evolve(left, lost_seconds=301)), evolve(LONG_AGO, desired=0))
    assert decision.remove[0].reason == "decommissioned 301 s ago, and its machine still runs"


def test_a_node_whose_removal_failed_is_left_alone_for_a_while() -> None:
    memory = evolve(LONG_AGO, removal_failures={"i-1": NOW - timedelta(seconds=100)})
    going = decided(cluster(node(1), node(2, cpu=0.9), fixed=1), memory).remove
    assert [each.node_id for each in going] == ["i-2"]


def test_the_policy_of_layer_one() -> None:
    policy = Policy.of(
        {
            "scaling": {
                "cpu_target_percent": 50,
                "scale_out_cooldown_seconds": 30,
                "scale_in_cooldown_seconds": 90,
            }
        }
    )
    assert (policy.cpu_target, policy.grow_after_add_seconds, policy.shrink_after_add_seconds) == (
        0.5,
        30,
        90,
    )
    assert Policy.of({"scaling": None}) == Policy.of({}) == Policy()


PHASES = st.sampled_from([phase for phase in Phase if phase is not Phase.GONE])
LOADS = st.none() | st.floats(0, 1)


@given(
    nodes=st.lists(st.tuples(PHASES, LOADS, st.booleans()), max_size=14),
    fixed=st.none() | st.integers(0, 20),
    desired=st.none() | st.integers(0, 12),
    coming=st.integers(0, 3),
    minimum=st.integers(0, 3),
    thresholds=st.builds(Thresholds, cpu_up=st.floats(0.3, 1), cpu_down=st.floats(0, 0.3)),
)
def test_whatever_is_seen_the_decision_is_safe(
    *,
    nodes: list[tuple[Phase, float | None, bool]],
    fixed: int | None,
    desired: int | None,
    coming: int,
    minimum: int,
    thresholds: Thresholds,
) -> None:
    elastic = [
        node(number, phase, cpu=cpu, operation_id="op" if taken else "", lost_seconds=999)
        for number, (phase, cpu, taken) in enumerate(nodes)
    ]
    seen = cluster(*elastic, fixed=fixed, coming=coming, minimum=minimum, thresholds=thresholds)
    memory = evolve(LONG_AGO, desired=desired)
    decision, _ = decide(seen, memory, Policy())
    core = {each.id for each in seen.nodes if each.role is NodeRole.CORE}
    going = [each.node_id for each in decision.remove]
    assert not core & set(going), "core is never touched"
    assert len(set(going)) == len(going)
    assert not {each.id for each in elastic if each.operation_id} & set(going)
    assert minimum <= decision.desired <= 9
    machines = coming + sum(1 for each in elastic)
    assert decision.create == 0 or machines + decision.create <= 9
    healthy = sum(1 for each in elastic if each.phase is Phase.SERVING and each.id not in set(going))
    before = sum(1 for each in elastic if each.phase is Phase.SERVING)
    assert healthy >= min(before, decision.desired) or fixed is not None
    assert decision.reason
