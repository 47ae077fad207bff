"""Each kind of danger, and what looks like one and is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aether_infra.changes.dangers import KINDS
from aether_infra.changes.model import Changes
from aether_infra.changes.stacks import compare_documents

Compared = Callable[..., Changes]


def kinds(changes: Changes) -> list[str]:
    return [danger.kind for danger in changes.dangers]


def one(type_: str, **arguments: Any) -> dict[str, Any]:
    return {type_: {"x": arguments}}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (one("aws_ebs_volume", encrypted=True), one("aws_ebs_volume", encrypted=False), ["data"]),
        (one("aws_efs_file_system", encrypted=True), {}, ["data"]),
        (one("aws_db_instance", identifier="a"), {}, ["data"]),
        (
            one("kubernetes_namespace_v1", metadata={"name": "a"}),
            one("kubernetes_namespace_v1", metadata={"name": "b"}),
            ["data"],
        ),
        (one("azurerm_container_registry", name="a"), one("azurerm_container_registry", name="b"), ["data"]),
        (one("aws_eks_cluster", name="a"), one("aws_eks_cluster", name="b"), ["cluster"]),
        (one("google_container_cluster", name="a"), {}, ["cluster"]),
        (one("aws_vpc", cidr_block="10.0.0.0/16"), one("aws_vpc", cidr_block="10.1.0.0/16"), ["network"]),
        (
            one("azurerm_virtual_network", address_space=["10.0.0.0/16"]),
            one("azurerm_virtual_network", address_space=["10.1.0.0/16"]),
            ["network"],
        ),
        (
            one("azurerm_virtual_network", address_space=["10.0.4.0/22"]),
            one("azurerm_virtual_network", address_space=["10.0.0.0/16", "10.9.0.0/16"]),
            [],
        ),
        (one("aws_lb", name="a"), one("aws_lb", name="b"), ["address"]),
        (one("google_compute_address", name="a", address_type="INTERNAL"), {}, []),
        (one("google_dns_managed_zone", name="a"), {}, ["address"]),
        (
            one("aws_lb", enable_deletion_protection=True),
            one("aws_lb", enable_deletion_protection=False),
            ["protection"],
        ),
        (one("aws_lb", enable_deletion_protection=True), one("aws_lb"), ["protection"]),
        (one("aws_lb", enable_deletion_protection=False), one("aws_lb", enable_deletion_protection=True), []),
        (one("aws_s3_bucket", force_destroy=False), one("aws_s3_bucket", force_destroy=True), ["protection"]),
        (one("azurerm_management_lock", name="a"), {}, ["protection"]),
        (
            one(
                "kubernetes_stateful_set_v1",
                spec={"persistent_volume_claim_retention_policy": {"when_deleted": "Retain"}},
            ),
            one(
                "kubernetes_stateful_set_v1",
                spec={"persistent_volume_claim_retention_policy": {"when_deleted": "Delete"}},
            ),
            ["protection"],
        ),
        (one("digitalocean_volume", size=50), one("digitalocean_volume", size=40), ["refused"]),
        (one("aws_vpc", tags={"a": "1"}), one("aws_vpc", tags={"a": "2"}), []),
        (one("aws_security_group", name="a"), one("aws_security_group", name="b"), []),
        ({}, one("aws_ebs_volume", size=1), []),
    ],
)
def test_kinds(compared: Compared, old: dict[str, Any], new: dict[str, Any], found: list[str]) -> None:
    assert kinds(compared(old, new)) == found


def test_protection_is_switched_off_without_any_other_change(compared: Compared) -> None:
    held = one("aws_ebs_volume", size=1, lifecycle={"prevent_destroy": True})
    free = one("aws_ebs_volume", size=1)
    changes = compared(held, free)
    assert kinds(changes) == ["protection"]
    assert changes.is_empty is False
    assert compared(free, held).dangers == ()


def test_another_place_of_the_state() -> None:
    table = one("aws_vpc", cidr_block="10.0.0.0/16")

    def document(backend: dict[str, Any]) -> dict[str, Any]:
        return {"aws": {"resource": table, "terraform": {"backend": backend}}}

    local = document({"local": {"path": "a.tfstate"}})
    assert kinds(compare_documents(local, document({"local": {"path": "b.tfstate"}}))) == ["state"]
    changes = compare_documents(local, document({"s3": {"bucket": "b", "key": "k"}}))
    assert kinds(changes) == ["state"]
    assert "terraform init -migrate-state" in changes.dangers[0].message
    bucket = {"bucket": "b", "key": "k"}
    encrypted = compare_documents(document({"s3": bucket}), document({"s3": bucket | {"encrypt": True}}))
    assert encrypted.dangers == ()
    assert [setting.path for setting in encrypted.stacks[0].backend] == ["encrypt"]


def test_a_stack_that_is_no_longer_there_is_not_ended() -> None:
    document = {"resource": one("aws_ebs_volume", size=1)}
    gone = compare_documents({"aws": document}, {})
    assert kinds(gone) == ["abandoned"]
    assert compare_documents({}, {"aws": document}).dangers == ()


def test_another_name_of_the_cluster() -> None:
    def document(name: str) -> dict[str, Any]:
        return {
            "aws": {"resource": one("aws_vpc", tags={"n": name}), "output": {"cluster_name": {"value": name}}}
        }

    assert kinds(compare_documents(document("a"), document("b"))) == ["name"]


def test_another_place_of_a_provider_ends_nothing_where_nobody_looks() -> None:
    def document(region: str, type_: str, provider: str) -> dict[str, Any]:
        table = one(type_, name="a", lifecycle={"prevent_destroy": True})
        return {"x": {"resource": table, "provider": {provider: [{"region": region}]}}}

    oracle = (document(region, "oci_core_volume", "oci") for region in "ab")
    assert kinds(compare_documents(*oracle)) == ["place"]
    aws = (document(region, "aws_ebs_volume", "aws") for region in "ab")
    assert kinds(compare_documents(*aws)) == ["refused", "place", "data"]


def test_the_worst_comes_first(compared: Compared) -> None:
    old = (
        one("aws_lb", enable_deletion_protection=True)
        | one("aws_vpc", cidr_block="10.0.0.0/16")
        | one("aws_db_instance")
    )
    new = one("aws_lb", enable_deletion_protection=False) | one("aws_vpc", cidr_block="10.1.0.0/16")
    found = kinds(compared(old, new))
    assert found == sorted(found, key=list(KINDS).index)
    assert found == ["data", "network", "protection"]


def test_a_claim_that_does_not_grow_is_no_danger_and_is_told(compared: Compared) -> None:
    def claims(size: str) -> dict[str, Any]:
        template = [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}]
        return one("kubernetes_stateful_set_v1", spec={"volume_claim_template": template})

    changes = compared(claims("20Gi"), claims("40Gi"))
    assert changes.dangers == ()
    assert [note.kind for note in changes.notes] == ["no-effect"]
