"""The client: asks the nodes one after the other, newer paths first, and remembers who answers how."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from attrs import evolve, frozen

from aether_infra.config.words import listing
from aether_infra.errors import ConfigError, Problem
from aether_infra.runtime.aether import shapes
from aether_infra.runtime.aether.errors import (
    AetherDenied,
    AetherError,
    AetherRefused,
    AetherUnavailable,
    AetherUnsupported,
)
from aether_infra.runtime.aether.shapes import Load, Member
from aether_infra.runtime.observation import Lifecycle, Thresholds

ANSWER_SECONDS: Final = 5.0
"""How long a node may take to answer; management calls are small."""
ASKED: Final = 5
"""Nodes that are asked for one thing at the most: with thousands of dead ones, an answer must not take hours."""
PREFIXES: Final = ("/api", "")
"""Where newer and older nodes have their paths."""


@frozen(kw_only=True)
class AetherOptions:
    """How nodes are reached."""

    port: int = 8080
    """Management port of every node."""
    api_key: str = ""
    """Sent as `X-API-Key`; empty for none. Needs the role ADMIN for `shutdown`, else OPERATOR."""
    https: bool = False
    """Whether nodes speak TLS (`[tls]` in aether.toml)."""
    ca_file: Path | None = None
    """Certificates (PEM) that nodes' certificates are held against; default: the system's."""
    answer_seconds: float = ANSWER_SECONDS
    """How long one answer may take."""


@frozen(kw_only=True)
class Membership:
    """What Aether knows of its nodes."""

    members: Mapping[str, Member]
    """By Aether's id."""
    leader_id: str
    """Empty where there is none, or none is known."""
    quorum: bool | None
    """None where it is not said."""
    drains: bool
    """Whether these nodes know lifecycles, and so can be drained."""

    def on_duty(self, aether_id: str) -> bool:
        """Whether a node serves. Where nodes know no lifecycles, whoever is a member does."""
        member = self.members.get(aether_id)
        return member is not None and (not self.drains or member.lifecycle is Lifecycle.ON_DUTY)


class Aether:
    """Aether's management API.

    Args:
        options: how nodes are reached.
        transport: instead of the network.

    Raises:
        ConfigError: the file of certificates cannot be read.
    """

    def __init__(self, options: AetherOptions, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._options = options
        headers = {"X-API-Key": options.api_key} if options.api_key else {}
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=options.answer_seconds,
            transport=transport,
            verify=_trust(options.ca_file) if options.https else True,
            trust_env=False,  # nodes are in a private network: no proxy
        )
        self._addresses: list[str] = []
        self._prefix: dict[str, str] = {}

    def reach(self, addresses: Iterable[str]) -> None:
        """Say where the nodes are; those that answered last are asked first.

        Args:
            addresses: private addresses; best those of core nodes first.
        """
        new = dict.fromkeys(address for address in addresses if address)
        known = [address for address in self._addresses if address in new]
        self._addresses = list(dict.fromkeys([*known[:1], *new]))
        self._prefix = {address: self._prefix[address] for address in new if address in self._prefix}

    async def membership(self) -> Membership:
        """The nodes, their lifecycles, the leader and the quorum.

        Raises:
            AetherError: nobody answers, or the key is refused.
        """
        found = {member.id: member for member in shapes.members(await self._get("/nodes"))}
        if not found:
            # whoever answers is a member itself: this is no list of nodes
            raise AetherUnavailable("the nodes' list of nodes cannot be read, or is empty")
        states: Mapping[str, Lifecycle] = {}
        drains = True
        try:
            states = shapes.lifecycles(await self._get("/nodes/lifecycle"))
        except AetherUnsupported:
            drains = False
        for identity, state in states.items():
            found[identity] = evolve(found.get(identity, Member(id=identity)), lifecycle=state)
        leader = next((member.id for member in found.values() if member.leader), "")
        leader = leader or shapes.leader(await self._get("/status"))
        if leader in found:
            found[leader] = evolve(found[leader], leader=True)
        return Membership(members=found, leader_id=leader, quorum=await self._quorum(), drains=drains)

    async def loads(self) -> dict[str, Load]:
        """Load by node; nodes that are not in it do not say.

        Raises:
            AetherError: nobody answers, or the key is refused.
        """
        try:
            return shapes.loads(await self._get("/node-metrics"))
        except AetherUnsupported:
            return shapes.loads(await self._get("/metrics"))

    async def thresholds(self) -> Thresholds:
        """The nodes' own thresholds; their defaults where these nodes do not say.

        Raises:
            AetherError: nobody answers, or the key is refused.
        """
        try:
            return shapes.thresholds(await self._get("/controller/config"))
        except AetherUnsupported:
            return Thresholds()

    async def calls_per_second(self) -> float | None:
        """Requests a second of the cluster; None where these nodes do not say.

        Raises:
            AetherError: nobody answers, or the key is refused.
        """
        return shapes.calls_per_second(await self._get("/status"))

    async def identify(self, address: str) -> str:
        """Aether's id of the node at an address; empty while it does not answer, or does not say."""
        for path in ("/health/live", "/api/status", "/status"):
            try:
                answer = await self._ask("GET", address, path)
            except AetherUnavailable:
                return ""  # the same for the other paths, after the same time
            except AetherError:
                continue
            if identity := shapes.own_id(answer):
                return identity
        return ""

    async def ready(self, address: str) -> bool:
        """Whether the node at an address says that it serves: `/health/ready`, or `/health` of older ones."""
        for path in ("/health/ready", "/health"):
            try:
                answer = await self._ask("GET", address, path)
            except AetherUnsupported:
                continue
            except AetherError:
                return False
            return shapes.ready(answer)
        return False

    async def drain(self, aether_id: str) -> Lifecycle:
        """Begin to drain a node; one that drains already, or has, is success.

        Returns:
            Where it is now.

        Raises:
            AetherRefused: its state does not allow it.
            AetherUnsupported: these nodes know no lifecycles.
            AetherError: nobody answers, or the key is refused.
        """
        return await self._change("drain", aether_id, {Lifecycle.DRAINING, Lifecycle.DECOMMISSIONED})

    async def activate(self, aether_id: str) -> Lifecycle:
        """Put a drained node back on duty; one that is on duty is success. Raises as `drain`."""
        return await self._change("activate", aether_id, {Lifecycle.ON_DUTY})

    async def shutdown(self, aether_id: str) -> Lifecycle:
        """Shut a node's program down; one that does so already is success. Raises as `drain`."""
        return await self._change("shutdown", aether_id, {Lifecycle.SHUTTING_DOWN})

    async def close(self) -> None:
        """Give back connections."""
        await self._client.aclose()

    async def _change(self, verb: str, aether_id: str, wanted: set[Lifecycle]) -> Lifecycle:
        path = f"/node/{verb}/{quote(aether_id, safe='')}"
        answer = await self._request("POST", path)
        reason = shapes.refusal(answer)
        state = shapes.lifecycle(answer)
        if not reason:
            return state or min(wanted)
        if state is None:
            # whether it is so already, only the list says: the first request may have come through, and its answer not
            state = shapes.lifecycles(await self._get("/nodes/lifecycle")).get(aether_id)
        if state in wanted:
            return state
        raise AetherRefused(f"{aether_id} does not {verb} from {state or 'an unknown state'}: {reason}")

    async def _quorum(self) -> bool | None:
        for path in ("/api/health", "/health", "/health/ready"):
            try:
                answer = await self._request("GET", path, prefixes=("",))
            except AetherUnsupported:
                continue
            if (found := shapes.quorum(answer)) is not None:
                return found
        return None

    async def _get(self, path: str) -> Any:
        return await self._request("GET", path)

    async def _request(self, method: str, path: str, prefixes: Sequence[str] = PREFIXES) -> Any:
        """Ask one node after the other.

        Raises:
            AetherUnsupported: a node answers, and knows no such path.
            AetherUnavailable: nobody answers.
            AetherDenied: the key is refused.
        """
        if not self._addresses:
            raise AetherUnavailable("no node has an address yet")
        failures = []
        unsupported: AetherUnsupported | None = None
        for address in self._addresses[:ASKED]:
            try:
                answer = await self._ask_either(method, address, path, prefixes)
            except AetherUnsupported as error:
                unsupported = error
                break
            except AetherUnavailable as error:
                failures.append(str(error))
                continue
            self._addresses.remove(address)
            self._addresses.insert(0, address)
            return answer
        if unsupported is not None:
            raise unsupported
        # whoever is silent is asked last the next time
        silent = self._addresses[:ASKED]
        self._addresses = self._addresses[ASKED:] + silent
        raise AetherUnavailable(f"no node answers {method} {path}: {listing(failures)}")

    async def _ask_either(self, method: str, address: str, path: str, prefixes: Sequence[str]) -> Any:
        known = self._prefix.get(address)
        order = prefixes
        if len(prefixes) > 1 and known is not None:
            order = [known, *(prefix for prefix in prefixes if prefix != known)]
        missing: AetherUnsupported | None = None
        for prefix in order:
            try:
                answer = await self._ask(method, address, prefix + path)
            except AetherUnsupported as error:
                missing = error
                continue
            if len(prefixes) > 1:
                self._prefix[address] = prefix
            return answer
        raise missing or AetherUnsupported(f"{address} knows no {path}")

    async def _ask(self, method: str, address: str, path: str) -> Any:
        host = f"[{address}]" if ":" in address else address
        url = f"{'https' if self._options.https else 'http'}://{host}:{self._options.port}{path}"
        try:
            response = await self._client.request(method, url)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise AetherUnavailable(f"{address}: {reason}") from error
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            key = "the API key is refused" if self._options.api_key else "an API key is needed"
            raise AetherDenied(f"{address}: {method} {path}: {key} ({response.status_code})")
        if response.status_code in {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}:
            raise AetherUnsupported(f"{address} knows no {method} {path}")
        try:
            answer = response.json()
        except ValueError:
            raise AetherUnavailable(f"{address}: {path} gives no JSON ({response.status_code})") from None
        # about its health a node says with 503 that it is not ready, and the rest in the body all the same
        unready = "health" in path and response.status_code == httpx.codes.SERVICE_UNAVAILABLE
        if response.is_server_error and not unready:
            raise AetherUnavailable(f"{address}: {path} fails ({response.status_code})")
        if response.is_client_error:
            said = answer.get("error", "") if isinstance(answer, Mapping) else ""
            raise AetherRefused(f"{address}: {path}: {said or response.reason_phrase}")
        return answer


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(ca_file))
        except (OSError, ssl.SSLError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise ConfigError([Problem(path="", message=f"cannot be used: {reason}")], str(ca_file)) from None
    return context
