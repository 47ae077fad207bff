"""What a choice of configurations and clouds needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import field, frozen

from aether_infra.config import AetherConfig, Provider, StateConfig


@frozen(kw_only=True)
class StatePlace:
    """Where a configuration keeps its state."""

    state: StateConfig
    """`[cloud.state]`."""
    region: str = ""
    """Region of an S3 bucket that names none."""


@frozen(kw_only=True)
class Needs:
    """What was asked about; with no cloud in it, nothing is needed and everything is worth telling."""

    clouds: Mapping[Provider, frozenset[str]] = field(factory=dict)
    """Kinds of compute by cloud; none where only the cloud is known."""
    kubernetes: frozenset[Provider] = frozenset()
    """The clouds on which nodes run in Kubernetes."""
    kubeconfigs: tuple[str, ...] = ()
    """Kubeconfig files of clusters that exist."""
    states: tuple[StatePlace, ...] = ()
    """Where states are kept, each once."""

    def names(self) -> list[str]:
        """The clouds, each with its kinds of compute, such as `aws (fargate)`."""
        return [
            f"{cloud} ({', '.join(sorted(kinds))})" if kinds else str(cloud)
            for cloud, kinds in self.clouds.items()
        ]


def of_configs(configs: Sequence[AetherConfig], wanted: Collection[Provider]) -> Needs:
    """What configurations need.

    Args:
        configs: the configurations; those without any of the clouds need nothing.
        wanted: the clouds that were asked about.
    """
    clouds: dict[Provider, set[str]] = {}
    kubernetes: set[Provider] = set()
    kubeconfigs: dict[str, None] = {}
    states: list[StatePlace] = []
    for config in configs:
        asked = [cloud for cloud in config.sections if cloud in wanted]
        if not asked:
            continue
        for cloud in asked:
            clouds.setdefault(cloud, set()).add(config.section(cloud).compute)
            if config.in_kubernetes(cloud):
                kubernetes.add(cloud)
        if config.cloud.kubernetes and Provider.KUBERNETES in asked:
            kubeconfigs[config.cloud.kubernetes.kubeconfig] = None
        place = StatePlace(state=config.cloud.state, region=config.bucket_region)
        if place not in states:
            states.append(place)
    return Needs(
        clouds={cloud: frozenset(clouds[cloud]) for cloud in Provider if cloud in clouds},
        kubernetes=frozenset(kubernetes),
        kubeconfigs=tuple(kubeconfigs),
        states=tuple(states),
    )


def of_cloud(cloud: Provider) -> Needs:
    """What a cloud needs as long as there is no configuration: all that does not hang on the kind of compute."""
    kubeconfigs = ("~/.kube/config",) if cloud is Provider.KUBERNETES else ()
    return Needs(clouds={cloud: frozenset()}, kubeconfigs=kubeconfigs)
