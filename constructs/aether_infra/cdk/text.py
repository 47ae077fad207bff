"""Text that Terraform must take as it is."""

from __future__ import annotations

import json
from typing import Any

from cdktf import TerraformLocal, Token
from constructs import Construct

from aether_infra.core.encoding import jsonencode


def literal(text: str) -> str:
    """Escape what Terraform would read as a template.

    Args:
        text: any text without tokens, such as a value from `aether.toml`.

    Returns:
        The text with `${` and `%{` doubled at their first character, as Terraform's strings want it.
        Source: https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
    """
    return text.replace("${", "$${").replace("%{", "%%{")


_EXPRESSION = "${/*}*/"
"""Begins a Terraform expression. cdktf writes a token without its braces, as a bare name, where it takes it to be
inside of an expression, and takes that to end at the first closing brace: the one in this comment. So a token within
quotes is written as the template that it must be there."""


def json_text(value: Any) -> str:
    """A value as an argument that wants JSON text.

    Args:
        value: dictionaries, lists, texts (which may hold tokens), numbers, truth values.

    Returns:
        JSON as Terraform's own `jsonencode` writes it. Where it holds a token, an escaped template or a backslash it is
        wrapped into that function, which takes JSON as it is: cdktf's HCL writer (`cdktf synth --hcl`) leaves the
        quotes of such a text bare, and a token's own value may hold quotes. cdktf's `Fn.jsonencode` is no help: it
        leaves quotes inside of texts bare.
    """
    text = jsonencode(value)
    doubtful = Token.is_unresolved(text) or any(sign in text for sign in ("\\", "${", "%{"))
    return f"{_EXPRESSION}jsonencode({_expression_text(value)})}}" if doubtful else text


def base64_text(text: str) -> str:
    """A text in base64, made by Terraform.

    Args:
        text: the text, which may hold tokens.
    """
    return f"{_EXPRESSION}base64encode({_expression_text(text)})}}"


def base64_json_text(value: Any) -> str:
    """A value as JSON text in base64, made by Terraform.

    Args:
        value: as for `json_text`.
    """
    return f"{_EXPRESSION}base64encode(jsonencode({_expression_text(value)}))}}"


def _expression_text(value: Any) -> str:
    """JSON, which Terraform's language reads as its own; without its escapes beyond U+FFFF, which it does not."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def local_json(scope: Construct, id_: str, value: Any, *, base64: bool = False) -> str:
    """A value as JSON text that Terraform makes of a local value, so that tokens of any type may be in it.

    `json_text` writes JSON itself, in which a token for a list or a number has no place.

    Args:
        scope: the construct that owns the local value.
        id_: its id below that.
        value: dictionaries, lists, texts, numbers, truth values and tokens of any of these.
        base64: in base64, which is free of quotes and so can be put into any text.

    Returns:
        A template, to be put into a text.
    """
    local = TerraformLocal(scope, id_, value)
    encoded = f"jsonencode({local.fqn})"
    return f"${{{f'base64encode({encoded})' if base64 else encoded}}}"
