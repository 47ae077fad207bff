"""Facts about Terraform's state backends.

Source: https://developer.hashicorp.com/terraform/language/backend and the page of each below it
(as of 2026-11).
"""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

TERRAFORM_SINCE: Final = "1.11"
"""Oldest Terraform that is supported: the first whose S3 backend locks a state by a file in its bucket for good, which
is our default there. Source: https://developer.hashicorp.com/terraform/language/v1.11.x/upgrade-guides (as of
2026-11)."""
OPENTOFU_SINCE: Final = "1.10"
"""Oldest OpenTofu that is supported, for the same reason. Source:
https://opentofu.org/docs/v1.10/intro/whats-new/ (as of 2026-11)."""

HOSTED: Final = "app.terraform.io"
"""Host of HCP Terraform, which a `remote` or `cloud` backend means where it names none."""


@frozen
class Backend:
    """A state backend."""

    required: tuple[str, ...] = ()
    """Settings that it cannot do without, neither by a default nor by the environment."""
    settings: tuple[str, ...] = ()
    """Settings that it has and that are no secrets."""


def _backend(required: str, settings: str) -> Backend:
    return Backend(tuple(required.split()), (*required.split(), *settings.split()))


BACKENDS: Final[Mapping[str, Backend]] = {
    "local": _backend("", "path workspace_dir"),
    "s3": _backend(
        "bucket",
        "key region dynamodb_table use_lockfile encrypt kms_key_id acl profile role_arn assume_role "
        "assume_role_with_web_identity workspace_key_prefix endpoints endpoint use_path_style "
        "skip_region_validation "
        "skip_credentials_validation skip_metadata_api_check skip_requesting_account_id skip_s3_checksum "
        "allowed_account_ids forbidden_account_ids shared_config_files shared_credentials_files "
        "max_retries retry_mode "
        "sts_region use_dualstack_endpoint use_fips_endpoint custom_ca_bundle",
    ),
    "gcs": _backend(
        "bucket", "prefix impersonate_service_account kms_encryption_key storage_custom_endpoint"
    ),
    "azurerm": _backend(
        "container_name",
        "storage_account_name key resource_group_name subscription_id tenant_id client_id environment "
        "endpoint "
        "metadata_host snapshot use_azuread_auth use_cli use_msi use_oidc msi_endpoint lookup_blob_endpoint",
    ),
    "http": _backend(
        "address",
        "update_method lock_address lock_method unlock_address unlock_method skip_cert_verification "
        "retry_max "
        "retry_wait_min retry_wait_max",
    ),
    "remote": _backend("organization workspaces", "hostname"),
    "cloud": _backend("workspaces", "organization hostname"),
    "pg": _backend("", "schema_name skip_schema_creation skip_table_creation skip_index_creation"),
    "consul": _backend("path", "address scheme datacenter gzip lock ca_file cert_file key_file"),
    "cos": _backend("bucket region", "prefix key encrypt acl accelerate assume_role endpoint"),
    "oss": _backend(
        "bucket",
        "region prefix key encrypt acl profile tablestore_endpoint tablestore_table assume_role endpoint",
    ),
}
"""The backends of Terraform 1.x."""
