"""Each construct alone, in a stack that is not ours, with literals and with tokens."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from terraform_json import Document, only, references, resources

from aether_infra.catalog import azure as catalog

Declared = Callable[[Callable[[Any], Any]], Document]
PLACE = {"name": "mine", "resource_group": "mine-rg", "location": "westeurope"}
GROUP = "/subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301/resourceGroups/net/providers"
SUBNET = f"{GROUP}/Microsoft.Network/virtualNetworks/hub/subnets/nodes"


def variable(stack: Any, name: str, kind: str = "string") -> Any:
    from cdktf import TerraformVariable

    return TerraformVariable(stack, name, type=kind)


def test_network_alone(declared_on_azure: Declared) -> None:
    from aether_infra.azure.network import Network, NetworkProps

    document = declared_on_azure(lambda stack: Network(stack, "network", NetworkProps(**PLACE)))
    assert only(document, "azurerm_subnet")["address_prefixes"] == ["10.0.0.0/18"]
    assert only(document, "azurerm_virtual_network")["address_space"] == ["10.0.0.0/16"]


def test_network_over_a_range_known_only_to_terraform(declared_on_azure: Declared) -> None:
    from aether_infra.azure.network import Network, NetworkProps

    def declare(stack: Any) -> None:
        Network(stack, "network", NetworkProps(**PLACE, cidr=variable(stack, "cidr").string_value))

    document = declared_on_azure(declare)
    assert only(document, "azurerm_subnet")["address_prefixes"] == ["${cidrsubnet(var.cidr, 2, 0)}"]


def test_two_networks_in_one_stack(declared_on_azure: Declared) -> None:
    from aether_infra.azure.network import Network, NetworkProps

    def declare(stack: Any) -> None:
        for name in ("blue", "green"):
            Network(stack, name, NetworkProps(**PLACE | {"name": name}))

    assert len(resources(declared_on_azure(declare), "azurerm_virtual_network")) == 2


@pytest.mark.parametrize("token", [False, True])
def test_existing_network_is_looked_up(declared_on_azure: Declared, *, token: bool) -> None:
    from cdktf import TerraformOutput

    from aether_infra.azure.network import ExistingNetwork, ExistingNetworkProps

    def declare(stack: Any) -> None:
        subnet_id = variable(stack, "subnet").string_value if token else SUBNET
        network = ExistingNetwork(stack, "network", ExistingNetworkProps(subnet_id=subnet_id))
        for name in ("network_id", "outbound_type", "subnet_cidr"):
            TerraformOutput(
                stack, f"output-{name}", value=getattr(network.outputs, name)
            ).override_logical_id(name)

    document = declared_on_azure(declare)
    assert "resource" not in document
    (subnet,) = document["data"]["azurerm_subnet"].values()
    outputs = {name: one["value"] for name, one in document["output"].items()}
    if token:
        assert subnet["name"] == '${element(split("/", var.subnet), 10)}'
        assert outputs["network_id"] == '${join("/", slice(split("/", var.subnet), 0, 9))}'
    else:
        assert (subnet["name"], subnet["virtual_network_name"], subnet["resource_group_name"]) == (
            "nodes",
            "hub",
            "net",
        )
        assert outputs["network_id"] == SUBNET.rpartition("/subnets")[0]
    assert "userDefinedRouting" in outputs["outbound_type"]
    assert outputs["subnet_cidr"].endswith(".address_prefixes[0]}")


def test_security_without_anything_published(declared_on_azure: Declared) -> None:
    from aether_infra.azure.security import Security, SecurityProps

    props = SecurityProps(**PLACE, peer_cidrs=["10.0.0.0/18"])
    document = declared_on_azure(lambda stack: Security(stack, "security", props))
    rules = resources(document, "azurerm_network_security_rule").values()
    assert {(rule["access"], rule.get("source_address_prefix")) for rule in rules} == {
        ("Allow", None),
        ("Allow", "AzureLoadBalancer"),
        ("Deny", "*"),
    }
    assert not resources(document, "azurerm_subnet_network_security_group_association")


def test_security_names_everyone_but_ourselves(declared_on_azure: Declared) -> None:
    from aether_infra.azure.security import Security, SecurityProps

    published = {
        "web": (80, ["0.0.0.0/0"]),
        "office": (443, ["203.0.113.0/24", "198.51.100.0/24"]),
        "ops": (8080, ["203.0.113.0/24", "203.0.113.7/32", "198.51.100.0/25", "198.51.100.128/25"]),
        "halves": (81, ["0.0.0.0/1", "128.0.0.0/1"]),
        "closed": (22, []),
    }
    props = SecurityProps(**PLACE, subnet_id=SUBNET, peer_cidrs=["10.0.0.0/18"], published=published)
    document = declared_on_azure(lambda stack: Security(stack, "security", props))
    rules = {one["name"]: one for one in resources(document, "azurerm_network_security_rule").values()}
    assert rules["allow-web"]["source_address_prefix"] == "Internet"
    assert rules["allow-office"]["source_address_prefixes"] == ["198.51.100.0/24", "203.0.113.0/24"]
    # Azure refuses networks that overlap
    assert rules["allow-ops"]["source_address_prefixes"] == ["198.51.100.0/24", "203.0.113.0/24"]
    assert rules["allow-halves"]["source_address_prefix"] == "Internet"
    assert "allow-closed" not in rules


def test_security_takes_networks_known_only_to_terraform(declared_on_azure: Declared) -> None:
    from aether_infra.azure.security import Security, SecurityProps

    def declare(stack: Any) -> None:
        office = variable(stack, "office").string_value
        published = {"web": (80, ["203.0.113.7/32", office, "203.0.113.0/24"])}
        Security(stack, "security", SecurityProps(**PLACE, peer_cidrs=["10.0.0.0/18"], published=published))

    rules = resources(declared_on_azure(declare), "azurerm_network_security_rule").values()
    (web,) = (rule for rule in rules if rule["name"] == "allow-web")
    assert web["source_address_prefixes"] == ["203.0.113.0/24", "${var.office}"]


@pytest.mark.parametrize(
    "secrets",
    [
        [("abc-d", "e"), ("abc", "d-e")],
        [("vault", "vault")],
        [("vault", "abc"), ("abc", "x")],
        [("grants", "grants"), ("grants", "vault")],
    ],
)
def test_no_names_of_vaults_and_secrets_collide(
    declared_on_azure: Declared, secrets: list[tuple[str, str]]
) -> None:
    from aether_infra.azure.identity import SecretAccess

    references = [f"https://{vault}.vault.azure.net/secrets/{secret}" for vault, secret in secrets]
    document = declared_on_azure(
        lambda stack: SecretAccess(stack, "secrets", principal_id="someone", references=references)
    )
    assert len(resources(document, "azurerm_role_assignment")) == len(secrets)
    assert len(document["data"]["azurerm_resources"]) == len({vault for vault, _ in secrets})


@pytest.mark.parametrize("sku", ["Basic", "Standard", "Premium"])
def test_registry_asks_of_each_tier_what_it_has(declared_on_azure: Declared, sku: Any) -> None:
    from aether_infra.azure.registry import Registry, RegistryProps

    place = {key: value for key, value in PLACE.items() if key != "name"}
    props = RegistryProps(registry="mineimages", sku=sku, **place)
    registry = only(
        declared_on_azure(lambda stack: Registry(stack, "registry", props)), "azurerm_container_registry"
    )
    premium = sku == "Premium"
    assert ("retention_policy_in_days" in registry) is premium
    assert ("zone_redundancy_enabled" in registry) is premium
    assert (registry["admin_enabled"], registry["anonymous_pull_enabled"]) == (False, False)


def test_registry_names_are_unique_and_short_enough() -> None:
    from aether_infra.azure.registry import registry_name

    names = {
        registry_name(cluster, subscription)
        for cluster in ("a", "a-b", "ab", "abcdefghij-klmnopqrs")
        for subscription in ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3302")
    }
    assert len(names) == 8
    assert all(name.isalnum() and 5 <= len(name) <= 50 for name in names)


def test_an_identity_and_its_rights(declared_on_azure: Declared) -> None:
    from aether_infra.azure.identity import Identity, IdentityProps

    def declare(stack: Any) -> None:
        identity = Identity(stack, "reader", IdentityProps(**PLACE, role="reader"))
        identity.grant("all", "Reader", variable(stack, "scope").string_value)
        identity.trust("pods", issuer="https://issuer.example.com/", subject="system:serviceaccount:a:b")

    document = declared_on_azure(declare)
    grant = only(document, "azurerm_role_assignment")
    assert (grant["scope"], grant["principal_type"]) == ("${var.scope}", "ServicePrincipal")
    assert references(grant["principal_id"]) == references(
        only(document, "azurerm_federated_identity_credential")["parent_id"]
    )


def test_load_balancer_alone(declared_on_azure: Declared) -> None:
    from aether_infra.azure.load_balancer import LoadBalancer, LoadBalancerProps

    props = LoadBalancerProps(**PLACE, address_id="${var.address}", rules={"web": (80, 8070)})
    document = declared_on_azure(lambda stack: LoadBalancer(stack, "balancer", props))
    rule = only(document, "azurerm_lb_rule")
    assert (rule["disable_outbound_snat"], rule["backend_port"]) == (True, 8070)


def machine_props(**others: Any) -> Any:
    from aether_infra.azure.machines import MachineProps

    network = f"{GROUP}/Microsoft.Network"
    return MachineProps(
        **PLACE,
        subnet_id=SUBNET,
        security_group_id=f"{network}/networkSecurityGroups/nodes",
        application_group_id=f"{network}/applicationSecurityGroups/nodes",
        identity_id=f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/node",
        admin_ssh_public_key=catalog.NOBODYS_SSH_KEY,
        **others,
    )


def machine_node(image: str = "ghcr.io/siy/aether-node:0.7.0") -> Any:
    from aether_infra.core.machine import MachineNode
    from aether_infra.core.node import HealthProbe, NodePorts

    return MachineNode(image=image, environment={"A": "b"}, ports=NodePorts(), health=HealthProbe())


def test_machines_alone_and_overridden(declared_on_azure: Declared) -> None:
    from aether_infra.azure.machines import CoreAddresses, CoreAddressesProps, CoreMachines, CoreMachinesProps

    def declare(stack: Any) -> None:
        addresses = CoreAddresses(stack, "addresses", CoreAddressesProps(machine=machine_props()))
        image = variable(stack, "image").string_value
        nodes = {node_id: machine_node(image) for node_id in addresses.hosts}
        props = CoreMachinesProps(machine=machine_props(), nodes=nodes, zones=["1", "2", "3"])
        machines = CoreMachines(stack, "core", props, addresses=addresses)
        machines.machines["node-2"].add_override("priority", "Regular")

    document = declared_on_azure(declare)
    machines = resources(document, "azurerm_linux_virtual_machine")
    assert [machine["zone"] for machine in machines.values()] == ["1", "2", "3"]
    assert [machine.get("priority") for machine in machines.values()] == [None, "Regular", None]
    assert all(
        "IMAGE='${var.image}'" in machine["custom_data"].replace("\\", "") for machine in machines.values()
    )
    assert not resources(document, "azurerm_virtual_machine_extension")
    assert not resources(document, "azurerm_network_interface_backend_address_pool_association")


@pytest.mark.parametrize(
    ("seconds", "period"), [(0, "PT1M"), (60, "PT1M"), (61, "PT2M"), (300, "PT5M"), (3600, "PT60M")]
)
def test_pauses_are_whole_minutes(declared_on_azure: Declared, seconds: int, period: str) -> None:
    from aether_infra.azure.machines import ElasticMachines, ElasticMachinesProps

    props = ElasticMachinesProps(
        machine=machine_props(), node=machine_node(), scale_out_cooldown_seconds=seconds
    )
    document = declared_on_azure(lambda stack: ElasticMachines(stack, "elastic", props, core={}))
    (profile,) = only(document, "azurerm_monitor_autoscale_setting")["profile"]
    assert profile["rule"][0]["scale_action"]["cooldown"] == period
    scale_set = only(document, "azurerm_linux_virtual_machine_scale_set")
    assert "zone_balance" not in scale_set
    assert "zones" not in scale_set


def test_aks_alone(declared_on_azure: Declared) -> None:
    from aether_infra.azure.aks import AksCluster, AksClusterProps, PoolProps
    from aether_infra.azure.identity import Identity, IdentityProps

    def declare(stack: Any) -> None:
        control_plane, kubelet = (
            Identity(stack, role, IdentityProps(**PLACE, role=role)) for role in ("control-plane", "kubelet")
        )
        props = AksClusterProps(
            **PLACE,
            subnet_id=variable(stack, "subnet").string_value,
            system=PoolProps(vm_size="Standard_D2s_v5", minimum=1, maximum=1),
            jvm=PoolProps(vm_size="Standard_D4s_v5", minimum=3, maximum=3),
            tenant_id=variable(stack, "tenant").string_value,
        )
        AksCluster(stack, "aks", props, control_plane=control_plane, kubelet=kubelet)

    document = declared_on_azure(declare)
    cluster = only(document, "azurerm_kubernetes_cluster")
    assert "oms_agent" not in cluster
    assert "key_vault_secrets_provider" not in cluster
    assert cluster["private_cluster_enabled"] is True
    assert cluster["default_node_pool"]["vnet_subnet_id"] == "${var.subnet}"


def test_expressions_keep_tokens_inside_of_quotes(declared_on_azure: Declared) -> None:
    from cdktf import TerraformOutput

    from aether_infra.cdk import text

    def declare(stack: Any) -> None:
        token = variable(stack, "word").string_value
        for name, made in {
            "json": text.json_text({"first": token, "text": f'say "{token}"\n', "deep": {"x": [token]}}),
            "base64": text.base64_text(f'{token} and "{token}"\n'),
            "both": text.base64_json_text([{"content": f"a\n{token}"}]),
        }.items():
            TerraformOutput(stack, f"output-{name}", value=made).override_logical_id(name)

    outputs = {name: one["value"] for name, one in declared_on_azure(declare)["output"].items()}
    assert outputs["base64"] == '${/*}*/base64encode("${var.word} and \\"${var.word}\\"\\n")}'
    assert outputs["json"].count("${var.word}") == outputs["json"].count("var.word") == 3
    assert outputs["both"] == '${/*}*/base64encode(jsonencode([{"content": "a\\n${var.word}"}]))}'


def test_nobody_has_the_key_of_nobody() -> None:
    """Its public half is a digest, and a point of the curve, which Azure may check."""
    encoded = base64.b64decode(catalog.NOBODYS_SSH_KEY.split()[1])
    half = encoded[-32:]
    assert half == hashlib.sha256(b"aether-infra: nobody holds this key (1)").digest()
    prime = 2**255 - 19
    y = int.from_bytes(half, "little") & (2**255 - 1)
    d = -121665 * pow(121666, -1, prime) % prime
    x_squared = (y * y - 1) * pow(d * y * y + 1, -1, prime) % prime
    assert pow(x_squared, (prime - 1) // 2, prime) == 1


def test_dns_tags_are_few_and_plain() -> None:
    from aether_infra.azure.dns import dns_tags

    tags = {f"key-{number:02}": "x" for number in range(30)} | {
        "aether-cluster": "a",
        "managed-by": "b",
        "two words": "x",
        "1st": "x",
    }
    kept = dns_tags(tags)
    assert len(kept) == 15
    assert {"aether-cluster", "managed-by"} <= set(kept)
    assert not {"two words", "1st"} & set(kept)


def test_json_of_the_health_extension_is_plain(declared_on_azure: Declared) -> None:
    from aether_infra.azure.machines import ElasticMachines, ElasticMachinesProps

    props = ElasticMachinesProps(machine=machine_props(), node=machine_node())
    document = declared_on_azure(lambda stack: ElasticMachines(stack, "elastic", props, core={}))
    (extension,) = only(document, "azurerm_linux_virtual_machine_scale_set")["extension"]
    assert json.loads(extension["settings"])["port"] == 8080
