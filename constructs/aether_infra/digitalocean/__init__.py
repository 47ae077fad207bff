"""DigitalOcean: one construct per concern, each usable alone in a stack of your own; `digitalocean.stack` wires them.

There is no `identity.py`: this cloud has tokens only, no identities for machines or workloads.
Importing anything from here makes the provider's bindings load lazily (see `aether_infra.cdk.bindings`).
"""

from aether_infra.cdk import bindings

bindings.require("cdktf_cdktf_provider_digitalocean", extra="digitalocean")
