"""What AKS adds to the workload: stack `azure-workload`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from attrs import evolve

from aether_infra.azure.resource_id import vault_and_secret
from aether_infra.azure.sources import ANYWHERE, merged
from aether_infra.catalog import azure as catalog
from aether_infra.cdk.text import json_text
from aether_infra.config import AzureConfig, Provider
from aether_infra.config.zones import azure_zones
from aether_infra.core.encoding import jsonencode
from aether_infra.kubernetes.cloud import (
    ON_JVM_POOL,
    ON_SPOT_POOL,
    ExecAccess,
    Exposure,
    KubernetesCloud,
    SecretProvider,
    Storage,
    Toleration,
)
from aether_infra.kubernetes.stack import WorkloadStack

KUBERNETES_API = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""Application id of every AKS cluster's API. Source:
https://azure.github.io/kubelogin/concepts/aks.html (as of 2026-11)."""
ANNOTATION = "service.beta.kubernetes.io"
SPOT = Toleration(key="kubernetes.azure.com/scalesetpriority", value="spot")
"""The taint that AKS itself puts on spot machines."""


class AksWorkload(WorkloadStack):
    """Aether on the AKS cluster of the stack `azure`."""

    provider: ClassVar[Provider] = Provider.AZURE

    def cloud(self) -> KubernetesCloud:
        """Tokens of Entra, disks of Azure, the address that the infrastructure holds."""
        azure = self.azure
        spot = evolve(ON_SPOT_POOL, tolerations=(*ON_SPOT_POOL.tolerations, SPOT))
        return KubernetesCloud(
            access=self._access(),
            image=self.image(),
            zones=max(1, len(azure_zones(azure))),
            application=self._exposure(azure.allowed_cidrs)
            if self.ports.application is not None and azure.allowed_cidrs
            else Exposure(),
            management=self._exposure(azure.management_cidrs) if azure.management_cidrs else None,
            application_sources=azure.allowed_cidrs,
            management_sources=azure.management_cidrs,
            storage=self._storage(),
            core=ON_JVM_POOL,
            elastic=spot if azure.spot else ON_JVM_POOL,
            service_account_annotations={"azure.workload.identity/client-id": self.output("identity")},
            pod_labels={"azure.workload.identity/use": "true"},
            secrets=self._secrets(),
        )

    @property
    def azure(self) -> AzureConfig:
        """`[cloud.azure]`."""
        if not isinstance(self.section, AzureConfig):
            raise TypeError(f"not the table of Azure: {self.section!r}")
        return self.section

    def _access(self) -> ExecAccess:
        """Whoever is logged in to the Azure CLI; a pipeline sets AAD_LOGIN_METHOD, which goes before `--login`.

        Source: https://azure.github.io/kubelogin/cli/get-token.html (as of 2026-11).
        """
        return ExecAccess(
            host=self.output("endpoint"),
            ca_certificate=self.output("ca_certificate"),
            command="kubelogin",
            args=["get-token", "--login", "azurecli", "--server-id", KUBERNETES_API],
        )

    def _exposure(self, sources: Sequence[str]) -> Exposure:
        """The static address, which lies in the main resource group, not in that of the machines.

        Source: https://learn.microsoft.com/en-us/azure/aks/static-ip (as of 2026-11).
        """
        networks = merged(sources)
        return Exposure(
            type="LoadBalancer",
            annotations={
                f"{ANNOTATION}/azure-load-balancer-resource-group": self.output(
                    "load_balancer", "resource_group"
                ),
                f"{ANNOTATION}/azure-pip-name": self.output("load_balancer", "address_name"),
            },
            source_ranges=() if ANYWHERE in networks else networks,
        )

    def _storage(self) -> Storage:
        encryption = self.azure.disk_encryption_set_id
        return Storage(
            provisioner="disk.csi.azure.com",
            parameters={"skuName": catalog.disk_type(self.azure.vm_size)}
            | ({"diskEncryptionSetID": encryption} if encryption else {}),
        )

    def _secrets(self) -> SecretProvider | None:
        """Secrets of one Key Vault, read as the nodes' own identity; the rules refuse a second vault."""
        references = self.config.stored_secrets(self.provider)
        if not references:
            return None
        objects = {name: vault_secret(name, text) for name, text in sorted(references.items())}
        (vault, *_) = sorted({vault_and_secret(text)[0] for text in references.values()})
        return SecretProvider(
            provider="azure",
            parameters={
                "usePodIdentity": "false",
                "clientID": self.output("identity"),
                "tenantId": self.output("tenant_id"),
                "keyvaultName": vault,
                # YAML of YAML, which JSON is
                "objects": json_text({"array": [jsonencode(item) for item in objects.values()]}),
            },
            object_names={name: name for name in objects},
        )


def vault_secret(alias: str, reference: str) -> Mapping[str, str]:
    """A secret as the Key Vault provider names it.

    Source: https://azure.github.io/secrets-store-csi-driver-provider-azure/docs/getting-started/usage/ (as of 2026-11).

    Args:
        alias: name of its copy.
        reference: its identifier, with or without a version.
    """
    secret = reference.partition("/secrets/")[2]
    name, _, version = secret.partition("/")
    return {"objectName": name, "objectType": "secret", "objectVersion": version, "objectAlias": alias}
