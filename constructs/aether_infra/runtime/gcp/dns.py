"""Records in a Cloud DNS zone."""

from __future__ import annotations

from typing import Any

from google.cloud import dns  # type: ignore[attr-defined]

from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import CloudUnavailable, Conflict, NotFound
from aether_infra.runtime.gcp.errors import translate
from aether_infra.runtime.gcp.session import DNS_ADDRESS, access
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings


def zone(settings: RuntimeSettings, patience: Patience) -> Zone:
    """The managed zone that `dns.zone_id` names.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        Denied: there are no credentials.
    """
    credentials, options = access(DNS_ADDRESS)
    facts = settings.facts.get("dns") or {}
    api = dns.Client(
        project=str(settings.facts.get("project") or ""), credentials=credentials, client_options=options
    )
    return Zone(api, str(facts.get("zone_id") or ""), patience)


class Zone:
    """One managed zone. A change is one request that takes all old values and gives all new ones, or fails."""

    def __init__(self, api: Any, name: str, patience: Patience) -> None:
        """Connect nothing yet.

        Args:
            api: the library's client.
            name: the zone's name.
            patience: how long it waits and how often it tries.
        """
        self._zone = api.zone(name)
        self._patience = patience
        self._call = Calls(translate=translate, patience=patience)

    async def update(self, record: DnsRecord) -> None:
        """Make a record what it shall be, and wait until Google's name servers have it.

        Raises:
            NotFound: the name is not below the zone, or there is no such zone.
            Conflict: somebody else keeps changing it.
            CloudError: anything else.
        """
        change = await self._call(f"changing {record.name}", lambda: self._change(record))
        if change is None:
            return

        async def done() -> bool:
            await self._call(f"looking at the change of {record.name}", change.reload)
            return bool(change.status == "done")

        if change.status != "done":
            await self._patience.until(done, f"{record.name} to reach the name servers")

    def _change(self, record: DnsRecord) -> Any:
        """Ask for the change; None where nothing is to be done. Reads anew at each try, so it may be repeated."""
        self._zone.reload()
        below = str(self._zone.dns_name)
        full = f"{record.name}."
        if full != below and not full.endswith(f".{below}"):
            raise NotFound(f"{record.name} is not below the zone {below.rstrip('.')}")
        values = [_data(record.type, value) for value in record.values]
        have = [
            each
            for each in self._zone.list_resource_record_sets()
            if each.name == full and each.record_type == record.type
        ]
        if not have and not values:
            return None
        if have and sorted(have[0].rrdatas) == sorted(values) and have[0].ttl == record.ttl_seconds:
            return None
        change = self._zone.changes()
        for each in have:
            change.delete_record_set(each)
        if values:
            change.add_record_set(
                self._zone.resource_record_set(full, record.type, record.ttl_seconds, values)
            )
        try:
            change.create()
        except Exception as error:
            ours = translate(error, f"changing {record.name}")
            if isinstance(ours, NotFound):
                # what is to be taken away has changed since it was read: so is it read again
                raise Conflict(ours.message, code=ours.code) from error
            raise
        if not change.name:
            raise CloudUnavailable(f"changing {record.name}: the answer has no name", code="NoChange")
        return change


def _data(kind: str, value: str) -> str:
    """A value as zone files have it."""
    if kind == "CNAME":
        return f"{value.rstrip('.')}."
    return f'"{value}"' if kind == "TXT" and not value.startswith('"') else value
