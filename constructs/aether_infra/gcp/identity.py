"""Who the machines and the nodes are, and what they may do: least roles, at the smallest scope there is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from attrs import frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.project_iam_member import ProjectIamMember
from cdktf_cdktf_provider_google.secret_manager_secret_iam_member import SecretManagerSecretIamMember
from cdktf_cdktf_provider_google.service_account import ServiceAccount
from cdktf_cdktf_provider_google.service_account_iam_member import ServiceAccountIamMember
from constructs import Construct

from aether_infra.core.kubernetes import SERVICE_ACCOUNT

ACCOUNT_NAME_LIMIT = 30
"""Characters of a service account's name.
Source: https://cloud.google.com/iam/docs/service-accounts-create (as of 2026-11)."""
KUBERNETES_ROLES = (
    "roles/container.defaultNodeServiceAccount",
    "roles/monitoring.metricWriter",
    "roles/stackdriver.resourceMetadata.writer",
)
"""What a machine of Kubernetes Engine needs.
Source: https://cloud.google.com/kubernetes-engine/docs/how-to/service-accounts (as of 2026-11)."""
MACHINE_ROLES = ("roles/logging.logWriter", "roles/monitoring.metricWriter")
"""What a machine of Compute Engine needs to write logs and metrics."""

_SECRET = re.compile(r"projects/(?P<project>[^/]+)/secrets/(?P<name>[^/]+)/versions/[^/]+")


@frozen(kw_only=True)
class IdentityProps:
    """Props of `Identity`."""

    project: str
    """The project's id."""
    account_name: str
    """The service account's name, 6-30 characters."""
    description: str
    """What it is for."""
    roles: Sequence[str] = ()
    """Roles in the project, such as `roles/logging.logWriter`."""
    existing_email: str | None = None
    """A service account that exists: it keeps the roles that it has. Default: a new one."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the services."""


class Identity(Construct):
    """A service account with roles; or an existing one, whose roles in the project are its owner's affair.

    Attributes:
        account: the service account; None where it exists already.
        grants: its roles: what runs as the account depends on them, so that it never runs without.
        email: its address.
        member: how IAM policies name it.
    """

    def __init__(self, scope: Construct, id_: str, props: IdentityProps) -> None:
        super().__init__(scope, id_)
        self.account: ServiceAccount | None = None
        self.grants: list[ITerraformDependable] = []
        if props.existing_email:
            self.email: str = props.existing_email
            self.member = f"serviceAccount:{self.email}"
            return
        self.account = ServiceAccount(
            self,
            "Resource",
            project=props.project,
            account_id=props.account_name,
            display_name=props.description,
            depends_on=list(props.depends_on),
        )
        self.email = self.account.email
        self.member = self.account.member
        for role in props.roles:
            grant = ProjectIamMember(
                self,
                role.removeprefix("roles/").replace(".", "-"),
                project=props.project,
                role=role,
                member=self.member,
            )
            self.grants.append(grant)


class WorkloadIdentity(Construct):
    """Lets the nodes' Kubernetes service account act as a service account.

    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        account: what the nodes act as.
        project: project of the Kubernetes cluster.
        namespace: namespace of the nodes.
        cluster: the cluster: the identity pool comes into being with the project's first one.

    Attributes:
        grant: the right.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: ServiceAccount,
        project: str,
        namespace: str,
        cluster: ITerraformDependable,
    ) -> None:
        super().__init__(scope, id_)
        self.grant = ServiceAccountIamMember(
            self,
            "Resource",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=f"serviceAccount:{workload_pool(project)}[{namespace}/{SERVICE_ACCOUNT}]",
            depends_on=[cluster],
        )


class SecretAccess(Construct):
    """Lets somebody read the secrets that a node is given, and no others.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        secrets: environment variable and `projects/…/secrets/…/versions/…`.
        member: who, such as `serviceAccount:…`.
        depends_on: what must be there before: the service.

    Attributes:
        grants: one right a secret.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        secrets: Mapping[str, str],
        member: str,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.grants = [
            SecretManagerSecretIamMember(
                self,
                f"{project}-{name}",
                project=project,
                secret_id=name,
                role="roles/secretmanager.secretAccessor",
                member=member,
                depends_on=list(depends_on),
            )
            for project, name in sorted({_secret(reference) for reference in secrets.values()})
        ]


def kubernetes_member(project: str, number: str, namespace: str) -> str:
    """How IAM policies name the nodes' Kubernetes service account itself, apart from what it acts as.

    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity (as of 2026-11).

    Args:
        project: project of the Kubernetes cluster.
        number: that project's number.
        namespace: namespace of the nodes.
    """
    pool = f"projects/{number}/locations/global/workloadIdentityPools/{workload_pool(project)}"
    return f"principal://iam.googleapis.com/{pool}/subject/ns/{namespace}/sa/{SERVICE_ACCOUNT}"


def workload_pool(project: str) -> str:
    """The identity pool of a project's Kubernetes clusters."""
    return f"{project}.svc.id.goog"


def _secret(reference: str) -> tuple[str, str]:
    match = _SECRET.fullmatch(reference)
    if match is None:
        raise ValueError(f"not a version of a secret: {reference!r}")
    return match["project"], match["name"]
