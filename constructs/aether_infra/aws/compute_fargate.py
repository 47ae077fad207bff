"""From the configuration to a cluster on ECS Fargate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import asdict

from aether_infra.aws import compute
from aether_infra.aws.fargate import (
    FargateCluster,
    FargateClusterProps,
    core_service_name,
    ecs_cluster_name,
)
from aether_infra.aws.identity import TaskIdentity
from aether_infra.aws.rollout import RolloutGate, RolloutGateProps
from aether_infra.aws.scaling import Scaling
from aether_infra.aws.storage import DataVolumes, DataVolumesProps
from aether_infra.config import Provider, fargate_size, heap_mib
from aether_infra.core.node import core_ids

if TYPE_CHECKING:
    from aether_infra.aws.stack import AwsStack


def declare(stack: AwsStack) -> FargateCluster:
    """Declare the cluster, its roles, names, gate and volumes, below a stack."""
    config, aws = stack.config, stack.aws
    size = fargate_size(config)
    balancer = stack.load_balancer.outputs if stack.load_balancer else None
    volumes = _volumes(stack)
    storage = volumes.mount_statements() if volumes else ()
    return FargateCluster(
        stack,
        "compute",
        FargateClusterProps(
            name=stack.name,
            region=aws.region,
            core_nodes=stack.counts.core,
            elastic_minimum=stack.counts.elastic_minimum,
            elastic_maximum=stack.counts.elastic_maximum,
            subnet_ids=stack.network.outputs.private_subnet_ids,
            security_group_id=stack.security.outputs.node_security_group_id,
            image=stack.image,
            cpu_units=size.cpu_units,
            memory_mib=size.memory_mib,
            architecture=aws.architecture or "x86_64",
            java_opts=compute.java_opts(stack, heap_mib(config, size.memory_mib)),
            ports=stack.ports,
            health=stack.health,
            stop_timeout_seconds=config.cloud.shutdown.stop_timeout_seconds,
            secrets=config.stored_secrets(Provider.AWS),
            log_group=stack.logs.name,
            application_target_group_arn=balancer.application_target_group_arn if balancer else None,
            management_target_group_arn=balancer.management_target_group_arn if balancer else None,
            load_balancer_ready=list(stack.load_balancer.listeners.values()) if stack.load_balancer else (),
            managed=stack.managed,
            spot=aws.spot,
            scaling=Scaling(**asdict(config.cloud.scaling)),
            container_insights=aws.container_insights,
            execute_command=aws.execute_command,
            kms_key_arn=aws.kms_key_arn,
            tags=stack.tags,
        ),
        identity=TaskIdentity(stack, "identity", compute.identity_props(stack, storage)),
        discovery=compute.discovery(stack),
        gate=_gate(stack),
        volumes=volumes,
    )


def _volumes(stack: AwsStack) -> DataVolumes | None:
    if stack.aws.data != "efs":
        return None
    return DataVolumes(
        stack,
        "data",
        DataVolumesProps(
            name=stack.name,
            vpc_id=stack.network.outputs.vpc_id,
            subnets=compute.private_subnets(stack),
            node_ids=core_ids(stack.counts.core),
            node_security_group_id=stack.security.outputs.node_security_group_id,
            kms_key_arn=stack.aws.kms_key_arn,
            protect=stack.config.cloud.protect,
            tags=stack.tags,
        ),
    )


def _gate(stack: AwsStack) -> RolloutGate:
    return RolloutGate(
        stack,
        "rollout",
        RolloutGateProps(
            name=stack.name,
            region=stack.aws.region,
            account_id=stack.account_id,
            partition=stack.partition,
            ecs_cluster_name=ecs_cluster_name(stack.name),
            core_services=[core_service_name(stack.name, node_id) for node_id in core_ids(stack.counts.core)],
            target_group_arns=stack.load_balancer.outputs.target_group_arns if stack.load_balancer else (),
            log_retention_days=stack.config.cloud.log_retention_days,
            kms_key_arn=stack.aws.kms_key_arn,
            permissions_boundary_arn=stack.aws.permissions_boundary_arn,
            tags=stack.tags,
        ),
    )
