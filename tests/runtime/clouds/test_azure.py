"""What only Azure has: codes that count and not statuses, machines that fail after they were taken."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from cloud_world import Effect, Step, World, only

from aether_infra.errors import ConfigError
from aether_infra.runtime.azure.dns import zone
from aether_infra.runtime.azure.errors import CODES, of_code, translate
from aether_infra.runtime.azure.place import Place
from aether_infra.runtime.azure.session import ADDRESS, options
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
)
from aether_infra.runtime.retry import Patience

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_every_code_has_its_error_whatever_the_status(code: str, kind: type[Exception]) -> None:
    assert type(of_code(code, "x", status=409)) is kind


def test_a_code_that_is_not_known_goes_by_its_status() -> None:
    assert type(of_code("SomethingNew", "x", status=503)) is CloudUnavailable
    assert type(of_code("SomethingNew", "x", status=409)) is Conflict
    assert type(of_code("SomethingNew", "x", status=418)) is InvalidRequest


def test_errors_of_the_line_of_credentials_and_of_ours() -> None:
    assert type(translate(ServiceRequestError("refused"), "x")) is CloudUnavailable
    denied = translate(ClientAuthenticationError("none of the ways worked"), "listing machines")
    assert type(denied) is Denied
    assert "no credentials for Azure" in str(denied)
    assert translate(KeyError("ours"), "x") is None


def test_credentials_go_to_nobody_in_the_clear() -> None:
    with pytest.raises(Denied, match=r"must be https, got http://arm\.example\.com"):
        options(Patience(), {ADDRESS: "http://arm.example.com"})


@only("azure")
async def test_a_machine_that_could_not_be_made_is_taken_away_before_another_zone_is_tried(
    world: World,
) -> None:
    world.behaviour.out_of_stock |= {"1", "2"}
    manager = world.manager()
    for _ in range(4):
        node = await manager.create_node(world.spec())
        assert node.zone == "3"
    names = set(world.server.cloud.machines)  # type: ignore[attr-defined]
    assert len([name for name in names if "elastic" in name]) == 4
    with pytest.raises(CapacityUnavailable, match="sufficient capacity"):
        await world.manager().create_node(world.spec(zone="1"))
    assert set(world.server.cloud.machines) == names  # type: ignore[attr-defined]


@only("azure")
async def test_a_quota_of_cores_is_no_lack_of_capacity(world: World) -> None:
    world.fault(Effect.QUOTA, Step.CREATE)
    with pytest.raises(QuotaExceeded, match="Total Regional Cores"):
        await world.manager().create_node(world.spec())


@only("azure")
async def test_settings_without_what_is_needed_are_refused_with_all_of_it(world: World) -> None:
    with pytest.raises(ConfigError) as raised:
        Place.of(world.settings(subscription_id="", machine_template={"vm_size": "Standard_D4s_v3"}))
    paths = [problem.path for problem in raised.value.problems]
    assert paths == [
        "runtime.subscription_id",
        "runtime.machine_template.admin_username",
        "runtime.machine_template.ssh_public_key",
        "runtime.machine_template.custom_data",
        "runtime.machine_template.image",
    ]


@only("azure")
async def test_an_id_that_is_none_of_a_zone_is_told(world: World) -> None:
    with pytest.raises(NotFound, match="the id of the DNS zone is none: example"):
        zone(world.settings(dns={"zone_id": "example"}), Patience())
