"""`[cloud.aws]`."""

from typing import ClassVar, Literal

from attrs import field, frozen

from aether_infra.catalog import aws as catalog
from aether_infra.config.aws_forms import PARTITION, Arn, ResourceId
from aether_infra.config.checks import Between, Length, Matches, Network, OneOf, Zones, check, items
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection


@frozen(kw_only=True)
class AwsConfig(CloudSection):
    """`[cloud.aws]`: an Aether cluster on Amazon Web Services."""

    provider: ClassVar[Provider] = Provider.AWS

    compute: Literal["fargate", "eks", "ec2"] = "fargate"
    """What runs a node; default fargate: no machine to look after."""
    region: str = field(
        default="us-west-2",
        metadata=check(
            Matches(catalog.REGION_FORM, 'a region such as "us-west-2"', known=tuple(catalog.REGIONS))
        ),
    )
    """Region; default us-west-2."""
    vpc_cidr: str = field(default="10.0.0.0/16", metadata=check(Network(widest=16, narrowest=23)))
    """IPv4 range of the VPC, /16 to /23; default 10.0.0.0/16. A subnet is a sixteenth of it, and an ALB's
    must be /27 or larger
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
    (as of 2026-11)). AWS reserves five addresses of each."""
    availability_zones: int | tuple[str, ...] = field(
        default=3,
        metadata=check(
            Zones(
                rf"{catalog.ZONE_ID_FORM}|{catalog.REGION_FORM}[a-h]",
                'a zone\'s name such as "us-west-2a", or its id such as "usw2-az1"',
                least=catalog.LEAST_ZONES,
                most=catalog.MOST_ZONES,
                why="a load balancer needs two zones",
            )
        ),
    )
    """How many zones, the first of the region by id; or a list of names (`us-west-2a`) or ids (`usw2-az1`).
    Default 3: no zone holds a majority."""
    nat: Literal["per_az", "single", "none"] = "per_az"
    """NAT gateways: one a zone (default, survives the loss of a zone), one for all, or none."""
    vpc_id: str | None = field(default=None, metadata=check(ResourceId("vpc")))
    """An existing VPC to build into, with `public_subnet_ids` and `private_subnet_ids`; default: a new
    one."""
    public_subnet_ids: tuple[str, ...] = field(default=(), metadata=items(ResourceId("subnet")))
    """Public subnets of the existing VPC, two or more, one a zone: for the load balancer."""
    private_subnet_ids: tuple[str, ...] = field(default=(), metadata=items(ResourceId("subnet")))
    """Private subnets of the existing VPC, one a zone: for the nodes."""
    instance_type: str = field(
        default="m6i.large",
        metadata=check(Matches(catalog.INSTANCE_TYPE_FORM, 'an instance type such as "m6i.large"')),
    )
    """EC2 instance type of a node (ec2) or of the node group (eks); default m6i.large."""
    system_instance_type: str | None = field(
        default=None,
        metadata=check(Matches(catalog.INSTANCE_TYPE_FORM, 'an instance type such as "t3.medium"')),
    )
    """EC2 instance type of the two machines for the cluster's own pods (eks); default t3.medium, or t4g.medium beside
    Graviton nodes."""
    node_os: Literal["al2023", "bottlerocket"] = "al2023"
    """Operating system of the machines (eks): Amazon Linux 2023 (default), or Bottlerocket, which has no shell."""
    ami_id: str | None = field(default=None, metadata=check(ResourceId("ami")))
    """Machine image of the nodes (ec2); default: the newest Amazon Linux 2023 of the architecture."""
    cpu: int | None = field(default=None, metadata=check(OneOf(tuple(catalog.FARGATE_SIZES))))
    """CPU units of a task (fargate), 1024 to a processor; default: from `node.resources`."""
    memory_mib: int | None = field(
        default=None, metadata=check(Between(512, catalog.FARGATE_MOST_MIB, "MiB"))
    )
    """Memory of a task in MiB (fargate); default: from `node.resources` and the heap."""
    architecture: Literal["x86_64", "arm64"] | None = None
    """Processor architecture; default x86_64 on Fargate, else that of `instance_type`."""
    spot: bool = False
    """Elastic nodes on spot capacity; core nodes never are. Default off."""
    execute_command: bool = False
    """Shell into a running task (ECS Exec); default off."""
    data: Literal["ephemeral", "efs"] = "ephemeral"
    """What `/data` is on Fargate: the task's own disk (default), or EFS that outlives it."""
    ecr_repository: str | None = field(
        default=None,
        metadata=check(
            Length(2, 256),
            Matches(
                r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*",
                'a repository name such as "aether-node"',
            ),
        ),
    )
    """ECR repository of the node's image; default `<cluster>-node`."""
    certificate_arn: str | None = field(default=None, metadata=check(Arn("acm")))
    """ACM certificate of the load balancer; with it, HTTPS. Default: none, or one made for `cloud.domain`."""
    egress_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that nodes may call besides AWS itself, on any port; default: none."""
    hosted_zone_id: str | None = field(
        default=None,
        metadata=check(Matches(r"Z[A-Z0-9]{1,31}", 'a hosted zone id such as "Z0123456789ABCDEFGHIJ"')),
    )
    """Route 53 zone of `cloud.domain`; default: looked up by the domain's parent."""
    kms_key_arn: str | None = field(default=None, metadata=check(Arn("kms")))
    """KMS key for what is encrypted; default: AWS's own keys."""
    alarm_topic_arn: str | None = field(default=None, metadata=check(Arn("sns")))
    """SNS topic of the alarms; default: alarms only show in CloudWatch."""
    waf_acl_arn: str | None = field(default=None, metadata=check(Arn("wafv2")))
    """Regional WAF web ACL before the load balancer; default: none."""
    permissions_boundary_arn: str | None = field(default=None, metadata=check(Arn("iam")))
    """IAM policy that bounds every role made here; default: none."""
    access_logs: bool = True
    """Whether the load balancer writes access logs to S3; default on."""
    access_logs_bucket: str | None = field(
        default=None,
        metadata=check(
            Matches(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", 'a bucket name such as "my-logs"')
        ),
    )
    """Existing bucket of the access logs; default: a new one."""
    flow_logs: bool = True
    """Whether the VPC's flows are logged; default on."""
    container_insights: Literal["enabled", "enhanced", "disabled"] = "enabled"
    """CloudWatch Container Insights of the ECS or EKS cluster; default enabled. On EKS there is one kind,
    enhanced, which also ships the nodes' logs and tells whether core nodes run."""
    tls_policy: str = field(
        default="ELBSecurityPolicy-TLS13-1-2-2021-06",
        metadata=check(
            Matches(
                catalog.TLS_POLICY_FORM,
                "a policy of an ALB that begins at TLS 1.2 or 1.3",
                'such as "ELBSecurityPolicy-TLS13-1-2-2021-06"',
            )
        ),
    )
    """TLS policy of the HTTPS listener; default: TLS 1.3 and 1.2 with forward secrecy."""
    kubernetes_version: str | None = field(
        default=None, metadata=check(Matches(r"1\.\d{2}", 'a Kubernetes version such as "1.34"'))
    )
    """Kubernetes version (eks), minor only; default: the newest that EKS has when the cluster is made."""
    extended_support: bool = False
    """Whether to stay on a Kubernetes version past its standard support, at a price (eks); default: EKS upgrades."""
    admin_principals: tuple[str, ...] = field(
        default=(),
        metadata=items(
            Matches(
                rf"arn:{PARTITION}:iam::\d{{12}}:(?:role|user)/[\w+=,.@/-]+",
                "the ARN of an IAM role or user",
                "such as arn:aws:iam::ACCOUNT:role/NAME",
            )
        ),
    )
    """IAM roles and users that may do everything in the Kubernetes cluster (eks); default: who makes it. Counts only
    when the cluster is made whether that is so; roles and users can be added at any time."""
    autoscaler_image: str | None = field(
        default=None,
        metadata=check(
            Matches(
                r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?::\d{1,5})?(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+"
                r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
                'an image reference with its registry such as "registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.5"',
            )
        ),
    )
    """Image of the cluster autoscaler (eks); default: registry.k8s.io's, of the Kubernetes version. Without NAT, a
    copy in ECR."""
    endpoint_public: bool = False
    """Whether the Kubernetes API has a public address (eks); default off."""
    authorized_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach the Kubernetes API (eks): public ones by its public address, private ones through
    the VPC; default: the nodes only."""
    service_cidr: str = field(default="172.20.0.0/16", metadata=check(Network(widest=12, narrowest=24)))
    """IPv4 range of Kubernetes services (eks), /12 to /24, apart from the VPC; default 172.20.0.0/16
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
    (as of 2026-11))."""
