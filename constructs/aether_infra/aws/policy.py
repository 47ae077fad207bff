"""IAM policy documents, as Terraform's own data source: readable in review, checked by scanners."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct


@frozen(kw_only=True)
class Condition:
    """One condition of a statement."""

    test: str
    """The operator, such as `StringEquals`."""
    variable: str
    """The context key, such as `aws:SourceAccount`."""
    values: Sequence[str]
    """Values, any of which satisfies the condition."""


@frozen(kw_only=True)
class Statement:
    """One statement of a policy document."""

    sid: str
    """What it is for, in letters and digits."""
    actions: Sequence[str]
    """IAM actions, such as `ecr:BatchGetImage`."""
    resources: Sequence[str] = ()
    """ARNs; none in a trust policy, where the role itself is the resource."""
    effect: str = "Allow"
    """`Allow` or `Deny`."""
    services: Sequence[str] = ()
    """AWS service principals, such as `ecs-tasks.amazonaws.com`."""
    everyone: bool = False
    """The principal `*`: only for a `Deny`."""
    conditions: Sequence[Condition] = ()
    """All of them must hold."""


def policy_document(scope: Construct, id_: str, statements: Sequence[Statement]) -> str:
    """Declare a policy document.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        statements: the statements, in order.

    Returns:
        A token for the document's JSON.
    """
    return DataAwsIamPolicyDocument(
        scope, id_, statement=[_render(statement) for statement in statements]
    ).json


def _render(statement: Statement) -> DataAwsIamPolicyDocumentStatement:
    principals = []
    if statement.services:
        principals.append(
            DataAwsIamPolicyDocumentStatementPrincipals(type="Service", identifiers=list(statement.services))
        )
    if statement.everyone:
        principals.append(DataAwsIamPolicyDocumentStatementPrincipals(type="*", identifiers=["*"]))
    return DataAwsIamPolicyDocumentStatement(
        sid=statement.sid,
        effect=statement.effect,
        actions=list(statement.actions),
        resources=list(statement.resources) or None,
        principals=principals or None,
        condition=[
            DataAwsIamPolicyDocumentStatementCondition(
                test=condition.test, variable=condition.variable, values=list(condition.values)
            )
            for condition in statement.conditions
        ]
        or None,
    )


@frozen(kw_only=True)
class ServiceRoleProps:
    """Props of `ServiceRole`."""

    name: str
    """Name of the role, unique in the account; at most 64 characters."""
    service: str
    """The AWS service that assumes it, such as `ecs-tasks.amazonaws.com`."""
    description: str
    """What it is for, shown in the console."""
    source_account: str | None = None
    """Account that the assuming service must act for (confused-deputy guard); None sets no condition."""
    source_arn: str | None = None
    """Resource that the assuming service must act for; None sets no condition."""
    session_tags: bool = False
    """The service tags its sessions, as EKS Pod Identity does with namespace and service account."""
    permissions_boundary_arn: str | None = None
    """Policy that bounds the role's rights."""
    tags: dict[str, str]
    """Tags of the role."""


class ServiceRole(Construct):
    """An IAM role that one AWS service assumes, with its rights inline so that they live and die with it.

    Attributes:
        role: the role.
    """

    def __init__(self, scope: Construct, id_: str, props: ServiceRoleProps) -> None:
        super().__init__(scope, id_)
        conditions = [
            Condition(test=test, variable=variable, values=[value])
            for test, variable, value in (
                ("StringEquals", "aws:SourceAccount", props.source_account),
                ("ArnEquals", "aws:SourceArn", props.source_arn),
            )
            if value
        ]
        trust = policy_document(
            self,
            "trust",
            [
                Statement(
                    sid="Assume",
                    actions=["sts:AssumeRole", *(["sts:TagSession"] if props.session_tags else [])],
                    services=[props.service],
                    conditions=conditions,
                )
            ],
        )
        self.role = IamRole(
            self,
            "Resource",
            name=props.name,
            description=props.description,
            assume_role_policy=trust,
            permissions_boundary=props.permissions_boundary_arn,
            tags=props.tags,
        )

    def grant(self, id_: str, statements: Sequence[Statement]) -> IamRolePolicy:
        """Give the role rights.

        Args:
            id_: what for, such as `logs`; also the inline policy's name.
            statements: what it may do; nothing is declared where there are none.

        Returns:
            The inline policy.
        """
        scope = Construct(self, id_)
        return IamRolePolicy(
            scope,
            "Resource",
            name=id_,
            role=self.role.name,
            policy=policy_document(scope, "document", statements),
        )
