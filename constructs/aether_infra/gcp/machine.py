"""What a machine of Compute Engine runs: Container-Optimized OS that logs in to Google's registries by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aether_infra.core.machine import MachineNode
from aether_infra.core.node import HealthProbe, NodePorts

DATA_DEVICE_NAME = "data"
"""Name of the data disk as the machine sees it."""

_GOOGLE_REGISTRY = re.compile(r"(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)")

_WHOAMI = """\
token=$(curl --silent --fail --max-time 10 --header Metadata-Flavor:Google \\
    http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token |
    sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')
[ -n "$token" ]
"""
"""The service account's token: https://cloud.google.com/compute/docs/access/authenticate-workloads (as of 2026-11)."""

_FETCHER = """\
secret() {
    value=$(curl --silent --fail --max-time 10 --header "Authorization: Bearer $token" \\
        "https://secretmanager.googleapis.com/v1/$2:access" |
        sed -n 's/.*"data" *: *"\\([^"]*\\)".*/\\1/p' | tr -- '-_' '+/' | base64 -d)
    [ -n "$value" ]
    if [ "$(printf '%s\\n' "$value" | wc -l)" -ne 1 ]; then
        echo "$2 has several lines" >&2
        return 1
    fi
    printf '%s=%s\\n' "$1" "$value"
}
"""
"""https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access (as of 2026-11)."""


def machine_node(
    *,
    image: str,
    environment: Mapping[str, str],
    ports: NodePorts,
    health: HealthProbe,
    stop_timeout_seconds: int,
    secrets: Mapping[str, str],
    data_disk: bool,
) -> MachineNode:
    """One node on Container-Optimized OS, which brings Docker and all the rest.

    Args:
        image: the node's image.
        environment: the node's environment.
        ports: the node's ports.
        health: probes.
        stop_timeout_seconds: from the polite signal to the kill.
        secrets: environment variable and `projects/…/secrets/…/versions/…`.
        data_disk: whether `/data` is on a disk of its own.
    """
    return MachineNode(
        image=image,
        environment=environment,
        ports=ports,
        health=health,
        stop_timeout_seconds=stop_timeout_seconds,
        data_device=f"/dev/disk/by-id/google-{DATA_DEVICE_NAME}" if data_disk else None,
        packages=(),
        login=_login(image),
        secrets=_fetch(secrets),
        # straight to Cloud Logging, as the machine's service account
        log_driver="gcplogs",
    )


def _login(image: str) -> str:
    """Log in where the image lies, if that is a registry of Google's."""
    host = image.partition("/")[0]
    if not _GOOGLE_REGISTRY.fullmatch(host):
        return ""
    command = (
        f'printf %s "$token" | docker login --username oauth2accesstoken --password-stdin https://{host}\n'
    )
    return _WHOAMI + command


def _fetch(secrets: Mapping[str, str]) -> str:
    """Print each secret as `NAME=value`."""
    if not secrets:
        return ""
    calls = [f"secret {name} {reference}\n" for name, reference in sorted(secrets.items())]
    return "".join([_WHOAMI, _FETCHER, *calls])
