"""The image registry: one ECR repository."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen
from cdktf_cdktf_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from cdktf_cdktf_provider_aws.ecr_repository import (
    EcrRepository,
    EcrRepositoryEncryptionConfiguration,
    EcrRepositoryImageScanningConfiguration,
)
from constructs import Construct

from aether_infra.aws.policy import Statement
from aether_infra.cdk.text import json_text

_ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<name>[^:@]+)"
)


@frozen(kw_only=True)
class RegistryOutputs:
    """Where images are."""

    repository_url: str
    repository_arn: str


@frozen(kw_only=True)
class RegistryProps:
    """Props of `Registry`."""

    repository: str
    """Name of the repository, such as `aether-node`."""
    keep_images: int = 50
    """Tagged images that are kept; older ones expire."""
    keep_untagged_days: int = 14
    """Days that untagged images are kept."""
    kms_key_arn: str | None = None
    """KMS key; default: AWS' own key for ECR. A change replaces the repository."""
    protect: bool = True
    """Refuse to delete the repository while it holds images."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the repository."""


class Registry(Construct):
    """An ECR repository: scanned on push, encrypted, with immutable tags.

    Immutable, so that a node that restarts runs what the others run.
    Nobody may pull but who is granted `pull_statements`.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html (as of 2026-11).

    Attributes:
        repository: the repository.
        outputs: its address.
    """

    def __init__(self, scope: Construct, id_: str, props: RegistryProps) -> None:
        super().__init__(scope, id_)
        self.repository = EcrRepository(
            self,
            "Resource",
            name=props.repository,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=EcrRepositoryImageScanningConfiguration(scan_on_push=True),
            encryption_configuration=[
                EcrRepositoryEncryptionConfiguration(encryption_type="KMS", kms_key=props.kms_key_arn)
            ],
            force_delete=not props.protect,
            tags=dict(props.tags),
        )
        EcrLifecyclePolicy(
            self, "lifecycle", repository=self.repository.name, policy=_lifecycle_policy(props)
        )
        self.outputs = RegistryOutputs(
            repository_url=self.repository.repository_url, repository_arn=self.repository.arn
        )

    def pull_statements(self) -> list[Statement]:
        """Rights to pull from this repository and no other."""
        return pull_statements(self.repository.arn)


def pull_statements(repository_arn: str) -> list[Statement]:
    """Rights to pull from one repository.

    Args:
        repository_arn: the repository; may be another account's, whose repository policy must then agree.
    """
    return [
        # the login token has no resource to name
        Statement(sid="RegistryLogin", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        Statement(
            sid="PullImage",
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            resources=[repository_arn],
        ),
    ]


def image_repository_arn(image: str, partition: str = "aws") -> str | None:
    """The ECR repository of an image.

    Args:
        image: an image reference, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/node@sha256:…`.
        partition: the AWS partition, which a reference does not tell.

    Returns:
        Its ARN; None for an image that is not in (private) ECR.
    """
    match = _ECR_IMAGE.match(image)
    if match is None:
        return None
    return f"arn:{partition}:ecr:{match['region']}:{match['account']}:repository/{match['name']}"


def _lifecycle_policy(props: RegistryProps) -> str:
    expire = {"type": "expire"}
    rules = [
        {
            "rulePriority": 1,
            "description": f"untagged images go after {props.keep_untagged_days} days",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": props.keep_untagged_days,
            },
            "action": expire,
        },
        {
            "rulePriority": 2,
            "description": f"the newest {props.keep_images} images are kept",
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": props.keep_images,
            },
            "action": expire,
        },
    ]
    return json_text({"rules": rules})
