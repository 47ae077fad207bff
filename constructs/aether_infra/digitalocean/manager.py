"""The runtime manager on a droplet of its own.

Droplets have no identity, and DigitalOcean has no secret store: its token and its keys are files that the operator puts
onto its volume by SSH; it starts when they are there. They are in no state and no user data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen
from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_digitalocean.droplet import Droplet
from cdktf_cdktf_provider_digitalocean.firewall import Firewall, FirewallInboundRule, FirewallOutboundRule
from cdktf_cdktf_provider_digitalocean.tag import Tag
from cdktf_cdktf_provider_digitalocean.volume import Volume
from constructs import Construct

from aether_infra.core import manager
from aether_infra.core.machine import MachineNode, cloud_config
from aether_infra.core.names import physical_name
from aether_infra.digitalocean.firewall import ALL_PORTS, EVERYWHERE, SSH
from aether_infra.digitalocean.tagging import tag_list

SECRETS_FOLDER: Final = "/var/lib/aether/data/secrets"
"""Folder of its volume, for root alone, that holds a file for each secret."""
_READ: Final = """\
mkdir -p -m 0700 {folder}
secret() {{
    if [ ! -s "{folder}/$2" ]; then
        echo "there is no file {folder}/$2: put the secret there" >&2
        return 1
    fi
    printf '%s=%s\\n' "$1" "$(head -n 1 "{folder}/$2")"
}}
"""


def read_secrets(secrets: Mapping[str, str]) -> str:
    """Lines that print `NAME=value` for each secret; they fail while a file is missing, and are tried again.

    Args:
        secrets: environment variable and `file:NAME`.
    """
    calls = [f"secret {name} {text.removeprefix('file:')}\n" for name, text in sorted(secrets.items())]
    return _READ.format(folder=SECRETS_FOLDER) + "".join(calls)


def device(name: str) -> str:
    """Block device of a volume as its droplet sees it.

    Args:
        name: the cluster's name.
    """
    return f"/dev/disk/by-id/scsi-0DO_Volume_{_volume_name(name)}"


def _volume_name(name: str) -> str:
    return physical_name(name, manager.NAME, "journal")


@frozen(kw_only=True)
class ManagerProps:
    """Props of `Manager`."""

    name: str
    """Cluster's name."""
    region: str
    """Region's slug."""
    vpc_id: str
    """VPC."""
    size: str = "s-1vcpu-2gb"
    """Droplet size."""
    image: str = "ubuntu-24-04-x64"
    """Image, by slug or number."""
    ssh_keys: Sequence[str]
    """SSH keys, by id or fingerprint: whose holders bring the secrets."""
    ssh_cidrs: Sequence[str]
    """IPv4 networks that may use SSH."""
    tag: Tag
    """Finds its droplet: its firewall goes by it, and that of the nodes lets it in."""
    node: MachineNode
    """What it runs (see `core.manager.machine`)."""
    port: int = 8081
    """Port of its API."""
    allowed_cidrs: Sequence[str] = ()
    """IPv4 networks that may call its API."""
    protect: bool = True
    """Refuse to delete the volume."""
    tags: Mapping[str, str]
    """Standard tags; its droplet bears `aether-manager` in place of `aether-cluster`."""


class Manager(Construct):
    """A droplet with a volume for journal and secrets. New settings make another droplet; the volume stays.

    Attributes:
        volume: journal and secrets.
        firewall: who may reach it.
        droplet: the droplet.
    """

    def __init__(self, scope: Construct, id_: str, props: ManagerProps) -> None:
        super().__init__(scope, id_)
        name = physical_name(props.name, manager.NAME)
        tags = tag_list(manager.own_tags(props.tags))
        self.volume = Volume(
            self,
            "journal",
            name=_volume_name(props.name),
            region=props.region,
            size=manager.JOURNAL_GIB,
            description=f"Journal of the runtime manager of Aether cluster {props.name}",
            lifecycle=TerraformResourceLifecycle(prevent_destroy=props.protect or None),
            tags=tags,
        )
        self.firewall = self._firewall(props, name)
        self.droplet = Droplet(
            self,
            "Resource",
            name=name,
            region=props.region,
            size=props.size,
            # the disk could not shrink again
            resize_disk=False,
            image=props.image,
            vpc_uuid=props.vpc_id,
            volume_ids=[self.volume.id],
            ssh_keys=list(props.ssh_keys),
            user_data=cloud_config(props.node),
            monitoring=True,
            graceful_shutdown=True,
            # a new build of the image is for a new droplet only
            lifecycle=TerraformResourceLifecycle(ignore_changes=["image"]),
            depends_on=[self.firewall],
            tags=sorted([*tags, props.tag.name]),
        )

    @property
    def urns(self) -> list[str]:
        """What a project takes in."""
        return [self.droplet.urn, self.volume.urn]

    def _firewall(self, props: ManagerProps, name: str) -> Firewall:
        let_in = [(props.port, props.allowed_cidrs), (SSH, props.ssh_cidrs)]
        return Firewall(
            self,
            "firewall",
            name=name,
            tags=[props.tag.name],
            inbound_rule=[
                FirewallInboundRule(protocol="tcp", port_range=str(port), source_addresses=list(cidrs))
                for port, cidrs in let_in
                if cidrs
            ],
            outbound_rule=[
                FirewallOutboundRule(
                    protocol=protocol,
                    port_range=None if protocol == "icmp" else ALL_PORTS,
                    destination_addresses=list(EVERYWHERE),
                )
                for protocol in ("icmp", "tcp", "udp")
            ],
        )
