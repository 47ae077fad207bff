"""The serial rollout: what stands between the replacement of one voter and that of the next."""

from __future__ import annotations

import atexit
import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from attrs import field, frozen
from cdktf import AssetType, TerraformAsset
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.ecs_service import EcsService
from cdktf_cdktf_provider_aws.lambda_function import LambdaFunction, LambdaFunctionLoggingConfig
from cdktf_cdktf_provider_aws.lambda_invocation import LambdaInvocation
from constructs import Construct

from aether_infra.aws.identity import ROLE_NAME_LIMIT, log_statements
from aether_infra.aws.policy import Condition, ServiceRole, ServiceRoleProps, Statement
from aether_infra.cdk.text import json_text
from aether_infra.core.names import physical_name

RUNTIME = "python3.13"
LAMBDA_TIMEOUT_SECONDS = 900
"""The longest that a function may run.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_DEPLOYED = (
    "{service}.task_definition",
    "{service}.platform_version",
    "{service}.enable_execute_command",
    "[for network in {service}.network_configuration : [network.subnets, network.security_groups]]",
    "[for target in {service}.load_balancer : target.target_group_arn]",
    "[for provider in {service}.capacity_provider_strategy : provider.capacity_provider]",
)
"""Arguments of a service whose change starts a deployment. Single ones out of blocks, since a provider fills in others
when it reads a service again, which is no change.
Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html (as of 2026-11)."""
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_ZIP_MODE = 0o644 << 16


@cache
def gate_archive() -> bytes:
    """The gate's code as Lambda takes it: the same bytes on every machine."""
    source = files("aether_infra.aws.rollout_gate").joinpath("handler.py").read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("handler.py", date_time=_ZIP_EPOCH)
        entry.create_system = 3  # Unix, whatever wrote it
        entry.external_attr = _ZIP_MODE
        archive.writestr(entry, source)
    return buffer.getvalue()


@cache
def _archive_file() -> Path:
    """The archive as a file that lasts as long as the process: cdktf copies it when it synthesizes."""
    folder = Path(mkdtemp(prefix="aether-infra-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    path = folder / "rollout-gate.zip"
    path.write_bytes(gate_archive())
    return path


@frozen(kw_only=True)
class RolloutGateProps:
    """Props of `RolloutGate`."""

    name: str
    """Cluster's name, head of every name."""
    region: str
    """Region, tail of the role's name."""
    account_id: str
    """This account, part of the ARNs that the gate may read."""
    partition: str
    """AWS partition, such as `aws`."""
    ecs_cluster_name: str
    """ECS cluster of the services."""
    core_services: Sequence[str]
    """Names of the services of all core nodes: their number is the number of voters."""
    target_group_arns: Sequence[str] = ()
    """Target groups that tell readiness; none where nothing is published."""
    timeout_seconds: int = 840
    """How long one node may take; at most 840, so that the gate itself reports a timeout."""
    log_retention_days: int = 30
    """How long the gate's log is kept."""
    kms_key_arn: str | None = None
    """KMS key of the log."""
    permissions_boundary_arn: str | None = None
    """Boundary of the gate's role."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class RolloutGate(Construct):
    """A small function that Terraform invokes after it has touched one core node, and waits for.

    ECS' own notion of a finished deployment includes the load balancer's health check, which asks for
    readiness. Were Terraform to wait for that, the first formation would never end: node 1 is not ready before
    nodes 2 and 3 exist. Were it not to wait at all, an update would restart all voters at once. The gate waits
    for liveness and, as soon as enough nodes live for a quorum, for readiness. It reads, and changes nothing.

    Attributes:
        function: the Lambda function.
    """

    def __init__(self, scope: Construct, id_: str, props: RolloutGateProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        name = physical_name(props.name, "rollout-gate", limit=ROLE_NAME_LIMIT)
        log_group = CloudwatchLogGroup(
            self,
            "log-group",
            name=f"/aether/{props.name}/rollout-gate",
            retention_in_days=props.log_retention_days,
            kms_key_id=props.kms_key_arn,
            tags=dict(props.tags),
        )
        self._role = self._reader(log_group.arn)
        archive = gate_archive()
        self.function = LambdaFunction(
            self,
            "Resource",
            function_name=name,
            description=f"Waits until a replaced core node of Aether cluster {props.name} is back",
            role=self._role.role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler="handler.handler",
            filename=TerraformAsset(
                self,
                "code",
                path=str(_archive_file()),
                type=AssetType.FILE,
                asset_hash=hashlib.sha256(archive).hexdigest()[:32],
            ).path,
            source_code_hash=base64.b64encode(hashlib.sha256(archive).digest()).decode(),
            timeout=LAMBDA_TIMEOUT_SECONDS,
            memory_size=128,
            logging_config=LambdaFunctionLoggingConfig(log_format="JSON", log_group=log_group.name),
            tags=dict(props.tags),
        )

    def after(self, node_id: str, *, service: EcsService, service_name: str) -> LambdaInvocation:
        """Hold the rollout until a core node is back.

        Whatever makes ECS deploy the service again also asks again: a new task definition, but also a new target
        group or subnet, which restarts the node just the same.

        Args:
            node_id: the node.
            service: its ECS service.
            service_name: its name, one of `core_services`.

        Returns:
            The invocation, for the next node to depend on.
        """
        event = {
            "cluster": self._props.ecs_cluster_name,
            "service": service_name,
            "task_definition": service.task_definition,
            "core_services": list(self._props.core_services),
            "target_group_arns": list(self._props.target_group_arns),
            "timeout_seconds": self._props.timeout_seconds,
        }
        return LambdaInvocation(
            self,
            node_id,
            function_name=self.function.function_name,
            input=json_text(event),
            triggers={"deployment": _deployment(service)},
            depends_on=[service, *self._grants],
        )

    def _reader(self, log_group_arn: str) -> ServiceRole:
        props = self._props
        role = ServiceRole(
            self,
            "role",
            ServiceRoleProps(
                name=physical_name(props.name, "rollout-gate", props.region, limit=ROLE_NAME_LIMIT),
                service="lambda.amazonaws.com",
                description=f"Reads the state of the core nodes of Aether cluster {props.name}",
                source_account=props.account_id,
                permissions_boundary_arn=props.permissions_boundary_arn,
                tags=dict(props.tags),
            ),
        )
        ecs = f"arn:{props.partition}:ecs:{props.region}:{props.account_id}"
        cluster_arn = f"{ecs}:cluster/{props.ecs_cluster_name}"
        self._grants = [
            role.grant("logs", log_statements(log_group_arn)),
            role.grant("read", _read_statements(ecs, props.ecs_cluster_name, cluster_arn)),
        ]
        return role


def _deployment(service: EcsService) -> str:
    """A digest of all that makes ECS deploy a service again, overrides included.

    Not `replace_triggered_by`: cdktf writes it in a form that Terraform takes in JSON or in HCL, never in both.
    """
    address = f"{service.terraform_resource_type}.{service.friendly_unique_id}"
    attributes = ", ".join(attribute.format(service=address) for attribute in _DEPLOYED)
    return f"${{sha256(jsonencode([{attributes}]))}}"


def _read_statements(ecs: str, cluster: str, cluster_arn: str) -> list[Statement]:
    """What the gate reads: the calls that `rollout_gate.handler.API_CALLS` lists."""
    within = [Condition(test="ArnEquals", variable="ecs:cluster", values=[cluster_arn])]
    return [
        Statement(
            sid="ReadServices",
            actions=["ecs:DescribeServices"],
            resources=[f"{ecs}:service/{cluster}/*"],
        ),
        Statement(sid="ReadTasks", actions=["ecs:DescribeTasks"], resources=[f"{ecs}:task/{cluster}/*"]),
        # takes a container instance as its resource, which Fargate has none of: the cluster is a condition
        Statement(sid="ListTasks", actions=["ecs:ListTasks"], resources=["*"], conditions=within),
        # no resource can be named for this one
        Statement(
            sid="ReadTargets",
            actions=["elasticloadbalancing:DescribeTargetHealth"],
            resources=["*"],
        ),
    ]
