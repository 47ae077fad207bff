"""Errors as problem documents: https://www.rfc-editor.org/rfc/rfc9457 (as of 2026-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from aether_infra.config.words import nearest
from aether_infra.runtime import errors as cloud
from aether_infra.runtime import refusals
from aether_infra.runtime.journal.store import JournalUnavailable

MEDIA_TYPE: Final = "application/problem+json"
"""Media type of a problem document."""
PREFIX: Final = "urn:aether-infra:problem:"
"""Beginning of each `type`."""

KINDS: Final[Sequence[tuple[type[Exception], int, str, str]]] = (
    (refusals.UnknownOperation, 404, "unknown-operation", "There is no such operation"),
    (
        refusals.KeyReused,
        422,
        "idempotency-key-reused",
        "The idempotency key came with another request before",
    ),
    (refusals.OutOfBounds, 422, "out-of-bounds", "The number is outside of what the cluster may have"),
    (refusals.Busy, 409, "busy", "Another operation has it"),
    (refusals.TooLate, 409, "too-late", "It is past the point of no return"),
    (refusals.Refused, 409, "refused", "It would do harm"),
    (refusals.Refusal, 409, "refused", "It is not done"),
    (cloud.NotFound, 404, "not-found", "There is no such thing"),
    (cloud.InvalidRequest, 422, "invalid", "The cloud finds the request wrong"),
    (cloud.QuotaExceeded, 507, "quota-exceeded", "The account may not have more"),
    (cloud.CapacityUnavailable, 503, "capacity-unavailable", "The cloud has no more"),
    (cloud.Throttled, 503, "throttled", "The cloud is asked too often"),
    (cloud.Denied, 502, "denied", "The cloud does not allow it"),
    (cloud.Conflict, 409, "conflict", "Something else changes it"),
    (cloud.CloudUnavailable, 502, "cloud-unavailable", "The cloud cannot be reached"),
    (JournalUnavailable, 503, "journal-unavailable", "The journal cannot be used"),
)
"""Class of an error, HTTP status, type and title; the first that fits counts."""


class ProblemError(Exception):
    """A problem that a handler has found itself.

    Args:
        status: HTTP status.
        kind: end of the problem's type.
        title: what it is, the same for all of its type.
        detail: what it is this time.
        headers: of the answer.
        **more: further members.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.status = status
        self.headers = headers or {}
        self.body = {
            "type": PREFIX + kind, "title": title, "status": status, "detail": detail, **more,
        }  # fmt: skip
        super().__init__(detail)


def too_often(seconds: float) -> ProblemError:
    """Somebody calls too often.

    Args:
        seconds: when to try again.
    """
    wait = max(1, ceil(seconds))
    return ProblemError(
        429, "rate-limited", "Too many calls", f"try again in {wait} s", headers={"Retry-After": str(wait)}
    )


async def on_problem(request: Request, error: Exception) -> JSONResponse:
    """Answer with a problem that a handler has found."""
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it
    return _answer(request, error)


async def on_error(request: Request, error: Exception) -> JSONResponse:
    """Answer an error of the engine or of a cloud."""
    for kind, status, name, title in KINDS:
        if isinstance(error, kind):
            more: dict[str, Any] = {}
            if operation := getattr(error, "operation_id", ""):
                more["operation"] = operation
            if code := getattr(error, "code", ""):
                more["code"] = code
            wait = getattr(error, "retry_after_seconds", None)
            headers = {"Retry-After": str(ceil(wait))} if wait else {}
            return _answer(request, ProblemError(status, name, title, str(error), headers=headers, **more))
    detail = "see the service's log"
    return _answer(request, ProblemError(500, "internal", "A fault of this service", detail))


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    names = {404: ("no-route", "There is no such path"), 405: ("method", "That method is not allowed here")}
    kind, title = names.get(error.status_code, ("http", "The request cannot be served"))
    detail = f"{request.method} {request.url.path}: {error.detail}"
    problem = ProblemError(error.status_code, kind, title, detail, headers=error.headers)
    return _answer(request, problem)


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a request of the wrong form, with every fault, and a near match for a typo."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    faults = [_fault(each, error.body) for each in error.errors()]
    count = len(faults)
    detail = "; ".join(f"{each['path']}: {each['message']}" for each in faults)
    title = "The request has a fault" if count == 1 else f"The request has {count} faults"
    return _answer(request, ProblemError(422, "invalid-request", title, detail, errors=faults))


def _fault(error: Mapping[str, Any], body: Any) -> dict[str, str]:
    where, *rest = (str(part) for part in error["loc"])
    path = ".".join(rest) or where
    found: dict[str, str] = {"in": where, "path": path}
    if error["type"] == "extra_forbidden":
        known = _siblings(error)
        found["message"] = "unknown key"
        if hint := nearest(rest[-1], known):
            found["hint"] = hint
        return found
    found["message"] = (
        str(error["msg"]).removeprefix("Value error, ")[:1].lower()
        + str(error["msg"]).removeprefix("Value error, ")[1:]
    )
    given = error.get("input")
    if error["type"] != "missing" and isinstance(given, (str, int, float, bool)) and body is not given:
        found["message"] += f", got {given!r}"
    return found


_FIELDS: dict[str, tuple[str, ...]] = {}


def know_fields(fields: Mapping[str, Sequence[str]]) -> None:
    """Tell which keys there are, for near matches.

    Args:
        fields: a key's name, or a model's, = the keys beside it.
    """
    _FIELDS.update({name: tuple(keys) for name, keys in fields.items()})


def _siblings(error: Mapping[str, Any]) -> tuple[str, ...]:
    parent = next((str(part) for part in error["loc"][-2::-1] if str(part) in _FIELDS), "")
    if parent:
        return _FIELDS[parent]
    return tuple(sorted({key for keys in _FIELDS.values() for key in keys}))


def _answer(request: Request, problem: ProblemError) -> JSONResponse:
    body = problem.body | {"instance": request.url.path}
    return JSONResponse(body, problem.status, dict(problem.headers), MEDIA_TYPE)
