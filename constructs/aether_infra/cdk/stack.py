"""The base of every stack: where its state is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import cdktf
from attrs import asdict
from cdktf import TerraformBackend, TerraformElement, TerraformStack
from constructs import Construct

from aether_infra.cdk.text import literal
from aether_infra.config import AetherConfig, Provider, StateConfig
from aether_infra.core.kubernetes import SERVING_LABEL, manager_host
from aether_infra.core.node import HealthProbe, NodePorts
from aether_infra.core.tags import standard_tags

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

BACKENDS: Mapping[str, tuple[Callable[..., TerraformBackend], tuple[str, ...]]] = {
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
"""Backends by Terraform's name: cdktf's class, and what its constructor insists on, as that of its reader does."""


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


class ClusterStack(BaseStack):
    """What every stack of a cluster takes from the configuration; each cloud's stacks derive from this.

    Attributes:
        config: the configuration.
        section: its table of this cloud.
        name: the cluster's name.
        counts: how many nodes run.
        tags: tags of every resource.
        ports: ports of a node; none for the application where it is not published.
        health: how a node's health is asked.
    """

    provider: ClassVar[Provider]
    """Which cloud this is."""

    def __init__(
        self, scope: Construct, id_: str, config: AetherConfig, *, part: str = "", primary: bool = True
    ) -> None:
        """Declare the stack and its backend.

        Args:
            scope: the app.
            id_: the stack's name on the command line.
            config: a loaded configuration that has this cloud's table.
            part: end of the state's name, where a cloud has several stacks.
            primary: whether a state's place in the file can be this stack's own; it is if the cloud is the active one.

        Raises:
            ConfigError: the configuration has no such table.
        """
        self.section = config.section(self.provider)
        self.name = config.cluster.name
        super().__init__(
            scope,
            id_,
            state=config.cloud.state,
            state_name=f"{self.name}/{self.provider}{part}",
            region=config.bucket_region,
            primary=primary and config.cloud.provider is self.provider,
        )
        self.config = config
        self.counts = config.counts(self.provider)
        # a cloud may allow in a tag what Terraform would read as a template
        tags = standard_tags(self.name, config.cloud.tags)
        self.tags = {literal(key): literal(value) for key, value in tags.items()}
        self.ports = NodePorts(
            management=config.cluster.ports.management,
            cluster=config.cluster.ports.cluster,
            application=config.app_http.port if config.app_http.published else None,
        )
        self.health = HealthProbe(**asdict(config.cloud.health))

    @property
    def managed(self) -> bool:
        """Whether the runtime manager sizes the elastic nodes: then no autoscaler of the cloud's is declared."""
        return self.config.managed(self.provider)

    def reach_manager(self, address: str | None) -> dict[str, Any]:
        """What the output `runtime` adds where a manager runs: how to reach it; what it is told itself goes without.

        Args:
            address: its private address or name; None where there is no manager.
        """
        if address is None:
            return {}
        port = self.config.cloud.manager.port
        return {"manager": {"address": address, "port": port, "url": f"http://{address}:{port}"}}

    def kubernetes_facts(self, runtime: dict[str, Any]) -> dict[str, Any]:
        """The output `runtime` of infrastructure for Kubernetes, where a manager runs in the cluster; else as it is.

        Args:
            runtime: the output, with the cluster's facts in `kubernetes`.
        """
        cluster = runtime.get("kubernetes")
        if not self.managed or not cluster:
            return runtime
        namespace = self.config.kubernetes.namespace
        return runtime | {
            "kubernetes": {**cluster, "namespace": namespace, "serving_label": SERVING_LABEL},
            **self.reach_manager(manager_host(namespace)),
        }

    def facts(self) -> dict[str, Any]:
        """What the output `runtime` says of every cluster, on any cloud."""
        return {
            "provider": self.provider.value,
            "region": self.section.region,
            "cluster_name": self.name,
            "compute": self.section.compute,
            "core_nodes": self.counts.core,
            "min_nodes": self.counts.minimum,
            "max_nodes": self.counts.maximum,
            "ports": {
                "management": self.ports.management,
                "cluster": self.ports.cluster,
                "swim": self.ports.swim,
                "application": self.ports.application,
            },
        } | (
            {
                "managed": True,
                "drain_seconds": self.config.cloud.shutdown.deregistration_delay_seconds,
                "scaling": asdict(self.config.cloud.scaling),
            }
            if self.managed
            else {}
        )


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
    backend_class, required = BACKENDS[state.backend]
    backend = backend_class(stack, **{key: settings.get(key, "") for key in required})
    write_settings(backend, settings, required)
    return backend


def write_settings(
    element: TerraformElement, settings: Mapping[str, Any], required: Iterable[str], place: str = ""
) -> None:
    """Write a backend's settings over what cdktf made of them.

    Args:
        element: the backend, or what reads from it.
        settings: every setting.
        required: what cdktf's constructor insists on; where there is no such setting, Terraform takes it from the
            environment, or does without.
        place: where in the element the settings are, such as `config.`.
    """
    for key, value in sorted(settings.items()):
        element.add_override(f"{place}{key}", value)
    for key in set(required) - settings.keys():
        element.add_override(f"{place}{key}", None)
    if "name" not in settings.get("workspaces", {"name": ""}):
        # several workspaces: cdktf knows how to name one only
        element.add_override(f"{place}workspaces.name", None)


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
    write_settings(declared, settings, ())
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
