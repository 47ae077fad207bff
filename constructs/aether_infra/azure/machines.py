"""The cluster on virtual machines: one a core node, a scale set for elastic nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from math import ceil
from typing import Any

from attrs import field, frozen
from cdktf import Fn, ITerraformDependable, TerraformResourceLifecycle, Token
from cdktf_cdktf_provider_azurerm import linux_virtual_machine as machine_l1
from cdktf_cdktf_provider_azurerm import linux_virtual_machine_scale_set as scale_set_l1
from cdktf_cdktf_provider_azurerm import monitor_autoscale_setting as autoscale_l1
from cdktf_cdktf_provider_azurerm.availability_set import AvailabilitySet
from cdktf_cdktf_provider_azurerm.linux_virtual_machine import LinuxVirtualMachine
from cdktf_cdktf_provider_azurerm.linux_virtual_machine_scale_set import LinuxVirtualMachineScaleSet
from cdktf_cdktf_provider_azurerm.managed_disk import ManagedDisk
from cdktf_cdktf_provider_azurerm.monitor_autoscale_setting import MonitorAutoscaleSetting
from cdktf_cdktf_provider_azurerm.network_interface import NetworkInterface, NetworkInterfaceIpConfiguration
from cdktf_cdktf_provider_azurerm.network_interface_application_security_group_association import (
    NetworkInterfaceApplicationSecurityGroupAssociation,
)
from cdktf_cdktf_provider_azurerm.network_interface_backend_address_pool_association import (
    NetworkInterfaceBackendAddressPoolAssociation,
)
from cdktf_cdktf_provider_azurerm.network_interface_security_group_association import (
    NetworkInterfaceSecurityGroupAssociation,
)
from cdktf_cdktf_provider_azurerm.virtual_machine_data_disk_attachment import VirtualMachineDataDiskAttachment
from cdktf_cdktf_provider_azurerm.virtual_machine_extension import VirtualMachineExtension
from cdktf_cdktf_provider_azurerm.virtual_machine_run_command import (
    VirtualMachineRunCommand,
    VirtualMachineRunCommandSource,
)
from constructs import Construct

from aether_infra.azure.monitoring import Collection
from aether_infra.azure.protection import lock
from aether_infra.cdk.text import base64_json_text, base64_text, json_text
from aether_infra.core.machine import MachineNode, cloud_config, cloud_config_document
from aether_infra.core.names import physical_name
from aether_infra.core.node import core_ids, spread
from aether_infra.core.tags import NodeRole, node_tags

OS_DISK_GIB = 64
"""System, image and logs."""
DATA_LUN = 10
IP_CONFIGURATION = "primary"
HIGHEST_CORE_ADDRESS = -2
"""Core nodes have the last addresses of the subnet, from the top; those of elastic ones are given out from below."""
BOOT_SECONDS = 600
"""From a machine's start to a node that answers, at the slowest: packages, image, JVM. With the longest
`start_seconds`, 300, a command still ends within the 30 minutes that Azure gives it."""
HEALTH_EXTENSION = "ApplicationHealthLinux"


@frozen(kw_only=True)
class ImageReference:
    """A machine image of the marketplace."""

    publisher: str = "Canonical"
    """Who made it."""
    offer: str = "ubuntu-24_04-lts"
    """What it is."""
    sku: str = "server"
    """Which kind of it."""
    version: str = "latest"
    """Which build; `latest`: the newest when a machine is made."""


@frozen(kw_only=True)
class MachineProps:
    """Props that all machines share."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the machines."""
    subnet_id: str
    """Their subnet."""
    security_group_id: str
    """Network security group of their interfaces."""
    application_group_id: str
    """Application security group that tells the nodes from other machines."""
    backend_pool_id: str | None = None
    """Backend pool of the load balancer; default: none."""
    identity_id: str
    """Managed identity that pulls images and reads secrets."""
    vm_size: str = "Standard_D4s_v3"
    """Size of every machine."""
    image: ImageReference = ImageReference()
    """Machine image, with cloud-init."""
    admin_username: str = "aether"
    """The administrator, who has no password."""
    admin_ssh_public_key: str
    """SSH public key of the administrator; Azure insists on one."""
    disk_type: str = "Premium_LRS"
    """Kind of the disks."""
    trusted_launch: bool = True
    """Secure boot and a virtual TPM; not with every size."""
    host_encryption: bool = False
    """Encryption at the host; the subscription must have the feature."""
    disk_encryption_set_id: str | None = None
    """Disk encryption set; default: Microsoft's keys."""
    cluster_port: int = 8090
    """For the tag that the nodes' discovery reads."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource and, with a node's own, of every machine."""


@frozen(kw_only=True)
class CoreAddressesProps:
    """Props of `CoreAddresses`."""

    machine: MachineProps
    """What all machines share."""
    count: int = 3
    """Voters: 3, 5 or 7."""
    subnet_cidr: str | None = None
    """Range of the subnet if it is ours: then each address is fixed beforehand. In somebody else's subnet Azure gives
    each interface an address, which it keeps as long as it exists."""


class CoreAddresses(Construct):
    """A network interface for each core node, before there are machines: every machine knows all addresses.

    None has a public address. Source:
    https://learn.microsoft.com/en-us/azure/virtual-network/ip-services/private-ip-addresses (as of 2026-11).

    Attributes:
        interfaces: interface of each core node's id.
        hosts: address of each core node's id.
        ready: what lets packets through.
    """

    def __init__(self, scope: Construct, id_: str, props: CoreAddressesProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.interfaces: dict[str, NetworkInterface] = {}
        self.ready: list[ITerraformDependable] = []
        for index, node_id in enumerate(core_ids(props.count)):
            below = Construct(self, node_id)
            interface = self._interface(below, node_id, HIGHEST_CORE_ADDRESS - index)
            self.interfaces[node_id] = interface
            self._admit(below, interface)
        self.hosts = {node_id: interface.private_ip_address for node_id, interface in self.interfaces.items()}

    def _interface(self, scope: Construct, node_id: str, place: int) -> NetworkInterface:
        machine, cidr = self._props.machine, self._props.subnet_cidr
        return NetworkInterface(
            scope,
            "Resource",
            name=physical_name(machine.name, node_id, limit=80),
            resource_group_name=machine.resource_group,
            location=machine.location,
            ip_configuration=[
                NetworkInterfaceIpConfiguration(
                    name=IP_CONFIGURATION,
                    subnet_id=machine.subnet_id,
                    private_ip_address_allocation="Static" if cidr else "Dynamic",
                    private_ip_address=Token.as_string(Fn.cidrhost(cidr, place)) if cidr else None,
                )
            ],
            tags=node_tags(machine.tags, NodeRole.CORE, machine.cluster_port, node_id),
        )

    def _admit(self, scope: Construct, interface: NetworkInterface) -> None:
        machine = self._props.machine
        self.ready += [
            NetworkInterfaceSecurityGroupAssociation(
                scope,
                "security-group",
                network_interface_id=interface.id,
                network_security_group_id=machine.security_group_id,
            ),
            NetworkInterfaceApplicationSecurityGroupAssociation(
                scope,
                "application-group",
                network_interface_id=interface.id,
                application_security_group_id=machine.application_group_id,
            ),
        ]
        if machine.backend_pool_id:
            NetworkInterfaceBackendAddressPoolAssociation(
                scope,
                "backend-pool",
                network_interface_id=interface.id,
                ip_configuration_name=IP_CONFIGURATION,
                backend_address_pool_id=machine.backend_pool_id,
            )


@frozen(kw_only=True)
class CoreMachinesProps:
    """Props of `CoreMachines`."""

    machine: MachineProps
    """What all machines share."""
    nodes: Mapping[str, MachineNode]
    """What each runs, by the core node's id, in order."""
    zones: Sequence[str] = ()
    """Zones that they are dealt out over; default: none, and an availability set keeps them on different racks."""
    data_volume_gib: int = 20
    """Size of each data disk."""
    protect: bool = True
    """Refuse to destroy data disks."""


class CoreMachines(Construct):
    """A machine with a data disk for each core node.

    Terraform makes a machine and never replaces it for a new image or new settings: a command that runs on it writes
    the settings, restarts the node and waits until it is back. Each machine depends on the one before, and on its
    command, so that nothing ever happens to two of them at once: if a node does not come back, Terraform stops there.
    A new machine waits for its node's liveness alone, as there may be no quorum yet. Sources:
    https://learn.microsoft.com/en-us/azure/virtual-machines/linux/run-command-managed,
    https://learn.microsoft.com/en-us/azure/virtual-machines/availability (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        props: what to run.
        addresses: interfaces of the nodes.
        ready: what a machine needs before it starts.
        logs: what the agent sends; default: no agent.

    Attributes:
        machines: machine of each core node's id.
        data_disks: data disk of each core node's id.
        rollouts: the command that brings settings to each.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: CoreMachinesProps,
        *,
        addresses: CoreAddresses,
        ready: Sequence[ITerraformDependable] = (),
        logs: Collection | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._addresses = addresses
        self.machines: dict[str, LinuxVirtualMachine] = {}
        self.data_disks: dict[str, ManagedDisk] = {}
        self.rollouts: dict[str, VirtualMachineRunCommand] = {}
        self.availability_set = None if props.zones else self._availability_set()
        self._places = spread(tuple(props.nodes), list(props.zones)) if props.zones else {}
        before: list[ITerraformDependable] = [*ready, *addresses.ready]
        for node_id, node in props.nodes.items():
            below = Construct(self, node_id)
            disk = self._data_disk(below, node_id)
            machine = self._machine(below, node_id, node, before)
            attached = VirtualMachineDataDiskAttachment(
                below,
                "data-attachment",
                managed_disk_id=disk.id,
                virtual_machine_id=machine.id,
                lun=DATA_LUN,
                caching="None",
            )
            rollout = self._rollout(below, node_id, node, machine, [attached])
            if logs:
                send_logs(below, machine.id, props.machine.identity_id, props.machine.tags, logs)
            self.machines[node_id], self.data_disks[node_id] = machine, disk
            self.rollouts[node_id] = rollout
            before = [rollout]

    def _availability_set(self) -> AvailabilitySet:
        machine = self._props.machine
        return AvailabilitySet(
            self,
            "racks",
            name=physical_name(machine.name, "core", limit=80),
            resource_group_name=machine.resource_group,
            location=machine.location,
            platform_fault_domain_count=2,
            platform_update_domain_count=len(self._props.nodes),
            managed=True,
            tags=dict(machine.tags),
        )

    def _tags(self, node_id: str) -> dict[str, str]:
        machine = self._props.machine
        return node_tags(machine.tags, NodeRole.CORE, machine.cluster_port, node_id)

    def _data_disk(self, scope: Construct, node_id: str) -> ManagedDisk:
        props, machine = self._props, self._props.machine
        disk = ManagedDisk(
            scope,
            "data",
            name=physical_name(machine.name, node_id, "data", limit=80),
            resource_group_name=machine.resource_group,
            location=machine.location,
            zone=self._places.get(node_id),
            storage_account_type=machine.disk_type,
            create_option="Empty",
            disk_size_gb=props.data_volume_gib,
            disk_encryption_set_id=machine.disk_encryption_set_id,
            network_access_policy="DenyAll",
            public_network_access_enabled=False,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None, ignore_changes=["zone", "storage_account_type"]
            ),
            tags=self._tags(node_id),
        )
        if props.protect:
            lock(scope, "data-lock", disk.id, f"Data of {node_id}")
        return disk

    def _machine(
        self,
        scope: Construct,
        node_id: str,
        node: MachineNode,
        before: Sequence[ITerraformDependable],
    ) -> LinuxVirtualMachine:
        machine = self._props.machine
        return LinuxVirtualMachine(
            scope,
            "Resource",
            name=physical_name(machine.name, node_id, limit=64),
            resource_group_name=machine.resource_group,
            location=machine.location,
            zone=self._places.get(node_id),
            availability_set_id=self.availability_set.id if self.availability_set else None,
            size=machine.vm_size,
            network_interface_ids=[self._addresses.interfaces[node_id].id],
            admin_username=machine.admin_username,
            admin_ssh_key=[
                machine_l1.LinuxVirtualMachineAdminSshKey(
                    username=machine.admin_username, public_key=machine.admin_ssh_public_key
                )
            ],
            disable_password_authentication=True,
            source_image_reference=machine_l1.LinuxVirtualMachineSourceImageReference(
                publisher=machine.image.publisher,
                offer=machine.image.offer,
                sku=machine.image.sku,
                version=machine.image.version,
            ),
            os_disk=machine_l1.LinuxVirtualMachineOsDisk(
                caching="ReadWrite",
                storage_account_type=machine.disk_type,
                disk_size_gb=OS_DISK_GIB,
                disk_encryption_set_id=machine.disk_encryption_set_id,
            ),
            identity=machine_l1.LinuxVirtualMachineIdentity(
                type="UserAssigned", identity_ids=[machine.identity_id]
            ),
            encryption_at_host_enabled=machine.host_encryption,
            secure_boot_enabled=machine.trusted_launch,
            vtpm_enabled=machine.trusted_launch,
            # managed storage
            boot_diagnostics=machine_l1.LinuxVirtualMachineBootDiagnostics(storage_account_uri=None),
            # updates of security come by themselves; what restarts a voter must come one at a time
            patch_mode="ImageDefault",
            custom_data=base64_text(cloud_config(node)),
            # all of them are for a new machine; a change would replace a voter
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=[
                    "admin_ssh_key",
                    "admin_username",
                    "custom_data",
                    "os_disk[0].storage_account_type",
                    "secure_boot_enabled",
                    "source_image_reference",
                    "vtpm_enabled",
                    "zone",
                ]
            ),
            depends_on=list(before),
            tags=self._tags(node_id),
        )

    def _rollout(
        self,
        scope: Construct,
        node_id: str,
        node: MachineNode,
        machine: LinuxVirtualMachine,
        ready: Sequence[ITerraformDependable],
    ) -> VirtualMachineRunCommand:
        props = self._props
        return VirtualMachineRunCommand(
            scope,
            "rollout",
            name="aether-settings",
            location=props.machine.location,
            virtual_machine_id=machine.id,
            source=VirtualMachineRunCommandSource(script=self._script(node)),
            depends_on=list(ready),
            tags=self._tags(node_id),
        )

    def _script(self, node: MachineNode) -> str:
        """The program with a node's files; it names the size, since a new size restarts the machine too."""
        values = {
            "FILES": base64_json_text(cloud_config_document(node)["write_files"]),
            "CORE_NODES": len(self._props.nodes),
            "MANAGEMENT_PORT": node.ports.management,
            "LIVENESS_PATH": node.health.liveness_path,
            "READINESS_PATH": node.health.readiness_path,
            "PATIENCE_SECONDS": node.health.start_seconds + BOOT_SECONDS,
        }
        program = files("aether_infra.azure.machine_rollout").joinpath("roll.py").read_text(encoding="utf-8")
        for name, value in values.items():
            program = program.replace(f"@{name}@", str(value))
        return "\n".join(
            [
                "#!/bin/sh",
                f"# {self._props.machine.vm_size}",
                "exec python3 - <<'END_OF_PROGRAM'",
                program.rstrip(),
                "END_OF_PROGRAM",
                "",
            ]
        )


_AGENT: Mapping[str, Any] = {
    "name": "AzureMonitorLinuxAgent",
    "publisher": "Microsoft.Azure.Monitor",
    "type": "AzureMonitorLinuxAgent",
    "type_handler_version": "1.33",
}
"""The agent that sends logs. Source:
https://learn.microsoft.com/en-us/azure/azure-monitor/agents/azure-monitor-agent-manage (as of 2026-11)."""


def send_logs(
    scope: Construct, machine_id: str, identity_id: str, tags: Mapping[str, str], logs: Collection
) -> None:
    """Let a machine send its logs.

    Args:
        scope: the construct that owns the agent.
        machine_id: the machine.
        identity_id: the identity that the agent acts as.
        tags: tags of the agent.
        logs: what it sends.
    """
    VirtualMachineExtension(
        scope,
        "agent",
        virtual_machine_id=machine_id,
        automatic_upgrade_enabled=True,
        auto_upgrade_minor_version=True,
        settings=_agent_settings(identity_id),
        tags=dict(tags),
        **_AGENT,
    )
    logs.attach(scope, "logs", machine_id, "aether-logs")


def _agent_settings(identity_id: str) -> str:
    identity = {"identifier-name": "mi_res_id", "identifier-value": identity_id}
    return json_text({"authentication": {"managedIdentity": identity}})


@frozen(kw_only=True)
class ElasticMachinesProps:
    """Props of `ElasticMachines`."""

    machine: MachineProps
    """What all machines share."""
    node: MachineNode
    """What each runs: a node without an id."""
    zones: Sequence[str] = ()
    """Zones that they are spread over evenly."""
    minimum: int = 0
    """Fewest elastic nodes."""
    maximum: int = 7
    """Most elastic nodes."""
    spot: bool = False
    """Spot capacity."""
    cpu_target_percent: int = 60
    """Mean CPU to keep below."""
    scale_out_cooldown_seconds: int = 60
    """Pause after adding a node."""
    scale_in_cooldown_seconds: int = 300
    """Pause after removing a node."""


class ElasticMachines(Construct):
    """A scale set of elastic nodes.

    A machine whose node does not live is replaced; that it is not ready, for want of a quorum, is no reason. A new
    model goes through the set a fifth at a time. The autoscaler adds a node while the set, or any core node, is above
    the CPU target, and takes one away while the set is below half of it: core nodes count, as there may be no elastic
    one. Sources:
    https://learn.microsoft.com/en-us/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-automatic-instance-repairs,
    https://learn.microsoft.com/en-us/azure/azure-monitor/autoscale/autoscale-understanding-settings (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        props: what to run.
        core: id of each core node's machine.
        ready: what a machine needs before it starts.
        logs: what the agent sends; default: no agent.

    Attributes:
        scale_set: the set.
        autoscale: its autoscaler.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: ElasticMachinesProps,
        *,
        core: Mapping[str, str],
        ready: Sequence[ITerraformDependable] = (),
        logs: Collection | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.scale_set = self._scale_set(ready, with_agent=logs is not None)
        self.autoscale = self._autoscale(core)
        if logs:
            logs.attach(self, "logs", self.scale_set.id, "aether-logs")

    def _scale_set(
        self, ready: Sequence[ITerraformDependable], *, with_agent: bool
    ) -> LinuxVirtualMachineScaleSet:
        props, machine = self._props, self._props.machine
        spot = {"priority": "Spot", "eviction_policy": "Delete", "max_bid_price": -1} if props.spot else {}
        return LinuxVirtualMachineScaleSet(
            self,
            "Resource",
            name=physical_name(machine.name, "elastic", limit=58),
            resource_group_name=machine.resource_group,
            location=machine.location,
            sku=machine.vm_size,
            instances=props.minimum,
            zones=list(props.zones) or None,
            zone_balance=len(props.zones) > 1 or None,
            single_placement_group=False,
            overprovision=False,
            admin_username=machine.admin_username,
            admin_ssh_key=[
                scale_set_l1.LinuxVirtualMachineScaleSetAdminSshKey(
                    username=machine.admin_username, public_key=machine.admin_ssh_public_key
                )
            ],
            disable_password_authentication=True,
            source_image_reference=scale_set_l1.LinuxVirtualMachineScaleSetSourceImageReference(
                publisher=machine.image.publisher,
                offer=machine.image.offer,
                sku=machine.image.sku,
                version=machine.image.version,
            ),
            os_disk=scale_set_l1.LinuxVirtualMachineScaleSetOsDisk(
                caching="ReadWrite",
                storage_account_type=machine.disk_type,
                disk_size_gb=OS_DISK_GIB,
                disk_encryption_set_id=machine.disk_encryption_set_id,
            ),
            network_interface=[self._interface()],
            identity=scale_set_l1.LinuxVirtualMachineScaleSetIdentity(
                type="UserAssigned", identity_ids=[machine.identity_id]
            ),
            encryption_at_host_enabled=machine.host_encryption,
            secure_boot_enabled=machine.trusted_launch,
            vtpm_enabled=machine.trusted_launch,
            boot_diagnostics=scale_set_l1.LinuxVirtualMachineScaleSetBootDiagnostics(
                storage_account_uri=None
            ),
            custom_data=base64_text(cloud_config(props.node)),
            extension=self._extensions(with_agent=with_agent),
            upgrade_mode="Rolling",
            rolling_upgrade_policy=scale_set_l1.LinuxVirtualMachineScaleSetRollingUpgradePolicy(
                max_batch_instance_percent=20,
                max_unhealthy_instance_percent=20,
                max_unhealthy_upgraded_instance_percent=20,
                pause_time_between_batches="PT1M",
                prioritize_unhealthy_instances_enabled=True,
            ),
            automatic_instance_repair=scale_set_l1.LinuxVirtualMachineScaleSetAutomaticInstanceRepair(
                enabled=True,
                grace_period=_minutes(props.node.health.start_seconds + BOOT_SECONDS),
                action="Replace",
            ),
            # the autoscaler owns the count
            lifecycle=TerraformResourceLifecycle(ignore_changes=["instances"]),
            depends_on=list(ready),
            tags=node_tags(machine.tags, NodeRole.WORKER, machine.cluster_port),
            **spot,  # type: ignore[arg-type]
        )

    def _interface(self) -> scale_set_l1.LinuxVirtualMachineScaleSetNetworkInterface:
        machine = self._props.machine
        return scale_set_l1.LinuxVirtualMachineScaleSetNetworkInterface(
            name=IP_CONFIGURATION,
            primary=True,
            network_security_group_id=machine.security_group_id,
            ip_configuration=[
                scale_set_l1.LinuxVirtualMachineScaleSetNetworkInterfaceIpConfiguration(
                    name=IP_CONFIGURATION,
                    primary=True,
                    subnet_id=machine.subnet_id,
                    application_security_group_ids=[machine.application_group_id],
                    load_balancer_backend_address_pool_ids=[machine.backend_pool_id]
                    if machine.backend_pool_id
                    else None,
                )
            ],
        )

    def _extensions(self, *, with_agent: bool) -> list[Any]:
        health = self._props.node.health
        extension = scale_set_l1.LinuxVirtualMachineScaleSetExtension
        extensions = [
            extension(
                name="health",
                publisher="Microsoft.ManagedServices",
                type=HEALTH_EXTENSION,
                type_handler_version="1.0",
                auto_upgrade_minor_version=True,
                settings=json_text(
                    {
                        "protocol": "http",
                        "port": self._props.node.ports.management,
                        "requestPath": health.liveness_path,
                        # the extension knows no longer interval
                        "intervalInSeconds": min(health.interval_seconds, 60),
                        "numberOfProbes": health.unhealthy_threshold,
                    }
                ),
            )
        ]
        if with_agent:
            agent = extension(
                automatic_upgrade_enabled=True,
                auto_upgrade_minor_version=True,
                settings=_agent_settings(self._props.machine.identity_id),
                **_AGENT,
            )
            extensions.append(agent)
        return extensions

    def _autoscale(self, core: Mapping[str, str]) -> MonitorAutoscaleSetting:
        props, machine = self._props, self._props.machine
        target = props.cpu_target_percent
        watched = {"elastic": self.scale_set.id, **core}
        rules = [self._rule(resource_id, out=True, threshold=target) for resource_id in watched.values()]
        rules.append(self._rule(self.scale_set.id, out=False, threshold=target // 2))
        return MonitorAutoscaleSetting(
            self,
            "autoscale",
            name=physical_name(machine.name, "elastic", limit=260),
            resource_group_name=machine.resource_group,
            location=machine.location,
            target_resource_id=self.scale_set.id,
            profile=[
                autoscale_l1.MonitorAutoscaleSettingProfile(
                    name="cpu",
                    capacity=autoscale_l1.MonitorAutoscaleSettingProfileCapacity(
                        minimum=props.minimum, maximum=props.maximum, default=props.minimum
                    ),
                    rule=rules,
                )
            ],
            tags=dict(machine.tags),
        )

    def _rule(
        self, resource_id: str, *, out: bool, threshold: int
    ) -> autoscale_l1.MonitorAutoscaleSettingProfileRule:
        props = self._props
        pause = props.scale_out_cooldown_seconds if out else props.scale_in_cooldown_seconds
        return autoscale_l1.MonitorAutoscaleSettingProfileRule(
            metric_trigger=autoscale_l1.MonitorAutoscaleSettingProfileRuleMetricTrigger(
                metric_name="Percentage CPU",
                metric_resource_id=resource_id,
                time_grain="PT1M",
                statistic="Average",
                time_window="PT5M" if out else "PT10M",
                time_aggregation="Average",
                operator="GreaterThan" if out else "LessThan",
                threshold=threshold,
            ),
            scale_action=autoscale_l1.MonitorAutoscaleSettingProfileRuleScaleAction(
                direction="Increase" if out else "Decrease",
                type="ChangeCount",
                value=1,
                cooldown=_minutes(pause),
            ),
        )


def _minutes(seconds: int) -> str:
    """A time as ISO 8601, in whole minutes: at least one, as the autoscaler wants it."""
    return f"PT{max(1, ceil(seconds / 60))}M"
