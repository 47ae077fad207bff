"""Record sets in an Azure DNS zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from azure.mgmt.dns import DnsManagementClient

from aether_infra.runtime.azure.errors import translate
from aether_infra.runtime.azure.session import options
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "A": ("a_records", "ipv4_address"),
    "AAAA": ("aaaa_records", "ipv6_address"),
    "CNAME": ("cname_record", "cname"),
    "TXT": ("txt_records", "value"),
}
"""Where a record set of each type keeps its values."""


def zone(settings: RuntimeSettings, patience: Patience) -> Zone:
    """The zone that `dns.zone_id` names.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        NotFound: that is no id of a zone.
    """
    text = str((settings.facts.get("dns") or {}).get("zone_id") or "")
    parts = dict(zip(text.split("/")[1::2], text.split("/")[2::2], strict=False))
    parts = {key.lower(): value for key, value in parts.items()}
    if not {"subscriptions", "resourcegroups", "dnszones"} <= parts.keys():
        raise NotFound(f"the id of the DNS zone is none: {text}")
    api = DnsManagementClient(subscription_id=parts["subscriptions"], **options(patience))
    return Zone(api, parts["resourcegroups"], parts["dnszones"], patience)


class Zone:
    """One zone. A record set is written as a whole, so that no try can leave it half done."""

    def __init__(self, api: DnsManagementClient, group: str, name: str, patience: Patience) -> None:
        """Connect nothing yet.

        Args:
            api: the library's client.
            group: resource group of the zone.
            name: the zone's name.
            patience: how long it waits and how often it tries.
        """
        self._api = api
        self._group = group
        self._name = name
        self._call = Calls(translate=translate, patience=patience)

    async def update(self, record: DnsRecord) -> None:
        """Make a record set what it shall be; Azure has it as soon as it answers.

        Raises:
            NotFound: the name is not below the zone, or there is no such zone.
            CloudError: anything else.
        """
        if record.name != self._name and not record.name.endswith(f".{self._name}"):
            raise NotFound(f"{record.name} is not below the zone {self._name}")
        await self._call(f"changing {record.name}", lambda: self._write(record))

    def _write(self, record: DnsRecord) -> None:
        relative = record.name.removesuffix(self._name).rstrip(".") or "@"
        place = (self._group, self._name, relative, record.type)
        if not record.values:
            self._api.record_sets.delete(*place)
            return
        field, inner = FIELDS[record.type]
        values: list[dict[str, Any]] = [
            {inner: [value] if record.type == "TXT" else value} for value in record.values
        ]
        body: Any = {"ttl": record.ttl_seconds, field: values[0] if record.type == "CNAME" else values}
        self._api.record_sets.create_or_update(*place, parameters=body)
