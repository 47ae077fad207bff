"""Every test that asks for a `world` runs in each world that can show what the test needs."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from cloud_world import World

WORLDS = Path(__file__).parent / "worlds"


@cache
def worlds() -> dict[str, type[World]]:
    """The worlds by name: those of the list `WORLDS` of every file."""
    found: dict[str, type[World]] = {}
    for path in sorted(WORLDS.glob("*.py")):
        name = f"cloud_worlds_{path.stem}"
        spec = spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= {world.name: world for world in module.WORLDS}
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames:
        wanted = getattr(metafunc.function, "needs", ())
        only = getattr(metafunc.function, "only", worlds())
        names = [name for name, world in worlds().items() if world.can(*wanted) and name in only]
        metafunc.parametrize("world", names, indirect=True)


@pytest.fixture
def all_worlds() -> dict[str, type[World]]:
    return worlds()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[World]:
    """A world of its own for each test; at the end no machine of others may have been touched."""
    kind = worlds()[request.param]
    if missing := kind.available():
        pytest.skip(missing)
    world = kind()
    try:
        monkeypatch.setenv("HOME", str(tmp_path))
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
        foreign = world.foreign()
        assert len(foreign) == 2, "one of another cluster, one of nobody"
        yield world
        after = world.foreign()
        assert {key: after.get(key) for key in foreign} == foreign, "what is not ours was touched"
        if world.rights is not None:
            assert world.rights_used() <= world.rights, "a call that no right is declared for"
    finally:
        world.mend()
        await world.close()
