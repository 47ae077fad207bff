"""What only AWS has: its codes, tokens that hold for one subnet, spot notices, Route 53's texts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions as sdk
from cloud_world import DOMAIN, Effect, Step, World, only

from aether_infra.errors import ConfigError
from aether_infra.runtime.aws.errors import CODES, HINTS, translate
from aether_infra.runtime.aws.place import Ec2Place, EcsPlace
from aether_infra.runtime.errors import (
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
from aether_infra.runtime.model import DnsRecord, NodeState
from aether_infra.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from fake_aws import FakeAws

pytestmark = pytest.mark.anyio


def refusal(code: str, status: int = 400, message: str = "no", **headers: str) -> CloudError:
    """What an answer of AWS becomes."""
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    error = translate(sdk.ClientError(answer, "RunInstances"), "creating n1")
    assert error is not None
    return error


def cloud(world: World) -> FakeAws:
    """The fake behind a world."""
    fake: FakeAws = world.cloud  # type: ignore[attr-defined]
    return fake


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_every_code_has_its_error(code: str, kind: type[CloudError]) -> None:
    error = refusal(code, status=400)
    assert type(error) is kind
    assert error.code == code
    assert str(error).startswith("creating n1: no")
    assert (HINTS.get(code, "") in str(error)) is True


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (403, Denied),
        (404, NotFound),
        (409, Conflict),
        (418, InvalidRequest),
        (429, Throttled),
        (500, CloudUnavailable),
        (503, CloudUnavailable),
    ],
)
def test_a_code_that_nobody_knows_goes_by_its_status(status: int, kind: type[CloudError]) -> None:
    assert type(refusal("BrandNew", status)) is kind


def test_every_hint_is_of_a_code_that_is_known() -> None:
    assert HINTS.keys() <= CODES.keys()


def test_a_message_is_one_line_without_what_only_aws_can_read() -> None:
    text = "You are not authorized.\n Encoded authorization failure message: " + "x" * 2000
    assert str(refusal("UnauthorizedOperation", 403, text)) == (
        "creating n1: You are not authorized. [UnauthorizedOperation]"
    )
    assert len(str(refusal("InvalidParameterValue", message="y" * 5000))) < 500


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0.5", 0.5, 0.5),
        ("soon", None, None),
        ("", None, None),
        ("date", 50, 60),
        ("past", 0, 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str, least: float | None, most: float | None) -> None:
    dates = {
        "date": datetime.now(UTC) + timedelta(seconds=60),
        "past": datetime.now(UTC) - timedelta(hours=1),
    }
    text = format_datetime(dates[header], usegmt=True) if header in dates else header
    told = refusal("Throttling", 400, **{"retry-after": text}).retry_after_seconds
    if least is None or most is None or told is None:
        assert told is least is most
    else:
        assert least <= told <= most


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (sdk.NoCredentialsError(), Denied, "AWS_PROFILE"),
        (sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), Denied, "SECRET"),
        (sdk.ProfileNotFound(profile="prod"), Denied, "prod"),
        (sdk.EndpointConnectionError(endpoint_url="https://ec2.x"), CloudUnavailable, r"ec2\.x.*the region"),
        (sdk.ReadTimeoutError(endpoint_url="https://ec2.x"), CloudUnavailable, "no answer"),
        (sdk.ParamValidationError(report="bad"), InvalidRequest, "bad"),
        (sdk.NoRegionError(), InvalidRequest, "region"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors_before_there_is_an_answer(error: Exception, kind: type[CloudError], word: str) -> None:
    told = translate(error, "listing")
    assert type(told) is kind
    with pytest.raises(kind, match=word):
        raise told


def test_a_fault_of_our_own_is_not_taken_for_one_of_the_cloud() -> None:
    assert translate(KeyError("x"), "listing") is None


@only("aws-ec2")
async def test_a_profile_that_there_is_not_is_said_in_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    with pytest.raises(
        Denied, match=r"signing in to AWS: .*\(The config profile \(prod\) could not be found\)"
    ):
        world.manager()


@only("aws-ec2")
async def test_an_endpoint_that_nobody_listens_at_is_unavailable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9")
    with pytest.raises(CloudUnavailable, match="no answer from AWS") as raised:
        await world.manager(tries=2).list_nodes()
    assert raised.value.code == "EndpointConnectionError"
    assert len(world.clock.sleeps) == 1


# ------------------------------------------------------------------ settings


def problems(place: Any, settings: RuntimeSettings) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        place.of(settings)
    return [str(problem) for problem in raised.value.problems]


@only("aws-ec2")
async def test_every_lack_of_the_settings_is_told(world: World) -> None:
    assert problems(
        Ec2Place, world.settings(launch_template_id=None, subnet_ids="subnet-1", target_group_arns=[1])
    ) == [
        "runtime.launch_template_id: is missing",
        'runtime.subnet_ids: must be a list of ids, got "subnet-1"',
        "runtime.target_group_arns: must be an object of ARNs, got a list",
    ]
    assert problems(EcsPlace, world.settings(ecs_elastic_service=3, ecs_cluster_arn=["x"])) == [
        "runtime.ecs_cluster_arn: must be text, got a list",
        "runtime.ecs_elastic_service: must be text, got 3",
        "runtime.ecs_core_services: must name each core node's service, got None",
    ]


# ------------------------------------------------------------------ creation


@only("aws-ec2")
async def test_a_token_whose_parameters_have_changed_still_finds_its_instance(world: World) -> None:
    """As after an upgrade between two tries, while EC2 does not show the instance yet."""
    spec = world.spec(zone=world.zones[0])
    node = await world.manager().create_node(spec)
    cloud(world).instances[node.id].hidden_lists = 3
    changed = world.settings(tags={"aether-cluster": "aether", "team": "new"})
    again = await world.manager(changed).create_node(spec)
    assert again.id == node.id
    assert world.alive() == {node.id}


@only("aws-ec2")
async def test_a_token_of_what_has_ended_and_is_not_shown_any_more_makes_no_other(world: World) -> None:
    spec = world.spec()
    node = await world.manager().create_node(spec)
    await world.manager().terminate_node(node.id)
    cloud(world).instances[node.id].hidden_lists = 10_000
    again = await world.manager().create_node(spec)
    assert again.state is NodeState.TERMINATED
    assert again.token == spec.token
    assert world.alive() == set()
    await world.manager().terminate_node(again.id)


@only("aws-ec2")
async def test_of_two_instances_of_one_token_the_older_stays(world: World) -> None:
    """Two zones have answered: a lost reply in the one, while the other was tried by a second process."""
    spec = world.spec()
    first = await world.manager().create_node(spec)
    tags = dict(world.machines()[first.id].tags)
    second = cloud(world).add(zone=world.zones[0], tags=tags)
    assert (await world.manager().create_node(spec)).id == first.id
    assert world.alive() == {first.id}
    assert second.state == "terminated"


@only("aws-ec2")
async def test_a_try_of_unknown_outcome_is_repeated_in_its_zone_though_that_is_out_of_stock_by_now(
    world: World,
) -> None:
    """Without it the retry would go on to another zone, and EC2 does not show yet what the first has made."""
    manager, spec = world.manager(tries=1), world.spec()
    world.behaviour.hidden_lists = 50
    world.fault(Effect.LOST_REPLY, Step.CREATE)
    with pytest.raises(CloudUnavailable):
        await manager.create_node(spec)
    [made] = world.alive()
    zone = world.machines()[made].zone
    world.behaviour.out_of_stock.add(zone)
    with pytest.raises(CapacityUnavailable):
        await manager.create_node(world.spec(zone=zone))
    assert (await manager.create_node(spec)).id == made
    assert world.alive() == {made}


@only("aws-ec2")
async def test_no_room_says_where_and_why_and_when_again(world: World) -> None:
    world.behaviour.out_of_stock |= set(world.zones)
    manager = world.manager()
    with pytest.raises(CapacityUnavailable) as raised:
        await manager.create_node(world.spec(size="c6i.large", spot=True))
    assert raised.value.code == "InsufficientInstanceCapacity"
    for zone in world.zones:
        assert zone in str(raised.value)
    assert "c6i.large on spot" in str(raised.value)
    with pytest.raises(
        CapacityUnavailable, match=r"no zone had room for c6i\.large on spot lately"
    ) as raised:
        await manager.create_node(world.spec(size="c6i.large", spot=True))
    assert raised.value.retry_after_seconds == 180
    world.behaviour.out_of_stock.clear()
    await manager.create_node(world.spec())
    assert len(world.alive()) == 1, "another size is not out of stock"


@only("aws-ec2")
async def test_an_instance_cannot_leave_the_spot_capacity_of_its_template(world: World) -> None:
    cloud(world).spot_template = True
    manager = world.manager()
    assert (await manager.create_node(world.spec())).spot
    with pytest.raises(InvalidRequest, match="the launch template asks for spot capacity"):
        await manager.create_node(world.spec(spot=False))


@only("aws-ec2")
async def test_a_foreign_template_says_which_account_and_region_to_look_at(world: World) -> None:
    manager = world.manager(world.settings(launch_template_id="lt-00000000000000000"))
    with pytest.raises(InvalidRequest, match="are the outputs those of this account and region"):
        await manager.create_node(world.spec())


@only("aws-ec2")
async def test_many_at_the_same_time_share_their_looks(world: World) -> None:
    manager = world.manager()
    world.behaviour.stopping_looks = 2
    nodes = await asyncio.gather(*(manager.create_node(world.spec()) for _ in range(40)))
    assert len(world.alive()) == 40
    assert world.count(Step.CREATE) == 40
    assert sum(call.operation == "DescribeSubnets" for call in world.calls()) == 1  # type: ignore[attr-defined]
    assert world.count(Step.LIST) < 40, "looked for before and after, in bundles"
    before = world.count(Step.LIST)
    await asyncio.gather(*(manager.terminate_node(node.id) for node in nodes))
    assert world.alive() == set()
    assert world.count(Step.LIST) - before < 80


@only("aws-ec2")
async def test_a_look_that_fails_fails_for_all_who_share_it_and_for_nobody_later(world: World) -> None:
    manager = world.manager(tries=1)
    node = await manager.create_node(world.spec())
    world.fault(Effect.UNAVAILABLE, Step.LIST)
    told = await asyncio.gather(*(manager.get_node(node.id) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [CloudUnavailable] * 3
    assert (await manager.get_node(node.id)).id == node.id


@only("aws-ec2")
async def test_who_shares_a_look_does_not_lose_it_when_another_is_cancelled(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    first = asyncio.create_task(manager.get_node(node.id))
    second = asyncio.create_task(manager.get_node(node.id))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).id == node.id


# ------------------------------------------------------------------ listing and ending


@only("aws-ec2")
async def test_a_page_that_fails_is_read_again_alone(world: World) -> None:
    world.add(count=7)
    world.behaviour.page_size = 2
    world.fault(Effect.THROTTLED, Step.LIST, skip=2)
    assert len(await world.manager().list_nodes()) == 10
    assert world.count(Step.LIST) == 6


@only("aws-ec2")
async def test_what_has_the_clusters_tag_and_no_role_is_no_node(world: World) -> None:
    other = cloud(world).add(zone=world.zones[0], tags={"aether-cluster": "aether", "Name": "bastion"})
    manager = world.manager()
    assert other.id not in {node.id for node in await manager.list_nodes()}
    with pytest.raises(NotFound):
        await manager.get_node(other.id)
    with pytest.raises(Denied):
        await manager.terminate_node(other.id)
    assert other.state == "running"


@only("aws-ec2")
async def test_a_protected_core_node_is_left_alone_and_it_is_said_how_to_lift_that(world: World) -> None:
    core = world.core()["node-1"]
    cloud(world).instances[core].protected = True
    with pytest.raises(Denied, match="`protect = false`"):
        await world.manager().terminate_core_node(core)
    assert "node-1" in world.core()


@only("aws-ec2")
@pytest.mark.parametrize(
    ("code", "description", "told"),
    [
        ("instance-retirement", "The instance is running on degraded hardware", True),
        ("instance-stop", "The instance is running on degraded hardware", True),
        ("instance-retirement", "[Completed] The instance is running on degraded hardware", False),
        ("instance-retirement", "[Canceled] not after all", False),
        ("system-reboot", "The instance is scheduled for a reboot", False),
    ],
)
async def test_a_scheduled_end_is_an_interruption(
    world: World, code: str, description: str, *, told: bool
) -> None:
    [node_id] = world.add()
    when = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    cloud(world).instances[node_id].event = (code, when, description)
    node = await world.manager().get_node(node_id)
    assert node.interruption_at == (when if told else None)


# ------------------------------------------------------------------ targets


@only("aws-ec2")
async def test_register_waits_until_the_instance_runs(world: World) -> None:
    world.behaviour.pending_looks = 4
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.register_target(node.id)
    assert world.targets()[node.id] == "registered"
    assert world.count(Step.REGISTER) == 2, "once for each target group"


@only("aws-ec2")
async def test_register_of_what_has_ended_is_not_found(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.terminate_node(node.id)
    with pytest.raises(NotFound, match="has ended"):
        await manager.register_target(node.id)


@only("aws-ec2")
async def test_of_several_target_groups_the_worst_counts(world: World) -> None:
    first, second = cloud(world).groups.values()
    core = sorted(world.core().values())
    second[core[0]] = 5
    del first[core[1]]
    health = {target.id: target.health.value for target in await world.manager().list_targets()}
    assert health == {core[0]: "draining", core[1]: "healthy", core[2]: "healthy"}


# ------------------------------------------------------------------ DNS


@only("aws-ec2")
async def test_a_wildcard_is_found_though_route_53_writes_it_otherwise(world: World) -> None:
    manager, before = world.manager(), world.records()
    await manager.update_dns_record(DnsRecord(name=f"*.{DOMAIN}", type="A", values=("10.0.0.1",)))
    assert (rf"\052.{DOMAIN}", "A") in world.records()
    await manager.update_dns_record(DnsRecord(name=f"*.{DOMAIN}", type="A", values=()))
    assert world.records() == before


@only("aws-ec2")
async def test_a_record_is_found_behind_others_and_no_other_is_taken_for_it(world: World) -> None:
    manager = world.manager()
    for name in ("a", "b", "c"):
        await manager.update_dns_record(DnsRecord(name=f"{name}.{DOMAIN}", type="A", values=("10.0.0.1",)))
    world.behaviour.page_size = 1
    await manager.update_dns_record(DnsRecord(name=f"b.{DOMAIN.upper()}.", type="A", values=()))
    await manager.update_dns_record(DnsRecord(name=f"bb.{DOMAIN}", type="A", values=()))
    assert {name for name, _ in world.records()} == {DOMAIN, f"a.{DOMAIN}", f"c.{DOMAIN}"}


@only("aws-ec2")
async def test_long_and_foreign_text_is_stored_in_pieces_of_bytes(world: World) -> None:
    name = f"text.{DOMAIN}"
    await world.manager().update_dns_record(DnsRecord(name=name, type="TXT", values=("x" * 254 + "ü",)))
    [stored] = cloud(world).records[f"{name}.", "TXT"]["ResourceRecords"]
    assert stored["Value"] == '"' + "x" * 254 + r'\303" "\274"'


@only("aws-ec2")
async def test_a_zone_of_another_account_is_said(world: World) -> None:
    manager = world.manager(world.settings(dns={"zone_id": "ZOTHER", "domain": DOMAIN}))
    with pytest.raises(InvalidRequest, match="are the outputs those of this account"):
        await manager.update_dns_record(DnsRecord(name=DOMAIN, type="A", values=("10.0.0.1",)))


@only("aws-ec2")
async def test_what_changes_in_between_is_not_deleted_blindly(world: World) -> None:
    """A deletion names what it deletes: what somebody has set since it was read stays, and it is said."""
    manager = world.manager(tries=1)
    name = f"raced.{DOMAIN}"
    await manager.update_dns_record(DnsRecord(name=name, type="A", values=("10.0.0.1",)))
    fake = cloud(world)
    change = fake.do_ChangeResourceRecordSets

    def raced(**given: Any) -> Any:
        fake.records[f"{name}.", "A"]["ResourceRecords"] = [{"Value": "10.0.0.2"}]
        return change(**given)

    fake.do_ChangeResourceRecordSets = raced  # type: ignore[method-assign]
    with pytest.raises(InvalidRequest):
        await manager.update_dns_record(DnsRecord(name=name, type="A", values=()))
    assert world.records()[name, "A"][0] == ("10.0.0.2",)


@only("aws-ec2")
async def test_quota_of_spot_is_a_quota(world: World) -> None:
    assert type(refusal("MaxSpotInstanceCountExceeded")) is QuotaExceeded
    world.fault(Effect.QUOTA, Step.CREATE)
    with pytest.raises(QuotaExceeded):
        await world.manager().create_node(world.spec(spot=True))
