"""What runs in a Kubernetes cluster, whoever made the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import evolve

from aether_infra.core.tags import CLUSTER
from aether_infra.diagram.document import Resource, blocks
from aether_infra.diagram.model import (
    NODES,
    USERS,
    Balancer,
    Cluster,
    Kind,
    Part,
    Place,
    Service,
    Workload,
)
from aether_infra.diagram.ports import Ports, ports, words
from aether_infra.diagram.readers.sketch import (
    APPLICATION,
    HEALTH,
    MANAGED,
    Sketch,
    bounds,
    listed,
)

COMPONENT: Final = "app.kubernetes.io/component"
NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
MANAGER_NAME: Final = "aether-manager"
"""Name of the runtime manager's deployment."""
EVERYONE: Final = "0.0.0.0/0"
HTTP: Final = 80
HTTPS: Final = 443


def roles(sketch: Sketch) -> None:
    """Read what ports are for: those of the nodes' containers, and those of machines that lead to them."""
    core = sketch.documents.first("kubernetes_stateful_set_v1")
    if core is None:
        return
    for port in _container_ports(core):
        sketch.roles.setdefault(int(port["container_port"]), str(port.get("name", "")))
    for service in sketch.documents.of("kubernetes_service_v1"):
        for port in blocks(service.get("spec", "port")) if _is_ours(sketch, service) else ():
            role, _ = _target(sketch, port)
            if role and port.get("node_port"):
                sketch.roles.setdefault(int(port["node_port"]), role)


def parts(sketch: Sketch) -> None:
    """Read workloads, services, and the load balancers that services and ingresses bring."""
    documents = sketch.documents
    core = documents.of("kubernetes_stateful_set_v1")
    if not core:
        return
    if not sketch.compute:
        sketch.cloud, sketch.compute = "Kubernetes", "a cluster that exists"
    cluster = sketch.cluster or Cluster(
        key="cluster", kind=Kind.CLUSTER, name="Kubernetes cluster", facts=("exists already",), existing=True
    )
    namespaces = documents.of("kubernetes_namespace_v1")
    workloads = [*(_core(sketch, each) for each in core)]
    add_ons = list(cluster.add_ons)
    for deployment in documents.of("kubernetes_deployment_v1"):
        if deployment.get("spec", "selector", "match_labels", COMPONENT):
            workloads.append(_elastic(sketch, deployment))
        else:
            add_ons.append(_helper(sketch, deployment))
    add_ons += _policies(sketch)
    sketch.cluster = evolve(
        cluster,
        facts=(*cluster.facts, *(f"namespace {_name(sketch, each)}" for each in namespaces)),
        sources=(*cluster.sources, *namespaces),
        workloads=tuple(workloads),
        add_ons=tuple(add_ons),
    )
    services = [
        _service(sketch, each) for each in documents.of("kubernetes_service_v1") if _is_ours(sketch, each)
    ]
    for ingress in documents.of("kubernetes_ingress_v1"):
        services = _ingress(sketch, ingress, services)
    sketch.cluster = evolve(sketch.cluster, services=tuple(services))
    _configuration(sketch)


def cluster_name(sketch: Sketch) -> str:
    """Name of the Aether cluster, from what finds its pods."""
    core = sketch.documents.first("kubernetes_stateful_set_v1")
    return str(core.get("spec", "selector", "match_labels", CLUSTER, default="")) if core else ""


def _name(sketch: Sketch, resource: Resource) -> str:
    return sketch.documents.text(resource.get("metadata", "name")) or resource.name


def _container(resource: Resource) -> Any:
    return resource.get("spec", "template", "spec", "container", 0, default={})


def _container_ports(resource: Resource) -> list[Any]:
    return [port for port in _container(resource).get("port", []) if port.get("container_port")]


def _resources(resource: Resource) -> str:
    """Such as `0.5 to 2 CPU, 1Gi to 2Gi`."""
    wanted = _container(resource).get("resources") or {}
    low, high = wanted.get("requests") or {}, wanted.get("limits") or {}
    found = []
    for key, unit in (("cpu", " CPU"), ("memory", "")):
        each = [str(side[key]) for side in (low, high) if side.get(key)]
        if each:
            found.append(" to ".join(dict.fromkeys(map(_cpu if unit else str, each))) + unit)
    return ", ".join(found)


def _cpu(amount: str) -> str:
    """`500m` as `0.5`."""
    digits = amount.removesuffix("m")
    return f"{int(digits) / 1000:g}" if amount.endswith("m") and digits.isdecimal() else amount


def _core(sketch: Sketch, resource: Resource) -> Workload:
    name = _name(sketch, resource)
    claims = blocks(resource.get("spec", "volume_claim_template"))
    disks = [str(each["spec"]["resources"]["requests"]["storage"]) for each in claims]
    classes = [each for claim in claims for each in sketch.documents.mentions(claim)]
    budgets = _selecting(sketch, resource, "kubernetes_pod_disruption_budget_v1")
    keys = {
        str(each.get("topology_key"))
        for each in blocks(resource.get("spec", "template", "spec", "topology_spread_constraint"))
        if each.get("when_unsatisfiable") == "DoNotSchedule"
    }
    affinity = resource.get("spec", "template", "spec", "affinity", "pod_anti_affinity", default={})
    alone = bool(affinity.get("required_during_scheduling_ignored_during_execution"))
    spread = "one a machine" if alone else ""
    if "topology.kubernetes.io/zone" in keys:
        spread = f"{spread}, spread over zones".removeprefix(", ")
    pods = tuple(
        Part(
            key=f"node/{name}-{index}",
            kind=Kind.NODE,
            name=f"{name}-{index}",
            facts=tuple(f"volume {disk}" for disk in disks),
            sources=(resource,),
        )
        for index in range(int(resource.get("spec", "replicas", default=0)))
    )
    facts = (_resources(resource), spread, *(_budget(each) for each in budgets))
    return Workload(
        key=f"workload/{name}",
        kind=Kind.WORKLOAD,
        name=f"StatefulSet {name}",
        facts=tuple(fact for fact in facts if fact),
        sources=(resource, *classes, *budgets),
        pods=pods,
        selector=dict(resource.get("spec", "template", "spec", "node_selector", default={})),
    )


def _budget(budget: Resource) -> str:
    most = budget.get("spec", "max_unavailable")
    return f"at most {most} down at a time" if most else ""


def _selecting(sketch: Sketch, resource: Resource, kind: str) -> list[Resource]:
    """Resources of a type whose selector is that of a workload."""
    labels = resource.get("spec", "selector", "match_labels")
    return [
        each for each in sketch.documents.of(kind) if each.get("spec", "selector", "match_labels") == labels
    ]


def _elastic(sketch: Sketch, resource: Resource) -> Workload:
    name = _name(sketch, resource)
    scalers = [
        scaler
        for scaler in sketch.documents.of("kubernetes_horizontal_pod_autoscaler_v2")
        if resource in sketch.documents.mentions(scaler.get("spec", "scale_target_ref"))
    ]
    low = high = resource.get("spec", "replicas", default=0)
    target = "" if scalers or not _managed(sketch) else MANAGED
    if not scalers:
        low, high = sketch.elastic_bounds() or (low, high)
    for scaler in scalers:
        low, high = scaler.get("spec", "min_replicas"), scaler.get("spec", "max_replicas")
        goal = scaler.get("spec", "metric", 0, "resource", "target", default={})
        mean = goal.get("average_value") or f"{goal.get('average_utilization')} %"
        target = f"mean CPU {_cpu(str(mean))}"
    budgets = _selecting(sketch, resource, "kubernetes_pod_disruption_budget_v1")
    sources = (resource, *scalers, *budgets)
    sketch.elastic = Part(
        key="elastic",
        kind=Kind.ELASTIC,
        name=bounds(low, high, "elastic nodes"),
        facts=(target,),
        sources=sources,
    )
    return Workload(
        key=f"workload/{name}",
        kind=Kind.WORKLOAD,
        name=f"Deployment {name}",
        facts=(_resources(resource),),
        sources=sources,
        pods=(sketch.elastic,),
        selector=dict(resource.get("spec", "template", "spec", "node_selector", default={})),
    )


def _managed(sketch: Sketch) -> bool:
    """Whether the runtime manager runs in the cluster."""
    return any(
        _name(sketch, each) == MANAGER_NAME for each in sketch.documents.of("kubernetes_deployment_v1")
    )


def _helper(sketch: Sketch, resource: Resource) -> Part:
    """A deployment that is no node, such as the cluster autoscaler."""
    name = _name(sketch, resource)
    account = sketch.documents.mentions(resource.get("spec", "template", "spec", "service_account_name"))
    selector = resource.get("spec", "selector", "match_labels")
    services = [
        each
        for each in sketch.documents.of("kubernetes_service_v1")
        if each.get("spec", "selector") == selector
    ]
    return Part(
        key=f"workload/{name}",
        kind=Kind.MANAGER if name == MANAGER_NAME else Kind.WORKLOAD,
        name=f"Deployment {name}",
        facts=(f"namespace {sketch.documents.text(resource.get('metadata', 'namespace'))}",),
        sources=(resource, *account, *services),
    )


def _is_ours(sketch: Sketch, service: Resource) -> bool:
    """Whether a service finds the core nodes."""
    core = sketch.documents.of("kubernetes_stateful_set_v1")[0]
    own = core.get("spec", "selector", "match_labels", default={})
    labels = {**own, **core.get("spec", "template", "metadata", "labels", default={})}
    selector = service.get("spec", "selector", default={})
    return bool(selector) and selector.items() <= labels.items()


def _policies(sketch: Sketch) -> Iterator[Part]:
    """What network policies let through to the nodes' pods."""
    for policy in sketch.documents.of("kubernetes_network_policy_v1"):
        own = policy.get("spec", "pod_selector", "match_labels")
        lines = []
        for rule in blocks(policy.get("spec", "ingress")):
            allowed = [
                (ports(each.get("protocol", "TCP"), each.get("port")), "") for each in rule.get("ports", [])
            ]
            sources = [_peer(sketch, each, own) for each in rule.get("from", [])]
            lines.append(f"{'; '.join(words(allowed))}: {listed(sources, 4)}")
        yield Part(
            key=f"policy/{policy.name}",
            kind=Kind.FIREWALL,
            name=f"NetworkPolicy {_name(sketch, policy)}",
            facts=tuple(lines),
            sources=(policy,),
        )


def _peer(sketch: Sketch, peer: Mapping[str, Any], own: Any) -> str:
    """Who a network policy means, in words."""
    pods = (peer.get("pod_selector") or {}).get("match_labels")
    namespace = (peer.get("namespace_selector") or {}).get("match_labels") or {}
    cidr = (peer.get("ip_block") or {}).get("cidr")
    if cidr:
        return sketch.documents.text(cidr) or "the load balancer's subnet"
    if namespace:
        return f"namespace {sketch.documents.text(namespace.get(NAMESPACE_NAME)) or '?'}"
    if pods == own:
        return "the nodes"
    return ", ".join(f"pods {key}={value}" for key, value in (pods or {}).items())


def _target(sketch: Sketch, port: Mapping[str, Any]) -> tuple[str, int]:
    """What a service's port is for, and the pods' port that it leads to."""
    core = sketch.documents.of("kubernetes_stateful_set_v1")[0]
    named = {str(each.get("name")): int(each["container_port"]) for each in _container_ports(core)}
    wanted = str(port.get("target_port") or port.get("port"))
    number = named.get(wanted) or (int(wanted) if wanted.isdecimal() else int(port["port"]))
    return sketch.roles.get(number, ""), number


def _service(sketch: Sketch, resource: Resource) -> Service:
    name, kind = _name(sketch, resource), str(resource.get("spec", "type", default="ClusterIP"))
    key = f"service/{name}"
    lines = []
    for port in blocks(resource.get("spec", "port")):
        _, target = _target(sketch, port)
        front = port.get("node_port") or port["port"]
        lines.append(f"{front} → {target}" if front != target else str(target))
    headless = resource.get("spec", "cluster_ip") == "None"
    published = kind in {"NodePort", "LoadBalancer"}
    if kind == "LoadBalancer":
        _balancer(sketch, resource, key)
    words_ = "names of the core nodes" if headless else f"{kind}, port {listed(lines, 4)}"
    if published:
        _lead(sketch, resource, key)
    return Service(
        key=key,
        kind=Kind.SERVICE,
        name=f"Service {name}",
        facts=(words_,),
        sources=(resource,),
        published=published,
    )


def _lead(sketch: Sketch, resource: Resource, key: str) -> None:
    """A published service sends on to the nodes."""
    for port in blocks(resource.get("spec", "port")):
        role, target = _target(sketch, port)
        sketch.let(key, NODES, ports(port.get("protocol", "TCP"), target), resource, role=role)


def _balancer(sketch: Sketch, resource: Resource, service: str) -> None:
    """The load balancer that the cluster makes for a service."""
    name = _name(sketch, resource)
    key = f"balancer/{name}"
    annotations = resource.get("metadata", "annotations", default={})
    internal = any(
        str(value).lower() in {"true", "internal"}
        for label, value in annotations.items()
        if "internal" in label or "load-balancer-type" in label
    )
    named = [sketch.documents.literal(value) for label, value in annotations.items() if "subnet" in label]
    subnet = next((found for value in named if (found := sketch.subnet(value))), None)
    addresses = [
        each
        for each in sketch.documents.mentions(
            [resource.get("spec", "load_balancer_ip", default=""), dict(annotations)]
        )
        if "public_ip" in each.type or "address" in each.type
    ]
    listeners = []
    for port in blocks(resource.get("spec", "port")):
        role, target = _target(sketch, port)
        sketch.balance(key, int(port["port"]), target, role)
        listeners.append(f"{port.get('protocol', 'TCP')} {port['port']} → {role} {target}")
    sketch.leads.append((key, service))
    sketch.balancers.append(
        Balancer(
            key=key,
            kind=Kind.BALANCER,
            name="Load balancer",
            facts=(
                f"made by the cluster for service {name}",
                *(("inside of the network",) if internal else ()),
            ),
            sources=(resource, *addresses),
            place=Place.NETWORK if internal or subnet else Place.REGION,
            subnet=subnet.key if subnet else None,
            listeners=tuple(listeners),
        )
    )
    ranges = [str(each) for each in resource.get("spec", "load_balancer_source_ranges", default=[])]
    for port in blocks(resource.get("spec", "port")):
        allowed = ports(port.get("protocol", "TCP"), port["port"])
        who = sketch.outsider(key, allowed)
        sketch.open.append((who, key, allowed, tuple(ranges), resource))


def _ingress(sketch: Sketch, resource: Resource, services: list[Service]) -> list[Service]:
    """The load balancer that the cluster makes for an ingress."""
    backend = resource.get("spec", "default_backend", "service", default={})
    name, port = str(backend.get("name")), int(backend.get("port", {}).get("number", 0))
    key, service = f"balancer/ingress-{_name(sketch, resource)}", f"service/{name}"
    annotations = resource.get("metadata", "annotations", default={})
    configurations = [
        each
        for each in sketch.documents.of("kubernetes_manifest")
        if each.get("manifest", "kind") in {"BackendConfig", "FrontendConfig"}
    ]
    used = sketch.documents.mentions([dict(annotations), *(each.arguments for each in configurations)])
    certificate = next(
        (value for label, value in annotations.items() if label.endswith("pre-shared-cert")), None
    )
    redirect = any(
        each.get("manifest", "spec", "redirectToHttps", "enabled") is True for each in configurations
    )
    fronts: list[tuple[Ports, str]] = []
    if annotations.get("kubernetes.io/ingress.allow-http") != "false":
        fronts.append(
            (
                ports("tcp", HTTP),
                "HTTP 80 → redirect to HTTPS 443" if redirect else f"HTTP 80 → application {port}",
            )
        )
    if certificate:
        fronts.append((ports("tcp", HTTPS), f"HTTPS 443 → application {port}"))
    facts = ["made by the cluster for its ingress"]
    for each in configurations:
        check = each.get("manifest", "spec", "healthCheck", default={})
        if check.get("requestPath"):
            facts.append(f"healthy while GET {check['requestPath']} answers on {check.get('port')}")
            sketch.back(key, int(check.get("port")), HEALTH)
    allowed = [
        str(cidr) for each in used if each.type == "google_compute_security_policy" for cidr in _allowed(each)
    ]
    if allowed:
        facts.append("behind an allow list (Cloud Armor)")
    kept = ("address", "certificate", "policy")
    sketch.balancers.append(
        Balancer(
            key=key,
            kind=Kind.BALANCER,
            name="Application load balancer",
            facts=tuple(facts),
            sources=(
                resource,
                *configurations,
                *(each for each in used if any(word in each.type for word in kept)),
            ),
            place=Place.GLOBAL,
            listeners=tuple(line for _, line in fronts),
        )
    )
    sketch.leads.append((key, service))
    for front, _ in fronts:
        sketch.balance(key, front.low, port, APPLICATION)
        sketch.open.append((USERS, key, front, tuple(allowed), resource))
    sketch.let(service, NODES, ports("tcp", port), resource, role=APPLICATION)
    return [evolve(each, published=True) if each.key == service else each for each in services]


def _allowed(policy: Resource) -> list[Any]:
    """CIDRs that a Cloud Armor policy lets through."""
    return [
        cidr
        for rule in blocks(policy.get("rule"))
        if rule.get("action") == "allow"
        for cidr in ((rule.get("match") or {}).get("config") or {}).get("src_ip_ranges") or []
    ]


def _configuration(sketch: Sketch) -> None:
    """Secrets by their names, and the configuration of the nodes."""
    names = [
        str(variable["name"])
        for workload in sketch.documents.of("kubernetes_stateful_set_v1")
        for variable in _container(workload).get("env", [])
        if (variable.get("value_from") or {}).get("secret_key_ref")
    ]
    stores = [
        each
        for each in sketch.documents.of("kubernetes_manifest")
        if each.get("manifest", "kind") in {"SecretProviderClass", "SecretSync"}
    ]
    grants = [
        each for each in sketch.documents.everything if each.type == "google_secret_manager_secret_iam_member"
    ]
    if names:
        sources = stores + grants or sketch.documents.of("kubernetes_stateful_set_v1")
        sketch.add(Kind.SECRETS, "secrets", "Secrets", listed(names, 2), sources=sources)


def rules(sketch: Sketch) -> None:
    """Read who may call whom: network policies for pods, and source ranges of load balancers."""
    for policy in sketch.documents.of("kubernetes_network_policy_v1"):
        own = policy.get("spec", "pod_selector", "match_labels")
        for rule in blocks(policy.get("spec", "ingress")):
            if not any(
                (each.get("pod_selector") or {}).get("match_labels") == own for each in rule.get("from", [])
            ):
                continue
            for port in rule.get("ports", []):
                sketch.let(NODES, NODES, ports(port.get("protocol", "TCP"), port.get("port")), policy)
    for who, key, allowed, ranges, resource in sketch.open:
        stated = [
            rule
            for rule in sketch.rules
            if rule.target == key and rule.ports and rule.ports.holds(allowed.low)
        ]
        if ranges or not stated:
            sketch.rules = [rule for rule in sketch.rules if rule not in stated or not ranges]
            sketch.let(who, key, allowed, resource, networks=ranges or (EVERYONE,))
    for balancer, service in sketch.leads:
        _reach(sketch, balancer, service)


def _reach(sketch: Sketch, balancer: str, service: str) -> None:
    """A balancer that the cluster made reaches its service, unless a firewall's rule already says on which ports."""
    if any(rule.source == balancer for rule in sketch.rules):
        return
    for (key, port), roles in sketch.backs.items():
        if key == balancer:
            sketch.let(balancer, service, ports("tcp", port), role=", ".join(sorted(roles)))
