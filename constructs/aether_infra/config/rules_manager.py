"""Rules over `[cloud.manager]`."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve

from aether_infra.catalog import aws, azure, digitalocean, gcp, oracle
from aether_infra.config.checks import matches
from aether_infra.config.digitalocean import DigitaloceanConfig
from aether_infra.config.manager import VOLUME
from aether_infra.config.model import AetherConfig
from aether_infra.config.networks import is_private
from aether_infra.config.provider import Provider
from aether_infra.config.rule import Problems, Rule, rule
from aether_infra.config.secret_references import FORMS, KUBERNETES_FORM, ReferenceForm
from aether_infra.config.sizing import architecture
from aether_infra.config.words import listing, quote, show
from aether_infra.errors import Problem

COMPUTES: Final = tuple(f"cloud.{provider}.compute" for provider in Provider)
BOUNDS: Final = tuple(
    f"cloud.{provider}.{key}" for provider in Provider for key in ("min_nodes", "max_nodes")
)
MACHINES: Final = "vm"
"""Kind of compute whose manager has a machine of its own; on ec2 it is a Fargate task."""
FILE_FORM: Final = ReferenceForm(
    r"file:[A-Za-z0-9_-]{1,64}", "the name of a file on the manager's volume", "file:NAME"
)
"""A secret where there is no store for secrets: a file that the operator puts onto the manager's volume."""
SECRETS: Final = ("api_keys", "aether_api_key", "cloud_token", "journal")
"""Keys that hold references."""
TYPE_FORMS: Final[Mapping[Provider, tuple[str, str, str]]] = {
    Provider.AZURE: (azure.VM_SIZE_FORM, "vm_size", "Standard_B2als_v2"),
    Provider.DIGITALOCEAN: (digitalocean.DROPLET_SIZE_FORM, "droplet_size", "s-1vcpu-2gb"),
    Provider.GCP: (gcp.MACHINE_TYPE_FORM, "machine_type", "e2-small"),
    Provider.ORACLE: (oracle.SHAPE_FORM, "shape", "VM.Standard.E5.Flex"),
}
"""Form of a machine's type, the key that holds that of the nodes, and an example."""


@rule("cloud.manager.enabled", "cloud.manager.image", "cloud.manager.api_keys", "cloud.provider", *COMPUTES)
def complete(config: AetherConfig) -> Problems:
    """What only the operator knows is said."""
    own = config.cloud.manager
    owner = config.secrets_owner
    if not own.enabled or owner not in config.sections:
        return
    if own.image is None:
        yield Problem(
            path="cloud.manager.image",
            message="is missing, but enabled is true",
            hint="none is published: build tools/manager/Dockerfile, push it, and name it here",
        )
    if own.api_keys is None:
        yield Problem(
            path="cloud.manager.api_keys",
            message="is missing, but enabled is true",
            hint=f"name a secret with the keys of its API, such as {_form(config).example}",
        )


@rule("cloud.manager.cloud_token", "cloud.manager.enabled", "cloud.provider", *COMPUTES)
def token(config: AetherConfig) -> Problems:
    """A cloud's token where there is no identity, and only there."""
    own, owner = config.cloud.manager, config.secrets_owner
    if owner not in config.sections:
        return
    needed = _without_identity(config)
    if needed and own.enabled and own.cloud_token is None:
        yield Problem(
            path="cloud.manager.cloud_token",
            message="is missing: droplets have no identity that may call DigitalOcean",
            hint=f"name a secret with an API token, such as {FILE_FORM.example}",
        )
    if not needed and own.cloud_token is not None:
        yield Problem(
            path="cloud.manager.cloud_token",
            message=f"has no effect on {_place(config)}: the manager has an identity of its own there",
            hint="remove it",
        )


@rule(*(f"cloud.manager.{key}" for key in SECRETS), "cloud.provider", *COMPUTES)
def references(config: AetherConfig) -> Problems:
    """References instead of secrets, which the service's place can follow. No message repeats one."""
    if config.secrets_owner not in config.sections:
        return
    form = _form(config)
    for key in SECRETS:
        reference: str | None = getattr(config.cloud.manager, key)
        if (
            reference is None
            or (key == "journal" and reference == VOLUME)
            or matches(form.pattern, reference)
        ):
            continue
        other = 'must be "volume" or' if key == "journal" else "must be"
        yield Problem(
            path=f"cloud.manager.{key}",
            message=f"{other} {form.words}, never the secret itself; what is there has another form",
            hint=f"such as {form.example}{_why(config)}",
        )


@rule("cloud.manager.enabled", "cluster.nodes", "cloud.provider", *COMPUTES, *BOUNDS)
def something_to_manage(config: AetherConfig) -> Problems:
    """There are elastic nodes."""
    owner = config.secrets_owner
    if not config.managed(owner) or owner not in config.sections:
        return
    counts = config.counts(owner)
    if counts.maximum == counts.core:
        yield Problem(
            path="cloud.manager.enabled",
            message=f"has nothing to manage: max_nodes of cloud.{owner} leaves no elastic nodes beside "
            f"{counts.core} core nodes",
            hint="raise max_nodes, or leave the manager out",
        )


@rule("cloud.manager", "cloud.provider", *COMPUTES)
def sizes(config: AetherConfig) -> Problems:
    """A size in the words of its place."""
    owner = config.secrets_owner
    if owner not in config.sections:
        return
    machine = config.section(owner).compute == MACHINES
    idle = ("cpu", "memory") if machine else ("machine_type",)
    instead = "machine_type" if machine else "cpu and memory"
    for key in idle:
        if f"cloud.manager.{key}" in config.given:
            yield Problem(
                path=f"cloud.manager.{key}",
                message=f"has no effect on {_place(config)}: its size is {instead}",
                hint="remove it",
            )
    if owner is Provider.AWS and config.section(owner).compute != "eks":
        yield from _fargate(config)


def _fargate(config: AetherConfig) -> Problems:
    own = config.cloud.manager
    if aws.fargate_pair(own.millicores, own.memory_mib) is None:
        yield Problem(
            path="cloud.manager.memory",
            message=f"and cpu are more than a Fargate task has: {show(own.memory)} and {show(own.cpu)}",
            hint=f"at most {aws.FARGATE_MOST_MIB} MiB and {max(aws.FARGATE_SIZES) // 1024} processors",
        )


@rule("cloud.manager.machine_type", "cloud.provider", *COMPUTES, *(f"cloud.{one}" for one in TYPE_FORMS))
def machine_type(config: AetherConfig) -> Problems:
    """A type of the cloud's own form, with the nodes' processor, whose machine image it shares."""
    owner, given = config.secrets_owner, config.cloud.manager.machine_type
    if given is None or owner not in config.sections or config.section(owner).compute != MACHINES:
        return
    form, key, example = TYPE_FORMS[owner]
    path = "cloud.manager.machine_type"
    if not matches(form, given):
        yield Problem(path=path, message=f"must be a type such as {quote(example)}, got {show(given)}")
        return
    section = config.section(owner)
    changed: Any = evolve(section, **{key: given})  # type: ignore[arg-type] # a key of this very table
    if architecture(changed) != architecture(section):
        yield Problem(
            path=path,
            message=f"must have the processor of the nodes, {architecture(section)}, got {show(given)}",
            hint="it runs the same machine image",
        )
    elif owner is Provider.ORACLE and not given.endswith(".Flex"):
        yield Problem(
            path=path,
            message=f"must be a flexible shape, got {show(given)}",
            hint="the manager takes one OCPU of it",
        )


@rule(
    "cloud.manager.enabled", "cloud.manager.allowed_cidrs", "cloud.provider", *COMPUTES, "cloud.digitalocean"
)
def way_in_for_secrets(config: AetherConfig) -> Problems:
    """On droplets, somebody must be able to put the secrets where they are read."""
    own = config.cloud.digitalocean
    if own is None or not config.managed(Provider.DIGITALOCEAN) or own.compute != MACHINES:
        return
    public = [cidr for cidr in config.cloud.manager.allowed_cidrs if not is_private(cidr)]
    if public:
        yield Problem(
            path="cloud.manager.allowed_cidrs",
            message=f"must be private networks on droplets, got {listing(public)}",
            hint="droplets have a public address, and its API speaks plain HTTP: come through a VPN",
        )
    if not own.ssh_key_ids:
        yield Problem(
            path="cloud.digitalocean.ssh_key_ids",
            message="is missing: DigitalOcean has no secret store, so the manager's secrets come by SSH",
            hint="name a key, and your network in management_cidrs",
        )
    if not [cidr for cidr in own.management_cidrs if cidr != "0.0.0.0/0"]:
        yield Problem(
            path="cloud.digitalocean.management_cidrs",
            message="names no network that may use SSH, by which the manager's secrets come",
            hint="list your own networks",
        )


def _without_identity(config: AetherConfig) -> bool:
    """Whether the manager must be given a token of the cloud."""
    section = config.cloud.digitalocean
    return (
        config.secrets_owner is Provider.DIGITALOCEAN
        and isinstance(section, DigitaloceanConfig)
        and section.compute == MACHINES
    )


def _form(config: AetherConfig) -> ReferenceForm:
    """How a secret of the manager is named. Its pod has no identity in the cloud, so no way to the cloud's store."""
    owner = config.secrets_owner
    if config.in_kubernetes(owner):
        return ReferenceForm(
            KUBERNETES_FORM, "a key of a Kubernetes secret in the nodes' namespace", "kubernetes:SECRET/KEY"
        )
    return FORMS.get(owner, FILE_FORM)


def _why(config: AetherConfig) -> str:
    kubernetes = config.in_kubernetes(config.secrets_owner)
    return ": its pod has no identity in the cloud, whose store it could ask" if kubernetes else ""


def _place(config: AetherConfig) -> str:
    owner = config.secrets_owner
    return f"{owner} with compute = {quote(config.section(owner).compute)}"


MANAGER_RULES: Final[tuple[Rule, ...]] = (
    complete,
    token,
    references,
    something_to_manage,
    sizes,
    machine_type,
    way_in_for_secrets,
)
"""Rules over `[cloud.manager]`."""
