"""A stack of your own that uses our constructs: an internal Aether cluster beside a database.

    cdktf synth --app "python apps/team_stack.py"

Any construct of `aether_infra.aws` works alone: it takes props, and gives its underlying resources as attributes.
"""

import os

from aether_infra.aws.discovery import (
    Discovery,
    DiscoveryProps,
)  # first: it makes cdktf's bindings load lazily
from aether_infra.aws.fargate import FargateCluster, FargateClusterProps, core_service_name, ecs_cluster_name
from aether_infra.aws.identity import IdentityProps, TaskIdentity
from aether_infra.aws.monitoring import NodeLogs, NodeLogsProps
from aether_infra.aws.network import Network, NetworkProps, NetworkZone
from aether_infra.aws.registry import Registry, RegistryProps
from aether_infra.aws.rollout import RolloutGate, RolloutGateProps
from aether_infra.aws.security import Security, SecurityProps
from aether_infra.core.node import NodePorts, core_ids, java_options
from aether_infra.core.tags import standard_tags

# isort: split
from cdktf import App, LocalBackend, TerraformStack, TerraformVariable
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.db_subnet_group import DbSubnetGroup
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

NAME = "orders"
REGION = "eu-west-1"


class OrdersStack(TerraformStack):
    """The team's stack: its own subnet group for a database, and a cluster of three nodes in the same network."""

    def __init__(self, scope: Construct, id_: str) -> None:
        """Declare the stack."""
        super().__init__(scope, id_)
        AwsProvider(self, "aws", region=REGION)
        # relative, so that the output is the same on every machine
        LocalBackend(self, path="../../../terraform.orders.tfstate")
        account = DataAwsCallerIdentity(self, "account").account_id
        tags = standard_tags(NAME, {"team": "orders"})
        # a literal may always be a token instead: here the image is asked for at plan time
        image = TerraformVariable(self, "image", type="string", description="Image of the nodes")

        zones = [NetworkZone(key=f"az{n}", slot=n - 1, zone_id=f"euw1-az{n}") for n in (1, 2, 3)]
        network = Network(
            self, "network", NetworkProps(name=NAME, region=REGION, zones=zones, nat="single", tags=tags)
        )
        # the underlying resource of anything is an attribute: the last word is yours
        network.vpc.add_override("enable_network_address_usage_metrics", True)  # noqa: FBT003
        DbSubnetGroup(
            self,
            "database",
            name=f"{NAME}-database",
            subnet_ids=list(network.outputs.private_subnet_ids),
            tags=tags,
        )

        ports = NodePorts(application=None)  # nothing is published: other services call it inside the VPC
        security = Security(
            self,
            "security",
            SecurityProps(
                name=NAME,
                vpc_id=network.outputs.vpc_id,
                vpc_cidr=network.outputs.vpc_cidr,
                ports=ports,
                tags=tags,
            ),
        )
        registry = Registry(self, "registry", RegistryProps(repository=f"{NAME}-node", tags=tags))
        logs = NodeLogs(self, "logs", NodeLogsProps(name=NAME, retention_days=14, tags=tags))
        identity = TaskIdentity(
            self,
            "identity",
            IdentityProps(
                name=NAME,
                region=REGION,
                account_id=account,
                log_group_arn=logs.log_group.arn,
                pull=registry.pull_statements(),
                tags=tags,
            ),
        )
        discovery = Discovery(
            self,
            "discovery",
            DiscoveryProps(name=NAME, vpc_id=network.outputs.vpc_id, node_ids=core_ids(3), tags=tags),
        )
        gate = RolloutGate(
            self,
            "rollout",
            RolloutGateProps(
                name=NAME,
                region=REGION,
                account_id=account,
                partition="aws",
                ecs_cluster_name=ecs_cluster_name(NAME),
                core_services=[core_service_name(NAME, node_id) for node_id in core_ids(3)],
                tags=tags,
            ),
        )
        cluster = FargateCluster(
            self,
            "cluster",
            FargateClusterProps(
                name=NAME,
                region=REGION,
                subnet_ids=network.outputs.private_subnet_ids,
                security_group_id=security.outputs.node_security_group_id,
                image=image.string_value,
                java_opts=java_options(heap_mib=3072),
                ports=ports,
                log_group=logs.name,
                tags=tags,
            ),
            identity=identity,
            discovery=discovery,
            gate=gate,
        )
        for service in cluster.core_services.values():
            service.add_override("timeouts.delete", "30m")


def main() -> None:
    """Write the stack's Terraform JSON."""
    app = App(outdir=os.environ.get("CDKTF_OUTDIR", "cdktf.out"))
    OrdersStack(app, "orders")
    app.synth()


if __name__ == "__main__":
    main()
