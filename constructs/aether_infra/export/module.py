"""A whole Terraform module, or two: files by concern, variables, values, scripts, and how to use them.

Kubernetes clouds have two root modules, as they have two stacks: the infrastructure, and in `workload/` what runs
inside of the cluster, with a state of its own. Addresses of resources stay those of the CDKTF stacks, so a team can go
from one to the other, and back, on the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, Protocol

from attrs import evolve, field, frozen

from aether_infra.catalog.terraform import OPENTOFU_SINCE
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.export.blocks import block
from aether_infra.export.concerns import file_of
from aether_infra.export.discover import Discovery, Synthesize, discover
from aether_infra.export.document import Element, value
from aether_infra.export.keys import Setting
from aether_infra.export.lift import Lift
from aether_infra.export.readme import readme
from aether_infra.export.render import Argument, Block, document
from aether_infra.export.scripts import ScriptFacts, scripts
from aether_infra.export.syntax import Attribute, Name, Node, Object, Text, replaced, text, variables, walk
from aether_infra.export.variables import declarations, tfvars

WORKLOAD: Final = "workload"
"""Folder of the workload's module, where there is an infrastructure beside it."""
VALUES: Final = "aether.tfvars"
"""File of the values of the operator's configuration."""
REGISTRIES: Final = frozenset(
    {
        "aws_ecr_repository",
        "azurerm_container_registry",
        "digitalocean_container_registry",
        "google_artifact_registry_repository",
        "oci_artifacts_container_repository",
    }
)
"""Types of registries: what must be there before an image can be pushed."""
SOURCE: Final = "hashicorp"
"""Namespace of providers that name none."""


class Source(Protocol):
    """A synthesized stack; see `synth.StackSource`."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as there
    @property
    def document(self) -> Mapping[str, Any]: ...  # noqa: D102 - as there
    @property
    def addresses(self) -> tuple[str, ...]: ...  # noqa: D102 - as there
    @property
    def shapes(self) -> Mapping[str, Mapping[tuple[str, ...], str]]: ...  # noqa: D102 - as there
    @property
    def files(self) -> Mapping[str, bytes]: ...  # noqa: D102 - as there


@frozen(kw_only=True)
class Module:
    """The files of an exported module."""

    texts: Mapping[str, str]
    """Relative path = text."""
    files: Mapping[str, bytes] = field(factory=dict)
    """Relative path = bytes: what the resources need besides."""
    executable: frozenset[str] = frozenset()
    """Which of the texts are programs."""
    states: tuple[str, ...] = ()
    """Relative paths of the states, where they are local files."""


def module(
    config: AetherConfig, provider: Provider, sources: Sequence[Source], synthesize: Synthesize
) -> Module:
    """Make the module of one cloud of a configuration.

    Args:
        config: the configuration.
        provider: the cloud.
        sources: its stacks, in the order in which they are deployed.
        synthesize: makes the documents of other configurations, which tell what can be a variable.
    """
    found = discover(config, provider, [source.document for source in sources], synthesize)
    roots = [
        _Root(config, provider, source, found, number, len(sources)) for number, source in enumerate(sources)
    ]
    texts: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for root in roots:
        texts |= {root.place(name): content for name, content in root.texts().items()}
        files |= {root.place(name): content for name, content in root.source.files.items()}
    programs = scripts(_script_facts(config, provider, roots))
    texts |= programs
    texts["README.md"] = readme(
        config, provider, found, [(root.folder, root.variables) for root in roots], programs
    )
    return Module(
        texts=dict(sorted(texts.items())),
        files=dict(sorted(files.items())),
        executable=frozenset(programs),
        states=tuple(root.place(root.state) for root in roots if root.state),
    )


def _script_facts(config: AetherConfig, provider: Provider, roots: Sequence[_Root]) -> ScriptFacts:
    infrastructure = next((root for root in roots if not root.is_workload), None)
    workload = next((root for root in roots if root.is_workload), None)
    section = config.section(provider)
    own = getattr(section, "architecture", None)
    return ScriptFacts(
        provider=provider,
        cluster=config.cluster.name,
        infrastructure=infrastructure.folder or "." if infrastructure else None,
        workload=workload.folder or "." if workload else None,
        registry_targets=tuple(infrastructure.registries()) if infrastructure else (),
        region=section.region,
        namespace=getattr(section, "namespace", None) or config.kubernetes.namespace,
        var_file=VALUES,
        protect=config.cloud.protect,
        architecture=own if own in {"x86_64", "arm64"} else None,
    )


class _Root:
    """One root module."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        config: AetherConfig,
        provider: Provider,
        source: Source,
        found: Discovery,
        number: int,
        count: int,
    ) -> None:
        self.config = config
        self.provider = provider
        self.source = source
        self.is_workload = source.name.endswith("-workload")
        self.folder = WORKLOAD if self.is_workload and count > 1 else ""
        backend: Mapping[str, Any] = source.document.get("terraform", {}).get("backend", {})
        ((self.backend, given),) = backend.items() or {"local": {}}.items()
        self.settings: dict[str, Any] = dict(given)
        self.state = ""
        if self.backend == "local":
            self.state = self.settings["path"] = PurePosixPath(self.settings["path"]).name
        lift = Lift()
        self._elements = [
            lift.element(self._moved(element)) for element in self._in_order(found.stacks[number].values())
        ]
        self._long_texts = lift.files
        used = {name for element in self._elements for name in variables(element.body)}
        self._locals = _needed_locals(self._elements, found.locals)
        used |= {name for node in self._locals.values() for name in variables(node)}
        self.variables: tuple[Setting, ...] = tuple(each for each in found.variables if each.variable in used)
        self._found = evolve(found, variables=self.variables)

    def place(self, name: str) -> str:
        """Path of a file, from the export's folder."""
        return f"{self.folder}/{name}" if self.folder else name

    def texts(self) -> dict[str, str]:
        """Its files, by name."""
        texts = {name: self._file(elements) for name, elements in self._by_concern().items()}
        texts["versions.tf"] = document([self._terraform()])
        if self.variables:
            texts["variables.tf"] = document(declarations(self._found, self.provider))
            texts[VALUES] = tfvars(
                self.variables,
                f"# Values of {PurePosixPath(self.config.source).name}, cluster {self.config.cluster.name}. "
                "variables.tf says what each may be.\n",
            )
        if self._locals:
            body = tuple(Argument(name, node) for name, node in sorted(self._locals.items()))
            texts["locals.tf"] = document([Block("locals", (), body)])
        for name, section in (("providers.tf", "provider"), ("outputs.tf", "output")):
            chosen = [each for each in self._elements if each.section == section]
            if chosen:
                texts[name] = self._file(chosen)
        return texts | self._long_texts

    def registries(self) -> Iterator[str]:
        """Addresses of what the output `registry_url` is made of, if a registry is among it."""
        declared = {element.address: element for element in self._elements if element.section != "output"}
        output = next((each for each in self._elements if each.key == ("output", "", "registry_url")), None)
        targets = list(_references(output.body, declared)) if output else []
        if any(declared[address].type in REGISTRIES for address in targets):
            yield from targets

    def _in_order(self, elements: Iterable[Element]) -> list[Element]:
        """In the order in which the constructs declare them; what has none keeps its own, at the end."""
        rank = {address: number for number, address in enumerate(self.source.addresses)}
        return sorted(elements, key=lambda element: rank.get(element.address, len(rank)))

    def _moved(self, element: Element) -> Element:
        """The same where another state is read: in the folder above."""
        if element.type != "terraform_remote_state":
            return element
        by: dict[Node, Node] = {
            node: text(f"../{PurePosixPath(node.literal).name}")
            for node in walk(element.body)
            if isinstance(node, Text)
            and node.literal
            and node.literal.endswith(".tfstate")
            and _is_above(node.literal)
        }
        body = replaced(element.body, by)
        return evolve(element, body=body) if isinstance(body, Object) else element

    def _by_concern(self) -> dict[str, list[Element]]:
        """Resources and data sources by file."""
        found: dict[str, list[Element]] = {}
        for element in self._elements:
            if element.section in {"resource", "data"}:
                found.setdefault(file_of(element), []).append(element)
        return found

    def _file(self, elements: Sequence[Element]) -> str:
        return document(
            [
                block(element, self.source.shapes.get(f"{element.section}.{element.type}", {}))
                for element in elements
            ]
        )

    def _terraform(self) -> Block:
        required = self.source.document["terraform"]["required_providers"]
        providers = {
            name: {
                **given,
                "source": given["source"] if "/" in given["source"] else f"{SOURCE}/{given['source']}",
            }
            for name, given in sorted(required.items())
        }
        return Block(
            "terraform",
            (),
            (
                Argument("required_version", text(f">= {OPENTOFU_SINCE}")),
                Block(
                    "required_providers",
                    (),
                    tuple(Argument(name, value(given)) for name, given in providers.items()),
                ),
                self._backend(),
            ),
        )

    def _backend(self) -> Block:
        if self.backend in {"cloud", "remote"}:
            plain = {key: item for key, item in self.settings.items() if key != "workspaces"}
            inner = Block("workspaces", (), _arguments(self.settings.get("workspaces", {})))
            labels = () if self.backend == "cloud" else (self.backend,)
            kind = "cloud" if self.backend == "cloud" else "backend"
            return Block(kind, labels, (*_arguments(plain), inner))
        return Block("backend", (self.backend,), _arguments(self.settings))


def _arguments(given: Mapping[str, Any]) -> tuple[Argument, ...]:
    return tuple(Argument(key, value(item)) for key, item in sorted(given.items()) if item is not None)


def _is_above(path: str) -> bool:
    return path.startswith("../")


def _needed_locals(elements: Sequence[Element], known: Mapping[str, Node]) -> dict[str, Node]:
    """The local values that elements refer to, and those that these refer to."""
    needed: dict[str, Node] = {}
    nodes: list[Node] = [element.body for element in elements]
    while nodes:
        for one in walk(nodes.pop()):
            if (
                isinstance(one, Attribute)
                and one.of == Name("local")
                and one.name not in needed
                and one.name in known
            ):
                needed[one.name] = known[one.name]
                nodes.append(known[one.name])
    return needed


def _references(node: Node, declared: Mapping[str, Element]) -> Iterator[str]:
    """Addresses of what an expression refers to, each once."""
    seen: set[str] = set()
    for one in walk(node):
        address = _address(one)
        if address in declared and address not in seen:
            seen.add(address)
            yield address


def _address(node: Node) -> str:
    """`type.name` or `data.type.name`, if that is what an expression says; else nothing."""
    match node:
        case Attribute(of=Attribute(of=Name(name="data"), name=type_), name=name):
            return f"data.{type_}.{name}"
        case Attribute(of=Name(name=type_), name=name):
            return f"{type_}.{name}"
        case _:
            return ""
