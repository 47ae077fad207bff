"""The cluster on virtual machines: one instance a core node, an auto-scaling group for elastic nodes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Literal

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle, Token
from cdktf_cdktf_provider_aws import autoscaling_policy as policy_l1
from cdktf_cdktf_provider_aws.autoscaling_group import (
    AutoscalingGroup,
    AutoscalingGroupInstanceRefresh,
    AutoscalingGroupInstanceRefreshPreferences,
    AutoscalingGroupLaunchTemplate,
    AutoscalingGroupTag,
)
from cdktf_cdktf_provider_aws.data_aws_ssm_parameter import DataAwsSsmParameter
from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from cdktf_cdktf_provider_aws.ebs_volume import EbsVolume
from cdktf_cdktf_provider_aws.instance import (
    Instance,
    InstanceMaintenanceOptions,
    InstanceMetadataOptions,
    InstanceRootBlockDevice,
)
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateIamInstanceProfile,
    LaunchTemplateInstanceMarketOptions,
    LaunchTemplateMetadataOptions,
    LaunchTemplateMonitoring,
    LaunchTemplateNetworkInterfaces,
    LaunchTemplateTagSpecifications,
)
from cdktf_cdktf_provider_aws.lb_target_group_attachment import LbTargetGroupAttachment
from cdktf_cdktf_provider_aws.service_discovery_instance import ServiceDiscoveryInstance
from cdktf_cdktf_provider_aws.ssm_association import SsmAssociation, SsmAssociationTargets
from cdktf_cdktf_provider_aws.ssm_document import SsmDocument
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter
from cdktf_cdktf_provider_aws.volume_attachment import VolumeAttachment
from constructs import Construct

from aether_infra.aws.discovery import Discovery
from aether_infra.aws.identity import InstanceIdentity
from aether_infra.aws.monitoring import VoterMetric
from aether_infra.aws.node import NodeProps
from aether_infra.aws.policy import Statement
from aether_infra.aws.scaling import Scaling
from aether_infra.cdk.text import base64_text, json_text
from aether_infra.core.names import physical_name
from aether_infra.core.node import core_ids, environment, spread
from aether_infra.core.tags import NodeRole, node_tags

HEAP_PLACEHOLDER = "@HEAP_MIB@"
"""Put into `JAVA_OPTS` as the heap's size, it becomes three quarters of the instance's memory."""
DATA_VOLUME_TAG = "aether-data-volume"
"""Instance tag: the id of the volume to mount."""
ROLLOUT_TAG = "aether-rollout"
"""Tag of core instances, with the cluster's name: whom Systems Manager restarts one at a time. One tag, since
several are not a conjunction everywhere in Systems Manager."""
DATA_DEVICE = "/dev/sdf"
ROOT_DEVICE = "/dev/xvda"
ROOT_GIB = 20
BOOT_SECONDS = 180
"""From launch to a node that answers: system, container engine, image, JVM."""

# the generated names run to 100 characters
_TargetTracking = policy_l1.AutoscalingPolicyTargetTrackingConfiguration
_MetricSpecification = policy_l1.AutoscalingPolicyTargetTrackingConfigurationCustomizedMetricSpecification
_Metric = policy_l1.AutoscalingPolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetrics
_MetricStat = (
    policy_l1.AutoscalingPolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricsMetricStat
)
_StatMetric = (
    policy_l1.AutoscalingPolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricsMetricStatMetric
)
_Dimension = policy_l1.AutoscalingPolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricsMetricStatMetricDimensions  # noqa: E501


@frozen(kw_only=True)
class NodeSettingsProps(NodeProps):
    """Props of `NodeSettings`. In `java_opts`, `HEAP_PLACEHOLDER` stands for a heap that fits the instance."""

    peers: str
    """The peer list (see `Discovery.peers`)."""


class NodeSettings(Construct):
    """What an instance reads when its node starts, in SSM Parameter Store.

    It is kept apart from the instances, so that a new image or heap does not replace them: the node is restarted,
    one at a time, and reads it again. It holds no secret, only where secrets are.

    Attributes:
        settings: the settings, as JSON.
        user_data: what a new instance does: install the program that runs the node, and start it.
    """

    def __init__(self, scope: Construct, id_: str, props: NodeSettingsProps) -> None:
        super().__init__(scope, id_)
        name = f"/aether/{props.name}/node-settings"
        source = files("aether_infra.aws.instance_node").joinpath("node.py").read_text(encoding="utf-8")
        self._program = source.replace("@SETTINGS@", name).replace("@REGION@", props.region)
        # a new program is a new revision of the settings, so that nodes are restarted for it too
        revision = hashlib.sha256(source.encode()).hexdigest()[:12]
        self.settings = SsmParameter(
            self,
            "settings",
            name=name,
            description=f"Settings of the nodes of Aether cluster {props.name}",
            type="String",
            tier="Intelligent-Tiering",
            value=json_text(_settings(props) | {"program": revision}),
            tags=dict(props.tags),
        )
        self._install = [
            "set -eu",
            "cat > /usr/local/sbin/aether-node.new <<'END_OF_PROGRAM'",
            *self._program.splitlines(),
            "END_OF_PROGRAM",
            "chmod 0755 /usr/local/sbin/aether-node.new",
            "mv /usr/local/sbin/aether-node.new /usr/local/sbin/aether-node",
        ]
        self.user_data = "\n".join(
            ["#!/bin/sh", *self._install, "exec /usr/local/sbin/aether-node start", ""]
        )

    def read_statements(self) -> list[Statement]:
        """Rights to read the settings."""
        return [Statement(sid="ReadSettings", actions=["ssm:GetParameter"], resources=[self.settings.arn])]

    def roll_commands(self) -> list[str]:
        """What a running instance does when the settings have changed; `revision` is the document's parameter."""
        return [*self._install, "exec /usr/local/sbin/aether-node roll {{ revision }}"]


@frozen(kw_only=True)
class Ec2ClusterProps:
    """Props of `Ec2Cluster`."""

    name: str
    """Cluster's name, head of every name."""
    core_nodes: int = 3
    """Voters: 3, 5 or 7."""
    elastic_minimum: int = 0
    """Fewest elastic nodes."""
    elastic_maximum: int = 0
    """Most elastic nodes; 0 for none at all."""
    subnet_ids: Sequence[str]
    """Private subnets, one a zone: core nodes are dealt out over them in turn."""
    security_group_id: str
    """The nodes' group."""
    instance_type: str = "m6i.large"
    """Type of every instance; Nitro, since data volumes are found by their NVMe id."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """Processor of that type."""
    ami_id: str | None = None
    """Machine image: Amazon Linux 2023 or what behaves like it; default: its newest when a node is made."""
    data_volume_gib: int = 20
    """Size of each core node's data volume."""
    cluster_port: int = 8090
    """For the tag that the nodes' discovery reads."""
    target_group_arns: Mapping[str, str] = field(factory=dict)
    """Target groups, of type `instance`, by concern."""
    managed: bool = False
    """Whether the runtime manager makes the elastic nodes, from the template; default: an auto-scaling group does."""
    spot: bool = False
    """Run elastic nodes, never core ones, as spot instances."""
    scaling: Scaling = field(factory=Scaling)
    """When elastic nodes come and go."""
    kms_key_arn: str | None = None
    """KMS key of the disks; default: AWS' own key for EBS."""
    protect: bool = True
    """Refuse to end core nodes, and to destroy their data volumes."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource and, with a node's own, of every instance and disk."""


class Ec2Cluster(Construct):
    """An Aether cluster on EC2.

    A core node is one instance with a data volume, a name and a place. Terraform makes it and never replaces it for
    a new machine image or user data: Systems Manager restarts the nodes, one at a time, when their settings change,
    and stops if one does not come back. Core nodes depend on each other, so that a change of the instance type,
    which stops an instance, also goes one by one. Instances have no public address and no SSH key: Session Manager
    leads in. Elastic nodes are an auto-scaling group, whose instances are replaced when they fail as machines; that
    they are not ready, for want of a quorum, is no reason.
    Sources: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-templates.html,
    https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state.html (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        props: what to run.
        identity: role of the instances.
        discovery: names of the core nodes, one for each of `core_ids(props.core_nodes)`.
        settings: what the nodes read.

    Attributes:
        core_instances: instance of each core node's id.
        data_volumes: data volume of each core node's id.
        launch_template: template of the elastic nodes, for Layer 2 too.
        autoscaling_group: group of the elastic nodes, if any.
        rollout: the association that restarts core nodes one at a time.
        discovery: names of the core nodes.
        identity: role of the instances.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: Ec2ClusterProps,
        *,
        identity: InstanceIdentity,
        discovery: Discovery,
        settings: NodeSettings,
    ) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.identity = identity
        self.discovery = discovery
        self._settings = settings
        self._tags = dict(props.tags)
        self._image_parameter = (
            f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{props.architecture}"
        )
        self.core_instances: dict[str, Instance] = {}
        self.data_volumes: dict[str, EbsVolume] = {}
        self._core()
        self.launch_template = self._launch_template()
        self.autoscaling_group = self._elastic() if props.elastic_maximum and not props.managed else None
        self.rollout = self._rollout()

    def voter_metrics(self) -> list[VoterMetric]:
        """What tells whether a core node's instance runs."""
        return [
            VoterMetric(
                voter=node_id,
                namespace="AWS/EC2",
                metric="StatusCheckFailed",
                stat="Maximum",
                dimensions={"InstanceId": instance.id},
                when_missing=1,
                means_down=True,
            )
            for node_id, instance in self.core_instances.items()
        ]

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know of this kind of compute."""
        group = self.autoscaling_group
        return {
            "launch_template_id": self.launch_template.id,
            "autoscaling_group": group.name if group else None,
            "core_instances": {node_id: instance.id for node_id, instance in self.core_instances.items()},
            "peers": self.discovery.peers(self._props.cluster_port),
        }

    def _core(self) -> None:
        props = self._props
        image_id = (
            props.ami_id or DataAwsSsmParameter(self, "image", name=self._image_parameter).insecure_value
        )
        before: list[ITerraformDependable] = []
        for node_id, subnet_id in spread(core_ids(props.core_nodes), list(props.subnet_ids)).items():
            scope = Construct(self, node_id)
            instance = self._core_instance(scope, node_id, subnet_id, image_id, before)
            self.core_instances[node_id] = instance
            before = [instance]
            ServiceDiscoveryInstance(
                scope,
                "address",
                instance_id=node_id,
                service_id=self.discovery.services[node_id].id,
                attributes={"AWS_INSTANCE_IPV4": instance.private_ip},
            )
            for concern, arn in props.target_group_arns.items():
                LbTargetGroupAttachment(
                    scope, f"target-{concern}", target_group_arn=arn, target_id=instance.id
                )

    def _core_instance(
        self,
        scope: Construct,
        node_id: str,
        subnet_id: str,
        image_id: str,
        before: Sequence[ITerraformDependable],
    ) -> Instance:
        props = self._props
        tags = node_tags(self._tags, NodeRole.CORE, props.cluster_port, node_id)
        named = tags | {"Name": physical_name(props.name, node_id)}
        volume = self._data_volume(scope, node_id, subnet_id, named)
        instance = Instance(
            scope,
            "Resource",
            ami=image_id,
            instance_type=props.instance_type,
            subnet_id=subnet_id,
            vpc_security_group_ids=[props.security_group_id],
            associate_public_ip_address=False,
            iam_instance_profile=self.identity.profile.name,
            user_data_base64=_base64(self._settings.user_data),
            metadata_options=InstanceMetadataOptions(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=1,
                instance_metadata_tags="enabled",
            ),
            root_block_device=InstanceRootBlockDevice(
                encrypted=True,
                kms_key_id=props.kms_key_arn,
                volume_type="gp3",
                volume_size=ROOT_GIB,
                tags=named,
            ),
            maintenance_options=InstanceMaintenanceOptions(auto_recovery="default"),
            disable_api_termination=props.protect,
            ebs_optimized=True,
            monitoring=True,
            # all of them are for a new instance; a change would replace, or stop, a running voter
            lifecycle=TerraformResourceLifecycle(ignore_changes=["ami", "user_data", "user_data_base64"]),
            depends_on=[self._settings.settings, *self.identity.grants, *before],
            tags=named | {DATA_VOLUME_TAG: volume.id, ROLLOUT_TAG: props.name},
        )
        VolumeAttachment(
            scope,
            "data-attachment",
            device_name=DATA_DEVICE,
            volume_id=volume.id,
            instance_id=instance.id,
            stop_instance_before_detaching=True,
        )
        return instance

    def _data_volume(
        self, scope: Construct, node_id: str, subnet_id: str, tags: Mapping[str, str]
    ) -> EbsVolume:
        props = self._props
        zone = DataAwsSubnet(scope, "subnet", id=subnet_id).availability_zone
        volume = EbsVolume(
            scope,
            "data",
            availability_zone=zone,
            size=props.data_volume_gib,
            type="gp3",
            encrypted=True,
            kms_key_id=props.kms_key_arn,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None, ignore_changes=["availability_zone"]
            ),
            tags=dict(tags),
        )
        self.data_volumes[node_id] = volume
        return volume

    def _launch_template(self) -> LaunchTemplate:
        props = self._props
        tags = node_tags(self._tags, NodeRole.WORKER, props.cluster_port)
        named = tags | {"Name": physical_name(props.name, "elastic")}
        return LaunchTemplate(
            self,
            "launch-template",
            name=physical_name(props.name, "elastic"),
            description=f"Elastic node of Aether cluster {props.name}",
            image_id=props.ami_id or f"resolve:ssm:{self._image_parameter}",
            instance_type=props.instance_type,
            iam_instance_profile=LaunchTemplateIamInstanceProfile(arn=self.identity.profile.arn),
            metadata_options=LaunchTemplateMetadataOptions(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=1,
                instance_metadata_tags="enabled",
            ),
            network_interfaces=[
                LaunchTemplateNetworkInterfaces(
                    device_index=0,
                    associate_public_ip_address="false",
                    delete_on_termination="true",
                    security_groups=[props.security_group_id],
                )
            ],
            block_device_mappings=[
                LaunchTemplateBlockDeviceMappings(
                    device_name=ROOT_DEVICE,
                    ebs=LaunchTemplateBlockDeviceMappingsEbs(
                        encrypted="true",
                        kms_key_id=props.kms_key_arn,
                        volume_type="gp3",
                        volume_size=ROOT_GIB,
                        delete_on_termination="true",
                    ),
                )
            ],
            instance_market_options=LaunchTemplateInstanceMarketOptions(market_type="spot")
            if props.spot
            else None,
            monitoring=LaunchTemplateMonitoring(enabled=True),
            ebs_optimized="true",
            user_data=_base64(self._settings.user_data),
            update_default_version=True,
            tag_specifications=[
                LaunchTemplateTagSpecifications(resource_type=kind, tags=named)
                for kind in ("instance", "network-interface", "volume")
            ],
            tags=self._tags | {"aether-settings": f"{self._settings.settings.version}"},
        )

    def _elastic(self) -> AutoscalingGroup:
        props = self._props
        tags = node_tags(self._tags, NodeRole.WORKER, props.cluster_port)
        group = AutoscalingGroup(
            self,
            "autoscaling-group",
            name=physical_name(props.name, "elastic"),
            min_size=props.elastic_minimum,
            max_size=props.elastic_maximum,
            vpc_zone_identifier=list(props.subnet_ids),
            launch_template=AutoscalingGroupLaunchTemplate(
                id=self.launch_template.id, version=f"${{{self.launch_template.fqn}.latest_version}}"
            ),
            target_group_arns=list(props.target_group_arns.values()) or None,
            health_check_type="EC2",
            health_check_grace_period=BOOT_SECONDS,
            default_instance_warmup=BOOT_SECONDS,
            capacity_rebalance=props.spot,
            instance_refresh=AutoscalingGroupInstanceRefresh(
                strategy="Rolling",
                preferences=AutoscalingGroupInstanceRefreshPreferences(min_healthy_percentage=90),
            ),
            wait_for_capacity_timeout="0",
            # the autoscaler owns the count: a deployment must not set it back
            lifecycle=TerraformResourceLifecycle(ignore_changes=["desired_capacity"]),
            depends_on=[self._settings.settings, *self.identity.grants],
            tag=[
                AutoscalingGroupTag(key=key, value=value, propagate_at_launch=True)
                for key, value in tags.items()
            ],
        )
        self._autoscale(group)
        return group

    def _autoscale(self, group: AutoscalingGroup) -> None:
        sources = {
            node_id.replace("-", "_"): ("InstanceId", instance.id)
            for node_id, instance in self.core_instances.items()
        } | {"elastic": ("AutoScalingGroupName", group.name)}
        metrics = [
            _Metric(
                id=key,
                label=f"CPU of {key}",
                return_data=False,
                metric_stat=_MetricStat(
                    stat="Average",
                    metric=_StatMetric(
                        namespace="AWS/EC2",
                        metric_name="CPUUtilization",
                        dimensions=[_Dimension(name=name, value=value)],
                    ),
                ),
            )
            for key, (name, value) in sources.items()
        ]
        average = _Metric(
            id="cluster", label="CPU of the cluster", expression="AVG(METRICS())", return_data=True
        )
        self.scaling_policy = policy_l1.AutoscalingPolicy(
            self,
            "scaling-policy",
            name=physical_name(self._props.name, "cpu"),
            autoscaling_group_name=group.name,
            policy_type="TargetTrackingScaling",
            estimated_instance_warmup=BOOT_SECONDS,
            target_tracking_configuration=_TargetTracking(
                target_value=self._props.scaling.cpu_target_percent,
                customized_metric_specification=_MetricSpecification(metrics=[*metrics, average]),
            ),
        )

    def _rollout(self) -> SsmAssociation:
        """One core node at a time, and none after one that does not come back."""
        props, scope = self._props, Construct(self, "rollout")
        content = {
            "schemaVersion": "2.2",
            "description": f"Bring the nodes of Aether cluster {props.name} to the newest settings",
            "parameters": {"revision": {"type": "String", "allowedPattern": "^[0-9]+$"}},
            "mainSteps": [
                {
                    "action": "aws:runShellScript",
                    "name": "roll",
                    "inputs": {"timeoutSeconds": "900", "runCommand": self._settings.roll_commands()},
                }
            ],
        }
        document = SsmDocument(
            scope,
            "document",
            name=physical_name(props.name, "roll"),
            document_type="Command",
            document_format="JSON",
            content=json_text(content),
            tags=self._tags,
        )
        return SsmAssociation(
            scope,
            "Resource",
            name=document.name,
            association_name=physical_name(props.name, "roll"),
            parameters={"revision": f"${{{self._settings.settings.fqn}.version}}"},
            targets=[SsmAssociationTargets(key=f"tag:{ROLLOUT_TAG}", values=[props.name])],
            max_concurrency="1",
            max_errors="0",
            depends_on=list(self.core_instances.values()),
            tags=self._tags,
        )


def _settings(props: NodeSettingsProps) -> dict[str, Any]:
    return {
        "image": props.image,
        "environment": environment(
            ports=props.ports,
            peer_list=props.peers,
            core_count=props.core_nodes,
            java_opts=props.java_opts,
        ),
        "secrets": dict(props.secrets),
        "log_group": props.log_group,
        "management_port": props.ports.management,
        "liveness_path": props.health.liveness_path,
        "readiness_path": props.health.readiness_path,
        "interval_seconds": props.health.interval_seconds,
        "timeout_seconds": props.health.timeout_seconds,
        "unhealthy_threshold": props.health.unhealthy_threshold,
        "start_seconds": props.health.start_seconds,
        "stop_timeout_seconds": props.stop_timeout_seconds,
    }


def _base64(text: str) -> str:
    """Base64 of a text; left to Terraform where the text holds a token."""
    if Token.is_unresolved(text):
        return base64_text(text)
    return base64.b64encode(text.encode()).decode()
