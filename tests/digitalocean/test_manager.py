"""The runtime manager on a droplet: who may reach it, where its secrets are, what it makes droplets of."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_json import ROOT, Document, resources

from aether_infra.digitalocean.manager import SECRETS_FOLDER
from aether_infra.runtime.digitalocean.manager import Place
from aether_infra.runtime.settings import parse_settings

Synthesize = Callable[..., Document]
CONFIG = ROOT / "tests/configs/digitalocean-vm-manager.toml"
USER_DATA_BYTES = 64 * 1024
"""What a droplet takes: https://docs.digitalocean.com/reference/api/digitalocean/ (as of 2026-11)."""


@pytest.fixture
def document(synthesized: Synthesize) -> Document:
    return synthesized(CONFIG, "digitalocean")


def own(document: Document, kind: str) -> dict[str, Any]:
    """The manager's one resource of a type."""
    (found,) = [
        item
        for name, item in resources(document, f"digitalocean_{kind}").items()
        if name.startswith("manager_")
    ]
    return dict(found)


def written(document: Document) -> dict[str, str]:
    body = json.loads(own(document, "droplet")["user_data"].partition("\n")[2])
    return {item["path"]: item["content"] for item in body["write_files"]}


def secrets(document: Document, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what fetches its secrets, with another folder for them."""
    script = written(document)["/etc/aether/secrets.sh"].replace(SECRETS_FOLDER, str(folder))
    return subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, check=False)


def test_it_waits_until_its_secrets_are_there(document: Document, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    early = secrets(document, folder)
    assert early.returncode != 0
    assert "put the secret there" in early.stderr
    assert folder.stat().st_mode & 0o077 == 0
    (folder / "api-keys").write_text("key:alice:ops:ADMIN\n", encoding="utf-8")
    (folder / "token").write_text("dop_v1_x\n", encoding="utf-8")
    done = secrets(document, folder)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "AETHER_API_KEYS=key:alice:ops:ADMIN",
        "DIGITALOCEAN_TOKEN=dop_v1_x",
    ]


def test_its_secrets_are_on_its_volume_and_nowhere_else(document: Document) -> None:
    assert SECRETS_FOLDER.startswith("/var/lib/aether/data/")
    assert (
        "DEVICE=/dev/disk/by-id/scsi-0DO_Volume_shop-manager-journal"
        in written(document)["/etc/aether/settings.sh"]
    )
    assert "file:" not in json.dumps(document["resource"])


def test_who_may_call_it_and_whom_it_may_call(document: Document) -> None:
    rules = {
        rule["port_range"]: rule["source_addresses"] for rule in own(document, "firewall")["inbound_rule"]
    }
    assert rules == {"8081": ["10.20.0.0/16"], "22": ["203.0.113.0/24"]}
    (nodes,) = [
        item
        for name, item in resources(document, "digitalocean_firewall").items()
        if not name.startswith("manager_")
    ]
    (rule,) = [
        rule for rule in nodes["inbound_rule"] if "manager-tag" in json.dumps(rule.get("source_tags", []))
    ]
    assert (rule["protocol"], rule["port_range"]) == ("tcp", "8080")


def test_its_droplet_is_no_node(document: Document) -> None:
    tags = own(document, "droplet")["tags"]
    assert "aether-manager:shop" in tags
    assert not any(tag.startswith(("aether-cluster", "aether-role")) for tag in tags)
    assert not any("machine-tag" in tag or "traffic-tag" in tag for tag in tags)


def test_out_of_traffic_is_not_out_of_the_firewall(document: Document) -> None:
    """Registering is tagging here: the load balancers go by a tag of their own."""
    runtime = document["output"]["runtime"]["value"]
    assert "traffic-tag" in runtime["load_balancer_tag"]
    assert runtime["load_balancer_tag"] not in runtime["machine_template"]["tags"]
    assert runtime["machine_tag"] in runtime["machine_template"]["tags"]
    for balancer in resources(document, "digitalocean_loadbalancer").values():
        assert balancer["droplet_tag"] == runtime["load_balancer_tag"]
    core = [
        item
        for name, item in resources(document, "digitalocean_droplet").items()
        if name.startswith("compute_node")
    ]
    assert len(core) == 3
    for droplet in core:
        assert {runtime["load_balancer_tag"], runtime["machine_tag"]} <= set(droplet["tags"])


def test_elastic_droplets_are_its_own(document: Document) -> None:
    assert not resources(document, "digitalocean_droplet_autoscale")
    output = document["output"]["runtime"]
    assert output["sensitive"] is True, "user data holds credentials of the registry"
    place = Place.of(parse_settings(json.dumps(output["value"])))
    assert place.size == "s-4vcpu-8gb"
    assert place.user_data.startswith("#cloud-config\n")


def test_its_user_data_fits(document: Document) -> None:
    told = document["output"]["runtime"]["value"]
    # base64 of JSON, in which quotes and line breaks are escaped
    size = len(own(document, "droplet")["user_data"]) + len(json.dumps(told)) * 4 // 3
    assert size < USER_DATA_BYTES
