"""What the runtime manager may do on AWS: each of its calls, narrowed to this cluster as far as IAM can."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from attrs import frozen

from aether_infra.aws.policy import Condition, Statement
from aether_infra.core.tags import CLUSTER

IMPLIED: Final[Mapping[str, tuple[str, ...]]] = {
    "ec2:RunInstances": ("ec2:CreateTags", "iam:PassRole", "ssm:GetParameters"),
}
"""Rights that a call needs besides its own: tags and role of an instance, and the machine image that its template names
as a parameter. Sources:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html#use-an-ssm-parameter-instead-of-an-ami-id
(as of 2026-11)."""
KEY_RIGHTS: Final = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What a disk that an operator's key encrypts asks of whoever makes it. Source:
https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html (as of 2026-11)."""
SPOT: Final = "iam:CreateServiceLinkedRole"
"""The first spot instance of an account makes EC2's own role for them. Source:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html (as of 2026-11)."""
RECORD_TYPES: Final = ("A", "AAAA", "CNAME", "TXT")
"""Records that the manager writes."""


@frozen(kw_only=True)
class Scope:
    """Where an action holds."""

    sid: str
    """Name of the statement; actions of one name share it."""
    resources: Sequence[str]
    """ARNs."""
    conditions: Sequence[Condition] = ()
    """All of them must hold."""


@frozen(kw_only=True)
class ClusterScope:
    """What of the account is the cluster's; texts may be tokens."""

    name: str
    """The cluster's name, value of the tag `aether-cluster`."""
    partition: str
    """Such as `aws`."""
    region: str
    """Region of everything."""
    account_id: str
    """The account."""
    target_group_arns: Sequence[str] = ()
    """Target groups of the load balancer; none where nothing is published."""
    zone_id: str | None = None
    """Hosted zone of the domain; None where DNS is somebody else's."""
    domain: str | None = None
    """The domain: names at and below it may be changed."""
    ecs_cluster_arn: str | None = None
    """ECS cluster of the nodes (fargate)."""
    ecs_cluster_name: str | None = None
    """Its name."""
    elastic_service: str | None = None
    """Name of the service whose number is the manager's (fargate)."""
    launch_template_id: str | None = None
    """Template of the elastic nodes (ec2)."""
    node_role_arn: str | None = None
    """Role of the nodes (ec2)."""
    subnet_ids: Sequence[str] = ()
    """Subnets of the nodes (ec2)."""
    security_group_ids: Sequence[str] = ()
    """Groups of the nodes (ec2)."""
    kms_key_arn: str | None = None
    """Key of the nodes' disks (ec2); None for AWS' own."""
    spot: bool = False
    """Whether elastic nodes are on spot capacity (ec2)."""

    def arn(
        self, service: str, resource: str, *, region: str | None = None, account: str | None = None
    ) -> str:
        """An ARN of this account and region."""
        place = self.region if region is None else region
        owner = self.account_id if account is None else account
        return f"arn:{self.partition}:{service}:{place}:{owner}:{resource}"


def statements(rights: Collection[str], cluster: ClusterScope) -> list[Statement]:
    """The policy that allows some actions on one cluster, and nothing else.

    Args:
        rights: actions, as `catalog.manager_rights` has them.
        cluster: the cluster.

    Returns:
        Statements sorted by name. Actions on what the cluster does not have (a DNS zone, a load balancer) are left out.

    Raises:
        LookupError: for an action no scope is known: it must be added here.
    """
    known = _scopes(cluster)
    wanted = set(rights)
    for right in rights:
        wanted.update(IMPLIED.get(right, ()))
    if "ec2:RunInstances" in wanted:
        wanted.update(KEY_RIGHTS if cluster.kms_key_arn else ())
        wanted.update([SPOT] if cluster.spot else ())
    if unknown := sorted(wanted - known.keys()):
        raise LookupError(f"no scope is known for {', '.join(unknown)}")
    found: dict[str, tuple[Scope, list[str]]] = {}
    for action in sorted(wanted):
        for scope in known[action]:
            found.setdefault(scope.sid, (scope, []))[1].append(action)
    return [
        Statement(sid=sid, actions=actions, resources=list(scope.resources), conditions=scope.conditions)
        for sid, (scope, actions) in sorted(found.items())
        if scope.resources
    ]


def _scopes(cluster: ClusterScope) -> dict[str, list[Scope]]:
    """Where each action holds that a manager may ever need."""
    return {**_look(), **_ec2(cluster), **_ecs(cluster), **_balancer(cluster), **_dns(cluster)}


def _look() -> dict[str, list[Scope]]:
    """Reading that IAM can bind to nothing.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html (as of 2026-11).
    """
    look = [Scope(sid="Look", resources=["*"])]
    actions = (
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSpotInstanceRequests",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVolumes",
        "ecs:DescribeTaskDefinition",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
    )
    return dict.fromkeys(actions, look)


def _ec2(cluster: ClusterScope) -> dict[str, list[Scope]]:
    """Instances of the cluster, made from its template with its tag.

    Sources: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html,
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-launch-templates.html (as of 2026-11).
    """
    if cluster.launch_template_id is None:
        return {}
    template = cluster.arn("ec2", f"launch-template/{cluster.launch_template_id}")
    instances = cluster.arn("ec2", "instance/*")
    parts = [cluster.arn("ec2", f"{kind}/*") for kind in ("network-interface", "volume")]
    from_template = Condition(test="ArnEquals", variable="ec2:LaunchTemplate", values=[template])
    ours = Condition(test="StringEquals", variable=f"aws:ResourceTag/{CLUSTER}", values=[cluster.name])
    asked = Condition(test="StringEquals", variable=f"aws:RequestTag/{CLUSTER}", values=[cluster.name])
    making = Condition(test="StringEquals", variable="ec2:CreateAction", values=["RunInstances"])
    own = [Scope(sid="OwnInstances", resources=[instances], conditions=[ours])]
    through_ec2 = Condition(
        test="StringEquals", variable="kms:ViaService", values=[f"ec2.{cluster.region}.amazonaws.com"]
    )
    disks = Scope(
        sid="EncryptDisks",
        resources=[cluster.kms_key_arn] if cluster.kms_key_arn else [],
        conditions=[through_ec2],
    )
    role = cluster.node_role_arn
    spot = "spot.amazonaws.com"
    return {
        "ec2:RunInstances": [
            Scope(sid="RunTagged", resources=[instances], conditions=[from_template, asked]),
            Scope(
                sid="RunFromTemplate",
                resources=[
                    template,
                    *parts,
                    cluster.arn("ec2", "image/*", account=""),
                    *(cluster.arn("ec2", f"subnet/{one}") for one in cluster.subnet_ids),
                    *(cluster.arn("ec2", f"security-group/{one}") for one in cluster.security_group_ids),
                ],
                conditions=[from_template],
            ),
        ],
        "ec2:CreateTags": [
            Scope(sid="TagWhatRuns", resources=[instances, *parts], conditions=[making]),
        ],
        "ec2:DeleteTags": own,
        "ec2:ModifyInstanceAttribute": own,
        "ec2:RebootInstances": own,
        "ec2:StartInstances": own,
        "ec2:StopInstances": own,
        "ec2:TerminateInstances": own,
        "iam:PassRole": [
            Scope(
                sid="GiveNodesTheirRole",
                resources=[role] if role else [],
                conditions=[
                    Condition(
                        test="StringEquals", variable="iam:PassedToService", values=["ec2.amazonaws.com"]
                    )
                ],
            )
        ],
        "ssm:GetParameters": [
            Scope(
                sid="FindMachineImage",
                resources=[cluster.arn("ssm", "parameter/aws/service/ami-amazon-linux-latest/*", account="")],
            )
        ],
        SPOT: [
            Scope(
                sid="FirstSpotInstance",
                resources=[cluster.arn("iam", f"role/aws-service-role/{spot}/*", region="")],
                conditions=[Condition(test="StringEquals", variable="iam:AWSServiceName", values=[spot])],
            )
        ],
        **{action: [disks] for action in KEY_RIGHTS},
    }


def _ecs(cluster: ClusterScope) -> dict[str, list[Scope]]:
    """The number of the elastic service, and tasks of the cluster.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    (as of 2026-11).
    """
    arn, name, service = cluster.ecs_cluster_arn, cluster.ecs_cluster_name, cluster.elastic_service
    if arn is None or name is None:
        return {}
    inside = Condition(test="ArnEquals", variable="ecs:cluster", values=[arn])
    tasks = [Scope(sid="Tasks", resources=[cluster.arn("ecs", f"task/{name}/*")], conditions=[inside])]
    services = Scope(sid="Services", resources=[cluster.arn("ecs", f"service/{name}/*")], conditions=[inside])
    elastic = Scope(
        sid="ElasticService",
        resources=[cluster.arn("ecs", f"service/{name}/{service}")] if service else [],
        conditions=[inside],
    )
    listing = [Scope(sid="ListTasks", resources=["*"], conditions=[inside])]
    return {
        "ecs:DescribeClusters": [Scope(sid="Cluster", resources=[arn])],
        "ecs:DescribeServices": [services],
        "ecs:DescribeTasks": tasks,
        "ecs:GetTaskProtection": tasks,
        "ecs:ListServices": listing,
        "ecs:ListTagsForResource": tasks,
        "ecs:ListTasks": listing,
        "ecs:StopTask": tasks,
        "ecs:TagResource": tasks,
        "ecs:UntagResource": tasks,
        "ecs:UpdateService": [elastic],
        "ecs:UpdateTaskProtection": tasks,
    }


def _balancer(cluster: ClusterScope) -> dict[str, list[Scope]]:
    groups = [Scope(sid="Targets", resources=list(cluster.target_group_arns))]
    return {
        "elasticloadbalancing:DeregisterTargets": groups,
        "elasticloadbalancing:RegisterTargets": groups,
    }


def _dns(cluster: ClusterScope) -> dict[str, list[Scope]]:
    """Records at and below the domain, of the types that it writes.

    Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html (as of 2026-11).
    """
    if cluster.zone_id is None or cluster.domain is None:
        nowhere = [Scope(sid="Zone", resources=[])]
        return dict.fromkeys(
            (
                "route53:ChangeResourceRecordSets",
                "route53:GetChange",
                "route53:GetHostedZone",
                "route53:ListResourceRecordSets",
            ),
            nowhere,
        )
    zone = cluster.arn("route53", f"hostedzone/{cluster.zone_id}", region="", account="")
    names = [cluster.domain, f"*.{cluster.domain}"]
    return {
        "route53:ChangeResourceRecordSets": [
            Scope(
                sid="Records",
                resources=[zone],
                conditions=[
                    Condition(
                        test="ForAllValues:StringLike",
                        variable="route53:ChangeResourceRecordSetsNormalizedRecordNames",
                        values=names,
                    ),
                    Condition(
                        test="ForAllValues:StringEquals",
                        variable="route53:ChangeResourceRecordSetsRecordTypes",
                        values=list(RECORD_TYPES),
                    ),
                ],
            )
        ],
        "route53:GetChange": [
            Scope(sid="Changes", resources=[cluster.arn("route53", "change/*", region="", account="")])
        ],
        "route53:GetHostedZone": [Scope(sid="Zone", resources=[zone])],
        "route53:ListResourceRecordSets": [Scope(sid="Zone", resources=[zone])],
    }
