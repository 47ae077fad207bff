"""DigitalOcean: VPC, load balancers, firewall, and what stands beside the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aether_infra.diagram.document import Resource, blocks
from aether_infra.diagram.model import (
    API,
    MACHINES,
    MANAGER,
    NODES,
    OPERATORS,
    Balancer,
    Cluster,
    Kind,
    Node,
    Part,
    Place,
    Pool,
)
from aether_infra.diagram.ports import ports, spans
from aether_infra.diagram.readers.sketch import (
    APPLICATION,
    HEALTH,
    MANAGEMENT,
    Sketch,
    bounds,
    listed,
    node_id,
)

API_PORT: Final = 443


def parts(sketch: Sketch) -> None:
    """Read what there is."""
    documents = sketch.documents
    sketch.cloud = "DigitalOcean"
    projects = documents.of("digitalocean_project", "digitalocean_project_resources")
    names = [str(each.get("name")) for each in projects if each.get("name")]
    sketch.region = Part(
        key="region",
        kind=Kind.REGION,
        name=f"Region {documents.output('region') or ''}",
        facts=tuple(f"project {name}" for name in names),
        sources=tuple(projects),
    )
    network = documents.first("digitalocean_vpc", "data.digitalocean_vpc")
    if network is not None:
        cidr = documents.text(network.get("ip_range"))
        sketch.ranges += [cidr] if cidr else []
        sketch.network = Part(
            key="network",
            kind=Kind.NETWORK,
            name=f"VPC {network.get('name', default='')}".strip(),
            facts=(cidr,),
            sources=(network,),
            existing=network.is_data,
        )
    if documents.of("digitalocean_kubernetes_cluster"):
        sketch.compute = "DOKS"
        _doks(sketch)
    if documents.of("digitalocean_droplet"):
        sketch.compute = "droplets"
        _droplets(sketch)
    _balancers(sketch)
    _services(sketch)


def _doks(sketch: Sketch) -> None:
    cluster = sketch.documents.of("digitalocean_kubernetes_cluster")[0]
    pools = [_pool(cluster, cluster.get("node_pool", default={}))]
    pools += [
        _pool(each, each.arguments) for each in sketch.documents.of("digitalocean_kubernetes_node_pool")
    ]
    walled = cluster.get("control_plane_firewall", "enabled") is True
    ranges = (("pods", "cluster_subnet"), ("services", "service_subnet"))
    sketch.cluster = Cluster(
        key="cluster",
        kind=Kind.CLUSTER,
        name=f"DOKS cluster {cluster.get('name')}",
        facts=tuple(f"{word} {cluster.get(key)}" for word, key in ranges if cluster.get(key)),
        sources=(cluster,),
        api=Part(
            key=API,
            kind=Kind.API,
            name="Kubernetes API",
            facts=(
                "public address, allow list" if walled else "public address",
                "highly available" if cluster.get("ha") else "",
            ),
            sources=(cluster,),
        ),
        pools=tuple(pools),
    )


def _pool(resource: Resource, pool: object) -> Pool:
    arguments = dict(pool) if isinstance(pool, dict) else {}
    labels = {str(key): str(value) for key, value in (arguments.get("labels") or {}).items()}
    name = labels.get("aether-pool") or str(arguments.get("name"))
    scaled = arguments.get("auto_scale") is True
    keys = ("min_nodes", "max_nodes") if scaled else ("node_count", "node_count")
    return Pool(
        key=f"pool/{name}",
        kind=Kind.POOL,
        name=f"Pool {name}",
        facts=(
            bounds(arguments.get(keys[0]), arguments.get(keys[1]), "machines"),
            str(arguments.get("size", "")),
        ),
        sources=(resource,),
        labels=labels,
        system=name == "system",
    )


def _droplets(sketch: Sketch) -> None:
    documents = sketch.documents
    for droplet in documents.of("digitalocean_droplet"):
        volumes = documents.mentions(droplet.get("volume_ids"))
        key = NODES if sketch.is_core(droplet) else MANAGER
        tags = sketch.protect(droplet.get("tags"), key)
        if key == MANAGER:
            walls = [
                each
                for each in documents.of("digitalocean_firewall")
                if set(tags) & set(documents.mentions(each.get("tags")))
            ]
            sketch.manage((droplet, *volumes, *tags, *walls), str(droplet.get("size", default="")))
            continue
        name = node_id(droplet) or str(droplet.get("name"))
        sketch.nodes.append(
            Node(
                key=f"node/{name}",
                kind=Kind.NODE,
                name=name,
                facts=(
                    str(droplet.get("size", default="")),
                    *(f"volume {each.get('size')} GiB" for each in volumes),
                ),
                sources=(droplet, *volumes),
            )
        )
    for pool in documents.of("digitalocean_droplet_autoscale"):
        config = pool.get("config", default={})
        target = config.get("target_cpu_utilization")
        sketch.elastic = Part(
            key="elastic",
            kind=Kind.ELASTIC,
            name=bounds(config.get("min_instances"), config.get("max_instances"), "elastic nodes"),
            facts=(
                str(pool.get("droplet_template", "size", default="")),
                f"mean CPU {round(target * 100)} %" if target else "",
            ),
            sources=(pool,),
        )
    for firewall in documents.of("digitalocean_firewall"):
        tags = [
            tag
            for tag in documents.mentions(firewall.get("tags"))
            if NODES in sketch.firewall.get(tag.address, [])
        ]
        if tags:
            sketch.group = Part(
                key=NODES,
                kind=Kind.FIREWALL,
                name=f"Firewall {firewall.get('name')}",
                sources=(firewall, *tags),
            )


def _balancers(sketch: Sketch) -> None:
    documents = sketch.documents
    for balancer in documents.of("digitalocean_loadbalancer"):
        key = f"balancer/{balancer.name}"
        sketch.firewall[balancer.address] = [key]
        check = balancer.get("healthcheck", default={})
        lines = []
        for rule in blocks(balancer.get("forwarding_rule")):
            front, back = int(rule["entry_port"]), int(rule["target_port"])
            protocol = str(rule["entry_protocol"]).upper()
            role = MANAGEMENT if sketch.roles.get(back) == MANAGEMENT else APPLICATION
            sketch.balance(key, front, back, role)
            redirected = protocol == "HTTP" and balancer.get("redirect_http_to_https") is True
            lines.append(
                f"{protocol} {front} → {'redirect to HTTPS 443' if redirected else f'{role} {back}'}"
            )
        if check.get("port"):
            sketch.back(key, int(check["port"]), HEALTH)
        sketch.balancers.append(
            Balancer(
                key=key,
                kind=Kind.BALANCER,
                name=f"Load balancer {balancer.get('name')}",
                facts=(
                    "internet-facing" if balancer.get("network") == "EXTERNAL" else "inside of the network",
                    f"healthy while GET {check['path']} answers on {check.get('port')}"
                    if check.get("path")
                    else "",
                ),
                sources=(balancer,),
                place=Place.NETWORK,
                listeners=tuple(lines),
            )
        )


def rules(sketch: Sketch) -> None:
    """Read who may call whom."""
    inside = MACHINES if sketch.cluster and sketch.cluster.pools else NODES
    walls = sketch.documents.of("digitalocean_firewall")
    for balancer in sketch.balancers:
        resource = balancer.sources[0]
        for (key, front), role in sketch.fronts.items():
            if key == balancer.key:
                allowed = [
                    str(each).removeprefix("cidr:") for each in resource.get("firewall", "allow", default=[])
                ]
                who = sketch.outsider(key, ports("tcp", front))
                sketch.let(
                    who, key, ports("tcp", front), resource, networks=allowed or ["0.0.0.0/0"], role=role
                )
        for key, port in sketch.backs if not walls else ():
            if key == balancer.key:
                sketch.let(key, inside, ports("tcp", port), resource)
    for wall in walls:
        keys = [key for tag in wall.get("tags", default=[]) for key in sketch.protected(tag)]
        for key in dict.fromkeys(keys or [inside]):
            _firewall(sketch, wall, key)
    for cluster in sketch.documents.of("digitalocean_kubernetes_cluster"):
        allowed = [
            str(each) for each in cluster.get("control_plane_firewall", "allowed_addresses", default=[])
        ]
        if allowed:
            sketch.let(OPERATORS, API, ports("tcp", API_PORT), cluster, networks=allowed, role="")
        sketch.let(MACHINES, API, ports("tcp", API_PORT), cluster, role="")


def _firewall(sketch: Sketch, wall: Resource, inside: str) -> None:
    for rule in blocks(wall.get("inbound_rule")):
        allowed = spans(rule.get("protocol"), rule.get("port_range"))
        for tag in rule.get("source_tags") or []:
            for source in sketch.protected(tag):
                sketch.let(source, inside, allowed, wall)
        for resource in sketch.documents.mentions(rule.get("source_load_balancer_uids")):
            for key in sketch.firewall.get(resource.address, []):
                sketch.let(key, inside, allowed, wall)
        networks = [str(each) for each in rule.get("source_addresses") or []]
        if networks:
            role = "SSH" if allowed.low == allowed.high == 22 else None  # noqa: PLR2004 - SSH's own port
            sketch.let(sketch.outsider(inside, allowed), inside, allowed, wall, networks=networks, role=role)
    for rule in blocks(wall.get("outbound_rule")):
        networks = [str(each) for each in rule.get("destination_addresses") or []]
        sketch.let(
            inside,
            sketch.outside(networks),
            spans(rule.get("protocol"), rule.get("port_range")),
            wall,
            networks=networks,
        )


def _services(sketch: Sketch) -> None:
    documents = sketch.documents
    for record in documents.of("digitalocean_record"):
        domain = documents.text(record.get("domain"))
        name = documents.text(record.get("name"))
        sketch.add(
            Kind.DNS,
            f"dns/{record.name}",
            domain if name == "@" else f"{name}.{domain}".strip("."),
            "to the load balancer",
            sources=[record],
        )
    for certificate in documents.of("digitalocean_certificate"):
        sketch.add(
            Kind.CERTIFICATE,
            "certificate",
            "Certificate (Let's Encrypt)" if certificate.get("type") == "lets_encrypt" else "Certificate",
            *(str(each) for each in certificate.get("domains", default=[])),
            sources=[certificate],
        )
    for registry in documents.of("digitalocean_container_registry", "data.digitalocean_container_registry"):
        sketch.add(
            Kind.REGISTRY,
            "registry",
            f"Registry {registry.get('name')}",
            f"tier {registry.get('subscription_tier_slug')}"
            if registry.get("subscription_tier_slug")
            else "",
            sources=[registry],
            existing=registry.is_data,
        )
    alerts = documents.of(
        "digitalocean_monitor_alert", "digitalocean_uptime_alert", "digitalocean_uptime_check"
    )
    sketch.add(Kind.ALARMS, "alarms", "Alerts", *_alerts(alerts), sources=alerts)


def _alerts(alerts: list[Resource]) -> Iterator[str]:
    monitors = [each for each in alerts if each.type == "digitalocean_monitor_alert"]
    kinds = [str(each.get("type", default="")).rpartition("/")[2].replace("_", " ") for each in monitors]
    if kinds:
        yield listed(kinds)
    checks = [str(each.get("name")) for each in alerts if each.type == "digitalocean_uptime_check"]
    if checks:
        yield f"uptime of {listed(checks)}"
