"""A first `aether.toml`: what somebody answered, the keys that matter beside it, and what each of them means.

Every comment is the reference's own words. A key that is commented out stands there with a value that would be good.
"""

import re
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any, Final

from attrs import field, frozen

from aether_infra.catalog import aws as aws_catalog
from aether_infra.catalog.terraform import BACKENDS
from aether_infra.config.checks import Each, Matches, Network
from aether_infra.config.load import loads
from aether_infra.config.model import DEFAULT_MAXIMUM, KUBERNETES_KINDS
from aether_infra.config.networks import is_private
from aether_infra.config.node import CORE_SIZES
from aether_infra.config.provider import Provider
from aether_infra.config.reference import Key, keys, plain, reference
from aether_infra.config.rules import NO_SYNC
from aether_infra.config.toml_text import toml_value
from aether_infra.config.words import key_text
from aether_infra.core.node import UPSTREAM_IMAGE
from aether_infra.errors import ConfigError, Problem

WIDTH: Final = 100
"""Longest line of a comment."""
REGION_KEYS: Final[Mapping[Provider, str]] = {
    Provider.AWS: "region",
    Provider.GCP: "region",
    Provider.AZURE: "location",
    Provider.DIGITALOCEAN: "region",
    Provider.ORACLE: "region",
}
"""What each cloud calls a region."""
ACCESS: Final = ("endpoint_public", "authorized_cidrs", "allowed_cidrs", "management_cidrs")
KEYS: Final[Mapping[Provider, tuple[str, ...]]] = {
    Provider.AWS: (
        *(
            "compute",
            "region",
            "availability_zones",
            "nat",
            "instance_type",
            "cpu",
            "memory_mib",
            "data",
            "spot",
        ),
        *(
            "min_nodes",
            "max_nodes",
            "data_volume_gib",
            *ACCESS,
            "certificate_arn",
            "hosted_zone_id",
            "kms_key_arn",
        ),
    ),
    Provider.GCP: (
        *("compute", "project", "region", "availability_zones", "machine_type", "spot"),
        *("min_nodes", "max_nodes", "data_volume_gib", *ACCESS, "dns_zone"),
    ),
    Provider.AZURE: (
        *("compute", "subscription_id", "location", "availability_zones", "vm_size", "spot"),
        *("min_nodes", "max_nodes", "data_volume_gib", *ACCESS),
    ),
    Provider.DIGITALOCEAN: (
        *("compute", "region", "droplet_size", "registry_name", "create_registry"),
        *("min_nodes", "max_nodes", "data_volume_gib", *ACCESS, "alert_emails"),
    ),
    Provider.ORACLE: (
        *("compute", "compartment_id", "tenancy_id", "region", "shape", "ocpus", "memory_gib", "spot"),
        *("min_nodes", "max_nodes", "data_volume_gib", *ACCESS, "tls_secret"),
    ),
    Provider.KUBERNETES: (
        *("compute", "kubeconfig", "context", "namespace", "availability_zones", "service_type"),
        *("min_nodes", "max_nodes", "data_volume_gib", "management_cidrs", "image_pull_secrets"),
    ),
}
"""Keys of each cloud that somebody who begins should have seen, in the order of the file."""
SAID: Final = frozenset(
    {
        *(
            "cluster.name",
            "cluster.nodes",
            "app-http.enabled",
            "cloud.provider",
            "cloud.protect",
            "cloud.image",
        ),
        *(
            f"cloud.{provider}.{name}"
            for provider in Provider
            for name in ("compute", "min_nodes", "max_nodes")
        ),
        *(f"cloud.{provider}.{name}" for provider, name in REGION_KEYS.items()),
        *("cloud.aws.instance_type", "cloud.gcp.machine_type", "cloud.azure.vm_size"),
        *(
            "cloud.digitalocean.droplet_size",
            "cloud.oracle.shape",
            "cloud.oracle.ocpus",
            "cloud.oracle.memory_gib",
        ),
        *("cloud.kubernetes.kubeconfig", "cloud.kubernetes.service_type"),
    }
)
"""Keys that are in the file even where nobody answered: with what holds anyway, so that it can be seen and changed."""
FARGATE_ONLY: Final = frozenset({"cpu", "memory_mib"})
"""Keys of AWS that may stand beside another kind of compute, and then have no effect; `instance_type` the other way."""
STATE_OF: Final = {Provider.GCP: "gcs", Provider.AZURE: "azurerm"}
"""The state backend that is at home on a cloud, where it is not S3 or what behaves like it."""
STATE_BESIDE: Final[Mapping[str, Mapping[str, Any]]] = {
    "azurerm": {"storage_account_name": "myterraformstate", "use_azuread_auth": True},
    "gcs": {},
    "s3": {"region": "us-east-1"},
}
"""Settings of a backend that somebody wants besides those that it cannot do without."""
SAMPLES: Final[Mapping[str, Any]] = {
    "node.heap": "1g",
    "cloud.tags": {"team": "platform"},
    "cloud.aws.certificate_arn": "arn:aws:acm:{region}:123456789012:certificate/12345678-1234-1234-1234-123456789012",
    "cloud.aws.cpu": 2048,
    "cloud.aws.kms_key_arn": "arn:aws:kms:{region}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "cloud.aws.memory_mib": 8192,
    "cloud.digitalocean.alert_emails": ["oncall@example.com"],
    "cloud.digitalocean.registry_name": "{cluster}-images",
    "cloud.gcp.dns_zone": "example-com",
    "cloud.kubernetes.context": "production",
    "cloud.kubernetes.image_pull_secrets": ["registry"],
    "cloud.kubernetes.namespace": "aether",
    "cloud.oracle.tls_secret": "aether-tls",
    "endpoint_public": True,
}
"""Values of keys that are commented out, where the reference has none or not the one to think about."""
SECRET_SAMPLES: Final[Mapping[Provider, str]] = {
    Provider.AWS: "arn:aws:secretsmanager:{region}:123456789012:secret:db-password",
    Provider.GCP: "projects/my-project/secrets/db-password/versions/latest",
    Provider.AZURE: "https://my-vault.vault.azure.net/secrets/db-password",
    Provider.ORACLE: "ocid1.vaultsecret.oc1.eu-frankfurt-1.example",
}
"""References in each cloud's secret store."""
KUBERNETES_SECRET: Final = "kubernetes:db/password"  # noqa: S105 - a reference, as it is meant to be
NOTES: Final[Mapping[str, str]] = {
    "cloud.image": "The public one starts at once. Push your own to the registry that is made, and name it by digest.",
    "cloud.state": "By default it is a file beside this one; a team wants it shared, locked and encrypted.",
}
"""What somebody who begins should know besides."""


@frozen(kw_only=True)
class Answers:
    """What somebody said of a cluster to be."""

    provider: Provider
    """The cloud."""
    values: Mapping[str, Any] = field(factory=dict)
    """Values by dotted path, of any key."""
    backend: str = ""
    """The state's backend; empty for the local file that nobody asked for."""
    settings: Mapping[str, Any] = field(factory=dict)
    """Settings of the state's backend."""

    @property
    def compute(self) -> str:
        """What runs a node, the default filled in."""
        path = f"cloud.{self.provider}.compute"
        return str(self.values.get(path) or keys()[path].default)

    @property
    def in_kubernetes(self) -> bool:
        """Whether the nodes run in Kubernetes."""
        return self.compute in KUBERNETES_KINDS


def required(provider: Provider) -> tuple[Key, ...]:
    """Keys of a cloud that have no default."""
    table = reference().table("cloud").table(provider)
    return tuple(key for key in table.keys if key.required)


def access(provider: Provider, networks: tuple[str, ...]) -> dict[str, Any]:
    """Values by which some networks reach the Kubernetes API of a cloud.

    Args:
        provider: the cloud.
        networks: the networks; none: it stays closed.
    """
    if not networks:
        return {}
    found: dict[str, Any] = {f"cloud.{provider}.authorized_cidrs": list(networks)}
    public = f"cloud.{provider}.endpoint_public"
    if public in keys() and any(_public(network) for network in networks):
        found[public] = True
    return found


def problems(answers: Answers) -> tuple[Problem, ...]:
    """What is wrong with answers; what is required and not answered yet counts as answered well."""
    missing = {
        key.dotted: key.example for key in required(answers.provider) if key.dotted not in answers.values
    }
    complete = Answers(
        provider=answers.provider,
        values={**missing, **answers.values},
        backend=answers.backend,
        settings=answers.settings,
    )
    try:
        loads(starter(complete))
    except ConfigError as error:
        return error.problems
    return ()


def starter(answers: Answers, *, schema: str = "") -> str:
    """The text of a first file.

    Args:
        answers: what was answered.
        schema: path from the file to its JSON Schema; empty where there is none.
    """
    lines = [f"#:schema {schema}"] if schema else []
    lines += _comment(f"{_table_text(f'cloud.{answers.provider}').rstrip('.')}: {answers.compute}.")
    lines += _comment(
        "Keys behind a # are those to think about next. Check the file with `aether-infra validate`; "
        "`aether-infra schema --reference` explains every key."
    )
    for block in _blocks(answers):
        lines += ["", *block]
    return "\n".join(lines) + "\n"


def _blocks(answers: Answers) -> Iterator[list[str]]:
    yield _table(answers, "cluster", ("name", "nodes"))
    yield _table(answers, "node", ("heap",))
    yield _table(answers, "app-http", ("enabled", "port"))
    yield _table(answers, "cloud", ("provider", "protect", "image", "domain", "tags"))
    yield _state(answers)
    if secrets := _secrets(answers):
        yield secrets
    yield _table(answers, f"cloud.{answers.provider}", KEYS[answers.provider])


def _table(answers: Answers, path: str, names: tuple[str, ...]) -> list[str]:
    """A table with some of its keys; commented out as a whole where none of them is said."""
    found = [key for name in names if (key := keys().get(f"{path}.{name}")) and _applies(answers, key)]
    lines = [line for key in found for line in _key(answers, key)]
    said = any(not line.startswith("#") for line in lines)
    return [*_comment(_table_text(path)), f"{'' if said else '#'}[{path}]", *lines]


def _table_text(path: str) -> str:
    table = reference()
    for step in path.split("."):
        table = table.table(step)
    return table.text


def _applies(answers: Answers, key: Key) -> bool:
    if key.only_for and answers.compute not in key.only_for:
        return False
    if key.provider is Provider.AWS and key.name in FARGATE_ONLY | {"instance_type"}:
        return (answers.compute == "fargate") == (key.name in FARGATE_ONLY)
    return True


def _key(answers: Answers, key: Key) -> list[str]:
    value = _said(answers, key)
    mark, shown = ("", value) if value is not None else ("#", _sample(answers, key))
    text = " ".join(filter(None, (plain(key.text), NOTES.get(key.dotted))))
    return [*_comment(text), f"{mark}{key.name} = {toml_value(shown)}"]


def _said(answers: Answers, key: Key) -> Any:
    """What the file says of a key; None if nothing."""
    if key.dotted in answers.values:
        return answers.values[key.dotted]
    if key.dotted == "cloud.aws.availability_zones":
        return _fewer_zones(answers)
    if key.dotted not in SAID:
        return None
    core = answers.values.get("cluster.nodes", CORE_SIZES[0])
    said = {
        "cluster.nodes": core,
        "app-http.enabled": True,
        "cloud.provider": answers.provider.value,
        "cloud.image": UPSTREAM_IMAGE,
        # the autoscaler of Kubernetes keeps one elastic node at least
        "min_nodes": core + 1 if answers.in_kubernetes else core,
        "max_nodes": DEFAULT_MAXIMUM,
    }
    return said.get(key.dotted, said.get(key.name, key.default))


def _fewer_zones(answers: Answers) -> int | None:
    """How many zones a region has, if these are fewer than would be taken."""
    path = "cloud.aws.region"
    zones = aws_catalog.REGIONS.get(answers.values.get(path, keys()[path].default), ())
    return len(zones) if 0 < len(zones) < keys()["cloud.aws.availability_zones"].default else None


def _sample(answers: Answers, key: Key) -> Any:
    """A good value of a key that is commented out."""
    sample = SAMPLES.get(key.dotted, SAMPLES.get(key.name))
    if sample is not None:
        return _filled(answers, sample) if isinstance(sample, str) else sample
    if key.default not in (None, []):
        return key.default
    for check in key.checks:
        match check:
            case Each(Network()):
                return ["198.51.100.0/24"]
            case Matches(form=form) if example := re.search(r'such as "([^"]+)"', form):
                return example[1]
    raise LookupError(f"no value is known to show for {key.dotted}")


def _filled(answers: Answers, sample: str) -> str:
    region, name = keys()["cloud.aws.region"], keys()["cluster.name"]
    return sample.format(
        region=answers.values.get(region.dotted, region.default),
        cluster=answers.values.get(name.dotted, name.default),
    )


def _state(answers: Answers) -> list[str]:
    """Where the state is kept, as it was answered; else as it could be kept on this cloud."""
    if answers.backend:
        backend, settings, mark = answers.backend, dict(answers.settings), ""
    else:
        backend, mark = STATE_OF.get(answers.provider, "s3"), "#"
        settings = {
            **dict.fromkeys(BACKENDS[backend].required, "my-terraform-state"),
            **STATE_BESIDE[backend],
        }
    text = " ".join((_table_text("cloud.state"), NOTES["cloud.state"]))
    lines = [*_comment(text), f"{mark}[cloud.state]", f"{mark}backend = {toml_value(backend)}"]
    return lines + [f"{mark}{key_text(name)} = {toml_value(value)}" for name, value in settings.items()]


def _secrets(answers: Answers) -> list[str]:
    """How a secret would be named; nothing on a cloud whose nodes can be given none."""
    sample = SECRET_SAMPLES.get(answers.provider)
    if answers.in_kubernetes and (sample is None or answers.provider in NO_SYNC):
        sample = KUBERNETES_SECRET
    if sample is None:
        return []
    text = keys()["cloud.secrets"].text
    return [*_comment(text), "#[cloud.secrets]", f"#DB_PASSWORD = {toml_value(_filled(answers, sample))}"]


def _public(network: str) -> bool:
    try:
        return not is_private(network)
    except ValueError:  # no network at all, of which a check tells
        return False


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)]
