"""`[cloud.kubernetes]`: the workload alone, on a cluster that exists."""

from __future__ import annotations

from typing import ClassVar

from aether_infra.cdk.outputs import publish_runtime
from aether_infra.cdk.text import literal
from aether_infra.config import KubernetesTarget, Provider
from aether_infra.core.kubernetes import manager_host
from aether_infra.core.node import UPSTREAM_IMAGE
from aether_infra.kubernetes.cloud import ANYWHERE, Exposure, KubeconfigAccess, KubernetesCloud, Placement
from aether_infra.kubernetes.stack import WorkloadStack


class ExistingClusterWorkload(WorkloadStack):
    """Aether on a cluster that a kubeconfig file knows: stack `kubernetes-workload`."""

    provider: ClassVar[Provider] = Provider.KUBERNETES

    def cloud(self) -> KubernetesCloud:
        """Everything from the configuration: nothing is known of this cluster."""
        target = self.target
        placement = Placement(selector=target.node_selector) if target.node_selector else ANYWHERE
        return KubernetesCloud(
            access=KubeconfigAccess(path=literal(target.kubeconfig), context=target.context),
            image=self.image(),
            zones=target.availability_zones,
            application=Exposure(
                type=target.service_type,
                annotations={key: literal(value) for key, value in target.service_annotations.items()},
                source_ranges=() if target.allowed_cidrs == ("0.0.0.0/0",) else target.allowed_cidrs,
            ),
            management=Exposure(
                type="LoadBalancer",
                annotations={key: literal(value) for key, value in target.service_annotations.items()},
                source_ranges=target.management_cidrs,
            )
            if target.management_cidrs
            else None,
            application_sources=target.allowed_cidrs,
            management_sources=target.management_cidrs,
            core=placement,
            elastic=placement,
            service_account_annotations={
                key: literal(value) for key, value in target.service_account_annotations.items()
            },
            image_pull_secrets=target.image_pull_secrets,
        )

    def extend(self) -> None:
        """Say what the runtime manager knows, as the infrastructure of a cloud does: here there is none."""
        if self.managed:
            runtime = self.runtime() | {"dns": {"domain": self.config.cloud.domain}, "image": self.image()}
            publish_runtime(self, runtime | self.reach_manager(manager_host(self.namespace())))

    def image(self) -> str:
        """That of the configuration, else Aether's own: there is no registry of ours."""
        return self.config.cloud.image or UPSTREAM_IMAGE

    def namespace(self) -> str:
        """That of `cloud.kubernetes`, which goes before the node's own."""
        return self.target.namespace or super().namespace()

    @property
    def target(self) -> KubernetesTarget:
        """`[cloud.kubernetes]`."""
        if not isinstance(self.section, KubernetesTarget):
            raise TypeError(f"not [cloud.kubernetes]: {self.section!r}")
        return self.section
