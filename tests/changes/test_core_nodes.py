"""What a change does to the voters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aether_infra.changes.core_nodes import quorum, voters
from aether_infra.changes.document import read_stack
from aether_infra.changes.model import Changes

Compared = Callable[..., Changes]


def machine(number: int, **arguments: Any) -> dict[str, Any]:
    return {"//": {"metadata": {"path": f"aws/compute/node-{number}/Resource"}}, **arguments}


def machines(type_: str, count: int, *, chained: bool = False, **arguments: Any) -> dict[str, Any]:
    named = {}
    for number in range(1, count + 1):
        named[f"n{number}"] = machine(number, **arguments)
        if chained and number > 1:
            named[f"n{number}"]["depends_on"] = [f"{type_}.n{number - 1}"]
    return {type_: named}


def stateful_set(replicas: int, **spec: Any) -> dict[str, Any]:
    body = {"metadata": {"name": "aether-node"}, "spec": {"replicas": str(replicas), **spec}}
    return {"kubernetes_stateful_set_v1": {"core": body}}


def said(changes: Changes) -> str:
    return " ".join(danger.message for danger in changes.dangers if danger.kind == "quorum")


@pytest.mark.parametrize(("voters_", "majority"), [(1, 1), (3, 2), (5, 3), (7, 4)])
def test_quorum(voters_: int, majority: int) -> None:
    assert quorum(voters_) == majority


def test_voters_are_known_by_their_place_or_their_set() -> None:
    table = machines("aws_instance", 3) | stateful_set(5)
    table["aws_instance"]["elastic"] = {"//": {"metadata": {"path": "aws/compute/elastic/Resource"}}}
    found = voters(read_stack("aws", {"resource": table}))
    assert set(found) == {"node-1", "node-2", "node-3", *(f"aether-node-{ordinal}" for ordinal in range(5))}


def test_machines_that_restart_at_once(compared: Compared) -> None:
    old, new = (machines("digitalocean_droplet", 3, size=size) for size in ("small", "large"))
    assert "3 of 3 core nodes restart at once" in said(compared(old, new))


def test_machines_that_restart_in_order_but_unawaited(compared: Compared) -> None:
    old, new = (machines("aws_instance", 3, chained=True, instance_type=size) for size in ("a", "b"))
    assert "nothing waits until a node is back" in said(compared(old, new))


def test_one_that_restarts_is_no_danger(compared: Compared) -> None:
    old, new = machines("aws_instance", 3, instance_type="a"), machines("aws_instance", 3, instance_type="a")
    new["aws_instance"]["n2"]["instance_type"] = "b"
    changes = compared(old, new)
    assert changes.dangers == ()
    assert [note.message for note in changes.notes] == ["node-2 restarts; the other core nodes run on"]


def test_groups_that_wait_for_themselves(compared: Compared) -> None:
    old, new = (
        machines(
            "google_compute_instance_group_manager",
            3,
            chained=True,
            version=[{"instance_template": template}],
            wait_for_instances=True,
        )
        for template in "ab"
    )
    changes = compared(old, new)
    assert changes.dangers == ()
    assert "restart one at a time" in changes.notes[0].message
    for each in (old, new):
        for body in each["google_compute_instance_group_manager"].values():
            body["wait_for_instances"] = False
    assert "nothing waits" in said(compared(old, new))


def test_a_gate_counts_only_if_it_waits_this_time(compared: Compared) -> None:
    def services(definition: str, trigger: str) -> dict[str, Any]:
        table = machines("aws_ecs_service", 3, task_definition=definition)
        table["aws_lambda_invocation"] = {
            f"g{number}": {"input": trigger, "depends_on": [f"aws_ecs_service.n{number}"]}
            for number in (1, 2)
        }
        for number in (2, 3):
            table["aws_ecs_service"][f"n{number}"]["depends_on"] = [f"aws_lambda_invocation.g{number - 1}"]
        return table

    assert said(compared(services("a", "a"), services("b", "b"))) == ""
    assert "nothing waits" in said(compared(services("a", "a"), services("b", "a")))


def test_several_that_are_replaced(compared: Compared) -> None:
    old, new = (machines("aws_instance", 3, chained=True, subnet_id=subnet) for subnet in "ab")
    message = said(compared(old, new))
    assert "3 of 3 core nodes are replaced in one go (node-1, node-2 and node-3)" in message
    assert "a quorum is 2" in message


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (5, 3, "just the quorum of 5"),
        (7, 3, "3 of 7 are left, and a quorum is 4: the cluster stops"),
        (3, 1, "1 of 3 are left, and a quorum is 2: the cluster stops"),
        (7, 5, ""),
        (3, 5, ""),
    ],
)
def test_removed_voters(compared: Compared, before: int, after: int, told: str) -> None:
    for kind in (lambda count: machines("aws_instance", count), stateful_set):
        message = said(compared(kind(before), kind(after)))
        assert (told in message) if told else message == ""


def test_voters_that_come_after_the_others_were_told(compared: Compared) -> None:
    def services(count: int) -> dict[str, Any]:
        return machines("aws_instance", count, chained=True, user_data=f"{count} voters")

    assert "3 core nodes become 5" in said(compared(services(3), services(5)))
    assert "2 are up: the cluster stops" in said(compared(services(3), services(5)))


def test_a_stateful_set(compared: Compared) -> None:
    rolled = compared(stateful_set(3, template={"image": "a"}), stateful_set(3, template={"image": "b"}))
    assert rolled.dangers == ()
    assert "one at a time" in rolled.notes[0].message
    replaced = compared(stateful_set(3, service_name="a"), stateful_set(3, service_name="b"))
    assert "all 3 core nodes end together" in said(replaced)
    assert "all 3 core nodes end" in said(compared(stateful_set(3), {}))


@pytest.mark.parametrize(
    ("lifecycle", "told"),
    [
        ({}, "ends before the new one is there"),
        ({"create_before_destroy": True}, "when the new pool is there"),
    ],
)
def test_a_pool_of_the_core_that_is_replaced(
    compared: Compared, lifecycle: dict[str, bool], told: str
) -> None:
    def pool(name: str, place: str) -> dict[str, Any]:
        body = {"name": name, "lifecycle": lifecycle, "//": {"metadata": {"path": f"gcp/{place}/Resource"}}}
        return {"google_container_node_pool": {"p": body}}

    assert told in said(compared(pool("a", "pool-jvm"), pool("b", "pool-jvm")))
    assert said(compared(pool("a", "pool-spot"), pool("b", "pool-spot"))) == ""
