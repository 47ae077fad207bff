"""`aether-infra validate`: what is told of good and bad files, to people and to scripts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from console_script import in_terminal, plain, run
from jsonschema import validate as validate_json
from terraform_json import EXAMPLES, ROOT

from aether_infra.cli.main import run as main
from aether_infra.cli.validate import command
from aether_infra.config import load

FAULTS = ROOT / "tests/config/faults"
GOOD = '[cluster]\nname = "{name}"\n[app-http]\nenabled = true\n[cloud]\ndomain = "{name}.example.com"\n[cloud.aws]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which the test runs."""
    monkeypatch.delenv("AETHER_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def invoke(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(command, list(arguments), input=stdin, catch_exceptions=False)


def as_json(*arguments: str, stdin: str | bytes = "") -> list[dict[str, Any]]:
    done = invoke("--json", *arguments, stdin=stdin)
    assert done.stderr == ""
    loaded: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.exit_code == (0 if all(entry["ok"] for entry in loaded) else 2)
    return loaded


def test_a_good_file() -> None:
    write("aether.toml", GOOD.format(name="shop"))
    done = invoke()
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr == (
        'aether.toml: ok, cluster "shop"\n  aws: fargate in us-west-2, 3 core nodes, 3 to 10 nodes in all\n'
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example(example: Path) -> None:
    done = invoke(str(example))
    assert done.exit_code == 0
    assert done.stderr.startswith(f"{example}: ok")
    assert all(line.startswith(("  ", "note: ", str(example))) for line in done.stderr.splitlines())


def test_notes_name_the_file() -> None:
    write("aether.toml", "[cloud.aws]\n")
    assert "note: aether.toml: app-http.enabled: is not said" in invoke().stderr


def test_every_problem_of_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    files = [FAULTS / "wrong-types.toml", FAULTS / "unknown-keys.toml", FAULTS / "toml-syntax.toml"]
    write("good.toml", GOOD.format(name="good"))
    assert main(["validate", *map(str, files), "good.toml", "missing.toml"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    for file in files:
        problems = file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        assert "\n".join([f"{file}: {count}", *(f"  {problem}" for problem in problems)]) in said.err
    assert "missing.toml: 1 problem\n  does not exist" in said.err
    assert 'good.toml: ok, cluster "good"' in said.err
    assert "Traceback" not in said.err


def test_the_environment_names_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        write(f"clusters/{name}.toml", GOOD.format(name=name))
    monkeypatch.setenv("AETHER_CONFIG", "clusters/*.toml")
    assert [entry["file"] for entry in as_json()] == ["clusters/one.toml", "clusters/two.toml"]
    write("mine.toml", GOOD.format(name="mine"))
    assert [entry["file"] for entry in as_json("mine.toml")] == ["mine.toml"]
    assert [entry["file"] for entry in as_json("-c", "mine.toml", "clusters/t*.toml")] == [
        "mine.toml",
        "clusters/two.toml",
    ]


def test_a_file_that_is_named_twice_is_checked_once() -> None:
    write("a.toml", GOOD.format(name="a"))
    assert len(as_json("a.toml", "*.toml", "a.toml")) == 1


def test_files_beside_each_other() -> None:
    write("a.toml", GOOD.format(name="same"))
    write("b.toml", GOOD.format(name="same"))
    first, second = as_json("a.toml", "b.toml")
    assert first["ok"]
    assert second["problems"] == [
        {"path": "cluster.name", "message": '"same" on aws is already the cluster of a.toml', "hint": ""}
    ]


@pytest.mark.parametrize(
    ("arguments", "file", "message"),
    [
        ((), "aether.toml", "does not exist"),
        (("none.toml",), "none.toml", "does not exist"),
        (("none/*.toml",), "none/*.toml", "no file matches"),
        ((".",), ".", "is a directory, not a file"),
    ],
)
def test_a_file_that_is_not_there(arguments: tuple[str, ...], file: str, message: str) -> None:
    (entry,) = as_json(*arguments)
    assert (entry["file"], entry["ok"]) == (file, False)
    assert entry["problems"][0]["message"] == message


def test_json_has_its_form_whatever_is_wrong() -> None:
    problem = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("path", "message", "hint")},
        "required": ["path", "message", "hint"],
        "additionalProperties": False,
    }
    form = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "file": {"type": "string"},
                "ok": {"type": "boolean"},
                "problems": {"type": "array", "items": problem},
                "notes": {"type": "array", "items": problem},
            },
            "required": ["file", "ok", "problems", "notes"],
            "additionalProperties": False,
        },
    }
    found = as_json(*map(str, sorted(FAULTS.glob("*.toml"))), str(EXAMPLES[0]))
    validate_json(found, form)
    assert [entry["ok"] for entry in found] == [False] * (len(found) - 1) + [True]
    assert all(entry["problems"] for entry in found[:-1])


def test_standard_input() -> None:
    (good,) = as_json("-", stdin="[cloud.aws]\n")
    assert (good["file"], good["ok"]) == ("<stdin>", True)
    assert good["notes"]
    (bad,) = as_json("-", stdin="[cloud.aws\n")
    assert "is not valid TOML at line 1" in bad["problems"][0]["message"]
    (bytes_,) = as_json("-", stdin=b"\xff\xfe[\x00")
    assert bytes_["problems"][0]["message"] == "is UTF-16, not UTF-8"
    assert 'name = "aether"' in invoke("--show", "-", stdin="[cloud.aws]\n").stdout


def test_show_prints_toml_that_is_the_same_configuration() -> None:
    path = ROOT / "apps/examples/oracle-production.toml"
    done = invoke("--show", str(path))
    assert done.exit_code == 0
    write("again.toml", done.stdout)
    assert load("again.toml") == load(path)
    again = invoke("--show", "again.toml")
    assert tomllib.loads(again.stdout) == tomllib.loads(done.stdout)
    assert invoke("again.toml").stderr.count("note: ") == done.stderr.count("note: ")


def test_show_of_several_files_names_each() -> None:
    for name in ("a", "b"):
        write(f"{name}.toml", GOOD.format(name=name))
    shown = invoke("--show", "a.toml", "b.toml").stdout
    first, second = shown.split("# b.toml\n")
    assert first.startswith("# a.toml\n")
    assert tomllib.loads(first)["cluster"]["name"] == "a"
    assert tomllib.loads(second)["cluster"]["name"] == "b"


def test_show_prints_nothing_where_a_file_cannot_be_used() -> None:
    write("a.toml", GOOD.format(name="a"))
    done = CliRunner().invoke(command, ["--show", "a.toml", "b.toml"])
    assert done.stdout == ""
    assert done.exit_code != 0


def test_show_for_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOP_SECRET", "hunter2.example.com")
    write("aether.toml", GOOD.replace('"{name}.example.com"', '"${{env:TOP_SECRET}}"').format(name="shop"))
    (entry,) = as_json("--show")
    values = {value["path"]: value for value in entry["values"]}
    assert values["cluster.name"] == {"path": "cluster.name", "value": "shop", "origin": "file", "how": ""}
    assert values["cloud.domain"] == {
        "path": "cloud.domain",
        "value": "${env:TOP_SECRET}",
        "origin": "environment",
        "how": "TOP_SECRET",
    }
    assert values["cloud.aws.cpu"]["origin"] == "derived"
    assert values["cloud.aws.region"]["origin"] == "default"
    assert entry["configuration"]["cloud"]["aws"]["cpu"] == 2048
    assert entry["configuration"]["cluster"]["nodes"] == 3
    assert "hunter2" not in json.dumps(entry)


def test_the_console_script(tmp_path: Path) -> None:
    write("aether.toml", "[cloud.aws]\nnat = 'singel'\n")
    done = run("validate", folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error: aether.toml: 1 problem\n"
        '  cloud.aws.nat: must be one of per_az, single, none, got "singel" (did you mean "single"?)\n'
    )
    done = run("validate", "--json", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == ""
    assert not json.loads(done.stdout)[0]["ok"]


def test_in_a_terminal(tmp_path: Path) -> None:
    write("aether.toml", "[cloud.aws]\n")
    code, screen = in_terminal("validate", folder=tmp_path)
    assert code == 0
    assert "\x1b[33mnote: " in screen
    assert plain(screen).startswith("aether.toml: ok")
