"""Reading a file: what a valid one becomes, and every way in which a file can be unreadable."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from aether_infra.config import (
    AetherConfig,
    AwsConfig,
    AzureConfig,
    ClusterConfig,
    ConfigError,
    DigitaloceanConfig,
    GcpConfig,
    NodeCounts,
    OracleConfig,
    Provider,
    load,
    loads,
)
from aether_infra.config.tables import table_class, toml_key

GOOD = Path(__file__).parent / "good"
SAMPLE = GOOD / "sample.toml"
UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def problems(text: str, **env: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loads(text, env=env)
    return [str(problem) for problem in caught.value.problems]


def file_problem(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.source == str(path)
    (problem,) = caught.value.problems
    return str(problem)


def test_design_sample_loads_as_written() -> None:
    config = load(SAMPLE, env={})
    assert config.sections == tuple(one for one in Provider if one is not Provider.KUBERNETES)
    assert config.cloud.provider is Provider.AWS
    assert config.cluster == ClusterConfig(name="aether", nodes=3)
    assert config.cloud.state.backend == "s3"
    assert config.cloud.state.settings == {"bucket": "aether-state", "region": "us-west-2"}
    assert config.cloud.tags == {"team": "platform"}
    assert config.cloud.aws == AwsConfig(
        cpu=2048,
        memory_mib=4096,
        min_nodes=3,
        max_nodes=10,
        ecr_repository="aether-node",
        certificate_arn="arn:aws:acm:us-west-2:123456789012:certificate/12345678-1234-1234-1234-123456789012",
    )
    assert config.cloud.gcp == GcpConfig(project="my-project", zone="us-central1-a")
    assert config.cloud.azure == AzureConfig(subscription_id=UUID, resource_group="aether-rg")
    assert config.cloud.digitalocean == DigitaloceanConfig()
    assert config.cloud.oracle == OracleConfig(
        compartment_id="ocid1.compartment.oc1..aaaaaaaaexamplecompartment",
        tenancy_id="ocid1.tenancy.oc1..aaaaaaaaexampletenancy",
    )


@pytest.mark.parametrize("path", sorted(GOOD.glob("*.toml")), ids=lambda path: path.stem)
def test_good_file(path: Path) -> None:
    config = load(path, env={})
    assert config.sections


def test_every_key_has_a_good_example() -> None:
    given = frozenset().union(*(load(path, env={}).given for path in GOOD.glob("*.toml")))
    assert sorted(path for path in keys(AetherConfig) if path not in given) == []


def keys(cl: type, path: str = "") -> Iterator[str]:
    for attribute in attrs.fields(cl):
        if cl is AetherConfig and attribute.name in {"source", "given", "from_env"}:
            continue
        place = f"{path}.{toml_key(attribute)}".lstrip(".")
        inner = table_class(attribute.type)
        if inner is None or place == "cloud.state":
            yield place
        else:
            yield from keys(inner, place)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('compute = "fargate"', 'compute = "ec2"'),
        ('compute = "fargate"', 'compute = "eks"'),
        ('compute = "gke"', 'compute = "vm"'),
        ('compute = "aks"', 'compute = "vm"'),
        ('compute = "doks"', 'compute = "vm"'),
        ('compute = "oke"', 'compute = "vm"'),
        ('nat = "per_az"', 'nat = "single"'),
        ('zone = "us-central1-a"', ""),
        ("\nnodes = 3\n", "\n"),
    ],
)
def test_the_sample_with_one_word_changed_loads_too(old: str, new: str) -> None:
    assert old in SAMPLE.read_text(encoding="utf-8")
    loads(SAMPLE.read_text(encoding="utf-8").replace(old, new), env={})


def test_defaults_are_the_design_samples_values() -> None:
    config = loads("[cloud.aws]", env={})
    assert config.cluster.name == "aether"
    assert config.cloud.protect
    assert config.cloud.state.backend == "local"
    assert config.cloud.aws == AwsConfig()
    assert config.counts(Provider.AWS) == NodeCounts(core=3, minimum=3, maximum=10)


@pytest.mark.parametrize(
    ("cluster", "bounds", "expected"),
    [
        ("", "", (3, 3, 10)),
        ("nodes = 5", "", (5, 5, 10)),
        ("", "min_nodes = 4", (3, 4, 10)),
        ("", "min_nodes = 6", (5, 6, 10)),
        ("", "min_nodes = 12", (7, 12, 12)),
        ("nodes = 3", "min_nodes = 12", (3, 12, 12)),
        ("nodes = 3", "max_nodes = 3", (3, 3, 3)),
        ("nodes = 7", "min_nodes = 8\nmax_nodes = 20", (7, 8, 20)),
    ],
)
def test_counts(cluster: str, bounds: str, expected: tuple[int, int, int]) -> None:
    counts = loads(f"[cluster]\n{cluster}\n[cloud.aws]\n{bounds}", env={}).counts(Provider.AWS)
    assert (counts.core, counts.minimum, counts.maximum) == expected
    assert counts.elastic_minimum == counts.minimum - counts.core
    assert counts.elastic_maximum == counts.maximum - counts.core
    assert counts.majority * 2 > counts.core


def test_a_section_that_is_not_there_is_a_config_error() -> None:
    config = loads("[cloud.aws]", env={})
    with pytest.raises(ConfigError, match=r"cloud\.gcp: is missing"):
        config.section(Provider.GCP)


def test_the_only_section_is_the_provider() -> None:
    assert loads("[cloud.digitalocean]", env={}).cloud.provider is Provider.DIGITALOCEAN


def test_an_existing_kubernetes_cluster_needs_no_section() -> None:
    config = loads('[cloud]\nprovider = "gcp"\n[cloud.kubernetes]\ncontext = "prod"', env={})
    assert config.sections == (Provider.KUBERNETES,)
    assert config.cloud.kubernetes is not None
    assert config.cloud.kubernetes.context == "prod"


def test_the_nodes_own_tables_are_passed_over() -> None:
    text = """
        [cluster]
        environment = "docker"
        [cluster.ports]
        management = 9080
        [node]
        metrics_interval = "1s"
        reconciliation = "5s"
        [node.resources]
        gpu = 1
        [app-http]
        enabled = true
        api_keys = ["${env:NOT_OURS}"]
        [tls]
        cert_path = "/x"
        [slice]
        anything = { goes = [1, 2.5, 1979-05-27] }
        [database.main]
        password = "${env:ALSO_NOT_OURS}"
        [cloud.aws]
    """
    config = loads(text, env={})
    assert config.app_http.enabled is True
    assert config.cluster.ports.management == 9080
    assert config.cluster.ports.swim == 8190


def test_environment_is_filled_in() -> None:
    text = '[cloud]\nimage = "${env:REGISTRY}/aether-node:${env:VERSION}"\n[cloud.aws]\nregion = "${env:R}"'
    config = loads(text, env={"REGISTRY": "ghcr.io/siy", "VERSION": "1.2.3", "R": "eu-west-1"})
    assert config.cloud.image == "ghcr.io/siy/aether-node:1.2.3"
    assert config.cloud.aws is not None
    assert config.cloud.aws.region == "eu-west-1"
    assert config.from_env == {"cloud.image", "cloud.aws.region"}


def test_environment_is_the_process_own_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AETHER_TEST_NAME", "from-env")
    assert loads('[cluster]\nname = "${env:AETHER_TEST_NAME}"\n[cloud.aws]').cluster.name == "from-env"


def test_environment_works_inside_lists_tables_and_state() -> None:
    text = """
        [cloud]
        tags = { team = "${env:TEAM}" }
        [cloud.state]
        backend = "s3"
        bucket = "${env:TEAM}-state"
        [cloud.aws]
        allowed_cidrs = ["${env:OFFICE}"]
    """
    config = loads(text, env={"TEAM": "platform", "OFFICE": "203.0.113.0/24"})
    assert config.cloud.tags == {"team": "platform"}
    assert config.cloud.state.settings["bucket"] == "platform-state"
    assert config.section(Provider.AWS).allowed_cidrs == ("203.0.113.0/24",)


def test_what_was_given_is_told_from_defaults() -> None:
    config = loads('[cluster]\nname = "x"\n[node]\nheap = "1g"\nother = 1\n[cloud.aws]\nnat = "none"', env={})
    assert config.given == {
        "cluster",
        "cluster.name",
        "node",
        "node.heap",
        "cloud",
        "cloud.aws",
        "cloud.aws.nat",
    }


def test_tables_are_sorted_whatever_the_files_order() -> None:
    one = loads('[cloud]\ntags = { b = "1", a = "2" }\n[cloud.aws]', env={})
    other = loads('[cloud]\ntags = { a = "2", b = "1" }\n[cloud.aws]', env={})
    assert one == other
    assert list(one.cloud.tags) == ["a", "b"]


def test_configuration_is_frozen() -> None:
    config = loads("[cloud.aws]", env={})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.cluster.name = "other"  # type: ignore[misc]


def test_shape_and_rule_problems_come_together() -> None:
    found = problems('[cluster]\nnodes = 5\n[cloud.aws]\nmin_nodes = 3\nnat = "singel"\nspot = 1')
    assert [line.partition(":")[0] for line in found] == [
        "cloud.aws.min_nodes",
        "cloud.aws.nat",
        "cloud.aws.spot",
    ]


def test_no_problem_only_follows_from_another() -> None:
    assert problems("[cluster]\nnodes = 4\n[cloud.aws]\nmin_nodes = 3") == problems(
        "[cluster]\nnodes = 4\n[cloud.aws]"
    )
    assert len(problems('[cloud.aws]\nregion = 7\navailability_zones = ["us-west-2a", "us-west-2b"]')) == 1


def test_missing_file(tmp_path: Path) -> None:
    assert file_problem(tmp_path / "aether.toml").startswith("does not exist")


def test_directory(tmp_path: Path) -> None:
    assert file_problem(tmp_path).startswith("is a directory, not a file")


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert file_problem(tmp_path / "aether.toml") == "cannot be read: permission denied"


def test_path_that_no_system_takes() -> None:
    assert "cannot be read" in file_problem(Path("a\0b"))


def test_file_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert file_problem(tmp_path / "file/aether.toml") == "cannot be read: not a directory"


def test_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "aether.toml"
    path.write_bytes('[cluster]\nname = "äther"\n'.encode("latin-1"))
    assert file_problem(path) == "is not UTF-8: line 2 has the byte 0xe4 (save it as UTF-8)"


def test_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "aether.toml"
    path.write_bytes("[cloud.aws]".encode("utf-16"))
    assert file_problem(path) == "is UTF-16, not UTF-8 (save it as UTF-8)"


def test_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "aether.toml"
    path.write_bytes(b"\xef\xbb\xbf[cloud.aws]\r\nspot = true\r\n")
    assert load(path).section(Provider.AWS) == AwsConfig(spot=True)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[cloud.aws]\nregion = \n", "line 2, column 10"),
        ("a = 1\nb = = 2", "line 2, column 5"),
        ("[cloud", "line 1, column 7 (the end)"),
        ("x = " + "[" * 5000, ""),
        ("x = " + "9" * 5000, ""),
        ("x = 2026-13-45", ""),
    ],
)
def test_invalid_toml_names_line_and_column(text: str, place: str) -> None:
    (line,) = problems(text)
    assert line.startswith(f"is not valid TOML at {place}" if place else "is not valid TOML")


def test_error_reads_well() -> None:
    with pytest.raises(ConfigError) as caught:
        loads('[cloud.aws]\nnat = "singel"\nspot = 1', "clusters/a.toml", {})
    assert str(caught.value) == (
        "clusters/a.toml: 2 problems\n"
        '  cloud.aws.nat: must be one of per_az, single, none, got "singel" (did you mean "single"?)\n'
        "  cloud.aws.spot: must be true or false, got 1"
    )
