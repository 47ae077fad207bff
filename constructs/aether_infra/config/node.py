"""The tables of `aether.toml` that the node reads too: `[cluster]`, `[node]`, `[app-http]`, `[kubernetes]`.

Only the keys that decide about infrastructure are here; whatever else the node knows is passed over, except
under `[cluster]`. Keys and defaults: the Aether node's configuration reference (as of 2026-11)
(https://github.com/siy/aether, https://github.com/pragmaticalabs/pragmatica).
"""

from collections.abc import Iterator
from typing import Final, Literal

from attrs import field, frozen

from aether_infra.config.checks import Between, Fault, Matches, check
from aether_infra.config.quantities import CPU, HEAP, MEMORY, heap_mib, memory_mib, millicores
from aether_infra.config.words import listing, show
from aether_infra.core.node import SWIM_OFFSET

CORE_SIZES: Final = (3, 5, 7)
"""Numbers of core nodes that work: odd, and few enough to vote fast."""
PORT = Between(1, 65535)
NAMESPACE = Matches(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    "at most 63 lower-case letters, digits and '-', beginning and ending with a letter or digit",
)


@frozen
class CoreCount:
    """A number of voters that makes sense. Source: the Aether node's own validator (as of 2026-11)."""

    def __call__(self, value: int) -> Iterator[Fault]:
        """Yield a fault if `value` is not 3, 5 or 7, and say why."""
        if value in CORE_SIZES:
            return
        why = "more than 7 voters make every decision slow"
        if value < min(CORE_SIZES):
            why = "fewer than 3 nodes survive no failure"
        elif value % 2 == 0:
            why = f"{value} nodes survive no more failures than {value - 1}: both need a majority"
        yield Fault(f"must be one of {listing(CORE_SIZES)}, got {show(value)}", why)


@frozen(kw_only=True)
class PortsConfig:
    """`[cluster.ports]`: where a node listens."""

    management: int = field(default=8080, metadata=check(PORT))
    """TCP port of the management API and of health, 1-65535; default 8080, the node's own."""
    cluster: int = field(default=8090, metadata=check(Between(1, 65535 - SWIM_OFFSET)))
    """TCP and UDP port between nodes, 1-65435; default 8090, the node's own."""

    @property
    def swim(self) -> int:
        """UDP port of failure detection: always the cluster port plus 100."""
        return self.cluster + SWIM_OFFSET


@frozen(kw_only=True)
class ClusterConfig:
    """`[cluster]`: what makes the nodes one cluster."""

    name: str = field(
        default="aether",
        metadata=check(
            Matches(
                r"(?=.{1,20}$)[a-z](?:-?[a-z0-9])*",
                "1-20 lower-case letters, digits and single '-' between them, beginning with a letter",
                "it is part of every resource's name and of the tag aether-cluster",
            )
        ),
    )
    """Name of the cluster, 1-20 of `a-z0-9-`; part of every resource's name, so a change builds anew."""
    nodes: int | None = field(default=None, metadata=check(CoreCount()))
    """Core nodes, the voters: 3, 5 or 7; default: the largest of these that is not above `min_nodes`."""
    ports: PortsConfig = field(factory=PortsConfig)
    """Where a node listens."""
    environment: Literal["local", "docker", "kubernetes"] | None = None
    """The node's own set of defaults; the infrastructure does not read it."""
    tls: bool | None = None
    """Whether nodes speak TLS among each other and on the management port; default: the node decides."""


@frozen(kw_only=True)
class ResourcesConfig:
    """`[node.resources]`: what one node may use, as Kubernetes quantities."""

    cpu_request: str = field(default="500m", metadata=check(CPU))
    """Processors set aside, such as `500m` or `2`; default 500m, the node's own."""
    cpu_limit: str = field(default="2", metadata=check(CPU))
    """Most processors, such as `2` or `1500m`; default 2, the node's own."""
    memory_request: str = field(default="1Gi", metadata=check(MEMORY))
    """Memory set aside, such as `1Gi`; default 1Gi, the node's own."""
    memory_limit: str = field(default="2Gi", metadata=check(MEMORY))
    """Most memory, such as `2Gi`; must exceed the heap by 25 % and by 256 MiB; default 2Gi, the node's
    own."""

    @property
    def cpu_request_millicores(self) -> int:
        """`cpu_request` in thousandths of a processor."""
        return millicores(self.cpu_request)

    @property
    def cpu_limit_millicores(self) -> int:
        """`cpu_limit` in thousandths of a processor."""
        return millicores(self.cpu_limit)

    @property
    def memory_request_mib(self) -> int:
        """`memory_request` in MiB, rounded up."""
        return memory_mib(self.memory_request)

    @property
    def memory_limit_mib(self) -> int:
        """`memory_limit` in MiB, rounded up."""
        return memory_mib(self.memory_limit)


@frozen(kw_only=True)
class NodeConfig:
    """`[node]`: the JVM of a node."""

    heap: str | None = field(default=None, metadata=check(HEAP))
    """Largest heap, digits and `m` or `g`, such as `512m`; default: 75 % of the memory the node gets."""
    gc: Literal["zgc", "g1"] = "zgc"
    """The garbage collector; default zgc, the node's own."""
    resources: ResourcesConfig = field(factory=ResourcesConfig)
    """What one node may use."""

    @property
    def heap_mib(self) -> int | None:
        """`heap` in MiB; None when it is not given."""
        return None if self.heap is None else heap_mib(self.heap)


@frozen(kw_only=True)
class AppHttpConfig:
    """`[app-http]`: what users call."""

    enabled: bool | None = None
    """Whether the node serves application HTTP; default: not said. Then the port is published, and a warning tells that
    the node itself leaves it off."""
    port: int = field(default=8070, metadata=check(PORT))
    """TCP port of application HTTP, 1-65535; default 8070, the node's own."""

    @property
    def published(self) -> bool:
        """Whether the infrastructure lets users reach the port: unless the file says that it is not served."""
        return self.enabled is not False


@frozen(kw_only=True)
class KubernetesConfig:
    """`[kubernetes]`: the node's own words for how it runs there."""

    namespace: str = field(default="aether", metadata=check(NAMESPACE))
    """Namespace of everything; default aether. Form: RFC 1123 label
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (as of 2026-11))."""
    service_type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the management service; default ClusterIP: reached from inside only."""
    storage_class: str = field(
        default="",
        metadata=check(
            Matches(
                r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)?",
                "a storage class's name in lower case, or empty",
            )
        ),
    )
    """Storage class of `/data`; empty: the cluster's default."""
