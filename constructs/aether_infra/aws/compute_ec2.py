"""From the configuration to a cluster on EC2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import asdict

from aether_infra.aws import compute
from aether_infra.aws.ec2 import (
    HEAP_PLACEHOLDER,
    Ec2Cluster,
    Ec2ClusterProps,
    NodeSettings,
    NodeSettingsProps,
)
from aether_infra.aws.identity import InstanceIdentity
from aether_infra.aws.scaling import Scaling
from aether_infra.catalog.aws import architecture
from aether_infra.config import Provider

if TYPE_CHECKING:
    from aether_infra.aws.stack import AwsStack


def declare(stack: AwsStack) -> Ec2Cluster:
    """Declare the cluster, its role, names and settings, below a stack."""
    config, aws = stack.config, stack.aws
    discovery = compute.discovery(stack)
    settings = NodeSettings(
        stack,
        "node",
        NodeSettingsProps(
            name=stack.name,
            region=aws.region,
            core_nodes=stack.counts.core,
            peers=discovery.peers(stack.ports.cluster),
            image=stack.image,
            java_opts=compute.java_opts(stack, config.node.heap_mib or HEAP_PLACEHOLDER),
            ports=stack.ports,
            health=stack.health,
            stop_timeout_seconds=config.cloud.shutdown.stop_timeout_seconds,
            secrets=config.stored_secrets(Provider.AWS),
            log_group=stack.logs.name,
            tags=stack.tags,
        ),
    )
    groups = stack.load_balancer.target_groups if stack.load_balancer else {}
    return Ec2Cluster(
        stack,
        "compute",
        Ec2ClusterProps(
            name=stack.name,
            core_nodes=stack.counts.core,
            elastic_minimum=stack.counts.elastic_minimum,
            elastic_maximum=stack.counts.elastic_maximum,
            subnet_ids=stack.network.outputs.private_subnet_ids,
            security_group_id=stack.security.outputs.node_security_group_id,
            instance_type=aws.instance_type,
            architecture="arm64" if architecture(aws.instance_type) == "arm64" else "x86_64",
            ami_id=aws.ami_id,
            data_volume_gib=aws.data_volume_gib,
            cluster_port=stack.ports.cluster,
            target_group_arns={concern: group.arn for concern, group in groups.items()},
            managed=stack.managed,
            spot=aws.spot,
            scaling=Scaling(**asdict(config.cloud.scaling)),
            kms_key_arn=aws.kms_key_arn,
            protect=config.cloud.protect,
            tags=stack.tags,
        ),
        identity=InstanceIdentity(
            stack, "identity", compute.identity_props(stack), settings.read_statements()
        ),
        discovery=discovery,
        settings=settings,
    )
