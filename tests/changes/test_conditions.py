"""Whether a difference replaces a resource."""

from __future__ import annotations

from typing import Any

import pytest

from aether_infra.catalog.replacement import facts_of
from aether_infra.changes.conditions import Answer, follows, verdict
from aether_infra.changes.values import compare

NO, MAYBE, YES = Answer.NO, Answer.MAYBE, Answer.YES
STRATEGY = {"capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1}]}
SPOT = {"capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT", "weight": 1}]}
FORCED = {"force_new_deployment": True}


@pytest.mark.parametrize(
    ("type_", "old", "new", "answer"),
    [
        ("aws_vpc", {"cidr_block": "10.0.0.0/16"}, {"cidr_block": "10.1.0.0/16"}, YES),
        ("aws_vpc", {}, {"cidr_block": "10.1.0.0/16"}, MAYBE),
        ("aws_vpc", {"tags": {"a": "1"}}, {"tags": {"a": "2"}}, NO),
        ("aws_ecr_repository", {}, {"encryption_configuration": [{"encryption_type": "KMS"}]}, YES),
        ("aws_ecs_service", STRATEGY, SPOT, YES),
        ("aws_ecs_service", STRATEGY | FORCED, SPOT | FORCED, NO),
        ("aws_ecs_service", FORCED, SPOT | FORCED, YES),
        ("google_compute_disk", {"size": 50}, {"size": 60}, NO),
        ("google_compute_disk", {"size": 50}, {"size": 40}, YES),
        ("google_compute_disk", {"size": 50}, {"size": "${var.size}"}, MAYBE),
        ("google_compute_subnetwork", {"ip_cidr_range": "10.0.4.0/22"}, {"ip_cidr_range": "10.0.0.0/16"}, NO),
        (
            "google_compute_subnetwork",
            {"ip_cidr_range": "10.0.4.0/22"},
            {"ip_cidr_range": "10.0.0.0/22"},
            YES,
        ),
        ("google_container_cluster", {"enable_l4_ilb_subsetting": True}, {}, YES),
        ("google_container_cluster", {}, {"enable_l4_ilb_subsetting": True}, NO),
        ("digitalocean_kubernetes_cluster", {"version": "1.33.1-do.0"}, {"version": "1.34.0-do.2"}, NO),
        ("digitalocean_kubernetes_cluster", {"version": "1.34.1-do.1"}, {"version": "1.34.1-do.0"}, YES),
        ("digitalocean_kubernetes_cluster", {"version": "${data.x.y.v}"}, {"version": "1.34.1-do.0"}, MAYBE),
        ("azurerm_kubernetes_cluster", {"network_profile": {"network_policy": "cilium"}}, {}, YES),
        ("azurerm_kubernetes_cluster", {}, {"network_profile": {"network_policy": "cilium"}}, YES),
        (
            "azurerm_kubernetes_cluster",
            {"network_profile": {"network_plugin_mode": "overlay", "network_plugin": "azure"}},
            {"network_profile": {"network_plugin": "azure"}},
            YES,
        ),
        ("azurerm_linux_virtual_machine_scale_set", {"zones": ["1", "2"]}, {"zones": ["1", "2", "3"]}, NO),
        ("azurerm_linux_virtual_machine_scale_set", {"zones": ["1", "2"]}, {"zones": ["2", "3"]}, YES),
        ("azurerm_log_analytics_workspace", {"sku": "PerGB2018"}, {"sku": "Free"}, MAYBE),
        ("oci_containerengine_cluster", {}, {"endpoint_config": {"subnet_id": "a"}}, NO),
        (
            "oci_containerengine_cluster",
            {"endpoint_config": {"subnet_id": "a"}},
            {"endpoint_config": {"subnet_id": "b"}},
            YES,
        ),
        ("kubernetes_config_map_v1", {"data": {"a": "1"}}, {"data": {"a": "2"}}, NO),
        (
            "kubernetes_config_map_v1",
            {"data": {"a": "1"}, "immutable": True},
            {"data": {"a": "2"}, "immutable": True},
            YES,
        ),
        (
            "aws_vpc_security_group_ingress_rule",
            {"cidr_ipv4": "10.0.0.0/8"},
            {"cidr_ipv4": "10.0.0.0/16"},
            NO,
        ),
        (
            "aws_vpc_security_group_ingress_rule",
            {"cidr_ipv4": "10.0.0.0/8"},
            {"referenced_security_group_id": "sg-1"},
            YES,
        ),
        ("aws_instance", {"instance_type": "m7g.large"}, {"instance_type": "m7g.xlarge"}, NO),
        ("aws_instance", {"instance_type": "m7g.large"}, {"instance_type": "m6i.large"}, YES),
        ("somebody_elses_thing", {"a": 1}, {"a": 2}, MAYBE),
    ],
)
def test_replacement(type_: str, old: dict[str, Any], new: dict[str, Any], answer: Answer) -> None:
    facts = facts_of(type_)
    differences, _ = compare(old, new, facts)
    assert differences
    answers = [verdict(each, facts, old, new).replaces for each in differences]
    assert max(answers, key=list(Answer).index) is answer


def test_every_condition_can_be_decided_or_is_told_in_words() -> None:
    facts = facts_of("azurerm_log_analytics_workspace")
    assert facts is not None
    (difference,), _ = compare({"sku": "A"}, {"sku": "B"}, facts)
    assert "PerGB2018" in verdict(difference, facts, {}, {}).condition


@pytest.mark.parametrize(
    ("type_", "attribute", "old", "new", "refused"),
    [
        ("digitalocean_volume", "size", 50, 40, "smaller"),
        ("digitalocean_volume", "size", 50, 60, ""),
        ("oci_core_volume", "size_in_gbs", "100", "60", "smaller"),
        ("azurerm_managed_disk", "disk_size_gb", 64, 32, "smaller"),
        ("aws_ebs_volume", "size", 20, 30, ""),
    ],
)
def test_a_disk_does_not_shrink(type_: str, attribute: str, old: Any, new: Any, refused: str) -> None:
    facts = facts_of(type_)
    (difference,), _ = compare({attribute: old}, {attribute: new}, facts)
    found = verdict(difference, facts, {attribute: old}, {attribute: new})
    assert refused in found.refused
    assert bool(found.refused) is bool(refused)
    assert found.replaces is NO


@pytest.mark.parametrize(
    ("type_", "pattern", "answer"),
    [
        ("aws_subnet", "vpc_id", YES),
        ("aws_subnet", "tags.name", NO),
        ("aws_ecs_service", "capacity_provider_strategy.capacity_provider", MAYBE),
        ("aws_vpc_security_group_ingress_rule", "referenced_security_group_id", NO),
        ("oci_containerengine_cluster", "endpoint_config.subnet_id", YES),
        ("somebody_elses_thing", "a", MAYBE),
    ],
)
def test_an_argument_that_follows_what_is_known_only_afterwards(
    type_: str, pattern: str, answer: Answer
) -> None:
    assert follows(pattern, facts_of(type_)).replaces is answer


def test_volume_claims_of_a_stateful_set_do_not_grow() -> None:
    facts = facts_of("kubernetes_stateful_set_v1")
    old, new = (
        {"spec": {"volume_claim_template": [{"spec": {"resources": {"requests": {"storage": size}}}}]}}
        for size in ("20Gi", "40Gi")
    )
    (difference,), _ = compare(old, new, facts)
    assert verdict(difference, facts, old, new).is_inert
