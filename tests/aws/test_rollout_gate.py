"""The rollout gate against a small model of ECS, the load balancer and a consensus cluster.

Time is simulated: the world moves only while the gate sleeps, one second at a time.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from aether_infra.aws.rollout_gate import handler as module
from aether_infra.aws.rollout_gate.handler import API_CALLS, Gate, GateError, Request, handler

CLUSTER = "arn:aws:ecs:us-west-2:123456789012:cluster/aether"
GROUPS = ("arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/aether-app/1",)
SIZES = [3, 5, 7]


def task_definition(service: str, revision: int) -> str:
    return f"arn:aws:ecs:us-west-2:123456789012:task-definition/{service}:{revision}"


@dataclass
class Delays:
    """Seconds that each step of a task's life takes."""

    boot: int = 20
    """From the task's start until its container health check passes."""
    join: int = 15
    """From a possible quorum until the load balancer finds the node ready."""
    stop: int = 10
    """From the wish to stop until the task is stopped."""


@dataclass
class Task:
    arn: str
    definition: str
    deployment: str
    address: str
    starts: int
    delays: Delays
    crashes: bool = False
    """The process ends when it should become healthy."""
    joins: bool = True
    """Whether it ever gets along with the others."""
    stops: int | None = None
    reason: str = ""
    joined_for: int = 0

    def seen(self, now: int) -> bool:
        return now >= self.starts

    def stopped(self, now: int) -> bool:
        return self.stops is not None and now >= self.stops + self.delays.stop

    def live(self, now: int) -> bool:
        return now >= self.starts + self.delays.boot and self.stops is None and not self.crashes

    @property
    def ready(self) -> bool:
        return self.stops is None and self.joined_for >= self.delays.join

    def described(self, now: int) -> dict[str, Any]:
        wanted = "RUNNING" if self.stops is None else "STOPPED"
        last = "RUNNING" if wanted == "RUNNING" else "STOPPED" if self.stopped(now) else "DEACTIVATING"
        detail = {"name": "privateIPv4Address", "value": self.address}
        return {
            "taskArn": self.arn,
            "taskDefinitionArn": self.definition,
            "startedBy": self.deployment,
            "desiredStatus": wanted,
            "lastStatus": "PROVISIONING" if now == self.starts else last,
            "healthStatus": "HEALTHY" if self.live(now) else "UNKNOWN",
            "attachments": [{"type": "ElasticNetworkInterface", "details": [detail]}],
            "containers": [{"name": "node", **({"exitCode": 137} if self.reason else {})}],
            **({"stoppedReason": self.reason} if self.reason else {}),
            **({"stoppingAt": datetime.fromtimestamp(self.stops, UTC)} if self.stops is not None else {}),
        }


@dataclass
class World:
    """ECS, a load balancer, and voters that need a majority to be ready."""

    size: int
    delays: Callable[[], Delays] = Delays
    now: int = 0
    tasks: dict[str, list[Task]] = field(default_factory=dict)
    deployments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    inactive: set[str] = field(default_factory=set)
    errors: list[Exception] = field(default_factory=list)
    """Raised by the next calls, one each."""
    calls: set[str] = field(default_factory=set)
    on_tick: Callable[[], None] = lambda: None
    most_down: int = 0
    """The most voters that were down at once since it was last set to 0."""
    counter: int = 0

    @property
    def names(self) -> list[str]:
        return [f"aether-node-{number}" for number in range(1, self.size + 1)]

    # the operator

    def update(self, name: str, *, crashes: bool = False, joins: bool = True, same: bool = False) -> str:
        """Create a service or start a deployment: stop the old task, then start a new one."""
        self.counter += 1
        tasks = self.tasks.setdefault(name, [])
        self.stop(name, "Scaling activity initiated by deployment")
        starts = max([self.now, *(t.stops + t.delays.stop for t in tasks if t.stops is not None)])
        revision = 1 if same else self.counter
        deployment = {
            "id": f"ecs-svc/{self.counter}",
            "status": "PRIMARY",
            "taskDefinition": task_definition(name, revision),
            "rolloutState": "IN_PROGRESS",
        }
        for old in self.deployments.setdefault(name, []):
            old["status"] = "ACTIVE"
        self.deployments[name].insert(0, deployment)
        address = f"10.0.{len(tasks)}.{self.names.index(name) + 1}"
        arn, definition = f"{CLUSTER}/task/{self.counter}", deployment["taskDefinition"]
        task = Task(arn, definition, deployment["id"], address, starts, self.delays(), crashes, joins)
        tasks.append(task)
        return definition

    def stop(self, name: str, reason: str) -> None:
        for task in self.tasks.get(name, []):
            if task.stops is None:
                task.stops, task.reason = self.now, reason

    def roll_back(self, name: str) -> None:
        broken, good = self.deployments[name][:2]
        broken |= {
            "status": "ACTIVE",
            "rolloutState": "FAILED",
            "rolloutStateReason": "circuit breaker: tasks failed",
        }
        good |= {
            "status": "PRIMARY",
            "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": "rolling back to ecs-svc/1",
        }
        self.stop(name, "Essential container in task exited")

    def form(self) -> None:
        """A cluster that has been up for long."""
        for name in self.names:
            self.update(name, same=True)
        while len(self.ready()) < self.size:
            self.tick()
        self.sleep(30)
        self.most_down = 0

    # what is true

    def live(self) -> set[str]:
        return {name for name, tasks in self.tasks.items() if any(task.live(self.now) for task in tasks)}

    def ready(self) -> set[str]:
        return {name for name, tasks in self.tasks.items() if any(task.ready for task in tasks)}

    def joinable(self) -> list[Task]:
        return [t for tasks in self.tasks.values() for t in tasks if t.live(self.now) and t.joins]

    # the clock

    def monotonic(self) -> float:
        return float(self.now)

    def sleep(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.tick()

    def tick(self) -> None:
        self.now += 1
        self.on_tick()
        voters = self.joinable()
        quorum = len(voters) >= self.size // 2 + 1
        for tasks in self.tasks.values():
            for task in tasks:
                task.joined_for = task.joined_for + 1 if quorum and task in voters else 0
        self.most_down = max(self.most_down, self.size - len(self.ready()))

    # the clients

    def called(self, name: str) -> None:
        self.calls.add(name)
        if self.errors:
            raise self.errors.pop(0)

    def describe_services(self, *, cluster: str, services: list[str]) -> Mapping[str, Any]:
        self.called("ecs:DescribeServices")
        assert cluster == CLUSTER
        known = [name for name in services if name in self.deployments]
        return {
            "services": [
                {
                    "serviceName": name,
                    "status": "INACTIVE" if name in self.inactive else "ACTIVE",
                    "deployments": self.deployments[name],
                    "events": [],
                }
                for name in known
            ],
            "failures": [{"arn": name, "reason": "MISSING"} for name in services if name not in known],
        }

    def list_tasks(self, *, cluster: str, serviceName: str, desiredStatus: str) -> Mapping[str, Any]:  # noqa: N803
        self.called("ecs:ListTasks")
        assert cluster == CLUSTER
        assert serviceName not in self.inactive, "ECS refuses an inactive service"
        tasks = [task for task in self.tasks[serviceName] if task.seen(self.now)]
        return {"taskArns": [t.arn for t in tasks if t.described(self.now)["desiredStatus"] == desiredStatus]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> Mapping[str, Any]:
        self.called("ecs:DescribeTasks")
        assert cluster == CLUSTER
        assert tasks, "ECS refuses an empty list"
        return {"tasks": [t.described(self.now) for ts in self.tasks.values() for t in ts if t.arn in tasks]}

    def describe_target_health(self, *, TargetGroupArn: str) -> Mapping[str, Any]:  # noqa: N803
        self.called("elasticloadbalancing:DescribeTargetHealth")
        assert TargetGroupArn in GROUPS
        seen = [
            t for tasks in self.tasks.values() for t in tasks if t.seen(self.now) and not t.stopped(self.now)
        ]
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": task.address, "Port": 8070},
                    "TargetHealth": {"State": "healthy" if task.ready else "unhealthy"},
                }
                for task in seen
            ]
        }

    # the gate

    def event(self, name: str, definition: str, groups: tuple[str, ...] = GROUPS) -> dict[str, Any]:
        return {
            "cluster": CLUSTER,
            "service": name,
            "task_definition": definition,
            "core_services": self.names,
            "target_group_arns": list(groups),
            "timeout_seconds": 840,
            "tf": {"action": "update"},
        }

    def gate(self, name: str, definition: str, groups: tuple[str, ...] = GROUPS) -> dict[str, object]:
        return Gate(Request.of(self.event(name, definition, groups)), self, self, self).wait()


def client_error(code: str, status: int = 400) -> ClientError:
    response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "DescribeServices")


delays = st.builds(Delays, boot=st.integers(1, 90), join=st.integers(1, 60), stop=st.integers(0, 60))


def random_delays(data: st.DataObject) -> Callable[[], Delays]:
    return lambda: data.draw(delays)


# first formation


@pytest.mark.parametrize("size", SIZES)
def test_the_first_formation_never_waits_for_an_impossible_quorum(size: int) -> None:
    world = World(size)
    majority = size // 2 + 1
    for position, name in enumerate(world.names, start=1):
        created = world.now
        answer = world.gate(name, world.update(name))
        if position < majority:
            assert answer["state"] == "live"
            assert world.now - created <= Delays.boot + module.POLL_SECONDS
            assert not world.ready()
        else:
            assert answer["state"] == "ready"
            assert name in world.ready()
    assert world.ready() == set(world.names)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), size=st.sampled_from(SIZES))
def test_the_first_formation_ends_whatever_the_delays(data: st.DataObject, size: int) -> None:
    world = World(size, random_delays(data))
    for name in world.names:
        world.gate(name, world.update(name))
    assert world.live() == set(world.names)


def test_nodes_that_want_all_their_peers_at_once_still_form_a_cluster() -> None:
    world = World(3)
    for name in world.names:
        definition = world.update(name, joins=False)
        started = world.now
        answer = world.gate(name, definition)
        assert answer["state"] == "live"
        assert world.now - started <= 330
    assert "no quorum to lose" in str(answer["reason"])


# rolling update


@pytest.mark.parametrize("size", SIZES)
def test_a_rolling_update_waits_for_readiness(size: int) -> None:
    world = World(size)
    world.form()
    for name in world.names:
        answer = world.gate(name, world.update(name))
        assert answer["state"] == "ready"
        assert world.ready() == set(world.names)
    assert world.most_down == 1


@settings(max_examples=40, deadline=None)
@given(data=st.data(), size=st.sampled_from(SIZES))
def test_one_voter_at_a_time_is_down_whatever_the_delays(data: st.DataObject, size: int) -> None:
    world = World(size, random_delays(data))
    world.form()
    for name in world.names:
        world.gate(name, world.update(name))
    assert world.most_down <= 1
    assert world.ready() == set(world.names)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), size=st.sampled_from(SIZES))
def test_a_voter_that_crashes_meanwhile_never_makes_the_gate_cost_the_quorum(
    data: st.DataObject, size: int
) -> None:
    world = World(size, random_delays(data))
    world.form()
    victim = data.draw(st.sampled_from(world.names))
    moments = {data.draw(st.integers(world.now, world.now + 300)) for _ in range(2)}

    def crash() -> None:
        if world.now in moments and victim != current:
            world.update(victim, same=True)

    world.on_tick = crash
    for position, current in enumerate(world.names):
        world.gate(current, world.update(current))
        following = set(world.names[position + 1 : position + 2])
        if following:
            assert len(world.ready() - following) >= size // 2 + 1


def test_a_deployment_of_the_same_task_definition_is_told_from_the_one_before() -> None:
    world = World(3)
    world.form()
    name = world.names[0]
    definition = world.update(name, same=True)  # such as other subnets or security groups
    assert world.gate(name, definition)["state"] == "ready"
    assert world.ready() == set(world.names)
    assert world.tasks[name][-1].ready


def test_an_old_task_that_still_stops_is_waited_for() -> None:
    world = World(3, lambda: Delays(stop=200))
    world.form()
    definition = world.update("aether-node-1")
    old, new = world.tasks["aether-node-1"]
    new.starts = world.now  # side by side, against the service's maximum of 100 %
    assert world.gate("aether-node-1", definition)["state"] == "ready"
    assert old.stopped(world.now)


def test_a_voter_that_never_joins_stops_the_rollout() -> None:
    world = World(3)
    world.form()
    definition = world.update("aether-node-1", joins=False)
    with pytest.raises(GateError, match="not done after") as caught:
        world.gate("aether-node-1", definition)
    message = str(caught.value)
    assert "live voters: aether-node-1, aether-node-2, aether-node-3" in message
    assert "ready voters: aether-node-2, aether-node-3" in message
    assert "later voters were not touched: aether-node-2, aether-node-3" in message
    assert world.most_down == 1


def test_the_rollout_waits_while_the_quorum_cannot_spare_the_next_voter() -> None:
    world = World(3)
    world.form()
    world.tasks["aether-node-3"][-1].joins = False
    definition = world.update("aether-node-1")
    with pytest.raises(GateError, match="replacing aether-node-2 now would cost the quorum"):
        world.gate("aether-node-1", definition)


def test_a_voter_that_is_down_is_the_next_one_to_be_replaced() -> None:
    world = World(3)
    world.form()
    world.update("aether-node-2", crashes=True)
    assert world.gate("aether-node-1", world.update("aether-node-1"))["state"] == "ready"
    assert world.gate("aether-node-2", world.update("aether-node-2"))["state"] == "ready"


# recovery


@pytest.mark.parametrize("size", SIZES)
def test_a_cluster_that_is_down_can_be_rolled_forward(size: int) -> None:
    world = World(size)
    for name in world.names:
        world.update(name, crashes=True)
    world.sleep(120)
    states = [world.gate(name, world.update(name))["state"] for name in world.names]
    assert states == ["live"] * (size // 2) + ["ready"] * (size - size // 2)


# nothing published


@pytest.mark.parametrize("size", SIZES)
def test_without_target_groups_a_voter_must_stay_live_for_a_while(size: int) -> None:
    world = World(size, lambda: Delays(join=30))
    world.form()
    for name in world.names:
        started = world.now
        answer = world.gate(name, world.update(name), groups=())
        assert answer["state"] == "live"
        assert world.now - started >= Delays.stop + Delays.boot + Request.settle_seconds
        assert world.ready() == set(world.names)
    assert world.most_down == 1
    assert "elasticloadbalancing:DescribeTargetHealth" not in world.calls


def test_without_target_groups_the_first_formation_goes_on_at_once() -> None:
    world = World(3)
    assert world.gate("aether-node-1", world.update("aether-node-1"), groups=())["state"] == "live"
    assert world.now <= Delays.boot + module.POLL_SECONDS


# failures


def test_a_rolled_back_deployment_raises_with_its_reasons() -> None:
    world = World(3)
    world.form()
    definition = world.update("aether-node-1", crashes=True)
    world.sleep(60)
    world.roll_back("aether-node-1")
    with pytest.raises(GateError) as caught:
        world.gate("aether-node-1", definition)
    message = str(caught.value)
    assert message.startswith(f"aether-node-1: the deployment of aether-node-1:{world.counter} failed")
    assert "circuit breaker: tasks failed" in message
    assert "Essential container in task exited, node exited with 137" in message
    assert "later voters were not touched: aether-node-2, aether-node-3" in message


def test_a_failed_deployment_without_rollback_raises() -> None:
    world = World(3)
    definition = world.update("aether-node-1", crashes=True)
    world.deployments["aether-node-1"][0] |= {
        "rolloutState": "FAILED",
        "rolloutStateReason": "tasks failed to start",
    }
    with pytest.raises(GateError, match="tasks failed to start"):
        world.gate("aether-node-1", definition)


def test_a_new_attempt_after_a_failed_one_is_not_taken_for_it() -> None:
    world = World(3)
    definition = world.update("aether-node-1", same=True)
    world.deployments["aether-node-1"][0] |= {"rolloutState": "FAILED"}
    world.update("aether-node-1", same=True)
    assert world.gate("aether-node-1", definition)["state"] == "live"


def test_a_rollback_to_the_same_task_definition_raises() -> None:
    world = World(3)
    world.update("aether-node-1", same=True)
    definition = world.update("aether-node-1", same=True)
    world.roll_back("aether-node-1")
    with pytest.raises(GateError, match="rolling back"):
        world.gate("aether-node-1", definition)


def test_a_service_that_keeps_running_something_else_raises() -> None:
    world = World(3)
    world.form()
    with pytest.raises(GateError, match=r"runs aether-node-3:1, not aether-node-3:9$"):
        world.gate("aether-node-3", task_definition("aether-node-3", 9))
    assert world.now < 300


def test_a_missing_service_raises_after_a_while() -> None:
    world = World(3)
    with pytest.raises(GateError, match="the service does not exist"):
        world.gate("aether-node-1", task_definition("aether-node-1", 1))


def test_a_deleted_service_is_a_missing_one() -> None:
    world = World(3)
    world.form()
    definition = world.update("aether-node-1")
    world.inactive = {"aether-node-2", "aether-node-3"}
    assert world.gate("aether-node-1", definition)["state"] == "live"


def test_a_service_that_shows_up_late_is_waited_for() -> None:
    world = World(3)

    def appear() -> None:
        if world.now == 30:
            world.update("aether-node-1", same=True)

    world.on_tick = appear
    assert world.gate("aether-node-1", task_definition("aether-node-1", 1))["state"] == "live"


def test_a_task_that_cannot_start_ends_in_a_timeout_that_says_so() -> None:
    world = World(3)
    definition = world.update("aether-node-1", crashes=True)
    world.stop("aether-node-1", "CannotPullContainerError")
    with pytest.raises(GateError) as caught:
        world.gate("aether-node-1", definition)
    assert "not done after" in str(caught.value)
    assert "new task: none" in str(caught.value)
    assert "CannotPullContainerError" in str(caught.value)
    assert 800 < world.now <= 840


# the API's moods


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("Unheard", 503),
        client_error("AccessDeniedException"),
        ReadTimeoutError(endpoint_url="ecs"),
    ],
    ids=["throttled", "server error", "fresh policy", "network"],
)
def test_a_passing_error_is_tried_again(error: Exception) -> None:
    world = World(3, errors=[error, error])
    assert world.gate("aether-node-1", world.update("aether-node-1"))["state"] == "live"


def test_errors_without_end_are_told_at_the_deadline() -> None:
    world = World(3, errors=[client_error("ThrottlingException")] * 1000)
    definition = world.update("aether-node-1")
    with pytest.raises(GateError, match=r"seen last: nothing; last error: .*ThrottlingException"):
        world.gate("aether-node-1", definition)
    assert len(world.errors) > 950, "it backs off"


def test_a_lasting_denial_raises() -> None:
    world = World(3, errors=[client_error("AccessDeniedException")] * 1000)
    definition = world.update("aether-node-1")
    with pytest.raises(GateError, match="AccessDeniedException"):
        world.gate("aether-node-1", definition)
    assert world.now < 150


def test_another_error_raises_at_once() -> None:
    world = World(3, errors=[client_error("ClusterNotFoundException")])
    definition = world.update("aether-node-1")
    with pytest.raises(GateError, match="ClusterNotFoundException"):
        world.gate("aether-node-1", definition)
    assert world.now == 0


# the entry point


class Context:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(3)
    monkeypatch.setattr(boto3, "client", lambda *_, **__: world)
    monkeypatch.setattr(module, "time", world)
    return world


def test_the_handler_answers_in_json_types(world: World) -> None:
    answer = handler(world.event("aether-node-1", world.update("aether-node-1")), Context(900))
    assert answer == {
        "service": "aether-node-1",
        "state": "live",
        "reason": "1 of 3 voters live: no quorum is possible",
        "waited_seconds": 20,
    }


def test_lambdas_own_limit_caps_the_wait(world: World) -> None:
    event = world.event("aether-node-1", world.update("aether-node-1", crashes=True))
    with pytest.raises(GateError, match="not done after"):
        handler(event, Context(120))
    assert world.now <= 100


def test_an_incomplete_event_names_the_missing_key(world: World) -> None:
    event = world.event("aether-node-1", "arn")
    del event["task_definition"]
    with pytest.raises(TypeError, match="task_definition"):
        handler(event, Context(900))


def test_an_event_for_a_stranger_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="core_services must name elastic"):
        handler(world.event("elastic", "arn"), Context(900))


# the real API


def clients() -> dict[str, Any]:
    keys = {"region_name": "us-west-2", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return {"ecs": boto3.client("ecs", **keys), "balancer": boto3.client("elbv2", **keys)}


def test_the_permissions_listed_are_the_calls_made() -> None:
    made = set()
    real = clients()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="ecs" | "balancer" as name), attr=method)
            ):
                model = real[name].meta
                made.add(f"{model.service_model.signing_name}:{model.method_to_api_mapping[method]}")
    assert made == set(API_CALLS)
    assert list(API_CALLS) == sorted(API_CALLS)


def test_the_calls_and_answers_have_the_shapes_of_the_real_api() -> None:
    world = World(3)
    world.form()
    name = "aether-node-3"
    definition = world.deployments[name][0]["taskDefinition"]
    real = clients()
    with Stubber(real["ecs"]) as ecs, Stubber(real["balancer"]) as balancer:

        def answer(stub: Stubber, method: str, **keys: Any) -> None:
            stub.add_response(method, dict(getattr(world, method)(**keys)), keys)

        answer(ecs, "describe_services", cluster=CLUSTER, services=world.names)
        answer(ecs, "list_tasks", cluster=CLUSTER, serviceName=name, desiredStatus="STOPPED")
        for service in [name, "aether-node-1", "aether-node-2"]:
            answer(ecs, "list_tasks", cluster=CLUSTER, serviceName=service, desiredStatus="RUNNING")
            answer(ecs, "describe_tasks", cluster=CLUSTER, tasks=[world.tasks[service][0].arn])
        answer(balancer, "describe_target_health", TargetGroupArn=GROUPS[0])
        gate = Gate(Request.of(world.event(name, definition)), real["ecs"], real["balancer"], world)
        assert gate.wait()["state"] == "ready"
        ecs.assert_no_pending_responses()
        balancer.assert_no_pending_responses()
