"""The pod that runs an Aether node: what core and elastic ones share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from attrs import field, frozen

from aether_infra.core.kubernetes import SERVICE_ACCOUNT
from aether_infra.core.node import DATA_PATH, USER_ID, HealthProbe, NodePorts
from aether_infra.core.tags import NodeRole
from aether_infra.kubernetes.cloud import Placement
from aether_infra.kubernetes.labels import node_selector, pod_labels

CONTAINER = "node"
"""Name of the container."""
DATA_VOLUME = "data"
"""Name of the volume below `/data`."""
CONFIG_MAP = "aether-config"
"""ConfigMap with the environment that all nodes share."""
PROBE_SECONDS = 5
"""Time between two probes of a starting node, in seconds."""


@frozen(kw_only=True)
class SecretKey:
    """A key of a Kubernetes secret."""

    name: str
    """The secret's name, in the nodes' namespace."""
    key: str
    """The key in it."""


@frozen(kw_only=True)
class PodResources:
    """What a node asks for and may use, as Kubernetes quantities."""

    cpu_request: str = "500m"
    """Processors set aside."""
    cpu_limit: str = "2"
    """Most processors."""
    memory_request: str = "1Gi"
    """Memory set aside."""
    memory_limit: str = "2Gi"
    """Most memory; must exceed the heap by 25 % and by 256 MiB."""


@frozen(kw_only=True)
class NodePodProps:
    """Props of a node's pod."""

    cluster: str
    """Cluster's name."""
    image: str
    """Image reference, best by digest."""
    config_map: str = CONFIG_MAP
    """Name of the ConfigMap with what `core.node.environment` gives, as a token that waits for it."""
    config_digest: str = ""
    """Changes with the ConfigMap, so that pods are replaced when their settings change."""
    service_account: str = SERVICE_ACCOUNT
    """The service account's name, as a token that waits for it."""
    mount_token: bool = False
    """Whether the service account's own token is mounted, for a cloud whose SDK reads it there; default off."""
    ports: NodePorts = field(factory=NodePorts)
    """Ports of a node."""
    health: HealthProbe = field(factory=HealthProbe)
    """Probes."""
    resources: PodResources = field(factory=PodResources)
    """What a node asks for and may use."""
    stop_timeout_seconds: int = 90
    """From the beginning of the end to the kill, in seconds, the drain included."""
    drain_seconds: int = 30
    """How long a node that is told to end still serves, in seconds: load balancers take that long to notice."""
    secrets: Mapping[str, SecretKey] = field(factory=dict)
    """Environment variables out of Kubernetes secrets."""
    secret_class: str | None = None
    """SecretProviderClass whose mount makes these secrets; default: they exist."""
    secret_driver: str = "secrets-store.csi.k8s.io"  # noqa: S105 - a driver's name
    """Its CSI driver."""
    image_pull_secrets: Sequence[str] = ()
    """Secrets that images are pulled with."""
    labels: Mapping[str, str] = field(factory=dict)
    """Further labels of the pods."""


class _Parts:
    """Classes of a pod template's parts: the bindings have a set of their own for each controller."""

    def __init__(self, controller: type) -> None:
        self._module = import_module(controller.__module__)
        self._prefix = f"{controller.__name__}SpecTemplate"

    def __call__(self, part: str, **arguments: Any) -> Any:
        return getattr(self._module, self._prefix + part)(**arguments)


def pod_template(
    controller: type,
    props: NodePodProps,
    role: NodeRole,
    *,
    placement: Placement,
    zones: int,
    priority_class: str,
) -> Any:
    """The pod template of a StatefulSet or a Deployment.

    Args:
        controller: `StatefulSetV1` or `DeploymentV1` of the bindings.
        props: the node.
        role: core: stable id, data on a volume claim `data`, apart from each other on hosts and zones; worker: none of
            that.
        placement: machines to run on.
        zones: zones that these span; with three, pods of the core that would give one zone a majority stay pending.
        priority_class: a PriorityClass.

    Returns:
        A `…SpecTemplate` of the controller's bindings.
    """
    part = _Parts(controller)
    return part(
        "",
        metadata=part(
            "Metadata",
            labels=pod_labels(props.cluster, role, props.labels),
            annotations=_annotations(props, role),
        ),
        spec=part(
            "Spec",
            service_account_name=props.service_account,
            automount_service_account_token=props.mount_token,
            enable_service_links=False,
            priority_class_name=priority_class,
            termination_grace_period_seconds=props.stop_timeout_seconds,
            security_context=_pod_security(part),
            image_pull_secrets=[part("SpecImagePullSecrets", name=name) for name in props.image_pull_secrets]
            or None,
            node_selector=dict(sorted(placement.selector.items())) or None,
            toleration=[
                part("SpecToleration", key=one.key, operator="Equal", value=one.value, effect=one.effect)
                for one in placement.tolerations
            ]
            or None,
            affinity=_affinity(part, props.cluster, role),
            topology_spread_constraint=_spread(part, props.cluster, role, zones) or None,
            container=[_container(part, props, role)],
            volume=_volumes(part, props, role),
        ),
    )


def _annotations(props: NodePodProps, role: NodeRole) -> dict[str, str]:
    """Pods are replaced when their settings change; no autoscaler of machines moves a voter to save one.

    Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md (as of 2026-11).
    """
    stay = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"} if role is NodeRole.CORE else {}
    return {"aether-infra/config": props.config_digest, **stay}


def _pod_security(part: _Parts) -> Any:
    return part(
        "SpecSecurityContext",
        run_as_non_root=True,
        run_as_user=str(USER_ID),
        run_as_group=str(USER_ID),
        fs_group=str(USER_ID),
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=part("SpecSecurityContextSeccompProfile", type="RuntimeDefault"),
    )


def _affinity(part: _Parts, cluster: str, role: NodeRole) -> Any:
    """No two core nodes on one host, whatever happens; elastic ones apart from any node where there is room."""
    away = "SpecAffinityPodAntiAffinity"
    if role is NodeRole.CORE:
        required = f"{away}RequiredDuringSchedulingIgnoredDuringExecution"
        term = part(
            required,
            topology_key="kubernetes.io/hostname",
            label_selector=[
                part(f"{required}LabelSelector", match_labels=node_selector(cluster, NodeRole.CORE))
            ],
        )
        apart = part(away, required_during_scheduling_ignored_during_execution=[term])
    else:
        preferred = f"{away}PreferredDuringSchedulingIgnoredDuringExecution"
        term = part(
            f"{preferred}PodAffinityTerm",
            topology_key="kubernetes.io/hostname",
            label_selector=[
                part(f"{preferred}PodAffinityTermLabelSelector", match_labels=node_selector(cluster))
            ],
        )
        apart = part(
            away,
            preferred_during_scheduling_ignored_during_execution=[
                part(preferred, weight=100, pod_affinity_term=term)
            ],
        )
    return part("SpecAffinity", pod_anti_affinity=apart)


def _spread(part: _Parts, cluster: str, role: NodeRole, zones: int) -> list[Any]:
    """Evenly over zones: a difference of one at most, so that no zone of three has a majority of 3, 5 or 7."""
    if zones < 2:  # noqa: PLR2004 - one zone has nothing to spread over
        return []
    strict = role is NodeRole.CORE and zones > 2  # noqa: PLR2004 - with two, one always has a majority
    return [
        part(
            "SpecTopologySpreadConstraint",
            max_skew=1,
            topology_key="topology.kubernetes.io/zone",
            when_unsatisfiable="DoNotSchedule" if strict else "ScheduleAnyway",
            label_selector=[
                part("SpecTopologySpreadConstraintLabelSelector", match_labels=node_selector(cluster, role))
            ],
        )
    ]


def _container(part: _Parts, props: NodePodProps, role: NodeRole) -> Any:
    resources = props.resources
    return part(
        "SpecContainer",
        name=CONTAINER,
        image=props.image,
        image_pull_policy="IfNotPresent" if "@sha256:" in props.image else "Always",
        port=_ports(part, props.ports),
        env_from=[
            part(
                "SpecContainerEnvFrom",
                config_map_ref=part("SpecContainerEnvFromConfigMapRef", name=props.config_map),
            )
        ],
        env=_variables(part, props, role),
        resources=part(
            "SpecContainerResources",
            requests={"cpu": resources.cpu_request, "memory": resources.memory_request},
            limits={"cpu": resources.cpu_limit, "memory": resources.memory_limit},
        ),
        security_context=part(
            "SpecContainerSecurityContext",
            allow_privilege_escalation=False,
            privileged=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            capabilities=part("SpecContainerSecurityContextCapabilities", drop=["ALL"]),
        ),
        startup_probe=_startup(part, props.health),
        liveness_probe=_probe(part, "LivenessProbe", props.health, props.health.liveness_path),
        readiness_probe=_probe(part, "ReadinessProbe", props.health, props.health.readiness_path),
        lifecycle=_lifecycle(part, props.drain_seconds),
        volume_mount=[
            part("SpecContainerVolumeMount", name=name, mount_path=path, read_only=read_only)
            for name, path, read_only in _mounts(props)
        ],
    )


def _ports(part: _Parts, ports: NodePorts) -> list[Any]:
    named = [
        ("management", ports.management, "TCP"),
        ("cluster", ports.cluster, "TCP"),
        ("cluster-quic", ports.cluster, "UDP"),
        ("swim", ports.swim, "UDP"),
    ]
    if ports.application is not None:
        named.insert(0, ("application", ports.application, "TCP"))
    return [
        part("SpecContainerPort", name=name, container_port=port, protocol=protocol)
        for name, port, protocol in named
    ]


def _variables(part: _Parts, props: NodePodProps, role: NodeRole) -> list[Any]:
    """What differs from node to node: a core node's id is its pod's name; an elastic one makes one up."""
    base = "SpecContainerEnv"
    own = []
    if role is NodeRole.CORE:
        reference = part(f"{base}ValueFromFieldRef", field_path="metadata.name")
        own = [part(base, name="NODE_ID", value_from=part(f"{base}ValueFrom", field_ref=reference))]
    for name, secret in sorted(props.secrets.items()):
        key = part(f"{base}ValueFromSecretKeyRef", name=secret.name, key=secret.key, optional=False)
        own.append(part(base, name=name, value_from=part(f"{base}ValueFrom", secret_key_ref=key)))
    return own


def _probe(part: _Parts, kind: str, health: HealthProbe, path: str) -> Any:
    return part(
        f"SpecContainer{kind}",
        http_get=part(f"SpecContainer{kind}HttpGet", path=path, port="management"),
        period_seconds=health.interval_seconds,
        timeout_seconds=health.timeout_seconds,
        failure_threshold=health.unhealthy_threshold,
        # Kubernetes takes only 1 for liveness
        success_threshold=health.healthy_threshold if kind == "ReadinessProbe" else 1,
    )


def _startup(part: _Parts, health: HealthProbe) -> Any:
    """A starting JVM is left alone for `start_seconds`: liveness begins when this succeeds."""
    return part(
        "SpecContainerStartupProbe",
        http_get=part("SpecContainerStartupProbeHttpGet", path=health.liveness_path, port="management"),
        period_seconds=PROBE_SECONDS,
        timeout_seconds=health.timeout_seconds,
        failure_threshold=max(1, -(-health.start_seconds // PROBE_SECONDS)),
    )


def _lifecycle(part: _Parts, drain_seconds: int) -> Any:
    """Serve on while load balancers take the pod out: Kubernetes tells them and the pod at the same moment."""
    if not drain_seconds:
        return None
    base = "SpecContainerLifecycle"
    wait = part(f"{base}PreStopExec", command=["sleep", str(drain_seconds)])
    return part(base, pre_stop=[part(f"{base}PreStop", exec=wait)])


def _mounts(props: NodePodProps) -> list[tuple[str, str, bool]]:
    mounts = [(DATA_VOLUME, DATA_PATH, False), ("tmp", "/tmp", False)]  # noqa: S108 - the container's own
    return [*mounts, ("secrets", "/run/aether-secrets", True)] if props.secret_class else mounts


def _volumes(part: _Parts, props: NodePodProps, role: NodeRole) -> list[Any]:
    """Volumes besides a core node's claim."""
    names = ["tmp"] if role is NodeRole.CORE else [DATA_VOLUME, "tmp"]
    volumes = [part("SpecVolume", name=name, empty_dir=part("SpecVolumeEmptyDir")) for name in names]
    if props.secret_class:
        source = part(
            "SpecVolumeCsi",
            driver=props.secret_driver,
            read_only=True,
            volume_attributes={"secretProviderClass": props.secret_class},
        )
        volumes.append(part("SpecVolume", name="secrets", csi=source))
    return volumes
