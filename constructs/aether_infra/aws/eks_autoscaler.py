"""The cluster autoscaler: gives pods that wait a machine, and takes away machines that nobody needs."""

from __future__ import annotations

import aether_infra.kubernetes  # noqa: F401 - before its bindings: makes them load lazily

# isort: split
from attrs import frozen
from cdktf_cdktf_provider_kubernetes import deployment_v1 as deployment
from cdktf_cdktf_provider_kubernetes.cluster_role_binding_v1 import (
    ClusterRoleBindingV1,
    ClusterRoleBindingV1Metadata,
    ClusterRoleBindingV1RoleRef,
    ClusterRoleBindingV1Subject,
)
from cdktf_cdktf_provider_kubernetes.cluster_role_v1 import (
    ClusterRoleV1,
    ClusterRoleV1Metadata,
    ClusterRoleV1Rule,
)
from cdktf_cdktf_provider_kubernetes.role_binding_v1 import (
    RoleBindingV1,
    RoleBindingV1Metadata,
    RoleBindingV1RoleRef,
    RoleBindingV1Subject,
)
from cdktf_cdktf_provider_kubernetes.role_v1 import RoleV1, RoleV1Metadata, RoleV1Rule
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata
from constructs import Construct

from aether_infra.aws.eks_names import AUTOSCALER, SYSTEM_NAMESPACE
from aether_infra.core.kubernetes import POOL_LABEL, SYSTEM_POOL
from aether_infra.core.tags import CLUSTER

NOBODY = 65534
"""User that it runs as."""
HEALTH_PORT = 8085
HEALTH_PATH = "/health-check"

_LOOK = ("get", "list", "watch")
_CLUSTER_RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    ("", ("events", "endpoints"), (), ("create", "patch")),
    ("", ("pods/eviction",), (), ("create",)),
    ("", ("pods/status",), (), ("update",)),
    ("", ("nodes",), (), (*_LOOK, "update")),
    (
        "",
        (
            "namespaces",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "replicationcontrollers",
            "services",
        ),
        (),
        _LOOK,
    ),
    ("apps", ("daemonsets", "replicasets", "statefulsets"), (), _LOOK),
    ("batch", ("cronjobs", "jobs"), (), _LOOK),
    ("policy", ("poddisruptionbudgets",), (), _LOOK),
    ("resource.k8s.io", ("deviceclasses", "resourceclaims", "resourceslices"), (), _LOOK),
    (
        "storage.k8s.io",
        ("csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"),
        (),
        _LOOK,
    ),
    ("coordination.k8s.io", ("leases",), (), ("create",)),
    ("coordination.k8s.io", ("leases",), (AUTOSCALER,), ("get", "update")),
)
"""API group, resources, names of them (none: all) and verbs. Source: the project's own example,
https://github.com/kubernetes/autoscaler/tree/master/cluster-autoscaler/cloudprovider/aws/examples (as of 2026-11)."""
_STATUS = ("cluster-autoscaler-status", "cluster-autoscaler-priority-expander")
"""Config maps that it writes its state to, and reads priorities from."""


@frozen(kw_only=True)
class ClusterAutoscalerProps:
    """Props of `ClusterAutoscaler`."""

    cluster: str
    """Cluster's name, for labels."""
    eks_cluster_name: str
    """The EKS cluster, whose groups bear its name in a tag; may be a token."""
    region: str
    """Region of the groups."""
    image: str
    """Its image, of the cluster's minor version."""


class ClusterAutoscaler(Construct):
    """The cluster autoscaler for managed node groups of EKS, which it finds by the tags that EKS gives their groups.

    It runs on the system pool. Nodes of Aether keep scratch data on their machine's disk, which is no reason to keep
    that machine; voters say themselves that theirs must stay.
    Sources: https://docs.aws.amazon.com/eks/latest/best-practices/cas.html,
    https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md (as of 2026-11).

    Attributes:
        service_account: the service account, which EKS Pod Identity gives its role.
        deployment: the autoscaler.
    """

    def __init__(self, scope: Construct, id_: str, props: ClusterAutoscalerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._labels = {
            "app.kubernetes.io/name": AUTOSCALER,
            "app.kubernetes.io/managed-by": "aether-infra",
            CLUSTER: props.cluster,
        }
        self.service_account = ServiceAccountV1(
            self,
            "service-account",
            metadata=ServiceAccountV1Metadata(
                name=AUTOSCALER, namespace=SYSTEM_NAMESPACE, labels=self._labels
            ),
            # the pod asks for its token itself
            automount_service_account_token=False,
        )
        self._cluster_rights()
        self._own_rights()
        self.deployment = self._deployment()

    def _cluster_rights(self) -> None:
        role = ClusterRoleV1(
            self,
            "cluster-role",
            metadata=ClusterRoleV1Metadata(name=AUTOSCALER, labels=self._labels),
            rule=[
                ClusterRoleV1Rule(
                    api_groups=[group],
                    resources=list(resources),
                    resource_names=list(names) or None,
                    verbs=list(verbs),
                )
                for group, resources, names, verbs in _CLUSTER_RULES
            ],
        )
        ClusterRoleBindingV1(
            self,
            "cluster-role-binding",
            metadata=ClusterRoleBindingV1Metadata(name=AUTOSCALER, labels=self._labels),
            role_ref=ClusterRoleBindingV1RoleRef(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=role.metadata.name
            ),
            subject=[
                ClusterRoleBindingV1Subject(
                    kind="ServiceAccount", name=self.service_account.metadata.name, namespace=SYSTEM_NAMESPACE
                )
            ],
        )

    def _own_rights(self) -> None:
        role = RoleV1(
            self,
            "role",
            metadata=RoleV1Metadata(name=AUTOSCALER, namespace=SYSTEM_NAMESPACE, labels=self._labels),
            rule=[
                RoleV1Rule(api_groups=[""], resources=["configmaps"], verbs=["create", "list", "watch"]),
                RoleV1Rule(
                    api_groups=[""],
                    resources=["configmaps"],
                    resource_names=list(_STATUS),
                    verbs=["delete", "get", "update", "watch"],
                ),
            ],
        )
        RoleBindingV1(
            self,
            "role-binding",
            metadata=RoleBindingV1Metadata(name=AUTOSCALER, namespace=SYSTEM_NAMESPACE, labels=self._labels),
            role_ref=RoleBindingV1RoleRef(
                api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name
            ),
            subject=[
                RoleBindingV1Subject(
                    kind="ServiceAccount", name=self.service_account.metadata.name, namespace=SYSTEM_NAMESPACE
                )
            ],
        )

    def _deployment(self) -> deployment.DeploymentV1:
        return deployment.DeploymentV1(
            self,
            "Resource",
            metadata=deployment.DeploymentV1Metadata(
                name=AUTOSCALER, namespace=SYSTEM_NAMESPACE, labels=self._labels
            ),
            spec=deployment.DeploymentV1Spec(
                replicas="1",
                # two at a time would wait for each other's lease
                strategy=deployment.DeploymentV1SpecStrategy(type="Recreate"),
                selector=deployment.DeploymentV1SpecSelector(match_labels=self._labels),
                template=deployment.DeploymentV1SpecTemplate(
                    metadata=deployment.DeploymentV1SpecTemplateMetadata(labels=self._labels),
                    spec=self._pod(),
                ),
            ),
        )

    def _pod(self) -> deployment.DeploymentV1SpecTemplateSpec:
        return deployment.DeploymentV1SpecTemplateSpec(
            service_account_name=self.service_account.metadata.name,
            automount_service_account_token=True,
            priority_class_name="system-cluster-critical",
            node_selector={POOL_LABEL: SYSTEM_POOL},
            security_context=deployment.DeploymentV1SpecTemplateSpecSecurityContext(
                run_as_non_root=True,
                run_as_user=str(NOBODY),
                run_as_group=str(NOBODY),
                fs_group=str(NOBODY),
                seccomp_profile=deployment.DeploymentV1SpecTemplateSpecSecurityContextSeccompProfile(
                    type="RuntimeDefault"
                ),
            ),
            container=[self._container()],
        )

    def _container(self) -> deployment.DeploymentV1SpecTemplateSpecContainer:
        props = self._props
        found_by = "k8s.io/cluster-autoscaler"
        return deployment.DeploymentV1SpecTemplateSpecContainer(
            name=AUTOSCALER,
            image=props.image,
            image_pull_policy="IfNotPresent",
            command=[
                "./cluster-autoscaler",
                "--cloud-provider=aws",
                f"--node-group-auto-discovery=asg:tag={found_by}/enabled,{found_by}/{props.eks_cluster_name}",
                "--expander=least-waste",
                "--skip-nodes-with-local-storage=false",
                "--stderrthreshold=info",
                "--v=2",
            ],
            # pods cannot ask the machine where they are
            env=[deployment.DeploymentV1SpecTemplateSpecContainerEnv(name="AWS_REGION", value=props.region)],
            port=[
                deployment.DeploymentV1SpecTemplateSpecContainerPort(
                    name="health", container_port=HEALTH_PORT, protocol="TCP"
                )
            ],
            liveness_probe=deployment.DeploymentV1SpecTemplateSpecContainerLivenessProbe(
                http_get=deployment.DeploymentV1SpecTemplateSpecContainerLivenessProbeHttpGet(
                    path=HEALTH_PATH, port="health"
                ),
                period_seconds=30,
                timeout_seconds=10,
                failure_threshold=3,
            ),
            readiness_probe=deployment.DeploymentV1SpecTemplateSpecContainerReadinessProbe(
                http_get=deployment.DeploymentV1SpecTemplateSpecContainerReadinessProbeHttpGet(
                    path=HEALTH_PATH, port="health"
                ),
                period_seconds=30,
                timeout_seconds=10,
            ),
            resources=deployment.DeploymentV1SpecTemplateSpecContainerResources(
                requests={"cpu": "100m", "memory": "300Mi"}, limits={"memory": "600Mi"}
            ),
            security_context=deployment.DeploymentV1SpecTemplateSpecContainerSecurityContext(
                allow_privilege_escalation=False,
                privileged=False,
                read_only_root_filesystem=True,
                run_as_non_root=True,
                capabilities=deployment.DeploymentV1SpecTemplateSpecContainerSecurityContextCapabilities(
                    drop=["ALL"]
                ),
            ),
        )
