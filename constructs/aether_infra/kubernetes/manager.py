"""The runtime manager in the cluster: one pod that may size the elastic nodes of its namespace, and little else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from cdktf import Fn
from cdktf_cdktf_provider_kubernetes import deployment_v1 as deployment
from cdktf_cdktf_provider_kubernetes import network_policy_v1 as policy
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from cdktf_cdktf_provider_kubernetes.persistent_volume_claim_v1 import (
    PersistentVolumeClaimV1,
    PersistentVolumeClaimV1Metadata,
    PersistentVolumeClaimV1Spec,
    PersistentVolumeClaimV1SpecResources,
)
from cdktf_cdktf_provider_kubernetes.role_binding_v1 import (
    RoleBindingV1,
    RoleBindingV1Metadata,
    RoleBindingV1RoleRef,
    RoleBindingV1Subject,
)
from cdktf_cdktf_provider_kubernetes.role_v1 import RoleV1, RoleV1Metadata, RoleV1Rule
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata
from cdktf_cdktf_provider_kubernetes.service_v1 import (
    ServiceV1,
    ServiceV1Metadata,
    ServiceV1Spec,
    ServiceV1SpecPort,
)
from constructs import Construct

from aether_infra.catalog.manager_rights import KUBERNETES_RIGHTS
from aether_infra.cdk.text import json_text
from aether_infra.core import manager
from aether_infra.core.kubernetes import ELASTIC_DEPLOYMENT, MANAGER, POOL_LABEL, SYSTEM_POOL
from aether_infra.core.node import USER_ID
from aether_infra.kubernetes.labels import node_selector, standard_labels
from aether_infra.kubernetes.network_policy import CLIENT
from aether_infra.kubernetes.node import SecretKey

OUTPUTS_FILE = "outputs.json"
CONFIG_PATH = "/config"
JOURNAL_GIB = 1
"""Size of the journal's volume; clouds round up to what they have."""
API_SERVER_PORTS = (443, 6443, 8443, 16443)
"""Where Kubernetes' API listens, on managed clusters and on those that one runs oneself."""
DNS_PORT = 53
GROUPS = frozenset({"apps"})
"""API groups that a right may begin with; what else stands before a slash is a resource."""
NAMED = frozenset({"deployments"})
"""Resources of which the manager may touch one alone; requests that name none (`list`) cannot be bound to one."""


@frozen(kw_only=True)
class ManagerProps:
    """Props of `Manager`."""

    cluster: str
    """Cluster's name."""
    namespace: str
    """Namespace, as a token that waits for it."""
    image: str
    """Its image, best by digest."""
    port: int = 8081
    """Port of its API."""
    management_port: int = 8080
    """Port of the nodes that it asks."""
    runtime: Mapping[str, Any]
    """What it is told of the cluster: the output `runtime`."""
    secrets: Mapping[str, SecretKey] = field(factory=dict)
    """Environment variables out of Kubernetes secrets."""
    on_volume: bool = True
    """Whether its journal is on a volume; else `secrets` has the address of a database."""
    storage_class: str | None = None
    """Storage class of the journal; default: the cluster's default class."""
    collect: bool = False
    """Whether it ends what nobody claims."""
    cpu: str = "250m"
    """Processors, set aside and at most."""
    memory: str = "512Mi"
    """Memory, set aside and at most."""
    priority_class: str
    """PriorityClass: that of the core, or elastic nodes would push it out."""
    allowed_cidrs: Sequence[str] = ()
    """IPv4 networks that may call its API, besides the pods of its namespace."""
    image_pull_secrets: Sequence[str] = ()
    """Secrets that the image is pulled with."""


class Manager(Construct):
    """Deployment of one, with its journal, its settings, its rights and its network policy.

    A successor starts when the pod before it is gone, since both would write one journal. It may run on any machine
    where the journal's disk can be, on the small pool where there is room.
    Sources: https://kubernetes.io/docs/reference/access-authn-authz/rbac/,
    https://kubernetes.io/docs/concepts/services-networking/network-policies/ (as of 2026-11).

    Attributes:
        service_account: whom it acts as.
        role: what that may do, in the namespace alone.
        settings: its environment, and what it is told of the cluster.
        journal: volume claim of the journal; None where a database holds it.
        policy: who may call it, and whom it may call.
        deployment: the manager.
        service: its name in the cluster.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._labels = {
            **standard_labels(props.cluster),
            "app.kubernetes.io/name": MANAGER,
            "app.kubernetes.io/component": manager.NAME,
        }
        # without aether-cluster: a pod that bears it is a node to Aether's discovery
        self._selector = {"app.kubernetes.io/name": MANAGER, manager.TAG: props.cluster}
        self.service_account = ServiceAccountV1(
            self,
            "service-account",
            metadata=ServiceAccountV1Metadata(name=MANAGER, namespace=props.namespace, labels=self._labels),
            # the pod asks for its token itself
            automount_service_account_token=False,
        )
        self.role = self._role()
        self._data = self._settings_data()
        self.settings = ConfigMapV1(
            self,
            "settings",
            metadata=ConfigMapV1Metadata(name=MANAGER, namespace=props.namespace, labels=self._labels),
            data=self._data,
        )
        self.journal = self._journal() if props.on_volume else None
        self.policy = self._policy()
        self.deployment = self._deployment()
        self.service = ServiceV1(
            self,
            "service",
            metadata=ServiceV1Metadata(name=MANAGER, namespace=props.namespace, labels=self._labels),
            spec=ServiceV1Spec(
                type="ClusterIP",
                selector=self._selector,
                port=[ServiceV1SpecPort(name="api", port=props.port, target_port="api", protocol="TCP")],
            ),
        )

    def _settings_data(self) -> dict[str, str]:
        props = self._props
        own = manager.environment(port=props.port, collect=props.collect, on_volume=props.on_volume)
        return {OUTPUTS_FILE: json_text(dict(props.runtime)), **own}

    def _digest(self) -> str:
        """Changes with the settings, so that the pod is replaced when they change."""
        digest: str = Fn.sha256(Fn.jsonencode(self.settings.data))
        return digest

    def _role(self) -> RoleV1:
        props = self._props
        role = RoleV1(
            self,
            "role",
            metadata=RoleV1Metadata(name=MANAGER, namespace=props.namespace, labels=self._labels),
            rule=[
                RoleV1Rule(
                    api_groups=[group],
                    resources=[resource],
                    resource_names=[ELASTIC_DEPLOYMENT] if resource.partition("/")[0] in NAMED else None,
                    verbs=verbs,
                )
                for group, resource, verbs in rules(KUBERNETES_RIGHTS)
            ],
        )
        RoleBindingV1(
            self,
            "role-binding",
            metadata=RoleBindingV1Metadata(name=MANAGER, namespace=props.namespace, labels=self._labels),
            role_ref=RoleBindingV1RoleRef(
                api_group="rbac.authorization.k8s.io", kind="Role", name=role.metadata.name
            ),
            subject=[
                RoleBindingV1Subject(
                    kind="ServiceAccount",
                    name=self.service_account.metadata.name,
                    namespace=props.namespace,
                )
            ],
        )
        return role

    def _journal(self) -> PersistentVolumeClaimV1:
        props = self._props
        return PersistentVolumeClaimV1(
            self,
            "journal",
            metadata=PersistentVolumeClaimV1Metadata(
                name=f"{MANAGER}-journal", namespace=props.namespace, labels=self._labels
            ),
            spec=PersistentVolumeClaimV1Spec(
                access_modes=["ReadWriteOnce"],
                storage_class_name=props.storage_class,
                resources=PersistentVolumeClaimV1SpecResources(requests={"storage": f"{JOURNAL_GIB}Gi"}),
            ),
            # the disk is made where the pod is, and so after it
            wait_until_bound=False,
        )

    def _policy(self) -> policy.NetworkPolicyV1:
        props = self._props
        inside = policy.NetworkPolicyV1SpecIngressFrom(
            namespace_selector=policy.NetworkPolicyV1SpecIngressFromNamespaceSelector(
                match_labels={"kubernetes.io/metadata.name": props.namespace}
            )
        )
        outside = [
            policy.NetworkPolicyV1SpecIngressFrom(
                ip_block=policy.NetworkPolicyV1SpecIngressFromIpBlock(cidr=cidr)
            )
            for cidr in props.allowed_cidrs
        ]
        return policy.NetworkPolicyV1(
            self,
            "policy",
            metadata=policy.NetworkPolicyV1Metadata(
                name=MANAGER, namespace=props.namespace, labels=self._labels
            ),
            spec=policy.NetworkPolicyV1Spec(
                # where its database is, nobody here knows
                policy_types=["Egress", "Ingress"] if props.on_volume else ["Ingress"],
                pod_selector=policy.NetworkPolicyV1SpecPodSelector(match_labels=self._selector),
                ingress=[
                    policy.NetworkPolicyV1SpecIngress(
                        from_=[inside, *outside],
                        ports=[policy.NetworkPolicyV1SpecIngressPorts(port=str(props.port), protocol="TCP")],
                    )
                ],
                egress=self._egress() if props.on_volume else None,
            ),
        )

    def _egress(self) -> list[policy.NetworkPolicyV1SpecEgress]:
        """Names, Kubernetes' API, whose address a policy cannot name, and the nodes' management port."""
        props = self._props
        nodes = policy.NetworkPolicyV1SpecEgressTo(
            pod_selector=policy.NetworkPolicyV1SpecEgressToPodSelector(
                match_labels=node_selector(props.cluster)
            )
        )
        return [
            policy.NetworkPolicyV1SpecEgress(ports=_egress_ports([(DNS_PORT, "TCP"), (DNS_PORT, "UDP")])),
            policy.NetworkPolicyV1SpecEgress(
                ports=_egress_ports([(port, "TCP") for port in API_SERVER_PORTS])
            ),
            policy.NetworkPolicyV1SpecEgress(
                to=[nodes], ports=_egress_ports([(props.management_port, "TCP")])
            ),
        ]

    def _deployment(self) -> deployment.DeploymentV1:
        props = self._props
        return deployment.DeploymentV1(
            self,
            "Resource",
            metadata=deployment.DeploymentV1Metadata(
                name=MANAGER, namespace=props.namespace, labels=self._labels
            ),
            spec=deployment.DeploymentV1Spec(
                replicas="1",
                strategy=deployment.DeploymentV1SpecStrategy(type="Recreate"),
                selector=deployment.DeploymentV1SpecSelector(match_labels=self._selector),
                template=deployment.DeploymentV1SpecTemplate(
                    metadata=deployment.DeploymentV1SpecTemplateMetadata(
                        labels={
                            **CLIENT,
                            "app.kubernetes.io/managed-by": "aether-infra",
                            **self._selector,
                        },
                        annotations={"aether-infra/config": self._digest()},
                    ),
                    spec=self._pod(),
                ),
            ),
            # it may wait for a machine or a secret, and the cluster serves meanwhile
            wait_for_rollout=False,
            depends_on=[self.policy, self.role],
        )

    def _pod(self) -> deployment.DeploymentV1SpecTemplateSpec:
        props = self._props
        return deployment.DeploymentV1SpecTemplateSpec(
            service_account_name=self.service_account.metadata.name,
            automount_service_account_token=True,
            enable_service_links=False,
            priority_class_name=props.priority_class,
            termination_grace_period_seconds=manager.STOP_SECONDS,
            image_pull_secrets=[
                deployment.DeploymentV1SpecTemplateSpecImagePullSecrets(name=name)
                for name in props.image_pull_secrets
            ]
            or None,
            affinity=_rather_on_the_small_pool(),
            security_context=deployment.DeploymentV1SpecTemplateSpecSecurityContext(
                run_as_non_root=True,
                run_as_user=str(USER_ID),
                run_as_group=str(USER_ID),
                fs_group=str(USER_ID),
                fs_group_change_policy="OnRootMismatch",
                seccomp_profile=deployment.DeploymentV1SpecTemplateSpecSecurityContextSeccompProfile(
                    type="RuntimeDefault"
                ),
            ),
            container=[self._container()],
            volume=self._volumes(),
        )

    def _volumes(self) -> list[deployment.DeploymentV1SpecTemplateSpecVolume]:
        volume = deployment.DeploymentV1SpecTemplateSpecVolume
        item = deployment.DeploymentV1SpecTemplateSpecVolumeConfigMapItems(
            key=OUTPUTS_FILE, path=OUTPUTS_FILE
        )
        volumes = [
            volume(
                name="config",
                config_map=deployment.DeploymentV1SpecTemplateSpecVolumeConfigMap(
                    name=self.settings.metadata.name, items=[item]
                ),
            ),
            volume(name="tmp", empty_dir=deployment.DeploymentV1SpecTemplateSpecVolumeEmptyDir()),
        ]
        if self.journal is not None:
            claim = deployment.DeploymentV1SpecTemplateSpecVolumePersistentVolumeClaim(
                claim_name=self.journal.metadata.name
            )
            volumes.append(volume(name="journal", persistent_volume_claim=claim))
        return volumes

    def _container(self) -> deployment.DeploymentV1SpecTemplateSpecContainer:
        props = self._props
        size = {"cpu": props.cpu, "memory": props.memory}
        mount = deployment.DeploymentV1SpecTemplateSpecContainerVolumeMount
        mounts = [
            mount(name="config", mount_path=CONFIG_PATH, read_only=True),
            mount(name="tmp", mount_path="/tmp", read_only=False),  # noqa: S108 - the container's own
        ]
        if self.journal is not None:
            mounts.append(mount(name="journal", mount_path=manager.DATA_PATH, read_only=False))
        return deployment.DeploymentV1SpecTemplateSpecContainer(
            name=manager.NAME,
            image=props.image,
            image_pull_policy="IfNotPresent" if "@sha256:" in props.image else "Always",
            env=self._environment(),
            port=[
                deployment.DeploymentV1SpecTemplateSpecContainerPort(
                    name="api", container_port=props.port, protocol="TCP"
                )
            ],
            startup_probe=deployment.DeploymentV1SpecTemplateSpecContainerStartupProbe(
                http_get=deployment.DeploymentV1SpecTemplateSpecContainerStartupProbeHttpGet(
                    path=manager.LIVENESS_PATH, port="api"
                ),
                period_seconds=5,
                timeout_seconds=5,
                failure_threshold=manager.START_SECONDS // 5,
            ),
            liveness_probe=deployment.DeploymentV1SpecTemplateSpecContainerLivenessProbe(
                http_get=deployment.DeploymentV1SpecTemplateSpecContainerLivenessProbeHttpGet(
                    path=manager.LIVENESS_PATH, port="api"
                ),
                period_seconds=manager.PROBE_SECONDS,
                timeout_seconds=5,
                failure_threshold=3,
            ),
            readiness_probe=deployment.DeploymentV1SpecTemplateSpecContainerReadinessProbe(
                http_get=deployment.DeploymentV1SpecTemplateSpecContainerReadinessProbeHttpGet(
                    path=manager.READINESS_PATH, port="api"
                ),
                period_seconds=manager.PROBE_SECONDS,
                timeout_seconds=5,
                failure_threshold=3,
            ),
            resources=deployment.DeploymentV1SpecTemplateSpecContainerResources(requests=size, limits=size),
            security_context=deployment.DeploymentV1SpecTemplateSpecContainerSecurityContext(
                allow_privilege_escalation=False,
                privileged=False,
                read_only_root_filesystem=True,
                run_as_non_root=True,
                capabilities=deployment.DeploymentV1SpecTemplateSpecContainerSecurityContextCapabilities(
                    drop=["ALL"]
                ),
            ),
            volume_mount=mounts,
        )

    def _environment(self) -> list[deployment.DeploymentV1SpecTemplateSpecContainerEnv]:
        variable = deployment.DeploymentV1SpecTemplateSpecContainerEnv
        value_from = deployment.DeploymentV1SpecTemplateSpecContainerEnvValueFrom
        plain = {key: value for key, value in self._data.items() if key != OUTPUTS_FILE}
        plain[manager.OUTPUTS] = f"{CONFIG_PATH}/{OUTPUTS_FILE}"
        variables = [variable(name=name, value=value) for name, value in sorted(plain.items())]
        for name, secret in sorted(self._props.secrets.items()):
            reference = deployment.DeploymentV1SpecTemplateSpecContainerEnvValueFromSecretKeyRef(
                name=secret.name, key=secret.key, optional=False
            )
            variables.append(variable(name=name, value_from=value_from(secret_key_ref=reference)))
        return variables


def rules(rights: Collection[str]) -> list[tuple[str, str, list[str]]]:
    """Rules of a role, from rights such as `apps/deployments:patch` or `pods/eviction:create`.

    Args:
        rights: as `catalog.manager_rights` has them.

    Returns:
        Group (empty for the core), resource with its sub-resource, and verbs, sorted.
    """
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in sorted(rights):
        place, _, verb = right.partition(":")
        head, _, rest = place.partition("/")
        verbs.setdefault((head, rest) if head in GROUPS else ("", place), []).append(verb)
    return [(group, resource, found) for (group, resource), found in sorted(verbs.items())]


def _egress_ports(ports: Sequence[tuple[int, str]]) -> list[policy.NetworkPolicyV1SpecEgressPorts]:
    return [
        policy.NetworkPolicyV1SpecEgressPorts(port=str(port), protocol=protocol) for port, protocol in ports
    ]


def _rather_on_the_small_pool() -> deployment.DeploymentV1SpecTemplateSpecAffinity:
    """Only rather: the journal's disk is in one zone, where the small pool may have no machine left."""
    preferred = deployment.DeploymentV1SpecTemplateSpecAffinityNodeAffinityPreferredDuringSchedulingIgnoredDuringExecution  # noqa: E501
    term = deployment.DeploymentV1SpecTemplateSpecAffinityNodeAffinityPreferredDuringSchedulingIgnoredDuringExecutionPreference  # noqa: E501
    expression = deployment.DeploymentV1SpecTemplateSpecAffinityNodeAffinityPreferredDuringSchedulingIgnoredDuringExecutionPreferenceMatchExpressions  # noqa: E501
    return deployment.DeploymentV1SpecTemplateSpecAffinity(
        node_affinity=deployment.DeploymentV1SpecTemplateSpecAffinityNodeAffinity(
            preferred_during_scheduling_ignored_during_execution=[
                preferred(
                    weight=100,
                    preference=term(
                        match_expressions=[expression(key=POOL_LABEL, operator="In", values=[SYSTEM_POOL])]
                    ),
                )
            ]
        )
    )
