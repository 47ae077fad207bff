"""Nodes as pods of OKE: reads the stack's configuration and wires cluster, pools, add-ons and rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aether_infra.catalog import oracle as catalog
from aether_infra.cdk.text import literal
from aether_infra.config import architecture
from aether_infra.core.kubernetes import JVM_POOL, SERVICE_ACCOUNT, SPOT_POOL, SYSTEM_POOL
from aether_infra.oracle import logs
from aether_infra.oracle.network import ExistingNetwork
from aether_infra.oracle.oke import (
    AUTOSCALER_ACCOUNT,
    AUTOSCALER_NAMESPACE,
    Addons,
    AddonsProps,
    AutoscaledPool,
    NodeImage,
    NodeImageProps,
    NodePool,
    NodePoolProps,
    OkeCluster,
    OkeClusterProps,
    autoscaler_statements,
)
from aether_infra.oracle.rights import (
    cluster_key_statements,
    cluster_network_statements,
    metric_statement,
    place,
    secret_statements,
    volume_key_statements,
    workload,
)

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from aether_infra.oracle.stack import OracleStack

SYSTEM_MACHINES = 2
"""Machines of the system pool: one may fail."""
SYSTEM_SHAPE = "VM.Standard.E5.Flex"
"""Shape of the system pool where the nodes' own is not flexible."""
SYSTEM_OCPUS, SYSTEM_MEMORY_GIB = 1, 8


class OkeCompute:
    """The cluster with all that belongs to it.

    Attributes:
        cluster: the OKE cluster.
        pools: pools by name: `system`, `jvm` and, with spot machines, `spot`.
        addons: add-ons of the cluster.
    """

    def __init__(self, stack: OracleStack) -> None:
        """Declare everything below a stack.

        Args:
            stack: the stack, with network, security groups and registry.
        """
        self._stack = stack
        oracle = stack.oracle
        network, security = stack.network.outputs, stack.security.outputs
        self.cluster = OkeCluster(
            stack,
            "cluster",
            OkeClusterProps(
                name=stack.name,
                compartment_id=oracle.compartment_id,
                vcn_id=network.vcn_id,
                api_subnet_id=network.api_subnet_id or "",
                api_group_id=security.api_group_id or "",
                load_balancer_subnet_id=network.load_balancer_subnet_id,
                public_endpoint=oracle.endpoint_public,
                service_cidr=oracle.service_cidr,
                kubernetes_version=oracle.kubernetes_version,
                kms_key_id=oracle.kms_key_id,
                protect=stack.config.cloud.protect,
                tags=stack.tags,
            ),
            ready=self._cluster_rights(),
        )
        stack.logs.add("control-plane", logs.control_plane(self.cluster.id))
        self._ready = [stack.pull_right, *stack.security.rules]
        self._images: dict[bool, str] = {}
        system = self._pool(
            SYSTEM_POOL, SYSTEM_MACHINES, stack.security.outputs.pod_group_id, **self._system_machine()
        )
        self.pools = {SYSTEM_POOL: system, **self._node_pools()}
        self.addons = Addons(
            stack,
            "addons",
            AddonsProps(cluster_id=self.cluster.id, autoscaled=self._autoscaled()),
            ready=[system.pool, self._workload_rights()],
        )

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know of this kind of compute."""
        return {"node_pool_ids": {name: pool.id for name, pool in sorted(self.pools.items())}}

    def kubernetes(self) -> dict[str, Any]:
        """What the workload stack needs to know."""
        stack = self._stack
        return {
            "cluster_name": stack.name,
            "cluster_id": self.cluster.id,
            "endpoint": self.cluster.endpoint,
            "ca_certificate": self.cluster.ca_certificate,
            # pods are known by namespace and service account: there is nothing to annotate
            "identity": "",
            "load_balancer": {
                "subnet_id": stack.network.outputs.load_balancer_subnet_id,
                "subnet_cidr": stack.network.outputs.load_balancer_cidr,
                "security_group_id": stack.security.outputs.load_balancer_group_id or "",
                "addresses": {concern: address.address for concern, address in stack.addresses.items()},
            },
            "kms_key_id": stack.oracle.kms_key_id or "",
        }

    def _cluster_rights(self) -> list[ITerraformDependable]:
        """What the cluster may do outside of its own compartment."""
        stack = self._stack
        statements = []
        if key := stack.oracle.kms_key_id:
            statements += cluster_key_statements(key, stack.oracle.compartment_id)
            statements += volume_key_statements(key)
        if isinstance(stack.network, ExistingNetwork):
            network = stack.network.outputs
            statements += cluster_network_statements(network.compartment_id, stack.oracle.compartment_id)
        return [stack.policy("cluster-rights", "cluster", statements)] if statements else []

    def _workload_rights(self) -> ITerraformDependable:
        """What pods may do, by namespace and service account."""
        stack, oracle = self._stack, self._stack.oracle
        cluster_id = self.cluster.id
        nodes = workload(cluster_id, stack.config.kubernetes.namespace, SERVICE_ACCOUNT)
        statements = [metric_statement(nodes, oracle.compartment_id, stack.name)]
        statements += secret_statements("any-user", oracle.readable_secret_ids, nodes)
        if self._autoscaled():
            autoscaler = workload(cluster_id, AUTOSCALER_NAMESPACE, AUTOSCALER_ACCOUNT)
            statements += autoscaler_statements(
                autoscaler,
                place(oracle.compartment_id),
                place(stack.network.outputs.compartment_id),
            )
        return stack.policy("workload-rights", "workload", statements)

    def _node_pools(self) -> dict[str, NodePool]:
        """The machines of Aether's nodes, one a machine."""
        counts, group = self._stack.counts, self._stack.security.outputs.node_pod_group_id
        machine = self._machine()
        if not self._stack.oracle.spot:
            return {JVM_POOL: self._pool(JVM_POOL, counts.minimum, group, autoscaled=True, **machine)}
        pools = {JVM_POOL: self._pool(JVM_POOL, counts.core, group, **machine)}
        if counts.elastic_maximum:
            pools[SPOT_POOL] = self._pool(
                SPOT_POOL, counts.elastic_minimum, group, autoscaled=True, preemptible=True, **machine
            )
        return pools

    def _autoscaled(self) -> AutoscaledPool | None:
        counts = self._stack.counts
        if not self._stack.oracle.spot:
            return AutoscaledPool(
                pool_id=self.pools[JVM_POOL].id, minimum=counts.minimum, maximum=counts.maximum
            )
        if SPOT_POOL not in self.pools:
            return None
        return AutoscaledPool(
            pool_id=self.pools[SPOT_POOL].id,
            minimum=counts.elastic_minimum,
            maximum=counts.elastic_maximum,
        )

    def _machine(self) -> dict[str, Any]:
        oracle = self._stack.oracle
        return {
            "shape": oracle.shape,
            "ocpus": oracle.ocpus,
            "memory_gib": oracle.memory_gib,
            "image_id": oracle.image_id or self._image(arm64=architecture(oracle) == "arm64"),
        }

    def _system_machine(self) -> dict[str, Any]:
        shape = self._stack.oracle.shape
        own = shape if shape in catalog.FLEXIBLE_SHAPES else SYSTEM_SHAPE
        return {
            "shape": own,
            "ocpus": SYSTEM_OCPUS,
            "memory_gib": SYSTEM_MEMORY_GIB,
            "image_id": self._image(arm64=catalog.arm64(own)),
        }

    def _image(self, *, arm64: bool) -> str:
        if arm64 not in self._images:
            self._images[arm64] = NodeImage(
                self._stack,
                "image-arm64" if arm64 else "image-x86",
                NodeImageProps(
                    compartment_id=self._stack.oracle.compartment_id,
                    kubernetes_version=self.cluster.kubernetes_version,
                    arm64=arm64,
                ),
            ).image_id
        return self._images[arm64]

    def _pool(self, pool: str, size: int, pod_group_id: str | None, **machine: Any) -> NodePool:
        stack = self._stack
        network, security = stack.network.outputs, stack.security.outputs
        return NodePool(
            stack,
            f"pool-{pool}",
            NodePoolProps(
                name=stack.name,
                pool=pool,
                size=size,
                compartment_id=stack.oracle.compartment_id,
                cluster_id=self.cluster.id,
                kubernetes_version=self.cluster.kubernetes_version,
                availability_domains=stack.availability_domains,
                node_subnet_id=network.node_subnet_id,
                node_group_id=security.node_group_id,
                pod_subnet_id=network.pod_subnet_id or "",
                pod_group_id=pod_group_id or "",
                image_repositories=stack.image_repositories,
                kms_key_id=stack.oracle.kms_key_id,
                ssh_public_key=literal(stack.oracle.ssh_public_key) if stack.oracle.ssh_public_key else None,
                protect=stack.config.cloud.protect,
                tags=stack.tags,
                **machine,
            ),
            ready=self._ready,
        )


def declare(stack: OracleStack) -> OkeCompute:
    """Declare the cluster below a stack."""
    return OkeCompute(stack)
