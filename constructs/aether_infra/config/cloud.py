"""`[cloud]` and its tables that mean the same on every cloud."""

from collections.abc import Mapping

from attrs import field, frozen

from aether_infra.config.aws import AwsConfig
from aether_infra.config.azure import AzureConfig
from aether_infra.config.checks import IMAGE, Between, Length, Matches, check
from aether_infra.config.digitalocean import DigitaloceanConfig
from aether_infra.config.gcp import GcpConfig
from aether_infra.config.kubernetes import KubernetesTarget
from aether_infra.config.manager import ManagerConfig
from aether_infra.config.oracle import OracleConfig
from aether_infra.config.provider import Provider
from aether_infra.config.state import StateConfig

URL_PATH = Matches(r"/[A-Za-z0-9_.~!$&'()*+,;=:@%/-]{0,255}", 'a path such as "/health"')


@frozen(kw_only=True)
class HealthConfig:
    """`[cloud.health]`: how a node's health is asked, on the management port.

    Bounds:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    (as of 2026-11); the tightest of the five clouds.
    """

    liveness_path: str = field(default="/health", metadata=check(URL_PATH))
    """Path that answers 200 while the process works; default /health, newer nodes have /health/live."""
    readiness_path: str = field(default="/health", metadata=check(URL_PATH))
    """Path that answers 200 while the node can serve; default /health, newer nodes have /health/ready."""
    interval_seconds: int = field(default=10, metadata=check(Between(5, 300, "seconds")))
    """Seconds between probes, 5-300; default 10."""
    timeout_seconds: int = field(default=5, metadata=check(Between(2, 120, "seconds")))
    """Seconds until a probe has failed, 2-120 and less than the interval; default 5."""
    healthy_threshold: int = field(default=2, metadata=check(Between(2, 10)))
    """Good probes in a row that bring a node into traffic, 2-10; default 2."""
    unhealthy_threshold: int = field(default=3, metadata=check(Between(2, 10)))
    """Bad probes in a row that take a node out, 2-10; default 3."""
    start_seconds: int = field(default=120, metadata=check(Between(0, 300, "seconds")))
    """Seconds of grace for a starting JVM, 0-300; default 120: a node takes 30 to 45 s on a fast machine."""


@frozen(kw_only=True)
class ShutdownConfig:
    """`[cloud.shutdown]`: the one budget of time in which a node leaves.

    `rules.py` checks the sums.
    """

    leave_seconds: int = field(default=30, metadata=check(Between(0, 110, "seconds")))
    """Seconds that a node needs to hand over and leave after the polite signal; default 30."""
    stop_timeout_seconds: int = field(default=90, metadata=check(Between(2, 120, "seconds")))
    """Seconds from the polite signal to the kill; at most 120, Fargate's limit
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
    (as of 2026-11)); default 90."""
    deregistration_delay_seconds: int = field(default=30, metadata=check(Between(0, 3600, "seconds")))
    """Seconds that the load balancer lets open requests finish, 0-3600; default 30."""
    dns_ttl_seconds: int = field(default=10, metadata=check(Between(1, 300, "seconds")))
    """TTL of a core node's name in seconds, 1-300; default 10."""
    jvm_dns_ttl_seconds: int = field(default=10, metadata=check(Between(0, 300, "seconds")))
    """Seconds that a peer's JVM keeps a resolved address, 0-300; default 10."""


@frozen(kw_only=True)
class ScalingConfig:
    """`[cloud.scaling]`: when elastic nodes come and go."""

    cpu_target_percent: int = field(default=60, metadata=check(Between(10, 90, "percent")))
    """Mean CPU of all elastic nodes that is aimed at, 10-90 %; default 60: room for the loss of a zone."""
    scale_out_cooldown_seconds: int = field(default=60, metadata=check(Between(0, 3600, "seconds")))
    """Seconds after growing before growing again, 0-3600; default 60, about a node's start."""
    scale_in_cooldown_seconds: int = field(default=300, metadata=check(Between(0, 3600, "seconds")))
    """Seconds after any change before shrinking, 0-3600; default 300."""


@frozen(kw_only=True)
class CloudConfig:
    """`[cloud]`: what to build; one table per cloud."""

    provider: Provider = field(metadata=check(example=Provider.AWS.value))
    """The active cloud; default: the only one that has a table."""
    protect: bool = True
    """Deletion protection wherever a cloud has it; default on."""
    image: str | None = field(default=None, metadata=check(IMAGE))
    """The node's image; default: this cloud's own registry repository with the tag `latest`."""
    domain: str | None = field(
        default=None,
        metadata=check(
            Matches(
                r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])",
                'a host name in lower case such as "aether.example.com"',
                "without scheme, port, path or final dot",
            )
        ),
    )
    """Host name of the application; default: none, only the load balancer's own name."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags (labels) of every resource, besides the standard ones."""
    java_opts: str = field(default="", metadata=check(Length(0, 4000)))
    """Further options of the JVM, after the derived ones. The heap belongs in `node.heap`."""
    log_retention_days: int = field(default=30, metadata=check(Between(1, 3653, "days")))
    """Days that logs are kept; default 30. Each cloud allows its own steps."""
    state: StateConfig = field(factory=StateConfig)
    """Where Terraform keeps what it knows."""
    secrets: Mapping[str, str] = field(factory=dict)
    """Environment variable of the node = reference in the active cloud's secret store."""
    health: HealthConfig = field(factory=HealthConfig)
    """How a node's health is asked."""
    shutdown: ShutdownConfig = field(factory=ShutdownConfig)
    """The time in which a node leaves."""
    scaling: ScalingConfig = field(factory=ScalingConfig)
    """When elastic nodes come and go."""
    manager: ManagerConfig = field(factory=ManagerConfig)
    """The runtime manager beside the cluster."""
    aws: AwsConfig | None = None
    """Amazon Web Services."""
    gcp: GcpConfig | None = None
    """Google Cloud."""
    azure: AzureConfig | None = None
    """Azure."""
    digitalocean: DigitaloceanConfig | None = None
    """DigitalOcean."""
    oracle: OracleConfig | None = None
    """Oracle Cloud."""
    kubernetes: KubernetesTarget | None = None
    """A Kubernetes cluster that exists already."""
