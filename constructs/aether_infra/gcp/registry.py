"""The image registry: one Artifact Registry repository."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_google.artifact_registry_repository import (
    ArtifactRegistryRepository,
    ArtifactRegistryRepositoryCleanupPolicies,
    ArtifactRegistryRepositoryCleanupPoliciesCondition,
    ArtifactRegistryRepositoryDockerConfig,
)
from cdktf_cdktf_provider_google.artifact_registry_repository_iam_member import (
    ArtifactRegistryRepositoryIamMember,
)
from constructs import Construct

IMAGE_NAME = "aether-node"
"""Name of the node's image inside of the repository."""
READER = "roles/artifactregistry.reader"
SECONDS_PER_DAY = 86_400

_IMAGE = re.compile(
    r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>(?:[a-z0-9.-]+\.[a-z]+/)?[a-z0-9-]+)/(?P<repository>[a-z0-9-]+)/.+"
)


@frozen(kw_only=True)
class RegistryOutputs:
    """Where images are."""

    image_url: str
    """What to push the node's image to, without a tag."""
    repository_id: str
    """`projects/…/locations/…/repositories/…`."""


@frozen(kw_only=True)
class RegistryProps:
    """Props of `Registry`."""

    project: str
    """The project's id."""
    region: str
    """Region that images are kept in."""
    repository: str
    """Name of the repository, such as `aether-node`."""
    keep_untagged_days: int = 14
    """Days that untagged images are kept."""
    kms_key: str | None = None
    """KMS key of the same region; default: Google's own. A change replaces the repository."""
    protect: bool = True
    """Refuse to destroy the repository, and the images with it."""
    labels: Mapping[str, str] = field(factory=dict)
    """Labels of the repository."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the service, the right to use the key."""


class Registry(Construct):
    """An Artifact Registry repository for Docker images, with immutable tags.

    Immutable, so that a node that restarts runs what the others run. Nobody may pull but who is granted it.
    Source: https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy (as of 2026-11).

    Attributes:
        repository: the repository.
        outputs: its address.
    """

    def __init__(self, scope: Construct, id_: str, props: RegistryProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.repository = ArtifactRegistryRepository(
            self,
            "Resource",
            project=props.project,
            location=props.region,
            repository_id=props.repository,
            description="Images of Aether nodes",
            format="DOCKER",
            docker_config=ArtifactRegistryRepositoryDockerConfig(immutable_tags=True),
            kms_key_name=props.kms_key,
            cleanup_policies=[
                ArtifactRegistryRepositoryCleanupPolicies(
                    id="untagged",
                    action="DELETE",
                    condition=ArtifactRegistryRepositoryCleanupPoliciesCondition(
                        tag_state="UNTAGGED", older_than=f"{props.keep_untagged_days * SECONDS_PER_DAY}s"
                    ),
                )
            ],
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.protect else None,
            depends_on=list(props.depends_on),
            labels=dict(props.labels),
        )
        self.outputs = RegistryOutputs(
            image_url=image_url(props.region, props.project, props.repository),
            repository_id=self.repository.id,
        )

    def holds(self, image: str) -> bool:
        """Whether an image lies in this repository.

        Args:
            image: an image reference.
        """
        return image.startswith(f"{self.outputs.image_url.rpartition('/')[0]}/")

    def grant_pull(self, scope: Construct, id_: str, member: str) -> ArtifactRegistryRepositoryIamMember:
        """Let somebody pull from this repository and no other.

        Args:
            scope: the construct that owns the grant.
            id_: its id below that.
            member: who, such as `serviceAccount:…`.
        """
        return ArtifactRegistryRepositoryIamMember(
            scope,
            id_,
            project=self._props.project,
            location=self._props.region,
            repository=self.repository.name,
            role=READER,
            member=member,
        )


@frozen(kw_only=True)
class ImageRepository:
    """An Artifact Registry repository that somebody else made."""

    location: str
    project: str
    repository: str

    def grant_pull(self, scope: Construct, id_: str, member: str) -> ArtifactRegistryRepositoryIamMember:
        """Let somebody pull from this repository; see `Registry.grant_pull`."""
        return ArtifactRegistryRepositoryIamMember(
            scope,
            id_,
            project=self.project,
            location=self.location,
            repository=self.repository,
            role=READER,
            member=member,
        )


def image_url(region: str, project: str, repository: str) -> str:
    """Address of the node's image in a repository, without a tag.

    Args:
        region: the repository's location.
        project: its project; that of a domain, `example.com:name`, is written with a slash.
        repository: its name.
    """
    return f"{region}-docker.pkg.dev/{project.replace(':', '/')}/{repository}/{IMAGE_NAME}"


def image_repository(image: str) -> ImageRepository | None:
    """The Artifact Registry repository of an image; None for an image that lies elsewhere.

    Args:
        image: an image reference, such as `europe-docker.pkg.dev/my-project/images/node@sha256:…`.
    """
    match = _IMAGE.fullmatch(image)
    if match is None:
        return None
    return ImageRepository(
        location=match["location"],
        project=match["project"].replace("/", ":"),
        repository=match["repository"],
    )
