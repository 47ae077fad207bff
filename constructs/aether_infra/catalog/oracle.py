"""Facts about Oracle Cloud."""

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

REGION_FORM: Final = r"[a-z]{2,3}-(?:[a-z]+-){1,3}\d"
"""Form of a region's name."""

THREE_DOMAINS: Final = ("eu-frankfurt-1", "uk-london-1", "us-ashburn-1", "us-phoenix-1")
"""Regions with three availability domains; every other has one. Source:
https://docs.oracle.com/en-us/iaas/Content/General/Concepts/regions.htm (as of 2026-11)."""

REGIONS: Final = (
    *THREE_DOMAINS,
    "af-johannesburg-1",
    "ap-batam-1",
    "ap-chuncheon-1",
    "ap-hyderabad-1",
    "ap-melbourne-1",
    "ap-mumbai-1",
    "ap-osaka-1",
    "ap-seoul-1",
    "ap-singapore-1",
    "ap-singapore-2",
    "ap-sydney-1",
    "ap-tokyo-1",
    "ca-montreal-1",
    "ca-toronto-1",
    "eu-amsterdam-1",
    "eu-madrid-1",
    "eu-madrid-3",
    "eu-marseille-1",
    "eu-milan-1",
    "eu-paris-1",
    "eu-stockholm-1",
    "eu-turin-1",
    "eu-zurich-1",
    "il-jerusalem-1",
    "me-abudhabi-1",
    "me-dubai-1",
    "me-jeddah-1",
    "me-riyadh-1",
    "mx-monterrey-1",
    "mx-queretaro-1",
    "sa-bogota-1",
    "sa-santiago-1",
    "sa-saopaulo-1",
    "sa-valparaiso-1",
    "sa-vinhedo-1",
    "uk-cardiff-1",
    "us-chicago-1",
    "us-sanjose-1",
)
"""Regions of the commercial realm. Source: as above."""


@frozen
class FlexibleShape:
    """Bounds of a shape whose processors and memory are chosen."""

    ocpus: int
    """Most OCPUs."""
    memory_gib: int
    """Most memory in GiB."""
    gib_per_ocpu: int = 64
    """Most memory per OCPU in GiB; the least is 1."""


FLEXIBLE_SHAPES: Final[Mapping[str, FlexibleShape]] = {
    "VM.Standard.A1.Flex": FlexibleShape(76, 472),
    "VM.Standard.A2.Flex": FlexibleShape(78, 946),
    "VM.Standard.A4.Flex": FlexibleShape(45, 700),
    "VM.Standard.E3.Flex": FlexibleShape(114, 1776),
    "VM.Standard.E4.Flex": FlexibleShape(114, 1760),
    "VM.Standard.E5.Flex": FlexibleShape(126, 1049),
    "VM.Standard.E6.Flex": FlexibleShape(126, 1454),
    "VM.Standard3.Flex": FlexibleShape(32, 512),
    "VM.Optimized3.Flex": FlexibleShape(18, 256),
}
"""Flexible shapes. Source: https://docs.oracle.com/en-us/iaas/Content/Compute/References/computeshapes.htm
(as of 2026-11)."""

SHAPE_FORM: Final = r"(?:VM|BM)(?:\.[A-Za-z0-9]+)+"
"""Form of a shape's name. Source: as above."""

REALM_DOMAINS: Final[Mapping[str, str]] = {
    "oc1": "oraclecloud.com",
    "oc2": "oraclegovcloud.com",
    "oc3": "oraclegovcloud.com",
    "oc4": "oraclegovcloud.uk",
    "oc8": "oraclecloud8.com",
    "oc9": "oraclecloud9.com",
    "oc10": "oraclecloud10.com",
    "oc14": "oraclecloud14.com",
    "oc19": "oraclecloud.eu",
}
"""Domains of the realms. Source: https://github.com/oracle/oci-go-sdk/blob/v65/common/regions.go (as of 2026-11)."""

MOST_TAGS: Final = 10
"""Free-form tags of a resource. Source:
https://docs.oracle.com/en-us/iaas/Content/Tagging/Concepts/taggingoverview.htm (as of 2026-11)."""

OCIR_HOST: Final = r"[a-z0-9-]+\.ocir\.io|ocir\.[a-z0-9-]+\.oci\.oraclecloud\.[a-z]+"
"""Matches a host of the container registry. Source:
https://docs.oracle.com/en-us/iaas/Content/Registry/Concepts/registryprerequisites.htm (as of 2026-11)."""

LOG_RETENTION_DAYS: Final = (30, 60, 90, 120, 150, 180)
"""Retention that OCI Logging allows, in days. Source:
https://registry.terraform.io/providers/oracle/oci/8.28.0/docs/resources/logging_log (as of 2026-11)."""


def domains(region: str) -> int:
    """Number of availability domains of a region."""
    return 3 if region in THREE_DOMAINS else 1


def arm64(shape: str) -> bool:
    """Whether a shape has Arm (Ampere) processors."""
    return bool(re.search(r"\.A\d", shape))


def bare_metal(shape: str) -> bool:
    """Whether a shape is a whole machine."""
    return shape.startswith("BM.")


def realm(ocid: str) -> str:
    """The realm that an OCID belongs to, such as `oc1`: its third part."""
    return ocid.split(".")[2]


def registry_host(region: str, realm: str = "oc1") -> str:
    """Host of the container registry.

    Args:
        region: its region.
        realm: the region's realm.
    """
    return f"ocir.{region}.oci.{REALM_DOMAINS.get(realm, REALM_DOMAINS['oc1'])}"


def ocir_repository(image: str) -> str | None:
    """Name of an image's repository in the container registry.

    Args:
        image: an image reference, such as `fra.ocir.io/tenancy/team/node:1`.

    Returns:
        What follows the tenancy's namespace, such as `team/node`; None for an image of another registry.
    """
    host, *path = untagged(image).split("/")
    if not re.fullmatch(OCIR_HOST, host):
        return None
    return "/".join(path[1:]) or None


def untagged(image: str) -> str:
    """An image reference without tag and digest."""
    host, slash, path = image.partition("/")
    return host + slash + re.split(r"[:@]", path)[0]
