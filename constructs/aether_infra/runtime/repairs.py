"""What is put right besides the number: nodes on duty that no load balancer sends anything to."""

from __future__ import annotations

from aether_infra.runtime.observation import NodeView, Observation, Phase


def unregistered(seen: Observation) -> list[NodeView]:
    """Elastic nodes that serve, and are not behind the load balancer although others are.

    They were adopted, or brought by the cloud itself, or their registration was lost with a journal. Where nothing at
    all is registered there is no load balancer, or it goes by other ways than ours.
    """
    if not seen.reachable or all(node.target is None for node in seen.nodes):
        return []
    return [
        node
        for node in seen.elastic
        if node.phase is Phase.SERVING
        and node.target is None
        and node.interruption_at is None
        and not node.operation_id
    ]
