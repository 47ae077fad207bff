"""Add-ons of an EKS cluster: what Kubernetes needs on AWS, kept by EKS, with an identity each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_eks_addon_version import DataAwsEksAddonVersion
from cdktf_cdktf_provider_aws.eks_addon import EksAddon, EksAddonPodIdentityAssociation
from constructs import Construct

from aether_infra.cdk.text import json_text
from aether_infra.core.kubernetes import POOL_LABEL, SYSTEM_POOL

ON_SYSTEM_POOL = {"nodeSelector": {POOL_LABEL: SYSTEM_POOL}}
"""Keeps a deployment off the machines that the autoscaler may end."""
EVERYWHERE = [{"operator": "Exists"}]
"""Tolerations of what runs on every machine, spot ones too."""
PERFORMANCE_LOGS = ("dataplane", "host", "performance")
"""Log groups of Container Insights besides that of the containers, `application`.
Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-EKS-logs.html"""


@frozen(kw_only=True)
class Addon:
    """One add-on."""

    name: str
    """EKS' name of it, such as `vpc-cni`."""
    settings: Mapping[str, Any] = field(factory=dict)
    """Its configuration, as its own schema wants it."""
    service_account: str | None = None
    """Its Kubernetes service account, which takes `role_arn`."""
    role_arn: str | None = None
    """Role of that service account, by EKS Pod Identity."""


def network_addons(cni_role_arn: str) -> list[Addon]:
    """What a machine needs to join: identities of pods, addresses of pods, addresses of services.

    Args:
        cni_role_arn: role that gives pods their addresses; the machines themselves have no such right.
    """
    return [
        Addon(name="eks-pod-identity-agent"),
        Addon(name="kube-proxy"),
        Addon(
            name="vpc-cni",
            # without it, Kubernetes takes network policies and nobody enforces them
            settings={"enableNetworkPolicy": "true"},
            service_account="aws-node",
            role_arn=cni_role_arn,
        ),
    ]


def cluster_addons(disk_role_arn: str, *, secrets: bool) -> list[Addon]:
    """What runs on machines: names, disks, metrics for autoscaling and, where wanted, secrets.

    Args:
        disk_role_arn: role of the EBS driver.
        secrets: copy secrets of Secrets Manager and Parameter Store into pods that may read them.
    """
    addons = [
        Addon(
            name="aws-ebs-csi-driver",
            settings={"controller": ON_SYSTEM_POOL},
            service_account="ebs-csi-controller-sa",
            role_arn=disk_role_arn,
        ),
        Addon(name="coredns", settings=ON_SYSTEM_POOL),
        Addon(name="metrics-server", settings=ON_SYSTEM_POOL),
    ]
    if secrets:
        settings = {"tolerations": EVERYWHERE, "secrets-store-csi-driver": {"syncSecret": {"enabled": True}}}
        addons.append(Addon(name="aws-secrets-store-csi-driver-provider", settings=settings))
    return addons


def observability_addon(agent_role_arn: str) -> Addon:
    """Containers' logs, and metrics of every pod: Container Insights with enhanced observability.

    Application Signals stays off: it would put an agent of its own into every JVM.

    Args:
        agent_role_arn: role of the CloudWatch agent, which Fluent Bit shares.
    """
    insights = {"metrics_collected": {"kubernetes": {"enhanced_container_insights": True}}}
    return Addon(
        name="amazon-cloudwatch-observability",
        settings={
            "agent": {"config": {"logs": insights}},
            "manager": {"applicationSignals": {"autoMonitor": {"monitorAllServices": False}}},
        },
        service_account="cloudwatch-agent",
        role_arn=agent_role_arn,
    )


@frozen(kw_only=True)
class AddonsProps:
    """Props of `Addons`."""

    cluster_name: str
    """The EKS cluster's name."""
    kubernetes_version: str
    """Its version: add-ons are of the version that EKS takes by default for it."""
    addons: Sequence[Addon]
    """Which ones."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every add-on."""


class Addons(Construct):
    """Add-ons that follow the cluster's version; what was changed in the cluster by hand is set back.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/eks-add-ons.html (as of 2026-11).

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        props: which ones.
        after: what must be there first: machines, for add-ons that are more than an agent on each.

    Attributes:
        addons: add-ons by name.
    """

    def __init__(
        self, scope: Construct, id_: str, props: AddonsProps, *, after: Sequence[ITerraformDependable] = ()
    ) -> None:
        super().__init__(scope, id_)
        self.addons: dict[str, EksAddon] = {}
        for addon in props.addons:
            own = Construct(self, addon.name)
            version = DataAwsEksAddonVersion(
                own, "version", addon_name=addon.name, kubernetes_version=props.kubernetes_version
            )
            self.addons[addon.name] = EksAddon(
                own,
                "Resource",
                cluster_name=props.cluster_name,
                addon_name=addon.name,
                addon_version=version.version,
                configuration_values=json_text(dict(addon.settings)) if addon.settings else None,
                pod_identity_association=[
                    EksAddonPodIdentityAssociation(
                        service_account=addon.service_account, role_arn=addon.role_arn
                    )
                ]
                if addon.service_account and addon.role_arn
                else None,
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE",
                depends_on=list(after) or None,
                tags=dict(props.tags),
            )


@frozen(kw_only=True)
class InsightsLogsProps:
    """Props of `InsightsLogs`."""

    cluster_name: str
    """The EKS cluster's name."""
    retention_days: int = 30
    """How long logs are kept."""
    kms_key_arn: str | None = None
    """KMS key, whose policy must allow CloudWatch Logs; default: the service's own."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every log group."""


class InsightsLogs(Construct):
    """Log groups of Container Insights besides the containers' own: the agents would make them, and keep all for ever.

    Attributes:
        log_groups: log groups by what they hold.
    """

    def __init__(self, scope: Construct, id_: str, props: InsightsLogsProps) -> None:
        super().__init__(scope, id_)
        self.log_groups = {
            kind: CloudwatchLogGroup(
                self,
                kind,
                name=f"/aws/containerinsights/{props.cluster_name}/{kind}",
                retention_in_days=props.retention_days,
                kms_key_id=props.kms_key_arn,
                tags=dict(props.tags),
            )
            for kind in PERFORMANCE_LOGS
        }
