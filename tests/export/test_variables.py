"""Validations of variables say what the configuration's checks say."""

from __future__ import annotations

import ipaddress
import re

from hypothesis import given
from hypothesis import strategies as st
from terraform_json import ROOT

from aether_infra.config import Provider, load
from aether_infra.config.networks import PRIVATE, is_private
from aether_infra.export.keys import settings, value_at, with_value
from aether_infra.export.probes import is_valid, variants
from aether_infra.export.variables import PRIVATE_NETWORK

NEAR = [(ipaddress.IPv4Network(one).network_address, ipaddress.IPv4Network(one).prefixlen) for one in PRIVATE]
"""Where the private networks begin, and how large they are."""


@given(st.data())
def test_private_networks_are_those_of_the_rules(data: st.DataObject) -> None:
    begin, prefix = data.draw(st.sampled_from(NEAR))
    bits = data.draw(st.integers(max(prefix - 3, 0), 32))
    address = (int(begin) + data.draw(st.integers(-(2**20), 2 ** (33 - prefix)))) % 2**32
    network = str(ipaddress.IPv4Network((address >> (32 - bits) << (32 - bits), bits)))
    assert bool(re.search(PRIVATE_NETWORK, network)) is is_private(network)


def test_variants_of_mixed_networks_are_mixed() -> None:
    config = load(ROOT / "tests/configs/gcp-vm-internal.toml", env={})
    varied = settings(config, Provider.GCP)
    for number, other in enumerate(variants(config, Provider.GCP, varied, 20)):
        assert other.cloud.gcp is not None
        assert {is_private(cidr) for cidr in other.cloud.gcp.management_cidrs} == {True, False}, number


def test_what_other_clouds_need_does_not_matter() -> None:
    """A heap that the nodes of this cloud have room for, and those of the other clouds have not."""
    config = load(ROOT / "tests/configs/design.toml", env={})
    assert not is_valid(with_value(config, ("node", "heap"), "3072m"), Provider.GCP)
    config = with_value(config, ("node", "heap"), "3072m")
    assert is_valid(config, Provider.AWS)
    varied = settings(config, Provider.AWS)
    for number, other in enumerate(variants(config, Provider.AWS, varied, 20)):
        assert is_valid(other, Provider.AWS)
        same = [each.key.dotted for each in varied if value_at(other, each.path) == each.value]
        assert len(same) < len(varied) * 0.2, (number, same)
