"""Facts about Azure."""

import re
from collections.abc import Mapping
from typing import Final

LOCATION_FORM: Final = r"[a-z]{4,25}[0-9]?"
"""Form of a location's name."""

LOCATIONS: Final[Mapping[str, bool]] = {
    "australiacentral": False,
    "australiaeast": True,
    "australiasoutheast": False,
    "austriaeast": True,
    "brazilsouth": True,
    "brazilsoutheast": False,
    "canadacentral": True,
    "canadaeast": False,
    "centralindia": True,
    "centralus": True,
    "chilecentral": True,
    "eastasia": True,
    "eastus": True,
    "eastus2": True,
    "francecentral": True,
    "francesouth": False,
    "germanynorth": False,
    "germanywestcentral": True,
    "indonesiacentral": True,
    "israelcentral": True,
    "italynorth": True,
    "japaneast": True,
    "japanwest": True,
    "koreacentral": True,
    "koreasouth": False,
    "malaysiawest": True,
    "mexicocentral": True,
    "newzealandnorth": True,
    "northcentralus": False,
    "northeurope": True,
    "norwayeast": True,
    "norwaywest": False,
    "polandcentral": True,
    "qatarcentral": True,
    "southafricanorth": True,
    "southafricawest": False,
    "southcentralus": True,
    "southeastasia": True,
    "southindia": False,
    "spaincentral": True,
    "swedencentral": True,
    "switzerlandnorth": True,
    "switzerlandwest": False,
    "uaecentral": False,
    "uaenorth": True,
    "uksouth": True,
    "ukwest": False,
    "usgovarizona": False,
    "usgovvirginia": True,
    "westcentralus": False,
    "westeurope": True,
    "westindia": False,
    "westus": False,
    "westus2": True,
    "westus3": True,
}
"""Locations, and whether each has availability zones (always 1, 2 and 3). Source:
https://learn.microsoft.com/en-us/azure/reliability/regions-list (as of 2026-11)."""

ZONES: Final = ("1", "2", "3")
"""Zones of a location that has any. Source: as above."""

RESERVED_NETWORKS: Final = (
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "255.255.255.255/32",
)
"""Ranges that no virtual network may have. Source:
https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-faq (as of 2026-11)."""

AKS_RESERVED_NETWORKS: Final = ("172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")
"""Ranges that AKS keeps besides. Source:
https://learn.microsoft.com/en-us/azure/aks/configure-azure-cni#prerequisites (as of 2026-11)."""

VM_SIZE_FORM: Final = r"Standard_[A-Z]+[0-9]+(?:-[0-9]+)?[a-zA-Z]*(?:_[A-Za-z0-9]+)*"
"""Form of a VM size; `Basic_` ones have no Standard load balancer, scale set or AKS. Source:
https://learn.microsoft.com/en-us/azure/virtual-machines/vm-naming-conventions (as of 2026-11)."""

GENERATION_1_SIZE: Final = r"Standard_(?:A\d+m?(?:_v2)?|DS?\d+|D\d+_v[23]|E\d+i?_v3|F\d+s?)(?:_Promo)?"
"""VM sizes that start by BIOS alone: the first versions, and the second and third without `s`. Source:
https://learn.microsoft.com/en-us/azure/virtual-machines/generation-2 (as of 2026-11)."""

GIB_PER_CPU: Final[Mapping[str, int]] = {"D": 4, "E": 8, "F": 2}
"""Memory per processor of the usual families without `l` (half) in the name. Source: as above."""

APPLICATION_PORT: Final = 80
"""Port that users call; a load balancer of Azure passes TCP on, so HTTPS would have to end at the node."""

LOG_RETENTION_DAYS: Final = (30, 730)
"""Least and most days that a Log Analytics workspace keeps logs. Source:
https://registry.terraform.io/providers/hashicorp/azurerm/4.55.0/docs/resources/log_analytics_workspace
(as of 2026-11)."""

FIRST_NVME_VERSION: Final = 6
"""From this version on, VM sizes have no SCSI disks. Source: see `disk_device`."""

DISALLOWED_USERS: Final = (
    *("1", "123", "a", "actuser", "adm", "admin", "admin1", "admin2", "administrator", "aspnet", "backup"),
    *("console", "david", "guest", "john", "owner", "root", "server", "sql", "support", "support_388945a0"),
    *("sys", "test", "test1", "test2", "test3", "user", "user1", "user2", "user3", "user4", "user5"),
)
"""Names that a machine's administrator must not have. Source:
https://learn.microsoft.com/en-us/azure/virtual-machines/linux/faq#what-are-the-username-requirements-when-creating-a-vm-
(as of 2026-11)."""

NOBODYS_SSH_KEY: Final = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM1ytBaOHftDexTlBSkMB+ktBPq+Tyt/GZUntKRK2SQt nobody"
)
"""An SSH key that opens nothing, where Azure insists on one: its public half is the SHA-256 of the sentence
`aether-infra: nobody holds this key (1)`, so nobody ever had a private half."""

SMALLEST_RSA_BITS: Final = 2048
"""Shortest RSA key of an administrator. Source:
https://learn.microsoft.com/en-us/azure/virtual-machines/linux/mac-create-ssh-keys (as of 2026-11)."""

NODE_MACHINE_IMAGE: Final = "Canonical:ubuntu-24_04-lts:server:latest"
"""Machine image for x86 processors."""
NODE_MACHINE_IMAGE_GENERATION_1: Final = "Canonical:ubuntu-24_04-lts:server-gen1:latest"
"""Machine image for x86 processors that start by BIOS."""
NODE_MACHINE_IMAGE_ARM64: Final = "Canonical:ubuntu-24_04-lts:server-arm64:latest"
"""Machine image for Arm processors."""


def memory_mib(vm_size: str) -> int | None:
    """Memory of a VM size in MiB; None for a family that is not known here."""
    match = re.fullmatch(r"Standard_([DEF])(\d+)([a-z]*)(?:_v\d+)?", vm_size)
    if not match or "l" in match[3]:
        return None
    return GIB_PER_CPU[match[1]] * int(match[2]) * 1024


def arm64(vm_size: str) -> bool:
    """Whether a VM size has Arm processors: `p` among its features."""
    match = re.match(r"Standard_[A-Z]+\d+(?:-\d+)?([a-z]*)", vm_size)
    return match is not None and "p" in match[1]


def generation_1(vm_size: str) -> bool:
    """Whether a VM size starts by BIOS alone, so that it takes images of generation 1 only."""
    return re.fullmatch(GENERATION_1_SIZE, vm_size) is not None


def disk_type(vm_size: str) -> str:
    """Managed disks that a VM size takes: premium ones only where `s` is among its features.

    Source: https://learn.microsoft.com/en-us/azure/virtual-machines/vm-naming-conventions (as of 2026-11).
    """
    match = re.match(r"Standard_([A-Z]+)\d+(?:-\d+)?([a-z]*)", vm_size)
    premium = match is not None and ("S" in match[1][1:] or "s" in match[2])
    return "Premium_LRS" if premium else "StandardSSD_LRS"


def trusted_launch(vm_size: str) -> bool:
    """Whether a VM size has secure boot and a virtual TPM: not on Arm, nor where machines start by BIOS.

    Source: https://learn.microsoft.com/en-us/azure/virtual-machines/trusted-launch#virtual-machines-sizes
    (as of 2026-11).
    """
    return not arm64(vm_size) and not generation_1(vm_size)


def disk_device(vm_size: str, lun: int) -> str:
    """Device of a data disk: sizes from version 6 on have disks on NVMe alone.

    Source: https://learn.microsoft.com/en-us/azure/virtual-machines/linux/azure-virtual-machine-utilities
    (as of 2026-11).
    """
    version = re.search(r"_v(\d+)$", vm_size)
    if version is not None and int(version[1]) >= FIRST_NVME_VERSION:
        return f"/dev/disk/azure/data/by-lun/{lun}"
    return f"/dev/disk/azure/scsi1/lun{lun}"
