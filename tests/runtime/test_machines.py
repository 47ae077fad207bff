"""What is the same for every cloud of machines, where the conformance suite cannot see it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.config import Provider
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.errors import CapacityUnavailable, by_status, retry_after
from aether_infra.runtime.machines import MachineManager, is_node_of, role_of
from aether_infra.runtime.model import NodeInstance, NodeSpec, NodeState
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings


class Full(MachineManager[str]):
    """A cloud without room anywhere; notes the zones that were tried."""

    def __init__(self, zones: Sequence[str]) -> None:
        settings = RuntimeSettings(
            provider=Provider.GCP,
            compute="vm",
            region="r",
            cluster_name="c",
            core_nodes=3,
            min_nodes=3,
            max_nodes=9,
        )
        super().__init__(settings, Patience(), lambda *_: None, None)
        self._zones = zones
        self.tried: list[str] = []

    @property
    def zones(self) -> Sequence[str]:
        return self._zones

    async def _made(self, _spec: NodeSpec) -> str | None:
        return None

    async def _create(self, spec: NodeSpec, zone: str) -> str:
        self.tried.append(zone)
        raise CapacityUnavailable(f"{spec.token} in {zone}")

    def _tags(self, machine: str) -> Mapping[str, str]:
        raise NotImplementedError

    def _identity(self, machine: str) -> str:
        raise NotImplementedError

    def _state(self, machine: str) -> NodeState:
        raise NotImplementedError

    async def _find(self, node_id: str) -> str | None:
        raise NotImplementedError

    async def _again(self, machine: str) -> str | None:
        raise NotImplementedError

    def _delete(self, machine: str) -> None:
        raise NotImplementedError

    async def _node(self, machine: str) -> NodeInstance:
        raise NotImplementedError


def order(zones: Sequence[str], token: str) -> list[str]:
    """Zones in the order in which a creation tries them."""
    manager = Full(zones)
    with pytest.raises(CapacityUnavailable):
        asyncio.run(manager.create_node(NodeSpec(token=token)))
    return manager.tried


@given(token=st.text(min_size=1), zones=st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True))
def test_zones_are_tried_once_each_in_the_same_order_for_the_same_token(token: str, zones: list[str]) -> None:
    assert order(zones, token) == order(zones, token)
    assert sorted(order(zones, token)) == sorted(zones)


def test_tokens_are_spread_over_zones() -> None:
    firsts = [order(["a", "b", "c"], f"n{index}")[0] for index in range(300)]
    assert all(60 < firsts.count(zone) < 140 for zone in "abc")


def test_zones_that_had_no_room_are_not_asked_again_at_once() -> None:
    manager = Full(["a", "b"])
    for _ in range(2):
        with pytest.raises(CapacityUnavailable):
            asyncio.run(manager.create_node(NodeSpec(token="n1")))  # noqa: S106 - a token of a creation
    assert sorted(manager.tried) == ["a", "b"]


@pytest.mark.parametrize(
    ("tags", "ours"),
    [
        ({"aether-cluster": "c", "aether-role": "worker"}, True),
        ({"aether-cluster": "c"}, False),
        ({"aether-cluster": "other", "aether-role": "worker"}, False),
        ({}, False),
    ],
)
def test_whose_a_machine_is(tags: dict[str, str], *, ours: bool) -> None:
    assert is_node_of("c", tags) is ours


def test_what_a_machine_runs() -> None:
    assert role_of({"aether-role": "core"}) is NodeRole.CORE
    assert role_of({"aether-role": "worker"}) is NodeRole.WORKER
    assert role_of({}) is NodeRole.WORKER


@given(status=st.integers(0, 999))
def test_every_status_means_something(status: int) -> None:
    kind: Any = by_status(status)
    assert (kind.__name__ == "CloudUnavailable") is (status == 0 or status >= 500)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "17"}, 17), ({"Retry-After": "soon"}, None), ({}, None), (None, None)],
)
def test_what_retry_after_asks(headers: Mapping[str, str] | None, seconds: float | None) -> None:
    assert retry_after(headers) == seconds
