"""The runtime manager: one Fargate task beside the cluster, whatever the nodes run on.

On `ec2` too: a task needs no machine that is to be patched, and its journal on EFS is in every zone, where the volume
of an instance would tie it to one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import field, frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.ecs_service import (
    EcsService,
    EcsServiceCapacityProviderStrategy,
    EcsServiceDeploymentCircuitBreaker,
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
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.service_discovery_service import (
    ServiceDiscoveryService,
    ServiceDiscoveryServiceDnsConfig,
    ServiceDiscoveryServiceDnsConfigDnsRecords,
)
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from aether_infra.aws.fargate import ENGINE_ARCHITECTURE, PLATFORM_VERSION
from aether_infra.aws.identity import ROLE_NAME_LIMIT, log_statements, secret_statements
from aether_infra.aws.policy import ServiceRole, ServiceRoleProps, Statement
from aether_infra.aws.storage import NFS, DataVolumes, DataVolumesProps
from aether_infra.cdk.text import json_text, local_json
from aether_infra.core import manager
from aether_infra.core.names import physical_name
from aether_infra.core.node import USER_ID

ANYWHERE = "0.0.0.0/0"
HTTPS = 443
DNS_TTL_SECONDS = 10
SCRATCH = "tmp"
JOURNAL = "journal"


@frozen(kw_only=True)
class ManagerProps:
    """Props of `Manager`."""

    name: str
    """Cluster's name, head of every name."""
    region: str
    """Region of everything."""
    account_id: str
    """This account: services may assume the roles on its behalf only."""
    vpc_id: str
    """VPC of the nodes."""
    vpc_cidr: str
    """The VPC's range, where a journal's database is."""
    subnets: Mapping[str, str]
    """Private subnets by a stable key, such as the zone's."""
    node_security_group_id: str
    """The nodes' group, whose management port it may reach."""
    management_port: int = 8080
    """That port."""
    ecs_cluster_id: str
    """ECS cluster that it runs in."""
    namespace_id: str
    """Cloud Map namespace, in which its name is `manager`."""
    domain: str
    """That namespace's own name."""
    image: str
    """Its image, best by digest."""
    port: int = 8081
    """Port of its API."""
    allowed_cidrs: Sequence[str] = ()
    """IPv4 networks that may call its API, by its private address."""
    runtime: Mapping[str, Any]
    """What it is told of the cluster: the output `runtime`."""
    rights: Sequence[Statement]
    """What it may do (see `manager_policy`)."""
    pull: Sequence[Statement] = ()
    """Rights to pull the image; none where it is not in ECR."""
    secrets: Mapping[str, str] = field(factory=dict)
    """Environment variable and ARN of its value in Secrets Manager or SSM."""
    on_volume: bool = True
    """Whether its journal is on EFS; else `secrets` has the address of a database in the VPC."""
    collect: bool = False
    """Whether it ends what nobody claims."""
    cpu_units: int = 256
    """CPU of the task, in units of 1/1024 vCPU; must make a pair with `memory_mib` that Fargate has."""
    memory_mib: int = 512
    """Memory of the task."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """Processor that the image is built for."""
    log_group: str
    """CloudWatch log group."""
    log_group_arn: str
    """Its ARN."""
    kms_key_arn: str | None = None
    """Key of secrets and journal; default: AWS' own."""
    permissions_boundary_arn: str | None = None
    """Policy that bounds every role."""
    protect: bool = True
    """Refuse to destroy the journal."""
    ready: Sequence[ITerraformDependable] = ()
    """What must be there before its task: the way out."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class Manager(Construct):
    """An ECS service of one task, stopped before its successor starts: two would write one journal.

    Nobody reaches its API but `allowed_cidrs`, and it has no public address; it reaches the nodes' management port, and
    AWS by HTTPS.
    Sources: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/efs-volumes.html,
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html (as of 2026-11).

    Attributes:
        security_group: its group.
        execution: role of the launcher.
        task: its own role: what it may do to the cluster.
        journal: its file system; None where a database holds the journal.
        task_definition: its task.
        service: the service.
        host: its name in the VPC.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self._outward = Construct(self, "egress")
        self.security_group = self._security_group()
        self.journal = self._journal() if props.on_volume else None
        self._rules()
        self.execution = self._role("manager-execution", "Starts the runtime manager")
        self.task = self._role("manager", "Identity of the runtime manager")
        self._grants = self._grant()
        self.host = f"{manager.NAME}.{props.domain}"
        self._address = self._name()
        self.task_definition = self._task_definition()
        self.service = self._service()

    def _security_group(self) -> SecurityGroup:
        name = physical_name(self._props.name, manager.NAME)
        return SecurityGroup(
            self,
            "security-group",
            name=name,
            description="Aether's runtime manager",
            vpc_id=self._props.vpc_id,
            tags=self._tags | {"Name": name},
        )

    def _journal(self) -> DataVolumes:
        props = self._props
        return DataVolumes(
            self,
            JOURNAL,
            DataVolumesProps(
                name=props.name,
                concern=JOURNAL,
                client=manager.NAME,
                vpc_id=props.vpc_id,
                subnets=props.subnets,
                node_ids=[manager.NAME],
                node_security_group_id=self.security_group.id,
                kms_key_arn=props.kms_key_arn,
                protect=props.protect,
                tags=props.tags,
            ),
        )

    def _rules(self) -> None:
        props, own = self._props, self.security_group.id
        scope = Construct(self, "allowed")
        for cidr in props.allowed_cidrs:
            VpcSecurityGroupIngressRule(
                scope,
                cidr.replace("/", "_"),
                security_group_id=own,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=props.port,
                to_port=props.port,
                description="API of the runtime manager",
                tags=self._tags,
            )
        VpcSecurityGroupIngressRule(
            self,
            "nodes-ingress",
            security_group_id=props.node_security_group_id,
            referenced_security_group_id=own,
            ip_protocol="tcp",
            from_port=props.management_port,
            to_port=props.management_port,
            description="management port from the runtime manager",
            tags=self._tags,
        )
        self._egress("nodes", props.management_port, "Nodes", group_id=props.node_security_group_id)
        self._egress("https", HTTPS, "Image registry and AWS", cidr=ANYWHERE)
        if self.journal is not None:
            self._egress(JOURNAL, NFS, "Its journal", group_id=self.journal.security_group.id)
        else:
            # where the database is, and on which port, its address says, which is a secret
            self._egress("database", None, "The journal's database", cidr=props.vpc_cidr)

    def _egress(
        self,
        concern: str,
        port: int | None,
        description: str,
        *,
        group_id: str | None = None,
        cidr: str | None = None,
    ) -> None:
        VpcSecurityGroupEgressRule(
            self._outward,
            concern,
            security_group_id=self.security_group.id,
            referenced_security_group_id=group_id,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=0 if port is None else port,
            to_port=65535 if port is None else port,
            description=description,
            tags=self._tags,
        )

    def _role(self, concern: str, purpose: str) -> ServiceRole:
        props = self._props
        return ServiceRole(
            self,
            concern,
            ServiceRoleProps(
                name=physical_name(props.name, concern, props.region, limit=ROLE_NAME_LIMIT),
                service="ecs-tasks.amazonaws.com",
                description=f"{purpose} of Aether cluster {props.name}",
                source_account=props.account_id,
                permissions_boundary_arn=props.permissions_boundary_arn,
                tags=dict(props.tags),
            ),
        )

    def _grant(self) -> list[ITerraformDependable]:
        """Rights of launcher and task, which must be there before the task starts."""
        props = self._props
        launch = {
            "logs": log_statements(props.log_group_arn),
            "pull": props.pull,
            "secrets": secret_statements(props.secrets.values(), props.kms_key_arn),
        }
        own = {
            "manage": props.rights,
            JOURNAL: self.journal.mount_statements() if self.journal else [],
        }
        return [
            role.grant(id_, list(given))
            for role, rights in ((self.execution, launch), (self.task, own))
            for id_, given in rights.items()
            if given
        ]

    def _name(self) -> ServiceDiscoveryService:
        props = self._props
        return ServiceDiscoveryService(
            self,
            "name",
            name=manager.NAME,
            description=f"Runtime manager of Aether cluster {props.name}",
            dns_config=ServiceDiscoveryServiceDnsConfig(
                namespace_id=props.namespace_id,
                routing_policy="MULTIVALUE",
                dns_records=[ServiceDiscoveryServiceDnsConfigDnsRecords(type="A", ttl=DNS_TTL_SECONDS)],
            ),
            force_destroy=True,
            tags=self._tags,
        )

    def _task_definition(self) -> EcsTaskDefinition:
        props = self._props
        volumes = [EcsTaskDefinitionVolume(name=SCRATCH)]
        if self.journal is not None:
            volumes.append(
                EcsTaskDefinitionVolume(
                    name=JOURNAL,
                    efs_volume_configuration=EcsTaskDefinitionVolumeEfsVolumeConfiguration(
                        file_system_id=self.journal.file_system.id,
                        transit_encryption="ENABLED",
                        authorization_config=EcsTaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfig(
                            access_point_id=self.journal.access_points[manager.NAME].id, iam="ENABLED"
                        ),
                    ),
                )
            )
        return EcsTaskDefinition(
            self,
            "task-definition",
            family=physical_name(props.name, manager.NAME),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(props.cpu_units),
            memory=str(props.memory_mib),
            runtime_platform=EcsTaskDefinitionRuntimePlatform(
                operating_system_family="LINUX", cpu_architecture=ENGINE_ARCHITECTURE[props.architecture]
            ),
            execution_role_arn=self.execution.role.arn,
            task_role_arn=self.task.role.arn,
            container_definitions=json_text([self._container(), self._prepare()]),
            volume=volumes,
            # a deployment that fails rolls back to the revision before, which must still be there then
            skip_destroy=True,
            tags=self._tags,
        )

    def _base(self, name: str, *, essential: bool, user: int) -> dict[str, Any]:
        props = self._props
        return {
            "name": name,
            "image": props.image,
            "essential": essential,
            "user": str(user),
            "readonlyRootFilesystem": True,
            "environment": [],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
            "portMappings": [],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": props.log_group,
                    "awslogs-region": props.region,
                    "awslogs-stream-prefix": manager.NAME,
                    "mode": "non-blocking",
                    "max-buffer-size": "4m",
                },
            },
        }

    def _container(self) -> dict[str, Any]:
        props = self._props
        told = {manager.RUNTIME: local_json(self, "runtime", dict(props.runtime))}
        own = manager.environment(port=props.port, collect=props.collect, on_volume=props.on_volume)
        url = f"http://127.0.0.1:{props.port}{manager.LIVENESS_PATH}"
        mounts = [_mount(SCRATCH, "/tmp")]  # noqa: S108 - the container's own
        if self.journal is not None:
            mounts.append(_mount(JOURNAL, manager.DATA_PATH))
        return self._base(manager.NAME, essential=True, user=USER_ID) | {
            "dependsOn": [{"containerName": "prepare", "condition": "SUCCESS"}],
            "environment": [{"name": name, "value": value} for name, value in sorted((own | told).items())],
            "healthCheck": {
                # the image brings Python, and neither curl nor wget
                "command": [
                    "CMD",
                    "python",
                    "-c",
                    f"import urllib.request as u; u.urlopen('{url}', timeout=4)",
                ],
                "interval": manager.PROBE_SECONDS,
                "timeout": 5,
                "retries": 3,
                "startPeriod": manager.START_SECONDS,
            },
            "linuxParameters": {"initProcessEnabled": True},
            "mountPoints": mounts,
            "portMappings": [
                {"name": "api", "containerPort": props.port, "hostPort": props.port, "protocol": "tcp"}
            ],
            "secrets": [{"name": name, "valueFrom": arn} for name, arn in sorted(props.secrets.items())],
            "stopTimeout": manager.STOP_SECONDS,
        }

    def _prepare(self) -> dict[str, Any]:
        """A moment as root, to make the scratch volume writable for the manager's user."""
        script = f"import os; os.chown('/tmp', {USER_ID}, {USER_ID})"
        return self._base("prepare", essential=False, user=0) | {
            "entryPoint": ["python", "-c"],
            "command": [script],
            "linuxParameters": {"initProcessEnabled": True},
            "mountPoints": [_mount(SCRATCH, "/tmp")],  # noqa: S108 - the container's own
        }

    def _service(self) -> EcsService:
        props = self._props
        mounts = self.journal.mount_targets.values() if self.journal else ()
        return EcsService(
            self,
            "Resource",
            name=physical_name(props.name, manager.NAME),
            cluster=props.ecs_cluster_id,
            task_definition=self.task_definition.arn,
            desired_count=1,
            deployment_minimum_healthy_percent=0,
            deployment_maximum_percent=100,
            availability_zone_rebalancing="DISABLED",
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            capacity_provider_strategy=[
                EcsServiceCapacityProviderStrategy(capacity_provider="FARGATE", weight=1)
            ],
            platform_version=PLATFORM_VERSION,
            network_configuration=EcsServiceNetworkConfiguration(
                subnets=list(props.subnets.values()),
                security_groups=[self.security_group.id],
                assign_public_ip=False,
            ),
            service_registries=EcsServiceServiceRegistries(registry_arn=self._address.arn),
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=False,
            depends_on=[*self._grants, *mounts, *props.ready],
            tags=self._tags,
        )


def _mount(volume: str, path: str) -> dict[str, Any]:
    return {"sourceVolume": volume, "containerPath": path, "readOnly": False}
