"""The Aether workload for any Kubernetes: one construct per concern; `kubernetes.stack` wires them all.

Importing anything from here makes the provider's bindings load lazily (see `aether_infra.cdk.bindings`).
"""

from aether_infra.cdk import bindings

bindings.require("cdktf_cdktf_provider_kubernetes", extra="workload")
