"""Parts of an Azure resource id, `/subscriptions/ID/resourceGroups/GROUP/providers/KIND/NAME[/KIND/NAME]`."""

from __future__ import annotations

from cdktf import Fn, Token

SUBSCRIPTION = 2
RESOURCE_GROUP = 4
NAME = 8
CHILD_NAME = 10


def part(resource_id: str, place: int) -> str:
    """One part of an id.

    Args:
        resource_id: the id, or a token for it.
        place: which part, counted between slashes: `SUBSCRIPTION`, `RESOURCE_GROUP`, `NAME`, `CHILD_NAME`.

    Returns:
        The part, or a token for it.
    """
    if Token.is_unresolved(resource_id):
        return Token.as_string(Fn.element(Fn.split("/", resource_id), place))
    return resource_id.split("/")[place]


def parent(resource_id: str) -> str:
    """The id of what a child resource belongs to, such as a subnet's network.

    Args:
        resource_id: the child's id, or a token for it.

    Returns:
        The parent's id, or a token for it.
    """
    if Token.is_unresolved(resource_id):
        return Token.as_string(Fn.join("/", Token.as_list(Fn.slice(Fn.split("/", resource_id), 0, NAME + 1))))
    return "/".join(resource_id.split("/")[: NAME + 1])


def vault_and_secret(reference: str) -> tuple[str, str]:
    """Names of vault and secret in a secret's identifier, in small letters: Azure sees no difference.

    Args:
        reference: `https://VAULT.vault.azure.net/secrets/NAME[/VERSION]`.
    """
    _, _, host, _, secret, *_ = reference.split("/")
    return host.partition(".")[0].lower(), secret.lower()
