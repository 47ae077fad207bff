"""From configurations to Terraform JSON: which stacks there are, and the app that holds them."""

from __future__ import annotations

import glob
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import evolve, frozen

from aether_infra.config import AetherConfig, ConfigError, Provider, load, warnings
from aether_infra.errors import Problem
from aether_infra.garbage import uncollected
from aether_infra.output_folder import Change, replace

if TYPE_CHECKING:
    from cdktf import App, TerraformStack
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

WORKLOADS: Mapping[Provider, str] = {
    Provider.AWS: "aether_infra.aws.workload:EksWorkload",
    Provider.GCP: "aether_infra.gcp.workload:GkeWorkload",
    Provider.AZURE: "aether_infra.azure.workload:AksWorkload",
    Provider.DIGITALOCEAN: "aether_infra.digitalocean.workload:DoksWorkload",
    Provider.ORACLE: "aether_infra.oracle.workload:OkeWorkload",
    Provider.KUBERNETES: "aether_infra.kubernetes.existing:ExistingClusterWorkload",
}
"""Stack of what runs inside of each cloud's Kubernetes cluster; as above."""


class StackClass(Protocol):
    """How an infrastructure stack is made."""

    def __call__(self, scope: Construct, id_: str, config: AetherConfig, /) -> TerraformStack:
        """Declare the stack below an app."""


class WorkloadClass(Protocol):
    """How a workload stack is made."""

    def __call__(
        self, scope: Construct, id_: str, config: AetherConfig, infrastructure: TerraformStack | None, /
    ) -> TerraformStack:
        """Declare the stack below an app; it is deployed after the infrastructure and destroyed before it."""


@frozen(kw_only=True)
class StackPlan:
    """The stacks of one table of one configuration."""

    provider: Provider
    """Which table."""
    config: AetherConfig
    """The configuration."""
    infrastructure: str | None
    """Name of the infrastructure stack; None for a cluster that exists."""
    workload: str | None
    """Name of the workload stack; None where nodes do not run in Kubernetes."""


def stack_class(provider: Provider) -> StackClass:
    """Load the infrastructure stack of a cloud, and with it that cloud's bindings.

    Args:
        provider: the cloud.

    Raises:
        MissingExtraError: the bindings are not installed.
        KeyError: it has no infrastructure.
    """
    loaded: StackClass = _load(STACKS[provider])
    return loaded


def workload_class(provider: Provider) -> WorkloadClass:
    """Load the workload stack of a cloud, and with it the bindings of Kubernetes.

    Args:
        provider: the cloud.

    Raises:
        MissingExtraError: the bindings are not installed.
    """
    loaded: WorkloadClass = _load(WORKLOADS[provider])
    return loaded


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)  # the one untyped boundary


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
        problem = Problem(
            path="", message="no file matches", hint="take a path, or a glob such as clusters/*.toml"
        )
        raise ConfigError([problem], pattern)
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
    errors += same_cluster(configs)
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


def plan(configs: Sequence[AetherConfig]) -> list[StackPlan]:
    """Name every stack: `<cloud>` and `<cloud>-workload`, with `<cluster>-` in front of several configurations."""
    return [
        StackPlan(
            provider=provider,
            config=config,
            infrastructure=_stack_id(configs, config, provider) if provider in STACKS else None,
            workload=f"{_stack_id(configs, config, provider)}-workload"
            if config.in_kubernetes(provider)
            else None,
        )
        for config in configs
        for provider in config.sections
    ]


def _stack_id(configs: Sequence[AetherConfig], config: AetherConfig, provider: Provider) -> str:
    return provider.value if len(configs) == 1 else f"{config.cluster.name}-{provider}"


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
    plans = [
        (
            each,
            stack_class(each.provider) if each.infrastructure else None,
            workload_class(each.provider) if each.workload else None,
        )
        for each in plan(configs)
        if each.provider in providers
    ]
    from cdktf import App  # noqa: PLC0415 - starts the kernel, which takes half a second

    Path(outdir).mkdir(parents=True, exist_ok=True)  # cdktf makes the last folder only
    app = App(outdir=str(outdir))
    for each, infrastructure, workload in plans:
        below = infrastructure(app, each.infrastructure or "", each.config) if infrastructure else None
        if workload:
            workload(app, each.workload or "", each.config, below)
    return app


def documents(
    configs: Sequence[AetherConfig], providers: Collection[Provider] = tuple(Provider)
) -> dict[str, dict[str, Any]]:
    """Synthesize in memory.

    Args:
        configs: loaded configurations.
        providers: the clouds whose stacks are wanted; default: all that the configurations have.

    Returns:
        The Terraform JSON document of each stack, by the stack's name, in the order in which they are deployed.

    Raises:
        MissingExtraError: the bindings of a cloud are not installed.
    """
    with tempfile.TemporaryDirectory() as folder, uncollected():
        build(configs, folder, providers).synth()
        stacks = Path(folder) / "stacks"
        return {
            name: json.loads((stacks / name / "cdk.tf.json").read_text(encoding="utf-8"))
            for name in stack_names(configs, providers)
        }


def write(
    configs: Sequence[AetherConfig], outdir: str | Path, providers: Collection[Provider] | None = None
) -> Change:
    """Synthesize into an output folder, whole or not at all; what Terraform left in it stays.

    Args:
        configs: loaded configurations.
        outdir: the output folder.
        providers: the clouds whose stacks are written, those of other clouds stay as they are; default: all clouds, so
            that a stack of which there is no configuration any more goes.

    Returns:
        What was written, and what was there besides.

    Raises:
        MissingExtraError: the bindings of a cloud are not installed.
        OutputError: the folder was made by others, or cannot be written.
    """
    wanted = tuple(Provider) if providers is None else providers

    def synthesize_into(folder: Path) -> None:
        # the kernel keeps the folder that it was started in as its current one
        build(configs, folder.resolve(), wanted).synth()

    with uncollected():
        return replace(
            Path(outdir),
            synthesize_into,
            order=stack_names(configs, tuple(Provider)),
            only=None if providers is None else {provider.value for provider in providers},
        )


def stack_names(configs: Sequence[AetherConfig], providers: Collection[Provider]) -> list[str]:
    """Names of the stacks of some clouds, in the order in which they are deployed."""
    return [
        name
        for each in plan(configs)
        if each.provider in providers
        for name in (each.infrastructure, each.workload)
        if name
    ]


@frozen(kw_only=True)
class StackSource:
    """A synthesized stack, with what its Terraform JSON does not say."""

    name: str
    """The stack's name."""
    document: Mapping[str, Any]
    """Its Terraform JSON."""
    addresses: tuple[str, ...]
    """Its resources and data sources, in the order in which they are declared."""
    shapes: Mapping[str, Mapping[tuple[str, ...], str]]
    """Which arguments are blocks, and of what type the others are; see `cdk.shapes`."""
    files: Mapping[str, bytes]
    """What it needs besides, by relative path."""


def sources(config: AetherConfig, provider: Provider) -> tuple[StackSource, ...]:
    """Synthesize the stacks of one cloud in memory, with all that it takes to write them otherwise.

    Args:
        config: a loaded configuration that has the cloud's table.
        provider: the cloud.

    Returns:
        The stacks, in the order in which they are deployed.

    Raises:
        MissingExtraError: the bindings of the cloud are not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        app = build([config], folder, [provider])
        from aether_infra.cdk.shapes import argument_shapes, element_addresses  # noqa: PLC0415 - starts the kernel

        found = {}
        for name in _names(config, provider):
            stack: Any = app.node.find_child(name)
            found[name] = element_addresses(stack), argument_shapes(stack)
        app.synth()
        return tuple(
            StackSource(
                name=name,
                document=_document(Path(folder) / "stacks" / name),
                addresses=addresses,
                shapes=shapes,
                files=_files(Path(folder) / "stacks" / name),
            )
            for name, (addresses, shapes) in found.items()
        )


def variants(configs: Sequence[AetherConfig], provider: Provider) -> list[list[dict[str, Any]]]:
    """Synthesize many configurations of one cluster on one cloud in memory, for a comparison of their documents.

    Args:
        configs: the configurations.
        provider: the cloud.

    Returns:
        For each configuration the Terraform JSON documents of its stacks, in the order of `sources`.

    Raises:
        MissingExtraError: the bindings of the cloud are not installed.
    """
    infrastructure = stack_class(provider) if provider in STACKS else None
    workload = workload_class(provider) if any(config.in_kubernetes(provider) for config in configs) else None
    from cdktf import App  # noqa: PLC0415 - starts the kernel, which takes half a second

    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder)
        names = []
        for number, config in enumerate(configs):
            below = infrastructure(app, f"v{number}", config) if infrastructure else None
            names.append([f"v{number}"] if below else [])
            if workload and config.in_kubernetes(provider):
                names[-1].append(f"v{number}-workload")
                workload(app, f"v{number}-workload", config, below)
        app.synth()
        return [[_document(Path(folder) / "stacks" / name) for name in each] for each in names]


def _names(config: AetherConfig, provider: Provider) -> list[str]:
    """Names of the stacks of one cloud of one configuration."""
    (each,) = (each for each in plan([config]) if each.provider is provider)
    return [name for name in (each.infrastructure, each.workload) if name]


def _document(stack: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8"))
    return document


def _files(stack: Path) -> dict[str, bytes]:
    """What lies in a stack's folder besides its documents."""
    own = {"cdk.tf.json", "metadata.json"}
    return {
        path.relative_to(stack).as_posix(): path.read_bytes()
        for path in sorted(stack.rglob("*"))
        if path.is_file() and path.relative_to(stack).as_posix() not in own
    }


def synthesize(environ: Mapping[str, str] | None = None) -> list[Problem]:
    """Do all that `python apps/synth.py` does: find, load, declare, write.

    Args:
        environ: `AETHER_CONFIG` and `CDKTF_OUTDIR`; default: the process's environment.

    Returns:
        Notes for the operator: nothing that keeps the stacks from working.

    Raises:
        ConfigError: a configuration cannot be used; nothing was written.
        OutputError: see `write`.
    """
    environ = os.environ if environ is None else environ
    paths, is_sample = find_configs(environ.get("AETHER_CONFIG"))
    configs = load_all(paths)
    write(configs, environ.get("CDKTF_OUTDIR") or DEFAULT_OUTPUT)
    notes = [note for config in configs for note in _notes(config)]
    if is_sample:
        text = f"no {DEFAULT_CONFIG} and no $AETHER_CONFIG: this is the sample {SAMPLE}"
        notes.insert(0, Problem(path="", message=text))
    return notes


def _notes(config: AetherConfig) -> list[Problem]:
    """What the operator should know, each with the file it is about."""
    return [
        evolve(note, path=f"{config.source}: {note.path}" if note.path else config.source)
        for note in warnings(config)
    ]


def same_cluster(configs: Sequence[AetherConfig]) -> list[ConfigError]:
    """What is wrong with configurations beside each other.

    Two files of one cluster name would write the same stack and, worse, share its state.
    """
    first: dict[tuple[str, Provider], AetherConfig] = {}
    errors = []
    for config in configs:
        for provider in config.sections:
            other = first.setdefault((config.cluster.name, provider), config)
            if other is not config:
                message = f'"{config.cluster.name}" on {provider} is already the cluster of {other.source}'
                errors.append(ConfigError([Problem(path="cluster.name", message=message)], config.source))
    return errors
