"""`[cloud.gcp]`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from aether_infra.catalog import gcp as catalog
from aether_infra.config.checks import Between, Matches, Network, OneOf, Zones, check, items, required
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection, MaintenanceWindow

NAME = Matches(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", 'a name in lower case such as "aether-node"')
NETWORK = Matches(
    r"(?:projects/[a-z0-9.:-]+/global/networks/)?[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    'a name such as "my-network", or projects/PROJECT/global/networks/NAME',
)
SUBNETWORK = Matches(
    r"(?:projects/[a-z0-9.:-]+/regions/[a-z0-9-]+/subnetworks/)?[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    'a name such as "my-subnet", or projects/PROJECT/regions/REGION/subnetworks/NAME',
)


@frozen(kw_only=True)
class GcpConfig(CloudSection):
    """`[cloud.gcp]`: an Aether cluster on Google Cloud."""

    provider: ClassVar[Provider] = Provider.GCP
    absent: ClassVar[Mapping[str, str]] = {
        "ecr_repository": "the registry here is Artifact Registry: artifact_repository",
        "instance_type": "this cloud calls it machine_type",
        "location": "this cloud calls it region",
        "project_id": "the key is project",
    }

    compute: Literal["gke", "vm"] = "gke"
    """What runs a node: Kubernetes Engine (default) or Compute Engine."""
    project: str = required(
        Matches(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", 'a project id such as "my-project"'),
        example="my-project",
    )
    """Id of the project, 6-30 characters. Source:
    https://cloud.google.com/resource-manager/docs/creating-managing-projects (as of 2026-11)."""
    region: str = field(
        default="us-central1",
        metadata=check(
            Matches(catalog.REGION_FORM, 'a region such as "us-central1"', known=tuple(catalog.REGIONS))
        ),
    )
    """Region; default us-central1."""
    zone: str | None = field(
        default=None,
        metadata=check(Matches(rf"{catalog.REGION_FORM}-[a-h]", 'a zone such as "us-central1-a"')),
    )
    """One zone of the region, for a zonal instead of a regional set-up; default: regional."""
    availability_zones: int | tuple[str, ...] = field(
        default=3,
        metadata=check(Zones(rf"{catalog.REGION_FORM}-[a-h]", 'a zone such as "us-central1-a"')),
    )
    """How many zones, the first of the region; or a list of names (`us-central1-a`). Default 3: no zone holds
    a majority."""
    vpc_cidr: str = field(default="10.0.0.0/20", metadata=check(Network(widest=8, narrowest=27)))
    """IPv4 range of the subnet: machines and load balancers, /8 to /27; default 10.0.0.0/20."""
    pod_cidr: str = field(default="10.4.0.0/14", metadata=check(Network(widest=9, narrowest=21)))
    """IPv4 range of pods (gke), /9 to /21; each machine takes a /24 of it; default 10.4.0.0/14. Source:
    https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips#defaults_limits (as of 2026-11)."""
    service_cidr: str = field(default="10.8.0.0/20", metadata=check(Network(widest=16, narrowest=27)))
    """IPv4 range of Kubernetes services (gke), /16 to /27; default 10.8.0.0/20. Source: as above."""
    master_cidr: str = field(default="172.16.0.0/28", metadata=check(Network(widest=28, narrowest=28)))
    """IPv4 range of the Kubernetes control plane (gke), exactly /28; default 172.16.0.0/28."""
    nat: Literal["single", "none"] = "single"
    """Cloud NAT of the region, or none; default single (a regional service: it survives the loss of a
    zone)."""
    network: str | None = field(default=None, metadata=check(NETWORK))
    """An existing network, with `subnetwork` (and the two ranges on gke); default: a new one."""
    subnetwork: str | None = field(default=None, metadata=check(SUBNETWORK))
    """The existing network's subnet."""
    pod_range: str | None = field(default=None, metadata=check(NAME))
    """Name of the existing subnet's secondary range for pods (gke)."""
    service_range: str | None = field(default=None, metadata=check(NAME))
    """Name of the existing subnet's secondary range for services (gke)."""
    machine_type: str = field(
        default="e2-standard-4",
        metadata=check(Matches(catalog.MACHINE_TYPE_FORM, 'a machine type such as "e2-standard-4"')),
    )
    """Machine type of a node; default e2-standard-4."""
    system_machine_type: str = field(
        default="e2-standard-2",
        metadata=check(Matches(catalog.MACHINE_TYPE_FORM, 'a machine type such as "e2-standard-2"')),
    )
    """Machine type of the small pool for the cluster's own pods (gke); default e2-standard-2."""
    spot: bool = False
    """Elastic nodes on spot capacity; core nodes never are. Default off."""
    artifact_repository: str | None = field(default=None, metadata=check(NAME))
    """Artifact Registry repository of the node's image; default `<cluster>-node`."""
    kms_key: str | None = field(
        default=None,
        metadata=check(
            Matches(
                r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
                "a key such as projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY",
            )
        ),
    )
    """KMS key, of the region, for disks, the registry and Kubernetes secrets; default: Google's own keys."""
    dns_zone: str | None = field(default=None, metadata=check(NAME))
    """Existing Cloud DNS zone, by name, that holds `cloud.domain`; default: a new zone for it."""
    certificate: str | None = field(default=None, metadata=check(NAME))
    """Existing SSL certificate of the load balancer, by name; default: a managed one for `cloud.domain`."""
    service_account: str | None = field(
        default=None,
        metadata=check(
            Matches(
                r"[a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com",
                "the e-mail address of a service account",
                "such as NAME@PROJECT.iam.gserviceaccount.com",
            )
        ),
    )
    """Existing service account of the machines; default: a new one with least roles."""
    vm_image: str = field(
        default="projects/cos-cloud/global/images/family/cos-stable",
        metadata=check(
            Matches(r"(?:projects/[^/]+/global/images/)?(?:family/)?[a-z0-9-]+", "a machine image")
        ),
    )
    """Machine image (vm), a Container-Optimized OS or what behaves like it; default: its newest stable one for the
    machine type's processor."""
    kubernetes_version: str | None = field(
        default=None,
        metadata=check(Matches(r"1\.\d{2}(?:\.\d+-gke\.\d+)?", 'a Kubernetes version such as "1.34"')),
    )
    """Least Kubernetes version (gke); default: the release channel's own."""
    release_channel: str = field(
        default="regular", metadata=check(OneOf(("rapid", "regular", "stable", "extended")))
    )
    """GKE's release channel: rapid, regular, stable or extended; default regular."""
    endpoint_public: bool = False
    """Whether the Kubernetes API has a public address (gke); default off."""
    authorized_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach the Kubernetes API (gke), private ones unless it is public; default: only the
    network itself."""
    maintenance: MaintenanceWindow = field(factory=MaintenanceWindow)
    """When GKE may upgrade."""
    system_nodes: int = field(default=3, metadata=check(Between(1, 9, "nodes")))
    """Machines of the small pool, over all zones (gke); default 3, one a zone."""
    flow_logs: bool = True
    """Whether the subnet's flows are logged; default on."""
