"""From plain TOML values to typed tables, with every fault of shape at once.

cattrs does the structuring; hooks of ours make it strict (no number from text, no integer from a boolean) and
run each field's checks. A table that has faults is structured again without the faulty keys, so that the
rules can go on with what is good.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, get_args, get_origin

import attrs
from cattrs import Converter, ForbiddenExtraKeysError
from cattrs.errors import AttributeValidationNote, BaseValidationError
from cattrs.gen import make_dict_structure_fn, override

from aether_infra.config.checks import CHECKS, TOML_KEY, Fault
from aether_infra.config.credentials import refusal
from aether_infra.config.model import AetherConfig
from aether_infra.config.node import AppHttpConfig, KubernetesConfig, NodeConfig, ResourcesConfig
from aether_infra.config.provider import Provider
from aether_infra.config.section import CloudSection
from aether_infra.config.state import StateConfig, state_faults
from aether_infra.config.tables import Misfit, Path, toml_key, without
from aether_infra.config.words import dotted, kind, listing, nearest, show
from aether_infra.errors import Problem

OPEN_TABLES: Final = (AetherConfig, NodeConfig, ResourcesConfig, AppHttpConfig, KubernetesConfig)
"""Tables that may hold keys of the node's that are none of ours."""


class FaultyError(Exception):
    """A value with faults; carries them through cattrs.

    Args:
        *faults: the faults.
        whole: whether they spoil the whole value, and not just the places that they name.
    """

    def __init__(self, *faults: Fault, whole: bool = False) -> None:
        super().__init__(*faults)
        self.faults = faults
        self.whole = whole


def structure(raw: Mapping[str, Any]) -> tuple[AetherConfig, list[Misfit]]:
    """Make the typed configuration of a file's content.

    Args:
        raw: the file's tables, environment filled in.

    Returns:
        The configuration without what is faulty (its default, or an example of what is required, stands
        there), and the problems.
    """
    problems: list[Misfit] = []
    while True:
        try:
            return CONVERTER.structure(raw, AetherConfig), problems
        except BaseValidationError as error:
            found = list(_problems(error, ()))
        problems += found
        for one in found:
            raw = without(raw, one.place)


def _problems(error: BaseException, path: Path) -> Iterator[Misfit]:
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, (*path, *_step(inner, error.cl)))
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield Misfit((*path, key), _unknown(path, key, error.cl))
    elif isinstance(error, FaultyError):
        for fault in error.faults:
            place = (*path, *fault.inside)
            problem = Problem(path=dotted(place), message=fault.message, hint=fault.hint)
            yield Misfit(path if error.whole else place, problem)
    elif isinstance(error, KeyError):
        yield Misfit(path, Problem(path=dotted(path), message="is missing", hint="only you can know it"))
    else:
        raise error


def _step(error: BaseException, cl: type) -> Path:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (toml_key(attrs.fields_dict(cl)[note.name]),)
    return ()


def _unknown(path: Path, key: str, cl: type) -> Problem:
    place = dotted((*path, key))
    if explanation := refusal(key, path):
        return Problem(
            path=place, message="looks like a secret, which has no place in this file", hint=explanation
        )
    known = sorted(toml_key(attribute) for attribute in attrs.fields(cl))
    if issubclass(cl, CloudSection) and key in cl.absent:
        return Problem(path=place, message="unknown key", hint=cl.absent[key])
    return Problem(
        path=place, message="unknown key", hint=nearest(key, known) or f"known here: {listing(known)}"
    )


def _text(value: Any, _type: Any = None) -> str:
    if not isinstance(value, str):
        raise FaultyError(Fault(f"must be text in quotes, got {show(value)}"))
    if not value.isprintable():
        raise FaultyError(Fault(f"must not have control characters, got {show(value)}"))
    return value


def _whole_number(value: Any, _type: Any = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FaultyError(Fault(f"must be a whole number, got {show(value)}"))
    return value


def _switch(value: Any, _type: Any = None) -> bool:
    if not isinstance(value, bool):
        raise FaultyError(Fault(f"must be true or false, got {show(value)}"))
    return value


def _choice(value: Any, type_: Any) -> Any:
    return _one_of(value, get_args(type_))


def _provider(value: Any, _type: Any = None) -> Provider:
    return Provider(_one_of(value, tuple(provider.value for provider in Provider)))


def _one_of(value: Any, values: tuple[Any, ...]) -> Any:
    if not isinstance(value, str) or value not in values:
        raise FaultyError(
            Fault(f"must be one of {listing(values)}, got {show(value)}", nearest(value, values))
        )
    return value


def _texts(value: Any, _type: Any = None) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise FaultyError(Fault(f"must be a list of texts, got {show(value)}"))
    faults: list[Fault] = []
    for index, item in enumerate(value):
        try:
            _text(item)
        except FaultyError as error:
            faults += [Fault(fault.message, fault.hint, (index,)) for fault in error.faults]
    if faults:
        raise FaultyError(*faults)
    return tuple(value)


def _text_table(value: Any, _type: Any = None) -> dict[str, str]:
    """A table of texts; no message repeats a value, as it may be a secret that somebody put there."""
    if not isinstance(value, Mapping):
        raise FaultyError(Fault(f"must be a table of texts, got {kind(value)}"))
    wrong = {key: item for key, item in value.items() if not isinstance(item, str)}
    garbled = [key for key, item in value.items() if isinstance(item, str) and not item.isprintable()]
    faults = [
        Fault(f"must be text in quotes, got {kind(item)}", inside=(key,)) for key, item in wrong.items()
    ]
    faults += [Fault("must not have control characters", inside=(key,)) for key in garbled]
    if faults:
        raise FaultyError(*faults)
    return dict(sorted(value.items()))


def _number_or_texts(value: Any, _type: Any = None) -> int | tuple[str, ...]:
    if isinstance(value, list):
        return _texts(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise FaultyError(Fault(f"must be a number or a list of names, got {show(value)}"))


def _state(value: Any, _type: Any = None) -> StateConfig:
    if not isinstance(value, Mapping):
        raise FaultyError(Fault(f"must be a table, got {show(value)}"))
    if faults := tuple(state_faults(value)):
        raise FaultyError(*faults, whole=True)
    settings = {key: value[key] for key in sorted(value) if key != "backend"}
    return StateConfig(backend=value.get("backend", "local"), settings=settings)


def _checked(attribute: "attrs.Attribute[Any]") -> Callable[[Any, Any], Any]:
    checks = attribute.metadata.get(CHECKS, ())

    def hook(value: Any, type_: Any) -> Any:
        result = CONVERTER.structure(value, type_)
        faults = [fault for one in checks for fault in one(result)]
        if faults:
            raise FaultyError(*faults)
        return result

    return hook


def _table(cl: type) -> Callable[[Any, Any], Any]:
    overrides = {
        attribute.name: override(struct_hook=_checked(attribute), rename=attribute.metadata.get(TOML_KEY))
        for attribute in attrs.fields(cl)
    }
    make: Callable[..., Callable[[Any, Any], Any]] = (
        make_dict_structure_fn  # it takes a field's name as keyword
    )
    fill = make(cl, CONVERTER, _cattrs_forbid_extra_keys=cl not in OPEN_TABLES, **overrides)

    def hook(value: Any, type_: Any) -> Any:
        if not isinstance(value, Mapping):
            raise FaultyError(Fault(f"must be a table, got {show(value)}"))
        return fill(value, type_)

    return hook


def _made_of(origin: object) -> Callable[[Any], bool]:
    return lambda type_: get_origin(type_) is origin


def _converter() -> Converter:
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _whole_number)
    converter.register_structure_hook(bool, _switch)
    for origin, hook in ((Literal, _choice), (tuple, _texts), (Mapping, _text_table)):
        converter.register_structure_hook_func(_made_of(origin), hook)
    converter.register_structure_hook_func(lambda type_: type_ == int | tuple[str, ...], _number_or_texts)
    converter.register_structure_hook(Provider, _provider)
    converter.register_structure_hook_factory(attrs.has, _table)
    converter.register_structure_hook(StateConfig, _state)
    return converter


CONVERTER: Final = _converter()
"""The one converter; classes are prepared when they are first met."""
