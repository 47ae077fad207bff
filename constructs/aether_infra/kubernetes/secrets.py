"""Secrets of a cloud's store as Kubernetes secrets, copied by what runs in the cluster.

No secret passes through Terraform: it names them, the driver or the operator fetches them.
"""

from __future__ import annotations

from attrs import frozen
from cdktf_cdktf_provider_kubernetes.manifest import Manifest
from constructs import Construct

from aether_infra.kubernetes.cloud import SecretProvider
from aether_infra.kubernetes.labels import standard_labels
from aether_infra.kubernetes.node import SecretKey

SECRETS = "aether-secrets"
"""Name of the SecretProviderClass, and of the Kubernetes secret that it makes."""


@frozen(kw_only=True)
class StoredSecretsProps:
    """Props of `StoredSecrets`."""

    cluster: str
    """Cluster's name."""
    namespace: str
    """Namespace, as a token that waits for it."""
    provider: SecretProvider
    """The store and what is copied."""


class StoredSecrets(Construct):
    """A SecretProviderClass: the Secrets Store CSI driver copies while a pod uses it.

    The class is a resource of the driver, which the cluster's add-on brings; Terraform asks for it when it plans.
    Source: https://secrets-store-csi-driver.sigs.k8s.io/topics/sync-as-kubernetes-secret (as of 2026-11).

    Attributes:
        manifest: the SecretProviderClass.
        keys: where each environment variable's value will be.
    """

    def __init__(self, scope: Construct, id_: str, props: StoredSecretsProps) -> None:
        super().__init__(scope, id_)
        source = props.provider
        copied = [
            {"key": name, "objectName": object_name}
            for name, object_name in sorted(source.object_names.items())
        ]
        self.manifest = Manifest(
            self,
            "Resource",
            manifest={
                "apiVersion": "secrets-store.csi.x-k8s.io/v1",
                "kind": "SecretProviderClass",
                "metadata": {
                    "name": SECRETS,
                    "namespace": props.namespace,
                    "labels": standard_labels(props.cluster),
                },
                "spec": {
                    "provider": source.provider,
                    "parameters": dict(sorted(source.parameters.items())),
                    "secretObjects": [{"secretName": SECRETS, "type": "Opaque", "data": copied}],
                },
            },
        )
        self.keys = {name: SecretKey(name=SECRETS, key=name) for name in sorted(source.object_names)}
