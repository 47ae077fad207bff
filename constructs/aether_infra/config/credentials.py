"""Secrets have no place in the file: how they are recognised, and where they belong instead."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

WORDS: Final = (
    r"access_?key(?:_id)?|account_?key|api_?key|api_?token|authorization|client_?secret|conn_?str|"
    r"connection_?string|credentials?|customer_?key|encryption_?key|fingerprint|http_?auth|pass_?phrase|"
    r"passwd|password|private_?key(?:_pem|_path|_password)?|secret|secret_?id|secret_?(?:access_?)?key|"
    r"service_?account_?key|session_?token|token|user_?ocid"
)
"""Words that name a credential, alone or at the end of a key."""
LOOKS_SECRET: Final = re.compile(rf"auth|(?:.*[_-])?(?:{WORDS})", re.IGNORECASE)
NO_SECRET: Final = re.compile(r"kms_encryption_key|.*kms_key|.*public_key", re.IGNORECASE)
"""Keys that end in such a word and still name no secret."""

AWS: Final = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in the environment"
GCP: Final = (
    "set GOOGLE_APPLICATION_CREDENTIALS (a file) or GOOGLE_CREDENTIALS in the environment, "
    "or run gcloud auth application-default login"
)
AZURE: Final = "set ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID in the environment, or run az login"
DIGITALOCEAN: Final = "set DIGITALOCEAN_TOKEN in the environment"
ORACLE: Final = (
    "set OCI_USER_OCID, OCI_FINGERPRINT and OCI_PRIVATE_KEY_PATH in the environment, or write ~/.oci/config"
)

WHERE: Final[Mapping[str, str]] = {
    "aws": AWS,
    "gcp": GCP,
    "azure": AZURE,
    "digitalocean": DIGITALOCEAN,
    "oracle": ORACLE,
    "kubernetes": "keep it in the kubeconfig file and name its context here",
}
"""Where each cloud's credentials come from. Sources, all (as of 2026-11):
https://registry.terraform.io/providers/hashicorp/aws/6.25.0/docs#authentication-and-configuration,
https://registry.terraform.io/providers/hashicorp/google/6.50.0/docs/guides/provider_reference#authentication,
https://registry.terraform.io/providers/hashicorp/azurerm/4.55.0/docs#authenticating-to-azure,
https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs#argument-reference,
https://registry.terraform.io/providers/oracle/oci/8.28.0/docs."""

WHERE_STATE: Final[Mapping[str, str]] = {
    "s3": AWS,
    "gcs": "set GOOGLE_BACKEND_CREDENTIALS, GOOGLE_CREDENTIALS or GOOGLE_ENCRYPTION_KEY in the environment",
    "azurerm": "set ARM_ACCESS_KEY, ARM_SAS_TOKEN or ARM_CLIENT_SECRET in the environment, or run az login",
    "http": "set TF_HTTP_USERNAME and TF_HTTP_PASSWORD in the environment",
    "remote": "run terraform login, or set TF_TOKEN_app_terraform_io in the environment",
    "cloud": "run terraform login, or set TF_TOKEN_app_terraform_io in the environment",
    "pg": "set PG_CONN_STR or PGPASSWORD in the environment",
    "consul": "set CONSUL_HTTP_TOKEN or CONSUL_HTTP_AUTH in the environment",
    "cos": "set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY in the environment",
    "oss": "set ALICLOUD_ACCESS_KEY and ALICLOUD_SECRET_KEY in the environment",
}
"""Where each state backend's credentials come from. Source:
https://developer.hashicorp.com/terraform/language/backend and the page of each backend below it
(as of 2026-11)."""

ANYWHERE: Final = (
    "credentials come from the environment, as the Terraform provider documents it: AWS_ACCESS_KEY_ID, "
    "GOOGLE_APPLICATION_CREDENTIALS, ARM_CLIENT_ID, DIGITALOCEAN_TOKEN, OCI_USER_OCID, …"
)

SECRET_VALUES: Final = re.compile(
    r"(?:A3T[A-Z0-9]|AKIA|ASIA)[A-Z0-9]{16}"  # AWS access key ids
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|do[opr]_v1_[0-9a-f]{16,}"  # DigitalOcean tokens
    r"|gh[pousr]_[A-Za-z0-9]{20,}"  # GitHub tokens
    r"|\"private_key\"\s*:"  # a Google service account key
    r"|(?:^|[;\s])(?:AccountKey|SharedAccessKey|password)\s*="  # connection strings
    r"|[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@"  # a URL with a password
)
"""Forms of text that are secrets whatever key they stand at."""


def looks_secret(key: str) -> bool:
    """Whether a key names a credential."""
    return bool(LOOKS_SECRET.fullmatch(key)) and not NO_SECRET.fullmatch(key)


def refusal(key: str, path: Sequence[str | int]) -> str:
    """Why a key is refused: where such a credential belongs. Empty if the key names no credential.

    Args:
        key: the key.
        path: the table it stands in, such as `("cloud", "aws")`; for the state `("cloud", "state", backend)`.
    """
    if not looks_secret(key):
        return ""
    if len(path) > 2 and path[1] == "state":  # noqa: PLR2004 - cloud, state, backend
        return WHERE_STATE.get(str(path[2]), ANYWHERE)
    return WHERE.get(str(path[1]), ANYWHERE) if len(path) > 1 else ANYWHERE


def secret_value(text: str) -> bool:
    """Whether a text is a secret by its own form."""
    return bool(SECRET_VALUES.search(text))
