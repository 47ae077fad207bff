"""The runtime manager on Azure's virtual machines: what it may do, who may call it, what it makes nodes of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from terraform_json import ROOT, Document, readable, resources

from aether_infra.azure.manager_rights import READ_ENCRYPTION
from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.runtime.azure.place import Place
from aether_infra.runtime.settings import parse_settings

Synthesize = Callable[..., Document]
CONFIG = ROOT / "tests/configs/azure-vm-manager.toml"
SUBSCRIPTION = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
PLAIN = f"""
[cloud.manager]
enabled = true
image = "registry.example.com/manager:1"
api_keys = "https://vault.vault.azure.net/secrets/keys"
journal = "https://vault.vault.azure.net/secrets/journal"
[app-http]
enabled = false
[cloud.azure]
compute = "vm"
subscription_id = "{SUBSCRIPTION}"
"""


@pytest.fixture
def document(synthesized: Synthesize) -> Document:
    return synthesized(CONFIG, "azure")


def own(document: Document, kind: str) -> dict[str, Any]:
    """The manager's resources of a type, by what they are for."""
    return {
        name.partition("_")[2].rpartition("_")[0]: item
        for name, item in resources(document, f"azurerm_{kind}").items()
        if name.startswith(("manager_", "manager-"))
    }


def actions(document: Document) -> set[str]:
    definitions = resources(document, "azurerm_role_definition").values()
    return {action for one in definitions for block in one["permissions"] for action in block["actions"]}


def test_snapshot(document: Document, snapshot_json: SnapshotAssertion) -> None:
    assert readable({key: value for key, value in document.items() if key != "//"}) == snapshot_json


def test_it_may_do_what_it_does_and_nothing_else(document: Document) -> None:
    assert actions(document) == RIGHTS["azure", "vm"] | {READ_ENCRYPTION}


def test_what_there_is_not_it_has_no_right_on(synthesized: Synthesize) -> None:
    granted = actions(synthesized(PLAIN, "azure"))
    missing = RIGHTS["azure", "vm"] - granted
    assert granted < RIGHTS["azure", "vm"]
    assert {right.split("/")[1] for right in missing} == {"dnsZones", "loadBalancers"}


def test_each_right_is_held_where_it_is_needed(document: Document) -> None:
    scopes = {
        concern.removesuffix("_grant"): item["scope"]
        for concern, item in own(document, "role_assignment").items()
        if "role_definition_id" in item
    }
    assert scopes["machines"].startswith("${azurerm_resource_group.")
    assert scopes["identity"].startswith("${azurerm_user_assigned_identity.node-identity")
    assert scopes["dns"].startswith("${azurerm_dns_zone.")
    assert scopes["subnet"].startswith("${azurerm_subnet.network_nodes")
    assert scopes["balancer"].startswith("${azurerm_lb.")
    assert scopes["encryption"].endswith("/diskEncryptionSets/shop")
    roles = [item.get("role_definition_name") for item in own(document, "role_assignment").values()]
    assert {role for role in roles if role} == {"AcrPull", "Key Vault Secrets User"}


def test_who_may_call_it_and_whom_it_may_call(document: Document, synthesized: Synthesize) -> None:
    rules = own(document, "network_security_rule")
    assert rules["api"]["source_address_prefixes"] == ["10.20.0.0/16"]
    assert rules["api"]["destination_port_range"] == "8081"
    assert (rules["everything-else"]["access"], rules["everything-else"]["priority"]) == ("Deny", 4096)
    assert rules["nodes"]["destination_port_range"] == "8080"
    assert "manager_application-group" in rules["nodes"]["source_application_security_group_ids"][0]
    assert "security_" in rules["nodes"]["network_security_group_name"]
    assert "api" not in own(synthesized(PLAIN, "azure"), "network_security_rule")


def test_its_machine_is_private_and_no_node(document: Document) -> None:
    (machine,) = own(document, "linux_virtual_machine").values()
    assert machine["tags"] == {"aether-manager": "shop", "managed-by": "aether-infra"}
    assert machine["disable_password_authentication"] is True
    (interface,) = own(document, "network_interface").values()
    assert "public_ip_address_id" not in json.dumps(interface)
    assert machine["secure_boot_enabled"] is True


def test_its_journal_outlives_its_machine(document: Document, synthesized: Synthesize) -> None:
    (attachment,) = own(document, "virtual_machine_data_disk_attachment").values()
    assert "azurerm_managed_disk.manager_journal" in attachment["managed_disk_id"]
    assert not own(synthesized(PLAIN, "azure"), "managed_disk")


def test_elastic_nodes_are_its_own(document: Document) -> None:
    assert not resources(document, "azurerm_linux_virtual_machine_scale_set")
    assert not resources(document, "azurerm_monitor_autoscale_setting")
    runtime = document["output"]["runtime"]["value"]
    (local,) = [item for name, item in document["locals"].items() if name.startswith("manager")]
    assert runtime == local | {"manager": runtime["manager"]}


def test_the_manager_can_make_machines_of_what_it_is_told(document: Document) -> None:
    settings = parse_settings(json.dumps(document["output"]["runtime"]["value"]))
    machine = Place.of(settings).machine("shop-n1", "1", {"aether-cluster": "shop"}, None, spot=None)
    properties = machine["properties"]
    assert properties["hardwareProfile"]["vmSize"] == "Standard_D4s_v3"
    assert properties["priority"] == "Spot"
    assert properties["securityProfile"]["securityType"] == "TrustedLaunch"
    assert properties["storageProfile"]["osDisk"]["managedDisk"]["storageAccountType"] == "Premium_LRS"
    assert "base64encode" in properties["osProfile"]["customData"]


def test_what_it_is_told(document: Document) -> None:
    (machine,) = own(document, "linux_virtual_machine").values()
    text = machine["custom_data"]
    assert "AZURE_CLIENT_ID=${azurerm_user_assigned_identity.manager-identity" in text
    assert "${base64encode(jsonencode(local.manager-runtime))}" in text
    assert "shopregistry.azurecr.io" in text
    assert "secrets/manager-keys" in text
