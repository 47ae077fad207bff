"""DNS: a zone, and the application's record in it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from constructs import Construct

from aether_infra.oracle.bindings.dns_rrset import DnsRrset, DnsRrsetItems
from aether_infra.oracle.bindings.dns_zone import DnsZone

TTL_SECONDS = 60


@frozen(kw_only=True)
class PublicZoneProps:
    """Props of `PublicZone`."""

    domain: str
    """Name of the zone."""
    compartment_id: str
    """Compartment of the zone."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the zone."""


class PublicZone(Construct):
    """A public zone for one name. Its parent must delegate to the zone's name servers.

    Source: https://docs.oracle.com/en-us/iaas/Content/DNS/Concepts/dnszonemanagement.htm (as of 2026-11).

    Attributes:
        zone: the zone.
        zone_id: its id.
        name_servers: what the parent must name.
    """

    def __init__(self, scope: Construct, id_: str, props: PublicZoneProps) -> None:
        super().__init__(scope, id_)
        self.zone = DnsZone(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            name=props.domain,
            scope_="GLOBAL",
            zone_type="PRIMARY",
            freeform_tags=dict(props.tags),
        )
        self.zone_id: str = self.zone.id
        self.name_servers: str = f"${{{self.zone.fqn}.nameservers[*].hostname}}"


@frozen(kw_only=True)
class AddressRecordProps:
    """Props of `AddressRecord`."""

    domain: str
    """The name users call."""
    zone_id: str
    """Zone that holds it."""
    address: str
    """IPv4 address that it leads to."""


class AddressRecord(Construct):
    """An A record.

    Attributes:
        record: the record.
    """

    def __init__(self, scope: Construct, id_: str, props: AddressRecordProps) -> None:
        super().__init__(scope, id_)
        self.record = DnsRrset(
            self,
            "Resource",
            zone_name_or_id=props.zone_id,
            domain=props.domain,
            rtype="A",
            items=[DnsRrsetItems(domain=props.domain, rtype="A", rdata=props.address, ttl=TTL_SECONDS)],
        )
