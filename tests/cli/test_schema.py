"""`aether-infra schema`: to a screen, to a file, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from console_script import PROGRAM, run
from terraform_json import ROOT

from aether_infra.cli.schema import command
from aether_infra.config.json_schema import json_schema
from aether_infra.config.reference_page import COMMAND, FILE_NAME, reference_page


def test_it_prints_json_that_is_the_schema() -> None:
    done = CliRunner().invoke(command)
    assert done.exit_code == 0
    assert json.loads(done.stdout) == json_schema()
    assert done.stderr == ""


def test_it_writes_a_file_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "editor/aether.schema.json"
    done = CliRunner().invoke(command, ["-o", str(file)])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr == f"{file}: written\n"
    assert json.loads(file.read_text(encoding="utf-8")) == json_schema()


def test_it_writes_the_page_by_the_command_that_the_page_names(tmp_path: Path) -> None:
    program, *arguments = COMMAND.split()
    assert program == PROGRAM.name
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == reference_page()
    assert COMMAND in (ROOT / FILE_NAME).read_text(encoding="utf-8")


def test_the_same_bytes_whatever_the_order_of_hashes() -> None:
    one, two = (run("schema", folder=ROOT, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert one.stdout == two.stdout
    assert one.returncode == 0


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="is a folder, not a file"):
        CliRunner().invoke(command, ["-o", str(tmp_path)], catch_exceptions=False)


def test_help_says_how_an_editor_finds_it() -> None:
    done = CliRunner().invoke(command, ["--help"])
    assert "#:schema ./aether.schema.json" in done.stdout
    assert "evenBetterToml.schema.associations" in done.stdout
