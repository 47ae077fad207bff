"""`python apps/synth.py` as a pipeline runs it: which files, which stacks, which bytes, which exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from terraform_json import EXAMPLES, ROOT, case

GOOD = '[cluster]\nname = "{name}"\n[cloud.aws]\n'


def run(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the app in a folder, as cdktf does."""
    kept = {k: v for k, v in os.environ.items() if k not in {"AETHER_CONFIG", "CDKTF_OUTDIR"}}
    return subprocess.run(
        [sys.executable, str(ROOT / "apps/synth.py")],
        cwd=folder,
        env=kept | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_comments(value: Any) -> Any:
    """The same without cdktf's comments, which hold the stack's name."""
    if isinstance(value, dict):
        return {key: without_comments(item) for key, item in value.items() if key != "//"}
    return [without_comments(item) for item in value] if isinstance(value, list) else value


def test_same_bytes_in_two_folders_and_in_any_order_of_keys(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "a longer name/two"
    text = (ROOT / "apps/examples/aws-production.toml").read_text(encoding="utf-8")
    head, *tables = text.split("\n[")
    for folder, order in ((one, tables), (two, tables[::-1])):
        folder.mkdir(parents=True)
        # tables in the other order; their content is untouched
        (folder / "aether.toml").write_text("\n[".join([head, *order]), encoding="utf-8")
        done = run(folder, PYTHONHASHSEED="1" if folder is one else "2")
        assert done.returncode == 0, done.stderr
    first, second = tree(one / "cdktf.out"), tree(two / "cdktf.out")
    assert first == second
    assert set(first) >= {"manifest.json", "stacks/aws/cdk.tf.json"}


def test_sample_with_a_note_where_there_is_no_configuration(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "apps/examples", tmp_path / "apps/examples")
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "apps/examples/aws.toml" in done.stderr
    assert (tmp_path / "cdktf.out/stacks/aws/cdk.tf.json").exists()


def test_output_folder_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text(GOOD.format(name="one"), encoding="utf-8")
    done = run(tmp_path, CDKTF_OUTDIR=str(tmp_path / "elsewhere"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "elsewhere/stacks/aws/cdk.tf.json").exists()
    assert not (tmp_path / "cdktf.out").exists()


def test_a_fleet_by_a_glob(tmp_path: Path) -> None:
    (tmp_path / "clusters").mkdir()
    for name in ("one", "two", "three"):
        (tmp_path / f"clusters/{name}.toml").write_text(GOOD.format(name=name), encoding="utf-8")
    done = run(tmp_path, AETHER_CONFIG="clusters/*.toml")
    assert done.returncode == 0, done.stderr
    stacks = sorted(path.name for path in (tmp_path / "cdktf.out/stacks").iterdir())
    assert stacks == ["one-aws", "three-aws", "two-aws"]
    alone = run(tmp_path, AETHER_CONFIG="clusters/two.toml", CDKTF_OUTDIR="alone")
    assert alone.returncode == 0, alone.stderr
    # the same cluster, alone or in a fleet, has the same resources and the same state
    documents = [
        without_comments(json.loads((tmp_path / path).read_text(encoding="utf-8")))
        for path in ("cdktf.out/stacks/two-aws/cdk.tf.json", "alone/stacks/aws/cdk.tf.json")
    ]
    assert documents[0] == documents[1]
    assert documents[0]["terraform"]["backend"]["local"]["path"] == "../../../terraform.two-aws.tfstate"


def test_bad_configurations_are_all_told_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text(GOOD.format(name="good"), encoding="utf-8")
    assert run(tmp_path).returncode == 0
    before = tree(tmp_path / "cdktf.out")
    (tmp_path / "bad-1.toml").write_text(
        '[cluster]\nname = "x"\nnodes = 4\n[cloud.aws]\nnat = "singel"\nregoin = "us-west-2"\n',
        encoding="utf-8",
    )
    (tmp_path / "bad-2.toml").write_text("[cloud.aws\n", encoding="utf-8")
    (tmp_path / "bad-3.toml").write_text(GOOD.format(name="fine"), encoding="utf-8")
    done = run(tmp_path, AETHER_CONFIG="bad-*.toml")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for expected in (
        "cluster.nodes",
        "cloud.aws.nat",
        "cloud.aws.regoin",
        '"region"',
        "bad-2.toml",
        "line 1",
    ):
        assert expected in done.stderr, expected
    assert "bad-3.toml" not in done.stderr
    assert tree(tmp_path / "cdktf.out") == before


@pytest.mark.parametrize("pattern", ["missing.toml", "none/*.toml", "."])
def test_a_configuration_that_is_not_there(tmp_path: Path, pattern: str) -> None:
    done = run(tmp_path, AETHER_CONFIG=pattern)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert pattern in done.stderr
    assert not (tmp_path / "cdktf.out").exists()


def test_two_files_of_one_cluster_are_refused(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(GOOD.format(name="same"), encoding="utf-8")
    done = run(tmp_path, AETHER_CONFIG="*.toml")
    assert done.returncode == 2
    assert "b.toml" in done.stderr
    assert '"same" on aws is already the cluster of a.toml' in done.stderr


def test_every_cloud_of_a_file_gets_its_stacks_in_order(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests/configs/design.toml", tmp_path / "aether.toml")
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "cdktf.out/manifest.json").read_text(encoding="utf-8"))
    needs = {name: stack["dependencies"] for name, stack in manifest["stacks"].items()}
    clouds = ("azure", "digitalocean", "gcp", "oracle")
    infrastructure: dict[str, list[str]] = {cloud: [] for cloud in ("aws", *clouds)}
    assert needs == infrastructure | {f"{cloud}-workload": [cloud] for cloud in clouds}
    states = [
        json.loads(path.read_text(encoding="utf-8"))["terraform"]["backend"]["s3"]["key"]
        for path in (tmp_path / "cdktf.out/stacks").glob("*/cdk.tf.json")
    ]
    assert len(set(states)) == len(needs) == 9


def test_an_output_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("[cloud.aws]", encoding="utf-8")
    done = run(tmp_path, CDKTF_OUTDIR="a/b/c")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a/b/c/stacks/aws/cdk.tf.json").exists()


@pytest.mark.parametrize("example", EXAMPLES, ids=case)
def test_every_example_works_as_it_is(example: Path, tmp_path: Path) -> None:
    shutil.copy(example, tmp_path / "aether.toml")
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert all(line.startswith("note: ") for line in done.stderr.splitlines()), done.stderr
