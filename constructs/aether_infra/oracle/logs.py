"""Logs: a log group, and what Oracle's services write to it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.oracle.bindings.logging_log import (
    LoggingLog,
    LoggingLogConfiguration,
    LoggingLogConfigurationSource,
)
from aether_infra.oracle.bindings.logging_log_group import LoggingLogGroup


@frozen(kw_only=True)
class Logged:
    """What is logged of a resource."""

    service: str
    """The service, as OCI Logging knows it."""
    category: str
    """The service's category."""
    resource_id: str
    """The resource."""


def control_plane(cluster_id: str) -> Logged:
    """All that the control plane of an OKE cluster logs."""
    return Logged(service="oke-k8s-cp-prod", category="all-service-logs", resource_id=cluster_id)


def flows(subnet_id: str) -> Logged:
    """Every connection of a subnet."""
    return Logged(service="flowlogs", category="all", resource_id=subnet_id)


def balancer(load_balancer_id: str, category: str) -> Logged:
    """What a load balancer logs: `access` or `error`."""
    return Logged(service="loadbalancer", category=category, resource_id=load_balancer_id)


@frozen(kw_only=True)
class ServiceLogsProps:
    """Props of `ServiceLogs`."""

    name: str
    """Cluster's name, head of every name."""
    compartment_id: str
    """Compartment of the logs."""
    retention_days: int = 30
    """Days that logs are kept: 30 to 180 in steps of 30."""
    tags: Mapping[str, str] = field(factory=dict)
    """Free-form tags of group and logs."""


class ServiceLogs(Construct):
    """A log group with the logs of Oracle's services, encrypted by Oracle.

    Source: https://docs.oracle.com/en-us/iaas/Content/Logging/Reference/service_logs.htm (as of 2026-11).

    Attributes:
        group: the log group.
        logs: logs by concern.
    """

    def __init__(self, scope: Construct, id_: str, props: ServiceLogsProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.group = LoggingLogGroup(
            self,
            "Resource",
            compartment_id=props.compartment_id,
            display_name=physical_name(props.name, "logs"),
            freeform_tags=dict(props.tags),
        )
        self.logs: dict[str, LoggingLog] = {}

    def add(self, concern: str, logged: Logged) -> None:
        """Keep the logs of a resource.

        Args:
            concern: what is logged; part of the log's name.
            logged: the source.
        """
        props = self._props
        self.logs[concern] = LoggingLog(
            self,
            concern,
            display_name=physical_name(props.name, concern),
            log_group_id=self.group.id,
            log_type="SERVICE",
            is_enabled=True,
            retention_duration=props.retention_days,
            configuration=LoggingLogConfiguration(
                compartment_id=props.compartment_id,
                source=LoggingLogConfigurationSource(
                    source_type="OCISERVICE",
                    service=logged.service,
                    category=logged.category,
                    resource=logged.resource_id,
                ),
            ),
            freeform_tags=dict(props.tags),
        )
