"""The runtime manager in the cluster: what it may do, who may call it, whom it may call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from terraform_json import CONFIGS, Document, parsed, resources

from aether_infra.catalog.manager_rights import KUBERNETES_RIGHTS
from aether_infra.config import AetherConfig, Provider, load
from aether_infra.core import manager
from aether_infra.core.kubernetes import SERVING_LABEL
from aether_infra.kubernetes.manager import rules
from aether_infra.runtime.settings import parse_settings

Synthesize = Callable[..., Document]
DIGEST = "a" * 64
MANAGER = f"""
    [cloud.manager]
    enabled = true
    image = "registry.example.com/manager@sha256:{DIGEST}"
    api_keys = "kubernetes:manager/keys"
"""
CLOUDS = {
    Provider.AWS: 'compute = "eks"',
    Provider.AZURE: 'subscription_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
    Provider.DIGITALOCEAN: "",
    Provider.GCP: 'project = "my-project"',
    Provider.ORACLE: 'compartment_id = "ocid1.compartment.oc1..a"\ntenancy_id = "ocid1.tenancy.oc1..a"',
}
CASES = [
    (path, provider)
    for path in CONFIGS
    for config in [load(path, env={})]
    for provider in config.sections
    if config.in_kubernetes(provider) and config.managed(provider)
]


@pytest.fixture(params=CASES, ids=lambda pair: pair[0].stem)
def case(request: pytest.FixtureRequest, synthesized: Synthesize) -> tuple[AetherConfig, Provider, Document]:
    path, provider = request.param
    return load(path, env={}), provider, synthesized(path, f"{provider}-workload")


def own(document: Document, kind: str) -> dict[str, Any]:
    """The manager's own resource of a type."""
    (found,) = [
        item
        for item in resources(document, f"kubernetes_{kind}").values()
        if item["metadata"]["name"].startswith("aether-manager")
    ]
    return found


def pod(document: Document) -> dict[str, Any]:
    template: dict[str, Any] = own(document, "deployment_v1")["spec"]["template"]
    return template


def container(document: Document) -> dict[str, Any]:
    (found,) = pod(document)["spec"]["container"]
    return dict(found)


def test_the_cases_cover_both_journals() -> None:
    assert {load(path, env={}).cloud.manager.on_volume for path, _ in CASES} == {True, False}


def test_it_may_do_what_it_does_and_nothing_else(case: tuple[AetherConfig, Provider, Document]) -> None:
    *_, document = case
    granted = {
        f"{group}/{resource}:{verb}".removeprefix("/")
        for rule in own(document, "role_v1")["rule"]
        for group in rule["api_groups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == KUBERNETES_RIGHTS
    assert "*" not in json.dumps(own(document, "role_v1")["rule"])
    account = own(document, "service_account_v1")
    (subject,) = own(document, "role_binding_v1")["subject"]
    assert account["automount_service_account_token"] is False
    assert pod(document)["spec"]["automount_service_account_token"] is True
    assert subject["name"] == pod(document)["spec"]["service_account_name"]
    assert not resources(document, "kubernetes_cluster_role_binding_v1").keys() & {"manager"}


def test_it_may_change_one_deployment_alone(case: tuple[AetherConfig, Provider, Document]) -> None:
    *_, document = case
    (rule,) = [rule for rule in own(document, "role_v1")["rule"] if rule["resources"] == ["deployments"]]
    assert rule["resource_names"] == ["aether-elastic"]


def test_it_is_no_node(case: tuple[AetherConfig, Provider, Document]) -> None:
    *_, document = case
    labels = pod(document)["metadata"]["labels"]
    assert "aether-cluster" not in labels
    assert "aether-role" not in labels
    for service in resources(document, "kubernetes_service_v1").values():
        selector = service["spec"]["selector"]
        mine = service["metadata"]["name"] == "aether-manager"
        assert (selector.items() <= labels.items()) is mine
    assert labels["aether-management-client"] == "true"


def test_the_number_of_nodes_is_its_own(case: tuple[AetherConfig, Provider, Document]) -> None:
    config, provider, document = case
    assert not resources(document, "kubernetes_horizontal_pod_autoscaler_v2")
    (elastic,) = [
        item
        for item in resources(document, "kubernetes_deployment_v1").values()
        if item["metadata"]["name"] == "aether-elastic"
    ]
    assert elastic["spec"]["replicas"] == str(config.counts(provider).elastic_minimum)
    assert elastic["lifecycle"]["ignore_changes"] == ["spec[0].replicas"]


def test_nodes_are_taken_in_and_out_of_traffic_by_a_label(
    case: tuple[AetherConfig, Provider, Document],
) -> None:
    _, _, document = case
    pods = [
        *resources(document, "kubernetes_stateful_set_v1").values(),
        *(
            item
            for item in resources(document, "kubernetes_deployment_v1").values()
            if item["metadata"]["name"] == "aether-elastic"
        ),
    ]
    for each in pods:
        assert each["spec"]["template"]["metadata"]["labels"][SERVING_LABEL] == "true"
        assert SERVING_LABEL not in each["spec"]["selector"]["match_labels"], (
            "without it a pod is still counted"
        )
    for service in resources(document, "kubernetes_service_v1").values():
        name, selector = service["metadata"]["name"], service["spec"]["selector"]
        assert (SERVING_LABEL in selector) is (name in {"aether", "aether-application"}), name


def test_one_runs_at_a_time_and_waits_for_nobody(case: tuple[AetherConfig, Provider, Document]) -> None:
    config, _, document = case
    spec = own(document, "deployment_v1")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == ("1", "Recreate")
    claims = resources(document, "kubernetes_persistent_volume_claim_v1").values()
    assert len(claims) == (1 if config.cloud.manager.on_volume else 0)
    for claim in claims:
        assert claim["wait_until_bound"] is False, (
            "the disk is made where the pod is: waiting would never end"
        )


def test_it_has_no_privilege(case: tuple[AetherConfig, Provider, Document]) -> None:
    *_, document = case
    security = pod(document)["spec"]["security_context"]
    assert (security["run_as_non_root"], security["run_as_user"]) == (True, "1000")
    assert security["seccomp_profile"]["type"] == "RuntimeDefault"
    inner = container(document)["security_context"]
    assert inner["read_only_root_filesystem"] is True
    assert inner["allow_privilege_escalation"] is False
    assert inner["capabilities"]["drop"] == ["ALL"]


def test_who_may_call_it_and_whom_it_may_call(case: tuple[AetherConfig, Provider, Document]) -> None:
    config, _, document = case
    settings = config.cloud.manager
    spec = own(document, "network_policy_v1")["spec"]
    (rule,) = spec["ingress"]
    assert rule["ports"] == [{"port": str(settings.port), "protocol": "TCP"}]
    assert [source["ip_block"]["cidr"] for source in rule["from"][1:]] == list(settings.allowed_cidrs)
    assert ("Egress" in spec["policy_types"]) is settings.on_volume
    if settings.on_volume:
        nodes = [one for one in spec["egress"] if "to" in one]
        assert [one["ports"] for one in nodes] == [
            [{"port": str(config.cluster.ports.management), "protocol": "TCP"}]
        ]


def test_what_it_is_told(case: tuple[AetherConfig, Provider, Document]) -> None:
    config, provider, document = case
    settings = config.cloud.manager
    plain = {one["name"]: one["value"] for one in container(document)["env"] if "value" in one}
    assert plain["AETHER_PORT"] == str(settings.port)
    assert plain["AETHER_COLLECT"] == ("true" if settings.collect else "false")
    assert plain[manager.OUTPUTS] == "/config/outputs.json"
    assert ("AETHER_JOURNAL" in plain) is settings.on_volume
    secret = {
        one["name"]: one["value_from"]["secret_key_ref"]
        for one in container(document)["env"]
        if "value_from" in one
    }
    assert {f"kubernetes:{one['name']}/{one['key']}" for one in secret.values()} == set(
        settings.secrets().values()
    )
    told = parse_settings(json.dumps(parsed(own(document, "config_map_v1")["data"]["outputs.json"])))
    assert (told.provider, told.compute) == (provider, config.section(provider).compute)
    assert told.managed
    assert "manager" not in told.facts
    namespace = getattr(config.section(provider), "namespace", None) or config.kubernetes.namespace
    assert told.facts["kubernetes"] == {"namespace": namespace, "serving_label": SERVING_LABEL}
    assert "TfToken" not in json.dumps(document)


def test_a_change_of_settings_replaces_the_pod(synthesized: Synthesize) -> None:
    document = synthesized(f"{MANAGER}\n[cloud.kubernetes]\n", "kubernetes-workload")
    (settings,) = (name for name in resources(document, "kubernetes_config_map_v1") if "manager" in name)
    digest = f"${{sha256(jsonencode(kubernetes_config_map_v1.{settings}.data))}}"
    assert pod(document)["metadata"]["annotations"]["aether-infra/config"] == digest


@pytest.mark.parametrize("provider", CLOUDS, ids=str)
def test_every_cloud_has_it(provider: Provider, synthesized: Synthesize) -> None:
    text = f'[cloud]\nprovider = "{provider}"\n{MANAGER}[cloud.{provider}]\n{CLOUDS[provider]}\n'
    workload, infrastructure = synthesized(text, f"{provider}-workload"), synthesized(text, provider.value)
    assert container(workload)["image"].endswith(DIGEST)
    assert not resources(workload, "kubernetes_horizontal_pod_autoscaler_v2")
    runtime = infrastructure["output"]["runtime"]["value"]
    assert runtime["managed"] is True
    assert runtime["kubernetes"]["namespace"] == "aether"
    assert runtime["manager"] == {
        "address": "aether-manager.aether.svc",
        "port": 8081,
        "url": "http://aether-manager.aether.svc:8081",
    }


def test_a_cluster_that_exists_says_the_same(synthesized: Synthesize) -> None:
    text = f'{MANAGER}[cloud.kubernetes]\nnamespace = "shop"\n'
    runtime = synthesized(text, "kubernetes-workload")["output"]["runtime"]["value"]
    settings = parse_settings(json.dumps(runtime))
    assert settings.managed
    assert settings.facts["kubernetes"] == {"namespace": "shop", "serving_label": SERVING_LABEL}
    assert settings.facts["manager"]["address"] == "aether-manager.shop.svc"
    plain = synthesized("[cloud.kubernetes]\n", "kubernetes-workload")
    assert "output" not in plain


def test_only_the_active_cloud_has_one(synthesized: Synthesize) -> None:
    other = '[cloud.gcp]\nproject = "my-project"\n'
    text = f'[cloud]\nprovider = "kubernetes"\n{MANAGER}[cloud.kubernetes]\n{other}'
    workload = synthesized(text, "gcp-workload")
    assert resources(workload, "kubernetes_horizontal_pod_autoscaler_v2")
    assert "manager" not in synthesized(text, "gcp")["output"]["runtime"]["value"]


def test_rules_of_rights() -> None:
    assert rules({"apps/deployments:patch", "pods/eviction:create", "pods:list", "pods:get"}) == [
        ("", "pods", ["get", "list"]),
        ("", "pods/eviction", ["create"]),
        ("apps", "deployments", ["patch"]),
    ]
