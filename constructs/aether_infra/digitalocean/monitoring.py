"""Alerts by e-mail: machines that are not healthy behind a load balancer, full disks, a page that does not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen
from cdktf_cdktf_provider_digitalocean.monitor_alert import MonitorAlert, MonitorAlertAlerts
from cdktf_cdktf_provider_digitalocean.uptime_alert import UptimeAlert, UptimeAlertNotifications
from cdktf_cdktf_provider_digitalocean.uptime_check import UptimeCheck
from constructs import Construct

from aether_infra.core.names import physical_name

MACHINE_ALERTS = {
    "cpu": ("v1/insights/droplet/cpu", 90),
    "memory": ("v1/insights/droplet/memory_utilization_percent", 95),
    "disk": ("v1/insights/droplet/disk_utilization_percent", 80),
}
"""Metric and percentage that is too much, by concern."""
LEAST_HEALTHY_PERCENT = 75
"""Share of machines behind a load balancer that should be healthy; one may be restarting, or idle."""


@frozen(kw_only=True)
class MonitoringProps:
    """Props of `Monitoring`."""

    name: str
    """Cluster's name."""
    emails: Sequence[str]
    """Verified addresses of members of the account."""
    load_balancer_ids: Mapping[str, str] = field(factory=dict)
    """Load balancers by concern."""
    droplet_tag: str | None = None
    """Tag of droplets to watch; default: none (those of DOKS are watched inside of the cluster)."""
    url: str | None = None
    """Page that the world may call; default: none is watched."""


class Monitoring(Construct):
    """Alert policies and an uptime check.

    Source: https://registry.terraform.io/providers/digitalocean/digitalocean/2.71.0/docs/resources/monitor_alert
    (as of 2026-11).

    Attributes:
        alerts: alert policies by concern.
        check: the uptime check; None without a public page.
    """

    def __init__(self, scope: Construct, id_: str, props: MonitoringProps) -> None:
        super().__init__(scope, id_)
        self._props = props
        self.alerts: dict[str, MonitorAlert] = {}
        for concern, balancer_id in props.load_balancer_ids.items():
            self.alerts[concern] = self._alert(
                f"{concern}-health",
                f"machines behind the load balancer for {concern} are not healthy",
                metric="v1/insights/lbaas/droplet_health",
                compare="LessThan",
                value=LEAST_HEALTHY_PERCENT,
                entities=[balancer_id],
            )
        if props.droplet_tag is not None:
            for concern, (metric, value) in MACHINE_ALERTS.items():
                self.alerts[concern] = self._alert(
                    concern,
                    f"{concern} of a machine is above {value} %",
                    metric=metric,
                    compare="GreaterThan",
                    value=value,
                    tags=[props.droplet_tag],
                )
        self.check = self._uptime(props.url) if props.url is not None else None

    def _alert(
        self,
        id_: str,
        text: str,
        *,
        metric: str,
        compare: str,
        value: int,
        entities: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> MonitorAlert:
        return MonitorAlert(
            self,
            id_,
            description=f"Aether cluster {self._props.name}: {text}",
            type=metric,
            compare=compare,
            value=value,
            window="5m",
            entities=entities,
            tags=tags,
            alerts=MonitorAlertAlerts(email=list(self._props.emails)),
        )

    def _uptime(self, url: str) -> UptimeCheck:
        check = UptimeCheck(
            self,
            "uptime",
            name=physical_name(self._props.name, "application"),
            target=url,
            type=url.partition(":")[0],
            regions=["eu_west", "us_east"],
        )
        UptimeAlert(
            self,
            "down",
            name=physical_name(self._props.name, "down"),
            check_id=check.id,
            type="down_global",
            period="2m",
            notifications=[UptimeAlertNotifications(email=list(self._props.emails))],
        )
        return check
