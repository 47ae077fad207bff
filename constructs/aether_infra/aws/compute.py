"""What every kind of compute on AWS takes from the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aether_infra.aws.discovery import Discovery, DiscoveryProps
from aether_infra.aws.identity import IdentityProps
from aether_infra.aws.network import Network
from aether_infra.aws.policy import Statement
from aether_infra.aws.registry import image_repository_arn, pull_statements
from aether_infra.cdk.text import literal
from aether_infra.config import Provider
from aether_infra.core.node import core_ids, java_options

if TYPE_CHECKING:
    from aether_infra.aws.stack import AwsStack


def identity_props(stack: AwsStack, storage: Sequence[Statement] = ()) -> IdentityProps:
    """Props of the nodes' roles."""
    return IdentityProps(
        name=stack.name,
        region=stack.aws.region,
        account_id=stack.account_id,
        log_group_arn=stack.logs.log_group.arn,
        pull=image_pull_statements(stack),
        secrets=stack.config.stored_secrets(Provider.AWS),
        kms_key_arn=stack.aws.kms_key_arn,
        storage=storage,
        execute_command=stack.aws.execute_command,
        permissions_boundary_arn=stack.aws.permissions_boundary_arn,
        tags=stack.tags,
    )


def image_pull_statements(stack: AwsStack) -> list[Statement]:
    """Rights to pull the image: none where it is not in ECR."""
    if stack.config.cloud.image is None:
        return stack.registry.pull_statements()
    repository_arn = image_repository_arn(stack.config.cloud.image, stack.partition)
    return pull_statements(repository_arn) if repository_arn else []


def discovery(stack: AwsStack) -> Discovery:
    """Declare the names of the core nodes."""
    return Discovery(
        stack,
        "discovery",
        DiscoveryProps(
            name=stack.name,
            vpc_id=stack.network.outputs.vpc_id,
            node_ids=core_ids(stack.counts.core),
            dns_ttl_seconds=stack.config.cloud.shutdown.dns_ttl_seconds,
            tags=stack.tags,
        ),
    )


def java_opts(stack: AwsStack, heap: int | str) -> str:
    """Options of the JVM for a heap in MiB, or a placeholder for one."""
    return java_options(
        heap_mib=heap,
        gc=stack.config.node.gc,
        dns_ttl_seconds=stack.config.cloud.shutdown.jvm_dns_ttl_seconds,
        extra=literal(stack.config.cloud.java_opts),
    )


def private_subnets(stack: AwsStack) -> dict[str, str]:
    """The private subnets by a key that stays."""
    subnet_ids = stack.network.outputs.private_subnet_ids
    keys = (
        list(stack.network.private_subnets)
        if isinstance(stack.network, Network)
        else list(stack.aws.private_subnet_ids)
    )
    return dict(zip(keys, subnet_ids, strict=True))
