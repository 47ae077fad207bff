"""`aether-infra serve`: the runtime manager with its HTTP API."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aether_infra.cli.console import note, say
from aether_infra.errors import AetherInfraError, MissingExtraError

if TYPE_CHECKING:
    from aether_infra.api.options import ApiOptions
    from aether_infra.runtime.service import Service
    from aether_infra.runtime.settings import RuntimeSettings


class ServeError(AetherInfraError):
    """The service cannot run."""


@click.command("serve")
@click.option(
    "--outputs",
    metavar="FILE",
    help="What `terraform output -json` or `cdktf output --outputs-file` wrote. Default: $AETHER_OUTPUTS, else "
    "the JSON in $AETHER_RUNTIME.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, envvar="AETHER_HOST", help="Address to listen on."
)
@click.option(
    "--port", type=int, default=8081, show_default=True, envvar="AETHER_PORT", help="Port to listen on."
)
@click.option(
    "--journal",
    default="sqlite:///aether-infra.db",
    show_default=True,
    envvar="AETHER_JOURNAL",
    metavar="URL",
    help="Where operations are written down before they are tried: SQLite, or postgresql://… for several replicas.",
)
@click.option(
    "--tls-cert", type=click.Path(path_type=Path), envvar="AETHER_TLS_CERT", help="Certificate in PEM: TLS."
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path), envvar="AETHER_TLS_KEY", help="Its private key in PEM."
)
@click.option(
    "--collect/--no-collect",
    default=False,
    show_default=True,
    envvar="AETHER_COLLECT",
    help="End machines that nobody knows; otherwise they are only told.",
)
@click.option(
    "--tick",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    help="Seconds from one decision to the next.",
)
@click.option("--nodes-https", is_flag=True, help="Nodes speak TLS on their management port.")
@click.option(
    "--nodes-ca", type=click.Path(path_type=Path), help="Certificates that theirs are held against."
)
@click.option(
    "--demo", is_flag=True, help="A cluster in memory instead of a cloud, to look at the dashboard."
)
def command(  # noqa: PLR0917 - click's options
    outputs: str | None,
    host: str,
    port: int,
    journal: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    *,
    collect: bool,
    tick: float,
    nodes_https: bool,
    nodes_ca: Path | None,
    demo: bool,
) -> None:
    r"""Keep a cluster at the size it needs, and answer under /api/cloud.

    It reads nodes, health and load from Aether's management API, creates and ends elastic nodes through the cloud's
    own SDK, and never touches a core node unless told to. Everything it does is written down first: kill it at any
    moment and start it again.

    \b
    terraform output -json > outputs.json
    aether-infra serve --outputs outputs.json       then open http://127.0.0.1:8081
    aether-infra serve --demo                       a cluster in memory

    Keys for the API come from $AETHER_API_KEYS (KEY:NAME::ROLE;…, with VIEWER, OPERATOR or ADMIN); without any it only
    listens on loopback. The key with which nodes are asked is $AETHER_API_KEY. Credentials of the cloud come from where
    its SDK looks for them.

    SIGTERM ends it with exit code 0, Ctrl-C with 130; operations go on at the next start.
    """
    if demo:
        _nothing_besides_the_demo()
    try:
        from aether_infra.api.options import read_options  # noqa: PLC0415 - an extra
        from aether_infra.runtime.service import Service, ServiceOptions  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError("runtime", error.name or "fastapi") from error
    api = read_options(host=host, port=port, certificate=tls_cert, private_key=tls_key, env=os.environ)
    options = ServiceOptions(
        journal=journal,
        collect=collect,
        api_key=os.environ.get("AETHER_API_KEY", ""),
        https=nodes_https,
        ca_file=nodes_ca,
        tick_seconds=tick,
    )
    if demo:
        service = _demo(options)
    else:
        settings = read_settings(outputs)
        service = Service.connect(settings, options)
        if not settings.managed:
            note(
                "the number of nodes is the cloud's own autoscaler's: this service tells and does what it is asked to, "
                "and changes no number by itself ([cloud.manager] enabled = true makes it the owner)"
            )
    run(service, api)


_BACKLOG: Final = 2048
"""Connections that may wait, as uvicorn has it."""


def _nothing_besides_the_demo() -> None:
    """Refuse flags that a demo would not heed.

    Raises:
        click.UsageError: there is one.
    """
    context = click.get_current_context()
    given = [
        f"--{name}"
        for name in ("outputs", "journal", "collect")
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"--demo has its own cluster and journal, in memory: leave out {', '.join(given)}"
        )


def read_settings(outputs: str | None) -> RuntimeSettings:
    """The settings of the cluster, from the flag or the environment.

    Args:
        outputs: `--outputs`; None for not given.

    Raises:
        ConfigError: the file cannot be used; holds every problem.
        click.UsageError: there is none.
    """
    from aether_infra.runtime.settings import load_settings, parse_settings  # noqa: PLC0415 - on use

    path = outputs or os.environ.get("AETHER_OUTPUTS")
    if path == "-":
        return parse_settings(sys.stdin.read(), "standard input")
    if path:
        return load_settings(path)
    if text := os.environ.get("AETHER_RUNTIME"):
        return parse_settings(text, "AETHER_RUNTIME")
    raise click.UsageError(
        "which cluster? Give --outputs FILE (terraform output -json > outputs.json), or look around with --demo"
    )


def run(service: Service, api: ApiOptions) -> None:
    """Serve until told to end.

    Args:
        service: not opened yet.
        api: how it is served.

    Raises:
        ServeError: the address cannot be listened on, or the journal not be opened.
    """
    import asyncio  # noqa: PLC0415 - on use
    import logging  # noqa: PLC0415 - on use

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for loud in ("httpx", "httpcore", "azure", "botocore", "urllib3", "google"):
        logging.getLogger(loud).setLevel(logging.WARNING)
    if asyncio.run(_serve(service, api)) == signal.SIGINT:
        raise click.exceptions.Exit(128 + signal.SIGINT)


async def _serve(service: Service, api: ApiOptions) -> int:
    """Serve; returns the number of the signal that has ended it."""
    import socket  # noqa: PLC0415 - on use

    import uvicorn  # noqa: PLC0415 - an extra

    from aether_infra.api.app import create_app  # noqa: PLC0415 - an extra

    ended_by = 0

    class Server(uvicorn.Server):
        """One that does not send the signal to the process again: what is open is closed in order after it."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            numbers = (signal.SIGINT, signal.SIGTERM)
            before = {number: signal.signal(number, self.handle_exit) for number in numbers}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        def handle_exit(self, sig: int, frame: Any) -> None:
            nonlocal ended_by
            ended_by = sig
            app.state.ending = True
            super().handle_exit(sig, frame)

    async with service:
        config: dict[str, Any] = {
            "lifespan": "off",
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "timeout_graceful_shutdown": 5,
        }
        if api.certificate:
            config |= {"ssl_certfile": str(api.certificate), "ssl_keyfile": str(api.private_key)}
        family = socket.AF_INET6 if ":" in api.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((api.host, api.port))
                listener.listen(_BACKLOG)  # whoever is told that it serves can connect
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise ServeError(f"cannot listen on {api.host}, port {api.port}: {reason}") from error
            port = listener.getsockname()[1]
            app = create_app(service, api)
            server = Server(uvicorn.Config(app, **config))
            await service.start()
            url = f"{api.url.rpartition(':')[0]}:{port}"
            say(
                f"serving {service.settings.cluster_name} on {url} (dashboard, API under /api/cloud); Ctrl-C ends it"
            )
            await server.serve(sockets=[listener])
            say("ending; operations that are not over go on at the next start")
    return ended_by


def _demo(options: Any) -> Service:
    """A cluster in memory, whose load rises and falls."""
    from attrs import evolve  # noqa: PLC0415 - on use

    from aether_infra.config.provider import Provider  # noqa: PLC0415 - on use
    from aether_infra.runtime.clock import SystemCalendar  # noqa: PLC0415 - an extra
    from aether_infra.runtime.fake.aether import FakeAether  # noqa: PLC0415 - an extra
    from aether_infra.runtime.fake.cloud import FakeCloud  # noqa: PLC0415 - an extra
    from aether_infra.runtime.policy.model import Policy  # noqa: PLC0415 - an extra
    from aether_infra.runtime.service import Service  # noqa: PLC0415 - an extra
    from aether_infra.runtime.settings import RuntimeSettings  # noqa: PLC0415 - on use

    calendar = SystemCalendar()
    cloud = FakeCloud(
        calendar=calendar,
        cluster="demo",
        boot_seconds=8,
        stop_seconds=4,
        drain_seconds=4,
        remembered_seconds=10,
    )
    aether = FakeAether(cloud=cloud, join_seconds=4, drain_seconds=5)
    aether.demand = 3.4
    settings = RuntimeSettings(
        provider=Provider.KUBERNETES,
        compute="existing",
        region="memory",
        cluster_name="demo",
        core_nodes=3,
        min_nodes=4,
        max_nodes=10,
        managed=True,
    )
    policy = Policy(grow_after_add_seconds=5, shrink_after_add_seconds=60, down_window_seconds=30)
    chosen = evolve(options, journal="sqlite://", policy=policy, tick_seconds=2)
    return Service.connect(settings, chosen, manager=cloud, transport=aether.transport, calendar=calendar)
