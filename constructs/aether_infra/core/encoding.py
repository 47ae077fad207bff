"""JSON as Terraform writes it."""

from __future__ import annotations

import json
from typing import Any, Final

_ESCAPED: Final = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})
"""What Terraform escapes in texts although JSON does not want it."""


def jsonencode(value: Any) -> str:
    """JSON text, byte for byte as Terraform's function of this name makes it of the same value.

    So it does not matter to a plan which of the two wrote it. Source:
    https://developer.hashicorp.com/terraform/language/functions/jsonencode (as of 2026-11).

    Args:
        value: dictionaries, lists, texts, numbers, truth values, None. Texts may hold Terraform's templates, if what
            these put in needs no escape in JSON.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # outside of texts JSON has none of these signs
    return text.translate(_ESCAPED)
