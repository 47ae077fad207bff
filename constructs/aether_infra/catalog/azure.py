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

VM_SIZE_FORM: Final = r"(?:Standard|Basic)_[A-Z]+[0-9]+(?:-[0-9]+)?[a-zA-Z]*(?:_[A-Za-z0-9]+)*"
"""Form of a VM size. Source: https://learn.microsoft.com/en-us/azure/virtual-machines/vm-naming-conventions
(as of 2026-11)."""

GIB_PER_CPU: Final[Mapping[str, int]] = {"D": 4, "E": 8, "F": 2}
"""Memory per processor of the usual families without `l` (half) in the name. Source: as above."""

LOG_RETENTION_DAYS: Final = (30, 730)
"""Least and most days that a Log Analytics workspace keeps logs. Source:
https://registry.terraform.io/providers/hashicorp/azurerm/4.55.0/docs/resources/log_analytics_workspace
(as of 2026-11)."""


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
