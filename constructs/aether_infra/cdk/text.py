"""Text that Terraform must take as it is."""

from __future__ import annotations


def literal(text: str) -> str:
    """Escape what Terraform would read as a template.

    Args:
        text: any text without tokens, such as a value from `aether.toml`.

    Returns:
        The text with `${` and `%{` doubled at their first character, as Terraform's strings want it.
        Source: https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
    """
    return text.replace("${", "$${").replace("%{", "%%{")
