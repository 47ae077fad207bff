"""Clients of AWS, made as the SDK makes them: region from the settings, everything else from the environment.

Credentials: variables, the shared files, a role of the task, instance or pod. Endpoints: `AWS_ENDPOINT_URL`, or
`AWS_ENDPOINT_URL_<SERVICE>` for one of them. Source:
https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html (as of 2026-11).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import boto3  # type: ignore[import-untyped]
from attrs import define, field
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]
from botocore.loaders import Loader, create_loader  # type: ignore[import-untyped]
from botocore.session import Session  # type: ignore[import-untyped]

from aether_infra.runtime.aws.errors import HOW_TO_SIGN_IN, translate
from aether_infra.runtime.errors import Denied
from aether_infra.runtime.retry import Patience
from aether_infra.runtime.settings import RuntimeSettings

CONNECT_SECONDS: Final = 10.0
"""Longest that a connection may take."""
CONNECTIONS: Final = 32
"""Connections to one service at the same time: as many as asyncio has threads at most."""


@define
class Clients:
    """The clients of one manager, each made when it is first asked for."""

    _session: Any
    _config: Any
    _made: dict[str, Any] = field(factory=dict)

    @classmethod
    def of(cls, settings: RuntimeSettings, patience: Patience) -> Clients:
        """Sign in.

        Args:
            settings: whose region it is.
            patience: whose `answer_seconds` bounds each answer.

        Raises:
            Denied: there are no credentials.
            CloudError: the SDK's own settings are wrong, such as a profile that there is not.
        """
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, patience.answer_seconds),
            read_timeout=patience.answer_seconds,
            # tries are ours: several loops around one call would multiply, and hide what the cloud asks to wait
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=CONNECTIONS,
            user_agent_extra="aether-infra",
        )
        try:
            core = Session()
            core.register_component("data_loader", _loader())
            session = boto3.Session(botocore_session=core, region_name=settings.region)
            credentials = session.get_credentials()
        except BotoCoreError as error:
            raise (translate(error, "signing in to AWS") or error) from error
        if credentials is None:
            raise Denied(f"signing in to AWS: {HOW_TO_SIGN_IN}", code="NoCredentialsError")
        return cls(session=session, config=config)

    def __getitem__(self, service: str) -> Any:
        """The client of a service, by boto3's name of it. Not to be called from several threads at the same time."""
        if service not in self._made:
            self._made[service] = self._session.client(service, config=self._config)
        return self._made[service]

    def close(self) -> None:
        """Close the connections."""
        for client in self._made.values():
            client.close()
        self._made.clear()


@cache
def _loader() -> Loader:
    """The SDK's descriptions of services, read once in a program: that of EC2 takes a fifth of a second."""
    return create_loader()
