"""Oracle Cloud's instances."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from cloud_world import CLUSTER, DOMAIN, OTHER, Can, HttpWorld, Machine, Step, common_facts
from fake_cloud_server import FakeCloudServer
from fake_oracle import BALANCER, COMPARTMENT, RIGHTS, ZONE, Backend, FakeOracle, Instance

from aether_infra.catalog import manager_rights

DOMAINS = ("Uocm:EU-FRANKFURT-1-AD-1", "Uocm:EU-FRANKFURT-1-AD-2", "Uocm:EU-FRANKFURT-1-AD-3")
SETS = {"application": ("application", 8070), "management": ("management", 8080)}
STEPS = {
    Step.CREATE: {"launch_instance_configuration"},
    Step.TERMINATE: {"terminate_instance"},
    Step.LIST: {"list_instances", "get_instance"},
    Step.TAG: {"update_instance"},
    Step.REGISTER: {"create_backend"},
    Step.DEREGISTER: {"update_backend", "delete_backend"},
    Step.TARGETS: {"list_backends", "get_backend_set_health"},
    Step.DNS: {"update_rr_set", "delete_rr_set"},
}


@cache
def private_key() -> str:
    """A key for signatures that nobody checks; made once, as it takes a moment."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def tags(cluster: str, role: str, node_id: str = "") -> dict[str, str]:
    named = {"aether-node-id": node_id} if node_id else {}
    return {"aether-cluster": cluster, "aether-role": role, "aether-port": "8090", **named}


class OracleWorld(HttpWorld):
    name = "oracle"
    region = "eu-frankfurt-1"
    zones = DOMAINS
    size = "VM.Standard3.Flex"
    unknown = "ocid1.instance.oc1.eu-frankfurt-1.none"
    drain_seconds = 30
    credentials = frozenset({"OCI_CLI_CONFIG_FILE"})
    no_balancer: ClassVar[Mapping[str, Any]] = {"load_balancer_id": None, "backend_sets": {}}
    rights = manager_rights.RIGHTS["oracle", "vm"]
    lacks: ClassVar[Mapping[Can, str]] = {
        Can.DRAINS: "the manager waits by itself",
        Can.DNS_PENDING: "a record is there at once",
        Can.INTERRUPTS: "only the machine itself is told",
    }

    def __init__(self) -> None:
        super().__init__()
        self.cloud = FakeOracle("example.com")
        self.server = FakeCloudServer(self.cloud)
        self.folder = tempfile.TemporaryDirectory()
        self.cloud.sets = {name: {} for name, _ in SETS.values()}
        for index, domain in enumerate(DOMAINS, 1):
            core = self.cloud.add(f"aether-node-{index}", domain, tags(CLUSTER, "core", f"node-{index}"))
            self.register(core.id)
        self.add(cluster=OTHER)
        self.add(cluster=None)

    @property
    def environment(self) -> Mapping[str, str]:
        folder = Path(self.folder.name)
        (folder / "key.pem").write_text(private_key(), encoding="utf-8")
        (folder / "key.pem").chmod(0o600)
        (folder / "config").write_text(
            "[DEFAULT]\n"
            "user=ocid1.user.oc1..test\n"
            "tenancy=ocid1.tenancy.oc1..test\n"
            "region=eu-frankfurt-1\n"
            "fingerprint=00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\n"
            f"key_file={folder / 'key.pem'}\n",
            encoding="utf-8",
        )
        (folder / "config").chmod(0o600)
        return {"OCI_CLI_ENDPOINT": self.server.url, "OCI_CLI_CONFIG_FILE": str(folder / "config")}

    def facts(self) -> dict[str, Any]:
        return common_facts(
            provider="oracle",
            compute="vm",
            region=self.region,
            compartment_id=COMPARTMENT,
            availability_domains=list(DOMAINS),
            instance_configuration_id="ocid1.instanceconfiguration.oc1..test",
            load_balancer_id=BALANCER,
            backend_sets={concern: name for concern, (name, _) in SETS.items()},
            drain_seconds=30,
            dns={"zone_id": ZONE, "domain": DOMAIN},
        )

    def machines(self) -> dict[str, Machine]:
        return {each.id: self._machine(each) for each in self.cloud.instances.values()}

    def _machine(self, each: Instance) -> Machine:
        alive = each.stopping is None and not each.gone
        return Machine(
            id=each.id,
            zone=each.domain,
            size=each.shape,
            spot=each.spot,
            tags=each.tags,
            alive=alive,
            gone=each.gone,
        )

    def targets(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in self.cloud.instances.values():
            known = [self.cloud.sets[name].get(f"{each.address}:{port}") for name, port in SETS.values()]
            if all(known):
                draining = any(backend and backend.drain for backend in known)
                found[each.id] = "draining" if draining else "registered"
        return found

    def records(self) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
        return {
            key: (tuple(sorted(each["rdata"].rstrip(".").strip('"') for each in items)), items[0]["ttl"])
            for key, items in self.cloud.records.items()
        }

    def add(self, *, cluster: str | None = CLUSTER, count: int = 1) -> list[str]:
        given = tags(cluster, "worker") if cluster else {}
        return [
            self.cloud.add(f"{cluster or 'other'}-{index}", DOMAINS[index % 3], given).id
            for index in range(count)
        ]

    def register(self, node_id: str) -> None:
        address = self.cloud.instances[node_id].address
        for name, port in SETS.values():
            self.cloud.sets[name][f"{address}:{port}"] = Backend(ip=address, port=port)

    def operations(self, step: Step) -> frozenset[str]:
        return frozenset(STEPS[step])

    def rights_used(self) -> set[str]:
        return set().union(*(RIGHTS[call.operation] for call in self.calls()))

    async def close(self) -> None:
        await super().close()
        self.folder.cleanup()


WORLDS = (OracleWorld,)
