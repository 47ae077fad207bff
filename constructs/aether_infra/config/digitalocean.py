"""`[cloud.digitalocean]`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from aether_infra.catalog import digitalocean as catalog
from aether_infra.config.azure import UUID
from aether_infra.config.checks import Between, Matches, Network, check, items
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection, MaintenanceConfig

DROPLET_SIZE = Matches(catalog.DROPLET_SIZE_FORM, 'a droplet size such as "s-4vcpu-8gb"')
ONE_SITE = "a region here is one data centre without zones; all core nodes share its fate"


@frozen(kw_only=True)
class DigitaloceanConfig(CloudSection):
    """`[cloud.digitalocean]`: an Aether cluster on DigitalOcean."""

    provider: ClassVar[Provider] = Provider.DIGITALOCEAN
    absent: ClassVar[Mapping[str, str]] = {
        "availability_zones": ONE_SITE,
        "endpoint_public": "the Kubernetes API here is always public: authorized_cidrs says who may reach it",
        "instance_type": "this cloud calls it droplet_size",
        "kms_key": "this cloud encrypts volumes with its own keys only",
        "nat": "droplets here have public addresses of their own, closed by the firewall",
        "service_account": "this cloud has no identities for workloads: only tokens, from the environment",
        "spot": "this cloud has no spot capacity",
        "zone": ONE_SITE,
    }

    compute: Literal["doks", "vm"] = "doks"
    """What runs a node: Kubernetes (default) or droplets."""
    region: str = field(
        default="fra1",
        metadata=check(Matches(catalog.REGION_FORM, 'a region such as "fra1"', known=catalog.REGIONS)),
    )
    """Region; default fra1."""
    vpc_cidr: str = field(default="10.100.0.0/20", metadata=check(Network(widest=16, narrowest=24)))
    """IPv4 range of the VPC, private, /16 to /24, unlike any other in the account; default 10.100.0.0/20.
    Source: https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/vpc
    (as of 2026-11)."""
    pod_cidr: str = field(default="10.101.0.0/16", metadata=check(Network(widest=9, narrowest=20)))
    """IPv4 range of pods (doks), apart from the VPC; default 10.101.0.0/16."""
    service_cidr: str = field(default="10.102.0.0/19", metadata=check(Network(widest=12, narrowest=22)))
    """IPv4 range of Kubernetes services (doks), apart from the others; default 10.102.0.0/19."""
    vpc_id: str | None = field(default=None, metadata=check(UUID))
    """An existing VPC; default: a new one."""
    droplet_size: str = field(default="s-4vcpu-8gb", metadata=check(DROPLET_SIZE))
    """Droplet size of a node; default s-4vcpu-8gb."""
    system_droplet_size: str = field(default="s-2vcpu-4gb", metadata=check(DROPLET_SIZE))
    """Droplet size of the small pool for the cluster's own pods (doks); a change builds the cluster anew.
    Default s-2vcpu-4gb."""
    system_nodes: int = field(default=2, metadata=check(Between(1, 9, "nodes")))
    """Droplets of the small pool (doks); default 2."""
    registry_name: str | None = field(
        default=None,
        metadata=check(
            Matches(
                r"[a-z](?:[a-z0-9-]{1,61}[a-z0-9])",
                "3-63 lower-case letters, digits and '-', beginning with a letter",
            )
        ),
    )
    """Name of the container registry, one per account, unique in all of DigitalOcean; default `<cluster>`."""
    registry_tier: Literal["starter", "basic", "professional"] = "basic"
    """Subscription of the registry; default basic."""
    create_registry: bool = True
    """Whether the registry is made; off if the account has it already (an account has one). Default on."""
    certificate_name: str | None = field(
        default=None, metadata=check(Matches(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", "a certificate's name"))
    )
    """Existing certificate of the load balancer; default: a Let's Encrypt one for `cloud.domain`."""
    dns_zone: str | None = field(
        default=None,
        metadata=check(
            Matches(
                r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])",
                'a domain in lower case such as "example.com"',
            )
        ),
    )
    """Domain in DigitalOcean's DNS that `cloud.domain` is a name in; default: all but its first label."""
    load_balancer_nodes: int = field(default=1, metadata=check(Between(1, 100, "nodes")))
    """Size of each load balancer, 1-100 nodes; default 1."""
    alert_emails: tuple[str, ...] = field(
        default=(), metadata=items(Matches(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"))
    )
    """Members of the account who are told of trouble; default: nobody."""
    registry_credential_days: int = field(default=365, metadata=check(Between(1, 18250, "days")))
    """Days that droplets may pull with their credentials (vm), 1-18250; default 365."""
    ssh_key_ids: tuple[str, ...] = field(
        default=(), metadata=items(Matches(r"\d+", 'the number of an SSH key such as "512189"'))
    )
    """SSH keys of the droplets (vm), by number, for who is in `management_cidrs`, never for everyone; default: one
    that nobody holds."""
    droplet_image: str = field(
        default="ubuntu-24-04-x64", metadata=check(Matches(r"[a-z0-9-]+", "an image's slug or number"))
    )
    """Image of the droplets (vm); default ubuntu-24-04-x64."""
    kubernetes_version: str | None = field(
        default=None,
        metadata=check(Matches(r"1\.\d{2}(?:\.\d+-do\.\d+)?", 'a Kubernetes version such as "1.34"')),
    )
    """Kubernetes version (doks), minor (its newest patch is taken) or exact; default: the newest."""
    high_availability: bool = True
    """Whether the control plane is redundant (doks); cannot be turned off again. Default on."""
    auto_upgrade: bool = True
    """Whether DOKS moves to new patches by itself; default on."""
    metrics_server: bool = True
    """Whether the workload brings a metrics server, which autoscaling needs (doks); off where the cluster has the one
    of DigitalOcean's marketplace. Default on."""
    authorized_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach the Kubernetes API (doks); default: nobody but the cluster itself."""
    maintenance: MaintenanceConfig = field(factory=MaintenanceConfig)
    """When DOKS may upgrade, for four hours."""
    project_id: str | None = field(default=None, metadata=check(UUID))
    """Existing project that groups the resources; default: a new one."""
