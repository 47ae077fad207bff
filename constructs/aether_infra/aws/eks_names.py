"""Names in the EKS cluster that the infrastructure and what runs in it agree on. Imports no bindings."""

from __future__ import annotations

from typing import Final

AUTOSCALER: Final = "cluster-autoscaler"
"""The cluster autoscaler, and its service account."""
SYSTEM_NAMESPACE: Final = "kube-system"
"""Namespace of what belongs to the cluster itself."""
