"""Secrets have no place in the file: how they are recognised, and where they belong instead."""


def refusal(key: str, path: tuple[str | int, ...]) -> str:
    """Why a key is refused, with where the credential belongs; empty if the key is no credential.

    Args:
        key: the key.
        path: the table it stands in.
    """
    del key, path
    return ""


def secret_value(text: str) -> bool:
    """Whether a text is a secret by its own form."""
    del text
    return False
