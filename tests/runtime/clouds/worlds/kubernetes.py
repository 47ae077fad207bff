"""The elastic nodes of a Kubernetes workload."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from cloud_world import CLUSTER, OTHER, Can, HttpWorld, Machine, Step, common_facts
from fake_cloud_server import FakeCloudServer
from fake_kubernetes import VERBS, FakeKubernetes, FakePod

from aether_infra.core.kubernetes import ELASTIC_DEPLOYMENT
from aether_infra.core.kubernetes import SERVING_LABEL as SERVING

STEPS = {
    Step.CREATE: {"patchDeployment"},
    Step.TERMINATE: {"patchDeployment", "deletePod", "evictPod"},
    Step.LIST: {"listPods", "readPod"},
    Step.TAG: {"patchPod"},
    Step.REGISTER: {"patchPod"},
    Step.DEREGISTER: {"patchPod"},
    Step.TARGETS: {"listPods", "readPod"},
    Step.DNS: {"none"},
}
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: test
contexts: [{{name: test, context: {{cluster: test, user: test}}}}]
clusters: [{{name: test, cluster: {{server: {server}}}}}]
users: [{{name: test, user: {{token: only-a-test}}}}]
"""


def labels(cluster: str, role: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "aether",
        "aether-cluster": cluster,
        "aether-role": role,
        SERVING: "true",
    }


class KubernetesWorld(HttpWorld):
    name = "kubernetes"
    region = "europe-west4"
    unknown = "aether-elastic-none"
    drain_seconds = 30
    no_balancer: ClassVar[Mapping[str, Any]] = {"kubernetes": {"namespace": "aether"}}
    credentials = frozenset({"KUBECONFIG"})
    rights: ClassVar[frozenset[str] | None] = None
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.MACHINES: "a Deployment has a number",
        Can.ZONES: "the scheduler chooses the machine",
        Can.SIZES: "a pod has no machine type",
        Can.SPOT: "a pod has none",
        Can.TAGS: "the token stands in the Deployment's ledger, not on the pod",
        Can.CORE_ENDS: "the StatefulSet makes its pods anew",
        Can.DRAINS: "the manager waits by itself",
        Can.DNS: "the zone is the cloud's",
        Can.DNS_PENDING: "the zone is the cloud's",
        Can.INTERRUPTS: "a pod is told at once",
    }

    def __init__(self) -> None:
        super().__init__()
        self.cloud = FakeKubernetes()
        self.server = FakeCloudServer(self.cloud)
        self.folder = tempfile.TemporaryDirectory()
        self.cloud.stateful_set("node", labels(CLUSTER, "core"), 3)
        self.cloud.deployment(ELASTIC_DEPLOYMENT, {"aether-cluster": CLUSTER}, labels(CLUSTER, "worker"), 0)
        self.add(cluster=OTHER)
        self.add(cluster=None)

    @property
    def environment(self) -> Mapping[str, str]:
        path = Path(self.folder.name) / "config"
        path.write_text(KUBECONFIG.format(server=self.server.url), encoding="utf-8")
        return {"KUBECONFIG": str(path)}

    def facts(self) -> dict[str, Any]:
        return common_facts(
            provider="gcp",
            compute="gke",
            region=self.region,
            kubernetes={"namespace": "aether", "serving_label": SERVING},
            drain_seconds=30,
        )

    def machines(self) -> dict[str, Machine]:
        living = {self._id(pod): self._machine(pod, gone=False) for pod in self.cloud.pods.values()}
        gone = {
            key if pod.labels.get("aether-role") == "core" else pod.name: self._machine(pod, gone=True)
            for key, pod in self.cloud.gone.items()
        }
        return gone | living

    def _id(self, pod: FakePod) -> str:
        return f"{pod.name}.{pod.uid[:8]}" if pod.labels.get("aether-role") == "core" else pod.name

    def _machine(self, pod: FakePod, *, gone: bool) -> Machine:
        core = pod.labels.get("aether-role") == "core"
        tags = pod.labels | ({"aether-node-id": pod.name} if core else {})
        return Machine(id=self._id(pod), tags=tags, alive=pod.active and not gone, gone=gone)

    def desired(self) -> int:
        return int(self.cloud.deployments[ELASTIC_DEPLOYMENT]["replicas"])

    def targets(self) -> dict[str, str]:
        return {
            self._id(pod): "registered"
            for pod in self.cloud.pods.values()
            if pod.active and SERVING in pod.labels and pod.labels["aether-cluster"] == CLUSTER
        }

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        return {}

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        before = set(self.cloud.pods)
        if cluster == CLUSTER:
            deployment = self.cloud.deployments[ELASTIC_DEPLOYMENT]
            deployment["pod_labels"] = {k: v for k, v in deployment["pod_labels"].items() if k != SERVING}
            deployment["replicas"] += count
            deployment["version"] = self.cloud.next_serial()
            self.cloud.control()
            deployment["pod_labels"] = labels(CLUSTER, "worker")
        else:
            for index in range(count):
                given = labels(cluster, "worker") if cluster else {}
                self.cloud.add(f"{cluster or 'untagged'}-{len(before)}-{index}", given)
        return sorted(set(self.cloud.pods) - before)

    def register(self, node_id: str) -> None:
        self.cloud.pods[node_id.partition(".")[0]].labels[SERVING] = "true"

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(STEPS[step])

    def rights_used(self) -> set[str]:
        return {VERBS[call.operation] for call in self.server.calls if call.operation in VERBS}

    async def close(self) -> None:
        await super().close()
        self.folder.cleanup()


WORLDS = [KubernetesWorld]
