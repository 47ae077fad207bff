"""The whole AWS stack: its shape as a snapshot, and the facts that no update of a snapshot may lose."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from terraform_json import (
    Document,
    case,
    configs,
    containers,
    every,
    only,
    parsed,
    readable,
    references,
    resources,
    statements,
    variables,
)

from aether_infra.config import Provider, load
from aether_infra.core.kubernetes import MANAGEMENT_NODE_PORT

Synthesize = Callable[..., Document]
per_config = pytest.mark.parametrize("config", configs("aws"), ids=case)
ON_EKS = [config for config in configs("aws") if load(config).in_kubernetes(Provider.AWS)]
OUTSIDE = [config for config in configs("aws") if config not in ON_EKS]
outside_kubernetes = pytest.mark.parametrize("config", OUTSIDE, ids=case)
"""What this stack itself runs; in Kubernetes, the workload's tests say the same."""

ANYWHERE = {"0.0.0.0/0", "::/0"}
UNNAMEABLE = {
    # the registry's login token and the channels of a shell belong to no resource
    "ecr:GetAuthorizationToken",
    "ssmmessages:CreateControlChannel",
    # ListTasks is bound to the cluster by a condition, DescribeTargetHealth can be bound to nothing
    "ecs:ListTasks",
    "elasticloadbalancing:DescribeTargetHealth",
    # what the cluster autoscaler looks at can be bound to nothing; what it changes is
    "autoscaling:DescribeAutoScalingGroups",
}


def of_nodes(document: Document, kind: str) -> dict[str, Any]:
    """Resources of a type without the runtime manager's own: tests/aws/test_manager.py."""
    return {name: item for name, item in resources(document, kind).items() if not name.startswith("manager_")}


@per_config
def test_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = {key: value for key, value in synthesized(config).items() if key != "//"}
    assert readable(document) == snapshot_json


@per_config
def test_every_resource_that_can_bears_the_cluster_tag(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    name = document["output"]["cluster_name"]["value"]
    tagged = 0
    for kind, address, arguments in every(document):
        if kind == "aws_autoscaling_group":
            tags = {tag["key"]: tag["value"] for tag in arguments["tag"]}
        elif "tags" in _arguments_of(kind):
            tags = arguments.get("tags", {})
        else:
            continue
        assert tags.get("aether-cluster") == name, f"{kind}.{address}"
        tagged += 1
    assert tagged > 20


def _arguments_of(kind: str) -> set[str]:
    module = import_module(f"cdktf_cdktf_provider_aws.{kind.removeprefix('aws_')}")
    classes = [item for item in vars(module).values() if hasattr(item, "TF_RESOURCE_TYPE")]
    (resource,) = [item for item in classes if kind == item.TF_RESOURCE_TYPE]
    return set(signature(resource.__init__).parameters)


@per_config
def test_outputs_are_those_of_the_design(config: Path, synthesized: Synthesize) -> None:
    outputs = synthesized(config)["output"]
    assert set(outputs) == {
        "cluster_name",
        "provider",
        "region",
        "application_url",
        "registry_url",
        "network_id",
        "runtime",
    }
    runtime = outputs["runtime"]["value"]
    assert {"subnet_ids", "security_group_ids", "image", "tags", "ports", "core_nodes"} <= set(runtime)


@per_config
def test_bytes_do_not_name_this_machine(config: Path, synthesized: Synthesize) -> None:
    text = json.dumps(synthesized(config))
    assert str(Path.cwd()) not in text
    assert "/tmp/" not in text  # noqa: S108


# --- network


@per_config
def test_subnets_lie_in_the_vpc_and_do_not_overlap(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    if not resources(document, "aws_vpc"):
        assert not resources(document, "aws_subnet")
        return
    vpc = ipaddress.ip_network(only(document, "aws_vpc")["cidr_block"])
    subnets = [ipaddress.ip_network(s["cidr_block"]) for s in resources(document, "aws_subnet").values()]
    assert len(subnets) >= 4
    assert all(subnet.subnet_of(vpc) for subnet in subnets)
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a is not b)
    assert all(s["map_public_ip_on_launch"] is False for s in resources(document, "aws_subnet").values())


@pytest.mark.parametrize(
    ("fewer", "more"),
    [("2", "3"), ("3", "4"), ('["us-west-2c", "us-west-2a"]', '["us-west-2a", "us-west-2b", "us-west-2c"]')],
)
def test_a_further_zone_leaves_the_others_alone(synthesized: Synthesize, fewer: str, more: str) -> None:
    text = '[cloud.aws]\nregion = "us-west-2"\navailability_zones = '
    before, after = (resources(synthesized(text + zones), "aws_subnet") for zones in (fewer, more))
    assert len(before) < len(after)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(("nat", "gateways"), [("per_az", 3), ("single", 1), ("none", 0)])
def test_nat(synthesized: Synthesize, nat: str, gateways: int) -> None:
    text = f'[cloud.aws]\nnat = "{nat}"\n'
    document = synthesized(text)
    assert len(resources(document, "aws_nat_gateway")) == gateways
    assert len(resources(document, "aws_eip")) == gateways
    private = [route for name, route in resources(document, "aws_route").items() if "private" in name]
    assert len(private) == (3 if gateways else 0)
    subnets = resources(synthesized('[cloud.aws]\nnat = "per_az"\n'), "aws_subnet")
    assert resources(document, "aws_subnet") == subnets, "a change of nat moves no subnet"


def test_without_nat_there_are_endpoints_for_all_that_a_node_needs(synthesized: Synthesize) -> None:
    text = """
[cloud.secrets]
A = "arn:aws:secretsmanager:us-west-2:123456789012:secret:a-AbCdEf"
B = "arn:aws:ssm:us-west-2:123456789012:parameter/b"
[cloud.aws]
nat = "none"
execute_command = true
"""
    document = synthesized(text)
    endpoints = resources(document, "aws_vpc_endpoint").values()
    services = {endpoint["service_name"].removeprefix("com.amazonaws.us-west-2.") for endpoint in endpoints}
    assert services == {"s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages"}
    (rule,) = [
        rule
        for name, rule in resources(document, "aws_vpc_security_group_ingress_rule").items()
        if "endpoints" in name
    ]
    assert "security_nodes" in rule["referenced_security_group_id"]


@per_config
def test_the_default_security_group_is_closed(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    for group in resources(document, "aws_default_security_group").values():
        assert (group["ingress"], group["egress"]) == ([], [])
    assert len(resources(document, "aws_default_security_group")) == len(resources(document, "aws_vpc"))


# --- who may talk to whom


@per_config
def test_only_the_load_balancer_is_open_and_never_its_management_port(
    config: Path, synthesized: Synthesize
) -> None:
    document = synthesized(config)
    loaded = load(config)
    aws = loaded.section(Provider.AWS)
    management = loaded.cluster.ports.management
    for name, rule in resources(document, "aws_vpc_security_group_ingress_rule").items():
        cidr = rule.get("cidr_ipv4") or rule.get("cidr_ipv6")
        if cidr is None:
            assert rule["referenced_security_group_id"], name
            continue
        if "cluster_security_group_id" in rule["security_group_id"]:
            assert (config in ON_EKS, rule["from_port"], rule["to_port"]) == (True, 443, 443)
            assert cidr in aws.authorized_cidrs
            assert cidr.startswith("10."), "public ones come by the public address"
            continue
        if "manager_security-group" in rule["security_group_id"]:
            assert cidr in loaded.cloud.manager.allowed_cidrs
            assert rule["from_port"] == rule["to_port"] == loaded.cloud.manager.port
            continue
        assert "security_load-balancer" in rule["security_group_id"], name
        ports = range(rule["from_port"], rule["to_port"] + 1)
        if management in ports:
            assert cidr in aws.management_cidrs
            assert cidr not in ANYWHERE
        else:
            assert ports.start in {80, 443}
            assert cidr in aws.allowed_cidrs


@per_config
def test_cluster_ports_are_open_between_nodes_alone(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    port = load(config).cluster.ports.cluster
    for direction in ("ingress", "egress"):
        rules = resources(document, f"aws_vpc_security_group_{direction}_rule")
        own = {
            (rule["ip_protocol"], rule.get("from_port"), rule.get("to_port"))
            for rule in rules.values()
            if rule.get("referenced_security_group_id") == rule["security_group_id"]
        }
        # in Kubernetes every pod may reach every other, unless a network policy says no
        pods = {("-1", None, None)} if config in ON_EKS else set()
        assert own == {("tcp", port, port), ("udp", port, port), ("udp", port + 100, port + 100)} | pods
    for rule in resources(document, "aws_vpc_security_group_ingress_rule").values():
        if rule["ip_protocol"] != "tcp" or rule["from_port"] <= port <= rule["to_port"]:
            assert rule.get("referenced_security_group_id") == rule["security_group_id"]


@per_config
def test_nothing_runs_with_a_public_address(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    for service in resources(document, "aws_ecs_service").values():
        assert service["network_configuration"]["assign_public_ip"] is False
    for instance in resources(document, "aws_instance").values():
        assert instance["associate_public_ip_address"] is False
    for template in resources(document, "aws_launch_template").values():
        assert template["network_interfaces"][0]["associate_public_ip_address"] == "false"


@per_config
def test_policies_name_their_resources(config: Path, synthesized: Synthesize) -> None:
    for name, statement in statements(synthesized(config)):
        assert "*" not in statement["actions"], name
        if "*" in statement.get("resources", []):
            assert set(statement["actions"]) & UNNAMEABLE, f"{name}: {statement['sid']}"
        if statement.get("principals", [{}])[0].get("identifiers") == ["*"]:
            assert statement["effect"] == "Deny", name


@per_config
def test_secrets_are_references(config: Path, synthesized: Synthesize) -> None:
    document, secrets = synthesized(config), load(config).cloud.secrets
    readers = [
        statement
        for name, statement in statements(document)
        if "secretsmanager:GetSecretValue" in statement["actions"] and not name.startswith("manager_")
    ]
    if not secrets:
        assert not readers
        return
    bases = {":".join(arn.split(":")[:7]) for arn in secrets.values() if ":secretsmanager:" in arn}
    assert all(set(statement["resources"]) == bases for statement in readers)
    assert bool(readers) is bool(bases)
    for task in of_nodes(document, "aws_ecs_task_definition").values():
        node = containers(task)["aether"]
        assert {item["name"]: item["valueFrom"] for item in node["secrets"]} == dict(secrets)
        assert not set(variables(node)) & set(secrets)


@pytest.mark.parametrize("compute", ["fargate", "ec2"])
@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (None, "${aws_ecr_repository.registry_"),
        ("210987654321.dkr.ecr.us-west-2.amazonaws.com/shared/node:1", "210987654321:repository/shared/node"),
        ("ghcr.io/siy/aether-node:0.7.0", None),
    ],
)
def test_only_the_images_repository_may_be_pulled_from(
    synthesized: Synthesize, compute: str, image: str | None, repository: str | None
) -> None:
    named = f'[cloud]\nimage = "{image}"\n' if image else ""
    pulls = [
        statement["resources"]
        for _, statement in statements(synthesized(f'{named}[cloud.aws]\ncompute = "{compute}"\n'))
        if "ecr:BatchGetImage" in statement["actions"]
    ]
    if repository is None:
        assert pulls == []
    else:
        ((arn,),) = pulls
        assert repository in arn


@pytest.mark.parametrize("compute", ["fargate", "ec2", "eks"])
def test_every_role_is_bounded(synthesized: Synthesize, compute: str) -> None:
    boundary = "arn:aws:iam::123456789012:policy/platform"
    text = f'[cloud.aws]\ncompute = "{compute}"\npermissions_boundary_arn = "{boundary}"\n'
    roles = resources(synthesized(text), "aws_iam_role")
    assert roles
    assert {role["permissions_boundary"] for role in roles.values()} == {boundary}


# --- quorum


@outside_kubernetes
def test_every_core_node_names_every_core_node(config: Path, synthesized: Synthesize) -> None:
    document, loaded = synthesized(config), load(config)
    core = loaded.counts(Provider.AWS).core
    ids = [f"node-{number}" for number in range(1, core + 1)]
    environments = [
        variables(containers(task)["aether"])
        for task in of_nodes(document, "aws_ecs_task_definition").values()
    ] or [parsed(only(document, "aws_ssm_parameter")["value"])["environment"]]
    for environment in environments:
        peers = [entry.split(":") for entry in environment["PEERS"].split(",")]
        assert [peer[0] for peer in peers] == ids
        assert {int(peer[2]) for peer in peers} == {loaded.cluster.ports.cluster}
        assert environment["CLUSTER_PEERS"] == environment["PEERS"]
        assert environment["CORE_MAX"] == str(core)
        namespace = only(document, "aws_service_discovery_private_dns_namespace")["name"]
        names = {service["name"] for service in of_nodes(document, "aws_service_discovery_service").values()}
        assert {peer[1] for peer in peers} == {f"{name}.{namespace}" for name in names}


@outside_kubernetes
def test_core_node_ids_are_stable_and_elastic_ones_have_none(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    core = load(config).counts(Provider.AWS).core
    ids = [f"node-{number}" for number in range(1, core + 1)]
    if tasks := of_nodes(document, "aws_ecs_task_definition"):
        given = [variables(containers(task)["aether"]).get("NODE_ID") for task in tasks.values()]
        assert sorted(filter(None, given)) == ids
        assert given.count(None) <= 1
    else:
        instances = resources(document, "aws_instance").values()
        assert sorted(instance["tags"]["aether-node-id"] for instance in instances) == ids


@outside_kubernetes
def test_no_zone_holds_a_majority_where_there_are_three(config: Path, synthesized: Synthesize) -> None:
    document, loaded = synthesized(config), load(config)
    counts = loaded.counts(Provider.AWS)
    placed = [
        service["network_configuration"]["subnets"]
        for name, service in of_nodes(document, "aws_ecs_service").items()
        if "elastic" not in name
    ] or [[instance["subnet_id"]] for instance in resources(document, "aws_instance").values()]
    assert len(placed) == counts.core
    assert all(len(subnets) == 1 for subnets in placed), "a core node keeps to its subnet"
    largest = max(Counter(subnets[0] for subnets in placed).values())
    zones = len(document["output"]["runtime"]["value"]["subnet_ids"])
    if zones >= 3:
        assert largest < counts.majority
    else:
        assert largest >= counts.majority, "two zones: one holds the majority, which the loader warns of"


@per_config
def test_voters_are_never_on_spot_never_doubled_and_never_moved(
    config: Path, synthesized: Synthesize
) -> None:
    document = synthesized(config)
    for name, service in of_nodes(document, "aws_ecs_service").items():
        if "elastic" in name:
            continue
        assert service["desired_count"] == 1
        assert service["deployment_minimum_healthy_percent"] == 0
        assert service["deployment_maximum_percent"] == 100
        assert service["availability_zone_rebalancing"] == "DISABLED"
        assert [s["capacity_provider"] for s in service["capacity_provider_strategy"]] == ["FARGATE"]
        assert service["deployment_circuit_breaker"] == {"enable": True, "rollback": True}
        assert service["wait_for_steady_state"] is False, "ECS' steady state would wait for readiness"
    for instance in resources(document, "aws_instance").values():
        assert "instance_market_options" not in instance
        assert {"ami", "user_data_base64"} <= set(instance["lifecycle"]["ignore_changes"])


@outside_kubernetes
def test_core_nodes_change_one_after_the_other(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    core = load(config).counts(Provider.AWS).core
    graph = {
        f"{kind}.{name}": set(arguments.get("depends_on", [])) for kind, name, arguments in every(document)
    }
    kind = "aws_ecs_service" if of_nodes(document, "aws_ecs_service") else "aws_instance"
    nodes = {
        match[1]: f"{kind}.{name}"
        for name in resources(document, kind)
        if (match := re.search(r"(node-\d+)_", name))
    }
    assert len(nodes) == core
    for number in range(2, core + 1):
        before = nodes[f"node-{number - 1}"]
        direct = graph[nodes[f"node-{number}"]]
        if kind == "aws_instance":
            assert before in direct
            continue
        (gate,) = [address for address in direct if address.startswith("aws_lambda_invocation.")]
        assert before in graph[gate]
        invocation = resources(document, "aws_lambda_invocation")[gate.partition(".")[2]]
        for argument in ("task_definition", "load_balancer", "network_configuration"):
            assert f"{before}.{argument}" in invocation["triggers"]["deployment"], "its change asks again"
        event = parsed(invocation["input"])
        assert event["service"].endswith(f"-node-{number - 1}")
        assert len(event["core_services"]) == core


@per_config
def test_liveness_restarts_and_readiness_routes(config: Path, synthesized: Synthesize) -> None:
    document, loaded = synthesized(config), load(config)
    health, port = loaded.cloud.health, loaded.cluster.ports.management
    asked = MANAGEMENT_NODE_PORT if config in ON_EKS else port
    for group in resources(document, "aws_lb_target_group").values():
        assert group["health_check"]["path"] == health.readiness_path
        assert group["health_check"]["port"] == str(asked)
    for task in of_nodes(document, "aws_ecs_task_definition").values():
        named = containers(task)
        probe = f"http://127.0.0.1:{port}{health.liveness_path}"
        assert named["aether"]["healthCheck"]["command"][1].split()[6] == probe
        assert probe in named["liveness"]["command"][0]
        assert named["liveness"]["essential"] is True
    for service in of_nodes(document, "aws_ecs_service").values():
        if service.get("load_balancer"):
            assert service["health_check_grace_period_seconds"] == 2**31 - 1
        else:
            assert "health_check_grace_period_seconds" not in service, (
                "ECS refuses it without a load balancer"
            )
    for group in resources(document, "aws_autoscaling_group").values():
        assert group["health_check_type"] == "EC2"


@outside_kubernetes
def test_elastic_nodes_run_between_the_bounds(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    counts = load(config).counts(Provider.AWS)
    targets = [
        (target["min_capacity"], target["max_capacity"])
        for target in resources(document, "aws_appautoscaling_target").values()
    ] + [
        (group["min_size"], group["max_size"])
        for group in resources(document, "aws_autoscaling_group").values()
    ]
    autoscaled = counts.elastic_maximum and not load(config).managed(Provider.AWS)
    assert targets == ([(counts.elastic_minimum, counts.elastic_maximum)] if autoscaled else [])
    for name, service in of_nodes(document, "aws_ecs_service").items():
        if "elastic" in name:
            assert service["lifecycle"]["ignore_changes"] == ["desired_count"]


@outside_kubernetes
def test_alarms_tell_a_degraded_from_a_lost_quorum(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    core = load(config).counts(Provider.AWS).core
    alarms = {
        alarm["alarm_name"].partition("-")[2]: alarm
        for alarm in resources(document, "aws_cloudwatch_metric_alarm").values()
    }
    assert alarms["core-degraded"]["threshold"] == core
    assert alarms["quorum-lost"]["threshold"] == core // 2 + 1
    assert ("quorum-at-risk" in alarms) == (core > 3)
    for name in ("core-degraded", "quorum-lost"):
        queries = alarms[name]["metric_query"]
        assert len([query for query in queries if "metric" in query]) == core
        assert alarms[name]["comparison_operator"] == "LessThanThreshold"
        assert alarms[name]["treat_missing_data"] == "breaching"


# --- sizes


@per_config
def test_the_heap_fits_the_task(config: Path, synthesized: Synthesize) -> None:
    from aether_infra.catalog.aws import FARGATE_SIZES

    for task in of_nodes(synthesized(config), "aws_ecs_task_definition").values():
        cpu, memory = int(task["cpu"]), int(task["memory"])
        assert memory in FARGATE_SIZES[cpu]
        match = re.search(r"-Xmx(\d+)m ", variables(containers(task)["aether"])["JAVA_OPTS"])
        assert match
        heap = int(match[1])
        assert memory >= heap + max(heap // 4, 256)
        assert heap >= 128


@pytest.mark.parametrize("compute", ["fargate", "ec2"])
def test_java_options_reach_the_node_as_they_are(synthesized: Synthesize, compute: str) -> None:
    text = f"[cloud]\njava_opts = '-Da=${{b}} -Dc=%{{d}}'\n[cloud.aws]\ncompute = \"{compute}\"\n"
    document = json.dumps(synthesized(text))
    assert "-Da=$${b} -Dc=%%{d}" in document, "Terraform would read ${ and %{ as its own"


# --- hardening


@per_config
def test_a_rollback_finds_the_revision_before(config: Path, synthesized: Synthesize) -> None:
    for task in of_nodes(synthesized(config), "aws_ecs_task_definition").values():
        assert task["skip_destroy"] is True


def test_systems_manager_restarts_core_nodes_one_at_a_time_and_no_others(synthesized: Synthesize) -> None:
    document = synthesized('[cloud.aws]\ncompute = "ec2"\nmin_nodes = 4\n')
    rollout = only(document, "aws_ssm_association")
    assert (rollout["max_concurrency"], rollout["max_errors"]) == ("1", "0")
    assert "aws_ssm_parameter" in rollout["parameters"]["revision"]
    (target,) = rollout["targets"]
    tag, values = target["key"].removeprefix("tag:"), target["values"]
    assert all(instance["tags"][tag] in values for instance in resources(document, "aws_instance").values())
    elastic = only(document, "aws_autoscaling_group")
    assert tag not in {item["key"] for item in elastic["tag"]}
    (specification, *_) = only(document, "aws_launch_template")["tag_specifications"]
    assert tag not in specification["tags"]


@per_config
def test_containers_are_confined(config: Path, synthesized: Synthesize) -> None:
    for task in of_nodes(synthesized(config), "aws_ecs_task_definition").values():
        for name, container in containers(task).items():
            assert container["readonlyRootFilesystem"] is True
            assert container["user"] == ("0" if name == "prepare" else "1000")
            assert not container.get("privileged")
        assert containers(task)["prepare"]["essential"] is False


@per_config
def test_one_flag_protects_everything(config: Path, synthesized: Synthesize) -> None:
    document, protect = synthesized(config), load(config).cloud.protect
    for balancer in resources(document, "aws_lb").values():
        assert balancer["enable_deletion_protection"] is protect
    assert only(document, "aws_ecr_repository")["force_delete"] is not protect
    for bucket in resources(document, "aws_s3_bucket").values():
        assert bucket["force_destroy"] is not protect
    for kind in ("aws_efs_file_system", "aws_ebs_volume"):
        for data in resources(document, kind).values():
            assert bool(data.get("lifecycle", {}).get("prevent_destroy")) is protect
    for instance in resources(document, "aws_instance").values():
        assert instance["disable_api_termination"] is protect


@per_config
def test_registry_is_scanned_immutable_and_encrypted(config: Path, synthesized: Synthesize) -> None:
    repository = only(synthesized(config), "aws_ecr_repository")
    assert repository["image_tag_mutability"] == "IMMUTABLE"
    assert repository["image_scanning_configuration"]["scan_on_push"] is True
    assert repository["encryption_configuration"][0]["encryption_type"] == "KMS"


@per_config
def test_instances_are_hardened(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    machines = [
        *resources(document, "aws_instance").values(),
        *resources(document, "aws_launch_template").values(),
    ]
    for machine in machines:
        assert machine["metadata_options"]["http_tokens"] == "required"
        assert machine["metadata_options"]["http_put_response_hop_limit"] == 1
        assert "key_name" not in machine
    for instance in resources(document, "aws_instance").values():
        assert instance["root_block_device"]["encrypted"] is True
    for template in resources(document, "aws_launch_template").values():
        assert template["block_device_mappings"][0]["ebs"]["encrypted"] == "true"
    for volume in resources(document, "aws_ebs_volume").values():
        assert volume["encrypted"] is True


# --- load balancer and names


@per_config
def test_https_wherever_there_is_a_certificate(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    listeners = resources(document, "aws_lb_listener").values()
    secured = any("certificate_arn" in listener for listener in listeners)
    for listener in listeners:
        if not secured:
            assert listener["protocol"] == "HTTP"
        elif listener["port"] == 80:
            assert listener["default_action"][0]["redirect"]["protocol"] == "HTTPS"
        else:
            assert listener["protocol"] == "HTTPS"
            assert listener["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    url = document["output"]["application_url"]["value"]
    if load(config).app_http.enabled is False:
        assert url == ""
    else:
        assert url.startswith("https://" if secured else "http://")


def test_nothing_published_needs_no_load_balancer(synthesized: Synthesize) -> None:
    document = synthesized("[app-http]\nenabled = false\n[cloud.aws]\n")
    assert not resources(document, "aws_lb")
    assert document["output"]["application_url"]["value"] == ""


def test_management_alone_can_be_published(synthesized: Synthesize) -> None:
    text = '[app-http]\nenabled = false\n[cloud.aws]\nmanagement_cidrs = ["10.1.0.0/16"]\n'
    document = synthesized(text)
    assert [listener["port"] for listener in resources(document, "aws_lb_listener").values()] == [8080]
    assert document["output"]["application_url"]["value"] == ""


def test_a_domain_gets_a_certificate_and_a_record(synthesized: Synthesize) -> None:
    document = synthesized('[cloud]\ndomain = "aether.example.com"\n[cloud.aws]\n')
    assert only(document, "aws_acm_certificate")["domain_name"] == "aether.example.com"
    assert document["data"]["aws_route53_zone"].popitem()[1]["name"] == "example.com"
    listeners = resources(document, "aws_lb_listener").values()
    (https,) = [listener for listener in listeners if listener["port"] == 443]
    assert "aws_acm_certificate_validation" in https["certificate_arn"], "the listener waits for validity"
    records = resources(document, "aws_route53_record").values()
    assert {record["type"] for record in records if "alias" in record} == {"A"}


def test_somebody_elses_dns_is_left_alone(synthesized: Synthesize) -> None:
    text = '[cloud]\ndomain = "aether.example.com"\n[cloud.aws]\nmanage_dns = false\n'
    document = synthesized(text)
    assert not resources(document, "aws_route53_record")
    assert not resources(document, "aws_acm_certificate")


@per_config
def test_ecs_services_wait_for_what_they_stand_on(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    listeners = {f"aws_lb_listener.{name}" for name in resources(document, "aws_lb_listener")}
    for service in of_nodes(document, "aws_ecs_service").values():
        assert listeners <= set(service["depends_on"]), "ECS refuses a target group without a listener"
        if references(service) & {
            f"aws_efs_mount_target.{n}" for n in resources(document, "aws_efs_mount_target")
        }:
            assert resources(document, "aws_efs_file_system")


# --- state


def test_state_is_local_by_default_and_relative(synthesized: Synthesize) -> None:
    backend = synthesized('[cluster]\nname = "one"\n[cloud.aws]\n')["terraform"]["backend"]
    assert backend == {"local": {"path": "../../../terraform.one-aws.tfstate"}}


def test_state_in_s3_is_locked_and_encrypted(synthesized: Synthesize) -> None:
    text = '[cluster]\nname = "one"\n[cloud.state]\nbackend = "s3"\nbucket = "b"\n[cloud.aws]\n'
    backend: dict[str, Any] = synthesized(text)["terraform"]["backend"]
    assert backend == {
        "s3": {
            "bucket": "b",
            "key": "aether/one/aws.tfstate",
            "region": "us-west-2",
            "encrypt": True,
            "use_lockfile": True,
        }
    }


def test_state_locked_by_a_table_needs_no_lock_file(synthesized: Synthesize) -> None:
    text = '[cloud.state]\nbackend = "s3"\nbucket = "b"\ndynamodb_table = "t"\nkey = "k"\n[cloud.aws]\n'
    backend: dict[str, Any] = synthesized(text)["terraform"]["backend"]["s3"]
    assert backend["dynamodb_table"] == "t"
    assert backend["key"] == "k"
    assert "use_lockfile" not in backend


def test_stacks_of_one_file_share_no_state(synthesized: Synthesize) -> None:
    text = """
[cloud]
provider = "gcp"
[cloud.state]
backend = "s3"
bucket = "b"
key = "clusters/one.tfstate"
region = "us-west-2"
[cloud.aws]
[cloud.gcp]
project = "my-project"
"""
    assert synthesized(text)["terraform"]["backend"]["s3"]["key"] == "clusters/one-aws.tfstate"
    active = text.replace('provider = "gcp"', 'provider = "aws"')
    assert synthesized(active)["terraform"]["backend"]["s3"]["key"] == "clusters/one.tfstate"
