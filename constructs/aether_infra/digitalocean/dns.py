"""DNS and certificate: a record for the domain in a zone that DigitalOcean serves, and a Let's Encrypt certificate."""

from __future__ import annotations

from attrs import frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_digitalocean.certificate import Certificate as CertificateResource
from cdktf_cdktf_provider_digitalocean.data_digitalocean_domain import DataDigitaloceanDomain
from cdktf_cdktf_provider_digitalocean.record import Record
from constructs import Construct

from aether_infra.core.names import physical_name

TTL_SECONDS = 60
"""The load balancer keeps its address until it is made anew."""


def parent_zone(domain: str) -> str:
    """The zone that a domain is looked for in when none is named: all but its first label.

    A domain of two labels is a zone itself.
    """
    labels = domain.split(".")
    return ".".join(labels if len(labels) <= 2 else labels[1:])  # noqa: PLR2004


class Zone(Construct):
    """A domain that DigitalOcean's name servers serve, looked up when Terraform plans.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        name: the zone, such as `example.com`.

    Attributes:
        name: the zone, known to exist.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str) -> None:
        super().__init__(scope, id_)
        self.name: str = DataDigitaloceanDomain(self, "Resource", name=name).name


@frozen(kw_only=True)
class CertificateProps:
    """Props of `Certificate`."""

    name: str
    """Cluster's name."""
    domain: str
    """The name to prove, in a zone that DigitalOcean serves."""


class Certificate(Construct):
    """A Let's Encrypt certificate, which DigitalOcean proves through its own DNS and renews.

    Its id changes with every renewal, its name does not.
    Source: https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/certificate
    (as of 2026-11).

    Attributes:
        certificate: the certificate.
        certificate_name: what a load balancer knows it by.
    """

    def __init__(self, scope: Construct, id_: str, props: CertificateProps) -> None:
        super().__init__(scope, id_)
        self.certificate = CertificateResource(
            self,
            "Resource",
            # the domain is in the name, since a new certificate is made before the old one goes
            name=physical_name(props.name, "tls", props.domain.replace(".", "-")),
            type="lets_encrypt",
            domains=[props.domain],
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        self.certificate_name: str = self.certificate.name


@frozen(kw_only=True)
class AddressRecordProps:
    """Props of `AddressRecord`."""

    domain: str
    """The name users call."""
    zone: str
    """The zone's name, which ends the domain; no token."""
    zone_ref: str
    """The same, as a token that waits for the zone."""
    address: str
    """The load balancer's IPv4 address."""


class AddressRecord(Construct):
    """An A record.

    Attributes:
        record: the record.
    """

    def __init__(self, scope: Construct, id_: str, props: AddressRecordProps) -> None:
        super().__init__(scope, id_)
        self.record = Record(
            self,
            "Resource",
            domain=props.zone_ref,
            type="A",
            name="@" if props.domain == props.zone else props.domain.removesuffix(f".{props.zone}"),
            value=props.address,
            ttl=TTL_SECONDS,
        )
