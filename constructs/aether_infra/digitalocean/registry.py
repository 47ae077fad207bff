"""The image registry: the account's one, made here or there already, and credentials to pull from it."""

from __future__ import annotations

from attrs import frozen
from cdktf import Fn, TerraformLocal, TerraformResourceLifecycle, Token
from cdktf_cdktf_provider_digitalocean.container_registry import ContainerRegistry
from cdktf_cdktf_provider_digitalocean.container_registry_docker_credentials import (
    ContainerRegistryDockerCredentials,
)
from cdktf_cdktf_provider_digitalocean.data_digitalocean_container_registry import (
    DataDigitaloceanContainerRegistry,
)
from constructs import Construct

SECONDS_PER_DAY = 24 * 60 * 60


@frozen(kw_only=True)
class RegistryOutputs:
    """Where images are."""

    name: str
    """The registry's name; DOKS calls the pull secret that it puts into every namespace the same."""
    endpoint: str
    """`registry.digitalocean.com/<name>`: repositories come below it when they are pushed to."""


@frozen(kw_only=True)
class RegistryProps:
    """Props of `Registry`."""

    name: str
    """Name, unique in all of DigitalOcean. A change replaces the registry."""
    tier: str
    """Subscription: `starter`, `basic` or `professional`."""
    region: str | None = None
    """Where images are kept; default: DigitalOcean chooses. A change replaces the registry."""
    protect: bool = True
    """Refuse to delete the registry, with all its images."""


class Registry(Construct):
    """The account's container registry, always private.

    Source: https://docs.digitalocean.com/products/container-registry/details/limits/ (as of 2026-11).

    Attributes:
        registry: the registry.
        outputs: its address.
    """

    def __init__(self, scope: Construct, id_: str, props: RegistryProps) -> None:
        super().__init__(scope, id_)
        self.registry = ContainerRegistry(
            self,
            "Resource",
            name=props.name,
            subscription_tier_slug=props.tier,
            region=props.region,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=props.protect or None),
        )
        self.outputs = RegistryOutputs(name=self.registry.name, endpoint=self.registry.endpoint)


class ExistingRegistry(Construct):
    """A registry that the account has already.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        name: the registry's name.

    Attributes:
        outputs: its address.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str) -> None:
        super().__init__(scope, id_)
        registry = DataDigitaloceanContainerRegistry(self, "Resource", name=name)
        self.outputs = RegistryOutputs(name=registry.name, endpoint=registry.endpoint)


class PullCredentials(Construct):
    """Credentials that may pull from a registry and nothing else, for machines: they have no identity here.

    They are in Terraform's state and in the machines' user data. The provider makes new ones when Terraform runs after
    they expired.

    Args:
        scope: the construct that owns them.
        id_: its id below that.
        registry_name: the registry.
        days: how long they are good for, instead of the provider's 50 years.

    Attributes:
        credentials: the credentials.
        docker_config_base64: Docker's `config.json`, in base64.
    """

    def __init__(self, scope: Construct, id_: str, *, registry_name: str, days: int) -> None:
        super().__init__(scope, id_)
        self.credentials = ContainerRegistryDockerCredentials(
            self,
            "Resource",
            registry_name=registry_name,
            write=False,
            expiry_seconds=days * SECONDS_PER_DAY,
        )
        encoded = TerraformLocal(self, "docker-config", Fn.base64encode(self.credentials.docker_credentials))
        # a local value can stand in any text; cdktf puts a function into one without its braces
        self.docker_config_base64: str = Token.as_string(encoded.expression)
