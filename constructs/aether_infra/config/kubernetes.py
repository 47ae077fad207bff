"""`[cloud.kubernetes]`: a cluster that exists already, reached through a kubeconfig file."""

from attrs import field, frozen

from aether_infra.config.checks import Length, Matches, check
from aether_infra.config.node import NAMESPACE


@frozen(kw_only=True)
class KubernetesTarget:
    """`[cloud.kubernetes]`: the workload alone, on an existing cluster."""

    kubeconfig: str = field(default="~/.kube/config", metadata=check(Length(1, 4096)))
    """The kubeconfig file, which holds address and credentials; default ~/.kube/config."""
    context: str | None = field(default=None, metadata=check(Matches(r"\S{1,253}", "a context's name")))
    """Context in that file; default: the current one."""
    namespace: str | None = field(default=None, metadata=check(NAMESPACE))
    """Namespace of everything; default: `kubernetes.namespace`."""
