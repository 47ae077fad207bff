"""What EKS adds to the workload: stack `aws-workload`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from aether_infra.aws.eks_autoscaler import ClusterAutoscaler, ClusterAutoscalerProps
from aether_infra.catalog import aws as catalog
from aether_infra.cdk.text import json_text
from aether_infra.config import AwsConfig, Provider, aws_zones
from aether_infra.core.kubernetes import APPLICATION_NODE_PORT, MANAGEMENT_NODE_PORT
from aether_infra.core.tags import standard_tags
from aether_infra.kubernetes.cloud import (
    ON_JVM_POOL,
    ON_SPOT_POOL,
    ExecAccess,
    Exposure,
    KubernetesCloud,
    SecretProvider,
    Storage,
)
from aether_infra.kubernetes.stack import WorkloadStack

_SECRET_ARN_PARTS = 7
"""An ARN of Secrets Manager has seven parts; a JSON key, a stage and a version may follow."""


class EksWorkload(WorkloadStack):
    """Aether on the EKS cluster of the stack `aws`, with the autoscaler of its machines.

    Attributes:
        autoscaler: the cluster autoscaler; None where the number of machines is fixed.
    """

    provider: ClassVar[Provider] = Provider.AWS

    def cloud(self) -> KubernetesCloud:
        """Tokens of IAM, disks of EBS, node ports that the infrastructure's load balancer sends to."""
        aws = self.aws
        published = self.ports.application is not None
        balanced = published or bool(aws.management_cidrs)
        ranges = self._load_balancer_ranges() if balanced else []
        spot = aws.spot and self.counts.elastic_maximum > 0
        return KubernetesCloud(
            access=self._access(),
            image=self.image(),
            zones=len(aws.private_subnet_ids) or len(aws_zones(aws)),
            application=Exposure(type="NodePort", node_port=APPLICATION_NODE_PORT)
            if published
            else Exposure(),
            # also where no operator comes in: the load balancer asks there for health
            management=Exposure(type="NodePort", node_port=MANAGEMENT_NODE_PORT) if balanced else None,
            application_sources=ranges,
            management_sources=ranges,
            storage=self._storage(),
            core=ON_JVM_POOL,
            elastic=ON_SPOT_POOL if spot else ON_JVM_POOL,
            secrets=self._secrets(),
        )

    def extend(self) -> None:
        """The autoscaler of machines, which EKS leaves to whoever runs the cluster."""
        self.autoscaler: ClusterAutoscaler | None = None
        if self.counts.minimum < self.counts.maximum:
            self.autoscaler = ClusterAutoscaler(
                self,
                "autoscaler",
                ClusterAutoscalerProps(
                    cluster=self.name,
                    eks_cluster_name=self.output("cluster_name"),
                    region=self.aws.region,
                    image=self.aws.autoscaler_image or catalog.autoscaler_image(self.aws.kubernetes_version),
                ),
            )

    @property
    def aws(self) -> AwsConfig:
        """`[cloud.aws]`."""
        if not isinstance(self.section, AwsConfig):
            raise TypeError(f"not the table of AWS: {self.section!r}")
        return self.section

    def _access(self) -> ExecAccess:
        """Whoever the AWS CLI is, for a quarter of an hour.

        Source: https://registry.terraform.io/providers/hashicorp/kubernetes/2.38.0/docs#exec-plugins (as of 2026-11).
        """
        return ExecAccess(
            host=self.output("endpoint"),
            ca_certificate=self.output("ca_certificate"),
            command="aws",
            args=[
                "eks",
                "get-token",
                "--cluster-name",
                self.output("cluster_name"),
                "--region",
                self.aws.region,
                "--output",
                "json",
            ],
        )

    def _load_balancer_ranges(self) -> list[str]:
        """Ranges of the load balancer's subnets, one a zone."""
        aws = self.aws
        count = len(aws.public_subnet_ids) or len(aws_zones(aws))
        return [self.output("load_balancer", "source_ranges", str(place)) for place in range(count)]

    def _storage(self) -> Storage:
        """Encrypted gp3 volumes that bear the cluster's tags.

        Source: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md (as of 2026-11).
        """
        parameters = {"type": "gp3", "encrypted": "true", "csi.storage.k8s.io/fstype": "ext4"}
        for number, (key, value) in enumerate(standard_tags(self.name).items(), start=1):
            parameters[f"tagSpecification_{number}"] = f"{key}={value}"
        if self.aws.kms_key_arn:
            parameters["kmsKeyId"] = self.aws.kms_key_arn
        return Storage(provisioner="ebs.csi.aws.com", parameters=parameters)

    def _secrets(self) -> SecretProvider | None:
        """Secrets Manager and Parameter Store, read by the identity of the nodes' service account.

        Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/ascp-pod-identity-integration.html
        (as of 2026-11).
        """
        secrets = self.config.stored_secrets(self.provider)
        if not secrets:
            return None
        objects, names = secret_objects(secrets)
        return SecretProvider(
            provider="aws",
            parameters={
                "objects": json_text(objects),
                "region": self.aws.region,
                "usePodIdentity": "true",
            },
            object_names=names,
        )


def secret_objects(secrets: Mapping[str, str]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What AWS' provider of the Secrets Store CSI driver is to fetch.

    Args:
        secrets: ARN of a secret (a JSON key, stage and version may follow) or parameter by environment variable.

    Returns:
        The `objects`, each ARN and version once however many variables read it, and the object of each variable.
    """
    objects: dict[tuple[str, str, str], dict[str, Any]] = {}
    names = {}
    for variable, reference in sorted(secrets.items()):
        arn, key, stage, version = _parts(reference)
        found = objects.setdefault((arn, stage, version), _object(variable, arn, stage, version))
        if key:
            # quoted, so that any key is one name in JMESPath and no path
            path = f'"{key}"'
            found.setdefault("jmesPath", []).append({"path": path, "objectAlias": variable})
            names[variable] = variable
        else:
            names[variable] = found["objectAlias"]
    return list(objects.values()), names


def _parts(reference: str) -> tuple[str, str, str, str]:
    """ARN, JSON key, stage and version of a reference; the last three may be empty."""
    parts = reference.split(":")
    if parts[2] == "ssm":
        return reference, "", "", ""
    key, stage, version = [*parts[_SECRET_ARN_PARTS:], "", "", ""][:3]
    return ":".join(parts[:_SECRET_ARN_PARTS]), key, stage, version


def _object(variable: str, arn: str, stage: str, version: str) -> dict[str, Any]:
    kind = "ssmparameter" if arn.split(":")[2] == "ssm" else "secretsmanager"
    # the whole of it; no variable has a dot in its name
    described = {"objectName": arn, "objectType": kind, "objectAlias": f"{variable}.whole"}
    if stage:
        described["objectVersionLabel"] = stage
    if version:
        described["objectVersion"] = version
    return described
