"""Where states are kept: every backend, for a stack and for a stack that reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cdktf import App, TerraformOutput, Testing

from aether_infra.cdk.remote_state import RemoteOutputs
from aether_infra.cdk.stack import BaseStack
from aether_infra.config import StateConfig, loads

BACKENDS = {
    "azurerm": {"storage_account_name": "states", "container_name": "terraform", "use_azuread_auth": True},
    "cloud": {"organization": "acme", "workspaces": {"name": "all"}},
    "consul": {"address": "consul.example.com:8500", "path": "aether"},
    "cos": {"bucket": "states", "region": "ap-guangzhou"},
    "gcs": {"bucket": "states"},
    "http": {"address": "https://states.example.com/aether"},
    "local": {},
    "oss": {"bucket": "states"},
    "pg": {"schema_name": "aether"},
    "remote": {"organization": "acme", "hostname": "tfe.example.com", "workspaces": {"prefix": "all-"}},
    "s3": {"bucket": "states", "region": "eu-west-1"},
}
SECRETS = {"access_token", "password", "token", "access_key", "secret_key"}


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


def state(backend: str) -> StateConfig:
    lines = "\n".join(f"{key} = {toml(value)}" for key, value in BACKENDS[backend].items())
    return loads(f'[cloud.aws]\n[cloud.state]\nbackend = "{backend}"\n{lines}\n', env={}).cloud.state


def synthesized(backend: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A stack's backend, and the data source of a stack that reads it."""
    app = App()
    writer = BaseStack(app, "gcp", state=state(backend), state_name="orders/gcp", primary=False)
    reader = BaseStack(app, "other", state=state(backend), state_name="orders/other", primary=False)
    outputs = RemoteOutputs(
        reader, "infrastructure", state=state(backend), state_name="orders/gcp", primary=False
    )
    TerraformOutput(reader, "endpoint", value=outputs.text("runtime", "kubernetes", "endpoint"))
    written = json.loads(Testing.synth(writer))["terraform"]
    read = json.loads(Testing.synth(reader))
    ((source,),) = [list(found.values()) for found in read["data"].values()]
    assert read["output"]["endpoint"]["value"] == (
        "${data.terraform_remote_state.infrastructure.outputs.runtime.kubernetes.endpoint}"
    )
    return written, source


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_stack_reads_what_the_other_writes(backend: str) -> None:
    written, source = synthesized(backend)
    if backend == "cloud":
        # this is how Terraform reads from there
        assert source["backend"] == "remote"
        assert source["config"]["workspaces"]["name"] == written["cloud"]["workspaces"]["name"]
        return
    own = written["backend"][backend]
    assert source["backend"] == backend
    places = {"key", "path", "prefix", "bucket", "address", "organization", "workspaces", "hostname"}
    for key in places & own.keys():
        assert source["config"][key] == own[key], key
    assert not SECRETS & own.keys()
    assert not SECRETS & source["config"].keys()


def test_no_two_stacks_share_a_workspace() -> None:
    assert synthesized("cloud")[0]["cloud"]["workspaces"] == {"name": "all-gcp"}
    assert synthesized("remote")[0]["backend"]["remote"]["workspaces"] == {"prefix": "all-gcp-"}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("primary", [True, False])
def test_no_two_stacks_of_a_file_share_a_state(backend: str, primary: bool) -> None:  # noqa: FBT001
    app, found = App(), []
    for name in ("gcp", "gcp-workload"):
        stack = BaseStack(
            app,
            name,
            state=state(backend),
            state_name=f"orders/{name}",
            primary=primary and name == "gcp",
        )
        terraform = json.loads(Testing.synth(stack))["terraform"]
        found.append(terraform["cloud"] if backend == "cloud" else terraform["backend"][backend])
    assert found[0] != found[1]


def test_what_looks_like_a_template_is_none() -> None:
    config = StateConfig(backend="local", settings={"path": "${home}/%{x}.tfstate"})
    app = App()
    reader = BaseStack(app, "other", state=StateConfig(), state_name="orders/other")
    RemoteOutputs(reader, "infrastructure", state=config, state_name="orders/gcp")
    ((source,),) = [list(found.values()) for found in json.loads(Testing.synth(reader))["data"].values()]
    assert source["config"]["path"] == "$${home}/%%{x}.tfstate"
