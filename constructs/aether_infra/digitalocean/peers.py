"""How core nodes on droplets find each other: by name, through a hosts file that they keep together.

Weighed and left: records in the operator's domain (there may be none, and private addresses in public DNS help an
attacker); reserved addresses (traffic between nodes would leave the VPC, and answers by UDP would come from another
address); a token for the API on each droplet (a secret in user data that reads the whole account). A private address
cannot be chosen, and Terraform cannot write two addresses into each other's user data. So droplets are made one after
the other, each is told who was there before, and they pass it on (`peer_exchange/exchange.py`). One that replaces
another is told by a data source who is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import chain

from attrs import frozen
from cdktf import TerraformLocal, Token
from cdktf_cdktf_provider_digitalocean.data_digitalocean_droplets import (
    DataDigitaloceanDroplets,
    DataDigitaloceanDropletsFilter,
)
from constructs import Construct

from aether_infra.core.encoding import jsonencode
from aether_infra.core.machine import SERVICE
from aether_infra.core.node import NodePorts

PROGRAM = "/etc/aether/exchange.py"
SETTINGS = "/etc/aether/peers.json"
HOSTS = "/run/aether-hosts"
UNIT = "aether-peers.service"
UNIT_TEXT = f"""[Unit]
Description=Addresses of the Aether nodes
Wants=network-online.target
After=network-online.target
Before={SERVICE}
StartLimitIntervalSec=0
[Service]
ExecStartPre=/usr/bin/python3 {PROGRAM} init
ExecStart=/usr/bin/python3 {PROGRAM} run
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
"""


def exchange_port(ports: NodePorts) -> int:
    """The TCP port of the exchange: the first free one above the node's own.

    Args:
        ports: the node's ports.
    """
    taken = {ports.management, ports.cluster, ports.swim, ports.application}
    candidates = chain(range(ports.swim + 1, 65536), range(1024, ports.swim))
    return next(port for port in candidates if port not in taken)


def mount(*, selinux: bool) -> tuple[str, ...]:
    """Arguments of the container engine, by which the node sees every change of the hosts file.

    Args:
        selinux: whether the file must be labelled for the container.
    """
    return ("--volume", f"{HOSTS}:/etc/hosts:ro" + ",Z" * selinux)


@frozen(kw_only=True)
class PeerExchangeProps:
    """Props of `PeerExchange`."""

    vpc_id: str
    """VPC of the droplets."""
    names: Sequence[str]
    """Names of the core droplets, which are host names to the nodes."""
    ports: NodePorts
    """Ports of a node."""


class PeerExchange(Construct):
    """What a droplet needs to find the core nodes.

    Attributes:
        port: TCP port of the exchange, between droplets of the cluster only.
    """

    def __init__(self, scope: Construct, id_: str, props: PeerExchangeProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.port = exchange_port(props.ports)
        there = DataDigitaloceanDroplets(
            self,
            "there",
            filter=[
                DataDigitaloceanDropletsFilter(key="name", values=list(props.names)),
                DataDigitaloceanDropletsFilter(key="vpc_uuid", values=[props.vpc_id]),
            ],
        )
        known = f'join(",", [for d in {there.fqn}.droplets : "${{d.name}}=${{d.ipv4_address_private}}"])'
        # by way of a local value, so that no quotes get into the user data's text
        self._there: str = Token.as_string(TerraformLocal(self, "known", f"${{{known}}}").expression)

    def core(self, name: str, before: Mapping[str, str]) -> dict[str, str]:
        """Files of a core droplet.

        Args:
            name: the droplet's name.
            before: private addresses of the droplets that are made before it, by name.
        """
        return self._files(name, ",".join([self._there, _seeds(before)]))

    def elastic(self, core: Mapping[str, str]) -> dict[str, str]:
        """Files of an elastic droplet, which listens only.

        Args:
            core: private addresses of the core droplets, by name.
        """
        return self._files("", _seeds(core))

    def _files(self, name: str, seeds: str) -> dict[str, str]:
        source = files("aether_infra.digitalocean.peer_exchange").joinpath("exchange.py")
        settings = {"name": name, "names": list(self._props.names), "port": self.port, "seeds": seeds}
        return {
            PROGRAM: source.read_text(encoding="utf-8"),
            SETTINGS: jsonencode(settings) + "\n",
            f"/etc/systemd/system/{UNIT}": UNIT_TEXT,
        }


def _seeds(addresses: Mapping[str, str]) -> str:
    return ",".join(f"{name}={address}" for name, address in addresses.items())
