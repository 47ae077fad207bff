"""The runtime manager on an instance of Oracle Cloud: what that one instance may do, who may call it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from schema_check import problems
from syrupy.assertion import SnapshotAssertion
from terraform_json import ROOT, Document, readable, resources

from aether_infra.bindgen.document import merged
from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.oracle.manager import right_statements

Synthesize = Callable[..., Document]
SCHEMAS = ROOT / "tools/schemas"
SCHEMA = merged(
    *(
        json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
        for name in ("oci-8.28.0.json", "oci-8.28.0.additions.json")
    )
)
CONFIG = ROOT / "tests/configs/oracle-vm-manager.toml"
COMPARTMENT = "ocid1.compartment.oc1..a"
ZONE = "ocid1.dns-zone.oc1..a"
METADATA_BYTES = 32_000
"""Most that an instance's metadata holds:
https://docs.oracle.com/en-us/iaas/api/#/en/iaas/latest/datatypes/LaunchInstanceDetails (as of 2026-11)."""
DATABASE = """
[cloud.manager]
enabled = true
image = "registry.example.com/manager:1"
api_keys = "ocid1.vaultsecret.oc1.eu-frankfurt-1.aaaaexample"
journal = "ocid1.vaultsecret.oc1.eu-frankfurt-1.aaaajournal"
[cloud.oracle]
compute = "vm"
compartment_id = "ocid1.compartment.oc1..a"
tenancy_id = "ocid1.tenancy.oc1..a"
nat = "single"
"""


@pytest.fixture
def document(synthesized: Synthesize) -> Document:
    return synthesized(CONFIG, "oracle")


def own(document: Document, kind: str) -> dict[str, Any]:
    """The manager's resources of a type, by what they are for."""
    return {
        name.partition("_")[2].rpartition("_")[0]: item
        for name, item in resources(document, f"oci_{kind}").items()
        if name.startswith(("manager_", "manager-"))
    }


def rights(statements: list[str]) -> set[str]:
    """`VERB RESOURCE-TYPE: PERMISSION` of each statement that names permissions."""
    found = set()
    for statement in statements:
        match = re.match(r"Allow dynamic-group id \S+ to (\w+ [\w-]+) in ", statement)
        assert match, statement
        found |= {f"{match[1]}: {one}" for one in re.findall(r"request\.permission = '(\w+)'", statement)}
    return found


def test_snapshot(document: Document, snapshot_json: SnapshotAssertion) -> None:
    assert readable({key: value for key, value in document.items() if key != "//"}) == snapshot_json


def test_the_provider_takes_every_argument(document: Document) -> None:
    assert not problems(document, SCHEMA)


def test_it_may_do_what_it_does_and_nothing_else(document: Document) -> None:
    (policy,) = own(document, "identity_policy").values()
    assert rights(policy["statements"]) == RIGHTS["oracle", "vm"]
    unconditional = [one for one in policy["statements"] if " where " not in one]
    assert not unconditional


def test_without_a_zone_it_has_no_right_on_dns(synthesized: Synthesize) -> None:
    (policy,) = own(synthesized(DATABASE, "oracle"), "identity_policy").values()
    missing = RIGHTS["oracle", "vm"] - rights(policy["statements"])
    assert {right.split()[1].rstrip(":") for right in missing} == {"dns-records", "dns-zones"}


def test_it_is_one_instance_and_no_other_of_its_compartment(document: Document) -> None:
    (group,) = [
        item
        for name, item in resources(document, "oci_identity_dynamic_group").items()
        if name.startswith("manager")
    ]
    assert re.fullmatch(
        r"ALL \{instance\.id = '\$\{oci_core_instance\.manager_\w+\.id\}'\}", group["matching_rule"]
    )


def test_a_network_elsewhere_is_its_to_use_too() -> None:
    given = right_statements(
        "dynamic-group id g",
        RIGHTS["oracle", "vm"],
        compartment_id=COMPARTMENT,
        network_compartment_id="ocid1.compartment.oc1..net",
        dns_zone_id=ZONE,
        kms_key_id="ocid1.key.oc1..k",
    )
    network = [one for one in given if "virtual-network-family" in one]
    assert [one.partition("compartment id ")[2].split()[0] for one in network] == [
        COMPARTMENT,
        "ocid1.compartment.oc1..net",
    ]
    assert [one for one in given if "key-delegates" in one and "ocid1.key.oc1..k" in one]
    assert all(ZONE in one for one in given if "dns-" in one.partition(" to ")[2].split()[1])


def test_who_may_call_it_and_whom_it_may_call(document: Document, synthesized: Synthesize) -> None:
    rules = list(own(document, "core_network_security_group_security_rule").values())
    let_in = [
        (rule["source"], rule["tcp_options"]["destination_port_range"]["min"])
        for rule in rules
        if rule["direction"] == "INGRESS" and "manager_group" in rule["network_security_group_id"]
        if rule["protocol"] == "6"
    ]
    assert let_in == [("10.20.0.0/16", 8081)]
    (nodes,) = [rule for rule in rules if "security_nodes" in rule["network_security_group_id"]]
    assert nodes["tcp_options"]["destination_port_range"] == {"min": 8080, "max": 8080}
    assert "manager_group" in nodes["source"]
    database = own(synthesized(DATABASE, "oracle"), "core_network_security_group_security_rule")
    assert "egress_database" in database
    assert not [name for name in database if name.startswith("allowed")]


def test_its_instance_is_private_and_no_node(document: Document) -> None:
    (instance,) = own(document, "core_instance").values()
    assert instance["create_vnic_details"]["assign_public_ip"] == "false"
    assert instance["freeform_tags"] == {"aether-manager": "shop", "managed-by": "aether-infra"}
    core = {
        item["create_vnic_details"]["private_ip"]
        for name, item in resources(document, "oci_core_instance").items()
        if "node-" in name
    }
    assert instance["create_vnic_details"]["private_ip"] not in core
    assert instance["shape_config"] == {"memory_in_gbs": 4, "ocpus": 1}


def test_its_journal_outlives_its_instance(document: Document, synthesized: Synthesize) -> None:
    (volume,) = own(document, "core_volume").values()
    assert int(volume["size_in_gbs"]) >= 50, "the smallest there is"
    assert not own(synthesized(DATABASE, "oracle"), "core_volume")


def test_elastic_nodes_are_its_own(document: Document) -> None:
    assert not resources(document, "oci_core_instance_pool")
    assert not resources(document, "oci_autoscaling_auto_scaling_configuration")
    runtime = document["output"]["runtime"]["value"]
    (local,) = [item for name, item in document["locals"].items() if name.startswith("manager")]
    assert runtime == local | {"manager": runtime["manager"]}
    assert runtime["instance_configuration_id"].startswith("${oci_core_instance_configuration.")


def test_what_it_is_told_fits(document: Document) -> None:
    (instance,) = own(document, "core_instance").values()
    text = instance["metadata"]["user_data"]
    assert "OCI_CLI_AUTH=instance_principal" in text
    assert "${base64encode(jsonencode(local.manager-runtime))}" in text
    told = len(json.dumps(document["output"]["runtime"]["value"])) * 4 // 3
    assert (len(text) + told) * 4 // 3 < METADATA_BYTES
