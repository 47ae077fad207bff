"""From the configuration to a cluster on droplets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aether_infra.catalog import digitalocean as catalog
from aether_infra.cdk.text import literal
from aether_infra.core.machine import HEAP_PLACEHOLDER, MachineNode
from aether_infra.core.node import core_ids, environment, java_options, peers
from aether_infra.digitalocean.droplets import DropletCluster, DropletClusterProps, droplet_name
from aether_infra.digitalocean.firewall import NodeFirewall, NodeFirewallProps
from aether_infra.digitalocean.load_balancer import ANYWHERE
from aether_infra.digitalocean.peers import HOSTS, UNIT, PeerExchange, PeerExchangeProps, mount
from aether_infra.digitalocean.registry import PullCredentials

if TYPE_CHECKING:
    from aether_infra.digitalocean.stack import DigitaloceanStack

DOCKER_CONFIG = "/etc/aether/docker-config"
"""File of a droplet: credentials of the registry, in base64."""
LOGIN = f'base64 -d {DOCKER_CONFIG} >"$REGISTRY_AUTH_FILE"'
NO_METADATA = """iptables -w -C OUTPUT -d 169.254.169.254 -m owner --uid-owner 1000 -j REJECT 2>/dev/null ||
    iptables -w -I OUTPUT -d 169.254.169.254 -m owner --uid-owner 1000 -j REJECT"""
"""Run before each start: no container can read the droplet's user data, where the registry's credentials are. Nothing
in the metadata is for it: droplets have no identity."""
HOST = f"[ -f {HOSTS} ]\n{NO_METADATA}"
"""Run before each start: no node without names of its peers."""


def declare(stack: DigitaloceanStack) -> DropletCluster:
    """Declare the cluster, its firewall, keys and credentials, below a stack."""
    own, config = stack.own, stack.config
    ids = core_ids(stack.counts.core)
    exchange = PeerExchange(
        stack,
        "peers",
        PeerExchangeProps(
            vpc_id=stack.network.outputs.vpc_id,
            names=[droplet_name(stack.name, node_id) for node_id in ids],
            ports=stack.ports,
        ),
    )
    NodeFirewall(
        stack,
        "firewall",
        NodeFirewallProps(
            name=stack.name,
            machine_tag=stack.machine_tag.name,
            ports=stack.ports,
            exchange_port=exchange.port,
            load_balancer_ids={
                concern: balancer.outputs.id for concern, balancer in stack.load_balancers.items()
            },
            ssh_cidrs=ssh_cidrs(stack),
            manager_tag=stack.manager_tag.name if stack.manager_tag else None,
        ),
    )
    credentials = credentials_for(stack, "pull-credentials", config.cloud.image)

    def core_node(node_id: str, name: str, device: str, before: Mapping[str, str]) -> MachineNode:
        return _node(stack, node_id, device, {**exchange.core(name, before), **credentials})

    def elastic_node(core: Mapping[str, str]) -> MachineNode:
        return _node(stack, "", None, {**exchange.elastic(core), **credentials})

    scaling = config.cloud.scaling
    return DropletCluster(
        stack,
        "compute",
        DropletClusterProps(
            name=stack.name,
            region=own.region,
            vpc_id=stack.network.outputs.vpc_id,
            project_id=stack.project.project_id,
            core_nodes=stack.counts.core,
            elastic_minimum=stack.counts.elastic_minimum,
            elastic_maximum=stack.counts.elastic_maximum,
            size=own.droplet_size,
            image=own.droplet_image,
            data_volume_gib=own.data_volume_gib,
            cluster_port=stack.ports.cluster,
            machine_tag=stack.machine_tag.name,
            traffic_tag=stack.traffic_tag.name if stack.managed else None,
            managed=stack.managed,
            ssh_keys=stack.ssh_keys,
            cpu_target_percent=scaling.cpu_target_percent,
            cooldown_seconds=max(scaling.scale_in_cooldown_seconds, scaling.scale_out_cooldown_seconds),
            protect=config.cloud.protect,
            tags=stack.tags,
        ),
        core_node=core_node,
        elastic_node=elastic_node,
    )


def ssh_cidrs(stack: DigitaloceanStack) -> list[str]:
    """Who may use SSH: never everyone, whatever is said of the management port."""
    own = stack.own
    return [cidr for cidr in own.management_cidrs if own.ssh_key_ids and cidr != ANYWHERE]


def credentials_for(stack: DigitaloceanStack, id_: str, image: str | None) -> dict[str, str]:
    """A file with credentials; none where the image is elsewhere."""
    if not catalog.in_registry(image, stack.registry_name):
        return {}
    pull = PullCredentials(
        stack,
        id_,
        registry_name=stack.registry.outputs.name,
        days=stack.own.registry_credential_days,
    )
    return {DOCKER_CONFIG: pull.docker_config_base64}


def _node(
    stack: DigitaloceanStack, node_id: str, device: str | None, files: Mapping[str, str]
) -> MachineNode:
    config = stack.config
    hosts = {node: droplet_name(stack.name, node) for node in core_ids(stack.counts.core)}
    podman = catalog.has_dnf(stack.own.droplet_image)
    return MachineNode(
        image=stack.image,
        environment=environment(
            ports=stack.ports,
            peer_list=peers(hosts, stack.ports.cluster),
            core_count=stack.counts.core,
            java_opts=java_options(
                heap_mib=config.node.heap_mib or HEAP_PLACEHOLDER,
                gc=config.node.gc,
                dns_ttl_seconds=config.cloud.shutdown.jvm_dns_ttl_seconds,
                extra=literal(config.cloud.java_opts),
            ),
            node_id=node_id,
        ),
        ports=stack.ports,
        health=stack.health,
        stop_timeout_seconds=config.cloud.shutdown.stop_timeout_seconds,
        data_device=device,
        engine="podman" if podman else "docker",
        packages=("podman", "iptables-nft") if podman else ("docker.io",),
        login=LOGIN if files.get(DOCKER_CONFIG) else "",
        host=HOST,
        arguments=mount(selinux=podman),
        files=files,
        units=(UNIT,),
    )
