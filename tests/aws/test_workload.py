"""What EKS adds to the workload: how traffic, disks, secrets and machines come together with the infrastructure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from terraform_json import Document, case, configs, every, only, parsed, resources

from aether_infra.aws.workload import secret_objects
from aether_infra.config import AwsConfig, Provider, load
from aether_infra.core.kubernetes import APPLICATION_NODE_PORT, MANAGEMENT_NODE_PORT

Synthesize = Callable[..., Document]
ON_EKS = [config for config in configs("aws") if load(config).in_kubernetes(Provider.AWS)]
per_config = pytest.mark.parametrize("config", ON_EKS, ids=case)

STATE = "${data.terraform_remote_state.infrastructure.outputs.runtime.kubernetes"


@pytest.fixture
def workload(config: Path, synthesized: Synthesize) -> Document:
    return synthesized(config, "aws-workload")


def settings(config: Path) -> AwsConfig:
    aws = load(config).section(Provider.AWS)
    assert isinstance(aws, AwsConfig)
    return aws


def pod(controller: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = controller["spec"]["template"]["spec"]
    return found


def autoscalers(document: Document) -> list[dict[str, Any]]:
    """The deployment of the cluster autoscaler, if there is one."""
    return [
        item
        for item in resources(document, "kubernetes_deployment_v1").values()
        if item["metadata"]["name"] == "cluster-autoscaler"
    ]


def test_snapshot_of_the_autoscaler(synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = synthesized(ON_EKS[0], "aws-workload")
    own = {
        f"{kind}.{name}": {key: value for key, value in arguments.items() if key != "//"}
        for kind, name, arguments in every(document)
        if name.startswith("autoscaler_")
    }
    assert own == snapshot_json


@per_config
def test_credentials_are_asked_for_and_short_lived(config: Path, workload: Document) -> None:
    assert set(workload["provider"]) == {"kubernetes"}
    (provider,) = workload["provider"]["kubernetes"]
    assert set(provider) == {"cluster_ca_certificate", "exec", "host"}
    (plugin,) = provider["exec"]
    assert plugin["command"] == "aws"
    assert plugin["args"][:2] == ["eks", "get-token"]
    assert settings(config).region in plugin["args"]


@per_config
def test_the_load_balancer_finds_nodes_at_the_node_ports(
    config: Path, workload: Document, synthesized: Synthesize
) -> None:
    opened = {
        port["node_port"]: service["spec"]
        for service in resources(workload, "kubernetes_service_v1").values()
        for port in service["spec"]["port"]
        if "node_port" in port
    }
    groups = resources(synthesized(config), "aws_lb_target_group").values()
    asked = {int(group["health_check"]["port"]) for group in groups}
    assert set(opened) == asked | {group["port"] for group in groups}
    assert set(opened) <= {APPLICATION_NODE_PORT, MANAGEMENT_NODE_PORT}
    for spec in opened.values():
        assert spec["type"] == "NodePort"
        assert spec["external_traffic_policy"] == "Local", "a machine without a ready node is not healthy"


@per_config
def test_outside_packets_reach_nodes_from_the_load_balancer_alone(config: Path, workload: Document) -> None:
    policy = only(workload, "kubernetes_network_policy_v1")["spec"]
    blocks = [
        source["ip_block"]["cidr"]
        for rule in policy["ingress"]
        for source in rule["from"]
        if "ip_block" in source
    ]
    assert all(block.startswith(f"{STATE}.load_balancer.source_ranges[") for block in blocks)
    published = load(config).app_http.enabled is not False or bool(settings(config).management_cidrs)
    assert bool(blocks) is published


@per_config
def test_data_lies_on_encrypted_volumes(config: Path, workload: Document) -> None:
    storage = only(workload, "kubernetes_storage_class_v1")
    assert storage["storage_provisioner"] == "ebs.csi.aws.com"
    parameters = storage["parameters"]
    assert (parameters["type"], parameters["encrypted"]) == ("gp3", "true")
    assert parameters.get("kmsKeyId") == settings(config).kms_key_arn
    assert f"aether-cluster={load(config).cluster.name}" in parameters.values()


@per_config
def test_the_autoscaler_runs_where_machines_may_come_and_go(config: Path, workload: Document) -> None:
    counts = load(config).counts(Provider.AWS)
    found = autoscalers(workload)
    assert len(found) == (counts.minimum < counts.maximum)
    for deployment in found:
        assert deployment["metadata"]["namespace"] == "kube-system"
        own = pod(deployment)
        assert own["node_selector"] == {"aether-pool": "system"}, "it must not end its own machine"
        (container,) = own["container"]
        assert "--skip-nodes-with-local-storage=false" in container["command"], "nodes have scratch volumes"
        (discovery,) = [word for word in container["command"] if "auto-discovery" in word]
        assert discovery.endswith(f"k8s.io/cluster-autoscaler/{STATE}.cluster_name}}")
        security = container["security_context"]
        assert security["read_only_root_filesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert own["security_context"]["run_as_non_root"] is True
    for role in resources(workload, "kubernetes_cluster_role_v1").values():
        for rule in role["rule"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["api_groups"]
            assert "secrets" not in rule["resources"]


@per_config
def test_secrets_are_fetched_by_the_nodes_own_identity(config: Path, workload: Document) -> None:
    secrets = load(config).cloud.secrets
    if not secrets:
        assert not resources(workload, "kubernetes_manifest")
        return
    spec = only(workload, "kubernetes_manifest")["manifest"]["spec"]
    assert spec["provider"] == "aws"
    assert spec["parameters"]["usePodIdentity"] == "true"
    assert spec["parameters"]["region"] == settings(config).region, "pods cannot ask their machine"
    fetched = {item["objectName"] for item in parsed(spec["parameters"]["objects"])}
    assert fetched == {":".join(arn.split(":")[:7]) for arn in secrets.values()}
    (copied,) = spec["secretObjects"]
    assert {item["key"] for item in copied["data"]} == set(secrets)


@per_config
def test_elastic_nodes_go_to_spot_machines_where_there_are_any(
    config: Path, workload: Document, synthesized: Synthesize
) -> None:
    groups = resources(synthesized(config), "aws_eks_node_group").values()
    pools = {group["labels"]["aether-pool"] for group in groups}
    for controller in (
        *resources(workload, "kubernetes_stateful_set_v1").values(),
        *resources(workload, "kubernetes_deployment_v1").values(),
    ):
        wanted = pod(controller)["node_selector"]["aether-pool"]
        assert wanted in pools
        if controller["metadata"]["name"] == "aether-node":
            assert wanted == "jvm"
        if controller["metadata"]["name"] == "aether-elastic":
            assert wanted == ("spot" if "spot" in pools else "jvm")


def test_each_secret_is_fetched_once_however_many_variables_read_it() -> None:
    arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf"
    parameter = "arn:aws:ssm:us-west-2:123456789012:parameter/a/b"
    objects, names = secret_objects(
        {
            "ALL": arn,
            "AGAIN": arn,
            "OLD": f"{arn}:password:AWSPREVIOUS:",
            "PASSWORD": f"{arn}:db-password::",
            "PINNED": f"{arn}:::EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE",
            "USER": f"{arn}:user::",
            "X": parameter,
            "Y": parameter,
        }
    )
    places = [
        (item["objectName"], item.get("objectVersionLabel"), item.get("objectVersion")) for item in objects
    ]
    assert len(set(places)) == len(places) == 4
    assert names["ALL"] == names["AGAIN"]
    assert names["X"] == names["Y"]
    aliases = [item["objectAlias"] for item in objects]
    aliases += [path["objectAlias"] for item in objects for path in item.get("jmesPath", [])]
    assert len(set(aliases)) == len(aliases), "the provider refuses a name that is taken"
    assert set(names.values()) <= set(aliases)
    assert '"\\"db-password\\""' in json.dumps(objects), "a key with a hyphen is no path"
