"""Each construct alone, in a stack that is not ours, with literals and with tokens."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from terraform_json import Document, only, resources

Declared = Callable[[Callable[[Any], Any]], Document]


@pytest.fixture
def declared() -> Declared:
    """Declare constructs in a stack that is not ours, and return its Terraform JSON."""
    import aether_infra.gcp  # noqa: F401 - makes the bindings load lazily

    # isort: split
    from cdktf import App, TerraformStack, Testing
    from cdktf_cdktf_provider_google.provider import GoogleProvider

    def run(declare: Callable[[Any], Any]) -> Document:
        stack = TerraformStack(App(), "foreign")
        GoogleProvider(stack, "google", project="theirs", region="europe-west4")
        declare(stack)
        document: Document = json.loads(Testing.synth(stack))
        return document

    return run


def _variable(stack: Any, name: str) -> str:
    from cdktf import TerraformVariable

    value: str = TerraformVariable(stack, name, type="string").string_value
    return value


def test_network_alone_with_ranges_known_only_to_terraform(declared: Declared) -> None:
    from aether_infra.gcp.network import Network, NetworkProps

    def declare(stack: Any) -> None:
        network = Network(
            stack,
            "network",
            NetworkProps(
                name="mine",
                project="theirs",
                region=_variable(stack, "region"),
                cidr=_variable(stack, "cidr"),
            ),
        )
        network.network.mtu = 8896

    document = declared(declare)
    subnet = only(document, "google_compute_subnetwork")
    assert subnet["ip_cidr_range"] == "${var.cidr}"
    assert "secondary_ip_range" not in subnet
    assert only(document, "google_compute_network")["mtu"] == 8896, "L1 resources can be changed"


def test_two_networks_in_one_stack(declared: Declared) -> None:
    from aether_infra.gcp.network import Network, NetworkProps

    def declare(stack: Any) -> None:
        for name in ("blue", "green"):
            Network(stack, name, NetworkProps(name=name, project="theirs", region="europe-west4"))

    assert len(resources(declared(declare), "google_compute_network")) == 2


def test_existing_network_by_name(declared: Declared) -> None:
    from aether_infra.gcp.network import ExistingNetwork, ExistingNetworkProps

    props = ExistingNetworkProps(
        project="theirs", region="europe-west4", network="shared", subnetwork="nodes"
    )
    document = declared(lambda stack: ExistingNetwork(stack, "network", props))
    (network,) = document["data"]["google_compute_network"].values()
    (subnet,) = document["data"]["google_compute_subnetwork"].values()
    assert (network["project"], network["name"]) == ("theirs", "shared")
    assert (subnet["project"], subnet["name"], subnet["region"]) == ("theirs", "nodes", "europe-west4")


def test_rules_of_a_shared_network_are_in_its_own_project(synthesized: Callable[..., Document]) -> None:
    text = """
[cloud.gcp]
compute = "vm"
project = "my-project"
network = "projects/host-project/global/networks/shared"
subnetwork = "projects/host-project/regions/us-central1/subnetworks/nodes"
"""
    rules = resources(synthesized(text, "gcp"), "google_compute_firewall").values()
    assert {rule["project"] for rule in rules} == {"host-project"}


def test_registry_alone(declared: Declared) -> None:
    from aether_infra.gcp.registry import Registry, RegistryProps

    def declare(stack: Any) -> None:
        props = RegistryProps(
            project="theirs", region="europe-west4", repository="mine", keep_untagged_days=1
        )
        registry = Registry(stack, "registry", props)
        registry.grant_pull(stack, "pull", _variable(stack, "member"))
        assert registry.outputs.image_url == "europe-west4-docker.pkg.dev/theirs/mine/aether-node"
        assert registry.holds(f"{registry.outputs.image_url}:1")
        assert not registry.holds("europe-west4-docker.pkg.dev/theirs/mine-too/aether-node:1")

    document = declared(declare)
    repository = only(document, "google_artifact_registry_repository")
    assert repository["cleanup_policies"][0]["condition"]["older_than"] == "86400s"
    assert repository["docker_config"]["immutable_tags"] is True
    assert only(document, "google_artifact_registry_repository_iam_member")["member"] == "${var.member}"


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("europe-docker.pkg.dev/my-project/images/node@sha256:00", ("europe", "my-project", "images")),
        ("us-central1-docker.pkg.dev/example.com/proj/r/a/b:1", ("us-central1", "example.com:proj", "r")),
        ("ghcr.io/siy/aether-node:1", None),
        ("gcr.io/my-project/node", None),
    ],
)
def test_repository_of_an_image(image: str, found: tuple[str, str, str] | None) -> None:
    from aether_infra.gcp.registry import image_repository

    repository = image_repository(image)
    assert found == ((repository.location, repository.project, repository.repository) if repository else None)


def test_identity_with_an_account_that_exists(declared: Declared) -> None:
    from aether_infra.gcp.identity import Identity, IdentityProps

    def declare(stack: Any) -> None:
        props = IdentityProps(
            project="theirs",
            account_name="mine",
            description="Mine",
            roles=["roles/logging.logWriter"],
            existing_email="old@theirs.iam.gserviceaccount.com",
        )
        identity = Identity(stack, "identity", props)
        assert identity.member == "serviceAccount:old@theirs.iam.gserviceaccount.com"

    assert "resource" not in declared(declare)


def test_secret_access_names_each_secret_once(declared: Declared) -> None:
    from aether_infra.gcp.identity import SecretAccess

    def declare(stack: Any) -> None:
        secrets = {name: f"projects/p/secrets/one/versions/{name}" for name in ("1", "2")}
        SecretAccess(stack, "secrets", secrets=secrets, member="user:me@example.com")
        with pytest.raises(ValueError, match="not a version"):
            SecretAccess(stack, "wrong", secrets={"A": "hello"}, member="user:me@example.com")

    grant = only(declared(declare), "google_secret_manager_secret_iam_member")
    assert (grant["project"], grant["secret_id"]) == ("p", "one")


def test_tls_needs_a_name_or_a_certificate(declared: Declared) -> None:
    from aether_infra.gcp.tls import Tls, TlsProps

    def declare(stack: Any) -> None:
        old = Tls(stack, "old", TlsProps(name="mine", project="theirs", certificate="wildcard"))
        assert old.certificate_link == "projects/theirs/global/sslCertificates/wildcard"
        with pytest.raises(ValueError, match="domain"):
            Tls(stack, "none", TlsProps(name="mine", project="theirs"))
        for name in ("a", "b"):
            Tls(stack, name, TlsProps(name="mine", project="theirs", domain=f"{name}.example.com"))

    certificates = resources(declared(declare), "google_compute_managed_ssl_certificate").values()
    assert len({item["name"] for item in certificates}) == 2, "the new one comes before the old one goes"


def test_allow_list_alone(declared: Declared) -> None:
    from aether_infra.gcp.armor import AllowList, AllowListProps

    cidrs = [f"198.51.100.{number}/32" for number in range(21)]
    props = AllowListProps(name="mine", project="theirs", allowed_cidrs=cidrs)
    policy = only(
        declared(lambda stack: AllowList(stack, "allowed", props)), "google_compute_security_policy"
    )
    assert [len(rule["match"]["config"]["src_ip_ranges"]) for rule in policy["rule"]] == [10, 10, 1, 1]
    assert len({rule["priority"] for rule in policy["rule"]}) == 4


def test_logs_alone(declared: Declared) -> None:
    from aether_infra.gcp.logs import ClusterLogs, ClusterLogsProps

    props = ClusterLogsProps(
        name="mine", project="theirs", region="europe-west4", filter="severity>=ERROR", retention_days=7
    )
    document = declared(lambda stack: ClusterLogs(stack, "logs", props))
    assert only(document, "google_logging_project_sink")["destination"].startswith(
        "logging.googleapis.com/${"
    )


def test_firewall_alone(declared: Declared) -> None:
    from aether_infra.gcp.security import Firewall, FirewallProps

    def declare(stack: Any) -> None:
        props = FirewallProps(
            name="mine",
            project="theirs",
            network_id=_variable(stack, "network"),
            node_service_account=_variable(stack, "account"),
        )
        Firewall(stack, "firewall", props)

    rule = only(declared(declare), "google_compute_firewall")
    assert rule["target_service_accounts"] == ["${var.account}"]


def test_key_access_alone(declared: Declared) -> None:
    from aether_infra.gcp.encryption import KeyAccess, KeyAccessProps

    key = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"
    props = KeyAccessProps(project="theirs", kms_key=key, services=["compute", "container"])
    grants = resources(
        declared(lambda stack: KeyAccess(stack, "keys", props)), "google_kms_crypto_key_iam_member"
    )
    assert {grant["role"] for grant in grants.values()} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
    assert len(grants) == 2


@pytest.mark.parametrize(
    ("bounds", "zones", "locations", "initial"),
    [
        ((3, 10), "abc", 3, 1),
        ((5, 10), "abc", 3, 2),
        ((4, 4), "abc", 3, 1),
        ((1, 1), "abc", 1, 1),
        ((0, 7), "abc", 3, 0),
        ((3, 3), "abcf", 3, 1),
    ],
)
def test_node_pool_alone(
    declared: Declared, bounds: tuple[int, int], zones: str, locations: int, initial: int
) -> None:
    from aether_infra.gcp.node_pool import NodePool, NodePoolProps

    def declare(stack: Any) -> None:
        props = NodePoolProps(
            name="mine",
            project="theirs",
            cluster_id=_variable(stack, "cluster"),
            pool="jvm",
            machine_type="e2-standard-4",
            zones=[f"us-central1-{letter}" for letter in zones],
            minimum=bounds[0],
            maximum=bounds[1],
            service_account=_variable(stack, "account"),
        )
        NodePool(stack, "pool", props)

    pool = only(declared(declare), "google_container_node_pool")
    assert len(pool["node_locations"]) == locations
    assert pool["initial_node_count"] == initial
    assert pool["initial_node_count"] * locations <= bounds[1]
    assert pool["autoscaling"]["total_min_node_count"] == bounds[0]


def test_cluster_alone(declared: Declared) -> None:
    from aether_infra.gcp.gke import Cluster, ClusterProps, MaintenanceTime

    def declare(stack: Any) -> None:
        props = ClusterProps(
            name="mine",
            project="theirs",
            location="europe-west4",
            network_id=_variable(stack, "network"),
            subnetwork_id=_variable(stack, "subnet"),
            pod_range="pods",
            service_range="services",
            node_service_account=_variable(stack, "account"),
            maintenance=MaintenanceTime(begin="2024-01-07T02:00:00Z", end="2024-01-07T14:00:00Z", day="SU"),
            gateway_api=True,
        )
        Cluster(stack, "cluster", props).cluster.enable_tpu = False

    cluster = only(declared(declare), "google_container_cluster")
    assert cluster["gateway_api_config"] == {"channel": "CHANNEL_STANDARD"}
    assert cluster["enable_tpu"] is False


def test_machines_alone(declared: Declared) -> None:
    from aether_infra.gcp.compute_engine import VmCluster, VmClusterProps
    from aether_infra.gcp.load_balancer import ApplicationLoadBalancer, ApplicationLoadBalancerProps
    from aether_infra.gcp.management_load_balancer import (
        ManagementLoadBalancer,
        ManagementLoadBalancerProps,
    )

    def declare(stack: Any) -> None:
        cluster = VmCluster(
            stack,
            "nodes",
            VmClusterProps(
                name="mine",
                project="theirs",
                region="europe-west4",
                zones=[f"europe-west4-{letter}" for letter in "abc"],
                subnetwork_id=_variable(stack, "subnet"),
                service_account=_variable(stack, "account"),
                elastic_maximum=2,
                image=_variable(stack, "image"),
                java_opts="-Xmx@HEAP_MIB@m",
            ),
        )
        groups = cluster.instance_groups()
        assert list(groups) == ["node-1", "node-2", "node-3", "elastic"]
        ApplicationLoadBalancer(
            stack,
            "users",
            ApplicationLoadBalancerProps(
                name="mine", project="theirs", address=_variable(stack, "address"), instance_groups=groups
            ),
        )
        ManagementLoadBalancer(
            stack,
            "operators",
            ManagementLoadBalancerProps(
                name="mine",
                project="theirs",
                region="europe-west4",
                address=_variable(stack, "inner"),
                network_id=_variable(stack, "network"),
                subnetwork_id=_variable(stack, "inner_subnet"),
                instance_groups=groups,
            ),
        )

    document = declared(declare)
    assert len(resources(document, "google_compute_instance_group_manager")) == 3
    template = next(iter(resources(document, "google_compute_instance_template").values()))
    assert "${var.image}" in template["metadata"]["user-data"]
    (rule,) = resources(document, "google_compute_forwarding_rule").values()
    assert (rule["load_balancing_scheme"], rule["network"]) == ("INTERNAL", "${var.network}")
    assert len(only(document, "google_compute_backend_service")["backend"]) == 4


# --- the shell lines of a machine


def _run(tmp_path: Path, script: str, answers: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run shell lines where curl answers what it is told, by the end of the address."""
    cases = "".join(f"*{end}) printf '%s' '{answer}' ;;\n" for end, answer in answers.items())
    curl = tmp_path / "curl"
    curl.write_text(f"#!/bin/sh\nfor last; do :; done\ncase $last in\n{cases}*) exit 22 ;;\nesac\n")
    curl.chmod(0o755)
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "docker $*"\ncat\n')
    docker.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


WHOAMI = '{"access_token":"ya29.a-b_c","expires_in":3599,"token_type":"Bearer"}'


def _lines(image: str = "r", secrets: dict[str, str] | None = None) -> Any:
    from aether_infra.core.node import HealthProbe, NodePorts
    from aether_infra.gcp.machine import machine_node

    return machine_node(
        image=image,
        environment={},
        ports=NodePorts(),
        health=HealthProbe(),
        stop_timeout_seconds=90,
        secrets=secrets or {},
        data_disk=False,
    )


def test_a_machine_logs_in_to_google_only(tmp_path: Path) -> None:
    node = _lines("europe-docker.pkg.dev/my-project/images/node:1")
    done = _run(tmp_path, node.login, {"/token": WHOAMI})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "docker login --username oauth2accesstoken --password-stdin https://europe-docker.pkg.dev",
        "ya29.a-b_c",
    ]
    assert _run(tmp_path, node.login, {}).returncode != 0
    assert _lines("ghcr.io/siy/aether-node:1").login == ""


@pytest.mark.parametrize(
    ("data", "value"), [("cEBzc1xuIiQ=", 'p@ss\\n"$'), ("Pz8_Pz8_", "??????"), ("bGluZQo=", "line")]
)
def test_a_machine_reads_its_secrets(tmp_path: Path, data: str, value: str) -> None:
    node = _lines(secrets={"DB": "projects/p/secrets/db/versions/1"})
    answer = (
        f'{{\n  "name": "projects/1/secrets/db/versions/1",\n  "payload": {{\n    "data": "{data}"\n  }}\n}}'
    )
    done = _run(tmp_path, node.secrets, {"/token": WHOAMI, "/secrets/db/versions/1:access": answer})
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"DB={value}\n"


@pytest.mark.parametrize("data", ["b25lCnR3bw==", ""])
def test_a_secret_that_no_variable_holds_stops_the_node(tmp_path: Path, data: str) -> None:
    node = _lines(secrets={"DB": "projects/p/secrets/db/versions/1"})
    answers = {"/token": WHOAMI, ":access": f'{{"payload": {{"data": "{data}"}}}}'}
    assert _run(tmp_path, node.secrets, answers).returncode != 0
