"""From the configuration to the runtime manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cdktf_cdktf_provider_aws.ecs_cluster import EcsCluster, EcsClusterSetting
from cdktf_cdktf_provider_aws.ecs_cluster_capacity_providers import EcsClusterCapacityProviders

from aether_infra.aws import compute
from aether_infra.aws.ec2 import Ec2Cluster
from aether_infra.aws.fargate import FargateCluster
from aether_infra.aws.manager import Manager, ManagerProps
from aether_infra.aws.manager_policy import ClusterScope, statements
from aether_infra.aws.network import Network
from aether_infra.aws.registry import image_repository_arn, pull_statements
from aether_infra.catalog import aws as catalog
from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.config import architecture
from aether_infra.core.names import physical_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import ITerraformDependable

    from aether_infra.aws.policy import Statement
    from aether_infra.aws.stack import AwsStack


def declare(stack: AwsStack, cluster: FargateCluster | Ec2Cluster, runtime: Mapping[str, Any]) -> Manager:
    """Declare the manager, below a stack.

    Args:
        stack: the stack.
        cluster: the nodes.
        runtime: what it is told of them.
    """
    aws, own = stack.aws, stack.config.cloud.manager
    ecs_cluster, ready = _ecs_cluster(stack, cluster)
    units, memory = catalog.fargate_pair(own.millicores, own.memory_mib) or (
        0,
        0,
    )  # the rules have checked it
    repository_arn = image_repository_arn(own.image or "", stack.partition)
    made = Manager(
        stack,
        "manager",
        ManagerProps(
            name=stack.name,
            region=aws.region,
            account_id=stack.account_id,
            vpc_id=stack.network.outputs.vpc_id,
            vpc_cidr=stack.network.outputs.vpc_cidr,
            subnets=compute.private_subnets(stack),
            node_security_group_id=stack.security.outputs.node_security_group_id,
            management_port=stack.ports.management,
            ecs_cluster_id=ecs_cluster.id,
            namespace_id=cluster.discovery.namespace.id,
            domain=cluster.discovery.domain,
            image=own.image or "",
            port=own.port,
            allowed_cidrs=own.allowed_cidrs,
            runtime=runtime,
            rights=_rights(stack, cluster),
            pull=pull_statements(repository_arn) if repository_arn else (),
            secrets=own.secrets(),
            on_volume=own.on_volume,
            collect=own.collect,
            cpu_units=units,
            memory_mib=memory,
            architecture=architecture(aws),
            log_group=stack.logs.name,
            log_group_arn=stack.logs.log_group.arn,
            kms_key_arn=aws.kms_key_arn,
            permissions_boundary_arn=aws.permissions_boundary_arn,
            protect=stack.config.cloud.protect,
            ready=ready,
            tags=stack.tags,
        ),
    )
    if isinstance(stack.network, Network):
        stack.network.allow_endpoints_from("manager", made.security_group.id)
    return made


def _ecs_cluster(
    stack: AwsStack, cluster: FargateCluster | Ec2Cluster
) -> tuple[EcsCluster, list[ITerraformDependable]]:
    """The cluster that it runs in, and what must be there before: that of the nodes, or one of its own."""
    if isinstance(cluster, FargateCluster):
        return cluster.cluster, [cluster.providers]
    ecs_cluster = EcsCluster(
        stack,
        "manager-cluster",
        name=physical_name(stack.name, "manager"),
        setting=[EcsClusterSetting(name="containerInsights", value=stack.aws.container_insights)],
        tags=stack.tags,
    )
    providers = EcsClusterCapacityProviders(
        stack, "manager-capacity", cluster_name=ecs_cluster.name, capacity_providers=["FARGATE"]
    )
    return ecs_cluster, [providers]


def _rights(stack: AwsStack, cluster: FargateCluster | Ec2Cluster) -> list[Statement]:
    balancer = stack.load_balancer.outputs if stack.load_balancer else None
    scope = ClusterScope(
        name=stack.name,
        partition=stack.partition,
        region=stack.aws.region,
        account_id=stack.account_id,
        target_group_arns=balancer.target_group_arns if balancer else (),
        zone_id=stack.zone.zone_id if stack.zone else None,
        domain=stack.config.cloud.domain,
        ecs_cluster_arn=cluster.outputs.ecs_cluster_arn if isinstance(cluster, FargateCluster) else None,
        ecs_cluster_name=cluster.outputs.ecs_cluster_name if isinstance(cluster, FargateCluster) else None,
        elastic_service=cluster.outputs.elastic_service if isinstance(cluster, FargateCluster) else None,
        launch_template_id=cluster.launch_template.id if isinstance(cluster, Ec2Cluster) else None,
        node_role_arn=cluster.identity.instance.role.arn if isinstance(cluster, Ec2Cluster) else None,
        subnet_ids=stack.network.outputs.private_subnet_ids,
        security_group_ids=[stack.security.outputs.node_security_group_id],
        kms_key_arn=stack.aws.kms_key_arn,
        spot=stack.aws.spot,
    )
    return statements(RIGHTS["aws", stack.aws.compute], scope)
