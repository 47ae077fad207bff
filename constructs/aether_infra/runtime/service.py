"""The service: everything of Layer 2 that runs in one process, put together and kept running."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from attrs import field, frozen

from aether_infra.runtime.aether.client import Aether, AetherOptions
from aether_infra.runtime.clock import Calendar, SystemCalendar
from aether_infra.runtime.controller import Controller, ControllerOptions
from aether_infra.runtime.engine.engine import Engine
from aether_infra.runtime.engine.steps import Context, EngineOptions
from aether_infra.runtime.journal.journal import Journal
from aether_infra.runtime.journal.store import Fence, JournalUnavailable, Runner
from aether_infra.runtime.leader import Leadership, LeaseOptions
from aether_infra.runtime.look import Look
from aether_infra.runtime.manager import CloudManager
from aether_infra.runtime.policy.model import Policy
from aether_infra.runtime.refusals import Fenced
from aether_infra.runtime.registry import connect
from aether_infra.runtime.settings import RuntimeSettings

log = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
"""How long to wait after a term that ended by an error."""


@frozen(kw_only=True)
class ServiceOptions:
    """How the service runs."""

    journal: str = "sqlite:///aether-infra.db"
    """URL of the journal: SQLite, or PostgreSQL where several replicas share it."""
    collect: bool = False
    """Whether orphans are ended; otherwise they are only told."""
    api_key: str = ""
    """Key with which nodes are asked; empty for none."""
    https: bool = False
    """Whether nodes speak TLS."""
    ca_file: Path | None = None
    """Certificates that theirs are held against; default: the system's."""
    tick_seconds: float = 10
    """From one decision to the next."""
    policy: Policy | None = None
    """When nodes come and go; default: as Layer 1 says."""
    engine: EngineOptions = field(factory=EngineOptions)
    """How operations are carried out."""
    lease: LeaseOptions = field(factory=LeaseOptions)
    """How leadership passes on."""
    name: str = ""
    """Of this process, for the others; default: host, process and some random digits."""


class Service:
    """Layer 2 in one process: `async with Service.connect(…) as service: await service.start()`.

    Args:
        settings: the cluster.
        options: how it runs.
        manager: the cloud.
        aether: the nodes' management API.
        calendar: where time comes from.
        runner: what runs blocking calls of the journal; default: threads.
    """

    def __init__(
        self,
        settings: RuntimeSettings,
        options: ServiceOptions,
        manager: CloudManager,
        aether: Aether,
        *,
        calendar: Calendar | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.settings = settings
        self.options = options
        self.manager = manager
        self.aether = aether
        self.calendar: Calendar = calendar or SystemCalendar()
        self._runner = runner
        self._parts: tuple[Journal, Engine, Controller, Leadership] | None = None
        self._task: asyncio.Task[None] | None = None
        self._problem = "it has not started"

    @classmethod
    def connect(
        cls,
        settings: RuntimeSettings,
        options: ServiceOptions,
        *,
        manager: CloudManager | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        calendar: Calendar | None = None,
    ) -> Service:
        """Make the service of a cluster.

        Args:
            settings: the cluster.
            options: how it runs.
            manager: instead of the cluster's cloud.
            transport: instead of the network to the nodes.
            calendar: where time comes from.

        Raises:
            MissingExtraError: the cloud's SDK is not installed.
            ConfigError: the settings lack what the cloud needs.
            Denied: there are no credentials.
        """
        reach = AetherOptions(
            port=settings.ports.management,
            api_key=options.api_key,
            https=options.https,
            ca_file=options.ca_file,
        )
        aether = Aether(reach, transport)
        return cls(settings, options, manager or connect(settings), aether, calendar=calendar)

    async def __aenter__(self) -> Self:
        journal = await Journal.open(self.options.journal, self.calendar, self._runner)
        context = Context(
            manager=self.manager,
            aether=self.aether,
            look=Look(self.manager, self.aether, self.calendar),
            journal=journal,
            settings=self.settings,
            options=self.options.engine,
            calendar=self.calendar,
        )
        engine = Engine(context)
        controller = Controller(
            context,
            engine,
            self.options.policy or Policy.of(self.settings.facts),
            ControllerOptions(tick_seconds=self.options.tick_seconds, collect=self.options.collect),
        )
        leadership = Leadership(journal.leases, self.calendar, self.options.lease, self.options.name)
        self._parts = (journal, engine, controller, leadership)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        await self.journal.close()
        await self.aether.close()
        await self.manager.close()

    @property
    def journal(self) -> Journal:
        """What is written down."""
        return self._open()[0]

    @property
    def engine(self) -> Engine:
        """Takes requests."""
        return self._open()[1]

    @property
    def controller(self) -> Controller:
        """Sees and decides."""
        return self._open()[2]

    @property
    def leader(self) -> bool:
        """Whether this process leads."""
        return self._open()[3].sure()

    @property
    def name(self) -> str:
        """Name of this process, as the lease shows it."""
        return self._open()[3].name

    async def start(self) -> None:
        """Begin to campaign for leadership, and to do a leader's work, in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self.run(), name="service")
            self._problem = ""

    async def stop(self) -> None:
        """End what runs in the background; operations are taken up again by whoever leads next."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._problem = "it has been stopped"

    async def ready(self) -> tuple[bool, str]:
        """Whether requests can be taken, and why not: the journal answers, and the background work goes on."""
        if self._problem or self._task is None or self._task.done():
            return False, self._problem or "its background work has ended"
        try:
            await self.journal.ping()
        except JournalUnavailable as error:
            return False, str(error)
        return True, "leads" if self.leader else "follows"

    async def run(self) -> None:
        """Lead whenever it can, until cancelled."""
        leadership = self._open()[3]
        while True:
            fence = await leadership.campaign()
            try:
                await self._lead(fence)
            except* Fenced as group:
                log.warning("leads no more: %s", group.exceptions[0])
            except* Exception:
                log.exception("a term has ended by an error")
            finally:
                await leadership.end(fence)
            await self.calendar.sleep(RESTART_SECONDS)

    async def _lead(self, fence: Fence) -> None:
        """Do a leader's work, until it leads no more."""
        _, engine, controller, leadership = self._open()
        async with asyncio.TaskGroup() as group:
            group.create_task(leadership.keep(fence), name="lease")
            group.create_task(engine.lead(fence, leadership.sure), name="engine")
            group.create_task(controller.run(fence), name="controller")

    def _open(self) -> tuple[Journal, Engine, Controller, Leadership]:
        if self._parts is None:
            raise RuntimeError("the service is not open: async with service")
        return self._parts
