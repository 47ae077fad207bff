"""Droplets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cloud_world import CLUSTER, DOMAIN, OTHER, Can, HttpWorld, Machine, Step, common_facts
from fake_cloud_server import FakeCloudServer
from fake_digitalocean import Droplet, FakeDigitalOcean

MACHINE_TAG = "aether-node"
BALANCED = "aether-balanced"
STEPS = {
    Step.CREATE: {"droplets_create"},
    Step.TERMINATE: {"droplets_destroy"},
    Step.LIST: {"droplets_list", "droplets_get"},
    Step.TAG: {"tags_assign_resources", "tags_unassign_resources"},
    Step.REGISTER: {"tags_assign_resources", "load_balancers_add_droplets"},
    Step.DEREGISTER: {"tags_unassign_resources", "load_balancers_remove_droplets"},
    Step.TARGETS: {"load_balancers_get", "droplets_list"},
    Step.DNS: {"domains_create_record", "domains_patch_record", "domains_delete_record"},
}
NO_ZONES = "a region is one place"


def tags(cluster: str, role: str, node_id: str = "") -> list[str]:
    named = [f"aether-node-id:{node_id}"] if node_id else []
    return [f"aether-cluster:{cluster}", f"aether-role:{role}", "aether-port:8090", MACHINE_TAG, *named]


class DigitalOceanWorld(HttpWorld):
    """Load balancers that go by a tag, as Layer 1 makes them for the manager."""

    name = "digitalocean"
    region = "fra1"
    size = "s-8vcpu-16gb"
    unknown = "999999"
    drain_seconds = 30
    credentials = frozenset({"DIGITALOCEAN_TOKEN"})
    balancers: ClassVar[dict[str, str]] = {"lb-application": BALANCED, "lb-management": BALANCED}
    no_balancer: ClassVar[Mapping[str, Any]] = {"load_balancer_ids": {}, "load_balancer_tag": ""}
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.ZONES: NO_ZONES,
        Can.SPOT: "there is no spot capacity",
        Can.TOKENS: "there is no idempotency, and names are not unique",
        Can.REMEMBERS: "a droplet that is gone is in no list",
        Can.DRAINS: "the manager waits by itself",
        Can.PROBES: "the API does not say who is healthy",
        Can.DNS_PENDING: "a record is there at once",
        Can.INTERRUPTS: "there is no spot capacity",
    }

    def __init__(self) -> None:
        super().__init__()
        self.cloud = FakeDigitalOcean("example.com", self.balancers)
        self.server = FakeCloudServer(self.cloud)
        for index in (1, 2, 3):
            core = self.cloud.add(f"aether-node-{index}", tags(CLUSTER, "core", f"node-{index}"))
            self.register(str(core.id))
        self.add(cluster=OTHER)
        self.add(cluster=None)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DIGITALOCEAN_TOKEN": "only-a-test", "DIGITALOCEAN_API_URL": self.server.url}

    def facts(self) -> dict[str, Any]:
        return common_facts(
            provider="digitalocean",
            compute="vm",
            region=self.region,
            machine_template={
                "size": "s-4vcpu-8gb",
                "image": "ubuntu-24-04-x64",
                "user_data": "#cloud-config\n",
                "vpc_id": "5a4981aa-9653-4bd1-bef5-d6bff52042e4",
                "ssh_keys": ["00:11:22"],
                "tags": [MACHINE_TAG],
                "monitoring": True,
            },
            load_balancer_ids={"application": "lb-application", "management": "lb-management"},
            load_balancer_tag=BALANCED,
            drain_seconds=30,
            dns={"zone_id": "example.com", "domain": DOMAIN},
        )

    def machines(self) -> dict[str, Machine]:
        gone = {str(each.id): self._machine(each, gone=True) for each in self.cloud.gone.values()}
        return gone | {str(each.id): self._machine(each, gone=False) for each in self.cloud.droplets.values()}

    def _machine(self, droplet: Droplet, *, gone: bool) -> Machine:
        named = {key: value for key, _, value in (tag.partition(":") for tag in droplet.tags)}
        alive = droplet.stopping is None and not gone
        return Machine(id=str(droplet.id), size=droplet.size, tags=named, alive=alive, gone=gone)

    def targets(self) -> dict[str, str]:
        sets = [self.cloud.behind(each) for each in self.balancers]
        return {str(each): "registered" for each in set.intersection(*sets)}

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        found: dict[tuple[str, str], tuple[tuple[str, ...], int]] = {}
        for record in self.cloud.records.values():
            key = (self.cloud.full(record), record.type)
            values = (*found.get(key, ((), 0))[0], record.data.rstrip("."))
            found[key] = (tuple(sorted(values)), record.ttl)
        return found

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        given = tags(cluster, "worker") if cluster else []
        return [str(self.cloud.add(f"{cluster or 'other'}-{index}", given).id) for index in range(count)]

    def register(self, node_id: str) -> None:
        for balancer, tag in self.balancers.items():
            if tag:
                droplet = self.cloud.droplets[int(node_id)]
                droplet.tags = sorted({*droplet.tags, tag})
            else:
                self.cloud.named[balancer].add(int(node_id))

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(STEPS[step])


class NamedDropletsWorld(DigitalOceanWorld):
    """Load balancers that droplets are named to one by one."""

    name = "digitalocean-named"
    balancers: ClassVar[dict[str, str]] = {"lb-application": "", "lb-management": ""}

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"load_balancer_tag": ""}


WORLDS = (DigitalOceanWorld, NamedDropletsWorld)
