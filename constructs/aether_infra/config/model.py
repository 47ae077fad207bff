"""The whole configuration: what a valid `aether.toml` becomes."""

from collections.abc import Mapping

from attrs import field, frozen

from aether_infra.config.checks import TOML_KEY, check
from aether_infra.config.cloud import CloudConfig
from aether_infra.config.node import CORE_SIZES, AppHttpConfig, ClusterConfig, KubernetesConfig, NodeConfig
from aether_infra.config.provider import Provider
from aether_infra.config.secret_references import kubernetes_secret
from aether_infra.config.section import CloudSection
from aether_infra.errors import ConfigError, Problem

KUBERNETES_KINDS = frozenset({"aks", "doks", "eks", "existing", "gke", "oke"})
"""Kinds of compute whose nodes are pods."""
DEFAULT_MAXIMUM = 10
"""Most nodes where nothing is said, as in the design's sample."""


@frozen(kw_only=True)
class NodeCounts:
    """How many nodes run on one cloud."""

    core: int
    """Voters: 3, 5 or 7, always running."""
    minimum: int
    """Fewest nodes, core ones included."""
    maximum: int
    """Most nodes, core ones included."""

    @property
    def elastic_minimum(self) -> int:
        """Fewest nodes besides the core."""
        return self.minimum - self.core

    @property
    def elastic_maximum(self) -> int:
        """Most nodes besides the core."""
        return self.maximum - self.core

    @property
    def majority(self) -> int:
        """The smallest quorum of the core."""
        return self.core // 2 + 1


@frozen(kw_only=True)
class AetherConfig:
    """A valid `aether.toml`."""

    cluster: ClusterConfig = field(factory=ClusterConfig)
    """`[cluster]`."""
    node: NodeConfig = field(factory=NodeConfig)
    """`[node]`."""
    app_http: AppHttpConfig = field(factory=AppHttpConfig, metadata={TOML_KEY: "app-http"})
    """`[app-http]`."""
    kubernetes: KubernetesConfig = field(factory=KubernetesConfig)
    """`[kubernetes]`."""
    cloud: CloudConfig = field(metadata=check(example={"provider": Provider.AWS.value}))
    """`[cloud]`."""
    source: str = field(default="aether.toml", eq=False)
    """The file's name as it was given."""
    given: frozenset[str] = field(default=frozenset(), eq=False, repr=False)
    """Dotted paths of the tables and keys that the file has, as far as they are ours."""
    from_env: frozenset[str] = field(default=frozenset(), eq=False, repr=False)
    """Dotted paths of those whose text came, in part at least, from the environment."""

    @property
    def sections(self) -> tuple[Provider, ...]:
        """The clouds that have a table, in the order of `Provider`."""
        return tuple(provider for provider in Provider if self._section(provider) is not None)

    def section(self, provider: Provider) -> CloudSection:
        """The table of one cloud.

        Args:
            provider: which cloud.

        Raises:
            ConfigError: the file has no such table.
        """
        section = self._section(provider)
        if section is None:
            raise ConfigError([Problem(path=f"cloud.{provider}", message="is missing")], self.source)
        return section

    def counts(self, provider: Provider) -> NodeCounts:
        """How many nodes run on one cloud.

        Args:
            provider: which cloud.

        Raises:
            ConfigError: the file has no such table.
        """
        return node_counts(self.cluster, self.section(provider))

    @property
    def bucket_region(self) -> str:
        """Region of an S3 bucket that holds the state and names none: that of `[cloud.aws]`; empty without it."""
        return self.cloud.aws.region if self.cloud.aws else ""

    def in_kubernetes(self, provider: Provider) -> bool:
        """Whether the nodes on one cloud run in Kubernetes.

        Args:
            provider: which cloud.

        Raises:
            ConfigError: the file has no such table.
        """
        return self.section(provider).compute in KUBERNETES_KINDS

    def managed(self, provider: Provider) -> bool:
        """Whether the number of elastic nodes on one cloud is the runtime manager's, not the cloud's own autoscaler's.

        Args:
            provider: which cloud; only the active one has a manager, as its secrets are in that cloud's store.
        """
        return self.cloud.manager.enabled and provider is self.secrets_owner

    @property
    def secrets_owner(self) -> Provider:
        """Whose nodes get `cloud.secrets`: the active cloud's; where that has no table, the existing cluster's."""
        active = self.cloud.provider
        return active if active in self.sections else Provider.KUBERNETES

    def stored_secrets(self, provider: Provider) -> Mapping[str, str]:
        """Environment variables of the nodes on one cloud and where in that cloud's secret store their values are.

        Args:
            provider: which cloud; references belong to the active one, the others have none.
        """
        return {
            name: text for name, text in self._secrets(provider).items() if kubernetes_secret(text) is None
        }

    def kubernetes_secrets(self, provider: Provider) -> Mapping[str, tuple[str, str]]:
        """Environment variables of the nodes on one cloud and the Kubernetes secret, name and key, that holds each.

        Args:
            provider: which cloud; as above.
        """
        found = {name: kubernetes_secret(text) for name, text in self._secrets(provider).items()}
        return {name: place for name, place in found.items() if place is not None}

    def _secrets(self, provider: Provider) -> Mapping[str, str]:
        return self.cloud.secrets if provider is self.secrets_owner else {}

    def _section(self, provider: Provider) -> CloudSection | None:
        section: CloudSection | None = getattr(self.cloud, provider.value)
        return section


def node_counts(cluster: ClusterConfig, section: CloudSection) -> NodeCounts:
    """The numbers of nodes with every default filled in."""
    minimum = section.min_nodes or cluster.nodes or CORE_SIZES[0]
    core = cluster.nodes or max(size for size in CORE_SIZES if size <= max(minimum, CORE_SIZES[0]))
    maximum = section.max_nodes or max(DEFAULT_MAXIMUM, minimum)
    return NodeCounts(core=core, minimum=minimum, maximum=maximum)
