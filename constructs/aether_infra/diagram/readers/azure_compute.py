"""Azure: what runs the nodes: Kubernetes Service, or virtual machines."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from aether_infra.diagram.document import Resource
from aether_infra.diagram.model import API, MACHINES, MANAGER, NODES, Cluster, Kind, Node, Part, Pool
from aether_infra.diagram.readers.sketch import Sketch, bounds, node_id

CIDRHOST: Final = re.compile(r"\$\{cidrhost\(\"([^\"]+)\", (-?\d+)\)\}")
"""An address by its place in a range."""


def read(sketch: Sketch) -> None:
    """Read nodes and what runs them."""
    if sketch.documents.of("azurerm_kubernetes_cluster"):
        sketch.compute = "AKS"
        _aks(sketch)
    if sketch.documents.of("azurerm_linux_virtual_machine"):
        sketch.compute = "virtual machines"
        _machines(sketch)
    inside = MACHINES if sketch.cluster else NODES
    links = sketch.documents.of("azurerm_subnet_network_security_group_association")
    for link in links:
        sketch.protect(link.get("network_security_group_id"), inside)
    groups = [
        each
        for each in sketch.documents.of(
            "azurerm_network_security_group", "azurerm_application_security_group"
        )
        if inside in sketch.firewall.get(each.address, [])
    ]
    if groups:
        sketch.group = Part(
            key=NODES,
            kind=Kind.FIREWALL,
            name=f"Network security group {groups[0].get('name')}",
            sources=(*groups, *links),
        )


def _aks(sketch: Sketch) -> None:
    cluster = sketch.documents.of("azurerm_kubernetes_cluster")[0]
    private = cluster.get("private_cluster_enabled") is True
    profile = cluster.get("network_profile", default={})
    system = cluster.get("default_node_pool", default={})
    pools = [_pool(cluster, system)]
    pools += [
        _pool(each, each.arguments) for each in sketch.documents.of("azurerm_kubernetes_cluster_node_pool")
    ]
    sketch.cluster = Cluster(
        key="cluster",
        kind=Kind.CLUSTER,
        name=f"AKS cluster {cluster.get('name')}",
        facts=tuple(
            f"{word} {profile[key]}"
            for word, key in (("pods", "pod_cidr"), ("services", "service_cidr"))
            if profile.get(key)
        ),
        sources=(cluster,),
        api=Part(
            key=API,
            kind=Kind.API,
            name="Kubernetes API",
            facts=(
                "private address only" if private else "public address, allow list",
                "users of Entra only",
            ),
            sources=(cluster,),
        ),
        pools=tuple(pools),
    )


def _pool(resource: Resource, pool: Any) -> Pool:
    labels = {str(key): str(value) for key, value in (pool.get("node_labels") or {}).items()}
    name = labels.get("aether-pool") or str(pool.get("name"))
    scaled = pool.get("auto_scaling_enabled") is True
    low, high = (pool.get("min_count"), pool.get("max_count")) if scaled else (pool.get("node_count"),) * 2
    return Pool(
        key=f"pool/{name}",
        kind=Kind.POOL,
        name=f"Pool {name}",
        facts=(
            bounds(low, high, "machines"),
            str(pool.get("vm_size", "")),
            "spot" if pool.get("priority") == "Spot" else "",
        ),
        sources=(resource,),
        zones=tuple(f"zone {zone}" for zone in pool.get("zones") or []),
        labels=labels,
        system=name == "system",
    )


def _machines(sketch: Sketch) -> None:
    documents = sketch.documents
    for machine in documents.of("azurerm_linux_virtual_machine"):
        cards = documents.mentions(machine.get("network_interface_ids"))
        attached = [
            each
            for kind in (
                "azurerm_virtual_machine_data_disk_attachment",
                "azurerm_virtual_machine_extension",
                "azurerm_virtual_machine_run_command",
            )
            for each in documents.of(kind)
            if machine in documents.mentions(each.get("virtual_machine_id"))
        ]
        disks = [each for link in attached for each in documents.mentions(link.get("managed_disk_id"))]
        links = [
            each
            for each in documents.everything
            if each.type.startswith("azurerm_network_interface_")
            and any(card in documents.mentions(each.get("network_interface_id")) for card in cards)
        ]
        key = NODES if sketch.is_core(machine) else MANAGER
        groups = [
            group
            for link in links
            for group in sketch.protect(
                [link.get("network_security_group_id"), link.get("application_security_group_id")], key
            )
        ]
        if key == MANAGER:
            sketch.manage(
                (machine, *cards, *disks, *attached, *links, *groups), str(machine.get("size", default=""))
            )
            continue
        name = node_id(machine) or str(machine.get("name"))
        zone = documents.text(machine.get("zone"))
        sketch.nodes.append(
            Node(
                key=f"node/{name}",
                kind=Kind.NODE,
                name=name,
                facts=(str(machine.get("size", default="")), *_address(cards), *_disk(disks)),
                sources=(
                    machine,
                    *cards,
                    *disks,
                    *attached,
                    *links,
                    *documents.mentions(machine.get("availability_set_id")),
                ),
                zone=f"zone {zone}" if zone else None,
            )
        )
    for scale_set in documents.of("azurerm_linux_virtual_machine_scale_set"):
        settings = [
            each
            for each in documents.of("azurerm_monitor_autoscale_setting")
            if scale_set in documents.mentions(each.get("target_resource_id"))
        ]
        capacity = settings[0].get("profile", 0, "capacity", default={}) if settings else {}
        low = capacity.get("minimum", scale_set.get("instances"))
        high = capacity.get("maximum", scale_set.get("instances"))
        target = settings[0].get("profile", 0, "rule", 0, "metric_trigger", "threshold") if settings else None
        sketch.elastic = Part(
            key="elastic",
            kind=Kind.ELASTIC,
            name=bounds(low, high, "elastic nodes"),
            facts=(
                str(scale_set.get("sku", default="")),
                f"mean CPU {target} %" if target else "",
                "spot capacity" if scale_set.get("priority") == "Spot" else "",
            ),
            sources=(scale_set, *settings),
        )


def _address(cards: list[Resource]) -> Iterator[str]:
    for card in cards:
        match = CIDRHOST.fullmatch(str(card.get("ip_configuration", 0, "private_ip_address", default="")))
        if match:
            yield str(ipaddress.ip_network(match[1])[int(match[2])])


def _disk(disks: list[Resource]) -> Iterator[str]:
    for disk in disks:
        yield f"data disk {disk.get('disk_size_gb')} GiB"
