"""Azure: the load balancer of virtual machines."""

from __future__ import annotations

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import Balancer, Kind, Place
from aether_infra.diagram.ports import ports
from aether_infra.diagram.readers.sketch import APPLICATION, HEALTH, Sketch


def balancers(sketch: Sketch) -> None:
    """Read load balancers with their rules and probes."""
    documents = sketch.documents
    for balancer in documents.of("azurerm_lb"):
        key = f"balancer/{balancer.name}"
        rules = [
            each
            for each in documents.of("azurerm_lb_rule")
            if balancer in documents.mentions(each.get("loadbalancer_id"))
        ]
        probes = [
            each
            for each in documents.of("azurerm_lb_probe")
            if balancer in documents.mentions(each.get("loadbalancer_id"))
        ]
        pools = [
            each
            for each in documents.of("azurerm_lb_backend_address_pool")
            if balancer in documents.mentions(each.get("loadbalancer_id"))
        ]
        addresses = documents.mentions(balancer.get("frontend_ip_configuration"))
        public = any(each.type == "azurerm_public_ip" for each in addresses)
        facts = ["internet-facing" if public else "inside of the network"]
        for probe in probes:
            sketch.back(key, int(probe.get("port")), HEALTH)
            facts.append(f"healthy while GET {probe.get('request_path')} answers on {probe.get('port')}")
        sketch.balancers.append(
            Balancer(
                key=key,
                kind=Kind.BALANCER,
                name=f"Load balancer {balancer.get('name')}",
                facts=tuple(facts),
                sources=(
                    balancer,
                    *rules,
                    *probes,
                    *pools,
                    *(each for each in addresses if each.type == "azurerm_public_ip"),
                ),
                place=Place.REGION if public else Place.NETWORK,
                listeners=tuple(_rule(sketch, key, each) for each in rules),
            )
        )


def _rule(sketch: Sketch, key: str, rule: Resource) -> str:
    front, back = int(rule.get("frontend_port")), int(rule.get("backend_port"))
    role = sketch.roles.get(back, APPLICATION)
    sketch.balance(key, front, back, role)
    return f"{str(rule.get('protocol')).upper()} {front} → {role} {back}"


def forward(sketch: Sketch, balancer: Balancer, inside: str) -> None:
    """A balancer of ours passes traffic on to the machines' port."""
    for rule in balancer.sources:
        if rule.type == "azurerm_lb_rule":
            sketch.let(balancer.key, inside, ports(rule.get("protocol"), rule.get("backend_port")), rule)
