"""What a cloud adds to the workload: how to reach the cluster, how traffic gets in, what holds the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import field, frozen

from aether_infra.core.kubernetes import JVM_POOL, POOL_LABEL, SPOT_POOL


@frozen(kw_only=True)
class ExecAccess:
    """Short-lived tokens, asked from the cloud's own command line whenever the provider needs one."""

    host: str
    """Address of the Kubernetes API, `https://…`."""
    ca_certificate: str
    """The API's certificate authority, PEM in base64."""
    command: str
    """Program that prints an ExecCredential, such as `gke-gcloud-auth-plugin`."""
    args: Sequence[str] = ()
    """Its arguments; they may hold tokens."""
    env: Mapping[str, str] = field(factory=dict)
    """Its environment, besides the caller's."""
    api_version: str = "client.authentication.k8s.io/v1beta1"
    """Version of ExecCredential that the program prints."""


@frozen(kw_only=True)
class KubeconfigAccess:
    """A cluster that a kubeconfig file knows."""

    path: str = "~/.kube/config"
    """The file."""
    context: str | None = None
    """Context in it; default: the current one."""


@frozen(kw_only=True)
class Storage:
    """The storage class of the core nodes' data, one of our own: clouds differ in which class is the default."""

    provisioner: str
    """The cloud's CSI driver, such as `pd.csi.storage.gke.io`."""
    parameters: Mapping[str, str] = field(factory=dict)
    """The driver's parameters: kind of disk, encryption."""


@frozen(kw_only=True)
class Exposure:
    """How traffic from outside reaches a port of the nodes."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the service; ClusterIP: from inside only, or through an Ingress that the cloud's module adds."""
    annotations: Mapping[str, str] = field(factory=dict)
    """What the cloud's controller reads; may hold tokens."""
    port: int | None = None
    """Port that callers use; default: 80 for the application, the node's own for management."""
    load_balancer_ip: str | None = None
    """Address that the load balancer takes, on clouds that know it by its IP."""
    load_balancer_class: str | None = None
    """Controller that is meant, where there are several."""
    node_port: int | None = None
    """Port of every machine (30000-32767); default: Kubernetes chooses."""
    source_ranges: Sequence[str] = ()
    """IPv4 networks that the load balancer lets in; default: everyone."""


@frozen(kw_only=True)
class Toleration:
    """A taint that a pod may live with."""

    key: str
    """The taint's key."""
    value: str
    """The taint's value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"
    """The taint's effect."""


@frozen(kw_only=True)
class Placement:
    """Machines that pods go to."""

    selector: Mapping[str, str] = field(factory=dict)
    """Labels that a machine must have; default: any machine."""
    tolerations: Sequence[Toleration] = ()
    """Taints that it may have."""


ON_JVM_POOL = Placement(selector={POOL_LABEL: JVM_POOL})
"""The machines that our infrastructure stacks make for Aether's nodes."""
ON_SPOT_POOL = Placement(
    selector={POOL_LABEL: SPOT_POOL}, tolerations=(Toleration(key=POOL_LABEL, value=SPOT_POOL),)
)
"""Their spot machines."""
ANYWHERE = Placement()
"""Whatever machines there are."""


@frozen(kw_only=True)
class SecretProvider:
    """A Secrets Store CSI provider, which an add-on of AKS and EKS brings: it copies secrets of the cloud's store."""

    driver: str = "secrets-store.csi.k8s.io"
    """CSI driver."""
    provider: str
    """The provider's name, such as `azure` or `aws`."""
    parameters: Mapping[str, str]
    """The provider's parameters, `objects` among them."""
    object_names: Mapping[str, str]
    """Name of each copied object, by environment variable of the node."""


@frozen(kw_only=True)
class KubernetesCloud:
    """All that the workload must know of the cloud that its cluster runs on."""

    access: ExecAccess | KubeconfigAccess
    """How to reach the Kubernetes API."""
    image: str
    """The node's image, best by digest."""
    zones: int = 1
    """Zones that the JVM pool spans; with three no zone may hold a majority of the core."""
    application: Exposure = field(factory=Exposure)
    """How users reach the application."""
    management: Exposure | None = None
    """How operators reach the management port; default: only from inside of the cluster."""
    application_sources: Sequence[str] = ("0.0.0.0/0",)
    """IPv4 networks that packets for the application come from, as the pods see them: users where the load balancer
    keeps their address, else the load balancer's own ranges."""
    management_sources: Sequence[str] = ()
    """IPv4 networks that packets for the management port come from: operators, and the load balancer's health checks
    where these ask the pods. The kubelet may always ask."""
    storage: Storage | None = None
    """Storage class to make; default: `kubernetes.storage_class`, or the cluster's default class."""
    core: Placement = ON_JVM_POOL
    """Where core nodes run."""
    elastic: Placement = ON_JVM_POOL
    """Where elastic nodes run."""
    service_account_annotations: Mapping[str, str] = field(factory=dict)
    """Ties the service account to an identity of the cloud."""
    mount_token: bool = False
    """Whether pods get the service account's own token, for a cloud whose SDK reads it there; default off."""
    pod_labels: Mapping[str, str] = field(factory=dict)
    """Labels that the cloud's identity webhook looks for."""
    image_pull_secrets: Sequence[str] = ()
    """Secrets of the namespace, of type docker-registry, that images are pulled with."""
    secrets: SecretProvider | None = None
    """Copies `cloud.secrets` from the cloud's store; default: these name Kubernetes secrets."""
