"""Any document at all either loads or gives problems: never a traceback, never a problem without words."""

from __future__ import annotations

from typing import Any

from config_strategies import SAMPLE, document, mostly_good, tables, toml, values
from hypothesis import given, settings
from hypothesis import strategies as st

from aether_infra.config import (
    AetherConfig,
    AwsConfig,
    ConfigError,
    aws_zones,
    azure_zones,
    fargate_size,
    gcp_zones,
    heap_mib,
    loads,
    node_memory_mib,
    oracle_zones,
    warnings,
)

SEEDED = settings(max_examples=300, deadline=None, database=None, derandomize=True)


def outcome(text: str) -> AetherConfig | None:
    """Load a document; whatever comes of it must be usable."""
    try:
        config = loads(text, env={"HOME": "/root", "EMPTY": ""})
    except ConfigError as error:
        problems = error.problems
    else:
        use(config)
        return config
    assert problems
    assert list(problems) == sorted(set(problems))
    for problem in problems:
        assert problem.message
        assert problem.path or problem.message.startswith("is not")
        assert str(problem).isprintable()
    return None


def use(config: AetherConfig) -> None:
    """Everything that a stack will ask of a configuration works."""
    for problem in warnings(config):
        assert problem.path
        assert problem.message
    for provider in config.sections:
        counts = config.counts(provider)
        assert 3 <= counts.core <= counts.minimum <= counts.maximum
        memory = node_memory_mib(config, provider)
        assert memory is None or 64 <= heap_mib(config, memory) < memory
        assert config.section(provider).region
    cloud = config.cloud
    if cloud.aws is not None:
        use_aws(config, cloud.aws)
    if cloud.gcp is not None:
        assert gcp_zones(cloud.gcp)
    if cloud.azure is not None:
        azure_zones(cloud.azure)
    if cloud.oracle is not None:
        assert oracle_zones(cloud.oracle)


def use_aws(config: AetherConfig, aws: AwsConfig) -> None:
    if aws.vpc_id is None:
        zones = aws_zones(aws)
        assert len({zone.slot for zone in zones}) == len(zones) >= 2
        assert all(0 <= zone.slot < 8 for zone in zones)
    if aws.compute == "fargate":
        size = fargate_size(config)
        heap = heap_mib(config, size.memory_mib)
        assert heap + max(heap * 0.25, 256) <= size.memory_mib


@SEEDED
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    outcome(text)


@SEEDED
@given(st.data())
def test_a_damaged_sample(data: st.DataObject) -> None:
    lines = SAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        match data.draw(st.sampled_from(["drop", "double", "cut", "swap", "value"])):
            case "drop":
                lines[at] = ""
            case "double":
                lines[at] = f"{line}\n{line}"
            case "cut":
                lines[at] = line[: data.draw(st.integers(0, len(line)))]
            case "swap":
                lines[at] = lines[data.draw(st.integers(0, len(lines) - 1))]
            case _:
                lines[at] = f"{line.partition('=')[0]}= {toml(data.draw(values))}"
    outcome("\n".join(lines))


@SEEDED
@given(tables(AetherConfig))
def test_any_tables_over_the_schemas_keys(content: dict[str, Any]) -> None:
    outcome(document(content))


@SEEDED
@given(st.dictionaries(st.sampled_from(["cluster", "cloud", "node", "app-http", "kubernetes"]), values))
def test_any_values_in_the_place_of_tables(content: dict[str, Any]) -> None:
    outcome(document(content))


@SEEDED
@given(mostly_good())
def test_a_few_keys_of_a_good_file(content: dict[str, Any]) -> None:
    outcome(document(content))
