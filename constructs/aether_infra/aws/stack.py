"""The whole of AWS from one configuration. Reads as a table of contents."""

from __future__ import annotations

from typing import Any

from attrs import asdict
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from aether_infra.aws.discovery import Discovery, DiscoveryProps
from aether_infra.aws.dns import AliasRecord, AliasRecordProps, Certificate, CertificateProps, HostedZone
from aether_infra.aws.ec2 import (
    HEAP_PLACEHOLDER,
    Ec2Cluster,
    Ec2ClusterProps,
    NodeSettings,
    NodeSettingsProps,
)
from aether_infra.aws.fargate import (
    FargateCluster,
    FargateClusterProps,
    core_service_name,
    ecs_cluster_name,
)
from aether_infra.aws.identity import IdentityProps, InstanceIdentity, TaskIdentity
from aether_infra.aws.load_balancer import (
    AccessLogBucket,
    AccessLogBucketProps,
    LoadBalancer,
    LoadBalancerProps,
)
from aether_infra.aws.monitoring import Alarms, AlarmsProps, NodeLogs, NodeLogsProps
from aether_infra.aws.network import (
    ExistingNetwork,
    ExistingNetworkProps,
    Network,
    NetworkProps,
    NetworkZone,
)
from aether_infra.aws.policy import Statement
from aether_infra.aws.registry import (
    Registry,
    RegistryProps,
    image_repository_arn,
    pull_statements,
)
from aether_infra.aws.rollout import RolloutGate, RolloutGateProps
from aether_infra.aws.scaling import Scaling
from aether_infra.aws.security import Security, SecurityProps
from aether_infra.aws.storage import DataVolumes, DataVolumesProps
from aether_infra.catalog.aws import architecture
from aether_infra.cdk.outputs import InfrastructureOutputs, publish
from aether_infra.cdk.stack import BaseStack
from aether_infra.cdk.text import literal
from aether_infra.config import (
    AetherConfig,
    AwsConfig,
    Provider,
    Zone,
    aws_zones,
    fargate_size,
    heap_mib,
)
from aether_infra.core.node import HealthProbe, NodePorts, core_ids, java_options
from aether_infra.core.tags import standard_tags


class AwsStack(BaseStack):
    """Everything that `[cloud.aws]` describes; one attribute a part, for escape hatches and tests.

    Attributes:
        network, security, registry, logs, load_balancer, compute, alarms: the parts. What a configuration leaves
            out is None.
    """

    def __init__(self, scope: Construct, id_: str, config: AetherConfig) -> None:
        """Declare the stack.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has a `[cloud.aws]` table.

        Raises:
            ConfigError: it has none.
        """
        aws = config.section(Provider.AWS)
        if not isinstance(aws, AwsConfig):
            raise TypeError(f"not the table of AWS: {aws!r}")
        super().__init__(
            scope, id_, state=config.cloud.state, state_name=f"{config.cluster.name}/aws", region=aws.region
        )
        self.config = config
        self.aws = aws
        self.name = config.cluster.name
        self.counts = config.counts(Provider.AWS)
        self.tags = standard_tags(self.name, config.cloud.tags)
        published = config.app_http.enabled is not False
        self.ports = NodePorts(
            management=config.cluster.ports.management,
            cluster=config.cluster.ports.cluster,
            application=config.app_http.port if published else None,
        )
        self.health = HealthProbe(**asdict(config.cloud.health))

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
                retention_days=config.cloud.log_retention_days,
                kms_key_arn=aws.kms_key_arn,
                tags=self.tags,
            ),
        )
        self.zone = self._hosted_zone()
        self.certificate_arn = self._certificate()
        self.load_balancer = self._load_balancer()
        self.compute: FargateCluster | Ec2Cluster = self._ec2() if aws.compute == "ec2" else self._fargate()
        self.alarms = self._alarms()
        self._alias()
        publish(self, self._outputs())

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
        for arn in self.config.cloud.secrets.values():
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
                target_type="instance" if self.aws.compute == "ec2" else "ip",
                ports=self.ports,
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

    def _volumes(self) -> DataVolumes | None:
        if self.aws.data != "efs":
            return None
        subnet_ids = self.network.outputs.private_subnet_ids
        keys = (
            list(self.network.private_subnets)
            if isinstance(self.network, Network)
            else list(self.aws.private_subnet_ids)
        )
        return DataVolumes(
            self,
            "data",
            DataVolumesProps(
                name=self.name,
                vpc_id=self.network.outputs.vpc_id,
                subnets=dict(zip(keys, subnet_ids, strict=True)),
                node_ids=core_ids(self.counts.core),
                node_security_group_id=self.security.outputs.node_security_group_id,
                kms_key_arn=self.aws.kms_key_arn,
                protect=self.config.cloud.protect,
                tags=self.tags,
            ),
        )

    def _identity_props(self, volumes: DataVolumes | None) -> IdentityProps:
        return IdentityProps(
            name=self.name,
            region=self.aws.region,
            account_id=self.account_id,
            log_group_arn=self.logs.log_group.arn,
            pull=self._pull_statements(),
            secrets=self.config.cloud.secrets,
            kms_key_arn=self.aws.kms_key_arn,
            storage=volumes.mount_statements() if volumes else (),
            execute_command=self.aws.execute_command,
            permissions_boundary_arn=self.aws.permissions_boundary_arn,
            tags=self.tags,
        )

    def _pull_statements(self) -> list[Statement]:
        """Rights to pull the image: none where it is not in ECR."""
        if self.config.cloud.image is None:
            return self.registry.pull_statements()
        repository_arn = image_repository_arn(self.config.cloud.image, self.partition)
        return pull_statements(repository_arn) if repository_arn else []

    def _discovery(self) -> Discovery:
        return Discovery(
            self,
            "discovery",
            DiscoveryProps(
                name=self.name,
                vpc_id=self.network.outputs.vpc_id,
                node_ids=core_ids(self.counts.core),
                dns_ttl_seconds=self.config.cloud.shutdown.dns_ttl_seconds,
                tags=self.tags,
            ),
        )

    def _gate(self) -> RolloutGate:
        return RolloutGate(
            self,
            "rollout",
            RolloutGateProps(
                name=self.name,
                region=self.aws.region,
                account_id=self.account_id,
                partition=self.partition,
                ecs_cluster_name=ecs_cluster_name(self.name),
                core_services=[
                    core_service_name(self.name, node_id) for node_id in core_ids(self.counts.core)
                ],
                target_group_arns=self.load_balancer.outputs.target_group_arns if self.load_balancer else (),
                log_retention_days=self.config.cloud.log_retention_days,
                kms_key_arn=self.aws.kms_key_arn,
                permissions_boundary_arn=self.aws.permissions_boundary_arn,
                tags=self.tags,
            ),
        )

    def _fargate(self) -> FargateCluster:
        config, aws = self.config, self.aws
        size = fargate_size(config)
        balancer = self.load_balancer.outputs if self.load_balancer else None
        volumes = self._volumes()
        return FargateCluster(
            self,
            "compute",
            FargateClusterProps(
                name=self.name,
                region=aws.region,
                core_nodes=self.counts.core,
                elastic_minimum=self.counts.elastic_minimum,
                elastic_maximum=self.counts.elastic_maximum,
                subnet_ids=self.network.outputs.private_subnet_ids,
                security_group_id=self.security.outputs.node_security_group_id,
                image=self.image,
                cpu_units=size.cpu_units,
                memory_mib=size.memory_mib,
                architecture=aws.architecture or "x86_64",
                java_opts=self._java_opts(heap_mib(config, size.memory_mib)),
                ports=self.ports,
                health=self.health,
                stop_timeout_seconds=config.cloud.shutdown.stop_timeout_seconds,
                secrets=config.cloud.secrets,
                log_group=self.logs.log_group.name,
                application_target_group_arn=balancer.application_target_group_arn if balancer else None,
                management_target_group_arn=balancer.management_target_group_arn if balancer else None,
                load_balancer_ready=list(self.load_balancer.listeners.values()) if self.load_balancer else (),
                spot=aws.spot,
                scaling=Scaling(**asdict(config.cloud.scaling)),
                container_insights=aws.container_insights,
                execute_command=aws.execute_command,
                kms_key_arn=aws.kms_key_arn,
                tags=self.tags,
            ),
            identity=TaskIdentity(self, "identity", self._identity_props(volumes)),
            discovery=self._discovery(),
            gate=self._gate(),
            volumes=volumes,
        )

    def _ec2(self) -> Ec2Cluster:
        config, aws = self.config, self.aws
        discovery = self._discovery()
        settings = NodeSettings(
            self,
            "node",
            NodeSettingsProps(
                name=self.name,
                region=aws.region,
                core_nodes=self.counts.core,
                peers=discovery.peers(self.ports.cluster),
                image=self.image,
                java_opts=self._java_opts(config.node.heap_mib or HEAP_PLACEHOLDER),
                ports=self.ports,
                health=self.health,
                stop_timeout_seconds=config.cloud.shutdown.stop_timeout_seconds,
                secrets=config.cloud.secrets,
                log_group=self.logs.log_group.name,
                tags=self.tags,
            ),
        )
        groups = self.load_balancer.target_groups if self.load_balancer else {}
        return Ec2Cluster(
            self,
            "compute",
            Ec2ClusterProps(
                name=self.name,
                core_nodes=self.counts.core,
                elastic_minimum=self.counts.elastic_minimum,
                elastic_maximum=self.counts.elastic_maximum,
                subnet_ids=self.network.outputs.private_subnet_ids,
                security_group_id=self.security.outputs.node_security_group_id,
                instance_type=aws.instance_type,
                architecture="arm64" if architecture(aws.instance_type) == "arm64" else "x86_64",
                ami_id=aws.ami_id,
                data_volume_gib=aws.data_volume_gib,
                cluster_port=self.ports.cluster,
                target_group_arns={concern: group.arn for concern, group in groups.items()},
                spot=aws.spot,
                scaling=Scaling(**asdict(config.cloud.scaling)),
                kms_key_arn=aws.kms_key_arn,
                protect=config.cloud.protect,
                tags=self.tags,
            ),
            identity=InstanceIdentity(
                self, "identity", self._identity_props(None), settings.read_statements()
            ),
            discovery=discovery,
            settings=settings,
        )

    def _java_opts(self, heap: int | str) -> str:
        return java_options(
            heap_mib=heap,
            gc=self.config.node.gc,
            dns_ttl_seconds=self.config.cloud.shutdown.jvm_dns_ttl_seconds,
            extra=literal(self.config.cloud.java_opts),
        )

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
            runtime=self._runtime(),
        )

    def _runtime(self) -> dict[str, Any]:
        balancer = self.load_balancer.outputs if self.load_balancer else None
        return {
            "provider": Provider.AWS.value,
            "region": self.aws.region,
            "cluster_name": self.name,
            "compute": self.aws.compute,
            "core_nodes": self.counts.core,
            "min_nodes": self.counts.minimum,
            "max_nodes": self.counts.maximum,
            "ports": {
                "management": self.ports.management,
                "cluster": self.ports.cluster,
                "swim": self.ports.swim,
                "application": self.ports.application,
            },
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
        } | self.compute.runtime()


def _network_zone(zone: Zone) -> NetworkZone:
    """A zone as the network wants it: by id or by name."""
    if zone.key.startswith("az"):
        return NetworkZone(key=zone.key, slot=zone.slot, zone_id=zone.name_or_id)
    return NetworkZone(key=zone.key, slot=zone.slot, name=zone.name_or_id)
