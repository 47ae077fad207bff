"""From plain TOML values to typed tables, with every fault of shape at once.

cattrs does the structuring; hooks of ours make it strict (no number from text, no integer from a boolean) and
run each field's checks. A table that has faults is structured again without the faulty keys, so that the rules
can go on with what is good.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, get_args, get_origin

import attrs
from attrs import frozen
from cattrs import Converter, ForbiddenExtraKeysError
from cattrs.errors import AttributeValidationNote, BaseValidationError
from cattrs.gen import make_dict_structure_fn, override

from aether_infra.config.checks import CHECKS, EXAMPLE, TOML_KEY, Fault
from aether_infra.config.credentials import refusal
from aether_infra.config.model import AetherConfig
from aether_infra.config.node import AppHttpConfig, KubernetesConfig, NodeConfig, ResourcesConfig
from aether_infra.config.provider import Provider
from aether_infra.config.state import StateConfig, state_faults
from aether_infra.config.words import dotted, key_text, listing, nearest, show
from aether_infra.errors import Problem

OPEN_TABLES: Final = (AetherConfig, NodeConfig, ResourcesConfig, AppHttpConfig, KubernetesConfig)
"""Tables that may hold keys of the node's that are none of ours."""

Path = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""


class FaultyError(Exception):
    """A value with faults; carries them through cattrs."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


@frozen
class ShapeProblem:
    """A problem and the place in the file that it takes out of use."""

    place: Path
    problem: Problem


def toml_key(attribute: "attrs.Attribute[Any]") -> str:
    """Name of a field in the file."""
    return str(attribute.metadata.get(TOML_KEY, attribute.name))


def structure(raw: Mapping[str, Any]) -> tuple[AetherConfig, list[ShapeProblem]]:
    """Make the typed configuration of a file's content.

    Args:
        raw: the file's tables, environment filled in.

    Returns:
        The configuration without what is faulty (its default, or an example of what is required, stands
        there), and the problems.
    """
    problems: list[ShapeProblem] = []
    while True:
        try:
            return CONVERTER.structure(raw, AetherConfig), problems
        except BaseValidationError as error:
            found = list(_problems(error, ()))
        problems += found
        for one in found:
            raw = without(raw, one.place)


def _problems(error: BaseException, path: Path) -> Iterator[ShapeProblem]:
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, (*path, *_step(inner, error.cl)))
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield ShapeProblem((*path, key), _unknown(path, key, error.cl))
    elif isinstance(error, FaultyError):
        for fault in error.faults:
            yield ShapeProblem(path, Problem(path=dotted(path) + fault.at, message=fault.message, hint=fault.hint))
    elif isinstance(error, KeyError):
        yield ShapeProblem(path, Problem(path=dotted(path), message="is missing", hint="only you can know it"))
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
        return Problem(path=place, message="looks like a secret, which has no place in this file", hint=explanation)
    known = sorted(toml_key(attribute) for attribute in attrs.fields(cl))
    return Problem(path=place, message="unknown key", hint=nearest(key, known) or f"known here: {listing(known)}")


def without(raw: Mapping[str, Any], place: Path, cl: type | None = AetherConfig) -> dict[str, Any]:
    """The tables without one key; with an example in its place if it is required.

    Args:
        raw: tables.
        place: where the key is; what lies inside a list takes the whole list out.
        cl: the class that the tables are for.
    """
    key, rest = str(place[0]), place[1:]
    attribute = next((a for a in attrs.fields(cl) if toml_key(a) == key), None) if cl else None
    result = dict(raw)
    if rest and isinstance(raw.get(key), Mapping):
        result[key] = without(raw[key], rest, table_class(attribute.type) if attribute else None)
    elif attribute is not None and attribute.metadata.get(EXAMPLE) is not None:
        result[key] = attribute.metadata[EXAMPLE]
    else:
        result.pop(key, None)
    return result


def table_class(type_: Any) -> type | None:
    """The attrs class of a field that holds a table, through `| None`; None for a plain value."""
    for candidate in (type_, *get_args(type_)):
        if isinstance(candidate, type) and attrs.has(candidate):
            return candidate
    return None


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
        raise FaultyError(Fault(f"must be one of {listing(values)}, got {show(value)}", nearest(value, values)))
    return value


def _texts(value: Any, _type: Any = None) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise FaultyError(Fault(f"must be a list of texts, got {show(value)}"))
    return tuple(text for _, text in _each_text(enumerate(value)))


def _text_table(value: Any, _type: Any = None) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise FaultyError(Fault(f"must be a table of texts, got {show(value)}"))
    return dict(sorted(_each_text(value.items())))


def _each_text(items: Iterable[tuple[Any, Any]]) -> list[tuple[Any, str]]:
    good: list[tuple[Any, str]] = []
    faults: list[Fault] = []
    for place, value in items:
        try:
            good.append((place, _text(value)))
        except FaultyError as error:
            at = f"[{place}]" if isinstance(place, int) else f".{key_text(place)}"
            faults += [Fault(fault.message, fault.hint, at) for fault in error.faults]
    if faults:
        raise FaultyError(*faults)
    return good


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
        raise FaultyError(*faults)
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
    fill = make_dict_structure_fn(
        cl, CONVERTER, _cattrs_forbid_extra_keys=cl not in OPEN_TABLES, **overrides
    )

    def hook(value: Any, type_: Any) -> Any:
        if not isinstance(value, Mapping):
            raise FaultyError(Fault(f"must be a table, got {show(value)}"))
        return fill(value, type_)

    return hook


def _converter() -> Converter:
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _whole_number)
    converter.register_structure_hook(bool, _switch)
    converter.register_structure_hook_func(lambda type_: get_origin(type_) is Literal, _choice)
    converter.register_structure_hook(Provider, _provider)
    converter.register_structure_hook_func(lambda type_: get_origin(type_) is tuple, _texts)
    converter.register_structure_hook_func(lambda type_: get_origin(type_) is Mapping, _text_table)
    converter.register_structure_hook_func(lambda type_: type_ == int | tuple[str, ...], _number_or_texts)
    converter.register_structure_hook_factory(attrs.has, _table)
    converter.register_structure_hook(StateConfig, _state)
    return converter


CONVERTER: Final = _converter()
"""The one converter; classes are prepared when they are first met."""
