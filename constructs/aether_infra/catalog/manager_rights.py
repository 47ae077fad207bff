"""What the runtime manager may do on each cloud: Layer 1 makes the policy from it, tests hold it against the calls.

A manager that makes another call adds its right here; the conformance suite fails where the two differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_AWS_SHARED = frozenset(
    {
        "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:RegisterTargets",
        "route53:ChangeResourceRecordSets",
        "route53:GetChange",
        "route53:GetHostedZone",
        "route53:ListResourceRecordSets",
    }
)
AWS_EC2_RIGHTS: Final = _AWS_SHARED | {
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeSpotInstanceRequests",
    "ec2:DescribeSubnets",
    "ec2:RunInstances",
    "ec2:TerminateInstances",
}
"""On EC2, as actions of IAM: one for each call. Source:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
(as of 2026-11)."""
AWS_FARGATE_RIGHTS: Final = _AWS_SHARED | {
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:StopTask",
    "ecs:TagResource",
    "ecs:UpdateService",
    "ecs:UpdateTaskProtection",
}
"""On ECS, likewise."""

AZURE_VM_RIGHTS: Final = frozenset(
    {
        "Microsoft.Compute/disks/delete",
        "Microsoft.Compute/disks/write",
        "Microsoft.Compute/virtualMachines/delete",
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
        "Microsoft.Network/dnsZones/A/delete",
        "Microsoft.Network/dnsZones/A/write",
        "Microsoft.Network/dnsZones/AAAA/delete",
        "Microsoft.Network/dnsZones/AAAA/write",
        "Microsoft.Network/dnsZones/CNAME/delete",
        "Microsoft.Network/dnsZones/CNAME/write",
        "Microsoft.Network/dnsZones/TXT/delete",
        "Microsoft.Network/dnsZones/TXT/write",
        "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
        "Microsoft.Network/networkInterfaces/delete",
        "Microsoft.Network/networkInterfaces/join/action",
        "Microsoft.Network/networkInterfaces/read",
        "Microsoft.Network/networkInterfaces/write",
        "Microsoft.Network/networkSecurityGroups/join/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    }
)
"""On virtual machines and DNS zones, as actions. Source:
https://learn.microsoft.com/en-us/azure/role-based-access-control/resource-provider-operations (as of 2026-11)."""

GCP_VM_RIGHTS: Final = frozenset(
    {
        "compute.backendServices.get",
        "compute.disks.create",
        "compute.instanceGroups.get",
        "compute.instanceGroups.list",
        "compute.instanceGroups.update",
        "compute.instanceTemplates.useReadOnly",
        "compute.instances.create",
        "compute.instances.delete",
        "compute.instances.get",
        "compute.instances.list",
        "compute.instances.setLabels",
        "compute.instances.setMetadata",
        "compute.instances.setServiceAccount",
        "compute.instances.setTags",
        "compute.instances.use",
        "compute.regionBackendServices.get",
        "compute.subnetworks.use",
        "compute.zoneOperations.get",
        "dns.changes.create",
        "dns.changes.get",
        "dns.managedZones.get",
        "dns.resourceRecordSets.create",
        "dns.resourceRecordSets.delete",
        "dns.resourceRecordSets.list",
    }
)
"""On Compute Engine and Cloud DNS, as permissions. Sources:
https://cloud.google.com/compute/docs/access/iam, https://cloud.google.com/dns/docs/access-control (as of 2026-11)."""

ORACLE_VM_RIGHTS: Final = frozenset(
    {
        "manage instance-family: INSTANCE_CREATE",
        "manage instance-family: INSTANCE_DELETE",
        "manage instance-family: INSTANCE_READ",
        "manage instance-family: INSTANCE_UPDATE",
        "manage instance-family: VNIC_ATTACHMENT_READ",
        "read instance-configurations: INSTANCE_CONFIGURATION_LAUNCH",
        "use dns-records: DNS_RECORD_UPDATE",
        "use dns-zones: DNS_ZONE_READ",
        "use load-balancers: LOAD_BALANCER_READ",
        "use load-balancers: LOAD_BALANCER_UPDATE",
        "use network-security-groups: NETWORK_SECURITY_GROUP_UPDATE_MEMBERS",
        "use virtual-network-family: SUBNET_ATTACH",
        "use virtual-network-family: VNIC_CREATE",
        "use virtual-network-family: VNIC_DELETE",
        "use virtual-network-family: VNIC_READ",
    }
)
"""On instances, load balancers and DNS: `VERB RESOURCE-TYPE: PERMISSION`, of which a policy's statements are made.
Source: https://docs.oracle.com/en-us/iaas/Content/Identity/Reference/corepolicyreference.htm (as of 2026-11)."""

KUBERNETES_RIGHTS: Final = frozenset(
    {
        "apps/deployments:get",
        "apps/deployments:patch",
        "pods/eviction:create",
        "pods:delete",
        "pods:get",
        "pods:list",
        "pods:patch",
    }
)
"""On every kind of compute that is Kubernetes: `[GROUP/]RESOURCE[/SUBRESOURCE]:VERB`, the core group without a name.
Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/ (as of 2026-11)."""

RIGHTS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("aws", "ec2"): AWS_EC2_RIGHTS,
    ("aws", "fargate"): AWS_FARGATE_RIGHTS,
    ("azure", "vm"): AZURE_VM_RIGHTS,
    ("gcp", "vm"): GCP_VM_RIGHTS,
    ("kubernetes", "existing"): KUBERNETES_RIGHTS,
    ("oracle", "vm"): ORACLE_VM_RIGHTS,
}
"""Rights by provider and kind of compute, in the cloud's own words."""
