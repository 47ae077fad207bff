"""EKS: the facts of a Kubernetes cluster on AWS that no update of a snapshot may lose."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_json import (
    Document,
    case,
    configs,
    every,
    only,
    parsed,
    references,
    resources,
    statements,
)

from aether_infra.config import AwsConfig, Provider, load
from aether_infra.core.kubernetes import APPLICATION_NODE_PORT, MANAGEMENT_NODE_PORT

Synthesize = Callable[..., Document]
ON_EKS = [config for config in configs("aws") if load(config).in_kubernetes(Provider.AWS)]
per_config = pytest.mark.parametrize("config", ON_EKS, ids=case)

EKS = '[cloud.aws]\ncompute = "eks"\n'
NETWORK_ADDONS = {"eks-pod-identity-agent", "kube-proxy", "vpc-cni"}


def settings(config: Path) -> AwsConfig:
    aws = load(config).section(Provider.AWS)
    assert isinstance(aws, AwsConfig)
    return aws


def inner(cidr: str) -> bool:
    """Whether a range is nobody's on the internet; Python's own `is_private` counts documentation's ranges in."""
    outer = map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
    return any(ipaddress.IPv4Network(cidr).subnet_of(range_) for range_ in outer)


def pools(document: Document) -> dict[str, dict[str, Any]]:
    """Node groups by their label."""
    return {
        group["labels"]["aether-pool"]: group for group in resources(document, "aws_eks_node_group").values()
    }


def templates(document: Document) -> dict[str, dict[str, Any]]:
    """Launch templates by pool."""
    found = resources(document, "aws_launch_template")
    return {
        pool: found[group["launch_template"]["id"].split(".")[1]] for pool, group in pools(document).items()
    }


def addons(document: Document) -> dict[str, dict[str, Any]]:
    """Add-ons by EKS' name of them."""
    return {addon["addon_name"]: addon for addon in resources(document, "aws_eks_addon").values()}


def rights(document: Document, concern: str) -> list[dict[str, Any]]:
    """Statements of a role's own policies, without who may assume it."""
    return [
        statement
        for name, statement in statements(document)
        if name.startswith(f"identity_{concern}_") and "sts:AssumeRole" not in statement["actions"]
    ]


def waits_for(document: Document, address: str) -> set[str]:
    """All that Terraform makes before a resource."""
    graph = {
        f"{kind}.{name}": references(arguments) | set(arguments.get("depends_on", []))
        for kind, name, arguments in every(document)
    }
    graph |= {
        f"data.{kind}.{name}": references(arguments)
        for kind, named in document.get("data", {}).items()
        for name, arguments in named.items()
    }
    found: set[str] = set()
    ahead = [address]
    while ahead:
        for before in graph.get(ahead.pop(), set()) - found:
            found.add(before)
            ahead.append(before)
    return found


# --- control plane


@per_config
def test_the_api_is_private_but_for_the_networks_named(config: Path, synthesized: Synthesize) -> None:
    document, aws = synthesized(config), settings(config)
    access = only(document, "aws_eks_cluster")["vpc_config"]
    assert access["endpoint_private_access"] is True
    assert access["endpoint_public_access"] is aws.endpoint_public
    public = set(access.get("public_access_cidrs", []))
    assert public == {cidr for cidr in aws.authorized_cidrs if not inner(cidr)}
    assert bool(public) is aws.endpoint_public
    let_in = {
        rule["cidr_ipv4"]
        for rule in resources(document, "aws_vpc_security_group_ingress_rule").values()
        if "cluster_security_group_id" in rule["security_group_id"] and "cidr_ipv4" in rule
    }
    assert let_in == set(aws.authorized_cidrs) - public


@per_config
def test_the_control_plane_lies_in_private_subnets(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    subnets = only(document, "aws_eks_cluster")["vpc_config"]["subnet_ids"]
    assert subnets == document["output"]["runtime"]["value"]["subnet_ids"]
    assert len(subnets) >= 2
    assert all("private" in subnet or subnet in settings(config).private_subnet_ids for subnet in subnets)
    for group in pools(document).values():
        assert group["subnet_ids"] == subnets


@per_config
def test_all_logs_go_to_a_group_that_is_there_first_and_forgets(
    config: Path, synthesized: Synthesize
) -> None:
    document = synthesized(config)
    cluster = only(document, "aws_eks_cluster")
    assert set(cluster["enabled_cluster_log_types"]) == {
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    }
    (first,) = [address for address in cluster["depends_on"] if "log_group" in address]
    group = resources(document, "aws_cloudwatch_log_group")[first.partition(".")[2]]
    assert group["name"] == f"/aws/eks/{cluster['name']}/cluster"
    days = {group["retention_in_days"] for group in resources(document, "aws_cloudwatch_log_group").values()}
    assert days == {load(config).cloud.log_retention_days}


@per_config
def test_kubernetes_secrets_are_encrypted(config: Path, synthesized: Synthesize) -> None:
    document, given = synthesized(config), settings(config).kms_key_arn
    encryption = only(document, "aws_eks_cluster")["encryption_config"]
    assert encryption["resources"] == ["secrets"]
    if given:
        assert encryption["provider"]["key_arn"] == given
        assert not resources(document, "aws_kms_key")
        return
    key = only(document, "aws_kms_key")
    assert "aws_kms_key" in encryption["provider"]["key_arn"]
    assert key["enable_key_rotation"] is True
    assert bool(key.get("lifecycle", {}).get("prevent_destroy")) is load(config).cloud.protect


@per_config
def test_one_flag_protects_the_cluster(config: Path, synthesized: Synthesize) -> None:
    cluster, protect = only(synthesized(config), "aws_eks_cluster"), load(config).cloud.protect
    assert cluster["deletion_protection"] is protect
    assert bool(cluster["lifecycle"].get("prevent_destroy")) is protect


@per_config
def test_access_is_by_entries_and_never_replaces_the_cluster(config: Path, synthesized: Synthesize) -> None:
    document, admins = synthesized(config), settings(config).admin_principals
    cluster = only(document, "aws_eks_cluster")
    assert cluster["access_config"]["authentication_mode"] == "API"
    assert cluster["access_config"]["bootstrap_cluster_creator_admin_permissions"] is not bool(admins)
    assert cluster["lifecycle"]["ignore_changes"] == [
        "access_config[0].bootstrap_cluster_creator_admin_permissions"
    ]
    entries = resources(document, "aws_eks_access_entry").values()
    assert {entry["principal_arn"] for entry in entries} == set(admins)
    policies = resources(document, "aws_eks_access_policy_association").values()
    assert {policy["principal_arn"] for policy in policies} == set(admins)
    assert all(policy["policy_arn"].endswith("/AmazonEKSClusterAdminPolicy") for policy in policies)


@per_config
def test_no_resource_of_kubernetes_is_in_the_infrastructure(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    assert set(document["provider"]) == {"aws"}
    assert all(kind.startswith("aws_") for kind in document["resource"])


# --- machines


@per_config
def test_machines_run_between_the_totals(config: Path, synthesized: Synthesize) -> None:
    document, counts, spot = synthesized(config), load(config).counts(Provider.AWS), settings(config).spot
    bounds = {
        pool: (group["scaling_config"]["min_size"], group["scaling_config"]["max_size"])
        for pool, group in pools(document).items()
    }
    system = bounds.pop("system")
    assert system == (2, 2), "small and fixed"
    if not spot:
        assert bounds == {"jvm": (counts.minimum, counts.maximum)}
        return
    assert bounds.pop("jvm") == (counts.core, counts.core)
    expected = {"spot": (counts.elastic_minimum, counts.elastic_maximum)} if counts.elastic_maximum else {}
    assert bounds == expected


@per_config
def test_a_deployment_leaves_the_number_of_machines_alone(config: Path, synthesized: Synthesize) -> None:
    for group in pools(synthesized(config)).values():
        assert group["lifecycle"]["ignore_changes"] == ["scaling_config[0].desired_size"]
        assert group["scaling_config"]["desired_size"] == group["scaling_config"]["min_size"]
        assert group["update_config"] == {"max_unavailable": 1}
        assert group["node_repair_config"] == {"enabled": True, "max_parallel_nodes_repaired_count": 1}


@per_config
def test_voters_never_run_on_spot(config: Path, synthesized: Synthesize) -> None:
    for pool, group in pools(synthesized(config)).items():
        spot = pool == "spot"
        assert group["capacity_type"] == ("SPOT" if spot else "ON_DEMAND")
        taint = [{"effect": "NO_SCHEDULE", "key": "aether-pool", "value": "spot"}]
        assert group.get("taint", []) == (taint if spot else [])


@per_config
def test_machines_are_hardened_and_bear_the_clusters_name(config: Path, synthesized: Synthesize) -> None:
    document, name = synthesized(config), load(config).cluster.name
    security_groups = document["output"]["runtime"]["value"]["security_group_ids"]
    for pool, template in templates(document).items():
        assert pools(document)[pool]["labels"] == {"aether-cluster": name, "aether-pool": pool}
        (interface,) = template["network_interfaces"]
        assert interface["associate_public_ip_address"] == "false"
        assert interface["security_groups"] == security_groups, "not the group that EKS makes, which is open"
        # EKS' own tags have slashes, which metadata cannot show
        assert template["metadata_options"] == {
            "http_endpoint": "enabled",
            "http_put_response_hop_limit": 1,
            "http_tokens": "required",
        }
        for disk in template["block_device_mappings"]:
            assert disk["ebs"]["encrypted"] == "true"
            assert disk["ebs"].get("kms_key_id") == settings(config).kms_key_arn
        for tags in template["tag_specifications"]:
            assert (tags["tags"]["aether-cluster"], tags["tags"]["aether-pool"]) == (name, pool)
    for group, pool in ((group, pool) for pool, group in pools(document).items()):
        tags = {
            tag["tag"]["key"]: tag["tag"]["value"]
            for address, tag in resources(document, "aws_autoscaling_group_tag").items()
            if address.startswith(f"machines_{pool}_")
        }
        assert tags["aether-cluster"] == name
        assert tags["k8s.io/cluster-autoscaler/node-template/label/aether-pool"] == pool
        assert ("k8s.io/cluster-autoscaler/node-template/taint/aether-pool" in tags) is ("taint" in group)


@per_config
def test_architecture_and_system_follow_the_configuration(config: Path, synthesized: Synthesize) -> None:
    document, aws = synthesized(config), settings(config)
    for pool, group in pools(document).items():
        instance_type = templates(document)[pool]["instance_type"]
        assert "instance_types" not in group, "a change of it would replace the group"
        if pool != "system":
            assert instance_type == aws.instance_type
        arm = instance_type.startswith(("m7g.", "t4g."))
        expected = {
            ("al2023", False): "AL2023_x86_64_STANDARD",
            ("al2023", True): "AL2023_ARM_64_STANDARD",
            ("bottlerocket", False): "BOTTLEROCKET_x86_64",
            ("bottlerocket", True): "BOTTLEROCKET_ARM_64",
        }
        assert group["ami_type"] == expected[aws.node_os, arm]
        devices = [disk["device_name"] for disk in templates(document)[pool]["block_device_mappings"]]
        assert devices == ["/dev/xvda"] + ["/dev/xvdb"] * (aws.node_os == "bottlerocket")


@pytest.mark.parametrize(
    "change",
    [
        'instance_type = "c7i.4xlarge"\n',
        'instance_type = "m7g.large"\n',
        'node_os = "bottlerocket"\n',
        "min_nodes = 5\nmax_nodes = 30\n",
        "spot = true\n",
        'kubernetes_version = "1.35"\n',
        'admin_principals = ["arn:aws:iam::123456789012:role/operators"]\n',
        'endpoint_public = true\nauthorized_cidrs = ["203.0.113.0/24", "10.200.0.0/16", "10.201.0.0/16"]\n',
    ],
)
def test_no_change_of_machines_or_access_replaces_the_cluster(synthesized: Synthesize, change: str) -> None:
    # what EKS or the provider can only replace a cluster for (6.25.0: ForceNew, or an encryption taken away)
    fixed = (
        "bootstrap_self_managed_addons",
        "encryption_config",
        "kubernetes_network_config",
        "name",
        "role_arn",
    )
    core = "[cluster]\nnodes = 3\n"
    before, after = (only(synthesized(core + EKS + text), "aws_eks_cluster") for text in ("", change))
    assert {key: before[key] for key in fixed} == {key: after[key] for key in fixed}
    assert before["vpc_config"]["subnet_ids"] == after["vpc_config"]["subnet_ids"]


def test_a_larger_machine_is_a_rolling_update(synthesized: Synthesize) -> None:
    before, after = (synthesized(f'{EKS}instance_type = "{size}"\n') for size in ("m6i.large", "m6i.2xlarge"))
    assert pools(before) == pools(after), "what changes is in the launch template"
    assert templates(before)["jvm"] != templates(after)["jvm"]
    assert templates(before)["system"] == templates(after)["system"]


def test_a_node_group_that_must_be_replaced_comes_up_before_the_old_one_goes(
    synthesized: Synthesize,
) -> None:
    for group in pools(synthesized(EKS)).values():
        assert group["lifecycle"]["create_before_destroy"] is True
        assert "node_group_name" not in group, "two cannot have one name"


# --- identities


@per_config
def test_machines_may_join_and_pull_and_nothing_else(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    attached = resources(document, "aws_iam_role_policy_attachment")
    of_machines = {
        policy["policy_arn"].rpartition("/")[2]
        for name, policy in attached.items()
        if name.startswith("identity_machines_")
    }
    assert of_machines == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}
    assert rights(document, "machines") == []
    for group in pools(document).values():
        assert "identity_machines" in group["node_role_arn"]
        assert {f"aws_iam_role_policy_attachment.{name}" for name in attached if "_machines_" in name} <= set(
            group["depends_on"]
        )


@per_config
def test_addons_have_identities_of_their_own(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    tied = {
        name: addon["pod_identity_association"][0]["service_account"]
        for name, addon in addons(document).items()
        if "pod_identity_association" in addon
    }
    expected = {"aws-ebs-csi-driver": "ebs-csi-controller-sa", "vpc-cni": "aws-node"}
    if settings(config).container_insights != "disabled":
        expected["amazon-cloudwatch-observability"] = "cloudwatch-agent"
    assert tied == expected
    roles = [
        addon["pod_identity_association"][0]["role_arn"]
        for addon in addons(document).values()
        if "pod_identity_association" in addon
    ]
    assert len(set(roles)) == len(roles)


@per_config
def test_the_nodes_service_account_may_read_its_secrets_and_nothing_else(
    config: Path, synthesized: Synthesize
) -> None:
    document, loaded = synthesized(config), load(config)
    associations = resources(document, "aws_eks_pod_identity_association").values()
    (node,) = [item for item in associations if item["service_account"] == "aether-node"]
    assert node["namespace"] == loaded.kubernetes.namespace
    allowed = {resource for statement in rights(document, "node") for resource in statement["resources"]}
    named = {":".join(arn.split(":")[:7]) for arn in loaded.cloud.secrets.values()}
    key = {settings(config).kms_key_arn} - {None} if named else set()
    assert allowed == named | key


@per_config
def test_only_pods_of_this_cluster_assume_pods_roles(config: Path, synthesized: Synthesize) -> None:
    document, found = synthesized(config), 0
    for name, statement in statements(document):
        services = [item for who in statement.get("principals", []) for item in who["identifiers"]]
        if services != ["pods.eks.amazonaws.com"]:
            continue
        found += 1
        assert set(statement["actions"]) == {"sts:AssumeRole", "sts:TagSession"}, name
        conditions = {item["variable"]: item["values"][0] for item in statement["condition"]}
        assert set(conditions) == {"aws:SourceAccount", "aws:SourceArn"}
        assert conditions["aws:SourceArn"].endswith(f":cluster/{load(config).cluster.name}")
    assert found >= 3


@per_config
def test_the_autoscaler_may_resize_groups_of_this_cluster_alone(
    config: Path, synthesized: Synthesize
) -> None:
    document, counts = synthesized(config), load(config).counts(Provider.AWS)
    grows = counts.minimum < counts.maximum
    associations = resources(document, "aws_eks_pod_identity_association").values()
    names = {(item["namespace"], item["service_account"]) for item in associations}
    assert (("kube-system", "cluster-autoscaler") in names) is grows
    assert bool(document["output"]["runtime"]["value"]["kubernetes"].get("autoscaler")) is grows
    changes = [
        statement
        for statement in rights(document, "autoscaler")
        if not all("Describe" in action or "Get" in action for action in statement["actions"])
    ]
    assert len(changes) == grows
    for statement in changes:
        assert all("autoScalingGroupName/eks-" in resource for resource in statement["resources"])
        (condition,) = statement["condition"]
        name = load(config).cluster.name
        assert condition["variable"] == f"aws:ResourceTag/k8s.io/cluster-autoscaler/{name}"


# --- add-ons


@per_config
def test_network_addons_come_before_machines_and_the_others_after(
    config: Path, synthesized: Synthesize
) -> None:
    document = synthesized(config)
    groups = {f"aws_eks_node_group.{name}" for name in resources(document, "aws_eks_node_group")}
    for address, addon in resources(document, "aws_eks_addon").items():
        before = waits_for(document, f"aws_eks_addon.{address}")
        if addon["addon_name"] in NETWORK_ADDONS:
            assert not groups & before
            assert all(f"aws_eks_addon.{address}" in waits_for(document, group) for group in groups)
        else:
            assert any("machines_system" in group for group in groups & before)


@per_config
def test_addons_are_those_that_the_workload_needs(config: Path, synthesized: Synthesize) -> None:
    document, loaded, aws = synthesized(config), load(config), settings(config)
    expected = NETWORK_ADDONS | {"aws-ebs-csi-driver", "coredns", "metrics-server"}
    expected |= {"aws-secrets-store-csi-driver-provider"} if loaded.cloud.secrets else set()
    if aws.container_insights != "disabled":
        expected.add("amazon-cloudwatch-observability")
    found = addons(document)
    assert set(found) == expected
    assert parsed(found["vpc-cni"]["configuration_values"]) == {"enableNetworkPolicy": "true"}
    for name in ("coredns", "metrics-server"):
        assert parsed(found[name]["configuration_values"]) == {"nodeSelector": {"aether-pool": "system"}}
    assert only(document, "aws_eks_cluster")["bootstrap_self_managed_addons"] is False
    for addon in found.values():
        assert addon["addon_version"].startswith("${data.aws_eks_addon_version.")
        assert addon["resolve_conflicts_on_create"] == "OVERWRITE"
    for data in document["data"]["aws_eks_addon_version"].values():
        assert "aws_eks_cluster" in data["kubernetes_version"], "add-ons follow the cluster's version"


def test_no_agent_of_ours_is_put_into_the_jvm(synthesized: Synthesize) -> None:
    addon = addons(synthesized(EKS))["amazon-cloudwatch-observability"]
    chosen = parsed(addon["configuration_values"])
    assert chosen["manager"]["applicationSignals"]["autoMonitor"]["monitorAllServices"] is False
    assert "application_signals" not in json.dumps(chosen)


# --- load balancer


@per_config
def test_the_load_balancer_sends_to_node_ports_of_the_nodes_machines(
    config: Path, synthesized: Synthesize
) -> None:
    document, loaded = synthesized(config), load(config)
    ports = {"application": APPLICATION_NODE_PORT, "management": MANAGEMENT_NODE_PORT}
    groups = resources(document, "aws_lb_target_group")
    for group in groups.values():
        assert group["target_type"] == "instance"
        assert group["port"] in ports.values()
        assert group["health_check"]["port"] == str(MANAGEMENT_NODE_PORT)
    attached = {
        (name.split("_")[1], item["lb_target_group_arn"].split(".")[1])
        for name, item in resources(document, "aws_autoscaling_attachment").items()
    }
    serving = set(pools(document)) - {"system"}
    assert attached == {(pool, group) for pool in serving for group in groups}
    into_nodes = {
        rule["from_port"]
        for name, rule in resources(document, "aws_vpc_security_group_ingress_rule").items()
        if "from-load-balancer" in name
    }
    published = loaded.app_http.enabled is not False
    expected = {MANAGEMENT_NODE_PORT} | ({APPLICATION_NODE_PORT} if published else set())
    assert into_nodes == (expected if groups else set())
    listened = {listener["port"] for listener in resources(document, "aws_lb_listener").values()}
    assert not listened & set(ports.values()), "users know nothing of node ports"


@per_config
def test_the_workload_learns_what_it_must(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    kubernetes = document["output"]["runtime"]["value"]["kubernetes"]
    assert set(kubernetes) >= {
        "cluster_name",
        "cluster_id",
        "endpoint",
        "ca_certificate",
        "identity",
        "load_balancer",
    }
    balancer = kubernetes["load_balancer"]
    assert balancer["application_node_port"] == APPLICATION_NODE_PORT
    assert balancer["management_node_port"] == MANAGEMENT_NODE_PORT
    zones = len(document["output"]["runtime"]["value"]["subnet_ids"])
    assert len(balancer["source_ranges"]) == (zones if resources(document, "aws_lb") else 0)
    assert all("public" in subnet for subnet in balancer["source_ranges"])
    assert set(kubernetes["node_groups"]) == set(pools(document))


# --- alarms and the rest


@per_config
def test_alarms_watch_voters_where_pods_are_measured(config: Path, synthesized: Synthesize) -> None:
    document, loaded = synthesized(config), load(config)
    core = loaded.counts(Provider.AWS).core
    alarms = {
        alarm["alarm_name"].removeprefix(f"{loaded.cluster.name}-"): alarm
        for alarm in resources(document, "aws_cloudwatch_metric_alarm").values()
    }
    measured = settings(config).container_insights != "disabled"
    assert ("quorum-lost" in alarms) is measured
    assert ("core-degraded" in alarms) is measured
    if measured:
        watched = [item["metric"] for item in alarms["quorum-lost"]["metric_query"] if "metric" in item]
        assert {metric["dimensions"]["FullPodName"] for metric in watched} == {
            f"aether-node-{ordinal}" for ordinal in range(core)
        }
        assert {metric["dimensions"]["Namespace"] for metric in watched} == {loaded.kubernetes.namespace}
        assert alarms["quorum-lost"]["threshold"] == core // 2 + 1
        assert alarms["core-degraded"]["threshold"] == core
    few = {name: alarm for name, alarm in alarms.items() if name.startswith("few-")}
    assert len(few) == len(resources(document, "aws_lb_target_group"))
    for alarm in few.values():
        assert (alarm["metric_name"], alarm["threshold"]) == ("HealthyHostCount", core)
    assert not any(name.startswith("unhealthy-") for name in alarms), "a spare machine is no alarm"


@per_config
def test_names_are_unique_and_within_limits(config: Path, synthesized: Synthesize) -> None:
    document = synthesized(config)
    limits = {
        ("aws_eks_cluster", "name"): 100,
        ("aws_eks_node_group", "node_group_name_prefix"): 37,
        ("aws_iam_role", "name"): 64,
        ("aws_launch_template", "name"): 125,
        ("aws_lb_target_group", "name"): 32,
        ("aws_security_group", "name"): 255,
    }
    for (kind, argument), limit in limits.items():
        names = [item[argument] for item in resources(document, kind).values()]
        assert len(set(names)) == len(names)
        assert all(len(name) <= limit for name in names), names
        assert all(name.startswith(load(config).cluster.name[:15]) for name in names)


def test_without_nat_there_are_endpoints_for_all_that_a_machine_needs(synthesized: Synthesize) -> None:
    text = EKS + 'nat = "none"\nmin_nodes = 3\nmax_nodes = 3\n'
    endpoints = resources(synthesized(text), "aws_vpc_endpoint").values()
    services = {endpoint["service_name"].removeprefix("com.amazonaws.us-west-2.") for endpoint in endpoints}
    assert services == {
        "autoscaling",
        "ec2",
        "ecr.api",
        "ecr.dkr",
        "eks",
        "eks-auth",
        "logs",
        "s3",
        "sts",
    }


def test_zonal_shift_where_aws_has_it(synthesized: Synthesize) -> None:
    region = '{}region = "{}"\n'
    assert only(synthesized(region.format(EKS, "us-east-2")), "aws_eks_cluster")["zonal_shift_config"]
    china = only(synthesized(region.format(EKS, "cn-north-1")), "aws_eks_cluster")
    assert "zonal_shift_config" not in china


# --- each construct alone


def test_a_control_plane_alone(declared: Callable[[Callable[[Any], Any]], Document]) -> None:
    from aether_infra.aws.eks import EksControlPlane, EksControlPlaneProps

    def declare(stack: Any) -> None:
        made = EksControlPlane(
            stack,
            "kubernetes",
            EksControlPlaneProps(
                name="mine",
                region="us-west-2",
                subnet_ids=["subnet-1", "subnet-2"],
                node_security_group_id="sg-1",
            ),
        )
        made.cluster.force_update_version = True

    document = declared(declare)
    cluster = only(document, "aws_eks_cluster")
    assert cluster["vpc_config"]["endpoint_public_access"] is False
    assert cluster["force_update_version"] is True
    assert "version" not in cluster


def test_machines_and_addons_alone(declared: Callable[[Callable[[Any], Any]], Document]) -> None:
    from aether_infra.aws.eks_addons import Addon, Addons, AddonsProps
    from aether_infra.aws.eks_machines import MachineGroup, MachineGroupProps

    def declare(stack: Any) -> None:
        MachineGroup(
            stack,
            "batch",
            MachineGroupProps(
                name="mine",
                pool="batch",
                cluster_name="theirs",
                role_arn="arn:aws:iam::123456789012:role/machines",
                subnet_ids=["subnet-1"],
                security_group_id="sg-1",
                instance_type="m7g.large",
                architecture="arm64",
                minimum=0,
                maximum=4,
                tainted=True,
            ),
        )
        addon = Addon(name="snapshot-controller", settings={"replicas": 1})
        Addons(
            stack,
            "add-ons",
            AddonsProps(cluster_name="theirs", kubernetes_version="1.34", addons=[addon]),
        )

    document = declared(declare)
    assert only(document, "aws_eks_node_group")["taint"][0]["value"] == "batch"
    assert only(document, "aws_eks_addon")["configuration_values"] == '{"replicas":1}'
