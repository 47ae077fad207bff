"""Records in a DigitalOcean domain."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pydo import Client

from aether_infra.runtime.calls import Calls
from aether_infra.runtime.digitalocean.errors import refused, translate
from aether_infra.runtime.digitalocean.session import PER_PAGE, client
from aether_infra.runtime.errors import NotFound
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings


def zone(settings: RuntimeSettings, patience: Patience) -> Zone:
    """The domain that `dns.zone_id` names.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries.

    Raises:
        Denied: there is no token.
    """
    name = str((settings.facts.get("dns") or {}).get("zone_id") or "")
    return Zone(client(patience), name, patience)


class Zone:
    """One domain. Each value of a name and type is a record of its own here; together they are what was asked for."""

    def __init__(self, api: Client, domain: str, patience: Patience) -> None:
        """Connect nothing yet.

        Args:
            api: pydo's client.
            domain: the domain's name.
            patience: how long it waits and how often it tries.
        """
        self._api = api
        self._domain = domain
        self._call = Calls(translate=translate, patience=patience)

    async def update(self, record: DnsRecord) -> None:
        """Make a record what it shall be: missing values are added first, so that the name never is without any.

        Raises:
            NotFound: the name is not below the domain, or there is no such domain.
            CloudError: anything else.
        """
        if record.name != self._domain and not record.name.endswith(f".{self._domain}"):
            raise NotFound(f"{record.name} is not below the domain {self._domain}")
        wanted = {_data(record.type, value) for value in record.values}
        have = {each["data"] for each in await self._read(record)}
        for data in sorted(wanted - have):
            await self._call(f"adding {record.name}", partial(self._add, record, data))
        # read again: a request that came twice has made two
        kept: set[str] = set()
        for each in await self._read(record):
            if each["data"] not in wanted or each["data"] in kept:
                await self._call(f"removing {record.name}", partial(self._remove, each))
                continue
            kept.add(each["data"])
            if each["ttl"] != record.ttl_seconds:
                await self._call(f"changing {record.name}", partial(self._change, each, record))

    async def _read(self, record: DnsRecord) -> list[Mapping[str, Any]]:
        return await self._call(f"reading {record.name}", lambda: self._records(record))

    def _records(self, record: DnsRecord) -> list[Mapping[str, Any]]:
        """Every record of a name and type, all pages."""
        found: list[Mapping[str, Any]] = []
        page = 1
        while True:
            answer: Any = self._api.domains.list_records(
                self._domain, name=record.name, type=record.type, per_page=PER_PAGE, page=page
            )
            if error := refused(answer, f"reading {record.name}"):
                raise error
            found += answer["domain_records"]
            if not ((answer.get("links") or {}).get("pages") or {}).get("next"):
                return found
            page += 1

    def _add(self, record: DnsRecord, data: str) -> None:
        # a reply that was lost: the record may be there by now
        if any(each["data"] == data for each in self._records(record)):
            return
        name = record.name.removesuffix(self._domain).rstrip(".") or "@"
        body = {"type": record.type, "name": name, "data": data, "ttl": record.ttl_seconds}
        self._check(self._api.domains.create_record(self._domain, body=body), f"adding {record.name}")

    def _change(self, have: Mapping[str, Any], record: DnsRecord) -> None:
        body = {"type": record.type, "ttl": record.ttl_seconds}
        self._check(
            self._api.domains.patch_record(self._domain, have["id"], body=body), f"changing {record.name}"
        )

    def _remove(self, have: Mapping[str, Any]) -> None:
        error = refused(self._api.domains.delete_record(self._domain, have["id"]), "removing a record")
        if error is not None and not isinstance(error, NotFound):
            raise error

    def _check(self, answer: Any, doing: str) -> None:
        if error := refused(answer, doing):
            raise error


def _data(kind: str, value: str) -> str:
    """A value as this cloud keeps it: names end with a dot."""
    return f"{value.rstrip('.')}." if kind == "CNAME" else value
