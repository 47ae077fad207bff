"""The whole Aether workload on one cluster."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen
from cdktf import Fn, ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from constructs import Construct

from aether_infra.core.kubernetes import SERVING_LABEL
from aether_infra.core.node import HealthProbe, NodePorts, environment, java_options, peers
from aether_infra.core.tags import NodeRole
from aether_infra.kubernetes.cloud import KubernetesCloud
from aether_infra.kubernetes.core_nodes import CoreNodes, CoreNodesProps, core_hosts
from aether_infra.kubernetes.elastic_nodes import ElasticNodes, ElasticNodesProps
from aether_infra.kubernetes.labels import standard_labels
from aether_infra.kubernetes.namespace import Namespace, NamespaceProps
from aether_infra.kubernetes.network_policy import NodePolicy, NodePolicyProps
from aether_infra.kubernetes.node import CONFIG_MAP, NodePodProps, PodResources, SecretKey
from aether_infra.kubernetes.secrets import SECRETS, StoredSecrets, StoredSecretsProps
from aether_infra.kubernetes.services import Services, ServicesProps
from aether_infra.kubernetes.storage import DataClass, DataClassProps


@frozen(kw_only=True)
class WorkloadProps:
    """Props of `Workload`."""

    cluster: str
    """Cluster's name."""
    cloud: KubernetesCloud
    """What the cloud adds; its `access` is for the provider, which the stack declares."""
    namespace: str = "aether"
    """Namespace of everything."""
    core_nodes: int = 3
    """Voters: 3, 5 or 7."""
    elastic_minimum: int = 0
    """Fewest elastic nodes."""
    elastic_maximum: int = 7
    """Most elastic nodes; 0: none, and no autoscaler."""
    java_opts: str = java_options(heap_mib=1536)
    """Options of the JVM."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node."""
    health: HealthProbe = field(factory=HealthProbe)
    """Probes."""
    resources: PodResources = field(factory=PodResources)
    """What a node asks for and may use."""
    cpu_target_millicores: int = 1200
    """Mean CPU of all elastic nodes that is aimed at, in thousandths of a processor."""
    scale_out_cooldown_seconds: int = 60
    """Seconds between two steps up."""
    scale_in_cooldown_seconds: int = 300
    """Seconds that a lower need must last before a step down."""
    stop_timeout_seconds: int = 90
    """From the beginning of the end to the kill, in seconds."""
    drain_seconds: int = 30
    """How long a node that is told to end still serves, in seconds."""
    storage_class: str | None = None
    """An existing storage class; default: the one that `cloud.storage` describes, else the cluster's default."""
    data_volume_gib: int = 20
    """Size of a core node's data volume in GiB."""
    secrets: Mapping[str, SecretKey] = field(factory=dict)
    """Environment variables out of Kubernetes secrets that exist; `cloud.secrets` adds those of the cloud's store."""
    managed: bool = False
    """Whether the runtime manager sizes the elastic nodes (see `Manager`); default: Kubernetes' autoscaler does."""
    protect: bool = True
    """Whether data outlives the workload; default on."""
    annotations: Mapping[str, str] = field(factory=dict)
    """Annotations of the namespace: the operator's tags."""


class Workload(Construct):
    """Namespace, configuration, core and elastic nodes, services and network policy.

    Attributes:
        namespace: namespace, service account, priority classes.
        config_map: the environment that all nodes share.
        storage: storage class of the data; None where an existing one is used.
        stored_secrets: copies of the cloud's secrets; None without.
        core: the voters.
        elastic: the autoscaled nodes; None where there are none.
        services: what traffic comes through.
        policy: who may call the nodes.
    """

    def __init__(self, scope: Construct, id_: str, props: WorkloadProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        cloud = props.cloud
        self.namespace = Namespace(
            self,
            "namespace",
            NamespaceProps(
                cluster=props.cluster,
                namespace=props.namespace,
                annotations=props.annotations,
                service_account_annotations=cloud.service_account_annotations,
            ),
        )
        self.storage = self._storage()
        self.stored_secrets = self._stored_secrets()
        self.config_map = ConfigMapV1(
            self,
            "config",
            metadata=ConfigMapV1Metadata(
                name=CONFIG_MAP, namespace=self.namespace.name, labels=standard_labels(props.cluster)
            ),
            data=self._environment(),
        )
        self.policy = self._policy()
        pod = self._pod()
        self.core = self._core(pod)
        self.elastic = self._elastic(pod)
        self.services = Services(
            self,
            "services",
            ServicesProps(
                cluster=props.cluster,
                namespace=self.namespace.name,
                ports=props.ports,
                application=cloud.application,
                management=cloud.management,
                managed=props.managed,
            ),
        )

    def _storage(self) -> DataClass | None:
        props = self._props
        if props.storage_class or props.cloud.storage is None:
            return None
        return DataClass(
            self,
            "storage",
            DataClassProps(
                cluster=props.cluster,
                namespace=props.namespace,
                storage=props.cloud.storage,
                protect=props.protect,
            ),
        )

    def _stored_secrets(self) -> StoredSecrets | None:
        source = self._props.cloud.secrets
        if source is None:
            return None
        props = StoredSecretsProps(
            cluster=self._props.cluster, namespace=self.namespace.name, provider=source
        )
        return StoredSecrets(self, "secrets", props)

    def _environment(self) -> dict[str, str]:
        props = self._props
        return environment(
            ports=props.ports,
            peer_list=peers(core_hosts(props.namespace, props.core_nodes), props.ports.cluster),
            core_count=props.core_nodes,
            java_opts=props.java_opts,
        )

    def _before_pods(self) -> list[ITerraformDependable]:
        """What pods do not name and must not start without."""
        return [self.policy.policy, *([self.stored_secrets.manifest] if self.stored_secrets else [])]

    def _pod(self) -> NodePodProps:
        props, stored = self._props, self.stored_secrets
        pod = NodePodProps(
            cluster=props.cluster,
            image=props.cloud.image,
            config_map=self.config_map.metadata.name,
            config_digest=Fn.sha256(Fn.jsonencode(self.config_map.data)),
            service_account=self.namespace.service_account.metadata.name,
            mount_token=props.cloud.mount_token,
            ports=props.ports,
            health=props.health,
            resources=props.resources,
            stop_timeout_seconds=props.stop_timeout_seconds,
            drain_seconds=props.drain_seconds,
            secrets=props.secrets,
            image_pull_secrets=props.cloud.image_pull_secrets,
            labels={**props.cloud.pod_labels, **({SERVING_LABEL: "true"} if props.managed else {})},
        )
        if stored is None or props.cloud.secrets is None:
            return pod
        return evolve(
            pod,
            secrets={**props.secrets, **stored.keys},
            secret_class=SECRETS,
            secret_driver=props.cloud.secrets.driver,
        )

    def _core(self, pod: NodePodProps) -> CoreNodes:
        props = self._props
        return CoreNodes(
            self,
            "core",
            CoreNodesProps(
                pod=pod,
                namespace=self.namespace.name,
                count=props.core_nodes,
                zones=props.cloud.zones,
                placement=props.cloud.core,
                priority_class=self.namespace.priority_classes[NodeRole.CORE].metadata.name,
                storage_class=self.storage.name if self.storage else props.storage_class,
                data_volume_gib=props.data_volume_gib,
                protect=props.protect,
                after=self._before_pods(),
            ),
        )

    def _elastic(self, pod: NodePodProps) -> ElasticNodes | None:
        props = self._props
        if props.elastic_maximum < 1:
            return None
        return ElasticNodes(
            self,
            "elastic",
            ElasticNodesProps(
                pod=pod,
                namespace=self.namespace.name,
                minimum=props.elastic_minimum,
                maximum=props.elastic_maximum,
                zones=props.cloud.zones,
                placement=props.cloud.elastic,
                priority_class=self.namespace.priority_classes[NodeRole.WORKER].metadata.name,
                cpu_target_millicores=props.cpu_target_millicores,
                scale_out_cooldown_seconds=props.scale_out_cooldown_seconds,
                scale_in_cooldown_seconds=props.scale_in_cooldown_seconds,
                managed=props.managed,
                after=self._before_pods(),
            ),
        )

    def _policy(self) -> NodePolicy:
        props = self._props
        return NodePolicy(
            self,
            "policy",
            NodePolicyProps(
                cluster=props.cluster,
                namespace=self.namespace.name,
                ports=props.ports,
                application_sources=props.cloud.application_sources,
                management_sources=props.cloud.management_sources,
            ),
        )
