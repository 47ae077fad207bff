"""The cluster on virtual machines: a stateful group of one a core node, an autoscaled group for elastic nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_google.compute_address import ComputeAddress
from cdktf_cdktf_provider_google.compute_disk import ComputeDisk, ComputeDiskDiskEncryptionKey
from cdktf_cdktf_provider_google.compute_health_check import (
    ComputeHealthCheck,
    ComputeHealthCheckHttpHealthCheck,
)
from cdktf_cdktf_provider_google.compute_instance_group import (
    ComputeInstanceGroup,
    ComputeInstanceGroupNamedPort,
)
from cdktf_cdktf_provider_google.compute_instance_group_manager import (
    ComputeInstanceGroupManager,
    ComputeInstanceGroupManagerAutoHealingPolicies,
    ComputeInstanceGroupManagerNamedPort,
    ComputeInstanceGroupManagerTimeouts,
    ComputeInstanceGroupManagerUpdatePolicy,
    ComputeInstanceGroupManagerVersion,
)
from cdktf_cdktf_provider_google.compute_instance_template import (
    ComputeInstanceTemplate,
    ComputeInstanceTemplateDisk,
    ComputeInstanceTemplateDiskDiskEncryptionKey,
    ComputeInstanceTemplateNetworkInterface,
    ComputeInstanceTemplateScheduling,
    ComputeInstanceTemplateServiceAccount,
    ComputeInstanceTemplateShieldedInstanceConfig,
)
from cdktf_cdktf_provider_google.compute_per_instance_config import (
    ComputePerInstanceConfig,
    ComputePerInstanceConfigPreservedState,
    ComputePerInstanceConfigPreservedStateDisk,
    ComputePerInstanceConfigPreservedStateInternalIp,
    ComputePerInstanceConfigPreservedStateInternalIpIpAddress,
)
from cdktf_cdktf_provider_google.compute_region_autoscaler import (
    ComputeRegionAutoscaler,
    ComputeRegionAutoscalerAutoscalingPolicy,
    ComputeRegionAutoscalerAutoscalingPolicyCpuUtilization,
    ComputeRegionAutoscalerAutoscalingPolicyScaleInControl,
    ComputeRegionAutoscalerAutoscalingPolicyScaleInControlMaxScaledInReplicas,
)
from cdktf_cdktf_provider_google.compute_region_instance_group_manager import (
    ComputeRegionInstanceGroupManager,
    ComputeRegionInstanceGroupManagerAutoHealingPolicies,
    ComputeRegionInstanceGroupManagerNamedPort,
    ComputeRegionInstanceGroupManagerUpdatePolicy,
    ComputeRegionInstanceGroupManagerVersion,
)
from constructs import Construct

from aether_infra.core.machine import cloud_config
from aether_infra.core.names import HASH_LENGTH, physical_name
from aether_infra.core.node import HealthProbe, NodePorts, core_ids, environment, peers, spread
from aether_infra.core.tags import NodeRole, node_tags
from aether_infra.gcp.machine import DATA_DEVICE_NAME, machine_node

BOOT_SECONDS = 180
"""From creation to a node that answers: system, image, JVM."""
LONGEST_DELAY_SECONDS = 3600
"""Of auto-healing. Source:
https://cloud.google.com/compute/docs/instance-groups/autohealing-instances-in-migs (as of 2026-11)."""
MOST_BAD_PROBES = 10
"""The machine restarts its container after fewer; only one that cannot help itself is made anew."""
LEAST_WINDOW_SECONDS = 60
"""Shortest time that scaling in looks back.
Source: https://cloud.google.com/compute/docs/reference/rest/v1/regionAutoscalers (as of 2026-11)."""
BOOT_DISK_GIB = 20
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"


@frozen(kw_only=True)
class VmClusterProps:
    """Props of `VmCluster`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    region: str
    """Region of the elastic nodes."""
    zones: Sequence[str]
    """Zones: core nodes are dealt out over them in turn."""
    subnetwork_id: str
    """Subnet of the machines."""
    network_id: str | None = None
    """Its network; only where the runtime manager makes elastic nodes."""
    service_account: str
    """E-mail address of the machines' service account."""
    core_nodes: int = 3
    """Voters: 3, 5 or 7."""
    elastic_minimum: int = 0
    """Fewest elastic nodes. The autoscaler measures elastic nodes alone, and where there is none it has nothing to go
    by: at least one always runs, as on Kubernetes, unless `elastic_maximum` leaves none."""
    elastic_maximum: int = 0
    """Most elastic nodes; 0 for none at all."""
    machine_type: str = "e2-standard-4"
    """Type of every machine."""
    machine_image: str = "projects/cos-cloud/global/images/family/cos-stable"
    """Container-Optimized OS, of the machine type's processor."""
    disk_type: str = "pd-balanced"
    """Kind of the disks, which the machine type must take."""
    shielded: bool = True
    """Whether only signed code boots, and its integrity is watched; some machine types cannot."""
    data_volume_gib: int = 20
    """Size of each core node's data disk in GiB; it can grow in place."""
    managed: bool = False
    """Whether the runtime manager makes the elastic nodes, from the template, and puts them into a group a zone;
    default: an autoscaled group does."""
    spot: bool = False
    """Run elastic nodes, never core ones, on spot capacity."""
    kms_key: str | None = None
    """KMS key of the disks; default: Google's own."""
    image: str
    """The node's image, best by digest."""
    java_opts: str
    """Options of the JVM (see `aether_infra.core.machine.HEAP_PLACEHOLDER`)."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node."""
    health: HealthProbe = field(factory=HealthProbe)
    """Probes; a load balancer has its own."""
    stop_timeout_seconds: int = 90
    """From the polite signal to the kill."""
    secrets: Mapping[str, str] = field(factory=dict)
    """Environment variable and `projects/…/secrets/…/versions/…`."""
    cpu_target_percent: int = 60
    """Mean CPU of the elastic nodes to keep to."""
    scale_in_seconds: int = 300
    """How long a lower need lasts before one node goes."""
    protect: bool = True
    """Refuse to destroy core nodes and their data disks."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of every resource and, with a node's own, of every machine and disk."""
    ready: Sequence[ITerraformDependable] = ()
    """What must be there before anything is made: the services, the right to use the key."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before a machine starts: roles, pull right, the way outside."""


class VmCluster(Construct):
    """An Aether cluster on Compute Engine.

    A core node is a managed group of one, whose machine keeps its name, address and data disk through every
    replacement. Groups depend on each other: a new image or setting replaces one machine, waits until it is stable,
    then goes on, so no two core nodes are ever away at once. Health here is liveness, which needs no quorum, so the
    first nodes do not wait for the last. Elastic nodes are an autoscaled regional group.
    Sources: https://cloud.google.com/compute/docs/instance-groups/stateful-migs,
    https://cloud.google.com/compute/docs/instance-groups/configuring-stateful-ip-addresses-in-migs (as of 2026-11).

    Attributes:
        addresses: reserved inner address of each core node's id.
        data_disks: data disk of each core node's id.
        core_groups: group of each core node's id.
        core_machines: what its one machine keeps, by core node's id.
        elastic_template: template of the elastic nodes, for Layer 2 too.
        elastic_group: group of the elastic nodes, if any.
        managed_groups: groups by zone, which the runtime manager puts elastic nodes into; none without one.
        autoscaler: sizes that group.
        liveness: the health check that decides whether a machine is made anew.
    """

    def __init__(self, scope: Construct, id_: str, props: VmClusterProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._places = spread(core_ids(props.core_nodes), list(props.zones))
        self._scopes = {node_id: Construct(self, node_id) for node_id in self._places}
        self.addresses = {node_id: self._address(node_id) for node_id in self._places}
        self.peers = peers(
            {node_id: address.address for node_id, address in self.addresses.items()}, props.ports.cluster
        )
        self.liveness = self._liveness()
        self.data_disks: dict[str, ComputeDisk] = {}
        self.core_groups: dict[str, ComputeInstanceGroupManager] = {}
        self.core_machines: dict[str, ComputePerInstanceConfig] = {}
        before: list[ITerraformDependable] = []
        for node_id in self._places:
            before = [self._core(node_id, before)]
        self.elastic_template = self._template(self, "elastic-template", NodeRole.WORKER, "")
        self.elastic_group: ComputeRegionInstanceGroupManager | None = None
        self.autoscaler: ComputeRegionAutoscaler | None = None
        self._managed = Construct(self, "managed")
        self.managed_groups: dict[str, ComputeInstanceGroup] = {}
        if props.managed:
            self.managed_groups = {zone: self._managed_group(zone) for zone in props.zones}
        elif props.elastic_maximum:
            self.elastic_group = self._elastic()
            self.autoscaler = self._autoscale(self.elastic_group)

    def instance_groups(self) -> dict[str, str]:
        """The instance groups that a load balancer sends to, by what they are."""
        groups = {node_id: group.instance_group for node_id, group in self.core_groups.items()}
        if self.elastic_group is not None:
            groups["elastic"] = self.elastic_group.instance_group
        return groups | {f"elastic-{zone}": group.self_link for zone, group in self.managed_groups.items()}

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know of this kind of compute."""
        groups = {zone: group.name for zone, group in self.managed_groups.items()}
        return {
            **({"elastic_instance_groups": groups} if groups else {}),
            "instance_template": self.elastic_template.self_link_unique,
            "instance_group": self.elastic_group.name if self.elastic_group else None,
            "core_instances": {
                node_id: {"name": machine.name, "zone": self._places[node_id]}
                for node_id, machine in self.core_machines.items()
            },
            "peers": self.peers,
        }

    def _address(self, node_id: str) -> ComputeAddress:
        props = self._props
        return ComputeAddress(
            self._scopes[node_id],
            "address",
            project=props.project,
            region=props.region,
            name=physical_name(props.name, node_id),
            description=f"Core node {node_id} of Aether cluster {props.name}",
            address_type="INTERNAL",
            purpose="GCE_ENDPOINT",
            subnetwork=props.subnetwork_id,
            labels=self._labels(NodeRole.CORE, node_id),
        )

    def _labels(self, role: NodeRole, node_id: str) -> dict[str, str]:
        return node_tags(self._props.labels, role, self._props.ports.cluster, node_id)

    def _liveness(self) -> ComputeHealthCheck:
        props = self._props
        return ComputeHealthCheck(
            self,
            "liveness",
            project=props.project,
            name=physical_name(props.name, "liveness"),
            description=f"Whether a machine of Aether cluster {props.name} is made anew",
            check_interval_sec=props.health.interval_seconds,
            timeout_sec=props.health.timeout_seconds,
            healthy_threshold=props.health.healthy_threshold,
            unhealthy_threshold=MOST_BAD_PROBES,
            http_health_check=ComputeHealthCheckHttpHealthCheck(
                port=props.ports.management, request_path=props.health.liveness_path
            ),
            depends_on=list(props.ready),
        )

    def _healing_delay(self) -> int:
        return min(BOOT_SECONDS + self._props.health.start_seconds, LONGEST_DELAY_SECONDS)

    def _ports(self) -> dict[str, int]:
        ports = self._props.ports
        named = {"application": ports.application, "management": ports.management}
        return {name: port for name, port in named.items() if port is not None}

    def _core(self, node_id: str, before: Sequence[ITerraformDependable]) -> ComputePerInstanceConfig:
        """A core node, after the one before it is there, or is replaced."""
        props, zone = self._props, self._places[node_id]
        scope = self._scopes[node_id]
        name = physical_name(props.name, node_id)
        template = self._template(scope, "template", NodeRole.CORE, node_id)
        group = ComputeInstanceGroupManager(
            scope,
            "Resource",
            project=props.project,
            zone=zone,
            name=name,
            description=f"Core node {node_id} of Aether cluster {props.name}",
            base_instance_name=name,
            version=[ComputeInstanceGroupManagerVersion(instance_template=template.self_link_unique)],
            # its one machine is made by name, below
            target_size=0,
            named_port=[
                ComputeInstanceGroupManagerNamedPort(name=concern, port=port)
                for concern, port in self._ports().items()
            ],
            auto_healing_policies=ComputeInstanceGroupManagerAutoHealingPolicies(
                health_check=self.liveness.id, initial_delay_sec=self._healing_delay()
            ),
            update_policy=ComputeInstanceGroupManagerUpdatePolicy(
                type="PROACTIVE",
                minimal_action="REPLACE",
                replacement_method="RECREATE",
                max_surge_fixed=0,
                max_unavailable_fixed=1,
            ),
            wait_for_instances=True,
            wait_for_instances_status="UPDATED",
            timeouts=ComputeInstanceGroupManagerTimeouts(create="30m", update="60m", delete="30m"),
            # when it goes, load balancers must have let go of it before
            lifecycle=TerraformResourceLifecycle(
                create_before_destroy=True,
                prevent_destroy=props.protect or None,
                ignore_changes=["target_size"],
            ),
            depends_on=[*props.depends_on, *before],
        )
        self.core_groups[node_id] = group
        machine = self._machine(scope, node_id, name, group)
        self.core_machines[node_id] = machine
        return machine

    def _machine(
        self, scope: Construct, node_id: str, name: str, group: ComputeInstanceGroupManager
    ) -> ComputePerInstanceConfig:
        """The one machine of a core node's group, with all that it keeps."""
        props, zone = self._props, self._places[node_id]
        disk = self._data_disk(scope, node_id, zone)
        return ComputePerInstanceConfig(
            scope,
            "machine",
            project=props.project,
            zone=zone,
            instance_group_manager=group.name,
            name=name,
            preserved_state=ComputePerInstanceConfigPreservedState(
                disk=[
                    ComputePerInstanceConfigPreservedStateDisk(
                        device_name=DATA_DEVICE_NAME, source=disk.id, mode="READ_WRITE", delete_rule="NEVER"
                    )
                ],
                internal_ip=[
                    ComputePerInstanceConfigPreservedStateInternalIp(
                        interface_name="nic0",
                        auto_delete="NEVER",
                        ip_address=ComputePerInstanceConfigPreservedStateInternalIpIpAddress(
                            address=self.addresses[node_id].self_link
                        ),
                    )
                ],
            ),
            # the machine goes with its node; without that, address and disk could not
            remove_instance_on_destroy=True,
        )

    def _data_disk(self, scope: Construct, node_id: str, zone: str) -> ComputeDisk:
        props = self._props
        disk = ComputeDisk(
            scope,
            "data",
            project=props.project,
            zone=zone,
            name=physical_name(props.name, node_id, "data"),
            description=f"Data of core node {node_id} of Aether cluster {props.name}",
            type=props.disk_type,
            size=props.data_volume_gib,
            disk_encryption_key=ComputeDiskDiskEncryptionKey(kms_key_self_link=props.kms_key)
            if props.kms_key
            else None,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            depends_on=list(props.ready),
            labels=self._labels(NodeRole.CORE, node_id),
        )
        self.data_disks[node_id] = disk
        return disk

    def _template(self, scope: Construct, id_: str, role: NodeRole, node_id: str) -> ComputeInstanceTemplate:
        props = self._props
        labels = self._labels(role, node_id)
        spot = props.spot and role is NodeRole.WORKER
        key = (
            ComputeInstanceTemplateDiskDiskEncryptionKey(kms_key_self_link=props.kms_key)
            if props.kms_key
            else None
        )
        return ComputeInstanceTemplate(
            scope,
            id_,
            project=props.project,
            # a template cannot change: the next one needs another name
            name_prefix=f"{physical_name(props.name, node_id or 'elastic', limit=36)}-",
            description=f"Nodes of Aether cluster {props.name}",
            instance_description=f"{node_id or 'Elastic node'} of Aether cluster {props.name}",
            machine_type=props.machine_type,
            disk=[
                ComputeInstanceTemplateDisk(
                    source_image=props.machine_image,
                    boot=True,
                    auto_delete=True,
                    disk_type=props.disk_type,
                    disk_size_gb=BOOT_DISK_GIB,
                    disk_encryption_key=key,
                    labels=labels,
                )
            ],
            # no access_config: no public address
            network_interface=[ComputeInstanceTemplateNetworkInterface(subnetwork=props.subnetwork_id)],
            service_account=ComputeInstanceTemplateServiceAccount(
                email=props.service_account, scopes=[CLOUD_PLATFORM]
            ),
            scheduling=ComputeInstanceTemplateScheduling(
                provisioning_model="SPOT",
                preemptible=True,
                automatic_restart=False,
                on_host_maintenance="TERMINATE",
                instance_termination_action="STOP",
            )
            if spot
            else None,
            shielded_instance_config=ComputeInstanceTemplateShieldedInstanceConfig(
                enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
            )
            if props.shielded
            else None,
            metadata={
                "block-project-ssh-keys": "true",
                "enable-oslogin": "true",
                "google-logging-enabled": "true",
                "google-monitoring-enabled": "true",
                "serial-port-enable": "false",
                "user-data": self._user_data(role, node_id),
            },
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            labels=labels,
        )

    def _user_data(self, role: NodeRole, node_id: str) -> str:
        props = self._props
        return cloud_config(
            machine_node(
                image=props.image,
                environment=environment(
                    ports=props.ports,
                    peer_list=self.peers,
                    core_count=props.core_nodes,
                    java_opts=props.java_opts,
                    node_id=node_id,
                ),
                ports=props.ports,
                health=props.health,
                stop_timeout_seconds=props.stop_timeout_seconds,
                secrets=props.secrets,
                data_disk=role is NodeRole.CORE,
            )
        )

    def _managed_group(self, zone: str) -> ComputeInstanceGroup:
        """What the load balancers send to in a zone: empty, until the manager puts its instances in."""
        props = self._props
        return ComputeInstanceGroup(
            self._managed,
            zone,
            project=props.project,
            zone=zone,
            name=physical_name(props.name, "elastic", zone),
            description=f"Elastic nodes of Aether cluster {props.name} in {zone}",
            network=props.network_id,
            named_port=[
                ComputeInstanceGroupNamedPort(name=concern, port=port)
                for concern, port in self._ports().items()
            ],
            # when it goes, load balancers must have let go of it before
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True, ignore_changes=["instances"]),
            depends_on=list(props.ready),
        )

    def _elastic(self) -> ComputeRegionInstanceGroupManager:
        props = self._props
        return ComputeRegionInstanceGroupManager(
            self,
            "elastic-group",
            project=props.project,
            region=props.region,
            name=self._elastic_name(),
            description=f"Elastic nodes of Aether cluster {props.name}",
            base_instance_name=physical_name(props.name, "elastic"),
            version=[
                ComputeRegionInstanceGroupManagerVersion(
                    instance_template=self.elastic_template.self_link_unique
                )
            ],
            distribution_policy_zones=list(props.zones),
            distribution_policy_target_shape="EVEN",
            named_port=[
                ComputeRegionInstanceGroupManagerNamedPort(name=concern, port=port)
                for concern, port in self._ports().items()
            ],
            auto_healing_policies=ComputeRegionInstanceGroupManagerAutoHealingPolicies(
                health_check=self.liveness.id, initial_delay_sec=self._healing_delay()
            ),
            update_policy=ComputeRegionInstanceGroupManagerUpdatePolicy(
                type="PROACTIVE",
                minimal_action="REPLACE",
                replacement_method="SUBSTITUTE",
                # autoscaling wants machines to be spread anew when zones come back
                instance_redistribution_type="PROACTIVE",
                # neither may be between 0 and the number of zones
                max_surge_fixed=len(props.zones),
                max_unavailable_fixed=0,
            ),
            # when it goes, load balancers must have let go of it before
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            depends_on=[*props.depends_on, *self.core_machines.values()],
        )

    def _elastic_name(self) -> str:
        """A name that changes with the zones, which make another group, so that it finds the name free."""
        zones = hashlib.sha256(",".join(sorted(self._props.zones)).encode()).hexdigest()[:HASH_LENGTH]
        return physical_name(self._props.name, "elastic", zones)

    def _autoscale(self, group: ComputeRegionInstanceGroupManager) -> ComputeRegionAutoscaler:
        props = self._props
        return ComputeRegionAutoscaler(
            self,
            "autoscaler",
            project=props.project,
            region=props.region,
            name=self._elastic_name(),
            target=group.id,
            autoscaling_policy=ComputeRegionAutoscalerAutoscalingPolicy(
                mode="ON",
                min_replicas=max(props.elastic_minimum, 1),
                max_replicas=props.elastic_maximum,
                cooldown_period=BOOT_SECONDS,
                cpu_utilization=ComputeRegionAutoscalerAutoscalingPolicyCpuUtilization(
                    target=props.cpu_target_percent / 100
                ),
                scale_in_control=ComputeRegionAutoscalerAutoscalingPolicyScaleInControl(
                    max_scaled_in_replicas=ComputeRegionAutoscalerAutoscalingPolicyScaleInControlMaxScaledInReplicas(
                        fixed=1
                    ),
                    time_window_sec=max(props.scale_in_seconds, LEAST_WINDOW_SECONDS),
                ),
            ),
        )
