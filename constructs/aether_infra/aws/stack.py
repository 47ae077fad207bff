"""The whole of AWS from one configuration. Reads as a table of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from aether_infra.aws.dns import AliasRecord, AliasRecordProps, Certificate, CertificateProps, HostedZone
from aether_infra.aws.load_balancer import (
    AccessLogBucket,
    AccessLogBucketProps,
    LoadBalancer,
    LoadBalancerProps,
)
from aether_infra.aws.monitoring import Alarms, AlarmsProps, NodeLogs, NodeLogsProps, container_log_group
from aether_infra.aws.network import (
    ExistingNetwork,
    ExistingNetworkProps,
    Network,
    NetworkProps,
    NetworkZone,
)
from aether_infra.aws.registry import Registry, RegistryProps
from aether_infra.aws.security import Security, SecurityProps
from aether_infra.cdk.outputs import InfrastructureOutputs, publish
from aether_infra.cdk.stack import ClusterStack
from aether_infra.config import (
    AetherConfig,
    AwsConfig,
    Provider,
    Zone,
    aws_zones,
)
from aether_infra.core.kubernetes import APPLICATION_NODE_PORT, MANAGEMENT_NODE_PORT
from aether_infra.core.node import NodePorts

if TYPE_CHECKING:
    from aether_infra.aws.compute_eks import EksCompute
    from aether_infra.aws.ec2 import Ec2Cluster
    from aether_infra.aws.fargate import FargateCluster
    from aether_infra.aws.manager import Manager


class AwsStack(ClusterStack):
    """Everything that `[cloud.aws]` describes; one attribute a part, for escape hatches and tests.

    Attributes:
        network, security, registry, logs, load_balancer, compute, manager, alarms: the parts. What a configuration
            leaves out is None.
    """

    provider: ClassVar[Provider] = Provider.AWS

    def __init__(self, scope: Construct, id_: str, config: AetherConfig) -> None:
        """Declare the stack.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has a `[cloud.aws]` table.

        Raises:
            ConfigError: it has none.
        """
        super().__init__(scope, id_, config)
        aws = self.section
        if not isinstance(aws, AwsConfig):
            raise TypeError(f"not the table of AWS: {aws!r}")
        self.aws = aws
        self.target_ports = self._target_ports()

        AwsProvider(self, "aws", region=aws.region)
        self.account_id = DataAwsCallerIdentity(self, "account").account_id
        self.partition = DataAwsPartition(self, "partition").partition
        self.network = self._network()
        self.security = self._security()
        self.registry = self._registry()
        self.image = config.cloud.image or f"{self.registry.outputs.repository_url}:latest"
        self.logs = NodeLogs(
            self,
            "logs",
            NodeLogsProps(
                name=self.name,
                # on EKS, what ships the logs decides
                group=container_log_group(self.name) if aws.compute == "eks" else None,
                retention_days=config.cloud.log_retention_days,
                kms_key_arn=aws.kms_key_arn,
                tags=self.tags,
            ),
        )
        self.zone = self._hosted_zone()
        self.certificate_arn = self._certificate()
        self.load_balancer = self._load_balancer()
        self.compute = self._compute()
        self.manager = self._manager()
        self.alarms = self._alarms()
        self._alias()
        publish(self, self._outputs())

    def _target_ports(self) -> NodePorts:
        """Ports that the load balancer sends to: on EKS, those of every machine that lead to the nodes."""
        if self.aws.compute != "eks":
            return self.ports
        return NodePorts(
            management=MANAGEMENT_NODE_PORT,
            cluster=self.ports.cluster,
            application=None if self.ports.application is None else APPLICATION_NODE_PORT,
        )

    def _network(self) -> Network | ExistingNetwork:
        aws = self.aws
        if aws.vpc_id:
            return ExistingNetwork(
                self,
                "network",
                ExistingNetworkProps(
                    vpc_id=aws.vpc_id,
                    public_subnet_ids=aws.public_subnet_ids,
                    private_subnet_ids=aws.private_subnet_ids,
                ),
            )
        return Network(
            self,
            "network",
            NetworkProps(
                name=self.name,
                region=aws.region,
                cidr=aws.vpc_cidr,
                zones=[_network_zone(zone) for zone in aws_zones(aws)],
                nat=aws.nat,
                interface_endpoints=self._interface_endpoints() if aws.nat == "none" else (),
                flow_logs=aws.flow_logs,
                log_retention_days=self.config.cloud.log_retention_days,
                kms_key_arn=aws.kms_key_arn,
                permissions_boundary_arn=aws.permissions_boundary_arn,
                tags=self.tags,
            ),
        )

    def _interface_endpoints(self) -> tuple[str, ...]:
        """AWS services that nodes must reach, where no NAT leads to them."""
        services = {"ecr.api", "ecr.dkr", "logs"}
        if self.aws.compute == "ec2":
            services |= {"ec2messages", "ssm", "ssmmessages"}
        if self.aws.compute == "eks":
            # machines, disks and addresses; identities of pods; the autoscaler
            services |= {"autoscaling", "ec2", "eks", "eks-auth", "sts"}
        secrets = {*self.config.stored_secrets(Provider.AWS).values()}
        if self.managed and self.aws.compute != "eks":
            # what the manager calls, and where its own secrets are
            services |= {"ec2" if self.aws.compute == "ec2" else "ecs", "elasticloadbalancing"}
            secrets |= {*self.config.cloud.manager.secrets().values()}
        for arn in secrets:
            services.add("ssm" if arn.split(":")[2:3] == ["ssm"] else "secretsmanager")
        if self.aws.execute_command:
            services.add("ssmmessages")
        return tuple(sorted(services))

    def _security(self) -> Security:
        security = Security(
            self,
            "security",
            SecurityProps(
                name=self.name,
                vpc_id=self.network.outputs.vpc_id,
                vpc_cidr=self.network.outputs.vpc_cidr,
                ports=self.ports,
                target_ports=self.target_ports,
                tls=self._has_certificate(),
                allowed_cidrs=self.aws.allowed_cidrs,
                management_cidrs=self.aws.management_cidrs,
                egress_cidrs=self.aws.egress_cidrs,
                tags=self.tags,
            ),
        )
        if isinstance(self.network, Network):
            self.network.allow_endpoints_from("nodes", security.outputs.node_security_group_id)
        return security

    def _registry(self) -> Registry:
        return Registry(
            self,
            "registry",
            RegistryProps(
                repository=self.aws.ecr_repository or f"{self.name}-node",
                kms_key_arn=self.aws.kms_key_arn,
                protect=self.config.cloud.protect,
                tags=self.tags,
            ),
        )

    def _hosted_zone(self) -> HostedZone | None:
        """The zone of the domain; None where DNS is somebody else's, or nothing is published."""
        domain = self.config.cloud.domain
        if not domain or not self.aws.manage_dns or self.ports.application is None:
            return None
        return HostedZone(self, "zone", domain=domain, zone_id=self.aws.hosted_zone_id)

    def _has_certificate(self) -> bool:
        provable = bool(self.config.cloud.domain) and self.aws.manage_dns
        return bool(self.aws.certificate_arn) or (provable and self.ports.application is not None)

    def _certificate(self) -> str | None:
        if self.aws.certificate_arn or self.zone is None or not self.config.cloud.domain:
            return self.aws.certificate_arn
        return Certificate(
            self,
            "certificate",
            CertificateProps(
                domain=self.config.cloud.domain, hosted_zone_id=self.zone.zone_id, tags=self.tags
            ),
        ).certificate_arn

    def _load_balancer(self) -> LoadBalancer | None:
        """The load balancer; None when neither application nor management is published."""
        security_group_id = self.security.outputs.load_balancer_security_group_id
        if security_group_id is None:
            return None
        bucket = self._access_log_bucket()
        return LoadBalancer(
            self,
            "load-balancer",
            LoadBalancerProps(
                name=self.name,
                vpc_id=self.network.outputs.vpc_id,
                subnet_ids=self.network.outputs.public_subnet_ids,
                security_group_id=security_group_id,
                target_type="ip" if self.aws.compute == "fargate" else "instance",
                ports=self.ports,
                target_ports=self.target_ports,
                publish_management=bool(self.aws.management_cidrs),
                certificate_arn=self.certificate_arn,
                tls_policy=self.aws.tls_policy,
                health=self.health,
                deregistration_delay_seconds=self.config.cloud.shutdown.deregistration_delay_seconds,
                access_logs_bucket=bucket.bucket.id if isinstance(bucket, AccessLogBucket) else bucket,
                access_logs_ready=[bucket.policy] if isinstance(bucket, AccessLogBucket) else (),
                web_acl_arn=self.aws.waf_acl_arn,
                protect=self.config.cloud.protect,
                tags=self.tags,
            ),
        )

    def _access_log_bucket(self) -> AccessLogBucket | str | None:
        if self.aws.access_logs_bucket or not self.aws.access_logs:
            return self.aws.access_logs_bucket
        return AccessLogBucket(
            self,
            "access-logs",
            AccessLogBucketProps(
                name=self.name,
                region=self.aws.region,
                retention_days=self.config.cloud.log_retention_days,
                protect=self.config.cloud.protect,
                tags=self.tags,
            ),
        )

    def _compute(self) -> FargateCluster | Ec2Cluster | EksCompute:
        # only the kind that is wanted: the others' bindings would cost a quarter of the time
        if self.aws.compute == "eks":
            from aether_infra.aws import compute_eks  # noqa: PLC0415

            return compute_eks.declare(self)
        if self.aws.compute == "ec2":
            from aether_infra.aws import compute_ec2  # noqa: PLC0415

            return compute_ec2.declare(self)
        from aether_infra.aws import compute_fargate  # noqa: PLC0415

        return compute_fargate.declare(self)

    def _manager(self) -> Manager | None:
        """The runtime manager; in Kubernetes it is part of the workload."""
        if not self.managed or self.aws.compute == "eks":
            return None
        from aether_infra.aws import compute_manager  # noqa: PLC0415 - as above

        return compute_manager.declare(self, self.compute, self._runtime())  # type: ignore[arg-type]

    def _alarms(self) -> Alarms:
        balancer = self.load_balancer
        return Alarms(
            self,
            "alarms",
            AlarmsProps(
                name=self.name,
                voters=self.compute.voter_metrics(),
                load_balancer_arn_suffix=balancer.outputs.arn_suffix if balancer else None,
                target_groups={concern: group.arn_suffix for concern, group in balancer.target_groups.items()}
                if balancer
                else {},
                # on EKS every machine is a target, also one that waits for a node
                least_healthy=self.counts.core if self.aws.compute == "eks" else None,
                topic_arn=self.aws.alarm_topic_arn,
                tags=self.tags,
            ),
        )

    def _alias(self) -> None:
        domain = self.config.cloud.domain
        if self.zone is None or self.load_balancer is None or not domain:
            return
        AliasRecord(
            self,
            "alias",
            AliasRecordProps(
                domain=domain,
                hosted_zone_id=self.zone.zone_id,
                target_dns_name=self.load_balancer.outputs.dns_name,
                target_zone_id=self.load_balancer.outputs.zone_id,
            ),
        )

    def _application_url(self) -> str:
        if self.load_balancer is None or self.ports.application is None:
            return ""
        scheme = "https" if self.certificate_arn else "http"
        return f"{scheme}://{self.config.cloud.domain or self.load_balancer.outputs.dns_name}"

    def _outputs(self) -> InfrastructureOutputs:
        return InfrastructureOutputs(
            cluster_name=self.name,
            provider=Provider.AWS.value,
            region=self.aws.region,
            application_url=self._application_url(),
            registry_url=self.registry.outputs.repository_url,
            network_id=self.network.outputs.vpc_id,
            runtime=self._runtime() | self.reach_manager(self.manager.host if self.manager else None),
        )

    def _runtime(self) -> dict[str, Any]:
        balancer = self.load_balancer.outputs if self.load_balancer else None
        return self.kubernetes_facts(
            self.facts()
            | {
                "network_id": self.network.outputs.vpc_id,
                "subnet_ids": list(self.network.outputs.private_subnet_ids),
                "security_group_ids": [self.security.outputs.node_security_group_id],
                "target_group_arns": {
                    "application": balancer.application_target_group_arn if balancer else None,
                    "management": balancer.management_target_group_arn if balancer else None,
                },
                "dns": {
                    "zone_id": self.zone.zone_id if self.zone else None,
                    "domain": self.config.cloud.domain,
                    "target_dns_name": balancer.dns_name if balancer else None,
                    "target_zone_id": balancer.zone_id if balancer else None,
                },
                "image": self.image,
                "tags": self.tags,
            }
            | self.compute.runtime()
        )


def _network_zone(zone: Zone) -> NetworkZone:
    """A zone as the network wants it: by id or by name."""
    if zone.key.startswith("az"):
        return NetworkZone(key=zone.key, slot=zone.slot, zone_id=zone.name_or_id)
    return NetworkZone(key=zone.key, slot=zone.slot, name=zone.name_or_id)
