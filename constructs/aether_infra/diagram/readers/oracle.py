"""Oracle Cloud: network, ways out, security groups, and what stands beside the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import (
    INTERNET,
    INTERNET_GATEWAY,
    MACHINES,
    MANAGER,
    NEIGHBOURS,
    NODES,
    Gateway,
    Kind,
    Part,
    Subnet,
)
from aether_infra.diagram.model import SERVICES as BESIDE
from aether_infra.diagram.ports import Ports, ports
from aether_infra.diagram.readers import oracle_compute, oracle_traffic
from aether_infra.diagram.readers.sketch import APPLICATION, Rule, Sketch, listed, shortened

NAT: Final = "nat"
SERVICES: Final = "service-gateway"
GATEWAYS: Final[Mapping[str, tuple[str, str, bool]]] = {
    "oci_core_internet_gateway": (INTERNET_GATEWAY, "Internet gateway", True),
    "oci_core_nat_gateway": (NAT, "NAT gateway", True),
    "oci_core_service_gateway": (SERVICES, "Service gateway", False),
}
"""Key, name, and whether it leads to the internet, by type."""


def parts(sketch: Sketch) -> None:
    """Read what there is."""
    documents = sketch.documents
    sketch.cloud = "Oracle Cloud"
    sketch.region = Part(key="region", kind=Kind.REGION, name=f"Region {documents.output('region') or ''}")
    network = documents.first("oci_core_vcn", "data.oci_core_vcn")
    if network is not None:
        ranges = [documents.text(each) for each in network.get("cidr_blocks", default=[])]
        sketch.ranges += ranges
        sketch.network = Part(
            key="network",
            kind=Kind.NETWORK,
            name=f"VCN {network.get('display_name') or shortened_id(str(network.get('vcn_id', default='')))}".strip(),
            facts=tuple(ranges),
            sources=(network, *documents.of("oci_core_default_security_list")),
            existing=network.is_data,
        )
    for subnet in documents.of("oci_core_subnet", "data.oci_core_subnet"):
        hidden = subnet.get("prohibit_public_ip_on_vnic")
        sketch.subnets.append(
            Subnet(
                key=f"subnet/{subnet.name}",
                kind=Kind.SUBNET,
                name=f"Subnet {subnet.get('display_name') or shortened_id(str(subnet.get('subnet_id')))}",
                facts=(documents.text(subnet.get("cidr_block")),),
                sources=(subnet,),
                public=None if hidden is None else not hidden,
                zonal=False,
                existing=subnet.is_data,
            )
        )
    for kind, (key, name, outward) in GATEWAYS.items():
        for gateway in documents.of(kind):
            sketch.gateways.append(
                Gateway(
                    key=key,
                    kind=Kind.GATEWAY if outward else Kind.ENDPOINT,
                    name=name,
                    facts=() if outward else ("Oracle's own services",),
                    sources=(gateway,),
                    outward=outward,
                )
            )
    oracle_compute.read(sketch)
    oracle_traffic.balancers(sketch)
    _services(sketch)


def shortened_id(ocid: str) -> str:
    """The end of an id, which tells it from others."""
    return f"…{ocid[-10:]}" if ocid else ""


def rules(sketch: Sketch) -> None:
    """Read who may call whom."""
    for balancer in sketch.balancers:
        resources = [
            balancer.sources[0].get("metadata", "annotations", default={}),
            balancer.sources[0].get("network_security_group_ids"),
        ]
        for value in resources:
            for group in sketch.documents.mentions(_groups(value)):
                if group.type == "oci_core_network_security_group":
                    sketch.protect(f"${{{group.address}.id}}", balancer.key)
    for rule in sketch.documents.of("oci_core_network_security_group_security_rule"):
        _let(sketch, rule)
    _ways_out(sketch)


def _groups(value: object) -> object:
    """Of a service's annotations, the one that names firewall groups."""
    if isinstance(value, Mapping):
        return [each for label, each in value.items() if label.endswith("security-groups")]
    return value


def _ports(rule: Resource) -> Ports:
    span = (
        rule.get("tcp_options", "destination_port_range")
        or rule.get("udp_options", "destination_port_range")
        or {}
    )
    return ports(rule.get("protocol"), span.get("min"), span.get("max"))


def _let(sketch: Sketch, rule: Resource) -> None:
    allowed = _ports(rule)
    ours = sketch.protected(rule.get("network_security_group_id"))
    ingress = rule.get("direction") == "INGRESS"
    kind = str(rule.get("source_type" if ingress else "destination_type"))
    value = rule.get("source" if ingress else "destination")
    if kind == "NETWORK_SECURITY_GROUP":
        for own in ours:
            for other in sketch.protected(value):
                source, target = (other, own) if ingress else (own, other)
                sketch.let(source, target, allowed, rule)
        return
    cidr = sketch.documents.text(value)
    for own in _meant(sketch, ours, allowed) if ingress else ours:
        if kind == "SERVICE_CIDR_BLOCK":
            sketch.let(own, SERVICES, allowed, rule)
        elif (ingress and cidr in sketch.ranges) or (ingress and not cidr):
            sketch.let(NEIGHBOURS, own, allowed, rule, networks=filter(None, [cidr]))
        elif ingress:
            sketch.let(sketch.outsider(own, allowed), own, allowed, rule, networks=[cidr])
        elif not cidr:
            sketch.let(own, NEIGHBOURS, allowed, rule)
        else:
            sketch.let(own, sketch.outside([cidr]), allowed, rule, networks=[cidr])


def _meant(sketch: Sketch, keys: list[str], allowed: Ports) -> list[str]:
    """Of balancers that share a group, those that have the port; where none has it, those of the application."""
    having = [key for key in keys if any(each == key and allowed.holds(port) for each, port in sketch.fronts)]
    serving = [
        key
        for key in keys
        if APPLICATION in {role for (each, _), role in sketch.fronts.items() if each == key}
    ]
    return having or serving or keys


def _ways_out(sketch: Sketch) -> None:
    """Where traffic for the internet goes: through the NAT gateway, if there is one."""
    keys = {gateway.key for gateway in sketch.gateways}
    inside = {MACHINES, MANAGER, NODES}
    found = []
    for rule in sketch.rules:
        if rule.target == INTERNET and rule.source in inside and NAT in keys:
            found.append(_through(rule, NAT))
        elif (rule.target in {INTERNET, SERVICES} and rule.target not in keys and not _exists(sketch)) or (
            rule.target == SERVICES and SERVICES not in keys
        ):
            continue
        else:
            found.append(rule)
    sketch.rules = found
    for gateway in sketch.gateways:
        if gateway.key == NAT:
            sketch.let(NAT, INTERNET, None, *gateway.sources)
        if gateway.key == SERVICES:
            sketch.let(SERVICES, BESIDE, None, *gateway.sources)
        if gateway.key == INTERNET_GATEWAY and sketch.balancers:
            sketch.let(INTERNET_GATEWAY, INTERNET, None, *gateway.sources)


def _exists(sketch: Sketch) -> bool:
    return sketch.network is not None and sketch.network.existing


def _through(rule: Rule, way: str) -> Rule:
    return Rule(
        source=rule.source, target=way, ports=rule.ports, networks=rule.networks, origins=rule.origins
    )


def _services(sketch: Sketch) -> None:
    documents = sketch.documents
    for record in documents.of("oci_dns_rrset"):
        sketch.add(
            Kind.DNS,
            f"dns/{record.name}",
            documents.text(record.get("domain")),
            "to the load balancer",
            sources=[record, *documents.of("oci_dns_zone")],
        )
    for repository in documents.of("oci_artifacts_container_repository"):
        sketch.add(
            Kind.REGISTRY,
            "registry",
            f"Registry {repository.get('display_name')}",
            "immutable" if repository.get("is_immutable") else "",
            "private" if repository.get("is_public") is False else "",
            sources=[repository],
        )
    logs = documents.of("oci_logging_log")
    groups = documents.of("oci_logging_log_group")
    days = {str(each.get("retention_duration")) for each in logs}
    names = shortened(
        [str(each.get("display_name")) for each in logs], str(documents.output("cluster_name") or "")
    )
    sketch.add(
        Kind.LOGS,
        "logs",
        f"{len(logs)} logs" if len(logs) > 1 else "Logs",
        listed(names, 2),
        f"kept {days.pop()} days" if len(days) == 1 else "",
        sources=[*groups, *logs],
    )
