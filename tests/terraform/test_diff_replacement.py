"""What `aether-infra diff` foretells, beside what Terraform and the AWS provider plan."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from command_lines import TERRAFORM, terraform_path

from aether_infra.changes.conditions import Answer
from aether_infra.changes.stacks import compare_documents

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        ],
    }
)
ALLOWED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "ssm:GetParameter",
                "Resource": "arn:aws:ssm:*:*:parameter/settings:${aws_ssm_parameter.settings.version}",
            }
        ],
    }
)
CONTAINER = '[{{"name": "aether", "image": "aether:{}", "memory": 128, "essential": true}}]'
APPLIED: dict[str, dict[str, dict[str, Any]]] = {
    "aws_vpc": {
        "moves": {"cidr_block": "10.0.0.0/16"},
        "stays": {"cidr_block": "10.8.0.0/16", "enable_dns_hostnames": False},
    },
    "aws_subnet": {
        "follows": {"vpc_id": "${aws_vpc.moves.id}", "cidr_block": "10.0.1.0/24"},
        "stays": {"vpc_id": "${aws_vpc.stays.id}", "cidr_block": "10.8.1.0/24"},
    },
    "aws_security_group": {"nodes": {"name": "nodes", "vpc_id": "${aws_vpc.stays.id}", "description": "old"}},
    "aws_vpc_security_group_ingress_rule": {
        "range": {
            "security_group_id": "${aws_security_group.nodes.id}",
            "ip_protocol": "tcp",
            "from_port": 1,
            "to_port": 1,
            "cidr_ipv4": "10.0.0.0/8",
        }
    },
    "aws_cloudwatch_log_group": {
        "kept": {"name": "kept", "retention_in_days": 7},
        "renamed": {"name": "old", "retention_in_days": 7},
    },
    "aws_ecs_cluster": {"main": {"name": "main"}},
    "aws_ecs_task_definition": {
        "image": {"family": "image", "container_definitions": CONTAINER.format(1)},
        "same": {"family": "same", "container_definitions": CONTAINER.format(1)},
    },
    "aws_ecr_repository": {"images": {"name": "images", "image_tag_mutability": "MUTABLE"}},
    "aws_ebs_volume": {
        "grows": {"availability_zone": "us-west-2a", "size": 1},
        "encrypted": {"availability_zone": "us-west-2a", "size": 1, "encrypted": False},
        "ignored": {
            "availability_zone": "us-west-2a",
            "size": 1,
            "lifecycle": {"ignore_changes": ["availability_zone"]},
        },
    },
    "aws_iam_role": {
        "path": {"name": "path", "assume_role_policy": TRUST},
        "described": {"name": "described", "assume_role_policy": TRUST},
    },
    "aws_ssm_parameter": {"settings": {"name": "settings", "type": "String", "value": "1"}},
    "aws_iam_role_policy": {
        "version": {
            "name": "version",
            "role": "${aws_iam_role.described.name}",
            "policy": ALLOWED,
        },
        "looked-up": {
            "name": "looked-up",
            "role": "${aws_iam_role.described.name}",
            "policy": "${data.aws_iam_policy_document.logs.json}",
        },
    },
    "aws_s3_bucket": {"objects": {"bucket": "objects-of-a-test", "force_destroy": False}},
    "aws_s3_bucket_policy": {
        "follows": {
            "bucket": "${aws_s3_bucket.objects.id}",
            "policy": "${data.aws_iam_policy_document.objects.json}",
        }
    },
}
LOOKED_UP = {
    "aws_iam_policy_document": {
        "logs": {
            "statement": {
                "actions": ["logs:PutLogEvents"],
                "resources": ["${aws_cloudwatch_log_group.kept.arn}:*"],
            }
        },
        "objects": {
            "statement": {
                "actions": ["s3:GetObject"],
                "resources": ["${aws_s3_bucket.objects.arn}/*"],
                "principals": {"type": "AWS", "identifiers": ["*"]},
            }
        },
    }
}
EDITS: dict[tuple[str, str], dict[str, Any]] = {
    ("aws_vpc", "moves"): {"cidr_block": "10.1.0.0/16"},
    ("aws_vpc", "stays"): {"enable_dns_hostnames": True},
    ("aws_vpc_security_group_ingress_rule", "range"): {"cidr_ipv4": "10.0.0.0/16"},
    ("aws_cloudwatch_log_group", "kept"): {"retention_in_days": 30},
    ("aws_cloudwatch_log_group", "renamed"): {"name": "new"},
    ("aws_ecs_cluster", "main"): {"tags": {"a": "1"}},
    ("aws_ecs_task_definition", "image"): {"container_definitions": CONTAINER.format(2)},
    ("aws_ecs_task_definition", "same"): {
        "container_definitions": json.dumps(json.loads(CONTAINER.format(1)), indent=1)
    },
    ("aws_ecr_repository", "images"): {"encryption_configuration": {"encryption_type": "KMS"}},
    ("aws_ebs_volume", "grows"): {"size": 2},
    ("aws_ebs_volume", "encrypted"): {"encrypted": True},
    ("aws_ebs_volume", "ignored"): {"availability_zone": "us-west-2b"},
    ("aws_iam_role", "path"): {"path": "/nodes/"},
    ("aws_iam_role", "described"): {"description": "of a test"},
    ("aws_ssm_parameter", "settings"): {"value": "2"},
    ("aws_s3_bucket", "objects"): {"force_destroy": True},
}
"""One edit a resource; all are planned at once."""
WORDS = {
    ("create",): "add",
    ("update",): "change",
    ("delete",): "remove",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}


def edited() -> dict[str, Any]:
    """The resources as they are to be: edited, one gone and one new."""
    table = copy.deepcopy(APPLIED)
    for (type_, name), arguments in EDITS.items():
        table[type_][name] |= arguments
    del table["aws_subnet"]["stays"]
    table["aws_subnet"]["new"] = {"vpc_id": "${aws_vpc.stays.id}", "cidr_block": "10.8.2.0/24"}
    return table


def document(table: Mapping[str, Any]) -> dict[str, Any]:
    return {"resource": dict(table), "data": LOOKED_UP, "provider": {"aws": [{"region": "us-west-2"}]}}


def test_aws_is_foretold(stack: Callable[[str], Any]) -> None:
    deployed = stack("[cloud.aws]\n")
    file: Path = deployed.folder / "cdk.tf.json"
    file.write_text(json.dumps(document(APPLIED)), encoding="utf-8")
    deployed.terraform("init", "-input=false")
    deployed.terraform("apply", "-input=false", "-auto-approve")
    file.write_text(json.dumps(document(edited())), encoding="utf-8")
    plan = deployed.plan("-refresh=false")
    foretold = compare_documents({"aws": document(APPLIED)}, {"aws": document(edited())})
    assert {each.address: each.action.value for each in foretold} == actions(plan)
    assert {
        each.address: sorted(
            {argument.path for argument in each.arguments if argument.replaces is Answer.YES}
        )
        for each in foretold
        if each.action.value == "replace"
    } == {
        change["address"]: sorted({str(path[0]) for path in change["change"]["replace_paths"]})
        for change in plan["resource_changes"]
        if "replace_paths" in change["change"]
    }


def actions(plan: dict[str, Any]) -> dict[str, str]:
    """What a plan does to managed resources, in our words."""
    return {
        change["address"]: WORDS[tuple(change["change"]["actions"])]
        for change in plan["resource_changes"]
        if change["mode"] == "managed" and tuple(change["change"]["actions"]) in WORDS
    }


@pytest.mark.parametrize(
    ("new", "code"),
    [({"triggers_replace": "2", "lifecycle": {"prevent_destroy": True}}, 1), (None, 0)],
    ids=["replaced", "gone from the configuration"],
)
def test_what_must_not_be_destroyed(
    new: dict[str, Any] | None, code: int, tmp_path: Path, quiet: dict[str, str]
) -> None:
    terraform_path()
    file = tmp_path / "main.tf.json"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [TERRAFORM, *arguments, "-no-color", "-input=false"]
        return subprocess.run(command, cwd=tmp_path, env=quiet, capture_output=True, text=True, check=False)

    held = {"triggers_replace": "1", "lifecycle": {"prevent_destroy": True}}
    file.write_text(json.dumps({"resource": {"terraform_data": {"x": held}}}), encoding="utf-8")
    assert run("init").returncode == 0
    assert run("apply", "-auto-approve").returncode == 0
    rest = {"resource": {"terraform_data": {"x": new}}} if new else {"output": {"x": {"value": "gone"}}}
    file.write_text(json.dumps(rest), encoding="utf-8")
    done = run("plan")
    assert ("prevent_destroy" in done.stderr) is bool(code)
    assert done.returncode == code
