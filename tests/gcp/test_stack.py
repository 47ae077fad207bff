"""The whole Google Cloud stack: its shape as a snapshot, and the facts that no update of a snapshot may lose."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
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

from aether_infra.config import AetherConfig, GcpConfig, Provider, load

Synthesize = Callable[..., Document]
ALL = configs("gcp")
per_config = pytest.mark.parametrize("config", ALL, ids=case)
kinds = pytest.mark.parametrize("compute", ["gke", "vm"])

CLUSTER = "google_container_cluster"
POOL = "google_container_node_pool"
TEMPLATE = "google_compute_instance_template"
GROUP = "google_compute_instance_group_manager"
LABELS = ("labels", "resource_labels")
GOOGLE_RANGES = {"35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22"}
RFC1035 = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
LIMITS = {CLUSTER: 40, POOL: 40, "google_service_account": 30}

# what replaces a cluster; source: the provider's schema at 6.50.0
CLUSTER_FORCE_NEW = {
    "name",
    "location",
    "project",
    "network",
    "subnetwork",
    "networking_mode",
    "ip_allocation_policy",
    "private_cluster_config",
    "datapath_provider",
    "default_max_pods_per_node",
    "description",
    "enable_kubernetes_alpha",
    "confidential_nodes",
    "master_auth",
}


def _gcp(config: AetherConfig) -> GcpConfig:
    section = config.section(Provider.GCP)
    assert isinstance(section, GcpConfig)
    return section


def _is_gke(path: Path) -> bool:
    return _gcp(load(path)).compute == "gke"


per_gke = pytest.mark.parametrize("config", [path for path in ALL if _is_gke(path)], ids=case)
per_vm = pytest.mark.parametrize("config", [path for path in ALL if not _is_gke(path)], ids=case)


@pytest.fixture
def stack(synthesized: Synthesize) -> Callable[[str | Path], Document]:
    """The infrastructure stack of a configuration, without the runtime manager's own."""
    return lambda config: without_manager(synthesized(config, "gcp"))


Stack = Callable[[str | Path], Document]


@per_config
def test_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = {key: value for key, value in synthesized(config, "gcp").items() if key != "//"}
    assert readable(document) == snapshot_json


def test_both_kinds_are_covered() -> None:
    assert min(Counter(_is_gke(path) for path in ALL).values()) >= 3


@per_config
def test_every_resource_that_can_bears_the_cluster_label(config: Path, stack: Stack) -> None:
    document = stack(config)
    name = document["output"]["cluster_name"]["value"]
    labelled = 0
    for kind, address, arguments in every(document):
        for key in set(LABELS) & _arguments_of(kind):
            assert arguments.get(key, {}).get("aether-cluster") == name, f"{kind}.{address}"
            labelled += 1
    for pool in resources(document, POOL).values():
        assert pool["node_config"]["resource_labels"]["aether-cluster"] == name
        assert pool["node_config"]["labels"]["aether-cluster"] == name
    assert labelled >= 2


def _arguments_of(kind: str) -> set[str]:
    module = import_module(f"cdktf_cdktf_provider_google.{kind.removeprefix('google_')}")
    (resource,) = [item for item in vars(module).values() if getattr(item, "TF_RESOURCE_TYPE", None) == kind]
    return set(signature(resource.__init__).parameters)


@per_config
def test_labels_are_what_google_takes(config: Path, stack: Stack) -> None:
    for _, _, arguments in every(stack(config)):
        for key, value in (arguments.get("labels") or arguments.get("resource_labels") or {}).items():
            assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key)
            assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)


@per_config
def test_names_are_unique_and_within_limits(config: Path, stack: Stack) -> None:
    names: Counter[tuple[str, str]] = Counter()
    for kind, address, arguments in every(stack(config)):
        name = arguments.get("name", arguments.get("account_id"))
        if kind.startswith(("google_compute_", "google_container_", "google_service_account")) and name:
            if "${" in name:
                continue
            assert len(name) <= LIMITS.get(kind, 63), f"{kind}.{address}"
            assert RFC1035.fullmatch(name), f"{kind}.{address}: {name}"
            names[kind, name] += 1
        if prefix := arguments.get("name_prefix"):
            assert len(prefix) <= 37, "a longer one shortens what makes it unique"
    assert set(names.values()) == {1}


@per_config
def test_outputs_are_those_of_the_design(config: Path, stack: Stack) -> None:
    outputs = stack(config)["output"]
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
    kubernetes = runtime.get("kubernetes")  # cdktf leaves out what is None
    if not _is_gke(config):
        assert kubernetes is None
        return
    assert {"cluster_name", "cluster_id", "endpoint", "ca_certificate", "identity", "load_balancer"} <= set(
        kubernetes
    )
    assert kubernetes["endpoint"].startswith("https://${google_container_cluster.")


@per_config
def test_no_kubernetes_here_and_nothing_of_this_machine(config: Path, stack: Stack) -> None:
    document = stack(config)
    assert set(document["provider"]) == {"google"}
    text = json.dumps(document)
    assert str(Path.cwd()) not in text
    assert "/tmp/" not in text.replace("--tmpfs /tmp ", "")  # noqa: S108


@per_config
def test_services_are_on_first_and_stay_on(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    services = resources(document, "google_project_service")
    assert all(service["disable_on_destroy"] is False for service in services.values())
    names = {service["service"].removesuffix(".googleapis.com") for service in services.values()}
    assert names >= {"artifactregistry", "compute", "dns", "iam", "logging", "monitoring"}
    assert ("container" in names) == _is_gke(config)
    assert ("secretmanager" in names) == (
        bool(loaded.stored_secrets(Provider.GCP)) or (loaded.managed(Provider.GCP) and not _is_gke(config))
    )
    for kind in (
        "google_compute_network",
        "google_artifact_registry_repository",
        "google_service_account",
        CLUSTER,
    ):
        for arguments in resources(document, kind).values():
            waits = arguments["depends_on"]
            assert any(address.startswith("google_project_service.") for address in waits), kind


# --- network


@per_config
def test_nothing_has_a_public_address(config: Path, stack: Stack) -> None:
    document = stack(config)
    for template in resources(document, TEMPLATE).values():
        assert all("access_config" not in interface for interface in template["network_interface"])
    for cluster in resources(document, CLUSTER).values():
        assert cluster["private_cluster_config"]["enable_private_nodes"] is True
    for pool in resources(document, POOL).values():
        assert pool["network_config"]["enable_private_nodes"] is True
    machines = [a for n, a in resources(document, "google_compute_address").items() if "management" not in n]
    assert all(address["address_type"] == "INTERNAL" for address in machines)


@per_config
def test_the_subnet_reaches_google_privately_and_logs_its_flows(config: Path, stack: Stack) -> None:
    gcp = _gcp(load(config))
    for subnet in resources(stack(config), "google_compute_subnetwork").values():
        assert subnet["private_ip_google_access"] is True
        assert ("log_config" in subnet) == gcp.flow_logs
        ranges = {item["range_name"]: item["ip_cidr_range"] for item in subnet.get("secondary_ip_range", [])}
        gke = gcp.compute == "gke"
        assert ranges == ({"pods": gcp.pod_cidr, "services": gcp.service_cidr} if gke else {})


@pytest.mark.parametrize(("nat", "count"), [("single", 1), ("none", 0)])
@kinds
def test_nat(stack: Stack, compute: str, nat: str, count: int) -> None:
    document = stack(f'[cloud.gcp]\nproject = "my-project"\ncompute = "{compute}"\nnat = "{nat}"\n')
    assert len(resources(document, "google_compute_router_nat")) == count
    for gateway in resources(document, "google_compute_router_nat").values():
        # the two exclude each other
        assert gateway["enable_dynamic_port_allocation"] != gateway["enable_endpoint_independent_mapping"]
        waiting = {**resources(document, POOL), **resources(document, GROUP)}
        assert all(
            any("router_nat" in address for address in item["depends_on"]) for item in waiting.values()
        ), "machines outlive their way outside when the stack goes"


def test_an_existing_network_is_looked_up_and_never_changed(stack: Stack) -> None:
    document = stack(next(path for path in ALL if path.stem == "gcp-existing-zonal"))
    kinds_made = set(document["resource"])
    assert not kinds_made & {
        "google_compute_network",
        "google_compute_subnetwork",
        "google_compute_router",
        "google_compute_router_nat",
    }
    (network,) = document["data"]["google_compute_network"].values()
    assert (network["project"], network["name"]) == ("host-project", "shared")
    assert "google_compute_firewall" not in document["resource"], "nothing is published"
    policy = only(document, CLUSTER)["ip_allocation_policy"]
    assert policy == {
        "cluster_secondary_range_name": "aether-pods",
        "services_secondary_range_name": "aether-services",
    }


# --- who may talk to whom


@per_config
def test_firewall_rules_are_about_our_machines_and_open_no_management_port(
    config: Path, stack: Stack
) -> None:
    document, loaded = stack(config), load(config)
    ports, operators = loaded.cluster.ports, set(_gcp(loaded).management_cidrs)
    for name, rule in resources(document, "google_compute_firewall").items():
        assert len(rule["target_service_accounts"]) == 1, name
        assert rule["direction"] == "INGRESS"
        opened = {int(port) for allow in rule["allow"] for port in allow["ports"]}
        sources = set(rule.get("source_ranges", ()))
        assert bool(sources) != bool(rule.get("source_service_accounts"))
        assert "0.0.0.0/0" not in sources
        if opened & {ports.cluster, ports.swim}:
            assert rule["source_service_accounts"] == rule["target_service_accounts"]
        else:
            assert opened <= {ports.management, loaded.app_http.port}
            assert sources <= GOOGLE_RANGES | operators
        if sources & operators:
            assert opened == {ports.management}


@per_config
def test_management_is_published_only_to_those_who_are_named(config: Path, stack: Stack) -> None:
    document, gcp = stack(config), _gcp(load(config))
    named = bool(gcp.management_cidrs)
    managed = [a for n, a in resources(document, "google_compute_address").items() if "management" in n]
    assert len(managed) == int(named)
    rules = [r for n, r in resources(document, "google_compute_forwarding_rule").items() if "management" in n]
    assert len(rules) == int(named and gcp.compute == "vm")
    private = named and all(cidr.startswith("10.") for cidr in gcp.management_cidrs)
    for address in managed:
        assert address["address_type"] == ("INTERNAL" if private else "EXTERNAL")
        assert ("subnetwork" in address) == private
    for rule in rules:
        assert rule["load_balancing_scheme"] == ("INTERNAL" if private else "EXTERNAL")


@per_config
def test_nothing_is_published_unless_the_application_is(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    published = loaded.app_http.enabled is not False
    assert len(resources(document, "google_compute_global_address")) == int(published)
    front = {
        "google_compute_global_forwarding_rule",
        "google_compute_backend_service",
        "google_dns_record_set",
    }
    if not published:
        assert not front & set(document["resource"])
        assert document["output"]["application_url"]["value"] == ""


@per_config
def test_only_allowed_networks_reach_the_application(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    allowed = _gcp(loaded).allowed_cidrs
    restricted = loaded.app_http.enabled is not False and "0.0.0.0/0" not in allowed
    policies = resources(document, "google_compute_security_policy")
    assert len(policies) == int(restricted)
    for policy in policies.values():
        *some, rest = sorted(policy["rule"], key=lambda rule: rule["priority"])
        assert (rest["action"], rest["priority"]) == ("deny(403)", 2_147_483_647)
        ranges = [rule["match"]["config"]["src_ip_ranges"] for rule in some]
        assert [cidr for group in ranges for cidr in group] == list(allowed)
        assert all(1 <= len(group) <= 10 for group in ranges)
        assert {rule["action"] for rule in some} == {"allow"}
        for backend in resources(document, "google_compute_backend_service").values():
            assert "google_compute_security_policy." in backend["security_policy"]


@kinds
def test_https_when_there_is_a_name_and_http_leads_there(stack: Stack, compute: str) -> None:
    text = f"""
[cloud]
domain = "aether.example.com"
[cloud.gcp]
compute = "{compute}"
project = "my-project"
"""
    document = stack(text)
    assert only(document, "google_compute_managed_ssl_certificate")["managed"] == {
        "domains": ["aether.example.com"]
    }
    assert only(document, "google_compute_ssl_policy")["min_tls_version"] == "TLS_1_2"
    assert only(document, "google_dns_record_set")["name"] == "aether.example.com."
    assert only(document, "google_dns_managed_zone")["dnssec_config"] == {"state": "on"}
    assert document["output"]["application_url"]["value"] == "https://aether.example.com"
    if compute == "vm":
        (redirect,) = [
            item
            for item in resources(document, "google_compute_url_map").values()
            if "default_url_redirect" in item
        ]
        assert redirect["default_url_redirect"]["https_redirect"] is True
        http = only(document, "google_compute_target_http_proxy")
        assert "redirect" in http["url_map"]
        assert only(document, "google_compute_target_https_proxy")["ssl_policy"]
    without = stack(text.replace('"my-project"', '"my-project"\nmanage_dns = false'))
    assert "google_compute_managed_ssl_certificate" not in without["resource"]
    assert without["output"]["application_url"]["value"] == "http://aether.example.com"


# --- rights


@per_config
def test_machines_pull_from_our_registry_alone(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    grants = resources(document, "google_artifact_registry_repository_iam_member")
    assert {grant["role"] for grant in grants.values()} == {"roles/artifactregistry.reader"}
    assert "google_artifact_registry_repository.registry" in grants["pull"]["repository"]
    image = loaded.cloud.image or ""
    assert ("pull-image" in grants) == ("/my-project/other/" in image)
    waiting = {**resources(document, POOL), **resources(document, GROUP)}
    assert all(
        "google_artifact_registry_repository_iam_member.pull" in item["depends_on"]
        for item in waiting.values()
    )


@per_config
def test_roles_are_least_and_of_one_account(config: Path, stack: Stack) -> None:
    document = stack(config)
    roles = {item["role"] for item in resources(document, "google_project_iam_member").values()}
    least = {
        "roles/container.defaultNodeServiceAccount",
        "roles/monitoring.metricWriter",
        "roles/stackdriver.resourceMetadata.writer",
        "roles/logging.logWriter",
    }
    assert roles <= least
    if _gcp(load(config)).service_account is None:
        assert roles
    text = json.dumps(document)
    assert "compute@developer.gserviceaccount.com" not in text
    for accounts in (
        [pool["node_config"]["service_account"] for pool in resources(document, POOL).values()]
        + [cluster["node_config"]["service_account"] for cluster in resources(document, CLUSTER).values()]
        + [template["service_account"]["email"] for template in resources(document, TEMPLATE).values()],
    ):
        assert len(set(accounts)) == 1
        assert accounts[0]


@per_config
def test_secrets_are_references_that_only_the_nodes_may_read(config: Path, stack: Stack) -> None:
    document, secrets = stack(config), load(config).stored_secrets(Provider.GCP)
    grants = resources(document, "google_secret_manager_secret_iam_member").values()
    wanted = {tuple(text.split("/")[1:4:2]) for text in secrets.values()}
    assert {(grant["project"], grant["secret_id"]) for grant in grants} == wanted
    assert {grant["role"] for grant in grants} <= {"roles/secretmanager.secretAccessor"}
    assert "google_project_iam_member" not in document["resource"] or all(
        "secret" not in item["role"] for item in resources(document, "google_project_iam_member").values()
    )
    for cluster in resources(document, CLUSTER).values():
        assert ("secret_manager_config" in cluster) == bool(secrets)


@per_gke
def test_nodes_have_an_identity_of_their_own(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    cluster = only(document, CLUSTER)
    project = _gcp(loaded).project
    assert cluster["workload_identity_config"]["workload_pool"] == f"{project}.svc.id.goog"
    for pool in resources(document, POOL).values():
        assert pool["node_config"]["workload_metadata_config"]["mode"] == "GKE_METADATA"
    trust = only(document, "google_service_account_iam_member")
    assert trust["role"] == "roles/iam.workloadIdentityUser"
    namespace = loaded.kubernetes.namespace
    assert trust["member"] == f"serviceAccount:{project}.svc.id.goog[{namespace}/aether-node]"
    assert any(address.startswith(f"{CLUSTER}.") for address in trust["depends_on"]), (
        "the identity pool is not there before the first cluster"
    )
    assert trust["service_account_id"] not in json.dumps(resources(document, POOL))


# --- Kubernetes Engine


@per_gke
def test_the_cluster_is_private_and_hardened(config: Path, stack: Stack) -> None:
    cluster, gcp = only(stack(config), CLUSTER), _gcp(load(config))
    assert cluster["private_cluster_config"]["enable_private_endpoint"] is (not gcp.endpoint_public)
    networks = cluster["master_authorized_networks_config"]
    assert networks["gcp_public_cidrs_access_enabled"] is False
    given = tuple(block["cidr_block"] for block in networks.get("cidr_blocks", ()))
    assert given == gcp.authorized_cidrs
    assert given or not gcp.endpoint_public
    assert cluster["datapath_provider"] == "ADVANCED_DATAPATH"
    assert "network_policy" not in cluster, "Dataplane V2 enforces policies; both together are refused"
    assert cluster["networking_mode"] == "VPC_NATIVE"
    assert cluster["release_channel"]["channel"] == gcp.release_channel.upper()
    assert cluster["remove_default_node_pool"] is True
    assert cluster["enable_shielded_nodes"] is True
    assert cluster["enable_legacy_abac"] is False
    assert {"SYSTEM_COMPONENTS", "WORKLOADS"} <= set(cluster["logging_config"]["enable_components"])
    assert cluster["monitoring_config"]["managed_prometheus"]["enabled"] is True
    assert cluster["security_posture_config"]["mode"] == "BASIC"
    if gcp.kms_key:
        assert cluster["database_encryption"] == {"state": "ENCRYPTED", "key_name": gcp.kms_key}


@per_gke
def test_the_cluster_spans_its_zones(config: Path, stack: Stack) -> None:
    document, gcp = stack(config), _gcp(load(config))
    cluster = only(document, CLUSTER)
    if gcp.zone:
        assert cluster["location"] == gcp.zone
        assert "node_locations" not in cluster, "a zonal cluster may not list its own zone"
    else:
        assert cluster["location"] == gcp.region
        wanted = (
            gcp.availability_zones if isinstance(gcp.availability_zones, int) else len(gcp.availability_zones)
        )
        assert len(cluster["node_locations"]) == wanted


@per_gke
def test_pools_are_sized_between_totals(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    gcp, counts = _gcp(loaded), loaded.counts(Provider.GCP)
    pools = {
        pool["node_config"]["labels"]["aether-pool"]: pool for pool in resources(document, POOL).values()
    }
    bounds = {name: pool["autoscaling"] for name, pool in pools.items()}
    totals = {
        name: (scale["total_min_node_count"], scale["total_max_node_count"]) for name, scale in bounds.items()
    }
    jvm = (counts.core, counts.core) if gcp.spot else (counts.minimum, counts.maximum)
    wanted = {"system": (gcp.system_nodes, gcp.system_nodes), "jvm": jvm}
    if gcp.spot:
        wanted["spot"] = (counts.elastic_minimum, counts.elastic_maximum)
    assert totals == wanted
    for name, pool in pools.items():
        assert not {"min_node_count", "max_node_count"} & set(pool["autoscaling"]), "these are per zone"
        assert "node_count" not in pool
        assert {"initial_node_count", "node_count"} <= set(pool["lifecycle"]["ignore_changes"])
        assert pool["upgrade_settings"] == {"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0}
        started = pool["initial_node_count"] * len(pool["node_locations"])
        assert started <= totals[name][1]
        tainted = pool["node_config"].get("taint", [])
        assert bool(tainted) == (name == "spot") == bool(pool["node_config"].get("spot"))
    for pool in pools.values():
        node = pool["node_config"]
        assert node["metadata"]["disable-legacy-endpoints"] == "true"
        assert node["kubelet_config"]["insecure_kubelet_readonly_port_enabled"] == "FALSE"


@pytest.mark.parametrize(
    ("window", "begin", "end", "day"),
    [
        ("", "2024-01-07T02:00:00Z", "2024-01-07T14:00:00Z", "SU"),
        (
            'maintenance = { day = "monday", start = "23:30", hours = 24 }',
            "2024-01-01T23:30:00Z",
            "2024-01-02T23:30:00Z",
            "MO",
        ),
    ],
)
def test_maintenance_is_a_constant(stack: Stack, window: str, begin: str, end: str, day: str) -> None:
    cluster = only(stack(f'[cloud.gcp]\nproject = "my-project"\n{window}\n'), CLUSTER)
    assert cluster["maintenance_policy"]["recurring_window"] == {
        "start_time": begin,
        "end_time": end,
        "recurrence": f"FREQ=WEEKLY;BYDAY={day}",
    }


GKE = '[cloud.gcp]\nproject = "my-project"\n'


@pytest.mark.parametrize(
    "change",
    [
        'machine_type = "n2-highmem-8"',
        "max_nodes = 40",
        "min_nodes = 5",
        "system_nodes = 6",
        'system_machine_type = "e2-standard-4"',
        "spot = true",
        'management_cidrs = ["10.0.0.0/8"]',
        'service_account = "machines@my-project.iam.gserviceaccount.com"',
        'kubernetes_version = "1.34"',
        'authorized_cidrs = ["10.0.0.0/8"]',
    ],
)
def test_a_change_of_pools_never_replaces_the_cluster(stack: Stack, change: str) -> None:
    before, after = (only(stack(text), CLUSTER) for text in (GKE, f"{GKE}{change}\n"))
    ignored = set(after["lifecycle"]["ignore_changes"])
    assert {"node_config", "node_pool", "initial_node_count"} <= ignored
    assert ignored == set(before["lifecycle"]["ignore_changes"])
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert not (changed - ignored) & CLUSTER_FORCE_NEW


def test_machine_type_changes_in_place_and_what_cannot_gets_a_new_name(stack: Stack) -> None:
    def pool(text: str) -> dict[str, Any]:
        return next(
            item for name, item in resources(stack(text), POOL).items() if name.startswith("pool-jvm")
        )

    base, larger = pool(GKE), pool(f'{GKE}machine_type = "n2-highmem-8"\n')
    assert base["name"] == larger["name"]
    assert base["node_config"]["machine_type"] != larger["node_config"]["machine_type"]
    other = pool(f'{GKE}service_account = "machines@my-project.iam.gserviceaccount.com"\n')
    assert base["name"] != other["name"], "the new pool comes before the old goes, so it needs another name"
    assert all(item["lifecycle"]["create_before_destroy"] is True for item in (base, larger, other))


@pytest.mark.parametrize(
    ("machine_type", "disk", "shielded"),
    [
        ("e2-standard-4", "pd-balanced", True),
        ("n4-standard-4", "hyperdisk-balanced", True),
        ("c4a-standard-4", "hyperdisk-balanced", True),
        ("t2a-standard-4", "pd-balanced", False),
    ],
)
def test_disks_fit_the_machine_type(stack: Stack, machine_type: str, disk: str, shielded: bool) -> None:  # noqa: FBT001
    machine = f'machine_type = "{machine_type}"\n'
    (node,) = [
        pool["node_config"]
        for name, pool in resources(stack(GKE + machine), POOL).items()
        if name.startswith("pool-jvm")
    ]
    assert node["disk_type"] == disk
    assert ("shielded_instance_config" in node) is shielded
    machines = stack(f'{GKE}compute = "vm"\n{machine}')
    for template in resources(machines, TEMPLATE).values():
        assert template["disk"][0]["disk_type"] == disk
        arm = machine_type.startswith(("c4a", "t2a"))
        assert ("arm64" in template["disk"][0]["source_image"]) == arm
    assert {item["type"] for item in resources(machines, "google_compute_disk").values()} == {disk}


# --- protection


@kinds
def test_one_flag_protects_everything(stack: Stack, compute: str) -> None:
    text = f'[cloud]\ndomain = "a.example.com"\nprotect = PROTECT\n{GKE}compute = "{compute}"\n'
    kept, free = (stack(text.replace("PROTECT", flag)) for flag in ("true", "false"))
    for kind in ("google_artifact_registry_repository", CLUSTER, POOL, "google_compute_disk", GROUP):
        for item in resources(kept, kind).values():
            assert item["lifecycle"]["prevent_destroy"] is True, kind
    assert "prevent_destroy" not in json.dumps(free["resource"])
    for cluster, flag in ((kept, True), (free, False)):
        for item in resources(cluster, CLUSTER).values():
            assert item["deletion_protection"] is flag
    assert only(kept, "google_dns_managed_zone")["force_destroy"] is False
    assert only(free, "google_dns_managed_zone")["force_destroy"] is True


@per_config
def test_a_key_of_ones_own_encrypts_everything(config: Path, stack: Stack) -> None:
    document, key = stack(config), _gcp(load(config)).kms_key
    if key is None:
        assert "kms_key" not in json.dumps(document["resource"]).replace("kms_key_name", "")
        return
    assert only(document, "google_artifact_registry_repository")["kms_key_name"] == key
    for pool in resources(document, POOL).values():
        assert pool["node_config"]["boot_disk_kms_key"] == key
    for disk in resources(document, "google_compute_disk").values():
        assert disk["disk_encryption_key"]["kms_key_self_link"] == key
    for template in resources(document, TEMPLATE).values():
        assert template["disk"][0]["disk_encryption_key"]["kms_key_self_link"] == key
    members = {grant["member"] for grant in resources(document, "google_kms_crypto_key_iam_member").values()}
    agents = {member.partition("@")[2].partition(".")[0] for member in members}
    assert agents >= {"gcp-sa-artifactregistry", "compute-system"}


@per_config
def test_logs_are_kept_as_long_as_said(config: Path, stack: Stack) -> None:
    document, days = stack(config), load(config).cloud.log_retention_days
    buckets = resources(document, "google_logging_project_bucket_config")
    assert [bucket["retention_days"] for bucket in buckets.values()] == ([] if days == 30 else [days])
    if buckets:
        sink, exclusion = (only(document, f"google_logging_project_{kind}") for kind in ("sink", "exclusion"))
        assert sink["filter"] == exclusion["filter"]
        assert exclusion["depends_on"]


# --- virtual machines


def _user_data(template: dict[str, Any]) -> dict[str, Any]:
    head, _, body = template["metadata"]["user-data"].partition("\n")
    assert head == "#cloud-config"
    parsed: dict[str, Any] = json.loads(body)
    return parsed


def _file(template: dict[str, Any], path: str) -> str:
    (found,) = [item["content"] for item in _user_data(template)["write_files"] if item["path"] == path]
    return str(found)


def _core(document: Document, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, item in resources(document, kind).items():
        if match := re.search(r"node-\d+", name):
            yield match[0], item


@per_vm
def test_every_core_node_names_every_core_node_by_its_own_address(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    count = loaded.counts(Provider.GCP).core
    ids = [f"node-{number}" for number in range(1, count + 1)]
    for name, template in resources(document, TEMPLATE).items():
        lines = dict(line.split("=", 1) for line in _file(template, "/etc/aether/environment").splitlines())
        assert lines["PEERS"] == lines["CLUSTER_PEERS"]
        assert lines["CORE_MAX"] == str(count)
        entries = lines["PEERS"].split(",")
        assert [entry.partition(":")[0] for entry in entries] == ids
        for node_id, entry in zip(ids, entries, strict=True):
            assert f"google_compute_address.compute_{node_id}_address" in entry
            assert entry.endswith(f":{loaded.cluster.ports.cluster}")
        expected = re.search(r"node-\d+", name)
        assert lines.get("NODE_ID") == (expected[0] if expected else None)


@per_vm
def test_a_core_node_keeps_name_address_and_disk(config: Path, stack: Stack) -> None:
    document = stack(config)
    machines = dict(_core(document, "google_compute_per_instance_config"))
    assert len(machines) == load(config).counts(Provider.GCP).core
    for node_id, machine in machines.items():
        state = machine["preserved_state"]
        (disk,), (address,) = state["disk"], state["internal_ip"]
        assert f"google_compute_disk.compute_{node_id}_data" in disk["source"]
        assert (disk["device_name"], disk["delete_rule"]) == ("data", "NEVER")
        assert f"google_compute_address.compute_{node_id}_address" in address["ip_address"]["address"]
        assert address["auto_delete"] == "NEVER"
        assert machine["remove_instance_on_destroy"] is True
    for _, template in _core(document, TEMPLATE):
        assert "DEVICE=/dev/disk/by-id/google-data" in _file(template, "/etc/aether/settings.sh")


@per_vm
def test_core_nodes_are_replaced_one_at_a_time(config: Path, stack: Stack) -> None:
    document = stack(config)
    groups = dict(_core(document, GROUP))
    before: str | None = None
    for number in range(1, len(groups) + 1):
        group = groups[f"node-{number}"]
        policy = group["update_policy"]
        assert (policy["max_surge_fixed"], policy["max_unavailable_fixed"]) == (0, 1)
        assert policy["replacement_method"] == "RECREATE"
        assert group["wait_for_instances"] is True
        assert group["wait_for_instances_status"] == "UPDATED"
        assert "target_size" in group["lifecycle"]["ignore_changes"]
        chain = [a for a in group["depends_on"] if a.startswith("google_compute_per_instance_config.")]
        assert [re.search(r"node-\d+", address)[0] for address in chain] == ([before] if before else [])  # type: ignore[index]
        before = f"node-{number}"


@per_vm
def test_machines_heal_by_liveness_and_get_requests_by_readiness(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    health = loaded.cloud.health
    checks = {
        **resources(document, "google_compute_health_check"),
        **resources(document, "google_compute_region_health_check"),
    }
    for name, check in checks.items():
        probe = check["http_health_check"]
        assert probe["port"] == loaded.cluster.ports.management
        path = health.readiness_path if "readiness" in name else health.liveness_path
        assert probe["request_path"] == path
        assert check["timeout_sec"] <= check["check_interval_sec"]
    for group in {
        **resources(document, GROUP),
        **resources(document, "google_compute_region_instance_group_manager"),
    }.values():
        assert "liveness" in group["auto_healing_policies"]["health_check"]
        assert group["auto_healing_policies"]["initial_delay_sec"] >= health.start_seconds + 60
    for backend in resources(document, "google_compute_backend_service").values():
        assert ["readiness" in check for check in backend["health_checks"]] == [True]


@per_vm
def test_elastic_nodes_run_between_their_bounds(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    counts, zones = loaded.counts(Provider.GCP), {group["zone"] for _, group in _core(document, GROUP)}
    scalers = resources(document, "google_compute_region_autoscaler")
    assert len(scalers) == int(counts.elastic_maximum > 0 and not loaded.managed(Provider.GCP))
    for scaler in scalers.values():
        policy = scaler["autoscaling_policy"]
        least = max(counts.elastic_minimum, 1)  # the autoscaler measures elastic nodes alone
        assert (policy["min_replicas"], policy["max_replicas"]) == (least, counts.elastic_maximum)
    for group in resources(document, "google_compute_region_instance_group_manager").values():
        assert "target_size" not in group, "the autoscaler owns the size"
        assert set(group["distribution_policy_zones"]) == zones
        assert group["update_policy"]["max_surge_fixed"] >= len(zones)
        assert group["update_policy"]["instance_redistribution_type"] == "PROACTIVE", "autoscaling needs it"
    for name, template in resources(document, TEMPLATE).items():
        spot = template.get("scheduling", {}).get("provisioning_model") == "SPOT"
        assert spot == (_gcp(loaded).spot and "elastic" in name)


@per_vm
def test_what_a_load_balancer_uses_goes_after_it_has_let_go(config: Path, stack: Stack) -> None:
    document = stack(config)
    for kind in (GROUP, "google_compute_region_instance_group_manager", "google_compute_security_policy"):
        for name, item in resources(document, kind).items():
            assert item["lifecycle"]["create_before_destroy"] is True, name


def test_other_zones_are_another_group_of_another_name(stack: Stack) -> None:
    text = f'{GKE}compute = "vm"\navailability_zones = '
    two, three = (only(stack(text + zones), "google_compute_region_instance_group_manager") for zones in "23")
    assert two["name"] != three["name"]
    assert two["base_instance_name"] == three["base_instance_name"]


@per_vm
def test_no_zone_holds_a_majority_where_there_are_three(config: Path, stack: Stack) -> None:
    placed = Counter(group["zone"] for _, group in _core(stack(config), GROUP))
    if len(placed) >= 3:
        assert max(placed.values()) <= sum(placed.values()) // 2


@per_vm
def test_machines_fetch_their_secrets_themselves(config: Path, stack: Stack) -> None:
    document, secrets = stack(config), load(config).stored_secrets(Provider.GCP)
    for template in resources(document, TEMPLATE).values():
        script = _file(template, "/etc/aether/secrets.sh")
        assert [line for line in script.splitlines() if line.startswith("secret ")] == [
            f"secret {name} {text}" for name, text in sorted(secrets.items())
        ]
        assert not set(secrets) & {
            line.partition("=")[0] for line in _file(template, "/etc/aether/environment").splitlines()
        }


@per_vm
def test_no_shell_text_is_taken_for_a_template(config: Path, stack: Stack) -> None:
    for template in resources(stack(config), TEMPLATE).values():
        text = template["metadata"]["user-data"]
        foreign = [
            found for found in re.findall(r"(?<!\$)\$\{[^}]*\}", text) if "google_compute" not in found
        ]
        assert foreign == []
        assert "%{" not in text.replace("%%{", "")


@per_config
def test_every_reference_leads_somewhere(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config, "gcp")
    known = {f"{kind}.{name}" for kind, name, _ in every(document)} | {
        f"data.{kind}.{name}" for kind, named in document.get("data", {}).items() for name in named
    }
    assert references({"resource": document["resource"], "output": document["output"]}) <= known
