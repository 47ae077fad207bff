"""Each construct alone, in a stack that is not ours, with literals and with tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from terraform_json import Document, only, references, resources

from aether_infra.catalog import oracle as catalog
from aether_infra.core.node import NodePorts

Declared = Callable[[Callable[[Any], Any]], Document]
COMPARTMENT = "ocid1.compartment.oc1..aaaaexample"
TENANCY = "ocid1.tenancy.oc1..aaaaexample"


@pytest.fixture
def declared() -> Declared:
    """Declare constructs in a stack that is not ours, and return its Terraform JSON."""
    import aether_infra.oracle  # noqa: F401 - starts the kernel

    # isort: split
    from cdktf import App, TerraformStack, Testing

    from aether_infra.oracle.bindings.provider import OciProvider

    def run(declare: Callable[[Any], Any]) -> Document:
        stack = TerraformStack(App(), "foreign")
        OciProvider(stack, "oci", region="eu-frankfurt-1")
        declare(stack)
        document: Document = json.loads(Testing.synth(stack))
        return document

    return run


def _variable(stack: Any, name: str) -> str:
    from cdktf import TerraformVariable

    value: str = TerraformVariable(stack, name, type="string").string_value
    return value


def test_network_alone(declared: Declared) -> None:
    from aether_infra.oracle.network import Network, NetworkProps

    document = declared(
        lambda s: Network(s, "network", NetworkProps(name="mine", compartment_id=COMPARTMENT))
    )
    blocks = {
        name.split("_")[1]: s["cidr_block"] for name, s in resources(document, "oci_core_subnet").items()
    }
    assert blocks == {
        "api": "10.0.0.0/22",
        "load-balancer": "10.0.4.0/22",
        "nodes": "10.0.64.0/18",
        "pods": "10.0.128.0/17",
    }


def test_network_of_machines_has_no_subnets_of_kubernetes(declared: Declared) -> None:
    from aether_infra.oracle.network import Network, NetworkProps

    props = NetworkProps(name="mine", compartment_id=COMPARTMENT, kubernetes=False, nat=False)

    def declare(stack: Any) -> None:
        network = Network(stack, "network", props)
        assert network.outputs.api_subnet_id is None
        assert network.nat_gateway is None
        assert network.node_address(10) == "10.0.128.10"

    document = declared(declare)
    assert len(resources(document, "oci_core_subnet")) == 2
    assert not resources(document, "oci_core_nat_gateway")


def test_two_networks_in_a_compartment_known_only_to_terraform(declared: Declared) -> None:
    from aether_infra.oracle.network import Network, NetworkProps

    def declare(stack: Any) -> None:
        compartment = _variable(stack, "compartment")
        for name in ("blue", "green"):
            Network(stack, name, NetworkProps(name=name, compartment_id=compartment))

    document = declared(declare)
    assert len(resources(document, "oci_core_vcn")) == 2
    assert {v["compartment_id"] for v in resources(document, "oci_core_subnet").values()} == {
        "${var.compartment}"
    }


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("aether", "aether"),
        ("a-b-c", "abc"),
        ("a-cluster-of-20-char", "acluster"),
        ("load-balancer", "loadbalancer"),
    ],
)
def test_dns_labels(name: str, label: str) -> None:
    from aether_infra.oracle.network import dns_label

    assert dns_label(name).startswith(label)
    assert len(dns_label(name)) <= 15
    assert dns_label("a-cluster-of-20-char") != dns_label("a-cluster-of-20-chat")


def test_existing_network_is_read_alone(declared: Declared) -> None:
    from aether_infra.oracle.network import ExistingNetwork, ExistingNetworkProps

    props = ExistingNetworkProps(
        vcn_id="ocid1.vcn.a", node_subnet_id="ocid1.subnet.b", load_balancer_subnet_id="ocid1.subnet.c"
    )

    def declare(stack: Any) -> None:
        network = ExistingNetwork(stack, "network", props)
        assert network.outputs.node_subnet_id == "ocid1.subnet.b"

    document = declared(declare)
    assert not document.get("resource")
    assert {s["subnet_id"] for s in document["data"]["oci_core_subnet"].values()} == {
        "ocid1.subnet.b",
        "ocid1.subnet.c",
    }


def test_security_without_anything_published(declared: Declared) -> None:
    from aether_infra.oracle.security import Security, SecurityProps

    def declare(stack: Any) -> None:
        props = SecurityProps(
            name="mine",
            compartment_id=COMPARTMENT,
            vcn_id=_variable(stack, "vcn"),
            vcn_cidr=_variable(stack, "cidr"),
            ports=NodePorts(application=None),
        )
        assert Security(stack, "security", props).outputs.load_balancer_group_id is None

    document = declared(declare)
    assert len(resources(document, "oci_core_network_security_group")) == 4
    rules = resources(document, "oci_core_network_security_group_security_rule").values()
    assert {r["source"] for r in rules if r.get("source_type") == "CIDR_BLOCK"} == {"${var.cidr}"}


def test_registry_alone(declared: Declared) -> None:
    from aether_infra.oracle.registry import Registry, RegistryProps

    def declare(stack: Any) -> None:
        props = RegistryProps(
            repository="mine", compartment_id=COMPARTMENT, region="us-langley-1", realm="oc2"
        )
        outputs = Registry(stack, "registry", props).outputs
        assert outputs.host == "ocir.us-langley-1.oci.oraclegovcloud.com"
        assert outputs.repository_url.startswith(f"{outputs.host}/")

    repository = only(declared(declare), "oci_artifacts_container_repository")
    assert repository["is_immutable"] is True
    assert repository["lifecycle"] == {"prevent_destroy": True}


def test_group_and_policy_alone(declared: Declared) -> None:
    from aether_infra.oracle.identity import MachineGroup, MachineGroupProps, Policy, PolicyProps
    from aether_infra.oracle.rights import pull_statement

    def declare(stack: Any) -> None:
        compartment = _variable(stack, "compartment")
        group = MachineGroup(
            stack,
            "group",
            MachineGroupProps(name="mine", tenancy_id=TENANCY, compartment_id=compartment),
        )
        statement = pull_statement(group.principal, compartment, "team/node")
        props = PolicyProps(name="mine", compartment_id=TENANCY, statements=[statement], purpose="pull")
        Policy(stack, "policy", props)

    document = declared(declare)
    assert only(document, "oci_identity_dynamic_group")["matching_rule"] == (
        "ALL {instance.compartment.id = '${var.compartment}'}"
    )
    (statement,) = only(document, "oci_identity_policy")["statements"]
    assert statement.endswith("in compartment id ${var.compartment} where target.repo.name = 'team/node'")


def test_the_root_compartment_is_the_tenancy() -> None:
    from aether_infra.oracle.rights import place

    assert place(TENANCY) == "tenancy"
    assert place(COMPARTMENT) == f"compartment id {COMPARTMENT}"


def test_cluster_and_pool_alone(declared: Declared) -> None:
    from aether_infra.oracle.oke import NodePool, NodePoolProps, OkeCluster, OkeClusterProps

    def declare(stack: Any) -> None:
        cluster = OkeCluster(
            stack,
            "cluster",
            OkeClusterProps(
                name="mine",
                compartment_id=COMPARTMENT,
                vcn_id=_variable(stack, "vcn"),
                api_subnet_id="ocid1.subnet.a",
                api_group_id="ocid1.networksecuritygroup.a",
                load_balancer_subnet_id="ocid1.subnet.b",
                kubernetes_version="v1.34.1",
                protect=False,
            ),
        )
        pool = NodePool(
            stack,
            "pool",
            NodePoolProps(
                name="mine",
                pool="jvm",
                compartment_id=COMPARTMENT,
                cluster_id=cluster.id,
                kubernetes_version=cluster.kubernetes_version,
                image_id=_variable(stack, "image"),
                size=3,
                availability_domains=["x:EU-FRANKFURT-1-AD-1"],
                node_subnet_id="ocid1.subnet.c",
                node_group_id="ocid1.networksecuritygroup.c",
                pod_subnet_id="ocid1.subnet.d",
                pod_group_id="ocid1.networksecuritygroup.d",
            ),
        )
        pool.pool.add_override("node_eviction_node_pool_settings.eviction_grace_duration", "PT5M")

    document = declared(declare)
    assert not only(document, "oci_containerengine_cluster").get("lifecycle")
    pool = only(document, "oci_containerengine_node_pool")
    assert pool["node_eviction_node_pool_settings"]["eviction_grace_duration"] == "PT5M"
    assert pool["node_source_details"]["image_id"] == "${var.image}"
    assert references(pool["cluster_id"])
    assert not pool.get("lifecycle")


def test_addons_without_an_autoscaled_pool(declared: Declared) -> None:
    from aether_infra.oracle.oke import Addons, AddonsProps

    document = declared(
        lambda stack: Addons(stack, "addons", AddonsProps(cluster_id="ocid1.cluster.a"), ready=[])
    )
    names = {addon["addon_name"] for addon in resources(document, "oci_containerengine_addon").values()}
    assert names == {"CertManager", "KubernetesMetricsServer"}


def test_logs_alone(declared: Declared) -> None:
    from aether_infra.oracle.logs import ServiceLogs, ServiceLogsProps, flows

    def declare(stack: Any) -> None:
        logs = ServiceLogs(
            stack, "logs", ServiceLogsProps(name="mine", compartment_id=COMPARTMENT, retention_days=60)
        )
        logs.add("flows-mine", flows(_variable(stack, "subnet")))

    log = only(declared(declare), "oci_logging_log")
    assert log["retention_duration"] == 60
    assert log["configuration"]["source"]["resource"] == "${var.subnet}"


def test_load_balancer_alone(declared: Declared) -> None:
    from constructs import Construct

    from aether_infra.oracle.load_balancer import LoadBalancer, LoadBalancerProps

    def declare(stack: Any) -> None:
        balancer = LoadBalancer(
            stack,
            "balancer",
            LoadBalancerProps(
                name="mine",
                compartment_id=COMPARTMENT,
                subnet_id="ocid1.subnet.a",
                group_id="ocid1.networksecuritygroup.a",
                address_id=_variable(stack, "address"),
                ports=NodePorts(application=9000),
                protect=False,
            ),
        )
        balancer.add(Construct(stack, "node"), "10.0.0.10")

    document = declared(declare)
    assert [listener["port"] for listener in resources(document, "oci_load_balancer_listener").values()] == [
        80
    ]
    backend = only(document, "oci_load_balancer_backend")
    assert (backend["ip_address"], backend["port"]) == ("10.0.0.10", 9000)
    assert only(document, "oci_load_balancer_load_balancer")["is_delete_protection_enabled"] is False


def test_record_alone(declared: Declared) -> None:
    from aether_infra.oracle.dns import AddressRecord, AddressRecordProps, PublicZone, PublicZoneProps

    def declare(stack: Any) -> None:
        zone = PublicZone(stack, "zone", PublicZoneProps(domain="x.example.com", compartment_id=COMPARTMENT))
        props = AddressRecordProps(domain="x.example.com", zone_id=zone.zone_id, address="192.0.2.1")
        AddressRecord(stack, "record", props)

    document = declared(declare)
    assert only(document, "oci_dns_zone")["zone_type"] == "PRIMARY"
    assert references(only(document, "oci_dns_rrset")["zone_name_or_id"])


@pytest.mark.parametrize(
    ("image", "repository", "untagged"),
    [
        ("fra.ocir.io/space/team/node:1", "team/node", "fra.ocir.io/space/team/node"),
        (
            "ocir.eu-zurich-1.oci.oraclecloud.com/space/node@sha256:00",
            "node",
            "ocir.eu-zurich-1.oci.oraclecloud.com/space/node",
        ),
        ("localhost:5000/node:1", None, "localhost:5000/node"),
        ("ghcr.io/siy/aether-node:latest", None, "ghcr.io/siy/aether-node"),
        ("busybox", None, "busybox"),
    ],
)
def test_repository_of_an_image(image: str, repository: str | None, untagged: str) -> None:
    assert catalog.ocir_repository(image) == repository
    assert catalog.untagged(image) == untagged
