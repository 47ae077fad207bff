"""Oracle Cloud: what runs the nodes: Kubernetes Engine, or virtual machines."""

from __future__ import annotations

import re
from typing import Any, Final

from aether_infra.diagram.document import Resource, blocks
from aether_infra.diagram.model import API, MACHINES, MANAGER, NODES, Cluster, Kind, Node, Part, Pool
from aether_infra.diagram.readers.sketch import Sketch, bounds, listed, node_id

DOMAIN: Final = re.compile(r"availability_domains\[(\d+)\]")


def read(sketch: Sketch) -> None:
    """Read nodes and what runs them."""
    if sketch.documents.of("oci_containerengine_cluster"):
        sketch.compute = "OKE"
        _oke(sketch)
    if sketch.documents.of("oci_core_instance"):
        sketch.compute = "virtual machines"
        _machines(sketch)
    for group in sketch.documents.of("oci_core_network_security_group"):
        if {NODES, MACHINES} & set(sketch.firewall.get(group.address, [])) and sketch.group is None:
            sketch.group = Part(
                key=NODES,
                kind=Kind.FIREWALL,
                name=f"Security group {group.get('display_name')}",
                sources=tuple(sketch.documents.of("oci_core_network_security_group")),
            )


def zone(value: Any) -> str | None:
    """An availability domain by its number: its name is known to the tenancy alone."""
    match = DOMAIN.search(str(value))
    return f"AD-{int(match[1]) + 1}" if match else None


def _oke(sketch: Sketch) -> None:
    cluster = sketch.documents.of("oci_containerengine_cluster")[0]
    sketch.protect(cluster.get("endpoint_config", "nsg_ids"), API)
    subnet = sketch.subnet(cluster.get("endpoint_config", "subnet_id"))
    public = cluster.get("endpoint_config", "is_public_ip_enabled") is True
    services = cluster.get("options", "kubernetes_network_config", "services_cidr")
    addons = sketch.documents.of("oci_containerengine_addon")
    bounds_ = _scaled(sketch, addons)
    pools = [_pool(sketch, each, bounds_) for each in sketch.documents.of("oci_containerengine_node_pool")]
    names = [str(each.get("addon_name")) for each in addons]
    sketch.cluster = Cluster(
        key="cluster",
        kind=Kind.CLUSTER,
        name=f"OKE cluster {cluster.get('name')}",
        facts=(f"services {services}" if services else "",),
        sources=(cluster,),
        api=Part(
            key=API,
            kind=Kind.API,
            name="Kubernetes API",
            facts=("public and private address" if public else "private address only",),
            sources=(cluster,),
        ),
        api_subnet=subnet.key if subnet else None,
        pools=tuple(pools),
        add_ons=(
            Part(
                key="add-ons",
                kind=Kind.OTHER,
                name=f"{len(addons)} add-ons",
                facts=(listed(names, 4),),
                sources=tuple(addons),
            ),
        )
        if addons
        else (),
    )


def _scaled(sketch: Sketch, addons: list[Resource]) -> dict[str, tuple[str, str]]:
    """Bounds of the pools that the cluster autoscaler looks after, by the pool's address."""
    found = {}
    for addon in addons:
        for setting in blocks(addon.get("configurations")):
            for each in str(setting.get("value")).split(",") if setting.get("key") == "nodes" else ():
                low, _, rest = each.partition(":")
                high = rest.partition(":")[0]
                pool = sketch.documents.follow(each)
                if pool is not None:
                    found[pool.address] = (low, high)
    return found


def _pool(sketch: Sketch, pool: Resource, scaled: dict[str, tuple[str, str]]) -> Pool:
    details = pool.get("node_config_details", default={})
    labels = {str(each["key"]): str(each["value"]) for each in blocks(pool.get("initial_node_labels"))}
    name = labels.get("aether-pool") or str(pool.get("name"))
    system = name == "system"
    sketch.protect(details.get("nsg_ids"), MACHINES)
    options = details.get("node_pool_pod_network_option_details") or {}
    sketch.protect(options.get("pod_nsg_ids"), MACHINES if system else NODES)
    low, high = scaled.get(pool.address, (str(details.get("size")),) * 2)
    places = blocks(details.get("placement_configs"))
    zones = [found for each in places if (found := zone(each.get("availability_domain")))]
    shape = pool.get("node_shape_config", default={})
    size = f"{shape.get('ocpus')} OCPU, {shape.get('memory_in_gbs')} GB" if shape else ""
    spot = any(each.get("preemptible_node_config") for each in places)
    return Pool(
        key=f"pool/{name}",
        kind=Kind.POOL,
        name=f"Pool {name}",
        facts=(
            bounds(low, high, "machines"),
            str(pool.get("node_shape", default="")),
            size,
            "spot" if spot else "",
        ),
        sources=(pool,),
        zones=tuple(dict.fromkeys(zones)),
        labels=labels,
        system=system,
    )


def _machines(sketch: Sketch) -> None:
    documents = sketch.documents
    for machine in documents.of("oci_core_instance"):
        key = NODES if sketch.is_core(machine) else MANAGER
        groups = sketch.protect(machine.get("create_vnic_details", "nsg_ids"), key)
        links = [
            each
            for each in documents.of("oci_core_volume_attachment")
            if machine in documents.mentions(each.get("instance_id"))
        ]
        disks = [each for link in links for each in documents.mentions(link.get("volume_id"))]
        if key == MANAGER:
            shape = _shape(machine.get("shape_config"))
            sketch.manage((machine, *links, *disks, *groups), str(machine.get("shape", default="")), shape)
            continue
        address = documents.text(machine.get("create_vnic_details", "private_ip"))
        backends = [
            each
            for each in documents.of("oci_load_balancer_backend")
            if each.get("ip_address") == machine.get("create_vnic_details", "private_ip")
        ]
        name = node_id(machine) or str(machine.get("display_name"))
        sketch.nodes.append(
            Node(
                key=f"node/{name}",
                kind=Kind.NODE,
                name=name,
                facts=(
                    str(machine.get("shape", default="")),
                    _shape(machine.get("shape_config")),
                    address,
                    *(f"data volume {each.get('size_in_gbs')} GB" for each in disks),
                ),
                sources=(machine, *links, *disks, *backends),
                zone=zone(machine.get("availability_domain")),
            )
        )
    pools = documents.of("oci_core_instance_pool")
    used = {each for pool in pools for each in documents.mentions(pool.get("instance_configuration_id"))}
    sketch.spare = [each for each in documents.of("oci_core_instance_configuration") if each not in used]
    for configuration in sketch.spare:
        details = configuration.get("instance_details", "launch_details", "create_vnic_details")
        sketch.protect(details, NODES)
    for pool in pools:
        template = documents.follow(pool.get("instance_configuration_id"))
        details = template.get("instance_details", "launch_details", default={}) if template else {}
        sketch.protect(details.get("create_vnic_details"), NODES)
        scalers = [
            each
            for each in documents.of("oci_autoscaling_auto_scaling_configuration")
            if pool in documents.mentions(each.get("auto_scaling_resources"))
        ]
        capacity = scalers[0].get("policies", 0, "capacity", default={}) if scalers else {}
        low, high = capacity.get("min", pool.get("size")), capacity.get("max", pool.get("size"))
        spot = bool(details.get("preemptible_instance_config"))
        sketch.elastic = Part(
            key="elastic",
            kind=Kind.ELASTIC,
            name=bounds(low, high, "elastic nodes"),
            facts=(
                str(details.get("shape", "")),
                _shape(details.get("shape_config")),
                "spot capacity" if spot else "",
            ),
            sources=(pool, *((template,) if template else ()), *scalers),
        )


def _shape(config: Any) -> str:
    """Such as `2 OCPU, 16 GB`."""
    found = (blocks(config) or [{}])[0]
    return f"{found['ocpus']:g} OCPU, {found['memory_in_gbs']:g} GB" if found.get("ocpus") else ""
