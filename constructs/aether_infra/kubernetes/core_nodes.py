"""The core: a StatefulSet whose pods keep id, name and data, and are replaced one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.pod_disruption_budget_v1 import (
    PodDisruptionBudgetV1,
    PodDisruptionBudgetV1Metadata,
    PodDisruptionBudgetV1Spec,
    PodDisruptionBudgetV1SpecSelector,
)
from cdktf_cdktf_provider_kubernetes.service_v1 import (
    ServiceV1,
    ServiceV1Metadata,
    ServiceV1Spec,
    ServiceV1SpecPort,
)
from cdktf_cdktf_provider_kubernetes.stateful_set_v1 import (
    StatefulSetV1,
    StatefulSetV1Metadata,
    StatefulSetV1Spec,
    StatefulSetV1SpecPersistentVolumeClaimRetentionPolicy,
    StatefulSetV1SpecSelector,
    StatefulSetV1SpecUpdateStrategy,
    StatefulSetV1SpecUpdateStrategyRollingUpdate,
    StatefulSetV1SpecVolumeClaimTemplate,
    StatefulSetV1SpecVolumeClaimTemplateMetadata,
    StatefulSetV1SpecVolumeClaimTemplateSpec,
    StatefulSetV1SpecVolumeClaimTemplateSpecResources,
    StatefulSetV1Timeouts,
)
from constructs import Construct

from aether_infra.core.kubernetes import HEADLESS_SERVICE, STATEFUL_SET
from aether_infra.core.node import NodePorts
from aether_infra.core.tags import NodeRole
from aether_infra.kubernetes.cloud import ON_JVM_POOL, Placement
from aether_infra.kubernetes.labels import node_selector, standard_labels
from aether_infra.kubernetes.node import DATA_VOLUME, NodePodProps, pod_template

DISRUPTION_BUDGET = "aether-pdb"
"""Name of the core's PodDisruptionBudget, Aether's own."""
MINUTES_PER_NODE = 10
"""How long Terraform waits for one node of a rollout: image, disk, machine, JVM."""


def core_hosts(namespace: str, count: int) -> dict[str, str]:
    """Name of each core node's host, by node id, which is the pod's name.

    Args:
        namespace: the nodes' namespace.
        count: number of core nodes.

    Returns:
        Names without the cluster's domain, which every pod's search list adds: it is not always `cluster.local`.
    """
    ids = [f"{STATEFUL_SET}-{ordinal}" for ordinal in range(count)]
    return {id_: f"{id_}.{HEADLESS_SERVICE}.{namespace}.svc" for id_ in ids}


@frozen(kw_only=True)
class CoreNodesProps:
    """Props of `CoreNodes`."""

    pod: NodePodProps
    """The node."""
    namespace: str
    """Namespace, as a token that waits for it."""
    count: int = 3
    """Voters: 3, 5 or 7."""
    zones: int = 1
    """Zones that the machines span."""
    placement: Placement = ON_JVM_POOL
    """Machines to run on."""
    priority_class: str
    """PriorityClass of the core."""
    storage_class: str | None = None
    """Storage class of the data; default: the cluster's default class."""
    data_volume_gib: int = 20
    """Size of a node's data volume in GiB."""
    protect: bool = True
    """Whether data outlives the StatefulSet; it always outlives a smaller number of nodes."""
    after: Sequence[ITerraformDependable] = ()
    """What must be there before the first pod."""


class CoreNodes(Construct):
    """Headless service, StatefulSet and PodDisruptionBudget of the voters.

    Attributes:
        headless: gives every voter a name, also before it is ready: they must find each other to become so.
        stateful_set: the voters.
        disruption_budget: lets one of them go at a time.
    """

    def __init__(self, scope: Construct, id_: str, props: CoreNodesProps) -> None:
        super().__init__(scope, id_)
        cluster = props.pod.cluster
        labels = standard_labels(cluster)
        selector = node_selector(cluster, NodeRole.CORE)
        self.headless = ServiceV1(
            self,
            "headless",
            metadata=ServiceV1Metadata(name=HEADLESS_SERVICE, namespace=props.namespace, labels=labels),
            spec=ServiceV1Spec(
                cluster_ip="None",
                publish_not_ready_addresses=True,
                selector=selector,
                port=_cluster_ports(props.pod.ports),
            ),
        )
        self.disruption_budget = PodDisruptionBudgetV1(
            self,
            "disruption-budget",
            metadata=PodDisruptionBudgetV1Metadata(
                name=DISRUPTION_BUDGET, namespace=props.namespace, labels=labels
            ),
            spec=PodDisruptionBudgetV1Spec(
                max_unavailable="1", selector=PodDisruptionBudgetV1SpecSelector(match_labels=selector)
            ),
        )
        self.stateful_set = StatefulSetV1(
            self,
            "Resource",
            metadata=StatefulSetV1Metadata(name=STATEFUL_SET, namespace=props.namespace, labels=labels),
            spec=_spec(props, selector),
            wait_for_rollout=True,
            timeouts=_patience(props.count),
            depends_on=[self.headless, self.disruption_budget, *props.after],
        )


def _spec(props: CoreNodesProps, selector: dict[str, str]) -> StatefulSetV1Spec:
    retention = "Retain" if props.protect else "Delete"
    return StatefulSetV1Spec(
        service_name=HEADLESS_SERVICE,
        replicas=str(props.count),
        # all at once: the first cannot be ready before a majority runs. An update still goes one by one.
        pod_management_policy="Parallel",
        revision_history_limit=10,
        selector=StatefulSetV1SpecSelector(match_labels=selector),
        update_strategy=[
            StatefulSetV1SpecUpdateStrategy(
                type="RollingUpdate",
                rolling_update=[StatefulSetV1SpecUpdateStrategyRollingUpdate(partition=0)],
            )
        ],
        persistent_volume_claim_retention_policy=[
            StatefulSetV1SpecPersistentVolumeClaimRetentionPolicy(
                when_deleted=retention, when_scaled="Retain"
            )
        ],
        template=pod_template(
            StatefulSetV1,
            props.pod,
            NodeRole.CORE,
            placement=props.placement,
            zones=props.zones,
            priority_class=props.priority_class,
        ),
        volume_claim_template=[
            StatefulSetV1SpecVolumeClaimTemplate(
                metadata=StatefulSetV1SpecVolumeClaimTemplateMetadata(name=DATA_VOLUME),
                spec=StatefulSetV1SpecVolumeClaimTemplateSpec(
                    access_modes=["ReadWriteOnce"],
                    storage_class_name=props.storage_class,
                    resources=StatefulSetV1SpecVolumeClaimTemplateSpecResources(
                        requests={"storage": f"{props.data_volume_gib}Gi"}
                    ),
                ),
            )
        ],
    )


def _cluster_ports(ports: NodePorts) -> list[ServiceV1SpecPort]:
    """Ports that nodes reach each other at; also in the service, as some network policies go by it."""
    return [
        ServiceV1SpecPort(name=name, port=port, target_port=name, protocol=protocol)
        for name, port, protocol in (
            ("cluster", ports.cluster, "TCP"),
            ("cluster-quic", ports.cluster, "UDP"),
            ("swim", ports.swim, "UDP"),
        )
    ]


def _patience(count: int) -> StatefulSetV1Timeouts:
    minutes = f"{count * MINUTES_PER_NODE}m"
    return StatefulSetV1Timeouts(create=minutes, update=minutes, delete=minutes)
