"""What pictures and pages never show, and what they make of texts that mean something to a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from terraform_json import ROOT, only

from aether_infra.diagram.details import LONGEST, MOST, arguments, text
from aether_infra.diagram.document import Resource
from aether_infra.diagram.html import embedded
from aether_infra.diagram.render import Format, Picture, render

Documents = Callable[..., dict[str, Any]]
PRODUCTION = ROOT / "apps/examples/aws-eks-production.toml"
CANARY = "canary-of-this-test"
HOSTILE = "</script><script>alert(1)</script>\"'`&<!--DATA--><b>|x|\\"


def drawn(documents: dict[str, Any]) -> dict[Format, Picture]:
    return {form: render(documents, form) for form in Format}


def data(page: str) -> dict[str, Any]:
    """What a page's script reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def resource(**arguments: Any) -> Resource:
    return Resource(stack="aws", mode="resource", type="aws_thing", name="thing", arguments=arguments)


SECRETS = {
    "by name": {"password": CANARY},
    "by a name's end": {"master_password": CANARY, "api_token": CANARY, "client_secret": CANARY},
    "write-only": {"password_wo": CANARY},
    "deep": {"settings_block": [{"login": {"secret_key": CANARY}}]},
    "script of a machine": {"user_data": CANARY, "custom_data": CANARY, "user_data_base64": CANARY},
    "metadata of a machine": {
        "metadata": {"user-data": CANARY, "startup-script": CANARY, "ssh-keys": CANARY}
    },
    "environment": {"container": [{"name": "node", "env": [{"name": "X", "value": CANARY}]}]},
    "containers as JSON": {"container_definitions": f'[{{"environment":[{{"value":"{CANARY}"}}]}}]'},
    "Kubernetes": {"data": {"x": CANARY}, "string_data": {"x": CANARY}, "binary_data": {"x": CANARY}},
    "a chart's values": {"values": [CANARY], "set": [{"name": "x", "value": CANARY}]},
    "a URL": {"endpoint": f"postgres://user:{CANARY}@example.com/db"},
    "a connection string": {"target": f"Server=x;password={CANARY}"},
    "a key": {"body": f"-----BEGIN PRIVATE KEY-----\n{CANARY}"},
    "a list": {"items": ["fine", f"https://user:{CANARY}@example.com"]},
    "tags": {"tags": {"note": CANARY}},
    "a provisioner": {"provisioner": [{"local-exec": {"command": CANARY}}], "connection": {"host": CANARY}},
}


@pytest.mark.parametrize("given", SECRETS.values(), ids=list(SECRETS))
def test_details_hold_no_secrets(given: dict[str, Any]) -> None:
    assert CANARY not in str(arguments(resource(name="shown", **given)))
    assert ("name", "shown") in arguments(resource(name="shown", **given))


def test_details_are_the_arguments() -> None:
    found = arguments(
        resource(
            cidr_block="10.0.0.0/16",
            multi_az=True,
            subnets=["${aws_subnet.a.id}", "${aws_subnet.b.id}"],
            health_check=[{"path": "/health/ready", "port": 8080}],
            rules=[{"port": 1}, {"port": 2}],
            secret_arn="arn:aws:secretsmanager:eu-west-1:1:secret:x",  # noqa: S106 - an address
            nothing=None,
            password="",
            script_text="line\nline",
        )
    )
    assert found == [
        ("cidr_block", "10.0.0.0/16"),
        ("multi_az", "true"),
        ("subnets", "aws_subnet.a.id, aws_subnet.b.id"),
        ("health_check.path", "/health/ready"),
        ("health_check.port", "8080"),
        ("rules[0].port", "1"),
        ("rules[1].port", "2"),
        ("secret_arn", "arn:aws:secretsmanager:eu-west-1:1:secret:x"),
        ("script_text", "(text of 9 characters)"),
    ]
    many = arguments(resource(**{f"argument_{number}": number for number in range(MOST + 9)}))
    assert len(many) == MOST + 1
    assert many[-1] == ("…", "and 9 more")
    assert text("x" * LONGEST) == "x" * LONGEST
    assert text("x" * (LONGEST + 1)) == f"(text of {LONGEST + 1} characters)"


def test_no_picture_holds_what_nodes_and_machines_are_told(documents: Documents) -> None:
    found = json.loads(json.dumps(documents(PRODUCTION)))
    (container,) = only(found["aws-workload"], "kubernetes_stateful_set_v1")["spec"]["template"]["spec"][
        "container"
    ]
    container["env"].append({"name": "DB", "value": CANARY})
    container["args"] = [CANARY]
    for templates in found["aws"]["resource"]["aws_launch_template"].values():
        templates["user_data"] = CANARY
    found["aws"]["resource"]["aws_db_instance"] = {"x": {"password": CANARY, "engine": "postgres"}}
    found["aws"]["resource"]["aws_ssm_parameter"] = {"x": {"name": "n", "value": CANARY, "type": "String"}}
    for form, picture in drawn(found).items():
        assert CANARY not in picture.text, form
    names = {each["address"] for each in data(render(found, Format.HTML).text)["resources"]}
    assert {"aws_db_instance.x", "aws_ssm_parameter.x"} <= names, "what is hidden is named all the same"


def test_hostile_names_are_only_text(documents: Documents) -> None:
    found = json.loads(json.dumps(documents(PRODUCTION)))
    made = found["aws"]["resource"]
    for each in made["aws_vpc"].values():
        each["cidr_block"] = each["tags"]["Name"] = HOSTILE
    for each in made["aws_eks_cluster"].values():
        each["version"] = each["name"] = HOSTILE
    for each in made["aws_ecr_repository"].values():
        each["name"] = HOSTILE
    made["aws_sqs_queue"] = {"</script>": {"name": HOSTILE}}
    pictures = drawn(found)
    shown = "".join(ET.fromstring(pictures[Format.SVG].text).itertext())  # noqa: S314 - our own text
    assert "</script>" in shown
    page = pictures[Format.HTML].text
    assert page.count("</script>") == 2, "only the ends of the data and of the script"
    assert page.count("<script") == 2
    assert "<b>" not in page
    assert "<!--" not in page
    told = [tuple(pair) for each in data(page)["resources"] for pair in each["arguments"]]
    assert ("cidr_block", HOSTILE) in told
    chart = pictures[Format.MARKDOWN].text.split("```mermaid\n")[1].split("```")[0]
    assert "script" in chart
    for line in chart.splitlines():
        inner = re.sub(r"<br/>|-->|==>|-\.->", "", line)
        assert line.count('"') % 2 == 0, line
        assert not set("<`\\") & set(inner), line


def test_what_is_embedded_cannot_end_the_script() -> None:
    written = embedded({"x": HOSTILE, "y": "\u2028"})
    assert not set("<>&") & set(written)
    assert json.loads(written) == {"x": HOSTILE, "y": "\u2028"}


def test_a_page_may_ask_for_nothing(documents: Documents) -> None:
    page = render(documents(PRODUCTION), Format.HTML).text
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none';")
    assert re.findall(r"https?://[^\s\"'<]*", re.sub(r' xmlns="[^"]*"', "", page.split("<aside")[0])) == []
    assert '<html lang="en">' in page
    assert "<title>" in page


def test_a_page_tells_of_every_resource(documents: Documents) -> None:
    found = documents(PRODUCTION)
    inner = data(render(found, Format.HTML).text)
    addresses = [each["address"] for each in inner["resources"]]
    declared = {
        f"{kind}.{name}"
        for document in found.values()
        for kind, named in document["resource"].items()
        for name in named
    }
    assert declared <= set(addresses)
    told = {
        number
        for entries in (inner["boxes"], inner["flows"])
        for entry in entries.values()
        for number in entry["resources"]
    }
    missing = [
        addresses[number]
        for number in set(range(len(addresses))) - told
        if not addresses[number].startswith("data.")
    ]
    assert missing == []


def test_a_document_without_a_network_is_a_picture_too() -> None:
    documents = {"aws": {"resource": {"aws_sqs_queue": {"jobs": {"name": "jobs"}}}}}
    for picture in drawn(documents).values():
        assert picture.resources == 1
        assert "queue" in picture.text
