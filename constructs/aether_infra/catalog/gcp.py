"""Facts about Google Cloud."""

import re
from collections.abc import Mapping
from typing import Final

REGION_FORM: Final = r"[a-z]+-[a-z]+[0-9]{1,2}"
"""Form of a region's name."""
_USUAL = ("a", "b", "c")

REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "africa-south1": _USUAL,
    "asia-east1": _USUAL,
    "asia-east2": _USUAL,
    "asia-northeast1": _USUAL,
    "asia-northeast2": _USUAL,
    "asia-northeast3": _USUAL,
    "asia-south1": _USUAL,
    "asia-south2": _USUAL,
    "asia-southeast1": _USUAL,
    "asia-southeast2": _USUAL,
    "australia-southeast1": _USUAL,
    "australia-southeast2": _USUAL,
    "europe-central2": _USUAL,
    "europe-north1": _USUAL,
    "europe-north2": _USUAL,
    "europe-southwest1": _USUAL,
    "europe-west1": ("b", "c", "d"),
    "europe-west10": _USUAL,
    "europe-west12": _USUAL,
    "europe-west2": _USUAL,
    "europe-west3": _USUAL,
    "europe-west4": _USUAL,
    "europe-west6": _USUAL,
    "europe-west8": _USUAL,
    "europe-west9": _USUAL,
    "me-central1": _USUAL,
    "me-central2": _USUAL,
    "me-west1": _USUAL,
    "northamerica-northeast1": _USUAL,
    "northamerica-northeast2": _USUAL,
    "northamerica-south1": _USUAL,
    "southamerica-east1": _USUAL,
    "southamerica-west1": _USUAL,
    "us-central1": ("a", "b", "c", "f"),
    "us-east1": ("b", "c", "d"),
    "us-east4": _USUAL,
    "us-east5": _USUAL,
    "us-south1": _USUAL,
    "us-west1": _USUAL,
    "us-west2": _USUAL,
    "us-west3": _USUAL,
    "us-west4": _USUAL,
}
"""Letters of each region's zones. Source: https://cloud.google.com/compute/docs/regions-zones
(as of 2026-11)."""

MACHINE_TYPE_FORM: Final = r"[a-z][a-z0-9]*-(?:[a-z]+[a-z0-9]*)(?:-[a-z0-9]+)*"
"""Form of a machine type. Source: https://cloud.google.com/compute/docs/machine-resource (as of 2026-11)."""

GIB_PER_CPU: Final[Mapping[tuple[str, str], float]] = {
    ("c2", "standard"): 4,
    ("c2d", "highcpu"): 2,
    ("c2d", "highmem"): 8,
    ("c2d", "standard"): 4,
    ("c3", "highcpu"): 2,
    ("c3", "highmem"): 8,
    ("c3", "standard"): 4,
    ("c3d", "highcpu"): 2,
    ("c3d", "highmem"): 8,
    ("c3d", "standard"): 4,
    ("c4", "highcpu"): 2,
    ("e2", "highcpu"): 1,
    ("e2", "highmem"): 8,
    ("e2", "standard"): 4,
    ("n1", "highcpu"): 0.9,
    ("n1", "highmem"): 6.5,
    ("n1", "standard"): 3.75,
    ("n2", "highcpu"): 1,
    ("n2", "highmem"): 8,
    ("n2", "standard"): 4,
    ("n2d", "highcpu"): 1,
    ("n2d", "highmem"): 8,
    ("n2d", "standard"): 4,
    ("n4", "highcpu"): 2,
    ("n4", "highmem"): 8,
    ("n4", "standard"): 4,
    ("t2a", "standard"): 4,
    ("t2d", "standard"): 4,
}
"""Memory per processor by family and kind. Source: as above, "General-purpose machine family"."""

ARM_FAMILIES: Final = ("c4a", "n4a", "t2a")
"""Families with Arm processors. Source: https://cloud.google.com/compute/docs/instances/arm-on-compute
(as of 2026-11)."""

HYPERDISK_FAMILIES: Final = ("a4", "a4x", "c4", "c4a", "c4d", "g4", "h4d", "m4", "n4", "n4a", "n4d", "x4")
"""Families that boot from Hyperdisk only. Source:
https://cloud.google.com/compute/docs/disks/hyperdisks#machine-type-support (as of 2026-11)."""

UNSHIELDED_FAMILIES: Final = ("t2a",)
"""Families without Shielded VM. Source: https://cloud.google.com/compute/docs/instances/arm-on-compute
(as of 2026-11)."""

LEAST_DISK_GIB: Final = 10
"""Smallest disk of kind `pd-balanced`. Source: https://cloud.google.com/compute/docs/disks/persistent-disks
(as of 2026-11)."""

LONGEST_LOG_RETENTION_DAYS: Final = 3650
"""Source: https://cloud.google.com/logging/quotas#logs_retention_periods (as of 2026-11)."""

LABEL_LIMIT: Final = 63
"""Characters of a label's key or value. Source:
https://cloud.google.com/compute/docs/labeling-resources#requirements (as of 2026-11)."""


def memory_mib(machine_type: str) -> int | None:
    """Memory of a machine type in MiB; None for a family or kind that is not known here."""
    match = re.fullmatch(r"([a-z0-9]+)-(standard|highmem|highcpu)-(\d+)", machine_type)
    ratio = GIB_PER_CPU.get((match[1], match[2])) if match else None
    return int(ratio * int(match[3]) * 1024) if match and ratio else None


def disk_type(machine_type: str) -> str:
    """The balanced kind of disk that a machine type takes."""
    return "hyperdisk-balanced" if _family(machine_type) in HYPERDISK_FAMILIES else "pd-balanced"


def shielded(machine_type: str) -> bool:
    """Whether a machine type can be told to boot signed code only, and to watch its integrity."""
    return _family(machine_type) not in UNSHIELDED_FAMILIES


def _family(machine_type: str) -> str:
    return machine_type.partition("-")[0]
