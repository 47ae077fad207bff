"""What only Google Cloud has: operations that fail after they were taken, zones in an order of their own."""

from __future__ import annotations

import pytest
from cloud_world import World, only
from google.api_core import exceptions as sdk
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import compute_v1 as compute
from requests.exceptions import ConnectionError as NoConnection

from aether_infra.errors import ConfigError
from aether_infra.runtime.errors import (
    CapacityUnavailable,
    CloudUnavailable,
    Denied,
    InvalidRequest,
    QuotaExceeded,
    Throttled,
)
from aether_infra.runtime.gcp.errors import CODES, of_operation, translate
from aether_infra.runtime.gcp.place import Place
from aether_infra.runtime.gcp.session import COMPUTE_ADDRESS, access

pytestmark = pytest.mark.anyio


def operation(*codes: str, status: int = 0) -> compute.Operation:
    errors = [compute.Errors(code=code, message="because") for code in codes]
    return compute.Operation(error=compute.Error(errors=errors), http_error_status_code=status)


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_every_code_of_an_operation_has_its_error(code: str, kind: type[Exception]) -> None:
    assert type(of_operation(operation(code), "x")) is kind


def test_an_operation_that_went_well_is_no_error() -> None:
    assert of_operation(compute.Operation(), "x") is None
    assert type(of_operation(operation(status=503), "x")) is CloudUnavailable
    assert type(of_operation(operation("SOMETHING_NEW", status=400), "x")) is InvalidRequest
    stock = of_operation(operation("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"), "creating n1")
    assert type(stock) is CapacityUnavailable
    assert str(stock) == "creating n1: because [ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS]"


def test_the_reason_counts_and_not_the_status() -> None:
    quota = sdk.Forbidden("no", errors=[{"reason": "quotaExceeded"}])
    rate = sdk.Forbidden("no", errors=[{"reason": "rateLimitExceeded"}])
    assert type(translate(quota, "x")) is QuotaExceeded
    assert type(translate(rate, "x")) is Throttled
    assert type(translate(sdk.Forbidden("no"), "x")) is Denied
    assert type(translate(sdk.ServiceUnavailable("no"), "x")) is CloudUnavailable
    assert type(translate(NoConnection("refused"), "x")) is CloudUnavailable
    assert type(translate(DefaultCredentialsError("none"), "x")) is Denied
    assert translate(KeyError("ours"), "x") is None


def test_without_credentials_it_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(**_: object) -> None:
        raise DefaultCredentialsError("Your default credentials were not found.")

    monkeypatch.setattr("aether_infra.runtime.gcp.session.default", nothing)
    with pytest.raises(Denied, match="no credentials for Google Cloud"):
        access(COMPUTE_ADDRESS, {})
    with pytest.raises(Denied, match=r"must be https, got http://compute\.example\.com"):
        access(COMPUTE_ADDRESS, {COMPUTE_ADDRESS: "http://compute.example.com"})


@only("gcp")
async def test_settings_without_what_is_needed_are_refused_with_all_of_it(world: World) -> None:
    bad = world.settings(zones=[], instance_template="", elastic_instance_groups={})
    with pytest.raises(ConfigError) as raised:
        Place.of(bad)
    paths = [problem.path for problem in raised.value.problems]
    assert paths == ["runtime.zones", "runtime.instance_template", "runtime.elastic_instance_groups"]
