"""`[cloud.state]`: where Terraform keeps what it knows."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import field, frozen

from aether_infra.catalog.terraform import BACKENDS, Backend
from aether_infra.config.checks import Fault, OneOf
from aether_infra.config.credentials import ANYWHERE, WHERE_STATE, refusal, secret_value
from aether_infra.config.words import nearest, show

Path = tuple[str | int, ...]
"""Keys and list positions inside the table."""
NEAR: Final = 0.8
"""How like a known setting a key must be to count as misspelt."""


@frozen(kw_only=True)
class StateConfig:
    """`[cloud.state]`."""

    backend: str = "local"
    """Terraform's backend; default local: a file with a relative path."""
    settings: Mapping[str, Any] = field(factory=dict)
    """Every further key of the table, handed to the backend as it is. Secrets have no place here."""


def state_faults(table: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with a `[cloud.state]` table."""
    backend = table.get("backend", "local")
    settings = {key: value for key, value in table.items() if key != "backend"}
    if not isinstance(backend, str):
        yield Fault(f"must be text in quotes, got {show(backend)}", inside=("backend",))
        return
    for fault in OneOf(tuple(BACKENDS))(backend):
        yield Fault(fault.message, fault.hint, ("backend",))
    for key, value in settings.items():
        yield from _setting_faults(key, value, (key,), backend)
    known = BACKENDS.get(backend)
    if known is not None:
        yield from _missing(settings, known, backend)
        yield from _misspelt(settings, known)


def _setting_faults(key: str, value: Any, place: Path, backend: str) -> Iterator[Fault]:
    if explanation := refusal(key, ("cloud", "state", backend)):
        yield Fault("looks like a secret, which has no place in this file", explanation, place)
        return
    match value:
        case Mapping():
            for inner, item in value.items():
                yield from _setting_faults(inner, item, (*place, inner), backend)
        case list():
            for index, item in enumerate(value):
                yield from _setting_faults("", item, (*place, index), backend)
        case str() if secret_value(value):
            yield Fault(
                "holds a secret, which has no place in this file", WHERE_STATE.get(backend, ANYWHERE), place
            )
        case str() | int():
            return
        case _:
            yield Fault(f"must be text, a whole number, true or false, got {show(value)}", inside=place)


def _missing(settings: Mapping[str, Any], known: Backend, backend: str) -> Iterator[Fault]:
    """Settings that are missing and not merely misspelt."""
    for key in known.required:
        if key not in settings and not any(nearest(given, [key], NEAR) for given in settings):
            yield Fault("is missing", f"the {backend} backend cannot do without it", (key,))


def _misspelt(settings: Mapping[str, Any], known: Backend) -> Iterator[Fault]:
    """Settings that nearly are one that the backend has; the others are for Terraform to judge."""
    for key in settings:
        if key not in known.settings and (hint := nearest(key, known.settings, NEAR)):
            yield Fault("unknown setting", hint, (key,))
