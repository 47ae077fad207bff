"""Each construct in a stack that is not ours, with nothing but its props; and escape hatches."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from terraform_json import Document, only, resources

import aether_infra.digitalocean  # noqa: F401  makes the bindings load lazily

# isort: split
from cdktf import App, TerraformStack, TerraformVariable, Testing
from cdktf_cdktf_provider_digitalocean.provider import DigitaloceanProvider

from aether_infra.core.machine import MachineNode
from aether_infra.core.node import HealthProbe, NodePorts
from aether_infra.digitalocean.dns import (
    AddressRecord,
    AddressRecordProps,
    Certificate,
    CertificateProps,
    Zone,
)
from aether_infra.digitalocean.doks import DoksCluster, DoksClusterProps
from aether_infra.digitalocean.droplets import DropletCluster, DropletClusterProps
from aether_infra.digitalocean.firewall import NodeFirewall, NodeFirewallProps
from aether_infra.digitalocean.load_balancer import LoadBalancer, LoadBalancerProps
from aether_infra.digitalocean.monitoring import Monitoring, MonitoringProps
from aether_infra.digitalocean.network import ExistingNetwork, Network, NetworkProps
from aether_infra.digitalocean.peers import PeerExchange, PeerExchangeProps, exchange_port
from aether_infra.digitalocean.project import Project, ProjectProps
from aether_infra.digitalocean.registry import ExistingRegistry, PullCredentials, Registry, RegistryProps
from aether_infra.digitalocean.ssh import NobodysKey, nobodys_public_key

Declared = Callable[[Callable[[Any], Any]], Document]


@pytest.fixture
def declared() -> Declared:
    def run(declare: Callable[[Any], Any]) -> Document:
        stack = TerraformStack(App(), "foreign")
        DigitaloceanProvider(stack, "digitalocean")
        declare(stack)
        document: Document = json.loads(Testing.synth(stack))
        return document

    return run


def text(stack: TerraformStack, name: str) -> str:
    """A value of the foreign stack, known only to Terraform."""
    return TerraformVariable(stack, name, type="string").string_value


def test_network(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        props = NetworkProps(name="shop", region=text(stack, "region"), ip_range=text(stack, "range"))
        network = Network(stack, "network", props)
        network.vpc.add_override("description", "mine")
        ExistingNetwork(stack, "existing", vpc_id=text(stack, "vpc"))

    document = declared(declare)
    vpc = only(document, "digitalocean_vpc")
    assert (vpc["region"], vpc["ip_range"], vpc["description"]) == ("${var.region}", "${var.range}", "mine")
    assert vpc["timeouts"] == {"delete": "20m"}, "machines leave it late"
    (data,) = document["data"]["digitalocean_vpc"].values()
    assert data["id"] == "${var.vpc}"
    assert set(data) - {"//"} == {"id"}, "the provider wants exactly one"


def test_registry_and_credentials(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        registry = Registry(stack, "registry", RegistryProps(name=text(stack, "name"), tier="basic"))
        PullCredentials(stack, "pull", registry_name=registry.outputs.name, days=30)
        ExistingRegistry(stack, "existing", name=text(stack, "other"))

    document = declared(declare)
    assert only(document, "digitalocean_container_registry")["name"] == "${var.name}"
    credentials = only(document, "digitalocean_container_registry_docker_credentials")
    assert credentials["expiry_seconds"] == 30 * 86400
    assert credentials["write"] is False
    (encoded,) = document["locals"].values()
    assert encoded.startswith("${base64encode(digitalocean_container_registry_docker_credentials.pull_")


def test_project(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        Project(stack, "new", ProjectProps(name="shop")).adopt([text(stack, "urn")])
        Project(stack, "old", ProjectProps(name="shop", project_id=text(stack, "id"))).adopt(["do:volume:1"])

    document = declared(declare)
    assert only(document, "digitalocean_project")["name"] == "shop-project"
    members = resources(document, "digitalocean_project_resources").values()
    assert {"${var.id}"} < {each["project"] for each in members}


def test_dns(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        zone = Zone(stack, "zone", name="example.com")
        props = AddressRecordProps(
            domain="a.b.example.com", zone="example.com", zone_ref=zone.name, address=text(stack, "ip")
        )
        AddressRecord(stack, "record", props)
        Certificate(stack, "certificate", CertificateProps(name="shop", domain="a.b.example.com"))

    document = declared(declare)
    record = only(document, "digitalocean_record")
    assert (record["name"], record["value"]) == ("a.b", "${var.ip}")
    assert record["domain"].startswith("${data.digitalocean_domain.zone")
    certificate = only(document, "digitalocean_certificate")
    assert certificate["type"] == "lets_encrypt"
    assert certificate["lifecycle"]["create_before_destroy"] is True


BALANCER = LoadBalancerProps(
    name="shop",
    concern="application",
    region="fra1",
    vpc_id="${var.vpc}",
    machine_tag="shop-node",
    target_port=8070,
    port=8080,
    health_port=8080,
    health=HealthProbe(),
    sources=["203.0.113.0/24"],
)


def test_load_balancer(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        name = text(stack, "certificate")
        LoadBalancer(stack, "users", evolve(BALANCER, certificate_name=name))
        LoadBalancer(stack, "operators", evolve(BALANCER, concern="management", target_port=8080))

    balancers = {
        each["name"]: each for each in resources(declared(declare), "digitalocean_loadbalancer").values()
    }
    users, operators = balancers["shop-application"], balancers["shop-management"]
    assert [rule.get("certificate_name") for rule in users["forwarding_rule"]] == [None, "${var.certificate}"]
    assert operators["forwarding_rule"] == [
        {"entry_protocol": "tcp", "entry_port": 8080, "target_protocol": "tcp", "target_port": 8080}
    ]
    for each in balancers.values():
        assert each["firewall"]["allow"] == ["cidr:203.0.113.0/24"]
        assert each["droplet_tag"] == "shop-node"
        assert "droplet_ids" not in each, "the provider wants one or the other"


def test_firewall(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        tag = text(stack, "tag")
        props = NodeFirewallProps(name="shop", machine_tag=tag, ports=NodePorts(), exchange_port=8191)
        NodeFirewall(stack, "firewall", props)

    firewall = only(declared(declare), "digitalocean_firewall")
    assert {tuple(rule["source_tags"]) for rule in firewall["inbound_rule"]} == {("${var.tag}",)}
    assert all(rule.get("port_range") for rule in firewall["inbound_rule"])
    assert len(firewall["inbound_rule"]) == 4, "no one but the nodes"


def test_doks(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        props = DoksClusterProps(
            name="shop",
            region=text(stack, "region"),
            vpc_id=text(stack, "vpc"),
            pod_cidr="10.1.0.0/16",
            service_cidr="10.2.0.0/19",
            jvm_tag=text(stack, "tag"),
        )
        cluster = DoksCluster(stack, "cluster", props)
        cluster.cluster.add_override("routing_agent", {"enabled": True})

    document = declared(declare)
    cluster = only(document, "digitalocean_kubernetes_cluster")
    assert cluster["routing_agent"] == {"enabled": True}
    assert cluster["control_plane_firewall"] == {"enabled": True, "allowed_addresses": []}
    assert "${var.tag}" in only(document, "digitalocean_kubernetes_node_pool")["tags"]


def test_droplets(declared: Declared) -> None:
    seen: list[tuple[str, int]] = []

    def declare(stack: TerraformStack) -> None:
        def node(node_id: str, count: int, files: dict[str, str]) -> MachineNode:
            seen.append((node_id, count))
            return MachineNode(
                image="i", environment={}, ports=NodePorts(), health=HealthProbe(), files=files
            )

        exchange = PeerExchange(
            stack,
            "peers",
            PeerExchangeProps(vpc_id=text(stack, "vpc"), names=["shop-node-1"], ports=NodePorts()),
        )
        props = DropletClusterProps(
            name="shop",
            region="fra1",
            vpc_id="v",
            project_id="p",
            machine_tag="shop-node",
            ssh_keys=[text(stack, "key")],
        )
        cluster = DropletCluster(
            stack,
            "compute",
            props,
            core_node=lambda node_id, name, _device, before: node(
                node_id, len(before), exchange.core(name, before)
            ),
            elastic_node=lambda core: node("", len(core), exchange.elastic(core)),
        )
        cluster.core["node-2"].add_override("backups", value=True)

    document = declared(declare)
    assert seen == [("node-1", 0), ("node-2", 1), ("node-3", 2), ("", 3)]
    droplets = {each["name"]: each for each in resources(document, "digitalocean_droplet").values()}
    assert droplets["shop-node-2"]["backups"] is True
    assert only(document, "digitalocean_droplet_autoscale")["droplet_template"]["ssh_keys"] == ["${var.key}"]
    (filters,) = (each["filter"] for each in document["data"]["digitalocean_droplets"].values())
    assert {each["key"] for each in filters} == {"name", "vpc_uuid"}


def test_monitoring(declared: Declared) -> None:
    def declare(stack: TerraformStack) -> None:
        props = MonitoringProps(
            name="shop",
            emails=["a@example.com"],
            load_balancer_ids={"application": text(stack, "lb")},
            url="https://shop.example.com",
        )
        Monitoring(stack, "monitoring", props)

    document = declared(declare)
    assert only(document, "digitalocean_monitor_alert")["entities"] == ["${var.lb}"]
    assert only(document, "digitalocean_uptime_check")["type"] == "https"


def test_nobodys_key(declared: Declared) -> None:
    key = only(declared(lambda stack: NobodysKey(stack, "key", name="shop")), "digitalocean_ssh_key")
    kind, body, _ = key["public_key"].split()
    blob = base64.b64decode(body)
    assert kind == "ssh-ed25519"
    assert blob[:4] == (11).to_bytes(4, "big")
    assert blob[4:15] == b"ssh-ed25519"
    assert blob[15:19] == (32).to_bytes(4, "big")
    assert len(blob) == 51
    assert nobodys_public_key("shop") != nobodys_public_key("shop2"), "an account takes a key once"


@pytest.mark.parametrize(
    ("ports", "port"),
    [
        (NodePorts(), 8191),
        (NodePorts(management=8191, application=8192), 8193),
        (NodePorts(cluster=65435), 1024),
        (NodePorts(cluster=65435, management=1024), 1025),
    ],
)
def test_the_port_of_the_exchange_is_free(ports: NodePorts, port: int) -> None:
    assert exchange_port(ports) == port
