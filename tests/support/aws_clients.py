"""boto3's clients, made once for each test: making them takes more time than all that the suite does with them."""

from __future__ import annotations

import os
from functools import cache
from typing import Any
from unittest.mock import patch

from cloud_world import HttpWorld

from aether_infra.runtime.manager import CloudManager
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings


class SharedClients(HttpWorld):
    """A world of AWS whose managers share what they have in common, and nothing of their own."""

    def __init__(self) -> None:
        super().__init__()
        self._clients: dict[Any, Any] = {}

    def manager(
        self, settings: RuntimeSettings | None = None, *, answer_seconds: float = 30, **patience: Any
    ) -> CloudManager:
        from aether_infra.runtime.aws.session import Clients

        make = Clients.of

        def of(given: RuntimeSettings, patience: Patience) -> Clients:
            environment = tuple(
                sorted((key, value) for key, value in os.environ.items() if key[:4] == "AWS_")
            )
            key = (given.region, patience.answer_seconds, environment)
            if key not in self._clients:
                self._clients[key] = make(given, patience)
            clients: Clients = self._clients[key]
            return clients

        remember_classes()
        with patch.object(Clients, "of", of):
            return super().manager(settings, answer_seconds=answer_seconds, **patience)


@cache
def remember_classes() -> None:
    """Let botocore make the class of a service's client once in this process."""
    from botocore.client import ClientCreator

    make, classes = ClientCreator._create_client_class, {}  # noqa: SLF001

    def once(self: Any, service_name: str, service_model: Any) -> Any:
        if service_name not in classes:
            classes[service_name] = make(self, service_name, service_model)
        return classes[service_name]

    ClientCreator._create_client_class = once  # noqa: SLF001
