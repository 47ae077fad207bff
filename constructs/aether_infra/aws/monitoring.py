"""Logs and alarms: what an operator of a quorum must hear of, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)
from constructs import Construct

from aether_infra.core.names import physical_name
from aether_infra.core.node import majority

PERIOD_SECONDS = 60
"""Length of a data point."""


def container_log_group(cluster: str) -> str:
    """Name of the log group that Container Insights writes containers' output to.

    Args:
        cluster: the EKS cluster's name.
    """
    return f"/aws/containerinsights/{cluster}/application"


@frozen(kw_only=True)
class NodeLogsProps:
    """Props of `NodeLogs`."""

    name: str
    """Cluster's name, part of the log group's."""
    group: str | None = None
    """Name of the log group, where what ships the logs decides it; default: `/aether/<name>/nodes`."""
    retention_days: int = 30
    """How long logs are kept: one of the values CloudWatch has."""
    kms_key_arn: str | None = None
    """KMS key, whose policy must allow CloudWatch Logs; default: the service's own."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of the log group."""


class NodeLogs(Construct):
    """The log group that every node writes to, one stream a node.

    Attributes:
        log_group: the log group.
        name: its name, as plain text.
    """

    def __init__(self, scope: Construct, id_: str, props: NodeLogsProps) -> None:
        super().__init__(scope, id_)
        self.name = props.group or f"/aether/{props.name}/nodes"
        self.log_group = CloudwatchLogGroup(
            self,
            "Resource",
            name=self.name,
            retention_in_days=props.retention_days,
            kms_key_id=props.kms_key_arn,
            tags=dict(props.tags),
        )


@frozen(kw_only=True)
class VoterMetric:
    """A metric of one voter."""

    voter: str
    """The node's id."""
    namespace: str
    """CloudWatch namespace."""
    metric: str
    """Its name."""
    dimensions: Mapping[str, str]
    """What tells this voter's from others."""
    stat: str
    """Statistic over a minute."""
    when_missing: int
    """Value of a minute without data: the one that means `not running`."""
    means_down: bool = False
    """The metric counts what is down (such as a failed status check) instead of what runs."""


@frozen(kw_only=True)
class AlarmsProps:
    """Props of `Alarms`."""

    name: str
    """Cluster's name, head of every name."""
    voters: Sequence[VoterMetric]
    """One metric for each core node; none at all where nothing measures them: then no alarm is about the quorum."""
    load_balancer_arn_suffix: str | None = None
    """The load balancer in CloudWatch's words; None where nothing is published."""
    target_groups: Mapping[str, str] = field(factory=dict)
    """Target groups in CloudWatch's words, by concern."""
    least_healthy: int | None = None
    """Targets that must be healthy, where some may well not be: machines that no node runs on; default: all."""
    topic_arn: str | None = None
    """SNS topic that alarms, and their ends, are sent to."""
    tags: Mapping[str, str] = field(factory=dict)
    """Tags of every alarm."""


class Alarms(Construct):
    """Alarms about the quorum, the targets and the answers.

    `core-degraded`: a voter is missing. `quorum-at-risk` (five voters and more): the next loss ends the quorum.
    `quorum-lost`: fewer voters run than a majority. With three voters, degraded is at risk already, so there is
    no alarm of that name. A voter without data counts as down.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    (as of 2026-11).

    Attributes:
        alarms: alarms by concern.
    """

    def __init__(self, scope: Construct, id_: str, props: AlarmsProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self._tags = dict(props.tags)
        self._topics = [props.topic_arn] if props.topic_arn else None
        self.alarms: dict[str, CloudwatchMetricAlarm] = {}
        if props.voters:
            self._quorum()
        if props.load_balancer_arn_suffix:
            for concern, arn_suffix in props.target_groups.items():
                if props.least_healthy is None:
                    self._unhealthy_targets(concern, arn_suffix)
                else:
                    self._few_targets(concern, arn_suffix, props.least_healthy)
            if "application" in props.target_groups:
                self._errors("target-5xx", "HTTPCode_Target_5XX_Count", "nodes answered with 5xx")
                self._errors("load-balancer-5xx", "HTTPCode_ELB_5XX_Count", "the load balancer gave 5xx")

    def _quorum(self) -> None:
        voters = len(self._props.voters)
        needed = majority(voters)
        self._running_below("core-degraded", voters, 5, f"fewer than {voters} core nodes run")
        if needed + 1 < voters:
            text = f"only {needed} of {voters} core nodes run: the next loss ends the quorum"
            self._running_below("quorum-at-risk", needed + 1, 3, text)
        text = f"fewer than {needed} of {voters} core nodes run: there is no quorum"
        self._running_below("quorum-lost", needed, 2, text)

    def _running_below(self, concern: str, threshold: int, minutes: int, text: str) -> None:
        self.alarms[concern] = CloudwatchMetricAlarm(
            self,
            concern,
            alarm_name=physical_name(self._props.name, concern),
            alarm_description=f"Aether cluster {self._props.name}: {text}",
            comparison_operator="LessThanThreshold",
            threshold=threshold,
            evaluation_periods=minutes,
            datapoints_to_alarm=minutes,
            treat_missing_data="breaching",
            metric_query=self._running(),
            alarm_actions=self._topics,
            ok_actions=self._topics,
            tags=self._tags,
        )

    def _running(self) -> list[CloudwatchMetricAlarmMetricQuery]:
        queries, terms = [], []
        for voter in self._props.voters:
            key = voter.voter.replace("-", "_")
            filled = f"FILL({key},{voter.when_missing})"
            # one task or instance a voter: whatever the metric counts, more than one is still one voter
            terms.append(f"IF({filled}>0,0,1)" if voter.means_down else f"IF({filled}>0,1,0)")
            queries.append(
                CloudwatchMetricAlarmMetricQuery(
                    id=key,
                    label=voter.voter,
                    return_data=False,
                    metric=CloudwatchMetricAlarmMetricQueryMetric(
                        namespace=voter.namespace,
                        metric_name=voter.metric,
                        dimensions=dict(voter.dimensions),
                        period=PERIOD_SECONDS,
                        stat=voter.stat,
                    ),
                )
            )
        total = CloudwatchMetricAlarmMetricQuery(
            id="running", label="core nodes that run", expression="+".join(terms), return_data=True
        )
        return [*queries, total]

    def _unhealthy_targets(self, concern: str, arn_suffix: str) -> None:
        name = f"unhealthy-{concern}-targets"
        self.alarms[name] = CloudwatchMetricAlarm(
            self,
            name,
            alarm_name=physical_name(self._props.name, name),
            alarm_description=f"Aether cluster {self._props.name}: a node is not ready on its {concern} port",
            namespace="AWS/ApplicationELB",
            metric_name="UnHealthyHostCount",
            dimensions=self._balancer_dimensions() | {"TargetGroup": arn_suffix},
            statistic="Maximum",
            period=PERIOD_SECONDS,
            evaluation_periods=5,
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            treat_missing_data="notBreaching",
            alarm_actions=self._topics,
            ok_actions=self._topics,
            tags=self._tags,
        )

    def _few_targets(self, concern: str, arn_suffix: str, least: int) -> None:
        name = f"few-{concern}-targets"
        self.alarms[name] = CloudwatchMetricAlarm(
            self,
            name,
            alarm_name=physical_name(self._props.name, name),
            alarm_description=f"Aether cluster {self._props.name}: fewer than {least} nodes are ready on their "
            f"{concern} port",
            namespace="AWS/ApplicationELB",
            metric_name="HealthyHostCount",
            dimensions=self._balancer_dimensions() | {"TargetGroup": arn_suffix},
            statistic="Minimum",
            period=PERIOD_SECONDS,
            evaluation_periods=5,
            comparison_operator="LessThanThreshold",
            threshold=least,
            treat_missing_data="breaching",
            alarm_actions=self._topics,
            ok_actions=self._topics,
            tags=self._tags,
        )

    def _errors(self, concern: str, metric: str, text: str) -> None:
        self.alarms[concern] = CloudwatchMetricAlarm(
            self,
            concern,
            alarm_name=physical_name(self._props.name, concern),
            alarm_description=f"Aether cluster {self._props.name}: {text} for minutes on end",
            namespace="AWS/ApplicationELB",
            metric_name=metric,
            dimensions=self._balancer_dimensions(),
            statistic="Sum",
            period=PERIOD_SECONDS,
            evaluation_periods=5,
            datapoints_to_alarm=3,
            comparison_operator="GreaterThanThreshold",
            threshold=10,
            treat_missing_data="notBreaching",
            alarm_actions=self._topics,
            ok_actions=self._topics,
            tags=self._tags,
        )

    def _balancer_dimensions(self) -> dict[str, str]:
        return {"LoadBalancer": self._props.load_balancer_arn_suffix or ""}
