"""Each construct alone, in a stack that is not ours, with literals and with tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_json import ROOT, Document, containers, only, references, resources

Declared = Callable[[Callable[[Any], Any]], Document]
ZONES = ({"key": "az1", "slot": 0, "zone_id": "usw2-az1"}, {"key": "az2", "slot": 1, "zone_id": "usw2-az2"})


def test_network_alone(declared: Declared) -> None:
    from aether_infra.aws.network import Network, NetworkProps, NetworkZone

    props = NetworkProps(name="mine", region="us-west-2", zones=[NetworkZone(**zone) for zone in ZONES])
    document = declared(lambda stack: Network(stack, "network", props))
    assert only(document, "aws_vpc")["cidr_block"] == "10.0.0.0/16"
    blocks = {name: subnet["cidr_block"] for name, subnet in resources(document, "aws_subnet").items()}
    assert sorted(blocks.values()) == ["10.0.0.0/20", "10.0.128.0/20", "10.0.144.0/20", "10.0.16.0/20"]


def test_network_over_a_range_known_only_to_terraform(declared: Declared) -> None:
    from cdktf import TerraformVariable

    from aether_infra.aws.network import Network, NetworkProps, NetworkZone

    def declare(stack: Any) -> Network:
        cidr = TerraformVariable(stack, "cidr", type="string").string_value
        zones = [NetworkZone(**zone) for zone in ZONES]
        return Network(
            stack, "network", NetworkProps(name="mine", region="us-west-2", zones=zones, cidr=cidr)
        )

    document = declared(declare)
    blocks = {subnet["cidr_block"] for subnet in resources(document, "aws_subnet").values()}
    assert blocks == {f"${{cidrsubnet(var.cidr, 4, {slot})}}" for slot in (0, 1, 8, 9)}


def test_two_networks_in_one_stack(declared: Declared) -> None:
    from aether_infra.aws.network import Network, NetworkProps, NetworkZone

    zones = [NetworkZone(**zone) for zone in ZONES]

    def declare(stack: Any) -> None:
        for name in ("blue", "green"):
            Network(stack, name, NetworkProps(name=name, region="us-west-2", zones=zones))

    assert len(resources(declared(declare), "aws_vpc")) == 2


def test_existing_network_checks_what_it_is_given(declared: Declared) -> None:
    from aether_infra.aws.network import ExistingNetwork, ExistingNetworkProps

    props = ExistingNetworkProps(
        vpc_id="vpc-1",
        public_subnet_ids=["subnet-a", "subnet-b"],
        private_subnet_ids=["subnet-c", "subnet-d"],
    )
    document = declared(lambda stack: ExistingNetwork(stack, "network", props))
    assert not document.get("resource")
    (vpc,) = document["data"]["aws_vpc"].values()
    assert len(references(vpc["id"])) == 2
    assert "each of private_subnet_ids must lie in a zone of its own" in vpc["id"]
    assert '? "vpc-1" : ""' in vpc["id"]
    subnets = document["data"]["aws_subnet"].values()
    assert {(subnet["id"], subnet["vpc_id"]) for subnet in subnets} == {
        (f"subnet-{letter}", "vpc-1") for letter in "abcd"
    }


def test_security_without_anything_published(declared: Declared) -> None:
    from aether_infra.aws.security import Security, SecurityProps
    from aether_infra.core.node import NodePorts

    ports = NodePorts(application=None)
    props = SecurityProps(name="mine", vpc_id="vpc-1", vpc_cidr="10.0.0.0/16", ports=ports)
    document = declared(lambda stack: Security(stack, "security", props))
    assert len(resources(document, "aws_security_group")) == 1
    assert not [
        r for r in resources(document, "aws_vpc_security_group_ingress_rule").values() if "cidr_ipv4" in r
    ]


def test_security_takes_ipv6_too(declared: Declared) -> None:
    from aether_infra.aws.security import Security, SecurityProps

    props = SecurityProps(
        name="mine",
        vpc_id="vpc-1",
        vpc_cidr="10.0.0.0/16",
        allowed_cidrs=["::/0"],
        egress_cidrs=["2001:db8::/32"],
    )
    document = declared(lambda stack: Security(stack, "security", props))
    ingress = resources(document, "aws_vpc_security_group_ingress_rule").values()
    egress = resources(document, "aws_vpc_security_group_egress_rule").values()
    assert [rule["cidr_ipv6"] for rule in ingress if "cidr_ipv6" in rule] == ["::/0"]
    assert [rule["cidr_ipv6"] for rule in egress if "cidr_ipv6" in rule] == ["2001:db8::/32"]


def test_registry_alone(declared: Declared) -> None:
    from aether_infra.aws.registry import Registry, RegistryProps

    document = declared(
        lambda stack: Registry(stack, "registry", RegistryProps(repository="mine", keep_images=7))
    )
    rules = json.loads(only(document, "aws_ecr_lifecycle_policy")["policy"])["rules"]
    assert rules[1]["selection"]["countNumber"] == 7
    assert only(document, "aws_ecr_repository")["force_delete"] is False


@pytest.mark.parametrize(
    ("image", "arn"),
    [
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/node@sha256:00",
            "arn:aws:ecr:eu-west-1:123456789012:repository/team/node",
        ),
        (
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/node:1",
            "arn:aws:ecr:cn-north-1:123456789012:repository/node",
        ),
        ("ghcr.io/siy/aether-node:latest", None),
        ("public.ecr.aws/x/node:1", None),
    ],
)
def test_repository_of_an_image(image: str, arn: str | None) -> None:
    from aether_infra.aws.registry import image_repository_arn

    assert image_repository_arn(image) == arn


def test_load_balancer_alone(declared: Declared) -> None:
    from aether_infra.aws.load_balancer import LoadBalancer, LoadBalancerProps

    props = LoadBalancerProps(name="mine", vpc_id="vpc-1", subnet_ids=["a", "b"], security_group_id="sg-1")
    document = declared(lambda stack: LoadBalancer(stack, "balancer", props))
    balancer = only(document, "aws_lb")
    assert balancer["drop_invalid_header_fields"] is True
    assert "access_logs" not in balancer
    group = only(document, "aws_lb_target_group")
    assert group["lifecycle"] == {"create_before_destroy": True}
    assert str(group["port"]) in group["name"], "or a change of the port would be stuck in its listener"


@pytest.mark.parametrize(
    ("domain", "zone"),
    [
        ("aether.example.com", "example.com"),
        ("a.b.example.co.uk", "b.example.co.uk"),
        ("example.com", "example.com"),
    ],
)
def test_zone_of_a_domain(domain: str, zone: str) -> None:
    from aether_infra.aws.dns import parent_zone

    assert parent_zone(domain) == zone


def test_data_volumes_give_each_node_its_own_folder(declared: Declared) -> None:
    from aether_infra.aws.storage import DataVolumes, DataVolumesProps

    props = DataVolumesProps(
        name="mine",
        vpc_id="vpc-1",
        subnets={"az1": "subnet-1", "az2": "subnet-2"},
        node_ids=["node-1", "node-2", "node-3"],
        node_security_group_id="sg-1",
    )
    document = declared(lambda stack: DataVolumes(stack, "data", props))
    points = resources(document, "aws_efs_access_point").values()
    assert sorted(point["root_directory"]["path"] for point in points) == ["/node-1", "/node-2", "/node-3"]
    assert {point["posix_user"]["uid"] for point in points} == {1000}
    assert len(resources(document, "aws_efs_mount_target")) == 2
    assert only(document, "aws_efs_file_system")["lifecycle"]["prevent_destroy"] is True


@pytest.mark.parametrize(("voters", "names"), [(3, 2), (5, 3), (7, 3)])
def test_alarms_for_any_quorum(declared: Declared, voters: int, names: int) -> None:
    from aether_infra.aws.monitoring import Alarms, AlarmsProps, VoterMetric

    metrics = [
        VoterMetric(
            voter=f"node-{n}",
            namespace="N",
            metric="M",
            dimensions={"D": str(n)},
            stat="Minimum",
            when_missing=0,
        )
        for n in range(voters)
    ]
    document = declared(lambda stack: Alarms(stack, "alarms", AlarmsProps(name="mine", voters=metrics)))
    assert len(resources(document, "aws_cloudwatch_metric_alarm")) == names


def test_the_gate_reads_and_nothing_else(declared: Declared) -> None:
    from aether_infra.aws.rollout import RolloutGate, RolloutGateProps
    from aether_infra.aws.rollout_gate.handler import API_CALLS

    props = RolloutGateProps(
        name="mine",
        region="us-west-2",
        account_id="123456789012",
        partition="aws",
        ecs_cluster_name="mine",
        core_services=["mine-node-1", "mine-node-2", "mine-node-3"],
    )
    document = declared(lambda stack: RolloutGate(stack, "rollout", props))
    granted = {
        action
        for policy in document["data"]["aws_iam_policy_document"].values()
        for statement in policy["statement"]
        for action in statement["actions"]
    }
    assert granted - {"sts:AssumeRole", "logs:CreateLogStream", "logs:PutLogEvents"} == set(API_CALLS)


def test_the_gates_archive_is_always_the_same() -> None:
    script = (
        "import hashlib\nfrom aether_infra.aws.rollout import gate_archive\n"
        "print(hashlib.sha256(gate_archive()).hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_a_teams_own_stack(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "apps/team_stack.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "cdktf.out/stacks/orders/cdk.tf.json").read_text(encoding="utf-8"))
    assert only(document, "aws_vpc")["enable_network_address_usage_metrics"] is True
    assert {s["timeouts"]["delete"] for s in resources(document, "aws_ecs_service").values()} == {"30m"}
    for task in resources(document, "aws_ecs_task_definition").values():
        assert {container["image"] for container in containers(task).values()} == {"${var.image}"}
    assert len(resources(document, "aws_ecs_service")) == 3
