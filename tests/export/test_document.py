"""Terraform JSON read as expressions, and written as blocks where the bindings say so."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from attrs import evolve

from aether_infra.core.encoding import jsonencode
from aether_infra.export.blocks import block
from aether_infra.export.document import elements, value
from aether_infra.export.render import document, expression
from aether_infra.export.syntax import For, Name, Node, Object, Text, text, variable

SHAPES = {
    ("name",): "string",
    ("port",): "string",
    ("tags",): "stringMap",
    ("rule",): "block",
    ("rule", "port"): "number",
    ("timeouts",): "block",
    ("timeouts", "create"): "string",
}


def written(body: dict[str, Any], *, section: str = "resource", shapes: Any = SHAPES) -> str:
    (element,) = elements({section: {"cloud_thing": {"own_1A2B": body}}}).values()
    return document([block(element, shapes)])


def test_a_resource_reads_as_people_write_it() -> None:
    assert (
        written(
            {
                "//": {"metadata": {"path": "aws/network/Resource", "uniqueId": "own_1A2B"}},
                "depends_on": ["cloud_other.a_1", "data.cloud_more.b"],
                "lifecycle": {"ignore_changes": ["spec[0].replicas", "size"], "prevent_destroy": True},
                "name": "${cloud_other.a_1.name}",
                "provider": "cloud.home",
                "rule": [{"port": 1}, {"port": 2}],
                "tags": {"a-b": "c", "d/e": "f"},
                "timeouts": {"create": "20m"},
            }
        )
        == """\
resource "cloud_thing" "own_1A2B" {
  provider = cloud.home

  name = cloud_other.a_1.name
  tags = {
    a-b   = "c"
    "d/e" = "f"
  }

  rule {
    port = 1
  }

  rule {
    port = 2
  }

  timeouts {
    create = "20m"
  }

  lifecycle {
    ignore_changes  = [spec[0].replicas, size]
    prevent_destroy = true
  }

  depends_on = [cloud_other.a_1, data.cloud_more.b]
}
"""
    )


def test_blocks_of_a_list_are_dynamic() -> None:
    (element,) = elements({"resource": {"cloud_thing": {"own": {"rule": []}}}}).values()
    rules: Node = For(("port",), variable("ports"), Object(((text("port"), Name("port")),)))
    body = Object(((text("rule"), rules),))

    assert document([block(evolve(element, body=body), SHAPES)]) == (
        'resource "cloud_thing" "own" {\n'
        '  dynamic "rule" {\n    for_each = var.ports\n\n    content {\n      port = rule.value\n    }\n  }\n}\n'
    )


def test_where_terraform_makes_a_text_of_it_nothing_has_to() -> None:
    (element,) = elements({"resource": {"cloud_thing": {"own": {}}}}).values()
    number = value("${tostring(var.port)}")
    body = Object(((text("port"), number), (text("other"), number)))

    lines = document([block(evolve(element, body=body), SHAPES)])
    assert "port  = var.port\n" in lines
    assert "other = tostring(var.port)\n" in lines


def test_a_provider_s_own_argument_is_none_of_terraform_s() -> None:
    found = written({"provider": {"key_arn": "k"}}, shapes={("provider",): "block"})
    assert "  provider {\n    key_arn = " in found


JSON = {"list": [1, {"text": "a\nb\n"}], "sign": "<&>"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (jsonencode(JSON), 'jsonencode({ list = [1, { text = "a\\nb\\n" }], sign = "<&>" })'),
        (json.dumps(JSON), None),
        ("{}", None),
        ("{not json}", None),
        (
            '#cloud-config\n{"a":"${x.y}"}\n',
            'join("\\n", ["#cloud-config", jsonencode({ a = "${x.y}" }), ""])',
        ),
        (base64.b64encode(b"#!/bin/sh\necho several lines of a program\n").decode(), None),
        (
            base64.b64encode(b"#!/bin/sh\necho several lines of a program that is long enough\n").decode(),
            'base64encode("#!/bin/sh\\necho several lines of a program that is long enough\\n")',
        ),
        ("A" * 64, None),
    ],
)
def test_what_is_encoded_in_a_text_is_unfolded_only_if_the_same_text_comes_of_it(
    given: str, wanted: str | None
) -> None:
    found = value(given)
    if wanted is None:
        assert isinstance(found, Text)
        assert found.literal == given
    else:
        assert expression(found) == wanted


def test_elements_know_their_addresses_and_paths() -> None:
    path = {"//": {"metadata": {"path": "aws/network/nat/az1/address", "uniqueId": "x"}}}
    found = elements(
        {
            "//": {"metadata": {}},
            "resource": {"aws_eip": {"x": path}},
            "data": {"aws_vpc": {"y": {}}},
            "provider": {"aws": [{"region": "r"}, {"alias": "home"}]},
            "output": {"z": {"value": 1}},
            "locals": {"w": [1]},
        }
    )
    assert [element.address for element in found.values()] == [
        "aws_eip.x",
        "data.aws_vpc.y",
        "aws.0",
        "aws.1",
        "z",
        "w",
    ]
    assert found["resource", "aws_eip", "x"].path == ("network", "nat", "az1", "address")
