"""What Google Cloud adds to the workload: its shape as a snapshot, and the facts that none may lose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from terraform_json import Document, case, configs, only, readable, resources, without_manager

from aether_infra.config import GcpConfig, Provider, load

Synthesize = Callable[..., Document]
PATHS = [path for path in configs("gcp") if load(path).section(Provider.GCP).compute == "gke"]
per_config = pytest.mark.parametrize("config", PATHS, ids=case)
PROXIES = {"35.191.0.0/16", "130.211.0.0/22"}
STATE = "${data.terraform_remote_state.infrastructure.outputs.runtime.kubernetes"
GKE = '[cloud.gcp]\nproject = "my-project"\n'


@pytest.fixture
def stack(synthesized: Synthesize) -> Callable[[str | Path], Document]:
    """The workload stack of a configuration, without the runtime manager's own."""
    return lambda config: without_manager(synthesized(config, "gcp-workload"))


Stack = Callable[[str | Path], Document]


def _manifests(document: Document) -> dict[str, Any]:
    return {
        item["manifest"]["kind"]: item["manifest"]
        for item in resources(document, "kubernetes_manifest").values()
    }


@per_config
def test_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = {key: value for key, value in synthesized(config, "gcp-workload").items() if key != "//"}
    assert readable(document) == snapshot_json


@per_config
def test_credentials_are_short_lived_and_nowhere_in_the_file(config: Path, stack: Stack) -> None:
    document = stack(config)
    assert set(document["provider"]) == {"kubernetes"}
    (provider,) = document["provider"]["kubernetes"]
    (plugin,) = provider["exec"]
    assert plugin["command"] == "gke-gcloud-auth-plugin"
    assert provider["host"].startswith(f"{STATE}.endpoint")
    assert not {"token", "password", "client_key"} & set(provider)


@per_config
def test_users_come_by_the_ingress_which_asks_the_management_port(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    gcp = loaded.section(Provider.GCP)
    assert isinstance(gcp, GcpConfig)
    published = loaded.app_http.enabled is not False
    ingresses = resources(document, "kubernetes_ingress_v1")
    assert len(ingresses) == int(published)
    if not published:
        assert "BackendConfig" not in _manifests(document)
        return
    backend = _manifests(document)["BackendConfig"]["spec"]
    assert backend["healthCheck"]["port"] == loaded.cluster.ports.management
    assert backend["healthCheck"]["requestPath"] == loaded.cloud.health.readiness_path
    restricted = "0.0.0.0/0" not in gcp.allowed_cidrs
    assert bool(backend["securityPolicy"]["name"]) == restricted
    annotations = only(document, "kubernetes_ingress_v1")["metadata"]["annotations"]
    assert annotations["kubernetes.io/ingress.class"] == "gce"
    encrypted = bool(gcp.certificate or (loaded.cloud.domain and gcp.manage_dns))
    assert ("ingress.gcp.kubernetes.io/pre-shared-cert" in annotations) == encrypted
    assert ("FrontendConfig" in _manifests(document)) == encrypted
    (service,) = [
        item
        for item in resources(document, "kubernetes_service_v1").values()
        if "cloud.google.com/neg" in item["metadata"].get("annotations", {})
    ]
    assert json.loads(service["metadata"]["annotations"]["cloud.google.com/neg"]) == {"ingress": True}
    assert service["spec"]["type"] == "ClusterIP"


@per_config
def test_operators_come_by_a_load_balancer_of_their_own(config: Path, stack: Stack) -> None:
    document, cidrs = stack(config), load(config).section(Provider.GCP).management_cidrs
    balanced = [
        item["spec"]
        for item in resources(document, "kubernetes_service_v1").values()
        if item["spec"].get("type") == "LoadBalancer"
    ]
    assert [tuple(spec["load_balancer_source_ranges"]) for spec in balanced] == ([cidrs] if cidrs else [])
    assert all(spec["load_balancer_ip"].startswith(STATE) for spec in balanced)
    assert all(spec["external_traffic_policy"] == "Local" for spec in balanced), "it keeps the sender"


@per_config
def test_only_google_and_operators_get_through_the_network_policy(config: Path, stack: Stack) -> None:
    document, loaded = stack(config), load(config)
    operators = set(loaded.section(Provider.GCP).management_cidrs)
    published = loaded.app_http.enabled is not False
    for policy in resources(document, "kubernetes_network_policy_v1").values():
        for rule in policy["spec"]["ingress"]:
            blocks = {peer["ip_block"]["cidr"] for peer in rule["from"] if "ip_block" in peer}
            assert blocks <= operators | PROXIES
            assert not blocks & PROXIES or published


@per_config
def test_nodes_act_as_their_service_account(config: Path, stack: Stack) -> None:
    account = only(stack(config), "kubernetes_service_account_v1")
    assert account["metadata"]["name"] == "aether-node"
    assert account["metadata"]["annotations"]["iam.gke.io/gcp-service-account"] == f"{STATE}.identity}}"


def test_secrets_are_copied_by_gke_and_pass_no_state(stack: Stack) -> None:
    reference = "projects/my-project/secrets/db/versions/latest"
    text = f'[cloud]\nprovider = "gcp"\n[cloud.secrets]\nDB_PASSWORD = "{reference}"\n'
    document = stack(f"{text}{GKE}")
    found = _manifests(document)
    assert json.loads(found["SecretProviderClass"]["spec"]["parameters"]["secrets"]) == [
        {"path": "DB_PASSWORD", "resourceName": reference}
    ]
    assert found["SecretProviderClass"]["spec"]["provider"] == "gke"
    sync = found["SecretSync"]
    assert sync["spec"]["serviceAccountName"] == "aether-node"
    assert sync["spec"]["secretObject"]["data"] == [{"sourcePath": "DB_PASSWORD", "targetKey": "DB_PASSWORD"}]
    pods = json.dumps(resources(document, "kubernetes_stateful_set_v1"))
    assert '"secret_key_ref": {"key": "DB_PASSWORD", "name": "aether-secrets"' in pods.replace(
        '{"name": "aether-secrets", "key": "DB_PASSWORD"', '{"key": "DB_PASSWORD", "name": "aether-secrets"'
    )


def test_arm_nodes_are_asked_for(stack: Stack) -> None:
    document = stack(f'{GKE}machine_type = "c4a-standard-4"\nspot = true\n')
    text = json.dumps(resources(document, "kubernetes_stateful_set_v1"))
    assert '"kubernetes.io/arch": "arm64"' in text
    assert '"aether-pool": "jvm"' in text
    assert only(document, "kubernetes_storage_class_v1")["parameters"]["type"] == "hyperdisk-balanced"


def test_machines_have_no_workload_stack(synthesized: Synthesize) -> None:
    text = f'{GKE}compute = "vm"\n'
    synthesized(text, "gcp")
    with pytest.raises(FileNotFoundError):
        synthesized(text, "gcp-workload")
