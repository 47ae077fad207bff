"""Logs of the cluster: a bucket of their own, kept as long as the configuration says."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from cdktf import ITerraformDependable
from cdktf_cdktf_provider_google.logging_project_bucket_config import LoggingProjectBucketConfig
from cdktf_cdktf_provider_google.logging_project_exclusion import LoggingProjectExclusion
from cdktf_cdktf_provider_google.logging_project_sink import LoggingProjectSink
from constructs import Construct

from aether_infra.core.names import physical_name

DEFAULT_RETENTION_DAYS = 30
"""What a project's default bucket keeps; who wants no other needs no bucket.
Source: https://cloud.google.com/logging/quotas#logs_retention_periods (as of 2026-11)."""


@frozen(kw_only=True)
class ClusterLogsProps:
    """Props of `ClusterLogs`."""

    name: str
    """Cluster's name, head of every name."""
    project: str
    """The project's id."""
    region: str
    """Region that logs are kept in."""
    filter: str
    """Which entries are the cluster's, in the logging query language."""
    retention_days: int = 30
    """Days that they are kept, 1-3650."""
    depends_on: Sequence[ITerraformDependable] = ()
    """What must be there before: the service."""


class ClusterLogs(Construct):
    """A log bucket, and a sink that brings the cluster's logs there instead of the project's default bucket.

    Audit logs stay where Google puts them, besides. A bucket that is deleted keeps its name for a week, so a cluster
    that is destroyed and built anew within that time must have another name or region.
    Sources: https://cloud.google.com/logging/docs/buckets,
    https://cloud.google.com/logging/docs/export/configure_export_v2 (as of 2026-11).

    Attributes:
        bucket, sink, exclusion: where logs go; how they get there; what keeps them from being stored twice.
    """

    def __init__(self, scope: Construct, id_: str, props: ClusterLogsProps) -> None:
        super().__init__(scope, id_)
        self.bucket = LoggingProjectBucketConfig(
            self,
            "Resource",
            project=props.project,
            location=props.region,
            bucket_id=physical_name(props.name, "logs"),
            description=f"Logs of Aether cluster {props.name}",
            retention_days=props.retention_days,
            depends_on=list(props.depends_on),
        )
        # a bucket of the same project needs no right to be written to
        self.sink = LoggingProjectSink(
            self,
            "sink",
            project=props.project,
            name=physical_name(props.name, "logs"),
            description=f"Logs of Aether cluster {props.name}",
            destination=f"logging.googleapis.com/{self.bucket.id}",
            filter=props.filter,
            unique_writer_identity=True,
        )
        self.exclusion = LoggingProjectExclusion(
            self,
            "exclusion",
            project=props.project,
            name=physical_name(props.name, "logs"),
            description=f"Kept in the log bucket of Aether cluster {props.name} instead",
            filter=props.filter,
            depends_on=[self.sink],
        )
