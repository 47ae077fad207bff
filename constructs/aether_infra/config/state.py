"""`[cloud.state]`: where Terraform keeps what it knows."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from aether_infra.catalog.terraform import BACKENDS
from aether_infra.config.checks import Fault, OneOf
from aether_infra.config.credentials import refusal, secret_value
from aether_infra.config.words import key_text, show


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
    if not isinstance(backend, str):
        yield Fault(f"must be text in quotes, got {show(backend)}", at=".backend")
        return
    unknown = [Fault(fault.message, fault.hint, ".backend") for fault in OneOf(tuple(BACKENDS))(backend)]
    yield from unknown
    settings = {key: value for key, value in table.items() if key != "backend"}
    yield from _setting_faults(settings, "", backend)
    for key in () if unknown else BACKENDS[backend]:
        if key not in settings:
            yield Fault(f"needs {key}", f"the {backend} backend cannot do without it", f".{key}")


def _setting_faults(table: Mapping[str, Any], at: str, backend: str) -> Iterator[Fault]:
    for key, value in table.items():
        place = f"{at}.{key_text(key)}"
        if explanation := refusal(key, ("cloud", "state", backend)):
            yield Fault("looks like a secret, which has no place in this file", explanation, place)
        elif isinstance(value, Mapping):
            yield from _setting_faults(value, place, backend)
        elif isinstance(value, str) and secret_value(value):
            yield Fault("holds a secret, which has no place in this file", "", place)
        elif not isinstance(value, str | int | bool | list):
            yield Fault(f"must be text, a whole number, true, false, a list or a table, got {show(value)}", "", place)
