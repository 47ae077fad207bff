"""Terraform outputs: declared by constructs as values, published by the stack alone, so that names are exact."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from attrs import fields, frozen
from cdktf import TerraformOutput, TerraformStack


@frozen(kw_only=True)
class InfrastructureOutputs:
    """Outputs of every infrastructure stack, the same for all clouds."""

    cluster_name: str
    """The cluster's name."""
    provider: str
    """The cloud: aws, gcp, azure, digitalocean, oracle."""
    region: str
    """Where it is, in the cloud's own words."""
    application_url: str
    """What users call; empty when the application is not published."""
    registry_url: str
    """What to push the node's image to, without a tag."""
    network_id: str
    """The network's id."""
    runtime: dict[str, Any]
    """Everything that the runtime manager needs to create, find and end nodes."""


_DESCRIPTIONS = {
    "cluster_name": "Name of the Aether cluster",
    "provider": "Cloud that it runs on",
    "region": "Region that it runs in",
    "application_url": "Address of the application",
    "registry_url": "Registry to push the node image to",
    "network_id": "Network of the nodes",
    "runtime": "What the runtime manager needs to know",
}


def publish(stack: TerraformStack, outputs: InfrastructureOutputs, *, secret: Collection[str] = ()) -> None:
    """Emit one Terraform output a field, under the field's name.

    Args:
        stack: the stack; outputs of a construct deeper down would get a hash in their name.
        outputs: the values, which may hold tokens.
        secret: names of those that Terraform does not show unless asked for by name.
    """
    for attribute in fields(InfrastructureOutputs):
        name = attribute.name
        _output(stack, name, getattr(outputs, name), secret=name in secret)


def publish_runtime(stack: TerraformStack, runtime: dict[str, Any]) -> None:
    """Emit the output `runtime` alone, where no stack of ours makes the infrastructure.

    Args:
        stack: the stack.
        runtime: its value.
    """
    _output(stack, "runtime", runtime)


def _output(stack: TerraformStack, name: str, value: Any, *, secret: bool = False) -> None:
    # the construct ids have a prefix, since a resource of that id may live beside it
    output = TerraformOutput(
        stack, f"output-{name}", value=value, description=_DESCRIPTIONS[name], sensitive=secret or None
    )
    output.override_logical_id(name)
