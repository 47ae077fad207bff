"""DNS: a zone, new or existing, and a record that follows the public address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import TerraformProvider, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.dns_a_record import DnsARecord
from cdktf_cdktf_provider_azurerm.dns_zone import DnsZone
from constructs import Construct

from aether_infra.azure.resource_id import NAME, RESOURCE_GROUP, part
from aether_infra.core.tags import CLUSTER, MANAGED_BY

APEX = "@"
"""Name of a record for the zone's own name."""
TAG_LIMIT = 15
TAG_NAME = r"[A-Za-z][A-Za-z0-9_.-]*"


def dns_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that Azure DNS takes: fifteen at most, with plain names; ours are among them in any case.

    Source: https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/tag-resources#limitations
    (as of 2026-11).

    Args:
        tags: tags of other resources.
    """
    plain = [key for key in sorted(tags) if re.fullmatch(TAG_NAME, key)]
    ours = [key for key in plain if key in {CLUSTER, MANAGED_BY}]
    others = [key for key in plain if key not in ours]
    kept = others[: TAG_LIMIT - len(ours)] + ours
    return {key: tags[key] for key in sorted(kept)}


def record_name(domain: str, zone: str) -> str:
    """Name of a domain's record within a zone.

    Args:
        domain: the domain.
        zone: a zone that it is in.
    """
    return domain.lower().removesuffix(zone.lower()).rstrip(".") or APEX


@frozen(kw_only=True)
class ZoneOutputs:
    """Where records go."""

    zone_id: str
    zone_name: str
    resource_group: str
    name_servers: Sequence[str] = ()
    """What the domain's parent must delegate to; empty for an existing zone, which is delegated to already."""


@frozen(kw_only=True)
class ZoneProps:
    """Props of `Zone`."""

    domain: str
    """Name of the zone."""
    resource_group: str
    """Name of the resource group."""
    protect: bool = True
    """Refuse to destroy the zone: a new one would have other name servers."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the zone, see `dns_tags`."""


class Zone(Construct):
    """A public DNS zone. The domain's parent must delegate to its name servers.

    Source: https://learn.microsoft.com/en-us/azure/dns/dns-delegate-domain-azure-dns (as of 2026-11).

    Attributes:
        zone: the zone.
        outputs: its id and names.
    """

    def __init__(self, scope: Construct, id_: str, props: ZoneProps) -> None:
        super().__init__(scope, id_)
        self.zone = DnsZone(
            self,
            "Resource",
            name=props.domain,
            resource_group_name=props.resource_group,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            tags=dns_tags(props.tags),
        )
        self.outputs = ZoneOutputs(
            zone_id=self.zone.id,
            zone_name=self.zone.name,
            resource_group=props.resource_group,
            name_servers=self.zone.name_servers,
        )


def existing_zone(zone_id: str) -> ZoneOutputs:
    """A zone that exists already.

    Args:
        zone_id: its id; may be a Terraform token.
    """
    return ZoneOutputs(
        zone_id=zone_id, zone_name=part(zone_id, NAME), resource_group=part(zone_id, RESOURCE_GROUP)
    )


@frozen(kw_only=True)
class AliasRecordProps:
    """Props of `AliasRecord`."""

    record: str = APEX
    """Name within the zone."""
    zone: ZoneOutputs
    """The zone."""
    address_id: str
    """Id of the public address."""
    provider: TerraformProvider | None = None
    """Provider of the zone's subscription; default: the stack's."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the record, see `dns_tags`."""


class AliasRecord(Construct):
    """A record that follows the public address, whatever number that has.

    Source: https://learn.microsoft.com/en-us/azure/dns/dns-alias (as of 2026-11).

    Attributes:
        record: the record.
    """

    def __init__(self, scope: Construct, id_: str, props: AliasRecordProps) -> None:
        super().__init__(scope, id_)
        self.record = DnsARecord(
            self,
            "Resource",
            name=props.record,
            zone_name=props.zone.zone_name,
            resource_group_name=props.zone.resource_group,
            ttl=60,
            target_resource_id=props.address_id,
            provider=props.provider,
            tags=dns_tags(props.tags),
        )
