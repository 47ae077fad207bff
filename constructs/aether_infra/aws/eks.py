"""The EKS cluster itself: the control plane, who reaches it, and what it writes down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.eks_access_entry import EksAccessEntry
from cdktf_cdktf_provider_aws.eks_access_policy_association import (
    EksAccessPolicyAssociation,
    EksAccessPolicyAssociationAccessScope,
)
from cdktf_cdktf_provider_aws.eks_cluster import (
    EksCluster,
    EksClusterAccessConfig,
    EksClusterEncryptionConfig,
    EksClusterEncryptionConfigProvider,
    EksClusterKubernetesNetworkConfig,
    EksClusterUpgradePolicy,
    EksClusterVpcConfig,
    EksClusterZonalShiftConfig,
)
from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from aether_infra.aws.eks_identity import EksRole, EksRoleProps
from aether_infra.aws.policy import Statement
from aether_infra.core.names import physical_name

CLUSTER_NAME_LIMIT = 100
"""Characters of an EKS cluster's name.
Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html"""
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""All that a control plane can log.
Source: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html"""
ADMIN_POLICY = "AmazonEKSClusterAdminPolicy"
"""Access policy of those who may do everything.
Source: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html"""
KEY_DELETION_DAYS = 30
"""The longest time to change one's mind about a key: what it encrypted is lost with it."""
HTTPS = 443
BETWEEN_PODS = "Kubernetes: pods among each other"
CONTROL_PLANE_PORTS: Mapping[str, int] = {
    "kubelet": 10250,
    "metrics-server": 10251,
    "webhook-443": 443,
    "webhook-8443": 8443,
    "webhook-9443": 9443,
}
"""What the control plane calls on machines and pods: kubelets, metrics-server's API, and the ports that admission
webhooks are served at as a rule. Source:
https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html (as of 2026-11)."""


def eks_cluster_name(cluster: str) -> str:
    """Name of the EKS cluster: the cluster's own."""
    return physical_name(cluster, "", limit=CLUSTER_NAME_LIMIT)


@frozen(kw_only=True)
class EksControlPlaneOutputs:
    """What others need of the control plane."""

    name: str
    arn: str
    endpoint: str
    """Address of the Kubernetes API, `https://…`."""
    ca_certificate: str
    """Its certificate authority, PEM in base64."""
    version: str
    """Kubernetes version that it runs, minor only."""


@frozen(kw_only=True)
class EksControlPlaneProps:
    """Props of `EksControlPlane`."""

    name: str
    """Cluster's name, head of every name."""
    region: str
    """Region, part of the role's name."""
    partition: str = "aws"
    """Partition of AWS' policies; may be a Terraform token."""
    subnet_ids: Sequence[str]
    """Private subnets, in two zones at least: the control plane's interfaces."""
    node_security_group_id: str
    """The machines' group, which is let in and called."""
    kubernetes_version: str | None = None
    """Minor version; default: the newest that EKS has when the cluster is made."""
    extended_support: bool = False
    """Stay on a version after the end of its standard support, at a price; else EKS moves on to the next."""
    service_cidr: str = "172.20.0.0/16"
    """Range of Kubernetes services, apart from the VPC. A change makes a new cluster."""
    public_cidrs: Sequence[str] = ()
    """Public networks that may reach the API; none: it has no public address."""
    private_cidrs: Sequence[str] = ()
    """Networks that may reach the API through the VPC, besides the machines."""
    admin_principals: Sequence[str] = ()
    """ARNs of IAM roles and users that may do everything in the cluster; default: who made it."""
    zonal_shift: bool = True
    """Let AWS move traffic out of a zone that fails."""
    log_retention_days: int = 30
    """How long the control plane's logs are kept."""
    kms_key_arn: str | None = None
    """KMS key of Kubernetes secrets and logs; default: a key of its own, and the logs' service's own."""
    protect: bool = True
    """Refuse to delete the cluster and the key of its secrets."""
    permissions_boundary_arn: str | None = None
    """Policy that bounds the role."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every resource."""


class EksControlPlane(Construct):
    """An EKS cluster without machines.

    The API is always reachable from within the VPC, by the machines and the ranges named, and by its public address
    only for the networks named. Access is by EKS access entries alone, never by the `aws-auth` map. Without
    `admin_principals`, who makes the cluster is its administrator; that is decided once, when it is made, since EKS
    would replace the cluster for a change. Kubernetes secrets are encrypted with a KMS key, all five logs are on, and
    their group is there first, since EKS would make one that keeps them for ever. Machines belong to a group of their
    own, not to the one that EKS makes, so that the control plane and they are let through port by port.
    Source: https://docs.aws.amazon.com/eks/latest/userguide/create-cluster.html (as of 2026-11).

    Attributes:
        cluster: the EKS cluster.
        identity: the control plane's role.
        key: KMS key of Kubernetes secrets, if it is its own.
        log_group: log group of the control plane.
        rules: security group rules, which must be there before a machine joins.
        outputs: names and addresses.
    """

    def __init__(self, scope: Construct, id_: str, props: EksControlPlaneProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self.key = None if props.kms_key_arn else self._key()
        key_arn = props.kms_key_arn or (self.key.arn if self.key else "")
        self.identity = self._identity(key_arn)
        self.log_group = CloudwatchLogGroup(
            self,
            "log-group",
            name=f"/aws/eks/{eks_cluster_name(props.name)}/cluster",
            retention_in_days=props.log_retention_days,
            kms_key_id=props.kms_key_arn,
            tags=self._tags,
        )
        self.cluster = self._cluster(key_arn)
        self._admins()
        self.rules = self._rules()
        self.outputs = EksControlPlaneOutputs(
            name=self.cluster.name,
            arn=self.cluster.arn,
            endpoint=self.cluster.endpoint,
            ca_certificate=self.cluster.certificate_authority.get(0).data,
            version=self.cluster.version,
        )

    def _key(self) -> KmsKey:
        props = self._props
        key = KmsKey(
            self,
            "key",
            description=f"Kubernetes secrets of Aether cluster {props.name}",
            enable_key_rotation=True,
            deletion_window_in_days=KEY_DELETION_DAYS,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            tags=self._tags | {"Name": physical_name(props.name, "kubernetes")},
        )
        KmsAlias(
            self, "key-alias", name=f"alias/{physical_name(props.name, 'kubernetes')}", target_key_id=key.id
        )
        return key

    def _identity(self, key_arn: str) -> EksRole:
        props = self._props
        return EksRole(
            self,
            "identity",
            EksRoleProps(
                name=props.name,
                region=props.region,
                partition=props.partition,
                concern="control-plane",
                purpose="Kubernetes control plane",
                service="eks.amazonaws.com",
                managed_policies=["AmazonEKSClusterPolicy"],
                rights={
                    "secrets-key": [
                        Statement(
                            sid="EncryptSecrets",
                            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"],
                            resources=[key_arn],
                        )
                    ]
                },
                permissions_boundary_arn=props.permissions_boundary_arn,
                tags=props.tags,
            ),
        )

    def _cluster(self, key_arn: str) -> EksCluster:
        props = self._props
        return EksCluster(
            self,
            "Resource",
            name=eks_cluster_name(props.name),
            version=props.kubernetes_version,
            role_arn=self.identity.role.arn,
            vpc_config=EksClusterVpcConfig(
                subnet_ids=list(props.subnet_ids),
                endpoint_private_access=True,
                endpoint_public_access=bool(props.public_cidrs),
                public_access_cidrs=list(props.public_cidrs) or None,
            ),
            kubernetes_network_config=EksClusterKubernetesNetworkConfig(
                ip_family="ipv4", service_ipv4_cidr=props.service_cidr
            ),
            access_config=EksClusterAccessConfig(
                authentication_mode="API",
                bootstrap_cluster_creator_admin_permissions=not props.admin_principals,
            ),
            # the add-ons are ours: EKS must not put its own, unmanaged ones there first
            bootstrap_self_managed_addons=False,
            enabled_cluster_log_types=list(LOG_TYPES),
            encryption_config=EksClusterEncryptionConfig(
                provider=EksClusterEncryptionConfigProvider(key_arn=key_arn), resources=["secrets"]
            ),
            upgrade_policy=EksClusterUpgradePolicy(
                support_type="EXTENDED" if props.extended_support else "STANDARD"
            ),
            zonal_shift_config=EksClusterZonalShiftConfig(enabled=True) if props.zonal_shift else None,
            deletion_protection=props.protect,
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=props.protect or None,
                # counts only when the cluster is made; a change would replace it
                ignore_changes=["access_config[0].bootstrap_cluster_creator_admin_permissions"],
            ),
            depends_on=[*self.identity.grants, self.log_group],
            tags=self._tags,
        )

    def _admins(self) -> None:
        props, scope = self._props, Construct(self, "admin")
        for principal in props.admin_principals:
            # such as `role-Operators`: what tells principals apart, in a construct id's letters
            admin = Construct(scope, principal.rpartition(":")[2].replace("/", "-"))
            entry = EksAccessEntry(
                admin,
                "Resource",
                cluster_name=self.cluster.name,
                principal_arn=principal,
                type="STANDARD",
                tags=self._tags,
            )
            EksAccessPolicyAssociation(
                admin,
                "policy",
                cluster_name=self.cluster.name,
                principal_arn=principal,
                policy_arn=f"arn:{props.partition}:eks::aws:cluster-access-policy/{ADMIN_POLICY}",
                access_scope=EksAccessPolicyAssociationAccessScope(type="cluster"),
                depends_on=[entry],
            )

    def _rules(self) -> list[VpcSecurityGroupIngressRule | VpcSecurityGroupEgressRule]:
        """Machines and the control plane, and pods among each other: what they say there, network policies rule."""
        props, scope = self._props, Construct(self, "rules")
        nodes, api = props.node_security_group_id, self.cluster.vpc_config.cluster_security_group_id
        authorized = Construct(scope, "api")
        for cidr in props.private_cidrs:
            self._let_in(authorized, cidr.replace("/", "_"), api, HTTPS, cidr=cidr)
        control_plane = [
            self._let_in(scope, concern, nodes, port, group=api)
            for concern, port in CONTROL_PLANE_PORTS.items()
        ]
        return [
            self._let_in(scope, "api-from-nodes", api, HTTPS, group=nodes),
            *control_plane,
            VpcSecurityGroupIngressRule(
                scope,
                "pods-ingress",
                security_group_id=nodes,
                referenced_security_group_id=nodes,
                ip_protocol="-1",
                description=BETWEEN_PODS,
                tags=self._tags,
            ),
            VpcSecurityGroupEgressRule(
                scope,
                "pods-egress",
                security_group_id=nodes,
                referenced_security_group_id=nodes,
                ip_protocol="-1",
                description=BETWEEN_PODS,
                tags=self._tags,
            ),
        ]

    def _let_in(
        self,
        scope: Construct,
        id_: str,
        to: str,
        port: int,
        *,
        group: str | None = None,
        cidr: str | None = None,
    ) -> VpcSecurityGroupIngressRule:
        return VpcSecurityGroupIngressRule(
            scope,
            id_,
            security_group_id=to,
            referenced_security_group_id=group,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"Kubernetes: {id_.replace('_', '/')}",
            tags=self._tags,
        )
