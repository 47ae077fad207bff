"""The whole Azure stack: its shape as a snapshot, and the facts that no update of a snapshot may lose."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from command_lines import TERRAFORM
from syrupy.assertion import SnapshotAssertion
from terraform_json import (
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

from aether_infra.config import AetherConfig, AzureConfig, Provider, load

Synthesize = Callable[..., Document]
CONFIGS = configs("azure")
SUBSCRIPTION = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
LEAST = f'[cloud.azure]\nsubscription_id = "{SUBSCRIPTION}"\n'
VM = f'{LEAST}compute = "vm"\n'
ANYWHERE = {"*", "0.0.0.0/0", "Internet"}

per_config = pytest.mark.parametrize("config", CONFIGS, ids=case)


def of_kind(compute: str) -> Any:
    """Only the configurations with one kind of compute."""
    return pytest.mark.parametrize(
        "config", [path for path in CONFIGS if azure(path)[1].compute == compute], ids=case
    )


def azure(path: Path) -> tuple[AetherConfig, AzureConfig]:
    """A configuration and its table of Azure."""
    config = load(path)
    section = config.section(Provider.AZURE)
    assert isinstance(section, AzureConfig)
    return config, section


per_aks = of_kind("aks")
per_vm = of_kind("vm")


@pytest.fixture
def synthesized(synthesized: Synthesize) -> Synthesize:
    """Stacks without the runtime manager's own, which test_manager.py is about."""
    return lambda config, stack: without_manager(synthesized(config, stack))


@per_config
def test_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = {key: value for key, value in synthesized(config, "azure").items() if key != "//"}
    assert readable(document) == snapshot_json


@per_config
def test_every_resource_that_can_bears_the_cluster_tag(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    name = document["output"]["cluster_name"]["value"]
    tagged = 0
    for kind, address, arguments in every(document):
        if "tags" in arguments_of(kind):
            assert arguments.get("tags", {}).get("aether-cluster") == name, f"{kind}.{address}"
            tagged += 1
    assert tagged > 5


def arguments_of(kind: str) -> set[str]:
    module = import_module(f"cdktf_cdktf_provider_azurerm.{kind.removeprefix('azurerm_')}")
    classes = [item for item in vars(module).values() if hasattr(item, "TF_RESOURCE_TYPE")]
    (resource,) = [item for item in classes if kind == item.TF_RESOURCE_TYPE]
    return set(signature(resource.__init__).parameters)


@per_config
def test_outputs_are_those_of_the_design(config: Path, synthesized: Synthesize) -> None:
    outputs = synthesized(config, "azure")["output"]
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
    wanted = {"subnet_ids", "security_group_ids", "image", "tags", "ports", "core_nodes", "dns"}
    assert wanted <= set(runtime)
    if azure(config)[1].compute == "vm":
        assert "kubernetes" not in runtime
        return
    assert {
        "cluster_name",
        "cluster_id",
        "endpoint",
        "ca_certificate",
        "identity",
        "load_balancer",
    } <= set(runtime["kubernetes"])


@per_config
def test_bytes_do_not_name_this_machine(config: Path, synthesized: Synthesize) -> None:
    assert str(Path.cwd()) not in json.dumps(synthesized(config, "azure"))


@per_config
def test_there_is_no_kubernetes_in_the_infrastructure(config: Path, synthesized: Synthesize) -> None:
    assert set(synthesized(config, "azure")["terraform"]["required_providers"]) == {"azurerm"}


# --- names


FORMS = {
    # type: form of its name. Source: validation of the provider, 4.55.0
    "azurerm_container_registry": r"[a-zA-Z0-9]{5,50}",
    "azurerm_kubernetes_cluster_node_pool": r"[a-z][a-z0-9]{0,11}",
    "azurerm_lb_rule": r"[a-zA-Z0-9][a-zA-Z_0-9.-]{0,78}[a-zA-Z0-9_]",
    "azurerm_linux_virtual_machine": r"[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}[a-zA-Z0-9]",
    "azurerm_linux_virtual_machine_scale_set": r"[a-zA-Z0-9][a-zA-Z0-9.-]{0,56}[a-zA-Z0-9]",
    "azurerm_log_analytics_workspace": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "azurerm_management_lock": r"[A-Za-z0-9_-]{1,259}",
    "azurerm_nat_gateway": r"[a-zA-Z\d][a-zA-Z\d_.-]{0,78}[a-zA-Z\d_]",
    "azurerm_resource_group": r"[-\w.()]{0,89}[-\w()]",
    "azurerm_user_assigned_identity": r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
    "azurerm_virtual_machine_run_command": r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,78}\w",
    "azurerm_virtual_network": r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}[a-zA-Z0-9_]",
}
WITHIN_A_PARENT = {
    "azurerm_virtual_machine_run_command",
    "azurerm_virtual_machine_extension",
    "azurerm_monitor_data_collection_rule_association",
    "azurerm_management_lock",
}


@per_config
def test_names_are_unique_and_of_the_form_that_azure_wants(config: Path, synthesized: Synthesize) -> None:
    names: Counter[tuple[str, str]] = Counter()
    for kind, address, arguments in every(synthesized(config, "azure")):
        name = arguments.get("name")
        if name is None:
            continue
        assert re.fullmatch(FORMS.get(kind, r"[\w.@-]{1,80}"), name, re.ASCII), f"{kind}.{address}: {name}"
        if kind not in WITHIN_A_PARENT:
            names[kind, name] += 1
    assert max(names.values()) == 1, names.most_common(3)


def test_the_cluster_of_the_longest_name_is_covered() -> None:
    assert any(len(azure(path)[0].cluster.name) == 20 for path in CONFIGS)


# --- network


@per_config
def test_nothing_leaves_the_subnet_but_through_nat(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    if azure(config)[1].subnet_id:
        assert not resources(document, "azurerm_subnet")
        assert not resources(document, "azurerm_nat_gateway")
        return
    network = ipaddress.ip_network(only(document, "azurerm_virtual_network")["address_space"][0])
    subnet = only(document, "azurerm_subnet")
    assert ipaddress.ip_network(subnet["address_prefixes"][0]).subnet_of(network)
    assert subnet["default_outbound_access_enabled"] is False
    assert only(document, "azurerm_nat_gateway")["sku_name"] == "Standard"
    assert only(document, "azurerm_subnet_nat_gateway_association")
    assert only(document, "azurerm_nat_gateway_public_ip_association")


@per_config
def test_public_addresses_are_for_traffic_in_and_out_and_on_no_machine(
    config: Path, synthesized: Synthesize
) -> None:
    document = synthesized(config, "azure")
    loaded, table = azure(config)
    published = loaded.app_http.enabled is not False or table.management_cidrs
    addresses = resources(document, "azurerm_public_ip")
    assert len(addresses) == bool(published) + (table.subnet_id is None)
    for address in addresses.values():
        assert (address["sku"], address["allocation_method"]) == ("Standard", "Static")
        # two zones are refused: all or none
        assert address.get("zones", []) in (["1", "2", "3"], [])
    for interface in resources(document, "azurerm_network_interface").values():
        assert "public_ip_address_id" not in interface["ip_configuration"][0]
    for machines in resources(document, "azurerm_linux_virtual_machine_scale_set").values():
        assert "public_ip_address" not in machines["network_interface"][0]["ip_configuration"][0]
    for cluster in resources(document, "azurerm_kubernetes_cluster").values():
        assert cluster["default_node_pool"]["node_public_ip_enabled"] is False
    for pool in resources(document, "azurerm_kubernetes_cluster_node_pool").values():
        assert pool["node_public_ip_enabled"] is False


@per_config
def test_who_may_reach_a_node(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    loaded, table = azure(config)
    rules = resources(document, "azurerm_network_security_rule")
    if table.compute == "aks" and table.subnet_id:
        assert not rules
        return
    priorities = [rule["priority"] for rule in rules.values()]
    assert len(priorities) == len(set(priorities))
    for name, rule in rules.items():
        sources = {rule.get("source_address_prefix"), *rule.get("source_address_prefixes", [])} - {None}
        if rule["access"] == "Deny":
            assert (rule["priority"], rule["destination_port_range"], sources) == (4096, "*", {"*"}), name
            continue
        if sources & ANYWHERE:
            assert "0.0.0.0/0" in table.allowed_cidrs, name
            assert rule["destination_port_range"] != str(loaded.cluster.ports.management), name
            assert rule["destination_port_range"] != "*", name
        if rule["destination_port_range"] == str(loaded.cluster.ports.management):
            assert sources <= {"AzureLoadBalancer", *table.management_cidrs}, name
    assert any(rule["access"] == "Deny" for rule in rules.values())
    if table.subnet_id is None:
        assert only(document, "azurerm_subnet_network_security_group_association")


@per_vm
def test_cluster_ports_are_open_between_nodes_alone(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    port = load(config).cluster.ports.cluster
    own = set()
    for rule in resources(document, "azurerm_network_security_rule").values():
        if "source_application_security_group_ids" in rule:
            ends = (
                rule["source_application_security_group_ids"],
                rule["destination_application_security_group_ids"],
            )
            assert ends[0] == ends[1] == ["${azurerm_application_security_group.nodes.id}"]
            own.add((rule["protocol"], rule["destination_port_range"]))
        else:
            assert rule["destination_port_range"] not in {str(port), str(port + 100)}
    assert own == {("Tcp", str(port)), ("Udp", str(port)), ("Udp", str(port + 100))}
    for interface in resources(document, "azurerm_network_interface"):
        for kind in ("security_group", "application_security_group"):
            found = resources(document, f"azurerm_network_interface_{kind}_association").values()
            assert any(interface in one["network_interface_id"] for one in found)


# --- AKS


@per_aks
def test_the_api_is_private_or_has_an_allow_list(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    table = azure(config)[1]
    cluster = only(document, "azurerm_kubernetes_cluster")
    if not table.endpoint_public:
        assert cluster["private_cluster_enabled"] is True
        assert "api_server_access_profile" not in cluster
        return
    assert cluster["private_cluster_enabled"] is False
    ranges = cluster["api_server_access_profile"]["authorized_ip_ranges"]
    assert set(table.authorized_cidrs) <= set(ranges)
    assert not set(ranges) & ANYWHERE
    # the machines come from the NAT gateway
    assert any("network_egress" in one for one in ranges) is (table.subnet_id is None)


@per_aks
def test_identities_have_no_passwords(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    cluster = only(document, "azurerm_kubernetes_cluster")
    assert cluster["oidc_issuer_enabled"] is cluster["workload_identity_enabled"] is True
    assert cluster["local_account_disabled"] is True
    assert cluster["azure_active_directory_role_based_access_control"]["azure_rbac_enabled"] is True
    assert cluster["run_command_enabled"] is False
    assert "service_principal" not in cluster
    credential = only(document, "azurerm_federated_identity_credential")
    assert credential["subject"] == "system:serviceaccount:aether:aether-node"
    assert credential["audience"] == ["api://AzureADTokenExchange"]
    assert "workload" in credential["parent_id"]


@per_aks
def test_rights_are_there_before_the_cluster_and_least(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    cluster = only(document, "azurerm_kubernetes_cluster")
    grants = resources(document, "azurerm_role_assignment")
    named = {name: grant["role_definition_name"] for name, grant in grants.items()}
    before = {name for name in named if name.startswith(("control-plane", "kubelet"))}
    assert {f"azurerm_role_assignment.{name}" for name in before} <= set(cluster["depends_on"])
    (pull,) = [grant for grant in grants.values() if grant["role_definition_name"] == "AcrPull"]
    assert "azurerm_user_assigned_identity.kubelet" in pull["principal_id"]
    assert cluster["kubelet_identity"]["object_id"] == pull["principal_id"]
    assert "azurerm_container_registry.registry" in pull["scope"]
    assert not set(named.values()) & {"Owner", "Contributor", "User Access Administrator"}
    if azure(config)[1].subnet_id is None:
        network = {"azurerm_subnet_nat_gateway_association", "azurerm_nat_gateway_public_ip_association"}
        assert network <= {one.partition(".")[0] for one in cluster["depends_on"]}


@per_aks
def test_counts_are_totals(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    loaded, table = azure(config)
    counts = loaded.counts(Provider.AZURE)
    pools = {
        pool["name"]: pool for pool in resources(document, "azurerm_kubernetes_cluster_node_pool").values()
    }
    bounds = {name: (pool["min_count"], pool["max_count"]) for name, pool in pools.items()}
    if not table.spot:
        assert bounds == {"jvm": (counts.minimum, counts.maximum)}
    else:
        elastic = {"spot": (counts.elastic_minimum, counts.elastic_maximum)} if counts.elastic_maximum else {}
        assert bounds == {"jvm": (counts.core, counts.core)} | elastic
    for name, pool in pools.items():
        assert "node_count" in pool["lifecycle"]["ignore_changes"]
        assert pool["mode"] == "User"
        assert pool["temporary_name_for_rotation"] == f"{name}tmp"
        assert pool["node_labels"]["aether-pool"] == name
        assert pool["node_labels"]["aether-cluster"] == loaded.cluster.name
        # AKS refuses a surge of spot machines
        assert ("upgrade_settings" in pool) is (name != "spot")
    system = only(document, "azurerm_kubernetes_cluster")["default_node_pool"]
    assert (system["node_count"], system["only_critical_addons_enabled"]) == (table.system_nodes, True)
    assert system["temporary_name_for_rotation"] != system["name"]


def test_spot_machines_run_nothing_but_what_tolerates_them(synthesized: Synthesize) -> None:
    pools = resources(synthesized(f"{LEAST}spot = true\n", "azure"), "azurerm_kubernetes_cluster_node_pool")
    (spot,) = [pool for pool in pools.values() if pool["name"] == "spot"]
    assert "aether-pool=spot:NoSchedule" in spot["node_taints"]
    assert (spot["priority"], spot["eviction_policy"], spot["spot_max_price"]) == ("Spot", "Delete", -1)
    (jvm,) = [pool for pool in pools.values() if pool["name"] == "jvm"]
    assert "priority" not in jvm


@per_config
def test_machines_are_over_three_zones_where_there_are_three(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    table = azure(config)[1]
    zones = document["output"]["runtime"]["value"]["zones"]
    wanted = (
        table.availability_zones
        if isinstance(table.availability_zones, int)
        else len(table.availability_zones)
    )
    assert len(zones) == (0 if table.location == "westus" else wanted)
    for kind in ("azurerm_kubernetes_cluster_node_pool", "azurerm_linux_virtual_machine_scale_set"):
        for machines in resources(document, kind).values():
            assert machines.get("zones", []) == zones
    for cluster in resources(document, "azurerm_kubernetes_cluster").values():
        assert cluster["default_node_pool"].get("zones", []) == zones
    core = [machine.get("zone") for machine in resources(document, "azurerm_linux_virtual_machine").values()]
    if len(zones) == 3 and core:
        assert max(Counter(core).values()) <= len(core) // 2


@per_aks
def test_logs_are_on(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    table = azure(config)[1]
    setting = only(document, "azurerm_monitor_diagnostic_setting")
    categories = {log["category"] for log in setting["enabled_log"]}
    assert {"kube-audit-admin", "guard", "cluster-autoscaler", "kube-apiserver"} <= categories
    workspace = setting["log_analytics_workspace_id"]
    agent = only(document, "azurerm_kubernetes_cluster")["oms_agent"]
    assert agent == {"log_analytics_workspace_id": workspace, "msi_auth_for_monitoring_enabled": True}
    association = only(document, "azurerm_monitor_data_collection_rule_association")
    assert association["name"] == "ContainerInsightsExtension"
    assert bool(resources(document, "azurerm_log_analytics_workspace")) is (
        table.log_analytics_workspace_id is None
    )


@per_vm
def test_every_machine_sends_its_log(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    machines = resources(document, "azurerm_linux_virtual_machine")
    agents = resources(document, "azurerm_virtual_machine_extension").values()
    assert {one for agent in agents for one in references(agent["virtual_machine_id"])} == {
        f"azurerm_linux_virtual_machine.{name}" for name in machines
    }
    followers = resources(document, "azurerm_monitor_data_collection_rule_association")
    scale_sets = resources(document, "azurerm_linux_virtual_machine_scale_set")
    assert len(followers) == len(machines) + len(scale_sets)
    for scale_set in scale_sets.values():
        assert "AzureMonitorLinuxAgent" in {one["type"] for one in scale_set["extension"]}


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("compute", ["aks", "vm"])
def test_one_flag_protects_everything(synthesized: Synthesize, compute: str, *, protect: bool) -> None:
    text = f"[cloud]\nprotect = {str(protect).lower()}\n{LEAST}"
    document = synthesized(f'{text}compute = "{compute}"\n', "azure")
    kinds = {
        "aks": ["azurerm_kubernetes_cluster", "azurerm_container_registry"],
        "vm": ["azurerm_managed_disk", "azurerm_container_registry"],
    }
    held = [(kind, *one) for kind in kinds[compute] for one in resources(document, kind).items()]
    assert len(held) > 1
    locked = {
        reference.partition(".")[2]
        for one in resources(document, "azurerm_management_lock").values()
        for reference in references(one["scope"])
    }
    for kind, name, arguments in held:
        assert (arguments.get("lifecycle", {}).get("prevent_destroy") is True) is protect
        # a lock holds for what is below: no pool of a locked cluster could ever be replaced by another
        lockable = kind != "azurerm_kubernetes_cluster"
        assert (name in locked) is (protect and lockable)
    features = document["provider"]["azurerm"][0]["features"][0]
    assert features["resource_group"][0]["prevent_deletion_if_contains_resources"] is protect


FORCES_A_NEW_CLUSTER = {
    # arguments that replace the cluster when they change. Source: the provider's schema, 4.55.0
    "name",
    "location",
    "resource_group_name",
    "disk_encryption_set_id",
    "dns_prefix",
    "dns_prefix_private_cluster",
    "edge_zone",
    "kubelet_identity",
    "network_profile",
    "node_resource_group",
    "private_cluster_enabled",
    "private_dns_zone_id",
    "role_based_access_control_enabled",
    "default_node_pool",
}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'vm_size = "Standard_E16s_v5"\n'),
        ("", "min_nodes = 5\nmax_nodes = 50\n"),
        ("", "spot = true\n"),
        ('kubernetes_version = "1.33"\n', 'kubernetes_version = "1.34"\n'),
    ],
)
def test_no_change_of_the_jvm_pool_replaces_the_cluster(
    synthesized: Synthesize, before: str, after: str
) -> None:
    one, other = (
        only(
            synthesized(f'[cluster]\nname = "steady"\nnodes = 3\n{LEAST}{change}', "azure"),
            "azurerm_kubernetes_cluster",
        )
        for change in (before, after)
    )
    changed = {key for key in one | other if one.get(key) != other.get(key)}
    assert not changed & FORCES_A_NEW_CLUSTER


def test_a_change_of_the_system_pool_goes_through_a_temporary_one(synthesized: Synthesize) -> None:
    one, other = (
        only(synthesized(f"{LEAST}{change}", "azure"), "azurerm_kubernetes_cluster")["default_node_pool"]
        for change in ("", 'system_vm_size = "Standard_D4s_v5"\nsystem_nodes = 5\n')
    )
    assert one["name"] == other["name"]
    assert one["temporary_name_for_rotation"] == other["temporary_name_for_rotation"] == "systemtmp"


@pytest.mark.parametrize(
    ("channel", "followed"), [("patch", False), ("none", False), ("stable", True), ("rapid", True)]
)
def test_a_channel_that_moves_the_version_is_not_set_back(
    synthesized: Synthesize, channel: str, *, followed: bool
) -> None:
    document = synthesized(f'{LEAST}upgrade_channel = "{channel}"\n', "azure")
    cluster = only(document, "azurerm_kubernetes_cluster")
    assert ("kubernetes_version" in cluster["lifecycle"]["ignore_changes"]) is followed
    assert ("maintenance_window_auto_upgrade" in cluster) is (channel != "none")
    assert cluster.get("automatic_upgrade_channel") == (None if channel == "none" else channel)


@pytest.mark.parametrize("compute", ["aks", "vm"])
def test_each_secret_may_be_read_and_no_other(synthesized: Synthesize, compute: str) -> None:
    text = f"""[cloud.secrets]
A = "https://Vault.vault.azure.net/secrets/a"
SAME = "https://vault.vault.azure.net/secrets/A"
B = "https://vault.vault.azure.net/secrets/b/0123456789abcdef0123456789abcdef"
{LEAST}compute = "{compute}"
"""
    document = synthesized(text, "azure")
    grants = [
        grant
        for grant in resources(document, "azurerm_role_assignment").values()
        if grant["role_definition_name"] == "Key Vault Secrets User"
    ]
    assert sorted(grant["scope"] for grant in grants) == ["${each.key}/secrets/a", "${each.key}/secrets/b"]
    (vault,) = document["data"]["azurerm_resources"].values()
    assert (vault["name"], vault["type"]) == ("vault", "Microsoft.KeyVault/vaults")
    if compute == "aks":
        provider = only(document, "azurerm_kubernetes_cluster")["key_vault_secrets_provider"]
        assert provider == {"secret_rotation_enabled": True}


def test_without_a_group_of_administrators_the_deployer_may_deploy(synthesized: Synthesize) -> None:
    text = f'{LEAST}admin_group_ids = ["11111111-2222-3333-4444-555555555555"]\n'
    with_groups, without = (
        resources(synthesized(one, "azure"), "azurerm_role_assignment") for one in (text, LEAST)
    )
    assert "deployer-access" not in with_groups
    assert without["deployer-access"]["lifecycle"] == {"ignore_changes": ["principal_id"]}


# --- DNS


@pytest.mark.parametrize(
    ("domain", "zone", "record", "zones"),
    [
        ("a.example.com", None, "@", 1),
        ("a.example.com", "example.com", "a", 0),
        ("a.b.example.com", "example.com", "a.b", 0),
        ("example.com", "example.com", "@", 0),
    ],
)
def test_the_record_follows_the_address(
    synthesized: Synthesize, domain: str, zone: str | None, record: str, zones: int
) -> None:
    ids = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/dns/providers/Microsoft.Network/dnsZones/{zone}"
    existing = f'dns_zone_id = "{ids}"\n' if zone else ""
    document = synthesized(f'[cloud]\ndomain = "{domain}"\n{LEAST}{existing}', "azure")
    alias = only(document, "azurerm_dns_a_record")
    assert alias["name"] == record
    assert references(alias["target_resource_id"]) == {"azurerm_public_ip.address_BFE7FD18"}
    assert "records" not in alias
    assert len(resources(document, "azurerm_dns_zone")) == zones
    assert document["output"]["application_url"]["value"] == f"http://{domain}"


@per_config
def test_dns_takes_its_tags(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    for kind in ("azurerm_dns_zone", "azurerm_dns_a_record"):
        for one in resources(document, kind).values():
            assert len(one["tags"]) <= 15
            assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", key) for key in one["tags"])


# --- virtual machines


@per_vm
def test_core_nodes_are_never_changed_together(config: Path, synthesized: Synthesize) -> None:
    """Each machine waits for the settings of the one before to be in force."""
    document = synthesized(config, "azure")
    machines = resources(document, "azurerm_linux_virtual_machine")
    rollouts = resources(document, "azurerm_virtual_machine_run_command")
    assert len(machines) == len(rollouts) == load(config).counts(Provider.AZURE).core
    previous = None
    for name in sorted(machines):
        machine = machines[name]
        node = name.partition("_")[2].rpartition("_")[0]
        waits = [one for one in machine["depends_on"] if "run_command" in one]
        assert waits == ([previous] if previous else [])
        (rollout,) = [key for key in rollouts if key.startswith(f"compute_{node}_rollout")]
        assert references(rollouts[rollout]["virtual_machine_id"]) == {
            f"azurerm_linux_virtual_machine.{name}"
        }
        assert any("data_disk_attachment" in one for one in rollouts[rollout]["depends_on"])
        previous = f"azurerm_virtual_machine_run_command.{rollout}"
        assert {"custom_data", "source_image_reference", "admin_ssh_key", "zone"} <= set(
            machine["lifecycle"]["ignore_changes"]
        )
        assert machine["disable_password_authentication"] is True


def test_a_new_image_reaches_machines_by_command_alone(synthesized: Synthesize) -> None:
    one, other = (
        synthesized(f'[cloud]\nimage = "ghcr.io/siy/aether-node:{tag}"\n{VM}', "azure") for tag in ("1", "2")
    )
    for name, machine in resources(one, "azurerm_linux_virtual_machine").items():
        changed = resources(other, "azurerm_linux_virtual_machine")[name]
        ignored = machine["lifecycle"]["ignore_changes"]
        assert {key for key in machine if machine[key] != changed[key]} == {"custom_data"}
        assert "custom_data" in ignored
    for name, command in resources(one, "azurerm_virtual_machine_run_command").items():
        assert command != resources(other, "azurerm_virtual_machine_run_command")[name]


def test_a_new_size_comes_one_machine_at_a_time(synthesized: Synthesize) -> None:
    """Azure restarts the machine; its command runs again and waits for the node."""
    one, other = (synthesized(f'{VM}vm_size = "Standard_D{cpus}s_v5"\n', "azure") for cpus in (4, 8))
    for name, command in resources(one, "azurerm_virtual_machine_run_command").items():
        assert command["source"] != resources(other, "azurerm_virtual_machine_run_command")[name]["source"]


@per_vm
def test_elastic_nodes_scale_between_totals(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    counts = load(config).counts(Provider.AZURE)
    if not counts.elastic_maximum or load(config).managed(Provider.AZURE):
        assert not resources(document, "azurerm_linux_virtual_machine_scale_set")
        assert not resources(document, "azurerm_monitor_autoscale_setting")
        return
    scale_set = only(document, "azurerm_linux_virtual_machine_scale_set")
    (profile,) = only(document, "azurerm_monitor_autoscale_setting")["profile"]
    assert profile["capacity"] == {
        "minimum": counts.elastic_minimum,
        "maximum": counts.elastic_maximum,
        "default": counts.elastic_minimum,
    }
    assert 2 <= len(profile["rule"]) <= 10
    directions = Counter(rule["scale_action"]["direction"] for rule in profile["rule"])
    assert directions == {"Increase": counts.core + 1, "Decrease": 1}
    for rule in profile["rule"]:
        assert re.fullmatch(r"PT[1-9]\d*M", rule["scale_action"]["cooldown"])
    assert scale_set["lifecycle"]["ignore_changes"] == ["instances"]
    assert (scale_set["upgrade_mode"], scale_set["automatic_instance_repair"]["enabled"]) == ("Rolling", True)
    (health,) = [one for one in scale_set["extension"] if one["type"] == "ApplicationHealthLinux"]
    settings = json.loads(health["settings"])
    assert settings["requestPath"] == load(config).cloud.health.liveness_path
    assert 5 <= settings["intervalInSeconds"] <= 60


def test_spot_is_for_elastic_machines_alone(synthesized: Synthesize) -> None:
    document = synthesized(f"{VM}spot = true\n", "azure")
    assert only(document, "azurerm_linux_virtual_machine_scale_set")["priority"] == "Spot"
    for machine in resources(document, "azurerm_linux_virtual_machine").values():
        assert "priority" not in machine


@per_vm
def test_the_load_balancer_asks_for_readiness(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "azure")
    loaded, table = azure(config)
    rules = resources(document, "azurerm_lb_rule").values()
    ports = {(rule["frontend_port"], rule["backend_port"]) for rule in rules}
    wanted = {(80, loaded.app_http.port)} if loaded.app_http.enabled is not False else set()
    management = loaded.cluster.ports.management
    assert ports == wanted | ({(management, management)} if table.management_cidrs else set())
    if not rules:
        return
    probe = only(document, "azurerm_lb_probe")
    assert (probe["protocol"], probe["port"]) == ("Http", management)
    assert probe["request_path"] == loaded.cloud.health.readiness_path
    assert probe["interval_in_seconds"] >= 5
    pool = resources(document, "azurerm_network_interface_backend_address_pool_association")
    assert len(pool) == loaded.counts(Provider.AZURE).core


@pytest.mark.parametrize(
    ("vm_size", "disk", "device", "secure", "sku"),
    [
        ("Standard_D4s_v3", "Premium_LRS", "/dev/disk/azure/scsi1/lun10", True, "server"),
        ("Standard_D4_v5", "StandardSSD_LRS", "/dev/disk/azure/scsi1/lun10", True, "server"),
        ("Standard_D4ps_v6", "Premium_LRS", "/dev/disk/azure/data/by-lun/10", False, "server-arm64"),
        ("Standard_DS3_v2", "Premium_LRS", "/dev/disk/azure/scsi1/lun10", True, "server"),
        ("Standard_D4_v4", "StandardSSD_LRS", "/dev/disk/azure/scsi1/lun10", True, "server"),
        ("Standard_F4s_v2", "Premium_LRS", "/dev/disk/azure/scsi1/lun10", True, "server"),
        ("Standard_D4_v3", "StandardSSD_LRS", "/dev/disk/azure/scsi1/lun10", False, "server-gen1"),
        ("Standard_D3_v2", "StandardSSD_LRS", "/dev/disk/azure/scsi1/lun10", False, "server-gen1"),
        ("Standard_E64i_v3", "StandardSSD_LRS", "/dev/disk/azure/scsi1/lun10", False, "server-gen1"),
        ("Standard_F4", "StandardSSD_LRS", "/dev/disk/azure/scsi1/lun10", False, "server-gen1"),
        ("Standard_A4m_v2", "StandardSSD_LRS", "/dev/disk/azure/scsi1/lun10", False, "server-gen1"),
    ],
)
def test_what_a_size_can_do(
    synthesized: Synthesize, vm_size: str, disk: str, *, device: str, secure: bool, sku: str
) -> None:
    document = synthesized(f'{VM}vm_size = "{vm_size}"\n', "azure")
    for machine in resources(document, "azurerm_linux_virtual_machine").values():
        assert machine["os_disk"]["storage_account_type"] == disk
        assert (machine["secure_boot_enabled"], machine["vtpm_enabled"]) == (secure, secure)
        assert machine["source_image_reference"]["sku"] == sku
        assert device in machine["custom_data"]
    for data in resources(document, "azurerm_managed_disk").values():
        assert (data["storage_account_type"], data["network_access_policy"]) == (disk, "DenyAll")


def test_an_image_may_go_without_secure_boot(synthesized: Synthesize) -> None:
    text = f'{VM}vm_image = "Debian:debian-12:12:latest"\nsecure_boot = false\nmax_nodes = 5\n'
    document = synthesized(text, "azure")
    kinds = ("azurerm_linux_virtual_machine", "azurerm_linux_virtual_machine_scale_set")
    machines = [one for kind in kinds for one in resources(document, kind).values()]
    assert len(machines) == 4
    for machine in machines:
        assert machine["secure_boot_enabled"] is machine["vtpm_enabled"] is False


def test_without_zones_racks_keep_core_nodes_apart(synthesized: Synthesize) -> None:
    document = synthesized(VM.replace("compute", 'location = "westus"\ncompute'), "azure")
    assert only(document, "azurerm_availability_set")["platform_update_domain_count"] == 3
    for machine in resources(document, "azurerm_linux_virtual_machine").values():
        assert "zone" not in machine
        assert "racks" in machine["availability_set_id"]
    zoned = synthesized(VM, "azure")
    assert not resources(zoned, "azurerm_availability_set")


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        (None, "${azurerm_container_registry.registry_"),
        ("other.azurecr.io/team/node:1", "registry='other.azurecr.io'"),
        ("ghcr.io/siy/aether-node:0.7.0", None),
    ],
)
def test_machines_log_in_where_the_image_is(
    synthesized: Synthesize, image: str | None, registry: str | None
) -> None:
    text = f'[cloud]\nimage = "{image}"\n{VM}' if image else VM
    for machine in resources(synthesized(text, "azure"), "azurerm_linux_virtual_machine").values():
        assert ("oauth2/exchange" in machine["custom_data"]) is (registry is not None)
        assert registry is None or registry in machine["custom_data"]


# --- what Terraform makes of it


@per_vm
@pytest.mark.skipif(shutil.which(TERRAFORM) is None, reason=f"there is no {TERRAFORM} on PATH")
def test_terraform_reads_the_texts_as_they_are_meant(
    config: Path, synthesized: Synthesize, tmp_path: Path
) -> None:
    """Expressions in the machines' texts, with every reference replaced by a word, as Terraform evaluates them."""
    document = synthesized(config, "azure")
    _, machine = min(resources(document, "azurerm_linux_virtual_machine").items())
    _, command = min(resources(document, "azurerm_virtual_machine_run_command").items())
    texts = {"data": machine["custom_data"], "script": command["source"]["script"]}
    outputs = {
        name: {"value": re.sub(r"\$\{azurerm_[\w.-]+\}", "WORD", text)} for name, text in texts.items()
    }
    (tmp_path / "main.tf.json").write_text(json.dumps({"output": outputs}), encoding="utf-8")
    terraform(tmp_path, "apply", "-auto-approve")
    values = json.loads(terraform(tmp_path, "output", "-json"))
    head, _, body = base64.b64decode(values["data"]["value"]).decode().partition("\n")
    assert head == "#cloud-config"
    files = json.loads(body)["write_files"]
    script = values["script"]["value"]
    (encoded,) = re.findall(r'^FILES = "(.*)"$', script, re.MULTILINE)
    assert json.loads(base64.b64decode(encoded)) == files
    assert "azurerm_" not in body
    contents = {one["path"]: one["content"] for one in files}
    assert load(config).cloud.java_opts in contents["/etc/aether/environment"]
    compile(script.partition("END_OF_PROGRAM'\n")[2].rpartition("END_OF_PROGRAM")[0], "roll.py", "exec")


def terraform(folder: Path, *arguments: str) -> str:
    run = subprocess.run(
        [TERRAFORM, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TF_CLI_CONFIG_FILE": "/dev/null"},
    )
    return run.stdout
