"""Google Cloud: the load balancers of virtual machines."""

from __future__ import annotations

from collections.abc import Iterator

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import USERS, Balancer, Kind, Place
from aether_infra.diagram.ports import ports
from aether_infra.diagram.readers.sketch import ANYONE, APPLICATION, HEALTH, MANAGEMENT, Sketch

EVERYONE = "0.0.0.0/0"


def balancers(sketch: Sketch) -> None:
    """Read the application's global balancer and the passthrough one of the management port."""
    for service in sketch.documents.of("google_compute_backend_service"):
        _application(sketch, service)
    for rule in sketch.documents.of("google_compute_forwarding_rule"):
        _passthrough(sketch, rule)


def _application(sketch: Sketch, service: Resource) -> None:
    documents = sketch.documents
    key = f"balancer/{service.name}"
    policies = documents.mentions(service.get("security_policy"))
    allowed = [
        str(cidr)
        for policy in policies
        for rule in policy.get("rule", default=[])
        if rule.get("action") == "allow"
        for cidr in rule["match"]["config"]["src_ip_ranges"]
    ]
    back = next((number for number, name in sketch.roles.items() if name == service.get("port_name")), 0)
    fronts = documents.of("google_compute_global_forwarding_rule")
    lines, used = [], []
    for front in fronts:
        proxy = documents.follow(front.get("target"))
        url_map = documents.follow(proxy.get("url_map")) if proxy else None
        port = int(front.get("port_range"))
        used += [
            each for each in (front, proxy, url_map, *documents.mentions(front.get("ip_address"))) if each
        ]
        protocol = "HTTPS" if proxy and "https" in proxy.type else "HTTP"
        redirected = url_map is not None and url_map.get("default_url_redirect", "https_redirect") is True
        lines.append(
            f"{protocol} {port} → {'redirect to HTTPS 443' if redirected else f'{APPLICATION} {back}'}"
        )
        sketch.balance(key, port, back, APPLICATION)
        sketch.let(
            USERS,
            key,
            ports("tcp", port),
            front,
            networks=[each for each in allowed if each not in ANYONE] or [EVERYONE],
            role=APPLICATION,
        )
    checks = documents.mentions(service.get("health_checks"))
    sketch.balancers.append(
        Balancer(
            key=key,
            kind=Kind.BALANCER,
            name=f"Application load balancer {service.get('name')}",
            facts=(
                "internet-facing",
                *_checks(sketch, key, checks),
                "behind an allow list (Cloud Armor)" if policies else "",
            ),
            sources=(service, *dict.fromkeys(used), *checks, *policies),
            place=Place.GLOBAL,
            listeners=tuple(lines),
        )
    )


def _checks(sketch: Sketch, key: str, checks: list[Resource]) -> Iterator[str]:
    for check in checks:
        port, path = check.get("http_health_check", "port"), check.get("http_health_check", "request_path")
        if port and path:
            sketch.back(key, int(port), HEALTH)
            yield f"healthy while GET {path} answers on {port}"


def _passthrough(sketch: Sketch, rule: Resource) -> None:
    documents = sketch.documents
    service = documents.follow(rule.get("backend_service"))
    key = f"balancer/{rule.name}"
    checks = documents.mentions(service.get("health_checks")) if service else []
    lines = []
    for port in rule.get("ports", default=[]):
        role = sketch.roles.get(int(port), MANAGEMENT)
        sketch.balance(key, int(port), int(port), role)
        lines.append(f"{rule.get('ip_protocol')} {port} → {role} {port}")
    internal = rule.get("load_balancing_scheme") == "INTERNAL"
    sketch.balancers.append(
        Balancer(
            key=key,
            kind=Kind.BALANCER,
            name=f"Passthrough load balancer {rule.get('name')}",
            facts=("inside of the network" if internal else "internet-facing", *_checks(sketch, key, checks)),
            sources=(
                rule,
                *((service,) if service else ()),
                *documents.mentions(rule.get("ip_address")),
                *checks,
            ),
            place=Place.NETWORK if internal else Place.REGION,
            listeners=tuple(lines),
        )
    )
