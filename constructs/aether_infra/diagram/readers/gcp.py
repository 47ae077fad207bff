"""Google Cloud: network, ways out, firewall rules, and what stands beside the network."""

from __future__ import annotations

from aether_infra.diagram.document import Resource, blocks, step
from aether_infra.diagram.model import (
    API,
    INTERNET,
    MACHINES,
    MANAGER,
    NODES,
    Gateway,
    Kind,
    Part,
    Subnet,
)
from aether_infra.diagram.ports import Ports, ports, spans
from aether_infra.diagram.readers import gcp_compute, gcp_traffic
from aether_infra.diagram.readers.sketch import Sketch

NAT = "nat"
GOOGLE = frozenset({"35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22"})
"""Addresses of Google's load balancers and health checks.
Source: https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""
API_PORT = 443


def parts(sketch: Sketch) -> None:
    """Read what there is."""
    documents = sketch.documents
    sketch.cloud = "Google Cloud"
    project = documents.output("runtime", "project")
    sketch.region = Part(
        key="region",
        kind=Kind.REGION,
        name=f"Region {documents.output('region') or ''}",
        facts=(f"project {project}" if project else "",),
    )
    _network(sketch)
    gcp_compute.read(sketch)
    gcp_traffic.balancers(sketch)
    for nat in documents.of("google_compute_router_nat"):
        sketch.gateways.append(
            Gateway(
                key=NAT,
                kind=Kind.GATEWAY,
                name="Cloud NAT",
                facts=(str(nat.get("name", default="")),),
                sources=(nat, *documents.of("google_compute_router")),
            )
        )
    _services(sketch)


def _network(sketch: Sketch) -> None:
    documents = sketch.documents
    network = documents.first("google_compute_network", "data.google_compute_network")
    if network is not None:
        sketch.network = Part(
            key="network",
            kind=Kind.NETWORK,
            name=f"VPC {network.get('name')}",
            sources=(network,),
            existing=network.is_data,
        )
    for subnet in documents.of("google_compute_subnetwork", "data.google_compute_subnetwork"):
        cidr = documents.text(subnet.get("ip_cidr_range"))
        sketch.ranges += [cidr] if cidr else []
        sketch.subnets.append(
            Subnet(
                key=f"subnet/{subnet.name}",
                kind=Kind.SUBNET,
                name=f"Subnet {subnet.get('name')}",
                facts=(cidr,),
                sources=(subnet,),
                public=False,
                zonal=False,
                existing=subnet.is_data,
            )
        )


def rules(sketch: Sketch) -> None:
    """Read who may call whom."""
    inside = MACHINES if sketch.cluster and sketch.cluster.pools else NODES
    for firewall in sketch.documents.of("google_compute_firewall"):
        for target in _members(sketch, firewall.get("target_service_accounts")) or [inside]:
            for allowed in _ports(firewall):
                _let(sketch, firewall, allowed, target)
    _api(sketch)
    for gateway in sketch.gateways:
        if gateway.key == NAT:
            sketch.let(inside, NAT, None, *gateway.sources)
            sketch.let(NAT, INTERNET, None, *gateway.sources)


def _members(sketch: Sketch, accounts: object) -> list[str]:
    """Keys of the parts that firewalls know by these service accounts."""
    values = accounts if isinstance(accounts, list) else []
    return list(dict.fromkeys(key for value in values for key in sketch.protected(value)))


def _ports(firewall: Resource) -> list[Ports]:
    found = []
    for each in blocks(firewall.get("allow")):
        found += [spans(each.get("protocol"), port) for port in each.get("ports") or [None]]
    return found


def _let(sketch: Sketch, firewall: Resource, allowed: Ports, inside: str) -> None:
    accounts = firewall.get("source_service_accounts")
    if accounts:
        for source in _members(sketch, accounts) or [inside]:
            sketch.let(source, inside, allowed, firewall)
        return
    networks = [str(each) for each in firewall.get("source_ranges", default=[])]
    own = [each for each in networks if each in GOOGLE]
    others = [each for each in networks if each not in GOOGLE]
    for balancer in sketch.balancers if own and inside != MANAGER else ():
        if (balancer.key, allowed.low) in sketch.backs:
            sketch.let(balancer.key, inside, allowed, firewall)
    fronts = sketch.fronts if inside != MANAGER else {}
    passing = [balancer for balancer in sketch.balancers if (balancer.key, allowed.low) in fronts]
    if others and passing:  # a passthrough balancer keeps the caller's address
        sketch.let(
            sketch.outsider(passing[-1].key, allowed), passing[-1].key, allowed, firewall, networks=others
        )
        sketch.let(passing[-1].key, inside, allowed, firewall)
    elif others:
        sketch.let(sketch.outsider(inside, allowed), inside, allowed, firewall, networks=others)


def _api(sketch: Sketch) -> None:
    """Who may reach the Kubernetes API. The subnet of the machines always may, whatever the list says."""
    for cluster in sketch.documents.of("google_container_cluster"):
        config = cluster.get("master_authorized_networks_config", default={})
        networks = [str(each["cidr_block"]) for each in blocks(config.get("cidr_blocks"))]
        if networks:
            sketch.let("operators", API, ports("tcp", API_PORT), cluster, networks=networks, role="")
        sketch.let(MACHINES, API, ports("tcp", API_PORT), cluster, role="")


def _services(sketch: Sketch) -> None:
    documents = sketch.documents
    zones = documents.of("google_dns_managed_zone", "data.google_dns_managed_zone")
    for record in documents.of("google_dns_record_set"):
        zone = documents.follow(record.get("managed_zone"))
        sketch.add(
            Kind.DNS,
            f"dns/{record.name}",
            documents.text(record.get("name")).rstrip("."),
            "Cloud DNS, signed zone" if zone and zone.get("dnssec_config", "state") == "on" else "Cloud DNS",
            sources=[record, *(each for each in zones if not each.is_data)],
        )
    certificates = documents.of("google_compute_managed_ssl_certificate")
    for certificate in certificates:
        sketch.add(
            Kind.CERTIFICATE,
            "certificate",
            "Managed certificate",
            *(str(each) for each in step(certificate.arguments, ("managed", "domains"), [])),
            sources=[certificate, *documents.of("google_compute_ssl_policy")],
        )
    for repository in documents.of("google_artifact_registry_repository"):
        fixed = repository.get("docker_config", "immutable_tags")
        sketch.add(
            Kind.REGISTRY,
            "registry",
            f"Artifact Registry {repository.get('repository_id')}",
            "immutable tags" if fixed else "",
            sources=[repository, *documents.of("google_artifact_registry_repository_iam_member")],
        )
    grants = documents.of("google_secret_manager_secret_iam_member")
    names = list(dict.fromkeys(str(each.get("secret_id")) for each in grants))
    sketch.add(Kind.SECRETS, "secrets", "Secret Manager", *names, sources=grants)
    grants = documents.of("google_kms_crypto_key_iam_member")
    keys = list(dict.fromkeys(str(each.get("crypto_key_id")).rpartition("/")[2] for each in grants))
    sketch.add(
        Kind.KEY,
        "key",
        f"KMS key {', '.join(keys)}",
        "of disks, images and secrets",
        sources=grants,
        existing=True,
    )
    buckets = documents.of("google_logging_project_bucket_config")
    for bucket in buckets:
        sketch.add(
            Kind.LOGS,
            "logs",
            f"Log bucket {bucket.get('bucket_id')}",
            f"kept {bucket.get('retention_days')} days",
            sources=[
                bucket,
                *documents.of("google_logging_project_sink", "google_logging_project_exclusion"),
            ],
        )
