"""The way to Oracle Cloud: credentials as Oracle's command line finds them, and clients without tries of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import oci
from oci.circuit_breaker import NoCircuitBreakerStrategy
from oci.retry import NoneRetryStrategy

from aether_infra.runtime.errors import Denied
from aether_infra.runtime.oracle.errors import translate
from aether_infra.runtime.retry import Patience

ADDRESS: Final = "OCI_CLI_ENDPOINT"
"""Environment variable with another address of every service. Requests are signed, not sent with a secret."""
AUTH: Final = "OCI_CLI_AUTH"
"""Environment variable: `instance_principal` or `resource_principal`; anything else means the configuration file."""
CONFIG_FILE: Final = "OCI_CLI_CONFIG_FILE"
"""Environment variable: the configuration file; default `~/.oci/config`."""
PROFILE: Final = "OCI_CLI_PROFILE"
"""Environment variable: profile in that file; default DEFAULT."""


def arguments(region: str, patience: Patience, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Arguments of every client.

    Args:
        region: region.
        patience: how long an answer may take.
        env: where the variables are looked up; default: the process's environment.

    Raises:
        Denied: there are no credentials.
    """
    env = os.environ if env is None else env
    given: dict[str, Any] = {
        "retry_strategy": NoneRetryStrategy(),
        # ours has patience of its own; a breaker would refuse what the cloud would take again
        "circuit_breaker_strategy": NoCircuitBreakerStrategy(),
        "timeout": (patience.answer_seconds, patience.answer_seconds),
    }
    if env.get(ADDRESS):
        given["service_endpoint"] = env[ADDRESS].rstrip("/")
    try:
        if env.get(AUTH) == "instance_principal":
            signer = oci.auth.signers.InstancePrincipalsSecurityTokenSigner()
            return given | {"config": {"region": region}, "signer": signer}
        if env.get(AUTH) == "resource_principal":
            return given | {
                "config": {"region": region},
                "signer": oci.auth.signers.get_resource_principals_signer(),
            }
        path = env.get(CONFIG_FILE) or os.path.join(env.get("HOME", "~"), ".oci", "config")  # noqa: PTH118 - the library wants text
        config = oci.config.from_file(file_location=path, profile_name=env.get(PROFILE) or "DEFAULT")
        oci.config.validate_config(config)
        # one for all clients: each would read and check the key anew
        signer = oci.signer.Signer.from_config(config)
    except Exception as error:
        raise translate(error, "connecting") or Denied(
            f"no credentials for Oracle Cloud: {error}", code=type(error).__name__
        ) from error
    return given | {"config": config | {"region": region}, "signer": signer}
