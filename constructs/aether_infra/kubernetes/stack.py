"""The base of every `<cloud>-workload` stack: from a configuration to the workload; a cloud says what it adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cdktf import TerraformStack
from constructs import Construct

from aether_infra.cdk.remote_state import RemoteOutputs
from aether_infra.cdk.stack import ClusterStack
from aether_infra.cdk.text import json_text, literal
from aether_infra.config import AetherConfig, CloudSection, Provider, heap_mib
from aether_infra.config.secret_references import kubernetes_secret
from aether_infra.core.kubernetes import SERVING_LABEL
from aether_infra.core.node import java_options
from aether_infra.core.tags import NodeRole
from aether_infra.kubernetes.access import declare_provider
from aether_infra.kubernetes.cloud import KubernetesCloud
from aether_infra.kubernetes.manager import Manager, ManagerProps
from aether_infra.kubernetes.node import PodResources, SecretKey
from aether_infra.kubernetes.workload import Workload, WorkloadProps


class WorkloadStack(ClusterStack):
    """Aether on one cluster; uses the Kubernetes provider and nothing else.

    What it must know of the infrastructure (the API's address, an IP) it reads from that stack's state, so that the
    two are planned apart: a provider whose cluster is not known yet would dial the local host
    (https://github.com/hashicorp/terraform-provider-kubernetes/issues/1028).

    A cloud's module derives from this and says what it adds in `cloud` and, after the workload, in `extend`.

    Attributes:
        infrastructure: outputs of the cloud's infrastructure stack; None on a cluster that is not ours.
        workload: the nodes, and what belongs to them.
        manager: sizes the elastic nodes; None where Kubernetes' autoscaler does.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        config: AetherConfig,
        infrastructure: TerraformStack | None = None,
    ) -> None:
        """Declare the stack.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has this cloud's table.
            infrastructure: the cloud's infrastructure stack, which is then deployed before and destroyed after this
                one.

        Raises:
            ConfigError: the configuration has no such table.
        """
        # an infrastructure stack has the place that the file names; on a cluster that exists there is none
        existing = self.provider is Provider.KUBERNETES
        super().__init__(scope, id_, config, part="-workload", primary=existing)
        self.infrastructure: RemoteOutputs | None = None
        if not existing:
            self.infrastructure = RemoteOutputs(
                self,
                "infrastructure",
                state=config.cloud.state,
                state_name=f"{self.name}/{self.provider}",
                region=config.bucket_region,
                primary=config.cloud.provider is self.provider,
            )
        if infrastructure is not None:
            self.add_dependency(infrastructure)
        cloud = self.cloud()
        declare_provider(self, cloud.access)
        self.workload = Workload(self, "aether", self._props(cloud, self.section))
        self.manager = self._manager(cloud) if self.managed else None
        self.extend()

    def cloud(self) -> KubernetesCloud:
        """What this cloud adds. Called once, before the workload is declared."""
        raise NotImplementedError

    def extend(self) -> None:
        """Declare what only this cloud has, such as an Ingress. Called after the workload."""

    def output(self, *path: str) -> str:
        """A value of the infrastructure stack's `runtime.kubernetes`.

        Args:
            *path: its keys, such as `"load_balancer", "address"`.

        Returns:
            A token.

        Raises:
            LookupError: this cluster is not ours.
        """
        if self.infrastructure is None:
            raise LookupError("there is no infrastructure stack to ask")
        return self.infrastructure.text("runtime", "kubernetes", *path)

    def image(self) -> str:
        """The image: that of the configuration, else the one that the infrastructure stack's registry is to hold."""
        if self.config.cloud.image or self.infrastructure is None:
            return self.config.cloud.image or ""
        return self.infrastructure.text("runtime", "image")

    def own_secrets(self) -> Mapping[str, SecretKey]:
        """Environment variables whose reference names a Kubernetes secret."""
        places = self.config.kubernetes_secrets(self.provider)
        return {variable: SecretKey(name=name, key=key) for variable, (name, key) in places.items()}

    def _props(self, cloud: KubernetesCloud, section: CloudSection) -> WorkloadProps:
        config = self.config
        node, shutdown, scaling = config.node, config.cloud.shutdown, config.cloud.scaling
        limit = node.resources.cpu_limit_millicores
        return WorkloadProps(
            cluster=self.name,
            cloud=cloud,
            namespace=self.namespace(),
            core_nodes=self.counts.core,
            elastic_minimum=self.counts.elastic_minimum,
            elastic_maximum=self.counts.elastic_maximum,
            java_opts=java_options(
                heap_mib=heap_mib(config, node.resources.memory_limit_mib),
                gc=node.gc,
                dns_ttl_seconds=shutdown.jvm_dns_ttl_seconds,
                extra=literal(config.cloud.java_opts),
            ),
            ports=self.ports,
            health=self.health,
            resources=PodResources(
                cpu_request=node.resources.cpu_request,
                cpu_limit=node.resources.cpu_limit,
                memory_request=node.resources.memory_request,
                memory_limit=node.resources.memory_limit,
            ),
            cpu_target_millicores=limit * scaling.cpu_target_percent // 100,
            scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
            scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
            stop_timeout_seconds=shutdown.stop_timeout_seconds,
            drain_seconds=shutdown.deregistration_delay_seconds,
            storage_class=config.kubernetes.storage_class or None,
            data_volume_gib=section.data_volume_gib,
            secrets=self.own_secrets(),
            managed=self.managed,
            protect=config.cloud.protect,
            # one for all: a tag may hold what no annotation's name may
            annotations={"aether-infra/tags": json_text(self.tags)},
        )

    def _manager(self, cloud: KubernetesCloud) -> Manager:
        own, storage = self.config.cloud.manager, self.workload.storage
        return Manager(
            self,
            "manager",
            ManagerProps(
                cluster=self.name,
                namespace=self.workload.namespace.name,
                image=own.image or "",
                port=own.port,
                management_port=self.ports.management,
                runtime=self.runtime(),
                secrets={
                    variable: SecretKey(name=name, key=key)
                    for variable, reference in own.secrets().items()
                    for name, key in [kubernetes_secret(reference) or ("", "")]
                },
                on_volume=own.on_volume,
                storage_class=storage.name if storage else self.config.kubernetes.storage_class or None,
                collect=own.collect,
                cpu=own.cpu,
                memory=own.memory,
                priority_class=self.workload.namespace.priority_classes[NodeRole.CORE].metadata.name,
                allowed_cidrs=own.allowed_cidrs,
                image_pull_secrets=self.pull_secrets(cloud),
            ),
        )

    def pull_secrets(self, cloud: KubernetesCloud) -> Sequence[str]:
        """Secrets that the manager's image is pulled with: those of the nodes.

        Args:
            cloud: what this cloud adds.
        """
        return cloud.image_pull_secrets

    def runtime(self) -> dict[str, Any]:
        """What the manager is told: of the infrastructure's output `runtime`, what this stack knows too."""
        where = {"namespace": self.namespace(), "serving_label": SERVING_LABEL}
        return self.facts() | {"kubernetes": where, "tags": self.tags}

    def namespace(self) -> str:
        """The namespace of everything."""
        return self.config.kubernetes.namespace
