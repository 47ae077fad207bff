"""Fixtures that every test may use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from terraform_json import Document

from aether_infra import synth
from aether_infra.config import Provider, loads

# a busy machine is no fault of what is tested; speed is measured in benchmarks/
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what takes minutes, unless it is asked for."""
    if not os.environ.get("AETHER_SLOW"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(
                    pytest.mark.skip(reason="takes minutes: AETHER_SLOW=1 runs it, as .ci/run does")
                )


class Synthesize(Protocol):
    """Synthesizes one stack of a configuration."""

    def __call__(self, config: str | Path, stack: str = "aws") -> Document: ...


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesize a configuration, given as a path or as TOML text, and read one of its stacks; each only once."""
    done: dict[tuple[str, str], Path] = {}

    def run(config: str | Path, stack: str = "aws") -> Document:
        text = config.read_text(encoding="utf-8") if isinstance(config, Path) else config
        cloud = stack.partition("-")[0]
        if (text, cloud) not in done:
            folder = tmp_path_factory.mktemp("out")
            wanted = [Provider(cloud)] if cloud in tuple(Provider) else []
            synth.build([loads(text)], folder, wanted).synth()
            done[text, cloud] = folder / "stacks"
        document: Document = json.loads(
            (done[text, cloud] / stack / "cdk.tf.json").read_text(encoding="utf-8")
        )
        return document

    return run


@pytest.fixture
def snapshot_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Snapshots as JSON files of their own, one a case."""
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.fixture
def declared() -> Callable[[Callable[[Any], Any]], Document]:
    """Declare constructs in a stack that is not ours, and return its Terraform JSON."""
    import aether_infra.aws  # noqa: F401 - makes the bindings load lazily

    # isort: split
    from cdktf import App, TerraformStack, Testing
    from cdktf_cdktf_provider_aws.provider import AwsProvider

    def run(declare: Callable[[Any], Any]) -> Document:
        stack = TerraformStack(App(), "foreign")
        AwsProvider(stack, "aws", region="us-west-2")
        declare(stack)
        document: Document = json.loads(Testing.synth(stack))
        return document

    return run
