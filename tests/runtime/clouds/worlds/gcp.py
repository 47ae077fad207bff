"""Compute Engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cloud_world import CLUSTER, DOMAIN, OTHER, Can, HttpWorld, Machine, Step, common_facts
from fake_cloud_server import FakeCloudServer
from fake_gcp import PROJECT, RIGHTS, FakeGcp, Instance

from aether_infra.catalog import manager_rights

ZONES = ("europe-west4-a", "europe-west4-b", "europe-west4-c")
SERVICES = {"application": "aether-application", "management": "aether-management"}
STEPS = {
    Step.CREATE: {"instances_insert"},
    Step.TERMINATE: {"instances_delete"},
    Step.LIST: {"instances_aggregatedList", "instances_get"},
    Step.TAG: {"instances_setLabels"},
    Step.REGISTER: {"instanceGroups_addInstances"},
    Step.DEREGISTER: {"instanceGroups_removeInstances"},
    Step.TARGETS: {
        "backendServices_get", "backendServices_getHealth", "regionBackendServices_get",
        "regionBackendServices_getHealth",
    },
    Step.DNS: {"changes_create"},
}  # fmt: skip


def labels(cluster: str, role: str, node_id: str = "") -> dict[str, str]:
    named = {"aether-node-id": node_id} if node_id else {}
    return {"aether-cluster": cluster, "aether-role": role, "aether-port": "8090", **named}


class GcpWorld(HttpWorld):
    name = "gcp"
    region = "europe-west4"
    zones = ZONES
    size = "e2-standard-8"
    unknown = "aether-elastic-none"
    drain_seconds = 30
    # what is on loopback needs none: see test_gcp.py
    credentials: ClassVar[frozenset[str]] = frozenset()
    no_balancer: ClassVar[Mapping[str, Any]] = {"backend_services": {}, "elastic_instance_groups": {}}
    rights = manager_rights.RIGHTS["gcp", "vm"]
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.REMEMBERS: "an instance that is gone is in no list",
        Can.CORE_ENDS: "its managed group makes it anew",
        Can.DRAINS: "the manager waits by itself",
        Can.INTERRUPTS: "only the machine itself is told",
    }

    def __init__(self) -> None:
        super().__init__()
        self.cloud = FakeGcp(ZONES, "example.com.")
        self.server = FakeCloudServer(self.cloud)
        for zone in ZONES:
            self.cloud.groups[zone, f"aether-elastic-{zone}"] = set()
            self.cloud.groups[zone, f"aether-core-{zone}"] = set()
        for name in SERVICES.values():
            self.cloud.services[name] = sorted(self.cloud.groups)
        for index, zone in enumerate(ZONES, 1):
            core = self.cloud.add(
                f"aether-node-{index}", zone, labels(CLUSTER, "core", f"node-{index}"), managed=True
            )
            self.cloud.groups[zone, f"aether-core-{zone}"].add(core.id)
        self.add(cluster=OTHER)
        self.add(cluster=None)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": self.server.url,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_DNS": self.server.url,
        }

    def facts(self) -> dict[str, Any]:
        return common_facts(
            provider="gcp",
            compute="vm",
            region=self.region,
            project=PROJECT,
            zones=list(ZONES),
            instance_template=f"projects/{PROJECT}/global/instanceTemplates/aether-elastic",
            elastic_instance_groups={zone: f"aether-elastic-{zone}" for zone in ZONES},
            backend_services=SERVICES,
            drain_seconds=30,
            dns={"zone_id": "aether", "domain": DOMAIN},
        )

    def machines(self) -> dict[str, Machine]:
        gone = {each.name: self._machine(each, gone=True) for each in self.cloud.gone.values()}
        return gone | {each.name: self._machine(each, gone=False) for each in self.cloud.instances.values()}

    def _machine(self, each: Instance, *, gone: bool) -> Machine:
        alive = each.stopping is None and not gone
        return Machine(
            id=each.name,
            zone=each.zone,
            size=each.size,
            spot=each.spot,
            tags=each.labels,
            alive=alive,
            gone=gone,
        )

    def targets(self) -> dict[str, str]:
        members = set().union(*self.cloud.groups.values())
        return {self.cloud.instances[each].name: "registered" for each in members}

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        return {
            (name.rstrip("."), kind): (tuple(sorted(each.rstrip(".").strip('"') for each in data)), ttl)
            for (name, kind), (ttl, data) in self.cloud.records.items()
        }

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        given = labels(cluster, "worker") if cluster else {}
        serial = len(self.cloud.instances)
        return [
            self.cloud.add(f"{cluster or 'other'}-{serial + index}", ZONES[index % 3], given).name
            for index in range(count)
        ]

    def register(self, node_id: str) -> None:
        instance = next(each for each in self.cloud.instances.values() if each.name == node_id)
        self.cloud.groups[instance.zone, f"aether-elastic-{instance.zone}"].add(instance.id)

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(STEPS[step])

    def rights_used(self) -> set[str]:
        return set().union(*(RIGHTS[call.operation] for call in self.calls()))


WORLDS = (GcpWorld,)
