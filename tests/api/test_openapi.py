"""The OpenAPI document: what it says is so."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from jsonschema import Draft202012Validator

from aether_infra.api.routes import PREFIX

Play = Callable[..., None]
PATIENCE_SECONDS = 60


@pytest.fixture
def document(play: Play) -> dict[str, Any]:
    """The document."""
    found: dict[str, Any] = {}

    async def story(stage: Any) -> None:
        found.update((await stage.ask("GET", "/openapi.json", "")).json())

    play(story)
    return found


def test_it_is_openapi_3_1_with_a_key_and_problems_everywhere(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"] == {
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            if path.startswith(PREFIX):
                assert operation["security"] == [{"key": []}], where
                for status in ("401", "403", "404", "409", "422", "429"):
                    content = operation["responses"][status]["content"]
                    assert "application/problem+json" in content, (where, status)
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_what_takes_time_answers_202_with_a_place_to_look(document: dict[str, Any]) -> None:
    changes = [
        operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"post", "put", "delete"} and not path.endswith(("/plan", "/scale", "/cancel"))
    ]
    assert len(changes) == 8
    assert all("Location" in each["responses"]["202"]["headers"] for each in changes)


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for name, schema in document["components"]["schemas"].items():
        for field in schema.get("properties", {}).values():
            for example in field.get("examples", []):
                whole = {**field, "components": document["components"]}
                Draft202012Validator(whole).validate(example)
                checked += 1
        assert schema.get("description") or schema.get("enum"), name
    assert checked > 60


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """The real service over a cluster in memory; its address."""
    command = [sys.executable, "-m", "aether_infra.cli", "serve", "--demo", "--port", "0"]
    log = folder / "serve.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, cwd=folder, stderr=stream)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := re.search(r"serving .* on (\S+)", log.read_text(encoding="utf-8"))) is None:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def test_requests_that_it_allows_and_that_it_does_not(tmp_path: Path) -> None:
    """Whatever is sent, the answer is one that the document promises, and never a fault of the service."""
    with demo(tmp_path) as url:
        raw = httpx.get(f"{url}/openapi.json").json()
        for path in list(raw["paths"]):
            if path.endswith("/events"):
                # they do not end by themselves; test_routes.py follows them
                del raw["paths"][path]
        schema = schemathesis.openapi.from_dict(raw)
        count = 0
        for result in schema.get_all_operations():
            operation = result.ok()
            for example in range(8):
                case = _case(operation, example)
                if case is None:
                    continue
                response = case.call(base_url=url, timeout=20)
                assert response.status_code != 500, (operation.label, case.body, response.text)
                if response.status_code not in {405, 413}:
                    assert str(response.status_code) in operation.definition.raw["responses"], (
                        operation.label, response.status_code, response.text,
                    )  # fmt: skip
                if response.status_code >= 400 and "/health" not in operation.path:
                    problem = response.json()
                    assert problem["status"] == response.status_code
                count += 1
        assert count > 120


def _case(operation: Any, seed: int) -> Any:
    """A case that only depends on a number; None where nothing about a request can be wrong."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis.errors import Unsatisfiable
    from schemathesis import GenerationMode

    found: list[Any] = []
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    strategy = operation.as_strategy(generation_mode=modes[seed % 2])

    @seeded(seed)
    @settings(
        max_examples=1,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def take(case: Any) -> None:
        found.append(case)

    try:
        take()
    except Unsatisfiable:
        return None
    return found[-1]
