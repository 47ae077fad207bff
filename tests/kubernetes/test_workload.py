"""The workload: its facts on every cloud, and its manifests against Kubernetes' own schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from attrs import frozen
from manifests import manifests
from syrupy.assertion import SnapshotAssertion
from terraform_json import CONFIGS, Document, every, only, readable, resources

from aether_infra.config import (
    AetherConfig,
    AwsConfig,
    AzureConfig,
    GcpConfig,
    KubernetesTarget,
    OracleConfig,
    Provider,
    aws_zones,
    azure_zones,
    gcp_zones,
    load,
    oracle_zones,
)

Synthesize = Callable[..., Document]

OLDEST = "1.32"
"""The oldest Kubernetes that the managed clouds still run (as of 2026-11)."""


@frozen
class Case:
    """A configuration with nodes in Kubernetes, and the cloud that they run on."""

    path: Path
    provider: Provider

    @property
    def config(self) -> AetherConfig:
        return load(self.path, env={})

    @property
    def stack(self) -> str:
        return f"{self.provider}-workload"


CASES = [
    Case(path, provider)
    for path in CONFIGS
    for config in [load(path, env={})]
    for provider in config.sections
    if config.in_kubernetes(provider)
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case.path.stem}-{case.provider}")
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def document(case: Case, synthesized: Synthesize) -> Document:
    return synthesized(case.path, case.stack)


def zones(case: Case) -> int:
    """Zones that the machines span; 1 where the cloud has none."""
    match case.config.section(case.provider):
        case AwsConfig() as aws:
            return len(aws.private_subnet_ids) or len(aws_zones(aws))
        case GcpConfig() as gcp:
            return len(gcp_zones(gcp))
        case AzureConfig() as azure:
            return len(azure_zones(azure))
        case OracleConfig() as oracle:
            return len(oracle_zones(oracle))
        case KubernetesTarget() as target:
            return target.availability_zones
        case _:
            return 1


def pod_specs(document: Document) -> list[dict[str, Any]]:
    """Pod specs of Aether's nodes, core first."""
    kinds = ("kubernetes_stateful_set_v1", "kubernetes_deployment_v1")
    found = [item for kind in kinds for item in resources(document, kind).values()]
    return [
        item["spec"]["template"]["spec"]
        for item in found
        if item["metadata"]["name"] in {"aether-node", "aether-elastic"}
    ]


def named(document: Document, kind: str, name: str) -> dict[str, Any]:
    """The resource of a type that has a name in Kubernetes."""
    (found,) = [item for item in resources(document, kind).values() if item["metadata"]["name"] == name]
    return found


def test_every_cloud_is_here() -> None:
    assert {one.provider for one in CASES} == set(Provider)


def test_snapshot(case: Case, document: Document, snapshot_json: SnapshotAssertion) -> None:
    assert readable({key: value for key, value in document.items() if key != "//"}) == snapshot_json(
        name=f"{case.path.stem}-{case.provider}"
    )


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_manifests_fit_the_schema_of_kubernetes(document: Document, version: str) -> None:
    checked = 0
    for address, manifest in manifests(document):
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{address}: {error.message} at {list(error.path)}")
        checked += 1
    assert checked > 10


def test_the_only_provider_is_that_of_kubernetes(document: Document) -> None:
    assert set(document["provider"]) == {"kubernetes"}
    assert set(document["terraform"]["required_providers"]) == {"kubernetes"}
    assert {kind.partition("_")[0] for kind, _, _ in every(document)} == {"kubernetes"}
    assert set(document.get("data", {})) <= {"terraform_remote_state"}


def test_credentials_are_short_lived_and_not_in_the_file(case: Case, document: Document) -> None:
    (provider,) = document["provider"]["kubernetes"]
    assert not provider.keys() & {"token", "password", "client_key", "client_certificate", "username"}
    if case.provider is Provider.KUBERNETES:
        assert "config_path" in provider
    else:
        (plugin,) = provider["exec"]
        assert plugin["command"]
        assert "runtime" in provider["host"]


def test_core_nodes_are_voters_with_a_name(case: Case, document: Document) -> None:
    counts = case.config.counts(case.provider)
    core = only(document, "kubernetes_stateful_set_v1")
    assert core["spec"]["replicas"] == str(counts.core)
    assert core["spec"]["pod_management_policy"] == "Parallel"
    assert core["spec"]["update_strategy"][0]["type"] == "RollingUpdate"
    data = named(document, "kubernetes_config_map_v1", "aether-config")["data"]
    assert data["PEERS"] == data["CLUSTER_PEERS"]
    peers = data["PEERS"].split(",")
    assert len(peers) == counts.core
    assert data["CORE_MAX"] == str(counts.core)
    for ordinal, peer in enumerate(peers):
        id_, host, port = peer.split(":")
        assert id_ == f"aether-node-{ordinal}"
        assert host.startswith(f"{id_}.{core['spec']['service_name']}.")
        assert port == str(case.config.cluster.ports.cluster)
    (container,) = pod_specs(document)[0]["container"]
    node_id = next(item for item in container["env"] if item["name"] == "NODE_ID")
    assert node_id["value_from"]["field_ref"]["field_path"] == "metadata.name"


def test_peers_find_each_other_before_they_are_ready(document: Document) -> None:
    services = {
        item["metadata"]["name"]: item["spec"]
        for item in resources(document, "kubernetes_service_v1").values()
    }
    assert services["aether-headless"]["cluster_ip"] == "None"
    assert services["aether-headless"]["publish_not_ready_addresses"] is True
    assert "publish_not_ready_addresses" not in services["aether"]


def test_elastic_nodes_are_no_voters_and_stay_within_totals(case: Case, document: Document) -> None:
    counts = case.config.counts(case.provider)
    autoscalers = resources(document, "kubernetes_horizontal_pod_autoscaler_v2")
    if counts.elastic_maximum == 0:
        assert not autoscalers
        assert len(pod_specs(document)) == 1
        return
    if case.config.managed(case.provider):
        assert not autoscalers
    else:
        bounds = only(document, "kubernetes_horizontal_pod_autoscaler_v2")["spec"]
        assert bounds["min_replicas"] == max(counts.elastic_minimum, 1)
        assert bounds["max_replicas"] == counts.elastic_maximum
    (container,) = pod_specs(document)[1]["container"]
    assert "NODE_ID" not in {item["name"] for item in container.get("env", [])}
    deployment = next(
        item
        for item in resources(document, "kubernetes_deployment_v1").values()
        if item["metadata"]["name"] == "aether-elastic"
    )
    assert deployment["lifecycle"]["ignore_changes"] == ["spec[0].replicas"]


def test_one_voter_goes_at_a_time(document: Document) -> None:
    budgets = {
        item["metadata"]["name"]: item["spec"]
        for item in resources(document, "kubernetes_pod_disruption_budget_v1").values()
    }
    assert budgets["aether-pdb"]["max_unavailable"] == "1"
    core = only(document, "kubernetes_stateful_set_v1")["spec"]
    assert budgets["aether-pdb"]["selector"]["match_labels"] == core["selector"]["match_labels"]


def test_no_two_voters_share_a_host_and_no_zone_of_three_a_majority(case: Case, document: Document) -> None:
    core = pod_specs(document)[0]
    (away,) = core["affinity"]["pod_anti_affinity"]["required_during_scheduling_ignored_during_execution"]
    assert away["topology_key"] == "kubernetes.io/hostname"
    spread = core.get("topology_spread_constraint", [])
    if zones(case) > 2:
        (rule,) = spread
        assert (rule["max_skew"], rule["when_unsatisfiable"]) == (1, "DoNotSchedule")
    else:
        assert all(rule["when_unsatisfiable"] == "ScheduleAnyway" for rule in spread)


def test_pods_have_no_privilege(document: Document) -> None:
    labels = only(document, "kubernetes_namespace_v1")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for pod in pod_specs(document):
        assert pod["security_context"]["run_as_non_root"] is True
        assert pod["security_context"]["run_as_user"] == "1000"
        assert pod["security_context"]["seccomp_profile"]["type"] == "RuntimeDefault"
        for container in pod["container"]:
            own = container["security_context"]
            assert own["read_only_root_filesystem"] is True
            assert own["allow_privilege_escalation"] is False
            assert own["capabilities"]["drop"] == ["ALL"]


def test_probes_tell_life_from_readiness(case: Case, document: Document) -> None:
    health = case.config.cloud.health
    for pod in pod_specs(document):
        (container,) = pod["container"]
        assert container["liveness_probe"]["http_get"]["path"] == health.liveness_path
        assert container["startup_probe"]["http_get"]["path"] == health.liveness_path
        assert container["readiness_probe"]["http_get"]["path"] == health.readiness_path
        startup = container["startup_probe"]
        assert startup["period_seconds"] * startup["failure_threshold"] >= health.start_seconds


def test_a_leaving_node_serves_until_load_balancers_noticed(case: Case, document: Document) -> None:
    shutdown = case.config.cloud.shutdown
    for pod in pod_specs(document):
        drain = 0
        if "lifecycle" in pod["container"][0]:
            (hook,) = pod["container"][0]["lifecycle"]["pre_stop"]
            drain = int(hook["exec"]["command"][1])
        assert drain == shutdown.deregistration_delay_seconds
        assert pod["termination_grace_period_seconds"] == shutdown.stop_timeout_seconds > drain


def test_cluster_ports_pass_between_nodes_only(case: Case, document: Document) -> None:
    ports = case.config.cluster.ports
    spec = named(document, "kubernetes_network_policy_v1", "aether-nodes")["spec"]
    assert spec["policy_types"] == ["Ingress"]
    inner = {str(ports.cluster), str(ports.cluster + 100)}
    for rule in spec["ingress"]:
        numbers = {port["port"] for port in rule["ports"]}
        if numbers & inner:
            assert numbers == inner
            assert [set(source) for source in rule["from"]] == [{"pod_selector"}]
        if str(ports.management) in numbers:
            assert "0.0.0.0/0" not in str(rule["from"])


def test_the_management_port_is_not_public(case: Case, document: Document) -> None:
    section = case.config.section(case.provider)
    open_ = {
        item["metadata"]["name"]: item["spec"]
        for item in resources(document, "kubernetes_service_v1").values()
        if item["spec"].get("type") == "LoadBalancer"
    }
    for spec in open_.values():
        if any(port["target_port"] == "management" for port in spec["port"]):
            assert section.management_cidrs
            if case.provider is Provider.ORACLE:
                continue  # the load balancer's security group says who: tests/oracle
            assert spec["load_balancer_source_ranges"] == list(section.management_cidrs)


def test_data_outlives_the_pods(case: Case, document: Document) -> None:
    (claim,) = only(document, "kubernetes_stateful_set_v1")["spec"]["volume_claim_template"]
    size = case.config.section(case.provider).data_volume_gib
    assert claim["spec"]["resources"]["requests"]["storage"] == f"{size}Gi"
    (retention,) = only(document, "kubernetes_stateful_set_v1")["spec"][
        "persistent_volume_claim_retention_policy"
    ]
    assert retention["when_scaled"] == "Retain"
    assert retention["when_deleted"] == ("Retain" if case.config.cloud.protect else "Delete")
    for one in resources(document, "kubernetes_storage_class_v1").values():
        assert one["reclaim_policy"] == ("Retain" if case.config.cloud.protect else "Delete")


def test_secrets_are_references(case: Case, document: Document) -> None:
    wanted = {*case.config.stored_secrets(case.provider), *case.config.kubernetes_secrets(case.provider)}
    for pod in pod_specs(document):
        (container,) = pod["container"]
        own = {item["name"]: item for item in container.get("env", []) if item["name"] != "NODE_ID"}
        assert set(own) == wanted
        assert all(item["value_from"]["secret_key_ref"]["name"] for item in own.values())
    assert not resources(document, "kubernetes_secret_v1")


def test_pods_wait_for_the_policy_and_their_settings(document: Document) -> None:
    (policy, *_) = resources(document, "kubernetes_network_policy_v1")
    core = only(document, "kubernetes_stateful_set_v1")
    assert f"kubernetes_network_policy_v1.{policy}" in core["depends_on"]
    (source,) = core["spec"]["template"]["spec"]["container"][0]["env_from"]
    assert source["config_map_ref"]["name"].startswith("${kubernetes_config_map_v1.")


def test_a_change_of_settings_replaces_pods(document: Document) -> None:
    settings = next(name for name in resources(document, "kubernetes_config_map_v1") if "manager" not in name)
    digest = f"${{sha256(jsonencode(kubernetes_config_map_v1.{settings}.data))}}"
    core = only(document, "kubernetes_stateful_set_v1")
    elastic = [
        arguments
        for name, arguments in resources(document, "kubernetes_deployment_v1").items()
        if name.startswith("aether_elastic")
    ]
    for pods in (core, *elastic):
        assert pods["spec"]["template"]["metadata"]["annotations"]["aether-infra/config"] == digest
