"""Measures the runtime manager beside plain SDK calls: 10,000 nodes listed, 100 created, 100 removed.

Both talk to the tests' fake AWS, which runs in a process of its own, with boto3, in turns, in one run. Plain calls do
what a script would: the paginator, `run_instances` and `terminate_instances` for each node, once one after the other
and once in as many threads as the manager has, and a wait until all are gone. They set no token, look for no double,
and try nothing again. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from attrs import define, field

from aether_infra.runtime import registry
from aether_infra.runtime.manager import new_token
from aether_infra.runtime.model import NodeSpec
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings, parse_settings

SUPPORT = Path(__file__).resolve().parent.parent / "tests/support"
THREADS = min(32, (os.cpu_count() or 1) + 4)
"""As many as asyncio has for blocking calls."""
LIMIT = 1.5
"""Times of the plain paginator that listing may take."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
FOREVER = 3600


def main() -> None:
    """Run everything and print it as Markdown; fail where the limit is broken."""
    options = parse(sys.argv[1:])
    if options.serve:
        serve(options.nodes, options.latency_ms / 1000)
        return
    os.environ.update(CREDENTIALS)
    with fake(options.nodes, options.latency_ms) as url:
        os.environ["AWS_ENDPOINT_URL"] = url
        jobs = [Listing(settings()), Churn(settings(), options.churn)]
        for _ in range(options.runs):
            for job in jobs:
                job.run()
    print(f"{options.runs} runs, {options.latency_ms} ms on the way, {THREADS} threads\n")
    print("| what | who | wall median s | wall min s | of ours |\n|---|---|---|---|---|")
    for job in jobs:
        for line in job.lines():
            print(line)
    ratio = jobs[0].ratio("ours", "plain SDK, paginator")
    if ratio > LIMIT:
        raise SystemExit(f"listing takes {ratio:.2f} times of the plain paginator, more than {LIMIT}")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument("--nodes", type=int, default=10_000, help="nodes to list (default: %(default)s)")
    parser.add_argument(
        "--churn", type=int, default=100, help="nodes to create and remove (default: %(default)s)"
    )
    parser.add_argument(
        "--latency-ms", type=float, default=50, help="how long a request is on its way (default: %(default)s)"
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


@define
class Job:
    """Something that is done in several ways."""

    settings: RuntimeSettings
    name: str = ""
    seconds: dict[str, list[float]] = field(factory=dict)

    def measure(self, who: str, do: Callable[[], Any]) -> Any:
        """Do it once and keep how long it took."""
        start = time.perf_counter()
        result = do()
        self.seconds.setdefault(who, []).append(time.perf_counter() - start)
        return result

    def run(self) -> None:
        """Do it once in every way."""
        raise NotImplementedError

    def ratio(self, one: str, other: str) -> float:
        """How often the one takes as long as the other."""
        return statistics.median(self.seconds[one]) / statistics.median(self.seconds[other])

    def lines(self) -> Iterator[str]:
        """Lines of the table."""
        for who, taken in self.seconds.items():
            what, _, way = who.rpartition(": ")
            ours = statistics.median(self.seconds[f"{what}: ours" if what else "ours"])
            median = statistics.median(taken)
            yield f"| {what or self.name} | {way} | {median:.2f} | {min(taken):.2f} | {median / ours:.2f} |"


class Listing(Job):
    """Every node of the cluster."""

    def __init__(self, given: RuntimeSettings) -> None:
        super().__init__(given, name="list")

    def run(self) -> None:
        """List in both ways."""
        nodes = self.measure(
            "ours", lambda: asyncio.run(ours(self.settings, lambda manager: manager.list_nodes()))
        )
        plain = self.measure("plain SDK, paginator", lambda: listed(self.settings))
        if {node.id for node in nodes} != set(plain):
            raise SystemExit("the two do not list the same nodes")


class Churn(Job):
    """Some nodes created, and removed again."""

    def __init__(self, given: RuntimeSettings, count: int) -> None:
        super().__init__(given)
        self.count = count

    def run(self) -> None:
        """Create and remove in every way."""
        asyncio.run(ours(self.settings, self._ours))
        self._plain(1, "plain SDK, one after the other")
        self._plain(THREADS, "plain SDK, in threads")

    def _plain(self, threads: int, way: str) -> None:
        ec2 = client()
        with ThreadPoolExecutor(threads) as pool:
            ids = self.measure(
                f"create {self.count}: {way}",
                lambda: list(pool.map(lambda _: created(ec2, self.settings), range(self.count))),
            )
            self.measure(f"remove {self.count}: {way}", lambda: removed(ec2, ids, pool))

    async def _ours(self, manager: Any) -> None:
        start = time.perf_counter()
        nodes = await asyncio.gather(
            *(manager.create_node(NodeSpec(token=new_token())) for _ in range(self.count))
        )
        made = time.perf_counter()
        await asyncio.gather(*(manager.terminate_node(node.id) for node in nodes))
        gone = time.perf_counter()
        self.seconds.setdefault(f"create {self.count}: ours", []).append(made - start)
        self.seconds.setdefault(f"remove {self.count}: ours", []).append(gone - made)


async def ours(given: RuntimeSettings, do: Callable[[Any], Any]) -> Any:
    """Do something with a manager; it looks again every tenth of a second, as plain calls do."""
    manager = registry.connect(given, Patience(poll_seconds=0.1))
    try:
        return await do(manager)
    finally:
        await manager.close()


def client() -> Any:
    """A plain client of EC2."""
    return boto3.Session().client("ec2", region_name="us-west-2")


def listed(given: RuntimeSettings) -> list[str]:
    """Ids of the cluster's instances, as a script gets them."""
    pages = (
        client()
        .get_paginator("describe_instances")
        .paginate(
            Filters=[{"Name": "tag:aether-cluster", "Values": [given.cluster_name]}],
            PaginationConfig={"PageSize": 1000},
        )
    )
    return [
        each["InstanceId"] for page in pages for group in page["Reservations"] for each in group["Instances"]
    ]


def created(ec2: Any, given: RuntimeSettings) -> str:
    """An instance of the template, as a script makes it."""
    tags = [{"Key": key, "Value": value} for key, value in given.tags.items()]
    interface = {
        "DeviceIndex": 0,
        "SubnetId": given.facts["subnet_ids"][0],
        "Groups": given.facts["security_group_ids"],
    }
    answer = ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        LaunchTemplate={"LaunchTemplateId": given.facts["launch_template_id"]},
        NetworkInterfaces=[interface],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    return str(answer["Instances"][0]["InstanceId"])


def removed(ec2: Any, ids: Sequence[str], pool: ThreadPoolExecutor) -> None:
    """Terminate, and look until all are gone."""
    list(pool.map(lambda one: ec2.terminate_instances(InstanceIds=[one]), ids))
    while True:
        pages = ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-id", "Values": list(ids)}]
        )
        states = [
            each["State"]["Name"]
            for page in pages
            for group in page["Reservations"]
            for each in group["Instances"]
        ]
        if set(states) <= {"terminated"}:
            return
        time.sleep(0.1)


def settings() -> RuntimeSettings:
    """The cluster that the fake has."""
    sys.path.insert(0, str(SUPPORT))
    from fake_aws import SECURITY_GROUP, SUBNETS, TEMPLATE  # noqa: PLC0415

    facts = {
        "provider": "aws",
        "compute": "ec2",
        "region": "us-west-2",
        "cluster_name": "aether",
        "core_nodes": 3,
        "min_nodes": 3,
        "max_nodes": 20_000,
        "ports": {"management": 8080, "cluster": 8090},
        "tags": {"aether-cluster": "bench-only", "managed-by": "aether-infra"},
        "launch_template_id": TEMPLATE,
        "subnet_ids": list(SUBNETS),
        "security_group_ids": [SECURITY_GROUP],
    }
    return parse_settings(json.dumps(facts))


@contextmanager
def fake(nodes: int, latency_ms: float) -> Iterator[str]:
    """The fake, in a process of its own; gives its address."""
    command = [sys.executable, __file__, "--serve", "--nodes", str(nodes), "--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield str(server.stdout and server.stdout.readline()).strip()
        finally:
            server.terminate()


def serve(nodes: int, latency_seconds: float) -> None:
    """Serve until it is ended."""
    sys.path.insert(0, str(SUPPORT))
    from fake_aws import SUBNETS, FakeAws  # noqa: PLC0415
    from fake_cloud_server import FakeCloudServer  # noqa: PLC0415

    cloud = FakeAws()
    zones = list(SUBNETS.values())
    for number in range(nodes):
        tags = {
            "aether-cluster": "aether",
            "aether-role": "worker",
            "aether-port": "8090",
            "aether-token": f"n{number}",
        }
        cloud.add(zone=zones[number % len(zones)], tags=tags)
    server = FakeCloudServer(cloud)
    server.latency_seconds = latency_seconds
    print(server.url, flush=True)
    time.sleep(FOREVER)


if __name__ == "__main__":
    main()
