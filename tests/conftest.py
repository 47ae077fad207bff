"""Fixtures that every test may use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from terraform_json import Document

from aether_infra import synth
from aether_infra.config import loads

Synthesize = Callable[[str | Path], Document]


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesize the AWS stack of a configuration, given as a path or as TOML text; each only once."""
    done: dict[str, Document] = {}

    def run(config: str | Path) -> Document:
        text = config.read_text(encoding="utf-8") if isinstance(config, Path) else config
        if text not in done:
            folder = tmp_path_factory.mktemp("out")
            synth.build([loads(text)], folder).synth()
            done[text] = json.loads((folder / "stacks/aws/cdk.tf.json").read_text(encoding="utf-8"))
        return done[text]

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
