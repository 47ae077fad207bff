"""`aether-infra diff`: what a change of configuration does to the infrastructure, and what is dangerous in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aether_infra.cli.console import console, note, print_json, progress
from aether_infra.cli.options import cloud_option, json_option
from aether_infra.config import AetherConfig, ConfigError, Provider, load
from aether_infra.errors import Problem

if TYPE_CHECKING:
    from aether_infra.changes.model import Changes

T = TypeVar("T")
Documents = Mapping[str, Mapping[str, Any]]

DANGER = 3
"""Exit code of `--check` where something is dangerous."""

EPILOG = """\b
Exit codes:
  0  done; with --check: nothing is dangerous
  2  a bad configuration, folder or command line
  3  with --check: something is dangerous
"""


@click.command("diff", epilog=EPILOG)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[OLD.toml] [NEW.toml]")
@click.option(
    "--against",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Compare with what this folder of synthesized Terraform JSON holds, such as cdktf.out, in place of OLD.toml.",
)
@cloud_option
@click.option("--check", is_flag=True, help=f"Exit with {DANGER} if something is dangerous, for pipelines.")
@json_option
def command(
    files: tuple[Path, ...], folder: Path | None, cloud: str | None, *, check: bool, as_json: bool
) -> int:
    r"""Tell what a change of configuration does to the infrastructure, per resource, before anything is done.

    Two configurations are compared, or one with a folder that an earlier synth wrote. NEW.toml may be left out with
    --against: it is then $AETHER_CONFIG, else ./aether.toml. No cloud is asked: what somebody changed there by hand is
    for terraform plan to find, and so is what only the cloud knows.

    \b
    +    added
    ~    changed in place
    -/+  replaced: ended and made anew, with the argument that forces it, and what that follows
    ?    changed in place or replaced: a configuration alone does not tell
    -    removed

    Last come the dangers: more than one core node that restarts at once, data that is lost, a cluster or network that
    is replaced, a protection that is switched off, a state that is looked for elsewhere, what Terraform will refuse.

    \b
    aether-infra diff aether.toml changed.toml
    aether-infra diff --against cdktf.out
    git show HEAD:aether.toml > old.toml && aether-infra diff old.toml aether.toml --check
    """
    old, new = _inputs(files, folder, Provider(cloud) if cloud else None)
    from aether_infra.changes.stacks import compare_documents  # noqa: PLC0415 - on use
    from aether_infra.changes.text import lines  # noqa: PLC0415 - on use

    changes = compare_documents(old, new)
    if as_json:
        from aether_infra.changes.report import report  # noqa: PLC0415 - on use

        print_json(report(changes))
    else:
        from rich.text import Text  # noqa: PLC0415 - on use: takes a tenth of a second

        for line in lines(changes):
            console().print(Text.assemble(*line))
    return _exit_code(changes, check=check)


def _exit_code(changes: Changes, *, check: bool) -> int:
    return DANGER if check and changes.dangers else 0


def _inputs(
    files: Sequence[Path], folder: Path | None, cloud: Provider | None
) -> tuple[Documents, Documents]:
    """Documents before and after; problems of both sides come in one error."""
    if folder is None and len(files) != 2:  # noqa: PLR2004 - old and new
        raise click.UsageError("name two configurations, OLD.toml and NEW.toml, or a folder: --against DIR")
    if folder is not None and len(files) > 1:
        raise click.UsageError("--against takes the place of OLD.toml: name one configuration, or none")
    errors: list[ConfigError] = []
    new = _collected(lambda: load(files[-1] if files else _default()), errors)
    if folder is None:
        old = _collected(lambda: load(files[0]), errors)
        _raise(errors)
        return _synthesized(old, cloud, (old, new)), _synthesized(new, cloud, (old, new))
    from aether_infra.changes.folder import read_folder  # noqa: PLC0415 - on use

    found = _collected(lambda: read_folder(folder), errors)
    _raise(errors)
    after = _synthesized(new, cloud, (new,))
    return _of_cluster(found, new, cloud, folder), after


def _collected(work: Callable[[], T], errors: list[ConfigError]) -> T:
    """The result of one step; its error is kept for later, and `_raise` ends the command before the result is used."""
    try:
        return work()
    except ConfigError as error:
        errors.append(error)
        return None  # type: ignore[return-value]  # never used, see above


def _raise(errors: Sequence[ConfigError]) -> None:
    from aether_infra.synth import FleetError  # noqa: PLC0415 - on use

    # both sides may be the same file
    different = list({str(error): error for error in errors}.values())
    if different:
        raise FleetError(different) if len(different) > 1 else different[0]


def _default() -> Path:
    """The configuration that other commands read, if it is one."""
    from aether_infra.synth import find_configs  # noqa: PLC0415 - on use

    paths, is_sample = find_configs(os.environ.get("AETHER_CONFIG"))
    if is_sample:
        raise ConfigError(
            [Problem(path="", message="does not exist", hint="name one: NEW.toml")], "aether.toml"
        )
    if len(paths) > 1:
        raise click.UsageError(f"$AETHER_CONFIG means {len(paths)} configurations: name one")
    return paths[0]


def _synthesized(
    config: AetherConfig, cloud: Provider | None, both: Sequence[AetherConfig]
) -> dict[str, dict[str, Any]]:
    """Documents of a configuration; of one cloud, which either of both must have."""
    from aether_infra.synth import documents  # noqa: PLC0415 - on use

    if cloud is not None and not any(cloud in each.sections for each in both):
        config.section(cloud)  # tells what is missing
    providers = [each for each in config.sections if cloud is None or each is cloud]
    if not providers:
        return {}
    with progress(f"synthesizing {config.source}"):
        return documents([config], providers)


def _of_cluster(
    found: Documents, config: AetherConfig, cloud: Provider | None, folder: Path
) -> dict[str, Mapping[str, Any]]:
    """The stacks of a folder that belong to the configuration, by the names that they have in a folder of its own.

    In the folder of a fleet they are called `<cluster>-<cloud>`.
    """
    clouds = [each for each in Provider if cloud is None or each is cloud]
    plain = [f"{each}{end}" for each in clouds for end in ("", "-workload")]
    prefix = (
        ""
        if any(name in found for each in Provider for name in (f"{each}", f"{each}-workload"))
        else (f"{config.cluster.name}-")
    )
    chosen = {name: found[f"{prefix}{name}"] for name in plain if f"{prefix}{name}" in found}
    left = [name for name in found if name.removeprefix(prefix) not in chosen]
    if not chosen and cloud is None:
        names = ", ".join(found)
        message = f'holds no stack of the cluster "{config.cluster.name}", but {names}'
        raise ConfigError([Problem(path="", message=message)], str(folder))
    if left and cloud is None:
        note(f"{folder}: not compared, as they are no stacks of {config.source}: {', '.join(left)}")
    return chosen
