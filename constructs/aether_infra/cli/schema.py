"""`aether-infra schema`: the JSON Schema of aether.toml, and the reference page that is made of the same."""

from pathlib import Path

import click

from aether_infra.cli.artifacts import write_file
from aether_infra.cli.console import say


@click.command("schema")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to this file. Default: standard output.",
)
@click.option(
    "--reference",
    "as_page",
    is_flag=True,
    help="The reference page in Markdown, docs/configuration.md, in place of the schema.",
)
def command(output: Path | None, *, as_page: bool) -> None:
    r"""Print the JSON Schema of aether.toml, by which an editor completes keys, explains them and marks mistakes.

    It says which keys there are, their types, forms, bounds and defaults, and what goes with which kind of compute.
    What it cannot say, such as sums over several keys, `aether-infra validate` says.

    \b
    aether-infra schema -o aether.schema.json

    Editors that use Taplo (Even Better TOML in VS Code, and any editor with its language server) take the schema that
    the first line of aether.toml names; its path begins at the file. `aether-infra init` writes that line where
    aether.schema.json is there already.

    \b
    #:schema ./aether.schema.json

    \b
    Or once for all files, in VS Code's settings.json:
    "evenBetterToml.schema.associations": { "aether\\.toml$": "file:///path/to/aether.schema.json" }
    """
    text = _page() if as_page else _schema()
    if output is None:
        click.echo(text, nl=False)
        return
    write_file(output, text)
    say(f"{output}: written")


def _schema() -> str:
    import json  # noqa: PLC0415 - on use, as help and completion need none of this

    from aether_infra.config.json_schema import json_schema  # noqa: PLC0415 - on use

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _page() -> str:
    from aether_infra.config.reference_page import reference_page  # noqa: PLC0415 - on use

    return reference_page()
