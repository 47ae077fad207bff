"""The cluster on virtual machines: one instance a core node, an instance pool for elastic nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from constructs import Construct

from aether_infra.catalog import oracle as catalog
from aether_infra.core.names import physical_name
from aether_infra.core.tags import NodeRole, node_tags
from aether_infra.oracle.bindings import autoscaling_auto_scaling_configuration as scaling_l1
from aether_infra.oracle.bindings import core_instance as instance_l1
from aether_infra.oracle.bindings import core_instance_configuration as template_l1
from aether_infra.oracle.bindings import core_instance_pool as pool_l1
from aether_infra.oracle.bindings.core_volume import CoreVolume
from aether_infra.oracle.bindings.core_volume_attachment import CoreVolumeAttachment
from aether_infra.oracle.load_balancer import LoadBalancer
from aether_infra.oracle.machine import DATA_DEVICE

FAULT_DOMAINS = 3
"""Of every availability domain. Source:
https://docs.oracle.com/en-us/iaas/Content/General/Concepts/regions.htm#fault (as of 2026-11)."""
SHORTEST_COOLDOWN_SECONDS = 300
"""Source: https://registry.terraform.io/providers/oracle/oci/8.28.0/docs/resources/autoscaling_auto_scaling_configuration
(as of 2026-11)."""

# the generated names run to 90 characters
_Details = template_l1.CoreInstanceConfigurationInstanceDetails
_Launch = template_l1.CoreInstanceConfigurationInstanceDetailsLaunchDetails
_Vnic = template_l1.CoreInstanceConfigurationInstanceDetailsLaunchDetailsCreateVnicDetails
_Source = template_l1.CoreInstanceConfigurationInstanceDetailsLaunchDetailsSourceDetails
_Shape = template_l1.CoreInstanceConfigurationInstanceDetailsLaunchDetailsShapeConfig
_Options = template_l1.CoreInstanceConfigurationInstanceDetailsLaunchDetailsInstanceOptions
_Preemptible = template_l1.CoreInstanceConfigurationInstanceDetailsLaunchDetailsPreemptibleInstanceConfig
_Preemption = (
    template_l1.CoreInstanceConfigurationInstanceDetailsLaunchDetailsPreemptibleInstanceConfigPreemptionAction
)


@frozen(kw_only=True)
class CoreNode:
    """A core node."""

    node_id: str
    """Its id in the cluster."""
    availability_domain: str
    """Where it runs."""
    fault_domain: int
    """Which of the three fault domains there, 1-3."""
    private_ip: str
    """Its address in the subnet, for good."""
    user_data: str
    """Cloud-init text in base64."""


@frozen(kw_only=True)
class VmClusterProps:
    """Props of `VmCluster`."""

    name: str
    """Cluster's name, head of every name."""
    compartment_id: str
    """Compartment of all of it."""
    core: Sequence[CoreNode]
    """The voters."""
    elastic_minimum: int = 0
    """Fewest elastic nodes."""
    elastic_maximum: int = 0
    """Most elastic nodes; 0 for none at all."""
    elastic_user_data: str
    """Cloud-init text of an elastic node, in base64."""
    availability_domains: Sequence[str]
    """Availability domains of elastic nodes, by name."""
    subnet_id: str
    """Private, regional subnet."""
    group_id: str
    """The nodes' security group."""
    image_id: str
    """Machine image: Oracle Linux 9 or what behaves like it."""
    shape: str = "VM.Standard.E5.Flex"
    """Shape of every instance."""
    ocpus: int = 2
    """OCPUs of an instance of a flexible shape."""
    memory_gib: int = 16
    """Memory of an instance of a flexible shape."""
    data_volume_gib: int = 50
    """Size of each core node's data volume; 50 at least."""
    cluster_port: int = 8090
    """For the tag that the nodes' discovery reads."""
    managed: bool = False
    """Whether the runtime manager makes the elastic nodes, from the template; default: an autoscaled pool does."""
    spot: bool = False
    """Run elastic nodes, never core ones, on preemptible capacity."""
    cpu_target_percent: int = 60
    """Mean CPU above which an elastic node is added; below half of it, one is removed."""
    cooldown_seconds: int = SHORTEST_COOLDOWN_SECONDS
    """Pause between two of these; 300 at least."""
    kms_key_id: str | None = None
    """Vault key of the volumes; default: Oracle's own."""
    ssh_public_key: str | None = None
    """SSH public key of the user `opc`; no security group of ours lets SSH pass."""
    protect: bool = True
    """Refuse to destroy core nodes and their data."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of every resource and, with a node's own, of every instance and volume."""


class VmCluster(Construct):
    """An Aether cluster on instances without public addresses.

    A core node is one instance with an address, a data volume and a place. Terraform makes it and never replaces it
    for a new machine image or user data; core nodes depend on each other, so that a change of the shape, which
    reboots an instance, goes one by one. Elastic nodes are an instance pool; its template outlives it.
    Sources: https://docs.oracle.com/en-us/iaas/Content/Compute/Concepts/instancemanagement.htm,
    https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/autoscalinginstancepools.htm (as of 2026-11).

    Attributes:
        core_instances: instance of each core node's id.
        data_volumes: data volume of each core node's id.
        template: instance configuration of elastic nodes, for Layer 2 too.
        pool: pool of the elastic nodes, if any.
        scaling: what says how many there are, if any.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: VmClusterProps,
        *,
        load_balancer: LoadBalancer | None = None,
        ready: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Declare the cluster.

        Args:
            scope: the construct that owns it.
            id_: its id below that.
            props: what to run.
            load_balancer: what sends traffic to the nodes; default: nothing.
            ready: what must exist before instances: their rights, the security rules.
        """
        super().__init__(scope, id_)
        self._props = props
        self._balancer = load_balancer
        self._ready = list(ready)
        self._bare_metal = catalog.bare_metal(props.shape)
        self.core_instances: dict[str, instance_l1.CoreInstance] = {}
        self.data_volumes: dict[str, CoreVolume] = {}
        for node in props.core:
            self._core_node(node)
        self.template = self._template()
        self.pool: pool_l1.CoreInstancePool | None = None
        self.scaling: scaling_l1.AutoscalingAutoScalingConfiguration | None = None
        if props.elastic_maximum and not props.managed:
            self.pool = self._pool()
            self.scaling = self._scaling(self.pool)

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know of this kind of compute."""
        return {
            "instance_configuration_id": self.template.id,
            "instance_pool_id": self.pool.id if self.pool else None,
            "core_instances": {node: instance.id for node, instance in self.core_instances.items()},
        }

    def _core_node(self, node: CoreNode) -> None:
        props = self._props
        scope = Construct(self, node.node_id)
        tags = node_tags(props.tags, NodeRole.CORE, props.cluster_port, node.node_id)
        before = [self.core_instances[self._last]] if self.core_instances else []
        instance = self._core_instance(scope, node, tags, before)
        self.core_instances[node.node_id] = instance
        volume = CoreVolume(
            scope,
            "data",
            compartment_id=props.compartment_id,
            availability_domain=node.availability_domain,
            display_name=physical_name(props.name, node.node_id, "data"),
            size_in_gbs=str(props.data_volume_gib),
            kms_key_id=props.kms_key_id,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            freeform_tags=tags,
        )
        self.data_volumes[node.node_id] = volume
        CoreVolumeAttachment(
            scope,
            "data-attachment",
            # bare metal has no paravirtualized attachments
            attachment_type="iscsi" if self._bare_metal else "paravirtualized",
            is_agent_auto_iscsi_login_enabled=self._bare_metal or None,
            is_pv_encryption_in_transit_enabled=None if self._bare_metal else True,
            instance_id=instance.id,
            volume_id=volume.id,
            device=DATA_DEVICE,
        )
        if self._balancer is not None:
            self._balancer.add(scope, node.private_ip)

    @property
    def _last(self) -> str:
        return next(reversed(self.core_instances))

    def _core_instance(
        self,
        scope: Construct,
        node: CoreNode,
        tags: Mapping[str, str],
        before: Sequence[ITerraformDependable],
    ) -> instance_l1.CoreInstance:
        props = self._props
        return instance_l1.CoreInstance(
            scope,
            "Resource",
            compartment_id=props.compartment_id,
            availability_domain=node.availability_domain,
            fault_domain=f"FAULT-DOMAIN-{node.fault_domain}",
            display_name=physical_name(props.name, node.node_id),
            shape=props.shape,
            shape_config=instance_l1.CoreInstanceShapeConfig(
                ocpus=props.ocpus, memory_in_gbs=props.memory_gib
            )
            if props.shape.endswith(".Flex")
            else None,
            source_details=instance_l1.CoreInstanceSourceDetails(
                source_type="image", source_id=props.image_id, kms_key_id=props.kms_key_id
            ),
            create_vnic_details=instance_l1.CoreInstanceCreateVnicDetails(
                subnet_id=props.subnet_id,
                assign_public_ip="false",
                nsg_ids=[props.group_id],
                private_ip=node.private_ip,
            ),
            instance_options=instance_l1.CoreInstanceInstanceOptions(are_legacy_imds_endpoints_disabled=True),
            availability_config=instance_l1.CoreInstanceAvailabilityConfig(
                recovery_action="RESTORE_INSTANCE"
            ),
            is_pv_encryption_in_transit_enabled=not self._bare_metal,
            preserve_boot_volume=False,
            metadata=self._metadata(node.user_data),
            depends_on=[*self._ready, *before],
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None,
                # all of them are for a new instance; a change would replace running voters
                ignore_changes=["metadata", "source_details"],
            ),
            freeform_tags=dict(tags),
        )

    def _metadata(self, user_data: str) -> dict[str, str]:
        key = self._props.ssh_public_key
        return {"user_data": user_data} | ({"ssh_authorized_keys": key} if key else {})

    def _template(self) -> template_l1.CoreInstanceConfiguration:
        props = self._props
        tags = node_tags(props.tags, NodeRole.WORKER, props.cluster_port)
        launch = _Launch(
            compartment_id=props.compartment_id,
            display_name=physical_name(props.name, "elastic"),
            shape=props.shape,
            shape_config=_Shape(ocpus=props.ocpus, memory_in_gbs=props.memory_gib)
            if props.shape.endswith(".Flex")
            else None,
            source_details=_Source(source_type="image", image_id=props.image_id, kms_key_id=props.kms_key_id),
            create_vnic_details=_Vnic(
                subnet_id=props.subnet_id, assign_public_ip=False, nsg_ids=[props.group_id]
            ),
            instance_options=_Options(are_legacy_imds_endpoints_disabled=True),
            is_pv_encryption_in_transit_enabled=not self._bare_metal,
            preemptible_instance_config=_Preemptible(
                preemption_action=_Preemption(type="TERMINATE", preserve_boot_volume=False)
            )
            if props.spot
            else None,
            metadata=self._metadata(props.elastic_user_data),
            freeform_tags=tags,
        )
        return template_l1.CoreInstanceConfiguration(
            self,
            "template",
            compartment_id=props.compartment_id,
            display_name=physical_name(props.name, "elastic"),
            instance_details=_Details(instance_type="compute", launch_details=launch),
            # a pool must never be without one: the new one first, then the old one goes
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            freeform_tags=dict(props.tags),
        )

    def _pool(self) -> pool_l1.CoreInstancePool:
        props, balancer = self._props, self._balancer
        return pool_l1.CoreInstancePool(
            self,
            "pool",
            compartment_id=props.compartment_id,
            display_name=physical_name(props.name, "elastic"),
            instance_configuration_id=self.template.id,
            size=props.elastic_minimum,
            placement_configurations=[
                pool_l1.CoreInstancePoolPlacementConfigurations(
                    availability_domain=domain,
                    primary_vnic_subnets=pool_l1.CoreInstancePoolPlacementConfigurationsPrimaryVnicSubnets(
                        subnet_id=props.subnet_id
                    ),
                )
                for domain in props.availability_domains
            ],
            load_balancers=[
                pool_l1.CoreInstancePoolLoadBalancers(
                    load_balancer_id=balancer.id,
                    backend_set_name=balancer.backend_sets[concern].name,
                    port=port,
                    vnic_selection="PrimaryVnic",
                )
                for concern, port in balancer.inner_ports().items()
            ]
            if balancer
            else None,
            depends_on=self._ready or None,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["size"]),
            freeform_tags=dict(props.tags),
        )

    def _scaling(self, pool: pool_l1.CoreInstancePool) -> scaling_l1.AutoscalingAutoScalingConfiguration:
        props = self._props
        target = props.cpu_target_percent
        return scaling_l1.AutoscalingAutoScalingConfiguration(
            self,
            "scaling",
            compartment_id=props.compartment_id,
            display_name=physical_name(props.name, "elastic"),
            is_enabled=True,
            cool_down_in_seconds=props.cooldown_seconds,
            auto_scaling_resources=scaling_l1.AutoscalingAutoScalingConfigurationAutoScalingResources(
                id=pool.id, type="instancePool"
            ),
            policies=[
                scaling_l1.AutoscalingAutoScalingConfigurationPolicies(
                    display_name=physical_name(props.name, "cpu"),
                    policy_type="threshold",
                    is_enabled=True,
                    capacity=scaling_l1.AutoscalingAutoScalingConfigurationPoliciesCapacity(
                        initial=props.elastic_minimum,
                        min=props.elastic_minimum,
                        max=props.elastic_maximum,
                    ),
                    rules=[
                        self._rule("grow", 1, f"> {target}"),
                        self._rule("shrink", -1, f"< {target // 2}"),
                    ],
                )
            ],
            freeform_tags=dict(props.tags),
        )

    def _rule(
        self, concern: str, step: int, condition: str
    ) -> scaling_l1.AutoscalingAutoScalingConfigurationPoliciesRules:
        """Counts the core's load too: a pool without instances has none of its own."""
        props = self._props
        nodes = f"{physical_name(props.name, 'node')}-*|*{physical_name(props.name, 'elastic')}*"
        return scaling_l1.AutoscalingAutoScalingConfigurationPoliciesRules(
            display_name=concern,
            action=scaling_l1.AutoscalingAutoScalingConfigurationPoliciesRulesAction(
                type="CHANGE_COUNT_BY", value=step
            ),
            metric=scaling_l1.AutoscalingAutoScalingConfigurationPoliciesRulesMetric(
                metric_source="CUSTOM_QUERY",
                metric_compartment_id=props.compartment_id,
                namespace="oci_computeagent",
                query=f'CpuUtilization[1m]{{resourceDisplayName =~ "{nodes}"}}.grouping().mean() {condition}',
                pending_duration="PT3M",
            ),
        )
