"""Nodes as virtual machines: reads the stack's configuration and wires instances, load balancer and rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aether_infra.cdk.text import literal
from aether_infra.config import Provider
from aether_infra.core.machine import HEAP_PLACEHOLDER
from aether_infra.core.node import core_ids, environment, java_options, peers
from aether_infra.oracle import logs
from aether_infra.oracle.bindings.data_oci_core_images import DataOciCoreImages
from aether_infra.oracle.load_balancer import LoadBalancer, LoadBalancerProps
from aether_infra.oracle.machine import LINUX, LINUX_VERSION, in_ocir, machine_node, user_data
from aether_infra.oracle.rights import secret_statements, volume_key_statements
from aether_infra.oracle.vm import (
    FAULT_DOMAINS,
    SHORTEST_COOLDOWN_SECONDS,
    CoreNode,
    VmCluster,
    VmClusterProps,
)

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from aether_infra.oracle.stack import OracleStack

FIRST_ADDRESS = 10
"""Place of the first core node's address in the subnet; those before it stay free."""
MANAGER_ADDRESS = FIRST_ADDRESS - 1
"""Place of the runtime manager's address."""


class VmCompute:
    """The instances with all that belongs to them.

    Attributes:
        load_balancer: what leads to the nodes; None when nothing is published.
        cluster: core and elastic nodes.
    """

    def __init__(self, stack: OracleStack) -> None:
        """Declare everything below a stack.

        Args:
            stack: the stack, with network, security groups and registry.
        """
        self._stack = stack
        config, oracle, counts = stack.config, stack.oracle, stack.counts
        self._hosts = self._core_hosts()
        self.load_balancer = self._load_balancer()
        scaling = config.cloud.scaling
        self.cluster = VmCluster(
            stack,
            "compute",
            VmClusterProps(
                name=stack.name,
                compartment_id=oracle.compartment_id,
                core=[self._core_node(place, node_id) for place, node_id in enumerate(self._hosts)],
                elastic_minimum=counts.elastic_minimum,
                elastic_maximum=counts.elastic_maximum,
                elastic_user_data=self._user_data(""),
                availability_domains=stack.availability_domains,
                subnet_id=stack.network.outputs.node_subnet_id,
                group_id=stack.security.outputs.node_group_id,
                image_id=oracle.image_id or machine_image(stack, "machine-image", oracle.shape),
                shape=oracle.shape,
                ocpus=oracle.ocpus,
                memory_gib=oracle.memory_gib,
                data_volume_gib=oracle.data_volume_gib,
                cluster_port=stack.ports.cluster,
                managed=stack.managed,
                spot=oracle.spot,
                cpu_target_percent=scaling.cpu_target_percent,
                cooldown_seconds=max(
                    SHORTEST_COOLDOWN_SECONDS,
                    scaling.scale_in_cooldown_seconds,
                    scaling.scale_out_cooldown_seconds,
                ),
                kms_key_id=oracle.kms_key_id,
                ssh_public_key=literal(oracle.ssh_public_key) if oracle.ssh_public_key else None,
                protect=config.cloud.protect,
                tags=stack.tags,
            ),
            load_balancer=self.load_balancer,
            ready=[*self._rights(), *stack.security.rules],
        )

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know of this kind of compute."""
        balancer = self.load_balancer
        return {
            "load_balancer_id": balancer.id if balancer else None,
            "backend_sets": {concern: group.name for concern, group in balancer.backend_sets.items()}
            if balancer
            else {},
            "peers": peers(self._hosts, self._stack.ports.cluster),
        } | self.cluster.runtime()

    def kubernetes(self) -> None:
        """Nothing: nodes are no pods."""

    def _core_hosts(self) -> dict[str, str]:
        """Addresses of the core nodes, in the machines' subnet."""
        network = self._stack.network
        return {
            node_id: network.node_address(FIRST_ADDRESS + place)
            for place, node_id in enumerate(core_ids(self._stack.counts.core))
        }

    def _core_node(self, place: int, node_id: str) -> CoreNode:
        """Over availability domains in turn, and over fault domains where these come round again."""
        domains = self._stack.availability_domains
        return CoreNode(
            node_id=node_id,
            availability_domain=domains[place % len(domains)],
            fault_domain=place // len(domains) % FAULT_DOMAINS + 1,
            private_ip=self._hosts[node_id],
            user_data=self._user_data(node_id),
        )

    def _user_data(self, node_id: str) -> str:
        stack, config = self._stack, self._stack.config
        java = java_options(
            heap_mib=config.node.heap_mib or HEAP_PLACEHOLDER,
            gc=config.node.gc,
            dns_ttl_seconds=config.cloud.shutdown.jvm_dns_ttl_seconds,
            extra=literal(config.cloud.java_opts),
        )
        return user_data(
            machine_node(
                image=stack.image,
                environment=environment(
                    ports=stack.ports,
                    peer_list=peers(self._hosts, stack.ports.cluster),
                    core_count=stack.counts.core,
                    java_opts=java,
                    node_id=node_id,
                ),
                ports=stack.ports,
                health=stack.health,
                stop_timeout_seconds=config.cloud.shutdown.stop_timeout_seconds,
                secrets=config.stored_secrets(Provider.ORACLE),
                own_registry=config.cloud.image is None or in_ocir(config.cloud.image),
                data_volume=bool(node_id),
            )
        )

    def _rights(self) -> list[ITerraformDependable]:
        """What instances must be allowed before they start."""
        stack = self._stack
        statements = []
        if secrets := stack.config.stored_secrets(Provider.ORACLE):
            statements += secret_statements(stack.machine_group.principal, sorted(set(secrets.values())))
        if key := stack.oracle.kms_key_id:
            statements += volume_key_statements(key)
        return [
            stack.pull_right,
            *([stack.policy("machine-rights", "machines", statements)] if statements else []),
        ]

    def _load_balancer(self) -> LoadBalancer | None:
        stack = self._stack
        group_id = stack.security.outputs.load_balancer_group_id
        if group_id is None:
            return None
        (address,) = stack.addresses.values()
        balancer = LoadBalancer(
            stack,
            "load-balancer",
            LoadBalancerProps(
                name=stack.name,
                compartment_id=stack.oracle.compartment_id,
                subnet_id=stack.network.outputs.load_balancer_subnet_id,
                group_id=group_id,
                address_id=address.id,
                ports=stack.ports,
                publish_management=bool(stack.oracle.management_cidrs),
                certificate_id=stack.oracle.certificate_id,
                health=stack.health,
                protect=stack.config.cloud.protect,
                tags=stack.tags,
            ),
        )
        for category in ("access", "error"):
            stack.logs.add(f"load-balancer-{category}", logs.balancer(balancer.id, category))
        return balancer


def machine_image(stack: OracleStack, id_: str, shape: str) -> str:
    """The newest Oracle Linux for a shape, looked up when Terraform runs.

    Args:
        stack: the stack.
        id_: id of the data source.
        shape: the shape.
    """
    images = DataOciCoreImages(
        stack,
        id_,
        compartment_id=stack.oracle.compartment_id,
        operating_system=LINUX,
        operating_system_version=LINUX_VERSION,
        shape=shape,
        sort_by="TIMECREATED",
        sort_order="DESC",
        state="AVAILABLE",
    )
    image_id: str = images.images.get(0).id
    return image_id


def declare(stack: OracleStack) -> VmCompute:
    """Declare the instances below a stack."""
    return VmCompute(stack)
