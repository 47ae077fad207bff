"""The base of every stack: where its state is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cdktf
from cdktf import TerraformBackend, TerraformStack
from constructs import Construct

from aether_infra.config import StateConfig

STATE_FOLDER = "../../.."
"""From the folder that Terraform runs in, `<output folder>/stacks/<stack>`, to the one that holds the output
folder: the project's root. Relative, so that the output is the same on every machine."""

_PLACES = frozenset({"key", "path", "prefix"})
"""Settings that name a state's place in most backends."""
_OTHER_PLACES = {
    "http": frozenset({"address", "lock_address", "unlock_address"}),
    "pg": frozenset({"schema_name"}),
}
"""The same where they have other names."""

_BACKENDS: Mapping[str, tuple[Callable[..., TerraformBackend], tuple[str, ...]]] = {
    "azurerm": (cdktf.AzurermBackend, ("storage_account_name", "container_name", "key")),
    "consul": (cdktf.ConsulBackend, ("address", "path", "access_token")),
    "cos": (cdktf.CosBackend, ("bucket",)),
    "gcs": (cdktf.GcsBackend, ("bucket",)),
    "http": (cdktf.HttpBackend, ("address",)),
    "local": (cdktf.LocalBackend, ()),
    "oss": (cdktf.OssBackend, ("bucket",)),
    "pg": (cdktf.PgBackend, ("conn_str",)),
    "s3": (cdktf.S3Backend, ("bucket", "key")),
}
"""Backends by Terraform's name: cdktf's class, and what its constructor insists on."""


class BaseStack(TerraformStack):
    """A Terraform stack whose state is kept where `[cloud.state]` says.

    Every cluster and cloud has a state of its own, so that one configuration can never be applied over another.
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
        """Declare the stack and its backend.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            state: where the state is kept.
            state_name: what this stack's state is called there, such as `aether/aws`.
            region: region of an S3 bucket that names none.
            primary: a place that the file names is this stack's own; the other stacks of one file take it with
                their names attached, so that no two share a state.
        """
        super().__init__(scope, id_)
        self.backend = declare_backend(self, state, state_name, region, primary=primary)


def declare_backend(
    stack: TerraformStack, state: StateConfig, state_name: str, region: str = "", *, primary: bool = True
) -> TerraformBackend:
    """Give a stack its backend.

    Args:
        stack: any stack, also one of your own.
        state: where the state is kept.
        state_name: what this stack's state is called there.
        region: region of an S3 bucket that names none.
        primary: as in `BaseStack`.

    Returns:
        The backend, whose further arguments `add_override` can set.
    """
    settings = state_settings(state, state_name, region=region, primary=primary)
    if state.backend in {"remote", "cloud"}:
        return _hosted(stack, state.backend, settings)
    backend_class, required = _BACKENDS[state.backend]
    backend = backend_class(stack, **{key: settings.get(key, "") for key in required})
    for key, value in sorted(settings.items()):
        backend.add_override(key, value)
    for key in set(required) - settings.keys():
        # cdktf insists on it, Terraform takes it from the environment
        backend.add_override(key, None)
    return backend


def state_settings(
    state: StateConfig, state_name: str, *, region: str = "", primary: bool = True
) -> dict[str, Any]:
    """Every setting of a stack's backend, with what the file leaves open.

    Args:
        state: where the state is kept.
        state_name: what the stack's state is called there.
        region: region of an S3 bucket that names none.
        primary: as in `BaseStack`.
    """
    given = dict(state.settings) if primary else _apart(state, state_name)
    settings = _defaults(state.backend, state_name, region) | given
    if state.backend == "s3" and "dynamodb_table" in settings and "use_lockfile" not in given:
        del settings["use_lockfile"]
    return settings


def _apart(state: StateConfig, state_name: str) -> dict[str, Any]:
    """Settings whose place has a stack's name attached."""
    settings = state.settings
    name = state_name.rpartition("/")[2]
    moved: dict[str, Any] = {}
    for key in _OTHER_PLACES.get(state.backend, _PLACES) & settings.keys():
        text = str(settings[key])
        ending = "" if state.backend in _OTHER_PLACES else Path(text).suffix
        separator = "_" if state.backend == "pg" else "-"
        moved[key] = f"{text.removesuffix(ending)}{separator}{name}{ending}"
    workspaces = settings.get("workspaces")
    if isinstance(workspaces, Mapping):
        ends = {"name": f"-{name}", "prefix": f"{name}-"}
        moved["workspaces"] = {
            key: f"{text}{ends[key]}" if key in ends else text for key, text in workspaces.items()
        }
    return {**settings, **moved}


def _hosted(stack: TerraformStack, backend: str, settings: Mapping[str, Any]) -> TerraformBackend:
    """HCP Terraform and its like: one workspace a stack."""
    organization = str(settings.get("organization", ""))
    declared: TerraformBackend
    if backend == "cloud":
        declared = cdktf.CloudBackend(
            stack, organization=organization, workspaces=cdktf.NamedCloudWorkspace("")
        )
    else:
        declared = cdktf.RemoteBackend(
            stack, organization=organization, workspaces=cdktf.NamedRemoteWorkspace("")
        )
    for key, value in sorted(settings.items()):
        declared.add_override(key, value)
    if "name" not in settings["workspaces"]:
        declared.add_override("workspaces.name", None)
    return declared


def _defaults(backend: str, state_name: str, region: str) -> dict[str, Any]:
    """What a backend gets where the file says nothing: a place of its own, encryption, locking."""
    cluster, _, cloud = state_name.partition("/")
    flat = f"{cluster}-{cloud}" if cloud else cluster
    key = f"aether/{state_name}.tfstate"
    # a workspace's name takes no slash
    workspace = {"workspaces": {"name": flat}}
    defaults: dict[str, dict[str, Any]] = {
        "azurerm": {"key": key},
        "cloud": workspace,
        "cos": {"prefix": f"aether/{cluster}", "key": f"{cloud}.tfstate"},
        "gcs": {"prefix": f"aether/{state_name}"},
        "local": {"path": f"{STATE_FOLDER}/terraform.{flat}.tfstate"},
        "oss": {"prefix": f"aether/{cluster}", "key": f"{cloud}.tfstate"},
        "pg": {"schema_name": flat.replace("-", "_")},
        "remote": workspace,
        "s3": {"key": key, "encrypt": True, "use_lockfile": True} | ({"region": region} if region else {}),
    }
    return defaults.get(backend, {})
