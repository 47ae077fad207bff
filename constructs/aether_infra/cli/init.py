"""`aether-infra init`: a first aether.toml, from a few answers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from aether_infra.cli.artifacts import write_file
from aether_infra.cli.console import complain, say
from aether_infra.cli.options import CLOUDS, note_doubts
from aether_infra.config import Provider, loads
from aether_infra.config.words import nearest
from aether_infra.errors import OutputError, Problem

if TYPE_CHECKING:
    from aether_infra.config.starter import Answers

DEFAULT_OUTPUT = Path("aether.toml")
LOCAL = "local"
"""The state's backend where nobody asks for another."""


@frozen(kw_only=True)
class Question:
    """Something to ask, and where the answer belongs."""

    flag: str
    """The flag that answers it."""
    path: str
    """Dotted path of the key."""
    text: str
    """The question."""
    default: Any = None
    """The answer of who only presses return; None where there must be one."""
    choices: tuple[str, ...] = ()
    """All answers that there are; empty where there are many."""
    optional: bool = False
    """Whether no answer is one too."""


@click.command("init")
@click.option("--cloud", type=click.Choice(CLOUDS), help="Where the cluster will be.")
@click.option(
    "--compute", metavar="KIND", help="What runs a node: fargate, eks, ec2, gke, aks, doks, oke or vm."
)
@click.option("--name", metavar="NAME", help="Name of the cluster.")
@click.option("--nodes", type=int, metavar="N", help="Core nodes, the voters: 3, 5 or 7.")
@click.option("--region", metavar="REGION", help="Region; on Azure the location.")
@click.option("--project", metavar="ID", help="Project of Google Cloud.")
@click.option("--subscription-id", metavar="UUID", help="Subscription of Azure.")
@click.option("--compartment-id", metavar="OCID", help="Compartment of Oracle Cloud.")
@click.option("--tenancy-id", metavar="OCID", help="Tenancy of Oracle Cloud.")
@click.option("--registry-name", metavar="NAME", help="Container registry, unique in all of DigitalOcean.")
@click.option("--context", metavar="NAME", help="Context in the kubeconfig file of a cluster that exists.")
@click.option(
    "--authorized-cidr",
    "authorized",
    multiple=True,
    metavar="CIDR",
    help="A network that deploys to the Kubernetes cluster; several times for several.",
)
@click.option("--domain", metavar="HOST", help="Host name of the application.")
@click.option("--image", metavar="IMAGE", help="Image of the nodes. Default: the public one.")
@click.option(
    "--state", "backend", metavar="BACKEND", help="Where Terraform keeps its state. Default: a local file."
)
@click.option(
    "--state-setting",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of that backend, such as bucket=my-state; a dot in KEY leads into a table.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=DEFAULT_OUTPUT,
    show_default=True,
    metavar="FILE",
    help="Where to write.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option(
    "-y",
    "--yes",
    "--no-input",
    "quiet",
    is_flag=True,
    help="Ask nothing: take the default of everything that no flag says.",
)
def command(output: Path, *, force: bool, quiet: bool, **flags: Any) -> None:
    r"""Write a first aether.toml, commented and valid.

    In a terminal it asks for what no flag says. Without one, or with --yes, it takes defaults, and tells every flag
    that is missing because only you can know it. It never replaces a file, unless --force says so.

    \b
    aether-infra init
    aether-infra init --cloud aws --name shop --region eu-central-1 --yes
    aether-infra init --cloud gcp --compute vm --project my-project --domain shop.example.com --yes
    aether-infra init --cloud azure --subscription-id 3f2504e0-4f89-41d3-9a0c-0305e82c3301 \
        --authorized-cidr 203.0.113.0/24 --state azurerm --state-setting container_name=state \
        --state-setting storage_account_name=acmestate --yes

    Secrets are never asked for: credentials come from the environment, as `aether-infra doctor` explains.
    """
    from aether_infra.config.json_schema import FILE_NAME  # noqa: PLC0415 - on use: help must be quick
    from aether_infra.config.starter import starter  # noqa: PLC0415 - on use

    if output.exists() and not force:
        raise OutputError(f"{output}: exists; --force replaces it, -o names another file")
    interactive = not quiet and sys.stdin.isatty() and sys.stderr.isatty()
    answers = _answers(flags, interactive=interactive)
    schema = f"./{FILE_NAME}" if (output.parent / FILE_NAME).is_file() else ""
    text = starter(answers, schema=schema)
    config = loads(text, str(output))
    write_file(output, text, force=force)
    say(f"{output}: written")
    note_doubts(config)
    _tell_next(output)


def _answers(flags: Mapping[str, Any], *, interactive: bool) -> Answers:
    """What the flags say, and what is asked besides.

    Raises:
        click.UsageError: something is missing or wrong; it tells all of it.
    """
    from aether_infra.config.starter import Answers, access, problems  # noqa: PLC0415 - on use

    ask = _Asker(interactive=interactive)
    cloud = flags["cloud"]
    if cloud is None:
        question = Question(flag="--cloud", path="cloud.provider", text="Cloud", choices=tuple(CLOUDS))
        if not interactive:
            raise click.UsageError(_missing_cloud())
        cloud = ask.prompt(question)
    provider = Provider(cloud)
    answers, complaints = Answers(provider=provider), _foreign(flags, provider)
    for question in _questions(provider):
        given = flags[_parameter(question.flag)]
        if given is None:
            answers, missing = ask.add(answers, question)
            complaints += missing
        else:
            answers = _with(answers, question.path, given)
    networks = tuple(flags["authorized"])
    if answers.in_kubernetes and provider is not Provider.KUBERNETES:
        networks = networks or ask.networks(answers)
    elif networks:
        complaints.append(f"--authorized-cidr: is for Kubernetes clusters, not for {answers.compute}")
        networks = ()
    answers = evolve(answers, values={**answers.values, **access(provider, networks)})
    if flags["image"] is not None:
        answers = _with(answers, "cloud.image", flags["image"])
    answers, wrong = _state(ask, answers, flags["backend"], flags["settings"])
    complaints += wrong
    complaints += [_by_flag(problem, provider) for problem in problems(answers)]
    if complaints:
        raise click.UsageError(_listed(complaints))
    return answers


def _questions(provider: Provider) -> Iterator[Question]:
    """What is asked of a cluster on a cloud, in order."""
    from aether_infra.config.node import CORE_SIZES  # noqa: PLC0415 - on use
    from aether_infra.config.reference import keys  # noqa: PLC0415 - on use
    from aether_infra.config.starter import REGION_KEYS, required  # noqa: PLC0415 - on use

    compute = keys()[f"cloud.{provider}.compute"]
    yield Question(
        flag="--compute",
        path=compute.dotted,
        text="What runs a node",
        default=compute.default,
        choices=compute.choices,
    )
    yield Question(
        flag="--name", path="cluster.name", text="Name of the cluster", default=keys()["cluster.name"].default
    )
    yield Question(
        flag="--nodes",
        path="cluster.nodes",
        text="Core nodes, the voters",
        default=CORE_SIZES[0],
        choices=tuple(map(str, CORE_SIZES)),
    )
    if provider in REGION_KEYS:
        region = keys()[f"cloud.{provider}.{REGION_KEYS[provider]}"]
        yield Question(
            flag="--region", path=region.dotted, text=region.name.capitalize(), default=region.default
        )
    for key in required(provider):
        yield Question(flag=_flag(key.name), path=key.dotted, text=key.text.rstrip("."))
    if provider is Provider.DIGITALOCEAN:
        text = "Container registry, unique in all of DigitalOcean"
        yield Question(
            flag="--registry-name", path="cloud.digitalocean.registry_name", text=text, optional=True
        )
    if provider is Provider.KUBERNETES:
        text = "Context in the kubeconfig file"
        yield Question(flag="--context", path="cloud.kubernetes.context", text=text, optional=True)
    yield Question(flag="--domain", path="cloud.domain", text="Host name of the application", optional=True)


@frozen(kw_only=True)
class _Asker:
    """Asks in a terminal, and takes defaults without one."""

    interactive: bool

    def add(self, answers: Answers, question: Question) -> tuple[Answers, list[str]]:
        """Answers with one more, and what is missing."""
        if not self.interactive:
            if question.default is None and not question.optional:
                return answers, [
                    f"{question.flag}: is missing: {question.text[:1].lower()}{question.text[1:]}"
                ]
            # what is a default anyway needs no word
            return answers, []
        if len(question.choices) == 1:
            return answers, []
        value = self.prompt(
            question, lambda value: _problems_at(_with(answers, question.path, value), question.path)
        )
        return (answers if value == "" else _with(answers, question.path, value)), []

    def networks(self, answers: Answers) -> tuple[str, ...]:
        """The networks that reach the Kubernetes API."""
        from aether_infra.config.starter import access  # noqa: PLC0415 - on use

        if not self.interactive:
            return ()

        def faults(text: str) -> list[str]:
            values = {**answers.values, **access(answers.provider, _split(text))}
            return _problems_at(evolve(answers, values=values), f"cloud.{answers.provider}.authorized_cidrs")

        question = Question(
            flag="--authorized-cidr",
            path="",
            text="Networks that deploy to the Kubernetes cluster, with commas between",
            optional=True,
        )
        return _split(self.prompt(question, faults))

    def prompt(self, question: Question, faults: Callable[[Any], list[str]] = lambda _: []) -> Any:
        """Ask until the answer is good."""
        choices = f" ({', '.join(question.choices)})" if question.choices else ""
        text = f"{question.text}{choices}" + (" (return: none)" if question.optional else "")
        default = "" if question.optional else question.default
        while True:
            answer: Any = click.prompt(
                text, default=default, show_default=not question.optional, err=True, type=str
            ).strip()
            if question.choices and answer not in question.choices:
                near = nearest(answer, question.choices)
                complain(f"must be one of {', '.join(question.choices)}" + (f" ({near})" if near else ""))
                continue
            if isinstance(question.default, int):
                answer = int(answer)
            found = faults(answer) if answer != "" else []
            if not found:
                return answer
            for fault in found:
                complain(fault)


def _state(
    ask: _Asker, answers: Answers, backend: str | None, pairs: Sequence[str]
) -> tuple[Answers, list[str]]:
    """Where the state is kept."""
    from aether_infra.catalog.terraform import BACKENDS  # noqa: PLC0415 - on use

    settings, complaints = _settings(pairs)
    if backend is None and settings:
        return answers, [*complaints, "--state: is missing, but there is --state-setting"]
    if backend is None and ask.interactive:
        text = "Where Terraform keeps its state"
        question = Question(flag="--state", path="", text=text, default=LOCAL, choices=tuple(BACKENDS))
        backend = ask.prompt(question)
    if backend is None or (backend == LOCAL and not settings):
        return answers, complaints
    known = BACKENDS.get(backend)
    if known and "workspaces" in known.required and "workspaces" not in settings:
        name = answers.values.get("cluster.name", "aether")
        settings["workspaces"] = {"name": f"{name}-{answers.provider}"}
    for name in known.required if known else ():
        if name not in settings and ask.interactive:
            question = Question(flag="--state-setting", path="", text=f"{backend}: {name}")
            settings[name] = ask.prompt(
                question,
                lambda value, name=name: _problems_at(  # type: ignore[misc] # bound now, not when it is called
                    evolve(answers, backend=backend, settings={**settings, name: value}),
                    f"cloud.state.{name}",
                ),
            )
    return evolve(answers, backend=backend, settings=settings), complaints


def _settings(pairs: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The settings that flags say, and what is wrong with their form."""
    found: dict[str, Any] = {}
    complaints = []
    for pair in pairs:
        name, separator, text = pair.partition("=")
        *tables, last = name.split(".")
        table: Any = found
        for step in tables:
            table = table.setdefault(step, {}) if isinstance(table, dict) else None
        if not separator or not all((*tables, last)) or not isinstance(table, dict):
            complaints.append(f'--state-setting: must be KEY=VALUE, got "{pair}"')
        else:
            table[last] = _typed(text)
    return found, complaints


def _typed(text: str) -> Any:
    """A setting's value: true or false and whole numbers as such, anything else as text."""
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if text.isascii() and text.isdigit() else text


def _with(answers: Answers, path: str, value: Any) -> Answers:
    return evolve(answers, values={**answers.values, path: value})


def _problems_at(answers: Answers, path: str) -> list[str]:
    """What is wrong with one answer, as far as the others matter for it."""
    from aether_infra.config.starter import problems  # noqa: PLC0415 - on use

    return [
        f"{problem.message} ({problem.hint})" if problem.hint else problem.message
        for problem in problems(answers)
        if problem.path.partition("[")[0] == path
    ]


def _foreign(flags: Mapping[str, Any], provider: Provider) -> list[str]:
    """Flags that say something of another cloud."""
    asked = {question.flag for question in _questions(provider)}
    complaints = []
    for other in Provider:
        for question in _questions(other):
            given = flags[_parameter(question.flag)]
            text = f"{question.flag}: is not for {provider}"
            if given is not None and question.flag not in asked and text not in complaints:
                complaints.append(text)
    return complaints


def _missing_cloud() -> str:
    """That nobody said which cloud, and what each of them needs besides."""
    from aether_infra.config.starter import required  # noqa: PLC0415 - on use

    more = [
        f"{provider}: {', '.join(_flag(key.name) for key in required(provider))}"
        for provider in Provider
        if required(provider)
    ]
    listed = [f"--cloud: is missing: one of {', '.join(CLOUDS)}", *(f"then for {text}" for text in more)]
    return _listed(listed, "without a terminal, flags must say what has no default")


def _by_flag(problem: Problem, provider: Provider) -> str:
    """A problem, by the flag that it came from."""
    path = problem.path.partition("[")[0]
    flags = {question.path: question.flag for question in _questions(provider)}
    flags |= {
        "cloud.image": "--image",
        "cloud.state.backend": "--state",
        f"cloud.{provider}.authorized_cidrs": "--authorized-cidr",
    }
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    if path in flags:
        return f"{flags[path]}: {text}"
    if path.startswith("cloud.state."):
        return f"--state-setting {path.removeprefix('cloud.state.')}: {text}"
    return str(problem)


def _listed(complaints: Sequence[str], head: str = "nothing was written") -> str:
    return "\n".join([head, *(f"  {complaint}" for complaint in complaints)])


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _parameter(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def _tell_next(output: Path) -> None:
    """What to do now."""
    name = shlex.quote(str(output))
    file = "" if output == DEFAULT_OUTPUT else f" -c {name}"
    checked = "" if output == DEFAULT_OUTPUT else f" {name}"
    steps = {
        f"aether-infra validate --show{checked}": "what holds, and where it is from",
        f"aether-infra doctor{file}": "what this machine lacks",
        f"aether-infra diagram{file} -o plan.svg": "see what it builds",
        f"aether-infra synth{file}": "Terraform JSON; or export, for plain HCL with scripts",
    }
    width = max(map(len, steps))
    say("next:")
    for step, text in steps.items():
        say(f"  {step:<{width}}  {text}")
