"""EC2's descriptions of instances as nodes: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aether_infra.core import tags as keys
from aether_infra.runtime.machines import role_of
from aether_infra.runtime.model import NodeInstance, NodeState

STATES: Final[Mapping[str, NodeState]] = {
    "pending": NodeState.PROVISIONING,
    "running": NodeState.RUNNING,
    "shutting-down": NodeState.STOPPING,
    "stopping": NodeState.STOPPING,
    # a stopped instance can be started again, but no call of ours does: it serves nobody
    "stopped": NodeState.STOPPING,
    "terminated": NodeState.TERMINATED,
}
"""Where an instance is by its state's name:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html (as of 2026-11)."""
TAKEN_BACK: Final = ("marked-for-stop", "marked-for-termination")
"""Status codes of a spot request whose instance is about to be taken back:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html (as of 2026-11)."""
NOTICE: Final = timedelta(minutes=2)
"""From the notice to the end of a spot instance:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html (as of 2026-11)."""
LAST_EVENTS: Final = ("instance-retirement", "instance-stop")
"""Scheduled events that an instance does not survive:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instances-status-check_sched.html (as of 2026-11)."""
PAST: Final = ("[Canceled]", "[Completed]")
"""How the description of an event begins that is no more."""


def node(instance: Mapping[str, Any]) -> NodeInstance:
    """An instance as a node.

    Args:
        instance: an `Instance` of EC2's API.
    """
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    return NodeInstance(
        id=instance["InstanceId"],
        state=STATES.get(instance.get("State", {}).get("Name", ""), NodeState.PROVISIONING),
        role=role_of(tags),
        zone=instance.get("Placement", {}).get("AvailabilityZone", ""),
        size=instance.get("InstanceType", ""),
        address=instance.get("PrivateIpAddress") or "",
        name=tags.get("Name", ""),
        node_id=tags.get(keys.NODE_ID, ""),
        token=tags.get(keys.TOKEN, ""),
        created_at=instance.get("LaunchTime"),
        spot=instance.get("InstanceLifecycle") == "spot",
        tags=tags,
    )


def interruptions(
    requests: Iterable[Mapping[str, Any]], statuses: Iterable[Mapping[str, Any]]
) -> dict[str, datetime]:
    """When instances are taken back, by id.

    Args:
        requests: spot requests of EC2's API.
        statuses: instance statuses of it, with scheduled events.
    """
    ends: dict[str, datetime] = {}
    for request in requests:
        status = request.get("Status", {})
        if status.get("Code") in TAKEN_BACK and request.get("InstanceId"):
            ends[request["InstanceId"]] = status.get("UpdateTime", datetime.now(UTC)) + NOTICE
    for status in statuses:
        for event in status.get("Events", ()):
            if event.get("Code") in LAST_EVENTS and not event.get("Description", "").startswith(PAST):
                when = event.get("NotBefore", datetime.now(UTC))
                identity = status["InstanceId"]
                ends[identity] = min(when, ends.get(identity, when))
    return ends
