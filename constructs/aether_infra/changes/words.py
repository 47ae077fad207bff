"""What a type of resource is in plain words, and what is special about it when it goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_NOUNS: Final[Mapping[str, str]] = {
    "aws_acm_certificate": "certificate",
    "aws_acm_certificate_validation": "check of a certificate",
    "aws_appautoscaling_policy": "scaling policy",
    "aws_appautoscaling_target": "bounds of a scaling policy",
    "aws_autoscaling_attachment": "group's place in the load balancer",
    "aws_autoscaling_group": "auto-scaling group",
    "aws_autoscaling_group_tag": "tag of an auto-scaling group",
    "aws_autoscaling_policy": "scaling policy",
    "aws_cloudwatch_log_group": "log group",
    "aws_cloudwatch_metric_alarm": "alarm",
    "aws_default_security_group": "default firewall",
    "aws_ebs_volume": "disk",
    "aws_ecr_lifecycle_policy": "registry's rules for old images",
    "aws_ecr_repository": "image registry",
    "aws_ecs_cluster": "ECS cluster",
    "aws_ecs_cluster_capacity_providers": "ECS cluster's capacity",
    "aws_ecs_service": "ECS service",
    "aws_ecs_task_definition": "ECS task definition",
    "aws_efs_access_point": "node's folder of the shared file system",
    "aws_efs_backup_policy": "backup policy of a file system",
    "aws_efs_file_system": "shared file system",
    "aws_efs_mount_target": "file system's address in a subnet",
    "aws_eip": "public address",
    "aws_eks_access_entry": "access to the cluster",
    "aws_eks_access_policy_association": "rights in the cluster",
    "aws_eks_addon": "EKS add-on",
    "aws_eks_cluster": "EKS cluster",
    "aws_eks_node_group": "EKS node group",
    "aws_eks_pod_identity_association": "identity of pods",
    "aws_flow_log": "flow log",
    "aws_iam_instance_profile": "instances' identity",
    "aws_iam_role": "role",
    "aws_iam_role_policy": "policy of a role",
    "aws_iam_role_policy_attachment": "policy of a role",
    "aws_instance": "EC2 instance",
    "aws_internet_gateway": "internet gateway",
    "aws_kms_alias": "name of a key",
    "aws_kms_key": "encryption key",
    "aws_lambda_function": "function",
    "aws_lambda_invocation": "wait for a node (rollout gate)",
    "aws_launch_template": "launch template",
    "aws_lb": "load balancer",
    "aws_lb_listener": "listener of a load balancer",
    "aws_lb_target_group": "target group",
    "aws_lb_target_group_attachment": "node's place in the load balancer",
    "aws_nat_gateway": "NAT gateway",
    "aws_route": "route",
    "aws_route53_record": "DNS record",
    "aws_route_table": "route table",
    "aws_route_table_association": "subnet's route table",
    "aws_s3_bucket": "bucket",
    "aws_security_group": "firewall",
    "aws_service_discovery_instance": "node's name",
    "aws_service_discovery_private_dns_namespace": "zone of the nodes' names",
    "aws_service_discovery_service": "node's name",
    "aws_ssm_association": "rolling restart",
    "aws_ssm_document": "program of the rolling restart",
    "aws_ssm_parameter": "settings of the nodes",
    "aws_subnet": "subnet",
    "aws_volume_attachment": "disk's place in a machine",
    "aws_vpc": "network",
    "aws_vpc_endpoint": "private way to AWS",
    "aws_vpc_security_group_egress_rule": "firewall rule (out)",
    "aws_vpc_security_group_ingress_rule": "firewall rule (in)",
    "aws_wafv2_web_acl_association": "web firewall",
    "azurerm_application_security_group": "group of nodes in firewall rules",
    "azurerm_availability_set": "availability set",
    "azurerm_container_registry": "image registry",
    "azurerm_dns_a_record": "DNS record",
    "azurerm_dns_zone": "DNS zone",
    "azurerm_federated_identity_credential": "trust in the cluster's tokens",
    "azurerm_kubernetes_cluster": "AKS cluster",
    "azurerm_kubernetes_cluster_node_pool": "pool of machines",
    "azurerm_lb": "load balancer",
    "azurerm_lb_backend_address_pool": "load balancer's nodes",
    "azurerm_lb_probe": "load balancer's health check",
    "azurerm_lb_rule": "load balancer's rule",
    "azurerm_linux_virtual_machine": "virtual machine",
    "azurerm_linux_virtual_machine_scale_set": "scale set",
    "azurerm_log_analytics_workspace": "log workspace",
    "azurerm_managed_disk": "disk",
    "azurerm_management_lock": "lock against deletion",
    "azurerm_monitor_autoscale_setting": "autoscaler",
    "azurerm_nat_gateway": "NAT gateway",
    "azurerm_network_interface": "network interface",
    "azurerm_network_security_group": "firewall",
    "azurerm_network_security_rule": "firewall rule",
    "azurerm_public_ip": "public address",
    "azurerm_resource_group": "resource group",
    "azurerm_role_assignment": "right",
    "azurerm_subnet": "subnet",
    "azurerm_user_assigned_identity": "identity",
    "azurerm_virtual_machine_data_disk_attachment": "disk's place in a machine",
    "azurerm_virtual_machine_extension": "agent on a machine",
    "azurerm_virtual_machine_run_command": "new settings for a node, and the wait for it",
    "azurerm_virtual_network": "network",
    "digitalocean_certificate": "certificate",
    "digitalocean_container_registry": "image registry",
    "digitalocean_container_registry_docker_credentials": "credentials to pull images",
    "digitalocean_droplet": "droplet",
    "digitalocean_droplet_autoscale": "autoscaled droplets",
    "digitalocean_firewall": "firewall",
    "digitalocean_kubernetes_cluster": "DOKS cluster",
    "digitalocean_kubernetes_node_pool": "pool of machines",
    "digitalocean_loadbalancer": "load balancer",
    "digitalocean_record": "DNS record",
    "digitalocean_ssh_key": "SSH key",
    "digitalocean_volume": "disk",
    "digitalocean_vpc": "network",
    "google_artifact_registry_repository": "image registry",
    "google_compute_address": "address",
    "google_compute_backend_service": "load balancer's backend",
    "google_compute_disk": "disk",
    "google_compute_firewall": "firewall rule",
    "google_compute_forwarding_rule": "load balancer's entrance",
    "google_compute_global_address": "public address",
    "google_compute_global_forwarding_rule": "load balancer's entrance",
    "google_compute_health_check": "health check",
    "google_compute_instance_group_manager": "managed group of one machine",
    "google_compute_instance_template": "machine template",
    "google_compute_managed_ssl_certificate": "certificate",
    "google_compute_network": "network",
    "google_compute_per_instance_config": "machine's lasting disk and address",
    "google_compute_region_autoscaler": "autoscaler",
    "google_compute_region_backend_service": "load balancer's backend",
    "google_compute_region_health_check": "health check",
    "google_compute_region_instance_group_manager": "managed group of machines",
    "google_compute_router": "router",
    "google_compute_router_nat": "NAT",
    "google_compute_security_policy": "allow list",
    "google_compute_ssl_policy": "TLS policy",
    "google_compute_subnetwork": "subnet",
    "google_compute_target_http_proxy": "load balancer's HTTP side",
    "google_compute_target_https_proxy": "load balancer's HTTPS side",
    "google_compute_url_map": "load balancer's map of addresses",
    "google_container_cluster": "GKE cluster",
    "google_container_node_pool": "pool of machines",
    "google_dns_managed_zone": "DNS zone",
    "google_dns_record_set": "DNS record",
    "google_logging_project_bucket_config": "log bucket",
    "google_logging_project_exclusion": "log exclusion",
    "google_logging_project_sink": "log sink",
    "google_project_service": "Google service that is switched on",
    "google_service_account": "service account",
    "kubernetes_manifest": "Kubernetes object",
    "oci_artifacts_container_repository": "image registry",
    "oci_autoscaling_auto_scaling_configuration": "autoscaler",
    "oci_containerengine_addon": "OKE add-on",
    "oci_containerengine_cluster": "OKE cluster",
    "oci_containerengine_node_pool": "pool of machines",
    "oci_core_default_security_list": "default firewall",
    "oci_core_instance": "instance",
    "oci_core_instance_configuration": "instance template",
    "oci_core_instance_pool": "pool of instances",
    "oci_core_internet_gateway": "internet gateway",
    "oci_core_nat_gateway": "NAT gateway",
    "oci_core_network_security_group": "firewall",
    "oci_core_network_security_group_security_rule": "firewall rule",
    "oci_core_public_ip": "public address",
    "oci_core_route_table": "route table",
    "oci_core_service_gateway": "private way to Oracle's services",
    "oci_core_subnet": "subnet",
    "oci_core_vcn": "network",
    "oci_core_volume": "disk",
    "oci_core_volume_attachment": "disk's place in a machine",
    "oci_dns_rrset": "DNS record",
    "oci_dns_zone": "DNS zone",
    "oci_identity_dynamic_group": "group of machines with rights",
    "oci_identity_policy": "rights",
    "oci_load_balancer_backend": "node's place in the load balancer",
    "oci_load_balancer_backend_set": "load balancer's backend",
    "oci_load_balancer_listener": "listener of a load balancer",
    "oci_load_balancer_load_balancer": "load balancer",
    "oci_load_balancer_rule_set": "load balancer's rules",
    "oci_logging_log": "log",
    "oci_logging_log_group": "log group",
}
_PROVIDER_PREFIX = re.compile(r"^[a-z0-9]+_(?:core_|compute_|containerengine_|monitor_|identity_)?")
_VERSION = re.compile(r"_v\d+$")

DATA: Final[Mapping[str, str]] = {
    "aws_cloudwatch_log_group": "logs",
    "aws_db_instance": "the database",
    "aws_dynamodb_table": "the table",
    "aws_ebs_volume": "what the nodes keep on disk",
    "aws_ecr_repository": "images",
    "aws_efs_file_system": "files",
    "aws_kms_key": "all that it has encrypted, when its waiting period is over",
    "aws_rds_cluster": "the database",
    "aws_s3_bucket": "objects in the bucket",
    "azurerm_container_registry": "images",
    "azurerm_log_analytics_workspace": "logs",
    "azurerm_managed_disk": "what the nodes keep on disk",
    "azurerm_mssql_database": "the database",
    "azurerm_mysql_flexible_server": "the database",
    "azurerm_postgresql_flexible_server": "the database",
    "azurerm_resource_group": "all that is in the group",
    "azurerm_storage_account": "all that is stored there",
    "digitalocean_container_registry": "images",
    "digitalocean_database_cluster": "the database",
    "digitalocean_volume": "what the nodes keep on disk",
    "google_artifact_registry_repository": "images",
    "google_compute_disk": "what the nodes keep on disk",
    "google_kms_crypto_key": "all that it has encrypted",
    "google_logging_project_bucket_config": "logs",
    "google_sql_database_instance": "the database",
    "google_storage_bucket": "objects in the bucket",
    "kubernetes_namespace_v1": "all that is in the namespace, its volume claims included",
    "kubernetes_persistent_volume_claim_v1": "what is on the volume",
    "oci_artifacts_container_repository": "images",
    "oci_core_volume": "what the nodes keep on disk",
    "oci_database_db_system": "the database",
    "oci_logging_log": "log entries",
    "oci_mysql_mysql_db_system": "the database",
    "oci_psql_db_system": "the database",
}
"""Types that hold data, and what is lost with them."""

CLUSTERS: Final = frozenset(
    {
        "aws_ecs_cluster",
        "aws_eks_cluster",
        "azurerm_kubernetes_cluster",
        "digitalocean_kubernetes_cluster",
        "google_container_cluster",
        "oci_containerengine_cluster",
    }
)
"""Types that everything runs in."""

NETWORKS: Final = frozenset(
    {
        "aws_subnet",
        "aws_vpc",
        "azurerm_subnet",
        "azurerm_virtual_network",
        "digitalocean_vpc",
        "google_compute_network",
        "google_compute_subnetwork",
        "oci_core_subnet",
        "oci_core_vcn",
    }
)
"""Types that hold the machines' addresses."""

ENTRANCES: Final = frozenset(
    {
        "aws_eip",
        "aws_lb",
        "azurerm_public_ip",
        "digitalocean_loadbalancer",
        "google_compute_address",
        "google_compute_global_address",
        "oci_core_public_ip",
        "oci_load_balancer_load_balancer",
    }
)
"""Types that give an address which others know."""

REVISIONS: Final = frozenset(
    {
        "aws_ecs_task_definition",
        "aws_lambda_invocation",
        "google_compute_instance_template",
        "oci_core_instance_configuration",
    }
)
"""Types that change by a new one in the place of the old, and nothing is lost by it."""

ZONES: Final = frozenset({"azurerm_dns_zone", "google_dns_managed_zone", "oci_dns_zone"})
"""Types whose name servers the parent domain points to."""


def noun(type_: str) -> str:
    """What a type of resource is, in plain words.

    Args:
        type_: the type, such as `aws_lb`.

    Returns:
        Such as `load balancer`; for a type that is not known, the words in its name.
    """
    known = _NOUNS.get(type_)
    return known or _VERSION.sub("", _PROVIDER_PREFIX.sub("", type_)).replace("_", " ")


def plural(word: str) -> str:
    """A noun in the plural, also one with an addition: `rule of a firewall`, `check (in)`."""
    head, space, rest = word, "", ""
    for mark in (" of ", " in ", " on ", " that ", " for ", " to ", " ("):
        if mark in word:
            head, space, rest = word.partition(mark)
            break
    ending = "es" if head.endswith(("s", "x", "ch", "sh")) else "s"
    many = f"{head[:-1]}ies" if re.search(r"[^aeiou]y$", head) else f"{head}{ending}"
    return f"{many}{space}{rest}"


def counted(count: int, what: str) -> str:
    """A number and its noun: `1 stack`, `2 stacks`."""
    return f"{count} {what if count == 1 else plural(what)}"


def listed(names: list[str], limit: int = 5) -> str:
    """Names in a sentence, the rest of a long list as a number."""
    if len(names) > limit:
        return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else ""
