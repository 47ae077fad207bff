"""The program by which core nodes on droplets find each other, without droplets."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from aether_infra.digitalocean.peer_exchange import exchange

NAMES = ["shop-node-1", "shop-node-2", "shop-node-3"]


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("SETTINGS", "MEMORY", "HOSTS"):
        monkeypatch.setattr(exchange, name, tmp_path / name.lower())
    return tmp_path


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


class Droplet:
    """A droplet with an address of its own on this machine."""

    def __init__(self, number: int, droplet_id: int, known: dict[str, str], port: int) -> None:
        self.name, self.address, self.port = NAMES[number - 1], f"127.0.0.{droplet_id}", port
        self.peers = exchange.Peers(
            self.name, NAMES, exchange.seeds(",".join(f"{k}={v}" for k, v in known.items()))
        )
        self.peers.merge({self.name: (droplet_id, self.address)})
        self.server: ThreadingHTTPServer = exchange.serve(self.peers, self.address, port)

    def tick(self) -> None:
        for address in self.peers.others():
            exchange.ask(self.peers, address, self.port)

    def knows(self) -> dict[str, str]:
        return {name: address for name, (_, address) in self.peers.snapshot().items()}

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def formed(port: int) -> Iterator[list[Droplet]]:
    """Three droplets, each told of those before it, as Terraform makes them."""
    droplets: list[Droplet] = []
    for number in (1, 2, 3):
        before = {droplet.name: droplet.address for droplet in droplets}
        droplets.append(Droplet(number, number + 10, before, port))
    yield droplets
    for droplet in droplets:
        droplet.stop()


def test_all_know_all_after_one_round(formed: list[Droplet]) -> None:
    assert formed[0].knows() == {"shop-node-1": "127.0.0.11"}
    for droplet in reversed(formed):
        droplet.tick()
    everyone = {droplet.name: droplet.address for droplet in formed}
    assert [droplet.knows() for droplet in formed] == [everyone] * 3


def test_a_replaced_droplet_is_known_by_its_new_address(formed: list[Droplet], port: int) -> None:
    for droplet in reversed(formed):
        droplet.tick()
    formed[0].stop()
    there = {droplet.name: droplet.address for droplet in formed}
    formed[0] = Droplet(1, 44, there, port)
    formed[0].tick()
    assert {droplet.knows()["shop-node-1"] for droplet in formed} == {"127.0.0.44"}
    for droplet in formed:
        droplet.tick()
    assert {droplet.knows()["shop-node-1"] for droplet in formed} == {"127.0.0.44"}, "old news do not win"


def test_an_elastic_droplet_listens_only(formed: list[Droplet], port: int) -> None:
    peers = exchange.Peers("", NAMES, exchange.seeds("shop-node-2=127.0.0.12"))
    for droplet in reversed(formed):
        droplet.tick()
    assert exchange.ask(peers, "127.0.0.12", port)
    assert peers.others() == ["127.0.0.11", "127.0.0.12", "127.0.0.13"]
    assert set(formed[1].knows()) == set(NAMES)


def test_an_absent_peer_does_no_harm(port: int) -> None:
    peers = exchange.Peers("shop-node-1", NAMES, exchange.seeds("shop-node-2=127.0.0.99"))
    assert exchange.ask(peers, "127.0.0.99", port) is False


@pytest.mark.parametrize(
    "told",
    [
        {"stranger": [9, "10.0.0.9"]},
        {"shop-node-1": [9, "8.8.8.8"]},
        {"shop-node-1": ["9", "10.0.0.9"]},
        {"shop-node-1": [9, "10.0.0.9\n10.0.0.1 evil"]},
        {"shop-node-1": 9},
        {"shop-node-1": None},
    ],
)
def test_nonsense_is_passed_over(told: dict[str, object]) -> None:
    peers = exchange.Peers("", NAMES, {})
    assert peers.merge(told) is False
    assert peers.hosts() == exchange.LOCALHOST


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"9"])
def test_a_bad_request_is_refused(formed: list[Droplet], port: int, body: bytes) -> None:
    request = urllib.request.Request(f"http://127.0.0.11:{port}/", data=body, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)  # noqa: S310
    caught.value.close()
    assert caught.value.code == 400
    assert formed[0].knows() == {"shop-node-1": "127.0.0.11"}


def test_seeds_are_older_than_what_a_droplet_says_itself() -> None:
    peers = exchange.Peers("", NAMES, exchange.seeds(",shop-node-1=10.0.0.1,,shop-node-2=10.0.0.2"))
    peers.merge({"shop-node-1": [77, "10.0.0.7"]})
    peers.merge(exchange.seeds("shop-node-1=10.0.0.1"))
    assert peers.hosts().endswith("10.0.0.7 shop-node-1\n10.0.0.2 shop-node-2\n")


def test_the_hosts_file_stays_the_same_file(files: Path) -> None:
    peers = exchange.Peers("", NAMES, exchange.seeds("shop-node-1=10.100.100.100"))
    exchange.save(peers)
    inode = (files / "hosts").stat().st_ino
    peers.merge({"shop-node-1": [5, "10.0.0.1"]})
    exchange.save(peers)
    assert (files / "hosts").read_text(encoding="utf-8") == exchange.LOCALHOST + "10.0.0.1 shop-node-1\n"
    assert (files / "hosts").stat().st_ino == inode, "the container has it mounted"
    assert (files / "hosts").stat().st_mode & 0o777 == 0o644, "the node is not root"


def test_a_boot_remembers_what_was_known(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    own = {"id": "500", "interfaces/private/0/ipv4/address": "10.0.0.5"}
    monkeypatch.setattr(exchange, "metadata", own.__getitem__)
    settings = {"name": "shop-node-1", "names": NAMES, "port": 8191, "seeds": "shop-node-1=10.0.0.1"}
    (files / "settings").write_text(json.dumps(settings), encoding="utf-8")
    (files / "memory").write_text('{"shop-node-3": [400, "10.0.0.3"]}', encoding="utf-8")
    exchange.main("init")
    hosts = (files / "hosts").read_text(encoding="utf-8")
    assert hosts == exchange.LOCALHOST + "10.0.0.5 shop-node-1\n10.0.0.3 shop-node-3\n"
    assert json.loads((files / "memory").read_text(encoding="utf-8"))["shop-node-1"] == [500, "10.0.0.5"]
