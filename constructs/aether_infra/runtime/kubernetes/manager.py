"""The elastic nodes of a Kubernetes workload: a Deployment's replicas, changed one at a time.

Kubernetes holds a number, not machines, and its controllers choose which pod goes. What makes that idempotent is the
`ledger`; what makes it exact is that a pod is marked as the cheapest to lose before the number goes down, and deleted
by name if another one went all the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.draining import DEREGISTERED, DRAIN_SECONDS, mark, rest
from aether_infra.runtime.errors import (
    CloudUnavailable,
    Conflict,
    Denied,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
    Throttled,
)
from aether_infra.runtime.kubernetes.api import Api
from aether_infra.runtime.kubernetes.errors import QUOTA, translate
from aether_infra.runtime.kubernetes.objects import Pod
from aether_infra.runtime.manager import Kind
from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, NodeState, Target
from aether_infra.runtime.registry import dns_zone
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings
from kubernetes import client, config

CHEAPEST: Final = {"controller.kubernetes.io/pod-deletion-cost": "-2147483648"}
"""Annotation by which a ReplicaSet chooses among pods that are equally well, with the least cost that there is:
https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost (as of 2026-11)."""


@frozen(kw_only=True)
class Place:
    """Where the nodes are."""

    namespace: str = "aether"
    """Namespace of everything."""
    serving_label: str = ""
    """Label of a pod that its services go by; empty where they go by readiness alone."""
    drain_seconds: float = DRAIN_SECONDS
    """How long open requests may finish, in seconds."""

    @classmethod
    def of(cls, settings: RuntimeSettings) -> Place:
        """What the settings say of it."""
        facts = settings.facts.get("kubernetes")
        known: Mapping[str, Any] = facts if isinstance(facts, dict) else {}
        return cls(
            namespace=str(known.get("namespace") or "aether"),
            serving_label=str(known.get("serving_label") or ""),
            drain_seconds=float(settings.facts.get("drain_seconds", DRAIN_SECONDS)),
        )


def connect(settings: RuntimeSettings, patience: Patience) -> KubernetesManager:
    """Make the manager: from inside of the cluster by the pod's own account, else by `KUBECONFIG`.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        Denied: neither is there.
    """
    configuration = client.Configuration()
    # read here: the library reads the variable when it is imported
    path = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    try:
        if os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path, client_configuration=configuration
            )
    except config.ConfigException as error:
        raise Denied(
            f"no credentials for the Kubernetes cluster in KUBECONFIG, {path}: {error}", code="NoKubeconfig"
        ) from error
    return KubernetesManager(settings, patience, configuration)


class KubernetesManager:
    """`CloudManager` over a Deployment of elastic nodes and the StatefulSet of the core.

    A node's id is its pod's name; that of a core node has the beginning of the pod's UID attached, since the pod that
    takes its place has the same name. DNS is the cloud's, and goes through the cloud's own SDK.
    """

    kind = Kind.REPLICAS
    zones: Sequence[str] = ()

    def __init__(
        self, settings: RuntimeSettings, patience: Patience, configuration: client.Configuration
    ) -> None:
        """Connect nothing yet.

        Args:
            settings: the cluster.
            patience: how long it waits and how often it tries.
            configuration: address and credentials of the Kubernetes API.
        """
        self._settings = settings
        self._patience = patience
        self._place = Place.of(settings)
        self._api = Api(configuration, settings.cluster_name, self._place.namespace, patience.answer_seconds)
        self._call = Calls(translate=translate, patience=patience)

    @property
    def facts(self) -> Mapping[str, str]:
        """Provider, region, compute, cluster and namespace."""
        return {
            "provider": self._settings.provider.value,
            "region": self._settings.region,
            "compute": self._settings.compute,
            "cluster": self._settings.cluster_name,
            "namespace": self._place.namespace,
        }

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """Raise the number by one and wait for the pod; see `CloudManager.create_node`."""
        if spec.role is not NodeRole.WORKER:
            raise InvalidRequest("core nodes are a StatefulSet of a fixed size: they cannot be created")
        await self._call(f"adding a replica for {spec.token}", lambda: self._intend(spec))
        found: list[NodeInstance] = []

        async def claimed() -> bool:
            node = await self._call(f"looking for the pod of {spec.token}", lambda: self._claim(spec.token))
            found.extend([node] if node else [])
            return node is not None

        try:
            await self._patience.until(claimed, f"the pod of {spec.token}")
        except QuotaExceeded:
            await self._call(f"taking back the replica for {spec.token}", lambda: self._withdraw(spec.token))
            raise
        return found[0]

    async def terminate_node(self, node_id: str) -> None:
        """Lower the number by one so that this pod goes; see `CloudManager.terminate_node`."""
        pod = await self._pod(node_id)
        if pod is None:
            return
        if pod.role is NodeRole.CORE:
            raise Conflict(f"{node_id} is a core node, which ends by explicit command only")
        if pod.state is NodeState.TERMINATED:
            # a pod that has failed is not counted any more: the number is right as it is
            await self._call(f"deleting {node_id}", lambda: self._api.delete(pod))
        else:
            await self._call(f"marking {node_id}", lambda: self._api.patch(pod.name, annotations=CHEAPEST))
            await self._call(f"removing the replica {node_id}", lambda: self._end(pod.name))

        async def gone() -> bool:
            return await self._call(f"looking whether {node_id} is gone", lambda: self._is_gone(pod))

        await self._patience.until(gone, f"{node_id} to be gone")

    async def terminate_core_node(self, node_id: str) -> None:
        """Evict a core node's pod within its disruption budget; the StatefulSet makes it anew.

        Raises:
            Conflict: it is no core node, or the PodDisruptionBudget does not allow it now.
            CloudError: anything else.
        """
        pod = await self._pod(node_id)
        if pod is None:
            return
        if pod.role is not NodeRole.CORE:
            raise Conflict(f"{node_id} is no core node")
        try:
            await self._call(f"evicting {node_id}", lambda: self._api.evict(pod), again=False)
        except Throttled as error:
            # this is how the API says that the budget is used up
            raise Conflict(f"{error.message} (its disruption budget)", code=error.code) from error

        async def gone() -> bool:
            return await self._pod(pod.id) is None

        await self._patience.until(gone, f"{node_id} to be gone")

    async def list_nodes(self) -> list[NodeInstance]:
        """See `CloudManager.list_nodes`."""
        ledger, pods = await self._call(
            "listing pods", lambda: (self._api.elastic().ledger, self._api.pods())
        )
        pods.sort(key=lambda pod: (pod.created_at, pod.name))
        return [pod.node(ledger) for pod in pods]

    async def get_node(self, node_id: str) -> NodeInstance:
        """See `CloudManager.get_node`."""
        pod = await self._known(node_id)
        elastic = await self._call("reading the Deployment", self._api.elastic)
        return pod.node(elastic.ledger)

    async def register_target(self, node_id: str) -> None:
        """Let the services find a node; where they go by readiness alone, they do so by themselves."""
        pod = await self._known(node_id)
        label = self._place.serving_label
        if label and label not in pod.labels:
            await self._call(
                f"registering {node_id}",
                lambda: self._api.patch(pod.name, labels={label: "true"}, annotations={DEREGISTERED: None}),
            )

    async def deregister_target(self, node_id: str) -> None:
        """Take a node from the services and let open requests finish.

        Where services go by readiness alone, a pod leaves them as it ends: it serves on meanwhile, by its `preStop`.
        """
        label = self._place.serving_label
        pod = await self._pod(node_id) if label else None
        if pod is None:
            return
        since = pod.annotations.get(DEREGISTERED, "")
        if label in pod.labels:
            since = mark()
            await self._call(
                f"deregistering {node_id}",
                lambda: self._api.patch(pod.name, labels={label: None}, annotations={DEREGISTERED: since}),
            )
        await self._patience.clock.sleep(rest(since, self._place.drain_seconds))

    async def list_targets(self) -> list[Target]:
        """What readiness says of each node that the services may find; empty where they go by readiness alone."""
        label = self._place.serving_label
        pods = await self._call("listing pods", self._api.pods) if label else []
        served = [pod for pod in pods if label in pod.labels and pod.state is not NodeState.TERMINATED]
        return sorted((pod.target() for pod in served), key=lambda target: target.id)

    async def update_dns_record(self, record: DnsRecord) -> None:
        """See `CloudManager.update_dns_record`; the zone is the cloud's."""
        zone = dns_zone(self._settings, self._patience)
        if zone is None:
            raise NotFound(f"{self._settings.cluster_name} has no DNS zone")
        await zone.update(record)

    async def close(self) -> None:
        """Give back connections."""
        await asyncio.to_thread(self._api.close)

    async def _pod(self, node_id: str) -> Pod | None:
        """The pod of a node; None where there is none, or where another one has taken its name.

        Raises:
            Denied: it is of another cluster, or runs no node.
        """
        name, _, uid = node_id.partition(".")
        pod = await self._call(f"reading the pod {name}", lambda: self._api.pod(name))
        if pod is None or not pod.uid.startswith(uid):
            return None
        if not pod.owned_by(self._settings.cluster_name):
            raise Denied(f"{node_id} is no node of {self._settings.cluster_name}")
        return pod

    async def _known(self, node_id: str) -> Pod:
        """The pod of a node of ours.

        Raises:
            NotFound: there is none.
        """
        unknown = NotFound(f"there is no node {node_id} in {self._settings.cluster_name}")
        try:
            pod = await self._pod(node_id)
        except Denied as error:
            if error.code:  # by the API, and not by us
                raise
            raise unknown from error
        if pod is None:
            raise unknown
        return pod

    # What follows blocks, and runs in a thread; each is safe to repeat from its beginning.

    def _intend(self, spec: NodeSpec) -> None:
        """Write a creation down and raise the number, both or neither."""
        elastic = self._api.elastic()
        if spec.token in elastic.ledger.created:
            return
        present = [pod.name for pod in self._api.pods() if pod.role is NodeRole.WORKER]
        wanted = elastic.replicas + 1 if spec.desired is None else max(elastic.replicas, spec.desired)
        ledger = elastic.ledger.with_present(present).with_creation(spec.token)
        self._api.change(elastic, ledger.pruned(present), wanted)

    def _claim(self, token: str) -> NodeInstance | None:
        """The pod of a creation; None while there is none."""
        elastic = self._api.elastic()
        pods = {pod.name: pod for pod in self._api.pods() if pod.role is NodeRole.WORKER}
        ledger, name = elastic.ledger, elastic.ledger.created.get(token, "")
        if not name:
            free = ledger.unclaimed([name for name, pod in pods.items() if pod.state.alive])
            if not free:
                if elastic.failure:
                    kind = QuotaExceeded if QUOTA in elastic.failure else CloudUnavailable
                    raise kind(f"no pod can be made: {elastic.failure}", code="ReplicaFailure")
                return None
            name = min(free, key=lambda each: (pods[each].created_at, each))
            ledger = ledger.with_creation(token, name)
            self._api.change(elastic, ledger)
        if name not in pods:
            return NodeInstance(
                id=name, name=name, state=NodeState.TERMINATED, role=NodeRole.WORKER, token=token
            )
        return pods[name].node(ledger)

    def _withdraw(self, token: str) -> None:
        """Take back a creation that no pod came of."""
        elastic = self._api.elastic()
        if elastic.ledger.created.get(token) == "":
            self._api.change(elastic, elastic.ledger.without_creation(token), max(0, elastic.replicas - 1))

    def _end(self, name: str) -> None:
        """Write an ending down and lower the number, both or neither."""
        elastic = self._api.elastic()
        present = [pod.name for pod in self._api.pods()]
        if name in present and name not in elastic.ledger.ended:
            ledger = elastic.ledger.with_ending(name).pruned(present)
            self._api.change(elastic, ledger, max(0, elastic.replicas - 1))

    def _is_gone(self, pod: Pod) -> bool:
        """Whether a pod is gone; if the ReplicaSet has taken another one instead, it is deleted by name."""
        now = self._api.pod(pod.name)
        if now is None or now.uid != pod.uid:
            return True
        if not now.ending and self._api.elastic().settled:
            self._api.delete(now)
        return False
