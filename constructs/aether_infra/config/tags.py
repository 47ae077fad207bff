"""What each cloud allows as a tag or label."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from aether_infra.catalog import gcp
from aether_infra.config.credentials import looks_secret
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.words import dotted, show
from aether_infra.errors import Problem

MOST: Final = 40
"""Tags of the operator's; clouds allow 50 (AWS, Azure), and ours come on top."""
RESERVED: Final = re.compile(r"aether-.*|managed-by", re.IGNORECASE)
"""Tags that mark ownership: Layer 2 trusts them."""


@frozen
class TagForm:
    """What a cloud allows."""

    key: str
    """Matches a whole key."""
    key_words: str
    """What a key must be."""
    value: str
    """Matches a whole value."""
    value_words: str
    """What a value must be."""


_LABEL: Final = f"[a-z0-9_-]{{0,{gcp.LABEL_LIMIT}}}"
FORMS: Final[Mapping[Provider, TagForm]] = {
    Provider.AWS: TagForm(
        r"(?i:(?!aws:))[\w +\-=.:/@]{1,128}",
        "1-128 letters, digits, spaces and + - = . _ : / @, and not begin with aws:",
        r"[\w +\-=.:/@]{0,256}",
        "at most 256 letters, digits, spaces and + - = . _ : / @",
    ),
    Provider.GCP: TagForm(
        f"(?=[a-z]){_LABEL}",
        "1-63 lower-case letters, digits, '_' and '-', beginning with a letter",
        _LABEL,
        "at most 63 lower-case letters, digits, '_' and '-'",
    ),
    Provider.AZURE: TagForm(
        r"[^<>%&\\?/]{1,512}", r"1-512 characters without < > % & \ ? /", ".{0,256}", "at most 256 characters"
    ),
    Provider.DIGITALOCEAN: TagForm(
        r"[A-Za-z0-9_-]{1,100}",
        "1-100 letters, digits, '_' and '-'",
        r"[A-Za-z0-9:_-]{0,150}",
        "at most 150 letters, digits, ':', '_' and '-'",
    ),
    Provider.KUBERNETES: TagForm(
        r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
        "1-63 letters, digits, '-', '_' and '.', beginning and ending with a letter or a digit",
        r".{0,256}",
        "at most 256 characters",
    ),
    Provider.ORACLE: TagForm(
        r"[^. ]{1,100}",
        "1-100 characters without spaces and full stops",
        ".{0,256}",
        "at most 256 characters",
    ),
}
"""Forms by cloud. Sources, all (as of 2026-11):
https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html,
https://cloud.google.com/compute/docs/labeling-resources#requirements,
https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/tag-resources#limitations,
https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/tag (one text,
`key:value`), https://docs.oracle.com/en-us/iaas/Content/Tagging/Concepts/taggingoverview.htm."""


def tag_problems(config: AetherConfig) -> Iterator[Problem]:
    """What is wrong with `cloud.tags`, for every cloud that has a table."""
    tags = config.cloud.tags
    if len(tags) > MOST:
        yield Problem(path="cloud.tags", message=f"must have at most {MOST} tags, got {len(tags)}")
    for key, value in tags.items():
        path = dotted(("cloud", "tags", key))
        if RESERVED.fullmatch(key):
            yield Problem(
                path=path, message="is a tag of our own", hint="aether-* and managed-by mark ownership"
            )
        elif looks_secret(key):
            yield Problem(
                path=path, message="looks like a secret", hint="tags are readable by everyone in the account"
            )
        else:
            yield from _form_problems(config, path, key, value)


def _form_problems(config: AetherConfig, path: str, key: str, value: str) -> Iterator[Problem]:
    for provider in config.sections:
        form = FORMS[provider]
        if not re.fullmatch(form.key, key):
            yield Problem(path=path, message=f"is no tag on {provider}: a key must be {form.key_words}")
        if not re.fullmatch(form.value, value):
            yield Problem(
                path=path,
                message=f"is no tag on {provider}: a value must be {form.value_words}, got {show(value)}",
            )
