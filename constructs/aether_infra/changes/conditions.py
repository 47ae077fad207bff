"""Whether a difference replaces a resource: the facts of its type, applied to both values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from attrs import frozen

from aether_infra.catalog.aws import architecture
from aether_infra.catalog.replacement import CONDITIONS, TypeFacts
from aether_infra.changes.values import ABSENT, Difference


class Answer(Enum):
    """Whether something is so."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


@frozen(kw_only=True)
class Verdict:
    """What a difference does to its resource."""

    replaces: Answer
    """Whether the resource is replaced."""
    condition: str = ""
    """On what that depends, as what follows the word "where"; empty where it does not depend."""
    refused: str = ""
    """Why the provider or the cloud refuses it, in the same form."""
    is_inert: bool = False
    """Whether the provider does nothing about it."""


IN_PLACE: Final = Verdict(replaces=Answer.NO)


def verdict(
    difference: Difference, facts: TypeFacts | None, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Verdict:
    """What a difference does to its resource.

    Args:
        difference: the difference.
        facts: what is known of the type; None for nothing.
        old: all arguments before.
        new: all arguments after.

    Returns:
        The strongest of what the argument, what it is in and what is in it do.
    """
    if facts is None:
        return Verdict(replaces=Answer.MAYBE, condition="the provider cannot change it in place: not known")
    found = list(_verdicts(difference, facts, old, new))
    strongest = max(found, key=lambda each: list(Answer).index(each.replaces), default=IN_PLACE)
    refused = next((each.refused for each in found if each.refused), "")
    return Verdict(
        replaces=strongest.replaces,
        condition=strongest.condition,
        refused=refused,
        is_inert=bool(found) and all(each.is_inert for each in found),
    )


def follows(pattern: str, facts: TypeFacts | None) -> Verdict:
    """What it does to a resource that an argument will have a value that is known only afterwards.

    Args:
        pattern: the argument.
        facts: what is known of the type; None for nothing.
    """
    if facts is None:
        return Verdict(replaces=Answer.MAYBE, condition="the provider cannot change it in place: not known")
    for prefix in _prefixes(pattern):
        if prefix in facts.replace:
            return Verdict(replaces=Answer.YES)
        if prefix in facts.when:
            answer = _AFTERWARDS.get(facts.when[prefix], Answer.MAYBE)
            return Verdict(
                replaces=answer,
                condition=_words(facts.when[prefix]) if answer is Answer.MAYBE else "",
            )
    return IN_PLACE


def _verdicts(
    difference: Difference, facts: TypeFacts, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Verdict]:
    pattern = difference.pattern
    for prefix in _prefixes(pattern):
        if prefix in facts.replace:
            chosen = difference.old is ABSENT and pattern in facts.keeps
            yield (
                Verdict(replaces=Answer.MAYBE, condition="what the cloud chose for it is another value")
                if chosen
                else Verdict(replaces=Answer.YES)
            )
        if prefix in facts.when:
            yield _conditional(facts.when[prefix], difference, old, new)
        if prefix in facts.refuse and _holds(facts.refuse[prefix], difference, old, new) is Answer.YES:
            yield Verdict(replaces=Answer.NO, refused=_words(facts.refuse[prefix]))
        if prefix in facts.inert:
            yield Verdict(replaces=Answer.NO, is_inert=True)
    if difference.is_block:
        if f"{pattern}#" in facts.replace:
            yield Verdict(replaces=Answer.YES)
        for inner in difference.inside:
            yield from _verdicts(inner, facts, old, new)


def _conditional(
    condition: str, difference: Difference, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Verdict:
    answer = _holds(condition, difference, old, new)
    return Verdict(replaces=answer, condition=_words(condition) if answer is Answer.MAYBE else "")


def _holds(condition: str, difference: Difference, old: Mapping[str, Any], new: Mapping[str, Any]) -> Answer:
    """Whether a condition is met; MAYBE where the configurations do not tell."""
    if condition not in _TESTS:
        return Answer.MAYBE
    if _unknown(difference.old) or _unknown(difference.new):
        return Answer.MAYBE
    result = _TESTS[condition](difference, old, new)
    return Answer.MAYBE if result is None else Answer.YES if result else Answer.NO


def _words(condition: str) -> str:
    return CONDITIONS.get(condition, condition)


def _prefixes(pattern: str) -> Iterator[str]:
    """The argument and what it is in, outermost first."""
    parts = pattern.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _unknown(value: Any) -> bool:
    return isinstance(value, str) and "${" in value


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _smaller(difference: Difference, *_: Any) -> bool | None:
    old, new = _number(difference.old), _number(difference.new)
    return None if old is None or new is None else new < old


def _lower(difference: Difference, *_: Any) -> bool | None:
    versions = [
        [int(part) for part in re.findall(r"\d+", str(each))] for each in (difference.old, difference.new)
    ]
    return versions[1] < versions[0] if all(versions) else None


def _narrower(difference: Difference, *_: Any) -> bool | None:
    try:
        old, new = (ipaddress.ip_network(str(each)) for each in (difference.old, difference.new))
    except ValueError:
        return None
    return not (old.version == new.version and new.supernet_of(old))  # type: ignore[arg-type]  # one version


def _off(difference: Difference, *_: Any) -> bool:
    return difference.old in (True, "true") and difference.new in (False, "false", ABSENT)


def _is_nothing(value: Any) -> bool:
    return value is ABSENT or value in ("", 0, "0", False, [], {})


def _removed(difference: Difference, *_: Any) -> bool:
    return _is_nothing(difference.new) and not _is_nothing(difference.old)


def _fewer(difference: Difference, *_: Any) -> bool:
    old, new = (each if isinstance(each, list) else [] for each in (difference.old, difference.new))
    return any(item not in new for item in old)


def _was_set(difference: Difference, *_: Any) -> bool:
    return not _is_nothing(difference.old)


def _another_architecture(difference: Difference, *_: Any) -> bool:
    old, new = (architecture(str(each)) for each in (difference.old, difference.new))
    return old != new


def _immutable(_: Difference, old: Mapping[str, Any], __: Mapping[str, Any]) -> bool:
    return old.get("immutable") in (True, "true")


def _unless_overlay(difference: Difference, *_: Any) -> bool:
    return str(difference.new).casefold() != "overlay"


def _unless_forced(_: Difference, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    strategies = [each.get("capacity_provider_strategy") for each in (old, new)]
    return new.get("force_new_deployment") is not True or not all(strategies)


_TESTS: Final[Mapping[str, Callable[[Difference, Mapping[str, Any], Mapping[str, Any]], bool | None]]] = {
    "smaller": _smaller,
    "lower": _lower,
    "narrower": _narrower,
    "off": _off,
    "removed": _removed,
    "comes or goes": lambda difference, *_: difference.old is ABSENT or difference.new is ABSENT,
    "fewer": _fewer,
    "was set": _was_set,
    "was unset": lambda difference, *_: not _was_set(difference),
    "another architecture": _another_architecture,
    "immutable": _immutable,
    "unless overlay": _unless_overlay,
    "unless force_new_deployment": _unless_forced,
}

_AFTERWARDS: Final[Mapping[str, Answer]] = {
    "comes or goes": Answer.NO,
    "removed": Answer.NO,
    "was set": Answer.YES,
    "was unset": Answer.NO,
}
"""What a condition comes to where the argument had a value and will have one that is not known yet."""
