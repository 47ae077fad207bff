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

REGISTRY_REGIONS: Final = ("ams3", "fra1", "nyc3", "sfo3", "sgp1")
"""Regions that keep container images. Source:
https://docs.digitalocean.com/reference/api/digitalocean/#tag/Container-Registry (as of 2026-11)."""

REGISTRY_HOST: Final = "registry.digitalocean.com"
"""Host of every registry. Source:
https://docs.digitalocean.com/products/container-registry/how-to/use-registry-docker-kubernetes/ (as of 2026-11)."""

LEAST_REGISTRY_NAME: Final = 3
"""Characters of the shortest name of a registry."""

LATEST: Final = "latest"
"""Tag of the node's image where nothing is said."""

MOST_POOL_MINIMUM: Final = 500
"""Most droplets that an autoscale pool can be told to keep. Source:
https://docs.digitalocean.com/reference/api/digitalocean/#tag/Droplet-Autoscale-Pools (as of 2026-11)."""

DROPLET_SIZE_FORM: Final = r"[a-z][a-z0-9_.]*(?:-[a-z0-9_.]+)+"
"""Form of a droplet size's slug."""

RESERVED_NETWORKS: Final = ("10.229.0.0/16", "10.244.0.0/16", "10.245.0.0/16", "10.246.0.0/24")
"""Ranges that a VPC must not overlap, besides 10.10.0.0/16 in nyc1. Source:
https://docs.digitalocean.com/products/networking/vpc/details/limits/ (as of 2026-11)."""


def memory_mib(droplet_size: str) -> int | None:
    """Memory of a droplet size in MiB, as its slug says; None if the slug does not say."""
    match = re.search(r"-(\d+)(gb|mb)(?:-|$)", droplet_size)
    return int(match[1]) * (1024 if match[2] == "gb" else 1) if match else None


def registry_name(cluster: str) -> str:
    """Name of a cluster's registry where nothing is said: the cluster's, if that is long enough."""
    return cluster if len(cluster) >= LEAST_REGISTRY_NAME else f"{cluster}-aether"


def in_registry(image: str | None, registry: str) -> bool:
    """Whether an image is in a registry of this cloud; one that is not named is in the cluster's own."""
    return image is None or image.startswith(f"{REGISTRY_HOST}/{registry}/")


def has_dnf(image: str) -> bool:
    """Whether packages of a droplet's image come by dnf, as its slug says; else by apt."""
    return image.startswith(("almalinux", "centos", "fedora", "rockylinux"))
