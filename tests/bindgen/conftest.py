"""Bindings of an invented provider, which has everything that a schema can say."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from terraform_json import Document

from aether_infra.bindgen.__main__ import main

SCHEMA = Path(__file__).with_name("every.json")


@pytest.fixture(scope="session")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that is generated from every.json."""
    folder = tmp_path_factory.mktemp("generated")
    arguments = [
        SCHEMA,
        "--provider",
        "example/every",
        "--version",
        "~> 1.0",
        "--out",
        folder / "every_bindings",
    ]
    assert main([str(argument) for argument in arguments]) == 0
    sys.path.insert(0, str(folder))
    yield importlib.import_module("every_bindings")
    sys.path.remove(str(folder))


@pytest.fixture
def declare(every: ModuleType) -> Callable[[Callable[[Any], Any]], Document]:
    """Declare something in a stack that has the provider, and return the Terraform JSON."""
    from cdktf import TerraformStack, Testing

    def run(declare: Callable[[Any], Any]) -> Document:
        stack = TerraformStack(Testing.app(), "stack")
        every.EveryProvider(stack, "every", region="here")
        declare(stack)
        document: Document = json.loads(Testing.synth(stack))
        return document

    return run
