"""The AWS stacks under real Terraform with the real AWS provider, against moto."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from moto_deployment import explained, managed, prepared, unprotected
from terraform_json import ROOT, case, configs

pytestmark = pytest.mark.terraform

ALL = os.environ.get("AETHER_TERRAFORM") == "all"
EXAMPLES = ROOT / "apps/examples"
APPLIED = configs("aws") if ALL else [EXAMPLES / f"{name}.toml" for name in ("aws", "aws-ec2")]
PLANNED = sorted({*EXAMPLES.glob("aws*.toml")} - {*APPLIED})
"""An apply takes minutes, most of them in the provider's own pauses, so that by default one configuration of Fargate
and one of EC2 is applied, and the other examples, EKS among them, are planned. All of all:
`AETHER_TERRAFORM=all make test ARGS=tests/terraform`."""


@pytest.mark.parametrize("config", PLANNED, ids=case)
def test_plan(config: Path, stack: Callable[[str], Any], emulator: Any) -> None:
    deployed = stack(prepared(config, emulator))
    deployed.terraform("init", "-input=false")
    plan = deployed.plan()  # which validates first
    assert {tuple(change["change"]["actions"]) for change in plan["resource_changes"]} <= {
        ("create",),
        ("read",),
    }


@pytest.mark.parametrize("config", APPLIED, ids=case)
def test_apply_and_destroy(
    config: Path, stack: Callable[[str], Any], emulator: Any, gaps: dict[str, Any]
) -> None:
    deployed = stack(unprotected(prepared(config, emulator)))
    deployed.terraform("init", "-input=false")
    deployed.terraform("validate")
    deployed.plan()
    deployed.terraform("apply", "-input=false", "plan")

    declared = {f"{kind}.{name}" for kind, named in deployed.document["resource"].items() for name in named}
    second = deployed.plan()
    assert declared == {address.partition("[")[0] for address in managed(second["prior_state"])}
    unexplained, unused = explained(second, gaps["forgets"])
    assert not unexplained, "a second plan would change what the first apply made"
    assert not unused, "moto.toml explains what does not happen"

    state = deployed.folder / "terraform.tfstate"
    applied = json.loads(state.read_text(encoding="utf-8"))
    deployed.terraform("destroy", "-input=false", "-auto-approve")
    assert not json.loads(state.read_text(encoding="utf-8"))["resources"]

    # the provider itself looks for all that it had made
    unasked = {gap["type"] for gap in gaps["unasked"]}
    applied["resources"] = [item for item in applied["resources"] if item["type"] not in unasked]
    state.write_text(json.dumps(applied), encoding="utf-8")
    kinds = {address.partition(".")[0] for address in managed(deployed.plan("-refresh-only")["prior_state"])}
    assert kinds <= {gap["type"] for gap in gaps["outlives"]}
    (provider,) = deployed.document["provider"]["aws"]
    tombs = [gap["arn"] for gap in gaps["tombstones"]]
    left = tagged(emulator, provider["region"])
    assert [arn for arn in left if not any(fnmatchcase(arn, tomb) for tomb in tombs)] == []
    ecs = emulator.client("ecs", provider["region"])
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    assert {cluster["status"] for cluster in clusters} <= {"INACTIVE"}


def tagged(emulator: Any, region: str) -> list[str]:
    """ARNs of what still bears the tag of a cluster."""
    client = emulator.client("resourcegroupstaggingapi", region)
    answer = client.get_resources(TagFilters=[{"Key": "aether-cluster"}])
    return [resource["ResourceARN"] for resource in answer["ResourceTagMappingList"]]
