"""What moto's EKS lacks: add-ons, access entries, identities of pods, and what comes with clusters and node groups.

In the same plain way as the rest of the emulator: what was given is returned as it was given.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from moto.autoscaling.models import autoscaling_backends
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.eks import urls
from moto.eks.exceptions import ResourceNotFoundException
from moto.eks.responses import EKSResponse

PATHS = (
    "/addons/supported-versions",
    "/clusters/(?P<name>[^/]+)/access-entries",
    "/clusters/(?P<name>[^/]+)/access-entries/(?P<principalArn>.+)/access-policies",
    "/clusters/(?P<name>[^/]+)/access-entries/(?P<principalArn>.+)/access-policies/(?P<policyArn>.+)",
    "/clusters/(?P<name>[^/]+)/access-entries/(?P<principalArn>.+)",
    "/clusters/(?P<name>[^/]+)/addons",
    "/clusters/(?P<name>[^/]+)/addons/(?P<addonName>[^/]+)",
    "/clusters/(?P<name>[^/]+)/pod-identity-associations",
    "/clusters/(?P<name>[^/]+)/pod-identity-associations/(?P<associationId>[^/]+)",
)
"""Paths that moto has no answer to."""
VERSION = "v1.0.0-eksbuild.1"
"""Version of every add-on."""
Kept = dict[tuple[str, ...], dict[str, Any]]


def complete() -> None:
    """Teach moto's EKS the rest, and IAM the policies that AWS keeps: roles are given them by name."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    for path in PATHS:
        urls.url_paths[f"{{0}}{path}$"] = urls.response.dispatch
    finish_clusters()
    finish_node_groups()
    keep_addons_and_identities()
    keep_access_entries()


def given(self: Any, *names: str) -> dict[str, Any]:
    """Parameters of a call that are there."""
    return {name: value for name in names if (value := self._get_param(name)) is not None}


def found(kept: Kept, *key: str) -> dict[str, Any]:
    """What was kept, or EKS' own error."""
    if key not in kept:
        raise ResourceNotFoundException(message=f"There is no {'/'.join(key)}.")
    return kept[key]


def finish_clusters() -> None:
    """Clusters have a security group of their own, and remember how they are reached and upgraded."""
    create, delete = EKSResponse.create_cluster, EKSResponse.delete_cluster
    settings = {
        "accessConfig": "access_config",
        "upgradePolicy": "upgrade_policy",
        "zonalShiftConfig": "zonal_shift_config",
    }

    def create_cluster(self: Any) -> ActionResult:
        answer: ActionResult = create(self)
        cluster = answer.result["cluster"]
        for parameter, attribute in settings.items():
            setattr(cluster, attribute, self._get_param(parameter))
        ec2 = ec2_backends[self.current_account][self.region]
        network = cluster.resources_vpc_config
        vpc = ec2.get_subnet(network["subnetIds"][0]).vpc_id
        group = ec2.create_security_group(f"eks-cluster-sg-{cluster.name}", "EKS", vpc)
        network |= {"clusterSecurityGroupId": group.id, "vpcId": vpc}
        network.setdefault("publicAccessCidrs", ["0.0.0.0/0"] if network["endpointPublicAccess"] else [])
        return answer

    def delete_cluster(self: Any) -> ActionResult:
        answer: ActionResult = delete(self)
        group = answer.result["cluster"].resources_vpc_config["clusterSecurityGroupId"]
        ec2_backends[self.current_account][self.region].delete_security_group(group_id=group)
        return answer

    EKSResponse.create_cluster = create_cluster
    EKSResponse.delete_cluster = delete_cluster


def finish_node_groups() -> None:
    """Node groups have an auto-scaling group, without a machine, and remember how they are updated."""
    create, delete = EKSResponse.create_nodegroup, EKSResponse.delete_nodegroup

    def create_nodegroup(self: Any) -> ActionResult:
        answer: ActionResult = create(self)
        group = answer.result["nodegroup"]
        group.update_config = self._get_param("updateConfig")
        group.node_repair_config = self._get_param("nodeRepairConfig")
        # moto makes up what the launch template says, and a key to log in with
        group.remote_access = self._get_param("remoteAccess")
        group.disk_size = self._get_param("diskSize")
        group.instance_types = self._get_param("instanceTypes")
        name = group.resources["autoScalingGroups"][0]["name"]
        template = group.launch_template
        autoscaling_backends[self.current_account][self.region].create_auto_scaling_group(
            name=name,
            availability_zones=[],
            desired_capacity=0,
            max_size=group.scaling_config["maxSize"],
            min_size=0,
            launch_config_name="",
            launch_template={"LaunchTemplateId": template["id"], "Version": template["version"]},
            vpc_zone_identifier=",".join(group.subnets),
            default_cooldown=300,
            health_check_period=300,
            health_check_type="EC2",
            load_balancers=[],
            target_group_arns=[],
            placement_group="",
            termination_policies=[],
            tags=[],
            capacity_rebalance=True,
        )
        return answer

    def delete_nodegroup(self: Any) -> ActionResult:
        answer: ActionResult = delete(self)
        name = answer.result["nodegroup"].resources["autoScalingGroups"][0]["name"]
        autoscaling_backends[self.current_account][self.region].delete_auto_scaling_group(name)
        return answer

    EKSResponse.create_nodegroup = create_nodegroup
    EKSResponse.delete_nodegroup = delete_nodegroup


def keep_addons_and_identities() -> None:
    """Add-ons, each of the one version there is, and roles of service accounts, an add-on's among them."""
    addons: Kept = {}
    associations: Kept = {}

    def associate(self: Any, namespace: str, wanted: dict[str, Any]) -> dict[str, Any]:
        cluster, identity = self._get_param("name"), f"a-{uuid4().hex[:17]}"
        owner = f"arn:aws:eks:{self.region}:{self.current_account}"
        associations[cluster, identity] = wanted | {
            "clusterName": cluster,
            "namespace": namespace,
            "associationId": identity,
            "associationArn": f"{owner}:podidentityassociation/{cluster}/{identity}",
            "createdAt": utcnow(),
            "modifiedAt": utcnow(),
        }
        return associations[cluster, identity]

    def create_addon(self: Any) -> ActionResult:
        cluster, name = self._get_param("name"), self._get_param("addonName")
        tied = [
            associate(self, "kube-system", wanted)["associationArn"]
            for wanted in self._get_param("podIdentityAssociations") or []
        ]
        addons[cluster, name] = given(self, "addonName", "addonVersion", "configurationValues", "tags") | {
            "clusterName": cluster,
            "status": "ACTIVE",
            "addonArn": f"arn:aws:eks:{self.region}:{self.current_account}:addon/{cluster}/{name}/{uuid4()}",
            "podIdentityAssociations": tied,
            "createdAt": utcnow(),
            "modifiedAt": utcnow(),
        }
        return ActionResult({"addon": addons[cluster, name]})

    def describe_addon(self: Any) -> ActionResult:
        return ActionResult({"addon": found(addons, self._get_param("name"), self._get_param("addonName"))})

    def delete_addon(self: Any) -> ActionResult:
        key = self._get_param("name"), self._get_param("addonName")
        addon = found(addons, *key)
        del addons[key]
        return ActionResult({"addon": addon})

    def describe_addon_versions(self: Any) -> ActionResult:
        name, version = self._get_param("addonName"), self._get_param("kubernetesVersion")
        compatible = [{"clusterVersion": version, "defaultVersion": True}]
        versions = [{"addonVersion": VERSION, "compatibilities": compatible}]
        return ActionResult({"addons": [{"addonName": name, "addonVersions": versions}]})

    def create_pod_identity_association(self: Any) -> ActionResult:
        wanted = given(self, "serviceAccount", "roleArn", "tags")
        return ActionResult({"association": associate(self, self._get_param("namespace"), wanted)})

    def describe_pod_identity_association(self: Any) -> ActionResult:
        key = self._get_param("name"), self._get_param("associationId")
        return ActionResult({"association": found(associations, *key)})

    def delete_pod_identity_association(self: Any) -> ActionResult:
        key = self._get_param("name"), self._get_param("associationId")
        association = found(associations, *key)
        del associations[key]
        return ActionResult({"association": association})

    for call in (
        create_addon,
        create_pod_identity_association,
        delete_addon,
        delete_pod_identity_association,
        describe_addon,
        describe_addon_versions,
        describe_pod_identity_association,
    ):
        setattr(EKSResponse, call.__name__, call)


def keep_access_entries() -> None:
    """Who may use the Kubernetes API, and what for."""
    entries: Kept = {}
    policies: Kept = {}

    def key(self: Any, *further: str) -> tuple[str, ...]:
        return tuple(unquote(self._get_param(name)) for name in ("name", "principalArn", *further))

    def create_access_entry(self: Any) -> ActionResult:
        cluster, principal = key(self)
        owner = f"arn:aws:eks:{self.region}:{self.current_account}"
        entries[cluster, principal] = given(self, "principalArn", "type", "tags", "kubernetesGroups") | {
            "clusterName": cluster,
            "accessEntryArn": f"{owner}:access-entry/{cluster}/{uuid4()}",
            "username": principal,
            "createdAt": utcnow(),
            "modifiedAt": utcnow(),
        }
        return ActionResult({"accessEntry": entries[cluster, principal]})

    def describe_access_entry(self: Any) -> ActionResult:
        return ActionResult({"accessEntry": found(entries, *key(self))})

    def delete_access_entry(self: Any) -> EmptyResult:
        found(entries, *key(self))
        del entries[key(self)]
        return EmptyResult()

    def associate_access_policy(self: Any) -> ActionResult:
        found(entries, *key(self))
        policy = given(self, "policyArn", "accessScope") | {"associatedAt": utcnow(), "modifiedAt": utcnow()}
        policies[key(self, "policyArn")] = policy
        cluster, principal = key(self)
        return ActionResult(
            {"clusterName": cluster, "principalArn": principal, "associatedAccessPolicy": policy}
        )

    def list_associated_access_policies(self: Any) -> ActionResult:
        cluster, principal = key(self)
        found(entries, cluster, principal)
        own = [policy for place, policy in policies.items() if place[:2] == (cluster, principal)]
        return ActionResult(
            {"clusterName": cluster, "principalArn": principal, "associatedAccessPolicies": own}
        )

    def disassociate_access_policy(self: Any) -> EmptyResult:
        found(policies, *key(self, "policyArn"))
        del policies[key(self, "policyArn")]
        return EmptyResult()

    for call in (
        associate_access_policy,
        create_access_entry,
        delete_access_entry,
        describe_access_entry,
        disassociate_access_policy,
        list_associated_access_policies,
    ):
        setattr(EKSResponse, call.__name__, call)
