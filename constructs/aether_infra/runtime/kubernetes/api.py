"""The calls of Kubernetes' API that the manager makes, and no others. They block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aether_infra.core.kubernetes import ELASTIC_DEPLOYMENT
from aether_infra.core.tags import CLUSTER, ROLE
from aether_infra.runtime.errors import Denied
from aether_infra.runtime.kubernetes.ledger import ANNOTATION, Ledger
from aether_infra.runtime.kubernetes.objects import Elastic, Pod
from kubernetes import client

PAGE: Final = 500
"""Pods that are listed at a time."""
_NOT_FOUND: Final = 404


class Api:
    """One Aether cluster in one namespace."""

    def __init__(
        self, configuration: client.Configuration, cluster: str, namespace: str, answer_seconds: float
    ) -> None:
        """Connect nothing yet.

        Args:
            configuration: address and credentials; its retries are switched off, since ours know what may be repeated.
            cluster: the Aether cluster's name.
            namespace: namespace of everything.
            answer_seconds: until a call has failed.
        """
        configuration.retries = 0
        self.cluster = cluster
        self._namespace = namespace
        self._seconds = answer_seconds
        self._client = client.ApiClient(configuration)
        self._apps = client.AppsV1Api(self._client)
        self._core = client.CoreV1Api(self._client)

    def close(self) -> None:
        """Give back connections."""
        self._client.rest_client.pool_manager.clear()

    def elastic(self) -> Elastic:
        """The Deployment of the elastic nodes.

        Raises:
            Denied: it is another cluster's.
        """
        found = Elastic.of(
            self._apps.read_namespaced_deployment(
                ELASTIC_DEPLOYMENT, self._namespace, _request_timeout=self._seconds
            )
        )
        if found.cluster != self.cluster:
            message = f"{ELASTIC_DEPLOYMENT} in {self._namespace} is of the cluster {found.cluster}"
            raise Denied(f"{message}, not of {self.cluster}")
        return found

    def change(self, read: Elastic, ledger: Ledger, replicas: int | None = None) -> None:
        """Change the Deployment's ledger and number, unless somebody else has changed it since it was read."""
        body: dict[str, Any] = {
            "metadata": {"resourceVersion": read.version, "annotations": {ANNOTATION: ledger.write()}}
        }
        if replicas is not None:
            body["spec"] = {"replicas": replicas}
        self._apps.patch_namespaced_deployment(
            ELASTIC_DEPLOYMENT, self._namespace, body, _request_timeout=self._seconds
        )

    def pods(self) -> list[Pod]:
        """Every pod that runs a node, all pages."""
        found: list[Pod] = []
        token: str | None = None
        while True:
            page = self._core.list_namespaced_pod(
                self._namespace,
                label_selector=f"{CLUSTER}={self.cluster},{ROLE}",
                limit=PAGE,
                _continue=token,
                _request_timeout=self._seconds,
            )
            found += [Pod.of(pod) for pod in page.items]
            token = page.metadata.var_continue if page.metadata else None
            if not token:
                return found

    def pod(self, name: str) -> Pod | None:
        """The pod of that name, whosever it is; None for none."""
        try:
            return Pod.of(
                self._core.read_namespaced_pod(name, self._namespace, _request_timeout=self._seconds)
            )
        except client.ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def patch(
        self,
        name: str,
        *,
        labels: Mapping[str, str | None] | None = None,
        annotations: Mapping[str, str | None] | None = None,
    ) -> None:
        """Change labels and annotations of a pod; None removes one. A pod that is gone is left at that."""
        body = {"metadata": {"labels": dict(labels or {}), "annotations": dict(annotations or {})}}
        try:
            self._core.patch_namespaced_pod(name, self._namespace, body, _request_timeout=self._seconds)
        except client.ApiException as error:
            if error.status != _NOT_FOUND:
                raise

    def delete(self, pod: Pod) -> None:
        """Delete just this pod, with its grace period; one that is gone is left at that."""
        body = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=pod.uid))
        try:
            self._core.delete_namespaced_pod(
                pod.name, self._namespace, body=body, _request_timeout=self._seconds
            )
        except client.ApiException as error:
            if error.status != _NOT_FOUND:
                raise

    def evict(self, pod: Pod) -> None:
        """Delete just this pod if its disruption budget allows; one that is gone is left at that."""
        body = client.V1Eviction(
            metadata=client.V1ObjectMeta(name=pod.name, namespace=self._namespace),
            delete_options=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=pod.uid)),
        )
        try:
            self._core.create_namespaced_pod_eviction(
                pod.name, self._namespace, body, _request_timeout=self._seconds
            )
        except client.ApiException as error:
            if error.status != _NOT_FOUND:
                raise
