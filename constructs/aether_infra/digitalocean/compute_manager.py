"""From the configuration to the runtime manager on a droplet of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aether_infra.catalog import digitalocean as catalog
from aether_infra.cdk.text import local_json
from aether_infra.core import manager
from aether_infra.core.machine import MachineNode
from aether_infra.digitalocean import compute_vm
from aether_infra.digitalocean.manager import Manager, ManagerProps, device, read_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf_cdktf_provider_digitalocean.tag import Tag

    from aether_infra.digitalocean.stack import DigitaloceanStack

SMALL = "s-1vcpu-2gb"
"""The smallest size that the service is well on. Source: https://docs.digitalocean.com/products/droplets/details/pricing/
(as of 2026-11)."""


def declare(stack: DigitaloceanStack, tag: Tag, runtime: Mapping[str, Any]) -> Manager:
    """Declare the manager, below a stack.

    Args:
        stack: the stack.
        tag: finds its droplet.
        runtime: what it is told of the cluster.
    """
    own, settings = stack.own, stack.config.cloud.manager
    return Manager(
        stack,
        "manager",
        ManagerProps(
            name=stack.name,
            region=own.region,
            vpc_id=stack.network.outputs.vpc_id,
            size=settings.machine_type or SMALL,
            image=own.droplet_image,
            ssh_keys=stack.ssh_keys,
            ssh_cidrs=compute_vm.ssh_cidrs(stack),
            tag=tag,
            node=_node(stack, runtime),
            port=settings.port,
            allowed_cidrs=settings.allowed_cidrs,
            protect=stack.config.cloud.protect,
            tags=stack.tags,
        ),
    )


def _node(stack: DigitaloceanStack, runtime: Mapping[str, Any]) -> MachineNode:
    settings = stack.config.cloud.manager
    files = compute_vm.credentials_for(stack, "manager-pull-credentials", settings.image)
    podman = catalog.has_dnf(stack.own.droplet_image)
    node = MachineNode(
        image=settings.image or "",
        environment=manager.environment(
            port=settings.port, collect=settings.collect, on_volume=settings.on_volume
        ),
        ports=manager.machine_ports(settings.port),
        health=manager.machine_health(),
        stop_timeout_seconds=manager.STOP_SECONDS,
        # its secrets are there too, wherever its journal is
        data_device=device(stack.name),
        engine="podman" if podman else "docker",
        packages=("podman", "iptables-nft") if podman else ("docker.io",),
        login=compute_vm.LOGIN if files else "",
        secrets=read_secrets(settings.secrets()),
        host=compute_vm.NO_METADATA,
        files=files,
    )
    return manager.machine(node, local_json(stack, "manager-runtime", dict(runtime), base64=True))
