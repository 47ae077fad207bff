"""The cluster on virtual machines: one droplet a core node, an autoscale pool for elastic nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_digitalocean.droplet import Droplet
from cdktf_cdktf_provider_digitalocean.droplet_autoscale import (
    DropletAutoscale,
    DropletAutoscaleConfigA,
    DropletAutoscaleDropletTemplate,
)
from cdktf_cdktf_provider_digitalocean.volume import Volume
from constructs import Construct

from aether_infra.core.machine import MachineNode, cloud_config
from aether_infra.core.names import physical_name
from aether_infra.core.node import core_ids
from aether_infra.core.tags import NodeRole, node_tags
from aether_infra.digitalocean.tagging import tag_list

COOLDOWN_MINUTES = (5, 20)
"""Bounds of a pool's cooldown. Source:
https://docs.digitalocean.com/reference/api/digitalocean/#tag/Droplet-Autoscale-Pools (as of 2026-11)."""
LEAST_POOL = 1
"""A pool is never empty: where no elastic node is needed, one runs. Source: as above."""


@frozen(kw_only=True)
class DropletClusterProps:
    """Props of `DropletCluster`."""

    name: str
    """Cluster's name."""
    region: str
    """Region's slug. A change replaces everything."""
    vpc_id: str
    """VPC."""
    project_id: str
    """Project of the elastic droplets."""
    core_nodes: int = 3
    """Voters: 3, 5 or 7."""
    elastic_minimum: int = 0
    """Fewest elastic nodes; a pool has one at least."""
    elastic_maximum: int = 7
    """Most elastic nodes; 0: no pool."""
    size: str = "s-4vcpu-8gb"
    """Droplet size. A change restarts core droplets one after the other, and replaces elastic ones."""
    image: str = "ubuntu-24-04-x64"
    """Image, by slug or number. A change is for new droplets only."""
    data_volume_gib: int = 20
    """Size of a core node's volume in GiB; it can grow."""
    cluster_port: int = 8090
    """Port of the cluster's protocol, for the tags."""
    machine_tag: str
    """Tag by which firewall and load balancers find the droplets."""
    traffic_tag: str | None = None
    """Tag by which load balancers find the droplets, where it is another one; the manager gives it to its own."""
    managed: bool = False
    """Whether the runtime manager makes the elastic droplets; default: an autoscale pool does."""
    ssh_keys: Sequence[str]
    """SSH keys, by id or fingerprint; one at least."""
    cpu_target_percent: int = 60
    """Mean CPU of the elastic droplets that is aimed at."""
    cooldown_seconds: int = 300
    """Seconds after a change before the next."""
    protect: bool = True
    """Refuse to delete the core's volumes."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of droplets and volumes."""


class DropletCluster(Construct):
    """Droplets with a volume each for the core, made one after the other, and a pool of elastic ones.

    A change of image or user data never replaces a running core droplet: `terraform apply -replace` does, one at a
    time; its volume and its name stay. The pool replaces its droplets by itself.

    Attributes:
        core: core droplets by node id.
        volumes: their volumes by node id.
        elastic: the pool; None where there are no elastic nodes, or the runtime manager makes them.
        template: what the runtime manager makes them of; None without one.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        props: DropletClusterProps,
        *,
        core_node: Callable[[str, str, str, Mapping[str, str]], MachineNode],
        elastic_node: Callable[[Mapping[str, str]], MachineNode],
    ) -> None:
        """Declare the droplets.

        Args:
            scope: the construct that owns them.
            id_: its id below that.
            props: the props.
            core_node: makes the node of a core droplet of its node id, the droplet's name, the device of its volume and
                the private addresses of the droplets that are made before, by name.
            elastic_node: makes the node of elastic droplets of the core's private addresses, by name.
        """
        super().__init__(scope, id_)
        self._props = props
        self.core: dict[str, Droplet] = {}
        self.volumes: dict[str, Volume] = {}
        addresses: dict[str, str] = {}
        for node_id in core_ids(props.core_nodes):
            name = droplet_name(props.name, node_id)
            droplet = self._core(node_id, name, core_node, dict(addresses))
            self.core[node_id] = droplet
            addresses[name] = droplet.ipv4_address_private
        self.elastic: DropletAutoscale | None = None
        self.template = self._template(elastic_node(addresses)) if props.managed else None
        if props.elastic_maximum and not props.managed:
            self.elastic = self._elastic(elastic_node(addresses))

    @property
    def urns(self) -> list[str]:
        """What a project takes in; the pool's droplets are born in theirs."""
        return [resource.urn for group in (self.core, self.volumes) for resource in group.values()]

    def runtime(self) -> dict[str, Any]:
        """What the runtime manager needs to know of it."""
        template = {"machine_template": self.template} if self.template else {}
        return template | {
            "core_droplets": {node_id: droplet.id for node_id, droplet in self.core.items()},
            "autoscale_pool": self.elastic.id if self.elastic else None,
        }

    def kubernetes(self) -> None:
        """Nothing: there is no Kubernetes."""

    def _core(
        self,
        node_id: str,
        name: str,
        core_node: Callable[[str, str, str, Mapping[str, str]], MachineNode],
        before: Mapping[str, str],
    ) -> Droplet:
        props, scope = self._props, Construct(self, node_id)
        tags = tag_list(node_tags(props.tags, NodeRole.CORE, props.cluster_port, node_id))
        volume_name = physical_name(props.name, node_id, "data")
        volume = Volume(
            scope,
            "data",
            name=volume_name,
            region=props.region,
            size=props.data_volume_gib,
            description=f"Data of {node_id} of Aether cluster {props.name}",
            lifecycle=TerraformResourceLifecycle(prevent_destroy=props.protect or None),
            tags=tags,
        )
        self.volumes[node_id] = volume
        node = core_node(node_id, name, f"/dev/disk/by-id/scsi-0DO_Volume_{volume_name}", before)
        return Droplet(
            scope,
            "Resource",
            name=name,
            region=props.region,
            size=props.size,
            # the disk could not shrink again
            resize_disk=False,
            image=props.image,
            vpc_uuid=props.vpc_id,
            volume_ids=[volume.id],
            ssh_keys=list(props.ssh_keys),
            user_data=user_data(node),
            monitoring=True,
            graceful_shutdown=True,
            # all of them are for a new droplet; a change would replace a running voter
            lifecycle=TerraformResourceLifecycle(ignore_changes=["image", "ssh_keys", "user_data"]),
            tags=sorted([*tags, props.machine_tag, *([props.traffic_tag] if props.traffic_tag else [])]),
        )

    def _template(self, node: MachineNode) -> dict[str, Any]:
        """An elastic droplet in the words of the output `runtime`: as a pool would have made it."""
        props = self._props
        tags = tag_list(node_tags(props.tags, NodeRole.WORKER, props.cluster_port))
        return {
            "size": props.size,
            "image": props.image,
            "vpc_id": props.vpc_id,
            "ssh_keys": list(props.ssh_keys),
            "user_data": user_data(node),
            "monitoring": True,
            "ipv6": False,
            "tags": sorted([*tags, props.machine_tag]),
        }

    def _elastic(self, node: MachineNode) -> DropletAutoscale:
        props = self._props
        tags = tag_list(node_tags(props.tags, NodeRole.WORKER, props.cluster_port))
        return DropletAutoscale(
            self,
            "elastic",
            name=physical_name(props.name, "elastic"),
            config=self._scaling(),
            droplet_template=DropletAutoscaleDropletTemplate(
                region=props.region,
                size=props.size,
                image=props.image,
                vpc_uuid=props.vpc_id,
                project_id=props.project_id,
                ssh_keys=list(props.ssh_keys),
                # the agent tells the pool how busy a droplet is
                with_droplet_agent=True,
                user_data=user_data(node),
                tags=sorted([*tags, props.machine_tag]),
            ),
        )

    def _scaling(self) -> DropletAutoscaleConfigA:
        props = self._props
        minimum = max(LEAST_POOL, props.elastic_minimum)
        if minimum == props.elastic_maximum:
            return DropletAutoscaleConfigA(target_number_instances=minimum)
        shortest, longest = COOLDOWN_MINUTES
        return DropletAutoscaleConfigA(
            min_instances=minimum,
            max_instances=props.elastic_maximum,
            target_cpu_utilization=props.cpu_target_percent / 100,
            cooldown_minutes=min(longest, max(shortest, ceil(props.cooldown_seconds / 60))),
        )


def droplet_name(cluster: str, node_id: str) -> str:
    """A core droplet's name, which is its host name to the nodes.

    Args:
        cluster: the cluster's name.
        node_id: the node's id.
    """
    return physical_name(cluster, node_id)


def user_data(node: MachineNode) -> str:
    """What cloud-init does on a droplet."""
    return cloud_config(node)
