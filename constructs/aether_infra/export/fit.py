"""Finds where a document depends on which key of the configuration, by comparing documents of many configurations.

One configuration is the operator's own; in the others, keys that may become input variables have other values. Where
all documents agree, what they say is constant. Where they differ, an expression over the variables is looked for
that yields, for the values of each configuration, just what its document says: a text with values put into it, a
number with something added, a part of an address range. What is found holds for every configuration that was
compared, coincidences being a matter of chance among many; what is not found is a conflict, and somebody else decides
which key stays fixed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from os.path import commonprefix
from typing import Any, Final

from attrs import Factory, define, field, frozen

from aether_infra.export.syntax import (
    GIVE_TEXT,
    Binary,
    Call,
    Conditional,
    For,
    Items,
    Literal,
    Name,
    Node,
    Object,
    Text,
    Unary,
    joined,
    replaced,
    text,
)

Nodes = tuple[Node, ...]
"""What each document says at one place."""

DIVISORS: Final = (2, 3, 4, 5, 10, 15, 20, 30, 60)
"""How many parts a larger unit may have: seconds of a minute, zones of a region."""
_NUMBER: Final = re.compile(r"(?:0|[1-9]\d*)(?!\d)")
_ADDRESS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\d.])")
_WORD: Final = re.compile(r"[\w.+-]*")


@frozen
class Feature:
    """Something that a configuration says, as an expression over the variables."""

    expression: Node
    """How Terraform says it."""
    values: tuple[Any, ...]
    """What it is in each configuration: texts, whole numbers, truth values, lists or tables of texts."""
    item: str = "item"
    """What one of a list is called."""

    def repeated(self, samples: Sequence[int]) -> Feature:
        """The same, with the value of some configurations as often as each is named."""
        return Feature(self.expression, tuple(self.values[number] for number in samples), self.item)


@frozen
class Conflict:
    """A place at which the documents differ, and nothing known explains it."""

    path: tuple[str | int, ...]
    """Where in the element."""
    found: Nodes
    """What the documents say."""


@define
class Fit:
    """Looks for expressions over features."""

    features: Sequence[Feature]
    conflicts: list[Conflict] = Factory(list)
    """What was not explained so far."""
    _path: list[str | int] = Factory(list)
    _found_numbers: dict[tuple[Fraction, ...], Node | None] = Factory(dict)
    _found_pieces: dict[tuple[str, ...], list[str | Node] | None] = Factory(dict)
    _texts: list[Feature] = field(init=False)
    _numbers: list[Feature] = field(init=False)
    _switches: list[Feature] = field(init=False)
    _lists: list[Feature] = field(init=False)
    _tables: list[Feature] = field(init=False)
    _networks: list[Feature] = field(init=False)
    _longest: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._texts = _of_type(self.features, str)
        self._numbers = [each for each in self.features if all(type(value) is int for value in each.values)]
        self._switches = _of_type(self.features, bool)
        self._lists = _of_type(self.features, tuple)
        self._tables = [each for each in self.features if all(isinstance(v, Mapping) for v in each.values)]
        self._networks = [each for each in self._texts if all(map(_is_network, each.values))]
        self._longest = max((len(value) for each in self._texts for value in each.values), default=0) + 20

    def fit(self, found: Nodes) -> Node:
        """One expression for what all documents say at a place; the first document's own where there is a conflict."""
        if _agree(found):
            return found[0]
        node = self._whole(found) or self._parts(found)
        if node is not None:
            return node
        self.conflicts.append(Conflict(tuple(self._path), found))
        return found[0]

    def _whole(self, found: Nodes) -> Node | None:
        """A value that is explained as a whole."""
        # a value is its own variable's before it is a choice between two by another one
        looks = (
            self._list,
            self._table,
            self._variable,
            self._switch,
            self._number,
            self._text,
            self._joined,
            self._mapped,
        )
        for look in looks:
            node = look(found)
            if node is not None:
                return node
        return None

    def _parts(self, found: Nodes) -> Node | None:
        """A value whose parts are explained, or are conflicts; None if the documents differ in its form."""
        first = found[0]
        match first:
            case Object():
                return self._object(found)
            case Items(items) if all(
                isinstance(one, Items) and len(one.items) == len(items) for one in found
            ):
                columns = zip(*(one.items for one in found if isinstance(one, Items)), strict=True)
                return Items(tuple(self._inside(number, column) for number, column in enumerate(columns)))
            case Call(name, args, spread) if all(
                isinstance(one, Call) and (one.name, len(one.args), one.spread) == (name, len(args), spread)
                for one in found
            ):
                columns = zip(*(one.args for one in found if isinstance(one, Call)), strict=True)
                return Call(
                    name, tuple(self._inside(number, column) for number, column in enumerate(columns)), spread
                )
            case _:
                return None

    def _inside(self, step: str | int, found: Nodes) -> Node:
        self._path.append(step)
        node = self.fit(found)
        self._path.pop()
        return node

    def _object(self, found: Nodes) -> Node | None:
        keys = [one.literal_keys() if isinstance(one, Object) else None for one in found]
        if any(each is None for each in keys) or not _agree([sorted(each or ()) for each in keys]):
            return None
        return Object(
            tuple(
                (text(key), self._inside(key, tuple(_value(one, key) for one in found)))
                for key in keys[0] or ()
            )
        )

    # Whole values.

    def _list(self, found: Nodes) -> Node | None:
        """The list itself, in order, or in order with some texts more."""
        lists = [_texts_of(one) for one in found]
        if any(each is None for each in lists):
            return None
        known = [each for each in lists if each is not None]
        for feature in self._lists:
            pairs = list(zip(known, feature.values, strict=True))
            if all(each == list(value) for each, value in pairs):
                return feature.expression
            own = [one for one in known[0] if all(one in each and one not in value for each, value in pairs)]
            if all(each == sorted([*value, *own]) for each, value in pairs):
                more = Items(tuple(map(text, own)))
                return Call(
                    "sort", (Call("concat", (feature.expression, more)) if own else feature.expression,)
                )
        return None

    def _table(self, found: Nodes) -> Node | None:
        """The table itself, or with entries of its own that win over those of the table."""
        if not all(isinstance(one, Object) and one.literal_keys() is not None for one in found):
            return None
        keys = [one.literal_keys() or () for one in found if isinstance(one, Object)]
        for feature in self._tables:
            own = [key for key in keys[0] if all(key in each for each in keys)]
            own = [key for key in own if not all(key in value for value in feature.values)]
            rest_explained = all(
                {key: _value(one, key) for key in each if key not in own}
                == {key: text(item) for key, item in value.items() if key not in own}
                for (one, value), each in zip(_pairs(found, feature), keys, strict=True)
            )
            if rest_explained:
                if not own:
                    return feature.expression
                merged = Object(
                    tuple(
                        (text(key), self._inside(key, tuple(_value(one, key) for one in found)))
                        for key in own
                    )
                )
                return Call("merge", (feature.expression, merged))
        return None

    def _variable(self, found: Nodes) -> Node | None:
        """A text that is a variable's, whole."""
        for feature in self._texts:
            if all(one == text(value) for one, value in _pairs(found, feature)):
                return feature.expression
        return None

    def _switch(self, found: Nodes) -> Node | None:
        """A truth value, its opposite, or one of two values by it."""
        if not all(isinstance(one, Literal | Text) for one in found):
            return None
        for feature in self._switches:
            yes = {one for one, value in _pairs(found, feature) if value}
            no = {one for one, value in _pairs(found, feature) if not value}
            if len(yes) == len(no) == 1:
                (one,), (other,) = yes, no
                match one, other:
                    case Literal(True), Literal(False):
                        return feature.expression
                    case Literal(False), Literal(True):
                        return Unary("!", feature.expression)
                    case _:
                        return Conditional(feature.expression, one, other)
        return None

    def _number(self, found: Nodes) -> Node | None:
        numbers = [
            Fraction(str(one.value))
            for one in found
            if isinstance(one, Literal)
            and isinstance(one.value, int | float)
            and not isinstance(one.value, bool)
        ]
        return self.number(numbers) if len(numbers) == len(found) else None

    def _text(self, found: Nodes) -> Node | None:
        """A text with values put into it."""
        if not all(isinstance(one, Text) for one in found):
            return None
        split = [_alternating(one) for one in found if isinstance(one, Text)]
        if not _agree([len(each) for each in split]):
            return None
        parts: list[str | Node] = []
        for number, column in enumerate(zip(*split, strict=True)):
            if number % 2:
                parts.append(self._inside(number, tuple(one for one in column if not isinstance(one, str))))
                continue
            pieces = self.pieces([one for one in column if isinstance(one, str)])
            if pieces is None:
                return None
            parts += pieces
        return self._as_text(parts)

    def _as_text(self, parts: Sequence[str | Node]) -> Node:
        """A text of parts; an expression that is a text already needs no quotes around it."""
        whole = joined(parts)
        only = whole.parts[0] if len(whole.parts) == 1 else None
        if only is None or isinstance(only, str):
            return whole
        match only:
            case Call(name) if name in GIVE_TEXT:
                return only
            case Conditional(_, Text(), Text()):
                return only
        is_text = any(only == feature.expression for feature in self._texts)
        return only if is_text else Call("tostring", (only,))

    def _joined(self, found: Nodes) -> Node | None:
        """A text that lists the entries of a table."""
        texts = [one.literal if isinstance(one, Text) else None for one in found]
        for separator, sign in ((",", "="), (",", ":")):
            lists = [tuple(text(part) for part in (one or "").split(separator)) for one in texts]
            if all(one and sign in one for one in texts):
                for feature in self._tables:
                    node = self._entries(feature, lists)
                    if node is not None:
                        return Call("join", (text(separator), node))
        return None

    def _mapped(self, found: Nodes) -> Node | None:
        """A list with one item for each of a list's, or each entry of a table, and maybe others around them."""
        if not all(isinstance(one, Items) for one in found):
            return None
        lists = [one.items for one in found if isinstance(one, Items)]
        for feature in self._tables:
            node = self._entries(feature, lists)
            if node is not None:
                return node
        for feature in self._lists:
            sizes = [len(value) for value in feature.values]
            more = {len(items) - size for items, size in zip(lists, sizes, strict=True)}
            if len(set(sizes)) == 1 or len(more) != 1 or min(more) < 0:
                continue
            (extra,) = more
            for before in range(extra + 1):
                node = self._around(feature, lists, before, extra - before)
                if node is not None:
                    return node
        return None

    def _around(self, feature: Feature, lists: Sequence[Nodes], before: int, after: int) -> Node | None:
        """A list of which all but the first and the last items are made of a list's."""
        heads = [items[:before] for items in lists]
        tails = [items[len(items) - after :] for items in lists]
        middle = [items[before : len(items) - after] for items in lists]
        samples = [number for number, items in enumerate(middle) for _ in items]
        if len(samples) < 2:  # noqa: PLR2004 - nothing to compare
            return None
        each = tuple(item for value in feature.values for item in value)
        others = [other.repeated(samples) for other in self.features if other is not feature]
        inner = Fit([Feature(Name(feature.item), each), *others])
        value = inner.fit(tuple(item for items in middle for item in items))
        if inner.conflicts:
            return None
        whole: Node = For((feature.item,), feature.expression, value)
        if value == Name(feature.item):
            whole = feature.expression
        if not before and not after:
            return whole
        ends = Fit(self.features)
        first = Items(tuple(ends.fit(column) for column in zip(*heads, strict=True)))
        last = Items(tuple(ends.fit(column) for column in zip(*tails, strict=True)))
        if ends.conflicts:
            return None
        return Call("concat", tuple(part for part in (first, whole, last) if part != Items()))

    def _entries(self, feature: Feature, lists: Sequence[Nodes]) -> Node | None:  # noqa: ARG002 - as its siblings
        """A list with one item for each entry of a table and for some more, in the order of their keys."""
        for read in (_entry_of_object, *_ENTRIES_OF_TEXT):
            before = next((number for number, item in enumerate(lists[0]) if read(item)), len(lists[0]))
            entries = [[read(item) for item in items[before:]] for items in lists]
            if not lists[0][before:] or any(entry is None for each in entries for entry in each):
                continue
            tables = [dict(entry for entry in each if entry is not None) for each in entries]
            in_order = all(list(table) == sorted(table) for table in tables)
            heads = [items[:before] for items in lists]
            if not in_order or not _agree([len(head) for head in heads]):
                continue
            objects = tuple(
                Object(tuple((text(key), item) for key, item in table.items())) for table in tables
            )
            ends = Fit(self.features)
            merged = ends._table(objects)
            first = Items(tuple(ends.fit(column) for column in zip(*heads, strict=True)))
            written = _write_entry(lists[0][before])
            if (
                merged is None
                or ends.conflicts
                or any(
                    replaced(written, {Name("key"): text(key), Name("value"): value}) != item
                    for table, items in zip(tables, lists, strict=True)
                    for (key, value), item in zip(table.items(), items[before:], strict=True)
                )
            ):
                continue
            whole = For(("key", "value"), merged, written)
            return Call("concat", (first, whole)) if before else whole
        return None

    # Numbers.

    def number(self, found: Sequence[Fraction]) -> Node | None:
        """An expression for numbers; None if there is none."""
        known = tuple(found)
        if known not in self._found_numbers:
            self._found_numbers[known] = self._look_for_number(known)
        return self._found_numbers[known]

    def _look_for_number(self, found: Sequence[Fraction]) -> Node | None:
        for feature in self._numbers:
            if list(feature.values) == list(found):
                return feature.expression
        for form in (_linear, _rounded, _clamped):
            for feature in self._numbers:
                node = form(feature, found)
                if node is not None:
                    return node
        for one, other in combinations(self._numbers, 2):
            node = _of_two(one, other, found)
            if node is not None:
                return node
        return None

    # Texts.

    def pieces(self, found: Sequence[str]) -> list[str | Node] | None:
        """Literal texts as parts of a template; None if they differ in what nothing explains."""
        known = tuple(found)
        if known not in self._found_pieces:
            self._found_pieces[known] = self._look_for_pieces(known)
        return self._found_pieces[known]

    def _look_for_pieces(self, found: Sequence[str]) -> list[str | Node] | None:
        failed: set[tuple[int, ...]] = set()

        def solve(offsets: tuple[int, ...]) -> list[str | Node] | None:
            rests = [one[offset:] for one, offset in zip(found, offsets, strict=True)]
            if _agree(rests):
                return [rests[0]] if rests[0] else []
            if offsets in failed:
                return None
            same = len(commonprefix(rests))  # noqa: RUF071 - of texts, not of paths
            for start in range(same, max(-1, same - self._longest), -1):
                places = tuple(offset + start for offset in offsets)
                for node, lengths in self._at(found, places):
                    ends = tuple(place + length for place, length in zip(places, lengths, strict=True))
                    tail = solve(ends)
                    if tail is not None:
                        return [rests[0][:start], node, *tail]
            failed.add(offsets)
            return None

        return solve((0,) * len(found))

    def _at(self, found: Sequence[str], places: tuple[int, ...]) -> Iterator[tuple[Node, list[int]]]:
        """What may stand at a place in each text, and how long it is there."""
        for feature in self._texts:
            if all(
                value and one.startswith(value, place)
                for one, value, place in zip(found, feature.values, places, strict=True)
            ):
                yield feature.expression, [len(value) for value in feature.values]
        yield from self._number_at(found, places)
        yield from self._address_at(found, places)
        yield from self._optional_at(found, places)
        yield from self._word_at(found, places)

    def _number_at(self, found: Sequence[str], places: tuple[int, ...]) -> Iterator[tuple[Node, list[int]]]:
        if any(place and one[place - 1].isdigit() for one, place in zip(found, places, strict=True)):
            return
        runs = [_NUMBER.match(one, place) for one, place in zip(found, places, strict=True)]
        written = [run[0] for run in runs if run]
        if len(written) == len(found):
            node = self.number([Fraction(one) for one in written])
            if node is not None:
                yield node, [len(one) for one in written]

    def _address_at(self, found: Sequence[str], places: tuple[int, ...]) -> Iterator[tuple[Node, list[int]]]:
        if any(place and one[place - 1] in "0123456789." for one, place in zip(found, places, strict=True)):
            return
        runs = [_ADDRESS.match(one, place) for one, place in zip(found, places, strict=True)]
        written = [run[0] for run in runs if run]
        if len(written) == len(found):
            for feature in self._networks:
                node = _subnet(feature, written) or _host(feature, written)
                if node is not None:
                    yield node, [len(one) for one in written]

    def _optional_at(self, found: Sequence[str], places: tuple[int, ...]) -> Iterator[tuple[Node, list[int]]]:
        """A text that may be empty, with a space before it where it is not."""
        for feature in self._texts:
            if "" in feature.values and all(
                one.startswith(f" {value}" if value else "", place)
                for one, value, place in zip(found, feature.values, places, strict=True)
            ):
                spaced = Text((" ", feature.expression))
                absent = Binary("==", feature.expression, text(""))
                yield (
                    Conditional(absent, text(""), spaced),
                    [len(value) + bool(value) for value in feature.values],
                )

    def _word_at(self, found: Sequence[str], places: tuple[int, ...]) -> Iterator[tuple[Node, list[int]]]:
        """One of two words by a truth value."""
        if any(place and _WORD.fullmatch(one[place - 1]) for one, place in zip(found, places, strict=True)):
            return
        runs = [_WORD.match(one, place) for one, place in zip(found, places, strict=True)]
        words = [run[0] if run else "" for run in runs]
        for feature in self._switches:
            yes = {word for word, value in zip(words, feature.values, strict=True) if value}
            no = {word for word, value in zip(words, feature.values, strict=True) if not value}
            if len(yes) == len(no) == 1 and yes != no:
                (one,), (other,) = yes, no
                yield Conditional(feature.expression, text(one), text(other)), [len(word) for word in words]


def _texts_of(node: Node) -> list[str] | None:
    """The texts of a list; None if it is none, or of other things."""
    if not isinstance(node, Items):
        return None
    texts = [item.literal if isinstance(item, Text) else None for item in node.items]
    known = [one for one in texts if one is not None]
    return known if len(known) == len(texts) else None


def _of_type(features: Sequence[Feature], kind: type) -> list[Feature]:
    return [each for each in features if all(isinstance(value, kind) for value in each.values)]


def _agree(values: Sequence[object]) -> bool:
    return all(value == values[0] for value in values[1:])


def _pairs(found: Nodes, feature: Feature) -> Iterator[tuple[Node, Any]]:
    return zip(found, feature.values, strict=True)


def _value(node: Node, key: str) -> Node:
    found = node.get(key) if isinstance(node, Object) else None
    if found is None:
        raise KeyError(key)
    return found


def _alternating(node: Text) -> list[str | Node]:
    """A text as literal parts and expressions in turn, a literal part first and last."""
    parts: list[str | Node] = [""]
    for part in node.parts:
        if isinstance(part, str):
            parts[-1] = part
        else:
            parts += [part, ""]
    return parts


# Numbers.


def _linear(feature: Feature, found: Sequence[Fraction]) -> Node | None:
    """`factor * variable + constant`."""
    values = feature.values
    other = next((number for number, value in enumerate(values) if value != values[0]), None)
    if other is None:
        return None
    factor = (found[other] - found[0]) / (values[other] - values[0])
    constant = found[0] - factor * values[0]
    fits = all(factor * value + constant == one for value, one in zip(values, found, strict=True))
    plain = factor.denominator == 1 or factor.numerator == 1
    if not fits or not factor or not plain or constant.denominator != 1 or _says_not_how(factor, found):
        return None
    return _plus(_times(feature.expression, factor), int(constant))


def _says_not_how(factor: Fraction, found: Sequence[Fraction]) -> bool:
    """Whether a division left nothing over anywhere, so that nobody can tell whether its results are rounded."""
    return factor.denominator != 1 and all(one.denominator == 1 for one in found)


def _rounded(feature: Feature, found: Sequence[Fraction]) -> Node | None:
    """A number in larger units, the last one begun or left out, with something added."""
    for divisor in DIVISORS:
        for name, sign in (("ceil", -1), ("floor", 1)):
            units = [sign * (sign * value // divisor) for value in feature.values]
            if not any(value % divisor for value in feature.values):
                continue
            if _agree(units):
                continue
            node = _bounded(units, found, Call(name, (Binary("/", feature.expression, Literal(divisor)),)))
            if node is not None:
                return node
    return None


def _clamped(feature: Feature, found: Sequence[Fraction]) -> Node | None:
    """A number, or a multiple, with something added, but not below, or above, a bound."""
    pairs = set(zip(feature.values, found, strict=True))
    factors = {
        Fraction(two[1] - one[1]) / (two[0] - one[0])
        for one, two in combinations(pairs, 2)
        if one[0] != two[0]
    }
    for factor in sorted(one for one in factors if one and one.denominator == 1):
        multiples = [int(factor * value) for value in feature.values]
        node = _bounded(multiples, found, _times(feature.expression, factor))
        if node is not None:
            return node
    return None


def _bounded(free: Sequence[int], found: Sequence[Fraction], node: Node) -> Node | None:
    """An expression with a constant added, kept within the least and the greatest of what is found."""
    low, high = min(found), max(found)
    for constant in {one - value for one, value in zip(found, free, strict=True)}:
        moved = [value + constant for value in free]
        if constant.denominator != 1 or any(
            min(max(value, low), high) != one for value, one in zip(moved, found, strict=True)
        ):
            continue
        if len({one for one, value in zip(found, moved, strict=True) if one == value}) < _FEW:
            continue
        node = _plus(node, int(constant))
        if min(moved) < low:
            node = Call("max", (node, Literal(int(low))))
        if max(moved) > high:
            node = Call("min", (node, Literal(int(high))))
        return node
    return None


_FEW: Final = 3
"""Fewer different numbers than this would fit anything."""


def _of_two(one: Feature, other: Feature, found: Sequence[Fraction]) -> Node | None:
    """The sum, the difference or the product of two, with a constant added or divided by one."""
    pairs = list(zip(one.values, other.values, strict=True))
    for operator, combine in _TWO:
        made = [combine(left, right) for left, right in pairs]
        if _agree(made):
            continue
        node = Binary(operator, one.expression, other.expression)
        rest = [each - value for each, value in zip(found, made, strict=True)]
        if _agree(rest) and rest[0].denominator == 1:
            return _plus(node, int(rest[0]))
        if operator == "*" and all(made):
            factors = [each / value for each, value in zip(found, made, strict=True)]
            simple = _agree(factors) and factors[0] and 1 in {factors[0].numerator, factors[0].denominator}
            if simple and not _says_not_how(factors[0], found):
                return _times(node, factors[0])
            if any(value % 100 for value in made) and all(
                each == value // 100 for each, value in zip(found, made, strict=True)
            ):
                return Call("floor", (Binary("/", node, Literal(100)),))
    return None


_TWO: Final[tuple[tuple[str, Callable[[int, int], int]], ...]] = (
    ("+", lambda left, right: left + right),
    ("-", lambda left, right: left - right),
    ("*", lambda left, right: left * right),
)


def _times(node: Node, factor: Fraction) -> Node:
    if factor == 1:
        return node
    if factor.denominator == 1:
        return Binary("*", node, Literal(factor.numerator))
    return Binary("/", node, Literal(factor.denominator))


def _plus(node: Node, constant: int) -> Node:
    if not constant:
        return node
    return Binary("+" if constant > 0 else "-", node, Literal(abs(constant)))


# Address ranges.


def _is_network(value: str) -> bool:
    try:
        return "/" in value and ipaddress.ip_network(value).version == 4  # noqa: PLR2004 - the protocol's number
    except ValueError:
        return False


def _subnet(feature: Feature, found: Sequence[str]) -> Node | None:
    """The same part of each range, as `cidrsubnet` gives it."""
    if not all(map(_is_network, found)):
        return None
    places = set()
    for value, one in zip(feature.values, found, strict=True):
        outer, inner = ipaddress.IPv4Network(value), ipaddress.IPv4Network(one)
        if not inner.subnet_of(outer):
            return None
        bits = inner.prefixlen - outer.prefixlen
        offset = int(inner.network_address) - int(outer.network_address)
        places.add((bits, offset // inner.num_addresses))
    if len(places) != 1:
        return None
    ((bits, number),) = places
    return Call("cidrsubnet", (feature.expression, Literal(bits), Literal(number)))


def _host(feature: Feature, found: Sequence[str]) -> Node | None:
    """The same address of each range, counted from its begin or its end, as `cidrhost` gives it."""
    if any("/" in one for one in found):
        return None
    try:
        addresses = [ipaddress.IPv4Address(one) for one in found]
    except ValueError:
        return None
    ranges = [ipaddress.IPv4Network(value) for value in feature.values]
    if not all(address in each for address, each in zip(addresses, ranges, strict=True)):
        return None
    for begin in ("network_address", "broadcast_address"):
        offsets = {int(one) - int(getattr(each, begin)) for one, each in zip(addresses, ranges, strict=True)}
        if len(offsets) == 1:
            (offset,) = offsets
            number = offset if begin == "network_address" else offset - 1
            return Call("cidrhost", (feature.expression, Literal(number)))
    return _host_of_subnet(feature, addresses, ranges)


def _host_of_subnet(
    feature: Feature, addresses: Sequence[ipaddress.IPv4Address], ranges: Sequence[ipaddress.IPv4Network]
) -> Node | None:
    """The same address of the same part of each range."""
    for bits in range(1, MOST_BITS + 1):
        places = set()
        for one, each in zip(addresses, ranges, strict=True):
            size = max(each.num_addresses >> bits, 1)
            places.add(divmod(int(one) - int(each.network_address), size))
        if len(places) == 1:
            ((number, host),) = places
            part = Call("cidrsubnet", (feature.expression, Literal(bits), Literal(number)))
            return Call("cidrhost", (part, Literal(host)))
    return None


MOST_BITS: Final = 8
"""Most bits by which a subnet's prefix is looked for to be longer than its network's."""


# Entries of tables.


def _entry_of_object(item: Node) -> tuple[str, Node] | None:
    """Key and value of an object that holds both."""
    if not isinstance(item, Object):
        return None
    key, value = item.get("key"), item.get("value")
    name = key.literal if isinstance(key, Text) else None
    return None if name is None or value is None else (name, value)


_SIGNS: Final = (":", "=")
"""What stands between key and value where entries are texts."""


def _entry_of_text(sign: str) -> Callable[[Node], tuple[str, Node] | None]:
    """What reads key and value of a text such as `key:value`."""

    def read(item: Node) -> tuple[str, Node] | None:
        name, found, value = (item.literal or "").partition(sign) if isinstance(item, Text) else ("", "", "")
        return (name, text(value)) if found else None

    return read


_ENTRIES_OF_TEXT: Final = tuple(map(_entry_of_text, _SIGNS))


def _write_entry(item: Node) -> Node:
    """An item like this one, of any key and value."""
    if isinstance(item, Object):
        names = {"key": Name("key"), "value": Name("value")}
        return Object(
            tuple(
                (key, names.get(key.literal or "", value)) if isinstance(key, Text) else (key, value)
                for key, value in item.items
            )
        )
    literal = (item.literal or "") if isinstance(item, Text) else ""
    sign = min((sign for sign in _SIGNS if sign in literal), key=literal.index)
    return Text((Name("key"), sign, Name("value")))
