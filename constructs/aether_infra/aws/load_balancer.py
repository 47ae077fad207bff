"""The application load balancer: users to the application port, and nobody to management unless named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.lb import Lb, LbAccessLogs
from cdktf_cdktf_provider_aws.lb_listener import (
    LbListener,
    LbListenerDefaultAction,
    LbListenerDefaultActionRedirect,
)
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup, LbTargetGroupHealthCheck
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
)
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.wafv2_web_acl_association import Wafv2WebAclAssociation
from constructs import Construct

from aether_infra.aws.policy import Condition, Statement, policy_document
from aether_infra.core.names import physical_name
from aether_infra.core.node import HealthProbe, NodePorts

ALB_NAME_LIMIT = 32
"""Characters of a load balancer's or target group's name.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"""
DEFAULT_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3, the policy that AWS recommends.
Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"""
HTTP = 80
HTTPS = 443


@frozen(kw_only=True)
class AccessLogBucketProps:
    """Props of `AccessLogBucket`."""

    name: str
    """Cluster's name, head of the bucket's name."""
    region: str
    """Region, part of the bucket's name."""
    retention_days: int = 30
    """Days after which log files expire."""
    protect: bool = True
    """Refuse to delete the bucket while it holds log files."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the bucket."""


class AccessLogBucket(Construct):
    """A private, encrypted bucket that load balancers of this account may write their access logs to.

    Encrypted with S3's own keys: access logs support no other.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    (as of 2026-11).

    Attributes:
        bucket: the bucket.
        policy: its policy, which must be there before a load balancer is told to write.
    """

    def __init__(self, scope: Construct, id_: str, props: AccessLogBucketProps) -> None:
        super().__init__(scope, id_)
        account = DataAwsCallerIdentity(self, "account").account_id
        self.bucket = S3Bucket(
            self,
            "Resource",
            bucket=f"{physical_name(props.name, 'access-logs')}-{account}-{props.region}",
            force_destroy=not props.protect,
            tags=dict(props.tags),
        )
        self._lock_down()
        S3BucketLifecycleConfiguration(
            self,
            "lifecycle",
            bucket=self.bucket.id,
            rule=[
                S3BucketLifecycleConfigurationRule(
                    id="expire",
                    status="Enabled",
                    filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=props.retention_days)],
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7
                        )
                    ],
                )
            ],
        )
        self.policy = S3BucketPolicy(
            self, "policy", bucket=self.bucket.id, policy=self._policy_document(account)
        )

    def _lock_down(self) -> None:
        S3BucketPublicAccessBlock(
            self,
            "public-access",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        S3BucketOwnershipControls(
            self,
            "ownership",
            bucket=self.bucket.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            bucket=self.bucket.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=(
                        S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                            sse_algorithm="AES256"
                        )
                    )
                )
            ],
        )

    def _policy_document(self, account: str) -> str:
        return policy_document(
            self,
            "document",
            [
                Statement(
                    sid="DeliverLogs",
                    actions=["s3:PutObject"],
                    resources=[f"{self.bucket.arn}/AWSLogs/{account}/*"],
                    services=["logdelivery.elasticloadbalancing.amazonaws.com"],
                    conditions=[
                        Condition(test="StringEquals", variable="aws:SourceAccount", values=[account])
                    ],
                ),
                Statement(
                    sid="TlsOnly",
                    effect="Deny",
                    actions=["s3:*"],
                    resources=[self.bucket.arn, f"{self.bucket.arn}/*"],
                    everyone=True,
                    conditions=[Condition(test="Bool", variable="aws:SecureTransport", values=["false"])],
                ),
            ],
        )


@frozen(kw_only=True)
class LoadBalancerOutputs:
    """What others need of the load balancer."""

    dns_name: str
    zone_id: str
    """Hosted zone of the load balancer's own name, for an alias record."""
    arn_suffix: str
    """Its name in CloudWatch's metrics."""
    application_target_group_arn: str | None
    management_target_group_arn: str | None

    @property
    def target_group_arns(self) -> tuple[str, ...]:
        """The target groups that nodes register with."""
        both = (self.application_target_group_arn, self.management_target_group_arn)
        return tuple(arn for arn in both if arn is not None)


@frozen(kw_only=True)
class LoadBalancerProps:
    """Props of `LoadBalancer`."""

    name: str
    """Cluster's name, head of every name."""
    vpc_id: str
    """VPC of the targets."""
    subnet_ids: Sequence[str]
    """Public subnets, in two zones at least."""
    security_group_id: str
    """Group of the load balancer."""
    target_type: Literal["ip", "instance"] = "ip"
    """`ip` for Fargate, `instance` for EC2 and EKS."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node; an application port of None means that the application is not published."""
    target_ports: NodePorts | None = None
    """Ports that targets listen on, where they are not the node's own: Kubernetes' node ports."""
    publish_management: bool = False
    """Listen on the management port too. Who reaches it is the security group's affair."""
    certificate_arn: str | None = None
    """ACM certificate: listeners then speak HTTPS, and port 80 redirects."""
    tls_policy: str = DEFAULT_TLS_POLICY
    """Protocols and ciphers."""
    health: HealthProbe = field(factory=HealthProbe)
    """The readiness probe, on the management port."""
    deregistration_delay_seconds: int = 30
    """How long requests may finish when a node leaves, 0-3600."""
    access_logs_bucket: str | None = None
    """Bucket that access logs go to; its policy must allow it (see `AccessLogBucket`)."""
    access_logs_ready: Sequence[ITerraformDependable] = ()
    """What must exist before the load balancer may write there: the bucket's policy."""
    web_acl_arn: str | None = None
    """WAF web ACL to put in front."""
    protect: bool = True
    """Deletion protection."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class LoadBalancer(Construct):
    """An internet-facing ALB.

    A target is healthy when the node is *ready*; what restarts a node is its liveness, which is not the load
    balancer's affair.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html
    (as of 2026-11).

    Attributes:
        load_balancer: the ALB.
        target_groups: target groups by concern: `application`, `management`.
        listeners: listeners by concern: `http`, `https`, `management`.
        outputs: addresses and ARNs.
    """

    def __init__(self, scope: Construct, id_: str, props: LoadBalancerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self._target_ports = props.target_ports or props.ports
        self.load_balancer = Lb(
            self,
            "Resource",
            name=physical_name(props.name, "alb", limit=ALB_NAME_LIMIT),
            load_balancer_type="application",
            internal=False,
            subnets=list(props.subnet_ids),
            security_groups=[props.security_group_id],
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            enable_deletion_protection=props.protect,
            access_logs=LbAccessLogs(bucket=props.access_logs_bucket, enabled=True)
            if props.access_logs_bucket
            else None,
            depends_on=list(props.access_logs_ready) or None,
            tags=self._tags,
        )
        self.target_groups: dict[str, LbTargetGroup] = {}
        self.listeners: dict[str, LbListener] = {}
        if self._target_ports.application is not None:
            self._publish_application(self._target_ports.application)
        if props.publish_management:
            target_group = self._target_group("management", self._target_ports.management)
            self._forward("management", props.ports.management, target_group)
        if props.web_acl_arn:
            Wafv2WebAclAssociation(
                self,
                "web-acl",
                resource_arn=self.load_balancer.arn,
                web_acl_arn=props.web_acl_arn,
            )
        self.outputs = LoadBalancerOutputs(
            dns_name=self.load_balancer.dns_name,
            zone_id=self.load_balancer.zone_id,
            arn_suffix=self.load_balancer.arn_suffix,
            application_target_group_arn=self._arn("application"),
            management_target_group_arn=self._arn("management"),
        )

    def _arn(self, concern: str) -> str | None:
        group = self.target_groups.get(concern)
        return group.arn if group else None

    def _publish_application(self, port: int) -> None:
        target_group = self._target_group("application", port)
        if not self._props.certificate_arn:
            self._forward("http", HTTP, target_group)
            return
        self._forward("https", HTTPS, target_group)
        self.listeners["http"] = LbListener(
            Construct(self, "listener-http"),
            "Resource",
            load_balancer_arn=self.load_balancer.arn,
            port=HTTP,
            protocol="HTTP",
            default_action=[
                LbListenerDefaultAction(
                    type="redirect",
                    redirect=LbListenerDefaultActionRedirect(
                        port=str(HTTPS), protocol="HTTPS", status_code="HTTP_301"
                    ),
                )
            ],
            tags=self._tags,
        )

    def _target_group(self, concern: str, port: int) -> LbTargetGroup:
        props, health = self._props, self._props.health
        group = LbTargetGroup(
            Construct(self, f"target-group-{concern}"),
            "Resource",
            # the port is part of the name: its change makes a new group before the listener lets go of the
            # old one, which a fixed name would forbid
            name=physical_name(props.name, concern, port, limit=ALB_NAME_LIMIT),
            vpc_id=props.vpc_id,
            target_type=props.target_type,
            protocol="HTTP",
            port=port,
            deregistration_delay=str(props.deregistration_delay_seconds),
            load_balancing_algorithm_type="least_outstanding_requests",
            health_check=LbTargetGroupHealthCheck(
                enabled=True,
                protocol="HTTP",
                port=str(self._target_ports.management),
                path=health.readiness_path,
                matcher="200",
                interval=health.interval_seconds,
                timeout=health.timeout_seconds,
                healthy_threshold=health.healthy_threshold,
                unhealthy_threshold=health.unhealthy_threshold,
            ),
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            tags=self._tags,
        )
        self.target_groups[concern] = group
        return group

    def _forward(self, concern: str, port: int, target_group: LbTargetGroup) -> None:
        certificate = self._props.certificate_arn
        self.listeners[concern] = LbListener(
            Construct(self, f"listener-{concern}"),
            "Resource",
            load_balancer_arn=self.load_balancer.arn,
            port=port,
            protocol="HTTPS" if certificate else "HTTP",
            certificate_arn=certificate,
            ssl_policy=self._props.tls_policy if certificate else None,
            default_action=[LbListenerDefaultAction(type="forward", target_group_arn=target_group.arn)],
            tags=self._tags,
        )
