"""Aether on DOKS: what this cloud adds to the workload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from aether_infra.catalog import digitalocean as catalog
from aether_infra.config import DigitaloceanConfig, Provider
from aether_infra.core.kubernetes import (
    APPLICATION_NODE_PORT,
    MANAGEMENT_NODE_PORT,
    POOL_LABEL,
    SYSTEM_POOL,
)
from aether_infra.kubernetes.cloud import ExecAccess, Exposure, KubernetesCloud, Storage
from aether_infra.kubernetes.metrics_server import MetricsServer, MetricsServerProps
from aether_infra.kubernetes.stack import WorkloadStack

CSI_DRIVER = "dobs.csi.digitalocean.com"
"""Block storage, which DOKS brings. Source:
https://docs.digitalocean.com/products/kubernetes/how-to/add-volumes/ (as of 2026-11)."""
UNPUBLISHED = {"kubernetes.digitalocean.com/firewall-managed": "false"}
"""Keeps DOKS from opening a node port to the internet: traffic comes from the load balancer, inside of the VPC. Source:
https://github.com/digitalocean/digitalocean-cloud-controller-manager#firewall-management (as of 2026-11)."""


class DoksWorkload(WorkloadStack):
    """The stack `digitalocean-workload`: behind the load balancers of the infrastructure stack, by node ports."""

    provider: ClassVar[Provider] = Provider.DIGITALOCEAN

    def cloud(self) -> KubernetesCloud:
        """Tokens from doctl, node ports for the load balancers, block storage.

        doctl takes its token from `DIGITALOCEAN_ACCESS_TOKEN`, as the infrastructure stack's provider does. Source:
        https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/kubernetes_cluster
        (as of 2026-11).
        """
        balancer_range = self.output("load_balancer", "source_range")
        return KubernetesCloud(
            access=ExecAccess(
                host=self.output("endpoint"),
                ca_certificate=self.output("ca_certificate"),
                command="doctl",
                args=[
                    "kubernetes",
                    "cluster",
                    "kubeconfig",
                    "exec-credential",
                    "--version=v1beta1",
                    self.output("cluster_id"),
                ],
            ),
            image=self.image(),
            application=Exposure(type="NodePort", node_port=APPLICATION_NODE_PORT, annotations=UNPUBLISHED),
            # health checks ask here, also where no operator comes in
            management=Exposure(type="NodePort", node_port=MANAGEMENT_NODE_PORT, annotations=UNPUBLISHED),
            application_sources=[balancer_range],
            management_sources=[balancer_range],
            storage=Storage(provisioner=CSI_DRIVER),
            # DOKS copies the registry's pull secret into every namespace, under the registry's name
            image_pull_secrets=self._pull_secrets(self.config.cloud.image),
        )

    def pull_secrets(self, cloud: KubernetesCloud) -> Sequence[str]:
        """As for the nodes, if it lies in our registry; that of the nodes may lie elsewhere."""
        del cloud
        return self._pull_secrets(self.config.cloud.manager.image)

    def extend(self) -> None:
        """A metrics server, which DOKS does not bring: without it elastic nodes are never more than the fewest."""
        if self.own.metrics_server and self.counts.elastic_maximum and not self.managed:
            MetricsServer(
                self,
                "metrics-server",
                MetricsServerProps(cluster=self.name, node_selector={POOL_LABEL: SYSTEM_POOL}),
            )

    @property
    def own(self) -> DigitaloceanConfig:
        """`[cloud.digitalocean]`."""
        if not isinstance(self.section, DigitaloceanConfig):
            raise TypeError(f"not the table of DigitalOcean: {self.section!r}")
        return self.section

    def _pull_secrets(self, image: str | None) -> tuple[str, ...]:
        registry = self.own.registry_name or catalog.registry_name(self.name)
        return (self.output("pull_secret"),) if catalog.in_registry(image, registry) else ()
