"""The rollout gate: a Lambda function that stands between the ECS services of two voters.

Terraform updates the services of the core nodes one after the other and invokes this function after each;
the next one is touched only when the function returns. What it waits for depends on the quorum:

    not yet one task of the new deployment, healthy    wait: liveness comes first
    fewer live voters than a majority                  return: no quorum can exist, so the rollout must go on
                                                       (first formation, or a cluster that is down)
    a quorum is possible                               return when this voter is healthy in every target group
                                                       and the quorum can spare the next one
    … but no target is healthy, formation_seconds long return: there is no quorum to lose
    … and there are no target groups to ask            return when this voter was live for settle_seconds and
                                                       the quorum can spare the next one
    deployment failed or rolled back, or time is up    raise: Terraform stops, later voters run on untouched

It only reads, so invoking it again is harmless. It runs on python3.13 with what Lambda brings (the standard
library and boto3), hence dataclasses where the package has attrs. Source: API references of Amazon ECS and
Elastic Load Balancing, "Deployment", "Task" and "TargetHealth".
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeAlias

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError, HTTPClientError  # type: ignore[import-untyped]

API_CALLS: Final = (
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "elasticloadbalancing:DescribeTargetHealth",
)
"""Every permission the function needs; a test holds this list against the calls below."""

POLL_SECONDS: Final = 5.0
"""Pause between two looks; doubled by each API error in a row, up to BACKOFF_SECONDS."""
BACKOFF_SECONDS: Final = 30.0
CONSISTENCY_SECONDS: Final = 90.0
"""How long a fresh service, deployment or permission may stay unseen: AWS is eventually consistent."""
LAMBDA_MARGIN_SECONDS: Final = 20.0
"""Kept back from Lambda's own limit, so that the gate tells of a timeout and not Lambda."""

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
TRANSIENT: Final = frozenset(
    {"InternalFailure", "RequestLimitExceeded", "RequestThrottled", "RequestTimeout", "ServerException"}
    | {"ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)

Described: TypeAlias = Mapping[str, Any]
"""A service, deployment or task, as ECS describes it."""

logger = logging.getLogger("rollout_gate")


class GateError(Exception):
    """The rollout must stop here; the message says why and what was left alone."""


class NotYetError(Exception):
    """There is something to wait for; the message says what was seen."""


class Clock(Protocol):
    """Time, as the module `time` has it; tests bring their own."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""

    def sleep(self, seconds: float, /) -> None:
        """Let that much time pass."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What Terraform asks: the input of the invocation, whose other keys are passed over."""

    cluster: str
    """Name or ARN of the ECS cluster."""
    service: str
    """Name of the voter's service that was just created or updated."""
    task_definition: str
    """ARN with revision of the task definition it must run."""
    core_services: tuple[str, ...]
    """Names of all voters' services in the order of the rollout, existing or not."""
    target_group_arns: tuple[str, ...]
    """Target groups whose health check asks for readiness; may be empty."""
    timeout_seconds: float = 840.0
    """How long to wait in all; Lambda itself ends at 900."""
    formation_seconds: float = 300.0
    """How long a majority of live voters may take to form a quorum before the rollout goes on without."""
    settle_seconds: float = 60.0
    """How long a voter must be live where readiness cannot be asked."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Request:
        """Read an event; a missing key is a TypeError that names it."""
        given = ((field.name, event[field.name]) for field in fields(cls) if field.name in event)
        known: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in given
        }
        request = cls(**known)
        if request.service not in request.core_services:
            raise ValueError(f"core_services must name {request.service}, got {names(request.core_services)}")
        return request

    @property
    def majority(self) -> int:
        """Voters that make a quorum."""
        return len(self.core_services) // 2 + 1

    @property
    def later(self) -> tuple[str, ...]:
        """Voters that come after this one."""
        return self.core_services[self.core_services.index(self.service) + 1 :]


class Gate:
    """One wait. `ecs` and `balancer` are boto3's clients `ecs` and `elbv2`, or what answers like them."""

    def __init__(self, request: Request, ecs: Any, balancer: Any, clock: Clock) -> None:
        self.request = request
        self.ecs = ecs
        self.balancer = balancer
        self.clock = clock
        self.started = clock.monotonic()
        self.live_task = ""
        self.live_since = 0.0
        self.majority_since: float | None = None
        self.quorum_seen = False

    def wait(self) -> dict[str, object]:
        """Look until the rollout may go on, and say why it may.

        Raises:
            GateError: it must not, or time is up.
        """
        pause, seen = POLL_SECONDS, "nothing"
        while True:
            try:
                state, reason = self.look()
            except NotYetError as waiting:
                pause, seen, trouble = POLL_SECONDS, str(waiting), ""
            except (ClientError, HTTPClientError) as error:
                if not self._passes(error):
                    raise self._stop(str(error)) from error
                pause, trouble = min(2 * pause, BACKOFF_SECONDS), f"; last error: {error}"
            else:
                answer = {"service": self.request.service, "state": state, "reason": reason}
                return answer | {"waited_seconds": round(self._elapsed())}
            logger.info("waiting: %s%s", seen, trouble)
            if self._elapsed() + pause > self.request.timeout_seconds:
                raise self._stop(f"not done after {self._elapsed():.0f} s; seen last: {seen}{trouble}")
            self.clock.sleep(pause)

    def look(self) -> tuple[str, str]:
        """Look once: the state, `live` or `ready`, and the reason why the rollout may go on."""
        request = self.request
        answer = self.ecs.describe_services(cluster=request.cluster, services=list(request.core_services))
        services = {s["serviceName"]: s for s in answer["services"] if s["status"] == "ACTIVE"}
        live = {request.service: self._new_task(services.get(request.service))}
        for name in request.core_services:
            if name != request.service and name in services:
                tasks = filter(is_live, self._tasks(name, "RUNNING"))
                live.update((name, task) for task in tasks)
        if len(live) < request.majority:
            return "live", f"{len(live)} of {len(request.core_services)} voters live: no quorum is possible"
        if self.majority_since is None:
            self.majority_since = self._elapsed()
        return self._ready(live) if request.target_group_arns else self._settled(live)

    def _ready(self, live: Mapping[str, Described]) -> tuple[str, str]:
        """Decide by readiness, as the load balancer sees it."""
        groups = [self._healthy_targets(arn) for arn in self.request.target_group_arns]
        ready = {name for name, task in live.items() if all(address(task) in group for group in groups)}
        self.quorum_seen = self.quorum_seen or any(groups)
        if self.request.service in ready and not self._unspared(ready):
            return "ready", f"ready voters: {names(ready)}"
        waited = self._elapsed() - (self.majority_since or 0.0)
        if not self.quorum_seen and waited >= self.request.formation_seconds:
            return (
                "live",
                f"a majority was live for {waited:.0f} s, but no target is healthy: no quorum to lose",
            )
        raise NotYetError(f"live voters: {names(live)}; ready voters: {names(ready)}{self._unspared(ready)}")

    def _settled(self, live: Mapping[str, Described]) -> tuple[str, str]:
        """Decide by liveness alone: nothing is published, so nothing tells readiness."""
        settled = self._elapsed() - self.live_since
        if settled >= self.request.settle_seconds and not self._unspared(live):
            return "live", f"no target group to ask; live for {settled:.0f} s"
        raise NotYetError(f"live voters: {names(live)}; this one for {settled:.0f} s{self._unspared(live)}")

    def _unspared(self, up: Iterable[str]) -> str:
        """That the quorum would not survive the replacement of the next voter; empty if it would."""
        following = self.request.later[:1]
        spared = not following or len(set(up).difference(following)) >= self.request.majority
        return "" if spared else f"; replacing {names(following)} now would cost the quorum"

    def _new_task(self, service: Described | None) -> Described:
        """The healthy task of this voter's new deployment, once it is the only one."""
        if service is None:
            raise self._unseen("the service does not exist")
        stopped = self._tasks(self.request.service, "STOPPED")
        primary = self._primary(service, stopped)
        running = self._tasks(self.request.service, "RUNNING")
        new = [task for task in running if task.get("startedBy") == primary["id"]]
        stopping = [task for task in stopped if task["lastStatus"] != "STOPPED"]
        old = [task for task in (*running, *stopping) if task.get("startedBy") != primary["id"]]
        if len(new) != 1 or old or not is_live(new[0]):
            ended = last_stop(stopped, self.request.task_definition)
            states = " ".join(f"{task['lastStatus']}/{task.get('healthStatus', 'UNKNOWN')}" for task in new)
            event = next((f"; last event: {event['message']}" for event in service.get("events", ())), "")
            raise NotYetError(f"new task: {states or 'none'}; old tasks: {len(old)}{ended}{event}")
        if self.live_task != new[0]["taskArn"]:
            self.live_task, self.live_since = new[0]["taskArn"], self._elapsed()
        return new[0]

    def _primary(self, service: Described, stopped: Iterable[Described]) -> Described:
        """The deployment that rolls out the wanted task definition."""
        wanted = revision(self.request.task_definition)
        primary: Described | None = next(
            (d for d in service["deployments"] if d["status"] == "PRIMARY"), None
        )
        if primary is None:
            raise self._unseen("the service has no primary deployment")
        found = revision(primary["taskDefinition"])
        # an older failure of the same task definition is history once a new attempt is the primary one
        tried = [primary] if found == wanted else service["deployments"]
        failed = [
            d for d in tried if revision(d["taskDefinition"]) == wanted and d.get("rolloutState") == "FAILED"
        ]
        rolled_back = "rolling back" in primary.get("rolloutStateReason", "").lower()
        if failed or rolled_back:
            told = {d["id"]: d.get("rolloutStateReason", "") for d in (*failed, primary)}
            ended = last_stop(stopped, wanted)
            raise self._stop(f"the deployment of {wanted} failed: {' '.join(told.values()).strip()}{ended}")
        if found != wanted:
            raise self._unseen(f"the service runs {found}, not {wanted}")
        return primary

    def _tasks(self, service: str, status: str) -> list[Described]:
        """A service's tasks that ECS wants in that status."""
        cluster = self.request.cluster
        arns = self.ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus=status)["taskArns"]
        return list(self.ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []

    def _healthy_targets(self, arn: str) -> set[str]:
        """Addresses of a target group's healthy targets."""
        targets = self.balancer.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {t["Target"]["Id"] for t in targets if t["TargetHealth"]["State"] == "healthy"}

    def _passes(self, error: Exception) -> bool:
        """Whether an API error is worth another try."""
        if not isinstance(error, ClientError):
            return True  # the network's
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        fresh = self._elapsed() <= CONSISTENCY_SECONDS
        return code in TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR or (code in DENIED and fresh)

    def _unseen(self, what: str) -> Exception:
        """Something that AWS may not show yet; an error once it should."""
        return NotYetError(what) if self._elapsed() <= CONSISTENCY_SECONDS else self._stop(what)

    def _stop(self, why: str) -> GateError:
        later = self.request.later
        return GateError(
            f"{self.request.service}: {why}"
            + (f"; later voters were not touched: {names(later)}" if later else "")
        )

    def _elapsed(self) -> float:
        return self.clock.monotonic() - self.started


def is_live(task: Described) -> bool:
    """Whether a task runs and its container health check, which asks for liveness, passes."""
    return bool(task["lastStatus"] == "RUNNING" and task.get("healthStatus") == "HEALTHY")


def address(task: Described) -> str:
    """The private IPv4 address of a task's network interface, its id as a target; empty without one."""
    details = (d for a in task["attachments"] if a["type"] == "ElasticNetworkInterface" for d in a["details"])
    return next((str(d["value"]) for d in details if d["name"] == "privateIPv4Address"), "")


def revision(task_definition: str) -> str:
    """`family:revision` of a task definition's ARN."""
    return task_definition.rpartition("/")[2]


def names(services: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(sorted(services)) or "none"


def last_stop(stopped: Iterable[Described], task_definition: str) -> str:
    """Why the task of that definition that ended last did so, for the end of a message."""
    tasks = [task for task in stopped if revision(task["taskDefinitionArn"]) == revision(task_definition)]
    if not tasks:
        return ""
    task = max(tasks, key=lambda task: str(task.get("stoppingAt", task.get("stoppedAt", ""))))
    exits = [
        f"{c['name']} exited with {c['exitCode']}" for c in task.get("containers", ()) if c.get("exitCode")
    ]
    return f"; last stopped task: {', '.join([task.get('stoppedReason', 'no reason given'), *exits])}"


def handler(event: Mapping[str, Any], context: Any) -> dict[str, object]:
    """Lambda's entry point.

    Args:
        event: see Request.
        context: Lambda's; what time it leaves caps the request's timeout.

    Raises:
        GateError: the rollout must stop.
    """
    logger.setLevel(logging.INFO)
    request = Request.of(event)
    limit = context.get_remaining_time_in_millis() / 1000 - LAMBDA_MARGIN_SECONDS
    config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    clients = (boto3.client("ecs", config=config), boto3.client("elbv2", config=config))
    return Gate(replace(request, timeout_seconds=min(request.timeout_seconds, limit)), *clients, time).wait()
