"""The frame of the command line: what every command does, whatever it is for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from console_script import PROGRAM, environment, in_terminal, plain, run
from terraform_json import ROOT

from aether_infra import __version__
from aether_infra.cli import main as frame
from aether_infra.cli.completion import SHELLS
from aether_infra.cli.console import paint
from aether_infra.cli.main import COMMANDS
from aether_infra.cli.main import run as main
from aether_infra.errors import AetherInfraError, ConfigError, OutputError, Problem

HEAVY = {
    "aether_infra.aws",
    "boto3",
    "botocore",
    "cdktf",
    "constructs",
    "fastapi",
    "jsii",
    "sqlalchemy",
    "uvicorn",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_of_every_command_teaches_and_loads_nothing_heavy() -> None:
    program = (
        "import json, sys\n"
        "from contextlib import redirect_stdout\n"
        "from io import StringIO\n"
        "from aether_infra.cli.main import COMMANDS, run\n"
        "texts = {}\n"
        "for name in COMMANDS:\n"
        "    with redirect_stdout(StringIO()) as said:\n"
        "        code = run([name, '--help'])\n"
        "    texts[name] = [code, said.getvalue()]\n"
        "print(json.dumps([texts, sorted(sys.modules)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    texts, modules = json.loads(done.stdout)
    assert not HEAVY & set(modules)
    for name, (code, text) in texts.items():
        assert code == 0
        # an example or two that can be copied
        assert f"aether-infra {name} " in text.partition("\n\n")[2] or name == "completion", name
        assert "-h, --help" in text
        assert "\\b" not in text


def test_the_list_of_commands_loads_none_of_them() -> None:
    program = "from aether_infra.cli.main import run; run(['--help']); import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    listed, _, modules = done.stdout.rpartition("interrupted\n")
    for name, entry in COMMANDS.items():
        assert f"  {name} " in listed
        assert entry.module not in modules.split() or name == "completion"
    assert "aether_infra.config" not in modules.split()


def test_every_entry_is_a_command_of_that_name() -> None:
    group = frame.cli
    assert isinstance(group, frame.Commands)
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert group.get_command(context, "frobnicate") is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--version"], 0, f"aether-infra, version {__version__}"),
        (["-h"], 0, "Exit codes:"),
        ([], 2, "Usage: aether-infra"),
        (["validat"], 2, "No such command 'validat'. Did you mean 'validate'?"),
        (["snyth"], 2, "Did you mean 'synth'?"),
        (["frobnicate"], 2, "No such command 'frobnicate'.\n"),
        (["--frobnicate"], 2, "No such option '--frobnicate'"),
        (["synth", "--clod", "aws"], 2, "Did you mean '--cloud'?"),
        (["synth", "--cloud", "mars"], 2, "'mars' is not one of 'aws'"),
        (["schema", "surplus"], 2, "unexpected extra argument"),
        (["validate", "none.toml"], 2, "error: none.toml: 1 problem"),
        (["synth", "-o", "file"], 1, "error: file: is a file, not a folder"),
    ],
)
def test_exit_codes(
    arguments: list[str], code: int, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "aether.toml").write_text("[cloud.aws]\n", encoding="utf-8")
    (folder / "file").write_text("", encoding="utf-8")
    assert main(arguments) == code
    said = capsys.readouterr()
    assert words in (said.err if code else said.out)
    assert (said.out == "") is bool(code)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            ConfigError([Problem(path="a.b", message="is wrong")], "x.toml"),
            2,
            "error: x.toml: 1 problem\n  a.b: is wrong\n",
        ),
        (OutputError("x: is full"), 1, "error: x: is full\n"),
        (AetherInfraError("no"), 1, "error: no\n"),
        (click.UsageError("bad"), 2, "Error: bad\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (EOFError(), 130, "error: interrupted\n"),
        (click.exceptions.Exit(7), 7, ""),
    ],
)
def test_every_error_has_its_code(
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(frame.Commands, "invoke", fail)
    assert main(["schema"]) == code
    assert capsys.readouterr().err.lstrip("\n").endswith(words)


def test_a_mistake_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(frame.Commands, "invoke", fail)
    with pytest.raises(ZeroDivisionError):
        main(["schema"])


BASH = """
source <(aether-infra completion bash)
complete_line() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    $(complete -p aether-infra | sed 's/.*-F \\([^ ]*\\).*/\\1/') aether-infra
    echo "${COMPREPLY[*]}"
}
complete_line aether-infra val
complete_line aether-infra s
complete_line aether-infra synth --cl
complete_line aether-infra synth --cloud o
complete_line aether-infra completion ''
"""


def test_completion_in_a_real_bash(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    done = subprocess.run(
        [bash, "--norc", "-c", BASH],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "validate"
    assert {"synth", "schema"} <= set(lines[1].split())
    assert lines[2] == "--cloud"
    assert lines[3] == "oracle"
    assert lines[4].split() == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_of_other_shells(shell: str, tmp_path: Path) -> None:
    script = run("completion", shell, folder=tmp_path)
    assert script.returncode == 0
    assert f"_AETHER_INFRA_COMPLETE={shell}_complete" in script.stdout
    interpreter = shutil.which(shell)
    if interpreter is not None:
        subprocess.run([interpreter, "-n"], input=script.stdout, text=True, check=True)
    # what the script calls, as the shell would
    words = {"zsh": {"COMP_WORDS": "aether-infra val", "COMP_CWORD": "1"}}.get(
        shell, {"COMP_WORDS": "aether-infra val", "COMP_CWORD": "val"}
    )
    done = run(folder=tmp_path, _AETHER_INFRA_COMPLETE=f"{shell}_complete", **words)
    assert "validate" in done.stdout
    assert "synth" not in done.stdout


def test_every_shell_has_a_script(tmp_path: Path) -> None:
    assert SHELLS == ("bash", "zsh", "fish")
    done = run("completion", "tcsh", folder=tmp_path)
    assert done.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr


def test_no_colour_without_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("[cloud.aws]\n", encoding="utf-8")
    for arguments in (["validate", "--show"], ["validate", "none.toml"], ["--help"], ["nothing"]):
        done = run(*arguments, folder=tmp_path)
        assert "\x1b" not in done.stdout + done.stderr


def test_colour_in_a_terminal_unless_it_is_not_wanted(tmp_path: Path) -> None:
    (tmp_path / "aether.toml").write_text("[cloud.aws]\n", encoding="utf-8")
    _, coloured = in_terminal("validate", folder=tmp_path)
    assert "\x1b[33mnote: \x1b[0m" in coloured
    _, bare = in_terminal("validate", folder=tmp_path, environ={"NO_COLOR": "1"})
    assert "\x1b" not in bare
    assert bare == plain(coloured).replace("\n", "\r\n")


def test_a_dumb_terminal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert paint("x", fg="red") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("TERM", "dumb")
    assert paint("x", fg="red") == "x"


def test_ctrl_c_in_the_middle_of_the_work(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests/configs/design.toml", tmp_path / "aether.toml")
    code, screen = in_terminal("synth", folder=tmp_path, answers=[("0:00:01", "\x03")])
    assert code == 130
    assert plain(screen).rstrip().endswith("error: interrupted")
    assert "Traceback" not in screen
    assert "jsii" not in screen
    assert [path.name for path in tmp_path.iterdir()] == ["aether.toml"]


@pytest.mark.parametrize("arguments", ["schema", "schema --reference", "--help"])
def test_a_reader_that_has_seen_enough(arguments: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{PROGRAM}' {arguments} | head -n 1"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_it_is_quick_where_nothing_is_to_be_done() -> None:
    timed = (
        "import time; start = time.process_time()\n"
        "from aether_infra.cli.main import run; run(['--version'])\n"
        "print(time.process_time() - start)"
    )
    seconds = min(
        float(
            subprocess.run(
                [sys.executable, "-c", timed], env=environment(), capture_output=True, text=True, check=True
            ).stdout.split()[-1]
        )
        for _ in range(3)
    )
    assert seconds < 0.15
