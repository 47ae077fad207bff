"""Amazon Web Services: instances, and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from aws_clients import SharedClients
from cloud_world import CLUSTER, DOMAIN, OTHER, Can, Machine, Step, common_facts

from aether_infra.catalog.manager_rights import RIGHTS

if TYPE_CHECKING:
    from fake_aws import FakeAws, FakeInstance

GROUPS = {
    concern: f"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/aether-{concern}/0123456789abcdef"
    for concern in ("application", "management")
}
STEPS = {
    Step.CREATE: {"RunInstances"},
    Step.TERMINATE: {"TerminateInstances"},
    Step.LIST: {"DescribeInstances", "ListTasks", "DescribeTasks"},
    Step.TAG: {"CreateTags"},
    Step.REGISTER: {"RegisterTargets"},
    Step.DEREGISTER: {"DeregisterTargets"},
    Step.TARGETS: {"DescribeTargetHealth"},
    Step.DNS: {"ChangeResourceRecordSets"},
}
SERVICES = {"elbv2": "elasticloadbalancing"}
"""Names of services in rights, where they differ from the SDK's."""


def node_tags(cluster: str, role: str, node_id: str = "") -> dict[str, str]:
    tags = {
        "aether-cluster": cluster,
        "aether-role": role,
        "aether-port": "8090",
        "managed-by": "aether-infra",
    }
    return tags | ({"aether-node-id": node_id} if node_id else {})


class AwsWorld(SharedClients):
    region = "us-west-2"
    credentials = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
    no_credentials: ClassVar[Mapping[str, str]] = {"AWS_EC2_METADATA_DISABLED": "true"}
    steps: ClassVar[Mapping[Step, set[str]]] = STEPS

    def __init__(self) -> None:
        from fake_aws import FakeAws
        from fake_cloud_server import FakeCloudServer

        super().__init__()
        self.cloud: FakeAws = FakeAws()
        self.server = FakeCloudServer(self.cloud)
        for name in GROUPS.values():
            self.cloud.groups[name] = {}
        self.cloud.records[f"{DOMAIN}.", "A"] = {
            "Name": f"{DOMAIN}.",
            "Type": "A",
            "TTL": 60,
            "ResourceRecords": [{"Value": "10.9.9.9"}],
        }

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def facts(self) -> dict[str, Any]:
        from fake_aws import SECURITY_GROUP, SUBNETS, ZONE_ID

        return common_facts(
            provider="aws",
            region=self.region,
            network_id="vpc-0123456789abcdef0",
            subnet_ids=list(SUBNETS),
            security_group_ids=[SECURITY_GROUP],
            target_group_arns=dict(GROUPS),
            dns={"zone_id": ZONE_ID, "domain": DOMAIN},
        )

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(self.steps[step])

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        return {
            (name.rstrip("."), kind): (
                tuple(_value(each["Value"]) for each in record["ResourceRecords"]),
                record["TTL"],
            )
            for (name, kind), record in self.cloud.records.items()
        }

    def rights_used(self) -> set[str]:
        used = set()
        for call in self.calls():
            question = self.cloud.question(call.request)
            used.add(f"{SERVICES.get(question.service, question.service)}:{question.operation}")
        return used


class Ec2World(AwsWorld):
    name = "aws-ec2"
    zones = ("us-west-2a", "us-west-2b", "us-west-2c")
    size = "m6i.xlarge"
    unknown = "i-0fedcba9876543210"
    rights = RIGHTS["aws", "ec2"]

    def __init__(self) -> None:
        super().__init__()
        for number, zone in enumerate(self.zones, 1):
            node = self.cloud.add(zone=zone, tags=node_tags(CLUSTER, "core", f"node-{number}"))
            self.register(node.id)
        self.add(cluster=OTHER)
        self.add(cluster=None)

    def facts(self) -> dict[str, Any]:
        from fake_aws import TEMPLATE

        return super().facts() | {"compute": "ec2", "launch_template_id": TEMPLATE}

    def machines(self) -> dict[str, Machine]:
        return {key: _machine(each) for key, each in self.cloud.instances.items()}

    def targets(self) -> dict[str, str]:
        groups = self.cloud.groups.values()
        everyone = {target for group in groups for target in group}
        return {
            target: "draining" if any(group.get(target, 0) is not None for group in groups) else "registered"
            for target in everyone
        }

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        tags = {} if cluster is None else node_tags(cluster, "worker")
        return [
            self.cloud.add(zone=self.zones[number % len(self.zones)], tags=tags).id for number in range(count)
        ]

    def register(self, node_id: str) -> None:
        for group in self.cloud.groups.values():
            group[node_id] = None

    def interrupt(self, node_id: str) -> datetime | None:
        notice = datetime.now(UTC).replace(microsecond=0)
        self.cloud.instances[node_id].interrupted = notice
        return notice + timedelta(minutes=2)


class EcsWorld(AwsWorld):
    name = "aws-ecs"
    unknown = "f" * 32
    rights = RIGHTS["aws", "fargate"]
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.MACHINES: "an ECS service has a number",
        Can.ZONES: "ECS spreads tasks over the service's subnets",
        Can.SIZES: "the task definition has the size",
        Can.SPOT: "the service's capacity provider decides",
        Can.TAGS: "the scheduler makes the tasks; the token is put on the one that came",
        Can.QUOTA: "ECS takes any number, and tells of the limit in the service's events",
        Can.CORE_ENDS: "the service of a core node makes its task anew",
        Can.INTERRUPTS: "ECS does not announce it in its API; the task gets a signal",
    }
    steps = STEPS | {
        Step.CREATE: {"UpdateService"},
        Step.TERMINATE: {"UpdateService", "StopTask"},
        Step.TAG: {"TagResource"},
    }

    def __init__(self) -> None:
        from fake_aws_ecs import FakeService

        super().__init__()
        groups = tuple(GROUPS.values())
        ecs = self.cloud.ecs
        for number in (1, 2, 3):
            name, tags = f"aether-node-{number}", node_tags(CLUSTER, "core", f"node-{number}")
            ecs.services[name] = FakeService(name, 1, tags, groups)
        ecs.services["aether-elastic"] = FakeService(
            "aether-elastic", 0, node_tags(CLUSTER, "worker"), groups
        )
        ecs.control()
        self.add(cluster=OTHER)
        self.add(cluster=None)

    def facts(self) -> dict[str, Any]:
        from fake_aws_ecs import CLUSTER_ARN

        return super().facts() | {
            "compute": "fargate",
            "ecs_cluster_arn": CLUSTER_ARN,
            "ecs_elastic_service": "aether-elastic",
            "ecs_core_services": {f"node-{number}": f"aether-node-{number}" for number in (1, 2, 3)},
        }

    def machines(self) -> dict[str, Machine]:
        return {
            key: Machine(
                id=key,
                zone=task.zone,
                tags=dict(task.tags),
                alive=task.wanted == "RUNNING",
                gone=task.status == "STOPPED",
            )
            for key, task in self.cloud.ecs.tasks.items()
        }

    def desired(self) -> int:
        return self.cloud.ecs.services["aether-elastic"].desired

    def targets(self) -> dict[str, str]:
        groups = self.cloud.groups.values()
        everyone = {target for group in groups for target in group}
        return {
            self.cloud.ecs.task_at(target): "draining"
            if any(group.get(target, 0) is not None for group in groups)
            else "registered"
            for target in everyone
        }

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        ecs = self.cloud.ecs
        if cluster == CLUSTER:
            before = set(ecs.tasks)
            ecs.services["aether-elastic"].desired += count
            ecs.control()
            return [key for key in ecs.tasks if key not in before]
        tags = {} if cluster is None else node_tags(cluster, "worker")
        return [ecs.add("", tags).id for _ in range(count)]


def _machine(instance: FakeInstance) -> Machine:
    return Machine(
        id=instance.id,
        zone=instance.zone,
        size=instance.size,
        spot=instance.spot,
        tags=dict(instance.tags),
        alive=instance.state in {"pending", "running"},
        gone=instance.state == "terminated",
    )


def _value(text: str) -> str:
    """A value as others write it: without the quotes of a TXT value."""
    if not text.startswith('"'):
        return text
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")


WORLDS = (Ec2World, EcsWorld)
