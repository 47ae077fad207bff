"""Whether the place of a state can be reached: a folder that can be written to, or a host that answers.

No credentials are sent and nothing is asked of the host: that it answers does not mean that it lets anybody in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from attrs import frozen

from aether_infra.catalog.terraform import HOSTED
from aether_infra.doctor.finding import Look, lacking, there
from aether_infra.doctor.machine import Machine
from aether_infra.doctor.needs import StatePlace

HTTPS: Final = 443
POSTGRESQL: Final = 5432
CONSUL: Final = "127.0.0.1:8500"
"""Where a Consul agent listens by default."""
BLOBS: Final[Mapping[str, str]] = {
    "china": "blob.core.chinacloudapi.cn",
    "public": "blob.core.windows.net",
    "usgovernment": "blob.core.usgovcloudapi.net",
}
"""Hosts of Azure's storage, by environment. Source:
https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview (as of 2026-11)."""


@frozen
class Host:
    """Where a backend listens."""

    name: str
    """Name or address."""
    port: int = HTTPS
    """TCP port."""
    proxied: bool = True
    """Whether a proxy of the environment is used on the way: HTTP is, PostgreSQL is not."""

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


def reach(machine: Machine, place: StatePlace) -> Look | None:
    """Whether a state's place can be reached.

    Args:
        machine: this machine.
        place: where the state is kept.

    Returns:
        What was found; None where the configuration does not say which host it is.
    """
    if place.state.backend == "local":
        return _folder(machine, str(place.state.settings.get("path", "")))
    if place.state.backend == "s3" and not _endpoint(place, machine) and not _region(place, machine):
        return lacking("no region is known for the bucket", "set cloud.state.region, or AWS_REGION")
    host = _host(place, machine)
    if host is None:
        return None
    proxy = _proxy(machine, host)
    reason = machine.connect(*((proxy.name, proxy.port) if proxy else (host.name, host.port)))
    way = "the proxy on the way to " if proxy else ""
    if reason:
        fix = "check the network, cloud.state and HTTPS_PROXY; --offline leaves this out"
        return lacking(f"{way}{host}: {reason}", fix)
    return there(f"{way}{host} answers; whether it lets you in was not tried")


def _folder(machine: Machine, path: str) -> Look:
    """The folder of a state file, seen from where Terraform runs."""
    output = machine.folder / (machine.env.get("CDKTF_OUTDIR") or "cdktf.out")
    # one stack stands for all: a path that leads out of its folder leads out of every stack's
    file = output / "stacks" / "stack" / path if path else output.parent / "terraform.tfstate"
    folder = Path(os.path.normpath(file)).parent
    there_now = next((parent for parent in (folder, *folder.parents) if parent.is_dir()), folder)
    if machine.writable(there_now):
        return there(f"a file in {_short(machine, folder)}")
    return lacking(
        f"{_short(machine, folder)} cannot be written to", "give yourself the right, or set cloud.state.path"
    )


def _short(machine: Machine, folder: Path) -> str:
    """A folder as an operator would name it."""
    if folder == machine.folder:
        return "this folder"
    return str(folder.relative_to(machine.folder)) if folder.is_relative_to(machine.folder) else str(folder)


def _host(place: StatePlace, machine: Machine) -> Host | None:  # noqa: PLR0911 - one answer a backend
    """The host of a backend; None where that cannot be known without asking somebody."""
    settings = place.state.settings
    region = str(settings.get("region", ""))
    match place.state.backend:
        case "s3":
            end = "amazonaws.com.cn" if _region(place, machine).startswith("cn-") else "amazonaws.com"
            return _url(_endpoint(place, machine)) or Host(f"s3.{_region(place, machine)}.{end}")
        case "gcs":
            return _url(str(settings.get("storage_custom_endpoint", ""))) or Host("storage.googleapis.com")
        case "azurerm":
            account = settings.get("storage_account_name")
            cloud = str(settings.get("environment") or machine.env.get("ARM_ENVIRONMENT") or "public")
            return Host(f"{account}.{BLOBS[cloud]}") if account and cloud in BLOBS else None
        case "http":
            return _url(str(settings.get("address", "")))
        case "remote" | "cloud":
            return Host(str(settings.get("hostname") or HOSTED))
        case "consul":
            named = str(settings.get("address") or machine.env.get("CONSUL_HTTP_ADDR") or CONSUL)
            return _url(named if "://" in named else f"http://{named}")
        case "pg":
            return _postgresql(machine)
        case "cos":
            return Host(f"cos.{region}.myqcloud.com")
        case "oss":
            return _url(str(settings.get("endpoint", ""))) or (
                Host(f"oss-{region}.aliyuncs.com") if region else None
            )
        case _:
            return None


def _region(place: StatePlace, machine: Machine) -> str:
    """Region of an S3 bucket."""
    environment = machine.env.get("AWS_REGION") or machine.env.get("AWS_DEFAULT_REGION")
    return str(place.state.settings.get("region") or place.region or environment or "")


def _endpoint(place: StatePlace, machine: Machine) -> str:
    """Address of a store that is like S3."""
    endpoints: Any = place.state.settings.get("endpoints")
    named = endpoints.get("s3") if isinstance(endpoints, Mapping) else None
    environment = machine.env.get("AWS_ENDPOINT_URL_S3") or machine.env.get("AWS_ENDPOINT_URL")
    return str(named or place.state.settings.get("endpoint") or environment or "")


def _postgresql(machine: Machine) -> Host | None:
    """The server of libpq's variables; its own defaults, a socket among them, are left alone."""
    written = machine.env.get("PG_CONN_STR", "")
    if written.startswith(("postgres://", "postgresql://")):
        found = _url(written)
        return Host(found.name, found.port, proxied=False) if found else None
    pairs = dict(pair.split("=", 1) for pair in written.split() if "=" in pair)
    name = pairs.get("host") or machine.env.get("PGHOST") or ""
    port = pairs.get("port") or machine.env.get("PGPORT") or str(POSTGRESQL)
    if not name or name.startswith("/") or not port.isdecimal():
        return None
    return Host(name, int(port), proxied=False)


def _url(text: str) -> Host | None:
    """Host and port of an address, and nothing else of it: what else stands there may be secret."""
    try:
        parts: SplitResult = urlsplit(text)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    defaults = {"http": 80, "postgres": POSTGRESQL, "postgresql": POSTGRESQL}
    return Host(name, port or defaults.get(parts.scheme, HTTPS)) if name else None


def _proxy(machine: Machine, host: Host) -> Host | None:
    """The proxy that HTTPS goes through on the way to a host."""
    named = machine.env.get("HTTPS_PROXY") or machine.env.get("https_proxy") or ""
    if not host.proxied or not named or _spared(machine, host.name):
        return None
    return _url(named if "://" in named else f"http://{named}")


def _spared(machine: Machine, name: str) -> bool:
    """Whether no proxy is used for a host, as `NO_PROXY` says: the host itself, or a domain that it lies in."""
    spared = (machine.env.get("NO_PROXY") or machine.env.get("no_proxy") or "").replace(" ", "").split(",")
    return "*" in spared or any(
        name == one.lstrip(".") or name.endswith(f".{one.lstrip('.')}") for one in spared if one
    )
