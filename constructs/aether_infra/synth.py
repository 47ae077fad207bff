"""From configurations to Terraform JSON: which stacks there are, and the app that holds them."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from attrs import evolve

from aether_infra.config import AetherConfig, ConfigError, Provider, load, warnings
from aether_infra.errors import Problem

if TYPE_CHECKING:
    from cdktf import App
    from constructs import Construct

SAMPLE = Path("apps/examples/aws.toml")
"""What is synthesized where there is no configuration at all."""
DEFAULT_CONFIG = Path("aether.toml")
DEFAULT_OUTPUT = "cdktf.out"

STACKS: Mapping[Provider, str] = {
    Provider.AWS: "aether_infra.aws.stack:AwsStack",
    Provider.GCP: "aether_infra.gcp.stack:GcpStack",
    Provider.AZURE: "aether_infra.azure.stack:AzureStack",
    Provider.DIGITALOCEAN: "aether_infra.digitalocean.stack:DigitaloceanStack",
    Provider.ORACLE: "aether_infra.oracle.stack:OracleStack",
}
"""Stack of each cloud: module and class, loaded only when a configuration wants it."""

KINDS: Mapping[Provider, frozenset[str]] = {}
"""Kinds of compute that each stack builds."""


class StackClass(Protocol):
    """How a stack is made."""

    def __call__(self, scope: Construct, id_: str, config: AetherConfig, /) -> object:
        """Declare the stack below an app."""


def stack_class(provider: Provider) -> StackClass:
    """Load the stack of a cloud, and with it that cloud's bindings.

    Args:
        provider: the cloud.

    Raises:
        MissingExtraError: the bindings are not installed.
        KeyError: this version has no stack for that cloud.
    """
    module, _, name = STACKS[provider].partition(":")
    loaded: StackClass = getattr(import_module(module), name)  # the one untyped boundary
    return loaded


def find_configs(pattern: str | None) -> tuple[list[Path], bool]:
    """Find the configurations to synthesize.

    Args:
        pattern: `$AETHER_CONFIG`: a path or a glob (`**` for any depth); None or empty for `aether.toml` in the
            current folder, else the sample.

    Returns:
        The paths, sorted, and whether they are only the sample.

    Raises:
        ConfigError: the pattern matches nothing.
    """
    if not pattern:
        return ([DEFAULT_CONFIG], False) if DEFAULT_CONFIG.exists() else ([SAMPLE], True)
    if Path(pattern).exists() or not glob.has_magic(pattern):
        return [Path(pattern)], False
    matches = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    found = sorted(path for match in matches if (path := Path(match)).is_file())
    if not found:
        message = "no file matches; AETHER_CONFIG takes a path or a glob such as clusters/*.toml"
        raise ConfigError([Problem(path="", message=message)], pattern)
    return found, False


def load_all(paths: Iterable[Path]) -> list[AetherConfig]:
    """Load every configuration, or none.

    Args:
        paths: the files.

    Returns:
        The configurations, in the order of the files.

    Raises:
        FleetError: some cannot be used, or two of them mean the same cluster; holds the problems of all.
    """
    configs: list[AetherConfig] = []
    errors: list[ConfigError] = []
    for path in paths:
        try:
            configs.append(load(path))
        except ConfigError as error:
            errors.append(error)
    errors += _unsupported(configs)
    errors += _same_cluster(configs)
    if errors:
        raise FleetError(errors)
    return configs


class FleetError(ConfigError):
    """Several configurations that cannot be used.

    Args:
        errors: one error a file, at least one.
    """

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__(
            (problem for error in errors for problem in error.problems),
            ", ".join(error.source for error in errors),
        )

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def stack_ids(configs: Sequence[AetherConfig]) -> list[tuple[str, Provider, AetherConfig]]:
    """Name every stack: `<cloud>`, or `<cluster>-<cloud>` where there are several configurations."""
    return [
        (provider.value if len(configs) == 1 else f"{config.cluster.name}-{provider}", provider, config)
        for config in configs
        for provider in config.sections
        if provider in STACKS
    ]


def build(
    configs: Sequence[AetherConfig], outdir: str | Path, providers: Collection[Provider] = tuple(Provider)
) -> App:
    """Declare the app with all its stacks; nothing is written until its `synth`.

    Args:
        configs: loaded configurations.
        outdir: the output folder.
        providers: the clouds whose stacks are wanted; default: all that the configurations have.

    Returns:
        The app.
    """
    # bindings of the clouds prepare the kernel that cdktf starts on import: load them first
    stacks = [
        (id_, stack_class(provider), config)
        for id_, provider, config in stack_ids(configs)
        if provider in providers
    ]
    from cdktf import App  # noqa: PLC0415 - starts the kernel, which takes half a second

    app = App(outdir=str(outdir))
    for id_, declare, config in stacks:
        declare(app, id_, config)
    return app


def synthesize(environ: Mapping[str, str] | None = None) -> list[Problem]:
    """Do all that `python apps/synth.py` does: find, load, declare, write.

    Args:
        environ: `AETHER_CONFIG` and `CDKTF_OUTDIR`; default: the process's environment.

    Returns:
        Notes for the operator: nothing that keeps the stacks from working.

    Raises:
        ConfigError: a configuration cannot be used; nothing was written.
    """
    environ = os.environ if environ is None else environ
    paths, is_sample = find_configs(environ.get("AETHER_CONFIG"))
    configs = load_all(paths)
    build(configs, environ.get("CDKTF_OUTDIR") or DEFAULT_OUTPUT).synth()
    notes = [note for config in configs for note in _notes(config)]
    if is_sample:
        text = f"no {DEFAULT_CONFIG} and no $AETHER_CONFIG: this is the sample {SAMPLE}"
        notes.insert(0, Problem(path="", message=text))
    return notes


def _notes(config: AetherConfig) -> list[Problem]:
    """What the operator should know, each with the file it is about."""
    passed_over = [
        Problem(path=f"cloud.{provider}", message="has no stack in this version: passed over")
        for provider in _missing_stacks(config)
    ]
    return [
        evolve(note, path=f"{config.source}: {note.path}" if note.path else config.source)
        for note in (*passed_over, *warnings(config))
    ]


def _missing_stacks(config: AetherConfig) -> list[Provider]:
    return [provider for provider in config.sections if provider not in STACKS]


def _unsupported(configs: Iterable[AetherConfig]) -> list[ConfigError]:
    """Configurations of which nothing at all can be built, or something else than they ask for."""
    errors = []
    for config in configs:
        missing = _missing_stacks(config)
        problems = [] if len(missing) < len(config.sections) else [_no_stack(name) for name in missing]
        for provider in config.sections:
            compute = config.section(provider).compute
            if provider in KINDS and compute not in KINDS[provider]:
                path, kinds = f"cloud.{provider}.compute", ", ".join(sorted(KINDS[provider]))
                text = f'has no stack in this version: "{compute}"'
                problems.append(Problem(path=path, message=text, hint=f"there are stacks for {kinds}"))
        if problems:
            errors.append(ConfigError(problems, config.source))
    return errors


def _no_stack(provider: Provider) -> Problem:
    hint = f"there are stacks for {', '.join(STACKS)}"
    return Problem(path=f"cloud.{provider}", message="has no stack in this version", hint=hint)


def _same_cluster(configs: Sequence[AetherConfig]) -> list[ConfigError]:
    """Two files of one cluster name would write the same stack and, worse, share its state."""
    first: dict[tuple[str, Provider], AetherConfig] = {}
    errors = []
    for config in configs:
        for provider in config.sections:
            other = first.setdefault((config.cluster.name, provider), config)
            if other is not config:
                message = f'"{config.cluster.name}" on {provider} is already the cluster of {other.source}'
                errors.append(ConfigError([Problem(path="cluster.name", message=message)], config.source))
    return errors
