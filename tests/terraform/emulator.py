"""An AWS for Terraform: moto's server, taught to remember what the stacks tell it.

Run with the Python that has moto: `python emulator.py --port 5000`. moto takes some arguments and forgets
them, and a few calls it does not have at all. Each of that is mended here in the plainest way: what was given is
returned as it was given. Nothing is computed, checked or corrected, so that a second plan compares what the
provider had sent with what the provider reads. Whatever else moto forgets is listed in moto.toml.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any
from uuid import uuid4

import emulator_eks
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.awslambda.models import LambdaFunction
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.responses.monitoring import Monitoring
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.efs.exceptions import FileSystemNotFound
from moto.efs.responses import EFSResponse
from moto.route53 import models as route53
from moto.server import main
from moto.ssm.models import SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse


def remember_scaling_tags() -> None:
    """Application Auto Scaling drops the tags of a target, and has no call to list them."""
    tags: dict[str, dict[str, str]] = {}
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_scalable_target(self: Any) -> str:
        answer: str = register(self)
        tags.setdefault(json.loads(answer)["ScalableTargetARN"], {}).update(self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self: Any) -> str:
        return json.dumps({"Tags": tags.get(self._get_param("ResourceARN"), {})})

    ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target
    ApplicationAutoScalingResponse.list_tags_for_resource = list_tags_for_resource


def remember_service_settings() -> None:
    """ECS drops these on creation, although it keeps them on an update."""
    settings = {
        "availabilityZoneRebalancing": "availability_zone_rebalancing",
        "capacityProviderStrategy": "capacity_provider_strategy",
        "deploymentConfiguration": "deployment_configuration",
        "enableECSManagedTags": "enable_ecs_managed_tags",
        "enableExecuteCommand": "enable_execute_command",
        "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    }
    create = EC2ContainerServiceResponse.create_service

    def create_service(self: Any) -> ActionResult:
        answer: ActionResult = create(self)
        for parameter, attribute in settings.items():
            value = self._get_param(parameter)
            if value is not None:
                setattr(answer.result["service"], attribute, value)
        return answer

    EC2ContainerServiceResponse.create_service = create_service


def remember_function_logging() -> None:
    """Lambda drops where a function logs."""
    start, describe = LambdaFunction.__init__, LambdaFunction.get_configuration

    def __init__(self: Any, *arguments: Any, spec: dict[str, Any], **others: Any) -> None:  # noqa: N807
        start(self, *arguments, spec=spec, **others)
        self.logging_config = spec.get("LoggingConfig")

    def get_configuration(self: Any, on_create: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        return describe(self, on_create) | (
            {"LoggingConfig": self.logging_config} if self.logging_config else {}
        )

    LambdaFunction.__init__ = __init__
    LambdaFunction.get_configuration = get_configuration


def show_descriptions_of_group_rules() -> None:
    """EC2 keeps the description of a rule for a group, but only returns those of rules for addresses."""

    def description(self: Any) -> str | None:
        return self.ip_range.get("Description") or (self.source_group or {}).get("Description")

    SecurityGroupRule.description = property(description)


def show_no_public_address_where_there_is_none() -> None:
    """EC2 shows an empty association of every network interface, which reads as a public address."""
    association = NetworkInterface.association.fget

    NetworkInterface.association = property(lambda self: association(self) or None)


def remember_instance_settings() -> None:
    """EC2 drops how an instance is recovered, and does not show the groups of its first interface as its own."""
    run = InstanceResponse.run_instances

    def run_instances(self: Any) -> ActionResult:
        answer: ActionResult = run(self)
        for instance in answer.result.instances:
            instance.maintenance_options = self._get_param("MaintenanceOptions", {"AutoRecovery": "default"})
            instance.security_groups = instance.security_groups or list(instance.nics[0].group_set)
        return answer

    InstanceResponse.run_instances = run_instances


def name_zones_as_route_53_does() -> None:
    """Route 53's zone ids begin with a Z, and configurations are checked for it."""
    create = route53.create_route53_zone_id

    route53.create_route53_zone_id = lambda **given: f"Z{create(**given)[1:]}"


def tell_a_template_from_what_it_makes() -> None:
    """EC2 counts the tags of a launch template among those that it gives to instances."""
    create = LaunchTemplates.create_launch_template

    def create_launch_template(self: Any) -> ActionResult:
        answer: ActionResult = create(self)
        template = self.ec2_backend.get_launch_template(answer.result["LaunchTemplate"]["LaunchTemplateId"])
        data = template.default_version().data
        given = data.get("TagSpecifications", [])
        data["TagSpecifications"] = [each for each in given if each["ResourceType"] != "launch-template"]
        return answer

    LaunchTemplates.create_launch_template = create_launch_template


def remember_group_settings() -> None:
    """Auto Scaling drops the warm-up of a group, and that a policy is enabled and predicts nothing."""
    create, put = AutoScalingResponse.create_auto_scaling_group, AutoScalingBackend.put_scaling_policy

    def create_auto_scaling_group(self: Any) -> Any:
        answer = create(self)
        group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
        group.default_instance_warmup = self._get_int_param("DefaultInstanceWarmup")
        return answer

    def put_scaling_policy(self: Any, **given: Any) -> Any:
        policy = put(self, **given)
        policy.enabled = True
        policy.predictive_scaling_configuration = policy.predictive_scaling_configuration or None
        return policy

    AutoScalingResponse.create_auto_scaling_group = create_auto_scaling_group
    AutoScalingBackend.put_scaling_policy = put_scaling_policy


def monitor_instances() -> None:
    """EC2 has no call to turn on the monitoring of an instance."""

    def switch(self: Any, state: str) -> ActionResult:
        instances = self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds", []))
        for instance in instances:
            instance.monitoring_state = state
        monitored = [{"InstanceId": instance.id, "Monitoring": {"State": state}} for instance in instances]
        return ActionResult({"InstanceMonitorings": monitored})

    Monitoring.monitor_instances = lambda self: switch(self, "enabled")
    Monitoring.unmonitor_instances = lambda self: switch(self, "disabled")


def keep_backup_policies() -> None:
    """EFS has no call to set whether a file system is backed up."""
    policies: dict[str, dict[str, str]] = {}

    def answer(self: Any) -> tuple[str, dict[str, str]]:
        identity = self._get_param("FileSystemId")
        if identity not in self.efs_backend.file_systems_by_id:
            raise FileSystemNotFound(identity)
        policy = policies[identity]
        return json.dumps({"BackupPolicy": policy}), {"Content-Type": "application/json"}

    def put_backup_policy(self: Any) -> tuple[str, dict[str, str]]:
        policies[self._get_param("FileSystemId")] = self._get_param("BackupPolicy")
        return answer(self)

    EFSResponse.put_backup_policy = put_backup_policy
    EFSResponse.describe_backup_policy = answer


def keep_associations() -> None:
    """Systems Manager has no associations of documents with instances."""
    check = SimpleSystemManagerBackend._validate_resource_type_and_id  # noqa: SLF001
    associations: dict[str, dict[str, Any]] = {}
    fields = "Name AssociationName Targets Parameters MaxConcurrency MaxErrors ScheduleExpression ComplianceSeverity"

    def given(self: Any) -> dict[str, Any]:
        return {
            field: self._get_param(field) for field in fields.split() if self._get_param(field) is not None
        }

    def found(self: Any) -> dict[str, Any]:
        if self._get_param("AssociationId") not in associations:
            raise JsonRESTError("AssociationDoesNotExist", "The association does not exist.")
        return associations[self._get_param("AssociationId")]

    def create(self: Any) -> ActionResult:
        identity = str(uuid4())
        for tag in self._get_param("Tags") or []:
            self.ssm_backend.add_tags_to_resource("Association", identity, {tag["Key"]: tag["Value"]})
        associations[identity] = given(self) | {
            "AssociationId": identity,
            "AssociationVersion": "1",
            "DocumentVersion": "$DEFAULT",
            "Overview": {"Status": "Success"},
        }
        return ActionResult({"AssociationDescription": associations[identity]})

    def update(self: Any) -> ActionResult:
        found(self).update(given(self))
        return ActionResult({"AssociationDescription": found(self)})

    def delete(self: Any) -> ActionResult:
        del associations[found(self)["AssociationId"]]
        return ActionResult({})

    def validate(self: Any, resource_type: str, resource_id: str) -> str:
        return resource_id if resource_type == "Association" else check(self, resource_type, resource_id)

    SimpleSystemManagerBackend._validate_resource_type_and_id = validate  # noqa: SLF001
    SimpleSystemManagerResponse.create_association = create
    SimpleSystemManagerResponse.describe_association = lambda self: ActionResult(
        {"AssociationDescription": found(self)}
    )
    SimpleSystemManagerResponse.update_association = update
    SimpleSystemManagerResponse.delete_association = delete


def end_with(parent: int) -> None:
    """End when the test run does, however it ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    remember_scaling_tags()
    remember_service_settings()
    remember_function_logging()
    show_descriptions_of_group_rules()
    show_no_public_address_where_there_is_none()
    name_zones_as_route_53_does()
    tell_a_template_from_what_it_makes()
    remember_instance_settings()
    remember_group_settings()
    monitor_instances()
    keep_backup_policies()
    keep_associations()
    emulator_eks.complete()
    main(sys.argv[1:])
