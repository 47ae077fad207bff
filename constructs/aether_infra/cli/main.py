"""`aether-infra`: the commands, loaded one at a time, and what every one of them does with an error.

Exit codes: 0 done; 1 something failed; 2 a bad configuration or a bad command line, nothing written;
130 interrupted. A command that has a code of its own says so in its help.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click
from attrs import frozen

from aether_infra import __version__
from aether_infra.cli.console import complain
from aether_infra.errors import AetherInfraError, ConfigError


@frozen(kw_only=True)
class Entry:
    """A command that is not loaded yet."""

    module: str
    """Where it is: the module's attribute `command`."""
    summary: str
    """One line for the list of commands."""


COMMANDS: Mapping[str, Entry] = {
    "init": Entry(module="aether_infra.cli.init", summary="Write a commented aether.toml."),
    "validate": Entry(
        module="aether_infra.cli.validate", summary="Check configurations; show every value and its origin."
    ),
    "synth": Entry(module="aether_infra.cli.synth", summary="Write Terraform JSON, without Node's cdktf."),
    "export": Entry(module="aether_infra.cli.export", summary="Write a plain Terraform module in HCL."),
    "diff": Entry(
        module="aether_infra.cli.diff", summary="Tell what a change of configuration does to the cloud."
    ),
    "diagram": Entry(module="aether_infra.cli.diagram", summary="Draw what gets built."),
    "schema": Entry(module="aether_infra.cli.schema", summary="Print the JSON Schema of aether.toml."),
    "doctor": Entry(
        module="aether_infra.cli.doctor", summary="Look for what this machine lacks, and how to mend it."
    ),
    "serve": Entry(
        module="aether_infra.cli.serve",
        summary="Run the runtime manager: keep a cluster at its size, with an API.",
    ),
    "node": Entry(
        module="aether_infra.cli.node", summary="List, create, drain and end nodes of a running cluster."
    ),
    "simulate": Entry(
        module="aether_infra.cli.simulate", summary="Play a load against the policy that sizes a cluster."
    ),
    "completion": Entry(
        module="aether_infra.cli.completion", summary="Print the completion script of a shell."
    ),
}
"""Every command, in the order in which an operator meets them."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells count it: 128 and the signal's number."""

EPILOG = """\b
Exit codes:
  0    done
  1    something failed
  2    bad configuration or command line; nothing was written
  130  interrupted
"""


def keep_lines(command: click.Command) -> click.Command:
    r"""Let the `\b` of a raw docstring mean what the control character does to click: keep these lines as they are."""
    if command.help:
        command.help = command.help.replace("\\b\n", "\b\n")
    return command


class Commands(click.Group):
    """A group whose commands are imported when they are called, so that `validate` loads no cloud."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import a command; None for a name that there is not."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return keep_lines(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; of one that there is not, name what may be meant."""
        name = args[0]
        if name not in COMMANDS and name[:1] != "-" and not ctx.resilient_parsing:
            near = get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"No such command '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.command(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="aether-infra")
def cli() -> None:
    r"""Put an Aether cluster on a cloud, from one typed file.

    \b
    aether-infra init --cloud aws       write an aether.toml
    aether-infra validate               check it
    aether-infra diagram -o plan.svg    see what it builds
    aether-infra export -o terraform    a plain Terraform module, with scripts

    Commands read aether.toml in the current folder, or what $AETHER_CONFIG names: a path, or a glob for a fleet.
    """


keep_lines(cli)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code.

    Args:
        arguments: what follows the program's name; default: the process's own.
    """
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows the program's name; default: the process's own.

    Returns:
        The exit code.
    """
    try:
        result: Any = cli.main(arguments, prog_name="aether-infra", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        complain("interrupted")
        return INTERRUPTED
    except AetherInfraError as error:
        complain(str(error))
        return 2 if isinstance(error, ConfigError) else 1
    return result if isinstance(result, int) else 0
