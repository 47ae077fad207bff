"""Route 53: one record set at a time, and the wait until its name servers have it."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from attrs import define, field

from aether_infra.runtime.aws.errors import NOT_IN_BATCH, translate
from aether_infra.runtime.aws.session import Clients
from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import InvalidRequest, NotFound
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

IN_SYNC: Final = "INSYNC"
"""Status of a change that every name server has."""
PRINTABLE: Final = (" ", "~")
"""First and last character that a value may hold as it is; others are three octal digits a byte."""
TXT_PART: Final = 255
"""Most bytes of a piece of a TXT value; longer values are several pieces:
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat (as of 2026-11)."""


def zone(settings: RuntimeSettings, patience: Patience) -> Route53Zone:
    """The zone of a cluster, whatever runs its nodes.

    Raises:
        Denied: there are no credentials.
    """
    return Route53Zone.of(settings, patience, Clients.of(settings, patience))


@define
class Route53Zone:
    """A hosted zone."""

    _zone_id: str
    _clients: Clients
    _call: Calls
    _patience: Patience
    _name: str = field(default="", init=False)

    @classmethod
    def of(cls, settings: RuntimeSettings, patience: Patience, clients: Clients) -> Route53Zone:
        """The zone that the settings name; each call fails with `NotFound` where they name none."""
        zone_id = str((settings.facts.get("dns") or {}).get("zone_id") or "")
        calls = Calls(translate=translate, patience=patience)
        return cls(zone_id=zone_id, clients=clients, call=calls, patience=patience)

    async def update(self, record: DnsRecord) -> None:
        """As `CloudManager.update_dns_record`."""
        name = record.name.lower().rstrip(".")
        if not self._zone_id:
            raise NotFound("the cluster has no DNS zone: no `domain` under [cloud], or `manage_dns = false`")
        zone_name = await self._zone_name()
        if name != zone_name and not name.endswith(f".{zone_name}"):
            raise NotFound(f"{name} is not in the DNS zone {zone_name}")
        if record.values:
            change = {
                "Name": f"{name}.",
                "Type": record.type,
                "TTL": record.ttl_seconds,
                "ResourceRecords": [{"Value": _stored(record.type, value)} for value in record.values],
            }
            await self._change(f"setting {record.type} {name}", [("UPSERT", change)])
        else:
            await self._remove(name, record.type)

    async def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    async def _remove(self, name: str, kind: str) -> None:
        """A deletion must repeat what is there; what has gone in between is what was wanted."""
        found = await self._record_sets(name, kind)
        if not found:
            return
        try:
            await self._change(f"removing {kind} {name}", [("DELETE", each) for each in found])
        except InvalidRequest as error:
            if error.code != NOT_IN_BATCH or await self._record_sets(name, kind):
                raise

    async def _record_sets(self, name: str, kind: str) -> list[Any]:
        """The record sets of that name and type: several where traffic is routed by weight or place."""
        pager = self._route53.get_paginator("list_resource_record_sets")

        def read() -> list[Any]:
            pages = pager.paginate(HostedZoneId=self._zone_id, StartRecordName=name, StartRecordType=kind)
            found: list[Any] = []
            for page in pages:
                for each in page["ResourceRecordSets"]:
                    # they are sorted by name: what follows is others'
                    if _plain(each["Name"]) != name or each["Type"] != kind:
                        return found
                    found.append(each)
            return found

        return await self._call(f"reading {kind} {name}", read)

    async def _change(self, doing: str, changes: list[tuple[str, Any]]) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": each} for action, each in changes]}
        route53 = self._route53
        answer = await self._call(
            doing,
            partial(route53.change_resource_record_sets, HostedZoneId=self._zone_id, ChangeBatch=batch),
        )
        change = answer["ChangeInfo"]
        if change["Status"] == IN_SYNC:
            return

        async def in_sync() -> bool:
            answer = await self._call(doing, partial(route53.get_change, Id=change["Id"]))
            return bool(answer["ChangeInfo"]["Status"] == IN_SYNC)

        await self._patience.until(in_sync, f"every name server to have taken: {doing}")

    async def _zone_name(self) -> str:
        if not self._name:
            answer = await self._call(
                "reading the DNS zone", partial(self._route53.get_hosted_zone, Id=self._zone_id)
            )
            self._name = _plain(answer["HostedZone"]["Name"])
        return self._name

    @property
    def _route53(self) -> Any:
        """The client; not to be asked for in a thread."""
        return self._clients["route53"]


def _plain(name: str) -> str:
    r"""A name as others write it: Route 53 ends it with a dot, and writes `*` as `\052`."""
    text = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), name)
    return text.rstrip(".").lower()


def _stored(kind: str, value: str) -> str:
    """A value as Route 53 keeps it: text in quotes, in pieces."""
    if kind != "TXT":
        return value
    data = value.encode()
    pieces = [data[start : start + TXT_PART] for start in range(0, len(data), TXT_PART)] or [b""]
    return " ".join(f'"{"".join(_escaped(byte) for byte in piece)}"' for piece in pieces)


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return f"\\{character}"
    return character if PRINTABLE[0] <= character <= PRINTABLE[1] else f"\\{byte:03o}"
