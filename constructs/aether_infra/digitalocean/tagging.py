"""Tags: on DigitalOcean a tag is one text, so a key and its value become `key:value`."""

from __future__ import annotations

from collections.abc import Mapping


def tag_list(tags: Mapping[str, str]) -> list[str]:
    """Tags as DigitalOcean has them.

    Args:
        tags: keys and values of letters, digits, '-' and '_' (values: ':' too), 255 characters together.

    Returns:
        `key:value`, or the key alone where there is no value; sorted.
    """
    return sorted(f"{key}:{value}" if value else key for key, value in tags.items())
