"""The runtime manager on an instance of its own, and what that one instance may do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from constructs import Construct

from aether_infra.core import manager
from aether_infra.core.names import physical_name
from aether_infra.oracle.bindings import core_instance as instance_l1
from aether_infra.oracle.bindings import core_network_security_group_security_rule as rule_l1
from aether_infra.oracle.bindings.core_network_security_group import CoreNetworkSecurityGroup
from aether_infra.oracle.bindings.core_volume import CoreVolume
from aether_infra.oracle.bindings.core_volume_attachment import CoreVolumeAttachment
from aether_infra.oracle.machine import DATA_DEVICE
from aether_infra.oracle.network import ANYWHERE
from aether_infra.oracle.rights import place
from aether_infra.oracle.security import HTTPS, ICMP, LAST_PORT, MTU, TCP

VOLUME_GB: Final = 50
"""The smallest block volume. Source:
https://docs.oracle.com/en-us/iaas/Content/Block/Concepts/overview.htm (as of 2026-11)."""
OCPUS, MEMORY_GIB = 1, 4
"""What it takes of a flexible shape."""
NETWORK: Final = "virtual-network-family"
"""Resource type that is about interfaces, which are the machines', and about subnets, which are the network's."""
DNS: Final = ("dns-records", "dns-zones")
"""Resource types that are about the domain's zone."""


def right_statements(
    principal: str,
    rights: Collection[str],
    *,
    compartment_id: str,
    network_compartment_id: str | None = None,
    dns_zone_id: str | None,
    kms_key_id: str | None = None,
) -> list[str]:
    """Statements of a policy that gives just these rights.

    Source: https://docs.oracle.com/en-us/iaas/Content/Identity/policyadvancedfeatures/conditions.htm (as of 2026-11).

    Args:
        principal: who.
        rights: as `catalog.manager_rights` has them: `VERB RESOURCE-TYPE: PERMISSION`.
        compartment_id: where machines and load balancer are.
        network_compartment_id: where the network is, if that is another one; None for the same.
        dns_zone_id: the domain's zone; None leaves rights on DNS out.
        kms_key_id: key of the boot volumes, which whoever makes them must be let use; None for Oracle's own.
    """
    statements = []
    for kind, permissions in sorted(_by_kind(rights).items()):
        resource = kind.partition(" ")[2]
        if resource in DNS:
            if dns_zone_id is None:
                continue
            conditions = [
                f"ALL {{request.permission = '{permission}', target.dns-zone.id = '{dns_zone_id}'}}"
                for permission in permissions
            ]
            statements += [f"Allow {principal} to {kind} in tenancy where {one}" for one in conditions]
            continue
        any_of = ", ".join(f"request.permission = '{permission}'" for permission in permissions)
        places = [compartment_id]
        if network_compartment_id is not None and resource == NETWORK:
            places.append(network_compartment_id)
        statements += [
            f"Allow {principal} to {kind} in {place(one)} where ANY {{{any_of}}}" for one in places
        ]
    if kms_key_id:
        statements.append(
            f"Allow {principal} to use key-delegates in tenancy where ALL {{target.key.id = '{kms_key_id}'}}"
        )
    return statements


def _by_kind(rights: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for right in sorted(rights):
        kind, _, permission = right.partition(": ")
        found.setdefault(kind, []).append(permission)
    return found


@frozen(kw_only=True)
class ManagerProps:
    """Props of `Manager`."""

    name: str
    """Cluster's name, head of every name."""
    compartment_id: str
    """Compartment of all of it."""
    availability_domain: str
    """Where its instance and its volume are."""
    vcn_id: str
    """VCN of the nodes."""
    vcn_cidr: str
    """The VCN's range, where a journal's database is."""
    subnet_id: str
    """Subnet of the nodes."""
    private_ip: str
    """Its address in that subnet, which stays when the instance is made anew."""
    node_group_id: str
    """Network security group of the nodes, whose management port it may reach."""
    management_port: int = 8080
    """That port."""
    services_cidr: str
    """Label of all of Oracle's services in the region."""
    internet: bool = True
    """Whether it may reach HTTPS anywhere; without, Oracle's own services alone."""
    port: int = 8081
    """Port of its API."""
    allowed_cidrs: Sequence[str] = ()
    """IPv4 networks that may call its API, by its private address."""
    shape: str
    """Flexible shape."""
    image_id: str
    """Machine image of that shape's processor."""
    user_data: str
    """What it runs, in base64."""
    ssh_public_key: str | None = None
    """SSH key of its user; None for none."""
    on_volume: bool = True
    """Whether its journal is on a volume; else in a database of the VCN."""
    kms_key_id: str | None = None
    """Vault key of the volumes; None for Oracle's own."""
    protect: bool = True
    """Refuse to destroy the journal."""
    ready: Sequence[ITerraformDependable] = field(factory=tuple)
    """What must be there before its instance."""
    tags: dict[str, str]
    """Standard tags; its instance bears `aether-manager` in place of `aether-cluster`."""


class Manager(Construct):
    """An instance with a volume. New settings make another instance; address and volume stay.

    Its rights name the instance itself, so they come after it: it starts anew until it has them.
    Source: https://docs.oracle.com/en-us/iaas/Content/Identity/Tasks/callingservicesfrominstances.htm (as of 2026-11).

    Attributes:
        group: its network security group.
        rules: who may reach it, and whom it may reach.
        instance: the instance.
        volume: the journal; None where a database holds it.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = manager.own_tags(props.tags)
        self.group = CoreNetworkSecurityGroup(
            self,
            "group",
            compartment_id=props.compartment_id,
            vcn_id=props.vcn_id,
            display_name=physical_name(props.name, manager.NAME),
            freeform_tags=dict(props.tags),
        )
        self.rules: list[rule_l1.CoreNetworkSecurityGroupSecurityRule] = []
        self._rules()
        self.instance = self._instance()
        self.volume = self._volume() if props.on_volume else None

    def _rules(self) -> None:
        props = self._props
        scope = Construct(self, "allowed")
        for cidr in props.allowed_cidrs:
            self._rule(scope, cidr.replace("/", "_"), props.port, "API", source=cidr, kind="CIDR_BLOCK")
        self._rule(
            self,
            "nodes-ingress",
            props.management_port,
            "runtime manager",
            group_id=props.node_group_id,
            source=self.group.id,
            kind="NETWORK_SECURITY_GROUP",
        )
        self.rules.append(
            rule_l1.CoreNetworkSecurityGroupSecurityRule(
                self,
                "path-discovery",
                network_security_group_id=self.group.id,
                direction="INGRESS",
                description="path-discovery",
                protocol=ICMP,
                source=props.vcn_cidr,
                source_type="CIDR_BLOCK",
                icmp_options=MTU,
            )
        )
        out = Construct(self, "egress")
        self._rule(
            out,
            "nodes",
            props.management_port,
            "nodes",
            destination=props.node_group_id,
            kind="NETWORK_SECURITY_GROUP",
        )
        self._rule(
            out,
            "services",
            HTTPS,
            "Oracle's services",
            destination=props.services_cidr,
            kind="SERVICE_CIDR_BLOCK",
        )
        if props.internet:
            self._rule(out, "https", HTTPS, "image registry", destination=ANYWHERE, kind="CIDR_BLOCK")
        if not props.on_volume:
            # where the database is, and on which port, its address says, which is a secret
            self._rule(out, "database", None, "journal", destination=props.vcn_cidr, kind="CIDR_BLOCK")

    def _rule(
        self,
        scope: Construct,
        id_: str,
        port: int | None,
        description: str,
        *,
        kind: str,
        group_id: str | None = None,
        source: str | None = None,
        destination: str | None = None,
    ) -> None:
        ports = rule_l1.CoreNetworkSecurityGroupSecurityRuleTcpOptionsDestinationPortRange(
            min=port or 1, max=port or LAST_PORT
        )
        ends: dict[str, Any] = (
            {"direction": "INGRESS", "source": source, "source_type": kind}
            if source is not None
            else {"direction": "EGRESS", "destination": destination, "destination_type": kind}
        )
        rule = rule_l1.CoreNetworkSecurityGroupSecurityRule(
            scope,
            id_,
            network_security_group_id=group_id or self.group.id,
            description=description,
            protocol=TCP,
            tcp_options=rule_l1.CoreNetworkSecurityGroupSecurityRuleTcpOptions(destination_port_range=ports),
            **ends,
        )
        self.rules.append(rule)

    def _instance(self) -> instance_l1.CoreInstance:
        props = self._props
        key = {"ssh_authorized_keys": props.ssh_public_key} if props.ssh_public_key else {}
        return instance_l1.CoreInstance(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            availability_domain=props.availability_domain,
            display_name=physical_name(props.name, manager.NAME),
            shape=props.shape,
            shape_config=instance_l1.CoreInstanceShapeConfig(ocpus=OCPUS, memory_in_gbs=MEMORY_GIB),
            source_details=instance_l1.CoreInstanceSourceDetails(
                source_type="image", source_id=props.image_id, kms_key_id=props.kms_key_id
            ),
            create_vnic_details=instance_l1.CoreInstanceCreateVnicDetails(
                subnet_id=props.subnet_id,
                assign_public_ip="false",
                nsg_ids=[self.group.id],
                private_ip=props.private_ip,
            ),
            instance_options=instance_l1.CoreInstanceInstanceOptions(are_legacy_imds_endpoints_disabled=True),
            availability_config=instance_l1.CoreInstanceAvailabilityConfig(
                recovery_action="RESTORE_INSTANCE"
            ),
            is_pv_encryption_in_transit_enabled=True,
            preserve_boot_volume=False,
            metadata={"user_data": props.user_data, **key},
            depends_on=[*props.ready, *self.rules],
            # a new build of the image is for a new instance only
            lifecycle=TerraformResourceLifecycle(ignore_changes=["source_details"]),
            freeform_tags=self._tags,
        )

    def _volume(self) -> CoreVolume:
        props = self._props
        volume = CoreVolume(
            self,
            "journal",
            compartment_id=props.compartment_id,
            availability_domain=props.availability_domain,
            display_name=physical_name(props.name, manager.NAME, "journal"),
            size_in_gbs=str(VOLUME_GB),
            kms_key_id=props.kms_key_id,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            freeform_tags=self._tags,
        )
        CoreVolumeAttachment(
            self,
            "journal-attachment",
            attachment_type="paravirtualized",
            is_pv_encryption_in_transit_enabled=True,
            instance_id=self.instance.id,
            volume_id=volume.id,
            device=DATA_DEVICE,
        )
        return volume
