"""Identities: who the task, its launcher and an instance are, and what each may do. Nothing is shared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from aether_infra.aws.policy import ServiceRole, ServiceRoleProps, Statement
from aether_infra.core.names import physical_name

ROLE_NAME_LIMIT = 64
"""Characters of a role's name.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_SECRET_ARN_PARTS = 7
"""An ARN of Secrets Manager has seven parts; what follows names a JSON key, a stage and a version."""


@frozen(kw_only=True)
class IdentityProps:
    """Props of `TaskIdentity` and `InstanceIdentity`."""

    name: str
    """Cluster's name, head of every name."""
    region: str
    """Region, tail of every name: IAM is global, so two clusters of one name must differ."""
    account_id: str
    """This account: services may assume the roles on its behalf only."""
    log_group_arn: str
    """Log group that the node writes to."""
    pull: Sequence[Statement] = ()
    """Rights to pull the image (see `Registry.pull_statements`)."""
    secrets: Mapping[str, str] = field(factory=dict)
    """Environment variable and ARN of its value: the only secrets that may be read."""
    kms_key_arn: str | None = None
    """Customer-managed key of secrets, which may then be decrypted with."""
    storage: Sequence[Statement] = ()
    """Rights on the data volume (see `DataVolumes.mount_statements`)."""
    execute_command: bool = False
    """Allow ECS Exec: a shell in the container."""
    permissions_boundary_arn: str | None = None
    """Policy that bounds every role."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every role."""


class TaskIdentity(Construct):
    """Roles of a Fargate task: one for ECS to start it (image, logs, secrets), one for the node itself.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html
    (as of 2026-11).

    Attributes:
        execution: role of the launcher.
        task: role of the node: no rights at all unless it needs a volume or a shell.
        grants: their rights, which must be there before a task starts.
    """

    def __init__(self, scope: Construct, id_: str, props: IdentityProps) -> None:
        super().__init__(scope, id_)
        service = "ecs-tasks.amazonaws.com"
        self.execution = _role(self, "execution", service, "Starts the nodes", props)
        self.task = _role(self, "task", service, "Identity of the nodes", props)
        launch = {
            "logs": log_statements(props.log_group_arn),
            "pull": props.pull,
            "secrets": secret_statements(props.secrets.values(), props.kms_key_arn),
        }
        own = {
            "storage": props.storage,
            "execute-command": [_EXECUTE_COMMAND] if props.execute_command else [],
        }
        self.grants = [*_grant(self.execution, launch), *_grant(self.task, own)]


class InstanceIdentity(Construct):
    """Role of an EC2 instance that runs a node: image, logs, secrets, its own settings, Session Manager.

    Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
    (as of 2026-11).

    Attributes:
        instance: the role.
        profile: its instance profile.
        grants: its rights, which must be there before an instance boots.
    """

    def __init__(
        self, scope: Construct, id_: str, props: IdentityProps, settings: Sequence[Statement]
    ) -> None:
        super().__init__(scope, id_)
        self.instance = _role(
            self, "instance", "ec2.amazonaws.com", "Identity of the instances", props, guard=False
        )
        rights = {
            "logs": log_statements(props.log_group_arn),
            "settings": settings,
            "session-manager": [_SESSION_MANAGER],
            "pull": props.pull,
            "secrets": secret_statements(props.secrets.values(), props.kms_key_arn),
        }
        self.grants = _grant(self.instance, rights)
        self.profile = IamInstanceProfile(
            self,
            "profile",
            name=physical_name(props.name, "instance", props.region, limit=ROLE_NAME_LIMIT),
            role=self.instance.role.name,
            tags=dict(props.tags),
        )


def log_statements(log_group_arn: str) -> list[Statement]:
    """Rights to write to one log group."""
    return [
        Statement(
            sid="WriteLogs",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[f"{log_group_arn}:*"],
        )
    ]


def secret_statements(
    arns: Iterable[str], kms_key_arn: str | None = None, *, describe: bool = False
) -> list[Statement]:
    """Rights to read just these secrets.

    Args:
        arns: ARNs of Secrets Manager secrets (a JSON key, stage and version may follow) and SSM parameters.
        kms_key_arn: customer-managed key they are encrypted with.
        describe: the reader looks for new versions, as the Secrets Store CSI provider does.

    Returns:
        No statement where there is no secret.
    """
    known = sorted(set(arns))
    parameters = [arn for arn in known if arn.split(":")[2:3] == ["ssm"]]
    secrets = sorted({":".join(arn.split(":")[:_SECRET_ARN_PARTS]) for arn in known if arn not in parameters})
    statements = []
    if secrets:
        actions = ["secretsmanager:GetSecretValue", *(["secretsmanager:DescribeSecret"] if describe else [])]
        statements.append(Statement(sid="ReadSecrets", actions=actions, resources=secrets))
    if parameters:
        statements.append(
            Statement(
                sid="ReadParameters",
                actions=["ssm:GetParameter", "ssm:GetParameters"],
                resources=parameters,
            )
        )
    if statements and kms_key_arn:
        statements.append(Statement(sid="DecryptSecrets", actions=["kms:Decrypt"], resources=[kms_key_arn]))
    return statements


_EXECUTE_COMMAND = Statement(
    sid="ExecuteCommand",
    actions=[
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ],
    resources=["*"],
)
"""The channel has no resource to name.
Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmessagegatewayservice.html"""

_SESSION_MANAGER = Statement(
    sid="SessionManager",
    actions=[
        *_EXECUTE_COMMAND.actions,
        "ec2messages:AcknowledgeMessage",
        "ec2messages:DeleteMessage",
        "ec2messages:FailMessage",
        "ec2messages:GetEndpoint",
        "ec2messages:GetMessages",
        "ec2messages:SendReply",
        "ssm:DescribeDocument",
        "ssm:GetDeployablePatchSnapshotForInstance",
        "ssm:GetDocument",
        "ssm:ListAssociations",
        "ssm:ListInstanceAssociations",
        "ssm:PutInventory",
        "ssm:UpdateAssociationStatus",
        "ssm:UpdateInstanceAssociationStatus",
        "ssm:UpdateInstanceInformation",
    ],
    resources=["*"],
)
"""What the SSM agent needs, less the parameters that AWS' own managed policy would let it read."""


def _grant(role: ServiceRole, rights: Mapping[str, Sequence[Statement]]) -> list[IamRolePolicy]:
    return [role.grant(id_, statements) for id_, statements in rights.items() if statements]


def _role(
    scope: Construct, concern: str, service: str, purpose: str, props: IdentityProps, *, guard: bool = True
) -> ServiceRole:
    return ServiceRole(
        scope,
        concern,
        ServiceRoleProps(
            name=physical_name(props.name, concern, props.region, limit=ROLE_NAME_LIMIT),
            service=service,
            description=f"{purpose} of Aether cluster {props.name}",
            source_account=props.account_id if guard else None,
            permissions_boundary_arn=props.permissions_boundary_arn,
            tags=dict(props.tags),
        ),
    )
