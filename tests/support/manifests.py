"""Terraform's Kubernetes resources as the manifests that the API gets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from terraform_json import Document, every

KINDS = {
    "kubernetes_api_service_v1": ("apiregistration.k8s.io/v1", "APIService"),
    "kubernetes_cluster_role_binding_v1": ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    "kubernetes_cluster_role_v1": ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    "kubernetes_config_map_v1": ("v1", "ConfigMap"),
    "kubernetes_deployment_v1": ("apps/v1", "Deployment"),
    "kubernetes_horizontal_pod_autoscaler_v2": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "kubernetes_ingress_v1": ("networking.k8s.io/v1", "Ingress"),
    "kubernetes_namespace_v1": ("v1", "Namespace"),
    "kubernetes_network_policy_v1": ("networking.k8s.io/v1", "NetworkPolicy"),
    "kubernetes_persistent_volume_claim_v1": ("v1", "PersistentVolumeClaim"),
    "kubernetes_pod_disruption_budget_v1": ("policy/v1", "PodDisruptionBudget"),
    "kubernetes_priority_class_v1": ("scheduling.k8s.io/v1", "PriorityClass"),
    "kubernetes_role_binding_v1": ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    "kubernetes_role_v1": ("rbac.authorization.k8s.io/v1", "Role"),
    "kubernetes_service_account_v1": ("v1", "ServiceAccount"),
    "kubernetes_service_v1": ("v1", "Service"),
    "kubernetes_stateful_set_v1": ("apps/v1", "StatefulSet"),
    "kubernetes_storage_class_v1": ("storage.k8s.io/v1", "StorageClass"),
}
"""API version and kind, by type of resource."""

TERRAFORM = {"//", "count", "depends_on", "lifecycle", "provider", "timeouts"}
"""Arguments that are Terraform's own; those of the provider begin with `wait_`."""
PLURAL = {
    "container": "containers",
    "image_pull_secret": "imagePullSecrets",
    "init_container": "initContainers",
    "metric": "metrics",
    "path": "paths",
    "policy": "policies",
    "port": "ports",
    "rule": "rules",
    "storage_provisioner": "provisioner",
    "subject": "subjects",
    "toleration": "tolerations",
    "topology_spread_constraint": "topologySpreadConstraints",
    "volume": "volumes",
    "volume_claim_template": "volumeClaimTemplates",
    "volume_mount": "volumeMounts",
}
"""Names that are more than camel case, for lists (and one for a text)."""
SINGLE = {
    "label_selector",
    "persistent_volume_claim_retention_policy",
    "post_start",
    "pre_stop",
    "rolling_update",
    "scale_down",
    "scale_up",
    "update_strategy",
}
"""Blocks that the bindings take as lists although there is one at most."""
FREE = {
    "annotations",
    "data",
    "labels",
    "limits",
    "match_labels",
    "node_selector",
    "parameters",
    "requests",
    "volume_attributes",
}
"""Maps whose keys are data."""
NUMBERS = {"fs_group", "replicas", "run_as_group", "run_as_user"}
"""Numbers that the provider takes as text."""
RESOURCE_REFERENCE = re.compile(r"\$\{(kubernetes_\w+)\.([\w-]+)\.metadata\[0\]\.name\}")


def manifests(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Address and manifest of each Kubernetes resource of a stack, custom ones left out."""
    for kind, name, arguments in every(document):
        if kind == "kubernetes_manifest":
            continue
        api_version, api_kind = KINDS[kind]
        body = {
            key: value
            for key, value in arguments.items()
            if key not in TERRAFORM and not key.startswith("wait_")
        }
        converted = _convert(_resolved(body, document))
        yield f"{kind}.{name}", {"apiVersion": api_version, "kind": api_kind, **converted}


def _resolved(value: Any, document: Document) -> Any:
    """References to names of other resources filled in; what only the cloud knows stands as a word."""
    if isinstance(value, dict):
        return {key: _resolved(item, document) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, document) for item in value]
    if not isinstance(value, str):
        return value
    text = RESOURCE_REFERENCE.sub(
        lambda found: document["resource"][found[1]][found[2]]["metadata"]["name"], value
    )
    return re.sub(r"(?<!\$)\$\{[^}]*\}", "known-later", text)


def _convert(value: Any) -> Any:
    if isinstance(value, list):
        return [_convert(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {_name(key, item): _argument(key, item) for key, item in value.items()}


def _name(key: str, value: Any) -> str:
    if key in PLURAL and (isinstance(value, list) or key == "storage_provisioner"):
        return PLURAL[key]
    head, *rest = key.split("_")
    return head + "".join(part.upper() if part in {"ip", "tls"} else part.title() for part in rest if part)


def _argument(key: str, value: Any) -> Any:
    if key in FREE or (key == "selector" and "match_labels" not in value):
        return value
    if key in NUMBERS:
        return int(value)
    if key in SINGLE and isinstance(value, list):
        (value,) = value
    return _convert(value)
