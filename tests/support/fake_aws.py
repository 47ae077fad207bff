"""A fake AWS: EC2, ECS, ELBv2 and Route 53, as far as the runtime manager goes, with what moto lacks.

Client tokens, pending and stopping states, draining targets, lists that lag behind, zones without stock.
"""

# ruff: noqa: N802, N803 - the methods and arguments are named as AWS names them

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define
from cloud_world import Effect
from fake_aws_ecs import FakeEcs
from fake_aws_wire import Asked, Refusal, answered, asked, refused
from fake_cloud_server import FakeCloud, Reply, Request

REGION = "us-west-2"
SUBNETS = {"subnet-a": "us-west-2a", "subnet-b": "us-west-2b", "subnet-c": "us-west-2c"}
TEMPLATE = "lt-0123456789abcdef0"
SECURITY_GROUP = "sg-0123456789abcdef0"
SIZES = ("m6i.large", "m6i.xlarge", "c6i.large")
ZONE_ID = "Z0123456789ABCDEFGHIJ"
REFUSALS: Mapping[Effect, Mapping[str, tuple[int, str, str]]] = {
    Effect.THROTTLED: {
        "ec2": (503, "RequestLimitExceeded", "Request limit exceeded."),
        "ecs": (400, "ThrottlingException", "Rate exceeded"),
        "elbv2": (400, "Throttling", "Rate exceeded"),
        "route53": (400, "PriorRequestNotComplete", "The request was rejected"),
    },
    Effect.UNAVAILABLE: {
        "ec2": (500, "InternalError", "An internal error has occurred"),
        "ecs": (500, "ServerException", "Service Unavailable. Please try again later."),
        "elbv2": (503, "NobodyKnowsThisCode", "Service Unavailable"),
        "route53": (503, "ServiceUnavailable", "Service Unavailable"),
    },
    Effect.DENIED: {
        "ec2": (
            403,
            "UnauthorizedOperation",
            "You are not authorized to perform this operation. Encoded authorization failure message: "
            + "x" * 900,
        ),
        "ecs": (400, "AccessDeniedException", "User is not authorized to perform: ecs:UpdateService"),
        "elbv2": (403, "AccessDenied", "User is not authorized to perform: elasticloadbalancing"),
        "route53": (403, "AccessDenied", "User is not authorized to perform: route53"),
    },
    Effect.QUOTA: {
        "ec2": (
            400,
            "VcpuLimitExceeded",
            "You have requested more vCPU capacity than your current vCPU limit",
        ),
    },
    Effect.INVALID: {
        "ec2": (400, "InvalidParameterValue", "Value () for parameter groupId is invalid."),
        "ecs": (400, "InvalidParameterException", "The specified capacity provider is not there."),
    },
    Effect.CONFLICT: {
        "ec2": (400, "ConcurrentTagAccess", "Simultaneous calls"),
        "ecs": (400, "UpdateInProgressException", "There is already an update in progress"),
    },
}
"""How each service says it: status, code, message."""


@define
class FakeInstance:
    """An instance."""

    id: str
    zone: str
    size: str
    address: str
    tags: dict[str, str]
    launched: datetime
    spot: bool = False
    client_token: str = ""
    state: str = "running"
    looks: int = 0
    """Looks until a pending one runs, or a stopping one is gone."""
    hidden_lists: int = 0
    hidden_gets: int = 0
    protected: bool = False
    interrupted: datetime | None = None
    """When the notice came (spot)."""
    event: tuple[str, datetime, str] | None = None
    """Code, not-before and description of a scheduled event."""

    def look(self) -> None:
        if self.state in {"pending", "shutting-down"}:
            if self.looks > 0:
                self.looks -= 1
            else:
                self.state = "running" if self.state == "pending" else "terminated"

    def described(self, state: str | None = None) -> dict[str, Any]:
        return {
            "InstanceId": self.id,
            "InstanceType": self.size,
            "LaunchTime": self.launched,
            "Placement": {"AvailabilityZone": self.zone},
            "PrivateIpAddress": None if self.state == "terminated" else self.address,
            "State": {"Code": 0, "Name": state or self.state},
            "InstanceLifecycle": "spot" if self.spot else None,
            "ClientToken": self.client_token,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }


class FakeAws(FakeCloud):
    """One account in one region."""

    def __init__(self, *, spot_template: bool = False) -> None:
        super().__init__()
        self.instances: dict[str, FakeInstance] = {}
        self.spot_template = spot_template
        self.runs: dict[str, tuple[str, str]] = {}
        """Client token → arguments, instance."""
        self.groups: dict[str, dict[str, int | None]] = {}
        """Target group → target → looks until it has drained; None for registered."""
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        self.changes: dict[str, int] = {}
        self.ecs = FakeEcs(self.behaviour, self.groups)
        self._number = 0
        self._last: tuple[Request, Asked] | None = None
        self._began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)

    # ------------------------------------------------------------------ as a server

    def operation(self, request: Request) -> str:
        return self.question(request).operation

    def question(self, request: Request) -> Asked:
        """What a request asks; read once for each."""
        if self._last is None or self._last[0] is not request:
            self._last = (request, asked(request))
        return self._last[1]

    def answer(self, request: Request) -> Reply:
        question = self.question(request)
        place: Any = self.ecs if question.service == "ecs" else self
        do: Callable[..., Mapping[str, Any]] = getattr(place, f"do_{question.operation}")
        try:
            return answered(question, do(**question.arguments))
        except Refusal as refusal:
            return refused(question.service, refusal.status, refusal.code, refusal.message)

    def refusal(self, effect: Effect, request: Request, retry_after: float | None) -> Reply:
        service = self.question(request).service
        return refused(service, *REFUSALS[effect][service], retry_after=retry_after)

    # ------------------------------------------------------------------ EC2

    def add(self, *, zone: str, tags: Mapping[str, str], **given: Any) -> FakeInstance:
        """An instance that runs, unless it is told otherwise."""
        self._number += 1
        instance = FakeInstance(
            id=f"i-{self._number:017x}",
            zone=zone,
            address=f"10.0.{self._number // 200}.{self._number % 200 + 10}",
            tags=dict(tags),
            launched=self._began + timedelta(seconds=self._number),
            size=given.pop("size", SIZES[0]),
            **given,
        )
        self.instances[instance.id] = instance
        return instance

    def do_RunInstances(self, **given: Any) -> Mapping[str, Any]:
        token = given.pop("ClientToken")
        arguments = json.dumps(given, sort_keys=True)
        if token in self.runs:
            before, known = self.runs[token]
            if before != arguments:
                raise Refusal(400, "IdempotentParameterMismatch", "The request uses the same client token")
            if self.instances[known].state == "terminated":
                raise Refusal(
                    400, "IdempotentInstanceTerminated", "The client token is of a terminated instance"
                )
            return {"Instances": [self.instances[known].described()]}
        instance = self._run(token, given)
        self.runs[token] = (arguments, instance.id)
        return {"Instances": [instance.described("pending")]}

    def _run(self, token: str, given: Mapping[str, Any]) -> FakeInstance:
        template = given["LaunchTemplate"]
        if template["LaunchTemplateId"] != TEMPLATE:
            raise Refusal(400, "InvalidLaunchTemplateId.NotFound", "The template does not exist")
        if "SubnetId" in given or (given["MinCount"], given["MaxCount"]) != (1, 1):
            raise Refusal(400, "InvalidParameterCombination", "the template has an interface")
        [interface] = given["NetworkInterfaces"]
        zone = SUBNETS[interface["SubnetId"]]
        assert interface["Groups"] == [SECURITY_GROUP]
        size = given.get("InstanceType", SIZES[0])
        if size not in SIZES:
            raise Refusal(400, "InvalidParameterValue", f"Invalid value '{size}' for InstanceType.")
        if zone in self.behaviour.out_of_stock:
            raise Refusal(500, "InsufficientInstanceCapacity", f"We do not have sufficient {size} in {zone}")
        kinds = {each["ResourceType"]: each["Tags"] for each in given.get("TagSpecifications", ())}
        spot = self.spot_template or given.get("InstanceMarketOptions", {}).get("MarketType") == "spot"
        if "spot-instances-request" in kinds and not spot:
            raise Refusal(
                400, "InvalidParameterValue", "'spot-instances-request' is not a valid taggable type"
            )
        looks = self.behaviour.pending_looks
        return self.add(
            zone=zone,
            tags={tag["Key"]: tag["Value"] for tag in kinds.get("instance", ())},
            size=size,
            spot=spot,
            client_token=token,
            state="pending" if looks else "running",
            looks=looks,
            hidden_lists=self.behaviour.hidden_lists,
            hidden_gets=self.behaviour.hidden_gets,
        )

    def do_TerminateInstances(self, InstanceIds: list[str]) -> Mapping[str, Any]:
        for identity in InstanceIds:
            instance = self.instances.get(identity)
            if instance is None or instance.hidden_gets > 0:
                if instance is not None:
                    instance.hidden_gets -= 1
                raise Refusal(
                    400, "InvalidInstanceID.NotFound", f"The instance ID '{identity}' does not exist"
                )
            if instance.protected:
                raise Refusal(
                    400, "OperationNotPermitted", f"The instance '{identity}' may not be terminated."
                )
            if instance.state not in {"shutting-down", "terminated"}:
                instance.looks = self.behaviour.stopping_looks
                instance.state = "shutting-down" if instance.looks else "terminated"
                for group in self.groups.values():
                    group.pop(identity, None)
        changes = [{"InstanceId": identity} for identity in InstanceIds]
        return {"TerminatingInstances": changes}

    def do_DescribeInstances(self, **given: Any) -> Mapping[str, Any]:
        filters = given.get("Filters", ())
        found = [each for each in self.instances.values() if all(_matches(each, item) for item in filters)]
        shown = []
        for instance in found:
            if instance.hidden_lists > 0:
                instance.hidden_lists -= 1
            else:
                instance.look()
                shown.append(instance)
        page, token = self._page(shown, given)
        groups = [{"Instances": [instance.described()]} for instance in page]
        return {"Reservations": groups, "NextToken": token}

    def do_DescribeInstanceStatus(self, **given: Any) -> Mapping[str, Any]:
        codes = {value for item in given.get("Filters", ()) for value in item["Values"]}
        statuses = [
            {
                "InstanceId": each.id,
                "Events": [{"Code": each.event[0], "NotBefore": each.event[1], "Description": each.event[2]}],
            }
            for each in self.instances.values()
            if each.event and each.event[0] in codes and each.state == "running"
        ]
        page, token = self._page(statuses, given)
        return {"InstanceStatuses": page, "NextToken": token}

    def do_DescribeSpotInstanceRequests(self, **given: Any) -> Mapping[str, Any]:
        requests = [
            {
                "SpotInstanceRequestId": f"sir-{each.id[2:]}",
                "InstanceId": each.id,
                "Status": {"Code": "marked-for-termination", "UpdateTime": each.interrupted},
            }
            for each in self.instances.values()
            if each.interrupted
        ]
        page, token = self._page(requests, given)
        return {"SpotInstanceRequests": page, "NextToken": token}

    def do_DescribeSubnets(self, SubnetIds: list[str]) -> Mapping[str, Any]:
        return {"Subnets": [{"SubnetId": each, "AvailabilityZone": SUBNETS[each]} for each in SubnetIds]}

    def do_DescribeLaunchTemplateVersions(self, **_: Any) -> Mapping[str, Any]:
        data = {"InstanceMarketOptions": {"MarketType": "spot"}} if self.spot_template else {}
        version = {"LaunchTemplateId": TEMPLATE, "VersionNumber": 1, "LaunchTemplateData": data}
        return {"LaunchTemplateVersions": [version]}

    def _page(self, items: list[Any], given: Mapping[str, Any]) -> tuple[list[Any], str | None]:
        start = int(given.get("NextToken", 0))
        end = start + min(self.behaviour.page_size, given.get("MaxResults", 1000))
        return items[start:end], str(end) if end < len(items) else None

    # ------------------------------------------------------------------ ELBv2

    def do_RegisterTargets(self, TargetGroupArn: str, Targets: list[dict[str, str]]) -> Mapping[str, Any]:
        group = self._group(TargetGroupArn)
        for target in Targets:
            instance, task = self.instances.get(target["Id"]), self.ecs.task_at(target["Id"])
            if not task and (instance is None or instance.state != "running"):
                raise Refusal(400, "InvalidTarget", f"The following targets are not running: {target['Id']}")
            group[target["Id"]] = None
        return {}

    def do_DeregisterTargets(self, TargetGroupArn: str, Targets: list[dict[str, str]]) -> Mapping[str, Any]:
        group = self._group(TargetGroupArn)
        for target in Targets:
            if group.get(target["Id"], 0) is None:
                group[target["Id"]] = self.behaviour.drain_looks
                if not self.behaviour.drain_looks:
                    del group[target["Id"]]
        return {}

    def do_DescribeTargetHealth(
        self,
        TargetGroupArn: str,
        Targets: list[dict[str, str]] | None = None,
    ) -> Mapping[str, Any]:
        group = self._group(TargetGroupArn)
        wanted = list(group) if Targets is None else [target["Id"] for target in Targets]
        if Targets and not any(each in self.instances or self.ecs.task_at(each) for each in wanted):
            raise Refusal(400, "InvalidTarget", f"The following targets are not in the VPC: {wanted}")
        descriptions = []
        for target in wanted:
            health = self._health(group, target)
            descriptions.append({"Target": {"Id": target, "Port": 8070}, "TargetHealth": health})
        return {"TargetHealthDescriptions": descriptions}

    def _group(self, arn: str) -> dict[str, int | None]:
        if arn not in self.groups:
            raise Refusal(400, "TargetGroupNotFound", f"Target groups '{arn}' not found")
        return self.groups[arn]

    def _health(self, group: dict[str, int | None], target: str) -> dict[str, str]:
        if target not in group:
            return {"State": "unused", "Reason": "Target.NotRegistered"}
        left = group[target]
        if left is not None:
            if left <= 0:
                del group[target]
                return {"State": "unused", "Reason": "Target.NotRegistered"}
            group[target] = left - 1
            return {"State": "draining", "Reason": "Target.DeregistrationInProgress"}
        if {target, self.ecs.task_at(target)} & self.behaviour.unhealthy:
            return {
                "State": "unhealthy",
                "Reason": "Target.FailedHealthChecks",
                "Description": "failed with 503",
            }
        return {"State": "healthy"}

    # ------------------------------------------------------------------ Route 53

    def do_GetHostedZone(self, Id: str) -> Mapping[str, Any]:
        self._zone(Id)
        zone = {"Id": f"/hostedzone/{Id}", "Name": "example.com.", "CallerReference": "x"}
        return {"HostedZone": zone}

    def do_ListResourceRecordSets(self, **given: Any) -> Mapping[str, Any]:
        self._zone(given["HostedZoneId"])
        start = (_sorting(given.get("StartRecordName", "")), given.get("StartRecordType", ""))
        every = sorted(self.records, key=lambda key: (_sorting(key[0]), key[1]))
        keys = [key for key in every if (_sorting(key[0]), key[1]) >= start]
        size = self.behaviour.page_size
        more = keys[size : size + 1]
        following = {"NextRecordName": more[0][0], "NextRecordType": more[0][1]} if more else {}
        return {
            "ResourceRecordSets": [self.records[key] for key in keys[:size]],
            "IsTruncated": bool(more),
            "MaxItems": "300",
            **following,
        }

    def do_ChangeResourceRecordSets(
        self, HostedZoneId: str, ChangeBatch: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        self._zone(HostedZoneId)
        for change in ChangeBatch["Changes"]:
            given = change["ResourceRecordSet"]
            name = f"{given['Name'].rstrip('.')}.".replace("*", "\\052")
            record, key = {**given, "Name": name}, (name, given["Type"])
            if change["Action"] == "UPSERT":
                self.records[key] = record
            elif self.records.get(key) != record:
                raise Refusal(400, "InvalidChangeBatch", f"Tried to delete {name}, but it was not found")
            else:
                del self.records[key]
        identity = f"/change/C{len(self.changes)}"
        self.changes[identity] = self.behaviour.dns_looks
        return {"ChangeInfo": self._change(identity)}

    def do_GetChange(self, Id: str) -> Mapping[str, Any]:
        identity = f"/change/{Id.removeprefix('/change/')}"
        change = self._change(identity)
        self.changes[identity] -= 1
        return {"ChangeInfo": change}

    def _change(self, identity: str) -> Mapping[str, Any]:
        status = "PENDING" if self.changes[identity] > 0 else "INSYNC"
        return {"Id": identity, "Status": status, "SubmittedAt": datetime.now(UTC)}

    @staticmethod
    def _zone(identity: str) -> None:
        if identity.removeprefix("/hostedzone/") != ZONE_ID:
            raise Refusal(404, "NoSuchHostedZone", f"No hosted zone found with ID: {identity}")


def _matches(instance: FakeInstance, item: Mapping[str, Any]) -> bool:
    name, values = item["Name"], item["Values"]
    if name.startswith("tag:"):
        return instance.tags.get(name[4:]) in values
    if name == "tag-key":
        return bool(instance.tags.keys() & set(values))
    if name == "instance-id":
        return instance.id in values
    raise Refusal(400, "InvalidParameterValue", f"The filter '{name}' is invalid")


def _sorting(name: str) -> list[str]:
    """Route 53 sorts by the labels, the last one first."""
    return list(reversed(name.rstrip(".").split(".")))
