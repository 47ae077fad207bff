"""Reading another stack's outputs from its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cdktf
from cdktf import Fn, TerraformRemoteState, Token
from constructs import Construct

from aether_infra.cdk.stack import state_settings
from aether_infra.cdk.text import literal
from aether_infra.config import StateConfig

_READERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "azurerm": ("DataTerraformRemoteStateAzurerm", ("storage_account_name", "container_name", "key")),
    "consul": ("DataTerraformRemoteStateConsul", ("address", "path", "access_token")),
    "cos": ("DataTerraformRemoteStateCos", ("bucket",)),
    "gcs": ("DataTerraformRemoteStateGcs", ("bucket",)),
    "http": ("DataTerraformRemoteStateHttp", ("address",)),
    "local": ("DataTerraformRemoteStateLocal", ()),
    "oss": ("DataTerraformRemoteStateOss", ("bucket",)),
    "pg": ("DataTerraformRemoteStatePg", ("conn_str",)),
    "s3": ("DataTerraformRemoteStateS3", ("bucket", "key")),
}
"""Data sources by Terraform's name of the backend: cdktf's class, and what its constructor insists on."""


class RemoteOutputs:
    """Outputs of another stack, read when Terraform runs.

    Attributes:
        source: the `terraform_remote_state` data source.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        state: StateConfig,
        state_name: str,
        region: str = "",
        primary: bool = True,
    ) -> None:
        """Declare the data source.

        Args:
            scope: the stack that reads.
            id_: the construct's id.
            state: where the states are kept.
            state_name: what the other stack's state is called there, such as `aether/gcp`.
            region: region of an S3 bucket that names none.
            primary: as the other stack has it (see `BaseStack`).
        """
        settings = state_settings(state, state_name, region=region, primary=primary)
        self.source = _declare(scope, id_, state.backend, settings, state_name)

    def text(self, output: str, *path: str) -> str:
        """A value of the other stack.

        Args:
            output: the output's name.
            *path: keys below it.

        Returns:
            A token.
        """
        value = self.source.get(output)
        return Token.as_string(Fn.lookup_nested(value, list(path)) if path else value)


def _declare(
    scope: Construct, id_: str, backend: str, settings: Mapping[str, Any], state_name: str
) -> TerraformRemoteState:
    source: TerraformRemoteState
    if backend in {"remote", "cloud"}:
        source = cdktf.DataTerraformRemoteState(
            scope,
            id_,
            organization=str(settings.get("organization", "")),
            workspaces=cdktf.NamedRemoteWorkspace(""),
        )
        if "tags" in settings["workspaces"]:
            # a stack may write to one of several, but reads one
            settings = {**settings, "workspaces": {"name": state_name.replace("/", "-")}}
    else:
        name, required = _READERS[backend]
        given = {key: settings.get(key, "") for key in required}
        source = getattr(cdktf, name)(scope, id_, workspace="${terraform.workspace}", **given)
        for key in set(required) - settings.keys():
            source.add_override(f"config.{key}", None)
    for key, value in sorted(settings.items()):
        source.add_override(f"config.{key}", _literal(value))
    if "name" not in settings.get("workspaces", {"name": ""}):
        source.add_override("config.workspaces.name", None)
    return source


def _literal(value: Any) -> Any:
    """What Terraform takes as it is in a backend, but would read as a template here."""
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(item) for item in value]
    return literal(value) if isinstance(value, str) else value
