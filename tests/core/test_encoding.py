from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.core.encoding import jsonencode

VALUE = {"b": [1, -2, 1.5, True, None], "a": 'say "<x> & y"\t\\ \n', "é😀": {"": "\u2028\u2029\u0001\u007f/"}}


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    assert jsonencode({"b": [1, True, None], "a": "ü"}) == '{"a":"ü","b":[1,true,null]}'


def test_what_a_page_would_read_is_escaped() -> None:
    assert jsonencode("<&>") == '"\\u003c\\u0026\\u003e"'


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_it_is_json(value: object) -> None:
    assert json.loads(jsonencode(value)) == value


@pytest.mark.terraform
def test_terraform_writes_the_same(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("no terraform on PATH")
    (tmp_path / "main.tf.json").write_text(json.dumps({"locals": {"value": VALUE}}), encoding="utf-8")
    done = subprocess.run(
        ["terraform", "console"],
        input="base64encode(jsonencode(local.value))",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert base64.b64decode(json.loads(done.stdout)).decode() == jsonencode(VALUE)
