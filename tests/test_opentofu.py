"""OpenTofu takes what is written for Terraform: nothing that only one of the two has.

Where there is a `tofu`, `TERRAFORM=tofu make test` tries it; this is what can be known without.
"""

from __future__ import annotations

import re

from terraform_json import ROOT

KNOWN_TO_BOTH = {
    "base64decode",
    "base64encode",
    "cidrhost",
    "cidrsubnet",
    "element",
    "flatten",
    "join",
    "jsonencode",
    "lookup_nested",  # cdktf's own, which it writes as an index
    "nonsensitive",
    "sha256",
    "slice",
    "split",
    "tolist",
    "tostring",
}
"""Functions that stacks use, each looked up in both lists: https://developer.hashicorp.com/terraform/language/functions
and https://opentofu.org/docs/language/functions/ (as of 2026-11)."""


def test_stacks_use_functions_that_both_have() -> None:
    used = set()
    for path in (ROOT / "constructs/aether_infra").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"\bFn\.(\w+)", text)) | set(
            re.findall(r"\$\{(?:/\*\}\*/)?([a-z0-9_]+)\(", text)
        )
    assert "cidrsubnet" in used
    assert used <= KNOWN_TO_BOTH, "look it up in both lists, and add it here"
