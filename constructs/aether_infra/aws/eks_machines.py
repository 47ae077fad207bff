"""Machines of an EKS cluster: a managed node group with its launch template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.autoscaling_attachment import AutoscalingAttachment
from cdktf_cdktf_provider_aws.autoscaling_group_tag import AutoscalingGroupTagA, AutoscalingGroupTagTag
from cdktf_cdktf_provider_aws.eks_node_group import (
    EksNodeGroup,
    EksNodeGroupLaunchTemplate,
    EksNodeGroupNodeRepairConfig,
    EksNodeGroupScalingConfig,
    EksNodeGroupTaint,
    EksNodeGroupTimeouts,
    EksNodeGroupUpdateConfig,
)
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateMetadataOptions,
    LaunchTemplateMonitoring,
    LaunchTemplateNetworkInterfaces,
    LaunchTemplateTagSpecifications,
)
from constructs import Construct

from aether_infra.core.kubernetes import POOL_LABEL
from aether_infra.core.names import physical_name
from aether_infra.core.tags import CLUSTER

PREFIX_LIMIT = 36
"""Characters of a node group's name before the hyphen and the 26 characters that the provider adds, of 63.
Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html"""
MINUTES_PER_MACHINE = 15
"""How long a rolling update may take with each machine: a new one comes, the old one is drained, within its pods' time.
Source: https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html (as of 2026-11)."""
LEAST_UPDATE_MINUTES = 60
"""The provider's own patience with an update."""
TEMPLATE_TAG = "k8s.io/cluster-autoscaler/node-template"
"""Head of the tags of an auto-scaling group that tell the cluster autoscaler what a machine of it would be like.
Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md"""

OperatingSystem = Literal["al2023", "bottlerocket"]
Architecture = Literal["x86_64", "arm64"]

_AMI_TYPES: Mapping[tuple[OperatingSystem, Architecture], str] = {
    ("al2023", "x86_64"): "AL2023_x86_64_STANDARD",
    ("al2023", "arm64"): "AL2023_ARM_64_STANDARD",
    ("bottlerocket", "x86_64"): "BOTTLEROCKET_x86_64",
    ("bottlerocket", "arm64"): "BOTTLEROCKET_ARM_64",
}
"""Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html"""
_DATA_DEVICE: Mapping[OperatingSystem, str] = {"al2023": "/dev/xvda", "bottlerocket": "/dev/xvdb"}
"""Disk that images and pods write to; Bottlerocket's own, /dev/xvda, holds the system and nothing else."""


@frozen(kw_only=True)
class MachineGroupProps:
    """Props of `MachineGroup`."""

    name: str
    """Cluster's name, head of every name."""
    pool: str
    """Which machines these are: value of the label `aether-pool`."""
    cluster_name: str
    """The EKS cluster's name."""
    kubernetes_version: str | None = None
    """Version of the kubelets: the control plane's, so that machines follow it; default: what it is at first."""
    role_arn: str
    """Role of the machines."""
    subnet_ids: Sequence[str]
    """Private subnets, one a zone."""
    security_group_id: str
    """The machines' group."""
    instance_type: str
    """Type of every machine. A change replaces them one at a time."""
    architecture: Architecture = "x86_64"
    """Processor of that type."""
    operating_system: OperatingSystem = "al2023"
    """Amazon Linux 2023, or Bottlerocket, which has no shell."""
    minimum: int
    """Fewest machines, over all zones."""
    maximum: int
    """Most machines, over all zones, at least one."""
    spot: bool = False
    """Run them as spot instances."""
    tainted: bool = False
    """Keep pods away that do not tolerate `aether-pool=<pool>:NoSchedule`."""
    disk_gib: int = 30
    """Size of the disk for images, logs and ephemeral data."""
    kms_key_arn: str | None = None
    """KMS key of the disks, whose policy must let the service-linked role of Auto Scaling use it; default: AWS' own
    key for EBS. Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    (as of 2026-11)."""
    target_group_arns: Mapping[str, str] = field(factory=dict)
    """Target groups, of type `instance`, by concern: every machine is a target."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource, machine and disk."""


class MachineGroup(Construct):
    """A group of like machines over all zones, which EKS drains and replaces one at a time.

    What a machine is lies in the launch template, so that another type or disk is a rolling update of this group. Where
    EKS can only replace the group (another processor or operating system, other subnets), the new one comes up before
    the old one is drained, which is why the provider completes its name. The autoscaler owns the number of machines.
    Their metadata service answers by version 2, and only the machine itself: pods get their rights by Pod Identity,
    whose agent, like the network's, runs in the machine's own network.
    Sources: https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html,
    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        props: what to run.
        after: what must be there before the first machine joins: the role's rights, the network add-ons.

    Attributes:
        launch_template: the launch template.
        node_group: the managed node group.
        autoscaling_group: name of the auto-scaling group that EKS makes of it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: MachineGroupProps,
        *,
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self.launch_template = self._launch_template()
        self.node_group = self._node_group(after)
        self.autoscaling_group = self.node_group.resources.get(0).autoscaling_groups.get(0).name
        self._tag_autoscaling_group()
        for concern, arn in props.target_group_arns.items():
            AutoscalingAttachment(
                self,
                f"target-{concern}",
                autoscaling_group_name=self.autoscaling_group,
                lb_target_group_arn=arn,
            )

    def _launch_template(self) -> LaunchTemplate:
        props = self._props
        named = self._tags | {"Name": physical_name(props.name, props.pool), POOL_LABEL: props.pool}
        return LaunchTemplate(
            self,
            "launch-template",
            name=physical_name(props.name, "eks", props.pool),
            description=f"Machine of the pool {props.pool} of Aether cluster {props.name}",
            instance_type=props.instance_type,
            metadata_options=LaunchTemplateMetadataOptions(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            network_interfaces=[
                LaunchTemplateNetworkInterfaces(
                    device_index=0,
                    associate_public_ip_address="false",
                    delete_on_termination="true",
                    security_groups=[props.security_group_id],
                )
            ],
            block_device_mappings=self._disks(),
            monitoring=LaunchTemplateMonitoring(enabled=True),
            update_default_version=True,
            tag_specifications=[
                LaunchTemplateTagSpecifications(resource_type=kind, tags=named)
                for kind in ("instance", "network-interface", "volume")
            ],
            tags=self._tags,
        )

    def _disks(self) -> list[LaunchTemplateBlockDeviceMappings]:
        props = self._props
        data = _DATA_DEVICE[props.operating_system]
        return [
            LaunchTemplateBlockDeviceMappings(
                device_name=device,
                ebs=LaunchTemplateBlockDeviceMappingsEbs(
                    encrypted="true",
                    kms_key_id=props.kms_key_arn,
                    volume_type="gp3",
                    # the system's own disk keeps the size of its image
                    volume_size=props.disk_gib if device == data else None,
                    delete_on_termination="true",
                ),
            )
            for device in sorted({"/dev/xvda", data})
        ]

    def _node_group(self, after: Sequence[ITerraformDependable]) -> EksNodeGroup:
        props = self._props
        return EksNodeGroup(
            self,
            "Resource",
            cluster_name=props.cluster_name,
            node_group_name_prefix=f"{physical_name(props.name, props.pool, limit=PREFIX_LIMIT)}-",
            node_role_arn=props.role_arn,
            subnet_ids=list(props.subnet_ids),
            version=props.kubernetes_version,
            ami_type=_AMI_TYPES[props.operating_system, props.architecture],
            capacity_type="SPOT" if props.spot else "ON_DEMAND",
            launch_template=EksNodeGroupLaunchTemplate(
                id=self.launch_template.id, version=f"${{{self.launch_template.fqn}.latest_version}}"
            ),
            scaling_config=EksNodeGroupScalingConfig(
                min_size=props.minimum, max_size=props.maximum, desired_size=props.minimum
            ),
            update_config=EksNodeGroupUpdateConfig(max_unavailable=1),
            node_repair_config=EksNodeGroupNodeRepairConfig(
                enabled=True, max_parallel_nodes_repaired_count=1
            ),
            labels={CLUSTER: props.name, POOL_LABEL: props.pool},
            taint=[EksNodeGroupTaint(key=POOL_LABEL, value=props.pool, effect="NO_SCHEDULE")]
            if props.tainted
            else None,
            lifecycle=TerraformResourceLifecycle(
                create_before_destroy=True,
                # the autoscaler owns the count: a deployment must not set it back
                ignore_changes=["scaling_config[0].desired_size"],
            ),
            timeouts=EksNodeGroupTimeouts(
                update=f"{max(LEAST_UPDATE_MINUTES, MINUTES_PER_MACHINE * props.maximum)}m"
            ),
            depends_on=list(after) or None,
            tags=self._tags | {"Name": physical_name(props.name, props.pool)},
        )

    def _tag_autoscaling_group(self) -> None:
        """Mark the owner, and say what a machine is like when there is none to look at."""
        props = self._props
        tags = {
            "owner": (CLUSTER, props.name),
            "label": (f"{TEMPLATE_TAG}/label/{POOL_LABEL}", props.pool),
        }
        if props.tainted:
            tags["taint"] = (f"{TEMPLATE_TAG}/taint/{POOL_LABEL}", f"{props.pool}:NoSchedule")
        scope = Construct(self, "autoscaling-group-tag")
        for id_, (key, value) in tags.items():
            AutoscalingGroupTagA(
                scope,
                id_,
                autoscaling_group_name=self.autoscaling_group,
                tag=AutoscalingGroupTagTag(key=key, value=value, propagate_at_launch=False),
            )
