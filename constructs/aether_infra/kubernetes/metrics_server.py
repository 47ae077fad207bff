"""The metrics server, for clusters that come without one: the CPU that a HorizontalPodAutoscaler goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_kubernetes import api_service_v1 as api_service
from cdktf_cdktf_provider_kubernetes import cluster_role_binding_v1 as cluster_role_binding
from cdktf_cdktf_provider_kubernetes import deployment_v1 as deployment
from cdktf_cdktf_provider_kubernetes import role_binding_v1 as role_binding
from cdktf_cdktf_provider_kubernetes.cluster_role_v1 import (
    ClusterRoleV1,
    ClusterRoleV1Metadata,
    ClusterRoleV1Rule,
)
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata
from cdktf_cdktf_provider_kubernetes.service_v1 import (
    ServiceV1,
    ServiceV1Metadata,
    ServiceV1Spec,
    ServiceV1SpecPort,
)
from constructs import Construct

NAME = "metrics-server"
NAMESPACE = "kube-system"
PORT = 10250
"""Port of its own API."""
SCRAPE_SECONDS = 15
"""Time between two looks at the kubelets."""
USER_ID = "1000"
"""User that it runs as."""
IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.8.0"
"""Its image. Source: https://github.com/kubernetes-sigs/metrics-server/releases (as of 2026-11)."""


@frozen(kw_only=True)
class MetricsServerProps:
    """Props of `MetricsServer`."""

    cluster: str
    """Cluster's name, for labels."""
    image: str = IMAGE
    """Its image; default: a release that runs on every Kubernetes from 1.31."""
    node_selector: Mapping[str, str] = field(factory=dict)
    """Labels of the machines that it runs on; default: any."""


class MetricsServer(Construct):
    """One metrics server with the rights that its own manifest gives it, and no more.

    Source: https://github.com/kubernetes-sigs/metrics-server/tree/master/manifests (as of 2026-11).

    Attributes:
        deployment: the server.
        api_service: what makes `metrics.k8s.io` answer.
    """

    def __init__(self, scope: Construct, id_: str, props: MetricsServerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._labels = {"app.kubernetes.io/managed-by": "aether-infra", "k8s-app": NAME}
        self.service_account = ServiceAccountV1(
            self,
            "service-account",
            metadata=ServiceAccountV1Metadata(name=NAME, namespace=NAMESPACE, labels=self._labels),
        )
        self._rights()
        self.deployment = self._deployment()
        self.service = ServiceV1(
            self,
            "service",
            metadata=ServiceV1Metadata(name=NAME, namespace=NAMESPACE, labels=self._labels),
            spec=ServiceV1Spec(
                selector={"k8s-app": NAME},
                port=[
                    ServiceV1SpecPort(
                        name="https", port=443, protocol="TCP", target_port="https", app_protocol="https"
                    )
                ],
            ),
        )
        self.api_service = api_service.ApiServiceV1(
            self,
            "api-service",
            metadata=api_service.ApiServiceV1Metadata(name="v1beta1.metrics.k8s.io", labels=self._labels),
            spec=api_service.ApiServiceV1Spec(
                group="metrics.k8s.io",
                group_priority_minimum=100,
                version="v1beta1",
                version_priority=100,
                # its certificate is its own, made at each start; the API server reaches it inside of the cluster
                insecure_skip_tls_verify=True,
                service=api_service.ApiServiceV1SpecService(name=NAME, namespace=NAMESPACE),
            ),
            depends_on=[self.service],
        )

    def _rights(self) -> None:
        look = ["get", "list", "watch"]
        self._cluster_role(
            "reader",
            "system:aggregated-metrics-reader",
            [ClusterRoleV1Rule(api_groups=["metrics.k8s.io"], resources=["pods", "nodes"], verbs=look)],
            {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true" for role in ("admin", "edit", "view")},
        )
        own = self._cluster_role(
            "own",
            f"system:{NAME}",
            [
                ClusterRoleV1Rule(api_groups=[""], resources=["nodes/metrics"], verbs=["get"]),
                ClusterRoleV1Rule(api_groups=[""], resources=["pods", "nodes"], verbs=look),
            ],
            {},
        )
        self._bind_in_cluster("own-binding", f"system:{NAME}", own.metadata.name)
        self._bind_in_cluster("delegator", f"{NAME}:system:auth-delegator", "system:auth-delegator")
        role_binding.RoleBindingV1(
            self,
            "auth-reader",
            metadata=role_binding.RoleBindingV1Metadata(
                name=f"{NAME}-auth-reader", namespace=NAMESPACE, labels=self._labels
            ),
            role_ref=role_binding.RoleBindingV1RoleRef(
                api_group="rbac.authorization.k8s.io",
                kind="Role",
                name="extension-apiserver-authentication-reader",
            ),
            subject=[
                role_binding.RoleBindingV1Subject(
                    kind="ServiceAccount", name=self.service_account.metadata.name, namespace=NAMESPACE
                )
            ],
        )

    def _cluster_role(
        self, id_: str, name: str, rules: Sequence[ClusterRoleV1Rule], labels: Mapping[str, str]
    ) -> ClusterRoleV1:
        return ClusterRoleV1(
            self,
            id_,
            metadata=ClusterRoleV1Metadata(name=name, labels={**self._labels, **labels}),
            rule=list(rules),
        )

    def _bind_in_cluster(self, id_: str, name: str, role: str) -> None:
        cluster_role_binding.ClusterRoleBindingV1(
            self,
            id_,
            metadata=cluster_role_binding.ClusterRoleBindingV1Metadata(name=name, labels=self._labels),
            role_ref=cluster_role_binding.ClusterRoleBindingV1RoleRef(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=role
            ),
            subject=[
                cluster_role_binding.ClusterRoleBindingV1Subject(
                    kind="ServiceAccount", name=self.service_account.metadata.name, namespace=NAMESPACE
                )
            ],
        )

    def _deployment(self) -> deployment.DeploymentV1:
        pod = deployment.DeploymentV1SpecTemplateSpec(
            service_account_name=self.service_account.metadata.name,
            priority_class_name="system-cluster-critical",
            node_selector=dict(self._props.node_selector) or None,
            container=[self._container()],
            volume=[
                deployment.DeploymentV1SpecTemplateSpecVolume(
                    name="tmp", empty_dir=deployment.DeploymentV1SpecTemplateSpecVolumeEmptyDir()
                )
            ],
        )
        return deployment.DeploymentV1(
            self,
            "Resource",
            metadata=deployment.DeploymentV1Metadata(name=NAME, namespace=NAMESPACE, labels=self._labels),
            spec=deployment.DeploymentV1Spec(
                replicas="1",
                selector=deployment.DeploymentV1SpecSelector(match_labels={"k8s-app": NAME}),
                template=deployment.DeploymentV1SpecTemplate(
                    metadata=deployment.DeploymentV1SpecTemplateMetadata(labels=self._labels), spec=pod
                ),
            ),
            wait_for_rollout=False,
        )

    def _container(self) -> deployment.DeploymentV1SpecTemplateSpecContainer:
        base = deployment
        security = base.DeploymentV1SpecTemplateSpecContainerSecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            run_as_user=USER_ID,
            capabilities=base.DeploymentV1SpecTemplateSpecContainerSecurityContextCapabilities(drop=["ALL"]),
            seccomp_profile=base.DeploymentV1SpecTemplateSpecContainerSecurityContextSeccompProfile(
                type="RuntimeDefault"
            ),
        )
        return base.DeploymentV1SpecTemplateSpecContainer(
            name=NAME,
            image=self._props.image,
            args=[
                "--cert-dir=/tmp",
                f"--secure-port={PORT}",
                "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
                "--kubelet-use-node-status-port",
                f"--metric-resolution={SCRAPE_SECONDS}s",
            ],
            port=[
                base.DeploymentV1SpecTemplateSpecContainerPort(
                    name="https", container_port=PORT, protocol="TCP"
                )
            ],
            resources=base.DeploymentV1SpecTemplateSpecContainerResources(
                requests={"cpu": "100m", "memory": "200Mi"}, limits={"cpu": "500m", "memory": "400Mi"}
            ),
            liveness_probe=base.DeploymentV1SpecTemplateSpecContainerLivenessProbe(
                http_get=base.DeploymentV1SpecTemplateSpecContainerLivenessProbeHttpGet(
                    path="/livez", port="https", scheme="HTTPS"
                ),
                period_seconds=10,
                failure_threshold=3,
            ),
            readiness_probe=base.DeploymentV1SpecTemplateSpecContainerReadinessProbe(
                http_get=base.DeploymentV1SpecTemplateSpecContainerReadinessProbeHttpGet(
                    path="/readyz", port="https", scheme="HTTPS"
                ),
                initial_delay_seconds=20,
                period_seconds=10,
                failure_threshold=3,
            ),
            security_context=security,
            volume_mount=[
                base.DeploymentV1SpecTemplateSpecContainerVolumeMount(name="tmp", mount_path="/tmp")  # noqa: S108
            ],
        )
