"""The runtime manager on AWS: what it may do, who may call it, what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from terraform_json import Document, configs, containers, parsed, resources, statements, variables

from aether_infra.aws.manager_policy import IMPLIED, KEY_RIGHTS, SPOT, ClusterScope
from aether_infra.aws.manager_policy import statements as policy
from aether_infra.catalog.manager_rights import RIGHTS
from aether_infra.config import AetherConfig, AwsConfig, Provider, load

Synthesize = Callable[..., Document]
CASES = [
    path
    for path in configs("aws")
    for config in [load(path, env={})]
    if config.managed(Provider.AWS) and not config.in_kubernetes(Provider.AWS)
]
DNS = """
[cloud]
domain = "shop.example.com"
[cloud.manager]
enabled = true
image = "registry.example.com/manager:1"
api_keys = "arn:aws:ssm:us-west-2:123456789012:parameter/keys"
[cloud.aws]
compute = "{compute}"
"""


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest, synthesized: Synthesize) -> tuple[AetherConfig, Document]:
    path: Path = request.param
    return load(path, env={}), synthesized(path)


def aws(config: AetherConfig) -> AwsConfig:
    found = config.cloud.aws
    assert found is not None
    return found


def task(document: Document) -> dict[str, Any]:
    (found,) = [
        item
        for name, item in resources(document, "aws_ecs_task_definition").items()
        if name.startswith("manager_")
    ]
    return dict(found)


def service(document: Document) -> dict[str, Any]:
    (found,) = [
        item for name, item in resources(document, "aws_ecs_service").items() if name.startswith("manager_")
    ]
    return dict(found)


def granted(document: Document) -> Iterator[dict[str, Any]]:
    """Statements of what the manager may do to the cluster."""
    for name, statement in statements(document):
        if name.startswith("manager_manage_"):
            yield statement


def expected(config: AetherConfig) -> set[str]:
    """What its calls need of this very cluster."""
    rights = set(RIGHTS["aws", aws(config).compute])
    rights.update(*(implied for call, implied in IMPLIED.items() if call in rights))
    if "ec2:RunInstances" in rights:
        rights.update(KEY_RIGHTS if aws(config).kms_key_arn else ())
        rights.update([SPOT] if aws(config).spot else ())
    if not config.app_http.published and not aws(config).management_cidrs:
        # no load balancer, so no target group to register with
        rights -= {"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"}
    if not (config.cloud.domain and aws(config).manage_dns and config.app_http.published):
        rights = {right for right in rights if not right.startswith("route53:")}
    return rights


def test_both_kinds_and_both_journals_are_here() -> None:
    loaded = [load(path, env={}) for path in CASES]
    assert {aws(config).compute for config in loaded} == {"ec2", "fargate"}
    assert {config.cloud.manager.on_volume for config in loaded} == {True, False}


def test_it_may_do_what_it_does_and_nothing_else(case: tuple[AetherConfig, Document]) -> None:
    config, document = case
    assert {action for one in granted(document) for action in one["actions"]} == expected(config)


@pytest.mark.parametrize("compute", ["ec2", "fargate"])
def test_with_a_domain_it_may_also_change_records_below_it(compute: str, synthesized: Synthesize) -> None:
    document = synthesized(DNS.format(compute=compute))
    actions = {action for one in granted(document) for action in one["actions"]}
    assert actions >= set(RIGHTS["aws", compute])
    (change,) = [one for one in granted(document) if "route53:ChangeResourceRecordSets" in one["actions"]]
    assert [resource.rpartition(":")[2].partition("/")[0] for resource in change["resources"]] == [
        "hostedzone"
    ]
    limits = {one["variable"].rpartition(":")[2]: one["values"] for one in change["condition"]}
    assert limits["ChangeResourceRecordSetsNormalizedRecordNames"] == [
        "shop.example.com",
        "*.shop.example.com",
    ]
    assert "NS" not in limits["ChangeResourceRecordSetsRecordTypes"]


def test_what_it_changes_is_the_clusters(case: tuple[AetherConfig, Document]) -> None:
    config, document = case
    name = [config.cluster.name]
    wanted = {
        "ec2:CreateTags": {"ec2:CreateAction": ["RunInstances"]},
        "ec2:TerminateInstances": {"aws:ResourceTag/aether-cluster": name},
        "iam:PassRole": {"iam:PassedToService": ["ec2.amazonaws.com"]},
    }
    for statement in granted(document):
        found = {one["variable"]: one["values"] for one in statement.get("condition", [])}
        for action in statement["actions"]:
            assert found == wanted.get(action, found), action
            assert "ecs:cluster" in found or not action.startswith("ecs:"), action
        if "ec2:RunInstances" in statement["actions"]:
            assert "launch-template/" in found["ec2:LaunchTemplate"][0]
            instances = [one for one in statement["resources"] if one.endswith(":instance/*")]
            assert not instances or found["aws:RequestTag/aether-cluster"] == name


def test_only_reading_is_bound_to_nothing(case: tuple[AetherConfig, Document]) -> None:
    *_, document = case
    for statement in granted(document):
        if "*" in statement["resources"]:
            verbs = [action.partition(":")[2] for action in statement["actions"]]
            assert all(verb.startswith(("Describe", "List")) for verb in verbs), statement["sid"]


def test_it_changes_one_service_and_gives_one_role(case: tuple[AetherConfig, Document]) -> None:
    *_, document = case
    for action, part in (
        ("ecs:UpdateService", "elastic"),
        ("iam:PassRole", "aws_iam_role.identity_instance"),
    ):
        for statement in granted(document):
            if action in statement["actions"]:
                (resource,) = statement["resources"]
                assert part in resource


def test_an_action_without_a_scope_is_refused() -> None:
    cluster = ClusterScope(name="a", partition="aws", region="us-west-2", account_id="1")
    with pytest.raises(LookupError, match="s3:GetObject"):
        policy({"s3:GetObject"}, cluster)


def test_the_number_of_nodes_is_its_own(case: tuple[AetherConfig, Document]) -> None:
    config, document = case
    for kind in (
        "aws_appautoscaling_policy",
        "aws_appautoscaling_target",
        "aws_autoscaling_group",
        "aws_autoscaling_policy",
    ):
        assert not resources(document, kind)
    if aws(config).compute == "ec2":
        assert resources(document, "aws_launch_template")
    else:
        (elastic,) = [
            item for name, item in resources(document, "aws_ecs_service").items() if "elastic" in name
        ]
        assert elastic["lifecycle"]["ignore_changes"] == ["desired_count"]


def test_one_runs_at_a_time_in_private(case: tuple[AetherConfig, Document]) -> None:
    *_, document = case
    found = service(document)
    assert (found["desired_count"], found["deployment_maximum_percent"]) == (1, 100)
    assert found["deployment_minimum_healthy_percent"] == 0
    assert found["network_configuration"]["assign_public_ip"] is False
    (group,) = found["network_configuration"]["security_groups"]
    assert "manager_security-group" in group


def test_who_may_call_it_and_whom_it_may_call(case: tuple[AetherConfig, Document]) -> None:
    config, document = case
    settings = config.cloud.manager
    group = service(document)["network_configuration"]["security_groups"][0]
    let_in = [
        (rule["cidr_ipv4"], rule["from_port"], rule["to_port"])
        for rule in resources(document, "aws_vpc_security_group_ingress_rule").values()
        if rule["security_group_id"] == group
    ]
    assert let_in == [(cidr, settings.port, settings.port) for cidr in settings.allowed_cidrs]
    (into_nodes,) = [
        rule
        for rule in resources(document, "aws_vpc_security_group_ingress_rule").values()
        if rule.get("referenced_security_group_id") == group and "security_nodes" in rule["security_group_id"]
    ]
    assert into_nodes["from_port"] == into_nodes["to_port"] == config.cluster.ports.management
    out = [
        rule
        for rule in resources(document, "aws_vpc_security_group_egress_rule").values()
        if rule["security_group_id"] == group
    ]
    anywhere = [rule["from_port"] for rule in out if rule.get("cidr_ipv4") == "0.0.0.0/0"]
    assert anywhere == [443]


def test_its_journal_outlives_it(case: tuple[AetherConfig, Document]) -> None:
    config, document = case
    volumes = {volume["name"]: volume for volume in task(document)["volume"]}
    own = containers(task(document))["manager"]
    assert ("journal" in volumes) is config.cloud.manager.on_volume
    if config.cloud.manager.on_volume:
        efs = volumes["journal"]["efs_volume_configuration"]
        assert (efs["transit_encryption"], efs["authorization_config"]["iam"]) == ("ENABLED", "ENABLED")
        (file_system,) = resources(document, "aws_efs_file_system").values()
        assert file_system["encrypted"] is True
        assert variables(own)["AETHER_JOURNAL"].startswith("sqlite:")
        assert {"containerPath": "/data", "readOnly": False, "sourceVolume": "journal"} in own["mountPoints"]
    else:
        assert "AETHER_JOURNAL" in {one["name"] for one in own["secrets"]}


def test_what_it_is_told(case: tuple[AetherConfig, Document]) -> None:
    config, document = case
    settings = config.cloud.manager
    own = containers(task(document))["manager"]
    assert own["image"] == settings.image
    assert (own["user"], own["readonlyRootFilesystem"]) == ("1000", True)
    assert variables(own)["AETHER_PORT"] == str(settings.port)
    assert {one["name"]: one["valueFrom"] for one in own["secrets"]} == settings.secrets()
    (local,) = document["locals"].values()
    told = variables(own)["AETHER_RUNTIME"]
    assert told == f"${{jsonencode(local.{next(iter(document['locals']))})}}"
    runtime = document["output"]["runtime"]["value"]
    assert runtime == local | {"manager": runtime["manager"]}
    assert runtime["managed"] is True
    assert runtime["manager"]["address"] == f"manager.{config.cluster.name}.internal"


def test_only_its_own_secrets_are_read_for_it(case: tuple[AetherConfig, Document]) -> None:
    config, document = case
    arns = {
        resource
        for name, statement in statements(document)
        if name.startswith("manager_manager-execution_secrets")
        for resource in statement["resources"]
        if not resource.startswith("arn:aws:kms:")
    }
    assert arns == set(config.cloud.manager.secrets().values())


def test_the_health_check_needs_nothing_but_python(case: tuple[AetherConfig, Document]) -> None:
    *_, document = case
    command = containers(task(document))["manager"]["healthCheck"]["command"]
    assert command[:3] == ["CMD", "python", "-c"]
    compile(command[3], "health", "exec")
    assert parsed(task(document)["container_definitions"])


def test_every_service_that_it_calls_has_an_endpoint_without_nat(synthesized: Synthesize) -> None:
    text = """
        [cloud.manager]
        enabled = true
        image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/manager:1"
        api_keys = "arn:aws:secretsmanager:us-west-2:123456789012:secret:keys"
        [cloud.aws]
        nat = "none"
    """
    document = synthesized(text)
    services = {
        endpoint["service_name"].removeprefix("com.amazonaws.us-west-2.")
        for endpoint in resources(document, "aws_vpc_endpoint").values()
    }
    assert {"ecs", "elasticloadbalancing", "secretsmanager"} <= services
    callers = json.dumps(
        [
            rule["referenced_security_group_id"]
            for name, rule in resources(document, "aws_vpc_security_group_ingress_rule").items()
            if "endpoints" in name
        ]
    )
    assert "manager_security-group" in callers
