"""The namespace of the nodes, with the strictest pod security level, and what lives in it once."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from cdktf_cdktf_provider_kubernetes.namespace_v1 import NamespaceV1, NamespaceV1Metadata, NamespaceV1Timeouts
from cdktf_cdktf_provider_kubernetes.priority_class_v1 import PriorityClassV1, PriorityClassV1Metadata
from cdktf_cdktf_provider_kubernetes.service_account_v1 import ServiceAccountV1, ServiceAccountV1Metadata
from constructs import Construct

from aether_infra.core.kubernetes import SERVICE_ACCOUNT
from aether_infra.core.names import physical_name
from aether_infra.core.tags import NodeRole
from aether_infra.kubernetes.labels import standard_labels

POD_SECURITY = "restricted"
"""Pod security level: non-root, no privileges, no capability, a seccomp profile. Source:
https://kubernetes.io/docs/concepts/security/pod-security-standards/ (as of 2026-11)."""
PRIORITIES = {NodeRole.CORE: 1_000_000, NodeRole.WORKER: 1_000}
"""Where machines are short, the core pushes elastic nodes out. User classes go up to 1,000,000,000."""


@frozen(kw_only=True)
class NamespaceProps:
    """Props of `Namespace`."""

    cluster: str
    """Cluster's name."""
    namespace: str = "aether"
    """The namespace's name."""
    annotations: Mapping[str, str] = field(factory=dict)
    """Annotations of the namespace: the operator's tags."""
    service_account_annotations: Mapping[str, str] = field(factory=dict)
    """Ties the service account to an identity of the cloud."""


class Namespace(Construct):
    """Namespace, service account and priority classes.

    Attributes:
        namespace: the namespace.
        service_account: the nodes' service account; its own token is not mounted.
        priority_classes: one a role.
    """

    def __init__(self, scope: Construct, id_: str, props: NamespaceProps) -> None:
        super().__init__(scope, id_)
        labels = standard_labels(props.cluster)
        levels = {f"pod-security.kubernetes.io/{mode}": POD_SECURITY for mode in ("enforce", "audit", "warn")}
        self.namespace = NamespaceV1(
            self,
            "Resource",
            metadata=NamespaceV1Metadata(
                name=props.namespace,
                labels={**labels, **levels},
                annotations=dict(sorted(props.annotations.items())),
            ),
            # it goes only when load balancers and disks have gone
            timeouts=NamespaceV1Timeouts(delete="20m"),
        )
        self.name = self.namespace.metadata.name
        self.service_account = ServiceAccountV1(
            self,
            "service-account",
            metadata=ServiceAccountV1Metadata(
                name=SERVICE_ACCOUNT,
                namespace=self.name,
                labels=labels,
                annotations=dict(sorted(props.service_account_annotations.items())),
            ),
            automount_service_account_token=False,
        )
        self.priority_classes = {
            role: PriorityClassV1(
                self,
                f"priority-{role}",
                metadata=PriorityClassV1Metadata(
                    # the whole cluster's: it carries the namespace, of which there may be several
                    name=physical_name(props.namespace, props.cluster, role.value),
                    labels=labels,
                ),
                value=priority,
                description=f"Aether's {role} nodes",
            )
            for role, priority in PRIORITIES.items()
        }
