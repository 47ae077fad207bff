"""What only Oracle Cloud has: capacity that is an internal error, and things that one may not see."""

from __future__ import annotations

from pathlib import Path

import oci
import pytest
from cloud_world import World, only
from requests.exceptions import ConnectionError as NoConnection

from aether_infra.errors import ConfigError
from aether_infra.runtime.errors import CapacityUnavailable, CloudUnavailable, Denied, InvalidRequest
from aether_infra.runtime.oracle.errors import CODES, translate
from aether_infra.runtime.oracle.place import Place
from aether_infra.runtime.oracle.session import arguments
from aether_infra.runtime.retry import Patience

pytestmark = pytest.mark.anyio


def refusal(status: int, code: str, message: str) -> oci.exceptions.ServiceError:
    return oci.exceptions.ServiceError(status, code, {}, message)


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_every_code_has_its_error(code: str, kind: type[Exception]) -> None:
    assert type(translate(refusal(400, code, "because"), "x")) is kind


def test_no_room_is_an_internal_error_that_says_so() -> None:
    full = translate(refusal(500, "InternalError", "Out of host capacity."), "creating n1")
    assert type(full) is CapacityUnavailable
    assert str(full) == "creating n1: Out of host capacity. [InternalError]"
    assert type(translate(refusal(500, "InternalError", "An error"), "x")) is CloudUnavailable
    assert type(translate(refusal(418, "Teapot", "no"), "x")) is InvalidRequest
    assert type(translate(NoConnection("refused"), "x")) is CloudUnavailable
    assert translate(KeyError("ours"), "x") is None


def test_without_credentials_it_is_denied(tmp_path: Path) -> None:
    with pytest.raises(Denied, match="no credentials for Oracle Cloud"):
        arguments("eu-frankfurt-1", Patience(), {"HOME": str(tmp_path)})
    (tmp_path / "config").write_text("[DEFAULT]\nuser=me\n", encoding="utf-8")
    with pytest.raises(Denied, match="no credentials for Oracle Cloud"):
        arguments("eu-frankfurt-1", Patience(), {"OCI_CLI_CONFIG_FILE": str(tmp_path / "config")})


@only("oracle")
async def test_backends_get_the_port_of_what_they_are_for(world: World) -> None:
    place = Place.of(world.settings())
    assert place.backend_sets == {"application": 8070, "management": 8080}
    closed = world.settings(ports={"management": 8080, "cluster": 8090, "application": None})
    assert Place.of(closed).backend_sets == {"management": 8080}


@only("oracle")
async def test_settings_without_what_is_needed_are_refused_with_all_of_it(world: World) -> None:
    with pytest.raises(ConfigError) as raised:
        Place.of(world.settings(compartment_id="", availability_domains=[]))
    paths = [problem.path for problem in raised.value.problems]
    assert paths == ["runtime.compartment_id", "runtime.availability_domains"]
