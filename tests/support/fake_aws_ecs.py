"""A fake ECS: services whose scheduler runs after every request, tasks, scale-in protection."""

# ruff: noqa: N802, N803 - the methods and arguments are named as AWS names them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, field
from cloud_world import Behaviour
from fake_aws_wire import Refusal

CLUSTER_ARN = "arn:aws:ecs:us-west-2:123456789012:cluster/aether"
NO_CAPACITY = "was unable to place a task. Reason: Capacity is unavailable at this time."


@define
class FakeTask:
    """A task."""

    id: str
    address: str
    service: str
    tags: dict[str, str]
    created: datetime
    zone: str = "us-west-2a"
    wanted: str = "RUNNING"
    """`desiredStatus`."""
    status: str = "RUNNING"
    looks: int = 0
    hidden_lists: int = 0
    hidden_gets: int = 0
    protected: bool = False

    @property
    def arn(self) -> str:
        return f"{CLUSTER_ARN.replace(':cluster/', ':task/')}/{self.id}"

    def look(self) -> None:
        if self.looks > 0:
            self.looks -= 1
        elif self.wanted == "STOPPED":
            self.status = "STOPPED"
        else:
            self.status = "RUNNING"

    def described(self, *, tags: bool) -> dict[str, Any]:
        return {
            "taskArn": self.arn,
            "clusterArn": CLUSTER_ARN,
            "group": f"service:{self.service}" if self.service else "family:foreign",
            "createdAt": self.created,
            "desiredStatus": self.wanted,
            "lastStatus": self.status,
            "availabilityZone": self.zone,
            "capacityProviderName": "FARGATE",
            "attachments": [
                {
                    "type": "ElasticNetworkInterface",
                    "status": "ATTACHED",
                    "details": [{"name": "privateIPv4Address", "value": self.address}],
                }
            ],
            **({"tags": [{"key": key, "value": value} for key, value in self.tags.items()]} if tags else {}),
        }


@define
class FakeService:
    """A service."""

    name: str
    desired: int
    tags: dict[str, str]
    groups: Sequence[str] = ()
    """Target groups that its tasks are registered with."""
    events: list[tuple[datetime, str]] = field(factory=list)
    deploying: bool = False
    """A deployment is under way: no task can be protected."""


class FakeEcs:
    """One cluster's services and tasks."""

    def __init__(self, behaviour: Behaviour, groups: dict[str, dict[str, int | None]]) -> None:
        self.behaviour = behaviour
        self.groups = groups
        self.services: dict[str, FakeService] = {}
        self.tasks: dict[str, FakeTask] = {}
        self.idle = False
        """The scheduler does nothing, as it does for a moment after each change."""
        self._number = 0
        self._began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    def task_at(self, address: str) -> str:
        """The task of an address; empty for none."""
        return next((task.id for task in self.tasks.values() if task.address == address), "")

    def running(self, service: str) -> list[FakeTask]:
        """The tasks of a service that shall run."""
        return [task for task in self.tasks.values() if task.service == service and task.wanted == "RUNNING"]

    def add(self, service: str, tags: Mapping[str, str]) -> FakeTask:
        """A task that runs."""
        self._number += 1
        task = FakeTask(
            id=f"{self._number:032x}",
            address=f"10.1.{self._number // 200}.{self._number % 200 + 10}",
            service=service,
            tags=dict(tags),
            created=self._began + timedelta(seconds=self._number),
        )
        self.tasks[task.id] = task
        return task

    def stop(self, task: FakeTask) -> None:
        """Let a task stop."""
        if task.wanted == "STOPPED":
            return
        task.wanted, task.looks = "STOPPED", self.behaviour.stopping_looks
        task.status = "DEACTIVATING" if task.looks else "STOPPED"
        for group in self.groups.values():
            if task.address in group:
                group[task.address] = self.behaviour.drain_looks
                if not self.behaviour.drain_looks:
                    del group[task.address]

    def control(self) -> None:
        """The scheduler: start what is lacking; stop what is too much, the oldest first, protected ones never."""
        for service in [] if self.idle else self.services.values():
            running = self.running(service.name)
            for _ in range(service.desired - len(running)):
                if "" in self.behaviour.out_of_stock:
                    service.events.insert(0, (datetime.now(UTC), f"(service {service.name}) {NO_CAPACITY}"))
                    break
                task = self.add(service.name, service.tags)
                task.looks = self.behaviour.pending_looks
                task.status = "PROVISIONING" if task.looks else "RUNNING"
                task.hidden_lists, task.hidden_gets = self.behaviour.hidden_lists, self.behaviour.hidden_gets
                for arn in service.groups:
                    self.groups[arn][task.address] = None
            surplus = len(running) - service.desired
            for task in [each for each in running if not each.protected][: max(0, surplus)]:
                self.stop(task)

    # ------------------------------------------------------------------ as a server

    def do_DescribeServices(self, cluster: str, services: list[str], **_: Any) -> Mapping[str, Any]:
        self._cluster(cluster)
        found = [self.services[name] for name in services if name in self.services]
        described = [
            {
                "serviceName": each.name,
                "serviceArn": f"{CLUSTER_ARN.replace(':cluster/', ':service/')}/{each.name}",
                "status": "ACTIVE",
                "desiredCount": each.desired,
                "runningCount": len(self.running(each.name)),
                "pendingCount": 0,
                "deployments": [],
                "events": [{"id": "e", "createdAt": when, "message": text} for when, text in each.events],
            }
            for each in found
        ]
        missing = [{"arn": name, "reason": "MISSING"} for name in services if name not in self.services]
        return {"services": described, "failures": missing}

    def do_UpdateService(self, cluster: str, service: str, desiredCount: int) -> Mapping[str, Any]:
        self._cluster(cluster)
        if service not in self.services:
            raise Refusal(400, "ServiceNotFoundException", "Service not found.")
        self.services[service].desired = desiredCount
        self.control()
        return {"service": {"serviceName": service, "desiredCount": desiredCount}}

    def do_ListTasks(self, cluster: str, **given: Any) -> Mapping[str, Any]:
        self._cluster(cluster)
        wanted = given.get("desiredStatus", "RUNNING")
        found = []
        for task in self.tasks.values():
            if task.wanted != wanted or given.get("serviceName", task.service) != task.service:
                continue
            if task.hidden_lists > 0:
                task.hidden_lists -= 1
            else:
                found.append(task.arn)
        start = int(given.get("nextToken", 0))
        end = start + min(self.behaviour.page_size, given.get("maxResults", 100))
        more = {"nextToken": str(end)} if end < len(found) else {}
        return {"taskArns": found[start:end], **more}

    def do_DescribeTasks(
        self, cluster: str, tasks: list[str], include: Sequence[str] = ()
    ) -> Mapping[str, Any]:
        self._cluster(cluster)
        if len(tasks) > 100:
            raise Refusal(400, "InvalidParameterException", "Tasks cannot have more than 100 elements")
        found, missing = [], []
        for name in tasks:
            task = self.tasks.get(name.rpartition("/")[2])
            if task is None or task.hidden_gets > 0:
                if task is not None:
                    task.hidden_gets -= 1
                missing.append({"arn": name, "reason": "MISSING"})
            else:
                task.look()
                found.append(task.described(tags="TAGS" in include))
        return {"tasks": found, "failures": missing}

    def do_StopTask(self, cluster: str, task: str, **_: Any) -> Mapping[str, Any]:
        self._cluster(cluster)
        found = self.tasks.get(task.rpartition("/")[2])
        if found is None:
            raise Refusal(400, "InvalidParameterException", "The referenced task was not found.")
        self.stop(found)
        self.control()
        return {"task": found.described(tags=False)}

    def do_UpdateTaskProtection(
        self,
        cluster: str,
        tasks: list[str],
        protectionEnabled: bool,  # noqa: FBT001
        **_: Any,
    ) -> Mapping[str, Any]:
        self._cluster(cluster)
        if len(tasks) > 10:
            raise Refusal(400, "InvalidParameterException", "Tasks cannot have more than 10 elements")
        protected, failures = [], []
        for name in tasks:
            task = self.tasks.get(name.rpartition("/")[2])
            if task is None or task.wanted == "STOPPED":
                failures.append({"arn": name, "reason": "TASK_NOT_VALID"})
            elif protectionEnabled and self.services[task.service].deploying:
                failures.append({"arn": name, "reason": "DEPLOYMENT_BLOCKED"})
            else:
                task.protected = protectionEnabled
                protected.append({"taskArn": task.arn, "protectionEnabled": protectionEnabled})
        self.control()
        return {"protectedTasks": protected, "failures": failures}

    def do_TagResource(self, resourceArn: str, tags: list[dict[str, str]]) -> Mapping[str, Any]:
        task = self.tasks.get(resourceArn.rpartition("/")[2])
        if task is None:
            raise Refusal(400, "ResourceNotFoundException", "The specified task is inactive or not found.")
        task.tags |= {tag["key"]: tag["value"] for tag in tags}
        return {}

    @staticmethod
    def _cluster(arn: str) -> None:
        if arn != CLUSTER_ARN:
            raise Refusal(400, "ClusterNotFoundException", "Cluster not found.")
