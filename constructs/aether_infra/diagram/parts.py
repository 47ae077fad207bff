"""All parts of a picture in one row."""

from __future__ import annotations

from aether_infra.diagram.model import Architecture, Part


def every_part(architecture: Architecture) -> list[Part]:
    """Every part, outer ones first."""
    found: list[Part | None] = [
        *architecture.actors,
        architecture.region,
        architecture.network,
        *architecture.subnets,
        *architecture.balancers,
        *architecture.gateways,
        architecture.group,
        *architecture.nodes,
        architecture.elastic,
        architecture.manager,
        *architecture.services,
    ]
    cluster = architecture.cluster
    if cluster is not None:
        pods = [pod for workload in cluster.workloads for pod in workload.pods]
        found += [
            cluster,
            cluster.api,
            *cluster.pools,
            *cluster.workloads,
            *pods,
            *cluster.services,
            *cluster.add_ons,
        ]
    return [part for part in found if part is not None]
