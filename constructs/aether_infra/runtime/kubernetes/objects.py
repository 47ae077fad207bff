"""Pods and the Deployment as the manager needs them: what Kubernetes may leave out has a value here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from attrs import field, frozen

from aether_infra.core.tags import CLUSTER, ROLE, NodeRole
from aether_infra.runtime.kubernetes.ledger import Ledger
from aether_infra.runtime.model import NodeInstance, NodeState, Target, TargetHealth
from kubernetes import client

ZONE: Final = "topology.kubernetes.io/zone"
"""Label that newer clusters copy from the machine to its pods:
https://kubernetes.io/docs/concepts/workloads/pods/downward-api/ (as of 2026-11)."""
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@frozen(kw_only=True)
class Pod:
    """A pod."""

    name: str
    """Its name."""
    uid: str
    """Tells it from another one of that name."""
    labels: Mapping[str, str] = field(factory=dict)
    """Its labels."""
    annotations: Mapping[str, str] = field(factory=dict)
    """Its annotations."""
    created_at: datetime = _BEGINNING
    """When it was made."""
    ending: bool = False
    """Whether it is being deleted."""
    phase: str = ""
    """Pending, Running, Succeeded, Failed."""
    address: str = ""
    """Its address; empty until it has one."""
    ready: bool | None = None
    """What readiness says; None for nothing yet."""
    reason: str = ""
    """Why it is not ready."""

    @classmethod
    def of(cls, pod: client.V1Pod) -> Pod:
        """A pod as the API gives it."""
        about, status = pod.metadata or client.V1ObjectMeta(), pod.status or client.V1PodStatus()
        ready = next((each for each in status.conditions or [] if each.type == "Ready"), None)
        return cls(
            name=str(about.name),
            uid=str(about.uid),
            labels=about.labels or {},
            annotations=about.annotations or {},
            created_at=about.creation_timestamp or _BEGINNING,
            ending=about.deletion_timestamp is not None,
            phase=status.phase or "",
            address=status.pod_ip or "",
            ready=None if ready is None else ready.status == "True",
            reason=(ready.reason if ready else None) or "",
        )

    @property
    def id(self) -> str:
        """The node's id: a core node's pod has a successor of the same name, so its UID is part of it."""
        return f"{self.name}.{self.uid[:8]}" if self.role is NodeRole.CORE else self.name

    @property
    def role(self) -> NodeRole:
        """Core or worker."""
        return NodeRole.CORE if self.labels.get(ROLE) == NodeRole.CORE.value else NodeRole.WORKER

    @property
    def state(self) -> NodeState:
        """Where it is in its life."""
        if self.phase in {"Succeeded", "Failed"}:
            return NodeState.TERMINATED
        if self.ending:
            return NodeState.STOPPING
        return NodeState.RUNNING if self.phase == "Running" else NodeState.PROVISIONING

    def owned_by(self, cluster: str) -> bool:
        """Whether it runs a node of that Aether cluster."""
        return self.labels.get(CLUSTER) == cluster and ROLE in self.labels

    def node(self, ledger: Ledger) -> NodeInstance:
        """The node in it."""
        return NodeInstance(
            id=self.id,
            state=self.state,
            role=self.role,
            zone=self.labels.get(ZONE, ""),
            address=self.address,
            name=self.name,
            node_id=self.name if self.role is NodeRole.CORE else "",
            token=ledger.token_of(self.name),
            created_at=self.created_at,
            tags=self.labels,
        )

    def target(self) -> Target:
        """What its services make of it."""
        if self.ending:
            health = TargetHealth.DRAINING
        elif self.ready:
            health = TargetHealth.HEALTHY
        elif self.state is NodeState.PROVISIONING or self.ready is None:
            health = TargetHealth.INITIAL
        else:
            health = TargetHealth.UNHEALTHY
        return Target(id=self.id, health=health, reason=self.reason)


@frozen(kw_only=True)
class Elastic:
    """The Deployment of the elastic nodes at one moment."""

    version: str
    """Its `resourceVersion`: a change is refused when it is another one by then."""
    cluster: str
    """Aether cluster that it says it is of."""
    replicas: int
    """How many pods it shall have."""
    running: int
    """How many it has, those that are being deleted left out."""
    settled: bool
    """Whether `running` already follows `replicas`."""
    failure: str
    """Why no pod can be made; empty for no such trouble."""
    ledger: Ledger
    """What its number already holds."""

    @classmethod
    def of(cls, deployment: client.V1Deployment) -> Elastic:
        """A Deployment as the API gives it."""
        about = deployment.metadata or client.V1ObjectMeta()
        status = deployment.status or client.V1DeploymentStatus()
        replicas = (deployment.spec.replicas if deployment.spec else None) or 0
        running = status.replicas or 0
        failure = next(
            (
                each.message or each.reason or "no reason given"
                for each in status.conditions or []
                if each.type == "ReplicaFailure" and each.status == "True"
            ),
            "",
        )
        return cls(
            version=str(about.resource_version),
            cluster=(about.labels or {}).get(CLUSTER, ""),
            replicas=replicas,
            running=running,
            settled=(status.observed_generation or 0) >= (about.generation or 0) and running <= replicas,
            failure=failure,
            ledger=Ledger.read(about.annotations),
        )
