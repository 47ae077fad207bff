"""Which arguments of a resource Terraform cannot change in place: facts of the providers, one file for each.

Gathered, for every type of resource that a stack of ours has, from the code of the providers in the versions that the
stacks are written for (`ForceNew`, `RequiresReplace`, `CustomizeDiff`), read at their tags:
https://github.com/hashicorp/terraform-provider-google (6.50.0), terraform-provider-azurerm (4.55.0) and
terraform-provider-kubernetes (2.38.0), https://github.com/digitalocean/terraform-provider-digitalocean (2.71.0),
https://github.com/oracle/terraform-provider-oci (8.28.0). For AWS, the provider itself was asked (5.100.0: a plan with
one argument changed, for each argument of each type), and what 6.25.0 adds was taken from its documentation:
https://registry.terraform.io/providers/hashicorp/aws/6.25.0/docs (all as of 2026-11). A test asks AWS' provider again.

`tools/replacement_facts.py` asks a provider's program and writes its file anew; what no answer shows is beside it.

An argument's path has the names of blocks and arguments, without indexes: `network_configuration.subnets`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen

PROVIDERS: Final = ("aws", "azurerm", "digitalocean", "google", "kubernetes", "oci")
"""Providers of which there are facts, by the word that their types begin with."""

REGIONLESS: Final = ("aws_iam_", "aws_route53_")
"""Types (beginnings) of AWS that belong to no region: another region of the provider leaves them alone. All others have
one, by an argument of the same name, and another one replaces them.
Source: https://registry.terraform.io/providers/hashicorp/aws/6.25.0/docs/guides/enhanced-region-support (as of
2026-11)."""


@frozen(kw_only=True)
class TypeFacts:
    """What is known of one type of resource."""

    replace: frozenset[str] = frozenset()
    """Arguments whose change replaces the resource, with all that is below them. A `#` at the end means that only the
    number of these blocks does."""
    when: Mapping[str, str] = field(factory=dict)
    """Arguments whose change replaces the resource under a condition: one of `CONDITIONS`, or a clause in plain words
    that nobody can decide from a configuration."""
    refuse: Mapping[str, str] = field(factory=dict)
    """Arguments whose change the provider or the cloud refuses under a condition."""
    inert: frozenset[str] = frozenset()
    """Arguments that the provider plans to change and then does not send."""
    keeps: frozenset[str] = frozenset()
    """Arguments that keep their value when they are left out: the cloud or the provider chooses one for them."""
    default: Mapping[str, Any] = field(factory=dict)
    """Values that the provider takes where an argument is left out."""
    sets: frozenset[str] = frozenset()
    """Arguments and blocks whose order means nothing."""
    volatile: frozenset[str] = frozenset()
    """Attributes that have a new value after any change in place, such as a version."""


CONDITIONS: Final[Mapping[str, str]] = {
    "smaller": "it becomes smaller",
    "lower": "the version becomes lower",
    "narrower": "the range does not hold the old one",
    "off": "it is switched off",
    "removed": "it is removed",
    "comes or goes": "it is added or removed",
    "fewer": "some are taken away",
    "was set": "it had a value before",
    "was unset": "it had no value before",
    "another architecture": "its processor is of another architecture",
    "immutable": "the object is immutable",
    "unless overlay": "it becomes anything but overlay",
    "unless force_new_deployment": "force_new_deployment is not set, or there was or will be none",
}
"""Conditions that can be decided from both configurations, each as what follows the word "where"."""


@cache
def facts_of(type_: str) -> TypeFacts | None:
    """Facts of a type of resource; None where nothing is known of it.

    Args:
        type_: the type, such as `aws_vpc`.
    """
    found = _provider(type_.partition("_")[0]).get(type_)
    if found is None:
        return None
    return TypeFacts(
        replace=frozenset(found.get("replace", ())),
        when=found.get("when", {}),
        refuse=found.get("refuse", {}),
        inert=frozenset(found.get("inert", ())),
        keeps=frozenset(found.get("keeps", ())),
        default=found.get("default", {}),
        sets=frozenset(found.get("sets", ())),
        volatile=frozenset(found.get("volatile", ())),
    )


@cache
def _provider(name: str) -> Mapping[str, Mapping[str, Any]]:
    """All types of a provider; read on use, as a comparison needs one or two of them."""
    if name not in PROVIDERS:
        return {}
    text = files("aether_infra.catalog").joinpath(f"replacement_{name}.json").read_text(encoding="utf-8")
    resources: Mapping[str, Mapping[str, Any]] = json.loads(text)["resources"]
    return resources
