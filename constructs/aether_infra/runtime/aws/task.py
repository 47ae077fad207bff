"""ECS's descriptions of tasks as nodes: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from aether_infra.core import tags as keys
from aether_infra.core.tags import NodeRole
from aether_infra.runtime.aws.place import EcsPlace
from aether_infra.runtime.errors import CapacityUnavailable, CloudError, QuotaExceeded
from aether_infra.runtime.model import NodeInstance, NodeState

STATES: Final[Mapping[str, NodeState]] = {
    "PROVISIONING": NodeState.PROVISIONING,
    "PENDING": NodeState.PROVISIONING,
    "ACTIVATING": NodeState.PROVISIONING,
    "RUNNING": NodeState.RUNNING,
    "DEACTIVATING": NodeState.STOPPING,
    "STOPPING": NodeState.STOPPING,
    "DEPROVISIONING": NodeState.STOPPING,
    "STOPPED": NodeState.TERMINATED,
    "DELETED": NodeState.TERMINATED,
}
"""Where a task is by its last status:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html (as of 2026-11)."""
STOPPED: Final = "STOPPED"
"""Desired status of a task that is to end."""
SPOT: Final = "FARGATE_SPOT"
"""Capacity provider whose tasks are taken back."""
ENDING: Final = "aether-ending"
"""Tag of a task that is to go: the service's count before and after, so that no second try counts down again."""
UNPLACED: Final = "was unable to place a task"
"""What a service's event says when the scheduler finds no room for a task:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html (as of 2026-11)."""
QUOTA_WORDS: Final = ("limit on the number of tasks", "vcpu", "limit exceeded")
"""Words by which such an event means the account's limit."""


@frozen(kw_only=True)
class Task:
    """A task of one of the cluster's services."""

    arn: str
    service: str
    """Name of its service; empty for a task that belongs to none."""
    wanted: str
    """Its desired status."""
    ours: bool
    """Whether it is a node of this cluster."""
    node: NodeInstance

    @property
    def ends(self) -> bool:
        """Whether it is on its way out, or gone."""
        return self.wanted == STOPPED or not self.node.state.alive

    @property
    def ending(self) -> tuple[int, int] | None:
        """The service's count before and after its end, where that has begun."""
        before, _, after = self.node.tags.get(ENDING, "").partition("/")
        return (int(before), int(after)) if before.isdecimal() and after.isdecimal() else None


def task(described: Mapping[str, Any], place: EcsPlace, cluster: str) -> Task:
    """A task of ECS's API.

    Args:
        described: the `Task`, with its tags.
        place: the cluster's services.
        cluster: the cluster's name.
    """
    tags = {tag["key"]: tag["value"] for tag in described.get("tags", ())}
    service = described.get("group", "").removeprefix("service:")
    core = {name: node_id for node_id, name in place.core_services.items()}
    state = STATES.get(described.get("lastStatus", ""), NodeState.PROVISIONING)
    if described.get("desiredStatus") == STOPPED and state is not NodeState.TERMINATED:
        state = NodeState.STOPPING
    return Task(
        arn=described["taskArn"],
        service=service,
        wanted=described.get("desiredStatus", ""),
        ours=tags.get(keys.CLUSTER) == cluster and service in {place.elastic_service, *core},
        node=NodeInstance(
            id=described["taskArn"].rpartition("/")[2],
            state=state,
            role=NodeRole.CORE if service in core else NodeRole.WORKER,
            zone=described.get("availabilityZone", ""),
            address=_address(described),
            name=service,
            node_id=core.get(service, ""),
            token=tags.get(keys.TOKEN, ""),
            created_at=described.get("createdAt"),
            spot=described.get("capacityProviderName") == SPOT,
            tags=tags,
        ),
    )


def unplaced(message: str) -> CloudError | None:
    """What an event of a service means for a creation; None for what does not hinder it."""
    if UNPLACED not in message:
        return None
    text = message.partition("Reason:")[2].strip() or message
    if any(words in text.lower() for words in QUOTA_WORDS):
        return QuotaExceeded(f"starting a task: {text}", code="ServiceEvent")
    return CapacityUnavailable(f"starting a task: {text}", code="ServiceEvent")


def _address(described: Mapping[str, Any]) -> str:
    for attachment in described.get("attachments", ()):
        for detail in attachment.get("details", ()):
            if detail.get("name") == "privateIPv4Address":
                return str(detail["value"])
    return ""
