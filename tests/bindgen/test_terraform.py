"""Real Terraform takes what is made with bindings of a real provider that the generator was not written for."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from command_lines import TERRAFORM
from schema_check import problems

from aether_infra.bindgen.__main__ import main

pytestmark = pytest.mark.terraform

TYPES = [
    "aws_autoscaling_group",
    "aws_ecs_service",
    "aws_instance",
    "aws_lb",
    "aws_lb_listener",
    "aws_lb_target_group",
    "aws_rds_cluster",
    "aws_route53_record",
    "aws_security_group",
    "aws_subnet",
    "aws_vpc",
    "aws_wafv2_web_acl",
    "aws_bedrockagent_agent",
    "aws_s3_bucket_lifecycle_configuration",
    "data.aws_availability_zones",
    "data.aws_ami",
    "data.aws_iam_policy_document",
    "data.aws_vpc_endpoint",
]
"""Plain ones and the odd: nested by the hundred, values in place of blocks, computed sets, plugin framework."""


@frozen
class Terraform:
    """Terraform with the providers of a mirror alone."""

    environment: dict[str, str]

    def run(self, folder: Path, *arguments: str) -> str:
        command = [TERRAFORM, *arguments]
        done = subprocess.run(
            command, cwd=folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}", pytrace=False)
        return done.stdout


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    mirror = os.environ.get("TF_PLUGIN_MIRROR")
    if shutil.which(TERRAFORM) is None or not mirror:
        pytest.skip("needs terraform on PATH, and a mirror of providers in TF_PLUGIN_MIRROR")
    if not list(Path(mirror).glob("*/hashicorp/aws")):
        pytest.skip("the provider mirror has no hashicorp/aws")
    settings = tmp_path_factory.mktemp("terraform") / "terraform.rc"
    block = f"filesystem_mirror {{ path = {json.dumps(mirror)} }}"
    settings.write_text(f"provider_installation {{\n{block}\n}}\n", encoding="utf-8")
    own = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "AWS_"))}
    return Terraform(own | {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"})


@pytest.fixture(scope="session")
def schema(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema document that Terraform prints of hashicorp/aws."""
    folder = tmp_path_factory.mktemp("schema")
    required = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}}}
    (folder / "main.tf.json").write_text(json.dumps(required), encoding="utf-8")
    terraform.run(folder, "init", "-no-color")
    versions = json.loads(terraform.run(folder, "version", "-json"))["provider_selections"]
    path = folder / f"aws-{versions['registry.terraform.io/hashicorp/aws']}.json"
    path.write_text(terraform.run(folder, "providers", "schema", "-json"), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def aws(schema: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Bindings of some of the provider's types."""
    folder = tmp_path_factory.mktemp("bindings")
    options = ["--provider", "hashicorp/aws", "--out", str(folder / "aws_bindings"), "--only", *TYPES]
    assert main([str(schema), *options]) == 0
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("aws_bindings")
    finally:
        sys.path.remove(str(folder))


def declare(aws: Any, stack: Any) -> None:
    """An application that nobody needs, with most forms of arguments and references."""
    from cdktf import Fn, TerraformIterator, TerraformOutput, TerraformResourceLifecycle, TerraformVariable

    tags = aws.provider.AwsProviderDefaultTags(tags={"CostCenter": "x", "aether-cluster": "y"})
    aws.AwsProvider(stack, "aws", region="eu-west-1", default_tags=[tags])
    other = aws.AwsProvider(stack, "other", region="eu-west-2", alias="other")
    zones = aws.DataAwsAvailabilityZones(
        stack,
        "zones",
        filter=[aws.data_aws_availability_zones.DataAwsAvailabilityZonesFilter(name="a", values=["b"])],
    )
    vpc = aws.Vpc(stack, "vpc", cidr_block="10.0.0.0/16", tags={"Name": "x"}, provider=other)
    each = TerraformIterator.from_list(zones.names)
    subnets = aws.Subnet(
        stack,
        "subnet",
        for_each=each,
        vpc_id=vpc.id,
        availability_zone=each.value,
        cidr_block=Fn.cidrsubnet(vpc.cidr_block, 8, 1),
        timeouts=aws.subnet.SubnetTimeouts(create="5m"),
    )
    ports = TerraformVariable(stack, "ports", type="list(number)", default=[80, 443])
    rules = TerraformIterator.from_list(Fn.toset(Fn.formatlist("%d", [ports.list_value])))
    group = aws.SecurityGroup(
        stack,
        "group",
        vpc_id=vpc.id,
        ingress=[
            aws.security_group.SecurityGroupIngress(
                from_port=80, to_port=80, protocol="tcp", cidr_blocks=[vpc.cidr_block]
            )
        ],
        egress=rules.dynamic({"from_port": rules.value, "to_port": rules.value, "protocol": "tcp"}),
        lifecycle=TerraformResourceLifecycle(create_before_destroy=True, ignore_changes=["description"]),
    )
    balancer = aws.Lb(
        stack,
        "balancer",
        security_groups=[group.id],
        subnets=TerraformIterator.from_resources(subnets).pluck_property("id"),
        access_logs=aws.lb.LbAccessLogs(bucket="b", enabled=True),
        depends_on=[vpc, group],
    )
    target = aws.LbTargetGroup(
        stack,
        "target",
        port=80,
        protocol="HTTP",
        vpc_id=vpc.id,
        health_check=aws.lb_target_group.LbTargetGroupHealthCheck(path="/", interval=10),
    )
    aws.LbListener(
        stack,
        "listener",
        load_balancer_arn=balancer.arn,
        port=80,
        default_action=[aws.lb_listener.LbListenerDefaultAction(type="forward", target_group_arn=target.arn)],
    )
    image = aws.DataAwsAmi(stack, "image", owners=["amazon"], most_recent=True)
    device = image.block_device_mappings.get(0)
    instance = aws.Instance(
        stack,
        "instance",
        count=2,
        ami=image.id,
        instance_type="t3.micro",
        vpc_security_group_ids=[group.id],
        user_data_replace_on_change=True,
        metadata_options=aws.instance.InstanceMetadataOptions(http_tokens="required"),
        root_block_device=aws.instance.InstanceRootBlockDevice(volume_size=20, encrypted=True),
        ebs_block_device=[
            aws.instance.InstanceEbsBlockDevice(device_name=device.device_name, volume_size=1, encrypted=True)
        ],
    )
    aws.Route53Record(
        stack,
        "record",
        zone_id="Z1",
        name="x",
        type="A",
        alias=aws.route53_record.Route53RecordAlias(
            name=balancer.dns_name, zone_id=balancer.zone_id, evaluate_target_health=True
        ),
    )
    waf = aws.wafv2_web_acl
    visibility = waf.Wafv2WebAclVisibilityConfig(
        cloudwatch_metrics_enabled=True, metric_name="m", sampled_requests_enabled=False
    )
    aws.Wafv2WebAcl(
        stack,
        "acl",
        scope_="REGIONAL",
        default_action=waf.Wafv2WebAclDefaultAction(allow=waf.Wafv2WebAclDefaultActionAllow()),
        visibility_config=visibility,
    )
    life = aws.s3_bucket_lifecycle_configuration
    aws.S3BucketLifecycleConfiguration(
        stack,
        "lifecycle",
        bucket="b",
        rule=[
            life.S3BucketLifecycleConfigurationRule(
                id="r",
                status="Enabled",
                filter=[life.S3BucketLifecycleConfigurationRuleFilter(prefix="x/")],
                expiration=[life.S3BucketLifecycleConfigurationRuleExpiration(days=1)],
            )
        ],
    )
    TerraformOutput(stack, "address", value=balancer.dns_name)
    TerraformOutput(stack, "instances", value=instance.fqn)
    TerraformOutput(stack, "mapping", value=device.ebs)


@pytest.mark.parametrize("form", ["json", "hcl"])
def test_a_provider_that_a_user_brings(
    form: str, aws: Any, schema: Path, terraform: Terraform, tmp_path: Path
) -> None:
    from cdktf import TerraformStack, Testing

    stack = TerraformStack(Testing.app(), "stack")
    declare(aws, stack)
    write: Callable[[Any], str] = Testing.synth if form == "json" else Testing.synth_hcl
    text = write(stack)
    (tmp_path / ("main.tf.json" if form == "json" else "main.tf")).write_text(text, encoding="utf-8")
    terraform.run(tmp_path, "init", "-no-color")
    terraform.run(tmp_path, "validate", "-no-color")
    if form == "json":
        assert problems(json.loads(text), schema) == []
