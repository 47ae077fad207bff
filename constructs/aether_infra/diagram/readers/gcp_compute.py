"""Google Cloud: what runs the nodes: Kubernetes Engine, or managed groups on Compute Engine."""

from __future__ import annotations

from collections.abc import Iterator

from aether_infra.diagram.document import Resource, blocks
from aether_infra.diagram.model import API, MACHINES, MANAGER, NODES, Cluster, Kind, Node, Part, Pool
from aether_infra.diagram.readers.sketch import Sketch, bounds, node_id


def read(sketch: Sketch) -> None:
    """Read nodes and what runs them."""
    if sketch.documents.of("google_container_cluster"):
        sketch.compute = "GKE"
        _gke(sketch)
    if sketch.documents.of("google_compute_instance_group_manager"):
        sketch.compute = "Compute Engine"
        _machines(sketch)


def _gke(sketch: Sketch) -> None:
    cluster = sketch.documents.of("google_container_cluster")[0]
    for pool in sketch.documents.of("google_container_node_pool"):
        sketch.protect(pool.get("node_config", "service_account"), MACHINES)
    private = cluster.get("private_cluster_config", "enable_private_endpoint")
    channel = str(cluster.get("release_channel", "channel", default="")).lower()
    encrypted = cluster.get("database_encryption", "state") == "ENCRYPTED"
    ranges = [
        f"{each['range_name']} {each['ip_cidr_range']}"
        for subnet in sketch.documents.of("google_compute_subnetwork")
        for each in blocks(subnet.get("secondary_ip_range"))
    ]
    control = sketch.documents.text(cluster.get("private_cluster_config", "master_ipv4_cidr_block"))
    sketch.cluster = Cluster(
        key="cluster",
        kind=Kind.CLUSTER,
        name=f"GKE cluster {cluster.get('name')}",
        facts=(str(cluster.get("location", default="")), f"channel {channel}" if channel else "", *ranges),
        sources=(cluster,),
        api=Part(
            key=API,
            kind=Kind.API,
            name="Kubernetes API",
            facts=(
                "private address only" if private else "public and private address",
                control,
                "secrets encrypted" if encrypted else "",
            ),
            sources=(cluster,),
        ),
        pools=tuple(_pool(each, cluster) for each in sketch.documents.of("google_container_node_pool")),
    )


def _pool(pool: Resource, cluster: Resource) -> Pool:
    labels = dict(pool.get("node_config", "labels", default={}))
    name = labels.get("aether-pool") or str(pool.get("name", default=pool.name))
    scaling = pool.get("autoscaling", default={})
    low = scaling.get("total_min_node_count", pool.get("node_count"))
    high = scaling.get("total_max_node_count", pool.get("node_count"))
    zones = pool.get("node_locations") or cluster.get("node_locations") or []
    if not zones and str(cluster.get("location")).count("-") > 1:
        zones = [cluster.get("location")]
    return Pool(
        key=f"pool/{name}",
        kind=Kind.POOL,
        name=f"Pool {name}",
        facts=(
            bounds(low, high, "machines"),
            str(pool.get("node_config", "machine_type", default="")),
            "spot" if pool.get("node_config", "spot") else "",
        ),
        sources=(pool,),
        zones=tuple(str(zone) for zone in zones),
        labels=labels,
        system=name == "system",
    )


def _machines(sketch: Sketch) -> None:
    documents = sketch.documents
    for manager in documents.of("google_compute_instance_group_manager"):
        template = documents.follow(manager.get("version", 0, "instance_template"))
        configs = [
            each
            for each in documents.of("google_compute_per_instance_config")
            if manager in documents.mentions(each.get("instance_group_manager"))
        ]
        kept = [each for config in configs for each in documents.mentions(config.get("preserved_state"))]
        name = (node_id(template) if template else "") or str(manager.get("name"))
        sources = (manager, *((template,) if template else ()), *configs, *kept)
        if template is not None and not sketch.is_core(template):
            _known_by(sketch, template, MANAGER)
            sketch.manage(
                (*sources, *_accounts(sketch, template)), str(template.get("machine_type", default=""))
            )
            continue
        if template is not None:
            _known_by(sketch, template, NODES)
        sketch.nodes.append(
            Node(
                key=f"node/{name}",
                kind=Kind.NODE,
                name=name,
                facts=(str(template.get("machine_type", default="")) if template else "", *_disk(kept)),
                sources=sources,
                zone=documents.text(manager.get("zone")) or None,
            )
        )
    for manager in documents.of("google_compute_region_instance_group_manager"):
        template = documents.follow(manager.get("version", 0, "instance_template"))
        scalers = [
            each
            for each in documents.of("google_compute_region_autoscaler")
            if manager in documents.mentions(each.get("target"))
        ]
        policy = scalers[0].get("autoscaling_policy", default={}) if scalers else {}
        target = (policy.get("cpu_utilization") or {}).get("target")
        spot = template is not None and template.get("scheduling", "provisioning_model") == "SPOT"
        sketch.elastic = Part(
            key="elastic",
            kind=Kind.ELASTIC,
            name=bounds(policy.get("min_replicas"), policy.get("max_replicas"), "elastic nodes"),
            facts=(
                str(template.get("machine_type", default="")) if template else "",
                f"mean CPU {round(target * 100)} %" if target else "",
                "spot capacity" if spot else "",
            ),
            sources=(manager, *((template,) if template else ()), *scalers),
        )
    used = {
        each
        for group in documents.everything
        if "group_manager" in group.type
        for each in documents.mentions(group.get("version"))
    }
    sketch.spare = [each for each in documents.of("google_compute_instance_template") if each not in used]
    sketch.spare += documents.of("google_compute_instance_group") if sketch.spare else []
    account = next(
        (
            each
            for each in documents.of("google_service_account")
            if NODES in sketch.firewall.get(each.address, [])
        ),
        None,
    )
    name = str(account.get("account_id")) if account else ""
    sketch.group = Part(
        key=NODES,
        kind=Kind.FIREWALL,
        name=f"Aether nodes, known to the firewall by service account {name}" if name else "Aether nodes",
        sources=(account,) if account else (),
    )


def _accounts(sketch: Sketch, template: Resource) -> list[Resource]:
    return sketch.documents.mentions(template.get("service_account"))


def _known_by(sketch: Sketch, template: Resource, key: str) -> None:
    """Firewalls know machines by their service account."""
    sketch.protect(template.get("service_account"), key)


def _disk(resources: list[Resource]) -> Iterator[str]:
    for disk in resources:
        if disk.type == "google_compute_disk":
            yield f"data disk {disk.get('size')} GiB"
