"""What every handler works with: the service, who calls, and how often they may."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from attrs import frozen
from fastapi import Depends, Header, Request

from aether_infra.api.auth import HEADER, NOBODY_IN_PARTICULAR, Principal, Role
from aether_infra.api.limits import Limiter
from aether_infra.api.options import ApiOptions
from aether_infra.api.problems import ProblemError, too_often
from aether_infra.runtime.service import Service

GUESSES_PER_MINUTE: Final = 10
"""Wrong keys of one address in a minute; after that even right ones are refused for a while."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


@frozen
class Api:
    """The service, and who may use it."""

    service: Service
    options: ApiOptions
    calls: Limiter
    guesses: Limiter

    @classmethod
    def of(cls, service: Service, options: ApiOptions, now: Callable[[], float] = time.monotonic) -> Api:
        """What an application works with.

        Args:
            service: an opened service.
            options: how it is served.
            now: seconds that never go back.
        """
        return cls(
            service,
            options,
            Limiter(options.calls_per_second, options.calls_at_once, now),
            Limiter(GUESSES_PER_MINUTE / 60, GUESSES_PER_MINUTE, now),
        )


def api(request: Request) -> Api:
    """The application's own."""
    found: Api = request.app.state.api
    return found


async def service(request: Request) -> Service:
    """The service. A coroutine, as whatever a handler depends on here: FastAPI takes plain functions to a thread."""
    return api(request).service


async def principal(request: Request) -> Principal:
    """Who calls.

    Raises:
        ProblemError: no key (401), a wrong one (403), or too many calls (429).
    """
    own = api(request)
    address = request.client.host if request.client else "?"
    if not own.options.keys:
        who = NOBODY_IN_PARTICULAR
    else:
        who = await _known(request, own, address)
    wait = own.calls.take(who.name if own.options.keys else address)
    if wait:
        raise too_often(wait)
    request.state.principal = who
    return who


async def _known(request: Request, own: Api, address: str) -> Principal:
    key = request.headers.get(HEADER)
    if key is None:
        raise ProblemError(
            401,
            "no-key",
            "A key is needed",
            f"send it in the header {HEADER}",
            headers={"WWW-Authenticate": 'ApiKey realm="Aether"'},
        )
    found = own.options.keys.find(key)
    if found is not None and own.guesses.allows(address):
        return found
    wait = own.guesses.take(address)
    if wait:
        raise too_often(wait)
    await own.service.journal.audit(
        address, f"{request.method} {request.url.path}", "key", "refused", "a wrong key"
    )
    raise ProblemError(403, "wrong-key", "That key is not known", "no key of this service is like it")


def at_least(role: Role) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the caller must have that role.

    Args:
        role: the least that is needed.
    """

    async def check(request: Request, who: Annotated[Principal, Depends(principal)]) -> Principal:
        if who.role >= role:
            return who
        action = f"{request.method} {request.url.path}"
        await api(request).service.journal.audit(
            who.name, action, "role", "refused", f"{who.role.name} < {role.name}"
        )
        raise ProblemError(
            403,
            "role",
            "That role is not enough",
            f"{action} needs {role.name}, and the key {who.name} is {who.role.name}",
        )

    return check


async def idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="Makes it safe to ask twice: the same key with the same request gives the same operation.",
            examples=["7f1c2d0e"],
        ),
    ] = None,
) -> str:
    """The caller's idempotency key; empty for none.

    Raises:
        ProblemError: it is no key.
    """
    if key is None:
        return ""
    if not _KEY.fullmatch(key):
        message = "must be 1 to 200 visible characters"
        fault = {"in": "header", "path": "Idempotency-Key", "message": message}
        raise ProblemError(
            422, "invalid-request", "The request has a fault", f"Idempotency-Key: {message}", errors=[fault]
        )
    return key


Viewer = Annotated[Principal, Depends(at_least(Role.VIEWER))]
Operator = Annotated[Principal, Depends(at_least(Role.OPERATOR))]
Admin = Annotated[Principal, Depends(at_least(Role.ADMIN))]
Served = Annotated[Service, Depends(service)]
Key = Annotated[str, Depends(idempotency_key)]
