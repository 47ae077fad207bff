"""DNS: a Cloud DNS zone, found or made, and the domain's record in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.data_google_dns_managed_zone import DataGoogleDnsManagedZone
from cdktf_cdktf_provider_google.dns_managed_zone import DnsManagedZone, DnsManagedZoneDnssecConfig
from cdktf_cdktf_provider_google.dns_record_set import DnsRecordSet
from constructs import Construct

from aether_infra.core.names import physical_name

TTL_SECONDS = 300
"""The address is reserved, so that it hardly ever changes."""


@frozen(kw_only=True)
class ZoneProps:
    """Props of `Zone`."""

    name: str
    """Cluster's name, head of the zone's name."""
    project: str
    """The project's id."""
    domain: str
    """The domain that gets a record."""
    existing: str | None = None
    """An existing zone of the project, by name; default: a new one for the domain."""
    protect: bool = True
    """Refuse to delete the zone while it holds records that are not ours."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of a new zone."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the service."""


class Zone(Construct):
    """A public Cloud DNS zone: looked up at plan time, or made for the domain alone and signed with DNSSEC.

    A new zone answers nobody until the parent domain delegates to `name_servers`.
    Source: https://cloud.google.com/dns/docs/zones (as of 2026-11).

    Attributes:
        zone_name: the zone's name.
        name_servers: who serves it.
    """

    def __init__(self, scope: Construct, id_: str, props: ZoneProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        zone: DnsManagedZone | DataGoogleDnsManagedZone
        if props.existing:
            zone = DataGoogleDnsManagedZone(self, "Resource", project=props.project, name=props.existing)
        else:
            zone = DnsManagedZone(
                self,
                "Resource",
                project=props.project,
                name=physical_name(props.name, "zone"),
                dns_name=f"{props.domain}.",
                description=f"Aether cluster {props.name}",
                visibility="public",
                dnssec_config=DnsManagedZoneDnssecConfig(state="on"),
                force_destroy=not props.protect,
                depends_on=list(props.depends_on),
                labels=dict(props.labels),
            )
        self.zone_name: str = zone.name
        self.name_servers: list[str] = zone.name_servers

    def record(self, scope: Construct, id_: str, address: str) -> DnsRecordSet:
        """Point the domain at an address.

        Args:
            scope: the construct that owns the record.
            id_: its id below that.
            address: an IPv4 address.
        """
        return DnsRecordSet(
            scope,
            id_,
            project=self._props.project,
            managed_zone=self.zone_name,
            name=f"{self._props.domain}.",
            type="A",
            ttl=TTL_SECONDS,
            rrdatas=[address],
        )
