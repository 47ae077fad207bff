"""Amazon EC2 as moto has it, in server mode."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen
from aws_clients import SharedClients
from cloud_world import CLUSTER, DOMAIN, OTHER, Can, Machine, Step, common_facts

from aether_infra.catalog.manager_rights import RIGHTS

if TYPE_CHECKING:
    from moto_cloud import MotoCloud

CONCERNS = ("application", "management")
SERVICES = {"elbv2": "elasticloadbalancing"}
STEPS = {
    Step.CREATE: {"RunInstances"},
    Step.TERMINATE: {"TerminateInstances"},
    Step.LIST: {"DescribeInstances"},
    Step.TAG: {"CreateTags"},
    Step.REGISTER: {"RegisterTargets"},
    Step.DEREGISTER: {"DeregisterTargets"},
    Step.TARGETS: {"DescribeTargetHealth"},
    Step.DNS: {"ChangeResourceRecordSets"},
}


@cache
def client(service: str) -> Any:
    """A client that goes to moto directly, past the faults."""
    import boto3
    from moto_cloud import moto_url

    return boto3.client(
        service,
        region_name="us-west-2",
        endpoint_url=moto_url(),
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - moto's
    )


@frozen(kw_only=True)
class Place:
    """What Layer 1 would have left; made once, as moto begins with a network."""

    subnets: Mapping[str, str]
    """Subnet of each zone."""
    security_group: str
    template: str
    target_groups: Mapping[str, str]
    zone_id: str


@cache
def place() -> Place:
    ec2, elbv2, route53 = client("ec2"), client("elbv2"), client("route53")
    subnets = ec2.describe_subnets()["Subnets"]
    group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    data = {
        "ImageId": "ami-12c6146b",
        "InstanceType": "m6i.large",
        "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": [group]}],
    }
    template = ec2.create_launch_template(LaunchTemplateName="elastic", LaunchTemplateData=data)
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="x")["HostedZone"]
    target_groups = {
        concern: elbv2.create_target_group(
            Name=f"aether-{concern}",
            Protocol="HTTP",
            Port=8070,
            VpcId=subnets[0]["VpcId"],
            TargetType="instance",
        )["TargetGroups"][0]["TargetGroupArn"]
        for concern in CONCERNS
    }
    return Place(
        subnets={each["AvailabilityZone"]: each["SubnetId"] for each in subnets},
        security_group=group,
        template=template["LaunchTemplate"]["LaunchTemplateId"],
        target_groups=target_groups,
        zone_id=zone["Id"].rpartition("/")[2],
    )


class MotoWorld(SharedClients):
    name = "aws-ec2-moto"
    region = "us-west-2"
    zones = ("us-west-2a", "us-west-2b", "us-west-2c")
    size = "m6i.xlarge"
    unknown = "i-0fedcba9876543210"
    rights = RIGHTS["aws", "ec2"]
    unneeded = frozenset({"route53:GetChange"})
    credentials = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
    no_credentials: ClassVar[Mapping[str, str]] = {"AWS_EC2_METADATA_DISABLED": "true"}
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.TOKENS: "moto makes a second instance for a client token",
        Can.HIDES: "moto shows an instance at once",
        Can.PENDING: "moto's instances run at once",
        Can.STOPPING: "moto's instances end at once",
        Can.DRAINS: "moto drops a target at once",
        Can.PROBES: "moto's targets are all healthy",
        Can.DNS_PENDING: "moto's changes are in sync at once",
        Can.INTERRUPTS: "moto announces nothing",
        Can.CRASHES: "moto takes seconds for what takes the other fake a tenth of it",
        Can.PAGES: "moto's pages are as long as asked for",
    }

    def __init__(self) -> None:
        from fake_cloud_server import FakeCloudServer
        from moto_cloud import MotoCloud, moto_url, reset

        super().__init__()
        self._place = place()
        reset(moto_url())
        self.cloud: MotoCloud = MotoCloud()
        self.cloud.zones = {subnet_id: zone for zone, subnet_id in self._place.subnets.items()}
        self.server = FakeCloudServer(self.cloud)
        for number, zone in enumerate(self.zones, 1):
            self.register(self._run(_tags(CLUSTER, "core", f"node-{number}"), zone))
        self.add(cluster=OTHER)
        self.add(cluster=None)

    def _run(self, tags: Mapping[str, str], zone: str) -> str:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        answer = client("ec2").run_instances(
            ImageId="ami-12c6146b",
            InstanceType="m6i.large",
            MinCount=1,
            MaxCount=1,
            SubnetId=self._place.subnets[zone],
            **({"TagSpecifications": [{"ResourceType": "instance", "Tags": pairs}]} if pairs else {}),
        )
        return str(answer["Instances"][0]["InstanceId"])

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @classmethod
    def available(cls) -> str:
        from moto_cloud import moto_python

        return "" if moto_python() else "no moto_server: make tools"

    def facts(self) -> dict[str, Any]:
        return common_facts(
            provider="aws",
            compute="ec2",
            region=self.region,
            launch_template_id=self._place.template,
            subnet_ids=[self._place.subnets[zone] for zone in self.zones],
            security_group_ids=[self._place.security_group],
            target_group_arns=self._place.target_groups,
            dns={"zone_id": self._place.zone_id, "domain": DOMAIN},
        )

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(STEPS[step])

    def machines(self) -> dict[str, Machine]:
        reservations = client("ec2").describe_instances()["Reservations"]
        instances = [instance for group in reservations for instance in group["Instances"]]
        return {each["InstanceId"]: _machine(each) for each in instances}

    def targets(self) -> dict[str, str]:
        groups = [
            {each["Target"]["Id"] for each in _health(arn)} for arn in self._place.target_groups.values()
        ]
        return dict.fromkeys(set.intersection(*groups), "registered")

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        answer = client("route53").list_resource_record_sets(HostedZoneId=self._place.zone_id)
        return {
            (each["Name"].rstrip("."), each["Type"]): (
                tuple(_value(record["Value"]) for record in each["ResourceRecords"]),
                each["TTL"],
            )
            for each in answer["ResourceRecordSets"]
            if each["Type"] not in {"NS", "SOA"}
        }

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        tags = {} if cluster is None else _tags(cluster, "worker")
        return [self._run(tags, self.zones[number % len(self.zones)]) for number in range(count)]

    def register(self, node_id: str) -> None:
        for arn in self._place.target_groups.values():
            client("elbv2").register_targets(TargetGroupArn=arn, Targets=[{"Id": node_id}])

    def rights_used(self) -> set[str]:
        used = set()
        for call in self.calls():
            question = self.cloud.question(call.request)
            used.add(f"{SERVICES.get(question.service, question.service)}:{question.operation}")
        return used

    async def close(self) -> None:
        await super().close()
        self.cloud.close()


def _tags(cluster: str, role: str, node_id: str = "") -> dict[str, str]:
    tags = {"aether-cluster": cluster, "aether-role": role, "aether-port": "8090"}
    return tags | ({"aether-node-id": node_id} if node_id else {})


def _machine(instance: Mapping[str, Any]) -> Machine:
    state = instance["State"]["Name"]
    return Machine(
        id=instance["InstanceId"],
        zone=instance["Placement"]["AvailabilityZone"],
        size=instance["InstanceType"],
        spot=instance.get("InstanceLifecycle") == "spot",
        tags={tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())},
        alive=state in {"pending", "running"},
        gone=state == "terminated",
    )


def _health(arn: str) -> list[Any]:
    descriptions: list[Any] = client("elbv2").describe_target_health(TargetGroupArn=arn)[
        "TargetHealthDescriptions"
    ]
    return descriptions


def _value(text: str) -> str:
    """A value as others write it: without the quotes of a TXT value."""
    if not text.startswith('"'):
        return text
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")


WORLDS = (MotoWorld,)
