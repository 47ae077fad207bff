"""Rules over keys that need, exclude or replace each other; the clouds' own rules call them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from aether_infra.config.model import AetherConfig
from aether_infra.config.provider import Provider
from aether_infra.config.words import listing, nearest, quote, show
from aether_infra.errors import Problem


def misplaced(
    config: AetherConfig, provider: Provider, compute: str, only_for: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Yield a problem for each key that is given and has no meaning on this kind of compute.

    Args:
        config: the configuration.
        provider: the cloud.
        compute: its kind of compute.
        only_for: kinds of compute that a key belongs to, by key.
    """
    for key, kinds in only_for.items():
        path = f"cloud.{provider}.{key}"
        if path in config.given and compute not in kinds:
            words = listing(quote(kind) for kind in kinds)
            yield Problem(
                path=path,
                message=f"is only for compute = {words}, got compute = {quote(compute)}",
                hint="remove it, or change compute",
            )


def together(config: AetherConfig, provider: Provider, keys: Sequence[str], why: str) -> Iterator[Problem]:
    """Yield a problem for each key that is missing while another of its group is there.

    Args:
        config: the configuration.
        provider: the cloud.
        keys: the group.
        why: what the group is for, as the hint.
    """
    section = config.section(provider)
    present = [key for key in keys if getattr(section, key)]
    if present:
        for key in keys:
            if key not in present:
                yield Problem(
                    path=f"cloud.{provider}.{key}", message=f"is missing, but {present[0]} is given", hint=why
                )


def shadowed(config: AetherConfig, provider: Provider, keys: Sequence[str], reason: str) -> Iterator[Problem]:
    """Yield a problem for each key that is given although something else decides.

    Args:
        config: the configuration.
        provider: the cloud.
        keys: the keys.
        reason: what decides instead.
    """
    for key in keys:
        path = f"cloud.{provider}.{key}"
        if path in config.given:
            yield Problem(path=path, message=f"has no effect: {reason}", hint="remove it")


def needs_domain(config: AetherConfig, provider: Provider, key: str) -> Iterator[Problem]:
    """Yield a problem if a DNS zone is given and no domain to put into it.

    Args:
        config: the configuration.
        provider: the cloud.
        key: the zone's key.
    """
    if getattr(config.section(provider), key) and config.cloud.domain is None:
        yield Problem(
            path=f"cloud.{provider}.{key}",
            message="has no effect without cloud.domain",
            hint="say which name to make a record for",
        )


def endpoint(
    provider: Provider, *, public: bool, authorized: Sequence[str], inner: bool = False
) -> Iterator[Problem]:
    """Yield a problem if a public Kubernetes API does not say whom it is for, or a private one does.

    Args:
        provider: the cloud.
        public: whether the API has a public address.
        authorized: networks that may reach it.
        inner: whether the cloud lets a private API have such a list too.
    """
    path = f"cloud.{provider}.authorized_cidrs"
    if public and not authorized:
        yield Problem(
            path=path,
            message="is missing, but endpoint_public is true",
            hint="list the networks that may reach the Kubernetes API",
        )
    if authorized and not public and not inner:
        yield Problem(
            path=path,
            message="has no effect: the Kubernetes API has no public address",
            hint="set endpoint_public = true, or remove it",
        )


def unreachable_image(
    config: AetherConfig, provider: Provider, registry: str, where: str
) -> Iterator[Problem]:
    """Yield a problem if an image lies where machines without NAT cannot get.

    Args:
        config: the configuration.
        provider: the cloud; its `nat` is none.
        registry: matches the hosts of the cloud's own registry.
        where: that registry in words.
    """
    images = {"cloud.image": config.cloud.image}
    if config.managed(provider):
        images["cloud.manager.image"] = config.cloud.manager.image
    for path, image in images.items():
        if image is not None and not re.fullmatch(registry, image.partition("/")[0]):
            yield Problem(
                path=path,
                message=f"cannot be pulled: cloud.{provider}.nat is none, and {show(image)} is not in {where}",
                hint="push it there, or let nat be what it is by default",
            )


def room(
    provider: Provider, key: str, *, fits: int, machines: int, cidr: str, each: str
) -> Iterator[Problem]:
    """Yield a problem if a range is too small for the most machines.

    Args:
        provider: the cloud.
        key: the range's key.
        fits: machines that it holds.
        machines: machines that there may be.
        cidr: the range.
        each: what a machine takes of it.
    """
    if fits < machines:
        yield Problem(
            path=f"cloud.{provider}.{key}",
            message=f"has room for {max(fits, 0)} machines, but there may be {machines}: {show(cidr)}",
            hint=f"{each}; take a wider range, or a smaller max_nodes",
        )


def unknown_region(
    provider: Provider, key: str, region: str, known: Iterable[str], remedy: str
) -> Iterator[Problem]:
    """Yield the problem that a region is not known.

    Args:
        provider: the cloud.
        key: the region's key.
        region: the region.
        known: the regions that are known.
        remedy: what to do if it is a new one.
    """
    near = nearest(region, known)
    yield Problem(
        path=f"cloud.{provider}.{key}",
        message=f"is not a {key} known here: {show(region)}",
        hint=f"{near} " * bool(near) + f"if it is new, {remedy}",
    )
