"""What Oracle Cloud adds to the workload: tokens of the OCI command line, block volumes, OCI load balancers."""

from __future__ import annotations

from typing import ClassVar

from aether_infra.cdk.text import json_text
from aether_infra.config import OracleConfig, Provider, oracle_zones
from aether_infra.core.kubernetes import JVM_POOL, POOL_LABEL, SPOT_POOL
from aether_infra.kubernetes.cloud import (
    ON_JVM_POOL,
    ON_SPOT_POOL,
    ExecAccess,
    Exposure,
    KubernetesCloud,
    Storage,
)
from aether_infra.kubernetes.stack import WorkloadStack

HTTPS = 443
LEAST_MBPS, MOST_MBPS = 10, 1000
"""Bandwidth of a load balancer: what is paid for at least, and what it may grow to."""


class OkeWorkload(WorkloadStack):
    """Aether on the OKE cluster of the stack `oracle`.

    Each port that is published gets a load balancer and an address of its own. Security groups say who reaches it:
    Kubernetes is told to leave the rules alone, or it and Terraform would take turns to change them.
    Sources: https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengcreatingloadbalancer.htm,
    https://github.com/oracle/oci-cloud-controller-manager/blob/master/docs/load-balancer-annotations.md
    (as of 2026-11).
    """

    provider: ClassVar[Provider] = Provider.ORACLE

    @property
    def oracle(self) -> OracleConfig:
        """`[cloud.oracle]`."""
        if not isinstance(self.section, OracleConfig):
            raise TypeError(f"not the table of Oracle Cloud: {self.section!r}")
        return self.section

    def cloud(self) -> KubernetesCloud:
        """What Oracle Cloud adds."""
        # load balancers put their own addresses in place of the users'
        balancers = (self.output("load_balancer", "subnet_cidr"),)
        published = self.ports.application is not None
        managed = bool(self.oracle.management_cidrs)
        return KubernetesCloud(
            access=self._access(),
            image=self.image(),
            zones=len(oracle_zones(self.oracle)),
            application=self._exposure("application") if published else Exposure(),
            management=self._exposure("management") if managed else None,
            application_sources=balancers if published else (),
            management_sources=balancers if managed else (),
            storage=self._storage(),
            core=ON_JVM_POOL,
            elastic=ON_SPOT_POOL if self.oracle.spot else ON_JVM_POOL,
            # a pod proves to be of its service account by this token; there is nothing to annotate
            mount_token=True,
        )

    def _access(self) -> ExecAccess:
        """Whoever the OCI command line is configured for.

        Source: https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengdownloadkubeconfigfile.htm
        (as of 2026-11).
        """
        return ExecAccess(
            host=self.output("endpoint"),
            ca_certificate=self.output("ca_certificate"),
            command="oci",
            args=[
                "ce",
                "cluster",
                "generate-token",
                "--cluster-id",
                self.output("cluster_id"),
                "--region",
                self.oracle.region,
            ],
        )

    def _exposure(self, concern: str) -> Exposure:
        health = self.config.cloud.health
        ours, classic = "oci.oraclecloud.com", "service.beta.kubernetes.io/oci-load-balancer"
        pools = f"{JVM_POOL},{SPOT_POOL}" if self.oracle.spot else JVM_POOL
        annotations = {
            f"{ours}/load-balancer-type": "lb",
            f"{ours}/node-label-selector": f"{POOL_LABEL} in ({pools})",
            f"{ours}/oci-network-security-groups": self.output("load_balancer", "security_group_id"),
            f"{ours}/security-rule-management-mode": "None",
            f"{ours}/initial-freeform-tags-override": json_text(self.tags),
            f"{classic}-security-list-management-mode": "None",
            f"{classic}-shape": "flexible",
            f"{classic}-shape-flex-min": str(LEAST_MBPS),
            f"{classic}-shape-flex-max": str(MOST_MBPS),
            f"{classic}-subnet1": self.output("load_balancer", "subnet_id"),
            f"{classic}-health-check-interval": str(health.interval_seconds * 1000),
            f"{classic}-health-check-retries": str(health.unhealthy_threshold),
            f"{classic}-health-check-timeout": str(health.timeout_seconds * 1000),
        }
        if concern == "application" and self.oracle.tls_secret:
            annotations |= {
                f"{classic}-ssl-ports": str(HTTPS),
                f"{classic}-tls-secret": self.oracle.tls_secret,
            }
        encrypted = concern == "application" and self.oracle.tls_secret is not None
        return Exposure(
            type="LoadBalancer",
            annotations=annotations,
            port=HTTPS if encrypted else None,
            load_balancer_ip=self.output("load_balancer", "addresses", concern),
        )

    def _storage(self) -> Storage:
        key = self.oracle.kms_key_id
        return Storage(
            provisioner="blockvolume.csi.oraclecloud.com",
            parameters={"attachment-type": "paravirtualized", "vpusPerGB": "10"}
            | ({"kms-key-id": key} if key else {}),
        )
