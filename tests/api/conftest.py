"""An API over a cluster in memory, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define
from runtime_world import World
from virtual_time import run

from aether_infra.api.app import create_app
from aether_infra.api.auth import parse_keys
from aether_infra.api.options import ApiOptions
from aether_infra.runtime.service import Service

KEYS = {role: f"{role.lower()}-key-of-this-test" for role in ("VIEWER", "OPERATOR", "ADMIN")}


@define
class Stage:
    """What a story plays on."""

    world: World
    service: Service
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str, role: str = "ADMIN", **given: Any) -> httpx.Response:
        """Ask as somebody of a role."""
        headers = {"X-API-Key": KEYS[role], **given.pop("headers", {})} if role else given.pop("headers", {})
        prefix = (
            ""
            if path.startswith(("/health", "/metrics", "/openapi", "/dashboard")) or path == "/"
            else "/api/cloud"
        )
        return await self.client.request(method, prefix + path, headers=headers, **given)

    async def over(self, answer: httpx.Response) -> dict[str, Any]:
        """The operation of an answer, when it is over."""
        assert answer.status_code == 202, answer.text
        operation = await self.service.engine.operation(answer.json()["id"])
        await self.world.settle(self.service, operation)
        done: dict[str, Any] = (await self.ask("GET", f"/operations/{operation.id}")).json()
        return done


Story = Callable[[Stage], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Play a story on an API with keys."""

    @asynccontextmanager
    async def stage(options: dict[str, Any], cloud: dict[str, Any]) -> AsyncIterator[Stage]:
        world = World.of(f"sqlite:///{tmp_path / 'journal.db'}", **cloud)
        async with world.program() as service:
            keys, problems = parse_keys(
                ";".join(f"{key}:{role.lower()}::{role}" for role, key in KEYS.items())
            )
            assert not problems
            given = {"keys": keys, "calls_at_once": 10_000} | options
            app = create_app(service, ApiOptions(**given), service.calendar.now)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                yield Stage(world, service, client)

    def go(story: Story, options: dict[str, Any] | None = None, **cloud: Any) -> None:
        async def main() -> None:
            async with stage(options or {}, cloud) as made:
                await story(made)

        run(main())

    return go
