"""Rules declare what they read, and one fault gives one problem."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from aether_infra.config import AetherConfig, ConfigError, Problem, loads, warnings
from aether_infra.config import pipeline as pipeline_module
from aether_infra.config.doubts import DOUBTS
from aether_infra.config.rule import Rule, run
from aether_infra.config.rules import RULES
from aether_infra.config.shape import structure
from aether_infra.config.tables import ours, table_class, toml_key, without
from aether_infra.config.tables import paths as dotted_paths
from aether_infra.config.words import dotted

HERE = Path(__file__).parent
SAMPLE = (HERE / "good/sample.toml").read_text(encoding="utf-8")
EVERY_FILE = sorted([*HERE.glob("good/*.toml"), *HERE.glob("faults/*.toml")])
FREE_FORM = (
    "cloud.kubernetes.node_selector",
    "cloud.kubernetes.service_account_annotations",
    "cloud.kubernetes.service_annotations",
    "cloud.secrets",
    "cloud.state",
    "cloud.tags",
)
"""Tables whose keys are the operator's own."""


class Spy:
    """Stands for an attrs object and notes the path of each value that is read."""

    def __init__(self, target: Any, path: str, seen: set[str]) -> None:
        self._spied = (target, path, seen)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._spied[0])

    def __getattr__(self, name: str) -> Any:
        target, path, seen = self._spied
        attribute = getattr(type(target), name, None)
        if isinstance(attribute, property) and attribute.fget is not None:
            return attribute.fget(self)
        if callable(attribute):
            return attribute.__get__(self)
        value = getattr(target, name)
        if name not in attrs.fields_dict(type(target)) or name in {"given", "from_env", "source"}:
            return value
        place = ".".join(filter(None, (path, toml_key(attrs.fields_dict(type(target))[name]))))
        if attrs.has(type(value)):
            return Spy(value, place, seen)
        if table_class(attrs.fields_dict(type(target))[name].type) is None:
            seen.add(place)
        return value


def reads(rule: Rule, config: AetherConfig) -> set[str]:
    seen: set[str] = set()
    spy: Any = Spy(config, "", seen)
    list(rule.check(spy))
    return seen


def undeclared(rule: Rule, config: AetherConfig) -> set[str]:
    declared = tuple(read.removeprefix("=") for read in rule.reads)
    return {
        path
        for path in reads(rule, config)
        if not any(f"{path}.".startswith(f"{read}.") for read in declared)
    }


@pytest.fixture
def configurations(monkeypatch: pytest.MonkeyPatch) -> list[AetherConfig]:
    """What the rules get to see of every file in the tests, good or faulty."""
    seen: list[AetherConfig] = []

    def note(
        _rules: Iterable[Rule], config: AetherConfig, _failed: Iterable[str] = ()
    ) -> tuple[Problem, ...]:
        seen.append(config)
        return ()

    monkeypatch.setattr(pipeline_module, "run", note)
    for path in EVERY_FILE:
        try:
            loads(path.read_text(encoding="utf-8"), env={"BAD_REGION": "us-west-2"})
        except ConfigError:
            continue
    return seen


def test_rules_declare_what_they_read(configurations: list[AetherConfig]) -> None:
    assert len(configurations) > 50
    for rule in RULES:
        for config in configurations:
            assert not undeclared(rule, config), rule.reads


def test_rules_declare_nothing_that_does_not_exist() -> None:
    known = {path for path, _ in leaves(AetherConfig)} | {"cloud.state", "cloud.secrets", "cloud.tags"}
    for rule in RULES:
        for read in rule.reads:
            path = read.removeprefix("=")
            shared = (
                path.startswith("cloud.") and path.count(".") == 2
            )  # section rules name every cloud's keys
            assert shared or any(f"{leaf}.".startswith(f"{path}.") for leaf in known), path


def test_a_rule_is_skipped_when_what_it_reads_failed() -> None:
    rule = Rule(
        lambda _config: iter([Problem(path="a", message="is wrong")]), ("cloud.aws.region", "=cloud.tags")
    )
    config = loads("[cloud.aws]", env={})
    assert run([rule, rule], config) == (Problem(path="a", message="is wrong"),)
    for failed in ("cloud.aws.region", "cloud.aws", "cloud", "cloud.tags"):
        assert run([rule], config, [failed]) == ()
    for failed in ("cloud.aws.regions", "cloud.aws.vpc_cidr", "cloud.tags.team", "cluster"):
        assert len(run([rule], config, [failed])) == 1


def leaves(cl: type, path: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    for attribute in attrs.fields(cl):
        if cl is AetherConfig and attribute.name in {"source", "given", "from_env"}:
            continue
        keys = (*path, toml_key(attribute))
        inner = table_class(attribute.type)
        if inner is None or ".".join(keys) == "cloud.state":
            yield ".".join(keys), keys
        else:
            yield from leaves(inner, keys)


EVERY_KEY = [keys for path, keys in leaves(AetherConfig)]


def with_value(keys: tuple[str, ...], value: object) -> dict[str, Any]:
    tables: dict[str, Any] = tomllib.loads(SAMPLE)
    place = tables
    for key in keys[:-1]:
        place = place.setdefault(key, {})
    place[keys[-1]] = value
    return tables


@pytest.mark.parametrize("keys", EVERY_KEY, ids=".".join)
def test_one_wrong_type_gives_one_problem(
    keys: tuple[str, ...], checked: Callable[[dict[str, Any]], list[str]]
) -> None:
    for value in (1.5, tomllib.loads("x = 1979-05-27")["x"]):
        (path,) = checked(with_value(keys, value))
        assert path == ".".join(keys)


@pytest.mark.parametrize(
    "keys", [keys for keys in EVERY_KEY if ".".join(keys) not in FREE_FORM], ids=".".join
)
def test_one_wrong_text_or_number_gives_one_problem(
    keys: tuple[str, ...], checked: Callable[[dict[str, Any]], list[str]]
) -> None:
    for value in (-1, "\x00", ["\x00"], {"x": 1}):
        (path,) = checked(with_value(keys, value))
        assert path.partition("[")[0] == ".".join(keys)


@pytest.mark.parametrize(
    "table",
    [
        "cluster",
        "cluster.ports",
        *(f"cloud.{name}" for name in ("aws", "gcp", "azure", "health", "shutdown")),
    ],
)
def test_one_unknown_key_gives_one_problem(
    table: str, checked: Callable[[dict[str, Any]], list[str]]
) -> None:
    assert checked(with_value((*table.split("."), "zzz"), 1)) == [f"{table}.zzz"]


@pytest.fixture
def checked() -> Callable[[dict[str, Any]], list[str]]:
    """Paths of the problems that tables have."""

    def paths(tables: dict[str, Any]) -> list[str]:
        config, misfits = structure(ours(tables))
        config = attrs.evolve(config, given=frozenset(dotted_paths(tables)))
        failed = [dotted(misfit.place) for misfit in misfits]
        return [misfit.problem.path for misfit in misfits] + [one.path for one in run(RULES, config, failed)]

    return paths


def test_the_sample_has_no_problem(checked: Callable[[dict[str, Any]], list[str]]) -> None:
    assert checked(tomllib.loads(SAMPLE)) == []


def test_without_leaves_an_example_of_what_is_required() -> None:
    tables = without(tomllib.loads(SAMPLE), ("cloud", "gcp", "project"))
    assert tables["cloud"]["gcp"]["project"] == "my-project"
    assert "nat" not in without({"cloud": {"aws": {"nat": 1}}}, ("cloud", "aws", "nat"))["cloud"]["aws"]
    assert without({"cloud": {"aws": {"x": [1, 2]}}}, ("cloud", "aws", "x", 1)) == {"cloud": {"aws": {}}}
    assert without({}, ("cloud",)) == {"cloud": {"provider": "aws"}}


def test_doubts_never_fail(configurations: list[AetherConfig]) -> None:
    for config in configurations:
        try:
            found = run(DOUBTS, config)
        except ValueError:  # only zones that the rules refuse
            continue
        assert all(problem.path and problem.message for problem in found)


def test_warnings_of_the_sample() -> None:
    assert [problem.path for problem in warnings(loads(SAMPLE, env={}))] == [
        "app-http.enabled",
        "cloud.aws.instance_type",
        "cloud.digitalocean.authorized_cidrs",
        "cloud.gcp.zone",
        "cloud.image",
        "cloud.oracle.tls_secret",
        "cloud.secrets",
    ]
