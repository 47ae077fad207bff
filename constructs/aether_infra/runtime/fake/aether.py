"""`FakeAether`: the nodes in a `FakeCloud`'s machines, as the real client talks to them, with their known defects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
from attrs import define, field

from aether_infra.core.tags import NodeRole
from aether_infra.runtime.fake.cloud import FakeCloud, Machine
from aether_infra.runtime.model import NodeState
from aether_infra.runtime.observation import Lifecycle

LEAVES = frozenset({Lifecycle.DRAINING, Lifecycle.DECOMMISSIONED, Lifecycle.SHUTTING_DOWN})
"""States that a node is in because somebody wanted so."""


@define(kw_only=True)
class FakeAether:
    """An Aether cluster whose nodes are a fake cloud's machines.

    A node joins some time after its machine runs, and is seen no more some time after its machine is gone. As with real
    ones: a wrong state is answered with status 200 and `success: false`; a drained node's machine goes on to run.
    """

    cloud: FakeCloud
    join_seconds: float = 15
    """From the machine's start until its node is on duty."""
    drain_seconds: float = 20
    """From DRAINING until DECOMMISSIONED."""
    noticed_seconds: float = 5
    """How long a machine that is gone still counts as a member."""
    demand: float = 0
    """Load of the whole cluster, in nodes."""
    calls_per_second: float | None = None
    """Of the whole cluster; None for not said."""
    api_key: str = ""
    """What a request must bring; empty for none."""
    old: bool = False
    """Nodes of the older kind: paths at the root, no lifecycles."""
    silent: set[str] = field(factory=set)
    """Machines whose node answers nothing; `*` for all."""
    stuck: set[str] = field(factory=set)
    """Machines whose node never ends draining."""
    refuses: set[str] = field(factory=set)
    """Machines whose node refuses to drain."""
    never_joins: set[str] = field(factory=set)
    """Machines whose node does not start."""
    cpu: dict[str, float] = field(factory=dict)
    """Loads of single machines, other than their share of the demand."""
    mute: set[str] = field(factory=set)
    """Machines whose node says no load."""
    controller: dict[str, float] = field(
        factory=lambda: {
            "cpuScaleUpThreshold": 0.8,
            "cpuScaleDownThreshold": 0.2,
            "callRateScaleUpThreshold": 1000,
            "evaluationIntervalMs": 1000,
        }
    )
    """The nodes' controller configuration."""
    voters: set[str] = field(factory=set)
    """Elastic machines whose node votes, as in place of a core node."""
    requests: list[str] = field(factory=list)
    """Method and path of each request so far."""
    lowest_core: int | None = None
    """Fewest core nodes that were on duty whenever anybody has asked, or changed anything."""
    _states: dict[str, tuple[Lifecycle, float]] = field(factory=dict)
    """Machine = what somebody has made of its node, and since when, by the clock."""

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """What to give to the client."""
        return httpx.MockTransport(self.handle)

    # the truth

    def members(self) -> dict[str, tuple[Machine, Lifecycle]]:
        """The nodes, by Aether's id."""
        now = self.cloud.calendar.now()
        found = {}
        for machine in self.cloud.machines.values():
            state = self._lifecycle(machine, now)
            if state is not None:
                found[aether_id(machine)] = (machine, state)
        return found

    def on_duty(self, role: NodeRole) -> list[str]:
        """Aether ids of the nodes of a role that are on duty and alive, sorted."""
        now = self.cloud.calendar.now()
        return sorted(
            identity
            for identity, (machine, state) in self.members().items()
            if state is Lifecycle.ON_DUTY
            and machine.role is role
            and machine.state(now) is not NodeState.TERMINATED
        )

    def leader(self) -> str:
        """The leader's id: the first core node on duty, if there is a quorum."""
        core = self.on_duty(NodeRole.CORE)
        return core[0] if self.quorum() else ""

    def quorum(self) -> bool:
        """Whether a majority of the core nodes is on duty."""
        on_duty = len(self.on_duty(NodeRole.CORE))
        self.lowest_core = on_duty if self.lowest_core is None else min(self.lowest_core, on_duty)
        return on_duty > self.cloud.core // 2

    # the nodes' answers

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request as the node at its address does."""
        path = request.url.path
        self.requests.append(f"{request.method} {path}")
        machine = self._at(request.url.host)
        if machine is None or "*" in self.silent or machine.id in self.silent:
            raise httpx.ConnectError("connection refused", request=request)
        public = path in {"/health", "/health/live", "/health/ready"}
        if self.api_key and not public and request.headers.get("X-API-Key") != self.api_key:
            return _json({"error": "no such key"}, 401)
        prefix = "" if self.old else "/api"
        if path == "/health" or (path.startswith("/health/") and not self.old):
            return self._health(path, machine)
        if not path.startswith(prefix + "/"):
            return _json({"error": "not found"}, 404)
        return self._answer(request.method, path.removeprefix(prefix), machine)

    def _health(self, path: str, machine: Machine) -> httpx.Response:
        identity, quorum = aether_id(machine), self.quorum()
        if path == "/health":
            word = "healthy" if quorum else "unhealthy"
            return _json({"status": word, "quorum": quorum, "nodeCount": len(self.members())})
        if path == "/health/live":
            return _json({"status": "UP", "nodeId": identity})
        ready = quorum and self._lifecycle(machine, self.cloud.calendar.now()) is Lifecycle.ON_DUTY
        parts = [{"name": "quorum", "status": "UP" if quorum else "DOWN", "detail": ""}]
        body = {"status": "UP" if ready else "DOWN", "nodeId": identity, "components": parts}
        return _json(body, 200 if ready else 503)

    def _answer(self, method: str, path: str, machine: Machine) -> httpx.Response:
        if method == "POST" and path.startswith("/node/") and not self.old:
            verb, _, identity = path.removeprefix("/node/").partition("/")
            return self._change(verb, identity)
        answers: dict[str, Any] = {
            "/nodes": self._nodes,
            "/status": lambda: self._status(machine),
            "/metrics": lambda: {"load": self._loads(), "deployments": {}},
            "/controller/config": lambda: self.controller,
        }
        if not self.old:
            answers |= {
                "/nodes/lifecycle": self._lifecycles,
                "/node-metrics": lambda: [
                    {"nodeId": key, "cpuUsage": load["cpu.usage"], "heapUsedMb": 256, "heapMaxMb": 1024}
                    for key, load in self._loads().items()
                ],
                "/health": lambda: {
                    "status": "UP",
                    "ready": self.quorum(),
                    "quorum": self.quorum(),
                    "nodeCount": len(self.members()),
                },
            }
        if method != "GET" or path not in answers:
            return _json({"error": "not found"}, 404)
        return _json(answers[path]())

    def _nodes(self) -> Any:
        leader = self.leader()
        if self.old:
            return {
                "nodes": [
                    {"id": key, "address": f"{machine.address}:8090", "status": "CONNECTED"}
                    for key, (machine, _) in self.members().items()
                ]
            }
        return {
            "nodes": [
                {"nodeId": key, "role": self._role(machine), "isLeader": key == leader}
                for key, (machine, _) in self.members().items()
            ]
        }

    def _role(self, machine: Machine) -> str:
        return NodeRole.CORE.name if machine.id in self.voters else machine.role.name

    def _lifecycles(self) -> Any:
        return [
            {"nodeId": key, "state": state.value, "updatedAt": 0}
            for key, (_, state) in self.members().items()
        ]

    def _status(self, machine: Machine) -> Any:
        identity, leader = aether_id(machine), self.leader()
        if self.old:
            word = "LEADER" if identity == leader else "FOLLOWER"
            return {"node": identity, "status": word, "quorumSize": 3, "connectedNodes": len(self.members())}
        metrics = {} if self.calls_per_second is None else {"requestsPerSecond": self.calls_per_second}
        return {
            "uptimeSeconds": 1,
            "cluster": {"nodeCount": len(self.members()), "leaderId": leader, "nodes": []},
            "metrics": metrics,
            "nodeId": identity,
            "isLeader": identity == leader,
            "leader": leader,
        }

    def _loads(self) -> dict[str, dict[str, float]]:
        serving = [
            (key, machine) for key, (machine, state) in self.members().items() if state is Lifecycle.ON_DUTY
        ]
        share = min(1.0, self.demand / len(serving)) if serving else 0.0
        return {
            key: {"cpu.usage": self.cpu.get(machine.id, share), "heap.used": 256.0}
            for key, machine in serving
            if machine.id not in self.mute and not machine.died
        }

    def _change(self, verb: str, identity: str) -> httpx.Response:
        found = self.members().get(identity)
        if found is None or verb not in {"drain", "activate", "shutdown"}:
            return _json({"error": f"no such node: {identity}"}, 404)
        machine, state = found
        now = self.cloud.calendar.now()
        allowed = {
            "drain": state is Lifecycle.ON_DUTY and machine.id not in self.refuses,
            "activate": state in {Lifecycle.DRAINING, Lifecycle.DECOMMISSIONED},
            "shutdown": state in LEAVES,
        }[verb]
        if not allowed:
            message = f"cannot {verb} from {state.value}"
            return _json({"success": False, "nodeId": identity, "state": state.value, "message": message})
        new = {
            "drain": Lifecycle.DRAINING,
            "activate": Lifecycle.ON_DUTY,
            "shutdown": Lifecycle.SHUTTING_DOWN,
        }[verb]
        self._states[machine.id] = (new, now)
        self.quorum()
        return _json({"success": True, "nodeId": identity, "state": new.value, "message": ""})

    def _at(self, address: str) -> Machine | None:
        """The machine at an address whose node has started."""
        now = self.cloud.calendar.now()
        return next(
            (
                machine
                for machine in self.cloud.machines.values()
                if machine.address == address
                and machine.state(now) in {NodeState.RUNNING, NodeState.STOPPING}
                and not machine.died
                and machine.id not in self.never_joins
            ),
            None,
        )

    def _lifecycle(self, machine: Machine, now: float) -> Lifecycle | None:
        over = machine.ends_at is not None and now - machine.ends_at > self.noticed_seconds
        if over or machine.died or machine.runs_at > now or machine.id in self.never_joins:
            return None
        state, since = self._states.get(machine.id, (None, 0.0))
        if state is Lifecycle.DRAINING and machine.id not in self.stuck and now - since >= self.drain_seconds:
            return Lifecycle.DECOMMISSIONED
        if state is not None:
            return state
        joined = machine.role is NodeRole.CORE or now - machine.runs_at >= self.join_seconds
        return Lifecycle.ON_DUTY if joined else Lifecycle.JOINING


def aether_id(machine: Machine) -> str:
    """Aether's id of a machine's node: core ones have theirs, elastic ones make it up."""
    return machine.node_id or f"node-{machine.address}-8090"


def _json(body: Mapping[str, Any] | list[Any], status: int = 200) -> httpx.Response:
    text = json.dumps(body)
    return httpx.Response(status, text=text, headers={"content-type": "application/json"})
