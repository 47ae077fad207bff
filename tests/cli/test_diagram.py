"""`aether-infra diagram`: which file, which cloud, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from console_script import environment, run
from terraform_json import ROOT

from aether_infra.cli.diagram import command
from aether_infra.cli.main import run as main

SEVERAL = """
[cluster]
name = "shop"
[app-http]
enabled = true
[cloud]
provider = "digitalocean"
[cloud.digitalocean]
[cloud.aws]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration of several clouds, in which the test runs."""
    monkeypatch.delenv("AETHER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "aether.toml").write_text(SEVERAL, encoding="utf-8")
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_installed_command_draws(folder: Path) -> None:
    done = run("diagram", "-o", "pictures/plan.svg", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    text = (folder / "pictures/plan.svg").read_text(encoding="utf-8")
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own text
    assert "DigitalOcean" in text, "the active cloud"
    assert f"pictures/plan.svg: shop on digitalocean, {done.stderr.split(', ')[1]}" in done.stderr
    assert names(folder) == {"aether.toml", "pictures"}
    assert names(folder / "pictures") == {"plan.svg"}


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("plan.svg", "<svg"),
        ("PLAN.SVG", "<svg"),
        ("plan.html", "<!doctype html>"),
        ("plan.htm", "<!doctype html>"),
        ("plan.md", "# shop"),
        ("plan.markdown", "# shop"),
    ],
)
def test_the_format_follows_the_ending(folder: Path, name: str, begins: str) -> None:
    done = invoke("-o", name)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert f"{name}: shop on digitalocean, " in done.stderr
    assert (folder / name).read_text(encoding="utf-8").startswith(begins)


def test_standard_output(folder: Path) -> None:
    svg, html, markdown = (
        invoke("-o", "-", *more) for more in ((), ("--format", "html"), ("--format", "md"))
    )
    assert svg.stdout.startswith("<svg")
    assert html.stdout.startswith("<!doctype html>")
    assert "```mermaid\nflowchart" in markdown.stdout
    assert names(folder) == {"aether.toml"}
    invoke("-o", "plan.svg")
    assert (folder / "plan.svg").read_text(encoding="utf-8") == svg.stdout, "the same bytes, wherever they go"


def test_another_cloud_of_the_file(folder: Path) -> None:
    done = invoke("--cloud", "aws", "-o", "plan.md")
    assert done.exit_code == 0
    text = (folder / "plan.md").read_text(encoding="utf-8")
    assert "AWS" in text
    assert "DigitalOcean" not in text


def test_an_active_cloud_without_a_table_is_not_drawn(folder: Path) -> None:
    (folder / "aether.toml").write_text(
        "[app-http]\nenabled = true\n[cloud.digitalocean]\n", encoding="utf-8"
    )
    done = invoke("-o", "plan.md")
    assert done.exit_code == 0
    assert "DigitalOcean" in (folder / "plan.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing option '-o' / '--output'"),
        (["-o", "plan.png"], "plan.png: ends in '.png'; a picture is FILE.svg, FILE.html or FILE.md"),
        (["-o", "plan"], "plan: has no ending; a picture is FILE.svg, FILE.html or FILE.md"),
        (
            ["-o", "plan.svg", "--format", "md"],
            "--format md: plan.svg is svg; the format follows the file's ending",
        ),
        (["-o", "-", "--format", "png"], "'png' is not one of"),
        (["-o", "plan.svg", "--cloud", "gcp"], "gcp"),
        (["-o", "plan.svg", "--cloud", "mars"], "'mars' is not one of"),
        (["-o", "plan.svg", "-c", "nothing.toml"], "nothing.toml"),
        (["-o", "plan.svg", "-c", "shops/*.toml"], "one"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (folder / "shops").mkdir()
    for number in (1, 2):
        text = SEVERAL.replace("shop", f"shop{number}")
        (folder / f"shops/{number}.toml").write_text(text, encoding="utf-8")
    assert main(["diagram", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert names(folder) == {"aether.toml", "shops"}, "nothing is written"


def test_a_file_with_faults_is_told_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "aether.toml").write_text("[cluster]\nnodes = 4\n[cloud.aws]\n", encoding="utf-8")
    assert main(["diagram", "-o", "plan.svg"]) == 2
    assert "cluster.nodes" in capsys.readouterr().err
    assert names(folder) == {"aether.toml"}


def test_what_cannot_be_written_is_told_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "plan.svg").mkdir()
    assert main(["diagram", "-o", "plan.svg"]) == 1
    assert "plan.svg: is a folder, not a file" in capsys.readouterr().err


def test_drawing_alone_needs_neither_cdktf_nor_a_cloud() -> None:
    program = "import sys, aether_infra.diagram.render; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert not {"cdktf", "jsii", "boto3", "kubernetes"} & set(done.stdout.split())
