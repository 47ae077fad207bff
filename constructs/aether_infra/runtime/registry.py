"""Which manager a cluster needs; its SDK is imported when it is made, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

from attrs import frozen

from aether_infra.config.provider import Provider
from aether_infra.errors import MissingExtraError
from aether_infra.runtime.manager import CloudManager
from aether_infra.runtime.model import DnsRecord
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

KUBERNETES_COMPUTES = frozenset({"eks", "gke", "aks", "doks", "oke", "existing"})
"""Kinds of compute whose elastic nodes are a Deployment's replicas."""


class ManagerFactory(Protocol):
    """How a manager is made: `connect(settings, patience)` of its module.

    Endpoints and credentials come from where the SDK itself looks for them (environment, files, metadata).
    """

    def __call__(self, settings: RuntimeSettings, patience: Patience, /) -> CloudManager:
        """Make the manager.

        Raises:
            ConfigError: the settings lack what this manager needs; holds every problem.
            Denied: there are no credentials.
        """


@frozen(kw_only=True)
class Entry:
    """A manager that is not loaded yet."""

    module: str
    """Where it is: the module's function `connect`."""
    extra: str
    """The extra of this package that brings its SDK."""


MANAGERS: Mapping[tuple[Provider, str], Entry] = {
    (Provider.AWS, "ec2"): Entry(module="aether_infra.runtime.aws.ec2", extra="runtime-aws"),
    (Provider.AWS, "fargate"): Entry(module="aether_infra.runtime.aws.ecs", extra="runtime-aws"),
    (Provider.GCP, "vm"): Entry(module="aether_infra.runtime.gcp.manager", extra="runtime-gcp"),
    (Provider.AZURE, "vm"): Entry(module="aether_infra.runtime.azure.manager", extra="runtime-azure"),
    (Provider.DIGITALOCEAN, "vm"): Entry(
        module="aether_infra.runtime.digitalocean.manager", extra="runtime-digitalocean"
    ),
    (Provider.ORACLE, "vm"): Entry(module="aether_infra.runtime.oracle.manager", extra="runtime-oracle"),
}
"""Managers of machines and tasks."""
KUBERNETES = Entry(module="aether_infra.runtime.kubernetes.manager", extra="runtime-kubernetes")
"""The manager of every kind of compute that is Kubernetes."""

DNS_ZONES: Mapping[Provider, Entry] = {
    Provider.AWS: Entry(module="aether_infra.runtime.aws.dns", extra="runtime-aws"),
    Provider.GCP: Entry(module="aether_infra.runtime.gcp.dns", extra="runtime-gcp"),
    Provider.AZURE: Entry(module="aether_infra.runtime.azure.dns", extra="runtime-azure"),
    Provider.DIGITALOCEAN: Entry(
        module="aether_infra.runtime.digitalocean.dns", extra="runtime-digitalocean"
    ),
    Provider.ORACLE: Entry(module="aether_infra.runtime.oracle.dns", extra="runtime-oracle"),
}
"""DNS of each cloud, for whatever runs the nodes there: the module's function `zone(settings, patience)`."""


class DnsZone(Protocol):
    """The DNS zone of a cluster."""

    async def update(self, record: DnsRecord, /) -> None:
        """As `CloudManager.update_dns_record`."""
        ...


def dns_zone(settings: RuntimeSettings, patience: Patience) -> DnsZone | None:
    """The DNS zone of a cluster; None where it has none.

    Args:
        settings: the cluster; its zone is `dns.zone_id`.
        patience: how long it waits and how often it tries.

    Raises:
        MissingExtraError: the cloud's SDK is not installed.
        Denied: there are no credentials.
    """
    entry = DNS_ZONES.get(settings.provider)
    if entry is None or not (settings.facts.get("dns") or {}).get("zone_id"):
        return None
    zone: DnsZone = _module(entry).zone(settings, patience)
    return zone


def connect(settings: RuntimeSettings, patience: Patience | None = None) -> CloudManager:
    """Make the manager of a cluster.

    Args:
        settings: the cluster.
        patience: how long it waits and how often it tries; default: that of `Patience`.

    Raises:
        MissingExtraError: its SDK is not installed.
        ConfigError: the settings lack what it needs.
        Denied: there are no credentials.
    """
    entry = (
        KUBERNETES
        if settings.compute in KUBERNETES_COMPUTES
        else MANAGERS[settings.provider, settings.compute]
    )
    factory: ManagerFactory = _module(entry).connect
    return factory(settings, patience or Patience())


def _module(entry: Entry) -> Any:
    """Import a module; a missing SDK says what to install."""
    try:
        return import_module(entry.module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("aether_infra"):
            raise
        raise MissingExtraError(entry.extra, error.name) from error
