"""The runtime manager on Compute Engine: a machine of its own, which is remade when it fails, and what it may do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_google.compute_address import ComputeAddress
from cdktf_cdktf_provider_google.compute_disk import ComputeDisk, ComputeDiskDiskEncryptionKey
from cdktf_cdktf_provider_google.compute_firewall import ComputeFirewall, ComputeFirewallAllow
from cdktf_cdktf_provider_google.compute_health_check import (
    ComputeHealthCheck,
    ComputeHealthCheckHttpHealthCheck,
)
from cdktf_cdktf_provider_google.compute_instance_group_manager import (
    ComputeInstanceGroupManager,
    ComputeInstanceGroupManagerAutoHealingPolicies,
    ComputeInstanceGroupManagerTimeouts,
    ComputeInstanceGroupManagerUpdatePolicy,
    ComputeInstanceGroupManagerVersion,
)
from cdktf_cdktf_provider_google.compute_instance_template import (
    ComputeInstanceTemplate,
    ComputeInstanceTemplateDisk,
    ComputeInstanceTemplateDiskDiskEncryptionKey,
    ComputeInstanceTemplateNetworkInterface,
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
from cdktf_cdktf_provider_google.dns_managed_zone_iam_member import DnsManagedZoneIamMember
from cdktf_cdktf_provider_google.project_iam_custom_role import ProjectIamCustomRole
from cdktf_cdktf_provider_google.project_iam_member import ProjectIamMember, ProjectIamMemberCondition
from cdktf_cdktf_provider_google.service_account_iam_member import ServiceAccountIamMember
from constructs import Construct

from aether_infra.cdk.text import local_json
from aether_infra.core import manager
from aether_infra.core.machine import cloud_config
from aether_infra.core.names import physical_name
from aether_infra.gcp.compute_engine import BOOT_DISK_GIB, BOOT_SECONDS, CLOUD_PLATFORM
from aether_infra.gcp.identity import Identity
from aether_infra.gcp.machine import DATA_DEVICE_NAME, machine_node
from aether_infra.gcp.ranges import PROXY_RANGES

ACT_AS: Final = "roles/iam.serviceAccountUser"
"""Lets it give instances the nodes' service account, and no other. Source:
https://cloud.google.com/compute/docs/access/service-accounts (as of 2026-11)."""
ROLE_ID_LIMIT: Final = 64
"""Characters of a custom role's id. Source:
https://cloud.google.com/iam/docs/creating-custom-roles (as of 2026-11)."""


@frozen(kw_only=True)
class ManagerRightsProps:
    """Props of `ManagerRights`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    member: str
    """Whom the rights are for, such as `serviceAccount:…`."""
    permissions: Collection[str]
    """What it may do, as `catalog.manager_rights` has it."""
    node_service_account: str
    """E-mail address of the service account that it gives nodes."""
    dns_zone: str | None = None
    """Cloud DNS zone that it may change; None where DNS is somebody else's: then it gets no right on DNS."""


class ManagerRights(Construct):
    """A custom role of just the permissions that the manager's calls need, and nobody else's instances.

    Sources: https://cloud.google.com/iam/docs/conditions-resource-attributes,
    https://cloud.google.com/iam/docs/creating-custom-roles (as of 2026-11).

    Attributes:
        role: the role on machines and groups.
        dns_role: the role on the DNS zone; None without one.
        grants: who has them.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerRightsProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        wanted = sorted(props.permissions)
        dns = [permission for permission in wanted if permission.startswith("dns.")]
        self.role = self._role("machines", [permission for permission in wanted if permission not in dns])
        self.grants: list[ITerraformDependable] = [
            ProjectIamMember(
                self,
                "machines-grant",
                project=props.project,
                role=self.role.name,
                member=props.member,
                condition=ProjectIamMemberCondition(
                    title="own instances",
                    description=f"Instances of Aether cluster {props.name} alone",
                    expression=(
                        'resource.type != "compute.googleapis.com/Instance" || '
                        f'resource.name.extract("/instances/{{name}}").startsWith("{props.name}-")'
                    ),
                ),
            ),
            ServiceAccountIamMember(
                self,
                "act-as",
                service_account_id=f"projects/-/serviceAccounts/{props.node_service_account}",
                role=ACT_AS,
                member=props.member,
            ),
        ]
        self.dns_role: ProjectIamCustomRole | None = None
        if props.dns_zone is not None and dns:
            self.dns_role = self._role("dns", dns)
            self.grants.append(
                DnsManagedZoneIamMember(
                    self,
                    "dns-grant",
                    project=props.project,
                    managed_zone=props.dns_zone,
                    role=self.dns_role.name,
                    member=props.member,
                )
            )

    def _role(self, concern: str, permissions: Sequence[str]) -> ProjectIamCustomRole:
        props = self._props
        name = physical_name(props.name, manager.NAME, concern, limit=ROLE_ID_LIMIT)
        return ProjectIamCustomRole(
            self,
            concern,
            project=props.project,
            role_id=name.replace("-", "_"),
            title=f"Aether runtime manager of {props.name}: {concern}",
            description="Just what the runtime manager's calls need",
            permissions=list(permissions),
            stage="GA",
        )


@frozen(kw_only=True)
class ManagerProps:
    """Props of `Manager`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    region: str
    """Region of its address."""
    zone: str
    """Zone of its machine and its disk."""
    network_project: str
    """Project of the network, where firewall rules are."""
    network_id: str
    """The network."""
    subnetwork_id: str
    """Subnet of the machine."""
    node_service_account: str
    """E-mail address of the nodes' service account: their management port it may reach."""
    management_port: int = 8080
    """That port."""
    machine_type: str = "e2-small"
    """Type of its machine."""
    machine_image: str
    """Container-Optimized OS, of the machine type's processor."""
    disk_type: str = "pd-balanced"
    """Kind of the disks."""
    shielded: bool = True
    """Whether only signed code boots."""
    kms_key: str | None = None
    """KMS key of the disks; default: Google's own."""
    image: str
    """Its image, best by digest."""
    port: int = 8081
    """Port of its API."""
    allowed_cidrs: Sequence[str] = ()
    """IPv4 networks that may call its API, by its private address."""
    runtime: Mapping[str, Any]
    """What it is told of the cluster: the output `runtime`."""
    secrets: Mapping[str, str] = field(factory=dict)
    """Environment variable and `projects/…/secrets/…/versions/…`."""
    on_volume: bool = True
    """Whether its journal is on a disk; else `secrets` has the address of a database."""
    collect: bool = False
    """Whether it ends what nobody claims."""
    protect: bool = True
    """Refuse to destroy the journal."""
    labels: Mapping[str, str] = field(factory=dict)
    """Standard labels; what is its own bears `aether-manager` in place of `aether-cluster`."""
    ready: Sequence[ITerraformDependable] = ()
    """What must be there before anything is made: the services, the right to use the key."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before its machine starts: roles, secrets, pull right, the way outside."""


class Manager(Construct):
    """A managed group of one, whose machine keeps its name, address and disk through every replacement.

    It is replaced when its settings or its image change, and when it does not live. It has no public address.
    Source: https://cloud.google.com/compute/docs/instance-groups/stateful-migs (as of 2026-11).

    Attributes:
        address: its reserved inner address.
        disk: disk of its journal; None where a database holds it.
        firewall: who may reach what, by concern.
        template: what its machine is made of.
        group: the group.
        machine: what its one machine keeps.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerProps, *, identity: Identity) -> None:
        """Declare it.

        Args:
            scope: the construct that owns it.
            id_: its id below that.
            props: the props.
            identity: its service account.
        """
        super().__init__(scope, id_)
        self._props = props
        self._identity = identity
        self._labels = manager.own_tags(props.labels)
        self._name = physical_name(props.name, manager.NAME)
        self._purpose = f"Runtime manager of Aether cluster {props.name}"
        self.address = ComputeAddress(
            self,
            "address",
            project=props.project,
            region=props.region,
            name=self._name,
            description=self._purpose,
            address_type="INTERNAL",
            purpose="GCE_ENDPOINT",
            subnetwork=props.subnetwork_id,
            labels=self._labels,
        )
        self.disk = self._disk() if props.on_volume else None
        self.firewall = self._firewall()
        self.template = self._template()
        self.group = self._group()
        self.machine = self._machine()

    def _disk(self) -> ComputeDisk:
        props = self._props
        return ComputeDisk(
            self,
            "journal",
            project=props.project,
            zone=props.zone,
            name=physical_name(props.name, manager.NAME, "journal"),
            description=f"Journal of the runtime manager of Aether cluster {props.name}",
            type=props.disk_type,
            size=manager.JOURNAL_GIB,
            disk_encryption_key=ComputeDiskDiskEncryptionKey(kms_key_self_link=props.kms_key)
            if props.kms_key
            else None,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            depends_on=list(props.ready),
            labels=self._labels,
        )

    def _firewall(self) -> dict[str, ComputeFirewall]:
        props, email = self._props, self._identity.email
        rules = {
            "nodes": self._rule(
                "nodes",
                "The runtime manager to the nodes' management port",
                props.management_port,
                source_service_accounts=[email],
                target=props.node_service_account,
            ),
            "probes": self._rule(
                "probes",
                "Google's health checks of the runtime manager",
                props.port,
                source_ranges=list(PROXY_RANGES),
                target=email,
            ),
        }
        if props.allowed_cidrs:
            rules["api"] = self._rule(
                "api",
                "API of the runtime manager",
                props.port,
                source_ranges=list(props.allowed_cidrs),
                target=email,
            )
        return rules

    def _rule(
        self,
        concern: str,
        description: str,
        port: int,
        *,
        target: str,
        source_ranges: list[str] | None = None,
        source_service_accounts: list[str] | None = None,
    ) -> ComputeFirewall:
        props = self._props
        return ComputeFirewall(
            self,
            f"firewall-{concern}",
            project=props.network_project,
            name=physical_name(props.name, manager.NAME, concern),
            description=f"Aether cluster {props.name}: {description}",
            network=props.network_id,
            direction="INGRESS",
            allow=[ComputeFirewallAllow(protocol="tcp", ports=[str(port)])],
            source_ranges=source_ranges,
            source_service_accounts=source_service_accounts,
            target_service_accounts=[target],
        )

    def _user_data(self) -> str:
        props = self._props
        node = machine_node(
            image=props.image,
            environment=manager.environment(
                port=props.port, collect=props.collect, on_volume=props.on_volume
            ),
            ports=manager.machine_ports(props.port),
            health=manager.machine_health(),
            stop_timeout_seconds=manager.STOP_SECONDS,
            secrets=props.secrets,
            data_disk=props.on_volume,
        )
        told = local_json(self, "runtime", dict(props.runtime), base64=True)
        return cloud_config(manager.machine(node, told))

    def _template(self) -> ComputeInstanceTemplate:
        props = self._props
        return ComputeInstanceTemplate(
            self,
            "template",
            project=props.project,
            # a template cannot change: the next one needs another name
            name_prefix=f"{physical_name(props.name, manager.NAME, limit=36)}-",
            description=self._purpose,
            instance_description=self._purpose,
            machine_type=props.machine_type,
            disk=[
                ComputeInstanceTemplateDisk(
                    source_image=props.machine_image,
                    boot=True,
                    auto_delete=True,
                    disk_type=props.disk_type,
                    disk_size_gb=BOOT_DISK_GIB,
                    disk_encryption_key=ComputeInstanceTemplateDiskDiskEncryptionKey(
                        kms_key_self_link=props.kms_key
                    )
                    if props.kms_key
                    else None,
                    labels=self._labels,
                )
            ],
            # no access_config: no public address
            network_interface=[ComputeInstanceTemplateNetworkInterface(subnetwork=props.subnetwork_id)],
            service_account=ComputeInstanceTemplateServiceAccount(
                email=self._identity.email, scopes=[CLOUD_PLATFORM]
            ),
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
                "user-data": self._user_data(),
            },
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            labels=self._labels,
        )

    def _group(self) -> ComputeInstanceGroupManager:
        props = self._props
        liveness = ComputeHealthCheck(
            self,
            "liveness",
            project=props.project,
            name=physical_name(props.name, manager.NAME, "liveness"),
            description=f"Whether the machine of the runtime manager of {props.name} is made anew",
            check_interval_sec=manager.PROBE_SECONDS,
            timeout_sec=5,
            healthy_threshold=2,
            # the machine restarts its container after fewer
            unhealthy_threshold=10,
            http_health_check=ComputeHealthCheckHttpHealthCheck(
                port=props.port, request_path=manager.LIVENESS_PATH
            ),
            depends_on=list(props.ready),
        )
        return ComputeInstanceGroupManager(
            self,
            "Resource",
            project=props.project,
            zone=props.zone,
            name=self._name,
            description=self._purpose,
            base_instance_name=self._name,
            version=[ComputeInstanceGroupManagerVersion(instance_template=self.template.self_link_unique)],
            # its one machine is made by name, below
            target_size=0,
            auto_healing_policies=ComputeInstanceGroupManagerAutoHealingPolicies(
                health_check=liveness.id, initial_delay_sec=BOOT_SECONDS + manager.START_SECONDS
            ),
            update_policy=ComputeInstanceGroupManagerUpdatePolicy(
                type="PROACTIVE",
                minimal_action="REPLACE",
                replacement_method="RECREATE",
                max_surge_fixed=0,
                max_unavailable_fixed=1,
            ),
            # it may wait for a secret, and the cluster serves meanwhile
            wait_for_instances=False,
            timeouts=ComputeInstanceGroupManagerTimeouts(create="30m", update="30m", delete="30m"),
            lifecycle=TerraformResourceLifecycle(ignore_changes=["target_size"]),
            depends_on=[*props.depends_on, *self.firewall.values()],
        )

    def _machine(self) -> ComputePerInstanceConfig:
        props = self._props
        return ComputePerInstanceConfig(
            self,
            "machine",
            project=props.project,
            zone=props.zone,
            instance_group_manager=self.group.name,
            name=self._name,
            preserved_state=ComputePerInstanceConfigPreservedState(
                disk=[
                    ComputePerInstanceConfigPreservedStateDisk(
                        device_name=DATA_DEVICE_NAME,
                        source=self.disk.id,
                        mode="READ_WRITE",
                        delete_rule="NEVER",
                    )
                ]
                if self.disk
                else None,
                internal_ip=[
                    ComputePerInstanceConfigPreservedStateInternalIp(
                        interface_name="nic0",
                        auto_delete="NEVER",
                        ip_address=ComputePerInstanceConfigPreservedStateInternalIpIpAddress(
                            address=self.address.self_link
                        ),
                    )
                ],
            ),
            # the machine goes with its configuration; without that, address and disk could not
            remove_instance_on_destroy=True,
        )
