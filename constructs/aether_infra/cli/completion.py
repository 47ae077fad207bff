"""`aether-infra completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    bash:  eval "$(aether-infra completion bash)"                            in ~/.bashrc
    zsh:   eval "$(aether-infra completion zsh)"                             in ~/.zshrc
    fish:  aether-infra completion fish > ~/.config/fish/completions/aether-infra.fish
    """
    from aether_infra.cli.main import cli  # noqa: PLC0415 - main imports us

    found = get_completion_class(shell)
    if found is None:  # pragma: no cover - click knows all of SHELLS
        raise click.UsageError(f"no completion for {shell}")
    click.echo(found(cli, {}, "aether-infra", "_AETHER_INFRA_COMPLETE").source())
