"""What is drawn, in words that every cloud shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from attrs import field, frozen

from aether_infra.diagram.document import Resource
from aether_infra.diagram.ports import Ports


class Kind(StrEnum):
    """What a part is: decides on icon, colour and the word for it."""

    USERS = "users"
    OPERATORS = "operators"
    INTERNET = "internet"
    REGION = "region"
    NETWORK = "network"
    SUBNET = "subnet"
    ZONE = "zone"
    NODE = "core node"
    ELASTIC = "elastic nodes"
    BALANCER = "load balancer"
    GATEWAY = "gateway"
    ENDPOINT = "private way to services"
    NEIGHBOUR = "other machines of the network"
    MANAGER = "runtime manager"
    CLUSTER = "Kubernetes cluster"
    API = "Kubernetes API"
    POOL = "machines"
    WORKLOAD = "workload"
    SERVICE = "Kubernetes service"
    FIREWALL = "firewall"
    DNS = "name"
    CERTIFICATE = "certificate"
    REGISTRY = "image registry"
    STORAGE = "storage"
    SECRETS = "secrets"
    KEY = "encryption key"
    LOGS = "logs"
    ALARMS = "alarms"
    ROLLOUT = "rollout"
    OTHER = "other"


class Place(StrEnum):
    """Where a load balancer stands."""

    GLOBAL = "global"
    """At the edge of the cloud's own network, in no region."""
    REGION = "region"
    """In the region, in no network of the customer's."""
    NETWORK = "network"
    """In the network."""


class Purpose(StrEnum):
    """What a flow is for: decides on the line's colour and dashes."""

    TRAFFIC = "application traffic"
    MANAGEMENT = "management"
    HEALTH = "health checks"
    PEERS = "among the nodes"
    EGRESS = "way out"
    CONTROL = "control and services"


def said(lines: Iterable[str]) -> tuple[str, ...]:
    """Lines without empty ones."""
    return tuple(line for line in lines if line)


@frozen(kw_only=True)
class Part:
    """One thing in the picture."""

    key: str
    """Its name within the picture, by which flows find it; stable as long as the resources are."""
    kind: Kind
    name: str
    """Its heading."""
    facts: tuple[str, ...] = field(default=(), converter=said)
    """Short lines below the heading; empty ones are left out."""
    sources: tuple[Resource, ...] = ()
    """The resources that it was read from."""
    existing: bool = False
    """Whether it was there before, and is only used."""


@frozen(kw_only=True)
class Subnet(Part):
    """A part of the network."""

    zone: str | None = None
    """Its zone; None if it lies in all of them, or if only the cloud knows."""
    public: bool | None = None
    """Whether it has a way to the internet of its own; None if only the cloud knows."""
    zonal: bool = True
    """Whether it lies in one zone, known or not."""


@frozen(kw_only=True)
class Node(Part):
    """A core node: a voter."""

    zone: str | None = None
    subnet: str | None = None
    """Key of its subnet, where that lies in one zone."""


@frozen(kw_only=True)
class Gateway(Part):
    """A way out of the network."""

    subnet: str | None = None
    """Key of the zonal subnet that it stands in; None for one of the whole network."""
    outward: bool = True
    """Whether it leads to the internet, and not to the cloud's services."""


@frozen(kw_only=True)
class Balancer(Part):
    """A load balancer: the only way in for users."""

    place: Place = Place.NETWORK
    subnet: str | None = None
    """Key of the subnet of all zones that it stands in."""
    listeners: tuple[str, ...] = ()
    """What it does on each port, one line each."""


@frozen(kw_only=True)
class Pool(Part):
    """Machines of a Kubernetes cluster."""

    zones: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    """Labels of the machines, by which pods choose them."""
    system: bool = False
    """Whether it is for the cluster's own pods."""


@frozen(kw_only=True)
class Workload(Part):
    """What runs in a Kubernetes cluster."""

    pods: tuple[Part, ...] = ()
    """The core nodes, one by one, or all elastic nodes as one."""
    selector: Mapping[str, str] = {}
    """Labels of the machines that it runs on; empty for any."""


@frozen(kw_only=True)
class Service(Part):
    """A Kubernetes service."""

    published: bool = False
    """Whether something outside of the cluster leads to it."""


@frozen(kw_only=True)
class Cluster(Part):
    """A Kubernetes cluster and what runs in it."""

    api: Part | None = None
    api_subnet: str | None = None
    """Key of the subnet that the API has to itself."""
    pools: tuple[Pool, ...] = ()
    workloads: tuple[Workload, ...] = ()
    services: tuple[Service, ...] = ()
    add_ons: tuple[Part, ...] = ()


@frozen(kw_only=True)
class Flow:
    """Traffic that is let through from one part to another."""

    source: str
    """Key of a part."""
    target: str
    """Key of a part."""
    purpose: Purpose
    ports: tuple[Ports, ...]
    """What is let through, merged and sorted; none where a way leads on without saying what for."""
    label: tuple[str, ...]
    """The ports in words, one line each."""
    networks: tuple[str, ...] = ()
    """Of which CIDRs, where that is said."""
    sources: tuple[Resource, ...] = ()
    """The rules, listeners or routes that it was read from."""


@frozen(kw_only=True)
class Others:
    """Resources of one concern that have no place of their own in the picture."""

    concern: str
    counts: tuple[tuple[str, int], ...]
    """Words for a type, and how many there are."""
    sources: tuple[Resource, ...]


@frozen(kw_only=True)
class Architecture:
    """Everything that is drawn."""

    title: str
    """The cluster's name."""
    cloud: str
    """The cloud's name."""
    summary: tuple[str, ...]
    """What it is in a few words, such as the kind of compute and the number of nodes."""
    actors: tuple[Part, ...]
    """Who is outside, of those that are let in or called."""
    region: Part | None
    """None for a cluster that exists somewhere."""
    network: Part | None
    subnets: tuple[Subnet, ...]
    zones: tuple[str, ...]
    """Zones that nodes or subnets are in, in order."""
    nodes: tuple[Node, ...]
    elastic: Part | None
    manager: Part | None
    """The service that keeps the number of nodes at run time, where it runs beside them."""
    group: Part | None
    """The nodes as the firewall sees them, all together."""
    balancers: tuple[Balancer, ...]
    gateways: tuple[Gateway, ...]
    cluster: Cluster | None
    services: tuple[Part, ...]
    """What the cloud runs beside the network."""
    flows: tuple[Flow, ...]
    others: tuple[Others, ...]
    resources: tuple[Resource, ...]
    """Every resource of the documents."""


NODES = "nodes"
"""Key of all nodes together."""
MACHINES = "machines"
"""Key of all machines of a Kubernetes cluster together."""
USERS = "users"
OPERATORS = "operators"
INTERNET = "internet"
INTERNET_GATEWAY = "internet-gateway"
"""Key of the network's door to the internet."""
API = "api"
"""Key of the Kubernetes API."""
MANAGER = "manager"
"""Key of the service that keeps the number of nodes at run time."""
SERVICES = "services"
"""Key of what the cloud runs beside the network, all together."""
NEIGHBOURS = "neighbours"
"""Key of whatever else the network holds."""
