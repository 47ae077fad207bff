"""The reference page, `docs/configuration.md`: every table and key, in Markdown that GitHub and MyST read alike."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from attrs import evolve

from aether_infra.catalog.azure import SMALLEST_RSA_BITS
from aether_infra.catalog.terraform import BACKENDS
from aether_infra.config.aws_forms import ARN_FORMS, Arn, ResourceId
from aether_infra.config.azure import SshPublicKey
from aether_infra.config.checks import Between, Check, Distinct, Each, Length, Matches, Network, OneOf, Zones
from aether_infra.config.node import CORE_SIZES, CoreCount
from aether_infra.config.provider import Provider
from aether_infra.config.quantities import AtLeast
from aether_infra.config.reference import Key, Kind, Table, reference

FILE_NAME: Final = "docs/configuration.md"
COMMAND: Final = f"aether-infra schema --reference -o {FILE_NAME}"
"""Writes the page again."""

EVERY: Final = "cloud.<name>"
"""How the page calls the table of any cloud."""

_HEAD: Final = """\
# Configuration

<!-- Written by `{command}`: the words are the docstrings in constructs/aether_infra/config. -->

Every table and key of `aether.toml`. One file serves the infrastructure and the nodes: `[cloud]` is the
infrastructure's, the other tables are the nodes', which have more keys than those that matter here. Only what is marked
as required has to be said.

`aether-infra validate --show` prints a file with every value that holds and where it is from; `aether-infra schema`
prints the JSON Schema by which an editor completes and checks it.

In any text, `${{env:NAME}}` is replaced by the environment variable `NAME`. Secrets have no place in the file.
"""

_WORDS: Final = re.compile(r"(`[^`]*`)|(https?://[^\s(),]+)|((?<!\w)_|_(?!\w)|[\\*<>\[\]|])")


def reference_page() -> str:
    """The page's text."""
    top = reference()
    sections = [_HEAD.format(command=COMMAND), _contents(top), *_sections(top)]
    return "\n".join(sections)


def _contents(top: Table) -> str:
    clouds = {table.provider: table.note.rstrip(".") for table in top.table("cloud").tables} | {
        None: "every cloud"
    }
    rows = [
        (_link(f"[{table.dotted}]"), clouds[table.provider], _markdown(table.text))
        for table in _in_order(top)
    ]
    return _grid(("table", "cloud", "what it says"), rows)


def _in_order(top: Table) -> Iterator[Table]:
    """Every table; those in a table right after it."""
    for table in top.tables:
        yield from table.every_table()


def _sections(top: Table) -> Iterator[str]:
    for table in _in_order(top):
        if table.path == ("cloud", Provider.AWS.value):
            yield from _shared(table)
        yield from _section(table)


def _shared(table: Table) -> Iterator[str]:
    """What every cloud's table has, once."""
    keys = [key for key in table.keys if key.shared]
    yield f"## `[{EVERY}]`\n"
    yield "Every cloud. Keys that the tables of all clouds have.\n"
    yield _overview([evolve(key, only_for=()) for key in keys])
    for key in keys:
        yield from _entry(key)


def _section(table: Table) -> Iterator[str]:
    yield f"## `[{table.dotted}]`\n"
    yield f"{_markdown(table.text)}\n"
    if table.only_for:
        yield f"{_only_for(table.only_for)}\n"
    if table.keys:
        yield _overview(table.keys)
    for key in table.keys:
        if not key.shared:
            yield from _entry(key)
    if table.free:
        yield from _backends(table)
    if table.absent:
        yield "Keys that are not here, and why:\n"
        yield "\n".join(f"- `{key}`: {_markdown(why)}" for key, why in sorted(table.absent.items())) + "\n"


def _overview(keys: Sequence[Key]) -> str:
    """All keys in a grid, with links to their own words; those that every cloud has come last."""
    rows = [
        (_link(_place(key), key.name), key.kind.value, _default(key, short=True), _codes(key.only_for))
        for key in sorted(keys, key=lambda key: key.shared)
    ]
    if not any(row[-1] for row in rows):
        return _grid(("key", "type", "default"), [row[:-1] for row in rows])
    return _grid(("key", "type", "default", "only for"), rows)


def _entry(key: Key) -> Iterator[str]:
    yield f"### `{_place(key)}`\n"
    yield f"{_markdown(key.text)}\n"
    lines = [f"- Type: {key.kind.value}"]
    if allowed := _allowed(key):
        lines.append(f"- Allowed: {allowed}")
    lines.append(f"- Default: {_default(key)}")
    if key.only_for and not key.shared:
        lines.append(f"- {_only_for(key.only_for).rstrip('.')}")
    if key.source and "http" in key.source:
        lines.append(f"- {_markdown(key.source).rstrip('.')}")
    yield "\n".join(lines) + "\n"


def _place(key: Key) -> str:
    return f"{EVERY}.{key.name}" if key.shared else key.dotted


def _only_for(kinds: Sequence[str]) -> str:
    return f"Only for compute: {_codes(kinds)}."


def _default(key: Key, *, short: bool = False) -> str:
    if key.required:
        return "**required**"
    words = _markdown(key.default_words)
    if key.default is None:
        return words or "none"
    code = f"`{_toml(key.default)}`"
    return (
        f"{code}: {words}"
        if words and not key.default and not short and key.kind is not Kind.SWITCH
        else code
    )


def _toml(value: Any) -> str:
    """A default as TOML writes it."""
    return "{}" if value == {} else json.dumps(value, ensure_ascii=False)


def _allowed(key: Key) -> str:
    if key.choices:
        return _codes(key.choices)
    words = [text for one in key.checks if (text := _check(one))]
    return "; ".join(words)


def _check(check: Check) -> str:  # noqa: PLR0911 - one answer a kind of check
    """What a check allows, in Markdown."""
    match check:
        case Each(Network()):
            return "IPv4 networks such as `203.0.113.0/24`"
        case Each(inner):
            return f"each {_check(inner)}"
        case Distinct():
            return "none twice"
        case Zones(form=form, least=least, most=most):
            return f"{least} to {most}, or a list of as many, each {_quoted(form)}"
        case Between(low, high, unit) | Length(low, high, unit):
            return f"{low} to {high} {unit}".rstrip()
        case OneOf(values):
            return _codes(values)
        case CoreCount():
            return _codes(CORE_SIZES)
        case _:
            return _form(check)


def _form(check: Check) -> str:  # noqa: PLR0911 - as above
    """The form of a text, in Markdown."""
    match check:
        case Matches(form=form, hint=hint):
            return _quoted(f"{form} ({hint})" if hint else form)
        case AtLeast(words=words, low=low, unit=unit):
            return f"{_quoted(words)}, at least `{low}{unit}`"
        case Network(0, 32):
            return "IPv4 network such as `203.0.113.0/24`"
        case Network(widest, narrowest):
            return _range(widest, narrowest)
        case Arn(service):
            arn = ARN_FORMS[service]
            return f"the ARN of {arn.what} such as `{arn.example}`"
        case ResourceId(prefix):
            return f"an id such as `{prefix}-0123456789abcdef0`"
        case SshPublicKey():
            return f"Ed25519, or RSA of {SMALLEST_RSA_BITS} bits or more"
        case _:
            raise TypeError(f"no words are known for the check {check!r}")


def _range(widest: int, narrowest: int) -> str:
    size = f"/{widest}" if widest == narrowest else f"/{widest} to /{narrowest}"
    return f"IPv4 network, {size}"


def _backends(table: Table) -> Iterator[str]:
    yield f"{_markdown(table.free)}\n"
    rows = [
        (
            f"`{name}`",
            _codes(backend.required) or "nothing",
            _codes(sorted(set(backend.settings) - set(backend.required))) or "nothing",
        )
        for name, backend in BACKENDS.items()
    ]
    yield _grid(("backend", "cannot do without", "takes besides"), rows)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _codes(values: Sequence[object]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _link(heading: str, text: str = "") -> str:
    """A link to the heading of a table or key; its anchor as GitHub and MyST make it."""
    return f"[`{text or heading}`](#{slug(heading)})"


def slug(heading: str) -> str:
    """The anchor of a heading: lower case, punctuation gone.

    Args:
        heading: its text, without backticks.
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _quoted(form: str) -> str:
    """A form in words, what stands in quotes as code."""
    parts = re.split(r'"([^"]*)"', form)
    return "".join(f"`{part}`" if index % 2 else _markdown(part) for index, part in enumerate(parts))


def _markdown(text: str) -> str:
    """Plain text with backticks as Markdown: nothing else in it has a meaning, and addresses are links."""

    def safe(match: re.Match[str]) -> str:
        code, address, mark = match.groups()
        return code or (f"<{address}>" if address else f"\\{mark}")

    return _WORDS.sub(safe, text)
