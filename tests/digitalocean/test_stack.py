"""The whole DigitalOcean stack: its shape as a snapshot, and the facts that no update of a snapshot may lose."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
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
    every,
    only,
    readable,
    references,
    resources,
    without_manager,
)

from aether_infra.config import AetherConfig, DigitaloceanConfig, Provider, load

Synthesize = Callable[..., Document]
CONFIGS = configs("digitalocean")
per_config = pytest.mark.parametrize("config", CONFIGS, ids=case)

ANYWHERE = {"0.0.0.0/0", "::/0"}
LONGEST = "abcdefghijklmnopqrst"


def own(config: AetherConfig) -> DigitaloceanConfig:
    section = config.section(Provider.DIGITALOCEAN)
    assert isinstance(section, DigitaloceanConfig)
    return section


def of_kind(compute: str) -> list[Path]:
    return [path for path in CONFIGS if own(load(path, env={})).compute == compute]


per_doks = pytest.mark.parametrize("config", of_kind("doks"), ids=case)
per_vm = pytest.mark.parametrize("config", of_kind("vm"), ids=case)


def stack(synthesized: Synthesize, config: Path | str) -> Document:
    """The infrastructure stack, without the runtime manager's own: test_manager.py."""
    return without_manager(synthesized(config, "digitalocean"))


def written(user_data: str) -> dict[str, str]:
    """Files of a droplet by path, with the tokens that Terraform fills in."""
    header, _, body = user_data.partition("\n")
    assert header == "#cloud-config"
    return {item["path"]: item["content"] for item in json.loads(body)["write_files"]}


def all_user_data(document: Document) -> Iterator[str]:
    for droplet in resources(document, "digitalocean_droplet").values():
        yield droplet["user_data"]
    for pool in resources(document, "digitalocean_droplet_autoscale").values():
        yield pool["droplet_template"]["user_data"]


def test_there_are_configurations_of_both_kinds() -> None:
    assert len(of_kind("doks")) >= 3
    assert len(of_kind("vm")) >= 3


@per_config
def test_snapshot(config: Path, synthesized: Synthesize, snapshot_json: SnapshotAssertion) -> None:
    document = {key: value for key, value in synthesized(config, "digitalocean").items() if key != "//"}
    assert readable(unfolded(document)) == snapshot_json


def unfolded(value: Any) -> Any:
    """The same, with user data as the files that it holds."""
    if isinstance(value, dict):
        return {key: unfolded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unfolded(item) for item in value]
    if isinstance(value, str) and value.startswith("#cloud-config\n{"):
        return json.loads(value.partition("\n")[2])
    return value


@per_config
def test_every_resource_that_can_bears_the_cluster_tag(config: Path, synthesized: Synthesize) -> None:
    document = stack(synthesized, config)
    tag = f"aether-cluster:{document['output']['cluster_name']['value']}"
    # of these, tags are whom they are about
    about = {"digitalocean_firewall", "digitalocean_monitor_alert"}
    tagged = 0
    for kind, address, arguments in every(document):
        if "tags" in _arguments_of(kind) and kind not in about:
            assert tag in arguments.get("tags", []), f"{kind}.{address}"
            tagged += 1
    for cluster in resources(document, "digitalocean_kubernetes_cluster").values():
        assert tag in cluster["node_pool"]["tags"]
    for pool in resources(document, "digitalocean_droplet_autoscale").values():
        assert tag in pool["droplet_template"]["tags"]
    assert tagged >= 2


def _arguments_of(kind: str) -> set[str]:
    module = import_module(f"cdktf_cdktf_provider_digitalocean.{kind.removeprefix('digitalocean_')}")
    classes = [item for item in vars(module).values() if hasattr(item, "TF_RESOURCE_TYPE")]
    (resource,) = [item for item in classes if kind == item.TF_RESOURCE_TYPE]
    return set(signature(resource.__init__).parameters)


@per_config
def test_tags_are_of_the_provider_s_form(config: Path, synthesized: Synthesize) -> None:
    for kind, address, arguments in every(stack(synthesized, config)):
        for tag in arguments.get("tags", []):
            assert tag.startswith("${") or re.fullmatch(r"[a-zA-Z0-9:\-_]{1,255}", tag), f"{kind}.{address}"


@per_config
def test_outputs_are_those_of_the_design(config: Path, synthesized: Synthesize) -> None:
    outputs = stack(synthesized, config)["output"]
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
    assert {"subnet_ids", "security_group_ids", "image", "tags", "ports", "core_nodes", "dns"} <= set(runtime)
    assert ("kubernetes" in runtime) is (own(load(config, env={})).compute == "doks")


@per_config
def test_bytes_do_not_name_this_machine(config: Path, synthesized: Synthesize) -> None:
    text = json.dumps(stack(synthesized, config))
    assert str(Path.cwd()) not in text
    assert "/tmp/do" not in text  # noqa: S108


@per_vm
def test_references_in_user_data_stand_in_braces(config: Path, synthesized: Synthesize) -> None:
    """cdktf drops the braces of a token that stands inside of another expression, and of some functions."""
    for user_data in all_user_data(stack(synthesized, config)):
        bare = re.sub(r"\$\{[^}]*\}", "", user_data)
        assert "${" in user_data
        assert not re.search(
            r"\b(?:local|data|digitalocean_[a-z_]+)\.[\w-]+_[0-9A-F]{8}\b|base64encode\(", bare
        )


# --- protection


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("compute", ["doks", "vm"])
def test_protection_is_one_flag(synthesized: Synthesize, compute: str, protect: bool) -> None:  # noqa: FBT001
    text = f'[cloud]\nprotect = {str(protect).lower()}\n[cloud.digitalocean]\ncompute = "{compute}"\n'
    document = stack(synthesized, text)
    kinds = {
        "doks": {"digitalocean_kubernetes_cluster", "digitalocean_container_registry"},
        "vm": {"digitalocean_volume", "digitalocean_container_registry"},
    }[compute]
    guarded = {kind for kind, _, arguments in every(document) if _lifecycle(arguments, "prevent_destroy")}
    assert guarded == (kinds if protect else set())
    for cluster in resources(document, "digitalocean_kubernetes_cluster").values():
        assert cluster["destroy_all_associated_resources"] is not protect


def _lifecycle(arguments: dict[str, Any], key: str) -> Any:
    return arguments.get("lifecycle", {}).get(key)


def test_no_core_droplet_is_guarded_against_its_replacement(synthesized: Synthesize) -> None:
    document = stack(synthesized, '[cloud.digitalocean]\ncompute = "vm"\n')
    for droplet in resources(document, "digitalocean_droplet").values():
        assert not _lifecycle(droplet, "prevent_destroy")


# --- who may in


@per_config
def test_the_management_port_is_for_named_networks_only(config: Path, synthesized: Synthesize) -> None:
    document, loaded = stack(synthesized, config), load(config, env={})
    port = loaded.cluster.ports.management
    open_ = [
        balancer
        for balancer in resources(document, "digitalocean_loadbalancer").values()
        if any(rule["entry_port"] == port for rule in balancer["forwarding_rule"])
    ]
    sources = own(loaded).management_cidrs
    assert len(open_) == bool(sources)
    for balancer in open_:
        assert balancer["firewall"] == {"allow": [f"cidr:{source}" for source in sources]}


@pytest.mark.parametrize(
    ("cidrs", "firewall"),
    [
        (
            '["203.0.113.0/24", "198.51.100.0/24"]',
            {"allow": ["cidr:203.0.113.0/24", "cidr:198.51.100.0/24"]},
        ),
        ('["0.0.0.0/0"]', {"allow": ["cidr:0.0.0.0/0"]}),
        ("[]", {"deny": ["cidr:0.0.0.0/0"]}),
    ],
)
def test_who_may_call_the_application(
    synthesized: Synthesize, cidrs: str, firewall: dict[str, list[str]]
) -> None:
    text = f"[cloud.digitalocean]\nallowed_cidrs = {cidrs}\n"
    assert only(stack(synthesized, text), "digitalocean_loadbalancer")["firewall"] == firewall


@pytest.mark.parametrize("compute", ["doks", "vm"])
def test_nothing_is_published_that_is_off(synthesized: Synthesize, compute: str) -> None:
    text = (
        '[app-http]\nenabled = false\n[cloud]\ndomain = "a.example.com"\n'
        f'[cloud.digitalocean]\ncompute = "{compute}"\n'
    )
    document = stack(synthesized, text)
    for kind in ("loadbalancer", "certificate", "record"):
        assert not resources(document, f"digitalocean_{kind}")
    assert document["output"]["application_url"]["value"] == ""


@per_config
def test_health_is_asked_of_readiness_on_the_management_port(config: Path, synthesized: Synthesize) -> None:
    document, loaded = stack(synthesized, config), load(config, env={})
    vm = own(loaded).compute == "vm"
    for balancer in resources(document, "digitalocean_loadbalancer").values():
        check = balancer["healthcheck"]
        assert check["port"] == (loaded.cluster.ports.management if vm else 30080)
        assert check["path"] == loaded.cloud.health.readiness_path
        assert 3 <= check["response_timeout_seconds"] < check["check_interval_seconds"] <= 300


@pytest.mark.parametrize(
    ("extra", "scheme", "certificates", "records"),
    [
        ('domain = "aether.example.com"\n[cloud.digitalocean]\n', "https", 1, 1),
        ('domain = "aether.example.com"\n[cloud.digitalocean]\nmanage_dns = false\n', "http", 0, 0),
        ('domain = "a.example.com"\n[cloud.digitalocean]\ncertificate_name = "wildcard"\n', "https", 0, 1),
        ("[cloud.digitalocean]\n", "http", 0, 0),
    ],
)
def test_tls(synthesized: Synthesize, extra: str, scheme: str, certificates: int, records: int) -> None:
    document = stack(synthesized, f'[cloud]\nimage = "ghcr.io/siy/aether-node:1"\n{extra}')
    assert document["output"]["application_url"]["value"].startswith(f"{scheme}://")
    assert len(resources(document, "digitalocean_certificate")) == certificates
    assert len(resources(document, "digitalocean_record")) == records
    balancer = only(document, "digitalocean_loadbalancer")
    assert balancer["redirect_http_to_https"] is (scheme == "https")
    assert balancer["disable_lets_encrypt_dns_records"] is True
    assert {rule["entry_port"] for rule in balancer["forwarding_rule"]} == (
        {80, 443} if scheme == "https" else {80}
    )


@pytest.mark.parametrize(
    ("domain", "zone", "found", "name"),
    [
        ("aether.example.com", None, "example.com", "aether"),
        ("example.com", None, "example.com", "@"),
        ("a.b.example.com", "example.com", "example.com", "a.b"),
    ],
)
def test_the_record_is_in_its_zone(
    synthesized: Synthesize, domain: str, zone: str | None, found: str, name: str
) -> None:
    text = f'[cloud]\ndomain = "{domain}"\n[cloud.digitalocean]\n'
    document = stack(synthesized, text + (f'dns_zone = "{zone}"\n' if zone else ""))
    (data,) = document["data"]["digitalocean_domain"].values()
    assert data["name"] == found
    assert only(document, "digitalocean_record")["name"] == name


# --- DOKS


@per_doks
def test_the_api_answers_a_list_of_networks(config: Path, synthesized: Synthesize) -> None:
    cluster = only(stack(synthesized, config), "digitalocean_kubernetes_cluster")
    assert cluster["control_plane_firewall"] == {
        "enabled": True,
        "allowed_addresses": list(own(load(config, env={})).authorized_cidrs),
    }


@per_doks
def test_bounds_of_the_pool_are_totals(config: Path, synthesized: Synthesize) -> None:
    pool = only(stack(synthesized, config), "digitalocean_kubernetes_node_pool")
    counts = load(config, env={}).counts(Provider.DIGITALOCEAN)
    if counts.minimum == counts.maximum:
        assert pool["auto_scale"] is False
        assert pool["node_count"] == counts.minimum
        assert not {"min_nodes", "max_nodes"} & set(pool)
    else:
        assert (pool["auto_scale"], pool["min_nodes"], pool["max_nodes"]) == (
            True,
            counts.minimum,
            counts.maximum,
        )
        assert _lifecycle(pool, "ignore_changes") == ["node_count"]


@per_doks
def test_the_cluster_may_pull(config: Path, synthesized: Synthesize) -> None:
    assert only(stack(synthesized, config), "digitalocean_kubernetes_cluster")["registry_integration"] is True


@per_doks
def test_machines_have_their_labels(config: Path, synthesized: Synthesize) -> None:
    document = stack(synthesized, config)
    name = document["output"]["cluster_name"]["value"]
    pool = only(document, "digitalocean_kubernetes_node_pool")
    assert pool["labels"] == {"aether-cluster": name, "aether-pool": "jvm"}
    system = only(document, "digitalocean_kubernetes_cluster")["node_pool"]
    assert system["labels"] == {"aether-cluster": name, "aether-pool": "system"}
    assert "taint" not in system, "the cluster's own pods have no other place"


def test_another_size_makes_another_pool_and_leaves_the_cluster(synthesized: Synthesize) -> None:
    before, after = (
        stack(synthesized, f'[cloud.digitalocean]\ndroplet_size = "{size}"\n')
        for size in ("s-4vcpu-8gb", "g-8vcpu-32gb.x_1")
    )
    kinds = {kind for kind, _, _ in every(before)} - {"digitalocean_kubernetes_node_pool"}
    for kind in kinds:
        assert resources(before, kind) == resources(after, kind)
    first, second = (only(each, "digitalocean_kubernetes_node_pool") for each in (before, after))
    assert first["name"] != second["name"], "both are there for a while"
    assert _lifecycle(first, "create_before_destroy") is True
    assert second["name"] == "aether-jvm-g-8vcpu-32gb-x-1"


@pytest.mark.parametrize(
    ("keys", "version", "ignored"),
    [
        ("", "data", ["version"]),
        ('kubernetes_version = "1.34"', "data", ["version"]),
        ('kubernetes_version = "1.34"\nauto_upgrade = false', "data", None),
        ('kubernetes_version = "1.34.1-do.0"\nauto_upgrade = false', "1.34.1-do.0", None),
        ("auto_upgrade = false", "data", ["version"]),
    ],
)
def test_an_older_version_never_replaces_a_cluster(
    synthesized: Synthesize, keys: str, version: str, ignored: list[str] | None
) -> None:
    document = stack(synthesized, f"[cloud.digitalocean]\n{keys}\n")
    cluster = only(document, "digitalocean_kubernetes_cluster")
    assert _lifecycle(cluster, "ignore_changes") == ignored
    if version == "data":
        assert references(cluster["version"])
        (data,) = document["data"]["digitalocean_kubernetes_versions"].values()
        assert data.get("version_prefix") == ("1.34." if "kubernetes_version" in keys else None)
    else:
        assert cluster["version"] == version


@per_doks
def test_the_workload_finds_all_that_it_asks_for(config: Path, synthesized: Synthesize) -> None:
    kubernetes = stack(synthesized, config)["output"]["runtime"]["value"]["kubernetes"]
    text = json.dumps(synthesized(config, "digitalocean-workload"))
    asked = set(re.findall(r"outputs\.runtime\.kubernetes\.([a-z_.]+)", text))
    assert {"endpoint", "ca_certificate", "cluster_id", "load_balancer.source_range"} <= asked
    for path in asked:
        value = kubernetes
        for key in path.split("."):
            value = value[key]
        assert value


@per_doks
def test_node_ports_are_those_that_load_balancers_know(config: Path, synthesized: Synthesize) -> None:
    document, workload = stack(synthesized, config), synthesized(config, "digitalocean-workload")
    services = {
        service["spec"]["port"][0].get("node_port"): service
        for service in resources(workload, "kubernetes_service_v1").values()
    }
    targets = {
        rule["target_port"]
        for balancer in resources(document, "digitalocean_loadbalancer").values()
        for rule in balancer["forwarding_rule"]
    }
    checked = {
        balancer["healthcheck"]["port"]
        for balancer in resources(document, "digitalocean_loadbalancer").values()
    }
    assert targets | checked <= set(services)
    for port in filter(None, services):
        annotations = services[port]["metadata"]["annotations"]
        assert annotations["kubernetes.digitalocean.com/firewall-managed"] == "false", "or the world may in"
        assert services[port]["spec"]["external_traffic_policy"] == "Local"


@pytest.mark.parametrize(
    ("extra", "there"),
    [("", True), ("metrics_server = false\n", False), ("min_nodes = 3\nmax_nodes = 3\n", False)],
)
def test_the_autoscaler_has_metrics_to_go_by(synthesized: Synthesize, extra: str, there: bool) -> None:  # noqa: FBT001
    text = f'[cluster]\nname = "shop"\nnodes = 3\n[cloud.digitalocean]\n{extra}'
    workload = synthesized(text, "digitalocean-workload")
    assert bool(resources(workload, "kubernetes_api_service_v1")) is there
    if not there:
        return
    assert resources(workload, "kubernetes_horizontal_pod_autoscaler_v2")
    servers = resources(workload, "kubernetes_deployment_v1").values()
    (server,) = (one for one in servers if one["metadata"]["name"] == "metrics-server")
    (pool,) = resources(stack(synthesized, text), "digitalocean_kubernetes_cluster").values()
    (selector,) = (one["spec"]["template"]["spec"]["node_selector"] for one in [server])
    assert selector.items() <= pool["node_pool"]["labels"].items()
    assert selector == {"aether-pool": "system"}


@pytest.mark.parametrize(
    ("image", "secret"),
    [
        ("", True),
        ('image = "registry.digitalocean.com/acme/node:1"', True),
        ('image = "ghcr.io/siy/aether-node:1"', False),
    ],
)
@pytest.mark.parametrize("compute", ["doks", "vm"])
def test_images_of_the_own_registry_can_be_pulled(
    synthesized: Synthesize,
    compute: str,
    image: str,
    secret: bool,  # noqa: FBT001
) -> None:
    text = f'[cloud]\n{image}\n[cloud.digitalocean]\ncompute = "{compute}"\nregistry_name = "acme"\n'
    if compute == "vm":
        credentials = resources(
            stack(synthesized, text), "digitalocean_container_registry_docker_credentials"
        )
        assert bool(credentials) is secret
        return
    workload = json.dumps(synthesized(text, "digitalocean-workload"))
    assert ("runtime.kubernetes.pull_secret" in workload) is secret


@per_doks
def test_tokens_of_the_cluster_are_asked_for_when_needed(config: Path, synthesized: Synthesize) -> None:
    workload = synthesized(config, "digitalocean-workload")
    (provider,) = workload["provider"]["kubernetes"]
    assert provider["exec"][0]["command"] == "doctl"
    assert not {"token", "client_key", "password"} & set(provider)
    text = json.dumps(stack(synthesized, config)["output"])
    assert "kube_config[0].token" not in text
    assert "raw_config" not in text


# --- droplets


@per_vm
def test_core_droplets_outlive_a_change_of_image(config: Path, synthesized: Synthesize) -> None:
    document = stack(synthesized, config)
    droplets = resources(document, "digitalocean_droplet")
    assert len(droplets) == load(config, env={}).counts(Provider.DIGITALOCEAN).core
    for droplet in droplets.values():
        assert {"image", "user_data", "ssh_keys"} <= set(_lifecycle(droplet, "ignore_changes"))
        assert len(droplet["volume_ids"]) == 1
        assert droplet["monitoring"] is True
        assert droplet["ssh_keys"], "else a password comes by e-mail"


@per_vm
def test_droplets_are_told_of_those_before_them_only(config: Path, synthesized: Synthesize) -> None:
    droplets = resources(stack(synthesized, config), "digitalocean_droplet")
    order = sorted(droplets, key=lambda name: droplets[name]["name"])
    for index, name in enumerate(order):
        told = set(
            re.findall(r"digitalocean_droplet\.([\w-]+)\.ipv4_address_private", json.dumps(droplets[name]))
        )
        assert told == set(order[:index]), "two that name each other cannot be made"


@per_vm
def test_peers_are_names_that_the_droplets_have(config: Path, synthesized: Synthesize) -> None:
    document = stack(synthesized, config)
    names = sorted(droplet["name"] for droplet in resources(document, "digitalocean_droplet").values())
    for user_data in all_user_data(document):
        files = written(user_data)
        environment = dict(line.split("=", 1) for line in files["/etc/aether/environment"].splitlines())
        assert [peer.split(":")[1] for peer in environment["PEERS"].split(",")] == names
        assert environment["CLUSTER_PEERS"] == environment["PEERS"]
        peers = json.loads(files["/etc/aether/peers.json"])
        assert peers["names"] == names
        assert peers["name"] in {"", *names}
        assert bool(peers["name"]) == ("NODE_ID" in environment)
        assert "--volume /run/aether-hosts:/etc/hosts:ro" in files["/etc/aether/settings.sh"]


@per_vm
def test_the_firewall_lets_nobody_in_but_nodes_and_load_balancers(
    config: Path, synthesized: Synthesize
) -> None:
    document, loaded = stack(synthesized, config), load(config, env={})
    firewall = only(document, "digitalocean_firewall")
    (tag,) = firewall["tags"]
    ports = loaded.cluster.ports
    exchange = json.loads(written(next(all_user_data(document)))["/etc/aether/peers.json"])["port"]
    inner = {("tcp", ports.cluster), ("udp", ports.cluster), ("udp", ports.swim), ("tcp", exchange)}
    assert exchange not in {ports.management, ports.cluster, ports.swim, loaded.app_http.port}
    seen = set()
    for rule in firewall["inbound_rule"]:
        key = (rule["protocol"], int(rule["port_range"]))
        if "manager-tag" in json.dumps(rule.get("source_tags")):
            assert key == ("tcp", ports.management)
        elif "source_tags" in rule:
            assert rule["source_tags"] == [tag]
            seen.add(key)
        elif "source_addresses" in rule:
            assert key == ("tcp", 22)
            assert own(loaded).ssh_key_ids
            assert set(rule["source_addresses"]) <= set(own(loaded).management_cidrs) - ANYWHERE
        else:
            assert key[1] in {ports.management, loaded.app_http.port}
            assert all(".id}" in uid and "loadbalancer" in uid for uid in rule["source_load_balancer_uids"])
    assert seen == inner
    for droplet in resources(document, "digitalocean_droplet").values():
        assert tag in droplet["tags"]
    for pool in resources(document, "digitalocean_droplet_autoscale").values():
        assert tag in pool["droplet_template"]["tags"]


def test_ssh_is_never_for_everyone(synthesized: Synthesize) -> None:
    text = '[cloud.digitalocean]\ncompute = "vm"\nssh_key_ids = ["1"]\nmanagement_cidrs = ["0.0.0.0/0"]\n'
    firewall = only(stack(synthesized, text), "digitalocean_firewall")
    assert all("source_addresses" not in rule for rule in firewall["inbound_rule"])


@pytest.mark.parametrize(
    ("minimum", "maximum", "config"),
    [
        (3, 3, None),
        (3, 4, {"target_number_instances": 1}),
        (5, 5, {"target_number_instances": 2}),
        (3, 10, {"min_instances": 1, "max_instances": 7}),
        (5, 10, {"min_instances": 2, "max_instances": 7}),
    ],
)
def test_bounds_of_the_elastic_pool_follow_from_totals(
    synthesized: Synthesize, minimum: int, maximum: int, config: dict[str, int] | None
) -> None:
    text = f"[cluster]\nnodes = 3\n[cloud.digitalocean]\ncompute = 'vm'\nmin_nodes = {minimum}\nmax_nodes = {maximum}"
    pools = resources(stack(synthesized, text), "digitalocean_droplet_autoscale")
    assert len(pools) == (config is not None)
    for pool in pools.values():
        assert config is not None
        assert config.items() <= pool["config"].items()
        if "min_instances" in config:
            assert pool["config"]["target_cpu_utilization"] == 0.6
        else:
            assert pool["config"] == config
        assert pool["droplet_template"]["with_droplet_agent"] is True
        assert pool["droplet_template"]["ssh_keys"]


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 5), (301, 6), (3600, 20)])
def test_a_cooldown_is_one_that_pools_take(synthesized: Synthesize, seconds: int, minutes: int) -> None:
    text = (
        f"[cloud.scaling]\nscale_in_cooldown_seconds = {seconds}\nscale_out_cooldown_seconds = 0\n"
        '[cloud.digitalocean]\ncompute = "vm"\n'
    )
    pool = only(stack(synthesized, text), "digitalocean_droplet_autoscale")
    assert pool["config"]["cooldown_minutes"] == minutes


@per_vm
def test_credentials_are_there_only_for_an_own_image(config: Path, synthesized: Synthesize) -> None:
    document, loaded = stack(synthesized, config), load(config, env={})
    credentials = resources(document, "digitalocean_container_registry_docker_credentials")
    image = loaded.cloud.image
    assert len(credentials) == (image is None or image.startswith("registry.digitalocean.com/"))
    for one in credentials.values():
        assert one["write"] is False
        assert 0 < one["expiry_seconds"] <= 366 * 24 * 3600
    for user_data in all_user_data(document):
        files = written(user_data)
        assert ("/etc/aether/docker-config" in files) is bool(credentials)
        assert "169.254.169.254" in files["/etc/aether/host.sh"], "the node could read its user data"


@per_vm
def test_user_data_is_not_too_long(config: Path, synthesized: Synthesize) -> None:
    for user_data in all_user_data(stack(synthesized, config)):
        assert len(user_data) < 48 * 1024, "64 KiB, tokens included"


@pytest.mark.parametrize(
    ("image", "engine"), [("ubuntu-24-04-x64", "docker"), ("rockylinux-9-x64", "podman"), ("12345", "docker")]
)
def test_the_engine_follows_from_the_image(synthesized: Synthesize, image: str, engine: str) -> None:
    text = f'[cloud.digitalocean]\ncompute = "vm"\ndroplet_image = "{image}"\n'
    for user_data in all_user_data(stack(synthesized, text)):
        assert f"ENGINE={engine}\n" in written(user_data)["/etc/aether/settings.sh"]


# --- names and the rest


@pytest.mark.parametrize("compute", ["doks", "vm"])
def test_names_are_unique_and_short_enough(synthesized: Synthesize, compute: str) -> None:
    text = (
        f'[cluster]\nname = "{LONGEST}"\nnodes = 7\n[cloud]\ndomain = "aether.example.com"\n'
        f'[cloud.digitalocean]\ncompute = "{compute}"\nmanagement_cidrs = ["198.51.100.0/24"]\n'
        'droplet_size = "gd-8vcpu-32gb-intel-and-more-to-come"\nalert_emails = ["a@example.com"]\n'
    )
    document = stack(synthesized, text)
    kinds: dict[str, list[str]] = {}
    for kind, _, arguments in every(document):
        if isinstance(arguments.get("name"), str):
            kinds.setdefault(kind, []).append(arguments["name"])
    for cluster in resources(document, "digitalocean_kubernetes_cluster").values():
        kinds["digitalocean_kubernetes_node_pool"].append(cluster["node_pool"]["name"])
    assert len(kinds) >= 7
    for kind, names in kinds.items():
        assert len(names) == len(set(names)), kind
        for name in names:
            assert len(name) <= (50 if "pool" in kind else 63), name
            assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]|aether", name), name


@pytest.mark.parametrize(("cluster", "registry"), [("a", "a-aether"), ("shop", "shop")])
def test_the_registry_has_a_name_that_is_long_enough(
    synthesized: Synthesize, cluster: str, registry: str
) -> None:
    document = stack(synthesized, f'[cluster]\nname = "{cluster}"\n[cloud.digitalocean]\n')
    assert only(document, "digitalocean_container_registry")["name"] == registry


def test_an_existing_registry_is_not_ours(synthesized: Synthesize) -> None:
    text = '[cloud.digitalocean]\ncreate_registry = false\nregistry_name = "acme"\n'
    document = stack(synthesized, text)
    assert not resources(document, "digitalocean_container_registry")
    (data,) = document["data"]["digitalocean_container_registry"].values()
    assert data["name"] == "acme"
    assert document["output"]["registry_url"]["value"].endswith("/aether-node")


@per_config
def test_everything_is_in_the_project(config: Path, synthesized: Synthesize) -> None:
    document = stack(synthesized, config)
    members = set(only(document, "digitalocean_project_resources")["resources"])
    for kind in ("kubernetes_cluster", "droplet", "volume", "loadbalancer"):
        for name in resources(document, f"digitalocean_{kind}"):
            assert f"${{digitalocean_{kind}.{name}.urn}}" in members


@pytest.mark.parametrize("compute", ["doks", "vm"])
def test_alerts_only_where_somebody_listens(synthesized: Synthesize, compute: str) -> None:
    text = f'[cloud.digitalocean]\ncompute = "{compute}"\n'
    quiet = stack(synthesized, text)
    assert not resources(quiet, "digitalocean_monitor_alert")
    loud = stack(synthesized, text + 'alert_emails = ["oncall@example.com"]\n')
    alerts = resources(loud, "digitalocean_monitor_alert")
    assert len(alerts) == (1 if compute == "doks" else 4)
    assert {alert["alerts"]["email"][0] for alert in alerts.values()} == {"oncall@example.com"}
    assert only(loud, "digitalocean_uptime_alert")["check_id"]
    closed = stack(
        synthesized, text + 'alert_emails = ["a@example.com"]\nallowed_cidrs = ["203.0.113.0/24"]\n'
    )
    assert not resources(closed, "digitalocean_uptime_check"), "it could not get in"


@pytest.mark.parametrize("compute", ["doks", "vm"])
def test_addresses_are_not_read_as_templates(synthesized: Synthesize, compute: str) -> None:
    text = f'[cloud.digitalocean]\ncompute = "{compute}"\nalert_emails = ["a${{b}}%{{c@example.com"]\n'
    document = stack(synthesized, text)
    told = [one["alerts"]["email"] for one in resources(document, "digitalocean_monitor_alert").values()]
    told += [only(document, "digitalocean_uptime_alert")["notifications"][0]["email"]]
    assert len(told) > 1
    assert all(emails == ["a$${b}%%{c@example.com"] for emails in told)


def test_no_page_is_asked_for_under_a_name_that_no_certificate_has(synthesized: Synthesize) -> None:
    text = '[cloud.digitalocean]\ncertificate_name = "shop"\nalert_emails = ["a@example.com"]\n'
    assert not resources(stack(synthesized, text), "digitalocean_uptime_check")
    named = stack(synthesized, f'[cloud]\ndomain = "shop.example.com"\n{text}')
    assert only(named, "digitalocean_uptime_check")["target"] == "https://shop.example.com"
