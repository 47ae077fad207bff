"""Which keys of a configuration may become input variables."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, frozen

from aether_infra.catalog.digitalocean import LEAST_REGISTRY_NAME
from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.reference import Key, Kind, keys
from aether_infra.config.sizing import architecture, fargate_size, heap_mib, node_memory_mib
from aether_infra.config.zones import aws_zones, gcp_zones

SHAPE: Final = frozenset(
    {
        "access_logs",
        "access_logs_bucket",
        "acr_sku",
        "admin_principals",
        "architecture",
        "auto_upgrade",
        "availability_zones",
        "compute",
        "container_insights",
        "create_registry",
        "data",
        "droplet_image",
        "endpoint_public",
        "environment",
        "execute_command",
        "flow_logs",
        "manage_dns",
        "metrics_server",
        "nat",
        "network",
        "node_os",
        "node_os_upgrade_channel",
        "nodes",
        "private_subnet_ids",
        "provider",
        "public_subnet_ids",
        "secrets",
        "service_type",
        "spot",
        "subnet_id",
        "subnetwork",
        "tls",
        "upgrade_channel",
        "zone",
    }
)
"""Keys, by their own names, that decide which resources and blocks there are: no variable can stand for them."""

SHAPE_TABLES: Final = ("app-http.enabled", "cloud.gcp.maintenance", "cloud.manager", "cloud.state")
"""The same for whole tables, and for keys whose name says too little."""

SHAPE_ON: Final = {
    # a rule for each network, named by it
    Provider.AWS: frozenset(
        {"allowed_cidrs", "authorized_cidrs", "egress_cidrs", "management_cidrs", "vpc_id"}
    ),
    Provider.ORACLE: frozenset({"allowed_cidrs", "authorized_cidrs", "management_cidrs"}),
    # node pools are named by what cannot change in place, and are in as many zones as they have machines
    Provider.GCP: frozenset({"kms_key", "service_account", "system_nodes"}),
}
"""The same for keys of one cloud."""

OPEN: Final = "0.0.0.0/0"
"""Everyone: most clouds say that in another way than they say a list of networks, and watch what is open."""
LONGEST_NAME: Final = 14
"""Most characters of a cluster's name in a module. Names that would be too long for a service are cut, and a digest of
the whole takes the place of the rest; with a name of at most so many characters none is."""
DEFAULT_LOG_DAYS: Final = 30
"""Days that Google keeps logs by itself: for any other number there is a place of our own."""

Path = tuple[str, ...]
"""Names of attributes, from the configuration down to a value."""


@frozen
class Setting:
    """A key that may become a variable."""

    key: Key
    """What is known of it."""
    value: Any
    """What it is in the operator's configuration."""

    @property
    def path(self) -> Path:
        """Where the value is."""
        return tuple(name.replace("-", "_") for name in self.key.path)

    @property
    def variable(self) -> str:
        """Name of the variable: the key's path without `cloud` and the cloud's own name."""
        if self.key.dotted == HEAP:
            return "heap_mib"
        path = list(self.path)
        if path[0] == "cloud":
            del path[: 2 if self.key.provider else 1]
        return "_".join(path)


HEAP: Final = "node.heap"


def settings(config: AetherConfig, provider: Provider) -> list[Setting]:
    """The keys that may become variables of a module, in the order of the file.

    Args:
        config: the configuration; what follows from others should be said (see `pinned`).
        provider: the cloud of the module.
    """
    compute = config.section(provider).compute
    found = []
    for dotted, key in keys().items():
        if key.provider not in {None, provider} or (key.only_for and compute not in key.only_for):
            continue
        setting = Setting(key, value_at(config, tuple(name.replace("-", "_") for name in key.path)))
        if not _is_shape(dotted, key, provider) and not _is_special(setting, config, provider):
            found.append(setting)
    return found


def zone_keys(config: AetherConfig, provider: Provider) -> tuple[str, ...]:
    """What each zone is called in the names of resources: the end of its own name.

    Args:
        config: the configuration.
        provider: the cloud.
    """
    if provider is Provider.AWS and config.cloud.aws is not None:
        return tuple(zone.key for zone in aws_zones(config.cloud.aws))
    if provider is Provider.GCP and config.cloud.gcp is not None:
        return tuple(zone.key for zone in gcp_zones(config.cloud.gcp))
    return ()


def _is_shape(dotted: str, key: Key, provider: Provider) -> bool:
    names = SHAPE | SHAPE_ON.get(provider, frozenset())
    return key.name in names or any(f"{dotted}.".startswith(f"{table}.") for table in SHAPE_TABLES)


def _is_special(setting: Setting, config: AetherConfig, provider: Provider) -> bool:
    """Whether a value is one for which there are other resources than for all others."""
    value = setting.value
    if provider is Provider.GCP and setting.key.name in {"project", "region"}:
        # the operator's own key and account are of the project, and node pools are named by them
        gcp = config.cloud.gcp
        return gcp is not None and (gcp.kms_key is not None or gcp.service_account is not None)
    if setting.key.name in {"max_nodes", "min_nodes"}:
        # without elastic nodes there is nothing that could scale
        return config.counts(provider).elastic_maximum == 0
    if setting.key.dotted == "cluster.name":
        own = config.cloud.digitalocean if provider is Provider.DIGITALOCEAN else None
        # the registry's name is the cluster's, if it is long enough, and a key that nobody holds is made of it
        by_name = own is not None and (
            len(value) < LEAST_REGISTRY_NAME or (own.compute == "vm" and not own.ssh_key_ids)
        )
        return len(value) > LONGEST_NAME or by_name
    if setting.key.name == "log_retention_days":
        return provider is Provider.GCP and value == DEFAULT_LOG_DAYS
    if setting.key.kind is Kind.TEXTS:
        return not value or OPEN in value
    # what is not said needs no resource; options of the JVM are a text like any other, and tags always there
    return value is None or (value in ("", {}) and setting.key.name not in {"java_opts", "tags"})


def value_at(config: AetherConfig, path: Path) -> Any:
    """What a configuration says at a place.

    Args:
        config: the configuration.
        path: where.
    """
    value: Any = config
    for name in path:
        value = getattr(value, name)
    return value


def with_value(config: Any, path: Path, value: Any) -> Any:
    """A configuration with another value at a place.

    Args:
        config: the configuration, or a table of it.
        path: where.
        value: what.
    """
    name, *rest = path
    inner = with_value(getattr(config, name), tuple(rest), value) if rest else value
    return evolve(config, **{name: inner})


def pinned(config: AetherConfig, provider: Provider) -> dict[Path, Any]:
    """What a configuration leaves open and follows from other keys, so that those can be varied without it.

    Args:
        config: the configuration.
        provider: the cloud.

    Returns:
        Values by their place; saying them changes nothing.
    """
    counts = config.counts(provider)
    here = ("cloud", provider.value)
    found: dict[Path, Any] = {
        ("cluster", "nodes"): counts.core,
        (*here, "min_nodes"): counts.minimum,
        (*here, "max_nodes"): counts.maximum,
    }
    memory = node_memory_mib(config, provider)
    if config.section(provider).compute not in {"ec2", "vm"} and memory is not None:
        found["node", "heap"] = f"{heap_mib(config, memory)}m"
    found.update({(*here, name): value for name, value in _of_cloud(config, provider).items()})
    return {path: value for path, value in found.items() if value_at(config, path) != value}


def _of_cloud(config: AetherConfig, provider: Provider) -> dict[str, Any]:
    """What follows from other keys of a cloud's table."""
    aws, gcp = config.cloud.aws, config.cloud.gcp
    if provider is Provider.AWS and aws is not None:
        found: dict[str, Any] = {"architecture": architecture(aws)}
        if aws.vpc_id is None:
            found["availability_zones"] = tuple(zone.name_or_id for zone in aws_zones(aws))
        if aws.compute == "fargate":
            size = fargate_size(config)
            found |= {"cpu": size.cpu_units, "memory_mib": size.memory_mib}
        return found
    if provider is Provider.GCP and gcp is not None and gcp.zone is None:
        return {"availability_zones": tuple(zone.name_or_id for zone in gcp_zones(gcp))}
    return {}
