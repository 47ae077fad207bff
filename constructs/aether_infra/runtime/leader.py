"""Who leads, where several replicas share a journal."""

from __future__ import annotations

import logging
import os
import secrets
import socket

from attrs import frozen

from aether_infra.runtime.clock import Calendar
from aether_infra.runtime.journal.lease import Lease, Leases
from aether_infra.runtime.journal.store import Fence, JournalUnavailable
from aether_infra.runtime.refusals import Fenced

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class LeaseOptions:
    """How leadership passes on; the defaults are those of Kubernetes' components (`client-go`, `leaderelection`)."""

    lease_seconds: float = 15
    """How long a leader may give no sign of life before another one takes over; default 15."""
    renew_seconds: float = 10
    """How long a leader leads on that cannot renew its lease; default 10, well before another one takes over."""
    retry_seconds: float = 2
    """Between two signs of life, and between two looks of those who wait; default 2."""


class Leadership:
    """Campaigns for the lease and keeps it.

    Clocks of different machines are never compared: whoever waits sees with its own clock for how long the lease has
    not been renewed. A leader that was paused finds its term over at its next write, which is refused.

    Args:
        leases: the lease in the journal.
        calendar: where time comes from.
        options: how long what may take.
        name: of this process; default: host, process and some random digits.
    """

    def __init__(
        self, leases: Leases, calendar: Calendar, options: LeaseOptions | None = None, name: str = ""
    ) -> None:
        self._leases = leases
        self._calendar = calendar
        self._options = options or LeaseOptions()
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._renewed = float("-inf")
        self._fence: Fence | None = None

    @property
    def fence(self) -> Fence | None:
        """The fence of the current term; None while this process does not lead."""
        return self._fence

    def sure(self) -> bool:
        """Whether this process leads for sure: its last sign of life is young enough."""
        age = self._calendar.now() - self._renewed
        return self._fence is not None and age < self._options.renew_seconds

    async def campaign(self) -> Fence:
        """Wait until this process leads."""
        seen: Lease | None = None
        since = self._calendar.now()
        while True:
            try:
                lease = await self._leases.look()
                now = self._calendar.now()
                if lease != seen:
                    seen, since = lease, now
                free = lease is None or not lease.holder
                if free or now - since >= self._options.lease_seconds:
                    fence = await self._leases.take(self.name, lease, self._calendar.utc())
                    if fence is not None:
                        self._fence, self._renewed = fence, now
                        log.info("%s leads in term %d", self.name, fence.term)
                        return fence
                    continue
            except JournalUnavailable as error:
                log.warning("%s", error)
            await self._calendar.sleep(self._options.retry_seconds)

    async def keep(self, fence: Fence) -> None:
        """Renew the lease until it cannot be.

        Raises:
            Fenced: another process leads, or the journal has not answered for too long.
        """
        while True:
            await self._calendar.sleep(self._options.retry_seconds)
            begun = self._calendar.now()
            try:
                await self._leases.renew(fence, self._calendar.utc())
                self._renewed = begun
            except JournalUnavailable as error:
                log.warning("%s", error)
            if not self.sure():
                raise Fenced(f"the lease was not renewed for {self._options.renew_seconds:.0f} s")

    async def end(self, fence: Fence) -> None:
        """Lead no more, and let another one do so at once."""
        self._fence = None
        try:
            await self._leases.give_up(fence, self._calendar.utc())
        except (Fenced, JournalUnavailable) as error:
            log.info("%s", error)
