"""`aether-infra init`: what it writes is valid for every cloud, what it asks, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from console_script import in_terminal, plain, run

from aether_infra.cli.init import command
from aether_infra.cli.main import run as main
from aether_infra.cli.schema import command as schema_command
from aether_infra.config import AetherConfig, Provider, load, loads, warnings
from aether_infra.config.reference import keys
from aether_infra.config.reference import plain as without_addresses
from aether_infra.config.starter import KEYS, SAID, SAMPLES, Answers, required, starter

NEEDED = {
    Provider.GCP: ["--project", "my-project"],
    Provider.AZURE: ["--subscription-id", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"],
    Provider.ORACLE: [
        *("--compartment-id", "ocid1.compartment.oc1..aaaa"),
        *("--tenancy-id", "ocid1.tenancy.oc1..aaaa"),
    ],
}
"""Flags of what only the operator can know."""
KINDS = [
    pytest.param(provider, compute, id=f"{provider}-{compute}")
    for provider in Provider
    for compute in keys()[f"cloud.{provider}.compute"].choices
]
EXPECTED = {
    "cloud.image": "can change under a running cluster",
    "certificate": "users are served plain HTTP",
    "authorized_cidrs": "is empty",
}
"""What a first file may be warned of, by the end of the path: each is a decision that nobody has taken yet."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def flags(provider: Provider, compute: str, *more: str) -> list[str]:
    return ["--cloud", provider.value, "--compute", compute, *NEEDED.get(provider, []), *more]


def surprises(config: AetherConfig) -> Iterator[str]:
    """Warnings beyond those that are expected."""
    for warning in warnings(config):
        known = any(
            (warning.path == path or warning.path.rpartition(".")[2].startswith((path, "tls_secret")))
            and words in warning.message
            for path, words in EXPECTED.items()
        )
        if not known:
            yield str(warning)


@pytest.mark.parametrize(("provider", "compute"), KINDS)
def test_every_cloud_and_kind_of_compute(provider: Provider, compute: str) -> None:
    done = invoke(*flags(provider, compute))
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    config = load("aether.toml")
    assert config.sections == (provider,)
    assert config.section(provider).compute == compute
    assert list(surprises(config)) == []


@pytest.mark.parametrize(("provider", "compute"), KINDS)
def test_with_all_that_matters_said_there_is_no_warning_but_of_the_image(
    provider: Provider, compute: str
) -> None:
    more = ["--domain", "shop.example.com", "--image", "ghcr.io/siy/aether-node:1.2.3", "--nodes", "5"]
    if compute in {"eks", "doks"}:
        more += ["--authorized-cidr", "203.0.113.0/24"]
    assert invoke(*flags(provider, compute, *more)).exit_code == 0
    found = [warning for warning in warnings(load("aether.toml")) if provider is not Provider.ORACLE]
    assert found == []


@pytest.mark.parametrize(("provider", "compute"), KINDS)
def test_every_line_that_is_commented_out_would_be_good(provider: Provider, compute: str) -> None:
    assert invoke(*flags(provider, compute)).exit_code == 0
    text = Path("aether.toml").read_text(encoding="utf-8")
    everything = re.sub(r"(?m)^#(?=[\w\[])", "", text)
    assert everything.count("\n#") < text.count("\n#")
    config = loads(everything)
    assert config.cloud.domain == "aether.example.com"
    assert config.cloud.state.backend != "local"


@pytest.mark.parametrize("region", ["us-west-1", "eu-west-3", "ca-central-1"])
def test_regions_with_fewer_zones_are_no_problem(region: str) -> None:
    done = invoke("--cloud", "aws", "--region", region)
    assert done.exit_code == 0, done.stderr
    assert load("aether.toml").section(Provider.AWS).region == region


def test_the_words_are_those_of_the_reference() -> None:
    invoke(*flags(Provider.GCP, "gke"))
    text = Path("aether.toml").read_text(encoding="utf-8")
    prose = " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    for path in ("cluster.name", "cloud.gcp.authorized_cidrs", "cloud.secrets", "cloud.domain"):
        assert without_addresses(keys()[path].text) in prose
    assert "http" not in prose
    assert max(map(len, text.splitlines())) <= 110


def test_every_key_of_the_tables_is_one() -> None:
    for provider, names in KEYS.items():
        for name in names:
            path = f"cloud.{provider}.{name}"
            assert path in keys() or name in {"endpoint_public", "authorized_cidrs"}, path
    assert set(SAID) <= keys().keys()
    assert {path for path in SAMPLES if "." in path} <= keys().keys()
    for provider in Provider:
        assert {key.name for key in required(provider)} <= set(KEYS[provider])


def test_all_flags_together() -> None:
    done = invoke(
        *flags(Provider.AZURE, "aks", "--name", "shop", "--nodes", "5", "--region", "westeurope"),
        *("--domain", "shop.example.com", "--image", "acme.azurecr.io/node:1"),
        *("--authorized-cidr", "203.0.113.0/24", "--authorized-cidr", "198.51.100.0/24"),
        *(
            "--state",
            "azurerm",
            "--state-setting",
            "container_name=state",
            "--state-setting",
            "use_oidc=true",
        ),
        *("-o", "clusters/shop.toml"),
    )
    assert done.exit_code == 0, done.stderr
    config = load("clusters/shop.toml")
    azure = config.cloud.azure
    assert azure is not None
    assert (config.cluster.name, config.cluster.nodes, azure.location) == ("shop", 5, "westeurope")
    assert azure.endpoint_public
    assert azure.authorized_cidrs == ("203.0.113.0/24", "198.51.100.0/24")
    assert config.cloud.state.backend == "azurerm"
    assert config.cloud.state.settings == {"container_name": "state", "use_oidc": True}
    assert "aether-infra synth -c clusters/shop.toml" in done.stderr


def test_a_private_network_opens_nothing_to_the_internet() -> None:
    invoke(*flags(Provider.AWS, "eks", "--authorized-cidr", "10.0.0.0/8"))
    aws = load("aether.toml").cloud.aws
    assert aws is not None
    assert not aws.endpoint_public
    assert aws.authorized_cidrs == ("10.0.0.0/8",)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["s3", "bucket=b", "max_retries=5", "assume_role.role_arn=arn:x=y"], {"max_retries": 5}),
        (["remote", "organization=acme"], {"workspaces": {"name": "aether-aws"}}),
        (["cloud", "workspaces.name=mine"], {"workspaces": {"name": "mine"}}),
        (["pg"], {}),
        (["local", "path=here.tfstate"], {"path": "here.tfstate"}),
    ],
)
def test_states(settings: list[str], expected: dict[str, Any]) -> None:
    backend, *pairs = settings
    arguments = [word for pair in pairs for word in ("--state-setting", pair)]
    done = invoke("--cloud", "aws", "--state", backend, *arguments)
    assert done.exit_code == 0, done.stderr
    state = load("aether.toml").cloud.state
    assert state.backend == backend
    assert expected.items() <= state.settings.items()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["--cloud: is missing: one of aws,", "then for oracle: --compartment-id, --tenancy-id"]),
        (["--cloud", "gcp"], ["--project: is missing: id of the project"]),
        (["--cloud", "oracle"], ["--compartment-id: is missing", "--tenancy-id: is missing"]),
        (
            ["--cloud", "gcp", "--project", "X", "--region", "mars-1", "--name", "Shop", "--nodes", "4"],
            [
                "--project: must be",
                "--region: must be",
                "--name: must be 1-20",
                "--nodes: must be one of 3, 5, 7",
            ],
        ),
        (
            ["--cloud", "aws", "--compute", "fargatee"],
            ["--compute: must be one of", 'did you mean "fargate"?'],
        ),
        (["--cloud", "aws", "--project", "x"], ["--project: is not for aws"]),
        (
            ["--cloud", "aws", "--context", "x", "--tenancy-id", "y"],
            ["--context: is not", "--tenancy-id: is not"],
        ),
        (["--cloud", "aws", "--domain", "https://x"], ["--domain: must be a host name"]),
        (["--cloud", "aws", "--image", "Not An Image"], ["--image: must be an image reference"]),
        (
            ["--cloud", "aws", "--authorized-cidr", "10.0.0.0/8"],
            ["--authorized-cidr: is for Kubernetes clusters"],
        ),
        (
            ["--cloud", "aws", "--compute", "eks", "--authorized-cidr", "10.0.0.1/8"],
            ["--authorized-cidr: has bits set", 'did you mean "10.0.0.0/8"?'],
        ),
        (["--cloud", "aws", "--state", "s4"], ["--state: must be one of local, s3"]),
        (["--cloud", "aws", "--state", "s3"], ["--state-setting bucket: is missing"]),
        (
            ["--cloud", "aws", "--state", "s3", "--state-setting", "bucket", "--state-setting", "a.=1"],
            ['--state-setting: must be KEY=VALUE, got "bucket"', 'got "a.=1"'],
        ),
        (
            ["--cloud", "aws", "--state", "s3", "--state-setting", "a=1", "--state-setting", "a.b=1"],
            ['must be KEY=VALUE, got "a.b=1"'],
        ),
        (["--cloud", "aws", "--state-setting", "bucket=b"], ["--state: is missing"]),
        (
            ["--cloud", "aws", "--state", "s3", "--state-setting", "secret_key=hunter2"],
            ["--state-setting secret_key: looks like a secret"],
        ),
        (["--cloud", "digitalocean", "--region", "atl1", "--compute", "doks"], []),
    ],
)
def test_what_is_refused_is_told_by_the_flag(
    arguments: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["init", *arguments])
    said = capsys.readouterr()
    if not expected:
        assert code == 0
        return
    assert code == 2
    for words in expected:
        assert words in said.err
    assert "hunter2" not in said.err
    assert "Traceback" not in said.err
    assert list(Path().iterdir()) == []


def test_an_existing_file_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Path("aether.toml").write_text("mine", encoding="utf-8")
    assert main(["init", "--cloud", "aws"]) == 1
    assert "aether.toml: exists; --force replaces it" in capsys.readouterr().err
    assert Path("aether.toml").read_text(encoding="utf-8") == "mine"
    # what cannot be used replaces nothing either
    assert main(["init", "--cloud", "aws", "--name", "X", "--force"]) == 2
    assert Path("aether.toml").read_text(encoding="utf-8") == "mine"
    assert main(["init", "--cloud", "aws", "--force"]) == 0
    assert load("aether.toml").cloud.aws is not None
    assert [path.name for path in Path().iterdir()] == ["aether.toml"]


def test_values_of_the_environment_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT", "my-project")
    assert invoke("--cloud", "gcp", "--project", "${env:PROJECT}").exit_code == 0
    assert 'project = "${env:PROJECT}"' in Path("aether.toml").read_text(encoding="utf-8")


def test_an_editor_is_told_of_a_schema_that_is_there() -> None:
    invoke("--cloud", "aws")
    assert "#:schema" not in Path("aether.toml").read_text(encoding="utf-8")
    CliRunner().invoke(schema_command, ["-o", "clusters/aether.schema.json"])
    invoke("--cloud", "aws", "-o", "clusters/shop.toml")
    text = Path("clusters/shop.toml").read_text(encoding="utf-8")
    assert text.startswith("#:schema ./aether.schema.json\n")
    assert load("clusters/shop.toml")


def test_the_same_answers_give_the_same_bytes() -> None:
    answers = Answers(provider=Provider.DIGITALOCEAN, values={"cluster.name": "shop"})
    assert starter(answers) == starter(answers)
    assert '#registry_name = "shop-images"' in starter(answers)


def test_questions_in_a_terminal(folder: Path) -> None:
    code, screen = in_terminal(
        "init",
        folder=folder,
        answers=[
            ("Cloud (aws,", "digitalocaen\r"),
            ('did you mean "digitalocean"?', ""),
            ("Cloud (aws,", "digitalocean\r"),
            ("What runs a node (doks, vm) [doks]", "\r"),
            ("Name of the cluster [aether]", "Shop\r"),
            ("must be 1-20 lower-case letters", ""),
            ("Name of the cluster [aether]", "shop\r"),
            ("Core nodes, the voters (3, 5, 7) [3]", "5\r"),
            ("Region [fra1]", "\r"),
            ("Container registry, unique in all of DigitalOcean (return: none)", "acme-shop\r"),
            ("Host name of the application (return: none)", "\r"),
            ("Networks that deploy to the Kubernetes cluster", "203.0.113.0/24, 10.0.0.1/8\r"),
            ("has bits set to the right of the prefix", ""),
            ("Networks that deploy to the Kubernetes cluster", "203.0.113.0/24,10.0.0.0/8\r"),
            ("Where Terraform keeps its state (local, s3,", "s3\r"),
            ("s3: bucket", "acme-state\r"),
        ],
    )
    assert code == 0, plain(screen)
    assert "aether.toml: written" in plain(screen)
    config = load(folder / "aether.toml")
    own = config.cloud.digitalocean
    assert own is not None
    assert (config.cluster.name, config.cluster.nodes, own.registry_name) == ("shop", 5, "acme-shop")
    assert own.authorized_cidrs == ("203.0.113.0/24", "10.0.0.0/8")
    assert config.cloud.domain is None
    assert config.cloud.state.settings == {"bucket": "acme-state"}


def test_what_flags_say_is_not_asked(folder: Path) -> None:
    code, screen = in_terminal(
        *("init", "--cloud", "kubernetes", "--name", "shop", "--nodes", "3", "--domain", "a.example.com"),
        folder=folder,
        answers=[("Context in the kubeconfig file (return: none)", "production\r"), ("[local]", "\r")],
    )
    assert code == 0, plain(screen)
    assert plain(screen).count("]: ") == 1
    target = load(folder / "aether.toml").cloud.kubernetes
    assert target is not None
    assert target.context == "production"


def test_with_yes_nothing_is_asked_in_a_terminal(folder: Path) -> None:
    code, screen = in_terminal("init", "--cloud", "gcp", "--yes", folder=folder)
    assert code == 2
    assert "--project: is missing" in plain(screen)
    assert not (folder / "aether.toml").exists()


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_who_leaves_in_between_leaves_no_file(folder: Path, key: str) -> None:
    code, screen = in_terminal(
        "init",
        "--cloud",
        "aws",
        folder=folder,
        answers=[("What runs a node", "\r"), ("Name of the cluster [aether]: ", key)],
    )
    assert code == 130
    assert "error: interrupted" in plain(screen)
    assert "Traceback" not in screen
    assert list(folder.iterdir()) == []


def test_the_console_script_without_a_terminal(folder: Path) -> None:
    done = run("init", "--cloud", "azure", folder=folder)
    assert done.returncode == 2
    assert "--subscription-id: is missing: the subscription" in done.stderr
    assert done.stdout == ""
