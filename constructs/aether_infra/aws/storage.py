"""Data that outlives a task: an EFS file system with a folder for each core node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.efs_access_point import (
    EfsAccessPoint,
    EfsAccessPointPosixUser,
    EfsAccessPointRootDirectory,
    EfsAccessPointRootDirectoryCreationInfo,
)
from cdktf_cdktf_provider_aws.efs_backup_policy import EfsBackupPolicy, EfsBackupPolicyBackupPolicy
from cdktf_cdktf_provider_aws.efs_file_system import EfsFileSystem
from cdktf_cdktf_provider_aws.efs_mount_target import EfsMountTarget
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from aether_infra.aws.policy import Statement
from aether_infra.core.names import physical_name
from aether_infra.core.node import USER_ID

NFS = 2049


@frozen(kw_only=True)
class DataVolumesProps:
    """Props of `DataVolumes`."""

    name: str
    """Cluster's name, head of every name."""
    concern: str = "data"
    """What the file system is for, part of its name."""
    client: str = "nodes"
    """Who mounts it."""
    vpc_id: str
    """VPC of the nodes."""
    subnets: Mapping[str, str]
    """Subnet of a mount target, by a stable key such as the zone's."""
    node_ids: Sequence[str]
    """Core nodes (or what else mounts it), each with a folder of its own."""
    node_security_group_id: str
    """Group of those who mount it: the only one that may."""
    kms_key_arn: str | None = None
    """KMS key; default: AWS' own key for EFS. A change replaces the file system."""
    protect: bool = True
    """Refuse to destroy the file system (Terraform's `prevent_destroy`)."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class DataVolumes(Construct):
    """One encrypted EFS file system, backed up, with an access point a core node.

    A node sees only its own folder, as the image's user, and mounts it over TLS with its role.
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/efs-volumes.html (as of 2026-11).

    Attributes:
        file_system: the file system.
        security_group: group of its mount targets.
        mount_targets: mount targets by the key of their subnet.
        access_points: access point of each node id.
    """

    def __init__(self, scope: Construct, id_: str, props: DataVolumesProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self.file_system = EfsFileSystem(
            self,
            "Resource",
            creation_token=physical_name(props.name, props.concern, limit=64),
            encrypted=True,
            kms_key_id=props.kms_key_arn,
            throughput_mode="elastic",
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            tags=self._tags | {"Name": physical_name(props.name, props.concern)},
        )
        EfsBackupPolicy(
            self,
            "backup",
            file_system_id=self.file_system.id,
            backup_policy=EfsBackupPolicyBackupPolicy(status="ENABLED"),
        )
        self.mount_targets = self._mount_targets()
        self.access_points = self._access_points()

    def mount_statements(self) -> list[Statement]:
        """Rights to mount this file system through the access points, and not as root."""
        return [
            Statement(
                sid="MountData",
                actions=["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                resources=[self.file_system.arn],
            )
        ]

    def _mount_targets(self) -> dict[str, EfsMountTarget]:
        props = self._props
        name = physical_name(props.name, props.concern)
        self.security_group = SecurityGroup(
            self,
            "security-group",
            name=name,
            description=f"EFS: NFS from the Aether {props.client}",
            vpc_id=props.vpc_id,
            tags=self._tags | {"Name": name},
        )
        VpcSecurityGroupIngressRule(
            self,
            f"from-{props.client}",
            security_group_id=self.security_group.id,
            referenced_security_group_id=props.node_security_group_id,
            ip_protocol="tcp",
            from_port=NFS,
            to_port=NFS,
            description=f"NFS from {props.client}",
            tags=self._tags,
        )
        scope = Construct(self, "mount-target")
        return {
            key: EfsMountTarget(
                scope,
                key,
                file_system_id=self.file_system.id,
                subnet_id=subnet_id,
                security_groups=[self.security_group.id],
            )
            for key, subnet_id in props.subnets.items()
        }

    def _access_points(self) -> dict[str, EfsAccessPoint]:
        return {
            node_id: EfsAccessPoint(
                self,
                node_id,
                file_system_id=self.file_system.id,
                posix_user=EfsAccessPointPosixUser(uid=USER_ID, gid=USER_ID),
                root_directory=EfsAccessPointRootDirectory(
                    path=f"/{node_id}",
                    creation_info=EfsAccessPointRootDirectoryCreationInfo(
                        owner_uid=USER_ID, owner_gid=USER_ID, permissions="0750"
                    ),
                ),
                tags=self._tags | {"Name": physical_name(self._props.name, self._props.concern, node_id)},
            )
            for node_id in self._props.node_ids
        }
