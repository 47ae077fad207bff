"""What is allowed and still doubtful."""

from __future__ import annotations

import pytest

from aether_infra.config import loads, warnings

QUIET = """
[cluster]
tls = true
[app-http]
enabled = true
[cloud]
image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/aether-node@sha256:%s"
domain = "aether.example.com"
[cloud.aws]
""" % ("0123456789abcdef" * 4)
EXISTING = """
vpc_id = "vpc-0123456789abcdef0"
public_subnet_ids = ["subnet-00000001", "subnet-00000002"]
private_subnet_ids = ["subnet-00000003"]
"""
GCP = '[app-http]\nenabled = true\n[cloud.gcp]\nproject = "my-project"\n'
ORACLE = '[cloud.oracle]\ncompartment_id = "ocid1.tenancy.oc1..a"\ntenancy_id = "ocid1.tenancy.oc1..a"\n'


def found(text: str) -> list[str]:
    return [str(problem) for problem in warnings(loads(text, env={}))]


def paths(text: str) -> list[str]:
    return [problem.path for problem in warnings(loads(text, env={}))]


def test_a_careful_configuration_has_none() -> None:
    assert found(QUIET) == []


@pytest.mark.parametrize(
    ("aws", "path", "words"),
    [
        ("availability_zones = 2", "cloud.aws.availability_zones", "one of 2 zones holds 2 of 3 core nodes"),
        ('nat = "single"', "cloud.aws.nat", "without that zone no node reaches anything outside"),
        ('management_cidrs = ["0.0.0.0/0"]', "cloud.aws.management_cidrs", "to the whole internet"),
        ("spot = true\nmax_nodes = 3", "cloud.aws.spot", "has no effect"),
        ('vpc_cidr = "8.8.0.0/16"', "cloud.aws.vpc_cidr", "is not a private range"),
        ('instance_type = "m7g.large"', "cloud.aws.instance_type", "has no effect"),
        ('compute = "ec2"\ncpu = 2048', "cloud.aws.cpu", "has no effect"),
        (
            'compute = "eks"\nendpoint_public = true\nauthorized_cidrs = ["0.0.0.0/0"]',
            "cloud.aws.authorized_cidrs",
            "opens the Kubernetes API to the whole internet",
        ),
        ('compute = "eks"', "cloud.aws.authorized_cidrs", "only the machines may reach the Kubernetes API"),
        ("manage_dns = false", "cloud.aws.certificate_arn", "users are served plain HTTP"),
        (
            'region = "us-east-1"\navailability_zones = ["use1-az3", "use1-az1", "use1-az2"]',
            "cloud.aws.availability_zones[0]",
            "is closed to newer accounts",
        ),
        (
            EXISTING,
            "cloud.aws.private_subnet_ids",
            "its only zone holds all 3 core nodes",
        ),
    ],
)
def test_doubts_on_aws(aws: str, path: str, words: str) -> None:
    (line,) = found(QUIET + aws)
    assert line.startswith(f"{path}: ")
    assert words in line


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("enabled = true", "", "app-http.enabled"),
        ("enabled = true", "enabled = true\nport = 80", "app-http.port"),
        ('domain = "aether.example.com"', "", "cloud.aws.certificate_arn"),
        ("@sha256:" + "0123456789abcdef" * 4, ":latest", "cloud.image"),
        ("@sha256:" + "0123456789abcdef" * 4, "", "cloud.image"),
        ("[cloud.aws]", "[cloud.health]\nstart_seconds = 20\n[cloud.aws]", "cloud.health.start_seconds"),
    ],
)
def test_doubts_everywhere(old: str, new: str, path: str) -> None:
    assert paths(QUIET.replace(old, new)) == [path]


def test_nothing_published_needs_no_certificate() -> None:
    assert paths("[app-http]\nenabled = false\n[cloud.aws]") == []


def test_management_in_plain_text() -> None:
    without = QUIET.replace("tls = true", "").replace('domain = "aether.example.com"', "")
    assert "cloud.aws.management_cidrs" in paths(without + 'management_cidrs = ["203.0.113.0/24"]')
    assert "cloud.aws.management_cidrs" not in paths(QUIET + 'management_cidrs = ["203.0.113.0/24"]')


def test_memory_said_twice() -> None:
    text = "[node.resources]\nmemory_limit = '8Gi'\n" + QUIET + "memory_mib = 4096"
    assert paths(text) == ["node.resources.memory_limit"]


def test_an_autoscaler_in_kubernetes_keeps_one_elastic_node() -> None:
    assert "cloud.gcp.min_nodes" in paths(GCP + "min_nodes = 3")
    assert "cloud.gcp.min_nodes" not in paths(GCP + "min_nodes = 4\n[cluster]\nnodes = 3")
    assert "cloud.gcp.min_nodes" not in paths(GCP + "min_nodes = 3\nmax_nodes = 3")
    assert "cloud.gcp.min_nodes" not in paths(GCP + 'compute = "vm"\nmin_nodes = 3')


def test_service_type_opens_nothing() -> None:
    text = '[kubernetes]\nservice_type = "LoadBalancer"\n'
    assert "kubernetes.service_type" in paths(text + GCP)
    assert "kubernetes.service_type" not in paths(text + GCP + 'compute = "vm"')


def test_other_clouds() -> None:
    assert paths(GCP) == ["cloud.gcp.certificate"]
    assert "cloud.gcp.zone" in paths(GCP + 'zone = "us-central1-a"')
    assert "cloud.oracle.availability_zones" in paths(ORACLE + 'region = "eu-zurich-1"')
    assert "cloud.digitalocean.region" in paths('[cloud.digitalocean]\nregion = "ric1"')
    assert "cloud.digitalocean.authorized_cidrs" in paths("[cloud.digitalocean]")
    azure = '[cloud.azure]\nsubscription_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"\n'
    assert "cloud.azure.location" in paths(azure + 'location = "westus"')


def test_secrets_of_one_cloud_only() -> None:
    text = QUIET.replace("[cloud]", '[cloud]\nprovider = "aws"') + "[cloud.digitalocean]\n"
    text += '[cloud.secrets]\nA = "arn:aws:ssm:us-west-2:123456789012:parameter/a"'
    assert "cloud.secrets" in paths(text)
