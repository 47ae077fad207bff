"""The tasks of a cluster's services, and the service whose count it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from math import ceil
from typing import Any, Final, TypeVar

from attrs import frozen

from aether_infra.runtime.aws import task
from aether_infra.runtime.aws.place import EcsPlace
from aether_infra.runtime.aws.task import Task
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import Conflict, InvalidRequest

T = TypeVar("T")
TASK_ID: Final = r"(arn:[\w:/-]+/)?[0-9a-f]{32}"
"""Form of a task's id, and of its ARN; anything else is none."""
DESCRIBED: Final = 100
"""Most tasks of one description, and of one page:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html (as of 2026-11)."""
PROTECTED: Final = 10
"""Most tasks of one change of protection:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateTaskProtection.html (as of 2026-11)."""
LONGEST_MINUTES: Final = 2880
"""Longest protection, from the same page."""
GONE: Final = frozenset({"MISSING", "TASK_NOT_VALID"})
"""Failures of what is not there any more."""


@frozen(kw_only=True)
class Service:
    """The service of the elastic nodes."""

    desired: int
    """Its desired count."""
    events: Sequence[tuple[str, str]]
    """Id and message of what its scheduler said, the newest first."""


@frozen
class Tasks:
    """ECS's tasks.

    Args:
        place: the ECS cluster and its services.
        cluster: the Aether cluster's name.
        call: how ECS is called.
        ecs: its client.
    """

    _place: EcsPlace
    _cluster: str
    _call: Calls
    _ecs: Any

    async def all(self) -> list[Task]:
        """Every task of the cluster's services, those that have ended lately included."""
        arns = [arn for status in ("RUNNING", task.STOPPED) for arn in await self._list(status)]
        # one that ends between the two lists is in both
        return [each for each in await self._describe(list(dict.fromkeys(arns))) if each.ours]

    async def elastic(self) -> list[Task]:
        """Those of the elastic service, the oldest first."""
        found = [each for each in await self.all() if each.service == self._place.elastic_service]
        return sorted(found, key=lambda each: (str(each.node.created_at), each.node.id))

    async def get(self, node_id: str) -> Task | None:
        """A task of that id or ARN, whosever it is; None for none."""
        if not re.fullmatch(TASK_ID, node_id):
            return None
        found = await self._describe([node_id.rpartition("/")[2]])
        return found[0] if found else None

    async def service(self) -> Service:
        """The elastic service as it is now."""
        name = self._place.elastic_service
        answer = await self._call(
            f"reading the service {name}",
            partial(self._ecs.describe_services, cluster=self._place.cluster, services=[name]),
        )
        if not answer["services"]:
            hint = "are the outputs those of this account and region?"
            raise InvalidRequest(f"there is no ECS service {name} ({hint})", code="ServiceNotFoundException")
        described = answer["services"][0]
        events = [(str(each.get("id")), str(each.get("message"))) for each in described.get("events", ())]
        return Service(desired=described["desiredCount"], events=events)

    async def set_desired(self, count: int) -> None:
        """Set the elastic service's count."""
        name = self._place.elastic_service
        await self._call(
            f"setting the count of {name} to {count}",
            partial(self._ecs.update_service, cluster=self._place.cluster, service=name, desiredCount=count),
        )

    async def tag(self, one: Task, key: str, value: str) -> None:
        """Put a tag on a task.

        Raises:
            NotFound: it is gone.
        """
        await self._call(
            f"tagging {one.node.id}",
            partial(self._ecs.tag_resource, resourceArn=one.arn, tags=[{"key": key, "value": value}]),
        )

    async def stop(self, one: Task, reason: str) -> None:
        """Stop a task; its service replaces it if there are too few then."""
        await self._call(
            f"stopping {one.node.id}",
            partial(self._ecs.stop_task, cluster=self._place.cluster, task=one.arn, reason=reason),
        )

    async def protect(self, some: Collection[Task], seconds: float) -> None:
        """Keep the service's scheduler from ending tasks when the count goes down.

        Args:
            some: which; those that are gone are fine.
            seconds: for how long; 0 lifts it.

        Raises:
            Conflict: a deployment of the service is under way.
        """
        minutes = min(max(1, ceil(seconds / 60)), LONGEST_MINUTES)
        how = (
            {"protectionEnabled": True, "expiresInMinutes": minutes}
            if seconds
            else {"protectionEnabled": False}
        )
        for batch in _batches([each.arn for each in some], PROTECTED):
            answer = await self._call(
                "protecting the other tasks",
                partial(self._ecs.update_task_protection, cluster=self._place.cluster, tasks=batch, **how),
            )
            failures = [each for each in answer.get("failures", ()) if each.get("reason") not in GONE]
            if failures and seconds:
                reason = str(failures[0].get("reason"))
                raise Conflict(
                    "the other tasks cannot be kept from being ended in its place: a deployment is under way",
                    code=reason,
                )

    async def _list(self, status: str) -> list[str]:
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            answer = await self._call(
                "listing tasks",
                partial(
                    self._ecs.list_tasks,
                    cluster=self._place.cluster,
                    desiredStatus=status,
                    maxResults=DESCRIBED,
                    **more,
                ),
            )
            found.extend(answer["taskArns"])
            if not answer.get("nextToken"):
                return found
            more = {"nextToken": answer["nextToken"]}

    async def _describe(self, names: Sequence[str]) -> list[Task]:
        found: list[Task] = []
        for batch in _batches(names, DESCRIBED):
            answer = await self._call(
                "reading tasks",
                partial(self._ecs.describe_tasks, cluster=self._place.cluster, tasks=batch, include=["TAGS"]),
            )
            found.extend(task.task(each, self._place, self._cluster) for each in answer["tasks"])
        return found


def _batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
