"""What Google Cloud adds to the workload: tokens, disks, the Ingress, identity and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import aether_infra.kubernetes  # noqa: F401 - before its bindings: makes them load lazily

# isort: split
from cdktf_cdktf_provider_kubernetes.ingress_v1 import (
    IngressV1,
    IngressV1Metadata,
    IngressV1Spec,
    IngressV1SpecDefaultBackend,
    IngressV1SpecDefaultBackendService,
    IngressV1SpecDefaultBackendServicePort,
    IngressV1Timeouts,
)
from cdktf_cdktf_provider_kubernetes.manifest import Manifest

from aether_infra.catalog import gcp as catalog
from aether_infra.cdk.text import json_text
from aether_infra.config import GcpConfig, Provider, architecture, gcp_zones
from aether_infra.core.kubernetes import SERVICE, SERVICE_ACCOUNT
from aether_infra.core.tags import standard_tags
from aether_infra.gcp import publication
from aether_infra.gcp.ranges import PROXY_RANGES
from aether_infra.kubernetes.cloud import (
    ON_JVM_POOL,
    ON_SPOT_POOL,
    ExecAccess,
    Exposure,
    KubernetesCloud,
    Placement,
    Storage,
    Toleration,
)
from aether_infra.kubernetes.labels import standard_labels
from aether_infra.kubernetes.node import SecretKey
from aether_infra.kubernetes.stack import WorkloadStack

SECRETS = "aether-secrets"
"""Kubernetes secret that GKE fills from Secret Manager."""
ARCHITECTURE = "kubernetes.io/arch"
"""Label and, on Arm machines, taint that GKE gives them.
Source: https://cloud.google.com/kubernetes-engine/docs/how-to/prepare-arm-workloads-for-deployment (as of 2026-11)."""


class GkeWorkload(WorkloadStack):
    """Aether on Kubernetes Engine: stack `gcp-workload`.

    Users come through an Ingress, which sends them straight to the pods and asks the management port for health;
    operators through a load balancer of their own, which keeps their addresses.
    Sources: https://cloud.google.com/kubernetes-engine/docs/how-to/container-native-load-balancing,
    https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration,
    https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters (as of 2026-11).
    """

    provider: ClassVar[Provider] = Provider.GCP

    @property
    def gcp(self) -> GcpConfig:
        """`[cloud.gcp]`."""
        if not isinstance(self.section, GcpConfig):
            raise TypeError(f"not [cloud.gcp]: {self.section!r}")
        return self.section

    def cloud(self) -> KubernetesCloud:
        """What Google Cloud adds."""
        gcp = self.gcp
        published = publication.published(self.config)
        return KubernetesCloud(
            access=ExecAccess(
                host=self.output("endpoint"),
                ca_certificate=self.output("ca_certificate"),
                command="gke-gcloud-auth-plugin",
            ),
            image=self.image(),
            zones=len(gcp_zones(gcp)),
            application=self._application(),
            management=self._management(),
            # the load balancer's proxies hide the users' addresses; its policy has let them in or not
            application_sources=PROXY_RANGES if published else (),
            management_sources=(*gcp.management_cidrs, *(PROXY_RANGES if published else ())),
            storage=Storage(provisioner="pd.csi.storage.gke.io", parameters=self._disk()),
            core=self._placement(ON_JVM_POOL),
            elastic=self._placement(ON_SPOT_POOL if gcp.spot else ON_JVM_POOL),
            service_account_annotations={"iam.gke.io/gcp-service-account": self.output("identity")},
        )

    def own_secrets(self) -> Mapping[str, SecretKey]:
        """Those that name Kubernetes secrets, and those that GKE copies from Secret Manager."""
        stored = self.config.stored_secrets(self.provider)
        return {**super().own_secrets(), **{name: SecretKey(name=SECRETS, key=name) for name in stored}}

    def extend(self) -> None:
        """Declare the Ingress and what belongs to it, and the copies of secrets."""
        stored = self.config.stored_secrets(self.provider)
        if stored:
            self._secret_sync(stored)
        if publication.published(self.config):
            self._ingress()

    def _application(self) -> Exposure:
        if not publication.published(self.config):
            return Exposure()
        return Exposure(
            annotations={
                "cloud.google.com/backend-config": json_text({"default": SERVICE}),
                "cloud.google.com/neg": json_text({"ingress": True}),
            }
        )

    def _management(self) -> Exposure | None:
        cidrs = self.gcp.management_cidrs
        if not cidrs:
            return None
        inside = publication.management_inside(self.gcp)
        kind = (
            {"networking.gke.io/load-balancer-type": "Internal"}
            if inside
            else {"cloud.google.com/l4-rbs": "enabled"}
        )
        return Exposure(
            type="LoadBalancer",
            annotations=kind,
            load_balancer_ip=self.output("load_balancer", "management_address"),
            source_ranges=cidrs,
        )

    def _disk(self) -> dict[str, str]:
        labels = standard_tags(self.name, self.config.cloud.tags)
        parameters = {
            "labels": ",".join(f"{key}={value}" for key, value in labels.items()),
            "type": catalog.disk_type(self.gcp.machine_type),
        }
        return parameters | ({"disk-encryption-kms-key": self.gcp.kms_key} if self.gcp.kms_key else {})

    def _placement(self, pool: Placement) -> Placement:
        """The pool's machines; Arm ones take only pods that say that they can live there."""
        if architecture(self.gcp) != "arm64":
            return pool
        arm = Toleration(key=ARCHITECTURE, value="arm64")
        return Placement(
            selector={**pool.selector, ARCHITECTURE: "arm64"}, tolerations=(*pool.tolerations, arm)
        )

    def _ingress(self) -> None:
        backend = self._manifest(
            "backend-config", "cloud.google.com/v1", "BackendConfig", SERVICE, self._backend()
        )
        annotations = {
            "kubernetes.io/ingress.allow-http": "true",
            # GKE looks at this annotation, not at the class's name
            "kubernetes.io/ingress.class": "gce",
            "kubernetes.io/ingress.global-static-ip-name": self.output("load_balancer", "address_name"),
        }
        before = [self.workload.services.inside, backend]
        if publication.encrypted(self.config, self.gcp):
            spec = {
                "redirectToHttps": {"enabled": True},
                "sslPolicy": self.output("load_balancer", "ssl_policy"),
            }
            frontend = self._manifest(
                "frontend-config", "networking.gke.io/v1beta1", "FrontendConfig", SERVICE, spec
            )
            before.append(frontend)
            annotations |= {
                "ingress.gcp.kubernetes.io/pre-shared-cert": self.output("load_balancer", "certificate"),
                "networking.gke.io/v1beta1.FrontendConfig": SERVICE,
            }
        port = IngressV1SpecDefaultBackendServicePort(number=self.ports.application)
        self.ingress = IngressV1(
            self,
            "ingress",
            metadata=IngressV1Metadata(
                name=SERVICE,
                namespace=self.workload.namespace.name,
                labels=standard_labels(self.name),
                annotations=annotations,
            ),
            spec=IngressV1Spec(
                default_backend=IngressV1SpecDefaultBackend(
                    service=IngressV1SpecDefaultBackendService(name=SERVICE, port=port)
                )
            ),
            wait_for_load_balancer=True,
            timeouts=IngressV1Timeouts(create="20m", delete="20m"),
            depends_on=before,
        )

    def _backend(self) -> dict[str, Any]:
        """How the load balancer treats the pods: asks the management port, lets requests finish."""
        health = self.config.cloud.health
        return {
            "connectionDraining": {
                "drainingTimeoutSec": self.config.cloud.shutdown.deregistration_delay_seconds
            },
            "healthCheck": {
                "checkIntervalSec": health.interval_seconds,
                "healthyThreshold": health.healthy_threshold,
                "port": self.ports.management,
                "requestPath": health.readiness_path,
                "timeoutSec": health.timeout_seconds,
                "type": "HTTP",
                "unhealthyThreshold": health.unhealthy_threshold,
            },
            "logging": {"enable": True, "sampleRate": 1.0},
            # an empty name takes a policy away that was there before
            "securityPolicy": {
                "name": self.output("load_balancer", "security_policy")
                if publication.restricted(self.config, self.gcp)
                else ""
            },
        }

    def _secret_sync(self, stored: Mapping[str, str]) -> None:
        """What GKE copies, as whom. The feature is switched on by hand: the provider does not know it yet.

        Source: https://cloud.google.com/secret-manager/docs/sync-k8-secrets (as of 2026-11).
        """
        sources = [{"path": name, "resourceName": text} for name, text in sorted(stored.items())]
        spec = {"parameters": {"secrets": json_text(sources)}, "provider": "gke"}
        source = self._manifest(
            "secret-source", "secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", SECRETS, spec
        )
        copied = [{"sourcePath": name, "targetKey": name} for name in sorted(stored)]
        self._manifest(
            "secret-sync",
            "secret-sync.gke.io/v1",
            "SecretSync",
            SECRETS,
            {
                "secretObject": {"data": copied, "type": "Opaque"},
                "secretProviderClassName": SECRETS,
                "serviceAccountName": SERVICE_ACCOUNT,
            },
            source,
        )

    def _manifest(
        self, id_: str, version: str, kind: str, name: str, spec: Mapping[str, Any], *after: Manifest
    ) -> Manifest:
        """A resource of a kind that GKE adds to Kubernetes."""
        return Manifest(
            self,
            id_,
            depends_on=list(after) or None,
            manifest={
                "apiVersion": version,
                "kind": kind,
                "metadata": {
                    "labels": standard_labels(self.name),
                    "name": name,
                    "namespace": self.workload.namespace.name,
                },
                "spec": dict(spec),
            },
        )
