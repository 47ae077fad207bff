"""What AKS adds to the workload."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from terraform_json import Document, case, configs, only, parsed, readable, resources

from aether_infra.config import Provider, load

Synthesize = Callable[..., Document]
LEAST = '[cloud.azure]\nsubscription_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"\n'
AKS = [path for path in configs("azure") if load(path).section(Provider.AZURE).compute == "aks"]

per_config = pytest.mark.parametrize("config", AKS, ids=case)


@per_config
def test_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = {key: value for key, value in synthesized(config, "azure-workload").items() if key != "//"}
    assert readable(document) == snapshot_json


@per_config
def test_credentials_are_short_lived_and_come_from_the_command_line(
    config: Path, synthesized: Synthesize
) -> None:
    document = synthesized(config, "azure-workload")
    (provider,) = document["provider"]["kubernetes"]
    (plugin,) = provider["exec"]
    assert plugin["command"] == "kubelogin"
    assert plugin["args"][:3] == ["get-token", "--login", "azurecli"]
    assert "6dae42f8-4368-4678-94ff-3960e28e3630" in plugin["args"]
    assert not {"token", "password", "client_key", "config_path"} & set(provider)
    assert set(document["terraform"]["required_providers"]) == {"kubernetes"}


@per_config
def test_the_service_account_is_the_identity(config: Path, synthesized: Synthesize) -> None:
    account = only(synthesized(config, "azure-workload"), "kubernetes_service_account_v1")
    annotations = account["metadata"]["annotations"]
    assert "identity" in annotations["azure.workload.identity/client-id"]


@per_config
def test_services_take_the_address_of_the_infrastructure(config: Path, synthesized: Synthesize) -> None:
    loaded = load(config)
    section = loaded.section(Provider.AZURE)
    services = resources(synthesized(config, "azure-workload"), "kubernetes_service_v1").values()
    open_ones = [one for one in services if one["spec"].get("type") == "LoadBalancer"]
    application = loaded.app_http.enabled is not False and bool(section.allowed_cidrs)
    assert len(open_ones) == application + bool(section.management_cidrs)
    for one in open_ones:
        annotations = one["metadata"]["annotations"]
        assert {name.rpartition("/")[2] for name in annotations} == {
            "azure-load-balancer-resource-group",
            "azure-pip-name",
        }
        assert one["spec"]["external_traffic_policy"] == "Local"
        ranges = one["spec"].get("load_balancer_source_ranges")
        port = one["spec"]["port"][0]["port"]
        if port == loaded.cluster.ports.management:
            assert ranges == list(section.management_cidrs)


def test_networks_that_overlap_are_one(synthesized: Synthesize) -> None:
    text = f"""{LEAST}allowed_cidrs = ["0.0.0.0/1", "128.0.0.0/1"]
management_cidrs = ["203.0.113.7/32", "203.0.113.0/24"]
"""
    services = resources(synthesized(text, "azure-workload"), "kubernetes_service_v1").values()
    ranges = {
        one["spec"]["port"][0]["port"]: one["spec"].get("load_balancer_source_ranges")
        for one in services
        if one["spec"].get("type") == "LoadBalancer"
    }
    assert ranges == {80: None, 8080: ["203.0.113.0/24"]}


def test_elastic_pods_tolerate_what_spot_machines_have(synthesized: Synthesize) -> None:
    document = synthesized(f"{LEAST}spot = true\n", "azure-workload")
    deployment = only(document, "kubernetes_deployment_v1")
    tolerated = {one["key"] for one in deployment["spec"]["template"]["spec"]["toleration"]}
    assert tolerated == {"aether-pool", "kubernetes.azure.com/scalesetpriority"}
    core = only(document, "kubernetes_stateful_set_v1")
    assert not core["spec"]["template"]["spec"].get("toleration")


def test_secrets_are_read_as_the_nodes_identity(synthesized: Synthesize) -> None:
    text = f"""[cloud.secrets]
DB_PASSWORD = "https://aether.vault.azure.net/secrets/db"
KEY = "https://aether.vault.azure.net/secrets/api/0123456789abcdef0123456789abcdef"
{LEAST}"""
    manifest = only(synthesized(text, "azure-workload"), "kubernetes_manifest")["manifest"]
    parameters = manifest["spec"]["parameters"]
    assert (parameters["keyvaultName"], parameters["usePodIdentity"]) == ("aether", "false")
    objects = [json.loads(one) for one in parsed(parameters["objects"])["array"]]
    assert objects == [
        {"objectAlias": "DB_PASSWORD", "objectName": "db", "objectType": "secret", "objectVersion": ""},
        {
            "objectAlias": "KEY",
            "objectName": "api",
            "objectType": "secret",
            "objectVersion": "0123456789abcdef0123456789abcdef",
        },
    ]


@pytest.mark.parametrize(
    ("vm_size", "sku"), [("Standard_D4s_v3", "Premium_LRS"), ("Standard_D4_v5", "StandardSSD_LRS")]
)
def test_disks_are_those_that_the_machines_take(synthesized: Synthesize, vm_size: str, sku: str) -> None:
    document = synthesized(f'{LEAST}vm_size = "{vm_size}"\n', "azure-workload")
    storage = only(document, "kubernetes_storage_class_v1")
    assert storage["storage_provisioner"] == "disk.csi.azure.com"
    assert storage["parameters"]["skuName"] == sku
