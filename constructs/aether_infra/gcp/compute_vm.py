"""From the configuration to a cluster on Compute Engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from aether_infra.catalog import gcp as catalog
from aether_infra.cdk.text import literal
from aether_infra.config import architecture
from aether_infra.core.machine import HEAP_PLACEHOLDER
from aether_infra.core.node import java_options
from aether_infra.gcp.compute_engine import VmCluster, VmClusterProps
from aether_infra.gcp.identity import SecretAccess
from aether_infra.gcp.load_balancer import ApplicationLoadBalancer, ApplicationLoadBalancerProps
from aether_infra.gcp.management_load_balancer import (
    ManagementLoadBalancer,
    ManagementLoadBalancerProps,
)

if TYPE_CHECKING:
    from cdktf import ITerraformDependable

    from aether_infra.gcp.stack import GcpStack

ARM_IMAGE = "projects/cos-cloud/global/images/family/cos-arm64-stable"
"""Container-Optimized OS for Arm processors, where the configuration names no image.
Source: https://cloud.google.com/container-optimized-os/docs/concepts/versioning (as of 2026-11)."""


@frozen(kw_only=True)
class VmCompute:
    """The machines and the load balancers in front of them."""

    cluster: VmCluster
    """The machines."""
    load_balancer: ApplicationLoadBalancer | None
    """What users call; None where nothing is published."""
    management: ManagementLoadBalancer | None
    """What operators call; None where nobody may."""
    log_filter: str
    """Which log entries are the cluster's."""

    def runtime(self) -> dict[str, Any]:
        """What Layer 2 needs to know of this kind of compute."""
        application, management = self.load_balancer, self.management
        return self.cluster.runtime() | {
            "backend_services": {
                "application": application.backend.name if application else None,
                "management": management.backend.name if management else None,
            },
            "kubernetes": None,
        }


def declare(stack: GcpStack) -> VmCompute:
    """Declare the machines and their load balancers, below a stack."""
    cluster = _cluster(stack)
    # as the groups name them; no other cluster's name followed by ours fits
    machines = f"^{stack.name}-(node-[0-9]+|elastic-[a-z0-9]+)$"
    return VmCompute(
        cluster=cluster,
        load_balancer=_load_balancer(stack, cluster),
        management=_management(stack, cluster),
        log_filter=(
            f'resource.type="gce_instance" AND (jsonPayload.instance.name=~"{machines}" '
            f'OR labels."compute.googleapis.com/resource_name"=~"{machines}")'
        ),
    )


def _cluster(stack: GcpStack) -> VmCluster:
    config, gcp = stack.config, stack.gcp
    before: list[ITerraformDependable] = [
        *stack.services.all("logging", "monitoring"),
        *stack.identity.grants,
        *stack.pull_grants(),
        *stack.network.outputs.egress,
    ]
    if stack.secrets:
        access = SecretAccess(
            stack,
            "secrets",
            secrets=stack.secrets,
            member=stack.identity.member,
            depends_on=stack.services.all("secretmanager"),
        )
        before += access.grants
    return VmCluster(
        stack,
        "compute",
        VmClusterProps(
            name=stack.name,
            project=gcp.project,
            region=gcp.region,
            zones=stack.zones,
            subnetwork_id=stack.network.outputs.subnetwork_id,
            service_account=stack.identity.email,
            core_nodes=stack.counts.core,
            elastic_minimum=stack.counts.elastic_minimum,
            elastic_maximum=stack.counts.elastic_maximum,
            machine_type=gcp.machine_type,
            machine_image=machine_image(stack),
            disk_type=catalog.disk_type(gcp.machine_type),
            shielded=catalog.shielded(gcp.machine_type),
            data_volume_gib=gcp.data_volume_gib,
            managed=stack.managed,
            network_id=stack.network.outputs.network_id,
            spot=gcp.spot,
            kms_key=gcp.kms_key,
            image=stack.image,
            java_opts=java_options(
                heap_mib=config.node.heap_mib or HEAP_PLACEHOLDER,
                gc=config.node.gc,
                dns_ttl_seconds=config.cloud.shutdown.jvm_dns_ttl_seconds,
                extra=literal(config.cloud.java_opts),
            ),
            ports=stack.ports,
            health=stack.health,
            stop_timeout_seconds=config.cloud.shutdown.stop_timeout_seconds,
            secrets=stack.secrets,
            cpu_target_percent=config.cloud.scaling.cpu_target_percent,
            scale_in_seconds=config.cloud.scaling.scale_in_cooldown_seconds,
            protect=config.cloud.protect,
            labels=stack.tags,
            ready=[*stack.services.all("compute"), *stack.key_grants],
            depends_on=before,
        ),
    )


def machine_image(stack: GcpStack) -> str:
    """The machines' image: Container-Optimized OS of their processor, unless another one is said."""
    said = "cloud.gcp.vm_image" in stack.config.given
    return ARM_IMAGE if architecture(stack.gcp) == "arm64" and not said else stack.gcp.vm_image


def _load_balancer(stack: GcpStack, cluster: VmCluster) -> ApplicationLoadBalancer | None:
    if stack.application_address is None:
        return None
    return ApplicationLoadBalancer(
        stack,
        "load-balancer",
        ApplicationLoadBalancerProps(
            name=stack.name,
            project=stack.gcp.project,
            address=stack.application_address.address.id,
            instance_groups=cluster.instance_groups(),
            ports=stack.ports,
            health=stack.health,
            deregistration_delay_seconds=stack.config.cloud.shutdown.deregistration_delay_seconds,
            certificate_links=(stack.tls.certificate_link,) if stack.tls else (),
            ssl_policy_link=stack.tls.policy.id if stack.tls else None,
            security_policy_link=stack.allow_list.policy.id if stack.allow_list else None,
            labels=stack.tags,
        ),
    )


def _management(stack: GcpStack, cluster: VmCluster) -> ManagementLoadBalancer | None:
    if stack.management_address is None:
        return None
    network = stack.network.outputs
    return ManagementLoadBalancer(
        stack,
        "management",
        ManagementLoadBalancerProps(
            name=stack.name,
            project=stack.gcp.project,
            region=stack.gcp.region,
            address=stack.management_address.address.id,
            network_id=network.network_id,
            subnetwork_id=network.subnetwork_id if stack.management_address.internal else None,
            instance_groups=cluster.instance_groups(),
            ports=stack.ports,
            health=stack.health,
            deregistration_delay_seconds=stack.config.cloud.shutdown.deregistration_delay_seconds,
            labels=stack.tags,
        ),
    )
