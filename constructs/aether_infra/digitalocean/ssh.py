"""SSH keys of droplets: the operator's, or one that nobody holds."""

from __future__ import annotations

import base64
import hashlib

from cdktf_cdktf_provider_digitalocean.ssh_key import SshKey
from constructs import Construct

from aether_infra.core.names import physical_name

KIND = b"ssh-ed25519"


class NobodysKey(Construct):
    """An SSH key without a private half, for where none was given.

    An autoscale pool insists on a key, and a droplet without one gets a password by e-mail, with which anybody may try.
    The key's 32 bytes are a hash, so no one knows what it would take to log in. Source:
    https://docs.digitalocean.com/products/droplets/how-to/use-autoscale-pools/ (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        name: the cluster's name; an account takes the same key only once.

    Attributes:
        key: the key.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str) -> None:
        super().__init__(scope, id_)
        self.key = SshKey(
            self, "Resource", name=physical_name(name, "nobody"), public_key=nobodys_public_key(name)
        )


def nobodys_public_key(name: str) -> str:
    """A public key in OpenSSH's form, different for every cluster.

    Args:
        name: the cluster's name.
    """
    point = hashlib.sha256(f"aether-infra: nobody holds the private half: {name}".encode()).digest()
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (KIND, point))
    return f"{KIND.decode()} {base64.b64encode(blob).decode()} nobody@{name}"
