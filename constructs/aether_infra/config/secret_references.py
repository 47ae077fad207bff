"""How each cloud's secret store names a secret."""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from aether_infra.config.aws_forms import ARN_FORMS, PARTITION
from aether_infra.config.checks import matches
from aether_infra.config.provider import Provider


@frozen
class ReferenceForm:
    """What a reference to a secret looks like on one cloud."""

    pattern: str
    """Matches a whole reference."""
    words: str
    """The reference in words, after "must be"."""
    example: str
    """A reference as documentation writes it."""


def _arn(service: str) -> str:
    return rf"arn:{PARTITION}:{service}:[a-z0-9-]+:\d{{12}}:{ARN_FORMS[service].resource}"


KUBERNETES_FORM: Final = r"kubernetes:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/[A-Za-z0-9._-]{1,253}"
"""A key of a Kubernetes secret, on any cloud whose nodes run in Kubernetes. Names:
https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data (as of 2026-11)."""

FORMS: Final[Mapping[Provider, ReferenceForm]] = {
    Provider.AWS: ReferenceForm(
        rf"{_arn('secretsmanager')}|{_arn('ssm')}",
        "the ARN of a Secrets Manager secret or an SSM parameter",
        "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME",
    ),
    Provider.GCP: ReferenceForm(
        r"projects/[a-z0-9.:-]+/secrets/[A-Za-z0-9_-]{1,255}/versions/(?:latest|\d+)",
        "a version of a Secret Manager secret",
        "projects/PROJECT/secrets/NAME/versions/latest",
    ),
    Provider.AZURE: ReferenceForm(
        r"https://[A-Za-z0-9-]{3,24}\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)"
        r"/secrets/[A-Za-z0-9-]{1,127}(?:/[0-9a-f]{32})?",
        "the identifier of a Key Vault secret",
        "https://VAULT.vault.azure.net/secrets/NAME",
    ),
    Provider.KUBERNETES: ReferenceForm(
        KUBERNETES_FORM, "a key of a Kubernetes secret in the nodes' namespace", "kubernetes:SECRET/KEY"
    ),
    Provider.ORACLE: ReferenceForm(
        r"ocid1\.vaultsecret\.[a-z0-9-]+\.[a-z0-9-]*\.(?:[a-z0-9-]+\.)?[A-Za-z0-9_-]+",
        "the OCID of a Vault secret",
        "ocid1.vaultsecret.…",
    ),
}
"""Forms by cloud; DigitalOcean has no secret store. Sources, all (as of 2026-11):
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html,
https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions,
https://learn.microsoft.com/en-us/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers,
https://docs.oracle.com/en-us/iaas/Content/General/Concepts/identifiers.htm."""

ENV_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
"""Form of an environment variable's name."""

OURS: Final = (
    "CLUSTER_PEERS",
    "CLUSTER_PORT",
    "CORE_MAX",
    "JAVA_OPTS",
    "MANAGEMENT_PORT",
    "NODE_ID",
    "PEERS",
)
"""Variables that the infrastructure sets itself."""


def kubernetes_secret(reference: str) -> tuple[str, str] | None:
    """Name and key of the Kubernetes secret that a reference means; None if it means another store's."""
    if not matches(KUBERNETES_FORM, reference):
        return None
    name, _, key = reference.partition(":")[2].partition("/")
    return name, key


def is_reference(provider: Provider, text: str) -> bool:
    """Whether a text is a reference in a cloud's secret store."""
    form = FORMS.get(provider)
    return form is not None and matches(form.pattern, text)
