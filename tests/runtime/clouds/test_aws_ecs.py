"""What only ECS has: a number, a scheduler that chooses, protection, and events that say why no task comes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cloud_world import Effect, Fault, Step, World, only

from aether_infra.runtime.aws.task import unplaced
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudError,
    CloudUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
)
from aether_infra.runtime.model import NodeState

if TYPE_CHECKING:
    from fake_aws_ecs import FakeEcs, FakeService

pytestmark = pytest.mark.anyio


def ecs(world: World) -> FakeEcs:
    """The fake behind a world."""
    fake: FakeEcs = world.cloud.ecs  # type: ignore[attr-defined]
    return fake


def elastic(world: World) -> FakeService:
    """The service of elastic nodes."""
    return ecs(world).services["aether-elastic"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("was unable to place a task. Reason: Capacity is unavailable at this time.", CapacityUnavailable),
        (
            "was unable to place a task. Reason: You've reached the limit on the number of tasks",
            QuotaExceeded,
        ),
        (
            "was unable to place a task. Reason: You've reached the limit on the number of vCPUs",
            QuotaExceeded,
        ),
        ("has started 1 tasks: (task 1).", None),
        ("has reached a steady state.", None),
    ],
)
def test_what_the_scheduler_says(message: str, kind: type[CloudError] | None) -> None:
    told = unplaced(f"(service aether-elastic) {message}")
    assert type(told) is (kind or type(None))


# ------------------------------------------------------------------ creation


@only("aws-ecs")
async def test_the_number_is_not_raised_twice(world: World) -> None:
    spec = world.spec(desired=2)
    world.add()
    await world.manager().create_node(spec)
    await world.manager().create_node(spec)
    assert world.desired() == 2
    assert len(world.alive()) == 2


@only("aws-ecs")
async def test_without_a_number_it_is_one_more_than_there_are(world: World) -> None:
    world.add(count=2)
    await world.manager().create_node(world.spec(desired=None))
    assert world.desired() == 3


@only("aws-ecs")
async def test_the_newest_task_that_is_nobodys_is_the_one(world: World) -> None:
    """Those that were there before are not handed out as new ones."""
    before = set(world.add(count=3))
    world.behaviour.hidden_lists = 2
    node = await world.manager().create_node(world.spec())
    assert node.id not in before
    assert world.machines()[node.id].tags["aether-token"] == node.token


@only("aws-ecs")
async def test_no_room_is_said_and_the_number_is_lowered_again(world: World) -> None:
    world.add()
    world.behaviour.out_of_stock.add("")
    with pytest.raises(CapacityUnavailable, match="Capacity is unavailable at this time"):
        await world.manager().create_node(world.spec())
    assert world.desired() == 1
    assert len(world.alive()) == 1
    world.behaviour.out_of_stock.clear()
    await world.manager().create_node(world.spec())
    assert world.desired() == 2


@only("aws-ecs")
async def test_what_the_scheduler_said_before_is_no_reason(world: World) -> None:
    elastic(world).events.insert(0, (datetime.now(UTC), "was unable to place a task. Reason: Capacity"))
    world.behaviour.hidden_lists = 2
    await world.manager().create_node(world.spec())
    assert len(world.alive()) == 1


@only("aws-ecs")
async def test_a_number_that_is_out_of_date_is_a_conflict_and_takes_nobodys_node(world: World) -> None:
    manager = world.manager()
    await manager.create_node(world.spec(desired=1))
    with pytest.raises(Conflict, match=r"there are 1 tasks already, 1 shall be"):
        await manager.create_node(world.spec(desired=1))
    assert world.desired() == 1


@only("aws-ecs")
@pytest.mark.parametrize("given", [{"zone": "us-west-2a"}, {"size": "m6i.large"}, {"spot": True}])
async def test_what_the_service_decides_is_not_to_be_asked_for(
    world: World, given: dict[str, object]
) -> None:
    with pytest.raises(InvalidRequest, match="the ECS service decides"):
        await world.manager().create_node(world.spec(**given))
    assert world.desired() == 0


@only("aws-ecs")
async def test_without_an_elastic_service_there_is_nothing_to_create(world: World) -> None:
    manager = world.manager(world.settings(ecs_elastic_service=None))
    with pytest.raises(InvalidRequest, match="max_nodes leaves no room"):
        await manager.create_node(world.spec())
    assert {node.node_id for node in await manager.list_nodes()} == {"node-1", "node-2", "node-3"}


@only("aws-ecs")
async def test_a_service_that_there_is_not_says_where_to_look(world: World) -> None:
    manager = world.manager(world.settings(ecs_elastic_service="gone"))
    with pytest.raises(InvalidRequest, match="are the outputs those of this account and region"):
        await manager.create_node(world.spec())


# ------------------------------------------------------------------ ending


@only("aws-ecs")
async def test_just_this_task_of_many_goes_and_the_others_are_free_again_afterwards(world: World) -> None:
    ids = world.add(count=25)
    world.behaviour.stopping_looks = 2
    await world.manager().terminate_node(ids[13])
    assert world.alive() == {*ids} - {ids[13]}
    assert world.desired() == 24
    assert not [task for task in ecs(world).tasks.values() if task.protected]


@only("aws-ecs")
async def test_a_deployment_that_is_under_way_is_a_conflict_and_nothing_goes(world: World) -> None:
    ids = world.add(count=3)
    elastic(world).deploying = True
    with pytest.raises(Conflict, match="a deployment is under way"):
        await world.manager().terminate_node(ids[0])
    assert world.alive() == set(ids)
    assert world.desired() == 3
    elastic(world).deploying = False
    await world.manager().terminate_node(ids[0])
    assert world.alive() == set(ids[1:])
    assert world.desired() == 2


@only("aws-ecs")
async def test_a_number_that_is_down_already_is_not_lowered_again(world: World) -> None:
    """The first try ended between the two, and the scheduler has not come to it yet."""
    ids = world.add(count=3)
    ecs(world).idle = True
    world.inject(Fault(effect=Effect.UNAVAILABLE, on=frozenset({"StopTask"})))
    with pytest.raises(CloudUnavailable):
        await world.manager(tries=1).terminate_node(ids[0])
    assert world.desired() == 2
    assert world.alive() == set(ids)
    await world.manager().terminate_node(ids[0])
    assert world.desired() == 2
    ecs(world).idle = False
    ecs(world).control()
    assert world.alive() == set(ids[1:])


@only("aws-ecs")
async def test_a_number_that_has_changed_since_is_counted_from_anew(world: World) -> None:
    """The first try had put its numbers on the task and went no further; then another node was added."""
    ids = world.add(count=3)
    manager = world.manager(tries=1)
    world.fault(Effect.UNAVAILABLE, Step.CREATE)
    with pytest.raises(CloudUnavailable):
        await manager.terminate_node(ids[0])
    assert world.machines()[ids[0]].tags["aether-ending"] == "3/2"
    node = await manager.create_node(world.spec())
    await manager.terminate_node(ids[0])
    assert world.alive() == {*ids[1:], node.id}
    assert world.desired() == 3


@only("aws-ecs")
async def test_another_task_that_dies_meanwhile_is_replaced(world: World) -> None:
    ids = world.add(count=3)
    world.behaviour.stopping_looks = 3
    manager = world.manager()
    task = asyncio.create_task(manager.terminate_node(ids[0]))
    while world.desired() == 3:  # noqa: ASYNC110 - the event is in a server's thread
        await asyncio.sleep(0.005)
    ecs(world).stop(ecs(world).tasks[ids[1]])
    await task
    await manager.list_nodes()
    ecs(world).control()
    assert len(world.alive()) == world.desired() == 2
    assert ids[2] in world.alive()


@only("aws-ecs")
async def test_two_that_end_at_the_same_time_do_not_protect_each_other(world: World) -> None:
    ids = world.add(count=4)
    manager = world.manager()
    world.behaviour.stopping_looks = 1
    await asyncio.gather(manager.terminate_node(ids[0]), manager.terminate_node(ids[2]))
    assert world.alive() == {ids[1], ids[3]}
    assert world.desired() == 2


@only("aws-ecs")
async def test_a_core_node_is_made_anew_under_its_name(world: World) -> None:
    before = world.core()
    world.behaviour.stopping_looks = 2
    await world.manager().terminate_core_node(before["node-2"])
    after = world.core()
    assert after.keys() == before.keys()
    assert after["node-2"] != before["node-2"]
    states = {node.id: node.state for node in await world.manager().list_nodes()}
    assert states[before["node-2"]] is NodeState.TERMINATED
    assert states[after["node-2"]] is NodeState.RUNNING


# ------------------------------------------------------------------ looking


@only("aws-ecs")
async def test_more_than_a_hundred_tasks_are_described_in_bundles(world: World) -> None:
    world.add(count=230)
    assert len(await world.manager().list_nodes()) == 233
    assert sum(call.operation == "DescribeTasks" for call in world.calls()) == 3  # type: ignore[attr-defined]


@only("aws-ecs")
async def test_an_arn_is_understood(world: World) -> None:
    [node_id] = world.add()
    node = await world.manager().get_node(ecs(world).tasks[node_id].arn)
    assert node.id == node_id


@only("aws-ecs")
async def test_a_task_of_no_service_of_ours_is_no_node_whatever_its_tags(world: World) -> None:
    """Such as the runtime manager itself, which runs in the same ECS cluster."""
    other = ecs(world).add("aether-manager", {"aether-cluster": "aether", "managed-by": "aether-infra"})
    manager = world.manager()
    assert other.id not in {node.id for node in await manager.list_nodes()}
    with pytest.raises(NotFound):
        await manager.get_node(other.id)


# ------------------------------------------------------------------ targets


@only("aws-ecs")
async def test_an_address_that_is_anothers_by_now_is_left_alone(world: World) -> None:
    manager = world.manager()
    first = await manager.create_node(world.spec())
    await manager.terminate_node(first.id)
    second = await manager.create_node(world.spec())
    tasks = ecs(world).tasks
    ecs(world).stop(tasks[second.id])
    tasks[second.id].wanted, tasks[second.id].status = "RUNNING", "RUNNING"
    tasks[second.id].address = tasks[first.id].address
    for group in ecs(world).groups.values():
        group[tasks[second.id].address] = None
    await manager.deregister_target(first.id)
    assert all(group[tasks[second.id].address] is None for group in ecs(world).groups.values())


@only("aws-ecs")
async def test_register_of_what_ends_is_not_found(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.terminate_node(node.id)
    with pytest.raises(NotFound, match="has ended"):
        await manager.register_target(node.id)
