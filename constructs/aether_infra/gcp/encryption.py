"""The customer's own key: lets Google's service agents encrypt with it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.data_google_project import DataGoogleProject
from cdktf_cdktf_provider_google.kms_crypto_key_iam_member import KmsCryptoKeyIamMember
from constructs import Construct

AGENTS = {
    "artifactregistry": "gcp-sa-artifactregistry",
    "compute": "compute-system",
    "container": "container-engine-robot",
}
"""Service agents by service. Source: https://cloud.google.com/iam/docs/service-agents (as of 2026-11)."""


@frozen(kw_only=True)
class KeyAccessProps:
    """Props of `KeyAccess`."""

    project: str
    """The project's id."""
    kms_key: str
    """The key, `projects/…/locations/…/keyRings/…/cryptoKeys/…`."""
    services: Sequence[str]
    """Services that encrypt with it: keys of `AGENTS`."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the services, whose agents come into being with them."""


class KeyAccess(Construct):
    """The right of service agents to encrypt and decrypt with a key.

    Attributes:
        grants: one right a service: what is encrypted with the key depends on them.
    """

    def __init__(self, scope: Construct, id_: str, props: KeyAccessProps) -> None:
        super().__init__(scope, id_)
        project = DataGoogleProject(self, "project", project_id=props.project)
        self.grants = [
            KmsCryptoKeyIamMember(
                self,
                service,
                crypto_key_id=props.kms_key,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=f"serviceAccount:service-{project.number}@{AGENTS[service]}.iam.gserviceaccount.com",
                depends_on=list(props.depends_on),
            )
            for service in sorted(props.services)
        ]
