"""`[cloud.kubernetes]`: a cluster that exists already, reached through a kubeconfig file."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from aether_infra.config.checks import Between, Length, Matches, check, items
from aether_infra.config.node import NAMESPACE
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection

OTHERS = "the cluster exists already: this table is for the workload alone"


@frozen(kw_only=True)
class KubernetesTarget(CloudSection):
    """`[cloud.kubernetes]`: the workload alone, on an existing cluster."""

    provider: ClassVar[Provider] = Provider.KUBERNETES
    absent: ClassVar[Mapping[str, str]] = {
        "allowed_ips": "the key is allowed_cidrs",
        "kubernetes_version": OTHERS,
        "nat": OTHERS,
        "region": OTHERS,
        "storage_class": "the node's own table has it: [kubernetes] storage_class",
        "vpc_cidr": OTHERS,
    }

    compute: Literal["existing"] = "existing"
    """What runs a node: always the existing cluster."""
    kubeconfig: str = field(default="~/.kube/config", metadata=check(Length(1, 4096)))
    """The kubeconfig file, which holds address and credentials; default ~/.kube/config."""
    context: str | None = field(default=None, metadata=check(Matches(r"\S{1,253}", "a context's name")))
    """Context in that file; default: the current one."""
    namespace: str | None = field(default=None, metadata=check(NAMESPACE))
    """Namespace of everything; default: `kubernetes.namespace`."""
    availability_zones: int = field(default=1, metadata=check(Between(1, 10, "zones")))
    """Zones that the cluster's machines span, 1-10; with 3 or more no zone may hold a majority of the core.
    Default 1: nodes are only kept apart from each other by host."""
    node_selector: Mapping[str, str] = field(factory=dict)
    """Labels of the machines to run on; default: any."""
    service_type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """How users reach the application: from inside only (default), or as the cluster's own controllers do it."""
    service_annotations: Mapping[str, str] = field(factory=dict)
    """Annotations of the services that are open to the outside, for the cluster's load-balancer controller."""
    service_account_annotations: Mapping[str, str] = field(factory=dict)
    """Annotations of the nodes' service account, such as the role of a workload identity."""
    image_pull_secrets: tuple[str, ...] = field(
        default=(), metadata=items(Matches(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", "a secret's name"))
    )
    """Secrets of the namespace that the image is pulled with; default: none."""

    @property
    def region(self) -> str:
        """Nothing that is known here."""
        return ""
