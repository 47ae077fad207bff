"""From the configuration to a cluster on EKS: everything but what runs in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from cdktf_cdktf_provider_aws.eks_pod_identity_association import EksPodIdentityAssociation
from constructs import Construct

from aether_infra.aws.eks import EksControlPlane, EksControlPlaneProps, eks_cluster_name
from aether_infra.aws.eks_addons import (
    Addons,
    AddonsProps,
    InsightsLogs,
    InsightsLogsProps,
    cluster_addons,
    network_addons,
    observability_addon,
)
from aether_infra.aws.eks_identity import (
    POD_IDENTITY_SERVICE,
    EksRole,
    EksRoleProps,
    autoscaler_statements,
    disk_key_statements,
)
from aether_infra.aws.eks_machines import MachineGroup, MachineGroupProps
from aether_infra.aws.eks_names import AUTOSCALER, SYSTEM_NAMESPACE
from aether_infra.aws.identity import secret_statements
from aether_infra.aws.monitoring import VoterMetric
from aether_infra.aws.network import Network
from aether_infra.aws.policy import Statement
from aether_infra.catalog import aws as catalog
from aether_infra.config import Provider
from aether_infra.config.networks import is_private
from aether_infra.core.kubernetes import (
    APPLICATION_NODE_PORT,
    JVM_POOL,
    MANAGEMENT_NODE_PORT,
    SERVICE_ACCOUNT,
    SPOT_POOL,
    STATEFUL_SET,
    SYSTEM_POOL,
)

if TYPE_CHECKING:
    from aether_infra.aws.stack import AwsStack

SYSTEM_MACHINES = 2
"""Machines for the cluster's own pods: the second carries on while the first is replaced."""


@frozen(kw_only=True)
class EksCompute:
    """What the stack and its tests need of a cluster on EKS.

    The parts are constructs of the stack itself, so that each may be taken alone.
    """

    control_plane: EksControlPlane
    """The EKS cluster."""
    machines: Mapping[str, MachineGroup]
    """Machines by pool: `system`, `jvm` and, on spot capacity, `spot`."""
    addons: Addons
    """Add-ons that run on machines."""
    node_identity: EksRole
    """Role of Aether's nodes: the service account's, not the machines'."""
    core_nodes: int
    """Voters."""
    namespace: str
    """Namespace of Aether's nodes."""
    autoscaled: bool
    """Whether the number of machines may change."""
    insights: bool
    """Whether pods are measured."""
    load_balancer_ranges: Sequence[str]
    """Ranges of the load balancer's subnets."""
    kms_key_arn: str | None
    """KMS key of volumes."""

    def voter_metrics(self) -> list[VoterMetric]:
        """What tells whether a core node's pod runs; nothing where pods are not measured.

        Source of name and dimensions:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-enhanced-EKS.html
        and the agent's own declarations. A pod of a stateful set is its own `PodName` there.
        """
        pods = [f"{STATEFUL_SET}-{ordinal}" for ordinal in range(self.core_nodes)] if self.insights else []
        return [
            VoterMetric(
                voter=pod,
                namespace="ContainerInsights",
                metric="pod_status_running",
                stat="Maximum",
                dimensions={
                    "ClusterName": self.control_plane.outputs.name,
                    "FullPodName": pod,
                    "Namespace": self.namespace,
                    "PodName": pod,
                },
                when_missing=0,
            )
            for pod in pods
        ]

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 and the workload need to know of this kind of compute."""
        cluster = self.control_plane.outputs
        return {
            "kubernetes": {
                "cluster_name": cluster.name,
                "cluster_id": cluster.arn,
                "endpoint": cluster.endpoint,
                "ca_certificate": cluster.ca_certificate,
                # EKS Pod Identity knows service accounts by name: nothing to annotate
                "identity": "",
                "load_balancer": {
                    "application_node_port": APPLICATION_NODE_PORT,
                    "management_node_port": MANAGEMENT_NODE_PORT,
                    "source_ranges": list(self.load_balancer_ranges),
                },
                "autoscaler": {"namespace": SYSTEM_NAMESPACE, "service_account": AUTOSCALER}
                if self.autoscaled
                else None,
                "kms_key_arn": self.kms_key_arn,
                "node_groups": {
                    pool: {
                        "name": machines.node_group.node_group_name,
                        "autoscaling_group": machines.autoscaling_group,
                        "launch_template_id": machines.launch_template.id,
                    }
                    for pool, machines in self.machines.items()
                },
            }
        }


def declare(stack: AwsStack) -> EksCompute:
    """Declare control plane, identities, machines and add-ons below a stack."""
    roles = _Roles(stack)
    control_plane = _control_plane(stack)
    network = _network_addons(stack, roles, control_plane)
    machines = _machines(stack, roles, control_plane, network)
    node_identity = _node_identity(stack, roles, control_plane)
    autoscaled = stack.counts.minimum < stack.counts.maximum
    if autoscaled:
        _autoscaler(stack, roles, control_plane)
    return EksCompute(
        control_plane=control_plane,
        machines=machines,
        addons=_addons(stack, roles, control_plane, machines),
        node_identity=node_identity,
        core_nodes=stack.counts.core,
        namespace=stack.config.kubernetes.namespace,
        autoscaled=autoscaled,
        insights=_measured(stack),
        load_balancer_ranges=_load_balancer_ranges(stack),
        kms_key_arn=stack.aws.kms_key_arn,
    )


class _Roles:
    """Makes roles with what all of this stack's have in common."""

    def __init__(self, stack: AwsStack) -> None:
        self._stack = stack
        self._scope = Construct(stack, "identity")
        name = eks_cluster_name(stack.name)
        self.cluster_arn = f"arn:{stack.partition}:eks:{stack.aws.region}:{stack.account_id}:cluster/{name}"

    def machines(self) -> EksRole:
        """Role of every machine: to join, and to pull images. What pods may do is their own affair."""
        policies = ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
        return self._role("machines", "Machines", "ec2.amazonaws.com", policies, {}, pod=False)

    def addon(
        self, concern: str, purpose: str, policy: str, rights: Mapping[str, Sequence[Statement]] | None = None
    ) -> EksRole:
        """Role of an add-on, with the policy that AWS keeps for it."""
        return self._role(concern, purpose, POD_IDENTITY_SERVICE, [policy], rights or {})

    def pod(self, concern: str, purpose: str, rights: Mapping[str, Sequence[Statement]]) -> EksRole:
        """Role of pods that are not an add-on's."""
        return self._role(concern, purpose, POD_IDENTITY_SERVICE, [], rights)

    def _role(
        self,
        concern: str,
        purpose: str,
        service: str,
        policies: Sequence[str],
        rights: Mapping[str, Sequence[Statement]],
        *,
        pod: bool = True,
    ) -> EksRole:
        stack = self._stack
        return EksRole(
            self._scope,
            concern,
            EksRoleProps(
                name=stack.name,
                region=stack.aws.region,
                partition=stack.partition,
                concern=concern,
                purpose=purpose,
                service=service,
                account_id=stack.account_id if pod else None,
                cluster_arn=self.cluster_arn if pod else None,
                managed_policies=policies,
                rights=rights,
                permissions_boundary_arn=stack.aws.permissions_boundary_arn,
                tags=stack.tags,
            ),
        )


def _control_plane(stack: AwsStack) -> EksControlPlane:
    config, aws = stack.config, stack.aws
    return EksControlPlane(
        stack,
        "compute",
        EksControlPlaneProps(
            name=stack.name,
            region=aws.region,
            partition=stack.partition,
            subnet_ids=stack.network.outputs.private_subnet_ids,
            node_security_group_id=stack.security.outputs.node_security_group_id,
            kubernetes_version=aws.kubernetes_version,
            extended_support=aws.extended_support,
            service_cidr=aws.service_cidr,
            public_cidrs=[cidr for cidr in aws.authorized_cidrs if not is_private(cidr)],
            private_cidrs=[cidr for cidr in aws.authorized_cidrs if is_private(cidr)],
            admin_principals=aws.admin_principals,
            zonal_shift=catalog.partition(aws.region) == "aws",
            log_retention_days=config.cloud.log_retention_days,
            kms_key_arn=aws.kms_key_arn,
            protect=config.cloud.protect,
            permissions_boundary_arn=aws.permissions_boundary_arn,
            tags=stack.tags,
        ),
    )


def _network_addons(stack: AwsStack, roles: _Roles, control_plane: EksControlPlane) -> Addons:
    cni = roles.addon("cni", "Addresses of pods", "AmazonEKS_CNI_Policy")
    return Addons(
        stack,
        "network-add-ons",
        AddonsProps(
            cluster_name=control_plane.outputs.name,
            kubernetes_version=control_plane.outputs.version,
            addons=network_addons(cni.role.arn),
            tags=stack.tags,
        ),
        after=cni.grants,
    )


def _machines(
    stack: AwsStack, roles: _Roles, control_plane: EksControlPlane, network: Addons
) -> dict[str, MachineGroup]:
    aws, counts, scope = stack.aws, stack.counts, Construct(stack, "machines")
    role = roles.machines()
    after = [*role.grants, *control_plane.rules, *network.addons.values()]
    groups = stack.load_balancer.target_groups if stack.load_balancer else {}
    targets = {concern: group.arn for concern, group in groups.items()}

    def group(pool: str, least: int, most: int, **special: Any) -> MachineGroup:
        instance_type = special.pop("instance_type", aws.instance_type)
        return MachineGroup(
            scope,
            pool,
            MachineGroupProps(
                name=stack.name,
                pool=pool,
                cluster_name=control_plane.outputs.name,
                kubernetes_version=control_plane.outputs.version,
                role_arn=role.role.arn,
                subnet_ids=stack.network.outputs.private_subnet_ids,
                security_group_id=stack.security.outputs.node_security_group_id,
                instance_type=instance_type,
                architecture="arm64" if catalog.architecture(instance_type) == "arm64" else "x86_64",
                operating_system=aws.node_os,
                minimum=least,
                maximum=most,
                kms_key_arn=aws.kms_key_arn,
                tags=stack.tags,
                **special,
            ),
            after=after,
        )

    machines = {
        SYSTEM_POOL: group(
            SYSTEM_POOL, SYSTEM_MACHINES, SYSTEM_MACHINES, instance_type=_system_instance_type(stack)
        )
    }
    if not aws.spot:
        machines[JVM_POOL] = group(JVM_POOL, counts.minimum, counts.maximum, target_group_arns=targets)
        return machines
    machines[JVM_POOL] = group(JVM_POOL, counts.core, counts.core, target_group_arns=targets)
    if counts.elastic_maximum:
        machines[SPOT_POOL] = group(
            SPOT_POOL,
            counts.elastic_minimum,
            counts.elastic_maximum,
            target_group_arns=targets,
            spot=True,
            tainted=True,
        )
    return machines


def _system_instance_type(stack: AwsStack) -> str:
    aws = stack.aws
    default = "t4g.medium" if catalog.architecture(aws.instance_type) == "arm64" else "t3.medium"
    return aws.system_instance_type or default


def _node_identity(stack: AwsStack, roles: _Roles, control_plane: EksControlPlane) -> EksRole:
    """Aether's nodes may read the secrets that the configuration names, and nothing else."""
    secrets = stack.config.stored_secrets(Provider.AWS)
    identity = roles.pod(
        "node",
        "Identity of the nodes",
        {"secrets": secret_statements(secrets.values(), stack.aws.kms_key_arn, describe=True)},
    )
    _associate(stack, identity, control_plane, stack.config.kubernetes.namespace, SERVICE_ACCOUNT)
    return identity


def _autoscaler(stack: AwsStack, roles: _Roles, control_plane: EksControlPlane) -> None:
    """Identity of the cluster autoscaler, which the workload stack runs."""
    rights = autoscaler_statements(
        eks_cluster_name(stack.name),
        partition=stack.partition,
        region=stack.aws.region,
        account_id=stack.account_id,
    )
    identity = roles.pod("autoscaler", "Cluster autoscaler", {"groups": rights})
    _associate(stack, identity, control_plane, SYSTEM_NAMESPACE, AUTOSCALER)


def _associate(
    stack: AwsStack, identity: EksRole, control_plane: EksControlPlane, namespace: str, service_account: str
) -> None:
    EksPodIdentityAssociation(
        identity,
        "association",
        cluster_name=control_plane.outputs.name,
        namespace=namespace,
        service_account=service_account,
        role_arn=identity.role.arn,
        depends_on=list(identity.grants) or None,
        tags=stack.tags,
    )


def _addons(
    stack: AwsStack, roles: _Roles, control_plane: EksControlPlane, machines: Mapping[str, MachineGroup]
) -> Addons:
    aws, outputs = stack.aws, control_plane.outputs
    disks = roles.addon(
        "disks",
        "Volumes of pods",
        "service-role/AmazonEBSCSIDriverPolicy",
        {"key": disk_key_statements(aws.kms_key_arn)},
    )
    wanted = cluster_addons(disks.role.arn, secrets=bool(stack.config.stored_secrets(Provider.AWS)))
    # the rest of the machines come up beside them
    after = [*disks.grants, machines[SYSTEM_POOL].node_group]
    if _measured(stack):
        agent = roles.addon("observability", "CloudWatch agent", "CloudWatchAgentServerPolicy")
        logs = InsightsLogs(
            stack,
            "insights-logs",
            InsightsLogsProps(
                cluster_name=outputs.name,
                retention_days=stack.config.cloud.log_retention_days,
                kms_key_arn=aws.kms_key_arn,
                tags=stack.tags,
            ),
        )
        wanted.append(observability_addon(agent.role.arn))
        after += [*agent.grants, stack.logs.log_group, *logs.log_groups.values()]
    return Addons(
        stack,
        "add-ons",
        AddonsProps(
            cluster_name=outputs.name,
            kubernetes_version=outputs.version,
            addons=wanted,
            tags=stack.tags,
        ),
        after=after,
    )


def _measured(stack: AwsStack) -> bool:
    return stack.aws.container_insights != "disabled"


def _load_balancer_ranges(stack: AwsStack) -> list[str]:
    """What packets from the load balancer come from: its own addresses, which lie in the public subnets."""
    if stack.load_balancer is None:
        return []
    network = stack.network
    if isinstance(network, Network):
        return [subnet.cidr_block for subnet in network.public_subnets.values()]
    return [subnet.cidr_block for subnet in network.public_subnets]
