"""What a virtual machine gets to know of its node, as cloud-init text."""

from __future__ import annotations

from collections.abc import Mapping

from aether_infra.catalog import oracle as catalog
from aether_infra.cdk.text import base64_text
from aether_infra.core.machine import MachineNode, cloud_config
from aether_infra.core.node import HealthProbe, NodePorts

DATA_DEVICE = "/dev/oracleoci/oraclevdb"
"""Device of a core node's data volume, the same whatever is attached else. Source:
https://docs.oracle.com/en-us/iaas/Content/Block/References/consistentdevicepaths.htm (as of 2026-11)."""
LINUX, LINUX_VERSION = "Oracle Linux", "9"
PACKAGES = ("podman", "python39-oci-cli")
"""Podman and the OCI command line, of the repositories that Oracle Linux 9 has on Oracle Cloud. Source:
https://docs.oracle.com/en-us/iaas/Content/API/SDKDocs/cliinstall.htm (as of 2026-11)."""
_OCI = "oci --auth instance_principal"
_HOME = "export HOME=/root OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING=True\n"


def machine_node(
    *,
    image: str,
    environment: Mapping[str, str],
    ports: NodePorts,
    health: HealthProbe,
    stop_timeout_seconds: int,
    secrets: Mapping[str, str],
    own_registry: bool,
    data_volume: bool,
) -> MachineNode:
    """A node on Oracle Linux.

    Args:
        image: the node's image.
        environment: its environment.
        ports: its ports.
        health: its probes.
        stop_timeout_seconds: from the polite signal to the kill.
        secrets: Vault secrets by environment variable.
        own_registry: whether the image lies in OCIR.
        data_volume: whether there is a volume for its data.
    """
    return MachineNode(
        image=image,
        environment=environment,
        ports=ports,
        health=health,
        stop_timeout_seconds=stop_timeout_seconds,
        data_device=DATA_DEVICE if data_volume else None,
        engine="podman",
        packages=PACKAGES,
        login=_login(image) if own_registry else "",
        secrets=_fetch(secrets),
    )


def in_ocir(image: str) -> bool:
    """Whether an image reference without tokens lies in Oracle's registry."""
    return catalog.ocir_repository(image) is not None


def user_data(node: MachineNode) -> str:
    """The machine's user data: cloud-init text that Terraform encodes, since it may hold what is known only later.

    Args:
        node: what to run.
    """
    return base64_text(cloud_config(node))


def _login(image: str) -> str:
    """Log in as the machine itself: the registry gives a token for an hour."""
    host = image.partition("/")[0]
    return (
        f"{_HOME}"
        f"token=$({_OCI} raw-request --http-method GET --target-uri https://{host}/20180419/docker/token "
        "--query data.token --raw-output)\n"
        f'echo "$token" | podman login --username BEARER_TOKEN --password-stdin {host}\n'
    )


def _fetch(secrets: Mapping[str, str]) -> str:
    """Print each secret as `NAME=value`. A command that fails ends the script."""
    lines = [
        f"content=$({_OCI} secrets secret-bundle get --secret-id {secret_id} --raw-output "
        "--query 'data.\"secret-bundle-content\".content')\n"
        'value=$(echo "$content" | base64 --decode)\n'
        f"echo \"{name}=$value\" | tr '\\n' ' '\n"
        "echo\n"
        for name, secret_id in sorted(secrets.items())
    ]
    return _HOME + "".join(lines) if lines else ""
