"""The image registry: one repository of OCIR."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from cdktf import TerraformResourceLifecycle
from constructs import Construct

from aether_infra.catalog import oracle as catalog
from aether_infra.oracle.bindings.artifacts_container_repository import ArtifactsContainerRepository
from aether_infra.oracle.bindings.data_oci_objectstorage_namespace import DataOciObjectstorageNamespace


@frozen(kw_only=True)
class RegistryOutputs:
    """Where images are."""

    repository_url: str
    """What to push to, without a tag: host, the tenancy's namespace, repository."""
    repository_name: str
    """Name of the repository, as policies know it."""
    host: str
    """The registry."""


@frozen(kw_only=True)
class RegistryProps:
    """Props of `Registry`."""

    repository: str
    """Name of the repository, such as `aether-node`; unique in the tenancy and region."""
    compartment_id: str
    """Compartment of the repository."""
    region: str
    """The registry's region."""
    realm: str = "oc1"
    """Realm of the region: the third part of any OCID."""
    protect: bool = True
    """Refuse to destroy the repository with all that is in it."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of the repository."""


class Registry(Construct):
    """A private OCIR repository whose tags, once pushed, stay what they are.

    Immutable, so that a node that restarts runs what the others run.
    Source: https://docs.oracle.com/en-us/iaas/Content/Registry/Concepts/registryoverview.htm (as of 2026-11).

    Attributes:
        repository: the repository.
        outputs: its address.
    """

    def __init__(self, scope: Construct, id_: str, props: RegistryProps) -> None:
        super().__init__(scope, id_)
        self.repository = ArtifactsContainerRepository(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            display_name=props.repository,
            is_immutable=True,
            is_public=False,
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            freeform_tags=dict(props.tags),
        )
        namespace = DataOciObjectstorageNamespace(
            self, "namespace", compartment_id=props.compartment_id
        ).namespace
        host = catalog.registry_host(props.region, props.realm)
        self.outputs = RegistryOutputs(
            repository_url=f"{host}/{namespace}/{self.repository.display_name}",
            repository_name=props.repository,
            host=host,
        )
