"""What holds on every cloud, whatever the file says: one rule a test, one reader a cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from terraform_json import CONFIGS, Document, every, only, resources

from aether_infra.config import AetherConfig, CloudSection, Provider, load
from aether_infra.core.kubernetes import JVM_POOL, POOL_LABEL, SPOT_POOL

Synthesize = Callable[..., Document]

OUTPUTS = {"application_url", "cluster_name", "network_id", "provider", "region", "registry_url", "runtime"}
RUNTIME = {
    "cluster_name",
    "compute",
    "core_nodes",
    "dns",
    "image",
    "max_nodes",
    "min_nodes",
    "network_id",
    "ports",
    "provider",
    "region",
    "security_group_ids",
    "subnet_ids",
    "tags",
}
KUBERNETES = {"ca_certificate", "cluster_id", "cluster_name", "endpoint", "identity", "load_balancer"}
CLUSTERS = {
    "aws_eks_cluster",
    "azurerm_kubernetes_cluster",
    "digitalocean_kubernetes_cluster",
    "google_container_cluster",
    "oci_containerengine_cluster",
}
ANYWHERE = {"0.0.0.0/0", "::/0", "Internet", "*"}


@frozen
class Case:
    """A configuration, one cloud of it, and the infrastructure stack of that."""

    path: Path
    provider: Provider
    document: Document

    @property
    def config(self) -> AetherConfig:
        return load(self.path, env={})

    @property
    def section(self) -> CloudSection:
        return self.config.section(self.provider)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All resources of a type."""
        return list(resources(self.document, kind).values())


EVERY = [
    (path, provider)
    for path in CONFIGS
    for provider in load(path, env={}).sections
    if provider is not Provider.KUBERNETES
]
IN_KUBERNETES = [(path, provider) for path, provider in EVERY if load(path, env={}).in_kubernetes(provider)]


def name(pair: tuple[Path, Provider]) -> str:
    return f"{pair[0].stem}-{pair[1]}"


@pytest.fixture(params=EVERY, ids=name)
def case(request: pytest.FixtureRequest, synthesized: Synthesize) -> Case:
    path, provider = request.param
    return Case(path, provider, synthesized(path, provider.value))


@pytest.fixture(params=IN_KUBERNETES, ids=name)
def kubernetes(request: pytest.FixtureRequest, synthesized: Synthesize) -> Case:
    path, provider = request.param
    return Case(path, provider, synthesized(path, provider.value))


def test_every_cloud_and_kind_has_configurations() -> None:
    kinds = {(provider, load(path, env={}).section(provider).compute) for path, provider in EVERY}
    assert {provider for provider, _ in kinds} == set(Provider) - {Provider.KUBERNETES}
    for provider in {provider for provider, _ in kinds}:
        assert len([kind for kind in kinds if kind[0] is provider]) > 1
        assert len({path for path, other in EVERY if other is provider}) > 2


def test_the_same_outputs(case: Case) -> None:
    assert set(case.document["output"]) == OUTPUTS
    runtime = case.document["output"]["runtime"]["value"]
    assert set(runtime) >= RUNTIME
    counts = case.config.counts(case.provider)
    assert (runtime["core_nodes"], runtime["min_nodes"], runtime["max_nodes"]) == (
        counts.core,
        counts.minimum,
        counts.maximum,
    )
    described = runtime.get("kubernetes")
    assert bool(described) is case.config.in_kubernetes(case.provider)
    if described:
        assert set(described) >= KUBERNETES


def test_one_provider_and_nothing_of_kubernetes(case: Case) -> None:
    assert len(case.document["terraform"]["required_providers"]) == 1
    assert not any(kind.startswith("kubernetes_") for kind, _, _ in every(case.document))


def _texts(value: Any) -> Iterator[str]:
    """Every text of a document that Terraform takes as text: whole arguments, and literals inside of expressions."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in {"//", "depends_on", "ignore_changes", "provider"}:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str) and not value.startswith("${"):
        yield value
    elif isinstance(value, str):
        yield from (literal[0] for literal in re.finditer(r'"(?:[^"\\]|\\.)*"', value))


def test_no_reference_has_lost_its_braces(case: Case) -> None:
    """cdktf writes a token as a bare name where it takes it to be inside of an expression (see `cdk.text`)."""
    bare = re.compile(
        r"\b(?:data\.)?(?:aws|azurerm|digitalocean|google|oci)_\w+\.[\w-]+\.[a-z]\w*|\blocal\.\w+"
    )
    stacks = [case.document["resource"], case.document["output"], case.document.get("locals", {})]
    for text in _texts(stacks):
        assert not bare.search(re.sub(r"\$\{[^}]*\}", "", text)), text


# protection


def test_protect_guards_the_cluster(kubernetes: Case) -> None:
    ((cluster,),) = [kubernetes.of(kind) for kind in CLUSTERS if kubernetes.of(kind)]
    protect = kubernetes.config.cloud.protect
    assert cluster.get("lifecycle", {}).get("prevent_destroy", False) is protect
    if kubernetes.provider in {Provider.AWS, Provider.GCP}:
        assert cluster["deletion_protection"] is protect
    if kubernetes.provider is Provider.AZURE:
        assert bool(kubernetes.of("azurerm_management_lock")) is protect
    if kubernetes.provider is Provider.DIGITALOCEAN:
        assert cluster["destroy_all_associated_resources"] is not protect


def test_without_protect_nothing_refuses_to_go(case: Case) -> None:
    if not case.config.cloud.protect:
        assert '"prevent_destroy": true' not in json.dumps(case.document)
        assert not case.of("azurerm_management_lock")


# nodes


def test_nodes_have_no_public_address(case: Case) -> None:
    for kind, address, arguments in every(case.document):
        text = json.dumps(arguments)
        match kind:
            case "aws_launch_template" | "aws_instance":
                assert '"associate_public_ip_address": "true"' not in text, address
            case "azurerm_linux_virtual_machine_scale_set" | "azurerm_network_interface":
                assert "public_ip_address" not in text, address
            case "azurerm_kubernetes_cluster_node_pool":
                assert arguments["node_public_ip_enabled"] is False, address
            case "google_compute_instance_template" | "google_compute_instance":
                assert "access_config" not in text, address
            case "google_container_node_pool":
                assert arguments["network_config"]["enable_private_nodes"] is True, address
            case "oci_core_instance":
                assert arguments["create_vnic_details"]["assign_public_ip"] in {False, "false"}, address


def test_machines_are_private_or_behind_a_firewall(case: Case) -> None:
    """Droplets always have a public address: a firewall of ours, or that of DOKS, closes it."""
    if case.provider is Provider.DIGITALOCEAN and case.section.compute == "vm":
        for firewall in case.of("digitalocean_firewall"):
            for rule in firewall["inbound_rule"]:
                assert not ANYWHERE & set(rule.get("source_addresses", []))
        assert case.of("digitalocean_firewall")


def _open_ports(case: Case) -> Iterator[tuple[str, str]]:
    """Address and text of every rule that lets in the whole internet."""
    for kind, address, arguments in every(case.document):
        text = json.dumps(arguments)
        sources = set()
        match kind:
            case "aws_vpc_security_group_ingress_rule":
                sources = {arguments.get("cidr_ipv4")}
            case "azurerm_network_security_rule":
                if arguments["direction"] == "Inbound" and arguments["access"] == "Allow":
                    sources = {
                        arguments.get("source_address_prefix"),
                        *arguments.get("source_address_prefixes", []),
                    }
            case "google_compute_firewall":
                sources = set(arguments.get("source_ranges", []))
            case "oci_core_network_security_group_security_rule":
                sources = {arguments.get("source")} if arguments["direction"] == "INGRESS" else set()
            case "digitalocean_firewall":
                sources = {
                    cidr for rule in arguments["inbound_rule"] for cidr in rule.get("source_addresses", [])
                }
        if ANYWHERE & sources:
            yield f"{kind}.{address}", text


def test_the_management_port_is_open_to_nobody_unless_asked(case: Case) -> None:
    if "0.0.0.0/0" in case.section.management_cidrs:
        return
    port = str(case.config.cluster.ports.management)
    for address, text in _open_ports(case):
        assert f'"{port}"' not in text, address
        assert f": {port}" not in text, address


def test_cluster_ports_are_open_to_nobody_outside(case: Case) -> None:
    ports = case.config.cluster.ports
    for address, text in _open_ports(case):
        for port in (ports.cluster, ports.cluster + 100):
            assert f'"{port}"' not in text, address
            assert f": {port}" not in text, address


# Kubernetes


def test_the_api_is_private_or_has_an_allow_list(kubernetes: Case) -> None:
    section = kubernetes.section
    public = getattr(section, "endpoint_public", True)
    allowed = set(section.authorized_cidrs)  # type: ignore[attr-defined]
    match kubernetes.provider:
        case Provider.AWS:
            network = only(kubernetes.document, "aws_eks_cluster")["vpc_config"]
            assert network["endpoint_private_access"] is True
            assert network["endpoint_public_access"] is public
            # AWS takes no private ranges here: these come in by the private endpoint
            assert set(network.get("public_access_cidrs") or []) <= allowed
            assert bool(network.get("public_access_cidrs")) is public
        case Provider.GCP:
            cluster = only(kubernetes.document, "google_container_cluster")
            assert cluster["private_cluster_config"]["enable_private_endpoint"] is not public
            listed = cluster["master_authorized_networks_config"].get("cidr_blocks", [])
            assert {block["cidr_block"] for block in listed} == allowed
            assert cluster["master_authorized_networks_config"]["gcp_public_cidrs_access_enabled"] is False
        case Provider.AZURE:
            cluster = only(kubernetes.document, "azurerm_kubernetes_cluster")
            assert cluster["private_cluster_enabled"] is not public
            if public:
                assert allowed <= set(cluster["api_server_access_profile"]["authorized_ip_ranges"])
        case Provider.DIGITALOCEAN:
            firewall = only(kubernetes.document, "digitalocean_kubernetes_cluster")["control_plane_firewall"]
            assert firewall["enabled"] is True
            assert allowed <= set(firewall["allowed_addresses"])
            assert "0.0.0.0/0" in allowed or "0.0.0.0/0" not in firewall["allowed_addresses"]
        case Provider.ORACLE:
            endpoint = only(kubernetes.document, "oci_containerengine_cluster")["endpoint_config"]
            assert endpoint["is_public_ip_enabled"] is public
            assert endpoint["nsg_ids"]


def test_pods_have_an_identity_of_their_own(kubernetes: Case) -> None:
    subject = f"{kubernetes.config.kubernetes.namespace}/aether-node"
    match kubernetes.provider:
        case Provider.AWS:
            pairs = [
                (one["namespace"], one["service_account"])
                for one in kubernetes.of("aws_eks_pod_identity_association")
            ]
            assert tuple(subject.split("/")) in pairs
        case Provider.GCP:
            project = getattr(kubernetes.section, "project", "")
            cluster = only(kubernetes.document, "google_container_cluster")
            assert cluster["workload_identity_config"]["workload_pool"] == f"{project}.svc.id.goog"
            for pool in kubernetes.of("google_container_node_pool"):
                assert pool["node_config"]["workload_metadata_config"]["mode"] == "GKE_METADATA"
            members = [one["member"] for one in kubernetes.of("google_service_account_iam_member")]
            assert f"serviceAccount:{project}.svc.id.goog[{subject}]" in members
        case Provider.AZURE:
            cluster = only(kubernetes.document, "azurerm_kubernetes_cluster")
            assert cluster["oidc_issuer_enabled"] is True
            assert cluster["workload_identity_enabled"] is True
            credential = only(kubernetes.document, "azurerm_federated_identity_credential")
            assert credential["subject"] == f"system:serviceaccount:{subject.replace('/', ':')}"
        case Provider.ORACLE:
            assert only(kubernetes.document, "oci_containerengine_cluster")["type"] == "ENHANCED_CLUSTER"
        case Provider.DIGITALOCEAN:
            assert "service_account" in type(kubernetes.section).absent


def test_machines_may_pull_from_the_registry(kubernetes: Case) -> None:
    text = json.dumps(kubernetes.document["resource"])
    wanted = {
        Provider.AWS: "AmazonEC2ContainerRegistryPullOnly",
        Provider.GCP: "roles/artifactregistry.reader",
        Provider.AZURE: "AcrPull",
        Provider.DIGITALOCEAN: '"registry_integration": true',
        Provider.ORACLE: "read repos",
    }[kubernetes.provider]
    assert wanted in text


def _bounds(kubernetes: Case) -> dict[str, tuple[int, int]]:
    """Fewest and most machines of each pool that Aether's nodes run on, over all zones."""
    found = {}
    match kubernetes.provider:
        case Provider.AWS:
            for one in kubernetes.of("aws_eks_node_group"):
                scaling = one["scaling_config"]
                found[one["labels"][POOL_LABEL]] = (scaling["min_size"], scaling["max_size"])
        case Provider.GCP:
            for one in kubernetes.of("google_container_node_pool"):
                scaling = one["autoscaling"]
                bounds = (scaling["total_min_node_count"], scaling["total_max_node_count"])
                found[one["node_config"]["labels"][POOL_LABEL]] = bounds
        case Provider.AZURE:
            for one in kubernetes.of("azurerm_kubernetes_cluster_node_pool"):
                fixed = one.get("node_count")
                found[one["node_labels"][POOL_LABEL]] = (
                    one.get("min_count", fixed),
                    one.get("max_count", fixed),
                )
        case Provider.DIGITALOCEAN:
            for one in kubernetes.of("digitalocean_kubernetes_node_pool"):
                fixed = one.get("node_count")
                found[one["labels"][POOL_LABEL]] = (one.get("min_nodes", fixed), one.get("max_nodes", fixed))
        case Provider.ORACLE:
            return {}  # in the autoscaler's settings: tests/oracle
    return found


def _has_spot(kubernetes: Case) -> bool:
    """Whether the elastic nodes, the ones whose number changes, have machines of their own."""
    counts = kubernetes.config.counts(kubernetes.provider)
    return bool(getattr(kubernetes.section, "spot", False)) and counts.elastic_maximum > 0


def test_bounds_are_totals(kubernetes: Case) -> None:
    if kubernetes.provider is Provider.ORACLE:
        return
    counts, bounds = kubernetes.config.counts(kubernetes.provider), _bounds(kubernetes)
    if SPOT_POOL in bounds:
        assert bounds[JVM_POOL] == (counts.core, counts.core)
        assert bounds[SPOT_POOL] == (counts.elastic_minimum, counts.elastic_maximum)
    elif not (getattr(kubernetes.section, "spot", False)):
        assert bounds[JVM_POOL] == (counts.minimum, counts.maximum)


def test_autoscaled_numbers_are_not_terraforms(kubernetes: Case) -> None:
    counts = kubernetes.config.counts(kubernetes.provider)
    if counts.minimum == counts.maximum:
        return
    pools = {
        "aws_eks_node_group": "scaling_config[0].desired_size",
        "azurerm_kubernetes_cluster_node_pool": "node_count",
        "digitalocean_kubernetes_node_pool": "node_count",
        "google_container_node_pool": "node_count",
        "oci_containerengine_node_pool": "node_config_details[0].size",
    }
    seen = 0
    for kind, argument in pools.items():
        for pool in kubernetes.of(kind):
            if (SPOT_POOL if _has_spot(kubernetes) else JVM_POOL) in json.dumps(pool.get("labels", pool)):
                assert argument in pool["lifecycle"]["ignore_changes"], kind
                seen += 1
    assert seen


def test_control_planes_write_logs(kubernetes: Case) -> None:
    match kubernetes.provider:
        case Provider.AWS:
            assert len(only(kubernetes.document, "aws_eks_cluster")["enabled_cluster_log_types"]) == 5
        case Provider.GCP:
            cluster = only(kubernetes.document, "google_container_cluster")
            assert {"SYSTEM_COMPONENTS", "WORKLOADS"} <= set(cluster["logging_config"]["enable_components"])
        case Provider.AZURE:
            logs = only(kubernetes.document, "azurerm_monitor_diagnostic_setting")["enabled_log"]
            assert {"guard", "kube-audit-admin"} <= {one["category"] for one in logs}
        case Provider.ORACLE:
            assert kubernetes.of("oci_logging_log")
        case Provider.DIGITALOCEAN:
            pass  # this cloud's provider has no argument for it


def test_the_system_pool_is_apart_from_the_jvm(kubernetes: Case) -> None:
    text = json.dumps(kubernetes.document["resource"])
    assert text.count(f'"{POOL_LABEL}": "jvm"') + text.count('"value": "jvm"') >= 1
    assert text.count(f'"{POOL_LABEL}": "system"') + text.count('"value": "system"') >= 1


# change

SIZES = {
    Provider.AWS: {"instance_type": "m6i.4xlarge", "max_nodes": 9},
    Provider.AZURE: {"vm_size": "Standard_D16s_v5", "max_nodes": 9},
    Provider.DIGITALOCEAN: {"droplet_size": "s-8vcpu-16gb-amd", "max_nodes": 9},
    Provider.GCP: {"machine_type": "n2-standard-16", "max_nodes": 9},
    Provider.ORACLE: {"shape": "VM.Standard.E4.Flex", "ocpus": 3, "memory_gib": 24, "max_nodes": 9},
}
"""Another size and another number of machines for the JVM pool."""
NODE_POOLS = {
    "aws_eks_node_group",
    "azurerm_kubernetes_cluster_node_pool",
    "digitalocean_kubernetes_node_pool",
    "google_container_node_pool",
    "oci_containerengine_node_pool",
}


@pytest.mark.parametrize("provider", SIZES, ids=str)
def test_another_size_of_machines_leaves_the_cluster_alone(
    provider: Provider, synthesized: Synthesize
) -> None:
    required = {
        Provider.AZURE: 'subscription_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
        Provider.GCP: 'project = "my-project"',
        Provider.ORACLE: 'compartment_id = "ocid1.compartment.oc1..a"\ntenancy_id = "ocid1.tenancy.oc1..a"',
    }.get(provider, "")
    compute = 'compute = "eks"' if provider is Provider.AWS else ""
    text = f"[cloud.{provider}]\n{required}\n{compute}\n"
    sizes = "\n".join(f"{key} = {json.dumps(value)}" for key, value in SIZES[provider].items())
    before = Case(Path(), provider, synthesized(text, provider.value))
    after = Case(Path(), provider, synthesized(text + sizes, provider.value))
    changed = {
        kind
        for kind, address, arguments in every(after.document)
        if resources(before.document, kind).get(address) != arguments
    }
    assert changed & NODE_POOLS or provider is Provider.AWS
    assert not changed & CLUSTERS
    for kind in CLUSTERS:
        assert before.of(kind) == after.of(kind)


def test_the_region_of_a_bucket_is_one_of_aws(synthesized: Synthesize) -> None:
    state = '[cloud.state]\nbackend = "s3"\nbucket = "states"\n[cloud.digitalocean]\n'
    for stack in ("digitalocean", "digitalocean-workload"):
        alone = synthesized(state, stack)
        assert "region" not in alone["terraform"]["backend"]["s3"]
        beside = synthesized(state + '[cloud.aws]\nregion = "eu-west-1"\n[cloud]\nprovider = "aws"', stack)
        assert beside["terraform"]["backend"]["s3"]["region"] == "eu-west-1"
    source = beside["data"]["terraform_remote_state"]["infrastructure"]["config"]
    assert source["region"] == "eu-west-1"
