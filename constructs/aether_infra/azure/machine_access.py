"""What a machine does with its identity: log in to a registry, read secrets. POSIX sh and Python, as cloud-init brings.

Nothing here holds a dollar sign before a brace but the values that Terraform puts in.
"""

from __future__ import annotations

from collections.abc import Mapping

_IDENTITY = """token() {{
    curl -sSf --retry 5 -H Metadata:true --get http://169.254.169.254/metadata/identity/oauth2/token \\
        --data-urlencode api-version=2018-02-01 --data-urlencode client_id={client_id} \\
        --data-urlencode "resource=$1" | field access_token
}}
field() {{
    python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]], end="")' "$1"
}}
"""
"""Source: https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
(as of 2026-11)."""


def registry_login(login_server: str, client_id: str) -> str:
    """Lines that log Docker in to a container registry, as a machine's identity.

    Source: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md (as of 2026-11).

    Args:
        login_server: the registry's host; may be a token.
        client_id: the identity; may be a token.
    """
    return _IDENTITY.format(client_id=client_id) + (
        f"registry='{login_server}'\n"
        "refresh=$(token https://management.azure.com/ |\n"
        '    curl -sSf --retry 5 "https://$registry/oauth2/exchange" --data-urlencode grant_type=access_token \\\n'
        '        --data-urlencode "service=$registry" --data-urlencode access_token@- | field refresh_token)\n'
        'echo "$refresh" | docker login --password-stdin \\\n'
        '    --username 00000000-0000-0000-0000-000000000000 "$registry"\n'
    )


def read_secrets(secrets: Mapping[str, str], client_id: str) -> str:
    """Lines that print `NAME=value` for secrets of Key Vault, read as a machine's identity.

    Source: https://learn.microsoft.com/en-us/rest/api/keyvault/secrets/get-secret/get-secret (as of 2026-11).

    Args:
        secrets: identifier of each secret, by environment variable.
        client_id: the identity; may be a token.
    """
    if not secrets:
        return ""
    lines = [_IDENTITY.format(client_id=client_id) + "bearer=$(token https://vault.azure.net)"]
    for name, reference in sorted(secrets.items()):
        url = f"{reference}?api-version=7.4"
        lines += [
            f"value=$(echo \"Authorization: Bearer $bearer\" | curl -sSf --retry 5 -H @- '{url}' | field value)",
            f"printf '%s\\n' \"{name}=$value\"",
        ]
    return "\n".join([*lines, ""])
