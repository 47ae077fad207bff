"""Backends of Oracle's load balancer: an address and a port each, changed by work requests that must be awaited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import oci

from aether_infra.runtime.calls import Calls
from aether_infra.runtime.errors import CloudError, CloudUnavailable, Conflict, NotFound
from aether_infra.runtime.model import TargetHealth
from aether_infra.runtime.oracle.errors import translate
from aether_infra.runtime.oracle.place import Place
from aether_infra.runtime.retry import Patience

HEALTHS: Final[Mapping[str, TargetHealth]] = {
    "critical_state_backend_names": TargetHealth.UNHEALTHY,
    "unknown_state_backend_names": TargetHealth.INITIAL,
    "warning_state_backend_names": TargetHealth.UNHEALTHY,
}
"""Where a backend set's health names what is not well; whom it does not name is."""


class Backends:
    """The backend sets of one load balancer."""

    def __init__(self, place: Place, patience: Patience, given: Mapping[str, Any]) -> None:
        """Connect nothing yet.

        Args:
            place: the load balancer and its backend sets.
            patience: how long it waits and how often it tries.
            given: arguments of the client.
        """
        self._place = place
        self._patience = patience
        self._api = oci.load_balancer.LoadBalancerClient(**given)
        self._call = Calls(translate=translate, patience=patience)

    async def add(self, address: str) -> None:
        """Send traffic to an address."""
        for name, port in self._place.backend_sets.items():
            known = {each.name: each for each in await self._list(name)}
            backend = known.get(f"{address}:{port}")
            if backend is None:
                details = oci.load_balancer.models.CreateBackendDetails(
                    ip_address=address, port=port, weight=1, drain=False, backup=False, offline=False
                )
                await self._work(f"adding {address} to {name}", partial(self._create, name, details))
            elif backend.drain or backend.offline:
                await self._drain(name, backend, drain=False)

    async def drain(self, address: str) -> bool:
        """Send nothing new to an address; returns whether it was still being sent to."""
        served = False
        for name, port in self._place.backend_sets.items():
            for backend in await self._list(name):
                if backend.name == f"{address}:{port}" and not backend.drain:
                    served = True
                    await self._drain(name, backend, drain=True)
        return served

    async def remove(self, address: str) -> None:
        """Forget an address; one that is not known is success."""
        for name, port in self._place.backend_sets.items():
            if f"{address}:{port}" in {each.name for each in await self._list(name)}:
                await self._work(
                    f"removing {address} from {name}", partial(self._delete, name, f"{address}:{port}")
                )

    async def health(self) -> dict[str, TargetHealth]:
        """Address = what the load balancer says of it; of several backend sets the worst counts."""
        sets: list[dict[str, TargetHealth]] = []
        for name in self._place.backend_sets:
            backends = await self._list(name)
            report = await self._call(f"asking for the health of {name}", partial(self._health, name))
            found: dict[str, TargetHealth] = {}
            for backend in backends:
                states = [
                    state for key, state in HEALTHS.items() if backend.name in (getattr(report, key) or ())
                ]
                health = states[0] if states else TargetHealth.HEALTHY
                found[backend.ip_address] = TargetHealth.DRAINING if backend.drain else health
            sets.append(found)
        shared = set.intersection(*(set(each) for each in sets)) if sets else set()
        worst = (
            TargetHealth.DRAINING, TargetHealth.UNHEALTHY, TargetHealth.INITIAL, TargetHealth.HEALTHY,
        )  # fmt: skip
        return {
            address: next(health for health in worst if any(each[address] is health for each in sets))
            for address in shared
        }

    async def _list(self, name: str) -> list[Any]:
        backends: list[Any] = await self._call(
            f"listing {name}", lambda: self._api.list_backends(self._place.load_balancer_id, name).data
        )
        return backends

    async def _drain(self, name: str, backend: Any, *, drain: bool) -> None:
        details = oci.load_balancer.models.UpdateBackendDetails(
            weight=backend.weight or 1, backup=bool(backend.backup), drain=drain, offline=False
        )
        await self._work(
            f"changing {backend.name} in {name}", partial(self._update, name, backend.name, details)
        )

    async def _work(self, doing: str, ask: Callable[[], str]) -> None:
        """Ask for a change and wait until it is made; a load balancer makes one at a time.

        Raises:
            CloudError: it was refused, or has failed.
        """
        request = await self._call(doing, ask)
        if not request:
            return
        failure: list[CloudError] = []

        async def over() -> bool:
            work = await self._call(doing, lambda: self._api.get_work_request(request).data)
            if work.lifecycle_state == "FAILED":
                details = "; ".join(str(each.message) for each in work.error_details or ()) or "it failed"
                failure.append(CloudUnavailable(f"{doing}: {details}", code="WorkRequestFailed"))
            return work.lifecycle_state in {"SUCCEEDED", "FAILED"}

        await self._patience.until(over, doing)
        if failure:
            raise failure[0]

    def _create(self, name: str, details: Any) -> str:
        try:
            answer = self._api.create_backend(details, self._place.load_balancer_id, name)
        except oci.exceptions.ServiceError as error:
            # there by now: the answer to an earlier try was lost
            if isinstance(
                translate(error, ""), Conflict
            ) and f"{details.ip_address}:{details.port}" in self._names(name):
                return ""
            raise
        return str(answer.headers.get("opc-work-request-id") or "")

    def _update(self, name: str, backend: str, details: Any) -> str:
        answer = self._api.update_backend(details, self._place.load_balancer_id, name, backend)
        return str(answer.headers.get("opc-work-request-id") or "")

    def _delete(self, name: str, backend: str) -> str:
        try:
            answer = self._api.delete_backend(self._place.load_balancer_id, name, backend)
        except oci.exceptions.ServiceError as error:
            if isinstance(translate(error, ""), NotFound):
                return ""
            raise
        return str(answer.headers.get("opc-work-request-id") or "")

    def _health(self, name: str) -> Any:
        return self._api.get_backend_set_health(self._place.load_balancer_id, name).data

    def _names(self, name: str) -> set[str]:
        return {each.name for each in self._api.list_backends(self._place.load_balancer_id, name).data}
