"""Facts about Terraform's state backends.

Source: https://developer.hashicorp.com/terraform/language/backend, read 2026-11-23.
"""

from collections.abc import Mapping
from typing import Final

BACKENDS: Final[Mapping[str, tuple[str, ...]]] = {
    "local": (),
    "s3": ("bucket",),
    "gcs": ("bucket",),
    "azurerm": ("container_name", "key"),
    "http": ("address",),
    "remote": ("organization", "workspaces"),
    "cloud": ("workspaces",),
    "pg": (),
    "consul": ("path",),
    "cos": ("bucket",),
    "oss": ("bucket",),
}
"""Backends and the settings each cannot do without (what may come from the environment is left out)."""
