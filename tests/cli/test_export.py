"""`aether-infra export`: the files of a module, what it refuses, and a folder that has been used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from console_script import run

from aether_infra.cli.export import command
from aether_infra.errors import AetherInfraError

CONFIG = """
[cluster]
name = "orders"
[cloud]
provider = "digitalocean"
[cloud.digitalocean]
compute = "vm"
ssh_key_ids = ["512189"]
"""


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, in which the test runs."""
    monkeypatch.delenv("AETHER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "aether.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def test_a_module_and_the_same_one_again(project: Path) -> None:
    told = json.loads(invoke("--json").stdout)
    folder = project / "terraform-digitalocean"
    assert told["folder"] == folder.name
    assert told["provider"] == "digitalocean"
    first = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert {str(path.relative_to(folder)) for path in first} == {*told["files"], ".aether-infra"}
    assert {"README.md", "aether.tfvars", "variables.tf", "versions.tf", "network.tf"} <= {*told["files"]}
    for name in ("apply.sh", "destroy.sh", "push-image.sh"):
        assert (folder / name).stat().st_mode & 0o100

    declared = re.findall(
        r'^variable "(.+)"', (folder / "variables.tf").read_text(encoding="utf-8"), re.MULTILINE
    )
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
    given = re.findall(
        r"^([a-z]\w*) +=", (folder / "aether.tfvars").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(declared) > 15
    assert sorted(given) == sorted(declared)
    assert [name for name in declared if not re.search(rf"\bvar\.{name}\b", code)] == []
    assert "orders" not in code.replace("terraform.orders-digitalocean.tfstate", "")

    state = next(iter(re.findall(r'path = "(.+)"', (folder / "versions.tf").read_text(encoding="utf-8"))))
    (folder / state).write_text("state", encoding="utf-8")
    said = invoke().output
    assert "next: terraform-digitalocean/apply.sh" in said
    assert (folder / state).read_text(encoding="utf-8") == "state"
    assert {path: path.read_bytes() for path in first} == first, "the same bytes again"


def test_nothing_of_somebody_else_s_is_replaced(project: Path) -> None:
    (project / "mine").mkdir()
    (project / "mine/main.tf").write_text("mine", encoding="utf-8")
    with pytest.raises(AetherInfraError, match="mine: is not empty"):
        invoke("-o", "mine")
    assert [path.name for path in (project / "mine").iterdir()] == ["main.tf"]


def test_a_cloud_that_is_not_there(project: Path) -> None:
    with pytest.raises(AetherInfraError, match=r"cloud\.gcp"):
        invoke("--cloud", "gcp")
    assert [path.name for path in project.iterdir()] == ["aether.toml"]


def test_several_configurations_are_refused(project: Path) -> None:
    (project / "other.toml").write_text(CONFIG.replace("orders", "other"), encoding="utf-8")
    done = run("export", "-c", "*.toml", folder=project)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "other.toml" in done.stderr
    assert sorted(path.name for path in project.iterdir()) == ["aether.toml", "other.toml"]
