"""Other values that a key might have: valid ones, which differ from each other in all that can be told apart."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, Final

from attrs import evolve

from aether_infra.catalog import aws as aws_catalog
from aether_infra.catalog import azure as azure_catalog
from aether_infra.catalog import digitalocean as digitalocean_catalog
from aether_infra.catalog import gcp as gcp_catalog
from aether_infra.catalog import oracle as oracle_catalog
from aether_infra.config.checks import Between
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import is_private
from aether_infra.config.provider import Provider
from aether_infra.config.quantities import memory_mib
from aether_infra.config.reference import Kind
from aether_infra.config.rule import run
from aether_infra.config.rules import RULES
from aether_infra.config.sizing import architecture
from aether_infra.export.keys import DEFAULT_LOG_DAYS, HEAP, Path, Setting, value_at, with_value, zone_keys

Values = Iterator[Any]
PLACES: Final = frozenset({"location", "region"})
"""Keys that say where a cluster is."""
NAMED_BY_OTHERS: Final = PLACES | {
    "acr_name",
    "artifact_repository",
    "compartment_id",
    "ecr_repository",
    "ocir_repository",
    "project",
    "registry_name",
    "subscription_id",
    "tenancy_id",
}
"""Keys whose value is part of other keys' values: of ids, and of names of images."""
IMAGE: Final = "cloud.image"

OWN_REGISTRY: Final[Mapping[Provider, str]] = {
    Provider.AWS: r"\d{12}\.dkr\.ecr\.[a-z0-9.-]+",
    Provider.AZURE: r"[a-z0-9]+\.azurecr\.[a-z]+",
    Provider.DIGITALOCEAN: re.escape(digitalocean_catalog.REGISTRY_HOST),
    Provider.GCP: r"[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io",
    Provider.ORACLE: oracle_catalog.OCIR_HOST,
}
"""Hosts of each cloud's own registry: whether nodes need rights to pull depends on the image's repository there."""

_NAMES: Final = ("qxy", "zebra-of-sev-8", "vw-41-juniper", "m3-wren", "kiln-at-riv-77", "b9-yonder-y")
"""Names of clusters; two of them as long as a name can be in a module."""
_HOSTS: Final = (
    "qx.zebra.test",
    "a9.kiln-7.example.org",
    "wren.vw.juniper.example.net",
    "yonder-3.example.info",
)
_OPTIONS: Final = ("", "-Dqx=a&b", "-XX:+AlwaysPreTouch -Dzebra=7", "-verbose:gc", "", "-Dwren=<1>")
_TAGS: Final = (
    {"qx-one": "v1"},
    {"wren": "z7", "yonder": "k4"},
    {"kiln-a": "b3"},
    {"zebra": "m5", "qx-one": "x2", "vw": "j6"},
    {"yonder": "y8"},
)
_PATHS: Final = ("/qx/live", "/zebra/7", "/wren-up", "/kiln/status", "/y")
_CPU: Final = ("1537m", "3", "731m", "4.25", "1", "2519m", "257m", "6")
_MEMORY: Final = ("3Gi", "5Gi", "4096Mi", "7Gi", "2560Mi", "11Gi", "17Gi", "1536Mi")
_TIMES: Final = ("03:30", "17:45", "23:15", "08:05", "12:20")
_PUBLIC: Final = ("192.0.2.0/24", "198.51.100.64/26", "203.0.113.128/25", "203.0.112.9/32", "198.51.100.0/27")
_PRIVATE: Final = ("10.211.0.0/16", "172.29.64.0/20", "192.168.77.0/24", "10.219.32.0/19", "192.168.200.0/25")
_DAYS: Final = tuple(sorted({*aws_catalog.LOG_RETENTION_DAYS, *oracle_catalog.LOG_RETENTION_DAYS}))
_AWS_SIZES: Final = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
_AWS_FAMILIES: Final = {"x86_64": ("m6i", "c6i", "r7i"), "arm64": ("m7g", "c7g", "r8g")}
_DROPLETS: Final = ("s-8vcpu-16gb", "g-4vcpu-16gb", "c-8", "s-4vcpu-8gb", "g-8vcpu-32gb")
_TLS_POLICIES: Final = (
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
)
_POWERS: Final = ("2", "4", "8", "16", "32", "64")


def alternatives(setting: Setting, config: AetherConfig, provider: Provider, chance: Random) -> list[Any]:
    """Values that a key might have, in the order in which they are tried; not all of them need be valid.

    Args:
        setting: the key.
        config: the configuration.
        provider: the cloud.
        chance: decides where it does not matter.
    """
    found = [
        value for value in _alternatives(setting, config, provider, chance) if not setting.key.faults(value)
    ]
    if len({repr(value) for value in found}) >= _FEW:
        return [value for value in found if value != setting.value]
    return found


def applied(config: AetherConfig, provider: Provider, path: Path, value: Any) -> AetherConfig:
    """The configuration with another value at a place, and what has to go along with it.

    Args:
        config: the configuration.
        provider: the cloud.
        path: the place.
        value: the value.
    """
    if path[-1] in NAMED_BY_OTHERS and path[:2] == ("cloud", provider.value):
        return _relocated(config, provider, path, value)
    changed: AetherConfig = with_value(config, path, value)
    return changed


def is_valid(config: AetherConfig, provider: Provider) -> bool:
    """Whether the rules between keys find nothing wrong with one cloud.

    Args:
        config: the configuration.
        provider: the cloud; what does not fit others is of no interest.
    """
    return not run(RULES, _alone(config, provider))


def _alone(config: AetherConfig, provider: Provider) -> AetherConfig:
    """The configuration as if it were for one cloud only."""
    cloud = config.cloud
    changes: dict[str, Any] = {each.value: None for each in config.sections if each is not provider}
    if provider is not config.secrets_owner:
        changes |= {"provider": provider, "secrets": {}, "manager": evolve(cloud.manager, enabled=False)}
    return evolve(config, cloud=evolve(cloud, **changes))


def variants(
    config: AetherConfig, provider: Provider, settings: Sequence[Setting], count: int
) -> list[AetherConfig]:
    """Valid configurations in which every key has other values, no two keys in step.

    Args:
        config: the configuration.
        provider: the cloud.
        settings: the keys that are varied.
        count: how many.
    """
    found: list[AetherConfig] = []
    for seed in range(_TRIES):
        found = []
        for number in range(count):
            found.append(_variant(config, found, provider, settings, f"{number} {seed}"))
        if not _in_step([config, *found], settings):
            break
    return found


_TRIES: Final = 8
"""How often other values are drawn, until no two keys are in step."""


def _variant(
    config: AetherConfig,
    others: Sequence[AetherConfig],
    provider: Provider,
    settings: Sequence[Setting],
    seed: str,
) -> AetherConfig:
    """One configuration: each key in turn gets the first value that the rules take, a new one if possible."""
    for setting in settings:
        chance = Random(f"{setting.key.dotted} {seed}")  # noqa: S311 - not for secrets
        now = Setting(setting.key, value_at(config, setting.path))
        values = alternatives(now, config, provider, chance)
        if len({repr(value) for value in values}) >= _FEW:
            used = [value_at(other, setting.path) for other in others]
            values.sort(key=used.count)
        for value in values:
            changed = applied(config, provider, setting.path, value)
            if is_valid(changed, provider):
                config = changed
                break
    return config


def _in_step(configs: Sequence[AetherConfig], settings: Sequence[Setting]) -> bool:
    """Whether a number of one key can be told from another's by adding and multiplying, or two keys are one."""
    return bool(inseparable(configs, settings))


def inseparable(configs: Sequence[AetherConfig], settings: Sequence[Setting]) -> list[Setting]:
    """Keys that changed in step with an earlier one, so that nobody can tell which of the two something is from.

    Args:
        configs: the configurations that are compared, the operator's own first.
        settings: the keys that are varied.
    """
    rows = [(setting, [value_at(config, setting.path) for config in configs]) for setting in settings]
    varied = [(setting, row) for setting, row in rows if any(value != row[0] for value in row)]
    found: list[Setting] = []
    for number, (setting, row) in enumerate(varied):
        if any(other not in found and _linear(before, row) for other, before in varied[:number]):
            found.append(setting)
    return found


def _linear(one: Sequence[Any], other: Sequence[Any]) -> bool:
    if not all(type(value) is int for value in (*one, *other)):
        # texts and the like: the same where the other is the same
        same = [[values.index(value) for value in values] for values in (list(one), list(other))]
        return same[0] == same[1] and len(set(same[0])) < _FEW
    pairs = list(zip(one, other, strict=True))
    first, second = next(((a, b) for a, b in combinations(pairs, 2) if a[0] != b[0]), (pairs[0], pairs[1]))
    rise = (second[1] - first[1], second[0] - first[0])
    return all((b - first[1]) * rise[1] == (a - first[0]) * rise[0] for a, b in pairs)


_FEW: Final = 3
"""With so few values two keys may change together by chance."""


def _alternatives(setting: Setting, config: AetherConfig, provider: Provider, chance: Random) -> Values:
    key, value = setting.key, setting.value
    if key.dotted == HEAP:
        yield from (f"{number}m" for number in _numbers(128, 12000, int(value[:-1]), chance))
    elif key.dotted == IMAGE:
        yield from _images(value, provider)
    elif key.name == "log_retention_days":
        # what Google keeps by itself needs no place of our own
        yield from (days for days in chance.sample(_DAYS, len(_DAYS)) if days != DEFAULT_LOG_DAYS)
        yield from _numbers(1, 3650, value, chance)
    elif key.kind is Kind.NUMBER:
        yield from _counted(setting, chance)
    elif key.kind is Kind.SWITCH:
        yield from chance.sample((True, False), 2)
    elif key.choices:
        yield from chance.sample(key.choices, len(key.choices))
    elif key.kind is Kind.TEXT:
        yield from _texts(setting, config, provider, chance)
    elif key.kind is Kind.TEXTS:
        yield from _lists(value, chance)
    elif key.kind is Kind.TEXT_TABLE:
        yield from _TAGS


def _counted(setting: Setting, chance: Random) -> Values:
    """Whole numbers: sizes that a cloud has, else anything within the bounds."""
    if setting.key.name == "cpu":
        yield from aws_catalog.FARGATE_SIZES
    elif setting.key.name == "memory_mib":
        memories = sorted({memory for each in aws_catalog.FARGATE_SIZES.values() for memory in each})
        yield from chance.sample(memories, len(memories))
    bounds = next((one for one in setting.key.checks if isinstance(one, Between)), Between(1, 1000))
    yield from _numbers(bounds.low, bounds.high, setting.value, chance)
    if bounds.high - bounds.low > _ROOM:
        yield from (bounds.low, bounds.high)


_ROOM: Final = 20
"""Numbers within closer bounds are all tried."""


_NEAR: Final = 0.75
"""How often a near number comes before a far one."""


def _numbers(low: int, high: int, near: int, chance: Random) -> Values:
    """Numbers within bounds, mostly near ones first."""
    spans = [(max(low, near // 2), min(high, near * 3 + _ROOM)), (low, high)]
    for begin, end in spans if chance.random() < _NEAR else reversed(spans):
        span = range(begin, end + 1)
        yield from chance.sample(span, min(len(span), _ROOM))


def _texts(setting: Setting, config: AetherConfig, provider: Provider, chance: Random) -> Values:
    name, value = setting.key.name, setting.value
    make = _FORMS.get(setting.key.dotted) or _FORMS.get(name)
    if make is not None:
        yield from make(chance)
    elif name in {"memory_request", "memory_limit"}:
        near = memory_mib(value)
        yield from (f"{near + 64 * chance.randrange(-5, 12)}Mi" for _ in range(_FEW))
        yield from chance.sample(_MEMORY, len(_MEMORY))
    elif name in PLACES:
        yield from _places(provider, value, chance)
    elif name.endswith("instance_type"):
        kind = "arm64" if re.match(rf"(?:{aws_catalog.GRAVITON})\.", value) else "x86_64"
        types = [f"{family}.{size}" for family in _AWS_FAMILIES[kind] for size in _AWS_SIZES]
        yield from chance.sample(types, len(types))
    elif name.endswith("droplet_size"):
        yield from chance.sample(_DROPLETS, len(_DROPLETS))
    elif name.endswith(("machine_type", "vm_size")):
        yield from (re.sub(r"(?<=[A-Z])\d+|\d+$", power, value, count=1) for power in _POWERS)
    elif name == "shape":
        arm = architecture(config.section(provider)) == "arm64"
        yield from (shape for shape in oracle_catalog.FLEXIBLE_SHAPES if oracle_catalog.arm64(shape) is arm)
    elif name == "tls_policy":
        yield from chance.sample(_TLS_POLICIES, len(_TLS_POLICIES))
    elif _is_network(value):
        yield from _networks(value, chance)
    else:
        yield from (_alike(value, chance) for _ in range(_ROOM // 2))


_FORMS: Final[Mapping[str, Callable[[Random], Sequence[str]]]] = {
    "cluster.name": lambda _: _NAMES,
    "cloud.domain": lambda _: _HOSTS,
    "java_opts": lambda _: _OPTIONS,
    "liveness_path": lambda chance: chance.sample(_PATHS, len(_PATHS)),
    "readiness_path": lambda chance: chance.sample(_PATHS, len(_PATHS)),
    "cpu_request": lambda chance: chance.sample(_CPU, len(_CPU)),
    "cpu_limit": lambda chance: chance.sample(_CPU, len(_CPU)),
    "start": lambda chance: chance.sample(_TIMES, len(_TIMES)),
}
"""Texts by a key's dotted path or its own name, where any others of its form would say less, or be refused."""


def _images(value: str, provider: Provider) -> Values:
    """Images; of a repository in the cloud's own registry only others of the same."""
    host = value.partition("/")[0]
    repository = re.sub(r"(?::[^:/@]+)?(?:@.*)?$", "", value)
    own = re.fullmatch(OWN_REGISTRY.get(provider, "(?!)"), host) is not None
    elsewhere = repository if own else "ghcr.io/zebra/kiln-node"
    yield f"{repository}:4.17.2"
    yield f"{repository}:2.9.31"
    yield f"{repository}@sha256:{'7d0a' * 16}"
    yield f"{elsewhere}@sha256:{'5c' * 32}"
    yield f"{elsewhere}:wren-7"
    yield f"{repository if own else 'docker.io/yonder/qx'}@sha256:{'b31e' * 16}"
    yield f"{repository}:8.0.0-rc.1"


def _lists(value: Sequence[str], chance: Random) -> Values:
    if all(map(_is_network, value)):
        # networks of both sorts need not be treated alike
        known = [_PRIVATE if sort else _PUBLIC for sort in sorted({is_private(one) for one in value})]
        for length in chance.sample((1, 2, 3, 4), 4):
            some = [chance.choice(each) for each in known]
            rest = [one for each in known for one in each if one not in some]
            listed = [*some, *chance.sample(rest, max(length - len(some), 0))]
            yield tuple(chance.sample(listed, len(listed)))
        return
    for length in chance.sample((1, 2, 3), 3):
        yield tuple(_alike(value[0], chance) for _ in range(length))


def _networks(value: str, chance: Random) -> Values:
    """Private ranges of about the same size."""
    prefix = ipaddress.IPv4Network(value).prefixlen
    for _ in range(_ROOM):
        bits = prefix + chance.choice((0, 1, -1, 2))
        if 8 <= bits <= 32:  # noqa: PLR2004 - within 10.0.0.0/8
            number = chance.randrange(2 ** (bits - 8))
            yield str(
                ipaddress.IPv4Network(
                    (int(ipaddress.IPv4Address("10.0.0.0")) + number * 2 ** (32 - bits), bits)
                )
            )
    if prefix > 16:  # noqa: PLR2004 - within 172.16.0.0/12
        yield from (f"172.{chance.randrange(16, 32)}.{chance.randrange(255)}.0/{prefix}" for _ in range(3))


def _is_network(value: str) -> bool:
    try:
        return "/" in value and ipaddress.IPv4Network(value) is not None
    except ValueError:
        return False


def _alike(value: str, chance: Random) -> str:
    """A text of the same form: its last letters and digits are others of their sort."""
    changed = list(value)
    left = 6
    for place in range(len(changed) - 1, -1, -1):
        for alphabet in (digits, "abcdef", ascii_lowercase, ascii_uppercase):
            if left and changed[place] in alphabet:
                changed[place] = chance.choice(alphabet)
                left -= 1
                break
    return "".join(changed)


def places(provider: Provider, value: str) -> tuple[str, ...]:
    """The places at which a cluster has the same resources as at this one, itself among them.

    They differ by partition (AWS), by whether there are zones (Azure) or several of them (Oracle), and by whether a
    registry can be there (DigitalOcean).

    Args:
        provider: the cloud.
        value: a region or a location.
    """
    known: Mapping[Provider, tuple[Sequence[str], Callable[[str], object]]] = {
        Provider.AWS: (tuple(aws_catalog.REGIONS), aws_catalog.partition),
        Provider.AZURE: (tuple(azure_catalog.LOCATIONS), azure_catalog.LOCATIONS.get),
        Provider.DIGITALOCEAN: (
            digitalocean_catalog.REGIONS,
            lambda place: place in digitalocean_catalog.REGISTRY_REGIONS,
        ),
        Provider.GCP: (tuple(gcp_catalog.REGIONS), bool),
        Provider.ORACLE: (oracle_catalog.REGIONS, lambda place: place in oracle_catalog.THREE_DOMAINS),
    }
    all_places, sort = known.get(provider, ((), bool))
    return tuple(place for place in all_places if sort(place) == sort(value))


def _places(provider: Provider, value: str, chance: Random) -> Values:
    alike = places(provider, value)
    yield from chance.sample(alike, len(alike))


def _relocated(config: AetherConfig, provider: Provider, path: Path, place: str) -> AetherConfig:
    """The configuration at another place: its zones there, and the name of the place wherever it occurs."""
    old: str = value_at(config, path)
    section = config.section(provider)
    zones = getattr(section, "availability_zones", None)
    moved: Any = with_value(config, path, place)
    if isinstance(zones, tuple) and path[-1] in PLACES:
        here = ("cloud", provider.value, "availability_zones")
        moved = with_value(moved, here, _zones(provider, place, zone_keys(config, provider)) or zones)
    tables: Any = (("cloud", provider.value), ("cloud", "secrets"), ("cloud", "image"))
    for table in tables:
        moved = with_value(moved, table, _renamed(value_at(moved, table), old, place))
    there: AetherConfig = moved
    return there


def _zones(provider: Provider, place: str, keys: Sequence[str]) -> tuple[str, ...]:
    """Zones of a region that are called as others are elsewhere; none if it has not got them all."""
    if provider is Provider.AWS:
        known = aws_catalog.REGIONS.get(place, ())
        found = [zone for key in keys for zone in known if zone.endswith(f"-{key}")]
    else:
        letters = gcp_catalog.REGIONS.get(place, ())
        found = [f"{place}-{key}" for key in keys if key in letters]
    return tuple(found) if len(found) == len(keys) else ()


def _renamed(value: Any, old: str, new: str) -> Any:
    """A value with the name of a place replaced in all its texts."""
    import attrs  # noqa: PLC0415 - only here

    if isinstance(value, str):
        return re.sub(rf"(?<![a-z0-9]){re.escape(old)}(?![a-z0-9])", new, value)
    if isinstance(value, tuple):
        return tuple(_renamed(item, old, new) for item in value)
    if isinstance(value, Mapping):
        return {key: _renamed(item, old, new) for key, item in value.items()}
    if attrs.has(type(value)):
        changed = {
            field.name: _renamed(getattr(value, field.name), old, new) for field in attrs.fields(type(value))
        }
        return attrs.evolve(value, **changed)
    return value
