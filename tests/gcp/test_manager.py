"""The runtime manager on Compute Engine: what it may do, who may call it, what it is told."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_json import ROOT, Document, only, resources

from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.config import Provider, load

Synthesize = Callable[..., Document]
CONFIG = ROOT / "tests/configs/gcp-vm-manager.toml"
OTHERS = """
[cloud.manager]
enabled = true
image = "registry.example.com/manager:1"
api_keys = "projects/my-project/secrets/keys/versions/1"
journal = "projects/my-project/secrets/journal/versions/1"
[cloud.gcp]
compute = "vm"
project = "my-project"
service_account = "nodes@other-project.iam.gserviceaccount.com"
machine_type = "t2a-standard-4"
"""


@pytest.fixture
def document(synthesized: Synthesize) -> Document:
    return synthesized(CONFIG, "gcp")


def own(document: Document, kind: str) -> dict[str, Any]:
    """The manager's resources of a type, by what they are for."""
    return {
        name.partition("_")[2].rpartition("_")[0]: item
        for name, item in resources(document, f"google_{kind}").items()
        if name.startswith("manager_")
    }


def written(document: Document) -> dict[str, str]:
    """Files of its machine."""
    (template,) = own(document, "compute_instance_template").values()
    body = json.loads(template["metadata"]["user-data"].partition("\n")[2])
    return {item["path"]: item["content"] for item in body["write_files"]}


def roles(document: Document) -> dict[str, set[str]]:
    return {
        item["role_id"]: set(item["permissions"])
        for item in resources(document, "google_project_iam_custom_role").values()
    }


def test_it_may_do_what_it_does_and_nothing_else(document: Document) -> None:
    assert set().union(*roles(document).values()) == RIGHTS["gcp", "vm"]


def test_it_gets_at_its_own_instances_and_its_own_zone_alone(document: Document) -> None:
    condition = next(
        item["condition"]
        for item in resources(document, "google_project_iam_member").values()
        if "condition" in item
    )
    assert 'startsWith("shop-")' in condition["expression"]
    zone = only(document, "google_dns_managed_zone_iam_member")
    assert "dns_" in zone["role"]
    bound = [
        item["role"]
        for item in resources(document, "google_project_iam_member").values()
        if "manager-" in item["member"]
    ]
    assert sorted(role for role in bound if role.startswith("roles/")) == [
        "roles/logging.logWriter",
        "roles/monitoring.metricWriter",
    ]


def test_without_a_zone_it_has_no_right_on_dns(synthesized: Synthesize) -> None:
    found = synthesized(OTHERS, "gcp")
    assert not resources(found, "google_dns_managed_zone_iam_member")
    assert not any(right.startswith("dns.") for right in set().union(*roles(found).values()))


def test_it_gives_instances_the_nodes_account_and_no_other(
    document: Document, synthesized: Synthesize
) -> None:
    grant = only(document, "google_service_account_iam_member")
    assert grant["role"] == "roles/iam.serviceAccountUser"
    assert "google_service_account.identity_" in grant["service_account_id"]
    other = only(synthesized(OTHERS, "gcp"), "google_service_account_iam_member")
    assert other["service_account_id"].endswith("/nodes@other-project.iam.gserviceaccount.com")


def test_only_its_own_secrets_are_its_to_read(document: Document) -> None:
    found = resources(document, "google_secret_manager_secret_iam_member")
    assert {item["secret_id"] for item in found.values()} == {"aether-key", "manager-keys"}


def test_who_may_call_it_and_whom_it_may_call(document: Document) -> None:
    rules = own(document, "compute_firewall")
    assert set(rules) == {"firewall-api", "firewall-nodes", "firewall-probes"}
    assert rules["firewall-api"]["source_ranges"] == ["10.20.0.0/16"]
    assert rules["firewall-nodes"]["allow"] == [{"ports": ["8080"], "protocol": "tcp"}]
    assert "identity_" in rules["firewall-nodes"]["target_service_accounts"][0]
    for concern in ("firewall-api", "firewall-probes"):
        assert rules[concern]["allow"] == [{"ports": ["8081"], "protocol": "tcp"}]
        assert "manager-identity" in rules[concern]["target_service_accounts"][0]


def test_nobody_may_call_it_unless_named(synthesized: Synthesize) -> None:
    assert "firewall-api" not in own(synthesized(OTHERS, "gcp"), "compute_firewall")


def test_its_machine_is_private_and_no_node(document: Document) -> None:
    (template,) = own(document, "compute_instance_template").values()
    assert "access_config" not in json.dumps(template)
    assert template["labels"] == {"aether-manager": "shop", "managed-by": "aether-infra"}
    assert template["shielded_instance_config"]["enable_secure_boot"] is True


def test_elastic_nodes_are_its_own_in_groups_of_the_load_balancers(document: Document) -> None:
    assert not resources(document, "google_compute_region_autoscaler")
    assert not resources(document, "google_compute_region_instance_group_manager")
    groups = resources(document, "google_compute_instance_group")
    runtime = document["output"]["runtime"]["value"]
    assert set(runtime["elastic_instance_groups"]) == {group["zone"] for group in groups.values()}
    for group in groups.values():
        assert group["lifecycle"]["ignore_changes"] == ["instances"]
        assert {port["name"]: port["port"] for port in group["named_port"]} == {
            "application": 8070,
            "management": 8080,
        }
    for kind in ("google_compute_backend_service", "google_compute_region_backend_service"):
        text = json.dumps(only(document, kind)["backend"])
        assert all(f"google_compute_instance_group.{name}.self_link" in text for name in groups)


def test_its_journal_outlives_its_machine(document: Document, synthesized: Synthesize) -> None:
    (machine,) = own(document, "compute_per_instance_config").values()
    (disk,) = machine["preserved_state"]["disk"]
    assert (disk["device_name"], disk["delete_rule"]) == ("data", "NEVER")
    assert "google-data" in written(document)["/etc/aether/settings.sh"]
    database = synthesized(OTHERS, "gcp")
    assert not own(database, "compute_disk")
    assert "DEVICE=''" in written(database)["/etc/aether/settings.sh"]
    assert "secret AETHER_JOURNAL projects/" in written(database)["/etc/aether/secrets.sh"]


def test_its_image_fits_the_processor(synthesized: Synthesize) -> None:
    (template,) = own(synthesized(OTHERS, "gcp"), "compute_instance_template").values()
    assert template["machine_type"] == "t2a-standard-1"
    assert "cos-arm64-stable" in template["disk"][0]["source_image"]


def test_what_it_is_told(document: Document) -> None:
    config = load(CONFIG, env={})
    files = written(document)
    assert f"AETHER_PORT={config.cloud.manager.port}\n" in files["/etc/aether/environment"]
    ((name, local),) = [item for item in document["locals"].items() if item[0].startswith("manager")]
    assert files["/etc/aether/runtime"] == f"${{base64encode(jsonencode(local.{name}))}}\n"
    runtime = document["output"]["runtime"]["value"]
    assert runtime == local | {"manager": runtime["manager"]}
    assert (runtime["managed"], runtime["drain_seconds"]) == (True, 30)
    assert runtime["manager"]["address"].startswith("${google_compute_address.manager_")
    assert config.managed(Provider.GCP)


def test_its_machine_hands_over_what_it_is_told(document: Document, tmp_path: Path) -> None:
    runtime = {"provider": "gcp", "quotes": "'\"$x"}
    (tmp_path / "runtime").write_text(base64.b64encode(json.dumps(runtime).encode()).decode() + "\n")
    script = written(document)["/etc/aether/host.sh"].replace("/etc/aether", str(tmp_path))
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, check=True)
    name, _, value = done.stdout.rstrip("\n").partition("=")
    assert (name, json.loads(value)) == ("AETHER_RUNTIME", runtime)


def test_no_port_of_the_cluster_is_opened_on_its_machine(document: Document) -> None:
    settings = written(document)["/etc/aether/settings.sh"].splitlines()
    assert "TCP_PORTS=8081" in settings
    assert "UDP_PORTS=''" in settings
