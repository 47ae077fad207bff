"""Writing results: whole or not at all, and nothing of others is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_infra.cli.artifacts import MARK, write_file, write_folder
from aether_infra.errors import OutputError


def tree(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MARK]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def test_a_file_is_replaced_only_with_force(tmp_path: Path) -> None:
    path = tmp_path / "new/aether.toml"
    write_file(path, "one", force=False)
    with pytest.raises(OutputError, match="--force"):
        write_file(path, "two", force=False)
    assert path.read_text(encoding="utf-8") == "one"
    write_file(path, "two")
    assert path.read_text(encoding="utf-8") == "two"
    assert [each.name for each in path.parent.iterdir()] == ["aether.toml"]


def test_a_folder_is_made_with_its_programs(tmp_path: Path) -> None:
    folder = tmp_path / "deep/module"
    write_folder(folder, {"a.tf": "a", "sub/b.bin": b"b", "run.sh": "#!/bin/sh\n"}, executable={"run.sh"})
    assert tree(folder) == {"a.tf": "a", "sub/b.bin": "b", "run.sh": "#!/bin/sh\n"}
    assert (folder / "run.sh").stat().st_mode & 0o100
    assert not (folder / "a.tf").stat().st_mode & 0o111
    assert [each.name for each in folder.parent.iterdir()] == ["module"]


def test_what_others_put_there_stays_and_what_is_no_more_goes(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.tf": "a", "b.tf": "b", "sub/c.tf": "c"})
    (tmp_path / "terraform.tfstate").write_text("state", encoding="utf-8")
    (tmp_path / ".terraform").mkdir()
    (tmp_path / ".terraform/plugin").write_text("plugin", encoding="utf-8")
    (tmp_path / "own.auto.tfvars").write_text("own", encoding="utf-8")
    write_folder(tmp_path, {"a.tf": "a2", "d.tf": "d"})
    kept = {"terraform.tfstate": "state", ".terraform/plugin": "plugin", "own.auto.tfvars": "own"}
    assert tree(tmp_path) == kept | {"a.tf": "a2", "d.tf": "d"}
    assert not (tmp_path / "sub").exists()


def test_what_is_kept_is_not_written_over(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.tf": "a", "terraform.tfstate": "new"})
    (tmp_path / "terraform.tfstate").write_text("state", encoding="utf-8")
    write_folder(tmp_path, {"a.tf": "a", "terraform.tfstate": "new"}, keep={"terraform.tfstate"})
    assert tree(tmp_path) == {"a.tf": "a", "terraform.tfstate": "state"}
    write_folder(tmp_path, {"a.tf": "a"}, keep={"terraform.tfstate"})
    assert tree(tmp_path) == {"a.tf": "a", "terraform.tfstate": "state"}


@pytest.mark.parametrize("there", ["file", "foreign", "mark that cannot be read"])
def test_what_this_tool_did_not_make_stays(tmp_path: Path, there: str) -> None:
    folder = tmp_path / "module"
    if there == "file":
        folder.write_text("mine", encoding="utf-8")
    else:
        folder.mkdir()
        (folder / "main.tf").write_text("mine", encoding="utf-8")
        if there != "foreign":
            (folder / MARK).write_bytes(b"\xff")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="module"):
        write_folder(folder, {"main.tf": "ours"})
    assert tree(tmp_path) == before


def test_a_mark_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "module"
    write_folder(folder, {"a.tf": "a"})
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    with (folder / MARK).open("a", encoding="utf-8") as mark:
        mark.write(f"../victim\n{victim}\n")
    write_folder(folder, {"a.tf": "b"})
    assert victim.read_text(encoding="utf-8") == "mine"


def test_nothing_changes_if_one_file_cannot_be_put(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.tf": "a", "gone.tf": "g"})
    (tmp_path / "sub").write_text("a file where a folder must be", encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        write_folder(tmp_path, {"a.tf": "b", "sub/c.tf": "c"})
    assert tree(tmp_path) == before
