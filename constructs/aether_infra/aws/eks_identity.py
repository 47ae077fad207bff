"""Identities on EKS: the control plane's, the machines' and, by EKS Pod Identity, each service account's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from aether_infra.aws.identity import ROLE_NAME_LIMIT
from aether_infra.aws.policy import Condition, ServiceRole, ServiceRoleProps, Statement
from aether_infra.core.names import physical_name

POD_IDENTITY_SERVICE = "pods.eks.amazonaws.com"
"""Who assumes a role on behalf of a pod."""


@frozen(kw_only=True)
class EksRoleProps:
    """Props of `EksRole`."""

    name: str
    """Cluster's name, head of the role's name."""
    region: str
    """Region, tail of the role's name: IAM is global, so two clusters of one name must differ."""
    partition: str = "aws"
    """Partition of AWS' managed policies; may be a Terraform token."""
    concern: str
    """Whose role it is, such as `machines`: the middle of its name."""
    purpose: str
    """What it is for, in words."""
    service: str
    """The AWS service that assumes it."""
    account_id: str | None = None
    """Account that the service must act for; None sets no condition."""
    cluster_arn: str | None = None
    """EKS cluster that the service must act for; None sets no condition."""
    managed_policies: Sequence[str] = ()
    """Names of AWS' managed policies, such as `AmazonEKSClusterPolicy`."""
    rights: Mapping[str, Sequence[Statement]] = field(factory=dict)
    """Statements by what they are for; an empty list of them is left out."""
    permissions_boundary_arn: str | None = None
    """Policy that bounds the role."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the role."""


class EksRole(Construct):
    """A role of an EKS cluster, its machines or its pods, with AWS' managed policies and rights of its own.

    Where AWS keeps a managed policy up to date with its own software (the control plane, an add-on), that is taken;
    what belongs to Aether gets statements that name their resources.
    Sources: https://docs.aws.amazon.com/eks/latest/userguide/security-iam-awsmanpol.html,
    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html (as of 2026-11).

    Attributes:
        role: the role.
        grants: its rights, which must be there before it is used, and until it is used no more.
    """

    def __init__(self, scope: Construct, id_: str, props: EksRoleProps) -> None:
        super().__init__(scope, id_)
        role = ServiceRole(
            self,
            "role",
            ServiceRoleProps(
                name=physical_name(props.name, props.concern, props.region, limit=ROLE_NAME_LIMIT),
                service=props.service,
                description=f"{props.purpose} of Aether cluster {props.name}",
                source_account=props.account_id,
                source_arn=props.cluster_arn,
                session_tags=props.service == POD_IDENTITY_SERVICE,
                permissions_boundary_arn=props.permissions_boundary_arn,
                tags=dict(props.tags),
            ),
        )
        self.role = role.role
        managed = Construct(self, "managed")
        self.grants: list[ITerraformDependable] = [
            IamRolePolicyAttachment(
                managed,
                policy.rpartition("/")[2],
                role=self.role.name,
                policy_arn=f"arn:{props.partition}:iam::aws:policy/{policy}",
            )
            for policy in props.managed_policies
        ]
        self.grants += [role.grant(id_, rights) for id_, rights in props.rights.items() if rights]


def autoscaler_statements(cluster: str, *, partition: str, region: str, account_id: str) -> list[Statement]:
    """Rights of the cluster autoscaler: to look at everything it must, and to resize this cluster's groups alone.

    Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
    (as of 2026-11).

    Args:
        cluster: the EKS cluster's name.
        partition: its partition.
        region: its region.
        account_id: its account.
    """
    own = f"{region}:{account_id}"
    return [
        Statement(
            sid="Look",
            # none of these calls can be bound to a resource
            actions=[
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            resources=["*"],
        ),
        Statement(
            sid="LookAtNodeGroups",
            actions=["eks:DescribeNodegroup"],
            resources=[f"arn:{partition}:eks:{own}:nodegroup/{cluster}/*/*"],
        ),
        Statement(
            sid="Resize",
            actions=["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            # EKS names its groups so, and tags them with the cluster that owns them
            resources=[f"arn:{partition}:autoscaling:{own}:autoScalingGroup:*:autoScalingGroupName/eks-*"],
            conditions=[
                Condition(
                    test="StringEquals",
                    variable=f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}",
                    values=["owned"],
                )
            ],
        ),
    ]


def disk_key_statements(kms_key_arn: str | None) -> list[Statement]:
    """Rights of the EBS driver to encrypt volumes with a customer's key; none where AWS' own key does.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html (as of 2026-11).
    """
    if kms_key_arn is None:
        return []
    return [
        Statement(
            sid="Encrypt",
            actions=[
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            resources=[kms_key_arn],
        ),
        Statement(
            sid="GrantToVolumes",
            actions=["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            resources=[kms_key_arn],
            conditions=[Condition(test="Bool", variable="kms:GrantIsForAWSResource", values=["true"])],
        ),
    ]
