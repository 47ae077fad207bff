"""Lets the core nodes of one cluster know each other's private addresses (Python 3.9 or newer, nothing else).

    init    write the hosts file from what is known, before the node starts
    run     tell the others what is known, and hear from them, for ever

A VPC of DigitalOcean has no DNS, a droplet's private address is known only once it is there, and no machine has an
identity to ask the API with. So each droplet is told the addresses of those that were there before it, and passes on
what it knows, as every other does. An entry is `[droplet id, address]`: ids grow, so a droplet that replaces another
of its name wins. The hosts file is written in place, since the node's container has it mounted.
"""

from __future__ import annotations

import ipaddress
import json
import os
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/aether/peers.json")
MEMORY = Path("/var/lib/aether/peers.json")
HOSTS = Path("/run/aether-hosts")
METADATA = "http://169.254.169.254/metadata/v1/"
LOCALHOST = "127.0.0.1 localhost\n::1 localhost\n"
SECONDS = 5
MOST_BYTES = 65536

Entries = dict[str, tuple[int, str]]


class Peers:
    """What is known of the core nodes; shared by the server's threads."""

    def __init__(self, own_name: str, names: list[str], known: dict[str, Any]) -> None:
        self.own_name, self.names = own_name, names
        self.known: Entries = {}
        self.lock = threading.Lock()
        self.merge(known)

    def merge(self, told: dict[str, Any]) -> bool:
        """Take over what is newer; strangers, and nonsense, are passed over. Returns whether anything was."""
        with self.lock:
            before: Entries = dict(self.known)
            for name, entry in told.items():
                if name in self.names and sound(entry):
                    self.known[name] = max(self.known.get(name, (-1, "")), (entry[0], entry[1]))
            return self.known != before

    def others(self) -> list[str]:
        """Addresses of the other core nodes."""
        with self.lock:
            return [address for name, (_, address) in sorted(self.known.items()) if name != self.own_name]

    def snapshot(self) -> Entries:
        """A copy of everything."""
        with self.lock:
            return dict(self.known)

    def hosts(self) -> str:
        """The hosts file."""
        lines = [f"{address} {name}\n" for name, (_, address) in sorted(self.snapshot().items())]
        return LOCALHOST + "".join(lines)


def sound(entry: Any) -> bool:
    """Whether an entry is a droplet's id and a private IPv4 address."""
    try:
        number, address = entry
        return isinstance(number, int) and ipaddress.IPv4Address(address).is_private
    except (TypeError, ValueError):
        return False


def seeds(text: str) -> dict[str, Any]:
    """Addresses that Terraform knew, `name=address,…`: older than anything a droplet says itself."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    return {name: [0, address] for name, _, address in pairs}


def metadata(path: str) -> str:
    """Read the droplet's metadata."""
    with urllib.request.urlopen(METADATA + path, timeout=5) as reply:  # noqa: S310
        return str(reply.read().decode())


def load(settings: dict[str, Any]) -> Peers:
    """Everything that is known before anybody was asked."""
    remembered = json.loads(MEMORY.read_text(encoding="utf-8")) if MEMORY.exists() else {}
    peers = Peers(settings["name"], settings["names"], seeds(settings["seeds"]))
    peers.merge(remembered)
    if peers.own_name:
        own = (int(metadata("id")), metadata("interfaces/private/0/ipv4/address"))
        peers.merge({peers.own_name: own})
    return peers


def save(peers: Peers) -> None:
    """Write the hosts file in place, and remember for the next boot."""
    text = peers.hosts().encode()
    descriptor = os.open(HOSTS, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        os.fchmod(descriptor, 0o644)
        os.pwrite(descriptor, text, 0)
        os.ftruncate(descriptor, len(text))
    finally:
        os.close(descriptor)
    MEMORY.parent.mkdir(parents=True, exist_ok=True)
    draft = MEMORY.with_suffix(".new")
    draft.write_text(json.dumps(peers.snapshot()), encoding="utf-8")
    draft.replace(MEMORY)


def serve(peers: Peers, address: str, port: int) -> ThreadingHTTPServer:
    """Answer the others on the private address: take what they know, give what is known."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            try:
                length = min(int(self.headers.get("Content-Length", "0")), MOST_BYTES)
                told = json.loads(self.rfile.read(length))
                changed = peers.merge(told)
            except (AttributeError, ValueError):
                self.send_error(400)
                return
            if changed:
                save(peers)
            body = json.dumps(peers.snapshot()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing: it happens every few seconds."""

    server = ThreadingHTTPServer((address, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def ask(peers: Peers, address: str, port: int) -> bool:
    """Tell one other what is known, and hear what it knows. Returns whether anything was new."""
    body = json.dumps(peers.snapshot()).encode()
    request = urllib.request.Request(f"http://{address}:{port}/", data=body)
    try:
        with urllib.request.urlopen(request, timeout=3) as reply:  # noqa: S310
            return peers.merge(json.loads(reply.read(MOST_BYTES)))
    except (OSError, ValueError, AttributeError):
        return False  # not there yet, or gone: asked again soon


def main(verb: str) -> None:
    """Do what the command line says."""
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    peers = load(settings)
    save(peers)
    if verb == "init":
        return
    if peers.own_name:
        serve(peers, peers.snapshot()[peers.own_name][1], settings["port"])
    while True:
        changed = [ask(peers, address, settings["port"]) for address in peers.others()]
        if any(changed):
            save(peers)
        time.sleep(SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
