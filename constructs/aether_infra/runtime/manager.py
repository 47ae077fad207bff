"""`CloudManager`: what every cloud can do for a running cluster, and how its answers are to be understood."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from aether_infra.runtime.model import DnsRecord, NodeInstance, NodeSpec, Target


class Kind(StrEnum):
    """How a cloud holds elastic nodes."""

    MACHINES = "machines"
    """Each by itself: any number of creations at the same time, each ends the one that it names."""
    REPLICAS = "replicas"
    """As a number (ECS service, Kubernetes Deployment): one change at a time; which node goes is steered as far as the
    cloud lets us, and replaced ones come back by themselves."""


def new_token() -> str:
    """A token for one creation: unique, and fit for a name on any cloud."""
    return f"n{secrets.token_hex(8)}"


class CloudManager(Protocol):
    """One cluster on one cloud. Every call is idempotent: doing it twice does no more than doing it once.

    All calls fail with a `CloudError`, never with an SDK's own error. They retry what is worth it within a bound of
    their own (throttling, passing faults; honouring Retry-After) and then fail with the last error. What does not carry
    the tag `aether-cluster` with this cluster's name is never listed and never touched.

    A call that is cancelled leaves nothing but what it had asked for already; calling again takes it up.
    """

    @property
    def kind(self) -> Kind:
        """How this cloud holds elastic nodes."""
        ...

    @property
    def zones(self) -> Sequence[str]:
        """Zones that a node can be created in; empty where the cloud decides.

        Where they are learnt from the cloud, empty before the first list or creation too.
        """
        ...

    async def create_node(self, spec: NodeSpec) -> NodeInstance:
        """Create an elastic node and return as soon as the cloud has taken it (it need not run yet).

        The same token returns the node of the first call, also when the first call's reply was lost, also when that
        node is gone by now (its state then says so). Tags are set in the creating call itself.

        Raises:
            CapacityUnavailable: no zone has room; those that were tried are cooled off.
            QuotaExceeded: the account's limit.
            CloudError: anything else.
        """
        ...

    async def terminate_node(self, node_id: str) -> None:
        """End a node and return when the cloud says that it is gone.

        One that there is not, or that is gone already, is success. Its load balancer registration is not looked
        at: deregister first.

        Raises:
            Denied: it is not of this cluster (it is left alone), or the cloud does not allow it.
            Conflict: it is a core node; those end by `terminate_core_node` only.
            CloudError: anything else, and when it is still there after the bound.
        """
        ...

    async def terminate_core_node(self, node_id: str) -> None:
        """The same for a core node; whoever calls has made sure of the quorum.

        Raises:
            Conflict: it is no core node, or this cloud cannot end one without making it anew (ECS, Kubernetes: then it
                is made anew, which is said in the message of the error if it is not supported at all).
            CloudError: as above.
        """
        ...

    async def list_nodes(self) -> list[NodeInstance]:
        """Every node of the cluster, core and elastic, in every state that the cloud still lists; all pages.

        Sorted by creation time, then id.
        """
        ...

    async def get_node(self, node_id: str) -> NodeInstance:
        """One node.

        Raises:
            NotFound: there is none of that id in this cluster.
        """
        ...

    async def register_target(self, node_id: str) -> None:
        """Put a node behind the load balancer; it gets traffic when its probe succeeds. Nothing where there is none.

        Raises:
            NotFound: there is no such node.
        """
        ...

    async def deregister_target(self, node_id: str) -> None:
        """Take a node from the load balancer and return when its open requests had their time (connection draining).

        One that is not registered is success at once.
        """
        ...

    async def list_targets(self) -> list[Target]:
        """What the load balancer says of each registered node, sorted by id; empty where there is none."""
        ...

    async def update_dns_record(self, record: DnsRecord) -> None:
        """Make a record what it shall be, and return when the cloud has taken it.

        Raises:
            NotFound: the cluster has no DNS zone, or the record is not below it.
        """
        ...

    async def close(self) -> None:
        """Give back connections; nothing else may be called afterwards."""
        ...

    @property
    def facts(self) -> Mapping[str, str]:
        """What to show of the place: provider, region, compute, cluster."""
        ...
