"""`[cloud.azure]`."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from aether_infra.catalog import azure as catalog
from aether_infra.config.checks import (
    Between,
    Fault,
    Length,
    Matches,
    Network,
    Zones,
    check,
    items,
    required,
)
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection, MaintenanceWindow

UUID = Matches(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "a UUID",
    "such as 00000000-0000-0000-0000-000000000000",
)
EXAMPLE_UUID = "00000000-0000-0000-0000-000000000000"


def resource_id(kind: str, example: str) -> Matches:
    """The id of a resource of one kind, in the letters that Azure itself prints: Terraform's provider insists on them.

    Args:
        kind: the path after `providers/`, with `*` for a name.
        example: the last part, for the message.
    """
    name = r"[A-Za-z0-9][\w.-]*"
    group = r"/subscriptions/[0-9a-fA-F-]{36}/resourceGroups/[\w.()-]{0,89}[\w()-]"
    pattern = rf"{group}/providers/{kind.replace('*', name)}"
    return Matches(
        pattern,
        f"a resource id such as /subscriptions/ID/resourceGroups/GROUP/providers/{example}",
        "with these capital letters",
    )


@frozen
class SshPublicKey:
    """An SSH public key that Azure takes: Ed25519, or RSA of 2048 bits or more.

    Source: https://learn.microsoft.com/en-us/azure/virtual-machines/linux/mac-create-ssh-keys (as of 2026-11).
    """

    def __call__(self, value: str) -> Iterator[Fault]:
        """Yield a fault if `value` is no such key."""
        kind, encoded, *_ = [*value.split(), "", ""]
        if not encoded:
            # not even the form of a key, of which another check tells
            return
        parts = _ssh_parts(encoded)
        if not parts or parts[0] != kind.encode():
            yield Fault(
                "is no SSH public key: what comes after its type is cut off or mistyped", "copy it whole"
            )
        elif kind == "ssh-rsa" and int.from_bytes(parts[-1], "big").bit_length() < catalog.SMALLEST_RSA_BITS:
            yield Fault(f"must have at least {catalog.SMALLEST_RSA_BITS} bits", "or take an Ed25519 key")


def _ssh_parts(encoded: str) -> list[bytes]:
    """The fields of a key, each with its length before it; none if it is malformed. RFC 4253, section 6.6."""
    try:
        rest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return []
    parts: list[bytes] = []
    while rest:
        end = 4 + int.from_bytes(rest[:4], "big")
        if len(rest) < end:
            return []
        parts.append(rest[4:end])
        rest = rest[end:]
    lengths = {b"ssh-ed25519": 2, b"ssh-rsa": 3}
    whole = bool(parts) and len(parts) == lengths.get(parts[0])
    if whole and parts[0] == b"ssh-ed25519":
        whole = len(parts[1]) == 32  # noqa: PLR2004 - a point of the curve
    return parts if whole else []


VM_SIZE = Matches(catalog.VM_SIZE_FORM, 'a VM size such as "Standard_D4s_v3"')


@frozen(kw_only=True)
class AzureConfig(CloudSection):
    """`[cloud.azure]`: an Aether cluster on Azure."""

    provider: ClassVar[Provider] = Provider.AZURE
    absent: ClassVar[Mapping[str, str]] = {
        "certificate": "an Azure load balancer passes TCP on: HTTPS ends at the node",
        "client_id": "it comes from the environment: ARM_CLIENT_ID",
        "ecr_repository": "the registry here is a Container Registry: acr_name",
        "instance_type": "this cloud calls it vm_size",
        "nat": "nodes leave through one NAT gateway; for another way out bring your own subnet: subnet_id",
        "region": "this cloud calls it location",
        "tenant_id": "it comes from the environment: ARM_TENANT_ID",
    }

    compute: Literal["aks", "vm"] = "aks"
    """What runs a node: Kubernetes Service (default) or virtual machines."""
    subscription_id: str = required(UUID, example=EXAMPLE_UUID)
    """The subscription."""
    resource_group: str | None = field(
        default=None,
        metadata=check(
            Matches(r"[\w.()-]{0,89}[\w()-]", "1-90 letters, digits and _-.(), and not end in a full stop")
        ),
    )
    """Name of the resource group that is made; default `<cluster>-rg`. Form:
    https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/resource-name-rules
    (as of 2026-11)."""
    location: str = field(
        default="westus2",
        metadata=check(
            Matches(
                catalog.LOCATION_FORM,
                'a location such as "westus2"',
                "in lower case, without spaces",
                known=tuple(catalog.LOCATIONS),
            )
        ),
    )
    """Location; default westus2."""
    availability_zones: int | tuple[str, ...] = field(
        default=3, metadata=check(Zones("[123]", 'a zone: "1", "2" or "3"', most=3))
    )
    """How many zones, or a list such as `["1", "2"]`. Default 3: no zone holds a majority."""
    vpc_cidr: str = field(default="10.0.0.0/16", metadata=check(Network(widest=8, narrowest=24)))
    """IPv4 range of the virtual network, /8 to /24; default 10.0.0.0/16."""
    pod_cidr: str = field(default="10.244.0.0/16", metadata=check(Network(widest=8, narrowest=23)))
    """IPv4 range of pods (aks, overlay); each machine takes a /24 of it; default 10.244.0.0/16. Source:
    https://learn.microsoft.com/en-us/azure/aks/concepts-network-azure-cni-overlay (as of 2026-11)."""
    service_cidr: str = field(default="172.20.0.0/16", metadata=check(Network(widest=13, narrowest=27)))
    """IPv4 range of Kubernetes services (aks), smaller than /12; default 172.20.0.0/16. Source:
    https://learn.microsoft.com/en-us/azure/aks/configure-azure-cni (as of 2026-11)."""
    subnet_id: str | None = field(
        default=None,
        metadata=check(
            resource_id(
                "Microsoft.Network/virtualNetworks/*/subnets/*",
                "Microsoft.Network/virtualNetworks/NETWORK/subnets/SUBNET",
            )
        ),
    )
    """An existing subnet of this subscription for the nodes; default: a new network."""
    vm_size: str = field(default="Standard_D4s_v3", metadata=check(VM_SIZE))
    """VM size of a node; default Standard_D4s_v3."""
    system_vm_size: str = field(default="Standard_D2s_v3", metadata=check(VM_SIZE))
    """VM size of the small pool for the cluster's own pods (aks); default Standard_D2s_v3."""
    system_nodes: int = field(default=3, metadata=check(Between(1, 9, "nodes")))
    """Machines of the small pool, over all zones (aks); default 3, one a zone."""
    host_encryption: bool = False
    """Encryption at the host; default off: the subscription must have the feature registered first."""
    spot: bool = False
    """Elastic nodes on spot capacity; core nodes never are. Default off."""
    acr_name: str | None = field(
        default=None, metadata=check(Matches(r"[A-Za-z0-9]{5,50}", "5-50 letters and digits"))
    )
    """Name of the container registry, unique in all of Azure; default: derived from the cluster and the
    subscription.
    Form: https://registry.terraform.io/providers/hashicorp/azurerm/4.55.0/docs/resources/container_registry
    (as of 2026-11)."""
    acr_sku: Literal["Basic", "Standard", "Premium"] = "Premium"
    """Tier of the registry; default Premium: zone-redundant, with retention of untagged images."""
    disk_encryption_set_id: str | None = field(
        default=None,
        metadata=check(
            resource_id("Microsoft.Compute/diskEncryptionSets/*", "Microsoft.Compute/diskEncryptionSets/NAME")
        ),
    )
    """Disk encryption set of the disks; default: Microsoft's own keys."""
    dns_zone_id: str | None = field(
        default=None,
        metadata=check(resource_id("Microsoft.Network/dnsZones/*", "Microsoft.Network/dnsZones/ZONE")),
    )
    """Existing DNS zone that holds `cloud.domain`; default: a new zone for it."""
    log_analytics_workspace_id: str | None = field(
        default=None,
        metadata=check(
            resource_id(
                "Microsoft.OperationalInsights/workspaces/*", "Microsoft.OperationalInsights/workspaces/NAME"
            )
        ),
    )
    """Existing Log Analytics workspace; default: a new one."""
    admin_group_ids: tuple[str, ...] = field(default=(), metadata=items(UUID))
    """Object ids of the Entra groups that administer the cluster (aks); default: none."""
    admin_username: str = field(
        default="aether", metadata=check(Matches(r"[a-z_][a-z0-9_-]{0,31}", 'a Linux user such as "aether"'))
    )
    """Administrator of the machines (vm); default aether."""
    admin_ssh_public_key: str | None = field(
        default=None,
        metadata=check(
            Length(60, 8192),
            Matches(r"(?:ssh-rsa|ssh-ed25519) [A-Za-z0-9+/=]+(?: .*)?", "an SSH public key"),
            SshPublicKey(),
        ),
    )
    """SSH public key of the administrator (vm); default: a key pair that nobody holds."""
    vm_image: str | None = field(
        default=None,
        metadata=check(
            Matches(r"[\w.-]+:[\w.-]+:[\w.-]+:[\w.-]+", "an image as PUBLISHER:OFFER:SKU:VERSION")
        ),
    )
    """Machine image (vm) as PUBLISHER:OFFER:SKU:VERSION, with cloud-init and apt-get or dnf; default: Ubuntu 24.04
    for the processors of `vm_size`."""
    secure_boot: bool = True
    """Whether machines have secure boot and a virtual TPM (vm), where `vm_size` has it; off for an image of generation
    1, or one that nobody signed. Default on."""
    kubernetes_version: str | None = field(
        default=None,
        metadata=check(Matches(r"1\.\d{2}", 'a Kubernetes version such as "1.34"', "minor only")),
    )
    """Kubernetes version (aks), minor only, as the upgrade channel moves the patch; default: AKS's own."""
    sku_tier: Literal["Free", "Standard", "Premium"] = "Standard"
    """Tier of the control plane (aks); default Standard: Free has no uptime agreement."""
    upgrade_channel: Literal["none", "patch", "stable", "rapid", "node-image"] = "patch"
    """What AKS upgrades by itself; default patch."""
    node_os_upgrade_channel: Literal["None", "Unmanaged", "SecurityPatch", "NodeImage"] = "NodeImage"
    """How the machines' system is kept current (aks); default NodeImage."""
    endpoint_public: bool = False
    """Whether the Kubernetes API has a public address (aks); default off."""
    authorized_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach the public Kubernetes API (aks); default: nobody."""
    maintenance: MaintenanceWindow = field(factory=MaintenanceWindow)
    """When AKS may upgrade."""

    @property
    def region(self) -> str:
        """The location, by the name that other clouds use."""
        return self.location

    @property
    def machine_image(self) -> str:
        """The machine image, default filled in."""
        if self.vm_image is not None:
            return self.vm_image
        if catalog.generation_1(self.vm_size):
            return catalog.NODE_MACHINE_IMAGE_GENERATION_1
        return catalog.NODE_MACHINE_IMAGE_ARM64 if catalog.arm64(self.vm_size) else catalog.NODE_MACHINE_IMAGE
