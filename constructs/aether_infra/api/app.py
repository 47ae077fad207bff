"""The application: routes, errors, health, metrics, dashboard."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from aether_infra import __version__
from aether_infra.api import schema
from aether_infra.api.auth import HEADER
from aether_infra.api.context import Api, Served, Viewer
from aether_infra.api.metrics import Metrics
from aether_infra.api.options import ApiOptions
from aether_infra.api.problems import (
    ProblemError,
    know_fields,
    on_error,
    on_http,
    on_invalid,
    on_problem,
)
from aether_infra.api.routes import PREFIX, RESPONSES, router
from aether_infra.errors import AetherInfraError
from aether_infra.runtime.operations import OperationState
from aether_infra.runtime.service import Service

log = logging.getLogger(__name__)

MOST_BYTES: Final = 65_536
"""Largest body of a request."""
PAGES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/dashboard.css": ("dashboard.css", "text/css; charset=utf-8"),
    "/dashboard.js": ("dashboard.js", "text/javascript; charset=utf-8"),
}
"""The dashboard: files without any data, which its script asks the API for."""
SECURITY: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer."""
DESCRIPTION: Final = (
    "Nodes, load balancer targets, DNS and size of a running Aether cluster. What takes time answers 202 with an "
    f"operation to follow. Errors are RFC 9457 problems. Keys go into the header `{HEADER}`: VIEWER reads, OPERATOR "
    "changes elastic nodes, ADMIN also core nodes, DNS and garbage."
)


def create_app(opened: Service, options: ApiOptions, now: Callable[[], float] = time.monotonic) -> FastAPI:
    """Make the application.

    Args:
        opened: an opened service; whoever opened it starts and closes it.
        options: how it is served.
        now: seconds that never go back.
    """
    app = FastAPI(
        title="Aether Infra runtime",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.api = Api.of(opened, options, now)
    app.state.metrics = Metrics()
    app.state.ending = False  # set by whoever ends it, so that open streams end too
    know_fields(schema.fields())
    app.include_router(router)
    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(AetherInfraError, on_error)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_error)
    app.middleware("http")(_around)
    _health(app)
    _pages(app)
    _describe(app)
    return app


def _health(app: FastAPI) -> None:
    @app.get("/health/live", tags=["health"])
    async def live() -> schema.Health:
        """Whether the process works; needs no key."""
        return schema.Health(status="UP", detail="alive")

    @app.get(
        "/health/ready",
        tags=["health"],
        responses={503: {"model": schema.Health, "description": "Not ready."}},
    )
    async def ready(own: Served) -> Any:
        """Whether requests can be taken; needs no key."""
        good, detail = await own.ready()
        health = schema.Health(status="UP" if good else "DOWN", detail=detail)
        return JSONResponse(health.model_dump(), 200 if good else 503)

    @app.get(
        "/metrics",
        tags=["health"],
        response_class=Response,
        responses={
            200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}},
            **{status: RESPONSES[status] for status in (401, 403, 429, 503)},
        },
    )
    async def metrics(own: Served, _who: Viewer, request: Request) -> Response:
        """What Prometheus scrapes."""
        found: Metrics = request.app.state.metrics
        found.cluster.leader = own.leader
        found.cluster.seen = own.controller.latest
        found.cluster.decision = own.controller.last
        states = [state for state in OperationState if not state.over]
        found.cluster.open = await own.engine.operations(states=states, limit=1000)
        return Response(generate_latest(found.registry), media_type=CONTENT_TYPE_LATEST)


def _pages(app: FastAPI) -> None:
    def page(name: str, media_type: str) -> Callable[[], Awaitable[Response]]:
        content = files("aether_infra.api.dashboard").joinpath(name).read_bytes()

        async def serve() -> Response:
            return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})

        return serve

    for path, (name, media_type) in PAGES.items():
        app.add_api_route(path, page(name, media_type), include_in_schema=False)


def _describe(app: FastAPI) -> None:
    """Say in the OpenAPI document how keys are sent."""
    made = app.openapi

    def described() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {})["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": HEADER}
        }
        for path, methods in document["paths"].items():
            if path.startswith(PREFIX) or path == "/metrics":
                for operation in methods.values():
                    operation["security"] = [{"key": []}]
        return document

    app.openapi = described  # type: ignore[method-assign]


async def _around(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse what is too large, count and time each call, and keep browsers from trusting what they should not."""
    started = time.perf_counter()
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        problem = ProblemError(
            413,
            "too-large",
            "The request is too large",
            f"at most {MOST_BYTES} bytes are allowed, got {length}",
        )
        response: Response = await on_problem(request, problem)
    else:
        response = await call(request)
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    route = getattr(request.scope.get("route"), "path", "none")
    metrics: Metrics = request.app.state.metrics
    metrics.calls.labels(request.method, route, str(response.status_code)).inc()
    if not route.endswith("/events"):
        metrics.seconds.labels(request.method, route).observe(time.perf_counter() - started)
    return response
