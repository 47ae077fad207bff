"""What `CloudManager` promises, held against every cloud, with everything that can go wrong in between.

Each test is a sentence of the Protocol's docstrings. `cloud_world` says what a world is; a world that cannot show
something says why in its `lacks`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from cloud_world import CLUSTER, DOMAIN, OTHER, Can, Effect, Step, World, needs

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.errors import (
    Advice,
    CapacityUnavailable,
    CloudError,
    CloudUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    Throttled,
)
from aether_infra.runtime.manager import CloudManager, new_token
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, TargetHealth

pytestmark = pytest.mark.anyio

RECORD = DnsRecord(name=f"nodes.{DOMAIN}", type="A", values=("10.0.0.1", "10.0.0.2"), ttl_seconds=30)


async def crash_everywhere(
    world: World,
    begin: Callable[[], Awaitable[Callable[[CloudManager], Awaitable[object]]]],
    check: Callable[[], Awaitable[None]],
) -> None:
    """Cut the line at each request of an operation, carried out or not, then do it again as a new program would.

    Args:
        world: the cloud.
        begin: sets up a fresh case and returns the operation.
        check: what must be so once it has been done again.
    """
    after = 0
    while True:
        made = 0
        for done in (False, True):
            operation = await begin()
            world.cut(after, done=done)
            before = world.count()
            with suppress(CloudError):
                await operation(world.manager(tries=1, wait_seconds=30))
            made = world.count() - before
            world.mend()
            await operation(world.manager())
            await check()
        if made <= after:
            return  # the line was not even reached: the operation is shorter than that
        after += 1


# ------------------------------------------------------------------ about the manager


async def test_a_manager_says_what_and_where_it_is(world: World) -> None:
    manager = world.manager()
    assert manager.kind is world.kind
    await manager.list_nodes()  # zones may be learnt from the cloud
    assert sorted(manager.zones) == sorted(world.zones)
    facts = manager.facts
    settings = world.settings()
    assert facts["provider"] == settings.provider.value
    assert facts["compute"] == settings.compute
    assert facts["cluster"] == CLUSTER
    assert facts["region"] == world.region


# ------------------------------------------------------------------ create


async def test_create_makes_one_node_and_returns_it(world: World) -> None:
    node = await world.manager().create_node(world.spec())
    assert world.alive() == {node.id}
    assert node.role is NodeRole.WORKER
    assert node.state.alive
    listed = {each.id: each for each in await world.manager().list_nodes()}
    assert listed[node.id].role is NodeRole.WORKER


@needs(Can.TAGS)
async def test_create_tags_in_the_creating_call(world: World) -> None:
    spec = world.spec(tags={"team": "platform", "aether-cluster": "not-ours", "aether-role": "core"})
    node = await world.manager().create_node(spec)
    tags = world.machines()[node.id].tags
    wanted = {
        "aether-cluster": CLUSTER,
        "aether-role": "worker",
        "aether-port": "8090",
        "aether-token": spec.token,
        "managed-by": "aether-infra",
        "team": "platform",
    }
    assert wanted.items() <= tags.items()
    assert wanted.items() <= node.tags.items()
    assert node.token == spec.token
    assert world.count(Step.TAG) == 0, "nothing is tagged afterwards: a crash in between would lose it"


async def test_the_same_token_returns_the_same_node(world: World) -> None:
    spec = world.spec()
    first = await world.manager().create_node(spec)
    manager = world.manager()
    assert (await manager.create_node(spec)).id == first.id
    assert (await manager.create_node(spec)).id == first.id
    assert world.alive() == {first.id}


async def test_two_tokens_make_two_nodes(world: World) -> None:
    manager = world.manager()
    first = await manager.create_node(world.spec())
    second = await manager.create_node(world.spec())
    assert world.alive() == {first.id, second.id}
    assert first.id != second.id


@needs(Can.MACHINES)
async def test_many_are_created_at_the_same_time(world: World) -> None:
    manager = world.manager()
    nodes = await asyncio.gather(*(manager.create_node(world.spec()) for _ in range(8)))
    assert world.alive() == {node.id for node in nodes}
    assert len(world.alive()) == 8


async def test_create_twice_at_the_same_time_makes_one(world: World) -> None:
    manager, spec = world.manager(), world.spec()
    nodes = await asyncio.gather(*(manager.create_node(spec) for _ in range(3)))
    assert {node.id for node in nodes} == world.alive()
    assert len(world.alive()) == 1


@needs(Can.TOKENS)
async def test_two_managers_that_create_with_one_token_make_one(world: World) -> None:
    spec = world.spec()
    nodes = await asyncio.gather(*(world.manager().create_node(spec) for _ in range(3)))
    assert {node.id for node in nodes} == world.alive()
    assert len(world.alive()) == 1


async def test_a_lost_reply_to_create_makes_no_second_node(world: World) -> None:
    world.fault(Effect.LOST_REPLY, Step.CREATE)
    node = await world.manager().create_node(world.spec())
    assert world.alive() == {node.id}


async def test_a_lost_reply_and_then_a_crash_make_no_second_node(world: World) -> None:
    spec = world.spec()
    world.fault(Effect.LOST_REPLY, Step.CREATE, times=None)
    with pytest.raises(CloudUnavailable):
        await world.manager(tries=1).create_node(spec)
    world.mend()
    node = await world.manager().create_node(spec)
    assert world.alive() == {node.id}


async def test_a_create_that_is_delivered_twice_makes_one_node(world: World) -> None:
    world.fault(Effect.DUPLICATE, Step.CREATE)
    node = await world.manager().create_node(world.spec())
    assert world.alive() == {node.id}


async def test_every_request_delivered_twice_makes_one_node(world: World) -> None:
    world.fault(Effect.DUPLICATE, times=None)
    node = await world.manager().create_node(world.spec())
    assert world.alive() == {node.id}


async def test_a_slow_answer_to_create_makes_no_second_node(world: World) -> None:
    world.fault(Effect.SLOW, Step.CREATE)
    node = await world.manager(answer_seconds=0.5).create_node(world.spec())
    assert world.alive() == {node.id}


async def test_a_create_that_is_cancelled_is_taken_up_by_the_next(world: World) -> None:
    manager, spec = world.manager(), world.spec()
    world.fault(Effect.SLOW, Step.CREATE)
    task = asyncio.create_task(manager.create_node(spec))
    while not world.count(Step.CREATE):  # noqa: ASYNC110 - the event is in a server's thread
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    world.mend()
    node = await manager.create_node(spec)
    assert world.alive() == {node.id}


@needs(Can.CRASHES)
async def test_a_crash_at_each_step_of_create_leaves_one_node(world: World) -> None:
    expected: set[str] = set()

    async def begin() -> Callable[[CloudManager], Awaitable[NodeInstance]]:
        spec = world.spec()

        async def create(manager: CloudManager) -> NodeInstance:
            node = await manager.create_node(spec)
            expected.add(node.id)
            return node

        return create

    async def check() -> None:
        assert world.alive() == expected

    await crash_everywhere(world, begin, check)


@needs(Can.HIDES)
async def test_what_the_cloud_does_not_show_yet_is_not_made_again(world: World) -> None:
    world.behaviour.hidden_lists = 4
    world.behaviour.hidden_gets = 3
    spec = world.spec()
    node = await world.manager().create_node(spec)
    assert (await world.manager().create_node(spec)).id == node.id
    assert world.alive() == {node.id}


@needs(Can.HIDES)
async def test_a_lost_reply_is_made_good_though_the_cloud_does_not_show_the_node_yet(world: World) -> None:
    world.behaviour.hidden_lists = 4
    world.behaviour.hidden_gets = 3
    world.fault(Effect.LOST_REPLY, Step.CREATE, times=2)
    node = await world.manager().create_node(world.spec())
    assert world.alive() == {node.id}


@needs(Can.HIDES)
async def test_who_made_a_node_finds_it_though_the_cloud_does_not_show_it_yet(world: World) -> None:
    world.behaviour.hidden_lists = 3
    world.behaviour.hidden_gets = 3
    manager = world.manager()
    node = await manager.create_node(world.spec())
    assert (await manager.get_node(node.id)).id == node.id, (
        "a caller that waits for it must not take it for gone"
    )


@needs(Can.HIDES)
async def test_a_node_that_the_cloud_does_not_show_yet_is_ended_all_the_same(world: World) -> None:
    world.behaviour.hidden_lists = 3
    world.behaviour.hidden_gets = 3
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.terminate_node(node.id)
    assert world.alive() == set()


@needs(Can.PENDING)
async def test_create_returns_before_the_node_runs(world: World) -> None:
    world.behaviour.pending_looks = 50
    manager = world.manager()
    node = await manager.create_node(world.spec())
    assert node.state is NodeState.PROVISIONING
    assert (await manager.get_node(node.id)).state is NodeState.PROVISIONING
    world.behaviour.pending_looks = 0


@needs(Can.REMEMBERS)
async def test_the_token_of_a_node_that_is_gone_makes_no_other(world: World) -> None:
    manager, spec = world.manager(), world.spec()
    node = await manager.create_node(spec)
    await manager.terminate_node(node.id)
    again = await world.manager().create_node(spec)
    assert again.id == node.id
    assert again.state is NodeState.TERMINATED
    assert world.alive() == set()


@needs(Can.SIZES)
async def test_another_size_is_honoured(world: World) -> None:
    manager = world.manager()
    usual, other = (
        await manager.create_node(world.spec()),
        await manager.create_node(world.spec(size=world.size)),
    )
    machines = world.machines()
    assert machines[other.id].size == world.size != machines[usual.id].size
    assert other.size == world.size


@needs(Can.SIZES, Can.REFUSES_SIZES)
async def test_a_size_that_there_is_not_is_an_invalid_request_and_leaves_nothing(world: World) -> None:
    with pytest.raises(InvalidRequest):
        await world.manager().create_node(world.spec(size="no-such.size"))
    assert world.alive() == set()


@needs(Can.SPOT)
async def test_spot_is_honoured(world: World) -> None:
    manager = world.manager()
    usual, spot = await manager.create_node(world.spec()), await manager.create_node(world.spec(spot=True))
    assert spot.spot
    assert not usual.spot
    assert world.machines()[spot.id].spot
    listed = {node.id: node.spot for node in await manager.list_nodes()}
    assert listed[spot.id]
    assert not listed[usual.id]


# ------------------------------------------------------------------ zones, capacity, quota


@needs(Can.ZONES)
async def test_the_zone_that_was_asked_for_is_used(world: World) -> None:
    manager = world.manager()
    for zone in world.zones:
        node = await manager.create_node(world.spec(zone=zone))
        assert world.machines()[node.id].zone == node.zone == zone


@needs(Can.ZONES)
async def test_a_zone_that_there_is_not_is_an_invalid_request(world: World) -> None:
    with pytest.raises(InvalidRequest, match=world.zones[0]):
        await world.manager().create_node(world.spec(zone="no-such-zone"))
    assert world.alive() == set()


@needs(Can.ZONES)
async def test_where_a_zone_is_out_of_stock_another_one_is_used_and_it_is_left_alone_for_a_while(
    world: World,
) -> None:
    world.behaviour.out_of_stock |= set(world.zones[:-1])
    manager = world.manager()
    for _ in range(3):
        node = await manager.create_node(world.spec())
        assert world.machines()[node.id].zone == world.zones[-1]
    assert len(world.alive()) == 3
    for zone in world.zones[:-1]:
        # where the order of zones follows from the token, one of them may not have been met yet
        with suppress(CapacityUnavailable):
            await manager.create_node(world.spec(zone=zone))
    before = world.count(Step.CREATE)
    await manager.create_node(world.spec())
    assert world.count(Step.CREATE) - before == 1, "cooled-off zones are not asked"
    world.behaviour.out_of_stock.clear()
    world.clock.time += 600
    used: set[str] = set()
    for _ in range(60):
        node = await manager.create_node(world.spec())
        used.add(world.machines()[node.id].zone)
        if used == set(world.zones):
            break
    assert used == set(world.zones), "after a while they are asked again"


@needs(Can.ZONES)
async def test_no_zone_with_room_is_said_and_leaves_nothing(world: World) -> None:
    world.behaviour.out_of_stock |= set(world.zones)
    manager = world.manager()
    with pytest.raises(CapacityUnavailable) as raised:
        await manager.create_node(world.spec())
    assert raised.value.advice is Advice.ELSEWHERE
    assert raised.value.code
    before = world.count(Step.CREATE)
    with pytest.raises(CapacityUnavailable):
        await manager.create_node(world.spec())
    assert world.count(Step.CREATE) == before, "all zones are cooled off: nothing is asked"
    assert not [each for each in world.machines().values() if each.tags.get("aether-token")]


@needs(Can.ZONES)
async def test_the_zone_that_was_asked_for_is_not_replaced_by_another(world: World) -> None:
    world.behaviour.out_of_stock.add(world.zones[0])
    with pytest.raises(CapacityUnavailable, match=world.zones[0]):
        await world.manager().create_node(world.spec(zone=world.zones[0]))
    assert world.alive() == set()


@needs(Can.ZONES)
async def test_a_token_whose_node_is_in_one_zone_makes_none_in_another(world: World) -> None:
    spec = world.spec()
    world.fault(Effect.LOST_REPLY, Step.CREATE, times=None)
    with pytest.raises(CloudUnavailable):
        await world.manager(tries=1).create_node(spec)
    world.mend()
    made = world.alive()
    zone = world.machines()[next(iter(made))].zone
    world.behaviour.out_of_stock.add(zone)
    node = await world.manager().create_node(spec)
    assert world.alive() == made == {node.id}


@needs(Can.ZONES)
async def test_a_second_try_finds_what_the_first_made_in_another_zone(world: World) -> None:
    world.behaviour.out_of_stock |= set(world.zones[:-1])
    spec = world.spec()
    node = await world.manager().create_node(spec)
    world.behaviour.out_of_stock.clear()
    assert (await world.manager().create_node(spec)).id == node.id
    assert world.alive() == {node.id}


@needs(Can.ZONES, Can.CRASHES)
async def test_a_crash_at_each_step_of_a_create_over_zones_leaves_one_node(world: World) -> None:
    expected: set[str] = set()

    async def begin() -> Callable[[CloudManager], Awaitable[NodeInstance]]:
        spec = world.spec()
        world.behaviour.out_of_stock |= set(world.zones[:-1])

        async def create(manager: CloudManager) -> NodeInstance:
            node = await manager.create_node(spec)
            expected.add(node.id)
            return node

        return create

    async def check() -> None:
        assert world.alive() == expected

    await crash_everywhere(world, begin, check)


@needs(Can.QUOTA)
async def test_the_accounts_limit_is_said_at_once_and_leaves_nothing(world: World) -> None:
    world.fault(Effect.QUOTA, Step.CREATE, times=None)
    with pytest.raises(QuotaExceeded) as raised:
        await world.manager().create_node(world.spec())
    assert raised.value.advice is Advice.GIVE_UP
    assert world.count(Step.CREATE) == 1, "no other zone: the limit is the account's"
    assert world.alive() == set()
    world.mend()
    await world.manager().create_node(world.spec())


# ------------------------------------------------------------------ terminate


async def test_terminate_ends_just_this_node_and_returns_when_it_is_gone(world: World) -> None:
    manager = world.manager()
    ids = [(await manager.create_node(world.spec())).id for _ in range(3)]
    world.behaviour.stopping_looks = 3
    await manager.terminate_node(ids[1])
    machines = world.machines()
    assert ids[1] not in machines or machines[ids[1]].gone
    assert world.alive() == {ids[0], ids[2]}
    assert world.desired() == 2
    assert len(world.core()) == 3


async def test_terminate_of_what_is_gone_is_success(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    other = await manager.create_node(world.spec())
    await manager.terminate_node(node.id)
    await manager.terminate_node(node.id)
    await world.manager().terminate_node(node.id)
    assert world.alive() == {other.id}
    assert world.desired() == 1


async def test_terminate_of_what_never_was_is_success(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.terminate_node(world.unknown)
    await manager.terminate_node("no such id")
    assert world.alive() == {node.id}
    assert world.desired() == 1


async def test_terminate_twice_at_the_same_time_ends_one(world: World) -> None:
    manager = world.manager()
    ids = [(await manager.create_node(world.spec())).id for _ in range(3)]
    world.behaviour.stopping_looks = 2
    await asyncio.gather(manager.terminate_node(ids[0]), manager.terminate_node(ids[0]))
    assert world.alive() == set(ids[1:])
    assert world.desired() == 2


async def test_what_is_not_ours_is_not_ended(world: World) -> None:
    manager = world.manager()
    for foreign in world.foreign():
        with pytest.raises(Denied):
            await manager.terminate_node(foreign)
        with pytest.raises(Denied):
            await manager.terminate_core_node(foreign)
    assert world.count(Step.TERMINATE) == 0


async def test_a_core_node_is_not_ended_by_terminate_node(world: World) -> None:
    manager = world.manager()
    for node_id in world.core().values():
        with pytest.raises(Conflict):
            await manager.terminate_node(node_id)
    assert len(world.core()) == 3
    assert world.count(Step.TERMINATE) == 0


async def test_an_elastic_node_is_not_ended_by_terminate_core_node(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    with pytest.raises(Conflict):
        await manager.terminate_core_node(node.id)
    assert world.alive() == {node.id}


@needs(Can.CORE_ENDS)
async def test_a_core_node_ends_on_explicit_command(world: World) -> None:
    manager, core = world.manager(), world.core()
    world.behaviour.stopping_looks = 2
    await manager.terminate_core_node(core["node-2"])
    assert world.core().keys() == {"node-1", "node-3"}
    await manager.terminate_core_node(core["node-2"])
    assert world.core().keys() == {"node-1", "node-3"}


@needs(Can.STOPPING)
async def test_terminate_waits_no_longer_than_it_may_and_says_so(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    world.behaviour.stopping_looks = 10_000
    impatient = world.manager(wait_seconds=30)
    with pytest.raises(CloudUnavailable, match=node.id.rpartition("/")[2]):
        await impatient.terminate_node(node.id)
    assert 30 <= sum(world.clock.sleeps) < 120


@pytest.mark.parametrize("effect", [Effect.LOST_REPLY, Effect.DUPLICATE, Effect.LOST_REQUEST])
async def test_terminate_survives_what_happens_to_its_requests(world: World, effect: Effect) -> None:
    manager = world.manager()
    ids = [(await manager.create_node(world.spec())).id for _ in range(3)]
    world.fault(effect, times=None if effect is Effect.DUPLICATE else 2)
    await manager.terminate_node(ids[0])
    assert world.alive() == set(ids[1:])
    assert world.desired() == 2


@needs(Can.CRASHES)
async def test_a_crash_at_each_step_of_terminate_ends_just_this_node(world: World) -> None:
    manager = world.manager()
    stays = {(await manager.create_node(world.spec())).id}

    async def begin() -> Callable[[CloudManager], Awaitable[None]]:
        node = await manager.create_node(world.spec())
        world.behaviour.stopping_looks = 1
        return lambda manager: manager.terminate_node(node.id)

    async def check() -> None:
        assert world.alive() == stays
        assert world.desired() == 1

    await crash_everywhere(world, begin, check)


# ------------------------------------------------------------------ list and get


async def test_list_shows_every_node_of_this_cluster_and_no_other(world: World) -> None:
    ids = set(world.add(count=3))
    world.add(cluster=OTHER, count=2)
    listed = await world.manager().list_nodes()
    by_role = {role: {node.id for node in listed if node.role is role} for role in NodeRole}
    assert by_role == {NodeRole.WORKER: ids, NodeRole.CORE: set(world.core().values())}
    assert {node.node_id: node.id for node in listed if node.role is NodeRole.CORE} == world.core()
    assert all(node.state is NodeState.RUNNING for node in listed)
    assert all(node.address for node in listed), "Aether's management API is asked at it"
    for node in listed:
        assert node.created_at is None or node.created_at.tzinfo is not None
        assert node.zone in world.zones or not world.zones
    known = [node for node in listed if node.created_at]
    assert known == sorted(known, key=lambda node: (node.created_at, node.id))


@needs(Can.PAGES)
@pytest.mark.parametrize("page_size", [1, 3, 4])
async def test_list_reads_all_pages(world: World, page_size: int) -> None:
    world.behaviour.page_size = page_size
    ids = set(world.add(count=9))
    listed = [node.id for node in await world.manager().list_nodes()]
    assert len(listed) == len(set(listed)) == 12
    assert set(listed) == ids | set(world.core().values())


async def test_get_shows_one_node_as_list_does(world: World) -> None:
    manager = world.manager()
    [node_id] = world.add()
    listed = {node.id: node for node in await manager.list_nodes()}
    assert await manager.get_node(node_id) == listed[node_id]
    core = world.core()["node-1"]
    assert await manager.get_node(core) == listed[core]


async def test_get_of_what_is_not_there_or_not_ours_is_not_found(world: World) -> None:
    manager = world.manager()
    for node_id in (world.unknown, "no such id", *world.foreign()):
        with pytest.raises(NotFound):
            await manager.get_node(node_id)


@needs(Can.PENDING)
async def test_a_node_is_listed_while_it_comes(world: World) -> None:
    world.behaviour.pending_looks = 10
    manager = world.manager()
    node = await manager.create_node(world.spec())
    listed = {each.id: each.state for each in await manager.list_nodes()}
    assert listed[node.id] is NodeState.PROVISIONING


@needs(Can.INTERRUPTS)
async def test_an_announced_interruption_is_told(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec(spot=True if world.can(Can.SPOT) else None))
    assert (await manager.get_node(node.id)).interruption_at is None
    when = world.interrupt(node.id)
    listed = {each.id: each for each in await manager.list_nodes()}
    told = listed[node.id].interruption_at
    assert told is not None
    assert told.tzinfo is not None
    assert when is None or told == when
    assert (await manager.get_node(node.id)).interruption_at is not None


# ------------------------------------------------------------------ targets


@needs(Can.TARGETS)
async def test_targets_are_listed_with_what_the_load_balancer_says(world: World) -> None:
    targets = await world.manager().list_targets()
    assert [target.id for target in targets] == sorted(world.core().values())
    if world.can(Can.PROBES):
        assert {target.health for target in targets} == {TargetHealth.HEALTHY}
        sick = world.core()["node-1"]
        world.behaviour.unhealthy.add(sick)
        health = {target.id: target for target in await world.manager().list_targets()}
        assert health[sick].health is TargetHealth.UNHEALTHY
        assert [key for key, target in health.items() if target.health is TargetHealth.UNHEALTHY] == [sick]


@needs(Can.REGISTERS)
async def test_register_puts_a_node_behind_the_load_balancer_once(world: World) -> None:
    manager = world.manager()
    before = world.targets()
    node = await manager.create_node(world.spec())
    await manager.register_target(node.id)
    assert world.targets() == before | {node.id: "registered"}
    await manager.register_target(node.id)
    await world.manager().register_target(node.id)
    assert world.targets() == before | {node.id: "registered"}
    assert node.id in [target.id for target in await manager.list_targets()]


@needs(Can.TARGETS)
async def test_register_of_what_is_not_there_or_not_ours_is_not_found(world: World) -> None:
    manager, before = world.manager(), world.targets()
    for node_id in (world.unknown, "no such id", *world.foreign()):
        with pytest.raises(NotFound):
            await manager.register_target(node_id)
    assert world.targets() == before


@needs(Can.TARGETS)
async def test_deregister_returns_when_the_node_has_drained(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.register_target(node.id)
    assert world.targets()[node.id] == "registered"
    world.behaviour.drain_looks = 4
    slept = sum(world.clock.sleeps)
    await manager.deregister_target(node.id)
    assert node.id not in world.targets()
    assert sum(world.clock.sleeps) - slept >= world.drain_seconds
    assert world.alive() == {node.id}
    assert world.targets().keys() == set(world.core().values())


@needs(Can.TARGETS)
async def test_deregister_of_what_is_not_registered_is_success_at_once(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.register_target(node.id)
    await manager.deregister_target(node.id)
    slept, before = sum(world.clock.sleeps), world.targets()
    await manager.deregister_target(node.id)
    await manager.deregister_target(world.unknown)
    await manager.deregister_target("no such id")
    await manager.terminate_node(node.id)
    await manager.deregister_target(node.id)
    assert world.targets() == before
    if world.behaviour.stopping_looks == 0 and not world.drain_seconds:
        assert sum(world.clock.sleeps) == slept


@needs(Can.TARGETS, Can.DRAINS)
async def test_deregister_again_waits_for_what_still_drains(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.register_target(node.id)
    world.behaviour.drain_looks = 10_000
    with pytest.raises(CloudUnavailable):
        await world.manager(wait_seconds=10).deregister_target(node.id)
    assert world.targets()[node.id] == "draining"
    draining = {target.id: target.health for target in await manager.list_targets()}
    assert draining[node.id] is TargetHealth.DRAINING
    with pytest.raises(CloudUnavailable):
        await world.manager(wait_seconds=10).deregister_target(node.id)


@needs(Can.TARGETS)
@pytest.mark.parametrize("effect", [Effect.LOST_REPLY, Effect.DUPLICATE, Effect.LOST_REQUEST])
async def test_targets_survive_what_happens_to_their_requests(world: World, effect: Effect) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    times = None if effect is Effect.DUPLICATE else 2
    world.fault(effect, times=times)
    await manager.register_target(node.id)
    assert world.targets()[node.id] == "registered"
    world.mend()
    world.fault(effect, times=times)
    await manager.deregister_target(node.id)
    assert node.id not in world.targets()
    assert world.targets().keys() == set(world.core().values())


@needs(Can.TARGETS, Can.REGISTERS, Can.CRASHES)
async def test_a_crash_at_each_step_of_register_and_deregister_is_made_good(world: World) -> None:
    core = set(world.core().values())
    node = await world.manager().create_node(world.spec())
    world.behaviour.drain_looks = 1

    async def both(manager: CloudManager) -> None:
        await manager.register_target(node.id)
        assert world.targets()[node.id] == "registered"
        await manager.deregister_target(node.id)

    async def begin() -> Callable[[CloudManager], Awaitable[None]]:
        return both

    async def check() -> None:
        assert world.targets().keys() == core

    await crash_everywhere(world, begin, check)


@needs(Can.TARGETS)
async def test_without_a_load_balancer_there_is_nothing_to_do(world: World) -> None:
    manager = world.manager(world.settings(**world.no_balancer))
    node = await manager.create_node(world.spec())
    before = world.count(Step.REGISTER, Step.DEREGISTER)
    await manager.register_target(node.id)
    await manager.deregister_target(node.id)
    assert await manager.list_targets() == []
    assert world.count(Step.REGISTER, Step.DEREGISTER) == before


# ------------------------------------------------------------------ DNS


@needs(Can.DNS)
async def test_a_record_becomes_what_it_shall_be(world: World) -> None:
    manager, before = world.manager(), world.records()
    await manager.update_dns_record(RECORD)
    assert world.records() == before | {(RECORD.name, "A"): (RECORD.values, 30)}
    changed = DnsRecord(name=RECORD.name, type="A", values=("10.0.0.3",), ttl_seconds=60)
    await manager.update_dns_record(changed)
    await world.manager().update_dns_record(changed)
    assert world.records() == before | {(RECORD.name, "A"): (("10.0.0.3",), 60)}


@needs(Can.DNS)
async def test_records_of_every_type(world: World) -> None:
    manager, before = world.manager(), world.records()
    records = [
        RECORD,
        DnsRecord(name=f"six.{DOMAIN}", type="AAAA", values=("2001:db8::1",)),
        DnsRecord(name=f"alias.{DOMAIN}", type="CNAME", values=("nodes.example.net",)),
        DnsRecord(name=f"text.{DOMAIN}", type="TXT", values=('says "hello" to\\all', "two")),
        DnsRecord(name=DOMAIN, type="TXT", values=("at the top",)),
    ]
    for record in records:
        await manager.update_dns_record(record)
        await manager.update_dns_record(record)
    wanted = {(each.name, each.type): (each.values, each.ttl_seconds) for each in records}
    assert world.records() == before | wanted
    for record in records:
        await manager.update_dns_record(DnsRecord(name=record.name, type=record.type, values=()))
    assert world.records() == before


@needs(Can.DNS)
async def test_a_record_without_values_is_removed_and_removing_it_again_is_success(world: World) -> None:
    manager, before = world.manager(), world.records()
    other = DnsRecord(name=RECORD.name, type="TXT", values=("stays",))
    await manager.update_dns_record(RECORD)
    await manager.update_dns_record(other)
    gone = DnsRecord(name=RECORD.name, type="A", values=())
    await manager.update_dns_record(gone)
    await manager.update_dns_record(gone)
    assert world.records() == before | {(other.name, "TXT"): (other.values, 60)}
    await manager.update_dns_record(DnsRecord(name=f"never.was.{DOMAIN}", type="A", values=()))


@needs(Can.DNS_PENDING)
async def test_a_change_of_dns_returns_when_the_cloud_has_taken_it(world: World) -> None:
    world.behaviour.dns_looks = 3
    await world.manager().update_dns_record(RECORD)
    assert len(world.clock.sleeps) >= 3
    world.behaviour.dns_looks = 10_000
    with pytest.raises(CloudUnavailable):
        await world.manager(wait_seconds=10).update_dns_record(
            DnsRecord(name=f"b.{DOMAIN}", type="A", values=("10.0.0.9",))
        )


@needs(Can.DNS)
@pytest.mark.parametrize("effect", [Effect.LOST_REPLY, Effect.DUPLICATE, Effect.LOST_REQUEST])
async def test_dns_survives_what_happens_to_its_requests(world: World, effect: Effect) -> None:
    manager, before = world.manager(), world.records()
    for record in (RECORD, DnsRecord(name=RECORD.name, type="A", values=())):
        world.fault(effect, times=None if effect is Effect.DUPLICATE else 2)
        await manager.update_dns_record(record)
        world.mend()
        wanted = {(record.name, "A"): (record.values, record.ttl_seconds)} if record.values else {}
        assert world.records() == before | wanted


@needs(Can.DNS)
@pytest.mark.parametrize("name", ["aether.example.net", "notexample.com", "com"])
async def test_a_record_that_is_not_below_the_zone_is_not_found(world: World, name: str) -> None:
    before = world.records()
    with pytest.raises(NotFound):
        await world.manager().update_dns_record(DnsRecord(name=name, type="A", values=("10.0.0.1",)))
    assert world.records() == before
    assert world.count(Step.DNS) == 0


async def test_without_a_zone_a_record_is_not_found(world: World) -> None:
    manager = world.manager(world.settings(dns={"zone_id": None, "domain": None}))
    with pytest.raises(NotFound):
        await manager.update_dns_record(RECORD)


# ------------------------------------------------------------------ errors, retries, patience


@pytest.mark.parametrize(
    ("effect", "error", "advice"),
    [
        (Effect.THROTTLED, Throttled, Advice.RETRY),
        (Effect.UNAVAILABLE, CloudUnavailable, Advice.RETRY),
        (Effect.LOST_REQUEST, CloudUnavailable, Advice.RETRY),
        (Effect.CONFLICT, Conflict, Advice.RETRY),
        (Effect.DENIED, Denied, Advice.GIVE_UP),
        (Effect.INVALID, InvalidRequest, Advice.GIVE_UP),
    ],
    ids=lambda value: str(getattr(value, "value", "")),
)
async def test_each_fault_has_its_error_and_is_tried_as_often_as_it_is_worth(
    world: World, effect: Effect, error: type[CloudError], advice: Advice
) -> None:
    """That nothing but our own tries is on the way shows that the SDK's own retries are off."""
    manager = world.manager(tries=3)
    spec = world.spec()
    world.fault(effect, Step.CREATE, times=None)
    with pytest.raises(error) as raised:
        await manager.create_node(spec)
    assert type(raised.value) is error
    assert raised.value.advice is advice
    assert raised.value.message
    assert world.count(Step.CREATE) == (3 if advice is Advice.RETRY else 1)
    world.mend()
    node = await manager.create_node(spec)
    assert world.alive() == {node.id}


async def test_a_create_whose_every_reply_is_lost_is_found_by_looking_or_fails_as_ours(world: World) -> None:
    manager = world.manager(tries=3)
    spec = world.spec()
    world.fault(Effect.LOST_REPLY, Step.CREATE, times=None)
    try:
        found = await manager.create_node(spec)
    except CloudUnavailable:
        assert world.count(Step.CREATE) == 3
    else:
        assert world.alive() == {found.id}, "a manager that looks before it tries again may find it"
    world.mend()
    node = await manager.create_node(spec)
    assert world.alive() == {node.id}


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (Effect.THROTTLED, Throttled),
        (Effect.UNAVAILABLE, CloudUnavailable),
        (Effect.LOST_REPLY, CloudUnavailable),
        (Effect.DENIED, Denied),
    ],
    ids=lambda value: str(getattr(value, "value", "")),
)
async def test_looking_fails_with_an_error_of_ours_too(
    world: World, effect: Effect, error: type[CloudError]
) -> None:
    manager = world.manager(tries=2)
    world.fault(effect, times=None)
    core = world.core()["node-1"]
    looks: list[Callable[[], Awaitable[object]]] = [manager.list_nodes, lambda: manager.get_node(core)]
    if world.can(Can.TARGETS):
        looks.append(manager.list_targets)
    for look in looks:
        before = world.count()
        with pytest.raises(error) as raised:
            await look()
        assert type(raised.value) is error
        assert world.count() - before == (1 if error is Denied else 2)


async def test_a_storm_of_throttling_and_passing_faults_is_sat_out(world: World) -> None:
    manager = world.manager(tries=8)
    for effect in (Effect.THROTTLED, Effect.UNAVAILABLE, Effect.LOST_REQUEST, Effect.THROTTLED):
        world.fault(effect, times=1)
    node = await manager.create_node(world.spec())
    for effect in (Effect.THROTTLED, Effect.UNAVAILABLE, Effect.LOST_REPLY):
        world.fault(effect, times=2)
    await manager.terminate_node(node.id)
    assert world.alive() == set()


@needs(Can.RETRY_AFTER)
async def test_retry_after_is_honoured(world: World) -> None:
    world.fault(Effect.THROTTLED, Step.CREATE, retry_after=17)
    await world.manager().create_node(world.spec())
    assert max(world.clock.sleeps) >= 17


@needs(Can.RETRY_AFTER)
async def test_a_retry_after_past_our_patience_is_not_waited_for(world: World) -> None:
    world.fault(Effect.THROTTLED, Step.CREATE, retry_after=3600, times=None)
    with pytest.raises(Throttled) as raised:
        await world.manager().create_node(world.spec())
    assert raised.value.retry_after_seconds == 3600
    assert sum(world.clock.sleeps) < 3600
    assert world.count(Step.CREATE) == 1


async def test_patience_has_an_end(world: World) -> None:
    world.fault(Effect.UNAVAILABLE, times=None)
    manager = world.manager(tries=100, budget_seconds=60)
    with pytest.raises(CloudUnavailable):
        await manager.list_nodes()
    assert sum(world.clock.sleeps) <= 60


async def test_without_credentials_it_is_denied_with_a_word_of_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in world.credentials:
        monkeypatch.delenv(name, raising=False)
    for name, value in world.no_credentials.items():
        monkeypatch.setenv(name, value)
    if not world.credentials:
        return
    with pytest.raises(Denied, match="credentials"):
        await world.manager().list_nodes()
    assert world.count() == 0


# ------------------------------------------------------------------ rights


async def test_the_rights_that_are_declared_are_those_that_are_needed(world: World) -> None:
    """Too few are found by every test, at its end."""
    if world.rights is None:
        return
    manager = world.manager()
    nodes = [await manager.create_node(world.spec()) for _ in range(2)]
    if world.can(Can.SPOT):
        nodes += [await manager.create_node(world.spec(spot=spot)) for spot in (True, False)]
    world.behaviour.stopping_looks = world.behaviour.drain_looks = world.behaviour.dns_looks = 1
    await manager.list_nodes()
    await manager.get_node(nodes[0].id)
    await manager.list_targets()
    for _ in range(2):
        await manager.register_target(nodes[0].id)
        await manager.deregister_target(nodes[0].id)
    if world.can(Can.DNS):
        await manager.update_dns_record(RECORD)
        await manager.update_dns_record(DnsRecord(name=RECORD.name, type="A", values=()))
    for node in nodes:
        await manager.terminate_node(node.id)
    with suppress(Conflict):
        await manager.terminate_core_node(world.core()["node-3"])
    assert world.rights - world.rights_used() == world.unneeded


def test_a_token_is_fit_for_a_name() -> None:
    token = new_token()
    assert NodeSpec(token=token).token == token
    assert token[0].isalpha()
    assert len(token) <= 36
