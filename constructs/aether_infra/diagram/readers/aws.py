"""AWS: region, VPC, subnets and the ways out of them."""

from __future__ import annotations

from collections.abc import Iterable

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import (
    INTERNET,
    INTERNET_GATEWAY,
    MANAGER,
    NODES,
    SERVICES,
    Gateway,
    Kind,
    Part,
    Subnet,
)
from aether_infra.diagram.readers import aws_compute, aws_services, aws_traffic
from aether_infra.diagram.readers.sketch import ANYONE, Sketch, listed

ENDPOINTS = "endpoints"
"""Key of all VPC endpoints together."""


def parts(sketch: Sketch) -> None:
    """Read what there is."""
    documents = sketch.documents
    sketch.cloud = "AWS"
    region = str(documents.provider("aws").get("region") or documents.output("region") or "")
    sketch.region = Part(key="region", kind=Kind.REGION, name=f"Region {region}")
    _network(sketch)
    _subnets(sketch)
    aws_compute.read(sketch)
    aws_traffic.balancers(sketch)
    _gateways(sketch)
    _endpoints(sketch)
    aws_services.data(sketch)
    aws_services.read(sketch)


def rules(sketch: Sketch) -> None:
    """Read who may call whom."""
    aws_traffic.rules(sketch)
    _ways_out(sketch)


def _network(sketch: Sketch) -> None:
    vpc = sketch.documents.first("aws_vpc", "data.aws_vpc")
    if vpc is None:
        return
    cidr = sketch.documents.text(vpc.get("cidr_block"))
    sketch.ranges += [cidr] if cidr else []
    name = str(vpc.get("tags", "Name", default="")) or sketch.documents.text(_existing_vpc(sketch))
    sketch.network = Part(
        key="network",
        kind=Kind.NETWORK,
        name=f"VPC {name}".strip(),
        facts=(cidr,) if cidr else (),
        sources=(vpc, *sketch.documents.of("aws_default_security_group")),
        existing=vpc.is_data,
    )


def _existing_vpc(sketch: Sketch) -> str:
    """Id of a VPC that exists: its data source may ask for more than the id alone."""
    subnet = sketch.documents.first("data.aws_subnet")
    return str(subnet.get("vpc_id", default="")) if subnet else ""


def _subnets(sketch: Sketch) -> None:
    public = _public(sketch)
    balanced = {
        resource.address if (resource := sketch.documents.follow(value)) else value
        for balancer in sketch.documents.of("aws_lb")
        for value in balancer.get("subnets", default=[])
        if balancer.get("internal") is False
    }
    for subnet in sketch.documents.of("aws_subnet"):
        is_public = subnet.address in public
        zone = sketch.documents.text(subnet.get("availability_zone_id") or subnet.get("availability_zone"))
        sketch.subnets.append(
            Subnet(
                key=f"subnet/{subnet.name}",
                kind=Kind.SUBNET,
                name="Public subnet" if is_public else "Private subnet",
                facts=(sketch.documents.text(subnet.get("cidr_block")),),
                sources=(subnet,),
                zone=zone or None,
                public=is_public,
            )
        )
    mine = [subnet for subnet in sketch.documents.of("data.aws_subnet") if _asked_for(sketch, subnet)]
    for subnet in mine:
        public_one = subnet.get("id") in balanced
        sketch.subnets.append(
            Subnet(
                key=f"subnet/{subnet.name}",
                kind=Kind.SUBNET,
                name="Public subnet" if public_one else "Private subnet",
                facts=(sketch.documents.text(subnet.get("id")),),
                sources=(subnet,),
                public=public_one,
                existing=True,
            )
        )


def _asked_for(sketch: Sketch, subnet: Resource) -> bool:
    """Whether a data source is a subnet that exists, and not the look-up of one that is declared here."""
    return sketch.documents.follow(subnet.get("id")) is None


def _public(sketch: Sketch) -> set[str]:
    """Addresses of subnets whose default route is an internet gateway."""
    tables = {
        table.address
        for route in sketch.documents.of("aws_route")
        if route.get("destination_cidr_block") in ANYONE and route.get("gateway_id")
        for table in sketch.documents.mentions(route.get("route_table_id"))
    }
    return {
        subnet.address
        for association in sketch.documents.of("aws_route_table_association")
        if any(
            table.address in tables for table in sketch.documents.mentions(association.get("route_table_id"))
        )
        for subnet in sketch.documents.mentions(association.get("subnet_id"))
    }


def _gateways(sketch: Sketch) -> None:
    gateway = sketch.documents.first("aws_internet_gateway")
    if gateway is not None:
        sketch.gateways.append(
            Gateway(key=INTERNET_GATEWAY, kind=Kind.GATEWAY, name="Internet gateway", sources=(gateway,))
        )
    for nat in sketch.documents.of("aws_nat_gateway"):
        addresses = sketch.documents.mentions(nat.get("allocation_id"))
        subnet = sketch.subnet(nat.get("subnet_id"))
        sketch.gateways.append(
            Gateway(
                key=f"nat/{nat.name}",
                kind=Kind.GATEWAY,
                name="NAT gateway",
                sources=(nat, *addresses),
                subnet=subnet.key if subnet else None,
            )
        )


def _endpoints(sketch: Sketch) -> None:
    endpoints = sketch.documents.of("aws_vpc_endpoint")
    if not endpoints:
        return
    names = [_service(sketch.documents.text(each.get("service_name"))) for each in endpoints]
    groups = [
        group for each in endpoints for group in sketch.protect(each.get("security_group_ids"), ENDPOINTS)
    ]
    sketch.gateways.append(
        Gateway(
            key=ENDPOINTS,
            kind=Kind.ENDPOINT,
            name="VPC endpoint" if len(endpoints) == 1 else "VPC endpoints",
            facts=(listed(names, 12),),
            sources=(*endpoints, *dict.fromkeys(groups)),
            outward=False,
        )
    )


def _service(name: str) -> str:
    """`com.amazonaws.us-west-2.ecr.api` without what every endpoint has."""
    return ".".join(name.split(".")[3:]) or name


def _ways_out(sketch: Sketch) -> None:
    """Where traffic for the internet goes: through NAT gateways, to endpoints, or however an existing VPC has it."""
    outward = [rule for rule in sketch.rules if rule.target == INTERNET]
    nats = [gateway for gateway in sketch.gateways if gateway.key.startswith("nat/")]
    endpoints = [gateway for gateway in sketch.gateways if gateway.key == ENDPOINTS]
    if not nats and sketch.network is not None and sketch.network.existing:
        return
    ways: Iterable[Gateway] = nats or endpoints
    sketch.rules = [rule for rule in sketch.rules if rule.target != INTERNET]
    for rule in outward:
        for way in ways:
            sketch.let(rule.source, way.key, rule.ports, *rule.origins, role="", networks=rule.networks)
    if nats and endpoints and not any(rule.target == ENDPOINTS for rule in sketch.rules):
        source = next((rule.source for rule in outward if rule.source != MANAGER), NODES)
        sketch.let(source, ENDPOINTS, None, *endpoints[0].sources)
    if endpoints and sketch.services:
        sketch.let(ENDPOINTS, SERVICES, None, *endpoints[0].sources)
    for nat in nats:
        target = (
            INTERNET_GATEWAY
            if any(gateway.key == INTERNET_GATEWAY for gateway in sketch.gateways)
            else INTERNET
        )
        sketch.let(nat.key, target, None, *_routes(sketch, nat))
    if any(gateway.key == INTERNET_GATEWAY for gateway in sketch.gateways) and (nats or sketch.balancers):
        sketch.let(INTERNET_GATEWAY, INTERNET, None, *_default_routes(sketch))


def _routes(sketch: Sketch, nat: Gateway) -> list[Resource]:
    """The routes that lead to a NAT gateway."""
    return [
        route
        for route in sketch.documents.of("aws_route")
        if nat.sources[0] in sketch.documents.mentions(route.get("nat_gateway_id"))
    ]


def _default_routes(sketch: Sketch) -> list[Resource]:
    return [route for route in sketch.documents.of("aws_route") if route.get("gateway_id")]
