"""What only DigitalOcean has: one error body for everything, tags that are texts, droplets that come twice."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from cloud_world import CLUSTER, Effect, Step, World, only

from aether_infra.errors import ConfigError
from aether_infra.runtime.digitalocean.errors import IDS, refused, translate
from aether_infra.runtime.digitalocean.manager import Place
from aether_infra.runtime.digitalocean.session import client
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudError,
    CloudUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
)
from aether_infra.runtime.retry import Patience

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("creating this/these droplet(s) will exceed your droplet limit", QuotaExceeded),
        ("Size is not available in this region.", CapacityUnavailable),
        ("Droplet already has a pending event.", Conflict),
        ("You specified an invalid image for Droplet creation.", InvalidRequest),
    ],
)
def test_what_is_unprocessable_is_told_apart_by_its_message(message: str, kind: type[CloudError]) -> None:
    error = refused({"id": "unprocessable_entity", "message": message, "request_id": "1"}, "creating n1")
    assert type(error) is kind
    assert str(error) == f"creating n1: {message} [unprocessable_entity]"


@pytest.mark.parametrize(("identity", "kind"), IDS.items())
def test_every_id_has_its_error(identity: str, kind: type[CloudError]) -> None:
    assert type(refused({"id": identity, "message": "no"}, "x")) is kind


def test_an_answer_that_is_no_error_is_none() -> None:
    assert refused({"droplet": {"id": 1, "message": "?"}}, "x") is None
    assert refused(None, "x") is None


def test_errors_of_the_line_and_of_ours() -> None:
    assert isinstance(translate(ServiceRequestError("refused"), "x"), CloudUnavailable)
    assert isinstance(translate(HttpResponseError("bad gateway"), "x"), CloudUnavailable)
    assert translate(KeyError("ours"), "x") is None


def test_a_token_goes_to_nobody_in_the_clear() -> None:
    with pytest.raises(Denied, match=r"must be https, got http://api\.example\.com"):
        client(Patience(), {"DIGITALOCEAN_TOKEN": "t", "DIGITALOCEAN_API_URL": "http://api.example.com"})
    with pytest.raises(Denied, match=r"credentials.*DIGITALOCEAN_TOKEN or DIGITALOCEAN_ACCESS_TOKEN"):
        client(Patience(), {})


@only("digitalocean")
async def test_settings_without_a_template_are_refused_with_all_that_is_missing(world: World) -> None:
    with pytest.raises(ConfigError) as raised:
        Place.of(world.settings(machine_template={"size": "s-1vcpu-1gb"}))
    assert [problem.path.rpartition(".")[2] for problem in raised.value.problems] == [
        "image",
        "user_data",
        "vpc_id",
    ]


@only("digitalocean")
async def test_of_two_droplets_of_one_token_the_younger_ends(world: World) -> None:
    world.fault(Effect.DUPLICATE, Step.CREATE)
    node = await world.manager().create_node(world.spec())
    assert world.alive() == {node.id}
    assert node.id == min(
        key for key, each in world.machines().items() if each.mine and "aether-token" in each.tags
    )


@only("digitalocean")
async def test_tags_of_one_droplet_do_not_outlive_it(world: World) -> None:
    manager = world.manager()
    node = await manager.create_node(world.spec())
    await manager.register_target(node.id)
    await manager.deregister_target(node.id)
    await manager.terminate_node(node.id)
    tags: set[str] = world.server.cloud.tags  # type: ignore[attr-defined]
    assert f"aether-cluster:{CLUSTER}" in tags
    assert not [tag for tag in tags if tag.startswith(("aether-token", "aether-deregistered"))]


def test_not_found_is_an_answer() -> None:
    assert isinstance(refused({"id": "not_found", "message": "gone"}, "x"), NotFound)
