"""The normalized configuration: TOML that means the same, and the origin of each value."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from config_strategies import document, mostly_good
from hypothesis import given, settings
from terraform_json import CONFIGS, ROOT, Document, case

from aether_infra.config import AetherConfig, ConfigError, loads, warnings
from aether_infra.config.document import parse
from aether_infra.config.origins import DERIVATIONS, Origin, Value, explain, nodes_own, normalized
from aether_infra.config.reference import keys

GOOD = sorted((ROOT / "tests/config/good").glob("*.toml"))
ENV = {"HOME": "/root", "EMPTY": "", "NAME": "prod", "DOMAIN": "example.com", "NET": "10.0.0.0/8"}
SEEDED = settings(max_examples=40, deadline=None, database=None, derandomize=True)


def values(text: str) -> dict[str, Value]:
    return {value.dotted: value for value in explain(loads(text, env=ENV), parse(text, ""))}


def shown(text: str) -> tuple[AetherConfig, str]:
    """A configuration and what is shown of it."""
    tables = parse(text, "")
    config = loads(text, env=ENV)
    return config, normalized(explain(config, tables), nodes_own(tables))


def check(text: str) -> None:
    """What is shown means the same, draws the same warnings, and is shown as itself again."""
    config, first = shown(text)
    assert "(not shown" not in first
    again, second = shown(first)
    assert again == config
    assert warnings(again) == warnings(config)
    assert again.from_env == config.from_env
    assert statements(second) == statements(first)


def statements(text: str) -> list[str]:
    """Lines without comments."""
    return [line.partition("  # ")[0].rstrip() for line in text.splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize("path", [*CONFIGS, *GOOD], ids=case)
def test_what_is_shown_is_toml_that_loads_to_the_same(path: Path) -> None:
    check(path.read_text(encoding="utf-8"))


@SEEDED
@given(mostly_good())
def test_what_is_shown_of_any_configuration_loads_to_the_same(content: dict[str, Any]) -> None:
    text = document(content)
    try:
        loads(text, env=ENV)
    except ConfigError:
        return
    check(text)


def test_what_is_shown_builds_the_same(synthesized: Callable[[str, str], Document]) -> None:
    text = (ROOT / "apps/examples/gcp-vm.toml").read_text(encoding="utf-8")
    assert synthesized(shown(text)[1], "gcp") == synthesized(text, "gcp")


def test_a_default_that_only_holds_unsaid_is_not_said() -> None:
    """On Arm, another image is taken, unless the file names one."""
    text = "[cloud.gcp]\nproject = 'my-project'\ncompute = 'vm'\nmachine_type = 't2a-standard-4'\n"
    image = values(text)["cloud.gcp.vm_image"]
    assert (image.origin, image.value, image.stated) == (Origin.DERIVED, None, False)
    assert image.how == "its newest stable one for the machine type's processor"
    usual = values(text.replace("t2a", "e2"))["cloud.gcp.vm_image"]
    assert (usual.origin, usual.stated) == (Origin.DEFAULT, True)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "cluster.nodes", ("derived", 3, "the largest of 3, 5, 7 that is not above min_nodes")),
        (
            "min_nodes = 6",
            "cluster.nodes",
            ("derived", 5, "the largest of 3, 5, 7 that is not above min_nodes"),
        ),
        ("min_nodes = 6", "cloud.aws.min_nodes", ("file", 6, "")),
        ("min_nodes = 12", "cloud.aws.max_nodes", ("derived", 12, "10, or min_nodes if that is more")),
        ("", "cloud.aws.region", ("default", "us-west-2", "")),
        ("", "cloud.aws.availability_zones", ("default", 3, "usw2-az1, usw2-az2, usw2-az3")),
        ("availability_zones = 2", "cloud.aws.availability_zones", ("file", 2, "usw2-az1, usw2-az2")),
        ("", "cloud.aws.management_cidrs", ("default", [], "nobody")),
        ("", "cloud.aws.cpu", ("derived", 2048, "from node.resources")),
        ("memory_mib = 8192", "node.heap", ("derived", "6144m", "75 % of a node's memory, 8192 MiB")),
        (
            "cpu = 256\nmemory_mib = 512",
            "node.heap",
            ("derived", "256m", "all but 256 MiB of a node's memory, 512 MiB"),
        ),
        ("", "cloud.aws.ecr_repository", ("derived", "aether-node", "<cluster>-node")),
        ("", "cloud.aws.kms_key_arn", ("default", None, "AWS's own keys")),
        ("", "cloud.provider", ("derived", "aws", "the only one that has a table")),
        (
            "",
            "cloud.image",
            ("derived", None, "this cloud's own registry repository with the tag latest"),
        ),
        (
            "compute = 'ec2'",
            "node.heap",
            ("derived", None, "75 % of the memory that a node finds on its machine"),
        ),
        (
            "compute = 'ec2'\ninstance_type = 'm7g.large'",
            "cloud.aws.architecture",
            ("derived", "arm64", "x86_64 on Fargate, else that of instance_type"),
        ),
    ],
)
def test_origins(text: str, path: str, expected: tuple[str, object, str]) -> None:
    value = values(f"[cloud.aws]\n{text}\n")[path]
    assert (value.origin, value.value, value.how) == expected


def test_what_differs_from_cloud_to_cloud_is_told_in_words() -> None:
    text = "[cloud]\nprovider = 'aws'\n[cloud.aws]\nmin_nodes = 7\n[cloud.digitalocean]\n"
    assert values(text)["cluster.nodes"].how == "7 on aws, 3 on digitalocean"
    assert values(text)["node.heap"].how == "3072m on aws, 1536m on digitalocean"


def test_on_an_existing_cluster() -> None:
    found = values("[cloud.kubernetes]\n[kubernetes]\nnamespace = 'shop'\n")
    assert found["cloud.image"].value == "ghcr.io/siy/aether-node:latest"
    assert found["cloud.kubernetes.namespace"].value == "shop"


def test_keys_without_a_meaning_are_left_out() -> None:
    fargate = values("[cloud.aws]\n")
    assert not fargate.keys() & {"cloud.aws.node_os", "cloud.aws.instance_type", "cloud.manager.port"}
    eks = values("[cloud.aws]\ncompute = 'eks'\n")
    assert "cloud.aws.node_os" in eks
    assert not eks.keys() & {"cloud.aws.cpu", "cloud.aws.memory_mib", "cloud.aws.data"}
    zonal = values("[cloud.gcp]\nproject = 'my-project'\nzone = 'us-central1-a'\n")
    assert "cloud.gcp.availability_zones" not in zonal
    assert not any(path.startswith("cloud.aws") for path in zonal)


ENVIRONMENT = """
[cluster]
name = "${env:NAME}"
[cloud]
domain = "app.${env:DOMAIN}"
tags = { team = "${env:NAME}", place = "${env:HOME}" }
[cloud.aws]
allowed_cidrs = ["203.0.113.0/24", "${env:NET}"]
"""


def test_of_the_environment_only_the_references_are_told() -> None:
    found = values(ENVIRONMENT)
    assert found["cluster.name"].origin is Origin.ENVIRONMENT
    assert found["cluster.name"].how == "NAME"
    assert found["cloud.tags"].how == "NAME, HOME"
    assert found["cloud.aws.allowed_cidrs"].value == ["203.0.113.0/24", "${env:NET}"]
    _, text = shown(ENVIRONMENT)
    assert 'domain = "app.${env:DOMAIN}"' in text
    for value in ("prod", "example.com", "/root", "10.0.0.0/8"):
        assert value not in text
    # nor what would be made of them
    assert found["cloud.aws.ecr_repository"].value is None
    check(ENVIRONMENT)


def test_what_looks_like_a_secret_is_not_shown() -> None:
    text = (
        (
            "[cloud]\njava_opts = '-Djavax.net.ssl.keyStorePassword=hunter2'\n"
            "tags = { a = 'https://me:hunter2@example.com' }\n[cloud.digitalocean]\n"
            "[cloud.kubernetes]\n[database]\npassword = 'hunter2'\n[app-http]\napi_keys = ['hunter2']\nenabled = true\n"
        )
        .replace("[cloud]\n", "[cloud]\nprovider = 'kubernetes'\n")
        .replace("[cloud.digitalocean]\n", "")
    )
    text = text.replace("tags = { a = 'https://me:hunter2@example.com' }", "")
    config, said = shown(text)
    assert "hunter2" not in said
    assert "# java_opts = (not shown: it looks like a secret)" in said
    assert "the node's alone: [database], app-http.api_keys." in said
    java = values(text)["cloud.java_opts"]
    assert java.hidden
    assert java.as_json() == {
        "path": "cloud.java_opts",
        "value": None,
        "origin": "file",
        "how": "",
        "hidden": True,
    }
    assert loads(said).cloud.java_opts != config.cloud.java_opts


def test_references_to_secrets_are_shown() -> None:
    text = (ROOT / "apps/examples/aws-production.toml").read_text(encoding="utf-8")
    assert values(text)["cloud.secrets"].value == tomllib.loads(text)["cloud"]["secrets"]


def test_settings_of_the_state_are_shown_as_they_are() -> None:
    text = (
        "[cloud.state]\nbackend = 's3'\nbucket = 'b'\nmax_retries = 5\nencrypt = true\n"
        '[cloud.state.assume_role]\nrole_arn = "x"\ntags = ["a", 1]\n"a b" = "tab\\tdel\\u007F"\n[cloud.aws]\n'
    )
    check(text)
    assert values(text)["cloud.state.assume_role"].value["tags"] == ["a", 1]


def test_every_derivation_is_of_a_key_that_there_is() -> None:
    for path, derivation in DERIVATIONS.items():
        assert path in keys()
        assert set(derivation.reads) <= keys().keys()
