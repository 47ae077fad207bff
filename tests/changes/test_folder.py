"""Reading a folder of synthesized Terraform JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aether_infra.changes.folder import read_folder
from aether_infra.errors import ConfigError

DOCUMENT: dict[str, Any] = {"resource": {"aws_vpc": {"v": {}}}}


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def test_the_output_of_cdktf(tmp_path: Path) -> None:
    write(tmp_path / "stacks/aws/cdk.tf.json", DOCUMENT)
    write(tmp_path / "stacks/aws-workload/cdk.tf.json", DOCUMENT)
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    assert read_folder(tmp_path) == {"aws": DOCUMENT, "aws-workload": DOCUMENT}
    assert read_folder(tmp_path / "stacks") == {"aws": DOCUMENT, "aws-workload": DOCUMENT}
    assert read_folder(tmp_path / "stacks/aws") == {"aws": DOCUMENT}


def test_a_plain_folder_is_known_by_what_the_document_says(tmp_path: Path) -> None:
    named = DOCUMENT | {"//": {"metadata": {"stackName": "gcp"}}}
    write(tmp_path / "main.tf.json", named)
    assert read_folder(tmp_path) == {"gcp": named}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, ["holds no Terraform JSON"]),
        ({"main.tf": 'resource "aws_vpc" "v" {}'}, ["holds HCL alone"]),
        (
            {"stacks/a/cdk.tf.json": "{", "stacks/b/cdk.tf.json": "[]"},
            ["stacks/a/cdk.tf.json: is no JSON: line 1", "stacks/b/cdk.tf.json: is no Terraform JSON"],
        ),
        (
            {"one.tf.json": json.dumps(DOCUMENT), "two.tf.json": json.dumps(DOCUMENT)},
            ["two.tf.json: is a second document"],
        ),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, files: dict[str, str], told: list[str]) -> None:
    for name, content in files.items():
        write(tmp_path / name, content)
    with pytest.raises(ConfigError) as caught:
        read_folder(tmp_path)
    assert len(caught.value.problems) == len(told)
    for each in told:
        assert each in str(caught.value)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_folder(tmp_path / "none")
    write(tmp_path / "file", "x")
    with pytest.raises(ConfigError, match="is a file, not a folder"):
        read_folder(tmp_path / "file")
