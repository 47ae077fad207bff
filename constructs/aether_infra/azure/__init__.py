"""Azure: one construct per concern, each usable alone in a stack of your own; `azure.stack` wires them all.

Importing anything from here makes the provider's bindings load lazily (see `aether_infra.cdk.bindings`).
"""

from aether_infra.cdk import bindings

bindings.require("cdktf_cdktf_provider_azurerm", extra="azure")
