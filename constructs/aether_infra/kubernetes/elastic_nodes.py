"""Elastic nodes: a Deployment that a HorizontalPodAutoscaler, or the runtime manager, sizes; never voters."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_kubernetes import horizontal_pod_autoscaler_v2 as hpa
from cdktf_cdktf_provider_kubernetes.deployment_v1 import (
    DeploymentV1,
    DeploymentV1Metadata,
    DeploymentV1Spec,
    DeploymentV1SpecSelector,
    DeploymentV1SpecStrategy,
    DeploymentV1SpecStrategyRollingUpdate,
)
from cdktf_cdktf_provider_kubernetes.pod_disruption_budget_v1 import (
    PodDisruptionBudgetV1,
    PodDisruptionBudgetV1Metadata,
    PodDisruptionBudgetV1Spec,
    PodDisruptionBudgetV1SpecSelector,
)
from constructs import Construct

from aether_infra.core.kubernetes import ELASTIC_DEPLOYMENT as DEPLOYMENT
from aether_infra.core.tags import NodeRole
from aether_infra.kubernetes.cloud import ON_JVM_POOL, Placement
from aether_infra.kubernetes.labels import node_selector, standard_labels
from aether_infra.kubernetes.node import NodePodProps, pod_template

LEAST = 1
"""Fewest pods that an autoscaler by CPU can hold: none have no CPU to go by. Source:
https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/ (as of 2026-11)."""


@frozen(kw_only=True)
class ElasticNodesProps:
    """Props of `ElasticNodes`."""

    pod: NodePodProps
    """The node."""
    namespace: str
    """Namespace, as a token that waits for it."""
    minimum: int = 0
    """Fewest elastic nodes; at least one always runs (see `LEAST`), unless the manager sizes them."""
    maximum: int
    """Most elastic nodes, at least one."""
    zones: int = 1
    """Zones that the machines span."""
    placement: Placement = ON_JVM_POOL
    """Machines to run on."""
    priority_class: str
    """PriorityClass of elastic nodes."""
    cpu_target_millicores: int
    """Mean CPU of all elastic nodes that is aimed at, in thousandths of a processor."""
    scale_out_cooldown_seconds: int = 60
    """Seconds between two steps up."""
    scale_in_cooldown_seconds: int = 300
    """Seconds that a lower need must last before a step down."""
    managed: bool = False
    """Whether the runtime manager sizes them, and not Kubernetes' own autoscaler; default off."""
    after: Sequence[ITerraformDependable] = ()
    """What must be there before the first pod."""


class ElasticNodes(Construct):
    """Deployment, HorizontalPodAutoscaler and PodDisruptionBudget of the elastic nodes.

    Attributes:
        deployment: the nodes; their number is the autoscaler's, or that of Aether's own controller.
        autoscaler: keeps it between the bounds; None where the runtime manager does.
        disruption_budget: lets a quarter of them go at a time.
    """

    def __init__(self, scope: Construct, id_: str, props: ElasticNodesProps) -> None:
        super().__init__(scope, id_)
        cluster = props.pod.cluster
        labels = standard_labels(cluster)
        selector = node_selector(cluster, NodeRole.WORKER)
        least = props.minimum if props.managed else max(props.minimum, LEAST)
        self.deployment = DeploymentV1(
            self,
            "Resource",
            metadata=DeploymentV1Metadata(name=DEPLOYMENT, namespace=props.namespace, labels=labels),
            spec=DeploymentV1Spec(
                replicas=str(least),
                revision_history_limit=10,
                selector=DeploymentV1SpecSelector(match_labels=selector),
                strategy=DeploymentV1SpecStrategy(
                    type="RollingUpdate",
                    rolling_update=DeploymentV1SpecStrategyRollingUpdate(
                        # no surge: the machines are counted
                        max_surge="0",
                        max_unavailable="1",
                    ),
                ),
                template=pod_template(
                    DeploymentV1,
                    props.pod,
                    NodeRole.WORKER,
                    placement=props.placement,
                    zones=props.zones,
                    priority_class=props.priority_class,
                ),
            ),
            # they may wait for a machine, and the core serves meanwhile
            wait_for_rollout=False,
            depends_on=list(props.after) or None,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["spec[0].replicas"]),
        )
        self.autoscaler = None if props.managed else self._autoscaler(props, least, labels)
        self.disruption_budget = PodDisruptionBudgetV1(
            self,
            "disruption-budget",
            metadata=PodDisruptionBudgetV1Metadata(
                name=f"{DEPLOYMENT}-pdb", namespace=props.namespace, labels=labels
            ),
            spec=PodDisruptionBudgetV1Spec(
                max_unavailable="25%", selector=PodDisruptionBudgetV1SpecSelector(match_labels=selector)
            ),
        )

    def _autoscaler(
        self, props: ElasticNodesProps, least: int, labels: dict[str, str]
    ) -> hpa.HorizontalPodAutoscalerV2:
        target = hpa.HorizontalPodAutoscalerV2SpecMetricResourceTarget(
            # of a processor and not of what was set aside: so it means the same as on every other cloud
            type="AverageValue",
            average_value=f"{props.cpu_target_millicores}m",
        )
        return hpa.HorizontalPodAutoscalerV2(
            self,
            "autoscaler",
            metadata=hpa.HorizontalPodAutoscalerV2Metadata(
                name=DEPLOYMENT, namespace=props.namespace, labels=labels
            ),
            spec=hpa.HorizontalPodAutoscalerV2Spec(
                min_replicas=least,
                max_replicas=max(props.maximum, least),
                scale_target_ref=hpa.HorizontalPodAutoscalerV2SpecScaleTargetRef(
                    api_version="apps/v1", kind="Deployment", name=self.deployment.metadata.name
                ),
                metric=[
                    hpa.HorizontalPodAutoscalerV2SpecMetric(
                        type="Resource",
                        resource=hpa.HorizontalPodAutoscalerV2SpecMetricResource(name="cpu", target=target),
                    )
                ],
                behavior=_behavior(props),
            ),
        )


def _behavior(props: ElasticNodesProps) -> hpa.HorizontalPodAutoscalerV2SpecBehavior:
    """Up by doubling, once a cool-down; down one by one, so that each can leave in order."""
    up = hpa.HorizontalPodAutoscalerV2SpecBehaviorScaleUp(
        stabilization_window_seconds=0,
        select_policy="Max",
        policy=[
            hpa.HorizontalPodAutoscalerV2SpecBehaviorScaleUpPolicy(
                type=kind, value=value, period_seconds=_period(props.scale_out_cooldown_seconds)
            )
            for kind, value in (("Percent", 100), ("Pods", 2))
        ],
    )
    down = hpa.HorizontalPodAutoscalerV2SpecBehaviorScaleDown(
        stabilization_window_seconds=props.scale_in_cooldown_seconds,
        select_policy="Max",
        policy=[
            hpa.HorizontalPodAutoscalerV2SpecBehaviorScaleDownPolicy(type="Pods", value=1, period_seconds=60)
        ],
    )
    return hpa.HorizontalPodAutoscalerV2SpecBehavior(scale_up=[up], scale_down=[down])


def _period(seconds: int) -> int:
    """A period that Kubernetes takes: 1 to 1800 seconds."""
    return min(max(seconds, 1), 1800)
