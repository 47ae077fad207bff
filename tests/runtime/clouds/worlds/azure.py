"""Azure's virtual machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cloud_world import CLUSTER, DOMAIN, OTHER, Can, HttpWorld, Machine, Step, common_facts
from fake_azure import GROUP, POOL, RIGHTS, SUBSCRIPTION, ZONE, FakeAzure, FakeMachine
from fake_cloud_server import FakeCloudServer

from aether_infra.catalog import manager_rights

STEPS = {
    Step.CREATE: {"virtualMachines_createOrUpdate"},
    Step.TERMINATE: {"virtualMachines_delete"},
    Step.LIST: {"virtualMachines_list", "virtualMachines_get"},
    Step.TAG: {"networkInterfaces_createOrUpdate"},
    Step.REGISTER: {"networkInterfaces_createOrUpdate"},
    Step.DEREGISTER: {"networkInterfaces_createOrUpdate"},
    Step.TARGETS: {"networkInterfaces_list", "networkInterfaces_get"},
    Step.DNS: {"recordSets_createOrUpdate", "recordSets_delete"},
}
FIELDS = {
    "A": ("ARecords", "ipv4Address"),
    "AAAA": ("AAAARecords", "ipv6Address"),
    "CNAME": ("CNAMERecord", "cname"),
    "TXT": ("TXTRecords", "value"),
}


def tags(cluster: str, role: str, node_id: str = "") -> dict[str, str]:
    named = {"aether-node-id": node_id} if node_id else {}
    return {"aether-cluster": cluster, "aether-role": role, "aether-port": "8090", **named}


class AzureWorld(HttpWorld):
    name = "azure"
    region = "westus2"
    zones = ("1", "2", "3")
    size = "Standard_D8s_v3"
    unknown = "aether-elastic-none"
    drain_seconds = 30
    # what is on loopback needs none: see test_azure.py
    credentials: ClassVar[frozenset[str]] = frozenset()
    no_balancer: ClassVar[Mapping[str, Any]] = {"backend_pool_id": None}
    rights = manager_rights.RIGHTS["azure", "vm"]
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.REMEMBERS: "a machine that is gone is in no list",
        Can.DRAINS: "the manager waits by itself",
        Can.PROBES: "the API does not say who is healthy",
        Can.DNS_PENDING: "a record is there at once",
        Can.INTERRUPTS: "only the machine itself is told",
    }

    def __init__(self) -> None:
        super().__init__()
        self.cloud = FakeAzure()
        self.server = FakeCloudServer(self.cloud)
        for zone in self.zones:
            core = self.cloud.add(f"aether-node-{zone}", zone, tags(CLUSTER, "core", f"node-{zone}"))
            self.register(core.name)
        self.add(cluster=OTHER)
        self.add(cluster=None)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"AZURE_RESOURCE_MANAGER_ENDPOINT": self.server.url}

    def facts(self) -> dict[str, Any]:
        return common_facts(
            provider="azure",
            compute="vm",
            region=self.region,
            subscription_id=SUBSCRIPTION,
            resource_group="aether-rg",
            zones=list(self.zones),
            subnet_ids=[f"{GROUP}/providers/Microsoft.Network/virtualNetworks/aether/subnets/nodes"],
            backend_pool_id=POOL,
            machine_template={
                "vm_size": "Standard_D4s_v3",
                "image": {"publisher": "canonical", "offer": "ubuntu", "sku": "server", "version": "latest"},
                "admin_username": "aether",
                "ssh_public_key": "ssh-ed25519 AAAA",
                "custom_data": "I2Nsb3VkLWNvbmZpZwo=",
                "identity_id": f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/node",
                "network_security_group_id": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/n",
                "application_security_group_ids": [
                    f"{GROUP}/providers/Microsoft.Network/applicationSecurityGroups/nodes"
                ],
                "os_disk": {"type": "Premium_LRS", "size_gib": 30},
            },
            drain_seconds=30,
            dns={"zone_id": ZONE, "domain": DOMAIN},
        )

    def machines(self) -> dict[str, Machine]:
        # what could not be made never was a machine
        lived = [each for each in self.cloud.gone.values() if not each.failed]
        gone = {each.name: self._machine(each, gone=True) for each in lived}
        return gone | {each.name: self._machine(each, gone=False) for each in self.cloud.machines.values()}

    def _machine(self, each: FakeMachine, *, gone: bool) -> Machine:
        alive = each.stopping is None and not gone
        return Machine(
            id=each.name,
            zone=each.zone,
            size=each.size,
            spot=each.spot,
            tags=each.tags,
            alive=alive,
            gone=gone,
        )

    def targets(self) -> dict[str, str]:
        return dict.fromkeys(sorted(self.cloud.pooled()), "registered")

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        found = {}
        for (name, kind), body in self.cloud.records.items():
            field, inner = FIELDS[kind]
            raw = body[field] if isinstance(body[field], list) else [body[field]]
            values = [each[inner][0] if isinstance(each[inner], list) else each[inner] for each in raw]
            full = "example.com" if name == "@" else f"{name}.example.com"
            found[full, kind] = (tuple(sorted(value.rstrip(".") for value in values)), body["TTL"])
        return found

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        given = tags(cluster, "worker") if cluster else {}
        serial = len(self.cloud.machines)
        return [
            self.cloud.add(f"{cluster or 'other'}-{serial + index}", self.zones[index % 3], given).name
            for index in range(count)
        ]

    def register(self, node_id: str) -> None:
        interface = self.cloud.interfaces[self.cloud.machines[node_id].interface]
        address = interface["properties"]["ipConfigurations"][0]["properties"]
        address["loadBalancerBackendAddressPools"] = [{"id": POOL}]

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(STEPS[step])

    def rights_used(self) -> set[str]:
        # one call writes records of any type that the manager knows
        return {
            right.format(kind=kind)
            for call in self.calls()
            for right in RIGHTS[call.operation]
            for kind in FIELDS
        }


WORLDS = (AzureWorld,)
