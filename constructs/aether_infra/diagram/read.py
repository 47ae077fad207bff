"""From Terraform JSON documents to the model of the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve

from aether_infra.diagram.concerns import others
from aether_infra.diagram.document import Document, Documents
from aether_infra.diagram.model import (
    INTERNET,
    INTERNET_GATEWAY,
    MACHINES,
    MANAGER,
    NEIGHBOURS,
    NODES,
    OPERATORS,
    USERS,
    Architecture,
    Flow,
    Gateway,
    Kind,
    Part,
    Purpose,
)
from aether_infra.diagram.ports import merged, words
from aether_infra.diagram.readers import aws, azure, digitalocean, gcp, kubernetes, oracle
from aether_infra.diagram.readers.sketch import (
    ANYONE,
    APPLICATION,
    HEALTH,
    MANAGEMENT,
    Rule,
    Sketch,
    bounds,
    is_inner,
    listed,
)

CLOUDS: Final[Mapping[str, tuple[Callable[[Sketch], None], Callable[[Sketch], None]]]] = {
    "aws_": (aws.parts, aws.rules),
    "google_": (gcp.parts, gcp.rules),
    "azurerm_": (azure.parts, azure.rules),
    "digitalocean_": (digitalocean.parts, digitalocean.rules),
    "oci_": (oracle.parts, oracle.rules),
}
"""How each cloud's resources are read, by how their types begin: first what there is, then who may call whom."""


FROM: Final = {USERS: Purpose.TRAFFIC, OPERATORS: Purpose.MANAGEMENT}
SERVED: Final = {APPLICATION: Purpose.TRAFFIC, MANAGEMENT: Purpose.MANAGEMENT}
"""What a balancer's traffic is for, by the role of a port: the first that it has counts."""


def read(documents: Mapping[str, Document]) -> Architecture:
    """Read the documents of one deployment.

    Args:
        documents: Terraform JSON by the stack's name: infrastructure, workload, or both.

    Returns:
        Everything that is drawn. Each resource is a source of a part or of a flow, or is counted in `others`.
    """
    sketch = Sketch(documents=Documents(documents))
    ports = sketch.documents.output("runtime", "ports") or {}
    sketch.roles = {int(number): str(name) for name, number in ports.items() if str(number).isdecimal()}
    port = sketch.documents.output("runtime", "manager", "port")
    if str(port).isdecimal():
        sketch.roles[int(port)] = "manager API"
    kubernetes.roles(sketch)
    kinds = {resource.type for resource in sketch.documents.everything}
    clouds = [reader for start, reader in CLOUDS.items() if any(kind.startswith(start) for kind in kinds)]
    for parts, _ in clouds:
        parts(sketch)
    kubernetes.parts(sketch)
    for _, rules in clouds:
        rules(sketch)
    kubernetes.rules(sketch)
    return _finished(sketch)


def _finished(sketch: Sketch) -> Architecture:
    sketch.rules = [each for rule in sketch.rules for each in _to_services(sketch, rule)]
    sketch.rules = [_narrowed(sketch, rule) for rule in sketch.rules]
    sketch.rules = [_for_health(sketch, rule) for rule in sketch.rules]
    _neighbours(sketch)
    _made_at_run_time(sketch)
    flows = _flows(sketch.rules)
    title = str(sketch.documents.output("cluster_name") or "") or kubernetes.cluster_name(sketch) or "cluster"
    workloads = sketch.cluster.workloads if sketch.cluster else ()
    pods = [pod for workload in workloads for pod in workload.pods if pod.kind is Kind.NODE]
    voters = len(sketch.nodes) or len(pods)
    zones = [each.zone for each in sketch.subnets if each.zone]
    zones += [each.zone for each in sketch.nodes if each.zone]
    zones += [zone for pool in (sketch.cluster.pools if sketch.cluster else ()) for zone in pool.zones]
    unfinished = Architecture(
        title=title,
        cloud=sketch.cloud or "Terraform",
        summary=tuple(
            line
            for line in (
                sketch.compute,
                f"{voters} core nodes" if voters else "",
                sketch.elastic.name if sketch.elastic else "",
            )
            if line
        ),
        actors=_actors(flows),
        region=sketch.region,
        network=sketch.network,
        subnets=tuple(sketch.subnets),
        zones=tuple(dict.fromkeys(zones)),
        nodes=tuple(sketch.nodes),
        elastic=None if workloads else sketch.elastic,
        manager=sketch.manager,
        group=sketch.group,
        balancers=tuple(sketch.balancers),
        gateways=tuple(sketch.gateways),
        cluster=sketch.cluster,
        services=tuple(sketch.services),
        flows=flows,
        others=(),
        resources=sketch.documents.everything,
    )
    return evolve(unfinished, others=others(unfinished))


def _to_services(sketch: Sketch, rule: Rule) -> list[Rule]:
    """Where a balancer's traffic to machines or pods means a service of the cluster, lead it there.

    A rule for the machines alone says nothing of services; the balancer's ports do. A firewall's group may stand for
    several balancers, each of which reaches its own service only.
    """
    cluster = sketch.cluster
    if cluster is None or not rule.source.startswith("balancer/") or rule.target not in {MACHINES, NODES}:
        return [rule]
    own = {service for balancer, service in sketch.leads if balancer == rule.source}
    published = [each for each in cluster.services if each.published and (not own or each.key in own)]
    allowed = rule.ports
    if not published or allowed is None:
        return [rule]
    if allowed.low != allowed.high:
        return [evolve(rule, target=each.key) for each in published]
    roles = {word.strip() for word in rule.role.split(",")}
    served = [each for each in published if _serves(sketch, each.key, allowed.low)]
    if served:
        return [evolve(rule, target=served[0].key)]
    elsewhere = [
        each.key for each in cluster.services if each.published and _serves(sketch, each.key, allowed.low)
    ]
    if elsewhere and own and roles <= {APPLICATION, "management", ""}:
        return []
    return [evolve(rule, target=published[0].key)]


def _narrowed(sketch: Sketch, rule: Rule) -> Rule:
    """Among the nodes a network policy counts where a wider firewall lets more through: both must agree."""
    policies = [
        each
        for each in sketch.rules
        if each.source == each.target == NODES
        and each.origins[0].type.startswith("kubernetes_network_policy")
    ]
    if rule.source != NODES or rule.target != NODES or not policies or rule in policies:
        return rule
    return evolve(rule, ports=None, role="")


def _for_health(sketch: Sketch, rule: Rule) -> Rule:
    """A service that a load balancer only asks for health does not serve anybody."""
    if not rule.source.startswith("service/"):
        return rule
    asked = {each.role for each in sketch.rules if each.target == rule.source}
    return evolve(rule, role=HEALTH) if asked == {HEALTH} else rule


def _serves(sketch: Sketch, service: str, port: int) -> bool:
    """Whether a service has a port, on machines or on pods."""
    resource = (
        next((each for each in sketch.cluster.services if each.key == service), None)
        if sketch.cluster
        else None
    )
    if resource is None:
        return False
    targets = [rule.ports.low for rule in sketch.rules if rule.source == service and rule.ports]
    node_ports = [each.get("node_port") for each in resource.sources[0].get("spec", "port", default=[])]
    return port in targets or port in node_ports


def _made_at_run_time(sketch: Sketch) -> None:
    """Elastic nodes that the runtime manager makes: nothing here stands for them, but for what they are made of."""
    found = sketch.elastic_bounds()
    if sketch.elastic is None and sketch.manager is not None and found and found[1] > 0:
        name = bounds(*found, "elastic nodes")
        facts = ("made by the runtime manager",)
        sketch.elastic = Part(
            key="elastic", kind=Kind.ELASTIC, name=name, facts=facts, sources=tuple(sketch.spare)
        )


def _neighbours(sketch: Sketch) -> None:
    """What else there is in the network has a place if a rule lets traffic to it through."""
    rules = [rule for rule in sketch.rules if NEIGHBOURS in {rule.source, rule.target}]
    if rules:
        networks = list(dict.fromkeys(network for rule in rules for network in rule.networks))
        sketch.gateways.append(
            Gateway(
                key=NEIGHBOURS,
                kind=Kind.NEIGHBOUR,
                name="Other machines",
                facts=(f"in {listed(networks, 2)}" if networks else "of this network",),
                outward=False,
                existing=True,
            )
        )


def _flows(rules: list[Rule]) -> tuple[Flow, ...]:
    """Rules between the same two parts as one flow."""
    found: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        found.setdefault((rule.source, rule.target), []).append(rule)
    return tuple(_flow(source, target, group) for (source, target), group in found.items())


def _flow(source: str, target: str, group: list[Rule]) -> Flow:
    loud = [rule for rule in group if rule.ports is None or rule.ports.protocol != "icmp"] or group
    return Flow(
        source=source,
        target=target,
        purpose=next((rule.purpose for rule in group if rule.purpose), None)
        or _purpose(source, target, group),
        ports=merged(rule.ports for rule in group if rule.ports is not None),
        label=words((rule.ports, rule.role) for rule in loud if rule.ports is not None),
        networks=tuple(dict.fromkeys(network for rule in loud for network in rule.networks)),
        sources=tuple(dict.fromkeys(origin for rule in group for origin in rule.origins)),
    )


def _purpose(source: str, target: str, group: list[Rule]) -> Purpose:
    if source in FROM:
        return FROM[source]
    if source == target == NODES:
        return Purpose.PEERS
    if source.startswith(("balancer/", "service/")):
        roles = " ".join(rule.role for rule in group)
        return next((purpose for role, purpose in SERVED.items() if role in roles), Purpose.HEALTH)
    outward = target == INTERNET or source.startswith("nat") or target.startswith("nat")
    if source == MANAGER and target in {NODES, MACHINES}:
        return Purpose.MANAGEMENT
    return Purpose.EGRESS if outward else Purpose.CONTROL


def _actors(flows: tuple[Flow, ...]) -> tuple[Part, ...]:
    """Who is outside, if a flow begins or ends there."""
    ends = {end for flow in flows for end in (flow.source, flow.target)}
    kinds = {USERS: (Kind.USERS, "Users"), OPERATORS: (Kind.OPERATORS, "Operators")}
    found = []
    for key, (kind, name) in kinds.items():
        if key in ends:
            networks = list(
                dict.fromkeys(network for flow in flows if flow.source == key for network in flow.networks)
            )
            found.append(Part(key=key, kind=kind, name=name, facts=(_whence(networks),)))
    if INTERNET in ends:
        networks = [network for flow in flows if flow.target == INTERNET for network in flow.networks]
        narrow = [each for each in dict.fromkeys(networks) if each not in ANYONE]
        everywhere = len(narrow) < len(set(networks)) or not networks
        ways = {flow.source for flow in flows if flow.target == INTERNET} - {INTERNET_GATEWAY}
        ways |= {flow.source for flow in flows if flow.target == INTERNET_GATEWAY}
        fact = ("registries, services" if everywhere else listed(narrow, 2)) if ways else ""
        found.append(Part(key=INTERNET, kind=Kind.INTERNET, name="Internet", facts=(fact,)))
    return tuple(found)


def _whence(networks: list[str]) -> str:
    if any(network in ANYONE for network in networks):
        return "from anywhere"
    if not networks:
        return "with the cloud's own permission"
    inner = all(is_inner(network) for network in networks)
    return f"{'in private networks: ' if inner else 'from '}{listed(networks, 2)}"
