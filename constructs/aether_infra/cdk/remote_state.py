"""Reading another stack's outputs from its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cdktf
from cdktf import Fn, TerraformRemoteState, Token
from constructs import Construct

from aether_infra.cdk.stack import BACKENDS, state_settings, write_settings
from aether_infra.cdk.text import literal
from aether_infra.config import StateConfig


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
    required: tuple[str, ...] = ()
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
        backend_class, required = BACKENDS[backend]
        reader = getattr(cdktf, f"DataTerraformRemoteState{backend_class.__name__.removesuffix('Backend')}")
        given = {key: settings.get(key, "") for key in required}
        source = reader(scope, id_, workspace="${terraform.workspace}", **given)
    write_settings(source, _literal(settings), required, "config.")
    return source


def _literal(value: Any) -> Any:
    """What Terraform takes as it is in a backend, but would read as a template here."""
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(item) for item in value]
    return literal(value) if isinstance(value, str) else value
