"""`[cloud.oracle]`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from aether_infra.catalog import oracle as catalog
from aether_infra.config.checks import Between, Matches, Network, check, items, required
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection


def ocid(kind: str) -> Matches:
    """The id of a resource of one kind.

    Form: https://docs.oracle.com/en-us/iaas/Content/General/Concepts/identifiers.htm (as of 2026-11).

    Args:
        kind: the second part of the id.
    """
    return Matches(
        rf"ocid1\.{kind}\.[a-z0-9-]+\.[a-z0-9-]*\.(?:[a-z0-9-]+\.)?[A-Za-z0-9_-]+",
        f"an OCID that begins with ocid1.{kind}.",
        "copy it from the console",
    )


REGION = Matches(catalog.REGION_FORM, 'a region such as "eu-frankfurt-1"', known=catalog.REGIONS)


@frozen(kw_only=True)
class OracleConfig(CloudSection):
    """`[cloud.oracle]`: an Aether cluster on Oracle Cloud."""

    provider: ClassVar[Provider] = Provider.ORACLE
    absent: ClassVar[Mapping[str, str]] = {
        "compartment_ocid": "the key is compartment_id",
        "instance_type": "this cloud calls it shape",
        "tenancy_ocid": "the key is tenancy_id",
        "vpc_id": "this cloud calls it vcn_id",
        "zone": "this cloud has availability domains: availability_zones says how many",
    }

    compute: Literal["oke", "vm"] = "oke"
    """What runs a node: Kubernetes Engine (default) or instances."""
    compartment_id: str = required(
        Matches(
            r"ocid1\.(?:compartment|tenancy)\.[a-z0-9-]+\.[a-z0-9-]*\.(?:[a-z0-9-]+\.)?[A-Za-z0-9_-]+",
            "an OCID that begins with ocid1.compartment. (or ocid1.tenancy. for the root)",
            "copy it from the console",
        ),
        example="ocid1.compartment.oc1..example",
    )
    """The compartment to build into."""
    tenancy_id: str = required(ocid("tenancy"), example="ocid1.tenancy.oc1..example")
    """The tenancy, where policies and dynamic groups live."""
    region: str = field(
        default="eu-frankfurt-1",
        metadata=check(REGION),
    )
    """Region; default eu-frankfurt-1."""
    home_region: str | None = field(default=None, metadata=check(REGION))
    """The tenancy's home region, the only one where rights can be written; default: looked up."""
    availability_zones: int | None = field(
        default=None, metadata=check(Between(1, 3, "availability domains"))
    )
    """How many availability domains, 1-3; default: all that the region has (3 or 1)."""
    vpc_cidr: str = field(default="10.0.0.0/16", metadata=check(Network(widest=16, narrowest=22)))
    """IPv4 range of the VCN, /16 to /22; default 10.0.0.0/16."""
    service_cidr: str = field(default="10.96.0.0/16", metadata=check(Network(widest=12, narrowest=24)))
    """IPv4 range of Kubernetes services (oke), apart from the VCN; default 10.96.0.0/16. Pods have addresses
    of the VCN itself."""
    nat: Literal["single", "none"] = "single"
    """NAT gateway of the VCN, or none; default single (a regional service)."""
    vcn_id: str | None = field(default=None, metadata=check(ocid("vcn")))
    """An existing VCN, with all four subnets; default: a new one."""
    api_subnet_id: str | None = field(default=None, metadata=check(ocid("subnet")))
    """The existing VCN's subnet for the Kubernetes API (oke)."""
    node_subnet_id: str | None = field(default=None, metadata=check(ocid("subnet")))
    """The existing VCN's subnet for the nodes."""
    pod_subnet_id: str | None = field(default=None, metadata=check(ocid("subnet")))
    """The existing VCN's subnet for pods (oke)."""
    load_balancer_subnet_id: str | None = field(default=None, metadata=check(ocid("subnet")))
    """The existing VCN's subnet for the load balancer."""
    shape: str = field(
        default="VM.Standard.E5.Flex",
        metadata=check(Matches(catalog.SHAPE_FORM, 'a shape such as "VM.Standard.E5.Flex"')),
    )
    """Shape of a node; default VM.Standard.E5.Flex."""
    ocpus: int = field(default=2, metadata=check(Between(1, 126, "OCPUs")))
    """OCPUs of a node, two processors each (flexible shapes); default 2."""
    memory_gib: int = field(default=16, metadata=check(Between(1, 1776, "GiB")))
    """Memory of a node in GiB (flexible shapes); default 16."""
    image_id: str | None = field(default=None, metadata=check(ocid("image")))
    """Machine image of a node; default: the newest Oracle Linux for the shape."""
    spot: bool = False
    """Elastic nodes on preemptible capacity; core nodes never are. Default off."""
    data_volume_gib: int = field(default=50, metadata=check(Between(50, 32768, "GiB")))
    """Size of a core node's data volume in GiB, 50-32768; default 50, the least. Source:
    https://docs.oracle.com/en-us/iaas/Content/Block/Concepts/overview.htm (as of 2026-11)."""
    ocir_repository: str | None = field(
        default=None,
        metadata=check(Matches(r"[a-z0-9](?:[a-z0-9._/-]{0,253}[a-z0-9])?", 'a name such as "aether-node"')),
    )
    """Repository of the node's image in the container registry; default `<cluster>-node`."""
    kms_key_id: str | None = field(default=None, metadata=check(ocid("key")))
    """Vault key for Kubernetes secrets and volumes; default: Oracle's own keys."""
    dns_zone_id: str | None = field(default=None, metadata=check(ocid("dns-zone")))
    """Existing DNS zone that holds `cloud.domain`; default: a new zone for it."""
    certificate_id: str | None = field(default=None, metadata=check(ocid("certificate")))
    """Existing certificate of the load balancer (vm); default: none, plain HTTP."""
    tls_secret: str | None = field(
        default=None,
        metadata=check(
            Matches(
                r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", "the name of a Kubernetes secret, in lower case"
            )
        ),
    )
    """Kubernetes secret of type kubernetes.io/tls, in the nodes' namespace, with the load balancer's certificate (oke);
    default: none, plain HTTP."""
    readable_secret_ids: tuple[str, ...] = field(default=(), metadata=items(ocid("vaultsecret")))
    """Vault secrets that the nodes' own identity may read (oke); default: none. Nodes fetch them by themselves."""
    kubernetes_version: str | None = field(
        default=None, metadata=check(Matches(r"v1\.\d{2}\.\d+", 'a Kubernetes version such as "v1.34.1"'))
    )
    """Kubernetes version (oke), as OKE lists it; default: the newest."""
    endpoint_public: bool = False
    """Whether the Kubernetes API has a public address (oke); default off."""
    authorized_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach the Kubernetes API (oke); default: only the VCN."""
    flow_logs: bool = True
    """Whether the subnets' flows are logged; default on."""
    ssh_public_key: str | None = field(
        default=None,
        metadata=check(Matches(r"(?:ssh-rsa|ssh-ed25519) [A-Za-z0-9+/=]+(?: .*)?", "an SSH public key")),
    )
    """SSH public key of the machines' user; default: none."""
