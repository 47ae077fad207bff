"""The runtime manager on a virtual machine of its own."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm import linux_virtual_machine as machine_l1
from cdktf_cdktf_provider_azurerm.application_security_group import ApplicationSecurityGroup
from cdktf_cdktf_provider_azurerm.linux_virtual_machine import LinuxVirtualMachine
from cdktf_cdktf_provider_azurerm.managed_disk import ManagedDisk
from cdktf_cdktf_provider_azurerm.network_interface import NetworkInterface, NetworkInterfaceIpConfiguration
from cdktf_cdktf_provider_azurerm.network_interface_application_security_group_association import (
    NetworkInterfaceApplicationSecurityGroupAssociation,
)
from cdktf_cdktf_provider_azurerm.network_interface_security_group_association import (
    NetworkInterfaceSecurityGroupAssociation,
)
from cdktf_cdktf_provider_azurerm.network_security_group import NetworkSecurityGroup
from cdktf_cdktf_provider_azurerm.network_security_rule import NetworkSecurityRule
from cdktf_cdktf_provider_azurerm.virtual_machine_data_disk_attachment import VirtualMachineDataDiskAttachment
from constructs import Construct

from aether_infra.azure.machines import DATA_LUN, IP_CONFIGURATION, OS_DISK_GIB, MachineProps, send_logs
from aether_infra.azure.monitoring import Collection
from aether_infra.azure.protection import lock
from aether_infra.azure.security import LOWEST_PRIORITY
from aether_infra.azure.sources import merged
from aether_infra.cdk.text import base64_text
from aether_infra.core import manager
from aether_infra.core.machine import MachineNode, cloud_config
from aether_infra.core.names import physical_name

NODES_PRIORITY = 4000
"""Of the rule that lets it reach the nodes: after theirs, before the one that refuses everything else."""


@frozen(kw_only=True)
class ManagerProps:
    """Props of `Manager`."""

    machine: MachineProps
    """What its machine has in common with the nodes'; size, image, identity and tags are its own."""
    node: MachineNode
    """What it runs (see `core.manager.machine`)."""
    zone: str | None = None
    """Its zone, and its disk's; None in a location without zones."""
    port: int = 8081
    """Port of its API."""
    allowed_cidrs: Sequence[str] = ()
    """IPv4 networks that may call its API, by its private address."""
    management_port: int = 8080
    """Port of the nodes that it asks."""
    node_security_group: str
    """Name of the nodes' network security group, which lets it in."""
    on_volume: bool = True
    """Whether its journal is on a disk."""
    protect: bool = True
    """Refuse to destroy the journal."""
    ready: Sequence[ITerraformDependable] = ()
    """What must be there before its machine starts: roles, the way outside."""


class Manager(Construct):
    """A machine with a disk for the journal. New settings or a new image make another machine; address and disk stay.

    It has no public address, and nobody reaches its API but `allowed_cidrs`.
    Source: https://learn.microsoft.com/en-us/azure/virtual-network/application-security-groups (as of 2026-11).

    Attributes:
        application_group: tells it from other machines.
        security_group: who may reach it.
        interface: its network interface.
        disk: disk of its journal; None where a database holds it.
        machine: its machine.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerProps, *, logs: Collection) -> None:
        """Declare it.

        Args:
            scope: the construct that owns it.
            id_: its id below that.
            props: the props.
            logs: what the agent sends.
        """
        super().__init__(scope, id_)
        self._props = props
        machine = props.machine
        self._tags = manager.own_tags(machine.tags)
        self._name = physical_name(machine.name, manager.NAME, limit=64)
        self._group, self._location = machine.resource_group, machine.location
        self.application_group = ApplicationSecurityGroup(
            self,
            "application-group",
            name=self._name,
            tags=self._tags,
            resource_group_name=self._group,
            location=self._location,
        )
        self.security_group = NetworkSecurityGroup(
            self,
            "security-group",
            name=self._name,
            tags=self._tags,
            resource_group_name=self._group,
            location=self._location,
        )
        self._rules()
        self.interface = self._interface()
        self.disk = self._disk() if props.on_volume else None
        self.machine = self._machine()
        send_logs(self, self.machine.id, machine.identity_id, self._tags, logs)
        if self.disk is not None:
            VirtualMachineDataDiskAttachment(
                self,
                "journal-attachment",
                managed_disk_id=self.disk.id,
                virtual_machine_id=self.machine.id,
                lun=DATA_LUN,
                caching="None",
            )

    def _rules(self) -> None:
        props = self._props
        if props.allowed_cidrs:
            self._rule(
                "api",
                100,
                "Allow",
                protocol="Tcp",
                destination_port_range=str(props.port),
                source_address_prefixes=merged(props.allowed_cidrs),
                destination_address_prefix="*",
            )
        self._rule(
            "everything-else",
            LOWEST_PRIORITY,
            "Deny",
            protocol="*",
            destination_port_range="*",
            source_address_prefix="*",
            destination_address_prefix="*",
        )
        self.into_nodes = NetworkSecurityRule(
            self,
            "nodes",
            name="allow-manager",
            resource_group_name=props.machine.resource_group,
            network_security_group_name=props.node_security_group,
            priority=NODES_PRIORITY,
            direction="Inbound",
            access="Allow",
            protocol="Tcp",
            source_port_range="*",
            destination_port_range=str(props.management_port),
            source_application_security_group_ids=[self.application_group.id],
            destination_application_security_group_ids=[props.machine.application_group_id],
        )

    def _rule(self, concern: str, priority: int, access: str, **arguments: str | list[str]) -> None:
        NetworkSecurityRule(
            self,
            concern,
            name=f"{access.lower()}-{concern}",
            resource_group_name=self._props.machine.resource_group,
            network_security_group_name=self.security_group.name,
            priority=priority,
            direction="Inbound",
            access=access,
            source_port_range="*",
            **arguments,  # type: ignore[arg-type]
        )

    def _interface(self) -> NetworkInterface:
        interface = NetworkInterface(
            self,
            "interface",
            name=self._name,
            ip_configuration=[
                NetworkInterfaceIpConfiguration(
                    name=IP_CONFIGURATION,
                    subnet_id=self._props.machine.subnet_id,
                    # kept as long as the interface is there, which outlives its machines
                    private_ip_address_allocation="Dynamic",
                )
            ],
            tags=self._tags,
            resource_group_name=self._group,
            location=self._location,
        )
        self._admitted: list[ITerraformDependable] = [
            NetworkInterfaceSecurityGroupAssociation(
                self,
                "interface-security-group",
                network_interface_id=interface.id,
                network_security_group_id=self.security_group.id,
            ),
            NetworkInterfaceApplicationSecurityGroupAssociation(
                self,
                "interface-application-group",
                network_interface_id=interface.id,
                application_security_group_id=self.application_group.id,
            ),
        ]
        return interface

    def _disk(self) -> ManagedDisk:
        props, machine = self._props, self._props.machine
        disk = ManagedDisk(
            self,
            "journal",
            name=physical_name(machine.name, manager.NAME, "journal", limit=80),
            zone=props.zone,
            storage_account_type=machine.disk_type,
            create_option="Empty",
            disk_size_gb=manager.JOURNAL_GIB,
            disk_encryption_set_id=machine.disk_encryption_set_id,
            network_access_policy="DenyAll",
            public_network_access_enabled=False,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None, ignore_changes=["zone", "storage_account_type"]
            ),
            tags=self._tags,
            resource_group_name=self._group,
            location=self._location,
        )
        if props.protect:
            lock(self, "journal-lock", disk.id, "Journal of the runtime manager")
        return disk

    def _machine(self) -> LinuxVirtualMachine:
        props, machine = self._props, self._props.machine
        return LinuxVirtualMachine(
            self,
            "Resource",
            name=self._name,
            zone=props.zone,
            size=machine.vm_size,
            network_interface_ids=[self.interface.id],
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
            patch_mode="ImageDefault",
            custom_data=base64_text(cloud_config(props.node)),
            # another zone would need another disk
            lifecycle=TerraformResourceLifecycle(ignore_changes=["zone"]),
            depends_on=[*props.ready, *self._admitted, self.into_nodes],
            tags=self._tags,
            resource_group_name=self._group,
            location=self._location,
        )
