"""Oracle Cloud: the load balancer of virtual machines."""

from __future__ import annotations

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import Balancer, Kind, Place
from aether_infra.diagram.readers.sketch import APPLICATION, HEALTH, MANAGEMENT, Sketch


def balancers(sketch: Sketch) -> None:
    """Read load balancers with their listeners and sets of backends."""
    documents = sketch.documents
    for balancer in documents.of("oci_load_balancer_load_balancer"):
        key = f"balancer/{balancer.name}"
        own = [
            each
            for kind in (
                "oci_load_balancer_listener",
                "oci_load_balancer_backend_set",
                "oci_load_balancer_rule_set",
            )
            for each in documents.of(kind)
            if balancer in documents.mentions(each.get("load_balancer_id"))
        ]
        subnet = next(
            (found for each in balancer.get("subnet_ids", default=[]) if (found := sketch.subnet(each))), None
        )
        facts = ["inside of the network" if balancer.get("is_private") else "internet-facing"]
        for each in own:
            check = each.get("health_checker", default={})
            if check.get("url_path"):
                sketch.back(key, int(check["port"]), HEALTH)
                facts.append(f"healthy while GET {check['url_path']} answers on {check['port']}")
        sketch.balancers.append(
            Balancer(
                key=key,
                kind=Kind.BALANCER,
                name=f"Load balancer {balancer.get('display_name')}",
                facts=tuple(dict.fromkeys(facts)),
                sources=(balancer, *own, *documents.mentions(balancer.get("reserved_ips"))),
                place=Place.NETWORK,
                subnet=subnet.key if subnet else None,
                listeners=tuple(
                    _listener(sketch, key, each) for each in own if each.type == "oci_load_balancer_listener"
                ),
            )
        )


def _listener(sketch: Sketch, key: str, listener: Resource) -> str:
    port = int(listener.get("port"))
    secure = listener.get("ssl_configuration") is not None
    protocol = "HTTPS" if secure and listener.get("protocol") == "HTTP" else str(listener.get("protocol"))
    backends = sketch.documents.follow(listener.get("default_backend_set_name"))
    name = str(backends.get("name")) if backends else ""
    role = MANAGEMENT if name == MANAGEMENT else APPLICATION
    target = next((number for number, known in sketch.roles.items() if known == role), port)
    sketch.balance(key, port, target, role)
    for rules in sketch.documents.mentions(listener.get("rule_set_names")):
        redirect = rules.get("items", 0, "redirect_uri", default={})
        if redirect:
            return f"{protocol} {port} → redirect to {redirect.get('protocol')} {redirect.get('port')}"
    return f"{protocol} {port} → {role} {target}"
