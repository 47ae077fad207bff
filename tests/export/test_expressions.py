"""Expressions of Terraform, read and written: what is written means what was meant, to Terraform as well."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_lines import TERRAFORM, terraform_path
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.core.encoding import jsonencode
from aether_infra.export import render
from aether_infra.export.parse import SyntaxFault, expression, template
from aether_infra.export.render import Argument, Block, document
from aether_infra.export.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Items,
    Literal,
    Name,
    Object,
    Text,
    joined,
    literal,
    text,
    variable,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
NASTY: dict[str, Any] = {
    "quotes": 'say "hello"\\',
    "templates": "${not one} %{nor this} $${or that} %%{so}",
    "dollars": "a$ b% $",
    "lines": "first\n  second\n\nthird\n",
    "indented": "  first\n  second\n",
    "blank": "first\n   \nthird\n",
    "tabs": "a\tb\n\tc\n",
    "end": "EOT\nEOT_\ntext\n",
    "no end": "first\nsecond",
    "controls": "\u0001\u007f\r\n",
    "beyond": "é😀\u2028",
    "": "an empty key",
    "for": "a key that is a word of Terraform's",
    "list": [[], {}, [1, -2, 1.5], [{"name": "a", "value": "b"}], ["line\nby\nline\n", "and another"]],
    "nothing": None,
    "numbers": [0, 10**15, True, False],
    "long": ["a rather long text that fills a line with others"] * 4,
    "deep": {"a": {"b": {"c": [{"d": "e\nf\n"}]}}},
}


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: object) -> None:
    node = literal(value)
    assert expression(render.expression(node)) == node


@given(TEXTS, TEXTS)
def test_a_value_in_a_text_stays_where_it_was(before: str, after: str) -> None:
    node = joined([before, variable("x"), after])
    written = node if isinstance(node.parts[0], str) or len(node.parts) > 1 else Text((variable("x"),))
    assert expression(render.expression(written)) == written


@pytest.mark.parametrize(
    "source",
    [
        "a.b[0].c[*].d",
        'a.b["key-with.dots"]',
        "-a.b + 2 * (3 - c) % 4",
        "(a || b) && !c",
        "a ? b : c ? d : e",
        "f(a, [b, c]...)",
        '[for s in a.b : "${s.id}-x" if s.ok]',
        "{ for k, v in a : k => v... }",
        'max(var.a - 3, 1) == 2 ? "" : " ${var.b}"',
    ],
)
def test_expressions_come_back_in_the_usual_form(source: str) -> None:
    assert render.expression(expression(source)) == source


def test_brackets_are_where_they_must_be() -> None:
    total = Binary("+", variable("a"), variable("b"))
    assert render.expression(Binary("*", total, Literal(2))) == "(var.a + var.b) * 2"
    assert render.expression(Binary("-", Literal(1), Binary("-", Literal(2), Literal(3)))) == "1 - (2 - 3)"
    choice = Conditional(variable("a"), Literal(1), Literal(2))
    assert render.expression(Binary("+", choice, Literal(3))) == "(var.a ? 1 : 2) + 3"


def test_a_string_of_terraform_json_is_a_template() -> None:
    assert template("${a.b}") == Attribute(Name("a"), "b")
    assert template("x-${a.b}") == Text(("x-", Attribute(Name("a"), "b")))
    assert template("$${a} %%{b}") == text("${a} %{b}")
    assert template('${/*}*/jsonencode({"a": ["${b}"]})}') == Call(
        "jsonencode", (Object(((text("a"), Items((Text((Name("b"),)),))),)),)
    )


@pytest.mark.parametrize("source", ["${a", "${a +}", "%{ if a }b%{ endif }", "${f(a}", '${"a}'])
def test_what_is_no_expression_is_said_so(source: str) -> None:
    with pytest.raises(SyntaxFault):
        template(source)


@pytest.mark.terraform
def test_terraform_reads_what_was_meant_and_would_write_it_so(tmp_path: Path) -> None:
    body = tuple(Argument(f"value_{number}", literal(value)) for number, value in enumerate(NASTY.values()))
    whole = Argument("value", literal(NASTY))
    text_ = document([Block("locals", (), (*body, whole))], ["A comment."])
    (tmp_path / "main.tf").write_text(text_, encoding="utf-8", newline="")
    terraform_path()
    own = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}

    def terraform(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TERRAFORM, *arguments],
            cwd=tmp_path,
            env=own | {"CHECKPOINT_DISABLE": "1"},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    formatted = terraform("fmt", "-check", "-diff")
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    said = terraform("console", given="base64encode(jsonencode(local.value))")
    assert said.returncode == 0, said.stderr
    assert base64.b64decode(json.loads(said.stdout)).decode() == jsonencode(NASTY)
    several = terraform(
        "console",
        given=f"base64encode(jsonencode([{', '.join(f'local.{one.name}' for one in body)}]))",
    )
    assert base64.b64decode(json.loads(several.stdout)).decode() == jsonencode(list(NASTY.values()))
