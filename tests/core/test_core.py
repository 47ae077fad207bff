from __future__ import annotations

import ipaddress
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aether_infra.core.cidr import carve
from aether_infra.core.names import physical_name
from aether_infra.core.node import NodePorts, core_ids, environment, java_options, majority, peers, spread
from aether_infra.core.tags import NodeRole, node_tags, standard_tags

words = st.text(alphabet="abcdefghij0123456789", min_size=1, max_size=40)


@given(words, words, st.lists(words, max_size=3), st.integers(8, 64))
def test_a_name_keeps_within_its_limit_and_its_alphabet(
    cluster: str, concern: str, qualifiers: list[str], limit: int
) -> None:
    name = physical_name(cluster, concern, *qualifiers, limit=limit)
    assert len(name) <= limit
    assert set(name) <= set("abcdefghij0123456789-")
    assert not name.endswith("-")
    assert name == physical_name(cluster, concern, *qualifiers, limit=limit)


def test_names_that_are_cut_still_differ() -> None:
    first, second = (physical_name("a" * 20, "target-group", tail, limit=32) for tail in ("one", "two"))
    assert first != second
    assert first == "aaaaaaaaaaaaaaaaaaaa-targ-" + first[-6:]


def test_a_name_needs_room() -> None:
    with pytest.raises(ValueError, match="no room"):
        physical_name("aether", "alb", limit=7)


@given(st.integers(16, 23), st.integers(0, 15), st.integers(0, 15))
def test_slots_are_inside_and_apart(prefix: int, first: int, second: int) -> None:
    vpc = ipaddress.ip_network(f"10.32.0.0/{prefix}")
    a, b = (ipaddress.ip_network(carve(str(vpc), 4, slot)) for slot in (first, second))
    assert a.subnet_of(vpc)
    assert a.overlaps(b) == (first == second)


@pytest.mark.parametrize(
    ("cidr", "bits", "slot"), [("10.0.0.0/16", 4, 16), ("10.0.0.0/30", 4, 0), ("10.0.0.1/16", 4, 0)]
)
def test_a_slot_must_exist(cidr: str, bits: int, slot: int) -> None:
    with pytest.raises(ValueError, match=r"slot|divided|host bits"):
        carve(cidr, bits, slot)


@given(st.sampled_from([3, 5, 7]), st.integers(3, 6))
def test_three_zones_never_give_one_a_majority(voters: int, zones: int) -> None:
    placed = spread(core_ids(voters), [f"zone-{zone}" for zone in range(zones)])
    assert len(placed) == voters
    assert max(Counter(placed.values()).values()) < majority(voters)


def test_nodes_need_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        spread(core_ids(3), [])


def test_peers_as_the_node_reads_them() -> None:
    hosts = {node_id: f"{node_id}.aether.internal" for node_id in core_ids(3)}
    expected = [f"node-{n}:node-{n}.aether.internal:8090" for n in (1, 2, 3)]
    assert peers(hosts, 8090) == ",".join(expected)


def test_an_elastic_node_has_no_id() -> None:
    variables = environment(ports=NodePorts(), peer_list="p", core_count=3, java_opts="-Xmx1m")
    assert "NODE_ID" not in variables
    assert variables["PEERS"] == variables["CLUSTER_PEERS"] == "p"
    assert list(variables) == sorted(variables)


def test_the_operators_options_come_last() -> None:
    options = java_options(heap_mib=512, gc="g1", dns_ttl_seconds=5, extra="-Xmx1g")
    assert options == "-Xmx512m -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError -Dsun.net.inetaddr.ttl=5 -Xmx1g"


def test_ours_win_over_the_operators_tags() -> None:
    tags = standard_tags("aether", {"team": "platform", "aether-cluster": "stolen"})
    assert tags == {"aether-cluster": "aether", "managed-by": "aether-infra", "team": "platform"}
    assert node_tags(tags, NodeRole.CORE, 8090, "node-1")["aether-port"] == "8090"
