"""Finds out which keys of a configuration can be input variables of its module, and where each of them shows.

The configuration is synthesized many times, with other values of its keys, and the documents are compared: see
`fit`. A key that changes which resources there are, or that shows in a way that no expression says, stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from attrs import Factory, define, evolve, frozen

from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.reference import keys
from aether_infra.export.document import Element, elements
from aether_infra.export.features import LOCALS, ZONES, features
from aether_infra.export.fit import Fit
from aether_infra.export.keys import Path, Setting, pinned, settings, value_at, with_value
from aether_infra.export.parse import expression
from aether_infra.export.probes import applied, inseparable, is_valid, variants
from aether_infra.export.syntax import Items, Node, Object, Text, variables, walk

Document: TypeAlias = Mapping[str, Any]
Elements: TypeAlias = Mapping[tuple[str, str, str], Element]
Synthesize: TypeAlias = Callable[[Sequence[AetherConfig]], Sequence[Sequence[Document]]]
"""Makes the documents of the stacks of each configuration."""

VARIANTS: Final = 5
"""Configurations that the operator's own is compared with. A line through so many points is no coincidence."""
ROUNDS: Final = 6
"""How often the comparison is repeated with fewer keys, until everything is explained."""

REMOTE_STATE: Final = "terraform_remote_state"
"""Type of what reads another stack's state. Where that is, no variable can say: it is part of the backend."""

SAID_BY_DOCUMENT: Final[Mapping[Provider, tuple[str, str, str, tuple[str | int, ...]]]] = {
    Provider.AWS: (
        "autoscaler_image",
        "kubernetes_deployment_v1",
        "autoscaler",
        ("spec", "template", "spec", "container", 0, "image"),
    ),
    Provider.AZURE: ("acr_name", "azurerm_container_registry", "", ("name",)),
}
"""Keys whose default follows from others in a way of its own: the key, the resource that has it (its type and the
begin of its name), and where."""


@frozen(kw_only=True)
class Discovery:
    """What was found out about a configuration."""

    config: AetherConfig
    """The configuration, with all said that follows from others."""
    variables: tuple[Setting, ...]
    """The keys that are variables, in the order of the file."""
    stacks: tuple[Elements, ...]
    """What each stack declares, with the variables in it."""
    locals: Mapping[str, Node]
    """Local values that something needs, by name."""
    fixed: tuple[str, ...]
    """Dotted paths of keys that were tried, and change more than values."""


@define
class _Search:
    config: AetherConfig
    provider: Provider
    synthesize: Synthesize
    base: Sequence[Elements]
    fixed: list[str] = Factory(list)

    def run(self) -> Discovery:
        config = self._pinned()
        candidates = [one for one in settings(config, self.provider) if not self._is_protection(one)]
        for _ in range(ROUNDS):
            configs = [config, *variants(config, self.provider, candidates, VARIANTS)]
            twins = inseparable(configs, candidates)
            if twins:
                self.fixed += [setting.key.dotted for setting in twins]
                candidates = [setting for setting in candidates if setting not in twins]
                configs = [config, *variants(config, self.provider, candidates, VARIANTS)]
            found = _Comparison(self.provider, candidates, configs, self._documents(configs))
            if not found.conflicts:
                return self._discovery(config, candidates, found.stacks)
            guilty = self._guilty(configs, candidates, found)
            self.fixed += [setting.key.dotted for setting in guilty]
            candidates = [setting for setting in candidates if setting not in guilty]
        return self._discovery(config, [], self.base)

    def _documents(self, configs: Sequence[AetherConfig]) -> list[list[Elements]]:
        return [[elements(document) for document in each] for each in self.synthesize(configs)]

    def _pinned(self) -> AetherConfig:
        """The configuration with all said that follows from others and changes nothing when it is said."""
        pins: dict[Path, Any] = pinned(self.config, self.provider) | dict(self._said_by_document())
        together = self._with(pins)
        if not pins or self._documents([together])[0] == list(self.base):
            return together
        alone = self._documents([self._with({path: value}) for path, value in pins.items()])
        harmless = [path for path, each in zip(pins, alone, strict=True) if each == list(self.base)]
        return self._with({path: pins[path] for path in harmless})

    def _with(self, pins: Mapping[Path, Any]) -> AetherConfig:
        config = self.config
        for path, value in pins.items():
            config = with_value(config, path, value)
        return config

    def _said_by_document(self) -> Iterator[tuple[Path, str]]:
        name, type_, begin, where = SAID_BY_DOCUMENT.get(self.provider, ("", "", "", ()))
        path = ("cloud", self.provider.value, name)
        if not name or value_at(self.config, path) is not None:
            return
        for stack in self.base:
            for element in stack.values():
                if element.type == type_ and element.name.startswith(begin):
                    node = _at(element.body, where)
                    if isinstance(node, Text) and node.literal:
                        yield path, node.literal

    def _is_protection(self, setting: Setting) -> bool:
        """Whether a key makes Terraform itself refuse a deletion, which it does by no variable."""
        if setting.key.dotted != "cloud.protect":
            return False
        bodies = (element.body for stack in self.base for element in stack.values())
        # where nothing is protected, what would be is not to be seen
        return not setting.value or any(
            isinstance(node, Object) and node.get("prevent_destroy") is not None
            for body in bodies
            for node in walk(body)
        )

    def _guilty(
        self, configs: Sequence[AetherConfig], candidates: Sequence[Setting], found: _Comparison
    ) -> list[Setting]:
        """Keys without which there would be no conflict: those that have one alone, else the last that takes part."""
        config, *others = configs
        guilty: list[Setting] = []
        accomplices: list[Setting] = []
        for other in found.differing(others):
            alone = [(setting, self._changed(config, other, setting)) for setting in candidates]
            valid = [(setting, changed) for setting, changed in alone if changed is not None]
            documents = self._documents([config, *(changed for _, changed in valid)])
            for (setting, changed), each in zip(valid, documents[1:], strict=True):
                comparison = _Comparison(self.provider, [setting], [config, changed], [documents[0], each])
                if comparison.shares_conflict(found):
                    guilty.append(setting)
                elif comparison.touches(found):
                    accomplices.append(setting)
            if guilty or accomplices:
                break
        return guilty or accomplices[-1:] or list(candidates)

    def _changed(self, config: AetherConfig, other: AetherConfig, setting: Setting) -> AetherConfig | None:
        """The configuration with one key as another configuration has it; None if that is nothing new, or not valid."""
        value = value_at(other, setting.path)
        changed = applied(config, self.provider, setting.path, value)
        return changed if value != setting.value and is_valid(changed, self.provider) else None

    def _discovery(
        self, config: AetherConfig, candidates: Sequence[Setting], stacks: Sequence[Elements]
    ) -> Discovery:
        bodies = [element.body for stack in stacks for element in stack.values()]
        used = {name for body in bodies for name in _locals_of(body)}
        local = {name: expression(words) for name, words in LOCALS.items() if name in used}
        named = {name for node in (*bodies, *local.values()) for name in variables(node)}
        kept = [setting for setting in candidates if setting.variable in named]
        if ZONES in named:
            dotted = f"cloud.{self.provider}.{ZONES}"
            place = sum(setting.key.dotted < dotted for setting in kept)
            kept.insert(
                place, Setting(keys()[dotted], value_at(config, ("cloud", self.provider.value, ZONES)))
            )
        order = {dotted: number for number, dotted in enumerate(keys())}
        kept.sort(key=lambda setting: order[setting.key.dotted])
        return Discovery(
            config=config, variables=tuple(kept), stacks=tuple(stacks), locals=local, fixed=tuple(self.fixed)
        )


class _Comparison:
    """The documents of several configurations, the first one's explained by the variables.

    Attributes:
        stacks: what each stack declares, with the variables in it.
        conflicts: where something is not explained: a stack's number, an element, and a place in it.
    """

    def __init__(
        self,
        provider: Provider,
        candidates: Sequence[Setting],
        configs: Sequence[AetherConfig],
        documents: Sequence[Sequence[Elements]],
    ) -> None:
        self._documents = documents
        self.conflicts: list[tuple[int, tuple[str, str, str], tuple[str | int, ...]]] = []
        fit = Fit(features(candidates, configs, provider))
        self.stacks = [self._stack(number, fit) for number in range(len(documents[0]))]

    def _stack(self, number: int, fit: Fit) -> Elements:
        columns = [each[number] for each in self._documents]
        explained: dict[tuple[str, str, str], Element] = {}
        for key, element in columns[0].items():
            if not all(key in column for column in columns):
                self.conflicts.append((number, key, ()))
                explained[key] = element
                continue
            if element.type == REMOTE_STATE:
                explained[key] = element
                continue
            body = fit.fit(tuple(column[key].body for column in columns))
            self.conflicts += [(number, key, conflict.path) for conflict in fit.conflicts]
            fit.conflicts.clear()
            explained[key] = evolve(element, body=body) if isinstance(body, Object) else element
        more = {key for column in columns for key in column} - columns[0].keys()
        self.conflicts += [(number, key, ()) for key in sorted(more)]
        return explained

    def differing(self, others: Sequence[AetherConfig]) -> Iterator[AetherConfig]:
        """The configurations whose documents differ from the first one's where there is a conflict."""
        for other, documents in zip(others, self._documents[1:], strict=True):
            if any(
                _body_at(documents[number], key, path) != _body_at(self._documents[0][number], key, path)
                for number, key, path in self.conflicts
            ):
                yield other

    def shares_conflict(self, other: _Comparison) -> bool:
        """Whether there is a conflict at a place where another comparison has one."""
        return any(
            one[:2] == two[:2] and one[2][: len(two[2])] == two[2][: len(one[2])]
            for one in self.conflicts
            for two in other.conflicts
        )

    def touches(self, other: _Comparison) -> bool:
        """Whether the documents differ where another comparison has a conflict."""
        for number, key, path in other.conflicts:
            first, *rest = [_body_at(each[number], key, path) for each in self._documents]
            if any(one != first for one in rest):
                return True
        return False


def discover(
    config: AetherConfig, provider: Provider, documents: Sequence[Document], synthesize: Synthesize
) -> Discovery:
    """Find out which keys can be variables.

    Args:
        config: the configuration.
        provider: the cloud.
        documents: Terraform JSON of its stacks, in the order in which they are deployed.
        synthesize: makes the same of other configurations.
    """
    return _Search(config, provider, synthesize, [elements(document) for document in documents]).run()


def _locals_of(node: Node) -> Iterator[str]:
    from aether_infra.export.syntax import Attribute, Name  # noqa: PLC0415 - only here

    for one in walk(node):
        if isinstance(one, Attribute) and one.of == Name("local"):
            yield one.name


def _body_at(declared: Elements, key: tuple[str, str, str], path: Sequence[str | int]) -> Node | None:
    element = declared.get(key)
    return _at(element.body, path) if element else None


def _at(node: Node | None, path: Sequence[str | int]) -> Node | None:
    """What is at a place in an expression; None if there is nothing."""
    for step in path:
        match node, step:
            case Object(), str():
                node = node.get(step)
            case Items(items), int():
                node = items[step] if step < len(items) else None
            case _:
                return node
    return node
