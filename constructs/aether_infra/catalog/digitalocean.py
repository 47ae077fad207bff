"""Facts about DigitalOcean."""

import re
from typing import Final

REGION_FORM: Final = r"[a-z]{3}\d"
"""Form of a region's slug."""

REGIONS: Final = (
    "ams3",
    "atl1",
    "blr1",
    "fra1",
    "lon1",
    "nyc1",
    "nyc2",
    "nyc3",
    "sfo2",
    "sfo3",
    "sgp1",
    "syd1",
    "tor1",
)
"""Regions that take new resources. Source: https://docs.digitalocean.com/platform/regional-availability/
(as of 2026-11)."""

NO_KUBERNETES: Final = ("nyc2", "sfo1", "ams2")
"""Regions without DOKS. Source: as above."""

DROPLET_SIZE_FORM: Final = r"[a-z][a-z0-9_.]*(?:-[a-z0-9_.]+)+"
"""Form of a droplet size's slug."""

RESERVED_NETWORKS: Final = ("10.229.0.0/16", "10.244.0.0/16", "10.245.0.0/16", "10.246.0.0/24")
"""Ranges that a VPC must not overlap, besides 10.10.0.0/16 in nyc1. Source:
https://docs.digitalocean.com/products/networking/vpc/details/limits/ (as of 2026-11)."""


def memory_mib(droplet_size: str) -> int | None:
    """Memory of a droplet size in MiB, as its slug says; None if the slug does not say."""
    match = re.search(r"-(\d+)(gb|mb)(?:-|$)", droplet_size)
    return int(match[1]) * (1024 if match[2] == "gb" else 1) if match else None
