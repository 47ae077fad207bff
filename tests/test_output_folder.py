"""The output folder: whole or not at all, and whatever Terraform keeps in it stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aether_infra.errors import OutputError
from aether_infra.output_folder import Change, check_replaceable, manifest_text, replace

Tree = dict[str, str]


def stacks(**documents: str) -> Callable[[Path], None]:
    """What writes stacks as cdktf does: a document each, and a file beside it where the document says so."""

    def synthesize(folder: Path) -> None:
        (folder / "stacks").mkdir()
        for name, text in documents.items():
            stack = folder / "stacks" / name.replace("_", "-")
            stack.mkdir()
            (stack / "cdk.tf.json").write_text(text, encoding="utf-8")
            if text.startswith("with-asset"):
                (stack / "assets/code").mkdir(parents=True)
                (stack / "assets/code/code.zip").write_text(text, encoding="utf-8")
        entries = {name.replace("_", "-"): {"name": name, "dependencies": []} for name in documents}
        (folder / "manifest.json").write_text(
            manifest_text({"stacks": entries, "version": "1"}), encoding="utf-8"
        )

    return synthesize


def tree(folder: Path) -> Tree:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def manifest(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return loaded


def terraform_was_here(folder: Path, *names: str) -> Tree:
    """Leave what Terraform leaves in a stack's folder."""
    left = {}
    for name in names:
        stack = folder / "stacks" / name
        for place in (
            ".terraform/providers/x",
            ".terraform.lock.hcl",
            "terraform.tfstate",
            "terraform.tfstate.d/blue/terraform.tfstate",
            "plan",
            "my.auto.tfvars",
        ):
            (stack / place).parent.mkdir(parents=True, exist_ok=True)
            (stack / place).write_text(f"{name} {place}", encoding="utf-8")
            left[f"stacks/{name}/{place}"] = f"{name} {place}"
    return left


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a/b/cdktf.out"


def test_a_new_folder_with_its_parents(folder: Path) -> None:
    change = replace(folder, stacks(aws="one", gcp="two"), order=["gcp", "aws"])
    assert change == Change(written=("gcp", "aws"), untouched=(), gone=(), left=())
    assert tree(folder).keys() == {"manifest.json", "stacks/aws/cdk.tf.json", "stacks/gcp/cdk.tf.json"}


def test_what_was_synthesized_is_replaced_and_what_terraform_keeps_stays(folder: Path) -> None:
    replace(folder, stacks(aws="with-asset 1"))
    kept = terraform_was_here(folder, "aws")
    stack = folder / "stacks/aws"
    # asked for HCL in between: Terraform would read both
    (stack / "cdk.tf").write_text("", encoding="utf-8")
    (stack / "metadata.json").write_text("{}", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    inode = (stack / "terraform.tfstate").stat().st_ino
    replace(folder, stacks(aws="without"))
    expected = kept | {"stacks/aws/cdk.tf.json": "without", "notes.txt": "mine"}
    assert {name: text for name, text in tree(folder).items() if name != "manifest.json"} == expected
    assert (stack / "terraform.tfstate").stat().st_ino == inode


def test_a_stack_that_is_none_any_more(folder: Path) -> None:
    replace(folder, stacks(aws="1", gcp="with-asset 2", oracle="3"))
    kept = terraform_was_here(folder, "gcp")
    (folder / "stacks/mine/assets").mkdir(parents=True)
    change = replace(folder, stacks(aws="4"))
    assert change == Change(written=("aws",), untouched=(), gone=("gcp", "oracle"), left=("gcp",))
    assert tree(folder).keys() == kept.keys() | {"manifest.json", "stacks/aws/cdk.tf.json"}
    assert (folder / "stacks/mine/assets").is_dir()
    # told once: the manifest has forgotten it
    assert replace(folder, stacks(aws="4")).gone == ()


def test_one_cloud_leaves_the_others_as_they_are(folder: Path) -> None:
    order = ["aws", "aws-workload", "gcp", "gcp-workload"]
    replace(folder, stacks(aws="1", aws_workload="2", gcp="3", gcp_workload="4"), order=order)
    whole = (folder / "manifest.json").read_bytes()
    terraform_was_here(folder, "gcp")
    before = tree(folder)
    change = replace(folder, stacks(aws="5", aws_workload="6"), order=order, only={"aws"})
    assert change == Change(
        written=("aws", "aws-workload"), untouched=("gcp", "gcp-workload"), gone=(), left=()
    )
    changed = {"stacks/aws/cdk.tf.json": "5", "stacks/aws-workload/cdk.tf.json": "6"}
    assert tree(folder) == before | changed
    assert (folder / "manifest.json").read_bytes() == whole


def test_one_cloud_loses_its_own_stack_that_is_none_any_more(folder: Path) -> None:
    replace(folder, stacks(shop_aws="1", shop_aws_workload="2", shop_gcp="3"))
    change = replace(folder, stacks(shop_aws="4"), order=["shop-aws", "shop-gcp"], only={"aws"})
    assert change == Change(
        written=("shop-aws",), untouched=("shop-gcp",), gone=("shop-aws-workload",), left=()
    )
    assert manifest(folder)["stacks"].keys() == {"shop-aws", "shop-gcp"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"main.tf": ""}, "is not empty and was not made by synth"),
        ({"manifest.json": "{}"}, "is not empty and was not made by synth"),
        ({"stacks/x": "", "main.tf": ""}, "is not empty and was not made by synth"),
    ],
)
def test_what_others_made_is_refused(tmp_path: Path, content: Tree, reason: str) -> None:
    for name, text in content.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(OutputError, match=reason):
        replace(tmp_path, stacks(aws="1"))
    assert tree(tmp_path) == content


def test_a_file_or_a_link_to_nowhere_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "link").symlink_to("nowhere")
    for path, reason in (
        ("file", "is a file, not a folder"),
        ("link", "is a link to nowhere"),
        ("file/out", "not a directory"),
    ):
        with pytest.raises(OutputError, match=reason):
            replace(tmp_path / path, stacks(aws="1"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_empty_hidden_unfinished_and_linked_folders_can_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/.gitignore").write_text("*", encoding="utf-8")
    (tmp_path / "unfinished/stacks/aws").mkdir(parents=True)
    (tmp_path / "linked").symlink_to("empty")
    for name in ("empty", "hidden", "unfinished", "linked"):
        check_replaceable(tmp_path / name)
        replace(tmp_path / name, stacks(aws="1"))
        assert (tmp_path / name / "stacks/aws/cdk.tf.json").read_text(encoding="utf-8") == "1"
    assert (tmp_path / "linked").is_symlink()


def test_a_synthesis_that_fails_leaves_nothing(folder: Path) -> None:
    def fails(place: Path) -> None:
        stacks(aws="1")(place)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        replace(folder, fails)
    assert not folder.parents[1].exists()
    replace(folder, stacks(aws="1"))
    before = tree(folder)
    with pytest.raises(RuntimeError, match="half way"):
        replace(folder, fails)
    assert tree(folder) == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", range(1, 9))
def test_whichever_step_fails_everything_is_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException
) -> None:
    replace(folder, stacks(aws="with-asset 1", gcp="2"))
    terraform_was_here(folder, "aws", "gcp")
    before = tree(folder)
    rename, count = Path.rename, 0

    def sometimes(self: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count == step:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", sometimes)
    with pytest.raises((OutputError, KeyboardInterrupt)) as caught:
        replace(folder, stacks(aws="with-asset 3", azure="4"))
    assert isinstance(error, KeyboardInterrupt) or str(caught.value).endswith(
        "cannot be written: no space left on device"
    )
    assert tree(folder) == before
    assert not (folder / "stacks/azure").exists()


def test_a_manifest_that_cannot_be_read_is_replaced(folder: Path) -> None:
    replace(folder, stacks(aws="1"))
    for text in ("{", "[]", '{"stacks": 1}'):
        (folder / "manifest.json").write_text(text, encoding="utf-8")
        replace(folder, stacks(aws="2"), only={"aws"})
        assert manifest(folder)["stacks"].keys() == {"aws"}


def test_a_manifest_cannot_lead_out_of_the_folder(folder: Path) -> None:
    replace(folder, stacks(aws="1"))
    outside = folder.parent / "outside"
    (outside / "assets").mkdir(parents=True)
    named = {"stacks": {"../../outside": {}, "aws": {}}}
    (folder / "manifest.json").write_text(json.dumps(named), encoding="utf-8")
    assert replace(folder, stacks(aws="2")).gone == ()
    assert (outside / "assets").is_dir()
