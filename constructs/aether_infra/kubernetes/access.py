"""The Kubernetes provider: by short-lived tokens, or through a kubeconfig file."""

from __future__ import annotations

from cdktf import Fn
from cdktf_cdktf_provider_kubernetes.provider import KubernetesProvider, KubernetesProviderExec
from constructs import Construct

from aether_infra.kubernetes.cloud import ExecAccess, KubeconfigAccess


def declare_provider(scope: Construct, access: ExecAccess | KubeconfigAccess) -> KubernetesProvider:
    """Declare the provider of a workload stack.

    Args:
        scope: the stack.
        access: how to reach the cluster.

    Returns:
        The provider. No password, token or key of the cluster is in the configuration or in the state. Source:
        https://registry.terraform.io/providers/hashicorp/kubernetes/2.38.0/docs#exec-plugins (as of 2026-11).
    """
    if isinstance(access, KubeconfigAccess):
        return KubernetesProvider(scope, "kubernetes", config_path=access.path, config_context=access.context)
    plugin = KubernetesProviderExec(
        api_version=access.api_version,
        command=access.command,
        args=list(access.args),
        env=dict(access.env) or None,
    )
    return KubernetesProvider(
        scope,
        "kubernetes",
        host=access.host,
        cluster_ca_certificate=Fn.base64decode(access.ca_certificate),
        exec=[plugin],
    )
