"""What is read from resources, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from terraform_json import ROOT

from aether_infra.diagram.concerns import concern_of, plural, type_words
from aether_infra.diagram.model import Architecture
from aether_infra.diagram.read import read

Documents = Callable[..., dict[str, Any]]
Drawn = Callable[..., Architecture]

EXAMPLES = ROOT / "apps/examples"
CONFIGS = ROOT / "tests/configs"


def test_a_node_is_in_its_zone_and_subnet(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "aws-production.toml")
    zones = {node.name: node.zone for node in picture.nodes}
    assert zones == {
        "node-1": "euc1-az1",
        "node-2": "euc1-az2",
        "node-3": "euc1-az3",
        "node-4": "euc1-az1",
        "node-5": "euc1-az2",
    }
    subnets = {subnet.key: subnet for subnet in picture.subnets}
    assert {subnets[node.subnet or ""].zone for node in picture.nodes} == set(picture.zones)
    assert not any(subnets[node.subnet or ""].public for node in picture.nodes)
    assert [subnet.facts for subnet in picture.subnets if subnet.public and subnet.zone == "euc1-az1"] == [
        ("10.20.128.0/20",)
    ]


def test_public_is_what_has_a_route_to_the_internet(documents: Documents) -> None:
    found = documents(EXAMPLES / "aws.toml")
    routes = found["aws"]["resource"]["aws_route"]
    kept = {name: route for name, route in routes.items() if "gateway_id" not in route}
    found["aws"] = found["aws"] | {"resource": found["aws"]["resource"] | {"aws_route": kept}}
    assert not any(subnet.public for subnet in read(found).subnets), "names alone make nothing public"


def test_what_is_not_declared_is_not_in_the_picture(documents: Documents) -> None:
    found = documents(EXAMPLES / "aws.toml")
    kinds = {"aws_nat_gateway", "aws_ecr_repository", "aws_cloudwatch_metric_alarm", "aws_lb"}
    kept = {kind: named for kind, named in found["aws"]["resource"].items() if kind not in kinds}
    picture = read({"aws": found["aws"] | {"resource": kept}})
    assert picture.balancers == ()
    assert [gateway.key for gateway in picture.gateways if gateway.key.startswith("nat")] == []
    assert {"registry", "alarms"}.isdisjoint(service.key for service in picture.services)
    assert all(flow.target != "internet" for flow in picture.flows)


def test_what_nobody_knows_is_counted(documents: Documents) -> None:
    found = documents(EXAMPLES / "kubernetes.toml", "kubernetes")
    strange = {"acme_flux_capacitor": {"one": {"power": 1.21}, "two": {}}}
    (name,) = found
    picture = read({name: found[name] | {"resource": found[name]["resource"] | strange}})
    (other,) = [group for group in picture.others if group.concern == "Other"]
    assert other.counts == (("acme flux capacitors", 2),)


def test_nothing_at_all_is_a_picture_too() -> None:
    picture = read({})
    assert picture.actors == picture.flows == picture.others == ()
    assert picture.title == "cluster"


def test_pods_run_on_the_machines_that_they_choose(architecture: Drawn) -> None:
    cluster = architecture(EXAMPLES / "gcp-production.toml", "gcp").cluster
    assert cluster is not None
    assert {pool.name: pool.system for pool in cluster.pools} == {
        "Pool jvm": False,
        "Pool spot": False,
        "Pool system": True,
    }
    core, elastic = cluster.workloads
    assert dict(core.selector) == {"aether-pool": "jvm"}
    assert dict(elastic.selector) == {"aether-pool": "spot"}
    assert [pod.name for pod in core.pods] == [f"aether-node-{index}" for index in range(5)]


def test_secrets_are_named_and_never_shown(architecture: Drawn) -> None:
    (secrets,) = [
        part for part in architecture(EXAMPLES / "aws-production.toml").services if part.key == "secrets"
    ]
    assert secrets.facts == ("DB_PASSWORD, LICENSE_KEY",)


def test_a_cluster_of_the_runtime_manager_has_its_elastic_nodes(architecture: Drawn) -> None:
    picture = architecture(CONFIGS / "azure-vm-manager.toml", "azure")
    assert picture.elastic is not None
    assert picture.elastic.facts == ("made by the runtime manager",)
    assert picture.elastic.name == "1 to 5 elastic nodes"


def test_types_in_words() -> None:
    assert type_words("aws_iam_role_policy", 2) == "IAM role policies"
    assert type_words("kubernetes_cluster_role_v1") == "cluster role"
    assert type_words("azurerm_network_security_rule", 3) == "network security rules"
    assert plural("priority class") == "priority classes"
    assert plural("VPC address") == "VPC addresses"
    assert plural("gateway") == "gateways"
    assert concern_of("aws_iam_role") == "Access rights"
    assert concern_of("kubernetes_role_v1") == "Kubernetes objects"
    assert concern_of("acme_thing") == "Other"
