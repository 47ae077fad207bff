"""Outputs of Layer 1, as the runtime reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aether_infra.config import ConfigError, Provider
from aether_infra.runtime.settings import load_settings, parse_settings

RUNTIME: dict[str, Any] = {
    "provider": "aws",
    "compute": "ec2",
    "region": "us-west-2",
    "cluster_name": "aether",
    "core_nodes": 3,
    "min_nodes": 4,
    "max_nodes": 10,
    "ports": {"management": 8080, "cluster": 8090, "swim": 8190, "application": None},
    "tags": {"aether-cluster": "aether"},
    "launch_template_id": "lt-1",
}


@pytest.mark.parametrize(
    "document",
    [
        RUNTIME,
        {"runtime": RUNTIME},
        {"runtime": {"value": RUNTIME, "type": "object", "sensitive": False}, "region": {"value": "x"}},
        {"aws": {"runtime": RUNTIME, "region": "us-west-2"}},
        {"aws": {"runtime": {"value": RUNTIME}}, "aws-workload": {}},
    ],
    ids=["object", "outputs", "terraform", "cdktf", "per stack"],
)
def test_every_form_in_which_outputs_are_written(document: dict[str, Any]) -> None:
    settings = parse_settings(json.dumps(document))
    assert settings.provider is Provider.AWS
    assert (settings.elastic_minimum, settings.elastic_maximum) == (1, 7)
    assert settings.ports.application is None
    assert settings.facts["launch_template_id"] == "lt-1"
    assert not settings.managed


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("{", ["is not JSON: expecting property name"]),
        ("[]", ["has no output at all"]),
        ('{"vpc_id": {"value": "vpc-1"}}', ["has no output `runtime`, only vpc_id", "Aether Infra"]),
        (
            json.dumps({"one": {"runtime": RUNTIME}, "two": {"runtime": RUNTIME}}),
            ["has the outputs of several stacks: one, two"],
        ),
        (
            json.dumps(RUNTIME | {"provider": "awss", "core_nodes": "3", "min_nodes": True, "ports": None}),
            [
                'runtime.provider: must be one of aws, gcp, azure, digitalocean, oracle, kubernetes, got "awss"',
                'did you mean "aws"?',
                'runtime.core_nodes: must be a whole number, got "3"',
                "runtime.min_nodes: must be a whole number, got true",
                "runtime.ports: must be an object",
            ],
        ),
        (
            json.dumps(RUNTIME | {"compute": "gke", "min_nodes": 2, "max_nodes": 1}),
            [
                'runtime.compute: must be one of fargate, ec2, eks on aws, got "gke"',
                "runtime.min_nodes: must be at least 3, got 2",
                "runtime.max_nodes: must be at least min_nodes, 2, got 1",
            ],
        ),
        ('{"runtime": {"provider": "aws"}}', ["runtime.compute: is missing", "runtime.region: is missing"]),
    ],
)
def test_every_problem_of_a_foreign_file_is_told(text: str, lines: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_settings(text, "outputs.json")
    told = str(raised.value)
    assert told.startswith("outputs.json: ")
    for line in lines:
        assert line in told


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"does not exist \(write it: terraform output -json > outputs\.json\)"
    ):
        load_settings(tmp_path / "outputs.json")
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        load_settings(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "binary")
