"""Arrows are what firewalls let through: no more, no less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from terraform_json import ROOT, resources

from aether_infra.diagram.model import Architecture, Flow, Kind
from aether_infra.diagram.ports import Ports

Documents = Callable[..., dict[str, Any]]
Drawn = Callable[..., Architecture]

EXAMPLES = ROOT / "apps/examples"
CONFIGS = ROOT / "tests/configs"
PUBLISHED = "[app-http]\nenabled = true\n"
OPEN = 'management_cidrs = ["198.51.100.0/24"]\n'
AWS = f'{PUBLISHED}[cloud]\nprovider = "aws"\n[cloud.aws]\n'


def flows(picture: Architecture, source: str, target: str = "") -> list[Flow]:
    return [
        flow
        for flow in picture.flows
        if flow.source == source and (not target or flow.target.startswith(target))
    ]


def numbers(flow: Flow) -> set[tuple[str, int, int]]:
    return {(each.protocol, each.low, each.high) for each in flow.ports}


def test_closing_the_management_port_takes_its_arrow_away(architecture: Drawn) -> None:
    opened, closed = architecture(AWS + OPEN), architecture(AWS)
    (management,) = flows(opened, "operators", "balancer/")
    assert management.networks == ("198.51.100.0/24",)
    assert management.label == ("8080 TCP management",)
    assert flows(closed, "operators") == []
    assert [actor.kind for actor in closed.actors] == [Kind.USERS, Kind.INTERNET]
    (reached,) = flows(closed, "balancer/", "nodes") or [
        flow for flow in closed.flows if flow.source.startswith("balancer/")
    ]
    assert reached.label == ("8070 TCP application", "8080 TCP health")


@pytest.mark.parametrize("name", ["aws-production", "aws-ec2", "aws-private"])
def test_aws_arrows_are_the_rules_of_its_security_groups(
    documents: Documents, architecture: Drawn, name: str
) -> None:
    path = EXAMPLES / f"{name}.toml"
    document, picture = documents(path)["aws"], architecture(path)
    rules = resources(document, "aws_vpc_security_group_ingress_rule").values()
    groups = resources(document, "aws_security_group")
    balancer = next(key for key, group in groups.items() if group["name"].endswith("-load-balancer"))
    nodes = next(key for key, group in groups.items() if group["name"].endswith("-nodes"))

    def stated(target: str, source: str | None) -> set[tuple[str, int, int]]:
        return {
            (rule["ip_protocol"], rule["from_port"], rule["to_port"])
            for rule in rules
            if target in rule["security_group_id"]
            and (source in rule.get("referenced_security_group_id", "") if source else "cidr_ipv4" in rule)
        }

    outside = [flow for flow in picture.flows if flow.source in {"users", "operators"}]
    assert set().union(*(numbers(flow) for flow in outside)) == stated(balancer, None)
    (inner,) = [flow for flow in picture.flows if flow.source.startswith("balancer/")]
    assert numbers(inner) == stated(nodes, balancer)
    (peers,) = flows(picture, "nodes", "nodes")
    assert numbers(peers) == stated(nodes, nodes)
    assert {cidr for flow in outside for cidr in flow.networks} == {
        rule["cidr_ipv4"] for rule in rules if balancer in rule["security_group_id"] and "cidr_ipv4" in rule
    }


def test_ports_of_the_configuration_are_ports_in_the_picture(architecture: Drawn) -> None:
    text = "[cluster.ports]\nmanagement = 9080\ncluster = 9090\n[app-http]\nenabled = true\nport = 9070\n"
    picture = architecture(f'{text}[cloud]\nprovider = "aws"\n[cloud.aws]\n')
    (balancer,) = picture.balancers
    assert balancer.listeners == ("HTTP 80 → application 9070",)
    assert "healthy while GET /health answers on 9080" in balancer.facts
    (peers,) = flows(picture, "nodes", "nodes")
    assert peers.label == ("9090 TCP, UDP cluster", "9190 UDP failure detection")


def test_a_redirect_is_told_as_one(architecture: Drawn) -> None:
    (balancer,) = architecture(EXAMPLES / "aws-production.toml").balancers
    assert balancer.listeners == (
        "HTTP 80 → redirect to HTTPS 443",
        "HTTPS 443 → application 8070",
        "HTTPS 8080 → management 8080",
    )


def test_one_nat_gateway_for_all_zones(architecture: Drawn) -> None:
    one = architecture(AWS + 'nat = "single"\n')
    assert len(flows(one, "nodes", "nat/")) == 1
    assert len(flows(architecture(AWS), "nodes", "nat/")) == 3


def test_without_nat_there_is_no_way_out(architecture: Drawn) -> None:
    picture = architecture(AWS + 'nat = "none"\n')
    assert flows(picture, "nodes", "internet") == flows(picture, "nodes", "nat/") == []
    (private,) = flows(picture, "nodes", "endpoints")
    assert private.label == ("443 TCP",)
    (internet,) = [actor for actor in picture.actors if actor.kind is Kind.INTERNET]
    assert internet.facts == (), "only the load balancer's subnets lead there"


def test_a_network_that_exists_keeps_its_ways_to_itself(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "aws-existing-vpc.toml")
    assert picture.network is not None
    assert picture.network.existing
    (out,) = flows(picture, "nodes", "internet")
    assert out.ports == (Ports(protocol="tcp", low=443, high=443),)
    assert all(subnet.existing and subnet.zone is None for subnet in picture.subnets)


def test_nodes_of_kubernetes_say_what_the_network_policy_lets_through(architecture: Drawn) -> None:
    (peers,) = flows(architecture(EXAMPLES / "oracle.toml", "oracle"), "nodes", "nodes")
    assert peers.label == (
        "8080 TCP management",
        "8090 TCP, UDP cluster",
        "8190 UDP failure detection",
    ), "and not all that the wider security group does"


def test_a_load_balancer_reaches_its_own_service_alone(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "oracle-production.toml", "oracle")
    leads = {(flow.source, flow.target) for flow in picture.flows if flow.source.startswith("balancer/")}
    assert leads == {
        ("balancer/aether-application", "service/aether-application"),
        ("balancer/aether-management", "service/aether-management"),
    }


def test_a_machine_port_means_the_service_behind_it(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "aws-eks-production.toml")
    found = {flow.target: flow.label for flow in picture.flows if flow.source.startswith("balancer/")}
    assert found == {
        "service/aether-application": ("30070 TCP application",),
        "service/aether-management": ("30080 TCP health, management",),
    }
    (using,) = flows(picture, "users")
    assert using.label == ("80, 443 TCP application",), "8080 is not for users"


def test_path_discovery_is_no_arrow_of_its_own(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "oracle-vm.toml", "oracle")
    (using,) = flows(picture, "users")
    assert any(each.protocol == "icmp" for each in using.ports)
    assert using.label == ("80, 443 TCP application",)


def test_the_kubernetes_api_is_reached_by_those_who_may(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "oracle-production.toml", "oracle")
    (api,) = flows(picture, "operators", "api")
    assert api.networks == ("198.51.100.0/24", "203.0.113.0/24")
    assert api.label == ("6443 TCP",)
    (inner,) = flows(architecture(EXAMPLES / "oracle.toml", "oracle"), "neighbours", "api")
    assert inner.label == ("6443 TCP",)


def test_the_runtime_manager_is_no_node(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "aws-manager.toml")
    assert picture.manager is not None
    assert [node.name for node in picture.nodes] == ["node-1", "node-2", "node-3"]
    (managing,) = flows(picture, "manager", "nodes")
    assert managing.label == ("8080 TCP management",)
    (calling,) = flows(picture, "operators", "manager")
    assert calling.label == ("8081 TCP manager API",)


def test_allow_lists_name_who_is_let_in(architecture: Drawn) -> None:
    picture = architecture(EXAMPLES / "gcp-production.toml", "gcp")
    (using,) = flows(picture, "users")
    assert using.networks == ("198.51.100.0/24", "203.0.113.0/24")
    (users,) = [actor for actor in picture.actors if actor.kind is Kind.USERS]
    assert users.facts == ("from 198.51.100.0/24, 203.0.113.0/24",)
