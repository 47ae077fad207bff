"""The cluster on ECS Fargate: one service a core node, one auto-scaled service for elastic nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws import appautoscaling_policy as policy_l1
from cdktf_cdktf_provider_aws.appautoscaling_target import AppautoscalingTarget
from cdktf_cdktf_provider_aws.ecs_cluster import (
    EcsCluster,
    EcsClusterConfiguration,
    EcsClusterConfigurationExecuteCommandConfiguration,
    EcsClusterConfigurationExecuteCommandConfigurationLogConfiguration,
    EcsClusterSetting,
)
from cdktf_cdktf_provider_aws.ecs_cluster_capacity_providers import EcsClusterCapacityProviders
from cdktf_cdktf_provider_aws.ecs_service import (
    EcsService,
    EcsServiceCapacityProviderStrategy,
    EcsServiceDeploymentCircuitBreaker,
    EcsServiceLoadBalancer,
    EcsServiceNetworkConfiguration,
    EcsServiceServiceRegistries,
)
from cdktf_cdktf_provider_aws.ecs_task_definition import (
    EcsTaskDefinition,
    EcsTaskDefinitionRuntimePlatform,
    EcsTaskDefinitionVolume,
    EcsTaskDefinitionVolumeEfsVolumeConfiguration,
    EcsTaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfig,
)
from constructs import Construct

from aether_infra.aws.container import NODE, ContainerSpec, container_definitions
from aether_infra.aws.discovery import Discovery
from aether_infra.aws.identity import TaskIdentity
from aether_infra.aws.monitoring import VoterMetric
from aether_infra.aws.node import NodeProps
from aether_infra.aws.rollout import RolloutGate
from aether_infra.aws.scaling import Scaling
from aether_infra.aws.storage import DataVolumes
from aether_infra.core.names import physical_name
from aether_infra.core.node import core_ids, environment, spread
from aether_infra.core.tags import NodeRole, node_tags

FOREVER_SECONDS = 2_147_483_647
"""The longest health-check grace period: ECS never restarts a task for what the load balancer thinks of it.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html (as of 2026-11)."""
PLATFORM_VERSION = "1.4.0"
"""Fargate's platform; earlier ones have no EFS and no ephemeral storage encryption."""
ELASTIC = "elastic"
# the generated names run to 120 characters
_TargetTracking = policy_l1.AppautoscalingPolicyTargetTrackingScalingPolicyConfiguration
_MetricSpecification = (
    policy_l1.AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecification
)
_Metric = (
    policy_l1.AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetrics
)
_MetricStat = policy_l1.AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricsMetricStat  # noqa: E501
_StatMetric = policy_l1.AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricsMetricStatMetric  # noqa: E501
_Dimension = policy_l1.AppautoscalingPolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationMetricsMetricStatMetricDimensions  # noqa: E501
ENGINE_ARCHITECTURE = {"x86_64": "X86_64", "arm64": "ARM64"}


@frozen(kw_only=True)
class FargateClusterProps(NodeProps):
    """Props of `FargateCluster`."""

    elastic_minimum: int = 0
    """Fewest elastic nodes."""
    elastic_maximum: int = 0
    """Most elastic nodes; 0 for none at all."""
    subnet_ids: Sequence[str]
    """Private subnets, one a zone: core nodes are dealt out over them in turn."""
    security_group_id: str
    """The nodes' group."""
    cpu_units: int = 2048
    """CPU of a task, in units of 1/1024 vCPU; must make a pair with `memory_mib` that Fargate has."""
    memory_mib: int = 4096
    """Memory of a task."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """Processor that the image is built for."""
    application_target_group_arn: str | None = None
    """Target group of the application port."""
    management_target_group_arn: str | None = None
    """Target group of the management port."""
    load_balancer_ready: Sequence[ITerraformDependable] = ()
    """Listeners: ECS refuses a target group that no listener uses yet."""
    managed: bool = False
    """Whether the runtime manager sizes the elastic nodes; default: target tracking does."""
    spot: bool = False
    """Run elastic nodes, never core ones, on Fargate Spot."""
    scaling: Scaling = field(factory=Scaling)
    """When elastic nodes come and go."""
    container_insights: Literal["enabled", "enhanced", "disabled"] = "enabled"
    """Metrics of services and tasks; the quorum alarms need them."""
    execute_command: bool = False
    """Allow a shell in the container through ECS Exec."""
    kms_key_arn: str | None = None
    """KMS key of ECS Exec's sessions."""


@frozen(kw_only=True)
class FargateClusterOutputs:
    """What Layer 2 needs of the cluster."""

    ecs_cluster_name: str
    ecs_cluster_arn: str
    core_services: dict[str, str]
    """ECS service of each core node."""
    elastic_service: str | None
    peers: str


class FargateCluster(Construct):
    """An Aether cluster on ECS Fargate.

    A core node is a service of its own with one task: a stable id, a stable name, a fixed subnet. It is
    stopped before its successor starts (0 % / 100 %: never two of one id), never moved to even out zones, and
    the services are updated one after the other, each held until its node is back (see `RolloutGate`). A
    Fargate retirement goes through the same services, so it also replaces in place, one task at a time.

    Elastic nodes are one service between two bounds. Its CPU cannot steer it, because at zero nodes there is
    none: the average over all services does.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html
    (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        props: what to run.
        identity: roles of the tasks.
        discovery: names of the core nodes, one for each of `core_ids(props.core_nodes)`.
        gate: holds the rollout; None updates all core nodes at once, which loses the quorum.
        volumes: data volumes of the core nodes; None keeps data with the task.

    Attributes:
        cluster: the ECS cluster.
        core_services: service of each core node's id.
        core_task_definitions: task definition of each core node's id.
        elastic_service: service of the elastic nodes, if any.
        outputs: names for Layer 2.
        discovery: names of the core nodes.
        providers: what tasks run on.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: FargateClusterProps,
        *,
        identity: TaskIdentity,
        discovery: Discovery,
        gate: RolloutGate | None = None,
        volumes: DataVolumes | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._identity = identity
        self.discovery = discovery
        self._gate = gate
        self._volumes = volumes
        self._tags = dict(props.tags)
        self._peers = discovery.peers(props.ports.cluster)
        self.cluster = self._ecs_cluster()
        self.providers = EcsClusterCapacityProviders(
            self,
            "capacity-providers",
            cluster_name=self.cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
        )
        self.core_task_definitions: dict[str, EcsTaskDefinition] = {}
        self.core_services: dict[str, EcsService] = {}
        last = self._core()
        self.elastic_service = self._elastic(last) if props.elastic_maximum else None
        self.outputs = FargateClusterOutputs(
            ecs_cluster_name=self.cluster.name,
            ecs_cluster_arn=self.cluster.arn,
            core_services={node_id: service.name for node_id, service in self.core_services.items()},
            elastic_service=self.elastic_service.name if self.elastic_service else None,
            peers=self._peers,
        )

    def voter_metrics(self) -> list[VoterMetric]:
        """What tells whether a core node runs.

        Container Insights counts tasks, zero included. Without it, the number of CPU samples does, which is
        missing instead of zero when a service has no task.
        """
        insights = self._props.container_insights != "disabled"
        return [
            VoterMetric(
                voter=node_id,
                namespace="ECS/ContainerInsights" if insights else "AWS/ECS",
                metric="RunningTaskCount" if insights else "CPUUtilization",
                stat="Minimum" if insights else "SampleCount",
                dimensions={"ClusterName": self.cluster.name, "ServiceName": service.name},
                when_missing=0,
            )
            for node_id, service in self.core_services.items()
        ]

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know of this kind of compute."""
        return {
            "ecs_cluster_arn": self.outputs.ecs_cluster_arn,
            "ecs_elastic_service": self.outputs.elastic_service,
            "ecs_core_services": self.outputs.core_services,
            "peers": self.outputs.peers,
        }

    def _ecs_cluster(self) -> EcsCluster:
        props = self._props
        execute_command = EcsClusterConfigurationExecuteCommandConfiguration(
            kms_key_id=props.kms_key_arn,
            logging="OVERRIDE",
            log_configuration=EcsClusterConfigurationExecuteCommandConfigurationLogConfiguration(
                cloud_watch_log_group_name=props.log_group
            ),
        )
        return EcsCluster(
            self,
            "Resource",
            name=ecs_cluster_name(props.name),
            setting=[EcsClusterSetting(name="containerInsights", value=props.container_insights)],
            configuration=EcsClusterConfiguration(execute_command_configuration=execute_command)
            if props.execute_command
            else None,
            tags=self._tags,
        )

    def _core(self) -> list[ITerraformDependable]:
        """Declare the core nodes, each after the one before it is back; returns what marks the last one."""
        props = self._props
        subnets = spread(core_ids(props.core_nodes), list(props.subnet_ids))
        before: list[ITerraformDependable] = []
        for node_id, subnet_id in subnets.items():
            scope = Construct(self, node_id)
            task_definition = self._task_definition(scope, node_id, NodeRole.CORE)
            service = self._core_service(scope, node_id, subnet_id, task_definition, before)
            self.core_task_definitions[node_id] = task_definition
            self.core_services[node_id] = service
            before = [service]
            if self._gate is not None:
                name = core_service_name(props.name, node_id)
                before = [self._gate.after(node_id, service=service, service_name=name)]
        return before

    def _core_service(
        self,
        scope: Construct,
        node_id: str,
        subnet_id: str,
        task_definition: EcsTaskDefinition,
        before: Sequence[ITerraformDependable],
    ) -> EcsService:
        props = self._props
        mounts = self._volumes.mount_targets.values() if self._volumes else ()
        return EcsService(
            scope,
            "Resource",
            name=core_service_name(props.name, node_id),
            cluster=self.cluster.id,
            task_definition=task_definition.arn,
            desired_count=1,
            deployment_minimum_healthy_percent=0,
            deployment_maximum_percent=100,
            availability_zone_rebalancing="DISABLED",
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            capacity_provider_strategy=[
                EcsServiceCapacityProviderStrategy(capacity_provider="FARGATE", weight=1)
            ],
            platform_version=PLATFORM_VERSION,
            network_configuration=self._network([subnet_id]),
            load_balancer=self._targets() or None,
            health_check_grace_period_seconds=FOREVER_SECONDS if self._targets() else None,
            service_registries=EcsServiceServiceRegistries(registry_arn=self.discovery.services[node_id].arn),
            enable_execute_command=props.execute_command,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=False,
            depends_on=[*self._ready(), *mounts, *before],
            tags=self._node_tags(NodeRole.CORE, node_id),
        )

    def _elastic(self, before: Sequence[ITerraformDependable]) -> EcsService:
        props = self._props
        scope = Construct(self, ELASTIC)
        task_definition = self._task_definition(scope, "", NodeRole.WORKER)
        provider = "FARGATE_SPOT" if props.spot else "FARGATE"
        service = EcsService(
            scope,
            "Resource",
            name=physical_name(props.name, ELASTIC),
            cluster=self.cluster.id,
            task_definition=task_definition.arn,
            desired_count=props.elastic_minimum,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            availability_zone_rebalancing="ENABLED",
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            capacity_provider_strategy=[
                EcsServiceCapacityProviderStrategy(capacity_provider=provider, weight=1)
            ],
            # the provider refuses a change of the strategy without it; it acts on a change only
            force_new_deployment=True,
            platform_version=PLATFORM_VERSION,
            network_configuration=self._network(list(props.subnet_ids)),
            load_balancer=self._targets() or None,
            health_check_grace_period_seconds=FOREVER_SECONDS if self._targets() else None,
            enable_execute_command=props.execute_command,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=False,
            # the autoscaler, or the manager, owns the count: a deployment must not set it back
            lifecycle=TerraformResourceLifecycle(ignore_changes=["desired_count"]),
            depends_on=[*self._ready(), *before],
            tags=self._node_tags(NodeRole.WORKER),
        )
        if not props.managed:
            self._autoscale(scope, service)
        return service

    def _ready(self) -> list[ITerraformDependable]:
        """What must be there before the first task starts, or its first attempts would count against it."""
        return [self.providers, *self._identity.grants, *self._props.load_balancer_ready]

    def _network(self, subnet_ids: list[str]) -> EcsServiceNetworkConfiguration:
        return EcsServiceNetworkConfiguration(
            subnets=subnet_ids,
            security_groups=[self._props.security_group_id],
            assign_public_ip=False,
        )

    def _targets(self) -> list[EcsServiceLoadBalancer]:
        props = self._props
        both = (
            (props.application_target_group_arn, props.ports.application),
            (props.management_target_group_arn, props.ports.management),
        )
        return [
            EcsServiceLoadBalancer(target_group_arn=arn, container_name=NODE, container_port=port)
            for arn, port in both
            if arn is not None and port is not None
        ]

    def _node_tags(self, role: NodeRole, node_id: str = "") -> dict[str, str]:
        return node_tags(self._tags, role, self._props.ports.cluster, node_id)

    def _task_definition(self, scope: Construct, node_id: str, role: NodeRole) -> EcsTaskDefinition:
        """Declare a node's task; an elastic node has no id and no data volume."""
        props = self._props
        persistent = self._volumes is not None and role is NodeRole.CORE
        spec = ContainerSpec(
            image=props.image,
            environment=environment(
                ports=props.ports,
                peer_list=self._peers,
                core_count=props.core_nodes,
                java_opts=props.java_opts,
                node_id=node_id,
            ),
            secrets=props.secrets,
            ports=props.ports,
            health=props.health,
            stop_timeout_seconds=props.stop_timeout_seconds,
            log_group=props.log_group,
            region=props.region,
            log_prefix=node_id or ELASTIC,
            persistent=persistent,
        )
        return EcsTaskDefinition(
            scope,
            "task-definition",
            family=physical_name(props.name, node_id or ELASTIC),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(props.cpu_units),
            memory=str(props.memory_mib),
            runtime_platform=EcsTaskDefinitionRuntimePlatform(
                operating_system_family="LINUX", cpu_architecture=ENGINE_ARCHITECTURE[props.architecture]
            ),
            execution_role_arn=self._identity.execution.role.arn,
            task_role_arn=self._identity.task.role.arn,
            container_definitions=container_definitions(spec),
            volume=[
                self._data_volume(node_id) if persistent else EcsTaskDefinitionVolume(name="data"),
                EcsTaskDefinitionVolume(name="tmp"),
            ],
            # a deployment that fails rolls back to the revision before, which must still be there then
            skip_destroy=True,
            tags=self._node_tags(role, node_id),
        )

    def _data_volume(self, node_id: str) -> EcsTaskDefinitionVolume:
        if self._volumes is None:
            raise ValueError("there are no data volumes")
        return EcsTaskDefinitionVolume(
            name="data",
            efs_volume_configuration=EcsTaskDefinitionVolumeEfsVolumeConfiguration(
                file_system_id=self._volumes.file_system.id,
                transit_encryption="ENABLED",
                authorization_config=EcsTaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfig(
                    access_point_id=self._volumes.access_points[node_id].id, iam="ENABLED"
                ),
            ),
        )

    def _autoscale(self, scope: Construct, service: EcsService) -> None:
        props = self._props
        target = AppautoscalingTarget(
            scope,
            "scaling-target",
            service_namespace="ecs",
            resource_id=f"service/{self.cluster.name}/{service.name}",
            scalable_dimension="ecs:service:DesiredCount",
            min_capacity=props.elastic_minimum,
            max_capacity=props.elastic_maximum,
            tags=self._tags,
        )
        scaling = props.scaling
        self.scaling_policy = policy_l1.AppautoscalingPolicy(
            scope,
            "scaling-policy",
            name=physical_name(props.name, "cpu"),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            target_tracking_scaling_policy_configuration=(
                _TargetTracking(
                    target_value=scaling.cpu_target_percent,
                    scale_out_cooldown=scaling.scale_out_cooldown_seconds,
                    scale_in_cooldown=scaling.scale_in_cooldown_seconds,
                    customized_metric_specification=_average_cpu(
                        self.cluster.name,
                        {
                            **{node_id: core.name for node_id, core in self.core_services.items()},
                            ELASTIC: service.name,
                        },
                    ),
                )
            ),
        )


def ecs_cluster_name(cluster: str) -> str:
    """Name of the ECS cluster: the cluster's own."""
    return physical_name(cluster, "")


def core_service_name(cluster: str, node_id: str) -> str:
    """Name of a core node's ECS service."""
    return physical_name(cluster, node_id)


def _average_cpu(cluster: str, services: Mapping[str, str]) -> _MetricSpecification:
    """The mean CPU over services, of those that run at all."""
    metrics = [
        _Metric(
            id=key.replace("-", "_"),
            label=f"CPU of {key}",
            return_data=False,
            metric_stat=_MetricStat(
                stat="Average",
                metric=_StatMetric(
                    namespace="AWS/ECS",
                    metric_name="CPUUtilization",
                    dimensions=[
                        _Dimension(name=name, value=value)
                        for name, value in (("ClusterName", cluster), ("ServiceName", service))
                    ],
                ),
            ),
        )
        for key, service in services.items()
    ]
    average = _Metric(id="cluster", label="CPU of the cluster", expression="AVG(METRICS())", return_data=True)
    return _MetricSpecification(metrics=[*metrics, average])
