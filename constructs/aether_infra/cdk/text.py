"""Text that Terraform must take as it is."""

from __future__ import annotations

import json
from typing import Any

from cdktf import Token


def literal(text: str) -> str:
    """Escape what Terraform would read as a template.

    Args:
        text: any text without tokens, such as a value from `aether.toml`.

    Returns:
        The text with `${` and `%{` doubled at their first character, as Terraform's strings want it.
        Source: https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
    """
    return text.replace("${", "$${").replace("%{", "%%{")


def json_text(value: Any) -> str:
    """A value as an argument that wants JSON text.

    Args:
        value: dictionaries, lists, texts (which may hold tokens), numbers, truth values.

    Returns:
        JSON with sorted keys. Where it holds a token or a backslash it is wrapped into Terraform's `jsonencode`,
        which takes JSON as it is: cdktf's HCL writer (`cdktf synth --hcl`) leaves the quotes of such a text bare.
        Its own `Fn.jsonencode` is no help: it leaves quotes inside of texts bare.
    """
    text = json.dumps(value, sort_keys=True)
    return f"${{jsonencode({text})}}" if Token.is_unresolved(text) or "\\" in text else text
