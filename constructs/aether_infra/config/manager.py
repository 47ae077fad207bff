"""`[cloud.manager]`: the runtime manager, `aether-infra serve`, as a service beside the cluster."""

from typing import Final

from attrs import field, frozen

from aether_infra.config.checks import IMAGE, Between, Length, Network, check, items
from aether_infra.config.quantities import CPU, MEMORY, memory_mib, millicores

VOLUME: Final = "volume"
"""Where the journal is by default."""
REFERENCE: Final = Length(1, 2048)
"""Longest reference to a secret; `rules_manager.py` knows each cloud's form."""
FIRST_UNPRIVILEGED_PORT: Final = 1024


@frozen(kw_only=True)
class ManagerConfig:
    """`[cloud.manager]`: a service that owns the number of elastic nodes, in place of the cloud's autoscaler."""

    enabled: bool = False
    """Whether the manager runs, on the active cloud; the cloud's own autoscaler of elastic nodes is then left out.
    Default off."""
    image: str | None = field(default=None, metadata=check(IMAGE))
    """Image of the manager, of the machines' processor; needed when enabled, as none is published: build it from
    `tools/manager/Dockerfile`."""
    port: int = field(default=8081, metadata=check(Between(FIRST_UNPRIVILEGED_PORT, 65535)))
    """TCP port of its API `/api/cloud/*`, 1024-65535; default 8081."""
    allowed_cidrs: tuple[str, ...] = field(default=(), metadata=items(Network()))
    """IPv4 networks that may reach its API inside of the cluster's network, by its private address: it never has a
    public way in. Default: nobody, in Kubernetes the pods of its namespace."""
    api_keys: str | None = field(default=None, metadata=check(REFERENCE))
    """Reference to the secret with the keys of its API, in the node's own form (`AETHER_API_KEYS`); needed when
    enabled, as the service refuses to listen without. References are those of `cloud.secrets`."""
    aether_api_key: str | None = field(default=None, metadata=check(REFERENCE))
    """Reference to the secret with the key by which it calls the nodes (`AETHER_API_KEY`); default: none, for nodes
    that ask for none."""
    cloud_token: str | None = field(default=None, metadata=check(REFERENCE))
    """Reference to the secret with the cloud's API token (digitalocean, vm), where machines have no identity; elsewhere
    the manager has an identity of its own."""
    journal: str = field(default=VOLUME, metadata=check(REFERENCE))
    """Where it writes what it is about to do: `volume` (default, SQLite on a disk that outlives it), or a reference to
    the secret with the URL of a PostgreSQL database."""
    collect: bool = False
    """Whether it ends machines of the cluster that nobody claims, once they are old enough; default off: it only says
    which."""
    cpu: str = field(default="250m", metadata=check(CPU))
    """Processors, such as `250m` (Kubernetes, and rounded up to a size that Fargate has; on ec2 it is a Fargate task
    too); default 250m."""
    memory: str = field(default="512Mi", metadata=check(MEMORY))
    """Memory, such as `512Mi`, as above; default 512Mi."""
    machine_type: str | None = field(default=None, metadata=check(Length(2, 80)))
    """Type of its machine, in the cloud's own words (vm); default: a small one of the nodes' processor."""

    @property
    def on_volume(self) -> bool:
        """Whether the journal is on a disk."""
        return self.journal == VOLUME

    @property
    def millicores(self) -> int:
        """`cpu` in thousandths of a processor."""
        return millicores(self.cpu)

    @property
    def memory_mib(self) -> int:
        """`memory` in MiB, rounded up."""
        return memory_mib(self.memory)

    def secrets(self) -> dict[str, str]:
        """Environment variables of the service and the reference to the value of each."""
        found = {
            "AETHER_API_KEY": self.aether_api_key,
            "AETHER_API_KEYS": self.api_keys,
            "AETHER_JOURNAL": None if self.on_volume else self.journal,
            "DIGITALOCEAN_TOKEN": self.cloud_token,
        }
        return {name: reference for name, reference in found.items() if reference is not None}
