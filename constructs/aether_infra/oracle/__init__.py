"""Oracle Cloud: one construct per concern, each usable alone in a stack of your own; `oracle.stack` wires them all.

No pre-built bindings exist for this provider: `oracle.bindings` is generated (see `aether_infra.bindgen`).
"""

from aether_infra.cdk import bindings

bindings.require("cdktf", extra="oracle")
bindings.activate("cdktf")
