"""Record sets in an Oracle Cloud DNS zone."""

from __future__ import annotations

from typing import Any

import oci

from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.oracle.errors import translate
from aether_infra.runtime.oracle.session import arguments
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings


def zone(settings: RuntimeSettings, patience: Patience) -> Zone:
    """The zone that `dns.zone_id` names.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        Denied: there are no credentials.
    """
    identity = str((settings.facts.get("dns") or {}).get("zone_id") or "")
    return Zone(oci.dns.DnsClient(**arguments(settings.region, patience)), identity, patience)


class Zone:
    """One zone. A record set is written as a whole, so that no try can leave it half done."""

    def __init__(self, api: Any, identity: str, patience: Patience) -> None:
        """Connect nothing yet.

        Args:
            api: the library's client.
            identity: the zone's OCID.
            patience: how long it waits and how often it tries.
        """
        self._api = api
        self._identity = identity
        self._call = Calls(translate=translate, patience=patience)

    async def update(self, record: DnsRecord) -> None:
        """Make a record set what it shall be; Oracle has it as soon as it answers.

        Raises:
            NotFound: the name is not below the zone, or there is no such zone.
            CloudError: anything else.
        """
        name = await self._call("reading the zone", self._name)
        if record.name != name and not record.name.endswith(f".{name}"):
            raise NotFound(f"{record.name} is not below the zone {name}")
        await self._call(f"changing {record.name}", lambda: self._write(record))

    def _name(self) -> str:
        return str(self._api.get_zone(self._identity).data.name).rstrip(".")

    def _write(self, record: DnsRecord) -> None:
        place = (self._identity, record.name, record.type)
        if not record.values:
            try:
                self._api.delete_rr_set(*place)
            except oci.exceptions.ServiceError as error:
                if not isinstance(translate(error, ""), NotFound):
                    raise
            return
        items = [
            oci.dns.models.RecordDetails(
                domain=record.name, rtype=record.type, ttl=record.ttl_seconds, rdata=_data(record.type, value)
            )
            for value in record.values
        ]
        self._api.update_rr_set(*place, oci.dns.models.UpdateRRSetDetails(items=items))


def _data(kind: str, value: str) -> str:
    """A value as zone files have it."""
    if kind == "CNAME":
        return f"{value.rstrip('.')}."
    return f'"{value}"' if kind == "TXT" and not value.startswith('"') else value
