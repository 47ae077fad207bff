"""The instances of a cluster: run, read, terminated. What EC2 does not show yet is remembered."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from attrs import evolve

from aether_infra.core import tags as keys
from aether_infra.runtime.aws import instance
from aether_infra.runtime.aws.errors import translate
from aether_infra.runtime.aws.lookup import Lookup
from aether_infra.runtime.aws.place import Ec2Place
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.machines import is_node_of
from aether_infra.runtime.model import NodeInstance, NodeSpec
from aether_infra.runtime.retry import Clock
from aether_infra.runtime.settings import RuntimeSettings

INSTANCE_ID: Final = r"i-[0-9a-f]{8,17}"
"""Form of an instance's id; anything else is none."""
PAGE: Final = 1000
"""Most instances of a page:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html (as of 2026-11)."""
LAG_SECONDS: Final = 120.0
"""How long EC2 may not show an instance that it has made; mostly it is a second or two:
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html (as of 2026-11)."""
TAGGED: Final = ("instance", "network-interface", "volume")
"""What a creation makes, and tags."""


class Instances:
    """EC2's instances that carry the cluster's tag.

    Args:
        settings: the cluster.
        place: what they are made from.
        call: how EC2 is called.
        ec2: its client.
        clock: tells how long an instance has been there.
    """

    def __init__(
        self, settings: RuntimeSettings, place: Ec2Place, call: Calls, ec2: Any, clock: Clock
    ) -> None:
        self._settings = settings
        self._place = place
        self._call = call
        self._ec2 = ec2
        self._clock = clock
        self._by_id = Lookup(partial(self._look, "instance-id"))
        self._by_token = Lookup(partial(self._look, f"tag:{keys.TOKEN}"))
        self._fresh: dict[str, tuple[float, NodeInstance]] = {}
        self._spot_template: bool | None = None
        self._learning = asyncio.Lock()
        self.subnets: dict[str, str] = {}
        """Subnet of each zone, once `learn_zones` has been called."""

    async def learn_zones(self) -> Mapping[str, str]:
        """Read, once, which zone each subnet is in."""
        async with self._learning:
            if not self.subnets:
                ids = list(self._place.subnet_ids)
                answer = await self._call(
                    "reading the subnets", partial(self._ec2.describe_subnets, SubnetIds=ids)
                )
                zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in answer["Subnets"]}
                # of several in one zone the first counts
                self.subnets.update({zones[subnet_id]: subnet_id for subnet_id in reversed(ids)})
        return self.subnets

    async def template_is_spot(self) -> bool:
        """Whether the launch template asks for spot capacity; read once."""
        if self._spot_template is None:
            answer = await self._call(
                "reading the launch template",
                partial(
                    self._ec2.describe_launch_template_versions,
                    LaunchTemplateId=self._place.launch_template_id,
                    Versions=["$Default"],
                ),
            )
            [version] = answer["LaunchTemplateVersions"]
            options = version["LaunchTemplateData"].get("InstanceMarketOptions", {})
            self._spot_template = options.get("MarketType") == "spot"
        return self._spot_template

    async def run(self, spec: NodeSpec, zone: str, tags: Mapping[str, str]) -> NodeInstance:
        """Run one instance in one zone; the same again returns the same."""
        request = self._request(spec, zone, tags)
        answer = await self._call(
            f"creating an instance in {zone}", partial(self._ec2.run_instances, **request)
        )
        node = instance.node(answer["Instances"][0])
        self._fresh[node.id] = (self._clock.now() + LAG_SECONDS, node)
        return node

    def terminate(self, node_id: str) -> None:
        """Terminate, and do not wait for it; blocks. What there is not is left at that."""
        try:
            self._ec2.terminate_instances(InstanceIds=[node_id])
        except Exception as error:
            ours = translate(error, f"terminating {node_id}")
            if not isinstance(ours, NotFound):
                raise

    async def get(self, node_id: str) -> NodeInstance | None:
        """An instance of that id, whosever it is; None for none."""
        if not re.fullmatch(INSTANCE_ID, node_id):
            return None
        found = await self._by_id(node_id)
        return found[0] if found else self._remembered().get(node_id)

    async def of_token(self, token: str) -> list[NodeInstance]:
        """This cluster's instances that were made for a token, in any state."""
        found = {node.id: node for node in await self._by_token(token)}
        for node in self._remembered().values():
            if node.token == token:
                found.setdefault(node.id, node)
        return [node for node in found.values() if is_node_of(self._settings.cluster_name, node.tags)]

    async def all(self) -> list[NodeInstance]:
        """This cluster's instances, in any state, unsorted."""
        filters = [
            {"Name": f"tag:{keys.CLUSTER}", "Values": [self._settings.cluster_name]},
            {"Name": "tag-key", "Values": [keys.ROLE]},
        ]
        found = {node.id: node for node in await self._describe(filters)}
        return list({**self._remembered(), **found}.values())

    async def with_interruptions(self, nodes: Sequence[NodeInstance]) -> list[NodeInstance]:
        """The nodes with when they are taken back: spot notices, and scheduled events that end them.

        What announces nothing is not in the answers, so that these are short however many nodes there are.
        """
        events = [{"Name": "event.code", "Values": list(instance.LAST_EVENTS)}]
        statuses = await self._pages("describe_instance_status", "InstanceStatuses", events)
        requests: list[Any] = []
        if any(node.spot and node.state.alive for node in nodes):
            marked = [{"Name": "status-code", "Values": list(instance.TAKEN_BACK)}]
            requests = await self._pages("describe_spot_instance_requests", "SpotInstanceRequests", marked)
        ends = instance.interruptions(requests, statuses)
        return [evolve(node, interruption_at=ends[node.id]) if node.id in ends else node for node in nodes]

    async def close(self) -> None:
        """Give up looks that are under way."""
        await self._by_id.close()
        await self._by_token.close()

    def _request(self, spec: NodeSpec, zone: str, tags: Mapping[str, str]) -> dict[str, Any]:
        pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        request: dict[str, Any] = {
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": f"{spec.token}-{zone}",
            "LaunchTemplate": {
                "LaunchTemplateId": self._place.launch_template_id,
                "Version": "$Default",
            },
            # the template has an interface: a subnet beside it would be refused, so the whole interface is given
            "NetworkInterfaces": [
                {
                    "DeviceIndex": 0,
                    "SubnetId": self.subnets[zone],
                    "Groups": list(self._place.security_group_ids),
                    "AssociatePublicIpAddress": False,
                    "DeleteOnTermination": True,
                }
            ],
            "TagSpecifications": [{"ResourceType": kind, "Tags": pairs} for kind in TAGGED],
        }
        if spec.size:
            request["InstanceType"] = spec.size
        if spec.spot:
            request["InstanceMarketOptions"] = {
                "MarketType": "spot",
                "SpotOptions": {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"},
            }
        return request

    def _remembered(self) -> dict[str, NodeInstance]:
        """Instances that EC2 may not show yet."""
        now = self._clock.now()
        self._fresh = {key: item for key, item in self._fresh.items() if item[0] > now}
        return {key: node for key, (_, node) in self._fresh.items()}

    async def _look(self, name: str, values: Sequence[str]) -> Mapping[str, list[NodeInstance]]:
        """What each of some ids or tokens finds."""
        found = defaultdict(list)
        for node in await self._describe([{"Name": name, "Values": list(values)}]):
            found[node.id if name == "instance-id" else node.token].append(node)
        return found

    async def _describe(self, filters: list[dict[str, Any]]) -> list[NodeInstance]:
        reservations = await self._pages("describe_instances", "Reservations", filters)
        return [instance.node(each) for group in reservations for each in group["Instances"]]

    async def _pages(self, operation: str, key: str, filters: list[dict[str, Any]]) -> list[Any]:
        """All pages; a page that fails is tried again by itself."""
        found: list[Any] = []
        more: dict[str, str] = {}
        while True:
            doing = operation.replace("_", " ").replace("describe", "reading")
            answer = await self._call(
                doing, partial(getattr(self._ec2, operation), Filters=filters, MaxResults=PAGE, **more)
            )
            found.extend(answer[key])
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}
