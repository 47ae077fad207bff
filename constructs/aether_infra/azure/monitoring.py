"""Logs: a Log Analytics workspace, and what is written to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf import TerraformProvider
from cdktf_cdktf_provider_azurerm import monitor_data_collection_rule as rule_l1
from cdktf_cdktf_provider_azurerm.data_azurerm_log_analytics_workspace import (
    DataAzurermLogAnalyticsWorkspace,
)
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.monitor_data_collection_rule import MonitorDataCollectionRule
from cdktf_cdktf_provider_azurerm.monitor_data_collection_rule_association import (
    MonitorDataCollectionRuleAssociation,
)
from cdktf_cdktf_provider_azurerm.monitor_diagnostic_setting import (
    MonitorDiagnosticSetting,
    MonitorDiagnosticSettingEnabledLog,
)
from constructs import Construct

from aether_infra.azure.resource_id import NAME, RESOURCE_GROUP, part
from aether_infra.cdk.text import json_text
from aether_infra.core.names import physical_name

DESTINATION = "workspace"
CONTAINER_INSIGHTS = ("Microsoft-ContainerInsights-Group-Default",)
"""Stream of a Kubernetes cluster's containers and machines."""
SYSLOG = ("Microsoft-Syslog",)
"""Stream of a machine's system log, the node's output in it."""
CONTROL_PLANE_LOGS = (
    "cloud-controller-manager",
    "cluster-autoscaler",
    "guard",
    "kube-apiserver",
    "kube-audit-admin",
    "kube-controller-manager",
    "kube-scheduler",
)
"""What a control plane can log, all but reads. Source:
https://learn.microsoft.com/en-us/azure/aks/monitor-aks-reference#resource-logs (as of 2026-11)."""


@frozen(kw_only=True)
class WorkspaceProps:
    """Props of `Workspace`."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the workspace."""
    retention_days: int = 30
    """Days that logs are kept, 30-730."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the workspace."""


class Workspace(Construct):
    """A workspace that takes logs by identity alone, not by its shared key.

    Source: https://learn.microsoft.com/en-us/azure/azure-monitor/logs/azure-ad-authentication-logs (as of 2026-11).

    Attributes:
        workspace: the workspace.
        workspace_id: its id.
    """

    def __init__(self, scope: Construct, id_: str, props: WorkspaceProps) -> None:
        super().__init__(scope, id_)
        self.workspace = LogAnalyticsWorkspace(
            self,
            "Resource",
            name=physical_name(props.name, "logs"),
            resource_group_name=props.resource_group,
            location=props.location,
            sku="PerGB2018",
            retention_in_days=props.retention_days,
            local_authentication_enabled=False,
            tags=dict(props.tags),
        )
        self.workspace_id: str = self.workspace.id
        self.location: str = props.location


class ExistingWorkspace(Construct):
    """A workspace of somebody else's, looked up for its location: what collects for it must be in the same.

    Args:
        scope: the construct that owns it.
        id_: its id below that.
        workspace_id: its id; may be a Terraform token.
        provider: provider of its subscription; default: the stack's.

    Attributes:
        workspace_id: its id.
        location: where it is.
    """

    def __init__(
        self, scope: Construct, id_: str, *, workspace_id: str, provider: TerraformProvider | None = None
    ) -> None:
        super().__init__(scope, id_)
        found = DataAzurermLogAnalyticsWorkspace(
            self,
            "Resource",
            name=part(workspace_id, NAME),
            resource_group_name=part(workspace_id, RESOURCE_GROUP),
            provider=provider,
        )
        self.workspace_id = workspace_id
        self.location: str = found.location


@frozen(kw_only=True)
class CollectionProps:
    """Props of `Collection`."""

    name: str
    """Cluster's name, head of every name."""
    resource_group: str
    """Name of the resource group."""
    location: str
    """Location of the rule: the workspace's."""
    workspace_id: str
    """Where it all goes."""
    streams: Sequence[str]
    """`CONTAINER_INSIGHTS` or `SYSLOG`."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the rule."""


class Collection(Construct):
    """A data collection rule: what Azure's agent on a machine sends to the workspace.

    Source: https://learn.microsoft.com/en-us/azure/azure-monitor/data-collection/data-collection-rule-overview
    (as of 2026-11).

    Attributes:
        rule: the rule.
    """

    def __init__(self, scope: Construct, id_: str, props: CollectionProps) -> None:
        super().__init__(scope, id_)
        streams = list(props.streams)
        self.rule = MonitorDataCollectionRule(
            self,
            "Resource",
            name=physical_name(props.name, "logs", limit=64),
            resource_group_name=props.resource_group,
            location=props.location,
            kind="Linux",
            data_sources=_sources(streams),
            destinations=rule_l1.MonitorDataCollectionRuleDestinations(
                log_analytics=[
                    rule_l1.MonitorDataCollectionRuleDestinationsLogAnalytics(
                        name=DESTINATION, workspace_resource_id=props.workspace_id
                    )
                ]
            ),
            data_flow=[
                rule_l1.MonitorDataCollectionRuleDataFlow(streams=streams, destinations=[DESTINATION])
            ],
            tags=dict(props.tags),
        )

    def attach(
        self, scope: Construct, id_: str, resource_id: str, name: str
    ) -> MonitorDataCollectionRuleAssociation:
        """Let the agent of a cluster or machine follow the rule.

        Args:
            scope: the construct that owns the association.
            id_: its id below that.
            resource_id: the cluster or machine.
            name: name of the association; AKS looks for `ContainerInsightsExtension`.
        """
        return MonitorDataCollectionRuleAssociation(
            scope, id_, name=name, target_resource_id=resource_id, data_collection_rule_id=self.rule.id
        )


def _sources(streams: list[str]) -> rule_l1.MonitorDataCollectionRuleDataSources:
    if streams == list(SYSLOG):
        return rule_l1.MonitorDataCollectionRuleDataSources(
            syslog=[
                rule_l1.MonitorDataCollectionRuleDataSourcesSyslog(
                    name="syslog",
                    streams=streams,
                    facility_names=["auth", "authpriv", "cron", "daemon", "kern", "syslog", "user"],
                    log_levels=["Info", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"],
                )
            ]
        )
    return rule_l1.MonitorDataCollectionRuleDataSources(
        extension=[
            rule_l1.MonitorDataCollectionRuleDataSourcesExtension(
                name="ContainerInsightsExtension",
                extension_name="ContainerInsights",
                streams=streams,
                extension_json=json_text(
                    {
                        "dataCollectionSettings": {
                            "interval": "1m",
                            "namespaceFilteringMode": "Off",
                            "enableContainerLogV2": True,
                        }
                    }
                ),
            )
        ]
    )


def control_plane_logs(
    scope: Construct, id_: str, cluster_id: str, workspace_id: str
) -> MonitorDiagnosticSetting:
    """Send what a Kubernetes control plane logs to a workspace.

    Args:
        scope: the construct that owns the setting.
        id_: its id below that.
        cluster_id: the cluster.
        workspace_id: the workspace.
    """
    return MonitorDiagnosticSetting(
        scope,
        id_,
        name="control-plane",
        target_resource_id=cluster_id,
        log_analytics_workspace_id=workspace_id,
        log_analytics_destination_type="Dedicated",
        enabled_log=[MonitorDiagnosticSettingEnabledLog(category=name) for name in CONTROL_PLANE_LOGS],
    )
