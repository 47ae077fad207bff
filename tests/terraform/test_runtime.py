"""Layer 2 on what Layer 1 has built: real Terraform, the real service, AWS as moto has it, a fake Aether cluster.

Fargate is not here: moto keeps a service's desired count, but starts no tasks for it, so that there is nothing to list
or to end. tests/runtime/clouds has a fake of ECS whose scheduler does.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import console_script
import pytest
from aether_nodes import Nodes, nodes
from attrs import frozen
from serving import Serving, serving
from terraform_json import ROOT

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

CONFIG = ROOT / "tests/configs/ec2-manager.toml"
REGION = "eu-west-1"
PATIENCE_SECONDS = 120
KEY = "a-key-of-this-test-only"


@frozen(kw_only=True)
class World:
    """What Terraform has left, and what lives in it."""

    folder: Path
    ec2: Any
    elbv2: Any
    group: str
    """ARN of the target group."""
    environment: dict[str, str]
    """Of the service."""
    aether: Nodes
    """The nodes."""

    def instances(self, *states: str) -> list[dict[str, Any]]:
        """Elastic nodes of the cluster that are in one of these states."""
        return [each for each in instances(self.ec2, *states) if tags(each)["aether-role"] == "worker"]

    def alive(self) -> set[str]:
        """Ids of the elastic nodes that cost money."""
        return {each["InstanceId"] for each in self.instances("pending", "running", "stopping", "stopped")}

    def targets(self) -> set[str]:
        """Ids of what is behind the load balancer."""
        found = self.elbv2.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"] for each in found if each["TargetHealth"]["State"] != "draining"}

    def serve(self) -> Any:
        """The service on what Terraform has left."""
        return serving(self.folder, "--outputs", "outputs.json", "--tick", "1", **self.environment)

    def node(self, service: Serving, *arguments: str) -> Any:
        """Run `aether-infra node`."""
        return console_script.run(
            "node", *arguments, "--url", service.url, folder=self.folder, AETHER_API_KEY=KEY
        )


@pytest.fixture
def world(stack: Callable[[str], Any], emulator: Any, tmp_path: Path) -> Iterator[World]:
    """Apply the configuration, and let Aether run in its machines."""
    deployed = stack(prepared(CONFIG.read_text(encoding="utf-8")))
    deployed.terraform("init", "-input=false")
    deployed.terraform("apply", "-input=false", "-auto-approve")
    (tmp_path / "outputs.json").write_text(deployed.terraform("output", "-json"), encoding="utf-8")
    with living(emulator, tmp_path) as made:
        yield made


@contextmanager
def living(emulator: Any, folder: Path) -> Iterator[World]:
    """The cluster of `outputs.json`, with Aether in its machines."""
    outputs = json.loads((folder / "outputs.json").read_text(encoding="utf-8"))
    runtime = outputs["runtime"]["value"]
    ec2 = emulator.client("ec2", REGION)

    def running() -> dict[str, str]:
        return {
            each["PrivateIpAddress"]: tags(each).get("aether-node-id", "")
            for each in instances(ec2, "running")
        }

    with nodes(running) as cluster:
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        yield World(
            folder=folder,
            ec2=ec2,
            elbv2=emulator.client("elbv2", REGION),
            group=runtime["target_group_arns"]["application"],
            environment={
                **cluster.environment,
                **credentials,
                "AWS_ENDPOINT_URL": emulator.url,
                "AETHER_API_KEYS": f"{KEY}:tester::ADMIN",
            },
            aether=cluster,
        )


def test_nodes_come_and_go_and_a_killed_service_leaves_neither_double_nor_orphan(world: World) -> None:
    core = {tags(each)["aether-node-id"]: each["InstanceId"] for each in instances(world.ec2, "running")}
    assert sorted(core) == ["node-1", "node-2", "node-3"]
    with world.serve() as service:
        seen = ask(service, "GET", "/nodes")
        assert {each["aether_id"]: each["id"] for each in seen["nodes"]} == core
        assert {each["phase"] for each in seen["nodes"]} == {"serving"}
        assert seen["quorum"]

        first, second = come_and_go(world, service, core)

        # one in the middle of coming, one in the middle of going
        world.aether.aether.join_seconds = 1e9
        world.aether.aether.stuck.add(address_of(world, second))
        coming = ask(service, "POST", "/nodes", headers={"Idempotency-Key": "coming"})["id"]
        going = ask(service, "POST", f"/nodes/{second}/terminate")["id"]
        until(lambda: ask(service, "GET", f"/operations/{coming}")["step"] == "join")
        until(lambda: ask(service, "GET", f"/operations/{going}")["step"] == "drained")
        third = ask(service, "GET", f"/operations/{coming}")["node_id"]
        assert service.end(signal.SIGKILL) == -signal.SIGKILL
    assert world.alive() == {first, second, third}

    world.aether.aether.join_seconds = 0
    world.aether.aether.stuck.clear()
    with world.serve() as service:
        again = ask(service, "POST", "/nodes", headers={"Idempotency-Key": "coming"})
        assert again["id"] == coming, "what was asked for before the crash is still known"
        assert over(service, coming)["state"] == "succeeded"
        assert over(service, going)["state"] == "succeeded"
        assert world.alive() == {first, third}
        assert world.targets() >= {first, third}
        assert second not in world.targets()
        ended = world.node(service, "terminate", first, "--force")
        assert ended.returncode == 0, ended.stderr
        assert world.alive() == {third}
        assert ask(service, "GET", "/orphans") == {"orphans": []}
        assert {each["state"] for each in ask(service, "GET", "/operations")["operations"]} == {"succeeded"}
        assert service.end() == 0
        assert "Traceback" not in service.said
    made = world.instances("pending", "running", "stopping", "stopped", "shutting-down", "terminated")
    tokens = Counter(tags(each)["aether-token"] for each in made)
    assert len(made) == len(tokens) == 3, "each creation has made one machine"
    assert {each["InstanceId"] for each in instances(world.ec2, "running")} == {*core.values(), third}


def come_and_go(world: World, service: Serving, core: dict[str, str]) -> tuple[str, str]:
    """Two nodes come, one by the API and one by the command; the second is drained and comes back."""
    made = ask(service, "POST", "/nodes", json={"reason": "a test"})["id"]
    by_hand = world.node(service, "create", "--json", "--reason", "another")
    assert by_hand.returncode == 0, by_hand.stderr
    assert "on duty as node-" in by_hand.stderr
    first, second = over(service, made)["node_id"], json.loads(by_hand.stdout)["node_id"]
    assert world.alive() == {first, second}
    assert world.targets() >= {first, second}
    for each in world.instances("running"):
        assert tags(each)["aether-cluster"] == "shop"
        assert tags(each)["aether-token"]

    listed = json.loads(world.node(service, "list", "--json").stdout)["nodes"]
    assert {each["id"] for each in listed} == {first, second, *core.values()}
    assert {each["phase"] for each in listed} == {"serving"}

    drained = world.node(service, "drain", second)
    assert drained.returncode == 0, drained.stderr
    assert second not in world.targets()
    assert ask(service, "GET", f"/nodes/{second}")["phase"] == "held"
    back = world.node(service, "activate", second)
    assert back.returncode == 0, back.stderr
    assert second in world.targets()

    refused = world.node(service, "terminate", core["node-2"])
    assert refused.returncode == 1
    assert "core" in refused.stderr
    assert "Traceback" not in refused.stderr
    return first, second


def prepared(text: str) -> str:
    """The configuration with a load balancer, and its journal in a file."""
    kept = [line for line in text.splitlines() if not line.startswith("journal")]
    return "\n".join(kept).replace("[app-http]\nenabled = false", "[app-http]\nenabled = true")


def instances(ec2: Any, *states: str) -> list[dict[str, Any]]:
    """Machines of Aether that are in one of these states."""
    filters = [
        {"Name": "instance-state-name", "Values": list(states)},
        {"Name": "tag:aether-role", "Values": ["core", "worker"]},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return [each for page in pages for group in page["Reservations"] for each in group["Instances"]]


def tags(instance: dict[str, Any]) -> dict[str, str]:
    """Tags of an instance."""
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}


def address_of(world: World, node_id: str) -> str:
    """A node's private address, by which the fake cluster knows it."""
    (found,) = (each for each in world.instances("running") if each["InstanceId"] == node_id)
    address: str = found["PrivateIpAddress"]
    return address


def ask(service: Serving, method: str, path: str, headers: dict[str, str] | None = None, **given: Any) -> Any:
    """Call the API; what it answers."""
    answer = service.ask(method, path, headers={"X-API-Key": KEY, **(headers or {})}, **given)
    assert answer.is_success, answer.text
    return answer.json()


def over(service: Serving, operation_id: str) -> Any:
    """An operation when it is over."""

    def ended() -> Any:
        operation = ask(service, "GET", f"/operations/{operation_id}")
        return operation if operation["finished_at"] else None

    return until(ended)


def until(found: Callable[[], Any]) -> Any:
    """What it returns, as soon as it is true."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (value := found()):
        assert time.monotonic() < ends, "it does not come to an end"
        time.sleep(0.2)
    return value
