"""The whole Oracle stack: its shape as a snapshot, and the facts that no update of a snapshot may lose."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from schema_check import problems
from syrupy.assertion import SnapshotAssertion
from terraform_json import (
    ROOT,
    Document,
    case,
    configs,
    every,
    only,
    readable,
    references,
    resources,
    without_manager,
)

from aether_infra.bindgen.document import merged
from aether_infra.config import AetherConfig, OracleConfig, Provider, load, loads, oracle_zones

Synthesize = Callable[..., Document]
CONFIGS = configs("oracle")
per_config = pytest.mark.parametrize("config", CONFIGS, ids=case)


def _of_kind(kind: str) -> list[Path]:
    tables = {path: tomllib.loads(path.read_text(encoding="utf-8"))["cloud"]["oracle"] for path in CONFIGS}
    return [path for path, table in tables.items() if table.get("compute", "oke") == kind]


per_oke = pytest.mark.parametrize("config", _of_kind("oke"), ids=case)
per_vm = pytest.mark.parametrize("config", _of_kind("vm"), ids=case)

ANYWHERE = "0.0.0.0/0"
SCHEMAS = ROOT / "tools/schemas"
SCHEMA = merged(
    *(
        json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        for name in ("oci-8.28.0.json", "oci-8.28.0.additions.json")
    )
)
RESOURCES = SCHEMA["provider_schemas"]["registry.terraform.io/oracle/oci"]["resource_schemas"]
BASE = """
[app-http]
enabled = true
[cloud.oracle]
compartment_id = "ocid1.compartment.oc1..aaaaexample"
tenancy_id = "ocid1.tenancy.oc1..aaaaexample"
"""
PORT_RULE = "oci_core_network_security_group_security_rule"
FORCES_NEW_CLUSTER = {
    "cluster_pod_network_options",
    "compartment_id",
    "endpoint_config",
    "kms_key_id",
    "options",
    "vcn_id",
}
"""Arguments of the cluster that hold one whose change makes a new cluster. Source: the provider at v8.28.0."""


def _oracle(config: Path) -> tuple[AetherConfig, OracleConfig]:
    loaded = load(config)
    oracle = loaded.section(Provider.ORACLE)
    assert isinstance(oracle, OracleConfig)
    return loaded, oracle


@pytest.fixture
def synthesized(synthesized: Synthesize) -> Synthesize:
    """Stacks without the runtime manager's own, which test_manager.py is about."""
    return lambda config, stack: without_manager(synthesized(config, stack))


@per_config
def test_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = {key: value for key, value in synthesized(config, "oracle").items() if key != "//"}
    assert readable(document) == snapshot_json


@per_oke
def test_workload_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = synthesized(config, "oracle-workload")
    outside = {
        name: service
        for name, service in resources(document, "kubernetes_service_v1").items()
        if service["spec"].get("type") == "LoadBalancer"
    }
    classes = resources(document, "kubernetes_storage_class_v1")
    assert (
        readable({"provider": document["provider"], "storage": classes, "services": outside}) == snapshot_json
    )


@per_config
def test_the_provider_takes_every_argument(config: Path, synthesized: Synthesize) -> None:
    assert not problems(synthesized(config, "oracle"), SCHEMA)


def test_the_check_finds_something(synthesized: Synthesize) -> None:
    document = json.loads(json.dumps(synthesized(BASE, "oracle")))
    del only(document, "oci_identity_dynamic_group")["description"]
    only(document, "oci_core_vcn")["cidr"] = "10.0.0.0/16"
    assert len(problems(document, SCHEMA)) == 2


@per_config
def test_every_resource_that_can_bears_the_cluster_tag(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "oracle")
    name = document["output"]["cluster_name"]["value"]
    tagged = 0
    for kind, address, arguments in every(document):
        if "freeform_tags" in RESOURCES[kind]["block"]["attributes"]:
            tags = arguments.get("freeform_tags", {})
            assert tags.get("aether-cluster") == name, f"{kind}.{address}"
            assert len(tags) <= 10, "Oracle Cloud takes no more"
            tagged += 1
    assert tagged > 10


@per_config
def test_tags_are_no_templates(config: Path, synthesized: Synthesize) -> None:
    for kind, address, arguments in every(synthesized(config, "oracle")):
        for value in arguments.get("freeform_tags", {}).values():
            assert not re.search(r"(?<![$%])[$%]\{", value), f"{kind}.{address}"


@per_config
def test_outputs_are_those_of_the_design(config: Path, synthesized: Synthesize) -> None:
    outputs = synthesized(config, "oracle")["output"]
    assert set(outputs) == {
        "cluster_name",
        "provider",
        "region",
        "application_url",
        "registry_url",
        "network_id",
        "runtime",
    }
    runtime = outputs["runtime"]["value"]
    assert {"subnet_ids", "security_group_ids", "image", "tags", "ports", "core_nodes", "dns"} <= set(runtime)
    if runtime["compute"] == "oke":
        told = runtime["kubernetes"]
        assert {
            "cluster_name",
            "cluster_id",
            "endpoint",
            "ca_certificate",
            "identity",
            "load_balancer",
        } <= set(told)
    else:
        assert runtime.get("kubernetes") is None


@per_config
def test_no_kubernetes_provider_here(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "oracle")
    assert set(document["provider"]) == {"oci"}
    assert document["terraform"]["required_providers"] == {
        "oci": {"source": "oracle/oci", "version": "8.28.0"}
    }
    assert {kind.partition("_")[0] for kind, _, _ in every(document)} == {"oci"}


@per_config
def test_names_are_the_clusters_own_and_short_enough(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "oracle")
    loaded, oracle = _oracle(config)
    names = []
    for kind, address, arguments in every(document):
        name = arguments.get("display_name") or arguments.get("name")
        if name is None or "load_balancer_id" in arguments or kind == "oci_dns_zone":
            continue
        # a repository may have been named by the operator
        own = name == oracle.ocir_repository or name.startswith(loaded.cluster.name)
        assert own, f"{kind}.{address}"
        assert len(name) <= (32 if kind == "oci_containerengine_node_pool" else 100), f"{kind}.{address}"
        names.append((kind, name))
    assert not [name for name, count in Counter(names).items() if count > 1]
    for vcn in resources(document, "oci_core_vcn").values():
        assert re.fullmatch(r"[a-z][a-z0-9]{0,14}", vcn["dns_label"])
    for subnet in resources(document, "oci_core_subnet").values():
        assert re.fullmatch(r"[a-z][a-z0-9]{0,14}", subnet["dns_label"])


# --- network


@per_config
def test_subnets_are_private_save_the_load_balancers(config: Path, synthesized: Synthesize) -> None:
    _, oracle = _oracle(config)
    subnets = resources(synthesized(config, "oracle"), "oci_core_subnet")
    assert bool(subnets) is (oracle.vcn_id is None)
    for name, subnet in subnets.items():
        public = "load-balancer" in name or ("network_api" in name and oracle.endpoint_public)
        assert subnet["prohibit_public_ip_on_vnic"] is not public, name
        assert ("public-routes" in subnet["route_table_id"]) is public, name
        assert "availability_domain" not in subnet, "regional"
        assert len(references(subnet["security_list_ids"])) == 1


@per_config
def test_subnets_lie_in_the_vcn_and_do_not_overlap(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "oracle")
    for vcn in resources(document, "oci_core_vcn").values():
        whole = ipaddress.ip_network(vcn["cidr_blocks"][0])
        subnets = [
            ipaddress.ip_network(s["cidr_block"]) for s in resources(document, "oci_core_subnet").values()
        ]
        assert len(subnets) == (4 if "oci_containerengine_cluster" in document["resource"] else 2)
        assert all(subnet.subnet_of(whole) for subnet in subnets)
        assert not any(a.overlaps(b) for a in subnets for b in subnets if a is not b)
        assert not any(subnet.overlaps(ipaddress.ip_network("10.96.0.0/16")) for subnet in subnets)


@pytest.mark.parametrize("cidr", ["10.1.0.0/16", "192.168.0.0/20", "192.168.4.0/22"])
def test_half_of_the_vcn_is_for_pods(synthesized: Synthesize, cidr: str) -> None:
    document = synthesized(BASE + f'vpc_cidr = "{cidr}"\n', "oracle")
    sizes = {
        name.split("_")[1]: ipaddress.ip_network(subnet["cidr_block"]).num_addresses
        for name, subnet in resources(document, "oci_core_subnet").items()
    }
    assert sizes["pods"] == ipaddress.ip_network(cidr).num_addresses // 2
    assert min(sizes.values()) >= 16


@pytest.mark.parametrize(("nat", "gateways"), [("single", 1), ("none", 0)])
def test_nat(synthesized: Synthesize, nat: str, gateways: int) -> None:
    document = synthesized(BASE + f'nat = "{nat}"\n', "oracle")
    assert len(resources(document, "oci_core_nat_gateway")) == gateways
    (private,) = [t for n, t in resources(document, "oci_core_route_table").items() if "private" in n]
    kinds = [rule["destination_type"] for rule in private["route_rules"]]
    assert kinds == ["SERVICE_CIDR_BLOCK", "CIDR_BLOCK"][: gateways + 1]
    out = [r for r in resources(document, PORT_RULE).values() if r.get("destination") == ANYWHERE]
    assert bool(out) is bool(gateways), "no rule for what has no way"


@per_config
def test_the_default_security_list_is_empty(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "oracle")
    lists = resources(document, "oci_core_default_security_list")
    assert len(lists) == len(resources(document, "oci_core_vcn"))
    for each in lists.values():
        assert not {"ingress_security_rules", "egress_security_rules"} & set(each)


# --- who may talk to whom


def _rules(document: Document, direction: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Role of the group that it belongs to, name and arguments of each rule."""
    for name, rule in resources(document, PORT_RULE).items():
        if rule["direction"] == direction:
            match = re.search(r"security_group\.security_([a-z-]+)_", rule["network_security_group_id"])
            assert match, name
            yield match[1], name, rule


def _ports(rule: dict[str, Any]) -> range:
    options = rule.get("tcp_options") or rule.get("udp_options")
    if options is None:
        return range(1, 65536)
    return range(options["destination_port_range"]["min"], options["destination_port_range"]["max"] + 1)


@per_config
def test_every_rule_says_both_ends_of_one_direction(config: Path, synthesized: Synthesize) -> None:
    for direction, end in (("INGRESS", "source"), ("EGRESS", "destination")):
        for _, name, rule in _rules(synthesized(config, "oracle"), direction):
            assert {"source", "destination"} & set(rule) == {end}, name
            by_group = f"{end}_type" in rule and rule[f"{end}_type"] == "NETWORK_SECURITY_GROUP"
            assert by_group is ("oci_core_network_security_group" in rule[end]), name
            assert ("tcp_options" in rule) <= (rule["protocol"] == "6")
            assert ("udp_options" in rule) <= (rule["protocol"] == "17")


@per_config
def test_the_outside_reaches_load_balancer_and_api_alone(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    document = synthesized(config, "oracle")
    management = loaded.cluster.ports.management
    inside = {*(cidr for vcn in resources(document, "oci_core_vcn").values() for cidr in vcn["cidr_blocks"])}
    open_ports = set()
    for role, name, rule in _rules(document, "INGRESS"):
        if rule["source_type"] != "CIDR_BLOCK" or rule["protocol"] == "1":
            continue
        source = rule["source"]
        assert rule["protocol"] == "6", name
        (port,) = _ports(rule)
        if role == "api":
            assert port == 6443
            assert source in oracle.authorized_cidrs or (
                not oracle.authorized_cidrs and (source in inside or "oci_core_vcn" in source)
            ), name
            assert source != ANYWHERE
            continue
        assert role == "load-balancer", name
        open_ports.add(port)
        assert source in (oracle.management_cidrs if port == management else oracle.allowed_cidrs), name
    published = loaded.app_http.enabled is not False
    tls = bool(oracle.certificate_id or oracle.tls_secret)
    wanted = ({80, 443} if tls else {80}) if published else set()
    assert open_ports == wanted | ({management} if oracle.management_cidrs else set())


@per_config
def test_cluster_ports_are_open_between_nodes_alone(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    ports = loaded.cluster.ports
    kubernetes = oracle.compute == "oke"
    nodes = "node-pods" if kubernetes else "nodes"
    reached: dict[tuple[str, int], set[str]] = {("6", ports.cluster): set(), ("17", ports.cluster): set()}
    reached |= {("17", ports.swim): set()}
    for role, _, rule in _rules(synthesized(config, "oracle"), "INGRESS"):
        if role != nodes:
            continue
        for protocol, port in reached:
            if rule["protocol"] in {protocol, "all"} and port in _ports(rule):
                reached[protocol, port].add(rule["source"])
    for (protocol, port), sources in reached.items():
        (source,) = sources
        assert f"security_{nodes}_" in source, (protocol, port)


def test_a_machine_can_join_its_cluster(synthesized: Synthesize) -> None:
    document = synthesized(BASE, "oracle")
    found = {
        (re.search(r"security_([a-z-]+)_", rule["source"])[1], role, protocol, port)  # type: ignore[index]
        for role, _, rule in _rules(document, "INGRESS")
        if rule["source_type"] == "NETWORK_SECURITY_GROUP"
        for protocol in ("6", "17")
        for port in (53, 6443, 12250, 10250, 10256, 30000, 32767, 8070, 8080)
        if rule["protocol"] in {protocol, "all"} and port in _ports(rule)
    }
    for member in ("nodes", "pods", "node-pods"):
        assert {(member, "api", "6", 6443), (member, "api", "6", 12250)} <= found
        assert {(member, other, "17", 53) for other in ("nodes", "pods", "node-pods")} <= found
    assert ("api", "nodes", "6", 10250) in found
    assert {("load-balancer", "nodes", "6", port) for port in (10256, 30000, 32767)} <= found
    assert {("load-balancer", "node-pods", "6", port) for port in (8070, 8080)} <= found


@pytest.mark.parametrize("port", [8089, 8091, 8189, 1, 65435])
def test_only_cluster_ports_are_closed_to_other_pods(synthesized: Synthesize, port: int) -> None:
    document = synthesized(f"[cluster.ports]\ncluster = {port}\n" + BASE, "oracle")
    groups = {"6": set(), "17": set()}  # type: dict[str, set[int]]
    for role, name, rule in _rules(document, "INGRESS"):
        if role == "node-pods" and "security_pods-to" in name:
            ports = _ports(rule)
            assert 1 <= ports.start < ports.stop <= 65536
            assert not groups[rule["protocol"]] & set(ports)
            groups[rule["protocol"]] |= set(ports)
    assert set(range(1, 65536)) - groups["6"] == {port}
    assert set(range(1, 65536)) - groups["17"] == {port, port + 100}


# --- OKE


@per_oke
def test_cluster(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    cluster = only(synthesized(config, "oracle"), "oci_containerengine_cluster")
    assert cluster["type"] == "ENHANCED_CLUSTER"
    assert cluster["cluster_pod_network_options"] == [{"cni_type": "OCI_VCN_IP_NATIVE"}]
    assert cluster["endpoint_config"]["is_public_ip_enabled"] is oracle.endpoint_public
    assert references(cluster["endpoint_config"]["nsg_ids"]), (
        "whoever reaches the API is in the group's rules"
    )
    assert cluster.get("kms_key_id") == oracle.kms_key_id
    lifecycle = cluster.get("lifecycle", {})
    assert lifecycle.get("prevent_destroy", False) is loaded.cloud.protect
    pinned = oracle.kubernetes_version is not None
    assert ("kubernetes_version" in lifecycle.get("ignore_changes", [])) is not pinned
    assert (cluster["kubernetes_version"] == oracle.kubernetes_version) is pinned


@per_oke
def test_pools(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    counts = loaded.counts(Provider.ORACLE)
    pools = {
        next(label["value"] for label in pool["initial_node_labels"] if label["key"] == "aether-pool"): pool
        for pool in resources(synthesized(config, "oracle"), "oci_containerengine_node_pool").values()
    }
    spot = oracle.spot and counts.elastic_maximum > 0
    assert set(pools) == {"system", "jvm"} | ({"spot"} if spot else set())
    for name, pool in pools.items():
        details = pool["node_config_details"]
        places = details["placement_configs"]
        assert len(places) == len(oracle_zones(oracle))
        assert len({place["availability_domain"] for place in places}) == len(places)
        assert all(("preemptible_node_config" in place) is (name == "spot") for place in places)
        assert pool["node_metadata"]["areLegacyImdsEndpointsDisabled"] == "true"
        assert pool["node_pool_cycling_details"] == {
            "is_node_cycling_enabled": True,
            "maximum_surge": "1",
            "maximum_unavailable": "0",
        }
        assert details["is_pv_encryption_in_transit_enabled"] is True
        assert details.get("kms_key_id") == oracle.kms_key_id
        assert {"key": "aether-cluster", "value": loaded.cluster.name} in pool["initial_node_labels"]
        forced = pool["node_eviction_node_pool_settings"]["is_force_delete_after_grace_duration"]
        assert forced is not loaded.cloud.protect, "a budget that holds a quorum together is kept"
        network = details["node_pool_pod_network_option_details"]
        (group,) = references(network["pod_nsg_ids"])
        assert ("security_node-pods" in group) is (name != "system")
    jvm = pools["jvm"]
    assert ("node_shape_config" in jvm) is oracle.shape.endswith(".Flex")
    assert jvm["node_config_details"]["size"] == (counts.core if oracle.spot else counts.minimum)
    assert ("lifecycle" in jvm) is not oracle.spot
    if not oracle.spot:
        assert jvm["lifecycle"]["ignore_changes"] == ["node_config_details[0].size"]
    if spot:
        assert pools["spot"]["lifecycle"]["ignore_changes"] == ["node_config_details[0].size"]


@per_oke
def test_autoscaling_is_between_totals(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    counts = loaded.counts(Provider.ORACLE)
    addons = {
        addon["addon_name"]: {each["key"]: each["value"] for each in addon["configurations"]}
        for addon in resources(synthesized(config, "oracle"), "oci_containerengine_addon").values()
    }
    assert {"CertManager", "KubernetesMetricsServer"} <= set(addons)
    assert all(json.loads(addon["nodeSelectors"]) == {"aether-pool": "system"} for addon in addons.values())
    if oracle.spot and not counts.elastic_maximum:
        assert "ClusterAutoscaler" not in addons
        return
    least, most, pool = addons["ClusterAutoscaler"]["nodes"].split(":", 2)
    assert ("pool-spot" if oracle.spot else "pool-jvm") in pool
    bounds = (
        (counts.elastic_minimum, counts.elastic_maximum) if oracle.spot else (counts.minimum, counts.maximum)
    )
    assert (int(least), int(most)) == bounds
    assert addons["ClusterAutoscaler"]["authType"] == "workload"


@per_oke
def test_addons_wait_for_machines_and_rights(config: Path, synthesized: Synthesize) -> None:
    addons = resources(synthesized(config, "oracle"), "oci_containerengine_addon").values()
    for addon in addons:
        assert addon["remove_addon_resources_on_delete"] is True
        waits = " ".join(addon["depends_on"])
        if addon["addon_name"] == "KubernetesMetricsServer":
            assert "addons_certificates" in waits
        else:
            assert "oci_containerengine_node_pool.pool-system" in waits
            assert "oci_identity_policy.workload-rights" in waits


def test_spot_without_room_for_elastic_nodes(synthesized: Synthesize) -> None:
    document = synthesized(BASE + "spot = true\nmin_nodes = 3\nmax_nodes = 3\n", "oracle")
    pools = resources(document, "oci_containerengine_node_pool")
    assert len(pools) == 2
    assert not [a for a in resources(document, "oci_containerengine_addon") if "autoscaler" in a]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("min_nodes = 3\nmax_nodes = 10\n", "min_nodes = 5\nmax_nodes = 20\n"),
        ("ocpus = 2\nmemory_gib = 16\n", "ocpus = 8\nmemory_gib = 64\n"),
        ('shape = "VM.Standard.E5.Flex"\n', 'shape = "VM.Standard.A1.Flex"\n'),
        ("spot = false\n", "spot = true\n"),
        ("", 'image_id = "ocid1.image.oc1.eu-frankfurt-1.aaaaexample"\n'),
    ],
)
def test_the_jvm_pool_can_change_without_a_new_cluster(
    synthesized: Synthesize, before: str, after: str
) -> None:
    first, second = (synthesized(BASE + text, "oracle") for text in (before, after))
    old, new = (only(document, "oci_containerengine_cluster") for document in (first, second))
    assert {key: old[key] for key in FORCES_NEW_CLUSTER & set(old)} == {
        key: new[key] for key in FORCES_NEW_CLUSTER & set(new)
    }
    assert resources(first, "oci_containerengine_node_pool") != resources(
        second, "oci_containerengine_node_pool"
    )
    for kind in ("oci_core_vcn", "oci_core_subnet", "oci_core_network_security_group"):
        assert resources(first, kind) == resources(second, kind)


@pytest.mark.parametrize(
    ("shape", "system", "architectures"),
    [
        ("VM.Standard.E5.Flex", "VM.Standard.E5.Flex", 1),
        ("VM.Standard.A1.Flex", "VM.Standard.A1.Flex", 1),
        ("VM.Standard2.4", "VM.Standard.E5.Flex", 1),
        ("BM.Standard.A1.160", "VM.Standard.E5.Flex", 2),
    ],
)
def test_images_fit_the_processor(
    synthesized: Synthesize, shape: str, system: str, architectures: int
) -> None:
    document = synthesized(BASE + f'shape = "{shape}"\n', "oracle")
    pools = resources(document, "oci_containerengine_node_pool")
    assert next(p for n, p in pools.items() if "system" in n)["node_shape"] == system
    jvm = next(p for n, p in pools.items() if "jvm" in n)
    arm = ".A1." in shape
    assert ("aarch64" in jvm["node_source_details"]["image_id"]) is arm
    assert ("image-arm64" in jvm["node_source_details"]["image_id"]) is arm
    assert len(document["data"]["oci_containerengine_node_pool_option"]) == architectures
    assert jvm["node_config_details"]["is_pv_encryption_in_transit_enabled"] is not shape.startswith("BM.")


def _start_up(document: Document, pool: str) -> str:
    found = next(p for n, p in resources(document, "oci_containerengine_node_pool").items() if pool in n)
    return base64.b64decode(found["node_metadata"]["user_data"]).decode()


@pytest.mark.parametrize("pool", ["system", "jvm", "spot"])
def test_a_machine_starts_by_a_shell_script(synthesized: Synthesize, pool: str) -> None:
    script = _start_up(synthesized(BASE + "spot = true\n", "oracle"), pool)
    assert script.startswith("#!/bin/bash\n")
    assert "oke_init_script" in script
    assert ("--register-with-taints=aether-pool=spot:NoSchedule" in script) is (pool == "spot")
    assert not re.search(r"@[A-Z]+@", script), "every placeholder is filled in"
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_credential_provider_answers_the_kubelet(synthesized: Synthesize, tmp_path: Path) -> None:
    script = _start_up(synthesized(BASE, "oracle"), "jvm")
    encoded = re.search(r"<<'END'\n(.*?)\nEND", script, re.DOTALL)
    assert encoded
    program = tmp_path / "ocir-credentials"
    text = base64.b64decode(encoded[1]).decode()
    # a command line of our own, which says what it was asked
    fake = tmp_path / "oci"
    fake.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\necho a-token\n')
    fake.chmod(0o755)
    program.write_text(text.replace("PATH=", f"PATH={tmp_path}:"))
    program.chmod(0o755)
    request = {
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderRequest",
        "image": "ocir.eu-frankfurt-1.oci.oraclecloud.com/namespace/aether-node:1",
    }
    done = subprocess.run([program], input=json.dumps(request), text=True, check=True, capture_output=True)
    answer = json.loads(done.stdout)
    assert answer["kind"] == "CredentialProviderResponse"
    host = "ocir.eu-frankfurt-1.oci.oraclecloud.com"
    assert answer["auth"] == {host: {"username": "BEARER_TOKEN", "password": "a-token"}}
    asked = (tmp_path / "asked").read_text()
    assert f"https://{host}/20180419/docker/token" in asked
    assert "--auth instance_principal" in asked


# --- rights and registry


@per_config
def test_machines_pull_from_the_own_registry_and_no_other(config: Path, synthesized: Synthesize) -> None:
    _, oracle = _oracle(config)
    document = synthesized(config, "oracle")
    repository = only(document, "oci_artifacts_container_repository")
    assert repository["is_public"] is False
    group = only(document, "oci_identity_dynamic_group")
    assert f"instance.compartment.id = '{oracle.compartment_id}'" in group["matching_rule"]
    (policy,) = [p for n, p in resources(document, "oci_identity_policy").items() if "pull-right" in n]
    assert "oci_identity_dynamic_group" in policy["statements"][0]
    assert f"target.repo.name = '{repository['display_name']}'" in policy["statements"][0]
    assert all("read repos" in s and "target.repo.name" in s for s in policy["statements"])
    waiting = [*resources(document, "oci_containerengine_node_pool").values()]
    waiting += resources(document, "oci_core_instance").values()
    assert waiting
    for machine in waiting:
        assert any("pull-right" in each for each in machine["depends_on"]), "or rights would go first"


@per_oke
def test_pods_have_an_identity_of_their_own(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    document = synthesized(config, "oracle")
    (policy,) = [p for n, p in resources(document, "oci_identity_policy").items() if "workload" in n]
    nodes = [s for s in policy["statements"] if "'aether-node'" in s]
    assert nodes
    for statement in policy["statements"]:
        assert "request.principal.type = 'workload'" in statement
        assert "oci_containerengine_cluster" in statement, "no other cluster"
    for statement in nodes:
        assert f"request.principal.namespace = '{loaded.kubernetes.namespace}'" in statement
        assert "manage" not in statement
    secrets = [s for s in nodes if "secret-bundles" in s]
    assert len(secrets) == len(oracle.readable_secret_ids)
    assert all("target.secret.id" in s for s in secrets)


@per_config
def test_nothing_may_be_managed_by_everyone(config: Path, synthesized: Synthesize) -> None:
    for name, policy in resources(synthesized(config, "oracle"), "oci_identity_policy").items():
        assert policy["description"], name
        assert policy["provider"] == "oci.home", name
        for statement in policy["statements"]:
            assert " where " in statement, name
            assert ("any-user" in statement) <= ("request.principal.type" in statement), name
            assert "manage all-resources" not in statement


def test_the_home_region_is_looked_up(synthesized: Synthesize) -> None:
    main, home = synthesized(BASE, "oracle")["provider"]["oci"]
    assert main == {"region": "eu-frankfurt-1"}
    assert home["alias"] == "home"
    assert "data.oci_identity_regions" in home["region"]
    document = synthesized(BASE + 'home_region = "us-ashburn-1"\n', "oracle")
    assert document["provider"]["oci"][1]["region"] == "us-ashburn-1"
    assert "oci_identity_tenancy" not in document["data"]


@per_config
def test_protection(config: Path, synthesized: Synthesize) -> None:
    loaded, _ = _oracle(config)
    kept = {
        kind
        for kind, _, arguments in every(synthesized(config, "oracle"))
        if arguments.get("lifecycle", {}).get("prevent_destroy")
    }
    if not loaded.cloud.protect:
        assert not kept
    elif "oci_core_instance" in synthesized(config, "oracle")["resource"]:
        assert kept == {"oci_artifacts_container_repository", "oci_core_instance", "oci_core_volume"}
    else:
        assert kept == {"oci_artifacts_container_repository", "oci_containerengine_cluster"}
    for balancer in resources(synthesized(config, "oracle"), "oci_load_balancer_load_balancer").values():
        assert balancer["is_delete_protection_enabled"] is loaded.cloud.protect


# --- logs, addresses, DNS


@per_config
def test_logs_are_on(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    document = synthesized(config, "oracle")
    logs = resources(document, "oci_logging_log").values()
    assert all(log["is_enabled"] and log["log_type"] == "SERVICE" for log in logs)
    assert {log["retention_duration"] for log in logs} <= {loaded.cloud.log_retention_days}
    sources = Counter(log["configuration"]["source"]["service"] for log in logs)
    flows = oracle.flow_logs and oracle.vcn_id is None
    assert sources["flowlogs"] == (len(resources(document, "oci_core_subnet")) if flows else 0)
    assert sources["oke-k8s-cp-prod"] == (oracle.compute == "oke")
    assert sources["loadbalancer"] == 2 * len(resources(document, "oci_load_balancer_load_balancer"))


@per_config
def test_an_address_is_kept_by_whoever_has_it(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    document = synthesized(config, "oracle")
    published = loaded.app_http.enabled is not False
    addresses = resources(document, "oci_core_public_ip")
    wanted = published + bool(oracle.management_cidrs)
    assert len(addresses) == (wanted if oracle.compute == "oke" else min(wanted, 1))
    for address in addresses.values():
        assert address["lifetime"] == "RESERVED"
        assert address["lifecycle"]["ignore_changes"] == ["private_ip_id"]
    url = document["output"]["application_url"]["value"]
    assert bool(url) is published
    if published:
        assert url.startswith("https://" if oracle.certificate_id or oracle.tls_secret else "http://")


def test_a_domain_gets_a_zone_and_a_record(synthesized: Synthesize) -> None:
    document = synthesized('[cloud]\ndomain = "aether.example.com"\n' + BASE, "oracle")
    assert only(document, "oci_dns_zone")["name"] == "aether.example.com"
    record = only(document, "oci_dns_rrset")
    assert record["rtype"] == "A"
    assert "oci_dns_zone" in record["zone_name_or_id"]
    (item,) = record["items"]
    assert item["domain"] == record["domain"] == "aether.example.com"
    assert "oci_core_public_ip" in item["rdata"]


def test_a_zone_that_exists_is_used(synthesized: Synthesize) -> None:
    text = (
        '[cloud]\ndomain = "aether.example.com"\n'
        + BASE
        + 'dns_zone_id = "ocid1.dns-zone.oc1..aaaaexample"\n'
    )
    document = synthesized(text, "oracle")
    assert not resources(document, "oci_dns_zone")
    assert only(document, "oci_dns_rrset")["zone_name_or_id"] == "ocid1.dns-zone.oc1..aaaaexample"


@pytest.mark.parametrize("text", ["manage_dns = false\n", ""])
def test_no_record_without_need(synthesized: Synthesize, text: str) -> None:
    domain = '[cloud]\ndomain = "aether.example.com"\n' if text else ""
    assert not resources(synthesized(domain + BASE + text, "oracle"), "oci_dns_rrset")


# --- virtual machines


@per_vm
def test_core_nodes_are_apart_and_stay(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    counts = loaded.counts(Provider.ORACLE)
    instances = resources(synthesized(config, "oracle"), "oci_core_instance")
    assert len(instances) == counts.core
    places = Counter((i["availability_domain"], i["fault_domain"]) for i in instances.values())
    assert max(places.values()) - min(places.values()) <= 1
    assert len(places) == min(counts.core, 3 * len(oracle_zones(oracle)))
    assert max(Counter(i["availability_domain"] for i in instances.values()).values()) <= (
        counts.core
        if len(oracle_zones(oracle)) == 1
        else counts.core // 2 + counts.core % 2 - (counts.core == 3)
    )
    assert len({i["create_vnic_details"]["private_ip"] for i in instances.values()}) == counts.core
    for place, (name, instance) in enumerate(sorted(instances.items())):
        vnic = instance["create_vnic_details"]
        assert vnic["assign_public_ip"] == "false", name
        assert instance["instance_options"] == {"are_legacy_imds_endpoints_disabled": True}
        assert {"metadata", "source_details"} <= set(instance["lifecycle"]["ignore_changes"])
        assert "preemptible_instance_config" not in instance
        before = [each for each in instance["depends_on"] if each.startswith("oci_core_instance.")]
        assert len(before) == (place > 0), "one at a time"
        assert instance["freeform_tags"]["aether-role"] == "core"


@per_vm
def test_every_core_node_has_a_volume_where_it_is(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    document = synthesized(config, "oracle")
    volumes = resources(document, "oci_core_volume")
    instances = resources(document, "oci_core_instance")
    assert len(volumes) == len(instances) == len(resources(document, "oci_core_volume_attachment"))
    for attachment in resources(document, "oci_core_volume_attachment").values():
        volume = volumes[attachment["volume_id"].split(".")[1]]
        instance = instances[attachment["instance_id"].split(".")[1]]
        assert volume["availability_domain"] == instance["availability_domain"]
        assert volume["size_in_gbs"] == str(oracle.data_volume_gib)
        assert volume["freeform_tags"]["aether-node-id"] == instance["freeform_tags"]["aether-node-id"]
        assert attachment["is_pv_encryption_in_transit_enabled"] is True
    assert loaded.counts(Provider.ORACLE).core == len(volumes)


@per_vm
def test_elastic_nodes_run_between_totals(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    counts = loaded.counts(Provider.ORACLE)
    document = synthesized(config, "oracle")
    template = only(document, "oci_core_instance_configuration")
    launch = template["instance_details"]["launch_details"]
    assert launch["create_vnic_details"]["assign_public_ip"] is False
    assert ("preemptible_instance_config" in launch) is oracle.spot
    assert template["lifecycle"] == {"create_before_destroy": True}, "it outlives its pool"
    if loaded.managed(Provider.ORACLE):
        return
    pool = only(document, "oci_core_instance_pool")
    assert pool["size"] == counts.elastic_minimum
    assert pool["lifecycle"] == {"ignore_changes": ["size"]}
    assert len(pool["placement_configurations"]) == len(oracle_zones(oracle))
    scaling = only(document, "oci_autoscaling_auto_scaling_configuration")
    (policy,) = scaling["policies"]
    assert (policy["capacity"]["min"], policy["capacity"]["max"]) == (
        counts.elastic_minimum,
        counts.elastic_maximum,
    )
    assert scaling["cool_down_in_seconds"] >= 300
    assert sorted(rule["action"]["value"] for rule in policy["rules"]) == [-1, 1]


def test_no_pool_without_elastic_nodes(synthesized: Synthesize) -> None:
    document = synthesized(BASE + 'compute = "vm"\nmin_nodes = 3\nmax_nodes = 3\n', "oracle")
    assert not resources(document, "oci_core_instance_pool")
    assert not resources(document, "oci_autoscaling_auto_scaling_configuration")
    assert resources(document, "oci_core_instance_configuration"), "the runtime manager makes nodes from it"


@per_vm
def test_load_balancer_asks_for_readiness(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    document = synthesized(config, "oracle")
    sets = resources(document, "oci_load_balancer_backend_set").values()
    published = loaded.app_http.enabled is not False
    wanted = ({"application"} if published else set()) | (
        {"management"} if oracle.management_cidrs else set()
    )
    assert {each["name"] for each in sets} == wanted
    for each in sets:
        checker = each["health_checker"]
        assert (checker["protocol"], checker["port"]) == ("HTTP", loaded.cluster.ports.management)
        assert checker["url_path"] == loaded.cloud.health.readiness_path
        assert checker["timeout_in_millis"] < checker["interval_ms"]
    counts = loaded.counts(Provider.ORACLE)
    assert len(resources(document, "oci_load_balancer_backend")) == counts.core * len(sets)
    if not loaded.managed(Provider.ORACLE):
        attached = only(document, "oci_core_instance_pool").get("load_balancers", [])
        assert len(attached) == len(sets)
    for listener in resources(document, "oci_load_balancer_listener").values():
        assert ("ssl_configuration" in listener) is (
            oracle.certificate_id is not None and listener["port"] != 80
        )
        assert (listener["port"] == 80 and oracle.certificate_id is not None) is (
            "rule_set_names" in listener
        )


def test_secrets_are_named_to_machines_and_granted(synthesized: Synthesize) -> None:
    reference = "ocid1.vaultsecret.oc1.eu-frankfurt-1.aaaaexample"
    text = f'[cloud.secrets]\nA = "{reference}"\nB = "{reference}"\n' + BASE + 'compute = "vm"\n'
    document = synthesized(text, "oracle")
    (policy,) = [p for n, p in resources(document, "oci_identity_policy").items() if "machine-rights" in n]
    (statement,) = policy["statements"]
    assert f"target.secret.id = '{reference}'" in statement
    assert "dynamic-group id" in statement
    data = next(iter(resources(document, "oci_core_instance").values()))["metadata"]["user_data"]
    assert data.startswith("${/*}*/base64encode(")
    assert data.count(f"--secret-id {reference}") == 2


# --- the workload


@per_oke
def test_workload_reaches_the_cluster_by_short_lived_tokens(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "oracle-workload")
    assert set(document["provider"]) == {"kubernetes"}
    (provider,) = document["provider"]["kubernetes"]
    (plugin,) = provider["exec"]
    assert plugin["command"] == "oci"
    assert plugin["args"][:3] == ["ce", "cluster", "generate-token"]
    assert "outputs.runtime.kubernetes.cluster_id" in plugin["args"][4]
    assert not {"token", "client_key", "password"} & set(provider)


@per_oke
def test_kubernetes_leaves_security_rules_alone(config: Path, synthesized: Synthesize) -> None:
    loaded, oracle = _oracle(config)
    services = [
        service
        for service in resources(synthesized(config, "oracle-workload"), "kubernetes_service_v1").values()
        if service["spec"].get("type") == "LoadBalancer"
    ]
    published = loaded.app_http.enabled is not False
    assert len(services) == published + bool(oracle.management_cidrs)
    for service in services:
        annotations = service["metadata"]["annotations"]
        assert annotations["oci.oraclecloud.com/security-rule-management-mode"] == "None"
        assert "security_group_id" in annotations["oci.oraclecloud.com/oci-network-security-groups"]
        assert "addresses" in service["spec"]["load_balancer_ip"]
        (port,) = service["spec"]["port"]
        secured = "service.beta.kubernetes.io/oci-load-balancer-tls-secret" in annotations
        assert secured is (oracle.tls_secret is not None and port["name"] == "application")
        if port["name"] == "application":
            assert port["port"] == (443 if secured else 80)


# --- configurations that nobody wrote an example of


SHAPES = ["VM.Standard.E5.Flex", "VM.Standard.A1.Flex", "VM.Standard2.4", "BM.Standard.E4.128"]


@pytest.mark.parametrize("compute", ["oke", "vm"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("nodes", [3, 5, 7])
def test_every_combination_is_taken(synthesized: Synthesize, compute: str, shape: str, nodes: int) -> None:
    published = str(nodes != 5).lower()
    text = BASE.replace("enabled = true", f"enabled = {published}").replace(
        "[cloud.oracle]", f'[cloud]\nprotect = {published}\ndomain = "x.example.com"\n[cloud.oracle]'
    )
    text += f'compute = "{compute}"\nshape = "{shape}"\nmin_nodes = {nodes}\nmax_nodes = {nodes * 2}\n'
    text += 'management_cidrs = ["203.0.113.7/32"]\nkms_key_id = "ocid1.key.oc1.fra.a.b"\n'
    text += "spot = true\n" if nodes == 7 else 'nat = "none"\n'
    if nodes == 3:
        text = text.replace('nat = "none"\n', "availability_zones = 1\n")
    loads(text)
    assert not problems(synthesized(text, "oracle"), SCHEMA)
