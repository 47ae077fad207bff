"""The schema takes whatever the loader takes, and refuses what it refuses for its shape."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache, reduce
from pathlib import Path
from typing import Any

import pytest
from config_strategies import REQUIRED, document, mostly_good, tables, values
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from terraform_json import CONFIGS, ROOT, case

from aether_infra.cdk.node import bundled_node
from aether_infra.config import AetherConfig, ConfigError, Provider, loads
from aether_infra.config.checks import Distinct, Each, Matches, Zones
from aether_infra.config.environment import substitute
from aether_infra.config.json_schema import DIALECT, constraint, json_schema
from aether_infra.config.quantities import AtLeast
from aether_infra.config.reference import Key, Kind, keys, reference
from aether_infra.config.shape import structure
from aether_infra.config.tables import Misfit, ours, without
from aether_infra.config.tables import Path as Place

FAULTS = sorted(
    path for path in (ROOT / "tests/config/faults").glob("*.toml") if not path.stem.startswith("toml-")
)
"""Without those that are no TOML: every editor says so without a schema."""
GOOD = sorted((ROOT / "tests/config/good").glob("*.toml"))
ENV = {"BAD_REGION": "nowhere-at-all", "HOME": "/root", "EMPTY": ""}
SEEDED = settings(max_examples=60, deadline=None, database=None, derandomize=True)

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

UNSEEN = re.compile(
    r"has bits set to the right of the prefix"
    r"|must be at least \w+, got \"\w+\""  # an amount, such as "64Mi"
    r"|is no SSH public key|must have at least \d+ bits"
    r"|needs the environment variable|.*nowhere-at-all"
    r"|(?:looks like|holds) a secret|unknown setting"
    r"|must be a whole number, got \d+\.0$"  # which is one in JSON
)
"""What the loader says of faults of shape that no schema sees."""


def load_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def at(place: Place) -> Any:
    """The part of the schema for a key."""
    return reduce(lambda schema, step: schema["properties"][step], place, SCHEMA)


@cache
def validator(path: str) -> Draft202012Validator:
    """Validates the values of one key."""
    return Draft202012Validator({**at(keys()[path].path), "$defs": SCHEMA["$defs"]})


def shape_faults(content: dict[str, Any]) -> list[Misfit]:
    """What the loader finds wrong before it looks at rules between keys."""
    filled = substitute(ours(content), ENV)
    faults = [Misfit(place, problem) for place, problem in filled.problems.items()]
    raw = filled.tables
    for fault in faults:
        raw = without(raw, fault.place)
    if "provider" not in raw.get("cloud", {}):
        raw = {**raw, "cloud": {**raw.get("cloud", {}), "provider": "aws"}}
    return faults + structure(raw)[1]


def errors_at(errors: list[ValidationError], place: Place) -> Iterator[ValidationError]:
    """Errors that an editor would show at a place: on the value or what holds it, or on its table because of it."""
    # a schema that offers a choice tells of the value as a whole
    whole = next(
        (place[:length] for length in range(len(place)) if ".".join(map(str, place[:length])) in keys()),
        place,
    )
    for error in errors:
        found = tuple(error.absolute_path)
        named = found == place[:-1] and f"'{place[-1]}'" in error.message
        if named or found in {place, whole} or found[: len(place)] == place:
            yield error


def test_it_is_a_schema_of_the_newest_draft() -> None:
    assert SCHEMA["$schema"] == DIALECT
    Draft202012Validator.check_schema(SCHEMA)
    # an address of which nothing is served would be worse than none
    assert "$id" not in SCHEMA
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", [*CONFIGS, *GOOD], ids=case)
def test_every_good_file_is_valid(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(load_toml(path))] == []


@pytest.mark.parametrize("path", FAULTS, ids=case)
def test_every_fault_of_shape_is_found_where_it_is(path: Path) -> None:
    content = load_toml(path)
    errors = list(VALIDATOR.iter_errors(content))
    for fault in shape_faults(content):
        seen = any(errors_at(errors, fault.place))
        assert seen or UNSEEN.match(fault.problem.message), fault


@pytest.mark.parametrize(
    "name",
    [
        "aws-eks-only-keys",
        "aws-fargate-only-keys",
        "azure-secure-boot",
        "cloud-missing",
        "digitalocean-metrics-vm",
        "gcp-vm",
        "no-section",
        "provider-without-section",
        "several-sections-no-provider",
    ],
)
def test_some_rules_between_keys_are_in_it_too(name: str) -> None:
    assert not VALIDATOR.is_valid(load_toml(ROOT / f"tests/config/faults/{name}.toml"))


def test_the_nodes_own_tables_stay_open() -> None:
    content = {
        "cloud": {"aws": {}},
        "slice": {"anything": [1, {"x": 2.5}]},
        "node": {"metrics_interval": "1s", "resources": {"gpu": 1}},
        "app-http": {"api_keys": []},
        "kubernetes": {"labels": {}},
    }
    assert VALIDATOR.is_valid(content)
    for table in ("cluster", "cloud"):
        assert not VALIDATOR.is_valid({"cloud": {"aws": {}}, table: {"zzz": 1, "aws": {}}})


def test_additional_keys_are_refused_where_the_loader_refuses_them() -> None:
    for table in reference().every_table():
        schema = at(table.path)
        expected = {"$ref": "#/$defs/setting"} if table.free else table.open
        assert schema.get("additionalProperties", True) == expected, table.dotted


@pytest.mark.parametrize(
    ("path", "value", "good"),
    [
        ("cloud.aws.region", "${env:REGION}", True),
        ("cloud.aws.region", "eu-${env:PART}-1", True),
        ("cloud.aws.region", "${env:-x}", False),
        ("cloud.aws.region", "${env:A} ${env:", False),
        ("cloud.aws.region", "us-west-2", True),
        ("cloud.aws.region", "mars", False),
        ("cloud.aws.nat", "${env:NAT}", True),
        ("cloud.aws.min_nodes", "${env:NODES}", False),
        ("cloud.aws.min_nodes", 2, False),
        ("cloud.aws.min_nodes", 3, True),
        ("cloud.aws.min_nodes", True, False),
        ("cloud.aws.availability_zones", 3, True),
        ("cloud.aws.availability_zones", 1, False),
        ("cloud.aws.availability_zones", ["usw2-az1", "usw2-az2"], True),
        ("cloud.aws.availability_zones", ["usw2-az1", "usw2-az1"], False),
        ("cloud.aws.availability_zones", ["usw2-az1", "${env:ZONE}"], True),
        ("cloud.aws.availability_zones", "3", False),
        ("cloud.aws.cpu", 2048, True),
        ("cloud.aws.cpu", 3000, False),
        ("cloud.aws.vpc_cidr", "10.0.0.0/16", True),
        ("cloud.aws.vpc_cidr", "10.0.0.0/24", False),
        ("cloud.aws.vpc_cidr", "10.0.0.256/16", False),
        ("cloud.aws.allowed_cidrs", ["0.0.0.0/0", "203.0.113.0/24"], True),
        ("cloud.aws.allowed_cidrs", "0.0.0.0/0", False),
        ("cloud.aws.kms_key_arn", "arn:aws:kms:us-west-2:123456789012:key/abc", True),
        ("cloud.aws.kms_key_arn", "arn:aws:s3:::bucket", False),
        ("cloud.aws.vpc_id", "vpc-0123456789abcdef0", True),
        ("cloud.aws.vpc_id", "subnet-0123456789abcdef0", False),
        ("cloud.aws.ecr_repository", "a", False),
        ("cloud.tags", {"team": "${env:TEAM}"}, True),
        ("cloud.tags", {"team": 1}, False),
        ("cloud.java_opts", "-Dx=1\n", False),
        ("cloud.java_opts", "-Dx=${env:X}", True),
        ("cloud.java_opts", "x" * 4001, False),
        ("cloud.state.backend", "s3", True),
        ("cloud.state.backend", "S3", False),
        ("cluster.nodes", 4, False),
        ("cluster.nodes", 5, True),
        ("node.heap", "512m", True),
        ("node.heap", "512", False),
        ("node.resources.cpu_limit", "1.5", True),
        ("cloud.oracle.tenancy_id", "ocid1.tenancy.oc1..a", True),
        ("cloud.oracle.tenancy_id", "ocid1.compartment.oc1..a", False),
    ],
)
def test_values(path: str, value: object, *, good: bool) -> None:
    assert validator(path).is_valid(value) is good


@pytest.mark.parametrize(
    ("state", "good"),
    [
        ({}, True),
        ({"backend": "local", "path": "x"}, True),
        ({"backend": "s3"}, False),
        ({"backend": "s3", "bucket": "b", "assume_role": {"role_arn": "x", "tags": ["a", 1, True]}}, True),
        ({"backend": "s3", "bucket": 1.5}, False),
        ({"backend": "gcs", "bucket": "${env:BUCKET}"}, True),
        ({"backend": "gcs", "bucket": "${env:}"}, False),
        ({"backend": "${env:BACKEND}"}, True),
        ({"backend": "remote", "organization": "o", "workspaces": {"name": "w"}}, True),
        ({"backend": "remote", "organization": "o"}, False),
    ],
)
def test_state(state: dict[str, Any], *, good: bool) -> None:
    assert VALIDATOR.is_valid({"cloud": {"aws": {}, "state": state}}) is good


@pytest.mark.parametrize(
    ("cloud", "good"),
    [
        ({"aws": {}}, True),
        ({"provider": "aws"}, False),
        ({"provider": "aws", "aws": {}, "digitalocean": {}}, True),
        ({"aws": {}, "digitalocean": {}}, False),
        ({"provider": "aws", "kubernetes": {}}, True),
        ({"provider": "${env:CLOUD}", "aws": {}}, True),
        ({"aws": {"compute": "eks", "node_os": "bottlerocket"}}, True),
        ({"aws": {"node_os": "bottlerocket"}}, False),
        ({"aws": {"compute": "${env:COMPUTE}", "node_os": "bottlerocket"}}, True),
        ({"digitalocean": {"compute": "vm", "maintenance": {}}}, False),
    ],
)
def test_keys_of_cloud_that_go_together(cloud: dict[str, Any], *, good: bool) -> None:
    assert VALIDATOR.is_valid({"cloud": cloud}) is good


def test_an_editor_finds_words_choices_and_defaults() -> None:
    region = at(("cloud", "aws", "region"))
    assert region["default"] == "us-west-2"
    assert "eu-central-1" in region["anyOf"][0]["enum"]
    assert region["description"] == "Region; default us-west-2."
    assert at(("cloud", "aws", "node_os"))["description"].endswith('Only for compute = "eks".')
    assert at(("cloud", "gcp", "project"))["examples"] == ["my-project"]
    assert "https://" not in json.dumps([at(key.path)["description"] for key in keys().values()])
    for key in keys().values():
        if key.default is not None:
            assert validator(key.dotted).is_valid(key.default)
        if key.example is not None:
            assert validator(key.dotted).is_valid(key.example)


def patterns(value: Any) -> Iterator[str]:
    """Every pattern in a schema."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "pattern" and isinstance(item, str):
                yield item
            else:
                yield from patterns(item)
    elif isinstance(value, list):
        for item in value:
            yield from patterns(item)


def test_patterns_mean_the_same_in_javascript() -> None:
    """Schemas have JavaScript's regular expressions, in Unicode mode: Python's own words would break editors."""
    program = (
        "for (const p of JSON.parse(require('fs').readFileSync(0))) { new RegExp(p, 'u'); new RegExp(p) }"
    )
    node = bundled_node()
    assert node is not None
    every = sorted(set(patterns(SCHEMA)))
    assert len(every) > 50
    done = subprocess.run(
        [node, "-e", program], input=json.dumps(every), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_check_that_is_not_known_is_not_passed_over() -> None:
    with pytest.raises(TypeError, match="no JSON Schema is known for the check"):
        constraint(lambda _: iter(()))


@SEEDED
@given(mostly_good())
def test_what_loads_is_valid(content: dict[str, Any]) -> None:
    accepted(content)


@SEEDED
@given(tables(AetherConfig))
def test_what_loads_of_any_tables_is_valid(content: dict[str, Any]) -> None:
    # most of these load only when somebody names a cloud
    accepted(
        {
            **content,
            "cloud": {"aws": {}, **(cloud if isinstance(cloud := content.get("cloud"), dict) else {})},
        }
    )


def accepted(content: dict[str, Any]) -> None:
    text = document(content)
    try:
        loads(text, env=ENV)
    except ConfigError:
        return
    assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))] == []


def of_form(key: Key) -> st.SearchStrategy[Any]:
    """Values of a key's own form, and any others."""
    forms = [one.check if isinstance(one, Each) else one for one in key.checks]
    texts = st.one_of(
        [st.from_regex(form.pattern, fullmatch=True) for form in forms if isinstance(form, Matches | Zones)]
        + [st.from_regex(form.form, fullmatch=True) for form in forms if isinstance(form, AtLeast)]
        + [st.sampled_from(form.known) for form in forms if isinstance(form, Matches) and form.known]
        + ([st.sampled_from(key.choices)] if key.choices else [])
        + [st.sampled_from(["10.0.0.0/16", "10.4.0.0/20", "172.16.0.0/28", "0.0.0.0/0", "a", "${env:HOME}"])]
    )
    match key.kind:
        case Kind.TEXT:
            return texts
        case Kind.NUMBER:
            return st.integers(0, 20_000)
        case Kind.TEXTS:
            return st.lists(texts, max_size=3, unique=any(isinstance(one, Distinct) for one in key.checks))
        case Kind.NUMBER_OR_TEXTS:  # how many there can be, rules know
            return st.one_of(st.just(key.default), st.lists(texts, max_size=4))
        case _:
            return values


@settings(SEEDED, max_examples=150)
@given(st.data())
def test_a_value_that_the_loader_takes_for_a_key_is_valid_for_it(data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(list(keys().values())))
    value = data.draw(of_form(key))
    provider = key.provider or Provider.AWS
    required = {cl.provider: needed for cl, needed in REQUIRED.items()}.get(provider, {})
    content: dict[str, Any] = {"cloud": {"provider": provider.value, provider.value: dict(required)}}
    inner = content
    for step in key.path[:-1]:
        inner = inner.setdefault(step, {})
    inner[key.name] = value
    if key.path[:2] == ("cloud", "state"):
        inner |= dict.fromkeys(("bucket", "container_name", "address", "path", "region", "organization"), "x")
        inner["workspaces"] = {"name": "x"}
    if not any(fault.problem.path.startswith(key.dotted) for fault in shape_faults(content)):
        assert validator(key.dotted).is_valid(value), value
