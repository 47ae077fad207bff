"""`aether-infra node`: list, create, drain and end nodes, through the service's API."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from aether_infra.cli.console import console, print_json, say
from aether_infra.errors import AetherInfraError, MissingExtraError

if TYPE_CHECKING:
    import httpx

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_URL = "http://127.0.0.1:8081"
"""Where `aether-infra serve` listens."""
WIDE = 500
"""Columns of a table that goes to no terminal: a line a node, for grep and awk."""
AGAIN_SECONDS = 0.5
"""How long to wait before a line that was cut is taken up again."""


class ServiceError(AetherInfraError):
    """The service refuses, or cannot be reached."""


class OperationError(AetherInfraError):
    """What was asked for has failed."""


def service_options(function: F) -> F:
    """`--url` and `--ca`: which service."""
    function = click.option(
        "--url", default=DEFAULT_URL, show_default=True, envvar="AETHER_CLOUD_URL", help="The service to ask."
    )(function)
    return click.option(
        "--ca", envvar="AETHER_CLOUD_CA", metavar="FILE", help="Certificates that its own is held against."
    )(function)


def waiting_options(function: F) -> F:
    """`--no-wait`, `--dry-run`, `--reason` and `--idempotency-key`: how a change is made."""
    for option in (
        click.option("--no-wait", is_flag=True, help="Return as soon as it is taken."),
        click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
        click.option("--reason", default="", help="For the history."),
        click.option(
            "--idempotency-key", metavar="KEY", help="Makes it safe to run twice. Default: a new one."
        ),
    ):
        function = option(function)
    return function


@click.group("node")
def command() -> None:
    r"""List, create, drain and end nodes, through the service that `aether-infra serve` runs.

    \b
    aether-infra node list
    aether-infra node create --zone us-west-2a
    aether-infra node terminate i-0123456789abcdef0 --dry-run

    The key comes from $AETHER_API_KEY, the service from --url or $AETHER_CLOUD_URL. A change is followed until it is
    over: exit code 0 when it succeeded, 1 when it failed or was refused. Ctrl-C stops watching, not the change.
    """


@command.command("list")
@service_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def list_nodes(url: str, ca: str | None, *, as_json: bool) -> None:
    """List every node, with what the cloud, Aether and the load balancer say of it."""
    with _client(url, ca) as client:
        seen = _ask(client, "GET", "/nodes")
    if as_json:
        print_json(seen)
        return
    if seen["problem"]:
        say(seen["problem"])
    _table(seen["nodes"])


@command.command("create")
@service_options
@waiting_options
@click.option("--zone", help="Default: the service's choice.")
@click.option("--size", help="Machine type; default: the template's.")
@click.option(
    "--spot/--no-spot",
    default=None,
    help="On capacity that the cloud may take back; default: as the template says.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def create(
    url: str, ca: str | None, zone: str | None, size: str | None, *, spot: bool | None, **how: Any
) -> None:
    """Create an elastic node, and wait until it is on duty."""
    body = {
        key: value for key, value in (("zone", zone), ("size", size), ("spot", spot)) if value is not None
    }
    with _client(url, ca) as client:
        _change(client, "/nodes", body, {"kind": "create"}, **how)


@command.command("drain")
@service_options
@waiting_options
@click.argument("node_id")
@click.option("--core", is_flag=True, help="Also if it is a core node, if a quorum remains.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def drain(url: str, ca: str | None, node_id: str, *, core: bool, **how: Any) -> None:
    """Take a node out of service; its machine stays. `activate` brings it back."""
    body = {"core": True} if core else {}
    with _client(url, ca) as client:
        _change(client, f"/nodes/{_path(node_id)}/drain", body, {"kind": "drain", "node_id": node_id}, **how)


@command.command("activate")
@service_options
@waiting_options
@click.argument("node_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def activate(url: str, ca: str | None, node_id: str, **how: Any) -> None:
    """Put a drained node back into service."""
    plan = {"kind": "activate", "node_id": node_id}
    with _client(url, ca) as client:
        _change(client, f"/nodes/{_path(node_id)}/activate", {}, plan, **how)


@command.command("terminate")
@service_options
@waiting_options
@click.argument("node_id")
@click.option("--force", is_flag=True, help="Elastic nodes: go on if it does not drain in time.")
@click.option("--replace", is_flag=True, help="Elastic nodes: another one shall come in its place.")
@click.option("--core", is_flag=True, help="It is a core node, and this is meant; a quorum must remain.")
@click.option("--allow-leader", is_flag=True, help="Core nodes: also if it is the leader.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def terminate(
    url: str,
    ca: str | None,
    node_id: str,
    *,
    force: bool,
    replace: bool,
    core: bool,
    allow_leader: bool,
    **how: Any,
) -> None:
    """End a node in order: out of the load balancer, drained, ended, verified."""
    flags = {"force": force, "replace": replace, "core": core, "allow_leader": allow_leader}
    body = {key: True for key, value in flags.items() if value}
    plan = {"kind": "terminate", "node_id": node_id, **body}
    with _client(url, ca) as client:
        _change(client, f"/nodes/{_path(node_id)}/terminate", body, plan, **how)


def _change(
    client: httpx.Client,
    path: str,
    body: Mapping[str, Any],
    plan: Mapping[str, Any],
    *,
    no_wait: bool,
    dry_run: bool,
    reason: str,
    idempotency_key: str | None,
    as_json: bool,
) -> None:
    """Plan a change, or make it and follow it.

    Raises:
        OperationError: it would be refused, or has failed.
    """
    if dry_run:
        _show_plan(_ask(client, "POST", "/plan", json={**plan, **body}), as_json=as_json)
        return
    given = {**body, **({"reason": reason} if reason else {})}
    headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(8)}
    operation = _ask(client, "POST", path, json=given, headers=headers)
    if not no_wait:
        for line in _follow(client, operation["id"]):
            say(
                f"{line['step'] or operation['kind']}: {line['happening']}{': ' + line['text'] if line['text'] else ''}"
            )
        operation = _ask(client, "GET", f"/operations/{operation['id']}")
    if as_json:
        print_json(operation)
    elif no_wait:
        click.echo(operation["id"])
    else:
        click.echo(f"{operation['state']} {operation['node_id'] or operation['id']}")
    if operation["state"] in {"failed", "cancelled"}:
        raise OperationError(
            f"{operation['id']} {operation['state']}: {operation['error'] or 'see its history'}"
        )


def _show_plan(plan: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
    else:
        for step in plan["steps"] if plan["allowed"] else ():
            click.echo(f"would: {step}")
        for finding in plan["findings"]:
            say(finding)
    if not plan["allowed"]:
        raise OperationError("it would be refused")


def _follow(client: httpx.Client, operation_id: str) -> Iterator[dict[str, Any]]:
    """Lines of an operation's history as they come, until it is over; a line that is cut is taken up again."""
    import httpx  # noqa: PLC0415 - an extra

    last, event = "", ""
    while True:
        try:
            headers = {"Last-Event-ID": last} if last else {}
            with client.stream("GET", f"/operations/{operation_id}/events", headers=headers) as answer:
                _refuse(answer, read=True)
                for text in answer.iter_lines():
                    name, _, value = text.partition(": ")
                    if name == "id":
                        last = value
                    elif name == "event":
                        event = value
                    elif name == "data" and event == "over":
                        return
                    elif name == "data":
                        line: dict[str, Any] = json.loads(value)
                        yield line
        except (httpx.ReadTimeout, httpx.RemoteProtocolError):
            pass
        except httpx.HTTPError as error:
            address = client.base_url.copy_with(path="/")
            raise ServiceError(
                f"{address} cannot be reached any more: {error} ({operation_id} goes on as soon as it is)"
            ) from error
        time.sleep(AGAIN_SECONDS)


def _client(url: str, ca: str | None) -> httpx.Client:
    """A client of the service.

    Raises:
        MissingExtraError: httpx is not installed.
        click.UsageError: the address or the certificates cannot be used.
    """
    try:
        import httpx  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError("runtime", error.name or "httpx") from error
    import ssl  # noqa: PLC0415 - on use

    try:
        given = httpx.URL(url)
    except httpx.InvalidURL:
        given = httpx.URL("")
    if given.scheme not in {"http", "https"} or not given.host:
        raise click.UsageError(f"--url: must be such as {DEFAULT_URL}, got {url}")
    key = os.environ.get("AETHER_API_KEY")
    try:
        verify: Any = ssl.create_default_context(cafile=ca) if ca else True
    except (OSError, ssl.SSLError) as error:
        raise click.UsageError(f"--ca: {ca} cannot be used: {error}") from None
    return httpx.Client(
        base_url=f"{url.rstrip('/')}/api/cloud",
        headers={"X-API-Key": key} if key else {},
        timeout=httpx.Timeout(60, connect=5),
        verify=verify,
    )


def _ask(client: httpx.Client, method: str, path: str, **given: Any) -> Any:
    """Ask the service.

    Raises:
        ServiceError: it refuses, or cannot be reached.
    """
    import httpx  # noqa: PLC0415 - an extra

    try:
        answer = client.request(method, path, **given)
    except httpx.HTTPError as error:
        hint = "is `aether-infra serve` running there? --url names another one"
        raise ServiceError(
            f"{client.base_url.copy_with(path='/')} cannot be reached: {error} ({hint})"
        ) from error
    _refuse(answer)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ServiceError(
            f"{client.base_url.copy_with(path='/')} answers something else: is that the service?"
        )
    return found


def _refuse(answer: httpx.Response, *, read: bool = False) -> None:
    """Raise what the service refuses, in its own words."""
    if answer.is_success:
        return
    if read:
        answer.read()
    try:
        problem = answer.json()
        text = f"{problem['title'].lower()}: {problem['detail']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        text = f"it answered {answer.status_code} {answer.reason_phrase}: is that the service?"
    raise ServiceError(text)


def _path(node_id: str) -> str:
    return quote(node_id, safe="")


def _table(nodes: list[dict[str, Any]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - on use

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("ID", "AETHER", "ROLE", "PHASE", "ZONE", "SIZE", "ADDRESS", "TARGET", "CPU"):
        table.add_column(title, overflow="fold", no_wrap=title in {"ROLE", "PHASE"})
    for node in nodes:
        load = "" if node["cpu"] is None else f"{node['cpu'] * 100:.0f} %"
        role = f"{node['role']}*" if node["leader"] else node["role"]
        table.add_row(
            node["id"], node["aether_id"], role, node["phase"], node["zone"], node["size"], node["address"],
            node["target"] or "", load,
        )  # fmt: skip
    screen = console()
    screen.print(table, width=None if screen.is_terminal else WIDE)
