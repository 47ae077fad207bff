"""Azure: network, ways out, firewall rules, and what stands beside the network."""

from __future__ import annotations

from typing import Final

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import (
    API,
    INTERNET,
    MACHINES,
    MANAGER,
    NODES,
    OPERATORS,
    Gateway,
    Kind,
    Part,
    Subnet,
)
from aether_infra.diagram.ports import Ports, ports, spans
from aether_infra.diagram.readers import azure_compute, azure_traffic
from aether_infra.diagram.readers.sketch import ANYONE, HEALTH, Sketch, listed

NAT: Final = "nat"
API_PORT: Final = 443
BALANCER_TAG: Final = "AzureLoadBalancer"
"""Where Azure's load balancers ask for health from."""


def parts(sketch: Sketch) -> None:
    """Read what there is."""
    documents = sketch.documents
    sketch.cloud = "Azure"
    groups = documents.of("azurerm_resource_group")
    sketch.region = Part(
        key="region",
        kind=Kind.REGION,
        name=f"Region {documents.output('region') or ''}",
        facts=tuple(f"resource group {each.get('name')}" for each in groups),
        sources=tuple(groups),
    )
    _network(sketch)
    azure_compute.read(sketch)
    azure_traffic.balancers(sketch)
    for nat in documents.of("azurerm_nat_gateway"):
        links = documents.of(
            "azurerm_nat_gateway_public_ip_association", "azurerm_subnet_nat_gateway_association"
        )
        addresses = [
            each
            for each in documents.mentions([link.arguments for link in links])
            if each.type == "azurerm_public_ip"
        ]
        sketch.gateways.append(
            Gateway(
                key=NAT,
                kind=Kind.GATEWAY,
                name="NAT gateway",
                facts=("one static address",) if addresses else (),
                sources=(nat, *links, *addresses),
            )
        )
    _services(sketch)


def _network(sketch: Sketch) -> None:
    documents = sketch.documents
    network = documents.first("azurerm_virtual_network")
    existing = documents.of("data.azurerm_subnet")
    if network is not None:
        ranges = [documents.text(each) for each in network.get("address_space", default=[])]
        sketch.ranges += ranges
        sketch.network = Part(
            key="network",
            kind=Kind.NETWORK,
            name=f"Virtual network {network.get('name')}",
            facts=tuple(ranges),
            sources=(network,),
        )
    elif existing:
        sketch.network = Part(
            key="network",
            kind=Kind.NETWORK,
            name=f"Virtual network {existing[0].get('virtual_network_name')}",
            existing=True,
        )
    for subnet in [*documents.of("azurerm_subnet"), *existing]:
        sketch.subnets.append(
            Subnet(
                key=f"subnet/{subnet.name}",
                kind=Kind.SUBNET,
                name=f"Subnet {subnet.get('name')}",
                facts=tuple(documents.text(each) for each in subnet.get("address_prefixes", default=[])),
                sources=(subnet,),
                public=False,
                zonal=False,
                existing=subnet.is_data,
            )
        )


def rules(sketch: Sketch) -> None:
    """Read who may call whom."""
    inside = MACHINES if sketch.cluster and sketch.cluster.pools else NODES
    for rule in sketch.documents.of("azurerm_network_security_rule"):
        if rule.get("access") == "Allow" and rule.get("direction") == "Inbound":
            for target in sketch.protected(rule.get("network_security_group_name")) or [inside]:
                _let(sketch, rule, target)
    for balancer in sketch.balancers:
        azure_traffic.forward(sketch, balancer, inside)
    for cluster in sketch.documents.of("azurerm_kubernetes_cluster"):
        ranges = [
            sketch.documents.text(each)
            for each in cluster.get("api_server_access_profile", "authorized_ip_ranges", default=[])
        ]
        if any(ranges):
            sketch.let(
                OPERATORS, API, ports("tcp", API_PORT), cluster, networks=filter(None, ranges), role=""
            )
        sketch.let(MACHINES, API, ports("tcp", API_PORT), cluster, role="")
    for gateway in sketch.gateways:
        if gateway.key == NAT:
            sketch.let(inside, NAT, None, *gateway.sources)
            sketch.let(NAT, INTERNET, None, *gateway.sources)


def _let(sketch: Sketch, rule: Resource, target: str) -> None:
    """One rule: among machines, from balancers that ask for health, or from callers."""
    allowed = spans(rule.get("protocol"), rule.get("destination_port_range"))
    for group in rule.get("source_application_security_group_ids", default=[]):
        for source in sketch.protected(group):
            sketch.let(source, target, allowed, rule)
    networks = _networks(rule)
    if networks == [BALANCER_TAG]:
        for key, port in sketch.backs:
            if allowed.holds(port) and HEALTH in sketch.backs[key, port]:
                sketch.let(key, target, ports("tcp", port), rule)
    elif networks and set(networks) <= {
        str(each) for each in rule.get("destination_address_prefixes", default=[])
    }:
        sketch.let(target, target, allowed, rule)
    elif networks and target == MANAGER:
        sketch.let(sketch.outsider(target, allowed), target, allowed, rule, networks=networks)
    elif networks:
        _through(sketch, rule, allowed, networks)


def _through(sketch: Sketch, rule: Resource, allowed: Ports, networks: list[str]) -> None:
    """Azure's balancers keep the caller's address: a rule for callers means them on their way through one."""
    for (key, front), role in sketch.fronts.items():
        backs = [port for other, port in sketch.backs if other == key and role in sketch.backs[other, port]]
        if any(allowed.holds(port) for port in (front, *backs[:1])):
            who, port = sketch.outsider(key, ports("tcp", front)), ports("tcp", front)
            sketch.let(who, key, port, rule, networks=networks, role=role)


def _networks(rule: Resource) -> list[str]:
    one = rule.get("source_address_prefix")
    found = [str(one)] if one else [str(each) for each in rule.get("source_address_prefixes", default=[])]
    return ["0.0.0.0/0" if each in ANYONE else each for each in found]


def _services(sketch: Sketch) -> None:
    documents = sketch.documents
    zones = documents.of("azurerm_dns_zone")
    for record in documents.of("azurerm_dns_a_record"):
        zone = documents.text(record.get("zone_name"))
        name = documents.text(record.get("name"))
        sketch.add(
            Kind.DNS,
            f"dns/{record.name}",
            zone if name == "@" else f"{name}.{zone}".strip("."),
            "follows the load balancer's address",
            sources=[record, *zones],
        )
    for registry in documents.of("azurerm_container_registry"):
        sketch.add(
            Kind.REGISTRY,
            "registry",
            f"Registry {registry.get('name')}",
            f"{registry.get('sku')}, no administrator's password"
            if registry.get("admin_enabled") is False
            else str(registry.get("sku")),
            "over all zones" if registry.get("zone_redundancy_enabled") else "",
            sources=[registry],
        )
    workspaces = documents.of("azurerm_log_analytics_workspace")
    kept = [f"kept {each.get('retention_in_days')} days" for each in workspaces]
    collected = documents.of(
        "azurerm_monitor_data_collection_rule",
        "azurerm_monitor_data_collection_rule_association",
        "azurerm_monitor_diagnostic_setting",
    )
    name = str(workspaces[0].get("name")) if workspaces else "an existing workspace"
    sketch.add(
        Kind.LOGS,
        "logs",
        "Log Analytics",
        name,
        listed(kept),
        sources=[*workspaces, *collected],
        existing=not workspaces,
    )
    locks = documents.of("azurerm_management_lock")
    sketch.add(
        Kind.KEY,
        "locks",
        f"{len(locks)} locks" if len(locks) > 1 else "Lock",
        "against deletion: " + listed(sorted({_locked(sketch, each) for each in locks})),
        sources=locks,
    )


def _locked(sketch: Sketch, lock: Resource) -> str:
    resource = sketch.documents.follow(lock.get("scope"))
    if resource is None:
        return "something"
    return (
        "registry"
        if "registry" in resource.type
        else "data disks"
        if "disk" in resource.type
        else resource.type
    )
