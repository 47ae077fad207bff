"""Terraform expressions around texts that hold tokens.

cdktf writes a token without its braces where it takes it to be inside of an expression, and it takes that to end at the
first closing brace. A comment with such a brace makes it end at once, so that a token inside of quotes is written as
the template that it must be there.
"""

from __future__ import annotations

import json
from typing import Any

_EXPRESSION = "${/*}*/"


def json_expression(value: Any) -> str:
    """A value as JSON text, made by Terraform.

    Args:
        value: dictionaries, lists, texts (which may hold tokens), numbers, truth values.
    """
    return f"{_EXPRESSION}jsonencode({_text(value)})}}"


def base64_expression(text: str) -> str:
    """A text in base64, made by Terraform.

    Args:
        text: the text, which may hold tokens.
    """
    return f"{_EXPRESSION}base64encode({_text(text)})}}"


def base64_json_expression(value: Any) -> str:
    """A value as JSON text in base64, made by Terraform.

    Args:
        value: as for `json_expression`.
    """
    return f"{_EXPRESSION}base64encode(jsonencode({_text(value)}))}}"


def _text(value: Any) -> str:
    """JSON, which Terraform's language reads as its own; without its escapes beyond U+FFFF, which it does not."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
