"""`aether-infra simulate`, as it is called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aether_infra.cli.main import run

FEW = ["simulate", "--shape", "spike", "--hours", "0.2"]


def test_figures_for_people_and_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FEW) == 0
    told = capsys.readouterr()
    assert "node-hours" in told.out
    assert "spike: 0.2 hours, up to 8 nodes of load" in told.out
    assert run([*FEW, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hours"] == pytest.approx(0.2)


def test_files_are_written_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a.svg", "a.html", "a.csv", "a.json"]
    outputs = [part for name in names for part in ("-o", str(tmp_path / name))]
    assert run([*FEW, *outputs]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert "a.svg" in capsys.readouterr().err


def test_bounds_and_policy_come_from_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = {
        "provider": "aws",
        "compute": "ec2",
        "region": "us-west-2",
        "cluster_name": "aether",
        "core_nodes": 5,
        "min_nodes": 6,
        "max_nodes": 7,
        "ports": {},
        "scaling": {"cpu_target_percent": 30},
    }
    (tmp_path / "outputs.json").write_text(json.dumps(runtime), encoding="utf-8")
    report = tmp_path / "a.json"
    arguments = [*FEW, "--outputs", str(tmp_path / "outputs.json"), "-o", str(report)]
    assert run(arguments) == 0
    setup = json.loads(report.read_text(encoding="utf-8"))["setup"]
    assert (setup["core"], setup["minimum"], setup["maximum"]) == (5, 6, 7)
    assert setup["policy"]["cpu_target"] == 0.3
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["simulate"], "give either --trace FILE or --shape, and not both"),
        (["simulate", "--shape", "day", "--trace", "x"], "and not both"),
        (["simulate", "--shape", "dya"], "'dya' is not one of 'day'"),
        (["simulate", "--trace", "x.csv", "--peak", "3"], "--hours and --peak are of a --shape"),
        ([*FEW, "-o", "a.png"], "-o must end in one of .svg, .html, .csv, .json, got a.png"),
        ([*FEW, "--min", "9", "--max", "5"], "needs core <= min <= max, got 3, 9, 5"),
        ([*FEW, "--down", "0.7"], "needs down < target <= up, got 0.7, 0.6, 0.8"),
        (["simulate", "--trace", "none.csv"], "none.csv: 1 problem\n  does not exist"),
        (
            ["simulate", "--trace", "none.csv", "--outputs", "none.json"],
            "none.json: does not exist\n  none.csv: does not exist",
        ),
    ],
)
def test_bad_command_lines_and_files(
    arguments: list[str],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert text in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_console_script_tells_every_problem_of_a_trace(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("0,1\n1,a\n0,2\n", encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("aether-infra"), "simulate", "--trace", "bad.csv", "-o", "out.svg"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: bad.csv: 2 problems",
        '  line 2: load must be a number, got "a"',
        "  line 3: time must rise: 0 comes after 0",
    ]
    assert not (tmp_path / "out.svg").exists()
