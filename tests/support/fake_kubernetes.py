"""A Kubernetes API server with one namespace, and the controllers of its Deployment and StatefulSet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, field
from cloud_world import Behaviour, Effect
from fake_cloud_server import FakeCloud, Reply, Request

Json = dict[str, Any]
ROUTES: list[tuple[str, str, str]] = [
    ("GET", r"/apis/apps/v1/namespaces/(?P<ns>[^/]+)/deployments/(?P<name>[^/]+)", "readDeployment"),
    ("PATCH", r"/apis/apps/v1/namespaces/(?P<ns>[^/]+)/deployments/(?P<name>[^/]+)", "patchDeployment"),
    ("GET", r"/api/v1/namespaces/(?P<ns>[^/]+)/pods", "listPods"),
    ("GET", r"/api/v1/namespaces/(?P<ns>[^/]+)/pods/(?P<name>[^/]+)", "readPod"),
    ("PATCH", r"/api/v1/namespaces/(?P<ns>[^/]+)/pods/(?P<name>[^/]+)", "patchPod"),
    ("DELETE", r"/api/v1/namespaces/(?P<ns>[^/]+)/pods/(?P<name>[^/]+)", "deletePod"),
    ("POST", r"/api/v1/namespaces/(?P<ns>[^/]+)/pods/(?P<name>[^/]+)/eviction", "evictPod"),
]
COST = "controller.kubernetes.io/pod-deletion-cost"
VERBS = {
    "readDeployment": "apps/deployments:get",
    "patchDeployment": "apps/deployments:patch",
    "listPods": "pods:list",
    "readPod": "pods:get",
    "patchPod": "pods:patch",
    "deletePod": "pods:delete",
    "evictPod": "pods/eviction:create",
}
"""Right of the caller that each operation needs: resource and verb."""


@define(kw_only=True)
class FakePod:
    name: str
    uid: str
    labels: dict[str, str]
    owner: str
    """Name of the Deployment or StatefulSet that wants it; empty for none."""
    born: datetime
    annotations: dict[str, str] = field(factory=dict)
    hidden_lists: int = 0
    pending: int = 0
    stopping: int | None = None
    """Looks until it is gone; None while it lives."""
    failed: bool = False

    @property
    def active(self) -> bool:
        return self.stopping is None and not self.failed


class FakeKubernetes(FakeCloud):
    """One namespace. Time passes by being looked at."""

    def __init__(self, namespace: str = "aether") -> None:
        super().__init__()
        self.behaviour = Behaviour()
        self.namespace = namespace
        self.pods: dict[str, FakePod] = {}
        self.gone: dict[str, FakePod] = {}
        self.deployments: dict[str, Json] = {}
        self.sets: dict[str, int] = {}
        self.budget_used_up = False
        self.quota: int | None = None
        """Most pods that the namespace may have."""
        self._serial = 0
        self._now = datetime(2026, 11, 25, 12, tzinfo=UTC)

    # what a test sets up

    def deployment(
        self, name: str, labels: Mapping[str, str], pod_labels: Mapping[str, str], replicas: int
    ) -> None:
        self.deployments[name] = {
            "labels": dict(labels),
            "pod_labels": dict(pod_labels),
            "annotations": {},
            "replicas": replicas,
            "generation": 1,
            "version": self.next_serial(),
            "failure": "",
        }
        self.control()

    def stateful_set(self, name: str, pod_labels: Mapping[str, str], replicas: int) -> None:
        for index in range(1, replicas + 1):
            self._make(f"{name}-{index}", pod_labels, name)

    def add(self, name: str, labels: Mapping[str, str]) -> None:
        self._make(name, labels, "")

    def _make(self, name: str, labels: Mapping[str, str], owner: str, **given: Any) -> None:
        serial = self.next_serial()
        self._now += timedelta(seconds=1)
        self.pods[name] = FakePod(
            name=name, uid=f"{serial:08x}-0000-4000-8000-000000000000", labels=dict(labels), owner=owner,
            born=self._now, **given,
        )  # fmt: skip

    def next_serial(self) -> int:
        self._serial += 1
        return self._serial

    # the controllers

    def control(self) -> None:
        """What the controllers do between two requests."""
        for name, deployment in self.deployments.items():
            owned = [pod for pod in self.pods.values() if pod.owner == name and pod.active]
            for pod in sorted(owned, key=self._rank)[: max(0, len(owned) - deployment["replicas"])]:
                self._stop(pod)
            deployment["failure"] = ""
            for _ in range(deployment["replicas"] - len(owned)):
                if self.quota is not None and len(self.pods) >= self.quota:
                    deployment["failure"] = 'pods "x" is forbidden: exceeded quota: pods, requested: pods=1'
                    break
                self._make(
                    f"{name}-{self._serial + 1:x}", deployment["pod_labels"], name,
                    hidden_lists=self.behaviour.hidden_lists, pending=self.behaviour.pending_looks,
                )  # fmt: skip

    def _rank(self, pod: FakePod) -> tuple[bool, int, float]:
        """Who goes first: pending before running, then by cost, then the youngest."""
        return (pod.pending == 0, int(pod.annotations.get(COST, "0")), -pod.born.timestamp())

    def _stop(self, pod: FakePod) -> None:
        pod.stopping = self.behaviour.stopping_looks
        if not pod.stopping:
            self._remove(pod)

    def _remove(self, pod: FakePod) -> None:
        self.gone[f"{pod.name}.{pod.uid[:8]}"] = self.pods.pop(pod.name)
        if pod.owner and pod.owner not in self.deployments:
            # a StatefulSet makes it anew, under the same name
            self._make(pod.name, pod.labels, pod.owner)

    def _look(self, pod: FakePod) -> None:
        """Somebody has looked at a pod: its time goes on."""
        pod.pending = max(0, pod.pending - 1)
        if pod.stopping is not None:
            pod.stopping -= 1
            if pod.stopping < 0:
                self._remove(pod)

    # the API

    def operation(self, request: Request) -> str:
        for method, path, name in ROUTES:
            if method == request.method and re.fullmatch(path, request.path):
                return name
        return f"{request.method} {request.path}"

    def answer(self, request: Request) -> Reply:
        for method, path, name in ROUTES:
            match = re.fullmatch(path, request.path)
            if method == request.method and match:
                if match["ns"] != self.namespace:
                    return _status(403, "Forbidden", f"no rights in {match['ns']}")
                handler: Callable[..., Reply] = getattr(self, f"_{name}")
                reply = handler(request, match.groupdict().get("name", ""))
                self.control()
                return reply
        return _status(404, "NotFound", f"the server could not find {request.path}")

    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:  # noqa: ARG002
        reply = {
            Effect.THROTTLED: _status(429, "TooManyRequests", "the server is busy"),
            Effect.UNAVAILABLE: _status(500, "InternalError", "etcdserver: leader changed"),
            Effect.DENIED: _status(403, "Forbidden", "User cannot do that"),
            Effect.QUOTA: _status(403, "Forbidden", "exceeded quota: pods, requested: pods=1, used: pods=9"),
            Effect.INVALID: _status(422, "Invalid", "spec.replicas: Invalid value"),
            Effect.CONFLICT: _status(409, "Conflict", "the object has been modified"),
        }[effect]
        if retry_after is None:
            return reply
        return Reply(
            status=reply.status, body=reply.body, headers={**reply.headers, "Retry-After": str(retry_after)}
        )

    def _readDeployment(self, _request: Request, name: str) -> Reply:  # noqa: N802 - the API's own name
        if name not in self.deployments:
            return _status(404, "NotFound", f'deployments.apps "{name}" not found')
        return _json(self._deployment(name))

    def _patchDeployment(self, request: Request, name: str) -> Reply:  # noqa: N802
        kind = request.headers.get("content-type", "")
        if kind not in {"application/merge-patch+json", "application/strategic-merge-patch+json"}:
            return _status(415, "UnsupportedMediaType", f"{kind} is no patch of that form")
        if name not in self.deployments:
            return _status(404, "NotFound", f'deployments.apps "{name}" not found')
        deployment, body = self.deployments[name], json.loads(request.body)
        version = body.get("metadata", {}).get("resourceVersion")
        if version is not None and version != str(deployment["version"]):
            return _status(
                409, "Conflict", "the object has been modified; please apply your changes to the latest"
            )
        deployment["annotations"].update(body.get("metadata", {}).get("annotations", {}))
        if "replicas" in body.get("spec", {}):
            deployment["replicas"] = body["spec"]["replicas"]
            deployment["generation"] += 1
        deployment["version"] = self.next_serial()
        return _json(self._deployment(name))

    def _listPods(self, request: Request, _name: str) -> Reply:  # noqa: N802
        selector = request.query.get("labelSelector", "")
        for pod in list(self.pods.values()):
            self._look(pod)
        chosen = []
        for name in sorted(self.pods):
            pod = self.pods[name]
            if not _selected(pod.labels, selector):
                continue
            if pod.hidden_lists > 0:
                pod.hidden_lists -= 1
                continue
            chosen.append(pod)
        start = int(request.query.get("continue", "0") or 0)
        size = min(int(request.query.get("limit", "500")), self.behaviour.page_size)
        page, rest = chosen[start : start + size], chosen[start + size :]
        about = {"resourceVersion": str(self._serial)} | ({"continue": str(start + size)} if rest else {})
        items = [self._pod(pod) for pod in page]
        return _json({"apiVersion": "v1", "kind": "PodList", "metadata": about, "items": items})

    def _readPod(self, _request: Request, name: str) -> Reply:  # noqa: N802
        if name in self.pods:
            self._look(self.pods[name])
        if name not in self.pods:
            return _status(404, "NotFound", f'pods "{name}" not found')
        return _json(self._pod(self.pods[name]))

    def _patchPod(self, request: Request, name: str) -> Reply:  # noqa: N802
        if name not in self.pods:
            return _status(404, "NotFound", f'pods "{name}" not found')
        pod, about = self.pods[name], json.loads(request.body).get("metadata", {})
        for held, wanted in ((pod.labels, about.get("labels")), (pod.annotations, about.get("annotations"))):
            for key, value in (wanted or {}).items():
                held.pop(key, None)
                if value is not None:
                    held[key] = value
        return _json(self._pod(pod))

    def _deletePod(self, request: Request, name: str) -> Reply:  # noqa: N802
        uid = (json.loads(request.body or b"{}").get("preconditions") or {}).get("uid")
        return self._delete(name, uid)

    def _evictPod(self, request: Request, name: str) -> Reply:  # noqa: N802
        if self.budget_used_up:
            return _status(
                429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."
            )
        options = json.loads(request.body).get("deleteOptions") or {}
        reply = self._delete(name, (options.get("preconditions") or {}).get("uid"))
        return _status(201, "", "", success=True) if reply.status < 400 else reply

    def _delete(self, name: str, uid: str | None) -> Reply:
        pod = self.pods.get(name)
        if pod is None:
            return _status(404, "NotFound", f'pods "{name}" not found')
        if uid is not None and uid != pod.uid:
            return _status(
                409, "Conflict", f"the UID in the precondition ({uid}) does not match the UID in record"
            )
        answer = _json(self._pod(pod))
        if pod.stopping is None:
            self._stop(pod)
        return answer

    def _deployment(self, name: str) -> Json:
        deployment = self.deployments[name]
        count = sum(pod.owner == name and pod.active for pod in self.pods.values())
        failure = {
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": deployment["failure"],
        }  # fmt: skip
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": deployment["labels"],
                "annotations": deployment["annotations"],
                "generation": deployment["generation"],
                "resourceVersion": str(deployment["version"]),
                "uid": f"deployment-{name}",
            },
            "spec": {
                "replicas": deployment["replicas"],
                "selector": {"matchLabels": deployment["pod_labels"]},
                "template": {
                    "metadata": {"labels": deployment["pod_labels"]},
                    "spec": {"containers": [{"name": "aether"}]},
                },
            },
            "status": {
                "observedGeneration": deployment["generation"],
                "replicas": count,
                "conditions": [failure] if deployment["failure"] else [],
            },
        }

    def _pod(self, pod: FakePod) -> Json:
        running = pod.pending == 0 and not pod.failed
        healthy = running and not {pod.name, f"{pod.name}.{pod.uid[:8]}"} & self.behaviour.unhealthy
        deleting = {} if pod.stopping is None else {"deletionTimestamp": _time(self._now)}
        serial = int(pod.uid[:8], 16)
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": pod.name,
                "namespace": self.namespace,
                "uid": pod.uid,
                "labels": pod.labels,
                "annotations": pod.annotations,
                "creationTimestamp": _time(pod.born),
                "resourceVersion": str(self._serial),
                **deleting,
            },
            "spec": {"containers": [{"name": "aether"}]},
            "status": {
                "phase": "Failed" if pod.failed else "Running" if running else "Pending",
                "podIP": f"10.0.{serial // 256 % 256}.{serial % 256}" if running else None,
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True" if healthy else "False",
                        "reason": None if healthy else "NotReady",
                    }
                ],
            },
        }


def _selected(labels: Mapping[str, str], selector: str) -> bool:
    for part in filter(None, selector.split(",")):
        key, _, value = part.partition("=")
        if key not in labels or (value and labels[key] != value):
            return False
    return True


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(document: Json, status: int = 200) -> Reply:
    return Reply(
        status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"}
    )


def _status(code: int, reason: str, message: str, *, success: bool = False) -> Reply:
    document = {
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Success" if success else "Failure",
        "reason": reason,
        "message": message,
        "code": code,
    }
    return _json(document, code)
